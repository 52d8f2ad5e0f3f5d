"""Dropout: numbers left out at random."""

import numpy as np

from byhand._types import Array, Seed
from byhand.layers.base import Layer


class Dropout(Layer):
    """Dropout: in training each number is set to 0 with probability `rate`, and what is left is scaled up.

    With m = 1 / (1 − rate) where a number is kept and m = 0 where it is dropped, a = m ⊙ x, whose expectation is
    x, so that in use nothing needs to be scaled (inverted dropout; Srivastava et al. 2014).

    Parameters
    ----------
    rate : float
        From 0 (nothing is dropped) to below 1.
    seed : int, Generator or None
        The same seed drops the same numbers.

    Raises
    ------
    ValueError
        If the rate is not in [0, 1).

    Examples
    --------
    >>> layer = Dropout(0.5, seed=0)
    >>> layer.forward(np.ones((2, 3)))
    array([[2., 0., 0.],
           [0., 2., 2.]])
    >>> layer.predict(np.ones((1, 3)))
    array([[1., 1., 1.]])
    """

    passing = ("mask",)
    rng: np.random.Generator

    def __init__(self, rate: float, *, seed: Seed = None) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"a dropout rate is at least 0 and below 1, not {rate}.")
        self.rate = rate
        self.rng = np.random.default_rng(seed)

    def forward(self, x: Array) -> Array:
        """From x, of any shape, to m ⊙ x with newly drawn m; keeps m."""
        self.mask = (self.rng.random(x.shape) >= self.rate).astype(x.dtype) / (1 - self.rate)
        return x * self.mask

    def backward(self, grad_a: Array) -> Array:
        """dL/dx = m ⊙ dL/da."""
        return grad_a * self.mask

    def predict(self, x: Array) -> Array:
        """x as it is: nothing is dropped in use."""
        return x
