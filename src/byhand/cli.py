"""The command `byhand`: each verb loads its room only when it is called."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

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


@byhand.command(epilog=EXIT_CODES, short_help="Step through forward and backward in the browser.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Where to listen on 127.0.0.1; 8050 if left out, or any free port when that is taken.",
)
@click.option("--no-browser", is_flag=True, help="Only serve: don't open the page in a browser.")
@click.option(
    "--from",
    "source",
    metavar="STORY",
    default="sigmoid-learns",
    show_default=True,
    help="What to begin with: a story, or a link copied from the page.",
)
@click.option(
    "--export",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Don't serve: write a recorded run to one HTML file that needs no server.",
)
@click.option("--epochs", type=click.IntRange(1, 100_000), help="How far the recorded run goes.")
def play(port: int | None, no_browser: bool, source: str, file: Path | None, epochs: int | None) -> None:
    """Step through forward and backward in the browser, with the real numbers.

    Serves a page on this machine alone, until Ctrl-C. The stories are sigmoid-learns, relu-sometimes,
    identity-cannot, seed-44 and rate-too-high.
    """
    if file is not None:
        from byhand.files import write_text
        from byhand.play.export import export

        write_text(file, export(source, epochs))
        click.echo(file)
        return
    from byhand.play.export import fragment
    from byhand.play.server import listen, serve

    start = fragment(source)
    listener = listen(port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def say_where() -> None:
        click.echo(address)
        click.echo("Ctrl-C ends it.", err=True)
        if not no_browser:
            webbrowser.open(address + start)

    serve(listener, say_where)


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
