"""A check's report for a person: what is right, what is not done yet, and each mistake with its line and its cure."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.check.results import Finding, Report, Status

SIGNS: dict[Status, tuple[str, str]] = {
    "right": ("✓", "green"),
    "wrong": ("✗", "bold red"),
    "not done yet": ("○", "dim"),
    "not judged": ("?", "yellow"),
}


def show(report: Report, console: Console, with_summary: bool = True) -> None:
    """Print a report."""
    console.print(Text(report.file, style="bold"))
    for question in report.questions:
        sign, style = SIGNS[question.status]
        line = Text(f"  {sign} {question.name}", style=style)
        if question.status in ("not done yet", "not judged"):
            line.append(f": {question.status}")
        if question.note:
            line.append(f"  ({question.note})", style="dim")
        console.print(line)
    for number, finding in enumerate(report.findings, 1):
        console.print()
        _show_finding(number, finding, console)
    if report.notes:
        console.print()
    for note in report.notes:
        console.print(Text(f"  Note: {note}", style="yellow"))
    if with_summary:
        console.print()
        console.print(Text(summary(report), style="bold"))


def summary(report: Report) -> str:
    """One line: how it stands."""
    parts = [f"{count} {status}" for status in SIGNS if (count := report.count(status))]
    found = len(report.findings)
    mistakes = f"; {found} mistake{'s' if found != 1 else ''} found" if found else ""
    return ", ".join(parts or ["nothing was judged"]) + mistakes + "."


def _show_finding(number: int, finding: Finding, console: Console) -> None:
    console.print(Text(f"{number}. {finding.title}", style="bold").append(f"  [{finding.id}]", style="dim"))
    if finding.line is not None:
        places = [finding.file, finding.cell, f"line {finding.line}"]
        where = ", ".join(place for place in places if place)
        console.print(Text(f"   {where}:  ", style="cyan").append(finding.source, style="default"))
    console.print(Text(f"   {finding.evidence}"))
    if mistake := CATALOGUE.get(finding.id):
        console.print(Text(f"   Why: {mistake.plain}", style="dim"))
        console.print(Text(f"   Mend: {mistake.mend}"))
