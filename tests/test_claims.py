"""The table of the practical's claims: what its answers say in words and not in a number, and the code that shows it.

Each claim holds for the handout's seed and for ten others, or the sentence is not true. Each sentence must still be
there, or the table is out of date; and each sentence of an answer without a number that is computed must be in the
table, or among those that claim nothing. Claims with a number of their own stand in `test_practical`. Part 3 takes
seeds of its own: its claims are tried once.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.optimize import linprog

import byhand
import byhand.lab
from byhand.lab.notebooks import question_titles, solution_notebook, tags

SEEDS = (44, 0, 1, 2, 3, 7, 19, 123, 2024, 31337, 4_000_000_000)
X, Y = byhand.datasets.xor()


class Claim(NamedTuple):
    question: str
    words: str
    holds: Callable[[Mapping[str, Any]], Any]


# What the claims below need more than once


def loss_at(n, a, b):
    return np.mean((a * n["x_train"] + b - n["y_train"]) ** 2)


def numerically(f, *at, step=1e-6):
    """The partial derivatives of f, by central differences."""
    moved = np.eye(len(at)) * step
    return np.array([(f(*(at + h)) - f(*(at - h))) / (2 * step) for h in moved])


def gradient_at(n, a, b):
    err = a * n["x_train"] + b - n["y_train"]
    return 2 * np.array([np.mean(err * n["x_train"]), np.mean(err)])


def best_line(n):
    return np.polyfit(n["x_train"], n["y_train"], 1)


def curvature(n):
    """Eigenvalues, the smaller first, and eigenvectors, as columns, of the loss's second derivatives."""
    x = n["x_train"]
    return np.linalg.eigh(2 * np.array([[np.mean(x * x), np.mean(x)], [np.mean(x), 1]]))


def parts(n, epoch):
    """The difference from the best line, split along the eigenvectors: the slow part, then the quick one."""
    return curvature(n)[1].T @ (n["path"][epoch] - best_line(n))


def height_beats_tilt(n, which):
    """Whether the eigenvector moves the line's mean height more than it tilts it, over the scatter of x."""
    slope, intercept = curvature(n)[1][:, which]
    return abs(slope * n["x_train"].mean() + intercept) > abs(slope) * n["x_train"].std()


def factors(n, rate):
    return 1 - rate * n["eigenvalues"]


def after_two_steps(n, share):
    """By how much the quick part grows in two steps at that share of the largest learning rate."""
    return factors(n, share * n["largest_rate"])[1] ** 2


def along(n, corners):
    """What the trained network answers on the straight way from one corner of the square to another."""
    way = np.linspace(*np.array(corners, dtype=float), 21)
    return n["forward"](way, n["trained"], n["sigmoid"], n["sigmoid"])[-1]


def band_joins_two_corners(n):
    if n["middle"] > 0.5:
        return (along(n, [[0, 1], [1, 0]]) > 0.5).all()
    return (along(n, [[0, 0], [1, 1]]) < 0.5).all()


def a_line_parts(x, y):
    """Whether a line parts the points of the two classes."""
    sign = np.where(np.ravel(y) > 0.5, -1.0, 1.0)[:, None]
    rows = sign * np.hstack([x, np.ones((len(x), 1))])  # sign (w x + c) ≤ −1
    return linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(x)), bounds=(None, None)).success


def hidden_of(n, x):
    return n["forward"](x, n["trained"], n["sigmoid"], n["sigmoid"])[1]


def units_are_steps_along_lines(n):
    """Along its edge no unit changes; across it, it only rises or only falls."""
    for j, w in enumerate(n["trained"][0]):
        edge, across = (np.outer(np.linspace(-1, 1, 9), d) + 0.5 for d in ([-w[1], w[0]], w))
        if np.ptp(hidden_of(n, edge)[:, j]) > 1e-9 or not (np.diff(hidden_of(n, across)[:, j]) >= 0).all():
            return False
    return True


def is_folded_flat(n):
    """Along straight lines the output's slope changes at most once for each hidden unit."""
    for begin, end in (([-0.2, -0.1], [1.1, 1.2]), ([-0.2, 1.1], [1.2, -0.15]), ([0.3, -0.2], [0.6, 1.2])):
        way = np.linspace(begin, end, 2001)
        slopes = np.diff(n["forward"](way, n["trained_mixed"], n["relu"], n["identity"])[-1][:, 0])
        bends = np.abs(np.diff(slopes)) > 1e-9
        if np.sum(bends & ~np.r_[False, bends[:-1]]) > 10:
            return False
    return True


def ends_in(n, answer):
    """Which runs with ReLU in both layers answer this in the end."""
    return n["near"](n["last_answers"], answer)


def tells_right_gradients(n, f_hidden, f_out, formula):
    """Whether a formula for one of the four gradients is the numerical derivative of the sum of squares."""
    which, told = formula(n, f_hidden, f_out)

    def loss(values):
        changed = [values if k == which else p for k, p in enumerate(n["shifted"])]
        return np.sum((n["forward"](X, changed, f_hidden, f_out)[-1] - Y) ** 2)

    return np.allclose(told, byhand.numerical_gradient(loss, n["shifted"][which]), atol=1e-7)


def four_rules_hold(n):
    f = n["sigmoid"]
    z_hidden, a_hidden, z_out, y_hat = n["forward"](X, n["shifted"], f, f)
    delta_out = 2 * (y_hat - Y) * f.derivative(z_out)
    delta_hidden = delta_out @ n["shifted"][2] * f.derivative(z_hidden)
    told = (
        delta_hidden.T @ X,
        delta_hidden.sum(0, keepdims=True),
        delta_out.T @ a_hidden,
        delta_out.sum(0, keepdims=True),
    )
    return all(tells_right_gradients(n, f, f, lambda *_, k=k: (k, told[k])) for k in range(4))


def deltas_are_slopes(n):
    """Whether each δ is the numerical derivative of the loss with respect to the weighted sum that it belongs to."""
    f, (_, _, W_out, b_out) = n["sigmoid"], n["shifted"]
    z_hidden, _, z_out, _ = n["forward"](X, n["shifted"], f, f)
    out = byhand.numerical_gradient(lambda z: np.sum((f(z) - Y) ** 2), z_out)
    hidden = byhand.numerical_gradient(lambda z: np.sum((f(f(z) @ W_out.T + b_out) - Y) ** 2), z_hidden)
    return np.allclose(n["delta_out"], out, atol=1e-8) and np.allclose(n["delta_hidden"], hidden, atol=1e-8)


def delta_of_the_table():
    """The output's δ for two hidden units, x = (1, 0) and the target 1, by the formulas."""
    a = 1 / (1 + np.exp(-np.array([1.0, 2 - 2.5])))
    y_hat = 1 / (1 + np.exp(-(a @ [1, -2] + 0.5)))
    return 2 * (y_hat - 1) * y_hat * (1 - y_hat)


def a_deeper_network_repeats_them(n):
    """Back through four layers with the second line alone, held against the library."""
    network = byhand.Network.dense([2, 4, 3, 5, 1], "sigmoid", seed=1)
    network.parameters += 0.1
    network.backward(2 * (network.forward(X) - Y))
    sent = 2 * (network.layers[-1].a - Y)
    for layer in reversed(network.layers):
        delta = sent * layer.a * (1 - layer.a)
        if not np.allclose(delta.T @ layer.x, layer.grad_W):
            return False
        sent = delta @ layer.W
    return True


def multiplied_out(n):
    W_hidden, b_hidden, W_out, b_out = n["shifted"]
    return X @ (W_out @ W_hidden).T + (b_hidden @ W_out.T + b_out)


TILDE = np.hstack([X, np.ones((4, 1))])
NORMAL = TILDE.T @ TILDE


def linear_loss(n, parameters):
    return np.sum((n["forward"](X, parameters, n["identity"], n["identity"])[-1] - Y) ** 2)


def rests_only_at_the_best_plane(n):
    """If Wₒᵀ δᵀ X = 0 and Σ δ = 0 with Wₒ ≠ 0, then X̃ᵀ δ = 0: δ's part in the span of X̃'s columns is 0."""
    residual = Y - TILDE @ np.linalg.solve(NORMAL, TILDE.T @ Y)
    return np.allclose(TILDE.T @ residual, 0) and np.linalg.matrix_rank(TILDE) == 3


def library_44():
    network = byhand.Network.dense([2, 10, 1], "relu")
    rng = np.random.RandomState(44)
    network.layers[0].W, network.layers[1].W = rng.randn(10, 2), rng.randn(1, 10)
    network.backward(2 * (network.forward(X) - Y))
    return network


def starts_of(n, count=100):
    return n["stack"]([n["draw"](seed) for seed in range(count)])


def z_out(n, parameters):
    return n["forward"](X, parameters, n["relu"], n["relu"])[2][..., 0]


def dead_from_the_start(n, parameters):
    z = z_out(n, parameters)
    return np.all((np.maximum(z, 0) - Y[:, 0]) * (z >= 0) == 0, axis=1)


def scaled(parameters, hidden, out):
    W_hidden, b_hidden, W_out, b_out = parameters
    return [hidden * W_hidden, b_hidden, out * W_out, b_out]


def changed_by(n, fault, rate=0.001):
    """What one epoch with this fault alone changes, and what one without any changes, at the first hundred seeds."""
    every = {"forward", "W_out", "b_hidden", "slope", "re-read"}
    return [n["change"](starts_of(n), rate, mend) for mend in (every - {fault}, every)]


def only_the_hidden_bias_differs(n):
    wrong, right = changed_by(n, "b_hidden", rate=1e-9)
    differ = np.abs(wrong - right) > 1e-15
    return differ[:, 20:30].any() and not np.delete(differ, np.s_[20:30], axis=1).any()


def one_weight_moves(n):
    """With the slope read again there is a unit of which one weight moves and the other doesn't, and never without."""
    halves = []
    for mend in ({"forward", "W_out", "b_hidden", "slope"}, {"forward", "W_out", "b_hidden", "slope", "re-read"}):
        start = starts_of(n)
        x = np.array([[1.0, 1.0]])
        _, a, _, output = n["forward"](x, start, n["relu"], n["relu"])
        after = n["one_sample"](start, x, np.array([[1.0]]), a, output, 0.1, mend)
        moved = after[0] != start[0]
        halves.append(np.sum(moved[..., 0] != moved[..., 1]))
    return halves[0] > 0 == halves[1]


def program_has(*fragments):
    return lambda n: all(fragment in n["PROGRAM"] for fragment in fragments)


def comes_before(first, second):
    return lambda n: n["PROGRAM"].index(first) < n["PROGRAM"].index(second)


def errors_of_best(n):
    return n["best"][0] * n["x_train"] + n["best"][1] - n["y_train"]


def sides_are_right(n):
    z = hidden_of(n, X) @ n["trained"][2].T + n["trained"][3]
    return np.array_equal(z > 0, Y > 0.5)


def identity_gradients_hold(n):
    _, _, W_out, _ = n["shifted"]
    delta_out = 2 * (multiplied_out(n) - Y)
    return all(
        tells_right_gradients(n, n["identity"], n["identity"], lambda *_, told=told: told)
        for told in ((3, delta_out.sum(0, keepdims=True)), (0, W_out.T @ delta_out.T @ X))
    )


def silent_output_answers_the_mean(n):
    """With Wₒ = 0 the loss is least, and its slope in bₒ 0, where bₒ is the mean of the targets."""
    W_hidden, b_hidden, W_out, _ = n["shifted"]

    def loss(b):
        return linear_loss(n, [W_hidden, b_hidden, 0 * W_out, np.full((1, 1), b)])

    return np.isclose(numerically(loss, Y.mean())[0], 0, atol=1e-8) and loss(Y.mean()) == 1 < loss(0.4)


def flies_off(n):
    with np.errstate(all="ignore"):
        return not n["train"](n["start"], X, Y, n["identity"], n["identity"], 1.0, 100)[1][-1] < 2


def takes_another_n_hidden(n):
    """Whether the lines before `n_hidden = 10` run with another value."""
    used = {"np": np, "n_hidden": 3}
    exec(n["PROGRAM"].partition("# number of hidden units")[0], used)
    return used["W_hidden"].shape == (3, 2)


def nothing_moves(n):
    start = n["stack"]([n["draw"](44)])
    after, losses = n["train_as_given"](start, 0.001, 50)
    return set(losses.ravel()) == {2.0} and all(np.array_equal(old, new) for old, new in zip(start, after, strict=True))


def tells_right_gradients_with_relu(n):
    awake = [p + 0.1 for p in n["draw"](1)]
    _, a_hidden, z, y_hat = n["forward"](X, awake, n["relu"], n["relu"])
    told = (2 * (y_hat - Y) * (z > 0)).T @ a_hidden
    return tells_right_gradients({**n, "shifted": awake}, n["relu"], n["relu"], lambda *_: (2, told))


_late: dict[str, Any] = {}


def late(n):
    """The first hundred seeds after 2,000 epochs of the program; and whether those with one target stick."""
    if not _late:
        parameters, losses = n["train_as_given"](starts_of(n), 0.001, 2000)
        z = z_out(n, parameters)
        answers = np.maximum(z, 0)
        ends = {"XOR": [[0, 1, 1, 0]], "one": [[0, 1, 0, 0], [0, 0, 1, 0]], "nothing": [[0, 0, 0, 0]]}
        ends = {
            name: np.any([np.all(np.abs(answers - end) < 0.1, axis=1) for end in kind], axis=0)
            for name, kind in ends.items()
        }
        one = ends["one"]
        missed = np.where(answers[one, 1] < answers[one, 2], z[one, 1], z[one, 2])
        _late.update(losses=losses[-1], ends=ends, stuck=(missed < 0).all())
    return _late


def dies_later(n):
    """Of those with an output bias of ½, none is dead at first; some are in the end, on one target or on both."""
    begin = [*starts_of(n)[:3], starts_of(n)[3] + 0.5]
    end, _ = n["train"](begin, X, Y, n["relu"], n["relu"], 0.001, 2000)
    silent = np.sum(z_out(n, end)[:, 1:3] < 0, axis=1)
    return not dead_from_the_start(n, begin).any() and (silent == 1).any() and (silent == 2).any()


def deviation_of(n, fault, rate):
    wrong, right = changed_by(n, fault, rate)
    living = np.abs(right).max(axis=1) > 0
    return np.mean(np.linalg.norm((wrong - right)[living], axis=1) / np.linalg.norm(right[living], axis=1))


def hide_at_small_rates(n):
    return all(deviation_of(n, fault, 1e-4) < deviation_of(n, fault, 1e-3) / 5 < 0.02 for fault in ("forward", "W_out"))


def mending_helps_few(n):
    """Mending all makes fewer seeds converge than a tenth of those that are dead at first."""
    every = {"forward", "W_out", "b_hidden", "slope", "re-read"}
    given, mended = (np.sum(n["train_as_given"](starts_of(n), 0.001, 1000, mend)[1][-1] < 0.01) for mend in ((), every))
    return mended - given < dead_from_the_start(n, starts_of(n)).sum() / 10


def global_changes_what_is_outside():
    variables: dict[str, Any] = {"outside": 0}
    exec("def function():\n    global outside\n    outside = 1\n\nfunction()", variables)
    return variables["outside"] == 1


def mean_needs_four_times_the_rate(n):
    """Whether the mean of squares over the four points has a quarter of the sum's gradient."""

    def mean(W_out):
        return np.mean(
            (n["forward"](X, [*n["shifted"][:2], W_out, n["shifted"][3]], n["sigmoid"], n["sigmoid"])[-1] - Y) ** 2
        )

    return np.allclose(4 * byhand.numerical_gradient(mean, n["shifted"][2]), n["grad_W_out"], atol=1e-7)


def gradients_add_up(n):
    def gradients(rows):
        f, start = n["sigmoid"], n["shifted"]
        return n["backward"](X[rows], Y[rows], start, n["forward"](X[rows], start, f, f), f, f)

    each = [gradients([i]) for i in range(4)]
    return all(np.allclose(sum(one), whole) for *one, whole in zip(*each, gradients([0, 1, 2, 3]), strict=True))


def first_change(n, seed, epochs):
    """The first epoch whose loss another one would be, were the hidden slope read once; `epochs` if there is none."""
    start = n["stack"]([n["draw"](seed)])
    given, once = (n["train_as_given"](start, 0.001, epochs, mend)[1][:, 0] for mend in ((), {"re-read"}))
    return next(iter(np.flatnonzero(given != once)), epochs)


def spread(initializer, n_in, n_out):
    """The standard deviation of one layer's weights, over many draws."""
    drawn = (byhand.Network.dense([n_in, n_out], "relu", initializer=initializer, seed=s) for s in range(300))
    return np.std([network.layers[0].W.ravel() for network in drawn])


CLAIMS = [
    # What the questions say themselves
    Claim(
        "1.5",
        "Dividing by $N$ doesn't move the minimum",
        lambda n: np.allclose(100 * gradient_at(n, *best_line(n)), 0, atol=1e-10),
    ),
    Claim(
        "1.5",
        "It keeps loss and gradient of one size however many points there are",
        lambda n: np.allclose(
            gradient_at(n, 0.3, 0.7),
            gradient_at({name: np.tile(n[name], 7) for name in ("x_train", "y_train")}, 0.3, 0.7),
        ),
    ),
    Claim("1.12", "No straight line parts its ones from its zeros", lambda n: not a_line_parts(X, Y)),
    Claim("2.3", "One is the other transposed", lambda n: np.allclose(n["in_columns"].T, n["in_rows"])),
    Claim(
        "2.5", "of a stack of matrices, as in 2.11, it transposes each", lambda n: np.ones((3, 2, 4)).mT.shape[1] == 4
    ),
    Claim("2.7", "the same steps would need a learning rate four times as large", mean_needs_four_times_the_rate),
    Claim("2.7", "Each follows from one arrow of the graph", four_rules_hold),
    Claim("2.7", "is by how much the loss grows, for each unit of nudge", deltas_are_slopes),
    Claim("2.7", "It is negative: this unit should have more", lambda n: delta_of_the_table() < 0),
    Claim("2.7", "knows the gradients of its weights and of its bias", four_rules_hold),
    Claim("2.7", "the losses add up, and so do the gradients of a weight and of a bias", gradients_add_up),
    Claim(
        "2.10",
        "At 0 it has no derivative",
        lambda n: (n["relu"](1e-6) - n["relu"](0)) / 1e-6 == 1 and n["relu"](-1e-6) == n["relu"](0),
    ),
    Claim(
        "2.12",
        "nothing can do better",
        lambda n: np.isclose(min(0.15 * (1 - q) ** 2 + 0.85 * q**2 for q in np.linspace(0, 1, 1001)), 0.1275),
    ),
    Claim(
        "3.3",
        "for three of which the slope in the loop over `k` changes meanwhile",
        lambda n: sum(first_change(n, seed, 50) < 50 for seed in (44, 1, 9, 76, 78, 98)) == 3,
    ),
    Claim("3.3", "For seed 33 it changes only after epoch 2,900", lambda n: 2900 < first_change(n, 33, 2950) < 2950),
    Claim(
        "3.6",
        r"$W_o$ times $\sqrt{2/10}$; his factor for $W_h$ is $\sqrt{2/2} = 1$",
        lambda n: np.allclose([spread("he_normal", 10, 1), spread("he_normal", 2, 10)], [0.2**0.5, 1], rtol=0.05),
    ),
    Claim(
        "3.6",
        r"$W_h$ times $\sqrt{2/12}$, $W_o$ times $\sqrt{2/11}$",
        lambda n: np.allclose(
            [spread("glorot_normal", 2, 10), spread("glorot_normal", 10, 1)],
            [(2 / 12) ** 0.5, (2 / 11) ** 0.5],
            rtol=0.05,
        ),
    ),
    # Part 1
    Claim("1.2", "in a straight band", lambda n: n["r"] > 0.9 and n["scatter"][3] > 0.9 * n["scatter"][1]),
    Claim("1.2", "the noise was drawn with 0.1", lambda n: 0.07 < np.std(n["noise"]) < 0.13),
    Claim("1.2", "Yes. About the best constant", lambda n: n["scatter"][1] < n["scatter"][0] / 3),
    Claim(
        "1.6",
        "with respect to $a$ is $x_i$, with respect to $b$ it is $1$",
        lambda n: np.allclose(
            numerically(lambda a, b: a * n["x_train"] + b - n["y_train"], n["a_start"], n["b_start"]),
            [n["x_train"], np.ones(100)],
        ),
    ),
    Claim(
        "1.6",
        r"The square brings a factor $2\,err_i$",
        lambda n: np.allclose(numerically(np.square, 3.0), 6) and np.allclose(numerically(np.square, -0.5), -1),
    ),
    Claim(
        "1.6",
        r"\frac{\partial L}{\partial a} = \frac{2}{N} \sum_i err_i\, x_i",
        lambda n: np.allclose(
            gradient_at(n, n["a_start"], n["b_start"]),
            numerically(lambda a, b: loss_at(n, a, b), n["a_start"], n["b_start"]),
        ),
    ),
    Claim("1.6", "Each point pulls at the line with its error", lambda n: np.isclose(n["grad_b"], 2 * n["err"].mean())),
    Claim(
        "1.6",
        "at the height all alike, at the slope the more, the further right it is",
        lambda n: np.isclose(n["grad_a"], 2 * np.mean(n["err"] * n["x_train"])) and (n["x_train"] >= 0).all(),
    ),
    Claim("1.7", "One step takes the loss from", lambda n: n["loss_next"] < n["loss"]),
    Claim(
        "1.8",
        "falls steeply from",
        lambda n: n["losses"][50] < n["losses"][0] / 5 and n["losses"][900] < 1.01 * n["losses"][-1],
    ),
    Claim("1.8", "the variance of the noise is 0.01", lambda n: 0.006 < np.var(n["noise"]) < 0.016),
    Claim(
        "1.8",
        "The loss doesn't go to 0, and should not",
        lambda n: n["losses"].min() >= loss_at(n, *best_line(n)) > 0.005,
    ),
    Claim("1.8", "No line explains the noise", lambda n: loss_at(n, *best_line(n)) > 0.005),
    Claim(
        "1.9",
        "First the height",
        lambda n: n["heights_off"][30] / n["heights_off"][0] < n["slopes_off"][30] / n["slopes_off"][0],
    ),
    Claim("1.9", "comes to the height of the points within a few epochs", lambda n: n["heights_off"][10] < 0.3),
    Claim(
        "1.9",
        "at last lies along them",
        lambda n: np.allclose(n["path"][-1], best_line(n), atol=1e-3),
    ),
    Claim("1.9", "the line at seven moments", lambda n: len(n["moments"]) == 7),
    Claim("1.9", "The line moves to its place", lambda n: n["losses"][-1] < 1.01 * loss_at(n, *best_line(n))),
    Claim(
        "1.9",
        "long, narrow ellipses",
        lambda n: curvature(n)[0][1] > 9 * curvature(n)[0][0],  # three times as long as wide
    ),
    Claim(
        "1.9",
        "a valley that runs from top left to bottom right",
        lambda n: np.prod(curvature(n)[1][:, 0]) < 0,
    ),
    Claim(
        "1.9",
        "Across the valley in a few steps, then slowly along its floor",
        lambda n: abs(parts(n, 10)[1]) < 0.1 * abs(parts(n, 0)[1]) and abs(parts(n, 10)[0]) > 0.8 * abs(parts(n, 0)[0]),
    ),
    Claim(
        "1.9",
        "from above, it has crossed the valley, and the floor hardly slopes",
        lambda n: (
            abs(parts(n, 30)[1]) < abs(parts(n, 30)[0]) / 100
            and np.linalg.norm(gradient_at(n, *n["path"][30])) < 0.1 * np.linalg.norm(gradient_at(n, *n["path"][0]))
        ),
    ),
    Claim(
        "1.10",
        "says that the errors have mean zero",
        lambda n: np.isclose(gradient_at(n, *n["best"])[1], 0, atol=1e-12),
    ),
    Claim("1.10", "becomes", lambda n: np.isclose(np.sum(errors_of_best(n) * n["x_train"]), 0, atol=1e-10)),
    Claim("1.10", "The bracket sums to zero", lambda n: np.isclose(np.sum(errors_of_best(n)), 0, atol=1e-10)),
    Claim(
        "1.10",
        r"b = \bar y - a\,\bar x .",
        lambda n: np.allclose(n["best"], best_line(n)),
    ),
    Claim(
        "1.10",
        "The last row is rounding",
        lambda n: np.abs(n["best"] - n["sklearn_best"]).max() < 1e-12,
    ),
    Claim("1.10", "The one above it is not", lambda n: np.abs(n["path"][-1] - n["best"]).max() > 1e-12),
    Claim(
        "1.10",
        "it is the way that gradient descent still has to go",
        lambda n: np.linalg.norm(n["path"][1000] - n["best"]) < np.linalg.norm(n["path"][900] - n["best"]),
    ),
    Claim(
        "1.11",
        "Differentiating the gradients of 1.6 once more gives",
        lambda n: np.allclose(
            n["hessian"], numerically(lambda a, b: gradient_at(n, a, b), n["a_start"], n["b_start"], step=0.1)
        ),
    ),
    Claim(
        "1.11",
        "its gradient is exactly $H(\\theta - \\theta^*)$",
        lambda n: np.allclose(gradient_at(n, -3.0, 5.0), n["hessian"] @ ([-3.0, 5.0] - n["best"])),
    ),
    Claim(
        "1.11",
        "turns the difference into $(I - \\eta H)(\\theta - \\theta^*)$",
        lambda n: np.allclose(
            n["path"][1:] - n["best"], (n["path"][:-1] - n["best"]) @ (np.eye(2) - 0.1 * n["hessian"])
        ),
    ),
    Claim(
        "1.11",
        "Split the difference along the two eigenvectors",
        lambda n: np.allclose(parts(n, 5), factors(n, 0.1) ** 5 * parts(n, 0)),
    ),
    Claim("1.11", "mostly the line's height", lambda n: height_beats_tilt(n, 1)),
    Claim("1.11", "which is nearer to 1", lambda n: abs(1 - factors(n, 0.1)[0]) < abs(1 - factors(n, 0.1)[1])),
    Claim("1.11", "mostly the line's tilt", lambda n: not height_beats_tilt(n, 0)),
    Claim("1.11", "After many epochs only that part is left", lambda n: abs(parts(n, 500)[1]) < 1e-12),
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
        "must lie between $-1$ and $1$",
        lambda n: after_two_steps(n, 0.99) < 1 < after_two_steps(n, 1.01),
    ),
    Claim("1.12", "the second is the first to leave", lambda n: abs(factors(n, n["largest_rate"])[0]) < 1),
    Claim("1.12", "it reaches $-1$ at", lambda n: np.isclose(factors(n, n["largest_rate"])[1], -1)),
    Claim(
        "1.12", r"\eta = \frac{2}{\lambda_{\max}} .", lambda n: np.isclose(n["largest_rate"], 2 / n["eigenvalues"][1])
    ),
    Claim(
        "1.12",
        "There, each step jumps across the valley to the same height on the other side",
        lambda n: np.isclose(factors(n, n["largest_rate"])[1], -1),
    ),
    Claim(
        "1.12",
        "just below, a little lower each time, and just above, a little higher, without end",
        lambda n: 0.9 < after_two_steps(n, 0.99) < 1 < after_two_steps(n, 1.01) < 1.1,
    ),
    Claim(
        "1.12",
        "coming to rest turns into flying away",
        lambda n: (
            n["distance_under"][-1] < n["distance_under"][100] and n["distance_over"][-1] > n["distance_over"][100]
        ),
    ),
    Claim(
        "1.12",
        "1% under it the line comes to rest, 1% over it flies away",
        lambda n: n["distance_under"][-1] < 1e-3 and n["distance_over"][-1] > 1e3,
    ),
    # Part 2
    Claim(
        "2.4", "rises from 0 to 1, with σ(0) = ½", lambda n: np.allclose(n["sigmoid"](np.r_[-40, 0, 40]), [0, 0.5, 1])
    ),
    Claim(
        "2.4",
        "a bump, ¼ high at 0 and almost 0 beyond ±6",
        lambda n: n["sigmoid_derivative"](0.0) == 0.25 and (n["sigmoid_derivative"](np.r_[-6.0, 6.0]) < 0.003).all(),
    ),
    Claim(
        "2.4",
        "σ is steepest at 0, with slope ¼",
        lambda n: (n["sigmoid_derivative"](np.linspace(-9, 9, 181)) <= 0.25).all(),
    ),
    Claim("2.4", "far out it is flat", lambda n: (n["sigmoid_derivative"](np.r_[-12.0, 12.0]) < 1e-5).all()),
    Claim("2.6", "Random weights give random answers", lambda n: np.ptp(n["y_untrained"]) > 0),
    Claim("2.6", "To answer ½ everywhere would cost 1", lambda n: np.sum((0.5 - Y) ** 2) == 1),
    *(
        Claim(q, "targets are 0, 1, 1, 0.", lambda n: n["y"][:, 0].tolist() == [0, 1, 1, 0])
        for q in ("2.6", "2.9", "2.13")
    ),
    Claim("2.7", "(z_h)$;", four_rules_hold),
    Claim("2.7", "each times what came in is a gradient", four_rules_hold),
    Claim("2.7", "the four rules become", four_rules_hold),
    Claim("2.7", r"\frac{\partial L}{\partial W_o} = \delta_o^\top a_h", four_rules_hold),
    Claim("2.7", r"\frac{\partial L}{\partial W_h} = \delta_h^\top X", four_rules_hold),
    Claim("2.7", "The second line is the first with the layer before it", a_deeper_network_repeats_them),
    Claim("2.7", "A deeper network would only repeat it", a_deeper_network_repeats_them),
    Claim("2.9", "runs through the middle", lambda n: n["inner"] == ("ones" if n["middle"] > 0.5 else "zeros")),
    Claim("2.9", "and joins two opposite corners", band_joins_two_corners),
    Claim(
        "2.9",
        "the other two lie on both sides of it",
        lambda n: ((n["answer"](X) > 0.5) == (Y > 0.5)).all(),  # right on all four, so the others are of the other kind
    ),
    Claim(
        "2.9",
        "How the boundary came there",
        lambda n: n["right_after"][10_000] == 4 and n["right_after"][0] < 4,
    ),
    Claim("2.9", "Each hidden unit draws one soft step", units_are_steps_along_lines),
    Claim(
        "2.9",
        "the output weighs them",
        lambda n: np.allclose(n["y_trained"], n["sigmoid"](hidden_of(n, X) @ n["trained"][2].T + n["trained"][3])),
    ),
    Claim("2.9", "Each is a soft step between 0 and 1 along a straight edge", units_are_steps_along_lines),
    Claim("2.9", "One unit can only draw a step along a straight edge", units_are_steps_along_lines),
    Claim("2.9", "both ones lie on the right of the line and both zeros on its left", lambda n: sides_are_right(n)),
    Claim(
        "2.9",
        "The hidden layer moves the points so that one plane parts them",
        lambda n: a_line_parts(hidden_of(n, X), Y),
    ),
    Claim(
        "2.9",
        "Those that count most here",
        lambda n: np.abs(n["trained"][2][0]).max() == np.abs(n["trained"][2][0][n["first"] - 1]),
    ),
    Claim("2.9", "It takes two steps at least to make a band", lambda n: not a_line_parts(X, Y)),
    Claim(
        "2.9", "no line parts the four points in the square", lambda n: not a_line_parts(X, Y) and sides_are_right(n)
    ),
    Claim(
        "2.10",
        "ReLU is 0 for negative z, and z for positive z",
        lambda n: n["relu"](np.r_[-3.0, -0.1, 0.1, 3.0]).tolist() == [0, 0, 0.1, 3],
    ),
    Claim(
        "2.10",
        "Its derivative jumps from 0 to 1 at 0",
        lambda n: n["relu_derivative"](np.r_[-1e-9, 1e-9]).tolist() == [0, 1],
    ),
    Claim(
        "2.10",
        "slope 1 above 0, nothing at all below",
        lambda n: np.allclose(numerically(n["relu"], 2.0), 1) and np.allclose(numerically(n["relu"], -2.0), 0),
    ),
    Claim("2.10", "flat pieces that meet along straight creases", is_folded_flat),
    Claim("2.10", "ReLU units fold the plane: flat pieces, straight creases", is_folded_flat),
    Claim(
        "2.11",
        "With ReLU in both layers, one lucky run would mislead",
        lambda n: (
            np.median(n["reached"][n["both"]][n["converged"][n["both"]]]) < np.median(n["reached"]["sigmoid, η = 0.5"])
            and n["medians"][n["both"]] == np.inf
        ),
    ),
    Claim("2.11", "as in {silent.sum()} of the", lambda n: n["silent"].sum() == n["one_of_two"].sum() > 0),
    Claim("2.11", "on the other target the output unit gives 0", lambda n: ends_in(n, [0, 1, 0, 0]).any()),
    Claim(
        "2.11",
        "have learned one half of XOR",
        lambda n: (np.sum((n["last_answers"] > 0.5)[~n["converged"][n["both"]]][n["one_of_two"]], axis=1) == 1).all(),
    ),
    Claim(
        "2.11",
        "ReLU was given a fiftieth of the sigmoid's learning rate",
        lambda n: np.isclose(
            n["contenders"]["sigmoid, η = 0.5"][2], 50 * n["contenders"]["ReLU in both layers, η = 0.01"][2]
        ),
    ),
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
        "2.12",
        "Lowest validation loss in the end",
        lambda n: n["final"][n["best_candidate"]] == min(n["final"].values()),
    ),
    Claim(
        "2.12", "so the fastest is not the best", lambda n: n["is_best"] == (n["best_candidate"] in n["equally_fast"])
    ),
    Claim("2.12", "the best of ReLU and the best of sigmoid", lambda n: len(n["rows"]) == len(n["pairs"]) <= 2),
    Claim("2.12", "Best possible, on average: 0.1275", lambda n: np.isclose(0.15 * 0.85**2 + 0.85 * 0.15**2, 0.1275)),
    Claim(
        "2.13",
        "The best plane follows from the normal equations",
        lambda n: np.allclose(np.linalg.solve(NORMAL, TILDE.T @ Y), np.linalg.lstsq(TILDE, Y)[0]),
    ),
    Claim(
        "2.13",
        "With the identity, the network computes",
        lambda n: np.allclose(multiplied_out(n), n["forward"](X, n["shifted"], n["identity"], n["identity"])[-1]),
    ),
    Claim(
        "2.13",
        "one weighted sum and one bias",
        lambda n: np.linalg.matrix_rank(np.column_stack([TILDE, multiplied_out(n)])) == 3,
    ),
    Claim(
        "2.13",
        "it draws a plane over the square",
        lambda n: np.allclose(TILDE @ np.linalg.lstsq(TILDE, multiplied_out(n))[0], multiplied_out(n)),
    ),
    Claim(
        "2.13",
        r"\begin{pmatrix} 2 & 1 & 2 \\ 1 & 2 & 2 \\ 2 & 2 & 4 \end{pmatrix}",
        lambda n: NORMAL.tolist() == [[2, 1, 2], [1, 2, 2], [2, 2, 4]],
    ),
    Claim("2.13", r"\begin{pmatrix} 1 \\ 1 \\ 2 \end{pmatrix}", lambda n: (TILDE.T @ Y).ravel().tolist() == [1, 1, 2]),
    Claim("2.13", "says $w_1 = w_2 = w$", lambda n: (NORMAL[0] - NORMAL[1]).tolist() == [1, -1, 0]),
    Claim(
        "2.13",
        "and there is no other solution",
        lambda n: np.allclose(np.linalg.solve(NORMAL, TILDE.T @ Y).ravel(), [0, 0, 0.5]),
    ),
    Claim(
        "2.13",
        r"The best that any plane can do is to answer $\frac12$ everywhere",
        lambda n: np.isclose(np.linalg.lstsq(TILDE, Y)[1].item(), 1),
    ),
    Claim("2.13", "Two of them are", lambda n: identity_gradients_hold(n)),
    Claim("2.13", r"both vanish only when $\tilde X^\top \delta_o = 0$", rests_only_at_the_best_plane),
    Claim("2.13", "the network answers $b_o$ everywhere", lambda n: silent_output_answers_the_mean(n)),
    Claim("2.13", "the best plane again", lambda n: silent_output_answers_the_mean(n)),
    Claim(
        "2.13",
        "With the identity everywhere, every output goes to ½",
        lambda n: np.allclose(n["y_linear"], 0.5, atol=1e-5),
    ),
    Claim("2.13", "So wherever it comes to rest, the loss is 1", lambda n: abs(n["losses_linear"][-1] - 1) < 1e-5),
    Claim("2.13", "at too large a learning rate it doesn't", lambda n: flies_off(n)),
    Claim(
        "2.13",
        "the middle of the square lies halfway",
        lambda n: (X[0] + X[3]).tolist() == (X[1] + X[2]).tolist() == [1, 1],
    ),
    Claim("2.13", "can't have 0 there for one pair and 1 for the other", lambda n: not a_line_parts(X, Y)),
    Claim(
        "2.13",
        "and 41 parameters are worth no more than 3",
        lambda n: sum(p.size for p in n["trained_linear"]) == 41 and n["losses_linear"].min() > 1 - 1e-9,
    ),
    Claim(
        "2.13",
        "without activations two layers are one plane",
        lambda n: np.allclose(n["plane"], n["best_plane"], atol=1e-5),
    ),
    # Part 3
    Claim("3.1", "it ends at its first line", program_has("np.random.seed(44)\n")),
    Claim(
        "3.1", "The import stood in another cell", lambda n: not re.search(r"^import", n["PROGRAM"], flags=re.MULTILINE)
    ),
    Claim(
        "3.1", "the import stood in another cell", lambda n: not re.search(r"^import", n["PROGRAM"], flags=re.MULTILINE)
    ),
    Claim("3.1", "a kernel where that cell has run doesn't notice, a fresh one does", lambda n: "np" in n),
    Claim("3.2", "The weights are drawn in a shape that uses `n_hidden`", program_has("np.random.randn(n_hidden, 2)")),
    Claim("3.2", "the line that sets it comes later", comes_before("randn(n_hidden, 2)", "n_hidden = 10")),
    Claim(
        "3.2", "A used kernel with an `n_hidden` of its own would have taken that", lambda n: takes_another_n_hidden(n)
    ),
    Claim("3.2", "The data came from an earlier cell, too", lambda n: "X_train =" not in n["PROGRAM"]),
    Claim(
        "3.2",
        "an array of shape (1,), stored in a place where a number belongs",
        lambda n: (np.zeros((1, 10)) @ np.zeros(10) + np.zeros(1)).shape == (1,),
    ),
    Claim("3.2", "`.item()` takes the number out of the array", lambda n: isinstance(np.ones(1).item(), float)),
    Claim("3.2", "a missing import is found only when its line is reached", comes_before("for epoch in", "plt.")),
    Claim(
        "3.3",
        "are from before the epoch, for all four samples",
        comes_before("output_activations, loss = forward(X_train)", "    backward(X_train, y_train"),
    ),
    Claim(
        "3.3",
        "computes the slope of the output unit anew for each weight",
        program_has("W_out[0][j] -= lr * 2 * (output_activations[i] - y_train[i]) * relu_derivative(np.dot(W_out,"),
    ),
    Claim(
        "3.3", "uses the new $W_o$, and so does everything after it", comes_before("W_out[0][j] -=", "        b_out -=")
    ),
    Claim("3.3", "is computed anew for the second weight", program_has("relu_derivative(np.dot(W_hidden, X[i].T)")),
    Claim("3.3", "It can differ: then one weight of a unit moves and the other doesn't", one_weight_moves),
    Claim("3.3", "The line for $b_h$ has no hidden slope", only_the_hidden_bias_differs),
    Claim("3.3", "nothing moves", lambda n: nothing_moves(n)),
    Claim(
        "3.4",
        "passes the output unit, where it is multiplied by its slope",
        lambda n: tells_right_gradients_with_relu(n),
    ),
    Claim("3.4", "On three points $z_o$ is negative", lambda n: np.sum(library_44().layers[1].z < 0) == 3),
    Claim("3.4", "There the output is 0, and so is the slope", lambda n: np.ptp(library_44().layers[1].a) == 0),
    Claim("3.4", "however wrong the answer is, nothing is sent back", lambda n: not library_44().gradients.any()),
    Claim(
        "3.4",
        "On $(0,0)$ all hidden units give 0",
        lambda n: not library_44().layers[0].a[0].any() and library_44().layers[1].a[0] == 0,
    ),
    Claim("3.4", "The program takes the slope there to be 1", program_has("return 1*(x>=0)")),
    Claim("3.4", "is zero on all points, and with it every gradient", lambda n: not library_44().gradients.any()),
    Claim("3.4", "the next epoch finds what this one found, and so on for ever", lambda n: nothing_moves(n)),
    Claim("3.4", "The output unit is **dead**", lambda n: dead_from_the_start(n, n["stack"]([n["draw"](44)])).all()),
    Claim("3.4", "misses the two targets of 1 by 1 each", lambda n: np.sum((library_44().layers[1].a - Y) ** 2) == 2),
    Claim("3.4", "Its output is 0 on all four points", lambda n: not library_44().layers[1].a.any()),
    Claim("3.4", "the targets are 0, 1, 1, 0", lambda n: Y.ravel().tolist() == [0, 1, 1, 0]),
    Claim("3.4", "nothing positive arrives, so nothing but 0 leaves", lambda n: (library_44().layers[1].z <= 0).all()),
    Claim(
        "3.5", "bad luck, but of a common kind", lambda n: 0.2 < dead_from_the_start(n, starts_of(n, 1000)).mean() < 0.4
    ),
    Claim(
        "3.5",
        "To be alive at the start is not enough",
        lambda n: (late(n)["losses"][~dead_from_the_start(n, starts_of(n))] > 0.5).mean() > 0.5,
    ),
    Claim(
        "3.5",
        "The commonest end is 1 for one of the two targets of 1, and 0 for the rest",
        lambda n: max(late(n)["ends"].items(), key=lambda end: end[1].sum())[0] == "one",
    ),
    Claim(
        "3.5",
        "its output and its slope are 0, and the error of 1 that is left is never sent back",
        lambda n: late(n)["stuck"],
    ),
    Claim("3.5", "It is dead there, on one point of the four, as seed 44 is on both", lambda n: late(n)["stuck"]),
    Claim(
        "3.6",
        r"For every $s > 0$, $\mathrm{relu}(s z) = s\,\mathrm{relu}(z)$",
        lambda n: np.allclose(n["relu"](0.3 * np.r_[-2.0, 0, 5]), 0.3 * n["relu"](np.r_[-2.0, 0, 5])),
    ),
    Claim(
        "3.6",
        "exactly the same seeds are dead from the start",
        lambda n: np.array_equal(
            dead_from_the_start(n, starts_of(n)), dead_from_the_start(n, scaled(starts_of(n), 0.7, 0.2))
        ),
    ),
    Claim(
        "3.6",
        "The identity and the sigmoid have no slope of zero",
        lambda n: (
            (n["sigmoid"].derivative(np.linspace(-20, 20, 99)) > 0).all() and n["identity"].derivative(np.ones(1)) == 1
        ),
    ),
    Claim("3.6", "every error is sent back", lambda n: (n["sigmoid"].derivative(np.linspace(-20, 20, 99)) > 0).all()),
    Claim(
        "3.6",
        "$z_o$ is a sum of numbers that are not negative",
        lambda n: (z_out(n, [*starts_of(n)[:2], np.abs(starts_of(n)[2]), starts_of(n)[3]]) >= 0).all(),
    ),
    Claim(
        "3.6",
        "either way no seed is dead from the start",
        lambda n: (
            not (
                dead_from_the_start(n, [*starts_of(n)[:2], np.abs(starts_of(n)[2]), starts_of(n)[3]])
                | dead_from_the_start(n, [*starts_of(n)[:3], starts_of(n)[3] + 0.5])
            ).any()
        ),
    ),
    Claim("3.6", "A ReLU at the output may still die later, on one target or on both", lambda n: dies_later(n)),
    Claim(
        "3.7",
        "All four outputs are computed before the epoch",
        comes_before("= forward(X_train)", "    backward(X_train"),
    ),
    Claim(
        "3.7",
        "the weights have changed, and its error is out of date",
        lambda n: not np.allclose(*changed_by(n, "forward"), rtol=1e-6, atol=0),
    ),
    Claim(
        "3.7",
        "with the $W_o$ of the forward pass, and the program has just changed it",
        comes_before("W_out[0][j] -=", "W_hidden[j][k] -="),
    ),
    Claim("3.7", "for $b_h$ it does not", only_the_hidden_bias_differs),
    Claim(
        "3.7", "a hidden unit has its bias moved by samples for which it is switched off", only_the_hidden_bias_differs
    ),
    Claim("3.7", "The hidden slope is computed anew for the second weight of a unit", one_weight_moves),
    Claim("3.7", "one of its weights moves and the other doesn't", one_weight_moves),
    Claim(
        "3.7",
        "every hidden unit is exactly at 0 on the point $(0,0)$",
        lambda n: not n["forward"](X, starts_of(n), n["relu"], n["relu"])[0][:, 0].any(),
    ),
    Claim("3.7", "The gradient never exists as a whole", lambda n: "grad" not in n["PROGRAM"]),
    Claim("3.7", "`.T` on an array with one axis does nothing", lambda n: np.arange(3).T.shape == (3,)),
    Claim("3.7", "it lets the function change the variables outside", lambda n: global_changes_what_is_outside()),
    Claim(
        "3.7",
        "The stale forward pass and the updated weights hide at small learning rates",
        lambda n: hide_at_small_rates(n),
    ),
    Claim(
        "3.7",
        "The missing slope is wrong at any learning rate",
        lambda n: min(deviation_of(n, "b_hidden", rate) for rate in (1e-4, 1e-3, 1e-2, 1e-1)) > 0.05,
    ),
    Claim(
        "3.7",
        "At small learning rates one fault outweighs all",
        lambda n: (
            deviation_of(n, "b_hidden", 1e-4)
            > 10 * max(deviation_of(n, fault, 1e-4) for fault in ("forward", "W_out", "slope"))
        ),
    ),
    Claim("3.7", "what keeps the program from learning is the dead unit", lambda n: mending_helps_few(n)),
    Claim("3.8", "`train` has five `@`", lambda n: (n["code"]["forward"] + n["code"]["backward"]).count("@") == 5),
]


ELSEWHERE = {
    "At this learning rate that never changes it": "test_the_slope_of_the_output_unit_never_changes_within_its_loop",
    "a hundredfold from there, more slowly": "test_what_the_quieter_faults_cost",
    "and so it is with the networks of 2.11": "test_which_converges_the_fastest_over_300_starts",
    "the others are slower by more than chance": "test_each_network_at_its_best_learning_rate",
}
"""Words of the answers, and the test in `test_practical` that holds them against numbers."""

NO_CLAIM = (
    # what something is called, or what an axis, a picture or a column holds
    "Inside the square stands",
    "as an animation",
    "logarithmic axis",
    "axes logarithmic",
    "The network: two inputs",
    "Each line is a weight",
    "leads from input 2 to hidden unit 1",
    "The computational graph",
    "The gradients come back the same way",
    "Outputs before and after training",
    "Output of the trained network over the square",
    "Ten small pictures of the square",
    "Five small pictures",
    "Left the square with a net of lines",
    "Outputs for the four points",
    "Histogram over 1,000 seeds",
    "Bars with the shares of 100 seeds",
    "Output of the network with ReLU and an identity output over the square",
    "epochs to a training loss below 0.2 across",
    "epochs of the middle run across",
    "The last column counts the seeds",
    "Every ± is two standard errors",
    "It can rest only where all gradients vanish",
    "The difference in validation loss, all ten networks",
    "With a column of ones appended",
    "Does gradient descent get there?",
    "After 2,000 epochs the thousand answer on",
    "Another seed?",
    "were the two equally likely, so uneven a count would come about",
    "Loss against 1000 epochs",
    # which question tells more
    "Question 1.11 has the numbers",
    "Part 3 takes such a network apart",
    # what is left open, and advice
    "Between the four points nobody has told the network anything",
    "one run each, so no verdict yet",
    "One run is one draw of a lottery",
    "the next question buys more tickets",
    "All this holds for these learning rates",
    "and nothing says that either is the best",
    "has no answer before it is said",
    "another training set would add a scatter",
    "so we count",
    "First compute all gradients, then update",
    "That is a convention rather than a mistake",
    "Restart and run all",
    # headings of the faults, which the sentences after them tell
    "**A stale forward pass**",
    "**Updated weights in the hidden gradient**",
    "**No hidden slope in the bias**",
    "**The slope read again**",
    "**A slope of 1 at 0**",
    "Five quieter faults",
)
"""Sentences of the answers that say nothing that could be wrong."""


def shown(node: ast.Call) -> Iterator[ast.expr]:
    """What a call of say, in_short, show or animate puts on the page: its texts, and the figure's title."""
    for argument in node.args:
        if not isinstance(argument, ast.Call | ast.Lambda):
            yield argument
        for part in ast.walk(argument):
            if isinstance(part, ast.keyword) and part.arg == "title":
                yield part.value


def as_text(node: ast.expr) -> str:
    """The text of an expression, with a hole for each number that is computed."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(as_text(value) for value in values)
        case ast.BinOp(left=left, right=right):
            return as_text(left) + as_text(right)
    return "{}"


def sentences() -> Iterator[tuple[str, str]]:
    """Each sentence of the answers, with its question."""
    question = "start"
    for cell in solution_notebook().cells:
        for title in question_titles(cell):
            question = title.split()[0]
        texts = [cell.source] if cell.cell_type == "markdown" and "solution" in tags(cell) else []
        if cell.cell_type == "code":
            calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
            names = ("say", "in_short", "show", "animate")
            told = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in names]
            texts = [as_text(part) for call in told for part in shown(call)]
        for text in texts:
            for sentence in re.split(r"(?<=[.;?])\s+|\n\n|\n(?=\d\. )", text):
                yield question, " ".join(sentence.split())


def test_each_sentence_of_an_answer_has_a_number_that_is_computed_or_is_in_the_table():
    words, missing = {}, []
    for claim in CLAIMS:
        words.setdefault(claim.question, []).append(claim.words)
    for question, sentence in sentences():
        if "{}" in sentence or not re.search(r"[a-z]{2}", re.sub(r"\$\$.*?\$\$|\|[-|]+\|", "", sentence)):
            continue
        if sentence != "Yes." and not any(
            part in sentence for part in (*words.get(question, ()), *ELSEWHERE, *NO_CLAIM)
        ):
            missing.append((question, sentence))
    assert missing == []


def test_no_line_of_the_lists_is_out_of_date():
    everything = " ".join(sentence for _, sentence in sentences())
    assert [part for part in (*NO_CLAIM, *ELSEWHERE) if part not in everything] == []
    tests = Path(__file__).with_name("test_practical.py").read_text(encoding="utf-8")
    assert [name for name in ELSEWHERE.values() if f"def {name}(" not in tests] == []


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


@pytest.fixture
def silent(monkeypatch):
    """Nothing is shown, so nothing is drawn."""
    for name in ("show", "animate", "say", "in_short"):
        monkeypatch.setattr(byhand.lab, name, lambda *told: None)
    for name, _ in inspect.getmembers(byhand.figures, inspect.isfunction):
        if not name.startswith("_"):
            monkeypatch.setattr(byhand.figures, name, lambda *shown, **options: None)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_claim_holds_with_this_seed(seed, silent, capsys):
    """Parts 1 and 2 as they run, with 20 starts for 300 and 3 of 2.12's networks for 10, and without the study."""
    names: dict[str, Any] = {}
    for question, sources in solved_code(seed).items():
        for source in sources:
            few = source.replace("RUNS, EPOCHS = 300", "RUNS, EPOCHS = 20").replace("seeds[:10]", "seeds[:3]")
            exec(few, names)
        untrue = [claim.words for claim in CLAIMS if claim.question == question and not claim.holds(names)]
        assert untrue == [], f"{question}, seed {seed}"


def test_the_claims_of_part_3_hold(silent, capsys):
    """With the functions of the notebook, and without its runs."""
    names: dict[str, Any] = {"code": {}}
    wanted = ("forward", "backward", "relu", "sigmoid", "draw", "stack", "train", "one_sample", "change", "PROGRAM")
    for cell in solution_notebook().cells:
        if cell.cell_type != "code" or {"ask", "check", "student"} & set(tags(cell)):
            continue
        for statement in ast.parse(cell.source).body:
            match statement:
                case ast.FunctionDef(name=name) if name not in ("in_its_own_python", "launch", "noisy_xor"):
                    names["code"][name] = ast.unparse(statement)
                case ast.Assign(targets=[ast.Attribute(attr="derivative")]):
                    pass
                case ast.Assign(targets=[ast.Tuple(elts=[ast.Attribute(attr="derivative"), *_])]):
                    pass
                case ast.Assign(targets=[ast.Name(id="PROGRAM")]) | ast.Import() | ast.ImportFrom():
                    pass
                case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id="n_inputs"), *_])]):
                    pass
                case _:
                    continue
            exec(ast.unparse(statement), names)
    names |= {"X": X, "y": Y}
    assert set(wanted) <= names.keys()
    untrue = [claim for claim in CLAIMS if claim.question.startswith("3.") and not claim.holds(names)]
    assert [(claim.question, claim.words) for claim in untrue] == []


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
