"""Whatever other people's code does, it is told for what it was, nothing is left of it, and we live."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from byhand.diagnosis import sandbox
from byhand.diagnosis.messages import MessageError, decode, encode, frame, unframe
from byhand.diagnosis.sandbox import WALLS, Limits, SandboxError, missing, run
from byhand.diagnosis.sandboxed import pack, unpack
from byhand.errors import ByhandError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs Unix processes")

JOB = b"""
def main(request, send):
    send({"before": 1})
    exec(compile(request["code"], "theirs.py", "exec"), {"__name__": "__main__"})
    send({"after": 2})
"""
SMALL = Limits(cpu_seconds=10, wall_seconds=40, memory_mb=700, disk_mb=30, file_mb=20, processes=12, output_mb=2)


def attempt(code, limits=SMALL, **options):
    return run("job:main", {"code": code}, {"job.py": JOB}, limits=limits, **options)


@pytest.fixture(params=["all", "a Unix that is not Linux", "Windows"])
def walls(request, monkeypatch):
    standing = {"all": tuple(WALLS), "Windows": ("own process",), "a Unix that is not Linux": ("own process", "limits")}
    monkeypatch.setattr(sandbox, "_wanted", standing[request.param])
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


BRIEF = {"endless loop": {"cpu_seconds": 1}, "sleeps for ever": {"wall_seconds": 1}}
MISBEHAVIOUR = {  # each bounded in itself: a wall that falls must not take the machine with it
    "endless loop": (
        "import time\nwhile time.process_time() < 20:\n try:\n  while time.process_time() < 20: pass\n"
        " except BaseException: pass",
        "out of cpu time",
    ),
    "sleeps for ever": ("import time; time.sleep(50)", "out of time"),
    "memory bomb": (
        "import time\na = []\nfor _ in range(12):\n a += [bytearray(b'x') * 10**8]\n time.sleep(0.05)\ntime.sleep(5)",
        "out of memory",
    ),
    "fork bomb": ("import os\nfor _ in range(5): os.fork()\nimport time; time.sleep(9)", "too many processes"),
    "flood of output": ("for _ in range(10**5): print('x' * 1000)", "too much output"),
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
    code, ended = MISBEHAVIOUR[what]
    outcome = attempt(code, replace(SMALL, **BRIEF.get(what, {})))
    assert outcome.ended == ended
    assert outcome.messages == [{"before": 1}]  # what was found before it is kept
    assert outcome.asked_for_input == (what == "input")
    assert outcome.output_bytes < 100_000_000  # what is written until the next look at it


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
    assert outcome.ended in ("finished", "raised", "exited", "killed", "lost")
    assert outcome.messages[:1] == [{"before": 1}] or outcome.ended == "lost"
    assert walls != "all" or outcome.ended == "raised"


def test_its_own_files_may_go_and_the_answer_still_comes():
    code = "import os, shutil; shutil.rmtree(os.getcwd(), ignore_errors=True); os.chdir('/')"
    assert attempt(code).messages == [{"before": 1}, {"after": 2}]


def refused(code, needs):
    """What became of code that must not get through; skipped where this machine has no such wall."""
    outcome = attempt(code)
    if needs not in outcome.walls:
        pytest.skip(f"this machine has not the wall {needs!r}: {missing(outcome.walls)}")
    assert outcome.messages == [{"before": 1}]
    return outcome


def test_all_walls_stand_on_this_machine_or_are_told_to_be_missing():
    outcome = attempt("")
    assert set(outcome.walls) <= set(WALLS)
    assert all(WALLS[wall] in missing(outcome.walls) for wall in set(WALLS) - set(outcome.walls))
    assert missing(tuple(WALLS)) == ""


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/passwd", "/proc/1/environ"])
def test_the_machine_s_files_cannot_be_read(path):
    assert refused(f"open({path!r}, 'rb').read()", "own files").error.type == "PermissionError"


@pytest.mark.parametrize(
    "how", ["open({!r}).read()", "open({!r}, 'w')", "import os; os.listdir(os.path.dirname({!r}))"]
)
def test_a_sibling_s_folder_can_be_neither_read_nor_written_nor_listed(how, tmp_path):
    theirs = tmp_path / "anna" / "td1.py"
    theirs.parent.mkdir()
    theirs.write_text("hers")
    assert refused(how.format(str(theirs)), "own files").error.type == "PermissionError"
    assert theirs.read_text() == "hers"


def test_the_sandbox_s_own_files_are_out_of_reach():
    refused("import pathlib\npathlib.Path('../messages').read_bytes()", "own files")
    refused("import pathlib\npathlib.Path('../request').read_bytes()", "own files")


@pytest.mark.parametrize("kind", ["AF_INET", "AF_INET6", "AF_UNIX"])
def test_there_is_no_network_and_no_socket_to_the_machine_s_own_programs(kind):
    outcome = refused(f"import socket\nsocket.socket(socket.{kind}, socket.SOCK_DGRAM)", "no network")
    assert outcome.error.type == "PermissionError"


def test_no_other_process_can_be_reached():
    code = f"import os, signal\nos.kill({os.getpid()}, 0)"
    assert refused(code, "own processes").error.type in ("ProcessLookupError", "PermissionError")


def test_privileges_do_not_come_back():
    refused("import os\nos.setuid(12345)" if os.geteuid() == 0 else "import os\nos.setuid(0)", "own files")
    refused("import os\nos.chown('job.py', 12345, 12345)", "own files")


def test_what_code_needs_is_there():
    code = """
import os, subprocess, sys, tempfile, random
import matplotlib.pyplot as plt, numpy as np, sklearn.linear_model
sklearn.linear_model.LinearRegression(n_jobs=2).fit(np.eye(3), np.ones(3))
tempfile.NamedTemporaryFile().write(os.urandom(3))
print(subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True).stdout)
"""
    outcome = attempt(code, Limits())
    assert (outcome.ended, outcome.output) == ("finished", "42\n\n")


THE_THEFT = """
import sys, gc
frame = sys._getframe()
seen = []
while frame is not None:
    seen.append(repr(frame.f_locals))
    frame = frame.f_back
seen += [repr(o) for o in gc.get_objects() if isinstance(o, dict | list | tuple | bytes) and len(o) < 1000]
secret = ("asked", "trials", "practical", "sandbox")
print("expected number" in "".join(seen), [m for m in sys.modules if m.endswith(secret)])
open({!r}).read()
"""


def test_walking_the_frames_finds_neither_the_truth_nor_a_classmate_s_file(tmp_path):
    theirs = tmp_path / "anna.py"
    theirs.write_text("hers")
    outcome = refused(THE_THEFT.format(str(theirs)), "own files")
    assert outcome.output.replace("True", "False") == "False []\n"  # its own source is in its frames
    assert outcome.error.type == "PermissionError"


@dataclass(frozen=True)
class Answer:
    name: str
    values: npt.NDArray[np.float64]
    line: int | None = None


def test_an_answer_forged_on_the_channel_is_not_taken():
    code = """
import os
for descriptor in range(3, 50):
    for text in (b'{"before": 100}\\n', bytes([0x92, 0xA4]) + b'dict' + bytes([0x81, 0xA6]) + b'before' + bytes([100])):
        try: os.write(descriptor, text)
        except OSError: pass
"""
    outcome = attempt(code)
    assert outcome.messages == [{"before": 1}, {"after": 2}]
    assert outcome.stray_bytes > 20


def test_an_answer_that_is_not_of_the_types_agreed_on_is_refused():
    job = b"""
from dataclasses import dataclass
import numpy as np
@dataclass
class Asked:
    number: int
class Answer: pass
def answer(kind, **fields):
    kind = type(kind, (), {"__annotations__": {field: object for field in fields}})
    return dataclass(kind)(**fields)
def main(request: Asked, send):
    z = np.arange(6.0).reshape(2, 3)[:, ::-1]
    send(answer("Answer", name="W", values=z, line=request.number))
    send(answer("Answer", name="W", values=z, line="7"))
    send(answer("Answer", name="W", values=z.astype("f4")))
    send(answer("Answer", name="W"))
    send(answer("Mark", name="2.7", values=z))
    send({"name": "W"})
"""
    outcome = run("job:main", {"number": 7}, {"job.py": job}, answers=(Answer,))
    (only,) = outcome.every(Answer)
    assert (only.name, only.line, outcome.refused) == ("W", 7, 5)
    np.testing.assert_array_equal(only.values, [[2, 1, 0], [5, 4, 3]])


def test_messages_are_found_between_rubbish_and_after_one_that_was_cut_off():
    key = bytes(range(16))
    good = [frame(Answer("a", np.eye(2)), key), frame(Answer("b", np.zeros((0, 3)), 5), key)]
    received = unframe(b"xx" + good[0] + b"rubbish" + good[0][:-5] + good[1] + good[0][:30], key, (Answer,))
    assert [(m.name, m.values.shape, m.line) for m in received.messages] == [("a", (2, 2), None), ("b", (0, 3), 5)]
    assert received.stray_bytes >= len(b"xx" + b"rubbish")


@pytest.mark.parametrize("value", [np.array([None]), np.array(["a"]), object(), {"a": 2**70}, [b"a", {1, 2, len}]])
def test_what_cannot_be_sent_is_said(value):
    with pytest.raises(MessageError, match="cannot be sent"):
        encode(value)


@pytest.mark.parametrize("dtype", ["O", "S3", "V8", "nonsense"])
def test_an_array_of_anything_but_numbers_is_refused(dtype):
    with pytest.raises(MessageError):
        decode(encode({"dtype": dtype, "shape": [1], "bytes": bytes(8)}), np.ndarray)


@pytest.mark.parametrize(("what", "why"), [("warden.py", "did not start"), ("sandboxed", "before it began")])
def test_a_sandbox_that_does_not_start_is_our_fault_and_said_to_be(what, why, monkeypatch, tmp_path):
    broken = tmp_path / "python.py"
    broken.write_text(f"""
import runpy, sys
if any(a.endswith({what!r}) for a in sys.argv): sys.exit("No module named 'spam'")
flags = [a for a in sys.argv[1:] if a in ("-I", "-S", "-P", "-s")]
sys.argv = [a for a in sys.argv[1:] if a not in flags]
if sys.argv[0] == "-m":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    runpy.run_path(sys.argv[0], run_name="__main__")
""")
    monkeypatch.setattr(sandbox, "_PYTHON", [sys.executable, str(broken)])
    monkeypatch.setattr(sandbox, "_wanted", ("own process",))
    with pytest.raises(SandboxError, match=f"no fault of the code.*{why}.*spam"):
        attempt("1 / 0")


AS_ON_WINDOWS = """
import os, runpy, subprocess, sys
if any(a.endswith("warden.py") for a in sys.argv): import psutil  # its own part for this system needs them
for name in ("resource", "fcntl", "pwd", "grp"): sys.modules[name] = None
for name in ("fork", "forkpty", "setsid", "unshare", "setns", "getuid", "geteuid", "wait"):
    if hasattr(os, name): delattr(os, name)
flags = [a for a in sys.argv[1:] if a in ("-I", "-S", "-P", "-s")]
sys.argv = [a for a in sys.argv[1:] if a not in flags]
if sys.argv[0] == "-m":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("door", ["check", "why"])
def test_both_doors_work_without_what_only_unix_has(door, monkeypatch, tmp_path):
    shim = tmp_path / "as_on_windows.py"
    shim.write_text(AS_ON_WINDOWS)
    (tmp_path / "theirs.py").write_text(
        "import numpy as np\nx = np.array([1.0, 2.0, 3.0, 4.0])\ny = 3 * x - 1\na, b = 0.3, 0.1\n"
        "for _ in range(50):\n    p = a * x + b\n    e = p - y\n    loss = (e ** 2).mean()\n"
        "    a = a + 0.01 * 2 * (e * x).mean()\n    b = b - 0.01 * 2 * e.mean()\n"
    )
    monkeypatch.setattr(sandbox, "_PYTHON", [sys.executable, str(shim)])
    monkeypatch.setattr(sandbox, "_wanted", ("own process",))
    outcomes, of_the_run = [], sandbox._outcome
    monkeypatch.setattr(sandbox, "_outcome", lambda *args: outcomes.append(of_the_run(*args)) or outcomes[-1])
    if door == "check":
        from byhand.diagnosis.check.file import check_file

        report = check_file(tmp_path / "theirs.py")
        found = report.findings
        assert any("without these walls" in note and "no network" in note for note in report.notes)
    else:
        from byhand.diagnosis.story.telling import why

        found = [told.finding for told in why(tmp_path / "theirs.py").chapters[0].told]
    assert [finding.id for finding in found][:1] == ["sign-flipped"]
    assert outcomes[0].walls == ("own process",)


def test_all_of_it_holds_for_an_ordinary_user():
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("this is not root: all tests here are an ordinary user's")
    if not all(shutil.which(program) for program in ("useradd", "userdel", "unshare", "setpriv")):
        pytest.skip("there is no useradd, unshare or setpriv")
    name = f"byhand-{uuid.uuid4().hex[:8]}"
    home = Path("/var/tmp", name)
    home.mkdir(mode=0o755)
    subprocess.run(["useradd", "--no-create-home", "--home-dir", home, name], check=True, capture_output=True)
    try:
        shutil.chown(home, name, name)
        answer = subprocess.run(
            [
                "unshare",
                "--mount",
                "sh",
                "-ec",
                _AS_A_USER,
                "sh",
                sys.base_prefix,
                name,
                home,
                sys.executable,
                __file__,
            ],
            capture_output=True,
            text=True,
        )
    finally:
        subprocess.run(["userdel", name], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)
    if answer.returncode == 77:
        pytest.skip(f"an ordinary user cannot run this Python: {answer.stderr[-300:]}")
    assert answer.returncode == 0, answer.stdout[-5000:] + answer.stderr[-2000:]
    assert " passed" in answer.stdout


# Python may be installed in root's home, which nobody else may enter: then it is shown without the rest of that home.
_AS_A_USER = """
prefix=$1 name=$2 home=$3 python=$4 tests=$5
if ! setpriv --reuid "$name" --regid "$name" --clear-groups test -x "$prefix/bin"; then
    mkdir "$home/python"
    mount --bind "$prefix" "$home/python" || exit 77
    top=/$(echo "$prefix" | cut -d/ -f2)
    mount -t tmpfs -o mode=755 none "$top" || exit 77
    mkdir -p "$prefix"
    mount --move "$home/python" "$prefix" || exit 77
fi
setpriv --reuid "$name" --regid "$name" --clear-groups test -r "$tests" || exit 77
cd "$home"
export HOME="$home" TMPDIR="$home" MPLCONFIGDIR="$home"
exec setpriv --reuid "$name" --regid "$name" --clear-groups \\
    "$python" -m pytest -q -p no:cacheprovider --noconftest "$tests" \\
    -k "all-memory or all-fork or all-full or all-sleeps or \\
machine or sibling or sandbox_s or network or reached or privileges or needs_is or frames or forged"
"""


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


def until(is_so):
    """Wait for what comes in an instant, also where that is long."""
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_so()


def test_a_caller_that_dies_takes_everything_with_it(walls, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    caller = os.fork()
    if caller == 0:
        attempt("import time; time.sleep(100)")
        os._exit(0)
    until(lambda: any(messages.stat().st_size for messages in tmp_path.glob("*/messages")))
    os.kill(caller, 9)
    os.waitpid(caller, 0)
    until(lambda: not any(tmp_path.iterdir()))  # then the fixture looks for processes


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
