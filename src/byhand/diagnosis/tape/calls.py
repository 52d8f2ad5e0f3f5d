"""What the rewritten text calls: it computes as Python would, and notes what came of what."""

from __future__ import annotations

import builtins
import copy
import functools
import itertools
import operator
import pickle
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import BuiltinMethodType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from byhand.diagnosis.tape.loops import Loops
from byhand.diagnosis.tape.nodes import Array, Const, Kept, Lost, Node, Seeding, Tape
from byhand.diagnosis.tape.numpy_map import (
    BINARY,
    MATH,
    OPERATORS,
    UNARY,
    Call,
    Spelling,
    moved,
    spell,
)
from byhand.diagnosis.tape.solvers import is_solver, solve
from byhand.diagnosis.tape.values import Values, index_in, is_array, is_number, owner_of

FRAMES = 4  # of the script, that make a site
NUMBERED = 2_000_000  # elements that are numbered to see where they go
LISTED = 10_000  # numbers in a list that somebody else made

Kw = dict[str, Any]
PLAIN = {
    isinstance,
    issubclass,
    len,
    range,
    type,
    str,
    repr,
    print,
    hasattr,
    id,
    callable,
    hash,
    input,
    open,
    vars,
    dir,
}
ITERATING = {zip, enumerate, list, tuple, sorted, set, iter, filter}
EXTREMES = {max: "maximum", min: "minimum"}
ITERATING |= {itertools.chain, itertools.islice, itertools.cycle, itertools.zip_longest, itertools.product}
LIKE = {np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.shape, np.ndim, np.size}
ARRAYS = {np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.fromiter}
MOST_KEPT = 40  # arrays
REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logaddexp": "special.logsumexp",
}  # fmt: skip
ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}
MUTATORS = {
    "put",
    "place",
    "putmask",
    "fill_diagonal",
    "put_along_axis",
    "partition",
    "itemset",
    "resize",
    "sort",
    "setfield",
    "byteswap",
}


class Recorder:
    """Computes what the rewritten text asks for, and keeps the tape.

    Parameters
    ----------
    files : dict
        The name of each file that belongs to the program (as its code objects give it), to what nodes call it.
    most_bytes : int
        Recording ends when the tape itself holds more than that.
    is_long : bool
        As `Loops` takes it.
    """

    def __init__(
        self, files: dict[str, str], most_bytes: int, *, is_long: bool = False, ends_at: int | None = None
    ) -> None:
        self.tape, self.files, self.most_bytes, self.ends_at = Tape(), files, most_bytes, ends_at
        self.values = Values(self.tape, self.add)
        self.loops = Loops(self.tape, self._pause, lambda: self.values.bytes / most_bytes, is_long=is_long)
        self.modules: set[str] = {"__main__"}
        self.bottom: CodeType | None = None
        self.reach: Callable[[int], object] = lambda line: None
        self._positions: dict[int, tuple[CodeType, list[Any]]] = {}  # by identity: a code's hash is that of its text
        self._seeded: dict[tuple[int, str], tuple[Any, bytes]] = {}  # where: the generator, and its state then

    def _pause(self) -> None:
        self.values.let_go()
        self.values.unmade = "resumed"

    def finish(self) -> None:
        """The program has ended."""
        self.loops.end()
        self.values.look_after()
        self.values.known.clear()

    # Nodes

    def add(self, op: str, args: tuple[int | Const, ...], kw: Kw, x: Any) -> int:
        """A new node for the value x."""
        number = len(self.tape.nodes)
        value = self.values.keep(x, number, op != "leaf")
        line, site, file = self._where()
        self.tape.nodes.append(Node(op, args, kw, value, line, (op, *site), file))
        return number

    def _where(self) -> tuple[int, tuple[Any, ...], str]:
        frame: Any = sys._getframe(2)
        line, name = 0, ""
        site: list[tuple[Any, ...]] = []
        files, positions, bottom = self.files, self._positions, self.bottom
        while frame is not None:
            code = frame.f_code
            if code is bottom:
                break
            file = files.get(code.co_filename)
            if file is not None:
                known = positions.get(id(code))
                if known is None:
                    known = positions[id(code)] = code, [(file, *place) for place in code.co_positions()]
                if not site:
                    line, name = frame.f_lineno, file
                site.append(known[1][frame.f_lasti // 2])
                if len(site) == FRAMES:
                    break
            frame = frame.f_back
        return line, tuple(site), name

    def emit(self, op: str, operands: Iterable[Any], result: Any, kw: Kw | None = None) -> Any:
        """Note that result is op of the operands; gives the result."""
        if len(self.tape.nodes) >= self.loops.limit:
            self.loops.stop_here()
            return result
        refs = tuple(self.values.ref(x) for x in operands)
        self.values.register(result, self.add(op, refs, kw or {}, result))
        self._mind_budget()
        return result

    def _mind_budget(self) -> None:
        if self.values.bytes > self.most_bytes:
            self.tape.is_full = True
            self.loops.end()
        if self.ends_at is not None and len(self.tape.nodes) >= self.ends_at:
            raise SystemExit

    def _overwrite(self, array: Array, spelled: Spelling, compute: Callable[[], Any]) -> Any:
        """Compute what is spelled into the memory of an array."""
        refs = tuple(self.values.ref(x) for x in spelled.operands)
        self.values.before_write(array)
        result = compute()
        self.values.written(array, self.add(spelled.op, refs, spelled.kw, array))
        self._mind_budget()
        return result

    # Values that come to be, and names

    def const(self, value: float) -> float:
        """A literal: a number of its own each time."""
        if not self.loops.on:
            return value
        fresh = value * 1.0
        self.values.expect(fresh, "constant")
        return fresh

    def name(self, value: Any, *names: str) -> Any:
        """The value is assigned to these names."""
        if self.loops.on:
            if len(names) == 1:
                self._name(value, names[0])
            elif isinstance(value, tuple | list) and len(value) == len(names):
                for one, its_name in zip(value, names, strict=True):
                    self._name(one, its_name)
        return value

    def best(self, value: Any, *names: str) -> Any:
        """The value is assigned to these names in a branch that keeps the best number so far."""
        if self.loops.on:
            line, _, file = self._where()
            for array in self._known_among([value]):
                if is_array(array) and array.size > 1 and len(self.tape.kept) < MOST_KEPT:
                    self.tape.kept.append(Kept(array.copy(), array, ", ".join(names), line, file))
        return self.name(value, *names)

    def _name(self, value: Any, name: str, depth: int = 2) -> None:
        if is_array(value) or is_number(value):
            self.values.expect(value, self.values.unmade, name)
        elif depth and isinstance(value, list | tuple) and len(value) <= 100:
            for i, item in enumerate(value):
                self._name(item, f"{name}[{i}]", depth - 1)
        elif depth and isinstance(value, dict) and len(value) <= 100:
            for key, item in value.items():
                self._name(item, f"{name}[{key!r}]", depth - 1)

    def adopt(self, result: Any, made: str, args: Iterable[Any] = (), depth: int = 3) -> Any:
        """Somebody else's code gave the result: a leaf, or opaque if it had something to do with known values."""
        if is_array(result) or is_number(result):
            if self.values.is_known(result):
                return result
            known = list(self._known_among(args))
            if known:
                return self.emit("opaque", known, result, {"name": made})
            line, _, file = self._where()
            self.values.expect(result, made, born=(line, file))
        elif depth and isinstance(result, list | tuple | dict) and len(result) <= LISTED:
            args = list(self._known_among(args))
            for item in result.values() if isinstance(result, dict) else result:
                self.adopt(item, made, args, depth - 1)
        return result

    slice = slice

    def _known_among(self, args: Iterable[Any], depth: int = 4) -> Iterator[Any]:
        """The known values among arguments, and in their lists and dictionaries."""
        for x in args:
            if isinstance(x, list | tuple | dict):
                if depth and len(x) <= LISTED:
                    yield from self._known_among(x.values() if isinstance(x, dict) else x, depth - 1)
            elif not isinstance(x, int) and self.values.is_known(x):
                yield x

    # Operators

    def binary(self, op: str, a: Any, b: Any) -> Any:
        """A op b."""
        function, _, word = BINARY[op]
        result = function(a, b)
        return self._computed(word, a, b, result) if self.loops.on else result

    def mask(self, op: str, a: Any, b: Any) -> Any:
        """A op b, where numbers are chosen by it: an array, also of a single truth, which has no identity otherwise."""
        result = self.binary(op, a, b)
        if self.loops.on and isinstance(result, bool | np.bool) and (is_number(a) or is_number(b)):
            return self.emit(BINARY[op][2], (a, b), np.asarray(result))
        return result

    def decision(self, op: str, a: Any, b: Any) -> Any:
        """A op b, by which a branch is taken later: noted, and a truth as it was."""
        noted = self.mask(op, a, b)
        return noted.item() if is_array(noted) and noted.ndim == 0 else noted

    def by_chance(self, op: str, a: Any, b: Any) -> Any:
        """A op b, where a branch is taken by it: noted if the one number is drawn and the other computed."""
        is_drawn = self.loops.on and any(map(self.values.is_drawn, (a, b))) and all(map(self.values.is_known, (a, b)))
        return self.mask(op, a, b) if is_drawn else BINARY[op][0](a, b)

    def threshold(self, op: str, a: Any, b: Any, above: float, below: float) -> Any:
        """The one number where a op b, else the other."""
        is_above = self.mask(op, a, b)
        if not self.loops.on or not is_array(is_above) or is_above.ndim:
            return above if is_above else below
        chosen = above if is_above else below
        own = np.int64(chosen) if type(chosen) is int else chosen * 1.0  # an int is shared by all that are equal
        return self.emit("where", (is_above, above, below), own)

    def _computed(self, word: str, a: Any, b: Any, result: Any) -> Any:
        if type(result) is float or is_array(result) or is_number(result):
            if word == "multiply" and isinstance(result, np.matrix) and np.ndim(a) and np.ndim(b):
                word = "matmul"
            return self.emit(word, (a, b), result)
        if isinstance(result, np.ndarray) and result.dtype == object:
            left, right = (np.broadcast_to(np.asarray(x, dtype=object), result.shape).flat for x in (a, b))
            for x, y, item in zip(left, right, result.flat, strict=True):
                self._computed(word, x, y, item)
        return result

    def unary(self, op: str, a: Any) -> Any:
        """Op a."""
        function, word = UNARY[op]
        result = function(a)
        if self.loops.on and result is not a and (is_array(result) or is_number(result)):
            self.emit(word, (a,), result)
        return result

    def inplace(self, op: str, a: Any, b: Any) -> Any:
        """What a becomes by a op= b."""
        _, function, word = BINARY[op]
        if not self.loops.on:
            return function(a, b)
        if is_array(a):
            return self._overwrite(a, Spelling(word, (a, b), {}), lambda: function(a, b))
        return self._computed(word, a, b, function(a, b))

    # Elements and attributes

    def getitem(self, a: Any, k: Any) -> Any:
        """a[k]."""
        result = a[k]
        if self.loops.on and (a is np.c_ or a is np.r_) and is_array(result):
            parts = list(k) if isinstance(k, tuple) else [k]
            return self._spelled(moved(parts, lambda numbers: a[tuple(numbers)]), result, "c_", parts)
        if self.loops.on and is_array(a) and (is_array(result) or is_number(result)):
            if isinstance(a, np.matrix):
                return self._spelled(moved([a], lambda n: n[0].view(np.matrix)[k]), result, "getitem", (a,))
            self.emit("getitem", (a,), result, {"k": _kept(k)})
        return result

    def store(self, a: Any, k: Any, value: Any) -> None:
        """a[k] = value."""
        if isinstance(a, np.flatiter) and self.loops.on:
            where = np.unravel_index(k, a.base.shape) if isinstance(k, int | np.integer) else None
            self._overwrite(a.base, _written(a.base, value, where), lambda: a.__setitem__(k, value))
        elif self.loops.on and is_array(a):
            spelled = Spelling("setitem", (a, value), {"k": _kept(k)})
            self._overwrite(a, spelled, lambda: operator.setitem(a, k, value))
        else:
            a[k] = value

    def target(self, a: Any) -> Any:
        """What a[k] = value is to be done with."""
        return _Target(self, a) if self.loops.on and isinstance(a, np.ndarray | np.flatiter) else a

    def item_for(self, a: Any, k: Any, op: str) -> Callable[[Any], None]:
        """What carries out a[k] op= value, once the value is there."""
        item = self.getitem(a, k)

        def apply(value: Any) -> None:
            result = self.inplace(op, item, value)
            if result is item and is_array(item) and is_array(a) and owner_of(item) is owner_of(a):
                a[k] = result  # the view was changed, and is now written onto itself
            else:
                self.store(a, k, result)

        return apply

    def attribute_for(self, owner: Any, name: str, op: str) -> Callable[[Any], None]:
        """What carries out owner.name op= value, once the value is there."""
        before = getattr(owner, name)
        return lambda value: setattr(owner, name, self.inplace(op, before, value))

    def attribute(self, a: Any, name: str) -> Any:
        """a.T and the like."""
        result = getattr(a, name)
        if self.loops.on and is_array(a) and is_array(result) and result is not a:
            spelled = self._view(a, result) or moved([a], lambda numbers: getattr(numbers[0], name))
            self._spelled(spelled, result, name, (a,))
        return result

    def each(self, x: Any) -> Any:
        """The same elements; those of a vector are known to be its elements."""
        if not self.loops.on:
            return x
        if type(x) is np.flatiter:
            return self._elements(self.call(x.base.ravel))
        if isinstance(x, np.ndarray) and x.ndim == 1 and x.dtype.kind in "fiu":
            return self._elements(x)
        return x

    def _elements(self, x: Array) -> Iterator[Any]:
        for i, item in enumerate(x):
            if self.loops.on:
                self._is_element(item, x, i)
            yield item

    def _is_element(self, item: Any, x: Array, i: Any) -> None:
        known = self.values.known
        self.values.expect(item, None)
        if id(item) in known:
            known[id(item)].source = (self.values.array_node(x), i)

    def unpack(self, x: Any) -> Any:
        """What stands after a star or is assigned to several targets."""
        return list(self._elements(x)) if self.each(x) is not x and isinstance(x, np.ndarray) else x

    # Loops

    def loop(self, iterable: Any, line: int, file: str) -> Iterator[tuple[Any, bool]]:
        """The elements of what a for loop runs over, each with whether to record its tick."""
        try:
            length = len(iterable)
        except (TypeError, AttributeError):
            length = None
        return zip(self.each(iterable), self.loops.flags(line, file, length), strict=False)

    def ticks(self, line: int, file: str) -> Callable[[], bool]:
        """For a while loop: whether to record the next tick."""
        return self.loops.flags(line, file, None).__next__

    @property
    def on(self) -> bool:
        """Whether anything is recorded now."""
        return self.loops.on

    # Calls

    def call(self, f: Any, /, *args: Any, **kw: Any) -> Any:
        """F of its arguments."""
        if not self.loops.on:
            return f(*args, **kw)
        kind = type(f)
        if kind is FunctionType or kind is MethodType:
            if f.__code__.co_filename in self.files:
                return f(*args, **kw)
        elif kind is type and f.__module__ in self.modules:
            return f(*args, **kw)
        handler = self._handler(f)
        return f(*args, **kw) if handler is None else handler(self, f, args, kw)

    def aside(self, f: Any, /, *args: Any, **kw: Any) -> Any:
        """F of its arguments, in a statement of its own: an array that NumPy makes is lost there."""
        result = self.call(f, *args, **kw)
        if not self.loops.on:
            return result
        owners = (*args, *kw.values(), getattr(f, "__self__", None))
        is_new = is_array(result) and not any(result is x for x in owners)
        is_numpy = self._handler(f) in NUMPY_HANDLERS and any(is_array(x) and x.size > 1 for x in owners)
        if is_new and is_numpy:
            line, _, file = self._where()
            lost = Lost(f.__name__, line, file)
            self.tape.lost[lost] = self.tape.lost.get(lost, 0) + 1
        return result

    def _handler(self, f: Any) -> Callable[..., Any] | None:
        if isinstance(f, np.ufunc):
            return Recorder._ufunc
        if isinstance(f, np.vectorize):
            return Recorder._vectorize
        if isinstance(f, functools.partial):
            return Recorder._partial
        if isinstance(f, BuiltinMethodType | MethodType) and f.__self__ is not None:
            owner = f.__self__
            if isinstance(owner, np.ndarray | np.number):
                return Recorder._method
            if isinstance(owner, np.ufunc):
                return Recorder._ufunc_method
            if type(owner).__module__.startswith("numpy.random") or isinstance(owner, random.Random):
                return Recorder._random
        try:
            if f in PLAIN:
                return None
            handler = HANDLERS.get(f)
        except TypeError:
            handler = None
        if handler is not None:
            return handler
        module = getattr(f, "__module__", None) or ""
        if type(f).__module__ in self.modules:
            return None
        if is_solver(f):
            return solve
        is_numpy = module.startswith(("numpy", "scipy.special", "scipy.signal"))
        return Recorder._numpy if is_numpy and not isinstance(f, type) else Recorder._foreign

    def _foreign(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        return self.adopt(f(*args, **kw), _made(f), [*args, *kw.values(), getattr(f, "__self__", None)])

    def _like(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        """Only the shape counts."""
        return self.adopt(f(*args, **kw), _made(f), args[1:])

    def _numpy(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        name = f.__name__
        for prefix in ("linalg", "special", "fft", "signal"):
            if f.__module__.startswith((f"numpy.{prefix}", f"scipy.{prefix}")):
                name = f"{prefix}.{name}"
        again = functools.partial(f, **{k: v for k, v in kw.items() if k not in ("out", "dtype")})
        if name in MUTATORS and name not in ("resize", "sort"):
            return self._mutate(args[0], lambda: f(*args, **kw))
        if name == "copyto":
            return self._overwrite(args[0], _written(args[0], args[1], ... if not kw else None), lambda: f(*args, **kw))
        return self._record(Call(args, kw, again), name, lambda: f(*args, **kw))

    def _method(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        array, name = f.__self__, f.__name__
        if name in MUTATORS:
            return self._mutate(array, lambda: f(*args, **kw))
        if name == "fill":
            return self._overwrite(array, Spelling("setitem", (array, args[0]), {"k": ...}), lambda: f(*args, **kw))
        if name == "tolist" and isinstance(array, np.ndarray):
            return self._tolist(array, f())

        def again(x: Any, *rest: Any) -> Any:
            return getattr(x, name)(*rest, **{k: v for k, v in kw.items() if k not in ("out", "dtype")})

        name_here = "item" if name == "tolist" else name
        return self._record(Call((array, *args), kw, again), name_here, lambda: f(*args, **kw))

    def _tolist(self, array: Array, result: Any) -> Any:
        if not isinstance(result, list):
            return self.emit("item", (array,), result, {"a": ()}) if is_number(result) else result
        if array.size <= LISTED and is_array(array):
            for where in np.ndindex(array.shape):
                item = functools.reduce(operator.getitem, where, result)
                if is_number(item):
                    self._is_element(item, array, where)
        return result

    def _mutate(self, array: Any, compute: Callable[[], Any]) -> Any:
        if not is_array(array):
            return compute()
        return self._overwrite(array, Spelling("opaque", (array,), {"name": "written"}), compute)

    def _record(self, call: Call, name: str, compute: Callable[[], Any]) -> Any:
        out: Any = call.kw.get("out")
        out = out[0] if isinstance(out, tuple) else out
        if is_array(out):
            return self._overwrite(out, spell(name, call) or self._opaque(name, call), compute)
        result = compute()
        if any(result is x for x in call.args):
            return result
        first: Any = call.args[0] if call.args else None
        if not is_array(result) and not is_number(result):
            if isinstance(result, list) and is_array(first):  # np.split and its like
                for piece in result:
                    if is_array(piece) and (view := self._view(first, piece)) is not None:
                        self._spelled(view, piece, name, call.args)
            return self.adopt(result, name, [*call.args, *call.kw.values()])
        if not isinstance(result, np.matrix) and is_array(first) and (view := self._view(first, result)) is not None:
            return self._spelled(view, result, name, call.args)
        spelled = spell(name, call) if _size(call.args) <= NUMBERED or name not in MOVES else None
        if spelled is not None and isinstance(result, np.matrix) and spelled.kw.get("axis") is not None:
            spelled.kw["keepdims"] = True
        return self._spelled(spelled, result, name, [*call.args, *call.kw.values()])

    def _opaque(self, name: str, call: Call) -> Spelling:
        return Spelling("opaque", list(self._known_among(call.args)), {"name": name})

    def _view(self, a: Array, result: Any) -> Spelling | None:
        """The rearrangement that a view of an array is; None when it is no view, or the array isn't in order."""
        if not is_array(result) or result is a or result.dtype != a.dtype or not a.flags.c_contiguous or not a.size:
            return None
        if owner_of(result) is not owner_of(a) or (idx := index_in(result, a)) is None:
            return None
        return Spelling("move", (a,), {"idx": idx})

    def _spelled(self, spelled: Spelling | None, result: Any, name: str, args: Iterable[Any]) -> Any:
        if spelled is None or (spelled.op == "move" and np.shape(spelled.kw["idx"]) != np.shape(result)):
            return self.adopt(result, name, args)
        return self.emit(spelled.op, spelled.operands, result, spelled.kw)

    def _ufunc(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        inputs, outputs = args[: f.nin], args[f.nin :]
        told = {**kw, "out": outputs} if outputs and outputs[0] is not None else kw
        return self._record(Call(inputs, told, f), f.__name__, lambda: f(*args, **kw))

    def _ufunc_method(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        name, method = f.__self__.__name__, f.__name__
        if method == "at" and is_array(args[0]):
            spelled = Spelling("opaque", (args[0],), {"name": name + ".at"})
            if name in ("add", "subtract"):
                spelled = Spelling("at", (args[0], args[2]), {"k": _kept(args[1]), "sign": 1 if name == "add" else -1})
            return self._overwrite(args[0], spelled, lambda: f(*args, **kw))
        words = {"reduce": REDUCTIONS, "accumulate": ACCUMULATIONS}.get(method, {})
        axis = kw.get("axis", args[1] if len(args) > 1 else 0)
        if method == "outer" and name == "multiply" and np.ndim(args[0]) == np.ndim(args[1]) == 1:
            return self._record(Call(args, kw, f), "outer", lambda: f(*args, **kw))
        told = {**{k: v for k, v in kw.items() if k != "axis"}, "axis": axis}
        call = Call(args[:1] if name in words else args, told, f)
        return self._record(call, words.get(name, f"{name}.{method}"), lambda: f(*args, **kw))

    # Functions that call others or go through elements

    def _partial(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        return self.call(f.func, *f.args, *args, **{**f.keywords, **kw})

    def _iterating(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        return f(*(self.each(x) for x in args), **kw)

    def _extreme(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        """The larger of two numbers, as max(z, 0.0), is a function of them; of more, the number itself."""
        are_numbers = len(args) == 2 and not kw and all(is_number(x) or type(x) is int for x in args)
        if not are_numbers or not any(map(is_number, args)):
            return self._iterating(f, args, kw)
        result = f(*args)
        own = np.int64(result) if type(result) is int else result * 1.0  # an int is shared by all that are equal
        return self.emit(EXTREMES[f], args, own)

    def _reversed(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        return f(*(self.unpack(x) for x in args), **kw)

    def _map(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        return f(functools.partial(self.call, args[0]), *(self.each(x) for x in args[1:]), **kw)

    def _reduce(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        return f(functools.partial(self.call, args[0]), self.each(args[1]), *args[2:], **kw)

    def _accumulate(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        function = kw.pop("func", None) or (args[1] if len(args) > 1 else operator.add)
        return f(self.each(args[0]), functools.partial(self.call, function), **kw)

    def _sum(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        items = list(self.each(args[0])) if args else []
        start = args[1] if len(args) > 1 else kw.get("start", 0)
        if any(isinstance(x, np.ndarray) for x in [start, *items]):
            return functools.reduce(lambda total, x: self.binary("Add", total, x), items, start)
        result = f(items, *args[1:], **kw)
        if not is_number(result) or not items:
            return result
        if start:
            items.append(start)
        stacked = self.values.ref(items)
        if isinstance(stacked, Const):
            return self.adopt(result, "sum")
        self.values.register(result, self.add("sum", (stacked,), {"axis": None, "keepdims": False}, result))
        return result

    def _math(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        result = f(*args, **kw)
        if any(result is x for x in args) or (not is_number(result) and not is_array(result)):
            return result
        if len(args) == 2 and MATH[f] == "log":
            return self.emit("divide", (self.call(f, args[0]), f(args[1])), result)
        return self.emit(MATH[f], args[:1] if MATH[f] == "round" else args, result)

    def _operator(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        return self.binary(OPERATORS[f], *args)

    def _getitem(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        return self.getitem(*args)

    def _number(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        result = f(*args, **kw)
        if args and result is not args[0] and (is_number(args[0]) or is_array(args[0])) and is_number(result):
            return self.emit("item" if f is float else "copy", args[:1], result, {"a": ()} if f is float else {})
        return self.adopt(result, f.__name__)

    def _array(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        if f is np.fromiter and args:
            args = (list(self.each(args[0])), *args[1:])
        result = f(*args, **kw)
        x: Any = args[0] if args else kw.get("object", kw.get("a"))
        if result is x or not is_array(result):
            return result
        if is_array(x) or is_number(x):
            spelled = (
                Spelling("copy", (x,), {})
                if np.shape(x) == result.shape
                else moved([x], lambda n: f(n[0], ndmin=result.ndim))
            )
            return self._spelled(spelled, result, "array", (x,))
        stacked = self.values.ref(x)
        if isinstance(stacked, Const) or self.tape.nodes[stacked].value.shape != result.shape:
            return self.adopt(result, "array", (x,))
        return self._take_over(stacked, result)

    def _take_over(self, node: int, result: Array) -> Array:
        """The node's value is this array of the program's."""
        self.tape.nodes[node].value = self.values.keep(result, node, True)
        self.values.register(result, node)
        return result

    def _deepcopy(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        memo = args[1] if len(args) > 1 else kw.get("memo")
        memo = {} if memo is None else memo
        result = f(args[0], memo)
        for original in memo.get(id(memo), ()):
            twin = memo.get(id(original))
            if is_array(original) and is_array(twin) and self.values.is_known(original):
                self.emit("copy", (original,), twin)
        if is_array(result) and not self.values.is_known(result):
            self.emit("copy", args[:1], result)
        return result

    def _copy(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        result = f(*args, **kw)
        return self.emit("copy", args[:1], result) if is_array(result) and result is not args[0] else result

    def _random(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        if f.__name__ == "seed":
            return self._seed(f, args, kw)
        if f.__name__ in ("shuffle", "permutation", "permuted") and args and is_array(args[0]):
            return self._shuffle(f, args, kw)
        result = f(*args, **kw)
        if kw.get("out") is not None or f.__name__ == "shuffle":
            return result
        if f.__name__ in ("choice", "choices"):  # noted: what is drawn is no function of the chances
            chances = list(self._known_among([kw.get("p"), kw.get("weights"), *args[1:]]))
            if chances:
                self.emit("opaque", chances, np.array(result), {"name": "random.choice"})
        return self.adopt(result, "random." + f.__name__, args if f.__name__ == "choice" else ())

    def _seed(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        """A seed is noted; none, or another generator, is left alone."""
        if not any(isinstance(x, int) for x in (*args, *kw.values())):
            return f(*args, **kw)
        line, _, file = self._where()
        last = self._seeded.get((line, file))
        has_drawn = last is not None and _state_of(last[0]) != last[1]
        result = f(*args, **kw)
        generator = getattr(f, "__self__", None) if result is None else result
        self._seeded[line, file] = generator, _state_of(generator)
        is_again = last is not None and has_drawn and self._seeded[line, file][1] == last[1]
        self.tape.seeded.append(Seeding(len(self.tape.nodes), line, file, is_again))
        return result

    def _shuffle(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        """Shuffle row numbers with the same random numbers first: they tell which row went where."""
        array, state = args[0], _state(f.__self__)
        numbers = np.arange(len(array))
        order = f(numbers, *args[1:], **kw)
        order = numbers if order is None else order
        _set_state(f.__self__, state)
        if f.__name__ != "shuffle":
            result = f(*args, **kw)
            same = (
                is_array(result)
                and result.shape == array.shape
                and np.array_equal(result, array[order], equal_nan=True)
            )
            return (
                self.emit("getitem", args[:1], result, {"k": order})
                if same
                else self.adopt(result, "random.permutation", args[:1])
            )
        self._overwrite(array, Spelling("getitem", (array,), {"k": order}), lambda: f(*args, **kw))
        return None

    def _vectorize(self, f: Any, args: tuple[Any, ...], kw: Kw) -> Any:
        """Hand over the elements one by one, as objects that are known, and note what came of each."""
        if (
            kw
            or f.signature is not None
            or f.excluded
            or not args
            or not all(is_array(x) or is_number(x) for x in args)
        ):
            return self._foreign(f, args, kw)
        results: list[Any] = []

        def function(*items: Any) -> Any:
            results.append(self.call(f.pyfunc, *items))
            return results[-1]

        twin = np.vectorize(function, otypes=f.otypes, cache=f.cache)
        result = twin(*(self._objects(x) for x in args))
        if not is_array(result) or len(results) < result.size:
            return self.adopt(result, "vectorize", args)
        refs = tuple(self.values.ref(x) for x in results[-result.size :])
        self.values.register(result, self.add("stack", refs, {}, result))
        return result

    def _objects(self, x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        objects = x.astype(object)
        for where in np.ndindex(x.shape):
            if is_number(objects[where]):
                self._is_element(objects[where], x, where)
        return objects


class _Target:
    """Stands in an assignment for an array whose element is assigned."""

    def __init__(self, recorder: Recorder, array: Any) -> None:
        self.recorder, self.array = recorder, array

    def __setitem__(self, k: Any, value: Any) -> None:
        self.recorder.store(self.array, k, value)


def _kept(k: Any) -> Any:
    """A key as it is now: the program may change its arrays."""
    if isinstance(k, tuple):
        return tuple(_kept(x) for x in k)
    return np.array(k) if isinstance(k, np.ndarray | list) else k


def _written(array: Array, value: Any, where: Any) -> Spelling:
    if where is None:
        return Spelling("opaque", (array, value), {"name": "written"})
    return Spelling("setitem", (array, value), {"k": where})


def _made(f: Any) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    module = getattr(f, "__module__", None) or type(getattr(f, "__self__", None)).__module__
    return f"random.{name}" if module == "random" else name


def _size(args: Iterable[Any]) -> int:
    """How many elements the arrays among these have."""
    lists = sum(_size(x) for x in args if isinstance(x, list | tuple) and len(x) < 100)
    return lists + sum(x.size for x in args if isinstance(x, np.ndarray))


def _state(generator: Any) -> Any:
    bits = getattr(generator, "bit_generator", None)
    return copy.deepcopy(bits.state) if bits is not None else generator.get_state()


def _state_of(generator: Any) -> bytes:
    """Where a generator's numbers go on from; None stands for NumPy's own."""
    if generator is None:
        return pickle.dumps(np.random.get_state())  # noqa: NPY002
    return pickle.dumps(generator.getstate() if isinstance(generator, random.Random) else _state(generator))


def _set_state(generator: Any, state: Any) -> None:
    bits = getattr(generator, "bit_generator", None)
    if bits is not None:
        bits.state = state
    else:
        generator.set_state(state)


_MOVES = (
    "reshape ravel flatten transpose squeeze swapaxes expand_dims atleast_1d atleast_2d atleast_3d broadcast_to "
    "moveaxis rollaxis flip fliplr flipud rot90 roll tile repeat diag diagflat diagonal resize delete take triu "
    "tril pad append take_along_axis matrix_transpose sliding_window_view as_strided concatenate hstack vstack "
    "dstack column_stack stack insert sort block"
)
MOVES = frozenset(_MOVES.split())
NUMPY_HANDLERS = {Recorder._numpy, Recorder._method, Recorder._ufunc, Recorder._random}
HANDLERS: Mapping[Any, Callable[..., Any]] = {
    **dict.fromkeys(MATH, Recorder._math),
    **dict.fromkeys(OPERATORS, Recorder._operator),
    **dict.fromkeys(ITERATING, Recorder._iterating),
    **dict.fromkeys(EXTREMES, Recorder._extreme),
    **dict.fromkeys(ARRAYS, Recorder._array),
    **dict.fromkeys([float, np.float64, np.float32, np.float16], Recorder._number),
    **dict.fromkeys(LIKE, Recorder._like),
    **dict.fromkeys([np.random.seed, np.random.default_rng, np.random.RandomState], Recorder._seed),
    **dict.fromkeys([random.seed, random.Random], Recorder._seed),
    itertools.accumulate: Recorder._accumulate,
    builtins.sum: Recorder._sum,
    builtins.map: Recorder._map,
    builtins.reversed: Recorder._reversed,
    functools.reduce: Recorder._reduce,
    copy.deepcopy: Recorder._deepcopy,
    copy.copy: Recorder._copy,
    operator.getitem: Recorder._getitem,
}
