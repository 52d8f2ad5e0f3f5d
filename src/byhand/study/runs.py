"""A block of runs: trained together, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import losses, symptoms
from byhand._types import Array
from byhand.errors import needs_extra
from byhand.losses import Loss
from byhand.network import Network
from byhand.study.ensemble import (
    EnsembleHistory,
    chunks,
    forward_ensemble,
    new_history,
    train_alone,
    train_parameters,
)
from byhand.study.plan import Block, Cell, Plan, Way

Columns: TypeAlias = dict[str, npt.NDArray[Any]]

# Training samples by which units are judged, at most.
_JUDGED = 10_000
# First weights that a process keeps, in bytes: a seed's are drawn once, not once a learning rate and activation.
_KEPT = 64_000_000

FATES = ("converged", "diverged", "dead", "saturated", "stuck", "unfinished")
"""What can become of a run; `fates` says what each means."""


@dataclass
class Trained:
    """Runs of one way after their training.

    Attributes
    ----------
    network : Network
        The pattern.
    parameters : array, shape (runs, n_parameters)
    history : EnsembleHistory
    """

    network: Network
    parameters: Array
    history: EnsembleHistory


def run_block(plan: Plan, block: Block) -> Columns:
    """Train the runs of a block; the columns of the table of runs that differ from run to run."""
    index = np.arange(block.start, block.stop)
    trained = train_block(plan, block)
    history = trained.history
    columns: Columns = {
        "learning_rate": np.array(plan.learning_rates)[index // plan.seeds],
        "seed": index % plan.seeds,
        "epochs_to_threshold": history.reached.astype(np.int32),
        "epochs_trained": history.epochs_trained.astype(np.int32),
        "training_loss": history.last_loss.astype(np.float64),
        "fate": fates(plan, trained),
    }
    with np.errstate(over="ignore"):  # a run on its way to divergence may exceed float32: infinity there
        columns["losses"] = history.loss.T.astype(np.float32)
    sets = {"training": (plan.data.x, plan.data.y)} if plan.is_of_classes else {}
    if plan.data.validation is not None:
        sets["validation"] = plan.data.validation
    for name, (x, y) in sets.items():
        value, right = _loss_and_accuracy(plan, trained, x, y)
        if name == "validation":
            columns["validation_loss"] = np.where(history.diverged, np.nan, value)
        if plan.is_of_classes:
            columns[f"{name}_accuracy"] = np.where(history.diverged, np.nan, right).astype(np.float32)
    return columns


def train_block(plan: Plan, block: Block, epochs: int | None = None) -> Trained:
    """The runs of a block, trained; with fewer `epochs`, to see how long it takes."""
    index = np.arange(block.start, block.stop)
    return train_runs(plan, block.way, np.array(plan.learning_rates)[index // plan.seeds], index % plan.seeds, epochs)


def train_runs(
    plan: Plan,
    way: Way,
    rates: Array,
    seeds: npt.NDArray[np.intp],
    epochs: int | None = None,
    *,
    nudged: bool = False,
) -> Trained:
    """Train networks of one way.

    Parameters
    ----------
    plan : Plan
    way : Way
    rates : array, shape (runs,)
        Their learning rates.
    seeds : array of int, shape (runs,)
    epochs : int, optional
        Fewer than the plan's, without keeping losses.
    nudged : bool
        Change the first weights in their last digit, to see whether that changes the course.
    """
    with needs_extra("study"):
        from threadpoolctl import threadpool_limits
    network, parameters = plan.network(way, 0), first_parameters(plan, way, seeds)
    if nudged:
        parameters *= 1 + np.finfo(parameters.dtype).eps
    options: dict[str, Any] = {
        "loss": plan.loss,
        "epochs": epochs or plan.epochs,
        "batch_size": way.batch_size,
    }
    record = plan.recorded if epochs is None else []
    # The cores are busy with other blocks; and sums must not depend on how many cores there are.
    with threadpool_limits(1):
        if plan.is_alone(way):
            history = _each_alone(plan, way, parameters, rates, seeds, record, options)
        else:
            history = train_parameters(
                network,
                parameters,
                plan.data.x,
                plan.data.y,
                optimizer=plan.new_optimizer(way, rates),
                seeds=seeds.tolist(),
                threshold=plan.threshold,
                stop=plan.stops_at_threshold,
                record=record,
                **options,
            )
    return Trained(network, parameters, history)


def _each_alone(
    plan: Plan,
    way: Way,
    parameters: Array,
    rates: Array,
    seeds: npt.NDArray[np.intp],
    record: list[int],
    options: dict[str, Any],
) -> EnsembleHistory:
    history = new_history(np.asarray(record, dtype=np.intp), len(seeds), options["epochs"], parameters.dtype)
    if plan.patience:
        options = {**options, "validation": plan.data.validation, "patience": plan.patience}
    for run, (seed, rate) in enumerate(zip(seeds.tolist(), rates.tolist(), strict=True)):
        network = plan.network(way, seed)
        network.parameters[:] = parameters[run]
        train_alone(
            network, plan.data.x, plan.data.y, plan.threshold, plan.stops_at_threshold, run, history,
            optimizer=plan.new_optimizer(way, rate), seed=seed, penalties=plan.penalties(way), **options,
        )  # fmt: skip
        parameters[run] = network.parameters
    return history


def first_parameters(plan: Plan, way: Way, seeds: npt.NDArray[np.intp]) -> Array:
    """The untrained parameters of these seeds, one row each; whatever the activation, they are the same numbers."""
    drawn = []
    for seed in seeds.tolist():
        key = (*plan.sizes(way), way.initializer, plan.precision, seed)
        if key not in _drawn:
            fresh = plan.network(way, seed).parameters
            if len(_drawn) * fresh.nbytes > _KEPT:
                _drawn.clear()
            _drawn[key] = fresh
        drawn.append(_drawn[key])
    return np.stack(drawn)


_drawn: dict[tuple[Any, ...], Array] = {}


@dataclass
class Tested:
    """What the test set says of a cell: means over its runs that did not diverge.

    Attributes
    ----------
    losses : array, shape (n_test,)
    right : array, shape (n_test,), or None
        The share of the runs that are right, for classes.
    runs : int
        How many runs did not diverge.
    """

    losses: Array
    right: Array | None
    runs: int


def on_test(plan: Plan, cell: Cell) -> Tested:
    """Train a cell's runs once more, and look at the test set."""
    trained = train_cell(plan, cell, np.arange(plan.seeds))
    assert plan.data.test is not None
    x, y = plan.data.test
    sound = ~trained.history.diverged
    found = [
        (terms.sum(axis=1)[:, sound].mean(axis=-1), None if right is None else right[:, sound].mean(axis=-1))
        for terms, right in _terms_and_right(plan, trained, x, y)
    ]
    right = np.concatenate([part for _, part in found if part is not None]) if plan.is_of_classes else None
    return Tested(np.concatenate([terms for terms, _ in found]), right, int(sound.sum()))


def train_cell(plan: Plan, cell: Cell, seeds: npt.NDArray[np.intp], *, nudged: bool = False) -> Trained:
    """The runs of one cell with these seeds."""
    return train_runs(plan, cell, np.full(len(seeds), cell.learning_rate), seeds, nudged=nudged)


def differing_repeats(plan: Plan, cell: Cell, seeds: npt.NDArray[np.intp]) -> int:
    """How many of these runs get to the threshold in another epoch once their first weights change in the last digit.

    At a learning rate on the edge of stability training is chaotic: there a run alone says little, and is another
    one on another machine.
    """
    plain, nudged = (train_cell(plan, cell, seeds, nudged=nudged).history.reached for nudged in (False, True))
    return int((plain != nudged).sum())


def _terms_and_right(
    plan: Plan, trained: Trained, x: Array, y: Array
) -> Iterator[tuple[Array, npt.NDArray[np.bool_] | None]]:
    """Part by part of the samples: the loss's terms, and whether an output is right (None for a regression)."""
    loss = losses.get(plan.loss)
    widest = max(layer.n_out for layer in trained.network.dense_layers)
    for rows in chunks((len(x), widest, len(trained.parameters))):
        y_hat = forward_ensemble(trained.network, trained.parameters, x[rows])[-1][1]
        with np.errstate(all="ignore"):  # a run on its way to divergence
            yield loss.terms(y_hat, y[rows, :, None]), _is_right(plan, loss, y_hat, y[rows])


def _is_right(plan: Plan, loss: Loss, y_hat: Array, y: Array) -> npt.NDArray[np.bool_] | None:
    if not plan.is_of_classes:
        return None
    if y.shape[1] > 1:
        return y_hat.argmax(axis=1) == y.argmax(axis=1)[:, None]
    boundary = 0.0 if loss.name.endswith("from_logits") else 0.5
    return (y_hat[:, 0] > boundary) == (y > 0.5)


def _loss_and_accuracy(plan: Plan, trained: Trained, x: Array, y: Array) -> tuple[Array, Array]:
    total = np.zeros(len(trained.parameters))
    n_right = np.zeros(len(trained.parameters))
    for terms, right in _terms_and_right(plan, trained, x, y):
        total += terms.sum(axis=(0, 1))
        n_right += 0 if right is None else right.sum(axis=0)
    return total if losses.get(plan.loss).reduction == "sum" else total / len(x), n_right / len(x)


def fates(plan: Plan, trained: Trained) -> npt.NDArray[np.int8]:
    """What became of each run, as its place in `FATES`: the first that fits.

    By the library's rules (`symptoms`) on its last state:

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
    history = trained.history
    value = history.last_loss
    high = symptoms.is_high(value, best_constant)
    dead, saturated = np.zeros(len(value), dtype=bool), np.zeros(len(value), dtype=bool)
    x = plan.data.x[:: math.ceil(len(plan.data.x) / _JUDGED)]
    passed = forward_ensemble(trained.network, trained.parameters, x)
    for (z, _), layer in zip(passed, trained.network.dense_layers, strict=True):
        if layer.activation.name == "relu":
            dead |= symptoms.dead_units(z).all(axis=0)
        if layer.activation.name in ("sigmoid", "tanh"):
            saturated |= high & (symptoms.saturated_units(z).mean(axis=0) >= 0.5)
    halfway = history.loss[np.searchsorted(history.epochs, (plan.epochs - 1) // 2)]
    stuck = symptoms.is_at_constant(value, best_constant) | ((plan.epochs > 1) & (value > 0.99 * halfway))
    rules = [history.reached >= 0, history.diverged, dead, saturated, stuck]
    return np.select(rules, np.arange(len(rules)), default=len(rules)).astype(np.int8)
