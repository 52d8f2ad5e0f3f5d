"""What `byhand why` answers, as data: chapters, one a run; and its JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.findings import Facts, Finding, Parameter, Verdict
from byhand.diagnosis.story.program import Change, Program

Outcome = Literal["right", "wrong", "inconclusive", "nothing"]


@dataclass
class Mending:
    """A finding's line as it should read, from a copy that was run.

    Attributes
    ----------
    changes : list of Change
        In the student's own text.
    was_judged : bool
        Whether it was the judgement of the copy that no longer had the finding; a Python error is mended when the
        copy gets beyond it.
    """

    changes: list[Change]
    was_judged: bool = True


@dataclass
class Told:
    """A finding, and how to mend it: the rewritten line where one was found that helps."""

    finding: Finding
    mending: Mending | None = None


@dataclass
class Chapter:
    """One run, of the script as it is or of a mended copy.

    Attributes
    ----------
    mended : str
        What was mended before this run, in words; "" for the script as it is.
    verdict : str
        As `Judgement.verdict`; "stopped" when a Python error ended the run.
    happened : list of str
        Sentences; each number in them is one of this run.
    told : list of Told
    facts : Facts
    """

    mended: str
    verdict: Verdict | Literal["stopped"]
    happened: list[str]
    told: list[Told] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)


@dataclass
class Report:
    """The whole answer; `notes` say what limits it (a run that was stopped, a random start that no seed fixes)."""

    program: Program
    chapters: list[Chapter]
    notes: list[str] = field(default_factory=list)

    @property
    def told(self) -> list[Told]:
        """All findings: those of the script as it is, then those that mending brings to light."""
        return [told for chapter in self.chapters for told in chapter.told]

    @property
    def outcome(self) -> Outcome:
        """Wrong when something was found; right only where all was judged and nothing found."""
        if self.told:
            return "wrong"
        verdict = self.chapters[0].verdict
        return "inconclusive" if verdict in ("stopped", "wrong") else verdict  # type: ignore[return-value]

    @property
    def exit_code(self) -> int:
        """0 right, 3 wrong and named, 4 not judged."""
        return {"right": 0, "wrong": 3}.get(self.outcome, 4)

    @property
    def ending(self) -> list[str]:
        """The last sentences of the answer: what it comes to."""
        last = self.chapters[-1]
        if self.outcome == "right":
            return ["Right: " + _explained(self.program, last.facts)]
        if self.outcome == "wrong":
            return _after_mending(self)
        if self.outcome == "nothing":
            return ["No training was found in it, so nothing was judged."]
        return ["Not judged: it is neither called right nor wrong.", *_open(self.program, last.facts)]


def _names(parameters: list[Parameter]) -> str:
    names = list(dict.fromkeys(p.name for p in parameters if p.name))
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names) or "the parameters"


def _at(program: Program, facts: Facts) -> str:
    place = facts.objective_place
    return f" ({program.where(place.line, place.file)})" if place is not None and place.line else ""


def _explained(program: Program, facts: Facts) -> str:
    objective = {
        "loss": f"the gradient of the script's own loss{_at(program, facts)}",
        "error": f"the gradient of half the squared error{_at(program, facts)}",
        "slope": f"the gradient of a convex loss whose slope{_at(program, facts)} grows with the output's error",
        "link": f"the gradient of a loss with the output's error as its delta{_at(program, facts)}, as cross-entropy",
    }.get(facts.objective, "the gradient")
    said = (
        f"every step of {_names(facts.parameters)} that was looked at is {objective}, followed back through the "
        f"program's own forward pass ({facts.evidence:,} numbers more than could be chosen freely)."
    )
    if facts.open_later:
        where = "In a later stretch" if facts.open_later == 1 else f"In {facts.open_later} later stretches"
        said += f" {where} of the run not all steps are clear enough to be held against it."
    return " And ".join([said, *(_explained(program, other) for other in facts.others)])


def _open(program: Program, facts: Facts) -> list[str]:
    said = []
    if facts.parameters:
        said.append(
            f"Seen: the parameters {_names(facts.parameters)}"
            + (
                f", and what they are stepped for{_at(program, facts)}."
                if facts.objective
                else ", but no loss or error."
            )
        )
    if facts.unexplained:
        said.append(f"Not explained: the steps of {', '.join(facts.unexplained)}.")
    if facts.open_later and not facts.unexplained:
        said.append("The steps follow it at first, and not in all of the later stretches of the run.")
    if facts.blocked:
        said.append(f"In the way: {', '.join(facts.blocked)}, for which no derivative is known here.")
    for other in facts.others:
        said += _open(program, other)
    return said


def _after_mending(report: Report) -> list[str]:
    first, last = report.chapters[0], report.chapters[-1]
    if last.told or len(report.chapters) == 1:
        return []
    said = []
    if last.verdict == "right":
        said.append("With all this mended, nothing more is found: " + _explained(report.program, last.facts))
    else:
        said.append("With all this mended nothing more is found, but not all of it could be judged.")
        said += _open(report.program, last.facts)
    ends = [(c.facts.loss_start, c.facts.loss_end) for c in (first, last)]
    if first.facts.losses and last.facts.losses and None not in ends[0] + ends[1]:
        said.append(f"The loss ends at {ends[1][1]:.4g}; in the script as it is, at {ends[0][1]:.4g}.")
    return said


def happened(program: Program, facts: Facts) -> list[str]:
    """What a run did, in numbers of the run."""
    said = []
    if facts.parameters:
        count = max(p.steps for p in facts.parameters)
        what = ", ".join(f"{p.name or '?'} {_shape(p.shape)}" for p in facts.parameters[:8])
        more = f" and {len(facts.parameters) - 8} more" if len(facts.parameters) > 8 else ""
        data = f", on {facts.samples:,} sample{'s' * (facts.samples > 1)}" if facts.samples else ""
        looked_at = "1 step was looked at" if count == 1 else f"{count:,} steps were looked at"
        said.append(f"It trains {what}{more}{data}; {looked_at}.")
    if facts.losses and facts.loss_start is not None and facts.loss_end is not None:
        said.append(f"The loss that it computes {course(facts)}.")
    for other in facts.others:
        said += happened(program, other)
    return said


def course(facts: Facts) -> str:
    """What the loss does, to be said after "the loss"; there has to be one."""
    first, last = facts.loss_start or 0.0, facts.loss_end or 0.0
    if len(facts.losses) == 1 and first == last:
        return f"is {first:.4g} where it was seen"
    if abs(last - first) <= 1e-9 * max(abs(first), abs(last)):
        return f"stays at {first:.4g}"
    return f"goes from {first:.4g} to {last:.4g}"


def proof(alike: list[Told]) -> str:
    """What a copy with the lines of these mendings has shown."""
    count = sum(len(told.mending.changes) for told in alike if told.mending)
    return f"A copy with {'this line' if count == 1 else 'these lines'} was run: this mistake is gone there."


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) if shape else "(a number)"


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON holds it: nothing in it comes from the clock; numbers that are none are null."""
    return {
        "outcome": report.outcome,
        "findings": [
            _finding(report.program, told, number)
            for number, chapter in enumerate(report.chapters)
            for told in chapter.told
        ],
        "chapters": [
            {
                "mended": chapter.mended,
                "verdict": chapter.verdict,
                "happened": " ".join(chapter.happened),
                "facts": clean(asdict(chapter.facts)),
            }
            for chapter in report.chapters
        ],
        "ending": " ".join(report.ending),
        "notes": report.notes,
    }


def _finding(program: Program, told: Told, chapter: int) -> dict[str, Any]:
    finding = told.finding
    places = [finding.place, *finding.also]
    cell, line = program.home(finding.place.line, finding.place.file)
    mended = None
    if told.mending is not None:
        mended = [_change(program, change, finding.place.file) for change in told.mending.changes]
    return {
        "id": finding.id,
        "title": title(finding),
        "cell": cell,
        "line": line,
        "file": finding.place.file,
        "places": [program.where(p.line, p.file) for p in places if p.line],
        "certainty": finding.certainty,
        "message": finding.message,
        "evidence": clean(finding.evidence),
        "mended": mended,
        "chapter": chapter,
    }


def _change(program: Program, change: Change, file: str) -> dict[str, Any]:
    (cell, line), (_, moved) = program.home(change.line, file), program.home(change.moved_before, file)
    return {**asdict(change), "cell": cell, "line": line, "moved_before": moved}


def title(finding: Finding) -> str:
    """The finding's title in the catalogue, as a heading."""
    entry = CATALOGUE.get(finding.id)
    text = entry.title if entry is not None else finding.id.replace("-", " ")
    return text[:1].upper() + text[1:]


def clean(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, dict):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)
