"""What the text tells of a line: where a number stands that it uses, or a list that it is repeated for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from byhand.diagnosis.findings import Place

_GOES_OVER = {"zip", "enumerate", "reversed", "list", "tuple", "sorted"}


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


def where_dropped(texts: Mapping[str, str], places: Sequence[Place]) -> Place | None:
    """The first of some lines that is a call whose result is put nowhere."""
    for place in places:
        calls = [n for n in ast.walk(ast.parse(texts.get(place.file, ""))) if isinstance(n, ast.Expr)]
        if any(n.lineno == place.line and isinstance(n.value, ast.Call) for n in calls):
            return place
    return None


def is_asked_for(texts: Mapping[str, str], place: Place) -> bool:
    """Whether a line is done in a function on a condition alone."""
    tree = ast.parse(texts.get(place.file, ""))
    function = _function_at(tree, place.line)
    asked = [n for n in ast.walk(function) if isinstance(n, ast.If | ast.IfExp)] if function is not None else []
    return any(n.lineno <= place.line <= (n.end_lineno or 0) for n in asked)


def is_in_loop(texts: Mapping[str, str], use: Place, loop: Place) -> bool:
    """Whether a line is done again in each turn of the loop that stands in another."""
    around = _loops_around(texts, use)
    return use.file == loop.file and any(n.lineno == loop.line for n in around)


def _loops_around(texts: Mapping[str, str], use: Place) -> list[ast.For]:
    tree = ast.parse(texts.get(use.file, ""))
    return [n for n in ast.walk(tree) if isinstance(n, ast.For) and n.lineno < use.line <= (n.end_lineno or 0)]


def where_listed(texts: Mapping[str, str], use: Place) -> Place | None:
    """The line that says what a loop around another line goes over; None if that line stands in no loop."""
    if use.file not in texts:
        return None
    tree = ast.parse(texts[use.file])
    loop = max(_loops_around(texts, use), key=lambda n: n.lineno, default=None)
    if loop is None:
        return None
    return Place(_source(tree, loop.iter, _function_at(tree, loop.lineno)), use.file)


def _source(tree: ast.Module, value: ast.expr, scope: ast.FunctionDef | None, depth: int = 6) -> int:
    """The line where a list is written out that is handed on by names, as far as there is one way to it."""
    handed: list[tuple[ast.expr, ast.FunctionDef | None]] = []
    own = [a.arg for a in scope.args.args] if scope is not None else []
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _GOES_OVER and value.args:
        handed = [(value.args[0], scope)]
    elif isinstance(value, ast.Call):
        called = [f for f in _functions(tree) if f.name == _last(value.func)]
        returned = [n for f in called for n in ast.walk(f) if isinstance(n, ast.Return) and n.value is not None]
        handed = [(n.value, called[0]) for n in returned if n.value is not None]
    elif isinstance(value, ast.Name) and scope is not None and value.id in own:
        handed = list(_arguments(tree, scope, value.id))
    elif _last(value):
        assigned = [n for n in ast.walk(tree) if isinstance(n, ast.Assign) and _last(n.targets[0]) == _last(value)]
        handed = [(n.value, _function_at(tree, n.lineno)) for n in assigned]
    if len(handed) != 1 or not depth:
        return value.lineno
    return _source(tree, *handed[0], depth - 1)


def _arguments(
    tree: ast.Module, function: ast.FunctionDef, name: str
) -> Iterator[tuple[ast.expr, ast.FunctionDef | None]]:
    """What the calls of a function, or of the class that it makes objects of, give for an argument."""
    owners = [c.name for c in ast.walk(tree) if isinstance(c, ast.ClassDef) and function in c.body]
    called = owners[0] if owners and function.name == "__init__" else function.name
    names = _signatures(tree).get(called, [])
    for n in ast.walk(tree):
        if isinstance(n, ast.Call) and _last(n.func) == called:
            given = dict(zip(names, n.args, strict=False)) | {k.arg: k.value for k in n.keywords}
            if name in given:
                yield given[name], _function_at(tree, n.lineno)


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]


def _function_at(tree: ast.Module, line: int) -> ast.FunctionDef | None:
    """The innermost function that a line stands in."""
    around = [f for f in _functions(tree) if f.lineno <= line <= (f.end_lineno or 0)]
    return max(around, key=lambda f: f.lineno, default=None)


def where_returned(texts: Mapping[str, str], made: Place, name: str, use: Place) -> Place | None:
    """The line that gives a value back, by its name or a list's that it was put into, from the function that made it.

    None if it is used in there.
    """
    inner = _function_at(ast.parse(texts.get(made.file, "")), made.line)
    if inner is None or (use.file == made.file and inner.lineno <= use.line <= (inner.end_lineno or 0)):
        return None
    returned = [n for n in ast.walk(inner) if isinstance(n, ast.Return)]
    calls = [(n, n.func) for n in ast.walk(inner) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    put = {ast.unparse(f.value) for n, f in calls if f.attr == "append" and name in map(ast.unparse, n.args)}
    lines = [n.lineno for n in returned if not {name, *put}.isdisjoint(map(ast.unparse, ast.walk(n)))]
    return Place(lines[-1], made.file) if lines else None


def where_repeated(texts: Mapping[str, str], place: Place) -> Place | None:
    """The line that begins the innermost loop around a line; None if there is none."""
    loops = (n for n in ast.walk(ast.parse(texts.get(place.file, ""))) if isinstance(n, ast.For | ast.While))
    around = [n.lineno for n in loops if n.lineno < place.line <= (n.end_lineno or 0)]
    return Place(max(around), place.file) if around else None


def where_counted(texts: Mapping[str, str], use: Place) -> Place | None:
    """The line that adds to the one name which is an exponent in another line; None if no line does, or several."""
    nodes = list(ast.walk(ast.parse(texts.get(use.file, ""))))
    powers = [n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) and n.lineno == use.line]
    counts = {ast.unparse(n.right) for n in powers}
    lines = {n.lineno for n in nodes if isinstance(n, ast.AugAssign) and ast.unparse(n.target) in counts}
    return Place(lines.pop(), use.file) if len(counts) == len(lines) == 1 else None


def where_begun(texts: Mapping[str, str], use: Place) -> Place | None:
    """The one line that sets a name to 0 to which another line adds; None where that is no name, or there are more."""
    nodes = list(ast.walk(ast.parse(texts.get(use.file, ""))))
    sums = [n.target for n in nodes if isinstance(n, ast.AugAssign) and n.lineno == use.line]
    added = {target.id for target in sums if isinstance(target, ast.Name)}
    set_ = [n for n in nodes if isinstance(n, ast.Assign) and added & {ast.unparse(t) for t in n.targets}]
    lines = [n.lineno for n in set_ if isinstance(n.value, ast.Constant) and n.value.value == 0]
    return Place(lines[0], use.file) if len(set_) == len(lines) == 1 else None


def where_renamed(texts: Mapping[str, str], use: Place) -> Place | None:
    """The one line that gives another name to what a line reads; None where there is none, or several."""
    tree = ast.parse(texts.get(use.file, ""))
    read = _names_in(texts[use.file], use.line) if use.file in texts else set()
    named = [n for n in ast.walk(tree) if isinstance(n, ast.Assign) and isinstance(n.value, ast.Name | ast.Attribute)]
    places = [Place(n.lineno, use.file) for n in named if any(ast.unparse(t) in read for t in n.targets)]
    return places[0] if len(places) == 1 else None


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
    for n in _functions(tree):
        names = [a.arg for a in n.args.args]
        found[n.name] = names[1:] if names[:1] == ["self"] else names
    for c in ast.walk(tree):
        if isinstance(c, ast.ClassDef):
            makers = [m for m in c.body if isinstance(m, ast.FunctionDef) and m.name == "__init__"]
            found[c.name] = [a.arg for m in makers for a in m.args.args[1:]]
    return found
