"""One layer: its forward pass, and its backward pass beside it."""

from operator import attrgetter
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from byhand import activations, initializers
from byhand._types import Array, Seed
from byhand.activations import Activation
from byhand.initializers import Draw


class Parameter(property):
    """A named array that a layer learns, declared in its class: ``W = Parameter()``.

    The first assignment gives the array; every later one copies numbers into it, as it is a view into the network's
    vector of all parameters. The gradient lies beside it, as `grad_W`.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        slot = f"_{name}"

        def assign(layer: object, values: npt.ArrayLike) -> None:
            values = np.asarray(values)
            target = getattr(layer, slot, None)
            if target is None:
                setattr(layer, slot, values)
                return
            if values.shape != target.shape:
                transposed = values.T.shape == target.shape
                hint = f" Transpose it: {name} has one row a unit." if transposed else ""
                raise ValueError(f"{name} has shape {target.shape}, not {values.shape}.{hint}")
            target[...] = values

        super().__init__(attrgetter(slot), assign)  # an attrgetter is read as quickly as a plain attribute, nearly


class Layer:
    """What a `Network` is made of: a forward pass, its backward pass, and named parameters.

    A layer of one's own declares its parameters, gives them their first numbers, and fills in `forward` and
    `backward`. The network sees to the memory: `gain` below and its gradient, `grad_gain`, are views into its vectors.

    Attributes
    ----------
    frozen : bool
        Whether `train` leaves the layer's parameters as they are; False by default.
    input_shape : tuple of int or None
        Of one sample; None for a layer that takes any.

    Examples
    --------
    >>> class Scale(Layer):
    ...     gain = Parameter()
    ...
    ...     def __init__(self, n):
    ...         self.gain = np.ones(n)
    ...
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self.gain * x
    ...
    ...     def backward(self, grad_output):
    ...         self.grad_gain[...] = (grad_output * self.x).sum(axis=0)
    ...         return grad_output * self.gain
    >>> layer = Scale(2)
    >>> layer.gain = [3.0, 4.0]
    >>> layer.forward(np.ones((1, 2)))
    array([[3., 4.]])
    >>> layer.parameters
    {'gain': array([3., 4.])}
    """

    frozen: bool = False
    input_shape: tuple[int, ...] | None = None
    passing: ClassVar[tuple[str, ...]] = ()
    """What the passes leave in the layer: a copy starts without it."""
    _parameter_names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = tuple(name for name, value in vars(cls).items() if isinstance(value, Parameter))
        cls._parameter_names += own

    @property
    def parameters(self) -> dict[str, Array]:
        """What the layer learns, by name."""
        return {name: getattr(self, name) for name in self._parameter_names}

    @property
    def gradients(self) -> dict[str, Array]:
        """dL/d(parameter) of the last `backward`, by the parameter's name."""
        return {name: getattr(self, f"grad_{name}") for name in self._parameter_names}

    @property
    def n_parameters(self) -> int:
        """How many numbers the layer learns."""
        return sum(array.size for array in self.parameters.values())

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what comes out for one sample of this shape; by default the same.

        Raises
        ------
        ValueError
            If the layer cannot take such samples, with what it takes.
        """
        return input_shape

    def use_memory(self, parameters: Array, gradients: Array) -> None:
        """Keep the parameters, and their gradients, as views into these vectors, one parameter after the other.

        So a network has all its parameters in one vector, and an optimizer updates them all at once.

        Parameters
        ----------
        parameters, gradients : array, shape (n_parameters,)
            The layer's present numbers are copied into `parameters`.
        """
        end = 0
        for name, array in self.parameters.items():
            start, end = end, end + array.size
            view = parameters[start:end].reshape(array.shape)
            view[...] = array
            setattr(self, f"_{name}", view)
            setattr(self, f"grad_{name}", gradients[start:end].reshape(array.shape))

    def forward(self, x: Array) -> Array:
        """From the layer's input to its output, keeping what `backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} has no forward pass.")

    def backward(self, grad_output: Array) -> Array:
        """From dL/d(output) to dL/d(input), setting the gradients of the parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no backward pass.")

    def backward_parameters(self, grad_output: Array) -> None:
        """The same without dL/d(input), which training has no use for in the first layer."""
        self.backward(grad_output)

    def predict(self, x: Array) -> Array:
        """From the layer's input to its output as it is in use; by default what `forward` gives."""
        return self.forward(x)

    def __getstate__(self) -> dict[str, Any]:
        # A copy starts with its own numbers, without the last batch, and belongs to no network.
        left = {"_network", *self.passing, *(f"grad_{name}" for name in self._parameter_names)}
        kept = {name: value for name, value in vars(self).items() if name not in left}
        return kept | {f"_{name}": array.copy() for name, array in self.parameters.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._use_own_memory()

    def _use_own_memory(self) -> None:
        parameters = np.concatenate([np.empty(0), *(array.ravel() for array in self.parameters.values())])
        dtype = next((array.dtype for array in self.parameters.values()), np.dtype(np.float64))
        self.use_memory(parameters.astype(dtype), np.zeros(len(parameters), dtype))


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
        If a size is below 1, or a name is unknown.
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
        if n_in < 1 or n_out < 1:
            raise ValueError(f"a layer needs at least one input and one output, not {n_in} and {n_out}.")
        self.n_in, self.n_out = n_in, n_out
        self.activation = activations.get(activation)
        rng = np.random.default_rng(seed)
        self.W = np.asarray(initializers.get(initializer)((n_out, n_in), rng), dtype=dtype)
        self.b = np.zeros(n_out, dtype=dtype)
        self._use_own_memory()

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """(n_in,)."""
        return (self.n_in,)

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """(n_out,) for samples of n_in numbers.

        Raises
        ------
        ValueError
            For other samples.
        """
        if input_shape != (self.n_in,):
            raise ValueError(f"takes {self.n_in} numbers")
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


class Dropout(Layer):
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

    passing = ("mask",)

    def __init__(self, rate: float, *, seed: Seed = None) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"a dropout rate is at least 0 and below 1, not {rate}.")
        self.rate = rate
        self.rng = np.random.default_rng(seed)

    def forward(self, x: Array) -> Array:
        """From x, of any shape, to m ⊙ x with newly drawn m; keeps m."""
        self.mask = (self.rng.random(x.shape) >= self.rate).astype(x.dtype) / (1 - self.rate)
        return x * self.mask

    def backward(self, grad_a: Array) -> Array:
        """dL/dx = m ⊙ dL/da."""
        return grad_a * self.mask

    def predict(self, x: Array) -> Array:
        """x as it is: nothing is dropped in use."""
        return x

    def __repr__(self) -> str:
        return f"Dropout({self.rate})"
