"""The question asked and answered: from a data set and a grid to the runs, the statistics and the finding."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand.errors import needs_extra
from byhand.study.data import Data, load
from byhand.study.plan import Cell, Plan, make_plan, parse_rates
from byhand.study.running import workers
from byhand.study.runs import losses_on_test, run_block
from byhand.study.statistics import Cells, Comparison, Generalization, Summary, generalization
from byhand.study.store import Store, join, to_table

with needs_extra("study"):
    import joblib

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of runs that are done, and of all."""


@dataclass(frozen=True, repr=False)
class Study:
    """A study that has been done; printed, it tells its finding.

    Attributes
    ----------
    plan : Plan
        What was asked.
    runs : pyarrow.Table
        One row a run, with all that is needed to repeat it.
    cells : Cells
        The runs cell by cell, for `summary` of any of them.
    summaries : list of Summary
        Of every cell, over all seeds.
    best : list of Summary
        Each activation at its best learning rate and initializer, chosen by one half of the seeds and summed up on
        the other; the fastest first.
    comparisons : list of Comparison
        Of every two of `best`.
    generalization : Generalization or None
        Where there are a validation and a test set.
    """

    plan: Plan
    runs: pa.Table
    cells: Cells
    summaries: list[Summary]
    best: list[Summary]
    comparisons: list[Comparison]
    generalization: Generalization | None

    def __repr__(self) -> str:
        from rich.console import Console

        from byhand.study.terminal import show_best

        text = io.StringIO()
        show_best(self, Console(file=text, width=100))
        return text.getvalue().rstrip()

    def _repr_html_(self) -> str:
        # What a notebook shows.
        from byhand.study.report import best_html

        return best_html(self)

    def heat_map(self) -> Figure:
        """The share of runs that converged, for each activation and learning rate."""
        from byhand.study import figures

        return figures.heat_map(self)

    def survival_curves(self) -> Figure:
        """The share of runs that have converged by each epoch, each activation at its best."""
        from byhand.study import figures

        return figures.survival_curves(self)

    def loss_bands(self) -> Figure:
        """The training loss of the middle run and of the middle half, each activation at its best."""
        from byhand.study import figures

        return figures.loss_bands(self)

    @property
    def finding(self) -> str:
        """The answer in one sentence or two."""
        plan = self.plan
        goal = f"a training loss of {plan.threshold:g} on {Path(plan.data.name).name}"
        arrived = [summary for summary in self.best if summary.converged]
        if not arrived:
            return f"No activation gets to {goal} within {plan.epochs:,} epochs at these learning rates."
        fastest = arrived[0]
        name = fastest.cell.activation
        names = [summary.cell.activation for summary in arrived[1:]]
        against = {pair.slower: pair for pair in self.comparisons if pair.faster == name and pair.slower in names}
        alike = [other for other, pair in against.items() if not pair.shown]
        slower = {other: pair for other, pair in against.items() if pair.shown}
        what = (
            f"{name} (learning rate {fastest.cell.learning_rate:g}): {_percent(fastest.share)} of its runs get there, "
            f"the middle one in {epochs_in_words(fastest.quartiles[1], plan.epochs)}"
        )
        if len(self.best) == 1:
            return f"To {goal}, the fastest is {what}."
        if alike:
            said = f"To {goal}, no difference in speed is shown between {_and([name, *alike])}; ahead is {what}."
        else:
            said = f"To {goal}, each activation at its own best learning rate, the fastest is {what}."
        if slower:
            by = [f"{other} by {_range(pair)}" for other, pair in slower.items()]
            said += f" Slower, in epochs on average: {_and(by)}."
        never = [summary.cell.activation for summary in self.best if not summary.converged]
        if never:
            said += f" With {_and(never, 'or')} no run gets there within {plan.epochs:,} epochs."
        return said

    @property
    def notes(self) -> list[str]:
        """What a reader should know before believing the finding."""
        plan, notes = self.plan, []
        rates = plan.learning_rates
        for summary in self.best:
            rate = summary.cell.learning_rate
            if len(rates) > 1 and summary.converged and rate in (rates[0], rates[-1]):
                side = "lowest" if rate == rates[0] else "highest"
                notes.append(
                    f"The best learning rate of {summary.cell.activation}, {rate:g}, is the {side} one tried: beyond "
                    "it may be a better one."
                )
        first = self.best[0]
        sooner = [other for other in self.best[1:] if other.quartiles[1] < first.quartiles[1]]
        notes += [
            f"The middle run of {other.cell.activation} is sooner than that of {first.cell.activation} "
            f"({_median(other)} epochs against {_median(first)}), but {_percent(1 - other.share)} of its runs never "
            f"get there, against {_percent(1 - first.share)}. The mean, by which they are ordered, counts each "
            f"of those as {plan.epochs:,} epochs: with another number of epochs the order may be another."
            for other in sooner
        ]
        surest = max(self.best, key=lambda summary: summary.share)
        if surest.share_low > first.share_high:
            notes.append(
                f"The surest is not the fastest: of {surest.cell.activation} {_percent(surest.share)} of the runs get "
                f"there, of {first.cell.activation} {_percent(first.share)} (their 95 % intervals don't meet)."
            )
        if not self.cells.are_halved:
            notes.append(
                f"With {plan.seeds} seeds the same runs choose the learning rates and are announced, which flatters "
                "each activation: take 20 seeds or more."
            )
        if self.plan.data.test is None:
            notes.append(
                "Faster is not better: to say which is takes samples to validate and to test on, and here are too few."
            )
        return notes

    def as_json(self) -> dict[str, Any]:
        """Everything but the single runs, as JSON can hold it; what never happens is null."""
        return {
            "finding": self.finding,
            "notes": self.notes,
            "definition": self.plan.definition(),
            "best": [summary.as_json() for summary in self.best],
            "comparisons": [{**vars(pair), "difference_shown": pair.shown} for pair in self.comparisons],
            "generalization": None if self.generalization is None else self.generalization.as_json(),
            "cells": [summary.as_json() for summary in self.summaries],
        }


def study(
    data: str | os.PathLike[str] | Data | tuple[npt.ArrayLike, npt.ArrayLike] = "xor",
    *,
    activations: Sequence[str] = ("sigmoid", "relu", "tanh", "identity"),
    learning_rates: Sequence[float] | str = "1e-3..10",
    initializers: Sequence[str] | None = None,
    seeds: int = 1000,
    epochs: int = 2000,
    hidden: Sequence[int] = (10,),
    output: str | None = None,
    optimizer: str = "gradient_descent",
    batch_size: int | None = None,
    loss: str | None = None,
    threshold: float | None = None,
    target: str | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Study:
    """Train a network for every seed, learning rate, initializer and activation; say which activation is fastest.

    Parameters
    ----------
    data : str, path, Data or (x, y)
        "xor", another data set of the library, a file (see `data.load`), or arrays: x of shape (n, n_in), y of
        shape (n,) with numbers or classes, or (n, n_out).
    activations : sequence of str
        Those of the hidden layers; "relu/identity" is relu there, and identity in the last layer.
    learning_rates : sequence of float, or str
        Numbers, or a range such as "1e-3..10" (steps 1, 2, 5) or "1e-3..10:9" (nine of equal ratio).
    initializers : sequence of str, optional
        By default standard_normal for XOR, as in the practical, and glorot_uniform for other data.
    seeds : int
        How many runs each combination has, with the seeds 0, 1, …: each seeds the weights and the batches.
    epochs : int
    hidden : sequence of int
        The widths of the hidden layers.
    output : str, optional
        The activation of the last layer, "same" for that of the others: the default for XOR, as in the practical;
        for other data it is identity.
    optimizer : str
        A name in `optimizers.OPTIMIZERS`.
    batch_size : int, optional
        By default all samples.
    loss : str, optional
        By default sum_of_squares for XOR, cross-entropy from logits for classes, mean_squared_error otherwise.
    threshold : float, optional
        The training loss at which a run has converged; 0.01 for XOR, 0.1 for other data.
    target : str, optional
        The column of a file to predict; by default the last.
    out : path, optional
        A folder to keep finished blocks in, and then the runs and the report. Without it nothing is written.
    resume : bool
        Go on with the study that is in `out`.
    jobs, scheduler
        As in `running.workers`.
    progress : callable, optional
        Called as progress(runs done, all runs) after each block.

    Returns
    -------
    Study

    Raises
    ------
    ByhandError
        For everything a user can mend: unknown names, data with gaps, a folder with another study, …
    """
    plan = make_plan(
        _data(data, target),
        activations=activations,
        learning_rates=parse_rates(learning_rates) if isinstance(learning_rates, str) else learning_rates,
        initializers=initializers,
        seeds=seeds,
        epochs=epochs,
        hidden=hidden,
        output=output,
        optimizer=optimizer,
        batch_size=batch_size,
        loss=loss,
        threshold=threshold,
    )
    store = None if out is None else Store(Path(out), plan, resume=resume)
    done = carry_out(plan, store, jobs=jobs, scheduler=scheduler, progress=progress)
    if store is not None:
        from byhand.study.report import write_report

        write_report(store.folder / "report.html", done)
    return done


def _data(data: Any, target: str | None) -> Data:
    from byhand.study.data import from_arrays

    if isinstance(data, Data):
        return data
    if isinstance(data, tuple):
        return from_arrays(*data)
    return load(os.fspath(data), target)


def carry_out(
    plan: Plan,
    store: Store | None,
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Study:
    """Compute the blocks that are missing, and what they say.

    Parameters
    ----------
    plan : Plan
    store : Store or None
        Where finished blocks are kept, and found.
    jobs, scheduler, progress
        As in `study`.
    """
    blocks = list(plan.blocks())
    tables: dict[int, pa.Table] = {}
    with workers(jobs, scheduler, len(blocks)) as compute:
        if store is not None:
            store.begin()
            tables = store.finished()
        done = sum(table.num_rows for table in tables.values())
        missing = [block for block in blocks if block.number not in tables]
        for number, columns in compute(joblib.delayed(_numbered)(plan, block) for block in missing):
            tables[number] = to_table(columns) if store is None else store.save(number, columns)
            done += tables[number].num_rows
            if progress is not None:
                progress(done, plan.n_runs)
        runs = join(plan, [tables[block.number] for block in blocks])
        if store is not None:
            store.complete(runs)
        cells = Cells(plan, runs)
        announced = _announce(plan, cells, runs, compute)
    _, announcing = cells.halves
    best = sorted((cells.summary(cell, announcing) for cell in cells.best()), key=lambda summary: summary.mean_epochs)
    return Study(
        plan,
        runs,
        cells,
        [cells.summary(cell) for cell in plan.cells],
        best,
        cells.comparisons([summary.cell for summary in best]),
        announced,
    )


def _numbered(plan: Plan, block: Any) -> tuple[int, Any]:
    return block.number, run_block(plan, block)


def _announce(plan: Plan, cells: Cells, runs: pa.Table, compute: Any) -> Generalization | None:
    """Look at the test set: once, for the cell that validation chose and the one that speed would have."""
    choices = cells.choices()
    if choices is None:
        return None
    tested = compute(joblib.delayed(_tested)(plan, cell) for cell in dict.fromkeys(choices))
    return generalization(cells, runs, dict(tested))


def _tested(plan: Plan, cell: Cell) -> tuple[Cell, Any]:
    return cell, losses_on_test(plan, cell)


def epochs_in_words(epochs: float, within: int) -> str:
    """A number of epochs, or that there is none."""
    return f"{epochs:,.0f} epoch{'' if epochs == 1 else 's'}" if np.isfinite(epochs) else f"more than {within:,} epochs"


def _median(summary: Summary) -> str:
    low, high = (f"{end:,.0f}" if np.isfinite(end) else "∞" for end in (summary.median_low, summary.median_high))
    return f"{summary.quartiles[1]:,.0f} ({low} to {high})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _range(pair: Comparison) -> str:
    if pair.low == pair.high:
        return f"{pair.difference:,.0f}"
    return f"{pair.low:,.0f} to {pair.high:,.0f}"


def _and(words: Sequence[str], conjunction: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
