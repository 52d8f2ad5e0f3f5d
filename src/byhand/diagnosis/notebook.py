"""`byhand.check()` inside a notebook: looks at what the cells have defined so far, and answers at once."""

from __future__ import annotations

import inspect
import os
import sys
import textwrap
import types
from typing import Any

import numpy as np

from byhand.diagnosis.check import LIMITS, Report, check_cells
from byhand.diagnosis.sandboxed import pack
from byhand.diagnosis.sources import Cell


def check(*functions: str, namespace: dict[str, Any] | None = None) -> Report:
    """Check the functions written so far, and print what is right, wrong, or not done yet.

    Nothing in the notebook is changed: the functions are copied, with the arrays that lie about, into a process of
    their own.

    Parameters
    ----------
    *functions : str
        Their names, such as ``"backward"``; all of them when left out.
    namespace : dict, optional
        Where to look; the caller's names by default.

    Returns
    -------
    Report
        The same in numbers; `report.findings`, `report.as_json()`.

    Raises
    ------
    AssertionError
        When something is wrong and nbgrader is grading (it sets ``NBGRADER_EXECUTION``).

    Examples
    --------
    >>> byhand.check("backward")  # doctest: +SKIP
    """
    from rich.console import Console

    from byhand.diagnosis.check_report import show

    if namespace is None:
        frame = sys._getframe(1)
        namespace = {**frame.f_globals, **frame.f_locals}
    report = check_cells(_cells(namespace), "this notebook", LIMITS, _values(namespace))
    for name in functions:
        if name not in namespace:
            print(f"○ {name}: not done yet (it is not defined)")  # noqa: T201
    if functions:
        report.questions = [q for q in report.questions if _concerns(q.name, functions)]
        report.findings = [f for f in report.findings if _concerns(f.question, functions) or f.cell in functions]
    show(report, Console(file=sys.stdout, width=100))
    if os.environ.get("NBGRADER_EXECUTION") and not report.is_right:
        raise AssertionError("; ".join(f.title for f in report.findings) or "something is wrong")
    return report


def _concerns(question: str, functions: tuple[str, ...]) -> bool:
    words = question.replace("(", " ").replace(")", " ").replace(".", " ").split()
    return any(name in words for name in functions)


def _cells(namespace: dict[str, Any]) -> list[Cell]:
    """The sources of the functions and classes, each a cell of its own name, after the imports that they use."""
    imports, cells, attributes = [], [], []
    for name, value in namespace.items():
        if name.startswith("_"):
            continue
        if isinstance(value, types.ModuleType):
            imports.append(f"import {value.__name__} as {name}")
        elif inspect.isfunction(value) or inspect.isclass(value):
            if not _is_theirs(value, namespace):
                module = getattr(value, "__module__", "")
                if module:
                    imports.append(f"from {module} import {value.__name__} as {name}")
                continue
            try:
                cells.append(Cell(name, textwrap.dedent(inspect.getsource(value))))
            except (OSError, TypeError):
                continue
            if inspect.isfunction(value):
                attributes += [
                    f"{name}.{key} = {other.__name__}"
                    for key, other in vars(value).items()
                    if inspect.isfunction(other)
                ]
    return [*(Cell("imports", line) for line in imports), *cells, *(Cell("attributes", line) for line in attributes)]


def _is_theirs(value: Any, namespace: dict[str, Any]) -> bool:
    return getattr(value, "__module__", None) in ("__main__", namespace.get("__name__"))


def _values(namespace: dict[str, Any]) -> dict[str, Any]:
    """Arrays and numbers, and lists and dictionaries of them."""
    values = {}
    for name, value in namespace.items():
        if not name.startswith("_") and not callable(value) and (packed := _packed(value)) is not None:
            values[name] = packed
    return values


def _packed(value: Any, depth: int = 3) -> Any:
    if isinstance(value, bool | int | float):
        return {"number": value}
    if isinstance(value, dict) and depth and value:
        items = {key: _packed(item, depth - 1) for key, item in value.items() if isinstance(key, str)}
        return {"dict": items} if len(items) == len(value) and None not in items.values() else None
    if isinstance(value, list | tuple) and depth and value and len(value) < 50:
        elements = [_packed(item, depth - 1) for item in value]
        return {"list": elements} if None not in elements else None
    if isinstance(value, np.ndarray | np.number) and value.size < 100_000 and (array := pack(value)) is not None:
        return {"array": array}
    return None
