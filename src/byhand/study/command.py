"""What `byhand study` does around the study: it asks before long ones, shows progress, and prints."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from byhand.errors import ByhandError, needs_extra
from byhand.study.data import load
from byhand.study.plan import Plan, make_plan, parse_rates
from byhand.study.terminal import show

with needs_extra("study"):
    import joblib

    from byhand.study import report
    from byhand.study.answer import carry_out
    from byhand.study.running import in_words, seconds_needed
    from byhand.study.store import Store, room_needed

T = TypeVar("T", int, float)

# Longer than this, in seconds, and one is asked first.
_LONG = 3600


def run(
    *,
    data: str,
    target: str | None,
    out: Path | None,
    resume: bool,
    jobs: int | None,
    scheduler: str | None,
    as_json: bool,
    yes: bool,
    activations: str | None,
    initializers: str | None,
    learning_rates: str,
    hidden: str,
    output: str | None,
    optimizer: str,
    batch: str,
    dropout: str,
    penalty: str,
    loss: str | None,
    schedule: str,
    max_norm: str,
    compare: str | None,
    figures: str | None,
    **options: Any,
) -> None:
    """Carry out a study from the command line, whose options these are; the others are those of `make_plan`.

    Raises
    ------
    ByhandError
        For everything a user can mend.
    """
    plan = make_plan(
        load(data, target),
        activations=None if activations is None else _names(activations),
        initializers=None if initializers is None else _names(initializers),
        learning_rates=parse_rates(learning_rates),
        hidden=[_widths(network) for network in _names(hidden)],
        output=None if output is None else _names(output),
        optimizer=_names(optimizer),
        batch_size=[None if size == "all" else _number(int, "--batch", size) for size in _names(batch)],
        dropout=[_number(float, "--dropout", rate) for rate in _names(dropout)],
        penalty=[None if name == "none" else name for name in _names(penalty)],
        loss=None if loss is None else _names(loss),
        schedule=[None if name == "none" else name for name in _names(schedule)],
        max_norm=[None if norm == "none" else _number(float, "--max-norm", norm) for norm in _names(max_norm)],
        compare=None if compare is None else _names(compare),
        **options,
    )
    folder = out or Path(f"study-{Path(data).stem}")
    store = Store(folder, plan, resume=resume)
    _ask(plan, folder, jobs, scheduler, yes=yes)
    try:
        with _progress(plan) as on_runs:
            done = carry_out(plan, store, jobs=jobs, scheduler=scheduler, progress=on_runs)
    except KeyboardInterrupt:
        n_kept = len(list(store.blocks.glob("*.parquet")))
        click.echo(f"{n_kept} of {len(list(plan.blocks()))} blocks are kept in {folder}: go on with --resume", err=True)
        raise
    page = folder / "report.html"
    report.write_report(page, done)
    if figures is not None:
        done.save_figures(folder / "figures", figures)  # type: ignore[arg-type]
    if as_json:
        click.echo(json.dumps(done.as_json(), indent=2, ensure_ascii=False))
    else:
        show(done, Console(file=sys.stdout))
        click.echo(f"\nReport  {page}\nRuns    {folder / 'runs.parquet'}")


def _names(text: str) -> list[str]:
    """What stands between commas, but for those within brackets."""
    outside = re.sub(r"\((?:[^()]|\([^()]*\))*\)", lambda inside: "." * len(inside[0]), text)
    commas = [-1, *(place for place, character in enumerate(outside) if character == ","), len(text)]
    parts = [text[start + 1 : end].strip() for start, end in pairwise(commas)]
    return [part for part in parts if part]


def _widths(network: str) -> list[int]:
    return [] if network == "none" else [_number(int, "--hidden", width) for width in network.split("-")]


def _number(kind: Callable[[str], T], option: str, text: str) -> T:
    try:
        return kind(text)
    except ValueError:
        raise ByhandError(f"{option} takes numbers, with commas between what is to be compared, not {text!r}") from None


def _ask(plan: Plan, folder: Path, jobs: int | None, scheduler: str | None, *, yes: bool) -> None:
    """Start at once if it is short and there is room; else say what it takes, and ask."""
    needed, free = room_needed(plan, folder)
    if needed > free:
        raise ByhandError(
            f"{plan.n_runs:,} runs take about {_size(needed)} in {folder}, and {_size(free)} are free there"
        )
    n_workers = jobs or joblib.cpu_count()
    seconds = seconds_needed(plan) / n_workers
    if seconds <= _LONG:
        return
    where = "one core of its workers" if scheduler else f"{n_workers} cores"
    seconds *= n_workers if scheduler else 1
    told = f"{plan.n_runs:,} runs of {plan.epochs:,} epochs take up to {in_words(seconds)} on {where}"
    if yes:
        click.echo(told, err=True)
    elif not sys.stdin.isatty():
        raise ByhandError(f"{told}: --yes to start, or ask for fewer")
    else:
        click.confirm(f"{told}. Start?", abort=True, err=True)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.1f} MB"


@contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time left in a terminal, a line for every tenth elsewhere; on stderr."""
    console = Console(stderr=True)
    if not console.is_interactive or console.is_dumb_terminal:
        told = 0

        def tell(done: int, total: int) -> None:
            nonlocal told
            if 10 * done // total > told:
                told = 10 * done // total
                click.echo(f"{done:,} of {total:,} runs", err=True)

        yield tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Training", total=plan.n_runs)
        yield lambda done, total: progress.update(task, completed=done, total=total)
