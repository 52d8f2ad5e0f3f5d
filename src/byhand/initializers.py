"""How weights start.

Two things must not happen. Units that start alike stay alike (`zeros`, `constant`: all hidden units get the same
gradient, for ever), so weights are drawn at random. And numbers must neither grow nor fade from layer to layer:
z adds up n_in products, so its variance is n_in · Var(w) · Var(x), and Var(w) has to fall as 1 / n. Biases start
at 0 throughout.

An initializer takes the shape (n_out, n_in) and a generator, and gives the weights.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from byhand._types import Array

Initializer: TypeAlias = Callable[[tuple[int, int], np.random.Generator], Array]


def zeros(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """All weights 0: right for one layer, and a trap with a hidden one (its units never become different)."""
    return np.zeros(shape)


def constant(value: float) -> Initializer:
    """All weights `value`: for a lesson on symmetry, or to start from numbers that a hand can follow."""

    def constant_initializer(shape: tuple[int, int], rng: np.random.Generator) -> Array:
        return np.full(shape, float(value))

    return constant_initializer


def standard_normal(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """N(0, 1): fine for a handful of inputs, too wide for many, since z then has a variance of n_in."""
    return rng.standard_normal(shape)


def glorot_normal(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """N(0, 2 / (n_in + n_out)): keeps the variance forward and backward, for sigmoid and tanh.

    Glorot & Bengio (2010): forward wants Var(w) = 1 / n_in, backward 1 / n_out; this is the compromise.
    """
    n_out, n_in = shape
    return rng.standard_normal(shape) * np.sqrt(2 / (n_in + n_out))


def glorot_uniform(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Uniform within ±√(6 / (n_in + n_out)): the variance of `glorot_normal` without its rare large draws."""
    n_out, n_in = shape
    limit = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, shape)


def he_normal(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """N(0, 2 / n_in): for ReLU, which halves the mean square of what it lets through (He et al. 2015)."""
    return rng.standard_normal(shape) * np.sqrt(2 / shape[1])


def he_uniform(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Uniform within ±√(6 / n_in): the variance of `he_normal`."""
    limit = np.sqrt(6 / shape[1])
    return rng.uniform(-limit, limit, shape)


INITIALIZERS: dict[str, Initializer] = {
    initializer.__name__: initializer
    for initializer in (zeros, standard_normal, glorot_normal, glorot_uniform, he_normal, he_uniform)
}


def get(initializer: str | Initializer) -> Initializer:
    """The initializer of that name; a function is handed back as it is.

    Raises
    ------
    ValueError
        If no initializer has that name.
    """
    if callable(initializer):
        return initializer
    if initializer not in INITIALIZERS:
        raise ValueError(f"unknown initializer {initializer!r}; there are {', '.join(INITIALIZERS)} and constant(c).")
    return INITIALIZERS[initializer]
