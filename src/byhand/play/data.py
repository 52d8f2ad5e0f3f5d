"""The samples that the page can ask for, split into train and test."""

import io
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from byhand import datasets
from byhand._types import Array
from byhand.errors import ByhandError
from byhand.play.records import encode
from byhand.play.schema import Data, decode_data

DIGITS = "digits.npy"
"""In a site, which has no scikit-learn to take them from: a row a digit, its pixels in sixteenths and its class."""


class Samples(NamedTuple):
    """Arrays of shape (n, n_in) and (n, n_out). Nobody writes to them: they are shared between requests."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    is_classes: bool


def samples(data: Data) -> Samples:
    """The samples of a data set, the same for the same `data`.

    With a test share, the samples are put in the order `np.random.default_rng(seed).permutation(n)`, and the last
    of them are the test set.

    Raises
    ------
    ByhandError
        If one's own points don't make a table, or so many are kept for the test that none are left.
    """
    return _samples(encode(data))


@lru_cache(maxsize=32)
def _samples(key: bytes) -> Samples:
    data = decode_data(key)
    x, y = _draw(data)
    n = len(x)
    n_test = round(n * data.test_share)
    if n_test:
        order = np.random.default_rng(data.seed).permutation(n)
        x, y = x[order], y[order]
    n_train = n - n_test
    if n_train < 1:
        raise ByhandError(f"{n_test} of {n} samples are kept for the test, so none are left to train on")
    is_classes = data.kind != "line" and bool(np.isin(y, (0, 1)).all())
    return Samples(x[:n_train], y[:n_train], x[n_train:], y[n_train:], is_classes)


def _draw(data: Data) -> tuple[Array, Array]:
    if data.kind == "own":
        return _own(data.points)
    if data.kind == "xor":
        return datasets.xor()
    if data.kind == "and":
        x, _ = datasets.xor()
        return x, x.prod(axis=1, keepdims=True)
    if data.kind == "digits":
        x, y = _digits()
        chosen = np.random.default_rng(data.seed).permutation(len(x))[: data.n]
        return x[chosen], y[chosen]
    curves = {"circles": datasets.circles, "moons": datasets.moons, "spirals": datasets.spirals}
    if data.kind == "line":
        return datasets.line(data.n, noise=data.noise, seed=data.seed)
    return curves[data.kind](data.n, data.noise, seed=data.seed)


def _digits() -> tuple[Array, Array]:
    packed = files("byhand.play") / DIGITS
    if not packed.is_file():
        return datasets.digits()
    table = np.load(io.BytesIO(packed.read_bytes()))
    return table[:, :-1] / 16, np.eye(10)[table[:, -1]]


def packed_digits() -> bytes:
    """The digits as a site has them.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """
    x, y = datasets.digits()
    packed = io.BytesIO()
    np.save(packed, np.column_stack([16 * x, y.argmax(axis=1)]).astype(np.uint8))
    return packed.getvalue()


def _own(points: list[list[float]]) -> tuple[Array, Array]:
    if not points:
        raise ByhandError("there are no points yet: click some, or paste or drop a table")
    widths = {len(point) for point in points}
    if len(widths) > 1:
        raise ByhandError(f"rows of different lengths ({min(widths)} to {max(widths)} numbers): each needs the same")
    table = np.array(points, dtype=np.float64)
    return table[:, :-1], table[:, -1:]
