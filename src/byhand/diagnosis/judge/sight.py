"""One stretch of a run with all that is known of it: roles, verdict, forward pass, names."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge.anatomy import Anatomy, Region
from byhand.diagnosis.judge.mends import Mend, mends_of
from byhand.diagnosis.judge.origins import Origins
from byhand.diagnosis.judge.roles import NodeId, State
from byhand.diagnosis.judge.steps import Course
from byhand.diagnosis.judge.verdict import Trial, Verdict
from byhand.diagnosis.judge.windows import Stretch
from byhand.diagnosis.tape.nodes import Node
from byhand.diagnosis.tape.run import Trace

_LOSS_POINTS = 200


class Sight:
    """A stretch of a trace, and its verdict."""

    def __init__(self, trace: Trace, stretch: Stretch, verdict: Verdict) -> None:
        self.trace = trace
        self.stretch = stretch
        self.verdict = verdict
        self.course: Course = verdict.course
        self.trial: Trial | None = verdict.trial

    @property
    def nodes(self) -> list[Node]:
        """The stretch's nodes."""
        return self.stretch.nodes

    @cached_property
    def body(self) -> Anatomy | None:
        """The forward pass of the objective."""
        if self.trial is None:
            return None
        plain = self.trial.gradients
        if self.trial.overrides:
            plain = self.course.gradient(self.trial.objective)
        return Anatomy(self.course.roles, plain, len(self.nodes))

    @cached_property
    def mends(self) -> list[Mend]:
        """What would make the steps in which there is a mistake follow the gradient."""
        if self.trial is None or self.course.mended is not None:
            return []
        odd = list(dict.fromkeys(s for m in self.verdict.mistakes for s in m.states))
        held = [s for s, e in self.trial.explained.items() if e.right and s not in odd]
        gradients = self.course.gradient(self.trial.objective, self.trial.overrides)
        return mends_of(self.course, gradients, odd, held)[1]

    @cached_property
    def origins(self) -> Origins:
        """Which rows of the data each value comes from."""
        return Origins(self.nodes, self.course.stop)

    @cached_property
    def layers(self) -> list[list[Region]]:
        """The activations of the forward pass, from the input to the output."""
        if self.body is None:
            return []
        return sorted(self.body.regions.values(), key=lambda regions: (regions[0].a,))

    @cached_property
    def errors(self) -> list[NodeId]:
        """The nodes where an output meets its target."""
        kinds = [o for o in self.course.roles.objectives if o.kind == "error"]
        if self.trial is not None and self.trial.objective.kind in ("error", "link", "slope"):
            return self.trial.objective.seeds
        mask = self.trial.objective.rests_on if self.trial is not None else 0
        return next((o.seeds for o in kinds if o.rests_on == mask), kinds[0].seeds if kinds else [])

    @cached_property
    def samples(self) -> int | None:
        """How many samples the output is compared with before a step, or in one sum of the loss."""
        if not self.sums:
            return self.at_once and self.at_once * self._parts
        assert self.trial is not None
        return (self.at_once or 1) * (len(self.trial.objective.seeds) // len(self.sums))

    @property
    def _parts(self) -> int:
        """Of how many numbers that are losses themselves one value of the loss is the sum; 1 where it is none."""
        if self.trial is None or self.trial.objective.kind != "loss":
            return 1
        first = replace(self.trial.objective, seeds=self.trial.objective.seeds[:1])
        reached = self.course.reached_from(first)
        losses = [o.seeds for o in self.course.roles.objectives if o.kind == "loss"]
        return max(1, *(len(reached.intersection(seeds)) for seeds in losses))

    @cached_property
    def at_once(self) -> int | None:
        """How many samples one output holds, as far as the shapes tell."""
        shape = self._error_shape
        return None if not shape else shape[0] if self._rows_are_samples else shape[-1]

    @cached_property
    def outputs(self) -> int | None:
        """How many outputs a sample has."""
        shape = self._error_shape
        if shape is None:
            return None
        return 1 if len(shape) < 2 else shape[1] if self._rows_are_samples else shape[0]

    @property
    def _error_shape(self) -> tuple[int, ...] | None:
        return self.nodes[self.errors[0]].value.shape if self.errors else None

    @property
    def _rows_are_samples(self) -> bool:
        shape = self._error_shape or ()
        return len(shape) != 2 or shape[0] >= shape[1]

    @property
    def sums(self) -> list[NodeId]:
        """The sums in which the script adds up its loss, sample by sample; empty where none was seen whole."""
        is_whole = bool(self._totals and self.course.roles.users.get(self._totals[-1]))
        return self._totals if is_whole or not self._ends_inside_a_loop else []

    @property
    def _is_added_up(self) -> bool:
        """Whether the loss of one sample after the other is added to a sum."""
        assert self.trial is not None
        users = self.course.roles.users.get(self.trial.objective.seeds[0], ())
        return (self.at_once or 1) == 1 and any(
            self.nodes[u].op == "add" and self.nodes[u].value.size == 1 for u in users
        )

    @property
    def _ends_inside_a_loop(self) -> bool:
        """Whether a loop inside another went on after this stretch was recorded."""
        loops = self.trace.tape.loops
        return any(loops[loop].depth > 0 and end < loops[loop].ticks for loop, (_, end) in self.ticks.items())

    @property
    def ticks(self) -> dict[int, tuple[int, int]]:
        """The turns of each loop, from and to, that were recorded in this stretch."""
        at = max(self.stretch.numbers, default=0)
        return next((w.ticks for w in self.trace.tape.windows if w.start <= at < w.end), {})

    @cached_property
    def _totals(self) -> list[NodeId]:
        """The sums in which the script adds up the numbers of its loss, as far as they were recorded."""
        if self.trial is None or self.trial.objective.kind != "loss":
            return []
        seeds = self.trial.objective.seeds
        for other in self.course.roles.objectives:
            first = other.seeds[0]
            if other.kind == "loss" and self.nodes[first].op == "add" and 1 < 2 * len(other.seeds) <= len(seeds):
                added = {first}
                for t in range(first, seeds[0], -1):
                    added |= set(self.nodes[t].parents()) if t in added and self.nodes[t].op == "add" else set()
                if set(seeds[: len(seeds) // len(other.seeds)]) <= added:
                    return other.seeds
        return []

    @cached_property
    def losses(self) -> tuple[list[float], list[int]]:
        """The script's own loss: the list that it kept of it, or what was recorded of it; none of a sum cut short."""
        if self.trial is None or self.trial.objective.kind != "loss":
            return [], []
        seen = [float(self.nodes[t].value.ravel()[0]) for t in self.sums or self.trial.objective.seeds]
        for series in self.trace.tape.series.values():
            start = [series.values[k] for k, i in enumerate(series.indices) if i < len(seen)]
            wanted = [seen[i] for i in series.indices if i < len(seen)]
            if len(start) >= 2 and np.allclose(start, wanted, rtol=1e-12, equal_nan=True):
                return series.values, series.indices
        if self._is_added_up and not self.sums:
            return [], []
        return seen[:_LOSS_POINTS], list(range(len(seen)))[:_LOSS_POINTS]

    def name(self, state: State) -> str:
        """What the script calls a parameter."""
        if state.name:
            return state.name
        for v in state.versions[1:4]:
            named = self.trace.targets.get(self.nodes[v].file, {}).get(self.nodes[v].line)
            if named:
                return named
        return ""

    def name_of(self, t: NodeId) -> str:
        """What the script calls a value."""
        return self.stretch.names.get(t, "")

    def first_assigned(self, name: str, t: NodeId) -> Place:
        """The first line that assigns to a name, in the file of a value; the line of the value if none does."""
        node = self.nodes[t]
        lines = [n for n, target in self.trace.targets.get(node.file, {}).items() if target == name]
        return Place(min(lines, default=node.line), node.file)

    def names_of_activation(self, a: NodeId) -> dict[str, Any]:
        """What the script calls the input and the result of an activation, and which function it is, where known."""
        if self.body is None:
            return {}
        for regions in self.body.regions.values():
            for region in regions:
                if region.a == a:
                    named = {"z_name": self.name_of(region.z), "a_name": self.name_of(region.a)}
                    known = self.function_of(region)
                    return {k: v for k, v in {**named, "activation": known}.items() if v}
        return {}

    def function_of(self, region: Region) -> str:
        """The name of the activation that a region computes; empty if it is none of the library's."""
        from byhand import activations

        if self.body is None or not self.body.is_elementwise(region):
            return ""
        z = np.linspace(-3, 3, self.nodes[region.z].value.size).reshape(self.nodes[region.z].value.shape)
        a = self.body.replay(region, z)
        names = ("relu", "sigmoid", "tanh")
        return next((n for n in names if np.allclose(a, activations.get(n)(z), atol=1e-9)), "")

    def value(self, t: NodeId) -> Array:
        """A node's value in float64."""
        return np.asarray(self.nodes[t].value, dtype=float)
