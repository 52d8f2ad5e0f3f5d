"""Learning-rate schedules: from the epoch, counted from 0, to a factor on the learning rate."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

Schedule: TypeAlias = Callable[[int], float]


def step_decay(every: int, factor: float = 0.5) -> Schedule:
    """factor^⌊epoch / every⌋: the same for a while, then a step down."""
    return lambda epoch: factor ** (epoch // every)


def exponential(factor: float) -> Schedule:
    """factor^epoch."""
    return lambda epoch: factor**epoch


def inverse_time(scale: float) -> Schedule:
    """1 / (1 + epoch / scale): half after `scale` epochs, a third after twice as many."""
    return lambda epoch: 1 / (1 + epoch / scale)


def cosine(epochs: int) -> Schedule:
    """½ (1 + cos(π epoch / epochs)): from 1 slowly, then fast, then slowly to 0 (Loshchilov & Hutter 2017)."""
    return lambda epoch: 0.5 * (1 + np.cos(np.pi * min(epoch / epochs, 1)).item())


def warmup(epochs: int, then: Schedule = lambda epoch: 1.0) -> Schedule:
    """(epoch + 1) / epochs during the first epochs; afterwards another schedule, from its beginning."""
    return lambda epoch: (epoch + 1) / epochs if epoch < epochs else then(epoch - epochs)
