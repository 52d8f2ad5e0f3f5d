"""The experiments: what the training would do with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from byhand._types import Array
from byhand.diagnosis.causes.lines import learning_rate_line
from byhand.diagnosis.why_evidence import Evidence, Start
from byhand.diagnosis.why_report import Experiment


def _best(experiments: Iterable[Experiment | None]) -> Experiment | None:
    """The one with the lowest loss; those after the first that cures are not made."""
    best = None
    for experiment in experiments:
        if experiment is None or not np.isfinite(experiment.after):
            continue
        if best is None or experiment.after < best.after:
            best = experiment
        if best.cured:
            break
    return best


def slower(e: Evidence) -> Experiment | None:
    """The largest of a few smaller learning rates that trains."""
    last = None
    for divisor in (2, 10, 100, 1000):
        if e.rate is None:
            return None
        last = e.experiment(f"the learning rate divided by {divisor}", rate=e.rate / divisor, budget=1e8)
        if last is not None and (last.cured or last.after < 0.5 * e.best_constant):
            last.cured = True
            return last
    return last


def _fresh_weights(e: Evidence, what: str, deviation: Callable[[Array], float], n: int) -> Experiment | None:
    """The best of n trainings from random weights of a standard deviation each layer's own, and biases of 0."""

    def start(seed: int) -> Start:
        rng = np.random.default_rng(seed)
        return Start(
            [rng.standard_normal(W.shape) * deviation(W) for W in e.start.W], [np.zeros_like(b) for b in e.start.b]
        )

    rate = rate_or_guess(e)
    return _best(e.experiment(what, parameters=start(seed), rate=rate, budget=5e7) for seed in range(n))


def another_seed(e: Evidence) -> Experiment | None:
    """The best of a few trainings from weights of the same size, drawn anew."""
    best = _fresh_weights(
        e, "other random weights at the start, biases 0", lambda W: float(np.sqrt(np.square(W).mean())) or 0.5, 5
    )
    if best is not None and best.after < 0.5 * best.before:
        best.cured = True
    return best


def random_start(e: Evidence) -> Experiment | None:
    """The best of a few trainings from weights of the size that keeps z as large as the inputs."""
    return _fresh_weights(
        e, "random weights of standard deviation 1/√n_in", lambda W: float(1 / np.sqrt(W.shape[1])), 3
    )


def rate_or_guess(e: Evidence) -> float | None:
    """With gradients of exactly 0 the learning rate can't be measured, but it can be read."""
    if e.rate is not None:
        return e.rate
    _, _, value = learning_rate_line(e)
    return value * 2 if value else None


def with_tanh(e: Evidence) -> Experiment | None:
    """The training with tanh on the hidden layers, long enough for it."""
    return _other_activations(
        e, "tanh on the hidden layers", ["tanh"] * (len(e.activations) - 1) + e.activations[-1:], (1, 10), 5000
    )


def linear_output(e: Evidence) -> Experiment | None:
    """The training with no activation on the output, which may need a smaller learning rate."""
    return _other_activations(e, "no activation on the output", [*e.activations[:-1], "identity"], (1, 10, 100), 0)


def _other_activations(
    e: Evidence, what: str, names: list[str], divisors: tuple[int, ...], steps: int
) -> Experiment | None:
    rate = e.rate
    if rate is None:
        return None
    n = max(e.n_steps, steps)
    return _best(e.experiment(what, activations=names, rate=rate / d, steps=n, budget=1e8) for d in divisors)
