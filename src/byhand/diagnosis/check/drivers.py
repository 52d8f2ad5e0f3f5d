"""Small trainings around functions and classes that a file defines and never trains, or not so that it shows.

A driver is a text: the file's definitions at their own lines, and below them a few lines that call them. What an
argument is for is guessed from how it is used; a wrong guess ends in an error or in no training, and is no verdict. The
tape's judge says of the training what it says of any. Sizes are pairwise different and biases not 0, so that nothing is
right by accident.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Protocol

from byhand.diagnosis.check.arguments import default, kind, own_names, returned_names, returns
from byhand.diagnosis.story.text import first_line

EPOCHS = 5
HELD = "held[key]"
"""What a parameter is called in a driver's step."""
SUPPORT = Path(__file__).with_name("driving.py").read_text(encoding="utf-8").partition("# ---- begin\n")[2]
_DATA = (
    ("X_ = draw_(size=(7, 4)); Y_ = random_(size=(7, 3))", 3),
    ("X_ = draw_(size=(7, 4)); Y_ = np_.array([0, 2, 1, 1, 0, 2, 2])", 3),
    ("X_ = draw_(size=(7, 4)); Y_ = np_.eye(3)[[0, 2, 1, 1, 0, 2, 2]]", 3),
    ("X_ = draw_(size=(4, 7)); Y_ = np_.array([[0.0, 1, 1, 0, 1, 0, 0]])", 1),
    ("X_ = draw_(size=(4, 7)); Y_ = random_(size=(3, 7))", 3),
    ("X_ = draw_(size=(7, 4)); Y_ = np_.array([[0.0], [1], [1], [0], [1], [0], [0]])", 1),
    ("X_ = draw_(size=(7, 4)); Y_ = np_.array([0.0, 1, 1, 0, 1, 0, 0])", 1),
)
"""Inputs and targets, in rows or in columns, and the number of outputs: 4 inputs, 5 hidden units, 7 samples."""

_START = "{data}\nthing_ = redraw_({made})\nholders_of_ = holders_(thing_)\n"
_BY_RESULT = f"for epoch_ in range({EPOCHS}):\n    step_(holders_of_, arrays_({{call}}))\n"
_BOTH_WAYS = f"""for epoch_ in range({EPOCHS}):
    out_ = thing_.{{forward}}(X_)
    loss_ = np_.sum((out_ - Y_) ** 2)
    before_ = copies_(holders_of_)
    result_ = thing_.{{backward}}
    step_if_still_(thing_, holders_of_, before_, result_)
"""
_THERE_AND_BACK = f"""goal_ = draw_(size=np_.shape(thing_.{{forward}}(X_)))
for epoch_ in range({EPOCHS}):
    out_ = thing_.{{forward}}(X_)
    error_ = out_ - goal_
    loss_ = 0.5 * np_.sum(error_**2)
    before_ = copies_(holders_of_)
    result_ = thing_.{{backward}}
    step_if_still_(thing_, holders_of_, before_, result_)
"""
_PAIR = f"""parameters_ = [{{made}}]
goal_ = None
for epoch_ in range({EPOCHS}):
    parameters_{{others}} = [{{made}}]{{others}}
    out_, cache_ = {{forward}}({{given}})
    goal_ = draw_(size=out_.shape) if goal_ is None else goal_
    error_ = out_ - goal_
    loss_ = 0.5 * np_.sum(error_**2)
    step_(holders_(parameters_){{part}}, arrays_({{backward}}(error_, cache_)))
"""


@dataclass(frozen=True)
class Driver:
    """A text that trains with something that the file defines; `unit` names that thing.

    With `line`, what it steps along is without doubt what the file calls the gradient, and is returned at that line.
    """

    unit: str
    text: str
    line: int = 0


def drivers(source: str, spared: Sequence[int] = ()) -> list[Driver]:
    """The drivers for what a file defines, those of one unit after each other.

    Parameters
    ----------
    source : str
    spared : sequence of int
        Lines whose top-level statement is left out.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    file = _File(tree)
    head = definitions(source, tree, set(spared)) + SUPPORT
    return [Driver(d.unit, head + d.text, d.line) for d in file.bodies()]


class Defined(Protocol):
    """Functions and classes by their names."""

    functions: dict[str, ast.FunctionDef]
    classes: dict[str, ast.ClassDef]


def arguments_of(defined: Defined) -> Callable[[ast.ClassDef, int], str | None]:
    """What gives the text of a constructor's arguments, for a number of outputs; None when it takes arrays."""
    file = _File(ast.Module([*defined.functions.values(), *defined.classes.values()], []))

    def made(node: ast.ClassDef, outputs: int) -> str | None:
        init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        return "" if init is None else file.arguments(init, node, outputs, [])

    return made


class _File:
    """What a file defines."""

    def __init__(self, tree: ast.Module) -> None:
        self.functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
        self.classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}

    def bodies(self) -> Iterator[Driver]:
        """What stands below the definitions."""
        for name, node in self.classes.items():
            for data, outputs in _DATA:
                yield from self._of_class(name, node, data, outputs)
        trainers = [f for f in self.functions.values() if self._trains(f)]
        for function in trainers:
            yield from self._of_trainer(function)
        if not trainers:
            yield from self._of_chains()
        for function in self.functions.values():
            if function not in trainers:
                yield from self._of_loss(function)
        for name in self.functions:
            yield from self._of_pair(name)

    def arguments(
        self, function: ast.FunctionDef, scope: ast.AST | None, outputs: int, arrays: Sequence[str]
    ) -> str | None:
        """A call's arguments; `arrays` are taken in order. None when it takes what we cannot give."""
        kinds = {name: kind(function, name, self.functions, scope) for name in own_names(function)}
        sizes = [5] if list(kinds.values()).count("size") == 1 else [4, 5, outputs]
        left, given = list(arrays), []
        for name, what in kinds.items():
            has_default = default(function, name) is not None
            if what in ("array", "unknown") and left and not has_default:
                value = left.pop(0)
            elif what == "count":
                value = str(EPOCHS)
            elif has_default:
                continue
            elif what == "size":
                value = str(sizes.pop(0) if sizes else 5)
            elif what in ("function", "text", "array"):
                return None
            else:
                value = {"sizes": f"[4, 5, {outputs}]", "flag": "False"}.get(what, "0.05")
            given.append(f"{name}={value}")
        return ", ".join(given)

    # ---- what trains

    def _trains(self, function: ast.FunctionDef) -> bool:
        """Whether it has a loop, and takes inputs and targets."""
        needed = [name for name in own_names(function) if default(function, name) is None]
        inside = list(ast.walk(function))
        loops = any(isinstance(n, ast.For | ast.While) for n in inside)
        return loops and len(needed) >= 2 and not any(isinstance(n, ast.Yield) for n in inside)

    def _of_trainer(self, function: ast.FunctionDef) -> Iterator[Driver]:
        """Inputs and targets, and those of a second set; what takes its parameters is tried (`probing.of_trainers`)."""
        needed = [a for a in own_names(function) if default(function, a) is None]
        arrays = [a for a in needed if kind(function, a, self.functions) == "array"]
        if len(arrays) > 2 and not (len(arrays) == 4 and all(re.search(_INPUTS, a, re.I) for a in arrays[::2])):
            return
        for data, outputs in _DATA:
            arguments = self.arguments(function, None, outputs, ["X_", "Y_", "X_", "Y_"])
            if arguments is not None:
                yield Driver(function.name, f"{data}\n{function.name}({arguments})\n")

    # ---- a class

    def _of_class(self, name: str, node: ast.ClassDef, data: str, outputs: int) -> Iterator[Driver]:
        methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
        made = self.arguments(methods["__init__"], node, outputs, []) if "__init__" in methods else ""
        if made is None:
            return
        start = _START.format(data=data, made=f"{name}({made})")
        for method in methods.values():
            if not method.name.startswith("__"):
                yield from self._of_method(name, node, method, start, outputs)
        forward = next((m for m in methods if re.match(r"forward|feed|propag|predict|__call__", m)), None)
        backward = next((m for m in methods if re.match(r"back|retro", m)), None)
        if forward is None or backward is None or not own_names(methods[forward]):
            return
        taken = own_names(methods[backward])
        ways = ((_BOTH_WAYS, ["X_", "Y_", "out_"] if len(taken) > 1 else ["Y_"]), (_THERE_AND_BACK, ["error_"]))
        for template, arrays in ways:
            given = self.arguments(methods[backward], node, outputs, arrays)
            if given is not None:
                text = template.format(forward=forward, backward=f"{backward}({given})")
                yield Driver(f"{name}.{backward}", start + text)

    def _of_method(
        self, name: str, node: ast.ClassDef, method: ast.FunctionDef, start: str, outputs: int
    ) -> Iterator[Driver]:
        """A method that trains, or one that gives a loss and gradients."""
        unit, taken = f"{name}.{method.name}", own_names(method)
        needed = [a for a in taken if default(method, a) is None]
        line = _line_of_gradients(node, method)
        given = self.arguments(method, node, outputs, ["X_", "Y_", "X_", "Y_"])
        if given is not None and len(needed) >= 2 and self._trains(method):
            yield Driver(unit, f"{start}thing_.{method.name}({given})\n")
        elif given is not None and len(needed) >= 2 and returns(method) >= 2:
            yield Driver(unit, start + _BY_RESULT.format(call=f"thing_.{method.name}({given})"), line)
        elif len(taken) >= 2 and isinstance(default(method, taken[1]), ast.Constant) and returns(method):
            # without targets it gives scores, with them a loss and gradients
            yield Driver(unit, start + _BY_RESULT.format(call=f"thing_.{method.name}(X_, Y_)"), line)

    # ---- functions that belong together

    def _of_chains(self) -> Iterator[Driver]:
        """Functions that hand each other what they return, by the names that they themselves give it."""
        for last in (f for f in self.functions.values() if re.search(r"back|retro|grad", f.name, re.I)):
            for data, outputs in _DATA:
                text = _Chain(self, outputs).text(last)
                if text is not None:
                    yield Driver(last.name, f"{data}\n{text}")

    def _of_loss(self, function: ast.FunctionDef) -> Iterator[Driver]:
        """A function that takes parameters and data, and gives a loss and its gradients."""
        kinds = {a: kind(function, a, self.functions) for a in own_names(function) if default(function, a) is None}
        arrays = [a for a, what in kinds.items() if what in ("array", "unknown")]
        if returns(function) < 2 or not 2 <= len(arrays) <= 4:
            return
        for data, outputs in _DATA:
            sizes = ["4", "5", str(outputs)]
            unrolled = list(kinds.values()).count("size") == 3
            others = [
                f"{a}={sizes.pop(0) if what == 'size' and sizes else '0.05'}"
                for a, what in kinds.items()
                if a not in arrays
            ]
            for order in _ORDERS[len(arrays)]:
                given = [f"{a}={value}" for a, value in zip(arrays, order, strict=True)]
                call = f"{function.name}({', '.join([*given, *others])})"
                shape = f"X_, Y_, {outputs}, {order.count('X_')}, {len(arrays)}, {unrolled}"
                start = f"{data}\nparameters_ = parameters_for_({shape})\nholders_of_ = holders_(parameters_)\n"
                yield Driver(function.name, start + _BY_RESULT.format(call=call))

    def _of_pair(self, name: str) -> Iterator[Driver]:
        """f_forward(x, w, b) that gives (out, cache), and f_backward(dout, cache) that gives a gradient for each."""
        forward, backward = self.functions[name], self.functions.get(name.replace("forward", "backward"))
        if backward is None or backward is forward or len(own_names(backward)) != 2 or returns(forward) != 2:
            return
        count = sum(default(forward, a) is None for a in own_names(forward))
        line = max((n.lineno for n in ast.walk(backward) if isinstance(n, ast.Return)), default=0)
        # what goes back to the inputs may have another factor than the parameters' gradients: a mean is taken once
        parts = (("[:1]", "[1:]"), ("[1:]", "[:1]"))[: min(count, 2)]
        for (part, others), shapes in product(parts, _LAYERS if count <= 3 else ()):
            made = ", ".join(f"draw_(size={shape})" for shape in shapes[:count])
            given = ", ".join(f"parameters_[{k}]" for k in range(count))
            text = _PAIR.format(made=made, given=given, forward=name, backward=backward.name, part=part, others=others)
            yield Driver(f"{name} and {backward.name}.{part}", text, line)


_COST = r"cost|loss|err|perte|co[uû]t|kosten|custo|perda|fehler|verlust|entropy"
"""How a function is called whose value is what the training makes smaller: it is called as well, so that it is seen."""
_NO_PART = r"update|predict|plot|load|train|model"
"""How functions are called that are no part of one round."""
_INPUTS = r"x|data|inputs?|features|entr[eé]e"
"""How inputs are called, where there are two sets of them."""
_LAYERS = (("(7, 4)", "(4, 5)", "(5,)"), ("(4, 7)", "(5, 4)", "(5, 1)"), ("(7, 4)", "(5, 4)", "(5,)"))
"""Inputs, weights and biases of a layer, in three layouts."""
_ORDERS = {
    2: (["parameters_[0]", "Y_"],),
    3: (["parameters_[0]", "X_", "Y_"], ["X_", "Y_", "parameters_[0]"]),
    4: (["parameters_[0]", "parameters_[1]", "X_", "Y_"], ["X_", "Y_", "parameters_[0]", "parameters_[1]"]),
}
"""What a loss function may take: scores and targets, or weights (and biases) with the data, in two orders."""


class _Chain:
    """One round of a file's functions, each called with what the ones before it have returned."""

    def __init__(self, file: _File, outputs: int) -> None:
        self.file, self.outputs = file, outputs
        self.known: dict[str, str] = {}
        self.used: list[str] = []
        self.parameters: list[str] = []

    def text(self, last: ast.FunctionDef) -> str | None:
        """The training; None when `last` cannot be reached, or nothing makes parameters."""
        start = self._initialize()
        body = self._until(last)
        if start is None or body is None:
            return None
        update = next(
            (f for n, f in self.file.functions.items() if re.search(r"update|step|descent|maj", n, re.I)), None
        )
        after = self._update(update) if update is not None else None
        if after is None:
            gradients = f"arrays_([{', '.join(returned_names(last))}])"
            after = [f"parameters_ = {self._box()}", f"step_(holders_(parameters_), {gradients})", *self._unbox()]
        loop = "".join(f"    {line}\n" for line in [*body, *after])
        return f"{start}for epoch_ in range({EPOCHS}):\n{loop}"

    def _initialize(self) -> str | None:
        """The call of the function that makes parameters: all that it takes are sizes."""
        for f in self.file.functions.values():
            kinds = [kind(f, a, self.file.functions) for a in own_names(f)]
            makes = re.search(r"randn|random|zeros|normal|uniform", ast.unparse(f))
            if makes and returned_names(f) and all(k in ("size", "sizes") for k in kinds):
                self.parameters = returned_names(f)
                self.used.append(f.name)
                self.known |= {name.lower(): name for name in self.parameters}
                call = f"{f.name}({self.file.arguments(f, None, self.outputs, [])})"
                lines = [f"{', '.join(self.parameters)} = {call}", f"parameters_ = redraw_({self._box()})"]
                return "\n".join([*lines, *self._unbox()]) + "\n"
        return None

    def _until(self, last: ast.FunctionDef) -> list[str] | None:
        """The calls of one round, up to that of `last`."""
        lines: list[str] = []
        others = [f for f in self.file.functions.values() if f is not last and returned_names(f)]
        others = [f for f in others if re.search("forward", f.name, re.I) or not re.search(_NO_PART, f.name)]
        while (call := self._call(last)) is None:
            ready = (self._call(f) for f in others if f.name not in self.used)
            found = next((line for line in ready if line is not None), None)
            if found is None:
                return None
            lines.append(found)
        costs = (f for f in others if f.name not in self.used and re.search(_COST, f.name, re.I))
        return [*lines, *(line for f in costs if (line := self._call(f)) is not None), call]

    def _call(self, f: ast.FunctionDef) -> str | None:
        """The call of a function whose arguments are all there."""
        given = []
        for name in own_names(f):
            key = name.lower()
            if key in self.known:
                given.append(f"{name}={self.known[key]}")
            elif re.fullmatch(r"x\w{0,6}|inputs?|data|features", key):
                given.append(f"{name}=X_")
            elif re.fullmatch(r"y\w{0,6}|targets?|labels?|t", key):
                given.append(f"{name}=Y_")
            elif default(f, name) is None:
                if kind(f, name, self.file.functions) != "rate":
                    return None
                given.append(f"{name}=0.05")
        targets = returned_names(f)
        self.known |= {target.lower(): target for target in targets}
        self.used.append(f.name)
        return f"{', '.join(targets)} = {f.name}({', '.join(given)})"

    def _update(self, f: ast.FunctionDef) -> list[str] | None:
        """The call of the file's own update."""
        line = self._call(f)
        if line is None or len(returned_names(f)) != len(self.parameters):
            return None
        return [f"{', '.join(self.parameters)} = {line.partition(' = ')[2]}"]

    def _box(self) -> str:
        """The parameters in one thing."""
        return self.parameters[0] if len(self.parameters) == 1 else f"[{', '.join(self.parameters)}]"

    def _unbox(self) -> list[str]:
        """Back to their names."""
        return [f"{', '.join(self.parameters)} = parameters_"] if len(self.parameters) > 1 else []


def _line_of_gradients(node: ast.ClassDef, method: ast.FunctionDef) -> int:
    """Where a method returns a dictionary whose keys are those of the object's parameters; 0 when it does not."""
    keys: dict[str, set[object]] = {}
    for n in ast.walk(node):
        if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant) and isinstance(n.slice.value, str):
            keys.setdefault(ast.unparse(n.value), set()).add(n.slice.value)
    own = {key for name, found in keys.items() if name.startswith("self.") for key in found}
    given = keys.get(next(iter(returned_names(method)[1:]), ""), set())
    lines = [n.lineno for n in ast.walk(method) if isinstance(n, ast.Return)]
    return max(lines) if given and given <= own else 0


def definitions(source: str, tree: ast.Module, spared: set[int]) -> str:
    """The text with only imports, definitions, and what these use; each at its own line."""
    kept: set[int] = set()
    used = {
        n.id
        for d in tree.body
        if isinstance(d, ast.FunctionDef | ast.ClassDef)
        for n in ast.walk(d)
        if isinstance(n, ast.Name)
    }
    before = -1
    while before != len(kept):
        before = len(kept)
        for node in tree.body:
            if node.lineno not in spared and _is_kept(node, used):
                used |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                kept |= set(range(first_line(node), (node.end_lineno or node.lineno) + 1))
    return "\n".join(line if k in kept else "" for k, line in enumerate(source.splitlines(), 1)) + "\n"


def _is_kept(node: ast.stmt, used: set[str]) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
        return True
    stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    is_attribute = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
    return is_attribute or (isinstance(node, ast.Assign | ast.AnnAssign) and bool(stored & used))
