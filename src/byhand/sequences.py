"""Small tasks on sequences, drawn at random, and the characters of a text: for recurrent layers and attention.

Symbols are numbers, as `Embedding` takes them. Where sequences have different lengths, the shorter ones are filled up
with 0, which is then no symbol, and a mask says which steps count: it is the `sample_weight` of `train`, and the
`weights` of `accuracy`.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from byhand._types import Array, Seed
from byhand.losses import one_hot


def reverse(
    n: int = 1000, length: int | tuple[int, int] = 8, n_symbols: int = 8, *, seed: Seed = None
) -> tuple[Array, Array, Array]:
    """Sequences of symbols, to be given back in reverse order.

    Parameters
    ----------
    n : int
        How many sequences.
    length : int, or (int, int)
        How long they are, or from how long to how long.
    n_symbols : int
        The symbols are 1 … n_symbols, and 0 fills up.
    seed : int, Generator or None

    Returns
    -------
    x : array, shape (n, T)
    y : array, shape (n, T, n_symbols + 1)
        One-hot.
    mask : array, shape (n, T)
        1 for the steps of the sequence, 0 for those that fill up.

    Examples
    --------
    >>> x, y, mask = reverse(1, 4, seed=0)
    >>> x, y.argmax(axis=-1)
    (array([[7., 6., 5., 3.]]), array([[3, 5, 6, 7]]))
    """
    return _rearranged(n, length, n_symbols, seed, lambda symbols: symbols[::-1])


def sort(
    n: int = 1000, length: int | tuple[int, int] = 8, n_symbols: int = 8, *, seed: Seed = None
) -> tuple[Array, Array, Array]:
    """Sequences of symbols, to be given back in order, the smallest first.

    Parameters
    ----------
    n, length, n_symbols, seed
        As in `reverse`.

    Returns
    -------
    x, y, mask : array, shapes (n, T), (n, T, n_symbols + 1) and (n, T)
        As in `reverse`.

    Examples
    --------
    >>> x, y, mask = sort(1, 4, seed=0)
    >>> x, y.argmax(axis=-1)
    (array([[7., 6., 5., 3.]]), array([[3, 5, 6, 7]]))
    """
    return _rearranged(n, length, n_symbols, seed, np.sort)


def copy(
    n: int = 1000, length: int = 5, delay: int = 10, n_symbols: int = 8, *, seed: Seed = None
) -> tuple[Array, Array, Array]:
    """Symbols to be kept in mind and given back after a pause (Hochreiter & Schmidhuber 1997).

    First come the symbols, then 0 for `delay` steps, then the sign n_symbols + 1 for as many steps as there were
    symbols: in these the answer counts.

    Parameters
    ----------
    n, length, delay : int
        How many sequences, how many symbols each, and how long the pause.
    n_symbols : int
        The symbols are 1 … n_symbols.
    seed : int, Generator or None

    Returns
    -------
    x : array, shape (n, 2 · length + delay)
    y : array, shape (n, 2 · length + delay, n_symbols + 1)
        One-hot.
    mask : array, shape (n, 2 · length + delay)
        1 where the answer counts.

    Examples
    --------
    >>> x, y, mask = copy(1, 2, delay=3, seed=0)
    >>> x, y.argmax(axis=-1)
    (array([[7., 6., 0., 0., 0., 9., 9.]]), array([[0, 0, 0, 0, 0, 7, 6]]))
    """
    _check(n=n, length=length, n_symbols=n_symbols)
    symbols = np.random.default_rng(seed).integers(1, n_symbols + 1, (n, length))
    x = np.zeros((n, 2 * length + delay))
    answer = np.zeros(x.shape, np.intp)
    x[:, :length], answer[:, -length:] = symbols, symbols
    x[:, -length:] = n_symbols + 1
    mask = np.zeros(x.shape)
    mask[:, -length:] = 1
    return x, one_hot(answer, n_symbols + 1), mask


def add(n: int = 1000, length: int = 20, *, seed: Seed = None) -> tuple[Array, Array]:
    """Numbers of which two are marked: their sum is wanted, at the end (Hochreiter & Schmidhuber 1997).

    Who always answers 1 has a mean squared error of 1/6: the sum of two numbers from U(0, 1) has that variance.

    Parameters
    ----------
    n, length : int
        How many sequences, and how long; one mark is in the first half and one in the second.
    seed : int, Generator or None

    Returns
    -------
    x : array, shape (n, length, 2)
        At each step a number from 0 to 1, and 1 where it is marked, else 0.
    y : array, shape (n, 1)

    Examples
    --------
    >>> x, y = add(1, 4, seed=0)
    >>> (x[..., 0] * x[..., 1]).sum() == y.item()
    np.True_
    """
    _check(n=n)
    _check(2, length=length)
    rng = np.random.default_rng(seed)
    x = np.zeros((n, length, 2))
    x[..., 0] = rng.random((n, length))
    rows = np.arange(n)
    for low, high in ((0, length // 2), (length // 2, length)):
        x[rows, rng.integers(low, high, n), 1] = 1
    return x, x.prod(axis=-1).sum(axis=1, keepdims=True)


def parentheses(n: int = 1000, length: int = 12, *, seed: Seed = None) -> tuple[Array, Array]:
    """Opening and closing parentheses, as many of the one as of the other, which match or do not.

    Half do. The others are such sequences in which one of each kind has changed places, so that one closes too early.

    Parameters
    ----------
    n : int
    length : int
        Even.
    seed : int, Generator or None

    Returns
    -------
    x : array, shape (n, length)
        0 for "(" and 1 for ")".
    y : array, shape (n, 1)
        1 where they match, else 0.

    Raises
    ------
    ValueError
        If the length is odd.

    Examples
    --------
    >>> x, y = parentheses(2, 6, seed=0)
    >>> ["".join("()"[int(one)] for one in row) for row in x], y.ravel()
    (['()(())', '())()('], array([1., 0.]))
    """
    _check(n=n, length=length)
    if length % 2:
        raise ValueError(f"parentheses match in pairs: an even length is needed, not {length}.")
    rng = np.random.default_rng(seed)
    x = np.array([_matching(length, rng) for _ in range(n)])
    y = 1 - np.arange(n)[:, None] % 2
    for row in x[1::2]:
        _mismatch(row, rng)
    return x.astype(float), y.astype(float)


def characters(text: str, length: int = 40, *, every: int | None = None) -> tuple[Array, Array, str]:
    """Stretches of a text, and for each character the one that comes next.

    Parameters
    ----------
    text : str
    length : int
        Of a stretch.
    every : int, optional
        A stretch begins at every so many characters; by default they follow one another.

    Returns
    -------
    x : array, shape (n, length)
        Numbers of characters in `alphabet`.
    y : array, shape (n, length, len(alphabet))
        The next characters, one-hot.
    alphabet : str
        The characters that occur, in order.

    Raises
    ------
    ValueError
        If the text is no longer than a stretch.

    Examples
    --------
    >>> x, y, alphabet = characters("abracadabra", 5)
    >>> alphabet, x
    ('abcdr', array([[0., 1., 4., 0., 2.],
           [0., 3., 0., 1., 4.]]))
    >>> "".join(alphabet[i] for i in y[0].argmax(axis=-1))
    'braca'
    """
    _check(length=length)
    if len(text) <= length:
        raise ValueError(f"a text of {len(text)} characters has no stretch of {length} and one that comes next.")
    found, numbers = np.unique(list(text), return_inverse=True)
    starts = np.arange(0, len(text) - length, length if every is None else every)
    windows = numbers[starts[:, None] + np.arange(length + 1)]
    return windows[:, :-1].astype(float), one_hot(windows[:, 1:], len(found)), "".join(found)


def _rearranged(
    n: int,
    length: int | tuple[int, int],
    n_symbols: int,
    seed: Seed,
    answer: Callable[[npt.NDArray[np.intp]], npt.NDArray[np.intp]],
) -> tuple[Array, Array, Array]:
    """Random sequences, and what becomes of each."""
    shortest, longest = (length, length) if isinstance(length, int) else length
    _check(n=n, shortest=shortest, n_symbols=n_symbols)
    _check(shortest, longest=longest)
    rng = np.random.default_rng(seed)
    x, y = np.zeros((2, n, longest), np.intp)
    mask = np.zeros((n, longest))
    for row, size in enumerate(rng.integers(shortest, longest + 1, n) if longest > shortest else [longest] * n):
        x[row, :size] = rng.integers(1, n_symbols + 1, size)
        y[row, :size] = answer(x[row, :size])
        mask[row, :size] = 1
    return x.astype(float), one_hot(y, n_symbols + 1), mask


def _matching(length: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Parentheses in random order, begun anew after the deepest point: from there none closes too early."""
    row = rng.permutation(np.arange(length) % 2)
    depth = np.cumsum(1 - 2 * row)
    return np.roll(row, -1 - int(depth.argmin()))


def _mismatch(row: npt.NDArray[np.intp], rng: np.random.Generator) -> None:
    """Let two parentheses change places so that one closes too early."""
    while (np.cumsum(1 - 2 * row) >= 0).all():
        i, j = rng.choice(np.flatnonzero(row == 0)), rng.choice(np.flatnonzero(row == 1))
        row[i], row[j] = 1, 0


def _check(least: int = 1, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < least:
            raise ValueError(f"{name} is at least {least}, not {size}.")
