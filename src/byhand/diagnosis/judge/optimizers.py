"""Steps that an optimizer makes of a gradient, whatever its formula is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.fits import Explanation, Kind, Step, equal, proportion, tolerance_of
from byhand.diagnosis.judge.increments import made_since
from byhand.diagnosis.judge.roles import NodeId, Objective, State
from byhand.diagnosis.tape.derive import flows, sweep

if TYPE_CHECKING:
    from byhand.diagnosis.judge.steps import Course

_GROWS = 1e-9
_FEWEST = 3  # steps of a number, of which each is a multiple of its gradient
_AT_FIRST, _CLEAR = 4, 1e-3  # steps that are looked at, and what share of the largest gradient later ones must have
_MOST_WAYS = 20  # values of one step that may be the gradient which an optimizer starts from
_NORMALIZERS = {"sqrt", "power", "float_power", "square", "norm", "linalg.norm", "max", "absolute", "fabs"}


def through_optimizer(
    course: Course,
    state: State,
    steps: Sequence[Step],
    objective: Objective,
    factors_of_steps: dict[NodeId, float],
    *,
    decays: bool,
    beside: Sequence[Step] = (),
) -> Explanation | None:
    """An optimizer's step: made of one multiple of the gradient, the same in all steps, its own state, and numbers.

    Velocities, moments, decay and clipping come out so, whatever their formula; a step into which anything else
    flows does not. Where the loss itself has a penalty, no step `decays` besides. For single numbers the steps
    `beside` them count, which the same line makes of others.
    """
    every = [s for s in steps if s.gradient.any()]
    moved = every[:_AT_FIRST]
    if not moved or (state.size == 1 and len(moved) + len(beside) < _FEWEST):
        return None
    common = ways_in_common(course, [*moved, *_later(every), *beside])
    last = moved[-2:] if common else []
    # the last at a place: a sum to which the gradient's last part adds nothing is not yet what the step takes
    at = [{course.nodes[q].site: (q, c) for q, c in multiples(course, step)} for step in last]
    for site in list(common)[-_MOST_WAYS:]:
        ways = [of_step[site] for of_step in at]
        directions = {_direction(course, s, q, c) for s, (q, c) in zip(last, ways, strict=True)}
        if directions in ({1}, {-1}) and all(
            _found_once(_is_made_of, course, s, q, objective.rests_on, decays)
            for s, (q, _) in zip(last, ways, strict=True)
        ):
            total, swept = _found_once(sums_up, course, moved[-1], ways[-1][0])
            course.swept += swept
            kind: Kind = "accumulates" if total is not None else "optimizer" if directions == {-1} else "opposes"
            evidence = len(moved) * state.size - 1 if total is None else 0
            return Explanation(kind, factors_of_steps, evidence, way=(site, common[site]), total=total)
    return None


def _later(moved: Sequence[Step]) -> list[Step]:
    """Two of the steps after the first ones, with gradients clear of rounding: what holds at first may not then."""
    sizes = [float(np.abs(s.gradient).max()) for s in moved]
    clear = [s for s, size in zip(moved[_AT_FIRST:], sizes[_AT_FIRST:], strict=True) if size > _CLEAR * max(sizes)]
    return [clear[len(clear) // 2], clear[-1]] if clear else []


def ways_in_common(course: Course, steps: Sequence[Step]) -> dict[tuple[Any, ...], float]:
    """The places at which all of some steps have one and the same multiple of their gradient."""
    common: dict[tuple[Any, ...], float] | None = None
    for step in steps:
        here = {course.nodes[q].site: c for q, c in multiples(course, step)}
        common = {site: c for site, c in here.items() if common is None or equal(c, common.get(site))}
        if not common:
            break
    return common or {}


def has_optimizer(course: Course, step: Step, objective: Objective) -> bool:
    """Whether a state that no objective rests on has a part in a step: a velocity, a moment."""
    made = {p for t in [*made_since(course.roles, step), step.after] for p in course.nodes[t].parents()}
    return any(t in course.stop and not course.roles.rests_on[t] & objective.rests_on for t in made)


def has_a_multiple(course: Course, step: Step) -> bool:
    """Whether something on the way to a step's end is a multiple of its gradient."""
    return any(True for _ in multiples(course, step))


def multiples(course: Course, step: Step) -> Iterator[tuple[NodeId, float]]:
    """The values on the way to a step's end that are a multiple of its gradient: computed, and no view of a state."""
    for q, value, tolerance in _found_once(_on_the_way, course, step):
        c = proportion(value, step.gradient, tolerance)
        if c:
            yield q, c


def _on_the_way(course: Course, step: Step) -> list[tuple[NodeId, Array, float]]:
    """What may be a multiple of a step's gradient, whichever that is, and how nearly it has to be."""
    roles, found = course.roles, []
    for q in made_since(roles, step):
        value = course.nodes[q].value
        if value.size == step.change.size and value.dtype.kind == "f" and q not in course.stop:
            root = roles.root(q)
            if root == q or root not in roles.versions:
                found.append((q, value, tolerance_of(value)))
    return found


Found = TypeVar("Found")


def _found_once(find: Callable[..., Found], course: Course, step: Step, *more: object) -> Found:
    """What `find` says of a step: the same each time, as the tape alone decides it."""
    known, key = course.roles.ways, (find, step.before, step.after, *more)
    if key not in known:
        known[key] = find(course, step, *more)
    found: Found = known[key]
    return found


def _direction(course: Course, step: Step, q: NodeId, c: float) -> int:
    """Where each number of the step goes with more of the same number of the gradient at q: -1 down, 1 up.

    0 if that is not one for all, or they go with other numbers of it.

    What the step is divided by is held fixed, and a state that adds up all gradients for ever is no optimizer's.
    """
    direction, swept = _found_once(_direction_of_value, course, step, q)
    course.swept += swept
    return direction if c > 0 else -direction


def _direction_of_value(course: Course, step: Step, q: NodeId) -> tuple[int, int]:
    """Where each number of the step goes with more of the same number at q, and what it cost to know."""
    held = {t for t in range(q + 1, step.after) if course.nodes[t].op in _NORMALIZERS}
    shape = course.nodes[step.after].value.shape
    within = set(made_since(course.roles, step, {q}))
    cost = 2 * len(within)
    within.add(step.before)

    def swept(seed: Array) -> dict[NodeId, Array]:
        return sweep(course.nodes, {step.after: seed}, {step.before, q} | held, dep=within, guards=False)

    one = swept(np.ones(shape))
    effect, kept = one.get(q), one.get(step.before)
    if kept is not None and (kept > 1 + _GROWS).any():
        return 0, cost  # a decay makes a parameter smaller
    if effect is None or not np.isfinite(effect).all() or not effect.any():
        return 0, cost
    mixed = np.random.default_rng(0).uniform(1, 2, shape)
    of_mixed = swept(mixed).get(q)
    if of_mixed is None or not np.allclose(np.ravel(of_mixed), np.ravel(effect) * np.ravel(mixed), rtol=1e-6):
        return 0, cost  # the step's numbers come from other places of the gradient
    return (-1 if (effect <= 0).all() else 1 if (effect >= 0).all() else 0), cost


def sums_up(course: Course, step: Step, q: NodeId) -> tuple[NodeId | None, int]:
    """The state that a step goes through if it adds each gradient to all before, none of them fading; what it cost."""
    held = {t for t in range(q + 1, step.after) if course.nodes[t].op in _NORMALIZERS}
    ones = np.ones_like(course.nodes[step.after].value, dtype=float)
    within = set(made_since(course.roles, step, {q}))
    reached = sweep(course.nodes, {step.after: ones}, {step.before, q} | held, dep=within, guards=False)
    for t in made_since(course.roles, step):
        state = course.roles.versions.get(t)
        own = course.roles.versions[step.before]
        if state is None or state is own or t == state.versions[0] or t < q:
            continue
        old = state.versions[state.versions.index(t) - 1]
        ones = np.ones_like(course.nodes[t].value, dtype=float)
        effect = sweep(course.nodes, {t: ones}, course.stop - {t}, dep=range(old, t + 1)).get(old)
        if effect is not None and np.allclose(effect, 1) and t in reached:
            return t, len(reached)
    return None, len(reached)


def _is_made_of(course: Course, step: Step, q: NodeId, mask: int, decays: bool) -> bool:
    """Whether a step is made of q, its state's own values, what does not rest on the states of a mask, and numbers."""
    own: set[NodeId] = set()
    of_q = {q}
    numbers = {t for t in range(step.before, step.after) if course.nodes[t].value.size == 1 and step.change.size > 1}
    beside = _without_a_part(course, step, q)
    for a in made_since(course.roles, step, {q} | numbers | beside):
        parents = course.nodes[a].parents()
        if a == q or a in beside:
            continue
        is_own = course.roles.versions.get(a) is course.roles.versions[step.before]
        if a in course.stop and not is_own and course.roles.rests_on[a] & mask:
            return False  # another parameter's new value
        if not decays and step.before in parents and course.nodes[a].op in ("multiply", "divide"):
            return False
        if course.nodes[a].op in ("add", "subtract") and course.nodes[a].value.size > 1:
            summands = [p for p in parents if course.nodes[p].value.size == 1 and p != q]
            if any(course.roles.rests_on[p] & mask for p in summands):
                return False  # a number may scale a step, as a norm does, and not shift it
        if any(p in of_q for p in parents):
            of_q.add(a)
            parents = [p for p in parents if p not in of_q | beside]
        if all(_is_free(course, p, step, mask) or p in own or is_an_earlier(course, p, step, q) for p in parents):
            own.add(a)
        elif course.nodes[a].value.size > 1 or step.change.size == 1:
            return False
    return step.after in of_q


def _without_a_part(course: Course, step: Step, q: NodeId) -> set[NodeId]:
    """What lies in one vector with a value, other parameters' gradients perhaps, and has no part in a step itself."""
    nodes, found = course.nodes, set[NodeId]()
    for a in (t for t in course.roles.users.get(q, ()) if t < step.after and nodes[t].op in ("stack", "move")):
        if len(nodes[a].parents()) > 1:
            ones = np.ones_like(nodes[step.after].value, dtype=float)
            reached = sweep(nodes, {step.after: ones}, {step.before}, dep=range(a, step.after + 1), guards=False)
            course.swept += len(reached)
            found |= {p for p, flow in flows(nodes, a, reached[a]) if not flow.any()} if a in reached else set()
    return found


def is_an_earlier(course: Course, p: NodeId, step: Step, q: NodeId) -> bool:
    """Whether a value is what stood in the place of q in an earlier step, kept till now: the last change, say."""
    return p < step.before and course.nodes[p].site == course.nodes[q].site


def _is_free(course: Course, p: NodeId, step: Step, mask: int) -> bool:
    """Whether a value may stand in a step beside the gradient."""
    resting = course.roles.rests_on[p] & mask
    return not resting or p == step.before or (course.nodes[p].value.size == 1 and step.change.size > 1)
