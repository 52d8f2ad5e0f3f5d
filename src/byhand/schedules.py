"""Learning-rate schedules: from the epoch, counted from 0, to a factor on the learning rate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

Schedule: TypeAlias = Callable[[int], float]


class Losses(Protocol):
    """What a schedule that follows the losses is shown after each epoch: a `History`.

    Examples
    --------
    >>> from byhand.training import History
    >>> seen: Losses = History(loss=[0.5, 0.25])
    >>> seen.loss[-1], seen.validation_loss
    (0.25, [])
    """

    @property
    def loss(self) -> Sequence[float]:
        """The training losses so far."""

    @property
    def validation_loss(self) -> Sequence[float]:
        """The validation losses so far; empty without a validation set."""


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise ValueError(f"{name} is a positive number, not {value}.")


@dataclass(frozen=True)
class step_decay:  # noqa: N801 — called like a function
    """factor^⌊epoch / every⌋: the same for a while, then a step down.

    Parameters
    ----------
    every : int
        Epochs from step to step.
    factor : float

    Raises
    ------
    ValueError
        If one of these is not positive.

    Examples
    --------
    >>> schedule = step_decay(10, 0.5)
    >>> schedule(9), schedule(10), schedule
    (1.0, 0.5, step_decay(every=10, factor=0.5))
    """

    every: int
    factor: float = 0.5

    def __post_init__(self) -> None:
        _check_positive("every", self.every)
        _check_positive("factor", self.factor)

    def __call__(self, epoch: int) -> float:
        """The factor in that epoch."""
        return self.factor ** (epoch // self.every)


@dataclass(frozen=True)
class exponential:  # noqa: N801
    """factor^epoch.

    Parameters
    ----------
    factor : float

    Raises
    ------
    ValueError
        If it is not positive.

    Examples
    --------
    >>> exponential(0.5)(3)
    0.125
    """

    factor: float

    def __post_init__(self) -> None:
        _check_positive("factor", self.factor)

    def __call__(self, epoch: int) -> float:
        """The factor in that epoch."""
        return self.factor**epoch


@dataclass(frozen=True)
class inverse_time:  # noqa: N801
    """1 / (1 + epoch / scale): half after `scale` epochs, a third after twice as many.

    Parameters
    ----------
    scale : float
        In epochs.

    Raises
    ------
    ValueError
        If it is not positive.

    Examples
    --------
    >>> inverse_time(10)(10)
    0.5
    """

    scale: float

    def __post_init__(self) -> None:
        _check_positive("scale", self.scale)

    def __call__(self, epoch: int) -> float:
        """The factor in that epoch."""
        return 1 / (1 + epoch / self.scale)


@dataclass(frozen=True)
class cosine:  # noqa: N801
    """½ (1 + cos(π epoch / epochs)): from 1 slowly, then fast, then slowly to 0 (Loshchilov & Hutter 2017).

    Parameters
    ----------
    epochs : int
        After how many it is 0, where it stays.

    Raises
    ------
    ValueError
        If it is not positive.

    Examples
    --------
    >>> schedule = cosine(10)
    >>> schedule(0), round(schedule(5), 9), schedule(10)
    (1.0, 0.5, 0.0)
    """

    epochs: int

    def __post_init__(self) -> None:
        _check_positive("epochs", self.epochs)

    def __call__(self, epoch: int) -> float:
        """The factor in that epoch."""
        return 0.5 * (1 + np.cos(np.pi * min(epoch / self.epochs, 1)).item())


@dataclass(frozen=True)
class constant:  # noqa: N801
    """1: the learning rate stays as it is.

    Examples
    --------
    >>> constant()(7)
    1.0
    """

    def __call__(self, epoch: int) -> float:
        """The factor in that epoch."""
        return 1.0


@dataclass(frozen=True)
class warmup:  # noqa: N801
    """(epoch + 1) / epochs during the first epochs; afterwards another schedule, from its beginning.

    Parameters
    ----------
    epochs : int
        How many epochs it takes to the full learning rate.
    then : callable
        The schedule afterwards; by default the learning rate stays.

    Raises
    ------
    ValueError
        If epochs is not positive.

    Examples
    --------
    >>> schedule = warmup(4, cosine(10))
    >>> schedule(0), schedule(3), schedule(4), schedule(14)
    (0.25, 1.0, 1.0, 0.0)
    """

    epochs: int
    then: Schedule = constant()

    def __post_init__(self) -> None:
        _check_positive("epochs", self.epochs)

    def __call__(self, epoch: int) -> float:
        """The factor in that epoch."""
        return (epoch + 1) / self.epochs if epoch < self.epochs else self.then(epoch - self.epochs)


@dataclass
class reduce_on_plateau:  # noqa: N801
    """Times `factor` whenever the loss stood still for more than `patience` epochs: PyTorch's ReduceLROnPlateau.

    The validation loss, if there is a validation set. It stands still in an epoch in which it is not below the lowest
    so far by a share of `threshold`. Unlike the other schedules it remembers: one serves one training, and begins anew
    with epoch 0.

    Parameters
    ----------
    factor : float
        Between 0 and 1.
    patience : int
        At least 0.
    threshold : float
        At least 0.

    Raises
    ------
    ValueError
        If one of these is not what it should be.

    Examples
    --------
    >>> from byhand.training import History
    >>> schedule, history = reduce_on_plateau(0.1, patience=2), History()
    >>> for epoch, loss in enumerate([3.0, 2.0, 2.0, 2.0, 2.0]):
    ...     history.loss.append(loss)
    ...     schedule.watch(history)
    >>> schedule(5)
    0.1
    """

    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4

    present: float = field(init=False, repr=False, default=1.0)
    lowest: float = field(init=False, repr=False, default=np.inf)
    count: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        if not (0 < self.factor < 1 and self.patience >= 0 and 0 <= self.threshold < 1):
            raise ValueError(f"{self}: factor is between 0 and 1, patience at least 0, threshold from 0 to below 1.")

    def __call__(self, epoch: int) -> float:
        """The factor in that epoch."""
        if epoch == 0:
            self.present, self.lowest, self.count = 1.0, np.inf, 0
        return self.present

    def watch(self, history: Losses) -> None:
        """Take notice of an epoch's loss, the last of the history."""
        loss = (history.validation_loss or history.loss)[-1]
        better = loss < self.lowest * (1 - self.threshold)
        self.lowest = loss if better else self.lowest
        self.count = 0 if better else self.count + 1
        if self.count > self.patience:
            self.present, self.count = self.present * self.factor, 0
