"""`byhand.check()` inside a notebook: looks at what the cells have defined so far, and answers at once."""

from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
import types
from collections.abc import Sequence
from typing import Any

from byhand.diagnosis import asked
from byhand.diagnosis.asked import Asked
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.check_results import Finding, Question, Report
from byhand.diagnosis.sources import Cell


def check(*what: str, namespace: dict[str, Any] | None = None) -> Report:
    """Check what has been written so far, and print what is right, wrong, or not done yet.

    Nothing in the notebook is changed: the functions are copied, with the arrays that lie about, into a process of
    their own.

    Parameters
    ----------
    *what : str
        Questions of the practical by their numbers, such as ``"2.4"``; functions by their names, such as
        ``"backward"``; all functions when left out.
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
    functions = [name for name in what if asked.find(name) is None]
    report = Report("; ".join(q.heading for q in questions) or "this notebook")
    if functions or not what:
        _check_functions(report, namespace, functions)
    for question in questions:
        if question.functions:
            _check_functions(report, namespace, question.functions, question.number)
        _add_values(report, question, namespace)
    _print(report, with_summary=not what)
    if os.environ.get("NBGRADER_EXECUTION") and not report.is_right:
        raise AssertionError("; ".join(f.title for f in report.findings) or "something is wrong")
    return report


def _print(report: Report, with_summary: bool) -> None:
    """As plain text: in a notebook, rich would make a block of HTML of each line."""
    from rich.console import Console

    from byhand.diagnosis.check_report import show

    if not report.questions and not report.findings:
        print(f"· {report.file}: nothing here that a program could judge")  # noqa: T201
    elif report.questions and not report.findings and all(q.status == "not done yet" for q in report.questions):
        names = ", ".join(question.name for question in report.questions)
        print(f"○ {report.file}: not done yet ({names})")  # noqa: T201
    else:
        console = Console(file=sys.stdout, width=100, force_jupyter=False, force_terminal=False, color_system=None)
        show(report, console, with_summary)


def _check_functions(
    report: Report, namespace: dict[str, Any], functions: Sequence[str], number: str | None = None
) -> None:
    """Add what is found about these functions (about all of them when none is named) to the report."""
    from byhand.diagnosis.check import LIMITS, check_cells

    there = [name for name in functions if callable(namespace.get(name))]
    if there or not functions:
        found = check_cells(
            _cells(namespace, there),
            report.file,
            LIMITS,
            _values(namespace),
            there or None,
            is_practical=getattr(namespace.get("question"), "__module__", "").startswith("byhand.lab"),
        )
        questions = [q for q in found.questions if _is_meant(q, there, number)]
        names = {question.name for question in questions}
        report.questions += questions
        report.findings += [
            f for f in found.findings if not functions or f.question in names or (f.cell in there and not f.question)
        ]
        report.notes += found.notes
        told = names | {f.cell for f in report.findings}
        for name in there:
            if not any(_names_it(one, name) for one in told):
                report.questions.append(Question(name, "unclear", _why_unclear(name), number or ""))
    report.questions += [Question(f, "not done yet", "it is not defined") for f in functions if f not in there]


def _is_meant(question: Question, functions: Sequence[str], number: str | None) -> bool:
    if not functions or question.name in functions:
        return True
    if number is not None:
        return question.part == number
    return any(_names_it(question.name, name) for name in functions)


def _why_unclear(name: str) -> str:
    if name == "backward":
        return "I could not run it together with a forward function; is that one done?"
    return "I could not run it on inputs of mine"


def _add_values(report: Report, question: Asked, namespace: dict[str, Any]) -> None:
    for answer in asked.answers(question, namespace):
        report.questions.append(Question(answer.name, answer.status, answer.evidence, question.number))
        if answer.status == "wrong" and answer.id:
            title = CATALOGUE[answer.id].title
            report.findings.append(Finding(answer.id, title, None, "", answer.evidence, 0.9, answer.name))


def _names_it(question: str, function: str) -> bool:
    return function in question.replace("(", " ").replace(")", " ").replace(".", " ").split()


def _cells(namespace: dict[str, Any], wanted: list[str]) -> list[Cell]:
    """The sources of functions and classes, each a cell of its own name, after the imports that they use.

    Functions that call byhand are the practical's own judges: they are left out, unless they are wanted.
    """
    sources = {name: source for name, value in namespace.items() if (source := _source(name, value, namespace))}
    used = {name: _used_names(source) for name, source in sources.items()}
    chosen = {name for name in sources if "byhand" not in used[name]} | set(wanted)
    while more := {other for name in chosen for other in used.get(name, set()) if other in sources} - chosen:
        chosen |= more
    imported = set().union(*(used.get(name, set()) for name in chosen))
    imports, attributes = [], []
    for name, value in namespace.items():
        if name in imported and isinstance(value, types.ModuleType):
            imports.append(f"import {value.__name__} as {name}")
        elif name in imported and name not in sources and (inspect.isfunction(value) or inspect.isclass(value)):
            if _is_theirs(value, namespace):
                attributes.append(f"{name} = {value.__name__}")
            else:
                imports.append(f"from {value.__module__} import {value.__name__} as {name}")
        elif name in chosen and inspect.isfunction(value):
            attributes += [
                f"{name}.{key} = {other.__name__}"
                for key, other in vars(value).items()
                if inspect.isfunction(other) and other.__name__ in chosen
            ]
    functions = [Cell(name, source) for name, source in sources.items() if name in chosen]
    return [*(Cell("imports", line) for line in imports), *functions, *(Cell("attributes", a) for a in attributes)]


def _source(name: str, value: Any, namespace: dict[str, Any]) -> str:
    """The text of one of their functions or classes; "" for everything else, and for other names of the same thing."""
    if name.startswith("_") or not (inspect.isfunction(value) or inspect.isclass(value)):
        return ""
    if not _is_theirs(value, namespace) or value.__name__ != name:
        return ""
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        return ""


def _used_names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def _is_theirs(value: Any, namespace: dict[str, Any]) -> bool:
    return getattr(value, "__module__", None) in ("__main__", namespace.get("__name__"))


def _values(namespace: dict[str, Any]) -> dict[str, Any]:
    """Arrays and numbers, and lists and dictionaries of them."""
    from byhand.diagnosis.sandboxed import pack_value

    values = {}
    for name, value in namespace.items():
        if not name.startswith("_") and not callable(value) and (packed := pack_value(value)) is not None:
            values[name] = packed
    return values
