"""The question asked and answered: from a data set and a grid to the runs, the statistics and the finding."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from byhand.activations import Activation
from byhand.errors import ByhandError, needs_extra
from byhand.study import words
from byhand.study.data import read
from byhand.study.plan import Block, Cell, Plan, Several, make_plan, parse_rates
from byhand.study.running import workers
from byhand.study.runs import Columns, Tested, differing_repeats, on_test, run_block
from byhand.study.statistics import Cells, Comparison, Generalization, Summary, generalization
from byhand.study.store import Runs, Store, joined, to_table

with needs_extra("study"):
    import joblib
    import pyarrow as pa

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of runs that are done, and of all."""

# So many runs of each winner are repeated, to see whether they are on the edge of stability.
_REPEATED = 21


@dataclass(frozen=True, repr=False)
class Study:
    """A study that has been done; printed, it tells its finding.

    Attributes
    ----------
    plan : Plan
        What was asked.
    all_runs : Runs
        The table of runs, in memory or in its file.
    cells : Cells
        The runs cell by cell, for `summary` of any of them.
    summaries : list of Summary
        Of every cell, over all seeds.
    best : list of Summary
        Each of what is compared at its best learning rate, first the one that is sooner than the others with most
        seeds: both chosen by one half of the seeds, and summed up on the other.
    comparisons : list of Comparison
        Of every two of `best`.
    repeats : dict
        From each name in `best` to how many of its runs took another course when they were repeated with first weights
        changed in the last digit, and how many were repeated.
    generalization : Generalization or None
        Where there are a validation and a test set.
    """

    plan: Plan
    all_runs: Runs
    cells: Cells
    summaries: list[Summary]
    best: list[Summary]
    comparisons: list[Comparison]
    repeats: dict[str, tuple[int, int]]
    generalization: Generalization | None

    def __repr__(self) -> str:
        from rich.console import Console

        from byhand.study.terminal import show_best

        text = io.StringIO()
        # in a notebook rich would display the text instead of writing it
        show_best(self, Console(file=text, width=100, force_jupyter=False, force_terminal=False, color_system=None))
        return text.getvalue().rstrip()

    def _repr_html_(self) -> str:
        # What a notebook shows.
        from byhand.study.report import best_html

        return best_html(self)

    @property
    def runs(self) -> pa.Table:
        """One row a run, with all that is needed to repeat it."""
        return self.all_runs.table()

    @property
    def finding(self) -> str:
        """The answer, in a paragraph."""
        return words.finding(self)

    @property
    def notes(self) -> list[str]:
        """What a reader should know before believing the finding."""
        return words.notes(self)

    def comparison(self, one: str, other: str) -> Comparison:
        """How two of `best` compare, by name."""
        return next(pair for pair in self.comparisons if {pair.faster, pair.slower} == {one, other})

    def table(self, of: Literal["best", "comparisons", "cells", "runs"] = "best") -> Any:
        """A table: a pandas DataFrame where pandas is installed, else a pyarrow Table.

        Parameters
        ----------
        of : {"best", "comparisons", "cells", "runs"}
            Each of what is compared at its best; every two of these; every cell, over all seeds; or every run.

        Raises
        ------
        ByhandError
            If there is no such table.
        """
        makers: dict[str, Callable[[], pa.Table]] = {
            "best": lambda: _flat([summary.as_json() for summary in self.best]),
            "comparisons": lambda: _flat([pair.as_json() for pair in self.comparisons]),
            "cells": lambda: _flat([summary.as_json() for summary in self.summaries]),
            "runs": lambda: self.runs,
        }
        if of not in makers:
            raise ByhandError(f"there is no table {of!r}; choose among {', '.join(makers)}")
        table = makers[of]()
        return table.to_pandas() if find_spec("pandas") else table

    def heat_map(self) -> Figure:
        """The share of runs that converged, for each way and learning rate."""
        from byhand.study import figures

        return figures.heat_map(self)

    def survival_curves(self) -> Figure:
        """The share of runs that have converged by each epoch, each at its best."""
        from byhand.study import figures

        return figures.survival_curves(self)

    def loss_bands(self) -> Figure:
        """The training loss of the middle run and of the middle half, each at its best."""
        from byhand.study import figures

        return figures.loss_bands(self)

    def save_figures(self, folder: str | os.PathLike[str], format: Literal["svg", "png", "pdf"] = "svg") -> list[Path]:  # noqa: A002
        """Write the figures to files in a folder, which is made if it is not there; give the files.

        Raises
        ------
        ByhandError
            If the format is none of these, or they cannot be written.
        """
        from byhand.study import figures

        if format not in ("svg", "png", "pdf"):
            raise ByhandError(f"figures are svg, png or pdf, not {format!r}")
        return figures.save(self, Path(folder), format)

    def as_json(self) -> dict[str, Any]:
        """Everything but the single runs, as JSON can hold it; what never happens is null."""
        return {
            "question": words.question(self.plan),
            "finding": self.finding,
            "notes": self.notes,
            "definition": self.plan.definition(),
            "best": [summary.as_json() for summary in self.best],
            "comparisons": [pair.as_json() for pair in self.comparisons],
            "repeats": {name: {"differing": n, "repeated": of} for name, (n, of) in self.repeats.items()},
            "generalization": None if self.generalization is None else self.generalization.as_json(),
            "cells": [summary.as_json() for summary in self.summaries],
        }


def _flat(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table: what is several numbers becomes several columns."""
    flat: list[dict[str, Any]] = []
    for row in rows:
        columns: dict[str, Any] = {}
        for name, value in row.items():
            if name == "hidden":
                columns[name] = "-".join(map(str, value))
            elif name == "epochs_quartiles":
                columns |= dict(zip(("epochs_quarter", "epochs_median", "epochs_three_quarters"), value, strict=True))
            elif isinstance(value, list):
                columns |= {
                    f"{name.removesuffix('_interval')}_{end}": v for end, v in zip(("low", "high"), value, strict=True)
                }
            else:
                columns |= (
                    {f"share_{fate}": v for fate, v in value.items()} if isinstance(value, dict) else {name: value}
                )
        flat.append(columns)
    return pa.Table.from_pylist(flat)


def study(
    data: Any = "xor",
    *,
    activations: Several[str | Activation] | None = None,
    learning_rates: Sequence[float] | str = "1e-3..10",
    initializers: Several[str] | None = None,
    seeds: int = 1000,
    epochs: int = 2000,
    hidden: Sequence[int] | Sequence[Sequence[int]] = (10,),
    output: Several[str] | None = None,
    optimizer: Several[str] = "gradient_descent",
    batch_size: Several[int | None] = None,
    dropout: Several[float] = 0.0,
    penalty: Several[str | None] = None,
    loss: Several[str] | None = None,
    schedule: Several[str | None] = None,
    max_norm: Several[float | None] = None,
    measure: str | None = None,
    threshold: float | None = None,
    patience: int | None = None,
    precision: str = "double",
    compare: Several[str] | None = None,
    target: str | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Study:
    """Train a network for every seed, learning rate and way to train; say which way is the fastest.

    Of activations, initializers, hidden, output, optimizer, batch_size, dropout, penalty, loss, schedule and max_norm
    each takes one value or several. Every combination is tried; what has several values is compared, each at its best
    learning rate.

    Parameters
    ----------
    data : str, path, Data, data frame, array or (x, y)
        "xor", another data set of the library, a file (see `data.load`), a data frame (pandas, polars, pyarrow), an
        array whose last column is the target, or arrays: x of shape (n, n_in), y of shape (n,) with numbers or
        classes, or (n, n_out).
    activations : str, Activation, or several
        Those of the hidden layers; "relu/identity" is relu there, and identity in the last layer, and with one name a
        layer, as "tanh/relu/identity", each has its own. By default sigmoid, relu, tanh and identity, for XOR each
        with itself, identity and sigmoid in the last layer. An `Activation` of one's own has a name and no "/".
    learning_rates : sequence of float, or str
        Numbers, or a range such as "1e-3..10" (steps 1, 2, 5), "1e-3..10:9" (nine of equal ratio) or "1e-3..10:random9"
        (nine drawn).
    initializers : str, or several
        By default standard_normal for XOR, as in the practical, and glorot_uniform for other data.
    seeds : int
        How many runs each combination has, with the seeds 0, 1, …: each seeds the weights and the batches.
    epochs : int
    hidden : sequence of int, or several
        The widths of the hidden layers: (10,) is one network, [(5,), (10, 10)] are two.
    output : str, or several
        The activation of the last layer where `activations` doesn't say it; "same" for that of the others: the default
        for XOR where activations are named, as in the practical. For other data it is identity.
    optimizer : str, or several
        A name in `optimizers.OPTIMIZERS`, if need be with settings: "adam(beta_1=0.8)".
    batch_size : int or None, or several
        None, the default, is all samples.
    dropout : float, or several
        The rate after each hidden layer.
    penalty : str or None, or several
        "l2(0.001)", "l1(0.001)", or both with + between.
    loss : str, or several
        By default sum_of_squares for XOR, cross-entropy from logits for classes, mean_squared_error otherwise. One from
        logits is tried with those combinations whose last layer is identity.
    schedule : str or None, or several
        Of the learning rate: "cosine(2000)", "warmup(10, cosine(100))", … (see `schedules`).
    max_norm : float or None, or several
        The length at which gradients are clipped.
    measure : {"loss", "error"}, optional
        What says that a run has converged: the training loss or, by default with several losses or penalties, under
        which a loss means another thing, the share of wrong training answers, of a regression 1 − R².
    threshold : float, optional
        At which loss or error a run has converged: by default a loss of 0.01 for XOR and 0.1 for other data, an error
        of 0.05 for classes and 0.1 for a regression.
    patience : int, optional
        Early stopping, as in `training.train`; it needs 100 samples or more.
    precision : {"double", "single"}
    compare : str, or several
        Which factors to compare: "activation", "initializer", "hidden", "optimizer", "batch_size", "dropout",
        "penalty", "loss", "schedule", "max_norm". By default all that have several values; the best value of the others
        is chosen with the learning rate.
    target : str, optional
        The column of a file or data frame to predict; by default the last.
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

    Notes
    -----
    Dropout, early stopping and reduce_on_plateau are for `training.train`, which trains one network after the other:
    for small networks that takes a hundred times as long as all of them together.
    """
    plan = make_plan(
        read(data, target),
        activations=activations,
        learning_rates=parse_rates(learning_rates) if isinstance(learning_rates, str) else learning_rates,
        initializers=initializers,
        seeds=seeds,
        epochs=epochs,
        hidden=hidden,
        output=output,
        optimizer=optimizer,
        batch_size=batch_size,
        dropout=dropout,
        penalty=penalty,
        loss=loss,
        schedule=schedule,
        max_norm=max_norm,
        measure=measure,
        threshold=threshold,
        patience=patience,
        precision=precision,
        compare=compare,
    )
    store = None if out is None else Store(Path(out), plan, resume=resume)
    done = carry_out(plan, store, jobs=jobs, scheduler=scheduler, progress=progress)
    if store is not None:
        from byhand.study.report import write_report

        write_report(store.folder / "report.html", done)
    return done


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
    cells = Cells(plan)
    blocks = {block.number: block for block in plan.blocks()}
    tables: dict[int, pa.Table] = {}
    with workers(jobs, scheduler, plan) as compute:
        done, missing = 0, dict(blocks)
        if store is not None:
            store.begin()
            for block in store.finished():
                del missing[block.number]
                cells.take(block, _as_columns(store.read(block, list(cells.columns))))
                done += block.stop - block.start
        # Those of the same seeds after one another: their first weights are then drawn once, and few need to be kept.
        by_seed = sorted(missing.values(), key=lambda block: block.start % plan.seeds)
        for number, columns in compute(joblib.delayed(_numbered)(plan, block) for block in by_seed):
            block = blocks[number]
            table = to_table(plan, block, columns)
            if store is None:
                tables[number] = table
            else:
                store.save(block, table)
            cells.take(block, columns)
            done += block.stop - block.start
            if progress is not None:
                progress(done, plan.n_runs)
        runs = Runs(joined([tables[number] for number in blocks], plan) if store is None else store.complete())
        best = cells.best()
        tested = _look_at_test_set(plan, cells, compute)
        repeats = _repeat(plan, cells, best, compute)
    _, announcing = cells.halves
    return Study(
        plan,
        runs,
        cells,
        [cells.summary(cell) for cell in plan.cells],
        [cells.summary(cell, announcing) for cell in best],
        cells.comparisons(best),
        repeats,
        tested,
    )


def _as_columns(table: pa.Table) -> Columns:
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        column = column.indices if name == "fate" else column.fill_null(-1) if name == "epochs_to_threshold" else column
        columns[name] = column.to_numpy(zero_copy_only=False)
    return columns


def _numbered(plan: Plan, block: Block) -> tuple[int, Columns]:
    return block.number, run_block(plan, block)


def _look_at_test_set(plan: Plan, cells: Cells, compute: Any) -> Generalization | None:
    """Look at the test set: once, for the cell that validation chose and the one that speed would have."""
    choices = cells.choices()
    if choices is None:
        return None
    seeds = np.arange(plan.seeds)[cells.halves[1]]
    tested = compute(joblib.delayed(_tested)(plan, cell, seeds) for cell in dict.fromkeys(choices))
    return generalization(cells, dict(tested))


def _tested(plan: Plan, cell: Cell, seeds: Any) -> tuple[Cell, Tested]:
    return cell, on_test(plan, cell, seeds)


def _repeat(plan: Plan, cells: Cells, best: Sequence[Cell], compute: Any) -> dict[str, tuple[int, int]]:
    """Repeat a few runs of each that gets there, to see whether rounding changes their course."""
    seeds = np.arange(plan.seeds)[cells.halves[1]][:_REPEATED]
    asked = [cell for cell in best if np.isfinite(cells.epochs(cell)).any()]
    differing = dict(compute(joblib.delayed(_repeated)(plan, cell, seeds) for cell in asked))
    return {plan.name(cell): (differing[cell], len(seeds)) for cell in asked}


def _repeated(plan: Plan, cell: Cell, seeds: Any) -> tuple[Cell, int]:
    return cell, differing_repeats(plan, cell, seeds)
