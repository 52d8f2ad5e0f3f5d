"""A finding becomes the student's own line, rewritten: from the syntax tree alone, without a run."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.story.errors import MENDINGS
from byhand.diagnosis.story.program import changes, lines_of_origin
from byhand.diagnosis.story.rewriting import GUESSES, MOST, rewritings
from measure_why import SCRIPTS, expected, scripts


def rewritten(source, finding):
    """For each rewriting, the lines that are new or changed in it, without their indentation."""
    guesses = {**GUESSES, **MENDINGS}[finding.id]
    return [
        [(c.after or "").strip() if not c.moved_before else f"{c.line} above {c.moved_before}" for c in found]
        for found in (changes(source, text) for text in rewritings(source, finding, guesses))
    ]


def script(which, text, evidence):
    path = SCRIPTS / f"{which}.py"
    source = path.read_text()
    lines = [n for n, line in enumerate(source.splitlines(), 1) if text in line]
    places = [Place(n) for n in lines]
    return source, Finding(path.parent.name, places[0], "exact", "", evidence, places[1:])


TANH = {"activation": "tanh", "a_name": "self.out"}
RELU = {"activation": "relu", "z_name": "self.z1", "a_name": "self.h"}

BY_SCRIPT = [
    ("sign-flipped/line", "+ lr *", {}, ["a = a - lr * grad_a", "b = b - lr * grad_b"]),
    ("sign-flipped/s09", "fehler = ", {}, ["fehler = p - ziel"]),
    ("sign-flipped/t25", "W1 += ", {}, ["W1 -= lr * d1 @ X.T"]),
    ("hidden-derivative-missing/t38", "return grad\n"[:-1], TANH, ["return grad * (1 - self.out ** 2)"]),
    ("hidden-derivative-missing/class", "dz1 = dh", RELU, ["dz1 = dh * (self.z1 > 0)"]),
    (
        "hidden-derivative-missing/sample",
        "hidden_delta = np",
        {"z_name": "z"},
        ["hidden_delta = np.dot(W_out.T, delta) * f_prime(z)"],
    ),
    (
        "hidden-derivative-missing/s01",
        "l1_delta = ",
        {"activation": "sigmoid", "a_name": "l1"},
        ["l1_delta = l2_delta.dot(syn1.T) * l1 * (1 - l1)"],
    ),
    (
        "output-derivative-missing/t39",
        "delta = out",
        {"activation": "tanh", "a_name": "out"},
        ["delta = (out - t) * (1 - out ** 2)"],
    ),
    (
        "derivative-of-activation/z",
        "f_prime(h)",
        {"z_name": "z", "a_name": "h"},
        ["hidden_delta = np.dot(W_out.T, delta) * f_prime(z)"],
    ),
    (
        "derivative-of-activation/a",
        "delta_cachee =",
        {"z_name": "somme1", "a_name": "cachee"},
        ["delta_cachee = np.dot(poids_sortie.T, delta_sortie) * cachee * (1 - cachee)"],
    ),
    ("derivative-always-1/class", "dz1 = dh", RELU, ["dz1 = dh * (self.z1 > 0)"]),
    ("derivative-always-1/function", "np.where(z.any", {}, ["return 1.0 * (z > 0)"]),
    ("wrong-layer-activation/class", "dz1 = dh", RELU, ["dz1 = dh * (self.z1 > 0)"]),
    ("wrong-layer-activation/t12", "dZ2 = ", {"a_name": "A2"}, ["dZ2 = (W3.T @ dZ3) * (1 - A2 ** 2)"]),
    (
        "wrong-layer-activation/s48",
        "dW3, db3",
        {"read_name": "A1", "right_name": "A2"},
        ["dW3, db3 = A2.T @ dout, dout.sum(0)"],
    ),
    ("updated-weights-used/sample", "hidden_delta = np", {}, ["36 above 35"]),
    ("updated-weights-used/flat", "d1 = d2", {}, ["30 above 29"]),
    (
        "hidden-error-raw/s26",
        "delta_h = error",
        {"read_name": "error", "right_name": "(self.U.T @ delta_o)"},
        ["delta_h = (self.U.T @ delta_o) * self.h * (1 - self.h)"],
    ),
    ("bias-gradient-wrong/flat", "db1 =", {}, ["db1 = d1.sum(axis=0, keepdims=True)"]),
    ("bias-gradient-wrong/s35", "grad_b1 =", {"activation": "tanh", "a_name": "h1"}, None),
    ("bias-gradient-wrong/softmax", '"b1": dz1', {}, None),
    ("constant-factor/flat", "dW1 = 3", {"factor": 3.0}, ["dW1 = X.T @ d1"]),
    (
        "constant-factor/s32",
        "Wh = Wh",
        {"factor": 0.5},
        None,
    ),
    (
        "constant-factor/t16",
        "delta1 = 2",
        {"factor": 2.0},
        ["delta1 = (delta2 @ self.W2.T) * self.act.derivative_from_output(self.a1)"],
    ),
    (
        "sum-versus-mean/line",
        "np.sum(err",
        {"factor": 100.0},
        ["grad_a = 2 * np.mean(err * x_train)", "grad_b = 2 * np.mean(err)"],
    ),
    ("learning-rate-twice/flat", "dW1 = lr", {"rate_name": "lr"}, None),
    ("learning-rate-twice/layers", "self.grad_b = eta", {}, ["self.grad_b = grad.sum(axis=0)"]),
    ("transposed-gradient/t19", "np.outer(x", {}, ["W1 = W1 - lr * np.outer(d_hidden, x)"]),
    ("transposed-gradient/s18", "A1 @ dZ2.T", {}, None),
    (
        "dot-instead-of-elementwise/t20",
        "delta_hidden = ",
        {},
        ["delta_hidden = np.dot(delta_out, W_out.T) * d_sigmoid(z_hidden)"],
    ),
    (
        "dot-instead-of-elementwise/crash",
        "d2 = np.dot",
        {},
        ["d2 = (2 * (a2 - y)) * (a2 * (1 - a2))"],
    ),
    ("seed-in-loop/class", "    rng = np.random.default_rng(0)", {}, ["53 above 52"]),
    ("parameter-never-updated/flat", "W1 = np", {"name": "W1"}, ["W1 -= lr * dW1"]),
    ("symmetric-initialization/constant", "W1 = np.ones", {}, ["W1 = np.random.normal(0, 0.5, (2, 10))"]),
    ("symmetric-initialization/s07", "poids1 = np.full", {}, ["poids1 = np.random.normal(0, 0.5, (2, nb_caches))"]),
    ("tiny-initialization/s44", "0.00001", {}, None),
    ("learning-rate-too-high/line", "lr = 1.5", {"learning_rate": 1.5}, ["lr = 0.75"]),
    ("too-few-epochs/flat", "range(60)", {"epochs": 60}, ["for epoch in range(600):"]),
    ("unscaled-data/line", "x_train = 100", {}, ["x_train = (x_train - x_train.mean(axis=0)) / x_train.std(axis=0)"]),
    ("broadcast-error-matrix/s03", "- y", {"flat_name": "y"}, ["error = self.predict(X) - y.reshape(-1, 1)"]),
    (
        "label-shuffle-mismatch/s21",
        "X = X[rng",
        {"input_name": "X", "target_name": "Y"},
        ["order = rng.permutation(len(X))", "X, Y = X[order], Y[order]"],
    ),
    ("input-mutated/flat", "X *= 0.8", {}, ["X = X * 0.8"]),
    ("input-mutated/function", "inputs += 0.1", {}, ["inputs = inputs + 0.1"]),
    ("dead-relu-output/flat", "out = np.maximum", {}, ["out = np.dot(W_out, h) + b_out", "delta = 2 * (out - t)"]),
    (
        "dead-relu-output/t03",
        "y_hat = relu",
        {},
        ["y_hat = z2", "d2 = 2 * (y_hat - y) / n_samples"],
    ),
    ("log-of-zero/t30", "np.log(P)", {}, ["return -np.sum(Y * np.log(np.maximum(P, 1e-12))) / len(Y)"]),
    ("softmax-wrong-axis/s08", "e.sum(axis=0)", {}, ["return e / e.sum(axis=-1, keepdims=True)"]),
    (
        "softmax-overflow/t06",
        "np.exp(scores)",
        {},
        ["exp_scores = np.exp(scores - scores.max(axis=-1, keepdims=True))"],
    ),
    ("sigmoid-falling/flat", "np.exp(z)", {}, ["return 1 / (1 + np.exp(-z))"]),
    (
        "forward-returns-z/layers",
        "return self.z",
        {"read_name": "self.z", "right_name": "self.out"},
        ["return self.out"],
    ),
    ("size-one-array-to-scalar/losses", "history[epoch] = total", {}, ["history[epoch] = total.item()"]),
    ("integer-parameters/s41", "params = np", {}, None),
    ("undefined-name/typo", "@ dl", {"name": "dl", "right_name": "d1"}, ["dW1 = X.T @ d1"]),
    ("missing-import/numpy", "np.random.seed", {"statement": "import numpy as np"}, ["import numpy as np"]),
]
WITHOUT_LINE = {
    "bias-gradient-wrong/s35": "grad_b1 = (d_hidden * (1 - h1 ** 2)).sum(axis=0)",
    "bias-gradient-wrong/softmax": '"b1": dz1.sum(axis=0),',
    "constant-factor/s32": "Wh = Wh - rate * 2 * np.outer(slope_h, x)",
    "learning-rate-twice/flat": "dW1 = X.T @ d1",
    "transposed-gradient/s18": 'G["W2"] = dZ2 @ A1.T',
    "tiny-initialization/s44": 'parameters["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.5',
    "integer-parameters/s41": "params = np.array([0, 0]).astype(float)      # slope, intercept",
}


@pytest.mark.parametrize(("name", "text", "evidence", "lines"), BY_SCRIPT, ids=[c[0] for c in BY_SCRIPT])
def test_the_line_is_rewritten(name, text, evidence, lines):
    source, finding = script(name, text, evidence)
    found = rewritten(source, finding)
    assert (lines or [WITHOUT_LINE[name]]) in found
    assert len(found) <= MOST


def test_every_rewriting_of_every_script_parses_and_changes_something():
    for path in scripts():
        wanted, lines = expected(path)
        source = path.read_text()
        for id_ in {wanted} & set(GUESSES):
            for line in lines or [len(source.splitlines()) // 2]:
                finding = Finding(id_, Place(line), "exact", "", {"factor": 2.0, "name": "b1"})
                for text in rewritings(source, finding, GUESSES[id_]):
                    ast.parse(text)
                    assert text != source


def test_every_mistake_that_is_rewritten_is_in_the_catalogue():
    assert set(GUESSES) | set(MENDINGS) <= set(CATALOGUE)


def test_numpy_keeps_the_name_that_the_script_gave_it():
    source = "import numpy\np = numpy.array([0.0])\nloss = -numpy.log(p)\n"
    finding = Finding("log-of-zero", Place(3), "exact", "")
    assert ["loss = -numpy.log(numpy.maximum(p, 1e-12))"] in rewritten(source, finding)


def test_the_handouts_hidden_bias_gets_the_factor_that_the_weights_step_has():
    source = """\
for i in range(n):
    for j in range(10):
        for k in range(2):
            W[j][k] -= lr * 2 * (out[i] - y[i]) * d(V @ h[i]) * V[0][j] * d(W @ X[i] + b)[j] * X[i][k]
        b[j] -= (lr * 2 * (out[i] - y[i]) * d(V @ h[i]) * V[0][j]).item()
"""
    found = rewritten(source, Finding("bias-gradient-wrong", Place(5), "exact", ""))
    assert found[0] == ["b[j] -= (lr * 2 * (out[i] - y[i]) * d(V @ h[i]) * V[0][j] * d(W @ X[i] + b)[j]).item()"]
    found = rewritten(source, Finding("slope-read-again", Place(4), "exact", ""))
    assert found[0] == [
        "slope = d(W @ X[i] + b)[j]",
        "W[j][k] -= lr * 2 * (out[i] - y[i]) * d(V @ h[i]) * V[0][j] * slope * X[i][k]",
    ]


def test_a_layer_that_steps_before_it_sends_back_sends_back_first():
    source = """\
class Layer:
    def backward(self, grad):
        self.W -= self.lr * self.x.T @ grad
        return grad @ self.W.T
"""
    found = rewritten(source, Finding("updated-weights-used", Place(4), "exact", ""))
    assert found == [["sent_back = grad @ self.W.T", "return sent_back"]]


LINES = st.lists(st.text("ab ", min_size=1, max_size=3), min_size=1, max_size=8)


@given(LINES, LINES)
def test_lines_of_a_copy_are_the_lines_that_they_were(old, new):
    origin = lines_of_origin("\n".join(old), "\n".join(new))
    assert len(set(origin.values())) == len(origin)
    assert all(1 <= n <= len(new) and 1 <= o <= len(old) for n, o in origin.items())
    assert lines_of_origin("\n".join(old), "\n".join(old)) == {n: n for n in range(1, len(old) + 1)}
