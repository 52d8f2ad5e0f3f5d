"""Runs a script and writes down what its expressions and names held; this file runs in the script's own process.

The script's syntax tree is rewritten: each operation, each operand and each assignment also hands its value to a
recorder, which returns it unchanged. The line numbers stay. To keep long runs cheap, each loop and each function has
its body twice: one that hands its values over, for the first iterations and a few later ones, and one as it was,
which only tells what the losses are; of numbers, a thinned series is kept.

It needs nothing but NumPy, as it runs beside other people's code, and it decides nothing: the judging is done by
the process that started it.
"""

from __future__ import annotations

import ast
import copy
import re
import signal
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

NAME = "__byhand__"
MAX_EVENTS = 5_000  # written down for each outermost loop
MAX_SECONDS = 0.7  # spent with it
ALL_EVENTS = 30_000  # and for all of them: each loop may use half of what is left
ALL_SECONDS = 2.0
SECONDS_OF_A_TRIAL = 0.4  # how long a loop runs in a run that only has to show how it begins
MAX_BYTES = 36_000_000  # kept in all; as text it has to fit into a file of 64 MB
MAX_SIZE = 1_000_000  # numbers in an array; a larger one is noted by its shape alone
LATER = {10, 100, 1000, 10_000, 100_000, 1_000_000}  # iterations of the outermost loop that are written down again
LATER_EVENTS = 1_000
LOSS_NAMES = re.compile(
    r"loss|err|cost|mse|perte|co[uû]t|fehler|verlust|cust|perdid|perda|fout|acc|genauigkeit|pr[ée]cision|^[jl]$", re.I
)
MODULES = {"np", "numpy", "plt", "math", "random", "os", "sys", "time", "pd", "warnings"}


class _Transformer(ast.NodeTransformer):
    """Visits statements, each of which may become several."""

    def body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in statements:
            new = self.visit(statement)
            result.extend(new if isinstance(new, list) else [new])
        return result


class _Rewriter(_Transformer):
    """Puts the recorder's calls round operations, operands and after assignments; `sites` says what is where."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sites: list[dict[str, Any]] = []
        self.loops: list[dict[str, Any]] = []
        self.scope: list[str] = []
        self.open_loops: list[int] = []
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.notes: dict[tuple[int, int, str], int] = {}
        self.told: set[str] = set()

    def rewrite(self, tree: ast.Module) -> None:
        """Rewrite the whole script in place."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _text(node.func) == "print":
                self.told |= {_text(n) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute)}
        tree.body = self.body(_without_declarations(tree.body)[0])
        ast.fix_missing_locations(tree)

    def site(self, node: ast.AST, kind: str, **more: Any) -> int:
        self.sites.append(
            {
                "line": getattr(node, "lineno", 0),
                "end_line": getattr(node, "end_lineno", 0),
                "kind": kind,
                "scope": ".".join(self.scope),
                "loops": list(self.open_loops),
                **more,
            }
        )
        return len(self.sites) - 1

    def wrap(self, node: ast.expr, site: int) -> ast.expr:
        call = _call("e", ast.Constant(site), node)
        return ast.copy_location(call, node)

    # Expressions

    def operand(self, node: ast.expr) -> tuple[ast.expr, dict[str, Any]]:
        """The node rewritten, and how to find its value again."""
        if isinstance(node, ast.Constant):
            value = node.value if isinstance(node.value, int | float | str | None) else repr(node.value)
            return node, {"const": value}
        if isinstance(node, ast.Starred):
            return self.visit(node), {}
        if isinstance(node, ast.Name | ast.Attribute) and not (isinstance(node, ast.Attribute) and node.attr == "T"):
            text = _text(node)
            new: Any = self.generic_visit(node) if isinstance(node, ast.Attribute) else node
            if isinstance(node, ast.Name) and node.id in MODULES:
                return new, {"text": text}
            site = self.site(node, "load", text=text)
            return self.wrap(new, site), {"site": site, "text": text}
        new = self.visit(node)
        return new, _descriptor(new)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        text = _text(node)
        node.left, left = self.operand(node.left)
        node.right, right = self.operand(node.right)
        site = self.site(node, "op", op=type(node.op).__name__, operands=[left, right], text=text)
        return self.wrap(node, site)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        text = _text(node)
        if isinstance(node.operand, ast.Constant):
            return node
        node.operand, operand = self.operand(node.operand)
        site = self.site(node, "op", op=type(node.op).__name__, operands=[operand], text=text)
        return self.wrap(node, site)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if not all(isinstance(op, ast.Eq | ast.NotEq | ast.Gt | ast.GtE | ast.Lt | ast.LtE) for op in node.ops):
            return self.generic_visit(node)  # type: ignore[return-value]
        text = _text(node)
        node.left, left = self.operand(node.left)
        operands = [left]
        for i, right in enumerate(node.comparators):
            node.comparators[i], found = self.operand(right)
            operands.append(found)
        site = self.site(node, "compare", op=type(node.ops[0]).__name__, operands=operands, text=text)
        return self.wrap(node, site)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        text = _text(node)
        func = _text(node.func)
        operands: list[dict[str, Any]] = []
        if func in ("super", "locals", "globals", "vars"):
            return node
        if isinstance(node.func, ast.Attribute):
            base = node.func.value
            if not (isinstance(base, ast.Name) and base.id in MODULES):
                node.func.value, found = self.operand(base)
                operands.append(found)
                func = "." + node.func.attr
            else:
                func = node.func.attr
        for i, arg in enumerate(node.args):
            node.args[i], found = self.operand(arg)
            operands.append(found)
        keywords = {}
        for keyword in node.keywords:
            keyword.value, found = self.operand(keyword.value)
            if keyword.arg:
                keywords[keyword.arg] = found
        site = self.site(node, "call", op=func, operands=operands, keywords=keywords, text=text)
        return self.wrap(node, site)

    def index(self, node: ast.expr) -> ast.expr:
        """An index, with the names in it told: they may be class numbers."""
        if isinstance(node, ast.Tuple):
            node.elts = [self.index(element) for element in node.elts]
            return node
        first = len(self.sites)
        new, _ = (node, {}) if isinstance(node, ast.Slice | ast.Constant) else self.operand(node)
        for site in self.sites[first:]:
            site["is_index"] = True
        return new

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if not isinstance(node.ctx, ast.Load):
            node.value = self.visit(node.value)
            node.slice = self.index(node.slice)
            return node
        text = _text(node)
        node.value, base = self.operand(node.value)
        node.slice = self.index(node.slice)
        site = self.site(node, "subscript", operands=[base], text=text)
        return self.wrap(node, site)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not isinstance(node.ctx, ast.Load) or node.attr != "T":
            return self.generic_visit(node)  # type: ignore[return-value]
        text = _text(node)
        node.value, operand = self.operand(node.value)
        return self.wrap(node, self.site(node, "op", op="T", operands=[operand], text=text))

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        if node.value is not None:
            node.value, _ = self.operand(node.value)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            return node
        return self.assignment(node, [node.target], node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        label = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                label = str(part.value)
            elif isinstance(part, ast.FormattedValue):
                part.value, found = self.operand(part.value)
                if "site" in found:
                    self.sites[found["site"]]["label"] = label
        return node

    def visit_match_case(self, node: Any) -> Any:
        node.body = self.body(node.body)
        return node

    # Statements

    def visit_Assign(self, node: ast.Assign) -> Any:
        return self.assignment(node, node.targets, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        return self.assignment(node, [node.target], node.value, type(node.op).__name__)

    def assignment(self, node: Any, targets: list[ast.expr], value: ast.expr, op: str = "") -> list[ast.stmt]:
        text = _text(node)
        node.value, found = self.operand(value)
        notes: list[ast.stmt] = []
        for target in targets:
            for leaf in _leaves(target):
                note = self.note(leaf, node, "augassign" if op else "assign", value=found, op=op, text=text)
                if note is not None:
                    notes.append(note)
        return [node, *notes]

    def note(self, target: ast.expr, node: ast.AST, kind: str, **more: Any) -> ast.stmt | None:
        """The statement that tells what a target holds now."""
        indexed: set[str] = set()
        base = target
        while isinstance(base, ast.Subscript):
            indexed |= {n.id for n in ast.walk(base.slice) if isinstance(n, ast.Name)}
            base = base.value
        if isinstance(base, ast.Call) or not isinstance(base, ast.Name | ast.Attribute):
            return None
        element_loops = [k for k in self.open_loops if indexed & set(self.loops[k]["targets"])]
        key = (
            target.slice.value if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) else None
        )
        site = self.site(
            node,
            kind,
            name=_text(base),
            target=_text(target),
            element=base is not target,
            key=key if isinstance(key, int | str) else None,
            element_loops=element_loops,
            is_global=_text(base) in self.globals,
            is_nonlocal=_text(base) in self.nonlocals,
            **more,
        )
        self.notes[node.lineno, node.col_offset, _text(target)] = site  # type: ignore[attr-defined]
        owner: ast.expr = ast.Constant(None)
        if isinstance(base, ast.Attribute):
            owner = _as_load(base.value)
        statement = ast.Expr(_call("a", ast.Constant(site), _as_load(base), owner))
        return ast.copy_location(statement, node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        value = node.value
        if not isinstance(value, ast.Call):
            return self.generic_visit(node)
        candidates = [*value.args, *(k.value for k in value.keywords)]
        appended = isinstance(value.func, ast.Attribute) and value.func.attr == "append" and len(value.args) == 1
        if isinstance(value.func, ast.Attribute):
            candidates.append(value.func.value)
        touched = [
            _copy(c)
            for c in candidates
            if (isinstance(c, ast.Name) and c.id not in MODULES) or (isinstance(c, ast.Attribute))
        ]
        text = _text(node)
        name = _text(value.func.value) if appended else ""  # type: ignore[attr-defined]
        if appended:
            site = self.site(node, "append", name=name, target=name, text=text, element=False, element_loops=[])
            self.notes[node.lineno, node.col_offset, "append"] = site
            inner, _ = self.operand(value.args[0])
            value.args = [ast.copy_location(_call("p", ast.Constant(site), inner), node)]
            return node
        func = _text(value.func)
        node.value = self.visit(value)
        if func in ("print", "plt.plot", "plt.show", "plt.semilogy") or func.startswith("plt."):
            return node
        notes = [self.note(target, node, "touched", text=text) for target in touched]
        return [node, *(n for n in notes if n is not None)]

    def visit_For(self, node: ast.For) -> ast.stmt:
        targets = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
        node.iter, iterated = self.operand(node.iter)
        loop = self.enter_loop(node, targets)
        notes = [self.note(leaf, node.target, "for", text="", iterated=iterated) for leaf in _leaves(node.target)]
        self.two_bodies(node, loop, [n for n in notes if n is not None])
        return self.leave_loop(loop, node)

    def visit_While(self, node: ast.While) -> ast.stmt:
        loop = self.enter_loop(node, [])
        node.test = self.visit(node.test)
        self.two_bodies(node, loop, [])
        return self.leave_loop(loop, node)

    def enter_loop(self, node: Any, targets: list[str]) -> int:
        self.loops.append({"line": node.lineno, "end_line": node.end_lineno, "targets": targets})
        self.open_loops.append(len(self.loops) - 1)
        return len(self.loops) - 1

    def two_bodies(self, node: Any, loop: int, notes: list[ast.stmt]) -> None:
        plain = copy.deepcopy(node.body)
        recorded = [*notes, *self.body(node.body)]
        test = _call("tick", ast.Constant(loop))
        node.body = [ast.copy_location(ast.If(test, recorded, _Plain(self).body(plain)), node)]

    def leave_loop(self, loop: int, node: Any) -> ast.stmt:
        self.open_loops.pop()
        node.orelse = self.body(node.orelse)
        item = ast.withitem(_call("loop", ast.Constant(loop)), None)
        return ast.copy_location(ast.With([item], [node]), node)

    def visit_FunctionDef(self, node: Any) -> Any:
        self.scope.append(node.name)
        outer, self.open_loops = self.open_loops, []
        outer_names = self.globals, self.nonlocals
        args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        names = [arg.arg for arg in args if arg.arg != "self"]
        notes = []
        for name in names:
            site = self.site(node, "arg", name=name, target=name, text="", element=False, element_loops=[])
            call = _call("a", ast.Constant(site), ast.Name(name, ast.Load()), ast.Constant(None))
            notes.append(ast.copy_location(ast.Expr(call), node))
        at = 1 if ast.get_docstring(node) is not None else 0
        begin = node.body[:at]
        body, declarations = _without_declarations(node.body[at:])
        self.globals = {name for d in declarations if isinstance(d, ast.Global) for name in d.names}
        self.nonlocals = {name for d in declarations if isinstance(d, ast.Nonlocal) for name in d.names}
        plain = copy.deepcopy(body)
        recorded = [*notes, *self.body(body)]
        both = ast.If(_is_on(), recorded or [ast.Pass()], _Plain(self).body(plain) or [ast.Pass()])
        node.body = [*begin, *declarations, ast.copy_location(both, node)]
        self.open_loops = outer
        self.globals, self.nonlocals = outer_names
        self.scope.pop()
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self.scope.append(node.name)
        node.body = self.body(node.body)
        self.scope.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        plain = copy.deepcopy(node.body)
        recorded, _ = self.operand(node.body)
        node.body = ast.copy_location(ast.IfExp(_is_on(), recorded, plain), node)
        return node


class _Plain(_Transformer):
    """Leaves everything as it is, and has only the numbers told that may be losses."""

    def __init__(self, rewriter: _Rewriter) -> None:
        self.rewriter = rewriter

    def visit_Assign(self, node: ast.Assign) -> Any:
        return self.told(node, [leaf for target in node.targets for leaf in _leaves(target)])

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        return self.told(node, [node.target])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        return self.told(node, [node.target] if node.value is not None else [])

    def told(self, node: ast.stmt, targets: list[ast.expr]) -> list[ast.stmt]:
        notes: list[ast.stmt] = []
        for target in targets:
            if not isinstance(target, ast.Name | ast.Attribute):
                continue
            text = _text(target)
            site = self.rewriter.notes.get((node.lineno, node.col_offset, text))
            if site is not None and text in self.rewriter.nonlocals:  # no frame tells at the end what they hold
                note = _call("a", ast.Constant(site), _as_load(target), ast.Constant(None))
                notes.append(ast.copy_location(ast.Expr(note), node))
            elif site is not None and (text in self.rewriter.told or LOSS_NAMES.search(text.rsplit(".", 1)[-1])):
                notes.append(ast.copy_location(ast.Expr(_call("s", ast.Constant(site), _as_load(target))), node))
        return [node, *notes]

    def visit_Expr(self, node: ast.Expr) -> Any:
        site = self.rewriter.notes.get((node.lineno, node.col_offset, "append"))
        match node.value:
            case ast.Call(ast.Attribute(attr="append"), [value]) if site is not None:
                node.value.args = [ast.copy_location(_call("s", ast.Constant(site), value), node)]
        return node


def _without_declarations(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """A body without its `global` and `nonlocal` statements, and these: they have to come before both bodies."""
    found: dict[str, ast.stmt] = {}

    class Taker(ast.NodeTransformer):
        def visit_FunctionDef(self, node: Any) -> Any:
            return node

        visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef

        def visit_Global(self, node: ast.Global | ast.Nonlocal) -> ast.stmt:
            for name in node.names:
                found.setdefault(name, ast.copy_location(type(node)([name]), node))
            return ast.copy_location(ast.Pass(), node)

        visit_Nonlocal = visit_Global

    taker = Taker()
    return [taker.visit(statement) for statement in body], list(found.values())


def _is_on() -> ast.expr:
    return ast.Attribute(ast.Name(NAME, ast.Load()), "on", ast.Load())


def _call(method: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load()), list(args), [])


def _text(node: ast.AST) -> str:
    return ast.unparse(node)


def _copy(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


def _as_load(node: ast.expr) -> ast.expr:
    return _copy(node)


def _leaves(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        return [leaf for element in target.elts for leaf in _leaves(element)]
    if isinstance(target, ast.Starred):
        return []
    return [target]


def _descriptor(node: ast.AST) -> dict[str, Any]:
    match node:
        case ast.Call(ast.Attribute(ast.Name(name)), [ast.Constant(number), *_]) if name == NAME:
            return {"site": number}
    if isinstance(node, ast.Name):
        return {"text": node.id}
    return {}


class _Series:
    """The numbers that one name held, thinned so that there are never more than a few thousand."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.count = 0
        self.stride = 1
        self.last = 0.0
        self.total: float | None = None

    def add_up(self, value: float) -> None:
        """A sum that grows until it begins anew: its totals are what counts."""
        if self.total is not None and value < self.total:
            self.add(self.total)
        self.total = value

    def add(self, value: float) -> None:
        self.last = value
        if self.count % self.stride == 0:
            self.values.append(value)
            if len(self.values) >= 4000:
                self.values = self.values[::2]
                self.stride *= 2
        self.count += 1


def _holds_arrays(value: Any) -> bool:
    first = value[0]
    return isinstance(first, np.ndarray) or (
        isinstance(first, list | tuple) and any(isinstance(v, np.ndarray) for v in first[:4])
    )


def _items(value: Any) -> list[tuple[str, Any]]:
    """The elements of a short list or dict, with the text that stands for each."""
    if isinstance(value, dict) and len(value) <= 64:
        return [(f"[{key!r}]", v) for key, v in value.items() if isinstance(key, str | int)]
    if isinstance(value, list | tuple) and len(value) <= 64:
        return [(f"[{i}]", v) for i, v in enumerate(value)]
    return []


class _Recorder:
    """Takes the values in, and keeps those it has room for."""

    def __init__(self, sites: list[dict[str, Any]], stop_at: int) -> None:
        self.sites = sites
        self.stop_at = stop_at
        self.on = True
        self.budget = MAX_EVENTS
        self.started = self.begun = time.perf_counter()
        self.seconds = 0.0
        self.seconds_allowed = MAX_SECONDS
        self.bytes = 0
        self.t_site: list[int] = []
        self.t_value: list[int] = []
        self.t_obj: list[int] = []
        self.t_vec: list[int] = []
        self.t_suffix: list[int] = []
        self.t_owner: list[int] = []
        self.suffixes: dict[str, int] = {"": 0}
        self.values: list[Any] = []
        self.index: dict[Any, int] = {}
        self.counters: dict[int, int] = {}
        self.stack: list[int] = []
        self.vecs: list[tuple[tuple[int, int], ...]] = [()]
        self.vec = 0
        self.gaps: list[int] = []
        self.series: dict[int, _Series] = {}
        self.last: dict[tuple[int, int], Any] = {}
        self.settled: set[int] = set()  # sites whose last value is the one at the end

    # What the rewritten script calls

    def e(self, site: int, value: Any) -> Any:
        if self.on and isinstance(value, (np.ndarray, float, int, np.generic)):
            self.write(site, value)
        return value

    def a(self, site: int, value: Any, owner: Any) -> None:
        self.s(site, value)
        self.last[site, id(owner) if owner is not None else 0] = (value, owner)
        if self.on:
            self.write_deep(site, value, id(owner) if owner is not None else 0)

    def p(self, site: int, value: Any) -> Any:
        if self.on and isinstance(value, (np.ndarray, float, int, np.generic)):
            self.write(site, value)
        return self.s(site, value)

    def s(self, site: int, value: Any) -> Any:
        """One more number of a series, if it is one number."""
        kind = type(value)
        if kind is float or isinstance(value, np.floating) or (kind is np.ndarray and value.size == 1):
            try:
                number = float(value.item() if kind is np.ndarray else value)
            except (TypeError, ValueError):
                return value
            series = self.series.get(site)
            if series is None:
                series = self.series[site] = _Series()
            if self.sites[site].get("op") == "Add":
                series.add_up(number)
            else:
                series.add(number)
        return value

    def loop(self, number: int) -> Any:
        return _Loop(self, number)

    def tick(self, number: int) -> bool:
        """A new iteration begins: whether it is written down."""
        count = self.counters[number] = self.counters.get(number, -1) + 1
        if not self.on:
            is_trial = self.stop_at and self.stack[:1] == [self.stop_at - 1]
            if is_trial and time.perf_counter() - self.begun > SECONDS_OF_A_TRIAL:
                raise TimeUp
            if count not in LATER or self.stack[:1] != [number]:
                return False
            self.begin(LATER_EVENTS)
            if not self.on:
                return False
        self.vecs.append(tuple((k, self.counters.get(k, 0)) for k in self.stack))
        self.vec = len(self.vecs) - 1
        return True

    def begin(self, events: int) -> None:
        """Write down from here on, for so many events at most, or half of what is left for all."""
        self.budget = min(events, (ALL_EVENTS - len(self.t_site)) // 2)
        self.seconds_allowed = min(MAX_SECONDS, (ALL_SECONDS - self.seconds) / 2)
        was_on, self.on = self.on, self.budget > 0 and self.seconds_allowed > 0 and self.bytes < MAX_BYTES
        if not was_on:
            self.gaps.append(len(self.t_site))
        self.started = time.perf_counter()

    # Keeping

    def write_deep(self, site: int, value: Any, owner: int) -> None:
        if isinstance(value, (np.ndarray, float, int, np.generic)):
            self.write(site, value, 0, owner)
            return
        if isinstance(value, list | tuple) and value and len(value) <= 5000 and not _holds_arrays(value):
            try:
                array = np.asarray(value)
            except (ValueError, TypeError):
                array = np.asarray(None)
            if array.dtype.kind in "fiub":
                self.write(site, array, 0, owner, id(value))
                return
        for key, v in _items(value):
            for inner, w in _items(v) if isinstance(v, dict | list | tuple) else [("", v)]:
                if isinstance(w, (np.ndarray, float, np.generic)):
                    self.write(site, w, self.suffixes.setdefault(key + inner, len(self.suffixes)), owner)

    def write(self, site: int, value: Any, suffix: int = 0, owner: int = 0, obj: int = 0) -> None:
        self.budget -= 1
        if self.budget <= 0:
            if self.stack:
                self.on = False
                self.seconds += time.perf_counter() - self.started
                return
            if self.budget < -MAX_EVENTS:
                return
        elif self.budget & 15 == 0 and (
            self.bytes > MAX_BYTES or time.perf_counter() - self.started > self.seconds_allowed
        ):
            self.budget = 0
        self.t_site.append(site)
        self.t_value.append(self.keep(value))
        self.t_obj.append(obj or id(value))
        self.t_vec.append(self.vec)
        self.t_suffix.append(suffix)
        self.t_owner.append(owner)

    def keep(self, value: Any) -> int:
        if not isinstance(value, np.ndarray):
            key: Any = (type(value) is bool, value) if not isinstance(value, float) or value == value else "nan"
            if isinstance(value, int) and abs(value) > 2**53:
                return -1
            found = self.index.get(key)
            if found is None:
                if isinstance(value, np.generic) and value.dtype.kind not in "fiub":
                    return -1
                found = self.index[key] = len(self.values)
                self.values.append(np.asarray(value))
            return found
        if value.dtype.kind not in "fiub":
            return -1
        if value.size > MAX_SIZE:
            key = ("large", value.shape, value.dtype.str)
            found = self.index.get(key)
            if found is None:
                found = self.index[key] = len(self.values)
                self.values.append(("large", value.shape, value.dtype.str))
            return found
        data = value.tobytes()
        key = (value.shape, value.dtype.char, data)
        if len(data) > 64:
            key = (value.shape, value.dtype.char, hash(data), data[:16], data[-16:])
        found = self.index.get(key)
        if found is None:
            found = self.index[key] = len(self.values)
            self.values.append(value.copy())
            self.bytes += 8 * value.size
        return found

    def settle(self, frame: types.FrameType) -> None:
        """Note what the local names of a function hold now: the plain bodies don't tell."""
        for (number, owner), (_, holder) in list(self.last.items()):
            site = self.sites[number]
            name = site["name"]
            if holder is None and site["scope"].rpartition(".")[2] == frame.f_code.co_name and name in frame.f_locals:
                self.last[number, owner] = (frame.f_locals[name], None)
                self.settled.add(number)

    def finish(self, namespace: dict[str, Any]) -> None:
        """Write down what everything holds at the end."""
        for series in self.series.values():
            if series.total is not None:
                series.add(series.total)
        self.stack = []
        self.on = True
        self.budget = MAX_EVENTS
        self.started = time.perf_counter()
        self.vecs.append(((-1, 0),))
        self.vec = len(self.vecs) - 1
        for (number, _), (value, owner) in list(self.last.items()):
            site = self.sites[number]
            name = site["name"]
            if owner is not None:
                value = getattr(owner, name.rpartition(".")[2], value)
                self.settled.add(number)
            elif not site["scope"] or site.get("is_global"):
                value = namespace.get(name, value)
                self.settled.add(number)
            elif site.get("is_nonlocal"):
                self.settled.add(number)
            self.write_deep(number, value, id(owner) if owner is not None else 0)


class _Loop:
    __slots__ = ("number", "recorder")

    def __init__(self, recorder: _Recorder, number: int) -> None:
        self.recorder, self.number = recorder, number

    def __enter__(self) -> None:
        recorder = self.recorder
        if not recorder.stack:
            recorder.begin(MAX_EVENTS)
            recorder.begun = recorder.started
        recorder.stack.append(self.number)
        recorder.counters[self.number] = -1

    def __exit__(self, *error: object) -> None:
        recorder = self.recorder
        if self.number in recorder.stack:  # of a generator that is left early, the loop ends late
            recorder.stack.remove(self.number)
        if not recorder.stack:
            recorder.settle(sys._getframe(1))
            recorder.begin(MAX_EVENTS)
        recorder.vecs.append(tuple((k, recorder.counters.get(k, 0)) for k in recorder.stack))
        recorder.vec = len(recorder.vecs) - 1


class TimeUp(BaseException):
    """The script ran longer than it was given."""


def job(request: Mapping[str, Any], send: Callable[[Mapping[str, Any]], None]) -> None:
    """Run the script request["path"] for at most request["seconds"]; send what it did.

    With request["cpu_seconds"] the processor's time has a limit, too: it does not depend on what else the machine does.
    With request["stop_at"] = k + 1 it is stopped when loop number k has shown how it begins.
    """
    from byhand.diagnosis.sandboxed import pack

    report, columns = record(request["path"], request["seconds"], request["stop_at"], request["cpu_seconds"])
    send({"recording": report, "columns": {name: pack(column) for name, column in columns.items()}})


def record(
    path: str, seconds: float, stop_at: int = 0, cpu_seconds: float = 0
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the script at `path`; what it did, as JSON values and as columns of numbers."""
    source = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    rewriter = _Rewriter(source)
    recorder = _Recorder(rewriter.sites, stop_at)
    noted: list[dict[str, Any]] = []
    report: dict[str, Any] = {"exception": None, "warnings": noted, "timed_out": False}
    try:
        tree = ast.parse(source, path)
    except SyntaxError as error:
        line = {"line": error.lineno or 0, "scope": "", "locals": {}}
        report["exception"] = {"type": type(error).__name__, "message": str(error.msg), "frames": [line]}
        return report | {
            "sites": [],
            "loops": [],
            "shapes": [],
            "large": [],
            "kinds": [],
            "vecs": [],
            "suffixes": [],
        }, {}
    rewriter.rewrite(tree)
    module = types.ModuleType("__main__")
    namespace = module.__dict__
    namespace.update({NAME: recorder, "__file__": path})
    sys.modules["__main__"] = module
    sys.argv = [path]

    def note_warning(message: Any, category: Any, filename: str, lineno: int, *_: Any) -> None:
        if filename == path and len(noted) < 200:
            noted.append(
                {"type": category.__name__, "message": str(message), "line": lineno, "t": len(recorder.t_site)}
            )

    warnings.showwarning = note_warning  # type: ignore[assignment]

    def time_is_up(*_: Any) -> None:
        report["timed_out"] = True
        raise TimeUp

    signal.signal(signal.SIGALRM, time_is_up)
    signal.signal(signal.SIGPROF, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds, 1.0)  # 0: none
    recorder.started = start = time.perf_counter()
    try:
        exec(compile(tree, path, "exec"), namespace)  # the script itself, with the recorder's calls in it
    except TimeUp:
        report["timed_out"] = True
    except SystemExit:
        report["exit"] = True
    except BaseException as error:
        report["exception"] = _describe(error, path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds_run = time.perf_counter() - start
    return _report(recorder, rewriter, report, seconds_run, namespace)


def _describe(error: BaseException, path: str) -> dict[str, Any]:
    frames = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename != path:
            continue
        held = {}
        for name, value in {
            **(frame.f_globals if frame.f_code.co_name == "<module>" else {}),
            **frame.f_locals,
        }.items():
            if name.startswith("__") or isinstance(value, types.ModuleType):
                continue
            if isinstance(value, np.ndarray):
                held[name] = {"shape": list(value.shape), "dtype": str(value.dtype)}
            else:
                held[name] = {"type": type(value).__name__}
        frames.append({"line": line, "scope": frame.f_code.co_name, "locals": held})
    return {"type": type(error).__name__, "message": str(error), "frames": frames, "name": getattr(error, "name", None)}


def _report(
    recorder: _Recorder, rewriter: _Rewriter, report: dict[str, Any], seconds: float, namespace: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    end = len(recorder.t_site)
    recorder.finish(namespace)
    numbers, shapes, kinds, large = [], [], [], []
    for value in recorder.values:
        is_large = isinstance(value, tuple)
        shapes.append(list(value[1] if is_large else value.shape))
        kinds.append(value[2] if is_large else value.dtype.str)
        large.append(int(is_large))
        if not is_large:
            numbers.append(np.ravel(value).astype(np.float64))
    columns = {
        "site": np.array(recorder.t_site, dtype=np.int32),
        "value": np.array(recorder.t_value, dtype=np.int32),
        "obj": np.array(recorder.t_obj, dtype=np.int64),
        "vec": np.array(recorder.t_vec, dtype=np.int32),
        "suffix": np.array(recorder.t_suffix, dtype=np.int32),
        "owner": np.array(recorder.t_owner, dtype=np.int64),
        "numbers": np.concatenate(numbers) if numbers else np.zeros(0),
    }
    report |= {
        "seconds": seconds,
        "end": end,
        "gaps": recorder.gaps,
        "settled": sorted(recorder.settled),
        "sites": rewriter.sites,
        "loops": rewriter.loops,
        "counters": {str(k): v for k, v in recorder.counters.items()},
        "vecs": recorder.vecs,
        "suffixes": list(recorder.suffixes),
        "shapes": shapes,
        "kinds": kinds,
        "large": large,
        "series": {
            str(site): {"values": s.values, "stride": s.stride, "count": s.count, "last": s.last}
            for site, s in recorder.series.items()
        },
    }
    return report, columns
