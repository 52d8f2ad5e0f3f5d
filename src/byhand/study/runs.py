"""A block of runs: trained together, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import losses, symptoms
from byhand._types import Array
from byhand.errors import needs_extra
from byhand.losses import Loss
from byhand.network import Network
from byhand.study.ensemble import EnsembleHistory, chunks, forward_ensemble, train_ensemble
from byhand.study.plan import Block, Cell, Plan

Columns: TypeAlias = dict[str, npt.NDArray[Any]]

# Training samples by which units are judged, at most.
_JUDGED = 10_000

FATES = ("converged", "diverged", "dead", "saturated", "stuck", "unfinished")
"""What can become of a run; `fates` says what each means."""


def run_block(plan: Plan, block: Block) -> Columns:
    """Train the runs of a block; the columns of the table of runs, one number each a run."""
    networks, history = train_runs(plan, block)
    index = np.arange(block.start, block.stop)
    columns: Columns = {
        "run": plan.run_number(block) + index - block.start,
        "activation": np.full(len(index), block.activation),
        "initializer": np.full(len(index), block.initializer),
        "learning_rate": np.array(plan.learning_rates)[index // plan.seeds],
        "seed": index % plan.seeds,
        "epochs_to_threshold": history.reached,
        "epochs_trained": history.epochs_trained,
        "training_loss": history.last_loss,
        "fate": fates(plan, networks, history),
    }
    with np.errstate(over="ignore"):  # a run on its way to divergence may exceed float32: infinity there
        columns["losses"] = history.loss.T.astype(np.float32)
    if plan.data.validation is not None:
        x, y = plan.data.validation
        loss = losses.get(plan.loss)
        terms = sum(_terms(loss, networks, x[rows], y[rows]).sum(axis=(0, 1)) for rows in _at_a_time(networks, x))
        value = terms if loss.reduction == "sum" else terms / len(x)
        columns["validation_loss"] = np.where(history.diverged, np.nan, value)
    return columns


def train_runs(plan: Plan, block: Block, epochs: int | None = None) -> tuple[list[Network], EnsembleHistory]:
    """The trained networks of a block's runs, and what happened; with fewer `epochs`, to see how long it takes."""
    index = np.arange(block.start, block.stop)
    seeds = (index % plan.seeds).tolist()
    networks = [plan.network(block.activation, block.initializer, seed) for seed in seeds]
    return networks, _train(plan, networks, np.array(plan.learning_rates)[index // plan.seeds], seeds, epochs)


def losses_on_test(plan: Plan, cell: Cell) -> tuple[Array, int]:
    """The loss on each test sample, averaged over the cell's runs, which are trained once more for it.

    Returns
    -------
    array, shape (n_test,)
        Over the runs that did not diverge.
    int
        How many those are.
    """
    seeds = list(range(plan.seeds))
    networks = [plan.network(cell.activation, cell.initializer, seed) for seed in seeds]
    history = _train(plan, networks, np.full(plan.seeds, cell.learning_rate), seeds)
    assert plan.data.test is not None
    x, y = plan.data.test
    sound = [network for network, lost in zip(networks, history.diverged, strict=True) if not lost]
    loss = losses.get(plan.loss)
    means = [_terms(loss, sound, x[rows], y[rows]).sum(axis=1).mean(axis=-1) for rows in _at_a_time(networks, x)]
    return np.concatenate(means), len(sound)


def _terms(loss: Loss, networks: list[Network], x: Array, y: Array) -> Array:
    with np.errstate(all="ignore"):  # a run on its way to divergence
        return loss.terms(forward_ensemble(networks, x)[-1][1], y[:, :, None])


def _at_a_time(networks: list[Network], x: Array) -> Iterator[slice]:
    """The samples in parts, so that what a layer gives for all networks is never large."""
    widest = max(layer.n_out for layer in networks[0].dense_layers)
    return chunks((len(x), widest, len(networks)))


def _train(
    plan: Plan, networks: list[Network], rates: Array, seeds: list[int], epochs: int | None = None
) -> EnsembleHistory:
    with needs_extra("study"):
        from threadpoolctl import threadpool_limits
    # The cores are busy with other blocks; and sums must not depend on how many cores there are.
    with threadpool_limits(1):
        return train_ensemble(
            networks,
            plan.data.x,
            plan.data.y,
            loss=plan.loss,
            optimizer=plan.new_optimizer(rates),
            epochs=epochs or plan.epochs,
            batch_size=plan.batch_size,
            seeds=seeds,
            threshold=plan.threshold,
            stop=plan.stops_at_threshold,
            record=plan.recorded if epochs is None else [],
        )


def fates(plan: Plan, networks: list[Network], history: EnsembleHistory) -> npt.NDArray[np.str_]:
    """What became of each run, by the library's rules on its last state (`symptoms`); the first that fits.

    converged: the training loss came to the threshold.
    diverged: a loss or a parameter was no longer a finite number.
    dead: a ReLU layer of which no unit gives anything on any training sample.
    saturated: |z| ≥ 5 on more than half of the samples in at least half of the units of a sigmoid or tanh layer,
    while the loss is high, that is more than a tenth of what the best constant prediction costs.
    stuck: a loss within 1 % of that of the best constant prediction, or one that fell by less than 1 % during the
    second half of the epochs.
    unfinished: none of these; with more epochs it might converge.
    Of more than 10,000 training samples, units are judged by an evenly spread 10,000.
    """
    best_constant = symptoms.best_constant_loss(plan.data.y, plan.loss)
    value = history.last_loss
    high = symptoms.is_high(value, best_constant)
    dead, saturated = np.zeros(len(networks), dtype=bool), np.zeros(len(networks), dtype=bool)
    x = plan.data.x[:: math.ceil(len(plan.data.x) / _JUDGED)]
    for (z, _), layer in zip(forward_ensemble(networks, x), networks[0].dense_layers, strict=True):
        if layer.activation.name == "relu":
            dead |= symptoms.dead_units(z).all(axis=0)
        if layer.activation.name in ("sigmoid", "tanh"):
            saturated |= high & (symptoms.saturated_units(z).mean(axis=0) >= 0.5)
    halfway = history.loss[np.searchsorted(history.epochs, (plan.epochs - 1) // 2)]
    stuck = symptoms.is_at_constant(value, best_constant) | ((plan.epochs > 1) & (value > 0.99 * halfway))
    return np.select([history.reached >= 0, history.diverged, dead, saturated, stuck], FATES[:-1], default=FATES[-1])
