"""Whole programs that train by themselves: what is right in one way and wrong in another is not called right."""

from functools import cache

import pytest

import at_hand
from byhand.diagnosis import sandbox
from byhand.diagnosis.check.free import check_free
from byhand.diagnosis.story.program import Program


@cache
def judged(source):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "run", at_hand.run)
        return check_free(Program("solution.py", source))


def places(source):
    report = judged(source)
    return report.outcome, [(f.id, f.line) for f in report.findings]


def line_of(source, text):
    assert source.count(text) == 1
    return source[: source.index(text)].count("\n") + 1


EQUAL = """import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(60, 3))
y = (X @ np.array([[1.0], [-2.0], [0.5]]) > 0) * 1.0
V = rng.normal(size=(3, 6))
c = np.zeros(6)
u = rng.normal(size=(6, 1))
d = np.zeros(1)

def go():
    h = np.tanh(X @ V + c)
    return h, 1 / (1 + np.exp(-(h @ u + d)))

for epoch in range(200):
    h, p = go()
    print(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    e = (p - y) / len(X)
    back = e @ u.T * (1 - h**2)
    u -= 0.5 * h.T @ e
    d -= 0.5 * e.sum(axis=0)
    V -= 0.5 * X.T @ back
    c -= 0.5 * back.sum(axis=0)
"""


def test_units_that_are_one_and_the_same_are_told_though_one_is_enough():
    assert places(EQUAL) == ("right", [])
    one_layer_drawn = EQUAL.replace("V = rng.normal(size=(3, 6))", "V = np.full((3, 6), 0.4)")
    assert places(one_layer_drawn) == ("right", [])
    alike = one_layer_drawn.replace("u = rng.normal(size=(6, 1))", "u = np.full((6, 1), 0.4)")
    assert places(alike) == ("wrong", [("symmetric-initialization", 5)])


LOGISTIC = """import numpy as np

class Classifier:
    def probability(self, X):
        return 1 / (1 + np.exp(-(X @ self.w + self.b)))

    def cost(self, X, y):
        p = self.probability(X)
        entropy = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        return entropy + 0.05 * np.sum(self.w**2)

    def fit(self, X, y):
        self.w, self.b, self.seen = np.zeros(X.shape[1]), 0.0, []
        for _ in range(150):
            error = self.probability(X) - y
            self.w = self.w - 0.4 * (X.T @ error / len(y) + 0.1 * self.w)
            self.b = self.b - 0.4 * error.mean()
            self.seen.append(self.cost(X, y))
        return self

rng = np.random.default_rng(4)
X = np.vstack([rng.normal(-1, 1, (50, 2)), rng.normal(1, 1, (70, 2))])
y = np.r_[np.zeros(50), np.ones(70)]
model = Classifier().fit(X, y)
print(model.seen[-1], np.mean((model.probability(X) > 0.5) == y))
"""
ENTROPY = "y * np.log(p) + (1 - y) * np.log(1 - p)"


@pytest.mark.parametrize("new", ["y * np.log(p) - (1 - y) * np.log(1 - p)", "y * np.log(p) + (1 - y) * np.log(p)"])
def test_a_loss_that_computes_the_outputs_anew_is_held_against_what_steps_are_made_of(new):
    assert places(LOGISTIC) == ("right", [])
    assert places(LOGISTIC.replace(ENTROPY, new)) == ("wrong", [("loss-wrong", line_of(LOGISTIC, ENTROPY))])


def test_a_loss_of_other_data_is_not_held_against_the_steps():
    elsewhere = LOGISTIC.replace("self.cost(X, y)", "self.cost(X[::-2], 1 - y[::-2])")
    assert places(elsewhere.replace(" + 0.05 * np.sum(self.w**2)", "").replace(" + 0.1 * self.w", ""))[0] != "wrong"


RIDGE = """import numpy as np
rng = np.random.RandomState(3)
x = rng.uniform(-1, 1, 30)
t = 2 + np.cos(2 * x) + 0.1 * rng.randn(30)
P = np.vander(x, 5, increasing=True)

def cost(theta, P, t, lam):
    r = P @ theta - t
    return r @ r / (2 * len(t)) + lam / (2 * len(t)) * np.sum(theta[1:] ** 2)

def gradient(theta, P, t, lam):
    grad = P.T @ (P @ theta - t) / len(t)
    grad[1:] += lam / len(t) * theta[1:]
    return grad

def descend(lam):
    theta, seen = np.zeros(P.shape[1]), []
    for _ in range(400):
        theta = theta - 0.3 * gradient(theta, P, t, lam)
        seen.append(cost(theta, P, t, lam))
    return theta, seen

for lam in (0.0, 1.0, 10.0):
    theta, seen = descend(lam)
    print(lam, seen[-1])
"""


@pytest.mark.parametrize("new", ["grad += lam / len(t) * theta", "grad = grad + lam / len(t) * theta"])
def test_a_penalty_that_is_0_in_the_first_training_is_looked_at_all_the_same(new):
    right = "grad[1:] += lam / len(t) * theta[1:]"
    assert places(RIDGE) == ("right", [])
    outcome, [(id_, line)] = places(RIDGE.replace(right, new))
    assert (outcome, id_, line) == ("wrong", "penalty-gradient-wrong", line_of(RIDGE, right))


PARTS = """import numpy as np

class Net:
    def __init__(self, inputs, hidden):
        self.V, self.c = np.random.randn(inputs, hidden), np.zeros(hidden)
        self.u, self.d = np.random.randn(hidden, 1), np.zeros(1)

    def forward(self, X):
        self.h = np.tanh(X @ self.V + self.c)
        self.p = 1 / (1 + np.exp(-(self.h @ self.u + self.d)))
        return self.p

    def loss(self, X, y):
        p = self.forward(X)[:, 0]
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def slopes(self, X, y):
        self.forward(X)
        e = (self.p - y.reshape(-1, 1)) / len(X)
        back = e @ self.u.T * (1 - self.h**2)
        return [X.T @ back, back.sum(0), self.h.T @ e, e.sum(0)]
"""


def test_a_gradient_of_one_number_is_not_taken_for_the_loss():
    assert places(PARTS) == ("right", [])
    assert places(PARTS.replace(" * (1 - self.h**2)", ""))[0] == "wrong"
