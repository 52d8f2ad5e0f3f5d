"""What else keeps a training from learning: dead, saturated and equal units, a rate too high, too few steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from byhand.diagnosis.findings import Finding
from byhand.diagnosis.judge.outcome import Outcome
from byhand.diagnosis.judge.rates import (
    not_to_be_reached,
    rate_too_high,
    rate_too_low,
    rate_vanishes,
    stopped_early,
    unscaled,
    without_a_say,
    without_lowest_point,
    without_number,
)
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.units import (
    dead_hidden,
    dead_output,
    equal_units,
    only_linear,
    saturated,
    tiny_weights,
)

_CAUSES = (
    not_to_be_reached, only_linear, unscaled, rate_too_high, saturated, tiny_weights, dead_hidden, stopped_early,
)  # fmt: skip
"""What explains the others first: large inputs and long steps make dead and saturated units."""


def course_findings(first: Sight, sights: Sequence[Sight]) -> Iterator[Finding]:
    """What the numbers force, what is seen whatever comes of it, or else the first cause of a training in vain."""
    outcome = Outcome(first, sights)
    exact = [*without_number(outcome), *dead_output(outcome)]
    yield from exact
    explained = exact or first.trace.failure or any(s.verdict.kind == "wrong" for s in sights)
    always = (rate_vanishes, equal_units, without_lowest_point, without_a_say)
    seen = [] if explained else [f for find in always for f in find(outcome)]
    yield from seen
    in_vain = outcome.has_no_number or (outcome.saw_the_end and not outcome.works)  # else nobody knows
    if not explained and not seen and in_vain:
        first_cause = next(chain.from_iterable(cause(outcome) for cause in _CAUSES), None)
        if first_cause is not None:
            yield first_cause


def guesses(first: Sight, sights: Sequence[Sight], found: Sequence[Finding]) -> list[Finding]:
    """What may keep a training with right steps from working, where nothing but its length explains that."""
    outcome = Outcome(first, sights)
    if (
        not outcome.saw_the_end
        or outcome.works
        or outcome.has_no_number
        or any(f.id != "too-few-epochs" for f in found)
    ):
        return []
    return list(rate_too_low(outcome))
