"""The value of the backward pass that, were it another one, would make the steps what they should be.

In each single value of it a backward pass is linear. So one sweep back through the program's own backward pass, cut at
that value, tells what the steps would be with any other value there: with the derivative by a value of the forward
pass, with an activation's slope, or with what the forward pass has multiplied.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.anatomy import Anatomy
from byhand.diagnosis.judge.fits import Step, proportion
from byhand.diagnosis.judge.increments import made_since
from byhand.diagnosis.judge.optimizers import is_an_earlier
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, State
from byhand.diagnosis.judge.steps import Course, Gradients
from byhand.diagnosis.tape.derive import Unknown, flows, forward, sweep
from byhand.diagnosis.tape.nodes import Const

_STEPS, _STEPS_OF_A_NUMBER = 2, 8
_DIRECTIONS = 4
_LEAST_ROWS = 4
"""One more than the factors that are free, and one to be sure."""
_MOST_PLACES = 150
_BUDGET = 200_000  # nodes that all sweeps of one search may go through
_WIDEST = 3000  # nodes of one backward pass
_WIDEST_OF_A_NUMBER = 400  # where every node may be what is taken for the gradient
_MOST_LEFT_OVER = 3
_EXACT, _NOTHING, _PART = 1e-6, 1e-9, 1e-3
_LEFT = 1e-8  # of what was subtracted from
_ROUNDED = 1e-9  # of the cosine between what stands in a place and what belongs there

Group: TypeAlias = tuple[Hashable, ...]
"""A place of the program, and the shape of its values."""
Order: TypeAlias = tuple[int | None, int | None, int]
"""Which of some values, as a slice."""
Kind: TypeAlias = Literal["derivative", "flow", "slope", "operand"]


@dataclass(frozen=True)
class Mend:
    """One place whose values, were they others, would mend steps.

    Attributes
    ----------
    at : int
        The first of its nodes.
    position : int or None
        The operand that is another one, of these nodes; None for what they give.
    kind : str
        What belongs there: the "derivative" by a value, or the "flow" of it to an operand, or the "slope" of an
        activation at it, or an "operand" of it.
    of : int
        That value, of the forward pass.
    states : tuple of State
        The parameters that would follow their gradient.
    """

    at: NodeId
    position: int | None
    kind: Kind
    of: NodeId
    states: tuple[State, ...]


@dataclass(frozen=True)
class _Other:
    """What may belong in a place: of the forward pass, a place with as many values, in some order."""

    kind: Kind
    group: Group
    position: int
    order: Order


@dataclass(eq=False)
class _Pass:
    """One step of a parameter, what it takes for the gradient, and the backward pass that this was made in.

    Attributes
    ----------
    used : set of int
        What of the forward pass is used there.
    forward : dict
        The forward pass, by places.
    directions : ndarray
        Along which the step is held against the gradient, one after another.
    places : dict
        The nodes of a place, as `Mends` has found them so far.
    swept : list of dict
        What has been swept along each direction, with no place cut.
    """

    step: Step
    taken: NodeId
    within: set[NodeId]
    used: set[NodeId]
    forward: dict[Group, list[NodeId]]
    directions: Array
    places: dict[Group, list[NodeId]] = field(default_factory=dict)
    swept: list[dict[NodeId, Array]] = field(default_factory=list)


@dataclass
class _Rows:
    """What a place adds to one step along each direction, and what comes from elsewhere.

    Attributes
    ----------
    ts : list of int
        The nodes of the place that have a part in the step.
    there : ndarray
        Their numbers, one after another.
    effects : ndarray
        A row for each direction: how much each of these numbers counts for.
    rest, whole, true : ndarray
        For each direction what comes from elsewhere, all of it, and what it should be.
    """

    ts: list[NodeId]
    there: Array
    effects: Array
    rest: Array
    whole: Array
    true: Array


@dataclass(frozen=True)
class _Found:
    """A mend, with what belongs there times what factor, and in how many parameters' steps the place has a part."""

    mend: Mend
    other: _Other
    factor: float
    bound: int


def mends_of(
    course: Course, gradients: Gradients, open_: Sequence[State], held: Sequence[State]
) -> tuple[Mends, list[Mend]]:
    """The places that mend the open states: looked for once, as the search, the verdict and the report all ask."""
    key = id(gradients), (*open_,), (*held,)
    if key not in course.mends:
        mends = Mends(course, gradients, [*held, *open_])
        course.mends[key] = mends, list(mends.of(open_, held))
    found: tuple[Mends, list[Mend]] = course.mends[key]
    return found


class Mends:
    """The places of the backward passes that would mend steps."""

    def __init__(self, course: Course, gradients: Gradients, states: Sequence[State]) -> None:
        self.course, self.gradients = course, gradients
        self.nodes = list(course.nodes)
        self.mask = sum(course.roles.bit(s) for s in states)
        self.versions = {v for s in states for v in s.versions}
        self.body = Anatomy(course.roles, gradients, course.limit)
        self._kept: dict[NodeId, dict[NodeId, Array]] = {}
        self._budget = course.swept + _BUDGET
        self.passes = {s: found for s in states if (found := list(self._passes(s)))}

    def of(self, open_: Sequence[State], held: Sequence[State]) -> Iterator[Mend]:
        """The places that mend the open states one after another, each with those before it mended.

        What an activation's slope mends is held from then on.
        """
        left = [s for s in open_ if s in self.passes and not all(map(self._follows, self.passes[s]))]
        while left:
            every = list(self._every(left, held))
            if not every:
                return
            best = self._first(every)
            yield best.mend
            left = [s for s in left if s not in best.mend.states]
            held = [*held, *best.mend.states] if best.mend.kind == "slope" else held
            self._go_on(best)

    def _follows(self, p: _Pass) -> bool:
        """Whether a step is a multiple of the gradient as it is: then only its length is wrong, and no value."""
        return bool(proportion(self.nodes[p.taken].value, p.step.gradient, _EXACT))

    def _first(self, every: Sequence[_Found]) -> _Found:
        """Of the places that have a part in the most steps, and mend the most, the one that no other goes into.

        Where they go into one another, as around a loop, the one with the fewest values is. What is a derivative as it
        stands is right, and comes after what is none.
        """
        most = max((found.bound, len(found.mend.states)) for found in every)
        best = [found for found in every if (found.bound, len(found.mend.states)) == most]
        groups = {found: self._group(found.mend.at) for found in best}
        origins = {f: set(map(self._group, self._behind_of(self.passes[f.mend.states[0]][0], groups[f]))) for f in best}
        free = [f for f in best if not any(groups[o] in origins[f] and groups[f] not in origins[o] for o in best)]
        nodes = {f: self._of(self.passes[f.mend.states[0]][0], groups[f]) for f in best}
        return min(free or best, key=lambda f: (all(map(self._is_derivative, nodes[f])), len(nodes[f])))

    def _behind_of(self, p: _Pass, group: Group) -> set[NodeId]:
        """What a place is made of."""
        waiting, seen = list(self._of(p, group)), set[NodeId]()
        while waiting:
            new = [a for a in self.nodes[waiting.pop()].parents() if a in p.within and a not in seen]
            seen.update(new)
            waiting += new
        return seen

    def begins_right(self, mend: Mend) -> bool:
        """Whether a place is made of derivatives of the objective: else the steps may be those of another one."""
        p = self.passes[mend.states[0]][0]
        return any(map(self._is_derivative, self._behind_of(p, self._group(mend.at))))

    def adds_to_what_is_right(self, mend: Mend) -> bool:
        """Whether a place adds something to a derivative of the objective: that of another one, it may be."""
        node = self.course.nodes[mend.at]
        return node.op in ("add", "subtract") and any(map(self._is_derivative, node.parents()))

    def _is_derivative(self, t: NodeId) -> bool:
        value = self.course.nodes[t].value
        if value.size < _LEAST_ROWS - 1 or not self.course.roles.rests_on[t]:
            return False
        near = (g for x, g in self.gradients.items() if x < t and g.size == value.size)
        return any(proportion(value, np.reshape(g, value.shape), _EXACT) for g in near)

    # -- steps

    def _passes(self, state: State) -> Iterator[_Pass]:
        most = _STEPS if state.size > 1 else _STEPS_OF_A_NUMBER
        rng = np.random.default_rng(0)
        for step in [s for s in self.course.steps(state, self.gradients) if s.gradient.any()][:most]:
            taken = self._taken(step)
            if taken is not None:
                shape = self.nodes[taken].value.shape
                step = replace(step, gradient=np.reshape(step.gradient, shape))
                directions = rng.normal(size=(min(_DIRECTIONS, state.size), *shape))
                within = self._behind(step, taken)
                outside = {a for t in within for a in self.nodes[t].parents()} - within
                if any(map(self._is_remembered, outside)) or any(map(self._has_lost_digits, within)):
                    continue
                used = {a for t in within for a in self.nodes[t].parents() if a in self.gradients} - self.versions
                yield _Pass(step, taken, within, used, self._forward(step, taken), directions)

    def _taken(self, step: Step) -> NodeId | None:
        """The first value that a step is made of alone, but for numbers, memories, and the parameter itself.

        Where the loss has a penalty, what the parameter gives to its gradient is no decay beside it.
        """
        roles, every = self.course.roles, made_since(self.course.roles, step)
        is_penalized = bool(penalties(roles, roles.versions[step.before], self.gradients))
        for q in every if step.change.size > 1 or len(every) < _WIDEST_OF_A_NUMBER else ():
            if q in self.versions or self.nodes[q].value.size != step.change.size or not roles.rests_on[q]:
                continue
            if q in roles.versions and not self._adds_up(q):
                continue
            since = {step.after, *made_since(roles, step, {q})} - {q}
            own = {step.after} if is_penalized else since  # where the parameter may have a part
            beside = {p for a in since for p in self.nodes[a].parents() if p != step.before or a not in own} - {q}
            beside = {p for p in beside if self.nodes[p].value.size > 1 or step.change.size == 1}
            beside = {p for p in beside if not is_an_earlier(self.course, p, step, q)}
            is_of_others = [p in self.gradients or (p not in since and roles.rests_on[p] & self.mask) for p in beside]
            if not any(is_of_others):
                return q
        return None

    def _adds_up(self, q: NodeId) -> bool:
        """Whether a state's version is the one before it and something more: a sum, and no moment."""
        versions = self.course.roles.versions[q].versions
        before = versions[max(versions.index(q) - 1, 0)]
        return self.nodes[q].op == "add" and before in map(self.course.roles.root, self.nodes[q].parents())

    def _is_remembered(self, t: NodeId) -> bool:
        """Whether a value is what a memory has kept from an earlier step, and has not set to 0."""
        return t in self.course.roles.versions and t not in self.versions and bool(self.nodes[t].value.any())

    def _has_lost_digits(self, t: NodeId) -> bool:
        """Whether some number is what is left of a much larger one, as 1 - a where a is nearly 1."""
        node = self.nodes[t]
        if node.op != "subtract":
            return False
        first = node.args[0]
        of = np.abs(first.value if isinstance(first, Const) else self.nodes[first].value)
        return bool(((np.abs(node.value) < _LEFT * of) & ((node.value != 0) | (of.size == 1))).any())

    def _behind(self, step: Step, taken: NodeId) -> set[NodeId]:
        """The backward pass up to a value."""
        waiting, seen = [taken], {taken}
        while waiting and len(seen) < _WIDEST:
            for a in self.nodes[waiting.pop()].parents():
                if a > step.before and a not in seen and a not in self.gradients and a not in self.versions:
                    seen.add(a)
                    waiting.append(a)
        return seen

    def _forward(self, step: Step, taken: NodeId) -> dict[Group, list[NodeId]]:
        """The forward pass that a step follows, by places; of each parameter the version that it rests on."""
        begin = self.body.last_step_before(step.before + 1)
        places: dict[Group, list[NodeId]] = defaultdict(list)
        for x in sorted(x for x in self.gradients if x < taken):
            state = self.course.roles.versions.get(x)
            if state is not None:
                places["version", id(state)] = [x]
            elif x > begin:
                places[self._group(x)].append(x)
        return dict(places)

    def _group(self, t: NodeId) -> Group:
        return self.nodes[t].site, self.nodes[t].value.shape

    # -- places

    def _every(self, open_: Sequence[State], held: Sequence[State]) -> Iterator[_Found]:
        """Each place that mends some of the open states and does no harm to the others, in the order of time."""
        for group, position in self._places(open_):
            if self.course.swept > self._budget or not any(self._may_fit(s, group, position) for s in open_):
                continue
            rows = {s: found for s in (*open_, *held) if (found := self._rows(s, group, position))}
            nodes = {s: frozenset(self._of(self.passes[s][0], group)) for s in rows}
            for ts in sorted({nodes[s] for s in rows if s in open_}, key=min):  # layers may share their lines
                bound = {s: found for s, found in rows.items() if nodes[s] & ts}
                if (best := self._best(group, position, bound, open_)) is not None:
                    yield best

    def _may_fit(self, state: State, group: Group, position: int | None) -> bool:
        """Whether something may belong in a place, as far as the first step tells."""
        first = self.passes[state][0]
        if len(first.directions) < _LEAST_ROWS:
            return True
        rows = self._rows_of(first, group, position)
        others = self._others(first, rows.ts, position) if rows is not None else ()
        return rows is not None and any(self._fits([first], [rows], other, position) for other in others)

    def _best(
        self, group: Group, position: int | None, rows: dict[State, list[_Rows]], open_: Sequence[State]
    ) -> _Found | None:
        """What mends the most of the open states in a place, and does no harm to the others."""
        fits: dict[_Other, dict[State, float]] = defaultdict(dict)
        for state, found in rows.items():
            for other in self._others(self.passes[state][0], found[0].ts, position):
                if factor := self._fits(self.passes[state], found, other, position):
                    fits[other][state] = factor
        is_right = position is None and not all(s in open_ for s in rows) and self._holds_derivatives(rows)
        harmless = [o for o, states in fits.items() if not is_right and all(s in states or s in open_ for s in rows)]
        best = max(harmless, key=lambda o: len(fits[o]), default=None)
        mended = [] if best is None else [s for s in fits[best] if s in open_]
        if best is None or not mended:
            return None
        of = self.passes[mended[0]][0].forward[best.group][slice(*best.order)][0]
        mend = Mend(min(rows[mended[0]][0].ts), position, best.kind, of, tuple(mended))
        return _Found(mend, best, fits[best][mended[0]], len(rows))

    def _holds_derivatives(self, rows: dict[State, list[_Rows]]) -> bool:
        """Whether what stands in a place is right as it is, and only what is made of it later may be wrong."""
        return all(self._is_derivative(t) for found in rows.values() for t in found[0].ts)

    def _places(self, states: Sequence[State]) -> list[tuple[Group, int | None]]:
        first: dict[tuple[Group, int | None], NodeId] = {}
        for p in (self.passes[s][0] for s in states):
            for x in p.used:
                first[self._group(x), None] = min(x, first.get((self._group(x), None), x))
            for t in p.within:
                given = [k for k in range(len(self.nodes[t].args)) if self._is_given(p, t, k)]
                for place in ((self._group(t), k) for k in (None, *given)):
                    first[place] = min(t, first.get(place, t))
        found = [place for place, t in first.items() if self.course.roles.rests_on[t]]
        return sorted(found, key=lambda place: (first[place], place[1] is None))[:_MOST_PLACES]

    def _of(self, p: _Pass, group: Group) -> list[NodeId]:
        """The nodes of a place that go into a step without another one of them between."""
        if group not in p.places:
            p.places[group] = sorted(self._met(p, [p.taken], group))
        return p.places[group]

    def _met(self, p: _Pass, begin: Sequence[NodeId], group: Group) -> set[NodeId]:
        """The first nodes of a place on the way back from some nodes."""
        waiting, seen, found = list(begin), set(begin), set[NodeId]()
        while waiting:
            t = waiting.pop()
            if self._group(t) == group:
                found.add(t)
                continue
            new = [a for a in self.nodes[t].parents() if a not in seen and (a in p.within or a in p.used)]
            seen.update(new)
            waiting += new if t in p.within else []
        return found

    def _is_given(self, p: _Pass, t: NodeId, position: int) -> bool:
        """Whether an operand, or what it is a view of, comes from elsewhere than the backward pass."""
        a = self.nodes[t].args[position]
        return type(a) is int and self.nodes[a].value.size > 1 and self.course.roles.root(a) not in p.within

    def _rows(self, state: State, group: Group, position: int | None) -> list[_Rows]:
        """For each step what a place adds to it; empty where it has no part in one of them or is too little."""
        passes = self.passes.get(state, ())
        found = [rows for p in passes if (rows := self._rows_of(p, group, position)) is not None]
        is_enough = len(found) == len(passes) and sum(len(rows.true) for rows in found) >= _LEAST_ROWS
        return found if is_enough else []

    def _rows_of(self, p: _Pass, group: Group, position: int | None) -> _Rows | None:
        """What a place adds to a step; None where it has no part in it."""
        every = [
            self._effects(reached, self._of(p, group), position) for reached in self._reached(p, self._of(p, group))
        ]
        ts = list(every[0]) if every else []
        if not ts:
            return None
        effects = np.array([np.concatenate([np.ravel(of_one[t]) for t in ts]) for of_one in every])
        there = np.concatenate([np.ravel(self._value(t, position)) for t in ts]).astype(float)
        directions = p.directions.reshape(len(p.directions), -1)
        whole, true = directions @ np.ravel(self.nodes[p.taken].value), directions @ np.ravel(p.step.gradient)
        return _Rows(ts, there, effects, whole - effects @ there, whole, true)

    def _effects(self, reached: dict[NodeId, Array], ts: Sequence[NodeId], position: int | None) -> dict[NodeId, Array]:
        """How much each number of a place counts for, by its nodes."""
        found = {t: reached[t] for t in ts if t in reached}
        if position is None:
            return found
        return {t: g for t, h in found.items() if (g := self._of_operand(t, h, position)) is not None}

    def _reached(self, p: _Pass, ts: Sequence[NodeId]) -> list[dict[NodeId, Array]]:
        """What each direction comes to at the nodes of a place; they are cut where they go into one another."""
        inner = [a for t in ts for a in self.nodes[t].parents() if a in p.within or a in p.used]
        if len(ts) > 1 and not self._met(p, inner, self._group(ts[0])).isdisjoint(ts):
            return self._sweeps(p, set(ts))
        if ts and not p.swept:
            p.swept = self._sweeps(p, set())
        return p.swept if ts else []

    def _sweeps(self, p: _Pass, cut: set[NodeId]) -> list[dict[NodeId, Array]]:
        found = [sweep(self.nodes, {p.taken: u}, cut, dep=p.within | p.used) for u in p.directions]
        self.course.swept += sum(map(len, found))
        return found

    def _of_operand(self, t: NodeId, h: Array, position: int) -> Array | None:
        try:
            found = [g for a, g in flows(self.nodes, t, h) if a == self.nodes[t].args[position]]
        except Unknown:
            return None
        return found[0] if len(found) == 1 else None

    def _value(self, t: NodeId, position: int | None) -> Array:
        a = t if position is None else self.nodes[t].args[position]
        assert type(a) is int
        return self.nodes[a].value

    # -- what may belong there

    def _others(self, p: _Pass, ts: Sequence[NodeId], position: int | None) -> Iterator[_Other]:
        size = self._value(ts[0], position).size
        for places, xs in p.forward.items():
            orders = _orders(len(xs), len(ts))
            operands = self.nodes[xs[0]].args if self.nodes[xs[0]].op in PRODUCTS | {"multiply"} else ()
            kinds: list[tuple[Kind, int]] = []
            for k, a in enumerate(operands):
                if type(a) is int and self.nodes[a].value.size == size:
                    kinds.append(("flow" if position is None else "operand", k))
            if position is None and self.nodes[xs[0]].value.size == size:
                kinds.append(("derivative", 0))
            is_back = position is None and ts[0] not in self.gradients  # what stands for a slope is not forward itself
            if is_back and xs[0] in self._slopes and self._slopes[xs[0]].size == size:
                kinds.append(("slope", 0))
            yield from (_Other(kind, places, k, order) for kind, k in kinds for order in orders)

    def _instead(self, p: _Pass, ts: Sequence[NodeId], other: _Other, position: int | None) -> dict[NodeId, Array]:
        """What belongs at each node of a place; empty where that is of other sizes."""
        xs = p.forward.get(other.group, [])[slice(*other.order)]
        found: dict[NodeId, Array] = {}
        for t, x in zip(ts, xs, strict=True) if len(xs) == len(ts) else ():
            value = self._of_forward(x, other)
            old = self._value(t, position)
            if value is None or value.size != old.size:
                return {}
            is_turned = value.ndim == 2 and value.shape != old.shape == value.shape[::-1]
            found[t] = np.reshape(value.T if is_turned else value, old.shape)
        return found

    def _of_forward(self, x: NodeId, other: _Other) -> Array | None:
        if other.kind == "derivative":
            return self.gradients[x]
        if other.kind == "slope":
            return self._slopes.get(x)
        a = self.course.nodes[x].args[other.position]
        if type(a) is not int:
            return None
        return self.course.nodes[a].value if other.kind == "operand" else self._flows(x).get(a)

    def _flows(self, x: NodeId) -> dict[NodeId, Array]:
        """What goes back from a value of the forward pass to each of its operands."""
        if x not in self._kept:
            self._kept[x] = dict(flows(self.course.nodes, x, self.gradients[x]))
        return self._kept[x]

    @cached_property
    def _slopes(self) -> dict[NodeId, Array]:
        """The slopes of all activations, by what they are taken at."""
        found = {}
        for r in (r for regions in self.body.regions.values() for r in regions if self.body.is_elementwise(r)):
            try:
                found[r.z] = self.body.slope(r, self.nodes[r.z].value)
            except Unknown:
                continue
        return found

    def _fits(self, passes: Sequence[_Pass], every: Sequence[_Rows], other: _Other, position: int | None) -> float:
        """With what factor another value makes a state's steps follow its gradient; 0 if it does not."""
        effects: list[Array] = []
        for p, rows in zip(passes, every, strict=True):
            instead = self._instead(p, rows.ts, other, position)
            numbers = np.concatenate([np.ravel(v) for v in instead.values()]) if instead else None
            if numbers is None or _are_alike(rows.there, numbers):
                return 0.0
            effects.append(rows.effects @ numbers)
        columns = zip(*((rows.true, rows.rest, rows.whole) for rows in every), strict=True)
        moved, true, rest, whole = (np.concatenate(column) for column in (effects, *columns))
        if not np.isfinite([true, moved, rest]).all():
            return 0.0
        return _factor(true, moved, rest, float(np.linalg.norm(whole)))

    # -- going on

    def _go_on(self, found: _Found) -> None:
        """Go on with the values that belong in a place, and with all that follows from them."""
        group, position = self._group(found.mend.at), found.mend.position
        for p in (p for every in self.passes.values() for p in every):
            p.swept.clear()
            ts = self._of(p, group)
            instead = {t: found.factor * v for t, v in self._instead(p, ts, found.other, position).items()}
            changed: dict[NodeId, Array] = {}
            for t in sorted(p.within | instead.keys()) if instead else ():
                operands = {k: changed[a] for k, a in enumerate(self.nodes[t].args) if type(a) is int and a in changed}
                if t in instead and position is not None:
                    operands[position] = instead[t]
                if t in instead and position is None:
                    changed[t] = instead[t]
                elif operands:
                    changed[t] = self._anew(t, operands)
            for t, value in changed.items():
                self.nodes[t] = replace(self.nodes[t], value=value)

    def _anew(self, t: NodeId, operands: dict[int, Array]) -> Array:
        node = self.nodes[t]
        args = [a.value if isinstance(a, Const) else self.nodes[a].value for a in node.args]
        try:
            return np.asarray(forward(node, [operands.get(k, a) for k, a in enumerate(args)]))
        except Unknown:
            return node.value


def _orders(given: int, asked: int) -> list[Order]:
    """How so many values may be paired with as many places, in the order of time or against it; some may be left over.

    What is carried on has no use once, and of several layers alike only some may lie behind a place.
    """
    if not 0 <= given - asked <= _MOST_LEFT_OVER:
        return []
    starts = range(given - asked + 1)
    there: list[Order] = [(k, k + asked, 1) for k in starts]
    back: list[Order] = [(k + asked - 1, k - 1 if k else None, -1) for k in starts]
    return there if asked == 1 else there + back


def _factor(true: Array, moved: Array, rest: Array, size: float) -> float:
    """The multiple of what is moved that, with the rest, is a multiple of the true; 0 if there is none."""
    if not moved.any() or not true.any():
        return 0.0
    length, others = math.sqrt(moved @ moved), math.sqrt(rest @ rest)
    a, b = true / math.sqrt(true @ true), moved / length
    if others < _NOTHING * size:
        is_exact = _left(a, b) < _EXACT
        return size / length if is_exact else 0.0
    if _left(rest, a) < _EXACT * others:
        return 0.0  # without it the steps would be right: it is something more, of another loss perhaps
    beside = b - (a @ b) * a  # what of b, and of the rest, does not lie along a
    beside /= math.sqrt(beside @ beside) or 1.0
    if _left(rest - (rest @ a) * a, beside) > _EXACT * others:
        return 0.0
    found, *_ = np.linalg.lstsq(np.stack([a, -b], axis=1), rest, rcond=None)
    return float(found[1]) / length if np.abs(found).min() >= _PART * np.abs(found).max() else 0.0


def _are_alike(there: Array, other: Array) -> bool:
    """Whether what belongs in a place stands there, but for a factor, and for digits lost."""
    length, product = np.linalg.norm(there) * np.linalg.norm(other), abs(there @ other)
    return bool(not length or product > (1 - _ROUNDED) * length)


def _left(of: Array, along: Array) -> float:
    """The length of what does not lie along a direction of length 1."""
    left = of - (of @ along) * along
    return math.sqrt(left @ left)
