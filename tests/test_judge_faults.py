"""What fails in the tape or the judge is never said to be the program's."""

import pytest

from byhand.diagnosis.judge import trainings
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.running import judged, read, written
from byhand.diagnosis.tape.calls import Recorder

LINE = """import numpy as np
x = np.linspace(0, 1, 20)
y = 2 * x + 1
a = b = 0.3
for epoch in range(50):
    e = a * x + b - y
    a = a - 0.1 * (2 * e * x).mean()
    b = b - 0.1 * (2 * e).mean()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_an_error_of_the_recorder_is_ours(monkeypatch):
    def broken(self, op, a, b):
        raise TypeError("numpy boolean subtract")

    monkeypatch.setattr(Recorder, "binary", broken)
    run = judged(Program("line.py", LINE, {}))
    assert run.error is None
    assert "byhand's own, TypeError: numpy boolean subtract" in run.ended


def test_an_error_of_the_judge_is_ours(monkeypatch):
    def broken(roles, **kw):
        raise ZeroDivisionError("no steps")

    monkeypatch.setattr(trainings, "judge_steps", broken)
    run = read(written(judged(Program("line.py", LINE, {}))))
    assert run.error is None
    assert run.judgement.verdict == "inconclusive"
    assert "ZeroDivisionError: no steps" in run.ended


def test_an_error_of_the_program_is_the_programs():
    run = judged(Program("line.py", LINE + "print(e @ np.ones(3))\n", {}))
    assert (run.error.type, run.error.place.line, run.ended) == ("ValueError", 9, "finished")
    assert run.judgement.verdict == "right"
