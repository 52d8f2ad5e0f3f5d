"""What a line may have been meant to be: a statement with one thing in it otherwise.

A mistake is mostly one expression that is put otherwise than it was meant: a sign, a name, an index, a factor. What is
made here is a guess about a text; whoever takes one runs it first.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
_ALONG = ("sum", "mean", "max")
_ACTIVATION = r"(?i)(^|\.)(tanh|sigmo?id\w{0,2}|relu|soft_?plus)$"
_SLOPES = ("({0} > 0)", "(1 - {0}**2)", "(1 - {0})")
_OF_SHARES = "{0} * (1 - {0})"
"""What an activation's slope may be; of shares the derivative of a loss is divided by it, too."""


@dataclass(frozen=True)
class Pool:
    """What may stand in the place of something else, and the shapes of names."""

    names: Sequence[str]
    """Variables, and what an object holds: self.x."""
    texts: Sequence[str]
    functions: Sequence[str]
    """What may be called in the place of another one."""
    activations: Sequence[str]
    """What gives a number for each number."""
    shapes: Mapping[str, tuple[int, ...]]


def pool_of(function: ast.AST, functions: Sequence[str], shapes: Mapping[str, tuple[int, ...]]) -> Pool:
    """What a function, or a whole text, computes and holds, and what it may call."""
    inside = list(ast.walk(function))
    names = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.arg for n in inside if isinstance(n, ast.arg)} - {"self"}
    called = {ast.unparse(n.func) for n in inside if isinstance(n, ast.Call)}
    held = {ast.unparse(n) for n in inside if isinstance(n, ast.Attribute)} - called
    names |= {a for a in held if re.fullmatch(r"self\.\w+", a)}
    keys = {n.slice.value for n in inside if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)}
    texts = sorted(k for k in keys if isinstance(k, str))
    own = {a for a in called if re.fullmatch(r"self\.\w+", a)}
    activations = sorted(f for f in {*called, *functions} if re.search(_ACTIVATION, f))
    return Pool(sorted(names), texts, sorted({*functions, *own} - {"self.__init__"}), activations, shapes)


def put_otherwise(s: ast.stmt, pool: Pool) -> Iterator[list[ast.stmt]]:
    """A statement with one thing in it otherwise."""
    for field in ("value", "test", "iter"):
        if isinstance(part := getattr(s, field, None), ast.expr):
            yield from ([put(s, **{field: new})] for new in _edits(part, pool))
    if isinstance(s, ast.Assign) and len(s.targets) == 1:
        yield from ([put(s, targets=[new])] for new in _in_index(s.targets[0], pool))
        if isinstance(target := s.targets[0], ast.Name | ast.Attribute | ast.Subscript):
            yield [ast.AugAssign(target, ast.Add(), s.value)]
    elif isinstance(s, ast.AugAssign):
        yield from ([put(s, op=other())] for other in _OTHER.get(type(s.op), ()))
        yield from ([put(s, target=new)] for new in _in_index(s.target, pool))
        yield [ast.Assign([s.target], s.value)]
    elif isinstance(s, ast.If):
        yield s.body
        yield s.orelse or [ast.Pass()]
    if isinstance(s, ast.Assign | ast.AugAssign | ast.Expr):
        yield [ast.Pass()]


def multiplied(s: ast.stmt, pool: Pool) -> Iterator[list[ast.stmt]]:
    """A statement with a number as a factor more, or with another array as a summand."""
    numbers = [n for n in pool.names if pool.shapes.get(n) == ()]
    yield from _with_factors(s, pool, ["2", *numbers])
    if isinstance(s, ast.Assign | ast.AugAssign | ast.Return) and s.value is not None:
        for n in pool.names:
            if _fits(s, pool, n):
                yield from ([put(s, value=ast.BinOp(s.value, op(), _parsed(n)))] for op in (ast.Add, ast.Sub))


def weighed(s: ast.stmt, pool: Pool) -> Iterator[list[ast.stmt]]:
    """A statement with an array as a factor more, one added to what a function is given, or an activation of one."""
    yield from _with_factors(s, pool, _arrays(s, pool), _BY[:1])
    if isinstance(s, ast.Assign | ast.Return) and isinstance(call := s.value, ast.Call):
        summands = [_parsed(n) for n in pool.names if pool.shapes.get(n, ()) != ()]
        added = (new for summand in summands for new in _one_scaled(call.args, ast.Add(), summand))
        yield from ([put(s, value=put(call, args=new))] for new in added)
    yield from _activated(s, pool)


def _arrays(s: ast.stmt, pool: Pool) -> list[str]:
    return [n for n in pool.names if pool.shapes.get(n) != () and _fits(s, pool, n)]


def put_in(s: ast.stmt, pool: Pool) -> Iterator[list[ast.stmt]]:
    """A statement divided by an array, or times an activation's slope, or the number of samples.

    Or with a summand that leaves out the first of what it is made of, as a penalty does that spares the bias.
    """
    yield from _but_the_first(s, pool)
    arrays = _arrays(s, pool)
    yield from _with_factors(s, pool, arrays, _BY[1:])
    yield from _with_factors(s, pool, [_OF_SHARES.format(n) for n in arrays])
    yield from _with_factors(s, pool, [p.format(n) for n in arrays for p in _SLOPES], _BY[:1])
    yield from _with_factors(
        s, pool, [f"{n}.shape[{k}]" for n, shape in pool.shapes.items() for k in range(len(shape))]
    )


CHANGES = (put_otherwise, multiplied, weighed, put_in)
"""In what ways a statement may be meant otherwise, the likeliest first."""


def _activated(s: ast.stmt, pool: Pool) -> Iterator[list[ast.stmt]]:
    """A statement with an activation of what has a name in its place, once or wherever it stands."""
    if isinstance(s, ast.Assign | ast.AugAssign | ast.Return) and s.value is not None:
        inside = [n.id for n in ast.walk(s.value) if isinstance(n, ast.Name)]
        for name in [n for n in pool.names if n in inside and pool.shapes.get(n) != ()]:
            texts = [f"{f}({name})" for f in pool.activations]
            yield from ([put(s, value=_put_for(s.value, name, text))] for text in texts)
            if inside.count(name) > 1:
                yield from ([put(s, value=new)] for text in texts for new in _one_put_for(s.value, name, text))


def _one_put_for(node: ast.expr, name: str, text: str) -> Iterator[ast.expr]:
    """An expression with another one where a name stands, in one of these places."""
    if isinstance(node, ast.Name) and node.id == name:
        yield _parsed(text)
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.expr):
            yield from (put(node, **{field: new}) for new in _one_put_for(value, name, text))
        for k, part in enumerate(value if isinstance(value, list) else ()):
            if isinstance(part, ast.expr):
                new_parts = ([*value[:k], new, *value[k + 1 :]] for new in _one_put_for(part, name, text))
                yield from (put(node, **{field: parts}) for parts in new_parts)


def _but_the_first(s: ast.stmt, pool: Pool) -> Iterator[list[ast.stmt]]:
    """A statement that adds something made of an array of the same shape, but for the first."""
    match s:
        case ast.Assign([ast.Name() as target], ast.BinOp(before, ast.Add() | ast.Sub() as op, added)):
            first: list[ast.stmt] = [put(s, value=before)]
        case ast.AugAssign(ast.Name() as target, ast.Add() | ast.Sub() as op, added):
            first = []
        case _:
            return
    shape = pool.shapes.get(target.id, ())
    inside = {n.id for n in ast.walk(added) if isinstance(n, ast.Name)}
    for name in [n for n in pool.names if n in inside and shape and pool.shapes.get(n) == shape]:
        others = ast.Subscript(_parsed(target.id), ast.Slice(ast.Constant(1)), ast.Store())
        yield [*first, ast.AugAssign(others, op, _put_for(added, name, f"{name}[1:]"))]


def _put_for(node: Any, name: str, text: str) -> Any:
    """An expression with another one wherever a name stands."""
    if isinstance(node, ast.Name) and node.id == name:
        return _parsed(text)
    if isinstance(node, list):
        return [_put_for(part, name, text) for part in node]
    if isinstance(node, ast.expr | ast.keyword):
        return put(node, **{field: _put_for(value, name, text) for field, value in ast.iter_fields(node)})
    return node


def _fits(s: ast.stmt, pool: Pool, name: str) -> bool:
    """Whether an array can stand beside what a statement gives, as far as that is known."""
    target = s.targets[0] if isinstance(s, ast.Assign) else getattr(s, "target", None)
    shape = pool.shapes.get(target.id) if isinstance(target, ast.Name) else None
    with contextlib.suppress(ValueError):
        return shape is None or np.broadcast_shapes(shape, pool.shapes.get(name, ())) == shape
    return False


_BY: Sequence[tuple[type[ast.operator], str]] = ((ast.Mult, "*"), (ast.Div, "/"))


def _with_factors(
    s: ast.stmt, pool: Pool, texts: Sequence[str], by: Sequence[tuple[type[ast.operator], str]] = _BY
) -> Iterator[list[ast.stmt]]:
    if isinstance(s, ast.Assign | ast.AugAssign | ast.Return) and s.value is not None and not _is_empty(s.value):
        target = s.targets[0] if isinstance(s, ast.Assign) else getattr(s, "target", None)
        for text in texts:
            for op, sign in by:
                yield from ([put(s, value=new)] for new in _scaled(s.value, op(), _parsed(text)))
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
        yield from (put(node, left=new) for new in _scaled(node.left, op, factor))
        yield from (put(node, right=new) for new in _scaled(node.right, op, factor))
    elif isinstance(node, ast.Call) and (len(node.args) <= 2 or ast.unparse(node.func).endswith("where")):
        yield from (put(node, args=new) for new in _one_scaled(node.args, op, factor))
    elif isinstance(node, ast.Tuple):
        yield from (put(node, elts=new) for new in _one_scaled(node.elts, op, factor))


def _one_scaled(nodes: Sequence[ast.expr], op: ast.operator, factor: ast.expr) -> Iterator[list[ast.expr]]:
    for k, node in enumerate(nodes):
        if not isinstance(node, ast.Tuple | ast.List):  # as a shape, which would grow
            yield [*nodes[:k], ast.BinOp(node, op, factor), *nodes[k + 1 :]]


def _in_index(target: ast.expr, pool: Pool) -> Iterator[ast.expr]:
    """What is written into, at another place."""
    if isinstance(target, ast.Subscript):
        yield from (put(target, slice=new) for new in _of_index(target.slice, pool))


def _of_index(index: ast.expr, pool: Pool) -> Iterator[ast.expr]:
    if not isinstance(index, ast.Slice | ast.Tuple | ast.Constant):
        yield from (ast.BinOp(index, op(), ast.Constant(1)) for op in (ast.Add, ast.Sub))
    yield from _edits(index, pool)


def _edits(node: ast.AST, pool: Pool) -> Iterator[Any]:
    """An expression with one thing in it otherwise."""
    if isinstance(node, ast.expr):
        yield from _otherwise(node, pool)
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        return  # the number is put otherwise with its sign
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.Call) and field == "func":
            if isinstance(value, ast.Attribute) and ast.unparse(value.value) not in _MODULES:
                yield from (put(node, func=put(value, value=new)) for new in _edits(value.value, pool))
        elif isinstance(node, ast.Subscript) and field == "slice":
            yield from (put(node, slice=new) for new in _of_index(value, pool))
        elif isinstance(value, ast.expr | ast.keyword | ast.comprehension):
            yield from (put(node, **{field: new}) for new in _edits(value, pool))
        elif isinstance(value, list):
            for k, part in enumerate(value):
                if isinstance(part, ast.expr | ast.keyword | ast.comprehension):
                    yield from (put(node, **{field: [*value[:k], new, *value[k + 1 :]]}) for new in _edits(part, pool))


_MODULES = ("np", "numpy", "math", "random")


def _otherwise(node: ast.expr, pool: Pool) -> Iterator[ast.expr]:
    """What may have been meant by an expression."""
    match node:
        case ast.BinOp(left, op, right):
            yield from (put(node, op=other()) for other in _OTHER.get(type(op), ()))
            if isinstance(op, ast.Sub | ast.Div | ast.MatMult):
                yield put(node, left=right, right=left)
            yield left
            yield from [right] if isinstance(op, ast.Add | ast.Mult) else []
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield operand
            if isinstance(operand, ast.Constant) and isinstance(node.op, ast.USub):
                others = (other.value for other in _otherwise(operand, pool) if isinstance(other, ast.Constant))
                yield from (put(node, operand=ast.Constant(n)) if n else ast.Constant(0) for n in others)
        case ast.Constant(int() | float() as value) if not isinstance(value, bool) and 2 * value == int(2 * value):
            numbers = dict.fromkeys([value + 1, value - 1, 2 * value, value / 2])
            yield from (put(node, value=number) for number in numbers if number != value)
        case ast.Constant(value) if isinstance(value, str):
            yield from (put(node, value=text) for text in pool.texts if text != value)
        case ast.Name() | ast.Attribute(value=ast.Name("self")) if (text := ast.unparse(node)) in pool.names:
            yield from (_parsed(name) for name in pool.names if name != text)
        case ast.Attribute(value, "T"):
            yield value
        case ast.Compare(ops=[op]):
            yield from (put(node, ops=[other()]) for other in _COMPARED if not isinstance(op, other))
        case ast.Call():
            yield from _of_call(node, pool)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp):
        if not (isinstance(node, ast.Attribute) and node.attr == "T"):
            yield ast.Attribute(node, "T", ast.Load())
        if not isinstance(node, ast.BinOp):
            yield ast.UnaryOp(ast.USub(), node)
            yield ast.BinOp(node, ast.Pow(), ast.Constant(2))


def _of_call(node: ast.Call, pool: Pool) -> Iterator[ast.expr]:
    match node.func:
        case ast.Attribute(_, attr) if attr in _TWINS or attr in _ALONG:
            if attr in _TWINS:
                yield put(node, func=put(node.func, attr=_TWINS[attr]))
            others = [k for k in node.keywords if k.arg not in ("axis", "keepdims")]
            for axis in (0, 1) if attr in _ALONG else ():
                along = [*others, ast.keyword("axis", ast.Constant(axis))]
                yield put(node, keywords=along)
                yield put(node, keywords=[*along, ast.keyword("keepdims", ast.Constant(True))])
        case func if (text := ast.unparse(func)) in pool.functions:
            yield from (put(node, func=_parsed(name)) for name in pool.functions if name != text)
    if isinstance(node.func, ast.Name) and node.func.id == "range":
        yield ast.Call(ast.Name("reversed", ast.Load()), [node], [])
    if len(node.args) == 1:
        yield node.args[0]
    elif len(node.args) == 2:
        yield put(node, args=node.args[::-1])
    yield from (put(node, keywords=[k for k in node.keywords if k is not one]) for one in node.keywords)


def put(node: Any, **fields: Any) -> Any:
    """A copy of a node with other fields."""
    return ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)), **fields}), node)
