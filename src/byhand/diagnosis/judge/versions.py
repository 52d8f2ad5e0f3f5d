"""Parameters read in a step as they no longer were in the forward pass, and the steps with what they were then.

A step may read a parameter after it has changed: a weight that the error is sent back through, a pre-activation that is
computed once more, or all of it where one forward pass serves several steps. Each such read is known from the tape. The
program's own steps, computed again with the versions of the forward pass, show what else is wrong with them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, State, nearest_first
from byhand.diagnosis.judge.steps import Course, Gradients
from byhand.diagnosis.tape.derive import Unknown, forward
from byhand.diagnosis.tape.nodes import Const

_PARTS = {"getitem", "gather", "item"}
_MOVES = _PARTS | {"setitem", "scatter", "copy", "stack", "move"}
_MOST_STEPS = 4  # of each parameter that are computed again
_FARTHEST = 400  # nodes that one value is followed back


@dataclass(frozen=True)
class Read:
    """A read of a version that the forward pass did not use.

    Attributes
    ----------
    at : int
        The operation that reads.
    state : State
    step : int
        The version that is made with it.
    is_own : bool
        Whether the change in between was made from the same output as this step: not from that of another sample.
    is_slope : bool
        Whether it makes a value of the forward pass once more, and does not send an error back.
    """

    at: NodeId
    state: State
    step: NodeId
    is_own: bool
    is_slope: bool


class Versions:
    """Which versions a forward pass used, and which its steps read."""

    def __init__(self, course: Course, gradients: Gradients, states: list[State]) -> None:
        self.course, self.nodes, self.states = course, course.nodes, states
        self.forward = gradients.keys() - course.stop
        self.whole = 0
        for state in states:
            self.whole |= course.roles.bit(state)
        self.used = {state: [v for v in state.versions if v in gradients] for state in states}
        self.first_use = {
            state: [min((t for t in course.roles.users.get(v, ()) if t in gradients), default=v) for v in versions]
            for state, versions in self.used.items()
        }

    def in_force(self, state: State, t: NodeId) -> NodeId | None:
        """The version that the last forward pass before a node used."""
        k = bisect_left(self.first_use[state], t) - 1
        return self.used[state][k] if k >= 0 else None

    def _right(self, t: NodeId, a: int) -> NodeId | None:
        """The version that an operation of a step should read where it reads another."""
        state = self.course.roles.versions.get(a)
        if state is None or state not in self.used or t in self.forward:
            return None
        return self.in_force(state, t)

    @cached_property
    def spans(self) -> dict[State, list[tuple[NodeId, NodeId]]]:
        """For each state its first steps, from one version that a forward pass used to the next."""
        limit = self.course.limit
        return {s: [(v, w) for v, w in pairwise(used) if w <= limit][:_MOST_STEPS] for s, used in self.used.items()}

    # -- reads ---------------------------------------------------------------------------------------------------------

    @cached_property
    def reads(self) -> list[Read]:
        """The reads of other versions, each place of the text once for each state."""
        found: dict[tuple[object, int, bool], Read] = {}
        for state, spans in self.spans.items():
            steps = [w for v, end in spans for w in state.versions if v < w <= end]
            for step in steps:
                for read in self._reads_for(state, step):
                    found.setdefault((self.nodes[read.at].site, id(read.state), read.is_own), read)
        return list(found.values())

    def _reads_for(self, state: State, step: NodeId) -> Iterator[Read]:
        added_to = self._added_to(step)
        for t in self._made_of(step):
            for a in self.nodes[t].parents():
                right = self._right(t, a)
                if right is not None and a > right and t not in added_to:
                    other = self.course.roles.versions[a]
                    is_own = bool(self._outputs_behind(a) & self._outputs_behind(step))
                    yield Read(t, other, step, is_own, self._makes_again(t, a, other))

    def _added_to(self, step: NodeId) -> set[NodeId]:
        """The operations of a step that only take the version before and add to it."""
        found, waiting = set[NodeId](), [step]
        while waiting:
            t = waiting.pop()
            node = self.nodes[t]
            found.add(t)
            if node.op in ("setitem", "scatter"):
                waiting += [a for a in node.parents() if a not in self.course.stop]
            elif node.op in _PARTS | {"add", "subtract", "copy", "move"}:
                waiting += [a for a in node.parents()[:1] if a not in self.course.stop]
        return found

    def _makes_again(self, t: NodeId, a: NodeId, state: State) -> bool:
        """Whether a read stands in a value of the forward pass: what meets the parameter does not rest on it."""
        waiting = [t]
        for _ in range(6):
            t = waiting.pop()
            node = self.nodes[t]
            if node.op in PRODUCTS | {"multiply"}:
                others = [p for p in node.parents() if p != a]
                return not any(self.course.roles.rests_on[p] & self.course.roles.bit(state) for p in others)
            if node.op == "add":
                return True
            users = self.course.roles.users.get(t, ())
            if not users:
                return False
            a = t
            waiting.append(users[0])
        return False

    def _made_of(self, step: NodeId) -> list[NodeId]:
        """What a step was made of since the forward pass, not through other versions."""
        start = min((v for s in self.states if (v := self.in_force(s, step)) is not None), default=0)
        closed = self.course.stop

        def parents(t: NodeId) -> list[NodeId]:
            return [a for a in self.nodes[t].parents() if a > start and a not in closed]

        return sorted(nearest_first([step], parents, _FARTHEST))

    def _outputs_behind(self, step: NodeId) -> set[tuple[NodeId, str]]:
        """The outputs of the forward pass that a step was made from: an array and which part of it, or a value."""

        def parents(t: NodeId) -> list[NodeId]:
            return [a for a in self.nodes[t].parents() if self._rests_on_all(a)] if t not in self.handed_on else []

        return {self._picked(t) for t in nearest_first([step], parents, _FARTHEST) if t in self.handed_on}

    def _picked(self, t: NodeId) -> tuple[NodeId, str]:
        part = ""
        while self.nodes[t].op in _PARTS and self.nodes[t].args[0] in self.handed_on:
            part, t = str(self.nodes[t].kw), self.nodes[t].parents()[0]
        return t, part

    def _rests_on_all(self, t: NodeId) -> bool:
        return t not in self.course.stop and self.course.roles.rests_on[t] & self.whole == self.whole

    @cached_property
    def handed_on(self) -> set[NodeId]:
        """Outputs of the forward pass, and what they were only put into or picked from."""
        found: set[NodeId] = set()
        for t, node in enumerate(self.nodes[: self.course.limit]):
            resting = [a for a in node.parents() if self.course.roles.rests_on[a]]
            moved = node.op in _MOVES and bool(resting) and all(a in found for a in resting)
            if self._rests_on_all(t) and (moved or t in self.forward):
                found.add(t)
        return found

    def output_of(self, step: NodeId) -> NodeId | None:
        """The output that a step was made from."""
        return min((t for t, _ in self._outputs_behind(step)), default=None)

    # -- steps computed again ------------------------------------------------------------------------------------------

    def mended(self) -> dict[NodeId, tuple[NodeId, Array]] | None:
        """For each version that was used the next one, and the change with the parameters as the forward pass had them.

        None where an operation in between can't be computed again.
        """
        found: dict[NodeId, tuple[NodeId, Array]] = {}
        try:
            for state, spans in self.spans.items():
                for v, end in spans:
                    change = np.zeros_like(self.nodes[v].value, dtype=float)
                    for w in state.versions:
                        if v < w <= end:
                            change += np.reshape(self._again(w, state, v) - self.nodes[v].value, change.shape)
                    found[v] = end, change
        except (Unknown, ValueError, IndexError):
            return None
        return found

    def _again(self, step: NodeId, state: State, start: NodeId) -> Array:
        """A step's outcome with all versions that it reads replaced by those of the forward pass."""
        values: dict[NodeId, Array] = {}
        for t in self._made_of(step):
            args: list[object] = []
            changed = False
            for a in self.nodes[t].args:
                value = a.value if isinstance(a, Const) else values.get(a, self.nodes[a].value)
                right = self._right(t, a) if type(a) is int else None
                if type(a) is int and self.course.roles.versions.get(a) is state:
                    right = start
                if right is not None and right != a:
                    value = np.reshape(self.nodes[right].value, np.shape(value))
                    changed = True
                changed = changed or a in values
                args.append(value)
            if changed:
                values[t] = forward(self.nodes[t], args)
        return values.get(step, self.nodes[step].value)
