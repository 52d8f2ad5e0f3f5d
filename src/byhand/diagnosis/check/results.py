"""What a check answers: rows, findings, a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.findings import Certainty

Status = Literal["right", "wrong", "not done yet", "not judged"]
Outcome = Literal["right", "wrong", "not judged"]

UNKNOWN = "a wrong result that is no mistake I know"
EXIT_CODES: dict[Outcome, int] = {"right": 0, "wrong": 3, "not judged": 4}


def title_of(id_: str) -> str:
    """What a mistake is called; the same words for all that the catalogue does not have."""
    return CATALOGUE[id_].title if id_ in CATALOGUE else UNKNOWN


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes
    ----------
    id : str
        Of the catalogue; "unknown" for a wrong result that no entry explains.
    title : str
        What was done, in a few words.
    line : int or None
        In the file, or in the cell.
    cell : str
        "cell 3" in a notebook, else "".
    evidence : str
        The numbers that show it, in a sentence.
    question : str
        The row that it belongs to.
    certainty : str
        As `byhand.diagnosis.findings.Finding` has it.
    source : str
        The text of the line.
    file : str
        A module beside the file; "" for the file itself.
    """

    id: str
    title: str
    line: int | None
    cell: str
    evidence: str
    question: str = ""
    certainty: Certainty = "exact"
    source: str = ""
    file: str = ""


@dataclass(frozen=True)
class Question:
    """One thing that was looked at, and how it stands.

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
        The mistakes, in the order in which to mend them.
    notes : list of str
        What was noticed besides, such as how the code misbehaved.
    """

    file: str
    questions: list[Question] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def _ipython_display_(self) -> None:
        """Show nothing at the end of a notebook's cell: `byhand.check` has printed it."""

    def count(self, status: Status) -> int:
        """How many rows have that status."""
        return sum(question.status == status for question in self.questions)

    @property
    def outcome(self) -> Outcome:
        """Is "right" only when something was judged, all that was looked at could be, and nothing is wrong."""
        if self.findings or self.count("wrong"):
            return "wrong"
        return "right" if self.count("right") and not self.count("not judged") else "not judged"

    @property
    def is_right(self) -> bool:
        """Whether something was judged, and all of it is right."""
        return self.outcome == "right"

    @property
    def exit_code(self) -> int:
        """0 right, 3 wrong, 4 not judged."""
        return EXIT_CODES[self.outcome]

    def as_json(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {
            "file": self.file,
            "outcome": self.outcome,
            "right": self.is_right,
            "exit_code": self.exit_code,
            "questions": [asdict(question) for question in self.questions],
            "findings": [asdict(finding) for finding in self.findings],
            "notes": self.notes,
        }
