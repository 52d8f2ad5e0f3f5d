"""Runs as a whole: several trainings in one, long ones to their end, what is measured after what was learned."""

import io
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest

from byhand.diagnosis.findings import Facts, Judgement
from byhand.diagnosis.judge import judge
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.running import _is_mended
from byhand.diagnosis.story.running import judged as run
from byhand.diagnosis.tape.run import trace


def traced(source):
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return trace(source)


def judged(source):
    return judge(traced(source))


def told(source):
    """The verdict and what the numbers force, each with its line."""
    found, lines = judged(source), source.splitlines()
    return found.verdict, [(f.id, lines[f.place.line - 1].strip()) for f in found.findings if f.certainty == "exact"]


TWO = """import numpy as np
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (50, 1))
t = 3 * x + 1 + 0.1 * rng.normal(size=(50, 1))
a, b = 0.0, 0.0
for k in range(2000):
    e = a * x + b - t
    a -= 0.2 * np.mean(e * x)
    b -= 0.2 * {slope}
X, Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
W1, b1, W2, b2 = rng.normal(size=(2, 8)), np.zeros(8), rng.normal(size=(8, 1)), np.zeros(1)
for epoch in range(3000):
    h = np.tanh(X @ W1 + b1)
    out = 1 / (1 + np.exp(-(h @ W2 + b2)))
    d2 = (out - Y) * out * (1 - out)
    d1 = (d2 @ W2.T) * {derivative}
    W2 -= 0.5 * h.T @ d2
    b2 -= 0.5 * d2.sum(0)
    W1 -= 0.5 * X.T @ d1
    b1 -= 0.5 * d1.sum(0)
"""


def test_a_second_training_is_judged_however_long_the_first_was():
    right = judged(TWO.format(slope="np.mean(e)", derivative="(1 - h**2)"))
    assert right.verdict == "right"
    trained = [[p.name for p in facts.parameters] for facts in (right.facts, *right.facts.others)]
    assert sorted(map(sorted, trained)) == [["W1", "W2", "b1", "b2"], ["a", "b"]]
    verdict, findings = told(TWO.format(slope="np.mean(e)", derivative="(1 - h)"))
    assert (verdict, findings) == ("wrong", [("derivative-wrong", "d1 = (d2 @ W2.T) * (1 - h)")])
    verdict, findings = told(TWO.format(slope="-np.mean(e)", derivative="(1 - h**2)"))
    assert (verdict, findings[0]) == ("wrong", ("sign-flipped", "b -= 0.2 * -np.mean(e)"))


NESTED = """import numpy as np
rng = np.random.default_rng(1)
X = rng.normal(size=(400, 3))
y = X @ np.array([1.0, 2.0, -1.0])
w = np.zeros(3)
for epoch in range(25):
    total = 0.0
    for i in rng.permutation(400):
        e = X[i] @ w - y[i]
        total += e * e
        w -= 0.0002 * 2 * e * X[i]
    print(total / 400)
"""


def test_of_a_long_training_the_end_is_recorded_and_no_part_of_a_sum_is_told_as_its_loss():
    run = traced(NESTED)
    outer = next(k for k, loop in enumerate(run.tape.loops) if loop.ticks == 25)
    assert max(w.ticks[outer][1] for w in run.tape.windows if outer in w.ticks) == 25
    facts = judge(run).facts
    assert (facts.objective, facts.losses) == ("loss", [])  # each sum of an epoch was recorded in part


@pytest.mark.parametrize("steps", [150, 400])
def test_a_look_ahead_is_followed_however_long_the_velocity_is(steps):
    source = f"""import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(60, 4))
y = X @ rng.normal(size=4) + 0.05 * rng.normal(size=60)
def slope(w):
    return X.T @ (X @ w - y) / 60
w, v = np.zeros(4), np.zeros(4)
for k in range({steps}):
    v = 0.9 * v - 0.05 * slope(w + 0.9 * v)
    w = w + v
"""
    assert told(source) == ("right", [])


FROZEN = """import numpy as np
rng = np.random.default_rng(4)
X = rng.normal(size=(90, 3))
Y = np.sin(X[:, :1])
W1, b1, W2 = rng.normal(size=(3, 10)), {bias}, np.zeros((10, 1))
for k in range(300):
    rows = rng.integers(90, size=16)
    x, y = X[rows], Y[rows]
    h = np.tanh(x @ W1 + b1)
    d = (h @ W2 - y) / 16
    dW1 = x.T @ (d @ W2.T * (1 - h**2)) if {computed} else None
    W2 -= 0.2 * h.T @ d
"""


@pytest.mark.parametrize(
    ("bias", "computed", "told_of"),
    [
        ("rng.normal(size=10)", False, []),  # random features
        ("rng.normal(size=10)", True, ["parameter-never-updated"]),  # its gradient is made, and not used
        ("np.zeros(10)", False, ["parameter-never-updated"]),  # what begins at 0 waits to be learned
    ],
)
def test_what_was_drawn_may_stay_as_it_is_where_nothing_is_learned_before_it(bias, computed, told_of):
    _, findings = told(FROZEN.format(bias=bias, computed=computed))
    assert [id_ for id_, _ in findings] == told_of


ATTENTION = """import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 6, 4))
y = (X[:, 0, 0] > X[:, 1, 1]).astype(float)
Wq, Wk, Wv = (rng.normal(size=(4, 4)) * 0.5 for _ in range(3))
u = rng.normal(size=4) * 0.5
for epoch in range(300):
    q, k, v = X @ Wq, X @ Wk, X @ Wv
    S = np.einsum("nqd,nkd->{s}", q, k) / 2
    A = np.exp(S) / np.exp(S).sum(axis={axis}, keepdims=True)
    h = np.einsum("{s},nkd->nqd", A, v).mean(1)
    d = (1 / (1 + np.exp(-h @ u)) - y) / 40
    dC = np.repeat((d[:, None] * u)[:, None, :], 6, axis=1) / 6
    dA = np.einsum("nqd,nkd->{s}", dC, v)
    dS = A * (dA - (dA * A).sum(axis={axis}, keepdims=True)) / 2
    u -= 0.3 * h.T @ d
    Wv -= 0.3 * np.einsum("ntd,nte->de", X, np.einsum("{s},nqd->nkd", A, dC))
    Wq -= 0.3 * np.einsum("ntd,nte->de", X, np.einsum("{s},nkd->nqd", dS, k))
    Wk -= 0.3 * np.einsum("ntd,nte->de", X, np.einsum("{s},nqd->nkd", dS, q))
"""


@pytest.mark.parametrize(("s", "axis", "is_right"), [("nqk", 2, True), ("nkq", 1, True), ("nqk", 1, False)])
def test_the_shares_of_a_query_add_up_to_one(s, axis, is_right):
    verdict, findings = told(ATTENTION.format(s=s, axis=axis))
    wrong = ("softmax-wrong-axis", f"A = np.exp(S) / np.exp(S).sum(axis={axis}, keepdims=True)")
    assert (wrong in findings) is not is_right
    assert verdict == ("right" if is_right else "wrong")


CUT = """import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(loc=5, scale=3, size=(200, 4))
y = X @ np.array([1.0, 0.5, -1.0, 0.2]) + rng.normal(size=200)
order = rng.permutation(200)
known, later = order[:140], order[140:]
m, s = X[known].mean(0), X[known].std(0)
Z = (X[known] - m) / s
w, b = np.zeros(4), 0.0
for k in range(300):
    e = Z @ w + b - y[known]
    w -= 0.1 * Z.T @ e / 140
    b -= 0.1 * e.mean()
print(np.mean(({inputs} @ w + b - y[{rows}]) ** 2))
"""


@pytest.mark.parametrize(
    ("inputs", "rows", "found"),
    [
        ("((X[later] - m) / s)", "later", []),
        ("((X - m) / s)", ":", []),  # all of them, known or not
        ("X[later]", "later", ["scaled-apart"]),
        ("((X[:60] - m) / s)", ":60", ["held-out-rows-used"]),
    ],
)
def test_what_is_measured_is_scaled_and_cut_as_what_was_learned(inputs, rows, found):
    assert [f.id for f in judged(CUT.format(inputs=inputs, rows=rows)).findings] == found


POOL = """import numpy as np
rng = np.random.default_rng(5)
X = rng.normal(size=(30, 8, 3))
y = X[:, :, 0].max(axis=1)
W, v = rng.normal(size=(3, 4)) * 0.5, rng.normal(size=4) * 0.5
for k in range(200):
    Z = X @ W
    P = Z.reshape(30, 4, 2, 4).max(axis=2)
    G = 1 / (1 + np.exp(-P))
    h = (G * P).mean(axis=1)
    e = (h @ v - y) / 30
    dh = np.repeat((e[:, None] * v)[:, None, :], 4, axis=1) / 4
    dP = dh * {gate} + dh * P * G * (1 - G)
    dZ = (np.repeat(dP, 2, axis=1) * {chosen}).reshape(30, 8, 4)
    v = v - 0.1 * h.T @ e
    W = W - 0.1 * np.einsum("ntd,nth->dh", X, dZ)
"""
CHOSEN = "(Z == np.repeat(P, 2, axis=1))"


@pytest.mark.parametrize(
    ("gate", "chosen", "found"),
    [("G", CHOSEN, []), ("1", CHOSEN, ["mask-missing"]), ("G", "1", ["mask-missing"]), ("G", "0.5", ["mask-missing"])],
)
def test_an_error_goes_back_through_what_was_chosen_and_multiplied(gate, chosen, found):
    verdict, findings = told(POOL.format(gate=gate, chosen=chosen))
    assert [id_ for id_, _ in findings] == found
    assert verdict == ("wrong" if found else "right")


def test_what_is_right_for_the_first_steps_alone_is_not_called_right():
    source = """import numpy as np
rng = np.random.default_rng(0)
X, y, n = rng.normal(size=(90, 3)), np.repeat([0, 1, 2], 30), 90
X[:, :2] += 2.5 * np.array([[1.0, 0], [0, 1], [-1, -1]])[y]
W = 0.01 * rng.normal(size=(3, 3))
for k in range(100):
    scores = X @ W
    margins = scores - scores[np.arange(n), y][:, None] / 2 + 1
    hinge = np.maximum(0, margins)
    hinge[np.arange(n), y] = 0
    print(hinge.sum() / n)
    mask = (margins > 0).astype(float)
    mask[np.arange(n), y] = -1  # half of two: as long as both others are beyond their margin
    W = W - 0.1 * X.T @ mask / n
"""
    assert told(source) == ("inconclusive", [])


def test_numbers_that_are_stepped_one_by_one_share_an_output_that_is_not_old():
    source = """import math, random
random.seed(1)
points = [[random.gauss(0, 1) for _ in range(3)] for _ in range(20)]
goals = [1.0 if p[0] - p[1] > 0 else 0.0 for p in points]
w = [0.1, -0.1, 0.2]
for epoch in range(20):
    for x, t in zip(points, goals):
        p = 1 / (1 + math.exp(-sum(a * b for a, b in zip(w, x))))
        for d in range(3):
            w[d] -= 0.1 * (p - t) * x[d]
"""
    assert told(source) == ("right", [])


def test_units_that_begin_alike_are_told_as_that_where_velocities_step_them():
    source = """import numpy as np
rng = np.random.default_rng(3)
x = rng.choice([0.0, 1.0], size=(100, 2))
y = (x[:, :1] != x[:, 1:]).astype(float)
W, b, v, c = np.zeros((2, 5)), np.zeros(5), np.zeros((5, 1)), np.zeros(1)
kept = [np.zeros_like(p) for p in (W, b, v, c)]
for k in range(1500):
    h = 1 / (1 + np.exp(-(x @ W + b)))
    d = (1 / (1 + np.exp(-(h @ v + c))) - y) / 100
    e = d @ v.T * h * (1 - h)
    for p, m, g in zip((W, b, v, c), kept, (x.T @ e, e.sum(0), h.T @ d, d.sum(0))):
        m *= 0.9
        m -= 0.5 * g
        p += m
"""
    assert [f.id for f in judged(source).findings] == ["symmetric-initialization"]


def test_rows_that_are_added_one_by_one_have_a_rate_that_may_fall():
    source = """import numpy as np
rng = np.random.default_rng(7)
A, B = rng.normal(size=(9, 4)) * 0.1, np.zeros((9, 4))
for k in range(400):
    rate = 0.05 * (1 - k / 500)
    i, rows = rng.integers(9), rng.integers(9, size=5)
    marks = np.array([1.0, 0, 0, 0, 0])
    u, h = B[rows], A[i]
    e = 1 / (1 + np.exp(-u @ h)) - marks
    back = e @ u
    np.add.at(B, rows, -{times} * np.outer(e, h))
    A[i] -= rate * back
"""
    assert told(source.format(times="rate")) == ("right", [])
    assert told(source.format(times="3 * rate"))[0] == "wrong"


def test_a_sum_of_gradients_that_was_set_to_zero_once_is_told_where_that_stands():
    source = """import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = X @ np.array([1.0, -1.0, 0.5])
w, total = np.ones(3), np.ones(3)
def empty():
    total[...] = 0
empty()
for k in range(50):
    total += X.T @ (X @ w - y) / 60
    w -= 0.05 * total
"""
    assert told(source) == ("wrong", [("stale-gradient", "empty()")])


@pytest.mark.parametrize(("end", "learns"), [(0.5, True), (2.0, False), (None, False), (np.inf, False)])
def test_outputs_are_made_otherwise_only_where_that_learns_more(end, learns):
    before, after = (Judgement("right", facts=Facts(objective="loss", loss_end=loss)) for loss in (1.0, end))
    assert _is_mended(before, after, learns=True) is learns
    assert _is_mended(before, after)


@pytest.mark.parametrize(("at", "loss", "mended"), [(0, 3.0, True), (0, 2.9, False), (8, 2.9, True)])
def test_a_mend_of_the_way_back_leaves_the_loss_before_any_step(at, loss, mended):
    facts = (Facts(objective="loss", losses=[first], steps=[at]) for first in (3.0, loss))
    before, after = (Judgement("right", facts=f) for f in facts)
    assert _is_mended(before, after) is mended


LATER = """import numpy as np
rng = np.random.default_rng({seed})
X = rng.normal(size=(60, 3))
y = np.sin(X @ np.array([1.0, -2.0, 0.5]))[:, None]
W1, b1, W2, b2 = rng.normal(size=(3, 8)), np.zeros(8), rng.normal(size=(8, 1)) * 0.3, np.zeros(1)
for epoch in range(2000):
    h = np.tanh(X @ W1 + b1)
    d2 = 2 * (h @ W2 + b2 - y) / 60
    slope = 1 - h**2 if epoch < {until} else 1 - h
    d1 = d2 @ W2.T * slope
    W2 -= 0.05 * h.T @ d2
    b2 -= 0.05 * d2.sum(0)
    W1 -= 0.05 * X.T @ d1
    b1 -= 0.05 * d1.sum(0)
"""


@pytest.mark.parametrize("seed", range(3))
def test_what_goes_wrong_later_is_not_called_right(seed):
    assert told(LATER.format(seed=seed, until=2000)) == ("right", [])
    verdict, findings = told(LATER.format(seed=seed, until=700))
    assert verdict in ("wrong", "inconclusive")
    assert all(line.startswith(("slope = ", "d1 = ")) for _, line in findings)


def test_a_step_of_time_that_is_left_out_is_told_at_its_loop():
    source = """import numpy as np
rng = np.random.default_rng(0)
xs, ts = rng.normal(size=(40, 5)), rng.integers(2, size=40)
U, W, b, v = rng.normal(size=4), rng.normal(size=(4, 4)) * 0.4, np.zeros(4), rng.normal(size=4)
for epoch in range(20):
    for x, t in zip(xs, ts):
        h = [np.zeros(4)]
        for k in range(5):
            h.append(np.tanh(U * x[k] + W @ h[k] + b))
        d = 1 / (1 + np.exp(-v @ h[-1])) - t
        dh, gU, gW, gb = d * v, np.zeros(4), np.zeros((4, 4)), np.zeros(4)
        for k in range(4, {end}, -1):
            a = dh * (1 - h[k + 1] ** 2)
            gU, gW, gb = gU + a * x[k], gW + np.outer(a, h[k]), gb + a
            dh = W.T @ a
        for p, g in ((U, gU), (W, gW), (b, gb), (v, d * h[-1])):
            p -= 0.1 * g
"""
    assert told(source.format(end=-1)) == ("right", [])
    assert told(source.format(end=0)) == ("wrong", [("way-left-out", "for k in range(4, 0, -1):")])


def test_labels_are_followed_through_a_column_of_ones_and_classes_written_several_times():
    source = """import numpy as np
rng = np.random.default_rng(3)
y = np.repeat(np.arange(3), 40)
x = np.array([[0.0, 3], [3, -1], [-3, -1]])[y] + rng.normal(size=(120, 2))
order, other = rng.permutation(120), rng.permutation(120)
x, y = np.c_[x[order], np.ones(120)], y[{by}]
W = np.zeros((3, 3))
for k in range(200):
    p = np.exp(x @ W)
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(120), y] -= 1
    W -= 0.1 * x.T @ p / 120
"""
    assert told(source.format(by="order")) == ("right", [])
    verdict, findings = told(source.format(by="other"))
    assert (verdict, findings[0][0]) == ("wrong", "label-shuffle-mismatch")


@pytest.mark.parametrize("times", [1, 12])
def test_of_a_training_whose_end_was_not_recorded_nobody_says_that_it_learned_little(times):
    source = f"""import math, random
random.seed(2)
points = [[random.gauss(0, 1) for _ in range(6)] for _ in range({100 * times})]
goals = [p[0] - 2 * p[1] + 0.5 * p[2] for p in points]
w = [0.0] * 6
for epoch in range(40):
    g, loss = [0.0] * 6, 0.0
    for x, t in zip(points, goals):
        e = sum(a * b for a, b in zip(w, x)) - t
        loss += e * e / len(points)
        for d in range(6):
            g[d] += 2 * e * x[d] / len(points)
    for d in range(6):
        w[d] -= 0.05 * g[d]
    print(loss)
"""
    with redirect_stdout(io.StringIO()):
        answer = run(Program("script.py", source, {})).judgement
    assert (answer.verdict, answer.guesses, answer.findings) == ("right", [], [])


def test_a_mistake_in_one_gradient_is_that_of_the_odd_one_where_a_sum_is_shown():
    source = """import numpy as np
rng = np.random.default_rng(8)
X = rng.normal(size=(200, 3))
y = (X @ np.array([1.0, -1.0, 0.5]) > 0).astype(float)
W, b, v, c = rng.normal(size=(3, 5)), np.zeros(5), rng.normal(size=5), 0.0
for epoch in range(20):
    total = 0.0
    for s in range(0, 200, 40):
        x, t = X[s : s + 40], y[s : s + 40]
        h = np.tanh(x @ W + b)
        p = 1 / (1 + np.exp(-(h @ v + c)))
        total += -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p))
        d = p - t
        e = np.outer(d, v) * (1 - h**2)
        gv, gc, gb = h.T @ d / 40, d.mean(), e.mean(axis=0)
        gW = x.T @ e
        v, c, b = v - 0.3 * gv, c - 0.3 * gc, b - 0.3 * gb
        W = W - 0.3 * gW
    print(total / 200)
"""
    verdict, findings = told(source)
    assert (verdict, [id_ for id_, _ in findings]) == ("wrong", ["sum-versus-mean"])
    assert "W" in findings[0][1]


@pytest.mark.parametrize(
    ("step", "verdict"),
    [
        ("y[beyond] @ x[beyond]", "right"),
        ("(y * beyond) @ x", "right"),
        ("y @ x", "inconclusive"),  # of all rows, on whichever side of the margin
    ],
)
def test_of_a_batch_the_rows_beyond_a_margin_make_the_step(step, verdict):
    source = f"""import numpy as np
rng = np.random.default_rng(6)
y = rng.choice([-1.0, 1.0], 200)
X = rng.normal(size=(200, 3)) + y[:, None] * np.array([1.0, -0.5, 0.2])
w = np.zeros(3)
for t in range(1, 300):
    rows = rng.integers(200, size=8)
    x, y_ = X[rows], y[rows]
    beyond = y_ * (x @ w) < 1
    rate = 1 / (0.1 * (t + 20))
    w = (1 - rate * 0.1) * w + rate / 8 * ({step.replace("y", "y_").replace("bey_ond", "beyond")})
"""
    assert told(source) == (verdict, [])


COUNTS = """import math, random
random.seed(64)
xs = [random.uniform(-1, 1) for _ in range(30)]
ys = [float({target}) for x in xs]
w = 0.0
for k in range(300):
    slope = 0.0
    for x, y in zip(xs, ys):
        error = {output} - y
        slope += error * x
    w -= 0.1 * slope / 30
    if k % 100 == 0:
        print({loss})
"""
POISSON = {"target": "int(math.exp(1 + 0.8 * x) + random.random())", "output": "math.exp(w * x)"}
SQUARES = "sum((1 / (1 + math.exp(-w * x)) - y) ** 2 for x, y in zip(xs, ys))"


@pytest.mark.parametrize("share", ["", " / 30"])
def test_a_loss_shown_too_seldom_may_say_the_same_as_the_steps(share):
    loss = "sum(math.exp(w * x) - y * w * x for x, y in zip(xs, ys))" + share
    assert judged(COUNTS.format(loss=loss, **POISSON)).verdict == "right"


def test_a_loss_shown_too_seldom_contradicts_no_steps():
    found = judged(COUNTS.format(target="x > 0", output="1 / (1 + math.exp(-w * x))", loss=SQUARES))
    assert (found.verdict, found.findings) == ("inconclusive", [])


LISTED = """import math, random
random.seed(3)
rows = [{"x": random.uniform(-1, 1), "z": random.uniform(-1, 1)} for _ in range(12)]
for row in rows:
    row["n"] = float(int(math.exp(1 + row["x"]) + random.random()))
model = {"x": 0.0, "z": 0.0, "base": 0.0}
def mean(row):
    return math.exp(model["base"] + model["x"] * row["x"] + model["z"] * row["z"])
for k in range(40):
    slopes = {"x": 0.0, "z": 0.0, "base": 0.0}
    for row in rows:
        error = mean(row) - row["n"]
        slopes["x"] += error * row["x"]
        slopes["z"] += error * row["z"]
        slopes["base"] += error
    for name in %s:
        model[name] -= 0.1 * slopes[name] / len(rows)
    print(sum(mean(row) - row["n"] * math.log(mean(row)) for row in rows))
"""


def test_what_never_changes_is_seen_where_a_loss_calls_the_model_anew():
    assert judged(LISTED % '("x", "z", "base")').verdict == "right"
    verdict, findings = told(LISTED % '("x", "z")')
    assert (verdict, [id_ for id_, _ in findings]) == ("wrong", ["parameter-never-updated"])


SPLIT = """import numpy as np
rng = np.random.default_rng(7)
x = rng.uniform(-1, 1, 120)
y = 0.5 - 1.2 * x + 2 * x**3 + rng.normal(0, 0.1, 120)
F = np.stack([x, x**2, x**3], axis=1)
train, held, y_train, y_held = F[:90], F[90:], y[:90], y[90:]
params = {"c": np.zeros(3), "bias": np.zeros(1)}
for k in range(200):
    r = train @ params["c"] + params["bias"] - y_train
    grads = {"c": 2 * train.T @ r / 90, "bias": 2 * r.mean(keepdims=True)}
    for name in params:
        params[name] -= 0.1 * grads[name]
    if k % 50 == 0:
        print(np.mean(r**2), np.mean((held @ params["c"] + params["bias"] - y_held) ** 2))
"""


def test_a_loop_over_two_parameters_is_none_over_two_batches():
    assert told(SPLIT) == ("right", [])
    batches = SPLIT.replace("for k in range(200):", "for k in range(200):\n  for start in (0, 90):")
    assert ("one-sample-only", "train, held, y_train, y_held = F[:90], F[90:], y[:90], y[90:]") in told(batches)[1]


FOLDS = """import numpy as np
rng = np.random.default_rng({seed})
X = rng.normal(size=(60, 8))
y = X[:, :2] @ np.array([1.0, -2.0]) + rng.normal(0, 1, 60)
folds = np.array_split({order}, 4)
for f in range(4):
    rows = np.concatenate([folds[j] for j in range(4){kept_out}])
    w = np.zeros(8)
    for k in range(60):
        w -= 0.1 * X[rows].T @ (X[rows] @ w - y[rows]) / len(rows)
    print(np.mean((X[folds[f]] @ w - y[folds[f]]) ** 2))
"""


@pytest.mark.parametrize("order", ["rng.permutation(60)", "np.arange(60)"])
@pytest.mark.parametrize("seed", [0, 5])
def test_folds_that_each_training_has_learned_from_are_told(order, seed):
    assert told(FOLDS.format(seed=seed, order=order, kept_out=" if j != f")) == ("right", [])
    verdict, findings = told(FOLDS.format(seed=seed, order=order, kept_out=""))
    assert verdict == "wrong"
    assert findings == [("held-out-rows-used", "rows = np.concatenate([folds[j] for j in range(4)])")]


CHOSEN = """import numpy as np
rng = np.random.default_rng(19)
X = rng.normal(size=(120, 300))
y = (X[:, :3].sum(1) + rng.normal(0, 2, 120) > 0).astype(float)
order = rng.permutation(120)
train, test = order[:80], order[80:]
share = (X[{rows}] - X[{rows}].mean(0)).T @ (y[{rows}] - y[{rows}].mean())
cols = np.argsort(-np.abs(share))[:10]
Z = X[:, cols]
w, b = np.zeros(10), 0.0
for k in range(150):
    error = 1 / (1 + np.exp(-(Z[train] @ w + b))) - y[train]
    w -= 0.1 * Z[train].T @ error / 80
    b -= 0.1 * error.mean()
for part in (train, test):
    print(np.mean((Z[part] @ w + b > 0) == y[part]))
"""


def test_columns_chosen_by_all_labels_are_told_where_both_parts_are_measured_in_one_line():
    assert told(CHOSEN.format(rows="train"))[0] == "right"
    assert told(CHOSEN.format(rows=":")) == ("wrong", [("held-out-rows-used", "Z = X[:, cols]")])


DECAYED = """import numpy as np
rng = np.random.default_rng(5)
X = rng.normal(size=(110, 4))
y = np.digitize(X @ np.array([1.0, -1.0, 0.5, 2.0]), [-1, 1])
W, rate = np.zeros((4, 3)), 0.5
for epoch in range(60):
    rate = {rate}
    P = np.exp(X @ W)
    P /= P.sum(axis=1, keepdims=True)
    W -= rate * X.T @ (P - np.eye(3)[y]) / 110
print(W)
"""


def test_a_rate_that_vanishes_is_told_though_all_steps_were_recorded():
    def ids(rate):
        return [f.id for f in judged(DECAYED.format(rate=rate)).findings]

    assert ids("rate * 0.95 ** epoch") == ["learning-rate-vanishes"]
    assert ids("0.5 * 0.95 ** epoch") == []
