"""Parameters that lie in one vector: which parts the forward pass reads, and which of them follow the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from byhand._types import Array
from byhand.diagnosis.judge.fits import Step, angle, proportion
from byhand.diagnosis.judge.increments import made_since
from byhand.diagnosis.judge.roles import VIEWS, NodeId, State
from byhand.diagnosis.judge.steps import Course, Gradients

_PART = 1e-6


@dataclass(frozen=True)
class Part:
    """Some numbers of a vector, by the name that the program gives them, and the factor of their steps.

    The factor is None where the steps are no multiple of the gradient; `angle`, in degrees, lies between the first and
    it. `at` is where what they are stepped by is made.
    """

    name: str
    factor: float | None
    at: NodeId
    angle: float


def parts(course: Course, state: State, gradients: Gradients) -> list[Part]:
    """The parts of a vector as the forward pass takes them out of it; empty where they are not all of it."""
    steps = [s for s in course.steps(state, gradients, most=4) if s.gradient.any()]
    if len(steps) < 2 or steps[0].change.ndim != 1:
        return []
    taken = _taken_out(course, steps[0].before)
    whole = np.concatenate(list(taken.values())) if taken else np.empty(0)
    if len(taken) < 2 or not np.array_equal(np.sort(whole), np.arange(state.size)):
        return []
    return [_part(course, steps, view, numbers) for view, numbers in taken.items()]


def _taken_out(course: Course, version: NodeId) -> dict[NodeId, npt.NDArray[np.intp]]:
    """The first views of a vector that are not all of it, and which of its numbers each has."""
    found: dict[NodeId, npt.NDArray[np.intp]] = {}
    numbers = np.arange(course.nodes[version].value.size)
    for t in course.roles.users.get(version, ()):
        node = course.nodes[t]
        if node.op not in VIEWS or t in course.stop or node.value.size in (0, numbers.size):
            continue
        mine = numbers[node.kw["k"]] if node.op == "getitem" else np.asarray(node.kw.get("idx", numbers))
        if not any(np.array_equal(mine, other) for other in found.values()):
            found[t] = np.ravel(mine)
    return found


def _part(course: Course, steps: list[Step], view: NodeId, numbers: npt.NDArray[np.intp]) -> Part:
    names = (course.roles.names.get(t, "") for t in (view, *course.roles.users.get(view, ())))
    pairs = [(s.change[numbers], s.gradient[numbers]) for s in steps]
    factors = [proportion(d, g, _PART) for d, g in pairs]
    known = [c for c in factors if c is not None]
    d, g = pairs[0]
    made = [t for t in made_since(course.roles, steps[0]) if _is_multiple(course.nodes[t].value, d)]
    factor = known[0] if len(known) == len(factors) else None
    return Part(next(filter(None, names), ""), factor, min(made, default=steps[0].after), angle(-d, g))


def _is_multiple(value: Array, d: Array) -> bool:
    return value.size == d.size > 1 and bool(proportion(np.ravel(value).astype(float), d, _PART))
