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
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.check.defined import FILE, File, methods_of, quiet
from byhand.diagnosis.check.lines import traced

_WORK, _EACH = 1_500_000, 300
"""So many lines may be run for one mistake, and what a change costs beside those that it runs."""
_OTHER: dict[type[ast.operator], Sequence[type[ast.operator]]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.MatMult), ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,), ast.Pow: (ast.Mult,),
}  # fmt: skip
_COMPARED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_TWINS = {
    "sum": "mean",
    "mean": "sum",
    "dot": "multiply",
    "multiply": "dot",
    "maximum": "minimum",
    "minimum": "maximum",
}
_SLOPES = ("({0} > 0)", "(1 - {0}**2)", "{0} * (1 - {0})", "(1 - {0})")
"""What an activation's slope may be."""
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


@dataclass(frozen=True)
class _Pool:
    """What may stand in the place of something else, and the shapes of names."""

    names: Sequence[str]
    """Variables, and what an object holds: self.x."""
    texts: Sequence[str]
    functions: Sequence[str]
    shapes: Mapping[str, tuple[int, ...]]


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
    exec(compile(ast.Module([ast.fix_missing_locations(function)], []), FILE, "exec"), file.names, made)
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
    return _put(node, **blocks) if blocks else node


def _put(node: Any, **fields: Any) -> Any:
    """A copy of a node with other fields."""
    return ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)), **fields}), node)


def _told(file: File, unit: str, old: ast.stmt, new: Sequence[ast.stmt]) -> Repair:
    text = "; ".join(ast.unparse(ast.fix_missing_locations(s)) for s in new)
    is_added = isinstance(old, ast.Assign) and isinstance(new[0], ast.AugAssign)
    is_turned = text.replace(".T", "") == ast.unparse(old).replace(".T", "")
    id_ = "gradient-overwritten" if is_added else "transposed-gradient" if is_turned else ""
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
    inside = list(ast.walk(function))
    names = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.arg for n in inside if isinstance(n, ast.arg)} - {"self"}
    called = {ast.unparse(n.func) for n in inside if isinstance(n, ast.Call)}
    held = {ast.unparse(n) for n in inside if isinstance(n, ast.Attribute)} - called
    names |= {a for a in held if re.fullmatch(r"self\.\w+", a)}
    keys = {n.slice.value for n in inside if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)}
    texts = sorted(k for k in keys if isinstance(k, str))
    methods = {f"self.{m}" for c in file.classes.values() if function in c.body for m in methods_of(c)}
    functions = {*file.functions, *methods, *(a for a in called if re.fullmatch(r"self\.\w+", a))}
    pool = _Pool(sorted(names), texts, sorted(functions - {"self.__init__"}), shapes)
    run = [n for n in inside if isinstance(n, ast.stmt) and n is not function]
    run = [n for n in run if lines & {*range(n.lineno, (n.end_lineno or n.lineno) + 1)}]
    run.sort(key=lambda s: (s.lineno != line, s.lineno))
    for change in (_put_otherwise, _multiplied, _put_in):
        for s in run:
            yield from ((s, new) for new in change(s, pool))


def _put_otherwise(s: ast.stmt, pool: _Pool) -> Iterator[list[ast.stmt]]:
    """A statement with one thing in it otherwise."""
    for field in ("value", "test", "iter"):
        if isinstance(part := getattr(s, field, None), ast.expr):
            yield from ([_put(s, **{field: new})] for new in _edits(part, pool))
    if isinstance(s, ast.Assign) and len(s.targets) == 1:
        yield from ([_put(s, targets=[new])] for new in _in_index(s.targets[0], pool))
        if isinstance(target := s.targets[0], ast.Name | ast.Attribute | ast.Subscript):
            yield [ast.AugAssign(target, ast.Add(), s.value)]
    elif isinstance(s, ast.AugAssign):
        yield from ([_put(s, op=other())] for other in _OTHER.get(type(s.op), ()))
        yield from ([_put(s, target=new)] for new in _in_index(s.target, pool))
        yield [ast.Assign([s.target], s.value)]
    elif isinstance(s, ast.If):
        yield s.body
        yield s.orelse or [ast.Pass()]
    if isinstance(s, ast.Assign | ast.AugAssign | ast.Expr):
        yield [ast.Pass()]


def _multiplied(s: ast.stmt, pool: _Pool) -> Iterator[list[ast.stmt]]:
    """A statement with a number as a factor more, or with another array as a summand."""
    numbers = [n for n in pool.names if pool.shapes.get(n) == ()]
    yield from _with_factors(s, pool, ["2", *numbers])
    if isinstance(s, ast.Assign | ast.AugAssign | ast.Return) and s.value is not None:
        for n in pool.names:
            if _fits(s, pool, n):
                yield from ([_put(s, value=ast.BinOp(s.value, op(), _parsed(n)))] for op in (ast.Add, ast.Sub))


def _put_in(s: ast.stmt, pool: _Pool) -> Iterator[list[ast.stmt]]:
    """A statement with an array as a factor more, an activation's slope, or the number of samples."""
    arrays = [n for n in pool.names if pool.shapes.get(n) != () and _fits(s, pool, n)]
    yield from _with_factors(s, pool, [p.format(n) for n in arrays for p in ("{0}", *_SLOPES)])
    yield from _with_factors(
        s, pool, [f"{n}.shape[{k}]" for n, shape in pool.shapes.items() for k in range(len(shape))]
    )


def _fits(s: ast.stmt, pool: _Pool, name: str) -> bool:
    """Whether an array can stand beside what a statement gives, as far as that is known."""
    target = s.targets[0] if isinstance(s, ast.Assign) else getattr(s, "target", None)
    shape = pool.shapes.get(target.id) if isinstance(target, ast.Name) else None
    with contextlib.suppress(ValueError):
        return shape is None or np.broadcast_shapes(shape, pool.shapes.get(name, ())) == shape
    return False


def _with_factors(s: ast.stmt, pool: _Pool, texts: Sequence[str]) -> Iterator[list[ast.stmt]]:
    if isinstance(s, ast.Assign | ast.AugAssign | ast.Return) and s.value is not None and not _is_empty(s.value):
        target = s.targets[0] if isinstance(s, ast.Assign) else getattr(s, "target", None)
        for text in texts:
            for op, sign in ((ast.Mult, "*"), (ast.Div, "/")):
                yield from ([_put(s, value=new)] for new in _scaled(s.value, op(), _parsed(text)))
                if isinstance(target, ast.Subscript):  # its other numbers, too
                    whole = ast.unparse(target.value)
                    yield [s, *ast.parse(f"{whole} = {whole} {sign} ({text})").body]


def _is_empty(value: ast.expr) -> bool:
    """Whether it makes what will be filled."""
    return isinstance(value, ast.Call) and re.search("zeros|empty", ast.unparse(value.func)) is not None


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _scaled(node: ast.expr, op: ast.operator, factor: ast.expr) -> Iterator[ast.expr]:
    """An expression times a factor, and with a summand, a part or an argument of it times the factor."""
    if not isinstance(node, ast.Tuple | ast.List):
        yield ast.BinOp(node, op, factor)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.MatMult):
        yield from (_put(node, left=new) for new in _scaled(node.left, op, factor))
        yield from (_put(node, right=new) for new in _scaled(node.right, op, factor))
    elif isinstance(node, ast.Call) and len(node.args) <= 2:
        yield from (_put(node, args=new) for new in _one_scaled(node.args, op, factor))
    elif isinstance(node, ast.Tuple):
        yield from (_put(node, elts=new) for new in _one_scaled(node.elts, op, factor))


def _one_scaled(nodes: Sequence[ast.expr], op: ast.operator, factor: ast.expr) -> Iterator[list[ast.expr]]:
    for k, node in enumerate(nodes):
        if not isinstance(node, ast.Tuple | ast.List):  # as a shape, which would grow
            yield [*nodes[:k], ast.BinOp(node, op, factor), *nodes[k + 1 :]]


def _in_index(target: ast.expr, pool: _Pool) -> Iterator[ast.expr]:
    """What is written into, at another place."""
    if isinstance(target, ast.Subscript):
        yield from (_put(target, slice=new) for new in _of_index(target.slice, pool))


def _of_index(index: ast.expr, pool: _Pool) -> Iterator[ast.expr]:
    if not isinstance(index, ast.Slice | ast.Tuple | ast.Constant):
        yield from (ast.BinOp(index, op(), ast.Constant(1)) for op in (ast.Add, ast.Sub))
    yield from _edits(index, pool)


def _edits(node: ast.AST, pool: _Pool) -> Iterator[Any]:
    """An expression with one thing in it otherwise."""
    if isinstance(node, ast.expr):
        yield from _otherwise(node, pool)
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.Call) and field == "func":
            if isinstance(value, ast.Attribute) and ast.unparse(value.value) not in _MODULES:
                yield from (_put(node, func=_put(value, value=new)) for new in _edits(value.value, pool))
        elif isinstance(node, ast.Subscript) and field == "slice":
            yield from (_put(node, slice=new) for new in _of_index(value, pool))
        elif isinstance(value, ast.expr | ast.keyword | ast.comprehension):
            yield from (_put(node, **{field: new}) for new in _edits(value, pool))
        elif isinstance(value, list):
            for k, part in enumerate(value):
                if isinstance(part, ast.expr | ast.keyword | ast.comprehension):
                    yield from (_put(node, **{field: [*value[:k], new, *value[k + 1 :]]}) for new in _edits(part, pool))


_MODULES = ("np", "numpy", "math", "random")


def _otherwise(node: ast.expr, pool: _Pool) -> Iterator[ast.expr]:
    """What may have been meant by an expression."""
    match node:
        case ast.BinOp(left, op, right):
            yield from (_put(node, op=other()) for other in _OTHER.get(type(op), ()))
            if isinstance(op, ast.Sub | ast.Div | ast.MatMult):
                yield _put(node, left=right, right=left)
            yield left
            yield from [right] if isinstance(op, ast.Add | ast.Mult) else []
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield operand
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            numbers = dict.fromkeys([value + 1, value - 1, 2 * value, value / 2])
            yield from (_put(node, value=number) for number in numbers if number != value)
        case ast.Constant(value) if isinstance(value, str):
            yield from (_put(node, value=text) for text in pool.texts if text != value)
        case ast.Name() | ast.Attribute(value=ast.Name("self")) if (text := ast.unparse(node)) in pool.names:
            yield from (_parsed(name) for name in pool.names if name != text)
        case ast.Attribute(value, "T"):
            yield value
        case ast.Compare(ops=[op]):
            yield from (_put(node, ops=[other()]) for other in _COMPARED if not isinstance(op, other))
        case ast.Call():
            yield from _of_call(node, pool)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp):
        if not (isinstance(node, ast.Attribute) and node.attr == "T"):
            yield ast.Attribute(node, "T", ast.Load())
        if not isinstance(node, ast.BinOp):
            yield ast.UnaryOp(ast.USub(), node)
            yield ast.BinOp(node, ast.Pow(), ast.Constant(2))


def _of_call(node: ast.Call, pool: _Pool) -> Iterator[ast.expr]:
    match node.func:
        case ast.Attribute(_, attr) if attr in _TWINS:
            yield _put(node, func=_put(node.func, attr=_TWINS[attr]))
            if attr in ("sum", "mean") and not node.keywords:
                axes = [[ast.keyword("axis", ast.Constant(k))] for k in (0, 1)]
                yield from (_put(node, keywords=axis) for axis in axes)
                yield from (_put(node, keywords=[*axis, ast.keyword("keepdims", ast.Constant(True))]) for axis in axes)
        case func if (text := ast.unparse(func)) in pool.functions:
            yield from (_put(node, func=_parsed(name)) for name in pool.functions if name != text)
    if isinstance(node.func, ast.Name) and node.func.id == "range":
        yield ast.Call(ast.Name("reversed", ast.Load()), [node], [])
    if len(node.args) == 1:
        yield node.args[0]
    elif len(node.args) == 2:
        yield _put(node, args=node.args[::-1])
    yield from (_put(node, keywords=[k for k in node.keywords if k is not one]) for one in node.keywords)
