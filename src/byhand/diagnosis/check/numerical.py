"""What takes a function and finds its slopes by differences: of one that is known they must be those."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from byhand.diagnosis.check.arguments import kind
from byhand.diagnosis.check.claims import Array
from byhand.diagnosis.check.defined import File, needed
from byhand.diagnosis.check.differences import Answer
from byhand.diagnosis.check.repairs import repairs

Run: TypeAlias = Callable[[], tuple[Array, Array]]
_CALLED = r"(?i)num|grad|diff|deriv|slope|nabla"
_OTHERS = r"(?i)check|verif|test|second|2|hess|descen|train|fit|optim|minim|step|update"
_STEPS = r"(?i)h|eps\w*|delta\w*|d|dx|step\w*"
_STEP, _NEAR = 1e-5, 0.02
"""Of the differences, and how far off they may be: they may be those of one side, at a step of their own."""
_AT = np.random.default_rng(8).uniform(0.5, 1.5, (3, 2))
_SENT = np.random.default_rng(9).uniform(1, 2, (3, 2))
_TURNS = 100
"""So often it calls what it is given: what is tried to mend it may not come to an end."""
_POINTS: tuple[Array, ...] = (_AT, _AT[:, 0], _AT[0, 0])
_VALUES: tuple[Callable[[Array], Any], ...] = (np.sum, lambda a: (np.sum(a), None), np.copy)
"""What the function gives that it is given: one number, that with its gradients, or a number for each."""


class Numerical(NamedTuple):
    """What is said of a function that finds slopes by differences: how much of them it gives, and the line."""

    name: str
    answer: Answer
    line: int = 0
    factor: float = 1.0


def numerical(file: File) -> Iterator[Numerical]:
    """The functions that find slopes by differences: right for one known function is right.

    It is wrong where it gives all of them too large, or too small, by one factor, and a change makes them right.
    """
    for name, function in file.functions.items():
        of = [a for a in needed(function) if kind(function, a, file.functions) == "function"]
        is_meant = re.search(_CALLED, name) is not None and not re.search(_OTHERS, name)
        line = _quotient(function, of[0]) if is_meant and len(of) == 1 else 0
        if line:
            found = [(factor, run) for run in _runs(file, function, of[0]) if (factor := _factor(run)) is not None]
            yield _told(file, name, line, found)


def _told(file: File, name: str, line: int, found: Sequence[tuple[float, Run]]) -> Numerical:
    if any(_is_one(factor) for factor, _ in found):
        return Numerical(name, "right")
    if found:
        factor, run = found[0]
        if mends := repairs(file, [name], lambda: _is_one(_factor(run)), line):
            return Numerical(name, "wrong", line if line in [r.line for r in mends] else mends[0].line, factor)
    return Numerical(name, "unclear")


def _is_one(factor: float | None) -> bool:
    return factor is not None and abs(factor - 1) < _NEAR


def _runs(file: File, function: ast.FunctionDef, of: str) -> Iterator[Run]:
    """Calls, each of which gives what the function finds, and what it should."""
    rest = [a for a in needed(function) if a != of]
    numbers = [a for a in rest if re.fullmatch(_STEPS, a)]
    arrays = [a for a in rest if a not in numbers]
    for at, value in product(_POINTS, _VALUES) if len(arrays) in (1, 2) else ():
        sent = _SENT[tuple(map(slice, at.shape))] if at.shape == _AT.shape else _SENT[:, 0][: at.size].reshape(at.shape)
        given = dict(zip(arrays, ("x_", "sent_"), strict=False)) | dict.fromkeys(numbers, str(_STEP))
        given[of] = "known_"
        text = f"result_ = {function.name}({', '.join(f'{a}={t}' for a, t in given.items())})\n"

        def run(at: Array = at, value: Any = value, sent: Array = sent, text: str = text) -> tuple[Array, Array]:
            names: dict[str, Any] = {"x_": at.copy() if at.ndim else float(at), "sent_": sent.copy()}
            turns = iter(range(_TURNS))

            def known(*of: Array) -> Any:
                """A function; what it is called without lies beside it."""
                next(turns)
                return value((of[0] if of else names["x_"]) ** 3)

            names["known_"] = known
            file.run(names, text)
            return np.asarray(names["result_"]), 3 * at**2 * (sent if len(arrays) > 1 else 1)

        yield run


def _factor(run: Run) -> float | None:
    """How many times as large as it should be all is that is found; None where that is no one number."""
    with contextlib.suppress(Exception):
        found, known = run()
        if found.shape == known.shape and found.dtype.kind == "f":
            factor = float(np.mean(found / known))
            return factor if np.allclose(found, factor * known, rtol=_NEAR) and np.isfinite(factor) else None
    return None


def _quotient(function: ast.FunctionDef, of: str) -> int:
    """The line of the last quotient, if it calls what it is given more than once, and takes something away."""
    loops = [n for n in ast.walk(function) if isinstance(n, ast.While)]
    if any("finished" not in ast.unparse(n.test) for n in loops):
        return 0
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and ast.unparse(n.func) == of]
    parts = [n for n in ast.walk(function) if isinstance(n, ast.BinOp | ast.AugAssign)]
    is_difference = any(isinstance(n.op, ast.Sub) for n in parts)
    return max((n.lineno for n in parts if isinstance(n.op, ast.Div) and len(calls) > 1 and is_difference), default=0)
