"""Mend a copy of a script, where the mending is a change of text that can be made without understanding it all."""

from __future__ import annotations

import ast
import re

from byhand.diagnosis.why_errors import DATA_NAME, IMPORTS
from byhand.diagnosis.why_report import Finding

XOR = {
    "inputs": "[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]",
    "targets": "[[0.0], [1.0], [1.0], [0.0]]",
}


def mend(source: str, finding: Finding) -> tuple[str, str] | None:
    """The script with one finding mended, and what was done in words; None if that takes more than text.

    Parameters
    ----------
    source : str
    finding : Finding
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    name = str(finding.evidence.get("name", ""))
    match finding.id:
        case "missing-import" if "import" in finding.evidence:
            return _import_all(source, tree, str(finding.evidence["import"]))
        case "name-before-definition" if "scope" in finding.evidence:
            return _global(source, tree, str(finding.evidence["scope"]), name)
        case "name-before-definition":
            return _move_up(source, tree, finding.line, int(finding.evidence["defined_at"]), name)
        case "undefined-name":
            return _define(source, tree, finding, name)
        case "size-one-array-to-scalar":
            return _item(source, tree, finding.line)
        case "integer-parameters":
            return _float(source, tree, finding.line)
        case "learning-rate-too-high":
            return _slower(source, finding)
        case "broadcast-error-matrix":
            return _column(source, tree, finding)
    return None


def _import_all(source: str, tree: ast.Module, first: str) -> tuple[str, str]:
    """All customary imports that are missing, not only the one that Python met first."""
    nodes = list(ast.walk(tree))
    known = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    known |= {
        a.asname or a.name.split(".")[0] for n in nodes if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names
    }
    used = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    wanted = [
        first,
        *(IMPORTS[n] for n in ("np", "plt", "math", "random") if n in used - known and IMPORTS[n] != first),
    ]
    return _insert(source, _top(tree), "\n".join(wanted)), f"with {' and '.join(wanted)} at the top"


def _top(tree: ast.Module) -> int:
    """The line before which an import may stand."""
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            continue
        return node.lineno
    return 1


def _insert(source: str, line: int, text: str) -> str:
    lines = source.splitlines()
    return "\n".join([*lines[: line - 1], text, *lines[line - 1 :]]) + "\n"


def _statement(tree: ast.Module, line: int) -> ast.stmt | None:
    """The top-level statement that a line is in."""
    return next((s for s in tree.body if s.lineno <= line <= (s.end_lineno or s.lineno)), None)


def _innermost(tree: ast.Module, line: int) -> ast.stmt | None:
    found = None
    for node in ast.walk(tree):
        holds = isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
        if isinstance(node, ast.stmt) and holds and (found is None or node.lineno >= found.lineno):
            found = node
    return found


def _move_up(source: str, tree: ast.Module, line: int, defined_at: int, name: str) -> tuple[str, str] | None:
    definition = _statement(tree, defined_at)
    use = _statement(tree, line)
    if definition is None or use is None:
        return None
    if isinstance(use, ast.FunctionDef | ast.ClassDef):
        # the name is missing when the function is called: the definition goes before the first call
        use = next((s for s in tree.body if s.lineno > (use.end_lineno or 0) and s.lineno < definition.lineno), None)
        called = [
            s
            for s in tree.body
            if s.lineno < definition.lineno
            and not isinstance(s, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
        ]
        use = called[0] if called else use
    if use is None or definition.lineno <= use.lineno:
        return None
    first, last = definition.lineno - 1, definition.end_lineno or definition.lineno
    decorators = getattr(definition, "decorator_list", [])
    if decorators:
        first = decorators[0].lineno - 1
    lines = source.splitlines()
    moved = lines[first:last]
    rest = lines[:first] + lines[last:]
    at = use.lineno - 1
    return "\n".join(
        [*rest[:at], *moved, *rest[at:]]
    ) + "\n", f"with the definition of {name} (line {defined_at}) moved above line {line}"


def _global(source: str, tree: ast.Module, scope: str, name: str) -> tuple[str, str] | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == scope:
            first = node.body[0]
            body_indent = " " * first.col_offset
            return _insert(source, first.lineno, f"{body_indent}global {name}"), f"with `global {name}` in {scope}"
    return None


def _define(source: str, tree: ast.Module, finding: Finding, name: str) -> tuple[str, str] | None:
    similar = finding.evidence.get("similar")
    if similar:
        lines = source.splitlines()
        k = finding.line - 1
        lines[k] = re.sub(rf"\b{re.escape(name)}\b", str(similar), lines[k])
        return "\n".join(lines) + "\n", f"with {similar} in place of {name} in line {finding.line}"
    alias = numpy_alias(source)
    statement = _first_use(tree, name)
    if statement is None or alias is None:
        return None
    if DATA_NAME.match(name):
        is_target = name.lower().startswith(("y", "target", "label"))
        values = XOR["targets" if is_target else "inputs"]
        return (
            _insert(source, statement.lineno, f"{name} = {alias}.array({values})"),
            f"with the XOR data as {name}, which an earlier cell of a notebook may have defined",
        )
    return None


def _first_use(tree: ast.Module, name: str) -> ast.stmt | None:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        if any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(statement)):
            return statement
    return next((s for s in tree.body if not isinstance(s, ast.Import | ast.ImportFrom)), None)


def numpy_alias(source: str) -> str | None:
    """What the script calls NumPy; None if it does not import it."""
    match = re.search(r"^\s*import numpy(?:\s+as\s+(\w+))?", source, re.M)
    return (match.group(1) or "numpy") if match else None


def _replace(source: str, node: ast.expr, text: str) -> str:
    lines = source.splitlines(keepends=True)
    encoded = [line.encode() for line in lines]
    starts = [0]
    for line in encoded:
        starts.append(starts[-1] + len(line))
    data = source.encode()
    low = starts[node.lineno - 1] + node.col_offset
    high = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
    return (data[:low] + text.encode() + data[high:]).decode()


def _item(source: str, tree: ast.Module, line: int) -> tuple[str, str] | None:
    statement = _innermost(tree, line)
    alias = numpy_alias(source)
    if not isinstance(statement, ast.Assign | ast.AugAssign) or alias is None:
        return None
    text = ast.get_source_segment(source, statement.value) or ""
    return (
        _replace(source, statement.value, f"{alias}.asarray({text}).item()"),
        f"with the one number taken out of the array in line {line}",
    )


def _float(source: str, tree: ast.Module, line: int) -> tuple[str, str] | None:
    statement = _innermost(tree, line)
    if not isinstance(statement, ast.Assign):
        return None
    text = ast.get_source_segment(source, statement.value) or ""
    return _replace(source, statement.value, f"({text}).astype(float)"), f"with floats in line {line}"


def _slower(source: str, finding: Finding) -> tuple[str, str] | None:
    value = finding.evidence.get("learning_rate")
    experiment = finding.experiment
    if not value or experiment is None or not experiment.cured:
        return None
    divisor = float(experiment.what.rsplit(" ", 1)[-1])
    lines = source.splitlines()
    k = finding.line - 1
    if not 0 <= k < len(lines):
        return None
    for match in re.finditer(r"\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+", lines[k]):
        if abs(float(match.group().replace("_", "")) - value) <= 1e-9 * value:
            new = f"{value / divisor:g}"
            lines[k] = lines[k][: match.start()] + new + lines[k][match.end() :]
            return "\n".join(lines) + "\n", f"with a learning rate of {new} in line {finding.line}"
    return None


def _column(source: str, tree: ast.Module, finding: Finding) -> tuple[str, str] | None:
    shapes = finding.evidence.get("shapes", [])
    statement = _innermost(tree, finding.line)
    if statement is None or len(shapes) != 2:
        return None
    for node in ast.walk(statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            flat = node.left if len(shapes[0]) == 1 else node.right
            if isinstance(flat, ast.Name | ast.Attribute | ast.Subscript):
                text = ast.get_source_segment(source, flat) or ""
                return _replace(
                    source, flat, f"{text}.reshape(-1, 1)"
                ), f"with {text}.reshape(-1, 1) in line {finding.line}"
    return None


def with_seed(source: str, further: int) -> tuple[str, int] | None:
    """The script with the first seed that it sets so much further on, and that seed; None if it sets none."""
    match = re.search(r"(seed\(|default_rng\(|RandomState\()\s*(\d+)\s*\)", source)
    if match is None:
        return None
    seed = int(match.group(2)) + further
    return source[: match.start(2)] + str(seed) + source[match.end(2) :], seed
