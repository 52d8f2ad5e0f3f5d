"""Layers within layers: one after the other, around a shortcut, and the same one at each step."""

from collections.abc import Sequence

from byhand._types import Array, Shape
from byhand.layers.base import Layer, shape_after


class Sequential(Layer):
    """Layers one after the other, as one layer: y = fₙ(… f₂(f₁(x))).

    Parameters
    ----------
    layers : sequence of Layer

    Raises
    ------
    ValueError
        In a network, if one's outputs don't fit the next one's inputs.

    Examples
    --------
    >>> from byhand import Dense
    >>> block = Sequential([Dense(4, 8, "relu", seed=0), Dense(8, 2, seed=1)])
    >>> block.output_shape((4,)), block.n_parameters
    ((2,), 58)
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)

    @property
    def input_shape(self) -> Shape | None:  # type: ignore[override]
        """That of the first layer."""
        return self.layers[0].input_shape if self.layers else None

    @property
    def output_range(self) -> tuple[float, float]:  # type: ignore[override]
        """That of the last layer."""
        return self.layers[-1].output_range if self.layers else Layer.output_range

    def output_shape(self, input_shape: Shape) -> Shape:
        """What the last layer gives."""
        return _inside(self.layers, input_shape)

    def forward(self, x: Array) -> Array:
        """From x to y, through the layers."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_output: Array) -> Array:
        """From dL/dy to dL/dx, through the layers in reverse: the chain rule."""
        for layer in reversed(self.layers):
            grad_output = layer.backward(grad_output)
        return grad_output

    def predict(self, x: Array) -> Array:
        """The same as `forward`, with the layers as they are in use."""
        for layer in self.layers:
            x = layer.predict(x)
        return x


class Residual(Sequential):
    """Layers with a shortcut around them: y = x + F(x), where F is the layers one after the other (He et al. 2016).

    dL/dx = dL/dy + (∂F/∂x)ᵀ dL/dy: the gradient comes through the shortcut as it is, however little F lets through.

    Parameters
    ----------
    layers : sequence of Layer
        Together they have to give the shape that they take.

    Examples
    --------
    >>> from byhand import Dense
    >>> Residual([Dense(2, 2, initializer="zeros")]).forward(np.array([[1.0, 2.0]]))
    array([[1., 2.]])
    """

    output_range = Layer.output_range

    def output_shape(self, input_shape: Shape) -> Shape:
        """The same as the input's.

        Raises
        ------
        ValueError
            If the layers give another shape: it could not be added to x.
        """
        after = _inside(self.layers, input_shape)
        if after != input_shape:
            raise ValueError(f"adds its input to its layers' output, and these make {after} of {input_shape}.")
        return input_shape

    def forward(self, x: Array) -> Array:
        """From x to y = x + F(x)."""
        return x + super().forward(x)

    def backward(self, grad_output: Array) -> Array:
        """From dL/dy to dL/dx, the sum of what comes through the shortcut and through the layers."""
        return grad_output + super().backward(grad_output)

    def predict(self, x: Array) -> Array:
        """x + F(x) as it is in use."""
        return x + super().predict(x)


class TimeDistributed(Layer):
    """One layer at each step of a sequence, or each place of an image: yₜ = f(xₜ).

    The steps are laid one under the other, as if each were a sample of its own: (n, T, n_in) becomes (n · T, n_in).
    So the gradients of the layer's parameters add up over the steps by themselves.

    Parameters
    ----------
    layer : Layer
        For samples of one axis, such as `Dense`.

    Examples
    --------
    >>> from byhand import Dense
    >>> TimeDistributed(Dense(3, 2, seed=0)).forward(np.ones((4, 5, 3))).shape
    (4, 5, 2)
    """

    passing = ("places",)

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.layers = [layer]

    @property
    def output_range(self) -> tuple[float, float]:  # type: ignore[override]
        """That of the layer."""
        return self.layer.output_range

    def output_shape(self, input_shape: Shape) -> Shape:
        """(T, n_out) for (T, n_in).

        Raises
        ------
        ValueError
            If the layer cannot take one step.
        """
        if len(input_shape) < 2:
            raise ValueError(f"takes sequences of shape (steps, features): for one sample of these, {self.layer}.")
        return (*input_shape[:-1], *_inside(self.layers, input_shape[-1:]))

    def _rows(self, values: Array) -> Array:
        return values.reshape(-1, values.shape[-1])

    def forward(self, x: Array) -> Array:
        """From x, shape (n, T, n_in), to y, shape (n, T, n_out)."""
        self.places = x.shape[:-1]
        return self.layer.forward(self._rows(x)).reshape(*self.places, -1)

    def backward(self, grad_output: Array) -> Array:
        """From dL/dy to dL/dx."""
        return self.layer.backward(self._rows(grad_output)).reshape(*self.places, -1)

    def predict(self, x: Array) -> Array:
        """The same with the layer as it is in use."""
        return self.layer.predict(self._rows(x)).reshape(*x.shape[:-1], -1)


def _inside(layers: Sequence[Layer], shape: Shape) -> Shape:
    try:
        return shape_after(layers, shape)
    except ValueError as error:
        raise ValueError(f"has layers within that don't fit: {error}") from None
