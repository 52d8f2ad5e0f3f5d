"""What of a notebook has to run so that certain names get their values: the rest is left out.

A figure that is drawn and a text that is printed decide nothing, cost time, and may fail for reasons of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from byhand.diagnosis.sources import Cell


@dataclass(frozen=True)
class Statement:
    """A statement of a cell, the names that it gives values to, and those that it uses."""

    cell: Cell
    node: ast.stmt
    binds: frozenset[str]
    uses: frozenset[str]


def statements(cells: Sequence[Cell]) -> list[Statement]:
    """Those of the student's own cells, in order; a cell that Python cannot read has none."""
    found = []
    for cell in cells:
        if cell.is_check:
            continue
        try:
            tree = ast.parse(cell.source)
        except (SyntaxError, ValueError):
            continue
        found += [Statement(cell, node, frozenset(_binds(node)), frozenset(_names(node))) for node in tree.body]
    return found


def needed(every: Sequence[Statement], names: Iterable[str], functions: Iterable[str] = ()) -> list[Statement]:
    """Those that give the names their first values, define the functions, and what these are made of.

    Parameters
    ----------
    every : sequence of Statement
    names : iterable of str
        Whose value matters at the end of the first cell that gives it one.
    functions : iterable of str
        Which are called when everything has run.
    """
    until = dict.fromkeys(functions, len(every))  # of each name, before which statement its value matters
    for name in names:
        first = next((s.cell for s in every if name in s.binds), None)
        ends = [k + 1 for k, s in enumerate(every) if s.cell is first]
        until[name] = max(until.get(name, 0), *ends, 0)
    chosen: set[int] = set()
    before = None
    while before != (len(chosen), sum(until.values())):
        before = len(chosen), sum(until.values())
        for k in reversed(range(len(every))):
            s = every[k]
            matters = max((until[name] for name in s.binds if name in until), default=0)
            if matters > k or _sets_chance(s.node):
                chosen.add(k)
                later = matters if isinstance(s.node, ast.FunctionDef | ast.ClassDef) else k
                for name in s.uses:
                    until[name] = max(until.get(name, 0), later)
    return [every[k] for k in sorted(chosen)]


def rests_on(every: Sequence[Statement], name: str) -> list[str]:
    """The names from which a name's first value, or a function, follows; the nearest first."""
    found: list[str] = []
    todo = [name]
    while todo:
        asked = todo.pop(0)
        binding = [s for s in every if asked in s.binds]
        for s in binding:
            if s.cell is binding[0].cell or isinstance(s.node, ast.FunctionDef | ast.ClassDef):
                new = sorted(s.uses - {name, *found})
                found += new
                todo += new
    return found


def line_of_parts(node: ast.stmt, wrong: Sequence[int], parts: int) -> int:
    """The line of a function on which all of its wrong results rest, and none of the right ones.

    Parameters
    ----------
    node : ast.stmt
    wrong : sequence of int
        The numbers of the wrong results.
    parts : int
        How many results it gives.
    """
    returns = [n for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None]
    if not returns:
        return node.lineno
    last = max(returns, key=lambda n: n.lineno)
    value = last.value
    elements = (
        value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == parts else [value] * max(parts, 1)
    )
    made: dict[str, list[ast.stmt]] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign | ast.AugAssign):
            for name in _binds(inner):
                made.setdefault(name, []).append(inner)
    rests = [_rests_on(element, made) for element in elements]
    shared = set.intersection(*(rests[k] for k in wrong if k < len(rests)))
    right = set[int]().union(*(rests[k] for k in range(len(rests)) if k not in wrong and elements[k] is not value))
    computing = {n.lineno for n in ast.walk(node) if isinstance(n, ast.BinOp | ast.Call)}
    return min((shared - right) & computing or shared - right or shared & computing, default=last.lineno)


def _rests_on(node: ast.AST | None, made: dict[str, list[ast.stmt]]) -> set[int]:
    """The lines that an expression rests on, its own included."""
    lines, todo = set(), [node]
    while todo:
        part = todo.pop()
        if part is None or part.lineno in lines:  # type: ignore[attr-defined]
            continue
        if isinstance(part, ast.stmt) or not isinstance(part, ast.Name):
            lines.add(part.lineno)  # type: ignore[attr-defined]
        for name in {n.id for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}:
            todo += made.get(name, [])
    return lines


def _binds(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute | ast.Subscript) and not isinstance(inner.ctx, ast.Load):
            bound.add(_root(inner))
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            function = inner.value.func
            if isinstance(function, ast.Attribute) and function.attr in _CHANGING:
                bound.add(_root(function))
    return bound - {""}


_CHANGING = {"append", "extend", "insert", "update", "setdefault", "add", "fill", "sort", "pop", "fit"}


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _sets_chance(node: ast.stmt) -> bool:
    """Whether it is a call of its own that sets a seed."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    return getattr(node.value.func, "attr", getattr(node.value.func, "id", "")) == "seed"


def _names(node: ast.AST) -> set[str]:
    """The names that a statement uses; of a function those that are not its own."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    if not isinstance(node, ast.FunctionDef):
        return {n.id for n in names}
    own = {n.id for n in names if not isinstance(n.ctx, ast.Load)} | {
        n.arg for n in ast.walk(node) if isinstance(n, ast.arg)
    }
    shared = {name for n in ast.walk(node) if isinstance(n, ast.Global) for name in n.names}
    return {n.id for n in names} - own | shared
