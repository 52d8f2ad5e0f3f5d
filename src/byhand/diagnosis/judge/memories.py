"""What an optimizer remembers of past gradients: whether it is kept, fed and read as its purpose asks.

Nothing here knows an optimizer's formula. A memory is a state on which no loss rests and that a step reads and feeds.
What holds for each, whatever is made of it: what it keeps is there at the next step; it takes in one thing, of one
parameter; where a mean is corrected for having begun at 0, its weights add up to one; and the step that is made of it
does not shrink as all gradients grow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import TypeAlias

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.judge.fits import Explanation, Step, all_equal, proportion
from byhand.diagnosis.judge.increments import made_since
from byhand.diagnosis.judge.locate import place_of
from byhand.diagnosis.judge.roles import VIEWS, NodeId, State, made_of
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.steps import Course
from byhand.diagnosis.judge.written import where_counted
from byhand.diagnosis.tape.derive import sweep
from byhand.diagnosis.tape.nodes import Const

_FEWEST, _MOST = 3, 6  # steps from which a law is read
_NOT_ONE = 1e-4
_SQUARE = 2
_NEAR = 12  # nodes that a number is followed back
_SHRINKS, _ROOT, _NEARLY = -0.5, 0.5, 0.02  # the power of all gradients' size with which a step goes


_NumberAndPower: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Feeding:
    """One time that a memory takes something in: what it was and became, what share it keeps, and what came in."""

    memory: State
    before: NodeId
    after: NodeId
    kept: float
    taken: Array


def memory_findings(sight: Sight, last: Sight) -> Iterator[Finding]:
    """The mistakes in what optimizers remember, in the first stretch of a training whose last is seen, too."""
    trial = sight.verdict.busiest
    if trial is None:
        return
    course, fed_by = sight.course, defaultdict[State, dict[State, Feeding]](dict)
    for state, e in trial.explained.items():
        steps = [s for s in course.steps(state, trial.gradients) if s.gradient.any()][:_MOST]
        if len(steps) < _FEWEST:
            continue
        taken = [_taken_up(course, s, e) for s in steps]
        feedings = [_feedings(course, s, q) for s, q in zip(steps, taken, strict=True)]
        for f in feedings[1]:
            if _power(f.taken, steps[1]) == 1:
                fed_by[f.memory].setdefault(state, f)
        name = sight.name(state) or "a parameter"
        if e.right and state.size > 1:  # of what is added to a single number no power can be told
            yield from _forgotten(sight, name, steps)
            yield from _unused(sight, name, steps)
            yield from _fed_twice(sight, name, steps, feedings)
        if e.right:
            yield from _weights(sight, last, name, steps, feedings)
            yield from _of_another_power(sight, name, steps, taken, feedings)
    yield from _of_several(sight, fed_by)


def _taken_up(course: Course, step: Step, e: Explanation) -> list[NodeId]:
    """The gradient that an optimizer makes a step from; none where the step is a multiple of it."""
    return [] if e.way is None else [q for q in made_since(course.roles, step) if course.nodes[q].site == e.way[0]][-1:]


def _feedings(course: Course, step: Step, taken_up: Sequence[NodeId]) -> list[Feeding]:
    """Each time that a memory takes something in between two versions of a parameter that it has a part in."""
    versions, found = course.roles.versions, list[Feeding]()
    for w in made_since(course.roles, step, taken_up):
        memory = versions.get(w)
        if memory is None or w == step.after or memory.versions[0] == w:
            continue
        v = memory.versions[memory.versions.index(w) - 1]
        kept = _share_kept(course, v, w)
        if kept is not None:
            taken = course.nodes[w].value.astype(float) - kept * course.nodes[v].value
            if taken.any():
                found.append(Feeding(memory, v, w, kept, taken))
    return found


def _share_kept(course: Course, v: NodeId, w: NodeId) -> float | None:
    """The share of itself that a version has of the one before; None if it is not one for all numbers."""
    ones = {w: np.ones_like(course.nodes[w].value, dtype=float)}
    effect = sweep(course.nodes, ones, course.stop - {w}, dep=range(v, w + 1)).get(v)
    if effect is None or not np.isfinite(effect).all() or not all_equal(np.ravel(effect).tolist()):
        return None
    return float(np.ravel(effect)[0])


# -- what is kept ------------------------------------------------------------------------------------------------------


def _forgotten(sight: Sight, name: str, steps: Sequence[Step]) -> Iterator[Finding]:
    """A share of an array that is 0 in every step, added to the gradient or its square: what was kept got lost."""
    course = sight.course
    empty = [t for s in steps if (t := _empty_share(course, s)) is not None]
    if len(empty) == len(steps) and len({course.nodes[t].site for t in empty}) == 1:
        text = f"What is kept here of earlier steps of {name} is 0 in each of the {len(steps)} steps seen: "
        text += "what a step leaves behind does not reach the next."
        place = _where_made_anew(course, empty) or place_of(course, empty[0])
        yield Finding("momentum-reset", place, "exact", text, {"steps": len(steps)})


def _where_made_anew(course: Course, shares: Sequence[NodeId]) -> Place | None:
    """The line at which the array that is multiplied was made, if it is another each time."""
    arrays = {course.roles.root(a) for t in shares for a in course.nodes[t].parents() if course.nodes[a].value.size > 1}
    born = {course.nodes[a].kw.get("born") for a in arrays}
    line = next(iter(born)) if len(arrays) == len(shares) and len(born) == 1 else None
    return Place(*line) if line is not None else None


def _empty_share(course: Course, step: Step) -> NodeId | None:
    nodes = course.nodes
    for t in made_since(course.roles, step):
        node = nodes[t]
        if node.op not in ("add", "subtract") or len(node.parents()) != 2 or node.value.size != step.change.size:
            continue
        for share, other in (node.parents(), node.parents()[::-1]):
            scaled = [a for a in nodes[share].parents() if nodes[a].value.size > 1]
            is_share = nodes[share].op == "multiply" and len(scaled) == 1 and not nodes[share].value.any()
            if is_share and not nodes[scaled[0]].value.any() and course.roles.root(scaled[0]) not in course.stop:
                value = nodes[other].value
                if _power(value, step):
                    return share
    return None


# -- what is read ------------------------------------------------------------------------------------------------------


def _unused(sight: Sight, name: str, steps: Sequence[Step]) -> Iterator[Finding]:
    """A mean of the gradients, or of their squares, that is kept from step to step, and that nothing is made of."""
    course, kept = sight.course, defaultdict[tuple[object, int], list[tuple[NodeId, NodeId]]](list)
    for step in steps:
        for t, before, power in _kept(course, step):
            kept[course.nodes[t].site, power].append((t, before))
    for (_, power), sums in kept.items():
        goes_on = len(sums) == len(steps) and all(a[0] == b[1] for a, b in pairwise(sums))
        if goes_on and not _leads_somewhere(course, [t for t, _ in sums]):
            at = min((u for u in course.roles.users[steps[0].before] if u > sums[0][0]), default=steps[0].after)
            what = f"the squares of the gradient of {name}" if power == _SQUARE else f"the gradients of {name}"
            text = f"A running sum of {what} is kept from step to step, and no step is made from it: "
            text += "something else stands where it was to be used."
            yield Finding("result-unused", place_of(course, at), "exact", text, {"steps": len(steps)})
            return


def _kept(course: Course, step: Step) -> Iterator[tuple[NodeId, NodeId, int]]:
    """Sums, between two versions of a parameter, of a share of an array and the gradient or its square.

    The sum, the array, and the power.
    """
    nodes = course.nodes
    for t in range(step.before + 1, step.after):
        is_sum = nodes[t].op in ("add", "subtract") and nodes[t].value.size == step.change.size
        pair = nodes[t].parents() if is_sum else []
        for share, other in permutations(pair) if len(pair) == 2 else ():
            of = [a for a in nodes[share].parents() if nodes[a].value.size == nodes[share].value.size]
            is_share = nodes[share].op == "multiply" and len(of) == 1
            if is_share and (power := _power(nodes[other].value, step)):
                yield t, of[0], power


def _leads_somewhere(course: Course, waiting: list[NodeId]) -> bool:
    """Whether a step is made of values, or something is that nobody can follow."""
    seen = set(waiting)
    while waiting:
        for user in course.roles.users.get(waiting.pop(), ()):
            node = course.nodes[user]
            if user in course.stop or node.op in ("opaque", "copy") or node.value.size == 1:
                return True  # a number may be shown, or decide something
            if user not in seen:
                seen.add(user)
                waiting.append(user)
    return False


# -- what is taken in --------------------------------------------------------------------------------------------------


def _fed_twice(
    sight: Sight, name: str, steps: Sequence[Step], feedings: Sequence[Sequence[Feeding]]
) -> Iterator[Finding]:
    """A memory that takes in the gradient and its square, say, in one and the same step."""
    for fed in _by_memory(steps, feedings).values():
        intakes: dict[NodeId, list[NodeId]] = defaultdict(list)
        for f, step in fed:
            intakes[step.before] += _intakes(sight.course, f, step)
        n = min((len({sight.nodes[t].site for t in ts}) for ts in intakes.values()), default=0)
        if len(intakes) >= _FEWEST - 1 and n > 1:
            place = place_of(sight.course, max(list(intakes.values())[-1]))
            text = f"One array remembers {n} things for {name}: in each step it takes in something {n} times, "
            text += "one on top of the other."
            yield Finding("moments-shared", place, "exact", text, {"times": n})


def _intakes(course: Course, f: Feeding, step: Step) -> list[NodeId]:
    """Where a multiple of the gradient, or of its square, is added to what a memory was to make what it became."""
    nodes, kept = course.nodes, {f.before}
    for t in range(f.before + 1, f.after + 1):
        if (t == f.after or t not in course.stop) and any(a in kept for a in nodes[t].parents()):
            kept.add(t)
    reached = sweep(nodes, {f.after: np.ones_like(f.taken)}, {f.before}, dep=kept)
    sums = [t for t in reached if nodes[t].op in ("add", "subtract")]
    return [t for t in sums for a in nodes[t].parents() if a not in kept and _power(nodes[a].value, step)]


def _by_memory(steps: Sequence[Step], feedings: Sequence[Sequence[Feeding]]) -> dict[State, list[tuple[Feeding, Step]]]:
    found: dict[State, list[tuple[Feeding, Step]]] = defaultdict(list)
    for step, fs in zip(steps, feedings, strict=True):
        for f in fs:
            found[f.memory].append((f, step))
    return found


def _power(taken: Array, step: Step) -> int:
    """1 if what is taken in is a multiple of the gradient, 2 if of its square, 0 if that can't be told."""
    if taken.size != step.gradient.size or taken.size < 2:
        return 0
    return next((p for p in (1, 2) if proportion(taken, step.gradient**p, 1e-5)), 0)


def _of_several(sight: Sight, fed_by: dict[State, dict[State, Feeding]]) -> Iterator[Finding]:
    """A memory that takes in the gradients of several parameters."""
    for states in fed_by.values():
        if len(states) > 1:
            names = " and ".join(sight.name(s) or "a parameter" for s in states)
            place = place_of(sight.course, list(states.values())[1].after)
            text = f"One array remembers the gradients of {names}: each is stepped by a mixture of them."
            yield Finding("moments-shared", place, "exact", text, {"parameters": [sight.name(s) for s in states]})


# -- the weights of a mean ---------------------------------------------------------------------------------------------


def _weights(
    sight: Sight, last: Sight, name: str, steps: Sequence[Step], feedings: Sequence[Sequence[Feeding]]
) -> Iterator[Finding]:
    """A mean that is corrected for having begun at 0, so that its weights add up to something else than 1."""
    course = sight.course
    for memory, fed in _by_memory(steps, feedings).items():
        start = _times_fed_before(course, memory)
        one_each = len(fed) == len({s.before for _, s in fed}) >= _FEWEST
        if not one_each:
            continue
        made, kept = [memory.versions.index(f.after) for f, _ in fed], [f.kept for f, _ in fed]
        if any(_is_corrected_itself(kept, [n + before for n in made]) for before in (0, 1)):
            text = f"What is remembered for {name} is itself divided here for having begun at 0: the next step goes on "
            text += "from what was corrected, and corrects it again."
            place = place_of(course, fed[0][0].after)
            yield Finding("bias-correction-wrong", place, "exact", text, {"parameters": [name]})
        if start is None or not all_equal(kept):
            continue
        times = [n + start for n in made]
        for divisions in _corrections(course, [f for f, _ in fed]):
            numbers = [c for _, c in divisions]
            place = place_of(course, divisions[0][0])
            at = course.nodes[divisions[0][0]].site
            odd = _not_of_its_power(course, last.course, [t for t, _ in divisions], fed[0][0].kept)
            if odd is not None:
                text = f"What is remembered for {name} is divided by {odd[0]:.4g} where {1 - odd[1]:.4g} belongs: "
                text += f"1 minus {odd[1]:.4g}, the power of {fed[0][0].kept:.4g} that this number is made of."
                yield Finding("bias-correction-wrong", place, "exact", text, {"divided_by": odd[0], "power": odd[1]})
                continue
            late = [_number(last.course, node.args[1]) for node in last.nodes if (node.site, node.op) == (at, "divide")]
            if _is_correction(numbers, times, [c for c in late if c is not None], fed[0][0].kept):
                sums = [(1 - fed[0][0].kept ** n) / c for n, c in zip(times, numbers, strict=True)]
                n, c, x = max(zip(times, numbers, sums, strict=True), key=lambda of_step: abs(of_step[2] - 1))
                if abs(x - 1) > _NOT_ONE:
                    text = f"What is remembered for {name} is divided by {c:.4g} at its step {n}: the weights of the "
                    text += f"gradients in it then add up to {x:.4g}, where those of a mean add up to 1."
                    counted = _counted(c, fed[0][0].kept)
                    if counted is not None:
                        text += f" This is what belongs there at step {counted}."
                        place = where_counted(sight.trace.texts, place) or place
                    evidence = {"step": n, "sum_of_weights": x}
                    yield Finding("bias-correction-wrong", place, "exact", text, evidence)
                elif not any(course.roles.users.get(t) for t, _ in divisions):
                    text = f"What is remembered for {name} is corrected here for having begun at 0, and the result is "
                    text += "used for nothing: the steps are made of what is not corrected."
                    yield Finding("bias-correction-wrong", place, "exact", text, {"parameters": [name]})


def _counted(number: float, kept: float) -> int | None:
    """The n of a number 1 - bⁿ; None where no whole number is."""
    if not (0 < number < 1 and 0 < kept < 1):
        return None
    n = np.log1p(-number) / np.log(kept)
    return round(n) if abs(n - round(n)) < _NOT_ONE else None


def _times_fed_before(course: Course, memory: State) -> int | None:
    """How often a memory was fed before its first version was made, that too; None if it does not begin at 0."""
    first = course.nodes[memory.versions[0]]
    if first.op == "leaf":
        return None if first.kw.get("made") == "earlier" or first.value.any() else 0
    operands = [course.nodes[a].value if type(a) is int else a.value for a in first.args]  # type: ignore[union-attr]
    return 1 if first.op in ("add", "subtract") and not all(np.any(x) for x in operands) else None


def _corrections(course: Course, fed: Sequence[Feeding]) -> Iterator[list[tuple[NodeId, float]]]:
    """The divisions of a memory by a number, each at one place, as it is after each feeding."""
    by_site: dict[object, list[tuple[NodeId, float]]] = defaultdict(list)
    for f in fed:
        waiting = [f.after]
        while waiting:
            for user in course.roles.users.get(waiting.pop(), ()):
                node = course.nodes[user]
                if user not in course.stop and node.op in VIEWS:
                    waiting.append(user)
                elif node.op == "divide" and (c := _number(course, node.args[1])) is not None:
                    by_site[node.site].append((user, c))
    yield from (found for found in by_site.values() if len(found) == len(fed))


def _not_of_its_power(course: Course, late: Course, divisions: Sequence[NodeId], kept: float) -> _NumberAndPower | None:
    """A number that is made of a power of the share a memory keeps, and is no multiple of 1 minus that power."""
    site = course.nodes[divisions[0]].site
    later = [t for t, node in enumerate(late.nodes) if (node.site, node.op) == (site, "divide")]
    pairs = [_with_its_power(course, t, kept) for t in divisions] + [_with_its_power(late, t, kept) for t in later]
    known = [pair for pair in pairs if pair is not None and pair[1] != 1]
    ratios = [number / (1 - power) for number, power in known]
    return None if len(known) < len(pairs) or max(ratios) - min(ratios) <= _NOT_ONE * max(ratios) else known[0]


def _with_its_power(course: Course, division: NodeId, kept: float) -> _NumberAndPower | None:
    """What a memory is divided by, and the power of its kept share that this is made of."""
    by = course.nodes[division].args[1]
    for t in made_of(course.nodes, by, farthest=_NEAR) if type(by) is int else ():
        is_power = course.nodes[t].op in ("power", "float_power") and course.nodes[t].value.size == 1
        if is_power and np.isclose(_number(course, course.nodes[t].args[0]) or 0.0, kept, rtol=1e-9):
            power = float(np.ravel(course.nodes[t].value)[0])
            return (_number(course, by) or 0.0), power
    return None


def _number(course: Course, operand: int | Const) -> float | None:
    value = np.asarray(course.nodes[operand].value if type(operand) is int else operand.value)  # type: ignore[union-attr]
    return float(value.ravel()[0]) if value.size == 1 and value.dtype.kind in "fi" else None


def _is_corrected_itself(kept: Sequence[float], times: Sequence[int]) -> bool:
    """Whether a memory keeps b / (1 - bⁿ) of itself at its n-th step."""
    first = np.zeros(max(times[0], 1) + 1)
    first[[0, -2, -1]] = kept[0], 1.0, -kept[0]  # k bⁿ + b - k = 0
    if len(first) == 2:
        first[0] = kept[0] + 1
    shares = [float(b.real) for b in np.roots(first) if abs(b.imag) < _NOT_ONE and 0 < b.real < 1]
    return any(np.allclose(kept, [b / (1 - b**n) for n in times], rtol=1e-6) for b in shares if times[0] > 0)


def _is_correction(numbers: Sequence[float], times: Sequence[int], late: Sequence[float], kept: float) -> bool:
    """Whether numbers are 1 - b, 1 - b², 1 - b³ …, or 1 - b to the end: not only in the first round of a training."""
    if not 0 < numbers[0] < 1:
        return False
    b = (1 - numbers[0]) ** (1 / times[0])
    grows = np.allclose(numbers, [1 - b**n for n in times], rtol=1e-6)
    return bool(grows or (late and np.allclose([*numbers, *late], 1 - kept, rtol=1e-6)))


# -- the step ----------------------------------------------------------------------------------------------------------


def _of_another_power(
    sight: Sight,
    name: str,
    steps: Sequence[Step],
    taken: Sequence[Sequence[NodeId]],
    feedings: Sequence[Sequence[Feeding]],
) -> Iterator[Finding]:
    """A step that is divided by the gradients' squares, of which no root was taken, or by the root of their sizes."""
    if not all(taken):
        return
    powers = [_power_of_size(sight, steps[: k + 1], [q for qs in taken[: k + 1] for q in qs]) for k in range(_FEWEST)]
    evidence = {"power": powers[-1]}
    twice = f"with all of them twice as long, a step is {2 ** powers[-1]:.2g} times as long."
    if all(p < _SHRINKS for p in powers):
        text = f"The steps of {name} get shorter as the gradients get longer: {twice}"
        yield Finding("root-missing", place_of(sight.course, steps[0].after), "exact", text, evidence)
    if all(abs(p - _ROOT) < _NEARLY for p in powers):
        for f in (f for f in feedings[1] if _is_of_sizes(f.taken, steps[1])):
            text = f"The sizes of the gradients of {name} are remembered here, and not their squares; the steps are "
            text += f"divided by the root of that: {twice}"
            yield Finding("root-missing", place_of(sight.course, f.after), "exact", text, evidence)
            return


def _is_of_sizes(taken: Array, step: Step) -> bool:
    """Whether what is taken in is a multiple of the gradient without its sign."""
    return step.gradient.size > 1 and bool(proportion(taken, np.abs(step.gradient), 1e-5))


def _power_of_size(sight: Sight, steps: Sequence[Step], taken: Sequence[NodeId]) -> float:
    """The power with which the last step goes with the size of all gradients taken up so far."""
    assert sight.verdict.busiest is not None
    course, last = sight.course, steps[-1]
    learned = {v for s in sight.verdict.busiest.explained for v in s.versions if v != last.after}
    seeds = {last.after: np.sign(last.change)}
    back = sweep(course.nodes, seeds, {*learned, *taken}, dep=range(steps[0].before, last.after + 1), guards=False)
    effect = sum(float(np.sum(back[q] * course.nodes[q].value)) for q in taken if q in back)
    length = float(np.abs(last.change).sum())
    return effect / length if length and np.isfinite(effect) else 0.0
