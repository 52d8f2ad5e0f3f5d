import numpy as np
import pytest
import scipy.special
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st

from byhand.gradient_check import complex_step_gradient, numerical_gradient
from byhand.losses import LOSSES, Loss, get, one_hot


def example(seed, n=5, k=3):
    """Outputs, targets that suit every loss (rows of probabilities), and weights."""
    rng = np.random.default_rng(seed)
    return 3 * rng.standard_normal((n, k)), rng.dirichlet(np.ones(k), n), rng.uniform(0.1, 2, n)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=str)
@given(seed=st.integers(0, 2**32 - 1))
def test_each_gradient_is_that_of_exactly_its_loss(loss, weighted, seed):
    y_hat, y, weights = example(seed)
    assume(np.abs(y_hat - y).min() > 1e-4)  # where |ŷ − y| has a corner, differences to both sides say nothing
    weights = weights if weighted else None

    def value(y_hat):
        return loss.value(y_hat, y, weights)

    written = loss.gradient(y_hat, y, weights)
    np.testing.assert_allclose(written, numerical_gradient(value, y_hat), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(written, complex_step_gradient(value, y_hat), rtol=1e-11, atol=1e-13)


def test_values_by_hand():
    y_hat, y = np.array([[1.0, 2.0], [4.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 0.5]])  # errors 1, 2, 3, -0.5
    expected = {
        "sum_of_squares": 1 + 4 + 9 + 0.25,
        "mean_squared_error": 14.25 / 4,
        "half_mean_squared_error": 14.25 / 2 / 2,
        "mean_absolute_error": 6.5 / 4,
        "huber": (0.5 + 1.5 + 2.5 + 0.125) / 4,
    }
    assert {name: LOSSES[name].value(y_hat, y) for name in expected} == pytest.approx(expected)


def test_values_agree_with_scikit_learn():
    y_hat, y, weights = example(0)
    one_hot = np.eye(3)[y.argmax(axis=1)]
    p = scipy.special.softmax(y_hat, axis=1)
    options = {"sample_weight": weights}
    assert get("cross_entropy_from_logits").value(y_hat, one_hot, weights) == pytest.approx(
        sklearn.metrics.log_loss(one_hot, p, **options)
    )
    assert get("mean_squared_error").value(y_hat, y, weights) == pytest.approx(
        sklearn.metrics.mean_squared_error(y, y_hat, **options)
    )
    assert get("mean_absolute_error").value(y_hat, y, weights) == pytest.approx(
        sklearn.metrics.mean_absolute_error(y, y_hat, **options)
    )
    z, labels = y_hat[:, :1], one_hot[:, :1]
    assert get("binary_cross_entropy_from_logits").value(z, labels, weights) == pytest.approx(
        sklearn.metrics.log_loss(labels, scipy.special.expit(z), **options)
    )


@pytest.mark.parametrize("name", ["binary_cross_entropy_from_logits", "cross_entropy_from_logits"])
def test_logits_of_a_thousand_neither_overflow_nor_warn(name):
    z, y = np.array([[1000.0, -1000.0]]), np.array([[0.0, 1.0]])
    loss = get(name)
    assert loss.value(z, y) == {"binary_cross_entropy_from_logits": 1000, "cross_entropy_from_logits": 2000}[name]
    assert np.isfinite(loss.gradient(z, y)).all()


@pytest.mark.parametrize("loss", LOSSES.values(), ids=str)
def test_a_weight_of_two_counts_as_two_samples(loss):
    y_hat, y, _ = example(1)
    twice = np.array([0, 0, 1, 2, 3, 4])
    weights = np.array([2.0, 1, 1, 1, 1])
    assert loss.value(y_hat, y, weights) == pytest.approx(loss.value(y_hat[twice], y[twice]))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=str)
def test_float32_stays_float32(loss):
    y_hat, y, weights = (array.astype(np.float32) for array in example(2))
    assert loss.gradient(y_hat, y, weights).dtype == np.float32


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 1\) and targets of shape \(4,\).*reshape"):
        get("mean_squared_error").value(np.zeros((4, 1)), np.zeros(4))


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(ValueError, match="there are sum_of_squares"):
        get("mse")


@pytest.mark.parametrize(
    ("terms", "gradient", "message"),
    [
        (lambda p, y: (p - y) ** 2, lambda p, y: p - y, r"is not that of the terms. At ŷ = .* it says"),
        (lambda p, y: (p - y) ** 2 / len(y), lambda p, y: 2 * (p - y), "is not that of the terms"),
        (lambda p, y: -y * np.log(p), lambda p, y: y / p, "is not that of the terms"),  # the sign
        (lambda p, y: ((p - y) ** 2).sum(axis=1), lambda p, y: 2 * (p - y), r"terms of shape \(4,\)"),
        (lambda p, y: (p - y) ** 2, lambda p, y: np.nan * p, "is not that of the terms"),
    ],
)
def test_a_wrong_gradient_of_ones_own_is_refused(terms, gradient, message):
    with pytest.raises(ValueError, match=message):
        Loss("mine", terms, gradient, "sum")


def test_right_ones_are_taken_where_they_are_defined():
    entropy = Loss("entropy", lambda p, y: -y * np.log(p), lambda p, y: -y / p, "mean")  # of probabilities alone
    assert entropy.value(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])) == pytest.approx(np.log(2))
    Loss("distance", lambda p, y: np.abs(p - y), lambda p, y: np.sign(p - y), "sum")  # a corner is no mistake
    with pytest.raises(ValueError, match="'sum' or 'mean'"):
        Loss("mine", lambda p, y: p - y, lambda p, y: np.ones_like(p), "median")


@pytest.mark.parametrize("loss", LOSSES.values(), ids=str)
def test_the_steps_of_a_sequence_count_like_samples(loss):
    y_hat, y, weights = example(3, n=8)
    rows = loss.value(y_hat, y, weights), loss.gradient(y_hat, y, weights)
    shape, steps = (2, 4, 3), weights.reshape(2, 4)  # three lengths, so that none stands for another
    assert loss.value(y_hat.reshape(shape), y.reshape(shape), steps) == pytest.approx(rows[0], rel=1e-12)
    gradient = loss.gradient(y_hat.reshape(shape), y.reshape(shape), steps)
    np.testing.assert_allclose(gradient, rows[1].reshape(shape), rtol=1e-12)
    for_each_sample = loss.value(y_hat.reshape(shape), y.reshape(shape), weights[:2])
    assert for_each_sample == pytest.approx(loss.value(y_hat, y, np.repeat(weights[:2], 4)), rel=1e-12)


@pytest.mark.parametrize("name", ["binary_cross_entropy_from_logits", "cross_entropy_from_logits"])
def test_targets_go_from_0_to_1_and_both_ends_are_taken(name):
    loss = get(name)
    assert loss.targets == (0, 1)
    assert loss.from_logits
    loss.check_targets(np.array([[0.0, 1.0], [0.5, 0.5]]))
    for outside in ([[0.0, -0.01]], [[1.0, 1.01]]):
        with pytest.raises(ValueError, match="takes targets from 0 to 1"):
            loss.check_targets(np.array(outside))
    with pytest.raises(ValueError, match=r"become 0 and 1 by \(y \+ 1\) / 2"):
        loss.check_targets(np.array([[-1.0], [1.0]]))
    with pytest.raises(ValueError, match="Numbers of classes become rows"):
        loss.check_targets(np.array([[0.0], [1.0], [2.0]]))
    with pytest.raises(ValueError, match=r"to 2\.$"):
        loss.check_targets(np.array([[0.0, 2.0]]))


def test_a_loss_of_ones_own_takes_any_targets_and_outputs_as_they_are():
    mine = Loss("mine", lambda p, y: (p - y) ** 2, lambda p, y: 2 * (p - y), "sum")
    assert (mine.targets, mine.from_logits) == ((-np.inf, np.inf), False)
    mine.check_targets(np.array([[-1e300], [1e300]]))


def test_one_hot_by_hand():
    expected = [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    for labels in ([0, 2, 1], [[0], [2], [1]], [0.0, 2.0, 1.0]):
        np.testing.assert_array_equal(one_hot(labels), expected)
    np.testing.assert_array_equal(one_hot([1, 0], n_classes=2), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(one_hot([0, 1], n_classes=3), [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(one_hot([[0, 1], [1, 1]]), [[[1, 0], [0, 1]], [[0, 1], [0, 1]]])  # of sequences
    for wrong in ([], 3, ["a"], [0.5, 1], [-1, 1]):
        with pytest.raises(ValueError, match=r".+"):
            one_hot(wrong)
    for n_classes in (1, 2):
        with pytest.raises(ValueError, match=r".+"):
            one_hot([0, 2], n_classes=n_classes)


def test_cross_entropy_of_targets_that_do_not_add_up_to_one_has_its_gradient():
    loss = LOSSES["cross_entropy_from_logits"]
    z, y = np.array([[0.3, -1.0, 2.0]]), np.array([[1.0, 0.5, 0.5]])
    step = np.eye(3)[:, None] * 1e-6
    numerical = [(loss.value(z + e, y) - loss.value(z - e, y)) / 2e-6 for e in step]
    np.testing.assert_allclose(loss.gradient(z, y)[0], numerical, rtol=1e-6)
