"""Training: forward, loss, backward, update, again and again; and what is remembered of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import losses
from byhand._types import Array, Seed
from byhand.errors import ByhandError
from byhand.layers import Dense
from byhand.losses import Loss
from byhand.network import Network
from byhand.optimizers import Optimizer
from byhand.penalties import Penalty
from byhand.schedules import Schedule

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
    best_epoch : int or None
        With early stopping, the epoch (counted from 0) after which the validation loss was lowest, whose
        weights the network has now.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    best_epoch: int | None = None

    def table(self) -> dict[str, Array]:
        """The columns epoch, loss and (if there was one) validation_loss: `pandas.DataFrame(history.table())`."""
        columns = {"epoch": np.arange(len(self.loss)), "loss": np.array(self.loss)}
        if self.validation_loss:
            columns["validation_loss"] = np.array(self.validation_loss)
        return columns

    def plot(self) -> "Figure":
        """The losses against the epochs, on a logarithmic axis.

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
    optimizer: Optimizer,
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
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
) -> History:
    """Train a network: in each epoch go once through all samples, batch by batch, and update after each batch.

    Parameters
    ----------
    network : Network
        Its parameters are changed in place.
    x, y : array, shapes (n, n_in) and (n, n_out)
        Inputs and targets. Keep a test set out of here: it is for announcing, once, how good the result is.
    loss : str or Loss
    optimizer : Optimizer
        For example GradientDescent(0.5) or Adam().
    epochs : int
    batch_size : int, optional
        Samples for each update: all by default (full batch), 1 for an update after every sample.
    shuffle : bool
        Whether batches are drawn in a new order in each epoch (a full batch never is).
    seed : int, Generator, RandomState or None
        For that order. The same seed, network and data give the same course, to the last bit.
    sample_weight : array, shape (n,), optional
        How much each sample counts in the loss.
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
    callbacks : sequence of callables
        Each is called as callback(epoch, network, history) after each epoch; True ends the training.
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
        If shapes don't fit, x or y holds NaN or infinity, or an option makes no sense.
    """
    loss = losses.get(loss)
    x, y = _check_data(network, x, y)
    weights = _check_weights(sample_weight, x)
    if weights is not None and not weights.all():  # a batch of samples that don't count would have no mean
        x, y, weights = (values[weights > 0] for values in (x, y, weights))
    held_out = None if validation is None else _check_validation(network, *validation)
    _check_options(epochs, batch_size, patience, validation, max_norm)
    batches = _Batches(x, y, weights, batch_size, shuffle, seed)
    best = None if patience is None else _Best(patience)
    history = History()
    learning_rate = optimizer.learning_rate
    try:
        with (
            np.errstate(over="ignore", invalid="ignore", divide="ignore"),  # Diverged tells of these
            _progress(epochs, progress) as show,
        ):
            callbacks = (*show, *callbacks)
            for epoch in range(epochs):
                if schedule is not None:
                    optimizer.learning_rate = learning_rate * schedule(epoch)
                epoch_loss = 0.0
                for x_batch, y_batch, w_batch in batches:
                    of_batch = penalties(losses.total_weight(y_batch, w_batch)) if callable(penalties) else penalties
                    value = loss_and_gradients(network, x_batch, y_batch, loss, w_batch, of_batch)
                    if not isfinite(value):
                        raise Diverged(_diagnosis(network, x, y, loss, optimizer, history), history)
                    if max_norm is not None:
                        clip_norm(network.gradients, max_norm)
                    optimizer.step(network.parameters, network.gradients)
                    epoch_loss += value if loss.reduction == "sum" else value * len(x_batch) / len(x)
                history.loss.append(float(epoch_loss))
                if held_out is not None:
                    x_val, y_val, w_val = held_out
                    history.validation_loss.append(float(loss.value(network.predict(x_val), y_val, w_val)))
                wants_stop = [callback(epoch, network, history) for callback in callbacks]
                if any(wants_stop) or (best is not None and best.is_long_ago(network, history)):
                    break
            if not np.isfinite(network.parameters).all():
                raise Diverged(_diagnosis(network, x, y, loss, optimizer, history), history)
    finally:
        optimizer.learning_rate = learning_rate
        if best is not None:
            best.restore(network, history)
    return history


def loss_and_gradients(
    network: Network,
    x: Array,
    y: Array,
    loss: Loss,
    weights: Array | None = None,
    penalties: Sequence[Penalty] = (),
) -> float:
    """The loss of one batch (with the penalties), and its gradients in `network.gradients`: all but the update."""
    y_hat = network.forward(x)
    value = float(loss.value(y_hat, y, weights))
    network.backward_parameters(loss.gradient(y_hat, y, weights))
    for penalty in penalties:
        for layer in network.dense_layers:
            value += penalty.value(layer.W)
            layer.grad_W += penalty.gradient(layer.W)
    return value


def clip_norm(gradients: Array, max_norm: float) -> None:
    """Scale the gradients in place so that ‖g‖ ≤ max_norm: their direction stays (Pascanu et al. 2013)."""
    norm = np.linalg.norm(gradients)
    if norm > max_norm:
        gradients *= max_norm / norm


def largest_learning_rate(network: Network, x: npt.ArrayLike, y: npt.ArrayLike, loss: str | Loss) -> float | None:
    """2 / λmax: full-batch gradient descent converges below this learning rate, and diverges above it.

    For one layer with identity activation and a loss of squares, the loss is a quadratic function of the
    parameters. Its Hessian H (for each output c · x̃ᵀ x̃, where x̃ is x with a column of ones for the bias and c
    the loss's second derivative) is the same everywhere, and each step multiplies what is left to go along an
    eigenvector by 1 − η λ, which stays within ±1 for all eigenvalues only if η < 2 / λmax.

    Returns
    -------
    float or None
        None for any other model or loss, whose Hessian changes as it trains.
    """
    loss = losses.get(loss)
    x, y = _check_data(network, x, y)
    layers = network.layers
    if len(layers) > 1 or layers[0].activation.name != "identity" or loss not in _QUADRATIC:  # type: ignore[attr-defined]
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
        self.size = len(x) if batch_size is None else min(batch_size, len(x))
        self.order = np.arange(len(x))
        self.shuffle = shuffle
        self.rng = seed if isinstance(seed, np.random.RandomState) else np.random.default_rng(seed)

    def __iter__(self) -> Iterator[tuple[Array, Array, Array | None]]:
        n = len(self.x)
        if self.size == n:
            yield self.x, self.y, self.weights
            return
        if self.shuffle:
            self.rng.shuffle(self.order)
        for start in range(0, n, self.size):
            batch = self.order[start : start + self.size]
            weights = None if self.weights is None else self.weights.take(batch)
            yield self.x.take(batch, axis=0), self.y.take(batch, axis=0), weights


class _Best:
    """Early stopping: the weights of the lowest validation loss so far."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.epoch = 0
        self.loss = np.inf
        self.parameters: Array | None = None

    def is_long_ago(self, network: Network, history: History) -> bool:
        epoch, loss = len(history.validation_loss) - 1, history.validation_loss[-1]
        if loss < self.loss:
            self.epoch, self.loss, self.parameters = epoch, loss, network.parameters.copy()
        return epoch - self.epoch >= self.patience

    def restore(self, network: Network, history: History) -> None:
        if self.parameters is not None:
            network.parameters[:] = self.parameters
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

        def show(epoch: int, network: Network, history: History) -> None:
            done, last = epoch + 1, history.loss[-1]
            bar.update(task, completed=done, loss=last)
            if not console.is_terminal and done % max(1, epochs // 10) == 0:
                console.print(f"Training: epoch {done}/{epochs}, loss {last:.4g}", highlight=False)

        yield (show,)


def _check_data(network: Network, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array]:
    x = network.as_batch(x)
    y = np.asarray(y, dtype=network.parameters.dtype)
    n_out = network.dense_layers[-1].n_out
    if len(x) == 0:
        raise ValueError("there are no samples.")
    if y.shape != (len(x), n_out):
        hint = " (for one output, y.reshape(-1, 1))" if y.ndim == 1 and n_out == 1 else ""
        raise ValueError(
            f"targets of shape {y.shape}, but {len(x)} samples and {n_out} outputs need ({len(x)}, {n_out}){hint}."
        )
    for name, values in (("x", x), ("y", y)):
        with np.errstate(over="ignore", invalid="ignore"):
            doubtful = not np.isfinite(values.sum())
        if doubtful and len(bad := np.argwhere(~np.isfinite(values))):
            raise ValueError(
                f"{name} holds {values[tuple(bad[0])]} in row {bad[0][0]}, column {bad[0][1]} (and {len(bad) - 1} more "
                "such numbers): drop these samples or fill them in."
            )
    return x, y


def _check_validation(
    network: Network, x: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
) -> tuple[Array, Array, Array | None]:
    x, y = _check_data(network, x, y)
    return x, y, _check_weights(sample_weight, x)


def _check_weights(weights: npt.ArrayLike | None, x: Array) -> Array | None:
    if weights is None:
        return None
    weights = np.asarray(weights, dtype=x.dtype)
    if weights.shape != (len(x),) or not (weights >= 0).all() or not weights.sum() > 0:
        raise ValueError(f"sample_weight needs {len(x)} numbers that are not negative, and not all 0.")
    return weights


def _check_options(
    epochs: int, batch_size: int | None, patience: int | None, validation: Any, max_norm: float | None
) -> None:
    if epochs < 1:
        raise ValueError(f"epochs is at least 1, not {epochs}.")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size is at least 1, not {batch_size}.")
    if patience is not None and (patience < 1 or validation is None):
        raise ValueError("patience (early stopping) is at least 1 and needs a validation set.")
    if max_norm is not None and not max_norm > 0:
        raise ValueError(f"max_norm is positive, not {max_norm}.")


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
        if isinstance(layer, Dense) and not (np.isfinite(layer.W).all() and np.isfinite(layer.b).all()):
            return f"the weights of layer {number} overflowed"
        x = layer.predict(x)
        if not np.isfinite(x).all():
            return f"the outputs of layer {number} overflowed"
    return f"the outputs of layer {len(network.layers)} grew to {np.abs(x).max():.1e}, too large for the loss"
