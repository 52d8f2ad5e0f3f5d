"""What a way there keeps from one call to the next, as running averages: each must go on from itself."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import THING, Array, Claim, arrays_of, draw
from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.lines import line_of

_NEAR = 1e-9
_LITTLE = 0.25
"""What keeps less of what it was is no average."""


class Averages:
    """What is kept and changes with each call.

    Attributes
    ----------
    begun : dict
        Numbers with which each begins, by its place.
    """

    def __init__(self, file: File, claim: Claim) -> None:
        self.file, self.claim = file, claim
        tables = {n: v for n, v in claim.given.items() if n.isidentifier() and isinstance(v, dict)}
        names = claim.run(file, lines=claim.forward)
        kept = [
            (e, a) for n in (*tables, THING) for e, a in arrays_of(names.get(n), n) if a.ndim and a.dtype.kind == "f"
        ]
        kept = [(e, a) for e, a in kept if e in claim.given or not e.startswith(THING)]
        self.begun = {
            e: np.abs(draw(*a.shape)) + 1 for e, a in kept if not np.array_equal(a, claim.given.get(e, np.nan))
        }
        self._held: dict[str, Any] = {n: {**table, **_entries(names[n])} for n, table in tables.items()}

    def after(self, place: str, moved: str = "") -> Array:
        """What is kept after a call; what is moved has begun 1 higher."""
        new = {e: a + (e == moved) for e, a in self.begun.items()}
        return np.asarray(eval(place, {}, self._run(new)))

    def line(self, place: str) -> int:
        """The line at which it is made."""
        there = self.claim.functions[0].rpartition(".")[2]
        return line_of(partial(self._run, self.begun), there, [self.after(place)], [0])

    def _run(self, begun: Mapping[str, Array]) -> dict[str, Any]:
        return self.claim.run(self.file, {**self._held, **begun}, lines=self.claim.forward)


def crossed(averages: Averages) -> tuple[str, str] | None:
    """The first thing that goes on from another one and not from itself: its place, and the other's."""
    for place in averages.begun:
        before = averages.after(place)
        others = [other for other in averages.begun if not np.array_equal(averages.after(place, other), before)]
        if others and place not in others:
            return place, others[0]
    return None


def swapped(averages: Averages) -> tuple[str, float, str] | None:
    """What keeps of itself the share that it should take from what is new: its place, that share, and who shows it.

    The smaller share is the wrong one, as an average is meant to go on from what it was: another average keeps the
    rest of it, or, where nobody does ("" then), it is small by the numbers that the file itself gives.
    """
    shares: dict[str, float] = {}
    for place in averages.begun:
        found = averages.after(place, place) - averages.after(place)
        if np.ptp(found) < _NEAR:
            shares[place] = float(found.flat[0])
    for place, share in sorted(shares.items(), key=lambda pair: pair[1]):
        for other, rest in shares.items():
            if abs(share + rest - 1) < _NEAR < rest - share:
                return place, share, other
    own = [place for place, share in shares.items() if _NEAR < share < _LITTLE and _is_written(averages.file, share)]
    return (own[0], shares[own[0]], "") if own else None


def _is_written(file: File, share: float) -> bool:
    """Whether the file has a share, or the rest of it, as a number, and not we."""
    nodes = [n for f in file.every.values() for n in ast.walk(f) if isinstance(n, ast.Constant)]
    return any(type(n.value) is float and min(abs(n.value - share), abs(1 - n.value - share)) < _NEAR for n in nodes)


def _entries(table: dict[str, Any]) -> dict[str, Any]:
    """The arrays that lie in a table."""
    return {key: value for key, value in table.items() if isinstance(value, np.ndarray)}
