"""Right solutions in many styles that train nothing: each is called right, and each with one mistake is told."""

from functools import cache
from pathlib import Path

import pytest

from byhand.diagnosis.check import telling
from byhand.diagnosis.check.defined import File

FOLDER = Path(__file__).with_name("solutions") / "styles"
CHANGES = [
    ("attention", "dK = dS.T @ Q / np.sqrt(d)", "dK = dS.T @ Q"),
    ("triplet", "d_positive = -active * 2 * dp / n", "d_positive = active * 2 * dp / n"),
    ("logreg_cls", "self.l2 * self.theta", "2 * self.l2 * self.theta"),
    ("batchnorm", "dvar * 2 * xc / N", "dvar * xc / N"),
    ("layernorm_cls", "(grad * self.xhat).sum(axis=0)", "(grad * self.xhat).mean(axis=0)"),
    ("tied_ae", "gW = X.T @ dH + E.T @ H", "gW = X.T @ dH"),
    ("softmax_lam", "+ lam * w", "+ 0.5 * lam * w"),
    ("label_smooth", "return (np.exp(log_softmax(logits)) - target) / n", "return (np.exp(logits) - target) / n"),
    ("gauss_nll", "dmu = -r / s2 / y.size", "dmu = -r / np.sqrt(s2) / y.size"),
    (
        "prelu",
        "self.d_alpha = np.sum(d_out * self.inputs * neg, axis=0)",
        "self.d_alpha = np.sum(d_out * self.inputs, axis=0)",
    ),
    ("residual", "dx = dz1 @ W1.T + dsum", "dx = dz1 @ W1.T"),
    (
        "functional_list",
        "delta = delta @ params[k][0].T * (1 - acts[k] ** 2)",
        "delta = delta @ params[k][0].T * acts[k]",
    ),
    ("net_layers", "self.db = delta.sum(axis=0, keepdims=True)", "self.db = delta.mean(axis=0, keepdims=True)"),
    ("mc_hinge", "mask[np.arange(n), y] = -mask.sum(axis=1)", "mask[np.arange(n), y] = -1"),
    ("poisson", "return X.T @ (np.exp(eta) - y)", "return X.T @ (eta - y)"),
    ("policy", "d[a] += 1", "d[a] -= 1"),
    ("dataclass", "self.dW = dZ @ self.A_prev.T / m", "self.dW = dZ @ self.A_prev.T * m"),
    ("lambda_dict", "self.df(self.z[k - 1])", "self.df(self.a[k])"),
    ("minchar", "dhnext = np.dot(Whh.T, dhraw)", "dhnext = np.dot(Whh, dhraw)"),
    (
        "bce_logits",
        "return (p - self.targets) / self.logits.size",
        "return (p - self.targets) * p * (1 - p) / self.logits.size",
    ),
    ("gru_gates", "dh_prev += da @ Whr.T", "dh_prev = da @ Whr.T"),
    ("gru_gates", "dz = dh_next * (n - h_prev)", "dz = dh_next * (h_prev - n)"),
    ("im2col_layer", "x[:, :, i:i + oh, j:j + ow] +=", "x[:, :, i:i + oh, j:j + ow] ="),
    ("im2col_layer", "dout.transpose(0, 2, 3, 1).reshape(-1, f)", "dout.reshape(-1, f)"),
    ("handed_on", "@ params['W2'].T * hidden * (1 - hidden)", "@ params['W2'].T * (1 - hidden)"),
    (
        "modules_again",
        "s * (gradOutput - np.sum(gradOutput * s, axis=1,",
        "s * (gradOutput - np.sum(gradOutput * s, axis=0,",
    ),
    ("layernorm_attention", "- xn * (dxn * xn).mean(axis=1,", "- xn * dxn.mean(axis=1,"),
    ("layernorm_attention", "dS.T @ Q", "dS @ Q"),
    ("stored_slopes", "self.dLdb = dLdZ.T @ self.Ones", "self.dLdb = dLdZ.T @ self.Ones / self.N"),
]
OTHER_LINES = {"batchnorm", "lambda_dict", "mc_hinge", "functional_list", "triplet", "tied_ae", "label_smooth"}
"""Of these another line may be blamed as well, or what is missing is more than one change."""


@cache
def told(source):
    return [(probe.unit, probe.answer, probe.line) for probe in telling.probes(File(source))]


def together(name, k):
    """A change on the worker of the others of its style, which is asked for the right one once."""
    return pytest.param(*CHANGES[k], id=f"{name}-{k}", marks=pytest.mark.xdist_group(f"style {name}"))


@pytest.mark.parametrize(("name", "old", "new"), [together(name, k) for k, (name, *_) in enumerate(CHANGES)])
def test_a_style_is_right_and_its_mistake_is_told_at_its_line(name, old, new):
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert {answer for _, answer, _ in told(source)} == {"right"}
    assert source.count(old) == 1
    wrong = [line for _, answer, line in told(source.replace(old, new)) if answer == "wrong"]
    assert wrong
    assert name in OTHER_LINES or source[: source.index(old)].count("\n") + 1 in wrong


SCALAR_PRODUCT = """import numpy as np

class Products:
    def __init__(self, table):
        self.params, self.grads = [table], [np.zeros_like(table)]

    def forward(self, h, words):
        self.h, self.words, self.rows = h, words, self.params[0][words]
        return np.sum(self.rows * h, axis=1)

    def backward(self, dout):
        self.grads[0][...] = 0
        np.add.at(self.grads[0], self.words, dout[:, None] * self.h)
        return dout[:, None] * self.rows
"""
FACTORS = """import numpy as np

def ratings_loss(both, ratings, known, n_films, n_people, n_features, weight=0.0):
    films = both[:n_films * n_features].reshape(n_films, n_features)
    people = both[n_films * n_features:].reshape(n_people, n_features)
    off = (films @ people.T - ratings) * (known == 1)
    loss = 0.5 * np.sum(off**2) + weight / 2 * np.sum(both**2)
    grad = np.concatenate([(off @ people).ravel(), (off.T @ films).ravel()]) + weight * both
    return loss, grad
"""
GLANCE = """import numpy as np

def glance(state, seen, mask):
    scores = np.einsum("bh,bsh->bs", state, seen)
    scores = np.where(mask == 1, scores, -1e30)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = shares / shares.sum(axis=1, keepdims=True)
    return np.einsum("bs,bsh->bh", shares, seen), (state, seen, shares)

def glance_backward(dout, cache):
    state, seen, shares = cache
    dshares = np.einsum("bh,bsh->bs", dout, seen)
    dscores = shares * (dshares - np.sum(shares * dshares, axis=1, keepdims=True))
    dstate = np.einsum("bs,bsh->bh", dscores, seen)
    dseen = np.einsum("bs,bh->bsh", shares, dout) + np.einsum("bs,bh->bsh", dscores, state)
    return dstate, dseen
"""
PATCHES = """import numpy as np

class MeanOfPatches:
    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, images):
        k = self.kernel
        self.shape = images.shape
        high, wide = images.shape[2] - k + 1, images.shape[3] - k + 1
        out = np.zeros(images.shape[:2] + (high, wide))
        for i in range(high):
            for j in range(wide):
                out[:, :, i, j] = images[:, :, i:i + k, j:j + k].mean(axis=(2, 3))
        return out

    def backward(self, dout):
        k = self.kernel
        back = np.zeros(self.shape)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                back[:, :, i:i + k, j:j + k] += dout[:, :, i, j][:, :, None, None] / k**2
        return back
"""
MARGINS = """import numpy as np

def hinge_loss(X, y, w, b):
    return np.mean(np.maximum(0, 1 - y * (X @ w + b)))

def hinge_loss_gradient(X, y, w, b):
    inside = y * (X @ w + b) < 1
    dw = -(y * inside) @ X / len(y)
    db = -np.mean(y * inside)
    return dw, db
"""
LINE = """import numpy as np

def forward(x, theta):
    return theta * x

def backward(x, theta):
    dtheta = x
    return dtheta

def gradient_check(x, theta, epsilon=1e-6):
    slope = (forward(x, theta + epsilon) - forward(x, theta - epsilon)) / (2 * epsilon)
    grad = backward(x, theta)
    return np.linalg.norm(grad - slope) / (np.linalg.norm(grad) + np.linalg.norm(slope))
"""
STEPS = """def update_with_momentum(parameters, grads, v, beta, learning_rate):
    for key in ("W1", "b1"):
        v["d" + key] = beta * v["d" + key] + (1 - beta) * grads["d" + key]
    parameters["W1"] = parameters["W1"] - learning_rate * v["dW1"]
    parameters["b1"] = parameters["b1"] - learning_rate * v["db1"]
    return parameters, v
"""


@pytest.mark.parametrize(
    ("source", "old", "new", "unit", "line"),
    [
        (SCALAR_PRODUCT, "np.add.at(self.grads[0], self.words, dout[:, None] * self.h)",
         "self.grads[0][self.words] += dout[:, None] * self.h", "Products", 13),  # a word may stand there twice
        (FACTORS, "+ weight * both\n", "+ 2 * weight * both\n", "ratings_loss", 8),
        (GLANCE, " + np.einsum(\"bs,bh->bsh\", dscores, state)", "", "glance and glance_backward", 15),
        (PATCHES, " / k**2", " / k", "MeanOfPatches", 22),
        (MARGINS, "len(y)\n    db = -np.mean(y * inside)", "inside.sum()\n    db = -np.mean(y[inside])",
         "hinge_loss_gradient", 7),  # the factor is another one for other numbers
        (LINE, "(2 * epsilon)", "epsilon", "gradient_check", 11),
        (STEPS, "learning_rate * v[\"dW1\"]", "learning_rate * grads[\"dW1\"]", "update_with_momentum", 4),
    ],
)  # fmt: skip
def test_what_is_never_called_is_called_with_what_fits(source, old, new, unit, line):
    assert (unit, "right", 0) in told(source)
    assert source.count(old) == 1
    assert (unit, "wrong", line) in told(source.replace(old, new))


def test_gradients_that_are_clipped_are_held_while_they_are_small():
    source = (FOLDER / "minchar.py").read_text(encoding="utf-8").replace("hidden_size = 8", "hidden_size = 40")
    clipped = "    for grad in (dWxh, dWhh, dWhy, dbh, dby):\n        np.clip(grad, -3, 3, out=grad)\n"
    source = source.replace("    return loss, dWxh", f"{clipped}    return loss, dWxh")
    assert told(source) == [("lossFun", "right", 0)]
