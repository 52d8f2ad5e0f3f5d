"""A class is graded in parallel; nothing is lost; one bad submission touches no other."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from byhand.diagnosis.check import grading
from byhand.diagnosis.check.grading import grade, marks_of, page, submissions, table
from byhand.diagnosis.check.results import Finding, Question, Report
from byhand.diagnosis.sandbox import SandboxError
from byhand.errors import ByhandError
from solutions_table import solutions

SOURCES = {name: source for name, _, source in solutions()}
RIGHT = SOURCES["line/right"]
WRONG = RIGHT.replace("err = y_hat - y_train", "err = y_train - y_hat")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "class"
    for student, text in {
        "anna": RIGHT,
        "bob": WRONG,
        "carla": RIGHT + "\nimport os, time\nfor _ in range(5): os.fork()\ntime.sleep(9)\n",
        "dan": RIGHT + "\nimport shutil; shutil.rmtree('..', ignore_errors=True)\n",
        "=evil()": "def (",
    }.items():
        (folder / student).mkdir(parents=True)
        (folder / student / "td1.py").write_text(text)
    return folder


def test_a_class_is_graded_and_hostile_submissions_keep_their_marks(folder, tmp_path):
    out = tmp_path / "grades.csv"
    seen = []
    rows = {row["student"]: row for row in grade(folder, out, jobs=2, on_each=lambda *counts: seen.append(counts))}
    assert seen[-1] == (5, 5)
    line = {"1.4": 1.0, "1.6": 1.0, "1.8": 1.0}
    assert rows["anna"]["marks"] == rows["carla"]["marks"] == rows["dan"]["marks"] == line
    assert (rows["anna"]["total"], rows["anna"]["maximum"]) == (3.0, 3)
    assert rows["bob"]["marks"]["1.8"] == 0.0
    assert rows["bob"]["mistakes"] == ["sign-flipped"]
    assert any("process after process" in note for note in rows["carla"]["report"]["notes"])
    assert (folder / "bob" / "td1.py").read_text() == WRONG
    written = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["student"] for row in written] == ["'=evil()", "anna", "bob", "carla", "dan"]
    assert written[2]["mistakes"] == "sign-flipped"
    assert len(json.loads(out.with_suffix(".json").read_text())) == 5
    assert "5 submissions" in out.with_suffix(".html").read_text()


NOTHING_DONE = "\n".join(line for line in RIGHT.splitlines() if line.startswith("import"))
THEFT = (
    NOTHING_DONE
    + """
import sys
frame = sys._getframe()
while frame is not None:
    for value in list(frame.f_locals.values()):
        cells = getattr(value, "cells", None) or (value.get("cells") if isinstance(value, dict) else None)
        if isinstance(cells, list):
            try:
                cells.append({{"name": "", "number": 99, "source": open({victim!r}).read(), "first": 1}})
            except OSError as error:
                print("no", error)
    frame = frame.f_back
"""
)


def test_a_classmate_s_file_earns_nobody_else_a_mark(folder, tmp_path):
    victim = folder / "anna" / "td1.py"
    (folder / "thief").mkdir()
    (folder / "thief" / "td1.py").write_text(THEFT.format(victim=str(victim)))
    (folder / "linker").mkdir()
    (folder / "linker" / "td1.py").symlink_to(victim)
    (folder / "linked.py").symlink_to(victim)
    rows = {}
    for student, path in (("thief", "thief/td1.py"), ("linker", "linker/td1.py"), ("linked", "linked.py")):
        rows[student] = grading._row(folder, grading.Submission(student, folder / path))
    assert all(set(row["marks"].values()) <= {"not judged"} for row in rows.values())
    assert {row["outcome"] for row in rows.values()} == {"not judged"}
    assert all("leads out" in rows[student]["report"]["notes"][0] for student in ("linker", "linked"))


def test_a_fault_of_ours_ends_nothing_and_accuses_nobody(folder, monkeypatch):
    def broken(path):
        raise faults[path.parent.name]

    faults = {"anna": TypeError("unhashable"), "bob": RecursionError("deep"), "carla": SandboxError("no warden")}
    monkeypatch.setattr(grading, "check_file", broken)
    for student in faults:
        row = grading._row(folder, grading.Submission(student, folder / student / "td1.py"))
        assert (row["marks"], row["outcome"], row["mistakes"]) == ({}, "not judged", [])
        assert "fault of byhand's own" in row["report"]["notes"][0]
        assert "0 without a mistake" in page([row])


def test_a_submission_that_kills_its_judge_is_told_and_the_others_are_checked(folder, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import byhand.diagnosis.check.file as file, os\nfrom byhand.diagnosis.check.results import Report\n"
        "def check_file(path):\n    if path.parent.name == 'bob': os._exit(9)\n    return Report(path.name)\n"
        "file.check_file = check_file\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    rows = {row["student"]: row for row in grade(folder, tmp_path / "grades.csv", jobs=2)}
    assert [student for student, row in rows.items() if row["failed"]] == ["bob"]
    assert len(rows) == 5


def test_one_line_functions_do_not_end_the_class(folder):
    (folder / "bob" / "td1.py").write_text("import numpy as np\nmse = lambda p, t: ((p - t) ** 2).mean()\n")
    assert grading._row(folder, grading.Submission("bob", folder / "bob" / "td1.py"))["student"] == "bob"


def test_it_goes_on_where_it_was_and_checks_again_only_what_has_changed(folder, tmp_path, monkeypatch):
    out = tmp_path / "grades.csv"
    checked = []

    def check_all(folder, todo, jobs):
        for item in todo:
            checked.append(item[0].student)
            if len(checked) == 3:
                raise KeyboardInterrupt
            yield item, grading._row(folder, item[0])

    flipped = Finding("sign-flipped", "A sign is flipped", 7, "", "")

    def quickly(path):
        return Report(path.name, findings=[flipped] if path.read_text() == WRONG else [])

    monkeypatch.setattr(grading, "check_file", quickly)
    monkeypatch.setattr(grading, "_check_all", check_all)
    with pytest.raises(KeyboardInterrupt):
        grade(folder, out)
    with (tmp_path / "grades.progress.jsonl").open("a") as progress:
        progress.write('{"key": "cut o')  # killed in the middle of a line
    assert not out.exists()
    first = list(checked)
    grade(folder, out)
    assert checked[3:] == [s for s in ["=evil()", "anna", "bob", "carla", "dan"] if s not in first[:2]]
    checked.clear()
    (folder / "anna" / "td1.py").write_text(WRONG)
    rows = grade(folder, out)
    assert checked == ["anna"]
    assert rows[1]["mistakes"] == ["sign-flipped"]


def test_killed_outright_it_leaves_no_process(folder, tmp_path):
    slow = "while True:\n try:\n  while True: pass\n except BaseException: pass\n"
    for number in range(6):
        (folder / f"slow{number}.py").write_text(slow)
    command = [sys.executable, "-m", "byhand", "check", str(folder), "--out", str(tmp_path / "g.csv"), "--jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(started := _below(process.pid)) < 4:  # two at a time, each with a warden
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while any(_alive(p) for p in started):  # however long a busy machine takes: only pytest's own timeout ends it
        time.sleep(0.2)


def _below(process):
    """Every process that this one started, and they."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, level = [], {process}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found += level
    return found


def _alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_students_are_named_after_their_folder_or_file(tmp_path):
    for name in ("anna/x/td1.ipynb", "bob.py", ".hidden/a.py", "__pycache__/b.py", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert [s.student for s in submissions(tmp_path)] == ["anna", "bob"]
    with pytest.raises(ByhandError, match="there is no"):
        submissions(tmp_path / "anna" / "nothing")


def test_names_and_notes_can_neither_run_in_a_spreadsheet_nor_on_the_page():
    report = {"right": False, "notes": ["<script>"], "findings": []}
    row = {"student": "@SUM(A1)", "file": "<b>", "marks": {}, "total": 0, "maximum": 0, "not judged": 0}
    row |= {"mistakes": ["unknown"], "report": report, "failed": False, "outcome": "wrong"}
    assert "'@SUM(A1)" in table([row])
    assert "<script>" not in page([row])


def test_marks_tell_wrong_not_done_and_not_judged_apart():
    statuses = {
        "2.4": ["right", "wrong"],
        "2.5": ["right", "not done yet"],
        "2.6": ["not done yet"],
        "2.7": ["right", "not judged"],
    }
    rows = [
        Question(f"{part} {k}", status, part=part) for part, every in statuses.items() for k, status in enumerate(every)
    ]
    assert marks_of(Report("x", rows)) == {"2.4": 0.0, "2.5": 0.5, "2.6": "not done", "2.7": "not judged"}
