"""The one small change that makes a wrong function right: it stands at the mistake's line.

A mistake is mostly one expression that is put otherwise than it was meant: a sign, a name, an index, a factor. So each
expression of a function is put otherwise in all such ways, and what it gives is looked at again. What makes all of it
right is no guess: it was run. Of several such changes that one counts which makes a statement most like another one.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from difflib import SequenceMatcher
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.changes import CHANGES, pool_of, put
from byhand.diagnosis.check.defined import FILE, File, methods_of, quiet
from byhand.diagnosis.check.lines import traced

_WORK, _EACH = 1_500_000, 300
"""So many lines may be run for one mistake, and what a change costs beside those that it runs."""
_HINT, _GROWN = 0.3, 0.1
"""What it counts that the mistake seems to be there, and against it each word that it puts in, up to three."""
_AROUND = 3
"""So many words before and behind a change must fit."""
_SIMPLE = (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)
_NUMBERS = (float, int, np.ndarray, np.generic)


class Repair(NamedTuple):
    """A change that makes a function right."""

    unit: str
    line: int
    text: str
    """The statement as it is right."""
    likeness: float
    """How much of it, and of the words around it, stands so elsewhere, at most 1."""
    normal: float = 0.0
    """How much of what it changes, and of the words around that, stands so elsewhere."""
    growth: int = 0
    """By how many words it is longer."""
    id: str = ""
    """What the mistake is called, where the change says it."""


def repairs(file: File, units: Sequence[str], is_right: Callable[[], bool], line: int) -> list[Repair]:
    """The single changes in some functions that make something right, the likeliest first.

    Parameters
    ----------
    file : File
    units : sequence of str
        Full names of functions and methods; what stands first is changed first.
    is_right : callable
        Runs them, and says whether all is as it should be now.
    line : int
        Where the mistake seems to be: what stands there is changed first.
    """
    found: list[Repair] = []
    left = _WORK
    for unit in units:
        function = file.function(unit)
        lines, shapes = _seen(is_right, function.name)
        each = _EACH + len(lines)
        for statement, new in _changes(file, function, set(lines), shapes, line):
            if left < each:
                break
            left -= each
            for s in new:  # what was there before keeps its place
                ast.fix_missing_locations(s if hasattr(s, "lineno") else ast.copy_location(s, statement))
            with contextlib.suppress(Exception), quiet(), _standing(file, unit, _with(function, statement, new)):
                if is_right():
                    found.append(_told(file, unit, statement, new))
        if found:
            break
    return sorted(found, key=lambda r: _unlikely(r) - _HINT * (r.line == line))


def _unlikely(repair: Repair) -> float:
    """How unlikely a change is: what stood so elsewhere is no mistake, and neither is what is long."""
    return repair.normal + _GROWN * min(max(repair.growth, 0), 3) - repair.likeness


def _seen(run: Callable[[], object], function: str) -> tuple[list[int], dict[str, tuple[int, ...]]]:
    """The lines of a function that are run, and the shapes of its names in the end."""
    lines: list[int] = []
    shapes: dict[str, tuple[int, ...]] = {}

    def see(frame: FrameType, event: str, _: Any) -> None:
        lines.append(frame.f_lineno)
        if event == "return":
            held = {f"self.{n}": v for n, v in vars(frame.f_locals["self"]).items()} if "self" in frame.f_locals else {}
            shapes.update({n: np.shape(v) for n, v in {**frame.f_locals, **held}.items() if isinstance(v, _NUMBERS)})

    with contextlib.suppress(Exception):
        traced(run, function, see)
    return lines, shapes


@contextlib.contextmanager
def _standing(file: File, unit: str, function: ast.FunctionDef) -> Iterator[None]:
    """A function in the place of the file's own."""
    owner, _, name = unit.rpartition(".")
    made: dict[str, Any] = {}
    exec(compile(ast.Module([function], []), FILE, "exec"), file.names, made)
    if not owner:
        before, file.names[name] = file.names[name], made[name]
        try:
            yield
        finally:
            file.names[name] = before
        return
    of = file.names[owner]
    own = of.__dict__.get(name)
    setattr(of, name, made[name])
    try:
        yield
    finally:
        if own is None:
            delattr(of, name)
        else:
            setattr(of, name, own)


def _with(node: Any, old: ast.stmt, new: Sequence[ast.stmt]) -> Any:
    """A function, or a block, with some statements in the place of one."""
    blocks = {
        field: [part for s in body for part in (new if s is old else [_with(s, old, new)])]
        for field in ("body", "orelse")
        if isinstance(body := getattr(node, field, None), list) and node.lineno <= old.lineno <= (node.end_lineno or 0)
    }
    return put(node, **blocks) if blocks else node


def _told(file: File, unit: str, old: ast.stmt, new: Sequence[ast.stmt]) -> Repair:
    text = "; ".join(ast.unparse(ast.fix_missing_locations(s)) for s in new)
    is_added = isinstance(old, ast.Assign) and isinstance(new[0], ast.AugAssign)
    is_turned = text.replace(".T", "") == ast.unparse(old).replace(".T", "")
    spares_one = isinstance(new[-1], ast.AugAssign) and ast.unparse(new[-1].target).endswith("[1:]")
    id_ = "gradient-overwritten" if is_added else "transposed-gradient" if is_turned else ""
    id_ = "penalty-gradient-wrong" if spares_one and "[1:]" not in ast.unparse(old) else id_
    before = ast.unparse(old)
    growth = len(_words(text)) - len(_words(before))
    likeness, normal = _likeness(file, before, text), _likeness(file, text, before, before)
    return Repair(unit, old.lineno, text, likeness, normal, growth, id_)


def _likeness(file: File, old: str, new: str, own: str = "") -> float:
    """How much of a statement around what has changed stands so elsewhere in the file, whatever the names."""
    before, after = _words(old), _words(new)
    changed = [op[3:] for op in SequenceMatcher(None, before, after).get_opcodes() if op[0] != "equal"]
    if not changed:
        return 0.0
    around = after[max(changed[0][0] - _AROUND, 0) : changed[-1][1] + _AROUND]
    lines = [ast.unparse(s) for f in file.every.values() for s in ast.walk(f) if isinstance(s, _SIMPLE)]
    others = [_words(line) for line in lines if line != (own or old)]
    matchers = [SequenceMatcher(None, around, other) for other in others]
    return max((m.find_longest_match().size for m in matchers), default=0) / len(around)


def _words(text: str) -> list[str]:
    """The words of a statement: of names only that they are ones, but for those of functions."""
    words = re.findall(r"\w+(?=\()|(?<=\.)\w+|[A-Za-z_]\w*|\d+|\S", text)
    return [
        w if re.search(rf"{re.escape(w)}\(|\.{re.escape(w)}\b", text) or not w.isidentifier() else "" for w in words
    ] + ["\n"]


# ---- the changes


def _changes(
    file: File, function: ast.FunctionDef, lines: Set[int], shapes: Mapping[str, tuple[int, ...]], line: int
) -> Iterator[tuple[ast.stmt, list[ast.stmt]]]:
    """Each statement with what may stand in its place: first what is put otherwise, then what is put in."""
    methods = next((methods_of(c) for c in file.classes.values() if function in c.body), {})
    pool = pool_of(function, [*file.functions, *(f"self.{m}" for m in methods)], shapes)
    pool = replace(pool, names=sorted({*pool.names, *(n for n in shapes if n.startswith("self."))}))
    inside = list(ast.walk(function))
    run = [n for n in inside if isinstance(n, ast.stmt) and n is not function]
    run = [n for n in run if lines & {*range(n.lineno, (n.end_lineno or n.lineno) + 1)}]
    run.sort(key=lambda s: (s.lineno != line, s.lineno))
    for change in CHANGES:
        for s in run:
            yield from ((s, new) for new in change(s, pool))
