"""Penalties on large weights, added to the loss. Biases are left free: they shift, and don't bend.

A penalty takes one weight matrix; `train` adds its value and its gradient for every layer.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from byhand._types import Array


class Penalty(Protocol):
    """What `train` asks of a penalty; any object that has it will do.

    Examples
    --------
    >>> class Fourth:  # λ Σ w⁴
    ...     def value(self, W):
    ...         return float(0.1 * (W**4).sum())
    ...
    ...     def gradient(self, W):
    ...         return 0.4 * W**3
    >>> Fourth().gradient(np.array([[1.0, 2.0]]))
    array([[0.4, 3.2]])
    """

    def value(self, W: Array) -> float:
        """What it adds to the loss for a weight matrix W."""

    def gradient(self, W: Array) -> Array:
        """What it adds to dL/dW, of the shape of W."""


def _check_strength(strength: float) -> None:
    if not 0 <= strength < np.inf:
        raise ValueError(f"the strength of a penalty is at least 0, not {strength}.")


@dataclass(frozen=True)
class L2:
    """½ λ Σ w²: pulls each weight towards 0 in proportion to its size ("weight decay").

    Parameters
    ----------
    strength : float
        λ, at least 0.

    Raises
    ------
    ValueError
        If it is negative or not finite.

    Examples
    --------
    >>> penalty, W = L2(0.5), np.array([[2.0, -4.0]])
    >>> penalty.value(W), penalty.gradient(W)
    (5.0, array([[ 1., -2.]]))
    """

    strength: float

    def __post_init__(self) -> None:
        _check_strength(self.strength)

    def terms(self, W: Array) -> Array:
        """½ λ w² of each element of W."""
        return 0.5 * self.strength * W * W

    def value(self, W: Array) -> float:
        """½ λ Σ w² over all elements of W."""
        return float(self.terms(W).sum())

    def gradient(self, W: Array) -> Array:
        """λ W."""
        return self.strength * W


@dataclass(frozen=True)
class L1:
    """λ Σ |w|: pulls each weight towards 0 with the same force, so that many end at 0.

    Parameters
    ----------
    strength : float
        λ, at least 0.

    Raises
    ------
    ValueError
        If it is negative or not finite.

    Examples
    --------
    >>> penalty, W = L1(0.5), np.array([[2.0, -4.0]])
    >>> penalty.value(W), penalty.gradient(W)
    (3.0, array([[ 0.5, -0.5]]))
    """

    strength: float

    def __post_init__(self) -> None:
        _check_strength(self.strength)

    def terms(self, W: Array) -> Array:
        """λ |w| of each element of W."""
        return self.strength * np.abs(W)

    def value(self, W: Array) -> float:
        """λ Σ |w| over all elements of W."""
        return float(self.terms(W).sum())

    def gradient(self, W: Array) -> Array:
        """λ sign(W), which is 0 where w = 0."""
        return self.strength * np.sign(W)
