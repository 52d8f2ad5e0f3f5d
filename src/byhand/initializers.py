"""How weights start.

Two things must not happen. Units that start alike stay alike (`zeros`, `constant`: all hidden units get the same
gradient, for ever), so weights are drawn at random. And numbers must neither grow nor fade from layer to layer:
z adds up n_in products, so its variance is n_in · Var(w) · Var(x), and Var(w) has to fall as 1 / n. Biases start
at 0 throughout.

An initializer takes the shape (n_out, n_in) and a generator, and gives the weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from byhand._types import Array
from byhand.formulas import Formula

Draw: TypeAlias = Callable[[tuple[int, int], np.random.Generator], Array]


@dataclass(frozen=True, repr=False)
class Initializer:
    """A function from a shape and a generator to weights, with its formula.

    Any function of (shape, rng) serves in its place; this adds what is said of it.

    Parameters
    ----------
    name : str
    draw : callable
        From the shape (n_out, n_in) and a generator to W.
    formula : Formula
        Of W; its text says how it is distributed, and its code has the places {n_in} and {n_out}.

    Examples
    --------
    >>> formula = Formula("1", "1", "np.ones(({n_out}, {n_in}))")
    >>> initializer = Initializer("ones", lambda shape, rng: np.ones(shape), formula)
    >>> initializer, initializer((1, 2), np.random.default_rng(0))
    (<initializer ones: 1>, array([[1., 1.]]))
    """

    name: str
    draw: Draw
    formula: Formula

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", f"{self.formula.text}: {self.draw.__doc__}")

    def __call__(self, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        """W of that shape, (n_out, n_in), drawn from the generator rng."""
        return self.draw(shape, rng)

    def __repr__(self) -> str:
        return f"<initializer {self.name}: {self.formula.text}>"

    def __str__(self) -> str:
        return self.name

    def _repr_latex_(self) -> str:
        return rf"$W \sim {self.formula.latex}$"

    def __reduce__(self) -> tuple[Any, ...]:
        if INITIALIZERS.get(self.name) is self:
            return get, (self.name,)
        return Initializer, (self.name, self.draw, self.formula)


INITIALIZERS: dict[str, Initializer] = {}


def _initializer(text: str, latex: str, code: str) -> Callable[[Draw], Initializer]:
    """Put a function and its formula together, and into the table."""

    def with_formula(draw: Draw) -> Initializer:
        name = draw.__name__
        INITIALIZERS[name] = Initializer(name, draw, Formula(text, latex, code))
        return INITIALIZERS[name]

    return with_formula


@_initializer("0", "0", "np.zeros(({n_out}, {n_in}))")
def zeros(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Right for one layer, and a trap with a hidden one (its units never become different)."""
    return np.zeros(shape)


def constant(value: float) -> Draw:
    """All weights `value`: for a lesson on symmetry, or to start from numbers that a hand can follow.

    Parameters
    ----------
    value : float

    Returns
    -------
    callable
        From shape and generator to W.

    Examples
    --------
    >>> constant(0.5)((1, 2), np.random.default_rng(0))
    array([[0.5, 0.5]])
    """

    def constant_initializer(shape: tuple[int, int], rng: np.random.Generator) -> Array:
        return np.full(shape, float(value))

    return constant_initializer


@_initializer("N(0, 1)", r"\mathcal{N}(0, 1)", "rng.standard_normal(({n_out}, {n_in}))")
def standard_normal(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Fine for a handful of inputs, too wide for many, since z then has a variance of n_in."""
    return rng.standard_normal(shape)


@_initializer(
    "N(0, 2 / (n_in + n_out))",
    r"\mathcal{N}\Big(0, \frac{2}{n_\text{in} + n_\text{out}}\Big)",
    "rng.standard_normal(({n_out}, {n_in})) * np.sqrt(2 / ({n_in} + {n_out}))",
)
def glorot_normal(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Keeps the variance forward and backward, for sigmoid and tanh.

    Glorot & Bengio (2010): forward wants Var(w) = 1 / n_in, backward 1 / n_out; this is the compromise.
    """
    n_out, n_in = shape
    return rng.standard_normal(shape) * np.sqrt(2 / (n_in + n_out))


@_initializer(
    "uniform within ±√(6 / (n_in + n_out))",
    r"U\Big(\pm\sqrt{\frac{6}{n_\text{in} + n_\text{out}}}\Big)",
    "rng.uniform(-np.sqrt(6 / ({n_in} + {n_out})), np.sqrt(6 / ({n_in} + {n_out})), ({n_out}, {n_in}))",
)
def glorot_uniform(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """The variance of `glorot_normal` without its rare large draws."""
    n_out, n_in = shape
    limit = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, shape)


@_initializer(
    "N(0, 2 / n_in)",
    r"\mathcal{N}\Big(0, \frac{2}{n_\text{in}}\Big)",
    "rng.standard_normal(({n_out}, {n_in})) * np.sqrt(2 / {n_in})",
)
def he_normal(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """For ReLU, which halves the mean square of what it lets through (He et al. 2015)."""
    return rng.standard_normal(shape) * np.sqrt(2 / shape[1])


@_initializer(
    "uniform within ±√(6 / n_in)",
    r"U\Big(\pm\sqrt{\frac{6}{n_\text{in}}}\Big)",
    "rng.uniform(-np.sqrt(6 / {n_in}), np.sqrt(6 / {n_in}), ({n_out}, {n_in}))",
)
def he_uniform(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """The variance of `he_normal`."""
    limit = np.sqrt(6 / shape[1])
    return rng.uniform(-limit, limit, shape)


def get(initializer: str | Draw) -> Draw:
    """The initializer of that name; a function is handed back as it is.

    Parameters
    ----------
    initializer : str or callable

    Returns
    -------
    callable
        From the shape (n_out, n_in) and a generator to W.

    Raises
    ------
    ValueError
        If no initializer has that name.

    Examples
    --------
    >>> get("he_normal")
    <initializer he_normal: N(0, 2 / n_in)>
    """
    if callable(initializer):
        return initializer
    if initializer not in INITIALIZERS:
        raise ValueError(f"unknown initializer {initializer!r}; there are {', '.join(INITIALIZERS)} and constant(c).")
    return INITIALIZERS[initializer]
