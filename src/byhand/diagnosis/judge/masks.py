"""Numbers that a loss leaves out here and there, as ratings that nobody gave, and that steps are made from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.fits import proportion
from byhand.diagnosis.judge.roles import NodeId, Objective
from byhand.diagnosis.judge.steps import Course, Gradients

_SAME = 1e-6
_TABLE = 2  # axes
_FEW = 3  # errors that are looked at
_CHOSEN = {"max", "min", "maximum", "minimum", "fmax", "fmin", "clip"}


def leaves_out(course: Course, loss: Gradients, error: Objective) -> bool:
    """Whether a loss takes some numbers of an error and leaves out others, in its rows and in its columns.

    Whole rows alone may be other data: those that a training is measured with.
    """
    nodes, roles = course.nodes, course.roles
    if any(nodes[t].op in _CHOSEN for t in loss):
        return False  # the largest error of each row, say: a measure, and no mask of the data's
    targets = {roles.root(b) for t in error.seeds[:_FEW] if nodes[t].op == "subtract" for b in _target(course, t)}
    shape = nodes[error.seeds[0]].value.shape
    same = (
        t
        for t in loss
        if nodes[t].op == "subtract"
        and nodes[t].value.shape == shape
        and any(roles.root(b) in targets for b in _target(course, t))
    )
    return any(_is_mask(loss[t], nodes[t].value) for t in same)


def _target(course: Course, t: NodeId) -> Iterator[NodeId]:
    """What an output is held against in a difference."""
    pair = course.nodes[t].parents()
    if sum(course.roles.rests_on[a] > 0 for a in pair) == 1:
        yield from (a for a in pair if not course.roles.rests_on[a])


def _is_mask(g: Array, error: Array) -> bool:
    """Whether a derivative is one multiple of an error where it is not 0, and is 0 beside it where the error is not."""
    counted, left_out = g != 0, (g == 0) & (error != 0)
    if g.ndim < _TABLE or not left_out.any() or not proportion(g[counted], error[counted], _SAME):
        return False
    return all((counted.any(axis) & left_out.any(axis)).any() for axis in (0, -1)) and bool(np.isfinite(error).all())
