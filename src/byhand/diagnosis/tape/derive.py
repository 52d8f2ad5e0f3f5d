"""Each operation beside its derivative, and the sweep that goes back through a tape.

A rule is given the cotangent g of the result (∂loss/∂result, of the result's shape), the result v, what else the
operation was told, and its operands; it gives the cotangent of each operand, None where no derivative flows. What has
no rule raises `Unknown`: it never counts as zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from byhand.diagnosis.tape.nodes import Array, Const, Node, Slope

Cotangents: TypeAlias = "list[Array | None]"
Rule: TypeAlias = Callable[..., Cotangents]
Override: TypeAlias = Callable[[Array], "list[tuple[int, Array]]"]

_FLOAT = np.dtype(float)
KEPT = 10_000  # numbers whose slopes are kept for the next sweep: of larger arrays they would take much room
GUARD = 1e-5  # a constant up to this, added before a logarithm or a division, is no part of what is meant


class Unknown(Exception):
    """An operation that has no rule."""


@dataclass(frozen=True)
class Elementwise:
    """A function of numbers, and its partial derivative by each operand, given the operands and the result."""

    function: Callable[..., Any]
    partials: tuple[Callable[..., Any] | None, ...]


ELEMENTWISE: dict[str, Elementwise] = {}
RULES: dict[str, Rule] = {}


def _elementwise(op: str, function: Callable[..., Any], *partials: Callable[..., Any] | None) -> None:
    ELEMENTWISE[op] = Elementwise(function, partials)


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """The derivative of these operations."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register


# Elementwise: f(a), f(a, b), and ∂f/∂a, ∂f/∂b from (a, b, v)


def _sigmoid(a: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(a, dtype=float)))


def _erf(a: Array) -> Any:
    return np.vectorize(math.erf, otypes=[float])(a)


def _xlogy(a: Array, b: Array) -> Array:
    return np.where(a == 0, 0.0, a * np.log(np.where(a == 0, 1.0, b)))


def _clip(a: Array, low: Array | None = None, high: Array | None = None) -> Array:
    return np.clip(a, low, high)


def _inside(a: Array, low: Any, high: Any, v: Array) -> Array:
    above = True if low is None else a > low
    return np.asarray(above & (True if high is None else a < high), dtype=float)


_elementwise("negative", np.negative, lambda a, v: -1.0)
_elementwise("positive", np.positive, lambda a, v: 1.0)
_elementwise("copy", np.asarray, lambda a, v: 1.0)
_elementwise("square", np.square, lambda a, v: 2 * a)
_elementwise("reciprocal", np.reciprocal, lambda a, v: -v * v)
_elementwise("sqrt", np.sqrt, lambda a, v: 0.5 / np.sqrt(a))
_elementwise("cbrt", np.cbrt, lambda a, v: 1 / (3 * v * v))
_elementwise("absolute", np.absolute, lambda a, v: np.sign(a))
_elementwise("fabs", np.fabs, lambda a, v: np.sign(a))
_elementwise("exp", np.exp, lambda a, v: v)
_elementwise("exp2", np.exp2, lambda a, v: v * np.log(2))
_elementwise("expm1", np.expm1, lambda a, v: np.exp(a))
_elementwise("log", np.log, lambda a, v: 1 / a)
_elementwise("log2", np.log2, lambda a, v: 1 / (a * np.log(2)))
_elementwise("log10", np.log10, lambda a, v: 1 / (a * np.log(10)))
_elementwise("log1p", np.log1p, lambda a, v: 1 / (1 + a))
_elementwise("sin", np.sin, lambda a, v: np.cos(a))
_elementwise("cos", np.cos, lambda a, v: -np.sin(a))
_elementwise("tan", np.tan, lambda a, v: 1 + v * v)
_elementwise("arcsin", np.arcsin, lambda a, v: 1 / np.sqrt(1 - a * a))
_elementwise("arccos", np.arccos, lambda a, v: -1 / np.sqrt(1 - a * a))
_elementwise("arctan", np.arctan, lambda a, v: 1 / (1 + a * a))
_elementwise("sinh", np.sinh, lambda a, v: np.cosh(a))
_elementwise("cosh", np.cosh, lambda a, v: np.sinh(a))
_elementwise("tanh", np.tanh, lambda a, v: 1 - v * v)
_elementwise("arcsinh", np.arcsinh, lambda a, v: 1 / np.sqrt(a * a + 1))
_elementwise("arctanh", np.arctanh, lambda a, v: 1 / (1 - a * a))
_elementwise("sinc", np.sinc, lambda a, v: np.where(a == 0, 0.0, (np.cos(np.pi * a) - v) / np.where(a == 0, 1.0, a)))
_elementwise("expit", _sigmoid, lambda a, v: v * (1 - v))
_elementwise("erf", _erf, lambda a, v: 2 / np.sqrt(np.pi) * np.exp(-a * a))
_elementwise("nan_to_num", np.nan_to_num, lambda a, v: np.isfinite(a) * 1.0)
_elementwise("deg2rad", np.deg2rad, lambda a, v: np.pi / 180)
_elementwise("rad2deg", np.rad2deg, lambda a, v: 180 / np.pi)
_elementwise("add", np.add, lambda a, b, v: 1.0, lambda a, b, v: 1.0)
_elementwise("subtract", np.subtract, lambda a, b, v: 1.0, lambda a, b, v: -1.0)
_elementwise("multiply", np.multiply, lambda a, b, v: b, lambda a, b, v: a)
_elementwise("divide", np.divide, lambda a, b, v: 1 / b, lambda a, b, v: -a / (b * b))
_elementwise(
    "power",
    np.power,
    lambda a, b, v: np.where(b == 0, 0.0, b * np.float_power(a, np.where(b == 0, 1.0, b - 1.0))),
    lambda a, b, v: v * np.log(np.where(a > 0, a, 1)),
)
ELEMENTWISE["float_power"] = ELEMENTWISE["power"]
_elementwise("remainder", np.remainder, lambda a, b, v: 1.0, lambda a, b, v: -np.floor(a / b))
_elementwise("maximum", np.maximum, lambda a, b, v: (a > b) * 1.0, lambda a, b, v: (b > a) * 1.0)
_elementwise("minimum", np.minimum, lambda a, b, v: (a < b) * 1.0, lambda a, b, v: (b < a) * 1.0)
ELEMENTWISE["fmax"], ELEMENTWISE["fmin"] = ELEMENTWISE["maximum"], ELEMENTWISE["minimum"]
_elementwise("logaddexp", np.logaddexp, lambda a, b, v: np.exp(a - v), lambda a, b, v: np.exp(b - v))
_elementwise("hypot", np.hypot, lambda a, b, v: a / v, lambda a, b, v: b / v)
_elementwise("arctan2", np.arctan2, lambda a, b, v: b / (a * a + b * b), lambda a, b, v: -a / (a * a + b * b))
_elementwise(
    "xlogy",
    _xlogy,
    lambda a, b, v: np.log(np.where(a == 0, 1.0, b)),
    lambda a, b, v: np.where(a == 0, 0.0, a / b),
)
_elementwise("where", np.where, None, lambda c, a, b, v: (c != 0) * 1.0, lambda c, a, b, v: (c == 0) * 1.0)
_elementwise("clip", _clip, _inside, None, None)

_FLAT = (
    "sign floor ceil trunc fix rint round floor_divide greater less greater_equal less_equal equal not_equal "
    "heaviside logical_not logical_and logical_or logical_xor invert bitwise_and bitwise_or bitwise_xor isnan "
    "isinf isfinite signbit argmax argmin argsort any all"
)
FLAT = frozenset(_FLAT.split())  # constant wherever they have a derivative


# Sums and other reductions


def _spread(x: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Array:
    """The result of a reduction, brought back to the shape of what was reduced."""
    x = np.asarray(x)
    if axis is None:
        return np.broadcast_to(x.reshape((1,) * len(shape)), shape)
    return np.broadcast_to(x if keepdims else np.expand_dims(x, axis), shape)


@rule("sum")
def _sum(g: Array, v: Array, a: Array, *, axis: Any = None, keepdims: bool = False) -> Cotangents:
    return [_spread(g, a.shape, axis, keepdims)]


@rule("mean")
def _mean(g: Array, v: Array, a: Array, *, axis: Any = None, keepdims: bool = False) -> Cotangents:
    return [_spread(g, a.shape, axis, keepdims) * (v.size / a.size)]


@rule("max", "min")
def _max(g: Array, v: Array, a: Array, *, axis: Any = None, keepdims: bool = False) -> Cotangents:
    chosen = a == _spread(v, a.shape, axis, keepdims)
    return [_spread(g, a.shape, axis, keepdims) * chosen / chosen.sum(axis=axis, keepdims=True)]


@rule("prod")
def _prod(g: Array, v: Array, a: Array, *, axis: Any = None, keepdims: bool = False) -> Cotangents:
    zeros = a == 0
    others = np.where(zeros, 1.0, a).prod(axis=axis, keepdims=True) / np.where(zeros, 1.0, a)
    count = zeros.sum(axis=axis, keepdims=True)
    return [_spread(g, a.shape, axis, keepdims) * np.where(count == 0, others, (count == 1) * zeros * others)]


@rule("var")
def _var(g: Array, v: Array, a: Array, *, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Cotangents:
    deviation = a - a.mean(axis=axis, keepdims=True)
    return [_spread(g, a.shape, axis, keepdims) * 2 * deviation / (a.size / v.size - ddof)]


@rule("std")
def _std(g: Array, v: Array, a: Array, *, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Cotangents:
    return _var(g / (2 * v), v, a, axis=axis, keepdims=keepdims, ddof=ddof)


@rule("cumsum")
def _cumsum(g: Array, v: Array, a: Array, *, axis: int | None = None) -> Cotangents:
    along = 0 if axis is None else axis
    return [np.flip(np.cumsum(np.flip(g, along), along), along).reshape(a.shape)]


@rule("cumprod")
def _cumprod(g: Array, v: Array, a: Array, *, axis: int | None = None) -> Cotangents:
    return [_cumsum(g * v, v, a, axis=axis)[0] / a]


@rule("diff")
def _diff(g: Array, v: Array, a: Array, *, axis: int = -1) -> Cotangents:
    edge = np.zeros_like(np.take(g, [0], axis))
    return [np.concatenate([edge, g], axis) - np.concatenate([g, edge], axis)]


@rule("trace")
def _trace(g: Array, v: Array, a: Array) -> Cotangents:
    return [g * np.eye(*a.shape)]


@rule("logsumexp")
def _logsumexp(g: Array, v: Array, a: Array, *, axis: Any = None, keepdims: bool = False) -> Cotangents:
    return [_spread(g, a.shape, axis, keepdims) * np.exp(a - _spread(v, a.shape, axis, keepdims))]


@rule("softmax")
def _softmax(g: Array, v: Array, a: Array, *, axis: Any = None) -> Cotangents:
    return [v * (g - (g * v).sum(axis=axis, keepdims=True))]


@rule("log_softmax")
def _log_softmax(g: Array, v: Array, a: Array, *, axis: Any = None) -> Cotangents:
    return [g - np.exp(v) * g.sum(axis=axis, keepdims=True)]


# Products


@rule("dot", "matmul", "inner")
def _matmul(g: Array, v: Array, a: Array, b: Array) -> Cotangents:
    if a.ndim == b.ndim == 2:
        return [g @ b.T, a.T @ g]  # as below, for what is met most
    if a.ndim == 0 or b.ndim == 0:
        return [unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)]
    rows = a[None, :] if a.ndim == 1 else a  # a vector on the left is a row, on the right a column
    columns = b[:, None] if b.ndim == 1 else b
    g = g[..., None] if b.ndim == 1 else g
    g = g[..., None, :] if a.ndim == 1 else g
    grad_a = unbroadcast(g @ columns.swapaxes(-1, -2), rows.shape)
    grad_b = unbroadcast(rows.swapaxes(-1, -2) @ g, columns.shape)
    return [grad_a.reshape(a.shape), grad_b.reshape(b.shape)]


@rule("outer")
def _outer(g: Array, v: Array, a: Array, b: Array) -> Cotangents:
    return [(g @ b.ravel()).reshape(a.shape), (g.T @ a.ravel()).reshape(b.shape)]


@rule("einsum")
def _einsum(g: Array, v: Array, *operands: Array, spec: str) -> Cotangents:
    inputs, output = spec.split("->")
    subscripts = inputs.split(",")
    return [_einsum_by(g, i, subscripts, output, operands) for i in range(len(operands))]


def _einsum_by(g: Array, i: int, subscripts: list[str], output: str, operands: Sequence[Array]) -> Array:
    mine, shape = subscripts[i], operands[i].shape
    others = [(s, a) for j, (s, a) in enumerate(zip(subscripts, operands, strict=True)) if j != i]
    letters = "".join(dict.fromkeys(mine))
    there = set(output).union(*(s for s, _ in others))
    kept = "".join(letter for letter in letters if letter in there)  # the rest was summed: the same for each
    spec = ",".join([output, *(s for s, _ in others)]) + "->" + kept
    grad = np.einsum(spec, g, *(a for _, a in others))
    sizes = dict(zip(mine, shape, strict=True))
    grad = np.broadcast_to(grad.reshape([sizes[s] if s in kept else 1 for s in letters]), [sizes[s] for s in letters])
    if len(letters) == len(mine):
        return grad
    whole = np.zeros(shape)  # a diagonal was taken
    where = np.indices(grad.shape)
    whole[tuple(where[letters.index(s)] for s in mine)] = grad
    return whole


@rule("convolve")
def _convolve(g: Array, v: Array, a: Array, b: Array, *, is_turned: bool = False) -> Cotangents:
    """Of any number of axes; what is given of the whole, as far as any of both overlap, is its middle."""
    b = np.flip(b) if is_turned else b
    sizes = [m + n - 1 for m, n in zip(a.shape, b.shape, strict=True)]
    whole = np.zeros(sizes)
    starts = [(size - n) // 2 for size, n in zip(sizes, g.shape, strict=True)]
    whole[tuple(slice(start, start + n) for start, n in zip(starts, g.shape, strict=True))] = g
    of_a, of_b = (np.tensordot(sliding_window_view(whole, x.shape), x, axes=x.ndim) for x in (b, a))
    return [of_a, np.flip(of_b) if is_turned else of_b]


# Linear algebra


@rule("norm")
def _norm(g: Array, v: Array, a: Array, *, axis: Any = None, keepdims: bool = False) -> Cotangents:
    return [_spread(g, a.shape, axis, keepdims) * a / _spread(v, a.shape, axis, keepdims)]


@rule("inv")
def _inv(g: Array, v: Array, a: Array) -> Cotangents:
    turned = np.swapaxes(v, -1, -2)
    return [-turned @ g @ turned]


@rule("det")
def _det(g: Array, v: Array, a: Array) -> Cotangents:
    return [(g * v)[..., None, None] * np.swapaxes(np.linalg.inv(a), -1, -2)]


@rule("solve")
def _solve(g: Array, v: Array, a: Array, b: Array) -> Cotangents:
    grad_b = np.linalg.solve(np.swapaxes(a, -1, -2), g)
    return [-np.outer(grad_b, v) if b.ndim == 1 else -grad_b @ np.swapaxes(v, -1, -2), grad_b]


# Elements, views, writes


@rule("getitem")
def _getitem(g: Array, v: Array, a: Array, *, k: Any) -> Cotangents:
    grad = np.zeros(a.shape)
    if _is_basic(k):
        grad[k] = g.reshape(v.shape)
    else:
        np.add.at(grad, k, g.reshape(v.shape))
    return [grad]


def _is_basic(k: Any) -> bool:
    keys = k if isinstance(k, tuple) else (k,)
    return all(isinstance(key, int | np.integer | slice) or key is None or key is Ellipsis for key in keys)


@rule("item")
def _item(g: Array, v: Array, array: Array, *, a: tuple[Any, ...] = ()) -> Cotangents:
    grad = np.zeros(array.size)
    where = a[0] if len(a) == 1 else a
    flat = np.ravel_multi_index(where, array.shape) if isinstance(where, tuple) and where else where or 0
    grad[flat] = g.reshape(())
    return [grad.reshape(array.shape)]


@rule("gather")
def _gather(g: Array, v: Array, a: Array, *, idx: Any, born: object = None) -> Cotangents:
    """A view of the numbers as they are now; it was made (`born`) before they were changed, perhaps."""
    return _move(g, v, a, idx=idx)


@rule("move")
def _move(g: Array, v: Array, *operands: Array, idx: Any) -> Cotangents:
    """Each element of the result is one of the operands' elements, counted through all of them (or, at −1, zero)."""
    flat = np.bincount(np.asarray(idx).ravel() + 1, g.ravel(), sum(a.size for a in operands) + 1)[1:]
    return _split(flat, operands)


@rule("stack")
def _stack(g: Array, v: Array, *operands: Array) -> Cotangents:
    return _split(g.ravel(), operands)


def _split(flat: Array, operands: Sequence[Array]) -> Cotangents:
    ends = np.cumsum([a.size for a in operands])
    return [flat[end - a.size : end].reshape(a.shape) for end, a in zip(ends, operands, strict=True)]


@rule("setitem")
def _setitem(g: Array, v: Array, a: Array, b: Array, *, k: Any) -> Cotangents:
    kept = np.array(g)
    written = kept[k]
    grad_b = unbroadcast(np.array(written), b.shape)
    kept[k] = 0
    return [kept, grad_b]


@rule("scatter")
def _scatter(g: Array, v: Array, a: Array, b: Array, *, idx: Any) -> Cotangents:
    kept = g.reshape(-1).copy()
    written = kept[np.asarray(idx)]
    kept[np.asarray(idx)] = 0
    return [kept.reshape(a.shape), written.reshape(b.shape)]


@rule("at")
def _at(g: Array, v: Array, a: Array, b: Array, *, k: Any, sign: int) -> Cotangents:
    return [g, unbroadcast(sign * g[k], b.shape)]


# Going back


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Array:
    """The cotangent of an operand that was broadcast from `shape`."""
    g = np.asarray(g, dtype=float)
    if g.shape == shape:
        return g
    if g.ndim > len(shape):
        g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1 and g.shape[axis] != 1)
    return g.sum(axis=stretched, keepdims=True) if stretched else g


def operand(nodes: Sequence[Node], a: int | Const) -> Array | None:
    """The value of an operand in float64; None where it is no number."""
    value = nodes[a].value if type(a) is int else a.value  # type: ignore[union-attr]
    if type(value) is np.ndarray and value.dtype == _FLOAT:
        return value  # as nearly all are
    if value is None or isinstance(value, str):
        return None
    try:
        return np.asarray(value, dtype=float)
    except (ValueError, TypeError):
        return None


def vjp(
    nodes: Sequence[Node],
    t: int,
    g: Array,
    subst: Mapping[int, Array] | None = None,
    *,
    guards: bool = True,
    wanted: Collection[int] | None = None,
) -> Cotangents:
    """The cotangents of the operands of a node, in their order; None where no derivative flows.

    Parameters
    ----------
    nodes : sequence of Node
        The tape.
    t : int
        The node.
    g : ndarray
        The cotangent of its result, ∂loss/∂value.
    subst : dict, optional
        Position to the value to use in place of that operand's.
    guards : bool
        Leave a constant of at most 1e-5 away that is added before a logarithm or a division.
    wanted : collection of int, optional
        The only nodes whose cotangents are asked for; a function of numbers gives None for others.

    Raises
    ------
    Unknown
        When the operation has no rule.
    """
    node = nodes[t]
    if node.slopes and not subst and guards in node.slopes:
        return _by_element(g, node, node.slopes[guards], wanted)
    if node.op == "leaf" or node.op in FLAT:
        return [None] * len(node.args)
    for a in (t, *node.parents()):
        if nodes[a].value.dtype.kind == "c":
            raise Unknown(f"{node.op} of complex numbers")
    g = np.asarray(g, dtype=float)
    if node.op in ELEMENTWISE:
        slopes = _slopes(node, _operands(nodes, node, subst, guards))
        if not subst and node.value.size <= KEPT:
            node.slopes = {**(node.slopes or {}), guards: slopes}
        return _by_element(g, node, slopes, wanted)
    values = _operands(nodes, node, subst, guards)
    if node.op not in RULES or any(value is None for value in values):
        raise Unknown(f"{node.op} {node.kw.get('name', '')}".strip())
    return RULES[node.op](g, np.asarray(node.value, dtype=float), *values, **node.kw)


def _operands(nodes: Sequence[Node], node: Node, subst: Mapping[int, Array] | None, guards: bool) -> list[Array | None]:
    values = [operand(nodes, a) for a in node.args]
    if guards and node.op in ("log", "log2", "log10", "divide", "reciprocal"):
        values = [_without_guard(nodes, a, value) for a, value in zip(node.args, values, strict=True)]
    for i, value in (subst or {}).items():
        values[i] = np.asarray(value, dtype=float)
    return values


def _slopes(node: Node, values: list[Array | None]) -> list[Slope | None]:
    """The derivative by each operand, element by element, and the operand's shape; None where there is none."""
    partials = ELEMENTWISE[node.op].partials
    given = [*values, *[None] * (len(partials) - len(values)), np.asarray(node.value, dtype=float)]
    is_finite = math.isfinite(np.add.reduce(node.value, axis=None))
    return [
        None if partial is None or value is None or type(a) is not int else (partial(*given), value.shape, is_finite)
        for a, value, partial in zip(node.args, values, partials, strict=False)
    ]


def _by_element(
    g: Array, node: Node, slopes: Sequence[Slope | None], wanted: Collection[int] | None = None
) -> Cotangents:
    return [
        None if slope is None or (wanted is not None and a not in wanted) else _flow(g, slope, node)
        for a, slope in zip(node.args, slopes, strict=False)
    ]


def _flow(g: Array, slope: Slope, node: Node) -> Array:
    """The cotangent of an operand."""
    by_element, shape, is_finite = slope
    flow, whole = g * by_element, node.value.shape
    if not is_finite:
        # exp(-z) where z is a threshold at -inf is infinite, and counts for nothing
        flow = np.where((g == 0) & np.isinf(node.value), 0.0, flow)
    if "where" in node.kw:
        flow = np.where(node.kw["where"], flow, 0.0)
    if flow.shape != whole:
        flow = np.broadcast_to(flow, np.broadcast_shapes(flow.shape, whole))
    return flow if flow.shape == shape else unbroadcast(flow, shape)


def _without_guard(nodes: Sequence[Node], a: int | Const, value: Array | None) -> Array | None:
    if type(a) is not int or nodes[a].op != "add":
        return value
    args = nodes[a].args
    for one, other in (args, args[::-1]):
        guard = operand(nodes, one)
        if guard is not None and guard.ndim == 0 and 0 < guard.item() <= GUARD and _is_constant(nodes, one):
            return operand(nodes, other)
    return value


def _is_constant(nodes: Sequence[Node], a: int | Const) -> bool:
    """Whether it was written down as a number, and isn't computed or drawn."""
    if type(a) is not int:
        return True
    return nodes[a].op == "leaf" and not nodes[a].is_drawn


REDUCTIONS = {"sum", "mean", "max", "min", "prod", "var", "std", "cumsum", "cumprod", "diff", "trace"}
PRODUCTS = {"dot", "matmul", "inner", "outer"}


def forward(node: Node, args: Sequence[Any]) -> Array:
    """The result of a node's operation at other operands.

    Raises
    ------
    Unknown
        When it is not known how the operation is computed.
    """
    op, kw = node.op, node.kw
    if op in ELEMENTWISE:
        return np.asarray(ELEMENTWISE[op].function(*args))
    if op != "round" and op in FLAT | REDUCTIONS | PRODUCTS and hasattr(np, op):
        return np.asarray(getattr(np, op)(*args, **kw))
    if op == "einsum":
        return np.asarray(np.einsum(kw["spec"], *args))
    first: Array = np.asarray(args[0]) if args else np.zeros(0)
    if op == "getitem":
        return np.asarray(first[kw["k"]])
    if op == "item":
        return np.asarray(first.item(*kw.get("a", ())))
    if op in ("move", "gather"):
        return np.concatenate([*(np.ravel(x) for x in args), [0]])[np.asarray(kw["idx"])]
    if op == "stack":
        return np.concatenate([np.ravel(x) for x in args]).reshape(node.value.shape)
    if op in ("setitem", "scatter"):
        written = np.array(first, dtype=float)
        where = kw["k"] if op == "setitem" else np.asarray(kw["idx"])
        (written if op == "setitem" else written.reshape(-1))[where] = args[1]
        return written
    raise Unknown(op)


def resting(nodes: Sequence[Node], on: Collection[int]) -> set[int]:
    """The nodes that are among `on`, or made from one of them."""
    found: set[int] = set()
    for t in range(min(on, default=len(nodes)), len(nodes)):
        if t in on or not found.isdisjoint(nodes[t].parents()):
            found.add(t)
    return found


def sweep(
    nodes: Sequence[Node],
    seeds: Mapping[int, Any],
    stop: Collection[int],
    override: Mapping[int, Override] | None = None,
    dep: Collection[int] | None = None,
    blocked: set[str] | None = None,
    *,
    guards: bool = True,
) -> dict[int, Array]:
    """Go back from the seeds and add up what arrives at each node.

    Parameters
    ----------
    nodes : sequence of Node
        The tape.
    seeds : dict
        Node to its cotangent, to begin with.
    stop : collection of int
        Where not to go on: the versions of the parameters.
    override : dict, optional
        Node to a function that takes its cotangent and gives ``[(operand, cotangent), …]`` in place of its rule.
    dep : collection of int, optional
        The only nodes to be reached; by default those that rest on `stop` (all of them if it is empty).
    blocked : set, optional
        Receives the names of operations without a rule that lay in the way.
    guards : bool
        As in `vjp`.

    Returns
    -------
    dict
        Node to ∂loss/∂value, for each node that was reached.
    """
    found = {t: np.array(g, dtype=float) for t, g in seeds.items()}
    override = override or {}
    if dep is None and stop:
        dep = resting(nodes, stop if isinstance(stop, set | frozenset | dict) else set(stop))
    for t in range(max(found, default=-1), min(dep, default=0) - 1 if dep is not None else -1, -1):
        if t not in found or t in stop:
            continue
        try:
            cotangents = override[t](found[t]) if t in override else flows(nodes, t, found[t], guards, dep)
        except Unknown as error:
            if blocked is not None:
                blocked.add(str(error))
            continue
        for a, flow in cotangents:
            if dep is None or a in dep:
                found[a] = found[a] + flow if a in found else flow
    return found


def flows(
    nodes: Sequence[Node], t: int, g: Array, guards: bool = True, wanted: Collection[int] | None = None
) -> list[tuple[int, Array]]:
    """What goes back from a node to each operand that is one, as `vjp` gives it."""
    node = nodes[t]
    if node.slopes and guards in node.slopes:  # as `vjp` begins, and nearly all are
        slopes = zip(node.args, node.slopes[guards], strict=False)
        return [(a, _flow(g, s, node)) for a, s in slopes if s is not None and (wanted is None or a in wanted)]  # type: ignore[misc]
    grads = vjp(nodes, t, g, guards=guards, wanted=wanted)
    return [(a, grad) for a, grad in zip(node.args, grads, strict=False) if type(a) is int and grad is not None]
