"""What keeps a training with right steps from learning, and that nothing of it is said of one that works."""

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from byhand.diagnosis.judge.course import course_findings
from byhand.diagnosis.judge.roles import find_roles
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.verdict import judge_steps
from byhand.diagnosis.judge.windows import stretches
from byhand.diagnosis.tape.run import trace

NETWORK = """import numpy as np
rng = np.random.default_rng({seed})
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([[0], [1], [1], [0]], dtype=float)
W1 = {W1}
b1 = np.zeros(8)
W2 = {W2}
b2 = np.zeros(1)
rate = {rate}
for epoch in range({epochs}):
    z = X @ W1 + b1
    h = {hidden}
    out = h @ W2 + b2
    loss = np.mean((out - y) ** 2)
    print(loss)
    d = 2 * (out - y) / 4
    dh = {dh}
    W2 = W2 - rate * h.T @ d
    b2 = b2 - rate * d.sum(axis=0)
    W1 = W1 - rate * X.T @ dh
    b1 = b1 - rate * dh.sum(axis=0)
"""
TANH = {
    "seed": 0,
    "W1": "rng.normal(size=(2, 8))",
    "W2": "rng.normal(size=(8, 1)) * 0.5",
    "rate": 0.1,
    "epochs": 2000,
    "hidden": "np.tanh(z)",
    "dh": "(d @ W2.T) * (1 - h ** 2)",
}
OUTPUT = """import numpy as np
x = np.array([{x}])
y = np.array([1.0, 2.0, 3.0])
w = -1.0
b = -0.5
for epoch in range(40):
    total = 0.0
    for i in range(3):
        z = w * x[i] + b
        out = np.maximum(z, 0.0)
        total += (out - y[i]) ** 2
        d = 2 * (out - y[i]) * (z > 0)
        w = w - 0.1 * d * x[i]
        b = b - 0.1 * d
    print(total)
"""


def found(source, tmp_path):
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), np.errstate(all="ignore"):
        traced = trace(source, "script.py", tmp_path)
        sights = [Sight(traced, s, judge_steps(find_roles(s))) for s in stretches(traced.tape)]
        return list(course_findings(sights[0], sights))


def network(**changes):
    return NETWORK.format(**{**TANH, **changes})


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_said_of_a_training_that_works(seed, tmp_path):
    assert found(network(seed=seed), tmp_path) == []


@pytest.mark.parametrize(
    ("mistake", "line", "changes"),
    [
        ("symmetric-initialization", 5, {"W1": "np.full((2, 8), 0.3)", "W2": "np.full((8, 1), 0.3)"}),
        ("tiny-initialization", 5, {"W1": "1e-5 * rng.normal(size=(2, 8))", "W2": "1e-5 * rng.normal(size=(8, 1))"}),
        ("learning-rate-too-high", 9, {"rate": 5.0}),
        ("linear-collapse", 11, {"hidden": "z", "dh": "d @ W2.T"}),
        ("too-few-epochs", 10, {"epochs": 40, "rate": 0.02}),
        (
            "dead-relu-hidden",
            12,
            {"W1": "-rng.uniform(0.5, 1, (2, 8))", "hidden": "np.maximum(z, 0)", "dh": "(d @ W2.T) * (z > 0)"},
        ),
    ],
)
def test_the_cause_and_its_line(mistake, line, changes, tmp_path):
    assert [(f.id, f.place.line) for f in found(network(**changes), tmp_path)] == [(mistake, line)]


LINEAR = """import numpy as np
rng = np.random.default_rng({seed})
X = rng.normal(size=(40, 5))
w = 1e-4 * rng.normal(size=5)
t = rng.normal(size=40)
for epoch in range(30):
    {draw}
    error = X @ w - t
    loss = np.mean(error ** 2)
    print(loss)
    w = w - 0.01 * 2 * X.T @ error / 40
"""


@pytest.mark.parametrize("seed", range(3))
def test_one_layer_may_start_anywhere(seed, tmp_path):
    """What cannot be learned, from weights near 0: the gradient of a single layer does not go through them."""
    said = [f.id for f in found(LINEAR.format(seed=seed, draw="pass"), tmp_path)]
    assert "tiny-initialization" not in said


@pytest.mark.parametrize("seed", range(3))
def test_a_loss_of_other_numbers_each_time_may_rise(seed, tmp_path):
    draw = "t = rng.normal(size=40) * (3.0 if epoch % 2 else 0.3)"
    assert "learning-rate-too-high" not in [f.id for f in found(LINEAR.format(seed=seed, draw=draw), tmp_path)]


def test_the_learning_rate_is_named_with_its_number(tmp_path):
    (finding,) = found(network(rate=5.0), tmp_path)
    assert finding.evidence["learning_rate"] == 5.0
    assert finding.evidence["rate_name"] == "rate"


def test_a_dead_output_comes_with_each_samples_number_and_is_forced_by_them(tmp_path):
    (finding,) = found(OUTPUT.format(x="0.0, 1.0, 2.0"), tmp_path)
    assert (finding.id, finding.place.line, finding.certainty) == ("dead-relu-output", 10, "exact")
    np.testing.assert_allclose(finding.evidence["z"], [-0.5, -1.5, -2.5])
    assert finding.evidence["loss"] == 1 + 4 + 9


def test_an_output_that_is_alive_at_one_sample_is_not_dead(tmp_path):
    assert "dead-relu-output" not in [f.id for f in found(OUTPUT.format(x="-2.0, 1.0, 2.0"), tmp_path)]


NUMERICAL = """
import numpy as np
w, x = np.array([0.5, -0.3, 0.2]), np.array([[1.0, 2.0, -1.0], [0.5, 1.0, 3.0]])
def loss(v):
    return np.sum((x @ v - 1.0) ** 2)
slopes = np.zeros(3)
for k in range(3):
    before = w[k]
    w[k] = before + 1e-5
    more = loss(w)
    w[k] = before - 1e-5
    slopes[k] = (more - loss(w)) / 2e-5
    w[k] = before{}
"""


@pytest.mark.parametrize(("then", "expected"), [("", 0), (" - 0.1 * slopes[k]", 1)])
def test_what_is_moved_and_put_back_has_taken_no_step(then, expected):
    tape = next(iter(stretches(trace(NUMERICAL.format(then), "script.py", Path()).tape)))
    assert len([s for s in find_roles(tape).states if s.size == 3]) == expected
