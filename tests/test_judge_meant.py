"""What steps are meant for where no loss says it, or one that is shown elsewhere; numbers that they are scaled by."""

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from byhand.diagnosis.judge import judge
from byhand.diagnosis.judge.convex import convex
from byhand.diagnosis.judge.roles import find_roles
from byhand.diagnosis.judge.windows import stretches
from byhand.diagnosis.tape.run import trace

LINE = """import numpy as np
rng = np.random.default_rng({seed})
X = rng.normal(size=(60, 3))
y = X @ np.array([1.0, -2.0, 0.5]) + rng.normal(0, 0.5, 60)
w, b = np.zeros(3), 0.0
for k in range(200):
    error = X @ w + b - y
    g = {slope}
    w -= 0.1 * X.T @ g / 60
    b -= 0.1 * g.sum() / 60
"""
BANDIT = """import numpy as np
rng = np.random.default_rng({seed})
means = np.array([0.2, 1.0, 0.6])
theta = np.zeros(3)
usual = 0.0
for k in range(300):
    p = np.exp(theta) / np.exp(theta).sum()
    a = {action}
    r = means[a] + rng.normal()
    target = np.zeros(3)
    target[a] = 1.0
    theta {step}
    usual += 0.1 * (r - usual)
"""
DRAWN = "rng.choice(3, p=p)"
RIDGE = """import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(50, 4))
y = X @ np.array([1.0, 0.0, 2.0, 0.0])
w = np.ones(4)
for k in range(120):
    w = w - 0.05 / (1 + k / 50) * (X.T @ (X @ w - y) / 50 + {taken})
    if k % 40 == 0:
        print(np.mean((X @ w - y) ** 2) / 2 + {shown})
"""
CLIPPED = """import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(40, 4))
y = 5 * X @ rng.normal(size=4)
w = np.zeros(4)
for k in range(400):
    g = 2 * X.T @ (X @ w - y) / 40
    n = np.linalg.norm(g)
    if n > 2.0:
        g = {clipped}
    w = w - 0.05 * g
    print(np.mean((X @ w - y) ** 2))
"""


def traced(source):
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return trace(source)


def told(source):
    """The verdict, and what is named, each with its line."""
    verdict, findings = judged(source)
    return verdict, [(id_, source.splitlines()[line - 1].strip()) for id_, line in findings]


def judged(source):
    judgement = judge(traced(source))
    return judgement.verdict, [(f.id, f.place.line) for f in judgement.findings]


SLOPES = {"np.sign(error)": 1, "np.clip(error, -0.5, 0.5)": 1, "np.where(error > 0, 0.2, -0.8)": 1, "np.tanh(error)": 1}


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("seed", [0, 1])
def test_what_grows_with_the_error_is_the_slope_of_a_loss(slope, seed):
    assert judged(LINE.format(slope=slope, seed=seed)) == ("right", [])


@pytest.mark.parametrize("slope", ["np.abs(error)", "error**2", "np.cos(error)"])
def test_what_does_not_is_none(slope):
    assert judged(LINE.format(slope=slope, seed=0))[0] == "inconclusive"


def test_a_slope_turned_round_goes_up():
    assert judged(LINE.format(slope="np.sign(-error)", seed=0)) == ("wrong", [("sign-flipped", 9)])


@pytest.mark.parametrize(
    ("slope", "found"), [("np.sign(error)", True), ("2 * error", False), ("error / (k + 1)", False)]
)
def test_a_multiple_of_the_error_and_a_rate_that_falls_are_no_slopes_of_their_own(slope, found):
    first = next(iter(stretches(traced(LINE.format(slope=slope, seed=0)).tape)))
    slopes = convex(find_roles(first))
    assert bool(slopes) == found
    for output, sign in slopes.values():
        assert (first.nodes[output].value.shape, sign) == ((60,), 1.0)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("step", "right"),
    [
        ("+= 0.1 * (r - usual) * (target - p)", True),
        ("-= 0.1 * (usual - r) * (target - p)", True),
        ("-= 0.1 * (r - usual) * (p - target)", True),
        ("+= 0.1 * (r - usual) * (p - target)", False),
        ("-= 0.1 * (r - usual) * (target - p)", False),
    ],
)
def test_what_was_drawn_becomes_likelier_the_better_it_was(seed, step, right):
    verdict, found = judged(BANDIT.format(seed=seed, action=DRAWN, step=step))
    assert (verdict, found) == (("right", []) if right else ("wrong", [("sign-flipped", 12)]))


def test_a_factor_of_the_error_is_a_reward_only_where_the_target_was_drawn_from_the_output():
    source = BANDIT.format(seed=0, action="k % 3", step="+= 0.1 * (r - usual) * (target - p)")
    assert not any(find_roles(s).rewards for s in stretches(traced(source).tape))
    source = source.replace("k % 3", DRAWN)
    roles = find_roles(next(iter(stretches(traced(source).tape))))
    rewards = [float(value) for value in roles.rewards.values()]
    assert len(rewards) > 10
    assert min(rewards) < 0 < max(rewards)


@pytest.mark.parametrize(
    ("taken", "shown", "right"),
    [
        ("0.1 * w", "0.05 * np.sum(w**2)", True),
        ("0.1 * np.sign(w)", "0.1 * np.sum(np.abs(w))", True),
        ("0.1 * w", "0.1 * np.sum(np.abs(w))", False),
        ("0.0", "0.05 * np.sum(w**2)", False),
    ],
)
def test_the_penalty_that_is_shown_is_that_of_the_steps(taken, shown, right):
    verdict, found = judged(RIDGE.format(taken=taken, shown=shown))
    assert verdict == ("right" if right else "wrong")
    assert [id_ for id_, _ in found] == ([] if right else ["penalty-gradient-wrong"])


def test_a_size_that_is_shown_by_itself_is_no_penalty():
    source = RIDGE.format(taken="0.1 * w", shown="0.0")
    assert judged(source + "        print(np.sum(np.abs(w)))\n") == ("right", [])


@pytest.mark.parametrize("clipped", ["g * 2.0 / n", "g / n * 2.0", "2.0 / n * g", "g / n * min(n, 2.0)"])
def test_what_makes_long_gradients_shorter_is_right(clipped):
    assert judged(CLIPPED.format(clipped=clipped)) == ("right", [])


@pytest.mark.parametrize("clipped", ["g * n / 2.0", "g * (n / 2.0)", "g / (2.0 / n)"])
def test_what_makes_them_longer_is_told_at_its_line(clipped):
    assert ("clipping-turned-round", 10) in judged(CLIPPED.format(clipped=clipped))[1]


def test_a_branch_may_be_decided_by_a_name():
    source = """import numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(40, 3))
side = np.sign(x @ np.array([1.0, -1.0, 0.5]))
w = np.zeros(3)
for epoch in range(20):
    for i in range(40):
        inside = side[i] * (x[i] @ w) < 1
        w = w * 0.99
        if inside:
            w = w + 0.1 * side[i] * x[i]
"""
    assert judged(source) == ("right", [])


QUANTILE = """import numpy as np
rng = np.random.default_rng({seed})
x = rng.uniform(0, 5, 120)
y = 1 + 2 * x + rng.normal(0, 0.3 + 0.4 * x)
A = np.c_[np.ones(120), x]
def pinball(theta, tau):
    r = y - A @ theta
    return np.mean(np.maximum(tau * r, (tau - 1) * r))
def fit(tau):
    theta = np.zeros(2)
    for s in range(60):
        r = y - A @ theta
        g = np.where(r > 0, {above}, {below})
        theta -= 0.1 / (1 + 0.01 * s) * A.T @ g / len(y)
        {during}
    return theta
for tau in (0.1, 0.5, 0.9):
    theta = fit(tau)
    print({after})
"""


@pytest.mark.parametrize(("during", "after"), [("print(pinball(theta, tau))", "theta"), ("", "pinball(theta, tau)")])
@pytest.mark.parametrize("seed", [0, 4])
def test_a_quantile_whose_sides_are_exchanged_is_told_where_its_slope_is_made(during, after, seed):
    right = QUANTILE.format(seed=seed, above="-tau", below="1 - tau", during=during, after=after)
    assert told(right) == ("right", [])
    wrong = QUANTILE.format(seed=seed, above="tau - 1", below="tau", during=during, after=after)
    verdict, findings = told(wrong)
    assert verdict == "wrong"
    assert findings[0] == ("delta-wrong", "g = np.where(r > 0, tau - 1, tau)")


def test_quantiles_that_are_shown_beside_the_one_that_is_fitted_contradict_nothing():
    after = "[pinball(theta, t) for t in (0.1, 0.5, 0.9)]"
    assert told(QUANTILE.format(seed=1, above="-tau", below="1 - tau", during="", after=after)) == ("right", [])


CODES = """import numpy as np
rng = np.random.default_rng(2)
data = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 3))
W, V = 0.3 * rng.normal(size=(3, 2)), 0.3 * rng.normal(size=(2, 3))
for k in range(80):
    x = data[rng.integers(0, 200, 32)]
    code = x @ W
    out = code @ V
    error, length = np.sum((out - x) ** 2) / 32, np.sum(code ** 2) / 32
    d = 2 * (out - x) / 32
    W -= 0.02 * x.T @ (d @ V.T + {share} * 2 * code / 32)
    V -= 0.02 * code.T @ d
    if k % 20 == 0:
        print(error, length)
"""


def test_a_part_of_a_loss_may_count_less_than_another():
    assert told(CODES.format(share=0.05)) == ("right", [])
    assert told(CODES.format(share=-0.05))[0] != "right"
    assert told(CODES.replace("2 * code", "3 * code ** 3").format(share=0.05))[0] != "right"


HUBER = """import numpy as np
rng = np.random.default_rng(11)
X = rng.normal(size=(300, 4))
y = X @ np.array([1.5, -2.0, 0.7, 3.0]) + 0.3 + rng.normal(0, 2, 300)
w, b = np.zeros(4), 0.0
sums = [np.zeros(4), 0.0]
for k in range(60):
    r = X @ w + b - y
    small = np.abs(r) <= 1
    loss = np.mean(np.where(small, r**2 / 2, np.abs(r) - 0.5))
    g = np.where(small, r, {far}) / 300
    slopes = X.T @ g, g.sum()
    sums = [s + slope**2 for s, slope in zip(sums, slopes)]
    w -= 0.5 * slopes[0] / (np.sqrt(sums[0]) + 1e-8)
    b -= 0.5 * slopes[1] / (np.sqrt(sums[1]) + 1e-8)
    if k % 20 == 0:
        print(loss)
"""


def test_a_sign_that_is_missing_is_told_where_an_optimizer_steps_a_number_too():
    assert told(HUBER.format(far="np.sign(r)")) == ("right", [])
    verdict, findings = told(HUBER.format(far="1"))
    assert (verdict, findings[0]) == ("wrong", ("output-derivative-missing", "g = np.where(small, r, 1) / 300"))


GAME = """import numpy as np
rng = np.random.default_rng({seed})
sigmoid = lambda u: 1 / (1 + np.exp(-u))
a, c, k = 1.0, 0.0, np.zeros(3)
def features(x):
    return np.stack([np.ones_like(x), x, x**2 / 3])
for turn in range(120):
    real, fake = rng.normal(2, 0.7, 64), a * rng.normal(size=64) + c
    of_real, of_fake = k @ features(real), k @ features(fake)
    finder = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    k = k - 0.1 * (features(real) @ (sigmoid(of_real) - 1) + features(fake) @ {found}) / 64
    z = rng.normal(size=64)
    x = a * z + c
    u = k @ features(x)
    maker = np.mean(np.logaddexp(0, -u))
    dx = {made} / 64 * (k[1] + 2 * k[2] * x / 3)
    a, c = a - 0.02 * dx @ z, c - 0.02 * dx.sum()
    if turn % 20 == 0:
        print(turn, finder, maker)
"""


@pytest.mark.parametrize("seed", [3, 8])
def test_of_a_game_each_side_follows_its_own_loss(seed):
    assert told(GAME.format(seed=seed, found="sigmoid(of_fake)", made="(sigmoid(u) - 1)")) == ("right", [])


@pytest.mark.parametrize(
    ("found", "made"),
    [
        ("sigmoid(of_fake)", "(1 - sigmoid(u))"),
        ("sigmoid(of_fake)", "sigmoid(u) * (1 - sigmoid(u))"),
        ("(sigmoid(of_fake) - 1)", "(sigmoid(u) - 1)"),
    ],
)
def test_a_side_of_a_game_that_plays_for_the_other_is_not_right(found, made):
    assert told(GAME.format(seed=3, found=found, made=made))[0] != "right"


PEGASOS = """import numpy as np
rng = np.random.default_rng({seed})
X = np.c_[rng.normal(size=(70, 3)), np.ones(70)]
y = np.where(X @ np.array([1.0, -1.0, 0.5, 0.2]) + 0.5 * rng.normal(size=70) > 0, 1, -1)
w, mean, t = np.zeros(4), np.zeros(4), 0
for epoch in range(8):
    for i in rng.permutation(70):
        t += 1
        rate = 1 / (0.05 * t)
        margin = y[i] * (w @ X[i])
        w *= 1 - 0.05 * rate
        if margin < 1:
            w {sign}= rate * y[i] * X[i]
        mean += (w - mean) / t
    print(epoch, np.maximum(0, 1 - y * (X @ w)).mean() + 0.05 / 2 * w @ w, np.mean(np.sign(X @ mean) == y))
"""


@pytest.mark.parametrize("seed", [0, 2])
def test_the_mean_of_a_parameter_is_nothing_that_is_learned_beside_it(seed):
    assert told(PEGASOS.format(seed=seed, sign="+"))[0] == "right"
    assert told(PEGASOS.format(seed=seed, sign="-"))[0] != "right"
