"""At which line of a function a number of its result was made: seen as it runs, whatever it is kept in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import Array, arrays_of
from byhand.diagnosis.check.defined import FILE


def line_of(run: Callable[[], object], function: str, result: Array, entry: int) -> int:
    """The line at which a number of a result got its value; that of the return where nothing else has kept it.

    Parameters
    ----------
    run : callable
        Calls the function.
    function : str
    result : Array
        What it leaves behind, in a variable, an attribute, or what is returned.
    entry : int
        Which number of it, in flat order.
    """
    places: dict[str, int] = {}

    def find(frame: FrameType, event: str, returned: Any) -> None:
        if event == "return":
            places.clear()
            places.update(_places(dict(frame.f_locals), returned, result, entry))

    seen: list[tuple[int, dict[str, float]]] = []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            seen.clear()
        kept = arrays_of(dict(frame.f_locals), "")
        seen.append((frame.f_lineno, {e: a.ravel()[places[e]] for e, a in kept if e in places and places[e] < a.size}))

    _traced(run, function, find)
    _traced(run, function, watch)
    made = [seen[-1][0]]
    for place in places:
        held = [values.get(place) for _, values in seen]
        made += [seen[k - 1][0] for k in range(1, len(held)) if held[k] != held[k - 1]][-1:]
    return min(made)


def _traced(run: Callable[[], object], function: str, see: Callable[[FrameType, str, Any], None]) -> None:
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
