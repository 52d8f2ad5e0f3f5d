"""The docstrings of the mathematics, estimators and figures: complete, and their examples give what they say."""

import ast
import doctest
import inspect
import re
import textwrap
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import byhand

PACKAGE = Path(byhand.__file__).parent
NO_MATHEMATICS = {"__init__", "__main__", "_types", "cli", "errors", "files", "installation", "pages"}
PACKAGES = ["arithmetic", "estimators", "layers"]
MODULES = sorted({path.stem for path in PACKAGE.glob("*.py")} - NO_MATHEMATICS) + PACKAGES
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for name in MODULES
    for path in [*PACKAGE.glob(f"{name}.py"), *PACKAGE.glob(f"{name}/*.py")]
    if "    >>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name):
    module = import_module(f"byhand.{name}".removesuffix(".__init__"))
    result = doctest.testmod(module, extraglobs={"np": np}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted
    assert not result.failed


def sections(docstring):
    """The text of each section by its title; what comes before the first is under ""."""
    titles = list(re.finditer(r"^(\w[\w ]*)\n-+$", docstring, re.MULTILINE))
    ends = [*(title.start() for title in titles[1:]), len(docstring)][: len(titles)]
    before = docstring[: titles[0].start()] if titles else docstring
    return {"": before} | {t[1]: docstring[t.end() : end] for t, end in zip(titles, ends, strict=True)}


def raises(function):
    """Whether it refuses something, itself or by a function that checks."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(re.search(r"(^|\.)_?check_\w+$", name) for name in called) or any(
        isinstance(node, ast.Raise) and "NotImplementedError" not in ast.unparse(node) for node in ast.walk(tree)
    )


def arguments(function):
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def missing(function, *, is_method=False, is_told_before=False):
    """What the docstring of a function, or a method, leaves unsaid.

    A method that is told in a sentence or two, as on the board, needs no sections if these name its arguments; and one
    that fills in what a class before it tells of, no more than its sentence.
    """
    docstring = inspect.getdoc(function) or ""
    parts, names = sections(docstring), arguments(function)
    returns = inspect.signature(function).return_annotation
    told_in_a_sentence = is_method and list(parts) in ([""], ["", "Raises"])
    if is_told_before:
        return ["Raises"] if raises(function) and "Raises" not in parts else []
    wanted = {
        "Parameters": bool(names) and not told_in_a_sentence,
        "Returns": returns not in (None, "None") and not told_in_a_sentence,
        "Raises": raises(function),
        "Examples": not is_method,
    }
    told = parts[""] if told_in_a_sentence else parts.get("Parameters", "")
    return [title for title, is_wanted in wanted.items() if is_wanted and title not in parts] + [
        name for name in names if not re.search(rf"(?<!\w){name}(?!\w)", told)
    ]


def missing_of_class(cls):
    parts = sections(inspect.getdoc(cls) or "")
    protocol = getattr(cls, "_is_protocol", False)
    names = arguments(cls) if inspect.isfunction(cls.__init__) and not protocol else []
    told = parts.get("Parameters", "") + parts.get("Attributes", "")
    unsaid = [name for name in names if not re.search(rf"(?<!\w){name}(?!\w)", told) and not name.startswith("_")]
    return unsaid + ([] if "Examples" in parts else ["Examples"])


def arrays_without_shape(docstring):
    """Parameters and results that are arrays, and whose shape is not said."""
    parts = sections(docstring)
    entries = parts.get("Parameters", "") + parts.get("Returns", "") + parts.get("Attributes", "")
    return [
        entry.splitlines()[0]
        for entry in re.split(r"\n(?=\S)", entries)
        if re.search(r"\barrays?\b", entry.partition("\n")[0]) and not re.search(r"shape|numbers each", entry)
    ]


def of_class(cls):
    """What is unsaid of a class and of its public methods."""
    yield cls.__name__, missing_of_class(cls), cls
    for name, value in vars(cls).items():
        function = getattr(value, "__func__", value)  # of a class method
        if (name.startswith("_") and name != "__call__") or getattr(function, "__name__", "") != name:
            continue
        told_before = any(name in vars(base) for base in cls.__mro__[1:])
        yield f"{cls.__name__}.{name}", missing(function, is_method=True, is_told_before=told_before), function


def gaps(module):
    """All that is unsaid in a module or package, one line for each function, class and method that is public in it."""
    for name in getattr(module, "__all__", vars(module)):
        value = getattr(module, name)
        if name.startswith("_") or not str(getattr(value, "__module__", "")).startswith(module.__name__):
            continue
        if inspect.isfunction(value):
            members = [(name, missing(value), value)]
        else:
            members = of_class(value) if inspect.isclass(value) and not issubclass(value, BaseException) else []
        for label, unsaid, one in members:
            unsaid += arrays_without_shape(inspect.getdoc(one) or "")
            if unsaid:
                yield f"{label}: {', '.join(unsaid)}"


@pytest.mark.parametrize("name", MODULES)
def test_every_function_and_class_says_what_it_takes_gives_and_refuses(name):
    assert "\n".join(gaps(import_module(f"byhand.{name}"))) == ""


def test_a_gap_would_be_seen():
    def half(x: float, y: float) -> float:
        """Half of it.

        Parameters
        ----------
        x : array
        """
        raise ValueError

    assert missing(half) == ["Returns", "Raises", "Examples", "y"]
    assert arrays_without_shape(half.__doc__ and inspect.getdoc(half)) == ["x : array"]


def test_help_says_of_an_array_whether_it_is_learned():
    assert inspect.getdoc(byhand.Dense.W) == "Learned; its gradient is `grad_W`."
    assert inspect.getdoc(byhand.layers.BatchNorm.running_mean) == "Kept, and not learned."
