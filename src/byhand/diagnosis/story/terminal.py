"""The answer of `byhand why` as a person reads it in a terminal."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.report import Report, Told, proof, title

STYLES = {"right": "bold green", "wrong": "bold yellow"}


def tell(report: Report, console: Console, *, more: bool = False) -> None:
    """Print what happens, what is wrong and how the line should read, and what happens then.

    Parameters
    ----------
    report : Report
    console : Console
    more : bool
        With the formulae.
    """
    for number, chapter in enumerate(report.chapters):
        heading = f"The same, {chapter.mended}" if number else f"What happens when {report.program.name} runs"
        console.print(f"[bold]{escape(heading)}[/bold]", highlight=False)
        for sentence in chapter.happened:
            console.print(escape(sentence), highlight=False)
        for _, alike in groupby(chapter.told, key=lambda t: t.finding.id):
            _findings(list(alike), report.program, console, more=more)
        console.print()
    for sentence in report.ending:
        console.print(f"[{STYLES.get(report.outcome, 'bold')}]{escape(sentence)}[/]", highlight=False)
    for note in report.notes:
        console.print(f"[dim]{escape(note)}[/dim]", highlight=False)
    if not more and any(t.finding.id in CATALOGUE for t in report.told):
        console.print("[dim]With --more: the formulae behind it.[/dim]", highlight=False)


def _findings(alike: list[Told], program: Program, console: Console, *, more: bool) -> None:
    """One mistake, at each of its places."""
    first = alike[0].finding
    sure = "" if first.certainty != "symptom" else " [dim](seen in the numbers; there may be another cause)[/dim]"
    console.print(f"\n[bold red]✗[/bold red] [bold]{escape(title(first))}[/bold]{sure}", highlight=False)
    for told in alike:
        _lines(told, program, console)
        _say(console, escape(told.finding.message))
    entry = CATALOGUE.get(first.id)
    if entry is None:
        return
    if entry.plain:
        _say(console, escape(entry.plain))
    if not all(told.mending for told in alike):
        _say(console, f"[dim]Mend:[/dim] {escape(entry.mend)}")
    elif first.certainty == "exact" and alike[0].mending is not None and alike[0].mending.was_judged:
        _say(console, f"[dim]{proof(alike)}[/dim]")
    if more:
        _say(console, f"[dim]More:[/dim] {escape(entry.why)}")


def _say(console: Console, markup: str) -> None:
    """A paragraph below its heading: each of its lines stands in."""
    for line in Text.from_markup(markup).wrap(console, console.width - 2):
        line.rstrip()
        console.print(Text("  ").append_text(line), highlight=False)


def _lines(told: Told, program: Program, console: Console) -> None:
    """The student's lines, and how they should read."""
    changed = {c.line: c for c in told.mending.changes} if told.mending else {}
    places = [p for p in [told.finding.place, *told.finding.also] if p.line]
    for place in places:
        name = program.where(place.line, place.file).replace("line ", "")
        text = program.line(place.line, place.file)
        if place.line not in changed or changed[place.line].before is None:
            console.print(f"  [cyan]{name:>5}[/cyan] │ {escape(text)}", highlight=False)
    for change in told.mending.changes if told.mending else []:
        if change.before is not None:
            name = program.where(change.line, told.finding.place.file).replace("line ", "")
            console.print(f"  [cyan]{name:>5}[/cyan] │ {escape(change.before)}", highlight=False)
        if change.moved_before:
            above = program.where(change.moved_before, told.finding.place.file)
            console.print(f"      [green]→[/green] │ [green]moved above {above}[/green]", highlight=False)
        elif change.after is not None:
            console.print(f"      [green]→[/green] │ [green]{escape(change.after)}[/green]", highlight=False)
