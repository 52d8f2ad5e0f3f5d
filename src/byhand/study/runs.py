"""A block of runs: trained together, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import initializers, losses, symptoms
from byhand._types import Array
from byhand.errors import needs_extra
from byhand.network import Network
from byhand.study.ensemble import (
    EnsembleHistory,
    Measure,
    chunks,
    forward_ensemble,
    new_history,
    train_alone,
    train_parameters,
)
from byhand.study.plan import Block, Cell, Plan, Way, penalties, schedule_of

Columns: TypeAlias = dict[str, npt.NDArray[Any]]

# Training samples by which units are judged, at most.
_JUDGED = 10_000
# First weights that a process keeps, in bytes (with their objects, small ones take twice that). A seed's are so drawn
# once, not once a learning rate and activation, as blocks of the same seeds follow one another (`answer.carry_out`).
_KEPT = 16_000_000

FATES = ("converged", "diverged", "dead", "saturated", "stuck", "unfinished")
"""What can become of a run; `fates` says what each means."""


@dataclass
class Trained:
    """Runs of one way after their training.

    Attributes
    ----------
    way : Way
    network : Network
        The pattern.
    parameters : array, shape (runs, n_parameters)
    history : EnsembleHistory
    """

    way: Way
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
    for name, values in _on_set(plan, trained, plan.data.x, plan.data.y).items():
        if name == "accuracy" or plan.measure == "error":  # the loss is there already, as training had it
            columns[f"training_{name}"] = values
    if plan.data.validation is not None:
        for name, values in _on_set(plan, trained, *plan.data.validation).items():
            columns[f"validation_{name}"] = values
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
        "loss": losses.get(way.loss),
        "epochs": epochs or plan.epochs,
        "batch_size": way.batch_size,
        "penalties": penalties(way.penalty),
        "schedule": schedule_of(way.schedule),
        "max_norm": way.max_norm,
        "measure": None if plan.measure == "loss" else error_of(plan, way),
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
    return Trained(way, network, parameters, history)


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
            optimizer=plan.new_optimizer(way, rate), seed=seed, **options,
        )  # fmt: skip
        parameters[run] = network.parameters
    return history


def first_parameters(plan: Plan, way: Way, seeds: npt.NDArray[np.intp]) -> Array:
    """The untrained parameters of these seeds, one row each; whatever the activation, they are the same numbers."""
    network, draw, rows = plan.network(way, 0), initializers.get(way.initializer), []
    drawn_as = (*plan.sizes(way), way.initializer, plan.precision)
    for seed in seeds.tolist():
        if (drawn_as, seed) not in _drawn:
            rng = np.random.default_rng(seed)
            for layer in network.dense_layers:  # as `Network.dense` does, without a new network for each seed
                layer.W[...] = draw(layer.W.shape, rng)
            while len(_drawn) * network.parameters.nbytes > _KEPT:
                del _drawn[next(iter(_drawn))]  # the oldest
            _drawn[drawn_as, seed] = network.parameters.copy()
        rows.append(_drawn[drawn_as, seed])
    return np.stack(rows)


_drawn: dict[tuple[tuple[Any, ...], int], Array] = {}


@dataclass
class Tested:
    """What the test set says of a cell: means over its runs that did not diverge.

    Attributes
    ----------
    measure : array, shape (n_test,)
        The loss or error of each sample, as the plan measures.
    right : array, shape (n_test,), or None
        The share of the runs that are right, for classes.
    runs : int
        How many runs did not diverge.
    """

    measure: Array
    right: Array | None
    runs: int


def on_test(plan: Plan, cell: Cell, seeds: npt.NDArray[np.intp]) -> Tested:
    """Train a cell's runs with these seeds once more, and look at the test set."""
    trained = train_cell(plan, cell, seeds)
    assert plan.data.test is not None
    x, y = plan.data.test
    sound = ~trained.history.diverged
    parts = [
        (measured[:, sound].mean(axis=1), None if right is None else right[:, sound].mean(axis=1))
        for measured, right in _sample_by_sample(plan, trained, x, y)
    ]
    right = np.concatenate([part for _, part in parts if part is not None]) if plan.is_of_classes else None
    return Tested(np.concatenate([measured for measured, _ in parts]), right, int(sound.sum()))


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


def _on_set(plan: Plan, trained: Trained, x: Array, y: Array) -> Columns:
    """The plan's measure of each run on a set, by its name, and for classes the share of right answers."""
    total = np.zeros(len(trained.parameters))
    n_right = np.zeros(len(trained.parameters))
    for measured, right in _sample_by_sample(plan, trained, x, y):
        total += measured.sum(axis=0)
        n_right += 0 if right is None else right.sum(axis=0)
    is_sum = plan.measure == "loss" and losses.get(trained.way.loss).reduction == "sum"
    diverged = trained.history.diverged
    columns: Columns = {plan.measure: np.where(diverged, np.nan, total if is_sum else total / len(x))}
    if plan.is_of_classes:
        columns["accuracy"] = np.where(diverged, np.nan, n_right / len(x)).astype(np.float32)
    return columns


def _sample_by_sample(
    plan: Plan, trained: Trained, x: Array, y: Array
) -> Iterator[tuple[Array, npt.NDArray[np.bool_] | None]]:
    """Part by part of the samples, for each of them and each run: the plan's measure, and for classes who is right."""
    loss, error = losses.get(trained.way.loss), error_of(plan, trained.way)
    widest = max(layer.n_out for layer in trained.network.dense_layers)
    for rows in chunks((len(x), widest, len(trained.parameters))):
        y_hat, y_of_rows = forward_ensemble(trained.network, trained.parameters, x[rows])[-1][1], y[rows, :, None]
        with np.errstate(all="ignore"):  # a run on its way to divergence
            measured = error(y_hat, y_of_rows) if plan.measure == "error" else loss.terms(y_hat, y_of_rows).sum(axis=1)
            yield measured, error(y_hat, y_of_rows) == 0 if plan.is_of_classes else None


def error_of(plan: Plan, way: Way) -> Measure:
    """What any loss can be held against: 1 for a wrong answer and 0 for a right one, of a regression 1 − R².

    In the mean over the training samples; of other samples, their squared error is divided by the spread of those.
    """
    if not plan.is_of_classes:
        return lambda y_hat, y: np.square(y_hat - y).sum(axis=1) / (plan.data.spread or 1.0)
    boundary = 0.0 if losses.get(way.loss).from_logits else 0.5

    def is_wrong(y_hat: Array, y: Array) -> Array:
        if y.shape[1] > 1:
            return (y_hat.argmax(axis=1) != y.argmax(axis=1)).astype(float)
        return ((y_hat[:, 0] > boundary) != (y[:, 0] > 0.5)).astype(float)

    return is_wrong


def fates(plan: Plan, trained: Trained) -> npt.NDArray[np.int8]:
    """What became of each run, as its place in `FATES`: the first that fits.

    By the library's rules (`symptoms`) on its last state:

    converged: the training loss, or error, came to the threshold.
    diverged: a loss or a parameter was no longer a finite number.
    dead: a ReLU layer of which no unit gives anything on any training sample.
    saturated: |z| ≥ 5 on more than half of the samples in at least half of the units of a sigmoid or tanh layer,
    while the loss is high, that is more than a tenth of what the best constant prediction costs.
    stuck: a loss within 1 % of that of the best constant prediction, or one that fell by less than 1 % during the
    second half of the epochs.
    unfinished: none of these; with more epochs it might converge.
    Of more than 10,000 training samples, units are judged by an evenly spread 10,000.
    """
    best_constant = symptoms.best_constant_loss(plan.data.y, trained.way.loss)
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
