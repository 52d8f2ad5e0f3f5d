"""What is made or called in one manner of several, as with activation="tanh": it must be right in each of them."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from byhand.diagnosis.check.arguments import default, own_names
from byhand.diagnosis.check.claims import THING, Claim, draw
from byhand.diagnosis.check.defined import File, methods_of
from byhand.diagnosis.check.differences import NEAR, told_by
from byhand.diagnosis.check.shaping import asked_texts

_OTHER, _TINY = 0.3, 1e-3
"""The number that is given in the place of another one, unless that only keeps from dividing by 0."""
_OVERLAPPING = ("3", "2")
"""How long windows are, and how far apart, if they overlap."""


def manners(file: File, claim: Claim) -> Iterator[tuple[str, Claim]]:
    """The same claim of objects that are made with each other text which the class asks for, and that text.

    What is a number unless somebody says otherwise, as a penalty's weight or a stride, is another manner where the
    program says another one, or where all that is called takes it. Functions are called with each other text that they
    ask for and the program says.
    """
    for argument, given in claim.given.items():
        known = asked_texts(file).get(argument[:-1], ()) if isinstance(given, str) else ()
        for text in (t for t in known if t != given and t in _said(file)):
            yield f"{argument[:-1]}={text!r}", replace(claim, given={**claim.given, argument: text})
    owner = claim.functions[-1].partition(".")[0]
    node = file.classes.get(owner)
    init = methods_of(node).get("__init__") if node is not None else None
    for argument in own_names(init) if init is not None else ():
        given = default(init, argument) if init is not None else None
        if node is not None and isinstance(given, ast.Constant) and isinstance(given.value, str):
            for text in (repr(text) for text in _asked_for(node, argument) if text != given.value):
                if (start := _with(claim.start, owner, {argument: text})) != claim.start:
                    yield f"{argument}={text}", replace(claim, start=start)
    for numbers in _numbers(file, claim, init):
        with contextlib.suppress(Exception):  # what is given need not fit in this manner, too
            if (other := _called_with(file, claim, owner, numbers)) is not None:
                yield ", ".join(f"{a}={n}" for a, n in numbers.items()), other


def _called_with(file: File, claim: Claim, owner: str, numbers: Mapping[str, str]) -> Claim | None:
    """The claim of what is made, or called, with other numbers; None where nothing in it takes them."""
    start, there, back = _with(claim.start, owner, numbers), claim.forward, claim.backward
    for name in claim.functions if start == claim.start else ():
        own = {a: n for a, n in numbers.items() if a in own_names(file.function(name))}
        there, back = (_with(text, _last(name), own) for text in (there, back))
    if (start, there, back) == (claim.start, claim.forward, claim.backward):
        return None
    other = _sent(file, replace(claim, start=start, forward=there, backward=back))
    other.run(file)
    return other


def _numbers(file: File, claim: Claim, init: ast.FunctionDef | None) -> Iterator[dict[str, str]]:
    """Other numbers for what has one by default: those of the program's own calls, and one that all take."""
    functions = [file.function(name) for name in claim.functions]
    taken = [f for f in (*functions[:1], init) if f is not None and f.args.vararg is None]
    said = [numbers for f in taken for numbers in _said_to(file, f, claim.functions[-1].partition(".")[0])]
    for f in [init] if init is not None else functions[:1]:
        for a in own_names(f):
            number = _number(default(f, a))
            is_tiny = 0 < abs(number or 0) < _TINY
            if isinstance(number, float) and not is_tiny and (f is init or all(default(g, a) for g in functions)):
                said.append({a: str(_OTHER if number != _OTHER else 2 * _OTHER)})
    said += _windows(claim)
    yield from (numbers for k, numbers in enumerate(said) if numbers not in said[:k])


def _windows(claim: Claim) -> list[dict[str, str]]:
    """For an object that is made of two sizes and learns nothing, both ways in which windows overlap."""
    held = [p for p in claim.parameters if not p.isidentifier()]
    calls = [n for n in ast.walk(ast.parse(claim.start)) if isinstance(n, ast.Call)]
    sizes = [k.arg for k in calls[0].keywords if k.arg and _is_size(claim, k.value)] if calls and not held else []
    return [dict(zip(order, _OVERLAPPING, strict=True)) for order in (sizes, sizes[::-1])] if len(sizes) == 2 else []


def _is_size(claim: Claim, node: ast.expr) -> bool:
    value = claim.given.get(ast.unparse(node)) if isinstance(node, ast.Name) else _number(node)
    return type(value) is int and value > 0


def _said_to(file: File, function: ast.FunctionDef, owner: str) -> Iterator[dict[str, str]]:
    """The numbers that the program's calls of a function, or of a class, give in the place of others."""
    name, own = (owner if function.name == "__init__" else function.name), own_names(function)
    for call in (c for c in file.calls if ast.unparse(c.func) == name):
        given = {**dict(zip(own, call.args, strict=False)), **{k.arg: k.value for k in call.keywords if k.arg}}
        numbers = {a: (_number(default(function, a)), _number(value)) for a, value in given.items()}
        new = {a: repr(one) for a, (usual, one) in numbers.items() if None not in (usual, one) and one != usual}
        if new:
            yield new


def _number(node: ast.expr | None) -> float | None:
    """The number that a text is, if it is one."""
    with contextlib.suppress(ValueError, TypeError):
        value = ast.literal_eval(node) if node is not None else None
        return value if type(value) in (int, float) else None
    return None


def _with(text: str, name: str, numbers: Mapping[str, str]) -> str:
    """Lines in which what has a name is called with more, or with other values of the same."""
    tree = ast.parse(text)
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    for call in [c for c in calls if numbers and ast.unparse(c.func) in (name, f"{THING}.{name}")]:
        kept = [k for k in call.keywords if k.arg not in numbers]
        call.keywords = [*kept, *(ast.keyword(a, ast.parse(n, mode="eval").body) for a, n in numbers.items())]
        text = ast.unparse(tree) + "\n"
    return text


def _last(unit: str) -> str:
    return unit.rpartition(".")[2]


def _sent(file: File, claim: Claim) -> Claim:
    """The claim with something for each output to be sent back, whose shape may be another one than it was."""
    *lines, _ = claim.forward.splitlines(keepends=True)
    outputs = dict(re.findall(r"np_\.sum\((goal\d_) \* ([^ ]+)\)", claim.forward))
    names = claim.run(file, lines="".join(lines))
    shapes = {goal: np.shape(eval(text, {**file.names, **names})) for goal, text in outputs.items() if lines}
    if not all(map(np.prod, shapes.values())):
        raise ValueError(shapes)  # there is no output in this manner
    new = {goal: draw(*shape) for goal, shape in shapes.items() if np.shape(claim.given[goal]) != shape}
    return replace(claim, given={**claim.given, **new})


def _asked_for(node: ast.ClassDef, argument: str) -> list[str]:
    """The texts that an argument, or what keeps it, is compared with."""
    asked = []
    for n in ast.walk(node):
        if isinstance(n, ast.Compare) and ast.unparse(n.left) in (argument, f"self.{argument}"):
            asked += [c.value for c in n.comparators if isinstance(c, ast.Constant) and isinstance(c.value, str)]
    return list(dict.fromkeys(asked))


def _said(file: File) -> set[Any]:
    """The texts that stand in the program elsewhere than where something is compared with them."""
    nodes = [n for f in file.every.values() for n in ast.walk(f)]
    compared = {c for n in nodes if isinstance(n, ast.Compare) for c in [n.left, *n.comparators]}
    return {n.value for n in nodes if isinstance(n, ast.Constant) and n not in compared}


def is_passed_on(file: File, claim: Claim, parameter: str) -> bool:
    """Whether a gradient is the same whatever is given, and the slope is not: that is left to the loss."""
    arrays = {p: np.asarray(v) for p, v in claim.given.items() if p in claim.parameters and p.isidentifier()}
    steps = {p: draw(*v.shape) for p, v in arrays.items()}
    shape, gradient = np.shape(claim.given[parameter]), claim.gradients[parameter][0]
    points = [{p: v + k * steps[p] for p, v in arrays.items()} for k in range(3)]
    one, two, _ = (told_by(file, claim.run(file, given), gradient, shape) for given in points)
    low, middle, high = (claim.loss(file, given) for given in points)
    return np.array_equal(one, two) and abs(low + high - 2 * middle) > NEAR
