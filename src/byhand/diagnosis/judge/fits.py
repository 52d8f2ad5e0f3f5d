"""How far changes of a parameter are multiples of a gradient: numbers alone, no tape."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.roles import NodeId
from byhand.diagnosis.tape.nodes import Node

_WHOLE, _LARGEST_WHOLE = 1e-9, 10_000  # how nearly a ratio is whole, and up to where that is no chance
EQUAL = 1e-4  # how nearly the factors of two steps are one
EXACT, _SINGLE = 1e-6, 2e-3
_CLEAR, _CLEAR_NUMBER = 1e3, 1e5  # of rounding: a single number's factor also bears what 1 - a has lost
_FADED = 1e-7  # of the longest step
_FEWEST_OF_A_MARGIN = 2  # numbers of a parameter: a rate of its own for each step leaves one
_FEWEST_OF_TWO, _FEWEST_SHARE = 6, 1e-2  # numbers that two factors explain, and of the longest change
_LEAST = 1e-5  # of a step that is no rounding
_LINE = 1e-7  # of the largest, what is rounding
_PLAIN = 1e-250  # a square that has kept its digits

Kind: TypeAlias = Literal[
    "follows", "opposes", "brakes", "optimizer", "accumulates", "still", "flat", "scattered", "few", "other"
]


@dataclass(frozen=True)
class Step:
    """One step of a parameter, and the gradient at the version before it."""

    before: NodeId
    after: NodeId
    change: Array
    gradient: Array


@dataclass
class Explanation:
    """How the steps of one parameter relate to a gradient.

    Attributes
    ----------
    kind : str
        "follows": each change is the gradient times one negative factor; "opposes": a positive one; "brakes": each also
        takes back a share of the change before; "optimizer": an optimizer makes the change from the gradient;
        "accumulates": from the sum of all gradients so far; "still": nothing changes though the gradient isn't 0;
        "flat": the gradient is 0, and nothing changes; "scattered": a factor of its own in each step; "few": too few
        numbers to tell; "other": no multiple of the gradient.
    factors : dict
        The factor at the version before each step.
    evidence : int
        Independent numbers explained, minus free factors.
    spans : list of (int, int)
        The versions between which the steps lie.
    way : tuple or None
        Where an optimizer takes the gradient up, and the factor that it has there.
    total : int or None
        Where all gradients so far are added up.
    share : float
        What each step has beside its part along the gradient: of the number itself, or of the change before.
    """

    kind: Kind
    factors: dict[NodeId, float] = field(default_factory=dict)
    evidence: int = 0
    spans: list[tuple[NodeId, NodeId]] = field(default_factory=list)
    way: tuple[Hashable, float] | None = None
    total: NodeId | None = None
    share: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the steps are explained by the gradient, the sign aside."""
        return self.kind in ("follows", "opposes", "brakes", "optimizer") and self.evidence > 0

    @property
    def right(self) -> bool:
        """Whether they go down along it."""
        return self.kind in ("follows", "optimizer") and self.evidence > 0


def explain(
    steps: Sequence[Step], nodes: Sequence[Node], scales: Sequence[Callable[[Step], float | None]] = ()
) -> Explanation:
    """What steps are to their gradients, as one factor for all of them or one that goes with the learning rate."""
    factors: dict[NodeId, float] = {}
    by_step: dict[NodeId, Step] = {}
    sizes = [_largest(s.change) for s in steps]  # not finite if one number isn't
    longest = 0.0  # so far: an explosion later on makes nothing before it rounding
    still: dict[NodeId, float] = {}  # and how large the gradient is beside rounding
    numbers = 0
    for step, size in zip(steps, sizes, strict=True):
        steepest = _largest(step.gradient)
        if not (math.isfinite(size) and math.isfinite(steepest)):
            break  # the numbers have left what can be compared
        longest = max(longest, size)
        old = nodes[step.before].value
        noise = 8 * _eps(old.dtype) * _largest(old)
        c = proportion(step.change, step.gradient, tolerance_of(old), noise)
        if c is None and size < _FADED * longest:
            continue  # saturated: what is left of 1 - a is rounding
        if c is None:
            return Explanation("other")
        if not steepest:
            continue
        if not size:
            still[step.before] = steepest / (noise or 1.0)
            continue
        if size > (_CLEAR if step.change.size > 1 else _CLEAR_NUMBER) * noise:
            factors[step.before] = c
            by_step[step.before] = step
            numbers += int(np.count_nonzero(step.gradient))
    usual = float(np.median(np.abs(list(factors.values())))) if factors else np.inf
    factors |= {v: 0.0 for v, size in still.items() if usual * size > 1}
    if not factors:
        return Explanation("flat" if not any(sizes) else "few")
    values = list(factors.values())
    if not any(values):
        return Explanation("still", factors)
    if min(values) <= 0 <= max(values):
        return Explanation("scattered", factors)
    if not all_equal(values) and not any(_goes_with(scale, factors, by_step) for scale in scales):
        return Explanation("scattered", factors)
    if numbers < 2:
        return Explanation("few", factors)
    return Explanation("follows" if values[0] < 0 else "opposes", factors, numbers - 1)


@cache
def _eps(dtype: np.dtype[Any]) -> float:
    """What numbers of a kind are rounded to."""
    return float(np.finfo(dtype if dtype.kind == "f" else float).eps)


def _largest(x: Array) -> float:
    """The largest of some numbers, without their signs."""
    return float(abs(x.item())) if x.size == 1 else float(np.maximum.reduce(np.abs(x), axis=None, initial=0))


def _goes_with(
    scale: Callable[[Step], float | None], factors: Mapping[NodeId, float], steps: Mapping[NodeId, Step]
) -> bool:
    """Whether the steps' factors are one number times a scale of each step."""
    scales = {v: scale(s) for v, s in steps.items()}
    return all(scales.values()) and all_equal([c / (scales[v] or 1.0) for v, c in factors.items()])


def shrinks(steps: Sequence[Step], nodes: Sequence[Node]) -> bool:
    """Whether steps are made of their gradients, the parameter itself and its signs: a penalty that no loss shows.

    Several only where they are of one rate.
    """
    rows = [(s.change, s.gradient, nodes[s.before].value, np.sign(nodes[s.before].value)) for s in steps]
    d, *columns = (np.concatenate([np.ravel(row[k]) for row in rows]).astype(float) for k in range(4))
    made_of = np.stack(columns, axis=1)
    if d.size < 4 or not (np.isfinite(made_of).all() and np.isfinite(d).all()):
        return True
    factors, *_ = np.linalg.lstsq(made_of, d, rcond=None)
    return bool(np.abs(made_of @ factors - d).max() <= tolerance_of(nodes[steps[0].before].value) * np.abs(d).max())


def with_decay(steps: Sequence[Step], nodes: Sequence[Node]) -> Explanation | None:
    """Steps along the gradient that also shrink each number they touch by one share: weight decay outside the loss."""
    found = _gradient_and_share(steps, nodes)
    if found is None or found[1] > 0 or _are_numbers_on_a_line(steps, nodes):
        return None
    outside = any(np.any(s.change[s.gradient == 0]) for s in steps)
    if outside or not found[0]:
        return None
    kind: Kind = "follows" if found[0] < 0 else "opposes"
    return Explanation(kind, {s.before: found[0] for s in steps}, found[2] - 2, share=found[1])


def with_penalty(steps: Sequence[Step], nodes: Sequence[Node]) -> Explanation | None:
    """Steps of rates of their own along the gradient and one multiple of the parameter: a margin with a penalty.

    Where the gradient is 0 the parameter shrinks, or stays. `share` is that multiple, as of a gradient.
    """
    factors, ratios, evidence = dict[NodeId, float](), list[float](), 0
    for s in steps:
        g, w, d = (np.ravel(x).astype(float) for x in (s.gradient, nodes[s.before].value, s.change))
        tolerance = tolerance_of(nodes[s.before].value)
        if not np.isfinite([g, w, d]).all() or d.size < _FEWEST_OF_A_MARGIN:
            return None
        if not g.any():
            c = proportion(d, w, tolerance)
            if c is None or not -1 - tolerance <= c <= 0:
                return None
            continue
        (factor, share), _, rank, _ = np.linalg.lstsq(np.stack([g, w], axis=1), d, rcond=None)
        off = np.abs(factor * g + share * w - d).max()
        if off > tolerance * max(np.abs(d).max(), np.abs(share * w).max()) or not factor < 0:
            return None
        factors[s.before] = float(factor)
        if rank > 1:
            ratios.append(float(share / factor))
            evidence += d.size - 1
    if len(ratios) < _FEWEST_OF_TWO or not all_equal(ratios) or not ratios[0] > 0:
        return None
    return Explanation("follows", factors, evidence - 1, share=ratios[0])  # a rate for each step, and one ratio


def _on_a_line(x: Array, y: Array) -> bool:
    """Whether y is x times a number plus another: all that is such can be made of the two: that tells nothing."""
    columns = [v / (np.abs(v).max(initial=0) or 1.0) for v in (x, y, np.ones_like(x))]
    return int(np.linalg.matrix_rank(np.stack(columns, axis=1), tol=_LINE)) < len(columns)


def _are_numbers_on_a_line(steps: Sequence[Step], nodes: Sequence[Node]) -> bool:
    """Whether steps are of a single number, and its gradient is as on a parabola: of all samples, in each step."""
    pairs = [(s.gradient.item(), float(nodes[s.before].value.item())) for s in steps if s.change.size == 1]
    return bool(pairs) and bool(np.isfinite(pairs).all()) and _on_a_line(*np.array(pairs).T)


def brakes(steps: Sequence[Step], nodes: Sequence[Node]) -> Explanation | None:
    """Steps along the gradient of which each takes back a share of the one before: a momentum of the wrong sign."""
    pairs = [(a, b) for a, b in pairwise(steps) if a.after == b.before]
    if not pairs:
        return None
    d, g, last = (
        np.concatenate([np.ravel(x) for x in columns]).astype(float)
        for columns in zip(*((b.change, b.gradient, a.change) for a, b in pairs), strict=True)
    )
    made_of = np.stack([g, last], axis=1)
    if d.size < _FEWEST_OF_TWO or not np.isfinite([d, g, last]).all():
        return None
    (factor, share), _, rank, _ = np.linalg.lstsq(made_of, d, rcond=None)
    longest = np.abs(d).max()
    parts = np.abs(made_of * (factor, share)).max(axis=0)
    off = np.abs(made_of @ (factor, share) - d).max()
    is_so = (
        rank > 1
        and not _on_a_line(g, last)
        and off <= tolerance_of(nodes[steps[0].before].value) * longest
        and min(parts) > _CLEAR * off
    )
    if not is_so or not (factor < 0 and -1 <= share < 0) or min(parts) < _FEWEST_SHARE * longest:
        return None
    return Explanation("brakes", {s.before: float(factor) for s in steps}, d.size - 2, share=float(share))


def growth(steps: Sequence[Step], nodes: Sequence[Node]) -> float | None:
    """The share of itself by which each number grows beside its step along the gradient; None if none does."""
    found = _gradient_and_share(steps, nodes)
    if found is None or _are_numbers_on_a_line(steps, nodes):
        return None
    grown = (found[1] * np.abs(nodes[s.before].value).max() > _LEAST * np.abs(s.change).max() for s in steps)
    return found[1] if found[0] < 0 < found[1] and any(grown) else None


def _gradient_and_share(steps: Sequence[Step], nodes: Sequence[Node]) -> tuple[float, float, int] | None:
    """What steps have of the gradient and of the parameter, and in how many numbers, if they are made of these two."""
    tolerance = tolerance_of(nodes[steps[0].before].value) if steps else EXACT
    rows: list[list[Array]] = []
    few = 0
    for s in steps:
        moved = s.gradient != 0
        if moved.any():  # each step by its own length: one of an explosion would hide all before it
            length = float(np.abs(s.change[moved]).max()) or 1.0
            rows.append([x[moved] / length for x in (s.change, s.gradient, nodes[s.before].value)])
            before, few = few, few + rows[-1][0].size
            if before < _FEWEST_OF_TWO <= few and _is_plainly_of_others(*_joined(rows), tolerance):
                return None
    if few < 4:
        return None
    d, g, w = _joined(rows)
    if not np.isfinite([d, g, w]).all():
        return None
    factors, _, rank, _ = np.linalg.lstsq(np.stack([g, w], axis=1), d, rcond=None)
    off = np.abs(g * factors[0] + w * factors[1] - d)
    if rank < 2 or off.max() > tolerance * np.abs(d).max():
        return None
    return float(factors[0]), float(factors[1]), d.size


def _joined(rows: Sequence[Sequence[Array]]) -> tuple[Array, Array, Array]:
    """The steps, gradients and parameters of rows, each one behind the other."""
    d, g, w = (np.concatenate([np.ravel(row[k]) for row in rows]).astype(float) for k in range(3))
    return d, g, w


def _is_plainly_of_others(d: Array, g: Array, w: Array, tolerance: float) -> bool:
    """Whether the first steps, of length 1, show that they are not made of gradient and parameter, as most show.

    What the best two factors leave of the first steps, by its square, is no more than those of all steps leave there.
    """
    gg = float(g @ g)
    if not _PLAIN < gg < 1 / _PLAIN:
        return False
    d, w = d - float(d @ g) / gg * g, w - float(w @ g) / gg * g
    ww = float(w @ w)
    if w.any() and not _PLAIN < ww < 1 / _PLAIN:
        return False
    if ww:
        d = d - float(d @ w) / ww * w
    return float(d @ d) > 4 * d.size * tolerance**2


def proportion(d: Array, g: Array, tolerance: float, noise: float = 0.0) -> float | None:
    """The c for which d = c g, to the tolerance of the largest number; None if there is none; 0 if d is 0."""
    if d.size == g.size == 1:
        return _ratio(d.item(), g.item(), noise)
    d, g = np.ravel(d), np.ravel(g)
    if d.size != g.size or _is_far_from(d, g, tolerance, noise):
        return None
    farthest, largest = _largest(d), _largest(g)  # not finite if one number isn't
    if not (math.isfinite(farthest) and math.isfinite(largest)):
        return None
    if not largest:
        return 0.0 if farthest <= noise else None
    unit = g / largest
    c = float(d @ unit / (unit @ unit))
    scale = max(farthest, abs(c))
    if np.abs(d - c * unit).max() > tolerance * scale + noise:
        return None
    return float(c / largest)


def _is_far_from(d: Array, g: Array, tolerance: float, noise: float) -> bool:
    """Whether it is plain from three products that d is no multiple of g, as it is of most that it is held against.

    What c g leaves of d has the square `left`, so that one number of it is at least √(left / size); no number of d and
    of c g is larger than d is long. Where the products overflow or vanish, or are rounded too much, it is not plain.
    """
    if d.dtype != float or g.dtype != float:
        return False
    dd, dg, gg = float(d @ d), float(d @ g), float(g @ g)
    if not (gg > _PLAIN and dd > _PLAIN):
        return False
    left = dd - dg / gg * dg
    return left > d.size * (tolerance * math.sqrt(dd) + noise) ** 2


def angle(d: Array, g: Array) -> float:
    """Degrees between two directions; 0 where one of them is none."""
    d, g = np.ravel(d).astype(float), np.ravel(g).astype(float)
    lengths = float(np.linalg.norm(d) * np.linalg.norm(g))
    return float(np.degrees(np.arccos(np.clip(d @ g / lengths, -1, 1)))) if lengths else 0.0


def _ratio(d: float, g: float, noise: float) -> float | None:
    if not (math.isfinite(d) and math.isfinite(g)):
        return None
    return d / g if g else 0.0 if abs(d) <= noise else None


def tolerance_of(value: Array) -> float:
    """How nearly a number of this kind is what it should be."""
    return _SINGLE if value.dtype == np.float32 else EXACT


def equal(a: float, b: float | None) -> bool:
    """Whether two factors are one number, to `EQUAL`."""
    return b is not None and abs(a - b) <= EQUAL * max(abs(a), abs(b))


def all_equal(values: Sequence[float]) -> bool:
    """Whether factors are one number, to `EQUAL`."""
    return max(values) - min(values) <= EQUAL * max(map(abs, values))


def is_whole(factor: float) -> bool:
    """Whether a factor is a whole number or one over one: a number of samples, a 2."""
    either = (factor, 1 / factor) if factor else ()
    return any(abs(c - round(c)) <= _WHOLE * abs(c) for c in either if 0.5 < abs(c) < _LARGEST_WHOLE)


def nearest(factors: Mapping[NodeId, float], v: NodeId) -> float | None:
    """The factor of the step that began nearest to a version."""
    return factors[min(factors, key=lambda w: abs(w - v))] if factors else None
