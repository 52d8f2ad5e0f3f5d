"""The fully connected layer."""

import numpy as np
import numpy.typing as npt

from byhand import activations, initializers
from byhand._types import Array, Seed, Shape
from byhand.activations import Activation
from byhand.initializers import Draw
from byhand.layers.base import Layer, Parameter, check_sizes, fits


class Dense(Layer):
    """A fully connected layer: z = x Wᵀ + b, a = f(z).

    W has shape (n_out, n_in) and b has shape (n_out,), as in course notes that write W x + b for one column x;
    a batch x has one sample a row, shape (n, n_in).

    Parameters
    ----------
    n_in, n_out : int
        How many numbers go in and come out for one sample.
    activation : str or Activation
        f; identity by default.
    initializer : str or callable
        How W starts; b starts at 0.
    seed : int, Generator or None
        The same seed gives the same W.
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    W, b : array, shapes (n_out, n_in) and (n_out,)
        The parameters. Assigning to one copies the numbers into the layer's own memory.
    x, z, a : array, shapes (n, n_in), (n, n_out), (n, n_out)
        Input, pre-activation and output of the last `forward`.
    grad_z : array, shape (n, n_out)
        δ = dL/dz of the last `backward`.
    grad_W, grad_b : array, shapes of W and b
        The gradients of the last `backward`.

    Raises
    ------
    ValueError
        If a size is no whole number from 1 on, a name is unknown, the dtype is of whole numbers, or the initializer
        gives another shape.

    Examples
    --------
    >>> layer = Dense(2, 1, "relu")
    >>> layer.W, layer.b = [[1.0, 2.0]], [0.5]
    >>> layer.forward(np.array([[1.0, 1.0], [-1.0, 0.0]]))
    array([[3.5],
           [0. ]])
    >>> layer.backward(np.array([[1.0], [1.0]]))
    array([[1., 2.],
           [0., 0.]])
    >>> layer.grad_W, layer.grad_b
    (array([[1., 1.]]), array([1.]))
    """

    W = Parameter()
    b = Parameter()
    passing = ("x", "z", "a", "grad_z")

    x: Array
    z: Array
    a: Array
    grad_z: Array
    grad_W: Array
    grad_b: Array

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: str | Activation = "identity",
        *,
        initializer: str | Draw = "glorot_uniform",
        seed: Seed = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(n_in=n_in, n_out=n_out)
        self.n_in, self.n_out = n_in, n_out
        self.activation = activations.get(activation)
        if not np.issubdtype(dtype, np.floating):
            raise ValueError(f"a layer learns real numbers: its dtype is float64 or float32, not {np.dtype(dtype)}.")
        rng = np.random.default_rng(seed)
        W = np.asarray(initializers.get(initializer)((n_out, n_in), rng), dtype=dtype)
        if W.shape != (n_out, n_in):
            raise ValueError(f"the initializer gave weights of shape {W.shape}, not (n_out, n_in) = {(n_out, n_in)}.")
        self.W = W
        self.b = np.zeros(n_out, dtype=dtype)
        self.input_shape = (n_in,)

    @property
    def output_range(self) -> tuple[float, float]:  # type: ignore[override]
        """That of f."""
        return self.activation.range

    def output_shape(self, input_shape: Shape) -> Shape:
        """(n_out,) for samples of n_in numbers.

        Raises
        ------
        ValueError
            For other samples.
        """
        if not fits(input_shape, (self.n_in,)):
            hint = f": for the same layer at each step, TimeDistributed({self})" if len(input_shape) > 1 else ""
            raise ValueError(f"takes {self.n_in} numbers{hint}.")
        return (self.n_out,)

    def forward(self, x: Array) -> Array:
        """From the input x, shape (n, n_in), to a = f(x Wᵀ + b), shape (n, n_out); keeps x, z and a."""
        self.x = x
        self.z = x.dot(self.W.T) + self.b  # dot is @, and for small arrays twice as quick
        self.a = self.activation.function(self.z)
        return self.a

    def backward(self, grad_a: Array) -> Array:
        """From dL/da, shape (n, n_out), to dL/dx = δ W, shape (n, n_in); keeps δ, dL/dW and dL/db on the way."""
        self.backward_parameters(grad_a)
        return self.grad_z.dot(self.W)

    def backward_parameters(self, grad_a: Array) -> None:
        """From dL/da, shape (n, n_out), to δ = dL/dz = dL/da ⊙ f′(z), dL/dW = δᵀ x and dL/db = Σᵢ δᵢ.

        It is all that the first layer of a network needs in training: nothing asks how the data should change.
        """
        self.grad_z = grad_a * self.activation.derivative(self.z, self.a)
        np.matmul(self.grad_z.T, self.x, out=self.grad_W)
        np.add.reduce(self.grad_z, axis=0, out=self.grad_b)

    def predict(self, x: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        return self.activation.function(x.dot(self.W.T) + self.b)

    def __repr__(self) -> str:
        return f"Dense({self.n_in}, {self.n_out}, {self.activation.name!r})"
