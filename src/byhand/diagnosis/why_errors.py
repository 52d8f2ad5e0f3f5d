"""Python's own errors, explained from the source: where a name is defined, which shapes met, which types."""

from __future__ import annotations

import ast
import builtins
import difflib
import math
import re
from typing import Any

from byhand.diagnosis.recording import Recording
from byhand.diagnosis.why_report import Finding

IMPORTS = {
    "np": "import numpy as np",
    "numpy": "import numpy",
    "plt": "import matplotlib.pyplot as plt",
    "matplotlib": "import matplotlib",
    "math": "import math",
    "random": "import random",
    "time": "import time",
    "os": "import os",
    "sys": "import sys",
    "pd": "import pandas as pd",
    "copy": "import copy",
    "itertools": "import itertools",
    "expit": "from scipy.special import expit",
}
DATA_NAME = re.compile(r"(x|y|inputs?|targets?|labels?|data)(_?(train|test|data|tr))?$", re.I)
_SHAPES = re.compile(r"\((\d+(?:,\s?\d*)*|\d*,?)\)")


def explain(recording: Recording) -> Finding | None:
    """What an exception means; None if the script ended without one."""
    error = recording.exception
    if error is None:
        return None
    kind, message = error["type"], error["message"]
    frames = error["frames"] or [{"line": 0, "scope": "", "locals": {}}]
    line = frames[-1]["line"]
    evidence: dict[str, Any] = {"error": f"{kind}: {message}"}
    if kind in ("NameError", "UnboundLocalError"):
        return _name(recording, kind, message, line, evidence)
    if kind in ("ModuleNotFoundError", "ImportError"):
        return Finding("missing-import", line, evidence | {"module": error.get("name")}, 0.5, f"{message}.")
    if "only 0-dimensional arrays" in message or "only length-1 arrays" in message or "only size-1 arrays" in message:
        return _scalar(recording, line, evidence, message)
    if "setting an array element with a sequence" in message:
        return _scalar(recording, line, evidence, message)
    if (
        kind in ("UFuncTypeError", "_UFuncOutputCastingError", "UFuncOutputCastingError")
        or "Cannot cast ufunc" in message
    ):
        name = _first_target(recording, line)
        return Finding(
            "integer-parameters",
            _definition_before(recording, name, line) or line,
            evidence | {"name": name},
            0.95,
            f"{name or 'A parameter'} holds integers, and the step at line {line} is not a whole number.",
        )
    if kind == "ValueError" and (
        "broadcast" in message or "matmul" in message or "aligned" in message or "dimension" in message
    ):
        return _shapes(recording, line, evidence, message, frames[-1]["locals"])
    if kind == "SyntaxError" or kind in ("IndentationError", "TabError"):
        return Finding("syntax-error", line, evidence, 0.9, f"Python cannot read line {line}: {message}.")
    if kind == "IndexError":
        return Finding("shape-mismatch", line, evidence, 0.6, f"an index points outside its array: {message}.")
    if kind == "ZeroDivisionError" or "math domain error" in message:
        return Finding("log-of-zero", line, evidence, 0.7, f"{message} at line {line}.")
    if kind == "OverflowError" or kind == "FloatingPointError":
        return Finding(
            "learning-rate-too-high", line, evidence, 0.5, f"the numbers overflow at line {line}: {message}."
        )
    return Finding("unknown-error", line, evidence, 0.3, f"Python stops at line {line} with {kind}: {message}.")


def _name(recording: Recording, kind: str, message: str, line: int, evidence: dict[str, Any]) -> Finding:
    match = re.search(r"'([^']+)'", message)
    name = match.group(1) if match else ""
    evidence["name"] = name
    try:
        tree = ast.parse(recording.source)
    except SyntaxError:
        tree = ast.Module([], [])
    definitions = _definitions(tree, name)
    if kind == "UnboundLocalError":
        scope = recording.exception["frames"][-1]["scope"] if recording.exception else ""
        evidence["scope"] = scope
        outside = [d for d in definitions if d[1] == ""]
        if outside:
            return Finding(
                "name-before-definition",
                line,
                evidence | {"defined_at": outside[0][0]},
                0.9,
                f"in {scope} the name {name} is assigned, which makes it local there; it is read at line {line} before "
                f"that. Line {outside[0][0]} defines another, global {name}: say `global {name}` in {scope}, or pass "
                "it in and return it.",
            )
        return Finding(
            "name-before-definition", line, evidence, 0.9, f"{name} is read at line {line} before {scope} assigns it."
        )
    if definitions:
        later = [d for d in definitions if d[0] > line] or definitions
        scope_note = f" (inside {later[0][1]}, whose names the outside does not see)" if later[0][1] else ""
        if later[0][1] and not any(d[1] == "" for d in definitions):
            return Finding(
                "undefined-name",
                line,
                evidence | {"defined_at": later[0][0]},
                0.85,
                f"{name} is defined only at line {later[0][0]}{scope_note}, so line {line} does not know it.",
            )
        outer = [d for d in definitions if d[1] == ""]
        at = outer[0][0] if outer else later[0][0]
        return Finding(
            "name-before-definition",
            line,
            evidence | {"defined_at": at},
            0.97,
            f"line {line} uses {name}, which only line {at} defines: a script runs from top to bottom.",
        )
    if name in IMPORTS:
        return Finding(
            "missing-import",
            line,
            evidence | {"import": IMPORTS[name]},
            0.98,
            f"line {line} uses {name}, and no line imports it. Put at the top: {IMPORTS[name]}",
        )
    known = _all_names(tree) | set(dir(builtins))
    near = [] if DATA_NAME.match(name) else difflib.get_close_matches(name, known - {name}, 1, 0.75)
    hint = f" Did you mean {near[0]}?" if near else " In a notebook an earlier cell may define it."
    return Finding(
        "undefined-name",
        line,
        evidence | ({"similar": near[0]} if near else {}),
        0.95,
        f"line {line} uses {name}, which no line defines.{hint}",
    )


def _definitions(tree: ast.Module, name: str) -> list[tuple[int, str]]:
    """Where a name is defined: line and function ("" for the top level)."""
    found: list[tuple[int, str]] = []

    def walk(node: ast.AST, scope: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                if child.name == name:
                    found.append((child.lineno, scope))
                inner = child.name
                if isinstance(child, ast.FunctionDef):
                    declared = {n for s in ast.walk(child) if isinstance(s, ast.Global) for n in s.names}
                    if name in declared:
                        continue
                    if name in {a.arg for a in child.args.args}:
                        continue
            elif isinstance(child, ast.Name) and child.id == name and isinstance(child.ctx, ast.Store):
                found.append((child.lineno, scope))
            elif isinstance(child, ast.Import | ast.ImportFrom):
                names = [alias.asname or alias.name.split(".")[0] for alias in child.names]
                found.extend([(child.lineno, scope)] * names.count(name))
            walk(child, inner)

    walk(tree, "")
    return sorted(found)


def _all_names(tree: ast.Module) -> set[str]:
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    names |= {a.arg for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) for a in n.args.args}
    for n in ast.walk(tree):
        if isinstance(n, ast.Import | ast.ImportFrom):
            names |= {a.asname or a.name.split(".")[0] for a in n.names}
    return names


def _scalar(recording: Recording, line: int, evidence: dict[str, Any], message: str) -> Finding:
    r = recording
    shape = None
    for t in range(r.end - 1, max(-1, r.end - 40), -1):
        known = r.at(t) == line and r.value_id(t) >= 0 and r.shape(t) != ()
        if known and r.site(t)["kind"] in ("op", "call", "load", "subscript"):
            shape = r.shape(t)
            break
    if shape is not None and math.prod(shape) > 1:
        return Finding(
            "shape-mismatch",
            line,
            evidence | {"shape": list(shape)},
            0.8,
            f"line {line} puts an array of shape {shape} where one number belongs.",
        )
    text = str(shape) if shape else "(1,)"
    return Finding(
        "size-one-array-to-scalar",
        line,
        evidence | {"shape": list(shape or (1,))},
        0.95,
        f"line {line} puts an array of shape {text} where a number belongs; take the number out, with [0] or .item().",
    )


def _first_target(recording: Recording, line: int) -> str:
    for site in recording.sites:
        if site["line"] == line and site["kind"] in ("assign", "augassign"):
            return str(site["name"])
    return ""


def _definition_before(recording: Recording, name: str, line: int) -> int | None:
    tail = name.rsplit(".", 1)[-1]
    lines = [
        s["line"]
        for s in recording.sites
        if s["kind"] == "assign" and str(s["name"]).rsplit(".", 1)[-1] == tail and s["line"] < line
    ]
    return lines[0] if lines else None


def _shapes(recording: Recording, line: int, evidence: dict[str, Any], message: str, held: dict[str, Any]) -> Finding:
    r = recording
    shapes = [tuple(int(n) for n in re.findall(r"\d+", s)) for s in _SHAPES.findall(message)]
    evidence["shapes"] = [list(s) for s in shapes]
    operation = _operation_at(recording, line)
    text = recording.line(line)
    names = {
        name: tuple(value["shape"])
        for name, value in held.items()
        if "shape" in value and re.search(rf"\b{name}\b", text)
    }
    evidence["names"] = {name: list(shape) for name, shape in names.items()}
    where = ", ".join(f"{name} {shape}" for name, shape in names.items())
    # Two operands of one shape in a product of matrices: element by element was meant.
    pair = _last_operands(r, line)
    is_dot = "aligned" in message or "matmul" in message or operation in ("dot", "matmul", "@")
    alike = pair is not None and pair[0] == pair[1] and len(pair[0]) == 2 and pair[0][0] != pair[0][1]
    if is_dot and pair is not None and alike and _is_backward(recording, line):
        return Finding(
            "dot-instead-of-elementwise",
            line,
            evidence,
            0.9,
            f"line {line} takes the matrix product of two arrays of the same shape {pair[0]}, which belong "
            "multiplied element by element: * in place of the dot.",
        )
    return Finding(
        "shape-mismatch",
        line,
        evidence,
        0.9,
        f"at line {line} the shapes do not fit: {message}." + (f" There: {where}." if where else ""),
    )


def _operation_at(recording: Recording, line: int) -> str:
    for site in recording.sites:
        if (
            site["line"] == line
            and site["kind"] in ("op", "call")
            and site.get("op") in ("MatMult", "dot", "matmul", ".dot")
        ):
            return "dot"
    return ""


def _last_operands(r: Recording, line: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The shapes that met in the product that failed: its operands happened, its result did not."""
    latest: dict[int, int] = {}
    for t in range(r.end):
        latest[int(r.events["site"][t])] = t
    best, best_t = None, -1
    for number, site in enumerate(r.sites):
        if site["line"] > line or site["end_line"] < line:
            continue
        if site["kind"] not in ("op", "call") or site.get("op") not in ("MatMult", "dot", "matmul", ".dot"):
            continue
        operands = [latest.get(o["site"], -1) for o in site["operands"] if "site" in o]
        if len(operands) < 2 or min(operands) < 0 or max(operands) < latest.get(number, -1):
            continue
        if max(operands) > best_t:
            best, best_t = (r.shape(operands[0]), r.shape(operands[1])), max(operands)
    return best


def _is_backward(recording: Recording, line: int) -> bool:
    """Whether some product came before: the first in a script is a forward one."""
    r = recording
    return any(
        r.at(t) != line
        for t in range(r.end)
        if r.site(t)["kind"] in ("op", "call") and r.site(t).get("op") in ("MatMult", "dot", "matmul", ".dot")
    )
