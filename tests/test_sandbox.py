"""Whatever other people's code does, it is told for what it was, nothing is left of it, and we live."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from byhand.diagnosis import sandbox
from byhand.diagnosis.sandbox import Limits, run
from byhand.diagnosis.sandboxed import pack, unpack
from byhand.errors import ByhandError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs Unix processes")

JOB = b"""
def main(request, send):
    send({"before": 1})
    exec(compile(request["code"], "theirs.py", "exec"), {"__name__": "__main__"})
    send({"after": 2})
"""
SMALL = Limits(wall_seconds=4, memory_mb=700, disk_mb=30, file_mb=20, processes=12, output_mb=2)


def attempt(code, limits=SMALL, **options):
    return run("job:main", {"code": code}, {"job.py": JOB}, limits=limits, **options)


@pytest.fixture(params=["namespaces", "without"])
def walls(request, monkeypatch):
    monkeypatch.setattr(sandbox, "_NAMESPACES", request.param == "namespaces")
    return request.param


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch, request):
    mark = f"BYHAND_TEST_{os.getpid()}_{abs(hash(request.node.nodeid))}"  # others may run sandboxes meanwhile
    monkeypatch.setattr(sandbox, "_MARK", mark)
    yield
    left = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in entry.read_bytes():
                left.append(entry)
        except OSError:
            continue
    assert not left


MISBEHAVIOUR = {
    "endless loop": ("while True: pass", "out of time"),
    "endless loop that swallows everything": (
        "while True:\n try:\n  while True: pass\n except BaseException: pass",
        "out of time",
    ),
    "memory bomb": ("a = []\nwhile True: a.append(bytearray(10**8))", "out of memory"),
    "fork bomb": ("import os\nfor _ in range(40): os.fork()\nimport time; time.sleep(9)", "too many processes"),
    "flood of output": ("while True: print('x' * 1000)", "too much output"),
    "full disk": (
        "import time\nfor i in range(9): open(str(i), 'wb').write(bytes(8_000_000))\ntime.sleep(9)",
        "too much disk",
    ),
    "exit": ("import sys; sys.exit(3)", "exited"),
    "hard exit": ("import os; os._exit(0)", "exited"),
    "crash": ("import ctypes; ctypes.string_at(0)", "killed"),
    "an exception": ("1 / 0", "raised"),
    "input": ("input('your name? ')", "raised"),
}


@pytest.mark.parametrize("what", MISBEHAVIOUR)
def test_misbehaviour_is_told_for_what_it_was(what, walls):
    if walls == "without" and what in ("full disk", "an exception", "exit", "crash", "memory bomb"):
        pytest.skip("the same with and without namespaces")
    code, ended = MISBEHAVIOUR[what]
    outcome = attempt(code, Limits(**(SMALL.__dict__ | {"wall_seconds": 1})) if ended == "out of time" else SMALL)
    assert outcome.ended == ended
    assert outcome.messages == [{"before": 1}]  # what was found before it is kept
    assert outcome.asked_for_input == (what == "input")
    assert outcome.output_bytes < 10_000_000


def test_well_behaved_code_finishes_and_prints(walls):
    outcome = attempt("import sys; print('hello'); print('there', file=sys.stderr)")
    assert (outcome.ended, outcome.messages) == ("finished", [{"before": 1}, {"after": 2}])
    assert outcome.output == "hello\nthere\n"
    assert outcome.left_behind == 0


def test_a_daemon_that_leaves_the_process_group_is_gone_afterwards(walls, tmp_path):
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
time.sleep(0.2)
"""
    outcome = attempt(code)
    assert outcome.ended == "finished"
    assert outcome.left_behind == 1


def test_it_cannot_kill_the_warden_or_us(walls):
    outcome = attempt("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nimport time; time.sleep(0.3)")
    assert outcome.ended in ("finished", "exited", "killed")
    assert outcome.messages[0] == {"before": 1}


def test_its_own_files_may_go_and_the_answer_still_comes():
    code = "import os, shutil; shutil.rmtree(os.getcwd(), ignore_errors=True); os.chdir('/')"
    assert attempt(code).messages == [{"before": 1}, {"after": 2}]


def test_files_outside_the_folder_are_read_only_where_the_machine_can(tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    outcome = attempt(f"open({str(precious)!r}, 'w')")
    if "read-only files" not in outcome.walls:
        pytest.skip("no mount namespaces here")
    assert outcome.error["type"] == "OSError"
    assert precious.read_text() == "mine"


def test_patched_numpy_changes_neither_our_answers_nor_our_numpy():
    code = "import numpy as np\nnp.asarray = np.dot = np.ndarray = None\nimport json, os\njson.dumps = os.write = None"
    assert attempt(code).ended == "finished"
    assert np.dot(2, 3) == 6


def test_environment_stdin_and_folder_are_bare(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    code = "import os, sys\nprint(os.listdir())\nprint('SECRET_TOKEN' in os.environ)\nprint(repr(sys.stdin.read()))"
    listing, secret, stdin = attempt(code).output.splitlines()
    assert "job.py" in listing
    assert (secret, stdin) == ("False", "''")


def test_plots_are_caught_and_kept():
    code = """
import matplotlib
matplotlib.use("TkAgg")
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.show()
plt.plot([2, 1])
"""
    outcome = attempt(code, figures=True, limits=Limits())
    assert outcome.ended == "finished"
    assert [figure[:4] for figure in outcome.figures] == [b"\x89PNG"] * 2
    assert attempt(code, limits=Limits()).figures == ()


def test_long_output_is_cut_in_the_middle():
    outcome = attempt("for i in range(100_000): print(f'line {i:08}')", limits=Limits())
    assert outcome.output_bytes == 1_400_000
    assert outcome.output.startswith("line 00000000")
    assert outcome.output.endswith("line 00099999\n")
    assert "1200000 bytes left out" in outcome.output


def test_a_caller_that_dies_takes_everything_with_it(walls):
    caller = os.fork()
    if caller == 0:
        attempt("import time; time.sleep(60)", limits=Limits(wall_seconds=60))
        os._exit(0)
    time.sleep(1.0)
    os.kill(caller, 9)
    os.waitpid(caller, 0)
    time.sleep(0.5)  # then the fixture looks for what is left


def test_a_file_name_that_leads_out_is_refused(tmp_path):
    with pytest.raises(ByhandError, match="leads out"):
        run("job:main", {}, {"../x.py": b""})


def test_arrays_travel_without_pickle():
    for array in (np.arange(6.0).reshape(2, 3), np.array(3), np.array([True, False]), np.zeros((0, 2), np.float32)):
        back = unpack(pack(array))
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back, array)
    assert pack(np.array([None])) is None
    assert pack([[1], [1, 2]]) is None
    with pytest.raises(ValueError, match="no"):
        unpack({"dtype": "O", "shape": [1], "data": ""})
