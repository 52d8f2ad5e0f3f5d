"""What an argument of somebody's function is for: guessed from its default, and from how the text uses it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["array", "count", "size", "sizes", "rate", "flag", "function", "text", "unknown"]

_MAKES = "randn|rand|zeros|ones|normal|uniform|random|empty|full|standard_normal|sqrt"
_TAKES = "dot|matmul|einsum|multiply|maximum|exp|log|clip|tanh"
_OF_ARRAYS = "T|dot|shape|reshape|ndim|mean|sum|copy|size|ravel|flatten"
_USES: tuple[tuple[Kind, str], ...] = (
    ("count", r"range\((?:[^()]*[^\w.])?ALONE|% ALONE|(?:while|and) \w+ <=? ALONE"),
    ("sizes", r"len\(ALONE|NAME\[:?-?\d?:?-?1?\](?=, NAME\[)|zip\(NAME\["),
    ("size", rf"(?:{_MAKES})\([^\n]*?(?<![\w.])ALONE"),
    ("array", rf"NAME\.(?:{_OF_ARRAYS})\b|(?:{_TAKES})\((?:[^()]*, )?NAME|@ NAME|NAME @|NAME\[|len\(NAME\)| in NAME:"),
    ("function", r"(?<![\w.])NAME\("),
    ("rate", r"ALONE \*(?!\*)|\* ALONE|/ ALONE"),
    ("array", r"[-+] NAME|NAME [-+]|NAME == |NAME \*\*"),
)
"""What an argument is for, by how the text uses it; ALONE is the name with no part of it asked for. In this order."""


def kind(
    function: ast.FunctionDef,
    argument: str,
    functions: Mapping[str, ast.FunctionDef],
    scope: ast.AST | None = None,
    depth: int = 3,
) -> Kind:
    """What an argument is for.

    Parameters
    ----------
    function : ast.FunctionDef
    argument : str
    functions : mapping
        The file's own, to which it may be handed on.
    scope : ast.AST, optional
        Where it is used: the class of a constructor; the function itself by default.
    depth : int
        How often it may be handed on.
    """
    given = default(function, argument)
    if isinstance(given, ast.Constant) and isinstance(given.value, bool | str):
        return "flag" if isinstance(given.value, bool) else "text"
    names = _aliases(function, argument)
    text = ast.unparse(scope or function)
    name = "(?:" + "|".join(re.escape(n) for n in names) + ")"
    for found, pattern in _USES:
        if re.search(pattern.replace("ALONE", name + r"(?![\w.(\[])").replace("NAME", name + r"\b"), text):
            return found
    for call in (n for n in ast.walk(scope or function) if isinstance(n, ast.Call) and depth):
        called = functions.get(getattr(call.func, "id", ""))
        places = [k for k, a in enumerate(call.args) if ast.unparse(a) in names]
        if called is not None and called is not function and places and places[0] < len(called.args.args):
            passed = kind(called, called.args.args[places[0]].arg, functions, None, depth - 1)
            if passed != "unknown":
                return passed
    return "rate" if isinstance(given, ast.Constant) and isinstance(given.value, float) else "unknown"


def _aliases(function: ast.FunctionDef, argument: str) -> list[str]:
    """The argument, and what keeps it."""
    assignments = [n for n in ast.walk(function) if isinstance(n, ast.Assign) and isinstance(n.value, ast.Name)]
    return [argument, *(ast.unparse(n.targets[0]) for n in assignments if ast.unparse(n.value) == argument)]


def default(function: ast.FunctionDef, argument: str) -> ast.expr | None:
    """The default value of an argument, as it is written."""
    every = [*function.args.posonlyargs, *function.args.args]
    pairs = [
        *zip(reversed(every), reversed(function.args.defaults), strict=False),
        *zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True),
    ]
    return next((value for a, value in pairs if a.arg == argument), None)


def own_names(function: ast.FunctionDef) -> list[str]:
    """The names of the arguments, but for the object itself."""
    return [a.arg for a in function.args.args if a.arg not in ("self", "cls")]


def _returned(function: ast.FunctionDef) -> list[ast.expr]:
    returned = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    last = max(returned, key=lambda n: n.lineno, default=ast.Return()).value
    return list(last.elts) if isinstance(last, ast.Tuple) else [last] if last is not None else []


def returns(function: ast.FunctionDef) -> int:
    """How many things a function returns."""
    return len(_returned(function))


def returned_names(function: ast.FunctionDef) -> list[str]:
    """What it calls the things that it returns; empty when one of them has no name."""
    parts = _returned(function)
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    return names if len(names) == len(parts) else []
