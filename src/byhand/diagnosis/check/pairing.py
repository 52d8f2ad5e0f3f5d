"""What gives back inputs with their targets, in another order or in parts: each input must keep its own target."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import Array, arrays_of
from byhand.diagnosis.check.defined import File, needed
from byhand.diagnosis.check.facts import Fact

_SAMPLES, _FEATURES, _PART = 9, 4, 3
_NUMBERS = np.arange(1.0, _SAMPLES + 1)
_DRAWS = r"permutation|permuted|shuffle|choice|randint|integers|sample"
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


def _draws(call: ast.Call) -> bool:
    return re.search(rf"\b({_DRAWS})$", ast.unparse(call.func)) is not None


def _answers(file: File, function: ast.FunctionDef) -> Iterator[bool | None]:
    """For each layout whether an input comes back with another target; None where no pairs come back."""
    if len(needed(function)) < 2 or function.args.vararg is not None:
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
                yield _is_torn([a for _, a in arrays_of(names["result_"], "") if a.ndim], axis)


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
