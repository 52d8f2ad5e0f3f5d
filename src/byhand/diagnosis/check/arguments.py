"""What an argument of somebody's function is for: guessed from its default, and from how it is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Literal, TypeAlias

import numpy as np

Kind: TypeAlias = Literal[
    "array", "count", "size", "sizes", "parts", "rate", "flag", "function", "text", "generator", "unknown"
]  # fmt: skip

CONTEXT = "ctx"
"""What an operation keeps for its way back, where it stands in the place of the object itself."""
EPOCHS = 5
"""So often a count of ours lets something be done."""
_SHAPING = {
    "randn", "rand", "zeros", "ones", "normal", "uniform", "random", "random_sample", "standard_normal", "empty",
    "full", "sqrt", "reshape", "eye",
}  # fmt: skip
_OF_ARRAYS = {"T", "dot", "shape", "reshape", "ndim", "mean", "sum", "copy", "size", "ravel", "flatten", "squeeze"}
_ORDER: tuple[Kind, ...] = ("generator", "sizes", "parts", "size", "count", "array", "function", "rate")
"""Which of several uses decides."""


def kind(
    function: ast.FunctionDef,
    argument: str,
    functions: Mapping[str, ast.FunctionDef],
    scope: ast.AST | None = None,
    depth: int = 3,
) -> Kind:
    """What an argument is for.

    Parameters
    ----------
    function : ast.FunctionDef
    argument : str
    functions : mapping
        The file's own, to which it may be handed on; a constructor under the name of its class.
    scope : ast.AST, optional
        Where it is used: the class of a constructor; the function itself by default.
    depth : int
        How often it may be handed on.
    """
    given = default(function, argument)
    if isinstance(given, ast.Constant) and isinstance(given.value, bool | str):
        return "flag" if isinstance(given.value, bool) else "text"
    names = _aliases(function, argument)
    found = set(_uses(scope or function, names, function.name == "__init__"))
    for call in _calls(scope or function) if depth else ():
        called = functions.get(getattr(call.func, "id", ""))
        taken = own_names(called) if called is not None and called is not function else []
        places = [a for a, given in zip(taken, call.args, strict=False) if ast.unparse(given) in names]
        if called is not None and places:
            found.add(kind(called, places[0], functions, None, depth - 1))
    number: Kind = "rate" if isinstance(given, ast.Constant) and isinstance(given.value, float) else "unknown"
    return next((use for use in _ORDER if use in found), number)


@cache
def _calls(scope: ast.AST) -> list[ast.Call]:
    return [n for n in ast.walk(scope) if isinstance(n, ast.Call)]


@cache
def _above(scope: ast.AST) -> dict[ast.AST, ast.AST]:
    """What each part of a text stands in."""
    return {child: node for node in ast.walk(scope) for child in ast.iter_child_nodes(node)}


@cache
def _uses(scope: ast.AST, names: tuple[str, ...], counts_layers: bool) -> frozenset[Kind]:
    """What the places where one of the names stands make of it."""
    above = _above(scope)
    places = [n for n in above if isinstance(n, ast.Name | ast.Attribute) and ast.unparse(n) in names]
    return frozenset(use for node in places for use in _use(node, above, counts_layers))


def _use(node: ast.AST, above: Mapping[ast.AST, ast.AST], counts_layers: bool) -> Iterator[Kind]:
    parent = above.get(node)
    match parent:
        case ast.Attribute(attr=attr) if attr in _OF_ARRAYS:
            yield "array"
        case ast.Attribute(attr=attr) if hasattr(np.random.Generator, attr):
            yield "generator"
        case ast.Subscript(value=value, slice=ast.Slice()) if value is node and _is_paired(above[parent]):
            yield "sizes"
        case ast.Subscript(value=value, slice=ast.Slice(lower=low, upper=high)) if value is node and counts_layers:
            yield "sizes" if low is None or high is None else "array"
        case ast.Subscript(value=value, slice=ast.Tuple() | ast.Constant(None)) if value is node:
            yield "array"
        case ast.Subscript(value=value, slice=index) if value is node:
            is_size = not isinstance(index, ast.Slice) and _shapes(parent, above)
            yield "sizes" if counts_layers or is_size else "array"
        case ast.Call(func=func) if func is node:
            yield "function"
        case ast.Call(func=ast.Name(id="len")):
            yield "sizes" if counts_layers else "array"
        case ast.BinOp(op=ast.MatMult()):
            yield "array"
        case ast.BinOp(op=ast.Mod(), right=right) if right is node:
            yield "parts" if _is_asked_for(parent, above) else "count"
    arithmetic = _outermost(node, above)
    match above.get(arithmetic):
        case ast.Slice():
            yield "size"
        case ast.Call(func=func, args=args, keywords=keywords) if arithmetic in (*args, *keywords):
            name = getattr(func, "attr", getattr(func, "id", ""))
            if name == "range":
                yield "count"
            elif name == "reshape" and args and arithmetic is args[0] and _is_of_module(func):
                yield "array"
            elif _shapes(node, above):
                yield "size"
            elif arithmetic is node and isinstance(func, ast.Attribute):
                yield "array"
        case ast.Compare() if isinstance(above.get(above[arithmetic]), ast.While):
            yield "count"
        case ast.For(iter=iterated) if iterated is node:
            yield "array"
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult | ast.Div):
        yield "rate"
    elif isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Sub | ast.Pow):
        yield "rate" if counts_layers and isinstance(parent.left, ast.Constant) else "array"


def _is_asked_for(rest: ast.AST, above: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether it is an error that something is divided with a rest, or without."""
    statement = rest
    while not isinstance(statement, ast.stmt):
        statement = above[statement]
    return isinstance(statement, ast.Assert) or (
        isinstance(statement, ast.If) and isinstance(statement.body[0], ast.Raise)
    )


def _is_paired(node: ast.AST) -> bool:
    """Whether something goes through pairs of neighbours, as sizes of layers are gone through."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != "zip" or len(node.args) != 2:
        return False
    first, second = (ast.unparse(a) for a in node.args)
    return first.removesuffix("[:-1]") == second.removesuffix("[1:]") and second.endswith("[1:]")


def _outermost(node: ast.AST, above: Mapping[ast.AST, ast.AST]) -> ast.AST:
    """The arithmetic, or the list of numbers, that something stands in."""
    while isinstance(above.get(node), ast.BinOp | ast.Tuple | ast.List | ast.keyword):
        node = above[node]
    return node


def _shapes(node: ast.AST, above: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether it says how large an array is to be."""
    call = above.get(_outermost(node, above))
    return isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in _SHAPING


def _is_of_module(func: ast.expr) -> bool:
    """Whether it is a function that takes the array, and no method of it."""
    return isinstance(func, ast.Name) or ast.unparse(func) in ("np.reshape", "numpy.reshape")


@cache
def _aliases(function: ast.FunctionDef, argument: str) -> tuple[str, ...]:
    """The argument, and what keeps it."""
    pairs = [(n.targets[0], n.value) for n in ast.walk(function) if isinstance(n, ast.Assign)]
    both = [(t.elts, v.elts) for t, v in pairs if isinstance(t, ast.Tuple) and isinstance(v, ast.Tuple)]
    pairs += [pair for targets, values in both for pair in zip(targets, values, strict=False)]
    return (argument, *(ast.unparse(t) for t, v in pairs if isinstance(v, ast.Name) and v.id == argument))


def default(function: ast.FunctionDef, argument: str) -> ast.expr | None:
    """The default value of an argument, as it is written."""
    every = [*function.args.posonlyargs, *function.args.args]
    pairs = [
        *zip(reversed(every), reversed(function.args.defaults), strict=False),
        *zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True),
    ]
    return next((value for a, value in pairs if a.arg == argument), None)


def is_left_out(function: ast.FunctionDef, argument: str, functions: Mapping[str, ast.FunctionDef]) -> bool:
    """Whether a number is 0 by default, or something that only multiplies is nothing: a penalty's weight."""
    given = default(function, argument)
    if not isinstance(given, ast.Constant):
        return False
    is_zero = type(given.value) in (int, float) and given.value == 0
    return is_zero or (given.value is None and kind(function, argument, functions) == "rate")


def own_names(function: ast.FunctionDef) -> list[str]:
    """The names of the arguments, but for the object itself."""
    return [a.arg for a in function.args.args if a.arg not in ("self", "cls", CONTEXT)]


@cache
def returned_names(function: ast.FunctionDef) -> list[str]:
    """What a function calls the things that it returns; empty when one of them has no name."""
    returned = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    last = max(returned, key=lambda n: n.lineno, default=ast.Return()).value
    parts = list(last.elts) if isinstance(last, ast.Tuple) else [last]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    return names if len(names) == len(parts) else []


def called_with(
    functions: Mapping[str, ast.FunctionDef],
    function: ast.FunctionDef,
    scope: ast.AST | None,
    outputs: int,
    arrays: Sequence[str] = (),
    hidden: Sequence[int] = (5,),
) -> str | None:
    """The text of a call's arguments; None when it takes what we cannot give.

    Parameters
    ----------
    functions : mapping
        The file's own.
    function : ast.FunctionDef
    scope : ast.AST or None
        Where its arguments are used, when that is not the function itself: the class of a constructor.
    outputs : int
    arrays : sequence of str
        Taken in order.
    hidden : sequence of int
        Sizes of hidden layers, where a list of sizes is taken; there are always 4 inputs.
    """
    kinds = {name: kind(function, name, functions, scope) for name in own_names(function)}
    size = 8 if "parts" in kinds.values() else 5
    sizes = [size] if list(kinds.values()).count("size") == 1 else [4, size, outputs]
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
            known = {
                "sizes": str([4, *hidden, outputs]),
                "parts": "2",
                "flag": "False",
                "generator": "np_.random.default_rng(0)",
            }
            value = known.get(what, "0.05")
        given.append(f"{name}={value}")
    return ", ".join(given)
