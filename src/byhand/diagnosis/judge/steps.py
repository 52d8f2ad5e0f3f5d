"""Each change of a parameter held against the gradient of an objective: how much of it that gradient explains."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.fits import (
    EXACT,
    Explanation,
    Step,
    all_equal,
    brakes,
    equal,
    explain,
    nearest,
    proportion,
    with_decay,
    with_penalty,
)
from byhand.diagnosis.judge.increments import rate, scale
from byhand.diagnosis.judge.newton import newton
from byhand.diagnosis.judge.optimizers import multiples, through_optimizer
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, Objective, Roles, State, rescaled
from byhand.diagnosis.judge.truncated import taken_over
from byhand.diagnosis.tape.derive import flows, sweep

Gradients: TypeAlias = dict[NodeId, Array]
Rule: TypeAlias = Callable[[Array], list[tuple[NodeId, Array]]]
Overrides: TypeAlias = Mapping[NodeId, Rule]

_MOST_STEPS = 10_000
_FEW = 8
_MANY_BESIDE = 8  # numbers that one line steps by their gradients, of which another has none
_BESIDE = 6  # numbers that one line steps, beside one of them
_ROUNDING = 1e-12  # of the longest step, and of the largest gradient, is no more than digits lost


def _as_it_is(objective: Objective) -> tuple[object, ...]:
    """What the derivative of an objective depends on."""
    return (
        objective.kind,
        objective.sign,
        objective.is_truncated,
        *objective.seeds,
        *((t, np.asarray(w).tobytes()) for t, w in objective.weights.items()),
    )


def _digest(state: State, gradients: Gradients) -> bytes:
    """What stands for the gradients by a state's versions."""
    digest = blake2b(digest_size=16)
    for k, v in enumerate(state.versions):
        if v in gradients:
            digest.update(b"%d " % k)
            digest.update(np.ascontiguousarray(gradients[v]).data)
    return digest.digest()


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
        self._blocked: dict[tuple[NodeId, ...], set[str]] = defaultdict(set)  # by the seeds of objectives
        self.mended: Mapping[NodeId, tuple[NodeId, Array]] | None = None
        self._gradients: dict[tuple[object, ...], Gradients] = {}  # without overrides
        self._changes: dict[tuple[NodeId, NodeId], Array] = {}
        self._taken_over: dict[tuple[NodeId, ...], Overrides] = {}
        self._ahead: Overrides = {t: partial(_whole_to, v) for t, v in roles.ahead.items()}
        self._slopes: Overrides = {t: partial(_times, *to) for t, to in roles.slopes.items()}
        self._explained: dict[tuple[object, ...], tuple[Explanation, int]] = {}  # and what it cost
        self.mends: dict[tuple[object, ...], Any] = {}  # what `mends_of` has found so far
        self.swept = 0  # nodes gone through, the measure of what this costs
        self.scales = (partial(rate, roles), partial(scale, roles))

    def gradient(self, objective: Objective, overrides: Overrides | None = None) -> Gradients:
        """The objective's derivative with respect to every node it rests on; parameters are cut at their versions."""
        as_it_is = _as_it_is(objective)
        found = self._gradients.get(as_it_is) if not overrides else None
        if found is None:
            found = self._gradient(objective, overrides)
        if not overrides:
            self._gradients[as_it_is] = found
        self.swept += len(found)
        return found

    def _gradient(self, objective: Objective, overrides: Overrides | None) -> Gradients:
        seeds = {t: self.seed(objective, t) for t in objective.seeds if t < self.limit}
        overrides = {
            **self._ahead,
            **(self._slopes if objective.kind == "slope" else {}),
            **(self.taken_over(objective) if objective.is_truncated else {}),
            **(overrides or {}),
        }
        return sweep(self.nodes, seeds, self.stop, overrides, self.resting, self._blocked[tuple(objective.seeds)])

    def bare(self, objective: Objective, uses: Sequence[NodeId], overrides: Overrides | None = None) -> Gradients:
        """The derivative without what an objective takes of a parameter for its size; empty if it takes nothing."""
        return self.gradient(objective, {**(overrides or {}), **dict.fromkeys(uses, _nothing)}) if uses else {}

    @property
    def blocked(self) -> set[str]:
        """The operations without a derivative that were met on the way back from any objective."""
        return set().union(*self._blocked.values())

    def is_blocked(self, objective: Objective) -> bool:
        """Whether an objective rests on more than is known: on what lies behind an operation without a derivative."""
        return bool(self._blocked[tuple(objective.seeds)])

    def seed(self, objective: Objective, t: NodeId) -> Array:
        """The derivative of an objective by one of its nodes."""
        value, weight = self.nodes[t].value, objective.weights.get(t, 1.0)
        return (
            np.full_like(value, objective.sign * weight, dtype=float)
            if objective.kind in ("loss", "margin")
            else value * weight
        )

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
                change = None if w is None else self._change(v, w)
            if w is None or change is None or (w > self.limit and found):
                continue
            found.append(Step(v, w, change, np.asarray(gradients[used[k]]).reshape(change.shape)))
            if len(found) == most:
                break
        return found

    def _change(self, v: NodeId, w: NodeId) -> Array:
        if (v, w) not in self._changes:
            to = w
            while (whole := rescaled(self.nodes, to)) is not None and whole > v:
                to = whole  # a step is what leads there; to bring the result to a length is none
            self._changes[v, w] = self.nodes[to].value.astype(float) - self.nodes[v].value
        return self._changes[v, w]

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
        found = self._gradients.get(_as_it_is(replace(objective, is_truncated=False)))  # it reached the same
        if found is None or any(t >= self.limit for t in objective.seeds):
            ones = {t: np.ones_like(self.nodes[t].value, dtype=float) for t in objective.seeds}
            found = sweep(self.nodes, ones, self.stop, dep=self.resting)
        return set(found) - set(objective.seeds)

    def all_steps(self, state: State) -> Iterator[Step]:
        """All changes of a state, whatever rests on its versions."""
        for v, w in zip(state.versions, state.versions[1:], strict=False):
            change = self._change(v, w)
            yield Step(v, w, change, np.zeros_like(change))

    def explain(
        self, state: State, gradients: Gradients, objective: Objective, lag: int = 0, *, plain: bool = False
    ) -> Explanation:
        """What the steps are to the gradient; if plain, no optimizer is looked for."""
        decays = not penalties(self.roles, state, gradients)  # else the loss says how much
        asked = objective.kind, objective.rests_on, len(objective.seeds), lag, plain, decays, self.mended is None
        key = (state, *asked, _digest(state, gradients))  # of what is tried, most leaves some gradients as they were
        if key not in self._explained:
            before = self.swept
            found = self._explain(state, gradients, objective, lag, plain=plain or lag > 0, decays=decays)
            self._explained[key] = found, self.swept - before
        else:
            self.swept += self._explained[key][1]
        return self._explained[key][0]

    def _explain(
        self, state: State, gradients: Gradients, objective: Objective, lag: int, *, plain: bool, decays: bool
    ) -> Explanation:
        steps = self.steps(state, gradients, lag=lag)
        found = self._explain_steps(state, steps, objective, plain=plain, decays=decays)
        if not (found.holds and self.covers(state, found, objective)):
            others = self.steps(state, gradients, by_use=True, lag=lag)
            if [s.after for s in others] != [s.after for s in steps]:
                by_use = self._explain_steps(state, others, objective, plain=plain, decays=decays)
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
            length = bisect_left(state.versions, w) - bisect_left(state.versions, v)
            longest = max(longest, length)
            inside += length
        return len(state.versions) - 1 - inside <= 2 * longest

    def _explain_steps(
        self, state: State, steps: Sequence[Step], objective: Objective, *, plain: bool, decays: bool
    ) -> Explanation:
        self.swept += len(steps)
        found = explain(steps, self.nodes, self.scales)
        if found.kind in ("other", "scattered") and decays:
            found = with_decay(steps, self.nodes) or found
            if objective.kind == "margin" and not found.right:
                found = with_penalty(steps, self.nodes) or found
        if not found.right and steps and not plain and found.kind not in ("flat", "still", "few"):
            through = partial(through_optimizer, self, state, steps, objective, found.factors, decays=decays)
            found = brakes(steps, self.nodes) or through() or newton(self, steps) or found
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
                at = [(c, [f for near in known if (f := nearest(near, v)) is not None]) for v, c in e.factors.items()]
                if at and all(any(equal(c, f) for f in others) for c, others in at):
                    found[state] = Explanation("follows", e.factors, len(at), e.spans)
        found |= self._numbers_together(found, gradients, objective, plain)
        for state, e in found.items():
            if e.kind in ("scattered", "other", "few") and state.size == 1:
                alike = {s: o for s, o in found.items() if o.right and self.same_line(state, s)}
                found[state] = (
                    self._as_the_others(state, e, alike, gradients)
                    or self._with_the_others_decay(state, e, alike, gradients)
                    or e
                )
        found |= self._sums_of_gradients(found, gradients)
        found |= self._lost_in_rounding(found, gradients)
        found |= self._of_rounding_alone(found, gradients)
        found |= self._quiet_among_others(found)
        few = [e for e in found.values() if e.kind == "few" and len(e.factors) == 1]
        shared = [c for e in few for c in e.factors.values()]
        if 1 < len(few) == len(found) and all_equal(shared):  # one step, one number each, one factor for all
            for state, e in found.items():
                found[state] = Explanation("follows" if shared[0] < 0 else "opposes", e.factors, 1, e.spans)
        return found

    def _lost_in_rounding(self, found: Mapping[State, Explanation], gradients: Gradients) -> dict[State, Explanation]:
        """Those that stand still, and would if they were stepped as the others are: too short for their digits."""
        factors = [abs(c) for e in found.values() if e.right for c in e.factors.values() if c]
        quiet = dict[State, Explanation]()
        for state, e in found.items():
            if e.kind == "still" and factors:
                steps = self.steps(state, gradients)
                usual = float(np.median(factors))
                if not any(usual * np.abs(s.gradient).max() > np.spacing(self._largest(s.before)) for s in steps):
                    quiet[state] = replace(e, kind="flat", factors={})
        return quiet

    def _quiet_among_others(self, found: Mapping[State, Explanation]) -> dict[State, Explanation]:
        """Single numbers with a gradient of 0 that stand still, where the same line steps others by theirs."""
        moved = Counter(self.nodes[s.versions[1]].place for s, e in found.items() if e.right and s.size == 1)
        quiet = {s: e for s, e in found.items() if e.kind == "flat" and s.size == 1 and len(s.versions) > 1}
        quiet = {s: e for s, e in quiet.items() if moved[self.nodes[s.versions[1]].place] >= _MANY_BESIDE}
        return {s: replace(e, kind="follows", evidence=1) for s, e in quiet.items()}

    def _of_rounding_alone(self, found: Mapping[State, Explanation], gradients: Gradients) -> dict[State, Explanation]:
        """Those whose gradient is 0 but for rounding, and whose steps are: the bias of centred data."""
        odd = [s for s, e in found.items() if e.kind in ("scattered", "other", "few", "flat", "still")]
        if not odd:
            return {}
        sizes = {s: self._sizes(self.steps(s, gradients, most=_FEW)) for s in found}
        longest, steepest = (max((size[k] for size in sizes.values()), default=0.0) for k in (0, 1))
        nothing = [s for s in odd if sizes[s][0] < _ROUNDING * longest and sizes[s][1] < _ROUNDING * steepest]
        cancel = [s for s in nothing if sizes[s][1] or self._cancels_out(s, gradients)]
        return {s: Explanation("follows" if s in cancel else "flat", {}, 1, found[s].spans) for s in nothing}

    def _cancels_out(self, state: State, gradients: Gradients) -> bool:
        """Whether a gradient of 0 is the sum of several ways' parts, as of a bias that two outputs share."""
        ways = ((t, v) for v in state.versions[:_FEW] for t in self.roles.users.get(v, ()) if t in gradients)
        return any(a == v and flow.any() for t, v in ways for a, flow in flows(self.nodes, t, gradients[t]))

    @staticmethod
    def _sizes(steps: Sequence[Step]) -> tuple[float, float]:
        """The largest change and the largest gradient."""
        pairs = [(np.abs(s.change).max(initial=0), np.abs(s.gradient).max(initial=0)) for s in steps]
        return max((float(d) for d, _ in pairs), default=0.0), max((float(g) for _, g in pairs), default=0.0)

    def _largest(self, v: NodeId) -> float:
        return float(np.abs(self.nodes[v].value).max())

    def _sums_of_gradients(self, found: Mapping[State, Explanation], gradients: Gradients) -> dict[State, Explanation]:
        """Those that take one multiple of the sum of all gradients so far as their steps; numbers, all together."""
        odd = [s for s, e in found.items() if e.kind in ("scattered", "other")]
        steps = {s: of_one for s in odd if len(of_one := self.steps(s, gradients, most=_FEW)) > 1}
        numbers = [s for s in steps if s.size == 1]
        groups = [[s] for s in steps if s.size > 1] + ([numbers] if len(numbers) > 1 else [])
        factors = {s: c for group in groups if (c := self._of_the_sum([steps[s] for s in group])) for s in group}
        for s in numbers:
            if s not in factors and (c := self._of_the_sum([steps[s]])) and any(equal(c, f) for f in factors.values()):
                factors[s] = c
        return {s: replace(found[s], kind="accumulates", total=steps[s][0].after) for s in factors}

    @staticmethod
    def _of_the_sum(steps: Sequence[Sequence[Step]]) -> float | None:
        """The factor that the changes of several have to the sums of their gradients; None if there is none."""
        taken = np.concatenate([np.ravel([s.change for s in of_one]) for of_one in steps])
        sums = np.concatenate([np.ravel(np.cumsum([s.gradient for s in of_one], axis=0)) for of_one in steps])
        return proportion(taken, sums, EXACT)

    def _numbers_together(
        self, found: Mapping[State, Explanation], gradients: Gradients, objective: Objective, plain: Sequence[State]
    ) -> dict[State, Explanation]:
        """Single numbers that one line steps, all by one optimizer, as an array would be."""
        groups: dict[object, dict[State, list[Step]]] = defaultdict(dict)
        for s, e in found.items():
            if s.size == 1 and s not in plain and e.kind in ("few", "scattered", "other"):
                groups[self.nodes[s.versions[1]].site][s] = self.steps(s, gradients, most=_FEW)
        together: dict[State, Explanation] = {}
        for steps in groups.values():
            every = [step for of_one in steps.values() for step in of_one if step.gradient.any()]
            first = {s: next((x for x in of_one if x.gradient.any()), None) for s, of_one in steps.items()}
            for s, of_one in steps.items() if len(every) > _FEW else ():
                beside = [x for other, x in first.items() if other is not s and x is not None][:_BESIDE]
                decays = not penalties(self.roles, s, gradients)
                factors = found[s].factors
                one = through_optimizer(self, s, of_one, objective, factors, decays=decays, beside=beside)
                if one is None or not one.right:
                    break
                together[s] = replace(one, spans=[(x.before, x.after) for x in of_one])
        return together

    def _with_the_others_decay(
        self, state: State, own: Explanation, alike: Mapping[State, Explanation], gradients: Gradients
    ) -> Explanation | None:
        """A single number that takes its gradient's multiple, and loses its share, as others in the same line do."""
        steps = self.steps(state, gradients, most=_FEW)
        for e in alike.values():
            c = next(iter(e.factors.values()), 0.0)
            if (
                e.kind == "follows"
                and e.share
                and steps
                and all(equal(s.change.item(), self._shrunk(s, c, e.share)) for s in steps)
            ):
                return replace(own, kind="follows", factors={s.before: c for s in steps}, evidence=len(steps))
        return None

    def _shrunk(self, step: Step, factor: float, share: float) -> float:
        return factor * step.gradient.item() + share * self.nodes[step.before].value.item()

    def _as_the_others(
        self, state: State, own: Explanation, alike: Mapping[State, Explanation], gradients: Gradients
    ) -> Explanation | None:
        """A single number whose steps the same line makes as another's, from the same multiple of its gradient."""
        steps = [s for s in self.steps(state, gradients) if s.gradient.any()][:4]
        alike = {s: e for s, e in alike.items() if steps and e.kind == "optimizer"}
        mine = [{self.nodes[q].site: c for q, c in multiples(self, s)} for s in steps if alike]
        for e in alike.values():
            way = e.way[1] if e.way is not None else None
            if any(equal(c, way) and all(equal(c, at.get(site)) for at in mine) for site, c in mine[0].items()):
                return replace(own, kind="optimizer", evidence=len(steps), way=e.way)
        return None

    def is_bias(self, state: State) -> bool:
        """Whether a parameter is only ever added."""
        uses = {self.nodes[t].op for v in state.versions[:3] for t in self.roles.users.get(v, ()) if t not in self.stop}
        return "add" in uses and not uses & {"multiply", *PRODUCTS}

    def same_line(self, state: State, other: State) -> bool:
        """Whether one line makes the steps of both."""
        return self.nodes[state.versions[1]].place == self.nodes[other.versions[1]].place


def _times(output: NodeId, sign: float, g: Array) -> list[tuple[NodeId, Array]]:
    """What goes back from the slope of a loss: it is the derivative by the output."""
    return [(output, sign * g)]


def _nothing(g: Array) -> list[tuple[NodeId, Array]]:
    return []


def _whole_to(version: NodeId, g: Array) -> list[tuple[NodeId, Array]]:
    """What goes back from a point ahead: the derivative there is taken for the one at the parameter."""
    return [(version, g)]
