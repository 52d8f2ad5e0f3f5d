"""`byhand why` as it is called: the tape, the judge and the story together; but for the long one, behind the walls."""

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

import at_hand
from byhand.cli import byhand
from byhand.diagnosis import sandbox
from measure_why import SCRIPTS
from test_story import CELL, number


def called(*arguments):
    return CliRunner().invoke(byhand, ["why", *map(str, arguments)], standalone_mode=False)


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    path = tmp_path_factory.mktemp("cell") / "td1.py"
    path.write_text(CELL.replace("epochs = 60", "epochs = 3"))
    with pytest.MonkeyPatch.context() as patch:  # seventeen runs
        patch.setattr(sandbox, "run", at_hand.run)
        return json.loads(called(path, "--json").stdout)


def test_the_handouts_cell_peels_down_to_the_dead_output(cell):
    first = [f for f in cell["findings"] if f["chapter"] < 5]
    assert list(dict.fromkeys(f["id"] for f in first)) == [
        "missing-import",
        "name-before-definition",
        "undefined-name",
        "size-one-array-to-scalar",
        "dead-relu-output",
    ]
    dead = first[-1]
    assert dead["line"] == number("outputs[i] = relu")
    assert dead["evidence"]["loss"] == pytest.approx(2.0, abs=1e-12)
    assert dead["evidence"]["z"] == pytest.approx([0, -2.377, -2.605, -4.033], abs=5e-4)


def test_from_a_seed_that_lives_the_quieter_mistakes_come_to_light(cell):
    alive = {f["id"]: f["line"] for f in cell["findings"] if f["chapter"] >= 5}
    assert alive["updated-weights-used"] in (number("W_hidden[j][k] -="), number("b_hidden[j] -="))
    assert alive["stale-gradient"] == number("= forward(X_train)")
    assert alive["slope-read-again"] == number("W_hidden[j][k] -=")
    assert number("b_hidden[j] -=") in [f["line"] for f in cell["findings"] if f["id"] == "bias-gradient-wrong"]
    assert "on 4 samples" in cell["chapters"][4]["happened"]
    assert "stays at 2" in cell["chapters"][4]["happened"]


def test_a_mistake_is_named_its_line_rewritten_and_the_copy_judged():
    run = called(SCRIPTS / "hidden-derivative-missing" / "class.py", "--json")
    answer = json.loads(run.stdout)
    assert run.return_value == 3
    first = answer["findings"][0]
    assert first["id"] == "hidden-derivative-missing"
    assert first["line"] in (36, 37)  # dh, or dz1, which is the same value under another name
    assert first["mended"] == [
        {
            "cell": "",
            "line": 37,
            "before": "        dz1 = dh",
            "after": "        dz1 = dh * (self.z1 > 0)",
            "moved_before": 0,
        }
    ]
    assert answer["chapters"][-1]["verdict"] == "right"


def test_a_right_script_is_right():
    run = called(SCRIPTS / "right" / "line.py")
    assert run.return_value == 0
    assert "Right: every step of a and b" in re.sub(r"\s+", " ", run.stdout)


def test_a_script_that_trains_nothing_is_not_judged(tmp_path):
    (tmp_path / "hello.py").write_text("print('hello')\n")
    run = called(tmp_path / "hello.py")
    assert run.return_value == 4
    assert "nothing was judged" in re.sub(r"\s+", " ", run.stdout)


def test_a_process_that_ends_without_an_answer_is_not_judged(tmp_path):
    (tmp_path / "gone.py").write_text("import os\nos._exit(3)\n")
    run = called(tmp_path / "gone.py")
    assert run.return_value == 4
    assert "stopped" in run.stdout


def test_the_page_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "run", at_hand.run)
    run = called(SCRIPTS / "sign-flipped" / "line.py", "--html", tmp_path / "why.html")
    assert run.return_value == 3
    text = (tmp_path / "why.html").read_text()
    assert "a = a - lr * grad_a" in text
    assert "line.py: the loss goes from" in text


def test_the_answer_is_the_same_on_a_busy_machine():
    script = SCRIPTS / "sign-flipped" / "line.py"
    idle = called(script, "--json").stdout
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        busy = called(script, "--json").stdout
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    assert json.loads(idle)["findings"]
    assert busy == idle
