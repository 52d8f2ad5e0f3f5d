"""Steps to where the gradient would be 0, were it to go on as it begins: Newton's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from byhand.diagnosis.judge.fits import Explanation, Step, proportion, tolerance_of
from byhand.diagnosis.judge.increments import made_since
from byhand.diagnosis.judge.roles import NodeId
from byhand.diagnosis.tape.derive import sweep

if TYPE_CHECKING:
    from byhand.diagnosis.judge.steps import Course

_FEWEST, _NEAR = 3, 1e-6
"""Steps, as at a point such as 0 another matrix may be the same, and how nearly it must be the derivative."""
_CLEAR = 1e-6
"""What share of the first gradient one must have, to be more than rounding."""


def newton(course: Course, steps: Sequence[Step]) -> Explanation | None:
    """Steps along what solves H d = g, where g is the gradient and H is the gradient's own derivative.

    How far a step goes along it may be searched for, each time anew.
    """
    largest = max((float(np.abs(s.gradient).max()) for s in steps), default=0.0)
    clear = [s for s in steps if np.abs(s.gradient).max() > _CLEAR * largest]
    factors = {s.before: c for s in clear if (c := _along(course, s)) is not None}
    if len(clear) < _FEWEST or len(factors) < len(clear) or not all(c < 0 for c in factors.values()):
        return None
    return Explanation("optimizer", factors, sum(s.change.size - 1 for s in clear))


def _along(course: Course, step: Step) -> float | None:
    """How often a step goes along Newton's direction; None where it does not."""
    for t in made_since(course.roles, step):
        node = course.nodes[t]
        if node.op == "solve" and len(node.parents()) == 2:
            matrix, gradient = node.parents()
            is_of_loss = proportion(course.nodes[gradient].value, step.gradient, _NEAR)
            c = proportion(step.change, node.value, max(_NEAR, tolerance_of(node.value)))
            if c and is_of_loss and _is_derivative(course, matrix, gradient, step.before):
                return c
    return None


def _is_derivative(course: Course, matrix: NodeId, of: NodeId, by: NodeId) -> bool:
    """Whether a matrix is the derivative of a value by a parameter, as two directions show."""
    value, rng = course.nodes[matrix].value, np.random.default_rng(0)
    for _ in range(2):
        along = rng.normal(size=course.nodes[of].value.shape)
        swept = sweep(course.nodes, {of: along}, course.stop, dep=course.resting).get(by)
        if swept is None or value.shape != (along.size, swept.size):
            return False
        meant = along.ravel() @ value
        if np.abs(swept.ravel() - meant).max() > _NEAR * np.abs(meant).max():
            return False
    return True
