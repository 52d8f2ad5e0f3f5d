"""The table of the practical's claims: what its answers say in words and not in a number, and the code that shows it.

Each claim holds for the handout's seed and for ten others, or the sentence is not true; and each sentence must still be
there, or the table is out of date. Claims with a number of their own stand in `test_practical`; those of part 3 and of
2.11b, which take seeds of their own, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

import byhand.lab
from byhand.lab.notebooks import question_titles, solution_notebook, tags

SEEDS = (44, 0, 1, 2, 3, 7, 19, 123, 2024, 31337, 4_000_000_000)


class Claim(NamedTuple):
    question: str
    words: str
    holds: Callable[[Mapping[str, Any]], Any]


def along(names, corners):
    """What the trained network answers on the straight way from one corner of the square to another."""
    way = np.linspace(*np.array(corners, dtype=float), 21)
    return names["forward"](way, names["trained"], names["sigmoid"], names["sigmoid"])[-1]


def band_joins_two_corners(names):
    if names["middle"] > 0.5:
        return (along(names, [[0, 1], [1, 0]]) > 0.5).all()
    return (along(names, [[0, 0], [1, 1]]) < 0.5).all()


def height_beats_tilt(names, which):
    """Whether the eigenvector moves the line's mean height more than it tilts it, over the scatter of x."""
    slope, intercept = np.linalg.eigh(names["hessian"])[1][:, which]
    return abs(slope * names["x_train"].mean() + intercept) > abs(slope) * names["x_train"].std()


CLAIMS = [
    Claim("1.2", "Yes. About the best constant", lambda n: n["scatter"][1] < n["scatter"][0] / 3),
    Claim("1.3", "They will be wrong", lambda n: max(abs(n["a_start"] - 2), abs(n["b_start"] - 1)) > 1e-3),
    Claim("1.6", "Each point pulls at the line with its error", lambda n: np.isclose(n["grad_b"], 2 * n["err"].mean())),
    Claim("1.7", "One step takes the loss from", lambda n: n["loss_next"] < n["loss"]),
    Claim(
        "1.8",
        "falls steeply from",
        lambda n: n["losses"][50] < n["losses"][0] / 5 and n["losses"][900] < 1.01 * n["losses"][-1],
    ),
    Claim(
        "1.9",
        "First the height",
        lambda n: n["heights_off"][30] / n["heights_off"][0] < n["slopes_off"][30] / n["slopes_off"][0],
    ),
    Claim("1.9", "comes to the height of the points within a few epochs", lambda n: n["heights_off"][10] < 0.3),
    Claim(
        "1.9",
        "at last lies along them",
        lambda n: np.allclose(n["path"][-1], np.polyfit(n["x_train"], n["y_train"], 1), atol=1e-3),
    ),
    Claim(
        "1.10",
        "The last row is rounding. The one above it is not",
        lambda n: np.abs(n["best"] - n["sklearn_best"]).max() < 1e-12 < np.abs(n["path"][-1] - n["best"]).max(),
    ),
    Claim("1.11", "The quick part is mostly the line's height", lambda n: height_beats_tilt(n, 1)),
    Claim("1.11", "the slow one mostly its tilt", lambda n: not height_beats_tilt(n, 0)),
    Claim(
        "1.11", "an epoch, as predicted", lambda n: np.isclose(n["predicted_factor"], n["measured_factor"], rtol=1e-6)
    ),
    Claim(
        "1.11",
        "on top of the line that the smaller eigenvalue predicts",
        lambda n: np.allclose(
            n["distance"][300:], n["distance"][300] * n["predicted_factor"] ** np.arange(701.0), rtol=0.01
        ),
    ),
    Claim(
        "1.12",
        "coming to rest turns into flying away",
        lambda n: (
            n["distance_under"][-1] < n["distance_under"][100] and n["distance_over"][-1] > n["distance_over"][100]
        ),
    ),
    Claim("2.6", "Random weights give random answers", lambda n: np.ptp(n["y_untrained"]) > 0),
    Claim("2.9", "runs through the middle", lambda n: n["inner"] == ("ones" if n["middle"] > 0.5 else "zeros")),
    Claim("2.9", "and joins two opposite corners", band_joins_two_corners),
    Claim(
        "2.9",
        "Those that count most here",
        lambda n: np.abs(n["trained"][2][0]).max() == np.abs(n["trained"][2][0][n["first"] - 1]),
    ),
    Claim(
        "2.11",
        "ReLU in both layers shows how one lucky run would mislead",
        lambda n: (
            np.median(n["reached"][n["both"]][n["converged"][n["both"]]]) < np.median(n["reached"]["sigmoid, η = 0.5"])
            and n["medians"][n["both"]] == np.inf
        ),
    ),
    Claim("2.11", "as in {silent.sum()} of these", lambda n: n["silent"].sum() == n["one_of_two"].sum() > 0),
    Claim(
        "2.11",
        "The middle run is fastest with **",
        lambda n: all(n["medians"][n["fastest"]] <= median for median in n["medians"].values()),
    ),
    Claim(
        "2.12",
        "First below a training loss of 0.2",
        lambda n: all(
            (n["in_epochs"](n["speed"][name]) == n["in_epochs"](min(n["speed"].values())))
            == (name in n["equally_fast"])
            for name in n["candidates"]
        ),
    ),
    Claim(
        "2.12", "so the fastest is not the best", lambda n: n["is_best"] == (n["best_candidate"] in n["equally_fast"])
    ),
    Claim("2.12", "the best of ReLU and the best of sigmoid", lambda n: len(n["rows"]) == len(n["pairs"]) <= 2),
    Claim(
        "2.13",
        "With the identity everywhere, every output goes to ½",
        lambda n: np.allclose(n["y_linear"], 0.5, atol=1e-5),
    ),
    Claim("2.13", "So wherever it comes to rest, the loss is 1", lambda n: abs(n["losses_linear"][-1] - 1) < 1e-5),
    Claim(
        "2.13",
        "and 41 parameters are worth no more than 3",
        lambda n: sum(p.size for p in n["trained_linear"]) == 41 and n["losses_linear"].min() > 1 - 1e-9,
    ),
]


@pytest.fixture(scope="module")
def sources():
    """From each question to all the text that its cells have, as one line."""
    texts, current = {}, "start"
    for cell in solution_notebook().cells:
        for title in question_titles(cell):
            current = title.split()[0]
        plain = re.sub(r'"\s*\n\s*f?"', "", cell.source)  # a text in pieces is one text
        texts[current] = texts.get(current, "") + " " + re.sub(r"\s+", " ", plain)
    return texts


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.question}: {claim.words[:30]}")
def test_each_sentence_of_the_table_is_in_the_practical(claim, sources):
    assert claim.words in sources[claim.question]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_claim_holds_with_this_seed(seed, monkeypatch, capsys):
    """Parts 1 and 2 as they run, with 20 starts in the place of 300, and without the study."""
    for name in ("show", "say", "in_short"):
        monkeypatch.setattr(byhand.lab, name, lambda *told: None)
    names: dict[str, Any] = {}
    for question, sources in solved_code(seed).items():
        for source in sources:
            exec(source.replace("RUNS, EPOCHS = 300, 2000", "RUNS, EPOCHS = 20, 2000"), names)
        untrue = [claim.words for claim in CLAIMS if claim.question == question and not claim.holds(names)]
        assert untrue == [], f"{question}, seed {seed}"


def solved_code(seed):
    """From each question of parts 1 and 2 to its code, without what checks, draws the network or needs the study."""
    code, question = {}, "start"
    for cell in solution_notebook(seed).cells:
        for title in question_titles(cell):
            question = title.split()[0]
        told = {"ask", "check", "picture"} & set(tags(cell)) or "study(" in cell.source or "best_of" in cell.source
        if cell.cell_type == "code" and not told and not question.startswith("3."):
            code.setdefault(question, []).append(cell.source)
    return code
