"""What stands on a tape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Slope: TypeAlias = "tuple[Array | float, tuple[int, ...], bool]"
"""A derivative, element by element, the shape of the operand, and whether the result is finite."""


@dataclass(slots=True, frozen=True)
class Const:
    """An operand that nobody follows: a literal, a list of plain numbers."""

    value: Any


@dataclass(slots=True)
class Node:
    """One operation that was carried out once.

    Attributes
    ----------
    op : str
        A word of the vocabulary that `derive.RULES` has a rule for, or ``leaf``, or ``opaque`` (no rule).
    args : tuple
        The operands: ids of nodes, or `Const`.
    kw : dict
        What else the operation was told (axis, key, indices), or how a leaf was made (``made``)
        and on what line of which file (``born``), where that was seen.
    value : ndarray
        The result, 0-d for a scalar. It may be the program's own memory as long as that isn't written.
    line : int
        Where in `file`.
    site : tuple
        The operation and its place in the text of up to four frames: equal for the same call path, at every tick.
    file : str
        "" for the script itself, else the name of the module beside it.
    slopes : dict or None
        The derivatives of a function of numbers by its operands, with guards left away or not: what `derive.vjp` keeps.
    """

    op: str
    args: tuple[int | Const, ...]
    kw: dict[str, Any]
    value: Array
    line: int
    site: tuple[Any, ...]
    file: str
    slopes: dict[bool, list[Slope | None]] | None = field(init=False, repr=False, compare=False, default=None)
    _parents: list[int] | None = field(init=False, repr=False, compare=False, default=None)

    @property
    def is_drawn(self) -> bool:
        """Whether it is random numbers as they were drawn."""
        return str(self.kw.get("made")).startswith("random.")

    @property
    def place(self) -> tuple[Any, ...]:
        """The operation and its place in the text, from wherever its function was called."""
        return self.site[:2]

    def parents(self) -> list[int]:
        """The operands that are nodes: a list to read, not to change, found once as it is asked for often."""
        if self._parents is None:
            self._parents = [a for a in self.args if type(a) is int]
        return self._parents


@dataclass(slots=True)
class Loop:
    """A loop that ran, once for each time that it was entered while recording.

    Attributes
    ----------
    line, file
        Where it stands.
    depth : int
        How many recorded loops it ran in.
    ticks : int
        How often its body was begun.
    length : int or None
        How often it was going to be, where the program says so.
    """

    line: int
    file: str
    depth: int
    ticks: int = 0
    length: int | None = None


@dataclass(slots=True)
class Window:
    """A stretch without gaps: nodes `start` to `end` (left out), and the ticks of the loops (their index) it covers."""

    start: int
    end: int
    ticks: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Series:
    """A list of numbers that the program kept: some of its values, evenly thinned, at their indices."""

    indices: list[int]
    values: list[float]
    length: int


@dataclass(slots=True, frozen=True)
class Seeding:
    """A generator of random numbers was given a seed: before which node, and where in the text.

    It is seeded again where numbers were drawn since the last time, and the same will be drawn once more.
    """

    before: int
    line: int
    file: str
    is_again: bool


@dataclass(slots=True, frozen=True)
class Kept:
    """An array that was kept beside the best number so far: its numbers then, itself, and where it got which name."""

    value: npt.NDArray[Any]
    array: npt.NDArray[Any]
    name: str
    line: int
    file: str


@dataclass(slots=True, frozen=True)
class Lost:
    """A call of NumPy's whose result, an array, was given no name and put nowhere."""

    function: str
    line: int
    file: str


@dataclass(slots=True)
class Tape:
    """All that was recorded.

    Attributes
    ----------
    nodes : list of Node
    names : dict
        Node id to the text of the assignment target that first received it.
    windows, loops
        When nodes were recorded. Between two windows arrays may have changed: they begin as leaves made 'resumed'.
    series : dict
        The program's own lists of numbers, by name, as they were at its end.
    seeded : list of Seeding
        Each time, while recording, that random numbers were made to begin at a given place.
    kept : list of Kept
        What was kept of the best so far, the first few times.
    lost : dict
        What was lost, and how often.
    output : str
        What it printed; cut in the middle when long.
    is_full : bool
        Whether recording ended for want of room.
    """

    nodes: list[Node] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    series: dict[str, Series] = field(default_factory=dict)
    seeded: list[Seeding] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    lost: dict[Lost, int] = field(default_factory=dict)
    output: str = ""
    is_full: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether there was no room, a loop inside another was left out in part, or no outermost one was seen twice."""
        if self.is_full:
            return True
        seen = {k: ticks[1] for w in reversed(self.windows) for k, ticks in w.ticks.items()}
        return any(
            seen.get(k, 0) < (loop.ticks if loop.depth else min(loop.ticks, 2)) for k, loop in enumerate(self.loops)
        )


class Strided:
    """Flat indices of a view: they take no room until somebody asks for the numbers.

    NumPy takes it wherever it takes an array of indices.
    """

    __slots__ = ("shape", "start", "steps")

    def __init__(self, start: int, steps: Sequence[int], shape: tuple[int, ...]) -> None:
        self.start, self.steps, self.shape = start, tuple(steps), shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[np.intp]:
        indices = np.full(self.shape, self.start, dtype=np.intp)
        for axis, (size, step) in enumerate(zip(self.shape, self.steps, strict=True)):
            indices += (np.arange(size) * step).reshape([-1 if i == axis else 1 for i in range(len(self.shape))])
        return indices
