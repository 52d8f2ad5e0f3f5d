"""Functions that step parameters with moments of the gradient, held against the optimizers that take such moments.

All that they are given is drawn and pairwise different, so that only one reading fits. A function is this room's
business once its new moments are an optimizer's: then its step must be one's, too; what else it may be is not judged.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.check.arguments import own_names
from byhand.diagnosis.check.claims import Array, arrays_of
from byhand.diagnosis.check.defined import File, is_tame
from byhand.diagnosis.check.differences import Answer
from byhand.diagnosis.check.lines import line_of

NUMBERS = {"rate": 0.3, "beta": 0.9, "beta2": 0.7, "t": 3, "epsilon": 1e-10}
_GIVEN = np.random.default_rng(11)
_P, _G = _GIVEN.normal(size=6), _GIVEN.normal(size=6)
_V, _S = _GIVEN.random(6) + 0.2, _GIVEN.random(6) + 0.2
_WEIGHTS = 4
"""So many of the numbers are weights; the others are biases."""
_CLOSE = 1e-6
_NAMES = {
    "rate": r"alpha|a?lr\w*|\w*rate\w*|eta|step\w*|gamma|taux\w*|tasa\w*|taxa\w*",
    "beta": r"beta_?1?|mu|rho|gamma|decay\w*|momentum",
    "beta2": r"beta_?2|rho_?2",
    "t": r"t|i|k|n|epoch\w*|iter\w*|time\w*|steps?",
    "epsilon": r"eps\w*",
}
"""What an argument that is a number may be called, by what it may be; everything else is an array."""


class Rule(NamedTuple):
    """New moments and a step that may be made of them; if it is wrong, what is said of it, and which value shows it."""

    moments: tuple[Array, ...]
    step: Array
    says: str = ""
    id: str = ""
    shown: Array | None = None


def _rules() -> Iterator[Rule]:
    """The optimizers by their formulas, and what a slip makes of them."""
    r, b, b2, t, _ = NUMBERS.values()
    mean, total, far = b * _V + (1 - b) * _G, b * _V + _G, b * _V - r * _G
    for v in (mean, total):
        yield Rule((v,), -r * v)
        yield Rule((v,), -r * (_G + b * v))
        yield Rule((v,), r * v, "it adds the moment, and so goes up", "sign-flipped")
    yield Rule((far,), far)
    yield Rule((far,), b * far - r * _G)
    for s in (b * _V + (1 - b) * _G**2, _V + _G**2):
        yield Rule((s,), -r * _G / np.sqrt(s))
        yield Rule((s,), -r * _G / s, "it divides by the mean square, and not by its root", "root-missing")
        yield Rule((s,), r * _G / np.sqrt(s), "it adds the gradient, and so goes up", "sign-flipped")
    square = b2 * _S + (1 - b2) * _G**2
    m, s, root = mean / (1 - b**t), square / (1 - b2**t), np.sqrt(square / (1 - b2**t))
    wrong_first, wrong_second = mean / (1 - b2**t), square / (1 - b**t)
    for step, says, id_, *shown in (
        (-r * m / root, "", ""),
        (-r * (b * m + (1 - b) * _G / (1 - b**t)) / root, "", ""),
        (
            -r * m / np.sqrt(wrong_second),
            "the second moment is corrected with the first one's β",
            "bias-correction-wrong",
            wrong_second,
        ),
        (
            -r * wrong_first / root,
            "the first moment is corrected with the second one's β",
            "bias-correction-wrong",
            wrong_first,
        ),
        (-r * mean / root, "the first moment is not corrected, and the second is", "bias-correction-wrong"),
        (-r * m / np.sqrt(square), "the second moment is not corrected, and the first is", "bias-correction-wrong"),
        (-r * m / s, "it divides by the second moment, and not by its root", "root-missing"),
        (-r * _G / root, "the gradient stands in the place of its moment", "unknown"),
        (r * m / root, "it adds the moment, and so goes up", "sign-flipped"),
    ):
        yield Rule((mean, square), step, says, id_, *shown)
    yield Rule((mean, square), -r * mean / np.sqrt(square))


RULES = tuple(_rules())


class Update(NamedTuple):
    """What is said of a function that steps parameters, and at which line."""

    name: str
    answer: Answer
    line: int = 0
    says: str = ""
    id: str = "unknown"


def updates(file: File) -> Iterator[Update]:
    """The functions whose new moments are an optimizer's: whether their step is, and what is wrong with it."""
    for name, function in file.functions.items():
        found = list(_readings(file, name, own_names(function))) if is_tame(function) else []
        stepped = [(rule, run) for rule, run, outs in found if _has(outs, _P + rule.step)]
        if any(not rule.says for rule, _ in stepped):
            yield Update(name, "right")
        elif stepped:
            rule, run = stepped[0]
            shown = _P + rule.step if rule.shown is None else rule.shown
            lines = [line_of(run, name, part, 0) for part in (shown, shown[:_WEIGHTS])]  # the whole, or one of a table
            yield Update(name, "wrong", min(lines), rule.says, rule.id)
        elif found:
            yield Update(name, "unclear")


def _readings(file: File, name: str, names: list[str]) -> Iterator[tuple[Rule, Callable[[], object], list[Array]]]:
    """The rules whose moments a function gives, a call with which it does, and all that the call gives."""
    may_be = {a: [n for n, pattern in _NAMES.items() if re.fullmatch(pattern, a, re.I)] for a in names}
    arrays, numbers = [a for a in names if not may_be[a]], [a for a in names if may_be[a]]
    if not numbers or not 3 <= len(arrays) <= 4:
        return
    orders = [order for order in product(*(may_be[a] for a in numbers)) if len(set(order)) == len(order)]
    text = f"result_ = {name}({', '.join(f'{a}={a}_' for a in names)})"
    for form, places, order in product(_FORMS, permutations(range(len(arrays))), orders):

        def run(form: Any = form, places: Any = places, order: Any = order) -> dict[str, Any]:
            given = {f"{a}_": form((_P, _G, _V, _S)[k], k) for a, k in zip(arrays, places, strict=True)}
            given |= {f"{a}_": NUMBERS[n] for a, n in zip(numbers, order, strict=True)}
            file.run(given, text)
            return given

        with contextlib.suppress(Exception):
            outs = [vector for out in run().values() for vector in _vectors(out)]
            for rule in RULES:
                if len(rule.moments) == len(arrays) - 2 and all(_has(outs, moment) for moment in rule.moments):
                    yield rule, run, outs


def _table(vector: Array, role: int) -> dict[str, Array]:
    """A dictionary of parameters, or of what belongs to them."""
    d = "" if role == 0 else "d"
    return {f"{d}W1": vector[:_WEIGHTS].reshape(2, 2).copy(), f"{d}b1": vector[_WEIGHTS:].reshape(2, 1).copy()}


_FORMS = (lambda vector, _: vector.reshape(3, 2).copy(), _table)
"""An array for all parameters, or a dictionary."""


def _vectors(out: Any) -> Iterator[Array]:
    """What comes back, or has been written into: the numbers of each array, or of all of a dictionary's."""
    for part in out if isinstance(out, tuple | list) else [out]:
        found = [a.ravel() for _, a in arrays_of(part, "")]
        if found:
            yield np.concatenate(found)


def _has(outs: list[Array], vector: Array) -> bool:
    return any(out.shape == vector.shape and np.allclose(out, vector, rtol=_CLOSE, atol=0) for out in outs)
