"""Steps that are multiplied with a number made of their own gradient's length: whether it makes long ones shorter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from byhand.diagnosis.findings import Finding
from byhand.diagnosis.judge.fits import Step
from byhand.diagnosis.judge.increments import scaled_by
from byhand.diagnosis.judge.locate import place_of
from byhand.diagnosis.judge.roles import NodeId, made_of
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.tape.derive import sweep

_ROOTS = {"sqrt", "norm", "linalg.norm"}
_FEW = 3  # steps of each parameter
_FARTHEST = 200  # values that a number is made of
_CLEARLY = 1e-6  # more than not at all


def made_longer(sight: Sight) -> Iterator[Finding]:
    """A gradient that is multiplied with its own length, as where one is to be clipped and the quotient is turned."""
    trial = sight.trial
    for state in trial.explained if trial is not None else ():
        for step in sight.course.steps(state, trial.gradients, most=_FEW):  # type: ignore[union-attr]
            found = _grows_with_its_length(sight, step)
            if found is not None:
                number, at = found
                value = float(np.ravel(sight.value(number))[0])
                text = f"The gradient is multiplied with {value:.3g} before the step, a number that grows with the "
                text += "gradient's own length: the longer it is, the longer still it is made. What clips a gradient "
                text += "divides it by its length."
                yield Finding("clipping-turned-round", place_of(sight.course, at), "exact", text, {"factor": value})
                return


def _grows_with_its_length(sight: Sight, step: Step) -> tuple[NodeId, NodeId] | None:
    """A number that a gradient is multiplied with, and its place, if all such numbers together grow with its length."""
    growth, factors = dict[NodeId, float](), dict[NodeId, tuple[NodeId, NodeId]]()
    for product, whole, number, power in scaled_by(sight.course.roles, step):
        for root in _lengths_of(sight, whole, number):
            slope = np.ones(()) if root == number else sweep(sight.nodes, {number: np.ones(())}, {root}).get(root)
            if slope is not None:
                relative = float(np.sum(slope) * np.sum(sight.value(root)) / (np.sum(sight.value(number)) or 1.0))
                growth[root] = growth.get(root, 0.0) + power * relative
                factors.setdefault(root, (number, product if root == number else number))
    return next((factors[root] for root, by in growth.items() if by > _CLEARLY), None)


def _lengths_of(sight: Sight, whole: NodeId, number: NodeId) -> Iterator[NodeId]:
    """The lengths of something that a number is made of."""
    behind = made_of(sight.nodes, number, farthest=_FARTHEST)
    for root in (t for t in behind if sight.nodes[t].op in _ROOTS and sight.nodes[t].value.size == 1):
        if whole in made_of(sight.nodes, root, farthest=_FARTHEST):
            yield root
