"""What `byhand check` answers: findings, questions, a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from byhand.diagnosis.asked import Status


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes
    ----------
    id : str
        Of the catalogue; "unknown" for a wrong result that no entry gives.
    title : str
        What was done, in a few words.
    line : int or None
        In the file, or in the cell.
    cell : str
        "cell 3" in a notebook, else "".
    evidence : str
        The numbers that show it.
    confidence : float
        Between 0 and 1; 0.9 and more when the numbers match exactly.
    question : str
        What it belongs to.
    meant, found : str
        The formula as it should be, and as it is.
    """

    id: str
    title: str
    line: int | None
    cell: str
    evidence: str
    confidence: float
    question: str = ""
    meant: str = ""
    found: str = ""
    source: str = ""


@dataclass(frozen=True)
class Question:
    """One thing that the practical asks for, and how far it is.

    `part` is the number of the practical's question that it answers, whatever names it has here; for what the
    practical does not ask for, a word.
    """

    name: str
    status: Status
    note: str = ""
    part: str = ""


@dataclass
class Report:
    """What was found in one file.

    Attributes
    ----------
    file : str
        Its name.
    questions : list of Question
        What was looked at.
    findings : list of Finding
        The mistakes, the surest first.
    notes : list of str
        What was noticed besides, such as how the code misbehaved.
    """

    file: str
    questions: list[Question] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def _ipython_display_(self) -> None:
        """Show nothing at the end of a notebook's cell: `byhand.check` has printed it."""

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong in what has been done."""
        return not self.findings and all(question.status != "wrong" for question in self.questions)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        keys = ("id", "title", "line", "cell", "evidence", "confidence", "question", "meant", "found")
        return {
            "file": self.file,
            "right": self.is_right,
            "questions": [asdict(question) for question in self.questions],
            "findings": [{key: getattr(finding, key) for key in keys} for finding in self.findings],
            "notes": self.notes,
        }
