"""The package as a package: it loads quickly, its rooms stay apart, its names are all there."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import byhand

PACKAGE = Path(byhand.__file__).parent
VERBS = {"diagnosis", "lab", "play", "study"}
NOT_MATHEMATICS = {"cli", "__main__", "estimators", "figures", "pages", *VERBS}
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
    for path in PACKAGE.rglob("*.py")
}


def libraries_loaded_by(code: str) -> set[str]:
    """The libraries that a new Python has loaded after `code`, without those that it loads at every start."""
    program = f"import sys\nat_start = set(sys.modules)\n{code}\nprint(*set(sys.modules) - at_start, file=sys.stderr)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in answer.stderr.split()}
    return loaded - sys.stdlib_module_names - {"byhand"}


@pytest.fixture(scope="module")
def numpy_alone() -> set[str]:
    return libraries_loaded_by("import numpy.random")


def test_import_byhand_loads_no_library():
    assert libraries_loaded_by("import byhand") == set()


def test_the_mathematics_loads_numpy_and_nothing_else(numpy_alone):
    module_of = byhand._MODULE_OF | {module: module for module in byhand._MODULES}
    names = sorted(name for name, module in module_of.items() if module not in NOT_MATHEMATICS)
    assert {"Network", "arithmetic", "train"} <= set(names)
    assert libraries_loaded_by(f"import byhand\nfor name in {names}: getattr(byhand, name)") <= numpy_alone


def test_a_network_and_its_training_load_next_to_nothing_beside_numpy():
    code = "import numpy.random, sys; before = set(sys.modules); from byhand import Network, train; "
    code += "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) <= {"__future__", "byhand", "copy", "dataclasses", "numpy"}


def test_import_star_needs_no_extra(numpy_alone):
    assert libraries_loaded_by("from byhand import *\nNetwork, train") <= numpy_alone


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["lab", "--help"], ["notebook", "--help"], ["study", "--help"]]
)
def test_help_loads_click_alone(arguments):
    run = f"sys.argv[1:] = {arguments}\ntry:\n import byhand.__main__\nexcept SystemExit: pass"
    assert libraries_loaded_by(run) == {"click"}


def test_every_public_name_is_there():
    for name in dir(byhand):
        assert getattr(byhand, name) is not None


def test_every_module_of_the_mathematics_is_there_after_import_byhand():
    roots = {name for name in MODULES if "." not in name}
    others = {
        "__init__",
        "__main__",
        "_types",
        "cli",
        "errors",
        "files",
        "installation",
        "pages",
        "students",
        "summary",
    }
    assert roots - others <= byhand._MODULES


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'byhand' has no attribute 'Netwrok'"):
        byhand.Netwrok  # noqa: B018


def test_type_checkers_are_told_the_same_names():
    told = {
        (node.module, alias.name): alias.asname
        for block in MODULES["__init__"].body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    loaded = {("byhand", name) for name in byhand._MODULES}
    loaded |= {(f"byhand.{module}", name) for name, module in byhand._MODULE_OF.items()}
    assert told == {(module, name): name for module, name in loaded}


def imports(tree: ast.AST, *, everywhere: bool) -> Iterator[str]:
    """The modules that the code imports: everywhere, or only when it is loaded itself."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the imports here are absolute"
            yield from [f"byhand.{a.name}" for a in node.names] if node.module == "byhand" else [node.module]
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.If):
            yield from imports(node, everywhere=everywhere)


def rooms(tree: ast.AST, *, everywhere: bool = True) -> set[str]:
    """The rooms of byhand that the code imports."""
    return {name.split(".")[1] for name in imports(tree, everywhere=everywhere) if name.startswith("byhand.")}


@pytest.mark.parametrize("name", sorted(name for name in MODULES.keys() - NOT_MATHEMATICS if "." not in name))
def test_the_mathematics_knows_nothing_of_the_verbs(name):
    assert not rooms(MODULES[name], everywhere=False) & NOT_MATHEMATICS
    if name != "__init__":
        assert not rooms(MODULES[name]) & {"cli", *VERBS}


# The practical's source is a notebook: a user of the verbs, not a part of one.
@pytest.mark.parametrize("name", sorted(n for n in MODULES.keys() - {"lab.td1"} if n.partition(".")[0] in VERBS))
def test_a_verb_imports_no_other_verb(name):
    assert not rooms(MODULES[name]) & ({"cli", *VERBS} - {name.partition(".")[0]})


def test_the_command_loads_a_verb_only_when_it_is_called():
    assert not rooms(MODULES["cli"], everywhere=False) & VERBS


ROOT = PACKAGE.parents[1]
BY_NAME = re.compile(r"""\b(pip|pipx|uv|uvx|conda|%pip)\b[^\n`]*?\s["']?byhand(?![-\w/.])""")
"""An installation of whatever an index has under our name."""


def test_a_name_that_is_not_ours_on_an_index_is_never_suggested():
    places = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "examples", "src", "tools", ".github")
    files = [path for place in places for path in (ROOT / place, *(ROOT / place).rglob("*"))]
    texts = [p for p in files if p.suffix in (".md", ".py", ".yml", ".rst", ".html", ".js") and "_build" not in p.parts]
    assert len(texts) > 200
    told = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in texts
        for line in path.read_text(encoding="utf-8").splitlines()
        if "install" in line and BY_NAME.search(line)
    }
    assert told == set()


@pytest.mark.parametrize("line", ['pip install "byhand[lab]"', "uv pip install byhand", "%pip install byhand==1.0.0"])
def test_and_would_be_seen(line):
    assert BY_NAME.search(line)


def test_version_is_that_of_the_installed_package():
    assert importlib.metadata.version("byhand") == byhand.__version__


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("CITATION.cff", r"^version: (.*)$"),
        ("CHANGELOG.md", r"^## \[(.*)\] - "),
        ("src/byhand/lab/td1.py", r"/path/to/byhand-(.*)-py3"),
    ],
)
def test_version_is_the_same_wherever_it_is_written(file, place):
    text = (PACKAGE.parents[1] / file).read_text(encoding="utf-8")
    assert re.search(place, text, re.MULTILINE)[1] == byhand.__version__


def test_all_is_everything_that_a_user_can_use():
    extras = set(importlib.metadata.metadata("byhand").get_all("Provides-Extra"))
    assert {"all", "check", "dask", "figures", "lab", "sklearn", "study", "test"} <= extras
