"""From the practical's one source to the two notebooks: the solution's, and the student's with stubs.

The source `td1.py` is a notebook in jupytext's percent format. Its tags say what a cell is: `parameters` (the seed),
`solution` (a written answer or derivation), `ask` (one line that asks `byhand.check`), `check` (it compares the answer
above it), `student` and `hint` (not for the report), `picture` (given, and in the report), `folded` (there, but
folded). Solutions in code stand between nbgrader's markers, so that the solution notebook is also a source for
nbgrader.
"""

from __future__ import annotations

import copy
import hashlib
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

from byhand.errors import ByhandError, needs_extra
from byhand.students import LARGEST_SEED

# nbformat loads jsonschema, and that, where Jupyter's server is installed, this: forty parsers, made each time anew for
# a check that nobody here asks for. They take longer than all the other imports together.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

with needs_extra("lab"):
    import jupytext  # type: ignore[import-untyped]
    import nbformat
    from nbformat import NotebookNode

SOURCE = Path(__file__).with_name("td1.py")
DEFAULT_SEED = 44

BEGIN_SOLUTION = re.compile(r"^(\s*)### BEGIN SOLUTION\s*$")
END_SOLUTION = re.compile(r"^\s*### END SOLUTION\s*$")
ANSWER_STUB = "*YOUR ANSWER HERE*"

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


def solution_notebook(seed: int = DEFAULT_SEED, student: str = "") -> NotebookNode:
    """Read the source: the solution notebook, not run yet.

    Parameters
    ----------
    seed : int, default 44
        The seed of the practical's random draws, 0 to 2³² − 1.
    student : str, optional
        For whom it is; kept in the metadata, beside the seed.

    Raises
    ------
    ByhandError
        When the seed is out of range.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise ByhandError(f"the seed is {seed}; expected a whole number from 0 to {LARGEST_SEED}")
    notebook = jupytext.reads(SOURCE.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = NotebookNode(copy.deepcopy(METADATA))
    notebook.metadata.byhand = NotebookNode(seed=seed, **({"student": student} if student else {}))
    _set_seed(notebook, seed)
    _identify(notebook)
    return notebook


def student_notebook(solution: NotebookNode) -> NotebookNode:
    """Return the student's notebook: a stub in place of each solution, no output, and what checks is folded."""
    notebook = copy.deepcopy(solution)
    for cell in notebook.cells:
        if "check" in tags(cell):
            cell.metadata.jupyter = NotebookNode(source_hidden=True)
        if cell.cell_type == "code":
            cell.source = _without_solutions(cell.source)
            cell.outputs, cell.execution_count = [], None
        elif "solution" in tags(cell):
            cell.source = ANSWER_STUB
    notebook.metadata.byhand.unfilled = _digest(notebook)
    return notebook


def is_filled_in(path: Path) -> bool:
    """Whether the file is a student's notebook that someone has changed since it was made."""
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError):
        return False
    return bool(notebook.metadata.get("byhand", {}).get("unfilled") != _digest(notebook))


def as_text(notebook: NotebookNode) -> str:
    """Return the notebook as the text of an .ipynb file."""
    return nbformat.writes(notebook) + "\n"


def _digest(notebook: NotebookNode) -> str:
    sources = "\0".join(cell.source for cell in notebook.cells)
    return hashlib.sha256(sources.encode()).hexdigest()


def tags(cell: NotebookNode) -> list[str]:
    """Return the cell's tags."""
    return list(cell.metadata.get("tags", []))


def question_titles(cell: NotebookNode) -> list[str]:
    """Return the questions that a cell opens: its third-level headings, as plain text."""
    return [title for level, title in headings(cell) if level == 3]


def without_markers(source: str) -> str:
    """Return a solution's code as a reader wants it: without the lines that mark where it begins and ends."""
    lines = source.split("\n")
    return "\n".join(line for line in lines if not (BEGIN_SOLUTION.match(line) or END_SOLUTION.match(line)))


def headings(cell: NotebookNode) -> list[tuple[int, str]]:
    """Return a Markdown cell's headings as level and plain text."""
    if cell.cell_type != "markdown":
        return []
    prose = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)  # a comment is no heading
    found = re.findall(r"^(#{1,6}) +(.+?)\s*$", prose, flags=re.MULTILINE)
    return [(len(marks), re.sub(r"[$`*]", "", title)) for marks, title in found]


def _set_seed(notebook: NotebookNode, seed: int) -> None:
    (cell,) = (cell for cell in notebook.cells if "parameters" in tags(cell))
    cell.source, count = re.subn(r"^SEED = \d+", f"SEED = {seed}", cell.source, flags=re.MULTILINE)
    if count != 1:
        raise ValueError("the source's cell tagged `parameters` needs one line `SEED = <number>`")


def _identify(notebook: NotebookNode) -> None:
    """Name each cell after its question, so that a new cell renames no cell of another question."""
    section, counts = "start", Counter[str]()
    for cell in notebook.cells:
        for _, title in headings(cell):
            section = _slug(title)
        counts[section] += 1
        cell.id = f"{section}-{counts[section]}"
        if grading := _grading(cell):
            cell.metadata.nbgrader = NotebookNode(schema_version=3, grade_id=cell.id, task=False, **grading)


def _slug(title: str) -> str:
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_title).strip("-")[:56]


def _grading(cell: NotebookNode) -> dict[str, bool | int] | None:
    """Say what the cell is to nbgrader: code to write, an answer to write (graded by a person), or a check."""
    if cell.cell_type == "markdown":
        if "solution" in tags(cell):
            return {"grade": True, "solution": True, "locked": False, "points": 1}
    elif "check" in tags(cell):
        return {"grade": True, "solution": False, "locked": True, "points": 1}
    elif without_markers(cell.source) != cell.source:
        return {"grade": False, "solution": True, "locked": False}
    return None


def _without_solutions(source: str) -> str:
    """Replace each marked region by a stub.

    Inside a function the stub needs a statement, `...`; at the top of a cell it would print "Ellipsis".
    """
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        if begin := BEGIN_SOLUTION.match(line):
            if inside:
                raise ValueError(f"a solution begins inside a solution:\n{source}")
            inside, indent = True, begin[1]
            lines += [f"{indent}# YOUR CODE HERE", *([f"{indent}..."] if indent else [])]
        elif END_SOLUTION.match(line):
            if not inside:
                raise ValueError(f"a solution ends that did not begin:\n{source}")
            inside = False
        elif not inside:
            lines.append(line)
    if inside:
        raise ValueError(f"a solution does not end:\n{source}")
    return "\n".join(lines)
