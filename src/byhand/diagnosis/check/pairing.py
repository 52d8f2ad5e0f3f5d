"""What gives data back: inputs in another order or in parts, each with its own target; a test set scaled as another."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import Array, arrays_of
from byhand.diagnosis.check.defined import File, is_tame, needed
from byhand.diagnosis.check.facts import Fact
from byhand.diagnosis.check.lines import returned_at

_SAMPLES, _FEATURES, _PART = 9, 4, 3
_NUMBERS = np.arange(1.0, _SAMPLES + 1)
_DRAWS = r"permutation|permuted|shuffle|choice|randint|integers|sample"
_TEST, _TWO = r"(?i)test|val(?!ue)|unseen|held", 2
_SETS = [2 + np.random.default_rng(3).random((n, _FEATURES)) for n in (9, 7)]
_PARTS = 4
"""So many batches are looked at."""
_ROWS = [(_SAMPLES, 1), (_SAMPLES,), (_SAMPLES, 3)]
_COLUMNS = [(1, _SAMPLES), (3, _SAMPLES)]


def pairings(file: File) -> Iterator[Fact]:
    """The functions that draw an order, take inputs and targets, and tear them apart in each layout that fits."""
    for name, function in file.functions.items():
        draws = [n.lineno for n in ast.walk(function) if isinstance(n, ast.Call) and _draws(n)]
        found = [is_torn for is_torn in _answers(file, function) if is_torn is not None] if draws else []
        if found and all(found):
            message = f"Of {_SAMPLES} inputs that {name} is given with their targets some come back with others."
            yield Fact(name, max(draws), "label-shuffle-mismatch", message, "2.8")


def scalings(file: File) -> Iterator[Fact]:
    """The functions that scale a test set beside another one, and by itself."""
    for name, function in file.functions.items():
        taken = needed(function) if is_tame(function) else []
        if len(taken) == _TWO and re.search(_TEST, taken[1]) and not re.search(_TEST, taken[0]):
            with contextlib.suppress(Exception):
                first, other = (_scaled(file, function, moved) for moved in (0.0, 1.0))
                is_scaled = all(not np.allclose(a, b) for a, b in zip(first, _SETS, strict=True))
                if is_scaled and all(map(_is_even, (*first, other[1]))):
                    message = f"{name} scales {taken[1]} by its own numbers, and {taken[0]} by others: the same input "
                    message += "becomes another one in each of them."
                    yield Fact(name, returned_at(function), "scaled-apart", message, "2.8")


def _scaled(file: File, function: ast.FunctionDef, moved: float) -> list[Array]:
    """What comes back of two sets, the first of them moved."""
    x, y = needed(function)
    names: dict[str, Any] = {"x_": _SETS[0] * (1 + moved), "y_": _SETS[1].copy()}
    file.run(names, f"result_ = {function.name}({x}=x_, {y}=y_)\n")
    one, two, *_ = names["result_"]
    return [np.asarray(one, float), np.asarray(two, float)]


def _is_even(scaled: Array) -> bool:
    """Whether all columns have the mean 0, or begin at 0."""
    return any(np.allclose(low(scaled, axis=0), 0) for low in (np.mean, np.min))


def _draws(call: ast.Call) -> bool:
    return re.search(rf"\b({_DRAWS})$", ast.unparse(call.func)) is not None


def _answers(file: File, function: ast.FunctionDef) -> Iterator[bool | None]:
    """For each layout whether an input comes back with another target; None where no pairs come back."""
    is_lazy = any(isinstance(n, ast.Yield) for n in ast.walk(function))
    if len(needed(function)) < _TWO or function.args.vararg is not None or not (is_lazy or is_tame(function)):
        return
    x, y, *rest = needed(function)
    taken = ", ".join([f"{x}=x_", f"{y}=y_", *(f"{a}={_PART}" for a in rest)])
    lines = f"result_ = {function.name}({taken})\n"
    lines += f"result_ = [p for p, _ in zip(result_, range({_PARTS}))] if hasattr(result_, '__next__') else result_\n"
    for shapes, axis in ((_ROWS, 0), (_COLUMNS, -1)):
        for shape in shapes:
            inputs = (_SAMPLES, _FEATURES) if axis == 0 else (_FEATURES, _SAMPLES)
            names: dict[str, Any] = {"x_": _numbered(inputs, axis), "y_": _numbered(shape, axis)}
            with contextlib.suppress(Exception):
                file.run(names, lines)
                given = [names["x_"], names["y_"]]  # it may write into them
                found = [a for _, a in arrays_of(names["result_"], "") if a.ndim] or given
                yield _is_torn(found, axis)


def _numbered(shape: tuple[int, ...], axis: int) -> Array:
    """An array in which each sample's numbers are its own."""
    return np.array(np.broadcast_to(_NUMBERS[:, None] if axis == 0 and len(shape) > 1 else _NUMBERS, shape))


def _is_torn(found: list[Array], axis: int) -> bool | None:
    """Whether inputs lie beside others' targets, in the order in which they come back."""
    are_inputs = [a.ndim == 2 and a.shape[-1 - axis] == _FEATURES for a in found]
    inputs, targets = ([a for a, is_x in zip(found, are_inputs, strict=True) if is_x is of] for of in (True, False))
    if not inputs or len(inputs) != len(targets):
        return None
    pairs = [(_samples(x, axis), _samples(y, axis)) for x, y in zip(inputs, targets, strict=True)]
    are_samples = all(np.isin(a, _NUMBERS).all() for a in found) and all(x.shape == y.shape for x, y in pairs)
    if not are_samples or np.array_equal(pairs[0][0], _NUMBERS):
        return None  # it gives something else, or all as it was
    return any((x != y).any() for x, y in pairs)


def _samples(array: Array, axis: int) -> Array:
    """Whose numbers they are, in order."""
    return array if array.ndim == 1 else array[:, 0] if axis == 0 else array[0]
