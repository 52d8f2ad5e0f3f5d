"""The warden: runs one command, watches it, ends it where it goes beyond its limits, and leaves no process behind.

A program of its own, the same on every system: `sandbox` writes its orders to stdin as one line of JSON and reads what
becomes of them from stdout, a line each: that it has begun, and the report. When stdin closes, the caller is gone, and
so is everything here, the folder too. Where there is a Unix, `walls.py` stands between the warden and the command.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil

_LOOK, _DISK_LOOK = 0.04, 0.5  # seconds from one look to the next, at least
_SHARE = 20  # of the time, the looks take one part in so many
_GRACE = 5.0  # seconds for the killed to go
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


def main() -> None:
    """Obey the orders on stdin; report on stdout."""
    orders = json.loads(sys.stdin.buffer.readline())
    _say({"begun": True})
    try:
        report = Watch(orders).run()
    except OSError as error:
        report = {"failed": f"{type(error).__name__}: {error}"}
    _say(report)
    os._exit(0)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(what).encode() + b"\n")
    sys.stdout.buffer.flush()


class Watch:
    """One command, from beginning to end."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.orders = orders
        self.limits = orders["limits"]
        self.walls = ["own process"]
        self.keeper = 0
        self.failed = ""
        self.end = threading.Lock()  # who has it ends this process, with its folder or without
        self.exit_code: int | None = None
        self.cpu_seconds = 0.0
        self.peak_memory_mb = 0.0
        self.most_processes = 0
        self.something = threading.Event()

    def run(self) -> dict[str, Any]:
        """Run the command to its end, or to a limit; kill what is left; tell how it went."""
        threading.Thread(target=self._end_with_the_caller, daemon=True).start()
        self._start()
        ended = self._watch()
        left_behind = len(self._every()) if self.exit_code is not None else 0
        self._kill_all()
        for stream in (self.messages, self.output):
            stream.join(_GRACE)
        self.end.acquire()
        self.output.keep(Path(self.orders["output"]))
        killed_by = self._killed_by()
        if ended == "exited" and killed_by:
            ended = "out of cpu time" if self._cpu_used_up(killed_by) else "killed"
        return {
            "failed": self.failed,
            "ended": ended,
            "signal": killed_by if ended == "killed" else 0,
            "output_bytes": self.output.size,
            "cpu_seconds": self.cpu_seconds,
            "peak_memory_mb": self.peak_memory_mb,
            "most_processes": self.most_processes,
            "left_behind": left_behind,
            "walls": self.walls,
        }

    def _start(self) -> None:
        options: dict[str, Any] = {}
        command = self.orders["command"]
        told = None
        if os.name == "posix":
            options["start_new_session"] = True
        else:
            options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW  # type: ignore[attr-defined,unused-ignore]
        if "limits" in self.orders["walls"]:
            told, tells = os.pipe()
            limits = {**self.limits, "threads": self.limits["processes"] + 64, "others": _threads_of_the_user()}
            command = [*self.orders["keeper"], json.dumps({**self.orders, "limits": limits}), str(tells)]
            options["pass_fds"] = (tells,)
        with Path(self.orders["request"]).open("rb") as request:
            self.child = subprocess.Popen(
                command,
                stdin=request,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.orders["work"],
                env=self.orders["environment"],
                **options,
            )
        assert self.child.stdout is not None
        assert self.child.stderr is not None
        self.messages = _ToFile(
            self.child.stdout, Path(self.orders["messages"]), self.limits["answer_mb"], self.something.set
        )
        self.output = _Kept(self.child.stderr, self.orders["kept_output"], self.limits["output_mb"], self.something.set)
        if told is not None:
            os.close(tells)
        threading.Thread(target=self._await_end, args=(told,), daemon=True).start()

    def _await_end(self, told: int | None) -> None:
        """Note what the keeper tells, or how the command ended where there is no keeper."""
        if told is None:
            self.exit_code = self.child.wait()
        else:
            with open(told, encoding="utf-8") as lines:  # noqa: PTH123
                for line in lines:
                    match json.loads(line):
                        case {"keeper": keeper}:
                            self.keeper = keeper
                        case {"walls": walls}:
                            self.walls += walls
                        case {"failed": failed}:
                            self.failed = failed
                        case {"ended": ended, "cpu_seconds": used}:
                            self.exit_code, self.cpu_seconds = ended, max(used, self.cpu_seconds)
                            self.something.set()
        self.something.set()

    def _end_with_the_caller(self) -> None:
        """Wait until stdin closes; a caller that is gone before it had the report reads its folder no more."""
        os.read(sys.stdin.fileno(), 1)
        with self.end:
            self._kill_all()
            shutil.rmtree(Path(self.orders["work"]).parent, ignore_errors=True)
            os._exit(1)

    def _watch(self) -> str:
        deadline = time.monotonic() + self.limits["wall_seconds"]
        pause, next_disk = _LOOK, 0.0
        while True:
            self.something.wait(pause)
            before = time.monotonic()
            if self.output.overflown or self.messages.overflown:
                return "too much output"
            if self.something.is_set():
                return "exited" if self.exit_code is not None else "lost"
            if breach := self._look():
                return breach
            if before > deadline:
                return "out of time"
            if before >= next_disk:
                if _size(self.orders["work"]) > self.limits["disk_mb"] * 1_000_000:
                    return "too much disk"
                next_disk = time.monotonic() + _DISK_LOOK
            pause = max(_LOOK, _SHARE * (time.monotonic() - before))

    def _look(self) -> str:
        theirs = self._theirs()
        memory = [_memory_mb(process) for process in theirs]
        self.most_processes = max(self.most_processes, len(theirs))
        self.peak_memory_mb = max(self.peak_memory_mb, sum(memory))
        self.cpu_seconds = max(self.cpu_seconds, sum(map(_cpu_seconds, theirs)))
        if len(theirs) > self.limits["processes"]:
            return "too many processes"
        if max(memory, default=0) > self.limits["memory_mb"] or sum(memory) > 2 * self.limits["memory_mb"]:
            return "out of memory"
        return "out of cpu time" if self.cpu_seconds > self.limits["cpu_seconds"] + 1 else ""

    def _theirs(self) -> list[psutil.Process]:
        """The processes that the command is, and has started, as far as they live and can be found."""
        try:
            child = psutil.Process(self.child.pid)
            every = child.children(recursive=True)
        except _GONE:
            return []
        if "limits" not in self.orders["walls"]:
            every.append(child)
        return [process for process in every if process.pid != self.keeper and _is_alive(process)]

    def _every(self) -> list[psutil.Process]:
        """All of `_theirs`, and where they cannot be kept together those, too, that carry the mark of this run."""
        theirs = self._theirs()
        if "own processes" in self.walls:
            return theirs
        name, mark = self.orders["mark"], self.orders["environment"][self.orders["mark"]]
        strays = []
        for process in psutil.process_iter():
            with contextlib.suppress(*_GONE, OSError):
                if process.pid != self.child.pid and process.environ().get(name) == mark:
                    strays.append(process)
        return [p for p in {*theirs, *strays} if p.pid != self.keeper and _is_alive(p)]

    def _kill_all(self) -> None:
        """Kill every process of theirs, until none is left: with a namespace all at once."""
        if not hasattr(self, "child"):
            return
        deadline = time.monotonic() + _GRACE
        if self.keeper and "own processes" in self.walls:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(self.keeper).kill()
        else:
            while (theirs := self._every()) and time.monotonic() < deadline:
                for act in (psutil.Process.suspend, psutil.Process.kill):  # so that none can start another meanwhile
                    for process in theirs:
                        with contextlib.suppress(*_GONE):
                            act(process)
                time.sleep(0.01)
            if self.keeper:
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.Process(self.keeper).kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(0.2)
        self.child.kill()
        self.child.wait()

    def _cpu_used_up(self, killed_by: int) -> bool:
        """Whether it was the system's limit that killed it: first with one signal, a second later with the other."""
        if killed_by == getattr(signal, "SIGXCPU", None):
            return True
        return killed_by == getattr(signal, "SIGKILL", None) and self.cpu_seconds >= self.limits["cpu_seconds"]

    def _killed_by(self) -> int:
        """The signal that ended the command; on Windows the number of the fault."""
        code = self.exit_code or 0
        return -code if code < 0 else code if code >= 0xC0000000 else 0


class _Stream(threading.Thread):
    """Takes what comes through a pipe; `told` when it is more than its limit."""

    def __init__(self, pipe: IO[bytes], limit_mb: int, told: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.pipe, self.limit, self.told = pipe, limit_mb * 1_000_000, told
        self.size = 0
        self.start()

    @property
    def overflown(self) -> bool:
        return self.size > self.limit

    def run(self) -> None:
        while part := os.read(self.pipe.fileno(), 1 << 16):
            self.size += len(part)
            if self.overflown:
                self.told()
            self.take(part)

    def take(self, part: bytes) -> None:
        raise NotImplementedError


class _ToFile(_Stream):
    """Writes it to a file, as far as the limit."""

    def __init__(self, pipe: IO[bytes], path: Path, limit_mb: int, told: Callable[[], object]) -> None:
        self.file = path.open("wb", buffering=0)
        super().__init__(pipe, limit_mb, told)

    def take(self, part: bytes) -> None:
        if not self.overflown:
            self.file.write(part)


class _Kept(_Stream):
    """Keeps the beginning and the end."""

    def __init__(self, pipe: IO[bytes], kept: int, limit_mb: int, told: Callable[[], object]) -> None:
        self.kept, self.head, self.tail = kept, b"", b""
        super().__init__(pipe, limit_mb, told)

    def take(self, part: bytes) -> None:
        room = self.kept - len(self.head)
        self.head += part[:room]
        self.tail = (self.tail + part[room:])[-self.kept :]

    def keep(self, path: Path) -> None:
        left_out = self.size - len(self.head) - len(self.tail)
        gap = f"\n… {left_out} bytes left out …\n".encode() if left_out > 0 else b""
        path.write_bytes(self.head + gap + self.tail)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD))
    except _GONE:
        return False


def _memory_mb(process: psutil.Process) -> float:
    try:
        used = process.memory_info()
        return float(getattr(used, "private", used.rss)) / 1e6
    except _GONE:
        return 0.0


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:4]))  # its own and its ended children's
    except _GONE:
        return 0.0


def _threads_of_the_user() -> int:
    user = os.getuid()
    if user == 0:
        return 0  # root is never counted
    return sum(
        process.info["num_threads"] or 0
        for process in psutil.process_iter(["uids", "num_threads"])
        if process.info["uids"] and process.info["uids"].real == user
    )


def _size(folder: str) -> int:
    """The bytes below a folder; a great number of files counts as a great size."""
    total = files = 0
    for root, _, names in os.walk(folder):
        for name in names:
            files += 1
            try:
                total += Path(root, name).lstat().st_size
            except OSError:
                continue
            if files > 20_000:
                return 1 << 62
    return total


if __name__ == "__main__":
    main()
