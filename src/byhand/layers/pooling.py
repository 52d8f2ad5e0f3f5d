"""Pooling: one number for each window of each channel, so that images become smaller."""

import numpy as np

from byhand._types import Array, Shape
from byhand.layers import windows
from byhand.layers.base import Layer, check_sizes


class _Pool2D(Layer):
    """What the two pools share: windows of size × size that move by `stride`, and nothing to learn."""

    input_shape: Shape | None = (None, None, None)

    def __init__(self, size: int, *, stride: int | None = None) -> None:
        check_sizes(size=size, **({} if stride is None else {"stride": stride}))
        self.size, self.stride = size, stride

    @property
    def _step(self) -> int:
        return self.size if self.stride is None else self.stride

    def output_shape(self, input_shape: Shape) -> Shape:
        """(places down, places across, channels).

        Raises
        ------
        ValueError
            If the samples are no images, or smaller than the window.
        """
        return (*windows.places(input_shape, self.size, self._step), input_shape[2])


class MaxPool2D(_Pool2D):
    """The largest number of each window: a = max over the window of x.

    It is a choice, so dL/dx is dL/da where the largest stood and 0 elsewhere; of equal ones the first is taken.

    Parameters
    ----------
    size : int
        Of the window, size × size.
    stride : int, optional
        By how much it moves; by default by its size, so that windows do not overlap.

    Examples
    --------
    >>> MaxPool2D(2).forward(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """

    passing = ("shape", "winner")

    def forward(self, x: Array) -> Array:
        """From images, shape (n, height, width, channels), to a; keeps at which offset the largest stood."""
        self.shape = x.shape
        first, *others = windows.slices(x.shape, self.size, self._step)
        a = x[first].copy()
        self.winner = np.zeros(a.shape, np.intp if self.size > 11 else np.int8)
        for k, index in enumerate(others, 1):
            larger = x[index] > a
            np.copyto(a, x[index], where=larger)
            np.copyto(self.winner, k, where=larger)
        return a

    def backward(self, grad_a: Array) -> Array:
        """From dL/da to dL/dx."""
        grad_x = np.zeros(self.shape, grad_a.dtype)
        for k, index in enumerate(windows.slices(self.shape, self.size, self._step)):
            grad_x[index] += grad_a * (self.winner == k)
        return grad_x

    def predict(self, x: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        first, *others = windows.slices(x.shape, self.size, self._step)
        a = x[first].copy()
        for index in others:
            np.maximum(a, x[index], out=a)
        return a


class AveragePool2D(_Pool2D):
    """The mean of each window: a = Σ x / size².

    So dL/dx is an equal share of dL/da for each of the window's numbers.

    Parameters
    ----------
    size : int
        Of the window, size × size.
    stride : int, optional
        By how much it moves; by default by its size, so that windows do not overlap.

    Examples
    --------
    >>> AveragePool2D(2).forward(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """

    passing = ("shape",)

    def forward(self, x: Array) -> Array:
        """From images, shape (n, height, width, channels), to a."""
        self.shape = x.shape
        return self.predict(x)

    def backward(self, grad_a: Array) -> Array:
        """From dL/da to dL/dx."""
        grad_x = np.zeros(self.shape, grad_a.dtype)
        for index in windows.slices(self.shape, self.size, self._step):
            grad_x[index] += grad_a / self.size**2
        return grad_x

    def predict(self, x: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        first, *others = windows.slices(x.shape, self.size, self._step)
        a = x[first].copy()
        for index in others:
            a += x[index]
        return a / self.size**2
