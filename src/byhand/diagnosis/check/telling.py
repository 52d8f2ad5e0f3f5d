"""What is said of a file's claims: right, wrong at a line, or unclear; who calls a wrong function is not blamed."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from byhand.activations import ACTIVATIONS
from byhand.diagnosis.check import engines
from byhand.diagnosis.check.averages import Averages, crossed, swapped
from byhand.diagnosis.check.claims import Claim, draw_anew, is_gradient_of, size
from byhand.diagnosis.check.costs import costs
from byhand.diagnosis.check.defined import File, is_gradient_name, is_tame, methods_of, needed
from byhand.diagnosis.check.differences import (
    FAR,
    NEAR,
    PENALTY_UNTOLD,
    Answer,
    OfGradient,
    judged,
    manner,
    mended,
    mended_ahead,
    mended_there,
    with_factor,
)
from byhand.diagnosis.check.facts import Fact
from byhand.diagnosis.check.families import Family, Scope, families, is_labels, scopes, shaped
from byhand.diagnosis.check.lines import cause_of, line_of, returned_at
from byhand.diagnosis.check.manners import is_passed_on, manners
from byhand.diagnosis.check.names import is_marked
from byhand.diagnosis.check.numerical import numerical
from byhand.diagnosis.check.purposes import Held
from byhand.diagnosis.check.repairs import Repair, repairs
from byhand.diagnosis.check.reshapes import of_run
from byhand.diagnosis.check.rounds import LOSSES, proven, rounds
from byhand.diagnosis.check.slopes import slopes
from byhand.diagnosis.check.updates import updates
from byhand.diagnosis.findings import Finding

_HELD, _NO_NUMBERS = "held against differences", "the differences of what it computes are no clear numbers"
_NO_SLOPES = "it was given no function with which it finds one number for each of its arguments"
_FIRST = ("right", "wrong", "unclear")
"""Which of several answers for one unit counts."""
_CHECKS = 20
"""So many guesses of what a function that checks gradients takes are tried."""
_OTHERS = 3
"""So many other sizes are tried where one is right."""
_AGAIN = 2
"""So often other numbers are tried where the differences are not clear."""
_PLAIN = ("identity", "linear", "step")
"""Whose slopes are those of nothing in particular."""
_LIKELY = 0.5
"""From here on a change that makes it right is told as what was meant."""
GENERAL = {"unknown", "weight-gradient-wrong", "bias-gradient-wrong", "delta-wrong"}
"""What any wrong gradient may be called: a name that says more is kept."""
PURPOSE = "a purpose"
"""The word for what is no question of the practical."""
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
    """The functions that it is about: "f", or "Class.method"."""
    part: str = "2.7"
    """The question of the practical that it belongs to."""
    training: str = ""
    """The wrong claim as a training, for the tape."""
    is_slope: bool = False
    """Whether it is about a function beside its derivative."""
    is_partly_right: bool = False
    """Whether some of its gradients are right, and so it is meant as it was called."""
    is_fact: bool = False
    """Whether it is about something else than gradients."""
    claim: Claim | None = None
    """What was held against differences, as long as more is looked for."""
    wrong: str = ""
    """The first of its parameters whose gradient is wrong."""
    is_placed: bool = False
    """Whether a change at its line makes it right."""


def of_fact(fact: Fact) -> Probe:
    """What a function does beside gradients, and should not."""
    return Probe(fact.unit, "wrong", fact.line, fact.message, fact.id, [fact.unit], fact.part, is_fact=True)


def of_purpose(held: Held) -> Probe:
    """What a function gives beside training."""
    if held.line:
        return Probe(held.units[-1], "wrong", held.line, held.says, held.id, [held.units[-1]], PURPOSE, is_fact=True)
    if held.is_open:
        return Probe(held.units[-1], "unclear", 0, held.says, names=list(held.units), part=PURPOSE)
    return Probe(held.units[-1], "right", 0, f"it gives {held.says}", names=list(held.units), part=PURPOSE)


def probes(file: File) -> Iterator[Probe]:
    """What can be said of the claims of a file's functions and classes."""
    draw_anew()
    for probe in without_blame(list(_every(file)), file):
        yield _placed(file, probe)


def _every(file: File) -> Iterator[Probe]:
    right: list[Claim] = []
    for alternatives in scopes(file):
        found: dict[str, Probe] = {}
        for scope in alternatives:  # an object that says nothing may have been made in a wrong way
            mine: dict[str, Probe] = {}
            told = [(f, p) for f in families(file, scope) for p in _told(file, f, scope.functions)]
            is_bundle = bool(scope.held) and not scope.owner and not scope.is_module
            if is_bundle or (scope.owner and all(p.answer == "unclear" for _, p in told)):
                told += [(f, p) for f in rounds(file, scope) for p in _told(file, f, scope.functions)]
            for family, probe in told:
                if probe.unit not in mine or probe.answer == ("wrong" if family.is_one_of_many else "right"):
                    mine[probe.unit] = probe
            first = {unit for unit, p in found.items() if scope.unknown and p.answer != "unclear"}
            new = {unit: p for unit, p in mine.items() if unit not in first}
            found |= {unit: p for unit, p in new.items() if unit not in found or _says_more(p, found[unit])}
        yield from found.values()
        right += [p.claim for p in found.values() if p.answer == "right" and p.claim is not None]
    for family, scope in slopes(file):
        yield from _told(file, family, scope.functions)
    yield from _of_rounds(file)
    for unit, name, answer, line, says, id_ in updates(file):
        message = f"{name} steps as an optimizer does, but {says or 'as none that I know'}."
        message = "an optimizer's step" if answer == "right" else message
        yield Probe(unit, answer, line, message, id_, names=[name if unit == name else f"{unit}.{name}"], part="2.8")
    for name, answer, line, factor in numerical(file):
        message = f"Of a function whose slopes are known {name} gives {factor:.3g} times these."
        message = {"wrong": message, "right": "of a function whose slopes are known"}.get(answer, _NO_SLOPES)
        yield Probe(name, answer, line, message, "sign-flipped" if factor < 0 else "constant-factor", [name])
    yield from _of_checks(file, right)
    for node in file.classes.values():
        if engines.is_engine(methods_of(node)):
            yield from _of_engine(file, node)


def _of_checks(file: File, right: Sequence[Claim]) -> Iterator[Probe]:
    """What holds gradients of the file against differences: of right ones it must find that they are.

    It is wrong where one change at its quotient makes it find that; else they may not have been right.
    """
    for name, function in file.functions.items():
        if not (re.search("(?i)check", name) and is_marked(name) and is_tame(function)):
            continue
        found = [(far, off) for off in _offs(file, function, right) for far in _value_of(off)]
        least = min((far for far, _ in found), default=0.0)
        if found and least < FAR * NEAR:
            yield Probe(name, "right", message="it finds that the gradients are right", names=[name])
        elif least > FAR:
            line = _divided(function) or function.end_lineno or 0
            is_mended = [lambda off=off: min(_value_of(off)) < FAR * NEAR for _, off in found]
            if any(r.line == line for one in is_mended for r in repairs(file, [name], one, line)):
                message = f"{name} gives {least:.2g} for gradients that are right."
                yield Probe(name, "wrong", line, message, names=[name])


def _offs(file: File, function: ast.FunctionDef, right: Sequence[Claim]) -> Iterator[Callable[[], float]]:
    """Calls of what checks gradients: with right ones, where it takes them, else with what it asks for."""

    def off(names: Mapping[str, Any], handed: Mapping[str, str]) -> float:
        found = {text: deepcopy(names[text]) for text in handed.values()}
        file.run(found, f"result_ = {function.name}({', '.join(f'{a}={text}' for a, text in handed.items())})\n")
        return abs(float(np.reshape(found["result_"], ())))

    taken = needed(function)
    if gradients := [a for a in taken if is_gradient_name(a)]:
        for claim in right:
            handed = {a: "result_" if a in gradients else f"{a}_" for a in taken}
            if len(gradients) == 1 and {t for t in handed.values() if t != "result_"} <= set(claim.given):
                yield partial(off, claim.run(file), handed)
        return
    numbers = {a: 0.4 + 0.3 * k for k, a in enumerate(taken)}
    for values in (numbers, *(g.values for g in islice(shaped(Scope(file.functions), function, file), _CHECKS))):
        yield partial(off, {f"{a}_": v for a, v in values.items()}, {a: f"{a}_" for a in values})


def _value_of(off: Callable[[], float]) -> list[float]:
    """What a call gives; nothing where it fails."""
    with contextlib.suppress(Exception):
        return [off()]
    return []


def _divided(function: ast.FunctionDef) -> int:
    """The line at which a difference is divided."""
    parts = [n for n in ast.walk(function) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    return next((n.lineno for n in parts if isinstance(n.left, ast.BinOp) and isinstance(n.left.op, ast.Sub)), 0)


def _of_rounds(file: File) -> Iterator[Probe]:
    """Rounds: those in which something is right first, as they show what belongs together."""
    found = [(family, list(_told(file, family, file.functions))) for family in rounds(file, Scope(file.functions))]
    right = [tuple(p.names[:2]) for _, told in found for p in told if p.answer == "right"]
    for family, told in found:
        yield from told or _told(file, proven(family, right), file.functions)


def _says_more(new: Probe, old: Probe) -> bool:
    """Whether an answer counts more than another one: what is right in part is meant so, and wrong in the rest."""
    rank = [2 if p.answer == "wrong" and p.is_partly_right else p.answer == "right" for p in (old, new)]
    return rank[1] > rank[0]


def without_blame(found: Sequence[Probe], file: File) -> Iterator[Probe]:
    """One for each unit, right in one reading is right; who calls a wrong function is not blamed."""
    units: dict[tuple[str, str], Probe] = {}
    for probe in sorted(found, key=lambda p: _FIRST.index(p.answer)):
        owner = next((name for name in file.classes if probe.unit.partition(".")[0] == name), "")
        units.setdefault((owner, probe.names[-1] if probe.names else ""), probe)
    found = list(units.values())
    wrong = {name: p.unit for p in found if p.answer == "wrong" for name in p.names}
    for probe in found:
        behind = file.behind(probe.names) & wrong.keys() - set(probe.names) if probe.answer == "wrong" else ()
        if causes := sorted({wrong[name] for name in behind}):
            probe = Probe(probe.unit, "unclear", message=f"it follows from {', '.join(causes)}", names=probe.names)
        yield probe


def _told(file: File, family: Family, functions: Mapping[str, ast.FunctionDef]) -> Iterator[Probe]:
    """Right under one guess is right; only guesses in which nothing is loose can say that it is wrong."""
    told: list[tuple[Claim, dict[str, OfGradient]]] = []
    for claim in family.claims:
        with contextlib.suppress(Exception):
            if family.is_sure and (spoiler := _spoiler(file, claim)) is not None:
                yield spoiler
                return
            told.append(_held(file, claim))
            if set(told[-1][1].values()) != {"right"} and _clips(file, claim):
                told[-1] = _held(file, claim.small())
            if set(told[-1][1].values()) == {"right"}:
                if others := _in_other_sizes(file, told, family):
                    told, family = others, replace(family, is_sure=True)
                break
    partly = any({"right", "wrong"} <= set(found.values()) for _, found in told)
    answers = [(c, _without_idle(a)) for c, a in told if a and not (partly and "idle" in a.values())]
    if not answers:
        return
    firm = [(claim, found) for claim, found in answers if not claim.is_loose]
    is_meant = family.is_sure or any("right" in found.values() for _, found in firm)  # by chance none would be
    if not is_meant and (proven := next((pair for pair in firm if _is_right_without(file, *pair)), None)):
        is_meant, firm = True, [proven]
    names = list(answers[0][0].functions)
    back = functions[_last(names[-1])]
    if right := next((claim for claim, found in answers if set(found.values()) == {"right"}), None):
        more = _of_averages(file, right, family.unit, names)
        more = more or _of_manners(file, right, family.unit, back, names)
        fact = None if more else next(costs(file, right, family.unit), None)
        fact = fact or (None if more else of_run(file, partial(right.run, file), sorted(file.behind(names))))
        more = more if fact is None else replace(of_fact(fact), names=names)
        yield more or Probe(family.unit, "right", message=_HELD, names=names, claim=right)
    elif is_meant and _is_wrong([found for _, found in firm]) and (other := _of_another(file, firm)) is not None:
        yield other
    elif is_meant and _is_wrong([found for _, found in firm]):
        claim, found = max((pair for pair in firm if "wrong" in pair[1].values()), key=lambda pair: _fit(*pair))
        wrong = [p for p, answer in found.items() if answer == "wrong"]
        probe = _accused(file, family.unit, claim, wrong, back, names)
        yield replace(probe, is_partly_right="right" in found.values(), is_slope=claim.kind == "slope")
    elif (other := _of_another(file, [(c, found) for c, found in firm if c.kind != "slope"])) is not None:
        yield other
    elif is_meant:
        claim, found = max(answers, key=lambda pair: _fit(*pair))
        untold = [_plain(p) for p in found if p not in claim.gradients]
        message = f"no gradient is given for {', '.join(untold)}" if untold else _NO_NUMBERS
        yield Probe(family.unit, "unclear", message=message, names=names)


def _in_other_sizes(
    file: File, told: Sequence[tuple[Claim, dict[str, OfGradient]]], family: Family
) -> list[tuple[Claim, dict[str, OfGradient]]]:
    """What is wrong with arrays of other sizes and as many axes, where most such are, though one guess is right.

    That one may hide the mistake: a kernel of one number, or as large as the image.
    """
    right = told[-1][0]
    if right.kind != "way" or not right.is_shaped:
        return []
    found = []
    others = [c for c in family.claims if c is not right and _axes(c) == _axes(right) and not _fills(c, right)]
    for claim in sorted(others, key=_length_1)[:_OTHERS]:
        with contextlib.suppress(Exception):
            found.append(_held(file, claim))
    found = [(claim, answers) for claim, answers in found if answers]  # an output may have no numbers
    wrong = [(claim, answers) for claim, answers in found if "wrong" in answers.values()]
    return wrong if len(wrong) > max(len(found) / 2, 1) else []


def _fills(other: Claim, right: Claim) -> bool:
    """Whether the axis of 1 of a row or column gets another length of those given: it is stretched, as a bias is."""
    for name in other.given.keys() & right.given.keys():
        before, after = np.shape(right.given[name]), np.shape(other.given[name])
        is_row = len(before) == len(after) > 1 and sum(n > 1 for n in before) == 1
        rest = {n for k, v in other.given.items() if k != name for n in np.shape(v)}
        if is_row and any(one == 1 and n > 1 and n in rest for one, n in zip(before, after, strict=True)):
            return True
    return False


def _length_1(claim: Claim) -> int:
    """How many axes of a length of 1 everything has that is given."""
    return sum(np.shape(value).count(1) for value in claim.given.values())


def _axes(claim: Claim) -> dict[str, int]:
    """How many axes everything has that is given."""
    return {name: np.ndim(value) for name, value in claim.given.items()}


def _clips(file: File, claim: Claim) -> bool:
    """Whether gradients may be clipped, as long as they are not small."""
    used = [file.function(n) for n in file.behind(claim.functions[-1:])]
    return any(isinstance(n, ast.Call) and ast.unparse(n.func).endswith("clip") for f in used for n in ast.walk(f))


def _held(file: File, claim: Claim) -> tuple[Claim, dict[str, OfGradient]]:
    """A claim and its answers; where guesses lie at a kink, or where a logarithm is not defined, others are tried."""
    found = judged(file, claim)
    again = [claim.redrawn() for _ in range(_AGAIN)] if claim.kind == "way" else []
    for other in (*again, *([claim.positive()] if claim.is_shaped else []), claim.of_shares()):
        if found:
            break
        claim, found = other, judged(file, other)
    return claim, found


def _is_right_without(
    file: File, claim: Claim, found: Mapping[str, Answer], what: Sequence[str] = ("numbers", "labels")
) -> bool:
    """Whether a wrong claim is right once its numbers, as a penalty's weight, are 0, or no index comes twice."""
    numbers: dict[str, Any] = {n: 0.0 for n, v in claim.given.items() if type(v) is float}
    labels = {n: np.arange(v.size).reshape(v.shape) for n, v in claim.given.items() if is_labels(v)}
    others = {"numbers": numbers, "labels": labels}
    for other in (replace(claim, given=claim.given | others[n]) for n in what if others[n]):
        with contextlib.suppress(Exception):
            if "wrong" in found.values() and set(judged(file, other).values()) == {"right"}:
                return True
    return False


def _of_another(file: File, firm: Sequence[tuple[Claim, Mapping[str, Answer]]]) -> Probe | None:
    """Told when all gradients are right for something well-known, and what stands in its place is not that."""
    for claim, found in firm:
        if set(found.values()) == {"wrong"} and len(claim.functions) > 1:
            for name, text in _known(file, claim):
                other = replace(claim, forward=re.sub(r"loss_ = .*\n$", f"loss_ = {text}\n", claim.forward))
                with contextlib.suppress(Exception):
                    if set(judged(file, other).values()) == {"right"} and not _are_alike(file, claim, other):
                        return _blamed_there(file, claim, name)
    return None


def _known(file: File, claim: Claim) -> Iterator[tuple[str, str]]:
    """What a claim's gradients may be those of: its name, and its text; a loss of the kind that the file's own is."""
    if claim.kind == "slope":
        sent = "goal0_ * " if "goal0_" in claim.given else ""
        yield from ((name, f"np_.sum({sent}known_[{name!r}](x_))") for name in ACTIVATIONS if name not in _PLAIN)
    elif claim.prediction:
        has_log = "log" in ast.unparse(file.function(claim.functions[-2]))
        kind = [name for name, text in LOSSES.items() if ("log" in text) == has_log]
        yield from ((name, LOSSES[name].format(claim.prediction)) for name in kind)


def _are_alike(file: File, claim: Claim, other: Claim) -> bool:
    """Whether two claims have losses that differ by a constant."""
    moved = claim.redrawn()
    pairs = [(c.loss(file, {}), replace(other, given=c.given).loss(file, {})) for c in (claim, moved)]
    return abs(pairs[0][0] - pairs[1][0] - pairs[0][1] + pairs[1][1]) < NEAR


def _blamed_there(file: File, claim: Claim, name: str) -> Probe:
    """What a claim's gradients show: the function that they belong to is another one than the text says."""
    there = claim.functions[-2].rpartition(".")[2]
    line = returned_at(file.function(claim.functions[-2]))
    message = f"The gradients are those of {name}, and not of what {there} computes."
    id_ = "loss-wrong" if claim.kind == "loss" else "unknown"
    return Probe(there, "wrong", line, message, id_, [claim.functions[-2]], part="2.5")


def _of_averages(file: File, claim: Claim, unit: str, names: list[str]) -> Probe | None:
    """Told when something that is kept from call to call goes on from another thing, or by another thing's share."""
    if claim.kind != "way":
        return None
    averages = Averages(file, claim)
    if (found := crossed(averages)) is not None:
        of, other = (_plain(place) for place in found)
        message = f"What is kept as {of} goes on from {other}, and not from what it was itself."
        return Probe(unit, "wrong", averages.line(found[0]), message, names=names)
    if (turned := swapped(averages)) is not None:
        place, share, other = turned
        message = f"What is kept as {_plain(place)} keeps {share:.4g} of what it was, and "
        message += f"{_plain(other)} keeps" if other else "takes"
        message += f" {1 - share:.4g}{'' if other else ' of what is new'}: the shares of old and new are exchanged."
        return Probe(unit, "wrong", averages.line(turned[0]), message, names=names)
    return None


def _of_manners(file: File, claim: Claim, unit: str, back: ast.FunctionDef, names: list[str]) -> Probe | None:
    """Told when an object that is made in another manner is wrong, or can't be judged in it."""
    for text, other in manners(file, claim):
        with contextlib.suppress(Exception):
            found = _without_idle(judged(file, other))
            wrong = [p for p, answer in found.items() if answer == "wrong" and p in claim.gradients]
            if wrong and not any(is_passed_on(file, other, p) for p in wrong if p.isidentifier()):
                probe = _accused(file, unit, with_factor(file, other, claim), wrong, back, names)
                return replace(probe, message=f"As {text}: {probe.message}")
            if set(found.values()) == {"right"}:
                continue
        return Probe(unit, "unclear", message=f"as {text} it could not be judged", names=names)
    return None


def _is_wrong(firm: Sequence[Mapping[str, Answer]]) -> bool:
    """Whether it is wrong however it is meant, but for some guesses that lie at a kink."""
    return sum("wrong" in found.values() for found in firm) > len(firm) / 2


def _without_idle(found: Mapping[str, OfGradient]) -> dict[str, Answer]:
    """The answers, where what is 0 and should be is right."""
    return {p: "right" if answer == "idle" else answer for p, answer in found.items()}


def _fit(claim: Claim, answers: Mapping[str, Answer]) -> tuple[int, int, int]:
    """How well a guess fits that is wrong: by the gradients that are right, by names, by those that are not."""
    right = sum(a == "right" for a in answers.values())
    return right, sum(is_gradient_of(found[0], p) for p, found in claim.gradients.items()), right - len(answers)


def _accused(
    file: File, unit: str, claim: Claim, wrong: Sequence[str], back: ast.FunctionDef, names: list[str]
) -> Probe:
    """The gradients that are wrong, how, and the line at which the first of them gets its value."""
    how = {p: manner(file, claim, p) for p in wrong}
    of = (
        _last(names[-2])
        if len(names) > 1
        else "the loss that it returns"
        if claim.kind == "loss"
        else "what it is called after"
    )
    said = "; ".join(f"the gradient for {_plain(p)} {m.words}" for p, m in how.items())
    message = f"What {back.name} gives, held against differences of {of}: {said}."
    lines = {p: _made_at(file, claim, p, back.name, how[p].wrong if p in how else ()) for p in claim.gradients}
    right = [line for p, line in lines.items() if p not in wrong]
    there = file.function(names[0]) if len(names) > 1 else ast.Pass()
    known = {ast.unparse(n) for n in ast.walk(there) if isinstance(n, ast.Assign)}
    ids = {m.id for m in how.values()}
    line = cause_of(back, [lines[p] for p in wrong], right, known)
    others = [p for p in claim.gradients if p not in wrong and np.ndim(claim.given[p]) > 1]
    if others and all(m.words == PENALTY_UNTOLD for m in how.values()):  # it forgets one layer
        line = _penalised_at(file.function(names[-2:][0])) or line
    id_ = ids.pop() if len(ids) == 1 else "unknown"
    id_ = _usual_id(file, claim, wrong) if id_ == "unknown" else id_
    first = next((p for p in wrong if not p.isidentifier()), wrong[0])
    return Probe(unit, "wrong", line, message, id_, names, training=claim.as_training(), claim=claim, wrong=first)


def _placed(file: File, probe: Probe) -> Probe:
    """The probe with the line of the change that makes all gradients right, in what gives them and not the loss."""
    if probe.answer != "wrong" or probe.claim is None:
        return replace(probe, claim=None)
    claim, wrong = probe.claim, probe.wrong
    held = {p: found for p, found in claim.gradients.items() if not p.isidentifier()}  # and not the data
    if held and claim.kind == "loss" and not wrong.isidentifier():
        claim = replace(claim, gradients=held)
    *there, back = claim.functions
    used = file.behind([back]) - file.behind(there) - {back}
    found = repairs(file, [back, *sorted(used)], mended(file, claim, wrong), probe.line)
    if not found and claim.kind == "loss":
        found = repairs(file, there[-1:], mended_there(file, claim, wrong), 0)
    if not found and claim.kind == "way" and there:
        ahead = repairs(file, there[-1:], mended_ahead(file, claim, wrong), 0)
        probe = _told_ahead(probe, [r for r in ahead if r.growth >= 0])
    if not found:
        return replace(probe, claim=None)
    says = f" With “{found[0].text}” all are right." if found[0].likeness >= _LIKELY else ""
    message, id_ = probe.message + says, found[0].id or probe.id
    return replace(probe, claim=None, line=found[0].line, message=message, id=id_, is_placed=True)


def _told_ahead(probe: Probe, found: Sequence[Repair]) -> Probe:
    """The probe with a line on the way there, if a change there leaves nothing out: the tape may say more."""
    if not found:
        return probe
    message = f"{probe.message} With “{found[0].text}” on the way there all are right."
    return replace(probe, line=found[0].line, message=message, id="other-than-said")


def _usual_id(file: File, claim: Claim, wrong: Sequence[str]) -> str:
    """What a mistake is called of which only the gradients are known that are wrong."""
    if claim.kind == "slope":
        return "derivative-wrong"
    if _is_right_without(file, claim, {"": "wrong"}, ("labels",)):
        return "rows-counted-once"
    axes = {len(size(claim.given[p])) for p in wrong}
    if claim.kind == "way" and wrong[0] == claim.parameters[0] and wrong[0].isidentifier():
        return "delta-wrong"  # for the inputs
    if len(wrong) > 1 or axes == {0}:
        return "delta-wrong" if axes != {1} else "bias-gradient-wrong"
    return "bias-gradient-wrong" if axes == {1} else "weight-gradient-wrong"


def _penalised_at(cost: ast.FunctionDef) -> int:
    """The line at which a cost squares something last: its penalty."""
    squares = [n.lineno for n in ast.walk(cost) if isinstance(n, ast.Call | ast.BinOp) and _squares(n)]
    return max(squares, default=0)


def _squares(node: ast.Call | ast.BinOp) -> bool:
    if isinstance(node, ast.Call):
        return re.search(r"square|norm", ast.unparse(node.func)) is not None
    power = isinstance(node.op, ast.Pow) and ast.unparse(node.right) == "2"
    return power or (isinstance(node.op, ast.Mult) and ast.unparse(node.left) == ast.unparse(node.right))


def _made_at(file: File, claim: Claim, parameter: str, name: str, wrong: Sequence[int]) -> int:
    """The line at which a parameter's gradient gets its value, or some of its numbers."""
    gradient = np.asarray(eval(claim.gradients[parameter][0], file.names, claim.run(file)))
    numbers = [k for k in wrong if k < gradient.size] or range(gradient.size)
    return line_of(lambda: claim.run(file), name, [gradient], numbers)


def named(probe: Probe, found: Sequence[Finding], file: File) -> Probe:
    """The probe with the first mistake that the tape names in what it is about, unless a change has shown its line."""
    *there, back = probe.names
    behind = {*probe.names, *(file.behind([back]) - file.behind(there))}
    spans: list[ast.FunctionDef | ast.ClassDef] = [file.function(n) for n in behind]
    spans += [c for name, c in file.classes.items() if probe.unit.partition(".")[0] == name]
    for f in found:
        is_inside = any(n.lineno <= f.place.line <= (n.end_lineno or 0) for n in spans)
        if f.certainty == "exact" and f.id != OF_A_LOOP and not f.place.file and is_inside:
            if probe.is_placed:
                is_told = f.place.line == probe.line and not (f.id in GENERAL and probe.id not in GENERAL)
                return replace(probe, id=f.id) if is_told else probe
            if f.id in GENERAL and probe.id == "other-than-said":
                return probe
            message = re.sub(r"\b(\w+)_(?=\W|$)", r"\1", f.message.replace("thing_.", ""))
            return replace(probe, id=f.id, line=f.place.line, message=message)
    return probe


def _last(unit: str) -> str:
    """The function's own name."""
    return unit.rpartition(".")[2]


def _plain(parameter: str) -> str:
    """A parameter as the file's reader knows it."""
    if index := re.fullmatch(r"thing_\[(\d+)\]", parameter):
        return f"parameter {int(index[1]) + 1}"
    return re.sub(r"^\w+_\['(\w+)'\]$", r"\1", parameter).removeprefix("thing_.").removesuffix("_").strip("()")


def _spoiler(file: File, claim: Claim) -> Probe | None:
    """Told when a function writes into what it is given, and takes no step with it."""
    names = claim.run(file)
    changed = [p for p in claim.parameters if p.isidentifier() and not np.array_equal(names[p], claim.given[p])]
    if not changed or claim.kind not in ("loss", "slope"):
        return None
    before, after = (np.asarray(of[changed[0]]) for of in (claim.given, names))
    if claim.kind == "loss" and (before != after).all():
        return None  # it steps
    entries = np.flatnonzero(after != before).tolist()
    forward = claim.run(file, lines=claim.forward)
    unit = claim.functions[-1 if np.array_equal(forward[changed[0]], before) else 0]
    name = _last(unit)
    line = line_of(lambda: claim.run(file), name, [after], entries)
    line = _named_again(file.function(unit), _plain(changed[0])) or line
    message = f"{name} writes into {_plain(changed[0])}, which it is given: who goes on with it has other numbers."
    return Probe(name, "wrong", line, message, "input-mutated", names=[unit])


def _named_again(function: ast.FunctionDef, argument: str) -> int:
    """The line at which an argument is given another name, under which it may be written into; 0 where it is not."""
    pairs = [(n.lineno, ast.unparse(n)) for n in ast.walk(function) if isinstance(n, ast.Assign)]
    return next((line for line, text in pairs if re.fullmatch(rf"\w+ = {re.escape(argument)}", text)), 0)


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
        [alone, *_] = engines.operations(file, node)[first]
        is_lost = set(judged(file, alone).values()) == {"right"}  # and wrong where a value is used twice
        id_ = "gradient-overwritten" if is_lost else "derivative-wrong"
        yield Probe(node.name, "wrong", engines.line_of(methods[first]), message, id_)
    elif answers and set(answers.values()) != {"right"}:
        yield Probe(node.name, "unclear", message=_NO_NUMBERS)
    elif answers:
        yield Probe(node.name, "right", message=_HELD)
