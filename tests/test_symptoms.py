import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from byhand import symptoms
from byhand.datasets import line, xor
from byhand.layers import RNN, Attention, BatchNorm, Conv2D, Dense, Flatten
from byhand.losses import get as get_loss
from byhand.network import Network
from byhand.optimizers import GradientDescent
from byhand.training import Diverged, largest_learning_rate, train


def ids(found):
    return [symptom.id for symptom in found]


def learned_xor():
    x, y = xor()
    network = Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0)
    train(network, x, y, loss="sum_of_squares", optimizer=GradientDescent(0.5), epochs=5000)
    return network, x, y


def test_a_network_that_has_learned_and_one_that_begins_show_nothing():
    network, x, y = learned_xor()
    assert symptoms.find(network, x, y, "sum_of_squares") == []
    for seed in range(20):
        fresh = Network.dense([2, 10, 1], ["tanh", "identity"], seed=seed)
        assert symptoms.find(fresh, x, y, "mean_squared_error") == []


def test_a_dead_output_unit_has_loss_2_on_xor_and_cannot_recover():
    x, y = xor()
    network = Network.dense([2, 3, 1], "relu", seed=1)
    network.layers[1].b = [-100.0]
    first = symptoms.find(network, x, y, "sum_of_squares")[0]
    assert (first.id, first.layer, first.units, first.recovers) == ("dead-relu-output", 2, (0,), False)
    assert first.evidence["largest_z"] < -90
    before = network.parameters.copy()
    history = train(network, x, y, loss="sum_of_squares", optimizer=GradientDescent(0.1), epochs=10)
    assert history.loss == [2.0] * 10
    np.testing.assert_array_equal(network.parameters, before)


def test_dead_hidden_units_are_named_and_only_a_later_layer_may_recover():
    x, y = xor()
    network = Network.dense([2, 4, 4, 1], ["relu", "relu", "identity"], initializer="he_normal", seed=3)
    network.layers[0].b = [5, -100, 5, -100]
    network.layers[1].b = [5, 5, 5, -100]
    found = {s.layer: s for s in symptoms.find(network, x, y, "mean_squared_error") if s.id == "dead-relu-hidden"}
    assert (found[1].units, found[1].recovers) == ((1, 3), False)
    assert (found[2].units, found[2].recovers) == ((3,), True)
    assert "unit 4 of layer 2 is dead" in found[2].message


def test_saturation_counts_only_while_the_error_is_high():
    network, x, y = learned_xor()
    network.layers[1].W = 100 * network.layers[1].W
    network.layers[1].b = 100 * network.layers[1].b
    network.forward(x)
    assert symptoms.saturated_units(network.layers[1].z).all()
    assert "saturated-units" not in ids(symptoms.find(network, x, y, "sum_of_squares"))
    (found,) = [s for s in symptoms.find(network, x, 1 - y, "sum_of_squares") if s.id == "saturated-units"]
    assert (found.layer, found.units) == (2, (0,))
    assert found.evidence["mean_derivative"] < 1e-3


def test_copies_are_named_until_a_weight_in_or_out_tells_them_apart():
    x, y = xor()
    network = Network.dense([2, 3, 1], ["tanh", "identity"], seed=0)
    network.layers[0].W = [[1, 2], [3, 4], [1, 2]]
    network.layers[1].W = [[5, 6, 5]]
    (found,) = symptoms.find(network, x, y, "mean_squared_error")
    assert (found.id, found.layer, found.units) == ("symmetric-initialization", 1, (0, 2))
    train(network, x, y, loss="mean_squared_error", optimizer=GradientDescent(0.01), epochs=50)
    np.testing.assert_array_equal(network.layers[0].W[0], network.layers[0].W[2])
    network.layers[1].W = [[5, 6, 5.5]]
    assert symptoms.find(network, x, y, "mean_squared_error") == []


def test_identity_layers_make_one_affine_function():
    x, y = xor()
    network = Network.dense([2, 10, 1], "identity", seed=0)
    (found,) = symptoms.find(network, x, y, "mean_squared_error")
    assert found.id == "linear-collapse"
    assert found.evidence["r2"] == pytest.approx(1)
    bent = np.sin(3 * x[:, :1]) * x[:, 1:] + 0.3 * x[:, :1]
    expected = LinearRegression().fit(x, bent).score(x, bent)
    assert symptoms.affine_r2(x, bent) == pytest.approx(expected)
    assert np.isnan(symptoms.affine_r2(x[:3], y[:3]))
    assert np.isnan(symptoms.affine_r2(x, np.ones((4, 1))))


@pytest.mark.parametrize("name", ["mean_squared_error", "mean_absolute_error", "binary_cross_entropy_from_logits"])
def test_the_best_constant_is_no_worse_than_any_on_a_grid(name):
    from byhand.losses import get

    y = np.array([[0.0], [1.0], [1.0], [1.0], [0.0], [1.0], [1.0]])
    grid = min(get(name).value(np.full_like(y, c), y) for c in np.linspace(-3, 3, 6001))
    assert symptoms.best_constant_loss(y, name) <= grid + 1e-12
    assert symptoms.best_constant_loss(y, name) == pytest.approx(grid, rel=1e-5)


def test_stuck_at_the_best_constant_and_tiny_weights():
    x, y = xor()
    network = Network.dense([2, 10, 1], ["tanh", "identity"], seed=0)
    network.layers[0].W = 1e-4 * network.layers[0].W
    network.layers[1].b = [0.5 + 1e-5]
    (found,) = symptoms.find(network, x, y, "mean_squared_error")
    assert (found.id, found.layer) == ("tiny-initialization", 1)
    network.layers[0].W = 1e3 * network.layers[0].W
    network.layers[1].W = 1e-3 * network.layers[1].W
    (found,) = symptoms.find(network, x, y, "mean_squared_error")
    assert found.id == "stuck-at-constant"
    assert found.evidence["best_constant_loss"] == 0.25


def test_growth_on_a_linear_model_is_named_with_its_largest_learning_rate():
    x, y = line(seed=0)
    network = Network.dense([1, 1], "identity", seed=0)
    bound = largest_learning_rate(network, x, y, "mean_squared_error")
    rate = 1.5 * bound
    history = train(network, x, y, loss="mean_squared_error", optimizer=GradientDescent(rate), epochs=60)
    found = symptoms.find(network, x, y, "mean_squared_error", learning_rate=rate, losses=history.loss)[0]
    assert found.id == "learning-rate-too-high"
    assert found.evidence["growth_factor"] == pytest.approx((1 - rate * 2 / bound) ** 2)
    assert found.evidence["largest_learning_rate"] == bound
    with pytest.raises(Diverged) as caught:
        train(network, x, y, loss="mean_squared_error", optimizer=GradientDescent(100.0), epochs=10_000)
    found = symptoms.find(network, x, y, "mean_squared_error", losses=caught.value.history.loss)
    assert ids(found)[0] == "learning-rate-too-high"


def test_a_loss_that_falls_wobbles_or_has_just_begun_does_not_grow():
    assert symptoms.growth_factor(0.9 ** np.arange(50)) is None
    assert symptoms.growth_factor([1, 2, 1, 2, 1, 2, 1, 2]) is None
    assert symptoms.growth_factor([1, 2, 4]) is None
    assert symptoms.growth_factor([5, 1, 2, 4, 8, 16, np.inf, np.nan]) == pytest.approx(2)


def test_targets_that_the_last_layer_cannot_give():
    x, y = xor()
    network = Network.dense([2, 10, 1], "sigmoid", seed=0)
    (found,) = [s for s in symptoms.find(network, x, 3 * y - 1, "mean_squared_error") if s.id == "target-outside-range"]
    assert found.evidence == {"share": 1.0, "lowest_target": -1.0, "highest_target": 2.0}
    assert "target-outside-range" not in ids(symptoms.find(network, x, y, "mean_squared_error"))


def test_rules_take_an_ensemble_with_its_runs_on_the_last_axis():
    z = np.random.default_rng(0).normal(size=(20, 5, 3))
    z[:, 2, 1] = -np.abs(z[:, 2, 1])
    z[:15, 4, 0] = 9
    z[:, 0, 2] = np.nan
    assert np.argwhere(symptoms.dead_units(z)).tolist() == [[2, 1]]
    assert np.argwhere(symptoms.saturated_units(z)).tolist() == [[4, 0]]
    np.testing.assert_array_equal(symptoms.is_high([0.001, 0.2, np.nan], 1.0), [False, True, True])
    np.testing.assert_array_equal(symptoms.is_at_constant([0.992, 1.009, 0.5, np.nan], 1.0), [True, True, False, False])


def test_watch_names_the_epoch_layer_and_unit_and_leaves_the_course_alone():
    x, y = xor()
    told = []
    watch = symptoms.Watch(x, y, "sum_of_squares", every=10, on_symptom=lambda epoch, s: told.append((epoch, s.id)))
    courses = []
    for callbacks in ([], [watch]):
        network = Network.dense([2, 5, 1], ["relu", "identity"], initializer="he_normal", seed=2)
        network.layers[0].b = [0, 0, 0, 0, -100]
        history = train(
            network, x, y, loss="sum_of_squares", optimizer=GradientDescent(0.01), epochs=50, callbacks=callbacks
        )
        courses.append(history.loss)
    assert courses[0] == courses[1]
    dead = [(epoch, s.layer) for epoch, s in watch.found if s.id == "dead-relu-hidden" and 4 in s.units]
    assert dead[0] == (0, 1)
    assert told == [(epoch, s.id) for epoch, s in watch.found]


def test_watch_sees_a_layer_that_no_optimizer_moves():
    class ForgetsTheFirstLayer(GradientDescent):
        def step(self, parameters, gradients):
            parameters[30:] -= self.learning_rate * gradients[30:]

    x, y = xor()
    watch = symptoms.Watch(x, y, "sum_of_squares", every=5)
    network = Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0)
    train(network, x, y, loss="sum_of_squares", optimizer=ForgetsTheFirstLayer(0.1), epochs=20, callbacks=[watch])
    assert (5, "parameter-never-updated", 1) in [(epoch, s.id, s.layer) for epoch, s in watch.found]


def test_an_affine_output_is_named_and_a_nearly_affine_one_is_not():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 2))
    y = x[:, :1] ** 2  # which no affine function comes near

    def collapse(bias):
        network = Network.dense([2, 6, 1], ["tanh", "identity"], seed=0)
        network[0].W = 1e-2 * network[0].W  # bends by about the square of that
        network[0].b = [bias] * 6
        return "linear-collapse" in {s.id for s in symptoms.find(network, x, y, "mean_squared_error")}

    relu = Network.dense([2, 6, 1], ["relu", "identity"], seed=0)
    relu[0].b = [50.0] * 6  # no unit bends on any sample: R² is 1 to the last digits
    assert "linear-collapse" in {s.id for s in symptoms.find(relu, x, y, "mean_squared_error")}
    assert not collapse(0.5)


# Convolutions, recurrent layers, attention, batch norms


RNG = np.random.default_rng(0)
IMAGES, SEQUENCES = RNG.standard_normal((6, 5, 5, 1)), RNG.standard_normal((8, 30, 3))


def test_dead_filters_are_named():
    network = Network([Conv2D(1, 4, 3, "relu", seed=0), Flatten(), Dense(36, 1, seed=1)])
    y = RNG.standard_normal((6, 1))
    assert symptoms.find(network, IMAGES, y, "mean_squared_error") == []
    network[0].b = [0.0, -50.0, 0.0, -50.0]
    (found,) = symptoms.find(network, IMAGES, y, "mean_squared_error")
    assert (found.id, found.layer, found.units) == ("dead-filter", 1, (1, 3))
    assert "2 of 4 filters of layer 1 (2, 4) are dead" in found.message
    loss = get_loss("mean_squared_error")
    network.backward(loss.gradient(network.forward(IMAGES), y))
    assert not network[0].grad_W[[1, 3]].any()


@pytest.mark.parametrize(("scale", "id_"), [(0.3, "vanishing-through-time"), (3.0, "exploding-through-time")])
def test_a_gradient_that_changes_its_length_through_time(scale, id_):
    network = Network([RNN(3, 4, "identity", last=True, seed=0), Dense(4, 1, seed=1)])
    y = SEQUENCES.sum(axis=(1, 2))[:, None]
    assert symptoms.find(network, SEQUENCES, y, "mean_squared_error") == []  # U is a rotation
    network[0].U = scale * network[0].U
    found = {one.id: one for one in symptoms.find(network, SEQUENCES, y, "mean_squared_error")}
    assert found[id_].layer == 1
    assert found[id_].evidence["factor"] == pytest.approx(scale**29, rel=1e-9)  # 29 steps back, each a multiple


def test_attention_that_looks_at_all_or_at_one():
    network = Network([Attention(4, 2, seed=0), Flatten(), Dense(40, 1, seed=1)])
    x, y = RNG.standard_normal((8, 10, 4)), RNG.standard_normal((8, 1))
    assert symptoms.find(network, x, y, "mean_squared_error") == []
    W = network[0].W_qkv.copy()
    W[:2] = 0  # the queries of the first head
    W[2:4] *= 1e4
    network[0].W_qkv = W
    found = {one.id: one.units for one in symptoms.find(network, x, y, "mean_squared_error")}
    assert found == {"uniform-attention": (0,), "saturated-attention": (1,)}


def test_a_batch_norm_that_has_not_gathered_what_it_needs():
    network = Network([Dense(2, 3, seed=0), BatchNorm(3), Dense(3, 1, seed=1)])
    x = 5 + 4 * RNG.standard_normal((50, 2))
    y = x.sum(axis=1, keepdims=True)
    found = [one for one in symptoms.find(network, x, y, "mean_squared_error") if one.id == "batch-norm-mode"]
    assert (found[0].layer, len(found)) == (2, 1)
    assert not network[1].running_mean.any()  # it is left as it is
    for _ in range(60):
        network.forward(x)
    assert "batch-norm-mode" not in ids(symptoms.find(network, x, y, "mean_squared_error"))
