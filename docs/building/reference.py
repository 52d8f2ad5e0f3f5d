"""The reference, written from what is there: a page for each module, every public name, every option of the command."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.roles import XRefRole

import byhand
from byhand.activations import ACTIVATIONS
from byhand.cli import byhand as command
from byhand.initializers import INITIALIZERS
from byhand.losses import LOSSES
from byhand.optimizers import OPTIMIZERS

TABLES = {"activations": ACTIVATIONS, "losses": LOSSES, "initializers": INITIALIZERS, "optimizers": OPTIMIZERS}
MODULES = sorted(byhand._MODULES)
ELSEWHERE = sorted({module for module in byhand._MODULE_OF.values() if module not in byhand._MODULES})


def first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def public(module: ModuleType) -> dict[str, object]:
    """The functions and classes that the module offers: what it lists, else what it defines itself."""
    listed = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    things = {name: getattr(module, name) for name in listed}
    return {
        name: thing
        for name, thing in things.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__.startswith(module.__name__)
    }


def formulas(name: str) -> str:
    rows = [
        f"| [`{key}`](../derivations/{name}.md#{key}) | ${thing.formula.latex}$ |"
        for key, thing in TABLES[name].items()
    ]
    return "\n".join(["## By name", "", "| name | formula |", "|---|---|", *rows, ""])


def module_page(name: str) -> str:
    module = import_module(f"byhand.{name}")
    lines = [f"# {name.rpartition('.')[2]}", ""]
    lines += ["```{eval-rst}", f".. automodule:: byhand.{name}", "   :no-members:", "```", ""]
    if name in TABLES:
        lines += [formulas(name), "## Objects", ""]
    for key, thing in public(module).items():
        kind = "class" if inspect.isclass(thing) else "function"
        lines += ["```{eval-rst}", f".. auto{kind}:: byhand.{name}.{key}"]
        lines += ["   :members:", "```", ""] if kind == "class" else ["```", ""]
    return "\n".join(lines)


def home(name: str) -> str:
    """Where the reference has a public name: its module's page, and the name there."""
    module = byhand._MODULE_OF[name]
    return f"[`byhand.{name}`](#byhand.{module}.{name})"


def index() -> str:
    names = [f"| {home(name)} | {escaped(first_line(getattr(byhand, name)))} |" for name in sorted(byhand._MODULE_OF)]
    modules = [
        f"| [`byhand.{m}`]({m}.md) | {escaped(first_line(import_module(f'byhand.{m}')))} |"
        for m in [*MODULES, *ELSEWHERE]
    ]
    commands = [
        f"| [`{call}`](commands.md#{call.replace(' ', '-')}) | {verb.get_short_help_str(200)} |"
        for call, verb in verbs().items()
    ]
    tree = "\n".join([*MODULES, *ELSEWHERE, "commands"])
    return f"""# Reference

Every public name. It is loaded from `byhand` when it is first used; what needs an extra says so.

| name | |
|---|---|
{chr(10).join(names)}

| module | |
|---|---|
{chr(10).join(modules)}

| command | |
|---|---|
{chr(10).join(commands)}

```{{toctree}}
:hidden:

{tree}
```
"""


def escaped(text: str) -> str:
    """As Markdown and reStructuredText take it literally, an option's two dashes too."""
    return re.sub(r"--[a-z-]+", r"``\g<0>``", text.replace("|", r"\|").replace("*", r"\*"))


def verbs() -> dict[str, click.Command]:
    """What can be called, by the call."""
    return {"byhand": command} | {f"byhand {name}": verb for name, verb in command.commands.items()}


def commands() -> str:
    parts = ["# Commands", "", "What `--help` says after each."]
    for call, verb in verbs().items():
        with click.Context(verb, info_name=call, **command.context_settings) as context:
            said, _, exit_codes = verb.get_help(context).partition("Exit codes:")
            usage, _, words = said.partition("\n\n")
            words = inspect.cleandoc(words.partition("\nOptions:")[0])
            options = [p.get_help_record(context) for p in verb.get_params(context) if isinstance(p, click.Option)]
        parts += ["", f"## {call}", "", "```text", usage, "```", "", escaped(words), ""]
        parts += ["```{eval-rst}", f".. program:: {call}", ""]
        for option, meaning in options:
            parts += [f".. option:: {option}", "", f"   {escaped(meaning)}", ""]
        parts += ["```", "", "```text", f"Exit codes:{exit_codes.rstrip()}", "```"]
    return "\n".join(parts) + "\n"


def write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    pages = {name: module_page(name) for name in [*MODULES, *ELSEWHERE]}
    for name, text in {**pages, "index": index(), "commands": commands()}.items():
        file = folder / f"{name}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def whole_name(name: str) -> str:
    """Where the reference has what a docstring names in short: `Dense`, `train`, `datasets.xor`, `gradient_check`."""
    head = name.partition(".")[0]
    if head in byhand._MODULE_OF:
        return f"byhand.{byhand._MODULE_OF[head]}.{name}"
    return f"byhand.{name}" if head in byhand._MODULES else name


def not_markup(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """|z| is a magnitude, and no substitution."""
    lines[:] = [line if ">>>" in line else line.replace("|", r"\|") for line in lines]


def plainly(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """A default that is a class by its name, and one that is made anew each time as what it is."""
    signature = re.sub(r"<class '(?:numpy\.)?(\w+)'>", r"\1", signature or "").replace("<factory>", "...")
    return signature or None, returned


def of_scikit_learn(app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    """What scikit-learn puts into every estimator, in its own words, stands in its own manual."""
    return True if name.startswith("set_") and name.endswith("_request") else None


class Name(XRefRole):
    """What stands between single backticks in a docstring: code, and a link where it names something documented."""

    def __init__(self) -> None:
        super().__init__(innernodeclass=nodes.literal)

    def process_link(self, env, refnode, has_explicit_title, title, target):
        refnode["refdomain"], refnode["reftype"], refnode["from backticks"] = "py", "obj", True
        refnode["py:module"], refnode["py:class"] = env.ref_context.get("py:module"), env.ref_context.get("py:class")
        return title, whole_name(target.removesuffix("()").removeprefix("byhand."))


def stays_code(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, contents: nodes.Node
) -> nodes.Node | None:
    return contents if node.get("from backticks") else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("name", Name())
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", not_markup)
    app.connect("autodoc-process-signature", plainly)
    app.connect("autodoc-skip-member", of_scikit_learn)
    app.connect("missing-reference", stays_code)
    return {"parallel_read_safe": True}
