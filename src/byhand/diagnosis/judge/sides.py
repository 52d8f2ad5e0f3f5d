"""Losses with one slope on each side of an error, as a quantile's, held against one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.convex import meeting
from byhand.diagnosis.judge.roles import NodeId, Roles
from byhand.diagnosis.judge.steps import Gradients

_SIDES = 2


def with_other_sides(roles: Roles, losses: Iterable[Gradients]) -> tuple[NodeId, bool] | None:
    """The slope of a step with one number on each side of the error, where each loss shown has two others.

    And whether they are those of a loss, each on the other side. The losses are of the same parameters.
    """
    shown = [found for gradients in losses for found in _shown(roles, gradients)]
    for end, (_, sign) in roles.slopes.items() if shown else ():
        own = np.unique(sign * roles.nodes[end].value)  # they grow with the error: wherever the one becomes the other
        theirs = [found for mask, found in shown if mask == roles.rests_on[end]]
        if len(own) == _SIDES and theirs and not any(np.allclose(low * own[1], high * own[0]) for low, high in theirs):
            return end, any(np.allclose(low * own[0], high * own[1]) for low, high in theirs)
    return None


def _shown(roles: Roles, gradients: Gradients) -> Iterator[tuple[int, tuple[float, float]]]:
    """What the outputs rest on of which a loss has one slope on each side, and the two."""
    for t in (t for t in gradients if roles.nodes[t].op == "subtract" and not roles.flows[t]):
        for output, error in meeting(roles, t):
            found = _sides(error, gradients[t] * (1.0 if roles.nodes[t].args[0] == output else -1.0))
            if found is not None:
                yield roles.rests_on[t], found


def _sides(errors: Array, slopes: Array) -> tuple[float, float] | None:
    """What slopes are where outputs are too small, and too large, if on each side they are one number."""
    low, high = (np.unique(np.ravel(slopes)[np.ravel(side)]) for side in (errors < 0, errors > 0))
    return (float(low[0]), float(high[0])) if len(low) == len(high) == 1 else None
