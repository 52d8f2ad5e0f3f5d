"""What says that no position sees what comes later: each position is moved, and it is seen where that shows."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import Array, arrays_of, draw
from byhand.diagnosis.check.defined import File, is_tame, names_gradients
from byhand.diagnosis.check.families import Scope, call_of, scopes, shaped
from byhand.diagnosis.check.inputs import Guess
from byhand.diagnosis.check.lines import returned_at
from byhand.diagnosis.check.purposes import Held

_SAYS = (
    r"(?i)(?<!non-)(?<!not )causal|autoregress|look.?ahead"
    r"|(not|never|cannot|no position)\W+(\w+\W+){0,2}(see|look|attend|peek)\w*.{0,30}(future|later|ahead)"
)
_BACK = r"(?i)back|grad|bwd|deriv|retro"
_GUESSES = 12
_LEAST = 4
"""An axis with fewer positions says little."""


def causal(file: File) -> Iterator[Held]:
    """Whether what says so lets a position see itself and what is before it, or what comes after it."""
    for scope in (scope for alternatives in scopes(file) for scope in alternatives):
        for name, function in scope.functions.items():
            says = f"{name} {ast.get_docstring(function) or ''}"
            is_back = re.search(_BACK, says) or names_gradients(function)  # on its way back all comes from later on
            if not re.search(_SAYS, says) or is_back or not is_tame(function) or name.startswith("__"):
                continue
            seen = [s for g in islice(shaped(scope, function, file), _GUESSES) for s in _seen(file, scope, name, g)]
            before, after = (sum(_is_triangle(s) for s in each) for each in (seen, [s.T for s in seen]))
            if before and not after:
                yield Held((scope.unit(name),), "what hangs on nothing that comes later")
            elif after and not before:
                message = f"What {name} gives for a position hangs on what comes later, and not on what is before it."
                yield Held((scope.unit(name),), message, _line(file, scope.unit(name)))


def _is_triangle(seen: Array) -> bool:
    """Whether each position sees itself, and of the others those before it."""
    return bool(np.array_equal(seen, np.tril(np.ones_like(seen))))


def _seen(file: File, scope: Scope, name: str, guess: Guess) -> Iterator[Array]:
    """For each axis that an argument has in common with what comes back: which position hangs on which."""
    given = {**scope.given, **guess.made, **{f"{a}_": v for a, v in guess.values.items()}}
    text = f"{scope.start}result_ = {call_of(scope, name, guess)}\n"

    def out(new: dict[str, Any]) -> Array:
        names = {n: np.array(v) if isinstance(v, np.ndarray) else v for n, v in {**given, **new}.items()}
        file.run(names, text)
        return next(a for _, a in arrays_of(names["result_"], "") if a.ndim > 1)

    for a, x in given.items():
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            continue
        with contextlib.suppress(Exception):
            first = out({})
            for axis in range(min(x.ndim, first.ndim)):
                n = x.shape[axis]
                if n == first.shape[axis] and n >= _LEAST:
                    seen = np.zeros((n, n), int)
                    for k in range(n):
                        moved = np.moveaxis(x.copy(), axis, 0)
                        moved[k] += draw(*moved[k].shape)
                        change = np.abs(out({a: np.moveaxis(moved, 0, axis)}) - first)
                        seen[:, k] = np.moveaxis(change, axis, 0).reshape(n, -1).max(axis=1) > 0
                    yield seen


def _line(file: File, unit: str) -> int:
    """The line that makes a triangle; else the one at which what comes back is made."""
    nodes = [n for u in file.behind([unit]) for n in ast.walk(file.function(u)) if isinstance(n, ast.Call)]
    made = [n.lineno for n in nodes if re.search(r"tri[lu]$", ast.unparse(n.func))]
    return max(made, default=returned_at(file.function(unit)))
