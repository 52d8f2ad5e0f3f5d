"""Classes that a file defines, held against differences: engines that derive, layers, models with a loss."""

from __future__ import annotations

import ast
import contextlib
import copy
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from byhand.diagnosis.check import driving
from byhand.diagnosis.check.arguments import default, kind, own_names
from byhand.diagnosis.check.probing import (
    Answer,
    Array,
    File,
    Probe,
    draw,
    flat,
    held_against,
    quiet,
    same_size,
    settings,
    twice,
)

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "__add__": lambda a, b: a + b,
    "__mul__": lambda a, b: a * b,
    "__sub__": lambda a, b: a - b,
    "__truediv__": lambda a, b: a / b,
    "__matmul__": lambda a, b: a @ b,
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "__neg__": lambda a: -a,
    "__pow__": lambda a: a**3,
    "__radd__": lambda a: 2.5 + a,
    "__rmul__": lambda a: 2.5 * a,
    "__rsub__": lambda a: 2.5 - a,
    "__rtruediv__": lambda a: 2.5 / a,
}
_BACK = r"(?i)back|retro"


def of_classes(file: File, made: Callable[[ast.ClassDef, int], str | None]) -> Iterator[Probe]:
    """What can be said of a file's classes.

    Parameters
    ----------
    file : File
    made : callable
        The text of a constructor's arguments, for a number of outputs.
    """
    for name, node in file.classes.items():
        methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
        probe = None
        with contextlib.suppress(Exception), quiet():
            if {"__add__", "__mul__"} <= set(methods):
                probe = _of_engine(file.names[name], methods)
            elif all(file.is_tame(m) for m in methods.values()):
                probe = _of_layer(file, node, methods, made) or _of_model(file, node, methods, made)
        if probe is not None:
            yield probe


# ---- an engine that derives by itself


def _of_engine(made: Any, methods: Mapping[str, ast.FunctionDef]) -> Probe | None:
    """Each operation by itself, with a value used twice, and a graph in which ways part and meet."""
    back = next((m for m in methods if re.search(_BACK, m) and not m.startswith("_")), "")
    if not back:
        return None
    answers = {name: _of_operation(made, back, ways) for name, ways in _operations(made, methods, back)}
    answers = {name: answer for name, answer in answers.items() if answer is not None}
    wrong = [name for name, answer in answers.items() if answer == "wrong"]
    both = {"__add__", "__mul__"} <= {n for n, a in answers.items() if a == "right"}
    if not wrong and both and _of_operation(made, back, [_meeting]) == "wrong":
        wrong, answers[back] = [back], "wrong"
    if not answers:
        return None
    unit = made.__name__
    if wrong:
        own = [n for n in wrong if any(isinstance(k, ast.FunctionDef | ast.Lambda) for k in _inside(methods[n]))]
        first = (own or wrong)[0]
        message = f"What {first} sends back is not the derivative, for inputs of mine."
        return Probe(unit, "wrong", _line_of_operation(methods[first]), message)
    return Probe(unit, "right" if set(answers.values()) == {"right"} else "unclear")


def _inside(function: ast.FunctionDef) -> list[ast.AST]:
    return [n for n in ast.walk(function) if n is not function]


def _line_of_operation(method: ast.FunctionDef) -> int:
    """The first line of the function inside, which sends back; that of the method without one."""
    inner = next((n for n in _inside(method) if isinstance(n, ast.FunctionDef)), None)
    return method.body[0].lineno if inner is None else inner.body[0].lineno


def _operations(
    made: Any, methods: Mapping[str, ast.FunctionDef], back: str
) -> Iterator[tuple[str, list[Callable[..., Any]]]]:
    for name, node in methods.items():
        if name in _BINARY:
            f = _BINARY[name]
            again = [lambda a, b, f=f: f(f(a, b), a), lambda a, b, f=f: f(b, f(a, b))]
            same = [lambda a, b, f=f: f(a, a)] if name != "__matmul__" else []
            yield name, [f, *same, *again]
        elif name in _UNARY:
            yield name, [lambda a, b, g=_UNARY[name]: g(a)]
        elif not name.startswith("_") and name != back and all(default(node, a) is not None for a in own_names(node)):
            yield name, [lambda a, b, name=name: getattr(a, name)()]


def _meeting(a: Any, b: Any) -> Any:
    c = a * b
    d = c + a
    return c * d + d


def _of_operation(made: Any, back: str, ways: Sequence[Callable[..., Any]]) -> Answer | None:
    """Whether all of these expressions give the right derivatives; None where none can be computed."""
    found: list[Answer] = []
    for way in ways:
        for values in _values(made):
            with contextlib.suppress(Exception):
                if (answer := _of_expression(made, back, way, values)) is not None:
                    found.append(answer)
    if not found:
        return None
    return "wrong" if "wrong" in found else "right" if set(found) == {"right"} else "unclear"


def _values(made: Any) -> list[list[Array]]:
    """Numbers of both signs, and positive ones; arrays if it holds them so."""
    if any(isinstance(v, np.ndarray) for v in vars(made(0.5)).values()):
        return [[np.abs(draw(3, 3)) + 0.3, np.abs(draw(3, 3)) + 0.3], [draw(3, 3), draw(3, 3)]]
    return [[np.array(0.7), np.array(1.3)], [np.array(-0.8), np.array(0.6)]]


def _of_expression(made: Any, back: str, way: Callable[..., Any], values: Sequence[Array]) -> Answer | None:
    def leaves(at: Sequence[Array]) -> list[Any]:
        return [made(float(v) if v.ndim == 0 else v.copy()) for v in at]

    first = leaves(values)
    data = next(k for k, v in vars(first[0]).items() if np.array_equal(np.asarray(v), values[0]))
    out = way(*first)
    if not isinstance(out, made) or out in first:
        return None
    before = [dict(vars(leaf)) for leaf in first]
    before = [{k: copy.deepcopy(v) for k, v in held.items() if _is_number(v)} for held in before]
    getattr(out, back)()
    changed = {
        k
        for leaf, held in zip(first, before, strict=True)
        for k, v in vars(leaf).items()
        if k != data and _is_number(v) and not np.array_equal(np.asarray(v), np.asarray(held.get(k)))
    }
    if len(changed) != 1:
        return None
    key = changed.pop()
    used = [k for k, leaf in enumerate(first) if _is_number(vars(leaf)[key]) and np.any(vars(leaf)[key])]
    gradients = [np.asarray(vars(first[k])[key], float) * np.ones_like(values[k]) for k in used]

    def value(at: Sequence[Array]) -> float:
        new = list(values)
        for k, v in zip(used, at, strict=True):
            new[k] = v
        return float(np.sum(vars(way(*leaves(new)))[data]))

    return held_against(value, [values[k] for k in used], gradients, factor=1.0)


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int | np.ndarray | np.generic) and not isinstance(value, bool)


# ---- layers

_INPUTS = ((7, 4), (4, 7), (2, 3, 7, 7), (2, 7, 7, 3))
_ARRAYS = (((7, 4), (4, 5), (5,)), ((4, 7), (5, 4), (5, 1)), ((7, 4), (4,), (4,)), ((2, 3, 7, 7), (4, 3, 3, 3), (4,)))


def _instances(
    file: File,
    node: ast.ClassDef,
    methods: Mapping[str, ast.FunctionDef],
    made: Callable[[ast.ClassDef, int], str | None],
) -> Iterator[tuple[Any, tuple[tuple[int, ...], ...]]]:
    """Objects, each with the shapes of inputs that it may take."""
    init = methods.get("__init__")
    needed = [a for a in own_names(init) if default(init, a) is None] if init is not None else []
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    if (arguments := made(node, 3)) is not None:
        with contextlib.suppress(Exception):
            yield eval(f"{node.name}({arguments})", file.names), _INPUTS
    for shapes in _ARRAYS:
        with contextlib.suppress(Exception):
            yield file.names[node.name](*(draw(*s) for s in shapes[1:][: len(needed)])), shapes[:1]
    if init is not None and 2 <= len(needed) <= 4:
        numbers = [default(init, a) for a in own_names(init)]
        given = {
            a: 2 if value.value == 1 else 1
            for a, value in zip(own_names(init), numbers, strict=True)
            if isinstance(value, ast.Constant) and type(value.value) is int and value.value in (0, 1)
        }
        with contextlib.suppress(Exception):
            yield file.names[node.name](*(4, 3, 3, 2)[: len(needed)], **given), _INPUTS[2:]


def _of_layer(
    file: File,
    node: ast.ClassDef,
    methods: Mapping[str, ast.FunctionDef],
    made: Callable[[ast.ClassDef, int], str | None],
) -> Probe | None:
    """A way there and back: the gradient for the input, and those left in attributes."""
    there = next((m for m in methods if re.match("(?i)forward|__call__", m)), None)
    back = next((m for m in methods if re.match(_BACK, m)), None)
    if (
        there is None
        or back is None
        or len([a for a in own_names(methods[there]) if default(methods[there], a) is None]) != 1
    ):
        return None
    taken = [a for a in own_names(methods[back]) if default(methods[back], a) is None]
    if not 1 <= len(taken) <= 2 or (len(taken) == 2 and kind(methods[back], taken[1], {}) != "rate"):
        return None
    for base, inputs in _instances(file, node, methods, made):
        for held, key in _arrays_in(base):
            held[key][...] = draw(*held[key].shape)
        for shape in inputs:
            with contextlib.suppress(Exception):
                answers = _of_instance(base, there, back, draw(*shape), len(taken))
                if answers:
                    return _told(node.name, methods[back], answers)
    return None


def _of_instance(base: Any, there: str, back: str, x: Array, taken: int) -> dict[str, Answer]:
    def run(thing: Any, at: Array) -> Any:
        np.random.seed(0)  # noqa: NPY002
        return getattr(thing, there)(at.copy())

    thing = copy.deepcopy(base)
    held = {key: array.copy() for key, array in vars(thing).items() if _is_parameter(array)}
    out = run(thing, x)
    goal = draw(*np.shape(out))
    before = {k: copy.deepcopy(v) for k, v in vars(thing).items()}
    result = getattr(thing, back)(*[goal.copy(), 0.1][:taken])
    if not isinstance(out, np.ndarray):
        return {}
    answers: dict[str, Answer] = {}
    other = copy.deepcopy(base)
    run(other, x)
    if not twice(flat(result), flat(getattr(other, back)(*[2 * goal, 0.1][:taken]))):
        return {}  # it takes something else, such as targets
    mine = [g for g in flat(result) if g.shape == x.shape]
    if mine and not (mine[0].shape == goal.shape and np.array_equal(mine[0], goal)):
        answers["the input"] = held_against(
            lambda at: float(np.sum(goal * run(copy.deepcopy(base), at[0]))), [x], mine[:1]
        )
    for key, array in held.items():
        after = vars(thing)
        stepped = array - after[key] if not np.array_equal(array, after[key]) else None
        left = [
            v
            for k, v in after.items()
            if k != key
            and _is_parameter(v)
            and same_size(v, array)
            and _is_gradient_of(k, key)
            and not (k in before and np.array_equal(v, np.asarray(before[k])))
        ]
        gradient = stepped if stepped is not None else left[0] if len(left) == 1 else None
        if gradient is not None:

            def value(at: Sequence[Array], key: str = key) -> float:
                changed = copy.deepcopy(base)
                setattr(changed, key, at[0])
                return float(np.sum(goal * run(changed, x)))

            answers[key] = held_against(value, [array], [gradient])
    return answers


def _arrays_in(thing: Any) -> list[Any]:
    """Where an object holds its arrays: what holds each, and its key."""
    return list(driving.holders_(thing))  # type: ignore[no-untyped-call]


def _is_parameter(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 0


def _is_gradient_of(name: str, parameter: str) -> bool:
    """Whether an attribute is called after another, with something before or behind: dW, grad_W, W_grad."""
    rest = name.lower().strip("_").replace(parameter.lower().strip("_"), "", 1).strip("_")
    return re.fullmatch("d|g|gr?ad\\w*|nabla|delta", rest) is not None


def _told(unit: str, method: ast.FunctionDef, answers: Mapping[str, Answer]) -> Probe:
    wrong = [name for name, answer in answers.items() if answer == "wrong"]
    answer: Answer = "wrong" if wrong else "right" if set(answers.values()) == {"right"} else "unclear"
    line = max((n.lineno for n in ast.walk(method) if isinstance(n, ast.Return)), default=method.lineno)
    for name in wrong[:1]:
        stores = [
            n.lineno
            for n in ast.walk(method)
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and _is_gradient_of(n.attr, name)
        ]
        line = max(stores, default=line)
    message = f"{', '.join(wrong)}: what {unit}.{method.name} gives is not the gradient, for inputs of mine."
    return Probe(unit, answer, line, message)


# ---- models with a loss


def _of_model(
    file: File,
    node: ast.ClassDef,
    methods: Mapping[str, ast.FunctionDef],
    made: Callable[[ast.ClassDef, int], str | None],
) -> Probe | None:
    """A method that gives a loss, and one that gives a dictionary of gradients with the parameters' keys."""
    two = [
        m for m, f in methods.items() if m[0] != "_" and len([a for a in own_names(f) if default(f, a) is None]) == 2
    ]
    for x, y, outputs in settings():
        arguments = made(node, outputs)
        if arguments is None:
            return None
        with contextlib.suppress(Exception):
            random.seed(0)
            np.random.seed(0)  # noqa: NPY002
            thing = eval(f"{node.name}({arguments})", file.names)
            for held, key in _arrays_in(thing):
                held[key][...] = draw(*held[key].shape)
            losses = [m for m in two if _gives_number(thing, m, x, y)]
            tables = [(m, table) for m in two if m not in losses and (table := _table(thing, m, x, y))]
            answers = {m: [_of_table(thing, loss, table, x, y) for loss in losses] for m, table in tables if losses}
            if answers:
                bad = next((m for m, found in answers.items() if set(found) == {"wrong"}), None)
                if bad is not None:
                    line = max(n.lineno for n in ast.walk(methods[bad]) if isinstance(n, ast.Return))
                    message = f"What {bad} returns is not the gradient of {losses[0]}, for inputs of mine."
                    return Probe(node.name, "wrong", line, message)
                is_right = all("right" in found for found in answers.values())
                return Probe(node.name, "right" if is_right else "unclear")
    return None


def _gives_number(thing: Any, method: str, x: Array, y: Array) -> bool:
    with contextlib.suppress(Exception):
        result = getattr(thing, method)(x.copy(), y.copy())
        return (
            _is_number(result)
            and np.size(result) == 1
            and bool(re.search("(?i)loss|cost|perte|objective|erreur", method))
        )
    return False


def _table(thing: Any, method: str, x: Array, y: Array) -> list[tuple[Array, Array]]:
    """Each parameter with its gradient, by their common key."""
    with contextlib.suppress(Exception):
        result = getattr(thing, method)(x.copy(), y.copy())
        if isinstance(result, dict) and result:
            own = {k: v[k] for v in vars(thing).values() if isinstance(v, dict) for k in v if _is_parameter(v[k])}
            own |= {k: v for k, v in vars(thing).items() if _is_parameter(v)}
            if all(k in own and np.shape(g) == own[k].shape for k, g in result.items()):
                return [(own[k], np.array(g)) for k, g in result.items()]
    return []


def _of_table(thing: Any, loss: str, table: Sequence[tuple[Array, Array]], x: Array, y: Array) -> Answer:
    held = [p for p, _ in table]
    start = [p.copy() for p in held]

    def value(at: Sequence[Array]) -> float:
        for p, new in zip(held, at, strict=True):
            p[...] = new
        np.random.seed(0)  # noqa: NPY002
        try:
            return float(getattr(thing, loss)(x.copy(), y.copy()))
        finally:
            for p, old in zip(held, start, strict=True):
                p[...] = old

    return held_against(value, start, [g for _, g in table])
