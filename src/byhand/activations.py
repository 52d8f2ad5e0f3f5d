"""Activation functions: each stands here once, with its derivative beside it.

A layer computes z = x Wᵀ + b and then a = f(z), element by element. Its backward pass needs f′(z), and for
several functions that is cheapest to write with a, which the forward pass has already computed: σ′ = a (1 − a).
So every derivative here is given both, as ``derivative(z, a)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from byhand._types import Array


@dataclass(frozen=True)
class Activation:
    """An element-wise function and its derivative, held against each other when they are put together.

    Parameters
    ----------
    name : str
        What it is called in messages, plots and files.
    function : callable
        f: an array z of any shape to a = f(z) of the same shape.
    derivative : callable
        f′: the arrays z and a = f(z) to f′(z), of the same shape. It may use either.

    Raises
    ------
    ValueError
        If f changes the shape, or if the derivative is not that of the function: it is compared with central
        differences (f(z + h) − f(z − h)) / 2h between −4 and 4, corners such as that of ReLU at 0 left out.

    Examples
    --------
    >>> square = Activation("square", lambda z: z**2, lambda z, a: 2 * z)
    >>> square([1.0, -3.0])
    array([1., 9.])
    """

    name: str
    function: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]

    def __post_init__(self) -> None:
        _check_derivative(self)

    def __call__(self, z: npt.ArrayLike) -> Array:
        """f(z), for an array of any shape, a list or a number."""
        z = np.asarray(z)
        return self.function(z if np.issubdtype(z.dtype, np.inexact) else z.astype(np.float64))

    def __repr__(self) -> str:
        return f"<activation {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Ours are pickled and copied by name; a user's own by its functions.
        if ACTIVATIONS.get(self.name) is self:
            return get, (self.name,)
        return Activation, (self.name, self.function, self.derivative)


def _check_derivative(activation: Activation, h: float = 1e-5, tolerance: float = 1e-5) -> None:
    z = np.linspace(-4.03, 3.97, 50).reshape(10, 5)
    a = activation.function(z)
    if np.shape(a) != z.shape:
        raise ValueError(
            f"activation {activation.name!r}: an array of shape {z.shape} came back as {np.shape(a)}. "
            "An activation works element by element; what mixes elements, as softmax does, belongs in the loss."
        )
    written = np.broadcast_to(activation.derivative(z, a), z.shape)
    right = (activation.function(z + h) - a) / h
    left = (a - activation.function(z - h)) / h
    numerical = (right + left) / 2
    scale = 1 + np.abs(numerical)
    # At a corner the two one-sided slopes differ by far more than the h·f″ of a smooth function.
    smooth = np.abs(right - left) <= 1e-2 * scale
    wrong = smooth & ~(np.abs(written - numerical) <= tolerance * scale)
    if wrong.any():
        i = tuple(np.argwhere(wrong)[0])
        raise ValueError(
            f"activation {activation.name!r}: the derivative does not match the function. At z = {z[i]:.4g} it says "
            f"{written[i]:.6g}, while (f(z + h) - f(z - h)) / 2h gives {numerical[i]:.6g}. "
            "Check the formula, and that it expects (z, a) in this order."
        )


def magnitude(z: Array) -> Array:
    """|z|, as z or −z, which unlike `numpy.abs` stays differentiable for the complex step of `gradient_check`."""
    return np.where(z > 0, z, -z)


def _sigmoid(z: Array) -> Array:
    # 1 / (1 + e⁻ᶻ) = eᶻ / (eᶻ + 1), and from 40 on it is 1 to the last digit: so no exponential overflows.
    a = np.exp(np.minimum(z, 40.0))
    a /= a + 1.0
    return a


identity = Activation(
    "identity",
    lambda z: z,
    lambda z, a: np.ones_like(z),
)
"""f(z) = z. Layers of it, however many, make one linear function."""

sigmoid = Activation(
    "sigmoid",
    _sigmoid,
    lambda z, a: a * (1.0 - a),
)
"""σ(z) = 1 / (1 + e⁻ᶻ), between 0 and 1. σ′ = σ (1 − σ), at most 1/4 (at 0) and nearly 0 for |z| > 5."""

tanh = Activation(
    "tanh",
    np.tanh,
    lambda z, a: 1.0 - a * a,
)
"""tanh(z) = 2 σ(2z) − 1, between −1 and 1."""

relu = Activation(
    "relu",
    lambda z: np.maximum(z, 0),
    lambda z, a: (z > 0).astype(z.dtype),
)
"""max(z, 0). It has no derivative at 0; as is usual, f′(0) = 0 here. Where z ≤ 0 on every sample, a unit is dead."""

leaky_relu = Activation(
    "leaky_relu",
    lambda z: np.where(z > 0, z, 0.01 * z),
    lambda z, a: np.where(z > 0, 1.0, 0.01).astype(z.dtype),
)
"""z where z > 0, else 0.01 z: never quite dead (Maas, Hannun & Ng 2013)."""

elu = Activation(
    "elu",
    lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    lambda z, a: np.where(z > 0, 1, a + 1),
)
"""z where z > 0, else eᶻ − 1, which goes to −1 (Clevert, Unterthiner & Hochreiter 2016)."""

softplus = Activation(
    "softplus",
    lambda z: np.maximum(z, 0) + np.log1p(np.exp(-magnitude(z))),
    lambda z, a: _sigmoid(z),
)
"""ln(1 + eᶻ), a ReLU without the corner; its derivative is σ. Written so that eᶻ cannot overflow."""

silu = Activation(
    "silu",
    lambda z: z * _sigmoid(z),
    lambda z, a: _sigmoid(z) * (1.0 + z - a),
)
"""z σ(z), also called swish (Elfwing, Uchibe & Doya 2018)."""

_GELU_SCALE = np.sqrt(2 / np.pi).item()
_GELU_CUBE = 0.044715


def _gelu_tanh(z: Array) -> Array:
    return np.tanh(_GELU_SCALE * (z + _GELU_CUBE * z * z * z))


def _gelu_derivative(z: Array, a: Array) -> Array:
    t = _gelu_tanh(z)
    return 0.5 * (1.0 + t) + 0.5 * z * (1.0 - t * t) * _GELU_SCALE * (1.0 + 3 * _GELU_CUBE * z * z)


gelu = Activation(
    "gelu",
    lambda z: 0.5 * z * (1.0 + _gelu_tanh(z)),
    _gelu_derivative,
)
"""z Φ(z), with the normal distribution's Φ(z) ≈ (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2: the approximation of
Hendrycks & Gimpel (2016), at most 5e-4 away from the exact one."""

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation for activation in (identity, sigmoid, tanh, relu, leaky_relu, elu, softplus, silu, gelu)
}


def get(activation: str | Activation) -> Activation:
    """The activation of that name; an `Activation` is handed back as it is.

    Raises
    ------
    ValueError
        If no activation has that name.
    """
    if isinstance(activation, Activation):
        return activation
    if activation not in ACTIVATIONS:
        hint = ""
        if activation == "softmax":
            hint = (
                " Softmax mixes the outputs of a layer, so it goes with the loss: "
                "identity on the last layer and the loss cross_entropy_from_logits."
            )
        raise ValueError(f"unknown activation {activation!r}; there are {', '.join(ACTIVATIONS)}.{hint}")
    return ACTIVATIONS[activation]


def softmax(z: Array, axis: int = -1) -> Array:
    """The probabilities eᶻₖ / Σⱼ eᶻⱼ of the classes, over one axis, by default the last.

    The largest z is subtracted first: it changes nothing (numerator and denominator have the same factor), and
    no exponential can overflow. In training it is fused with its loss: see `losses.cross_entropy_from_logits`.

    Parameters
    ----------
    z : array, shape (..., K)
        Logits.
    axis : int
        Along which the classes lie.

    Returns
    -------
    array, shape (..., K)
        Positive, and 1 in sum over that axis.
    """
    exponentials = np.exp(z - z.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)
