"""Steps that bring what they have made nearer to 0, for a penalty on sizes: by how much the loss says they should."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.fits import EXACT, equal, proportion
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import NodeId, Objective, State, rescaled
from byhand.diagnosis.judge.steps import Course, Gradients

_USUAL = (1.0, 2.0, 0.5)  # a loss is shown with or without its 2 or ½


def other_thresholds(course: Course, loss: Objective, gradients: Gradients) -> Iterator[tuple[State, float, NodeId]]:
    """What numbers are brought nearer to 0 by, as a multiple of step times penalty, and after which value."""
    nodes = course.nodes
    for state in course.roles.parameters(loss.rests_on):
        uses = penalties(course.roles, state, gradients)
        bare = course.bare(loss, uses)
        for v, moved, near in zip(state.versions, state.versions[1:], state.versions[2:], strict=False):
            if v not in bare or rescaled(nodes, near) != moved or not nodes[near].value.any():
                continue
            step = proportion(nodes[moved].value - nodes[v].value, bare[v], EXACT)
            penalty = _one_number(gradients[v] - bare[v])
            taken = _one_number((np.abs(nodes[moved].value) - np.abs(nodes[near].value))[nodes[near].value != 0])
            asked = [-usual * step * penalty for usual in _USUAL] if step and step < 0 and penalty else []
            if taken and asked and not any(equal(taken, by) for by in asked):
                yield state, taken / asked[0], moved
                break


def _one_number(values: Array) -> float | None:
    """The size that all numbers have which are not 0."""
    sizes = np.abs(values[values != 0])
    return float(sizes[0]) if sizes.size and np.allclose(sizes, sizes[0], rtol=EXACT) else None
