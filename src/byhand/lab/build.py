"""The practical's files, made from its one source: the report, the solved notebook and the student's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from byhand.errors import ByhandError
from byhand.files import write_text
from byhand.students import Student


@dataclass(frozen=True)
class LabFiles:
    """Where the practical's files are; and whether the student's notebook was left, for it is being filled in."""

    solution: Path
    student: Path
    report: Path
    student_kept: bool = False


def write_lab(
    out: Path,
    seed: int,
    on_question: Callable[[str, int, int], None],
    stories: Mapping[str, tuple[str, str]] | None = None,
) -> LabFiles:
    """Run the whole practical; write its two notebooks and its report.

    Nothing is written before everything is made: when it fails or is interrupted, the folder is as it was.
    A student's notebook that someone has begun to fill in is left alone.

    Parameters
    ----------
    out : Path
        The folder to write to, made when it is not there.
    seed : int
        The seed of the practical's random draws, 0 to 2³² − 1.
    on_question : callable
        Called as ``on_question(title, index, count)`` when question `index` (from 1) of `count` begins.
    stories : mapping, optional
        Pages to lie beside the report, which links them: from a file's name to what it shows and its HTML.

    Returns
    -------
    LabFiles
        Where the files are.

    Raises
    ------
    ByhandError
        When the folder cannot be written to (found out before the run), an extra is missing, a cell fails or
        the kernel dies.
    """
    from byhand.lab.notebooks import as_text, is_filled_in, solution_notebook, student_notebook
    from byhand.lab.report import report_html
    from byhand.lab.running import run

    solution_path, student_path, report_path = (
        out / name for name in ("td1_solution.ipynb", "td1_student.ipynb", "td1_report.html")
    )
    _check_writable(out, [solution_path, student_path, report_path, *(out / name for name in stories or {})])
    solution = solution_notebook(seed)
    student = student_notebook(solution)
    run(solution, on_question, graded=True)
    shown = {name: what for name, (what, _) in (stories or {}).items()}
    texts = {solution_path: as_text(solution), report_path: report_html(solution, seed, shown)}
    texts |= {out / name: page for name, (_, page) in (stories or {}).items()}
    keep = is_filled_in(student_path)
    if not keep:
        texts[student_path] = as_text(student)
    out.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        write_text(path, text)
    return LabFiles(solution_path, student_path, report_path, student_kept=keep)


def write_class(kind: Literal["student", "solution"], students: Sequence[Student], folder: Path) -> list[Path]:
    """Write a notebook for each student of a class, in a folder of their own.

    Parameters
    ----------
    kind : {"student", "solution"}
        Which notebook.
    students : sequence of Student
    folder : Path
        Where the students' folders are made.

    Returns
    -------
    list of Path
        The files, one for each student, in order.

    Raises
    ------
    ByhandError
        When one of the files is already there: then none is written.
    """
    files = [folder / student.name / f"td1_{kind}.ipynb" for student in students]
    if there := next((file for file in files if file.exists()), None):
        raise ByhandError(f"{there} is already there and may hold someone's work; choose another folder")
    texts = [notebook_text(kind, student.seed, student.name) for student in students]
    for file, text in zip(files, texts, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, text)
    return files


def notebook_text(kind: Literal["student", "solution"], seed: int, student: str = "") -> str:
    """Return a notebook of the practical as the text of its file: to fill in, or solved but not yet run.

    Parameters
    ----------
    kind : {"student", "solution"}
        Which notebook.
    seed : int
        The seed of the practical's random draws, 0 to 2³² − 1.
    student : str, optional
        For whom it is.

    Raises
    ------
    ByhandError
        When the seed is out of range or an extra is missing.
    """
    from byhand.lab.notebooks import as_text, solution_notebook, student_notebook

    solution = solution_notebook(seed, student)
    return as_text(student_notebook(solution) if kind == "student" else solution)


def _check_writable(folder: Path, files: list[Path]) -> None:
    """Find out whether the files could be written, and leave no trace: by writing where the folder is, or will be."""
    nearest = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(parent))
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise ByhandError(
            f"cannot write to the folder {folder}: {nearest} {_why(nearest, error)}; choose another with --out"
        ) from error
    for file in files:
        if file.is_dir():
            raise ByhandError(f"cannot write {file}: it is a folder; move it, or choose another with --out")
        if file.exists() and not os.access(file, os.W_OK):
            raise ByhandError(f"cannot write {file}: the file is read-only; choose another folder with --out")


def _why(path: Path, error: OSError) -> str:
    return "is not a folder" if not path.is_dir() else f"cannot be written to ({error.strerror})"
