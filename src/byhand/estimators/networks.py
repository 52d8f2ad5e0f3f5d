"""Networks as estimators: the classifier, the regressor, and what they share."""

import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from byhand import activations, losses
from byhand._types import Array
from byhand.activations import Activation
from byhand.errors import needs_extra
from byhand.initializers import INITIALIZERS, Draw
from byhand.layers import Dense, Dropout, Layer
from byhand.layers.base import shape_after, write_shape
from byhand.losses import Loss
from byhand.network import Network
from byhand.optimizers import OPTIMIZERS, GradientDescent, Momentum, Nesterov, Optimizer
from byhand.penalties import L2, Penalty
from byhand.schedules import Schedule
from byhand.training import Callback, History, Metric, train

with needs_extra("sklearn"):
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import LabelBinarizer
    from sklearn.utils import Tags, check_random_state, column_or_1d
    from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.multiclass import (
        _check_partial_fit_first_call,
        check_classification_targets,
        type_of_target,
        unique_labels,
    )
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data


class _NetworkEstimator(BaseEstimator):
    """What the classifier and the regressor share: all but the meaning of the outputs."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({*activations.ACTIVATIONS, "logistic"}), Activation, list, tuple],
        "solver": [StrOptions({"sgd", *OPTIMIZERS}), HasMethods("step")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "initializer": [None, StrOptions(set(INITIALIZERS)), callable],
        "penalties": [list, tuple],
        "max_norm": [None, Interval(Real, 0, None, closed="neither")],
        "schedule": [None, callable],
        "callbacks": [list, tuple],
        "layers": [None, list, tuple],
        "image_shape": [None, list, tuple],
        "metrics": [list, tuple, Mapping],
    }

    network_: Network
    best_loss_: float | None
    loss_curve_: list[float]
    validation_loss_curve_: list[float]
    validation_scores_: list[float] | None
    best_validation_score_: float | None

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | float = 10,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        dropout: float = 0.0,
        initializer: str | Draw | None = None,
        penalties: Sequence[Penalty] = (),
        max_norm: float | None = None,
        schedule: Schedule | None = None,
        callbacks: Sequence[Callback] = (),
        layers: Sequence[Layer] | None = None,
        image_shape: Sequence[int] | None = None,
        metrics: Sequence[str] | Mapping[str, Metric] = (),
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.dropout = dropout
        self.initializer = initializer
        self.penalties = penalties
        self.max_norm = max_norm
        self.schedule = schedule
        self.callbacks = callbacks
        self.layers = layers
        self.image_shape = image_shape
        self.metrics = metrics

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        validation: Sequence[npt.ArrayLike] | None = None,
    ) -> Self:
        """Train the network, from the start or, with `warm_start`, from where it is.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
            float32 is trained in float32, all else in float64.
        y : array-like, shape (n,) or (n, n_outputs)
            Classes (or a table of 0 and 1, one column a label), or real numbers.
        sample_weight : array-like, shape (n,), optional
            How much each sample counts.
        validation : (X, y) or (X, y, sample_weight), optional
            A validation set of one's own: its loss is recorded and decides when to stop; with `early_stopping` it
            stands in for the share of X.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not what scikit-learn's estimators accept.
        Diverged
            If the loss becomes NaN or infinite: with the likely cause and what to try.
        """
        return self._fit(X, y, sample_weight, validation, partial=False)

    def _fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        validation: Sequence[npt.ArrayLike] | None = None,
        *,
        partial: bool,
    ) -> Self:
        self._validate_params()
        if partial and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        resume = hasattr(self, "network_") and (partial or self.warm_start)
        x, y_array = validate_data(
            self,
            X,
            y,
            dtype=(np.float64, np.float32),
            multi_output=True,
            y_numeric=self._is_regressor,
            reset=not resume,
        )
        if y_array.ndim == 2 and y_array.shape[1] == 1:
            y_array = column_or_1d(y_array, warn=True)
        targets = self._targets(y_array, resume=resume, partial=partial).reshape(len(x), -1).astype(x.dtype, copy=False)
        weights = self._weighted(y_array, _given_weights(sample_weight, x), partial=partial)
        random_state = check_random_state(self.random_state)
        x = self._images(x)
        sizes = [self._n_inputs(x), *self._hidden_layers(), targets.shape[1]]
        if resume:
            self._check_architecture(sizes)
        else:
            self.network_ = self._new_network(sizes, x.dtype, random_state)
            self.loss_curve_, self.validation_loss_curve_ = [], []
            self.validation_scores_ = None
            self.best_loss_, self.t_ = np.inf, 0
        if not (resume and partial):
            self._optimizer = self._new_optimizer()
        held_out: Any = None
        if validation is not None:
            held_out = self._held_out(*validation)
        elif self.early_stopping:
            x, targets, weights, *held_out = self._split(x, targets, weights, y_array, random_state)
        self._train(x, targets, weights, held_out, random_state, partial=partial)
        return self

    def _held_out(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> tuple[Array, Array, Array | None]:
        """A validation set of the user's own, as the network takes it."""
        x, y_array = validate_data(
            self,
            X,
            y,
            dtype=self.network_.parameters.dtype,
            multi_output=True,
            y_numeric=self._is_regressor,
            reset=False,
        )
        targets = self._targets(y_array, resume=False, partial=True)
        x = self._images(x)
        targets = targets.reshape(len(x), -1).astype(x.dtype, copy=False)
        return x, targets, _given_weights(sample_weight, x)

    def _score(self, y_hat: Array, targets: Array, weights: Array | None) -> float:
        """What `score` gives, of the network's outputs."""
        raise NotImplementedError

    @property
    def _is_regressor(self) -> bool:
        return isinstance(self, RegressorMixin)

    def _weighted(self, y: npt.NDArray[Any], weights: Array | None, *, partial: bool) -> Array | None:
        """The samples' weights, with those of their classes."""
        return weights

    def _train(
        self,
        x: Array,
        targets: Array,
        weights: Array | None,
        validation: Any,
        random_state: np.random.RandomState,
        *,
        partial: bool,
    ) -> None:
        stop = _NoImprovement(self.tol, self.n_iter_no_change)
        scores: list[float] = []

        def score(epoch: int, network: Network, history: History) -> None:
            x, targets, weights = validation
            scores.append(float(self._score(network.predict(x), targets, weights)))

        try:
            train(
                self.network_,
                x,
                targets,
                loss=self._loss(),
                optimizer=self._optimizer,
                epochs=1 if partial else self.max_iter,
                batch_size=200 if self.batch_size == "auto" else self.batch_size,
                shuffle=self.shuffle,
                seed=random_state,
                sample_weight=weights,
                validation=validation,
                patience=self.max_iter if self.early_stopping else None,  # so that the best weights are put back
                penalties=lambda n: [*([L2(self.alpha / n)] if self.alpha else []), *self.penalties],
                max_norm=self.max_norm,
                schedule=self.schedule,
                metrics=self.metrics,
                callbacks=[*([] if validation is None else [score]), *self.callbacks, stop],
                progress=bool(self.verbose) and not partial,
            )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        self.history_ = stop.history
        self.n_iter_ = len(stop.history.loss)
        self.loss_curve_ += stop.history.loss
        self.validation_loss_curve_ += stop.history.validation_loss
        if validation is not None:
            self.validation_scores_ = [*(self.validation_scores_ or []), *scores]
        self.best_validation_score_ = max(self.validation_scores_) if self.validation_scores_ else None
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else np.inf
        lowest = self.best_loss_ if self.best_loss_ is not None else np.inf
        self.best_loss_ = None if self.early_stopping else min([lowest, *stop.history.loss])
        self.t_ += self.n_iter_ * len(x)
        if self.n_iter_ == self.max_iter and not partial and not stop.stopped:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _hidden_layers(self) -> list[int]:
        hidden = [int(size) for size in np.atleast_1d(self.hidden_layer_sizes)]
        if any(size < 1 for size in hidden):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {hidden}.")
        return hidden

    def _activations(self) -> list[Activation]:
        """One for each hidden layer."""
        n_hidden = len(self._hidden_layers())
        given: Any = self.activation if isinstance(self.activation, list | tuple) else [self.activation] * n_hidden
        if len(given) != n_hidden:
            raise ValueError(f"{n_hidden} hidden layers need one activation, or {n_hidden}, not {len(given)}.")
        return [activations.get("sigmoid" if name == "logistic" else name) for name in given]

    def _images(self, x: Array) -> Array:
        """The table X as images, if it is one of images: (n, height, width, channels)."""
        if self.image_shape is None:
            return x
        shape = tuple(self.image_shape) if len(self.image_shape) == 3 else (*self.image_shape, 1)
        if len(shape) != 3 or np.prod(shape) != x.shape[1]:
            raise ValueError(
                f"image_shape is (height, width) or (height, width, channels) of the {x.shape[1]} features, "
                f"not {self.image_shape}."
            )
        return x.reshape(-1, *shape)

    def _n_inputs(self, x: Array) -> int:
        """How many numbers come to the first hidden layer, for one sample."""
        shape = shape_after(self.layers or (), x.shape[1:])
        if len(shape) != 1 or shape[0] is None:
            raise ValueError(f"what comes before the hidden layers gives {write_shape(shape)}: end with Flatten().")
        return shape[0]

    def _new_network(self, sizes: list[int], dtype: npt.DTypeLike, random_state: np.random.RandomState) -> Network:
        """The given layers, the hidden ones and the output."""
        network = self._new_dense_network(sizes, dtype, random_state)
        if not self.layers:
            return network
        return Network([*deepcopy(list(self.layers)), *deepcopy(network.astype(np.float64).layers)]).astype(dtype)

    def _new_dense_network(
        self, sizes: list[int], dtype: npt.DTypeLike, random_state: np.random.RandomState
    ) -> Network:
        """A network that starts as scikit-learn's MLP does: Glorot's uniform draws, for the biases too."""
        functions = [*self._activations(), activations.identity]
        chosen = {} if self.initializer is None else {"seed": np.random.default_rng(random_state.randint(2**31))}
        network = Network.dense(sizes, functions, initializer=self.initializer or "zeros", dtype=dtype, **chosen)
        if self.initializer is None:
            spread = 2 if activations.sigmoid in functions[:1] else 6
            for layer in network.dense_layers:
                limit = np.sqrt(spread / (layer.n_in + layer.n_out))
                layer.W = random_state.uniform(-limit, limit, (layer.n_in, layer.n_out)).T
                layer.b = random_state.uniform(-limit, limit, layer.n_out)
        if not self.dropout:
            return network
        rng = np.random.default_rng(random_state.randint(2**31))
        *hidden, last = deepcopy(network.layers)
        return Network([*(one for layer in hidden for one in (layer, Dropout(self.dropout, seed=rng))), last])

    def _check_architecture(self, sizes: list[int]) -> None:
        layers = self._dense_layers
        has = [layers[0].n_in, *(layer.n_out for layer in layers)]
        wanted = self._activations()
        if has != sizes or [layer.activation for layer in layers[:-1]] != wanted:
            raise ValueError(
                f"warm_start and partial_fit go on with the network there is, {self.network_}; the parameters now ask "
                f"for the sizes {sizes} and the activations {', '.join(map(str, wanted))}: train a new estimator."
            )

    @property
    def _dense_layers(self) -> list[Dense]:
        """The hidden layers and the output, without the layers that were given."""
        return self.network_.dense_layers[-1 - len(self._hidden_layers()) :]

    def _new_optimizer(self) -> Optimizer:
        if self.solver == "sgd":
            if not self.momentum:
                return GradientDescent(self.learning_rate_init)
            kind = Nesterov if self.nesterovs_momentum else Momentum
            return kind(self.learning_rate_init, self.momentum)
        if self.solver in ("adam", "adamw"):
            return OPTIMIZERS[self.solver](self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon)  # type: ignore[call-arg]
        if isinstance(self.solver, str):
            return OPTIMIZERS[self.solver](self.learning_rate_init)  # type: ignore[call-arg]
        return deepcopy(self.solver)

    def _split(
        self,
        x: Array,
        targets: Array,
        weights: Array | None,
        y: npt.NDArray[Any],
        random_state: np.random.RandomState,
    ) -> tuple[Any, ...]:
        """x, targets and weights to train with, and the same to validate with; each has its share of two classes."""
        one_column_of_classes = isinstance(self, ClassifierMixin) and targets.shape[1] == 1
        arrays = [x, targets] if weights is None else [x, targets, weights]
        parts = train_test_split(
            *arrays,
            random_state=random_state,
            test_size=self.validation_fraction,
            stratify=y if one_column_of_classes else None,
        )
        training, validation = parts[::2], parts[1::2]
        if len(validation[0]) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        nothing = [None] if weights is None else []
        return *training, *nothing, *validation, *nothing

    def _inputs(self, X: npt.ArrayLike) -> Array:
        """X as the network takes it."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        return self.network_.as_batch(self._images(x))

    def _outputs(self, X: npt.ArrayLike) -> Array:
        """What the last layer gives, shape (n, n_outputs)."""
        x = self._inputs(X)
        return self.network_.predict(x)

    def activations(self, X: npt.ArrayLike) -> list[Array]:
        """What every layer makes of X.

        Parameters
        ----------
        X : array-like, shape (n, n_features)

        Returns
        -------
        list of array, shapes (n, units)
            a = f(z) of each hidden layer in order, and of the last layer, which has no activation function: for a
            classifier its numbers are the logits, from which `predict_proba` has the probabilities.
        """
        of_layers = zip(self.network_, self.network_.activations(self._inputs(X)), strict=True)
        return [a for layer, a in of_layers if not isinstance(layer, Dropout)]

    @property
    def coefs_(self) -> list[Array]:
        """Wᵀ of each layer, shape (n_in, n_out), as scikit-learn's MLP has them: views into `network_`."""
        return [layer.W.T for layer in self._dense_layers]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, shape (n_out,): views into `network_`."""
        return [layer.b for layer in self._dense_layers]

    @property
    def n_layers_(self) -> int:
        """How many layers there are, the inputs among them, as scikit-learn counts."""
        return len(self._dense_layers) + 1

    @property
    def n_outputs_(self) -> int:
        """How many outputs the network has."""
        return self._dense_layers[-1].n_out


def _given_weights(sample_weight: npt.ArrayLike | None, x: Array) -> Array | None:
    if sample_weight is None:
        return None
    return _check_sample_weight(sample_weight, x, dtype=x.dtype, ensure_non_negative=True)


class _NoImprovement:
    """Ends the training when the loss (the validation loss, if there is one) stands still, as scikit-learn's MLP does.

    That is when it was not lower than the lowest before by at least `tol` for more than `n_iter_no_change` epochs
    in a row.
    """

    def __init__(self, tol: float, n_iter_no_change: float) -> None:
        self.tol, self.n_iter_no_change = tol, n_iter_no_change
        self.history = History()
        self.lowest = np.inf
        self.count = 0

    @property
    def stopped(self) -> bool:
        return self.count > self.n_iter_no_change

    def __call__(self, epoch: int, network: Network, history: History) -> bool:
        self.history = history
        loss = (history.validation_loss or history.loss)[-1]
        self.count = self.count + 1 if loss > self.lowest - self.tol else 0
        self.lowest = min(self.lowest, loss)
        return self.stopped


class ByHandClassifier(ClassifierMixin, _NetworkEstimator):
    """A neural network that classifies: two classes, several, or several labels at once.

    The outputs are logits; softmax and cross-entropy make the loss of several classes, σ and binary cross-entropy
    that of two classes or of labels. See `byhand.losses`.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Units of each hidden layer; () for none.
    activation : str, Activation, or a list of these
        Of all hidden layers, or of each: a name in `byhand.activations.ACTIVATIONS` ("logistic" is "sigmoid"), or your
        own `Activation`.
    solver : str or optimizer
        "sgd" with `momentum` and `nesterovs_momentum`, a name in `byhand.optimizers.OPTIMIZERS`, or an object of that
        module, such as AdamW(0.01), which is copied for each training.
    alpha : float
        The L2 penalty: ½ alpha Σ w² is added to the sum of a batch's losses.
    batch_size : int or "auto"
        Samples for each update; "auto" is 200. At most all.
    learning_rate_init : float
        η; it stays as it is.
    max_iter : int
        The most epochs of a `fit`.
    shuffle : bool
        Whether batches are drawn in a new order in each epoch.
    random_state : int, RandomState or None
        For the first weights, the validation split and the order of the batches: an int gives the same result each
        time, and the start and order of scikit-learn's MLP with that int.
    tol : float
        Training ends when the loss did not fall by this much for more than `n_iter_no_change` epochs in a row.
    verbose : bool
        Show a progress bar on stderr.
    warm_start : bool
        Whether `fit` goes on from the present weights.
    momentum : float
        μ of "sgd", from 0 (plain gradient descent) to below 1.
    nesterovs_momentum : bool
        Which of `Nesterov` and `Momentum` "sgd" is.
    early_stopping : bool
        Set a validation set aside, let its loss decide about the end instead of the training loss, and put the
        weights of the lowest validation loss back.
    validation_fraction : float
        The share of that set, between 0 and 1.
    n_iter_no_change : int or numpy.inf
        See `tol`.
    beta_1, beta_2, epsilon : float
        Of "adam" and "adamw".
    dropout : float
        The rate of a `Dropout` after each hidden layer.
    initializer : str, callable or None
        How W starts, as in `Dense`, with biases of 0; None is scikit-learn's way (Glorot's uniform draws, for the
        biases too).
    penalties : sequence of Penalty
        Added to the loss of each batch beside `alpha`'s, such as [L1(1e-4)].
    max_norm : float, optional
        A longer gradient is scaled down to this length.
    schedule : callable, optional
        From the epoch of a call to a factor on the learning rate; see `byhand.schedules`.
    callbacks : sequence of callable
        Called as callback(epoch, network, history) after each epoch; True ends the training.
    layers : sequence of Layer, optional
        What comes before the hidden layers, such as [Conv2D(1, 16, 3, "relu"), MaxPool2D(2), Flatten()]: copied for
        each training, with the weights that they have.
    image_shape : (height, width) or (height, width, channels), optional
        What each row of X is an image of: the layers then take it in that shape, with the channels last.
    metrics : sequence of str, or mapping of str to callable
        What `history_` records beside the loss, of the network's outputs and its targets (for a classifier logits, and
        one column for each class, or one of 0 and 1 for two classes): as in `byhand.train`, such as ["accuracy"].
    class_weight : dict, "balanced" or None
        How much each class counts: {class: weight}, or in inverse proportion to how often it is there. Times
        `sample_weight`.

    Attributes
    ----------
    network_ : Network
        What was trained, to be looked into: `network_.layers[0].W` and so on.
    classes_ : array, shape (n_classes,)
        For labels, the numbers of the columns.
    loss_curve_ : list of float
        The training loss (with the penalty) of each epoch, over all calls since the start.
    validation_loss_curve_ : list of float
        The loss on the validation set after each epoch; empty without such a set.
    validation_scores_, best_validation_score_ : list of float and float, or None
        What `score` gives on the validation set after each epoch, and the highest of these (early stopping goes by
        the loss all the same); None without such a set.
    history_ : History
        The last call, epoch by epoch, with the metrics.
    loss_ : float
        The last of `loss_curve_`.
    n_iter_ : int
        The epochs of the last call.
    best_loss_ : float or None
        The lowest of `loss_curve_`; None with early stopping, where the lowest of `validation_loss_curve_` counts.
    t_ : int
        How many samples have been gone through, over all calls since the start.
    n_layers_, n_outputs_ : int
        The numbers of layers, inputs among them, and of outputs.
    out_activation_ : str
        "softmax" or "logistic": what `predict_proba` makes of the outputs.
    coefs_, intercepts_ : list of array
        The parameters in scikit-learn's shapes, views into `network_`.
    n_features_in_, feature_names_in_
        As in all of scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ByHandClassifier((16,), activation="tanh", solver="sgd", learning_rate_init=0.1, random_state=0)
    >>> model = model.fit(X, y)
    >>> round(float(model.score(X, y)), 1)
    1.0
    """

    classes_: npt.NDArray[Any]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_NetworkEstimator._parameter_constraints,
        "class_weight": [None, dict, list, StrOptions({"balanced"})],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        class_weight: dict[Any, float] | str | None = None,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | float = 10,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        dropout: float = 0.0,
        initializer: str | Draw | None = None,
        penalties: Sequence[Penalty] = (),
        max_norm: float | None = None,
        schedule: Schedule | None = None,
        callbacks: Sequence[Callback] = (),
        layers: Sequence[Layer] | None = None,
        image_shape: Sequence[int] | None = None,
        metrics: Sequence[str] | Mapping[str, Metric] = (),
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            dropout=dropout,
            initializer=initializer,
            penalties=penalties,
            max_norm=max_norm,
            schedule=schedule,
            callbacks=callbacks,
            layers=layers,
            image_shape=image_shape,
            metrics=metrics,
        )
        self.class_weight = class_weight

    def _weighted(self, y: npt.NDArray[Any], weights: Array | None, *, partial: bool) -> Array | None:
        if self.class_weight is None:
            return weights
        if partial and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' needs all samples at once, and partial_fit has a part: give the weights as "
                "a dict, such as those of sklearn.utils.class_weight.compute_class_weight."
            )
        of_classes = compute_sample_weight(self.class_weight, y)
        return of_classes if weights is None else weights * of_classes

    @property
    def out_activation_(self) -> str:
        """What makes probabilities of the outputs, by scikit-learn's name."""
        return "softmax" if self._one_of_many else "logistic"

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """The logits: of two classes that of the second, shape (n,); otherwise one for each class or label.

        Parameters
        ----------
        X : array-like, shape (n, n_features)

        Returns
        -------
        array, shape (n,) or (n, n_classes)
        """
        z = self._outputs(X)
        return z[:, 0] if z.shape[1] == 1 else z

    def _targets(self, y: npt.NDArray[Any], *, resume: bool, partial: bool) -> Array:
        check_classification_targets(y)
        if not resume and not partial:
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            classes = unique_labels(y)
            if not partial and set(classes) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {self.classes_}, `y` has {classes}"
                )
            if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
                raise ValueError(
                    f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
                )
        return self._label_binarizer.transform(y)

    @property
    def _one_of_many(self) -> bool:
        """Whether a sample has one class of three or more; otherwise each output is a yes or a no."""
        return bool(self._label_binarizer.y_type_ == "multiclass")

    def _score(self, y_hat: Array, targets: Array, weights: Array | None) -> float:
        if self._one_of_many:
            return accuracy_score(targets.argmax(axis=1), y_hat.argmax(axis=1), sample_weight=weights)
        return accuracy_score(targets > 0.5, y_hat > 0, sample_weight=weights)

    def _loss(self) -> Loss:
        if self._one_of_many:
            return losses.cross_entropy_from_logits
        mean = losses.binary_cross_entropy_from_logits
        return replace(  # scikit-learn adds the labels' losses up
            mean,
            name=f"{mean.name}, summed over outputs",
            terms=lambda z, y: y.shape[1] * mean.terms(z, y),
            terms_gradient=lambda z, y: y.shape[1] * mean.terms_gradient(z, y),
            formula=None,
            gradient_formula=None,
        )

    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
    ) -> Self:
        """Go through these samples once, from where the network is.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like, shape (n_classes,)
            All classes that will come; needed in the first call only.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not what scikit-learn's estimators accept, or there are other classes.
        """
        if _check_partial_fit_first_call(self, classes):
            is_table = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if is_table else classes)
        return self._fit(X, y, sample_weight, partial=True)

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The most probable class of each row of X, shape (n,), or its labels as 0 and 1, shape (n, n_labels)."""
        p = self._probabilities(X)
        return self._label_binarizer.inverse_transform(p)

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """The probabilities of the `classes_` for each row of X, or of the labels; shape (n, n_classes)."""
        p = self._probabilities(X)
        if len(self.classes_) == 1:
            return np.ones_like(p)
        return p if p.shape[1] > 1 else np.hstack([1 - p, p])

    def predict_log_proba(self, X: npt.ArrayLike) -> Array:
        """The logarithms of `predict_proba` of X."""
        return np.log(self.predict_proba(X))

    def _probabilities(self, X: npt.ArrayLike) -> Array:
        z = self._outputs(X)
        return activations.softmax(z) if self._one_of_many else activations.sigmoid(z)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


class ByHandRegressor(RegressorMixin, _NetworkEstimator):
    """A neural network for real numbers: one target or several.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate_init, max_iter, shuffle, random_state, tol
        As in `ByHandClassifier`.
    verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, n_iter_no_change, beta_1
        As in `ByHandClassifier`.
    beta_2, epsilon, dropout, initializer, penalties, max_norm, schedule, callbacks, metrics, layers, image_shape
        As in `ByHandClassifier`.
    loss : str or Loss
        A name in `byhand.losses.LOSSES` that compares outputs with real targets, or your own `Loss`. The default is
        ½ Σₖ (ŷₖ − yₖ)², the mean over samples: what scikit-learn's "squared_error" descends (of several targets its
        `loss_curve_` shows the mean, though; here it is the sum that is descended).

    Attributes
    ----------
    network_, history_, loss_curve_, validation_loss_curve_, validation_scores_, best_validation_score_, best_loss_
        As in `ByHandClassifier`.
    loss_, n_iter_, t_, n_layers_, n_outputs_, coefs_, intercepts_, n_features_in_, feature_names_in_
        As in `ByHandClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ByHandRegressor((16,), learning_rate_init=0.01, max_iter=1000, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.5)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_NetworkEstimator._parameter_constraints,
        "loss": [StrOptions({name for name, loss in losses.LOSSES.items() if not loss.from_logits}), Loss],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        loss: str | Loss = "half_mean_squared_error",
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | float = 10,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        dropout: float = 0.0,
        initializer: str | Draw | None = None,
        penalties: Sequence[Penalty] = (),
        max_norm: float | None = None,
        schedule: Schedule | None = None,
        callbacks: Sequence[Callback] = (),
        layers: Sequence[Layer] | None = None,
        image_shape: Sequence[int] | None = None,
        metrics: Sequence[str] | Mapping[str, Metric] = (),
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            dropout=dropout,
            initializer=initializer,
            penalties=penalties,
            max_norm=max_norm,
            schedule=schedule,
            callbacks=callbacks,
            layers=layers,
            image_shape=image_shape,
            metrics=metrics,
        )
        self.loss = loss

    def _targets(self, y: npt.NDArray[Any], *, resume: bool, partial: bool) -> Array:
        return y

    def _score(self, y_hat: Array, targets: Array, weights: Array | None) -> float:
        return r2_score(targets, y_hat, sample_weight=weights)

    def _loss(self) -> Loss:
        return losses.get(self.loss)

    def partial_fit(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Go through these samples once, from where the network is; X, y and sample_weight are as in `fit`."""
        return self._fit(X, y, sample_weight, partial=True)

    def predict(self, X: npt.ArrayLike) -> Array:
        """The network's outputs for the rows of X, shape (n,) for one target and (n, n_outputs) for several."""
        y_hat = self._outputs(X)
        return y_hat[:, 0] if y_hat.shape[1] == 1 else y_hat

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
