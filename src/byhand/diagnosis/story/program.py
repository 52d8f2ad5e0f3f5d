"""A student's program: its text, what lies beside it, and where a line of a mended copy stood in the student's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path

from byhand.diagnosis import sources
from byhand.errors import ByhandError

DATA = {".csv", ".npy", ".npz", ".txt", ".dat", ".json", ".tsv", ".data", ".pkl", ".gz"}
MAX_DATA = 50_000_000
"""Bytes that are copied from beside the script."""


@dataclass(frozen=True)
class Program:
    """What is run.

    Attributes
    ----------
    name : str
        As the answer calls it.
    source : str
        The script; a notebook's cells one after the other.
    files : dict
        What it imports or reads, by its path from the script's folder.
    cells : tuple of (str, int)
        A notebook's cells: name, and the line of `source` at which it begins. Empty for a script.
    """

    name: str
    source: str
    files: dict[str, bytes] = field(default_factory=dict)
    cells: tuple[tuple[str, int], ...] = ()

    def text(self, file: str = "") -> str:
        """The text of the script (""), or of a module beside it; "" when there is no such file."""
        return self.files.get(file, b"").decode(errors="replace") if file else self.source

    def with_text(self, text: str, file: str = "") -> Program:
        """The program with one text exchanged."""
        if file:
            return replace(self, files={**self.files, file: text.encode()})
        return replace(self, source=text)

    @property
    def size(self) -> int:
        """The length of all texts."""
        return len(self.source) + sum(map(len, self.files.values()))

    def line(self, line: int, file: str = "") -> str:
        """The text of a line; "" when there is none."""
        lines = self.text(file).splitlines()
        return lines[line - 1] if 0 < line <= len(lines) else ""

    def where(self, line: int, file: str = "") -> str:
        """A place in words: "line 3", "cell 2, line 1", "line 3 of layers.py"."""
        if file:
            return f"line {line} of {file}"
        cell, line = self.home(line)
        return f"{cell}, line {line}" if cell else f"line {line}"

    def home(self, line: int, file: str = "") -> tuple[str, int]:
        """The cell that a line stands in ("" outside of notebooks), and which line of it."""
        cells = () if file else self.cells
        first, name = max(((first, name) for name, first in cells if first <= line), default=(1, ""))
        return name, line - first + 1


def read(path: Path) -> Program:
    """The program at a path: a script, a notebook, or a folder with one.

    Raises
    ------
    ByhandError
        When it cannot be read, or a folder does not say which of its scripts is meant.
    """
    script = _script_in(path) if path.is_dir() else path
    cells = sources.read(script)
    if len(cells) == 1 and not cells[0].name:
        source = cells[0].source
        return Program(script.name, source, dict(_beside(script, source)))
    program = of_cells(cells, script.name)
    return replace(program, files=dict(_beside(script, program.source)))


def of_cells(cells: Sequence[sources.Cell], name: str) -> Program:
    """A notebook's cells, one after the other."""
    source, starts = "", []
    for cell in cells:
        starts.append((cell.name, source.count("\n") + 1))
        source += cell.source.rstrip("\n") + "\n"
    return Program(name, source, cells=tuple(starts))


def _script_in(folder: Path) -> Path:
    scripts = sorted(p for p in folder.iterdir() if p.suffix in (".py", ".ipynb"))
    for name in ("main.py", "train.py", "__main__.py"):
        if (folder / name) in scripts:
            return folder / name
    texts = {p: p.read_text(encoding="utf-8", errors="replace") for p in scripts}
    top = [p for p in scripts if not any(_imports(t, p.stem) for other, t in texts.items() if other != p)]
    if len(top) == 1:
        return top[0]
    found = ", ".join(p.name for p in top[:5]) or "none"
    raise ByhandError(f"{folder} is a folder, and it is not clear which script trains ({found}); name the file itself")


def _imports(text: str, module: str) -> bool:
    return bool(re.search(rf"(?m)^\s*(from\s+\.?{re.escape(module)}\b|import\s+.*\b{re.escape(module)}\b)", text))


def _reads(text: str, name: str) -> bool:
    """Whether a path with that name in it stands in the text, in quotation marks."""
    return bool(re.search(rf"""["'](?:[^"'\n]*[/\\])?{re.escape(name)}(?:[/\\][^"'\n]*)?["']""", text))


def _beside(script: Path, source: str) -> Iterator[tuple[str, bytes]]:
    """The modules that the script imports (and those that these import), and the data that a text names."""
    folder, room, taken = script.resolve().parent, MAX_DATA, set()
    entries = [p for p in sorted(folder.iterdir()) if p.name != script.name and not p.name.startswith(".")]
    texts = [source]
    while texts:
        text = texts.pop()
        for entry in entries:
            if entry in taken:
                continue
            is_module = entry.suffix == ".py" or entry.is_dir()
            if not (is_module and _imports(text, entry.stem)) and (
                entry.suffix == ".py" or not _reads(text, entry.name)
            ):
                continue
            taken.add(entry)
            inside = sorted(p for p in entry.rglob("*") if p.is_file()) if entry.is_dir() else [entry]
            for path in inside:
                size = path.stat().st_size
                if path.suffix not in DATA | {".py"} or size > room:
                    continue
                room -= size
                content = path.read_bytes()
                if path.suffix == ".py":
                    texts.append(content.decode(errors="replace"))
                yield path.relative_to(folder).as_posix(), content


@dataclass(frozen=True)
class Change:
    """A line that reads differently in a copy.

    Attributes
    ----------
    line : int
        Where it stood; for a new line, the line that it stands before.
    before, after : str or None
        Its text; None before for a new line, and after for one that went.
    moved_before : int
        For a line that only moved, the line that it stands before now; 0 for all others.
    """

    line: int
    before: str | None
    after: str | None
    moved_before: int = 0


def changes(before: str, after: str) -> list[Change]:
    """What differs, by the lines of the first text."""
    old, new = before.splitlines(), after.splitlines()
    found = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            for k in range(max(i2 - i1, j2 - j1)):
                has_old, has_new = i1 + k < i2, j1 + k < j2
                line = i1 + k + 1 if has_old else i2 + 1
                found.append(Change(line, old[i1 + k] if has_old else None, new[j1 + k] if has_new else None))
    return _with_moves(found)


def _with_moves(found: list[Change]) -> list[Change]:
    """A line that went and came elsewhere is one that moved."""
    found = [c for c in found if (c.before or "").strip() or (c.after or "").strip()]
    came = {(c.after or "").strip(): c for c in found if c.before is None}
    moves = {c: came[(c.before or "").strip()] for c in found if c.after is None and (c.before or "").strip() in came}
    rest = [c for c in found if c not in moves.values()]
    return [replace(c, after=moves[c].after, moved_before=moves[c].line) if c in moves else c for c in rest]


def lines_of_origin(before: str, after: str) -> dict[int, int]:
    """For each line of a mended text, the line of the student's that it is; a new line is not in it."""
    old, new = before.splitlines(), after.splitlines()
    origin: dict[int, int] = {}
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal" or (kind == "replace" and i2 - i1 == j2 - j1):
            origin |= {j1 + k + 1: i1 + k + 1 for k in range(i2 - i1)}
        elif kind == "replace":  # more lines than before: each new one beside the old one that it resembles most
            for j in range(j1, j2):
                ratio, i = max((SequenceMatcher(None, old[i], new[j]).ratio(), i) for i in range(i1, i2))
                if ratio > 0.5 and i + 1 not in origin.values():
                    origin[j + 1] = i + 1
    left: dict[str, int] = {}
    for i, text in enumerate(old, 1):
        if text.strip() and i not in origin.values():
            left.setdefault(text.strip(), i)
    for j, text in enumerate(new, 1):  # a moved line
        if j not in origin and text.strip() in left:
            origin[j] = left.pop(text.strip())
    return origin
