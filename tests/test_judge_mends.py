"""Where a mistake stands: the one place in which another value would make the steps right."""

from pathlib import Path

import pytest

from byhand.diagnosis.judge.mends import Mends
from byhand.diagnosis.judge.report import judge
from byhand.diagnosis.judge.roles import find_roles
from byhand.diagnosis.judge.verdict import judge_steps
from byhand.diagnosis.judge.windows import stretches
from byhand.diagnosis.tape.run import trace

DEEP = """import numpy as np
rng = np.random.default_rng(3)
X, T = rng.normal(size=(9, 4)), rng.normal(size=(9, 2))
A, a, B, b, C, c = (rng.normal(size=s) for s in ((4, 6), 6, (6, 6), 6, (6, 2), 2))
def slope(z):
    return 1 - np.tanh(z) ** 2
for epoch in range(6):
    z1 = X @ A + a
    h1 = np.tanh(z1)
    z2 = h1 @ B + b
    h2 = np.tanh(z2)
    out = h2 @ C + c
    print(np.mean((out - T) ** 2))
    d3 = 2 * (out - T) / out.size
    d2 = d3 @ C.T * slope(z2)
    e1 = d2 @ B.T
    d1 = e1 * slope(z1)
    C -= 0.1 * h2.T @ d3
    c -= 0.1 * d3.sum(axis=0)
    B -= 0.1 * h1.T @ d2
    b -= 0.1 * d2.sum(axis=0)
    A -= 0.1 * X.T @ d1
    a -= 0.1 * d1.sum(axis=0)
"""
RECURRENT = """import numpy as np
rng = np.random.default_rng(2)
X, T = rng.normal(size=(5, 7, 3)), rng.normal(size=(5, 7, 1))
U, R, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 1))
for epoch in range(4):
    h = [np.zeros((7, 4))]
    loss = 0
    for x, t in zip(X, T):
        h.append(np.tanh(x @ U + h[-1] @ R))
        loss += np.sum((h[-1] @ V - t) ** 2)
    print(loss)
    dU, dR, dV, later = np.zeros_like(U), np.zeros_like(R), np.zeros_like(V), np.zeros((7, 4))
    for k in range(4, -1, -1):
        error = 2 * (h[k + 1] @ V - T[k])
        dV += h[k + 1].T @ error
        d = (error @ V.T + later) * (1 - h[k + 1] ** 2)
        dU += X[k].T @ d
        dR += h[k].T @ d
        later = d @ R.T
    U, R, V = U - 0.01 * dU, R - 0.01 * dR, V - 0.01 * dV
"""
LAYERS = """import numpy as np
rng = np.random.default_rng(4)
X, T = rng.normal(size=(9, 5)), rng.normal(size=(9, 1))
class Dense:
    def __init__(self, m, n):
        self.W, self.b = rng.normal(size=(m, n)), np.zeros(n)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, d):
        self.dW = self.x.T @ d
        self.db = d.sum(axis=0)
        return d @ self.W.T
class Relu:
    def forward(self, z):
        self.z = z
        return np.maximum(z, 0)
    def backward(self, d):
        kept = self.z > 0
        return d * kept
net = [Dense(5, 5), Relu(), Dense(5, 5), Relu(), Dense(5, 1)]
for epoch in range(6):
    out = X
    for layer in net:
        out = layer.forward(out)
    print(np.mean((out - T) ** 2))
    d = 2 * (out - T) / len(T)
    for layer in net[::-1]:
        d = layer.backward(d)
    for layer in net[::2]:
        layer.W -= 0.05 * layer.dW
        layer.b -= 0.05 * layer.db
"""
ADAM = DEEP.replace("for epoch", "M = [0, 0]\nfor epoch").replace(
    "    A -= 0.1 * X.T @ d1\n",
    "    g = X.T @ d1\n    M = [0.9 * M[0] + 0.1 * g, 0.99 * M[1] + 0.01 * g**2]\n"
    "    A -= 0.01 * M[0] / (1 - 0.9 ** (epoch + 1)) / (np.sqrt(M[1] / (1 - 0.99 ** (epoch + 1))) + 1e-8)\n",
)


def judged(source):
    return judge(trace(source, "script.py", Path()))


@pytest.mark.parametrize("source", [DEEP, RECURRENT, LAYERS, ADAM])
def test_a_right_backward_pass_is_right(source):
    assert judged(source).verdict == "right"


@pytest.mark.parametrize(
    ("source", "old", "new", "id_", "line"),
    [
        (DEEP, "1 - np.tanh(z) ** 2", "1 - np.tanh(z)", "derivative-wrong", 6),
        (DEEP, "e1 = d2 @ B.T", "e1 = d2 @ np.abs(B.T)", "delta-wrong", 16),
        (DEEP, "e1 = d2 @ B.T", "e1 = d2[::-1] @ B.T", "delta-wrong", 16),
        (DEEP, "d1 = e1 * slope(z1)", "d1 = e1 * (e1 > 0)", "derivative-wrong", 17),
        (DEEP, "0.1 * X.T @ d1", "0.1 * X[::-1].T @ d1", "weight-gradient-wrong", 22),
        (RECURRENT, "dR += h[k].T", "dR += h[k + 1].T", "wrong-layer-activation", 18),
        (RECURRENT, "later = d @ R.T", "later = d @ np.abs(R)", "delta-wrong", 19),
        (RECURRENT, "later = d @ R.T", "later = error @ V.T", "delta-wrong", 19),
        (LAYERS, "return d * kept", "return d * (d > 0)", "derivative-wrong", 20),
        (LAYERS, "d * kept", "d * kept[::-1]", "derivative-wrong", 20),
        (LAYERS, "return d @ self.W.T", "return d @ np.sign(self.W.T)", "delta-wrong", 13),
        (ADAM, "d1 = e1 * slope(z1)", "d1 = e1 * (e1 > 0)", "derivative-wrong", 18),
    ],
)
def test_a_mistake_is_told_at_the_line_in_which_another_value_makes_the_steps_right(source, old, new, id_, line):
    found = judged(source.replace(old, new, 1))
    assert found.verdict == "wrong"
    first = found.findings[0]
    assert (first.id, first.place.line) == (id_, line)


def test_of_two_mistakes_the_second_is_looked_for_with_the_first_one_mended():
    source = DEEP.replace("e1 * slope(z1)", "e1 * (e1 > 0)")
    source = source.replace("d3 @ C.T * slope(z2)", "d3 @ C.T * (d3 @ C.T > 0)")
    found = judged(source)
    lines = [p.line for f in found.findings for p in (f.place, *f.also)]
    assert sorted(lines) == [15, 17]


def mends(source, open_names):
    verdict = judge_steps(find_roles(next(iter(stretches(trace(source, "script.py", Path()).tape)))), search=False)
    states = list(verdict.trial.explained)
    open_ = [s for s in states if s.name in open_names]
    found = Mends(verdict.course, verdict.trial.gradients, states)
    return found, list(found.of(open_, [s for s in states if s not in open_]))


def test_what_another_loss_may_have_added_is_no_place_to_mend():
    """As the derivative of a penalty on what a layer gives, where the loss that is shown has none."""
    found, [mend] = mends(DEEP.replace("e1 = d2 @ B.T", "e1 = d2 @ B.T\n    e1 = e1 + 0.1 * h1"), "Aa")
    assert found.adds_to_what_is_right(mend)


def test_digits_that_are_lost_are_no_mistake():
    """1 - h² where h is nearly 1 has few digits, and the derivative of tanh has them all."""
    source = DEEP.replace("X, T = ", "X, T = 1e3 * ").replace("slope(z1)", "(1 - h1**2)")
    assert judged(source).verdict != "wrong"
