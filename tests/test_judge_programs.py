"""Whole programs of students: what is wrong is neither cleared nor misnamed; of right ones `test_check.py` asks."""

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.running import helps, judged
from solutions_table import solutions

EXPECTED = {
    "columns_dict/12-bias-missing": "bias-missing",  # stepped, and read by no forward pass
    "layer_lists/7-bias-missing": "bias-missing",
    "course_functions/3-parameter-never-updated": "parameter-never-updated",  # zeros as many as there are samples
    "inline_loop/10-parameter-never-updated": "parameter-never-updated",
    "line/6-parameter-never-updated": "parameter-never-updated",  # a number drawn at random
    "class_network/8-bias-gradient-wrong": "bias-gradient-wrong",  # a mean where the weights have a sum
    "einsum_softmax/2-sum-versus-mean": "sum-versus-mean",  # the rate is a number in the text
    "handout/right": "stale-gradient",  # its forward pass is that of before the epoch
}
SOURCES = {name: source for name, _, source in solutions() if name in EXPECTED}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_program_is_judged_as_it_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        run = judged(Program(f"{name}.py", SOURCES[name], {}))
    assert (run.error, run.ended, run.judgement.fault) == (None, "finished", "")
    ids = [finding.id for finding in run.judgement.findings]
    assert ids == [EXPECTED[name]]
    assert run.judgement.verdict == "wrong"


NOW_AND_THEN = """import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

rng = np.random.default_rng(1)
x, y = rng.normal(size=(3, 40)), rng.integers(0, 2, (1, 40))
held = {f"W{k}": rng.normal(size=s) for k, s in ((1, (4, 3)), (2, (1, 4)))}
for i in range(30):
    a = np.tanh(held["W1"] @ x)
    out = sigmoid(held["W2"] @ a)
    delta = ((1 - y) / (1 - out) - y / out) * out * (1 - out) / 40
    grads = {"W2": delta @ a.T, "W1": (held["W2"].T @ delta * (1 - a**2)) @ x.T}
    for k in range(1, 3):
        held[f"W{k}"] = held[f"W{k}"] - 0.5 * grads[f"W{k}"]
    if i % 100 == 0:
        print(-np.mean(y * np.log(out) + (1 - y) * np.log(1 - out)))
"""


@pytest.mark.parametrize(("text", "ids"), [("range(1, 3)", []), ("range(1, 2)", ["parameter-never-updated"])])
def test_what_a_loop_leaves_out_is_seen_where_the_loss_is_computed_now_and_then(text, ids, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()):
        run = judged(Program("steps.py", NOW_AND_THEN.replace("range(1, 3)", text), {}))
    assert [f.id for f in run.judgement.findings] == ids


BEHIND_THE_UNKNOWN = """import numpy as np

rng = np.random.default_rng(3)
x = rng.normal(size=(40, 3))
y = np.sin(x.sum(axis=1, keepdims=True))
grid = np.linspace(-9, 9, 37)
V, W, b = rng.normal(size=(3, 5)), rng.normal(size=(5, 1)), 0.0
for epoch in range(30):
    hidden = np.interp(x @ V, grid, np.tanh(grid))
    error = hidden @ W + b - y
    loss = (error**2).mean()
    delta = 2 * error / len(x)
    V -= 0.1 * x.T @ (delta @ W.T)
    W, b = W - 0.1 * hidden.T @ delta, b - 0.1 * delta.sum()
"""


def test_parameters_behind_an_operation_without_a_derivative_are_not_called_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    judgement = judged(Program("unknown.py", BEHIND_THE_UNKNOWN, {})).judgement
    assert (judgement.verdict, judgement.findings) == ("inconclusive", [])
    assert judgement.facts.blocked == ["opaque interp"]


ON_A_PARABOLA = """import numpy as np

rng = np.random.default_rng(0)
x = rng.random(80)
y = 2 * x + 1 + 0.1 * rng.normal(size=80)
a, b = rng.normal(), rng.normal()
for epoch in range(300):
    error = y - (b * x + b)
    loss = 0.5 * np.mean(error**2)
    a += 0.1 * np.mean(error * x)
    b += 0.1 * np.mean(error)
print(a, b, loss)
"""


def test_a_number_that_moves_along_a_parabola_is_not_said_to_shrink(tmp_path, monkeypatch):
    """Where gradient and step are both a number times b plus another, each is made of the other and of b."""
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()):
        judgement = judged(Program("parabola.py", ON_A_PARABOLA, {})).judgement
    assert judgement.verdict != "right"


LEARNED_BY_REWARDS = """import math, random

random.seed(2)
likings, usual, pays = [0.0, 0.0, 0.0], 0.0, [0.2, 1.0, -0.4]

def drawn(shares):
    u, reached = random.random(), 0.0
    for arm, share in enumerate(shares):
        reached += share
        if u < reached:
            return arm
    return arm

for t in range(1, 400):
    weights = [math.exp(x) for x in likings]
    shares = [w / sum(weights) for w in weights]
    arm = drawn(shares)
    better = random.gauss(pays[arm], 1.0) - usual
    for k in range(3):
        likings[k] += 0.1 * better * ((k == arm) - shares[k])
    usual += 0.1 * better
print(likings, usual)
"""


def test_what_is_learned_by_rewards_is_not_judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()):
        judgement = judged(Program("bandit.py", LEARNED_BY_REWARDS, {})).judgement
    assert (judgement.verdict, judgement.findings, judgement.fault) == ("inconclusive", [], "")
    assert len(judgement.facts.unexplained) == 3  # its usual reward is judged, and what it chooses by is not


TOO_SHORT = """import numpy as np

rng = np.random.default_rng(5)
x = rng.uniform(-1, 1, (60, 1))
y = TARGET
rate = 0.0002
V, b = rng.normal(size=(1, 12)), rng.normal(size=12)
W, c = rng.normal(size=(12, 1)) / 4, 0.0
for epoch in range(400):
    hidden = np.tanh(3 * x @ V + b)
    error = hidden @ W + c - y
    print((error**2).mean())
    delta = 2 * error / len(x)
    back = delta @ W.T * (1 - hidden**2)
    W, c = W - rate * hidden.T @ delta, c - rate * delta.sum()
    V, b = V - rate * 3 * x.T @ back, b - rate * back.sum(axis=0)
"""


@pytest.mark.parametrize(("target", "is_shown"), [("np.sin(4 * x)", True), ("rng.normal(size=(60, 1))", False)])
def test_a_rate_is_too_low_where_a_longer_step_learns_what_can_be_learned(target, is_shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = TOO_SHORT.replace("TARGET", target)
    with redirect_stdout(io.StringIO()):
        before, *copies = [
            judged(Program("rate.py", text.replace("0.0002", rate), {})) for rate in ("0.0002", "0.02", "0.2")
        ]
    assert before.judgement.verdict == "right"
    [guess] = before.judgement.guesses
    assert (guess.id, guess.place.line, guess.evidence["learning_rate"]) == ("learning-rate-too-low", 6, 0.0002)
    assert any(helps(before.judgement, copy, guess) for copy in copies) is is_shown
