"""What a program itself hands its functions: its first call of each, found by running it a little way."""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterator
from copy import deepcopy
from types import FrameType
from typing import Any

import numpy as np

from byhand.diagnosis.check.arguments import own_names
from byhand.diagnosis.check.claims import draw
from byhand.diagnosis.check.defined import FILE, File, quiet
from byhand.diagnosis.check.shaping import MANY

_LINES = 5000
"""So many lines of it are run."""


class _Enough(BaseException):
    """So many lines have been run, or all functions have been called; no text's own `except` stops it."""


def handed(file: File, name: str) -> dict[str, Any] | None:
    """The arguments of the first call of a function; None where it is not called, or with what is too large."""
    if file.handed is None:
        file.handed = dict(_calls(file))
    return file.handed.get(name)


def _calls(file: File) -> Iterator[tuple[str, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}
    lines = 0

    def see(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        code = frame.f_code
        if code.co_filename != FILE:
            return None
        if event == "call" and code.co_name in file.functions and code.co_name not in found:
            names = own_names(file.functions[code.co_name])
            found[code.co_name] = deepcopy({a: frame.f_locals[a] for a in names})
        lines += event == "line"
        if lines > _LINES or len(found) == len(file.functions):
            raise _Enough
        return see

    before = sys.gettrace()
    with contextlib.suppress(Exception, SystemExit, _Enough), quiet():
        program = compile(ast.parse(file.whole), FILE, "exec")
        np.random.seed(0)  # noqa: NPY002
        sys.settrace(see)
        try:
            exec(program, {"__name__": "__main__"})
        finally:
            sys.settrace(before)
    for name, given in found.items():
        if all(_is_small(v) for v in given.values()):
            yield name, {a: _drawn(v) for a, v in given.items()}


def _is_small(value: Any) -> bool:
    if isinstance(value, dict | list | tuple):
        return all(_is_small(v) for v in (value.values() if isinstance(value, dict) else value))
    return (
        value is None
        or isinstance(value, bool | int | float | str | np.generic)
        or (isinstance(value, np.ndarray) and value.size < MANY)
    )


def _drawn(value: Any) -> Any:
    """The value, an array of one number throughout as other numbers: parameters that begin at 0 show little."""
    is_flat = isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 1 and np.ptp(value) == 0
    return draw(*value.shape) if is_flat else value
