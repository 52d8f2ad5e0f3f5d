import json
import re
from copy import deepcopy
from io import StringIO
from math import exp, log, pi, sqrt, tanh

import numpy as np
import pytest
from rich.console import Console

from byhand import arithmetic
from byhand.activations import ACTIVATIONS, sigmoid, softmax
from byhand.layers import RNN, Attention, BatchNorm, Conv2D, Dense, Dropout
from byhand.losses import LOSSES
from byhand.network import Network

LAYOUTS = ["x Wᵀ + b", "W x + b", "x W + b"]
X, Y = np.array([[1.0, -0.5], [0.3, 2.0], [0.0, 0.7]]), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])


def network(activation="sigmoid", last="sigmoid"):
    network = Network.dense([2, 4, 3, 2], [activation, activation, last], seed=1)
    network.parameters += 0.1
    return network


def evaluate(terms):
    """What a reader with a calculator gets."""
    for written, python in {"−": "-", "·": "*", "²": "**2", "³": "**3", "e^(": "exp(", "√": "sqrt", "π": "pi"}.items():
        terms = terms.replace(written, python)
    terms = re.sub(r"\|([^|]*)\|", r"abs(\1)", terms)
    names = {"exp": exp, "ln": log, "tanh": tanh, "σ": sigmoid, "sign": np.sign, "sqrt": sqrt, "pi": pi}
    names |= {name: activation for name, activation in ACTIVATIONS.items() if name not in names}
    return eval(terms, names)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_element_is_what_its_terms_come_to(loss, layout):
    told = arithmetic.tell(network(), X, Y, loss, learning_rate=0.3, layout=layout, digits=17)
    for step in told.steps:
        for index in step.indices():
            if step.phase != "given":
                assert evaluate(step.terms(*index)) == pytest.approx(step.value[index], rel=1e-12, abs=1e-14)
            assert float(step.number(*index).replace("−", "-")) == step.value[index]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_can_be_told(activation):
    told = arithmetic.tell(network(activation, "identity"), X, Y, "sum_of_squares", digits=17)
    for step in told.steps:
        for index in step.indices():
            if step.phase != "given":
                assert evaluate(step.terms(*index)) == pytest.approx(step.value[index], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_numbers_are_the_networks_own_in_every_layout(layout):
    net = network()
    told = arithmetic.tell(net, X, Y, "sum_of_squares", learning_rate=0.3, layout=layout)
    y_hat = net.forward(X)
    net.backward(2 * (y_hat - Y))
    samples = (lambda a: a.T) if layout == "W x + b" else (lambda a: a)
    weights = (lambda a: a.T) if layout == "x W + b" else (lambda a: a)
    for number, layer in enumerate(net.layers, 1):
        np.testing.assert_array_equal(told[f"z{number}"].value, samples(layer.z))
        np.testing.assert_array_equal(told[f"delta{number}"].value, samples(layer.grad_z))
        np.testing.assert_array_equal(told[f"grad_W{number}"].value, weights(layer.grad_W))
        np.testing.assert_allclose(told[f"new_W{number}"].value, weights(layer.W - 0.3 * layer.grad_W))
        np.testing.assert_array_equal(told[f"grad_b{number}"].value, layer.grad_b)
    assert told["L"].value == pytest.approx(((y_hat - Y) ** 2).sum())


@pytest.mark.parametrize(
    ("layout", "z", "grad_W", "grad_a"),
    [
        ("x Wᵀ + b", "z2 = a1 W2ᵀ + b2", "grad_W2 = delta2ᵀ a1", "grad_a1 = dL/da1 = delta2 W2"),
        ("W x + b", "z2 = W2 a1 + b2", "grad_W2 = delta2 a1ᵀ", "grad_a1 = dL/da1 = W2ᵀ delta2"),
        ("x W + b", "z2 = a1 W2 + b2", "grad_W2 = a1ᵀ delta2", "grad_a1 = dL/da1 = delta2 W2ᵀ"),
    ],
)
def test_the_formulas_of_a_layout_hold_for_its_arrays(layout, z, grad_W, grad_a):
    told = arithmetic.tell(network(), X, Y, "sum_of_squares", layout=layout)
    assert [told[name].formula for name in ("z2", "grad_W2", "grad_a1")] == [z, grad_W, grad_a]
    arrays = {step.name: step.value for step in told.steps}
    for step in told.steps:
        if product := re.search(r"= ([a-zA-Z_]+\d?)(ᵀ?) ([a-zA-Z_]+\d?)(ᵀ?)(?: \+ (b\d))?$", step.formula):
            left, left_turned, right, right_turned, b = product.groups()
            left, right = (arrays[n].T if t else arrays[n] for n, t in ((left, left_turned), (right, right_turned)))
            bias = arrays[b] if b else 0
            bias = bias[:, None] if b and layout == "W x + b" else bias
            np.testing.assert_allclose(left @ right + bias, step.value)


def test_a_sum_by_hand():
    net = Network([Dense(2, 1)])
    net.parameters[:] = [0.5, -2.0, 1.0]
    told = arithmetic.tell(net, [[3, 1]], [[4]], "sum_of_squares", learning_rate=0.1)
    assert [told[name].written_out(0, 0) for name in ("z1", "grad_a1", "delta1")] == [
        "z1[1,1] = 3·0.5 + 1·(−2) + 1 = 0.5",
        "grad_a1[1,1] = 2·(0.5 − 4) = −7",
        "delta1[1,1] = (−7)·1 = −7",
    ]
    assert told["L"].written_out() == "L = (0.5 − 4)² = 12.25"
    assert told["grad_W1"].written_out(0, 0) == "grad_W1[1,1] = (−7)·3 = −21"
    assert told["new_b1"].written_out(0) == "new_b1[1] = 1 − 0.1·(−7) = 1.7"


def test_what_was_told_stays_true_when_the_network_learns_on():
    net = network()
    told = arithmetic.tell(net, X, Y, "sum_of_squares")
    before = str(told)
    net.parameters += 1
    net.backward(net.forward(X + 1))
    assert str(told) == before


def test_softmax_is_told_with_its_probabilities():
    net = network(last="identity")
    told = arithmetic.tell(net, X, Y, "cross_entropy_from_logits")
    p = softmax(net.predict(X))
    np.testing.assert_allclose(told["grad_a3"].value, (p - Y) / 3)
    assert told["grad_a3"].terms(0, 1) == f"({arithmetic.write_number(p[0, 1], 4)} − 0)/3"


def test_an_exercise_hides_what_it_asks_and_all_that_would_give_it_away():
    told = arithmetic.tell(network(), X[:1], Y[:1], "sum_of_squares", learning_rate=0.1)
    questions, answers = told.exercise("backward")
    backward = [step.label(*index) for step in told.steps if step.phase == "backward" for index in step.indices()]
    assert len(answers.splitlines()) == len(backward)
    assert questions.count(r"\_\_\_\_\_\_ (") == len(backward)
    assert told["z1"].written_out(0, 0) in questions.replace("\\", "")
    assert "Update" not in questions
    for step in told.steps:
        if step.phase == "backward":
            for index in step.indices():
                assert step.terms(*index).replace("_", "\\_") not in questions
    assert answers.splitlines()[-1].replace("\\", "").endswith(told["grad_b1"].written_out(3))
    everything, _ = told.exercise()
    assert "## Given" in everything
    assert told["W1"].written_out(0, 0) in everything
    with pytest.raises(ValueError, match="there are the phases forward, loss, backward"):
        arithmetic.tell(network(), X, Y, "sum_of_squares").exercise("update")


def test_hand_calculations_are_checked():
    net = Network([Dense(2, 1, "sigmoid")])
    net.parameters[:] = [0.5, -2.0, 1.0]
    told = arithmetic.tell(net, [[3, 1]], [[1]], "sum_of_squares")
    a = 1 / (1 + exp(-0.5))  # 0.6225
    given = {"z1[1,1]": 0.5, "a1[1,1]": 0.62, "delta1[1,1]": -0.1774, "grad_W1[1,2]": 0.17, "L": 0.1425}
    assert all(told.check({label: value})[label].right == (label != "grad_W1[1,2]") for label, value in given.items())
    wrong = told.check({"delta1[1,1]": 2 * (a - 1) * 0.5 * 0.5})["delta1[1,1]"]  # σ′ written for a, given z
    assert not wrong.right
    assert wrong.written_out == "delta1[1,1] = (−0.7551)·0.6225·(1 − 0.6225) = −0.1774"
    assert not told.check({"a1[1,1]": 0.6})["a1[1,1]"].right or abs(0.6 - a) < 0.05 * a
    with pytest.raises(KeyError, match=r"there is no 'z9'; labels are such as x\[1,1\]"):
        told.check({"z9": 1.0})


def test_it_shows_itself_in_terminal_notebook_and_as_data():
    told = arithmetic.tell(network(), X, Y, "sum_of_squares")
    console = Console(width=200, record=True, file=StringIO())
    console.print(told)
    assert told["z1"].written_out(0, 0) in console.export_text()
    assert r"$$z^{(1)} = x W^{(1)}{}^\top + b^{(1)}$$" in told._repr_markdown_()
    data = json.loads(told.json())
    assert data == told.data()
    assert [step["phase"] for step in data["steps"]][::9] == ["given", "forward", "backward"]


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: arithmetic.tell(network(), X, Y, "sum_of_squares", layout="xW+b"), "unknown layout"),
        (lambda: arithmetic.tell(Network([Dense(2, 2), Dropout(0.5)]), X, Y, "sum_of_squares"), "dropout"),
        (lambda: arithmetic.tell(network(), X, Y[:2], "sum_of_squares"), "outputs of shape"),
    ],
)
def test_mistakes_are_named(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


IMAGE = np.random.default_rng(0).standard_normal((1, 4, 4, 1))
STEPS = np.random.default_rng(1).standard_normal((2, 2, 2))
FOUR = np.array([[1.0], [2.0], [4.0], [9.0]])
TOLD = {
    "a 3 × 3 filter on a 4 × 4 image": ([Conv2D(1, 1, 3, "tanh", seed=0)], IMAGE),
    "two filters with stride and padding": ([Conv2D(1, 2, 2, "tanh", padding=1, stride=2, seed=0)], IMAGE),
    "a convolution behind another": ([Conv2D(1, 1, 2, seed=1), Conv2D(1, 1, 2, "sigmoid", seed=0)], IMAGE),
    "a batch norm of four numbers": ([BatchNorm(1)], FOUR),
    "two steps back through time": ([RNN(2, 2, seed=0)], STEPS),
    "the last of two steps": ([RNN(2, 2, "sigmoid", last=True, seed=0)], STEPS),
    "one attention head on three tokens": ([Attention(2, seed=0)], STEPS[:1, [0, 1, 0]]),
    "two causal heads": ([Attention(2, 2, mask="causal", seed=0)], STEPS),
}


@pytest.mark.parametrize("case", TOLD)
def test_other_layers_are_told_with_every_number(case):
    layers, x = TOLD[case]
    network = Network(deepcopy(layers))
    network.parameters += 0.1
    y = np.random.default_rng(2).standard_normal(network.forward(x).shape)
    told = arithmetic.tell(network, x, y, "sum_of_squares", learning_rate=0.1, digits=17)
    left_out = [step.name for step in told.steps if step.phase != "given" and not step.terms(*(0,) * step.value.ndim)]
    assert left_out == []
    for step in told.steps:
        for index in step.indices() if step.phase != "given" else ():
            assert evaluate(step.terms(*index)) == pytest.approx(step.value[index], rel=1e-9, abs=1e-12)
    grad_x = network.backward(2 * (network.forward(x) - y))
    np.testing.assert_allclose(told["grad_x"].value, grad_x)
    questions, answers = told.exercise("backward")
    blanks = sum(step.value.size for step in told.steps if step.phase == "backward")
    assert questions.count(r"\_\_\_\_\_\_") == len(answers.splitlines()) == blanks
