import pickle
from copy import deepcopy

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from byhand.gradient_check import numerical_gradient
from byhand.initializers import INITIALIZERS, constant
from byhand.initializers import get as get_initializer
from byhand.layers import Dense, Dropout
from byhand.network import Network


def test_forward_and_backward_by_hand():
    layer = Dense(2, 1, "sigmoid")
    layer.W, layer.b = [[1.0, -2.0]], [0.5]
    x = np.array([[1.0, 1.0], [2.0, 1.0]])  # z = -0.5 and 0.5
    a = 1 / (1 + np.exp([[0.5], [-0.5]]))
    np.testing.assert_allclose(layer.forward(x), a)
    grad_x = layer.backward(np.array([[1.0], [3.0]]))
    delta = np.array([[1.0], [3.0]]) * a * (1 - a)
    np.testing.assert_allclose(layer.grad_z, delta)
    np.testing.assert_allclose(layer.grad_W, [[delta[0, 0] + 2 * delta[1, 0], delta[0, 0] + delta[1, 0]]])
    np.testing.assert_allclose(layer.grad_b, [delta.sum()])
    np.testing.assert_allclose(grad_x, delta * [[1.0, -2.0]])


@pytest.mark.parametrize(("ours", "theirs"), [("relu", "relu"), ("tanh", "tanh"), ("sigmoid", "logistic")])
def test_forward_agrees_with_scikit_learn(ours, theirs):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    model = MLPRegressor(hidden_layer_sizes=(7, 4), activation=theirs, random_state=0).partial_fit(x, y)
    network = Network.dense([3, 7, 4, 2], [ours, ours, "identity"])
    for layer, W, b in zip(network.dense_layers, model.coefs_, model.intercepts_, strict=True):
        layer.W, layer.b = W.T, b
    np.testing.assert_allclose(network.forward(x), model.predict(x), rtol=1e-12)
    np.testing.assert_array_equal(network.predict(x), network.forward(x))


def test_layers_look_into_the_networks_vectors():
    network = Network.dense([2, 3, 1], "tanh", seed=0)
    assert network.parameters.shape == (2 * 3 + 3 + 3 + 1,)
    network.parameters[:] = np.arange(13.0)
    np.testing.assert_array_equal(network.layers[0].W, [[0, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(network.layers[1].b, [12])
    network.layers[0].b = [-1, -2, -3]
    np.testing.assert_array_equal(network.parameters[6:9], [-1, -2, -3])
    network.parameters[:] = 0.1
    network.backward(network.forward(np.ones((4, 2))))
    np.testing.assert_array_equal(network.gradients[-1:], network.layers[1].grad_b)
    assert network.gradients[-1] != 0


@pytest.mark.parametrize("copy", [deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_has_the_same_numbers_in_memory_of_its_own(copy):
    network = Network.dense([2, 3, 1], ["relu", "identity"], seed=0)
    x = np.ones((4, 2))
    before = network.predict(x)
    twin = copy(network)
    np.testing.assert_array_equal(twin.predict(x), before)
    twin.parameters += 1
    assert not np.allclose(twin.predict(x), before)  # its layers look into its own vector
    np.testing.assert_array_equal(network.predict(x), before)


def test_the_same_seed_gives_the_same_network_and_float32_stays_float32():
    one, other = (Network.dense([4, 5, 2], "tanh", seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.parameters, other.parameters)
    small = one.astype(np.float32)
    grad_x = small.backward(small.forward(np.ones((2, 4), dtype=np.float32)))
    assert {small.gradients.dtype, grad_x.dtype, small.predict([[1, 2, 3, 4]]).dtype} == {np.dtype(np.float32)}
    np.testing.assert_allclose(small.parameters, one.parameters, rtol=1e-7)


def test_dropout_keeps_the_mean_and_sends_gradients_only_through_what_it_kept():
    dropout = Dropout(0.25, seed=0)
    x = np.ones((200, 500))
    a = dropout.forward(x)
    assert set(np.unique(a)) == {0, 1 / 0.75}
    assert a.mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(dropout.backward(x), a)
    assert dropout.predict(x) is x


def test_dropout_gradients_in_a_network():
    x = np.random.default_rng(0).standard_normal((3, 4))

    def network(parameters=None):
        network = Network([Dense(4, 6, "tanh", seed=0), Dropout(0.5, seed=1), Dense(6, 2, seed=2)])
        if parameters is not None:
            network.parameters[:] = parameters
        return network

    one = network()
    one.backward(2 * one.forward(x))
    numerical = numerical_gradient(lambda parameters: (network(parameters).forward(x) ** 2).sum(), one.parameters)
    np.testing.assert_allclose(one.gradients, numerical, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("zeros", 0),
        ("standard_normal", 1),
        ("glorot_normal", 2 / 500),
        ("glorot_uniform", 2 / 500),
        ("he_normal", 2 / 300),
        ("he_uniform", 2 / 300),
    ],
)
def test_initializers_have_their_variance(name, variance):
    W = INITIALIZERS[name]((200, 300), np.random.default_rng(0))
    assert W.shape == (200, 300)
    assert W.var() == pytest.approx(variance, rel=0.02)
    assert W.mean() == pytest.approx(0, abs=0.01)


def test_constant_weights_make_hidden_units_that_never_differ():
    network = Network.dense([2, 3, 1], "sigmoid", initializer=constant(0.5))
    network.backward(network.forward(np.array([[0.0, 1.0], [1.0, 1.0]])))
    grad_W = network.layers[0].grad_W
    np.testing.assert_array_equal(grad_W, grad_W[[0, 0, 0]])
    assert np.all(grad_W != 0)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: Dense(0, 1), "at least one input"),
        (lambda: Dropout(1.0), "below 1"),
        (lambda: Network([]), "at least one Dense layer"),
        (lambda: Network([Dense(2, 3), Dense(4, 1)]), "gives 3 numbers, but .* takes 4"),
        (lambda: Network([Dense(2, 2)] * 2), "only once"),
        (lambda: Network([Dense(2, 2), Dense(2, 2, dtype=np.float32)]), "float32 and float64"),
        (lambda: Network.dense([2], "tanh"), "at least the inputs and the outputs"),
        (lambda: Network.dense([2, 3, 1], ["tanh"]), "2 layers need 2 activations"),
        (lambda: Network.dense([2, 1], "tanh").predict([1.0, 2.0]), r"takes \(n, 2\), one row a sample"),
        (lambda: setattr(Dense(2, 3), "W", np.zeros((2, 3))), r"shape \(3, 2\), not \(2, 3\).*Transpose"),
        (lambda: get_initializer("xavier"), "there are zeros"),
    ],
)
def test_mistakes_are_named(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()
