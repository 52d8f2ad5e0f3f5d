"""What is said of a file's claims: right, wrong at a line, or unclear; who calls a wrong function is not blamed."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from byhand.diagnosis.check import engines
from byhand.diagnosis.check.chains import chains
from byhand.diagnosis.check.claims import Claim, is_gradient_of
from byhand.diagnosis.check.defined import File, methods_of, reached
from byhand.diagnosis.check.differences import NEAR, Answer, judged, manner
from byhand.diagnosis.check.families import Family, families, scopes
from byhand.diagnosis.check.lines import line_of
from byhand.diagnosis.check.updates import updates
from byhand.diagnosis.findings import Finding

_HELD, _NO_NUMBERS = "held against differences", "the differences of what it computes are no clear numbers"
OF_A_LOOP = "seed-in-loop"
"""What is a mistake only in a loop of the file's own."""


@dataclass
class Probe:
    """What was found of one unit: `line` is where it is wrong."""

    unit: str
    answer: Answer
    line: int = 0
    message: str = ""
    id: str = "unknown"
    names: list[str] = field(default_factory=list)
    """The functions that it is about."""
    part: str = "2.7"
    """The question of the practical that it belongs to."""
    training: str = ""
    """The wrong claim as a training, for the tape."""


def probes(file: File) -> Iterator[Probe]:
    """What can be said of the claims of a file's functions and classes."""
    yield from without_blame(list(_every(file)), file)


def _every(file: File) -> Iterator[Probe]:
    for alternatives in scopes(file):
        found: dict[str, Probe] = {}
        for scope in alternatives:  # an object that says nothing may have been made in a wrong way
            for probe in [p for family in families(file, scope) for p in _told(file, family, scope.functions)]:
                if probe.unit not in found or probe.answer == "right":
                    found[probe.unit] = probe
        yield from found.values()
    rounds = [claim for claim in chains(file) if "loss_ = " in claim.forward and claim.gradients]
    for name in dict.fromkeys(claim.functions[-1] for claim in rounds):
        yield from _told(file, Family(name, [c for c in rounds if c.functions[-1] == name]), file.functions)
    for name, answer, line, says, id_ in updates(file):
        message = f"{name} keeps the moments of an optimizer, but {says or 'takes the step of none that I know'}."
        message = "an optimizer's step" if answer == "right" else message
        yield Probe(name, answer, line, message, id_, names=[name], part="2.8")
    for node in file.classes.values():
        if engines.is_engine(methods_of(node)):
            yield from _of_engine(file, node)


def without_blame(found: Sequence[Probe], file: File) -> Iterator[Probe]:
    """The probes; who calls a wrong function is not blamed."""
    wrong = {name for p in found if p.answer == "wrong" for name in p.names}
    for probe in found:
        causes = reached(file.every, probe.names) & wrong - set(probe.names)
        if probe.answer == "wrong" and causes:
            probe = Probe(
                probe.unit, "unclear", message=f"it follows from {', '.join(sorted(causes))}", names=probe.names
            )
        yield probe


def _told(file: File, family: Family, functions: Mapping[str, ast.FunctionDef]) -> Iterator[Probe]:
    """Right under one guess is right; only guesses in which nothing is loose can say that it is wrong."""
    answers: list[tuple[Claim, dict[str, Answer]]] = []
    for claim in family.claims:
        with contextlib.suppress(Exception):
            if family.is_sure and (spoiler := _spoiler(file, claim)) is not None:
                yield spoiler
                return
            answers.append((claim, judged(file, claim)))
            if set(answers[-1][1].values()) == {"right"}:
                break
    answers = [(claim, found) for claim, found in answers if found]
    if not answers:
        return
    firm = [(claim, found) for claim, found in answers if not claim.is_loose]
    is_meant = family.is_sure or any("right" in found.values() for _, found in firm)  # by chance none would be
    names = [name.rpartition(".")[2] for name in answers[0][0].functions]
    if set(answers[-1][1].values()) == {"right"}:
        yield Probe(family.unit, "right", message=_HELD, names=names)
    elif is_meant and firm and all("wrong" in found.values() for _, found in firm):
        claim, found = max(firm, key=lambda pair: _fit(*pair))
        wrong = [p for p, answer in found.items() if answer == "wrong"]
        yield _accused(file, family.unit, claim, wrong, functions[names[-1]], names)
    elif is_meant:
        claim, found = max(answers, key=lambda pair: _fit(*pair))
        untold = [_plain(p) for p in found if p not in claim.gradients]
        message = f"no gradient is given for {', '.join(untold)}" if untold else _NO_NUMBERS
        yield Probe(family.unit, "unclear", message=message, names=names)


def _fit(claim: Claim, answers: Mapping[str, Answer]) -> tuple[int, int, int]:
    """How well a guess fits that is wrong: by the gradients that are right, by names, by those that are not."""
    right = sum(a == "right" for a in answers.values())
    return right, sum(is_gradient_of(found[0], p) for p, found in claim.gradients.items()), right - len(answers)


def _accused(
    file: File, unit: str, claim: Claim, wrong: Sequence[str], back: ast.FunctionDef, names: list[str]
) -> Probe:
    """The gradients that are wrong, how, and the line at which the first of them gets its value."""
    how = {p: manner(file, claim, p) for p in wrong}
    of = names[0] if len(names) > 1 else "the loss that it returns"
    said = "; ".join(f"the gradient for {_plain(p)} {words}" for p, (words, _) in how.items())
    message = f"What {back.name} gives, held against differences of {of}: {said}."
    first = wrong[0]
    gradient = np.asarray(eval(claim.gradients[first][0], file.names, claim.run(file)))
    line = line_of(lambda: claim.run(file), back.name, gradient, how[first][1] if gradient.ndim else 0)
    return Probe(unit, "wrong", line, message, names=names, training=claim.as_training())


def named(probe: Probe, found: Sequence[Finding], file: File) -> Probe:
    """The probe with the first mistake that the tape names in what it is about."""
    spans: list[ast.FunctionDef | ast.ClassDef] = [file.every[n] for n in reached(file.every, probe.names)]
    spans += [c for name, c in file.classes.items() if probe.unit.partition(".")[0] == name]
    for f in found:
        is_inside = any(n.lineno <= f.place.line <= (n.end_lineno or 0) for n in spans)
        if f.certainty == "exact" and f.id != OF_A_LOOP and not f.place.file and is_inside:
            message = re.sub(r"\b(\w+)_(?=\W|$)", r"\1", f.message.replace("thing_.", ""))
            return replace(probe, id=f.id, line=f.place.line, message=message)
    return probe


def _plain(parameter: str) -> str:
    """A parameter as the file's reader knows it."""
    if index := re.fullmatch(r"thing_\[(\d+)\]", parameter):
        return f"parameter {int(index[1]) + 1}"
    return re.sub(r"^thing_(\['(\w+)'\]$)?\.?", r"\2", parameter).removesuffix("_")


def _spoiler(file: File, claim: Claim) -> Probe | None:
    """Told when a loss changes its parameters, and so is another one when it is computed again."""
    if len(claim.functions) != 2 or claim.kind != "loss":
        return None
    names = claim.run(file, lines=claim.forward)
    first = names["loss_"]
    file.run(names, claim.forward)
    changed = [p for p in claim.parameters if p.isidentifier() and not np.array_equal(names[p], claim.given[p])]
    if not changed or not abs(first - names["loss_"]) > NEAR * abs(first):
        return None
    name = claim.functions[0].rpartition(".")[2]
    after = np.asarray(names[changed[0]])
    entry = int(np.argmax(after != claim.given[changed[0]]))
    line = line_of(lambda: claim.run(file, lines=claim.forward), name, after, entry)
    message = f"{name} writes into the parameters that it is given: computed again, its value is another one."
    return Probe(name, "wrong", line, message, names=[name])


def _of_engine(file: File, node: ast.ClassDef) -> Iterator[Probe]:
    """The first operation that sends back something else than its derivative."""
    methods = methods_of(node)
    answers: dict[str, Answer] = {}
    for name, claims in engines.operations(file, node).items():
        found = {a for claim in claims for a in judged(file, claim).values()}
        answers[name] = "wrong" if "wrong" in found else "right" if "right" in found else "unclear"
    wrong = [name for name, answer in answers.items() if answer == "wrong"]
    if wrong:
        first = next((n for n in wrong if engines.is_own(methods[n])), wrong[0])
        message = f"What {first} sends back is not the derivative, for inputs of mine."
        yield Probe(node.name, "wrong", engines.line_of(methods[first]), message)
    elif answers and set(answers.values()) != {"right"}:
        yield Probe(node.name, "unclear", message=_NO_NUMBERS)
    elif answers:
        yield Probe(node.name, "right", message=_HELD)
