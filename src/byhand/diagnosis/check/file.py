"""The door: a file or a notebook, judged as the practical or as any other program."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from byhand import students
from byhand.diagnosis import sources
from byhand.diagnosis.check.free import check_free
from byhand.diagnosis.check.practical import check_practical
from byhand.diagnosis.check.results import Report
from byhand.diagnosis.sources import Cell
from byhand.diagnosis.story import program


def check_file(path: Path) -> Report:
    """Check a student's .py file or notebook.

    Raises
    ------
    ByhandError
        When it is neither, or cannot be read.
    """
    cells = sources.read(path)
    if is_practical(cells):
        return check_practical(cells, path.name, seed=seed_of(path))
    return check_free(program.read(path))


def is_practical(cells: Sequence[Cell]) -> bool:
    """Whether it is the practical's own notebook, whose functions and values are known by name."""
    return any(re.search(r"from byhand\.lab\b|byhand\.check\(", cell.source) for cell in cells)


def seed_of(path: Path) -> int | None:
    """The seed with which the practical's notebook was made; None when its file doesn't say."""
    try:
        made = students.owner(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return None if made is None else made.seed
