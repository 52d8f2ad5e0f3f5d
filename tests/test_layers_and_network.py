import gc
import pickle
from copy import copy, deepcopy
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from sklearn.neural_network import MLPRegressor

from byhand.gradient_check import numerical_gradient
from byhand.initializers import INITIALIZERS, constant
from byhand.initializers import get as get_initializer
from byhand.layers import Dense, Dropout, Flatten, Layer, Parameter
from byhand.losses import get as get_loss
from byhand.network import Network
from byhand.optimizers import OPTIMIZERS
from byhand.training import train, update


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


@pytest.mark.parametrize("copy", [copy, deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
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
        (lambda: Dense(0, 1), "n_in is a whole number, at least 1, not 0"),
        (lambda: Dropout(1.0), "below 1"),
        (lambda: Network([]), "at least one layer that learns"),
        (lambda: Network([Dense(2, 3), Dense(4, 1)]), "gives 3 numbers, but .* takes 4"),
        (lambda: Network([Dense(2, 2)] * 2), "only once"),
        (lambda: Network([Dense(2, 2), Dense(2, 2, dtype=np.float32)]), "float32 and float64"),
        (lambda: Network.dense([2], "tanh"), "at least the inputs and the outputs"),
        (lambda: Network.dense([2, 3, 1], ["tanh"]), "2 layers need 2 activations"),
        (lambda: Network.dense([2, 1], "tanh").predict([1.0, 2.0]), r"takes \(n, 2\), one row a sample"),
        (lambda: setattr(Dense(2, 3), "W", np.zeros((2, 3))), r"shape \(3, 2\), not \(2, 3\).*Transpose"),
        (lambda: get_initializer("xavier"), "there are zeros"),
        (lambda: Dense(2, 1, dtype=int), "float64 or float32, not int"),
        (lambda: Network.dense([2, 1], "tanh").astype(int), "float64 or float32, not int"),
        (lambda: Dense(2, 3, initializer=lambda shape, rng: np.ones((2, 3))), r"shape \(2, 3\), not .* \(3, 2\)"),
    ],
)
def test_mistakes_are_named(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


def test_a_network_goes_on_learning_when_it_was_copied_or_looked_into():
    x, y = np.random.default_rng(0).standard_normal((2, 20, 3))
    options = {"loss": "sum_of_squares", "optimizer": "adam", "epochs": 20}
    alone, used = (Network.dense([3, 5, 3], ["tanh", "identity"], seed=0) for _ in range(2))
    expected = train(alone, x, y, **options).loss
    copy(used)
    with pytest.raises(ValueError, match=r"Dense\(3, 5, 'tanh'\) belongs to another network.*activations\(x\)"):
        Network(used[:1])
    assert train(used, x, y, **options).loss == expected
    features = Network(deepcopy(used[:1]))
    np.testing.assert_array_equal(features(x), used.activations(x)[0])


def test_layers_are_free_again_when_their_network_is_gone():
    layers = [Dense(2, 3, seed=0), Dense(3, 1, seed=1)]
    network = Network(layers)
    del network
    gc.collect()
    assert len(Network(layers)) == 2


def test_activations_are_what_the_layers_make_of_x():
    network = Network([Dense(2, 4, "tanh", seed=0), Dropout(0.5, seed=0), Dense(4, 1, "sigmoid", seed=1)])
    x = np.random.default_rng(0).standard_normal((5, 2))
    hidden, dropped, out = network.activations(x)
    np.testing.assert_allclose(hidden, np.tanh(x @ network[0].W.T + network[0].b))
    np.testing.assert_array_equal(dropped, hidden)
    np.testing.assert_array_equal(out, network(x))
    assert list(network) == network[:] == network.layers
    assert network[-1] is network.layers[-1]


def test_a_summary_counts_what_there_is():
    network = Network([Dense(2, 10, "relu"), Dropout(0.5), Dense(10, 1)])
    assert network.n_parameters == 41
    network[0].frozen = True
    summary = network.summary()
    assert (summary.total, summary.trainable, summary.memory) == (41, 11, 328)
    assert str(summary).splitlines() == [
        "   layer                     output  parameters",
        "1  Dense(2, 10, 'relu')          10          30  frozen",
        "2  Dropout(0.5)                  10           0",
        "3  Dense(10, 1, 'identity')       1          11",
        "41 parameters, of which 11 learn; 328 bytes",
    ]
    assert "<td>Dense(2, 10, &#x27;relu&#x27;)</td><td>10</td><td>30</td><td>frozen</td>" in summary._repr_html_()
    out = StringIO()
    Console(file=out, width=100).print(summary)
    assert "Dense(10, 1, 'identity')" in out.getvalue()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_frozen_layer_stays_as_it_is_and_the_others_learn(optimizer):
    x, y = np.random.default_rng(0).standard_normal((2, 20, 3))
    network = Network.dense([3, 5, 3], ["tanh", "identity"], seed=0)
    rule = OPTIMIZERS[optimizer](0.01)
    options = {"loss": "sum_of_squares", "optimizer": rule, "epochs": 3, "max_norm": 1.0, "batch_size": 7, "seed": 0}
    train(network, x, y, **options)  # so that a velocity has been gathered
    network[0].frozen = True
    before = network.parameters.copy()
    train(network, x, y, **options)
    n = network[0].n_parameters
    np.testing.assert_array_equal(network.parameters[:n], before[:n])
    assert (network.parameters[n:] != before[n:]).all()
    assert deepcopy(network)[0].frozen


class Scale(Layer):
    """A layer as a user writes one."""

    gain = Parameter()
    shift = Parameter()

    def __init__(self, n):
        self.gain, self.shift = np.full(n, 2.0), np.zeros(n)

    def forward(self, x):
        self.x = x
        return self.gain * x + self.shift

    def backward(self, grad_output):
        self.grad_gain[...] = (grad_output * self.x).sum(axis=0)
        self.grad_shift[...] = grad_output.sum(axis=0)
        return grad_output * self.gain


def test_a_layer_of_ones_own_is_trained_checked_and_copied():
    from byhand.gradient_check import check_gradients

    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 2))
    network = Network([Scale(2), Dense(2, 4, "tanh", seed=0), Scale(4), Dense(4, 1, seed=1)])
    assert network.n_parameters == 4 + 12 + 8 + 5
    report = check_gradients(network, x[:5], np.ones((5, 1)), "sum_of_squares")
    assert [c.name for c in report.comparisons][:2] == ["layer 1: gain", "layer 1: shift"]
    assert report.relative_error < 1e-7
    twin = deepcopy(network)
    history = train(network, x, x[:, :1] * x[:, 1:], loss="mean_squared_error", optimizer="adam", epochs=50)
    assert history.loss[-1] < history.loss[0]
    assert (network[0].gain != 2).all()
    assert (twin[0].gain == 2).all()
    assert network.astype(np.float32)[2].gain.dtype == np.float32
    wrong = Scale(2)
    with pytest.raises(ValueError, match=r"gain has shape \(2,\), not \(3,\)"):
        wrong.gain = np.ones(3)


def test_an_update_by_hand():
    network = Network([Dense(1, 1)])
    network.parameters[:] = [2.0, 1.0]
    y_hat = network.forward(np.array([[3.0]]))
    network.backward(get_loss("sum_of_squares").gradient(y_hat, np.array([[5.0]])))  # error 2: gradients 12 and 4
    update(network, OPTIMIZERS["gradient_descent"](0.1))
    np.testing.assert_allclose(network.parameters, [0.8, 0.6])


def test_a_layer_that_gets_rows_of_numbers_names_the_one_that_takes_them():
    layer = Dense(3, 2, "tanh")
    assert layer.output_shape((3,)) == (2,)
    with pytest.raises(ValueError, match=r"^takes 3 numbers\.$"):
        layer.output_shape((4,))
    with pytest.raises(ValueError, match=r"^takes 3 numbers: for the same layer at each step, TimeDistributed\("):
        layer.output_shape((5, 3))


def test_what_images_are_made_into_is_seen_with_the_first_batch():
    network = Network([Flatten(), Dense(12, 2, seed=0)])  # of images of any size, when it is made
    images = np.random.default_rng(0).standard_normal((5, 3, 4))
    np.testing.assert_array_equal(network.predict(images), images.reshape(5, 12) @ network[1].W.T)
    with pytest.raises(ValueError, match=r"Flatten\(\) gives 8 numbers, but Dense\(12, 2, .* takes 12 numbers"):
        network.predict(images[:, :2])


def test_weights_are_without_biases():
    network = Network.dense([2, 3, 1], "tanh")
    assert [(array.shape, gradient.shape) for _, array, gradient in network.weights] == [((3, 2),) * 2, ((1, 3),) * 2]
