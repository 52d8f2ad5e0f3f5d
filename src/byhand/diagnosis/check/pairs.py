"""A function and its derivative that stand together: in what a function of the file makes, or in a table of them."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.check.claims import Array
from byhand.diagnosis.check.defined import FILE, File, is_tame, needed, quiet
from byhand.diagnosis.check.lines import returned_at
from byhand.diagnosis.check.names import is_marked
from byhand.diagnosis.check.purposes import Held

_AT = np.array([-2.31, -1.73, -1.21, -0.83, -0.47, -0.13, 0.17, 0.53, 0.89, 1.37, 1.91, 2.43])
"""Where no usual function has a kink."""
_STEP, _NEAR, _FAR = 1e-5, 1e-5, 1e-3
_NUMBER = 0.3
"""What a function is given that makes a pair: a slope, a width."""
_MOST = 2
"""Of so many arguments, each a number, a pair may be made."""


class _Pair(NamedTuple):
    """Two functions, where they stand, and whether the second says that it is a derivative."""

    unit: str
    line: int
    there: Callable[..., Any]
    slope: Callable[..., Any]
    is_marked: bool


def pairs(file: File, source: str) -> Iterator[Held]:
    """Of each pair whether the second is the first one's derivative; it is meant so if it says so, or most others are.

    Parameters
    ----------
    file : File
    source : str
        The whole text, with the tables that stand among the definitions.
    """
    made = list(_made(file))
    every = [*made, *_of_tables(file, source, {pair.unit for pair in made})]
    found = {pair: _is_derivative(pair) for pair in every}
    right = [pair for pair, answer in found.items() if answer]
    for pair, answer in found.items():
        if answer:
            yield Held((pair.unit,), "a function and its derivative")
        elif answer is False and (pair.is_marked or len(right) > len(every) / 2 > 1):
            says = f"The second function of {pair.unit} is not the derivative of the first."
            yield Held((pair.unit,), says, _line(file, pair), "derivative-wrong")


def _made(file: File) -> Iterator[_Pair]:
    """The pairs that functions make, of nothing or of numbers."""
    for name, function in file.functions.items():
        inside = [n for n in ast.walk(function) if isinstance(n, ast.FunctionDef | ast.Lambda) and n is not function]
        if inside and len(needed(function)) <= _MOST and is_tame(function):
            names: dict[str, Any] = {}
            with contextlib.suppress(Exception):
                file.run(names, f"made_ = {name}({', '.join(f'{a}={_NUMBER}' for a in needed(function))})\n")
                yield from _pairs_in(names["made_"], name, function.lineno)


def _of_tables(file: File, source: str, makers: Collection[str]) -> Iterator[_Pair]:
    """The pairs that are written down outside of functions; nothing else than what makes pairs is called for it."""
    for node in ast.parse(source).body:
        inside = [n for n in ast.walk(node) if isinstance(n, ast.Lambda)]
        later = [n for function in inside for n in ast.walk(function)]
        calls = {ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call) and n not in later}
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Dict | ast.List | ast.Tuple)
            and calls <= {*makers}
        ):
            names: dict[str, Any] = {}
            with contextlib.suppress(Exception), quiet():
                exec(compile(ast.Module([node], []), FILE, "exec"), file.names, names)
                for name, value in names.items():
                    yield from _pairs_in(value, name, node.lineno)


def _pairs_in(value: Any, unit: str, line: int) -> Iterator[_Pair]:
    """What is a pair itself, or holds some."""
    if not isinstance(value, dict | list | tuple):
        return
    items = value if isinstance(value, dict) else dict(enumerate(value))
    if len(items) == 2 and all(callable(f) and not isinstance(f, type) for f in items.values()):
        (_, there), (key, slope) = items.items()
        yield _Pair(unit, line, there, slope, any(is_marked(str(n)) for n in (key, getattr(slope, "__name__", ""))))
        return
    for key, inner in items.items():
        yield from _pairs_in(inner, f"{unit}[{key!r}]", line)


def _is_derivative(pair: _Pair) -> bool | None:
    """Whether the slope is that of the function, of its input, its output, or what it has seen; None if unclear."""
    with contextlib.suppress(Exception), quiet():
        more, less, out = (_of(pair.there, x) for x in (_AT + _STEP, _AT - _STEP, _AT))
        slopes = [_of(pair.slope, x) for x in (_AT, out, np.ones_like(_AT))]
        measured = (more - less) / (2 * _STEP)
        off = min(float(np.abs(slope - measured).max()) for slope in slopes)
        moved = _AT.copy()
        moved[0] += 1
        is_elementwise = np.array_equal(_of(pair.there, moved)[1:], out[1:]) and not np.array_equal(more, less)
        _of(pair.there, -_AT)
        remembers = not np.array_equal(_of(pair.slope, _AT), slopes[0])  # as a way back does, which is handed anything
        return None if not is_elementwise else True if off < _NEAR else False if off > _FAR and not remembers else None
    return None


def _of(function: Callable[..., Any], x: Array) -> Array:
    """What a function gives for some numbers, which it may take one by one.

    Raises
    ------
    ValueError
        When it is not a number for each.
    """
    try:
        found = np.asarray(function(x.copy()), float)
    except (TypeError, ValueError):
        found = np.array([float(function(one)) for one in x.tolist()])
    found = np.full(x.shape, found) if found.ndim == 0 else found
    if found.shape != x.shape or not np.isfinite(found).all():
        raise ValueError(function)
    return found


def _line(file: File, pair: _Pair) -> int:
    """The line at which the slope is computed; that of the pair where it is not written in the file."""
    code = getattr(pair.slope, "__code__", None)
    if code is None or code.co_filename != FILE:
        return pair.line
    nodes = [n for f in file.functions.values() for n in ast.walk(f) if isinstance(n, ast.FunctionDef)]
    own = [n for n in nodes if n.lineno == code.co_firstlineno and n.name == code.co_name]
    return returned_at(own[0]) if own else int(code.co_firstlineno)
