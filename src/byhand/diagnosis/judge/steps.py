"""Each change of a parameter held against the gradient of an objective: how much of it that gradient explains."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, Objective, Roles, State
from byhand.diagnosis.judge.truncated import taken_over
from byhand.diagnosis.tape.derive import sweep
from byhand.diagnosis.tape.nodes import Node

Gradients: TypeAlias = dict[NodeId, Array]
Rule: TypeAlias = Callable[[Array], list[tuple[NodeId, Array]]]
Overrides: TypeAlias = Mapping[NodeId, Rule]

EQUAL = 1e-4  # how nearly the factors of two steps are one
_EXACT, _SINGLE = 1e-6, 2e-3
_CLEAR, _CLEAR_NUMBER = 1e3, 1e5  # of rounding: a single number's factor also bears what 1 - a has lost
_FADED = 1e-7  # of the longest step
_MOST_STEPS = 10_000
_FEW = 8
_MOST_WAYS = 20  # values of one step that may be the gradient which an optimizer starts from
_FARTHEST = 1500  # nodes that one step is followed back
_SCALES = {
    "multiply", "divide", "negative", "copy", "move", "gather", "getitem", "matmul", "dot", "outer", "sum", "mean",
    "einsum", "stack", "setitem", "scatter", "item",
}  # fmt: skip
_NORMALIZERS = {"sqrt", "power", "float_power", "square", "norm", "linalg.norm", "max", "absolute", "fabs"}

Kind = Literal["follows", "opposes", "optimizer", "accumulates", "still", "flat", "scattered", "few", "other"]


@dataclass(frozen=True)
class Step:
    """One step of a parameter, and the gradient at the version before it."""

    before: NodeId
    after: NodeId
    change: Array
    gradient: Array


@dataclass
class Explanation:
    """How the steps of one parameter relate to a gradient.

    Attributes
    ----------
    kind : str
        "follows": each change is the gradient times one negative factor; "opposes": a positive one; "optimizer": an
        optimizer makes the change from the gradient; "accumulates": from the sum of all gradients so far; "still":
        nothing changes though the gradient isn't 0; "flat": the gradient is 0, and nothing changes; "scattered": a
        factor of its own in each step; "few": too few numbers to tell; "other": no multiple of the gradient.
    factors : dict
        The factor at the version before each step.
    evidence : int
        Independent numbers explained, minus free factors.
    spans : list of (int, int)
        The versions between which the steps lie.
    way : tuple or None
        Where an optimizer takes the gradient up, and the factor that it has there.
    total : int or None
        Where all gradients so far are added up.
    """

    kind: Kind
    factors: dict[NodeId, float] = field(default_factory=dict)
    evidence: int = 0
    spans: list[tuple[NodeId, NodeId]] = field(default_factory=list)
    way: tuple[Hashable, float] | None = None
    total: NodeId | None = None

    @property
    def holds(self) -> bool:
        """Whether the steps are explained by the gradient, the sign aside."""
        return self.kind in ("follows", "opposes", "optimizer") and self.evidence > 0

    @property
    def right(self) -> bool:
        """Whether they go down along it."""
        return self.kind in ("follows", "optimizer") and self.evidence > 0


class Course:
    """The steps of a tape's states, and gradients to hold them against.

    With `mended` (for a version the next, and the change between them) the steps are not those that the program took,
    but those that it would have taken had it read other versions.
    """

    def __init__(self, roles: Roles, limit: int | None = None) -> None:
        self.roles = roles
        self.nodes = roles.nodes
        self.stop = set(roles.versions)
        self.resting = {t for t, mask in enumerate(roles.rests_on) if mask}
        self.limit = len(roles.nodes) if limit is None else limit
        self.blocked: set[str] = set()
        self.mended: Mapping[NodeId, tuple[NodeId, Array]] | None = None
        self._taken_over: dict[tuple[NodeId, ...], Overrides] = {}
        self.swept = 0  # nodes gone through, the measure of what this costs

    def gradient(self, objective: Objective, overrides: Overrides | None = None) -> Gradients:
        """The objective's derivative with respect to every node it rests on; parameters are cut at their versions."""
        seeds = {
            t: np.full_like(self.nodes[t].value, objective.sign, dtype=float)
            if objective.kind == "loss"
            else self.nodes[t].value
            for t in objective.seeds
            if t < self.limit
        }
        if objective.is_truncated:
            overrides = {**self.taken_over(objective), **(overrides or {})}
        found: Gradients = sweep(self.nodes, seeds, self.stop, overrides, self.resting, self.blocked)
        self.swept += len(found)
        return found

    def taken_over(self, objective: Objective) -> Overrides:
        """Where an objective's forward pass takes up what earlier versions of its parameters gave."""
        seeds = tuple(objective.seeds)
        if seeds not in self._taken_over:
            whole = self.gradient(replace(objective, is_truncated=False))
            self._taken_over[seeds] = taken_over(self.roles, whole)
        return self._taken_over[seeds]

    def steps(
        self, state: State, gradients: Gradients, *, by_use: bool = False, lag: int = 0, most: int = _MOST_STEPS
    ) -> list[Step]:
        """The steps from the versions that the objective rests on to the next version, or to the next that it rests on.

        The two differ where a step is written element by element, and where a loss is computed now and then only.
        With a lag the gradient is that of so many steps before.
        """
        used = [v for v in state.versions if v in gradients]
        ends = dict(pairwise(used if by_use else state.versions))
        found: list[Step] = []
        for k, v in enumerate(used[lag:]):
            if self.mended is not None:
                w, change = self.mended.get(v, (None, None))
            else:
                w = ends.get(v)
                change = None if w is None else self.nodes[w].value.astype(float) - self.nodes[v].value
            if w is None or change is None or (w > self.limit and found):
                continue
            found.append(Step(v, w, change, np.reshape(gradients[used[k]], change.shape)))
            if len(found) == most:
                break
        return found

    def one_version_each(self, objective: Objective) -> bool:
        """Whether each seed rests on one version of each parameter: the loss of one step, no sum over several."""
        for t in objective.seeds[:3]:
            reached = sweep(
                self.nodes, {t: np.ones_like(self.nodes[t].value, dtype=float)}, self.stop, dep=self.resting
            )
            states = [self.roles.versions[v] for v in reached if v in self.stop]
            if len(states) != len(set(map(id, states))):
                return False
        return True

    def reached_from(self, objective: Objective) -> set[NodeId]:
        """What an objective is made of."""
        ones = {t: np.ones_like(self.nodes[t].value, dtype=float) for t in objective.seeds}
        return set(sweep(self.nodes, ones, self.stop, dep=self.resting)) - set(objective.seeds)

    def all_steps(self, state: State) -> Iterator[Step]:
        """All changes of a state, whatever rests on its versions."""
        for v, w in zip(state.versions, state.versions[1:], strict=False):
            change = self.nodes[w].value.astype(float) - self.nodes[v].value
            yield Step(v, w, change, np.zeros_like(change))

    def explain(
        self, state: State, gradients: Gradients, objective: Objective, lag: int = 0, *, plain: bool = False
    ) -> Explanation:
        """What the steps are to the gradient; if plain, no optimizer is looked for."""
        steps = self.steps(state, gradients, lag=lag)
        decays = not penalties(self.roles, state, gradients)  # else the loss says how much
        found = self._explain_steps(state, steps, objective, plain=plain or lag > 0, decays=decays)
        if not (found.holds and self.covers(state, found, objective)):
            others = self.steps(state, gradients, by_use=True, lag=lag)
            if [s.after for s in others] != [s.after for s in steps]:
                by_use = self._explain_steps(state, others, objective, plain=plain or lag > 0, decays=decays)
                if by_use.holds or found.kind == "still":
                    return by_use
        return found

    def covers(self, state: State, explanation: Explanation, objective: Objective) -> bool:
        """Whether the steps explained are all that the state took, but for those that the recording cut off.

        Where a loss is computed now and then only, each time anew, the others are taken by the same lines.
        """
        is_sporadic = objective.kind == "loss" and 0 < len(objective.seeds) <= len(explanation.spans) + 1
        if is_sporadic and len({self.nodes[v].site for v in state.versions[1:]}) == 1:
            return True
        inside = 0
        longest = 1
        for v, w in explanation.spans:
            length = sum(v <= x < w for x in state.versions)
            longest = max(longest, length)
            inside += length
        return len(state.versions) - 1 - inside <= 2 * longest

    def _explain_steps(
        self, state: State, steps: Sequence[Step], objective: Objective, *, plain: bool, decays: bool
    ) -> Explanation:
        found = explain(steps, self.nodes, (self.rate, self.scale))
        if found.kind in ("other", "scattered") and decays:
            found = with_decay(steps, self.nodes) or found
        if not found.right and steps and not plain and found.kind not in ("flat", "still", "few"):
            found = self._through_optimizer(state, steps, objective, found.factors, decays=decays) or found
        found.spans = [(s.before, s.after) for s in steps]
        return found

    def explain_all(
        self, states: Sequence[State], gradients: Gradients, objective: Objective, plain: Sequence[State] = ()
    ) -> dict[State, Explanation]:
        """What the steps of all are; one that has too few numbers is measured by the factors of the others."""
        found = {state: self.explain(state, gradients, objective, plain=state in plain) for state in states}
        known = [e.factors for e in found.values() if e.right]
        for state, e in found.items():
            if e.kind in ("few", "scattered") and state.size == 1 and known:
                at = [(c, [f for near in known if (f := _nearest(near, v)) is not None]) for v, c in e.factors.items()]
                if at and all(any(_equal(c, f) for f in others) for c, others in at):
                    found[state] = Explanation("follows", e.factors, len(at), e.spans)
        for state, e in found.items():
            if e.kind in ("scattered", "other") and state.size == 1:
                found[state] = self._as_the_others(state, e, found, gradients) or e
        found |= self._sums_of_numbers(found, gradients)
        few = [e for e in found.values() if e.kind == "few" and len(e.factors) == 1]
        shared = [c for e in few for c in e.factors.values()]
        if 1 < len(few) == len(found) and all_equal(shared):  # one step, one number each, one factor for all
            for state, e in found.items():
                found[state] = Explanation("follows" if shared[0] < 0 else "opposes", e.factors, 1, e.spans)
        return found

    def _sums_of_numbers(self, found: Mapping[State, Explanation], gradients: Gradients) -> dict[State, Explanation]:
        """Single numbers that, all together, take one multiple of the sum of all gradients so far as their steps."""
        odd = [s for s, e in found.items() if s.size == 1 and e.kind in ("scattered", "other")]
        steps = {s: self.steps(s, gradients, most=_FEW) for s in odd}
        several = [s for s in odd if len(steps[s]) > 1]
        if len(several) < 2:
            return {}
        taken = np.concatenate([[x.change.item() for x in steps[s]] for s in several])
        sums = np.concatenate([np.cumsum([x.gradient.item() for x in steps[s]]) for s in several])
        if not proportion(taken, sums, _EXACT):
            return {}
        return {s: replace(found[s], kind="accumulates", total=steps[s][0].after) for s in several}

    def _as_the_others(
        self, state: State, own: Explanation, found: Mapping[State, Explanation], gradients: Gradients
    ) -> Explanation | None:
        """A single number whose steps the same line makes as another's, from the same multiple of its gradient."""
        for other, e in found.items():
            if e.kind != "optimizer" or e.way is None or not self._same_line(state, other):
                continue
            site, c = e.way
            steps = [s for s in self.steps(state, gradients) if s.gradient.any()][:4]
            matched = [next((k for q, k in self._multiples(s) if self.nodes[q].site == site), None) for s in steps]
            if len(steps) > 1 and all(k is not None and _equal(c, k) for k in matched):
                return Explanation("optimizer", own.factors, len(steps) - 1, own.spans, e.way)
        return None

    def is_bias(self, state: State) -> bool:
        """Whether a parameter is only ever added."""
        uses = {self.nodes[t].op for v in state.versions[:3] for t in self.roles.users.get(v, ()) if t not in self.stop}
        return "add" in uses and not uses & {"multiply", *PRODUCTS}

    def _same_line(self, state: State, other: State) -> bool:
        return self.nodes[state.versions[1]].site == self.nodes[other.versions[1]].site

    # -- the learning rate ---------------------------------------------------------------------------------------------

    def rate(self, step: Step) -> float | None:
        """The product of the factors in a step that were not written for it alone: a learning rate."""
        factors = self.rates(step)
        return float(np.prod(list(factors.values()))) or None if factors else None

    def scale(self, step: Step) -> float | None:
        """The product of all numbers that rest on no parameter between a step and what it was made of.

        Where it varies from step to step, as a batch's size does, the steps' factors may vary with it.
        """
        increment = self._increment(step)
        waiting = [] if increment is None else [increment]
        product, seen = 1.0, set[NodeId]()
        while waiting and len(seen) < _FARTHEST:
            t = waiting.pop()
            if t in seen or t in self.stop or t <= step.before or self.nodes[t].op not in _SCALES:
                continue
            seen.add(t)
            node = self.nodes[t]
            if node.op == "mean" and type(node.args[0]) is int:
                product *= node.value.size / self.nodes[node.args[0]].value.size
            for position, a in enumerate(node.args):
                if type(a) is int and (self.roles.rests_on[a] or self.nodes[a].value.size > 1):
                    waiting.append(a)
                elif node.op in ("multiply", "divide"):
                    number = float(np.ravel(self.nodes[a].value if type(a) is int else a.value)[0])  # type: ignore[union-attr]
                    product *= number if node.op == "multiply" or position == 0 else 1 / (number or 1.0)
        return product or None

    def rates(self, step: Step) -> dict[tuple[NodeId, NodeId], float]:
        """Such factors, by what they are made from and where they are multiplied with the gradient.

        Where there is none, the number that is written down as the outermost factor counts.
        """
        increment = self._increment(step)
        waiting = [] if increment is None else [increment]
        found: dict[tuple[NodeId, NodeId], float] = {}
        seen: set[NodeId] = set()
        written = [] if increment is None else list(self._written_numbers(increment))
        while waiting and len(seen) < _FARTHEST:
            t = waiting.pop()
            if t in seen or t in self.stop or t <= step.before:
                continue
            seen.add(t)
            node = self.nodes[t]
            if node.op not in _SCALES:
                continue
            for position, a in enumerate(node.args):
                if type(a) is not int:
                    continue
                if self.roles.rests_on[a] or self.nodes[a].value.size > 1:
                    waiting.append(a)
                elif node.op == "multiply" or (node.op == "divide" and position == 0):
                    found |= {(leaf, t): value for leaf, value in self._lasting(a, step.before)}
        return found or dict(written[:1])

    def _written_numbers(self, t: NodeId) -> Iterator[tuple[tuple[NodeId, NodeId], float]]:
        """The numbers that stand in the text as the outermost factor of an increment, as in `0.1 * gradient`."""
        outermost = [t, *(self.nodes[t].parents() if self.nodes[t].op in PRODUCTS else ())]
        for x in outermost:
            for a in self.nodes[x].args if self.nodes[x].op == "multiply" else ():
                value = np.asarray(self.nodes[a].value if type(a) is int else a.value)
                is_written = type(a) is not int or self.nodes[a].kw.get("made") == "constant"
                if is_written and value.size == 1 and value.dtype.kind in "fi":
                    yield (a if type(a) is int else x, x), float(value.ravel()[0])

    def _lasting(self, t: NodeId, before: NodeId) -> Iterator[tuple[NodeId, float]]:
        """The factors of a number that were there before the step, or were made of such; counts are none."""
        node = self.nodes[t]
        if node.op in ("multiply", "negative", "copy"):
            for a in node.parents():
                yield from self._lasting(a, before)
            return
        waiting, seen = [t], 0
        while waiting and seen < 20:
            x = waiting.pop()
            seen += 1
            if x < before and self.nodes[x].op == "leaf" and self.nodes[x].value.dtype.kind == "f":
                yield (t, float(node.value.ravel()[0]))
                return
            waiting += self.nodes[x].parents()

    def _increment(self, step: Step) -> NodeId | None:
        """What is added to the version before a step."""
        t = step.after
        for _ in range(10):
            node = self.nodes[t]
            if node.op in ("add", "subtract") and len(node.args) == 2:
                a, b = node.args
                kept = a if b == step.before or (node.op == "add" and type(a) is int and a not in self.stop) else b
                return kept if type(kept) is int else None
            if node.op in ("setitem", "scatter") and type(node.args[1]) is int:
                t = node.args[1]
            elif node.op in ("copy", "clip", "item", "stack", "move") and type(node.args[0]) is int:
                t = node.args[0]
            else:
                return None
        return None

    def gradient_used(self, step: Step) -> NodeId | None:
        """The increment without the numbers that scale it: what the program takes for the gradient."""
        t = self._increment(step)
        while t is not None and self.nodes[t].op in ("multiply", "divide", "negative", "copy"):
            scaled = [a for a in self.nodes[t].parents() if self.roles.rests_on[a]]
            if len(scaled) != 1:
                break
            t = scaled[0]
        return t

    # -- optimizers ----------------------------------------------------------------------------------------------------

    def _through_optimizer(
        self,
        state: State,
        steps: Sequence[Step],
        objective: Objective,
        factors_of_steps: dict[NodeId, float],
        *,
        decays: bool,
    ) -> Explanation | None:
        """An optimizer's step: made of one multiple of the gradient, the same in all steps, its own state, and numbers.

        Velocities, moments, decay and clipping come out so, whatever their formula; a step into which anything else
        flows does not. Where the loss itself has a penalty, no step `decays` besides.
        """
        moved = [s for s in steps if s.gradient.any()][:4]
        if not moved or (state.size == 1 and len(moved) < 3):
            return None
        common: dict[object, float] | None = None
        for step in moved:
            here = {self.nodes[q].site: (q, c) for q, c in self._multiples(step)}
            if common is None:
                common = {site: c for site, (_, c) in here.items()}
            common = {site: c for site, (_, c) in here.items() if _equal(c, common.get(site))}
            if not common:
                return None
        assert common is not None
        for site in list(common)[-_MOST_WAYS:]:
            # the last at a place: a sum to which the gradient's last part adds nothing is not yet what the step takes
            ways = [[(q, c) for q, c in self._multiples(s) if self.nodes[q].site == site][-1] for s in moved[-2:]]
            directions = {self._direction(s, q, c) for s, (q, c) in zip(moved[-2:], ways, strict=True)}
            if directions in ({1}, {-1}) and all(
                self._is_made_of(s, q, objective, decays=decays) for s, (q, _) in zip(moved[-2:], ways, strict=True)
            ):
                total = self.sums_up(moved[-1], ways[-1][0])
                kind: Kind = "accumulates" if total is not None else "optimizer" if directions == {-1} else "opposes"
                evidence = len(moved) * state.size - 1 if total is None else 0
                return Explanation(kind, factors_of_steps, evidence, way=(site, common[site]), total=total)
        return None

    def has_optimizer(self, step: Step, objective: Objective) -> bool:
        """Whether a state that no objective rests on has a part in a step: a velocity, a moment."""
        made = {p for t in [*self.made_since(step), step.after] for p in self.nodes[t].parents()}
        return any(t in self.stop and not self.roles.rests_on[t] & objective.rests_on for t in made)

    def has_a_multiple(self, step: Step) -> bool:
        """Whether something on the way to a step's end is a multiple of its gradient."""
        return any(True for _ in self._multiples(step))

    def _multiples(self, step: Step) -> Iterator[tuple[NodeId, float]]:
        """The values on the way to a step's end that are a multiple of its gradient."""
        for q in self.made_since(step):
            value = self.nodes[q].value
            if value.size == step.gradient.size and value.dtype.kind == "f" and q not in self.stop:
                c = proportion(value, step.gradient, tolerance_of(value))
                if c:
                    yield q, c

    def made_since(self, step: Step, closed: Collection[NodeId] = ()) -> list[NodeId]:
        """What the version after a step was made of since the one before it, not through closed nodes."""
        waiting, seen = [step.after], {step.after}
        while waiting and len(seen) < _FARTHEST:
            for a in self.nodes[waiting.pop()].parents():
                if a > step.before and a not in seen:
                    seen.add(a)
                    if a not in closed:
                        waiting.append(a)
        return sorted(seen)

    def _direction(self, step: Step, q: NodeId, c: float) -> int:
        """Where each number of the step goes with more of the same number of the gradient at q: -1 down, 1 up.

        0 if that is not one for all, or they go with other numbers of it.

        What the step is divided by is held fixed, and a state that adds up all gradients for ever is no optimizer's.
        """
        held = {t for t in range(q + 1, step.after) if self.nodes[t].op in _NORMALIZERS}
        shape = self.nodes[step.after].value.shape
        mixed = np.random.default_rng(0).uniform(1, 2, shape)
        within = set(self.made_since(step, {q}))
        self.swept += 2 * len(within)
        effect, effect_of_mixed = (
            sweep(self.nodes, {step.after: seed}, {step.before, q} | held, dep=within, guards=False).get(q)
            for seed in (np.ones(shape), mixed)
        )
        if effect is None or effect_of_mixed is None or not np.isfinite(effect).all() or not effect.any():
            return 0
        if not np.allclose(np.ravel(effect_of_mixed), np.ravel(effect) * np.ravel(mixed), rtol=1e-6):
            return 0  # the step's numbers come from other places of the gradient
        effect = effect * np.sign(c)
        return -1 if (effect <= 0).all() else 1 if (effect >= 0).all() else 0

    def sums_up(self, step: Step, q: NodeId) -> NodeId | None:
        """The state that a step goes through if it adds each gradient to all before, none of them fading."""
        held = {t for t in range(q + 1, step.after) if self.nodes[t].op in _NORMALIZERS}
        ones = np.ones_like(self.nodes[step.after].value, dtype=float)
        within = set(self.made_since(step, {q}))
        reached = sweep(self.nodes, {step.after: ones}, {step.before, q} | held, dep=within, guards=False)
        self.swept += len(reached)
        for t in self.made_since(step):
            state = self.roles.versions.get(t)
            own = self.roles.versions[step.before]
            if state is None or state is own or t == state.versions[0] or t < q:
                continue
            old = state.versions[state.versions.index(t) - 1]
            ones = np.ones_like(self.nodes[t].value, dtype=float)
            effect = sweep(self.nodes, {t: ones}, self.stop - {t}, dep=range(old, t + 1)).get(old)
            if effect is not None and np.allclose(effect, 1) and t in reached:
                return t
        return None

    def _is_made_of(self, step: Step, q: NodeId, objective: Objective, *, decays: bool) -> bool:
        """Whether a step is made of q, its state's own values, what no objective rests on, and numbers."""
        own: set[NodeId] = set()
        of_q = {q}
        numbers = {t for t in range(step.before, step.after) if self.nodes[t].value.size == 1 and step.change.size > 1}
        for a in self.made_since(step, {q} | numbers):
            parents = self.nodes[a].parents()
            if a == q:
                continue
            is_own = self.roles.versions.get(a) is self.roles.versions[step.before]
            if a in self.stop and not is_own and self.roles.rests_on[a] & objective.rests_on:
                return False  # another parameter's new value
            if not decays and step.before in parents and self.nodes[a].op in ("multiply", "divide"):
                return False
            if self.nodes[a].op in ("add", "subtract") and self.nodes[a].value.size > 1:
                summands = [p for p in parents if self.nodes[p].value.size == 1 and p != q]
                if any(self.roles.rests_on[p] & objective.rests_on for p in summands):
                    return False  # a number may scale a step, as a norm does, and not shift it
            if any(p in of_q for p in parents):
                of_q.add(a)
                parents = [p for p in parents if p not in of_q]
            if all(self._is_free(p, step, objective) or p in own for p in parents):
                own.add(a)
            elif self.nodes[a].value.size > 1 or step.change.size == 1:
                return False
        return step.after in of_q

    def _is_free(self, p: NodeId, step: Step, objective: Objective) -> bool:
        """Whether a value may stand in a step beside the gradient."""
        resting = self.roles.rests_on[p] & objective.rests_on
        return not resting or p == step.before or (self.nodes[p].value.size == 1 and step.change.size > 1)


def explain(
    steps: Sequence[Step], nodes: Sequence[Node], scales: Sequence[Callable[[Step], float | None]] = ()
) -> Explanation:
    """What steps are to their gradients, as one factor for all of them or one that goes with the learning rate."""
    factors: dict[NodeId, float] = {}
    by_step: dict[NodeId, Step] = {}
    longest = max((float(np.abs(s.change).max(initial=0)) for s in steps), default=0.0)
    still: dict[NodeId, float] = {}  # and how large the gradient is beside rounding
    numbers = 0
    for step in steps:
        if not (np.isfinite(step.change).all() and np.isfinite(step.gradient).all()):
            break  # the numbers have left what can be compared
        old = nodes[step.before].value
        noise = 8 * float(np.finfo(old.dtype if old.dtype.kind == "f" else float).eps * np.abs(old).max(initial=0))
        c = proportion(step.change, step.gradient, tolerance_of(old), noise)
        if c is None and np.abs(step.change).max() < _FADED * longest:
            continue  # saturated: what is left of 1 - a is rounding
        if c is None:
            return Explanation("other")
        if not step.gradient.any():
            continue
        if not step.change.any():
            still[step.before] = float(np.abs(step.gradient).max() / (noise or 1.0))
            continue
        if np.abs(step.change).max() > (_CLEAR if step.change.size > 1 else _CLEAR_NUMBER) * noise:
            factors[step.before] = c
            by_step[step.before] = step
            numbers += int(np.count_nonzero(step.gradient))
    usual = float(np.median(np.abs(list(factors.values())))) if factors else np.inf
    factors |= {v: 0.0 for v, size in still.items() if usual * size > 1}
    if not factors:
        return Explanation("flat" if not any(s.change.any() for s in steps) else "few")
    values = list(factors.values())
    if not any(values):
        return Explanation("still", factors)
    if min(values) <= 0 <= max(values):
        return Explanation("scattered", factors)
    if not all_equal(values) and not any(_goes_with(scale, factors, by_step) for scale in scales):
        return Explanation("scattered", factors)
    if numbers < 2:
        return Explanation("few", factors)
    return Explanation("follows" if values[0] < 0 else "opposes", factors, numbers - 1)


def _goes_with(
    scale: Callable[[Step], float | None], factors: Mapping[NodeId, float], steps: Mapping[NodeId, Step]
) -> bool:
    """Whether the steps' factors are one number times a scale of each step."""
    scales = {v: scale(s) for v, s in steps.items()}
    return all(scales.values()) and all_equal([c / (scales[v] or 1.0) for v, c in factors.items()])


def shrinks(step: Step, old: Array) -> bool:
    """Whether a step is made of its gradient, the parameter itself and its signs: a penalty that no loss shows."""
    made_of = np.stack([np.ravel(x).astype(float) for x in (step.gradient, old, np.sign(old))], axis=1)
    d = np.ravel(step.change).astype(float)
    if d.size < 4 or not (np.isfinite(made_of).all() and np.isfinite(d).all()):
        return True
    factors, *_ = np.linalg.lstsq(made_of, d, rcond=None)
    return bool(np.abs(made_of @ factors - d).max() <= tolerance_of(old) * np.abs(d).max())


def with_decay(steps: Sequence[Step], nodes: Sequence[Node]) -> Explanation | None:
    """Steps along the gradient that also shrink each number they touch by one share: weight decay outside the loss."""
    rows = [(s.change[m], s.gradient[m], nodes[s.before].value[m]) for s in steps if (m := s.gradient != 0).any()]
    if not rows:
        return None
    d, g, w = (np.concatenate([np.ravel(row[k]) for row in rows]).astype(float) for k in range(3))
    if d.size < 4 or not np.isfinite([d, g, w]).all():
        return None
    factors, _, rank, _ = np.linalg.lstsq(np.stack([g, w], axis=1), d, rcond=None)
    off = np.abs(g * factors[0] + w * factors[1] - d)
    if rank < 2 or off.max() > tolerance_of(nodes[steps[0].before].value) * np.abs(d).max() or factors[1] > 0:
        return None
    outside = any(np.any(s.change[s.gradient == 0]) for s in steps)
    if outside or not factors[0]:
        return None
    kind: Kind = "follows" if factors[0] < 0 else "opposes"
    return Explanation(kind, {s.before: float(factors[0]) for s in steps}, d.size - 2)


def proportion(d: Array, g: Array, tolerance: float, noise: float = 0.0) -> float | None:
    """The c for which d = c g, to the tolerance of the largest number; None if there is none; 0 if d is 0."""
    if d.size == g.size == 1:
        return _ratio(d.item(), g.item(), noise)
    d, g = np.ravel(d), np.ravel(g)
    if d.size != g.size or not np.isfinite(d).all() or not np.isfinite(g).all():
        return None
    largest = np.abs(g).max(initial=0)
    if not largest:
        return 0.0 if np.abs(d).max(initial=0) <= noise else None
    unit = g / largest
    c = float(d @ unit / (unit @ unit))
    scale = max(float(np.abs(d).max()), abs(c))
    if np.abs(d - c * unit).max() > tolerance * scale + noise:
        return None
    return float(c / largest)


def _ratio(d: float, g: float, noise: float) -> float | None:
    if not (math.isfinite(d) and math.isfinite(g)):
        return None
    return d / g if g else 0.0 if abs(d) <= noise else None


def tolerance_of(value: Array) -> float:
    """How nearly a number of this kind is what it should be."""
    return _SINGLE if value.dtype == np.float32 else _EXACT


def _equal(a: float, b: float | None) -> bool:
    return b is not None and abs(a - b) <= EQUAL * max(abs(a), abs(b))


def all_equal(values: Sequence[float]) -> bool:
    """Whether factors are one number, to `EQUAL`."""
    return max(values) - min(values) <= EQUAL * max(map(abs, values))


def _nearest(factors: Mapping[NodeId, float], v: NodeId) -> float | None:
    """The factor of the step that began nearest to a version."""
    return factors[min(factors, key=lambda w: abs(w - v))] if factors else None
