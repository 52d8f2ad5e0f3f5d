"""The command `byhand`: each verb loads its room only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click

from byhand import __version__
from byhand.errors import ByhandError

EXIT_CODES = """\b
Exit codes:
  0    done
  1    could not be done; one line on stderr says why and what to do
  2    the command line was not understood
  130  stopped with Ctrl-C
"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def byhand() -> None:
    """Deep learning written out by hand in NumPy: the practical, done and to be done."""


seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=44,
    show_default=True,
    help="Where the random numbers of the practical start.",
)


@byhand.command(epilog=EXIT_CODES)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("notebooks"),
    show_default=True,
    help="The folder to write to; made if it is not there.",
)
@seed_option
def lab(out: Path, seed: int) -> None:
    """Run the whole practical; write its report and its notebooks.

    Writes td1_report.html (to read), td1_solution.ipynb (solved, with its outputs) and td1_student.ipynb (to
    fill in). A student's notebook that has been worked on is kept.
    """
    from byhand.lab.build import write_lab

    with progress_by_question() as on_question:
        files = write_lab(out, seed, on_question)
    if files.student_kept:
        click.echo(f"{files.student} has been worked on and is kept; a new one: byhand notebook student FILE", err=True)
    click.echo(f"Report            {files.report} ({files.report.stat().st_size / 1000:.0f} kB)")
    click.echo(f"Solved notebook   {files.solution}")
    click.echo(f"Student notebook  {files.student}")


@byhand.command(epilog=EXIT_CODES, short_help="Write the practical as a notebook, to fill in or solved.")
@click.argument("kind", type=click.Choice(["student", "solution"]))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), required=False)
@seed_option
@click.option("--force", is_flag=True, help="Overwrite FILE, and what may have been filled in there.")
def notebook(kind: Literal["student", "solution"], file: Path | None, seed: int, force: bool) -> None:
    """Write the notebook of the practical: to fill in, or solved (not yet run).

    FILE is td1_student.ipynb or td1_solution.ipynb in this folder if left out, and - is standard output.
    """
    from byhand.files import write_text
    from byhand.lab.build import notebook_text

    if str(file) == "-":
        click.echo(notebook_text(kind, seed).encode(), nl=False)  # UTF-8, whatever the terminal's encoding
        return
    file = file or Path(f"td1_{kind}.ipynb")
    if file.is_file() and not force:
        raise ByhandError(
            f"{file} is already there and may hold someone's work; give another name, or --force to overwrite it"
        )
    write_text(file, notebook_text(kind, seed))
    click.echo(file)


@byhand.command(epilog=EXIT_CODES, short_help="Ask which activation converges the fastest, of thousands of networks.")
@click.argument("data", default="xor")
@click.option("--activations", default="sigmoid,relu,tanh,identity", show_default=True, help="Names with commas.")
@click.option(
    "--learning-rates", default="1e-3..10", show_default=True, help="Numbers with commas, ranges; 1e-3..10:9 has nine."
)
@click.option("--initializers", help="Names with commas.  [default: standard_normal for xor, else glorot_uniform]")
@click.option("--seeds", type=int, default=1000, show_default=True, help="Runs for each combination.")
@click.option("--epochs", type=int, default=2000, show_default=True)
@click.option("--hidden", default="10", show_default=True, help="Units of the hidden layers, with commas.")
@click.option("--output", help="Activation of the last layer, or same.  [default: same for xor, else identity]")
@click.option("--optimizer", default="gradient_descent", show_default=True)
@click.option("--batch", type=int, help="Samples in a step.  [default: all]")
@click.option("--loss", help="[default: sum_of_squares for xor, cross-entropy for classes, else mean_squared_error]")
@click.option("--threshold", type=float, help="The training loss of a run that has converged.  [default: by the data]")
@click.option("--target", help="The column of a file to predict.  [default: the last]")
@click.option("--out", type=click.Path(path_type=Path), help="The folder for runs and report.  [default: study-DATA]")
@click.option("--resume", is_flag=True, help="Go on with the study in the folder.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the workers of this Dask scheduler.")
@click.option("--json", "as_json", is_flag=True, help="Write the answer to stdout as JSON.")
@click.option("--yes", is_flag=True, help="Start without asking, however long it takes.")
def study(
    data: str,
    activations: str,
    learning_rates: str,
    initializers: str | None,
    hidden: str,
    batch: int | None,
    target: str | None,
    out: Path | None,
    resume: bool,
    jobs: int | None,
    scheduler: str | None,
    as_json: bool,
    yes: bool,
    **options: Any,
) -> None:
    """Train thousands of small networks; say which activation converges the fastest, and how sure that is.

    DATA is xor, line, circles, moons, spirals, digits, or a CSV, Parquet, .npz or .npy file. The folder gets
    report.html (to read) and runs.parquet (one row a run); a study that was stopped goes on with --resume.
    """
    from byhand.study.command import run

    run(
        data,
        target,
        out,
        resume=resume,
        jobs=jobs,
        scheduler=scheduler,
        as_json=as_json,
        yes=yes,
        activations=_names(activations),
        learning_rates=learning_rates,
        initializers=_names(initializers) if initializers is not None else None,
        hidden=hidden,
        batch_size=batch,
        **options,
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@contextmanager
def progress_by_question() -> Iterator[Callable[[str, int, int], None]]:
    """Show on stderr how far the practical is: a bar in a terminal, plain lines elsewhere.

    Yields
    ------
    callable
        To be called as each question begins, with its title, its number from 1 on, and how many there are.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_interactive or console.is_dumb_terminal:
        yield lambda title, number, total: click.echo(f"[{number}/{total}] {title}", err=True)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda title, number, total: progress.update(task, description=title, completed=number - 1, total=total)


def main() -> None:
    """Run the command line; say in one line what went wrong; end with the exit code that `--help` lists."""
    try:
        code = byhand.main(prog_name="byhand", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "byhand"
        code = _fail(f"{error.format_message()} (see {command} --help)", error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = _fail("stopped", 130)
    except (ByhandError, OSError) as error:
        code = _fail(str(error), 1)
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    click.echo("byhand: " + " ".join(message.split()), err=True)
    return code
