"""Small trainings around functions and classes that a file defines and never trains, or not so that it shows.

A driver is a text: the file's definitions at their own lines, and below them a few lines that call them. What an
argument is for is guessed from how it is used; a wrong guess ends in an error or in no training, and is no verdict. The
tape's judge says of the training what it says of any. Sizes are pairwise different and biases not 0, so that nothing is
right by accident.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from byhand.diagnosis.check.arguments import EPOCHS, called_with, default, is_left_out, kind, own_names
from byhand.diagnosis.check.defined import reached
from byhand.diagnosis.story.text import first_line

BACK = r"(?i)back|retro"
"""How a method begins that goes back."""
_THERE = r"(?i)forward|feed|propag|predict|__call__"
_STEP = r"(?i)step|update|optimi|apply|maj\b"
HELD = "held[key]"
"""What a parameter is called in a driver's step."""
SUPPORT = Path(__file__).with_name("driving.py").read_text(encoding="utf-8").partition("# ---- begin\n")[2]
_DATA = (
    ("X_ = draw_(size=(7, 4)); Y_ = random_(size=(7, 3))", 3),
    ("X_ = draw_(size=(7, 4)); Y_ = np_.array([0, 2, 1, 1, 0, 2, 2])", 3),
    ("X_ = draw_(size=(7, 4)); Y_ = np_.eye(3)[[0, 2, 1, 1, 0, 2, 2]]", 3),
    ("X_ = draw_(size=(4, 7)); Y_ = np_.array([[0.0, 1, 1, 0, 1, 0, 0]])", 1),
    ("X_ = draw_(size=(4, 7)); Y_ = np_.eye(3)[:, [0, 2, 1, 1, 0, 2, 2]]", 3),
    ("X_ = draw_(size=(4, 7)); Y_ = random_(size=(3, 7))", 3),
    ("X_ = draw_(size=(7, 4)); Y_ = np_.array([[0.0], [1], [1], [0], [1], [0], [0]])", 1),
    ("X_ = draw_(size=(7, 4)); Y_ = np_.array([0.0, 1, 1, 0, 1, 0, 0])", 1),
)
"""Inputs and targets, in rows or in columns, and the number of outputs: 4 inputs, 5 hidden units, 7 samples."""

_START = "{data}\nthing_ = redraw_({made})\nholders_of_ = holders_(thing_)\n"
_BOTH_WAYS = f"""for epoch_ in range({EPOCHS}):
    out_ = thing_.{{forward}}(X_)
    loss_ = np_.sum((out_ - Y_) ** 2)
    before_ = copies_(holders_of_)
    result_ = thing_.{{backward}}
    step_if_still_(thing_, holders_of_, before_, result_)
"""


@dataclass(frozen=True)
class Driver:
    """A text that trains with something that the file defines; `unit` names that thing."""

    unit: str
    text: str


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
    return [Driver(d.unit, head + d.text) for d in file.bodies()]


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
        for function in (f for f in self.functions.values() if self._trains(f)):
            yield from self._of_trainer(function)

    # ---- what trains

    def _trains(self, function: ast.FunctionDef) -> bool:
        """Whether it has a loop, and takes inputs and targets."""
        needed = [name for name in own_names(function) if default(function, name) is None]
        called = reached(self.functions, [function.name]) - {function.name}
        inside = [n for f in (function, *(self.functions[name] for name in called)) for n in ast.walk(f)]
        loops = any(isinstance(n, ast.For | ast.While) for n in inside)
        return loops and len(needed) >= 2 and not any(isinstance(n, ast.Yield) for n in ast.walk(function))

    def _of_trainer(self, function: ast.FunctionDef) -> Iterator[Driver]:
        """Inputs and targets, and those of a second set; what takes its parameters is tried (`families.trainers`)."""
        needed = [a for a in own_names(function) if default(function, a) is None]
        arrays = [a for a in needed if kind(function, a, self.functions) == "array"]
        if len(arrays) > 2 and not (len(arrays) == 4 and all(re.search(_INPUTS, a, re.I) for a in arrays[::2])):
            return
        for data, outputs in _DATA:
            arguments = called_with(self.functions, function, None, outputs, ["X_", "Y_", "X_", "Y_"])
            if arguments is not None:
                yield Driver(function.name, f"{data}\n{function.name}({arguments})\n")

    # ---- a class

    def _of_class(self, name: str, node: ast.ClassDef, data: str, outputs: int) -> Iterator[Driver]:
        methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
        init = methods.get("__init__")
        made = called_with(self.functions, init, node, outputs) if init is not None else ""
        if init is not None and _holds_layers(init):
            yield from self._of_layers(name, node, init, data, outputs)
        if made is None and init is not None:
            yield from self._of_holder(name, node, init, data, outputs)
        if made is None:
            return
        options = [a for a in own_names(init) if is_left_out(init, a, self.functions)] if init is not None else []
        for more in ("", *(f"{a}=0.3" for a in options)):
            start = _START.format(data=data, made=f"{name}({', '.join(filter(None, (made, more)))})")
            for method in methods.values():
                if not method.name.startswith("__"):
                    yield from self._of_method(name, node, method, start, outputs, more)
        start = _START.format(data=data, made=f"{name}({made})")
        yield from self._in_turn(name, node, start, outputs)
        forward = next((m for m in methods if re.match(_THERE, m)), None)
        backward = next((m for m in methods if re.match(BACK, m)), None)
        if forward is None or backward is None or not own_names(methods[forward]):
            return
        taken = own_names(methods[backward])
        arrays = ["X_", "Y_", "out_"] if len(taken) > 1 else ["Y_"]
        given = called_with(self.functions, methods[backward], node, outputs, arrays)
        if given is not None:
            text = _BOTH_WAYS.format(forward=forward, backward=f"{backward}({given})")
            yield Driver(f"{name}.{backward}", start + text)

    def _in_turn(self, name: str, node: ast.ClassDef, start: str, outputs: int) -> Iterator[Driver]:
        """A method that takes inputs and targets and keeps the gradients, and one that takes a step with these."""
        calls = {"X_": {}, "": {}}  # type: dict[str, dict[str, str]]
        for m in (n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("__")):
            given = called_with(self.functions, m, node, outputs, ["X_", "Y_"])
            is_step = given is not None and "X_" not in given and re.search(_STEP, m.name)
            if given is not None and (is_step or ("=X_" in given and "=Y_" in given)):
                calls["" if is_step else "X_"][m.name] = f"thing_.{m.name}({given})"
        for (_, there), (step, back) in product(calls["X_"].items(), calls[""].items()):
            loop = f"for epoch_ in range({EPOCHS}):\n    loss_ = {there}\n    {back}\n"
            yield Driver(f"{name}.{step}", start + loop)

    def _of_holder(
        self, name: str, node: ast.ClassDef, init: ast.FunctionDef, data: str, outputs: int
    ) -> Iterator[Driver]:
        """What is made of the data, and trains by methods that take none: one with a loop, or two ways in turn."""
        made = called_with(self.functions, init, node, outputs, ["X_", "Y_"])
        if made is None or not re.search(r"=X_.*=Y_", made):
            return
        start = f"{data}\nthing_ = redraw_({name}({made}), X_, Y_)\n"
        calls = {}
        for m in (n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("__")):
            taken = [a for a in own_names(m) if default(m, a) is None]
            given = called_with(self.functions, m, node, outputs, ["X_"])
            if given is not None and len(taken) <= 1:
                calls[m.name] = f"thing_.{m.name}({given})"
                if any(isinstance(n, ast.For | ast.While) for n in ast.walk(m)) and "X_" not in given:
                    yield Driver(f"{name}.{m.name}", f"{start}{calls[m.name]}\n")
        there, back = (next((m for m in calls if re.match(way, m)), "") for way in (_THERE, BACK))
        if there and back:
            loop = f"for epoch_ in range({EPOCHS}):\n    {calls[there]}\n    {calls[back]}\n"
            yield Driver(f"{name}.{back}", start + loop)

    def _of_layers(
        self, name: str, node: ast.ClassDef, init: ast.FunctionDef, data: str, outputs: int
    ) -> Iterator[Driver]:
        """What is made of layers, and perhaps a loss and something that steps: of the file's own."""
        dense, acts, ends, steps = [], [], [], []
        for other, n in self.classes.items():
            methods = {m.name: m for m in n.body if isinstance(m, ast.FunctionDef)}
            made = called_with(self.functions, methods["__init__"], n, outputs) if "__init__" in methods else ""
            ways = {m: len(own_names(f)) for m, f in methods.items()}
            if made is None or other == name:
                continue
            if any(re.search("step|update", m) for m in ways) and not any(re.search(BACK, m) for m in ways):
                steps.append(f"{other}({made})")
            elif any(k >= 2 for m, k in ways.items() if re.match("forward|loss|__call__", m)):
                ends.append(f"{other}({made})")
            elif "forward" in ways and "=4" in made:
                last = made.replace("=5", f"={outputs}").replace("=4", "=5")
                dense.append([f"{other}({made})", f"{other}({last})"])
            elif "forward" in ways:
                acts.append(f"{other}({made})")
        for (first, last), act, end, step in product(dense[:1], acts, ends or [""], steps or [""]):
            parts = {"layer": f"{first}, {act}, {last}", "loss": end, "step": step}
            if init.args.vararg is None:
                parts["layer"] = f"[{parts['layer']}]"
            roles = {a.arg: _role(a.arg) for a in [*init.args.args[1:], *filter(None, [init.args.vararg])]}
            given = [parts[role] for a, role in roles.items() if role and (role == "layer" or default(init, a) is None)]
            start = _START.format(data=data, made=f"{name}({', '.join(given)})")
            for method in (m for m in node.body if isinstance(m, ast.FunctionDef) and len(own_names(m)) >= 2):
                call = called_with(self.functions, method, node, outputs, ["X_", "Y_"])
                if call is not None and self._trains(method):
                    loop = f"for epoch_ in range({EPOCHS}):\n    thing_.{method.name}({call})\n"
                    yield Driver(f"{name}.{method.name}", start + loop)

    def _of_method(
        self, name: str, node: ast.ClassDef, method: ast.FunctionDef, start: str, outputs: int, more: str
    ) -> Iterator[Driver]:
        """A method that trains; it must be right with each option that is 0 unless somebody says otherwise."""
        unit, taken = f"{name}.{method.name}{f' with {more}' if more else ''}", own_names(method)
        needed = [a for a in taken if default(method, a) is None]
        given = called_with(self.functions, method, node, outputs, ["X_", "Y_", "X_", "Y_"])
        if given is not None and len(needed) >= 2 and self._trains(method):
            yield Driver(unit, f"{start}thing_.{method.name}({given})\n")
            if f"={EPOCHS}" not in given:  # what is done once shows no steps
                yield Driver(unit, f"{start}for epoch_ in range({EPOCHS}):\n    thing_.{method.name}({given})\n")


_INPUTS = r"x|data|inputs?|features|entr[eé]e"
"""How inputs are called, where there are two sets of them."""


def _role(argument: str) -> str:
    """Which part of a network an argument of its constructor is, as its name says."""
    words = {"layer": "layer|modul|couche|capa|camada|strat|schicht", "loss": "loss|cost|crit", "step": "opt"}
    return next((role for role, pattern in words.items() if re.search(f"(?i){pattern}", argument)), "")


def _holds_layers(init: ast.FunctionDef) -> bool:
    """Whether a constructor takes layers."""
    return any(_role(a.arg) == "layer" for a in [*init.args.args, *filter(None, [init.args.vararg])])


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
