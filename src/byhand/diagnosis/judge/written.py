"""Where a number stands in the text that a line takes under some name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from byhand.diagnosis.findings import Place


@dataclass(frozen=True)
class _Number:
    """Where a number stands, the name that it is given to, and whether that is what calls fall back upon."""

    place: Place
    name: str
    is_default: bool


def where_written(texts: Mapping[str, str], value: float, use: Place) -> Place | None:
    """The line where a number is written that another line uses; None where the text does not tell.

    Of several lines those count where it is given to a name that is used there, and of those the ones that give it in a
    call or an assignment before the ones that a call falls back upon.
    """
    found = [number for file, text in texts.items() for number in _numbers(text, file, value)]
    used = _names_in(texts[use.file], use.line) if use.file in texts else set()
    found = [n for n in found if n.name in used] or found
    found = [n for n in found if not n.is_default] or found
    places = list({n.place for n in found})
    return places[0] if len(places) == 1 else None


def where_returned(texts: Mapping[str, str], made: Place, name: str, use: Place) -> Place | None:
    """The line that gives a value back, by its name, from the function that made it; None if it is used in there."""
    functions = [n for n in ast.walk(ast.parse(texts.get(made.file, ""))) if isinstance(n, ast.FunctionDef)]
    around = [f for f in functions if f.lineno <= made.line <= (f.end_lineno or 0)]
    inner = max(around, key=lambda f: f.lineno, default=None)
    if inner is None or (use.file == made.file and inner.lineno <= use.line <= (inner.end_lineno or 0)):
        return None
    returned = [n for n in ast.walk(inner) if isinstance(n, ast.Return)]
    lines = [n.lineno for n in returned if name in map(ast.unparse, ast.walk(n))]
    return Place(lines[-1], made.file) if lines else None


def _names_in(text: str, line: int) -> set[str]:
    """The names and attributes that a line has."""
    nodes = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.expr) and n.lineno <= line <= (n.end_lineno or 0)
    ]
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


def _numbers(text: str, file: str, value: float) -> Iterator[_Number]:
    tree = ast.parse(text)
    signatures = _signatures(tree)
    named: dict[ast.expr, str] = {}
    defaults: dict[ast.expr, str] = {}
    for n in ast.walk(tree):
        if isinstance(n, ast.Assign):
            named |= dict(_pairs(n.targets[0], n.value))
        elif isinstance(n, ast.AnnAssign) and n.value is not None:
            named |= dict(_pairs(n.target, n.value))
        elif isinstance(n, ast.Call):
            named |= dict(zip(n.args, signatures.get(_last(n.func), []), strict=False))
            named |= {k.value: k.arg or "" for k in n.keywords}
        elif isinstance(n, ast.Dict):
            named |= {v: str(k.value) for k, v in zip(n.keys, n.values, strict=True) if isinstance(k, ast.Constant)}
        elif isinstance(n, ast.arguments):
            plain = [*n.posonlyargs, *n.args]
            defaults |= {d: a.arg for a, d in zip(plain[::-1], n.defaults[::-1], strict=False)}
            defaults |= {d: a.arg for a, d in zip(n.kwonlyargs, n.kw_defaults, strict=True) if d is not None}
    for n in ast.walk(tree):
        if isinstance(n, ast.Constant) and type(n.value) in (int, float) and n.value == value:
            yield _Number(Place(n.lineno, file), named.get(n) or defaults.get(n, ""), n in defaults)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """What is assigned, with the names that it is assigned to."""
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for t, v in zip(target.elts, value.elts, strict=False):
            yield from _pairs(t, v)
    else:
        yield value, _last(target)


def _last(target: ast.expr) -> str:
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def _signatures(tree: ast.Module) -> dict[str, list[str]]:
    """The names of what functions take, by their name; of what makes an object, by its class's."""
    found = {}
    for n in ast.walk(tree):
        if isinstance(n, ast.FunctionDef):
            names = [a.arg for a in n.args.args]
            found[n.name] = names[1:] if names[:1] == ["self"] else names
        if isinstance(n, ast.ClassDef):
            makers = [m for m in n.body if isinstance(m, ast.FunctionDef) and m.name == "__init__"]
            found[n.name] = [a.arg for m in makers for a in m.args.args[1:]]
    return found
