"""The one change of one line after which every step follows its gradient, found by trying.

What the numbers name is the first place where they are not what they should be; the line to mend may be another, which
that place is made of. So each line that wrong steps are made of is put otherwise in all the ways of `changes`, as long
as that gives other numbers there; and the first such copy is taken of which every step is right.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import re
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from byhand.diagnosis.changes import CHANGES, pool_of, put_otherwise
from byhand.diagnosis.findings import Place
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.text import Node, Text, nodes

_VISIT = 3  # a line's names are looked at when it is run for the third time: in the first step much is 0
_MOST_SEEN = 200_000  # lines that are run for it
_MOST_NUMBERS = 1_000_000  # of an array that is kept as it was
_MOST_EACH = 1_500  # changes of one line whose numbers are looked at
_MOVED = 2  # what it counts that words stand in another order
_FARTHER = 0.3  # words more in which a line differs that is one place less likely
_LIBRARIES = ("numpy", "math", "builtins", "scipy", "random", "_operator")
_WORD = re.compile(r"\w+|[^\w\s()]")
_SIMPLE = (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)
_SUMS = ("Assign", "AugAssign")
_COMPREHENSIONS = ("<listcomp>", "<genexpr>", "<lambda>", "<dictcomp>", "<setcomp>")


@dataclass
class _Spot:
    """A statement, and what its names held when it was run."""

    file: str
    text: Text
    statement: ast.stmt
    names: dict[str, Any] = field(default_factory=dict)
    visits: int = 0


def candidates(program: Program, near: Sequence[Place], run: Callable[[], object]) -> Iterator[Program]:
    """Copies of a program with one change in one line, the likeliest first.

    Parameters
    ----------
    program : Program
    near : sequence of Place
        The lines that may be changed, the likeliest first.
    run : callable
        Runs the program as it stands.
    """
    spots = list(_spots(program, near))
    _look(spots, run)
    found = (
        (other, many + _FARTHER * k, spot, text) for k, spot in enumerate(spots) for other, many, text in _texts(spot)
    )
    for *_, spot, text in sorted(found, key=lambda one: one[:2]):
        yield program.with_text(text, spot.file)


def _spots(program: Program, near: Sequence[Place]) -> Iterator[_Spot]:
    texts: dict[str, Text] = {}
    seen = set[tuple[str, int]]()
    for place in near:
        with contextlib.suppress(SyntaxError):
            text = texts.setdefault(place.file, Text(program.text(place.file)))
            statement = text.statement(place.line)
            if isinstance(statement, _SIMPLE) and (place.file, statement.lineno) not in seen:
                seen.add((place.file, statement.lineno))
                yield _Spot(place.file, text, statement)


def _look(spots: Sequence[_Spot], run: Callable[[], object]) -> None:
    """Run the program, and keep what the names hold where the statements stand."""
    left = {(Path(spot.file or "script.py").name, spot.statement.lineno): spot for spot in spots}
    files = {file for file, _ in left}
    events = 0

    def of_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal events
        events += 1
        spot = left.get((_file(frame), frame.f_lineno)) if event == "line" else None
        if spot is not None and spot.visits < _VISIT:
            spot.visits += 1
            spot.names = {**frame.f_globals, **{name: _kept(value) for name, value in frame.f_locals.items()}}
        if events > _MOST_SEEN or all(s.visits >= _VISIT for s in left.values()):
            raise SystemExit
        return of_line

    def of_call(frame: FrameType, event: str, _: Any) -> Any:
        is_own = _file(frame) in files and frame.f_code.co_name not in _COMPREHENSIONS
        return of_line if is_own else None

    before = sys.gettrace()
    sys.settrace(of_call)
    try:
        with contextlib.suppress(Exception, SystemExit):
            run()
    finally:
        sys.settrace(before)


def _file(frame: FrameType) -> str:
    return Path(frame.f_code.co_filename).name


def _kept(value: Any) -> Any:
    """A value as it is now, whatever is written into it later."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.size <= _MOST_NUMBERS else value
    if isinstance(value, list | dict | tuple) or type(value).__module__ == "__main__":
        with contextlib.suppress(Exception):
            return copy.deepcopy(value)
    return value


def _texts(spot: _Spot) -> Iterator[tuple[bool, int, str]]:
    """The texts with a statement put otherwise, each that gives other numbers once.

    With each goes whether it gives numbers of another shape, and by how many words it differs.
    """
    text, statement = spot.text, spot.statement
    function = next(iter(text.above(statement, ast.FunctionDef)), text.tree)
    functions = [n.name for n in text.tree.body if isinstance(n, ast.FunctionDef)]
    shapes = {name: np.shape(v) for name, v in spot.names.items() if isinstance(v, np.ndarray | float | int)}
    pool = pool_of(function, functions, shapes)
    keys = {key for held in spot.names.values() if isinstance(held, dict) for key in held if isinstance(key, str)}
    pool = replace(pool, texts=sorted({*pool.texts, *(key for key in keys if not key.startswith("__"))}))
    loops = (loop.target for loop in nodes(function, ast.For))
    counters = {name.id for target in loops for name in nodes(target, ast.Name)}
    now = _numbers(statement, spot.names)
    found: dict[Hashable, tuple[int, int, str]] = {}
    made = ((new, change) for change in CHANGES for new in islice(change(statement, pool), _MOST_EACH))
    for new, change in made:
        is_same_kind = len(new) == 1 and type(new[0]) is type(statement)  # else a sum begun, or a line left out
        numbers = _numbers(new[0], spot.names) if is_same_kind else (type(new[0]).__name__, now)
        if numbers is None or numbers == now or any(map(_is_nothing, ast.walk(new[0]))):
            continue
        with contextlib.suppress(Exception):
            old, instead = _written(text, statement, new)
            counted = counters & set(_WORD.findall(instead)) - set(_WORD.findall(text.of(old)))
            if counted and not text.above(old, ast.Subscript):
                continue  # a step is seldom meant to be so many times as long
            many = _words_apart(text.of(old), instead) + (change is not put_otherwise)
            many += shapes.get(text.of(old)) != shapes.get(instead)
            one = many, len(instead), text.replace((old, instead))
            found[numbers] = min(found.get(numbers, one), one)
    for numbers, (many, _, source) in found.items():
        is_kept = isinstance(numbers, tuple) and numbers[0] in _SUMS and numbers[1] == now  # written, or added
        yield not is_kept and _shape(numbers) != _shape(now), many, source


def _is_nothing(node: ast.AST) -> bool:
    """Whether it is a difference or quotient of one thing and itself."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub | ast.Div)
        and ast.dump(node.left) == ast.dump(node.right)
    )


def _words_apart(one: str, other: str) -> int:
    """How many words stand in one of two texts alone."""
    words, others = _WORD.findall(one), _WORD.findall(other)
    others += ["-"] * (other.lstrip("(")[:1] == "-" != one[:1])  # a sign put before something is seldom what was meant
    same = sum(block.size for block in SequenceMatcher(None, words, others, autojunk=False).get_matching_blocks())
    one_way, other_way = Counter(words) - Counter(others), Counter(others) - Counter(words)
    return min(len(words) + len(others) - 2 * same, _MOVED + (one_way | other_way).total())


def _numbers(statement: ast.stmt, names: dict[str, Any]) -> Hashable:
    """What a statement computes, and what it does with it; None where Python cannot."""
    value = getattr(statement, "value", None)
    if value is None:
        return None
    with contextlib.suppress(Exception), np.errstate(all="ignore"):
        where = ast.unparse(getattr(statement, "target", None) or getattr(statement, "targets", [ast.Pass()])[0])
        sign = type(getattr(statement, "op", None)).__name__
        return where, sign, _value(value, names)
    return None


def _value(node: ast.expr, names: dict[str, Any]) -> Hashable:
    """What an expression gives; of what calls the program's own functions, which may change things, the parts."""
    if not any(isinstance(n, ast.Call) and _is_own(n.func, names) for n in ast.walk(node)):
        return _key(_evaluated(node, names))
    parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    function = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    kind = (type(node).__name__, type(getattr(node, "op", None)).__name__, getattr(node, "attr", ""), function)
    return kind, tuple(_value(part, names) for part in parts)


def _is_own(function: ast.expr, names: dict[str, Any]) -> bool:
    called = _evaluated(function, names)
    return (getattr(called, "__module__", None) or "numpy").partition(".")[0] not in _LIBRARIES


def _evaluated(node: ast.expr, names: dict[str, Any]) -> Any:
    return eval(compile(ast.fix_missing_locations(ast.Expression(node)), "script.py", "eval"), names)


def _key(value: Any) -> Hashable:
    if isinstance(value, np.ndarray | np.generic | float | int):
        array = np.asarray(value)
        return array.shape, array.astype(float).tobytes()
    if isinstance(value, list | tuple):
        return tuple(_key(v) for v in value)
    if isinstance(value, dict):
        return tuple((k, _key(v)) for k, v in value.items())
    return repr(value)


def _shape(key: Any) -> Hashable:
    """The shapes of what a key stands for; number by number it is the same which part comes first."""
    if isinstance(key, tuple):
        found = [_shape(k) for k in key]
        is_of_parts = len(key) == 2 and isinstance(key[0], tuple) and key[0][:1] == ("BinOp",)
        if is_of_parts and "MatMult" not in key[0]:
            return found[0], tuple(sorted(found[1], key=repr))  # type: ignore[call-overload]
        return tuple(found)
    return None if isinstance(key, bytes) else key


def _written(text: Text, old: ast.stmt, new: Sequence[ast.stmt]) -> tuple[Node, str]:
    """The part of a statement that is put otherwise, and what stands there then; the rest is left as it was written."""
    if len(new) == 1:
        at, instead = _different(old, new[0])
        if isinstance(at, ast.expr):
            if isinstance(at, ast.BinOp) and _is_another_sign(at, instead):
                sign = ast.unparse(ast.BinOp(ast.Name("a"), instead.op, ast.Name("b"))).strip("ab")
                return at, text.with_sign(at, sign.strip())
            rendered = _rendered(text, instead)
            is_part = isinstance(text.parent[at], ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Subscript | ast.Compare)
            is_loose = isinstance(instead, ast.BinOp | ast.UnaryOp | ast.Compare) and not _binds(instead, at)
            if is_part and is_loose and not text.is_in_parentheses(at):
                rendered = f"({rendered})"
            return at, rendered
    return old, "; ".join(_rendered(text, s) for s in new)


def _is_another_sign(old: ast.BinOp, new: Any) -> bool:
    """Whether two sums or two products differ in nothing but their sign."""
    if not isinstance(new, ast.BinOp):
        return False
    kinds = (ast.Add, ast.Sub), (ast.Mult, ast.Div, ast.MatMult)
    is_alike = any(isinstance(old.op, kind) and isinstance(new.op, kind) for kind in kinds)
    return is_alike and old.left is new.left and old.right is new.right


def _binds(new: ast.expr, old: ast.expr) -> bool:
    """Whether an expression holds together as well as the one in whose place it stands."""
    return isinstance(new, ast.BinOp) and isinstance(old, ast.BinOp) and type(new.op) is type(old.op)


def _different(old: Any, new: Any) -> tuple[Any, Any]:
    """The smallest part of a statement that holds all that is other in another one."""
    if type(old) is type(new):
        differing = [(a, b) for a, b in zip(_parts(old), _parts(new), strict=False) if a is not b]
        fields = [(k, v) for k, v in ast.iter_fields(old) if not isinstance(v, ast.AST | list)]
        is_same = fields == [(k, v) for k, v in ast.iter_fields(new) if not isinstance(v, ast.AST | list)]
        if is_same and len(_parts(old)) == len(_parts(new)) and len(differing) == 1:
            a, b = differing[0]
            if isinstance(a, ast.expr | ast.keyword) and not isinstance(a, ast.Slice):
                inner = _different(a, b)
                return inner if isinstance(inner[0], ast.expr) else (old, new)
    return old, new


def _parts(node: ast.AST) -> list[ast.AST]:
    return list(ast.iter_child_nodes(node))


def _rendered(text: Text, node: ast.AST) -> str:
    """The text of a new node, with those parts of it as they were written that stood in the text before."""
    kept: dict[str, str] = {}
    whole = node.value if isinstance(node, ast.Assign | ast.AugAssign | ast.Return) else None

    def copied(part: Any) -> Any:
        if isinstance(part, list):
            return [copied(p) for p in part]
        if not isinstance(part, ast.AST):
            return part
        if isinstance(part, ast.expr) and part in text.parent and not isinstance(part, ast.Constant | ast.Slice):
            name = f"kept_{len(kept)}_"
            kept[name] = text.of(part) if part is whole else text.factor(part)
            return ast.Name(name, ast.Load())
        return type(part)(**{name: copied(value) for name, value in ast.iter_fields(part)})

    written = ast.unparse(ast.fix_missing_locations(copied(node)))
    for name, source in kept.items():
        written = written.replace(name, source)
    return written
