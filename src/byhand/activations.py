"""Activation functions: each stands here once, with its derivative beside it.

A layer computes z = x Wᵀ + b and then a = f(z), element by element. Its backward pass needs f′(z), and for
several functions that is cheapest to write with a, which the forward pass has already computed: σ′ = a (1 − a).
So every derivative here is given both, as ``derivative(z, a)``.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from byhand._types import Array
from byhand.formulas import Formula, described


@dataclass(frozen=True, repr=False)
class Activation:
    """An element-wise function and its derivative, held against each other when they are put together.

    It carries all that is said of it, too. Only name, function and derivative are needed.

    Parameters
    ----------
    name : str
        What it is called in messages, plots and files.
    function : callable
        f: an array z of any shape to a = f(z) of the same shape.
    derivative : callable
        f′: the arrays z and a = f(z) to f′(z), of the same shape. It may use either.
    range : (float, float)
        Below and above which numbers f(z) cannot go.
    formula, derivative_formula : Formula, optional
        f(z), whose text has the place {z}, and f′(z), with the places {z}, {a} and, for the number itself, {d}.
    about, source : str
        What else is worth saying, and where it comes from.

    Raises
    ------
    ValueError
        If f changes the shape, or if the derivative is not that of the function: it is compared with central
        differences (f(z + h) − f(z − h)) / 2h between −50 and 50, corners such as that of ReLU at 0 left out.

    Examples
    --------
    >>> square = Activation("square", lambda z: z**2, lambda z, a: 2 * z, formula=Formula("{z}²", "z^2", "z * z"))
    >>> square([1.0, -3.0])
    array([1., 9.])
    >>> square.formula.text
    'z²'
    """

    name: str
    function: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    _: KW_ONLY
    range: tuple[float, float] = (-np.inf, np.inf)
    formula: Formula | None = None
    derivative_formula: Formula | None = None
    about: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        _check_derivative(self)
        object.__setattr__(self, "__doc__", self._description())

    def _description(self) -> str:
        f, derivative = self.formula, self.derivative_formula
        return described(
            f"{self.name}(z) = {f.text}" if f else f"The activation {self.name}.",
            f"{self.name}′(z) = {derivative.text}" if derivative else "",
            self.about,
            f"Source: {self.source}." if self.source else "",
        )

    def __call__(self, z: npt.ArrayLike) -> Array:
        """f(z), for an array of any shape, a list or a number."""
        z = np.asarray(z)
        return self.function(z if np.issubdtype(z.dtype, np.inexact) else z.astype(np.float64))

    def __repr__(self) -> str:
        return f"<activation {self.name}{f': {self.formula.text}' if self.formula else ''}>"

    def __str__(self) -> str:
        return self.name

    def _repr_latex_(self) -> str | None:
        if self.formula is None:
            return None
        derivative = rf",\qquad f'(z) = {self.derivative_formula.latex}" if self.derivative_formula else ""
        return rf"$\displaystyle f(z) = {self.formula.latex}{derivative}$"

    def __reduce__(self) -> tuple[Any, ...]:
        # Ours are pickled and copied by name; a user's own by its parts.
        if ACTIVATIONS.get(self.name) is self:
            return get, (self.name,)
        said = {name: getattr(self, name) for name in ("range", "formula", "derivative_formula", "about", "source")}
        return partial(Activation, **said), (self.name, self.function, self.derivative)


# Closely around 0, where most happens, and ever more widely out to 50.
_TRIED = np.concatenate([np.linspace(-4.03, 3.97, 50), *(sign * np.geomspace(4.1, 50, 25) for sign in (-1, 1))])


def _check_derivative(activation: Activation, tolerance: float = 1e-5) -> None:
    z = _TRIED.reshape(20, 5)
    h = 1e-5 * np.maximum(1, np.abs(z))
    with np.errstate(all="ignore"):
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
        # Rounding changes f(z) by some ε |f(z)|, and a difference divides that by h.
        scale = 1 + np.abs(numerical) + 1e-10 * np.abs(a) / h
        # At a corner the two one-sided slopes differ by far more than the h·f″ of a smooth function.
        smooth = np.abs(right - left) <= 1e-2 * scale
        wrong = smooth & ~(np.abs(written - numerical) <= tolerance * scale)
    if wrong.any():
        i = min(map(tuple, np.argwhere(wrong)), key=lambda i: (abs(z[i]) > 4.05, z[i]))
        raise ValueError(
            f"activation {activation.name!r}: the derivative does not match the function. At z = {z[i]:.4g} it says "
            f"{written[i]:.6g}, while (f(z + h) - f(z - h)) / 2h gives {numerical[i]:.6g}. "
            "Check the formula, and that it expects (z, a) in this order."
        )


def magnitude(z: Array) -> Array:
    """|z|, as z or −z, which unlike `numpy.abs` stays differentiable for the complex step of `gradient_check`.

    Parameters
    ----------
    z : array, of any shape

    Returns
    -------
    array, shape of z

    Examples
    --------
    >>> magnitude(np.array([-2.0, 3.0]))
    array([2., 3.])
    """
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
    formula=Formula("{z}", "z", "z"),
    derivative_formula=Formula("1", "1", "np.ones_like(z)"),
    about="Layers of it, however many, make one linear function.",
)

sigmoid = Activation(
    "sigmoid",
    _sigmoid,
    lambda z, a: a * (1.0 - a),
    range=(0.0, 1.0),
    formula=Formula("1/(1 + e^(−{z}))", r"\frac{1}{1 + e^{-z}}", "1 / (1 + np.exp(-np.maximum(z, -708)))"),
    derivative_formula=Formula("{a}·(1 − {a})", r"a \, (1 - a)", "a * (1 - a)"),
    about="Also called logistic, and written σ. Its derivative is at most 1/4 (at 0) and nearly 0 for |z| > 5.",
)

tanh = Activation(
    "tanh",
    np.tanh,
    lambda z, a: 1.0 - a * a,
    range=(-1.0, 1.0),
    formula=Formula("tanh({z})", r"\tanh z", "np.tanh(z)"),
    derivative_formula=Formula("(1 − {a}²)", "1 - a^2", "1 - a * a"),
    about="The same as 2 σ(2z) − 1.",
)

relu = Activation(
    "relu",
    lambda z: np.maximum(z, 0),
    lambda z, a: (z > 0).astype(z.dtype),
    range=(0.0, np.inf),
    formula=Formula("max({z}, 0)", r"\max(z, 0)", "np.maximum(z, 0)"),
    derivative_formula=Formula("{d}", r"1 \text{ if } z > 0 \text{ else } 0", "1.0 * (z > 0)", "1 if z > 0 else 0"),
    about="It has no derivative at 0; as is usual, f′(0) = 0 here. Where z ≤ 0 on every sample, a unit is dead.",
)

leaky_relu = Activation(
    "leaky_relu",
    lambda z: np.where(z > 0, z, 0.01 * z),
    lambda z, a: np.where(z > 0, 1.0, 0.01).astype(z.dtype),
    formula=Formula("max({z}, 0.01·{z})", r"\max(z, 0.01\, z)", "np.where(z > 0, z, 0.01 * z)"),
    derivative_formula=Formula(
        "{d}", r"1 \text{ if } z > 0 \text{ else } 0.01", "np.where(z > 0, 1, 0.01)", "1 if z > 0 else 0.01"
    ),
    about="Never quite dead.",
    source="Maas, Hannun & Ng 2013",
)

elu = Activation(
    "elu",
    lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    lambda z, a: np.where(z > 0, 1, a + 1),
    range=(-1.0, np.inf),
    formula=Formula(
        "max({z}, 0) + e^(min({z}, 0)) − 1",
        r"\max(z, 0) + e^{\min(z, 0)} - 1",
        "np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)",
    ),
    derivative_formula=Formula(
        "{d}", r"1 \text{ if } z > 0 \text{ else } a + 1", "np.where(z > 0, 1, a + 1)", "1 if z > 0 else a + 1"
    ),
    about="z where z > 0, else eᶻ − 1, which goes to −1.",
    source="Clevert, Unterthiner & Hochreiter 2016",
)

softplus = Activation(
    "softplus",
    lambda z: np.maximum(z, 0) + np.log1p(np.exp(-magnitude(z))),  # ln(1 + eᶻ), so that eᶻ cannot overflow
    lambda z, a: _sigmoid(z),
    range=(0.0, np.inf),
    formula=Formula("ln(1 + e^({z}))", r"\ln(1 + e^z)", "np.logaddexp(0, z)"),
    derivative_formula=Formula("σ({z})", r"\sigma(z)", "sigmoid(z)"),
    about="A ReLU without the corner.",
    source="Dugas et al. 2001",
)

silu = Activation(
    "silu",
    lambda z: z * _sigmoid(z),
    lambda z, a: _sigmoid(z) * (1.0 + z - a),
    range=(-0.27846454276107, np.inf),
    formula=Formula("{z}·σ({z})", r"z\, \sigma(z)", "z * sigmoid(z)"),
    derivative_formula=Formula("σ({z})·(1 + {z} − {a})", r"\sigma(z)\,(1 + z - a)", "sigmoid(z) * (1 + z - a)"),
    about="Also called swish.",
    source="Elfwing, Uchibe & Doya 2018",
)

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
    range=(-0.17004075, np.inf),
    formula=Formula(
        "0.5·{z}·(1 + tanh(√(2/π)·({z} + 0.044715·{z}³)))",
        r"\tfrac{1}{2} z \, \big(1 + \tanh\big(\sqrt{2/\pi}\,(z + 0.044715\, z^3)\big)\big)",
        "0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))",
    ),
    derivative_formula=Formula(
        "{d}",
        r"\tfrac{1}{2} (1 + t) + \tfrac{1}{2} z (1 - t^2) \sqrt{2/\pi}\, (1 + 0.134145\, z^2), "
        r"\quad t = \tanh\big(\sqrt{2/\pi}\,(z + 0.044715\, z^3)\big)",
        "t = np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))\n"
        "0.5 * (1 + t) + 0.5 * z * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 0.134145 * z**2)",
        "0.5·(1 + t) + 0.5·z·(1 − t²)·√(2/π)·(1 + 0.134145·z²) with t = tanh(√(2/π)·(z + 0.044715·z³))",
    ),
    about="z Φ(z), with the normal distribution's Φ(z) approximated by a tanh: at most 5e-4 away from the exact one.",
    source="Hendrycks & Gimpel 2016",
)

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation for activation in (identity, sigmoid, tanh, relu, leaky_relu, elu, softplus, silu, gelu)
}


def get(activation: str | Activation) -> Activation:
    """The activation of that name; an `Activation` is handed back as it is.

    Parameters
    ----------
    activation : str or Activation

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If no activation has that name.

    Examples
    --------
    >>> get("relu")
    <activation relu: max(z, 0)>
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


def softmax(z: npt.ArrayLike, axis: int = -1) -> Array:
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

    Examples
    --------
    >>> softmax([[0.0, 0.0], [0.0, np.log(3.0)]]).round(6)
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    z = np.asarray(z)
    exponentials = np.exp(z - z.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)
