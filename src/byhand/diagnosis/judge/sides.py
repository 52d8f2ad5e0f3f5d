"""Losses with one slope on each side of an error, as a quantile's, held against one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.convex import meeting
from byhand.diagnosis.judge.roles import NodeId, Roles, made_of
from byhand.diagnosis.judge.steps import Gradients


def with_sides_exchanged(roles: Roles, losses: Iterable[Gradients]) -> NodeId | None:
    """The slope of a step that is on each side of the error what the slope of a loss is on the other; None if none is.

    The loss has to be of the same parameters, and no other that is shown of them may have these slopes.
    """
    shown = [found for gradients in losses for found in _shown(roles, gradients)]
    for end, (output, sign) in roles.slopes.items() if shown else ():
        errors = (e for t in made_of(roles.nodes, end) for o, e in meeting(roles, t) if o == output)
        own = next((_sides(e, sign * roles.nodes[end].value) for e in errors), None)
        theirs = [found for mask, found in shown if mask == roles.rests_on[end]]
        are_alike = own is not None and any(np.allclose(low * own[1], high * own[0]) for low, high in theirs)
        if own is not None and not are_alike and any(np.allclose(low * own[0], high * own[1]) for low, high in theirs):
            return end
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
