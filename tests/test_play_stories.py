"""The stories: every sentence with a number in it, against numbers that are computed here in another way."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import byhand
from byhand.play.stories import OUTLINES, story, written
from byhand.training import largest_learning_rate

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
Y = np.array([[0], [1], [1], [0]], dtype=float)
FOUR = slice(None)
TEN = range(1, 11)
"""Other seeds than the stories': what they say in general holds there too."""


def says(name, index):
    """The answer of a beat and its bold numbers; the option that is ticked."""
    beat = story(name).beats[index]
    bold = [number(text) for part in re.findall(r"\*\*(.+?)\*\*", beat.answer) for text in part.split(", ")]
    return beat, bold, beat.options[beat.right]


def number(text):
    text = text.replace("−", "-").split(" of ")[0]
    mantissa, _, power = text.partition("·10")
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))) if power else 0
    return float(mantissa) * 10.0**exponent


def said(pattern, beat):
    """The numbers that an answer has where the pattern is."""
    groups = re.search(pattern, beat.answer).groups()
    return [number(text) for group in groups for text in group.split(", ")]


def near(value):
    """As exact as three decimals, or four of what is small, are."""
    return pytest.approx(value, rel=0.06 if abs(value) < 1e-3 else 6e-3, abs=6e-4)


def handout(activation, seed):
    """The practical's network, written out once more: (W1, b1, W2, b2)."""
    np.random.seed(seed)  # noqa: NPY002
    return [np.random.randn(10, 2), np.zeros(10), np.random.randn(1, 10), np.zeros(1)]  # noqa: NPY002


F = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "identity": (lambda z: z, np.ones_like),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
}


def look(parameters, activation, x=X, y=Y):
    """(ŷ, loss, gradients, z's) by the formulas of the board."""
    f, slope = F[activation]
    W1, b1, W2, b2 = parameters
    z1 = x @ W1.T + b1
    z2 = f(z1) @ W2.T + b2
    y_hat = f(z2)
    d2 = 2 * (y_hat - y) * slope(z2)
    d1 = d2 @ W2 * slope(z1)
    gradients = [d1.T @ x, d1.sum(0), d2.T @ f(z1), d2.sum(0)]
    return y_hat.ravel(), float(((y_hat - y) ** 2).sum()), gradients, (z1, z2), (d1, d2)


def trained(parameters, activation, rate, epochs):
    losses = []
    for _ in range(epochs):
        _, loss, gradients, *_ = look(parameters, activation)
        losses.append(loss)
        parameters = [p - rate * g for p, g in zip(parameters, gradients, strict=True)]
    return parameters, [*losses, look(parameters, activation)[1]]


@pytest.mark.parametrize("outline", OUTLINES, ids=lambda outline: outline.id)
def test_a_story_has_five_to_seven_beats_that_can_be_guessed_at(outline):
    told = story(outline.id)
    assert 5 <= len(told.beats) <= 7
    for beat in told.beats:
        assert beat.question.endswith("?") or "?" in beat.question
        assert 0 <= beat.right < len(beat.options) == len(set(beat.options))
        assert "**" in beat.answer or outline.id == "identity-cannot"
        assert "nan" not in beat.answer


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (-2.3771, "−2.377"),
        (0.00459, "0.0046"),
        (8.1e-7, "8.1·10⁻⁷"),
        (137.67, "137.7"),
        (2e6, "2·10⁶"),
    ],
)
def test_numbers_are_written_as_the_page_writes_them(value, text):
    assert written(value) == text


def test_what_is_delta():
    w = [np.array([[0.7, 0.2], [1.5, -0.9]]), np.array([-0.8, 0.4]), np.array([[0.8, -0.7]]), np.array([-0.6])]
    x, y = np.array([[1.0, 1.0]]), np.array([[0.0]])
    y_hat, loss, gradients, (z1, z2), (d1, d2) = look(w, "sigmoid", x, y)
    f, slope = F["sigmoid"]
    _, bold, option = says("delta", 0)
    assert bold == [near(z1[0, 0]), near(f(z1[0, 0]))]
    assert number(option) == near(0.7 + 0.2 - 0.8)
    _, bold, option = says("delta", 1)
    assert bold == [near(y_hat[0]), near(loss)]
    assert option == "Something in between"
    beat, bold, option = says("delta", 2)
    nudged = (f(z2[0, 0] + 0.001) - 0) ** 2
    assert option == "Grow a little"
    assert nudged > loss
    assert f"from {loss:.6f} to {nudged:.6f}" in beat.answer
    assert number(re.search(r": (\S+) times the nudge", beat.answer)[1]) == near((nudged - loss) / 0.001)
    assert bold == [near(d2[0, 0])]
    assert number(re.search(r"of the curve, (\S+) ·", beat.answer)[1]) == near(2 * y_hat[0])
    _, bold, option = says("delta", 3)
    assert bold == [near(g) for g in gradients[2][0]]
    assert option == f"On v{'₁₂'[int(np.argmax(np.abs(gradients[2])))]}"
    _, bold, option = says("delta", 4)
    assert bold == [near(d1[0, 0])]
    assert number(option.rpartition("= ")[2]) == near(0.8 * d2[0, 0] * slope(z1[0, 0]))
    _, bold, option = says("delta", 5)
    assert bold == [near(d1[0, 1])]
    assert ("negative" in option) == (d1[0, 1] < 0)
    np.testing.assert_allclose(gradients[0], d1.T * [1, 1])  # "each of the six gradients is just its unit's δ"
    beat, bold, option = says("delta", 6)
    after = look([p - g for p, g in zip(w, gradients, strict=True)], "sigmoid", x, y)[1]
    assert bold == [near(after)]
    assert (option == "It is smaller") == (after < loss)
    promised = loss - sum((g**2).sum() for g in gradients)
    assert number(re.search(r"promised (\S+):", beat.answer)[1]) == near(promised)


def test_sigmoid_learns():
    w = handout("sigmoid", 0)
    y_hat, loss, *_ = look(w, "sigmoid")
    _, bold, _ = says("sigmoid-learns", 0)
    assert bold == [*map(near, y_hat), near(loss)]
    assert ((y_hat > 0.3) & (y_hat < 0.8)).all()  # "well inside 0 and 1"
    assert look(w, "sigmoid", X, Y)[1] > ((0.5 - Y) ** 2).sum() == 1
    after, losses = trained(w, "sigmoid", 0.5, 1000)
    for index, epoch in ((1, 10), (2, 100), (3, 1000), (4, 1000)):
        at, _ = trained(w, "sigmoid", 0.5, epoch)
        y_hat, loss, gradients, *_ = look(at, "sigmoid")
        beat, bold, option = says("sigmoid-learns", index)
        if index == 3:
            assert bold == [near(np.hypot(np.linalg.norm(gradients[0]), np.linalg.norm(gradients[1])))]
            assert option == "Many times shorter"
            assert number(re.search(r"slope is at most (\S+),", beat.answer)[1]) == near((y_hat * (1 - y_hat)).max())
        else:
            assert bold[0] == near(loss)
        if index == 1:
            assert abs(y_hat - 0.5).max() == near(number(re.search(r"within (\S+) of", beat.answer)[1]))
            others = [trained(handout("sigmoid", seed), "sigmoid", 0.5, 10)[1][-1] for seed in TEN]
            assert said(r"lies between (\S+) and (\S+) by then", beat) == [near(min(others)), near(max(others))]
            assert all(0.9 < other < 1.1 for other in [loss, *others])
        if index == 2:
            assert bold[1] == next(epoch for epoch, value in enumerate(losses) if value < 0.5) == 65
            assert 0.2 < loss < 0.3
        if index == 4:
            assert ((y_hat > 0.5) == Y.ravel()).all()
            assert 0 < loss < 0.01
    assert after is not None


def test_relu_sometimes():
    sigmoid = trained(handout("sigmoid", 0), "sigmoid", 0.5, 300)[1]
    w, losses = trained(handout("relu", 4), "relu", 0.01, 15)
    beat, bold, option = says("relu-sometimes", 0)
    needs = next(epoch for epoch, loss in enumerate(sigmoid) if loss < 0.05)
    assert f"needed {needs} epochs" in beat.question
    assert bold == [next(epoch for epoch, loss in enumerate(losses) if loss < 0.05), near(losses[15])]
    assert option == "A tenth or fewer"
    assert bold[0] <= needs / 10
    *_, (z1, _), (d1, _) = look(w, "relu")
    unit = int(re.search(r"Hidden unit (\d+)", says("relu-sometimes", 1)[0].question)[1]) - 1
    assert (z1[:, unit] <= 0).all()
    assert not d1[:, unit].any()
    ends = [trained(handout("relu", seed), "relu", 0.01, 1000)[1][-1] for seed in range(20)]
    for index, seed in ((2, 0), (3, 1)):
        _, bold, option = says("relu-sometimes", index)
        assert bold == [near(ends[seed])]
        assert option == f"The loss is {round(ends[seed])}"
    z2 = look(trained(handout("relu", 0), "relu", 0.01, 1000)[0], "relu")[3][1]
    assert (z2 <= 0).all()  # "the output unit itself is dead"
    beat, bold, option = says("relu-sometimes", 4)
    assert bold == [sum(end < 0.01 for end in ends)] == [5]
    assert option == "About a quarter"
    for seed in (seed for seed, end in enumerate(ends) if end < 0.01):  # "faster here when it worked at all"
        relu, sigmoid = (
            [loss < 0.05 for loss in trained(handout(name, seed), name, rate, 300)[1]]
            for name, rate in (("relu", 0.01), ("sigmoid", 0.5))
        )
        assert relu.index(True) < (sigmoid.index(True) if any(sigmoid) else 300)
    counts = re.search(r"; (\d+) end at a loss of 1 and (\d+) at 2", beat.answer)
    assert [int(counts[1]), int(counts[2])] == [sum(abs(end - k) < 0.01 for end in ends) for k in (1, 2)]


def test_identity_cannot():
    w = handout("identity", 0)
    _, loss, gradients, *_ = look(w, "identity")
    assert says("identity-cannot", 0)[1] == [near(loss)]
    beat, bold, option = says("identity-cannot", 1)
    assert bold == [near(trained(w, "identity", 0.01, 1)[1][-1])]
    assert option == "It grows"
    norm = np.hypot(np.linalg.norm(gradients[0]), np.linalg.norm(gradients[1]))
    assert number(re.search(r"layer was (\S+) long", beat.answer)[1]) == near(norm)
    best = LinearRegression().fit(X, Y).predict(X)
    np.testing.assert_allclose(best, 0.5)  # "of all planes, the flat one at ½ is nearest"
    for index, epochs in ((2, 100), (3, 1000)):
        _, bold, option = says("identity-cannot", index)
        assert bold == [near(trained(w, "identity", 0.01, epochs)[1][-1])] == [near(((best - Y) ** 2).sum())]
        assert "1" in option
    for seed in TEN:  # "a sum of sums is a sum": one plane, whatever the weights
        corners = look(handout("identity", seed), "identity")[0]
        assert corners[0] + corners[3] == pytest.approx(corners[1] + corners[2])
    flat = [trained(handout("identity", seed), "identity", 0.01, 1000)[1][-1] for seed in TEN]
    assert said(r"(\d+) of the seeds 1 to 10 end there", says("identity-cannot", 3)[0]) == [10]
    np.testing.assert_allclose(flat, 1)
    beat, bold, _ = says("identity-cannot", 4)
    assert bold == [near(trained(w, "tanh", 0.1, 1000)[1][-1])]
    curved = [trained(handout("tanh", seed), "tanh", 0.1, 1000)[1][-1] for seed in TEN]
    assert said(r"(\d+) of the seeds 1 to 10 get below", beat) == [sum(end < 0.1 for end in curved)] == [9]


def test_the_plane_of_the_identity_is_painted_flat():
    surface = story("identity-cannot").beats[3].frame.answer.surfaces.units[-1][0]
    assert surface.high - surface.low < 1e-3
    assert surface.low == near(0.5)


def test_seed_44():
    w = handout("relu", 44)
    beat, bold, option = says("seed-44", 0)
    _, losses = trained(w, "relu", 0.001, 100)
    assert set(losses) == {2.0}
    assert bold == [2, 2]
    assert option == "It stays exactly where it is"
    _, _, gradients, (_, z2), (_, d2) = look(w, "relu")
    beat, bold, option = says("seed-44", 1)
    assert bold == [z2[0, 0], 0] == [0, 0]
    assert option == "The output unit"
    others = [number(text) for text in re.search(r"three it is (.+?)\. Never", beat.answer)[1].split(", ")]
    assert others == [near(z) for z in z2[1:, 0]]
    assert (z2 <= 0).all()
    beat, bold, option = says("seed-44", 2)
    assert bold == [0, 0]
    assert d2[1, 0] == 0
    assert number(re.search(r"z is (\S+), on the flat", beat.question)[1]) == near(z2[1, 0])
    beat, bold, option = says("seed-44", 3)
    assert sum((g == 0).sum() for g in gradients) == 41
    assert bold == [41]
    assert option == "All 41"
    w[3] = np.array([3.0])
    _, loss, gradients, (_, z2), _ = look(w, "relu")
    beat, bold, _ = says("seed-44", 4)
    assert bold == [near(z2[0, 0]), sum((g != 0).sum() for g in gradients)]
    assert number(re.search(r"loss is (\S+):", beat.answer)[1]) == near(loss)
    beat, bold, option = says("seed-44", 5)
    end = trained(w, "relu", 0.02, 400)[1][-1]
    assert bold == [near(end)]
    assert option.startswith("Near 0")
    assert end < 1e-5
    (cured,) = said(r"it brings (\d+) to", beat)
    starts = ((seed, handout("relu", seed)) for seed in range(44))
    dead = dict([(seed, w) for seed, w in starts if (look(w, "relu")[3][1] <= 0).all()][:10])
    ends = []
    for w in dead.values():
        assert not any(g.any() for g in look(w, "relu")[2])  # "every gradient has the δ of the output as a factor"
        assert set(trained(w, "relu", 0.1, 20)[1]) == {2.0}  # "0 times any rate is 0, however often"
        ends.append(trained([*w[:3], np.array([3.0])], "relu", 0.02, 400)[1][-1])
    assert sum(end < 0.01 for end in ends) == cured


def test_a_rate_past_the_bound():
    x, y = byhand.datasets.line(100, noise=0.1, seed=0)
    w, b = byhand.Network.dense([1, 1], "identity", initializer="standard_normal", seed=0).parameters

    def course(rate, epochs):
        p, losses = np.array([w, b]), []
        for _ in range(epochs):
            error = p[0] * x + p[1] - y
            losses.append((error**2).mean())
            p = p - rate * 2 * np.array([(error * x).mean(), error.mean()])
        return p, [*losses, ((p[0] * x + p[1] - y) ** 2).mean()]

    losses = course(0.9, 4)[1]
    beat, bold, option = says("rate-too-high", 0)
    assert bold == [near(losses[1])]
    assert option == "It grows"
    beat, bold, option = says("rate-too-high", 1)
    assert bold == [near(losses[4])]
    factors = [number(t) for t in re.search(r"multiplied it by (.+?)\. Growth", beat.answer)[1].split(", ")]
    assert factors == [near(q / p) for p, q in pairwise(losses)]
    beat, bold, option = says("rate-too-high", 2)
    design = np.hstack([x, np.ones_like(x)])
    curvature = 2 * np.linalg.eigvalsh(design.T @ design / len(x)).max()
    bound = largest_learning_rate(byhand.Network.dense([1, 1], "identity"), x, y, "mean_squared_error")
    assert bold == [near(2 / curvature)] == [near(bound)]
    assert number(option) == near(bound)
    assert number(re.search(r"is (\S+), and the steps", beat.answer)[1]) == near((1 - 0.9 * curvature) ** 2)
    (slope, height), losses = course(0.5, 100)
    beat, bold, option = says("rate-too-high", 3)
    assert bold == [near(losses[-1])]
    assert f"ŷ = {written(slope)}·x + {written(height)}" in beat.answer
    beat, bold, option = says("rate-too-high", 4)
    edge = course(0.99 * bound, 100)[1]
    assert bold == [near(edge[-1])]
    assert edge[-1] > losses[-1]
    assert edge[-1] < edge[0]


@pytest.mark.parametrize("seed", TEN)
def test_what_delta_says_in_general_holds_for_other_weights(seed):
    """δ is the loss's growth by z; a gradient what came in times δ; each δ is made of the δ behind it."""
    draw = np.random.default_rng(seed)
    w = [draw.normal(size=shape) for shape in ((2, 2), (2,), (1, 2), (1,))]
    f, slope = F["sigmoid"]
    x, y = draw.integers(2, size=(1, 2)).astype(float), draw.integers(2, size=(1, 1)).astype(float)
    _, loss, gradients, (z1, z2), (d1, d2) = look(w, "sigmoid", x, y)
    h = 1e-6

    def loss_from(z):
        return ((f(f(z) @ w[2].T + w[3]) - y) ** 2).sum()

    nudged = ((f(z2 + h) - y) ** 2).sum()
    assert (nudged - loss) / h == pytest.approx(d2[0, 0], rel=1e-4, abs=1e-8)  # "that rate is called δ"
    assert d2[0, 0] == pytest.approx((2 * (f(z2) - y) * slope(z2))[0, 0])  # "the slope of the loss times …"
    for unit in range(2):
        more = z1 + h * (np.arange(2) == unit)
        assert (loss_from(more) - loss) / h == pytest.approx(d1[0, unit], rel=1e-3, abs=1e-8)
        assert d1[0, unit] == pytest.approx(w[2][0, unit] * d2[0, 0] * slope(z1[0, unit]))
        assert np.sign(d1[0, unit]) == np.sign(w[2][0, unit] * d2[0, 0])  # "enters the output with a minus"
    np.testing.assert_allclose(gradients[2], d2 * f(z1))  # "what came in times what comes back"
    np.testing.assert_allclose(gradients[0], d1.T * x)
    np.testing.assert_allclose([*gradients[3], *gradients[1]], [*d2[0], *d1[0]])  # "the bias has a 1 for input"
    small = [p - 1e-4 * g for p, g in zip(w, gradients, strict=True)]
    promised = loss - 1e-4 * sum((g**2).sum() for g in gradients)
    assert look(small, "sigmoid", x, y)[1] == pytest.approx(promised, rel=1e-6)  # "exact for tiny steps only"


@pytest.mark.parametrize("seed", TEN)
def test_what_the_stories_say_of_sigmoid_and_relu_holds_for_other_seeds(seed):
    end, losses = trained(handout("sigmoid", seed), "sigmoid", 0.5, 1000)
    y_hat = look(end, "sigmoid")[0]
    assert abs(losses[10] - 1) < 0.1  # "the loss first stays near 1"
    assert losses[1000] < 0.01  # "and then falls"
    assert losses[1000] > 0  # "comes near 0 and never gets there"
    assert ((y_hat > 0.5) == Y.ravel()).all()
    norms = [
        np.linalg.norm(look(trained(handout("sigmoid", seed), "sigmoid", 0.5, n)[0], "sigmoid")[2][0])
        for n in (100, 1000)
    ]
    assert norms[0] > 5 * norms[1]  # "many times shorter"
    *_, (z1, _), (d1, _) = look(handout("relu", seed), "relu")
    assert not d1[z1 <= 0].any()  # "where ReLU is off … everything that comes back is multiplied by 0"


@pytest.mark.parametrize("seed", TEN)
def test_what_is_said_of_the_rate_holds_for_other_points_and_starts(seed):
    x, y = byhand.datasets.line(100, noise=0.1, seed=seed)
    design = np.hstack([x, np.ones_like(x)])
    curvatures, directions = np.linalg.eigh(2 * design.T @ design / len(x))
    bound = 2 / curvatures[-1]
    best = np.linalg.lstsq(design, y, rcond=None)[0].ravel()

    def course(rate, epochs):
        p = np.random.default_rng(seed).normal(size=2)
        at = [p]
        for _ in range(epochs):
            p = p - rate * 2 * design.T @ (design @ p - y.ravel()) / len(x)
            at.append(p)
        return np.array(at), [((design @ p - y.ravel()) ** 2).mean() for p in at]

    for share in (0.3, 0.99):
        losses = course(share * bound, 30)[1]
        assert all(after < before for before, after in pairwise(losses))  # "lower than it began if η < 2/λmax"
    at, losses = course(0.9, 300)
    assert bound < 0.9
    assert losses[-1] > losses[-2] > losses[0]
    factors = [after / before for before, after in pairwise(losses[-4:])]
    np.testing.assert_allclose(factors, (1 - 0.9 * curvatures[-1]) ** 2, rtol=1e-3)  # "by a steady factor"
    sides = np.sign((at - best) @ directions[:, -1])
    assert (sides[1:] == -sides[:-1]).all()  # "over the bottom of the valley, and up the other side"
    fast, slow = course(0.5, 100)[1][-1], course(0.99 * bound, 100)[1]
    assert fast < slow[-1] < slow[0]  # "more slowly than with 0.5"
