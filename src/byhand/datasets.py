"""Small data sets, each a table of inputs and a table of targets with one sample a row."""

from collections.abc import Callable

import numpy as np

from byhand._types import Array, Seed
from byhand.errors import needs_extra


def line(n: int = 100, a: float = 2.0, b: float = 1.0, noise: float = 0.1, *, seed: Seed = None) -> tuple[Array, Array]:
    """Points along y = a x + b + ε, with x even in [0, 1) and ε normal.

    Parameters
    ----------
    n : int
        How many points.
    a, b : float
        Slope and intercept.
    noise : float
        The standard deviation of ε (0.1 is a variance of 0.01).
    seed : int, Generator or None

    Returns
    -------
    x, y : array, shape (n, 1)

    Examples
    --------
    >>> x, y = line(3, a=2.0, b=1.0, noise=0.0, seed=0)
    >>> np.allclose(y, 2 * x + 1)
    True
    """
    _check(n, noise)
    rng = np.random.default_rng(seed)
    x = rng.random((n, 1))
    return x, a * x + b + noise * rng.standard_normal((n, 1))


def xor() -> tuple[Array, Array]:
    """The four points of XOR: 1 where exactly one of the two inputs is 1.

    Returns
    -------
    x : array, shape (4, 2)
        In the order 00, 01, 10, 11.
    y : array, shape (4, 1)

    Examples
    --------
    >>> x, y = xor()
    >>> y.ravel()
    array([0., 1., 1., 0.])
    """
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


def circles(n: int = 200, noise: float = 0.1, *, inner: float = 0.5, seed: Seed = None) -> tuple[Array, Array]:
    """Two rings round the origin: class 0 of radius 1, class 1 of radius `inner`.

    Parameters
    ----------
    n : int
        How many points; half of them (rounded down) of class 1.
    noise : float
        Standard deviation of the normal noise on both coordinates.
    inner : float
        The inner radius.
    seed : int, Generator or None

    Returns
    -------
    x : array, shape (n, 2)
    y : array, shape (n, 1)
        0 or 1.

    Examples
    --------
    >>> x, y = circles(4, noise=0.0, inner=0.5, seed=0)
    >>> np.hypot(*x.T).round(6)
    array([1. , 0.5, 1. , 0.5])
    """
    return _two_curves(n, noise, seed, lambda t, label: _polar(np.where(label == 1, inner, 1.0), 2 * np.pi * t))


def moons(n: int = 200, noise: float = 0.1, *, seed: Seed = None) -> tuple[Array, Array]:
    """Two interleaving half circles, as scikit-learn's `make_moons` has them.

    Parameters
    ----------
    n, noise, seed
        As in `circles`.

    Returns
    -------
    x, y : array, shapes (n, 2) and (n, 1)
        y is 1 on the lower one.

    Examples
    --------
    >>> x, y = moons(200, noise=0.0, seed=0)
    >>> upper, lower = x[y[:, 0] == 0, 1], x[y[:, 0] == 1, 1]
    >>> bool(upper.min() >= 0 and lower.max() <= 0.5)
    True
    """

    def moon(t: Array, label: Array) -> Array:
        upper = _polar(np.ones_like(t), np.pi * t)
        return np.where(label[:, None] == 1, np.array([1.0, 0.5]) - upper, upper)

    return _two_curves(n, noise, seed, moon)


def spirals(n: int = 200, noise: float = 0.02, *, turns: float = 1.5, seed: Seed = None) -> tuple[Array, Array]:
    """Two spirals of radius 0.1 to 1, half a turn apart (after Lang & Witbrock 1988).

    Parameters
    ----------
    n, noise, seed
        As in `circles`.
    turns : float
        How often each goes round.

    Returns
    -------
    x, y : array, shapes (n, 2) and (n, 1)

    Examples
    --------
    >>> x, y = spirals(200, noise=0.0, seed=0)
    >>> radius = np.hypot(*x.T)
    >>> bool(0.1 <= radius.min() and radius.max() <= 1), int(y.sum())
    (True, 100)
    """
    return _two_curves(n, noise, seed, lambda t, label: _polar(0.1 + 0.9 * t, 2 * np.pi * turns * t + np.pi * label))


def digits(*, images: bool = False) -> tuple[Array, Array]:
    """The 1,797 handwritten digits of 8 × 8 pixels that scikit-learn ships (UCI, Alpaydin & Kaynak 1998).

    Parameters
    ----------
    images : bool
        Give images, as `Conv2D` takes them, rather than a table.

    Returns
    -------
    x : array, shape (1797, 64), or (1797, 8, 8, 1) as images
        Pixel values from 0 to 1.
    y : array, shape (1797, 10)
        One-hot: a 1 in the column of the digit.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.

    Examples
    --------
    >>> x, y = digits()
    >>> x.shape, y.shape
    ((1797, 64), (1797, 10))
    >>> digits(images=True)[0].shape
    (1797, 8, 8, 1)
    """
    with needs_extra("sklearn"):
        from sklearn.datasets import load_digits
    data = load_digits()
    x = data.data / 16.0
    return x.reshape(-1, 8, 8, 1) if images else x, np.eye(10)[data.target]


def _polar(radius: Array, angle: Array) -> Array:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _two_curves(n: int, noise: float, seed: Seed, curve: Callable[[Array, Array], Array]) -> tuple[Array, Array]:
    _check(n, noise)
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2.0
    return curve(rng.random(n), label) + noise * rng.standard_normal((n, 2)), label[:, None]


def _check(n: int, noise: float) -> None:
    if n < 1:
        raise ValueError(f"n is the number of points, at least 1, not {n}.")
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise is a standard deviation, at least 0, not {noise}.")
