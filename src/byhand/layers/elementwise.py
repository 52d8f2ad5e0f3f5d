"""An activation function as a layer of its own."""

from byhand import activations
from byhand._types import Array
from byhand.activations import Activation
from byhand.layers.base import Layer


class Elementwise(Layer):
    """An activation function as a layer of its own: a = f(z), for z of any shape.

    `Dense` and `Conv2D` have theirs within; this is for where something stands between, such as a normalization.

    Parameters
    ----------
    activation : str or Activation

    Examples
    --------
    >>> Elementwise("relu").forward(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    passing = ("z", "a")

    def __init__(self, activation: str | Activation) -> None:
        self.activation = activations.get(activation)

    @property
    def output_range(self) -> tuple[float, float]:  # type: ignore[override]
        """That of f."""
        return self.activation.range

    def forward(self, z: Array) -> Array:
        """From z to a = f(z); keeps both."""
        self.z = z
        self.a = self.activation.function(z)
        return self.a

    def backward(self, grad_a: Array) -> Array:
        """dL/dz = dL/da ⊙ f′(z)."""
        return grad_a * self.activation.derivative(self.z, self.a)

    def predict(self, z: Array) -> Array:
        """f(z), keeping nothing."""
        return self.activation.function(z)
