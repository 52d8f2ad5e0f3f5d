"""From images, or sequences, to a table."""

from math import prod

from byhand._types import Array, Shape
from byhand.layers.base import Layer


class Flatten(Layer):
    """All numbers of a sample in one row: (n, height, width, channels) becomes (n, height · width · channels).

    Examples
    --------
    >>> Flatten().forward(np.zeros((5, 4, 4, 2))).shape
    (5, 32)
    """

    passing = ("shape",)

    def output_shape(self, input_shape: Shape) -> Shape:
        """One axis with as many numbers as the sample has."""
        sizes = [size for size in input_shape if size is not None]
        return (prod(sizes) if len(sizes) == len(input_shape) else None,)

    def forward(self, x: Array) -> Array:
        """From x to its rows; keeps the shape."""
        self.shape = x.shape
        return self.predict(x)

    def backward(self, grad_output: Array) -> Array:
        """The same numbers in the shape of x."""
        return grad_output.reshape(self.shape)

    def predict(self, x: Array) -> Array:
        """The rows of x, keeping nothing."""
        return x.reshape(len(x), -1)
