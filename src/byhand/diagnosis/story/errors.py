"""Python's own errors: what they mean in the script that stopped with them, and how its text may be mended."""

from __future__ import annotations

import ast
import builtins
import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.rewriting import Guess
from byhand.diagnosis.story.text import Line, Text, nodes

Shape: TypeAlias = tuple[int, ...]

IMPORTS = {
    "np": "import numpy as np",
    "plt": "import matplotlib.pyplot as plt",
    "pd": "import pandas as pd",
    "expit": "from scipy.special import expit",
    "tqdm": "from tqdm import tqdm",
    **{
        name: f"import {name}" for name in ("numpy", "math", "random", "time", "os", "sys", "copy", "itertools", "json")
    },
}
"""What a name is customarily imported as."""
DATA_NAME = re.compile(r"(x|y|inputs?|targets?|labels?|data)(_?(train|test|data|tr))?$", re.I)
TARGET_NAME = re.compile(r"y|target|label", re.I)
XOR = ("[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]", "[[0.0], [1.0], [1.0], [0.0]]")
SIZE_ONE = "only 0-dimensional arrays|only length-1 arrays|only size-1 arrays|setting an array element with a sequence"


@dataclass
class ScriptError:
    """The error that ended a run.

    Attributes
    ----------
    type, message : str
    place : Place
        The innermost line of the script's own.
    function : str
        The function that it lies in; "" outside of all.
    held : dict
        The shapes of the arrays and numbers that names held there.
    computed : list of tuple
        The shapes of the last values that the line had computed.
    tables : list of Place
        Where a column met a flat array of the same length before that, which gives a table.
    """

    type: str
    message: str
    place: Place
    function: str = ""
    held: dict[str, Shape] = field(default_factory=dict)
    computed: list[Shape] = field(default_factory=list)
    tables: list[Place] = field(default_factory=list)


@dataclass
class _Case:
    """An error in its program."""

    error: ScriptError
    program: Program
    tree: ast.Module
    where: Callable[[int], str]

    @property
    def text(self) -> str:
        return self.program.line(self.error.place.line, self.error.place.file)

    @property
    def at(self) -> str:
        return self.where(self.error.place.line)

    def says(self, id_: str, message: str, place: Place | None = None, **evidence: Any) -> Finding:
        evidence["error"] = f"{self.error.type}: {self.error.message}"
        message = message[:1].upper() + message[1:]
        message = re.sub(r"\.\.$", ".", message)
        return Finding(id_, place or self.error.place, "exact", message, evidence)


def explain(error: ScriptError, program: Program, where: Callable[[int], str] | None = None) -> Finding:
    """What the error means.

    Parameters
    ----------
    error : ScriptError
    program : Program
        The one that stopped with it.
    where : callable, optional
        Says a line of the failing file in words, for a program that is a mended copy.
    """
    where = where or (lambda line: program.where(line, error.place.file))
    try:
        tree = ast.parse(program.text(error.place.file))
    except (SyntaxError, ValueError):
        tree = ast.Module([], [])
    case = _Case(error, program, tree, where)
    for kinds, pattern, tell in _RULES:
        if re.search(kinds, error.type) and re.search(pattern, error.message):
            return tell(case)
    return case.says("python-error", f"{case.at} stops with {error.type}: {error.message}.")


def syntax_error(program: Program) -> ScriptError | None:
    """What keeps Python from reading the script; None if it can be read."""
    try:
        ast.parse(program.source)
    except SyntaxError as error:
        return ScriptError(type(error).__name__, error.msg, Place(error.lineno or 0))
    except ValueError as error:  # a null byte
        return ScriptError("SyntaxError", str(error), Place(0))
    return None


# ---- names


def _name(case: _Case) -> Finding:
    match = re.search(r"'([^']+)'", case.error.message)
    name, line = (match.group(1) if match else ""), case.error.place.line
    definitions = _definitions(case.tree, name)
    outside = [at for at, scope in definitions if not scope]
    if case.error.type == "UnboundLocalError":
        message = f"{case.at} reads {name} before {case.error.function} assigns it"
        if outside:
            message += (
                f"; the assignment makes it a name of {case.error.function}'s own, apart from the one of "
                f"{case.where(outside[0])}"
            )
        return case.says("name-before-definition", message + ".", name=name, scope=case.error.function)
    if outside:
        at = next((n for n in outside if n > line), outside[0])
        message = f"{case.at} uses {name}, which only {case.where(at)} defines."
        return case.says("name-before-definition", message, name=name, defined_at=at)
    if definitions:
        at, scope = definitions[0]
        message = f"{case.at} uses {name}, which is known only inside {scope} ({case.where(at)})."
        return case.says("undefined-name", message, name=name, defined_at=at)
    if name in IMPORTS:
        return case.says(
            "missing-import", f"{case.at} uses {name}, and no line imports it.", name=name, statement=IMPORTS[name]
        )
    known = (
        {n for n, _ in _all_definitions(case.tree)} | {a.arg for a in nodes(case.tree, ast.arg)} | set(dir(builtins))
    )
    alike = str.maketrans("l1IO0", "iiioo")
    near = [n for n in sorted(known) if n.translate(alike) == name.translate(alike)]
    near = near or difflib.get_close_matches(name, sorted(known), 1, 0.75)
    if DATA_NAME.match(name):
        near = []
    message = f"{case.at} uses {name}, which no line defines."
    if near:
        return case.says("undefined-name", f"{message} {near[0]} is defined.", name=name, right_name=near[0])
    if DATA_NAME.match(name):
        message += " In a notebook an earlier cell may do so; here it is given the data of XOR."
    return case.says("undefined-name", message, name=name)


def _all_definitions(tree: ast.Module) -> list[tuple[str, tuple[int, str]]]:
    """Every name that is defined: with the line, and the function that it is known in ("" for everywhere)."""
    found: list[tuple[str, tuple[int, str]]] = []

    def walk(node: ast.AST, scope: str, shared: set[str]) -> None:
        for child in ast.iter_child_nodes(node):
            inner, names = scope, []
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names, inner = [child.name], child.name
                shared = shared | {n for s in ast.walk(child) if isinstance(s, ast.Global) for n in s.names}
            elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                names = [child.id]
            elif isinstance(child, ast.Import | ast.ImportFrom):
                names = [alias.asname or alias.name.split(".")[0] for alias in child.names]
            line = getattr(child, "lineno", 0)
            found.extend((name, (line, "" if name in shared else scope)) for name in names)
            walk(child, inner, shared)

    walk(tree, "", set())
    return found


def _definitions(tree: ast.Module, name: str) -> list[tuple[int, str]]:
    return sorted((place for known, place in _all_definitions(tree) if known == name), key=lambda p: (p[1] != "", p[0]))


# ---- shapes and types


def _size_one(case: _Case) -> Finding:
    statement = Text(case.program.text(case.error.place.file)).statement(case.error.place.line)
    value = getattr(statement, "value", None)
    held = [case.error.held.get(value.id, ())] if isinstance(value, ast.Name) else []
    shape = next((s for s in [*held, *reversed(case.error.computed)] if s != ()), (1,))
    if max(shape, default=1) > 1:
        return case.says(
            "shape-mismatch", f"{case.at} puts {_words(shape)} where one number belongs.", shape=list(shape)
        )
    return case.says(
        "size-one-array-to-scalar",
        f"{case.at} puts an array of shape {_shape(shape)} where a number belongs.",
        shape=list(shape),
    )


def _table(case: _Case) -> Finding:
    """A column met a flat array before; what fails now fails for that."""
    place, *also = case.error.tables
    held = {name: shape for name, shape in case.error.held.items() if len(shape) == 1 and name.isidentifier()}
    text = case.program.line(place.line, place.file)
    flat = next((name for name in held if re.search(rf"\b{name}\b", text)), None)
    message = f"{case.where(place.line)} sets a column against a flat array{f', {flat}' if flat else ''}"
    message += f", which gives a table; with it {case.at} fails."
    finding = case.says("broadcast-error-matrix", message, place, **({"flat_name": flat} if flat else {}))
    finding.also = also
    return finding


def _shapes(case: _Case) -> Finding:
    if case.error.tables:
        return _table(case)
    message, line = case.error.message, case.text
    told = [tuple(int(n) for n in re.findall(r"\d+", s)) for s in re.findall(r"\((\d+,?(?:\s?\d+,?)*)\)", message)]
    named = _named(case)
    pair = told[:2] if "aligned" in message else case.error.computed[-2:]
    is_product = bool(re.search("aligned|matmul|core dimension", message))
    if len(pair) < 2 and is_product:
        pair = list(named.values())
    flat = len(pair) >= 2 and len(set(pair)) == 1 and len(pair[0]) == 2 and pair[0][0] != pair[0][1]
    evidence: dict[str, Any] = {"shapes": [list(s) for s in told], "names": {n: list(s) for n, s in named.items()}}
    if is_product and flat and "=" in line and len(case.error.computed) != 0:
        return case.says(
            "dot-instead-of-elementwise",
            f"{case.at} takes the matrix product of two arrays of the same shape {_shape(pair[0])}.",
            **evidence,
        )
    there = ", ".join(f"{name} is {_shape(shape)}" for name, shape in named.items())
    return case.says(
        "shape-mismatch",
        f"at {case.at} the shapes do not fit: {message}." + (f" There, {there}." if there else ""),
        **evidence,
    )


def _named(case: _Case) -> dict[str, Shape]:
    """The shapes of what the line names."""
    held = case.error.held.items()
    return {
        name: tuple(shape) for name, shape in held if shape != () and re.search(rf"\b{re.escape(name)}\b", case.text)
    }


def _shape(shape: Shape) -> str:
    return str(tuple(shape))


def _words(shape: Shape) -> str:
    return f"an array of shape {_shape(shape)}"


def _integers(case: _Case) -> Finding:
    statement = Text(case.program.text(case.error.place.file)).statement(case.error.place.line)
    target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", [])), None)
    name = ast.unparse(target).split("[")[0] if target is not None else ""
    lines = [line for line, _ in _definitions(case.tree, name) if line < case.error.place.line]
    place = Place(lines[0], case.error.place.file) if lines else case.error.place
    return case.says(
        "integer-parameters",
        f"{name or 'a parameter'} holds whole numbers only, and the step at {case.at} is none.",
        place,
        name=name,
        stepped_at=case.error.place.line,
    )


def _plain(id_: str, message: str) -> Callable[[_Case], Finding]:
    """A finding that only repeats Python's message in words: {at}, {error}."""
    return lambda case: case.says(id_, message.format(at=case.at, error=case.error.message))


_RULES: tuple[tuple[str, str, Callable[[_Case], Finding]], ...] = (
    (r"^(NameError|UnboundLocalError)$", "", _name),
    (r"^(SyntaxError|IndentationError|TabError)$", "", _plain("syntax-error", "Python cannot read {at}: {error}.")),
    (r"^(ModuleNotFoundError|ImportError)$", "", _plain("missing-module", "{at} imports what is not there: {error}.")),
    (r"^FileNotFoundError$", "", _plain("missing-file", "{at} opens a file that is not there: {error}.")),
    ("", SIZE_ONE, _size_one),
    ("", "Cannot cast ufunc", _integers),
    ("^ValueError$", "broadcast|matmul|aligned|core dimension|same number of dimensions|must match exactly", _shapes),
    ("^IndexError$", "", _plain("index-outside", "{at} reaches past the end of an array or list: {error}.")),
    ("^KeyError$", "", _plain("missing-key", "{at} asks a dictionary for a key that it does not have: {error}.")),
    ("^AttributeError$", "", _plain("missing-attribute", "{at}: {error}.")),
    (
        "^TypeError$",
        "argument",
        _plain("wrong-arguments", "{at} calls a function with other arguments than it takes: {error}."),
    ),
    ("", "math domain error", _plain("log-of-zero", "{at} takes the logarithm of 0 or of a negative number: {error}.")),
    ("^ZeroDivisionError$", "", _plain("division-by-zero", "{at} divides by zero.")),
    (
        "^(OverflowError|FloatingPointError)$",
        "",
        _plain("number-overflow", "{at}: a number has grown too large: {error}."),
    ),
    ("^RecursionError$", "", _plain("endless-recursion", "{at}: a function calls itself without end.")),
)
"""Type of the error, pattern of its message, and what it means; the first that fits."""


# ---- how the text may be mended


def _add_imports(line: Line) -> Iterator[str]:
    """All customary imports that are missing, not only the one that Python met first."""
    known, first = {name for name, _ in _all_definitions(line.text.tree)}, str(line.evidence["statement"])
    used = {n.id for n in nodes(line.text.tree, ast.Name)} - known
    others = [statement for name, statement in IMPORTS.items() if name in used and statement != first]
    yield line.text.insert(_top(line.text.tree), first, *others)


def _top(tree: ast.Module) -> int:
    """The line before which an import may stand."""
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            return node.lineno
    return 1


def _move_definition(line: Line) -> Iterator[str]:
    text, evidence = line.text, line.evidence
    for function in nodes(text.tree, ast.FunctionDef):
        if function.name == evidence.get("scope"):
            yield text.insert(function.body[0].lineno, f"global {evidence['name']}", indent=function.body[0].col_offset)
    runs_later = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
    definition = [n for n in text.tree.body if n.lineno <= evidence.get("defined_at", 0)][-1:]
    uses = [n for n in text.tree.body if n.lineno <= line.statement.lineno <= (n.end_lineno or 0)]
    if uses and isinstance(uses[0], runs_later):  # needed when the function is called
        uses = [n for n in text.tree.body if not isinstance(n, runs_later)]
    if definition and uses and uses[0].lineno < definition[0].lineno:
        yield text.move(definition[0], uses[0].lineno)


def _define(line: Line) -> Iterator[str]:
    name, similar = str(line.evidence.get("name", "")), line.evidence.get("right_name")
    if similar:
        here = [n for n in nodes(line.statement, ast.Name) if n.id == name]
        yield line.text.replace(*((n, str(similar)) for n in here))
    elif DATA_NAME.match(name):
        top = [n.lineno for n in line.text.tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
        values = XOR[bool(TARGET_NAME.match(name))]
        yield line.text.insert(max(_top(line.text.tree), *top[:1]), f"{name} = np.array({values})")


def _and_then(ending: str) -> Guess:
    """What is computed, and a method of it."""

    def guess(line: Line) -> Iterator[str]:
        is_plain = isinstance(line.value, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
        yield line.with_value(f"{line.text.of(line.value) if is_plain else f'({line.text.of(line.value)})'}{ending}")

    return guess


MENDINGS: dict[str, tuple[Guess, ...]] = {
    "missing-import": (_add_imports,),
    "name-before-definition": (_move_definition,),
    "undefined-name": (_define,),
    "size-one-array-to-scalar": (_and_then(".item()"),),
    "integer-parameters": (_and_then(".astype(float)"),),
}
"""As `rewriting.GUESSES`."""


def with_seed(source: str, further: int) -> tuple[str, int] | None:
    """The source with the first seed that it sets so much further on, and that seed; None if it sets none."""
    match = re.search(r"(seed\(|default_rng\(|RandomState\()\s*(?:seed\s*=\s*)?(\d+)\s*\)", source)
    if match is None:
        return None
    seed = int(match.group(2)) + further
    return source[: match.start(2)] + str(seed) + source[match.end(2) :], seed
