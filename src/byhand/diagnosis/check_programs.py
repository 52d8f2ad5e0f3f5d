"""Inside the sandbox: the ways to run a student's forward and backward pass, once, on inputs of ours.

An *experiment* is one forward and backward pass of theirs, however it is written, with parameters, inputs and
targets of ours, and the forward pass again with each number of each parameter moved a little to both sides.
"""

from __future__ import annotations

import ast
import inspect
import random
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byhand.diagnosis import names
from byhand.diagnosis.check_running import (
    Layout,
    Parameter,
    Part,
    TooLongError,
    Trail,
    flatten,
    get_path,
    name_of,
    return_labels,
    set_path,
)
from byhand.diagnosis.check_student import Student, called
from byhand.diagnosis.sandboxed import pack

STEP = 1e-5
RATE = 1e-5


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


@dataclass
class Program:
    """A way to run their forward and backward pass."""

    name: str
    student: Student
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
        if parameter.path[0] in self.student.made_up:
            return None
        return pack(get_path(self.student.frozen.saved, parameter.path))

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
        student, namespace = self.student, self.student.namespace
        student.frozen.thaw()
        np.random.seed(0)  # noqa: NPY002 - so that an order drawn at random is the same each time
        random.seed(0)
        state.rate = rate
        for parameter, value in zip(state.layout.parameters, state.canonical, strict=True):
            set_path(namespace, parameter.path, parameter.shaped(value))
        taken = {name_of(parameter.path).lstrip(".") for parameter in state.layout.parameters}  # a bias may be called d
        for name in student.x_names:
            namespace[name] = np.copy(state.x)
        for name in student.y_names:
            namespace[name] = np.copy(state.y)
        self._set_numbers(namespace, state, rate)
        for value in list(namespace.values()):
            if type(value).__module__ == "__main__" and hasattr(value, "__dict__"):
                self._set_numbers(vars(value), state, rate)
                for name in vars(value):
                    if isinstance(vars(value)[name], np.ndarray) and name not in taken:
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
        return [np.asarray(get_path(self.student.namespace, p.path)) for p in state.layout.parameters]


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
        losses = self._losses(state) if self.forward is None else []
        returned: list[tuple[str, Any]] = []
        if self.backward is not None:
            value = self._call(self.backward, state)
            returned = flatten(value, return_labels(self.student.code.functions.get(self.backward)))
            returned += self._kept_gradients(state)
            returned += _ends_of_paths(returned, state.layout) + _parts(returned, state.layout)
            if self.forward is None:
                outputs = returned + losses
        return outputs, returned, self._after(state)

    def _kept_gradients(self, state: State) -> list[tuple[str, Any]]:
        """Gradients that an object's backward pass leaves in the object."""
        if self.instance is None or self.forward is None:
            return []
        parameters = {name_of(p.path) for p in state.layout.parameters}
        return [
            item
            for name, value in vars(self.student.namespace[self.instance]).items()
            if name not in parameters and re.match(r"_?(d_?[wb]|g_?[wb]|grad|nabla|delta_?[wb])", name, re.IGNORECASE)
            for item in flatten(value, prefix=name)
        ]

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
        state.labels = return_labels(self.student.code.functions.get(self.forward))
        outputs = flatten(state.result, state.labels)
        if self.instance is not None:
            outputs += [
                (f"self.{n}", v)
                for n, v in vars(self.student.namespace[self.instance]).items()
                if isinstance(v, np.ndarray)
            ]
        state.outputs = outputs
        return outputs + self._losses(state)

    def _losses(self, state: State) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        functions = [(n, n) for n in self.student.loss_names]
        if self.instance is not None:
            kind = type(self.student.namespace[self.instance])
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
        function = self.student.namespace.get(name) if self.instance is None else None
        if function is None and self.instance is not None:
            function = getattr(self.student.namespace[self.instance], name, None) or self.student.namespace.get(name)
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
        call = self.student.calls.get(name)
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
        for target in self.student.results_of.get(self.forward, []):
            if isinstance(target, ast.Name) and target.id == hint.id:
                return state.result
            if isinstance(target, ast.Tuple) and isinstance(state.result, tuple | list):
                for element, value in zip(target.elts, state.result, strict=False):
                    if isinstance(element, ast.Name) and element.id == hint.id:
                        return value
        return _NOTHING

    def _named(self, name: str, state: State, function: str) -> Any:
        namespace = self.student.namespace
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
        namespace = self.student.namespace
        roots = {p.path[0] for p in state.layout.parameters if len(p.path) > 1}
        if len(roots) == 1:
            return namespace[roots.pop()]
        ordered = sorted(state.layout.parameters, key=lambda p: (p.layer, p.kind != "W"))
        return [get_path(namespace, p.path) for p in ordered]

    def _activation(self, name: str) -> Any:
        callables = self.student.callables()
        derivative = names.means(name, "derivative")
        for kind in ("is_sigmoid", "is_tanh", "is_relu"):
            for candidate in callables:
                if names.means(candidate, "is_derivative") == derivative and any(
                    k in candidate.lower() for k in (kind[3:], "sigm" if kind == "is_sigmoid" else kind[3:])
                ):
                    return self.student.namespace[candidate]
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
        if not self.student.x_names or not self.student.y_names:
            raise UnboundError("data")
        self._set_up(state, rate)
        namespace = self.student.namespace
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
                kept = statement.value.args[0]
                is_loss = isinstance(kept, ast.Call) and names.means(called(kept), "is_loss")
                if is_loss or "loss" in text.lower() or names.means(text.removesuffix(".append").rstrip("s"), "loss"):
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
