"""The parts of `check` by themselves: what an argument is for, what of a notebook must run, where a result is made."""

import ast

import numpy as np
import pytest

from byhand.activations import identity, relu, sigmoid
from byhand.diagnosis.check import asked, slices
from byhand.diagnosis.check.arguments import kind, own_names, returned_names
from byhand.diagnosis.check.asked import QUESTIONS, answers
from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.results import Finding, Question, Report
from byhand.diagnosis.check.trials import TRIALS
from byhand.diagnosis.sources import Cell
from byhand.gradient_check import numerical_gradient

FUNCTIONS = {
    node.name: node
    for node in ast.parse(
        """
def model(X, Y, n_h, num_iterations=1000, print_cost=False, learning_rate=1.2):
    m = len(Y)
    parameters = initialize(X.shape[0], n_h, Y.shape[0])
    for i in range(num_iterations):
        A = X @ parameters
        parameters = parameters - learning_rate * A
    return parameters, m

def initialize(n_x, n_h, n_y):
    W1 = np.random.randn(n_h, n_x)
    W2 = np.zeros((n_y, n_h))
    return {"W1": W1, "W2": W2}

def cost(theta, hidden, X, y, lam):
    W = np.reshape(theta[: hidden * 3], [hidden, 3])
    if lam is None:
        return 0
    return np.sum(X.dot(W.T) - y) + lam * np.sum(W), W

def apply(f, z):
    return f(z)
"""
    ).body
}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("model", ["array", "array", "size", "count", "flag", "rate"]),
        ("initialize", ["size", "size", "size"]),
        ("cost", ["array", "size", "array", "array", "rate"]),
        ("apply", ["function", "unknown"]),
    ],
)
def test_what_an_argument_is_for_shows_in_how_it_is_used(function, expected):
    node = FUNCTIONS[function]
    assert [kind(node, name, FUNCTIONS) for name in own_names(node)] == expected


def test_a_constructor_counts_its_layers():
    [net] = ast.parse(
        "class Net:\n    def __init__(self, layers, rate):\n        self.layers = layers\n        self.rate = rate\n"
        "        self.W = [np.random.randn(m, n) for n, m in zip(self.layers[:-1], self.layers[1:])]\n"
        "    def step(self):\n        self.W = self.W - self.rate * 2\n"
    ).body
    assert [kind(net.body[0], name, {}, net) for name in ("layers", "rate")] == ["sizes", "rate"]


def test_what_is_returned_is_what_the_last_return_says():
    assert returned_names(FUNCTIONS["model"]) == ["parameters", "m"]
    assert returned_names(FUNCTIONS["cost"]) == []


@pytest.mark.parametrize(
    ("source", "text", "is_drawn"),
    [
        ("import numpy as np\ndef f(x):\n    return x\n", "y = f(1.0)", False),
        ("import numpy as np\ndef f(x):\n    return x + np.random.rand()\n", "y = f(1.0)", True),
        ("import numpy as np\ndef f(x):\n    return x\n", "y = f(np_.random.rand())", True),
        ("import random as r\ndef f(x):\n    return x + r.random()\n", "y = f(1.0)", True),
        ("from statistics import NormalDist\ndef f(x):\n    return x + NormalDist().samples(1)[0]\n", "y = f(1)", True),
    ],
)
def test_random_numbers_begin_anew_with_each_run_where_there_may_be_any(source, text, is_drawn):
    file = File(source)
    found = []
    for _ in range(2):
        np.random.seed(7)  # noqa: NPY002
        names = {}
        file.run(names, "", text)
        found.append(names["y"])
        assert (np.random.get_state()[1][0] == 7) is not is_drawn  # noqa: NPY002
    assert found[0] == found[1]


# ---- what of a notebook runs

CELLS = [
    Cell("cell 1", "import numpy as np\nimport plots\nnp.random.seed(4)"),
    Cell("cell 2", "x = np.arange(3.0)\nplots.draw(x)\nscale = 2"),
    Cell("cell 3", "def double(v):\n    return scale * v\ny = double(x)\nprint(y)"),
    Cell("cell 4", "x = 'something else'\nscale = 3"),
    Cell("cell 5", "assert y is not None", is_check=True),
]


def test_only_what_a_value_is_made_of_runs():
    every = slices.statements(CELLS)
    assert "assert" not in {ast.unparse(s.node)[:6] for s in every}
    chosen = [ast.unparse(s.node).partition("\n")[0] for s in slices.needed(every, ["y"])]
    assert chosen == [
        "import numpy as np",
        "np.random.seed(4)",
        "x = np.arange(3.0)",
        "scale = 2",
        "def double(v):",
        "y = double(x)",
    ]
    assert slices.rests_on(every, "y")[:2] == ["double", "x"]


@pytest.mark.parametrize(("wrong", "line"), [([0, 1, 2], 2), ([1, 2], 3), ([2], 4), ([0], 2)])
def test_the_line_of_what_is_wrong_is_where_it_begins(wrong, line):
    [function] = ast.parse("def f(x, p):\n    z = x @ p\n    a = g(z)\n    y = a + 1\n    return z, a, y\n").body
    assert slices.line_of_parts(function, wrong, 3) == line


# ---- what is asked for


def test_the_reference_is_the_derivative():
    draw = np.random.default_rng(0).normal
    x, y = draw(size=(6, 4)), draw(size=(6, 3))
    parameters = [draw(size=shape) for shape in ((5, 4), (1, 5), (3, 5), (1, 3))]
    for hidden, out in ((sigmoid, identity), (relu, sigmoid)):
        gradients = asked.backward(x, y, parameters, hidden, out)
        for k, parameter in enumerate(parameters):

            def loss(value, k=k, hidden=hidden, out=out):
                changed = [value if j == k else p for j, p in enumerate(parameters)]
                return ((asked.forward(x, changed, hidden, out)[-1] - y) ** 2).sum()

            np.testing.assert_allclose(gradients[k], numerical_gradient(loss, parameter), rtol=1e-6, atol=1e-8)


def test_each_slip_gives_other_numbers_than_the_truth():
    for name, trial in TRIALS.items():
        for id_, slip in trial.slips:
            pairs = [(trial.expected(call), trial.expected(call, slip)) for call in trial.calls]
            same = [np.allclose(a, b) for truth, wrong in pairs for a, b in zip(truth, wrong, strict=True)]
            assert not all(same), (name, id_)


def test_a_value_is_held_against_the_students_own_values_before_it():
    values = {"x_train": np.arange(3.0), "a_start": 2.0, "b_start": 1.0, "y_hat": np.array([1.0, 3.0, 5.0])}
    question = next(q for q in QUESTIONS if q.number == "1.4")
    assert [(a.name, a.status) for a in answers(question, values)] == [("y_hat", "right")]
    [flat] = answers(question, {**values, "y_hat": values["y_hat"][:, None]})
    assert (flat.status, flat.evidence) == ("wrong", "y_hat has shape (3, 1), expected (3,)")
    [lost] = answers(question, {**values, "y_hat": None}, lost=["y_hat"])
    assert lost.status == "not judged"


@pytest.mark.parametrize(
    ("statuses", "findings", "outcome", "code"),
    [
        (["right"], 0, "right", 0),
        (["right", "not done yet"], 0, "right", 0),
        (["right", "not judged"], 0, "not judged", 4),
        (["not done yet"], 0, "not judged", 4),
        ([], 0, "not judged", 4),
        (["right", "wrong"], 1, "wrong", 3),
    ],
)
def test_right_is_what_was_judged_and_has_nothing_wrong(statuses, findings, outcome, code):
    report = Report(
        "x", [Question(str(k), s) for k, s in enumerate(statuses)], [Finding("unknown", "", 1, "", "")] * findings
    )
    assert (report.outcome, report.exit_code, report.as_json()["outcome"]) == (outcome, code, outcome)
