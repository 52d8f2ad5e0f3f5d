"""What check finds out about functions of which it knows nothing: slopes, shapes, rounds, losses that nobody gives."""

import ast
from functools import cache

import numpy as np
import pytest

from byhand.diagnosis.check import claims, differences, names, shaping, telling, updates
from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.families import trainers

pytestmark = pytest.mark.xdist_group("check_found")  # one worker, which looks at each text once


@cache
def told(source):
    return {p.unit: p for p in telling.probes(File(source))}


def test_names_say_what_is_the_derivative_of_what():
    pairs = [("sigmoid_prime", "sigmoid"), ("dSigmoid", "sigmoid"), ("mse_grad", "mse_loss"), ("d_relu", "relu")]
    pairs += [("derivee_tanh", "tanh"), ("dloss", "loss"), ("tanhPrime", "tanh")]
    assert all(names.is_slope_of(slope, name) for slope, name in pairs)
    others = [
        ("softmax_stable", "softmax"),
        ("sigmoid_prime", "tanh"),
        ("sigmoid_prime", "sigmoid_grad"),
        ("sigmoid", "sigmoid_"),
        ("sigmoid_", "sigmoid"),
        ("dot", "ot_x"),
    ]
    assert not any(names.is_slope_of(slope, name) for slope, name in others)


# ---- a function beside its derivative

HEAD = "import numpy as np\n\n"
SIGMOID = HEAD + "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n\n"
TANH_OF_NUMPY = HEAD + "def tanh_deriv(x):\n    return 1 - np.tanh(x) ** 2\n"
FLAG = HEAD + "def act(x, deriv=False):\n    if deriv:\n        return x * (1 - x)\n    return 1 / (1 + np.exp(-x))\n"
MSE = HEAD + "def mse(y_true, y_pred):\n    return np.mean((y_true - y_pred) ** 2)\n\n"
ENTROPY = HEAD + "def entropy(p, y):\n    return -np.mean(np.sum(y * np.log(p), axis=1))\n\n"
STATIC = HEAD + "class Loss:\n    @staticmethod\n    def mae(p, t):\n        return np.mean(abs(p - t))\n\n"
STATIC += "    @staticmethod\n    def mae_prime(p, t):\n        return np.sign(p - t) / p.size\n"
SCALAR = "import math\n\ndef gate(x):\n    return x if x > 0 else 0.1 * x\n\n"
SCALAR += "def gate_prime(x):\n    return 1.0 if x > 0 else 0.1\n"
SOFTMAX = HEAD + "def softmax(z):\n    e = np.exp(z)\n    return e / e.sum(axis=1, keepdims=True)\n\n"


@pytest.mark.parametrize(
    ("source", "unit", "answer", "line"),
    [
        (SIGMOID + "def sigmoid_prime(z):\n    return sigmoid(z) * (1 - sigmoid(z))\n", "sigmoid_prime", "right", 0),
        (SIGMOID + "def sigmoid_prime(a):\n    return a * (1 - a)\n", "sigmoid_prime", "right", 0),
        (
            SIGMOID + "def sigmoid_back(grad, z):\n    s = sigmoid(z)\n    return grad * s * (1 - s)\n",
            "sigmoid and sigmoid_back",
            "right",
            0,
        ),
        (SIGMOID + "def sigmoid_prime(z):\n    return sigmoid(z) * sigmoid(1 - z)\n", "sigmoid_prime", "wrong", 7),
        (TANH_OF_NUMPY, "tanh_deriv", "right", 0),
        (TANH_OF_NUMPY.replace(" ** 2", ""), "tanh_deriv", "wrong", 4),
        (FLAG, "act", "right", 0),
        (FLAG.replace("x * (1 - x)", "x * (1 + x)"), "act", "wrong", 5),
        (
            MSE + "def mse_prime(y_true, y_pred):\n    return 2 * (y_pred - y_true) / y_true.size\n",
            "mse_prime",
            "right",
            0,
        ),
        (MSE + "def mse_prime(y_true, y_pred):\n    return y_pred - y_true\n", "mse_prime", "right", 0),
        (MSE + "def mse_prime(y_true, y_pred):\n    return y_true - y_pred\n", "mse_prime", "wrong", 7),
        (MSE + "def mse_prime(y_true, y_pred):\n    return np.mean(y_pred - y_true)\n", "mse_prime", "wrong", 7),
        (ENTROPY + "def entropy_grad(p, y):\n    return -y / p\n", "entropy_grad", "right", 0),
        (ENTROPY + "def entropy_grad(p, y):\n    return p - y\n", "entropy_grad", "right", 0),  # before the softmax
        (ENTROPY + "def entropy_grad(p, y):\n    return y / p\n", "entropy_grad", "wrong", 7),
        (STATIC, "Loss.mae_prime", "right", 0),
        (STATIC.replace("np.sign(p - t)", "np.sign(t - p)"), "Loss.mae_prime", "wrong", 10),
        (SCALAR, "gate_prime", "right", 0),
        (SCALAR.replace("else 0.1\n", "else 0.2\n"), "gate_prime", "wrong", 7),
    ],
)
def test_a_slope_is_held_against_what_it_is_called_after(source, unit, answer, line):
    assert (told(source)[unit].answer, told(source)[unit].line) == (answer, line)


@pytest.mark.parametrize(
    "source",
    [
        SOFTMAX + "def softmax_prime(s):\n    return s * (1 - s)\n",  # a part of the derivative, as a loss needs it
        SIGMOID + "def sigmoid_prime(a, y):\n    return a - y\n",  # that of a loss behind it
        HEAD + "W = np.ones((3, 3))\n\ndef cost(x):\n    return x @ W\n\ndef cost_grad(x):\n    return x\n",
    ],
)
def test_what_may_be_meant_otherwise_is_not_accused(source):
    assert all(p.answer != "wrong" for p in told(source).values())


def test_what_writes_into_its_argument_is_told_at_the_line():
    relu = HEAD + "def relu(x):\n    return np.maximum(x, 0)\n\n"
    relu += "def relu_prime(x):\n    x[x <= 0] = 0\n    x[x > 0] = 1\n    return x\n"
    found = told(relu)["relu_prime"]
    assert (found.answer, found.line, found.id) == ("wrong", 8, "input-mutated")
    assert told(relu.replace("    x[x <= 0]", "    x = x.copy()\n    x[x <= 0]"))["relu_prime"].answer == "right"


# ---- shapes


def shapes_of(source, name, unknown, sizes=()):
    file = File(source)
    call = f"result_ = {name}({', '.join(f'{a}={a}_' for a in unknown)})\n"
    hints = {f"{a}_": shaping.hint(file, file.functions[name], a, "unknown") for a in unknown}
    found = shaping.shapings(file, hints, call, {}, sizes)
    return [{a[:-1]: v if isinstance(v, int | float) else shape(v) for a, v in guess.items()} for guess in found]


def shape(value):
    return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else np.shape(value)


def test_arguments_take_the_shapes_that_the_first_operation_asks_for():
    dense = (
        "import numpy as np\n\ndef f(x, w, b):\n    n, d = x.shape\n    assert w.shape[0] == d\n    return x @ w + b\n"
    )
    found = shapes_of(dense, "f", ["x", "w", "b"])
    assert {"x": (7, 4), "w": (4, 5), "b": (5,)} in found
    assert {"x": (4, 7), "w": (7, 5), "b": (1, 5)} in found
    for guess in found:
        assert np.zeros(guess["x"]).shape[1] == guess["w"][0]


def test_a_dictionary_is_made_of_the_keys_that_are_read():
    cell = "import numpy as np\n\ndef f(x, h, p):\n    both = np.concatenate([h, x], axis=0)\n"
    cell += "    return np.tanh(np.dot(p['W'], both) + p['b']) * h\n"
    found = shapes_of(cell, "f", ["x", "h", "p"])
    assert {"x": (5, 7), "h": (4, 7), "p": {"W": (4, 9), "b": (4, 1)}} in found
    assert all(guess["h"][0] + guess["x"][0] == guess["p"]["W"][-1] for guess in found)


def test_gates_in_one_array_labels_and_kept_shares():
    gates = "import numpy as np\n\ndef f(x, h, W, U, y, keep):\n    n = h.shape[0]\n    z = W @ x + U @ h\n"
    gates += "    s = np.exp(z[:n] * z[n:2*n] * z[2*n:3*n] * z[3*n:4*n] * (np.ones(n) < keep))\n    return s[y]\n"
    found = shapes_of(gates, "f", ["x", "h", "W", "U", "y", "keep"])
    assert {"x": (7,), "h": (4,), "W": (16, 7), "U": (16, 4), "y": 2, "keep": 0.7} in found


def test_what_never_runs_has_no_shapes():
    assert shapes_of("def f(x, w):\n    return x @ w.nothing\n", "f", ["x", "w"]) == []


CONVOLUTION = """import numpy as np

def conv_forward(x, W, b):
    N, C, L = x.shape
    F, _, K = W.shape
    windows = np.stack([x[:, :, k : k + L - K + 1] for k in range(K)], axis=-1)
    return np.einsum("nclk,fck->nfl", windows, W) + b, (x.shape, windows)

def conv_backward(dout, cache, W):
    (N, C, L), windows = cache
    dW = np.einsum("nfl,nclk->fck", dout, windows)
    db = dout.sum(axis=(0, 2))[:, None]
    dwindows = np.einsum("nfl,fck->nclk", dout, W)
    dx = np.zeros((N, C, L))
    for k in range(W.shape[2]):
        dx[:, :, k : k + dout.shape[2]] += dwindows[..., k]
    return dx, dW, db
"""


def test_a_way_back_is_found_in_a_layout_that_no_table_has():
    assert told(CONVOLUTION)["conv_forward and conv_backward"].answer == "right"
    wrong = told(CONVOLUTION.replace("sum(axis=(0, 2))", "mean(axis=(0, 2))[::-1]"))["conv_forward and conv_backward"]
    assert (wrong.answer, wrong.line) == ("wrong", 12)
    assert "the gradient for b" in wrong.message


GATED = """import numpy as np

def cell_forward(xt, h_prev, p):
    both = np.concatenate((h_prev, xt), axis=0)
    u = 1 / (1 + np.exp(-(p["Wu"] @ both + p["bu"])))
    c = np.tanh(p["Wc"] @ both + p["bc"])
    h_next = u * c + (1 - u) * h_prev
    return h_next, (u, c, both, h_prev, p)

def cell_backward(dh_next, cache):
    u, c, both, h_prev, p = cache
    du = dh_next * (c - h_prev) * u * (1 - u)
    dc = dh_next * u * (1 - c**2)
    dboth = p["Wu"].T @ du + p["Wc"].T @ dc
    n = len(h_prev)
    return {
        "dWu": du @ both.T, "dWc": dc @ both.T, "dbu": du.sum(axis=1, keepdims=True),
        "dbc": dc.sum(axis=1, keepdims=True), "dh_prev": dboth[:n] + dh_next * (1 - u), "dxt": dboth[n:],
    }
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [("* u * (1 - u)", "* (1 - u**2)"), (" + dh_next * (1 - u)", ""), ("u * (1 - c**2)", "u * (1 - c)")],
)
def test_a_cell_with_its_weights_in_a_dictionary_is_judged(old, new):
    assert told(GATED)["cell_forward and cell_backward"].answer == "right"
    assert old in GATED
    assert told(GATED.replace(old, new))["cell_forward and cell_backward"].answer == "wrong"


STRIDES = """import numpy as np

def pool_forward(x, param):
    N, C, H, W = x.shape
    s = param["stride"]
    out = np.zeros((N, C, (H - 1) // s, W))
    for i in range(out.shape[2]):
        out[:, :, i] = x[:, :, i * s] * x[:, :, i * s + 1]
    return out, (x, param)

def pool_backward(dout, cache):
    x, param = cache
    s = param["stride"]
    dx = np.zeros(x.shape)
    for i in range(dout.shape[2]):
        dx[:, :, i * s] += dout[:, :, i] * x[:, :, i * s + 1]
        dx[:, :, i * s + 1] += dout[:, :, i] * x[:, :, i * s]
    return dx
"""


def test_a_number_is_tried_with_more_than_one_value():
    unit = "pool_forward and pool_backward"
    assert told(STRIDES)[unit].answer == "right"
    assert told(STRIDES.replace("dx[:, :, i * s + 1] +=", "dx[:, :, i + 1] +="))[unit].answer == "wrong"  # right with 1


LAYER = """import numpy as np

def through(dA, z):
    return dA * (z > 0)

def layer_forward(A, W, b, activation):
    z = W @ A + b
    out = 1 / (1 + np.exp(-z)) if activation == "sigmoid" else np.maximum(z, 0)
    return out, (A, W, z)

def layer_backward(dA, cache, activation):
    A, W, z = cache
    s = 1 / (1 + np.exp(-z))
    dz = through(dA, z) if activation == "relu" else dA * s * (1 - s)
    return W.T @ dz, dz @ A.T, dz.sum(axis=1, keepdims=True)

def both(A, W, b):
    hidden, _ = layer_forward(A, W, b, "relu")
    return layer_forward(hidden, W, b, "sigmoid")[0]
"""


def test_there_and_back_are_given_the_same_text_and_each_that_the_program_says():
    """The way there asks for "sigmoid" alone, the way back for "relu" alone."""
    unit = "layer_forward and layer_backward"
    assert told(LAYER)[unit].answer == "right"
    for old, new in (("dA * (z > 0)", "dA * (z > -1)"), ("s * (1 - s)", "s")):
        assert told(LAYER.replace(old, new))[unit].answer == "wrong"
    alone = LAYER.partition("def both")[0].replace("dA * (z > 0)", "dA * (z > -1)")
    assert told(alone)[unit].answer == "right"  # nothing says that it is meant to be called with "relu"


EVERY = """import numpy as np

def every_forward(x, step=1, first=0):
    kept = x[:, first::step]
    return kept**2, (x, step, first)

def every_backward(dout, cache):
    x, step, first = cache
    dx = np.zeros_like(x)
    for k in range(dout.shape[1]):
        at = first + step * k
        dx[:, at] = 2 * x[:, at] * dout[:, k]
    return dx

if __name__ == "__main__":
    out, cache = every_forward(np.ones((2, 9)), 2, first=1)
"""


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [("", "", "right"), ("first + step * k", "first + k", "wrong"), ("first + step * k", "step * k", "wrong")],
)
def test_what_has_a_number_by_default_is_given_those_of_the_programs_own_calls(old, new, answer):
    assert told(EVERY.replace(old, new))["every_forward and every_backward"].answer == answer
    if old:
        alone = EVERY.partition("if __name__")[0]
        assert told(alone.replace(old, new))["every_forward and every_backward"].answer == "right"


STEEP = """import numpy as np

def steep(x, rate=1.0):
    return np.where(x > 0, x, rate * (np.exp(x) - 1))

def steep_prime(x, rate=1.0):
    return np.where(x > 0, 1, rate * np.exp(x))

class Steep:
    def __init__(self, rate=1.0):
        self.rate = rate

    def forward(self, x):
        self.x = x
        return steep(x, self.rate)

    def backward(self, dout):
        return dout * steep_prime(self.x, self.rate)
"""
SOFT_ABS = """import numpy as np

def square(p, y):
    return 0.5 * np.mean((p - y) ** 2)

def square_grad(p, y):
    return (p - y) / len(y)

def soft(p, y, width=2.0):
    far = width * (np.abs(p - y) - 0.5 * width)
    return np.mean(np.where(np.abs(p - y) <= width, 0.5 * (p - y) ** 2, far))

def soft_grad(p, y, width=2.0):
    slope = np.where(np.abs(p - y) <= width, p - y, width * np.sign(p - y))
    return slope / len(y)
"""


def test_a_number_by_default_may_hide_what_lacks_it():
    assert {p.answer for p in told(STEEP).values()} == {"right"}
    found = told(STEEP.replace("1, rate * np.exp(x)", "1, np.exp(x)"))
    assert (found["steep_prime"].answer, found["steep_prime"].line) == ("wrong", 7)
    assert told(STEEP.replace("self.x, self.rate", "self.x"))["Steep"].answer == "wrong"
    assert {p.answer for p in told(SOFT_ABS).values()} == {"right"}
    found = told(SOFT_ABS.replace("width * np.sign", "np.sign"))["soft_grad"]  # and not as the square's slope
    assert (found.answer, found.line, found.is_placed) == ("wrong", 14, True)


# ---- rounds

ROUND = """import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def forward(X, W1, b1, W2, b2):
    A1 = np.tanh(W1 @ X + b1)
    A2 = sigmoid(W2 @ A1 + b2)
    return A1, A2

def cost(AL, Y):
    return -np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))

def backward(X, Y, A1, A2, W2):
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2
"""


def test_functions_whose_weights_nobody_makes_are_a_round_with_their_cost():
    assert told(ROUND)["backward"].answer == "right"
    wrong = told(ROUND.replace(" * (1 - A1**2)", " * (1 - A1)"))["backward"]
    assert (wrong.answer, wrong.line) == ("wrong", 19)  # where both of what is wrong come from
    assert "the gradient for W1 is" in wrong.message
    assert "W2 is" not in wrong.message


def test_a_cost_that_nothing_shows_to_be_meant_accuses_no_gradient():
    other = ROUND.replace("-np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))", "np.mean((AL - Y) ** 4)")
    assert all(p.answer != "wrong" for p in told(other).values())
    first = "def first_grad(X, Y, A1, A2, W2):\n    dZ1 = W2.T @ (A2 - Y) * A1\n    dW1 = dZ1 @ X.T\n"
    first += "    db1 = dZ1.sum(axis=1, keepdims=True)\n    return dW1, db1\n"
    assert told(ROUND + first)["first_grad"].answer == "wrong"
    assert told(other + first).get("first_grad") is None


def test_a_way_back_that_is_sent_something_else_is_not_accused():
    softmax = "import numpy as np\n\ndef net_forward(x, p):\n    s = np.exp(x @ p['W'] + p['b'])\n"
    softmax += "    probs = s / s.sum(axis=1, keepdims=True)\n    return probs, x\n\n"
    softmax += "def net_backward(dscores, cache):\n    return {'dW': cache.T @ dscores, 'db': dscores.sum(axis=0)}\n"
    assert told(softmax) == {}


def test_a_round_without_a_cost_or_a_name_in_common_is_none():
    assert "backward" not in told(ROUND.replace("def cost", "def other"))
    assert "backward" not in told(ROUND.replace("(X, Y, A1, A2, W2)", "(Q, R, S, T, U)"))


# ---- a loss that nobody gives

ONE_BY_ONE = """import numpy as np

class Net:
    def __init__(self, sizes):
        self.weights = [np.random.randn(m, n) for n, m in zip(sizes[:-1], sizes[1:])]
        self.biases = [np.random.randn(m, 1) for m in sizes[1:]]

    def run(self, a):
        for w, b in zip(self.weights, self.biases):
            a = np.tanh(w @ a + b)
        return a

    def nudges(self, x, y):
        kept = [x]
        for w, b in zip(self.weights, self.biases):
            kept.append(np.tanh(w @ kept[-1] + b))
        delta = (kept[-1] - y) * (1 - kept[-1] ** 2)
        back = []
        for k in range(len(self.weights) - 1, -1, -1):
            back.insert(0, (delta @ kept[k].T, delta))
            delta = self.weights[k].T @ delta * (1 - kept[k] ** 2)
        return [g for g, _ in back], [g for _, g in back]
"""


def test_gradients_of_a_loss_that_nobody_gives_must_agree_on_its_slopes():
    assert told(ONE_BY_ONE)["Net.nudges"].answer == "right"
    other_loss = ONE_BY_ONE.replace("(kept[-1] - y) * (1 - kept[-1] ** 2)", "kept[-1] - y")
    assert told(other_loss)["Net.nudges"].answer == "right"
    wrong = told(ONE_BY_ONE.replace("delta * (1 - kept[k] ** 2)", "delta"))["Net.nudges"]
    assert wrong.answer == "wrong"
    assert "weights[0]" in wrong.message
    assert "weights[1]" not in wrong.message


def test_what_goes_uphill_is_not_called_right():
    assert "Net.nudges" not in told(ONE_BY_ONE.replace("(kept[-1] - y)", "(y - kept[-1])"))


# ---- objects that step

OPTIMIZER = """import numpy as np

class Momentum:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}

    def step(self, params, grads):
        for key in params:
            if key not in self.v:
                self.v[key] = np.zeros_like(params[key])
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]

class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.s = None
        self.t = 0

    def update(self, w, dw):
        if self.m is None:
            self.m, self.s = np.zeros_like(w), np.zeros_like(w)
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * dw
        self.s = self.beta2 * self.s + (1 - self.beta2) * dw**2
        m_hat = self.m / (1 - self.beta1**self.t)
        s_hat = self.s / (1 - self.beta2**self.t)
        return w - self.lr * m_hat / (np.sqrt(s_hat) + self.eps)
"""
FOR_EACH = """def update(W, b, dW, db, rate, beta):
    vW, vb = 0, 0
    vW = beta * vW + (1 - beta) * dW
    vb = beta * vb + (1 - beta) * db
    return W - rate * vW, b - rate * vb, vW, vb
"""
CONFIG = """def sgd_momentum(w, dw, config):
    config.setdefault("learning_rate", 0.01)
    v = config["momentum"] * config.get("velocity", 0) - config["learning_rate"] * dw
    config["velocity"] = v
    return w + v, config
"""
ADAM = """import numpy as np

def adam(w, dw, config):
    config.setdefault("learning_rate", 0.001)
    config.setdefault("epsilon", 1e-8)
    config["t"] += 1
    t, beta1, beta2 = config["t"], config["beta1"], config["beta2"]
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw * dw
    mean, square = config["m"] / (1 - beta1**t), config["v"] / (1 - beta2**t)
    return w - config["learning_rate"] * mean / (np.sqrt(square) + config["epsilon"]), config
"""


STATES = """import numpy as np

def adam(params, grads, states, options):
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    for p, g, (v, s) in zip(params, grads, states):
        v[:] = beta1 * v + (1 - beta1) * g
        s[:] = beta2 * s + (1 - beta2) * g**2
        v_hat, s_hat = v / (1 - beta1 ** options["t"]), s / (1 - beta2 ** options["t"])
        p -= options["lr"] * v_hat / (np.sqrt(s_hat) + eps)
    options["t"] += 1
"""
LAYER_LISTS = """import numpy as np

class RMSProp:
    def __init__(self, lr=0.01, rho=0.9, eps=1e-8):
        self.lr, self.rho, self.eps, self.s = lr, rho, eps, None

    def update(self, params, grads):
        if self.s is None:
            self.s = [[np.zeros_like(p) for p in layer] for layer in params]
        for k, layer in enumerate(params):
            for j in range(len(layer)):
                self.s[k][j] = self.rho * self.s[k][j] + (1 - self.rho) * grads[k][j] ** 2
                layer[j] -= self.lr * grads[k][j] / (np.sqrt(self.s[k][j]) + self.eps)
"""
ADADELTA = """import numpy as np

def adadelta(p, dp, cache):
    cache.setdefault("rho", 0.95)
    cache.setdefault("eps", 1e-6)
    rho, eps = cache["rho"], cache["eps"]
    cache["squares"] = rho * cache["squares"] + (1 - rho) * dp**2
    move = np.sqrt(cache["moves"] + eps) / np.sqrt(cache["squares"] + eps) * dp
    cache["moves"] = rho * cache["moves"] + (1 - rho) * move**2
    return p - move, cache

class Adadelta:
    def __init__(self, rate=1.0, rho=0.9, eps=1e-6):
        self.rate, self.rho, self.eps, self.g2, self.d2 = rate, rho, eps, {}, {}

    def update(self, params, grads):
        for key, grad in grads.items():
            g2, d2 = self.g2.get(key, np.zeros_like(grad)), self.d2.get(key, np.zeros_like(grad))
            self.g2[key] = self.rho * g2 + (1 - self.rho) * grad**2
            step = np.sqrt((d2 + self.eps) / (self.g2[key] + self.eps)) * grad
            self.d2[key] = self.rho * d2 + (1 - self.rho) * step**2
            params[key] -= self.rate * step
"""


@pytest.mark.parametrize(
    ("source", "old", "new", "unit", "answer", "line", "id_"),
    [
        (ADADELTA, "", "", "adadelta", "right", 0, "unknown"),
        (ADADELTA, "move**2", "dp**2", "adadelta", "wrong", 9, "unknown"),
        (ADADELTA, "", "", "Adadelta", "right", 0, "unknown"),
        (ADADELTA, "step**2", "grad**2", "Adadelta", "wrong", 21, "unknown"),
        (STATES, "", "", "adam", "right", 0, "unknown"),
        (STATES, "np.sqrt(s_hat)", "s_hat", "adam", "wrong", 9, "root-missing"),
        (STATES, '1 - beta2 ** options["t"]', "1 - beta2", "adam", "wrong", 8, "bias-correction-wrong"),
        (LAYER_LISTS, "", "", "RMSProp", "right", 0, "unknown"),
        (LAYER_LISTS, "grads[k][j] ** 2", "abs(grads[k][j])", "RMSProp", "wrong", 12, "unknown"),
        (LAYER_LISTS, "grads[k][j] ** 2", "grads[k][j]", "RMSProp", "wrong", 12, "unknown"),
        (OPTIMIZER, "", "", "Momentum", "right", 0, "unknown"),
        (OPTIMIZER, "", "", "Adam", "right", 0, "unknown"),
        (OPTIMIZER, "params[key] +=", "params[key] -=", "Momentum", "wrong", 12, "sign-flipped"),
        (OPTIMIZER, "self.beta2**self.t", "self.beta1**self.t", "Adam", "wrong", 27, "bias-correction-wrong"),
        (OPTIMIZER, "* dw**2", "* np.sum(dw**2)", "Adam", "wrong", 25, "unknown"),
        (OPTIMIZER, "* m_hat / (", "* 3 * m_hat / (", "Adam", "unclear", 0, "unknown"),
        (FOR_EACH, "", "", "update", "wrong", 3, "momentum-reset"),
        (FOR_EACH, "    vW, vb = 0, 0\n", "", "update", None, 0, ""),
        (
            FOR_EACH,
            "W, b, dW, db, rate, beta):\n    vW, vb = 0, 0",
            "W, b, dW, db, vW, vb, rate, beta):",
            "update",
            "right",
            0,
            "unknown",
        ),
        (CONFIG, "", "", "sgd_momentum", "right", 0, "unknown"),
        (CONFIG, "w + v,", "w - v,", "sgd_momentum", "wrong", 5, "sign-flipped"),
        (ADAM, "", "", "adam", "right", 0, "unknown"),
        (ADAM, "1 - beta2**t", "1 - beta1**t", "adam", "wrong", 10, "bias-correction-wrong"),
        (ADAM, "1 - beta1**t", "1 - beta2**t", "adam", "wrong", 10, "bias-correction-wrong"),
        ("def step(w, g, lr):\n    return w - lr * g\n", "", "", "step", "right", 0, "unknown"),
        ("def step(w, g, lr):\n    return w - lr * g\n", "w -", "w +", "step", "wrong", 2, "sign-flipped"),
        ("def mix(w, g, lr):\n    return w + lr * g\n", "", "", "mix", None, 0, ""),
    ],
)
def test_what_takes_a_step_is_held_against_the_optimizers(source, old, new, unit, answer, line, id_):
    assert old in source
    found = {u.unit: (u.answer, u.line, u.id) for u in updates.updates(File(source.replace(old, new, 1)))}
    assert found.get(unit) == ((answer, line, id_) if answer else None)


OF_PARAMETERS = """import numpy as np

class Adam:
    def __init__(self, params, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        self.params, self.lr, self.beta1, self.beta2, self.eps = params, lr, beta1, beta2, eps
        self.first = [np.zeros_like(p) for p in params]
        self.second = [np.zeros_like(p) for p in params]
        self.t = 0

    def apply(self, grads):
        self.t += 1
        for i, g in enumerate(grads):
            self.first[i] = self.beta1 * self.first[i] + (1 - self.beta1) * g
            self.second[i] = self.beta2 * self.second[i] + (1 - self.beta2) * g**2
            m = self.first[i] / (1 - self.beta1**self.t)
            v = self.second[i] / (1 - self.beta2**self.t)
            self.params[i] -= self.lr * m / (np.sqrt(v) + self.eps)

class Nesterov:
    def __init__(self, weights, rate, mu):
        self.weights, self.rate, self.mu = weights, rate, mu
        self.v = {k: np.zeros_like(w) for k, w in weights.items()}

    def step(self, grads):
        for k in self.weights:
            self.v[k] = self.mu * self.v[k] - self.rate * grads[k]
            self.weights[k] = self.weights[k] + self.mu * self.v[k] - self.rate * grads[k]
"""


@pytest.mark.parametrize(
    ("old", "new", "answers", "line", "id_"),
    [
        ("", "", ("right", "right"), 0, "unknown"),
        (
            "self.second = [np.zeros_like(p) for p in params]",
            "self.second = self.first",
            ("wrong", "right"),
            7,
            "moments-shared",
        ),
        ("self.beta2**self.t", "self.beta1**self.t", ("wrong", "right"), 16, "bias-correction-wrong"),
        ("self.params[i] -=", "self.params[i] +=", ("wrong", "right"), 17, "sign-flipped"),
        ("self.weights[k] + self.mu", "self.weights[k] - self.mu", ("right", "unclear"), 0, "unknown"),
    ],
)
def test_an_optimizer_may_be_made_of_the_parameters(old, new, answers, line, id_):
    assert old in OF_PARAMETERS
    adam, nesterov = updates.updates(File(OF_PARAMETERS.replace(old, new, 1)))
    assert (adam.answer, nesterov.answer, adam.line, adam.id) == (*answers, line, id_)


OF_SHARES = """import numpy as np

def divergence(scores, target):
    '''KL(target || softmax(scores)), mean over rows; shares of target may be zero.'''
    z = scores - scores.max(axis=1, keepdims=True)
    log_q = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    log_p = np.log(np.where(target > 0, target, 1))
    loss = np.sum(target * (log_p - log_q)) / len(scores)
    grad = (np.exp(log_q) - target) / len(scores)
    return loss, grad
"""


def test_a_loss_of_shares_is_given_shares_and_zeros_where_it_says_so():
    assert told(OF_SHARES)["divergence"].answer == "right"
    plain = OF_SHARES.replace("np.where(target > 0, target, 1)", "target")
    found = told(plain)["divergence"]
    assert (found.answer, found.line, found.id) == ("wrong", 7, "log-of-zero")
    assert told(plain.replace("may be zero", "are positive"))["divergence"].answer == "right"
    flipped = plain.replace("np.exp(log_q) - target", "target - np.exp(log_q)")
    assert (told(flipped)["divergence"].answer, told(flipped)["divergence"].line) == ("wrong", 9)


def test_methods_of_a_base_are_those_of_a_class():
    layer = "import numpy as np\n\nclass Act:\n    def __init__(self, f, df):\n        self.f, self.df = f, df\n"
    layer += "    def forward(self, x):\n        self.x = x\n        return self.f(x)\n"
    layer += "    def backward(self, g):\n        return g * self.df(self.x)\n\n"
    layer += (
        "class Tanh(Act):\n    def __init__(self):\n        super().__init__(np.tanh, lambda x: 1 - np.tanh(x) ** 2)\n"
    )
    assert told(layer)["Tanh"].answer == "right"
    assert told(layer.replace("1 - np.tanh(x) ** 2", "1 - x**2"))["Tanh"].answer == "wrong"


def test_a_class_that_inherits_keeps_its_own_methods():
    base = "class A:\n    def f(self):\n        return 1\n    def g(self):\n        return 2\n\n"
    file = File(base + "class B(A):\n    def f(self):\n        return 3\n")
    bodies = {m.name: ast.unparse(m.body[0]) for m in file.classes["B"].body if isinstance(m, ast.FunctionDef)}
    assert bodies == {"f": "return 3", "g": "return 2"}


# ---- what a way back sends, and what a way there keeps

GATE = """import numpy as np

class Gate:
    def forward(self, x):
        out = 1 / (1 + np.exp(-x))
        self.out = out
        return out

    def backward(self, dout):
        return dout * self.out * (1 - self.out)
"""
THINNED = """import numpy as np

def thin_forward(x, options):
    kept = np.random.rand(*x.shape) < options["keep"]
    out = x * kept / options["keep"]
    return out, (kept, options)

def thin_backward(dout, cache):
    kept, options = cache
    dx = dout * kept / options["keep"]
    return dx
"""
NORM = """import numpy as np

def norm_forward(x, gamma, beta, options):
    mean, var = x.mean(axis=0), x.var(axis=0)
    std = np.sqrt(var + 1e-5)
    hat = (x - mean) / std
    old_mean, old_var = options.get("mean", np.zeros(x.shape[1])), options.get("var", np.zeros(x.shape[1]))
    options["mean"] = 0.9 * old_mean + 0.1 * mean
    options["var"] = 0.9 * old_var + 0.1 * var
    assert options["mode"] == "train"
    return gamma * hat + beta, (hat, gamma, std)

def norm_backward(dout, cache):
    hat, gamma, std = cache
    dhat = dout * gamma
    dx = (dhat - dhat.mean(axis=0) - hat * (dhat * hat).mean(axis=0)) / std
    return dx, (dout * hat).sum(axis=0), dout.sum(axis=0)
"""
POOL = """import numpy as np

def pool_forward(x, options):
    size, step = options["size"], options["step"]
    out = np.zeros((*x.shape[:2], *((n - size) // step + 1 for n in x.shape[2:])))
    for i, j in np.ndindex(out.shape[2:]):
        out[:, :, i, j] = x[:, :, i * step : i * step + size, j * step : j * step + size].max(axis=(2, 3))
    return out, (x, options)

def pool_backward(dout, cache):
    x, options = cache
    size, step = options["size"], options["step"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        part = x[n, c, i * step : i * step + size, j * step : j * step + size]
        row, column = np.unravel_index(part.argmax(), part.shape)
        dx[n, c, i * step + row, j * step + column] += dout[n, c, i, j]
    return dx

def relu_pool_forward(x, pool):
    out, cache = pool_forward(np.maximum(x, 0), pool)
    return out, (x, cache)

def relu_pool_backward(dout, cache):
    x, inner = cache
    return pool_backward(dout, inner) * (x > 0)
"""
ENTROPY_LAYER = """import numpy as np

class Entropy:
    def forward(self, A, Y):
        self.Y, e = Y, np.exp(A - A.max(axis=1, keepdims=True))
        self.shares = e / e.sum(axis=1, keepdims=True)
        return -np.sum(Y * np.log(self.shares)) / len(A)

    def backward(self):
        return (self.shares - self.Y) / len(self.Y)
"""
NEGATIVE_LOG = """import numpy as np

class NegativeLog:
    def forward(self, shares, y):
        self.shares, self.y = shares, y
        return float(-np.sum(y * np.log(shares)))

    def backward(self):
        return self.shares - self.y
"""
HOLDER = """import numpy as np

class Dense:
    def __init__(self, inputs, outputs, rng):
        self.W, self.b = rng.normal(size=(inputs, outputs)), np.zeros((1, outputs))
        self.dLdW, self.dLdb = np.zeros((inputs, outputs)), np.zeros((1, outputs))

    def forward(self, A):
        self.A = A
        return A @ self.W + self.b

    def backward(self, dLdZ):
        self.dLdW = self.A.T @ dLdZ
        self.dLdb = dLdZ.sum(axis=0, keepdims=True)
        return dLdZ @ self.W.T
"""
RIDGE = """import numpy as np

def loss_ridge(y, x, w, weight=None):
    z = x @ w
    found = np.mean(np.log(1 + np.exp(z)) - y * z)
    return found + weight / 2 * w @ w if weight else found

def gradient_ridge(y, x, w, weight=None):
    grad = x.T @ (1 / (1 + np.exp(-x @ w)) - y) / len(y)
    if weight:
        grad = grad + weight * w
    return grad
"""
AVERAGES = """import numpy as np

class Norm:
    def __init__(self, n, share=0.9):
        self.g, self.b, self.share = np.ones(n), np.zeros(n), share
        self.middle, self.spread = np.zeros(n), np.ones(n)

    def forward(self, x):
        m, v = x.mean(axis=0), x.var(axis=0)
        self.middle = self.share * self.middle + (1 - self.share) * m
        self.spread = self.share * self.spread + (1 - self.share) * v
        self.std = np.sqrt(v + 1e-6)
        self.hat = (x - m) / self.std
        return self.g * self.hat + self.b

    def backward(self, dout):
        self.dg, self.db = np.sum(dout * self.hat, axis=0), dout.sum(axis=0)
        d = dout * self.g
        return (d - d.mean(axis=0) - self.hat * (d * self.hat).mean(axis=0)) / self.std
"""
KERNELS = """import numpy as np

def windows(x, kh, kw, step):
    h, w = (x.shape[2] - kh) // step + 1, (x.shape[3] - kw) // step + 1
    found = np.zeros((*x.shape[:2], kh, kw, h, w))
    for i in range(kh):
        for j in range(kw):
            found[:, :, i, j] = x[:, :, i : i + step * h : step, j : j + step * w : step]
    return found

def put_back(found, shape, step):
    _, _, kh, kw, h, w = found.shape
    x = np.zeros(shape)
    for i in range(kh):
        for j in range(kw):
            x[:, :, i : i + step * h : step, j : j + step * w : step] += found[:, :, i, j]
    return x

class Kernels:
    def __init__(self, K, b, step=1):
        self.K, self.b, self.step = K, b, step

    def forward(self, x):
        F, C, kh, kw = self.K.shape
        self.shape, self.found = x.shape, windows(x, kh, kw, self.step)
        return np.einsum("ncijhw,fcij->nfhw", self.found, self.K) + self.b.reshape(1, F, 1, 1)

    def backward(self, dout):
        self.dK = np.einsum("ncijhw,nfhw->fcij", self.found, dout)
        self.db = dout.sum(axis=(0, 2, 3))
        return put_back(np.einsum("nfhw,fcij->ncijhw", dout, self.K), self.shape, self.step)
"""
MEANS = """import numpy as np

class Means:
    def __init__(self, length, apart):
        self.length, self.apart = length, apart

    def forward(self, x):
        self.shape, k, s = x.shape, self.length, self.apart
        h, w = (x.shape[2] - k) // s + 1, (x.shape[3] - k) // s + 1
        out = np.zeros((*x.shape[:2], h, w))
        for i in range(h):
            for j in range(w):
                out[:, :, i, j] = x[:, :, i * s : i * s + k, j * s : j * s + k].mean(axis=(2, 3))
        return out

    def backward(self, dout):
        dx, k, s = np.zeros(self.shape), self.length, self.apart
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                dx[:, :, i * s : i * s + k, j * s : j * s + k] += dout[:, :, i : i + 1, j : j + 1] / k**2
        return dx
"""
HEADS = """import numpy as np

class Heads:
    def __init__(self, width, heads):
        assert width % heads == 0
        self.heads = heads
        self.V = np.random.randn(width, width)

    def apart(self, x):
        N, T, D = x.shape
        return x.reshape(N, T, self.heads, D // self.heads).transpose(0, 2, 1, 3)

    def forward(self, x):
        N, T, D = x.shape
        self.x, self.v = x, self.apart(x @ self.V)
        s = self.v @ self.v.transpose(0, 1, 3, 2)
        self.a = 1 / (1 + np.exp(-s))
        return (self.a @ self.v).transpose(0, 2, 1, 3).reshape(N, T, D)

    def backward(self, dout):
        N, T, D = dout.shape
        d = self.apart(dout)
        ds = d @ self.v.transpose(0, 1, 3, 2) * self.a * (1 - self.a)
        dv = self.a.transpose(0, 1, 3, 2) @ d + (ds + ds.transpose(0, 1, 3, 2)) @ self.v
        flat = dv.transpose(0, 2, 1, 3).reshape(N * T, D)
        self.dV = self.x.reshape(N * T, D).T @ flat
        return (flat @ self.V.T).reshape(N, T, D)
"""
LEAKY = """import numpy as np

def leaky(x):
    return np.where(x > 0, x, 0.01 * x)

def leaky_prime(x):
    return np.where(x > 0, 1, 0.01)
"""
NUMERICAL = """import numpy as np

class Model:
    def __init__(self, n_in, n_out):
        self.held = {"W": np.random.randn(n_in, n_out), "b": np.zeros(n_out)}

    def loss(self, x, t):
        return np.mean((np.tanh(x @ self.held["W"] + self.held["b"]) - t) ** 2)

    def numerical_gradient(self, x, t):
        grads = {}
        for key, values in self.held.items():
            grads[key] = np.zeros_like(values)
            for k in np.ndindex(values.shape):
                kept = values[k]
                values[k] = kept + 1e-5
                more = self.loss(x, t)
                values[k] = kept - 1e-5
                grads[key][k] = (more - self.loss(x, t)) / 2e-5
                values[k] = kept
        return grads
"""
SAMPLES = """def error(a, b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (a * x[i] + b - y[i]) ** 2
    return total / len(x)

def gradient(a, b, x, y):
    da, db = 0.0, 0.0
    for i in range(len(x)):
        off = a * x[i] + b - y[i]
        da += 2 * off * x[i]
        db += 2 * off
    return da / len(x), db / len(x)
"""
MANNERS = """import numpy as np

class Layer:
    def __init__(self, n_in, n_out, kind="relu"):
        self.weights, self.bias, self.kind = np.random.randn(n_in, n_out), np.zeros(n_out), kind

    def forward(self, x):
        self.x, self.z = x, x @ self.weights + self.bias
        if self.kind == "tanh":
            return np.tanh(self.z)
        return np.maximum(self.z, 0)

    def backward(self, back):
        if self.kind == "tanh":
            dz = back * (1 - np.tanh(self.z) ** 2)
        else:
            dz = back * (self.z > 0)
        self.dW = self.x.T @ dz
        self.db = dz.sum(axis=0)
        return dz @ self.weights.T
"""
VECTOR = """import numpy as np

def apply_softmax(input):
    e = np.exp(input - input.max())
    return e / e.sum()

def softmax_backward(dout, shares):
    slopes = np.diag(shares) - np.outer(shares, shares)
    return slopes @ dout
"""
BOTH = "relu_pool_forward and relu_pool_backward"


@pytest.mark.parametrize(
    ("source", "old", "new", "unit", "answer", "line"),
    [
        (ENTROPY_LAYER, "", "", "Entropy", "right", 0),
        (ENTROPY_LAYER, "self.shares - self.Y", "self.shares + self.Y", "Entropy", "wrong", 10),
        (NEGATIVE_LOG, "", "", "NegativeLog", "right", 0),  # it is that for the scores before a softmax
        (NEGATIVE_LOG, "self.shares - self.y", "-self.y / self.shares", "NegativeLog", "right", 0),
        (NEGATIVE_LOG, "self.shares - self.y", "self.y - self.shares", "NegativeLog", "wrong", 9),
        (NEGATIVE_LOG, "backward(self)", "backward(self, shares, y)", "NegativeLog", "right", 0),
        (HOLDER, "", "", "Dense", "right", 0),
        (HOLDER, "self.A.T @ dLdZ", "self.A.T @ dLdZ / dLdZ.size * 2", "Dense", "wrong", 13),
        (RIDGE, "", "", "gradient_ridge", "right", 0),
        (RIDGE, "grad + weight * w", "grad + weight", "gradient_ridge", "wrong", 11),
        (LEAKY, "", "", "leaky_prime", "right", 0),
        (LEAKY, "x, 0.01 * x", "x, 0", "leaky", "wrong", 4),  # the slope is that of a leaky ReLU
        (NUMERICAL, "", "", "Model.numerical_gradient", "right", 0),
        (NUMERICAL, "kept - 1e-5", "kept + 1e-5", "Model.numerical_gradient", "wrong", 18),
        (SAMPLES, "", "", "gradient", "right", 0),
        (VECTOR, "", "", "apply_softmax and softmax_backward", "right", 0),
        (VECTOR, "np.diag(shares) -", "-np.diag(shares) -", "apply_softmax and softmax_backward", "wrong", 8),
        (MANNERS, "", "", "Layer", "right", 0),
        (MANNERS, "back * (1 - np", "(1 - np", "Layer", "wrong", 15),
        (MANNERS, "back * (1 - np.tanh(self.z) ** 2)", "back", "Layer", "unclear", 0),  # it may be left to the loss
        (MANNERS, "self.dW = self.x.T @ dz", "self.dW = self.x.T @ back", "Layer", "wrong", 18),
        (POOL, "", "", "pool_forward and pool_backward", "right", 0),
        (POOL, "+= dout", "= dout", "pool_forward and pool_backward", "wrong", 17),  # where windows overlap
        (POOL, "", "", BOTH, "right", 0),
        (POOL, " * (x > 0)", "", BOTH, "wrong", 26),
        (GATE, "", "", "Gate", "right", 0),
        (GATE, "dout * self.out * (1 - self.out)", "dout * (1 - dout) * self.out", "Gate", "wrong", 10),
        (GATE, "dout * self.out * (1 - self.out)", "dout * self.out * (1 - self.out) / 5", "Gate", "wrong", 10),
        (THINNED, "", "", "thin_forward and thin_backward", "right", 0),
        (THINNED, 'dout * kept / options["keep"]', "dout * kept", "thin_forward and thin_backward", "wrong", 10),
        (AVERAGES, "", "", "Norm", "right", 0),
        (AVERAGES, "0.9", "0.1", "Norm", "wrong", 10),
        (AVERAGES, "share=0.9", "share", "Norm", "right", 0),  # which share it is nobody says
        (KERNELS, "", "", "Kernels", "right", 0),
        (KERNELS, "] += found", "] = found", "Kernels", "wrong", 16),
        (MEANS, "", "", "Means", "right", 0),
        (MEANS, "] += dout", "] = dout", "Means", "wrong", 20),
        (HEADS, "", "", "Heads", "right", 0),
        (NORM, "", "", "norm_forward and norm_backward", "right", 0),
        (NORM, "0.9 * old_var", "0.9 * old_mean", "norm_forward and norm_backward", "wrong", 9),
        (NORM, "0.9 * old_mean", "0.9 * old_var", "norm_forward and norm_backward", "wrong", 8),
        (NORM, "0.9 * old_mean + 0.1", "0.1 * old_mean + 0.9", "norm_forward and norm_backward", "wrong", 8),
        (NORM, "0.9 * old_mean + 0.1", "0.8 * old_mean + 0.2", "norm_forward and norm_backward", "right", 0),
    ],
)
def test_a_way_back_is_linear_exact_and_what_is_kept_goes_on_from_itself(source, old, new, unit, answer, line):
    found = told(source.replace(old, new, 1))[unit]
    assert (found.answer, found.line) == (answer, line)


def test_what_is_found_does_not_hang_on_what_was_asked_before():
    anew = told.__wrapped__
    first = anew(VECTOR)
    drawn = claims.draw(3)
    anew(NORM)
    assert anew(VECTOR) == first
    assert claims.draw(3).tolist() == drawn.tolist()


def test_numbers_at_a_kink_are_drawn_again(monkeypatch):
    asked = []

    def unclear_at_first(file, claim, judged=differences.judged):
        asked.append(claim.given["x_"])
        return {} if len(asked) == 1 else judged(file, claim)

    monkeypatch.setattr(telling, "judged", unclear_at_first)
    source = GATE.replace("dout * self.out * (1 - self.out)", "dout * self.out")
    assert told.__wrapped__(source)["Gate"].answer == "wrong"
    assert asked[0].shape == asked[1].shape
    assert not np.isclose(asked[0], asked[1]).any()


def test_the_loss_of_an_object_that_holds_parameters_is_no_loss_by_itself():
    source = """import numpy as np

class Sums:
    def __init__(self, n):
        self.p = {"W": np.random.randn(n, n)}

    def loss(self, x, y):
        h = np.zeros((len(x), len(self.p["W"])))
        for t in range(x.shape[1]):
            h = np.tanh(h @ self.p["W"] + x[:, t])
        return np.mean((h - y) ** 2)

    def backward(self, x, y):
        return {"W": np.zeros_like(self.p["W"]) + x.sum()}
"""
    assert "Sums.loss" not in told(source)


DIVERGENCE = """import numpy as np

class Divergence:
    def value(self, q, p):
        return np.sum(p * (np.log(p) - np.log(q))) / len(p)

    def gradient(self, q, p):
        return -p / q / len(p)
"""


def test_a_loss_that_is_defined_for_shares_alone_is_given_some():
    assert told(DIVERGENCE)["Divergence.gradient"].answer == "right"
    assert "Divergence.gradient" not in told(DIVERGENCE.replace("-p / q", "-p * q"))  # nothing says what it is of


def test_axes_that_change_places_by_reshape_are_told_though_the_way_back_is_right():
    torn = HEADS.replace(".transpose(0, 2, 1, 3)", "").replace("(N, T, self.heads,", "(N, self.heads, T,")
    found = told(torn)["Heads.apart"]
    assert (found.answer, found.line, found.id) == ("wrong", 11, "reshape-instead-of-transpose")


SLOPE_OF_A_NUMBER = """import numpy as np

def forward(x, theta):
    return np.dot(theta, x)

def backward(x, theta):
    return x

def gradient_check(x, theta, epsilon=1e-7):
    about = (forward(x, theta + epsilon) - forward(x, theta - epsilon)) / (2 * epsilon)
    grad = backward(x, theta)
    return np.linalg.norm(grad - about) / (np.linalg.norm(grad) + np.linalg.norm(about))
"""


def test_what_checks_gradients_may_take_numbers():
    assert told(SLOPE_OF_A_NUMBER)["gradient_check"].answer == "right"
    assert told(SLOPE_OF_A_NUMBER.replace("theta - epsilon", "theta"))["gradient_check"].answer != "right"


CHECKED = """import numpy as np

def forward_all(X, Y, parameters):
    A = np.tanh(parameters["W"] @ X)
    return np.sum((A - Y) ** 2) / 2, (A, parameters["W"])

def backward_all(X, Y, cache):
    A, W = cache
    dW = ((A - Y) * (1 - A**2)) @ X.T
    return {"W": dW}

def check_gradients(parameters, gradients, X, Y, epsilon=1e-6):
    W, far = parameters["W"], np.zeros_like(gradients["W"])
    for k in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[k] = epsilon
        more, less = (forward_all(X, Y, {"W": W + sign * step})[0] for sign in (1, -1))
        far[k] = (more - less) / (2 * epsilon)
    return np.linalg.norm(far - gradients["W"]) / np.linalg.norm(far)
"""


def test_what_checks_gradients_is_given_right_ones():
    assert told(CHECKED)["check_gradients"].answer == "right"
    wrong = told(CHECKED.replace("(2 * epsilon)", "epsilon"))["check_gradients"]
    assert (wrong.answer, wrong.line) == ("wrong", 18)
    of_wrong_ones = told(CHECKED.replace("(1 - A**2)", "(1 + A**2)"))
    assert "check_gradients" not in of_wrong_ones  # there are no right ones to give it


BY_DIFFERENCES = """import numpy as np

def numerical_gradient(f, x, h=1e-5):
    grad, flat = np.zeros_like(x), x.reshape(-1)
    for k in range(flat.size):
        kept = flat[k]
        flat[k] = kept + h
        more = f(x)
        flat[k] = kept - h
        grad.flat[k] = (more - f(x)) / (2 * h)
        flat[k] = kept
    return grad

def derivative(g, at, eps):
    return (g(at + eps) - g(at)) / eps

def slopes_of_cost(J, theta):
    found, e = np.zeros(theta.shape), 1e-4
    for k in np.ndindex(theta.shape):
        d = np.zeros(theta.shape)
        d[k] = e
        more, _ = J(theta + d)
        less, _ = J(theta - d)
        found[k] = (more - less) / (2 * e)
    return found
"""


@pytest.mark.parametrize(
    ("old", "new", "unit", "answer", "line"),
    [
        ("", "", "numerical_gradient", "right", 0),
        ("kept - h", "kept", "numerical_gradient", "wrong", 10),
        ("(2 * h)", "h", "numerical_gradient", "wrong", 10),
        ("(more - f(x))", "np.abs(more - f(x)) ** 1.1", "numerical_gradient", "unclear", 0),
        ("", "", "derivative", "right", 0),
        ("/ eps", "/ (2 * eps)", "derivative", "wrong", 15),
        ("", "", "slopes_of_cost", "right", 0),
        ("more - less", "less - more", "slopes_of_cost", "wrong", 24),
    ],
)
def test_what_finds_slopes_by_differences_is_given_a_known_function(old, new, unit, answer, line):
    probe = told(BY_DIFFERENCES.replace(old, new, 1))[unit]
    assert (probe.answer, probe.line) == (answer, line)


def test_what_goes_down_a_function_finds_no_slopes():
    source = "def gradient_descent(f, df, x, rate):\n    before = f(x)\n    x = x - rate * df(x)\n"
    assert told(source + "    return x, (f(x) - before) / before\n") == {}


OPTIONS = """import numpy as np

class Net:
    def __init__(self, inputs, outputs):
        self.params = {"W": np.random.randn(inputs, outputs), "b": np.zeros(outputs)}

    def loss(self, X, y=None, reg=0.0):
        W = self.params["W"]
        scores = X @ W + self.params["b"]
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(p[np.arange(len(y)), y])) + reg * np.sum(W * W)
        d = p.copy()
        d[np.arange(len(y)), y] -= 1
        d /= len(y)
        return loss, {"W": X.T @ d + 2 * reg * W, "b": d.sum(axis=0)}
"""


def test_an_option_that_is_nothing_by_default_is_tried():
    assert told(OPTIONS)["Net.loss"].answer == "right"
    wrong = told(OPTIONS.replace("        d /= len(y)\n", ""))["Net.loss"]  # a factor, but for the penalty
    assert (wrong.answer, wrong.line, wrong.is_placed) == ("wrong", 14, True)


def test_what_steps_in_place_is_called_again_and_again():
    source = "import numpy as np\n\ndef epoch(X, y, V, W, lr=0.1, batch=100):\n"
    source += "    for i in range(0, X.shape[0], batch):\n        Xb, yb = X[i : i + batch], y[i : i + batch]\n"
    source += "        H = np.maximum(0, Xb @ V)\n        hot = np.zeros((yb.size, W.shape[1]))\n"
    source += (
        "        hot[np.arange(yb.size), yb] = 1\n        D = H @ W - hot\n        dV = Xb.T @ (D @ W.T * (H > 0))\n"
    )
    source += "        W -= lr * H.T @ D\n        V -= lr * dV\n"
    found = list(trainers(File(source)))
    assert [unit for unit, _ in found] == ["epoch"] * 3
    names = {"np_": np}
    exec(f"{source}\n{found[0][1]}", names)
    assert names["y_"].dtype.kind == "i"
    assert names["y_"].size == len(names["X_"])
    assert "for epoch_ in range(" in found[0][1]


def test_a_bias_of_an_axis_of_1_is_not_held_against_one_for_each_sample():
    def claim(**shapes):
        given = {name: np.zeros(shape) for name, shape in shapes.items()}
        return claims.Claim(("there", "back"), given, (), "", "")

    bias = claim(x_=(5, 4, 2), b_=(7, 1))
    assert telling._fills(claim(x_=(5, 4, 2), b_=(7, 4)), bias)  # as many as samples
    assert not telling._fills(claim(x_=(6, 3, 2), b_=(9, 1)), bias)
    kernel = claim(x_=(2, 3, 7, 5), w_=(4, 3, 1, 1))
    assert not telling._fills(claim(x_=(2, 3, 9, 5), w_=(4, 3, 6, 6)), kernel)
