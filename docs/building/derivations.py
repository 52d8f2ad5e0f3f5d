"""The derivations: for each entry of the tables its formulas, code and words from their home, then the steps.

The steps stand in `derivations/steps`, under a heading with the entry's name. An entry without steps still has its
formulas, its curve and its check.
"""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

from sphinx.application import Sphinx

from building.reference import TABLES, first_line, public
from byhand import layers

HEAD = """---
file_format: mystnb
kernelspec:
  name: python3
---
"""
START = """
```{code-cell} python
:tags: [remove-cell]
import matplotlib.pyplot as plt
import numpy as np

import byhand

rng = np.random.default_rng(0)
```
"""
CURVE = """
```{{code-cell}} python
:tags: [remove-input]
f = byhand.activations.{name}
z = np.linspace(-6, 6, 601)
figure, axes = plt.subplots(figsize=(6, 2.4), layout="constrained")
axes.plot(z, f(z), label="f(z)")
axes.plot(z, np.broadcast_to(f.derivative(z, f(z)), z.shape), "--", label="f′(z)")
axes.set(xlabel="z", xlim=(-6, 6))
axes.grid(alpha=0.3)
axes.legend()
plt.show()
```
"""
CHECKED = {
    "activations": """
What is derived below is held against the numerical derivative, at a thousand places, corners left out:

```{code-cell} python
def check(f, h=1e-6):
    z = rng.uniform(-6, 6, 1000)
    numerical = (f(z + h) - f(z - h)) / (2 * h)
    off = np.abs(f.derivative(z, f(z)) - numerical)
    largest = off[np.abs(z) > h].max()
    assert largest < 1e-8
    print(f"{f}: largest difference {largest:.1g}")
```
""",
    "losses": """
What is derived below is held against the numerical derivative of the loss, output by output:

```{code-cell} python
def check(loss, h=1e-6):
    y_hat = rng.uniform(0.05, 0.95, (4, 3))
    y = rng.dirichlet(np.ones(3), 4)
    numerical = np.empty_like(y_hat)
    for i in np.ndindex(y_hat.shape):
        step = np.zeros_like(y_hat)
        step[i] = h
        above, below = loss.value(y_hat + step, y), loss.value(y_hat - step, y)
        numerical[i] = (above - below) / (2 * h)
    largest = np.abs(loss.gradient(y_hat, y) - numerical).max()
    assert largest < 1e-8
    print(f"{loss}: largest difference {largest:.1g}")
```
""",
}
SYMBOL = {"activations": "f(z)", "losses": "L", "optimizers": "", "initializers": r"W \sim"}


def steps(folder: Path, kind: str) -> tuple[str, dict[str, str]]:
    """What is written by hand: the page's beginning, and the steps by the name of their entry."""
    text = (folder / f"{kind}.md").read_text(encoding="utf-8")
    beginning, *sections = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)
    return beginning, dict(zip(sections[::2], sections[1::2], strict=True))


def formulas(kind: str, entry: object) -> str:
    """The formulas of an entry, as its home has them: LaTeX, then the code to copy."""
    symbol, formula = SYMBOL[kind], entry.formula
    lines = [f"$${symbol} {'=' if kind in ('activations', 'losses') else ''} {formula.latex}$$", ""]
    code = [formula.code]
    for slope, name in (("derivative_formula", "f'(z)"), ("gradient_formula", r"\frac{\partial L}{\partial \hat y}")):
        if written := getattr(entry, slope, None):
            lines += [f"$${name} = {written.latex}$$", ""]
            code.append(written.code)
    if kind == "optimizers":
        lines += [first_line(entry), ""]
        code = [re.sub(r"\{(\w+)\}", r"\1", formula.code)]
    elif kind == "initializers":
        lines += [inspect.getdoc(entry.draw) or "", ""]
        code = [re.sub(r"\{(\w+)\}", r"\1", formula.code)]
    else:
        low, high = getattr(entry, "range", (float("-inf"), float("inf")))
        if (low, high) != (float("-inf"), float("inf")):
            lines += [f"Never below {low:.4g}, nor above {high:.4g}.".replace(", nor above inf", ""), ""]
        lines += [entry.about, ""]
        code = [c.replace("{axis}", "1") for c in code]
    if source := getattr(entry, "source", ""):
        lines += [f"Source: {source}.", ""]
    return "\n".join([*lines, "```python", *code, "```", ""])


def passes(kind: type) -> list[Callable[..., object]]:
    """Forward and backward as they run; where a class only fills in the steps of its base's, those too."""
    home = next(base for base in kind.__mro__ if "forward" in vars(base))
    found = [vars(home)[name] for name in ("forward", "backward", "backward_parameters") if name in vars(home)]
    if home is not kind:
        found += [
            thing for name, thing in vars(kind).items() if inspect.isfunction(thing) and not name.startswith("__")
        ]
    return found


def layer_source(kind: type) -> str:
    """What the class says before its parameters, and its passes."""
    said = re.split(r"\n\w+\n-{3,}\n", inspect.getdoc(kind) or "")[0].strip()
    code = [inspect.cleandoc("\n" + inspect.getsource(method)) for method in passes(kind)]
    reference = f"[Its parameters](#byhand.layers.{kind.__name__})."
    return "\n".join([said, "", reference, "", "```python", "\n\n".join(code), "```", ""])


def entries(kind: str) -> dict[str, object]:
    """What is derived on the page of this kind, by name."""
    if kind in TABLES:
        return TABLES[kind]
    return {
        name: thing
        for name, thing in public(layers).items()
        if inspect.isclass(thing) and issubclass(thing, layers.Layer) and thing is not layers.Layer
    }


def page(folder: Path, kind: str) -> str:
    beginning, written = steps(folder, kind)
    parts = [HEAD, beginning, START, CHECKED.get(kind, "")]
    for name, entry in entries(kind).items():
        parts += [f"\n## {name}\n", layer_source(entry) if kind == "layers" else formulas(kind, entry)]
        if kind == "activations":
            parts.append(CURVE.format(name=name))
        if name in written:
            parts.append(f"\n**Step by step**\n\n{written[name].strip()}\n")
        if kind in CHECKED:
            parts.append(f"\n```{{code-cell}} python\ncheck(byhand.{kind}.{name})\n```\n")
    return "\n".join(parts)


def write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "derivations"
    for kind in [*TABLES, "layers"]:
        text, file = page(folder / "steps", kind), folder / f"{kind}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
