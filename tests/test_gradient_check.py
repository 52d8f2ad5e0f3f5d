from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byhand.activations import ACTIVATIONS, Activation
from byhand.datasets import xor
from byhand.gradient_check import GradientMismatch, check_gradients, complex_step_gradient, numerical_gradient
from byhand.layers import Dense, Dropout
from byhand.losses import LOSSES, Loss
from byhand.network import Network


def test_numerical_gradients_of_known_functions():
    x = np.array([[1.0, -2.0], [0.5, 100.0]])
    np.testing.assert_allclose(numerical_gradient(lambda x: (x**3).sum(), x[0]), 3 * x[0] ** 2, rtol=1e-9)
    np.testing.assert_allclose(complex_step_gradient(lambda x: np.exp(x[0] / 50).sum(), x)[0], np.exp(x[0] / 50) / 50)
    assert numerical_gradient(np.sin, 2.0) == pytest.approx(np.cos(2.0))
    with pytest.raises(ValueError, match="one number"):
        numerical_gradient(lambda x: x, x)


@pytest.mark.parametrize("method", ["central", "complex"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_every_loss(activation, loss, method):
    rng = np.random.default_rng(1)
    network = Network.dense([3, 5, 4, 2], [activation, activation, "identity"], seed=rng)
    network.parameters += 0.1 * rng.standard_normal(network.parameters.size)  # biases other than 0
    x, y = rng.standard_normal((6, 3)), rng.dirichlet(np.ones(2), 6)
    report = check_gradients(network, x, y, loss, method=method)
    assert len(report.comparisons) == 7
    assert report.relative_error < (1e-7 if method == "central" else 1e-12)


class Wrong(Dense):
    """A layer with one of the mistakes that learners make."""

    def __init__(self, *args, mistake, **options):
        super().__init__(*args, **options)
        self.mistake = mistake

    def backward_parameters(self, grad_a):
        super().backward_parameters(grad_a)
        self.mistake(self, grad_a)

    def __getstate__(self):
        return super().__getstate__() | {"mistake": self.mistake}

    def __setstate__(self, state):
        super().__setstate__(state)
        self.mistake = state["mistake"]


def assign(**formulas):
    def mistake(layer, grad_a):
        for name, formula in formulas.items():
            getattr(layer, name)[...] = formula(layer, grad_a)

    return mistake


MISTAKES = {
    "the derivative of the activation left out": assign(grad_z=lambda layer, grad_a: grad_a),
    "the derivative written for a given z": assign(grad_z=lambda layer, grad_a: grad_a * layer.z * (1 - layer.z)),
    "the wrong sign": assign(grad_W=lambda layer, grad_a: -layer.grad_W),
    "a factor of two": assign(grad_W=lambda layer, grad_a: 2 * layer.grad_W),
    "a mean in place of a sum": assign(grad_b=lambda layer, grad_a: layer.grad_z.mean(axis=0)),
    "the bias forgotten": assign(grad_b=lambda layer, grad_a: 0),
    "one element off by a thousandth": assign(
        grad_W=lambda layer, grad_a: layer.grad_W * np.array([[1.001], [1], [1]])
    ),
    "not a number": assign(grad_W=lambda layer, grad_a: np.nan),
}


@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_wrong_gradients_are_refused(mistake, where):
    layers = [Dense(3, 3, "sigmoid", seed=0), Dense(3, 3, "sigmoid", seed=1), Dense(3, 2, "sigmoid", seed=2)]
    layers[where] = Wrong(3, 3, "sigmoid", seed=3, mistake=MISTAKES[mistake])
    x, y = np.random.default_rng(0).standard_normal((2, 5, 3))
    with pytest.raises(GradientMismatch, match=r"backward gives .* the numerical derivative is"):
        check_gradients(Network(layers), x, y[:, :2], "sum_of_squares")


def test_the_message_names_the_parameter_and_both_values():
    layer = Wrong(1, 1, mistake=MISTAKES["a factor of two"])
    layer.W, layer.b = [[2.0]], [1.0]  # y_hat = 3, error 3, dL/dW = 2 * 3 * 1
    with pytest.raises(GradientMismatch, match=r"layer 1: W\[0, 0\]: backward gives 12, the numerical derivative is 6"):
        check_gradients(Network([layer]), [[1.0]], [[0.0]], "sum_of_squares")


def test_a_kink_is_told_from_a_mistake():
    network = Network.dense([2, 10, 1], "relu", seed=0)
    x, y = xor()
    network.layers[1].b = [1.0]
    report = check_gradients(network, x, y, "sum_of_squares")  # at input 00 every hidden unit stands at its corner
    assert report.comparisons[1].kinks.sum() == 10
    assert "10 of 10 at a kink" in str(report)
    wrong = Network([Wrong(2, 10, "relu", seed=0, mistake=MISTAKES["the wrong sign"]), deepcopy(network[1])])
    with pytest.raises(GradientMismatch, match="layer 1: W"):
        check_gradients(wrong, x, y, "sum_of_squares")


def test_float32_rounding_is_told_from_a_mistake():
    x, y = np.random.default_rng(0).standard_normal((2, 5, 3))
    network = Network.dense([3, 8, 3], "tanh", seed=0, dtype=np.float32)
    report = check_gradients(network, x, y, "sum_of_squares")
    assert report.relative_error < 1e-7
    assert 0 < max(comparison.rounding for comparison in report.comparisons) < 1e-5
    wrong = Network(
        [Wrong(3, 3, "tanh", seed=0, dtype=np.float32, mistake=MISTAKES["one element off by a thousandth"])]
    )
    with pytest.raises(GradientMismatch):
        check_gradients(wrong, x, y, "sum_of_squares")


@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5))
def test_any_depth_and_width(seed, sizes):
    rng = np.random.default_rng(seed)
    network = Network.dense(sizes, list(rng.choice(["tanh", "sigmoid", "silu"], len(sizes) - 1)), seed=rng)
    x, y = rng.standard_normal((4, sizes[0])), rng.standard_normal((4, sizes[-1]))
    assert check_gradients(network, x, y, "sum_of_squares").relative_error < 1e-7


def test_the_network_is_left_as_it_was_and_dropout_left_out():
    network = Network([Dense(2, 4, "tanh", seed=0), Dropout(0.5, seed=0), Dense(4, 1, seed=1)])
    before = network.parameters.copy()
    check_gradients(network, *xor(), "sum_of_squares")
    np.testing.assert_array_equal(network.parameters, before)
    assert len(network.layers) == 3


def tiny_weights(seed, std, hidden=(20,), layer=Dense, **options):
    """ReLU layers with weights so small that a step of 6e-6 takes many z across 0, with biases 0 and inputs N(0, 1)."""
    rng = np.random.default_rng(seed)
    sizes = [10, *hidden, 3]
    layers = [layer(n_in, n_out, "relu", **options) for n_in, n_out in pairwise(sizes[:-1])]
    network = Network([*layers, Dense(sizes[-2], 3)])
    for one in network:
        one.W = std * rng.standard_normal(one.W.shape)
    return network, rng.standard_normal((10, 10)), np.eye(3)[rng.integers(3, size=10)]


@pytest.mark.parametrize("loss", ["mean_squared_error", "cross_entropy_from_logits", "mean_absolute_error"])
@pytest.mark.parametrize(("std", "hidden"), [(1e-6, (20,)), (1e-4, (20,)), (1e-4, (10, 10)), (1e-3, (10, 10))])
def test_a_right_network_with_kinks_all_around_is_not_accused(std, hidden, loss):
    judged = []
    for seed in range(3):
        report = check_gradients(*tiny_weights(seed, std, hidden), loss)
        judged += [1 - comparison.kinks.mean() for comparison in report.comparisons]
        assert report.relative_error < 1e-7
    # And not because all were taken for kinks. Where no unit of a layer lives, z = 0 in the next and, in the end, ŷ = y
    # are true corners, of ReLU and of |ŷ − y|.
    assert np.mean(judged) > (0.7 if loss == "mean_absolute_error" else 0.94)


@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name != "the derivative written for a given z"])
def test_a_wrong_network_with_kinks_all_around_is_accused(mistake):
    correct = MISTAKES[mistake]
    if "thousandth" in mistake:
        correct = assign(grad_W=lambda layer, grad_a: layer.grad_W * np.where(np.arange(20) == 3, 1.001, 1)[:, None])
    with pytest.raises(GradientMismatch, match="backward gives"):
        check_gradients(*tiny_weights(0, 1e-4, layer=Wrong, mistake=correct), "mean_squared_error")


def test_formulas_that_take_no_complex_numbers_are_judged_by_differences_alone():
    hard_tanh = Activation(
        "hard_tanh", lambda z: (np.abs(z + 1) - np.abs(z - 1)) / 2, lambda z, a: (np.abs(z) < 1).astype(z.dtype)
    )
    distance = Loss("distance", lambda y_hat, y: np.abs(y_hat - y), lambda y_hat, y: np.sign(y_hat - y), "sum")
    rng = np.random.default_rng(0)
    for seed in range(5):
        network = Network.dense([3, 8, 2], [hard_tanh, "identity"], seed=seed)
        x = rng.standard_normal((6, 3))
        y = network(x) + 1e-7 * rng.standard_normal((6, 2))  # so near that the step crosses the loss's corner
        check_gradients(network, x, y, distance)
    layers = [Wrong(3, 3, hard_tanh, seed=0, mistake=MISTAKES["the bias forgotten"]), Dense(3, 2, seed=1)]
    with pytest.raises(GradientMismatch, match="layer 1: b"):
        check_gradients(Network(layers), x, y, distance)


@pytest.mark.parametrize("layer", [0, 1])
def test_gradients_that_add_up_from_call_to_call_are_refused(layer):
    class Adding(Dense):
        def backward_parameters(self, grad_a):
            self.grad_z = grad_a * self.activation.derivative(self.z, self.a)
            self.grad_W += self.grad_z.T @ self.x
            self.grad_b[...] = self.grad_z.sum(axis=0)

    kinds = [Dense, Dense]
    kinds[layer] = Adding
    network = Network([kinds[0](2, 3, "tanh", seed=0), kinds[1](3, 1, seed=1)])
    with pytest.raises(GradientMismatch, match=rf"layer {layer + 1}: W\[0, 0\].*not to add to them"):
        check_gradients(network, *xor(), "sum_of_squares")
