"""A check's report for a person: what is right, what is not done yet, and each mistake with its line and its cure."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.check_results import Finding, Report

_SIGNS = {"right": ("✓", "green"), "wrong": ("✗", "bold red"), "not done yet": ("○", "dim"), "unclear": ("?", "yellow")}


def show(report: Report, console: Console, with_summary: bool = True) -> None:
    """Print a report."""
    console.print(Text(report.file, style="bold"))
    for question in report.questions:
        sign, style = _SIGNS[question.status]
        line = Text(f"  {sign} {question.name}", style=style)
        if question.status in ("not done yet", "unclear"):
            line.append(f": {question.status}" + (f" ({question.note})" if question.note else ""))
        elif question.status == "right" and question.note:
            line.append(f"  ({question.note})", style="dim")
        console.print(line)
    for number, finding in enumerate(report.findings, 1):
        console.print()
        _show_finding(number, finding, console)
    for note in report.notes:
        console.print(Text(f"  Note: {note}", style="yellow"))
    if with_summary:
        console.print()
        console.print(Text(summary(report), style="bold"))


def summary(report: Report) -> str:
    """One line: how it stands."""
    counts = {status: sum(q.status == status for q in report.questions) for status in _SIGNS}
    if not report.questions and not report.findings:
        return "Nothing of the practical was recognised in it."
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    found = (
        f"; {len(report.findings)} mistake{'s' if len(report.findings) != 1 else ''} found" if report.findings else ""
    )
    return ", ".join(parts) + found + "."


def _show_finding(number: int, finding: Finding, console: Console) -> None:
    console.print(Text(f"{number}. {finding.title}", style="bold").append(f"  [{finding.id}]", style="dim"))
    if finding.line is not None:
        where = f"{finding.cell}, line {finding.line}" if finding.cell else f"line {finding.line}"
        console.print(Text(f"   {where}:  ", style="cyan").append(finding.source, style="default"))
    if finding.meant:
        console.print(Text(f"   meant:  {finding.meant}"))
        console.print(Text(f"   found:  {finding.found}"))
    console.print(Text(f"   {finding.evidence}"))
    if mistake := CATALOGUE.get(finding.id):
        console.print(Text(f"   Why: {mistake.why}", style="dim"))
        console.print(Text(f"   Mend: {mistake.mend}"))
