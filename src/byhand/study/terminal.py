"""A study as text: the finding, each activation at its best, and the grid."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from byhand.study.answer import Study
from byhand.study.plan import Cell
from byhand.study.statistics import Summary


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
    console.print(_grid_table(study))
    if study.generalization is not None:
        console.print()
        for sentence in generalization_in_words(study):
            _say(console, sentence)
    if study.notes:
        console.print()
    for note in study.notes:
        _say(console, f"• {note}", indent="  ")


def show_best(study: Study, console: Console) -> None:
    """Print the finding, and each activation at its best."""
    plan, seeds = study.plan, study.best[0].runs
    how = f"chosen by {plan.seeds - seeds} seeds, measured on {seeds} others" if study.cells.are_halved else "all seeds"
    _say(console, study.finding, "bold")
    console.print()
    _say(console, f"Each activation at its best ({how}), and the epoch by which ¼, ½, ¾ of its runs got there:")
    console.print(_best_table(study))
    for summary in study.best:
        if summary.converged < summary.runs:
            _say(console, _fates(summary), indent="  ")


def _say(console: Console, text: str, style: str = "", indent: str = "") -> None:
    width = min(console.width, 100)
    console.print(Text(textwrap.fill(text, width, subsequent_indent=indent), style), soft_wrap=True)


def _best_table(study: Study) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    several = len(study.plan.initializers) > 1
    for heading in ("activation", *(["initializer"] if several else [])):
        table.add_column(heading, no_wrap=True)
    for heading in ("rate" if several else "learning rate", "converged (95 %)", "¼ by", "½ by", "¾ by"):
        table.add_column(heading, justify="right", no_wrap=True)
    for summary in study.best:
        cell = summary.cell
        table.add_row(
            cell.activation,
            *([cell.initializer] if several else []),
            f"{cell.learning_rate:g}",
            f"{summary.share:.1%} ({summary.share_low:.1%}–{summary.share_high:.1%})",
            *(_epochs(quartile) for quartile in summary.quartiles),
        )
    return table


def _grid_table(study: Study) -> Table:
    """Learning rates down, activations (with their initializers) across."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("rate", justify="right", no_wrap=True)
    ways = list(dict.fromkeys((summary.cell.activation, summary.cell.initializer) for summary in study.summaries))
    several = len(study.plan.initializers) > 1
    for activation, initializer in ways:
        table.add_column(f"{activation}\n{initializer}" if several else activation, justify="right")  # too many: folded
    found = {summary.cell: summary for summary in study.summaries}
    best = {summary.cell for summary in study.best if summary.converged}
    for rate in study.plan.learning_rates:
        cells = [Cell(activation, initializer, rate) for activation, initializer in ways]
        table.add_row(
            f"{rate:g}",
            *(Text(_share_and_median(found[cell]), style="bold" if cell in best else "") for cell in cells),
        )
    return table


def _share_and_median(summary: Summary) -> str:
    return f"{summary.share:.1%} {_epochs(summary.quartiles[1]):>5}"


def _epochs(number: float) -> str:
    return f"{number:,.0f}" if np.isfinite(number) else "–"


def _fates(summary: Summary) -> str:
    lost = {fate: share for fate, share in summary.fates.items() if fate != "converged" and share}
    shares = ", ".join(f"{share:.1%} {fate}" for fate, share in sorted(lost.items(), key=lambda item: -item[1]))
    return f"{summary.cell.activation}: of its runs {shares}."


def generalization_in_words(study: Study) -> Sequence[str]:
    """What validation chose and the test set said, and what choosing by speed would have cost."""
    found = study.generalization
    assert found is not None
    sentences = [
        f"Chosen by validation loss: {in_words(found.chosen, study)} (median of its runs {found.validation_loss:.4g}). "
        f"Announced on the test set, used once: a loss of {found.test_loss:.4g} (95 % interval {found.test_low:.4g} to "
        f"{found.test_high:.4g} over the {len(study.plan.data.test[0]) if study.plan.data.test else 0} test samples)."
    ]
    if found.chosen == found.fastest:
        sentences.append(
            "Choosing by training speed would have taken the same. Its optimism is that it looks at the training loss: "
            f"{found.training_loss_fastest:.4g} at the end, {abs(found.optimism):.4g} "
            f"{'below' if found.optimism > 0 else 'above'} the test loss."
        )
        return sentences
    verdict = f"{found.cost:+.4g} ({found.cost_low:+.4g} to {found.cost_high:+.4g})" + (
        "" if found.cost_low > 0 or found.cost_high < 0 else ": no difference shown"
    )
    sentences.append(
        f"Choosing by training speed would have taken {in_words(found.fastest, study)}: test loss "
        f"{found.test_loss_fastest:.4g}, against the choice by validation {verdict}. The optimism of that choice: "
        f"its training loss, {found.training_loss_fastest:.4g}, is {abs(found.optimism):.4g} "
        f"{'below' if found.optimism > 0 else 'above'} its test loss."
    )
    return sentences


def in_words(cell: Cell, study: Study) -> str:
    """A cell by name."""
    initializer = f", {cell.initializer}" if len(study.plan.initializers) > 1 else ""
    return f"{cell.activation} at learning rate {cell.learning_rate:g}{initializer}"
