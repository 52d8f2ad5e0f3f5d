"""Student code as a list of cells: a Python file is one cell, a notebook has many."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byhand.errors import ByhandError


@dataclass(frozen=True)
class Cell:
    """One piece of code that is run as a whole.

    Attributes
    ----------
    name : str
        Where it is: "" for a Python file, "cell 3" for the third code cell of a notebook.
    source : str
        Python; what only Jupyter understands (%magics, !commands) has become comments, line for line.
    is_check : bool
        It compares results and belongs to the teacher (tag `check`).
    """

    name: str
    source: str
    is_check: bool = False


def read(path: Path) -> list[Cell]:
    """The code of a .py or .ipynb file.

    Raises
    ------
    ByhandError
        When the file is neither, or cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise ByhandError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    return parse(text, path.name)


def parse(text: str, name: str) -> list[Cell]:
    """The cells of a file with that text and name.

    Raises
    ------
    ByhandError
        As `read` does.
    """
    if name.endswith(".py"):
        return [Cell("", plain(text))]
    if not name.endswith(".ipynb"):
        raise ByhandError(f"{name} is neither a Python file (.py) nor a notebook (.ipynb)")
    try:
        cells: list[dict[str, Any]] = json.loads(text)["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return [
            Cell(f"cell {number}", plain("".join(cell["source"])), _is_check(cell))
            for number, cell in enumerate(code, 1)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ByhandError(f"{name} is not a notebook that Jupyter could open") from error


def _is_check(cell: dict[str, Any]) -> bool:
    return "check" in (cell.get("metadata") or {}).get("tags", [])


def plain(source: str) -> str:
    """Python alone: what only Jupyter understands has become comments, line for line."""
    if re.match(r"\s*%%(?!time|capture|timeit)\w", source):  # the cell is in another language
        return "".join("# " + line for line in source.splitlines(keepends=True))
    with contextlib.suppress(SyntaxError, ValueError):
        ast.parse(source)
        return source  # a % at the beginning of a line may go on with the one above
    return re.sub(r"(?m)^(\s*)(%(?=[%a-zA-Z])|!|\?)(.*)$", r"\1pass  # \2\3", source)
