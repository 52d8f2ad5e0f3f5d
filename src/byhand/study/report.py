"""The report: one HTML file that needs no network and no JavaScript."""

from __future__ import annotations

import platform
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

import byhand
from byhand import losses
from byhand.activations import get
from byhand.files import write_text
from byhand.network import Network
from byhand.pages import STYLE_SHEET, inline_svg, svg_of
from byhand.study import figures, words
from byhand.study.answer import Study
from byhand.study.plan import Cell, Plan, names_by_layer
from byhand.study.runs import FATES, train_block

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FATE_MEANINGS = {
    "converged": "the training loss (or error, where that is measured) came to the threshold",
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
    title = words.question(plan)
    sections = [
        ("Each at its best", _best(study)),
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
    notes = "".join(f"<li>{_html(note)}</li>" for note in study.notes)
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
.small table {{ font-size: .7rem; }}
.small td, .small th {{ padding-inline: .2rem; }}
.small td:first-child, .small th:first-child {{ padding-left: 0; }}
@media (min-width: 48rem) {{ figure svg {{ max-width: 100%; height: auto; }} }}
</style>
</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<nav aria-label="Contents"><details><summary>Contents</summary><ol>{contents}</ol></details></nav>
<main id="main">
<h1>{escape(title)}</h1>
<div class="answer"><p class="label">Finding</p><p><strong>{_html(words.answer(study))}</strong></p>
{_paragraph(words.terms(study))}{f"<ul>{notes}</ul>" if notes else ""}</div>
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
    """The finding, and each at its best, to stand in another page."""
    notes = "".join(f"<li>{_html(note)}</li>" for note in study.notes)
    head = f"<p><strong>{_html(words.answer(study))}</strong></p>\n{_paragraph(words.terms(study))}"
    return f"{head}{_best(study)}" + (f"<ul>{notes}</ul>" if notes else "")


def command(plan: Plan) -> str:
    """The command line that repeats the study; one with activations of one's own is repeated from Python."""
    line = ["byhand", "study", plan.data.name, "--activations", ",".join(plan.activations)]
    line += ["--learning-rates", ",".join(f"{rate!r}" for rate in plan.learning_rates)]
    line += ["--seeds", str(plan.seeds), "--epochs", str(plan.epochs), "--output", plan.output]
    line += ["--measure", plan.measure, "--threshold", f"{plan.threshold!r}", "--compare", ",".join(plan.compare)]
    for option, factor, default in (
        ("--initializers", "initializer", None),
        ("--hidden", "hidden", None),
        ("--optimizer", "optimizer", ("gradient_descent",)),
        ("--batch", "batch_size", (None,)),
        ("--dropout", "dropout", (0.0,)),
        ("--penalty", "penalty", ("",)),
        ("--loss", "loss", None),
        ("--schedule", "schedule", ("",)),
        ("--max-norm", "max_norm", (None,)),
    ):
        values = plan.values(factor)
        if values != default:
            line += [option, ",".join(_as_option(factor, value) for value in values)]
    line += ["--patience", str(plan.patience)] if plan.patience else []
    return shlex.join(line + (["--precision", "single"] if plan.precision == "single" else []))


def _as_option(factor: str, value: Any) -> str:
    if factor == "hidden":
        return "-".join(map(str, value)) or "none"
    return {None: "all" if factor == "batch_size" else "none", "": "none"}.get(value, str(value))


def _setting(plan: Plan) -> str:
    several = [factor.replace("_", " ") for factor in plan.varying] + ["learning rate"] * (len(plan.learning_rates) > 1)
    batches = {way.choice("batch_size") for way in plan.ways}
    sizes = words.and_(list(dict.fromkeys("-".join(map(str, plan.sizes(way))) for way in plan.ways)))
    minimized = words.and_([name.replace("_", " ") for name in plan.values("loss")], "or")
    optimizers = words.and_([way.replace("_", " ") for way in plan.values("optimizer")])
    sentence = (
        f"{plan.n_runs:,} networks of {sizes} units with {words.output_in_words(plan)} were trained by {optimizers} "
        f"({words.and_(sorted(batches))}) for at most {plan.epochs:,} epochs to minimize the "
        f"{minimized}: every one of {plan.seeds:,} seeds with every "
        f"{words.and_(several or ['setting'])}."
    )
    return sentence + (f" Data: {plan.data.note}." if plan.data.note else "")


def _best(study: Study) -> str:
    plan = study.plan
    chosen = [factor for factor in plan.varying if factor not in plan.compare]
    rows = [
        [
            plan.name(summary.cell),
            *(summary.cell.choice(factor) for factor in chosen),
            words.rate_in_words(summary, plan),
            words.share(summary),
            _epochs(summary.quartiles[0]),
            f"{_epochs(summary.quartiles[1])} ({_epochs(summary.median_low)}–{_epochs(summary.median_high)})",
            _epochs(summary.quartiles[2]),
            *([words.percent(summary.accuracy)] if plan.shows_accuracy else []),
        ]
        for summary in study.best
    ]
    headings = [_compared(plan), *(factor.replace("_", " ") for factor in chosen)]
    headings += ["learning rate", "converged, %", "¼ by", "½ by", "¾ by"]
    headings += ["right"] if plan.shows_accuracy else []
    table = _table(headings, rows, n_text=1 + len(chosen))
    html = f'<div class="small">{table}</div>' if chosen else table
    html += _paragraph(
        "Intervals of 95 % in brackets. Epochs: by when a quarter, half and three quarters of all runs had got there "
        f"(∞: never within {plan.epochs:,})."
    )
    if plan.shows_accuracy:
        on = "validation" if plan.data.validation is not None else "training"
        html += _paragraph(f"Right: the share of the {on} samples on the right side, averaged over the runs.")
    return html + _comparisons(study) + _means(study)


def _means(study: Study) -> str:
    plan = study.plan
    rows = [
        [
            plan.name(summary.cell),
            f"{words.number(summary.mean_epochs)} ({words.span(summary.mean_low, summary.mean_high)})",
            words.number(summary.chosen_by),
        ]
        for summary in study.best
    ]
    html = _paragraph(
        f"The mean epochs, where a run that never gets there counts as {plan.epochs:,}: it weighs failures by how long "
        "the study went on. By its value over the seeds that choose, the learning rates were chosen."
    )
    return html + _table([_compared(plan), "mean, 95 %", "mean that chose"], rows, n_text=1)


def _compared(plan: Plan) -> str:
    return words.and_(plan.compare).replace("_", " ")


def _comparisons(study: Study) -> str:
    """The first against each, and each against the next."""
    if not study.comparisons:
        return ""
    names = [study.plan.name(summary.cell) for summary in study.best]
    pairs = [study.comparison(names[0], name) for name in names[1:]]
    pairs += [study.comparison(*two) for two in pairwise(names[1:])]
    rows = [
        [
            f"{pair.faster} before {pair.slower}",
            f"{pair.sooner:,} : {pair.later:,}",
            f"{words.percent(pair.share)} ({words.percents(pair.low, pair.high)})" if pair.sooner else "–",
            f"{pair.p_value:.1g}" if pair.p_value < 0.01 else f"{pair.p_value:.2f}",
            f"{words.number(pair.difference)} ({words.span(pair.difference_low, pair.difference_high)})",
            "yes" if pair.shown else "not shown",
        ]
        for pair in pairs
    ]
    text = (
        "The first against each, and each against the next, seed by seed: with how many seeds the one is sooner, and "
        "the other; the share of the first, without ties; the p-value of the sign test; and by how many epochs the "
        f"other's mean is longer. The intervals hold for all {len(study.comparisons)} comparisons of two together with "
        "95 % (Bonferroni); the p-value is that of one alone."
    )
    headings = ["pair", "seeds", "sooner, share", "p", "difference of means", "shown?"]
    return f'{_paragraph(text)}<div class="small">{_table(headings, rows, n_text=1)}</div>'


def _survival(study: Study) -> str:
    shares = "; ".join(
        f"{study.plan.name(summary.cell)}: {words.percent(summary.share)} in the end, half of them by epoch "
        f"{_epochs(summary.quartiles[1])}"
        for summary in study.best
    )
    alt = f"Step curves of the share of runs that have converged against epochs, with bands of 95 %. {shares}."
    return _figure(figures.survival_curves(study), alt, "survival")


def _heat_map(study: Study) -> str:
    plan = study.plan
    best = "; ".join(
        f"{plan.name(one.cell)} at {words.rate_in_words(one, plan)}: {words.percent(one.share)} of the announced runs"
        for one in study.best
    )
    alt = f"Heat map of the share of runs that converged, ways down and learning rates across. {best}."
    caption = (
        "In each cell: the share of all runs that converged, those that chose among them, and below it the epochs of "
        "the middle run, if half got there. A frame: the learning rate that was chosen, by the lowest mean."
    )
    return _figure(figures.heat_map(study), alt, "heat") + _paragraph(caption)


def _losses(study: Study) -> str:
    plan = study.plan
    alt = (
        "Training loss against epochs, both logarithmic: a line for the middle run and a band for the middle half, for "
        + "; ".join(f"{plan.name(one.cell)} at learning rate {one.cell.learning_rate:g}" for one in study.best)
        + (f". The threshold is {plan.threshold:g}." if plan.measure == "loss" else ".")
    )
    ends = " A run stops when it has reached the threshold, so curves end there."
    ends = ends if plan.stops_at_threshold and plan.measure == "loss" else ""
    seeds = figures.drawn_seeds(plan)
    caption = f"{'All' if seeds == plan.seeds else 'The first'} {seeds:,} seeds of each.{ends}"
    return _figure(figures.loss_bands(study), alt, "loss") + _paragraph(caption)


def _fates(study: Study) -> str:
    rows = [
        [study.plan.name(one.cell), f"{one.cell.learning_rate:g}", *(_percent(one.fates[fate]) for fate in FATES)]
        for one in study.best
    ]
    meanings = "".join(f"<li><b>{fate}</b>: {escape(meaning)}.</li>" for fate, meaning in _FATE_MEANINGS.items())
    html = _paragraph("In percent of the runs:") + _table([_compared(study.plan), "η", *FATES], rows, n_text=1)
    return html + _paragraph("What the words mean; of several that fit, the first counts:") + f"<ul>{meanings}</ul>"


def _surfaces(study: Study) -> str:
    """A winner and a failure, trained once more: only where the inputs are a plane."""
    plan = study.plan
    if plan.data.x.shape[1] != 2 or plan.data.y.shape[1] != 1 or plan.data.kind == "regression":
        return ""
    html = ""
    for kind, found in (("winner", _typical_winner(study)), ("failure", _typical_failure(study))):
        if found is None:
            continue
        cell, seed, story = found
        network = _trained_again(plan, cell, seed)
        as_probability = get("sigmoid") if losses.get(cell.loss).from_logits else get("identity")
        title = textwrap.fill(f"A typical {kind}: {plan.name(cell)}, {story}", 70)
        figure = _surface(network, plan, title, as_probability)
        alt = (
            f"Output of the network over the plane of its inputs, a typical {kind}: {plan.name(cell)} at learning "
            f"rate {cell.learning_rate:g}, seed {seed}, {story}. {_outputs_in_words(network, plan, as_probability)}"
        )
        html += _figure(figure, alt, kind) + _paragraph(
            f"Seed {seed} of {plan.name(cell)} at learning rate {cell.learning_rate:g}, trained once more: {story}."
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
    run = plan.rows[cell] * plan.seeds + seed
    block = max((block for block in plan.blocks() if block.first_run <= run), key=lambda block: block.first_run)
    trained = train_block(plan, block)
    trained.network.parameters[:] = trained.parameters[run - block.first_run]
    return trained.network


def _typical_winner(study: Study) -> tuple[Cell, int, str] | None:
    """The run in the middle of those of the fastest cell that got there."""
    cell = study.best[0].cell
    epochs = study.cells.epochs(cell)
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
    row = study.plan.rows[summary.cell]
    seeds = np.flatnonzero(study.cells.fates[row] == FATES.index(fate))
    if len(seeds) == 0:
        return None
    loss = study.cells.training[row]
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
    said = "".join(_paragraph(sentence) for sentence in words.generalization(study))
    alt = (
        "Points for every cell that neither diverged nor exploded: restricted mean epochs to the threshold across, "
        f"median validation {study.plan.measure} up. "
        f"Fastest: {study.plan.full_name(found.fastest)} at {found.fastest.learning_rate:g}. "
        f"Lowest validation {study.plan.measure}: "
        f"{study.plan.full_name(found.chosen)} at {found.chosen.learning_rate:g}."
    )
    return said + _figure(figures.speed_against_validation(study), alt, "validation")


def _method(study: Study) -> str:
    plan = study.plan
    stops = (
        "A run ends when it gets there."
        if plan.stops_at_threshold
        else "Every run trains to the end, so that what validates is of equally long training."
    )
    points = [
        f"A run has converged when it has come to {words.goal(plan)}; the epochs are those trained before. {stops}",
        "Runs that never got there are censored at the last epoch, those that diverged or died too: to drop them, "
        "or to end their time where they failed, would make an activation that fails often look fast.",
        "Shares, and which of two is sooner, have exact intervals (Clopper & Pearson; for the latter those of the sign "
        "test), medians those of order statistics, means those of Waudby-Smith & Ramdas (2024), which hold "
        "whatever the distribution between 0 and all epochs; curves are Kaplan & Meier's with log-log bands.",
        f"{words.chosen_and_announced(study)}The best learning rate is that of the lowest mean; first comes what is "
        "sooner than the others with most seeds.",
        "What varies from seed to seed are first weights and batches: the answer is for this data, these networks and "
        "these settings.",
        "Each run can be repeated alone: its row in runs.parquet says how. Sums are then taken in another order, which "
        "a chaotic run (at a learning rate on the edge) magnifies, as it would any rounding. The first, for example, "
        "without the callback that ends a run at the threshold, and without penalties, schedule, clipping and dropout:",
    ]
    items = "".join(f"<li>{escape(point)}</li>" for point in points)
    return f'<ul>{items}</ul><div class="code"><div class="highlight"><pre>{escape(_repeat(plan))}</pre></div></div>'


def _repeat(plan: Plan) -> str:
    cell = plan.cells[0]
    layers = names_by_layer(cell.activation, len(cell.hidden) + 1, plan.output)
    optimizer = type(plan.new_optimizer(cell, 0.1)).__name__
    _, _, settings = cell.optimizer.removesuffix(")").partition("(")
    settings = f"{cell.learning_rate!r}, {settings}" if settings else repr(cell.learning_rate)
    dtype = ", dtype='float32'" if plan.precision == "single" else ""
    patience = f"\n    validation=data.validation, patience={plan.patience}," if plan.patience else ""
    return f"""\
from byhand import Network, optimizers, train
from byhand.study.data import load

data = load({plan.data.name!r})
network = Network.dense({plan.sizes(cell)}, {layers}, initializer={cell.initializer!r}, seed=0{dtype})
history = train(
    network, data.x, data.y, loss={cell.loss!r}, optimizer=optimizers.{optimizer}({settings}),
    epochs={plan.epochs}, batch_size={cell.batch_size}, seed=0,{patience}
)"""


def _cells(study: Study) -> str:
    plan = study.plan
    rows = [
        [
            plan.full_name(one.cell),
            f"{one.cell.learning_rate:g}",
            words.share(one),
            " · ".join(_epochs(quartile) for quartile in one.quartiles),
            *(_percent(one.fates[fate]) for fate in FATES[1:]),
            *([f"{one.validation:.3g}"] if study.generalization else []),
            *([_percent(one.accuracy)] if plan.shows_accuracy else []),
        ]
        for one in study.summaries
    ]
    headings = [words.and_(plan.varying or ("activation",)).replace("_", " "), "η", "converged", "¼ · ½ · ¾ by"]
    headings += [*FATES[1:], *([f"validation {plan.measure}"] if study.generalization else [])]
    headings += ["right"] if plan.shows_accuracy else []
    text = f"Over all {plan.seeds:,} seeds; shares in percent, with their interval of 95 %."
    return f'<div class="small">{_paragraph(text)}{_table(headings, rows, n_text=1)}</div>'


def _versions() -> str:
    return (
        f"byhand {byhand.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}; {platform.machine()}"
    )


def _percent(share: float) -> str:
    return words.percent(share).removesuffix(" %")


def _epochs(number: float) -> str:
    return f"{number:,.0f}" if np.isfinite(number) else "∞"


def _paragraph(text: str) -> str:
    return f"<p>{_html(text)}</p>\n"


def _html(text: str) -> str:
    """A text whose numbers stay with their percent signs."""
    return escape(text).replace(" %", "&nbsp;%")


def _figure(figure: Figure, alt: str, name: str) -> str:
    return f"<figure>{inline_svg(svg_of(figure), alt, f'{name}-')}</figure>\n"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], n_text: int) -> str:
    """A table whose first columns are text, in which long names may break, and whose others are numbers."""

    def cells(row: Sequence[str], tag: str) -> str:
        texts = [escape(text).replace("_", "_<wbr>") for text in row[:n_text]]
        numbers = [escape(text) for text in row[n_text:]]
        return "".join([
            *(f"<{tag}>{text}</{tag}>" for text in texts),
            *(f'<{tag} class="number">{text}</{tag}>' for text in numbers),
        ])  # fmt: skip

    body = "".join(f"<tr>{cells(row, 'td')}</tr>\n" for row in rows)
    head = cells(headings, "th").replace("<th", '<th scope="col"')
    return (
        '<div class="scrolling" role="group" aria-label="Table" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>\n"
    )
