import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from byhand import ByHandClassifier, ByHandLinearRegression, ByHandRegressor, schedules
from byhand.activations import Activation, softmax
from byhand.datasets import line
from byhand.gradient_check import check_gradients
from byhand.optimizers import Adam, GradientDescent, RMSProp
from byhand.penalties import L1
from byhand.training import Diverged, train

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
]

rng = np.random.default_rng(0)
X = rng.standard_normal((53, 4))
WEIGHTS = rng.random(53) + 0.1
TARGETS = {
    "two classes": np.where(X[:, 0] * X[:, 1] > 0, "yes", "no"),
    "three classes": X[:, :3].argmax(axis=1),
    "labels": (X[:, :3] > 0).astype(int),
    "one target": X[:, 0] ** 2,
    "three targets": X[:, :3] ** 2,
}
SGD = {"solver": "sgd", "learning_rate_init": 0.05, "n_iter_no_change": 1000, "max_iter": 30, "batch_size": 8}


def pair(target, **options):
    """Ours and scikit-learn's, with the same parameters."""
    options = {"hidden_layer_sizes": (7, 5), "random_state": 3} | options
    if "target" in target:
        return ByHandRegressor(**options), MLPRegressor(**options)
    return ByHandClassifier(**options), MLPClassifier(**options)


def assert_same_parameters(ours, theirs, tolerance):
    for a, b in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@parametrize_with_checks(
    [ByHandClassifier(max_iter=100), ByHandRegressor(max_iter=100), ByHandLinearRegression()],
)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "identity"])
@pytest.mark.parametrize("target", TARGETS)
def test_gradient_descent_takes_the_course_of_scikit_learn(target, activation, weights):
    y = TARGETS[target]
    ours, theirs = pair(target, activation=activation, momentum=0, alpha=0.01, **SGD)  # 53 = 6 · 8 + 5: an odd batch
    ours.fit(X, y, weights)
    theirs.fit(X, y, weights)
    assert_same_parameters(ours, theirs, 1e-10)
    if target != "three targets":  # where scikit-learn shows the mean over targets, and descends the sum
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)
    np.testing.assert_array_equal(ours.predict(X[:5]).shape, theirs.predict(X[:5]).shape)
    if hasattr(theirs, "classes_"):
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-10)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-8)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-10)


@pytest.mark.parametrize("nesterovs_momentum", [True, False])
def test_momentum_takes_the_course_of_scikit_learn(nesterovs_momentum):
    ours, theirs = pair("two classes", nesterovs_momentum=nesterovs_momentum, **SGD)
    y = TARGETS["two classes"]
    assert_same_parameters(ours.fit(X, y), theirs.fit(X, y), 1e-10)


def test_it_ends_when_scikit_learn_ends():
    options = SGD | {"max_iter": 500, "n_iter_no_change": 5, "tol": 1e-3}
    ours, theirs = pair("three classes", **options)
    y = TARGETS["three classes"]
    assert 10 < ours.fit(X, y).n_iter_ == theirs.fit(X, y).n_iter_ < 500
    assert ours.loss_ == ours.loss_curve_[-1] == pytest.approx(theirs.loss_)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.set_params(max_iter=ours.n_iter_).fit(X, y)  # the last epoch allowed, and no reason to warn


def test_partial_fit_takes_the_course_of_scikit_learn_from_any_start():
    ours, theirs = pair("three classes", momentum=0.9, **SGD)
    y, classes = TARGETS["three classes"], [0, 1, 2, 3]
    for one in (ours, theirs):
        one.partial_fit(X[y != 2], y[y != 2], classes=classes)
        for _ in range(5):
            one.partial_fit(X, y)
    assert_same_parameters(ours, theirs, 1e-10)  # so the velocity was kept
    ours, theirs = pair("three classes", momentum=0, **SGD)
    theirs.set_params(random_state=7)
    for one in (ours, theirs):
        one.partial_fit(X, y, classes=classes)
    ours.set_params(random_state=7)
    for own, value in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        own[...] = value
    for one in (ours, theirs):
        for _ in range(10):
            one.partial_fit(X[:40], y[:40], WEIGHTS[:40])
    assert_same_parameters(ours, theirs, 1e-10)
    assert len(ours.loss_curve_) == 11
    assert ours.n_iter_ == 1
    assert ours.predict_proba(X).shape == (53, 4)


def test_partial_fit_wants_the_classes_first_and_no_others_later():
    y = TARGETS["three classes"]
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        ByHandClassifier().partial_fit(X, y)
    model = ByHandClassifier().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self\.classes_`"):
        model.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="does not support early_stopping"):
        ByHandClassifier(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])


def test_labels_can_come_in_parts():
    y = TARGETS["labels"]
    model = ByHandClassifier((20,), learning_rate_init=0.05, random_state=0)
    for _ in range(100):
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert model.score(X, y) > 0.9
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("target", TARGETS)
def test_adam_learns_as_well_as_scikit_learn(target):
    y = TARGETS[target]
    ours, theirs = pair(target, learning_rate_init=0.01, max_iter=100, random_state=0)
    assert ours.fit(X, y).score(X, y) == pytest.approx(theirs.fit(X, y).score(X, y), abs=0.01)


def test_the_gradients_inside_are_right():
    model = ByHandClassifier((5,), activation="gelu", max_iter=2, random_state=0).fit(X, TARGETS["three classes"])
    y = np.eye(3)[TARGETS["three classes"]]
    assert check_gradients(model.network_, X, y, "cross_entropy_from_logits").relative_error < 1e-7


def test_a_weight_of_two_counts_as_two_samples_and_of_zero_as_none():
    y = TARGETS["three classes"]
    counts = np.resize([0, 1, 2], len(X))
    options = {"hidden_layer_sizes": (5,), "solver": GradientDescent(0.1), "max_iter": 20, "random_state": 0}
    weighted = ByHandClassifier(**options).fit(X, y, sample_weight=counts)
    repeated = ByHandClassifier(**options).fit(X.repeat(counts, axis=0), y.repeat(counts))
    np.testing.assert_allclose(weighted.network_.parameters, repeated.network_.parameters, rtol=1e-9)
    # Batches of samples that don't count are none.
    nothing = ByHandClassifier(**options, batch_size=2, shuffle=False).fit(X, y, sample_weight=np.arange(len(X)) > 20)
    assert np.isfinite(nothing.loss_curve_).all()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_early_stopping_puts_the_best_weights_back(weights):
    y = TARGETS["one target"]
    options = {"hidden_layer_sizes": (50,), "learning_rate_init": 0.02, "random_state": 5}
    model = ByHandRegressor(early_stopping=True, validation_fraction=0.3, max_iter=1000, tol=0, **options)
    model.fit(X, y, weights)
    assert 11 < model.n_iter_ == len(model.loss_curve_) == len(model.validation_loss_curve_) < 1000
    # The draws: first the weights of the network, then the split.
    state = np.random.RandomState(5)
    for n_in, n_out in ((4, 50), (50, 1)):
        state.uniform(size=(n_in + 1) * n_out)
    arrays = [X, y, np.ones(53) if weights is None else weights]
    _, x_val, _, y_val, _, w_val = train_test_split(*arrays, test_size=0.3, random_state=state)
    loss = 0.5 * np.average((model.predict(x_val) - y_val) ** 2, weights=w_val)
    assert loss == pytest.approx(min(model.validation_loss_curve_))
    assert loss < model.validation_loss_curve_[-1]
    assert model.n_iter_ - 1 - np.argmin(model.validation_loss_curve_) == 11  # more than n_iter_no_change


def test_warm_start_goes_on():
    y = TARGETS["two classes"]
    options = SGD | {"momentum": 0, "shuffle": False, "random_state": 0}
    parts = ByHandClassifier((5,), warm_start=True, **options | {"max_iter": 10}).fit(X, y).fit(X, y)
    whole = ByHandClassifier((5,), **options | {"max_iter": 20}).fit(X, y)
    np.testing.assert_allclose(parts.network_.parameters, whole.network_.parameters, rtol=1e-12)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-12)
    assert parts.n_iter_ == 10
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        parts.fit(X, TARGETS["three classes"])
    with pytest.raises(ValueError, match=r"go on with the network there is.*sizes \[4, 6, 1\]"):
        parts.set_params(hidden_layer_sizes=(6,)).fit(X, y)


def test_activations_of_every_layer_by_the_formula():
    model = ByHandClassifier((5, 6), activation="tanh", max_iter=5, random_state=0).fit(X, TARGETS["three classes"])
    a1, a2, z3 = model.activations(X[:7])
    W, b = model.coefs_, model.intercepts_
    np.testing.assert_allclose(a1, np.tanh(X[:7] @ W[0] + b[0]))
    np.testing.assert_allclose(a2, np.tanh(a1 @ W[1] + b[1]))
    np.testing.assert_allclose(z3, a2 @ W[2] + b[2])
    np.testing.assert_allclose(softmax(z3), model.predict_proba(X[:7]))
    np.testing.assert_array_equal(W[0].T, model.network_.dense_layers[0].W)


def bent_square(z):
    return np.where(z > 0, z * z, 0)


def bent_square_derivative(z, a):
    return np.where(z > 0, 2 * z, 0)


def test_a_custom_activation_goes_through_search_clone_and_pickle():
    x, y = make_moons(120, noise=0.1, random_state=0)
    activation = Activation("bent square", bent_square, bent_square_derivative)
    model = ByHandClassifier((10,), activation=activation, solver=RMSProp(0.02), max_iter=100, random_state=0)
    pipeline = make_pipeline(StandardScaler(), clone(model))
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.9
    grid = {"byhandclassifier__activation": [activation, "identity"], "byhandclassifier__alpha": [1e-4, 1e-2]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(x, y)
    assert search.best_params_["byhandclassifier__activation"].name == "bent square"
    copy = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(copy.predict_proba(x), search.predict_proba(x))
    copy[-1].partial_fit(x, y)  # what was pickled can go on
    with pytest.raises(ValueError, match="does not match"):
        Activation("wrong", bent_square, lambda z, a: z)


def test_an_optimizer_given_as_parameter_is_not_used_up():
    optimizer = Adam(0.01)
    model = ByHandRegressor((5,), solver=optimizer, max_iter=5, random_state=0)
    first = model.fit(X, TARGETS["one target"]).loss_curve_
    assert optimizer.t == 0
    assert model.fit(X, TARGETS["one target"]).loss_curve_ == first
    assert ByHandRegressor((5,), learning_rate_init=0.01, max_iter=5, random_state=0).fit(
        X, TARGETS["one target"]
    ).loss_curve_ == pytest.approx(first)


def test_other_losses_for_regression():
    x, y = X, X[:, 0].copy()
    y[::10] += 50  # outliers
    options = {"activation": "identity", "hidden_layer_sizes": (), "learning_rate_init": 0.05, "max_iter": 2000}
    fits = {
        loss: ByHandRegressor(loss=loss, random_state=0, **options).fit(x, y)
        for loss in ("half_mean_squared_error", "huber", "mean_absolute_error")
    }
    errors = {loss: np.abs(model.predict(x) - x[:, 0]).mean() for loss, model in fits.items()}
    assert errors["half_mean_squared_error"] > 3
    assert errors["huber"] < 0.3
    assert errors["mean_absolute_error"] < 0.3


@pytest.mark.parametrize("estimator", [ByHandClassifier, ByHandRegressor])
def test_float32_trains_in_float32(estimator):
    y = TARGETS["two classes" if estimator is ByHandClassifier else "three targets"]
    model = estimator((6,), max_iter=5, random_state=0).fit(X.astype(np.float32), y, sample_weight=WEIGHTS)
    assert model.network_.parameters.dtype == np.float32
    assert {a.dtype for a in model.activations(X)} == {np.dtype(np.float32)}
    exact = estimator((6,), max_iter=5, random_state=0).fit(X, y, sample_weight=WEIGHTS)
    np.testing.assert_allclose(model.loss_curve_, exact.loss_curve_, rtol=1e-5)


def test_digits_are_read():
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16, y, random_state=0, stratify=y)
    model = ByHandClassifier((64,), learning_rate_init=0.005, batch_size=32, max_iter=20, random_state=0)
    assert model.fit(x_train, y_train).score(x_test, y_test) > 0.97


def test_progress_goes_to_stderr_and_only_when_wanted(capsys):
    ByHandClassifier(max_iter=20, verbose=True).fit(X, TARGETS["two classes"])
    captured = capsys.readouterr()
    assert "epoch 20/20, loss 0." in captured.err
    assert captured.out == ""
    ByHandClassifier(max_iter=20).fit(X, TARGETS["two classes"])
    assert capsys.readouterr().err == ""


class InterruptedDescent(GradientDescent):
    """As if Ctrl-C were pressed in the 26th update."""

    updates = 0

    def step(self, parameters, gradients):
        self.updates += 1
        if self.updates > 25:
            raise KeyboardInterrupt
        super().step(parameters, gradients)


def test_ctrl_c_keeps_what_was_learned():
    model = ByHandRegressor((5,), solver=InterruptedDescent(0.1), batch_size=6)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, TARGETS["one target"])
    assert model.n_iter_ == len(model.loss_curve_) == 2  # 9 updates an epoch
    assert model.predict(X).shape == (53,)


def test_ending_early_is_told():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached"):
        ByHandRegressor(max_iter=3).fit(X, TARGETS["one target"])
    with pytest.raises(Diverged, match="try a tenth of it"):
        ByHandRegressor(solver="sgd", learning_rate_init=1e3, random_state=0).fit(X, TARGETS["one target"])


MISTAKES = {
    "NaN in X": lambda model: model.fit(np.where(X > 1, np.nan, X), TARGETS["three classes"]),
    "infinite y": lambda model: model.fit(X, np.full(53, np.inf)),
    "one row for X": lambda model: model.fit(X[:, 0], TARGETS["three classes"]),
    "lengths": lambda model: model.fit(X, np.arange(5)),
    "nothing": lambda model: model.fit(X[:0], []),
    "strings": lambda model: model.fit([["a", "b"]] * 53, TARGETS["three classes"]),
    "complex": lambda model: model.fit(X + 1j, TARGETS["three classes"]),
    "no y": lambda model: model.fit(X, None),
    "y in three dimensions": lambda model: model.fit(X, np.zeros((53, 2, 2))),
    "not fitted": lambda model: model.predict(X),
    "another width": lambda model: model.fit(X, TARGETS["three classes"]).predict(X[:, :3]),
    "alpha": lambda model: model.set_params(alpha=-1).fit(X, TARGETS["three classes"]),
    "no units": lambda model: model.set_params(hidden_layer_sizes=(3, 0)).fit(X, TARGETS["three classes"]),
    "too few to validate": lambda model: model.set_params(early_stopping=True).fit(X[:5], [0, 1, 0, 1, 0]),
    "weights of another length": lambda model: model.fit(X, TARGETS["three classes"], sample_weight=[1, 2]),
}


@pytest.mark.parametrize("target", ["three classes", "one target"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_answered_as_scikit_learn_answers(mistake, target):
    answers = []
    for model in pair(target, max_iter=2):
        with pytest.raises((ValueError, AttributeError)) as caught:
            MISTAKES[mistake](model)
        answers.append((type(caught.value), str(caught.value).replace("ByHand", "MLP")))
    assert answers[0] == answers[1]


def test_what_else_is_refused():
    y = TARGETS["three classes"]
    with pytest.raises(TypeError, match="Sparse data was passed"):
        ByHandClassifier().fit(scipy.sparse.csr_array(X), y)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        ByHandClassifier().fit(X, TARGETS["one target"])
    with pytest.raises(ValueError, match="Multioutput target data is not supported"):
        ByHandClassifier().fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match=r"'activation' parameter .*'gelu'.*Got 'softmax'"):
        ByHandClassifier(activation="softmax").fit(X, y)
    with pytest.raises(ValueError, match=r"'loss' parameter .*Got 'cross_entropy_from_logits'"):
        ByHandRegressor(loss="cross_entropy_from_logits").fit(X, y)
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        ByHandRegressor().fit(X, y, sample_weight=-WEIGHTS)
    with pytest.raises(ValueError, match=r"not all 0|at least one non-zero number"):  # ours, or a newer scikit-learn's
        ByHandClassifier().fit(X, y, sample_weight=np.zeros(53))


def test_one_class_is_always_that_class():
    model = ByHandClassifier(max_iter=2).fit(X, ["only"] * 53)
    assert set(model.predict(X)) == {"only"}
    np.testing.assert_array_equal(model.predict_proba(X[:3]), [[1], [1], [1]])


def test_a_column_of_targets_is_taken_as_one_target_with_a_warning():
    with pytest.warns(DataConversionWarning):
        model = ByHandRegressor(max_iter=2).fit(X, TARGETS["one target"][:, None])
    assert model.predict(X).shape == (53,)


diabetes = load_diabetes(return_X_y=True, scaled=False)
wide = rng.standard_normal((10, 30))
LINES = {
    "the practical's line": line(seed=0),
    "one target": (line(seed=0)[0], line(seed=0)[1][:, 0]),
    "diabetes in its own units": diabetes,
    "two targets": (diabetes[0], np.column_stack([diabetes[1], -3 * diabetes[1] ** 2])),
    "far from 0": (X * [1, 0.1, 100, 1] + [1e6, 1, -1e5, 0], X @ [1, 2, 3, 4] + 1e4),
    "dependent columns": (np.column_stack([X, 100 * X[:, 0] + X[:, 1], np.full(53, 0.1)]), TARGETS["three targets"]),
    "more columns than samples": (wide, wide[:, 0] ** 2),
    "one sample": (X[:1], [3.0]),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LINES)
def test_the_line_is_that_of_linear_regression(name, weighted):
    x, y = LINES[name]
    weights = np.linspace(0.5, 2, len(x)) if weighted else None
    ours, exact = ByHandLinearRegression().fit(x, y, weights), LinearRegression().fit(x, y, weights)
    assert np.shape(ours.coef_) == np.shape(exact.coef_)
    np.testing.assert_allclose(ours.coef_, exact.coef_, rtol=1e-7, atol=1e-8 * np.abs(exact.coef_).max())
    np.testing.assert_allclose(ours.intercept_, exact.intercept_, rtol=1e-7, atol=1e-8 * np.abs(y).max())
    np.testing.assert_allclose(ours.predict(x), exact.predict(x), rtol=1e-7, atol=1e-8 * np.abs(y).max())
    squares = (exact.predict(x) - y) ** 2
    assert ours.loss_curve_[-1] == pytest.approx(
        np.average(squares, axis=0, weights=weights).mean(), rel=1e-6, abs=1e-12
    )
    assert ours.n_iter_ == len(ours.loss_curve_)


def test_a_line_that_is_not_there_yet_is_told():
    x = np.linspace(0, 1, 50)
    with pytest.warns(ConvergenceWarning, match=r"not yet converged after max_iter=50 steps.*differ by a factor"):
        ByHandLinearRegression(max_iter=50).fit(np.vander(x, 6)[:, :-1], np.sin(6 * x))


def test_a_line_in_float32():
    model = ByHandLinearRegression().fit(X.astype(np.float32), TARGETS["one target"])
    assert model.coef_.dtype == model.predict(X).dtype == np.float32
    exact = LinearRegression().fit(X, TARGETS["one target"])
    np.testing.assert_allclose(model.coef_, exact.coef_, rtol=1e-4)


def test_batches_are_drawn_anew_and_the_rest_of_a_validation_set_is_not_learned():
    """`train` as the estimators use it: a RandomState, penalties by the batch's samples, a weighted validation set."""
    model = ByHandRegressor((4,), max_iter=1, random_state=0).fit(X, TARGETS["one target"])
    seen = []

    class Watching(GradientDescent):
        def step(self, parameters, gradients):
            seen.append(model.network_.layers[0].x[:, 0].copy())

    y = TARGETS["one target"][:, None]
    sizes = []
    history = train(
        model.network_,
        X,
        y,
        loss="half_mean_squared_error",
        optimizer=Watching(0.1),
        epochs=2,
        batch_size=20,
        seed=np.random.RandomState(0),
        penalties=lambda n: sizes.append(n) or [],
        validation=(X, y, WEIGHTS),
    )
    assert sizes == [20, 20, 13] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert (first != second).any()
    for epoch in (first, second):
        np.testing.assert_array_equal(np.sort(epoch), np.sort(X[:, 0]))
    squares = (model.predict(X) - y[:, 0]) ** 2
    assert history.validation_loss[0] == pytest.approx(0.5 * np.average(squares, weights=WEIGHTS))


# What scikit-learn's MLP doesn't have, or has under the same name


@pytest.fixture(scope="module")
def iris():
    x, y = load_iris(return_X_y=True)
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def quick(**options):
    return ByHandClassifier((6, 5), random_state=0, **({"max_iter": 30, "tol": 0, "n_iter_no_change": 1000} | options))


def test_attributes_with_scikit_learns_names_have_its_values(iris):
    options = {"random_state": 0, "max_iter": 12, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-12}
    ours = ByHandClassifier((6, 5), **options).fit(*iris)
    theirs = MLPClassifier((6, 5), **options).fit(*iris)
    for name in ("n_layers_", "n_outputs_", "out_activation_", "t_", "n_iter_"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=1e-6)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)
    two = iris[1] < 1
    assert ByHandClassifier((3,), max_iter=2).fit(iris[0], two).out_activation_ == "logistic"


def test_the_decision_function_is_what_predict_decides_by(iris):
    x, y = iris
    model = quick().fit(x, y)
    np.testing.assert_allclose(softmax(model.decision_function(x)), model.predict_proba(x))
    two = quick().fit(x, np.where(y < 1, "no", "yes"))
    assert two.decision_function(x).shape == (150,)
    np.testing.assert_array_equal(two.decision_function(x) > 0, two.predict(x) == "yes")


def test_a_classs_weight_is_its_samples_weight(iris):
    x, y = iris
    weighted = quick(class_weight={0: 1, 1: 5, 2: 0.5}).fit(x, y)
    by_hand = quick().fit(x, y, sample_weight=np.array([1, 5, 0.5])[y])
    assert weighted.loss_curve_ == by_hand.loss_curve_
    kept = np.r_[0:10, 50:150]  # few of class 0
    balanced = quick(class_weight="balanced").fit(x[kept], y[kept])
    weight = 110 / (3 * np.array([10, 50, 50]))
    assert balanced.loss_curve_ == quick().fit(x[kept], y[kept], sample_weight=weight[y[kept]]).loss_curve_
    with pytest.raises(ValueError, match="balanced' needs all samples"):
        balanced.partial_fit(x, y)


def test_what_train_can_do_the_estimators_can(iris):
    x, y = iris
    epochs = []
    model = quick(
        activation=["tanh", "relu"],
        dropout=0.2,
        initializer="he_normal",
        penalties=[L1(1e-3)],
        max_norm=0.5,
        schedule=schedules.cosine(30),
        callbacks=[lambda epoch, network, history: epochs.append(epoch) or epoch == 19],
    )
    model = clone(model).fit(x, y, validation=(x[:40], y[:40]))
    assert str(model.network_) == (
        "Network([Dense(4, 6, 'tanh'), Dropout(0.2), Dense(6, 5, 'relu'), Dropout(0.2), Dense(5, 3, 'identity')])"
    )
    assert epochs == list(range(20))
    assert len(model.validation_loss_curve_) == len(model.loss_curve_) == 20
    assert model.validation_loss_curve_[-1] == pytest.approx(
        log_loss(y[:40], model.predict_proba(x[:40]), labels=[0, 1, 2])
    )
    assert [a.shape[1] for a in model.activations(x)] == [6, 5, 3]
    assert quick(dropout=0.2).fit(x, y).loss_curve_ != quick().fit(x, y).loss_curve_
    with pytest.raises(ValueError, match="2 hidden layers need one activation, or 2, not 3"):
        quick(activation=["tanh"] * 3).fit(x, y)


def test_a_validation_set_of_ones_own_decides_when_to_stop(iris):
    x, y = iris
    model = quick(early_stopping=True, max_iter=500, learning_rate_init=0.05, n_iter_no_change=5, tol=1e-4)
    model.fit(x[::2], y[::2], validation=(x[1::2], y[1::2]))
    assert 5 < model.n_iter_ < 500
    assert model.best_loss_ is None  # as in scikit-learn: the training loss decides nothing here
    p = model.predict_proba(x[1::2])
    assert log_loss(y[1::2], p) == pytest.approx(min(model.validation_loss_curve_))  # the best weights are back


def test_metrics_are_those_of_the_last_call_and_scores_go_on(iris):
    x, y = iris
    model = quick(max_iter=4, metrics=["accuracy"], warm_start=True)
    weights = np.where(y == 0, 3.0, 1.0)[1::2]
    for calls in (1, 2):
        model.fit(x[::2], y[::2], validation=(x[1::2], y[1::2], weights))
        assert len(model.history_.loss) == model.n_iter_ == 4
        assert model.loss_curve_[-4:] == model.history_.loss
        assert len(model.loss_curve_) == len(model.validation_scores_) == 4 * calls
    assert model.history_.metrics["accuracy"][-1] == pytest.approx(model.score(x[::2], y[::2]))
    assert model.history_.metrics["validation_accuracy"][-1] == pytest.approx(model.score(x[1::2], y[1::2]))
    assert model.validation_scores_[-1] == pytest.approx(model.score(x[1::2], y[1::2], weights))
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert "accuracy" in model.history_.table()


@pytest.mark.parametrize("target", TARGETS)
def test_validation_scores_are_what_score_gives(target):
    y = TARGETS[target]
    kind = ByHandRegressor if "target" in target else ByHandClassifier
    model = kind((5,), max_iter=3, random_state=0).fit(X[:30], y[:30], validation=(X[30:], y[30:]))
    assert model.validation_scores_[-1] == pytest.approx(model.score(X[30:], y[30:]))
    assert kind((5,), max_iter=1).fit(X, y).validation_scores_ is None


def test_a_class_of_one_sample_is_named_when_a_validation_set_is_to_be_split_off():
    with pytest.raises(ValueError, match=r"least populated class(es in y have only 1 .*: \['spam'\]| in y has only 1)"):
        ByHandClassifier(early_stopping=True).fit([[1.0], [2.0], [3.0], [4.0]], ["ham", "ham", "ham", "spam"])
