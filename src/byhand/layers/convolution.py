"""The convolution: one small set of weights, moved over the image."""

import numpy as np
import numpy.typing as npt

from byhand import activations, initializers
from byhand._types import Array, Seed, Shape
from byhand.activations import Activation
from byhand.initializers import Draw
from byhand.layers import windows
from byhand.layers.base import Layer, Parameter, check_sizes, fits


class Conv2D(Layer):
    """A convolution: each output is a weighted sum of a window of the image, with the same weights at every place.

    zₚ = Σₖ W[k] · x[s p + k] + b and a = f(z), where p is a place, s the stride, and k runs over the window: rows,
    columns and channels. Laid out as rows, the windows make this a product of two matrices, z = X Wᵀ + b, with one row
    of X a place. So the backward pass is that of `Dense`: dL/dW = δᵀ X, dL/db = Σ δ and dL/dX = δ W; and as a number of
    the image stands in several windows, dL/dx adds up what comes from each.

    (As everywhere in deep learning the window isn't turned round, as a mathematician's convolution does.)

    Parameters
    ----------
    n_in, n_out : int
        Channels of the image, and filters: each gives a channel of the output.
    size : int
        Of the window, size × size.
    activation : str or Activation
        f; identity by default.
    stride : int
        By how much the window moves.
    padding : int
        How many zeros are put around the image: size // 2 keeps its size, for odd windows and stride 1.
    initializer : str or callable
        How W starts, as if for a layer of n_in · size² inputs; b starts at 0.
    seed : int, Generator or None
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    W, b : array, shapes (n_out, size, size, n_in) and (n_out,)
    x : array, shape (n, height + 2 · padding, width + 2 · padding, n_in)
        The images of the last `forward`, with the zeros around them.
    z, a : array, shape (n, places down, places across, n_out)
    grad_z, grad_W, grad_b : array, shapes of z, W and b
        δ = dL/dz of the last `backward`, and the gradients.

    Raises
    ------
    ValueError
        If a size makes no sense, or a name is unknown.

    Examples
    --------
    >>> layer = Conv2D(1, 1, 3, padding=1)
    >>> layer.W = np.ones((1, 3, 3, 1))
    >>> layer.forward(np.ones((1, 4, 4, 1)))[0, :, :, 0]  # how many pixels each window sees
    array([[4., 6., 6., 4.],
           [6., 9., 9., 6.],
           [6., 9., 9., 6.],
           [4., 6., 6., 4.]])
    """

    W = Parameter()
    b = Parameter()
    passing = ("x", "z", "a", "grad_z")

    grad_W: Array
    grad_b: Array

    def __init__(
        self,
        n_in: int,
        n_out: int,
        size: int,
        activation: str | Activation = "identity",
        *,
        stride: int = 1,
        padding: int = 0,
        initializer: str | Draw = "he_normal",
        seed: Seed = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(n_in=n_in, n_out=n_out, size=size, stride=stride)
        check_sizes(0, padding=padding)
        self.n_in, self.n_out, self.size, self.stride, self.padding = n_in, n_out, size, stride, padding
        self.activation = activations.get(activation)
        rng = np.random.default_rng(seed)
        W = initializers.get(initializer)((n_out, size * size * n_in), rng)
        self.W = np.asarray(W, dtype).reshape(n_out, size, size, n_in)
        self.b = np.zeros(n_out, dtype)
        self.input_shape = (None, None, n_in)

    @property
    def output_range(self) -> tuple[float, float]:  # type: ignore[override]
        """That of f."""
        return self.activation.range

    def output_shape(self, input_shape: Shape) -> Shape:
        """(places down, places across, n_out) for images (height, width, n_in).

        Raises
        ------
        ValueError
            For other samples, and for images smaller than the window.
        """
        if not fits(input_shape, (None, None, self.n_in)):
            raise ValueError(f"takes images of shape (height, width, {self.n_in}), the channels last.")
        return (*windows.places(input_shape, self.size, self.stride, self.padding), self.n_out)

    def _rows(self, x: Array) -> Array:
        """X: every window of the padded images as a row, shape (n · places, size · size · n_in)."""
        parts = [x[index] for index in windows.slices(x.shape, self.size, self.stride)]
        return np.stack(parts, axis=3).reshape(-1, self.size**2 * self.n_in)

    def _filters(self) -> Array:
        """W as a table, shape (n_out, size · size · n_in)."""
        return self.W.reshape(self.n_out, -1)

    def _weighted_sums(self, x: Array) -> Array:
        """Z of padded images."""
        down, across, _ = self.output_shape((x.shape[1] - 2 * self.padding, x.shape[2] - 2 * self.padding, x.shape[3]))
        z = self._rows(x) @ self._filters().T
        z += self.b
        return z.reshape(len(x), down, across, self.n_out)  # type: ignore[arg-type]

    def forward(self, x: Array) -> Array:
        """From images, shape (n, height, width, n_in), to a, shape (n, places down, places across, n_out)."""
        self.x = windows.pad(x, self.padding)
        self.z = self._weighted_sums(self.x)
        self.a = self.activation.function(self.z)
        return self.a

    def backward(self, grad_a: Array) -> Array:
        """From dL/da to dL/dx: each window's share, δ W, is added to where the window was."""
        self.backward_parameters(grad_a)
        grad_rows = self.grad_z.reshape(-1, self.n_out) @ self._filters()
        grad_rows = grad_rows.reshape(*self.grad_z.shape[:3], self.size**2, self.n_in)
        grad_x = np.zeros_like(self.x)
        for k, index in enumerate(windows.slices(self.x.shape, self.size, self.stride)):
            grad_x[index] += grad_rows[..., k, :]
        return windows.unpad(grad_x, self.padding)

    def backward_parameters(self, grad_a: Array) -> None:
        """From dL/da to δ = dL/da ⊙ f′(z), dL/dW = δᵀ X and dL/db = Σ δ over samples and places.

        X is made once more: kept since the forward pass, it would take size² times the memory of the images.
        """
        self.grad_z = grad_a * self.activation.derivative(self.z, self.a)
        delta = self.grad_z.reshape(-1, self.n_out)
        np.matmul(delta.T, self._rows(self.x), out=self.grad_W.reshape(self.n_out, -1))
        np.add.reduce(delta, axis=0, out=self.grad_b)

    def predict(self, x: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        return self.activation.function(self._weighted_sums(windows.pad(x, self.padding)))
