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


LAYERS = """import numpy as np

class Layer:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, d):
        raise NotImplementedError

class Dense(Layer):
    def __init__(self, inputs, outputs):
        self.W, self.b = 0.5 * rng.normal(size=(inputs, outputs)), np.zeros(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, d.sum(axis=0)
        return d @ self.W.T

class Scaled(Layer):
    def __init__(self, by):
        self.by = by

    def forward(self, x):
        self.x = x
        return np.tanh(x / self.by)

    def backward(self, d):
        t = np.tanh(self.x / self.by)
        return d * (1 - t**2) / self.by

rng = np.random.default_rng(8)
X = rng.normal(size=(50, 2))
Y = np.sin(X[:, :1]) - X[:, 1:]
layers = [Dense(2, 7), Scaled(1.7), Dense(7, 1)]
for epoch in range(300):
    out = X
    for layer in layers:
        out = layer.forward(out)
    print(np.mean((out - Y) ** 2))
    d = 2 * (out - Y) / out.size
    for layer in layers[::-1]:
        d = layer.backward(d)
    for layer in (layers[0], layers[2]):
        layer.W -= 0.1 * layer.dW
        layer.b -= 0.1 * layer.db
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [("d * (1 - t**2) / self.by", "d * (1 - t**2)"), ("d * (1 - t**2) / self.by", "d * (1 - d**2) / self.by")],
)
def test_a_wrong_step_is_told_where_one_change_makes_what_gives_its_gradient_right(old, new):
    assert places(LAYERS) == ("right", [])
    assert [q.status for q in judged(LAYERS).questions] == ["right"] * 3  # the base's methods are no stubs
    outcome, found = places(LAYERS.replace(old, new))
    assert (outcome, [line for _, line in found]) == ("wrong", [line_of(LAYERS, old)])


def test_a_name_that_says_more_is_kept():
    square = LAYERS.replace("size=(50, 2)", "size=(50, 7)").replace("Dense(2, 7)", "Dense(7, 7)")
    square = square.replace("Dense(7, 1)", "Dense(7, 7)").replace("X[:, 1:]", "X")
    assert places(square) == ("right", [])
    found = places(square.replace("d @ self.W.T", "d @ self.W"))
    assert found == ("wrong", [("transposed-gradient", line_of(LAYERS, "d @ self.W.T"))])


VELOCITY = """import numpy as np
rng = np.random.default_rng(6)
X = rng.normal(size=(60, 4))
t = X @ np.array([1.0, -1.0, 2.0, 0.5])
w, b = np.zeros(4), np.zeros(1)
weights = [w, b]
moved = [np.zeros_like(p) for p in weights]
for epoch in range(30):
    error = X @ w + b - t
    print(np.mean(error**2) / 2)
    slopes = [X.T @ error / 60, error.mean(keepdims=True)]
    for p, v, g in zip(weights, moved, slopes):
        v *= 0.8
        v -= 0.05 * g
        p += v
"""


def test_what_is_begun_anew_in_each_step_is_told_where_it_is_made():
    assert places(VELOCITY) == ("right", [])
    made = "moved = [np.zeros_like(p) for p in weights]\n"
    anew = VELOCITY.replace(made, "").replace("    for p, v", f"    {made}    for p, v")
    assert places(anew) == ("wrong", [("momentum-reset", line_of(anew, made))])


BLOCK = """import numpy as np

class Affine:
    def __init__(self, before, after, rng):
        self.W, self.b = rng.normal(size=(before, after)), np.zeros(after)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T

class Block:
    def __init__(self, width, inside, seed=0):
        rng = np.random.default_rng(seed)
        self.up, self.down = Affine(width, inside, rng), Affine(inside, width, rng)

    def forward(self, x):
        self.a = np.tanh(self.up.forward(x))
        return x + self.down.forward(self.a)

    def backward(self, dout):
        return dout + self.up.backward(self.down.backward(dout) * (1 - self.a**2))

print(Block(4, 9).forward(np.ones((2, 4))).shape)
"""


def test_what_is_made_of_other_things_is_made_with_their_sizes():
    assert places(BLOCK) == ("right", [])
    assert places(BLOCK.replace("return dout + self.up", "return self.up")) == ("wrong", [("delta-wrong", 25)])


MASKED = """import numpy as np

def masked_softmax_loss(scores, words, mask):
    N, T, V = scores.shape
    s, w, m = scores.reshape(N * T, V), words.reshape(-1), mask.reshape(-1)
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.sum(m * np.log(p[np.arange(N * T), w])) / N
    dscores = p.copy()
    dscores[np.arange(N * T), w] -= 1
    dscores *= m[:, None] / N
    return loss, dscores.reshape(N, T, V)
"""


def test_what_is_put_in_one_row_has_the_axes_of_what_it_stands_beside():
    assert places(MASKED) == ("right", [])
    assert places(MASKED.replace("dscores *= m[:, None] / N", "dscores /= N"))[0] != "right"


TABLE = """import numpy as np

def affine_forward(x, W):
    return np.tanh(x @ W), (x, W)

def affine_backward(dout, cache):
    x, W = cache
    back = dout * (1 - np.tanh(x @ W) ** 2)
    return back @ W.T, x.T @ back

def whole(held, x, strange):
    a, first = affine_forward(x, held["V"])
    b, second = affine_forward(a, held["U"])
    g = {}
    da, g["U"] = affine_backward(2 * b, second)
    _, g["V"] = affine_backward(da, first)
    return float(strange["none of mine"].sum() + np.sum(b**2)), g
"""


def test_what_gives_something_for_each_key_is_not_right_unjudged():
    assert judged(TABLE).outcome != "right"


STEPPED = """import numpy as np

class Scale:
    def __init__(self, n):
        self.gain, self.shift = np.ones(n), np.zeros(n)

    def forward(self, x):
        self.x = x
        return self.gain * x + self.shift

class Net:
    def __init__(self):
        self.V, self.u = rng.normal(size=(3, 6)), rng.normal(size=(6, 1))
        self.between = Scale(6)

    def loss(self, X, Y):
        self.h = 1 / (1 + np.exp(-self.between.forward(X @ self.V)))
        self.out = 1 / (1 + np.exp(-self.h @ self.u))
        return 0.5 * np.mean((self.out - Y) ** 2)

    def grads(self, X, Y):
        e = (self.out - Y) * self.out * (1 - self.out) / len(X)
        d = e @ self.u.T * self.h * (1 - self.h)
        found = {"u": self.h.T @ e, "V": X.T @ (d * self.between.gain)}
        found["gain"], found["shift"] = (d * self.between.x).sum(axis=0), d.sum(axis=0)
        return found

    def step(self, g, rate):
        self.V -= rate * g["V"]
        self.u -= rate * g["u"]
        self.between.gain -= rate * g["gain"]
        self.between.shift -= rate * g["shift"]

rng = np.random.default_rng(9)
X = rng.normal(size=(80, 3))
Y = (X[:, :1] * X[:, 1:2] > 0) * 1.0
net = Net()
for turn in range(40):
    print(net.loss(X, Y))
    net.step(net.grads(X, Y), 2.0)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('self.between.shift -= rate * g["shift"]', 'self.between.shift -= rate * g["gain"]'),
        ("(self.out - Y) * self.out * (1 - self.out) / len(X)", "(self.out - Y) / len(X)"),
    ],
)
def test_wrong_steps_are_told_at_the_line_after_whose_change_all_are_right(old, new):
    assert places(STEPPED) == ("right", [])
    outcome, [(_, line)] = places(STEPPED.replace(old, new))
    assert (outcome, line) == ("wrong", line_of(STEPPED, old))


IN_TURN = """import numpy as np

class Affine:
    def __init__(self, n, m, rng):
        self.W, self.b = rng.normal(size=(n, m)), np.zeros(m)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, d.sum(0)
        return d @ self.W.T

class Centre:
    def __init__(self, m):
        self.s = np.ones(m)

    def forward(self, x):
        self.c = x - x.mean(0)
        return self.s * self.c

    def backward(self, d):
        self.ds = (d * self.c).sum(0)
        d = d * self.s
        return d - d.mean(0)

class Model:
    def __init__(self, sizes, seed=0):
        rng = np.random.default_rng(seed)
        self.parts = []
        for n, m in zip(sizes, sizes[1:]):
            self.parts += [Affine(n, m, rng), Centre(m)]

    def error(self, x, y):
        for part in self.parts:
            x = part.forward(x)
        d = (x - y) / len(y)
        for part in reversed(self.parts):
            d = part.backward(d)
        return 0.5 * np.sum((x - y) ** 2) / len(y)

    def update(self, rate):
        for part in self.parts:
            for name in ("W", "b", "s"):
                if hasattr(part, name):
                    setattr(part, name, getattr(part, name) - rate * getattr(part, "d" + name))
"""


def test_a_loss_that_keeps_its_gradients_and_a_step_are_called_in_turn():
    assert places(IN_TURN) == ("right", [])  # the steps of b are lost in its digits, as it is centred away
    assert judged(IN_TURN.replace("d = (x - y) / len(y)", "d = x / len(y)")).outcome != "right"


IN_COLUMNS = """import numpy as np

def train(X, Y, n, steps=100, rate=0.5, keep=0.8):
    rng = np.random.default_rng(1)
    W, V = rng.normal(size=(n, X.shape[0])), rng.normal(size=(Y.shape[0], n))
    for _ in range(steps):
        D = rng.random((n, X.shape[1])) < keep
        A = np.maximum(W @ X, 0) * D / keep
        E = np.exp(V @ A)
        P = E / E.sum(axis=0)
        loss = -np.sum(Y * np.log(P)) / X.shape[1]
        d = (P - Y) / X.shape[1]
        back = V.T @ d * D / keep * (A > 0)
        V -= rate * d @ A.T
        W -= rate * back @ X.T
    return W, V
"""


def test_a_training_is_given_classes_in_columns():
    assert places(IN_COLUMNS) == ("right", [])
    assert places(IN_COLUMNS.replace("* D / keep * (A > 0)", "* D / keep"))[0] == "wrong"


HELPERS = """import numpy as np

def one_hot(y, n):
    return np.eye(n)[y]

def clip(g, most):
    return np.clip(g, -most, most)

class Scaler:
    def fit(self, X):
        self.m, self.s = X.mean(axis=0), X.std(axis=0)
        return self

    def transform(self, X):
        return (X - self.m) / self.s
"""


def test_where_purposes_are_all_that_is_known_each_function_must_have_one():
    assert places(HELPERS) == ("right", [])
    assert judged(HELPERS + "\ndef mixed(x, y):\n    return x * 0.3 + y\n").outcome == "not judged"
    assert judged(HELPERS + "\n    def _half(self, X):\n        return X / 2\n").outcome == "not judged"
    assert (
        judged(HELPERS + "\ndef scaled_and_clipped(X):\n    return clip(Scaler().fit(X).transform(X), 3)\n").outcome
        != "wrong"
    )
    wrong = HELPERS.replace("(X - self.m) / self.s", "(X - X.mean(axis=0)) / X.std(axis=0)")
    assert places(wrong) == ("wrong", [("other-than-said", 15)])
    longer = HELPERS.replace("np.clip(g, -most, most)", "g * most / np.linalg.norm(g)")
    assert places(longer) == ("wrong", [("other-than-said", 7)])
    unknown = HELPERS.replace("np.clip(g, -most, most)", "np.tanh(g / most) * most")
    assert judged(unknown).outcome == "not judged"


GROUPS = """import numpy as np
rng = np.random.default_rng(3)
label = rng.integers(0, 3, 120)
X = np.array([[0, 3.0], [3, -1], [-3, -1]])[label] + 0.7 * rng.normal(size=(120, 2))
kinds = label + 1
code = np.zeros((120, 3))
for i, k in enumerate(kinds):
    code[i, k - 1] = 1
W, b = 0.1 * rng.normal(size=(2, 3)), np.zeros(3)

def shares(X):
    z = X @ W + b
    high = z.max(axis=1, keepdims=True)
    top = np.exp(z - high)
    return top / np.exp(z - high).sum(axis=1, keepdims=True)

for turn in range(150):
    p = shares(X)
    loss = -np.mean(np.sum(code * np.log(p), axis=1))
    error = (p - code) / len(X)
    W -= 0.3 * X.T @ error
    b -= 0.3 * error.sum(axis=0)
print(loss, np.mean(shares(X).argmax(axis=1) + 1 == kinds))
"""
GROUPS_IN_COLUMNS = (
    GROUPS.replace("0.7 * rng.normal(size=(120, 2))\n", "0.7 * rng.normal(size=(120, 2))\nX = X.T\n")
    .replace("np.zeros((120, 3))", "np.zeros((3, 120))")
    .replace("code[i, k - 1]", "code[k - 1, i]")
    .replace("size=(2, 3)), np.zeros(3)", "size=(3, 2)), np.zeros((3, 1))")
    .replace("X @ W + b", "W @ X + b")
    .replace("axis=1", "axis=0")
    .replace("len(X)", "120")
    .replace("X.T @ error", "error @ X.T")
    .replace("error.sum(axis=0)", "error.sum(axis=1, keepdims=True)")
)


@pytest.mark.parametrize("text", [GROUPS, GROUPS_IN_COLUMNS])
def test_what_is_read_off_a_code_is_what_was_coded(text):
    assert places(text) == ("right", [])
    coded = "code[i, k - 1] = 1" if text == GROUPS else "code[k - 1, i] = 1"
    shifted = text.replace(coded, coded.replace("k - 1", "k % 3"))
    assert places(shifted) == ("wrong", [("other-than-said", line_of(text, coded))])
    read = "print(loss"
    assert places(text.replace(") + 1 == kinds", ") == kinds")) == ("wrong", [("metric-wrong", line_of(text, read))])


@pytest.mark.parametrize(
    "new",
    [
        "np.array([1, 2, 3])[shares(X).argmax(axis=1)] == kinds",  # a table of names
        "shares(X).argmax(axis=1) == label",
        "shares(X).argmax(axis=1) == code.argmax(axis=1)",
    ],
)
def test_classes_may_be_read_off_in_any_words(new):
    assert places(GROUPS.replace("shares(X).argmax(axis=1) + 1 == kinds", new)) == ("right", [])


def test_classes_are_not_read_off_over_the_samples():
    measure = "shares(X).argmax(axis=1) + 1 == kinds"
    over = GROUPS.replace(measure, "shares(X).argmax(axis=0) == code.argmax(axis=0)")
    assert places(over) == ("wrong", [("argmax-wrong-axis", line_of(GROUPS, "print(loss"))])
    surest = over.replace(
        "shares(X).argmax(axis=0) == code.argmax(axis=0)", "label[shares(X).argmax(axis=0)] == [0, 1, 2]"
    )
    assert places(surest) == ("right", [])  # the sample that is surest of each class


def test_shares_add_up_to_one():
    divided = "top / np.exp(z - high).sum(axis=1, keepdims=True)"
    other = GROUPS.replace(divided, divided.replace("z - high", "z"))
    assert places(other) == ("wrong", [("shares-not-one", line_of(GROUPS, divided))])
    assert places(GROUPS.replace(divided, divided + " + 0 * high")) == ("right", [])
    assert places(GROUPS.replace(divided, divided.replace(".sum", "[...].sum"))) == ("right", [])
    assert places(GROUPS.replace(divided, "top / (np.exp(z - high).sum(axis=1, keepdims=True) + 1e-9)"))[0] != "wrong"


def test_all_steps_have_a_rate():
    step = "b -= 0.3 * error.sum(axis=0)"
    assert places(GROUPS.replace(step, "b -= error.sum(axis=0)")) == (
        "wrong",
        [("constant-factor", line_of(GROUPS, step))],
    )
    own = GROUPS.replace("W, b =", "fast, slow = 1.0, 0.3\nW, b =").replace("0.3 * X.T", "slow * X.T")
    assert places(own.replace(step, "b -= fast * error.sum(axis=0)")) == ("right", [])
    none = GROUPS.replace(step, "b -= error.sum(axis=0)").replace("W -= 0.3 * X.T @ error", "W -= X.T @ error")
    assert places(none) == ("right", [])


def test_a_logarithm_to_another_base_is_told_where_the_gradient_is_that_of_the_natural_one():
    loss = "-np.mean(np.sum(code * np.log(p), axis=1))"
    tens = GROUPS.replace(loss, loss.replace("np.log", "np.log10"))
    assert places(tens) == ("wrong", [("loss-wrong", line_of(GROUPS, loss))])
    assert places(tens.replace("/ len(X)", "/ len(X) / np.log(10)")) == ("right", [])
    assert places(GROUPS.replace(loss, loss.replace("np.log", "np.log2"))) == ("right", [])  # in bits


WAVE = """import numpy as np
rng = np.random.default_rng(1)
x = np.linspace(-3, 3, 50)[:, None]
y = np.sin(x)
V, c = rng.normal(size=(1, 8)), np.zeros((1, 8))
u, d = 0.3 * rng.normal(size=(8, 1)), np.zeros((1, 1))
for turn in range(300):
    h = np.tanh(x @ V + c)
    o = h @ u + d
    loss = ((o - y) ** 2).mean()
    e = 2 * (o - y) / len(x)
    back = e @ u.T * (1 - h**2)
    down = back.sum(axis=0, keepdims=True)
    u = u - 0.05 * h.T @ e
    d = d - 0.05 * e.sum(axis=0, keepdims=True)
    V = V - 0.05 * x.T @ back
    c = c - 0.05 * down
"""
RESIDUAL = """import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3, 2))
y = (X.sum((1, 2)) > 0).astype(float)[:, None]
A, B, c = 0.3 * rng.normal(size=(2, 5)), 0.2 * rng.normal(size=(5, 5)), np.zeros(5)
V, d = 0.3 * rng.normal(size=(5, 1)), np.zeros(1)
start = np.zeros((1, 5))
for turn in range(60):
    h, before, bent = start, [], []
    for t in range(3):
        u = np.tanh(X[:, t] @ A + h @ B + c)
        before.append(h)
        bent.append(u)
        h = h + 0.5 * u
    p = 1 / (1 + np.exp(-(h @ V + d)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    e = (p - y) / 40
    gV, gd, back = h.T @ e, e.sum(0), e @ V.T
    gA, gB, gc = 0 * A, 0 * B, 0 * c
    for t in reversed(range(3)):
        s = 0.5 * back * (1 - bent[t] ** 2)
        gA, gB, gc = gA + X[:, t].T @ s, gB + (before[t] + 0 * s).T @ s, gc + s.sum(0)
        back = back + s @ B.T
    A, B, c, V, d = A - 0.5 * gA, B - 0.5 * gB, c - 0.5 * gc, V - 0.5 * gV, d - 0.5 * gd
"""


def test_a_bias_that_a_step_makes_larger_is_told_and_a_state_that_grows_is_not():
    assert places(WAVE) == ("right", [])
    summed = "down = back.sum(axis=0, keepdims=True)"
    assert places(WAVE.replace(summed, "down = back")) == ("wrong", [("bias-gradient-wrong", line_of(WAVE, summed))])
    assert places(RESIDUAL) == ("right", [])


SLOPED = """import numpy as np
np.random.seed(0)
x = 2 * np.random.rand(40, 1)
y = 4 + 3 * x

def line(x, a, b):
    return a * x + b

def slopes(x, y, a, b):
    error = line(x, a, b) - y
    da = np.mean(error * x)
    db = np.mean(line(x, a, b) - y)
    return da, db

a = b = 0.0
for k in range(30):
    da, db = slopes(x, y, a, b)
    a = a - 0.1 * da
    b = b - 0.1 * db
    cost = np.mean((line(x, a, b) - y) ** 2) / 2
"""


def test_a_sign_is_told_where_the_gradient_has_it_and_not_in_a_step_like_the_others():
    assert places(SLOPED) == ("right", [])
    mean = "db = np.mean(line(x, a, b) - y)"
    flipped = SLOPED.replace(mean, "db = np.mean(y - line(x, a, b))")
    assert places(flipped) == ("wrong", [("sign-flipped", line_of(SLOPED, mean))])
    step = "b = b - 0.1 * db"
    assert places(SLOPED.replace(step, "b = b + 0.1 * db")) == ("wrong", [("sign-flipped", line_of(SLOPED, step))])


SHOWN = """import numpy as np
gen = np.random.default_rng(4)
X = gen.normal(size=(90, 5))
K = np.argmax(X[:, :4] + 0.2 * gen.normal(size=(90, 4)), axis=1)
T = np.eye(4)[K]
A, a = gen.normal(size=(5, 4)), np.zeros(4)

def shares(X):
    s = np.exp(X @ A + a)
    return s / s.sum(axis=1, keepdims=True)

for turn in range(20):
    for k in range(0, 90, 15):
        e = shares(X[k:k + 15]) - T[k:k + 15]
        A -= 0.1 * X[k:k + 15].T @ e / 15
        a -= 0.1 * e.sum(axis=0) / 15
    print(-np.sum(T * np.log(shares(X))) / len(X))
"""


def test_a_cross_entropy_is_no_mean_over_classes_where_steps_are_of_the_mean_over_samples():
    assert places(SHOWN) == ("right", [])
    sum_ = "-np.sum(T * np.log(shares(X))) / len(X)"
    spread = SHOWN.replace(sum_, "-np.mean(T * np.log(shares(X)))")
    assert places(spread) == ("wrong", [("loss-wrong", line_of(SHOWN, sum_))])
    assert places(spread.replace(" / 15", "")) == ("right", [])  # the rate may make up for it
    assert places(SHOWN.replace(sum_, "-np.mean(np.sum(T * np.log(shares(X)), axis=1))")) == ("right", [])
    assert places(SHOWN.replace(sum_, "-np.sum(T * np.log(shares(X)))")) == ("right", [])


CHECKED = """import numpy as np

def slopes(f, p, h=1e-5):
    found = np.zeros_like(p)
    for k in np.ndindex(p.shape):
        kept = p[k]
        p[k] = kept + h
        above = f()
        p[k] = kept - h
        below = f()
        p[k] = kept
        found[k] = (above - below) / (2 * h)
    return found

def loss_and_grads(params, X, T):
    V, c, W, b = params
    H = np.tanh(X @ V + c)
    E = H @ W + b - T
    dz = E @ W.T * (1 - H**2) / len(X)
    return 0.5 * np.sum(E**2) / len(X), [X.T @ dz, dz.sum(0), H.T @ E / len(X), E.sum(0) / len(X)]

def check():
    rng = np.random.default_rng(1)
    params = [rng.normal(size=s) for s in [(3, 4), (4,), (4, 2), (2,)]]
    X, T = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    _, grads = loss_and_grads(params, X, T)
    for p, g in zip(params, grads):
        print(np.abs(slopes(lambda: loss_and_grads(params, X, T)[0], p) - g).max())

check()
"""


def test_numbers_that_are_moved_and_put_back_are_no_steps():
    assert places(CHECKED) == ("right", [])
    halved = CHECKED.replace("(2 * h)", "h")
    assert places(halved) == ("wrong", [("constant-factor", line_of(CHECKED, "(2 * h)"))])


WEIGHED = """import numpy as np

def shares(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

def attend(Q, K, V, mask=None):
    scores = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
    if mask is not None:
        scores = np.where(mask, -1e9, scores)
    A = shares(scores, axis=-2)
    return A @ V, A
"""


def test_what_does_other_than_it_should_is_told_though_its_gradients_are_right():
    assert places(WEIGHED) == ("wrong", [("other-than-said", 11)])  # A is the slope of A @ V


SCALED = """import numpy as np

def fitted(A):
    return A.mean(axis=0), A.std(axis=0)

gen = np.random.default_rng(5)
D = gen.normal([3, -20, 7], [1, 9, 2], size=(120, 3))
t = D @ np.array([1.0, 0.3, -0.5]) + 0.2 * gen.normal(size=120)
order = gen.permutation(120)
known, unseen = order[:90], order[90:]
middle, spread = fitted(D)
D = (D - middle) / spread
w, b = np.zeros(3), 0.0
for turn in range(100):
    e = D[known] @ w + b - t[known]
    w -= 0.1 * D[known].T @ e / len(known)
    b -= 0.1 * e.mean()
print(np.mean((D[known] @ w + b - t[known]) ** 2), np.mean((D[unseen] @ w + b - t[unseen]) ** 2))
"""


def test_what_is_held_out_has_no_say_in_the_scale_of_the_inputs():
    scale = "middle, spread = fitted(D)"
    assert places(SCALED) == ("wrong", [("held-out-rows-used", line_of(SCALED, scale))])
    assert places(SCALED.replace(scale, "middle, spread = fitted(D[known])")) == ("right", [])
    assert places(SCALED.replace(scale, "middle, spread = fitted(D[order[:90]])")) == ("right", [])
    assert places(SCALED.replace(", np.mean((D[unseen] @ w + b - t[unseen]) ** 2)", "")) == ("right", [])
    given = SCALED.replace(scale, "middle, spread = np.array([3.0, -20.0, 7.0]), np.array([1.0, 9.0, 2.0])")
    assert places(given) == ("right", [])


SOLVED = """import numpy as np
gen = np.random.default_rng(7)
A = np.c_[np.ones(70), gen.normal(size=(70, 2))]
t = (gen.random(70) < 1 / (1 + np.exp(-A @ np.array([0.3, -1.0, 2.0])))) * 1.0

def share(w):
    return 1 / (1 + np.exp(-A @ w))

def loss(w):
    p = share(w)
    return -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p)) + 0.4 * w @ w

w = np.zeros(3)
for turn in range(6):
    p = share(w)
    g = A.T @ (p - t) + 0.8 * w
    H = (A.T * (p * (1 - p))) @ A + 0.8 * np.eye(3)
    w = w - np.linalg.solve(H, g)
    print(turn, loss(w))
"""


def test_a_step_of_newtons_is_made_with_the_gradients_own_derivative():
    assert places(SOLVED) == ("right", [])
    assert places(SOLVED.replace(" + 0.8 * np.eye(3)", "")) == ("not judged", [])
    assert places(SOLVED.replace("(p * (1 - p))", "(1 - p) ** 2")) == ("not judged", [])  # the same at w = 0
    assert places(SOLVED.replace("- t) + 0.8 * w", "- t)").replace(" + 0.8 * np.eye(3)", ""))[0] != "right"
    assert places(SOLVED.replace("w - np.linalg.solve", "w + np.linalg.solve"))[0] != "right"
