"""The code to take away gives the losses that the page showed: every activation, loss, optimizer and data set."""

from __future__ import annotations

import numpy as np
import pytest

from byhand.activations import ACTIVATIONS
from byhand.errors import ByhandError
from byhand.losses import LOSSES
from byhand.play import schema
from byhand.play.engine import respond
from byhand.play.listing import listing
from byhand.play.presets import PRESETS
from byhand.play.schema import Config, Data, ListingRequest, Model, Request, Training

LAYOUTS = ("W x + b", "x W + b")


def shown_losses(config, epochs, parameters=None):
    state = None if parameters is None else schema.State(parameters)
    losses = []
    while epochs:
        chunk = min(epochs, respond(Request(config)).max_epochs)
        answer = respond(Request(config, state, "epochs", chunk))
        state, epochs = answer.state, epochs - chunk
        losses += answer.losses
    return losses


def losses_of(code):
    scope = {"print": lambda *_: None}
    exec(compile(code, "copied code", "exec"), scope)
    return scope["losses"]


def assert_same_losses(config, epochs, parameters=None, rtol=1e-9):
    expected = shown_losses(config, epochs, parameters)
    for layout in LAYOUTS:
        written = listing(ListingRequest(config, parameters, epochs, layout))
        np.testing.assert_allclose(losses_of(written.numpy), expected, rtol=rtol, err_msg=written.numpy)
    np.testing.assert_allclose(losses_of(written.library), expected, rtol=1e-12, err_msg=written.library)
    assert len(expected) == epochs


def a_config(data=None, hidden=(3,), activations=("tanh", "identity"), initializer="glorot_normal", **training):
    training = {"loss": "mean_squared_error", "learning_rate": 0.05} | training
    return Config(
        data or Data("moons", n=30, seed=3),
        Model(list(hidden), list(activations), initializer, 5),
        Training(**training),
    )


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_of_each_preset(preset):
    assert_same_losses(preset.config, 100)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_with_each_activation(activation):
    assert_same_losses(a_config(hidden=(4, 3), activations=(activation, "sigmoid", "identity")), 20)


@pytest.mark.parametrize("loss", LOSSES)
def test_with_each_loss(loss):
    data = Data("digits", n=30) if loss == "cross_entropy_from_logits" else None  # one output has no softmax
    assert_same_losses(a_config(data, loss=loss), 20)
    assert_same_losses(a_config(data, loss=loss, batch_size=7), 5)


@pytest.mark.parametrize("optimizer", schema.OPTIMIZERS)
def test_with_each_optimizer(optimizer):
    assert_same_losses(a_config(optimizer=optimizer), 20)
    assert_same_losses(a_config(optimizer=optimizer, batch_size=8), 5)


@pytest.mark.parametrize("initializer", [*schema.INITIALIZERS, "handout"])
def test_with_each_initializer(initializer):
    assert_same_losses(a_config(initializer=initializer), 5)


@pytest.mark.parametrize("kind", ["xor", "and", "line", "circles", "moons", "spirals", "digits", "own"])
def test_with_each_data_set_and_a_test_set(kind):
    points = [[0.0, 1.5, 0.0], [1.0, -2.0, 1.0], [0.25, 0.125, 1.0], [3.0, 0.1, 0.0]]
    data = Data(kind, n=40, noise=0.2, seed=7, test_share=0.25, points=points)
    loss = "cross_entropy_from_logits" if kind == "digits" else "mean_squared_error"
    assert_same_losses(a_config(data, loss=loss), 5)


def test_from_weights_that_were_edited():
    config = a_config(Data("xor"), hidden=(2,), activations=("sigmoid", "sigmoid"))
    parameters = [0.1, -0.2, 1e-17, 1 / 3, 0.5, 0.6, -0.7, 0.8, 0.9]
    assert_same_losses(config, 30, parameters)
    with pytest.raises(ByhandError, match="8 numbers, but this network has 9"):
        listing(ListingRequest(config, parameters[1:]))
