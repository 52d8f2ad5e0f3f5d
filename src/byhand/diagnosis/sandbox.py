"""Running other people's code, so that whatever it does, the caller lives and gets an answer.

Three processes: the caller; a warden (`warden.py`), which puts up the walls, watches, and clears up; and the
prisoner (`sandboxed.py`), which runs a job of ours that in turn runs their code. What the job finds out comes back
as JSON lines, so that what it had found before it was killed is kept.

The walls depend on the machine; `Outcome.walls` tells which stood. They hold against accidents and pranks. They are
no security boundary: on one kernel, under one user, somebody who means harm can find a way out.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from byhand.errors import ByhandError

_HERE = Path(__file__).parent
_KEPT_OUTPUT = 100_000
_MARK = "BYHAND_SANDBOX"
_NAMESPACES = True  # tests look at what holds without them


@dataclass(frozen=True)
class Limits:
    """How much the code may use; what goes beyond is stopped.

    Attributes
    ----------
    wall_seconds, cpu_seconds : float
        By the clock; and of the processor, for each process.
    memory_mb : int
        Address space of each process, and twice as much in memory for all together.
    file_mb, disk_mb : int
        One file; and all files in the folder.
    open_files, processes : int
        Files open in a process; processes at a time.
    output_mb : int
        What is printed. The first and the last 100 kB are kept.
    """

    wall_seconds: float = 20.0
    cpu_seconds: int = 60
    memory_mb: int = 2048
    file_mb: int = 64
    disk_mb: int = 256
    open_files: int = 256
    processes: int = 24
    output_mb: int = 32


Ending = Literal[
    "finished",
    "raised",
    "exited",
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
        middle); one of the limits: "out of time", "out of memory", "too many processes", "too much output",
        "too much disk"; "killed" (by a signal, see `signal`); "lost" (the warden itself was killed).
    messages : list of dict
        What the job sent, in order, up to the end however it came.
    error : dict or None
        "type", "message" and "traceback" of the exception.
    output : str
        What was printed, on stdout and stderr; the middle is left out when it is long.
    output_bytes : int
        How much was printed.
    figures : tuple of bytes
        The figures, as PNG files, in the order in which they were shown.
    seconds : float
        By the clock, with starting and clearing up.
    peak_memory_mb : float
        Of all processes together.
    most_processes : int
        At a time.
    left_behind : int
        Processes that were still running when the job had ended; they are gone now.
    asked_for_input : bool
        Whether `input()` was called (it raises EOFError).
    walls : tuple of str
        Which walls stood: "own process group" and "limits" on every Unix; with Linux namespaces also "own
        processes", "own network", "read-only files".
    signal : int
        The signal's number when `ended` is "killed", else 0.
    """

    ended: Ending
    messages: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, str] | None = None
    output: str = ""
    output_bytes: int = 0
    figures: tuple[bytes, ...] = ()
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    most_processes: int = 0
    left_behind: int = 0
    asked_for_input: bool = False
    walls: tuple[str, ...] = ()
    signal: int = 0


def run(
    job: str,
    request: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
    *,
    limits: Limits | None = None,
    figures: bool = False,
) -> Outcome:
    """Run a job in a process of its own, in a fresh folder, behind walls.

    Parameters
    ----------
    job : str
        "module:function"; the function is called with the request and with `send`, which takes a dict that JSON
        can hold (arrays: see `sandboxed.pack`). It runs other people's code; it decides nothing.
    request : mapping
        What the job is told; of JSON values.
    files : mapping from name to bytes, optional
        What lies in the fresh folder, which is the current one. Names may have folders in them, but not lead out.
    limits : Limits, optional
    figures : bool
        Keep the figures that are shown with matplotlib.

    Returns
    -------
    Outcome
        Always, whatever the code did. All processes that it started are gone.

    Raises
    ------
    ByhandError
        On a system without processes as Unix has them.
    """
    if os.name != "posix":
        raise ByhandError("running other people's code needs Linux or macOS; on Windows, use WSL")
    started = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="byhand-"))
    try:
        return _run(home, job, request, files or {}, limits or Limits(), figures, started)
    finally:
        _remove(home)


def _run(
    home: Path,
    job: str,
    request: Mapping[str, Any],
    files: Mapping[str, bytes],
    limits: Limits,
    figures: bool,
    started: float,
) -> Outcome:
    work = home / "work"
    work.mkdir()
    _lay_out(work, files)
    (home / "request.json").write_text(json.dumps(request), encoding="utf-8")
    messages = home / "messages.jsonl"
    mark = secrets.token_hex(8)
    descriptor = os.open(messages, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        command = [sys.executable, "-s", "-P", "-m", "byhand.diagnosis.sandboxed"]
        orders = {
            "command": [*command, str(descriptor), str(home / "request.json"), job],
            "environment": _environment(work, mark, figures),
            "work": str(work),
            "messages": descriptor,
            "output": str(home / "output"),
            "kept_output": _KEPT_OUTPUT,
            "limits": asdict(limits),
            "namespaces": _NAMESPACES,
        }
        report = _guard(orders, descriptor)
    finally:
        os.close(descriptor)
    if report is None or "own processes" not in report["walls"]:
        _sweep(mark)
    return _outcome(home, report, messages, time.monotonic() - started)


def _lay_out(work: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = (work / name).resolve()
        if not path.is_relative_to(work.resolve()):
            raise ByhandError(f"the file name {name!r} leads out of the folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _environment(work: Path, mark: str, figures: bool) -> dict[str, str]:
    settings = work / ".matplotlib"
    settings.mkdir()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    for fonts in cache.glob("fontlist-*.json"):  # finding all fonts anew would take seconds
        shutil.copy(fonts, settings)
    threads = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(work),
        "TMPDIR": str(work),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_HERE.parents[1]),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "MPLBACKEND": "module://byhand.diagnosis.plots",
        "MPLCONFIGDIR": str(settings),
        "BYHAND_FIGURES": str(work / ".figures") if figures else "",
        _MARK: mark,
        **{f"{library}_NUM_THREADS": "1" for library in threads},
    }


def _guard(orders: dict[str, Any], descriptor: int) -> dict[str, Any] | None:
    """Start the warden, wait for its report; None when it was killed before it could give one."""
    warden = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_HERE / "warden.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        start_new_session=True,
        env={"PATH": os.environ.get("PATH", os.defpath)},
    )
    assert warden.stdin is not None
    assert warden.stdout is not None
    try:
        # The pipe stays open while we live: when it closes, the warden clears up and goes.
        with contextlib.suppress(BrokenPipeError):
            warden.stdin.write(json.dumps(orders).encode() + b"\n")
            warden.stdin.flush()
        text = warden.stdout.read()
    finally:
        with contextlib.suppress(BrokenPipeError):
            warden.stdin.close()
        warden.stdout.close()
        warden.wait()
    try:
        report = json.loads(text)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def _sweep(mark: str) -> None:
    """Kill every process that carries the mark in its environment: for systems without process namespaces."""
    wanted = f"{_MARK}={mark}".encode()
    for _ in range(50):
        found = False
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if wanted in entry.read_bytes():
                    found = True
                    os.kill(int(entry.parent.name), signal.SIGKILL)
        if not found:
            return
        time.sleep(0.02)


def _outcome(home: Path, report: dict[str, Any] | None, messages: Path, seconds: float) -> Outcome:
    sent: list[dict[str, Any]] = []
    error = None
    finished = asked = False
    for line in messages.read_bytes().splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue  # cut off in the middle, or written by their code
        if not isinstance(message, dict):
            continue
        match message.get("sandbox"):
            case None:
                sent.append(message)
            case "finished":
                finished = True
            case "raised":
                error = message["error"]
            case "input":
                asked = True
    if report is None:
        return Outcome("lost", sent, error, seconds=seconds, asked_for_input=asked)
    ended: Ending = report["ended"]
    if ended == "exited" and finished:
        ended = "finished"
    elif ended == "exited" and error:
        ended = {"MemoryError": "out of memory", "SystemExit": "exited"}.get(error["type"], "raised")  # type: ignore[assignment]
    return Outcome(
        ended,
        sent,
        error,
        (home / "output").read_text(encoding="utf-8", errors="replace"),
        report["output_bytes"],
        tuple(path.read_bytes() for path in sorted((home / "work" / ".figures").glob("*.png"))[:50]),
        seconds,
        report["peak_memory_mb"],
        report["most_processes"],
        report["left_behind"],
        asked,
        tuple(report["walls"]),
        report["signal"],
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
