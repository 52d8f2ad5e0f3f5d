"""What a file claims of gradients, held against differences: each room by itself, with numbers known beforehand."""

import ast

import numpy as np
import pytest

from byhand.diagnosis.check import engines, families, telling, updates
from byhand.diagnosis.check.claims import Claim, arrays_of, is_gradient_of, matched
from byhand.diagnosis.check.defined import File, Stretched, is_stub, reached, strict
from byhand.diagnosis.check.differences import PENALTY_UNTOLD, described, judged, manner
from byhand.diagnosis.check.inputs import guesses, options
from byhand.diagnosis.check.lines import line_of

SQUARES = """import numpy as np

def cost(w, b):
    return np.sum(w**2) + 3 * b

def slope(w, b):
    dw = 2 * w
    db = np.array([3.0])
    return dw, db
"""


def claim(**changed):
    given = {"w_": np.array([1.0, -2.0]), "b_": np.array([0.5]), "goal0_": np.ones((1, 5))}
    text = {"forward": "loss_ = cost(w_, b_)[0]\n", "backward": "result_ = slope(w_, b_)\n"}
    return Claim(("cost", "slope"), given, ("w_", "b_"), **{**text, **changed})


def answers(old="", new="", **changed):
    assert old in SQUARES
    file = File(SQUARES.replace(old, new, 1))
    return judged(file, matched(file, claim(**changed)))


# ---- differences


@pytest.mark.parametrize(
    ("old", "new", "kind", "expected"),
    [
        ("", "", "engine", ["right", "right"]),
        ("2 * w", "-2 * w", "loss", ["wrong", "right"]),
        ("2 * w", "w", "loss", ["wrong", "right"]),
        ("return dw, db", "return 7 * dw, 7 * db", "loss", ["right", "right"]),
        ("return dw, db", "return 7 * dw, 7 * db", "engine", ["wrong", "wrong"]),
        ("return dw, db", "return -dw, -db", "loss", ["wrong", "wrong"]),
        ("2 * w", "2 * w + [0, 0.001]", "loss", ["unclear", "right"]),
        ("return dw, db", "return 0 * dw, 0 * db", "loss", ["unclear", "unclear"]),
        ("2 * w", "2 * w / 5", "loss", ["wrong", "right"]),
        ("return dw, db", "return dw / 5, db / 5", "way", ["right", "right"]),  # means over the five that are sent back
        ("2 * w", "2 * w / 5", "way", ["wrong", "right"]),  # but not one of two
        ("2 * w", "2 * w / 3", "way", ["wrong", "right"]),
        ("[3.0]", "[3.0 + 0.1 * b[0]]", "way", ["right", "right"]),  # and a penalty's derivative
        ("[3.0]", "[3.0 + 0.1 * b[0]]", "loss", ["right", "wrong"]),
    ],
)
def test_a_gradient_is_right_up_to_the_factor_that_it_may_have(old, new, kind, expected):
    assert list(answers(old, new, kind=kind).values()) == expected


def test_nothing_is_said_where_nothing_changes():
    still = claim(forward="loss_ = 2.0\n", backward="result_ = 0 * w_, 0 * b_\n")
    file = File(SQUARES)
    assert judged(file, matched(file, still)) == {}


TRUE, AT = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.5, -1.0], [2.0, 0.3]])


@pytest.mark.parametrize(
    ("told", "words", "id_"),
    [
        (-TRUE, "has the wrong sign", "sign-flipped"),
        (2.5 * TRUE, "is 2.5 times what it should be", "constant-factor"),
        (TRUE.T, "is transposed", "transposed-gradient"),
        (np.full((2, 2), 5.0), "is one number for all", "unknown"),
        (TRUE * [1, 0], "is right in 2 of its 4 numbers, and in all 82 % off", "unknown"),
        (TRUE + np.array([[1, 1], [1, 2]]), "is right in none of its numbers, and in all 48 % off", "unknown"),
        (TRUE + 0.5 * AT, PENALTY_UNTOLD, "penalty-gradient-wrong"),
        (
            TRUE - 2 * AT,
            "lacks a multiple of the parameter, the derivative of the loss's penalty",
            "penalty-gradient-wrong",
        ),
    ],
)
def test_how_a_gradient_is_wrong_is_said_from_its_numbers(told, words, id_):
    assert described(TRUE, told, AT) == (words, id_)


def test_the_numbers_that_are_wrong_are_told():
    file = File(SQUARES.replace("dw = 2 * w", "dw = 2 * w\n    dw[1] = 9"))
    words, id_, wrong = manner(file, matched(file, claim()), "w_")
    assert id_ == "unknown"
    assert words == "is right in 1 of its 2 numbers, and in all 291 % off"  # |9 - -4| / |(2, -4)|
    assert wrong == [1]


# ---- claims


def test_a_gradient_is_found_by_its_name_and_else_by_its_size():
    file = File(SQUARES)
    assert matched(file, claim()).gradients == {"w_": ("result_[0]",), "b_": ("result_[1]",)}
    swapped = claim(backward="result_ = {'grad_b': slope(w_, b_)[1], 'h': w_, 'dw': slope(w_, b_)[0]}\n")
    assert matched(file, swapped).gradients == {"w_": ("result_['dw']",), "b_": ("result_['grad_b']",)}
    with pytest.raises(ValueError, match="w_"):
        matched(file, claim(backward="result_ = slope(w_, b_)[1]\n"))
    lacking = claim(backward="result_ = slope(w_, b_)[1]\n", may_lack=True)
    assert matched(file, lacking).gradients == {"b_": ("result_",)}


def test_what_an_object_keeps_is_a_gradient_only_when_it_is_called_so():
    source = "import numpy as np\n\nclass Scale:\n    def __init__(self):\n        self.w = np.ones(4)\n"
    source += "    def forward(self, x):\n        return x * self.w\n\n"
    source += "    def backward(self, dout):\n        self.spread = dout.sum(axis=0)\n        return dout * self.w\n"
    assert told(source)["Scale"].answer == "unclear"
    assert told(source)["Scale"].message == "no gradient is given for w"
    whole = source.replace("return x * self.w", "self.x = x\n        return x * self.w")
    assert told(whole.replace("self.spread = dout", "self.dw = (dout * self.x)"))["Scale"].answer == "right"
    wrong = told(source.replace("self.spread", "self.grad_w"))["Scale"]
    assert (wrong.answer, wrong.line) == ("wrong", 10)


@pytest.mark.parametrize(
    ("expression", "parameter", "is_it"),
    [
        ("result_['dW1']", "thing_.W1", True),
        ("thing_.grad_W", "thing_.W", True),
        ("thing_.grads['W1']", "thing_.params['W1']", True),
        ("thing_.dW12", "thing_.W1", False),
        ("result_[0]", "thing_[0]", False),
        ("result_['dh']", "x_", False),
    ],
)
def test_names_of_gradients(expression, parameter, is_it):
    assert is_gradient_of(expression, parameter) is is_it


def test_arrays_are_found_with_the_expression_that_gives_them():
    class Thing:
        def __init__(self):
            self.table, self.text = {"W": np.ones(2), 3: [np.zeros(1), "no"]}, "no"

    found = dict(arrays_of(Thing(), "thing_"))
    assert list(found) == ["thing_.table['W']", "thing_.table[3][0]"]


def test_a_claim_as_a_training_takes_steps_along_what_it_says():
    file = File(SQUARES)
    names = {}
    file.run(names, matched(file, claim()).as_training())
    np.testing.assert_allclose(names["w_"], np.array([1.0, -2.0]) * 0.9**3)  # w - 0.05 · 2 w, three times
    np.testing.assert_allclose(names["b_"], 0.5 - 3 * 0.05 * 3)


def test_arrays_that_stretch_each_other_are_refused():
    row, column = strict(np.ones((1, 3))), strict(np.ones((4, 1)))
    with pytest.raises(Stretched):
        row + column
    assert (strict(np.ones((4, 3))) + row).shape == (4, 3)


# ---- lines


def test_the_line_is_where_the_number_got_its_value():
    file = File(
        "import numpy as np\n\ndef f(n):\n    g = np.zeros(n)\n    for k in range(n):\n        if k == 1:\n"
        "            g[k] = 5\n        else:\n            g[k] = 6\n    padded = np.ones((n, 2))\n"
        "    padded[1, 0] = 8\n    return g.copy(), padded[:, 0], 2 * g\n"
    )
    names = {}
    file.run(names, "result_ = f(3)")
    whole, part, inline = names["result_"]
    lines = [line_of(lambda: file.run({}, "f(3)"), "f", [a], [k]) for a in (whole, part) for k in (0, 1)]
    assert lines == [9, 7, 10, 11]
    assert line_of(lambda: file.run({}, "f(3)"), "f", [inline], [0]) == 12


# ---- what functions are called with


def test_guesses_give_sizes_rates_and_zeros_their_numbers():
    [f] = ast.parse("def f(theta, X, y, lam=0):\n    return X @ theta - y + lam * theta @ theta\n").body
    first = next(guesses(f, {}))
    assert first.values["lam"] == 0.3
    shapes = {tuple(np.shape(g.values[a]) for a in ("theta", "X", "y")) for g in guesses(f, {})}
    assert ((4,), (7, 4), (7,)) in shapes


def test_options_are_read_from_the_text():
    [f] = ast.parse(
        "def f(x, p):\n    mode, rate = p['mode'], p['rate']\n    if mode == 'train':\n        return p.get('eps')\n"
    ).body
    assert options(f, "p", {}) == {"mode": "train", "rate": None}
    assert options(f, "x", {}) is None
    [g, h] = ast.parse("def g(x, q):\n    return f(x + q['at'], p=q)\ndef h(q):\n    return q.get('eps', 0)\n").body
    assert options(g, "q", {"f": f}) == {"at": None, "mode": "train", "rate": None}  # handed on
    assert options(h, "q", {}) == {}  # a dictionary that need hold nothing


def test_what_a_function_reaches_is_followed_through_methods():
    tree = ast.parse("def a():\n    return t.b()\ndef b():\n    return c()\ndef c():\n    pass\ndef d():\n    pass\n")
    assert reached({n.name: n for n in tree.body}, ["a"]) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("body", "is_it"),
    [
        ("...", True),
        ("pass", True),
        ("'what'\n    raise NotImplementedError", True),
        ("raise ValueError", False),
        ("return 0", False),
    ],
)
def test_stubs(body, is_it):
    [f] = ast.parse(f"def f(x):\n    {body}\n").body
    assert is_stub(f) is is_it


# ---- families

RECURRENT = """import numpy as np

class Cell:
    def __init__(self, hidden, seen):
        self.U = np.random.randn(seen, hidden)
        self.W = np.random.randn(hidden, hidden)

    def step_forward(self, x, h):
        new = np.tanh(x @ self.U + h @ self.W)
        return new, (x, h, new)

    def step_backward(self, dnew, cache):
        x, h, new = cache
        da = dnew * (1 - new**2)
        return da @ self.U.T, da @ self.W.T, x.T @ da, h.T @ da

    def forward(self, xs, h):
        hs, kept = [], []
        for x in xs:
            h, cache = self.step_forward(x, h)
            hs.append(h)
            kept.append(cache)
        return hs, kept

    def backward(self, dhs, kept):
        dU, dW, dh = np.zeros_like(self.U), np.zeros_like(self.W), 0
        for d, cache in zip(dhs[::-1], kept[::-1]):
            _, dh, u, w = self.step_backward(d + dh, cache)
            dU += u
            dW += w
        return dU, dW
"""


def told(source):
    return {p.unit: p for p in telling.probes(File(source))}


def test_an_object_that_holds_its_weights_over_time_is_judged_step_and_whole():
    right = told(RECURRENT)
    assert {unit: p.answer for unit, p in right.items()} == {"Cell": "right", "Cell.step_forward": "right"}
    wrong = told(RECURRENT.replace("da @ self.W.T, x", "dnew @ self.W.T, x"))
    step = wrong["Cell.step_forward"]
    assert (step.answer, step.line) == ("wrong", 15)
    assert "the gradient for h" in step.message
    assert wrong["Cell"].message.startswith("it follows from Cell.step_forward")
    whole = told(RECURRENT.replace("dU += u", "dU += 2 * u"))
    assert whole["Cell.step_forward"].answer == "right"
    assert (whole["Cell"].answer, whole["Cell"].line) == ("wrong", 29)
    assert "the gradient for U" in whole["Cell"].message
    assert "the gradient for W" not in whole["Cell"].message


DROPOUT = """import numpy as np

def start(dims):
    params = {}
    for k in range(1, len(dims)):
        params[f"W{k}"] = np.random.randn(dims[k], dims[k - 1])
        params[f"b{k}"] = np.zeros((dims[k], 1))
    return params

def forward(X, params, keep=0.8):
    np.random.seed(1)
    H = np.tanh(params["W1"] @ X + params["b1"])
    D = np.random.rand(*H.shape) < keep
    H = H * D / keep
    A = params["W2"] @ H + params["b2"]
    cache = (H, D, A)
    return A, cache

def compute_cost(A, Y):
    return np.sum((A - Y) ** 2) / 2

def backward(X, Y, params, cache, keep):
    H, D, A = cache
    dA = A - Y
    dW2 = dA @ H.T
    db2 = dA.sum(axis=1, keepdims=True)
    dH = params["W2"].T @ dA * D / keep
    dZ = dH * (1 - (H * keep) ** 2)
    dW1 = dZ @ X.T
    db1 = dZ.sum(axis=1, keepdims=True)
    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads
"""


def test_functions_that_hand_each_other_what_they_return_are_a_claim_with_their_cost():
    assert told(DROPOUT)["backward"].answer == "right"
    wrong = told(DROPOUT.replace("* D / keep\n    dZ", "* D\n    dZ"))["backward"]
    assert (wrong.answer, wrong.line) == ("wrong", 27)
    assert "held against differences of compute_cost: the gradient for W1 is 0.8 times" in wrong.message


def test_a_round_without_a_cost_is_held_against_those_that_it_may_be_meant_for():
    source = DROPOUT.replace("compute_cost", "other")
    assert told(source)["backward"].answer == "right"
    wrong = told(source.replace("* D / keep\n    dZ", "* D\n    dZ"))["backward"]
    assert (wrong.answer, wrong.line) == ("wrong", 27)


def test_a_method_that_takes_steps_is_no_loss():
    source = "import numpy as np\n\nclass Line:\n    def __init__(self, n):\n        self.w = np.zeros((n, 3))\n"
    source += "    def fit(self, X, Y):\n        g = X.T @ (X @ self.w - Y)\n        self.w -= 0.1 * g\n"
    source += "        return np.sum(g), g\n"
    file = File(source)
    assert [f.unit for s in families.scopes(file) for scope in s for f in families.families(file, scope)] == []


def test_every_operation_of_an_engine_is_a_claim():
    source = (
        "class N:\n    def __init__(self, v, send=lambda g: None):\n        self.v, self.g, self.send = v, 0.0, send\n"
    )
    for name, left, right in (("add", "g", "g"), ("mul", "g * o.v", "g * self.v")):
        source += f"    def __{name}__(self, o):\n        def send(g):\n            self.back({left})\n"
        sign = "+" if name == "add" else "*"
        source += f"            o.back({right})\n        return N(self.v {sign} o.v, send)\n"
    source += "    def back(self, g=1.0):\n        self.g += g\n        self.send(g)\n"
    file = File(source)
    assert list(engines.operations(file, file.classes["N"])) == ["__add__", "__mul__", "back"]
    assert told(source)["N"].answer == "right"
    wrong = told(source.replace("self.back(g * o.v)", "self.back(g * self.v)"))["N"]
    assert (wrong.answer, wrong.line) == ("wrong", 11)


IN_ONE_THING = """import numpy as np

def start(n_in, n_hidden, n_out):
    return np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_out)

def loss_and_gradients(X, Y, weights):
    V, W = weights
    H = np.tanh(X @ V)
    E = H @ W - Y
    back = E @ W.T * (1 - H**2)
    return np.sum(E**2) / 2, [X.T @ back, H.T @ E]
"""


def test_weights_that_lie_in_one_thing_are_made_by_the_file_itself():
    assert told(IN_ONE_THING)["loss_and_gradients"].answer == "right"
    wrong = told(IN_ONE_THING.replace(" * (1 - H**2)", ""))["loss_and_gradients"]
    assert (wrong.answer, wrong.line) == ("wrong", 10)
    assert "the gradient for parameter 1" in wrong.message
    assert "parameter 2" not in wrong.message


def test_right_in_one_way_is_right():
    """The file's own `start` makes weights, and so it could be thought that `X` holds them."""
    other = IN_ONE_THING.replace("(X, Y, weights)", "(X, Y, V, W)").replace("    V, W = weights\n", "")
    assert [p.answer for p in telling.probes(File(IN_ONE_THING))] == ["right"]
    assert all(p.answer != "wrong" for p in telling.probes(File(other)))


# ---- steps with moments

ADAM = """def adam(w, g, m, v, t, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    w = w - lr * m_hat / (v_hat**0.5 + eps)
    return w, m, v
"""
MOMENTUM = """def step(parameters, grads, v, beta, rate):
    for k in parameters:
        v["d" + k] = beta * v["d" + k] + (1 - beta) * grads["d" + k]
        parameters[k] = parameters[k] - rate * v["d" + k]
    return parameters, v
"""


@pytest.mark.parametrize(
    ("source", "old", "new", "answer", "line", "id_"),
    [
        (ADAM, "", "", "right", 0, "unknown"),
        (ADAM, "v / (1 - beta2**t)", "v / (1 - beta1**t)", "wrong", 5, "bias-correction-wrong"),
        (ADAM, "v_hat**0.5", "v_hat", "wrong", 6, "root-missing"),
        (ADAM, "m_hat / (v", "m / (v", "wrong", 6, "bias-correction-wrong"),
        (ADAM, "lr * m_hat", "7 * lr * m_hat", "unclear", 0, "unknown"),
        (MOMENTUM, "", "", "right", 0, "unknown"),
        (MOMENTUM, "- rate", "+ rate", "wrong", 4, "sign-flipped"),
    ],
)
def test_a_step_with_moments_is_held_against_the_optimizers(source, old, new, answer, line, id_):
    assert old in source
    [found] = updates.updates(File(source.replace(old, new, 1)))
    assert (found.answer, found.line, found.id) == (answer, line, id_)
