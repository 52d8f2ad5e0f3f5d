"""Inside the sandbox: a student's code, run statement by statement, and called with inputs of ours.

Nothing here judges. What the code did on which inputs goes to the parent, which knows what is right.
"""

from __future__ import annotations

import ast
import copy
import linecache
import re
import signal
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byhand.diagnosis import names
from byhand.diagnosis.asked import BY_NUMBER, CONTEXT
from byhand.diagnosis.sandboxed import describe, pack_value

_STATEMENT_SECONDS = 0.25
_ALL_SECONDS = 1.2
CALL_SECONDS = 0.6
_MOST_COPIED = 5_000


class TooLongError(BaseException):
    """Raised inside their code when it has had its time; a plain `except Exception` does not catch it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what runs in the block after some seconds, and again every 50 ms if it does not listen."""

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Anything:
    """Stands in for a drawing library: takes every call and gives itself."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Whatever is called gives the same again."""
        return self

    def __getitem__(self, key: object) -> Any:
        return self

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter((self, self))

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: object) -> None:
        pass

    def __float__(self) -> float:
        return 0.0

    def __format__(self, specification: str) -> str:
        return "?"


class _StandIn(types.ModuleType):
    __path__: list[str] = []  # noqa: RUF012 - what makes a module a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


def _stand_in() -> None:
    """Put something light in the place of the drawing libraries: importing them would take most of our time."""
    drawing = "matplotlib matplotlib.pyplot matplotlib.cm matplotlib.colors matplotlib.animation mpl_toolkits"
    more = "mpl_toolkits.mplot3d seaborn plotly plotly.express plotly.graph_objects IPython IPython.display ipywidgets"
    learning = "scipy.stats sklearn sklearn.linear_model sklearn.metrics sklearn.preprocessing sklearn.model_selection"
    for name in f"{drawing} {more} {learning}".split():
        sys.modules[name] = _StandIn(name)
    progress: Any = _StandIn("tqdm")
    progress.tqdm = progress.trange = None
    progress.tqdm = lambda iterable=None, *a, **k: iterable
    progress.trange = lambda *a, **k: range(*a)
    for name in ("tqdm", "tqdm.auto", "tqdm.notebook"):
        sys.modules[name] = progress


@dataclass
class Problem:
    """An exception that a statement or a call ended in."""

    where: str
    error: dict[str, Any]
    statement: str = ""
    in_check: bool = False


@dataclass
class Code:
    """The student's code, as text and as what running it left behind.

    Attributes
    ----------
    namespace : dict
        The module's names after the run.
    first_values : dict
        What each name held first, arrays only: parameters before training.
    unfinished : set
        Names whose values depend on a statement that was cut.
    at_questions : dict
        By the practical's numbers: what its values were when their question was checked.
    """

    cells: list[dict[str, Any]]
    namespace: dict[str, Any] = field(default_factory=dict)
    first_values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    trees: list[ast.Module] = field(default_factory=list)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    too_long: list[str] = field(default_factory=list)
    skip: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    at_questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    on_statement: Callable[[str], None] = lambda where: None

    def run(self, values: Mapping[str, Any] | None = None) -> None:
        """Run statement by statement, as far as time allows; an exception ends its statement alone."""
        _stand_in()
        warnings.simplefilter("ignore")
        np.seterr(all="ignore")
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.namespace = module.__dict__
        self.namespace.update(values or {})
        left = _ALL_SECONDS
        for number, cell in enumerate(self.cells):
            filename = cell["name"] or "the file"
            linecache.cache[filename] = (len(cell["source"]), None, cell["source"].splitlines(True), filename)
            try:
                tree = ast.parse(cell["source"], filename)
            except SyntaxError as error:
                self.problems.append(Problem(filename, describe(error) | {"line": error.lineno}))
                self.trees.append(ast.Module([], []))
                continue
            self.trees.append(tree)
            self._note_definitions(tree)
            if cell["is_check"]:
                self._note_question(cell["source"])
                continue
            for statement in tree.body:
                left = self._run_statement(statement, filename, left)
            del number

    def _note_definitions(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node

    def _run_statement(self, statement: ast.stmt, filename: str, left: float) -> float:
        import time

        if _is_teachers(statement):
            self._note_question(ast.unparse(statement))
            return left
        cheap = isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)
        if left <= 0 and not cheap and not isinstance(statement, ast.Assign):
            self._lose(statement)
            return left
        where = f"{filename}:{statement.lineno}"
        if where in self.skip:
            self._lose(statement)
            return left
        if not cheap:
            self.on_statement(where)
        code = compile(ast.Module([statement], []), filename, "exec")
        started = time.monotonic()
        try:
            with at_most(5.0 if cheap else min(_STATEMENT_SECONDS, max(left, 0.05))):
                exec(code, self.namespace)
        except TooLongError:
            self._lose(statement)
            self.unfinished |= {name for name in _names_in(statement) if self._is_data(name)}
            self.unfinished |= _names_in(statement, ast.Store)
            if isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant):
                self.too_long.append(where)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:
            self._lose(statement)
            if not (isinstance(error, NameError) and error.name in self.lost):
                self.problems.append(Problem(where, with_line(error, filename), ast.unparse(statement)[:300]))
            self._mend_import(error)
        self._pass_on_unfinished(statement)
        self._note_first_values()
        return left - (0 if cheap else time.monotonic() - started)

    def _lose(self, statement: ast.stmt) -> None:
        """Remember the names that a statement would have defined: that they are missing is no new mistake."""
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in self.namespace:
                self.lost.add(node.id)
            elif isinstance(node, ast.alias):  # a library that is not here
                self.lost.add((node.asname or node.name).partition(".")[0])

    def _pass_on_unfinished(self, statement: ast.stmt) -> None:
        """What is computed from something that was cut is as unfinished."""
        if _names_in(statement) & self.unfinished:
            self.unfinished |= _names_in(statement, ast.Store)

    def _is_data(self, name: str) -> bool:
        value = self.namespace.get(name)
        return value is not None and not callable(value) and not isinstance(value, types.ModuleType)

    def _note_question(self, source: str) -> None:
        """Keep the values that a question of the practical wants, as they are where it is checked."""
        found = re.search(r"""(?:question|byhand\.check|(?<!\w)check)\(\s*['"](\d+\.\d+)""", source)
        asked = BY_NUMBER.get(found[1]) if found else None
        if asked is not None:
            wanted = {*asked.values, *CONTEXT} - self.unfinished
            self.at_questions[asked.number] = {
                name: packed for name in sorted(wanted) if (packed := pack_value(self.namespace.get(name))) is not None
            }

    def _mend_import(self, error: BaseException) -> None:
        """Go on as if a forgotten import were there: the mistake is noted, and the rest can still be looked at."""
        if isinstance(error, NameError) and error.name in ("np", "numpy", "plt", "math", "random"):
            import math
            import random

            known: dict[str, Any] = {"np": np, "numpy": np, "math": math, "random": random, "plt": Anything()}
            self.namespace[error.name] = known[error.name]

    def _note_first_values(self) -> None:
        for name, value in list(self.namespace.items()):
            if name not in self.first_values and isinstance(value, np.ndarray) and value.size < 100_000:
                self.first_values[name] = value.copy()


def _names_in(statement: ast.stmt, context: type[ast.expr_context] = ast.expr_context) -> set[str]:
    nodes = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in nodes if isinstance(node.ctx, context)}


def with_line(error: BaseException, filename: str) -> dict[str, Any]:
    """An exception as JSON holds it, with the line of their code that it left."""
    described = describe(error)
    theirs = [line for name, line, _ in described["lines"] if name == filename or name.startswith("cell ")]
    return described | {"line": theirs[-1] if theirs else None, "name": getattr(error, "name", None)}


def _is_teachers(statement: ast.stmt) -> bool:
    """`with question(…)` and plots: nothing of the student's that we could call."""
    call: ast.AST | None = None
    if isinstance(statement, ast.With):
        call = statement.items[0].context_expr
    elif isinstance(statement, ast.Expr):
        call = statement.value
    if isinstance(call, ast.Call):
        text = ast.unparse(call.func)
        return text in ("question", "show", "say", "agree", "byhand.check") or text.split(".")[0] in ("plt", "figures")
    return False


class Frozen:
    """Their names as they were: put back after each call, so that no call sees what another one did."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        memo: dict[int, Any] = {}
        self.saved: dict[str, Any] = {}
        for name, value in namespace.items():
            self.saved[name] = _copied(value, memo)

    def thaw(self) -> None:
        """Put everything back; what is put back is a copy, so that it can be done again."""
        memo: dict[int, Any] = {}
        fresh = {name: _copied(value, memo) for name, value in self.saved.items()}
        self.namespace.clear()
        self.namespace.update(fresh)


def _size(value: Any, depth: int = 3) -> int:
    """How many numbers are in it, roughly."""
    if isinstance(value, np.ndarray):
        return int(value.size)
    if isinstance(value, list | tuple | dict) and depth:
        items = list(value.values()) if isinstance(value, dict) else value
        return len(items) + sum(_size(item, depth - 1) for item in items[:50])
    return 1


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, np.ndarray | list | dict | np.random.Generator) or type(value).__module__ == "__main__":
        if _size(value) > _MOST_COPIED:  # a record of losses, say, or a data set: nobody's function changes these
            return value
        try:
            return copy.deepcopy(value, memo)
        except Exception:
            return value
    return value


Trail = tuple[Any, ...]


@dataclass(frozen=True)
class Part:
    """A parameter that is a stretch of one long vector."""

    name: str
    start: int
    shape: tuple[int, ...]

    @property
    def stretch(self) -> slice:
        """Where it is in the vector."""
        return slice(self.start, self.start + int(np.prod(self.shape)))

    def of(self, vector: Any) -> Any:
        """The parameter in its shape."""
        return vector[self.stretch].reshape(self.shape)


def get_path(namespace: Mapping[str, Any], path: Trail) -> Any:
    """The value at ("W",), ("weights", 0), ("params", "W1") or ("net", ".W1")."""
    value = namespace[path[0]]
    for key in path[1:]:
        if isinstance(key, Part):
            value = key.of(value)
        else:
            value = getattr(value, key[1:]) if isinstance(key, str) and key.startswith(".") else value[key]
    return value


def set_path(namespace: dict[str, Any], path: Trail, value: Any) -> None:
    """Put a value where `get_path` finds it."""
    if len(path) == 1:
        namespace[path[0]] = value
        return
    holder, key = get_path(namespace, path[:-1]), path[-1]
    if isinstance(key, str) and key.startswith("."):
        setattr(holder, key[1:], value)
    elif isinstance(holder, tuple):
        changed = list(holder)
        changed[key] = value
        set_path(namespace, path[:-1], changed)
    elif isinstance(key, Part):
        holder[key.stretch] = np.reshape(value, (int(np.prod(key.shape)),))
    else:
        holder[key] = value


def name_of(path: Trail) -> str:
    """What the student calls it."""
    last = path[-1]
    if path[0] == "_parameters" and isinstance(last, int):  # ours, in the practical's order
        return ("W_hidden", "b_hidden", "W_out", "b_out")[last]
    if isinstance(last, Part):
        return last.name
    if isinstance(last, int):
        return f"{str(path[-2]).lstrip('.')}[{last}]" if len(path) > 1 else str(last)
    return str(last).lstrip(".")


def flatten(value: Any, labels: list[str] | None = None, prefix: str = "", depth: int = 3) -> list[tuple[str, Any]]:
    """Every array and number in a result, each with a name: the ones of the return statement, or the keys."""
    if value is None or isinstance(value, str | bool) or depth == 0:
        return []
    if isinstance(value, int | float | np.number | np.ndarray):
        only = labels[0] if labels and len(labels) == 1 else "result"
        array = np.asarray(value)
        return [] if array.dtype == object else [(prefix or only, array)]
    found: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        for key, item in value.items():
            found += flatten(item, None, str(key), depth - 1)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            label = labels[position] if labels and len(labels) == len(value) else f"{prefix}[{position}]"
            found += flatten(item, None, label, depth - 1)
    elif type(value).__module__ == "__main__" and hasattr(value, "__dict__"):
        for key, item in vars(value).items():
            found += flatten(item, None, key, depth - 1)
    return found


def return_labels(function: ast.FunctionDef | None) -> list[str]:
    """What the last return statement calls the things that it returns."""
    if function is None:
        return []
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
    if not returns:
        return []
    value = max(returns, key=lambda node: node.lineno).value
    elements = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    return [ast.unparse(element) for element in elements if element is not None]


@dataclass
class Parameter:
    """One array of weights or one bias: where it is, and in which form.

    Attributes
    ----------
    path : tuple
        Where in the namespace.
    layer : int
        From 0.
    kind : str
        "W" or "b".
    form : str
        W: "out,in", "in,out" or "in" (a vector, for a single output), "" for a number. b: "d", "1,d", "d,1", "".
    """

    path: Trail
    layer: int
    kind: str
    form: str

    def shaped(self, canonical: Any) -> Any:
        """The student's form of W of shape (out, in), or of b of shape (out,)."""
        forms: dict[str, Callable[[Any], Any]] = {
            "out,in": lambda v: v.copy(),
            "in,out": lambda v: v.T.copy(),
            "in": lambda v: v[0].copy(),
            "out": lambda v: v[:, 0].copy(),
            "d": lambda v: v.copy(),
            "1,d": lambda v: v[None, :].copy(),
            "d,1": lambda v: v[:, None].copy(),
            "": lambda v: float(v.ravel()[0]),
        }
        return forms[self.form](canonical)


@dataclass
class Layout:
    """The parameters of one network in their code, and its sizes from the input to the output."""

    parameters: list[Parameter]
    sizes: list[int]

    @property
    def single_output(self) -> bool:
        """Whether their forms allow one output only."""
        return any(p.form in ("in", "") for p in self.parameters) or (
            self.sizes[-1] == 1 and any(p.form == "out" for p in self.parameters)
        )


def layouts(items: list[tuple[Trail, Any]], n_in: int | None, n_out: int | None) -> list[Layout]:
    """Every way in which arrays can be the weights and biases of layers, one after the other."""
    shapes = [(path, np.shape(value)) for path, value in items]
    if len(shapes) == 2 and all(shape == () for _, shape in shapes):
        slope, intercept = (path for path, _ in shapes)
        return [Layout([Parameter(slope, 0, "W", ""), Parameter(intercept, 0, "b", "")], [1, 1])]
    holders = {path[:-1] for path, _ in shapes}

    def kind(path: Trail) -> str:
        mixed = isinstance(path[-1], int) and len(holders) == 1  # one list of everything: its name says nothing
        return "" if mixed else names.kind_of(hint(path))

    weights = [
        (path, shape)
        for path, shape in shapes
        if kind(path) != "b" and (len(shape) == 2 or (len(shape) == 1 and kind(path) == "W"))
    ]
    rest = [(path, shape) for path, shape in shapes if (path, shape) not in weights]
    unsure = [item for item in weights if not kind(item[0]) and 1 in item[1]]
    found: list[Layout] = []
    # With no names to go by (a list of four arrays), (1, 10) may be a bias or the output's weights.
    for as_biases in ([], unsure[::2], unsure[:1], unsure[1:], unsure):
        chosen = sorted((w for w in weights if w not in as_biases), key=_order)
        biases = sorted(rest + as_biases, key=_order)
        for form in ("out,in", "in,out"):
            layout = _chain(chosen, biases, form, n_in, n_out)
            if layout is not None and layout not in found:
                found.append(layout)
    return sorted(found, key=lambda layout: -len(layout.parameters))


def hint(path: Trail) -> str:
    """The name that says what it is: that of the list, for something in a list."""
    return name_of(path[:-1]) if isinstance(path[-1], int) and len(path) > 1 else name_of(path)


def _order(item: tuple[Trail, tuple[int, ...]]) -> tuple[int, int]:
    path = item[0]
    if isinstance(path[-1], int):
        return path[-1], 0
    layer = names.layer_of(name_of(path))
    return (50 if layer is None else layer), 0


def _chain(
    weights: list[tuple[Trail, tuple[int, ...]]],
    biases: list[tuple[Trail, tuple[int, ...]]],
    form: str,
    n_in: int | None,
    n_out: int | None,
) -> Layout | None:
    if not weights:
        return None
    parameters: list[Parameter] = []
    sizes: list[int] = []
    for layer, (path, shape) in enumerate(weights):
        if len(shape) == 1:
            if layer == len(weights) - 1 and (not sizes or shape[0] == sizes[-1]):
                size_in, size_out, this = shape[0], 1, "in"
            else:
                return None
        else:
            size_out, size_in = shape if form == "out,in" else shape[::-1]
            this = form
        if sizes and sizes[-1] != size_in:
            return None
        if not sizes:
            sizes.append(size_in)
        sizes.append(size_out)
        parameters.append(Parameter(path, layer, "W", this))
    if (n_in is not None and sizes[0] != n_in) or (n_out is not None and sizes[-1] != n_out):
        return None
    layer = 0
    upright = any(len(shape) == 2 and shape[0] > shape[1] for _, shape in biases)
    for path, shape in biases:
        if isinstance(path[-1], int):
            hinted = path[-1] if names.kind_of(hint(path)) == "b" else None
        else:
            hinted = names.layer_of(name_of(path))
        for k in [hinted] if hinted is not None and 0 <= hinted < len(weights) else range(layer, len(weights)):
            bias_form = "1,d" if shape == (1, 1) and not upright else _bias_form(shape, sizes[k + 1])
            if bias_form is not None and not any(p.kind == "b" and p.layer == k for p in parameters):
                parameters.append(Parameter(path, k, "b", bias_form))
                layer = k + 1
                break
    return Layout(parameters, sizes)


def _bias_form(shape: tuple[int, ...], size: int) -> str | None:
    forms = {(size,): "d", (1, size): "1,d", (size, 1): "d,1"}
    if shape == () and size == 1:
        return ""
    return forms.get(shape)
