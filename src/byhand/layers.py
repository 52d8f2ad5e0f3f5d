"""One layer: its forward pass, and its backward pass beside it."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from byhand import activations, initializers
from byhand._types import Array, Seed
from byhand.activations import Activation
from byhand.initializers import Draw


class Layer(Protocol):
    """What a `Network` asks of a layer."""

    @property
    def n_parameters(self) -> int:
        """How many numbers the layer learns."""

    def use_memory(self, parameters: Array, gradients: Array) -> None:
        """Keep the parameters and their gradients in these vectors of length n_parameters, from now on."""

    def forward(self, x: Array) -> Array:
        """From the layer's input to its output, keeping what `backward` needs."""

    def backward(self, grad_output: Array) -> Array:
        """From dL/d(output) to dL/d(input), keeping the gradients of the parameters."""

    def backward_parameters(self, grad_output: Array) -> None:
        """The same without dL/d(input), which training has no use for in the first layer."""

    def predict(self, x: Array) -> Array:
        """From the layer's input to its output as it is in use, keeping nothing."""


class Dense:
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
        If a size is below 1, or a name is unknown.
    """

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
        if n_in < 1 or n_out < 1:
            raise ValueError(f"a layer needs at least one input and one output, not {n_in} and {n_out}.")
        self.n_in, self.n_out = n_in, n_out
        self.activation = activations.get(activation)
        self._W = np.asarray(initializers.get(initializer)((n_out, n_in), np.random.default_rng(seed)), dtype=dtype)
        self._b = np.zeros(n_out, dtype=dtype)
        self.use_memory(np.empty(self.n_parameters, dtype=dtype), np.zeros(self.n_parameters, dtype=dtype))

    @property
    def W(self) -> Array:
        """The weights, shape (n_out, n_in), one row a unit."""
        return self._W

    @W.setter
    def W(self, values: npt.ArrayLike) -> None:
        _copy_into(self._W, values, "W")

    @property
    def b(self) -> Array:
        """The biases, shape (n_out,)."""
        return self._b

    @b.setter
    def b(self, values: npt.ArrayLike) -> None:
        _copy_into(self._b, values, "b")

    @property
    def n_parameters(self) -> int:
        """How many numbers the layer learns: n_out · n_in weights and n_out biases."""
        return self.n_out * self.n_in + self.n_out

    def use_memory(self, parameters: Array, gradients: Array) -> None:
        """Keep W and b, and their gradients, as views into these vectors: first W row by row, then b.

        So a network has all its parameters in one vector, and an optimizer updates them all at once.

        Parameters
        ----------
        parameters, gradients : array, shape (n_parameters,)
            The layer's present numbers are copied into `parameters`.
        """
        n_weights = self.n_out * self.n_in
        W, b = parameters[:n_weights].reshape(self.n_out, self.n_in), parameters[n_weights:]
        W[...], b[...] = self._W, self._b
        self._W, self._b = W, b
        self.grad_W, self.grad_b = gradients[:n_weights].reshape(self.n_out, self.n_in), gradients[n_weights:]

    def forward(self, x: Array) -> Array:
        """From the input x, shape (n, n_in), to a = f(x Wᵀ + b), shape (n, n_out); keeps x, z and a."""
        z = x.dot(self._W.T)  # the same as @, and for small arrays twice as quick
        z += self._b
        self.x, self.z, self.a = x, z, self.activation.function(z)
        return self.a

    def backward(self, grad_a: Array) -> Array:
        """From dL/da, shape (n, n_out), to dL/dx = δ W, shape (n, n_in); keeps δ, dL/dW and dL/db on the way."""
        self.backward_parameters(grad_a)
        return self.grad_z.dot(self._W)

    def backward_parameters(self, grad_a: Array) -> None:
        """From dL/da, shape (n, n_out), to δ = dL/dz = dL/da ⊙ f′(z), dL/dW = δᵀ x and dL/db = Σᵢ δᵢ.

        It is all that the first layer of a network needs in training: nothing asks how the data should change.
        """
        self.grad_z = grad_a * self.activation.derivative(self.z, self.a)
        np.matmul(self.grad_z.T, self.x, out=self.grad_W)
        np.add.reduce(self.grad_z, axis=0, out=self.grad_b)

    def predict(self, x: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        z = x.dot(self._W.T)
        z += self._b
        return self.activation.function(z)

    def __getstate__(self) -> dict[str, Any]:
        # A copy starts with its own numbers and without the last batch.
        kept = {"n_in": self.n_in, "n_out": self.n_out, "activation": self.activation}
        return kept | {"W": self._W.copy(), "b": self._b.copy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.n_in, self.n_out, self.activation = state["n_in"], state["n_out"], state["activation"]
        self._W, self._b = state["W"], state["b"]
        n, dtype = self.n_parameters, self._W.dtype
        self.use_memory(np.empty(n, dtype=dtype), np.zeros(n, dtype=dtype))

    def __repr__(self) -> str:
        return f"Dense({self.n_in}, {self.n_out}, {self.activation.name!r})"


def _copy_into(target: Array, values: npt.ArrayLike, name: str) -> None:
    values = np.asarray(values)
    if values.shape != target.shape:
        hint = " Transpose it: W has one row a unit." if values.T.shape == target.shape else ""
        raise ValueError(f"{name} has shape {target.shape}, not {values.shape}.{hint}")
    target[...] = values


class Dropout:
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
    """

    n_parameters = 0

    def __init__(self, rate: float, *, seed: Seed = None) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"a dropout rate is at least 0 and below 1, not {rate}.")
        self.rate = rate
        self.rng = np.random.default_rng(seed)

    def use_memory(self, parameters: Array, gradients: Array) -> None:
        """Nothing to keep: there is nothing to learn."""

    def forward(self, x: Array) -> Array:
        """From x, of any shape, to m ⊙ x with newly drawn m; keeps m."""
        self.mask = (self.rng.random(x.shape) >= self.rate).astype(x.dtype) / (1 - self.rate)
        return x * self.mask

    def backward(self, grad_a: Array) -> Array:
        """dL/dx = m ⊙ dL/da."""
        return grad_a * self.mask

    def backward_parameters(self, grad_a: Array) -> None:
        """Nothing to do: there is nothing to learn."""

    def predict(self, x: Array) -> Array:
        """x as it is: nothing is dropped in use."""
        return x

    def __repr__(self) -> str:
        return f"Dropout({self.rate})"
