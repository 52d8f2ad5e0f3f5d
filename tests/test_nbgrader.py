"""The practical in nbgrader: what it releases, and which points it gives; with the settings that docs/lab.md has."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import CheckCellMetadata, ClearSolutions
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from byhand.diagnosis.check.file import check_file
from byhand.diagnosis.check.grading import marks_of
from byhand.lab import notebooks
from practicals import outputs

GUIDE = Path(__file__).parents[1] / "docs" / "lab.md"


@pytest.fixture
def settings(tmp_path):
    """The settings of the guide."""
    (text,) = re.findall(r"```python\n(c = get_config\(\).*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "nbgrader_config.py").write_text(text)
    return Config(PyFileConfigLoader("nbgrader_config.py", path=str(tmp_path)).load_config())


@pytest.fixture
def course(tmp_path, monkeypatch, settings):
    """nbgrader in a course of its own."""
    monkeypatch.chdir(tmp_path)
    path = [str(Path(sys.executable).parent), os.environ["PATH"]]  # it calls the command alembic
    monkeypatch.setenv("PATH", os.pathsep.join(path))
    settings.CourseDirectory.root = str(tmp_path)
    return NbGraderAPI(config=settings)


def write(path, notebook):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def without_stubs(source):
    return [line for line in source.splitlines() if line.strip() not in ("# YOUR CODE HERE", "...", "pass")]


def test_what_nbgrader_makes_of_the_solutions_is_the_students_notebook(settings):
    """By the steps of generate_assignment that look at the cells."""
    solution = notebooks.solution_notebook()
    student = notebooks.student_notebook(solution)
    release = solution
    for step in (CheckCellMetadata, ClearSolutions):
        release, _ = step(config=settings).preprocess(release, {})
    for given, ours in zip(release.cells, student.cells, strict=True):
        if ours.source == notebooks.ANSWER_STUB:
            assert given.source == "YOUR ANSWER HERE"
        else:
            assert without_stubs(given.source) == without_stubs(ours.source)
    assert "NotImplementedError" not in nbformat.writes(release), "the whole release runs"


TOLD = {"reference": [], "wrong": ["✗ 1.2 The square: derivative[1] is 3"]}
"""The errors in each submission's feedback, by how they begin."""


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
def test_the_reference_gets_every_point_and_what_is_wrong_none_with_a_line_that_says_why(course, small, tmp_path):
    write(tmp_path / "source" / "td1" / "td1.ipynb", untouched(small.solution))
    result = course.generate_assignment("td1")
    assert result["success"], result.get("error")
    assert (tmp_path / "release" / "td1" / "td1.ipynb").is_file()
    wrong = untouched(small.solution)
    for cell in wrong.cells:
        cell.source = cell.source.replace("return 2 * x", "return 3 * x")
    points = {}
    for name, notebook in {"reference": untouched(small.solution), "wrong": wrong}.items():
        write(tmp_path / "submitted" / name / "td1" / "td1.ipynb", notebook)
        result = course.autograde("td1", name)
        assert result["success"], result.get("error")
        with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
            grades = gradebook.find_submission_notebook("td1", "td1", name).grades
            points[name] = sum(grade.auto_score for grade in grades if grade.auto_score is not None)
        graded = nbformat.read(tmp_path / "autograded" / name / "td1" / "td1.ipynb", as_version=4)
        told = ["\n".join(error.traceback) for error in outputs(graded, "error")]
        assert len(told) == len(TOLD[name]), told
        assert all(line.startswith(begin) for line, begin in zip(told, TOLD[name], strict=True)), told
        assert not any("\n" in line for line in told), "a line, and no traceback into the library"
    assert points == {"reference": 2, "wrong": 1}


def first_part(old="", new=""):
    """The practical's first part, solved, without its figures; with a mistake."""
    notebook = notebooks.solution_notebook(7, "anna")
    second = next(k for k, cell in enumerate(notebook.cells) if cell.source.startswith("## Part 2"))
    drawn = [cell for cell in notebook.cells if cell.cell_type == "code" and "show(\n" in cell.source]
    notebook.cells = [cell for cell in notebook.cells[:second] if cell not in drawn]
    for cell in notebook.cells:
        if "check" not in notebooks.tags(cell):
            cell.source = cell.source.replace(old, new) if old else cell.source
    return notebook


def points_of(course, folder, name):
    """From each question to the points of its check."""
    result = course.autograde("td1", name)
    assert result["success"], result.get("error")
    graded = nbformat.read(folder / "autograded" / name / "td1" / "td1.ipynb", as_version=4)
    points, question = {}, ""
    for cell in graded.cells:
        for title in notebooks.question_titles(cell):
            question = title.split()[0]
        if "check" in notebooks.tags(cell):
            points[question] = int(all(output.output_type != "error" for output in cell.outputs))
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook("td1", "td1", name).grades
        assert sum(points.values()) == sum(grade.auto_score or 0 for grade in grades)
    return points


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
def test_its_points_are_the_marks_of_check_but_for_what_is_inherited(course, tmp_path):
    """docs/lab.md says why: a mark of check is for the question alone, a point is for its numbers."""
    write(tmp_path / "source" / "td1" / "td1.ipynb", first_part())
    assert course.generate_assignment("td1")["success"]
    path = tmp_path / "submitted" / "anna" / "td1" / "td1.ipynb"
    write(path, first_part("err = y_hat - y_train", "err = y_train - y_hat"))
    marks = {part: mark for part, mark in marks_of(check_file(path)).items() if part.startswith("1.")}
    points = points_of(course, tmp_path, "anna")
    assert points.pop("1.3") == 1  # two numbers of the student's own choice: check has nothing to mark
    assert points.keys() == marks.keys()
    assert (points["1.5"], marks["1.5"]) == (0, 0)
    assert {part for part, mark in marks.items() if points[part] == mark == 1} >= {"1.1", "1.4"}
    other = {part: (points[part], mark) for part, mark in marks.items() if points[part] != mark}
    assert other == {"1.6": (0, "not judged"), "1.7": (0, 1)}


def untouched(notebook):
    """A copy without outputs."""
    copied = nbformat.from_dict(notebook)
    for cell in copied.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copied
