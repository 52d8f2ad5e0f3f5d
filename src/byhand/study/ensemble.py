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
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from byhand import losses
from byhand._types import Array, Seed
from byhand.activations import Activation
from byhand.losses import Loss
from byhand.network import Network
from byhand.optimizers import GradientDescent, Optimizer
from byhand.training import Diverged, History, train

# The largest array of a block, in bytes. Measured: with much smaller ones the calls cost more than the numbers, and
# larger ones gain little and leave the cache. Part of the definition of a study: with other blocks, results may differ
# in the last bit.
_BLOCK = 672_000
# The samples' orders, one for each run of a block, hold no more than so many numbers.
_ORDERS = 50_000_000
# Above so many products in one layer of one run, a matrix product a run is quicker than one pass over all runs.
_MATRIX_WORTH = 3000
# Every so many epochs, runs that cannot change any more are looked for.
_LOOK_EVERY = 50


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
        The first epoch (counted from 0, so the number of epochs trained before it) whose loss is `threshold` or
        less; −1 where there is none.
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
    threshold : float, optional
        The loss at which a run has converged: `EnsembleHistory.reached` says when.
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
    loss = losses.get(loss)
    x, y = _checked_data(networks, x, y)
    n_runs = len(networks)
    dtype = networks[0].parameters.dtype
    rates = np.asarray(optimizer.learning_rate, dtype)
    if rates.shape not in ((), (n_runs,)):
        raise ValueError(f"{rates.size} learning rates for {n_runs} networks: give one number, or one for each.")
    if seeds is not None and len(seeds) != n_runs:
        raise ValueError(f"{len(seeds)} seeds for {n_runs} networks: give one for each.")
    if epochs < 1 or (batch_size is not None and batch_size < 1):
        raise ValueError(f"epochs and batch_size are at least 1, not {epochs} and {batch_size}.")
    kept = np.arange(epochs) if record is None else np.asarray(record, dtype=np.intp)
    history = EnsembleHistory(
        epochs=kept,
        loss=np.full((len(kept), n_runs), np.nan, dtype),
        last_loss=np.full(n_runs, np.nan, dtype),
        epochs_trained=np.full(n_runs, epochs),
        reached=np.full(n_runs, -1),
        diverged=np.zeros(n_runs, dtype=bool),
    )
    batch = len(x) if batch_size is None else min(batch_size, len(x))
    rngs = None
    if batch < len(x) and shuffle:
        rngs = [np.random.default_rng(seed) for seed in (seeds if seeds is not None else [None] * n_runs)]
    # When glibc gets a block of this size back it learns to keep freed memory instead of asking the kernel for new
    # pages in every step, which took a fifth of the time; other C libraries don't mind.
    np.empty(1 << 24, dtype=np.uint8)
    threshold = -np.inf if threshold is None else threshold
    for runs in _blocks(networks, batch, len(x)):
        x_of_runs, y_of_runs = (table[..., runs] if table.shape[2:] == (n_runs,) else table for table in (x, y))
        own = copy(optimizer)
        if rates.ndim:
            own.learning_rate = rates[runs] if len(runs) > 1 else rates[runs[0]]  # type: ignore[assignment]
        if len(runs) == 1 and x.dtype == dtype:
            options: dict[str, Any] = {
                "loss": loss,
                "optimizer": own,
                "epochs": epochs,
                "batch_size": batch,
                "shuffle": shuffle,
            }
            rng = None if rngs is None else rngs[runs[0]]
            _train_alone(
                networks[runs[0]], x_of_runs, y_of_runs, threshold, stop, runs[0], history, seed=rng, **options
            )
            continue
        rngs_of_runs = None if rngs is None else [rngs[run] for run in runs]
        block = _Block([networks[run] for run in runs], x_of_runs, y_of_runs, loss, own, batch, rngs_of_runs)
        with np.errstate(all="ignore"):
            block.train(epochs, threshold, stop, runs, history)
        for run, parameters in zip(runs, block.results, strict=True):
            networks[run].parameters[:] = parameters
        history.diverged[runs] |= ~np.isfinite(block.results).all(axis=1)
    return history


def forward_ensemble(networks: Sequence[Network], x: Array) -> list[tuple[Array, Array]]:
    """What each layer of many networks of one architecture gives on the same samples.

    Parameters
    ----------
    networks : sequence of Network
        Of `Dense` layers, all of the same sizes and activations.
    x : array, shape (n, n_in)

    Returns
    -------
    list of (z, a)
        For each layer pre-activations and activations, shape (n, n_out, runs).
    """
    a, passed = x, []
    with np.errstate(all="ignore"):
        for layers in zip(*(network.dense_layers for network in networks), strict=True):
            W, b = (np.stack([getattr(layer, name) for layer in layers]) for name in ("W", "b"))
            z = a @ W.swapaxes(1, 2) + b[:, None, :]
            a = layers[0].activation.function(z)
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


def _blocks(networks: Sequence[Network], batch: int, n: int) -> Iterator[list[int]]:
    """The numbers of the runs of each block: same activations, and no more than fit into the cache."""
    size = runs_in_a_block(_sizes(networks[0]), batch, n, networks[0].parameters.dtype)
    groups: dict[tuple[Activation, ...], list[int]] = {}
    for run, network in enumerate(networks):
        groups.setdefault(tuple(layer.activation for layer in network.dense_layers), []).append(run)
    for runs in groups.values():
        for start in range(0, len(runs), size):
            yield runs[start : start + size]


def _sizes(network: Network) -> list[int]:
    return [network.dense_layers[0].n_in, *(layer.n_out for layer in network.dense_layers)]


def _train_alone(
    network: Network,
    x: Array,
    y: Array,
    threshold: float,
    stop: bool,
    run: int,
    history: EnsembleHistory,
    *,
    epochs: int,
    **options: Any,
) -> None:
    """A block of one run is a matter for `training.train`, which is quicker there; write down what happened."""

    def has_converged(epoch: int, network: Network, so_far: History) -> bool:
        return stop and so_far.loss[-1] <= threshold

    x, y = (table[..., 0] if table.ndim == 3 else table for table in (x, y))
    try:
        loss = train(network, x, y, epochs=epochs, callbacks=[has_converged], **options).loss
    except Diverged as error:
        loss = error.history.loss
        history.diverged[run] = True
    below = np.flatnonzero(np.array(loss) <= threshold)
    lost = len(loss) < epochs and not (stop and len(below))
    kept = history.epochs[history.epochs < len(loss)]
    history.loss[: len(kept), run] = np.array(loss)[kept]
    history.last_loss[run] = np.nan if lost else loss[-1]
    history.epochs_trained[run] = len(loss) + lost
    history.reached[run] = below[0] if len(below) else -1


class _Layer:
    """The same layer of many networks: z[s, o, r] = Σᵢ x[s, i, r] W[i, o, r] + b[o, r], and a = f(z).

    W and b lie one above the other in an array of shape (n_in + 1, n_out, runs), whose memory has the runs last:
    each sum over i is then a pass over long rows.
    """

    def __init__(self, n_in: int, n_out: int, activation: Activation) -> None:
        self.n_in, self.n_out, self.activation = n_in, n_out, activation
        self.n_parameters = (n_in + 1) * n_out

    def use_memory(self, parameters: Array, gradients: Array) -> None:
        """Keep the parameters and the gradients in these rows, both of shape (n_parameters, runs)."""
        self.Wb, self.grad_Wb = (rows.reshape(self.n_in + 1, self.n_out, -1) for rows in (parameters, gradients))
        self.W, self.b, self.grad_W, self.grad_b = self.Wb[:-1], self.Wb[-1], self.grad_Wb[:-1], self.grad_Wb[-1]

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
        if x.ndim == 2:  # shared by all runs, a column of ones beside it: one matrix product for all
            return (x @ self.Wb.reshape(self.n_in + 1, -1)).reshape(len(x), self.n_out, -1)
        z = np.empty((len(x), *self.b.shape), x.dtype)
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
        if self.n_out == 1:
            return self.grad_z * self.W[:, 0]
        return np.einsum("sor,ior->sir", self.grad_z, self.W, out=np.empty_like(self.x))


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


def _first(array: Array) -> Array:
    """The last axis first."""
    return array.transpose(_LAST_FIRST[array.ndim])


def _last(array: Array) -> Array:
    """The first axis last."""
    return array.transpose(_FIRST_LAST[array.ndim])


_LAST_FIRST = {1: (0,), 2: (1, 0), 3: (2, 0, 1)}
_FIRST_LAST = {1: (0,), 2: (1, 0), 3: (1, 2, 0)}


class _Block:
    """Runs that go through the computation together."""

    def __init__(
        self,
        networks: Sequence[Network],
        x: Array,
        y: Array,
        loss: Loss,
        optimizer: Optimizer,
        batch: int,
        rngs: list[np.random.Generator] | None,
    ) -> None:
        sizes = _sizes(networks[0])
        self.matrices = batch * max(n_in * n_out for n_in, n_out in pairwise(sizes)) > _MATRIX_WORTH
        kind = _MatrixLayer if self.matrices else _Layer
        self.layers = [kind(layer.n_in, layer.n_out, layer.activation) for layer in networks[0].dense_layers]
        self.loss, self.optimizer, self.batch, self.rngs = loss, optimizer, batch, rngs
        self.x = np.column_stack([x, np.ones(len(x))]).astype(networks[0].parameters.dtype) if self._shares_x(x) else x
        self.y = y
        self.orders = np.tile(np.arange(len(x), dtype=np.int32), (len(networks), 1))  # of the samples, for each run
        self.results = np.stack([network.parameters for network in networks])
        self._use_memory(self._runs_placed(self._transposed_weights(self.results).T))

    def _shares_x(self, x: Array) -> bool:
        return x.ndim == 2 and not self.matrices and self.rngs is None

    def _runs_placed(self, array: Array) -> Array:
        """A copy of an array whose last axis is the runs, with the runs at its place in memory."""
        return _last(np.array(_first(array), order="C")) if self.matrices else np.array(array, order="C")

    def _use_memory(self, parameters: Array) -> None:
        self.parameters = parameters
        self.gradients = np.zeros_like(parameters)
        ends = np.cumsum([layer.n_parameters for layer in self.layers])
        for layer, end in zip(self.layers, ends, strict=True):
            rows = slice(end - layer.n_parameters, end)
            layer.use_memory(parameters[rows], self.gradients[rows])

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
            value = self._epoch()
            nothing_new = epoch not in rows and epoch < epochs - 1 and epoch % _LOOK_EVERY < _LOOK_EVERY - 1
            if nothing_new and ((value > threshold) & (value < np.inf)).all():
                continue
            lost = todo & ~np.isfinite(value)
            below = todo & (value <= threshold)
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

    def _epoch(self) -> Array:
        """One pass over the data; the loss of each run, as `training.train` adds it up."""
        n = len(self.x)
        epoch_loss: Array = np.zeros(self.parameters.shape[1], self.parameters.dtype)
        for x, y in self._batches():
            value = self._loss_and_gradients(x, y)
            self.optimizer.step(self.parameters, self.gradients)
            epoch_loss += value if self.loss.reduction == "sum" else value * len(x) / n
        return epoch_loss

    def _loss_and_gradients(self, x: Array, y: Array) -> Array:
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
        return value

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
        self._use_memory(self._runs_placed(self.parameters[:, chosen]))
        self.x, self.y = (
            table[..., chosen] if table.ndim == 3 and table.shape[2] > 1 else table for table in (self.x, self.y)
        )
        if self.rngs is not None:
            self.rngs = [rng for rng, kept in zip(self.rngs, chosen, strict=True) if kept]
            self.orders = self.orders[chosen]


def _checked_data(networks: Sequence[Network], x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array]:
    """x and y, y with an axis for the runs; x of single precision stays so (it may be large), batch by batch cast."""
    if not networks:
        raise ValueError("there are no networks.")
    sizes, dtype = _sizes(networks[0]), networks[0].parameters.dtype
    for network in networks:
        if len(network.dense_layers) < len(network.layers):
            raise ValueError(f"{network}: only networks of Dense layers can be trained together.")
        if _sizes(network) != sizes or network.parameters.dtype != dtype:
            raise ValueError(f"networks of one size and precision are needed, not both {networks[0]} and {network}.")
    x, y = np.asarray(x), np.asarray(y, dtype=dtype)
    x = x if x.dtype == np.float32 else np.asarray(x, dtype=dtype)
    for name, table, columns in (("x", x, sizes[0]), ("y", y, sizes[-1])):
        fits = table.ndim in (2, 3) and table.shape[1] == columns and table.shape[2:] in ((), (len(networks),))
        if not fits or len(x) == 0 or len(x) != len(y):
            raise ValueError(
                f"{name} of shape {table.shape}: these {len(networks)} networks take (n, {columns}), or "
                f"(n, {columns}, {len(networks)}) with a set for each, and as many rows in x as in y."
            )
        if not all(np.isfinite(table[rows]).all() for rows in chunks(table.shape)):
            raise ValueError(f"{name} holds NaN or infinity: drop these samples or fill them in.")
    return x, y if y.ndim == 3 else y[:, :, None]
