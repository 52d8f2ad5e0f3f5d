"""What the diagnosis says, as data: one finding, and the judgement of one run. Words stand in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Certainty = Literal["exact", "experiment", "symptom"]
Verdict = Literal["right", "wrong", "inconclusive", "nothing"]


@dataclass(frozen=True)
class Place:
    """Where in the text: the file ("" is the script itself), and the line, counted from 1."""

    line: int
    file: str = ""


@dataclass
class Finding:
    """One mistake, or one thing that keeps the training from working.

    Attributes
    ----------
    id : str
        The mistake's id in the catalogue.
    place : Place
        Line 0 when it stands nowhere in particular.
    certainty : str
        "exact": the numbers of the run force it (they equal what the mistake gives, and not what is right);
        "experiment": a copy of the script with this mended was run, and differs; "symptom": seen in the numbers, and
        other causes are thinkable.
    message : str
        What is so in this run, in one or two plain sentences; every number in it is computed from the run.
    evidence : dict
        The numbers behind it; JSON can hold them.
    also : list of Place
        Further places of the same mistake.
    """

    id: str
    place: Place
    certainty: Certainty
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)
    also: list[Place] = field(default_factory=list)

    @property
    def is_of_steps(self) -> bool:
        """Whether it says that parameters' steps are not what they should be."""
        return self.certainty == "exact" and "parameters" in self.evidence


@dataclass
class Parameter:
    """A parameter of the script: its name, its shape, and how many steps were held against the gradient."""

    name: str
    shape: tuple[int, ...]
    steps: int
    explained: bool


@dataclass
class Facts:
    """What the run showed, each a number of this run; None where it was not seen.

    Attributes
    ----------
    parameters : list of Parameter
    objective : str
        "loss" (the script's own), "error" (half the squared error that it steps along), "link" (the output's error
        taken as its delta, as cross-entropy gives), "slope" (what grows with the error), or "" when none was found.
    objective_place : Place or None
    samples, outputs : int or None
        Of the targets that the error or loss compares with.
    losses : list of float
        The script's own loss over the run, in order, thinned; steps[i] is the step at which losses[i] was seen.
    steps : list of int
    loss_start, loss_end : float or None
    evidence : int
        Independent numbers explained, minus free factors.
    unexplained : list of str
        Names of the parameters whose steps are not explained.
    blocked : list of str
        Operations without a rule that lay on the way.
    open_later : int
        Stretches of the run, after the one that all this is about, in which not every step is explained.
    others : list of Facts
        Of the run's other trainings, which step parameters of their own at lines of their own.
    """

    parameters: list[Parameter] = field(default_factory=list)
    objective: str = ""
    objective_place: Place | None = None
    samples: int | None = None
    outputs: int | None = None
    losses: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    loss_start: float | None = None
    loss_end: float | None = None
    evidence: int = 0
    unexplained: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    open_later: int = 0
    others: list[Facts] = field(default_factory=list)


@dataclass
class Suspects:
    """Where to look for the line to mend, when steps are not as they should be.

    Attributes
    ----------
    back : list of Place
        Lines of the backward pass and the step that all wrong steps have in common, the likeliest first.
    ahead : list of Place
        Lines of the forward pass, which is what the steps are held against.
    nodes : int
        How many recorded operations hold the first few steps of each parameter.
    """

    back: list[Place] = field(default_factory=list)
    ahead: list[Place] = field(default_factory=list)
    nodes: int = 0


@dataclass
class Judgement:
    """What is said of one run.

    Attributes
    ----------
    verdict : str
        "right": every step of every parameter on which the loss rests is explained, by more independent numbers than
        free factors; "wrong": a mistake is named; "inconclusive": parameters and a loss were found, but not all steps
        could be explained, and no mistake either; "nothing": no training was found.
    findings : list of Finding
        In the order in which to tell them: exact before experiment before symptom, what comes first in the backward
        pass first. A training whose gradients are right may still have findings (dead units, a learning rate).
    facts : Facts
    guesses : list of Finding
        What else may be the cause where the steps are right and the training does not work: no finding, unless a copy
        with it mended is run and works.
    fault : str
        An error of the judge's own that kept it from an answer; "" otherwise.
    suspects : Suspects
    stepped : list of int
        The script's lines whose values the steps of the parameters are made of: all that a right training speaks for.
    """

    verdict: Verdict
    findings: list[Finding] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    fault: str = ""
    guesses: list[Finding] = field(default_factory=list)
    suspects: Suspects = field(default_factory=Suspects)
    stepped: list[int] = field(default_factory=list)
