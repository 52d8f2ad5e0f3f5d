"""The engine of the page: it shows what the library computes, and answers anything that its schema lets through."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import byhand
from byhand.activations import ACTIVATIONS
from byhand.errors import ByhandError
from byhand.gradient_check import numerical_gradient
from byhand.losses import LOSSES
from byhand.play import schema
from byhand.play.engine import respond
from byhand.play.landscape import landscape
from byhand.play.presets import PRESETS
from byhand.play.records import decoder, encode
from byhand.play.schema import Config, Data, Explain, LandscapeRequest, Model, Request, State, Training

MOONS = Config(
    Data("moons", n=23, noise=0.1, seed=2, test_share=0.3),
    Model([4, 3], ["tanh", "relu", "identity"], "glorot_normal", 3),
    Training("mean_squared_error", "gradient_descent", 0.1),
)


def preset(name):
    return next(preset.config for preset in PRESETS if preset.id == name)


def change(config, **training):
    return replace(config, training=replace(config.training, **training))


def data_of(config):
    answer = respond(Request(config, with_data=True))
    return np.array(answer.train.x), np.array(answer.train.y), np.array(answer.test.x), np.array(answer.test.y)


def through_json(request):
    return decoder(schema.Response)(encode(respond(schema.decode_request(encode(request)))))


@pytest.mark.parametrize("loss", ["mean_squared_error", "sum_of_squares"])
def test_a_nudged_z_costs_what_a_nudged_bias_costs_and_its_slope_is_delta(loss):
    """A unit's bias moves its z by as much, so the loss of the same sample with another bias is the oracle."""
    config = change(MOONS, loss=loss, batch_size=5)
    units = [Explain(0, 2), Explain(1, 1), Explain(2, 0)]
    biases = [4 * 2 + 2, 12 + 4 * 3 + 1, 12 + 15 + 3]
    now = respond(Request(config, sample=3, explain=[*units, Explain(0, 0, 1)]))
    assert now.nudged[3] == []
    middle = schema.NUDGES.index(0)
    for bias, losses in zip(biases, now.nudged[:3], strict=True):
        for nudge, nudged in zip(schema.NUDGES, losses, strict=True):
            parameters = list(now.state.parameters)
            parameters[bias] += nudge
            moved = respond(Request(config, replace(now.state, parameters=parameters), sample=3))
            assert nudged == pytest.approx(moved.sample_loss, rel=1e-12)
        assert losses[middle] == now.sample_loss
    slope = (losses[middle + 1] - losses[middle - 1]) / (2 * schema.NUDGES[middle + 1])  # exact: it is a parabola
    assert slope == pytest.approx(now.layers[2].grad_z[0], rel=1e-9)


# What it shows is what the library computes


@pytest.mark.parametrize("optimizer", schema.OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [None, 1, 5])
def test_the_course_is_that_of_train_in_whatever_pieces_it_is_walked(optimizer, batch_size):
    config = change(MOONS, optimizer=optimizer, batch_size=batch_size, learning_rate=0.01)
    x, y, x_test, y_test = data_of(config)
    network = byhand.Network.dense([2, 4, 3, 1], config.model.activations, initializer="glorot_normal", seed=3)
    history = byhand.train(
        network,
        x,
        y,
        loss="mean_squared_error",
        optimizer=schema.OPTIMIZERS[optimizer](0.01),
        epochs=6,
        batch_size=batch_size,
        seed=3,
        validation=(x_test, y_test),
    )
    losses, test_losses = [], []
    state = None
    moves = ["epochs", "sample", "forward", "backward", "update", "epochs", "epochs", "sample", "epochs"]
    while state is None or state.epoch < 6:
        answer = through_json(Request(config, state, moves.pop(0) if moves else "sample"))
        state = answer.state
        losses += answer.losses
        test_losses += answer.test_losses
    np.testing.assert_allclose(losses, history.loss, rtol=1e-12)
    np.testing.assert_allclose(test_losses, history.validation_loss, rtol=1e-12)
    np.testing.assert_allclose(state.parameters, network.parameters, rtol=1e-12, atol=1e-300)


def test_the_numbers_of_a_step_are_the_networks_own():
    answer = respond(Request(MOONS, sample=5))
    x, y, *_ = data_of(MOONS)
    network = byhand.Network.dense([2, 4, 3, 1], MOONS.model.activations, initializer="glorot_normal", seed=3)
    loss = LOSSES["mean_squared_error"]
    y_hat = network.forward(x)
    network.backward(loss.gradient(y_hat, y))
    assert answer.state.parameters == network.parameters.tolist()
    assert answer.gradients == network.gradients.tolist()
    assert answer.next_parameters == (network.parameters - 0.1 * network.gradients).tolist()
    assert (answer.x, answer.y) == (x[5].tolist(), y[5].tolist())
    for shown, layer in zip(answer.layers, network.layers, strict=True):
        assert shown.z == layer.z[5].tolist()
        assert shown.a == layer.a[5].tolist()
        assert shown.grad_z == layer.grad_z[5].tolist()
        assert shown.active == (layer.z > 0).sum(axis=0).tolist()
        assert sum(shown.histogram) == layer.z.size
    norms = [np.sqrt((layer.grad_W**2).sum() + (layer.grad_b**2).sum()) for layer in network.layers]
    np.testing.assert_allclose(answer.grad_norms, norms)
    assert answer.train_loss == pytest.approx(((y_hat - y) ** 2).mean())


def test_the_gradients_are_numerical_derivatives_of_the_loss():
    parameters = np.array(respond(Request(MOONS)).state.parameters)

    def loss(p):
        return respond(Request(MOONS, State(p.tolist()))).train_loss

    gradients = respond(Request(MOONS)).gradients
    np.testing.assert_allclose(gradients, numerical_gradient(loss, parameters), rtol=1e-5, atol=1e-9)


def test_samples_add_up_to_the_batch():
    """After k samples the gradient is that of their part of the loss, and the last one brings the update."""
    config = preset("sigmoid-learns")
    whole = respond(Request(config))
    state, seen = None, []
    for k in range(1, 4):
        answer = respond(Request(config, state, "sample"))
        state = answer.state
        assert (state.position, answer.batch_done, answer.sample, state.epoch) == (k, k, k - 1, 0)
        assert state.parameters == whole.state.parameters
        assert answer.next_parameters == whole.next_parameters
        seen.append(np.array(answer.gradients))
    last = respond(Request(config, state, "sample"))
    assert last.state.parameters == whole.next_parameters
    assert (last.state.epoch, last.state.position) == (1, 0)
    own = respond(Request(replace(config, data=Data("own", points=[[0, 0, 0], [0, 1, 1]])), State(state.parameters)))
    np.testing.assert_allclose(seen[1], own.gradients, rtol=1e-12)


def test_phases_only_look_until_the_update():
    config = preset("sigmoid-learns")
    start = respond(Request(config))
    forward = respond(Request(config, start.state, "forward"))
    backward = respond(Request(config, forward.state, "backward"))
    assert (forward.state.phase, backward.state.phase) == ("forward", "backward")
    assert start.state.parameters == forward.state.parameters == backward.state.parameters
    update = respond(Request(config, backward.state, "update"))
    assert (update.state.phase, update.state.epoch) == ("ready", 1)
    assert update.state.parameters == start.next_parameters


def test_it_is_a_pure_function():
    request = Request(change(MOONS, optimizer="adam", batch_size=4), None, "epochs", 3, surface=24, with_data=True)
    assert respond(request) == respond(request)


# The pictures and the formulas


def test_the_surface_is_the_networks_output_over_the_plane():
    config = preset("sigmoid-learns")
    surfaces = respond(Request(config, surface=24)).surfaces
    network = byhand.Network.dense([2, 10, 1], "sigmoid")
    network.parameters[:] = respond(Request(config)).state.parameters
    shown = surfaces.units[-1][0]
    grid = np.frombuffer(base64.b64decode(shown.values), np.uint8).reshape(24, 24) / 255
    values = shown.low + (shown.high - shown.low) * grid
    corners = [[x, y] for y in surfaces.y_range for x in surfaces.x_range]
    np.testing.assert_allclose(
        values[[0, 0, -1, -1], [0, -1, 0, -1]],
        network.predict(corners).ravel(),
        atol=(shown.high - shown.low) / 255,
    )
    assert [len(units) for units in surfaces.units] == [10, 1]


@pytest.mark.parametrize("layout", ["W x + b", "x W + b"])
def test_formulas_are_right_in_both_layouts(layout):
    asked = [Explain(0, 2), Explain(1, 0), Explain(0, 2, 1), Explain(0, 2, 2)]
    answer = respond(Request(MOONS, sample=4, explain=asked, layout=layout))
    hidden, output, weight, bias = answer.formulas
    results = {formula.name[:6].rstrip("[1234567890,]"): formula.result for formula in hidden}
    assert results["z1"[:1]] == f"{answer.layers[0].z[2]:.4g}".replace("-", "−")
    assert hidden[3].result == f"{answer.layers[0].grad_z[2]:.4g}".replace("-", "−")
    assert output[0].result == f"{answer.layers[1].z[0]:.4g}".replace("-", "−")
    index = 2 * 2 + 1
    assert weight[0].result == f"{answer.gradients[index]:.4g}".replace("-", "−")
    assert weight[1].result == f"{answer.next_parameters[index]:.4g}".replace("-", "−")
    assert bias[0].result == f"{answer.gradients[4 * 2 + 2]:.4g}".replace("-", "−")
    assert weight[0].terms.endswith("more terms)")
    assert ("xᵀ" in weight[0].general) is True
    assert hidden[0].general == {"W x + b": "z1 = W1 x + b1", "x W + b": "z1 = x W1 + b1"}[layout]


def test_a_long_sum_is_cut_between_its_terms():
    config = change(MOONS, loss="binary_cross_entropy_from_logits")
    (loss,) = (f for f in respond(Request(config, explain=[Explain(2, 0)])).formulas[0] if f.name == "L")
    *terms, rest = re.split(r" \+ (?=\(ln|…)", loss.terms)
    assert len(terms) == 8
    assert rest == "… (8 more terms)"
    assert all(re.fullmatch(r"\(ln\(1 \+ e\^\(.*\)\) − .*\)/16", term) for term in terms)


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_the_update_of_other_optimizers_is_told(optimizer):
    config = change(MOONS, optimizer=optimizer)
    answer = respond(Request(config, None, "epochs", 3, explain=[Explain(0, 0, 0), Explain(2, 0, 3)]))
    scope = {"np": np, "p": np.array(answer.state.parameters), "g": np.array(answer.gradients)}
    scope |= {"learning_rate": config.training.learning_rate, "t": answer.state.memory.t + 1}
    names = {"v": "velocity", "m": "mean", "s": "mean_square"}
    vectors = answer.state.memory.vectors
    scope |= {symbol: np.array(vectors[name]) for symbol, name in names.items() if name in vectors}
    rule = schema.OPTIMIZERS[optimizer](1.0)
    exec(rule.formula.code.format(**vars(rule)), scope)  # the formula as it is copied
    remembers = {"momentum": "v", "nesterov": "v", "rmsprop": "s"}.get(optimizer, "ms")
    for (gradient, *memory, new), index in zip(answer.formulas, (0, -1), strict=True):
        assert gradient.name.startswith("grad_")
        assert [formula.name for formula in memory] == list(remembers)
        for formula in [*memory, new]:
            value = scope[formula.name.replace("new w", "p")][index]
            assert formula.result == f"{value:.4g}".replace("-", "−")
            assert formula.general.startswith(f"{formula.name[-1]} ← ")
        assert np.isclose(scope["p"][index], answer.next_parameters[index], rtol=1e-12)


def test_the_terms_of_a_sample_add_up():
    """What the page puts side by side, term by term, gives the numbers that it puts below."""
    answer = respond(Request(MOONS, sample=5))
    parameters = np.array(answer.state.parameters)
    inputs = [answer.x, *(layer.a for layer in answer.layers)]
    start = 0
    for number, layer in enumerate(answer.layers):
        n_out, n_in = len(layer.z), len(inputs[number])
        b = parameters[start + n_out * n_in : start + n_out * (n_in + 1)]
        np.testing.assert_allclose(np.sum(layer.products, axis=1) + b, layer.z)
        np.testing.assert_allclose(np.multiply(layer.grad_a, layer.slope), layer.grad_z)
        if layer.returned:
            np.testing.assert_allclose(np.sum(layer.returned, axis=1), layer.grad_a)
        outer = np.outer(layer.grad_z, inputs[number]).ravel()
        np.testing.assert_allclose(answer.sample_gradients[start : start + n_out * n_in], outer)
        np.testing.assert_allclose(answer.sample_gradients[start + n_out * n_in :][:n_out], layer.grad_z)
        start += n_out * (n_in + 1)


def test_the_samples_of_a_batch_add_up_to_its_loss_and_gradients():
    answers = [respond(Request(MOONS, sample=i)) for i in range(16)]
    np.testing.assert_allclose(sum(a.sample_loss for a in answers), answers[0].batch_loss)
    np.testing.assert_allclose(sum(np.array(a.sample_gradients) for a in answers), answers[0].gradients, atol=1e-15)


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
def test_the_update_is_promised_and_then_measured(optimizer):
    """The promise is exact for tiny steps: the error falls with the square of the rate."""
    config = change(MOONS, optimizer=optimizer, batch_size=5)
    now = respond(Request(config))
    step = np.subtract(now.next_parameters, now.state.parameters)
    assert now.promised_loss == pytest.approx(now.batch_loss + np.dot(now.gradients, step))
    errors = []
    for rate in (1e-3, 1e-4):
        a = respond(Request(change(config, learning_rate=rate)))
        errors.append(abs(a.next_batch_loss - a.promised_loss))
    assert errors[1] < errors[0] / 50
    after = respond(Request(config, None, "update")).state.parameters
    same = replace(now.state, parameters=after)
    assert respond(Request(config, same)).batch_loss == pytest.approx(now.next_batch_loss)


def test_without_shuffling_the_samples_keep_their_order():
    walk = preset("walk")
    state = State(PRESETS[0].parameters)
    network = byhand.Network.dense([2, 2, 1], "sigmoid")
    network.parameters[:] = state.parameters
    x, y, *_ = data_of(walk)
    history = byhand.train(
        network,
        x,
        y,
        loss="sum_of_squares",
        optimizer=byhand.GradientDescent(1.0),
        epochs=3,
        batch_size=1,
        shuffle=False,
    )
    seen, losses = [], []
    for _ in range(12):
        answer = respond(Request(walk, state, "update"))
        seen.append(state.position)
        losses += answer.losses
        state = answer.state
    assert seen == [0, 1, 2, 3] * 3
    np.testing.assert_allclose(losses, history.loss, rtol=1e-12)
    np.testing.assert_allclose(state.parameters, network.parameters, rtol=1e-12)


def test_it_stops_before_numbers_are_lost():
    config = change(preset("rate-too-high"), learning_rate=1e6)
    answer = respond(Request(config, None, "epochs", 1000))
    assert "no longer finite" in answer.stopped
    assert np.isfinite(answer.state.parameters).all()
    assert answer.state.epoch < 100
    again = respond(Request(config, answer.state, "epochs", 10))
    assert again.state == answer.state


def test_the_landscape_is_the_loss_with_two_parameters_moved():
    config = preset("sigmoid-learns")
    parameters = respond(Request(config)).state.parameters
    asked = LandscapeRequest(config, parameters, 3, 38, (-2.0, 1.0), (0.0, 4.0))
    shown = np.array(landscape(asked).losses)
    for row, second in ((0, 0.0), (-1, 4.0)):
        for column, first in ((0, -2.0), (-1, 1.0)):
            moved = list(parameters)
            moved[3], moved[38] = first, second
            assert shown[row, column] == pytest.approx(respond(Request(config, State(moved))).train_loss)
    with pytest.raises(ByhandError, match="two different parameters"):
        landscape(replace(asked, second=3))
    with pytest.raises(ByhandError, match="each below 41"):
        landscape(replace(asked, second=41))


# Other data


def test_digits_are_classified():
    config = Config(
        Data("digits", n=300, test_share=0.3),
        Model([16], ["relu", "identity"], "he_normal"),
        Training("cross_entropy_from_logits", "adam", 0.01, 32),
    )
    answer = respond(Request(config, None, "epochs", 30))
    assert answer.test_right > 0.85
    assert answer.surfaces is None


def test_and_is_true_only_where_both_are():
    x, y, *_ = data_of(replace(MOONS, data=Data("and")))
    assert y.ravel().tolist() == [0, 0, 0, 1]
    assert x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_the_test_set_is_apart():
    x, _, x_test, y_test = data_of(MOONS)
    assert (len(x), len(x_test), len(y_test)) == (16, 7, 7)
    together = {tuple(row) for row in np.vstack([x, x_test])}
    assert len(together) == 23
    assert together == {tuple(row) for row in byhand.datasets.moons(23, 0.1, seed=2)[0]}


# What doesn't fit is told


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(replace(MOONS, model=Model([4], ["tanh"]))), "2 layers need 2 activations, not 1"),
        (Request(MOONS, State([1.0])), "parameters has 1 numbers, but this network has 31 parameters"),
        (Request(replace(MOONS, data=Data("own"))), "there are no points yet"),
        (Request(replace(MOONS, data=Data("own", points=[[1, 2, 3], [1, 2]]))), "different lengths"),
        (Request(change(MOONS, batch_size=1), None, "epochs", 1000), "too much work"),
        (Request(MOONS, explain=[Explain(3, 0)]), "there is no unit 0 of layer 3"),
        (Request(MOONS, explain=[Explain(0, 0, 3)]), "no weight 3"),
        (Request(MOONS, State([0.0] * 31, schema.Memory(3))), "the memory is not that of gradient_descent"),
        (
            Request(change(MOONS, optimizer="adam"), State([0.0] * 31, schema.Memory(0, {"velocity": [0.0] * 31}))),
            "the memory is not that of adam",
        ),
        (
            Request(change(MOONS, optimizer="momentum"), State([0.0] * 31, schema.Memory(0, {"velocity": [0.0]}))),
            "velocity has 1 numbers",
        ),
        (Request(MOONS, State([0.0] * 31, position=16)), "past the 16 training samples"),
    ],
)
def test_parts_that_do_not_fit_are_told(request_, message):
    with pytest.raises(ByhandError, match=message):
        respond(request_)


# Anything that the schema lets through

reals = st.floats(-1e300, 1e300) | st.floats(-3, 3) | st.sampled_from([0.0, 1e308, -1e308, 5e-324])


@st.composite
def requests(draw):
    """A request that the schema allows; its parts fit together more often than not."""
    kind = draw(st.sampled_from(["xor", "and", "line", "circles", "moons", "spirals", "digits", "own"]))
    width = draw(st.integers(2, 4))
    row = st.lists(st.floats(-1e12, 1e12) | st.sampled_from([0.0, 1.0]), min_size=width, max_size=width)
    points = draw(st.lists(row, max_size=6))
    n = draw(st.integers(2, 12))
    data = Data(kind, n, draw(st.floats(0, 2)), draw(st.integers(0, 2**32 - 1)), draw(st.floats(0, 0.8)), points)
    hidden = draw(st.lists(st.integers(1, 5), max_size=3))
    size = len(hidden) + 1 if draw(st.integers(0, 9)) else draw(st.integers(1, 5))
    activations = draw(st.lists(st.sampled_from(list(ACTIVATIONS)), min_size=size, max_size=size))
    initializer = draw(st.sampled_from([*byhand.initializers.INITIALIZERS, "handout"]))
    training = Training(
        draw(st.sampled_from(list(LOSSES))),
        draw(st.sampled_from(list(schema.OPTIMIZERS))),
        draw(st.floats(1e-300, 1e6)),
        draw(st.none() | st.integers(1, 12)),
    )
    config = Config(data, Model(hidden, activations, initializer, draw(st.integers(0, 2**32 - 1))), training)
    state = None
    if draw(st.booleans()):
        try:
            length = len(respond(Request(config)).state.parameters)
        except ByhandError:
            length = 3
        vector = (
            st.lists(reals, min_size=length, max_size=length)
            if draw(st.integers(0, 9))
            else st.lists(reals, max_size=5)
        )
        digits = st.from_regex(r"[0-9]{1,39}", fullmatch=True)
        orders = st.permutations(range(12)) | st.lists(st.integers(0, 12), max_size=5)
        if length > 3:
            orders |= st.permutations(range(len(respond(Request(config, with_data=True)).train.x)))
        shuffle = st.builds(schema.Shuffle, orders, digits, digits, st.integers(0, 1), st.integers(0, 2**32 - 1))
        names = st.sampled_from(["velocity", "mean_square", "mean", "mean_square", "_scratch"])
        of_the_right = respond(Request(config, None, "epochs")).state.memory if length > 3 else schema.Memory()
        kept = st.fixed_dictionaries(dict.fromkeys(of_the_right.vectors, vector))
        memory = st.builds(schema.Memory, st.integers(0, 2**53), kept | st.dictionaries(names, vector, max_size=3))
        state = State(
            draw(vector),
            draw(memory),
            draw(st.none() | shuffle),
            draw(st.integers(0, 2**53)),
            draw(st.integers(0, 12)),
            draw(reals),
            draw(st.sampled_from(["ready", "forward", "backward"])),
        )
    explain = st.builds(Explain, st.integers(0, 4), st.integers(0, 5), st.none() | st.integers(0, 6))
    return Request(
        config,
        state,
        draw(st.sampled_from(["look", "forward", "backward", "update", "sample", "epochs"])),
        draw(st.integers(1, 5)),
        draw(st.integers(0, 500)),
        draw(st.lists(reals, max_size=8)),
        draw(st.booleans()),
        draw(st.sampled_from([0, 24])),
        draw(st.lists(explain, max_size=2)),
        draw(st.sampled_from(["W x + b", "x W + b"])),
    )


@settings(suppress_health_check=list(HealthCheck))
@given(requests())
def test_any_request_is_answered_or_refused_and_can_be_gone_on_from(request_):
    asked = schema.decode_request(encode(request_))
    assert asked == request_
    try:
        answer = respond(asked)
    except ByhandError:
        return
    back = json.loads(encode(answer))
    # the state that it leads to is one that it takes
    following = {"config": asked.config, "state": back["state"], "action": "sample"}
    respond(schema.decode_request(encode(following)))


@pytest.mark.parametrize("point", [0.0, 1.0, 1e-308, 1e12, -1e12])
def test_pre_activations_that_are_all_the_same_fall_into_one_bin(point):
    config = replace(MOONS, data=Data("own", points=[[point, 0, 0], [point, 0, 1]]))
    for layer in respond(Request(config)).layers:
        assert sum(layer.histogram) == 2 * len(layer.z)
        assert layer.histogram_range[0] < layer.histogram_range[1]
