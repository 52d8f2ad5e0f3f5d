"""A network: forward through the layers, backward through the layers."""

import weakref
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from byhand._types import Array, Seed, Shape
from byhand.activations import Activation
from byhand.initializers import Draw
from byhand.layers.base import Layer, fits, shape_after
from byhand.layers.dense import Dense
from byhand.summary import Summary, summary


class Network:
    """Layers one after the other; the output of each is the input of the next.

    All parameters lie in one vector, and their gradients in another of the same layout (layer by layer, W row by
    row and then b); each layer's W, b, grad_W and grad_b are views into these. So an optimizer updates everything
    with one line, and a numerical derivative can go through everything with one loop.

    Parameters
    ----------
    layers : sequence of layers
        Each belongs to one network only.

    Attributes
    ----------
    layers : list
        network[0] is the first.
    every_layer : list
        These and those within them, in the order of `parameters`.
    weights : list of (layer, array, array of the same shape)
        The parameters with two axes or more and their gradients: what a penalty is for, as biases and gains are not.
    parameters, gradients : array, shape (n_parameters,)
    input_shape, output_shape : tuple of int or None
        Of one sample, with None where an axis may have any length; None alone where that is not known before there
        are samples.

    Raises
    ------
    ValueError
        If no layer learns, one stands there twice or in another network, one is tied to a layer elsewhere, one's
        outputs don't fit the next one's inputs, or their precisions differ.

    Examples
    --------
    >>> network = Network.dense([2, 10, 1], "sigmoid", seed=0)
    >>> network
    Network([Dense(2, 10, 'sigmoid'), Dense(10, 1, 'sigmoid')])
    >>> network.forward(np.zeros((4, 2))).shape
    (4, 1)
    >>> print(network.summary())
       layer                    output  parameters
    1  Dense(2, 10, 'sigmoid')      10          30
    2  Dense(10, 1, 'sigmoid')       1          11
    41 parameters; 328 bytes
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        if not any(layer.n_parameters for layer in self.layers):
            raise ValueError("a network needs at least one layer that learns, such as Dense(2, 1).")
        self.every_layer = [layer for _, layer in self.walk()]
        self._check_owners()
        self.input_shape = _input_shape(self.layers)
        self.output_shape = None if self.input_shape is None else shape_after(self.layers, self.input_shape)
        dtypes = {array.dtype for layer in self.every_layer for array in layer.parameters.values()}
        if len(dtypes) > 1:
            raise ValueError(f"all layers need one precision, not {' and '.join(sorted(map(str, dtypes)))}.")
        self._use_one_vector(dtypes.pop())
        for layer in self.every_layer:
            layer._network = weakref.ref(self)  # type: ignore[attr-defined]

    def _check_owners(self) -> None:
        """Refuse layers that stand somewhere else too, where it isn't said that they share."""
        ours = set(map(id, self.every_layer))
        if len(ours) < len(self.every_layer):
            raise ValueError(
                "each layer stands only once in a network: what its passes keep would be overwritten. To use the same "
                'numbers twice, make a second layer and tie its parameters, second.tie("W", first).'
            )
        for layer in self.every_layer:
            owner = getattr(layer, "_network", lambda: None)()
            if owner is not None and owner is not self:
                raise ValueError(
                    f"{layer} belongs to another network, which would stop learning without it. Take a copy, "
                    "copy.deepcopy(layer); for what a network's layers make of x there is network.activations(x)."
                )
            for name, (other, _) in layer._ties.items():
                if id(other) not in ours:
                    raise ValueError(f"{name} of {layer} is tied to {other}, which is not in this network.")

    def _use_one_vector(self, dtype: npt.DTypeLike) -> None:
        sizes = [layer.n_parameters for layer in self.layers]
        self.parameters: Array = np.zeros(sum(sizes), dtype=dtype)
        self.gradients: Array = np.zeros(sum(sizes), dtype=dtype)
        ends = np.cumsum(sizes)
        for layer, size, end in zip(self.layers, sizes, ends, strict=True):
            layer.use_memory(self.parameters[end - size : end], self.gradients[end - size : end])
        self.weights = [
            (layer, array, layer.gradients[name])
            for layer in self.every_layer
            for name, array in layer.parameters.items()
            if array.ndim > 1
        ]
        self._tied: list[tuple[Array, Array]] = []
        for layer in self.every_layer:
            layer.use_tied_memory()
            for name, values in layer.state.items():
                setattr(layer, name, values.astype(dtype))
            for name, (other, other_name) in layer._ties.items():
                self._tied.append((other.gradients[other_name], getattr(layer, f"grad_{name}")))

    @classmethod
    def dense(
        cls,
        sizes: Sequence[int],
        activations: str | Activation | Sequence[str | Activation],
        *,
        initializer: str | Draw = "glorot_uniform",
        seed: Seed = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> "Network":
        """A network of fully connected layers.

        Parameters
        ----------
        sizes : sequence of int
            The numbers of inputs, of units of each hidden layer, and of outputs: [2, 10, 1] has two layers.
        activations : str, Activation, or one for each layer
            For example ["relu", "identity"].
        initializer, dtype
            As in `Dense`.
        seed : int, Generator or None
            One stream for all layers, in order: the same seed gives the same network.

        Returns
        -------
        Network

        Raises
        ------
        ValueError
            If there are fewer than two sizes, or not one activation a layer.
        """
        n_layers = len(sizes) - 1
        if n_layers < 1:
            raise ValueError(f"sizes needs at least the inputs and the outputs, such as [2, 10, 1], not {list(sizes)}.")
        if isinstance(activations, str | Activation):
            activations = [activations] * n_layers
        if len(activations) != n_layers:
            raise ValueError(f"{n_layers} layers need {n_layers} activations, not {len(activations)}.")
        rng = np.random.default_rng(seed)
        return cls(
            [
                Dense(n_in, n_out, activation, initializer=initializer, seed=rng, dtype=dtype)
                for n_in, n_out, activation in zip(sizes[:-1], sizes[1:], activations, strict=True)
            ]
        )

    @property
    def n_parameters(self) -> int:
        """How many numbers the network learns."""
        return self.parameters.size

    def summary(self) -> Summary:
        """The layers with their output shapes and numbers of parameters: printed a table, in a notebook HTML."""
        return summary(self)

    @property
    def dense_layers(self) -> list[Dense]:
        """The fully connected layers, in order, with those within other layers."""
        return [layer for layer in self.every_layer if isinstance(layer, Dense)]

    def walk(self) -> Iterator[tuple[str, Layer]]:
        """Every layer with its place, counted from 1: "2", and after it "2.1", "2.2" and so on for those within it."""
        for number, layer in enumerate(self.layers, 1):
            yield from layer.walk(str(number))

    def forward(self, x: Array) -> Array:
        """From a batch x, shape (n, n_in), to ŷ, shape (n, n_out); each layer keeps what `backward` needs."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_y_hat: Array) -> Array:
        """From grad_y_hat, dL/dŷ, shape (n, n_out), to dL/dx, shape (n, n_in); leaves dL/d(parameters) in `gradients`.

        It only computes: to update is the optimizer's part. Call `forward` on the same batch first.
        """
        gradient = self.layers[0].backward(self._backward_to_first(grad_y_hat))
        self._add_tied()
        return gradient

    def backward_parameters(self, grad_y_hat: Array) -> None:
        """The same from grad_y_hat without dL/dx, which training has no use for: a third less in a wide first layer."""
        self.layers[0].backward_parameters(self._backward_to_first(grad_y_hat))
        self._add_tied()

    def _backward_to_first(self, gradient: Array) -> Array:
        for layer in reversed(self.layers[1:]):
            gradient = layer.backward(gradient)
        return gradient

    def _add_tied(self) -> None:
        for gradient, of_other_use in self._tied:
            gradient += of_other_use

    def predict(self, x: npt.ArrayLike) -> Array:
        """ŷ for a batch x, keeping nothing; without dropout.

        Parameters
        ----------
        x : array, shape (n, n_in)

        Returns
        -------
        array, shape (n, n_out)

        Raises
        ------
        ValueError
            If x is not a table of n_in columns.
        """
        x = self.as_batch(x)
        for layer in self.layers:
            x = layer.predict(x)
        return x

    def __call__(self, x: npt.ArrayLike) -> Array:
        """The same as `predict` of x."""
        return self.predict(x)

    def activations(self, x: npt.ArrayLike) -> list[Array]:
        """What each layer makes of a batch x, in order: its features; the last are `predict`'s. Keeps nothing.

        Parameters
        ----------
        x : array, shape (n, n_in)

        Returns
        -------
        list of array, shapes (n, units)

        Raises
        ------
        ValueError
            If x is not a table of n_in columns.

        Examples
        --------
        >>> network = Network.dense([2, 10, 1], "sigmoid", seed=0)
        >>> [a.shape for a in network.activations(np.zeros((4, 2)))]
        [(4, 10), (4, 1)]
        """
        a, of_layers = self.as_batch(x), []
        for layer in self.layers:
            a = layer.predict(a)
            of_layers.append(a)
        return of_layers

    @overload
    def __getitem__(self, index: int) -> Layer: ...
    @overload
    def __getitem__(self, index: slice) -> list[Layer]: ...
    def __getitem__(self, index: int | slice) -> Layer | list[Layer]:
        return self.layers[index]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def as_batch(self, x: npt.ArrayLike) -> Array:
        """x as an array of this network's precision, with one sample for each of its rows.

        Parameters
        ----------
        x : array, shape (n, n_in)

        Returns
        -------
        array, shape (n, n_in)

        Raises
        ------
        ValueError
            If it has another shape.
        """
        x = np.asarray(x, dtype=self.parameters.dtype)
        if self.input_shape is not None and not fits(x.shape[1:], self.input_shape):
            takes = ", ".join(["n", *("any" if size is None else str(size) for size in self.input_shape)])
            raise ValueError(f"inputs of shape {x.shape}: this network takes ({takes}), one row a sample.")
        if self.output_shape is None or None in self.output_shape or None in (self.input_shape or ()):
            shape_after(self.layers, x.shape[1:])  # what was not known when the network was made
        return x

    def astype(self, dtype: npt.DTypeLike) -> "Network":
        """A copy in another precision, such as "float32" for dtype.

        Raises
        ------
        ValueError
            If it is one of whole numbers.
        """
        if not np.issubdtype(dtype, np.inexact):
            raise ValueError(f"a network learns real numbers: its dtype is float64 or float32, not {np.dtype(dtype)}.")
        copy = deepcopy(self)
        copy._use_one_vector(dtype)
        return copy

    def __copy__(self) -> "Network":
        return deepcopy(self)  # two networks on one memory would undo each other's training

    def __getstate__(self) -> dict[str, Any]:
        # The views would become arrays of their own in a copy; the vectors are made anew instead.
        return {"layers": self.layers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["layers"])  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"Network({self.layers})"


def _input_shape(layers: Sequence[Layer]) -> Shape | None:
    """Of one sample: that of the first layer which asks for one, if those before it leave the shape as it is."""
    for layer in layers:
        if layer.input_shape is not None:
            return layer.input_shape
        if type(layer).output_shape is not Layer.output_shape:
            return None
    return None
