"""What a wrong function's mistake is called: the tape's judge says it of a training that uses the function."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from byhand.diagnosis.check.book import Stopped
from byhand.diagnosis.check.results import Finding, title_of
from byhand.diagnosis.check.slices import Statement, needed
from byhand.diagnosis.findings import Place
from byhand.diagnosis.sandbox import Limits
from byhand.diagnosis.sources import Cell
from byhand.diagnosis.story import errors, running
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.text import first_line


@dataclass(frozen=True)
class Named:
    """A mistake, its line in the cell (0 when it stands in none of the function's), and the sentence."""

    id: str
    line: int
    evidence: str


def by_steps(function: str, steps: str, statements: Sequence[Statement], limits: Limits) -> Named | None:
    """What the judge says of a training by the function; None when it names nothing for sure."""
    defined = next((s for s in reversed(statements) if function in s.binds), None)
    kept = [s for s in needed(statements, [], [function]) if _is_definition(s.node)]
    if defined is None or not kept:
        return None
    text = ""
    starts: dict[int, int] = {}
    for s in kept:
        starts[id(s)] = text.count("\n") + 1
        lines = s.cell.source.splitlines()[first_line(s.node) - 1 : s.node.end_lineno]
        text += "\n".join(lines) + "\n"
    run = running.run(Program("notebook", text + steps.replace("{f}", function)), limits.wall_seconds)
    for finding in run.judgement.findings:
        if finding.certainty == "exact":
            home = defined if defined in kept else kept[-1]
            offset = finding.place.line - starts[id(home)] + first_line(home.node)
            inside = first_line(home.node) <= offset <= (home.node.end_lineno or 0)
            return Named(finding.id, offset if inside else 0, finding.message)
    return None


def of_error(error: Stopped, cells: Sequence[Cell], row: str) -> Finding:
    """A Python error, told as `byhand why` tells it, at the student's innermost line."""
    by_name = {cell.name: cell for cell in cells}
    cell_name, line = next(((c, n) for c, n in reversed(error.lines) if c in by_name), (error.cell, error.line))
    source = by_name[cell_name].source if cell_name in by_name else ""
    told = errors.explain(
        errors.ScriptError(error.type, error.message, Place(line)), Program(cell_name, source, cells=((cell_name, 1),))
    )
    lines = source.splitlines()
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return Finding(told.id, title_of(told.id), line, cell_name, told.message, row, told.certainty, text)


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef) or (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
    )
