"""Inside the sandbox: finds the student's functions, calls them on inputs of ours, and sends what they gave.

An *experiment* is one forward and backward pass of theirs, however it is written, with parameters, inputs and
targets of ours, and the forward pass again with each number of each parameter moved a little to both sides.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from byhand.diagnosis import names
from byhand.diagnosis.check_programs import FunctionProgram, LoopProgram, Program, State, UnboundError
from byhand.diagnosis.check_running import (
    CALL_SECONDS,
    Code,
    Layout,
    Part,
    TooLongError,
    at_most,
    flatten,
    layouts,
)
from byhand.diagnosis.check_student import Student, arrays_of, called, named_ones, shape_of
from byhand.diagnosis.check_templates import changed_names, constructor_arguments, templates
from byhand.diagnosis.sandboxed import Send, pack, unpack_value

_EXPERIMENTS_SECONDS = 2.2


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


class Prober:
    """Makes the experiments."""

    def __init__(self, code: Code, send: Send, skip: set[str], only: list[str] | None = None) -> None:
        self.student = Student(code)
        self.skip = skip
        self.only = only
        self.send = send
        self.deadline = time.monotonic() + _EXPERIMENTS_SECONDS

    # ── activations, losses, measures ──────────────────────────────────────────────────────────────────────────

    def run(self, trials: dict[str, list[list[Any]]]) -> None:
        """Everything that can be tried, each announced before it starts."""
        for name in self.student.callables():
            if not self._is_asked_for([name]):
                continue
            if name in trials:
                self._call_with(name, trials[name])
                continue
            for kind in ("is_softmax", "is_accuracy", "is_loss"):
                if names.means(name, kind) and self.student.required(name) == (1 if kind == "is_softmax" else 2):
                    self._try(name, kind)
                    break
            else:
                # forward_relu(X) goes through the network, relu_forward(z) does not
                first = name.partition("_")[0]
                passes = len(first) > 1 and (names.means(first, "is_forward") or names.means(first, "is_backward"))
                kinds = ("sigmoid", "relu", "tanh", "identity", "derivative")
                if self.student.takes_one(name) and not passes and any(names.means(name, f"is_{k}") for k in kinds):
                    self._try(name, "elementwise")
        for name in self.student.code.classes:
            self._try_activation(name)
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
                with at_most(CALL_SECONDS):
                    value = self.student.namespace[name](*(unpack_value(argument) for argument in packed))
                results.append({"value": [pack(array) for _, array in flatten(value)], "nothing": value is None})
            except TooLongError:
                results.append({"error": {"type": "TooLong", "message": "it does not end", "line": None}})
            except BaseException as error:
                results.append({"error": self.student.described(error)})
            self.student.frozen.thaw()
        self.send({"kind": "trial", "name": name, "results": results})

    def _try(self, name: str, kind: str) -> None:
        if name in self.skip:
            return
        self.send({"kind": "start", "what": name})
        function = self.student.namespace[name]
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
                with at_most(CALL_SECONDS):
                    value = function(*given)
                outcome["nothing"] = value is None or value is Ellipsis
                outcome["value"] = pack(value) if not outcome["nothing"] else None
                outcome["mutated"] = any(not np.array_equal(a, g) for a, g in zip(arguments, given, strict=True))
            except TooLongError:
                outcome["error"] = {"type": "TooLong", "message": "it does not end", "line": None}
            except BaseException as error:
                outcome["error"] = self.student.described(error)
            results[label] = outcome
            self.student.frozen.thaw()
        node = self.student.code.functions.get(name)
        self.send(
            {"kind": "function", "name": name, "as": kind, "line": node.lineno if node else None, "results": results}
        )

    def _try_activation(self, name: str) -> None:
        """A class without parameters whose forward(z) is f(z) and whose backward(g) is g times a slope."""
        kind = self.student.namespace.get(name)
        if name in self.skip or not inspect.isclass(kind) or not self._is_asked_for([name]):
            return
        z = np.array([-3.1, -1.3, -0.4, 0.3, 0.9, 2.2]).reshape(2, 3)
        g = np.array([0.7, -1.2, 0.4, 1.1, -0.6, 0.9]).reshape(2, 3)
        try:
            with at_most(CALL_SECONDS):
                layer: Any = kind()
                a = layer.forward(z.copy()) if hasattr(layer, "forward") else layer(z.copy())
                back = layer.backward(g.copy())
        except (Exception, TooLongError):
            return
        if np.shape(a) == np.shape(back) == z.shape:
            node = self.student.code.classes[name]
            body = [method.lineno for method in node.body if getattr(method, "name", "") == "backward"]
            cell = next((c["name"] for c in self.student.code.cells if f"class {name}" in c["source"]), "")
            packed = {"z": pack(z), "a": pack(a), "slope": pack(back / g)}
            self.send({"kind": "activation", "name": name, "cell": cell, "line": (body or [node.lineno])[0], **packed})

    def _order_of_targets(self, name: str) -> str:
        node = self.student.code.functions.get(name)
        arguments = [a.arg for a in node.args.args] if node else []
        if len(arguments) >= 2 and names.means(arguments[0], "y") and not names.means(arguments[0], "y_hat"):
            return "y first"
        return "y_hat first"

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
                    self.student.frozen.thaw()

    def _programs(self) -> Iterator[Program]:
        functions = self.student.callables()
        forwards = [n for n in functions if names.means(n, "is_forward") and not names.means(n, "is_backward")]
        forwards.sort(key=lambda n: ("forward" not in n.lower() and "feed" not in n.lower(), "pass" in n.lower()))
        backwards: list[str | None] = [n for n in functions if names.means(n, "is_backward")]
        backwards.sort(key=lambda n: "back" not in str(n).lower())
        groups = list(templates(self.student))
        for name in backwards if not forwards else []:
            yield FunctionProgram(str(name), self.student, groups, None, name)
        for backward in backwards or [None]:
            for forward in self._paired(forwards, backward):
                yield FunctionProgram(
                    f"{forward} and {backward}" if backward else forward, self.student, groups, forward, backward
                )
        for name in functions:
            if name not in backwards and "grad" in name.lower() and self.student.takes_all(name):
                yield FunctionProgram(name, self.student, groups, None, name)
        for class_name in self.student.code.classes:
            yield from self._class_programs(class_name)
        for name in functions:
            node = self.student.code.functions.get(name)
            if (
                names.means(name, "is_train")
                and node
                and any(isinstance(k, ast.For | ast.While) for k in ast.walk(node))
            ):
                yield FunctionProgram(name, self.student, groups, None, name)
        for loop in self._loops():
            yield LoopProgram(f"the loop in line {loop.lineno}", self.student, groups, loop)

    def _paired(self, forwards: list[str], backward: str | None) -> list[str]:
        """The forward functions to try with a backward one: those that share the rest of its name, else the first."""
        if backward is None:
            return forwards[:2]

        def rest(name: str) -> set[str]:
            return {
                part
                for part in name.lower().split("_")
                if not part.startswith(("forward", "back", "feed", "pass", "prop"))
            }

        return ([forward for forward in forwards if rest(forward) == rest(backward)] or forwards)[:2]

    def _class_programs(self, class_name: str) -> Iterator[Program]:
        kind = self.student.namespace.get(class_name)
        if not inspect.isclass(kind):
            return
        instance = next((n for n, v in self.student.namespace.items() if type(v) is kind), None)
        if instance is None:
            try:
                with at_most(CALL_SECONDS):
                    made = kind(**constructor_arguments(self.student, kind))
            except (Exception, TooLongError):
                return
            instance = f"_made_{class_name}"
            self.student.namespace[instance] = made
            self.student.freeze()
        methods = [n for n, v in inspect.getmembers(kind, inspect.isfunction)]
        forwards = [n for n in methods if names.means(n, "is_forward") or n == "__call__"]
        forwards.sort(key=lambda n: "forward" not in n.lower())
        backwards = [n for n in methods if names.means(n, "is_backward")]
        items = arrays_of(self.student.namespace[instance], (instance,))
        groups = [named_ones(items)] if items else []
        no_backward: list[Any] = [None]
        for forward in forwards[:1]:
            for backward in backwards or no_backward:
                name = f"{class_name}.{forward} and {backward}" if backward else f"{class_name}.{forward}"
                yield FunctionProgram(name, self.student, groups, forward, backward, instance)
        for train in (n for n in methods if names.means(n, "is_train") and n not in backwards):
            yield FunctionProgram(f"{class_name}.{train}", self.student, groups, None, train, instance)

    def _loops(self) -> list[ast.For | ast.While]:
        """The training loops that stand in no function."""
        changed = changed_names(self.student)
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
                    name = called(k)
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

        for tree in self.student.code.trees:
            search(tree.body)
        return found[:4]

    def _experiment(self, program: Program) -> bool:
        """Find a layout, sizes and forms for which it runs; send what it gives. Whether that was possible."""
        errors: list[dict[str, Any]] = []
        sent = False
        for layout, own in self._sized_layouts(program):
            for x_form, y_form in self._forms(program, layout):
                for n in (7, 4) if own else (7,):
                    if "vec" in x_form:
                        n = 1
                    state = State(layout, n, x_form, y_form, self.student.shares)
                    state.draw()
                    try:
                        message = program.observe(state)
                    except UnboundError:
                        continue
                    except TooLongError:
                        raise
                    except BaseException as error:
                        if own:
                            errors.append(self.student.described(error))
                        continue
                    finally:
                        self.student.frozen.thaw()
                    if message is not None:
                        self.send(message | {"kind": "experiment", "own": own})
                        if not own:
                            continue_own = self._own_sizes(program, layout, x_form, y_form)
                            if continue_own is not None:
                                self.send(continue_own)
                        if not any(isinstance(p.path[-1], Part) for p in layout.parameters):
                            return True
                        sent = True  # a vector can be read in more than one way: send each
                        break
        if sent:
            return True
        has_run = isinstance(program, LoopProgram) or any(part in self.student.calls for part in program.parts())
        if errors and not has_run and len({(e["type"], e["line"]) for e in errors}) == 1:
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
                state = State(original, 1 if "vec" in x_form else 4, x_form, y_form, self.student.shares)
                state.draw(1)
                try:
                    message = program.observe(state)
                except BaseException:
                    return None
                finally:
                    self.student.frozen.thaw()
                return None if message is None else message | {"kind": "experiment", "own": True}
        return None

    def _sized_layouts(self, program: Program) -> Iterator[tuple[Layout, bool]]:
        """Each layout with sizes that all differ, then with the sizes that their code has."""
        every = [layout for template in program.templates for layout in layouts(template, None, None)]
        single = any(
            len(s) == 1 and s[0] > 2 for s in (shape_of(self.student.namespace[n]) for n in self.student.y_names)
        )
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
        own = [shape_of(self.student.namespace[n]) for n in self.student.y_names]
        xs = [shape_of(self.student.namespace[n]) for n in self.student.x_names]
        if any(len(s) == 1 and s[0] > 2 for s in own):
            forms.sort(key=lambda f: f[1] != "flat")
        elif any(len(s) == 2 and s[0] == 1 and s[1] > 2 for s in own) and any(len(s) == 2 and s[0] < s[1] for s in xs):
            forms.sort(key=lambda f: f[0] != "cols")
        if isinstance(program, LoopProgram):
            forms = [f for f in forms if f[0] != "vec"]
        return forms
