"""How the practical's notebooks are made and run: nothing leaks, nothing is lost, every trouble is told."""

from __future__ import annotations

import ast
import base64
import copy
import datetime
import io
import json
import re
import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from byhand.errors import ByhandError
from byhand.lab import agree, animate, build, cells, comparison, in_short, notebooks, question, running, say, show
from byhand.lab.report import is_extension
from byhand.lab.running import run
from practicals import SMALL, outputs, printed


def nothing(title, index, count):
    pass


@pytest.fixture
def source(tmp_path, monkeypatch):
    """The small practical as the source; to change it, call with what to replace, and by what."""
    path = tmp_path / "small.py"
    path.write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr(notebooks, "SOURCE", path)

    def change(old, new):
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


@pytest.fixture(params=["small", "td1"])
def practical(request):
    return request.getfixturevalue(request.param)


# The two notebooks


def test_the_notebooks_are_valid_and_their_cells_have_names(practical):
    for notebook in (practical.solution, practical.student):
        nbformat.validate(notebook)
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)
    assert [cell.id for cell in practical.student.cells] == [cell.id for cell in practical.solution.cells]


def test_a_new_cell_renames_no_cell_of_another_question(source):
    before = [cell.id for cell in notebooks.solution_notebook().cells]
    source("# %% [markdown]\n# ### 1.2", "# %%\nprint('new')\n\n# %% [markdown]\n# ### 1.2")
    after = [cell.id for cell in notebooks.solution_notebook().cells]
    assert [name for name in after if name not in before] == ["1-1-data-4"]


def test_a_comment_in_a_block_of_code_is_no_heading(source):
    source("# Draw 5 numbers", "# ```python\n# ### 9.9 No question\n# ```\n# Draw 5 numbers")
    titles = [title for cell in notebooks.solution_notebook().cells for title in notebooks.question_titles(cell)]
    assert titles == ["1.1 Data", "1.2 The square"]


def test_the_seed_decides_the_numbers(source):
    notebook = notebooks.solution_notebook(seed=7)
    run(notebook, nothing, graded=True)
    largest = (np.random.RandomState(7).randn(5) ** 2).max()
    answers = [
        output.data["text/markdown"] for output in outputs(notebook, "display_data") if "text/markdown" in output.data
    ]
    assert answers == [rf"The largest square is **{largest:.3f}**, and $\hat y = x^2$."]


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(source, seed):
    with pytest.raises(ByhandError, match=f"the seed is {seed}; expected"):
        build.notebook_text("student", seed)


def test_the_solution_ran_without_error_and_with_every_check_passed(practical):
    assert outputs(practical.solution, "error") == []
    checks = [cell for cell in practical.solution.cells if "check" in notebooks.tags(cell)]
    assert checks
    for cell in checks:
        assert re.search(r"^✓ ", cell.outputs[0].text, flags=re.MULTILINE), cell.source
    assert "○" not in printed(practical.solution)


def asked(notebook):
    """From each question that `byhand.check` is asked of, to what it says."""
    cells = [cell for cell in notebook.cells if "ask" in notebooks.tags(cell)]
    return {cell.source: "".join(output.text for output in cell.outputs) for cell in cells}


def test_byhand_check_says_at_the_end_of_a_question_that_the_solution_is_right(td1):
    said = asked(td1.solution)
    assert len(said) == 20
    for line, text in said.items():
        number = re.fullmatch(r'byhand\.check\("(.+)"\)', line)[1]
        assert text.startswith(f"{number} ")
        assert text.count("\n  ✓ ") == len(text.strip().splitlines()) - 1 > 0, text


def test_byhand_check_is_asked_before_the_comparison(td1):
    number, asked = "", 0
    for cell, after in pairwise(td1.student.cells):
        for title in notebooks.question_titles(cell):
            number = title.split()[0]
        if "ask" in notebooks.tags(cell):
            assert cell.source == f'byhand.check("{number}")'
            assert "check" in notebooks.tags(after)
            asked += 1
    assert asked == 20


def test_what_checks_is_folded_for_the_student_and_nothing_else(td1):
    cells = td1.student.cells
    folded = [cell for cell in cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert folded == [cell for cell in cells if "check" in notebooks.tags(cell)] != []


def test_no_question_of_the_handout_needs_an_extension():
    """No name that only an extension's cells give is read by a cell of another question."""
    extension, given, theirs = False, set(), set()
    for cell in notebooks.solution_notebook().cells:
        if notebooks.headings(cell):
            extension = is_extension(cell)
        if cell.cell_type != "code":
            continue
        nodes = list(ast.walk(ast.parse(cell.source)))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        if extension:
            theirs |= made - given
        else:
            given |= made
            assert not {node.id for node in names} & (theirs - given), cell.id
    assert {"hessian", "candidates", "CURES", "convergence"} <= theirs


def test_td1_prints_no_warning(td1):
    assert [output.text for output in outputs(td1.solution, "stream") if output.name == "stderr"] == []


def solution_lines(notebook):
    """The lines of code between the markers, and of the written answers."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for region in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, flags=re.DOTALL):
                yield from region.splitlines()
        elif "solution" in notebooks.tags(cell):
            yield from cell.source.splitlines()


def given_lines(notebook):
    """The lines that a student is given, found without the code under test: those outside the markers."""
    for cell in notebook.cells:
        if cell.cell_type == "code" or "solution" not in notebooks.tags(cell):
            kept = re.sub(r"### BEGIN SOLUTION\n.*?### END SOLUTION", "", cell.source, flags=re.DOTALL)
            yield from (line.strip() for line in kept.splitlines())


def test_no_line_of_a_solution_leaks_into_the_students_file(practical):
    given = "\n".join(given_lines(practical.solution))
    strings = "\n".join(every_string(json.loads(notebooks.as_text(practical.student))))
    lines = {line.strip() for line in solution_lines(practical.solution)}
    secret = {line for line in lines if len(line) > 3 and line not in given}
    assert len(secret) >= 5
    assert [line for line in secret if line in strings] == []
    assert "SOLUTION" not in strings
    assert outputs(practical.student, "stream") == outputs(practical.student, "display_data") == []


def every_string(node):
    if isinstance(node, str):
        yield from (line.strip() for line in node.splitlines())
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from every_string(value)
    elif isinstance(node, list):
        for value in node:
            yield from every_string(value)


def test_no_output_leaks_from_a_solution_that_was_run(small):
    student = notebooks.student_notebook(small.solution)
    assert [cell.outputs for cell in student.cells if cell.get("outputs")] == []
    assert {cell.execution_count for cell in student.cells if cell.cell_type == "code"} == {None}


def test_what_is_given_stays_in_the_students_notebook(practical):
    lines = {line.strip() for cell in practical.student.cells for line in cell.source.splitlines()}
    assert {line for line in given_lines(practical.solution) if line} <= lines


def test_the_students_notebook_runs_unfilled_and_says_gently_what_is_missing(practical, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")  # of who runs the tests; it is not graded here
    student = copy.deepcopy(practical.student)
    run(student, nothing)
    assert outputs(student, "error") == []
    checks = [cell for cell in student.cells if "check" in notebooks.tags(cell)]
    said = [cell.outputs[0].text for cell in checks if "with comparison(" not in cell.source]
    silent = [cell.outputs for cell in checks if "with comparison(" in cell.source]
    assert not any(silent)  # byhand.check has said it
    assert all(re.search(r"^○ .+: not done yet \(.+\)$", text, flags=re.MULTILINE) for text in said), said
    assert all(re.fullmatch(r"○ .+: not done yet \(.+\)\n", text) for text in asked(student).values()), asked(student)
    assert "✓" not in printed(student)


def test_an_unfilled_check_fails_when_it_is_graded(small):
    with pytest.raises(ByhandError, match=r"1.1 Data: not done yet \(x is not defined\)"):
        run(copy.deepcopy(small.student), nothing, graded=True)


def test_filling_in_the_solutions_makes_every_check_pass(source, small):
    student = filled_in(small)
    run(student, nothing)
    assert re.findall(r"^[✓○✗] .*$", printed(student), flags=re.MULTILINE) == ["✓ 1.1 Data", "✓ 1.2 The square"]


def test_filled_in_it_is_the_notebook_that_ran(td1):
    """So that what the solution's run shows holds for it too, without another half minute."""
    for cell, solved in zip(filled_in(td1).cells, td1.solution.cells, strict=True):
        assert code_of(cell) == code_of(solved)


def filled_in(practical):
    student = copy.deepcopy(practical.student)
    for cell, solved in zip(student.cells, practical.solution.cells, strict=True):
        if "YOUR CODE HERE" in cell.source or "YOUR ANSWER HERE" in cell.source:
            cell.source = solved.source
    return student


def code_of(cell):
    return [line for line in cell.source.splitlines() if "SOLUTION" not in line]


def test_each_stub_stands_in_the_place_of_its_solution(small):
    code = next(cell.source for cell in small.student.cells if "def square" in cell.source)
    assert code == (
        'def square(x):\n    """x squared."""\n    # YOUR CODE HERE\n    ...\n\n\n'
        'def derivative(x):\n    """The derivative of x squared."""\n    # YOUR CODE HERE\n    ...'
    )
    assert small.student.cells[4].source == "# x: the numbers, shape (5,)\n# YOUR CODE HERE"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("### END SOLUTION", "", "begins inside a solution"),
        ("### BEGIN SOLUTION", "", "ends that did not begin"),
        ("    return 2 * x\n    ### END SOLUTION", "    return 2 * x", "does not end"),
        ("SEED = 44", "SEED = seed()", "SEED = <number>"),
    ],
)
def test_a_source_with_a_wrong_marker_is_refused(source, old, new, message):
    if message == "begins inside a solution":
        old, new = "    return result\n    ### END SOLUTION", "    ### BEGIN SOLUTION"
    source(old, new)
    with pytest.raises(ValueError, match=message):
        notebooks.student_notebook(notebooks.solution_notebook())


def test_nbgrader_finds_what_it_needs(practical):
    """Its schema, version 3; a written answer must be graded, by a person; a check is locked and has points."""
    for notebook in (practical.solution, practical.student):
        for cell in notebook.cells:
            grading = cell.metadata.get("nbgrader")
            check, answer = "check" in notebooks.tags(cell), "solution" in notebooks.tags(cell)
            to_write = any(mark in cell.source for mark in ("BEGIN SOLUTION", "YOUR CODE HERE"))
            assert (grading is not None) == (check or answer or to_write), cell.source
            if grading:
                assert grading["schema_version"] == 3
                assert re.fullmatch(r"[a-z0-9-]{1,64}", grading["grade_id"])
                assert grading["solution"] == (not check)
                assert grading["locked"] == check
                assert grading["grade"] == (check or answer)
                assert ("points" in grading) == grading["grade"]


# Running


@pytest.fixture
def settings_of_their_own(tmp_path, monkeypatch):
    """A user's kernel that does not run, an IPython that starts with mischief, and red figures."""
    kernel = tmp_path / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import numpy; numpy.sort = None")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: red")
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path))


def test_the_same_file_to_the_byte_whatever_the_users_settings(source, small, settings_of_their_own):
    again = notebooks.solution_notebook()
    run(again, nothing, graded=True)
    assert [output.data["text/plain"] for output in outputs(again, "execute_result")] == [repr(sys.executable)]
    assert notebooks.as_text(again) == notebooks.as_text(small.solution)


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        ("1 / 0", r"^the practical stopped at 1\.1 Data: ZeroDivisionError: division by zero$"),
        ("y = 1", r"^the practical stopped at 1\.1 Data: not done yet \(x is not defined\)$"),
        ("x = np.zeros(5)", r"^the practical stopped at 1\.1 Data: x\[0\] is 0, expected .*; 5 of 5 numbers differ$"),
        ("raise SystemExit('enough')", r"^the practical stopped at 1\.1 Data: SystemExit: enough$"),
        ("import os; os._exit(1)", r"^the notebook's kernel died at 1\.1 Data"),
    ],
)
def test_a_cell_that_fails_or_kills_the_kernel_is_one_clear_line(source, tmp_path, capfd, instead, message):
    source("x = np.random.randn(5)", instead)
    out = tmp_path / "out"
    with pytest.raises(ByhandError, match=message) as error:
        build.write_lab(out, 44, nothing)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")
    assert not out.exists()


# Writing


def test_write_lab(source, tmp_path):
    questions = []
    files = build.write_lab(tmp_path / "new" / "folder", 7, lambda *begun: questions.append(begun))
    assert questions == [("1.1 Data", 1, 2), ("1.2 The square", 2, 2)]
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        "td1_report.html",
        "td1_solution.ipynb",
        "td1_student.ipynb",
    ]
    assert not files.student_kept
    solution = nbformat.read(files.solution, as_version=4)
    assert any(cell.source == "SEED = 7" for cell in solution.cells)
    assert "✓ 1.2 The square" in printed(solution)
    assert files.student.read_text(encoding="utf-8") == build.notebook_text("student", 7)
    assert "<code>byhand lab --seed 7</code>" in files.report.read_text(encoding="utf-8")


@pytest.fixture
def not_run(monkeypatch):
    """What is written where does not depend on what the cells put out."""
    monkeypatch.setattr(running, "run", lambda notebook, on_question, graded: None)


def test_stories_lie_beside_the_report_which_links_them(source, not_run, tmp_path):
    files = build.write_lab(tmp_path, 44, nothing, {"td1_story.html": ("it learns", "<!doctype html>story")})
    assert (tmp_path / "td1_story.html").read_text(encoding="utf-8") == "<!doctype html>story"
    assert '<a href="td1_story.html">it learns</a>' in files.report.read_text(encoding="utf-8")


def test_interrupted_it_leaves_the_folder_as_it_was(source, tmp_path):
    old = tmp_path / "td1_report.html"
    old.write_text("old")
    before = sorted(tmp_path.rglob("*"))

    def ctrl_c(title, index, count):
        if index == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.write_lab(tmp_path, 44, ctrl_c)
    assert sorted(tmp_path.rglob("*")) == before
    assert old.read_text() == "old"


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("small.py", "cannot write to the folder .*small.py: .*small.py is not a folder"),
        ("small.py/deeper", "cannot write to the folder .*deeper: .*small.py is not a folder"),
        ("taken", "cannot write .*td1_report.html: it is a folder"),
        ("/proc/nowhere", "cannot write to the folder /proc/nowhere: /proc cannot be written to"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_found_out_before_the_run(source, tmp_path, out, message):
    (tmp_path / "taken" / "td1_report.html").mkdir(parents=True)
    with pytest.raises(ByhandError, match=message):
        build.write_lab(tmp_path / out, 44, lambda *begun: pytest.fail("it ran"))


def test_a_students_work_is_not_overwritten(source, not_run, tmp_path):
    student = tmp_path / "td1_student.ipynb"
    untouched = build.notebook_text("student", 7)
    student.write_text(untouched, encoding="utf-8")
    assert not build.write_lab(tmp_path, 44, nothing).student_kept
    renewed = student.read_text(encoding="utf-8")
    assert renewed == build.notebook_text("student", 44)

    work = renewed.replace("# YOUR CODE HERE", "x = 1", 1)
    student.write_text(work, encoding="utf-8")
    assert build.write_lab(tmp_path, 44, nothing).student_kept
    assert student.read_text(encoding="utf-8") == work


def test_running_a_students_notebook_is_not_filling_it_in(source, small, tmp_path):
    student = copy.deepcopy(small.student)
    run(student, nothing)
    path = tmp_path / "td1_student.ipynb"
    path.write_text(notebooks.as_text(student), encoding="utf-8")
    assert not notebooks.is_filled_in(path)


def test_notebook_text_is_not_run_yet(source):
    solution = nbformat.reads(build.notebook_text("solution", 44), as_version=4)
    assert all(cell.get("outputs", []) == [] for cell in solution.cells)
    assert any("### BEGIN SOLUTION" in cell.source for cell in solution.cells)


# What the notebook calls


def test_agree_prints_the_largest_relative_difference(capsys):
    agree("w", [1.0, -2.0], [1.0, -2.0000001], rtol=1e-6)
    agree("w", [1, 2], np.array([1, 2]))
    assert capsys.readouterr().out == "  w: largest relative difference 5.0e-08\n  w: the same\n"


@pytest.mark.parametrize(
    ("yours", "reference", "message"),
    [
        (
            [1.0, 2.5, 3.5],
            [1.0, 2.0, 3.0],
            r"^w\[1\] is 2\.5, expected 2 \(relative difference 2\.0e-01, allowed 1\.0e-09\); 2 of 3",
        ),
        ([[1.0, 2.0]], [[1.0, 4.0]], r"^w\[0, 1\] is 2, expected 4"),
        (2.0, 3.0, r"^w is 2, expected 3 \(relative difference 3\.3e-01, allowed 1\.0e-09\)$"),
        (np.ones((2, 3)), np.ones((3, 2)), r"^w has shape \(2, 3\), expected \(3, 2\)$"),
        ([np.nan], [1.0], r"^w\[0\] is nan, expected 1"),
        ([np.nan], [np.nan], r"^w\[0\] is nan, expected nan"),
        ([np.inf], [1.0], r"^w\[0\] is inf, expected 1"),
        ([1e-300], [0.0], r"^w\[0\] is 1e-300, expected 0 \(relative difference 1\.0e\+00"),
        ("abc", 1.0, r"^w is not an array of numbers: 'abc'$"),
        ([[1, 2], [3]], [1.0], r"^w is not an array of numbers"),
    ],
)
def test_agree_says_what_differs(yours, reference, message):
    with pytest.raises(AssertionError, match=message):
        agree("w", yours, reference)


def test_agree_where_numbers_should_be_zero_or_infinite():
    agree("w", [1e-12, np.inf, -np.inf], [0.0, np.inf, -np.inf], atol=1e-10)
    with pytest.raises(AssertionError):
        agree("w", [1e-9], [0.0], atol=1e-10)


def unfinished():
    """A stub."""


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (lambda: agree("w", not_there, 1), "not_there is not defined"),  # noqa: F821
        (lambda: agree("w", None, 1), "w is still None"),
        (lambda: agree("w", ..., 1), "w is still ..."),
        (lambda: agree("w", [1, None], [1, 2]), "w is still None"),
        (lambda: agree("w", unfinished()[0], 1), "a function still returns None; or is its return missing?"),
        (lambda: agree("w", unfinished() + 1, 1), "a function still returns None; or is its return missing?"),
        (lambda: agree("w", unfinished().T, 1), "a function still returns None; or is its return missing?"),
        (lambda: (_ for _ in ()).throw(NotImplementedError()), "it raises NotImplementedError"),
    ],
)
def test_what_is_not_done_yet_is_said_gently_but_earns_no_points(capsys, monkeypatch, check, reason):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    with question("1.4 Predictions"):
        check()
    assert capsys.readouterr().out == f"○ 1.4 Predictions: not done yet ({reason})\n"
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with (
        pytest.raises(AssertionError, match=re.escape(f"1.4 Predictions: not done yet ({reason})")),
        question("1.4 Predictions"),
    ):
        check()


def test_a_wrong_result_names_the_question_and_nothing_else():
    with pytest.raises(AssertionError) as error, question("1.4 Predictions"):
        agree("ŷ", [1.0], [2.0])
    assert str(error.value).startswith("1.4 Predictions: ŷ[0] is 1, expected 2")
    assert error.value._render_traceback_() == [f"✗ {error.value}"]
    with pytest.raises(AssertionError, match=r"^1\.4 Predictions: wrong result$"), question("1.4 Predictions"):
        raise AssertionError


def test_a_mistake_in_what_is_written_keeps_its_traceback():
    with pytest.raises(TypeError, match="unsupported operand"), question("1.4 Predictions"):
        agree("w", "a" - 1, 1)
    with pytest.raises(UnboundLocalError), question("1.4 Predictions"):
        total_without_a_start()


def total_without_a_start():
    total += 1  # noqa: F821, F841


@pytest.fixture
def ungraded(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(cells, "_wrong", {})


def compared(title, mine, other):
    with comparison(title):
        agree("w", mine, other)


def test_after_byhand_check_the_numbers_are_facts_and_no_second_verdict(ungraded, capsys):
    compared("2.7 Backward", 1.0, 1.0)
    compared("2.7 Backward", 1.0, 2.0)
    compared("2.7 Backward", None, 2.0)
    out = capsys.readouterr().out
    assert out.startswith("  w: the same\n  w is 1, expected 2 (relative difference")
    assert out.count("\n") == 2
    assert not set("✓✗○") & set(out)


def test_what_is_inherited_is_said_to_be(ungraded, capsys):
    compared("2.7 Backward", 1.0, 2.0)
    compared("2.8 Ten thousand epochs", 1.0, 2.0)
    assert capsys.readouterr().out.endswith("That may come from 2.7, which is not right yet.\n")
    with question("2.11 Which converges the fastest?"):
        agree("w", 1.0, 2.0)
    assert capsys.readouterr().out.startswith(
        "○ 2.11 Which converges the fastest?: waits for 2.7, which is not right yet"
    )
    with question("3.4 Why"):  # part 3 rests on part 2
        agree("w", 1.0, 2.0)
    assert "waits for 2.7" in capsys.readouterr().out
    with pytest.raises(AssertionError, match=r"^1\.3 A first guess: w is 1"), question("1.3 A first guess"):
        agree("w", 1.0, 2.0)
    capsys.readouterr()
    compared("2.7 Backward", 2.0, 2.0)  # mended
    compared("2.8 Ten thousand epochs", 2.0, 2.0)
    with pytest.raises(AssertionError, match=r"^2\.11 "), question("2.11 Which converges the fastest?"):
        agree("w", 1.0, 2.0)


def test_a_step_may_inherit_from_the_step_before(ungraded, capsys):
    with pytest.raises(AssertionError), question("2.7.1 δ of the output"):
        agree("δ", 1.0, 2.0)
    with question("2.7.2 The gradients of the output layer"):
        agree("∂L/∂W", 1.0, 2.0)
    assert "waits for 2.7.1" in capsys.readouterr().out


def test_when_it_is_graded_a_comparison_is_a_question_and_names_what_it_may_come_from(ungraded, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(AssertionError, match=r"^2\.7 Backward: w is 1"):
        compared("2.7 Backward", 1.0, 2.0)
    with pytest.raises(AssertionError, match=r"^2\.8 .*this may come from 2\.7, which is wrong, too"):
        compared("2.8 Ten thousand epochs", 1.0, 2.0)
    with pytest.raises(AssertionError, match="not done yet"):
        compared("2.9 Trained", None, 2.0)


def test_in_short_displays_a_line_that_the_report_finds(displayed):
    in_short("$L = 2$")
    ((data, options),) = displayed
    assert data["text/markdown"] == "**In short:** $L = 2$."
    assert options["metadata"] == {"byhand": {"in_short": "$L = 2$"}}


def test_a_done_question_is_ticked(capsys):
    with question("1.4 Predictions"):
        pass
    assert capsys.readouterr().out == "✓ 1.4 Predictions\n"


@pytest.fixture
def displayed(monkeypatch):
    calls = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: calls.append((data, options)))
    return calls


def test_show_displays_a_figure_with_its_alternative_text_and_closes_it(displayed):
    figure, axes = plt.subplots()
    axes.set(title="The root")
    show(figure, "The square root rises ever more slowly.")
    ((data, options),) = displayed
    assert options["metadata"] == {"image/svg+xml": {"alt": "The square root rises ever more slowly."}}
    assert data["text/plain"] == "The square root rises ever more slowly."
    assert ">The root</text>" in data["image/svg+xml"]
    assert str(datetime.date.today().year) not in data["image/svg+xml"]
    assert not plt.fignum_exists(figure.number)


def test_the_shown_curve_is_matplotlibs_to_half_a_hundredth_of_a_point(displayed):
    figure, axes = plt.subplots()
    axes.plot(np.linspace(-1e-3, 1, 300) ** 3, np.sin(np.linspace(0, 9, 300)))
    exact = io.StringIO()
    with plt.rc_context({"svg.fonttype": "none"}):
        figure.savefig(exact, format="svg", bbox_inches="tight")
    show(figure, "A curve.")
    shown = displayed[0][0]["image/svg+xml"]
    path = re.compile(r' d="([^"]*)"')
    for before, after in zip(path.findall(exact.getvalue()), path.findall(shown), strict=True):
        assert re.sub(r"[-\d.]+", "", after) == re.sub(r"[-\d.]+", "", before)
        numbers = (np.array(re.findall(r"-?[\d.]+", text), dtype=float) for text in (before, after))
        np.testing.assert_allclose(*numbers, atol=0.00501)
    assert len("".join(path.findall(shown))) < 0.8 * len("".join(path.findall(exact.getvalue())))


def test_show_wants_an_alternative_text(displayed):
    figure = plt.figure()
    with pytest.raises(ValueError, match="alt is empty"):
        show(figure, " ")
    plt.close(figure)
    assert displayed == []


def square_of(size):
    figure, axes = plt.subplots(figsize=(2, 2))
    plt.close(figure)
    axes.plot([0, size], [0, size])
    return figure


def test_an_animation_is_images_with_a_slider_and_the_same_every_time(displayed):
    for _ in range(2):
        animate(square_of, [1, 2, 3], "A line that <grows>.")
    (data, _), (again, _) = displayed
    assert data == again
    assert data["text/plain"] == "A line that <grows>."
    page = data["text/html"]
    images = re.findall(r"data:image/png;base64,([\w+/=]+)", page)
    assert len(images) == 4  # the last is there without JavaScript, too
    assert images[0] == images[3] != images[1]
    assert all(base64.b64decode(image).startswith(b"\x89PNG") for image in images)
    assert page.count("A line that &lt;grows&gt;.") == 2
    assert not re.findall(r"@[A-Z]+@", page)
    assert "http" not in page
    with pytest.raises(ValueError, match="alt is empty"):
        animate(square_of, [1], "")


def test_say_displays_markdown(displayed):
    say("**$x$**")
    assert displayed == [({"text/markdown": "**$x$**", "text/plain": "**$x$**"}, {"raw": True})]
