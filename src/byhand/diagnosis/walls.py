"""The walls that Unix has: puts them up round this process, then becomes the command behind them.

A program of its own (standard library only), which the warden starts with its orders as one argument of JSON, and which
tells it by a pipe, a line each: which walls stand, the number of the keeper's process, and how the command ended.

The walls for files (Landlock) and network (a filter of system calls) need no privilege; where Linux allows process
namespaces, too, the command is in one, which dies as a whole with its first process, the keeper.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any

# From the kernel's headers: sched.h, prctl.h, capability.h, landlock.h, seccomp.h, filter.h, audit.h.
_NEW_USER, _NEW_PROCESSES = 0x10000000, 0x20000000
_SET_DEATH_SIGNAL, _SET_SECCOMP, _DROP_FROM_BOUNDING_SET, _SET_SUBREAPER, _NO_NEW_PRIVILEGES = 1, 22, 24, 36, 38
_CAPABILITY_VERSION = 0x20080522

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # how many rights each version of Landlock knows
_ONLY_OWN_SOCKETS_AND_SIGNALS = 0b11

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # EPERM
_OTHER_TABLE = 0x40000000  # x86's second table of system calls
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_IO_URING_SETUP = 425  # which opens sockets, too

_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts")
_MACHINE = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/fs/cgroup")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

_libc = ctypes.CDLL(None, use_errno=True)
_linux = sys.platform == "linux"


def main() -> None:
    """Put up the walls that `sys.argv` orders, and run the command."""
    orders, status = json.loads(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller's Ctrl-C is the caller's
    if _linux:
        _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    apart = "own processes" in orders["walls"] and _new_processes()
    keeper = os.fork()
    if keeper == 0:
        try:
            _keep(orders, status, apart)
        finally:
            os._exit(1)
    _tell(status, keeper=keeper)
    _close_all(but=())
    os.waitpid(keeper, 0)


def _tell(status: int, **what: Any) -> None:
    os.write(status, json.dumps(what).encode() + b"\n")


def _keep(orders: dict[str, Any], status: int, apart: bool) -> None:
    """The keeper: starts the command and waits for it; all that is left behind becomes its child."""
    if _linux:
        _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        _libc.prctl(_SET_SUBREAPER, 1, 0, 0, 0)
    prisoner = os.fork()
    if prisoner == 0:
        try:
            _lock_up(orders, status, ["own processes"] if apart else [])
        except Exception as error:
            _tell(status, failed=f"{type(error).__name__}: {error}")
        finally:
            os._exit(127)
    _close_all(but=(status,))
    while True:
        process, ended = os.wait()
        if process == prisoner:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    _tell(status, ended=os.waitstatus_to_exitcode(ended), cpu_seconds=used.ru_utime + used.ru_stime)
    signal.pause()  # the warden counts what is left, and kills us all


def _lock_up(orders: dict[str, Any], status: int, walls: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    os.set_inheritable(status, False)
    _close_all(but=(0, 1, 2, status))
    _limit(orders["limits"], alone="own processes" in walls)
    walls.append("limits")
    if _linux:
        _drop_privileges()
        if "own files" in orders["walls"] and _only_files(orders["readable"], orders["listable"], orders["work"]):
            walls.append("own files")
        if "no network" in orders["walls"] and _no_network():
            walls.append("no network")
    _tell(status, walls=walls)
    os.execv(orders["command"][0], orders["command"])


def _close_all(but: tuple[int, ...]) -> None:
    for low, high in zip((-1, *but), (*but, 4096), strict=True):
        if low + 1 < high:  # an empty range would mean all
            os.closerange(low + 1, high)


def _limit(limits: dict[str, Any], alone: bool) -> None:
    megabyte = 1 << 20
    cpu_seconds = limits["cpu_seconds"]
    # Threads count, too. In a namespace they are counted apart, else with all that the user runs (and root's never).
    threads = limits["threads"] + (0 if alone else limits["others"])
    same = {
        "AS": limits["memory_mb"] * megabyte,
        "FSIZE": limits["file_mb"] * megabyte,
        "NOFILE": limits["open_files"],
        "CORE": 0,
        "NPROC": threads,
    }
    for name, (soft, hard) in {"CPU": (cpu_seconds, cpu_seconds + 1), **{k: (v, v) for k, v in same.items()}}.items():
        what = getattr(resource, f"RLIMIT_{name}")
        most = resource.getrlimit(what)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        with contextlib.suppress(ValueError, OSError):  # macOS has no limit on the address space
            resource.setrlimit(what, (soft, hard))


def _new_processes() -> bool:
    """Give the children a process namespace of their own, where the kernel allows it."""
    if not _linux:
        return False
    user, group = os.geteuid(), os.getegid()
    if user == 0 and _libc.unshare(_NEW_PROCESSES) == 0:
        return True
    if _libc.unshare(_NEW_USER | _NEW_PROCESSES) != 0:
        return False
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return True


def _drop_privileges() -> None:
    """Give up what root may do besides (mounting, killing, overriding permissions), also across exec."""
    for capability in range(64):
        _libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _libc.capset(struct.pack("Ii", _CAPABILITY_VERSION, 0), struct.pack("6I", *[0] * 6))


def _only_files(readable: list[str], listable: list[str], work: str) -> bool:
    """Of all files leave those that are named, to be read, and the own folder; False where the kernel cannot."""
    version = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    every = (1 << _RIGHTS[max(v for v in _RIGHTS if v <= version)]) - 1
    # The struct has grown; a kernel takes any length that it knows.
    attributes = struct.pack("3Q", every, 0, _ONLY_OWN_SOCKETS_AND_SIGNALS)[: 24 if version >= 6 else 8]
    rules = _libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return False
    read = _EXECUTE | _READ_FILE | _READ_FOLDER
    rights = (
        *((path, read) for path in (*_SYSTEM, *_MACHINE, *readable)),
        *((path, _READ_FOLDER) for path in listable),
        *((path, _READ_FILE | _WRITE_FILE | _TRUNCATE) for path in _DEVICES),
        (work, every),
    )
    for path, right in rights:
        _allow(rules, path, right & every)
    done = _libc.syscall(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return done


def _allow(rules: int, path: str, right: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this machine
    if not Path(path).is_dir():
        right &= ~_READ_FOLDER
    _libc.syscall(_ADD_RULE, rules, 1, struct.pack("<Qi", right, place), 0)
    os.close(place)


def _no_network() -> bool:
    """Refuse sockets of every kind, those to the programs of this machine as well."""
    if platform.machine() not in _SOCKET:
        return False
    architecture, socket = _SOCKET[platform.machine()]
    program = [
        (_LOAD, 0, 0, 4),  # the architecture
        (_JUMP_IF_EQUAL, 0, 4, architecture),
        (_LOAD, 0, 0, 0),  # the call's number
        (_JUMP_IF_AT_LEAST, 2, 0, _OTHER_TABLE),
        (_JUMP_IF_EQUAL, 1, 0, socket),
        (_JUMP_IF_EQUAL, 0, 1, _IO_URING_SETUP),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in program))
    header = struct.pack("@HP", len(program), ctypes.addressof(code))
    return bool(_libc.prctl(_SET_SECCOMP, 2, header, 0, 0) == 0)


if __name__ == "__main__":
    main()
