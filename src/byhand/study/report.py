"""The report: one HTML file that needs no network and no JavaScript."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy

import byhand
from byhand.activations import get
from byhand.files import write_text
from byhand.network import Network
from byhand.pages import STYLE_SHEET, inline_svg, svg_of
from byhand.study import figures
from byhand.study.answer import Study
from byhand.study.plan import Cell, Plan
from byhand.study.runs import FATES, train_runs
from byhand.study.statistics import Summary
from byhand.study.terminal import generalization_in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FATE_MEANINGS = {
    "converged": "the training loss came to the threshold",
    "diverged": "the loss or a parameter was no longer a finite number",
    "dead": "a ReLU layer of which no unit gives anything on any training sample",
    "saturated": "at least half of the units of a sigmoid or tanh layer have |z| ≥ 5 on more than half of the samples, "
    "while the loss is more than a tenth of what the best constant answer costs",
    "stuck": "the loss lies within 1 % of that of the best constant answer, or fell by less than 1 % in the second "
    "half of the epochs",
    "unfinished": "none of these: with more epochs it might converge",
}


def write_report(path: Path, study: Study) -> None:
    """Write the report, whole or not at all.

    Raises
    ------
    ByhandError
        If it cannot be written.
    """
    write_text(path, report_html(study))


def report_html(study: Study) -> str:
    """The report as HTML."""
    plan = study.plan
    title = f"Which activation converges the fastest on {Path(plan.data.name).name}?"
    sections = [
        ("Each activation at its best", _best(study)),
        ("How many get there, and when", _survival(study)),
        ("All learning rates", _heat_map(study)),
        ("The losses on the way", _losses(study)),
        ("What became of the runs", _fates(study)),
        ("A typical winner, a typical failure", _surfaces(study)),
        ("Is the fastest also the best?", _generalization(study)),
        ("How this was done", _method(study)),
        ("Every cell", _cells(study)),
    ]
    shown = [(f"s{number}", heading, html) for number, (heading, html) in enumerate(sections) if html]
    contents = "".join(f'<li><a href="#{name}">{escape(heading)}</a></li>' for name, heading, _ in shown)
    body = "".join(f'<h2 id="{name}">{escape(heading)}</h2>\n{html}\n' for name, heading, html in shown)
    notes = "".join(f"<li>{escape(note)}</li>" for note in study.notes)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="byhand">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{STYLE_SHEET.read_text(encoding="utf-8")}
td.number, th.number {{ text-align: right; white-space: nowrap; }}
.small table {{ font-size: .78rem; }}
</style>
</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<nav aria-label="Contents"><details><summary>Contents</summary><ol>{contents}</ol></details></nav>
<main id="main">
<h1>{escape(title)}</h1>
<div class="answer"><p class="label">Finding</p><p><strong>{escape(study.finding)}</strong></p>
{f"<ul>{notes}</ul>" if notes else ""}</div>
{_paragraph(_setting(plan))}
{body}</main>
<footer>
<p>{escape(_versions())}</p>
<p>Again: <code>{escape(command(plan))}</code></p>
</footer>
</body>
</html>
"""


def best_html(study: Study) -> str:
    """The finding, and each activation at its best, to stand in another page."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in study.notes)
    return f"<p><strong>{escape(study.finding)}</strong></p>\n{_best(study)}" + (f"<ul>{notes}</ul>" if notes else "")


def command(plan: Plan) -> str:
    """The command line that repeats the study."""
    words = ["byhand", "study", plan.data.name, "--activations", ",".join(plan.activations)]
    words += ["--learning-rates", ",".join(f"{rate:g}" for rate in plan.learning_rates)]
    words += ["--initializers", ",".join(plan.initializers), "--seeds", str(plan.seeds), "--epochs", str(plan.epochs)]
    words += ["--hidden", ",".join(map(str, plan.hidden)), "--output", plan.output or "same"]
    words += ["--optimizer", plan.optimizer, "--loss", plan.loss, "--threshold", f"{plan.threshold:g}"]
    return shlex.join(words + (["--batch", str(plan.batch_size)] if plan.batch_size else []))


def _setting(plan: Plan) -> str:
    output = "the same activation" if plan.output is None else plan.output
    batches = f"batches of {plan.batch_size}" if plan.batch_size else "all samples in each step"
    sentence = (
        f"{plan.n_runs:,} networks of {'-'.join(map(str, plan.sizes))} units with {output} at the output were trained "
        f"by {plan.optimizer.replace('_', ' ')} with {batches}, for at most {plan.epochs:,} epochs, to minimize the "
        f"{plan.loss.replace('_', ' ')}: every one of {plan.seeds:,} seeds with every activation"
        f"{', initializer' if len(plan.initializers) > 1 else ''} and learning rate."
    )
    if any("/" in activation for activation in plan.activations):
        sentence += " Two activations with a slash are that of the hidden layers and that of the last one."
    return sentence + (f" Data: {plan.data.note}." if plan.data.note else "")


def _best(study: Study) -> str:
    seeds = study.best[0].runs
    how = (
        f"The learning rate of each was chosen by {study.plan.seeds - seeds} seeds and is measured here on the {seeds} "
        "others, so that the choice does not flatter it."
        if study.cells.are_halved
        else "The same seeds chose each learning rate and are counted here, which flatters each a little."
    )
    rows = [
        [
            _name(summary.cell, study.plan),
            f"{summary.cell.learning_rate:g}",
            _interval(summary),
            _epochs(summary.quartiles[0]),
            f"{_epochs(summary.quartiles[1])} ({_epochs(summary.median_low)} – {_epochs(summary.median_high)})",
            _epochs(summary.quartiles[2]),
            f"{summary.mean_epochs:,.0f}",
        ]
        for summary in study.best
    ]
    headings = ["activation", "learning rate", "converged, 95 %", "¼ by", "½ by, 95 %", "¾ by", "mean"]
    pairs = [
        [
            f"{pair.slower} − {pair.faster}",
            f"{pair.difference:,.0f}",
            f"{pair.low:,.0f} to {pair.high:,.0f}",
            "yes" if pair.shown else "no difference shown",
        ]
        for pair in study.comparisons
    ]
    html = _paragraph(how) + _table(headings, rows, n_text=1)
    html += _paragraph(
        "Epochs: by when a quarter, half and three quarters of all runs had got there (Kaplan–Meier; ∞: never within "
        f"{study.plan.epochs:,}). Mean: a run that never gets there counts as {study.plan.epochs:,}."
    )
    if pairs:
        html += _paragraph(
            "Differences of these means, seed by seed (a seed draws the same numbers with each activation); the "
            f"intervals hold for all {len(pairs)} together with 95 %:"
        ) + _table(["difference", "epochs", "interval", "slower?"], pairs, n_text=1)
    return html


def _survival(study: Study) -> str:
    shares = "; ".join(
        f"{_name(summary.cell, study.plan)}: {summary.share:.0%} in the end, half of them by epoch "
        f"{_epochs(summary.quartiles[1])}"
        for summary in study.best
    )
    alt = f"Step curves of the share of runs that have converged against epochs, with bands of 95 %. {shares}."
    return _figure(figures.survival_curves(study), alt, "survival")


def _heat_map(study: Study) -> str:
    best = "; ".join(
        f"{activation}: highest at learning rate {found.cell.learning_rate:g} with {found.share:.0%}"
        for activation in study.plan.activations
        for found in [
            max((one for one in study.summaries if one.cell.activation == activation), key=lambda one: one.share)
        ]
    )
    alt = f"Heat map of the share of runs that converged, activations down and learning rates across. {best}."
    caption = (
        "In each cell: the share of runs that converged, and below it the epochs of the middle run, if half got there."
    )
    return _figure(figures.heat_map(study), alt, "heat") + _paragraph(caption)


def _losses(study: Study) -> str:
    plan = study.plan
    alt = (
        "Training loss against epochs, both logarithmic: a line for the middle run and a band for the middle half, for "
        + "; ".join(f"{_name(one.cell, plan)} at learning rate {one.cell.learning_rate:g}" for one in study.best)
        + f". The threshold is {plan.threshold:g}."
    )
    ends = " A run stops when it has reached the threshold, so curves end there." if plan.stops_at_threshold else ""
    caption = f"All {plan.seeds:,} seeds of each.{ends}"
    return _figure(figures.loss_bands(study), alt, "loss") + _paragraph(caption)


def _fates(study: Study) -> str:
    rows = [
        [_name(one.cell, study.plan), f"{one.cell.learning_rate:g}", *(_percent(one.fates[fate]) for fate in FATES)]
        for one in study.best
    ]
    meanings = "".join(f"<li><b>{fate}</b>: {escape(meaning)}.</li>" for fate, meaning in _FATE_MEANINGS.items())
    html = _table(["activation", "learning rate", *FATES], rows, n_text=1)
    return html + _paragraph("What the words mean; of several that fit, the first counts:") + f"<ul>{meanings}</ul>"


def _surfaces(study: Study) -> str:
    """A winner and a failure, trained once more: only where the inputs are a plane."""
    plan = study.plan
    if plan.sizes[0] != 2 or plan.sizes[-1] != 1 or plan.data.kind == "regression":
        return ""
    html = ""
    for kind, found in (("winner", _typical_winner(study)), ("failure", _typical_failure(study))):
        if found is None:
            continue
        cell, seed, story = found
        network = _trained_again(plan, cell, seed)
        as_probability = get("sigmoid") if plan.loss == "binary_cross_entropy_from_logits" else get("identity")
        figure = _surface(network, plan, f"A typical {kind}: {_name(cell, plan)}, {story}", as_probability)
        alt = (
            f"Output of the network over the plane of its inputs, a typical {kind}: {_name(cell, plan)} at learning "
            f"rate {cell.learning_rate:g}, seed {seed}, {story}. {_outputs_in_words(network, plan, as_probability)}"
        )
        html += _figure(figure, alt, kind) + _paragraph(
            f"Seed {seed} of {_name(cell, plan)} at learning rate {cell.learning_rate:g}, trained once more: {story}."
        )
    return html


def _surface(network: Network, plan: Plan, title: str, output: object) -> Figure:
    from byhand.figures import decision_surface

    return decision_surface(
        lambda points: output(network.predict(points)),  # type: ignore[operator]
        plan.data.x,
        plan.data.y,
        title=title,
    )


def _outputs_in_words(network: Network, plan: Plan, output: object) -> str:
    y_hat = output(network.predict(plan.data.x))  # type: ignore[operator]
    if len(y_hat) > 8:
        right = np.mean((y_hat > 0.5) == (plan.data.y > 0.5))
        return f"{right:.0%} of the training samples lie on the right side of a half."
    pairs = [f"({', '.join(f'{v:g}' for v in x)}): {a:.2f}" for x, a in zip(plan.data.x, y_hat[:, 0], strict=True)]
    return f"At the samples: {'; '.join(pairs)}."


def _trained_again(plan: Plan, cell: Cell, seed: int) -> Network:
    """The network of one run, trained with its whole block once more, so that not even rounding differs."""
    run = plan.cells.index(cell) * plan.seeds + seed
    block = max((block for block in plan.blocks() if plan.run_number(block) <= run), key=plan.run_number)
    networks, _ = train_runs(plan, block)
    return networks[run - plan.run_number(block)]


def _typical_winner(study: Study) -> tuple[Cell, int, str] | None:
    """The run in the middle of those of the fastest cell that got there."""
    cell = study.best[0].cell
    epochs = study.cells.epochs[study.plan.cells.index(cell)]
    order = np.argsort(epochs, kind="stable")[: np.isfinite(epochs).sum()]
    if len(order) == 0:
        return None
    seed = int(order[len(order) // 2])
    return cell, seed, f"at the threshold in epoch {epochs[seed]:,.0f}"


def _typical_failure(study: Study) -> tuple[Cell, int, str] | None:
    """Of the best cells the one that fails most often but not always; its commonest fate; its middle loss."""
    best = [summary for summary in study.best if summary.converged < summary.runs]
    if not best:
        return None
    summary = min(best, key=lambda one: (one.converged == 0, one.share))
    fates = {fate: share for fate, share in summary.fates.items() if fate not in ("converged", "diverged")}
    fate = max(fates, key=lambda name: fates[name])
    row = study.plan.cells.index(summary.cell)
    seeds = np.flatnonzero(study.cells.fates[row] == fate)
    if len(seeds) == 0:
        return None
    loss = study.runs["training_loss"].to_numpy().reshape(study.cells.epochs.shape)[row]
    seed = int(seeds[np.argsort(loss[seeds], kind="stable")[len(seeds) // 2]])
    return summary.cell, seed, f"{fate}, with a loss of {loss[seed]:.3g} at the end"


def _generalization(study: Study) -> str:
    if study.plan.data.test is None:
        return _paragraph(
            "It cannot be said here: a model is chosen by samples it was not trained on, and announced by others that "
            f"had no part in that choice, and {len(study.plan.data.x)} samples are too few to part. Speed is what this "
            "study compares, and nothing else."
        )
    found = study.generalization
    if found is None:
        return _paragraph("There is nothing to choose: everywhere most runs diverged.")
    words = "".join(_paragraph(sentence) for sentence in generalization_in_words(study))
    alt = (
        "Points for every cell: restricted mean epochs to the threshold across, median validation loss up. Fastest: "
        f"{_name(found.fastest, study.plan)} at {found.fastest.learning_rate:g}. Lowest validation loss: "
        f"{_name(found.chosen, study.plan)} at {found.chosen.learning_rate:g}."
    )
    return words + _figure(figures.speed_against_validation(study), alt, "validation")


def _method(study: Study) -> str:
    plan = study.plan
    stops = (
        "A run ends when it gets there."
        if plan.stops_at_threshold
        else "Every run trains to the end, so that validation losses are of equally long training."
    )
    halves = (
        f"The seeds 0 to {plan.seeds // 2 - 1} choose each activation's best cell (lowest restricted mean); the others "
        "give the numbers that are announced and compared."
        if study.cells.are_halved
        else "All seeds both choose and announce, for want of more."
    )
    points = [
        f"A run has converged when its training loss is {plan.threshold:g} or less; the epochs are those trained "
        f"before that. {stops}",
        "Runs that never got there are censored at the last epoch, those that diverged or died too: to drop them, "
        "or to end their time where they failed, would make an activation that fails often look fast.",
        "Shares have Wilson intervals, curves and quartiles are Kaplan & Meier's with log-log intervals, differences "
        "of restricted means are paired by seed with t intervals, Bonferroni-adjusted over all pairs (SciPy).",
        halves,
        "What is compared is the seeds' chance: the answer is for this data, this architecture, this optimizer and "
        "these learning rates.",
        "Each run can be repeated alone: its row in runs.parquet says how. Sums are then taken in another order, which "
        "a chaotic run (at a learning rate on the edge) magnifies, as it would any rounding. The first, for example:",
    ]
    items = "".join(f"<li>{escape(point)}</li>" for point in points)
    return (
        f"<ul>{items}</ul>" + f'<div class="code"><div class="highlight"><pre>{escape(_repeat(plan))}</pre></div></div>'
    )


def _repeat(plan: Plan) -> str:
    cell = plan.cells[0]
    layers = plan.by_layer(cell.activation)
    optimizer = type(plan.new_optimizer(0.1)).__name__
    return f"""\
from byhand import Network, optimizers, train
from byhand.study.data import load

data = load({plan.data.name!r})
network = Network.dense({plan.sizes}, {layers}, initializer={cell.initializer!r}, seed=0)
history = train(
    network, data.x, data.y, loss={plan.loss!r}, optimizer=optimizers.{optimizer}({cell.learning_rate!r}),
    epochs={plan.epochs}, batch_size={plan.batch_size}, seed=0,
)"""


def _cells(study: Study) -> str:
    several = len(study.plan.initializers) > 1
    rows = [
        [
            one.cell.activation,
            *([one.cell.initializer] if several else []),
            f"{one.cell.learning_rate:g}",
            _interval(one),
            *(_epochs(quartile) for quartile in one.quartiles),
            *(_percent(one.fates[fate]) for fate in FATES[1:]),
            *([f"{one.validation_loss:.4g}"] if study.generalization else []),
        ]
        for one in study.summaries
    ]
    headings = ["activation", *(["initializer"] if several else []), "η", "converged, 95 %", "¼ by", "½ by", "¾ by"]
    headings += [*FATES[1:], *(["validation loss"] if study.generalization else [])]
    table = _table(headings, rows, n_text=2 if several else 1)
    return f'<div class="small">{_paragraph(f"Over all {study.plan.seeds:,} seeds.")}{table}</div>'


def _versions() -> str:
    return (
        f"byhand {byhand.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}; float64; {platform.machine()}"
    )


def _name(cell: Cell, plan: Plan) -> str:
    return f"{cell.activation}, {cell.initializer}" if len(plan.initializers) > 1 else cell.activation


def _interval(summary: Summary) -> str:
    return f"{_percent(summary.share)} ({100 * summary.share_low:.1f} – {100 * summary.share_high:.1f})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share else "0"


def _epochs(number: float) -> str:
    return f"{number:,.0f}" if np.isfinite(number) else "∞"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>\n"


def _figure(figure: Figure, alt: str, name: str) -> str:
    return f"<figure>{inline_svg(svg_of(figure), alt, f'{name}-')}</figure>\n"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], n_text: int) -> str:
    """A table whose first columns are text and whose others are numbers."""

    def cells(row: Sequence[str], tag: str) -> str:
        kinds = ["" if column < n_text else ' class="number"' for column in range(len(row))]
        return "".join(f"<{tag}{kind}>{escape(text)}</{tag}>" for kind, text in zip(kinds, row, strict=True))

    body = "".join(f"<tr>{cells(row, 'td')}</tr>\n" for row in rows)
    head = cells(headings, "th").replace("<th", '<th scope="col"')
    return (
        '<div class="scrolling" role="group" aria-label="Table" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>\n"
    )
