"""Many spellings of NumPy, one word of the vocabulary: what a call says in terms of `derive.RULES`.

Every rearrangement (reshape, transpose, concatenate, pad with zeros …) is the one word ``move``: what goes where is
found by sending numbered elements through the same function.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Any, TypeAlias

import numpy as np

from byhand.diagnosis.tape.derive import ELEMENTWISE, FLAT
from byhand.diagnosis.tape.nodes import Array


@dataclass(slots=True)
class Spelling:
    """What a call says: the operation, its operands, and what else it is told."""

    op: str
    operands: Sequence[Any]
    kw: dict[str, Any]


class Call:
    """A call of a NumPy function or method: its operands with the array itself first, and how to repeat it."""

    __slots__ = ("again", "args", "kw")

    def __init__(self, args: tuple[Any, ...], kw: Mapping[str, Any], again: Callable[..., Any]) -> None:
        self.args, self.kw, self.again = args, kw, again

    def get(self, name: str, position: int, default: Any = None) -> Any:
        """An argument, by its name or its position."""
        return self.args[position] if len(self.args) > position else self.kw.get(name, default)


Spell: TypeAlias = Callable[[str, Call], "Spelling | None"]

WORDS = {
    "true_divide": "divide", "abs": "absolute", "amax": "max", "amin": "min", "concat": "concatenate",
    "around": "round", "round_": "round", "degrees": "rad2deg", "radians": "deg2rad", "power": "power", "pow": "power",
    "permute_dims": "transpose", "acos": "arccos", "asin": "arcsin", "atan": "arctan", "atan2": "arctan2",
    "conjugate": "positive", "conj": "positive", "mod": "remainder", "fmod": "remainder",
    "vecdot": "vecdot",
}  # fmt: skip

BINARY: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any], str]] = {
    "Add": (operator.add, operator.iadd, "add"),
    "Sub": (operator.sub, operator.isub, "subtract"),
    "Mult": (operator.mul, operator.imul, "multiply"),
    "Div": (operator.truediv, operator.itruediv, "divide"),
    "Pow": (operator.pow, operator.ipow, "power"),
    "MatMult": (operator.matmul, operator.imatmul, "matmul"),
    "FloorDiv": (operator.floordiv, operator.ifloordiv, "floor_divide"),
    "Mod": (operator.mod, operator.imod, "remainder"),
    "BitAnd": (operator.and_, operator.iand, "bitwise_and"),
    "BitOr": (operator.or_, operator.ior, "bitwise_or"),
    "BitXor": (operator.xor, operator.ixor, "bitwise_xor"),
    "Gt": (operator.gt, operator.gt, "greater"),
    "Lt": (operator.lt, operator.lt, "less"),
    "GtE": (operator.ge, operator.ge, "greater_equal"),
    "LtE": (operator.le, operator.le, "less_equal"),
    "Eq": (operator.eq, operator.eq, "equal"),
    "NotEq": (operator.ne, operator.ne, "not_equal"),
}  # fmt: skip
UNARY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "USub": (operator.neg, "negative"),
    "UAdd": (operator.pos, "positive"),
    "Invert": (operator.invert, "invert"),
}

MATH = {
    getattr(math, name): word
    for name, word in {
        "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10",
        "log1p": "log1p", "sqrt": "sqrt", "cbrt": "cbrt", "fabs": "absolute", "sin": "sin", "cos": "cos", "tan": "tan",
        "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "sinh": "sinh", "cosh": "cosh",
        "tanh": "tanh", "asinh": "arcsinh", "atanh": "arctanh", "pow": "power", "hypot": "hypot", "erf": "erf",
        "fmod": "remainder", "floor": "floor", "ceil": "ceil",
    }.items()
    if hasattr(math, name)
} | {abs: "absolute", pow: "power", operator.abs: "absolute", operator.neg: "negative", round: "round"}  # fmt: skip
OPERATORS = {
    getattr(operator, name): word
    for name, word in {
        "add": "Add", "sub": "Sub", "mul": "Mult", "truediv": "Div", "pow": "Pow", "matmul": "MatMult", "gt": "Gt",
        "lt": "Lt", "mod": "Mod", "floordiv": "FloorDiv",
    }.items()
}  # fmt: skip

SPELLINGS: dict[str, Spell] = {}


def spelling(*names: str) -> Callable[[Spell], Spell]:
    """How calls of these functions are spelled."""

    def register(function: Spell) -> Spell:
        SPELLINGS.update(dict.fromkeys(names, function))
        return function

    return register


def spell(name: str, call: Call) -> Spelling | None:
    """What a call of a function of that name says; None when there is no word for it."""
    name = WORDS.get(name, name)
    try:
        if name in SPELLINGS:
            return SPELLINGS[name](name, call)
        if name in ELEMENTWISE or name in FLAT:
            return _elementwise(name, call)
    except (ValueError, TypeError, IndexError, AttributeError):
        pass  # a call that fails; it says itself why
    return None


def _elementwise(name: str, call: Call) -> Spelling | None:
    count = len(ELEMENTWISE[name].partials) if name in ELEMENTWISE else len(call.args)
    mask = call.kw.get("where", True)
    kw = {} if mask is True else {"where": np.array(mask)}
    return Spelling(name, call.args[:count], kw)


# Reductions


def axes_of(axis: Any) -> Any:
    """An axis as `derive` takes it."""
    return tuple(int(a) for a in axis) if isinstance(axis, tuple | list) else None if axis is None else int(axis)


@spelling("sum", "mean", "max", "min", "prod", "std", "var")
def _reduction(name: str, call: Call) -> Spelling | None:
    if not {"where", "initial", "correction"}.isdisjoint(call.kw):
        return None
    kw = {"axis": axes_of(call.get("axis", 1)), "keepdims": bool(call.kw.get("keepdims", False))}
    if name in ("std", "var"):
        kw["ddof"] = call.kw.get("ddof", 0)
    return Spelling(name, call.args[:1], kw)


@spelling("average")
def _average(name: str, call: Call) -> Spelling | None:
    return None if call.get("weights", 2) is not None else _reduction("mean", call)


@spelling("cumsum", "cumprod")
def _cumulative(name: str, call: Call) -> Spelling | None:
    return Spelling(name, call.args[:1], {"axis": axes_of(call.get("axis", 1))})


@spelling("diff")
def _diff(name: str, call: Call) -> Spelling | None:
    if call.get("n", 1, 1) != 1 or "prepend" in call.kw or "append" in call.kw:
        return None
    return Spelling(name, call.args[:1], {"axis": axes_of(call.get("axis", 2, -1))})


@spelling("trace")
def _trace(name: str, call: Call) -> Spelling | None:
    return Spelling(name, call.args, {}) if len(call.args) == 1 and not call.kw and np.ndim(call.args[0]) == 2 else None


@spelling("linalg.norm")
def _norm(name: str, call: Call) -> Spelling | None:
    x, order, axis = call.args[0], call.get("ord", 1), call.get("axis", 2)
    dimensions = np.ndim(x) if axis is None else np.size(axis)
    if order not in (None, "fro") and not (order == 2 and dimensions == 1):
        return None
    return Spelling("norm", [x], {"axis": axes_of(axis), "keepdims": bool(call.get("keepdims", 3, False))})


@spelling("special.softmax", "special.log_softmax")
def _softmax(name: str, call: Call) -> Spelling | None:
    return Spelling(name.removeprefix("special."), call.args[:1], {"axis": axes_of(call.get("axis", 1))})


@spelling("special.logsumexp")
def _logsumexp(name: str, call: Call) -> Spelling | None:
    if call.get("b", 2) is not None:
        return None
    return Spelling(
        "logsumexp", call.args[:1], {"axis": axes_of(call.get("axis", 1)), "keepdims": bool(call.get("keepdims", 3))}
    )


# Products


@spelling("dot", "matmul", "inner")
def _matmul(name: str, call: Call) -> Spelling | None:
    a, b = call.args[:2]
    m, n = np.ndim(a), np.ndim(b)
    if (
        name == "matmul"
        or (n <= 2 and m <= 2 and not (name == "inner" and m and n and m + n > 2))
        or (n == 1 and name == "dot")
    ):
        return Spelling(name, [a, b], {})
    left, right = ascii_letters[:m], ascii_letters[m : m + n]
    at = n - 2 if name == "dot" and n > 1 else n - 1
    right = right[:at] + left[-1] + right[at + 1 :]
    return Spelling("einsum", [a, b], {"spec": f"{left},{right}->{left[:-1]}{right[:at]}{right[at + 1 :]}"})


@spelling("vdot")
def _vdot(name: str, call: Call) -> Spelling | None:
    letters = ascii_letters[: np.ndim(call.args[0])]
    return (
        Spelling("einsum", call.args[:2], {"spec": f"{letters},{letters}->"})
        if np.shape(call.args[0]) == np.shape(call.args[1])
        else None
    )


@spelling(
    "outer", "linalg.inv", "linalg.det", "linalg.solve", "special.expit", "special.erf", "special.xlogy", "linalg.outer"
)
def _same(name: str, call: Call) -> Spelling | None:
    return Spelling(name.split(".")[-1], call.args[:2], {})


@spelling("tensordot")
def _tensordot(name: str, call: Call) -> Spelling | None:
    a, b = call.args[:2]
    axes, m, n = call.get("axes", 2, 2), np.ndim(a), np.ndim(b)
    first, second = (range(m - axes, m), range(axes)) if isinstance(axes, int) else map(np.atleast_1d, axes)
    left, right = ascii_letters[:m], list(ascii_letters[m : m + n])
    pairs = [(int(i) % m, int(j) % n) for i, j in zip(first, second, strict=True)]
    for i, j in pairs:
        right[j] = left[i]
    kept = [s for i, s in enumerate(left) if i not in {i for i, _ in pairs}]
    kept += [s for j, s in enumerate(right) if j not in {j for _, j in pairs}]
    return Spelling("einsum", [a, b], {"spec": f"{left},{''.join(right)}->{''.join(kept)}"})


@spelling("vecdot")
def _vecdot(name: str, call: Call) -> Spelling | None:
    return (
        Spelling("einsum", call.args[:2], {"spec": "a,a->"})
        if np.ndim(call.args[0]) == np.ndim(call.args[1]) == 1
        else None
    )


@spelling("einsum")
def _einsum(name: str, call: Call) -> Spelling | None:
    spec, operands = call.args[0], call.args[1:]
    if not isinstance(spec, str):
        return None
    inputs, arrow, output = spec.replace(" ", "").partition("->")
    free = [letter for letter in ascii_letters if letter not in spec]
    subscripts = []
    widest = 0
    for term, a in zip(inputs.split(","), operands, strict=True):
        count = np.ndim(a) - len(term.replace("...", "")) if "..." in term else 0
        widest = max(widest, count)
        subscripts.append(term.replace("...", "".join(free[:count][::-1])))
    rest = "".join(free[:widest][::-1])
    if not arrow:
        letters = inputs.replace(",", "").replace(".", "")
        output = ("..." if "..." in inputs else "") + "".join(sorted(s for s in set(letters) if letters.count(s) == 1))
    sizes: dict[str, int] = {}
    for term, a in zip(subscripts, operands, strict=True):
        if any(sizes.setdefault(s, size) != size for s, size in zip(term, np.shape(a), strict=True)):
            return None  # a stretched axis
    return Spelling("einsum", operands, {"spec": ",".join(subscripts) + "->" + output.replace("...", rest)})


@spelling(
    "convolve", "correlate", "signal.convolve", "signal.convolve2d", "signal.correlate", "signal.correlate2d",
)  # fmt: skip
def _convolve(name: str, call: Call) -> Spelling | None:
    a, b = call.args[:2]
    mode = call.get("mode", 2, "valid" if name == "correlate" else "full")
    is_turned = "correlate" in name
    is_off_the_middle = mode == "same" and is_turned and any(n % 2 == 0 for n in np.shape(b))
    is_filled = name.endswith("2d") and (call.get("boundary", 3, "fill") != "fill" or call.get("fillvalue", 4, 0) != 0)
    if is_off_the_middle or is_filled:
        return None
    return Spelling("convolve", (a, b), {"is_turned": is_turned})


# Choices


@spelling("clip")
def _clip(name: str, call: Call) -> Spelling | None:
    low = call.get("a_min", 1, call.kw.get("min"))
    return Spelling(name, [call.args[0], low, call.get("a_max", 2, call.kw.get("max"))], {})


@spelling("where")
def _where(name: str, call: Call) -> Spelling | None:
    return Spelling(name, call.args, {}) if len(call.args) == 3 else None


@spelling("copy", "astype", "real", "array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")
def _copy(name: str, call: Call) -> Spelling | None:
    return Spelling("copy", call.args[:1], {})


@spelling("item")
def _item(name: str, call: Call) -> Spelling | None:
    return Spelling("item", call.args[:1], {"a": tuple(call.args[1:])})


@spelling("round", "fix")
def _flat(name: str, call: Call) -> Spelling | None:
    return Spelling(name, call.args[:1], {})


@spelling("argmax", "argmin", "argsort", "any", "all")
def _flat_along(name: str, call: Call) -> Spelling | None:
    kw = {"axis": axes_of(call.get("axis", 1, -1 if name == "argsort" else None))}
    return Spelling(name, call.args[:1], {**kw, "keepdims": True} if call.kw.get("keepdims") else kw)


# Rearrangements


def moved(
    parts: Sequence[Any], again: Callable[[list[Array]], Any], values: Sequence[Any] | None = None
) -> Spelling | None:
    """The operation that rearranges the elements of the parts as `again` does."""
    numbers, count = [], 0
    for part in parts:
        size = np.size(part)
        numbers.append(np.arange(count + 1, count + 1 + size).reshape(np.shape(part)))
        count += size
    result = again(numbers)
    if not isinstance(result, np.ndarray) or result.dtype.kind not in "iu":
        return None
    return Spelling("move", values or parts, {"idx": result - 1})


@spelling("full")
def _full(name: str, call: Call) -> Spelling | None:
    return moved([call.get("fill_value", 1)], lambda numbers: call.again(call.args[0], numbers[0]))


@spelling(
    "reshape", "ravel", "flatten", "transpose", "squeeze", "swapaxes", "expand_dims", "atleast_1d", "atleast_2d",
    "atleast_3d", "broadcast_to", "moveaxis", "rollaxis", "flip", "fliplr", "flipud", "rot90", "roll", "tile", "repeat",
    "diag", "diagflat", "diagonal", "resize", "delete", "take", "triu", "tril", "take_along_axis", "matrix_transpose",
    "sliding_window_view", "as_strided", "trim_zeros",
)  # fmt: skip
def _one(name: str, call: Call) -> Spelling | None:
    return moved(call.args[:1], lambda numbers: call.again(numbers[0], *call.args[1:]))


@spelling("pad")
def _pad(name: str, call: Call) -> Spelling | None:
    mode = call.get("mode", 2, "constant")
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap") or np.any(call.kw.get("constant_values", 0)):
        return None
    return _one(name, call)


@spelling("concatenate", "hstack", "vstack", "dstack", "column_stack", "stack", "row_stack")
def _several(name: str, call: Call) -> Spelling | None:
    parts = list(call.args[0])
    return moved(parts, lambda numbers: call.again(numbers, *call.args[1:]))


@spelling("block")
def _block(name: str, call: Call) -> Spelling | None:
    rows = call.args[0]
    parts = [part for row in rows for part in (row if isinstance(row, list) else [row])]

    def again(numbers: list[Array]) -> Any:
        left = iter(numbers)
        return call.again([[next(left) for _ in row] if isinstance(row, list) else next(left) for row in rows])

    return moved(parts, again)


@spelling("compress")
def _compress(name: str, call: Call) -> Spelling | None:
    return moved(call.args[1:2], lambda numbers: call.again(call.args[0], numbers[0], *call.args[2:]))


@spelling("append")
def _append(name: str, call: Call) -> Spelling | None:
    return moved(call.args[:2], lambda numbers: call.again(*numbers, *call.args[2:]))


@spelling("insert")
def _insert(name: str, call: Call) -> Spelling | None:
    where = call.args[1]
    return moved([call.args[0], call.args[2]], lambda n: call.again(n[0], where, n[1], *call.args[3:]))


@spelling("sort")
def _sort(name: str, call: Call) -> Spelling | None:
    axis = call.get("axis", 1, -1)
    order = np.argsort(call.args[0], axis=axis, kind="stable")
    return moved(
        call.args[:1],
        lambda n: np.take_along_axis(
            n[0].ravel() if axis is None else n[0], order, axis or 0 if axis is None else axis
        ),
    )
