"""What the runs say, and how surely.

Shares have Wilson intervals; epochs to the threshold are Kaplan & Meier's, where a run that never got there counts
as one that takes longer than its epochs; all from SciPy. Every interval is of 95 %.

A learning rate chosen because it did best on some runs looks better on those than it is. So half of the seeds
choose each activation's best, and the other half, which had no part in that, compare and announce.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from byhand._types import Array
from byhand.errors import needs_extra
from byhand.study.plan import Cell, Plan
from byhand.study.runs import FATES

with needs_extra("study"):
    from scipy import stats

if TYPE_CHECKING:
    import pyarrow as pa

CONFIDENCE = 0.95
# With fewer seeds, halves are too small to choose by.
_WORTH_HALVING = 20


@dataclass(frozen=True)
class Summary:
    """What the runs of a cell, or half of them, say.

    Attributes
    ----------
    cell : Cell
    runs, converged : int
    share, share_low, share_high : float
        The share that converged, with its Wilson interval.
    quartiles : (float, float, float)
        Epochs by which a quarter, half and three quarters of all runs got there (Kaplan–Meier); inf for never.
    median_low, median_high : float
        The interval of the median, from that of the curve (log-log).
    mean_epochs : float
        Restricted mean: the epochs to the threshold, or all epochs of a run that did not get there, on average.
    fates : dict
        The share of each fate.
    validation_loss : float
        The median over the runs at the end; inf for a run that diverged, nan without a validation set.
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
    fates: dict[str, float]
    validation_loss: float

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
            "fates": self.fates,
        }
        if not np.isnan(self.validation_loss):
            numbers["validation_loss_median"] = _finite(self.validation_loss)
        return {**vars(self.cell), **numbers}


@dataclass(frozen=True)
class Comparison:
    """How many epochs the slower of two takes more than the faster, each at its own best.

    Attributes
    ----------
    faster, slower : str
        Activations, by the restricted means of the announcing half.
    difference, low, high : float
        The mean of the paired differences, seed by seed, with its simultaneous interval (t, Bonferroni).
    """

    faster: str
    slower: str
    difference: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """Whether a difference is shown: the interval leaves out 0."""
        return self.low > 0


class Cells:
    """The runs of a study, cell by cell, seed by seed.

    Parameters
    ----------
    plan : Plan
    runs : pyarrow.Table
        All runs, in their order.
    """

    def __init__(self, plan: Plan, runs: pa.Table) -> None:
        self.plan = plan
        shape = (len(plan.cells), plan.seeds)
        reached = runs["epochs_to_threshold"].fill_null(-1).to_numpy().reshape(shape)
        self.epochs = np.where(reached < 0, np.inf, reached)
        self.fates = runs["fate"].combine_chunks().dictionary_decode().to_numpy(zero_copy_only=False).reshape(shape)
        self.validation: Array | None = None
        if "validation_loss" in runs.column_names:
            loss = runs["validation_loss"].to_numpy()
            self.validation = np.where(np.isnan(loss), np.inf, loss).reshape(shape)

    def summary(self, cell: Cell, seeds: slice = slice(None)) -> Summary:
        """What the runs of a cell say, all or those of some seeds."""
        row = self.plan.cells.index(cell)
        epochs, fates = self.epochs[row, seeds], self.fates[row, seeds]
        n, converged = len(epochs), int(np.isfinite(epochs).sum())
        interval = stats.binomtest(converged, n).proportion_ci(CONFIDENCE, method="wilson")
        curve = survival(epochs, self.plan.epochs)
        return Summary(
            cell,
            n,
            converged,
            converged / n,
            float(interval.low),
            float(interval.high),
            (curve.quantile(0.25), curve.quantile(0.5), curve.quantile(0.75)),
            _quantile(curve.epochs, curve.low, 0.5),
            _quantile(curve.epochs, curve.high, 0.5),
            self.restricted(cell, seeds).mean().item(),
            {fate: float((fates == fate).mean()) for fate in FATES},
            float("nan") if self.validation is None else float(np.median(self.validation[row, seeds])),
        )

    def restricted(self, cell: Cell, seeds: slice) -> Array:
        """The epochs to the threshold, at most all: min(T, epochs), for each seed."""
        return np.minimum(self.epochs[self.plan.cells.index(cell), seeds], self.plan.epochs)

    @property
    def halves(self) -> tuple[slice, slice]:
        """The seeds that choose, and those that announce; the same when they are too few to part."""
        half = self.plan.seeds // 2
        return (slice(0, half), slice(half, None)) if self.are_halved else (slice(None), slice(None))

    @property
    def are_halved(self) -> bool:
        """Whether choosing and announcing have seeds of their own."""
        return self.plan.seeds >= _WORTH_HALVING

    def best(self) -> list[Cell]:
        """For each activation the cell of the lowest restricted mean on the choosing half."""
        choosing, _ = self.halves
        return [
            min(
                (cell for cell in self.plan.cells if cell.activation == activation),
                key=lambda cell: self.restricted(cell, choosing).mean(),
            )
            for activation in self.plan.activations
        ]

    def comparisons(self, best: Sequence[Cell]) -> list[Comparison]:
        """Every two of these cells on the announcing half, the fastest first."""
        _, announcing = self.halves
        epochs = {cell.activation: self.restricted(cell, announcing) for cell in best}
        ordered = sorted(epochs, key=lambda name: epochs[name].mean())
        n_pairs = len(ordered) * (len(ordered) - 1) // 2
        return [
            _compare(faster, slower, epochs[slower] - epochs[faster], n_pairs)
            for faster, slower in combinations(ordered, 2)
        ]

    def choices(self) -> tuple[Cell, Cell] | None:
        """The cell of the lowest median validation loss, and that of the lowest restricted mean over all seeds.

        Of those of which most runs did not diverge; None if there are none, or no validation set.
        """
        if self.validation is None:
            return None
        loss = dict(zip(self.plan.cells, np.median(self.validation, axis=1), strict=True))
        sound = [cell for cell in self.plan.cells if np.isfinite(loss[cell])]
        if not sound:
            return None
        by_speed = min(sound, key=lambda cell: self.restricted(cell, slice(None)).mean())
        return min(sound, key=lambda cell: loss[cell]), by_speed


def _compare(faster: str, slower: str, differences: Array, n_pairs: int) -> Comparison:
    mean = float(differences.mean())
    if len(differences) < 2:
        return Comparison(faster, slower, mean, -np.inf, np.inf)
    if np.ptp(differences) == 0:  # such as two that never get there: no spread, so t has nothing to divide by
        return Comparison(faster, slower, mean, mean, mean)
    interval = stats.ttest_1samp(differences, 0.0).confidence_interval(1 - (1 - CONFIDENCE) / n_pairs)
    return Comparison(faster, slower, mean, float(interval.low), float(interval.high))


@dataclass(frozen=True)
class Survival:
    """The share of runs that have not yet got there, after each number of epochs, with its interval."""

    epochs: Array
    share: Array
    low: Array
    high: Array

    def quantile(self, share: float) -> float:
        """The epochs by which this share of the runs got there; inf for never."""
        return _quantile(self.epochs, self.share, share)


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
        low = stats.binomtest(n, n).proportion_ci(CONFIDENCE, method="wilson").low
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


def _quantile(epochs: Array, share_left: npt.NDArray[Any], share: float) -> float:
    there = np.flatnonzero(share_left <= 1 - share + 1e-12)
    return float(epochs[there[0]]) if len(there) else float("inf")


@dataclass(frozen=True)
class Generalization:
    """Choosing by validation loss and announcing by test loss, against choosing by speed.

    Losses are means over a cell's runs and over the samples of a set; intervals are over the test samples (t).

    Attributes
    ----------
    chosen, fastest : Cell
        By the median validation loss, and by the restricted mean of the epochs.
    validation_loss : float
        What `chosen` was chosen by, the median over the runs: too good to announce.
    test_loss, test_low, test_high : float
        What to announce.
    training_loss_fastest, test_loss_fastest : float
        The median training loss of `fastest` at the end, and its test loss.
    cost, cost_low, cost_high : float
        The test loss of `fastest` less that of `chosen`, sample by sample: what choosing by speed costs.
    runs, runs_fastest : int
        How many runs the test losses are of: those that did not diverge.
    """

    chosen: Cell
    fastest: Cell
    validation_loss: float
    test_loss: float
    test_low: float
    test_high: float
    training_loss_fastest: float
    test_loss_fastest: float
    cost: float
    cost_low: float
    cost_high: float
    runs: int
    runs_fastest: int

    @property
    def optimism(self) -> float:
        """How much lower than its test loss is what speed looks at, the training loss."""
        return self.test_loss_fastest - self.training_loss_fastest

    def as_json(self) -> dict[str, Any]:
        """The same as numbers, strings and lists."""
        cells = {"chosen": vars(self.chosen), "fastest": vars(self.fastest)}
        return {**vars(self), **cells, "optimism_of_choosing_by_speed": self.optimism}


def generalization(cells: Cells, runs: pa.Table, tested: dict[Cell, tuple[Array, int]]) -> Generalization:
    """Put together what the test set said.

    Parameters
    ----------
    cells : Cells
    runs : pyarrow.Table
    tested : dict
        From each of `cells.choices()` to its `runs.losses_on_test`.
    """
    choices = cells.choices()
    assert choices is not None
    choice, quick = choices
    chosen, fastest = tested[choice], tested[quick]
    rows = [cells.plan.cells.index(cell) for cell in (choice, quick)]
    training = runs["training_loss"].to_numpy().reshape(cells.epochs.shape)[rows[1]]
    assert cells.validation is not None
    test_low, test_high = _interval(chosen[0])
    cost_low, cost_high = (0.0, 0.0) if choice == quick else _interval(fastest[0] - chosen[0])
    return Generalization(
        choice,
        quick,
        float(np.median(cells.validation[rows[0]])),
        float(chosen[0].mean()),
        test_low,
        test_high,
        float(np.nanmedian(training)),
        float(fastest[0].mean()),
        float((fastest[0] - chosen[0]).mean()),
        cost_low,
        cost_high,
        chosen[1],
        fastest[1],
    )


def _interval(values: Array) -> tuple[float, float]:
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(CONFIDENCE)
    return float(interval.low), float(interval.high)


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
