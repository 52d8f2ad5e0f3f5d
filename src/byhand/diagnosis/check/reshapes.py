"""Arrays that get another shape where their axes should change places: each call of reshape is seen as it runs."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import prod
from types import FrameType
from typing import Any

import numpy as np

from byhand.diagnosis.check.defined import File, is_tame
from byhand.diagnosis.check.facts import Fact
from byhand.diagnosis.check.families import call_of, scopes, shaped
from byhand.diagnosis.check.lines import traced

_GUESSES = 3
"""So many guesses of what a function takes are looked at."""
_MOVES = r"transpose|swapaxes|moveaxis|dot|copy|astype"
"""What may be called once more without doing anything."""


def reshapes(file: File) -> Iterator[Fact]:
    """What functions do by themselves, whatever else the file has."""
    for scope in (scope for alternatives in scopes(file) for scope in alternatives):
        for name, function in scope.functions.items():
            for guess in islice(shaped(scope, function, file), _GUESSES) if _calls(function) else ():
                given = {**scope.given, **guess.made, **{f"{a}_": v for a, v in guess.values.items()}}
                text = f"{scope.start}result_ = {call_of(scope, name, guess)}\n"
                found = of_run(file, lambda g=given, t=text: file.run(dict(g), t), [scope.unit(name)])  # type: ignore[misc]
                if found is not None:
                    yield found
                    return


def of_run(file: File, run: Callable[[], object], units: Sequence[str]) -> Fact | None:
    """Told, at the first line, when an axis that the new shape names has other numbers along it than it had."""
    told: list[Fact] = []
    for unit in units:
        function = file.function(unit)
        calls = _calls(function) if is_tame(function) else {}

        def see(frame: FrameType, event: str, _: Any, unit: str = unit, calls: Any = calls) -> None:
            for call in calls.get(frame.f_lineno, ()) if event == "line" else ():
                with contextlib.suppress(Exception):
                    of, *new = (eval(ast.unparse(n), frame.f_globals, frame.f_locals) for n in _parts(call))
                    shape = np.reshape(of, new[0] if len(new) == 1 else new).shape
                    for size in _torn(np.shape(of), shape, _named(file.function(unit), _parts(call)[1:], len(shape))):
                        message = (
                            f"{unit.rpartition('.')[2]} gives an array of shape {np.shape(of)} the shape {shape}: "
                        )
                        message += f"its numbers stay in their order, so those along the axis of {size} are others "
                        message += "than before. Axes change places with transpose."
                        told.append(Fact(unit, frame.f_lineno, "reshape-instead-of-transpose", message))
                        return

        with contextlib.suppress(Exception):
            traced(run, function.name, see) if calls else None
    return min(told, key=lambda fact: fact.line, default=None)


def _calls(function: ast.FunctionDef) -> dict[int, list[ast.Call]]:
    """The calls of reshape by their lines, of what can be computed once more."""
    found: dict[int, list[ast.Call]] = {}
    for n in ast.walk(function):
        if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("reshape") and len(_parts(n)) > 1:
            inside = [c for c in ast.walk(_parts(n)[0]) if isinstance(c, ast.Call)]
            if all(re.search(rf"({_MOVES})$", ast.unparse(c.func)) for c in inside):
                found.setdefault(n.lineno, []).append(n)
    return found


def _parts(call: ast.Call) -> list[ast.expr]:
    """What gets a shape, and the sizes, or the shape."""
    is_method = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) not in ("np", "numpy")
    of, *rest = [call.func.value, *call.args] if is_method and isinstance(call.func, ast.Attribute) else call.args
    return [of, *(rest[0].elts if len(rest) == 1 and isinstance(rest[0], ast.Tuple | ast.List) else rest)]


def _named(function: ast.FunctionDef, sizes: Sequence[ast.expr], count: int) -> list[bool]:
    """Which axes of a new shape have the size of an axis of something by name."""
    taken = [n for n in ast.walk(function) if isinstance(n, ast.Assign) and ".shape" in ast.unparse(n.value)]
    names = {x.id for n in taken for t in n.targets for x in ast.walk(t) if isinstance(x, ast.Name)}
    if len(sizes) != count:
        return [True] * count  # a whole shape
    return [ast.unparse(s) in names or re.search(r"\.shape\[-?\d\]$", ast.unparse(s)) is not None for s in sizes]


def _torn(old: Sequence[int], new: Sequence[int], named: Sequence[bool]) -> Iterator[int]:
    """The sizes of the axes that are there before and after, but with more numbers behind them, or less."""
    for k, size in enumerate(new):
        if named[k] and size > 1 and list(old).count(size) == list(new).count(size) == 1:
            before = prod(old[list(old).index(size) + 1 :])
            if before != prod(new[k + 1 :]):
                yield size
