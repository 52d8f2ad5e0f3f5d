"""Runs a program and keeps its tape.

It runs in this process: for programs of strangers that is a process inside the sandbox. What judges a trace runs there
too, as it needs nothing but NumPy and what it finds is small; so a trace itself never crosses a process boundary.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import numbers
import platform
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from byhand.diagnosis import sources
from byhand.diagnosis.tape.beside import World
from byhand.diagnosis.tape.calls import Recorder
from byhand.diagnosis.tape.loops import EndlessError
from byhand.diagnosis.tape.nodes import Series, Tape

MOST_BYTES = 300_000_000  # that the tape holds besides what the program itself holds
MOST_TEXT = 200_000  # characters of output
MOST_POINTS = 200  # of a series
MOST_SERIES = 100


@dataclass(frozen=True)
class Frame:
    """Where an error passed: a line of the program, or of a library (`file` is then its path)."""

    file: str
    line: int
    function: str
    text: str


@dataclass(frozen=True)
class Failure:
    """The error that ended a program."""

    type: str
    message: str
    frames: list[Frame]


@dataclass
class Trace:
    """What a run left behind.

    Attributes
    ----------
    tape : Tape
        All that was recorded.
    failure : Failure or None
        The error that ended it.
    targets : dict
        File to line to the text of what is assigned to there.
    texts : dict
        The text of each file.
    names : dict
        The program's own names when it ended, with their values.
    cells : list
        For a notebook: of each line, counted from 1, the cell and the line in it.
    environment : dict
        Versions that the numbers may depend on.
    """

    tape: Tape
    failure: Failure | None
    targets: dict[str, dict[int, str]]
    texts: dict[str, str]
    names: dict[str, Any] = field(default_factory=dict)
    cells: list[tuple[int, int]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """What was printed."""
        return self.tape.output


def trace(
    source: str,
    path: str | Path = "script.py",
    folder: str | Path | None = None,
    *,
    argv: list[str] | None = None,
    most_bytes: int = MOST_BYTES,
    on_line: Callable[[int], object] | None = None,
    plain: bool = False,
    is_long: bool = False,
    ends_at: int | None = None,
) -> Trace:
    """Run a program and record it.

    Parameters
    ----------
    source : str
        The text of a Python file or, if the path says so, of a notebook.
    path : str or Path
        Its file; it need not exist.
    folder : str or Path, optional
        Where its modules lie; the path's own folder by default.
    argv : list of str, optional
        Arguments of its command line.
    most_bytes : int
        Recording ends when the tape holds so much besides what the program holds.
    on_line : callable, optional
        Told the line of each of the script's own statements before it runs.
    plain : bool
        Run the text as it is, and record nothing: to see whether an error is the program's own.
    is_long : bool
        Record three whole turns of a training, however long, and nothing later.
    ends_at : int, optional
        End the program when so many operations were recorded.

    Raises
    ------
    ByhandError
        When the source is said to be a notebook and is none.
    """
    path = Path(path)
    source, cells = _text(source, path)
    recorder = Recorder({}, most_bytes, is_long=is_long, ends_at=ends_at)
    recorder.bottom = _execute.__code__
    recorder.reach = on_line or recorder.reach
    printed = _Printed()
    main = ModuleType("__main__")
    main.__file__ = str(path)
    with World(recorder, Path(folder) if folder is not None else path.parent.resolve(), plain=plain) as world:
        sys.argv[:] = [str(path), *(argv or [])]
        sys.modules["__main__"] = main
        failure = None
        try:
            code = world.compile(source, str(path), "")
            with _quiet(printed):
                _execute(code, world.furnish(vars(main)))
        except (SystemExit, EndlessError):
            pass
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failure = _failure(error, recorder, source.splitlines())
    recorder.finish()
    tape = recorder.tape
    tape.output = printed.text()
    names = {name: value for name, value in vars(main).items() if not name.startswith("__")}
    tape.series = series(names)
    return Trace(tape, failure, world.targets, world.texts, names, cells, environment())


def _execute(code: Any, namespace: dict[str, Any]) -> None:
    exec(code, namespace)


def _text(source: str, path: Path) -> tuple[str, list[tuple[int, int]]]:
    if path.suffix != ".ipynb":
        return sources.plain(source), []
    lines: list[str] = []
    cells: list[tuple[int, int]] = []
    for number, cell in enumerate(sources.parse(source, path.name), 1):
        mine = cell.source.splitlines()
        lines += mine
        cells += [(number, line) for line in range(1, len(mine) + 1)]
    return "\n".join(lines) + "\n", cells


class _Printed(io.StringIO):
    """Keeps the beginning and the end of what is printed."""

    def write(self, text: str) -> int:
        if self.tell() > 2 * MOST_TEXT:
            whole = self.getvalue()
            self.seek(0)
            self.truncate()
            super().write(whole[: MOST_TEXT // 2] + "\n…\n" + whole[-MOST_TEXT // 2 :])
        return super().write(text)

    def text(self) -> str:
        """What was printed, cut in the middle."""
        whole = self.getvalue()
        return whole if len(whole) <= MOST_TEXT else whole[: MOST_TEXT // 2] + "\n…\n" + whole[-MOST_TEXT // 2 :]


@contextlib.contextmanager
def _quiet(printed: io.StringIO) -> Iterator[None]:
    before = np.geterr()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            np.seterr(**before)


def _failure(error: BaseException, recorder: Recorder, lines: list[str]) -> Failure:
    frames, here = [], error.__traceback__
    while here is not None:
        code, line = here.tb_frame.f_code, here.tb_lineno
        file = recorder.files.get(code.co_filename)
        if file is not None or not code.co_filename.startswith(str(Path(__file__).parent)):
            text = lines[line - 1] if file == "" and line <= len(lines) else linecache.getline(code.co_filename, line)
            frames.append(Frame(code.co_filename if file is None else file, line, code.co_name, text.strip()))
        here = here.tb_next
    if isinstance(error, SyntaxError):
        frames.append(Frame("", error.lineno or 0, "<module>", (error.text or "").strip()))
    return Failure(type(error).__name__, str(error), frames)


def environment() -> dict[str, str]:
    """Versions that the numbers may depend on."""
    return {"python": platform.python_version(), "numpy": np.__version__, "machine": platform.machine()}


# The program's own curves


def series(names: Mapping[str, Any]) -> dict[str, Series]:
    """The lists and vectors of numbers among the values, their attributes and items; by name."""
    found: dict[str, Series] = {}
    for name, value in names.items():
        _collect(name, value, found, 2)
    return found


def _collect(name: str, value: Any, found: dict[str, Series], depth: int) -> None:
    if len(found) >= MOST_SERIES or isinstance(value, str | bytes | ModuleType | type):
        return
    numeric = _numbers(value)
    if numeric is not None:
        if len(numeric) >= 2:
            found[name] = _thinned(numeric)
    elif depth and isinstance(value, dict) and len(value) <= 100:
        for key, item in value.items():
            _collect(f"{name}[{key!r}]", item, found, depth - 1)
    elif depth and isinstance(getattr(value, "__dict__", None), dict) and not callable(value):
        for key, item in vars(value).items():
            _collect(f"{name}.{key}", item, found, depth - 1)


def _numbers(value: Any) -> list[Any] | None:
    if isinstance(value, np.ndarray):
        is_curve = value.dtype.kind in "fiu" and value.size == max(value.shape, default=0)
        return list(value.ravel()) if is_curve else None
    if not isinstance(value, list) or not value:
        return None
    flat = [x.item() if isinstance(x, np.ndarray) and x.size == 1 and x.dtype.kind in "fiu" else x for x in value]
    return flat if all(isinstance(x, numbers.Real) and not isinstance(x, bool) for x in flat) else None


def _thinned(values: list[Any]) -> Series:
    where = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).round().astype(int))
    return Series([int(i) for i in where], [float(values[i]) for i in where], len(values))
