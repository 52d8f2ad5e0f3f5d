"""A class: who gets which seed for the practical, and whose a notebook is.

Each student's notebook has other data. Its seed follows from the student's name alone, unless the list gives one, so
that a longer list changes nobody's notebook. Name and seed are kept in the notebook's metadata; `SEED` in its first
cells can be changed, and then the two differ.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from byhand.errors import ByhandError

LARGEST_SEED = 2**32 - 1
_NOT_IN_A_FOLDERS_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]|^\.|[. ]$')


class Student(NamedTuple):
    """A student, by the name that the folder of the submission has, and the seed of their practical.

    Parameters
    ----------
    name : str
    seed : int

    Examples
    --------
    >>> Student("anna", seed_of("anna")).seed
    1431804757
    """

    name: str
    seed: int


def seed_of(name: str) -> int:
    """Return the seed that belongs to a name: four bytes of its SHA-256.

    Parameters
    ----------
    name : str
        The student's.

    Returns
    -------
    int
        From 0 to 2³² − 1.

    Examples
    --------
    >>> seed_of("anna")
    1431804757
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])


def read_class(path: Path) -> list[Student]:
    r"""Read a class's list: a CSV file with one student a row.

    A first row with the word ``student`` names the columns, of which ``student`` and ``seed`` are read. Without one,
    the students are the first column. Commas or semicolons part the columns.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.

    Returns
    -------
    list of Student
        In the order of the file.

    Raises
    ------
    ByhandError
        When there is nobody in it, somebody is in it twice, a name cannot be a folder's, or a seed is no whole number
        from 0 to 2³² − 1.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "class.csv")
    ...     _ = path.write_text("student,seed\nanna,7\n")
    ...     read_class(path)
    [Student(name='anna', seed=7)]
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise ByhandError(f"cannot read {path}: {why}") from error
    table = csv.reader(text.splitlines(), delimiter=";" if text.count(";") > text.count(",") else ",")
    rows = [row for row in ([cell.strip() for cell in row] for row in table) if any(row)]
    columns = [cell.lower() for cell in rows[0]] if rows else []
    name_at, seed_at = 0, None
    if "student" in columns:
        del rows[0]
        name_at, seed_at = columns.index("student"), columns.index("seed") if "seed" in columns else None
    students = [_student(row, name_at, seed_at) for row in rows]
    names = [student.name for student in students]
    if not students:
        raise ByhandError(f"{path} has no student in it; expected a CSV file with one a row")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ByhandError(f"{path} has {twice} twice")
    return students


def _student(row: list[str], name_at: int, seed_at: int | None) -> Student:
    name = row[name_at] if name_at < len(row) else ""
    if not name or _NOT_IN_A_FOLDERS_NAME.search(name):
        raise ByhandError(f"the student {name!r} cannot have a folder of that name; choose another name in the list")
    given = row[seed_at] if seed_at is not None and seed_at < len(row) else ""
    if not given:
        return Student(name, seed_of(name))
    if not given.isdecimal() or int(given) > LARGEST_SEED:
        raise ByhandError(f"the seed of {name} is {given!r}; expected a whole number from 0 to {LARGEST_SEED}")
    return Student(name, int(given))


def owner(notebook: Mapping[str, Any]) -> Student | None:
    """Return whose the practical's notebook is, by its metadata; with the name "" when it was made for nobody.

    Parameters
    ----------
    notebook : mapping
        The notebook, as it stands in its file (JSON).

    Returns
    -------
    Student or None
        None when it is no notebook of the practical.

    Examples
    --------
    >>> owner({"metadata": {"byhand": {"seed": 7, "student": "anna"}}})
    Student(name='anna', seed=7)
    """
    made = notebook.get("metadata", {}).get("byhand", {})
    return Student(str(made.get("student", "")), int(made["seed"])) if "seed" in made else None


def told(file: Path, student: str = "") -> Iterator[str]:
    """Say whose a notebook is; and what does not fit: another's notebook, or another seed in its first cells.

    Parameters
    ----------
    file : Path
        What may be a notebook; of other files nothing is said.
    student : str, optional
        Who has handed it in. Then only what does not fit is said.

    Returns
    -------
    iterator of str
        The lines.

    Examples
    --------
    >>> list(told(Path("no notebook.py")))
    []
    """
    try:
        notebook = json.loads(file.read_text(encoding="utf-8"))
        made = owner(notebook)
        source = "\n".join("".join(cell.get("source", "")) for cell in notebook["cells"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return
    if made is None:
        return
    if not student:
        yield f"{file.name}: made {f'for {made.name} ' if made.name else ''}with the seed {made.seed}"
    elif made.name and made.name != student:
        yield f"{file}: handed in by {student}, made for {made.name}"
    now = re.search(r"^SEED = (\d+)", source, flags=re.MULTILINE)
    if now is None or int(now[1]) != made.seed:
        yield f"{file}: made with the seed {made.seed}, and SEED is now {now[1] if now else 'not there'}"
