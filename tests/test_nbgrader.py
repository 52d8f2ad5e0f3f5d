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


def untouched(notebook):
    """A copy without outputs."""
    copied = nbformat.from_dict(notebook)
    for cell in copied.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copied
