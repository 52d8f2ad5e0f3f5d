"""Inside the sandbox: what a student's code has, as the search for experiments needs it."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import numpy as np

from byhand.diagnosis import names
from byhand.diagnosis.check_running import Code, Frozen, Trail, hint, name_of, with_line


class Student:
    """The code after it has run: its functions, its data, and how it calls the one with the other.

    Attributes
    ----------
    namespace : dict
        Its names.
    frozen : Frozen
        The same as they were, to be put back after each call.
    x_names, y_names : list of str
        Names of inputs and of targets.
    calls, results_of : dict
        By function: how their own code calls it, and what it calls the results.
    made_up : set of str
        Names that we have added.
    shares : bool
        The outputs are probabilities of classes.
    loss_names : list of str
        Functions that compute a loss.
    """

    def __init__(self, code: Code) -> None:
        self.code = code
        self.namespace = code.namespace
        self.frozen = Frozen(self.namespace)
        self.x_names, self.y_names = self._data_names()
        self.calls: dict[str, ast.Call] = {}
        self.results_of: dict[str, list[ast.expr]] = {}
        self._note_calls()
        self.made_up = {"_parameters"}
        self.shares = any("softmax" in cell["source"] for cell in code.cells)
        self.loss_names = [
            n for n in self.callables() if names.means(n, "is_loss") and not names.means(n, "is_derivative")
        ]

    def freeze(self) -> None:
        """Keep the names as they are now."""
        self.frozen = Frozen(self.namespace)

    def _data_names(self) -> tuple[list[str], list[str]]:
        arrays = [n for n, v in self.namespace.items() if not n.startswith("_") and shape_of(v)]
        return (
            [n for n in arrays if names.means(n, "x")],
            [n for n in arrays if names.means(n, "y")],
        )

    def callables(self) -> list[str]:
        """The functions that are written in it."""
        return [n for n, v in self.namespace.items() if inspect.isfunction(v) and v.__module__ == "__main__"]

    def _note_calls(self) -> None:
        """How their own code calls its functions: which argument is what, and what the results are called."""
        for tree in self.code.trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and (node.args or node.keywords):
                    self.calls.setdefault(called(node), node)
                elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                    self.results_of.setdefault(called(node.value), []).append(node.targets[0])

    def takes_one(self, name: str) -> bool:
        """Whether a function can be called with one argument."""
        return bool(inspect.signature(self.namespace[name]).parameters) and self.required(name) <= 1

    def required(self, name: str) -> int:
        """How many arguments a function cannot do without."""
        parameters = inspect.signature(self.namespace[name]).parameters.values()
        return sum(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)

    def described(self, error: BaseException) -> dict[str, Any]:
        """An exception that left their code, with their line."""
        described = with_line(error, "the file")
        described.pop("traceback", None)
        return described

    def takes_all(self, name: str) -> bool:
        """Whether a function is given all parameters in one argument."""
        return any(
            names.means(argument, "container") for argument in inspect.signature(self.namespace[name]).parameters
        )


def called(call: ast.Call) -> str:
    """The name of the function, or of the method, that is called."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array or of a list of numbers; () for everything else."""
    if isinstance(value, np.ndarray):
        return value.shape if value.dtype.kind in "biuf" else ()
    if not isinstance(value, list):
        return ()
    try:
        array = np.array(value)
    except ValueError:
        return ()
    return array.shape if array.dtype.kind in "biuf" else ()


def arrays_of(value: Any, path: Trail, depth: int = 3) -> list[tuple[Trail, Any]]:
    """The arrays inside containers and objects, with their paths."""
    if isinstance(value, np.ndarray):
        return [(path, value)] if value.ndim <= 2 and value.dtype.kind in "fiu" else []
    if isinstance(value, float) and len(path) > 1 and isinstance(path[-1], str):
        name = path[-1].lstrip(".")
        return [(path, value)] if names.kind_of(name) == "b" or name in ("c", "d") else []
    if depth == 0:
        return []
    if isinstance(value, dict):
        return [item for key, v in value.items() for item in arrays_of(v, (*path, key), depth - 1)]
    if isinstance(value, list | tuple) and len(value) <= 12:
        return [item for key, v in enumerate(value) for item in arrays_of(v, (*path, key), depth - 1)]
    if type(value).__module__ == "__main__" and hasattr(value, "__dict__"):
        items = [item for key, v in vars(value).items() for item in arrays_of(v, (*path, f".{key}"), depth - 1)]
        return [
            item
            for item in items
            if not names.means(name_of(item[0]), "x")
            and (not names.means(name_of(item[0]), "y") or hint(item[0]) == "d")
        ]
    return []


def named_ones(items: list[tuple[Trail, Any]]) -> list[tuple[Trail, Any]]:
    """Those with names of weights and biases, when there are such."""
    named = [item for item in items if names.kind_of(hint(item[0]))]
    if not any(names.kind_of(hint(trail)) == "b" for trail, _ in named):
        named = [item for item in items if names.kind_of(hint(item[0])) or _is_letter_of_a_vector(*item)]
    return named if any(names.kind_of(hint(trail)) == "W" for trail, _ in named) else items


def _is_letter_of_a_vector(trail: Trail, value: Any) -> bool:
    """Biases may have a letter of their own: W, c, V, d."""
    return len(hint(trail)) == 1 and np.ndim(value) > 0 and np.size(value) == max(np.shape(value))
