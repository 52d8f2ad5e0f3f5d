"""The story of `byhand why` as a person reads it in a terminal."""

from __future__ import annotations

import math

from rich.console import Console
from rich.markup import escape

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.why_report import Chapter, Finding, Report

OUTCOMES = {
    "nothing wrong found": "Nothing wrong found.",
    "trains in spite of it": "It trains in spite of that; mend it all the same.",
    "trains once mended": "Once that is mended, it trains.",
    "would train once mended": "With that mended it would train, as the experiment shows.",
    "does not train": "That is as far as this could be followed; with what is mended above it does not train yet.",
    "not understood": "This script was not understood well enough, so nothing was judged.",
}


def tell(report: Report, name: str, console: Console) -> None:
    """Print the story: what happened, why, how to mend it, and what happens next."""
    for number, chapter in enumerate(report.chapters):
        title = f"What happens when {name} runs" if not number else f"The same, {chapter.mended}"
        console.print(f"[bold]{escape(title)}[/bold]")
        console.print(escape(chapter.happened), highlight=False)
        _findings(chapter, console)
        console.print()
    style = "green" if report.outcome in ("nothing wrong found", "trains once mended") else "yellow"
    console.print(f"[bold {style}]{OUTCOMES[report.outcome]}[/bold {style}]")
    if report.outcome == "nothing wrong found":
        console.print("Checked:")
        for line in report.checked:
            console.print(f"  · {escape(line)}", highlight=False)


def _findings(chapter: Chapter, console: Console) -> None:
    for rank, finding in enumerate(chapter.findings):
        first = rank == 0
        console.print()
        mark = "[bold red]✗[/bold red]" if first else "[yellow]•[/yellow]"
        title = CATALOGUE[finding.id].title if finding.id in CATALOGUE else finding.id
        also = "" if first else "[dim]also possible: [/dim]"
        certainty = f"[dim]({finding.id}, confidence {finding.confidence:.0%})[/dim]"
        console.print(f"{mark} {also}[bold]{escape(title)}[/bold] {certainty}", highlight=False)
        lines = [finding.line, *finding.evidence.get("also_at", [])]
        for number in dict.fromkeys(lines):
            if number and chapter.lines.get(number):
                console.print(f"  [cyan]{number:>4}[/cyan] │ {escape(chapter.lines[number])}", highlight=False)
        console.print(f"  {escape(_sentence(finding.message))}", highlight=False)
        _why_and_mend(finding, console, first=first)


def _why_and_mend(finding: Finding, console: Console, *, first: bool) -> None:
    entry = CATALOGUE.get(finding.id)
    if entry is not None and first:
        console.print(f"  [dim]Why:[/dim]  {escape(entry.why)}", highlight=False)
    if entry is not None:
        console.print(f"  [dim]Mend:[/dim] {escape(entry.mend)}", highlight=False)
    x = finding.experiment
    if x is not None:
        verdict = "it trains" if x.cured else "that alone does not cure it"
        before = f"{x.before:.3g}" if math.isfinite(x.before) else "no number"
        after = f"{x.after:.3g}" if math.isfinite(x.after) else "no number"
        console.print(
            f"  [dim]Tried:[/dim] {escape(x.what)}: the loss per sample at the end {after} instead of "
            f"{before}; {verdict}.",
            highlight=False,
        )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
