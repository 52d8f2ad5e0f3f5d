"""What `byhand why` found, as data: findings in rank order, what was checked, and the story's outcome."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Experiment:
    """What was tried to confirm a finding.

    Attributes
    ----------
    what : str
        What was changed, in words.
    before, after : float
        The loss at the end as the script has it, and with the change.
    cured : bool
        Whether the change cures what the finding blames.
    losses : list of float
        The course of the loss with the change, thinned.
    """

    what: str
    before: float
    after: float
    cured: bool
    losses: list[float] = field(default_factory=list)


@dataclass
class Finding:
    """One cause, at its line.

    Attributes
    ----------
    id : str
        The mistake's id in the catalogue.
    line : int
        Where in the script, counted from 1; 0 if nowhere in particular.
    evidence : dict
        The numbers behind it.
    confidence : float
        From 0 to 1.
    message : str
        What is so, in plain words.
    experiment : Experiment or None
    """

    id: str
    line: int
    evidence: dict[str, Any]
    confidence: float
    message: str
    experiment: Experiment | None = None


@dataclass
class Chapter:
    """One run of the script, as it was or mended, and what was found in it.

    Attributes
    ----------
    findings : list of Finding
        In rank order.
    happened : str
        What the script did, in numbers.
    mended : str
        What was mended before this run, in words; empty for the script as it is.
    losses : list of float
        The course of the loss as the script computed it, thinned.
    loss_is : str
        Which loss that is, if it was recognised.
    trained : bool
        Whether it trained well.
    lines : dict
        The text of the lines that the findings name.
    repeats : int
        How many more runs showed the same mistake, elsewhere or with another seed.
    """

    findings: list[Finding]
    happened: str
    mended: str = ""
    losses: list[float] = field(default_factory=list)
    loss_is: str = ""
    trained: bool = False
    lines: dict[int, str] = field(default_factory=dict)
    repeats: int = 0


@dataclass
class Report:
    """The whole answer.

    Attributes
    ----------
    chapters : list of Chapter
        The script as it is, and then mended, run by run.
    outcome : str
        "nothing wrong found"; "trains in spite of it" (of what was found); "trains once mended" (the copy was run);
        "would train once mended" (an experiment says so); "does not train"; "not understood".
    checked : list of str
        What was checked and found in order.
    seconds, script_seconds : float
        What the whole answer took; and the script itself, with our notes of it.
    troubles : list of str
        Mistakes of ours: what could not be judged, since the judging itself failed. Empty in all tests.
    """

    chapters: list[Chapter]
    outcome: str
    checked: list[str]
    seconds: float = 0.0
    script_seconds: float = 0.0
    troubles: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """All findings in rank order: those of the script as it is, then those that mending brings to light."""
        return [finding for chapter in self.chapters for finding in chapter.findings]


@contextmanager
def part(name: str, troubles: list[str]) -> Iterator[None]:
    """A part of the judging; if it fails, that is noted, and the others go on.

    A script is anybody's: what is thrown by a part of the judging must not take the whole answer with it.
    """
    try:
        yield
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
        troubles.append(f"{name}: {type(error).__name__}: {error} ({place})")
