"""What functions do beside gradients: found by running them, with one that does it and one that does not."""

import ast

import numpy as np
import pytest

from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.drivers import SUPPORT, definitions, drivers
from byhand.diagnosis.check.facts import facts
from byhand.diagnosis.check.pairing import pairings, scalings
from byhand.diagnosis.check.reshapes import reshapes
from byhand.diagnosis.check.telling import probes

DROPOUT = """import numpy as np

class Dropout:
    def __init__(self, rate):
        self.rate = rate

    def forward(self, x, training):
        if not training:
            return x
        self.mask = (np.random.rand(*x.shape) >= self.rate) / (1 - self.rate)
        return x * self.mask

def thin(x, keep):
    mask = np.random.rand(*x.shape) < keep
    return x * mask / keep, mask
"""
MODEL = """import numpy as np

class Line:
    def fit(self, X, y):
        X = X - X.mean(axis=0)
        self.w = np.zeros(X.shape[1])
        for _ in range(5):
            self.w -= 0.1 * X.T @ (X @ self.w - y) / len(y)
        return self

class Logistic:
    def fit(self, X, y):
        self.w = np.zeros(X.shape[1])
        for _ in range(5):
            self.w -= 0.1 * X.T @ (sigmoid(X @ self.w) - y) / len(y)
        return self

    def predict(self, X):
        return sigmoid(X @ self.w) > 0.5

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def one_vs_all(X, y, classes, rounds):
    W = np.zeros((classes, X.shape[1]))
    for c in range(classes):
        for _ in range(rounds):
            W[c] -= 0.1 * X.T @ (sigmoid(X @ W[c]) - (y == c)) / len(y)
    return W

def predict(W, X):
    return np.argmax(sigmoid(X @ W.T), axis=1)
"""
NETWORK = """import numpy as np

class Network:
    def __init__(self, sizes):
        self.Ws = [np.random.randn(a, b) for a, b in zip(sizes, sizes[1:])]

    def forward(self, x):
        self.h = np.tanh(x @ self.Ws[0])
        return self.h @ self.Ws[1]

    def backward(self, x, y, out):
        d = out - y
        return [x.T @ (d @ self.Ws[1].T * (1 - self.h**2)), self.h.T @ d]

def initialize_zeros(n, h):
    return np.zeros((n, h)), np.zeros((h, 2))
"""


SCORES = """import numpy as np

class Scored:
    def scores(self, X):
        return X @ self.w

    def shares(self, X):
        return sigmoid(self.scores(X))

    def fit(self, X, y):
        self.w = np.zeros(X.shape[1])
        for _ in range(5):
            self.w -= 0.1 * X.T @ (self.shares(X) - y) / len(y)

    def predict(self, X):
        return self.scores(X) > 0

class Fitted:
    def fit(self, X, y):
        self.w = np.zeros(X.shape[1])
        for _ in range(5):
            self.w -= 0.1 * X.T @ (X @ self.w - y) / len(y)

    def predict(self, X):
        return X @ self.w > 0.5  # its targets are 0 and 1

def sigmoid(z):
    return 1 / (1 + np.exp(-z))
"""
HOLDER = """import numpy as np

class Holder:
    def __init__(self, x, y, hidden=6):
        self.x, self.y = x, y.reshape(-1, 1)
        self.V = np.random.randn(x.shape[1], hidden)
        self.W = np.random.randn(hidden, 1)

    def feedforward(self):
        self.h = np.tanh(self.x @ self.V)
        self.out = self.h @ self.W

    def backprop(self):
        d = (self.out - self.y) / len(self.y)
        dV = self.x.T @ (d @ self.W.T * (1 - self.h**2))
        self.W -= 0.1 * self.h.T @ d
        self.V -= 0.1 * dV
"""


LOGISTIC = """import numpy as np

def sigma(z):
    return 1 / (1 + np.exp(-z))

def cost(theta, X, y):
    p = sigma(X @ theta)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), X.T @ (p - y) / len(y)

def predict(theta, X_new):
    return X_new @ theta > 0

def accuracy(theta, X, y):
    return np.mean(predict(theta, X) == y)
"""
PAIRS = """import numpy as np

def batches(X, y, size):
    order = np.random.permutation(len(X))
    for k in range(0, len(X), size):
        yield X[order[k : k + size]], y[order[k : k + size]]

def in_columns(X, Y, size=4):
    p = np.random.permutation(X.shape[1])
    X, Y = X[:, p], Y[:, p]
    return [(X[:, k : k + size], Y[:, k : k + size]) for k in range(0, X.shape[1], size)]

def held_back(X, y, share=0.3):
    p, n = np.random.permutation(len(X)), int(share * len(X))
    return X[p[n:]], X[p[:n]], y[p[n:]], y[p[:n]]

def mixed(X, y):
    p = np.random.permutation(len(X))
    X[:], y[:] = X[p], y[p]

def scaled(train, test):
    low, high = train.min(axis=0), train.max(axis=0)
    return (train - low) / (high - low), (test - low) / (high - low)

def train(X, y):
    W = np.random.permutation(X.shape[1] * 3).reshape(3, -1) / 10
    return W, W[:, 0]
"""
SPLIT = """import numpy as np

def split_heads(x, heads):
    n, t, d = x.shape
    return np.reshape(x, (n, t, heads, d // heads)).transpose(0, 2, 1, 3)

def flat(x):
    n, h, w = x.shape
    return x.reshape(n, -1).T, x.reshape(n, h * w)
"""


def found(source, *, trained=True):
    head = definitions(source, ast.parse(source), set())
    file = File(head)
    texts = [(d.unit, d.text.removeprefix(head + SUPPORT)) for d in drivers(source)]
    every = (*facts(file, SUPPORT, texts, trained=trained), *reshapes(file), *pairings(file), *scalings(file))
    return sorted({(fact.id, fact.unit, fact.line) for fact in every})


@pytest.mark.parametrize("source", [DROPOUT, MODEL, NETWORK, SCORES, HOLDER, LOGISTIC, PAIRS, SPLIT])
def test_nothing_is_said_of_what_is_right(source):
    assert found(source) == []


@pytest.mark.parametrize(
    ("source", "old", "new", "expected"),
    [
        (DROPOUT, "(1 - self.rate)", "self.rate", ("dropout-scale-wrong", "Dropout.forward", 10)),
        (DROPOUT, "mask / keep", "mask / (1 - keep)", ("dropout-scale-wrong", "thin", 15)),
        (MODEL, "X = X - X", "X -= X", ("input-mutated", "Line.fit", 5)),
        (MODEL, "axis=1)", "axis=0)", ("argmax-wrong-axis", "one_vs_all", 32)),
        (MODEL, "> 0.5", "> 0", ("threshold-wrong", "Logistic.fit", 19)),
        (MODEL, "np.exp(-z)", "np.exp(z)", ("sigmoid-falling", "sigmoid", 22)),
        (MODEL, "1 / (1 + np.exp(-z))", "1 / 1 + np.exp(-z)", ("unknown", "sigmoid", 22)),
        (SCORES, "scores(X) > 0", "scores(X) > 0.5", ("threshold-wrong", "Scored.fit", 16)),
        (LOGISTIC, "@ theta > 0", "@ theta > 0.5", ("threshold-wrong", "predict", 11)),
        (PAIRS, "y[order[k : k + size]]", "y[k : k + size]", ("label-shuffle-mismatch", "batches", 4)),
        (PAIRS, "Y[:, p]", "Y[:, np.random.permutation(9)]", ("label-shuffle-mismatch", "in_columns", 10)),
        (PAIRS, "X[p], y[p]", "X[p], y[p[::-1]]", ("label-shuffle-mismatch", "mixed", 18)),
        (
            PAIRS,
            "(test - low) / (high - low)",
            "(test - test.min(axis=0)) / (high - low)",
            ("scaled-apart", "scaled", 23),
        ),
        (PAIRS, "y[p[n:]]", "y[n:]", ("label-shuffle-mismatch", "held_back", 14)),
        (
            SPLIT,
            "(n, t, heads, d // heads)).transpose(0, 2, 1, 3)",
            "(n, heads, t, d // heads))",
            ("reshape-instead-of-transpose", "split_heads", 5),
        ),
        (SPLIT, "x.reshape(n, -1).T", "x.reshape(h * w, n)", ("reshape-instead-of-transpose", "flat", 9)),
        (HOLDER, "np.random.randn", "np.zeros", ("symmetric-initialization", "Holder", 6)),
        (NETWORK, "np.random.randn(a, b)", "np.full((a, b), 0.5)", ("symmetric-initialization", "Network", 5)),
    ],
)
def test_what_is_done_beside_gradients_is_told_at_its_line(source, old, new, expected):
    assert old in source
    text = source.replace(old, new)
    if "randn" in old and new == "np.zeros":  # which takes its shape as one
        text = text.replace("(x.shape[1], hidden)", "((x.shape[1], hidden))").replace("(hidden, 1)", "((hidden, 1))")
    assert found(text) == [expected]


def test_what_is_made_of_the_data_is_trained_without_changing_them():
    texts = [d.text for d in drivers(HOLDER) if d.unit == "Holder.backprop"]
    assert len(set(texts)) == 8
    names = {}
    exec(texts[-1], names)  # one target for each sample
    assert np.array_equal(names["thing_"].x, names["X_"])
    assert np.array_equal(names["thing_"].y.ravel(), names["Y_"])
    assert not np.array_equal(names["thing_"].W, names["redraw_"](names["thing_"]).W)


def test_weights_that_are_drawn_later_may_begin_alike():
    later = NETWORK.replace("np.random.randn(a, b)", "np.zeros((a, b))").replace(
        "        d = out - y\n", "        if not self.Ws[0].any():\n            self.draw()\n        d = out - y\n"
    )
    later = later.replace(
        "    def forward",
        "    def draw(self):\n        rng = np.random.default_rng(0)\n        "
        "self.Ws = [rng.normal(size=W.shape) for W in self.Ws]\n\n    def forward",
    )
    assert found(later) == []


def test_of_what_did_not_train_only_the_data_are_looked_at():
    assert found(NETWORK.replace("np.random.randn(a, b)", "np.zeros((a, b))"), trained=False) == []
    assert found(MODEL.replace("X = X - X", "X -= X"), trained=False) == [("input-mutated", "Line.fit", 5)]


# ---- readings of gradients

LAYERS = """import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out)
        self.biases = np.zeros((1, n_out))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T

class Entropy:
    def forward(self, y_pred, y_true):
        clipped = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return -np.log(clipped[range(len(y_pred)), y_true])

    def backward(self, dvalues, y_true):
        self.dinputs = -np.eye(dvalues.shape[1])[y_true] / dvalues / len(dvalues)

class Embedding:
    def __init__(self, words, size):
        self.W = np.random.randn(words, size)

    def forward(self, idx):
        self.idx = idx
        return self.W[idx]

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.idx, dout)
"""
COSTS = """import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

class Quadratic:
    @staticmethod
    def fn(a, y):
        return 0.5 * np.sum((a - y) ** 2)

    @staticmethod
    def delta(z, a, y):
        return (a - y) * sigmoid(z) * (1 - sigmoid(z))

def tanh(Z):
    return np.tanh(Z), Z

def tanh_backward(dA, cache):
    return dA * (1 - np.tanh(cache) ** 2)
"""
PARTS = """import numpy as np

def start(inputs, hidden):
    return {"W": np.random.randn(inputs, hidden), "w": np.random.randn(hidden)}

def propagate(X, P):
    h = np.tanh(X @ P["W"])
    return 1 / (1 + np.exp(-h @ P["w"])), (X, h)

def cost(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

def backpropagate(p, y, memory, P):
    X, h = memory
    d = (p - y) / len(y)
    G = {"w": h.T @ d, "W": X.T @ (np.outer(d, P["w"]) * (1 - h**2))}
    return G
"""
HINGE = """import numpy as np

def hinge(W, X, y):
    s = X @ W
    own = np.arange(len(y)), y
    margins = np.maximum(0, s - s[own][:, None] + 1)
    margins[own] = 0
    loss = margins.sum() / len(y)
    dS = (margins > 0) * 1.0
    dS[own] = 0
    dS[own] = -dS.sum(axis=1)
    return loss, X.T @ dS / len(y)

class Squares:
    def forward(self, p, t):
        self.p, self.t = p, t
        return np.mean((p - t) ** 2)

    def backward(self):
        return 2 * (self.p - self.t) / self.p.size
"""


@pytest.mark.parametrize(
    ("source", "old", "new", "unit", "answer", "line"),
    [
        (HINGE, "", "", "hinge", "right", 0),
        (HINGE, "    margins[own] = 0\n", "", "hinge", "wrong", 6),
        (HINGE, "", "", "Squares", "right", 0),
        (HINGE, "/ self.p.size", "/ len(self.p)", "Squares", "right", 0),  # who trains chooses the rate
        (LAYERS, "", "", "Dense", "right", 0),
        (LAYERS, "", "", "Entropy", "right", 0),
        (LAYERS, "", "", "Embedding", "right", 0),
        (LAYERS, "dvalues @ self.weights.T", "2 * dvalues @ self.weights.T", "Dense", "wrong", 15),
        (LAYERS, "-np.eye", "np.eye", "Entropy", "wrong", 23),
        (LAYERS, "np.add.at(self.dW, self.idx, dout)", "self.dW[self.idx] += dout", "Embedding", "wrong", 35),
        (COSTS, "", "", "Quadratic.delta", "right", 0),
        (COSTS, " * (1 - sigmoid(z))", "", "Quadratic.delta", "wrong", 13),
        (COSTS, "", "", "tanh and tanh_backward", "right", 0),
        (COSTS, "np.tanh(cache) ** 2", "cache**2", "tanh and tanh_backward", "wrong", 19),  # the cache is Z, not A
        (PARTS, "", "", "backpropagate", "right", 0),
        (PARTS, " + (1 - y) * np.log(1 - p)", "", "cost", "wrong", 11),
        (PARTS, "* (1 - h**2)", "", "backpropagate", "wrong", 16),
    ],
)
def test_readings(source, old, new, unit, answer, line):
    assert old in source
    text = source.replace(old, new) if old else source
    told = {p.unit: p for p in probes(File(text))}
    assert (told[unit].answer, told[unit].line) == (answer, line)


def test_a_linear_classifier_beside_a_logistic_one_may_ask_for_one_half():
    linear = "def linear(theta, X, y):\n    e = X @ theta - y\n    return np.mean(e**2) / 2, X.T @ e / len(y)\n"
    assert found(LOGISTIC.replace("@ theta > 0", "@ theta > 0.5") + "\n" + linear) == []


def test_numbers_that_are_only_given_may_be_shares():
    given = "def accuracy_of(A, Y):\n    return np.mean((A > 0.5) == Y)\n\n"
    given += "def back(A, Y, Z):\n    return (A - Y) * sigma(Z) * (1 - sigma(Z))\n"
    assert found(LOGISTIC + "\n" + given) == []


SHARES = """import numpy as np

def shares(x):
    m = np.max(x, axis=1, keepdims=True)
    above = np.exp(x - m)
    below = np.sum(np.exp(x - m), axis=1, keepdims=True)
    return above / below

def unscaled(x):
    return np.exp(x - np.max(x, axis=1, keepdims=True))
"""


@pytest.mark.parametrize("turned", [False, True])
def test_shares_add_up_to_one_for_all_scores(turned):
    def told(text):
        text = text.replace("axis=1", "axis=0") if turned else text
        return [(f.unit, f.id, f.line) for f in facts(File(text), "", [], trained=False)]

    assert told(SHARES) == []
    assert told(SHARES.replace("np.sum(np.exp(x - m)", "np.sum(np.exp(x)")) == [("shares", "shares-not-one", 6)]
    assert told(SHARES.replace("above = np.exp(x - m)", "above = np.exp(x)")) == [("shares", "shares-not-one", 6)]
    assert told(SHARES.replace("above / below", "above / (below + 1e-8)")) == []


SURPRISE = """import numpy as np

def cost(w, b, X, y):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    return -np.mean(y * np.log10(p) + (1 - y) * np.log10(1 - p))

def cost_grad(w, b, X, y):
    e = (1 / (1 + np.exp(-(X @ w + b))) - y) / len(y)
    return X.T @ e, np.sum(e)
"""


def test_a_logarithm_to_base_10_has_another_slope():
    def told(text):
        return [(p.answer, p.id, p.line) for p in probes(File(text))]

    assert told(SURPRISE) == [("wrong", "loss-wrong", 5)]
    assert told(SURPRISE.replace("log10", "log"))[0][0] == "right"
    assert told(SURPRISE.replace("/ len(y)", "/ len(y) / np.log(10)"))[0][0] == "right"


MASKED = """import numpy as np

class Thinned:
    def __init__(self, drop=0.3, seed=None):
        self.keep, self.rng = 1 - drop, np.random.default_rng(seed)

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) < self.keep) / self.keep
        return x * self.mask

    def backward(self, g):
        return g * self.mask
"""
NORMED = """import numpy as np

def norm_forward(x, scale):
    m = x.mean(axis=1, keepdims=True)
    inverse = 1 / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    c = (x - m) * inverse
    return scale * c, (c, inverse, scale)

def norm_backward(g, kept):
    c, inverse, scale = kept
    h, many = g * scale, c.shape[1]
    back = many * h - h.sum(axis=1, keepdims=True) - c * (h * c).sum(axis=1, keepdims=True)
    return back * inverse / many, (g * c).sum(axis=0)
"""


def test_a_mask_without_a_seed_is_the_same_each_time():
    assert [p.answer for p in probes(File(MASKED))] == ["right"]
    assert [p.answer for p in probes(File(MASKED.replace("return g * self.mask", "return g * (self.mask > 0)")))] == [
        "wrong"
    ]


def test_what_only_the_way_there_makes_wrong_is_told_there():
    def told(text):
        return [(p.answer, p.line) for p in probes(File(text))]

    assert told(NORMED) == [("right", 0)]
    assert told(NORMED.replace("m = x.mean(axis=1", "m = x.mean(axis=0")) == [("wrong", 4)]
    assert told(NORMED.replace("c * (h * c)", "(h * c)")) == [("wrong", 12)]


def test_a_derivative_may_take_what_its_function_gives_and_say_so():
    text = "import numpy as np\n\ndef tanh(x):\n    return np.tanh(x)\n\n"
    text += "def tanh_deriv_from_output(t):\n    return (1 - t) * (1 + t)\n"
    assert [p.answer for p in probes(File(text))] == ["right"]
    assert [p.answer for p in probes(File(text.replace("(1 + t)", "(1 - t)")))] == ["wrong"]
