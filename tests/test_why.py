import json
import re

import pytest
from click.testing import CliRunner

from byhand.cli import byhand
from byhand.diagnosis.why import why
from byhand.diagnosis.why_page import page
from measure_why import EXPECTED, SCRIPTS, first_answer

HANDOUT = """
np.random.seed({seed})
W_hidden = np.random.randn(n_hidden, 2)
b_hidden = np.zeros((n_hidden))
W_out = np.random.randn(1, n_hidden)
b_out = np.zeros((1))
n_hidden = 10
lr = 0.001
epochs = 60

def relu(x):
    return x.clip(0, None)

def relu_derivative(x):
    return 1 * (x >= 0)

def forward(X):
    hidden = np.zeros((X.shape[0], n_hidden))
    outputs = np.zeros((X.shape[0], 1))
    loss = 0
    for i in range(X.shape[0]):
        hidden[i] = relu(np.dot(W_hidden, X[i].T) + b_hidden.T)
        outputs[i] = relu(np.dot(W_out, hidden[i]) + b_out)
        loss += (y_train[i] - outputs[i]) ** 2
    return hidden, outputs, loss

def backward(X, y_train, hidden, outputs):
    global W_hidden, b_hidden, W_out, b_out
    for i in range(X.shape[0]):
        slope = relu_derivative(np.dot(W_out, hidden[i]) + b_out)
        for j in range(n_hidden):
            W_out[0][j] -= lr * 2 * (outputs[i] - y_train[i]) * slope * hidden[i][j]
        b_out -= lr * 2 * (outputs[i] - y_train[i]) * slope

losses = np.zeros(epochs)
for epoch in range(epochs):
    hidden, outputs, loss = forward(X_train)
    backward(X_train, y_train, hidden, outputs)
    losses[epoch] = loss
"""

FAST = [
    "right_flat",
    "right_per_sample",
    "right_class",
    "right_layers",
    "right_momentum",
    "right_adam",
    "right_softmax",
    "missing_import_numpy",
    "broadcast_class",
    "rate_too_high_line",
    "unscaled_line",
    "sign_flipped_bias",
    "hidden_derivative_missing_class",
    "updated_weights_sample",
    "transposed_layers",
    "symmetric_constant",
    "softmax_axis",
    "shuffle_mismatch_class",
]


@pytest.mark.parametrize("name", FAST)
def test_first_answer(name):
    assert first_answer(name) == EXPECTED[name]["first"]


def test_every_mistake_of_the_catalogue_that_a_script_can_make_has_a_script():
    from byhand.diagnosis.catalogue import CATALOGUE

    assert {e["first"] for e in EXPECTED.values()} - {None} == set(CATALOGUE)
    assert sum(e["first"] is None for e in EXPECTED.values()) >= 15


def test_the_handout_peels_down_to_the_dead_output_with_a_loss_of_2(tmp_path):
    script = tmp_path / "td1.py"
    script.write_text(HANDOUT.format(seed=44))
    report = why(script)
    firsts = [chapter.findings[0] for chapter in report.chapters if chapter.findings]
    ids = [finding.id for finding in firsts]
    expected = ["missing-import", "name-before-definition", "undefined-name", "size-one-array-to-scalar"]
    assert ids[:5] == [*expected, "dead-relu-output"]
    assert firsts[0].line == 2
    assert firsts[4].evidence["loss"] == pytest.approx(2.0, abs=1e-12)
    assert firsts[4].evidence["largest_z"] <= 0


def test_json_and_exit_codes():
    run = CliRunner().invoke(
        byhand, ["why", str(SCRIPTS / "hidden_derivative_missing_class.py"), "--json"], standalone_mode=False
    )
    answer = json.loads(run.stdout)
    assert run.return_value == 3
    first = answer["findings"][0]
    assert (first["id"], first["line"]) == ("hidden-derivative-missing", 35)
    assert first["experiment"]["cured"]
    assert answer["outcome"] == "trains in spite of it"
    run = CliRunner().invoke(byhand, ["why", str(SCRIPTS / "right_line.py")], standalone_mode=False)
    assert run.return_value == 0
    assert "Nothing wrong found" in run.stdout
    assert "against the gradient" in re.sub(r"\s+", " ", run.stdout)


def test_a_script_that_trains_nothing_is_not_judged(tmp_path):
    script = tmp_path / "hello.py"
    script.write_text("print('hello')\n")
    run = CliRunner().invoke(byhand, ["why", str(script)], standalone_mode=False)
    assert run.return_value == 4
    assert "nothing was judged" in re.sub(r"\s+", " ", run.stdout)


def test_the_page_shows_line_formula_and_plot():
    text = page(why(SCRIPTS / "rate_too_high_line.py"), "rate_too_high_line.py")
    assert "lr = 1.5" in text
    assert "2/λ" in text
    assert "<svg" in text


def test_a_part_of_the_judging_that_fails_is_told_and_the_rest_goes_on(monkeypatch):
    from byhand.diagnosis import causes

    def broken(evidence):
        raise ZeroDivisionError("a mistake of ours")
        yield

    broken.__name__ = "broken"
    monkeypatch.setattr(causes, "integers", broken)
    report = why(SCRIPTS / "sign_flipped_line.py")
    assert report.findings[0].id == "sign-flipped"
    assert len(report.troubles) == 1
    assert "broken: ZeroDivisionError" in report.troubles[0]


def test_a_process_that_ends_without_an_answer_is_not_understood(tmp_path):
    script = tmp_path / "gone.py"
    script.write_text("import os\nos._exit(3)\n")
    report = why(script)
    assert report.outcome == "not understood"
    assert "stopped" in report.chapters[0].happened


def test_another_seed_is_tried_until_one_lives(tmp_path):
    script = tmp_path / "dead.py"
    data = (
        "import numpy as np\nn_hidden = 10\n"
        "X_train = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])\ny_train = np.array([0.0, 1.0, 1.0, 0.0])"
    )
    text = HANDOUT.format(seed=44).replace("W_out[0][j] -= ", "W_out[0][j:j + 1] -= ")
    script.write_text(data + text.replace("    losses[epoch] = loss\n", ""))
    dead, alive = why(script).chapters[:2]
    assert dead.findings[0].id == "dead-relu-output"
    assert "with the seed" in alive.mended
    assert not any(finding.id == "dead-relu-output" for finding in alive.findings)
