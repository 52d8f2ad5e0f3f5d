"""Penalties on large weights, added to the loss. Biases are left free: they shift, and don't bend.

A penalty takes one weight matrix; `train` adds its value and its gradient for every layer.
"""

from typing import Protocol

import numpy as np

from byhand._types import Array


class Penalty(Protocol):
    """What `train` asks of a penalty."""

    def value(self, W: Array) -> float:
        """What it adds to the loss."""

    def gradient(self, W: Array) -> Array:
        """What it adds to dL/dW."""


def _check_strength(strength: float) -> float:
    if not 0 <= strength < np.inf:
        raise ValueError(f"the strength of a penalty is at least 0, not {strength}.")
    return strength


class L2:
    """½ λ Σ w²: pulls each weight towards 0 in proportion to its size ("weight decay")."""

    def __init__(self, strength: float) -> None:
        self.strength = _check_strength(strength)

    def value(self, W: Array) -> float:
        """½ λ Σ w²."""
        return float(0.5 * self.strength * np.vdot(W, W))

    def gradient(self, W: Array) -> Array:
        """λ w."""
        return self.strength * W


class L1:
    """λ Σ |w|: pulls each weight towards 0 with the same force, so that many end at 0."""

    def __init__(self, strength: float) -> None:
        self.strength = _check_strength(strength)

    def value(self, W: Array) -> float:
        """λ Σ |w|."""
        return float(self.strength * np.abs(W).sum())

    def gradient(self, W: Array) -> Array:
        """λ sign(w), and 0 at w = 0."""
        return self.strength * np.sign(W)
