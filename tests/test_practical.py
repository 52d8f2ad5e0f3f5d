"""The practical's claims: every number in its answers held against another way to get it; and what its checks refuse.

The other ways: closed forms, matrix powers, the library, and `ensemble` below, which trains many networks with code
unlike the notebook's (the runs on the last axis, no matrix product).
"""

from __future__ import annotations

import hashlib
import re
import types
from dataclasses import dataclass, field

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import byhand
import byhand.lab
from byhand.lab import notebooks
from byhand.lab.notebooks import question_titles, solution_notebook, tags

X, Y = byhand.datasets.xor()
HANDOUTS_LAST_CELL = "375882e7c2b10c103889fc5ac36137ed7b8f70fe7fa962902cef692d9b74a816"
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


@dataclass
class Shown:
    """What one question shows: what was printed, the answers in words and in a line, the figures' texts and titles."""

    printed: str = ""
    said: str = ""
    short: str = ""
    alts: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def shown(td1):
    """From the number of each question, such as "1.10", to what it shows."""
    questions, current = {}, Shown()
    for cell in td1.solution.cells:
        for title in question_titles(cell):
            current = questions.setdefault(title.split()[0], Shown())
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                current.printed += output.text
            elif "image/svg+xml" in output.data:
                current.alts.append(output.metadata["image/svg+xml"]["alt"])
                current.titles.append(bold_text(output.data["image/svg+xml"]))
            elif "text/html" in output.data:
                continue  # an animation
            elif "in_short" in output.metadata.get("byhand", {}):
                current.short += output.metadata["byhand"]["in_short"] + "\n"
            else:
                current.said += output.data["text/markdown"] + "\n"
    return questions


def bold_text(svg):
    return " ".join(re.findall(r"<text[^>]*font-weight: 700[^>]*>([^<]*)</text>", svg))


def numbers(text):
    return [float(number) for number in re.findall(NUMBER, text)]


def rows(markdown):
    """The tables' rows: from the first cell to the numbers in the others."""
    table = {}
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if line.startswith("|") and not set(line) <= set("|-"):
            table[cells[0]] = [numbers(cell) for cell in cells[1:]]
    return table


def found(pattern, text):
    """The numbers that the pattern's groups catch."""
    match = re.search(pattern.replace("#", f"({NUMBER})"), re.sub(r"\s+", " ", text))
    assert match, f"{pattern!r} is not in {text!r}"
    values = [float(group) for group in match.groups()]
    return values[0] if len(values) == 1 else values


def wilson(count, n):
    """Wilson's 95% interval in %, by its formula."""
    z, p = 1.959963984540054, count / n
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return [100 * (middle - half) / (1 + z**2 / n), 100 * (middle + half) / (1 + z**2 / n)]


# Part 1


@dataclass
class Line:
    """Part 1 by linear algebra."""

    def __init__(self):
        rng = np.random.RandomState(44)
        self.x = rng.rand(100)
        self.y = 2 * self.x + 1 + 0.1 * rng.randn(100)
        self.start = rng.randn(2)
        self.best = np.polyfit(self.x, self.y, 1)
        design = np.column_stack([self.x, np.ones(100)])
        self.hessian = 2 / 100 * design.T @ design
        self.eigenvalues = np.linalg.eigvalsh(self.hessian)

    def at(self, epoch, rate=0.1):
        """(a, b) before that epoch: the difference from the best, multiplied by a matrix power."""
        shrinking = np.linalg.matrix_power(np.eye(2) - rate * self.hessian, epoch)
        return self.best + shrinking @ (self.start - self.best)

    def loss(self, theta):
        return np.mean((theta[0] * self.x + theta[1] - self.y) ** 2)


@pytest.fixture(scope="module")
def line():
    return Line()


def test_the_points_and_the_first_guess(shown, line):
    (alt,) = shown["1.2"].alts
    assert found("plot of # points. They rise from about y = # at x = 0 to y = # at x = 1", alt) == [100, 1, 3]
    assert found(r"correlation #", shown["1.2"].titles[0]) == pytest.approx(np.corrcoef(line.x, line.y)[0, 1], abs=5e-4)
    residuals = [np.std(line.y - np.polyval(np.polyfit(line.x, line.y, k), line.x)) for k in (0, 1, 3)]
    claimed = found("constant the points scatter by #, .* line by #;.* comes to #: #% less", shown["1.2"].said)
    assert claimed == pytest.approx([*residuals, 100 * (1 - residuals[2] / residuals[1])], abs=5e-2)
    assert found("start at a = #, b = #", shown["1.3"].printed) == pytest.approx(line.start, abs=5e-4)


def test_loss_gradients_and_one_step(shown, line):
    loss = line.loss(line.start)
    claimed = found(r"L = #: the first guess is off by about #\.", shown["1.5"].printed)
    assert claimed == pytest.approx([loss, np.sqrt(loss)], abs=5e-3)
    gradient = line.hessian @ (line.start - line.best)
    assert found("∂L/∂a = #, ∂L/∂b = #", shown["1.6"].printed) == pytest.approx(gradient, abs=5e-5)
    claimed = found(r"from # to #\.", shown["1.7"].printed)
    assert claimed == pytest.approx([loss, line.loss(line.at(1))], abs=5e-5)


def test_a_thousand_epochs(shown, line):
    end = line.at(1000)
    claimed = found("a = #, b = #, loss #", shown["1.8"].printed)
    assert claimed == pytest.approx([*end, line.loss(line.at(999))], abs=5e-5)
    losses = np.array([line.loss(line.at(k)) for k in range(1000)])
    settled = np.argmax(losses < 1.01 * losses[-1])
    assert found(r"what remains is #\. From epoch # on, the loss is within 1%", shown["1.8"].said) == pytest.approx(
        [losses[-1], settled], abs=5e-5
    )
    assert found("rest at #;", shown["1.8"].titles[0]) == pytest.approx(losses[-1], abs=5e-5)


def test_the_line_finds_its_height_before_its_slope(shown, line):
    off = line.at(30) - line.at(1000)
    claimed = found("is # from its final height in the middle, .*slope is still # away", shown["1.9"].said)
    assert claimed == pytest.approx(np.abs([0.5 * off[0] + off[1], off[0]]), abs=5e-4)
    assert claimed[0] < claimed[1] / 10
    within = found("after 30 epochs within #", shown["1.9"].titles[0])
    assert abs(0.5 * off[0] + off[1]) <= within < abs(0.5 * off[0] + off[1]) + 0.01  # a bound is never rounded down


def test_gradient_descent_closed_form_and_scikit_learn(shown, line):
    table = rows(shown["1.10"].said)
    model = LinearRegression().fit(line.x[:, None], line.y)
    assert np.ravel(table["closed form"]) == pytest.approx(line.best, abs=1e-9)
    assert np.ravel(table["`LinearRegression`"]) == pytest.approx([model.coef_[0], model.intercept_], abs=1e-9)
    assert np.ravel(table["gradient descent − closed form"]) == pytest.approx(line.at(1000) - line.best, rel=0.06)
    assert np.abs(np.ravel(table["closed form − `LinearRegression`"])).max() < 1e-14


def test_the_difference_shrinks_as_the_hessian_predicts(shown, line):
    low, high = line.eigenvalues
    said = shown["1.11"].said
    assert found(r"min\}\$? = #\$ and .*max\} = #\$", said.replace("{\\", "{")) == pytest.approx([low, high], abs=5e-5)
    table = rows(said)
    (predicted,), (measured,) = (
        table["predicted, $1 - \\eta\\lambda_{\\min}$"][0],
        table["measured, mean of the last 100 epochs"][0],
    )
    d900, d1000 = (np.linalg.norm(line.at(k) - line.best) for k in (900, 1000))
    assert predicted == pytest.approx(1 - 0.1 * low, abs=1e-9)
    assert measured == pytest.approx((d1000 / d900) ** 0.01, abs=1e-8)
    halving, worth, left = found(
        "halves every # epochs, and 1000 epochs are worth a factor of #. .* distance of # is", said
    )
    assert halving == round(np.log(0.5) / np.log(predicted))
    assert [worth, left] == pytest.approx([predicted**1000, d1000], rel=0.06)


def test_just_under_and_just_over_the_largest_learning_rate(shown, line):
    limit = 2 / line.eigenvalues[1]
    assert found("2/λmax = #", shown["1.12"].printed) == pytest.approx(limit, abs=5e-5)
    for name, share in (("under", 0.99), ("over", 1.01)):
        (predicted,), (measured,), (far,) = rows(shown["1.12"].said)[f"1% {name}"]
        assert predicted == measured == {"under": 0.98, "over": 1.02}[name]
        assert far == pytest.approx(np.linalg.norm(line.at(1000, share * limit) - line.best), rel=0.06)


# Part 2


def draw(seed):
    rng = np.random.RandomState(seed)
    return rng.randn(10, 2), rng.randn(1, 10)


def network(seed, activations):
    """The library's network from the handout's draws."""
    built = byhand.Network.dense([2, 10, 1], activations)
    built.layers[0].W, built.layers[1].W = draw(seed)
    return built


def losses_of(built, rate, epochs):
    optimizer = byhand.GradientDescent(rate)
    return np.array(byhand.train(built, X, Y, loss="sum_of_squares", optimizer=optimizer, epochs=epochs).loss)


FUNCTIONS = {
    "sigmoid": (lambda z: np.tanh(z / 2) / 2 + 0.5, lambda a: a - a * a),
    "relu": (lambda z: z * (z > 0), lambda a: 1.0 * (a > 0)),
    "identity": (lambda z: z, lambda a: 1.0),
}


def ensemble(W, V, hidden, out, rate, epochs, x=X, y=Y, output_bias=0.0):
    """The losses of many runs, shape (epochs, runs), and a function for their outputs on other points.

    W has shape (runs, 10, 2) and V (runs, 1, 10), as drawn; the loss is the sum of squares.
    """
    f, slope = FUNCTIONS[hidden]
    g, out_slope = FUNCTIONS[out]
    u, w, v = np.moveaxis(W[:, :, 0], 0, -1), np.moveaxis(W[:, :, 1], 0, -1), np.moveaxis(V[:, 0], 0, -1)
    b, c = np.zeros_like(v), np.full(v.shape[1], output_bias)

    def outputs(x):
        a = f(x[:, :1, None] * u + x[:, 1:, None] * w + b)
        return a, g(np.sum(a * v, axis=1) + c)

    losses = []
    for _ in range(epochs):
        a, y_hat = outputs(x)
        losses.append(np.sum((y_hat - y) ** 2, axis=0))
        delta = 2 * (y_hat - y) * out_slope(y_hat)
        back = delta[:, None] * v * slope(a)
        v, c = v - rate * np.sum(delta[:, None] * a, axis=0), c - rate * delta.sum(axis=0)
        u = u - rate * np.sum(back * x[:, :1, None], axis=0)
        w = w - rate * np.sum(back * x[:, 1:, None], axis=0)
        b = b - rate * back.sum(axis=0)
    return np.array(losses), lambda x: outputs(x)[1]


def first_below(losses, threshold):
    return np.array([np.flatnonzero(run < threshold)[0] if run.min() < threshold else np.inf for run in losses.T])


def drawn(seeds):
    W, V = zip(*map(draw, seeds), strict=True)
    return np.array(W), np.array(V)


STARTS = np.random.RandomState(44).randint(2**31, size=300)


def test_both_layouts_give_the_same_numbers(shown):
    assert found("difference between the two layouts: #", shown["2.3"].printed) < 1e-15
    assert "41," in shown["2.2"].printed


def test_the_untrained_network(shown):
    y_hat = network(44, "sigmoid").predict(X)
    alt = found("network: # at .0, 0., # at .0, 1., # at .1, 0., # at .1, 1.", shown["2.6"].alts[0])
    assert alt == pytest.approx(y_hat[:, 0], abs=5e-4)
    right, loss = found(
        r": # of 4 on the right side of ½, and .* of #\. To answer ½ everywhere would cost 1", shown["2.6"].said
    )
    assert right == np.sum(y_hat.round() == Y)
    assert loss == pytest.approx(np.sum((y_hat - Y) ** 2), abs=5e-4)


@pytest.mark.parametrize("question", ["2.7", "2.10"])
def test_every_gradient_agrees_with_numerical_derivatives_to_a_relative_1e_7(shown, question):
    errors = numbers(" ".join(re.findall(rf"\(error ({NUMBER}) of the largest\): the same", shown[question].printed)))
    assert len(errors) == {"2.7": 4, "2.10": 8}[question]
    assert max(errors) < 1e-7
    assert max(errors) > 0  # something was compared


def test_the_loss_printed_as_it_goes(shown):
    losses = losses_of(network(44, "sigmoid"), 0.5, 10_000)
    printed = re.findall(rf"epoch +(\d+): loss ({NUMBER})", shown["2.8"].printed)
    assert [int(epoch) for epoch, _ in printed] == list(range(0, 10_000, 1000))
    assert [float(loss) for _, loss in printed] == pytest.approx(losses[::1000], abs=1e-6)
    epoch, end = found("falls below 0.01 in epoch #, and goes on to #", shown["2.8"].titles[0])
    assert epoch == np.argmax(losses < 0.01)
    assert end == pytest.approx(losses[-1], rel=0.05)


def test_the_trained_network(shown):
    trained = network(44, "sigmoid")
    losses_of(trained, 0.5, 10_000)
    y_hat = trained.predict(X)[:, 0]
    assert y_hat.round().tolist() == [0, 1, 1, 0]
    claimed = found("outputs are # at .0, 0., # at .0, 1., # at .1, 0., # at .1, 1.", shown["2.9"].said)
    assert claimed == pytest.approx(y_hat, abs=5e-4)
    within, worst = found("within # of its", shown["2.9"].titles[0]), np.abs(y_hat - Y[:, 0]).max()
    assert worst <= within < worst + 1e-3  # a bound is never rounded down
    middle = trained.predict([[0.5, 0.5]]).item()
    assert found("middle .# there.", shown["2.9"].alts[1]) == pytest.approx(middle, abs=5e-3)
    assert f"A band of {'ones' if middle > 0.5 else 'zeros'} through" in shown["2.9"].titles[1]
    weights = trained.layers[1].W[0]
    on_the_way = [byhand.Network.dense([2, 10, 1], "sigmoid") for _ in range(5)]
    right = []
    for passed, epochs in zip(on_the_way, (0, 100, 300, 1000, 10_000), strict=True):
        passed.parameters[:] = network(44, "sigmoid").parameters
        if epochs:
            losses_of(passed, 0.5, epochs)
        right.append(np.sum((passed.predict(X) > 0.5) == (Y > 0.5)))
    assert numbers(shown["2.9"].alts[2].partition("after")[2].replace(",", ""))[1::3] == right
    assert numbers(shown["2.9"].alts[3].partition("weights are")[2]) == pytest.approx(weights, abs=0.05)
    heaviest = found(r"are number # .weight #. and number # .#.", shown["2.9"].said)
    order = np.argsort(-np.abs(weights))[:2]
    assert heaviest[::2] == (order + 1).tolist()
    assert heaviest[1::2] == pytest.approx(weights[order], abs=0.05)


def test_relu_from_the_same_start(shown):
    said = shown["2.10"].said
    assert np.unique(losses_of(network(44, "relu"), 0.01, 10_000)).tolist() == [2.0]
    assert found("ReLU in both layers it ends at #;", said) == 2
    for activations, rate, pattern in (
        ("sigmoid", 0.5, "sigmoid network falls below 0.01 in epoch #"),
        (["relu", "identity"], 0.01, "then the identity it falls below 0.01 in epoch #"),
    ):
        losses = losses_of(network(44, activations), rate, 2000)
        assert found(pattern, said) == np.argmax(losses < 0.01)


def test_which_converges_the_fastest_over_300_starts(shown):
    said, table = shown["2.11"].said, rows(shown["2.11"].said)
    medians, shares = {}, {}
    for name, hidden, out, rate in (
        ("sigmoid, η = 0.5", "sigmoid", "sigmoid", 0.5),
        ("ReLU in both layers, η = 0.01", "relu", "relu", 0.01),
        ("ReLU, then identity, η = 0.01", "relu", "identity", 0.01),
    ):
        losses, outputs = ensemble(*drawn(STARTS), hidden, out, rate, 2000)
        when = first_below(losses, 0.01)
        reached = np.isfinite(when)
        medians[name], shares[name] = np.median(when), reached.mean()
        interval, middle, middle_of_converged = table[name]
        assert interval == pytest.approx([100 * reached.mean(), *wilson(reached.sum(), 300)], abs=0.06)
        assert middle == ([] if np.isinf(medians[name]) else [pytest.approx(medians[name], abs=1)])
        assert middle_of_converged == [pytest.approx(np.median(when[reached]), abs=1)]
        assert f"{name}: {reached.mean():.0%}" in shown["2.11"].alts[0]
        if name == "ReLU in both layers, η = 0.01":
            answers = outputs(X)[:, ~reached].T
            never, of, nothing, half, other, silent, again = found(
                "But # of # never do. In the end # of these answer 0 everywhere, .*; # answer 1 on one of the two .* "
                "costs 1; # something else.* negative .as in # of the #.",
                said,
            )
            assert (never, of) == (np.sum(~reached), 300)
            ends = [[0, 0, 0, 0]], [[0, 1, 0, 0], [0, 0, 1, 0]]
            counts = [sum(np.sum(np.all(np.abs(answers - end) < 0.1, axis=1)) for end in kind) for kind in ends]
            assert [nothing, half] == counts
            assert half == again == silent > nothing
            assert nothing + half + other == never
    assert f"fastest with **{min(medians, key=medians.get)}**" in re.sub(r"\s+", " ", said)
    assert f"surest is **{max(shares, key=shares.get)}**" in re.sub(r"\s+", " ", said)


def test_each_network_at_its_best_learning_rate(shown):
    # The best of thirteen, and its neighbours.
    rates = {
        "sigmoid": [2, 5, 10],
        "relu": [0.002, 0.005, 0.01],
        "relu/identity": [0.01, 0.02, 0.05],
        "sigmoid/identity": [0.02, 0.05, 0.1],
    }
    said = re.sub(r"\s+", " ", shown["2.11"].said.split("| network | best learning rate")[1])
    table = rows(shown["2.11"].said.split("| network | best learning rate")[1])
    starts = [
        byhand.Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=seed).layers
        for seed in range(100)
    ]
    W, V = (np.array([layers[i].W for layers in starts]) for i in range(2))
    medians, means = {}, {}
    for name, tried in rates.items():
        hidden, out = (name.split("/") * 2)[:2]
        every = np.repeat(tried, 100)
        losses, _ = ensemble(np.tile(W, (3, 1, 1)), np.tile(V, (3, 1, 1)), hidden, out, every, 2000)
        when = first_below(losses, 0.01).reshape(3, 100)
        choosing, announcing = np.minimum(when[:, :50], 2000), when[:, 50:]
        best = np.argmin(choosing.mean(axis=1))
        rate, interval, middle, mean = table[name]
        reached = np.isfinite(announcing[best])
        assert rate == [tried[best]]
        assert interval == pytest.approx([100 * reached.mean(), *wilson(reached.sum(), 50)], abs=0.06)
        medians[name] = np.quantile(announcing[best], 0.5, method="inverted_cdf")  # by when half have arrived
        means[name] = np.minimum(announcing[best], 2000).mean()
        assert middle[:1] == ([pytest.approx(medians[name], abs=1)] if reached.mean() > 0.5 else [])
        assert mean == [pytest.approx(means[name], abs=1)]
    # What is compared with what: one layer's function changes, the other's stays. Tanh is the study's alone.
    sigmoid, relu = found("middle run of sigmoid takes # epochs, of tanh takes .* epochs, of relu takes # epochs", said)
    assert [sigmoid, relu] == pytest.approx([medians["sigmoid/identity"], medians["relu/identity"]], abs=1)
    same, identity = found("sigmoid in the hidden layer.: # epochs with a sigmoid there, # with the identity", said)
    assert [same, identity] == pytest.approx([medians["sigmoid"], medians["sigmoid/identity"]], abs=1)
    # The answer, the figure and the table say the same.
    by_middle, by_mean = re.search(r"soonest with \*\*(\S+)\*\*; on average, .* it is \*\*(\S+)\*\*", said).groups()
    assert min((row[2][0] for row in table.values() if row[2]), default=0) == table[by_middle][2][0]
    assert min(row[3][0] for row in table.values() if len(row) == 4 and row[3]) == table[by_mean][3][0]
    title = shown["2.11"].titles[1]
    assert title == f"Soonest in the middle run: {by_middle}; on average: {by_mean}"


def test_faster_is_not_better(shown):
    rng = np.random.RandomState(44)

    def noisy_xor(n):
        x = rng.uniform(-1, 1, (n, 2))
        wrong = rng.rand(n, 1) < 0.15
        return x, 1.0 * ((np.sign(x[:, :1]) != np.sign(x[:, 1:])) != wrong)

    (x, y), (x_val, y_val), (x_test, y_test) = noisy_xor(100), noisy_xor(1000), noisy_xor(1000)
    alts, said = shown["2.12"].alts, re.sub(r"\s+", " ", shown["2.12"].said)
    speed, final, point_errors, test, last_training = {}, {}, {}, {}, {}
    for name, hidden, out, rate in [
        *((f"sigmoid, η = {rate:g}", "sigmoid", "sigmoid", rate) for rate in (1, 3, 10)),
        *((f"ReLU, η = {rate:g}", "relu", "identity", rate) for rate in (0.03, 0.1, 0.2)),
    ]:
        losses, outputs = ensemble(*drawn(STARTS[:10]), hidden, out, rate / 100, 2000, x, y)
        speed[name] = np.median(first_below(losses / 100, 0.2))
        last_training[name] = losses[-1] / 100
        point_errors[name] = (outputs(x_val) - y_val) ** 2
        final[name] = np.median(point_errors[name].mean(axis=0))
        test[name] = (outputs(x_test) - y_test) ** 2
        claimed = found(f"{re.escape(name)}: # epochs, #[;.]", alts[0])
        assert claimed == [pytest.approx(speed[name], abs=1.5), pytest.approx(final[name], abs=2e-3)]
    fastest, best = min(speed, key=speed.get), min(final, key=final.get)
    assert fastest != best
    assert f"First below a training loss of 0.2: {fastest} (" in said
    assert f"Lowest validation loss in the end: {best} (" in said
    assert "so the fastest is not the best" in said
    assert shown["2.12"].titles[0] == f"The fastest: {fastest}; the best: {best}"
    gaps = {name: final[name] - np.median(last_training[name]) for name in (fastest, best)}
    claimed = found("cost # against learned ones .fastest., # .best.", shown["2.12"].titles[1])
    assert claimed == pytest.approx([gaps[fastest], gaps[best]], abs=2e-3)

    def difference(one, other):
        values = point_errors[one].mean(axis=1) - point_errors[other].mean(axis=1)
        return values.mean(), 2 * values.std(ddof=1) / np.sqrt(1000)

    best_relu, best_sigmoid = (min((n for n in final if n.startswith(k)), key=final.get) for k in ("ReLU", "sigmoid"))
    for one, other, pattern in (
        (
            fastest,
            best,
            rf"the fastest and the best \| {re.escape(fastest)} \| {re.escape(best)} \| # ± #, (\w+ \w+ \w+)",
        ),
        (
            best_relu,
            best_sigmoid,
            rf"the best of sigmoid \| {re.escape(best_relu)} \| {re.escape(best_sigmoid)} \| # ± #, (\w+ \w+ \w+)",
        ),
    ):
        mean, margin = difference(one, other)
        *claimed, verdict = re.search(pattern.replace("#", f"({NUMBER})"), said).groups()
        assert [float(number) for number in claimed] == pytest.approx([mean, margin], abs=1e-3)
        assert verdict == ("more than chance" if abs(mean) > margin else "no difference shown")
    run = np.argmin(point_errors[best].mean(axis=0))
    number, validation_loss, test_loss, margin = found(
        r"network #, with a validation loss of #\. .*\*\*# ± #\*\*", said
    )
    assert number == run
    assert validation_loss == pytest.approx(point_errors[best][:, run].mean(), abs=1e-3)
    assert test_loss == pytest.approx(test[best][:, run].mean(), abs=1e-3)
    assert margin == pytest.approx(2 * test[best][:, run].std(ddof=1) / np.sqrt(1000), abs=1e-3)
    assert test_loss > 0.15 * 0.85 - margin


def test_the_identity_everywhere_ends_where_the_normal_equations_say(shown):
    table = rows(shown["2.13"].said)
    for name in ("best plane, by the normal equations", "trained network, multiplied out"):
        assert np.ravel(table[name]).tolist() == [0, 0, 0.5, 1]
    claimed = found("everywhere: # at .0, 0., # at .0, 1., # at .1, 0., # at .1, 1.", shown["2.13"].alts[0])
    assert claimed == [0.5] * 4
    losses = losses_of(network(44, "identity"), 0.005, 10_000)
    assert losses[-1] == pytest.approx(1)
    assert found("with a loss of #:", shown["2.13"].short) == 1


# Part 3


def program(seed, rate, epochs, mended=frozenset()):
    """The program in single numbers, each slope read where it is read there: its losses, and the 41 parameters."""
    (W, V), b, c, losses = draw(seed), np.zeros(10), np.zeros(1), []
    W, v = W.copy(), V[0].copy()
    slope = (lambda z: float(z > 0)) if "slope" in mended else (lambda z: float(z >= 0))

    def forward(x):
        a = [max(W[j, 0] * x[0] + W[j, 1] * x[1] + b[j], 0.0) for j in range(10)]
        return a, max(sum(v[j] * a[j] for j in range(10)) + c[0], 0.0)

    for _ in range(epochs):
        before = [forward(x) for x in X]
        losses.append(sum((out - y[0]) ** 2 for (_, out), y in zip(before, Y, strict=True)))
        for x, y, (a, out) in zip(X, Y, before, strict=True):
            if "forward" in mended:
                a, out = forward(x)
            error = 2 * (out - y[0])

            def delta(a=a, error=error):
                return error * slope(sum(v[j] * a[j] for j in range(10)) + c[0])

            old_delta, old_v = delta(), v.copy()
            for j in range(10):
                v[j] -= rate * (old_delta if {"W_out", "output slope once"} & mended else delta()) * a[j]
            c[0] -= rate * (old_delta if {"W_out", "output slope once"} & mended else delta())
            for j in range(10):
                sent = old_delta * old_v[j] if "W_out" in mended else delta() * v[j]
                for k in range(2):
                    if k == 0 or "re-read" not in mended:
                        on = slope(W[j, 0] * x[0] + W[j, 1] * x[1] + b[j])
                    W[j, k] -= rate * sent * on * x[k]
                b[j] -= rate * sent * (on if "b_hidden" in mended else 1.0)
    return np.array(losses), np.concatenate([W.ravel(), b, v, c])


def test_what_the_program_says_layer_by_layer(shown):
    assert "`NameError: name 'np' is not defined`" in shown["3.1"].said
    said = shown["3.2"].said
    messages = ["NameError: name 'n_hidden' is not defined", "NameError: name 'X_train' is not defined"]
    version = tuple(int(part) for part in np.__version__.split(".")[:2])
    messages.append(
        "TypeError: only 0-dimensional arrays" if version >= (2, 4) else "DeprecationWarning: Conversion of"
    )
    places = [said.index(f"`{message}") for message in messages]
    assert places == sorted(places)
    assert places[-1] < said.index("`NameError: name 'plt' is not defined`, after all epochs")
    assert "NameError: name 'np' is not defined" in shown["3.1"].printed
    assert f"With NumPy {np.__version__} that is {'an error' if version >= (2, 4) else 'a warning so far'}" in re.sub(
        r"\s+", " ", said
    )
    assert "it runs to its end, and prints `Epoch 0: loss = [2.]`" in said
    assert shown["3.2"].short.startswith("5 things to mend")


def test_the_program_is_the_handouts_to_the_letter():
    (cell,) = (cell for cell in solution_notebook().cells if cell.source.startswith("PROGRAM"))
    text = cell.source.partition('PROGRAM = """\\\n')[2].partition('"""')[0]
    assert len(text.splitlines()) == 82
    assert hashlib.sha256(text.strip().encode()).hexdigest() == HANDOUTS_LAST_CELL


@pytest.fixture(scope="module")
def rewrite():
    """Names of the notebook as question 3.3 has them: its network, and its whole-array code for the program."""
    namespace = {"relu": byhand.activations.relu, "X": X, "y": Y, "np": np}
    for _, cell in code_cells(solution_notebook(), (2, 5), (2, 6)):
        if "def forward" in cell.source:
            exec(cell.source, namespace)
    (source,) = (c.source for c in solution_notebook().cells if "def one_sample" in c.source)
    exec(source.partition("# Wanted:")[0], namespace)
    return namespace


def start_of(seeds):
    W, V = drawn(seeds)
    return [W, np.zeros((len(W), 1, 10)), V, np.zeros((len(W), 1, 1))]


@pytest.mark.parametrize(("seed", "epochs", "below", "read_once"), [(76, 30, None, None), (78, 470, 343, 464)])
def test_the_rewrite_of_the_program_has_its_numbers_where_a_slope_changes_in_between(
    rewrite, seed, epochs, below, read_once
):
    train = rewrite["train_as_given"]
    _, losses = train(start_of([seed]), 0.001, epochs)
    expected, _ = program(seed, 0.001, epochs)
    np.testing.assert_allclose(losses[:, 0], expected, rtol=1e-9)
    _, other = train(start_of([seed]), 0.001, epochs, {"re-read"})
    assert np.abs(other[:, 0] - expected).max() > 1e-6
    np.testing.assert_allclose(other[:, 0], program(seed, 0.001, epochs, {"re-read"})[0], rtol=1e-9)
    if below:
        assert np.argmax(losses[:, 0] < 0.01) == below
        assert np.argmax(other[:, 0] < 0.01) == read_once


def test_the_slope_of_the_output_unit_never_changes_within_its_loop(rewrite):
    """Each turn of the loop over W_out lowers z by rate · error · a²; whether z has crossed 0 is seen before each."""
    parameters, one_sample = start_of(range(100)), rewrite["one_sample"]
    moved = 0
    for _ in range(1000):
        _, hidden, _, y_hat = rewrite["forward"](X, parameters, rewrite["relu"], rewrite["relu"])
        for i in range(4):
            a, out = hidden[:, i : i + 1], y_hat[:, i : i + 1]
            _, _, V, c = parameters
            z, step = a @ V.transpose(0, 2, 1) + c, 0.001 * 2 * (out - Y[i]) * np.cumsum(a * a, axis=2)
            changes = (z >= 0) & (z - step < 0) & (out != Y[i])
            assert not changes[..., :-1].any()  # after the last turn nothing more is read in this loop
            moved += np.count_nonzero(step)
            parameters = one_sample(parameters, X[i : i + 1], Y[i : i + 1], a, out, 0.001)
    assert moved > 10_000


def test_the_loss_of_seed_44_is_exactly_2(shown):
    assert "takes the value 2.0, and no other" in shown["3.3"].said
    losses, parameters = program(44, 0.001, 20)
    assert set(losses) == {2.0}
    W, V = draw(44)
    assert parameters.tolist() == [*W.ravel(), *np.zeros(10), *V.ravel(), 0]
    assert found("Seed 44: a loss of # from the first of the 10,000", shown["3.3"].titles[0]) == 2
    learns = int(found("With seed #, the same program learns", shown["3.3"].said))
    assert program(learns, 0.001, 600)[0][-1] < 0.01


def test_the_dead_output_unit(shown):
    table = rows(shown["3.4"].said)
    z = [table[point][0][0] for point in ("(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)")]
    assert z == [0, -2.377, -2.605, -4.033]
    for point, target in zip(("(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)"), Y[:, 0], strict=True):
        _, output, claimed_target, error, slope, delta = (column[0] for column in table[point])
        assert [output, claimed_target, error, delta] == [0, target, -target, 0]
        assert slope == (point == "(0, 0)")
    assert found("41 numbers in the four gradients is #", shown["3.4"].said) == 0
    dead = network(44, "relu")
    dead.backward(2 * (dead.forward(X) - Y))
    assert not dead.gradients.any()


@pytest.fixture(scope="module")
def thousand():
    """The pre-activations of the output unit for the seeds 0 to 999, shape (1000, 4)."""
    return np.array([(np.maximum(X @ W.T, 0) @ V.T)[:, 0] for W, V in map(draw, range(1000))])


def sends_nothing_back(z):
    """Whether 2 (ŷ − y) relu′(z) is 0 on all points, with relu′(0) = 1."""
    return all(z_i < 0 or max(z_i, 0) == y for z_i, y in zip(z, Y[:, 0], strict=True))


def near(answers, wanted):
    return np.all(np.abs(answers - wanted) < 0.1, axis=1)


@pytest.fixture(scope="module")
def late(rewrite):
    """The output unit's pre-activations and outputs of the thousand after 2,000 epochs, each (1000, 4)."""
    (W, b, V, c), _ = rewrite["train_as_given"](start_of(range(1000)), 0.001, 2000)
    hidden = np.maximum(np.einsum("nk,rjk->rnj", X, W) + b, 0)
    z = np.einsum("rnj,rj->rn", hidden, V[:, 0]) + c[:, :, 0]
    return z, np.maximum(z, 0)


def test_which_share_of_a_thousand_seeds_is_dead(shown, thousand, late):
    dead = np.array([sends_nothing_back(z) for z in thousand])
    never_positive = thousand.max(axis=1) <= 0
    said = shown["3.5"].said
    share, low, high = found("#% .#% to #%.", said)
    assert [share, low, high] == pytest.approx([100 * dead.mean(), *wilson(dead.sum(), 1000)], abs=0.06)
    count, escaped = found("positive arrives with # of the seeds. The difference, seed #,", said)
    assert count == never_positive.sum()
    assert [escaped] == np.flatnonzero(never_positive & ~dead).tolist()
    table = rows(said)
    z, ends = late
    claimed = {name: row[-1] for name, row in table.items() if not name.startswith("what")}
    one_of_two = near(ends, [0, 1, 0, 0]) | near(ends, [0, 0, 1, 0])
    assert claimed["XOR: 0, 1, 1, 0"] == [near(ends, [0, 1, 1, 0]).sum()]
    assert claimed["one target of two: 0, 1, 0, 0 or 0, 0, 1, 0"] == [one_of_two.sum()] == [464]
    assert claimed["nothing: 0, 0, 0, 0"] == [near(ends, [0, 0, 0, 0]).sum()]
    assert sum(row[0] for name, row in claimed.items() if row) == 1000
    assert max(claimed.items(), key=lambda item: item[1] or [0])[0].startswith("one target of two")
    assert found(r"with # of these # seeds", said) == [464, 464]
    assert (z[one_of_two][:, 1:3].min(axis=1) < 0).all()
    losses = np.sum((ends - Y[:, 0]) ** 2, axis=1)
    assert np.sum(np.abs(losses - 1) < 0.1) == 465
    begins, after = found("Its loss begins at #, and after the 10,000 epochs of 3.3 it is #", said)
    assert begins == 2
    assert after < 1e-12
    assert f"{dead.mean():.1%} of 1,000 seeds" in shown["3.5"].titles[0]
    assert dead[44]


def test_seed_33_escapes_through_the_slope_at_zero():
    losses, _ = program(33, 0.001, 200)
    assert losses[0] == 2
    assert losses[-1] < 2
    assert set(program(33, 0.001, 20, {"slope"})[0]) == {2.0}


def test_what_cures_it(shown):
    W, V = drawn(range(100))
    table = rows(shown["3.6"].said)
    ends = {}
    for name, W_start, V_start, out, rate, bias in (
        ("control", W, V, "relu", 0.001, 0.0),
        ("weights scaled", W, V * np.sqrt(0.2), "relu", 0.001, 0.0),
        ("output bias ½", W, V, "relu", 0.001, 0.5),
        ("bias ½, small weights", W * np.sqrt(2 / 12), V * np.sqrt(2 / 11), "relu", 0.001, 0.5),
        ("positive output weights", W, np.abs(V), "relu", 0.001, 0.0),
        ("identity output", W, V, "identity", 0.001, 0.0),
        ("sigmoid output", W, V, "sigmoid", 0.001, 0.0),
        ("sigmoid, η = 0.5", W, V, "sigmoid", 0.5, 0.0),
    ):
        losses, _ = ensemble(W_start, V_start, "relu", out, rate, 5000, output_bias=bias)
        ends[name] = losses[-1]
        (at_44,), (share, low, high), (silent,), *against = table[name]
        assert at_44 == pytest.approx(losses[-1, 44], rel=0.06, abs=1e-9)
        assert share == pytest.approx(np.sum(losses[-1] < 0.01), abs=1)
        assert [low, high] == pytest.approx(wilson(share, 100), abs=0.06)
        assert silent == np.sum(np.abs(losses[-1] - 2) < 0.1)
        if name != "control":
            with_it, without = losses[-1] < 0.01, ends["control"] < 0.01
            assert against[0][0] == pytest.approx(np.sum(with_it & ~without), abs=1)
    converged = {name: np.sum(end < 0.01) for name, end in ends.items()}
    assert (converged["control"], np.sum(ends["control"] == 2)) == (21, 39)
    ranking = sorted(converged.keys() - {"control"}, key=lambda name: -converged[name])
    said = re.sub(r"\s+", " ", shown["3.6"].said)
    assert f'Of the cures, "{ranking[0]}" works for {converged[ranking[0]]} seeds and "{ranking[1]}"' in said
    assert f"(the control) is no cure: {converged['control']} of the 100 seeds converge" in said
    chains = found("bias of ½ from # seeds to #, and the learning rate 0.5 takes the sigmoid from # to #", said)
    one_more = ("output bias ½", "bias ½, small weights", "sigmoid output", "sigmoid, η = 0.5")
    assert chains == [table[name][1][0] for name in one_more]
    assert shown["3.6"].titles[0].startswith(f"{ranking[0].capitalize()}: {converged[ranking[0]]}% converge")
    assert table["as given"][0] == [2]


def test_another_seed_is_no_cure(shown, thousand):
    dead = np.array([sends_nothing_back(z) for z in thousand])
    following, share, low, high = found(r"start is #; but .* only #% .#% to #%. converge", shown["3.6"].said)
    assert following == 45 + np.argmin(dead[45:])
    alive = (~dead[:100]).sum()
    assert [low, high] == pytest.approx(wilson(share / 100 * alive, alive), abs=0.1)
    assert share < 50


def test_what_the_quieter_faults_cost(shown, thousand):
    living = np.flatnonzero(thousand[:100].max(axis=1) > 0)
    every = {"forward", "W_out", "b_hidden", "slope", "re-read"}
    table = rows(shown["3.7"].said)
    for name, fault in (
        ("stale forward pass", "forward"),
        ("updated weights used", "W_out"),
        ("no hidden slope in the bias", "b_hidden"),
        ("slope read again", "re-read"),
        ("slope of 1 at 0", "slope"),
    ):
        for column, rate in ((0, 0.001), (1, 0.1)):
            deviations = []
            for seed in living:
                W, V = draw(seed)
                before = np.concatenate([W.ravel(), np.zeros(10), V.ravel(), [0]])
                right, wrong = (
                    program(seed, rate, 1, {"output slope once", *mended})[1] - before
                    for mended in (every, every - {fault})
                )
                deviations.append(np.linalg.norm(wrong - right) / np.linalg.norm(right))
            assert table[name][column] == [pytest.approx(100 * np.mean(deviations), abs=0.02, rel=0.02)]
    assert table["slope of 1 at 0"] == [[0], [0]]
    counts = {name: row for name, row in table.items() if len(row) == 2 and name not in ("fault",)}
    given, mended = found("converge from # to #:", shown["3.7"].said)
    assert [given, mended] == [counts["as given"][0][0], counts["all mended"][0][0]]
    tenfold = found("from η = 0.0001 to 0.001 their deviation grows # and # times", shown["3.7"].said)
    assert tenfold == pytest.approx([10, 10], rel=0.05)  # "nearly in proportion"
    for name in ("stale forward pass", "updated weights used"):
        assert table[name][1][0] / table[name][0][0] < 150  # "more slowly", over a hundredfold
    first, at_rate, turned = found("it changes #% at η = 0.0001 and #% at 0.001, .* losses of # of", shown["3.7"].said)
    assert first <= at_rate == pytest.approx(table["slope read again"][0][0], abs=0.06)
    assert turned >= 3  # 76, 78 and 98 at the least


def test_the_loops_cost_time(shown):
    said = shown["3.8"].said
    loops, arrays, times = found("program about # s .* whole arrays # s, which is # times faster", said)
    assert loops / arrays == pytest.approx(times, rel=0.1)
    assert times > 3
    dots, short, long, ratio = found(
        "`np.dot` # times, .* takes # µs for 10 numbers and # µs for 1,000: .* for # times", said
    )
    assert dots == dots_in_an_epoch()
    assert long / short == pytest.approx(ratio, rel=0.1)
    assert ratio < 50


def dots_in_an_epoch():
    """How often one epoch of the handout's program calls np.dot, counted while it runs."""
    (cell,) = (cell for cell in solution_notebook().cells if cell.source.startswith("PROGRAM"))
    text = cell.source.partition('PROGRAM = """\\\n')[2].partition('"""')[0]
    calls = 0

    def dot(*arrays):
        nonlocal calls
        calls += 1
        return np.matmul(*arrays)

    counting = types.SimpleNamespace(**(vars(np) | {"dot": dot}))
    loop = text.replace("10_000", "1").partition("# semilogy")[0]
    loop = loop.replace("(output_activations[i] - y_train[i])", "float(output_activations[i, 0] - y_train[i, 0])")
    loop = loop.replace("hidden_activations[i]) + b_out)", "hidden_activations[i]) + b_out)[0]").replace(
        "= relu(np.dot(W_out, hidden_activations[i]) + b_out)[0]",
        "= relu(np.dot(W_out, hidden_activations[i]) + b_out)",
    )
    exec(loop.replace("= loss\n", "= loss[0]\n"), {"np": counting, "n_hidden": 10, "X_train": X, "y_train": Y})
    return calls


# The figures


def test_the_first_page_says_what_the_answers_say(shown, line):
    """Each number of an answer in a line stands in its question too, where it is held against another way to get it."""
    predictions = line.start[0] * line.x + line.start[1]
    only_there = {
        "1.1": [100, round(np.std(line.y - 2 * line.x - 1), 3)],
        "1.4": [round(number, 2) for number in (predictions.min(), predictions.max(), line.y.min(), line.y.max())],
        "2.4": [0, 0.5, 0.25],
    }
    for question, parts in shown.items():
        told = numbers(" ".join([parts.printed, parts.said, *parts.titles, *parts.alts]).replace(",", ""))
        known = np.abs([*told, *only_there.get(question, [])])
        short = np.abs(numbers(re.sub(r"[,$]|\\\w+|\d-\d+-\d", " ", parts.short.replace(",0", "0"))))
        assert [number for number in short if not np.isclose(number, known, rtol=1e-3, atol=0).any()] == [], question


def test_delta_is_what_a_nudge_says_it_is(shown):
    """The table's output unit, in single numbers."""
    a = [1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(0.5))]
    z = a[0] - 2 * a[1] + 0.5
    loss = [(1 / (1 + np.exp(-value)) - 1) ** 2 for value in (z, z + 0.01)]
    slope = 2 * (1 / (1 + np.exp(-z)) - 1) * np.exp(-z) / (1 + np.exp(-z)) ** 2
    claimed = found("from # to # takes the loss from # to #. That is # for 0.01, or # for .* = #", shown["2.7"].said)
    expected = [z, z + 0.01, *loss, loss[1] - loss[0], (loss[1] - loss[0]) / 0.01, slope]
    assert claimed == pytest.approx(expected, abs=6e-4)
    assert claimed[5] == pytest.approx(claimed[6], abs=0.006)


def test_every_figure_has_a_title_and_an_alternative_text_of_its_own(shown):
    titles = [title for question in shown.values() for title in question.titles]
    alts = [alt for question in shown.values() for alt in question.alts]
    assert len(titles) == len(alts) >= 20
    assert all(len(title) > 15 for title in titles)
    assert all(len(alt) > 60 for alt in alts)
    assert len(set(titles)) == len(titles)
    assert len(set(alts)) == len(alts)


# The checks, and other seeds: the notebook's cells in this process, without a kernel and without drawing


@pytest.fixture
def quiet(monkeypatch):
    """What the cells show, kept instead of displayed."""
    kept = []
    monkeypatch.setattr(byhand.lab, "show", lambda figure, alt: kept.append(alt))
    monkeypatch.setattr(byhand.lab, "animate", lambda draw, frames, alt: kept.append(alt))
    monkeypatch.setattr(byhand.lab, "say", kept.append)
    monkeypatch.setattr(byhand.lab, "in_short", kept.append)
    return kept


def code_cells(notebook, first, last):
    """The code cells of the questions from `first` up to (without) `last`, and those before the first question.

    Without those that ask `byhand.check`, which reads the source of functions as IPython keeps it.
    """
    number = (0, 0)
    for cell in notebook.cells:
        for title in question_titles(cell):
            number = tuple(int(part) for part in title.split()[0].split("."))
        is_code = cell.cell_type == "code" and "ask" not in tags(cell)
        if is_code and (number == (0, 0) or first <= number < last):
            yield ".".join(map(str, number)), cell


MISTAKES = [
    ("1.1", "np.sqrt(0.01) * np.random.randn", "0.01 * np.random.randn"),
    ("1.4", "a_start * x_train + b_start", "a_start * x_train"),
    ("1.5", "y_hat - y_train", "y_train - y_hat"),
    ("1.5", "np.sum(err**2) / N", "np.sum(err**2)"),
    ("1.6", "2 * np.sum(err) / N", "np.sum(err) / N"),
    ("1.6", "np.sum(err * x_train)", "np.sum(err)"),
    ("1.7", "a_start - learning_rate * grad_a", "a_start + learning_rate * grad_a"),
    ("1.8", "b = b - learning_rate * 2 * np.sum(err)", "b = b - learning_rate * 2 * np.sum(a * x_train + b - y_train)"),
    ("1.10", "y_train.mean() - a_best * x_train.mean()", "y_train.mean()"),
    ("1.11", "np.sum(x_train), N]", "np.sum(x_train), 1]"),
    ("1.11", "1 - learning_rate * eigenvalues[0]", "1 - learning_rate * eigenvalues[1]"),
    ("1.12", "2 / eigenvalues[1]", "1 / eigenvalues[1]"),
    ("2.1", "(p + q) % 2", "max(p, q)"),
    ("2.2", "+ n_outputs)", ")"),
    ("2.3", "return W @ x + b", "return W @ x"),
    ("2.3", "return x @ V + b", "return x @ V + b.T[0, 0]"),
    ("2.4", "s * (1 - s)", "s * (1 - z)"),
    ("2.5", "X @ W_hidden.mT + b_hidden", "X @ W_hidden.mT"),
    ("2.7", "2 * (outputs - y)", "(outputs - y)"),
    ("2.7", "(delta_out @ shifted[2]) * sigmoid_derivative(z_hidden)", "delta_out @ shifted[2]"),
    ("2.7", "2 * (y_hat - y)", "(y_hat - y)"),
    ("2.7", "2 * (y_hat - y) * f_out.derivative(z_out)", "2 * (y_hat - y)"),
    ("2.7", "* f_hidden.derivative(z_hidden)", "* f_hidden.derivative(a_hidden)"),
    ("2.7", "(delta_out @ W_out) * f_hidden.derivative(z_hidden)", "delta_out @ W_out"),
    ("2.7", "delta_hidden.sum(axis=-2, keepdims=True)", "delta_hidden.mean(axis=-2, keepdims=True)"),
    ("2.7", "delta_out.mT @ a_hidden", "delta_out.mT @ z_hidden"),
    ("2.8", "p - learning_rate * g", "p - learning_rate * g / 4"),
    ("2.10", "1.0 * (z > 0)", "1.0 * (z >= 0)"),
    ("2.10", "np.ones_like(z)", "z"),
]


def test_every_check_refuses_a_wrong_answer_when_it_is_graded(quiet, capsys, monkeypatch):
    """Up to ReLU, cell by cell; beside each right answer, wrong ones are tried in a copy of the variables."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    namespace, wrong, refused = {}, [], []
    for question, cell in code_cells(solution_notebook(), (1, 1), (2, 11)):
        for here, old, new in MISTAKES:
            if (
                here == question
                and "BEGIN SOLUTION" in cell.source
                and old in cell.source
                and "show(" not in cell.source
            ):
                variables = namespace.copy()
                with np.errstate(all="ignore"):
                    exec(cell.source.replace(old, new, 1), variables)
                wrong.append(((here, old, new), variables))
        if "check" in tags(cell):
            for mistake, variables in wrong:
                with pytest.raises(AssertionError, match=rf"^{re.escape(question)}[. ]"):
                    exec(cell.source, variables)
                refused.append(mistake)
            wrong = []
        exec(cell.source, namespace)
    assert set(refused) == set(MISTAKES)
    assert "○" not in capsys.readouterr().out


def test_the_default_seed_is_the_handouts():
    assert notebooks.DEFAULT_SEED == 44
