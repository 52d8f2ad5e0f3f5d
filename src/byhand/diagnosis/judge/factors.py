"""Steps that follow the gradient, but not all with one learning rate: factors too many, or a sum for a mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from byhand.diagnosis.judge.fits import Explanation, Step, all_equal
from byhand.diagnosis.judge.increments import leading, made_since, multiplied_twice, numbers_of, rate
from byhand.diagnosis.judge.increments import rates as rates_of
from byhand.diagnosis.judge.roles import NodeId, State
from byhand.diagnosis.judge.steps import Course, Gradients

_USUAL = (1.0, 2.0, 0.5)  # a loss with or without its 2 or ½: the learning rate makes it good


@dataclass(frozen=True)
class Factor:
    """What some parameters' steps are too long by.

    The id is "constant-factor", "sum-versus-mean", "bias-gradient-wrong" (such a sum or mean of biases alone),
    "learning-rate-twice" or "loss-wrong". `at` is where the factor stands, if that is known; one that `is_of_all` steps
    alike is a matter of the learning rate.
    """

    id: str
    states: tuple[State, ...]
    factor: float
    at: NodeId | None = None
    is_of_all: bool = False


def unequal_factors(
    course: Course,
    explained: dict[State, Explanation],
    gradients: Gradients,
    *,
    own_loss: bool,
    sizes: set[int],
    of_tens: NodeId | None = None,
) -> Iterator[Factor]:
    """Factors that the script's own learning rates do not account for.

    With `own_loss` the factor 1 is known; without, what most parameters have counts as 1. `sizes` are the numbers of
    samples and outputs, `of_tens` is a logarithm to base 10 in the loss. Each training has rates of its own.
    """
    for training in _trainings(explained):
        yield from _of_one_training(course, training, gradients, own_loss=own_loss, sizes=sizes, of_tens=of_tens)


def _trainings(explained: dict[State, Explanation]) -> Iterator[dict[State, Explanation]]:
    """The parameters that are trained at one time."""
    together: dict[State, Explanation] = {}
    for state in sorted(explained, key=lambda s: s.versions[0]):
        if together and state.versions[0] > max(s.versions[-1] for s in together):
            yield together
            together = {}
        together[state] = explained[state]
    yield together


def _of_one_training(
    course: Course,
    explained: dict[State, Explanation],
    gradients: Gradients,
    *,
    own_loss: bool,
    sizes: set[int],
    of_tens: NodeId | None,
) -> Iterator[Factor]:
    plain = {s: e for s, e in explained.items() if not _takes_more(course, s, explained)}
    late = late_steps(course, plain, gradients)
    steps = {s: step for s, step in late.items() if not _has_a_memory(course, step, explained)}
    factors = {s: explained[s].factors[step.before] for s, step in steps.items()}
    rates = {s: rate(course.roles, step) for s, step in steps.items()}
    moving = {s: course.steps(s, gradients, most=2)[-1:] for s, e in explained.items() if e.kind == "optimizer"}
    each = [*steps.items(), *((s, step) for s, found in moving.items() for step in found)]
    twice = {s: at for s, step in each if (at := multiplied_twice(course.roles, step, gradients)) is not None}
    if twice:
        yield Factor("learning-rate-twice", tuple(twice), rates.get(next(iter(twice))) or 0.0, min(twice.values()))
        return
    known = all(rates.values())
    if not known and any(rates.values()):
        yield from _without_rate(factors, rates)
        return  # some of the rates can't be told from other numbers
    begins = {s: leading(course.roles, step) for s, step in steps.items()} if not known else {}
    by = begins if begins and all(begins.values()) else rates
    rated = {s: -c / (by[s] or 1.0) for s, c in factors.items()}
    if len(factors) > 1 and not all_equal(list(factors.values())):
        yield from _of_some(course, rated, sizes, own_loss=own_loss and known)
    elif own_loss and known and rated:
        factor = next(iter(rated.values()))
        several = [found for step in steps.values() if len(found := rates_of(course.roles, step)) > 1]
        written = {v for found in several for v in found.values() if v}  # a rate, and a number 1 / n
        is_a_mean = any(_is_size(1 / v, {round(factor)}, usual=_USUAL) for v in written)
        if _is_size(factor, sizes, usual=_USUAL) and not is_a_mean:
            yield Factor("sum-versus-mean", tuple(rated), factor, is_of_all=True)
        if all(_is_averaged_twice(course, step, factor, sizes) for step in steps.values()):
            yield Factor("sum-versus-mean", tuple(rated), factor)
        if of_tens is not None and _is_usual(factor / np.log(10)):
            yield Factor("loss-wrong", tuple(rated), factor, of_tens)


def _without_rate(factors: dict[State, float], rates: dict[State, float | None]) -> Iterator[Factor]:
    """Steps as long as the gradient itself, beside others that a rate makes shorter."""
    usual = {s: -factors[s] / found for s, found in rates.items() if found}
    bare = {s: -factors[s] for s, found in rates.items() if not found}
    shortest = min(abs(found) for found in rates.values() if found)
    if all_equal([*usual.values(), *bare.values()]) and shortest < 1:
        yield Factor("constant-factor", tuple(bare), 1 / shortest)


def _is_averaged_twice(course: Course, step: Step, factor: float, sizes: set[int]) -> bool:
    """Whether a step is too short by a size by which it was divided more than once."""
    written = numbers_of(course.roles, step)
    numbers = [number for t, number in written if t is None or course.nodes[t].value.dtype.kind in "iu"]
    for chosen in set(rates_of(course.roles, step).values()) & set(numbers):
        numbers.remove(chosen)  # a rate, which may be one over a size by chance
    counts = (n for n in sizes if n > 2 and sum(all_equal([n * number, 1.0]) for number in numbers) > 1)
    return any(_is_usual(n * factor) for n in counts)


def _of_some(course: Course, rated: dict[State, float], sizes: set[int], *, own_loss: bool) -> Iterator[Factor]:
    groups: list[list[State]] = []
    for state, c in rated.items():
        group = next((g for g in groups if all_equal([rated[g[0]], c])), None)
        if group is None:
            groups.append([state])
        else:
            group.append(state)
    if len(groups) == 1:
        return
    weight = Counter({k: len(g) for k, g in enumerate(groups)})

    def likeliness(k: int) -> tuple[bool, int, bool, bool, float]:
        """A factor of the loss's own, or of its mean, of most parameters, the own one, of weights, and not too long."""
        factor, weights = rated[groups[k][0]], not all(map(course.is_bias, groups[k]))
        own = own_loss and _is_usual(factor)
        is_mean = own_loss and bool(factor) and _is_size(1 / factor, sizes, usual=_USUAL)  # a sum is shown as one, too
        return own or is_mean, weight[k], own, weights, -abs(factor)

    usual = max(weight, key=likeliness)
    for k, group in enumerate(groups):
        if k != usual:
            factor = rated[group[0]] / rated[groups[usual][0]]
            sized = _is_size(factor, sizes) or _is_size(1 / factor, sizes)
            is_bias = all(course.is_bias(state) for state in group)
            id_ = "constant-factor" if not sized else "bias-gradient-wrong" if is_bias else "sum-versus-mean"
            yield Factor(id_, tuple(group), factor)


def _takes_more(course: Course, state: State, explained: dict[State, Explanation]) -> bool:
    """Whether the line that steps a number makes others' steps of more than the gradient, as where each shrinks.

    Then such a number's step is nearly, and by chance, a multiple of its gradient.
    """
    beside = (s for s, e in explained.items() if e.kind == "optimizer" or e.share)
    return state.size == 1 and not explained[state].share and any(course.same_line(state, s) for s in beside)


def _has_a_memory(course: Course, step: Step, explained: dict[State, Explanation]) -> bool:
    """Whether a step is made of what is none of the parameters, as a velocity: a multiple of a gradient by chance."""
    made = {a for t in (*made_since(course.roles, step), step.after) for a in course.nodes[t].parents()}
    return any(course.roles.versions[a] not in explained for a in made if a in course.roles.versions)


def late_steps(course: Course, explained: dict[State, Explanation], gradients: Gradients) -> dict[State, Step]:
    """A step of each by which it can be told what was there before: of one round, and not the first if there are more.

    In the next round the learning rate may be another.
    """
    spans = {s: [(v, w) for v, w in e.spans if e.factors.get(v)] for s, e in explained.items() if e.kind == "follows"}
    spans = {s: of_one for s, of_one in spans.items() if of_one}
    late = max((of_one[:2][-1][1] for of_one in spans.values()), default=0)
    found: dict[State, Step] = {}
    for s, of_one in spans.items():
        v, w = min(of_one, key=lambda span: abs(span[1] - late))
        found[s] = Step(v, w, course.nodes[w].value - course.nodes[v].value, gradients[v])
    return found


def _is_usual(c: float) -> bool:
    return any(all_equal([c, usual]) for usual in _USUAL)


def _is_size(c: float, sizes: set[int], usual: Sequence[float] = (1.0,)) -> bool:
    return any(all_equal([c, n * u]) for n in sizes if n > 2 for u in usual)
