"""What a loss may be wrong in though its gradients are right up to a factor: in what is not to be differentiated."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import permutations
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import Array, Claim
from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.differences import NEAR, factor_of
from byhand.diagnosis.check.facts import Fact
from byhand.diagnosis.check.families import is_labels

_ZEROS = r"(?i)\b0\s*[*·]?\s*log\s*\(?\s*0|(may|can|might) (be|have|hold|contain) (zero|0)|(zero|0) entries"
"""How a text says that shares may be 0."""


def costs(file: File, claim: Claim, unit: str) -> Iterator[Fact]:
    """What is wrong in the loss of a claim whose gradients are right."""
    if claim.kind == "loss":
        with contextlib.suppress(Exception):
            yield from _above_0(file, claim, unit)
            yield from _of_zeros(file, claim, unit)
            yield from _of_tens(file, claim, unit)


def _of_zeros(file: File, claim: Claim, unit: str) -> Iterator[Fact]:
    """Told when shares may be 0, as the text says, and the loss is no number then: 0 log 0 is to be 0."""
    cost = file.function(claim.functions[-2:][0])
    if not re.search(_ZEROS, ast.get_docstring(cost) or ""):
        return
    data = {n: v for n, v in claim.given.items() if isinstance(v, np.ndarray) and n not in claim.gradients}
    for name, shares in data.items():
        if shares.ndim == 2 and (shares > 0).all() and np.allclose(shares.sum(axis=1), 1):
            hot = np.eye(shares.shape[1])[shares.argmax(axis=1)]
            if not np.isfinite(claim.loss(file, {name: hot})):
                argument = name.removesuffix("_")
                logs = [n for n in ast.walk(cost) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("log")]
                lines = [n.lineno for n in logs if argument in ast.unparse(n)] or [n.lineno for n in logs]
                message = (
                    f"Where a share of {argument} is 0, which it may be, the loss is no number: 0 log 0 is to be 0."
                )
                yield Fact(unit, min(lines), "log-of-zero", message)


def _of_tens(file: File, claim: Claim, unit: str) -> Iterator[Fact]:
    """Told when the gradients are those of the natural logarithm, and the loss has that to base 10."""
    calls = [n for name in sorted(file.behind(claim.functions)) for n in ast.walk(file.function(name))]
    logs = [n.lineno for n in calls if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("log10")]
    factor = factor_of(file, claim) if logs else None
    if factor is not None and any(np.isclose(factor * np.log(10), usual, rtol=NEAR) for usual in (1, 2, 0.5)):
        message = "The gradients are log 10 times those of the loss, whose logarithm is to base 10: they are those of "
        yield Fact(unit, min(logs), "loss-wrong", f"{message}the natural one.")


def _above_0(file: File, claim: Claim, unit: str) -> Iterator[Fact]:
    """Told when a loss of classes stays above 0 though each sample's own class wins by as much as one likes."""
    labels = [v for v in claim.given.values() if is_labels(v) and v.ndim == 1]
    arrays = {n: v for n, v in claim.given.items() if isinstance(v, np.ndarray) and v.ndim == 2}
    numbers: dict[str, Any] = {n: 0.0 for n, v in claim.given.items() if type(v) is float}
    for clear in _won(labels[0], arrays) if len(labels) == 1 and len(arrays) <= 2 else ():
        with contextlib.suppress(Exception):
            far, farther = (claim.loss(file, {**numbers, **clear(size)}) for size in (50.0, 100.0))
            if far > NEAR and abs(far - farther) < NEAR:
                cost = file.function(claim.functions[-2:][0])
                places = [n for n in ast.walk(cost) if isinstance(n, ast.Call) and "max" in ast.unparse(n.func)]
                sums = [n for n in ast.walk(cost) if isinstance(n, ast.AugAssign)]
                message = f"The loss stays at {far:.3g} however clearly each sample's own class wins: "
                message += "the own class is counted as well."
                yield Fact(unit, max(n.lineno for n in places[-1:] or sums[:1]), "loss-wrong", message)
                return


def _won(labels: Array, arrays: Mapping[str, Array]) -> Iterator[Callable[[float], dict[str, Array]]]:
    """Scores, or inputs and weights, in which each sample's own class wins, so clearly as one asks for."""
    n, classes = labels.size, int(labels.max()) + 1
    hot = np.eye(classes)[labels]
    for name, scores in arrays.items():
        if scores.shape in (hot.shape, hot.T.shape):
            won = hot if scores.shape == hot.shape else hot.T
            yield lambda size, name=name, won=won: {name: size * won}  # type: ignore[misc]
    for x, w in permutations(arrays, 2):
        inputs, weights = np.zeros(arrays[x].shape), np.zeros(arrays[w].shape)
        if n in inputs.shape and classes in weights.shape and min(inputs.size // n, weights.size // classes) >= classes:
            inputs[:, :classes], weights[:classes] = hot, np.eye(classes)  # in rows, or it fails
            yield lambda size, x=x, w=w, i=inputs, v=weights: {x: i, w: size * v}  # type: ignore[misc]
