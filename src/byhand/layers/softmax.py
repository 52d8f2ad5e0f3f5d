"""Softmax as a layer, with the one Jacobian that isn't diagonal."""

import numpy as np

from byhand import activations
from byhand._types import Array
from byhand.layers.base import Layer


def softmax_backward(grad_a: Array, a: Array) -> Array:
    """From dL/da to dL/dz = a ⊙ (dL/da − Σₖ dL/daₖ aₖ), for a = softmax(z) along the last axis.

    ln aₖ = zₖ − ln Σⱼ e^zⱼ has the derivative δᵢₖ − aᵢ by zᵢ, where δᵢₖ is 1 if i = k and else 0. So
    ∂aₖ/∂zᵢ = aₖ (δᵢₖ − aᵢ): every output depends on every input. Σₖ dL/daₖ ∂aₖ/∂zᵢ is dL/daᵢ aᵢ − aᵢ Σₖ dL/daₖ aₖ.
    """
    return a * (grad_a - (grad_a * a).sum(axis=-1, keepdims=True))


class Softmax(Layer):
    """The probabilities a = softmax(z) = e^z / Σ e^z, along the last axis.

    For a classifier leave it out and take the loss cross_entropy_from_logits, which has it inside: there the Jacobian
    cancels, and no probability is rounded to 0 before its logarithm.

    Attributes
    ----------
    a : array, shape (n, …, K)
        The output of the last `forward`.

    Examples
    --------
    >>> Softmax().forward(np.array([[0.0, np.log(3.0)]])).round(6)
    array([[0.25, 0.75]])
    """

    output_range = (0.0, 1.0)
    passing = ("a",)

    def forward(self, z: Array) -> Array:
        """From z, shape (n, …, K), to probabilities of the same shape."""
        self.a = activations.softmax(z)
        return self.a

    def backward(self, grad_a: Array) -> Array:
        """From dL/da to dL/dz: the Jacobian times it, without ever making the Jacobian."""
        return softmax_backward(grad_a, self.a)

    def jacobian(self) -> Array:
        """∂aₖ/∂zᵢ of the last `forward`, shape (n, …, K, K): diag(a) − a aᵀ, which is symmetric."""
        a = self.a[..., None]
        return a * np.eye(a.shape[-2], dtype=a.dtype) - a * a.swapaxes(-1, -2)

    def predict(self, z: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        return activations.softmax(z)
