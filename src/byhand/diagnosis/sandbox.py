"""Running other people's code, so that whatever it does, the caller lives and gets an answer.

    outcome = run("module:function", arguments, files, answers=(Answer,), limits=Limits(cpu_seconds=30))

Up to four processes: the caller; the warden (`warden.py`), which watches and clears up; on a Unix the keeper
(`walls.py`), which puts up the walls; and the prisoner (`sandboxed.py`), which runs a job of ours that in turn runs
their code. What the job finds out comes back as messages (`messages.py`), so that what it had found before it was
killed is kept. The job is told nothing that could be of use to a cheat: the truth stays with the caller.

The walls depend on the machine; `Outcome.walls` tells which stood. They hold against accidents and pranks. They are no
security boundary: on one kernel somebody who means harm can find a way out, and in the prisoner's own process nothing
is hidden from their code, nor safe from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from byhand.diagnosis.messages import (
    KEY_BYTES,
    OF_THE_SANDBOX,
    AskedForInput,
    Finished,
    Raised,
    Started,
    encode,
    unframe,
)
from byhand.errors import ByhandError, needs_extra

with needs_extra("check"):
    import psutil

_HERE = Path(__file__).parent
_KEPT_OUTPUT = 100_000
_MARK = "BYHAND_SANDBOX"
_PYTHON: list[str] = [sys.executable]

Wall = Literal["own process", "limits", "own processes", "own files", "no network"]

WALLS: dict[Wall, str] = {
    "own process": "a process of its own, whose time, memory, output and children are watched",
    "limits": "the system's own limits on its memory, files and processes",
    "own processes": "no other process in sight or in reach",
    "own files": "no file but Python, its libraries and the own folder",
    "no network": "no network",
}
"""What each wall does."""

_wanted: tuple[Wall, ...] = tuple(WALLS) if os.name == "posix" else ("own process",)

_Message = TypeVar("_Message")


class SandboxError(ByhandError):
    """The sandbox failed, before any of their code ran: whatever it is, it is not their fault."""


@dataclass(frozen=True)
class Limits:
    """How much the code may use; what goes beyond is stopped.

    Attributes
    ----------
    cpu_seconds : int
        Of the processor, for all its processes together: the budget, the same on a busy machine.
    wall_seconds : float
        By the clock: only ends what sleeps or waits for ever, so let it be long.
    memory_mb : int
        Address space of each process (where the system has no such limit, its memory), and twice as much memory for
        all together.
    file_mb, disk_mb : int
        One file; and all files in the folder.
    open_files, processes : int
        Files open in a process; processes at a time.
    output_mb, answer_mb : int
        What is printed, of which the first and the last 100 kB are kept; and what the job sends.
    """

    cpu_seconds: int = 60
    wall_seconds: float = 300.0
    memory_mb: int = 2048
    file_mb: int = 64
    disk_mb: int = 256
    open_files: int = 256
    processes: int = 24
    output_mb: int = 32
    answer_mb: int = 512


Ending = Literal[
    "finished",
    "raised",
    "exited",
    "out of cpu time",
    "out of time",
    "out of memory",
    "too many processes",
    "too much output",
    "too much disk",
    "killed",
    "lost",
]


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and what came back.

    Attributes
    ----------
    ended : str
        "finished"; "raised" (an exception left the job, see `error`); "exited" (`sys.exit`, `os._exit`, in the
        middle); one of the limits: "out of cpu time", "out of time" (by the clock), "out of memory", "too many
        processes", "too much output", "too much disk"; "killed" (by a signal, see `signal`); "lost" (the warden itself
        was killed, by whomever).
    messages : list
        What the job sent, in order, up to the end however it came, each verified to be one of `answers`.
    error : Raised or None
        The exception.
    output : str
        What was printed, on stdout and stderr; the middle is left out when it is long.
    output_bytes : int
        How much was printed.
    figures : tuple of bytes
        The figures, as PNG files, in the order in which they were shown.
    seconds, cpu_seconds : float
        By the clock, with starting and clearing up; and of the processor, for all processes.
    peak_memory_mb : float
        Of all processes together.
    most_processes : int
        At a time.
    left_behind : int
        Processes that were still running when the job had ended; they are gone now.
    asked_for_input : bool
        Whether `input()` was called (it raises EOFError).
    refused, stray_bytes : int
        Messages that were none of `answers`, and bytes on their way that belong to no message: somebody else than the
        job wrote there.
    walls : tuple of str
        Which of `WALLS` stood.
    signal : int
        The signal's number when `ended` is "killed", else 0.
    """

    ended: Ending
    messages: list[Any] = field(default_factory=list)
    error: Raised | None = None
    output: str = ""
    output_bytes: int = 0
    figures: tuple[bytes, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    most_processes: int = 0
    left_behind: int = 0
    asked_for_input: bool = False
    refused: int = 0
    stray_bytes: int = 0
    walls: tuple[Wall, ...] = ()
    signal: int = 0

    def every(self, kind: type[_Message]) -> list[_Message]:
        """The messages of one kind."""
        return [message for message in self.messages if isinstance(message, kind)]


def missing(walls: Sequence[Wall]) -> str:
    """What did not hold, as a sentence; empty when all walls stood."""
    lacking = [what for wall, what in WALLS.items() if wall not in walls]
    return f"on this system the code ran without these walls: {'; '.join(lacking)}" if lacking else ""


def run(
    job: str,
    arguments: Any,
    files: Mapping[str, bytes] | None = None,
    *,
    answers: Sequence[type] = (dict,),
    limits: Limits | None = None,
    figures: bool = False,
) -> Outcome:
    """Run a job in a process of its own, in a fresh folder, behind walls.

    Parameters
    ----------
    job : str
        "module:function"; the function is called with the arguments and with `send`, which takes one of `answers`. It
        runs other people's code; it decides nothing.
    arguments
        What the job is told: whatever `messages.encode` takes; it arrives as the type with which the function
        annotates its first parameter.
    files : mapping from name to bytes, optional
        What lies in the fresh folder, which is the current one. Names may have folders in them, but not lead out.
    answers : sequence of types, optional
        The dataclasses that the job may send.
    limits : Limits, optional
    figures : bool
        Keep the figures that are shown with matplotlib.

    Returns
    -------
    Outcome
        Whatever their code did. All processes that it started are gone.

    Raises
    ------
    SandboxError
        When it ended before any of their code ran: a fault of ours, or of the machine.
    """
    started = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="byhand-")).resolve()
    try:
        return _run(home, job, arguments, files or {}, answers, limits or Limits(), figures, started)
    finally:
        _remove(home)


def _run(
    home: Path,
    job: str,
    arguments: Any,
    files: Mapping[str, bytes],
    answers: Sequence[type],
    limits: Limits,
    figures: bool,
    started: float,
) -> Outcome:
    work = home / "work"
    work.mkdir()
    _lay_out(work, files)
    mark, key = secrets.token_hex(8), secrets.token_bytes(KEY_BYTES)
    (home / "request").write_bytes(key + encode(arguments))
    (home / "messages").touch()
    readable, listable = _libraries()
    alone = [] if site.ENABLE_USER_SITE else ["-s"]
    report = _guard(
        {
            "command": [*_PYTHON, *alone, "-P", "-m", "byhand.diagnosis.sandboxed", job],
            "keeper": [*_PYTHON, "-I", "-S", str(_HERE / "walls.py")],
            "environment": _environment(work, mark, figures),
            "mark": _MARK,
            "work": str(work),
            "request": str(home / "request"),
            "messages": str(home / "messages"),
            "output": str(home / "output"),
            "kept_output": _KEPT_OUTPUT,
            "limits": asdict(limits),
            "walls": list(_wanted),
            "readable": readable,
            "listable": listable,
        }
    )
    if not report:
        _sweep(mark)
    return _outcome(home, report, key, answers, time.monotonic() - started)


def _lay_out(work: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = (work / name).resolve()
        if not path.is_relative_to(work):
            raise ByhandError(f"the file name {name!r} leads out of the folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _libraries() -> tuple[list[str], list[str]]:
    """What the code may read of this machine besides the system's own: Python and its libraries; and may list."""
    package = _HERE.parent
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    places = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, *site.getsitepackages(), *user}
    return [*sorted(places), str(package)], [str(package.parent)]


def _environment(work: Path, mark: str, figures: bool) -> dict[str, str]:
    settings = work / ".matplotlib"
    settings.mkdir()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    for fonts in cache.glob("fontlist-*.json"):  # finding all fonts anew would take seconds
        shutil.copy(fonts, settings)
    threads = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    return {
        **_bare_environment(),
        **dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(work)),
        **dict.fromkeys(("USER", "LOGNAME", "USERNAME"), "student"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_HERE.parents[1]),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "JOBLIB_MULTIPROCESSING": "0",  # it needs shared memory, and would complain
        "MPLBACKEND": "module://byhand.diagnosis.plots",
        "MPLCONFIGDIR": str(settings),
        "BYHAND_FIGURES": str(work / ".figures") if figures else "",
        _MARK: mark,
        **{f"{library}_NUM_THREADS": "1" for library in threads},
    }


def _bare_environment() -> dict[str, str]:
    """What no program can do without."""
    needed = {name: os.environ[name] for name in ("SYSTEMROOT", "WINDIR") if name in os.environ}
    return {"PATH": os.environ.get("PATH", os.defpath), **needed}


def _guard(orders: dict[str, Any]) -> dict[str, Any]:
    """Start the warden, and wait for its report; an empty one when it was killed before it could give one.

    Raises
    ------
    SandboxError
        When it did not begin.
    """
    with tempfile.TemporaryFile() as complaints:
        try:
            warden = subprocess.Popen(
                [*_PYTHON, "-I", str(_HERE / "warden.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
                env=_bare_environment(),
            )
        except OSError as error:
            raise _ours(f"the program that watches could not be started ({error})") from error
        assert warden.stdin is not None
        assert warden.stdout is not None
        try:
            # The pipe stays open while we live: when it closes, the warden clears up and goes.
            with contextlib.suppress(OSError):
                warden.stdin.write(json.dumps(orders).encode() + b"\n")
                warden.stdin.flush()
            begun = warden.stdout.readline()
            text = warden.stdout.readline()
        finally:
            with contextlib.suppress(OSError):
                warden.stdin.close()
            warden.stdout.close()
            warden.wait()
        complaints.seek(0)
        reason = complaints.read()[-2000:].decode(errors="replace").strip().rpartition("\n")[2]
    if not begun:
        raise _ours(f"the program that watches did not start ({reason or f'exit code {warden.returncode}'})")
    report: dict[str, Any] = json.loads(text) if text.endswith(b"\n") else {}
    if report.get("failed"):
        raise _ours(f"a wall could not be put up ({report['failed']})")
    return report


def _ours(what: str) -> SandboxError:
    return SandboxError(f"nothing was run, which is no fault of the code: {what}")


def _sweep(mark: str) -> None:
    """Kill every process that carries the mark in its environment: nobody else does when the warden was killed."""
    for _ in range(50):
        found = False
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(_MARK) == mark:
                    found = True
                    process.kill()
        if not found:
            return
        time.sleep(0.02)


def _outcome(home: Path, report: dict[str, Any], key: bytes, answers: Sequence[type], seconds: float) -> Outcome:
    received = unframe((home / "messages").read_bytes(), key, (*OF_THE_SANDBOX, *answers))
    output = (home / "output").read_text(encoding="utf-8", errors="replace") if report else ""
    news = {type(message): message for message in received.messages if isinstance(message, OF_THE_SANDBOX)}
    error = next((message for message in received.messages if isinstance(message, Raised)), None)
    if Started not in news and report:
        last = error.message if error else output.strip().rpartition("\n")[2]
        raise _ours(f"the job ended before it began: {report['ended']} ({last})")
    ended: Ending = report.get("ended", "lost")
    if ended == "exited" and Finished in news:
        ended = "finished"
    elif ended == "exited" and error:
        ended = {"MemoryError": "out of memory", "SystemExit": "exited"}.get(error.type, "raised")  # type: ignore[assignment]
    return Outcome(
        ended,
        [message for message in received.messages if not isinstance(message, OF_THE_SANDBOX)],
        error,
        output,
        report.get("output_bytes", 0),
        tuple(path.read_bytes() for path in sorted((home / "work" / ".figures").glob("*.png"))[:50]),
        seconds,
        report.get("cpu_seconds", 0.0),
        report.get("peak_memory_mb", 0.0),
        report.get("most_processes", 0),
        report.get("left_behind", 0),
        AskedForInput in news,
        received.refused,
        received.stray_bytes,
        tuple(report.get("walls", ())),
        report.get("signal", 0),
    )


def _remove(folder: Path) -> None:
    """Remove the folder, also when their code took away the permission to."""

    def mend(function: Any, path: str, error: BaseException) -> None:
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)
            function(path)

    if sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=mend)
    else:
        shutil.rmtree(folder, onerror=lambda function, path, info: mend(function, path, info[1]))
    shutil.rmtree(folder, ignore_errors=True)
