"""Many networks of one architecture trained together.

One network of ten hidden units keeps NumPy waiting: each call works on forty numbers and costs as much as on a
thousand. So here the arrays have one axis more, the last, along which the networks ("runs") lie side by side:
W has shape (n_in, n_out, runs), a batch of activations (n, n_out, runs). Activations, losses and optimizers work
element by element and are the library's own; only the sums over units and samples are written anew.

Each run is what `training.train` makes of the same network alone, to rounding, since sums are taken in another
order. A run at a learning rate on the edge of stability is chaotic and magnifies that, no more than it magnifies a
change of its first weights in their last digit.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import losses, penalties
from byhand._types import Array, Seed
from byhand.activations import Activation
from byhand.losses import Loss
from byhand.network import Network
from byhand.optimizers import GradientDescent, Optimizer
from byhand.schedules import Schedule
from byhand.training import Diverged, History, train

# The largest array of a block, in bytes. Measured: with much smaller ones the calls cost more than the numbers, and
# larger ones gain little and leave the cache. Part of the definition of a study: with other blocks, results may differ
# in the last bit.
_BLOCK = 672_000
# The samples' orders, one for each run of a block, hold no more than so many numbers.
_ORDERS = 50_000_000
# Above so many products in one layer of one run, a matrix product a run is quicker than one pass over all runs.
_MATRIX_WORTH = 3000
# The bytes of a line of the cache.
_LINE = 64
# Every so many epochs, runs that cannot change any more are looked for.
_LOOK_EVERY = 50


Measure: TypeAlias = Callable[[Array, Array], Array]
"""From outputs of shape (n, n_out, runs) and targets, whose last axis may be 1, to a number a sample, (n, runs)."""


class Penalty(penalties.Penalty, Protocol):
    """A penalty that says of each weight what it adds to the loss, as `penalties.L2` does."""

    def terms(self, W: Array) -> Array:
        """What each weight adds to the loss, in the shape of W."""


@dataclass
class EnsembleHistory:
    """What is remembered of the training of many networks.

    Attributes
    ----------
    epochs : array of int, shape (k,)
        The epochs (counted from 0) whose losses are kept: all, unless `record` chose some.
    loss : array, shape (k, runs)
        As in `training.History`. NaN from the epoch on in which a run diverged, and after a run has stopped.
    last_loss : array, shape (runs,)
        The loss of the last epoch that each run trained; NaN if it diverged.
    epochs_trained : array of int, shape (runs,)
        How many epochs each run trained.
    reached : array of int, shape (runs,)
        The first epoch (counted from 0, so the number of epochs trained before it) whose loss, or mean `measure`, is
        `threshold` or less; −1 where there is none.
    diverged : array of bool, shape (runs,)
        Where the loss or a parameter was no longer a finite number: `training.train` would have raised Diverged.
    """

    epochs: npt.NDArray[np.intp]
    loss: Array
    last_loss: Array
    epochs_trained: npt.NDArray[np.intp]
    reached: npt.NDArray[np.intp]
    diverged: npt.NDArray[np.bool_]


def train_ensemble(
    networks: Sequence[Network],
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    loss: str | Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    seeds: Sequence[Seed] | None = None,
    penalties: Sequence[Penalty] = (),
    max_norm: float | None = None,
    schedule: Schedule | None = None,
    measure: Measure | None = None,
    threshold: float | None = None,
    stop: bool = True,
    record: npt.ArrayLike | None = None,
) -> EnsembleHistory:
    """Train many networks of the same sizes, in place, as `training.train` would train each of them alone.

    Networks with the same activations go through the computation together, in blocks that fit into the cache, so
    memory beyond the networks and their histories does not grow with their number. A run whose loss becomes NaN
    or infinite is NaN from there on, silently, and touches no other.

    Parameters
    ----------
    networks : sequence of Network
        Of `Dense` layers, all of the same sizes and precision; the activations may differ.
    x : array, shape (n, n_in) or (n, n_in, runs)
        Inputs, the same for all or a set for each run.
    y : array, shape (n, n_out) or (n, n_out, runs)
        Targets, likewise.
    loss : str or Loss
    optimizer : Optimizer
        Its learning rate is one number or an array of one for each run. It serves as a pattern: every block works
        with a copy.
    epochs, batch_size, shuffle
        As in `training.train`.
    seeds : sequence of int, Generator or None, optional
        One for each run: where the order of its batches starts, the `seed` of `training.train`.
    penalties, max_norm, schedule
        As in `training.train`; the schedule is a function of the epoch alone.
    measure : callable, optional
        What is held against the threshold, in the mean over the samples of the epoch's forward passes; by default the
        loss.
    threshold : float, optional
        At which a run has converged: `EnsembleHistory.reached` says when.
    stop : bool
        Whether a run stops after the epoch that reached the threshold.
    record : array of int, optional
        The epochs (from 0, ascending) whose losses to keep; all by default.

    Returns
    -------
    EnsembleHistory

    Raises
    ------
    ValueError
        If the networks differ in size or precision or have layers other than Dense, shapes don't fit, x or y
        holds NaN or infinity, or there are not as many seeds or learning rates as runs.
    """
    _check_alike(networks)
    n_runs = len(networks)
    rates = _checked_rates(optimizer, n_runs)
    groups: dict[tuple[Activation, ...], list[int]] = {}
    for run, network in enumerate(networks):
        groups.setdefault(tuple(layer.activation for layer in network.dense_layers), []).append(run)
    x, y = _checked_data(networks[0], n_runs, x, y)
    if seeds is not None and len(seeds) != n_runs:
        raise ValueError(f"{len(seeds)} seeds for {n_runs} networks: give one for each.")
    whole: EnsembleHistory | None = None
    for runs in groups.values():
        parameters = np.stack([networks[run].parameters for run in runs])
        own = copy(optimizer)
        if rates.ndim:
            own.learning_rate = rates[runs]  # type: ignore[assignment]
        part = train_parameters(
            networks[runs[0]],
            parameters,
            *(table[..., runs] if table.shape[2:] == (n_runs,) else table for table in (x, y)),
            loss=loss,
            optimizer=own,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            seeds=None if seeds is None else [seeds[run] for run in runs],
            penalties=penalties,
            max_norm=max_norm,
            schedule=schedule,
            measure=measure,
            threshold=threshold,
            stop=stop,
            record=record,
        )
        for run, trained in zip(runs, parameters, strict=True):
            networks[run].parameters[:] = trained
        whole = new_history(part.epochs, n_runs, epochs, part.loss.dtype) if whole is None else whole
        for name in ("loss", "last_loss", "epochs_trained", "reached", "diverged"):
            getattr(whole, name)[..., runs] = getattr(part, name)
    assert whole is not None
    return whole


def train_parameters(
    network: Network,
    parameters: Array,
    x: Array,
    y: Array,
    *,
    loss: str | Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    seeds: Sequence[Seed] | None = None,
    penalties: Sequence[Penalty] = (),
    max_norm: float | None = None,
    schedule: Schedule | None = None,
    measure: Measure | None = None,
    threshold: float | None = None,
    stop: bool = True,
    record: npt.ArrayLike | None = None,
) -> EnsembleHistory:
    """The same for networks that are given as rows of parameters, which a million seeds need no objects for.

    Parameters
    ----------
    network : Network
        The pattern: sizes, activations and precision. It stays as it is.
    parameters : array, shape (runs, n_parameters)
        One row a run, laid out as `Network.parameters`; trained in place.
    x, y, loss, optimizer, epochs, batch_size, shuffle, seeds, penalties, max_norm, schedule
        As in `train_ensemble`.
    measure, threshold, stop, record
        As in `train_ensemble`.
    """
    loss = losses.get(loss)
    n_runs = len(parameters)
    x, y = _checked_data(network, n_runs, x, y)
    dtype = parameters.dtype
    rates = np.asarray(_checked_rates(optimizer, n_runs), dtype)
    if epochs < 1 or (batch_size is not None and batch_size < 1):
        raise ValueError(f"epochs and batch_size are at least 1, not {epochs} and {batch_size}.")
    kept = np.arange(epochs) if record is None else np.asarray(record, dtype=np.intp)
    history = new_history(kept, n_runs, epochs, dtype)
    batch = len(x) if batch_size is None else min(batch_size, len(x))
    rngs = None
    if batch < len(x) and shuffle:
        rngs = [np.random.default_rng(seed) for seed in (seeds if seeds is not None else [None] * n_runs)]
    # When glibc gets a block of this size back it learns to keep freed memory instead of asking the kernel for new
    # pages in every step, which took a fifth of the time; other C libraries don't mind.
    np.empty(1 << 24, dtype=np.uint8)
    threshold = -np.inf if threshold is None else threshold
    size = runs_in_a_block(_sizes(network), batch, len(x), dtype)
    for start in range(0, n_runs, size):
        runs = list(range(start, min(start + size, n_runs)))
        x_of_runs, y_of_runs = (
            table[..., start : start + size] if table.shape[2:] == (n_runs,) else table for table in (x, y)
        )
        own = copy(optimizer)
        if rates.ndim:
            own.learning_rate = rates[runs] if len(runs) > 1 else rates[start]  # type: ignore[assignment]
        rngs_of_runs = None if rngs is None else rngs[start : start + size]
        if len(runs) == 1 and x.dtype == dtype:
            alone = deepcopy(network)
            alone.parameters[:] = parameters[start]
            options: dict[str, Any] = {
                "loss": loss,
                "optimizer": own,
                "epochs": epochs,
                "batch_size": batch,
                "shuffle": shuffle,
                "seed": None if rngs_of_runs is None else rngs_of_runs[0],
                "penalties": penalties,
                "max_norm": max_norm,
                "schedule": schedule,
            }
            train_alone(alone, x_of_runs, y_of_runs, threshold, stop, start, history, measure=measure, **options)
            parameters[start] = alone.parameters
            continue
        steps = _Steps(loss, own, batch, penalties, max_norm, schedule, measure)
        block = _Block(network, parameters[runs], x_of_runs, y_of_runs, steps, rngs_of_runs)
        with np.errstate(all="ignore"):
            block.train(epochs, threshold, stop, runs, history)
        parameters[runs] = block.results
        history.diverged[runs] |= ~np.isfinite(block.results).all(axis=1)
    return history


def new_history(epochs_kept: npt.NDArray[np.intp], n_runs: int, epochs: int, dtype: npt.DTypeLike) -> EnsembleHistory:
    """A history of runs that have not begun; the losses of `epochs_kept` will be kept."""
    return EnsembleHistory(
        epochs=epochs_kept,
        loss=np.full((len(epochs_kept), n_runs), np.nan, dtype),
        last_loss=np.full(n_runs, np.nan, dtype),
        epochs_trained=np.full(n_runs, epochs),
        reached=np.full(n_runs, -1),
        diverged=np.zeros(n_runs, dtype=bool),
    )


def forward_ensemble(network: Network, parameters: Array, x: Array) -> list[tuple[Array, Array]]:
    """What each layer of many networks of one architecture gives on the same samples.

    Parameters
    ----------
    network : Network
        The pattern, of `Dense` layers (dropout, which is not in use here, may stand between them).
    parameters : array, shape (runs, n_parameters)
        One row a run.
    x : array, shape (n, n_in)

    Returns
    -------
    list of (z, a)
        For each layer pre-activations and activations, shape (n, n_out, runs).
    """
    a, passed, start = x, [], 0
    with np.errstate(all="ignore"):
        for layer in network.dense_layers:
            end = start + layer.n_out * layer.n_in
            W = parameters[:, start:end].reshape(-1, layer.n_out, layer.n_in)
            start = end + layer.n_out
            z = a @ W.swapaxes(1, 2) + parameters[:, None, end:start]
            a = layer.activation.function(z)
            passed.append((_last(z), _last(a)))
    return passed


def loss_of_runs(loss: Loss, y_hat: Array, y: Array) -> Array:
    """The loss of each run: outputs of shape (n, n_out, runs), targets (n, n_out) or with an axis for the runs."""
    y = y if y.ndim == 3 else y[:, :, None]
    total = np.add.reduce(loss.terms(y_hat, y), axis=(0, 1))
    return total if loss.reduction == "sum" else total / len(y)


def runs_in_a_block(sizes: Sequence[int], batch: int, n: int, dtype: npt.DTypeLike = np.float64) -> int:
    """How many networks of these sizes go through the computation together, with `batch` of n samples at a time."""
    parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    numbers = max(batch * max(sizes[1:]), parameters)
    return max(1, min(_BLOCK // (numbers * np.dtype(dtype).itemsize), _ORDERS // n))


def chunks(shape: Sequence[int], most: int = 1 << 22) -> Iterator[slice]:
    """Slices over the first axis of an array of this shape, each of at most so many numbers if a row is not more."""
    rows = max(1, most // max(1, math.prod(shape[1:])))
    for start in range(0, shape[0], rows):
        yield slice(start, start + rows)


def _sizes(network: Network) -> list[int]:
    return [network.dense_layers[0].n_in, *(layer.n_out for layer in network.dense_layers)]


def train_alone(
    network: Network,
    x: Array,
    y: Array,
    threshold: float,
    stop: bool,
    run: int,
    history: EnsembleHistory,
    *,
    epochs: int,
    loss: Loss,
    measure: Measure | None = None,
    **options: Any,
) -> None:
    """Train one network by `training.train`, whose further options these are; write down what happened.

    It is quicker than a block of one run, and knows what blocks don't: dropout, early stopping, and schedules that
    follow the loss.
    """
    seen: list[Array] = []  # the measure of each sample in this epoch's passes
    measured: list[float] = []  # and its mean in each epoch

    def and_measured(y_hat: Array, y: Array) -> Array:
        assert measure is not None
        seen.append(measure(y_hat[..., None], y[..., None])[:, 0])
        return loss.terms_gradient(y_hat, y)

    watched = loss if measure is None else replace(loss, terms_gradient=and_measured)
    seen.clear()  # a loss tries its gradient when it is put together

    def has_converged(epoch: int, network: Network, so_far: History) -> bool:
        measured.append(so_far.loss[-1] if measure is None else float(np.concatenate(seen).mean()))
        seen.clear()
        return stop and measured[-1] <= threshold

    x, y = (table[..., 0] if table.ndim == 3 else table for table in (x, y))
    ended_by_loss = False
    try:
        losses_seen = train(network, x, y, loss=watched, epochs=epochs, callbacks=[has_converged], **options).loss
    except Diverged as error:
        losses_seen = error.history.loss
        history.diverged[run] = True
        ended_by_loss = len(losses_seen) < epochs
    below = np.flatnonzero(np.array(measured) <= threshold)
    at_threshold = stop and len(below) > 0
    lost = ended_by_loss and not at_threshold
    kept = history.epochs[history.epochs < len(losses_seen)]
    history.loss[: len(kept), run] = np.array(losses_seen)[kept]
    if not lost and not at_threshold:  # stopped early, if at all: from there on it stays as it is
        history.loss[len(kept) :, run] = losses_seen[-1]
    history.last_loss[run] = np.nan if lost else losses_seen[-1]
    history.epochs_trained[run] = len(losses_seen) + lost
    history.reached[run] = below[0] if len(below) else -1


class _Layer:
    """The same layer of many networks: z[s, o, r] = Σᵢ x[s, i, r] W[i, o, r] + b[o, r], and a = f(z).

    W and b lie one above the other in an array of shape (n_in + 1, n_out, runs), whose memory has the runs last:
    each sum over i is then a pass over long rows.
    """

    def __init__(self, n_in: int, n_out: int, activation: Activation) -> None:
        self.n_in, self.n_out, self.activation = n_in, n_out, activation
        self.n_parameters = (n_in + 1) * n_out

    def use_memory(self, parameters: Array, gradients: Array, batch: int) -> None:
        """Keep the parameters and the gradients in these rows, both of shape (n_parameters, runs).

        And have memory for the largest arrays of a batch of so many samples.
        """
        self.Wb, self.grad_Wb = (rows.reshape(self.n_in + 1, self.n_out, -1) for rows in (parameters, gradients))
        self.W, self.b, self.grad_W, self.grad_b = self.Wb[:-1], self.Wb[-1], self.grad_Wb[:-1], self.grad_Wb[-1]
        runs, dtype = parameters.shape[1], parameters.dtype
        self.room_z, self.room_x = (_empty((batch, n, runs), dtype) for n in (self.n_out, self.n_in))

    def forward(self, x: Array) -> Array:
        self.x = x
        self.z = self.affine(x)
        self.a = self.activation.function(self.z)
        return self.a

    def backward_parameters(self, grad_a: Array) -> None:
        self.grad_z = grad_a  # and its memory, which nothing else needs any more
        self.grad_z *= self.activation.derivative(self.z, self.a)
        self.collect_gradients()

    def backward(self, grad_a: Array) -> Array:
        self.backward_parameters(grad_a)
        return self.grad_x()

    def affine(self, x: Array) -> Array:
        z = self.room_z[: len(x)]
        if x.ndim == 2:  # shared by all runs, a column of ones beside it: one matrix product for all
            np.matmul(x, self.Wb.reshape(self.n_in + 1, -1), out=z.reshape(len(x), -1))
            return z
        np.einsum("sir,ior->sor", x, self.W, out=z)
        z += self.b
        return z

    def collect_gradients(self) -> None:
        if self.x.ndim == 2:
            flat = self.grad_Wb.reshape(self.n_in + 1, -1)
            np.matmul(self.x.T, self.grad_z.reshape(len(self.x), -1), out=flat)
        else:
            np.einsum("sir,sor->ior", self.x, self.grad_z, out=self.grad_W)
            np.add.reduce(self.grad_z, axis=0, out=self.grad_b)

    def grad_x(self) -> Array:
        grad_x = self.room_x[: len(self.x)]
        if self.n_out == 1:
            return np.multiply(self.grad_z, self.W[:, 0], out=grad_x)
        return np.einsum("sor,ior->sir", self.grad_z, self.W, out=grad_x)


class _MatrixLayer(_Layer):
    """The same with the runs first in memory (and last in every shape): a matrix product for each run."""

    def affine(self, x: Array) -> Array:
        z = _last(np.matmul(_first(x) if x.ndim == 3 else x, _first(self.W)))
        z += self.b
        return z

    def collect_gradients(self) -> None:
        x = _first(self.x).swapaxes(1, 2) if self.x.ndim == 3 else self.x.T
        np.matmul(x, _first(self.grad_z), out=_first(self.grad_W))
        np.add.reduce(self.grad_z, axis=0, out=self.grad_b)

    def grad_x(self) -> Array:
        return _last(np.matmul(_first(self.grad_z), _first(self.W).swapaxes(1, 2)))


def _empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """New memory that begins where a line of the cache does, which NumPy's own does not.

    A product or sum of 30,000 numbers that NumPy writes there takes half the time, one of 80,000 three quarters; the
    other functions take up to a tenth less.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + _LINE, dtype=np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def _first(array: Array) -> Array:
    """The last axis first."""
    return array.transpose(_LAST_FIRST[array.ndim])


def _last(array: Array) -> Array:
    """The first axis last."""
    return array.transpose(_FIRST_LAST[array.ndim])


_LAST_FIRST = {1: (0,), 2: (1, 0), 3: (2, 0, 1)}
_FIRST_LAST = {1: (0,), 2: (1, 0), 3: (1, 2, 0)}


@dataclass
class _Steps:
    """How each step is taken; see `train_ensemble`."""

    loss: Loss
    optimizer: Optimizer
    batch: int
    penalties: Sequence[Penalty]
    max_norm: float | None
    schedule: Schedule | None
    measure: Measure | None


class _Block:
    """Runs that go through the computation together."""

    def __init__(
        self,
        network: Network,
        parameters: Array,
        x: Array,
        y: Array,
        steps: _Steps,
        rngs: list[np.random.Generator] | None,
    ) -> None:
        sizes = _sizes(network)
        self.matrices = steps.batch * max(n_in * n_out for n_in, n_out in pairwise(sizes)) > _MATRIX_WORTH
        kind = _MatrixLayer if self.matrices else _Layer
        self.layers = [kind(layer.n_in, layer.n_out, layer.activation) for layer in network.dense_layers]
        self.steps, self.rngs = steps, rngs
        self.loss, self.optimizer, self.batch = steps.loss, steps.optimizer, steps.batch
        self.rates: Any = self.optimizer.learning_rate  # without the schedule
        self.x = np.column_stack([x, np.ones(len(x))]).astype(parameters.dtype) if self._shares_x(x) else x
        self.y = y
        self.orders = np.tile(np.arange(len(x), dtype=np.int32), (len(parameters), 1))  # of the samples, for each run
        self.results = parameters
        self._use_memory(self._runs_placed(self._transposed_weights(self.results).T))

    def _shares_x(self, x: Array) -> bool:
        return x.ndim == 2 and not self.matrices and self.rngs is None

    def _runs_placed(self, array: Array) -> Array:
        """A copy of an array whose last axis is the runs, with the runs at its place in memory."""
        if self.matrices:
            return _last(np.array(_first(array), order="C"))
        copied = _empty(array.shape, array.dtype)
        copied[...] = array
        return copied

    def _use_memory(self, parameters: Array) -> None:
        self.parameters, self.gradients = parameters, self._runs_placed(np.zeros_like(parameters))
        ends = np.cumsum([layer.n_parameters for layer in self.layers])
        for layer, end in zip(self.layers, ends, strict=True):
            rows = slice(end - layer.n_parameters, end)
            layer.use_memory(parameters[rows], self.gradients[rows], self.batch)

    def _transposed_weights(self, vectors: Array, *, back: bool = False) -> Array:
        """From rows of networks' parameters, each W of shape (n_out, n_in), to W of (n_in, n_out); or back."""
        result, start = vectors.copy(), 0
        for layer in self.layers:
            W = slice(start, start + layer.n_in * layer.n_out)
            shape = (layer.n_in, layer.n_out) if back else (layer.n_out, layer.n_in)
            result[:, W] = vectors[:, W].reshape(-1, *shape).swapaxes(1, 2).reshape(len(vectors), -1)
            start += layer.n_parameters
        return result

    def train(self, epochs: int, threshold: float, stop: bool, runs: Sequence[int], history: EnsembleHistory) -> None:
        """Train; write what happened into the columns `runs` of the history, and the parameters to `results`."""
        live = np.arange(len(runs))  # which of the block's runs stand in the arrays, in order
        todo = np.ones(len(runs), dtype=bool)  # and which of those still train
        rows = {epoch: row for row, epoch in enumerate(history.epochs.tolist())}
        at = np.asarray(runs)
        for epoch in range(epochs):
            value, measured = self._epoch(epoch)
            nothing_new = epoch not in rows and epoch < epochs - 1 and epoch % _LOOK_EVERY < _LOOK_EVERY - 1
            if nothing_new and ((measured > threshold) & (value < np.inf)).all():
                continue
            lost = todo & ~np.isfinite(value)
            below = todo & (measured <= threshold) & ~lost
            if below.any():
                first = at[live[below]]
                history.reached[first] = np.where(history.reached[first] < 0, epoch, history.reached[first])
            if epoch in rows:
                shown = todo & ~lost
                history.loss[rows[epoch], at[live[shown]]] = value[shown]
            done = lost | below if stop else lost
            if epoch == epochs - 1:
                done = todo
            elif epoch % _LOOK_EVERY == _LOOK_EVERY - 1:
                still = todo & ~done & self._cannot_change()
                history.loss[np.searchsorted(history.epochs, epoch + 1) :, at[live[still]]] = value[still]
                history.last_loss[at[live[still]]] = value[still]
                self._keep(still, live)
                todo &= ~still
            if done.any():
                here = at[live[done]]
                history.last_loss[here] = np.where(lost, np.nan, value)[done]
                history.epochs_trained[here] = epoch + 1
                history.diverged[here] = lost[done]
                self._keep(done, live)
                todo &= ~done
            if not todo.any():
                return
            if todo.sum() <= 0.8 * len(todo):
                chosen = todo.copy()
                if todo.sum() == 1:  # keeps one for company: along a single run, einsum would take its sums otherwise
                    chosen[np.argmin(todo)] = True
                if not chosen.all():
                    self._select(chosen)
                    live, todo = live[chosen], todo[chosen]

    def _epoch(self, epoch: int) -> tuple[Array, Array]:
        """One pass over the data; the loss of each run, as `training.train` adds it up, and its measure."""
        n, measure = len(self.x), self.steps.measure
        epoch_loss: Array = np.zeros(self.parameters.shape[1], self.parameters.dtype)
        measured = epoch_loss if measure is None else np.zeros(len(epoch_loss))
        if self.steps.schedule is not None:
            self.optimizer.learning_rate = self.rates * self.steps.schedule(epoch)
        for x, y in self._batches():
            y_hat, value = self._loss_and_gradients(x, y)
            if self.steps.max_norm is not None:
                self._clip(self.steps.max_norm)
            self.optimizer.step(self.parameters, self.gradients)
            epoch_loss += value if self.loss.reduction == "sum" else value * len(x) / n
            if measure is not None:
                measured += np.add.reduce(measure(y_hat, y), axis=0) / n
        return epoch_loss, measured

    def _clip(self, max_norm: float) -> None:
        norm = np.sqrt(np.add.reduce(self.gradients * self.gradients, axis=0))
        self.gradients *= np.where(norm > max_norm, max_norm / norm, 1.0).astype(norm.dtype)

    def _loss_and_gradients(self, x: Array, y: Array) -> tuple[Array, Array]:
        y_hat = x
        for layer in self.layers:
            y_hat = layer.forward(y_hat)
        value = loss_of_runs(self.loss, y_hat, y)
        gradient = self.loss.terms_gradient(y_hat, y)
        if self.loss.reduction == "mean":
            gradient = gradient / len(x)
        for layer in reversed(self.layers[1:]):
            gradient = layer.backward(gradient)
        self.layers[0].backward_parameters(gradient)
        for penalty in self.steps.penalties:
            for layer in self.layers:
                value = value + np.add.reduce(penalty.terms(layer.W), axis=(0, 1))
                layer.grad_W += penalty.gradient(layer.W)
        return y_hat, value

    def _batches(self) -> Iterator[tuple[Array, Array]]:
        n = len(self.x)
        if self.rngs is None:
            for start in range(0, n, self.batch):
                rows = slice(start, start + self.batch)
                yield self.x[rows].astype(self.parameters.dtype, copy=False), self.y[rows]
            return
        for rng, order in zip(self.rngs, self.orders, strict=True):
            rng.shuffle(order)  # each from its last order on, as `training.train` does
        for start in range(0, n, self.batch):
            chosen = self.orders[:, start : start + self.batch]
            yield self._rows(self.x, chosen).astype(self.parameters.dtype, copy=False), self._rows(self.y, chosen)

    def _rows(self, table: Array, chosen: npt.NDArray[np.int32]) -> Array:
        """For each run its chosen samples, shape (batch, columns, runs), with the runs at their place in memory."""
        if table.ndim == 3 and table.shape[2] > 1:
            rows = _last(np.take_along_axis(_first(table), chosen[:, :, None], axis=1))
        else:
            rows = _last(table.reshape(len(table), -1)[chosen])
        return rows if self.matrices else np.ascontiguousarray(rows)

    def _cannot_change(self) -> npt.NDArray[np.bool_]:
        """Runs that stand still for ever: gradient descent on all the data with a gradient of exactly 0."""
        if type(self.optimizer) is GradientDescent and self.batch == len(self.x):
            return np.logical_not(self.gradients.any(axis=0))
        return np.zeros(self.parameters.shape[1], dtype=bool)

    def _keep(self, chosen: npt.NDArray[np.bool_], live: npt.NDArray[np.intp]) -> None:
        if chosen.any():
            self.results[live[chosen]] = self._transposed_weights(self.parameters.T[chosen], back=True)

    def _select(self, chosen: npt.NDArray[np.bool_]) -> None:
        """Go on with the chosen runs alone."""
        n_runs = len(chosen)
        for name, value in vars(self.optimizer).items():
            if isinstance(value, np.ndarray) and value.shape[-1:] == (n_runs,):
                setattr(self.optimizer, name, self._runs_placed(value[..., chosen]))
        if np.ndim(self.rates):
            self.rates = self.rates[chosen]
        self._use_memory(self._runs_placed(self.parameters[:, chosen]))
        self.x, self.y = (
            table[..., chosen] if table.ndim == 3 and table.shape[2] > 1 else table for table in (self.x, self.y)
        )
        if self.rngs is not None:
            self.rngs = [rng for rng, kept in zip(self.rngs, chosen, strict=True) if kept]
            self.orders = self.orders[chosen]


def _check_alike(networks: Sequence[Network]) -> None:
    if not networks:
        raise ValueError("there are no networks.")
    sizes, dtype = _sizes(networks[0]), networks[0].parameters.dtype
    for network in networks:
        if len(network.dense_layers) < len(network.layers):
            raise ValueError(f"{network}: only networks of Dense layers can be trained together.")
        if _sizes(network) != sizes or network.parameters.dtype != dtype:
            raise ValueError(f"networks of one size and precision are needed, not both {networks[0]} and {network}.")


def _checked_rates(optimizer: Optimizer, n_runs: int) -> Array:
    rates = np.asarray(optimizer.learning_rate)
    if rates.shape not in ((), (n_runs,)):
        raise ValueError(f"{rates.size} learning rates for {n_runs} networks: give one number, or one for each.")
    return rates


def _checked_data(network: Network, n_runs: int, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array]:
    """x and y, y with an axis for the runs; x of single precision stays so (it may be large), batch by batch cast."""
    sizes, dtype = _sizes(network), network.parameters.dtype
    x, y = np.asarray(x), np.asarray(y, dtype=dtype)
    x = x if x.dtype == np.float32 else np.asarray(x, dtype=dtype)
    for name, table, columns in (("x", x, sizes[0]), ("y", y, sizes[-1])):
        fits = table.ndim in (2, 3) and table.shape[1] == columns and table.shape[2:] in ((), (1,), (n_runs,))
        if not fits or len(x) == 0 or len(x) != len(y):
            raise ValueError(
                f"{name} of shape {table.shape}: these {n_runs} networks take (n, {columns}), or "
                f"(n, {columns}, {n_runs}) with a set for each, and as many rows in x as in y."
            )
        if not all(np.isfinite(table[rows]).all() for rows in chunks(table.shape)):
            raise ValueError(f"{name} holds NaN or infinity: drop these samples or fill them in.")
    return x, y if y.ndim == 3 else y[:, :, None]
