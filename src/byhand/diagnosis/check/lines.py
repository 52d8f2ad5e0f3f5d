"""At which line of a function a number of its result was made, seen as it runs; and which line several hang on."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import pairwise
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.check.claims import Array, arrays_of
from byhand.diagnosis.check.defined import FILE

_NEAR, _LIKE = 1e-6, 0.9
_DEPTH = 4
"""So deep a layer's parameter lies: among names, in an object, in a list of layers, in a layer's own list."""
_MANY = 4_000_000
"""Up to so many pairs of numbers are looked at for those that are the same."""


def line_of(run: Callable[[], object], function: str, results: Sequence[Array], wrong: Sequence[int]) -> int:
    """The line that gave some numbers of a result their value; that of the return where nothing else has kept them.

    Of several lines that did it is the one that changed those and the fewest others, and of such the last.

    Parameters
    ----------
    run : callable
        Calls the function.
    function : str
    results : sequence of Array
        Each of which may be what it leaves behind, in a variable, an attribute, or what is returned.
    wrong : sequence of int
        Which numbers of them, in flat order.
    """
    places: dict[str, _Held] = {}

    def find(frame: FrameType, event: str, returned: Any) -> None:
        if event == "return":
            places.clear()
            for result in results:
                places.update(_places(dict(frame.f_locals), returned, result, wrong))

    seen: list[tuple[int, dict[str, Array]]] = []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            seen.clear()
        kept = arrays_of(dict(frame.f_locals), "", _DEPTH)
        seen.append((frame.f_lineno, {e: _taken(a, places[e].numbers) for e, a in kept if e in places}))

    traced(run, function, find)
    traced(run, function, watch)
    made = [found for place, held in places.items() for found in _makers(seen, place, held.are_wrong)]
    best = max((share for share, *_ in made), default=0.0)
    last = {place: line for share, place, line in made if share >= _LIKE * best}
    return min(last.values(), default=seen[-1][0])


class _Held(NamedTuple):
    """Which numbers of an array end as those of a result, and which of them are wrong."""

    numbers: Array
    are_wrong: Array


def _makers(seen: Sequence[tuple[int, dict[str, Array]]], place: str, wrong: Array) -> Iterator[tuple[float, str, int]]:
    """The lines that changed what is wrong, the last one last, and how much of what they changed that is.

    To make zeros that will be filled counts only where nothing fills them, and not where others are filled.
    """
    changed: dict[int, Array] = {}
    for (line, before), (_, after) in pairwise(seen):
        if place in after:
            new = after[place] != before.get(place, 0)
            if (new & wrong).any():
                changed[line] = changed.pop(line, False) | new
            elif place not in before or new.any():
                yield 0.0, place, line
    for line, new in changed.items():
        yield float((new & wrong).sum() / (new | wrong).sum()), place, line


def _taken(array: Array, numbers: Array) -> Array:
    """Some numbers of an array, in flat order; none of what it has not."""
    return array.ravel()[numbers] if array.size > numbers.max() else np.full(numbers.shape, np.nan)


def traced(run: Callable[[], object], function: str, see: Callable[[FrameType, str, Any], None]) -> None:
    """Run, and see each line of a function of the file before it runs, its call and its return."""

    def local(frame: FrameType, event: str, value: Any) -> Any:
        see(frame, event, value)
        return local

    def enter(frame: FrameType, event: str, value: Any) -> Any:
        is_it = (frame.f_code.co_name, frame.f_code.co_filename) == (function, FILE)
        return local(frame, event, value) if is_it else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(before)


def _places(kept: dict[str, Any], returned: Any, result: Array, wrong: Sequence[int]) -> Iterator[tuple[str, _Held]]:
    """What holds wrong numbers of a result in the end: itself, what it is a part of, or what it was put together of."""
    is_wrong = np.isin(np.arange(result.size), wrong)
    parts = [a for _, a in arrays_of(returned, "") if _same(a, result)]
    for name, a in arrays_of(kept, "", _DEPTH):
        shared = next((part for part in parts if np.shares_memory(a, part)), None)
        if _same(a, result):
            yield name, _Held(np.arange(a.size), is_wrong)
        elif shared is not None and a.flags.c_contiguous and a.dtype == float:
            first = (shared.__array_interface__["data"][0] - a.__array_interface__["data"][0]) // a.itemsize
            numbers = np.lib.stride_tricks.as_strided(np.arange(a.size)[first:], shared.shape, shared.strides)
            yield name, _Held(numbers.ravel(), is_wrong)
        elif 0 < a.size * result.size < _MANY:
            found = np.isclose(a.ravel()[:, None], result.ravel(), rtol=_NEAR, atol=0) & (result.ravel() != 0)
            once = (found.sum(axis=0) == 1) & ~found[found.sum(axis=1) > 1].any(axis=0)
            if (once & is_wrong).any():
                yield name, _Held(found[:, once].argmax(axis=0), is_wrong[once])


def _same(one: Array, other: Array) -> bool:
    return one.size == other.size and np.allclose(one.ravel(), other.ravel(), rtol=_NEAR, atol=0)


def cause_of(
    function: ast.FunctionDef, wrong: Sequence[int], right: Sequence[int], known: Set[str] = frozenset()
) -> int:
    """The first line that all wrong numbers hang on, and no right one; that of the first wrong one where none is.

    Parameters
    ----------
    function : ast.FunctionDef
    wrong, right : sequence of int
        The lines at which gradients get their values.
    known : set of str
        Statements that stand in what it is held against, too, and so are not wrong.
    """
    behind = [_behind(function, line) for line in wrong]
    shared = set.intersection(*map(set, behind)) - set[int]().union(*(_behind(function, line) for line in right))
    shared = {line for line in shared if behind[0][line] not in known}
    return min(shared, default=wrong[0]) if len(wrong) > 1 else wrong[0]


def _behind(function: ast.FunctionDef, line: int) -> dict[int, str]:
    """The lines that compute something and that the one at a line hangs on, itself among them."""
    statements = [n for n in ast.walk(function) if isinstance(n, ast.Assign | ast.AugAssign | ast.Return)]
    new = [n for n in statements if n.lineno <= line <= (n.end_lineno or line)][-1:]
    found: list[ast.stmt] = []
    while new:
        found += new
        used = {(n.id, s.lineno) for s in new for n in ast.walk(s) if isinstance(n, ast.Name)}
        before = [[s for s in statements if s.lineno < at and name in _assigned(s)] for name, at in used]
        latest = [max(some, key=lambda s: s.lineno) for some in before if some]
        new = [s for s in dict.fromkeys(latest) if s not in found]
    computing = [s for s in found if not re.search(r"\b(zeros|ones|empty)", ast.unparse(s))]
    return {
        s.lineno: ast.unparse(s) for s in computing if any(isinstance(n, ast.BinOp | ast.Call) for n in ast.walk(s))
    }


def returned_at(function: ast.FunctionDef) -> int:
    """The line at which what is returned last was made: that of its name's last value, if it has one."""
    last = max((n for n in ast.walk(function) if isinstance(n, ast.Return)), key=lambda n: n.lineno)
    value = last.value.elts[0] if isinstance(last.value, ast.Tuple) else last.value
    value = value.args[0] if isinstance(value, ast.Call) and len(value.args) == 1 else value  # float(cost)
    name = value.id if isinstance(value, ast.Name) else ""
    made = [n for n in ast.walk(function) if isinstance(n, ast.Assign | ast.AugAssign) and name in _assigned(n)]
    made = [n for n in made if f"({name})" not in ast.unparse(n.value)] or made  # cost = np.squeeze(cost)
    return max((n.lineno for n in made), default=last.lineno)


def _assigned(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value, or writes into."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", ast.Tuple([]))]
    parts = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple | ast.List) else [t])]
    return {next(n.id for n in ast.walk(p) if isinstance(n, ast.Name)) for p in parts}
