"""The judgement of a run: what was found, at which line, in plain words, with its numbers."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from byhand.diagnosis.findings import Facts, Finding, Judgement, Parameter, Place, Suspects
from byhand.diagnosis.judge.course import course_findings, guesses
from byhand.diagnosis.judge.data import data_findings
from byhand.diagnosis.judge.fits import all_equal, proportion
from byhand.diagnosis.judge.flows import lines_behind
from byhand.diagnosis.judge.locate import (
    beside_the_forward_pass,
    call_beside,
    decay_of,
    factor_of,
    gradient_of,
    in_the_line_of,
    is_of_a_solver,
    place_of,
    read_of,
    step_of,
)
from byhand.diagnosis.judge.margins import agrees_with, margin_of
from byhand.diagnosis.judge.memories import memory_findings
from byhand.diagnosis.judge.outcome import Outcome
from byhand.diagnosis.judge.roles import NodeId, State, find_roles, made_of
from byhand.diagnosis.judge.shown import averaged_over_classes, other_penalties
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.suspects import suspects
from byhand.diagnosis.judge.trainings import departs, first_of, trainings
from byhand.diagnosis.judge.verdict import Mistake, Verdict, judge_steps
from byhand.diagnosis.judge.windows import stretches
from byhand.diagnosis.judge.words import sentence
from byhand.diagnosis.judge.written import where_begun, where_dropped, where_listed, where_repeated
from byhand.diagnosis.tape.run import Trace

_OF_RIGHT_STEPS = {
    "learning-rate-too-high", "too-few-epochs", "linear-collapse", "tiny-initialization",
    "target-outside-range", "unscaled-data",
}  # fmt: skip
"""What can be said of a training only when its steps are known to be right."""


_OF_A_GRADIENT = {"bias-gradient-wrong", "transposed-gradient", "wrong-layer-activation", "weight-gradient-wrong"}
"""Mistakes in what a step takes for the gradient."""
_FACTORS = {"constant-factor", "sum-versus-mean"}
_COLLECTED = 500_000  # objects that are made before cycles are looked for


def judge(trace: Trace, *, strict: bool = False, search: bool = True) -> Judgement:
    """Say of a run whether its steps follow the gradient of its loss, and what else keeps it from learning.

    Parameters
    ----------
    trace : Trace
        As `byhand.diagnosis.tape.run.trace` gives it.
    strict : bool
        Whether a gradient that is too long by one factor in all steps is a mistake, as where a gradient was asked for;
        in a training that works the learning rate makes it good.
    search : bool
        Whether what is not right is looked into; else it is "inconclusive", which is found sooner.

    Returns
    -------
    Judgement
        "inconclusive" with its `fault` where the judge itself fails: that says nothing of the program.
    """
    try:
        with np.errstate(all="ignore"), _seldom_collected():
            return _judge(trace, strict=strict, search=search)
    except Exception as error:
        return Judgement("inconclusive", fault=f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    """Look for cycles less often: a tape is millions of objects that stay, and to go through them takes long."""
    before = gc.get_threshold()
    gc.set_threshold(max(_COLLECTED, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _judge(trace: Trace, *, strict: bool, search: bool) -> Judgement:
    judged = [_judge_training(sights, strict=strict) for sights in trainings(trace, search=search)]
    return _together(judged) if judged else Judgement("nothing")


def _together(judged: Sequence[Judgement]) -> Judgement:
    """What is said of a run of several trainings: of the first wrong one before others."""
    order = ("wrong", "inconclusive", "right", "nothing")
    worst = min(judged, key=lambda j: order.index(j.verdict))
    findings = sorted(
        (f for j in judged for f in j.findings), key=lambda f: ("exact", "experiment", "symptom").index(f.certainty)
    )
    facts = replace(worst.facts, others=[j.facts for j in judged if j is not worst and j.verdict != "nothing"])
    guesses = [g for j in judged for g in j.guesses] if worst.verdict == "right" else []
    stepped = sorted({line for j in judged for line in j.stepped})
    return replace(worst, findings=_merged(findings), facts=facts, guesses=guesses, stepped=stepped)


def _judge_training(sights: list[Sight], *, strict: bool = False) -> Judgement:
    first = first_of(sights)
    if not strict:
        _forgive_scales(first, sights)
    mistakes = list(other_penalties(first.verdict, [s.verdict for s in sights]))
    mistakes += averaged_over_classes(first.verdict) if strict else ()
    if mistakes:
        first.verdict = replace(first.verdict, kind="wrong", mistakes=mistakes)
    worst = next((s for s in sights if s.verdict.kind == "wrong"), first)
    sights = [s for s in sights if s.verdict.kind != "nothing"] or sights
    findings = list(data_findings(first, sights, strict=strict))
    changed = [f.place for f in findings if f.id == "input-mutated"]  # data, whose change is no step
    makes_the_steps = any("grown" in f.evidence or f.id == "shares-not-one" for f in findings)
    if not makes_the_steps:
        findings += [f for f in _of_steps(worst) if f.place not in changed]
    findings += memory_findings(first, sights[-1])
    findings += course_findings(first, sights)
    kind = worst.verdict.kind
    if kind == "right" and (_contradicts_its_margin(first, sights) or any(departs(s, first) for s in sights)):
        kind = "inconclusive"
    if kind != "right" and not _all_that_moves_is_right(worst):
        findings = [f for f in findings if f.id not in _OF_RIGHT_STEPS]
    late = [f for f in findings if f.evidence.get("steps_before")]
    # what the numbers come to in the end is told after what brings them there
    if len(late) < len(findings) or (strict and kind == "inconclusive"):
        findings = [f for f in findings if f not in late] + [replace(f, certainty="symptom") for f in late]
    exact = [f for f in findings if f.certainty == "exact"]
    if exact and kind != "wrong":
        kind = "wrong"
    ordered = [*exact, *(f for f in findings if f.certainty == "experiment")]
    ordered += [f for f in findings if f.certainty == "symptom" and not exact]
    maybe = guesses(first, sights, ordered) if kind == "right" else []
    where = suspects(worst, _right_steps(worst)) if kind != "right" and worst is first else Suspects()
    told, facts, lines = _merged(ordered), _facts(first, sights), _stepped(sights)
    return Judgement(kind, told, facts, guesses=maybe, suspects=where, stepped=lines)  # type: ignore[arg-type]


def _stepped(sights: Sequence[Sight]) -> list[int]:
    """The script's lines whose values some steps are made of."""
    made: set[int] = set()
    for s in sights:
        states = s.trial.explained if s.trial is not None else ()
        made |= lines_behind(s.course, [v for state in states for v in state.versions[1:]])
    return sorted(made)


def follows(trace: Trace) -> list[tuple[int, ...]]:
    """The shapes of a run's parameters, where all their steps follow the gradient, by one rate; else none.

    What is wrong is not looked for.
    """
    found: list[Verdict] = []
    with np.errstate(all="ignore"):
        for stretch in stretches(trace.tape):
            verdict = judge_steps(find_roles(stretch), search=False)
            if verdict.kind not in ("nothing", "right"):
                return []
            found += [verdict] if verdict.kind == "right" else []
    states = found[0].trial.explained if found and found[0].trial is not None else {}
    rates = [next(iter(e.factors.values())) for e in states.values() if e.kind == "follows" and e.factors]
    if rates and not all_equal(rates):  # an optimizer's steps have none of their own
        return []
    return [found[0].course.nodes[s.versions[0]].value.shape for s in states]


def _contradicts_its_margin(first: Sight, sights: Sequence[Sight]) -> bool:
    """Whether steps follow a margin, and a loss that was seen earlier or later is of another."""
    if first.trial is None or first.trial.objective.kind != "margin":
        return False
    margin = margin_of(first.course, first.trial.objective, first.trial.explained)
    return not all(agrees_with(s.course, margin) for s in sights)


def _all_that_moves_is_right(sight: Sight) -> bool:
    """Whether the only steps that nothing explains are none, where the gradient is 0."""
    explained = sight.trial.explained if sight.trial is not None else {}
    odd = [s for s, e in explained.items() if not e.right]
    return bool(odd) and all(s in explained and explained[s].kind == "flat" for s in (*odd, *sight.verdict.open))


def _forgive_scales(first: Sight, sights: Sequence[Sight]) -> None:
    """A gradient that is too long by one factor in all steps, and brings the training to its end, is no mistake."""
    for s in sights:
        mistakes = s.verdict.mistakes
        if mistakes and all(m.detail.get("is_of_all") for m in mistakes) and Outcome(first, sights).works:
            s.verdict = replace(s.verdict, kind="right", mistakes=[])


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """Each mistake once, with all its places."""
    found: dict[str, Finding] = {}
    for f in findings:
        known = found.setdefault(f.id, f)
        if known is not f and f.place not in (known.place, *known.also) and f.place.line:
            known.also.append(f.place)
    return list(found.values())


# -- mistakes in steps -------------------------------------------------------------------------------------------------


def _of_steps(sight: Sight) -> Iterator[Finding]:
    nodes = {id(m): _node(sight, m) for m in sight.verdict.mistakes}
    # what was made first may be what the others follow from
    for mistake in sorted(sight.verdict.mistakes, key=lambda m: (m.edit is None, nodes[id(m)] or 0)):
        node = nodes[id(mistake)]
        message, evidence = _say(sight, mistake)
        found = _without_any_effect(sight, mistake)
        if found is not None:
            made = sight.nodes[found[0]].kw.get("born")  # a function's line that gives nothing but ones
            place = Place(*made) if made else place_of(sight.course, found[0])
            yield Finding("derivative-always-1", place, "exact", found[1], evidence)
            continue
        place = Place(0) if node is None else _place(sight, mistake, node)
        if "used_at" in mistake.detail:
            assigned = _where_assigned(sight, str(evidence["name"]), place)
            stepped = _where_stepped(sight, mistake)
            yield Finding(mistake.id, stepped or assigned, "exact", message, evidence, [assigned] if stepped else [])
            continue
        also = _places_beside(sight, mistake, place) if mistake.id in _FACTORS else []
        yield Finding(mistake.id, place, "exact", message, evidence, also)


def _places_beside(sight: Sight, m: Mistake, place: Place) -> list[Place]:
    """The other lines of a mistake that several parameters' gradients have in common, each in its own."""
    states = m.states if m.edit is None and "at" not in m.detail else ()
    places = [place_of(sight.course, _factor_at(sight, m, s)) for s in states]
    return [p for p in dict.fromkeys(places) if p != place]


def _factor_at(sight: Sight, m: Mistake, state: State) -> NodeId:
    """Where a factor comes into a state's step, as far as that can be told."""
    explained = sight.trial.explained if sight.trial is not None else {}
    factor = float(m.detail.get("factor", 0.0)) if m.id in _FACTORS else 0.0
    found = factor_of(sight.course, state, factor)
    if found is not None and not any(factor_of(sight.course, s, factor) for s in explained if s not in m.states):
        return found
    return gradient_of(sight.course, state) if _gradient_is_odd(sight, m) else step_of(sight.course, state)


def _without_any_effect(sight: Sight, m: Mistake) -> tuple[NodeId, str] | None:
    """What stands in the backward pass for a slope that is missing, and changes no number in any step."""
    if m.edit is None or not m.id.endswith("derivative-missing"):
        return None
    nodes, shape = sight.nodes, sight.nodes[m.edit.at].value.shape
    slopes: dict[object, list[NodeId]] = {}
    masks: dict[object, list[NodeId]] = {}
    for t in range(m.edit.at + 1, len(nodes)):
        if nodes[t].value.shape != shape or not sight.course.roles.flows[t]:
            continue
        if nodes[t].op == "multiply":
            for position, a in enumerate(nodes[t].args):
                if type(a) is int and nodes[a].value.size > 1:
                    slopes.setdefault((nodes[t].site, position), []).append(a)
        elif nodes[t].op == "setitem" and np.shape(nodes[t].kw["k"]) == shape:
            masks.setdefault(nodes[t].site, []).append(t)
    for same in slopes.values():
        if all((nodes[a].value == 1).all() for a in same):
            return same[0], "The slope that is multiplied here is 1 for every number, whatever the activation's input."
    for same in masks.values():
        if not any(np.any(nodes[t].kw["k"]) for t in same):
            return same[0], "What is set to 0 here is nothing: no number meets the condition, in any step."
    return None


def _where_stepped(sight: Sight, m: Mistake) -> Place | None:
    """Where the step of the parameter stands that is used beside one that gets none; its call, if it is in one.

    Of steps in a loop, where the list of what is stepped is written.
    """
    used = int(m.detail["used_at"])
    around = {*sight.nodes[used].parents(), used, *sight.course.roles.users.get(used, ())}
    operands = {sight.course.roles.root(a) for t in around for a in sight.nodes[t].parents()}

    def is_used_alike(state: State) -> bool:
        alike = (sight.nodes[t] for t in sight.course.roles.users.get(state.versions[0], ()))
        mine = sight.nodes[used]
        return any((n.op, n.line, n.file) == (mine.op, mine.line, mine.file) for n in alike)

    states = list(sight.trial.explained) if sight.trial is not None else []
    beside = [s for s in states if is_used_alike(s)] or [s for s in states if s.versions[0] in operands]
    if not beside:
        return None
    step = sight.nodes[step_of(sight.course, beside[0])]
    sites = (sight.nodes[step_of(sight.course, s)].site for s in states)
    if sum(site == step.site for site in sites) > 1:  # in a loop over parameters, or over layers
        listed = where_listed(sight.trace.texts, Place(step.line, step.file))
        if listed is not None:
            return listed
    frames = list(step.site)[1:]
    return Place(*frames[min(1, len(frames) - 1)][1::-1])


def _where_assigned(sight: Sight, name: str, otherwise: Place) -> Place:
    """The last line that assigns to a name: the step that does not reach it, or where it is made."""
    lines = [n for n, target in sight.trace.targets.get(otherwise.file, {}).items() if target == name]
    return Place(max(lines), otherwise.file) if lines else otherwise


def _place(sight: Sight, m: Mistake, node: NodeId) -> Place:
    """The line of a node; of its call, where a function is called that is not at fault itself."""
    step = m.detail.get("step")
    if m.id == "derivative-of-activation":
        return call_beside(sight.course, node, max(sight.course.roles.users.get(node, [node])))
    if m.id == "updated-weights-used":
        views = (sight.nodes[a] for a in (node, *sight.nodes[node].parents()) if sight.nodes[a].op == "gather")
        # made for the old numbers, it may be, and they were no copy
        return next((Place(*v.kw["born"]) for v in views if "born" in v.kw), place_of(sight.course, node))
    if m.id == "delta-wrong":
        forward = sight.trial.gradients.keys() - set(sight.trial.objective.seeds) if sight.trial is not None else ()
        return beside_the_forward_pass(sight.course, node, forward)
    if m.id in ("wrong-layer-activation", "derivative-wrong"):
        return _beside_what_is_right(sight, node)
    if "lost" in m.detail:
        calls = [Place(*frame[1::-1]) for frame in list(sight.nodes[node].site)[1:]]
        return where_dropped(sight.trace.texts, calls) or place_of(sight.course, node)
    if "time" in m.detail:
        return where_repeated(sight.trace.texts, place_of(sight.course, node)) or place_of(sight.course, node)
    if "sums" in m.detail:
        summed = place_of(sight.course, gradient_of(sight.course, m.states[0]))
        begun = _where_zeroed(sight, node) or where_begun(sight.trace.texts, summed)
        return begun or place_of(sight.course, node)
    if type(step) is int and "output" in m.detail:
        return call_beside(sight.course, node, step)
    if type(step) is int and m.id == "slope-read-again":
        return in_the_line_of(sight.course, node, step)
    return place_of(sight.course, node)


def _where_zeroed(sight: Sight, node: NodeId) -> Place | None:
    """The script's line that sets a sum of gradients to zero, once, before the first step; None if none does."""
    nodes = sight.nodes
    behind = made_of(nodes, node, farthest=len(nodes), closed=sight.course.stop - {node})
    zeroed = [t for t in behind if nodes[t].op == "setitem" and not nodes[t].value.any()]
    frames = list(nodes[max(zeroed)].site)[1:] if zeroed else []
    return Place(*frames[-1][1::-1]) if frames else None


def _beside_what_is_right(sight: Sight, node: NodeId) -> Place:
    """The line of a node; of its call, where the same line, called from elsewhere, gives what is right."""
    mine, odd = sight.nodes[node], {sight.nodes[mend.at].site for mend in sight.mends}
    for t, other in enumerate(sight.nodes[: sight.course.limit]):
        is_same = (other.op, other.line, other.file) == (mine.op, mine.line, mine.file)
        if is_same and other.site not in odd and sight.course.roles.flows[t]:
            return call_beside(sight.course, node, t)
    return place_of(sight.course, node)


def _node(sight: Sight, m: Mistake) -> NodeId | None:
    """Where a mistake stands."""
    course = sight.course
    for what in ("sent_back", "slope", "added"):
        if what in m.detail:
            return int(m.detail[what])
    if m.id == "penalty-gradient-wrong":
        decay = decay_of(course, m.states[0])
        return gradient_of(course, m.states[0]) if decay is None else decay
    if m.edit is not None and m.edit.overrides:
        assert sight.trial is not None
        without = course.gradient(sight.trial.objective, sight.trial.overrides)
        if "version" in m.detail:
            read = read_of(course, m.edit, without, later=m.detail["version"] == "after")
            if read is not None:
                return read
    if (m.edit is not None and m.edit.overrides) or m.id in _OF_A_GRADIENT:
        found = next((mend.at for mend in sight.mends if set(m.states) & set(mend.states)), None)
        if found is not None:
            return found
    if "product" in m.detail:
        return int(m.detail["product"])
    if "lost" in m.detail:
        return int(m.detail["lost"])
    if "array" in m.detail:
        return int(m.detail["used_at"])
    for where in ("at", "output", "read"):
        if where in m.detail:
            return int(m.detail[where])
    if not m.states:
        return None
    if m.id in _OF_A_GRADIENT or "mask" in m.detail:
        return gradient_of(course, m.states[0])
    return _factor_at(sight, m, m.states[0])


def _gradient_is_odd(sight: Sight, m: Mistake) -> bool:
    """Whether the sign or factor is already in what is taken for the gradient, and not only in the step."""
    if m.id not in {"sign-flipped", *_FACTORS} or sight.trial is None:
        return False
    others = [s for s in sight.trial.explained if s not in m.states and sight.trial.explained[s].kind == "follows"]
    step = sight.nodes[step_of(sight.course, m.states[0])]
    if is_of_a_solver(sight.course, m.states[0]):
        return True
    if any(sight.nodes[step_of(sight.course, s)].site == step.site for s in others):
        return True  # the step is taken in a line that is right for others
    if not others and m.id == "sum-versus-mean":
        return True
    own = _factor_of_gradient(sight, m.states[0])
    usual = [c for s in others if (c := _factor_of_gradient(sight, s)) is not None]
    return own is not None and bool(usual) and not np.isclose(own, usual, rtol=1e-4).any()


def _right_steps(sight: Sight) -> set[Place]:
    """The lines of steps that would be right, were the sign of what they are made from."""
    odd = [m for m in sight.verdict.mistakes if m.id == "sign-flipped" and m.states and _gradient_is_odd(sight, m)]
    return {place_of(sight.course, step_of(sight.course, s)) for m in odd for s in m.states}


def _factor_of_gradient(sight: Sight, state: State) -> float | None:
    assert sight.trial is not None
    gradients = sight.trial.gradients
    number = next((k for k, v in enumerate(state.versions[:-1]) if v in gradients), None)  # a loss may come later
    if number is None:
        return None
    value, true = sight.value(gradient_of(sight.course, state, number)), gradients[state.versions[number]]
    return proportion(value, true, 1e-5) or (proportion(value.T, true, 1e-5) if value.ndim == 2 else None)


_TOLD = ("factor", "given", "derivative", "sample", "layer", "times", "passes", "angle", "exchanged")
"""What is known of a mistake and stands in its evidence."""


def _say(sight: Sight, m: Mistake) -> tuple[str, dict[str, Any]]:
    """The sentence, and the numbers behind it."""
    evidence: dict[str, Any] = {"parameters": [m.detail.get("named") or sight.name(s) for s in m.states]}
    evidence |= {key: m.detail[key] for key in _TOLD if key in m.detail}
    if m.edit is not None and m.edit.id != "update-outside-loop":
        evidence |= sight.names_of_activation(m.edit.at)
    if "array" in m.detail:
        evidence["name"] = sight.name_of(int(m.detail["array"]))
    elif "bias" in m.detail:
        evidence["name"] = m.detail["bias"]
    names = ", ".join(dict.fromkeys(filter(None, evidence["parameters"])))
    return sentence(m.id, names, {**m.detail, "name": evidence.get("name")}), evidence


# -- facts -------------------------------------------------------------------------------------------------------------


def _facts(sight: Sight, sights: Sequence[Sight]) -> Facts:
    facts = Facts()
    trial = sight.trial
    if trial is None:
        return facts
    facts.objective = trial.objective.kind
    facts.objective_place = place_of(sight.course, trial.objective.seeds[0])
    for s in sights:
        if s.trial is None:
            continue
        for state, e in s.trial.explained.items():
            facts.evidence += max(e.evidence, 0)
            if s is sight:
                shape = s.course.nodes[state.versions[0]].value.shape
                facts.parameters.append(Parameter(s.name(state), shape, len(e.spans), e.right))
                if not e.right:
                    facts.unexplained.append(s.name(state))
    facts.unexplained += [sight.name(state) for state in sight.verdict.open if state not in trial.explained]
    facts.open_later = sum(s is not sight and s.verdict.kind == "inconclusive" for s in sights)
    facts.blocked = sorted(sight.course.blocked)
    facts.samples, facts.outputs = sight.samples, sight.outputs
    facts.losses, facts.steps = sight.losses
    if facts.losses:
        last = next((s.losses[0] for s in reversed(sights) if s.losses[0]), facts.losses)
        facts.loss_start, facts.loss_end = facts.losses[0], last[-1]
    return facts
