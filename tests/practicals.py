"""Two practicals for the tests: a small one that runs in a second, and the real one, run once for all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from nbformat import NotebookNode

from byhand.lab import notebooks
from byhand.lab.report import report_html
from byhand.lab.running import run

SMALL = r'''# %% [markdown]
# # A small practical
#
# Two questions, to see the pipeline work. Let $x \in \mathbb{R}^n$.

# %% tags=["parameters"]
SEED = 44

# %%
import sys

import matplotlib.pyplot as plt
import numpy as np

from byhand.lab import agree, question, say, show

print("a library's warning", file=sys.stderr)

# %% [markdown]
# ## Part 1: numbers
#
# ### 1.1 Data
#
# Draw 5 numbers, `x`, with $x_i \sim \mathcal{N}(0, 1)$.

# %%
# x: the numbers, shape (5,)
### BEGIN SOLUTION
np.random.seed(SEED)
x = np.random.randn(5)
### END SOLUTION

# %% tags=["check"]
with question("1.1 Data"):
    agree("x", x, np.random.RandomState(SEED).randn(5))

# %% [markdown]
# ### 1.2 The square
#
# Write `square(x)`, and its derivative. It is used $10{,}000$ times.

# %% [markdown] tags=["solution"]
# The derivative of the square follows from its definition:
# $$\begin{aligned} \frac{(x+h)^2 - x^2}{h} &= 2x + h \\ &\to 2x \quad \mathrm{for}\; h \to 0, \end{aligned}$$
# so that $\sigma'(x) = 2x$.

# %%
def square(x):
    """x squared."""
    ### BEGIN SOLUTION
    result = x * x
    return result
    ### END SOLUTION


def derivative(x):
    """The derivative of x squared."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% tags=["check"]
with question("1.2 The square"):
    agree("square", square(np.arange(3.0)), [0, 1, 4])
    agree("derivative", derivative(np.arange(3.0)), [0, 2, 4 + 1e-12])

# %%
### BEGIN SOLUTION
fig, (left, right) = plt.subplots(1, 2)
left.plot(np.sort(x), square(np.sort(x)), "o-", color="red")
left.set(xlabel="x", ylabel="x²", title="The square")
right.imshow(np.arange(4).reshape(2, 2))
show(fig, "Left a parabola through five points, right four squares of different colours.")

fig, ax = plt.subplots()
ax.plot(np.sort(x), square(np.sort(x)), "s-", color="blue")
show(fig, "The parabola again, with square markers instead of round ones.")
### END SOLUTION

# %%
### BEGIN SOLUTION
print("epoch 1  loss <0.5>")
say(f"The largest square is **{square(x).max():.3f}**, and $\\hat y = x^2$.")
### END SOLUTION

# %% [markdown]
# | | $\eta$ | epochs |
# |---|---|---|
# | sigmoid | 0.5 | $10^4$ |

# %%
sys.executable
'''


@dataclass(frozen=True)
class Practical:
    """A practical that has been run: its notebooks, and where its report is."""

    solution: NotebookNode
    student: NotebookNode
    report: Path


def run_practical(folder: Path) -> Practical:
    solution = notebooks.solution_notebook()
    student = notebooks.student_notebook(solution)
    run(solution, lambda title, index, count: None, graded=True)
    report = folder / "report.html"
    report.write_text(report_html(solution, notebooks.DEFAULT_SEED), encoding="utf-8")
    return Practical(solution, student, report)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Practical:
    """The small practical."""
    folder = tmp_path_factory.mktemp("small")
    source = folder / "small.py"
    source.write_text(SMALL, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebooks, "SOURCE", source)
        return run_practical(folder)


@pytest.fixture(scope="session")
def td1(tmp_path_factory: pytest.TempPathFactory) -> Practical:
    """The real practical; it takes half a minute, so what can be seen on the small one is tested there."""
    return run_practical(tmp_path_factory.mktemp("td1"))


def outputs(notebook: NotebookNode, kind: str) -> list[NotebookNode]:
    """What the notebook's cells put out, of one kind: "stream", "display_data", "execute_result" or "error"."""
    return [output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == kind]


def printed(notebook: NotebookNode) -> str:
    return "".join(output.text for output in outputs(notebook, "stream") if output.name == "stdout")
