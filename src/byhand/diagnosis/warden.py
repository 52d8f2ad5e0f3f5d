"""The warden: puts up the walls, runs one command behind them, watches it, and leaves no process behind.

A program of its own (standard library only, so that it starts at once): `sandbox` writes its orders to stdin as one
line of JSON and reads its report from stdout. When stdin closes, the caller is gone, and so is everything here.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

_TICK = 0.02
_TELLING = 0.5  # seconds between two looks at the disk

# From the kernel's headers: sched.h, mount.h, prctl.h, capability.h.
_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_NOSUID_NODEV_NOEXEC = 0x2 | 0x4 | 0x8
_SET_DEATH_SIGNAL, _DROP_FROM_BOUNDING_SET, _SET_SUBREAPER, _NO_NEW_PRIVILEGES = 1, 24, 36, 38
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 0x1
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_linux = sys.platform == "linux"


def main() -> None:
    """Obey the orders on stdin; report on stdout."""
    orders = json.loads(_first_line(0))
    report = Guard(orders).run()
    os.write(1, json.dumps(report).encode())


def _first_line(descriptor: int) -> bytes:
    text = b""
    while not text.endswith(b"\n"):
        part = os.read(descriptor, 65536)
        if not part:
            os._exit(1)
        text += part
    return text


class Guard:
    """One command, watched from beginning to end."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.orders = orders
        self.limits = orders["limits"]
        self.walls = ["own process group", "limits"]
        self.output_bytes = 0
        self.head = b""
        self.tail = b""
        self.peak_memory_mb = 0.0
        self.most_processes = 0

    def run(self) -> dict[str, Any]:
        """Run the command to its end, or to a limit; kill what is left; tell how it went."""
        if _linux:
            _libc.prctl(_SET_SUBREAPER, 1, 0, 0, 0)
        if self.orders["namespaces"] and _new_processes():
            self.walls.append("own processes")
        self.output, output_in = os.pipe()
        self.status, status_in = os.pipe()
        wall_reader, wall_writer = os.pipe()
        self.keeper = os.fork()
        if self.keeper == 0:
            try:
                for descriptor in (self.output, self.status, wall_reader):
                    os.close(descriptor)
                _keep(self.orders, output_in, status_in, wall_writer)
            finally:
                os._exit(1)
        for descriptor in (output_in, status_in, wall_writer):
            os.close(descriptor)
        self.walls += os.read(wall_reader, 1000).decode().splitlines()
        os.set_blocking(self.output, False)
        ended, status = self._watch()
        own_end = status is not None
        left_behind = sum(_state(p) not in "ZX" for p in self._theirs()) if own_end else 0
        self._kill_all()
        self._drain()
        self._keep_output()
        killed_by = os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else 0
        if killed_by == signal.SIGXCPU or (killed_by == signal.SIGKILL and self._cpu_used_up()):
            ended, killed_by = "out of time", 0
        elif killed_by:
            ended = "killed"
        return {
            "ended": ended,
            "signal": killed_by,
            "output_bytes": self.output_bytes,
            "peak_memory_mb": self.peak_memory_mb,
            "most_processes": self.most_processes,
            "left_behind": left_behind,
            "walls": self.walls,
        }

    def _watch(self) -> tuple[str, int | None]:
        deadline = time.monotonic() + self.limits["wall_seconds"]
        next_look = next_disk = 0.0
        while True:
            ready, _, _ = select.select([0, self.output, self.status], [], [], _TICK)
            if 0 in ready and not os.read(0, 1):  # the caller is gone
                self._kill_all()
                os._exit(1)
            if self.output in ready and not self._drain():
                time.sleep(_TICK)
            now = time.monotonic()
            if self.status in ready:
                text = os.read(self.status, 100)
                return "exited", int(text) if text else None
            if now > deadline:
                return "out of time", None
            if self.output_bytes > self.limits["output_mb"] * 1_000_000:
                return "too much output", None
            if now >= next_look:
                next_look = now + _TICK
                if breach := self._count():
                    return breach, None
            if now >= next_disk:
                next_disk = now + _TELLING
                if _size(self.orders["work"]) > self.limits["disk_mb"] * 1_000_000:
                    return "too much disk", None

    def _count(self) -> str:
        processes = self._theirs()
        memory = sum(_resident_mb(process) for process in processes)
        self.most_processes = max(self.most_processes, len(processes))
        self.peak_memory_mb = max(self.peak_memory_mb, memory)
        if len(processes) > self.limits["processes"]:
            return "too many processes"
        return "out of memory" if memory > 2 * self.limits["memory_mb"] else ""

    def _theirs(self) -> list[int]:
        return [process for process in _descendants(os.getpid()) if process != self.keeper]

    def _drain(self) -> bool:
        """Take what was printed; whether somebody can still print."""
        kept = self.orders["kept_output"]
        for _ in range(64):  # then look at the clock again
            try:
                part = os.read(self.output, 65536)
            except BlockingIOError:
                return True
            if not part:
                return False
            self.output_bytes += len(part)
            room = kept - len(self.head)
            self.head += part[:room]
            self.tail = (self.tail + part[room:])[-kept:]
        return True

    def _keep_output(self) -> None:
        left_out = self.output_bytes - len(self.head) - len(self.tail)
        gap = f"\n… {left_out} bytes left out …\n".encode() if left_out > 0 else b""
        Path(self.orders["output"]).write_bytes(self.head + gap + self.tail)

    def _kill_all(self) -> None:
        """Kill every descendant: with a process namespace all at once, else until none is left."""
        if "own processes" in self.walls:
            os.kill(self.keeper, signal.SIGKILL)
        else:
            for deadly in (signal.SIGSTOP, signal.SIGKILL):  # stopped first, so that none can fork meanwhile
                while processes := [p for p in _descendants(os.getpid()) if _state(p) not in _harmless[deadly]]:
                    for process in processes:
                        _kill(process, deadly)
                    if deadly == signal.SIGKILL:
                        _reap()
                        time.sleep(0.005)
        while True:
            try:
                os.wait()
            except ChildProcessError:
                return

    def _cpu_used_up(self) -> bool:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return bool(used.ru_utime + used.ru_stime >= self.limits["cpu_seconds"])


_harmless = {signal.SIGSTOP: "TtZX", signal.SIGKILL: "ZX"}


def _kill(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _keep(orders: dict[str, Any], output: int, status: int, wall_writer: int) -> None:
    """The keeper, behind the walls: starts the command and waits for it; the first process of its namespace."""
    if _linux:
        _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    walls = _namespaces(orders["work"]) if orders["namespaces"] else []
    os.write(wall_writer, "\n".join(walls).encode())
    os.close(wall_writer)
    prisoner = os.fork()
    if prisoner == 0:
        try:
            _lock_up(orders, output)
        finally:
            os._exit(127)
    os.close(output)
    while True:
        process, ended = os.wait()
        if process == prisoner:
            break
    os.write(status, str(ended).encode())
    signal.pause()  # the warden counts what is left, and kills us all


def _lock_up(orders: dict[str, Any], output: int) -> None:
    limits = orders["limits"]
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    _close_all_but(orders["messages"])
    os.set_inheritable(orders["messages"], True)
    os.chdir(orders["work"])
    megabyte = 1 << 20
    for what, value in (
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_AS, limits["memory_mb"] * megabyte),
        (resource.RLIMIT_FSIZE, limits["file_mb"] * megabyte),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS has no limit on the address space
            resource.setrlimit(what, (value, value))
    if _linux:
        _drop_privileges()
    os.execve(orders["command"][0], orders["command"], orders["environment"])


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, 1024)


def _new_processes() -> bool:
    """Give the children a process namespace of their own, where the kernel allows it."""
    if not _linux:
        return False
    if os.geteuid() == 0:
        return bool(_libc.unshare(_NEW_PROCESSES) == 0)
    user, group = os.geteuid(), os.getegid()
    if _libc.unshare(_NEW_USER | _NEW_PROCESSES) != 0:
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        pass
    return True


def _namespaces(work: str) -> list[str]:
    """Cut off the network, and make every file but those of the fresh folder read-only, where the kernel allows it."""
    walls: list[str] = []
    if not _linux:
        return walls
    if _libc.unshare(_NEW_NETWORK | _NEW_IPC) == 0:
        walls.append("own network")
    if _libc.unshare(_NEW_MOUNTS) != 0 or _mount(None, "/", None, _RECURSIVE | _PRIVATE) != 0:
        return walls
    _mount("proc", "/proc", "proc", _NOSUID_NODEV_NOEXEC)
    _mount("tmpfs", "/dev/shm", "tmpfs", _NOSUID_NODEV_NOEXEC)
    if _mount(work, work, None, _BIND) == 0 and _set_read_only("/", True) == 0 and _set_read_only(work, False) == 0:
        _set_read_only("/dev/shm", False)
        walls.append("read-only files")
    return walls


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> int:
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    return int(_libc.mount(*encoded, ctypes.c_ulong(flags), None))


def _set_read_only(path: str, read_only: bool) -> int:
    attributes = struct.pack("4Q", _READ_ONLY, 0, 0, 0) if read_only else struct.pack("4Q", 0, _READ_ONLY, 0, 0)
    recursive = _AT_RECURSIVE if read_only else 0
    return int(_libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, path.encode(), recursive, attributes, len(attributes)))


def _drop_privileges() -> None:
    """Give up what root may do besides (mounting, killing, overriding permissions), also across exec."""
    for capability in range(64):
        _libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _libc.capset(struct.pack("Ii", _CAPABILITY_VERSION, 0), struct.pack("6I", *[0] * 6))


def _descendants(process: int) -> list[int]:
    """All processes below this one."""
    found: list[int] = []
    level = [process]
    while level:
        level = [child for parent in level for child in _children(parent)]
        found += level
        if len(found) > 10_000:
            break
    return found


def _children(process: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        text = "".join((thread / "children").read_text() for thread in threads)
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "X"


def _resident_mb(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    except (OSError, IndexError):
        return 0.0


def _size(folder: str) -> int:
    """The bytes below a folder; a great number of files counts as a great size."""
    total = files = 0
    for root, _, names in os.walk(folder):
        for name in names:
            files += 1
            try:
                total += Path(root, name).lstat().st_blocks * 512
            except OSError:
                continue
            if files > 20_000:
                return 1 << 62
    return total


if __name__ == "__main__":
    main()
