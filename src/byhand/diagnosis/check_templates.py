"""Inside the sandbox: which of a student's arrays may be the parameters of a network."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from byhand.diagnosis import names
from byhand.diagnosis.check_running import CALL_SECONDS, Part, TooLongError, Trail, at_most, return_labels
from byhand.diagnosis.check_student import Student, arrays_of, shape_of

_SLOPES = ("a", "w", "m", "slope", "weight", "theta1", "theta_1", "k", "coef")
_INTERCEPTS = ("b", "c", "intercept", "bias", "theta0", "theta_0", "q", "offset")


def templates(student: Student) -> Iterator[list[tuple[Trail, Any]]]:
    """Groups of arrays that may be a network's parameters."""
    for w in (n for n in student.namespace if n.lower() in ("weights", "w", "ws")):
        for b in (n for n in student.namespace if n.lower() in ("biases", "b", "bs", "bias")):
            if isinstance(student.namespace[w], list | dict):
                yield arrays_of(student.namespace[w], (w,)) + arrays_of(student.namespace[b], (b,))
    yield from _lines(student)
    yield from _vectors(student)
    changed = changed_names(student)
    plain = [
        ((n,), v)
        for n, v in student.namespace.items()
        if isinstance(v, np.ndarray | float | np.floating)
        and np.ndim(v) <= 2
        and not n.startswith("_")
        and not names.means(n, "x")
        and not names.means(n, "y")
        and not names.means(n, "learning_rate")
        and names.kind_of(n)
    ]
    numeric = [
        ((n,), v)
        for n, v in student.namespace.items()
        if n in changed and isinstance(v, np.ndarray | float | np.floating)
    ]
    if any(np.ndim(v) == 2 for _, v in plain):
        yield plain
    if numeric and {p for p, _ in numeric} != {p for p, _ in plain}:
        yield [item for item in numeric if not names.means(item[0][0], "loss")]
    for n, v in list(student.namespace.items()):
        if (
            isinstance(v, dict | list | tuple)
            and not n.startswith("__")
            and not names.means(n, "x")
            and not names.means(n, "y")
        ):
            items = arrays_of(v, (n,))
            if (
                any(np.ndim(a) == 2 for _, a in items)
                and len(items) <= 12
                and not n.lower().startswith(("grad", "d_", "dw", "db", "cache"))
            ):
                yield items
    yield from _made_templates(student)


def _vectors(student: Student) -> Iterator[list[tuple[Trail, Any]]]:
    """All parameters of two layers in one vector: W1, b1, W2, b2 one after the other."""
    inputs = {shape_of(student.namespace[n])[-1] for n in student.x_names if len(shape_of(student.namespace[n])) == 2}
    for name, value in list(student.namespace.items()):
        if not (isinstance(value, np.ndarray) and value.ndim == 1 and names.means(name, "container")):
            continue
        for n_in in sorted(inputs):
            hidden, left = divmod(value.size - 1, n_in + 2)
            if left or not hidden:
                continue
            for first in ((hidden, n_in), (n_in, hidden)):
                shapes = (("W1", first), ("b1", (hidden,)), ("W2", (hidden,)), ("b2", (1,)))
                items, start = [], 0
                for part, shape in shapes:
                    items.append(((name, Part(part, start, shape)), np.zeros(shape)))
                    start += int(np.prod(shape))
                yield items


def _lines(student: Student) -> Iterator[list[tuple[Trail, Any]]]:
    """A slope and an intercept: two numbers, of the module or among the arguments of a function."""
    for node in student.code.functions.values():
        arguments = [a.arg for a in node.args.args]
        pair = [n for n in arguments if n.lower() in _SLOPES][:1] + [n for n in arguments if n.lower() in _INTERCEPTS]
        if names.means(node.name, "is_train") and len(pair) == 2:
            for name in pair:
                if name not in student.namespace:
                    student.namespace[name] = 0.5
                    student.made_up.add(name)
    student.freeze()
    numbers = [
        n for n, v in student.namespace.items() if isinstance(v, float | np.floating | np.ndarray) and np.ndim(v) == 0
    ]
    for slope in (n for n in numbers if n.lower() in _SLOPES):
        for intercept in (n for n in numbers if n.lower() in _INTERCEPTS):
            yield [((slope,), student.namespace[slope]), ((intercept,), student.namespace[intercept])]


def _made_templates(student: Student) -> Iterator[list[tuple[Trail, Any]]]:
    for name in student.callables():
        if names.means(name, "is_init"):
            try:
                with at_most(CALL_SECONDS):
                    made = student.namespace[name](**constructor_arguments(student, student.namespace[name]))
            except (Exception, TooLongError):
                continue
            labels = return_labels(student.code.functions.get(name))
            if isinstance(made, tuple) and len(labels) == len(made) and all(label.isidentifier() for label in labels):
                for label, value in zip(labels, made, strict=True):
                    student.namespace.setdefault(label, value)
                yield [((label,), value) for label, value in zip(labels, made, strict=True)]
            if isinstance(made, dict | list | tuple):
                student.namespace["_made"] = list(made) if isinstance(made, tuple) else made
                items = arrays_of(student.namespace["_made"], ("_made",))
                if any(np.ndim(a) == 2 for _, a in items):
                    yield items
    shapes = ((10, 2), (1, 10)), ((2, 10), (10, 1))
    for node in student.code.functions.values():
        arguments = [a.arg for a in node.args.args if names.kind_of(a.arg) and not names.means(a.arg, "container")]
        weights = [a for a in arguments if names.kind_of(a) == "W"]
        biases = [a for a in arguments if names.kind_of(a) == "b"]
        if names.means(node.name, "is_forward") and len(weights) == 2:
            for first, second in shapes:
                for bias in ((10,), (1,)), ((1, 10), (1, 1)), ((10, 1), (1, 1)):
                    made = dict(zip(weights, (np.zeros(first), np.zeros(second)), strict=True))
                    made |= {b: np.zeros(s) for b, s in zip(biases, bias, strict=False)}
                    for label, value in made.items():
                        if label not in student.namespace:
                            student.made_up.add(label)
                            student.namespace[label] = value
                    yield [((label,), value) for label, value in made.items()]
        if names.means(node.name, "is_forward") and any(a.arg in ("parameters", "params") for a in node.args.args):
            student.namespace.setdefault("_parameters", [np.zeros(s) for s in ((10, 2), (1, 10), (1, 10), (1, 1))])
            yield arrays_of(student.namespace["_parameters"], ("_parameters",))
    student.freeze()


def constructor_arguments(student: Student, kind: Any) -> dict[str, Any]:
    """What to make an object of a class, or the first parameters, with."""
    arguments: dict[str, Any] = {}
    known = {
        "n_in": 2,
        "n_hidden": 10,
        "n_out": 1,
        "sizes": [2, 10, 1],
        "learning_rate": 0.5,
        "epochs": 1,
        "seed": 0,
    }
    for parameter in list(inspect.signature(kind).parameters.values()):
        for key, value in known.items():
            if names.means(parameter.name, key):
                arguments[parameter.name] = value
                break
        else:
            if parameter.default is inspect.Parameter.empty:
                if parameter.name in student.namespace:
                    arguments[parameter.name] = student.namespace[parameter.name]
                elif names.means(parameter.name, "x"):
                    arguments[parameter.name] = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
                elif names.means(parameter.name, "y"):
                    arguments[parameter.name] = np.array([[0.0], [1], [1], [0]])
    return arguments


def changed_names(student: Student) -> set[str]:
    """Names that some line of theirs steps: a -= …, a = a - …."""
    changed: set[str] = set()
    for tree in student.code.trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub | ast.Add):
                target = node.target
                while isinstance(target, ast.Subscript):
                    target = target.value  # type: ignore[assignment]
                if isinstance(target, ast.Name):
                    changed.add(target.id)
            elif (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.BinOp)
                and isinstance(node.targets[0], ast.Name)
            ):
                name = node.targets[0].id
                if any(isinstance(k, ast.Name) and k.id == name for k in ast.walk(node.value.left)):
                    changed.add(name)
    return changed
