"""What the flow of the numbers says about the data: each mistake at its line, and nothing of what looks like one."""

import numpy as np
import pytest

from byhand.diagnosis.judge import judge
from byhand.diagnosis.judge.origins import MIXED, NEUTRAL, Origins, row_of, rows_in
from byhand.diagnosis.tape.run import trace

IDS = {
    "broadcast-error-matrix", "metric-wrong", "label-leak", "label-shuffle-mismatch", "input-mutated", "seed-in-loop",
    "integer-parameters", "softmax-wrong-axis", "one-sample-only", "loss-on-other-data", "forward-returns-z",
    "sigmoid-falling", "start-changed", "scaled-apart", "batches-overlap", "held-out-rows-used", "class-left-out",
}  # fmt: skip

DATA = """import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = X @ np.array([1.0, 2.0, -1.0]) + 0.1 * rng.normal(size=60)
w, b = np.zeros(3), 0.0
"""
LINEAR = """for epoch in range(40):
    err = X @ w + b - y
    w = w - 0.1 * X.T @ err / 60
    b = b - 0.1 * err.mean()
    print(np.mean(err ** 2))
"""
BATCHES = """for epoch in range(20):
    for start in range(0, 60, 15):
        i = rng.permutation(60)[:15]
        err = X[i] @ w + b - y[i]
        w = w - 0.1 * X[i].T @ err / 15
        b = b - 0.1 * err.mean()
    print(np.mean(err ** 2))
"""
CLASSES = """Y = np.eye(2)[(y > 0).astype(int)]
W = 0.1 * rng.normal(size=(3, 2))
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
for epoch in range(30):
    P = softmax(X @ W)
    W = W - 0.3 * X.T @ (P - Y) / 60
    print(-np.mean(np.sum(Y * np.log(P), axis=1)), np.mean(P.argmax(1) == Y.argmax(1)))
"""
IN_PLACE = """c = (y > 0).astype(int)
W = 0.1 * rng.normal(size=(3, 2))
for epoch in range(30):
    e = np.exp(X @ W)
    P = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(P[range(60), c]))
    D = P
    D[range(60), c] -= 1
    D /= 60
    W = W - 0.3 * X.T @ D
    print(loss, np.mean(P.argmax(1) == c))
"""
HELD_OUT = """def fit(w, b, X, y, size=None):
    for _ in range(60):
        i = rng.permutation(len(X))[:size]
        err = X[i] @ w + b - y[i]
        w = w - 0.1 * X[i].T @ err / len(i)
        b = b - 0.1 * err.mean()
    return w, b
def error(w, b, X, y):
    return np.mean((X @ w + b - y) ** 2)
p = rng.permutation(60)
seen, unseen = p[:40], p[40:]
w, b = fit(w, b, X[seen], y[seen])
print(error(w, b, X[seen], y[seen]))
print(error(w, b, X[unseen], y[unseen]))
"""
ALL_ROWS = HELD_OUT.replace("fit(w, b, X[seen], y[seen])", "fit(w, b, X, y)")
FOLDS = (
    HELD_OUT.partition("seen, unseen")[0]
    + """for k in range(3):
    held = p[k::3]
    rest = np.setdiff1d(p, held)
    w, b = fit(np.zeros(3), 0.0, X[rest], y[rest])
    print(error(w, b, X[held], y[held]))
"""
)
CHOSEN = HELD_OUT.replace(
    "w, b = fit(w, b,",
    """X = X[:, np.argsort(-np.abs(X[seen].T @ y[seen]))[:2]]
w, b = fit(np.zeros(2), b,""",
)
SCALED = HELD_OUT.replace(
    "w, b = fit(w, b, X[seen], y[seen])",
    "mid, wide = y[seen].mean(), y[seen].std(); w, b = fit(w, b, X[seen], (y[seen] - mid) / wide)",
).replace("X @ w + b - y) **", "(X @ w + b) * wide + mid - y) **")
SIDES = """side = np.where(y > 0, 1, -1)
for epoch in range(40):
    err = X[:40] @ w + b - side[:40]
    w = w - 0.1 * X[:40].T @ err / 40
    b = b - 0.1 * err.mean()
print(np.mean(((X[40:] @ w + b > 0).astype(int) == side[40:])))
"""
HIDDEN = """def sigmoid(z):
    return 1 / (1 + np.exp(-z))
t = (y > 0).astype(float)[:, None]
V, U = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
for epoch in range(30):
    z1 = X @ V
    h = sigmoid(z1)
    z2 = h @ U
    out = sigmoid(z2)
    d2 = (out - t) / 60
    d1 = d2 @ U.T * h * (1 - h)
    U = U - 0.3 * h.T @ d2
    V = V - 0.3 * X.T @ d1
    print(-np.mean(t * np.log(out) + (1 - t) * np.log(1 - out)))
"""

COLUMNS = """c = (y > 0).astype(int)
X, Y = X.T, np.eye(2)[:, c]
W = 0.1 * rng.normal(size=(2, 3))
for epoch in range(10):
    p = rng.permutation(60)
    U = X[:, p]
    V = Y[:, p]
    for k in range(0, 60, 15):
        e = np.exp(W @ U[:, k : k + 15])
        P = e / e.sum(axis=0)
        W = W - 0.3 * (P - V[:, k : k + 15]) @ U[:, k : k + 15].T / 15
    print(-np.mean(np.sum(V[:, k : k + 15] * np.log(P), axis=0)))
"""
APART = """train, test = 5 + 3 * X[:40], 6 + 2 * X[40:]
train = (train - train.mean(axis=0)) / train.std(axis=0)
test = (test - test.mean(axis=0)) / test.std(axis=0)
for epoch in range(40):
    err = train @ w + b - y[:40]
    w = w - 0.1 * train.T @ err / 40
    b = b - 0.1 * err.mean()
    print(np.mean(err ** 2))
print(np.mean((test @ w + b - y[40:]) ** 2))
"""


def findings(source):
    """The findings of these rules in a program: id and line."""
    return [(f.id, f.place.line) for f in judge(trace(source)).findings if f.id in IDS]


WRONG = {
    "all inputs shuffled": (DATA + "rng.shuffle(X)\n" + LINEAR, "label-shuffle-mismatch", 6),
    "two permutations": (
        DATA + "X = X[rng.permutation(60)]\ny = y[rng.permutation(60)]\n" + BATCHES, "label-shuffle-mismatch", 7),
    "targets not permuted": (DATA + BATCHES.replace("- y[i]", "- y[:15]"), "label-shuffle-mismatch", 9),
    "one-hot apart": (
        DATA + CLASSES.replace("W = 0.1", "X = X[::-1][rng.permutation(60)]; W = 0.1", 1), "label-shuffle-mismatch", 7),
    "loss of other rows": (
        DATA
        + BATCHES.replace("np.mean(err ** 2)", "np.mean((X[i] @ w + b - y[:15]) ** 2)").replace("    pr", "        pr"),
        "loss-on-other-data", 12),
    "target joined": (
        DATA + "X = np.column_stack([X, y]); w = np.zeros(4)\n" + BATCHES, "label-leak", 6),
    "target is a column": (DATA + "y = X[:, 2]\n" + LINEAR, "label-leak", 6),
    "target standardised among inputs": (
        DATA + "X = np.c_[X, y]\nX = (X - X.mean(0)) / X.std(0); w = np.zeros(4)\n" + LINEAR, "label-leak", 6),
    "learned from all rows": (DATA + ALL_ROWS, "held-out-rows-used", 17),
    "learned from all rows, in batches": (
        DATA + ALL_ROWS.replace("fit(w, b, X, y)", "fit(w, b, X, y, 30)"), "held-out-rows-used", 17),
    "one model through all folds": (DATA + FOLDS.replace("np.zeros(3), 0.0", "w, b"), "held-out-rows-used", 19),
    "columns chosen with all labels": (
        DATA + CHOSEN.replace("X[seen].T @ y[seen]", "X.T @ y"), "held-out-rows-used", 17),
    "not brought back to its scale": (DATA + SCALED.replace(" * wide + mid", " * wide"), "metric-wrong", 14),
    "brought back in the wrong order": (
        DATA + SCALED.replace("b) * wide + mid", "b + mid) * wide"), "metric-wrong", 14),
    "answers 0 and 1 against labels of -1 and 1": (DATA + SIDES, "metric-wrong", 11),
    "one sample": (
        DATA + BATCHES.replace("rng.permutation(60)[:15]", "0").replace(".T @ err", " * err"),
        "one-sample-only", 9),
    "inputs shrink": (DATA + LINEAR.replace("    err =", "    X *= 0.9\n    err =", 1), "input-mutated", 7),
    "inputs shrink by parts": (
        DATA + BATCHES.replace("        err =", "        X[i] = X[i] / 2\n        err =", 1), "input-mutated", 9),
    "the start of a second training": (
        DATA
        + "def train(w, b, rate):\n    for epoch in range(20):\n        err = X @ w + b - y\n"
        + "        w -= rate * X.T @ err / 60\n        b -= rate * err.mean()\n    print(np.mean(err ** 2))\n"
        + "for rate in (0.05, 0.1):\n    train(w, 0.0, rate)\n",
        "start-changed", 9),
    "whole numbers": (
        DATA.replace("w, b = np.zeros(3), 0.0", "b = 0.0\nw = np.array([3, 1, 0])")
        + LINEAR.replace("w = w -", "w[:] = w -"), "integer-parameters", 6),
    "seed in the loop": (
        DATA + BATCHES.replace("        i =", "        rng = np.random.default_rng(7)\n        i =", 1),
        "seed-in-loop", 8),
    "old seed in a function": (
        DATA + "def rows():\n    np.random.seed(3)\n    return np.random.permutation(60)[:15]\n"
        + BATCHES.replace("rng.permutation(60)[:15]", "rows()"), "seed-in-loop", 7),
    "a column against a flat target": (
        DATA + LINEAR.replace("X @ w + b - y", "(X @ w + b)[:, None] - y").replace("X.T @ err / 60", "np.mean(err)"),
        "broadcast-error-matrix", 7),
    "measured with each other": (
        DATA + CLASSES.replace("Y.argmax(1))", "Y.argmax(1)[:, None])"), "metric-wrong", 14),
    "a limit that no share passes": (
        DATA + "def answers(p):\n    return p > 0\n"
        + HIDDEN.replace("    U = U", "    right = np.mean(answers(out) == t)\n    U = U", 1),
        "metric-wrong", 7),
    "the largest over samples": (
        DATA + CLASSES.replace("P.argmax(1)", "P.argmax(0)[0]"), "metric-wrong", 14),
    "classes that begin below 0": (
        DATA + CLASSES.replace("(y > 0).astype(int)", "(y > 0).astype(int) + (y > 1) - 1").replace("(2)", "(3)")
        .replace("(3, 2)", "(3, 3)"), "metric-wrong", 6),
    "shares over samples": (
        DATA + CLASSES.replace("e.sum(axis=1, keepdims=True)", "e.sum(axis=0)"), "softmax-wrong-axis", 10),
    "shares over samples, of which a copy goes back": (
        DATA + CLASSES.replace("e.sum(axis=1, keepdims=True)", "e.sum(axis=0)")
        .replace("    W = W -", "    D = P.copy()\n    D[range(60), Y.argmax(1)] -= 1\n    W = W -", 1)
        .replace("(P - Y)", "D").replace("np.sum(Y * np.log(P), axis=1)", "np.log(P[range(60), Y.argmax(1)])"),
        "softmax-wrong-axis", 10),
    "read after the outputs were changed": (DATA + IN_PLACE, "input-mutated", 13),
    "input of the activation goes on": (DATA + HIDDEN.replace("z2 = h @", "z2 = z1 @"), "forward-returns-z", 13),
    "classes in columns shuffled apart": (
        DATA + COLUMNS.replace("Y[:, p]", "Y[:, rng.permutation(60)]"), "label-shuffle-mismatch", 12),
    "a test set scaled by itself": (DATA + APART, "scaled-apart", 8),
    "a test set that begins at its own least": (
        DATA + APART.replace(".mean(axis=0)) / t", ".min(axis=0)) / t"), "scaled-apart", 8),
    "falling": (DATA + HIDDEN.replace("np.exp(-z)", "np.exp(z)"), "sigmoid-falling", 7),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named_at_its_line(case):
    source, wanted, line = WRONG[case]
    assert findings(source)[:1] == [(wanted, line)]


RIGHT = {
    "full batch": DATA + LINEAR,
    "held out": DATA + HELD_OUT,
    "learned again from all rows": DATA + HELD_OUT + "print(fit(np.zeros(3), 0.0, X, y))\n",
    "folds": DATA + FOLDS,
    "columns chosen with the labels that are learned": DATA + CHOSEN,
    "columns chosen by their deviation": DATA + CHOSEN.replace("-np.abs(X[seen].T @ y[seen])", "X.var(axis=0)"),
    "walking on": DATA
    + HELD_OUT.partition("p = rng")[0]
    + "for k in range(30, 60, 10):\n    w, b = fit(w, b, X[k - 30 : k], y[k - 30 : k])\n"
    + "    print(error(w, b, X[k : k + 10], y[k : k + 10]))\n",
    "parts that learn in turn": DATA
    + HELD_OUT.replace(
        "w, b = fit(w, b, X[seen], y[seen])", "for i in (seen, unseen):\n    w, b = fit(w, b, X[i], y[i])"
    ),
    "brought back to its scale": DATA + SCALED,
    "noise on the targets": DATA
    + HELD_OUT.replace("fit(w, b, X[seen], y[seen])", "fit(w, b, X[seen], y[seen] + rng.normal(size=40))"),
    "answers of -1 and 1": DATA + SIDES.replace("(X[40:] @ w + b > 0).astype(int)", "np.sign(X[40:] @ w + b)"),
    "many limits": DATA
    + SIDES.replace("side = np.where(y > 0, 1, -1)", "side = np.where(y > 0, 1, 0)").replace(
        "print(np.mean(((X[40:] @ w + b > 0)", "for limit in (0, 0.5, 1):\n    print(np.mean(((X[40:] @ w + b > limit)"
    ),
    "shuffled batches": DATA + BATCHES,
    "shuffled together": DATA + "p = rng.permutation(60)\nX, y = X[p], y[p]\n" + BATCHES,
    "drawn with replacement": DATA + BATCHES.replace("rng.permutation(60)[:15]", "rng.integers(0, 60, 15)"),
    "classes": DATA + CLASSES,
    "classes that begin at 1": DATA
    + CLASSES.replace("(y > 0).astype(int)", "(1 + (y > 0) + (y > 1)).astype(int) - 1")
    .replace("(2)", "(3)")
    .replace("(3, 2)", "(3, 3)"),
    "classes of both signs": DATA
    + CLASSES.replace("(y > 0).astype(int)", "(y > 1).astype(int) - (y < -1)")
    .replace("(2)", "(3)")
    .replace("(3, 2)", "(3, 3)"),
    "a copy is changed in place": DATA + IN_PLACE.replace("D = P\n", "D = P.copy()\n"),
    "the class is read before the change": DATA
    + IN_PLACE.replace("    D = P\n", "    hit = np.mean(P.argmax(1) == c)\n    D = P\n").replace(
        "np.mean(P.argmax(1) == c))", "hit)"
    ),
    "rows made one by one": DATA.replace("y =", "for k in range(60):\n    X[k] += 1\ny =", 1) + BATCHES,
    "hidden layer": DATA + HIDDEN,
    "classes in columns": DATA + COLUMNS,
    "a test set scaled as the other": DATA
    + APART.replace("train = (", "m, s = train.mean(axis=0), train.std(axis=0)\ntrain = (").replace(
        "test = (test - test.mean(axis=0)) / test.std(axis=0)", "test = (test - m) / s"
    ),
    "each row scaled by itself": DATA
    + APART.replace(".mean(axis=0)", ".mean(axis=1, keepdims=True)").replace(
        ".std(axis=0)", ".std(axis=1, keepdims=True)"
    ),
    "standardised in place": DATA + "X -= X.mean(axis=0)\nX /= X.std(axis=0)\n" + BATCHES,
    "masked and noisy": DATA
    + BATCHES.replace("X[i] @ w", "x @ w")
    .replace("X[i].T", "x.T")
    .replace(
        "        err", "        x = X[i] * (rng.random((15, 3)) > 0.2) + 0.1 * rng.normal(size=(15, 3))\n        err", 1
    ),
    "autoencoder": DATA
    + "A = 0.3 * rng.normal(size=(3, 3))\nfor epoch in range(40):\n    p = rng.permutation(60)\n    x = X[p]\n"
    + "    err = x @ A - x\n    A = A - 0.1 * x.T @ err / 60\n    print(np.mean(err ** 2))\n",
    "the number before": DATA
    + "s = np.cumsum(rng.normal(size=61)) / 9\nX, y, w = s[:-1, None], s[1:], np.zeros(1)\n"
    + BATCHES,
    "residual": DATA
    + "A = 0.3 * rng.normal(size=(3, 3))\nT = X + X[:, ::-1] ** 2\nfor epoch in range(40):\n"
    + "    err = X + X @ A - T\n    A = A - 0.1 * X.T @ err / 60\n    print(np.mean(err ** 2))\n",
    "one start for each rate": DATA
    + "def train(rate):\n    rng = np.random.default_rng(1)\n    w = rng.normal(size=3)\n    for epoch in range(10):\n"
    + "        i = rng.permutation(60)[:20]\n        err = X[i] @ w - y[i]\n        w = w - rate * X[i].T @ err / 20\n"
    + "    print(np.mean((X @ w - y) ** 2))\nfor rate in (0.01, 0.03, 0.1, 0.3):\n    train(rate)\n",
    "minus before the data": DATA
    + "t = (y > 0) * 1.0\nfor epoch in range(30):\n    p = 1 / (1 + np.exp(-X @ w - b))\n    d = (p - t) / 60\n"
    + "    w = w - X.T @ d\n    b = b - d.sum()\n"
    + "    print(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), np.mean((p > 0.5) == t))\n",
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_program_is_not_accused(case):
    judgement = judge(trace(RIGHT[case]))
    assert judgement.verdict == "right"
    assert [f for f in judgement.findings if f.id != "too-few-epochs"] == []  # these trainings are short


ONE_PASS = """import numpy as np
rng = np.random.default_rng(2)
x = rng.normal(size=(6, 4))
W = {n: rng.normal(size=(4, 4)) * 0.5 for n in "abc"}
a, b, c = np.tanh(x @ W["a"]), x @ W["b"], x @ W["c"]
out = a * b + c + x
g = np.ones_like(out)
ga, gb = g * b * (1 - a ** 2), g * a
dx = g + ga @ W["a"].T + gb @ W["b"].T + g @ W["c"].T
print(np.linalg.norm(dx), [np.abs(x.T @ d).max() for d in (ga, gb, g)])
"""
"""There and back once: what is summed over the ways grows, and nothing is trained."""


def test_a_gradient_that_is_summed_over_ways_is_no_data_that_change():
    assert findings(ONE_PASS) == []


GROWING = """import numpy as np
rng = np.random.default_rng(0)
X, w, minus_t = rng.normal(size=(20, 3)), rng.normal(size=(3, 1)), -rng.normal(size=(20, 1))
told = np.zeros((20, 1))
for step in range(20):
    err = X @ w + minus_t
    told += 2 * err
    w -= 0.01 * X.T @ (2 * err)
    print(np.sum(err ** 2))
"""


@pytest.mark.parametrize("at", ["told += 2 * err", "told -= 0.01 * 2 * err"])
def test_only_what_steps_down_is_a_bias_that_nothing_reads(at):
    ids = [f.id for f in judge(trace(GROWING.replace("told += 2 * err", at))).findings]
    assert ("bias-missing" in ids) == ("-=" in at)


def test_labels_follow_rows_as_numpy_moves_them():
    program = """import numpy as np
X = np.random.default_rng(0).normal(size=(6, 2)) ** 2
p = np.array([3, 1, 5, 0, 4, 2])
Z = (X - X.mean(axis=0))[p]
Z[0] = Z[0] / 2
A = np.vstack([Z[:2], Z[4:]]) @ np.array([[1.0, 2.0], [3.0, 5.0]])
B = A.T
C = X + X[p]
"""
    tape = trace(program).tape
    origins = Origins(tape.nodes, ())
    labels = {name: origins.of(t) for t, name in tape.names.items()}
    assert row_of(labels["B"]).tolist() == [[3, 1, 4, 2], [3, 1, 4, 2]]
    assert set(rows_in(labels["B"]).ravel()) == {6}
    assert (labels["C"][[1, 4]] >= 0).all()  # the rows that the permutation leaves where they are
    assert (np.delete(labels["C"], [1, 4], axis=0) == MIXED).all()
    assert NEUTRAL not in labels["C"]
