"""The command line: what it writes, what it says when something is wrong, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

import byhand
from byhand import cli
from byhand.errors import ByhandError
from byhand.installation import installation
from byhand.lab import build
from byhand.lab.notebooks import DEFAULT_SEED

COMMAND = [sys.executable, "-m", "byhand"]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process; return its exit code, its stdout and its stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["byhand", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quick_lab(monkeypatch):
    """A practical of two questions in place of the real one, which takes half a minute."""

    def write_lab(out, seed, on_question, stories, kept=False):
        for number, title in enumerate(["1.1 Data", "1.2 A [bold] guess"], start=1):
            on_question(title, number, 2)
        out.mkdir(parents=True, exist_ok=True)
        paths = [out / name for name in ("td1_solution.ipynb", "td1_student.ipynb", "td1_report.html")]
        for name, (what, page) in stories.items():
            assert what
            (out / name).write_text(page)
        for path in paths:
            path.write_text(f"seed {seed}".ljust(12_345))
        return build.LabFiles(*paths, student_kept=kept)

    monkeypatch.setattr(build, "write_lab", write_lab)
    return write_lab


def one_line(text):
    assert text.count("\n") == 1, text
    assert text.endswith("\n")
    return text[:-1]


def test_the_exit_codes_are_in_every_help(run):
    for command in ([], ["lab"], ["notebook"]):
        code, out, err = run(*command, "--help")
        assert (code, err) == (0, "")
        for line in ("0    done", "1    could not", "2    the command line", "130  stopped"):
            assert line in out


def test_version(run):
    assert run("--version") == (0, f"byhand {byhand.__version__}\n", "")


def test_without_arguments_it_shows_its_help(run):
    code, out, err = run()
    assert (code, out) == (2, "")
    assert "Usage: byhand" in err
    assert "lab" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lab", "--sede", "3"], "byhand: No such option"),
        (["lba"], "byhand: No such command 'lba'."),
        (["lab", "--seed", "-1"], "byhand: Invalid value for '--seed': -1 is not in the range 0<=x<=4294967295."),
        (["lab", "--seed", "x"], "byhand: Invalid value for '--seed': 'x' is not a valid integer range."),
        (["lab", "extra"], "byhand: Got unexpected extra argument (extra)"),
        (["notebook"], "byhand: Missing argument '{student|solution}'."),
        (["notebook", "teacher"], "byhand: Invalid value for '{student|solution}': 'teacher' is not one of"),
    ],
)
def test_a_mistyped_command_is_answered_in_one_line(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert one_line(err).startswith(message)
    assert one_line(err).endswith("--help)")


def test_lab_says_where_its_files_are_and_how_far_it_is(run, in_folder, quick_lab):
    code, out, err = run("lab", "--out", "new/folder", "--seed", 7)
    assert code == 0
    assert out == (
        "Report            new/folder/td1_report.html (12 kB)\n"
        "Solved notebook   new/folder/td1_solution.ipynb\n"
        "Student notebook  new/folder/td1_student.ipynb\n"
    )
    assert err == "[1/2] 1.1 Data\n[2/2] 1.2 A [bold] guess\n"
    assert Path("new/folder/td1_report.html").read_text().split() == ["seed", "7"]
    for name in ("sigmoid-learns", "seed-44"):
        assert Path(f"new/folder/td1_{name}.html").read_text(encoding="utf-8").startswith("<!")


def test_lab_by_default(run, in_folder, quick_lab):
    assert run("lab")[0] == 0
    assert Path("notebooks/td1_report.html").read_text().split() == ["seed", str(DEFAULT_SEED)]


def test_lab_says_that_it_kept_a_notebook_that_was_worked_on(run, in_folder, quick_lab, monkeypatch):
    monkeypatch.setattr(build, "write_lab", lambda *arguments: quick_lab(*arguments, kept=True))
    _, out, err = run("lab")
    assert "notebooks/td1_student.ipynb has been worked on and is kept" in err
    assert "Student notebook  notebooks/td1_student.ipynb" in out


def test_in_a_terminal_lab_shows_a_bar(in_folder):
    """A terminal is what only a child process with a pseudo-terminal has."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are Unix's")
    program = (
        "from byhand.cli import progress_by_question\n"
        "with progress_by_question() as on_question:\n"
        "    on_question('1.2 A [bold] guess', 2, 4)"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}
    child = subprocess.run([sys.executable, "-c", program], stderr=theirs, stdout=subprocess.PIPE, env=environment)
    shown = os.read(ours, 100_000).decode()
    assert (child.returncode, child.stdout) == (0, b"")
    assert "━" in shown
    assert "1/4" in shown
    assert "1.2 A [bold] guess" in shown
    assert "\x1b[3" not in shown, "a colour, in spite of NO_COLOR"


@pytest.mark.parametrize("kind", ["student", "solution"])
def test_notebook_writes_a_notebook(run, in_folder, kind):
    assert run("notebook", kind) == (0, f"td1_{kind}.ipynb\n", "")
    notebook = json.loads(Path(f"td1_{kind}.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert ("### BEGIN SOLUTION" in str(notebook)) == (kind == "solution")
    code, out, err = run("notebook", kind, "-")
    assert (code, json.loads(out), err) == (0, notebook, "")


def test_notebook_with_a_seed(run):
    cells = json.loads(run("notebook", "student", "-", "--seed", 7)[1])["cells"]
    (parameters,) = (cell for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    assert re.search(r"^SEED = 7\b", "".join(parameters["source"]), re.MULTILINE)


def test_notebook_never_overwrites_unless_forced(run, in_folder):
    work = Path("td1_student.ipynb")
    work.write_text("a night's work")
    code, out, err = run("notebook", "student")
    assert (code, out) == (1, "")
    assert one_line(err).startswith("byhand: td1_student.ipynb is already there")
    assert work.read_text() == "a night's work"
    assert run("notebook", "student", work, "--force")[0] == 0
    assert json.loads(work.read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize("arguments", [["lab", "--out", "/dev/null/out"], ["notebook", "student", "/dev/null/file"]])
def test_where_nothing_can_be_written(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert one_line(err).startswith("byhand: cannot write")
    assert "/dev/null" in err


@pytest.mark.parametrize("error", [ByhandError("the kernel\ndied"), OSError(28, "No space left on device")])
def test_trouble_is_told_in_one_line(run, in_folder, monkeypatch, error):
    def write_lab(*_):
        raise error

    monkeypatch.setattr(build, "write_lab", write_lab)
    code, out, err = run("lab")
    assert (code, out) == (1, "")
    assert one_line(err) == "byhand: " + str(error).replace("\n", " ")


def test_a_bug_is_not_hidden(run, in_folder, monkeypatch):
    monkeypatch.setattr(build, "write_lab", lambda *_: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["byhand", "lab"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.parametrize("library", ["jupytext", "nbclient", "nbconvert", "ipykernel", "latex2mathml"])
def test_a_missing_library_is_told_with_what_installs_it(in_folder, library):
    program = f"import sys; sys.modules[{library!r}] = None; import byhand.__main__"
    answer = subprocess.run([sys.executable, "-c", program, "lab"], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert (
        one_line(answer.stderr)
        == f"byhand: {library} is not installed; to get it: {installation(distribution('byhand'), 'lab')}"
    )
    assert list(in_folder.iterdir()) == []


def test_ctrl_c_stops_it_at_once_and_writes_nothing(in_folder):
    with subprocess.Popen([*COMMAND, "lab"], stderr=subprocess.PIPE, text=True, start_new_session=True) as child:
        assert child.stderr.readline().startswith("[1/")
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does: the kernel gets it too
        _, rest = child.communicate()
    assert child.returncode == 130
    assert rest.endswith("byhand: stopped\n")
    assert "Traceback" not in rest
    assert list(in_folder.iterdir()) == []
    with pytest.raises(ProcessLookupError):  # no kernel is left behind
        os.killpg(child.pid, 0)


def test_a_reader_who_has_seen_enough_gets_no_traceback():
    command = [*COMMAND, "notebook", "solution", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 1


def test_a_notebook_on_stdout_is_utf8_whatever_the_terminal():
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    answer = subprocess.run([*COMMAND, "notebook", "student", "-"], capture_output=True, env=environment)
    assert "ŷ" in answer.stdout.decode("utf-8")
    assert (answer.returncode, answer.stderr) == (0, b"")
