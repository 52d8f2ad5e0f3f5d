"""What the page begins with, and what it says of a run's health: trained, at other seeds too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from byhand.play.engine import respond
from byhand.play.presets import DEFAULTS, LINE, xor
from byhand.play.schema import Config, Data, Model, Request, Training


def seeded(config, seed):
    return replace(config, model=replace(config.model, seed=seed))


def trained(config, epochs):
    answer, losses = respond(Request(config)), []
    while answer.state.epoch < epochs and not answer.stopped:
        part = min(answer.max_epochs, epochs - answer.state.epoch)
        answer = respond(Request(config, answer.state, "epochs", part, losses=losses[-100:]))
        losses += answer.losses
    return answer


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["xor", "and", "line", "circles", "moons", "spirals", "digits"])
def test_each_data_set_begins_with_what_learns_it(kind, seed):
    assert DEFAULTS[kind].data.kind == kind
    answer = trained(seeded(DEFAULTS[kind], seed), 500)
    if kind == "line":
        assert answer.train_loss < 0.011  # the noise is 0.1² = 0.01
    elif kind == "digits":
        assert answer.test_right > 0.9
    else:
        assert answer.train_right == 1
    assert "loss-rises" not in [finding.id for finding in answer.findings]


@pytest.mark.parametrize("seed", range(5))
def test_ones_own_points_are_learned_too(seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (60, 2))
    inside = (np.hypot(*x.T) < 0.6).astype(float)
    classes = np.column_stack([x, inside]).tolist()
    answer = trained(seeded(replace(DEFAULTS["classes"], data=Data("own", points=classes)), seed), 500)
    assert answer.train_right > 0.95
    wave = np.column_stack([x[:, :1], np.sin(3 * x[:, :1])]).tolist()
    answer = trained(seeded(replace(DEFAULTS["numbers"], data=Data("own", points=wave)), seed), 500)
    assert answer.train_loss < 0.02


def ids(answer):
    return [finding.id for finding in answer.findings]


def test_a_run_that_rises_is_called_rising_after_one_epoch_and_diverging_once_it_is_steady():
    assert ids(trained(LINE, 0)) == []
    assert ids(trained(LINE, 1)) == ["loss-rises"]
    assert "grows by the factor" in trained(LINE, 12).findings[0].message
    assert ids(trained(LINE, 12)) == ["learning-rate-too-high"]


def test_it_is_too_early_before_twenty_epochs():
    config = xor("sigmoid", 0.5, 0)
    assert trained(config, 3).looked.endswith("After 3 epochs it is too early to tell how the loss goes.")
    assert "over the last 100 epochs" in trained(config, 300).looked


def test_a_flat_loss_is_called_flat():
    config = replace(
        DEFAULTS["spirals"],
        model=Model([2], ["sigmoid", "identity"], "glorot_normal", 0),
        training=Training("binary_cross_entropy_from_logits", "gradient_descent", 0.001),
    )
    answer = trained(config, 300)
    assert answer.train_loss > 0.6
    assert {"loss-flat", "stuck-at-constant"} & set(ids(answer))


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (
            Config(Data("moons"), Model([4], ["tanh", "sigmoid"]), Training("binary_cross_entropy_from_logits")),
            "logits-squashed",
        ),
        (
            Config(Data("moons"), Model([4], ["tanh", "identity"]), Training("cross_entropy_from_logits")),
            "one-output-softmax",
        ),
        (
            Config(
                Data("own", points=[[0, 0], [1, 1], [2, 2]]),
                Model([4], ["tanh", "identity"]),
                Training("mean_squared_error"),
            ),
            "classes-as-numbers",
        ),
    ],
)
def test_parts_that_do_not_fit_each_other_are_told(config, wanted):
    assert wanted in ids(respond(Request(config)))
    if wanted == "one-output-softmax":
        assert respond(Request(config)).train_loss == 0


def test_what_cannot_be_told_is_not_a_number_in_a_sentence():
    answer = trained(xor("identity", 0.01, 0), 500)
    assert "linear-collapse" in ids(answer)
    assert not any("nan" in finding.message for finding in answer.findings)
