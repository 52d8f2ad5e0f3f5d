"""`byhand.check()` inside a notebook: looks at what the cells have defined so far, and answers at once."""

from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
import types
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from byhand.diagnosis.check import asked, slices
from byhand.diagnosis.check.asked import QUESTIONS, Asked
from byhand.diagnosis.check.results import Question, Report
from byhand.diagnosis.check.slices import Statement
from byhand.diagnosis.sources import Cell, plain


class MistakeError(AssertionError):
    """Something is wrong, and nbgrader is grading. Jupyter shows the message alone: the traceback would lead to us."""

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


def check(*what: str, namespace: dict[str, Any] | None = None) -> Report:
    """Check what has been written so far, and print what is right, wrong, not done yet, or not judged.

    Nothing in the notebook is changed: what it has run so far is looked at in a process of its own.

    Parameters
    ----------
    *what : str
        Questions of the practical by their numbers, such as ``"2.4"``; functions and classes by their names, such as
        ``"backward"``; everything when left out.
    namespace : dict, optional
        Where to look; the caller's names by default.

    Returns
    -------
    Report
        The same in numbers; `report.findings`, `report.as_json()`.

    Raises
    ------
    ValueError
        When the practical has no question of that number.
    AssertionError
        When something is wrong and nbgrader is grading (it sets ``NBGRADER_EXECUTION``).

    Examples
    --------
    >>> byhand.check("2.7")  # doctest: +SKIP
    >>> byhand.check("backward")  # doctest: +SKIP
    """
    if namespace is None:
        frame = sys._getframe(1)
        namespace = {**frame.f_globals, **frame.f_locals}
    questions = [question for name in what if (question := asked.find(name)) is not None]
    names = [name for name in what if asked.find(name) is None]
    is_practical = getattr(namespace.get("question"), "__module__", "").startswith("byhand.lab")
    cells = _cells(namespace)
    title = "; ".join([*(q.heading for q in questions), *names]) or "this notebook"
    if questions or is_practical:
        report = _of_practical(cells, namespace, questions, names)
    else:
        report = _of_program(cells, names)
    report.file = title
    _print(report, with_summary=not what)
    if os.environ.get("NBGRADER_EXECUTION") and report.outcome == "wrong":
        raise MistakeError("; ".join(f"{f.question}: {f.title}" for f in report.findings) or "something is wrong")
    return report


def _of_practical(cells: list[Cell], namespace: dict[str, Any], questions: list[Asked], names: list[str]) -> Report:
    """What is asked about, judged with the questions that it rests on: a mistake of theirs is not told twice."""
    from byhand.diagnosis.check.practical import check_practical

    shown = questions or [q for q in QUESTIONS if not names or set(names) & {*q.functions, *q.values}]
    every = slices.statements(cells)
    behind = {name for q in shown for own in (*q.values, *q.functions) for name in slices.rests_on(every, own)}
    judged = [q for q in QUESTIONS if q in shown or behind & {*q.values, *q.functions}]
    texts = {f: _text_of(every, f) for q in judged for f in q.functions}
    doubtful = [q if q in shown else _without_functions(q, {f for f in texts if texts[f] in _right}) for q in judged]
    report = check_practical(cells, "", questions=doubtful, values=namespace)
    _right.update(texts[q.name] for q in report.questions if q.status == "right" and q.name in texts)
    parts = {q.number for q in shown}
    wanted = [q for q in report.questions if q.part in parts and (not names or q.name in names)]
    if not questions and not names:
        wanted = [q for q in wanted if q.status != "not done yet"]
    rows = {q.name for q in wanted}
    missing = [Question(name, "not done yet", "it is not defined") for name in names if name not in rows]
    return replace(report, questions=[*wanted, *missing], findings=[f for f in report.findings if f.question in rows])


_right: set[str] = set()
"""The texts of functions that were judged right: what rests on them need not have them called again."""


def _text_of(every: Sequence[Statement], function: str) -> str:
    """The function with all that it is made of."""
    return "\n".join(ast.unparse(s.node) for s in slices.needed(every, [], [function]))


def _without_functions(question: Asked, known: set[str]) -> Asked:
    return replace(question, functions=tuple(f for f in question.functions if f not in known))


def _of_program(cells: list[Cell], names: list[str]) -> Report:
    """Any other notebook: all that it has run, as one program."""
    from byhand.diagnosis.check.free import check_free
    from byhand.diagnosis.story.program import of_cells

    report = check_free(of_cells(cells, "this notebook"))
    told = " ".join(f"{q.name} {q.note}" for q in report.questions)
    defined = "\n".join(cell.source for cell in cells)
    for name in names:
        if f"def {name}(" not in defined and f"class {name}" not in defined:
            report.questions.append(Question(name, "not done yet", "it is not defined"))
        elif name not in told and report.outcome == "not judged":
            report.questions.append(Question(name, "not judged", "no training that uses it could be judged"))
    return report


def _print(report: Report, with_summary: bool) -> None:
    """As plain text, one block: in a notebook, rich would make a block of HTML of each line."""
    import io

    from rich.console import Console

    from byhand.diagnosis.check.report import show

    if not report.questions and not report.findings:
        text = f"· {report.file}: nothing here that a program could judge\n"
    elif report.questions and not report.findings and all(q.status == "not done yet" for q in report.questions):
        names = ", ".join(question.name for question in report.questions)
        text = f"○ {report.file}: not done yet ({names})\n"
    else:
        block = io.StringIO()
        console = Console(file=block, width=100, force_jupyter=False, force_terminal=False, color_system=None)
        show(report, console, with_summary)
        text = block.getvalue()
    sys.stdout.write(text)


def _cells(namespace: dict[str, Any]) -> list[Cell]:
    """What has been run: the cells as IPython keeps them, else the sources of functions and classes."""
    history: Sequence[str] = namespace.get("In") or []
    if "get_ipython" in namespace and len(history) > 1:
        return [Cell(f"In [{k}]", plain(text)) for k, text in enumerate(history) if "byhand.check(" not in text]
    return _sources(namespace)


def _sources(namespace: dict[str, Any]) -> list[Cell]:
    """Functions and classes, each a cell of its own name, after the imports; then what was hung on them."""
    cells, imports, attributes = [], [], []
    for name, value in namespace.items():
        if name.startswith("_"):
            continue
        if isinstance(value, types.ModuleType):
            imports.append(f"import {value.__name__} as {name}")
        elif inspect.isfunction(value) or inspect.isclass(value):
            if getattr(value, "__module__", None) not in ("__main__", namespace.get("__name__")):
                if hasattr(value, "__name__") and value.__name__.isidentifier():
                    imports.append(f"from {value.__module__} import {value.__name__} as {name}")
            elif value.__name__ == name and (source := _source(value)):
                cells.append(Cell(name, source))
                attributes += [
                    f"{name}.{key} = {other.__name__}"
                    for key, other in vars(value).items()
                    if inspect.isfunction(other)
                ]
            else:
                attributes.append(f"{name} = {value.__name__}")
    hung = [a for a in attributes if a.rpartition(" = ")[2] in namespace]
    return [Cell("imports", "\n".join(imports)), *cells, Cell("attributes", "\n".join(hung))]


def _source(value: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        return ""
