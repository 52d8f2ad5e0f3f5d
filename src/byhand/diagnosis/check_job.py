"""Inside the sandbox: finds the student's functions, calls them on inputs of ours, and sends what they gave.

An *experiment* is one forward and backward pass of theirs, however it is written, with parameters, inputs and
targets of ours, and the forward pass again with each number of each parameter moved a little to both sides.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byhand.diagnosis import names
from byhand.diagnosis.check_running import (
    _CALL_SECONDS,
    Code,
    Frozen,
    Layout,
    Parameter,
    Part,
    TooLongError,
    Trail,
    _with_line,
    at_most,
    flatten,
    get_path,
    hint,
    layouts,
    name_of,
    return_labels,
    set_path,
)
from byhand.diagnosis.sandboxed import Send, pack, unpack_value

STEP = 1e-5
RATE = 1e-5
_EXPERIMENTS_SECONDS = 2.2
_SLOPES = ("a", "w", "m", "slope", "weight", "theta1", "theta_1", "k", "coef")
_INTERCEPTS = ("b", "c", "intercept", "bias", "theta0", "theta_0", "q", "offset")


def main(request: dict[str, Any], send: Send) -> None:
    """Run the code in the request's cells, then every experiment that can be made with it."""
    code = Code(
        request["cells"], skip=set(request["skip"]), on_statement=lambda where: send({"kind": "at", "what": where})
    )
    originals = [(module, dict(vars(module))) for module in (np, np.random, np.linalg, builtins)]
    send({"kind": "start", "what": "running the code"})
    code.run({name: unpack_value(value) for name, value in request.get("values", {}).items()})
    send(
        {
            "kind": "ran",
            "problems": [problem.__dict__ for problem in code.problems],
            "too_long": code.too_long,
            "patched": _put_back(originals),
            "names": _described_names(code),
            "first": {name: pack(value) for name, value in code.first_values.items() if value.size < 5000},
            "at_questions": code.at_questions,
        }
    )
    Prober(code, send, set(request["skip"]), request.get("only")).run(request.get("trials", {}))


def _put_back(originals: list[tuple[Any, dict[str, Any]]]) -> list[str]:
    """Undo what their code has put into NumPy and the builtins in place of what was there; tell what it was."""
    changed = []
    for module, names_ in originals:
        for name, value in names_.items():
            if vars(module).get(name) is not value and not name.startswith("__"):
                changed.append(f"{module.__name__}.{name}")
                setattr(module, name, value)
    return changed


def _described_names(code: Code) -> dict[str, Any]:
    """The plain values of the module: what the questions that want numbers are judged by."""
    values: dict[str, Any] = {}
    for name, value in code.namespace.items():
        if name.startswith("__"):
            continue
        if value is Ellipsis or value is None:
            values[name] = None
        elif isinstance(value, int | float | np.ndarray | np.number | list | tuple):
            packed = (
                pack(value) if (value.size if isinstance(value, np.ndarray) else len(flatten(value))) < 5000 else None
            )
            if packed is not None:
                values[name] = packed
    return values


def _called(call: ast.Call) -> str:
    """The name of the function, or of the method, that is called."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


class UnboundError(Exception):
    """An argument of theirs that we don't know a value for."""


@dataclass
class State:
    """What an experiment hands to their functions."""

    layout: Layout
    n: int
    x_form: str
    y_form: str
    shares: bool = False
    x: Any = None
    y: Any = None
    canonical: list[Any] = field(default_factory=list)
    rate: float = RATE
    epochs: int = 1
    result: Any = None
    labels: list[str] = field(default_factory=list)
    outputs: list[tuple[str, Any]] = field(default_factory=list)

    def draw(self, seed: int = 0) -> None:
        """Random inputs, targets and parameters, in one convention; `x` and `y` in the student's."""
        generator = random.Random(seed)  # their code may have put something else into np.random

        def normal(*shape: int, scale: float = 1.0) -> Any:
            count = int(np.prod(shape))
            return np.array([generator.gauss(0, 1) * scale for _ in range(count)], dtype=float).reshape(shape)

        sizes = self.layout.sizes
        self.x_rows = normal(self.n, sizes[0])
        self.y_rows = np.array([generator.uniform(0.15, 0.85) for _ in range(self.n * sizes[-1])]).reshape(
            self.n, sizes[-1]
        )
        if self.shares:  # targets of a softmax are shares of 1
            self.y_rows /= self.y_rows.sum(axis=1, keepdims=True)
        by_layer: dict[tuple[int, str], Any] = {}
        for layer in range(len(sizes) - 1):
            by_layer[layer, "W"] = normal(sizes[layer + 1], sizes[layer], scale=0.8)
            by_layer[layer, "b"] = normal(sizes[layer + 1], scale=0.4) + 0.15
        self.canonical = [by_layer[p.layer, p.kind] for p in self.layout.parameters]
        self.x = _data(self.x_rows, self.x_form)
        self.y = _data(self.y_rows, self.y_form)


def _data(rows: Any, form: str) -> Any:
    if form == "rows":
        return rows.copy()
    if form == "cols":
        return rows.T.copy()
    if form == "flat":
        return rows[:, 0].copy()
    if form == "vec":
        return rows[0].copy()
    return float(rows[0, 0])


class Prober:
    """Makes the experiments."""

    def __init__(self, code: Code, send: Send, skip: set[str], only: list[str] | None = None) -> None:
        self.code = code
        self.skip = skip
        self.only = only
        self.send = send
        self.namespace = code.namespace
        self.deadline = time.monotonic() + _EXPERIMENTS_SECONDS
        self.x_names, self.y_names = self._data_names()
        self.calls: dict[str, ast.Call] = {}
        self.results_of: dict[str, list[ast.expr]] = {}
        self._note_calls()
        self.made_up = {"_parameters"}
        self.shares = any("softmax" in cell["source"] for cell in code.cells)
        self.loss_names = [
            n for n in self._callables() if names.means(n, "is_loss") and not names.means(n, "is_derivative")
        ]

    def _data_names(self) -> tuple[list[str], list[str]]:
        arrays = [n for n, v in self.namespace.items() if not n.startswith("_") and _shape(v)]
        return (
            [n for n in arrays if names.means(n, "x")],
            [n for n in arrays if names.means(n, "y")],
        )

    def _callables(self) -> list[str]:
        return [n for n, v in self.namespace.items() if inspect.isfunction(v) and v.__module__ == "__main__"]

    def _note_calls(self) -> None:
        """How their own code calls its functions: which argument is what, and what the results are called."""
        for tree in self.code.trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and (node.args or node.keywords):
                    self.calls.setdefault(_called(node), node)
                elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                    self.results_of.setdefault(_called(node.value), []).append(node.targets[0])

    # ── activations, losses, measures ──────────────────────────────────────────────────────────────────────────

    def run(self, trials: dict[str, list[list[Any]]]) -> None:
        """Everything that can be tried, each announced before it starts."""
        self.frozen = Frozen(self.namespace)
        for name in self._callables():
            if not self._is_asked_for([name]):
                continue
            if name in trials:
                self._call_with(name, trials[name])
                continue
            for kind in ("is_softmax", "is_accuracy", "is_loss"):
                if names.means(name, kind) and self._required(name) == (1 if kind == "is_softmax" else 2):
                    self._try(name, kind)
                    break
            else:
                if self._takes_one(name) and any(
                    names.means(name, f"is_{k}") for k in ("sigmoid", "relu", "tanh", "identity", "derivative")
                ):
                    self._try(name, "elementwise")
        try:
            self._experiments()
        except TooLongError:
            self.send({"kind": "note", "what": "out of time"})

    def _is_asked_for(self, functions: list[str]) -> bool:
        return self.only is None or any(name in self.only for name in functions)

    def _call_with(self, name: str, trials: list[list[Any]]) -> None:
        """Call a small function with the arguments given, and send what it returns."""
        if name in self.skip:
            return
        self.send({"kind": "start", "what": name})
        results: list[Any] = []
        for packed in trials:
            try:
                with at_most(_CALL_SECONDS):
                    value = self.namespace[name](*(unpack_value(argument) for argument in packed))
                results.append({"value": [pack(array) for _, array in flatten(value)], "nothing": value is None})
            except TooLongError:
                results.append({"error": {"type": "TooLong", "message": "it does not end", "line": None}})
            except BaseException as error:
                results.append({"error": self._described(error)})
            self.frozen.thaw()
        self.send({"kind": "trial", "name": name, "results": results})

    def _takes_one(self, name: str) -> bool:
        return bool(inspect.signature(self.namespace[name]).parameters) and self._required(name) <= 1

    def _required(self, name: str) -> int:
        """How many arguments a function cannot do without."""
        parameters = inspect.signature(self.namespace[name]).parameters.values()
        return sum(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)

    def _try(self, name: str, kind: str) -> None:
        if name in self.skip:
            return
        self.send({"kind": "start", "what": name})
        function = self.namespace[name]
        samples: list[tuple[str, tuple[Any, ...]]] = []
        grid = np.array([-3.1, -1.3, -0.4, 0.3, 0.9, 2.2]).reshape(2, 3)
        if kind == "elementwise":
            samples = [("grid", (grid,)), ("vector", (grid.ravel(),)), ("number", (0.7,)), ("large", (grid * 300,))]
            samples += [("inside", (np.array([[0.12, 0.35], [0.61, 0.9]]),))]
        elif kind == "is_softmax":
            samples = [
                ("grid", (grid,)),
                ("vector", (grid.ravel(),)),
                ("large", (np.array([[1000.0, 1001.0, 999.0]]),)),
            ]
            samples += [("large vector", (np.array([1000.0, 1001.0, 999.0]),))]
        else:
            p, t = np.array([0.9, 0.2, 0.8, 0.4, 0.7]), np.array([1.0, 0.0, 0.0, 1.0, 1.0])
            sure = np.array([1.0, 0.0, 1.0])
            order = self._order_of_targets(name)
            pairs = [("vectors", (p, t)), ("columns", (p[:, None], t[:, None])), ("rows", (p[None], t[None]))]
            pairs += [("sure", (sure, sure.copy())), ("sure columns", (sure[:, None], sure[:, None].copy()))]
            classes, labels = np.eye(3)[[0, 1, 2, 0, 1]] * 0.7 + 0.1, np.array([0, 1, 1, 0, 2])
            pairs += [("classes", (classes, np.eye(3)[labels])), ("labels", (classes, labels))]
            samples = [(label, pair[::-1] if order == "y first" else pair) for label, pair in pairs]
        results: dict[str, Any] = {"order": self._order_of_targets(name)}
        for label, arguments in samples:
            given = tuple(np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments)
            outcome: dict[str, Any] = {"arguments": [pack(a) for a in arguments]}
            try:
                with at_most(_CALL_SECONDS):
                    value = function(*given)
                outcome["nothing"] = value is None or value is Ellipsis
                outcome["value"] = pack(value) if not outcome["nothing"] else None
                outcome["mutated"] = any(not np.array_equal(a, g) for a, g in zip(arguments, given, strict=True))
            except TooLongError:
                outcome["error"] = {"type": "TooLong", "message": "it does not end", "line": None}
            except BaseException as error:
                outcome["error"] = self._described(error)
            results[label] = outcome
            self.frozen.thaw()
        node = self.code.functions.get(name)
        self.send(
            {"kind": "function", "name": name, "as": kind, "line": node.lineno if node else None, "results": results}
        )

    def _order_of_targets(self, name: str) -> str:
        node = self.code.functions.get(name)
        arguments = [a.arg for a in node.args.args] if node else []
        if len(arguments) >= 2 and names.means(arguments[0], "y") and not names.means(arguments[0], "y_hat"):
            return "y first"
        return "y_hat first"

    def _described(self, error: BaseException) -> dict[str, Any]:
        described = _with_line(error, "the file")
        described.pop("traceback", None)
        return described

    # ── forward and backward ───────────────────────────────────────────────────────────────────────────────────

    def _experiments(self) -> None:
        programs = list(self._programs())
        done: set[str] = set()
        for program in programs:
            if not self._is_asked_for([*program.parts(), program.name.partition(".")[0]]):
                continue
            if program.name in done | self.skip or time.monotonic() > self.deadline:
                continue
            self.send({"kind": "start", "what": program.name})
            before = time.monotonic()
            with at_most(max(0.1, self.deadline - before)):
                try:
                    if self._experiment(program):
                        done.add(program.name)
                finally:
                    self.frozen.thaw()

    def _programs(self) -> Iterator[Program]:
        functions = self._callables()
        forwards = [n for n in functions if names.means(n, "is_forward") and not names.means(n, "is_backward")]
        forwards.sort(key=lambda n: ("forward" not in n.lower() and "feed" not in n.lower(), "pass" in n.lower()))
        backwards: list[str | None] = [n for n in functions if names.means(n, "is_backward")]
        backwards.sort(key=lambda n: "back" not in str(n).lower())
        templates = list(self._templates())
        for backward in backwards or [None]:
            for forward in self._paired(forwards, backward):
                yield FunctionProgram(
                    f"{forward} and {backward}" if backward else forward, self, templates, forward, backward
                )
        for name in functions:
            if name not in backwards and "grad" in name.lower() and self._takes_all(name):
                yield FunctionProgram(name, self, templates, None, name)
        for class_name in self.code.classes:
            yield from self._class_programs(class_name)
        for name in functions:
            node = self.code.functions.get(name)
            if (
                names.means(name, "is_train")
                and node
                and any(isinstance(k, ast.For | ast.While) for k in ast.walk(node))
            ):
                yield FunctionProgram(name, self, templates, None, name)
        for loop in self._loops():
            yield LoopProgram(f"the loop in line {loop.lineno}", self, templates, loop)

    def _takes_all(self, name: str) -> bool:
        """Whether a function is given all parameters in one argument."""
        return any(names.means(argument, "container") for argument in inspect.signature(self.namespace[name]).parameters)

    def _paired(self, forwards: list[str], backward: str | None) -> list[str]:
        """The forward functions to try with a backward one: those that share the rest of its name first."""
        if backward is None:
            return forwards[:2]

        def rest(name: str) -> set[str]:
            return {
                part
                for part in name.lower().split("_")
                if not part.startswith(("forward", "back", "feed", "pass", "prop"))
            }

        return sorted(forwards, key=lambda forward: rest(forward) != rest(backward))[:2]

    def _class_programs(self, class_name: str) -> Iterator[Program]:
        kind = self.namespace.get(class_name)
        if not inspect.isclass(kind):
            return
        instance = next((n for n, v in self.namespace.items() if type(v) is kind), None)
        if instance is None:
            try:
                with at_most(_CALL_SECONDS):
                    made = kind(**self._constructor_arguments(kind))
            except (Exception, TooLongError):
                return
            instance = f"_made_{class_name}"
            self.namespace[instance] = made
            self.frozen = Frozen(self.namespace)
        methods = [n for n, v in inspect.getmembers(kind, inspect.isfunction)]
        forwards = [n for n in methods if names.means(n, "is_forward") or n == "__call__"]
        forwards.sort(key=lambda n: "forward" not in n.lower())
        backwards = [n for n in methods if names.means(n, "is_backward")]
        items = _arrays_of(self.namespace[instance], (instance,))
        templates = [_named_ones(items)] if items else []
        no_backward: list[Any] = [None]
        for forward in forwards[:1]:
            for backward in backwards or no_backward:
                name = f"{class_name}.{forward} and {backward}" if backward else f"{class_name}.{forward}"
                yield FunctionProgram(name, self, templates, forward, backward, instance)
        for train in (n for n in methods if names.means(n, "is_train") and n not in backwards):
            yield FunctionProgram(f"{class_name}.{train}", self, templates, None, train, instance)

    def _constructor_arguments(self, kind: Any) -> dict[str, Any]:
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
                    if parameter.name in self.namespace:
                        arguments[parameter.name] = self.namespace[parameter.name]
                    elif names.means(parameter.name, "x"):
                        arguments[parameter.name] = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
                    elif names.means(parameter.name, "y"):
                        arguments[parameter.name] = np.array([[0.0], [1], [1], [0]])
        return arguments

    def _templates(self) -> Iterator[list[tuple[Trail, Any]]]:
        """Groups of arrays that may be a network's parameters."""
        for w in (n for n in self.namespace if n.lower() in ("weights", "w", "ws")):
            for b in (n for n in self.namespace if n.lower() in ("biases", "b", "bs", "bias")):
                if isinstance(self.namespace[w], list | dict):
                    yield _arrays_of(self.namespace[w], (w,)) + _arrays_of(self.namespace[b], (b,))
        yield from self._lines()
        yield from self._vectors()
        changed = self._changed_names()
        plain = [
            ((n,), v)
            for n, v in self.namespace.items()
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
            for n, v in self.namespace.items()
            if n in changed and isinstance(v, np.ndarray | float | np.floating)
        ]
        if any(np.ndim(v) == 2 for _, v in plain):
            yield plain
        if numeric and {p for p, _ in numeric} != {p for p, _ in plain}:
            yield [item for item in numeric if not names.means(item[0][0], "loss")]
        for n, v in list(self.namespace.items()):
            if (
                isinstance(v, dict | list | tuple)
                and not n.startswith("__")
                and not names.means(n, "x")
                and not names.means(n, "y")
            ):
                items = _arrays_of(v, (n,))
                if (
                    any(np.ndim(a) == 2 for _, a in items)
                    and len(items) <= 12
                    and not n.lower().startswith(("grad", "d_", "dw", "db", "cache"))
                ):
                    yield items
        yield from self._made_templates()

    def _vectors(self) -> Iterator[list[tuple[Trail, Any]]]:
        """All parameters of two layers in one vector: W1, b1, W2, b2 one after the other."""
        inputs = {_shape(self.namespace[n])[-1] for n in self.x_names if len(_shape(self.namespace[n])) == 2}
        for name, value in list(self.namespace.items()):
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

    def _lines(self) -> Iterator[list[tuple[Trail, Any]]]:
        """A slope and an intercept: two numbers, of the module or among the arguments of a function."""
        for node in self.code.functions.values():
            arguments = [a.arg for a in node.args.args]
            pair = [n for n in arguments if n.lower() in _SLOPES][:1] + [
                n for n in arguments if n.lower() in _INTERCEPTS
            ]
            if names.means(node.name, "is_train") and len(pair) == 2:
                for name in pair:
                    if name not in self.namespace:
                        self.namespace[name] = 0.5
                        self.made_up.add(name)
        self.frozen = Frozen(self.namespace)
        numbers = [
            n for n, v in self.namespace.items() if isinstance(v, float | np.floating | np.ndarray) and np.ndim(v) == 0
        ]
        for slope in (n for n in numbers if n.lower() in _SLOPES):
            for intercept in (n for n in numbers if n.lower() in _INTERCEPTS):
                yield [((slope,), self.namespace[slope]), ((intercept,), self.namespace[intercept])]

    def _made_templates(self) -> Iterator[list[tuple[Trail, Any]]]:
        for name in self._callables():
            if names.means(name, "is_init"):
                try:
                    with at_most(_CALL_SECONDS):
                        made = self.namespace[name](**self._constructor_arguments(self.namespace[name]))
                except (Exception, TooLongError):
                    continue
                labels = return_labels(self.code.functions.get(name))
                if (
                    isinstance(made, tuple)
                    and len(labels) == len(made)
                    and all(label.isidentifier() for label in labels)
                ):
                    for label, value in zip(labels, made, strict=True):
                        self.namespace.setdefault(label, value)
                    yield [((label,), value) for label, value in zip(labels, made, strict=True)]
                if isinstance(made, dict | list | tuple):
                    self.namespace["_made"] = list(made) if isinstance(made, tuple) else made
                    items = _arrays_of(self.namespace["_made"], ("_made",))
                    if any(np.ndim(a) == 2 for _, a in items):
                        yield items
        shapes = ((10, 2), (1, 10)), ((2, 10), (10, 1))
        for node in self.code.functions.values():
            arguments = [a.arg for a in node.args.args if names.kind_of(a.arg) and not names.means(a.arg, "container")]
            weights = [a for a in arguments if names.kind_of(a) == "W"]
            biases = [a for a in arguments if names.kind_of(a) == "b"]
            if names.means(node.name, "is_forward") and len(weights) == 2:
                for first, second in shapes:
                    for bias in ((10,), (1,)), ((1, 10), (1, 1)), ((10, 1), (1, 1)):
                        made = dict(zip(weights, (np.zeros(first), np.zeros(second)), strict=True))
                        made |= {b: np.zeros(s) for b, s in zip(biases, bias, strict=False)}
                        for label, value in made.items():
                            if label not in self.namespace:
                                self.made_up.add(label)
                                self.namespace[label] = value
                        yield [((label,), value) for label, value in made.items()]
            if names.means(node.name, "is_forward") and any(a.arg in ("parameters", "params") for a in node.args.args):
                self.namespace.setdefault("_parameters", [np.zeros(s) for s in ((10, 2), (1, 10), (1, 10), (1, 1))])
                yield _arrays_of(self.namespace["_parameters"], ("_parameters",))
        self.frozen = Frozen(self.namespace)

    def _changed_names(self) -> set[str]:
        """Names that some line of theirs steps: a -= …, a = a - …."""
        changed: set[str] = set()
        for tree in self.code.trees:
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

    def _loops(self) -> list[ast.For | ast.While]:
        """The training loops that stand in no function."""
        changed = self._changed_names()
        found: list[ast.For | ast.While] = []

        def stepping(node: ast.AST) -> bool:
            for k in ast.walk(node):
                if isinstance(k, ast.AugAssign | ast.Assign):
                    targets = [k.target] if isinstance(k, ast.AugAssign) else k.targets
                    roots = {
                        n.id
                        for t in targets
                        for n in ast.walk(t)
                        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store | ast.Load)
                    }
                    if roots & changed and any(
                        names.kind_of(r) or r in ("a", "m", "slope", "intercept", "c") for r in roots & changed
                    ):
                        return True
                if isinstance(k, ast.Call):
                    name = _called(k)
                    if names.means(name, "is_backward") or name in (
                        "update",
                        "step",
                        "train_step",
                        "update_parameters",
                        "update_params",
                    ):
                        return True
            return False

        def search(body: list[ast.stmt]) -> None:
            for statement in body:
                if isinstance(statement, ast.For | ast.While) and stepping(statement):
                    found.append(statement)
                elif isinstance(statement, ast.If | ast.With):
                    search(statement.body)

        for tree in self.code.trees:
            search(tree.body)
        return found[:4]

    def _experiment(self, program: Program) -> bool:
        """Find a layout, sizes and forms for which it runs; send what it gives. Whether that was possible."""
        errors: list[dict[str, Any]] = []
        for layout, own in self._sized_layouts(program):
            for x_form, y_form in self._forms(program, layout):
                for n in (7, 4) if own else (7,):
                    if "vec" in x_form:
                        n = 1
                    state = State(layout, n, x_form, y_form, self.shares)
                    state.draw()
                    try:
                        message = program.observe(state)
                    except UnboundError:
                        continue
                    except TooLongError:
                        raise
                    except BaseException as error:
                        if own:
                            errors.append(self._described(error))
                        continue
                    finally:
                        self.frozen.thaw()
                    if message is not None:
                        self.send(message | {"kind": "experiment", "own": own})
                        if not own:
                            continue_own = self._own_sizes(program, layout, x_form, y_form)
                            if continue_own is not None:
                                self.send(continue_own)
                        return True
        called = isinstance(program, LoopProgram) or any(part in self.calls for part in program.parts())
        if errors and not called and len({(e["type"], e["line"]) for e in errors}) == 1:
            self.send({"kind": "failed", "program": program.name, "error": errors[0]})
        return False

    def _own_sizes(self, program: Program, layout: Layout, x_form: str, y_form: str) -> dict[str, Any] | None:
        """The same experiment in the student's own sizes: a number written into a loop is no mistake."""
        for original, own in self._sized_layouts(program):
            if (
                own
                and [p.path for p in original.parameters] == [p.path for p in layout.parameters]
                and [p.form for p in original.parameters] == [p.form for p in layout.parameters]
            ):
                state = State(original, 4, x_form, y_form, self.shares)
                state.draw(1)
                try:
                    message = program.observe(state)
                except BaseException:
                    return None
                finally:
                    self.frozen.thaw()
                return None if message is None else message | {"kind": "experiment", "own": True}
        return None

    def _sized_layouts(self, program: Program) -> Iterator[tuple[Layout, bool]]:
        """Each layout with sizes that all differ, then with the sizes that their code has."""
        every = [layout for template in program.templates for layout in layouts(template, None, None)]
        single = any(len(s) == 1 and s[0] > 2 for s in (_shape(self.namespace[n]) for n in self.y_names))
        for outputs in (2, 1):
            for layout in every:
                if outputs == 2 and (layout.single_output or single):
                    continue
                hidden = [5, 4, 6, 8][: len(layout.sizes) - 2]
                sizes = [3, *hidden, outputs]
                if any(p.kind == "W" and p.form == "" for p in layout.parameters):
                    sizes = [1, 1]
                yield Layout(layout.parameters, sizes), False
        for layout in every:
            yield layout, True

    def _forms(self, program: Program, layout: Layout) -> list[tuple[str, str]]:
        forms = [
            ("rows", "rows"),
            ("rows", "flat"),
            ("cols", "cols"),
            ("cols", "flat"),
            ("vec", "vec"),
            ("vec", "number"),
        ]
        if layout.sizes[0] == 1:
            forms = [("flat", "flat"), ("rows", "rows"), ("rows", "flat")]
        if layout.sizes[-1] != 1:
            forms = [f for f in forms if f[1] not in ("flat", "number")]
        own = [_shape(self.namespace[n]) for n in self.y_names]
        xs = [_shape(self.namespace[n]) for n in self.x_names]
        if any(len(s) == 1 and s[0] > 2 for s in own):
            forms.sort(key=lambda f: f[1] != "flat")
        elif any(len(s) == 2 and s[0] == 1 and s[1] > 2 for s in own) and any(len(s) == 2 and s[0] < s[1] for s in xs):
            forms.sort(key=lambda f: f[0] != "cols")
        if isinstance(program, LoopProgram):
            forms = [f for f in forms if f[0] != "vec"]
        return forms


def _named_ones(items: list[tuple[Trail, Any]]) -> list[tuple[Trail, Any]]:
    """Those with names of weights and biases, when there are such."""
    named = [item for item in items if names.kind_of(hint(item[0]))]
    return named if any(names.kind_of(hint(trail)) == "W" for trail, _ in named) else items


def _shape(value: Any) -> tuple[int, ...]:
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


def _arrays_of(value: Any, path: Trail, depth: int = 3) -> list[tuple[Trail, Any]]:
    """The arrays inside containers and objects, with their paths."""
    if isinstance(value, np.ndarray):
        return [(path, value)] if value.ndim <= 2 and value.dtype.kind in "fiu" else []
    if depth == 0:
        return []
    if isinstance(value, dict):
        return [item for key, v in value.items() for item in _arrays_of(v, (*path, key), depth - 1)]
    if isinstance(value, list | tuple) and len(value) <= 12:
        return [item for key, v in enumerate(value) for item in _arrays_of(v, (*path, key), depth - 1)]
    if type(value).__module__ == "__main__" and hasattr(value, "__dict__"):
        items = [item for key, v in vars(value).items() for item in _arrays_of(v, (*path, f".{key}"), depth - 1)]
        return [
            item for item in items if not names.means(name_of(item[0]), "x") and not names.means(name_of(item[0]), "y")
        ]
    return []


@dataclass
class Program:
    """A way to run their forward and backward pass."""

    name: str
    prober: Prober
    templates: list[list[tuple[Trail, Any]]]

    def observe(self, state: State) -> dict[str, Any] | None:
        """One experiment; None when what it gives cannot be a forward pass with these parameters."""
        _, returned, after = self.once(state, RATE)
        outputs = self.forward_only(state)
        wanted = self._wanted(outputs, state)
        if not wanted:
            return None
        _, returned_2, after_2 = self.once(state, 2 * RATE)
        moved = self._moved(state, wanted)
        if moved is None:
            return None
        parameters = state.layout.parameters
        return {
            "program": self.name,
            "parts": self.parts(),
            "parameters": [
                {"name": name_of(p.path), "layer": p.layer, "kind": p.kind, "form": p.form} for p in parameters
            ],
            "sizes": state.layout.sizes,
            "forms": [state.x_form, state.y_form],
            "x": pack(state.x_rows),
            "y": pack(state.y_rows),
            "values": [pack(v) for v in state.canonical],
            "outputs": [[name, pack(value)] for name, value in outputs if np.size(value) <= 400],
            "returned": [[name, pack(value)] for name, value in returned if np.size(value) <= 400],
            "after": [pack(v) for v in after],
            "returned_2": [[name, pack(value)] for name, value in returned_2 if np.size(value) <= 400],
            "after_2": [pack(v) for v in after_2],
            "rate": RATE,
            "step": STEP,
            "moved": moved,
            "present": [self._present(p) for p in parameters],
            "leak": self._leak(state, wanted),
            "big_step": self._big_step(state),
            **self._three_epochs(state),
        }

    def _three_epochs(self, state: State) -> dict[str, Any]:
        """What three epochs leave, of a function that trains."""
        return {"returned_3": [], "after_3": []}

    def _present(self, parameter: Parameter) -> dict[str, Any] | None:
        """What the student's own code has there; None when we had to make one up."""
        if parameter.path[0] in self.prober.made_up:
            return None
        return pack(get_path(self.prober.frozen.saved, parameter.path))

    def parts(self) -> list[str]:
        """The names of the functions in it."""
        return []

    def once(self, state: State, rate: float) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]], list[Any]]:
        """Outputs of the forward pass, results of the backward pass, and the parameters after it."""
        raise NotImplementedError

    def forward_only(self, state: State) -> list[tuple[str, Any]]:
        """The outputs alone."""
        return self.once(state, 0.0)[0]

    def _wanted(self, outputs: list[tuple[str, Any]], state: State) -> list[str]:
        size = state.n * state.layout.sizes[-1]
        return [
            name for name, value in outputs if np.size(value) in (1, size) and np.asarray(value).dtype.kind in "fiu"
        ]

    def _moved(self, state: State, wanted: list[str]) -> list[Any] | None:
        """The outputs with each number of each parameter moved up and down, by parameter and number."""
        result: list[Any] = []
        changes = False
        originals = state.canonical
        for position, value in enumerate(originals):
            rows = []
            for i in np.ndindex(value.shape):
                pair = []
                for sign in (1.0, -1.0):
                    moved = value.copy()
                    moved[i] += sign * STEP
                    state.canonical = [moved if k == position else v for k, v in enumerate(originals)]
                    got = dict(self.forward_only(state))
                    pair.append([pack(got[name]) if name in got else None for name in wanted])
                state.canonical = originals
                changes = changes or pair[0] != pair[1]
                rows.append(pair)
            result.append(rows)
        return [wanted, result] if changes else None

    def _leak(self, state: State, wanted: list[str]) -> list[Any]:
        """The outputs with other targets."""
        kept_y, kept_rows = state.y, state.y_rows
        state.y_rows = 1.0 - state.y_rows
        state.y = _data(state.y_rows, state.y_form)
        try:
            got = dict(self.forward_only(state))
            return [[name, pack(got[name])] for name in wanted if name in got]
        except Exception:
            return []
        finally:
            state.y, state.y_rows = kept_y, kept_rows

    def _big_step(self, state: State) -> dict[str, Any] | None:
        """One sample and a large learning rate: shows whether new weights are used before the step is over."""
        single = State(state.layout, 1, state.x_form, state.y_form, state.shares)
        single.draw(2)
        try:
            _, _, after = self.once(single, 0.3)
            half = self.once(single, RATE)[2]
            twice = self.once(single, 2 * RATE)[2]
        except BaseException as error:
            if isinstance(error, TooLongError):
                raise
            return None
        return {
            "x": pack(single.x_rows),
            "y": pack(single.y_rows),
            "values": [pack(v) for v in single.canonical],
            "rate": 0.3,
            "after": [pack(v) for v in after],
            "small": [pack(v) for v in half],
            "small_2": [pack(v) for v in twice],
        }

    def _set_up(self, state: State, rate: float) -> None:
        """Put parameters, data, sizes and learning rate into their names."""
        prober, namespace = self.prober, self.prober.namespace
        prober.frozen.thaw()
        np.random.seed(0)  # noqa: NPY002 - so that an order drawn at random is the same each time
        random.seed(0)
        state.rate = rate
        for parameter, value in zip(state.layout.parameters, state.canonical, strict=True):
            set_path(namespace, parameter.path, parameter.shaped(value))
        for name in prober.x_names:
            namespace[name] = np.copy(state.x)
        for name in prober.y_names:
            namespace[name] = np.copy(state.y)
        self._set_numbers(namespace, state, rate)
        for value in list(namespace.values()):
            if type(value).__module__ == "__main__" and hasattr(value, "__dict__"):
                self._set_numbers(vars(value), state, rate)
                for name in vars(value):
                    if isinstance(vars(value)[name], np.ndarray):
                        if names.means(name, "x"):
                            vars(value)[name] = np.copy(state.x)
                        elif names.means(name, "y"):
                            vars(value)[name] = np.copy(state.y)

    def _set_numbers(self, names_: dict[str, Any], state: State, rate: float) -> None:
        sizes = state.layout.sizes
        for name, value in list(names_.items()):
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                continue
            if names.means(name, "learning_rate"):
                names_[name] = rate
            elif isinstance(value, int | np.integer):
                if names.means(name, "epochs"):
                    names_[name] = 1
                elif names.means(name, "n_in"):
                    names_[name] = sizes[0]
                elif names.means(name, "n_hidden") and len(sizes) == 3:
                    names_[name] = sizes[1]
                elif names.means(name, "n_out"):
                    names_[name] = sizes[-1]
                elif name.lower() in ("n", "m", "n_samples", "num_samples", "nb_samples", "n_data", "batch_size"):
                    names_[name] = state.n

    def _after(self, state: State) -> list[Any]:
        return [np.asarray(get_path(self.prober.namespace, p.path)) for p in state.layout.parameters]


@dataclass
class FunctionProgram(Program):
    """A forward and a backward function, of the module or of an object; or one function that does it all."""

    forward: str | None
    backward: str | None
    instance: str | None = None

    def parts(self) -> list[str]:
        """The names of the functions in it."""
        return [name for name in (self.forward, self.backward) if name]

    def once(self, state: State, rate: float) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]], list[Any]]:
        """Call both functions."""
        self._set_up(state, rate)
        outputs = self._forward(state)
        returned: list[tuple[str, Any]] = []
        if self.backward is not None:
            value = self._call(self.backward, state)
            returned = flatten(value, return_labels(self.prober.code.functions.get(self.backward)))
            returned += _ends_of_paths(returned, state.layout) + _parts(returned, state.layout)
            if self.forward is None:
                outputs = returned
        return outputs, returned, self._after(state)

    def _three_epochs(self, state: State) -> dict[str, Any]:
        if self.forward is not None:
            return super()._three_epochs(state)
        state.epochs = 3
        try:
            _, returned, after = self.once(state, RATE)
        finally:
            state.epochs = 1
        return {
            "returned_3": [[name, pack(value)] for name, value in returned if np.size(value) <= 400],
            "after_3": [pack(v) for v in after],
        }

    def forward_only(self, state: State) -> list[tuple[str, Any]]:
        """Call the forward function alone, where there is one."""
        if self.forward is None:
            return self.once(state, 0.0)[0]
        self._set_up(state, 0.0)
        return self._forward(state)

    def _forward(self, state: State) -> list[tuple[str, Any]]:
        if self.forward is None:
            return []
        state.result, state.outputs = None, []
        state.result = self._call(self.forward, state)
        state.labels = return_labels(self.prober.code.functions.get(self.forward))
        outputs = flatten(state.result, state.labels)
        if self.instance is not None:
            outputs += [
                (f"self.{n}", v)
                for n, v in vars(self.prober.namespace[self.instance]).items()
                if isinstance(v, np.ndarray)
            ]
        state.outputs = outputs
        return outputs + self._losses(state)

    def _losses(self, state: State) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        functions = [(n, n) for n in self.prober.loss_names]
        if self.instance is not None:
            kind = type(self.prober.namespace[self.instance])
            functions += [
                (n, n)
                for n, _ in inspect.getmembers(kind, inspect.isfunction)
                if names.means(n, "is_loss") and not names.means(n, "is_derivative")
            ]
        for name, label in functions:
            try:
                value = self._call(name, state)
            except (Exception, UnboundError):
                continue
            if isinstance(value, int | float | np.number | np.ndarray) and np.size(value) == 1:
                found.append((f"loss:{label}", np.asarray(value)))
        return found

    def _call(self, name: str, state: State) -> Any:
        function = self.prober.namespace.get(name) if self.instance is None else None
        if function is None and self.instance is not None:
            function = getattr(self.prober.namespace[self.instance], name, None) or self.prober.namespace.get(name)
        if function is None:
            raise UnboundError(name)
        arguments: dict[str, Any] = {}
        positional: list[Any] = []
        hints = self._hints(name, function)
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            try:
                value = self._value(parameter.name, hints.get(parameter.name), state, name)
            except UnboundError:
                if name == self.forward and state.result is None and not arguments and not positional:
                    value = np.copy(state.x)  # a forward pass is given its inputs first, whatever they are called
                elif parameter.default is parameter.empty:
                    raise
                else:
                    continue
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                arguments[parameter.name] = value
        return function(*positional, **arguments)

    def _hints(self, name: str, function: Any) -> dict[str, ast.expr]:
        """What their own call of the function puts in for each argument."""
        call = self.prober.calls.get(name)
        if call is None:
            return {}
        parameters = list(inspect.signature(function).parameters)
        hints = dict(zip(parameters, call.args, strict=False))
        return hints | {k.arg: k.value for k in call.keywords if k.arg}

    def _value(self, name: str, hint: ast.expr | None, state: State, function: str) -> Any:
        if hint is not None:
            value = self._hinted(hint, state)
            if value is not _NOTHING:
                return value
        value = self._named(name, state, function)
        if value is _NOTHING:
            raise UnboundError(name)
        return value

    def _hinted(self, hint: ast.expr, state: State) -> Any:
        """What stands in their call, when it is a result of their forward pass."""
        if self.forward is None or not isinstance(hint, ast.Name) or state.result is None:
            return _NOTHING
        for target in self.prober.results_of.get(self.forward, []):
            if isinstance(target, ast.Name) and target.id == hint.id:
                return state.result
            if isinstance(target, ast.Tuple) and isinstance(state.result, tuple | list):
                for element, value in zip(target.elts, state.result, strict=False):
                    if isinstance(element, ast.Name) and element.id == hint.id:
                        return value
        return _NOTHING

    def _named(self, name: str, state: State, function: str) -> Any:
        namespace = self.prober.namespace
        parameters = state.layout.parameters
        for label, value in (
            zip(state.labels, state.result, strict=False) if isinstance(state.result, tuple | list) else []
        ):
            if label == name:
                return value
        if isinstance(state.result, dict) and name in state.result and np.ndim(state.result[name]):
            return state.result[name]
        for p in parameters:
            if name_of(p.path) == name:
                return get_path(namespace, p.path)
        if names.means(name, "learning_rate"):
            return state.rate
        if names.means(name, "epochs"):
            return state.epochs
        after_forward = state.result is not None
        if names.means(name, "y"):
            return np.copy(state.y) if np.ndim(state.y) else state.y
        if names.means(name, "x"):
            return np.copy(state.x)
        for label, value in state.outputs:
            if label.lower().replace("self.", "") == name.lower():
                return value
        if after_forward and names.means(name, "y_hat"):
            return self._y_hat(state)
        if names.means(name, "container") and not (
            names.kind_of(name) and len([p for p in parameters if p.kind == "W"]) == 1
        ):
            return self._container(state)
        if after_forward and names.means(name, "saved"):
            if (
                isinstance(state.result, tuple)
                and len(state.result) == 2
                and isinstance(state.result[1], dict | tuple | list)
            ):
                return state.result[1]
            return state.result
        if names.kind_of(name):
            layer = names.layer_of(name)
            for p in parameters:
                if p.kind == names.kind_of(name) and (
                    p.layer == layer or (layer is None and len(state.layout.sizes) == 2)
                ):
                    return get_path(namespace, p.path)
        if names.means(name, "derivative") or names.means(name, "activation"):
            return self._activation(name)
        for key, value in (("n_in", 0), ("n_hidden", 1), ("n_out", -1)):
            if names.means(name, key):
                return state.layout.sizes[value]
        if name.lower() in ("n", "m", "n_samples", "batch_size"):
            return state.n
        if after_forward and (
            names.layer_of(name) == 0 or names.means(name.strip("0123456789_"), "x") or name.lower()[0] in "hza"
        ):
            return self._hidden(name, state)
        if name in namespace and not callable(namespace[name]):
            return namespace[name]
        if callable(namespace.get(name)):
            return namespace[name]
        return _NOTHING

    def _y_hat(self, state: State) -> Any:
        size = state.n * state.layout.sizes[-1]
        fitting = [(label, value) for label, value in state.outputs if np.size(value) == size]
        named = [value for label, value in fitting if names.means(label.replace("self.", ""), "y_hat")]
        if named:
            return named[-1]
        return fitting[-1][1] if fitting else _NOTHING

    def _hidden(self, name: str, state: State) -> Any:
        if len(state.layout.sizes) < 3:
            return _NOTHING
        layer = names.layer_of(name)
        size = state.n * (state.layout.sizes[1] if layer in (0, None) else state.layout.sizes[-1])
        fitting = [value for label, value in state.outputs if np.size(value) == size and not names.kind_of(label)]
        if not fitting:
            return _NOTHING
        return fitting[0] if name.lower().startswith(("z", "net", "pre", "u", "s")) else fitting[-1]

    def _container(self, state: State) -> Any:
        namespace = self.prober.namespace
        roots = {p.path[0] for p in state.layout.parameters if len(p.path) > 1}
        if len(roots) == 1:
            return namespace[roots.pop()]
        ordered = sorted(state.layout.parameters, key=lambda p: (p.layer, p.kind != "W"))
        return [get_path(namespace, p.path) for p in ordered]

    def _activation(self, name: str) -> Any:
        callables = self.prober._callables()
        derivative = names.means(name, "derivative")
        for kind in ("is_sigmoid", "is_tanh", "is_relu"):
            for candidate in callables:
                if names.means(candidate, "is_derivative") == derivative and any(
                    k in candidate.lower() for k in (kind[3:], "sigm" if kind == "is_sigmoid" else kind[3:])
                ):
                    return self.prober.namespace[candidate]
        return _NOTHING


def _parts(returned: list[tuple[str, Any]], layout: Layout) -> list[tuple[str, Any]]:
    """The stretches of a vector that is returned where the parameters are one vector, too."""
    parts = [p.path[-1] for p in layout.parameters if isinstance(p.path[-1], Part)]
    end = max((part.stretch.stop for part in parts), default=0)
    vectors = [v for _, v in returned if np.shape(v) == (end,)]
    return [(f"d{part.name}", part.of(v)) for v in vectors for part in parts]


def _ends_of_paths(returned: list[tuple[str, Any]], layout: Layout) -> list[tuple[str, Any]]:
    """Of an array with the parameters after each step in a row: those after the last one, each under its name."""
    parameters = layout.parameters
    if any(p.form for p in parameters):
        return []
    paths = [v for _, v in returned if np.ndim(v) == 2 and np.shape(v)[1] == len(parameters) and len(v) > 1]
    return [(name_of(p.path), path[-1][k]) for path in paths for k, p in enumerate(parameters)]


_NOTHING = object()


@dataclass
class LoopProgram(Program):
    """A training loop in no function: one round of it."""

    loop: ast.For | ast.While = field(default_factory=lambda: ast.While(ast.Constant(True), [], []))

    def once(self, state: State, rate: float) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]], list[Any]]:
        """Run one round of the loop."""
        if not self.prober.x_names or not self.prober.y_names:
            raise UnboundError("data")
        self._set_up(state, rate)
        namespace = self.prober.namespace
        exec(self._code(), namespace)
        stored = {n.id for n in ast.walk(self.loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        roots = {p.path[0] for p in state.layout.parameters}
        outputs: list[tuple[str, Any]] = []
        for name in sorted((stored | {"loss_kept"}) - roots):
            value = namespace.get(name)
            if isinstance(value, np.ndarray | int | float | np.number | dict | tuple):
                outputs += flatten(value, prefix=name)
        return outputs, [], self._after(state)

    def _code(self) -> Any:
        once = ast.List([ast.Constant(0)], ast.Load())
        if isinstance(self.loop, ast.For):
            iterable = ast.unparse(self.loop.iter)
            rounds = any(word in iterable for word in ("epoch", "iter", "step")) or (
                isinstance(self.loop.iter, ast.Call) and "range" in iterable
            )
            loop = ast.For(self.loop.target, once if rounds else self.loop.iter, _quiet(self.loop.body), [])
        else:
            loop = ast.For(ast.Name("_", ast.Store()), once, _quiet(self.loop.body), [])
        tree = ast.fix_missing_locations(ast.Module([ast.copy_location(loop, self.loop)], []))
        return compile(tree, "the file", "exec")


def _quiet(body: list[ast.stmt]) -> list[ast.stmt]:
    """Without the lines that print; what is kept as a loss becomes the plain name `loss_kept`."""
    result: list[ast.stmt] = []
    for statement in body:
        value: ast.expr | None = None
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            text = ast.unparse(statement.value.func)
            if text == "print" or text.startswith("plt."):
                continue
            if text.endswith(".append") and statement.value.args:
                if "loss" in text.lower() or names.means(text.removesuffix(".append").rstrip("s"), "loss"):
                    value = statement.value.args[0]
                else:
                    continue
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
            text = ast.unparse(statement.targets[0].value)
            if "loss" in text.lower() or names.means(text.rstrip("es"), "loss"):
                value = statement.value
        elif isinstance(statement, ast.If) and not _quiet_enough(statement):
            continue
        result.append(statement if value is None else ast.Assign([ast.Name("loss_kept", ast.Store())], value))
    return result or [ast.Pass()]


def _quiet_enough(statement: ast.If) -> bool:
    """Whether an `if` does more than print and keep records every so many epochs."""
    return not ("%" in ast.unparse(statement.test) or "print" in ast.unparse(statement))
