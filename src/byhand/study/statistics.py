"""What the runs say, and how surely.

Every interval is of 95 % and holds at every sample size and failure share, since none rests on a normal
approximation: shares have Clopper and Pearson's, medians that of the order statistics, and which of two is sooner, seed
by seed, that of the sign test. Only the restricted mean, which a few failures move, needs more: `mean_interval`.

A run that never gets to the threshold counts as later than any that does. All runs are followed for the same number of
epochs, so Kaplan and Meier's curve is the share of runs that have not got there yet.

What is chosen because it did best on some runs looks better on those than it is. So the first half of the seeds
chooses all there is to choose, each one's learning rate and which of them comes first, and the second half, which had
no part in that, announces: every number of the answer is of these.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from byhand import losses
from byhand._types import Array
from byhand.errors import needs_extra
from byhand.study.plan import Block, Cell, Plan
from byhand.study.runs import FATES, Columns, Tested

with needs_extra("study"):
    from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Summary:
    """What the runs of a cell, or half of them, say.

    Attributes
    ----------
    cell : Cell
    runs, converged : int
    share, share_low, share_high : float
        The share that converged, with its exact interval (Clopper & Pearson).
    quartiles : (float, float, float)
        Epochs by which a quarter, half and three quarters of all runs got there; inf for never.
    median_low, median_high : float
        The interval of the median by order statistics, exact too; inf for never.
    mean_epochs, mean_low, mean_high : float
        Restricted mean: the epochs to the threshold, or all epochs of a run that did not get there, on average; and its
        `mean_interval`.
    chosen_by : float
        The restricted mean over the seeds that choose.
    equals : int
        How many learning rates of this way have that same mean, this one included.
    fates : dict
        The share of each fate.
    validation : float
        The validation loss, or error, at the end: the median over the runs; inf for a run that diverged, nan without a
        validation set.
    accuracy : float
        The mean share of right answers over the runs that did not diverge, on the validation set, or on the training
        set where there is none; nan for a regression.
    """

    cell: Cell
    runs: int
    converged: int
    share: float
    share_low: float
    share_high: float
    quartiles: tuple[float, float, float]
    median_low: float
    median_high: float
    mean_epochs: float
    mean_low: float
    mean_high: float
    chosen_by: float
    equals: int
    fates: dict[str, float]
    validation: float
    accuracy: float

    def as_json(self) -> dict[str, Any]:
        """The same as numbers, strings and lists; None for never."""
        numbers = {
            "runs": self.runs,
            "converged": self.converged,
            "share": self.share,
            "share_interval": [self.share_low, self.share_high],
            "epochs_quartiles": [_finite(quartile) for quartile in self.quartiles],
            "epochs_median_interval": [_finite(self.median_low), _finite(self.median_high)],
            "epochs_restricted_mean": self.mean_epochs,
            "epochs_restricted_mean_interval": [self.mean_low, self.mean_high],
            "epochs_restricted_mean_that_chose": self.chosen_by,
            "equally_good_rates": self.equals,
            "fates": self.fates,
        }
        if not np.isnan(self.validation):
            numbers["validation_median"] = _finite(self.validation)
        if not np.isnan(self.accuracy):
            numbers["accuracy_mean"] = self.accuracy
        return {**vars(self.cell), **numbers}


@dataclass(frozen=True)
class Comparison:
    """Two ways, each at its own best, seed by seed.

    Attributes
    ----------
    faster, slower : str
        Names of what is compared; `faster` is sooner with more of the seeds.
    seeds : int
    sooner, later : int
        With how many seeds `faster` gets there before `slower`, and after it. With the others both take as long, or
        neither gets there.
    share, low, high : float
        sooner / (sooner + later), with its exact interval (Clopper & Pearson), which holds for all comparisons together
        (Bonferroni).
    p_value : float
        Of the sign test that both are as likely to be sooner, for this comparison alone.
    difference, difference_low, difference_high : float
        The mean of the paired differences, slower less faster, of min(epochs to the threshold, all epochs), with its
        `mean_interval`, which holds for all comparisons together.
    """

    faster: str
    slower: str
    seeds: int
    sooner: int
    later: int
    share: float
    low: float
    high: float
    p_value: float
    difference: float
    difference_low: float
    difference_high: float

    @property
    def shown(self) -> bool:
        """Whether an order is shown: the interval of the share lies above a half."""
        return self.low > 0.5

    def as_json(self) -> dict[str, Any]:
        """The same as numbers and strings."""
        return {**vars(self), "order_shown": self.shown}


class Cells:
    """The runs of a study, cell by cell, seed by seed; filled block by block, in some thirty bytes a run.

    Parameters
    ----------
    plan : Plan

    Attributes
    ----------
    epochs_to_threshold : array of int, shape (cells, seeds)
        −1 for never.
    fates : array of int, shape (cells, seeds)
        Places in `runs.FATES`.
    training : array, shape (cells, seeds)
        The last losses; NaN where a run diverged.
    error, validation : array, shape (cells, seeds), or None
        The training error, where that is measured, and what is measured of the validation set, where there is one.
    accuracy : array, shape (cells, seeds), or None
        On the validation set, or the training set where there is none; None for a regression.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        shape = (len(plan.cells), plan.seeds)
        has_validation = plan.data.validation is not None
        self.epochs_to_threshold = np.full(shape, -1, dtype=np.int32)
        self.fates = np.zeros(shape, dtype=np.int8)
        self.training = np.full(shape, np.nan)
        self.error = np.full(shape, np.nan) if plan.measure == "error" else None
        self.validation = np.full(shape, np.nan) if has_validation else None
        self.accuracy = np.full(shape, np.nan, dtype=np.float32) if plan.is_of_classes else None
        self.accuracy_column = "validation_accuracy" if has_validation else "training_accuracy"

    @property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Where each column of the table of runs is kept."""
        kept: dict[str, npt.NDArray[Any] | None] = {
            "epochs_to_threshold": self.epochs_to_threshold,
            "fate": self.fates,
            "training_loss": self.training,
            "training_error": self.error,
            f"validation_{self.plan.measure}": self.validation,
            self.accuracy_column: self.accuracy,
        }
        return {name: values for name, values in kept.items() if values is not None}

    def take(self, block: Block, columns: Columns) -> None:
        """Note a block's runs."""
        for name, values in self.columns.items():
            values.reshape(-1)[block.first_run : block.first_run + len(columns[name])] = columns[name]

    def epochs(self, cell: Cell, seeds: slice = slice(None)) -> Array:
        """The epochs to the threshold for each seed; inf for never."""
        reached = self.epochs_to_threshold[self.plan.rows[cell], seeds].astype(float)
        return np.where(reached < 0, np.inf, reached)

    def restricted(self, cell: Cell, seeds: slice = slice(None)) -> Array:
        """The epochs to the threshold, at most all: min(T, epochs), for each seed."""
        return np.minimum(self.epochs(cell, seeds), self.plan.epochs)

    def summary(self, cell: Cell, seeds: slice = slice(None)) -> Summary:
        """What the runs of a cell say, all or those of some seeds."""
        row, (choosing, _) = self.plan.rows[cell], self.halves
        epochs, fates = self.epochs(cell, seeds), self.fates[row, seeds]
        n, converged = len(epochs), int(np.isfinite(epochs).sum())
        low, high = share_interval(converged, n)
        chosen_by = self.restricted(cell, choosing).mean().item()
        first = row - row % len(self.plan.learning_rates)
        rates = self.plan.cells[first : first + len(self.plan.learning_rates)]
        validation = np.full(n, np.nan) if self.validation is None else self.validation[row, seeds]
        accuracy = np.full(n, np.nan) if self.accuracy is None else self.accuracy[row, seeds]
        sound = accuracy[~np.isnan(accuracy)]
        return Summary(
            cell,
            n,
            converged,
            converged / n,
            low,
            high,
            (_quantile(epochs, 0.25), _quantile(epochs, 0.5), _quantile(epochs, 0.75)),
            *median_interval(epochs),
            self.restricted(cell, seeds).mean().item(),
            *mean_interval(self.restricted(cell, seeds), 0, self.plan.epochs),
            chosen_by,
            sum(bool(self.restricted(other, choosing).mean() == chosen_by) for other in rates),
            {fate: float((fates == number).mean()) for number, fate in enumerate(FATES)},
            float("nan") if self.validation is None else float(np.median(np.nan_to_num(validation, nan=np.inf))),
            float(sound.mean()) if len(sound) else float("nan"),
        )

    @property
    def halves(self) -> tuple[slice, slice]:
        """The seeds that choose, and those that announce: all of them where there is one seed, or nothing to choose."""
        seeds = self.plan.seeds
        if seeds == 1 or len(self.plan.cells) == 1:
            return slice(0, seeds), slice(0, seeds)
        return slice(0, seeds // 2), slice(seeds // 2, seeds)

    def best(self) -> list[Cell]:
        """For each of what is compared the cell of the lowest restricted mean, on the choosing half.

        First comes the one that is sooner than the others with most seeds of that half.
        """
        choosing, _ = self.halves
        means = {cell: self.restricted(cell, choosing).mean() for cell in self.plan.cells}
        best: dict[str, Cell] = {}
        for cell, mean in means.items():
            name = self.plan.name(cell)
            if name not in best or mean < means[best[name]]:
                best[name] = cell
        cells = list(best.values())
        epochs = np.stack([self.epochs(cell, choosing) for cell in cells])
        # Against each of the others: the seeds with which it is sooner, and half of those that tie.
        sooner = np.array([(one < epochs).mean() + (one == epochs).mean() / 2 for one in epochs])
        return [cells[i] for i in np.lexsort(([means[cell] for cell in cells], -sooner))]

    def comparisons(self, best: Sequence[Cell]) -> list[Comparison]:
        """Every two of these cells on the announcing half."""
        _, announcing = self.halves
        confidence = 1 - (1 - CONFIDENCE) / max(1, math.comb(len(best), 2))
        return [
            compare(
                self.plan.name(one),
                self.plan.name(other),
                self.epochs(one, announcing),
                self.epochs(other, announcing),
                within=self.plan.epochs,
                confidence=confidence,
            )
            for one, other in combinations(best, 2)
        ]

    def choices(self) -> tuple[Cell, Cell] | None:
        """The cells of the lowest median on the validation set and of the lowest restricted mean, on the choosing half.

        Of those of which most runs did not diverge; None if there are none, or no validation set.
        """
        if self.validation is None:
            return None
        choosing, _ = self.halves
        validation = np.nan_to_num(self.validation, nan=np.inf)
        # Most of all runs, so that some of the announcing half are left to test.
        sound = [cell for cell in self.plan.cells if np.isfinite(np.median(validation[self.plan.rows[cell]]))]
        if not sound:
            return None
        by_speed = min(sound, key=lambda cell: self.restricted(cell, choosing).mean())
        return min(sound, key=lambda cell: np.median(validation[self.plan.rows[cell], choosing])), by_speed


def compare(
    first: str, second: str, first_epochs: Array, second_epochs: Array, *, within: int, confidence: float = CONFIDENCE
) -> Comparison:
    """Which of two is sooner, seed by seed.

    Parameters
    ----------
    first, second : str
        Their names.
    first_epochs, second_epochs : array, shape (seeds,)
        When each run got there; inf for never.
    within : int
        How many epochs a run had.
    confidence : float
        Of this comparison's intervals.
    """
    if (first_epochs > second_epochs).sum() > (first_epochs < second_epochs).sum():
        first, second, first_epochs, second_epochs = second, first, second_epochs, first_epochs
    sooner, later = int((first_epochs < second_epochs).sum()), int((first_epochs > second_epochs).sum())
    parted = sooner + later
    differences = np.minimum(second_epochs, within) - np.minimum(first_epochs, within)
    return Comparison(
        first,
        second,
        len(differences),
        sooner,
        later,
        sooner / parted if parted else 0.5,
        *(share_interval(sooner, parted, confidence) if parted else (0.0, 1.0)),
        float(stats.binomtest(sooner, parted).pvalue) if parted else 1.0,
        float(differences.mean()),
        *mean_interval(differences, -within, within, confidence),
    )


def share_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share, which covers it at least as often as it says."""
    interval = stats.binomtest(successes, n).proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)


def median_interval(epochs: Array, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Two of the sorted epochs between which the median lies, however they are distributed.

    As many runs are below the median as a fair coin shows heads; so with the binomial's lower quantile k, the interval
    goes from the k-th to the k-th from above. Below six runs nothing is excluded: (0, inf).
    """
    n = len(epochs)
    k = int(stats.binom.ppf((1 - confidence) / 2, n, 0.5))
    if k == 0:
        return 0.0, float("inf")
    ordered = np.sort(epochs)
    return float(ordered[k - 1]), float(ordered[n - k])


def mean_interval(values: Array, low: float, high: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """An interval of the mean of numbers that lie between two bounds, which holds whatever their distribution.

    A t interval is too narrow as long as a rare, large value, such as a failure, has not been seen often. This one
    bets: who starts with 1 and bets before each value x that the mean is above m, the fraction λ of what he has, has
    Π (1 + λ (x − m)) in the end; if the mean is m that is 1 on average, and so more than 2/α with a probability of at
    most α/2. An m at which he ever had more is left out; so is one on the other side, by bets that it is below.

    Parameters
    ----------
    values : array, shape (n,)
        In the order of the seeds, which is as good as any: their results are independent.
    low, high : float
        Between which every value lies.
    confidence : float
        1 − α.

    Returns
    -------
    low, high : float

    Notes
    -----
    Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting, Journal of the Royal
    Statistical Society B 86, section 4.1, with λ at most 3/4 of what cannot lose everything.
    """
    x, to_reach = (values - low) / (high - low), math.log(2 / (1 - confidence))
    bets = _bets(x, to_reach)

    def lowest(x: Array) -> float:
        out, within = 0.0, 1.0
        for _ in range(50):
            m = (out + within) / 2
            wealth = np.minimum(bets, 0.75 / m)  # its logarithm, step by step in the same memory: of millions of runs
            wealth *= x - m
            np.cumsum(np.log1p(wealth, out=wealth), out=wealth)
            out, within = (m, within) if wealth.max() >= to_reach else (out, m)
        return out

    return low + (high - low) * lowest(x), high - (high - low) * lowest(1 - x)


def _bets(x: Array, to_reach: float) -> Array:
    """The fraction bet on each value, by what those before have shown of the variance: from 1/4 on, the largest."""
    count = np.arange(2, len(x) + 2)
    means = (0.5 + np.cumsum(x)) / count
    variances = (0.25 + np.cumsum((x - means) ** 2)) / count
    return np.sqrt(2 * to_reach / (len(x) * np.concatenate([[0.25], variances[:-1]])))


def _quantile(epochs: Array, share: float) -> float:
    """The epochs by which this share of the runs got there; inf for never."""
    return float(np.sort(epochs)[math.ceil(share * len(epochs) - 1e-9) - 1])


@dataclass(frozen=True)
class Survival:
    """The share of runs that have not yet got there, after each number of epochs, with its interval."""

    epochs: Array
    share: Array
    low: Array
    high: Array


def survival(epochs: Array, within: int) -> Survival:
    """Kaplan & Meier's curve of the epochs to the threshold.

    Parameters
    ----------
    epochs : array
        When each run got there; infinity for never. Those are censored at the end of the study, whatever ended
        them: a run that diverged early will not get there later, and must not drop out of the count.
    within : int
        How many epochs a run had.
    """
    got_there = np.isfinite(epochs)
    if not got_there.any():
        never = np.array([float(within)])
        n = len(epochs)
        low, _ = share_interval(n, n)
        return Survival(never, np.ones(1), np.array([low]), np.ones(1))
    data = stats.CensoredData(uncensored=epochs[got_there], right=np.full((~got_there).sum(), float(within)))
    curve = stats.ecdf(data).sf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # undefined where the share is 0 or 1, as the formula is
        interval = curve.confidence_interval(CONFIDENCE, method="log-log")
    low, high = (
        np.where(np.isnan(bound.probabilities), curve.probabilities, bound.probabilities) for bound in interval
    )
    return Survival(curve.quantiles, curve.probabilities, low, high)


@dataclass(frozen=True)
class Generalization:
    """Choosing by validation and announcing by test, against choosing by speed.

    What is measured of a sample, its loss or error, is the mean over a cell's runs. A mean over samples has no interval
    that holds whatever their distribution, since a few can weigh more than all others; so intervals are those of the
    middle sample, of the share of right answers, and of on how many samples the one choice is better.

    Attributes
    ----------
    chosen, fastest : Cell
        By the median of the validation measure, and by the restricted mean of the epochs.
    validation : float
        What `chosen` was chosen by, the median over the runs that choose, a sample: too good to announce.
    test, test_fastest : float
        The mean over the test samples, of the runs that announce.
    middle, middle_low, middle_high : float
        The measure of the middle test sample, with its `median_interval`.
    training_fastest : float
        The median over the runs that announce of what `fastest` has on the training set at the end, a sample.
    better, worse : int
        On how many test samples `chosen` has a lower measure than `fastest`, and a higher one.
    share, share_low, share_high : float
        better / (better + worse), with its exact interval; nan if both are the same.
    runs, runs_fastest : int
        How many runs the test set saw: those that did not diverge.
    accuracy, accuracy_low, accuracy_high, accuracy_fastest : float
        The share of right answers on the test set, averaged over the runs, with its `mean_interval` over the samples;
        nan for a regression.
    """

    chosen: Cell
    fastest: Cell
    validation: float
    test: float
    test_fastest: float
    middle: float
    middle_low: float
    middle_high: float
    training_fastest: float
    better: int
    worse: int
    share: float
    share_low: float
    share_high: float
    runs: int
    runs_fastest: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    accuracy_fastest: float

    @property
    def optimism(self) -> float:
        """How much lower than on the test set is what speed looks at, the measure on the training set."""
        return self.test_fastest - self.training_fastest

    def as_json(self) -> dict[str, Any]:
        """The same as numbers, strings and lists; None for what is not there."""
        cells = {"chosen": vars(self.chosen), "fastest": vars(self.fastest)}
        known = {name: _finite(value) if isinstance(value, float) else value for name, value in vars(self).items()}
        return {**known, **cells, "optimism_of_choosing_by_speed": self.optimism}


def generalization(cells: Cells, tested: dict[Cell, Tested]) -> Generalization:
    """Put together what the test set said.

    Parameters
    ----------
    cells : Cells
    tested : dict
        From each of `cells.choices()` to its `runs.on_test`.
    """
    choices, plan = cells.choices(), cells.plan
    assert choices is not None
    assert cells.validation is not None
    assert plan.data.validation is not None
    (choice, quick), (choosing, announcing) = choices, cells.halves
    chosen, fastest = tested[choice], tested[quick]
    validation = np.nan_to_num(cells.validation[plan.rows[choice], choosing], nan=np.inf)
    training = (cells.training if cells.error is None else cells.error)[plan.rows[quick], announcing]
    better, worse = int((chosen.measure < fastest.measure).sum()), int((chosen.measure > fastest.measure).sum())
    never = (float("nan"),) * 3
    return Generalization(
        choice,
        quick,
        float(np.median(validation)) / _summed(plan, choice, len(plan.data.validation[0])),
        float(chosen.measure.mean()),
        float(fastest.measure.mean()),
        _quantile(chosen.measure, 0.5),
        *median_interval(chosen.measure),
        float(np.nanmedian(training)) / _summed(plan, quick, len(plan.data.x)),
        better,
        worse,
        *((better / (better + worse), *share_interval(better, better + worse)) if better + worse else never),
        chosen.runs,
        fastest.runs,
        *(never if chosen.right is None else (float(chosen.right.mean()), *mean_interval(chosen.right, 0, 1))),
        float("nan") if fastest.right is None else float(fastest.right.mean()),
    )


def _summed(plan: Plan, cell: Cell, n: int) -> int:
    """Over how many of n samples a loss is summed: all or, if it is a mean, one."""
    return n if plan.measure == "loss" and losses.get(cell.loss).reduction == "sum" else 1


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
