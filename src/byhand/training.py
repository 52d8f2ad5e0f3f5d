"""Training: forward, loss, backward, update, again and again; and what is remembered of it."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import losses, optimizers
from byhand._types import Array, Seed
from byhand.errors import ByhandError
from byhand.layers.base import fits
from byhand.layers.dense import Dense
from byhand.losses import Loss
from byhand.network import Network
from byhand.optimizers import Optimizer
from byhand.penalties import Penalty
from byhand.schedules import Schedule, constant, reduce_on_plateau

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class History:
    """The losses of a training, epoch by epoch.

    Attributes
    ----------
    loss : list of float
        The training loss (with the penalty), as of the forward passes from which the epoch's updates were
        computed: so the first is that of the untrained network in full-batch training. With batches it is their
        sum, or for a loss that is a mean their mean, each batch weighing as many samples as it has.
    validation_loss : list of float
        The loss on the validation set after each epoch, without penalty and dropout; empty without such a set.
    metrics : dict of str to list of float
        What else was asked for, after each epoch, on all training samples as "accuracy" and on the validation set as
        "validation_accuracy"; without dropout.
    best_epoch : int or None
        With early stopping, the epoch (counted from 0) after which the validation loss was lowest, whose
        weights the network has now.

    Examples
    --------
    >>> History(loss=[0.5, 0.25]).table()
    {'epoch': array([0, 1]), 'loss': array([0.5 , 0.25])}
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int | None = None

    def table(self) -> dict[str, Array]:
        """The columns epoch, loss, validation_loss (if there was one) and metrics, for `pandas.DataFrame`.

        Returns
        -------
        dict of str to array, shape (epochs,)
        """
        columns = {"loss": self.loss, "validation_loss": self.validation_loss} | self.metrics
        table = {name: np.array(values) for name, values in columns.items() if values}
        return {"epoch": np.arange(len(self.loss))} | table

    def plot(self) -> "Figure":
        """The losses against the epochs, on a logarithmic axis.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from byhand.figures import loss_curves

        curves = {"training": self.loss}
        if self.validation_loss:
            curves["validation"] = self.validation_loss
        return loss_curves(curves)


Metric: TypeAlias = Callable[[Array, Array], float]
"""From outputs and targets, both of shape (n, n_out), to a number."""

Callback: TypeAlias = Callable[[int, Network, History], bool | None]
"""Called after each epoch with its number (from 0), the network and the history; True stops the training."""


class Diverged(ByhandError, FloatingPointError):
    """The loss became NaN or infinite. `history` holds the losses until then."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def train(
    network: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    loss: str | Loss,
    optimizer: str | Optimizer,
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    seed: Seed | np.random.RandomState = None,
    sample_weight: npt.ArrayLike | None = None,
    validation: Sequence[npt.ArrayLike] | None = None,
    patience: int | None = None,
    penalties: Sequence[Penalty] | Callable[[float], Sequence[Penalty]] = (),
    max_norm: float | None = None,
    schedule: Schedule | None = None,
    metrics: Sequence[str] | Mapping[str, Metric] = (),
    callbacks: Sequence[Callback] = (),
    history: History | None = None,
    progress: bool = False,
) -> History:
    """Train a network: in each epoch go once through all samples, batch by batch, and update after each batch.

    Parameters
    ----------
    network : Network
        Its parameters are changed in place, but for layers that are `frozen`.
    x, y : array, shapes (n, n_in) and (n, n_out)
        Inputs and targets. Keep a test set out of here: it is for announcing, once, how good the result is.
    loss : str or Loss
    optimizer : str or Optimizer
        For example GradientDescent(0.5), or "adam", which is Adam() with its default learning rate.
    epochs : int
    batch_size : int, optional
        Samples for each update: all by default (full batch), 1 for an update after every sample.
    shuffle : bool
        Whether batches are drawn in a new order in each epoch (a full batch never is).
    seed : int, Generator, RandomState or None
        For that order. The same seed, network and data give the same course, to the last bit.
    sample_weight : array, shape (n,), or (n, T) for sequences, optional
        How much each sample, or each step of it, counts in the loss: 0 for the steps that only fill a sequence up.
    validation : (x, y) or (x, y, sample_weight), optional
        A validation set: its loss is recorded after each epoch, and nothing is learned from it.
    patience : int, optional
        Early stopping: end after so many epochs without a new lowest validation loss, and put the weights of the
        lowest back.
    penalties : sequence of Penalty, or callable
        For example [L2(1e-4)], added to the loss of each batch. Or a function from the batch's number of samples (the
        sum of their weights) to such a sequence: lambda n: [L2(1e-4 / n)] is what scikit-learn's MLP does.
    max_norm : float, optional
        Gradient clipping: a gradient longer than this is scaled down to this length (Pascanu et al. 2013).
    schedule : callable, optional
        From the epoch (counted from 0) to a factor on the optimizer's learning rate; see `schedules`.
    metrics : sequence of str, or mapping of str to callable
        What to record beside the loss after each epoch, at the cost of one more forward pass: ["accuracy"] is the share
        of samples whose class is right, {"name": f} the number f(y_hat, y).
    callbacks : sequence of callables
        Each is called as callback(epoch, network, history) after each epoch; True ends the training.
    history : History, optional
        One to go on with: what is recorded is added to it, and the epochs (of a schedule, say) are counted on.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    History

    Raises
    ------
    Diverged
        As soon as a loss is NaN or infinite: with the epoch, the layer, the likely cause and what to try.
    ValueError
        If shapes don't fit, x or y holds NaN or infinity, the loss doesn't go with the targets or the last layer, or an
        option makes no sense.

    Examples
    --------
    >>> from byhand import GradientDescent, Network, datasets
    >>> x, y = datasets.xor()
    >>> network = Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0)
    >>> history = train(network, x, y, loss="sum_of_squares", optimizer=GradientDescent(0.5), epochs=2000)
    >>> network.predict(x).round()
    array([[0.],
           [1.],
           [1.],
           [0.]])
    >>> history.loss[0] > 1 > 0.1 > history.loss[-1]
    True
    """
    _check_options(epochs, batch_size, patience, validation, max_norm)
    _check_callables(penalties, schedule, callbacks)
    loss, optimizer = losses.get(loss), optimizers.get(optimizer)
    x, y, weights = _training_set(network, loss, x, y, sample_weight)
    held_out = None if validation is None else _validation_set(network, loss, *validation)
    history = History() if history is None else history
    measure = _Measures(loss, (x, y), held_out, metrics, history)
    batches = _Batches(x, y, weights, batch_size, shuffle, seed)
    best = [] if patience is None else [_Best(patience)]
    learning_rate, factor = optimizer.learning_rate, constant() if schedule is None else schedule
    with _progress(epochs, progress) as show, _left_well(network, optimizer, history, best):
        after_epoch: list[Callback] = [measure, *_followed_by(schedule), *show, *callbacks, *best]
        for epoch in range(len(history.loss), len(history.loss) + epochs):
            optimizer.learning_rate = learning_rate * factor(epoch)
            epoch_loss = _epoch(network, batches, loss, optimizer, penalties, max_norm)
            if not isfinite(epoch_loss):
                raise Diverged(_diagnosis(network, x, y, loss, optimizer, history), history)
            history.loss.append(epoch_loss)
            ends = [after(epoch, network, history) for after in after_epoch]
            if any(ends):
                break
        if not np.isfinite(network.parameters).all():
            raise Diverged(_diagnosis(network, x, y, loss, optimizer, history), history)
    return history


def _epoch(
    network: Network,
    batches: "_Batches",
    loss: Loss,
    optimizer: Optimizer,
    penalties: Sequence[Penalty] | Callable[[float], Sequence[Penalty]],
    max_norm: float | None,
) -> float:
    """Go once through all samples and update after each batch; the loss, as it was before these updates.

    It ends early with a loss that is not finite.
    """
    epoch_loss = 0.0
    for x, y, weights in batches:
        of_batch = penalties(losses.total_weight(y, weights)) if callable(penalties) else penalties
        value = loss_and_gradients(network, x, y, loss, weights, of_batch)
        if not isfinite(value):
            return value
        update(network, optimizer, max_norm)
        epoch_loss += value if loss.reduction == "sum" else value * len(x) / batches.n
    return epoch_loss


@contextmanager
def _left_well(network: Network, optimizer: Optimizer, history: History, best: "list[_Best]") -> Iterator[None]:
    """However the training ends, the optimizer has its learning rate again, and the network its best weights."""
    learning_rate = optimizer.learning_rate
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # Diverged tells of these
            yield
    finally:
        optimizer.learning_rate = learning_rate
        for one in best:
            one.restore(network, history)


def _followed_by(schedule: Schedule | None) -> list[Callback]:
    """A callback that shows the losses to a schedule that follows them."""
    if not isinstance(schedule, reduce_on_plateau):
        return []
    return [lambda epoch, network, history: schedule.watch(history)]


def update(network: Network, optimizer: Optimizer, max_norm: float | None = None) -> None:
    """One step of the optimizer, with clipping; frozen layers stay as they are, and their gradients count as 0.

    Parameters
    ----------
    network : Network
        Its parameters are changed by its gradients.
    optimizer : Optimizer
    max_norm : float, optional
        See `clip_norm`.

    Examples
    --------
    >>> network = Network.dense([1, 1], "identity", initializer="zeros")
    >>> network.gradients[:] = [3.0, 4.0]
    >>> update(network, optimizers.GradientDescent(1.0), max_norm=1.0)
    >>> network.parameters.round(6)
    array([-0.6, -0.8])
    """
    frozen = [layer for layer in network.every_layer if layer.frozen]
    for layer in frozen:
        for gradient in layer.gradients.values():
            gradient[...] = 0
    if max_norm is not None:
        clip_norm(network.gradients, max_norm)
    kept = [(array, array.copy()) for layer in frozen for array in layer.parameters.values()] if frozen else ()
    optimizer.step(network.parameters, network.gradients)
    for array, before in kept:
        array[...] = before


def loss_and_gradients(
    network: Network,
    x: Array,
    y: Array,
    loss: Loss,
    weights: Array | None = None,
    penalties: Sequence[Penalty] = (),
) -> float:
    """The loss of one batch (with the penalties), and its gradients in `network.gradients`: all but the update.

    Frozen layers have no penalty.

    Parameters
    ----------
    network : Network
    x, y : array, shapes (n, n_in) and (n, n_out)
    loss : Loss
    weights : array, shape (n,), optional
    penalties : sequence of Penalty

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If shapes don't fit.

    Examples
    --------
    >>> network = Network.dense([1, 1], "identity", initializer="zeros")
    >>> loss_and_gradients(network, np.array([[2.0]]), np.array([[3.0]]), losses.sum_of_squares)
    9.0
    >>> network.gradients
    array([-12.,  -6.])
    """
    y_hat = network.forward(x)
    value = float(loss.value(y_hat, y, weights))
    network.backward_parameters(loss.gradient(y_hat, y, weights))
    for penalty in penalties:
        for layer, weights_of_layer, gradient in network.weights:
            if not layer.frozen:
                value += penalty.value(weights_of_layer)
                gradient += penalty.gradient(weights_of_layer)
    return value


def clip_norm(gradients: Array, max_norm: float) -> None:
    """Scale the gradients in place so that ‖g‖ ≤ max_norm: their direction stays (Pascanu et al. 2013).

    Parameters
    ----------
    gradients : array, shape (n_parameters,)
    max_norm : float

    Examples
    --------
    >>> g = np.array([3.0, 4.0])
    >>> clip_norm(g, 1.0)
    >>> g.round(6)
    array([0.6, 0.8])
    """
    norm = np.linalg.norm(gradients)
    if norm > max_norm:
        gradients *= max_norm / norm


def largest_learning_rate(network: Network, x: npt.ArrayLike, y: npt.ArrayLike, loss: str | Loss) -> float | None:
    """2 / λmax: full-batch gradient descent converges below this learning rate, and diverges above it.

    For one layer with identity activation and a loss of squares, the loss is a quadratic function of the
    parameters. Its Hessian H (for each output c · x̃ᵀ x̃, where x̃ is x with a column of ones for the bias and c
    the loss's second derivative) is the same everywhere, and each step multiplies what is left to go along an
    eigenvector by 1 − η λ, which stays within ±1 for all eigenvalues only if η < 2 / λmax.

    Parameters
    ----------
    network : Network
    x, y : array, shapes (n, n_in) and (n, n_out)
    loss : str or Loss

    Returns
    -------
    float or None
        None for any other model or loss, whose Hessian changes as it trains.

    Raises
    ------
    ValueError
        If shapes don't fit, or x or y holds NaN or infinity.

    Examples
    --------
    >>> network = Network.dense([1, 1], "identity", initializer="zeros")
    >>> largest_learning_rate(network, [[-1.0], [1.0]], [[0.0], [0.0]], "sum_of_squares")
    0.5
    """
    loss = losses.get(loss)
    x, y = _check_data(network, x, y)
    first, *others = network.layers
    if others or not isinstance(first, Dense) or first.activation.name != "identity" or loss not in _QUADRATIC:
        return None
    second_derivative = loss.gradient(y + 1.0, y)[0, 0]
    x_tilde = np.column_stack([x, np.ones(len(x))])
    return float(2 / (second_derivative * np.linalg.eigvalsh(x_tilde.T @ x_tilde).max()))


_QUADRATIC = (losses.sum_of_squares, losses.mean_squared_error, losses.half_mean_squared_error)


class _Batches:
    """The samples batch by batch, in a new order each time when shuffled."""

    def __init__(
        self,
        x: Array,
        y: Array,
        weights: Array | None,
        batch_size: int | None,
        shuffle: bool,
        seed: Seed | np.random.RandomState,
    ) -> None:
        self.x, self.y, self.weights = x, y, weights
        self.n = len(x)
        self.size = len(x) if batch_size is None else min(batch_size, len(x))
        self.order = np.arange(len(x))
        # Each batch is copied into the same memory: to ask for new memory can cost as much as the copy.
        self.memory = np.empty((self.size if self.size < self.n else 0, *x.shape[1:]), x.dtype)
        self.shuffle = shuffle
        self.rng = seed if isinstance(seed, np.random.RandomState) else np.random.default_rng(seed)

    def __iter__(self) -> Iterator[tuple[Array, Array, Array | None]]:
        if self.size == self.n:
            yield self.x, self.y, self.weights
            return
        if self.shuffle:
            self.rng.shuffle(self.order)
        for start in range(0, self.n, self.size):
            batch = self.order[start : start + self.size]
            weights = None if self.weights is None else self.weights.take(batch, axis=0)
            x = self.x.take(batch, axis=0, out=self.memory[: len(batch)], mode="clip")  # "raise" would copy twice
            yield x, self.y.take(batch, axis=0), weights


class _Measures:
    """What is recorded after each epoch: the loss on the validation set, and the metrics on both sets."""

    def __init__(
        self,
        loss: Loss,
        training: tuple[Array, Array],
        held_out: tuple[Array, Array, Array | None] | None,
        metrics: Sequence[str] | Mapping[str, Metric],
        history: History,
    ) -> None:
        self.loss, self.held_out = loss, held_out
        if isinstance(metrics, str):
            metrics = [metrics]
        self.metrics = metrics if isinstance(metrics, Mapping) else {name: self._metric(name) for name in metrics}
        self.sets = {"": training} | ({} if held_out is None else {"validation_": held_out[:2]})
        self._check(history)

    def _metric(self, name: str) -> Metric:
        if name != "accuracy":
            raise ValueError(f"unknown metric {name!r}; there is 'accuracy', and one's own as {{'name': f}}.")
        return lambda y_hat, y: accuracy(y_hat, y, threshold=0.0 if self.loss.from_logits else 0.5)

    def _check(self, history: History) -> None:
        """A history that goes on needs the same columns as before."""
        names = {prefix + name for prefix in self.sets for name in self.metrics}
        if history.loss and (names != set(history.metrics) or bool(history.validation_loss) != bool(self.held_out)):
            raise ValueError(
                "a history goes on with the same validation set or none, and the same metrics, as it began: it has "
                f"{', '.join(name for name in history.table() if name != 'epoch')}."
            )

    def __call__(self, epoch: int, network: Network, history: History) -> None:
        if self.held_out is not None:
            x, y, weights = self.held_out
            history.validation_loss.append(float(self.loss.value(network.predict(x), y, weights)))
        if not self.metrics:
            return
        for prefix, (x, y) in self.sets.items():
            y_hat = network.predict(x)
            for name, metric in self.metrics.items():
                history.metrics.setdefault(prefix + name, []).append(float(metric(y_hat, y)))


def accuracy(
    y_hat: npt.ArrayLike, y: npt.ArrayLike, *, threshold: float = 0.5, weights: npt.ArrayLike | None = None
) -> float:
    """The share of samples, or of the steps of sequences, whose class is right.

    Parameters
    ----------
    y_hat, y : array, shape (n, n_out), or (n, T, n_out) for sequences
        Of several columns the largest says the class; one column says yes above the threshold.
    threshold : float
        0.5 for probabilities, 0 for logits.
    weights : array, shape (n,) or (n, T), optional
        How much each counts, such as the mask with which it was trained; all alike by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes differ, or there is no table.

    Examples
    --------
    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [[0, 1], [0, 1]])
    0.5
    """
    y_hat, y = np.asarray(y_hat), np.asarray(y)
    if y_hat.shape != y.shape or y.ndim < 2:
        raise ValueError(f"outputs and targets of one shape (n, n_out) are needed, not {y_hat.shape} and {y.shape}.")
    if y.shape[-1] > 1:
        right = y_hat.argmax(axis=-1) == y.argmax(axis=-1)
    else:
        right = ((y_hat > threshold) == (y > 0.5))[..., 0]
    if weights is None:
        return float(right.mean())
    weights = np.asarray(weights)
    counts = np.broadcast_to(weights.reshape(weights.shape + (1,) * (right.ndim - weights.ndim)), right.shape)
    return float(np.average(right, weights=counts))


class _Best:
    """Early stopping: the weights of the lowest validation loss so far."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.epoch = 0
        self.loss = np.inf
        self.parameters: Array | None = None
        self.states: list[dict[str, Array]] = []

    def __call__(self, epoch: int, network: Network, history: History) -> bool:
        """Whether they are `patience` epochs old: a callback."""
        loss = history.validation_loss[-1]
        if self.parameters is None or loss < self.loss:
            self.epoch, self.loss, self.parameters = epoch, loss, network.parameters.copy()
            self.states = [deepcopy(layer.state) for layer in network.every_layer]
        return epoch - self.epoch >= self.patience

    def restore(self, network: Network, history: History) -> None:
        if self.parameters is not None:
            network.parameters[:] = self.parameters
            for layer, state in zip(network.every_layer, self.states, strict=True):
                for name, array in state.items():
                    setattr(layer, name, array)
            history.best_epoch = self.epoch


@contextmanager
def _progress(epochs: int, wanted: bool) -> Iterator[tuple[Callback, ...]]:
    """Give a callback that shows how far the training is: with a bar, or where there is no terminal with ten lines."""
    if not wanted:
        yield ()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    loss = TextColumn("loss {task.fields[loss]:.4g}")
    columns = ("Training", BarColumn(), MofNCompleteColumn(), loss, TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=epochs, loss=np.nan)
        count = itertools.count(1)  # a history that goes on does not begin with epoch 0

        def show(epoch: int, network: Network, history: History) -> None:
            done, last = next(count), history.loss[-1]
            bar.update(task, completed=done, loss=last)
            if not console.is_terminal and done % max(1, epochs // 10) == 0:
                console.print(f"Training: epoch {done}/{epochs}, loss {last:.4g}", highlight=False)

        yield (show,)


def _check_data(network: Network, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array]:
    x = network.as_batch(x)
    y = np.asarray(y, dtype=network.parameters.dtype)
    if len(x) == 0:
        raise ValueError("there are no samples.")
    needed = (len(x), *(y.shape[1:] if network.output_shape is None else network.output_shape))
    if not fits(y.shape, needed):
        hint = ""
        if len(needed) == 2 and y.shape in ((len(x),), (len(x), 1)):
            hint = (
                " (for one output, y.reshape(-1, 1))" if needed[1] == 1 else " (for classes 0, 1, …, byhand.one_hot(y))"
            )
        outputs = "outputs of the shape" if len(needed) != 2 else f"{needed[1]} outputs"
        raise ValueError(f"targets of shape {y.shape}, but {len(x)} samples and {outputs} need {needed}{hint}.")
    for name, values in (("x", x), ("y", y)):
        with np.errstate(over="ignore", invalid="ignore"):
            doubtful = not np.isfinite(values.sum())
        if doubtful and len(bad := np.argwhere(~np.isfinite(values))):
            row, *place = bad[0].tolist()
            where = f"column {place[0]}" if len(place) == 1 else f"at {tuple(place)}"
            raise ValueError(
                f"{name} holds {values[tuple(bad[0])]} in row {row}, {where} (and {len(bad) - 1} more "
                "such numbers): drop these samples or fill them in."
            )
    return x, y


def check_loss(network: Network, y: Array, loss: Loss) -> None:
    """Refuse a loss that would learn nonsense in silence.

    Parameters
    ----------
    network : Network
    y : array, shape (n, n_out)
    loss : Loss

    Raises
    ------
    ValueError
        If the loss doesn't go with the targets or the last layer.

    Examples
    --------
    >>> check_loss(Network.dense([2, 1], "identity"), np.zeros((4, 1)), losses.get("binary_cross_entropy_from_logits"))
    """
    loss.check_targets(y)
    last = network.layers[-1]
    if not loss.from_logits:
        return
    if np.isfinite(last.output_range).any():
        what = f"the activation identity, not {last.activation}" if isinstance(last, Dense) else "any output"
        raise ValueError(
            f"{loss} has its last function, σ or softmax, inside, and takes any number: give the last layer "
            f"{what}. (The outputs are then logits.)"
        )
    if loss is losses.cross_entropy_from_logits and y.shape[-1] == 1:
        raise ValueError(
            "the softmax of one output is always 1: for two classes take binary_cross_entropy_from_logits, or give the "
            "network two outputs."
        )


def _training_set(
    network: Network, loss: Loss, x: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None
) -> tuple[Array, Array, Array | None]:
    """Inputs, targets and weights, without samples whose weight is 0: a batch of these would have no mean."""
    x, y = _check_data(network, x, y)
    check_loss(network, y, loss)
    weights = _check_weights(sample_weight, y)
    if weights is None or weights.all():
        return x, y, weights
    counts = weights.reshape(len(x), -1).any(axis=1)
    return x[counts], y[counts], weights[counts]


def _validation_set(
    network: Network, loss: Loss, x: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
) -> tuple[Array, Array, Array | None]:
    x, y = _check_data(network, x, y)
    loss.check_targets(y)
    return x, y, _check_weights(sample_weight, y)


def _check_weights(weights: npt.ArrayLike | None, y: Array) -> Array | None:
    if weights is None:
        return None
    weights = np.asarray(weights, dtype=y.dtype)
    of_samples, of_steps = (len(y),), y.shape[:-1]
    if weights.shape not in (of_samples, of_steps) or not (weights >= 0).all() or not weights.sum() > 0:
        steps = f" (or one for each step, shape {of_steps})" if of_steps != of_samples else ""
        raise ValueError(f"sample_weight needs {len(y)} numbers that are not negative, and not all 0{steps}.")
    return weights


def _check_options(epochs: Any, batch_size: Any, patience: Any, validation: Any, max_norm: float | None) -> None:
    for name, number in (("epochs", epochs), ("batch_size", batch_size), ("patience", patience)):
        if number is not None and not isinstance(number, Integral):
            whole = f": int({number!r}), perhaps" if isinstance(number, float) and number.is_integer() else ""
            raise ValueError(f"{name} is a whole number such as 10, not {number!r}{whole}.")
    if epochs < 1:
        raise ValueError(f"epochs is at least 1, not {epochs}.")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size is at least 1, not {batch_size}.")
    if validation is not None and not (isinstance(validation, tuple | list) and len(validation) in (2, 3)):
        raise ValueError("validation is a pair (x, y), or (x, y, sample_weight): the inputs alone have no loss.")
    if patience is not None and (patience < 1 or validation is None):
        raise ValueError("patience (early stopping) is at least 1 and needs a validation set.")
    if max_norm is not None and not max_norm > 0:
        raise ValueError(f"max_norm is positive, not {max_norm}.")


def _check_callables(penalties: Any, schedule: Any, callbacks: Any) -> None:
    if not callable(penalties) and not isinstance(penalties, Sequence):
        raise ValueError(f"penalties is a list, such as [{penalties}], or a function that gives one.")
    if schedule is not None and not callable(schedule):
        raise ValueError(f"a schedule is a function from the epoch to a factor, such as cosine(100), not {schedule!r}.")
    if not isinstance(callbacks, Sequence) or not all(map(callable, callbacks)):
        raise ValueError("callbacks is a list of functions, each called as callback(epoch, network, history).")


def _diagnosis(network: Network, x: Array, y: Array, loss: Loss, optimizer: Optimizer, history: History) -> str:
    """Where the numbers got lost, the likely cause, and what to try."""
    bound = largest_learning_rate(network, x, y, loss)
    largest_input = np.abs(x).max()
    if bound is not None:
        advice = (
            "This model is linear: with full batches and gradient descent it converges for learning rates below "
            f"2/λmax = {bound:.4g}, and the learning rate is {optimizer.learning_rate:.4g}."
        )
    elif largest_input > 100:
        advice = (
            f"Inputs as large as {largest_input:.4g} make gradients as large: scale each column to mean 0 and "
            "standard deviation 1 first."
        )
    else:
        advice = (
            f"Most likely the learning rate ({optimizer.learning_rate:.4g}) is too large: try a tenth of it, "
            "or limit the gradients with max_norm."
        )
    return (
        f"the loss is no longer a finite number in epoch {len(history.loss)} (counted from 0): "
        f"{_first_overflow(network, x)}. {advice}"
    )


def _first_overflow(network: Network, x: Array) -> str:
    for number, layer in enumerate(network.layers, 1):
        arrays = [array for _, one in layer.walk("") for array in one.parameters.values()]
        if not all(np.isfinite(array).all() for array in arrays):
            return f"the weights of layer {number} overflowed"
        x = layer.predict(x)
        if not np.isfinite(x).all():
            return f"the outputs of layer {number} overflowed"
    return f"the outputs of layer {len(network.layers)} grew to {np.abs(x).max():.1e}, too large for the loss"
