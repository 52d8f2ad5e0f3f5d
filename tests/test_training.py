import inspect
import pickle

import numpy as np
import pytest
import sklearn.datasets
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor

from byhand import optimizers, schedules
from byhand.datasets import circles, digits, line, moons, spirals, xor
from byhand.gradient_check import numerical_gradient
from byhand.layers import Dense, Dropout, Layer, State
from byhand.losses import one_hot
from byhand.network import Network
from byhand.optimizers import Adam, AdamW, GradientDescent, Momentum, Nesterov, RMSProp
from byhand.penalties import L1, L2
from byhand.training import Diverged, History, accuracy, clip_norm, largest_learning_rate, train


def trained_line(learning_rate=0.1, epochs=3000, **options):
    x, y = line(seed=0)
    network = Network.dense([1, 1], "identity", seed=0)
    optimizer = GradientDescent(learning_rate)
    history = train(network, x, y, loss="mean_squared_error", optimizer=optimizer, epochs=epochs, **options)
    return x, y, network, history


def train_xor(network=None, *, epochs=200, **options):
    network = network or Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0)
    options = {"loss": "sum_of_squares", "optimizer": GradientDescent(0.5)} | options
    return network, train(network, *xor(), epochs=epochs, **options)


def test_gradient_descent_finds_the_line_of_scikit_learn():
    x, y, network, history = trained_line()
    exact = LinearRegression().fit(x, y)
    np.testing.assert_allclose(network.parameters, [exact.coef_[0, 0], exact.intercept_[0]], rtol=1e-10)
    assert history.loss[-1] == pytest.approx(((exact.predict(x) - y) ** 2).mean())
    assert len(history.loss) == 3000


def test_just_under_the_largest_learning_rate_converges_and_just_over_it_does_not():
    x, y, network, _ = trained_line()
    hessian = 2 / len(x) * np.array([[(x**2).sum(), x.sum()], [x.sum(), len(x)]])
    bound = largest_learning_rate(network, x, y, "mean_squared_error")
    assert bound == pytest.approx(2 / np.linalg.eigvalsh(hessian).max())
    assert trained_line(0.99 * bound)[3].loss[-1] == pytest.approx(0.01, rel=0.3)
    assert trained_line(1.01 * bound, epochs=200)[3].loss[-1] > 10
    assert largest_learning_rate(Network.dense([1, 2, 1], "identity"), x, y, "mean_squared_error") is None


def test_xor_is_learned_and_the_first_loss_is_that_of_the_untrained_network():
    x, y = xor()
    untrained = (
        (Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0).predict(x) - y) ** 2
    ).sum()
    network, history = train_xor(epochs=10_000)
    assert history.loss[0] == pytest.approx(untrained)
    assert history.loss[-1] < 1e-3
    np.testing.assert_allclose(network.predict(x), y, atol=0.02)


@pytest.mark.parametrize("batch_size", [None, 7, 1])
def test_the_same_seed_gives_the_same_course_to_the_last_bit(batch_size):
    runs = [trained_line(epochs=20, batch_size=batch_size, seed=5)[3].loss for _ in range(2)]
    assert runs[0] == runs[1]
    if batch_size:
        assert trained_line(epochs=20, batch_size=batch_size, seed=6)[3].loss != runs[0]


def test_mini_batches_take_the_course_of_scikit_learn():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 3)), rng.standard_normal((50, 1))
    options = {
        "solver": "sgd",
        "alpha": 0,
        "momentum": 0,
        "learning_rate_init": 0.05,
        "shuffle": False,
        "batch_size": 8,
    }
    theirs = MLPRegressor(hidden_layer_sizes=(6,), activation="tanh", random_state=0, **options)
    theirs.partial_fit(x, y.ravel())
    network = Network.dense([3, 6, 1], ["tanh", "identity"])
    for layer, W, b in zip(network.dense_layers, theirs.coefs_, theirs.intercepts_, strict=True):
        layer.W, layer.b = W.T, b
    for _ in range(20):
        theirs.partial_fit(x, y.ravel())
    optimizer = GradientDescent(0.05)
    history = train(
        network, x, y, loss="half_mean_squared_error", optimizer=optimizer, epochs=20, batch_size=8, shuffle=False
    )
    np.testing.assert_allclose(network.predict(x)[:, 0], theirs.predict(x), rtol=1e-10)
    np.testing.assert_allclose(history.loss, theirs.loss_curve_[1:], rtol=1e-10)


# The first three steps on f(θ) = θ² from θ = 1 (so g = 2 θ), by hand from the formulas, learning rate 0.1.
STEPS = {
    GradientDescent: [0.8, 0.64, 0.512],
    Momentum: [0.8, 0.46, 0.062],
    Nesterov: [0.62, 0.2224, -0.108352],
}


@pytest.mark.parametrize("optimizer", STEPS)
def test_first_steps_by_hand(optimizer):
    theta = np.array([1.0])
    one = optimizer(0.1)
    for expected in STEPS[optimizer]:
        one.step(theta, 2 * theta)
        assert theta[0] == pytest.approx(expected)


def test_adaptive_optimizers_step_by_the_learning_rate_whatever_the_scale():
    gradients = np.array([1e-3, -1.0, 1e3])
    for optimizer, factor in ((Adam(0.01), 1), (RMSProp(0.01, decay=0.99), 10)):
        theta = np.zeros(3)
        optimizer.step(theta, gradients)
        np.testing.assert_allclose(theta, -factor * 0.01 * np.sign(gradients), rtol=1e-4)


def test_adam_with_a_changing_gradient_by_the_formula():
    gradients = np.array([1.0, -2.0, 0.5])
    theta, optimizer = np.array([3.0]), AdamW(0.1, 0.8, 0.9, epsilon=0.3, weight_decay=0.5)
    for g in gradients:
        optimizer.step(theta, np.array([g]))
    expected = 3.0
    for t in (1, 2, 3):
        age = np.arange(t)[::-1]  # the means written out as weighted sums over the past
        mean = (0.2 * 0.8**age * gradients[:t]).sum() / (1 - 0.8**t)
        square = (0.1 * 0.9**age * gradients[:t] ** 2).sum() / (1 - 0.9**t)
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * mean / (np.sqrt(square) + 0.3)
    assert theta[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    "optimizer", [GradientDescent(0.5), Momentum(0.1), Nesterov(0.1), RMSProp(0.01), Adam(0.05), AdamW(0.05)]
)
def test_every_optimizer_learns_xor(optimizer):
    _, history = train_xor(optimizer=optimizer, epochs=2000)
    assert history.loss[-1] < 0.1


@pytest.mark.parametrize("penalty", [L2(0.3), L1(0.2)])
def test_penalties_are_part_of_loss_and_gradient_for_weights_and_not_biases(penalty):
    x, y = xor()
    network = Network.dense([2, 3, 1], "tanh", seed=0)
    start = network.parameters + 0.1

    def objective(parameters):
        network.parameters[:] = parameters
        squares = ((network.predict(x) - y) ** 2).sum()
        return squares + sum(penalty.value(layer.W) for layer in network.layers)

    numerical = numerical_gradient(objective, start)
    value = objective(start)
    history = train(
        network, x, y, loss="sum_of_squares", optimizer=GradientDescent(1e-3), epochs=1, penalties=[penalty]
    )
    np.testing.assert_allclose((start - network.parameters) / 1e-3, numerical, rtol=1e-6)
    assert history.loss == [pytest.approx(value)]
    assert penalty.value(np.array([[3.0, -4.0]])) == pytest.approx({L2: 0.5 * 0.3 * 25, L1: 0.2 * 7}[type(penalty)])


def test_a_weight_of_two_counts_as_two_samples():
    x, y = xor()
    networks = [Network.dense([2, 3, 1], "tanh", seed=0) for _ in range(2)]
    options = {"loss": "mean_squared_error", "optimizer": GradientDescent(0.5), "epochs": 50}
    train(networks[0], x, y, sample_weight=[2, 1, 1, 1], **options)
    train(networks[1], x[[0, 0, 1, 2, 3]], y[[0, 0, 1, 2, 3]], **options)
    np.testing.assert_allclose(networks[0].parameters, networks[1].parameters, rtol=1e-10)


def test_early_stopping_puts_the_best_weights_back():
    x, y = sklearn.datasets.make_moons(60, noise=0.4, random_state=0)
    x, y = x, y[:, None].astype(float)
    network = Network.dense([2, 60, 1], ["tanh", "identity"], seed=0)
    history = train(
        network,
        x[:30],
        y[:30],
        loss="binary_cross_entropy_from_logits",
        optimizer=Adam(0.05),
        epochs=1000,
        validation=(x[30:], y[30:]),
        patience=20,
    )
    assert len(history.loss) < 1000
    assert history.best_epoch == np.argmin(history.validation_loss) == len(history.loss) - 21
    p = 1 / (1 + np.exp(-network.predict(x[30:])))
    validation_loss = -(y[30:] * np.log(p) + (1 - y[30:]) * np.log(1 - p)).mean()
    assert validation_loss == pytest.approx(min(history.validation_loss))
    assert set(history.table()) == {"epoch", "loss", "validation_loss"}


class Counting(Layer):
    """Adds how often it went forward; in a file of its own it would be a running mean."""

    count = State()

    def __init__(self):
        self.count = np.zeros(1)

    def forward(self, x):
        self.count += 1
        return self.predict(x)

    def predict(self, x):
        return x + self.count

    def backward(self, grad_output):
        return grad_output


def test_early_stopping_puts_back_what_layers_keep_without_learning_it():
    x, y = xor()
    network = Network([Dense(2, 1, initializer="zeros"), Counting()])
    validation = (x, y + 5)  # which the growing count comes to, and passes
    history = train(
        network,
        x,
        y,
        loss="mean_squared_error",
        optimizer=GradientDescent(1e-6),
        epochs=20,
        validation=validation,
        patience=3,
    )
    assert history.best_epoch == np.argmin(history.validation_loss) == len(history.loss) - 4
    assert network[1].count == history.best_epoch + 1
    assert ((network.predict(x) - y - 5) ** 2).mean() == pytest.approx(min(history.validation_loss))


def test_clipping_keeps_the_direction():
    gradients = np.array([3.0, 4.0])
    clip_norm(gradients, 10)
    np.testing.assert_array_equal(gradients, [3, 4])
    clip_norm(gradients, 1)
    np.testing.assert_allclose(gradients, [0.6, 0.8])
    start = Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0).parameters.copy()
    network, _ = train_xor(epochs=1, max_norm=0.01)
    assert np.linalg.norm(network.parameters - start) == pytest.approx(0.5 * 0.01)


def test_schedules():
    assert [schedules.step_decay(2)(e) for e in range(5)] == [1, 1, 0.5, 0.5, 0.25]
    assert [schedules.exponential(0.9)(e) for e in (0, 2)] == pytest.approx([1, 0.81])
    assert [schedules.inverse_time(10)(e) for e in (0, 10, 20)] == pytest.approx([1, 1 / 2, 1 / 3])
    assert [schedules.cosine(10)(e) for e in (0, 5, 10, 11)] == pytest.approx([1, 0.5, 0, 0])
    assert [schedules.warmup(2, schedules.exponential(0.1))(e) for e in range(4)] == pytest.approx([0.5, 1, 1, 0.1])


def test_a_schedule_scales_the_learning_rate_and_leaves_it_as_it_was():
    start = Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0).parameters
    optimizer = GradientDescent(0.5)
    whole, _ = train_xor(optimizer=optimizer, epochs=1)
    half, _ = train_xor(optimizer=optimizer, epochs=1, schedule=lambda epoch: 0.5)
    np.testing.assert_allclose(half.parameters - start, (whole.parameters - start) / 2, rtol=1e-10)
    assert optimizer.learning_rate == 0.5


def test_callbacks_see_every_epoch_and_can_stop():
    seen = []

    def callback(epoch, network, history):
        seen.append((epoch, history.loss[-1]))
        return epoch == 4

    _, history = train_xor(callbacks=[callback])
    assert [epoch for epoch, _ in seen] == [0, 1, 2, 3, 4]
    assert [loss for _, loss in seen] == history.loss


def test_a_diverging_linear_model_is_told_its_largest_learning_rate():
    with pytest.raises(Diverged, match=r"layer 1 .*below 2/λmax = 0\.7\d*, and the learning rate is 5") as caught:
        trained_line(5.0)
    assert 50 < len(caught.value.history.loss) < 3000
    assert np.isfinite(caught.value.history.loss).all()


@pytest.mark.parametrize(("scale", "advice"), [(1, "try a tenth of it"), (1e4, "scale each column")])
def test_a_diverging_network_is_told_what_to_try(scale, advice):
    x, y = line(seed=0)
    network = Network.dense([1, 8, 1], ["relu", "identity"], seed=0)
    with pytest.raises(Diverged, match=advice):
        train(network, scale * x, y, loss="sum_of_squares", optimizer=GradientDescent(1.0), epochs=2000)


def test_float32_trains_in_float32():
    network = Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0, dtype=np.float32)
    network, history = train_xor(network, epochs=2000, optimizer=Adam(0.05))
    assert network.parameters.dtype == np.float32
    assert history.loss[-1] < 1e-2


def test_dropout_trains_and_is_off_in_use():
    x, y = moons(200, seed=0)
    network = Network([Dense(2, 30, "relu", seed=0), Dropout(0.2, seed=1), Dense(30, 1, seed=2)])
    train(network, x, y, loss="binary_cross_entropy_from_logits", optimizer=Adam(0.02), epochs=300)
    np.testing.assert_array_equal(network.predict(x), network.predict(x))
    assert ((network.predict(x) > 0) == y).mean() > 0.95


def test_progress_goes_to_stderr(capsys):
    train_xor(epochs=3, progress=True)
    captured = capsys.readouterr()
    assert "Training" in captured.err
    assert captured.out == ""


X, Y = xor()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": Y[:, 0]}, r"targets of shape \(4,\).*reshape"),
        ({"y": Y[:3]}, r"4 samples and 1 outputs need \(4, 1\)"),
        ({"x": X[:, :1]}, r"takes \(n, 2\)"),
        ({"x": X[:0], "y": Y[:0]}, "no samples"),
        ({"x": np.where(X == 1, np.nan, X)}, "x holds nan in row 1, column 1 .and 3 more"),
        ({"y": np.full((4, 1), np.inf)}, "y holds inf in row 0"),
        ({"epochs": 0}, "epochs is at least 1"),
        ({"batch_size": 0}, "batch_size is at least 1"),
        ({"patience": 5}, "needs a validation set"),
        ({"max_norm": 0}, "max_norm is positive"),
        ({"sample_weight": [1, 2]}, "needs 4 numbers"),
        ({"sample_weight": [1, 1, 1, -1]}, "not negative"),
        ({"loss": "mse"}, "unknown loss"),
    ],
)
def test_mistakes_are_named(options, message):
    options = {"x": X, "y": Y, "loss": "sum_of_squares", "optimizer": Adam(), "epochs": 1} | options
    with pytest.raises(ValueError, match=message):
        train(Network.dense([2, 1], "tanh"), options.pop("x"), options.pop("y"), **options)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: GradientDescent(0),
        lambda: GradientDescent("0.1"),
        lambda: GradientDescent(np.inf),
        lambda: Adam(np.nan),
        lambda: Adam(epsilon=-1e-8),
        lambda: RMSProp(epsilon=np.nan),
        lambda: Momentum(0.1, 1.0),
        lambda: L2(-1),
    ],
)
def test_impossible_settings_are_refused(mistake):
    with pytest.raises(ValueError, match=r"positive|below 1|at least 0"):
        mistake()


def test_data_sets_are_what_they_say():
    x, y = line(10_000, a=2, b=1, noise=0.1, seed=0)
    assert x.min() >= 0
    assert x.max() < 1
    assert (y - 2 * x - 1).var() == pytest.approx(0.01, rel=0.05)  # a variance of 0.01 is a standard deviation of 0.1
    np.testing.assert_array_equal(xor()[1][:, 0], [0, 1, 1, 0])
    x, y = circles(500, 0, seed=0)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y[:, 0] == 1, 0.5, 1))
    x, y = moons(500, 0, seed=0)
    centre = np.where(y == 1, [1, 0.5], [0, 0])
    np.testing.assert_allclose(np.hypot(*(x - centre).T), 1)
    assert ((x - centre)[:, 1] * np.where(y[:, 0] == 1, -1, 1)).min() >= 0
    x, y = spirals(500, 0, seed=0)
    assert y.mean() == 0.5
    assert 0.1 <= np.hypot(*x.T).min() < np.hypot(*x.T).max() <= 1
    x, y = digits()
    assert (x.shape, y.shape, x.max()) == ((1797, 64), (1797, 10), 1)
    np.testing.assert_array_equal(y.argmax(axis=1), sklearn.datasets.load_digits().target)
    with pytest.raises(ValueError, match="at least 1"):
        moons(0)
    with pytest.raises(ValueError, match="standard deviation"):
        line(noise=-1)


@pytest.mark.parametrize("kind", [Adam, AdamW])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adams_quick_form_is_its_plain_one(kind, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(40_000).astype(dtype), rng.standard_normal((5, 40_000)).astype(dtype)
    after = []
    for block in (40_000, 16_384):  # all at once by the formula, and in blocks
        monkeypatch.setattr(optimizers, "_BLOCK", block)
        optimizer, parameters = kind(0.1), start.copy()
        for gradient in gradients:
            optimizer.step(parameters, gradient)
        after.append(parameters)
    np.testing.assert_allclose(after[1], after[0], rtol=100 * np.finfo(dtype).eps, atol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((6,), None), ((7,), 6), ((4, 3), 2), ((4, 30), 1)],  # few parameters; many; of three networks, of thirty
)
def test_adam_goes_in_blocks_of_so_many_numbers_where_there_are_more(shape, rows, monkeypatch):
    class Seen(np.ndarray):
        def __getitem__(self, key):
            asked.append(key.stop)
            return super().__getitem__(key)

    asked = []
    monkeypatch.setattr(optimizers, "_BLOCK", 6)
    Adam(0.1).step(np.zeros(shape), np.ones(shape).view(Seen))
    assert (asked[0] if asked else None) == rows


# What learned nonsense in silence, and errors that say what to do


def three_classes():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=30)
    return rng.standard_normal((30, 2)), labels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.array([[-1.0], [1.0]] * 15)}, r"targets from 0 to 1.*go from -1 to 1.*\(y \+ 1\) / 2"),
        ({"last": "sigmoid"}, "give the last layer the activation identity, not sigmoid"),
        ({"last": "relu"}, "activation identity, not relu"),
        ({"loss": "cross_entropy_from_logits", "n_out": 3, "last": "sigmoid"}, "identity, not sigmoid"),
        ({"loss": "cross_entropy_from_logits"}, "softmax of one output is always 1"),
        ({"loss": "cross_entropy_from_logits", "n_out": 3, "y": three_classes()[1]}, r"byhand\.one_hot\(y\)"),
        ({"loss": "cross_entropy_from_logits", "n_out": 3, "y": three_classes()[1][:, None]}, r"byhand\.one_hot\(y\)"),
        ({"y": three_classes()[1][:, None]}, r"go from 0 to 2.*byhand\.one_hot\(y\)"),
        ({"validation": (three_classes()[0], three_classes()[1][:, None])}, r"go from 0 to 2"),
        ({"epochs": 1e3}, r"whole number such as 10, not 1000.0: int\(1000.0\)"),
        ({"batch_size": 2.5}, "batch_size is a whole number"),
        ({"validation": three_classes()[0]}, r"validation is a pair \(x, y\)"),
        ({"validation": (three_classes()[0],)}, r"validation is a pair \(x, y\)"),
        ({"optimizer": "sgd"}, "there are gradient_descent, momentum"),
        ({"optimizer": "momentum"}, r"needs a learning rate: give optimizer=byhand.Momentum\(0.1\)"),
        ({"metrics": ["acuracy"]}, "unknown metric 'acuracy'"),
        ({"penalties": L2(0.1)}, r"penalties is a list, such as \[L2\(strength=0.1\)\]"),
        ({"schedule": 0.1}, "a schedule is a function from the epoch to a factor"),
        ({"callbacks": print}, "callbacks is a list of functions"),
    ],
)
def test_what_would_learn_nonsense_or_nothing_says_what_to_do(changes, message):
    x, labels = three_classes()
    options = {"loss": "binary_cross_entropy_from_logits", "optimizer": "adam", "epochs": 2, "n_out": 1} | changes
    network = Network.dense([2, 4, options.pop("n_out")], ["tanh", options.pop("last", "identity")], seed=0)
    y = options.pop("y", 1.0 * (labels[:, None] > 0))
    if network.output_shape == (3,) and y.shape == (30, 1) and "y" not in changes:
        y = one_hot(labels)
    with pytest.raises(ValueError, match=message):
        train(network, x, y, **options)


def test_an_optimizer_that_is_none_is_refused():
    x, y = xor()
    with pytest.raises(TypeError, match=r"an optimizer is a name, or an object such as GradientDescent\(0.1\)"):
        train(Network.dense([2, 1], "identity"), x, y, loss="sum_of_squares", optimizer=Adam, epochs=1)


def test_an_optimizer_by_name_is_the_one_with_its_defaults():
    x, y = xor()
    courses = [train(Network.dense([2, 3, 1], "tanh", seed=0), x, y, loss="sum_of_squares", optimizer=o, epochs=9).loss
               for o in ("adam", Adam())]  # fmt: skip
    assert courses[0] == courses[1]


def test_one_hot():
    np.testing.assert_array_equal(one_hot([[2], [0]], 4), [[0, 0, 1, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(one_hot([[0, 1]]), [[[1, 0], [0, 1]]])  # a sequence of two steps
    for wrong, message in [
        ([0.5], "whole numbers"),
        (["a"], "whole numbers"),
        ([-1], "from 0 to"),
        ([], "shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            one_hot(wrong, 3)


# Histories, metrics, schedules


def test_a_history_goes_on_where_it_ended():
    x, y = moons(60, seed=0)
    options = {"loss": "mean_squared_error", "batch_size": None, "validation": (x, y), "metrics": ["accuracy"]}
    options["schedule"] = schedules.inverse_time(5)
    whole, parts = (Network.dense([2, 8, 1], ["tanh", "identity"], seed=0) for _ in range(2))
    expected = train(whole, x, y, optimizer=Adam(0.01), epochs=20, **options)
    optimizer, epochs = Adam(0.01), []
    history = train(parts, x, y, optimizer=optimizer, epochs=8, **options)
    same = train(
        parts,
        x,
        y,
        optimizer=optimizer,
        epochs=12,
        history=history,
        callbacks=[lambda e, *_: epochs.append(e)],
        **options,
    )
    assert same is history
    assert history == expected
    assert epochs == list(range(8, 20))
    with pytest.raises(ValueError, match="it has loss, validation_loss, accuracy, validation_accuracy"):
        train(parts, x, y, loss="mean_squared_error", optimizer=optimizer, epochs=1, history=history)


def test_metrics_are_those_of_the_network_after_each_epoch():
    x, labels = three_classes()
    network = Network.dense([2, 8, 3], ["tanh", "identity"], seed=0)
    seen = []

    def look(epoch, network, history):
        seen.append((network(x).argmax(axis=1) == labels).mean())

    options = {"loss": "cross_entropy_from_logits", "optimizer": Adam(0.1), "epochs": 10, "callbacks": [look]}
    history = train(
        network, x, one_hot(labels), metrics=["accuracy"], validation=(x[:5], one_hot(labels)[:5]), **options
    )
    assert history.metrics["accuracy"] == seen
    assert len(history.table()["validation_accuracy"]) == 10
    own = train(network, x, one_hot(labels), metrics={"worst": lambda y_hat, y: np.abs(y_hat - y).max()}, **options)
    assert own.metrics["worst"][-1] == np.abs(network(x) - one_hot(labels)).max()


def test_accuracy_by_hand():
    assert accuracy([[0.4], [0.6], [0.9]], [[0], [0], [1]]) == pytest.approx(2 / 3)
    assert accuracy([[-0.1], [0.1]], [[0], [1]], threshold=0.0) == 1
    with pytest.raises(ValueError, match="one shape"):
        accuracy([0.4, 0.6], [0, 1])


def test_the_learning_rate_is_reduced_on_a_plateau_and_anew_in_the_next_training():
    schedule, rates = schedules.reduce_on_plateau(0.5, patience=2), []
    optimizer = GradientDescent(1e-9)  # so small that the loss stands still
    x, y = xor()
    for _ in range(2):
        look = [lambda epoch, *_: rates.append(optimizer.learning_rate)]
        network = Network.dense([2, 2, 1], "tanh", seed=0)
        train(network, x, y, loss="sum_of_squares", optimizer=optimizer, epochs=8, schedule=schedule, callbacks=look)
    np.testing.assert_allclose(rates, 2 * [*4 * [1e-9], *3 * [5e-10], 2.5e-10])
    assert optimizer.learning_rate == 1e-9


def test_a_plateau_is_counted_from_the_first_epoch_that_is_no_better():
    for is_anew in (False, True):
        for patience, factors in ((0, [0.5, 0.25]), (1, [1.0, 0.5])):
            schedule, history = schedules.reduce_on_plateau(0.5, patience=patience), History()
            if is_anew:
                schedule(0)
            for factor in factors:
                history.loss.append(np.inf)  # not below the lowest so far, even at first
                schedule.watch(history)
                assert schedule(1) == factor
    schedule, history = schedules.reduce_on_plateau(0.5, patience=0, threshold=0.0), History()
    for loss, factor in ((2.0, 1.0), (1.0, 1.0), (1.0, 0.5)):  # as low as the lowest is not below it
        history.loss.append(loss)
        schedule.watch(history)
        assert schedule(1) == factor


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.step_decay(0),
        lambda: schedules.cosine(-1),
        lambda: schedules.reduce_on_plateau(1.5),
        lambda: schedules.reduce_on_plateau(patience=-1),
        lambda: schedules.reduce_on_plateau(threshold=1.5),
        lambda: schedules.warmup(0),
    ],
)
def test_schedules_of_nonsense_are_refused(make):
    with pytest.raises(ValueError, match=r"positive|between"):
        make()


def test_what_is_chosen_has_a_repr_and_goes_through_pickle():
    chosen = [L2(0.1), L1(0.5), schedules.warmup(3, schedules.cosine(10)), schedules.step_decay(5, 0.1)]
    chosen += [Nesterov(0.1), RMSProp(), AdamW(), schedules.reduce_on_plateau()]
    assert [repr(one) for one in chosen] == [
        "L2(strength=0.1)",
        "L1(strength=0.5)",
        "warmup(epochs=3, then=cosine(epochs=10))",
        "step_decay(every=5, factor=0.1)",
        "Nesterov(learning_rate=0.1, momentum=0.9)",
        "RMSProp(learning_rate=0.001, decay=0.99, epsilon=1e-08)",
        "AdamW(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08, weight_decay=0.01)",
        "reduce_on_plateau(factor=0.1, patience=10, threshold=0.0001)",
    ]
    assert list(inspect.signature(Adam).parameters) == ["learning_rate", "beta_1", "beta_2", "epsilon"]
    assert list(inspect.signature(schedules.reduce_on_plateau).parameters) == ["factor", "patience", "threshold"]
    assert [repr(pickle.loads(pickle.dumps(one))) for one in chosen] == [repr(one) for one in chosen]


def test_rmsprop_with_a_changing_gradient_by_the_formula():
    theta, optimizer = np.zeros(1), RMSProp(0.1, decay=0.5, epsilon=0.25)
    optimizer.step(theta, np.ones(1))  # s = 0.5 · 1
    optimizer.step(theta, np.full(1, 3.0))  # s = 0.5 · 0.5 + 0.5 · 9
    assert theta.item() == pytest.approx(-0.1 / (np.sqrt(0.5) + 0.25) - 0.3 / (np.sqrt(4.75) + 0.25))


def test_momentum_rolls_on_at_its_speed_when_the_learning_rate_falls():
    theta, optimizer = np.zeros(1), Momentum(1.0, momentum=0.5)
    optimizer.step(theta, np.ones(1))  # v = -1
    optimizer.learning_rate = 0.1
    optimizer.step(theta, np.ones(1))  # v = 0.5 * -1 - 0.1 = -0.6, where PyTorch's step is 0.1 * 1.5
    assert theta.item() == pytest.approx(-1.6)
