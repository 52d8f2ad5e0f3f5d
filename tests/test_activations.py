import pickle
import warnings

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from byhand.activations import ACTIVATIONS, Activation, get, relu, sigmoid, softmax
from byhand.gradient_check import complex_step_gradient, numerical_gradient

moderate = st.floats(-30, 30, allow_subnormal=False)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
@given(z=moderate.filter(lambda z: abs(z) > 1e-3))  # some have a corner at 0
def test_each_derivative_is_that_of_its_function(activation, z):
    written = activation.derivative(np.array(z), activation(z))
    assert written == pytest.approx(numerical_gradient(activation, z), rel=1e-7, abs=1e-8)
    assert written == pytest.approx(complex_step_gradient(activation, z), rel=1e-12, abs=1e-14)


ORACLES = {
    "sigmoid": scipy.special.expit,
    "tanh": np.tanh,
    "softplus": lambda z: np.logaddexp(0, z),
    "silu": lambda z: z * scipy.special.expit(z),
    "gelu": lambda z: z * scipy.special.ndtr(z),
}


@pytest.mark.parametrize("name", ORACLES)
def test_values_agree_with_scipy(name):
    z = np.linspace(-40, 40, 801)
    atol = 5e-4 if name == "gelu" else 1e-15  # the tanh approximation of GELU is meant to be that far off
    np.testing.assert_allclose(ACTIVATIONS[name](z), ORACLES[name](z), rtol=1e-13, atol=atol)


def test_values_by_hand():
    z = [-2.0, 0.0, 3.0]
    np.testing.assert_allclose(get("relu")(z), [0, 0, 3])
    np.testing.assert_allclose(get("leaky_relu")(z), [-0.02, 0, 3])
    np.testing.assert_allclose(get("elu")(z), [np.exp(-2) - 1, 0, 3])
    np.testing.assert_allclose(get("identity")(z), z)
    np.testing.assert_array_equal(relu.derivative(np.array(z), relu(z)), [0, 0, 1])


def test_derivatives_at_0_by_hand():
    at_0 = {name: float(f.derivative(np.zeros(1), f(np.zeros(1)))[0]) for name, f in ACTIVATIONS.items()}
    ours = {"relu": 0, "leaky_relu": 0.01, "elu": 1, "identity": 1, "tanh": 1}
    assert at_0 == ours | {"sigmoid": 0.25, "softplus": 0.5, "silu": 0.5, "gelu": 0.5}


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_its_range_is_what_it_reaches(activation):
    a = activation(np.linspace(-50, 50, 1_000_001))
    for bound, reached, sign in zip(activation.range, (a.min(), a.max()), (-1, 1), strict=True):
        if np.isfinite(bound):
            assert reached == pytest.approx(bound, abs=1e-7)
            assert sign * reached <= sign * bound + 1e-8
        else:
            assert bound == sign * np.inf
            assert sign * reached >= 0.5


def test_a_users_own_activation_may_take_any_value():
    assert Activation("double", lambda z: 2 * z, lambda z, a: np.full_like(z, 2.0)).range == (-np.inf, np.inf)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_silent_finite_and_in_its_own_precision_far_out(activation, dtype):
    z = np.array([-1000, -100, -1, 0, 1, 100, 1000], dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a = activation(z)
        slope = activation.derivative(z, a)
    assert a.dtype == slope.dtype == dtype
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()


def test_sigmoid_at_1000():
    np.testing.assert_allclose(sigmoid([-1000.0, 0.0, 1000.0]), [0, 0.5, 1], atol=1e-300)


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=5), elements=st.floats(-1e4, 1e4)))
def test_softmax_is_a_distribution_that_a_shift_does_not_change(z):
    p = softmax(z)
    np.testing.assert_allclose(p.sum(axis=-1), 1)
    np.testing.assert_allclose(p, scipy.special.softmax(z, axis=-1), rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(softmax(z + 7.0), p, rtol=1e-8, atol=1e-12)


def test_a_users_own_activation():
    square = Activation("square", lambda z: z**2, lambda z, a: 2 * z)
    np.testing.assert_array_equal(square([1, -3]), [1, 9])
    absolute = Activation("absolute", np.abs, lambda z, a: np.sign(z))  # a corner is no mistake
    assert absolute(-2) == 2


@pytest.mark.parametrize(
    ("function", "derivative", "message"),
    [
        (lambda z: z**2, lambda z, a: z, r"At z = -4.03 it says -4.03, while .* gives -8.06"),
        (np.tanh, lambda z, a: 1 - z**2, "does not match"),  # the derivative written for a, given z
        (softmax, lambda z, a: a * (1 - a), "does not match"),
        (lambda z: z.sum(axis=1), lambda z, a: 1.0, r"shape \(20, 5\) came back as \(20,\)"),
        (np.tanh, lambda z, a: a * np.nan, "does not match"),
        (np.tanh, lambda z, a: np.where(np.abs(z) < 4.1, 1 - a * a, 0.1), r"At z = -50 "),  # far from 0 alone
        (np.square, lambda z, a: np.where(z < 45, 2 * z, 0), "does not match"),
    ],
)
def test_a_wrong_derivative_is_refused(function, derivative, message):
    with pytest.raises(ValueError, match=message):
        Activation("mine", function, derivative)


def test_unknown_names_say_what_there_is():
    with pytest.raises(ValueError, match="there are identity, sigmoid"):
        get("sigmod")
    with pytest.raises(ValueError, match="cross_entropy_from_logits"):
        get("softmax")


def test_ours_are_pickled_by_name():
    assert pickle.loads(pickle.dumps(relu)) is relu
