"""What a study says, in sentences: the finding, what to know before believing it, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from byhand.study.answer import Study
    from byhand.study.plan import Cell, Plan
    from byhand.study.statistics import Comparison, Generalization, Summary

# With fewer failures, how often they happen is known to no better than a factor of about two.
_FEW_FAILURES = 10
# So many comparisons are told one by one; of more the closest.
_TOLD = 3
# What an answer is about, in this order; what is not used goes without saying.
_MEASURED_WITH = (
    "hidden", "optimizer", "schedule", "max_norm", "initializer", "batch_size", "dropout", "loss", "penalty",
)  # fmt: skip
_NOTHING = ("no dropout", "no penalty", "no schedule", "no clipping")
_FACTORS = {"hidden": "size", "batch_size": "batch size"}


def question(plan: Plan) -> str:
    """What is asked."""
    return (
        f"Which {and_([_FACTORS.get(factor, factor) for factor in plan.compare])} converges the fastest on {_on(plan)}?"
    )


def goal(plan: Plan) -> str:
    """Where a run has converged."""
    if plan.measure == "loss":
        return f"a training loss of {plan.threshold:g}"
    if plan.is_of_classes:
        return f"{percent(1 - plan.threshold)} right training answers"
    return f"a training R² of {1 - plan.threshold:g}"


def finding(study: Study) -> str:
    """The answer, how to read it, and for what it holds."""
    return f"{answer(study)} {terms(study)}"


def answer(study: Study) -> str:
    """Who is the fastest, how many get there, how fast the middle one is, and against whom it is sooner."""
    plan = study.plan
    to = f"{goal(plan)} on {_on(plan)}"
    arrived = [summary for summary in study.best if summary.converged]
    if not arrived:
        return f"Nothing gets to {to} within {plan.epochs:,} epochs, even at its best learning rate."
    first, others = arrived[0], arrived[1:]
    name = plan.name(first.cell)
    pairs = [study.comparison(name, plan.name(other.cell)) for other in others]
    alike = [_other(pair, name) for pair in pairs if not (pair.shown and pair.faster == name)]
    if not others:
        said = f"{'Only ' if len(study.best) > 1 else ''}{name} gets to {to}"
    elif alike:
        said = (
            f"Which is the fastest to {to} is not shown: {name} was ahead with the seeds that choose, but "
            f"{and_(alike)} may be as fast or faster"
        )
    else:
        said = f"The fastest to {to} is {name}"
    said += (
        f". At a learning rate of {first.cell.learning_rate:g}, {percent(first.share)} of its runs get there within "
        f"{plan.epochs:,} epochs ({percents(first.share_low, first.share_high)}), the middle one in "
        f"{epochs_in_words(first.quartiles[1], plan.epochs)} ({span(first.median_low, first.median_high)})."
    )
    return " ".join([said, *_against(name, pairs), *_never(study)])


def _against(name: str, pairs: Sequence[Comparison]) -> Iterator[str]:
    if 0 < len(pairs) <= _TOLD:
        yield f"It is sooner than {and_([f'{_other(pair, name)} {_with_seeds(pair, name)}' for pair in pairs])}."
    elif pairs:
        closest = min(pairs, key=lambda pair: pair.share if pair.faster == name else 1 - pair.share)
        yield (
            f"Of the {len(pairs)} others that get there the closest is {_other(closest, name)}: {name} is sooner "
            f"{_with_seeds(closest, name)}."
        )


def _other(pair: Comparison, name: str) -> str:
    return pair.slower if pair.faster == name else pair.faster


def _with_seeds(pair: Comparison, name: str) -> str:
    """With how many seeds `name` is the sooner of the two."""
    ahead = pair.faster == name
    wins, share = (pair.sooner, pair.share) if ahead else (pair.later, 1 - pair.share)
    low, high = (pair.low, pair.high) if ahead else (1 - pair.high, 1 - pair.low)
    parted = pair.sooner + pair.later
    if not parted:
        return f"with none of the {pair.seeds:,} seeds: they tie"
    that_part = "" if parted == pair.seeds else " that tell them apart"
    those = f"the {parted:,} seeds{that_part}" if parted > 1 else f"1 seed{that_part.replace('tell', 'tells')}"
    return f"with {wins:,} of {those} ({percent(share)}; {percents(low, high)})"


def _never(study: Study) -> Iterator[str]:
    never = [study.plan.name(summary.cell) for summary in study.best if not summary.converged]
    if never:
        yield f"With {and_(never, 'or')} no run gets there."


def terms(study: Study) -> str:
    """How the answer is to be read, and for which networks and which training it was measured."""
    together = " (of comparisons, together)" if len(study.best) > 1 else ""
    return (
        f"{chosen_and_announced(study)}Intervals are of 95 %{together}; a run that never gets there counts as later "
        f"than any that does. {_scope(study.plan)}"
    )


def chosen_and_announced(study: Study) -> str:
    """Which seeds chose what, and of which the numbers are."""
    plan, (choosing, announcing) = study.plan, study.cells.halves
    rates = len(plan.learning_rates)
    settings = [_FACTORS.get(factor, factor) for factor in plan.varying if factor not in plan.compare]
    settings += [f"learning rate (of {rates})"] if rates > 1 else []
    choices = [f"each one's {and_(settings)}"] if settings else []
    choices += ["which comes first"] if len(study.best) > 1 else []
    if not choices:
        return ""
    if choosing == announcing:
        return f"The one seed chose {' and '.join(choices)}, and is announced too, which flatters: take more. "
    return (
        f"{_seeds(choosing).capitalize()} chose {' and '.join(choices)}; all that is announced is of "
        f"{_seeds(announcing)}, which had no part in that. "
    )


def _seeds(some: slice) -> str:
    first, last = some.start, some.stop - 1
    return f"seed {first}" if first == last else f"seeds {first:,} to {last:,}"


def _scope(plan: Plan) -> str:
    alike = [plan.ways[0].choice(factor) for factor in _MEASURED_WITH if factor not in plan.varying]
    parts = [choice for choice in alike if choice not in _NOTHING]
    sentence = f"Measured with {', '.join([*parts, output_in_words(plan)]).replace('_', ' ')}"
    if plan.data.kind == "xor" and not any("/" in activation for activation in plan.activations):
        sentence += "; with another output the order may be another: --output same,identity,sigmoid tries them"
    return sentence + "."


def output_in_words(plan: Plan) -> str:
    """What the last layer's activation is."""
    if any("/" in activation for activation in plan.activations):
        last = "the same at the output" if plan.output == "same" else f"{plan.output} at the output"
        if all("/" in activation for activation in plan.activations):
            return "hidden/output activations"
        return f"hidden/output activations (one name: {last})"
    return "the same activation at the output" if plan.output == "same" else f"{plan.output} at the output"


def notes(study: Study) -> list[str]:
    """What a reader should know before believing the finding."""
    return [
        *_ends_of_the_range(study),
        *_by_the_mean(study),
        *_few_failures(study),
        *_surest(study),
        *_edges_of_stability(study),
        *_limits(study),
    ]


def _ends_of_the_range(study: Study) -> Iterator[str]:
    plan = study.plan
    rates = plan.learning_rates
    for side, rate in (("lowest", rates[0]), ("highest", rates[-1])):
        names = [plan.name(one.cell) for one in study.best if one.converged and one.cell.learning_rate == rate]
        if names and len(rates) > 1:
            yield (
                f"The best learning rate of {and_(names)}, {rate:g}, is the {side} one tried: beyond it may be a "
                "better one."
            )


def _by_the_mean(study: Study) -> Iterator[str]:
    plan, first = study.plan, study.best[0]
    quickest = min(study.best, key=lambda summary: summary.mean_epochs)
    if quickest is first:
        return
    names = plan.name(first.cell), plan.name(quickest.cell)
    pair = study.comparison(*names)
    shown = max(pair.difference_low, -pair.difference_high) > 0
    less, more = told_apart(quickest.mean_epochs, first.mean_epochs)
    yield (
        f"By the mean, where a run that never gets there counts as {plan.epochs:,} epochs, {names[1]} is ahead: "
        f"{less} epochs ({span(quickest.mean_low, quickest.mean_high)}) against "
        f"{more} ({span(first.mean_low, first.mean_high)}) of {names[0]}, of which "
        f"{percent(1 - first.share)} fail, against {percent(1 - quickest.share)}. "
        + ("With another number of epochs a failure weighs otherwise." if shown else "But that order is not shown.")
    )


def _few_failures(study: Study) -> Iterator[str]:
    plan = study.plan
    for summary in study.best[:2]:
        failed = summary.runs - summary.converged
        if 0 < failed < _FEW_FAILURES and summary.converged:
            low, high = 1 - summary.share_high, 1 - summary.share_low
            yield (
                f"Of {plan.name(summary.cell)} {failed} of {summary.runs:,} runs fail, too few to tell how often that "
                f"happens: {percents(low, high)}. At {plan.epochs:,} epochs each, that is {number(low * plan.epochs)} "
                f"to {number(high * plan.epochs)} of its mean: more seeds would tell."
            )


def _surest(study: Study) -> Iterator[str]:
    first, surest = study.best[0], max(study.best, key=lambda summary: summary.share)
    if surest.share_low > first.share_high:
        yield (
            f"The surest is not the fastest: of {study.plan.name(surest.cell)} {percent(surest.share)} of the runs get "
            f"there, of {study.plan.name(first.cell)} {percent(first.share)} (their 95 % intervals don't meet)."
        )


def _edges_of_stability(study: Study) -> Iterator[str]:
    chaotic = [(name, *counts) for name, counts in study.repeats.items() if counts[0]]
    if chaotic:
        told = [f"{name} in {differing} of {repeated}" for name, differing, repeated in chaotic]
        yield (
            "On the edge of stability: with first weights changed in their last digit, runs get there in another epoch "
            f"({and_(told)} that were repeated). Shares and quartiles of many runs hold there; a single run doesn't, "
            "and is another one on another machine."
        )


def _limits(study: Study) -> Iterator[str]:
    plan = study.plan
    if any(plan.values("penalty")) or any(plan.values("dropout")):
        yield "A training loss includes the penalty and is that of the pass with dropout, and so is what is compared."
    if plan.data.test is None:
        yield "Faster is not better: to say which is takes samples to validate and to test on, and here are too few."


def generalization(study: Study) -> list[str]:
    """What validation chose and the test set said, and what choosing by speed would have cost."""
    found, measure = study.generalization, study.plan.measure
    assert found is not None
    n = len(study.plan.data.test[0]) if study.plan.data.test else 0
    announced = (
        f"Chosen by validation {measure}: {cell_in_words(found.chosen, study.plan)} (median of the seeds that choose "
        f"{found.validation:.4g}). Announced on the test set, used once: a mean {measure} of {found.test:.4g}"
    )
    if not np.isnan(found.accuracy):
        announced += f", {percent(found.accuracy)} right ({percents(found.accuracy_low, found.accuracy_high)})"
    if measure == "loss" or np.isnan(found.accuracy):
        announced += (
            f"; the middle one of the {n:,} samples has {found.middle:.4g} "
            f"({found.middle_low:.4g} to {found.middle_high:.4g})"
        )
    optimism = (
        f"its training {measure}, {found.training_fastest:.4g}, is {abs(found.optimism):.4g} "
        f"{'below' if found.optimism > 0 else 'above'} its test {measure}."
    )
    if found.chosen == found.fastest:
        return [announced + ".", f"Choosing by training speed would have taken the same. Its optimism: {optimism}"]
    right = "" if np.isnan(found.accuracy_fastest) else f" and {percent(found.accuracy_fastest)} right"
    return [
        announced + ".",
        f"Choosing by training speed would have taken {cell_in_words(found.fastest, study.plan)}: a mean test "
        f"{measure} of {found.test_fastest:.4g}{right}. {_sample_by_sample(found, measure)} The optimism of that "
        f"choice: {optimism}",
    ]


def _sample_by_sample(found: Generalization, measure: str) -> str:
    parted = found.better + found.worse
    if not parted:
        return f"On no sample does its {measure} differ from that of the choice by validation."
    is_turned = (found.share - 0.5) * (found.test_fastest - found.test) < 0
    shown = "" if found.share_low > 0.5 or found.share_high < 0.5 else ": no difference shown"
    return (
        f"On {found.better:,} of the {parted:,} samples that tell them apart its {measure} is higher than that of the "
        f"choice by validation ({percent(found.share)}; {percents(found.share_low, found.share_high)}{shown})."
        + (" The means have the other order: a few samples weigh more than many." if is_turned else "")
    )


def cell_in_words(cell: Cell, plan: Plan) -> str:
    """A cell by what varies."""
    return f"{plan.full_name(cell)} at learning rate {cell.learning_rate:g}"


def rate_in_words(summary: Summary, plan: Plan) -> str:
    """The learning rate; where others are as good, that they are."""
    if summary.equals == len(plan.learning_rates) > 1:
        return "any"
    others = summary.equals - 1
    return f"{summary.cell.learning_rate:g}" + (f" or {others} other{'s' * (others > 1)}" if others else "")


def _on(plan: Plan) -> str:
    return Path(plan.data.name).name


def epochs_in_words(epochs: float, within: int) -> str:
    """A number of epochs, or that there is none."""
    return f"{epochs:,.0f} epoch{'' if epochs == 1 else 's'}" if np.isfinite(epochs) else f"more than {within:,} epochs"


def epochs(value: float) -> str:
    """A number of epochs for a table; – for never."""
    return f"{value:,.0f}" if np.isfinite(value) else "–"


def number(value: float) -> str:
    """With as many decimals as tell something: none from 100 on, two digits below 1."""
    if not np.isfinite(value):
        return "∞"
    if abs(value) >= 100 or value == 0:
        return f"{value:,.0f}".replace("-", "−")
    return (f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}").replace("-", "−")


def told_apart(one: float, other: float) -> tuple[str, str]:
    """Two different numbers with so many digits that they look different."""
    digits, written = 3, (number(one), number(other))
    while written[0] == written[1]:
        digits, written = digits + 1, (f"{one:,.{digits}g}", f"{other:,.{digits}g}")
    return written


def span(low: float, high: float) -> str:
    """An interval."""
    return f"{number(low)} to {number(high)}" if low < 0 or high < 0 else f"{_whole(low)}–{_whole(high)}"


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == round(value, 0) and np.isfinite(value) else number(value)


def share(summary: Summary) -> str:
    """The share that converged and its interval, in percent, without the sign."""
    return f"{_percent(summary.share)} ({percents(summary.share_low, summary.share_high).removesuffix(' %')})"


def percent(share: float) -> str:
    """A share in percent; what is neither 0 nor all never looks so."""
    return f"{_percent(share)} %"


def whole_percent(share: float) -> str:
    """A share in percent without decimals, unless it would look like none or all."""
    whole = f"{100 * share:.0f}"
    return percent(share) if whole in ("0", "100") else f"{whole} %"


def percents(low: float, high: float) -> str:
    """An interval of a share, in percent."""
    return f"{_percent(low)}–{_percent(high)} %"


def _percent(share: float) -> str:
    if share in (0, 1):
        return f"{100 * share:.0f}"
    decimals = 1
    while f"{100 * share:.{decimals}f}" in (f"{0:.{decimals}f}", f"{100:.{decimals}f}") and decimals < 6:
        decimals += 1
    return f"{100 * share:.{decimals}f}"


def and_(words: Sequence[str], conjunction: str = "and") -> str:
    """Words with commas and a conjunction; with semicolons, if the words have commas."""
    if len(words) == 1:
        return words[0]
    if any(", " in word for word in words):
        return f"{'; '.join(words[:-1])}; {conjunction} {words[-1]}"
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
