"""A class: each student's seed, their notebooks, and whose a notebook is that comes back."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

import at_hand
from byhand import cli, students
from byhand.diagnosis.check import practical
from byhand.diagnosis.check.file import check_file
from byhand.errors import ByhandError
from byhand.lab import build
from byhand.students import Student


@pytest.fixture
def listed(tmp_path):
    """Write a class's list; return its path."""

    def write(text):
        path = tmp_path / "students.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_seed_follows_from_the_name_alone():
    assert students.seed_of("anna") == int(hashlib.sha256(b"anna").hexdigest()[:8], 16)
    assert students.seed_of("anna") != students.seed_of("Anna")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna\nbenoît\n", ["anna", "benoît"]),  # the first row is a student, too
        ("student\nanna\nbenoît\n", ["anna", "benoît"]),
        ("\ufeffStudent;Group\r\nanna;1\r\n\r\nbenoît;2\r\n", ["anna", "benoît"]),  # as a spreadsheet writes it
        ('name,student\n"Roe, A.",anna\n"Doe, B.",benoît\n', ["anna", "benoît"]),
    ],
)
def test_a_list_with_and_without_names_of_columns(listed, text, expected):
    assert students.read_class(listed(text)) == [Student(name, students.seed_of(name)) for name in expected]


def test_a_list_may_give_seeds(listed):
    assert students.read_class(listed("student,seed\nanna,7\nbenoît,\n")) == [
        Student("anna", 7),
        Student("benoît", students.seed_of("benoît")),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no student in it"),
        ("student\n", "has no student in it"),
        ("anna\nanna\n", "has anna twice"),
        ("../anna\n", "'../anna' cannot have a folder of that name"),
        (".hidden\n", "cannot have a folder"),
        ("student,seed\nanna,-1\n", "the seed of anna is '-1'; expected a whole number"),
        ("student,seed\nanna,4294967296\n", "expected a whole number from 0 to 4294967295"),
        (b"\xff\xfe", "it is no text in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_clear_line(listed, text, message):
    with pytest.raises(ByhandError, match=message) as error:
        students.read_class(listed(text))
    assert "\n" not in str(error.value)


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["byhand", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("kind", ["student", "solution"])
def test_a_class_gets_its_notebooks_each_with_its_own_seed(run, listed, tmp_path, kind):
    path, out = listed("student,seed\nanna,7\nbenoît,\n"), tmp_path / "class"
    assert run("notebook", kind, out, "--class", path) == (0, f"2 notebooks in {out}\n", "")
    for name, seed in (("anna", 7), ("benoît", students.seed_of("benoît"))):
        notebook = json.loads((out / name / f"td1_{kind}.ipynb").read_text(encoding="utf-8"))
        assert students.owner(notebook) == (name, seed)
        assert any(f"SEED = {seed}" in "".join(cell["source"]) for cell in notebook["cells"])
        assert ("### BEGIN SOLUTION" in json.dumps(notebook)) == (kind == "solution")
    code, _, err = run("notebook", kind, out, "--class", path)
    assert code == 1
    assert "is already there and may hold someone's work" in err


def test_whose_a_notebook_is(tmp_path):
    path = tmp_path / "td1.ipynb"
    path.write_text(build.notebook_text("student", 7, "anna"), encoding="utf-8")
    assert list(students.told(path)) == ["td1.ipynb: made for anna with the seed 7"]
    assert list(students.told(path, "anna")) == []
    assert list(students.told(path, "benoît")) == [f"{path}: handed in by benoît, made for anna"]
    path.write_text(path.read_text(encoding="utf-8").replace("SEED = 7", "SEED = 44"), encoding="utf-8")
    assert list(students.told(path, "anna")) == [f"{path}: made with the seed 7, and SEED is now 44"]
    path.write_text(build.notebook_text("solution", 44), encoding="utf-8")
    assert list(students.told(path)) == ["td1.ipynb: made with the seed 44"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [], "metadata": {}}', "import numpy as np\n"])
def test_of_other_files_nothing_is_said(tmp_path, text):
    path = tmp_path / "other"
    path.write_text(text)
    assert list(students.told(path)) == list(students.told(path, "anna")) == []


def test_check_says_which_notebook_it_checks(run, tmp_path, monkeypatch):
    from byhand.diagnosis.check import file as room
    from byhand.diagnosis.check.results import Report

    monkeypatch.setattr(room, "check_file", lambda path: Report(path.name))
    path = tmp_path / "td1.ipynb"
    path.write_text(build.notebook_text("student", 7, "anna"), encoding="utf-8")
    _, _, err = run("check", path)
    assert "td1.ipynb: made for anna with the seed 7\n" in err


def test_a_graded_class_says_what_is_not_the_students_own(run, tmp_path, monkeypatch):
    from byhand.diagnosis.check import grading

    monkeypatch.setattr(grading, "grade", lambda *_, **__: [])
    for folder, owner in (("anna", "anna"), ("benoît", "anna"), ("carla", "carla")):
        (tmp_path / folder).mkdir()
        text = build.notebook_text("student", 7, owner)
        (tmp_path / folder / "td1.ipynb").write_text(text, encoding="utf-8")
    (tmp_path / "carla.ipynb").write_text(text, encoding="utf-8")  # a file right in the folder is named after itself
    _, out, _ = run("check", tmp_path, "--out", tmp_path / "grades.csv")
    assert out.startswith(f"{tmp_path / 'benoît' / 'td1.ipynb'}: handed in by benoît, made for anna\n0 submissions")


@pytest.mark.parametrize(
    ("drawn", "outcome"),
    [
        ("x_train = np.random.rand(N)\ny_train = 2 * x_train + 1 + 0.1 * np.random.randn(N)", "right"),
        (
            "e = np.random.normal(0, 0.1, N)\nx_train = np.random.uniform(size=N)\ny_train = 2 * x_train + 1 + e",
            "right",
        ),
        ("x_train = np.sort(np.random.rand(N))\ny_train = 2 * x_train + 1 + 0.1 * np.random.randn(N)", "right"),
        (
            "pairs = [(np.random.rand(), np.random.randn()) for _ in range(N)]\n"
            "x_train = np.array(pairs)[:, 0]\ny_train = 2 * x_train + 1 + 0.1 * np.array(pairs)[:, 1]",
            "right",
        ),
        (
            "np.random.seed(44)\nx_train = np.random.rand(N)\ny_train = 2 * x_train + 1 + 0.1 * np.random.randn(N)",
            "wrong",
        ),
        (
            "r = np.random.default_rng(7)\nx_train = r.random(N)\ny_train = 2 * x_train + 1 + 0.1 * r.normal(size=N)",
            "wrong",
        ),
    ],
)
@pytest.mark.parametrize("seed_in_the_cells", [7, 44])
def test_the_data_are_held_against_the_seed_of_the_notebook(tmp_path, monkeypatch, drawn, outcome, seed_in_the_cells):
    """Made with 7: data of another seed are not this student's, also when SEED was changed."""
    monkeypatch.setattr(practical, "run", at_hand.run)
    notebook = json.loads(build.notebook_text("student", 7, "anna"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"]).replace("SEED = 7", f"SEED = {seed_in_the_cells}")
        begin, is_data, rest = source.partition("# Wanted: x_train and y_train")
        cell["source"] = f"{begin}{drawn}\n{is_data}{rest.partition(chr(10))[0]}" if is_data else source
    path = tmp_path / "td1.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    report = check_file(path)
    of_seed_7 = outcome == "right" and seed_in_the_cells == 7
    x_train, y_train = (q for q in report.questions if q.part == "1.1")
    assert (x_train.status, y_train.status) == ("right" if of_seed_7 else "wrong", "right")
    first = np.random.RandomState(7).rand()
    assert [f"np.random.seed(7) and then np.random.rand give [{first}]" in f.evidence for f in report.findings] == [
        True
    ] * (not of_seed_7)
