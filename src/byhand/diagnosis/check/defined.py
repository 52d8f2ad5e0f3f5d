"""What a file defines, ready to be called by lines of text, and what its text says of it."""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from byhand.activations import ACTIVATIONS
from byhand.diagnosis.check.arguments import CONTEXT, default, kind, own_names

_MANY = 100
"""A loop of so many turns is a training; none is needed for a layer or a loss."""


FILE = "script.py"
"""What the file is called in tracebacks and frames."""


_WITHOUT_CHANCE = {
    "numpy", "math", "matplotlib.pyplot", "copy", "dataclasses", "typing", "collections", "functools", "__future__",
}  # fmt: skip
"""Modules whose functions draw no random numbers, but for those that are called so."""


class Stretched(Exception):
    """Two arrays have stretched each other: no guess that the text can have meant."""


class _Strict(np.ndarray):
    """An array that refuses to be stretched by one that it stretches itself."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **rest: Any) -> Any:
        plain = [np.asarray(i) if isinstance(i, _Strict) else i for i in inputs]
        if out is not None:
            rest["out"] = tuple(np.asarray(o) if isinstance(o, _Strict) else o for o in out)
        result = getattr(ufunc, method)(*plain, **rest)
        shapes = [np.shape(i) for i in plain]
        if method == "__call__" and ufunc.signature is None and len(shapes) == 2 and np.shape(result) not in shapes:
            raise Stretched
        return result.view(_Strict) if isinstance(result, np.ndarray) else result


def strict(value: Any) -> Any:
    """The value, its arrays refusing to be stretched by one that they stretch themselves."""
    return value.copy().view(_Strict) if isinstance(value, np.ndarray) else value


def _zip(*values: Any, **rest: Any) -> Iterator[tuple[Any, ...]]:
    """As `zip`, but arrays of ours that are not equally long do not belong together."""
    lengths = {len(v) for v in values if isinstance(v, np.ndarray)}
    for value in values:
        if hasattr(value, "be_as_long_as") and lengths:
            value.be_as_long_as(max(lengths))
    if len(lengths) > 1:
        raise Stretched
    return zip(*values, **rest)  # noqa: B905


class _Quiet:
    """As `redirect_stdout` and `errstate` by two generators would do, in half the time: it is begun at every run."""

    def __enter__(self) -> None:
        self.stdout, sys.stdout = sys.stdout, io.StringIO()
        self.warnings = np.errstate(all="ignore")
        self.warnings.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.warnings.__exit__(*error)
        sys.stdout = self.stdout


def quiet() -> _Quiet:
    """What the file's functions print, and NumPy's warnings, are not shown."""
    return _Quiet()


@contextlib.contextmanager
def _seeded() -> Iterator[None]:
    """Generators that are made without a seed are the same ones each time."""
    make, count = np.random.default_rng, itertools.count()

    def seeded(seed: Any = None) -> np.random.Generator:
        first = int(np.random.get_state()[1][0])  # type: ignore[index] # noqa: NPY002
        return make(first + next(count) if seed is None else seed)

    np.random.default_rng = seeded
    try:
        yield
    finally:
        np.random.default_rng = make


class File:
    """What a file defines."""

    def __init__(self, text: str, whole: str = "") -> None:
        tree = ast.parse(text)
        self.whole = whole
        self.takes_more = _takes_more(tree)
        self.may_draw = self.takes_more or "random" in text + whole
        self.handed: dict[str, dict[str, Any]] | None = None
        """What the program itself hands its functions, once that was looked at."""
        self.calls = [n for n in ast.walk(ast.parse(whole or text)) if isinstance(n, ast.Call)]
        """What is called in the whole program, of which the text may be the definitions."""
        own = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        # what the file computes with its own functions may be a whole training
        tree.body = [n for n in tree.body if not isinstance(n, ast.Assign | ast.AnnAssign) or not own & _called(n)]
        self.functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
        self.classes: dict[str, ast.ClassDef] = {}
        for made in (n for n in tree.body if isinstance(n, ast.ClassDef)):
            self.classes[made.name] = _with_inherited(_with_init(_with_context(made)), self.classes)
        self.every = {m.name: m for c in self.classes.values() for m in methods_of(c).values()} | self.functions
        """Functions and methods by their names."""
        inits = {name: init for name, c in self.classes.items() if (init := methods_of(c).get("__init__")) is not None}
        self.called = inits | self.functions
        """What is called by its name alone: functions, and constructors under the names of their classes."""
        self.shaped: dict[Any, list[Any]] = {}
        """What functions may be called with, once that was found."""
        self.names: dict[str, Any] = {"__name__": "__main__", "np_": np, "known_": ACTIVATIONS}
        self.names |= {"zip": _zip, "Context_": _Context}
        above: list[str] = []
        for function in self.functions.values():
            _with_functions(function, above, self.functions)
            above.append(function.name)
        for node in tree.body:
            with contextlib.suppress(Exception), quiet():  # what cannot be made here is missing where it is used
                exec(compile(ast.Module([node], []), FILE, "exec"), self.names)

    def function(self, unit: str) -> ast.FunctionDef:
        """The function, or the method, of a full name."""
        owner, _, name = unit.rpartition(".")
        return methods_of(self.classes[owner])[name] if owner else self.functions[name]

    def behind(self, units: Sequence[str]) -> set[str]:
        """The full names of some functions and methods, of those that they call, and of those that these call."""
        found: set[str] = set()
        new = set(units)
        while new:
            found |= new
            new = {u for unit in new for u in self._called_by(unit)} - found
        return found

    def _called_by(self, unit: str) -> Iterator[str]:
        """What a function calls; of an object that is not its own, the methods of every other class."""
        owner = unit.rpartition(".")[0]
        for n in ast.walk(self.function(unit)):
            if isinstance(n, ast.Name) and n.id in self.functions:
                yield n.id
            elif isinstance(n, ast.Name) and n.id in self.classes and "__init__" in methods_of(self.classes[n.id]):
                yield f"{n.id}.__init__"
            elif isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute | ast.Name):
                of = getattr(n.func, "value", None)
                name = n.func.attr if isinstance(n.func, ast.Attribute) else "__call__"
                mine = isinstance(of, ast.Name) and of.id in ("self", "cls", *self.classes)
                owners = [c for c in self.classes if (c != owner or not owner)]
                if mine and isinstance(of, ast.Name):
                    owners = [owner if of.id in ("self", "cls") else of.id]
                yield from (f"{c}.{name}" for c in owners if c and name in methods_of(self.classes[c]))

    def run(self, names: dict[str, Any], *texts: str) -> None:
        """Run lines of text among some names, which see the file's; random numbers are the same for each text."""
        if not self.may_draw and not any("random" in text for text in texts):
            with quiet():
                for text in texts:
                    exec(_compiled(text), self.names, names)
            return
        for text in filter(None, texts):
            if self.takes_more:
                random.seed(0)
            np.random.seed(0)  # noqa: NPY002
            with quiet(), _seeded():
                exec(_compiled(text), self.names, names)


@lru_cache(maxsize=2000)
def _compiled(text: str) -> CodeType:
    return compile(text, "<lines>", "exec")


def _takes_more(tree: ast.Module) -> bool:
    """Whether a file takes from elsewhere what may draw random numbers without NumPy's being spoken of."""
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    taken = {a.name for n in imports if isinstance(n, ast.Import) for a in n.names}
    return not taken | {n.module or "" for n in imports if isinstance(n, ast.ImportFrom)} <= _WITHOUT_CHANCE


def methods_of(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """The methods of a class."""
    return {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}


def needed(function: ast.FunctionDef) -> list[str]:
    """What a function cannot do without; two more where it has a star."""
    names = [a for a in own_names(function) if default(function, a) is None]
    return names + ["more0", "more1"] * (function.args.vararg is not None)


def counts(function: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef]) -> list[str]:
    """The arguments that say how often something is done."""
    return [a for a in own_names(function) if kind(function, a, functions) == "count"]


def makes_parameters(file: File, function: ast.FunctionDef) -> bool:
    """Whether a function returns arrays that it draws or fills, and takes nothing but sizes."""
    kinds = [kind(function, a, file.functions) for a in needed(function)]
    makes = re.search(r"randn|random|zeros|normal|uniform", ast.unparse(function))
    returns = any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(function))
    return makes is not None and returns and all(k in ("size", "sizes", "generator", "flag") for k in kinds)


def reached(functions: Mapping[str, ast.AST], names: Sequence[str]) -> set[str]:
    """Some functions, those that they call, and those that these call."""
    found = new = {n for n in names if n in functions}
    while new:
        nodes = [functions[n] for n in new]
        inside = [n for node in nodes for n in ast.walk(node)]
        called = {n.id for n in inside if isinstance(n, ast.Name)}
        called |= {n.func.attr for n in inside if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
        new = called & set(functions) - found
        found = found | new
    return found


def is_tame(function: ast.FunctionDef, *, may_yield: bool = False) -> bool:
    """Whether it ends by itself, and asks nobody; what gives one thing after the other is not called to its end."""
    strange = {"input", "exit", "quit", "open", "plt"} - set(own_names(function))
    for n in ast.walk(function):
        if isinstance(n, ast.While | ast.Await) or (isinstance(n, ast.Yield | ast.YieldFrom) and not may_yield):
            return False
        if isinstance(n, ast.Call) and ast.unparse(n.func) == "range" and any(_is_many(a) for a in n.args):
            return False
        if isinstance(n, ast.Name) and n.id in strange:
            return False
    return True


def names_gradients(function: ast.FunctionDef) -> bool:
    """Whether it says itself that what it returns are gradients, and takes no steps with them."""
    returned = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    names = {n.id for r in returned for n in ast.walk(r) if isinstance(n, ast.Name)} - set(own_names(function))
    return any(is_gradient_name(name) for name in names) or any(_has_keys_of_arguments(function, n) for n in names)


def _has_keys_of_arguments(function: ast.FunctionDef, name: str) -> bool:
    """Whether several things are put into something under the keys that an argument is read by: a gradient for each."""
    keys: dict[str, set[str]] = {}
    for n in (n for n in ast.walk(function) if isinstance(n, ast.Subscript)):
        key, of = getattr(n.slice, "value", None), ast.unparse(n.value)
        if isinstance(key, str) and isinstance(n.ctx, ast.Store) == (of == name):
            keys.setdefault(of, set()).add(key)
    stored = keys.get(name, set())
    return len(stored) > 1 and any(stored == keys.get(a) for a in own_names(function))


def is_gradient_name(name: str) -> bool:
    """Whether something is called a gradient, whatever of."""
    return re.match(r"(?i).*gr?ad|d_?[A-Z]|d(w|b|x|theta)\w{0,2}$|nabla|delta|jac", name) is not None


def is_stub(function: ast.FunctionDef) -> bool:
    """Whether it is still to be written: all that it does is to pass, to say what it is for, or to say that."""
    return all(
        isinstance(s, ast.Pass)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        or (isinstance(s, ast.Raise) and "NotImplemented" in ast.unparse(s))
        for s in function.body
    )


def _with_functions(function: ast.FunctionDef, above: Sequence[str], functions: Mapping[str, ast.FunctionDef]) -> None:
    """Give a function as a default those that stand above it for which its last arguments stand, as their names say."""
    for a in reversed(function.args.args[: len(function.args.args) - len(function.args.defaults)]):
        meant = [n for n in above if n in a.arg]
        if not meant or kind(function, a.arg, functions) != "function":
            return
        function.args.defaults.insert(0, ast.copy_location(ast.Name(max(meant, key=len), ast.Load()), function))


def _with_init(node: ast.ClassDef) -> ast.ClassDef:
    """The class with the constructor that `dataclass` makes of its fields."""
    fields = [n for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
    if not fields or "dataclass" not in "".join(ast.unparse(d) for d in node.decorator_list):
        return node
    taken = [n for n in fields if n.value is None or not isinstance(n.value, ast.Call)]
    arguments = ", ".join(ast.unparse(n.target) + (f"={ast.unparse(n.value)}" if n.value else "") for n in taken)
    kept = "".join(f"    self.{ast.unparse(n.target)} = {ast.unparse(n.target)}\n" for n in taken) or "    pass\n"
    [init] = ast.parse(f"def __init__(self, {arguments}):\n{kept}").body
    whole = ast.ClassDef(node.name, node.bases, node.keywords, [*node.body, init], node.decorator_list)
    return ast.copy_location(whole, node)


def _with_context(node: ast.ClassDef) -> ast.ClassDef:
    """The class; where its functions are given a context, as in an engine's operations, they are methods of one."""
    methods = [m for m in methods_of(node).values() if m.args.args and m.args.args[0].arg == CONTEXT]
    for m in methods:
        m.decorator_list = [d for d in m.decorator_list if ast.unparse(d) != "staticmethod"]
    if methods:
        node.bases = [ast.Name("Context_", ast.Load())]
        ast.fix_missing_locations(node)
    return node


class _Context:
    """What keeps values for the way back under the names that are usual."""

    def save_for_backward(self, *values: Any) -> None:
        """Keep them."""
        self.saved_values = self.saved_tensors = values


def _with_inherited(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> ast.ClassDef:
    """The class with the methods that it has of others."""
    bases = [classes[b.id] for b in node.bases if isinstance(b, ast.Name) and b.id in classes]
    methods = {name: m for base in reversed(bases) for name, m in methods_of(base).items()} | methods_of(node)
    rest = [n for n in node.body if not isinstance(n, ast.FunctionDef)]
    whole = ast.ClassDef(node.name, node.bases, node.keywords, [*rest, *methods.values()], node.decorator_list)
    return ast.copy_location(whole, node) if bases else node


def _called(node: ast.AST) -> set[str]:
    return {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def _is_many(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) is int and value.value >= _MANY
