"""The answer of `byhand why` as one HTML file, with the script's own curve and the findings on it."""

from __future__ import annotations

import html
import io
import math
from itertools import groupby
from typing import Any

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.story.program import Change
from byhand.diagnosis.story.report import Chapter, Report, Told, course, proof, title
from byhand.errors import needs_extra

_LARGEST = 1e30  # what is drawn; a loss that grows further leaves the plot there
_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#777777")  # Okabe and Ito's for the colour-blind
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_NO_CURVE = "No curve: of the loss, fewer than two values were seen."
_INK = "#010203"  # becomes the page's own colour of text

_STYLE = """
:root { color-scheme: light dark; --bad: #b34700; --good: #006b4f; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff9a57; --good: #5fd3a9; --second: #56b4e9; } }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.4rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
pre { background: #8881; padding: .5rem .8rem; overflow-x: auto; border-left: 4px solid #8888; margin: .6rem 0; }
del, ins { text-decoration: none; } del { color: var(--bad); } ins { color: var(--good); font-weight: 600; }
.outcome { font-weight: 600; border-top: 1px solid #8886; padding-top: 1rem; margin-top: 2rem; }
.note, summary { opacity: .8; } details { margin: .4rem 0; } figure { margin: 1.5rem 0; }
figure { overflow-x: auto; } svg { max-width: 100%; min-width: 34rem; height: auto; }
"""


def page(report: Report) -> str:
    """The page.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed, and there is a curve to draw.
    """
    name = report.program.name
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Why: {_e(name)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>What happens when {_e(name)} runs, and why</h1>",
        _curves(report),
    ]
    for number, chapter in enumerate(report.chapters):
        if number:
            parts.append(f"<h2>The same, {_code(chapter.mended)}</h2>")
        parts.append(f"<p>{_e(' '.join(chapter.happened))}</p>")
        parts += [_finding(list(alike), report) for _, alike in groupby(chapter.told, key=lambda t: t.finding.id)]
    parts += [f'<p class="outcome">{_e(" ".join(report.ending))}</p>' if report.ending else ""]
    parts += [f'<p class="note">{_e(note)}</p>' for note in report.notes]
    parts.append("</body></html>\n")
    return "\n".join(part for part in parts if part)


def _e(text: str) -> str:
    return html.escape(text)


def _code(text: str) -> str:
    """Escaped, with what stands between backquotes as code."""
    pieces = html.escape(text).split("`")
    return "".join(f"<code>{p}</code>" if k % 2 else p for k, p in enumerate(pieces))


def _finding(alike: list[Told], report: Report) -> str:
    """One mistake, at each of its places."""
    first = alike[0].finding
    entry = CATALOGUE.get(first.id)
    parts = [f'<section id="{_e(first.id)}"><h3>{_e(title(first))}</h3>']
    if first.certainty == "symptom":
        parts.append('<p class="note">Seen in the numbers; there may be another cause.</p>')
    parts += [f"<pre><code>{_lines(t, report)}</code></pre><p>{_e(t.finding.message)}</p>" for t in alike]
    if entry is not None:
        parts.append(f"<p>{_e(entry.plain)}</p>" if entry.plain else "")
        if not all(told.mending for told in alike):
            parts.append(f"<p><strong>Mend:</strong> {_e(entry.mend)}</p>")
        elif alike[0].mending is not None and alike[0].mending.was_judged:
            parts.append(f'<p class="note">{proof(alike)}</p>')
        parts.append(f"<details><summary>More</summary><p>{_e(entry.why)}</p></details>")
    return "\n".join([*parts, "</section>"])


def _lines(told: Told, report: Report) -> str:
    changes = told.mending.changes if told.mending else []
    file, program = told.finding.place.file, report.program
    rewritten = {c.line for c in changes if c.before is not None}
    shown = [
        (p.line, Change(p.line, program.line(p.line, p.file), None)) for p in [told.finding.place, *told.finding.also]
    ]
    rows = []
    for line, change in [s for s in shown if s[0] and s[0] not in rewritten] + [(c.line, c) for c in changes]:
        number = program.where(line, file).replace("line ", "")
        is_kept = change not in changes
        if change.before is not None:
            text = _e(change.before)
            rows.append(f"{number:>5} │ {text if is_kept else f'<del>{text}</del>'}")
        if change.moved_before:
            rows.append(f"    → │ <ins>moved above {_e(program.where(change.moved_before, file))}</ins>")
        elif change.after is not None:
            rows.append(f"    → │ <ins>{_e(change.after)}</ins>")
    return "\n".join(rows)


def _curves(report: Report) -> str:
    """The loss that the script computes, in each run that has one, on one scale; below it what was found in each."""
    runs = [(c, curve) for c in report.chapters if len(curve := _curve(c)) > 1][: len(_COLOURS)]
    if not runs:
        is_training = any(chapter.facts.parameters for chapter in report.chapters)
        return f'<p class="note">{_NO_CURVE}</p>' if is_training else ""
    with needs_extra("figures"):
        import matplotlib as mpl
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    style: dict[Any, Any] = dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
    )
    legend = [_legend(report, chapter) for chapter, _ in runs]
    with mpl.rc_context({**style, "svg.fonttype": "none", "svg.hashsalt": "why", "font.size": 11}):
        figure = Figure(figsize=(8, 4 + 0.2 * "\n".join(legend).count("\n") + 0.25), layout="constrained")
        axes = figure.subplots()
        for place, (chapter, curve) in enumerate(runs):
            axes.plot(*zip(*curve, strict=True), ls=_DASHES[place], color=_COLOURS[place], label=legend[place])
            if chapter.told:
                _annotate(axes, ", ".join(_places(report, chapter.told)), curve, place)
        values = [v for _, curve in runs for _, v in curve]
        if min(values) > 0 and max(values) > 20 * min(values):
            axes.set_yscale("log")
        axes.margins(y=0.2)
        axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        axes.set_xlabel("steps: updates of the parameters")
        axes.set_ylabel("loss, as the script computes it")
        heading = _heading(report, *runs[0])
        axes.set_title(heading, loc="left", fontsize=12)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        figure.legend(frameon=False, fontsize=10, loc="outside lower left", alignment="left")
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    svg = out.getvalue().replace(_INK, "currentColor")
    svg = svg.replace(_COLOURS[1].lower(), f"var(--second, {_COLOURS[1]})")  # too dark on a dark page
    spoken = _e(heading.replace("\n", ", "))
    return f'<figure role="img" aria-label="{spoken}">{svg[svg.index("<svg") :]}</figure>'


def _curve(chapter: Chapter) -> list[tuple[int, float]]:
    facts = chapter.facts
    steps = facts.steps if len(facts.steps) == len(facts.losses) else range(1, len(facts.losses) + 1)
    return [(s, v) for s, v in zip(steps, facts.losses, strict=True) if math.isfinite(v) and abs(v) < _LARGEST]


def _annotate(axes: Any, text: str, curve: list[tuple[int, float]], place: int) -> None:
    """The text at the curve, on the side that a falling or a climbing one leaves free."""
    climbs = curve[-1][1] > curve[0][1]
    share = 0.6 if climbs else 0.3 + 0.2 * place
    at = curve[int(len(curve) * share) if len(curve) > 3 else 0]
    axes.annotate(
        text,
        at,
        (-26 if climbs else 26, 26),
        textcoords="offset points",
        va="center",
        ha="right" if climbs else "left",
        arrowprops={"arrowstyle": "-|>", "color": _INK},
    )


def _places(report: Report, told: list[Told]) -> list[str]:
    """The lines of findings, as the program's reader counts them: "line 3", then only "7"; three at most."""
    places = sorted({t.finding.place for t in told if t.finding.place.line}, key=lambda p: (p.file, p.line))
    names = [report.program.where(p.line, p.file) for p in places]
    shown = [names[k] if k == 0 else names[k].removeprefix("line ") for k in range(min(len(names), 3))]
    return [*shown, *["…"][: len(names) - 3]]


def _legend(report: Report, chapter: Chapter) -> str:
    """Which run it is, and what was found in it, a row each."""
    rows = [f"the same, {chapter.mended}".replace("`", "") if chapter.mended else f"{report.program.name} as it is"]
    for _, alike in groupby(chapter.told, key=lambda t: t.finding.id):
        told = list(alike)
        words = [", ".join(_places(report, told)), title(told[0].finding)]
        rows.append("\N{EM SPACE}" + ": ".join(filter(None, words)))
    return "\n".join(_short(row, 100) for row in rows)


def _heading(report: Report, chapter: Chapter, curve: list[tuple[int, float]]) -> str:
    """What the loss did, and how much of it is drawn."""
    what = report.program.name if chapter is report.chapters[0] else "Once it runs"
    is_whole = curve[-1][1] == chapter.facts.loss_end
    return f"{what}: the loss {course(chapter.facts)}" + ("" if is_whole else f"\ndrawn up to step {curve[-1][0]:,}")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
