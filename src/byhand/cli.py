"""The command `byhand`: each verb loads its room only when it is called."""

from __future__ import annotations

import os
import sys
import warnings
import webbrowser
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
    fill in). A student's notebook that has been worked on is kept. Beside the report lie two runs of it to step
    through, td1_sigmoid-learns.html and td1_seed-44.html.
    """
    from byhand.lab.build import write_lab

    stories = _stories()
    with progress_by_question() as on_question:
        files = write_lab(out, seed, on_question, stories)
    if files.student_kept:
        click.echo(f"{files.student} has been worked on and is kept; a new one: byhand notebook student FILE", err=True)
    click.echo(f"Report            {files.report} ({files.report.stat().st_size / 1000:.0f} kB)")
    click.echo(f"Solved notebook   {files.solution}")
    click.echo(f"Student notebook  {files.student}")


def _stories() -> dict[str, tuple[str, str]]:
    """Two recorded runs for the practical's report, by the names of their files."""
    from byhand.play.export import export

    told = {"sigmoid-learns": "the network of 2.8 learns", "seed-44": "the program of part 3 doesn't"}
    return {f"td1_{name}.html": (what, export(name)) for name, what in told.items()}


@byhand.command(epilog=EXIT_CODES, short_help="Write the practical as a notebook, to fill in or solved.")
@click.argument("kind", type=click.Choice(["student", "solution"]))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), required=False)
@seed_option
@click.option(
    "--class",
    "class_list",
    metavar="CSV",
    type=click.Path(path_type=Path, dir_okay=False),
    help="One notebook for each student in this list, each with a seed of its own; FILE is the folder for them.",
)
@click.option("--force", is_flag=True, help="Overwrite FILE, and what may have been filled in there.")
def notebook(
    kind: Literal["student", "solution"], file: Path | None, seed: int, class_list: Path | None, force: bool
) -> None:
    """Write the notebook of the practical: to fill in, or solved (not yet run).

    FILE is td1_student.ipynb or td1_solution.ipynb in this folder if left out, and - is standard output.
    """
    from byhand.files import write_text
    from byhand.lab.build import notebook_text, write_class

    if class_list is not None:
        from byhand.students import read_class

        files = write_class(kind, read_class(class_list), file or Path(f"td1_{kind}s"))
        click.echo(f"{len(files)} notebooks in {files[0].parent.parent}")
        return
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


WHY_EXIT_CODES = EXIT_CODES.replace("0    done", "0    right: all of it was judged, and nothing found").replace(
    "  130 ",
    "  3    something is wrong with the script, and the answer names it\n"
    "  4    not judged, or not all of it: it is called neither right nor wrong\n  130 ",
)


@byhand.command(epilog=WHY_EXIT_CODES, short_help="Run a training script; say what happened and why.")
@click.argument("script", type=click.Path(path_type=Path))
@click.option("--more", is_flag=True, help="With the formulae behind the plain words.")
@click.option("--json", "as_json", is_flag=True, help="The answer as JSON on stdout, for programs.")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Also write the answer with the script's curve to this file."
)
@click.option(
    "--timeout",
    type=click.FloatRange(1, 86_400),
    default=600,
    show_default=True,
    help="Seconds after which the script is taken for a runaway, and stopped.",
)
def why(script: Path, more: bool, as_json: bool, html: Path | None, timeout: float) -> int:
    """Run SCRIPT, a training written in NumPy, and say what happened, why, and how its lines should read.

    SCRIPT is a Python file, a notebook, or a folder with one; what it imports or reads from beside it goes with it.
    It runs in a process of its own, in a fresh folder, behind limits. A copy is mended line by line, and each line
    that is told was run.
    """
    import json
    import os

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: several threads only wait for each other

    from rich.console import Console

    from byhand.diagnosis.story import telling
    from byhand.diagnosis.story.report import as_json as report_as_json
    from byhand.diagnosis.story.terminal import tell

    errors = Console(stderr=True)
    if errors.is_interactive and not errors.is_dumb_terminal:
        with errors.status("starting") as status:
            report = telling.why(script, timeout=timeout, progress=status.update)
    else:
        report = telling.why(script, timeout=timeout, progress=lambda text: click.echo(text, err=True))
    if html is not None:
        from byhand.diagnosis.story.page import page
        from byhand.files import write_text

        write_text(html, page(report))
    if as_json:
        click.echo(json.dumps(report_as_json(report), indent=2))
    else:
        tell(report, Console(), more=more)
    return report.exit_code


CHECK_EXIT_CODES = """\b
Exit codes:
  0    something was judged, and nothing is wrong in what has been done; for a folder: graded
  1    could not be done; one line on stderr says why and what to do
  2    the command line was not understood
  3    something is wrong
  4    nothing wrong was found, but something, or all, could not be judged
  130  stopped with Ctrl-C
"""


@byhand.command(epilog=CHECK_EXIT_CODES, short_help="Test a student's own functions and name the mistakes.")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="For a folder: the table to write (CSV).")
@click.option("--jobs", type=click.IntRange(1), help="For a folder: how many at a time.  [default: the processors]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: questions, findings, notes.")
def check(path: Path, out: Path | None, jobs: int | None, as_json: bool) -> int:
    """Judge what a student has written, and name the mistake when something is wrong.

    PATH is a .py file or a notebook. The practical's own notebook is judged question by question; any other program by
    its training, or by what its functions and classes do in a training of ours. What is not written yet is "not done
    yet", and what could not be told is "not judged".

    PATH may be a folder, one subfolder or file a student: then --out grades.csv is written, with grades.json and
    grades.html (which mistakes were made how often) beside it. Stopped, it goes on where it was.
    """
    import json

    if path.is_dir():
        if out is None:
            raise click.UsageError(f"{path} is a folder: say where the table goes, with --out grades.csv")
        return _check_class(path, out, jobs, as_json)
    if out is not None or jobs is not None:
        raise click.UsageError("--out and --jobs are for a folder")
    from rich.console import Console

    from byhand.diagnosis.check.file import check_file
    from byhand.diagnosis.check.report import show
    from byhand.students import told

    report = check_file(path)
    for line in told(path):
        click.echo(line, err=True)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
    else:
        show(report, Console())
    return report.exit_code


def _check_class(folder: Path, out: Path, jobs: int | None, as_json: bool) -> int:
    import json

    from byhand.diagnosis.check.grading import grade

    with progress_by_question() as on_question:
        rows = grade(
            folder,
            out,
            jobs=jobs,
            on_each=lambda done, total: on_question(f"{done} of {total} checked", min(done + 1, total), total),
        )
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        from byhand.students import told

        for file in sorted(folder.rglob("*.ipynb")):
            inside = file.relative_to(folder)
            if not any(part.startswith(".") for part in inside.parts):
                click.echo("".join(f"{line}\n" for line in told(file, inside.with_suffix("").parts[0])), nl=False)
        outcomes = [row["outcome"] for row in rows]
        click.echo(
            f"{len(rows)} submissions: {outcomes.count('right')} right, {outcomes.count('wrong')} with something "
            f"wrong, {outcomes.count('not judged')} not judged or only in part"
        )
        for file in (out, out.with_suffix(".json"), out.with_suffix(".html")):
            click.echo(file)
    return 0


@byhand.command(epilog=EXIT_CODES, short_help="Ask which activation converges the fastest, of thousands of networks.")
@click.argument("data", default="xor")
@click.option(
    "--activations",
    help="Names with commas; relu/identity has identity in the last layer.  "
    "[default: sigmoid,relu,tanh,identity, for xor with several outputs]",
)
@click.option(
    "--learning-rates",
    default="1e-3..10",
    show_default=True,
    help="Numbers with commas, ranges; 1e-3..10:9 has nine, 1e-3..10:random9 draws nine.",
)
@click.option("--initializers", help="Names with commas.  [default: standard_normal for xor, else glorot_uniform]")
@click.option("--seeds", type=int, default=1000, show_default=True, help="Runs for each combination.")
@click.option("--epochs", type=int, default=2000, show_default=True, help="After so many each run ends.")
@click.option(
    "--hidden", default="10", show_default=True, help="Units of hidden layers: 10-10 has two, 5,10,10-10 tries three."
)
@click.option(
    "--output",
    help="Activation of the last layer, or same; with commas.  "
    "[default: identity; for xor same, and same,identity,sigmoid without --activations]",
)
@click.option(
    "--optimizer", default="gradient_descent", show_default=True, help="Names with commas, or adam(beta_1=0.8)."
)
@click.option("--batch", default="all", show_default=True, help="Samples in a step, with commas.")
@click.option("--dropout", default="0", show_default=True, help="Rates after each hidden layer, with commas.")
@click.option("--penalty", default="none", show_default=True, help="l2(0.001), l1(0.001), with commas.")
@click.option(
    "--loss",
    help="Names with commas.  [default: sum_of_squares for xor, cross-entropy for classes, else mean_squared_error]",
)
@click.option(
    "--schedule", default="none", show_default=True, help="Of the learning rate: cosine(2000), …, with commas."
)
@click.option(
    "--max-norm", default="none", show_default=True, help="Lengths at which gradients are clipped, with commas."
)
@click.option(
    "--measure",
    help="What says that a run has converged: its training loss, or its error (wrong answers, 1 − R²).  "
    "[default: loss; error with several losses or penalties]",
)
@click.option("--threshold", type=float, help="The loss or error of a run that has converged.  [default: by the data]")
@click.option("--patience", type=int, help="Early stopping after so many epochs without a lower validation loss.")
@click.option("--precision", default="double", show_default=True, help="double, or single for float32.")
@click.option("--compare", help="What to compare, such as optimizer.  [default: all that has several values]")
@click.option("--target", help="The column of a file to predict.  [default: the last]")
@click.option("--out", type=click.Path(path_type=Path), help="The folder for runs and report.  [default: study-DATA]")
@click.option("--figures", type=click.Choice(["svg", "png", "pdf"]), help="Also write the figures as files.")
@click.option("--resume", is_flag=True, help="Go on with the study in the folder.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the workers of this Dask scheduler.")
@click.option("--json", "as_json", is_flag=True, help="Write the answer to stdout as JSON.")
@click.option("--yes", is_flag=True, help="Start without asking, however long it takes.")
def study(**options: Any) -> None:
    """Train thousands of small networks; say which way to train converges the fastest, and how sure that is.

    DATA is xor, line, circles, moons, spirals, digits, or a CSV, Parquet, .npz or .npy file. Whatever has several
    values, with commas, is compared, each at its best learning rate. The folder gets report.html (to read) and
    runs.parquet (one row a run); a study that was stopped goes on with --resume.
    """
    from byhand.study.command import run

    run(**options)


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
    default="walk",
    show_default=True,
    help="What to begin with: walk, a story, or a link copied from the page.",
)
@click.option(
    "--export",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Don't serve: write the story or a recorded run to one HTML file that needs no server.",
)
@click.option("--epochs", type=click.IntRange(1, 100_000), help="How far the recorded run goes.")
@click.option(
    "--site",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Don't serve: write a folder for any web server, with the stories, and the engine run by the browser.",
)
@click.option(
    "--engine",
    metavar="ADDRESS",
    help="Where the site's Pyodide (Python for browsers) lies.  [default: a public CDN]",
)
def play(
    port: int | None,
    no_browser: bool,
    source: str,
    file: Path | None,
    epochs: int | None,
    folder: Path | None,
    engine: str | None,
) -> None:
    """Step through forward and backward in the browser, with the real numbers.

    Serves a page on this machine alone, until Ctrl-C. The stories are delta, sigmoid-learns, relu-sometimes,
    identity-cannot, seed-44 and rate-too-high.
    """
    # Before NumPy is loaded: its threads would wait for each other over networks as small as these.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if folder is not None:
        from byhand.play.site import Engine, write_site

        own = None if engine is None else Engine(f"{engine.rstrip('/')}/", f"{engine.rstrip('/')}/")
        click.echo(write_site(folder, own))
        return
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
        warnings.simplefilter("ignore")  # what asyncio had begun and cannot end is no news
        code = _fail("stopped", 130)
    except (ByhandError, OSError) as error:
        code = _fail(str(error), 1)
    sys.exit(code)


def _fail(message: str, code: int) -> int:
    click.echo("byhand: " + " ".join(message.split()), err=True)
    return code
