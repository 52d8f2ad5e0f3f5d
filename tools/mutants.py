"""Change the mathematics in one place after the other, and list the changes that no test notices: `make mutants`.

mutmut changes no lambda, and the formulas here are lambdas; cosmic-ray starts a new Python for each change. This one
has numpy and pytest loaded, and forks: a change costs what its tests cost until the first that fails.

    python tools/mutants.py               all modules
    python tools/mutants.py activations   these

What survives and is explained in SURVIVORS is right as it is; any other survivor ends it with exit code 1.
"""

import ast
import contextlib
import copy
import importlib.abc
import importlib.util
import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis  # noqa: F401 - what takes long to load is loaded before the forks
import matplotlib.figure  # noqa: F401
import numpy  # noqa: F401
import pytest
import sklearn.neural_network  # noqa: F401

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src/byhand"
TESTS = {  # a module, and the tests that are to notice
    "activations": ["test_activations.py"],
    "losses": ["test_losses.py"],
    "optimizers": ["test_training.py", "test_docstrings.py"],
    "penalties": ["test_penalties.py", "test_training.py", "test_docstrings.py"],
    "schedules": ["test_training.py", "test_docstrings.py"],
    "initializers": ["test_layers_and_network.py", "test_docstrings.py"],
    "layers/dense": ["test_layers_and_network.py", "test_gradient_check.py"],
    "network": ["test_layers_and_network.py", "test_gradient_check.py", "test_layer_door.py"],
}
QUIETLY = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--noconftest"]
QUIETLY += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis is loaded before
QUIETLY += ["-k", "not says_what_it_takes"]  # which reads the lines of the file, and not those of the change
SECONDS = 120  # of processor time for one change; a loop that does not end is noticed
_AT_A_KINK = "both pieces meet at 0"
_BY_CHOICE = "where it looks and what it forgives are a choice: others refuse the same wrong derivatives"
SURVIVORS = {  # "module.name: before → after", or a name alone for all that is within, and why no test can notice
    "activations.magnitude: z > 0 → z >= 0": _AT_A_KINK,
    "activations._sigmoid: 40.0 → 41.0": "σ is 1 to the last digit from 37 on",
    "activations.leaky_relu: z > 0 → z >= 0": _AT_A_KINK,
    "activations.elu: z > 0 → z >= 0": _AT_A_KINK,
    "activations.elu: 0 → 1": "where z > 0 it is not used",
    "activations._TRIED": _BY_CHOICE,
    "activations._check_derivative": _BY_CHOICE,
    "losses._check_gradient": _BY_CHOICE,
    "losses._huber_terms: distance <= 1.0 → distance < 1.0": "both pieces are ½ at 1",
    "losses._steps_as_samples: 1 → 2": "in reshape(-1, k); NumPy takes any negative length for the one that is left",
    "optimizers._BLOCK": "both forms give the same numbers, and where the second is quicker is measured",
    "network.Network: True → False": "strict, where the lengths have been made or found equal",
}

ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
NAMES = {"maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max", "zeros_like": "ones_like"}


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the node's place."""
    other = copy.copy(node)
    match node:
        case ast.BinOp() | ast.AugAssign() if type(node.op) in ARITHMETIC:
            other.op = ARITHMETIC[type(node.op)]()
            yield other
        case ast.Compare(ops=[op]) if type(op) in COMPARED:
            other.ops = [COMPARED[type(op)]()]
            yield other
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.Attribute(attr=name) if name in NAMES:
            other.attr = NAMES[name]
            yield other


def unread(node: ast.AST) -> bool:
    """Whether nothing is computed there: words, types, what is raised."""
    return isinstance(node, ast.Raise | ast.JoinedStr | ast.arg | ast.ImportFrom | ast.Import)


def mutants(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Change the module in one place after the other: what is defined there, the change in words, the line."""

    def walk(node: ast.AST) -> Iterator[tuple[str, int]]:
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            many = isinstance(value, list)
            for place, child in enumerate(value if many else [value]):
                if not isinstance(child, ast.AST) or unread(child):
                    continue
                for other in changes(child):
                    put(node, name, place, many, other)
                    yield f"{ast.unparse(child)} → {ast.unparse(other)}", child.lineno
                    put(node, name, place, many, child)
                yield from walk(child)

    for statement in tree.body:
        for words, line in walk(ast.Module([statement], [])):
            yield defined(statement), words, line


def defined(statement: ast.stmt) -> str:
    """The name of a function, a class or a variable."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    return getattr(statement, "name", "") or (ast.unparse(target) if target else "")


def put(parent: ast.AST, name: str, place: int, many: bool, child: ast.AST) -> None:
    if many:
        getattr(parent, name)[place] = child
    else:
        setattr(parent, name, child)


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Has one module of byhand be what it is told."""

    def __init__(self, module: str, source: str) -> None:
        self.name, self.file, self.source = f"byhand.{module.replace('/', '.')}", SRC / f"{module}.py", source

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            return importlib.util.spec_from_file_location(name, self.file, loader=self)
        return None

    def exec_module(self, module):
        exec(compile(self.source, str(self.file), "exec"), module.__dict__)


def survives(module: str, source: str) -> bool:
    """Whether all tests pass with the module changed so, in a process of its own."""
    child = os.fork()
    if child == 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        sys.meta_path.insert(0, Mutated(module, source))
        sys.path.insert(0, str(ROOT / "tests"))
        arguments = [*QUIETLY, *tests(module)]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                code = pytest.main(arguments)
            except BaseException:
                code = 1
        os._exit(int(code) if int(code) < 100 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def tests(module: str) -> list[str]:
    return [str(ROOT / "tests" / file) for file in TESTS[module]]


def main(modules: list[str]) -> int:
    os.chdir(ROOT)
    unexplained = 0
    for module in modules:
        source = (SRC / f"{module}.py").read_text(encoding="utf-8")
        made = survived = 0
        tree = ast.parse(source)
        if not survives(module, ast.unparse(tree)):  # written like the changes, or each would seem noticed
            sys.exit(f"{module}: its tests fail as it is")
        for name, words, line in mutants(tree):
            made += 1
            if survives(module, ast.unparse(tree)):
                survived += 1
                place = f"{module}.{name}"
                why = SURVIVORS.get(f"{place}: {words}", SURVIVORS.get(place, ""))
                unexplained += not why
                print(f"  {place}: {words}  (line {line}): {why or 'SURVIVES'}", flush=True)
        print(f"{module}: {made} changes, {made - survived} noticed", flush=True)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(TESTS)))
