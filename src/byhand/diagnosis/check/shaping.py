"""Arguments of which nothing is known: each takes the shape that the first thing done with it asks for.

A function is run again and again. Where several shapes would do, one is chosen; where the run then fails, the last
choice is made otherwise. What has run to its end is a guess of what the function may be called with.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import permutations, product
from math import prod
from operator import index
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.check.arguments import Kind
from byhand.diagnosis.check.claims import Array, draw
from byhand.diagnosis.check.defined import File

Shape = tuple[int, ...]
_RUNS, _FEW_RUNS, _ALL_RUNS = 1000, 10, 5000
"""So often a function is run for each layout, for each choice that is made otherwise, and for all layouts."""
_ROOTS, _HEADS = 6, 3
"""So many shapes of the first array are tried, and so many of them of the likeliest number of axes."""
_IMAGE = 6
"""So wide and high an image is."""
MADE = "_made_"
"""How a name ends that stands for what an object is made of."""
_SHORT = 2
"""Names of so many letters that begin alike are those of like arrays: Wf and Wo; of longer ones that is tried first."""
MANY = 5000
"""So many numbers no array of ours holds."""
_LAYOUT = 2
"""The first choices are the layout: how what is added is stretched, and the shape of the first array."""
_STYLES = ("short", "column", "row")
"""How an array that is stretched looks: it lacks axes, or has some of length 1 at the end, or at the beginning."""
_GATES = (4, 3)
"""How many gates may lie in one array."""
_SIZES = (7, 4, 5, 3, 6, 8, 9, 10)
"""Pairwise different, in the order in which they are taken."""
_ANY_RANK = (2, 1, 4, 3)
_EQUAL = (np.equal, np.not_equal)
"""What is asked whether it equals something is a label, or a flag."""
_CLASSES, _FLAGS = 3, 2
_COMPARED, _THRESHOLD = (np.less, np.greater, np.less_equal, np.greater_equal), 0.7
"""What is compared first is a number, as the probability that something is kept."""
_FIRST: dict[int, tuple[Shape, ...]] = {
    2: ((7, 4), (4, 7), (16, 4), (12, 4)),
    1: ((4,),),
    3: ((7, 6, 4), (4, 7, 6), (7, 4, 6)),
    4: ((2, 3, _IMAGE, _IMAGE), (2, _IMAGE, _IMAGE, 3), (5, 3, 4, 2), (4, 2, 3, 5)),
}
"""What the first array may be, by its number of axes."""


class Hint(NamedTuple):
    """What is known of an argument: how many axes it may have, whether it is a size, or flags, or has parts."""

    ranks: Sequence[int] = _ANY_RANK
    is_size: bool = False
    is_label: bool = False
    parts: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    is_index: bool = False


def _gives_indices(scope: ast.AST, argument: str) -> bool:
    """Whether what is taken from an argument, one after the other or by its place, is used as an index."""
    taken: set[str] = set()
    for loop in (n for n in ast.walk(scope) if isinstance(n, ast.For | ast.comprehension)):
        is_zip = isinstance(loop.iter, ast.Call) and ast.unparse(loop.iter.func) == "zip"
        sources = loop.iter.args if isinstance(loop.iter, ast.Call) and is_zip else [loop.iter]
        targets = loop.target.elts if isinstance(loop.target, ast.Tuple) and is_zip else [loop.target]
        taken |= {ast.unparse(t) for t, s in zip(targets, sources, strict=False) if ast.unparse(s) == argument}
    places = [n.slice for n in ast.walk(scope) if isinstance(n, ast.Subscript)]
    used = [e for s in places for e in (s.elts if isinstance(s, ast.Tuple) else [s])]
    parts = [e.value for e in used if isinstance(e, ast.Subscript) and not isinstance(e.slice, ast.Constant)]
    return any(ast.unparse(e) in taken for e in used) or any(ast.unparse(e) == argument for e in parts)


def hint(file: File, scope: ast.AST, argument: str, what: Kind) -> Hint:
    """What a text says of an argument."""
    is_label = argument in _asked(file) or re.search("(?i)mask", argument) is not None
    asked = tuple(asked_texts(file).get(argument, ()))
    if _gives_indices(scope, argument):
        return Hint([1], is_index=True)
    return Hint(_ranks(scope, argument), what == "size", is_label, tuple(parts_of(scope, argument)), asked)


def parts_of(scope: ast.AST, argument: str) -> list[str]:
    """What an argument is taken apart into."""
    for n in ast.walk(scope):
        if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Tuple) and ast.unparse(n.value) == argument:
            return [ast.unparse(e) for e in n.targets[0].elts]
    return []


@cache
def _asked(file: File) -> set[str]:
    """The names of arguments that are asked somewhere in the file whether they equal a whole number."""
    nodes = [n for f in file.every.values() for n in ast.walk(f) if isinstance(n, ast.Compare)]
    asked = [n.left for n in nodes if isinstance(n.ops[0], ast.Eq | ast.NotEq) and _is_whole(n.comparators[0])]
    return {
        n.id for left in asked if isinstance(n := left.value if isinstance(left, ast.Subscript) else left, ast.Name)
    }


@cache
def asked_texts(file: File) -> dict[str, dict[str, None]]:
    """The names of arguments that are compared somewhere in the file with texts, and these."""
    found: dict[str, dict[str, None]] = {}
    for n in (n for f in file.every.values() for n in ast.walk(f) if isinstance(n, ast.Compare)):
        for of, other in permutations([n.left, *n.comparators], 2):
            if isinstance(of, ast.Name) and isinstance(other, ast.Constant) and isinstance(other.value, str):
                found.setdefault(of.id, {})[other.value] = None
    return found


def _is_whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


class _IsLabel(Exception):
    """An argument is used as an index."""


class _Search:
    """The choices of one run, and those of the next."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.path: list[int] = []
        self.count = 0
        self.known = list(sizes)
        self.labels: dict[str, int] = {}
        """The arguments that are used as indices, or asked what they are, and how many classes they hold."""
        self.texts: dict[str, Sequence[str]] = {}
        """What arguments are compared with that are texts."""

    def begin(self) -> None:
        """Begin a run."""
        self.at = 0
        self.count += 1
        self.widths: list[int] = []
        self.sizes = list(self.known)
        self.alike: dict[str, list[Shape]] = {}
        self.is_single = False
        self.read: list[str] = []
        self.style = self.choose(_STYLES)

    def next(self, kept: int) -> bool:
        """Make the last choice otherwise, but for the first ones; whether there is another one."""
        self.path = self.path[: len(self.widths)]
        while len(self.path) > kept and self.path[-1] + 1 >= self.widths[len(self.path) - 1]:
            self.path.pop()
        if len(self.path) > kept:
            self.path[-1] += 1
        return len(self.path) > kept

    def choose(self, options: Sequence[Any]) -> Any:
        """One of the options: the first, unless it has failed."""
        if not options:
            raise ValueError(options)
        if len(options) == 1:
            return options[0]
        if self.at == len(self.path):
            self.path.append(0)
        self.widths.append(len(options))
        self.at += 1
        return options[self.path[self.at - 1]]

    def shape(self, name: str, options: Sequence[Shape]) -> Shape:
        """One of some different shapes for an array; that of one of a like name, if it would do."""
        like = [shape for shape in self.alike.get(name[:1].lower(), []) if shape in options]
        is_same = bool(like) and len(name.strip("_")) <= _SHORT
        shape: Shape = like[0] if is_same else self.choose(list(dict.fromkeys([*like, *options])) if like else options)
        self.is_single = len(shape) == 1 if not self.sizes else self.is_single
        self.sizes += [n for n in dict.fromkeys(shape) if n > 1 and n not in self.sizes]
        self.alike.setdefault(name[:1].lower(), []).append(shape)
        return shape

    @property
    def new(self) -> list[int]:
        """The sizes that nothing has yet."""
        return _new(self.sizes)

    def free(self, ranks: Sequence[int], axes: Mapping[int, int]) -> Sequence[Shape]:
        """What an array may be of which only the number of axes is known: at first one of each number."""
        return _free(tuple(self.sizes), tuple(ranks), tuple(axes.items()))

    def size(self, *, is_known: bool) -> int:
        """A size: one that something has, or, at first, a new one."""
        new = self.new[:1]
        size = int(self.choose([*self.sizes, *new] if is_known else [*new, *self.sizes]))
        self.sizes += [size] * (size not in self.sizes)
        return size

    def summed(self, letters: str, known: Mapping[str, int]) -> list[Shape]:
        """What an array of a sum may be whose axes have letters."""
        every = [[known[one]] if one in known else [*self.new[k : k + 1], *self.sizes] for k, one in enumerate(letters)]
        return [tuple(s) for s in product(*every)]

    def reshaped(self, target: Sequence[int], ranks: Sequence[int]) -> list[Shape]:
        """What an array may be that is given another shape; in one row, at first, what another one begins with."""
        known = [s for shapes in self.alike.values() for s in shapes] if tuple(target) == (-1,) else []
        begun = [s[:k] for s in known for k in range(len(s), 0, -1) if k in ranks]
        every = [*begun, *self.free(ranks, {})]
        whole = prod(target)
        return [s for s in (*every, (abs(whole),)) if (prod(s) == whole if whole > 0 else prod(s) % whole == 0)]

    def beside(self, shape: Shape, *, is_added: bool) -> list[Shape]:
        """What an array may be that is added to, or multiplied with, one of a shape."""
        parts = [shape[k:] for k in range(1, len(shape))]
        whole: list[Shape] = [] if is_added else [shape]
        if self.style == "short":
            return [*whole, *parts, shape, ()]
        every = [s for part in (shape, *parts) for s in product(*((1, n) for n in part)) if prod(s) > 1]
        end = -1 if self.style == "column" else 0
        return [*whole, *sorted((s for s in every if s[end] == 1), key=len), shape, ()]

    def factor(self, shape: Shape, *, is_left: bool) -> list[Shape]:
        """What an array may be that is multiplied as a matrix with one of a shape."""
        n = shape[-1] if not is_left or len(shape) == 1 else shape[-2]
        others = [*self.new[:1], *self.sizes[::-1], *(_gated(self.sizes) if is_left else ())]
        matrices: list[Shape] = [(m, n) if is_left else (n, m) for m in others]
        if is_left:
            return [*matrices, (n,)]
        return [(n,), *matrices, (n, 1)] if self.is_single else [*matrices, (n,), (n, 1)]


@lru_cache(maxsize=5000)
def _free(sizes: tuple[int, ...], ranks: tuple[int, ...], axes: tuple[tuple[int, int], ...]) -> list[Shape]:
    """What an array may be beside some sizes, with so many axes, some of them known."""
    known = dict(axes)
    of = {rank: _of_rank(sizes, rank) if sizes else _FIRST.get(rank, ()) for rank in ranks if _has_axes(rank, known)}
    every = [list(dict.fromkeys(_with_axes(s, known) for s in shapes)) for shapes in of.values()]
    heads = [s for k, found in enumerate(every) for s in found[: 1 if k else _HEADS]]
    return [s for s in (*heads, *(s for found in every for s in found if s not in heads)) if prod(s) < MANY]


def _of_rank(sizes: Sequence[int], rank: int) -> Sequence[Shape]:
    """What an array with so many axes may be beside some sizes, the likeliest first."""
    new, other = _new(sizes)[:2]
    every = [new, *sizes[::-1]]
    if rank == 1:
        return [(n,) for n in (*sizes, new, *_gated(sizes))]
    if rank == 2:
        squares = [(n, n) for n in every[1:]]
        rest = [(m, n) for m, n in product([*every, *_gated(sizes)], every) if m != n]
        return [(new, other), *squares, *rest]
    if rank == 3:
        return [(new, n, 2) for n in sizes] + [s for s in product(every, repeat=3) if len({*s}) == 3]
    images = [s for n in sizes for s in ((2, n, _IMAGE, _IMAGE), (2, _IMAGE, _IMAGE, n))]
    return images + [s for n in sizes for s in ((new, n, 2, 2), (2, 2, n, new), (1, 1, 1, n), (1, n, 1, 1))]


def _new(sizes: Sequence[int]) -> list[int]:
    return [n for n in _SIZES if n not in sizes]


def _gated(sizes: Sequence[int]) -> list[int]:
    few = sizes if len(sizes) < 4 else []
    return [gates * n for gates in _GATES for n in few if n in _SIZES]


class Unmade(np.lib.mixins.NDArrayOperatorsMixin):
    """An argument of which nothing is known yet."""

    def __init__(self, search: _Search, name: str, ranks: Sequence[int] = _ANY_RANK, *, is_size: bool = False) -> None:
        self._search, self._name, self._ranks, self._is_size = search, name, ranks, is_size
        self._value: Any = None
        self._parts: dict[int, Array] = {}
        self._axes: dict[int, int] = {}
        self._items: list[Unmade] = []

    def _take(self, options: Sequence[Shape], *, are_free: bool = False) -> Any:
        """The array, of one of these shapes if it has none yet; those that are free fit."""
        if self._is_size:
            return self.__index__()
        if self._value is None and self._parts:
            self._value = self._joined().view(_Made)
        if self._value is None:
            shape = self._search.shape(self._name, options if are_free else self._fitting(options))
            classes = self._search.labels.get(self._name)
            self._value = (_labels(shape, classes) if classes else draw(*shape)).view(_Made)
            self._value.of = self._name
        return self._value if not isinstance(self._value, dict) else self._value["?"]

    def _fitting(self, options: Sequence[Shape]) -> list[Shape]:
        """Those of some shapes that it may have, each once."""
        fitting = dict.fromkeys(s for s in options if len(s) in self._ranks and prod(s) < MANY)
        return [s for s in fitting if not self._axes or _with_axes(s, self._axes) == s]

    def _axis(self, k: int) -> int:
        """The size of an axis; of an array that is not the first one, nothing else is known then."""
        is_image = k not in (0, 1, -1)
        if is_image and self._value is None:
            self._ranks = [rank for rank in self._ranks if rank > abs(k)]
        is_first = not self._search.sizes and not self._name.endswith(MADE)
        if self._value is not None or self._is_size or is_first or is_image:
            return int(np.shape(self._any())[k])
        if k not in self._axes:
            self._axes[k] = self._search.size(is_known=False)
        return self._axes[k]

    @property
    def shape(self) -> Any:
        """The sizes of the axes."""
        return _Axes(self) if self._value is None else np.shape(self._any())

    def _joined(self) -> Array:
        """The vector whose parts were given shapes.

        Raises
        ------
        ValueError
            When something is missing between them.
        """
        ends = {first: first + part.size for first, part in sorted(self._parts.items())}
        if [0, *ends.values()][:-1] != list(ends):
            raise ValueError(ends)
        return np.concatenate([self._parts[first] for first in ends])

    def _any(self) -> Any:
        options = self._search.free(self._ranks, self._axes) if self._value is None else ()
        return self._take(options, are_free=True)

    def _as_index(self) -> Any:
        """Labels of the samples, or one label."""
        if self._value is None:
            labels = [_labels((n,), _CLASSES) for n in self._search.sizes]
            self._value = self._search.choose([2, *labels])
        return self._value

    def __eq__(self, other: object) -> Any:
        return self._text(other) == other if isinstance(other, str) else super().__eq__(other)

    def __ne__(self, other: object) -> Any:
        return self._text(other) != other if isinstance(other, str) else super().__ne__(other)

    def _text(self, other: str) -> Any:
        """One of the texts that it is compared with."""
        if self._value is None:
            self._value = self._search.choose(self._search.texts.get(self._name) or (other,))
        return self._value

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **rest: Any) -> Any:
        rest.pop("out", None)
        for u in inputs:
            if isinstance(u, Unmade) and u._value is None and not u._is_size:
                if ufunc in _COMPARED:
                    u._value = _THRESHOLD
                elif ufunc in _EQUAL and u._name not in self._search.labels:
                    raise _IsLabel(u._name, _FLAGS)
        return getattr(ufunc, method)(
            *_settled(inputs, is_product=ufunc is np.matmul, is_added=ufunc is np.add), **rest
        )

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.concatenate or func in (np.hstack, np.vstack):
            return func(_joined(args[0], kwargs.get("axis", args[1] if len(args) > 1 else 0)), **kwargs)
        if func is np.einsum:
            return func(args[0], *_summed(args[0], args[1:]), **kwargs)
        if func is np.pad and isinstance(args[0], Unmade) and args[0]._value is None and np.ndim(args[1]) == 2:
            args[0]._ranks = [len(args[1])]
        if func is np.reshape and isinstance(args[0], Unmade):
            return args[0].reshape(*args[1:])
        return func(*_settled(args, is_product=func is np.dot), **kwargs)

    def dot(self, other: Any) -> Any:
        """The product with another one."""
        return np.dot(self, other)

    def reshape(self, *target: Any, **rest: Any) -> Any:
        """The same in another shape, which its own must fit."""
        shape = [index(n) for n in (target[0] if isinstance(target[0], tuple | list) else target)]
        options = self._search.reshaped(shape, self._ranks) if self._value is None else ()
        return self._take(options).reshape(shape, **rest)

    @property
    def T(self) -> Any:
        """What will be the transpose."""
        return _Turned(self)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if self._value is None:
                self._value = {}
            return self._value.setdefault(key, Unmade(self._search, key))
        if self._items:
            return self._items[key]
        if isinstance(key, tuple) and len(key) > 1:
            ranks = [rank for rank in _at_least(sum(k is not None for k in key)) if rank in self._ranks]
            options = self._search.free(ranks, self._axes)
            return self._take([*_with_parts(options, key), *options])[key]
        if isinstance(key, slice) and self._value is None and key != slice(None):
            return _Part(self, key)
        return self._any()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._any()[key] = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._value if isinstance(self._value, dict) else self._any(), name)

    def __len__(self) -> int:
        return len(self._items) or self._axis(0)

    def __bool__(self) -> bool:
        if self._value is None and not self._axes:
            self._value = self._search.choose([True, False])  # it is asked whether it is so
        return bool(self._any())

    def be_as_long_as(self, length: int) -> None:
        """Have that many rows, if it has none yet."""
        if self._value is None:
            self._axes.setdefault(0, length)

    def __iter__(self) -> Iterator[Any]:
        self._search.read.append(self._name)  # what is run through may be indices, one after the other
        if self._name in self._search.labels:
            self._ranks = [1]
        return iter(self._items or (self._value if isinstance(self._value, dict) else self._any()))

    def __array__(self, *_: Any, **__: Any) -> Array:
        self._search.read.insert(0, self._name)
        return np.asarray(self._any())

    def __index__(self) -> int:
        if self._value is None:
            self._value = self._search.size(is_known=bool(self._search.alike))
        return int(self._value)

    __int__ = __index__


def _with_parts(shapes: Sequence[Shape], key: Sequence[Any]) -> list[Shape]:
    """The shapes, as long as several parts of which the first is read along one axis."""
    ends = {k: index(part.stop) for k, part in enumerate(key) if isinstance(part, slice) and part.stop is not None}
    ends = {k: n for k, n in ends.items() if n > 1 and key[k].start is None}
    longer = {k: [gates * n for gates in _GATES] for k, n in ends.items()}
    return [
        (*s[:k], n, *s[k + 1 :]) for k, sizes in longer.items() for n in sizes for s in shapes if len(s) == len(key)
    ]


def _has_axes(rank: int, axes: Mapping[int, int]) -> bool:
    return all(-rank <= k < rank for k in axes)


def _with_axes(shape: Shape, axes: Mapping[int, int]) -> Shape:
    """The shape with some axes of given sizes; nothing where it has them not."""
    if not axes:
        return shape
    if not _has_axes(len(shape), axes):
        return ()
    sizes = {k % len(shape): n for k, n in axes.items()}
    return tuple(sizes.get(k, n) for k, n in enumerate(shape))


class _Axes:
    """The shape of what is not made yet: each axis by itself, or all."""

    def __init__(self, of: Unmade) -> None:
        self._of = of

    def __getitem__(self, key: Any) -> Any:
        return self._of._axis(key) if isinstance(key, int) else np.shape(self._of._any())[key]

    def __iter__(self) -> Iterator[int]:
        return iter(np.shape(self._of._any()))

    def __len__(self) -> int:
        return np.ndim(self._of._any())

    def __eq__(self, other: object) -> bool:
        return bool(np.shape(self._of._any()) == other)

    __hash__ = None  # type: ignore[assignment]


class _Part(Unmade):
    """A part of what is not made yet: where it is given a shape, the whole is a vector that holds it."""

    def __init__(self, of: Unmade, key: slice) -> None:
        super().__init__(of._search, of._name)
        self._of, self._key = of, key

    def _take(self, options: Sequence[Shape], *, are_free: bool = False) -> Any:
        if self._value is None:
            self._value = self._of._any()[self._key]
        return self._value

    def _any(self) -> Any:
        return self._take(())

    def reshape(self, *target: Any, **rest: Any) -> Any:
        if self._of._value is not None or self._value is not None:
            return self._any().reshape(*target, **rest)
        shape = [index(n) for n in (target[0] if isinstance(target[0], tuple | list) else target)]
        first, stop = index(self._key.start or 0), self._key.stop
        if stop is not None and index(stop) - first != prod(shape):
            raise ValueError(shape)
        part = draw(prod(shape))
        self._of._parts[first], self._value = part, part
        return part.reshape(shape, **rest)


class _Turned(Unmade):
    """The transpose of what is not made yet."""

    def __init__(self, of: Unmade) -> None:
        super().__init__(of._search, of._name)
        self._of = of

    def _take(self, options: Sequence[Shape], *, are_free: bool = False) -> Any:
        return self._of._take([s[::-1] for s in options if len(s) == 2]).T


class _Made(np.ndarray):
    """An array that gives what is not made yet its shape, where NumPy would not ask.

    `of` is the argument that it was made for, or of which it has been computed.
    """

    of: str = ""

    def __array_finalize__(self, other: Any) -> None:
        if isinstance(other, _Made) and other.of:
            self.of = other.of

    def dot(self, other: Any, *_: Any) -> Any:
        return np.dot(self, other)

    def astype(self, dtype: Any, *rest: Any, **more: Any) -> Any:
        _check_label(self, np.dtype(dtype).kind == "i")
        return super().astype(dtype, *rest, **more)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(_keys(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_keys(key), np.asarray(value))


def _check_label(array: Array, is_whole: bool = True) -> None:
    """Say of what an array was made, if it is used as whole numbers and has none.

    Raises
    ------
    _IsLabel
    """
    if is_whole and array.dtype.kind == "f" and isinstance(array, _Made) and array.of:
        raise _IsLabel(array.of, _CLASSES)


def _labels(shape: Shape, classes: int) -> Array:
    """Whole numbers, one of them twice, and each of the classes among them where there are enough."""
    return np.arange(prod(shape)).reshape(shape) % min(classes, max(prod(shape) - 1, 2))


def _keys(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_keys(k) for k in key)
    if isinstance(key, np.ndarray):
        _check_label(key)
    return key._as_index() if isinstance(key, Unmade) else key


def _settled(values: Sequence[Any], *, is_product: bool = False, is_added: bool = False) -> list[Any]:
    """The values of an operation, each with a shape that fits the other's; what is not added has the same, at first."""
    found = list(values)
    unmade = [k for k, v in enumerate(found) if isinstance(v, Unmade) and v._value is None and not v._is_size]
    if len(found) > 1 and unmade:
        made = [k for k, v in enumerate(found) if k not in unmade and isinstance(v, np.ndarray | Unmade)]
        if not made:
            made = [max(unmade, key=lambda k: len(found[k]._axes))]
            found[made[0]]._any()
        k = max(made, key=lambda k: np.ndim(_plain(found[k])))
        shape = np.shape(_plain(found[k]))
        for n in unmade if shape else ():
            if isinstance(other := found[n], Unmade) and other._value is None:
                search = other._search
                to = search.factor(shape, is_left=n < k) if is_product else search.beside(shape, is_added=is_added)
                found[n] = other._take(to)
    return [_plain(v) for v in found]


def _summed(subscripts: str, values: Sequence[Any]) -> list[Any]:
    """The arrays of a sum over axes that have letters: the same letter is the same size."""
    axes = subscripts.replace(" ", "").split("->")[0].split(",")
    known: dict[str, int] = {}
    for is_unmade in (False, True):
        for letters, value in zip(axes, values, strict=True):
            if (isinstance(value, Unmade) and value._value is None) == is_unmade:
                array = value._take(value._search.summed(letters, known)) if is_unmade else _plain(value)
                known |= dict(zip(letters, np.shape(array), strict=False))
    return [_plain(v) for v in values]


def _joined(parts: Sequence[Any], axis: int) -> list[Any]:
    """Arrays that are put one behind the other: they differ in one axis."""
    found: list[Any] = []
    for part in parts:
        if isinstance(part, Unmade) and part._value is None and found:
            shape = list(np.shape(found[0]))
            if len(shape) == 2 and shape[axis] == _SIZES[0]:
                raise ValueError(axis)  # samples
            options = [
                (*shape[:axis], n, *shape[axis % len(shape) + 1 :])
                for n in (*part._search.new[:1], *part._search.sizes)
            ]
            found.append(part._take(options))
        else:
            found.append(_numbers(part) if isinstance(part, list) else _plain(part))
        if isinstance(part, Unmade):
            part._search.read.append(part._name)  # what is put behind others may be an index
    return found


def _numbers(values: Sequence[Any]) -> list[Any]:
    """What stands in a list that is put before or behind an array: numbers, which may be indices."""
    for u in values:
        if isinstance(u, Unmade) and u._value is None:
            u._search.read.append(u._name)
            u._value = 2 if u._name in u._search.labels else _THRESHOLD
    return [_plain(v) for v in values]


def _plain(value: Any) -> Any:
    if isinstance(value, Unmade):
        return value._any()
    return [_plain(v) for v in value] if isinstance(value, list) else value


def shapings(
    file: File,
    unknown: Mapping[str, Hint],
    call: str,
    names: Mapping[str, Any],
    sizes: Sequence[int],
) -> Iterator[dict[str, Any]]:
    """What some names may be: values under which lines run to their end.

    Parameters
    ----------
    file : File
    unknown : mapping
        The names, each with what is known of it.
    call : str
    names : mapping
        What else the lines need.
    sizes : sequence of int
        Those of what the lines use besides.
    """
    search = _Search(sizes)
    search.labels = {n: _CLASSES if h.is_index else _FLAGS for n, h in unknown.items() if h.is_label or h.is_index}
    search.texts = {n: h.texts for n, h in unknown.items()}
    seen: set[str] = set()

    def run() -> dict[str, Any] | None:
        search.begin()
        unmade = {n: Unmade(search, n, h.ranks, is_size=h.is_size) for n, h in unknown.items()}
        for n, h in unknown.items():
            unmade[n]._items = [Unmade(search, part) for part in h.parts]
        try:
            file.run({**names, **unmade}, call)
            values = {n: _value(u) for n, u in unmade.items()}
        except (_IsLabel, IndexError) as error:  # NumPy's own array was given it as an index
            names_read, classes = (
                ([error.args[0]], error.args[1]) if isinstance(error, _IsLabel) else (search.read, _CLASSES)
            )
            is_index = isinstance(error, _IsLabel) or "integer" in str(error)
            name = next((n for n in names_read if search.labels.get(n, 0) < classes), "")
            if not name or not is_index:
                return None
            search.labels[name] = classes
            return run()
        except Exception:
            return None
        if (shapes := str(_shape(values))) in seen:
            return None
        seen.add(shapes)
        return values

    for style in range(len(_STYLES)):
        found, root, roots = 0, 0, 1
        while root < min(roots, _ROOTS) and search.count < _ALL_RUNS:
            search.path = [style, root]
            one = _first(search, run, _LAYOUT, _RUNS)
            roots = search.widths[1] if len(search.widths) > 1 else 1
            if one is not None:
                yield one
                found += 1
                for path in _neighbours(search):
                    search.path = path
                    if (other := _first(search, run, len(path), _FEW_RUNS)) is not None:
                        yield other
            root += 1
        if not found:
            return  # in no layout it runs


def _first(search: _Search, run: Callable[[], dict[str, Any] | None], kept: int, runs: int) -> dict[str, Any] | None:
    """The first guess with the first choices of the path; None where so many runs find none."""
    for _ in range(runs):
        if (found := run()) is not None:
            return found
        if not search.next(kept):
            return None
    return None


def _neighbours(search: _Search) -> list[list[int]]:
    """The paths that differ from one in a choice below the layout, up to that choice."""
    path, widths = search.path[: len(search.widths)], search.widths
    return [[*path[:k], n] for k in range(_LAYOUT, len(path)) for n in range(widths[k]) if n != path[k]]


def _value(value: Any) -> Any:
    """What was made of an argument; of one that was never used, a number."""
    if isinstance(value, Unmade) and value._parts:
        return value._joined()
    if isinstance(value, Unmade) and value._items:
        return [_value(item) for item in value._items]
    if isinstance(value, Unmade):
        return 0.3 if value._value is None else _value(value._value)
    if isinstance(value, dict):
        return {key: _value(inner) for key, inner in value.items()}
    return np.array(value) if isinstance(value, np.ndarray) else value


def _shape(value: Any) -> Any:
    if isinstance(value, list):
        return [_shape(v) for v in value]
    if isinstance(value, str):
        return value
    return {k: _shape(v) for k, v in value.items()} if isinstance(value, dict) else np.shape(value)


def _at_least(axes: int) -> list[int]:
    """How many axes an array may have of which so many are named."""
    return [axes, axes + 1] if axes < max(_ANY_RANK) else [axes]


def _ranks(scope: ast.AST, argument: str) -> Sequence[int]:
    """How many axes an array may have: as many as its shape is taken apart into, if it is, also where it is kept."""
    own = (argument, f"self.{argument}")
    for n in ast.walk(scope):
        if (
            isinstance(n, ast.Assign)
            and isinstance(n.targets[0], ast.Tuple)
            and ast.unparse(n.value) in [f"{name}.shape" for name in own]
        ):
            return [len(n.targets[0].elts)]
        if isinstance(n, ast.Subscript) and ast.unparse(n.value) in own and isinstance(n.slice, ast.Tuple):
            return _at_least(sum(ast.unparse(e) not in ("None", "np.newaxis") for e in n.slice.elts))
    return _ANY_RANK
