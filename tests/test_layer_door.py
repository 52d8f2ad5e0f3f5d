"""A layer as a user writes one, and layers within layers, in everything that takes a network."""

import gc
import pickle
from copy import deepcopy

import numpy as np
import pytest

from byhand import ByHandClassifier, arithmetic, check_gradients, load, save, symptoms, train
from byhand.datasets import xor
from byhand.gradient_check import GradientMismatch, numerical_gradient
from byhand.layers import (
    Dense,
    Dropout,
    Elementwise,
    Layer,
    Parameter,
    Residual,
    Sequential,
    State,
    TimeDistributed,
)
from byhand.network import Network
from byhand.optimizers import Adam
from byhand.storage import UnreadableNetworkError


class Mix(Layer):
    """Twenty lines: from (n, T, n_in) to (n, n_out), two parameters, a memory, and noise in training."""

    W, b, mean = Parameter(), Parameter(), State()

    def __init__(self, n_in, n_out, *, noise=0.1, seed=None):
        self.n_in, self.n_out, self.noise = n_in, n_out, noise
        self.rng = np.random.default_rng(seed)
        self.input_shape = (None, n_in)
        self.W, self.b = self.rng.standard_normal((n_out, n_in)) / np.sqrt(n_in), np.zeros(n_out)
        self.mean = np.zeros(n_in)

    def output_shape(self, input_shape):
        return (self.n_out,)

    def forward(self, x):
        self.x = x.sum(axis=1) + self.noise * self.rng.standard_normal((len(x), self.n_in)).astype(x.dtype)
        self.mean = 0.9 * self.mean + 0.1 * self.x.mean(axis=0)
        self.steps = x.shape[1]
        return self.x @ self.W.T + self.b

    def backward(self, grad_output):
        self.grad_W[...], self.grad_b[...] = grad_output.T @ self.x, grad_output.sum(axis=0)
        return np.repeat((grad_output @ self.W)[:, None], self.steps, axis=1)

    def predict(self, x):
        return x.sum(axis=1) @ self.W.T + self.b


def mixed(seed=0, noise=0.1):
    return Network([Mix(2, 6, noise=noise, seed=seed), Elementwise("tanh"), Dense(6, 1, seed=seed)])


RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3, 2))
Y = X[:, :, :1].sum(axis=1)


def test_a_layer_of_ones_own_works_with_everything(tmp_path):
    network = mixed()
    assert repr(network[0]) == "Mix(2, 6)"
    assert (network.input_shape, network.output_shape) == ((None, 2), (1,))
    assert network.predict(X[:, :2]).shape == (40, 1)  # two steps, or any number
    with pytest.raises(ValueError, match=r"takes \(n, any, 2\)"):
        network.predict(X[:, :, :1])

    for method in ("central", "complex"):
        report = check_gradients(network, X[:4], Y[:4], "mean_squared_error", method=method)
        assert [c.name for c in report.comparisons] == ["layer 1: W", "layer 1: b", "layer 3: W", "layer 3: b", "input"]
        assert report.relative_error < 1e-7
    assert not network[0].mean.any()  # it was a copy that was checked

    history = train(network, X, Y, loss="mean_squared_error", optimizer=Adam(0.03), epochs=60, batch_size=10, seed=0)
    assert history.loss[-1] < 0.1 * history.loss[0]
    assert network[0].mean.any()
    assert symptoms.find(network, X, Y, "mean_squared_error") == []

    assert str(network.summary()).splitlines()[1] == "1  Mix(2, 6)                     6          18"
    single = network.astype(np.float32)
    assert {single[0].W.dtype, single[0].mean.dtype, single.predict(X).dtype} == {np.dtype(np.float32)}

    save(network, tmp_path / "mixed.npz")
    with pytest.raises(UnreadableNetworkError, match=r"'Mix': if it is your own, give it as load\(path, layers=\[Mix"):
        load(tmp_path / "mixed.npz")
    loaded = load(tmp_path / "mixed.npz", layers=[Mix])
    np.testing.assert_array_equal(loaded.predict(X), network.predict(X))
    np.testing.assert_array_equal(loaded[0].mean, network[0].mean)
    copies = (deepcopy(network), pickle.loads(pickle.dumps(network)))
    output = network.forward(X)
    for copied in copies:
        np.testing.assert_array_equal(copied.forward(X), output)  # with the same noise

    network[0].frozen = True
    before = network[0].W.copy(), network[2].W.copy()
    train(network, X, Y, loss="mean_squared_error", optimizer="adam", epochs=1)
    np.testing.assert_array_equal(network[0].W, before[0])
    assert (before[1] != network[2].W).all()


def test_a_layer_of_ones_own_is_told():
    class Scale(Layer):
        gain = Parameter()

        def __init__(self, n):
            self.n, self.gain = n, np.full(n, 2.0)

        def forward(self, x):
            self.x = x
            return self.gain * x

        def backward(self, grad_output):
            self.grad_gain[...] = (grad_output * self.x).sum(axis=0)
            return grad_output * self.gain

    network = Network([Dense(2, 2, seed=0), Scale(2), Elementwise("tanh")])
    x, y = [[1.0, 2.0]], [[0.5, 0.0]]
    told = arithmetic.tell(network, x, y, "sum_of_squares", learning_rate=0.1)
    np.testing.assert_allclose(told["a2"].value, 2 * told["a1"].value)
    np.testing.assert_allclose(told["grad_gain2"].value, (told["grad_a2"].value * told["a1"].value)[0])
    np.testing.assert_allclose(told["new_gain2"].value, 2 - 0.1 * told["grad_gain2"].value)
    assert told["a2"].formula == "a2 = Scale(a1)"
    assert told["a3"].written_out(0, 0).startswith("a3[1,1] = tanh(")

    def tell_scale(layer, tell, number, x, a):
        terms = lambda i, j: f"{tell.factor(layer.gain[j])}·{tell.factor(x[i, j])}"  # noqa: E731
        tell.add("samples", f"a{number}", "forward", number, "a = gain ⊙ x", "a = g x", a, terms)

    arithmetic.tell_forward.register(Scale, tell_scale)
    told = arithmetic.tell(network, x, y, "sum_of_squares")
    first = told["a1"].number(0, 0)
    assert told["a2"].written_out(0, 0).startswith(f"a2[1,1] = 2·{f'({first})' if '−' in first else first} = ")


def test_estimators_take_layers_of_ones_own():
    x, y = RNG.standard_normal((200, 6)), RNG.integers(2, size=200)
    x[:, 0] += 3 * y
    model = ByHandClassifier(
        (), layers=[Mix(3, 8, noise=0.0, seed=0)], image_shape=(1, 2, 3), learning_rate_init=0.03, random_state=0
    )
    with pytest.raises(ValueError, match=r"this network takes \(n, any, 3\)"):
        model.fit(x, y)  # Mix takes sequences

    class Rows(Mix):
        def forward(self, x):
            return super().forward(x.reshape(len(x), -1, self.n_in))

        def backward(self, grad_output):
            return super().backward(grad_output).reshape(len(grad_output), 1, -1, self.n_in)

        def predict(self, x):
            return super().predict(x.reshape(len(x), -1, self.n_in))

    rows = Rows(3, 8, noise=0.0, seed=0)
    rows.input_shape = None
    model = model.set_params(layers=[rows]).fit(x.astype(np.float32), y)
    assert model.network_.parameters.dtype == np.float32
    assert model.score(x, y) > 0.85
    assert [W.shape for W in model.coefs_] == [(8, 1)]
    assert (rows.W == Rows(3, 8, seed=0).W).all()  # what was given is copied


def test_what_cannot_be_saved_says_how_to_mend_it(tmp_path):
    class Forgetful(Mix):
        def __init__(self, n, other):
            super().__init__(n, n)
            self.n = n

    with pytest.raises(TypeError, match=r"argument 'other' is kept nowhere. Write self.other = other in __init__"):
        save(Network([Forgetful(2, 3)]), tmp_path / "net.npz")
    layer = Mix(2, 2, noise=print)
    with pytest.raises(TypeError, match=r"print.* is no number, text, list, activation or layer"):
        save(Network([layer]), tmp_path / "net.npz")


# Layers within layers


def test_layers_within_layers_are_checked_saved_summed_up_and_frozen(tmp_path):
    inner = Sequential([Dense(4, 5, "tanh", seed=1), Dropout(0.3, seed=2), Dense(5, 4, seed=3)])
    network = Network([Dense(3, 4, seed=0), Residual([inner, Elementwise("silu")]), Dense(4, 2, seed=4)])
    x, y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))
    report = check_gradients(network, x, y, "sum_of_squares", method="complex")
    assert report.relative_error < 1e-12
    assert [c.name for c in report.comparisons][2:4] == ["layer 2.1.1: W", "layer 2.1.1: b"]
    assert network.n_parameters == 16 + 25 + 24 + 10
    assert [line[:28].rstrip() for line in str(network.summary()).splitlines()[2:6]] == [
        "2      Residual",
        "2.1      Sequential",
        "2.1.1      Dense(4, 5, 'tanh",
        "2.1.2      Dropout(0.3)",
    ]
    save(network, tmp_path / "net.npz")
    loaded = load(tmp_path / "net.npz")
    assert repr(loaded) == repr(network)
    np.testing.assert_array_equal(loaded.predict(x), network.predict(x))
    np.testing.assert_array_equal(deepcopy(network).forward(x), network.forward(x))
    network[1].frozen = True
    before = inner.layers[0].W.copy()
    train(network, x, y, loss="sum_of_squares", optimizer="adam", epochs=2)
    np.testing.assert_array_equal(inner.layers[0].W, before)
    inner.rate = 0  # what is within is reached through the network
    assert network[1].layers[0] is inner


def test_a_residual_is_its_input_and_what_its_layers_make():
    residual = Residual([Dense(3, 3, "tanh", seed=0)])
    x, grad = RNG.standard_normal((2, 4, 3))
    np.testing.assert_allclose(residual.forward(x), x + np.tanh(x @ residual.layers[0].W.T))
    numerical = numerical_gradient(lambda x: (grad * residual.predict(x)).sum(), x)
    residual.forward(x)
    np.testing.assert_allclose(residual.backward(grad), numerical, atol=1e-8)


def test_one_layer_at_each_step_is_that_layer_step_by_step():
    dense = Dense(3, 2, "tanh", seed=0)
    layer = TimeDistributed(dense)
    x, grad = RNG.standard_normal((4, 5, 3)), RNG.standard_normal((4, 5, 2))
    a = layer.forward(x)
    grad_x = layer.backward(grad)
    summed = np.zeros((2, 3))
    for step in range(5):
        np.testing.assert_allclose(a[:, step], dense.predict(x[:, step]))
        dense.forward(x[:, step])
        np.testing.assert_allclose(grad_x[:, step], dense.backward(grad[:, step]))
        summed += dense.grad_W
    layer.forward(x)
    layer.backward(grad)
    np.testing.assert_allclose(dense.grad_W, summed)
    network = Network([TimeDistributed(Dense(3, 2, "tanh", seed=0))])
    assert check_gradients(network, x, grad, "cross_entropy_from_logits").relative_error < 1e-7
    assert network.output_shape is None
    assert network.predict(x).shape == (4, 5, 2)


# Tied weights


def tied():
    first, second = Dense(3, 3, "tanh", seed=0), Dense(3, 3, seed=1)
    second.tie("W", first)
    return Network([first, Sequential([second])])


def test_tied_weights_are_one_array_whose_gradients_add_up(tmp_path):
    network = tied()
    assert network.n_parameters == 9 + 3 + 3
    x, y = RNG.standard_normal((2, 6, 3))
    for method in ("central", "complex"):
        report = check_gradients(network, x, y, "sum_of_squares", method=method)
        assert report.relative_error < 1e-7
    apart = Network([Dense(3, 3, "tanh", seed=0), Dense(3, 3)])
    apart[1].W = apart[0].W
    for each in (network, apart):
        each.backward(2 * (each.forward(x) - y))
    np.testing.assert_allclose(network[0].grad_W, apart[0].grad_W + apart[1].grad_W)
    train(network, x, y, loss="sum_of_squares", optimizer="adam", epochs=3)
    save(network, tmp_path / "tied.npz")
    for again in (network, deepcopy(network), network.astype(np.float64), load(tmp_path / "tied.npz")):
        np.testing.assert_array_equal(again[0].W, again[1].layers[0].W)
        np.testing.assert_array_equal(again.predict(x), network.predict(x))
        again[0].W = 2 * again[0].W
        np.testing.assert_array_equal(again[0].W, again[1].layers[0].W)  # one array
        again[0].W = again[0].W / 2
    assert "W tied" in str(network.summary())


def test_what_is_shared_without_saying_so_is_refused():
    dense = Dense(3, 3, seed=0)
    with pytest.raises(ValueError, match=r"only once in a network.*tie its parameters"):
        Network([dense, Residual([dense])])
    other = Dense(3, 3)
    other.tie("W", dense)
    with pytest.raises(ValueError, match=r"W of Dense\(3, 3, 'identity'\) is tied to .*, which is not in this network"):
        Network([other])
    with pytest.raises(ValueError, match=r"shape \(3, 3\), and W of .* \(2, 3\)"):
        other.tie("W", Dense(3, 2))
    with pytest.raises(ValueError, match="nothing to tie"):
        dense.tie("W", dense)
    network = Network([Residual([dense])])
    with pytest.raises(ValueError, match="belongs to another network"):
        Network([Sequential([dense])])
    del network
    gc.collect()
    assert Network([Sequential([dense])]).n_parameters == 12


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Dense(2, 3), Residual([Dense(3, 4)])], "Residual.* adds its input to its layers' output"),
        ([Dense(2, 3), Sequential([Dense(3, 4), Dense(5, 1)])], r"within that don't fit: Dense\(3, 4.*but Dense\(5, 1"),
        (
            [Dense(2, 3), TimeDistributed(Dense(3, 1))],
            r"TimeDistributed.* takes sequences of shape \(steps, features\)",
        ),
        ([TimeDistributed(Dense(2, 3)), Dense(3, 1)], None),
    ],
)
def test_shapes_that_do_not_fit_are_named(layers, message):
    if message is None:
        with pytest.raises(ValueError, match=r"gives an array of shape \(5, 3\), but Dense.* takes 3 numbers"):
            Network(layers).predict(np.zeros((1, 5, 2)))
        return
    with pytest.raises(ValueError, match=message):
        Network(layers)


def test_a_wrong_gradient_within_a_layer_is_found():
    class Wrong(Dense):
        def backward_parameters(self, grad_a):
            super().backward_parameters(grad_a)
            self.grad_b *= 2

    x, y = xor()
    with pytest.raises(GradientMismatch, match=r"layer 1\.2: b\[0\]"):
        check_gradients(Network([Sequential([Dense(2, 3, seed=0), Wrong(3, 1, seed=1)])]), x, y, "sum_of_squares")


# Sequences in losses and training


def test_a_mask_leaves_out_the_steps_that_only_fill_up():
    x, y = RNG.standard_normal((8, 4, 3)), RNG.standard_normal((8, 4, 2))
    mask = np.ones((8, 4))
    mask[:, 3] = 0
    mask[0] = 0
    masked, short = (Network([TimeDistributed(Dense(3, 2, seed=0))]) for _ in range(2))
    options = {"loss": "mean_squared_error", "optimizer": "adam", "epochs": 5}
    history = train(masked, x, y, sample_weight=mask, **options)
    np.testing.assert_allclose(history.loss, train(short, x[1:, :3], y[1:, :3], **options).loss, rtol=1e-12)
    np.testing.assert_allclose(masked.parameters, short.parameters)
    with pytest.raises(ValueError, match=r"or one for each step, shape \(8, 4\)"):
        train(masked, x, y, sample_weight=mask[:, :2], **options)
