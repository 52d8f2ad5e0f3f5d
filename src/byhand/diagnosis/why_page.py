"""The story of `byhand why` as one HTML file, with the plots that show it."""

from __future__ import annotations

import html
import io
import math

import numpy as np

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.why_report import Chapter, Finding, Report
from byhand.diagnosis.why_terminal import OUTCOMES
from byhand.errors import needs_extra

LARGEST = 1e30  # what is drawn; a loss that grows further is cut there

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin-bottom: .3rem; }
pre { background: #8881; padding: .5rem .8rem; overflow-x: auto; border-left: 4px solid #d55e00; }
.also pre { border-left-color: #8888; } .also { opacity: .9; }
.outcome { font-weight: 600; border-top: 1px solid #8886; padding-top: 1rem; margin-top: 2rem; }
svg { max-width: 100%; height: auto; background: white; border-radius: 4px; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem 1rem; } code { font-size: .95em; }
"""


def page(report: Report, name: str) -> str:
    """The page.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Why: {html.escape(name)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>What happens when {html.escape(name)} runs, and why</h1>",
    ]
    for number, chapter in enumerate(report.chapters):
        if number:
            parts.append(f"<h2>The same, {html.escape(chapter.mended)}</h2>")
        parts.append(f"<p>{html.escape(chapter.happened)}</p>")
        parts += [_finding(f, chapter, first=not rank) for rank, f in enumerate(chapter.findings)]
        parts.append(_losses(chapter))
    parts.append(f'<p class="outcome">{html.escape(OUTCOMES[report.outcome])}</p>')
    if report.checked:
        parts.append("<h2>What was checked in the last run</h2><ul>")
        parts += [f"<li>{html.escape(line)}</li>" for line in report.checked]
        parts.append("</ul>")
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _finding(finding: Finding, chapter: Chapter, *, first: bool) -> str:
    entry = CATALOGUE.get(finding.id)
    title = entry.title if entry is not None else finding.id
    title = title[:1].upper() + title[1:] if first else f"Also possible: {title}"
    parts = [f'<section class="{"" if first else "also"}"><h3>{html.escape(title)}</h3>']
    text = chapter.lines.get(finding.line)
    if text:
        parts.append(f"<pre><code>{finding.line:>4} │ {html.escape(text)}</code></pre>")
    parts.append(f"<p>{html.escape(finding.message[:1].upper() + finding.message[1:])}</p><dl>")
    if entry is not None:
        parts.append(f"<dt>Why</dt><dd>{html.escape(entry.why)}</dd><dt>Mend</dt><dd>{html.escape(entry.mend)}</dd>")
    x = finding.experiment
    if x is not None:
        after = f"{x.after:.3g}" if math.isfinite(x.after) else "no number"
        cured = "It trains." if x.cured else "That alone does not cure it."
        parts.append(
            f"<dt>Tried</dt><dd>{html.escape(x.what)}: the loss per sample at the end is {after}. {cured}</dd>"
        )
    parts.append(f"<dt>Confidence</dt><dd>{finding.confidence:.0%} (<code>{finding.id}</code>)</dd></dl></section>")
    return "\n".join(parts)


def _losses(chapter: Chapter) -> str:
    """The loss of the run and of the first experiment, each against its share of the steps."""
    curves = []
    finite = [v for v in chapter.losses if abs(v) < LARGEST]
    if len(finite) > 1:
        curves.append((f"the script: {chapter.loss_is or 'its loss'}", finite, "#D55E00", "-"))
    experiment = next((f.experiment for f in chapter.findings if f.experiment and len(f.experiment.losses) > 1), None)
    if experiment is not None:
        tried = [v for v in experiment.losses if abs(v) < LARGEST]
        curves.append((f"tried: {experiment.what} (loss per sample)", tried, "#0072B2", "--"))
    if not curves:
        return ""
    with needs_extra("figures"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    for label, values, colour, line in curves:
        axes.plot(np.linspace(0, 100, len(values)), values, line, color=colour, label=label)
    if all(min(values) > 0 for _, values, _, _ in curves):
        axes.set_yscale("log")
    axes.set_xlabel("progress of the run (%)")
    axes.set_ylabel("loss")
    first, last = curves[0][1][0], curves[0][1][-1]
    axes.set_title(f"The loss goes from {first:.3g} to {last:.3g}")
    axes.legend()
    out = io.StringIO()
    figure.savefig(out, format="svg")
    svg = out.getvalue()
    label = f"The loss goes from {first:.3g} to {last:.3g}"
    return f'<figure role="img" aria-label="{label}">{svg[svg.index("<svg") :]}</figure>'
