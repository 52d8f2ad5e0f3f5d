"""A claim held against central differences of the loss that it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np

from byhand.diagnosis.check.claims import GIVEN, Array, Claim, is_named
from byhand.diagnosis.check.defined import File

Answer = Literal["right", "wrong", "unclear"]
OfGradient = Literal["right", "wrong", "unclear", "idle"]
"""Idle: it is 0, and so are the slopes."""

STEP = 1e-5
"""Of the central differences."""
NEAR, FAR = 1e-4, 1e-2
"""Below which part of the slope a difference is rounding, and above which it is a mistake."""
_DIRECTIONS = 8
_WHOLE = 300
"""Up to so many numbers a wrong gradient is compared one by one."""


@dataclass(frozen=True, eq=False)
class Compared:
    """How slopes are beside those that a gradient tells."""

    measured: Array
    told: Array

    @property
    def factor(self) -> float:
        """What the told gradient is multiplied with, to come nearest."""
        length = float(self.told @ self.told)
        return float(self.measured @ self.told) / length if length else 0.0

    @property
    def size(self) -> float:
        """The length of the slopes."""
        return float(np.linalg.norm(self.measured))

    def without(self, own: Array) -> Iterator[Compared]:
        """The same without a penalty's derivative, a positive multiple of the parameter itself, if it holds one."""
        more = float((self.told - self.measured) @ own / (own @ own))
        if more > NEAR:
            yield Compared(self.measured, self.told - more * own)

    def rest(self, factor: float) -> float:
        """What the gradient times a factor leaves of the slopes."""
        return float(np.linalg.norm(self.measured - factor * self.told))

    def answer(self, factor: float, scale: float, far: float = FAR) -> OfGradient:
        """Whether the gradient times a factor is right; `scale` is the length of the longest slopes of the claim."""
        if not np.isfinite(self.told).all():
            return "unclear"
        rest, length = self.rest(factor), max(self.size, NEAR * NEAR * scale)
        if max(self.size, float(np.linalg.norm(self.told))) < NEAR * NEAR * scale:
            return "idle"
        return "wrong" if rest > far * length else "right" if rest < NEAR * length else "unclear"


def slopes(value: Callable[[Array], float], at: Array, directions: Sequence[Array]) -> Array | None:
    """How fast a value grows along some directions; None where that is no clear number."""
    found = []
    for d in directions:
        one, two = ((value(at + h * d) - value(at - h * d)) / (2 * h) for h in (STEP, 2 * STEP))
        if not (np.isfinite(one) and abs(one - two) <= FAR * NEAR * (1 + abs(one))):
            return None
        found.append(one)
    return np.array(found)


def judged(file: File, claim: Claim) -> dict[str, OfGradient]:
    """For each parameter whether its gradient is that of the loss; empty where nothing shows."""
    names = claim.run(file)
    compared = {p: _compared(file, claim, p, names) for p in claim.gradients}
    every = [c for found in compared.values() for c in found]
    scale = max((float(np.linalg.norm(c.measured)) for c in every), default=0.0)
    told = max((float(np.linalg.norm(c.told)) for c in every), default=0.0)
    if scale < NEAR * NEAR and told < NEAR * NEAR:
        return {}
    if min(scale, told) < NEAR * NEAR:
        is_meant = claim.kind == "engine" or (told < scale and is_named(claim))
        return dict.fromkeys(compared, "wrong" if is_meant else "unclear")
    shared = _shared(file, claim, compared) if claim.kind == "loss" else 1.0
    factors = [shared * n for n in _counts(claim)]
    far = FAR / 10 if claim.kind == "slope" else FAR  # of a leak, 0.01, nothing may be lost
    answers: dict[str, OfGradient] = {}
    for p, found in compared.items():
        has_stepped = claim.gradients[p][0].startswith(GIVEN)  # at a rate of its own
        given = {c.answer(f, scale, far) for c in found for f in ((max(c.factor, 0.0),) if has_stepped else factors)}
        first: OfGradient = "right" if "right" in given else "idle" if "idle" in given else "unclear"
        answers[p] = "wrong" if given == {"wrong"} else first
    answers |= dict.fromkeys(_divided_alone(claim, compared, answers), "wrong")
    return answers | dict.fromkeys(_untold(file, claim), "unclear")


def _divided_alone(
    claim: Claim, compared: Mapping[str, Sequence[Compared]], answers: Mapping[str, OfGradient]
) -> list[str]:
    """The gradients that are means over axes of what is sent back, where others that have not these axes are sums."""
    if claim.kind != "way":
        return []
    factors = {
        p: next((n for n in sorted(_counts(claim)) for c in found if c.rest(n) < NEAR * c.size), 1)
        for p, found in compared.items()
        if answers[p] == "right"
    }
    [number, *others] = {n for n in factors.values() if n > 1} or {1}
    sums = [p for p, n in factors.items() if n == 1 and number not in np.shape(claim.given[p])]
    means = [p for p, n in factors.items() if n > 1]
    return min(means, sums, key=len) if sums and not others else []


def _untold(file: File, claim: Claim) -> Iterator[str]:
    """The parameters of an object that have no gradient though the loss depends on them."""
    for p in (p for p in claim.parameters if p not in claim.gradients and not p.isidentifier()):
        at = np.asarray(claim.given[p], float)
        found = slopes(lambda new, p=p: claim.loss(file, {p: new}), at, [np.ones(at.shape)])  # type: ignore[misc]
        if found is None or abs(found[0]) > NEAR:
            yield p


def _counts(claim: Claim) -> set[int]:
    """By what a gradient may be divided: nothing; or how many numbers some axes of what is sent back hold."""
    axes = np.shape(claim.given["goal0_"]) if claim.kind == "way" else ()
    return {int(np.prod(some)) for k in range(len(axes) + 1) for some in combinations(axes, k)}


def _shared(file: File, claim: Claim, compared: Mapping[str, Sequence[Compared]]) -> float:
    """The factor of a whole claim: none, where that makes a gradient right or it is another one for other numbers."""
    factor = _factor(compared)
    if factor is None or abs(factor - 1) < NEAR:
        return 1.0
    rng = np.random.default_rng(4)
    new = {p: np.asarray(claim.given[p]) * rng.uniform(0.4, 1, np.shape(claim.given[p])) for p in claim.gradients}
    others = (claim.redrawn(), claim.redrawn(), replace(claim, given=claim.given | new))
    seen = [factor_of(file, other) for other in others]  # some may be none that it is defined for
    return 1.0 if any(abs(factor - again) > FAR * factor for again in seen if again is not None) else factor


def with_factor(file: File, claim: Claim, right: Claim) -> Claim:
    """A claim with the factor that its gradients share in another one, in which they are right."""
    return replace(claim, factor=factor_of(file, right) or 1.0) if claim.kind == "loss" else claim


def factor_of(file: File, claim: Claim) -> float | None:
    """What the gradients of a claim are to be multiplied with, if they share that."""
    names = claim.run(file)
    return _factor({p: _compared(file, claim, p, names) for p in claim.gradients})


def _factor(compared: Mapping[str, Sequence[Compared]]) -> float | None:
    """What the gradients may share: 1, where that makes one right; else the factor of the longest right one, if any."""
    right = [c for found in compared.values() for c in found if c.factor > 0 and c.rest(c.factor) < NEAR * c.size]
    if any(c.rest(1.0) < NEAR * c.size for c in right):
        return 1.0
    return max(right, key=lambda c: c.size).factor if right else None


def _compared(file: File, claim: Claim, parameter: str, names: dict[str, Any]) -> list[Compared]:
    """Each candidate for a parameter's gradient beside the slopes; empty where these are no clear numbers."""
    measured = slopes(lambda new: claim.loss(file, {parameter: new}), *_directions(claim, parameter))
    return [] if measured is None else _beside(file, claim, parameter, names, measured)


def _directions(claim: Claim, parameter: str) -> tuple[Array, list[Array]]:
    """Where slopes for a parameter are measured, and along what."""
    at = np.asarray(claim.given[parameter], float)
    return at, _drawn(at.shape)


@lru_cache(maxsize=200)
def _drawn(shape: tuple[int, ...]) -> list[Array]:
    """Directions in which an array of some shape may go, the same each time: to read, not to change."""
    rng = np.random.default_rng(3)
    return [np.asarray(rng.normal(size=shape)) for _ in range(_DIRECTIONS)]


def _beside(file: File, claim: Claim, parameter: str, names: dict[str, Any], measured: Array) -> list[Compared]:
    """Each candidate for a parameter's gradient beside slopes that were measured."""
    at, directions = _directions(claim, parameter)
    told = [told_by(file, names, expression, at.shape) for expression in claim.gradients[parameter]]
    found = [Compared(measured, np.array([np.sum(g * d) for d in directions])) for g in told]
    own = np.array([np.sum(at * d) for d in directions])
    return [one for c in found for one in (c, *c.without(own))] if claim.kind == "way" else found


def mended(file: File, claim: Claim, wrong: str) -> Callable[[], bool]:
    """What says, once functions are others, whether the same loss has the right gradients now; one was wrong."""
    names = claim.run(file)
    loss, shared, has_stepped = names["loss_"], 1.0, claim.gradients[wrong][0].startswith(GIVEN)
    if claim.kind == "loss":
        shared = _shared(file, claim, {p: _compared(file, claim, p, names) for p in claim.gradients})
    factors = [f * n for f in {1.0, shared, claim.factor} for n in _counts(claim)]
    measured = slopes(lambda new: claim.loss(file, {wrong: new}), *_directions(claim, wrong))

    def is_mended() -> bool:
        names = claim.run(file)
        if measured is None or not np.array_equal(names["loss_"], loss):
            return False
        found = _beside(file, claim, wrong, names, measured)
        near = (c.rest(f) < NEAR * c.size for c in found for f in ([max(c.factor, 0.0)] if has_stepped else factors))
        return any(near) and set(judged(file, claim).values()) <= {"right", "idle"}

    return is_mended


def mended_there(file: File, claim: Claim, wrong: str) -> Callable[[], bool]:
    """The same where it is the loss that changes."""
    at, [first, *_] = _directions(claim, wrong)
    told = float(np.sum(told_by(file, claim.run(file), claim.gradients[wrong][0], at.shape) * first))

    def is_mended() -> bool:
        found = slopes(lambda new: claim.loss(file, {wrong: new}), at, [first])
        if found is None or abs(found[0] - told) > NEAR * abs(told):
            return False
        return set(judged(file, claim).values()) <= {"right", "idle"}

    return is_mended


def mended_ahead(file: File, claim: Claim, wrong: str) -> Callable[[], bool]:
    """The same where another output is right, with what is kept of it on the way there for the way back."""
    loss = claim.run(file)["loss_"]

    def is_mended() -> bool:
        names = claim.run(file)
        if np.array_equal(names["loss_"], loss):
            return False
        if not any(c.rest(c.factor) < NEAR * c.size for c in _compared(file, claim, wrong, names)):
            return False  # by no factor is it right, as most are not: the others need not be looked at
        found = judged(file, claim)
        return found.get(wrong) == "right" and set(found.values()) <= {"right", "idle"}

    return is_mended


def told_by(file: File, names: dict[str, Any], expression: str, shape: tuple[int, ...]) -> Array:
    """What an expression gives as a gradient: of the parameter's shape; one number stands for all."""
    value = np.asarray(eval(expression, file.names, names), float)
    return np.full(shape, value.item()) if value.size == 1 else value.reshape(shape)


class Manner(NamedTuple):
    """How a wrong gradient is wrong: in words, what that is called, and which numbers are wrong."""

    words: str
    id: str = "unknown"
    wrong: Sequence[int] = (0,)


def manner(file: File, claim: Claim, parameter: str) -> Manner:
    """How a wrong gradient is wrong."""
    at = np.asarray(claim.given[parameter], float)
    told = claim.factor * told_by(file, claim.run(file), claim.gradients[parameter][0], at.shape)
    units = [row.reshape(at.shape) for row in np.eye(at.size)] if at.size <= _WHOLE else []
    true = slopes(lambda new: claim.loss(file, {parameter: new}), at, units)
    if true is None or not units:
        return Manner("is not that of the loss")
    off = ~np.isclose(told.ravel(), true, rtol=FAR, atol=FAR * NEAR * float(np.abs(true).max()))
    return Manner(*described(true.reshape(at.shape), told, at), np.flatnonzero(off).tolist() or [0])


PENALTY_UNTOLD = "holds a multiple of the parameter, as of a penalty's derivative, that the loss has not"


def described(true: Array, told: Array, at: Array) -> tuple[str, str]:
    """What a wrong gradient is beside the right one, in words, and what that is called."""
    whole, more = Compared(true.ravel(), told.ravel()), Compared((told - true).ravel(), at.ravel())
    if not whole.size:
        return "is not 0", "unknown"
    if np.size(told) > 1 and np.ptp(told) == 0:
        return "is one number for all", "unknown"
    if whole.rest(-1.0) < FAR * whole.size:
        return "has the wrong sign", "sign-flipped"
    if whole.rest(whole.factor) < FAR * whole.size:
        return f"is {1 / whole.factor:.4g} times what it should be", "constant-factor"
    if (
        true.ndim == 2
        and true.shape[0] == true.shape[1]
        and Compared(true.T.ravel(), told.ravel()).rest(1) < FAR * whole.size
    ):
        return "is transposed", "transposed-gradient"
    if at.size > 1 and more.rest(more.factor) < FAR * more.size:
        lacks = "lacks a multiple of the parameter, the derivative of the loss's penalty"
        return (PENALTY_UNTOLD if more.factor > 0 else lacks), "penalty-gradient-wrong"
    same = int(np.isclose(told, true, rtol=FAR, atol=FAR * NEAR * float(np.abs(true).max())).sum())
    part = f"right in {same} of its {true.size} numbers" if same else "right in none of its numbers"
    return f"is {part}, and in all {100 * whole.rest(1.0) / whole.size:.0f} % off", "unknown"
