"""Steps that are made where a number lies beyond another, and the hinge that a program shows: of one margin or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from byhand.diagnosis.judge.convex import COMPARED
from byhand.diagnosis.judge.fits import Explanation, all_equal, proportion
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import NodeId, Objective, State
from byhand.diagnosis.judge.steps import Course, Gradients
from byhand.diagnosis.tape.nodes import Const

_SAME = 1e-6
_FEW = 3


@dataclass(frozen=True)
class Margin:
    """The numbers beyond which steps are made, and what penalty they have."""

    beyond: frozenset[float]
    penalty: float


def margin_of(course: Course, objective: Objective, explained: Mapping[State, Explanation]) -> Margin:
    """The margin of steps that follow one."""
    users = [u for t in objective.seeds[:_FEW] for u in course.roles.users.get(t, ())]
    numbers = (_number(course, a) for u in users if course.nodes[u].op in COMPARED for a in course.nodes[u].args)
    beyond = {n for n in numbers if n is not None}
    return Margin(frozenset(beyond), max((e.share for e in explained.values()), default=0.0))


def agrees_with(course: Course, margin: Margin) -> bool:
    """Whether each loss of a stretch that has a hinge bends at this margin, and has its penalty."""
    losses = (o for o in course.roles.objectives if o.kind == "loss")
    return all(_agrees(course, o, course.gradient(o), margin) for o in losses)


def _agrees(course: Course, objective: Objective, gradients: Gradients, margin: Margin) -> bool:
    nodes = course.nodes
    hinges = [t for t in gradients if nodes[t].op in ("maximum", "fmax")]
    bends = {n for t in hinges for a in nodes[t].parents() for n in _subtracted_from(course, a)}
    if not bends:
        return True
    if not all(any(abs(b - n) <= _SAME for n in margin.beyond) for b in bends):
        return False
    for state in course.roles.parameters(objective.rests_on):
        uses = penalties(course.roles, state, gradients)
        bare = course.bare(objective, uses)
        sized = [a for u in uses for a in nodes[u].parents()]  # a step may lie between the two
        for v in [v for v in sized if v in bare and v in gradients and nodes[v].value.any()][:1]:
            share = proportion(gradients[v] - bare[v], nodes[v].value, _SAME)
            if share is None or not all_equal([share, margin.penalty]):
                return False
    return True


def _subtracted_from(course: Course, t: NodeId) -> Iterator[float]:
    """The number that a value is subtracted from, if it is."""
    node = course.nodes[t]
    number = _number(course, node.args[0]) if node.op == "subtract" else None
    if number is not None:
        yield number


def _number(course: Course, a: int | Const) -> float | None:
    """A single number that rests on no parameter."""
    if type(a) is int and course.roles.rests_on[a]:
        return None
    value = np.asarray(a.value if isinstance(a, Const) else course.nodes[a].value)
    return float(value.ravel()[0]) if value.size == 1 else None
