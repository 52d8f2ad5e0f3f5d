"""Which node a value of the program belongs to: by its identity, and for arrays by the memory that they share."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from byhand.diagnosis.tape.nodes import Array, Const, Strided, Tape

SMALL = 1_000_000  # bytes; larger arrays that were never written aren't copied when recording pauses
MANY = 200_000  # values that are known at a time


def is_number(x: Any) -> bool:
    """Whether it has an identity of its own and a derivative: a float or a NumPy scalar, but no bool."""
    return type(x) is float or (isinstance(x, np.number) and x.dtype.kind in "fiuc")


def is_array(x: Any) -> bool:
    """Whether it is an array of numbers."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "fiubc"


class Buffer:
    """Memory that views share: its owner, the node of its content, and how often it was written."""

    __slots__ = ("node", "owner", "sharing", "version", "written")

    def __init__(self, owner: Array) -> None:
        self.owner, self.node, self.version, self.written = owner, -1, 0, False
        self.sharing: list[int] = []  # nodes whose value is this memory


class Known:
    """What is known of one value; it keeps the value alive, so that its identity stays its own."""

    __slots__ = ("born", "made", "name", "node", "source", "value", "version")

    def __init__(self, value: Any, made: str | None = None, node: int = -1, version: int = 0) -> None:
        self.value, self.made, self.node, self.version = value, made, node, version
        self.name: str | None = None
        self.born: tuple[int, str] | None = None  # the line and file where it came to be
        self.source: tuple[int, int] | None = None  # the node and index of the array that it is an element of


class Values:
    """The values of a program that have nodes, or get one when they are used."""

    def __init__(self, tape: Tape, add: Any) -> None:
        self.tape, self.add = tape, add
        self.known: dict[int, Known] = {}
        self.buffers: dict[int, Buffer] = {}
        self.literals: dict[int, float] = {}  # that stand in the program's text
        self.unmade: str | None = None  # how values came to be that nobody saw coming
        self.bytes = 0
        self.guarded: list[tuple[Array, int]] = []

    # Looking up

    def ref(self, x: Any) -> int | Const:
        """The operand that x is: its node where it has or deserves one."""
        if isinstance(x, np.ndarray):
            return self.array_node(x) if is_array(x) else Const(x)
        if is_number(x):
            return Const(x) if id(x) in self.literals else self.number_node(x)
        if isinstance(x, list | tuple) and self.holds_known(x):
            return self.stack_node(x)
        return Const(x)

    def is_known(self, x: Any) -> bool:
        """Whether x has a node or was seen to be made."""
        if isinstance(x, np.ndarray):
            return id(x) in self.known or id(owner_of(x)) in self.buffers
        return id(x) in self.known

    def is_drawn(self, x: Any) -> bool:
        """Whether x is a number as it was drawn."""
        known = self.known.get(id(x))
        return known is not None and known.value is x and str(known.made).startswith("random.")

    def holds_known(self, x: Any, depth: int = 4) -> bool:
        """Whether x is known, or a list or tuple in which something is."""
        if isinstance(x, list | tuple):
            return depth > 0 and any(self.holds_known(y, depth - 1) for y in x[:2000])
        return not isinstance(x, int) and self.is_known(x)

    def number_node(self, x: Any) -> int:
        """The node of a scalar; a leaf when it is new."""
        known = self.known.get(id(x))
        if known is None:
            known = self.known[id(x)] = Known(x, self.unmade)
        if known.node < 0:
            if known.source is not None:
                known.node = self.add("getitem", (known.source[0],), {"k": known.source[1]}, x)
            else:
                known.node = self.add("leaf", (), {"made": known.made}, x)
            self._name(known)
        return known.node

    def array_node(self, x: Array) -> int:
        """The node of an array as it is now: its own, or a part of the memory that it is a view of, or a leaf."""
        known, buffer = self.known.get(id(x)), self.buffer(x)
        if known is not None and known.node >= 0 and known.version == buffer.version:
            return known.node
        if known is None:
            known = self.known[id(x)] = Known(x, self.unmade)
        before = known.node
        known.node, known.version = self._content(x, known, buffer), buffer.version
        if 0 <= before < known.node and (node := self.tape.nodes[known.node]).op == "gather":
            node.kw["born"] = self.tape.nodes[before].line, self.tape.nodes[before].file
        self._name(known)
        return known.node

    def _content(self, x: Array, known: Known, buffer: Buffer) -> int:
        owner = buffer.owner
        is_whole = x is owner or _same_order(x, owner)
        index = None if is_whole or x.dtype != owner.dtype else index_in(x, owner)
        if (is_whole and buffer.node < 0) or (not is_whole and index is None):
            node: int = self.add("leaf", (), {"made": known.made}, x)
            if known.born is not None:
                self.tape.nodes[node].kw["born"] = known.born
            if is_whole:
                buffer.node = node
            return node
        if buffer.node < 0:
            buffer.node = self.add("leaf", (), {"made": known.made}, owner)
        if is_whole and self.tape.nodes[buffer.node].value.shape == x.shape:
            return buffer.node
        idx = index if index is not None else Strided(0, _steps(x.shape), x.shape)
        return self.add("gather", (buffer.node,), {"idx": idx}, x)

    def stack_node(self, x: Any) -> int | Const:
        """The node of a nested list as the array that NumPy makes of it."""
        flat: list[Any] = []
        _flatten(x, flat)
        try:
            value = np.array(x)
        except (ValueError, TypeError):
            return Const(x)
        if value.dtype.kind not in "fiub" or sum(np.size(y) for y in flat) != value.size:
            return Const(x)
        return self.add("stack", tuple(self.ref(y) for y in flat), {}, value)

    def buffer(self, x: Array) -> Buffer:
        """The memory of x."""
        owner = owner_of(x)
        buffer = self.buffers.get(id(owner))
        if buffer is None:
            buffer = self.buffers[id(owner)] = Buffer(owner)
        return buffer

    # Making known

    def register(self, x: Any, node: int) -> None:
        """X is the result of node."""
        known = Known(x, None, node)
        self.known[id(x)] = known
        if isinstance(x, np.ndarray):
            buffer = self.buffer(x)
            known.version = buffer.version
            if buffer.node < 0 and (x is buffer.owner or _same_order(x, buffer.owner)):
                buffer.node = node

    def expect(self, x: Any, made: str | None, name: str | None = None, born: tuple[int, str] | None = None) -> None:
        """X came to be; it becomes a leaf when it is used."""
        known = self.known.get(id(x))
        if known is None and len(self.known) < MANY:
            known = self.known[id(x)] = Known(x, made)
            known.born = born
        if known is not None and name is not None:
            known.name = known.name or name
            if known.node >= 0:
                self._name(known)

    def _name(self, known: Known) -> None:
        if known.name is not None:
            self.tape.names.setdefault(known.node, known.name)

    # Memory

    def keep(self, x: Any, node: int, is_new: bool) -> Array:
        """The value for a node: x itself if it is an array; note that it shares the program's memory."""
        if not isinstance(x, np.ndarray):
            return np.asarray(x)
        owner = owner_of(x)
        buffer = self.buffers.get(id(owner))
        if buffer is None:
            buffer = self.buffers[id(owner)] = Buffer(owner)
            self.bytes += x.nbytes if is_new else 0
        buffer.sharing.append(node)
        return x if type(x) is np.ndarray else x.view(np.ndarray)

    def before_write(self, x: Array) -> None:
        """The memory of x is about to change: nodes that share it get their own copy."""
        buffer = self.buffer(x)
        if not buffer.written:
            buffer.written = True
            self._release(buffer.owner)
        nodes = self.tape.nodes
        for node in buffer.sharing:
            nodes[node].value = nodes[node].value.copy()
            self.bytes += nodes[node].value.nbytes
        buffer.sharing.clear()

    def written(self, x: Array, node: int) -> None:
        """The memory of x was written: node is what x holds now."""
        buffer = self.buffer(x)
        buffer.version += 1
        self.known[id(x)] = known = self.known.get(id(x)) or Known(x)
        known.node, known.version = node, buffer.version
        shape = self.tape.nodes[buffer.node].value.shape if buffer.node >= 0 else x.shape
        is_whole = x is buffer.owner or _same_order(x, buffer.owner)
        if is_whole and shape == x.shape:
            buffer.node = node
            return
        index = index_in(x, buffer.owner) if x.dtype == buffer.owner.dtype else None
        if buffer.node < 0 or index is None:
            buffer.node = -1
        else:  # the memory keeps the shape in which it is known
            content = buffer.owner.reshape(shape) if buffer.owner.flags.c_contiguous else buffer.owner
            buffer.node = self.add("scatter", (buffer.node, node), {"idx": index}, content)

    def let_go(self) -> None:
        """Recording pauses: what the program may now write unseen is copied, and no array is known any more."""
        for buffer in self.buffers.values():
            if not buffer.sharing:
                continue
            if buffer.written or buffer.owner.nbytes <= SMALL:
                self._copy(buffer)
            else:
                self.guarded.append((buffer.owner, _checksum(buffer.owner)))
        self.known = {i: known for i, known in self.known.items() if not isinstance(known.value, np.ndarray)}
        self.buffers.clear()

    def _copy(self, buffer: Buffer) -> None:
        copies: dict[int, Array] = {}
        for i in buffer.sharing:
            node = self.tape.nodes[i]
            before = node.value
            if id(before) not in copies:
                copies[id(before)] = before.copy()
                copies[-id(before)] = before  # lives on, so that its identity isn't given away
            node.value = copies[id(before)]

    def _release(self, owner: Array) -> None:
        """Nodes of earlier windows that share this memory get their own copy, if it is still what it was."""
        for guarded, before in self.guarded:
            if guarded is owner and _checksum(owner) == before:
                for node in self.tape.nodes:
                    if owner_of(node.value) is owner:
                        node.value = node.value.copy()

    def look_after(self) -> None:
        """Values of nodes whose memory was written after all while nobody looked are lost: they become NaN."""
        changed = {id(owner) for owner, before in self.guarded if _checksum(owner) != before}
        self.guarded.clear()
        for node in self.tape.nodes if changed else ():
            if id(owner_of(node.value)) in changed:
                node.value = np.broadcast_to(np.float64(np.nan), node.value.shape)


def owner_of(x: Array) -> Array:
    """The array whose memory x is a part of."""
    while True:
        base: Any = x.base
        if base is not None and not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)  # NumPy's holder of a strided view
        if not isinstance(base, np.ndarray):
            return x
        x = base


def index_in(x: Array, owner: Array) -> Strided | Array | None:
    """Flat indices of the elements of x in its owner; None when they aren't whole elements of it."""
    size = owner.itemsize
    offset = x.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    if offset < 0 or offset % size or any(step % size for step in x.strides):
        return None
    strided = Strided(offset // size, [step // size for step in x.strides], x.shape)
    if owner.flags.c_contiguous:
        return strided
    numbers = np.empty_like(owner, dtype=np.intp, subok=False)
    numbers[...] = np.arange(owner.size).reshape(owner.shape)
    if [step // numbers.itemsize for step in numbers.strides] != [step // size for step in owner.strides]:
        return None
    return numbers.ravel(order="K")[strided]


def _same_order(x: Array, owner: Array) -> bool:
    return x.size == owner.size and x.dtype == owner.dtype and x.flags.c_contiguous and owner.flags.c_contiguous


def _steps(shape: tuple[int, ...]) -> list[int]:
    return [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]


def _flatten(x: Any, flat: list[Any]) -> None:
    for y in x:
        if isinstance(y, list | tuple):
            _flatten(y, flat)
        else:
            flat.append(y)


def _checksum(x: Array) -> int:
    words: Any = x.ravel(order="K").view(np.uint8)
    return zlib.crc32(words)
