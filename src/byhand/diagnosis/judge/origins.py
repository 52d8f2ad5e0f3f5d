"""Where each number of a value comes from: labels of the data, carried along every move and every function of elements.

Each element of a value has a label: that of the sample (the row of the array) that it was made from, `NEUTRAL` where it
was made from no sample (constants, parameters, statistics over many), `MIXED` where from several.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from byhand.diagnosis.judge.roles import NodeId
from byhand.diagnosis.tape.derive import ELEMENTWISE
from byhand.diagnosis.tape.nodes import Const, Node

Labels = npt.NDArray[np.int64]
Base = Callable[[NodeId], Labels | None]

NEUTRAL, MIXED = -1, -2
_MOST = 3_000_000  # labels of one value; larger ones are not followed
_ROWS = 1 << 32  # labels are numbers of rows, each kind of array (by how many rows it has) with numbers of its own
_REDUCTIONS = {"sum", "mean", "max", "min", "prod", "std", "var", "argmax", "argmin", "norm", "any", "all", "logsumexp"}
_PRODUCTS = {"dot", "matmul"}


def row_of(labels: Labels) -> Labels:
    """The numbers of the rows that labels stand for."""
    return labels % _ROWS


def rows_in(labels: Labels) -> Labels:
    """How many rows the arrays have that labels belong to."""
    return labels // _ROWS


class Origins:
    """The labels of the values of a tape.

    Parameters
    ----------
    nodes : sequence of Node
    neutral : collection of int
        Nodes whose numbers come from no sample: the versions of the parameters.
    base : callable, optional
        Gives the labels of a node where labels begin, else None; by default they begin at the rows of all data.
    axis : int
        Along which the rows lie: 0, or -1 where each sample is a column.
    """

    def __init__(
        self, nodes: Sequence[Node], neutral: Collection[NodeId], base: Base | None = None, *, axis: int = 0
    ) -> None:
        self.nodes, self.neutral = nodes, neutral
        self.base, self.axis = base, axis
        self.known: dict[NodeId, Labels] = {}

    def of(self, t: NodeId) -> Labels:
        """The labels of a node's elements, in its shape."""
        waiting = [t]
        while waiting:
            x = waiting[-1]
            missing = (
                [] if x in self.known or x in self.neutral else [a for a in self._parents(x) if a not in self.known]
            )
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if x not in self.known:
                self.known[x] = self._labels(x)
        return self.known[t]

    def operand(self, a: int | Const) -> Labels:
        """The labels of an operand."""
        return self.of(a) if type(a) is int else np.full(np.shape(a.value), NEUTRAL)  # type: ignore[union-attr]

    def _parents(self, t: NodeId) -> list[NodeId]:
        return [] if self.base is not None and self.base(t) is not None else self.nodes[t].parents()

    def _labels(self, t: NodeId) -> Labels:
        node = self.nodes[t]
        shape = node.value.shape
        if t in self.neutral:
            return _all(NEUTRAL, shape)
        begun = self.base(t) if self.base is not None else None
        if begun is not None:
            return begun
        if node.op in ("leaf", "opaque") and self.base is None:
            return _rows(node, self.axis)
        args = [self.known[a] if type(a) is int else _all(NEUTRAL, np.shape(a.value)) for a in node.args]  # type: ignore[union-attr]
        if sum(x.size for x in args) > _MOST and not (node.op == "getitem" and node.value.size <= _MOST):
            return _all(MIXED, shape)
        try:
            found = self._looked_up(t) if _is_lookup(node) else _carried_on(node, args)
        except (ValueError, IndexError, TypeError, KeyError):
            found = None
        if found is None or found.shape != shape:
            is_neutral = all((x == NEUTRAL).all() for x in args)
            return _all(NEUTRAL if is_neutral else MIXED, shape)
        begins = self._is_joined(node, args) or self._is_repeated(node, args)
        if self.base is None and (begins or (node.op == "stack" and (found == NEUTRAL).all())):
            return _rows(node, self.axis)
        return found

    def _is_repeated(self, node: Node, args: Sequence[Labels]) -> bool:
        """Whether the rows of a short array were written several times, one behind the other: classes, say."""
        is_long = len(args) == 1 and 0 < args[0].ndim == node.value.ndim
        return is_long and node.op == "move" and 1 < args[0].shape[self.axis] < node.value.shape[self.axis]

    def _is_joined(self, node: Node, args: Sequence[Labels]) -> bool:
        """Whether whole arrays were put one behind the other: its rows are others than theirs."""
        if node.op != "move" or len(args) < 2 or any(x.ndim != node.value.ndim or not x.ndim for x in args):
            return False
        lengths = [x.shape[self.axis] for x in args]
        if sum(lengths) != node.value.shape[self.axis]:
            return False
        return all((x == NEUTRAL).all() or np.array_equal(x, _of_rows(x, self.axis)) for x in args)

    def _looked_up(self, t: NodeId) -> Labels | None:
        """Labels of rows that were looked up, or of elements that were chosen: those of the key."""
        node = self.nodes[t]
        key = _key(node)
        found = None if key is None else self.node_of(key, t)
        if key is None or (found is None and self.base is not None):
            return None
        labels = _of_rows(key, 0) if found is None else self.of(found)
        if node.op == "setitem":
            written = np.array(self.known[node.parents()[0]])
            written[node.kw["k"]] = labels
            return written
        before = _axes_before(node, key)
        behind = node.value.ndim - before - key.ndim
        return np.broadcast_to(labels.reshape(*[1] * before, *key.shape, *[1] * behind), node.value.shape)

    def node_of(self, key: npt.NDArray[Any], end: NodeId) -> NodeId | None:
        """The latest value that is equal to a key."""
        alike = self._whole_numbers.get(_mark(key), [])
        before = (t for t in reversed(alike[: bisect_left(alike, end)]) if np.array_equal(self.nodes[t].value, key))
        return next(before, None)

    @cached_property
    def _whole_numbers(self) -> dict[object, list[NodeId]]:
        """Where each array of whole numbers is a value."""
        found: dict[object, list[NodeId]] = defaultdict(list)
        for t, node in enumerate(self.nodes):
            if node.value.dtype.kind in "iu":
                found[_mark(node.value)].append(t)
        return found


def _mark(value: npt.NDArray[Any]) -> object:
    """What two arrays of whole numbers have in common if they are equal."""
    return value.shape, hash(value.astype(np.int64).tobytes())


def _is_lookup(node: Node) -> bool:
    """Whether rows are picked by a key with repetitions: classes, words, a draw with replacement."""
    if node.op == "setitem" and (type(node.args[1]) is int or node.args[0] == node.args[1]):
        return False
    return node.op in ("getitem", "setitem") and _key(node) is not None


def _key(node: Node) -> npt.NDArray[Any] | None:
    """The array of row numbers in a key in which some are repeated."""
    k = node.kw["k"]
    arrays = [x for x in (k if isinstance(k, tuple) else (k,)) if isinstance(x, np.ndarray) and x.dtype.kind in "iu"]
    repeated = [x for x in arrays if x.size > 1 and len(np.unique(x)) < x.size]
    return repeated[0] if repeated else None


def _axes_before(node: Node, key: npt.NDArray[Any]) -> int:
    """How many axes of what was picked lie before those of the key: all for columns that are picked, E[:, y]."""
    parts = node.kw["k"] if isinstance(node.kw["k"], tuple) else (node.kw["k"],)
    at = next(k for k, part in enumerate(parts) if part is key)
    is_first = all(isinstance(part, slice) for part in parts[:at])
    return at if is_first else 0


@lru_cache(maxsize=1000)
def _all(label: int, shape: tuple[int, ...]) -> Labels:
    return np.broadcast_to(np.int64(label), shape)


def _rows(node: Node, axis: int) -> Labels:
    """Labels that begin at an array: a row each, but for numbers that are all the same."""
    value = node.value
    if value.ndim == 0 or value.shape[axis] < 2 or value.size > 50 * _MOST or (value == value.ravel()[0]).all():
        return _all(NEUTRAL, value.shape)
    return _of_rows(value, axis)


def _of_rows(value: npt.NDArray[Any], axis: int) -> Labels:
    rows = value.shape[axis] * _ROWS + np.arange(value.shape[axis])
    return np.broadcast_to(rows.reshape(-1, *[1] * (value.ndim - 1)) if axis == 0 else rows, value.shape)


def _is_plainly_neutral(labels: Labels) -> bool:
    """Whether all labels are one number in memory, the neutral one, as `_all` makes them."""
    return not any(labels.strides) and bool(labels.size) and labels.item(0) == NEUTRAL


def _carried_on(node: Node, args: list[Labels]) -> Labels | None:
    """As `_carried` has it; what is made of neutral values alone, as most is, is neutral."""
    is_neutral = bool(args) and all(map(_is_plainly_neutral, args))
    return _all(NEUTRAL, node.value.shape) if is_neutral else _carried(node, args)


def _carried(node: Node, args: list[Labels]) -> Labels | None:
    """The labels of a result, from those of its operands; None where they can't be told."""
    op, kw = node.op, node.kw
    if op in ("getitem", "item"):
        return np.asarray(args[0][kw["k"]] if op == "getitem" else args[0].item(*kw.get("a", ())))
    if op == "copy":
        return args[0].reshape(node.value.shape)
    if op in ("move", "gather"):
        flat = np.concatenate([*(x.ravel() for x in args), [NEUTRAL]])
        return np.asarray(flat[np.asarray(kw["idx"])])
    if op == "stack":
        return np.concatenate([x.ravel() for x in args]).reshape(node.value.shape)
    if op in ("setitem", "scatter"):
        return _written(op, kw, *args)
    if op == "at":
        return args[0]
    if op in _REDUCTIONS:
        return _reduced(node, args[0])
    if op in _PRODUCTS:
        return _product(node, args[0], args[1])
    if op in ELEMENTWISE or (args and node.value.shape == np.broadcast_shapes(*(x.shape for x in args))):
        return _combined(args)
    return None


def _combined(args: Sequence[Labels]) -> Labels:
    """One label where the labels that are not neutral agree; among rows of several lengths the longest counts."""
    is_of_one_shape = all(x.shape == args[0].shape for x in args)
    told = [x for x in args if not _is_plainly_neutral(x)]
    if is_of_one_shape and len(told) == 1:
        return told[0]  # the others say nothing
    found, *others = args if is_of_one_shape else np.broadcast_arrays(*args)
    for other in others:
        agree, is_neutral = (found == other) | (other == NEUTRAL), found == NEUTRAL
        if agree.all():
            continue
        if (agree | is_neutral).all():
            found = np.where(agree, found, other)
            continue
        known = np.minimum(found, other) >= 0
        more = np.where(rows_in(found) > rows_in(other), found, np.where(rows_in(found) < rows_in(other), other, MIXED))
        found = np.where(agree, found, np.where(is_neutral, other, np.where(known, more, MIXED)))
    return np.asarray(found)


def _written(op: str, kw: dict[str, Any], old: Labels, new: Labels) -> Labels:
    """What is written over brings its labels, if it comes from such rows as the array has."""
    labels = np.array(old)
    where = kw["k"] if op == "setitem" else np.asarray(kw["idx"])
    flat = labels if op == "setitem" else labels.reshape(-1)
    before = flat[where]
    new = np.broadcast_to(new, np.shape(before))
    same = (new >= 0) & ((before < 0) | (new // _ROWS == before // _ROWS))
    flat[where] = np.where(same, new, before)
    return labels


def _reduced(node: Node, labels: Labels) -> Labels:
    """The common label of what is reduced; neutral where it is none."""
    axis, keepdims = node.kw.get("axis"), bool(node.kw.get("keepdims"))
    if axis is None and node.value.size > 1:
        axis = next(k for k in range(labels.ndim) if np.delete(labels.shape, k).tolist() == list(node.value.shape))
    low, high = (f(labels, axis=axis, keepdims=keepdims) for f in (np.min, np.max))
    return np.asarray(np.where(low == high, low, NEUTRAL))


def _product(node: Node, a: Labels, b: Labels) -> Labels:
    """The rows' labels of the left, or the columns' of the right factor."""
    if a.ndim == 0 or b.ndim == 0:
        return _combined([a, b])
    rows = _uniform(a, -1)
    columns = _uniform(b, -2 if b.ndim > 1 else -1)
    if rows.ndim and b.ndim > 1:
        rows = rows[..., None]
    elif b.ndim > 1:
        rows = rows.reshape([1] * max(b.ndim - 1, 1))
    if a.ndim > 1 and b.ndim > 1:
        columns = columns[..., None, :]
    return np.asarray(np.broadcast_to(_combined([rows, columns]), node.value.shape))


def _uniform(labels: Labels, axis: int) -> Labels:
    """The common label along an axis that is summed over, but for a column of ones."""
    high = labels.max(axis=axis, keepdims=True)
    low = np.where(labels == NEUTRAL, high, labels).min(axis=axis, keepdims=True)
    return np.asarray(np.where(low == high, low, NEUTRAL)).squeeze(axis)
