"""The manual's pages run: what the derivations and how-tos compute is what they say, and every entry has its steps.

`make docs` runs all pages; these are the quick ones.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import byhand
from byhand import layers
from byhand.activations import ACTIVATIONS
from byhand.initializers import INITIALIZERS
from byhand.losses import LOSSES
from byhand.optimizers import OPTIMIZERS

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))

from building import mistakes, pictures  # noqa: E402

TABLES = {"activations": ACTIVATIONS, "losses": LOSSES, "optimizers": OPTIMIZERS, "initializers": INITIALIZERS}
STEPS = sorted((DOCS / "derivations/steps").glob("*.md"))
QUICK = [*sorted((DOCS / "how-to").glob("*.md")), *(DOCS / f"tutorials/{name}.md" for name in ("line", "own-layer"))]
SLOW = {"imbalanced-classes", "index", "many-networks", "scikit-learn"}


def cells(page: Path) -> list[str]:
    found = re.findall(
        r"^```\{code-cell\} python\n(?::tags:[^\n]*\n\n?)?(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE
    )
    assert found
    return found


def run(page: Path, **names: object) -> None:
    with mpl.rc_context({"backend": "agg"}):
        for cell in cells(page):
            exec(compile(cell, str(page), "exec"), names)


@pytest.mark.parametrize("page", STEPS, ids=lambda p: p.stem)
def test_what_is_derived_holds(page):
    run(page, np=np, byhand=byhand, rng=np.random.default_rng(0))


@pytest.mark.parametrize("kind", TABLES)
def test_steps_are_of_entries_that_are_there(kind):
    written = re.findall(r"^## (\w+)$", (DOCS / f"derivations/steps/{kind}.md").read_text(), re.MULTILINE)
    assert set(written) <= set(TABLES[kind])
    assert len(written) >= 6


def test_every_layer_has_its_steps():
    written = re.findall(r"^## (\w+)$", (DOCS / "derivations/steps/layers.md").read_text(), re.MULTILINE)
    public = [getattr(layers, name) for name in layers.__all__]
    kinds = [thing for thing in public if isinstance(thing, type) and issubclass(thing, layers.Layer)]
    assert sorted(written) == sorted(kind.__name__ for kind in kinds if kind is not layers.Layer)


@pytest.mark.parametrize("page", [p for p in QUICK if p.stem not in SLOW], ids=lambda p: p.stem)
def test_a_page_runs(page):
    run(page)


def test_every_page_of_a_folder_is_in_its_index():
    for folder in ("how-to", "tutorials"):
        listed = (DOCS / folder / "index.md").read_text()
        for page in (DOCS / folder).glob("*.md"):
            assert page.stem == "index" or re.search(rf"^{page.stem}$", listed, re.MULTILINE), page


@pytest.mark.parametrize(("name", "answer"), [("check", pictures.checked), ("why", pictures.explained)])
def test_a_picture_shows_what_the_command_says_now(name, answer, tmp_path):
    """If not: `make pictures`, and look at them."""
    pictures.assert_carries(name, pictures.words(answer(tmp_path)))


def test_indices_and_exponents_are_set_and_names_of_python_are_not():
    assert mistakes.words("δ_k = W_{k+1}ᵀ dL/dz_k") == "δ<sub>k</sub> = W<sub>k+1</sub>ᵀ dL/dz<sub>k</sub>"
    assert mistakes.words("e^{z_k − m}, e^−z") == "e<sup>z<sub>k</sub> − m</sup>, e<sup>−z</sup>"
    assert mistakes.words("np.ones_like(z), A[i, j]") == "np.ones_like(z), A[i, j]"


@pytest.mark.parametrize(
    ("said", "group"),
    [
        ("It stops at line 3 with NameError: no.", 0),
        ("The loss that it computes goes from 2 to nan.", 1),
        ("The loss that it computes goes from 0.5 to 1.9e+193.", 1),
        ("The loss that it computes\nstays at 0.5. The same, with line 3 rewritten It stops at line 2", 2),
        ("The loss that it computes goes from 0.5 to 0.25. The same", 3),
        ("It trains W 3, on 20 samples; 3 steps were looked at.", 4),
    ],
)
def test_a_mistake_stands_by_what_one_sees_first(said, group):
    assert mistakes.group(mistakes.Said("", [], said)) == mistakes.GROUPS[group]
