"""What a function may be called with: data, parameters and sizes of ours, tried until a call fits."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np

from byhand.diagnosis.check.arguments import is_left_out, kind, own_names
from byhand.diagnosis.check.claims import Array, draw
from byhand.diagnosis.check.defined import Chance, counts, needed

_X, _XT = draw(7, 4), draw(4, 7)
_BITS, _LABELS = np.array([0.0, 1, 1, 0, 1, 0, 0]), np.array([0, 2, 1, 1, 0, 2, 2])
_HOT = np.eye(3)[_LABELS]


@dataclass(frozen=True)
class Setting:
    """Data that belong together, the number of outputs, and parameters that fit them."""

    data: tuple[Any, ...]
    outputs: int = 1
    parameters: tuple[Array, ...] = ()


DATA = tuple(
    Setting((x, y), outputs)
    for x, y, outputs in (
        (_X, _HOT, 3), (_X, _LABELS, 3), (_X, _BITS[:, None], 1), (_X, _BITS, 1), (_XT, _HOT.T, 3),
        (_XT, _BITS[None], 1),
    )
)  # fmt: skip
"""Inputs and targets for an object that holds its parameters, in rows and in columns."""
_SHARES = np.exp(draw(7, 3))
_SHARES /= _SHARES.sum(axis=1, keepdims=True)
TARGETS = ((_SHARES, _HOT), (_SHARES, _LABELS), (_SHARES.T, _HOT.T), (_SHARES[:, :1], _BITS[:, None]), (_SHARES[0], 2))
"""Shares, which may be scores as well, and what they should be."""
_GUESSED = np.random.default_rng(6).uniform(0.1, 0.9, (7, 3))
PREDICTIONS = (
    (_GUESSED, _HOT), (_GUESSED, _LABELS), (_GUESSED.T, _HOT.T), (_GUESSED[:, :1], _BITS[:, None]),
    (_GUESSED[:, 0], _BITS), (_GUESSED[0], _HOT[0]),
)  # fmt: skip
"""Numbers between 0 and 1, in rows, in columns and single, and what they should be."""
BEFORE = (
    "{0}",
    "1 / (1 + np_.exp(-{0}))",
    *(f"np_.exp({{0}}) / np_.exp({{0}}).sum({k}, keepdims=True)" for k in (-1, 0)),
)
"""Of what the slope of a loss may be taken: the prediction, or scores before a sigmoid or a softmax."""
SAMPLES: tuple[Callable[[int], tuple[int, ...]], ...] = (lambda n: (n, 1), lambda n: (1, n), lambda n: (n,))
"""How one sample with so many numbers lies."""
_B = np.array(0.4)
_SETTINGS = [
    Setting((draw(7), draw(7)), 0, (_B, np.array(-0.3))),
    *(
        Setting((x, y), 0, (w, *b))
        for b_is in (False, True)
        for x, y, w, biases in (
            (_X, _BITS, draw(4), (_B,)),
            (_X, _BITS[:, None], draw(4, 1), (_B, draw(1))),
            (_X, _BITS[:, None], draw(4), (_B,)),
            (_XT, _BITS[None], draw(4, 1), (_B,)),
            (_XT, _BITS[None], draw(1, 4), (_B, draw(1, 1))),
            (_X, _LABELS, draw(4, 3), (draw(3), draw(1, 3))),
            (_X, _LABELS + 1, draw(4, 3), (draw(3),)),
            (_X, _HOT, draw(4, 3), (draw(3), draw(1, 3))),
            (_XT, _HOT.T, draw(3, 4), (draw(3, 1),)),
            (_XT, _LABELS, draw(3, 4), (draw(3, 1),)),
        )
        for b in ([(one,) for one in biases] if b_is else [()])
    ),
    *(Setting((y,), 0, (draw(*shape),)) for y, shape in ((_LABELS, (7, 3)), (_HOT, (7, 3)), (_HOT.T, (3, 7)))),
    *(Setting(index, 0, (draw(4), draw(6, 4))) for index in ((2,), ())),
]
_UNROLLED = [Setting((_X, y), 0, (draw(5 * 5 + 3 * 6),)) for y in (_LABELS, _LABELS + 1, _LABELS[:, None] + 1, _HOT)]
"""Two layers' weights in one vector: 4 inputs, 5 hidden units, 3 outputs."""

_HIDDEN = (5, 20)
LAYERS: dict[int, tuple[tuple[tuple[int, ...], ...], ...]] = {
    1: (((7, 4),), ((2, 3, 7, 7),), ((2, 7, 7, 3),), ((7,),), ((2, 3, 6, 6),), ((2, 6, 6, 3),)),
    2: (((7, 4), (4, 5)), ((4, 7), (5, 4)), ((7, 4), (7, 4)), ((2, 3, 7, 7), (4, 3, 3, 3))),
    3: (
        ((7, 4), (4, 5), (5,)),
        ((4, 7), (5, 4), (5, 1)),
        ((7, 4), (4, 5), (1, 5)),
        ((7, 4), (5, 4), (5,)),
        ((7, 4), (4,), (4,)),
        ((4, 7), (4, 1), (4, 1)),
        ((2, 3, 7, 7), (4, 3, 3, 3), (4,)),
        ((2, 7, 7, 3), (3, 3, 3, 4), (1, 1, 1, 4)),
        ((2, 7, 7, 3), (3, 3, 3, 4), (4,)),
        ((2, 3, 7, 7), (3,), (3,)),
        ((2, 3, 7, 7), (1, 3, 1, 1), (1, 3, 1, 1)),
    ),
    5: tuple(((*x, 4), (7, 5), (4, h), (5, h), (h,)) for h in _HIDDEN for x in ((7,), (7, 3))),
    6: (((7, 4), (7, 5), (7, 5), (4, 20), (5, 20), (20,)),),
}
"""What a layer takes, by how many arrays: elementwise, dense, normalisation, convolution; 5 and 6: recurrent."""


_ROWS, _COLUMNS, _SEQUENCES, _STEPS = ((7,), ()), ((), (7,)), ((7, 3), ()), ((3, 7), ())
LAYOUTS = ((_ROWS, _ROWS), (_COLUMNS, _COLUMNS), (_SEQUENCES, _ROWS), (_STEPS, _ROWS))
"""What stands before and behind the features' axis, in the first array and in the others."""


def is_target(value: Any) -> bool:
    """Whether an array of ours holds classes."""
    return bool(np.all(value == np.round(value)))


class Anything(Chance):
    """An object of which nothing is known: each of its methods gives an index."""

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: random.randrange(6)


@dataclass
class Guess:
    """Values for the arguments of a function, by name, and which of them are the parameters."""

    values: dict[str, Any]
    parameters: list[str]
    is_loose: bool = False
    """Whether something that only multiplies is taken for an array."""
    bundle: str = ""
    """The argument that all parameters lie in."""
    made: dict[str, Any] = field(default_factory=dict)
    """What the object is made of."""
    is_shaped: bool = False
    """Whether nothing was known, and so not all that are called parameters need be ones."""


def guesses(function: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef]) -> Iterator[Guess]:
    """What the arguments may be, the likeliest first."""
    names = needed(function)
    own = own_names(function)
    kinds = {a: kind(function, a, functions) if a in own else "array" for a in names}
    sizes = [a for a, what in kinds.items() if what == "size"]
    fixed: dict[str, Any] = dict(zip(sizes, (4, 5, 3), strict=False))
    fixed |= dict.fromkeys(counts(function, functions), 4)
    rates = {a: 0.3 for a, what in kinds.items() if what == "rate"}
    things = {a: Anything() for a in names if kinds[a] in ("unknown", "function") and _is_thing(function, a)}
    if any(what in ("text", "sizes") for what in kinds.values()):
        return
    numbers = {a: 0.3 for a in own if is_left_out(function, a, functions)}
    for loose in ({}, rates):  # what only multiplies may be an array after all
        fixed_now = {**fixed, **things, **({} if loose else rates), **numbers}
        free = [a for a in names if a not in fixed_now]
        for setting in _UNROLLED if len(sizes) == 3 else _SETTINGS:
            roles = [*setting.data, *setting.parameters]
            for chosen in permutations(free, len(roles)):
                rest = {a: 0.3 for a in free if a not in chosen}
                if not any(kinds[a] == "array" for a in rest):
                    everything = {**fixed_now, **rest, **dict(zip(chosen, roles, strict=True))}
                    values = {a: everything[a] for a in dict.fromkeys([*names, *fixed_now])}
                    yield Guess(values, list(chosen[len(setting.data) :]), bool(loose))
        if not rates:
            return


def _is_thing(function: ast.FunctionDef, argument: str) -> bool:
    """Whether it has methods that no array has, or is never used."""
    used = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == argument]
    methods = [n for n in ast.walk(function) if isinstance(n, ast.Attribute) and n.value in used]
    handed = [n for n in ast.walk(function) if isinstance(n, ast.Call) and any(a in used for a in n.args)]
    return (
        not used or any(not hasattr(np.ndarray, n.attr) for n in methods) or (bool(handed) and len(used) == len(handed))
    )


# ---- dictionaries of options


def options(
    function: ast.FunctionDef, argument: str, functions: Mapping[str, ast.FunctionDef], depth: int = 2
) -> dict[str, Any] | None:
    """The keys with which an argument is read and that it must have, with the text that they are compared with.

    None when it is no dictionary. Where it is handed on to one of the file's functions, what that reads counts, too.
    """
    found: dict[str, Any] = {}
    kept: dict[str, str] = {}
    is_table = False
    for n in ast.walk(function):
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load) and (key := _key(n, argument)):
            found[key] = None
        elif isinstance(n, ast.Assign):
            kept |= {ast.unparse(t): k for t, v in _assigned(n) if (k := _key(v, argument))}
        elif isinstance(n, ast.Call):
            is_table |= ast.unparse(n.func) in (f"{argument}.get", f"{argument}.setdefault")
    for n in ast.walk(function):
        if isinstance(n, ast.Compare) and isinstance(compared := n.comparators[0], ast.Constant):
            key = kept.get(ast.unparse(n.left)) or _key(n.left, argument)
            if key in found and isinstance(compared.value, str):
                found[key] = found[key] or compared.value
    for called, taken in _handed_on(function, argument, functions) if depth else ():
        inside = options(called, taken, functions, depth - 1)
        is_table |= inside is not None
        found |= {key: text for key, text in (inside or {}).items() if found.get(key) is None}
    return found if found or is_table else None


def _handed_on(
    function: ast.FunctionDef, argument: str, functions: Mapping[str, ast.FunctionDef]
) -> Iterator[tuple[ast.FunctionDef, str]]:
    """The file's functions that are given an argument, and what they call it."""
    for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
        called = functions.get(ast.unparse(call.func))
        if called is not None and called is not function:
            given = [*zip(own_names(called), call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
            yield from ((called, name) for name, value in given if name and ast.unparse(value) == argument)


def _assigned(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=False))
    return [(target, value)]


def _key(node: ast.expr, argument: str) -> str:
    """The text with which an argument is read."""
    is_read = isinstance(node, ast.Subscript) and ast.unparse(node.value) == argument
    key = node.slice.value if is_read and isinstance(node.slice, ast.Constant) else ""  # type: ignore[attr-defined]
    return key if isinstance(key, str) else ""
