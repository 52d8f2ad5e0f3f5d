"""A class that derives by itself: each of its operations is a claim, with a value used twice, and where ways meet."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from byhand.diagnosis.check.arguments import default, own_names
from byhand.diagnosis.check.claims import Array, Claim, draw
from byhand.diagnosis.check.defined import File, methods_of

_BINARY = {"__add__": "+", "__mul__": "*", "__sub__": "-", "__truediv__": "/", "__matmul__": "@"}
_UNARY = {
    "__neg__": "-a_", "__pow__": "a_**3", "__radd__": "2.5 + a_", "__rmul__": "2.5 * a_", "__rsub__": "2.5 - a_",
    "__rtruediv__": "2.5 / a_",
}  # fmt: skip


def is_engine(methods: Mapping[str, ast.FunctionDef]) -> bool:
    """Whether numbers of this class are added and multiplied, and go back."""
    return {"__add__", "__mul__"} <= set(methods) and bool(_way_back(methods))


def operations(file: File, node: ast.ClassDef) -> dict[str, list[Claim]]:
    """For each operation the claims that it makes; the way back's own come last."""
    methods = methods_of(node)
    found = {
        name: [c for text in texts for c in _claims(file, node.name, _way_back(methods), name, text)]
        for name, texts in _texts(methods)
    }
    return {name: claims for name, claims in found.items() if claims}


def line_of(method: ast.FunctionDef) -> int:
    """The first line of the function inside, which sends back; that of the method without one."""
    return (_inner(method) or method).body[0].lineno


def is_own(method: ast.FunctionDef) -> bool:
    """Whether an operation sends back by itself, and is not made of others."""
    return any(isinstance(n, ast.FunctionDef | ast.Lambda) and n is not method for n in ast.walk(method))


def _inner(method: ast.FunctionDef) -> ast.FunctionDef | None:
    return next((n for n in ast.walk(method) if isinstance(n, ast.FunctionDef) and n is not method), None)


def _way_back(methods: Mapping[str, ast.FunctionDef]) -> str:
    return next((m for m in methods if re.search("(?i)back|retro", m) and not m.startswith("_")), "")


def _texts(methods: Mapping[str, ast.FunctionDef]) -> Iterator[tuple[str, list[str]]]:
    """Lines that give out_, in which an operation stands."""
    back = _way_back(methods)
    for name, node in methods.items():
        if name in _BINARY:
            sign = _BINARY[name]
            same = [f"out_ = a_ {sign} a_"] if sign != "@" else []
            again = [f"c_ = a_ {sign} b_\nout_ = {text}" for text in (f"c_ {sign} a_", f"b_ {sign} c_")]
            yield name, [f"out_ = a_ {sign} b_", *same, *again]
        elif name in _UNARY:
            yield name, _twice(f"out_ = {_UNARY[name]}")
        elif not name.startswith("_") and name != back and all(default(node, a) is not None for a in own_names(node)):
            yield name, _twice(f"out_ = a_.{name}()")
    yield back, ["c_ = a_ * b_\nd_ = c_ + a_\nout_ = c_ * d_ + d_"]


def _twice(text: str) -> list[str]:
    """An operation, and one whose result goes on into a sum: then it is not 1 that comes back."""
    return [text, f"{text}\nout_ = out_ + out_"]


def _claims(file: File, made: str, back: str, name: str, text: str) -> Iterator[Claim]:
    """What lines claim of numbers of both signs; nothing where they can't be run."""
    used = [n for n in ("a", "b") if f"{n}_" in text]
    start = "".join(f"{n}_ = {made}({n}_value_)\n" for n in used)
    for values in _values(file, made):
        with contextlib.suppress(Exception):
            given = {f"{n}_value_": v for n, v in zip(used, values, strict=False)}
            data, slope = _attributes(file, Claim((made,), given, tuple(given), f"{text}\n", f"out_.{back}()\n", start))
            yield Claim(
                (f"{made}.{name}",),
                given,
                tuple(given),
                f"{text}\nloss_ = np_.sum(out_.{data})\n",
                f"out_.{back}()\nresult_ = ({''.join(f'{n}_.{slope}, ' for n in used)})\n",
                start,
                kind="engine",
                gradients={p: (f"result_[{k}]",) for k, p in enumerate(given)},
            )


def _attributes(file: File, claim: Claim) -> tuple[str, str]:
    """What a number's value and its slope are called.

    Raises
    ------
    ValueError
        When that does not show: nothing, or several things have changed on the way back.
    """
    names = claim.run(file, lines=claim.forward)
    things = [names[p.removesuffix("value_")] for p in claim.parameters]
    if type(names["out_"]) is not type(things[0]) or names["out_"] in things:
        raise ValueError(claim.forward)
    value = np.asarray(claim.given[claim.parameters[0]])
    data = next(k for k, v in vars(things[0]).items() if np.array_equal(np.asarray(v), value))
    before = [{k: np.array(v) for k, v in vars(thing).items() if _is_number(v)} for thing in things]
    file.run(names, claim.backward)
    changed = {
        k
        for thing, held in zip(things, before, strict=True)
        for k, v in vars(thing).items()
        if k != data and _is_number(v) and not np.array_equal(np.asarray(v), held.get(k, np.nan))
    }
    [slope] = changed
    return data, slope


def _values(file: File, made: str) -> Sequence[Sequence[Array]]:
    """Numbers of both signs, and positive ones; arrays if it holds them so."""
    names: dict[str, Any] = {}
    file.run(names, f"a_ = {made}(0.5)")
    if any(isinstance(v, np.ndarray) for v in vars(names["a_"]).values()):
        return [[np.abs(draw(3, 3)) + 0.3, np.abs(draw(3, 3)) + 0.3], [draw(3, 3), draw(3, 3)]]
    return [[np.array(0.7), np.array(1.3)], [np.array(-0.8), np.array(0.6)]]


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int | np.ndarray | np.generic) and not isinstance(value, bool)
