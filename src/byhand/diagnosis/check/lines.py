"""At which line of a function a number of its result was made, seen as it runs; and which line several hang on."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from types import FrameType
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import Array, arrays_of
from byhand.diagnosis.check.defined import FILE


def line_of(run: Callable[[], object], function: str, results: Sequence[Array], entry: int) -> int:
    """The line at which a number of a result got its value; that of the return where nothing else has kept it.

    Parameters
    ----------
    run : callable
        Calls the function.
    function : str
    results : sequence of Array
        Each of which may be what it leaves behind, in a variable, an attribute, or what is returned.
    entry : int
        Which number of them, in flat order.
    """
    places: dict[str, int] = {}

    def find(frame: FrameType, event: str, returned: Any) -> None:
        if event == "return":
            places.clear()
            for result in results:
                places.update(_places(dict(frame.f_locals), returned, result, entry))

    seen: list[tuple[int, dict[str, float]]] = []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            seen.clear()
        kept = arrays_of(dict(frame.f_locals), "")
        seen.append((frame.f_lineno, {e: a.ravel()[places[e]] for e, a in kept if e in places and places[e] < a.size}))

    traced(run, function, find)
    traced(run, function, watch)
    made = []
    for place in places:
        held = [values.get(place) for _, values in seen]
        made += [seen[k - 1][0] for k in range(1, len(held)) if held[k] != held[k - 1]][-1:]
    return min(made, default=seen[-1][0])


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


def _places(kept: dict[str, Any], returned: Any, result: Array, entry: int) -> Iterator[tuple[str, int]]:
    """What holds the number when the function returns: what ends as the result, and what this is a part of."""
    parts = [a for _, a in arrays_of(returned, "") if _same(a, result)]
    for name, a in arrays_of(kept, ""):
        if _same(a, result):
            yield name, entry
        elif a.flags.c_contiguous and a.dtype == float and any(np.shares_memory(a, part) for part in parts):
            [part, *_] = [part for part in parts if np.shares_memory(a, part)]
            first = (part.__array_interface__["data"][0] - a.__array_interface__["data"][0]) // a.itemsize
            numbers = np.lib.stride_tricks.as_strided(np.arange(a.size)[first:], part.shape, part.strides)
            yield name, int(numbers.ravel()[entry])


def _same(one: Array, other: Array) -> bool:
    return one.size == other.size and np.allclose(one.ravel(), other.ravel(), rtol=1e-6, atol=0)


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
    name = ast.unparse(value) if value is not None else ""
    made = [n.lineno for n in ast.walk(function) if isinstance(n, ast.Assign | ast.AugAssign) and name in _assigned(n)]
    return max(made) if made and isinstance(value, ast.Name) else last.lineno


def _assigned(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value, or writes into."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", ast.Tuple([]))]
    parts = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple | ast.List) else [t])]
    return {next(n.id for n in ast.walk(p) if isinstance(n, ast.Name)) for p in parts}
