"""What a way there keeps from one call to the next, as running averages: each must go on from itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import THING, Array, Claim, arrays_of, draw
from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.lines import line_of


def crossed(file: File, claim: Claim) -> tuple[str, str, int] | None:
    """The first thing that goes on from another one and not from itself: its place, the other's, and the line."""
    tables = {n: v for n, v in claim.given.items() if n.isidentifier() and isinstance(v, dict)}
    names = claim.run(file, lines=claim.forward)
    kept = [(e, a) for n in (*tables, THING) for e, a in arrays_of(names.get(n), n) if a.ndim and a.dtype.kind == "f"]
    kept = [(e, a) for e, a in kept if e in claim.given or not e.startswith(THING)]
    begun = {e: np.abs(draw(*a.shape)) + 1 for e, a in kept if not np.array_equal(a, claim.given.get(e, np.nan))}
    held: dict[str, Any] = {n: {**table, **_entries(names[n])} for n, table in tables.items()}

    def after(place: str, moved: str = "") -> Array:
        new = {e: a + (e == moved) for e, a in begun.items()}
        return np.asarray(eval(place, {}, claim.run(file, {**held, **new}, lines=claim.forward)))

    for place in begun:
        before = after(place)
        others = [other for other in begun if not np.array_equal(after(place, other), before)]
        if others and place not in others:
            back = claim.functions[0].rpartition(".")[2]
            line = line_of(lambda: claim.run(file, {**held, **begun}, lines=claim.forward), back, [before], [0])
            return place, others[0], line
    return None


def _entries(table: dict[str, Any]) -> dict[str, Any]:
    """The arrays that lie in a table."""
    return {key: value for key, value in table.items() if isinstance(value, np.ndarray)}
