"""A study as text: the finding, each activation at its best, and the grid."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TypeVar

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from byhand.study import words
from byhand.study.answer import Study
from byhand.study.statistics import Summary

T = TypeVar("T")


def show(study: Study, console: Console) -> None:
    """Print what the study found.

    Parameters
    ----------
    study : Study
    console : rich.console.Console
    """
    show_best(study, console)
    plan = study.plan
    console.print()
    _say(
        console,
        f"All {plan.n_runs:,} runs: share converged, and the epoch of the middle run (– if half never got there):",
    )
    for table in _grid_tables(study, console.width):
        console.print(table)
    if study.generalization is not None:
        console.print()
        for sentence in words.generalization(study):
            _say(console, sentence)
    if study.notes:
        console.print()
    for note in study.notes:
        _say(console, f"• {note}", indent="  ")


def show_best(study: Study, console: Console) -> None:
    """Print the finding, and each at its best."""
    plan = study.plan
    _say(console, words.answer(study), "bold")
    console.print()
    _say(console, words.terms(study))
    console.print()
    _say(
        console,
        "Each at its best: share converged; epoch by which ¼, ½, ¾ of its runs got there; mean epochs, where a run "
        f"that never gets there counts as {plan.epochs:,}, and the mean by which the rate was chosen:",
    )
    table = _best_table(study)
    # Numbers that are cut off would be worse than lines that are too long.
    width = max(console.width, Measurement.get(console, console.options, table).minimum)
    console.print(table, width=width, crop=False)
    for summary in study.best:
        if summary.converged < summary.runs:
            _say(console, _fates(study.plan.name(summary.cell), summary), indent="  ")


def _say(console: Console, text: str, style: str = "", indent: str = "") -> None:
    together = text.replace(" %", "\N{NO-BREAK SPACE}%")
    lines = textwrap.fill(together, min(console.width, 100), subsequent_indent=indent)
    console.print(Text(lines.replace("\N{NO-BREAK SPACE}", " "), style), soft_wrap=True)


def _best_table(study: Study) -> Table:
    plan = study.plan
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", min_width=20)
    # What is not compared but chosen with the learning rate has a column, too.
    chosen = [factor for factor in plan.varying if factor not in plan.compare]
    for factor in chosen:
        table.add_column(factor.replace("_", " "), min_width=12)
    for heading in (
        "rate",
        "converged, %",
        "¼ by",
        "½ by",
        "¾ by",
        "mean",
        "chose",
        *(["right"] if plan.shows_accuracy else []),
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for summary in study.best:
        cell = summary.cell
        table.add_row(
            *(text.replace("_", " ") for text in (plan.name(cell), *(cell.choice(factor) for factor in chosen))),
            words.rate_in_words(summary, plan),
            words.share(summary),
            *(words.epochs(quartile) for quartile in summary.quartiles),
            words.number(summary.mean_epochs),
            words.number(summary.chosen_by),
            *([words.percent(summary.accuracy)] if plan.shows_accuracy else []),
        )
    return table


def _grid_tables(study: Study, width: int) -> Iterator[Table]:
    """Learning rates down, ways across, as many as a line holds."""
    plan = study.plan
    n_rates, best = len(plan.learning_rates), {summary.cell for summary in study.best if summary.converged}
    columns = [
        (plan.full_name(way).replace(", ", ",\n"), study.summaries[row * n_rates : (row + 1) * n_rates])
        for row, way in enumerate(plan.ways)
    ]
    widest = max(14, *(len(line) for name, _ in columns for line in name.split("\n"))) + 2
    for some in _batched(columns, max(1, (width - 8) // widest)):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("rate", justify="right", no_wrap=True)
        for name, _ in some:
            table.add_column(name, justify="right", no_wrap=True)
        for rate, summaries in zip(plan.learning_rates, zip(*(ones for _, ones in some), strict=True), strict=True):
            cells = (Text(_share_and_median(one), style="bold" if one.cell in best else "") for one in summaries)
            table.add_row(f"{rate:g}", *cells)
        yield table


def _batched(columns: list[T], most: int) -> Iterator[list[T]]:
    """The columns, so many at a time."""
    for start in range(0, len(columns), most):
        yield columns[start : start + most]


def _share_and_median(summary: Summary) -> str:
    return f"{words.percent(summary.share)} {words.epochs(summary.quartiles[1]):>5}"


def _fates(name: str, summary: Summary) -> str:
    lost = {fate: share for fate, share in summary.fates.items() if fate != "converged" and share}
    shares = ", ".join(
        f"{words.percent(share)} {fate}" for fate, share in sorted(lost.items(), key=lambda item: -item[1])
    )
    return f"{name}: of its runs {shares}."
