"""The figures of a study's report."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from byhand import symptoms
from byhand.errors import ByhandError, needs_extra
from byhand.figures import _STYLES, BLACK, _axes, _legend_beside, _logarithmic
from byhand.files import write_bytes
from byhand.study import words
from byhand.study.answer import Study
from byhand.study.plan import Cell, Plan, Way
from byhand.study.statistics import Summary, survival

with needs_extra("study"):
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from byhand._types import Array


# Quartiles of so many runs are exact enough for any figure: below them lie 25, 50 and 75 % to within 0.7 %.
_DRAWN = 20_000
# A loss so many times that of the best constant answer has exploded; drawn, it would leave the others no room.
_EXPLODED = 1e6


def heat_map(study: Study) -> Figure:
    """Share converged for each way and learning rate, with the epochs of the middle run; a frame around each best."""
    plan = study.plan
    shape = (len(plan.ways), len(plan.learning_rates))
    share = np.array([summary.share for summary in study.summaries]).reshape(shape)
    medians = [summary.quartiles[1] for summary in study.summaries]
    title = f"Converged within {plan.epochs:,} epochs; in a frame, at the learning rate that was chosen"
    if not share.any():
        title = f"Nothing converged within {plan.epochs:,} epochs"
    names = [_in_lines(plan.full_name(way)) for way in plan.ways]
    beside = 1.6 + 0.08 * max(len(line) for name in names for line in name.split("\n"))
    size = max(7.4, 0.5 * shape[1] + beside), 1.5 + 0.55 * shape[0]
    figure, axes = _axes(textwrap.fill(title, 80), "learning rate", "", size)
    image = axes.imshow(100 * share, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    axes.grid(visible=False)
    axes.set_xticks(range(shape[1]), [f"{rate:g}" for rate in plan.learning_rates])
    axes.set_yticks(range(shape[0]), names)
    for (row, column), median in zip(np.ndindex(shape), medians, strict=True):
        text = words.whole_percent(float(share[row, column])) + (f"\n{median:,.0f}" if np.isfinite(median) else "")
        color = "black" if share[row, column] > 0.55 else "white"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    for summary in study.best:
        if summary.converged:
            row, column = divmod(plan.rows[summary.cell], shape[1])
            frame = Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, fill=False, ec="white", lw=3)
            axes.add_patch(frame)
            axes.add_patch(Rectangle(frame.get_xy(), 0.94, 0.9, fill=False, ec=BLACK, lw=1.2))
    figure.colorbar(image, ax=axes, label="runs converged (%)")
    return figure


def survival_curves(study: Study) -> Figure:
    """The share of runs that got there against the epochs, each at its best, with its interval."""
    plan = study.plan
    _, announcing = study.cells.halves
    first = next((summary for summary in study.best if summary.converged), None)
    title = f"Nothing gets to {words.goal(plan)}"
    if first is not None:
        title = f"With {plan.name(first.cell)} {words.percent(first.share)} of the runs get there"
        if np.isfinite(first.quartiles[1]):
            title += f", half of all by epoch {first.quartiles[1]:,.0f}"
    labels = [_label(study, summary) for summary in study.best]
    figure, axes = _axes(textwrap.fill(title, 80), "epoch", "runs converged so far", _size(labels))
    for summary, label, (color, dashes, marker) in zip(study.best, labels, _styles(), strict=False):
        curve = survival(study.cells.epochs(summary.cell, announcing), plan.epochs)
        places = np.concatenate([[1], np.maximum(curve.epochs, 1), [plan.epochs]])
        share, low, high = (
            np.concatenate([[0], 1 - part, [1 - part[-1]]]) for part in (curve.share, curve.high, curve.low)
        )
        axes.fill_between(places, low, high, step="post", color=color, alpha=0.2, lw=0)
        axes.step(
            places, share, where="post", color=color, ls=dashes, lw=1.8, label=label, marker=marker,
            markevery=[-1],
        )  # fmt: skip
    _logarithmic(axes, "x")
    axes.set_ylim(-0.03, 1.05)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    _legend_beside(axes)
    return figure


def _label(study: Study, summary: Summary) -> str:
    rate = f"η = {summary.cell.learning_rate:g}".replace(" ", "\N{NO-BREAK SPACE}")
    return _in_lines(f"{study.plan.name(summary.cell)}, {rate}")


def _size(labels: Sequence[str]) -> tuple[float, float]:
    """Of a figure with these labels beside it."""
    return 7.4, max(3.6, 0.26 * len("\n".join(labels).split("\n")))


def _in_lines(name: str) -> str:
    """A name in lines that leave room for what it stands beside."""
    return textwrap.fill(name.replace("_", " "), 26)


def _styles() -> Iterator[tuple[str, Any, str]]:
    """Colours with dashes and markers; when they are used up, the same colours with the next one's."""
    for turn in count():
        for number, (color, *_) in enumerate(_STYLES):
            yield color, *_STYLES[(number + turn) % len(_STYLES)][1:]


def drawn_seeds(plan: Plan) -> int:
    """Of how many seeds the losses are drawn: of more than that no quartile would look different."""
    return min(plan.seeds, _DRAWN)


def loss_bands(study: Study) -> Figure:
    """The middle run's training loss against the epochs, and the middle half of the runs, at each one's best."""
    plan = study.plan
    labels = [_label(study, summary) for summary in study.best]
    one, *others = plan.values("loss")
    figure, axes = _axes(
        "Training loss: the middle run, and the middle half of the runs",
        "epoch, counted from 1",
        "loss (each its own)" if others else f"loss ({one.replace('_', ' ')})",
        _size(labels),
    )
    epochs = np.array(plan.recorded) + 1
    for summary, label, (color, dashes, marker) in zip(study.best, labels, _styles(), strict=False):
        low, middle, high = _quartiles(study, summary.cell)
        axes.fill_between(epochs, low, high, color=color, alpha=0.2, lw=0)
        axes.plot(epochs, middle, color=color, ls=dashes, marker=marker, markevery=6, ms=5, lw=1.8, label=label)
    if plan.measure == "loss":
        axes.axhline(plan.threshold, color=BLACK, lw=0.9, ls=":")
        axes.annotate(
            f"threshold, {plan.threshold:g}", (0, plan.threshold), xycoords=("axes fraction", "data"), xytext=(3, 3),
            textcoords="offset points", fontsize=9,
        )  # fmt: skip
    _logarithmic(axes, "xy")
    _legend_beside(axes)
    return figure


def _quartiles(study: Study, cell: Cell) -> Array:
    """Quartiles of the runs' losses at the recorded epochs, shape (3, k); a curve ends where it is at the threshold."""
    plan = study.plan
    start, seeds = plan.rows[cell] * plan.seeds, drawn_seeds(plan)
    column = study.all_runs.rows(start, start + seeds, "losses").combine_chunks().flatten()
    losses = column.to_numpy(zero_copy_only=False).reshape(seeds, -1)
    converged = np.isfinite(study.cells.epochs(cell, slice(0, seeds)))[:, None]
    # A run that stopped at the threshold is below whatever is above it (one that stopped at an error stays at its last
    # loss); one that diverged is above everything.
    is_by_loss = plan.measure == "loss"
    stopped = plan.threshold if is_by_loss else study.cells.training[plan.rows[cell], :seeds, None]
    losses = np.where(np.isnan(losses), np.where(converged, stopped, np.inf), losses)
    quartiles = np.quantile(losses, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    if plan.stops_at_threshold and is_by_loss:
        quartiles = np.maximum(quartiles, plan.threshold)
        for curve in quartiles:
            at_threshold = np.flatnonzero(curve <= plan.threshold)
            curve[at_threshold[1:]] = np.nan
        quartiles[0] = np.where(np.isnan(quartiles[0]), plan.threshold, quartiles[0])
    return np.where(quartiles < _highest_drawn(plan, cell, "loss"), quartiles, np.nan)


def _highest_drawn(plan: Plan, way: Way, measure: str) -> float:
    return _EXPLODED * (symptoms.best_constant_loss(plan.data.y, way.loss) if measure == "loss" else 1.0)


def speed_against_validation(study: Study) -> Figure:
    """Each cell by the epochs that training takes and its validation loss; without those that diverged or exploded."""
    plan, found = study.plan, study.generalization
    assert found is not None
    figure, axes = _axes(
        f"Speed and validation {plan.measure} choose {'the same' if found.chosen == found.fastest else 'differently'}",
        f"epochs to {words.goal(plan)} (restricted mean)",
        f"validation {plan.measure} at the end (median)",
        _size([_in_lines(plan.full_name(way)) for way in plan.ways]),
    )
    for way, (color, _, marker) in zip(plan.ways, _styles(), strict=False):
        start = plan.ways.index(way) * len(plan.learning_rates)
        highest = _highest_drawn(plan, way, plan.measure)
        cells = [one for one in study.summaries[start : start + len(plan.learning_rates)] if one.validation < highest]
        axes.plot(
            [summary.mean_epochs for summary in cells], [summary.validation for summary in cells],
            color=color, ls="", marker=marker, ms=7, label=_in_lines(plan.full_name(way)),
        )  # fmt: skip
    for cell, text, up in ((found.fastest, "fastest", 14), (found.chosen, "chosen by validation", -22)):
        summary = study.cells.summary(cell)
        axes.annotate(
            text, (summary.mean_epochs, summary.validation), xytext=(12, up), textcoords="offset points",
            fontsize=9, arrowprops={"arrowstyle": "-", "lw": 0.8},
        )  # fmt: skip
    _logarithmic(axes, "x")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if plan.measure == "loss":  # an error may be 0
        axes.set_yscale("log")
    axes.margins(x=0.12, y=0.2)
    _legend_beside(axes)
    return figure


def save(study: Study, folder: Path, format: str) -> list[Path]:  # noqa: A002
    """Write all figures as files of this format; give the files."""
    makers = {"survival_curves": survival_curves, "heat_map": heat_map, "loss_bands": loss_bands}
    if study.generalization is not None:
        makers["speed_against_validation"] = speed_against_validation
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ByhandError(f"cannot write to {folder}: {(error.strerror or str(error)).lower()}") from error
    files = []
    for name, make in makers.items():
        buffer = io.BytesIO()
        make(study).savefig(buffer, format=format, bbox_inches="tight", dpi=200)
        files.append(folder / f"{name}.{format}")
        write_bytes(files[-1], buffer.getvalue())
    return files
