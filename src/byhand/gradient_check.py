"""Numerical derivatives, to hold the ones written by hand against.

A derivative is the limit of a difference quotient, so a small difference must nearly give it, whatever the
formula was. Two ways:

- central differences, (f(x + h) − f(x − h)) / 2h: works for everything. The formula's error falls as h², the
  rounding error grows as ε / h; with h near ε^(1/3) ≈ 6e-6 both are about 1e-10.
- the complex step, Im f(x + ih) / h (Squire & Trapp 1998): no difference, so no cancellation, and h can be 1e-30;
  exact to the last digits, for functions that compute with complex numbers.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from byhand import losses
from byhand._types import Array
from byhand.layers import Dense, Dropout
from byhand.losses import Loss
from byhand.network import Network

_STEP = 6e-6  # the cube root of float64's ε


def numerical_gradient(f: Callable[[Array], float], x: npt.ArrayLike, step: float = _STEP) -> Array:
    """The derivative of a scalar function by every element of its argument, by central differences.

    (f(x + h) − f(x − h)) / 2h for one element at a time, with h = step · max(1, |xᵢ|).

    Parameters
    ----------
    f : callable
        From an array like x to a number.
    x : array, list or number
        Where. It is not changed.
    step : float
        The default suits float64, in which everything is computed.

    Returns
    -------
    array
        Of the shape of x.

    Raises
    ------
    ValueError
        If f doesn't give one number.

    Examples
    --------
    >>> numerical_gradient(lambda x: (x**2).sum(), [1.0, 3.0]).round(6)
    array([2., 6.])
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        h = step * max(1.0, float(abs(x[i])))
        gradient[i] = (_at(f, x, i, h) - _at(f, x, i, -h)) / (2 * h)
    return gradient


def complex_step_gradient(f: Callable[[npt.NDArray[np.complexfloating]], complex], x: npt.ArrayLike) -> Array:
    """The derivative of a scalar function by every element of its argument, by the complex step.

    Im f(x + ih) / h for one element at a time, with h = 1e-30.

    Parameters
    ----------
    f : callable
        From a complex array like x to a complex number, by formulas that mean the same for complex numbers
        (so without `abs` and `float`).
    x : array, list or number
        Where. It is not changed.

    Returns
    -------
    array
        Of the shape of x.
    """
    x = np.array(x, dtype=np.complex128)
    gradient = np.empty(x.shape)
    h = 1e-30
    for i in np.ndindex(x.shape):
        gradient[i] = np.imag(_at(f, x, i, 1j * h)) / h
    return gradient


def _at(f: Callable[..., Any], x: npt.NDArray[Any], i: tuple[int, ...], h: complex) -> Any:
    moved = x.copy()
    moved[i] += h
    value = np.asarray(f(moved))
    if value.size != 1:
        raise ValueError(f"a gradient needs a function whose result is one number, not of shape {value.shape}.")
    return value.item()


class GradientMismatch(AssertionError):
    """A gradient that is not the derivative of its loss."""


@dataclass(frozen=True)
class Comparison:
    """The gradient by one parameter (or by the input): as written by hand, and as the numbers say.

    Attributes
    ----------
    name : str
        For example "layer 1: W" (the first layer's), or "input".
    written, numerical : array
        Of the parameter's shape, both in float64.
    kinks : array of bool
        Where the loss has a corner (a ReLU unit at 0, say) within the step: the slopes to the left and to the
        right differ there, so that there is no derivative to compare with. That is no mistake.
    noise : float
        How exactly the numerical derivative can be known at all: rounding changes the loss L by some ε |L|, and a
        central difference divides that by h. Absolute; 0 for the complex step. Where it is larger than the
        gradient (as it is deep in a saturated network), only the complex step can judge.
    rounding : float
        How far the gradient in the network's own precision is from the one in float64, relative to the largest
        element: 0 for float64, some 1e-7 to 1e-5 for float32. That is no mistake either.
    """

    name: str
    written: Array
    numerical: Array
    kinks: npt.NDArray[np.bool_]
    noise: float
    rounding: float

    @property
    def errors(self) -> Array:
        """|written − numerical| beyond the noise, relative to the largest element of both arrays; 0 at a kink."""
        beyond_noise = np.maximum(np.abs(self.written - self.numerical) - self.noise, 0)
        return np.where(self.kinks, 0.0, beyond_noise / _largest(self.written, self.numerical))

    @property
    def relative_error(self) -> float:
        """The largest of `errors` (NaN if one is)."""
        return float(self.errors.max())

    def __str__(self) -> str:
        notes = [f"largest relative error {self.relative_error:.1e}"]
        if self.kinks.any():
            notes.append(f"{self.kinks.sum()} of {self.kinks.size} at a kink")
        if self.noise > 1e-7 * _largest(self.written, self.numerical):
            notes.append(f"known to {self.noise:.1e} only: method='complex' is exact")
        if self.rounding:
            notes.append(f"rounding {self.rounding:.1e}")
        return f"{self.name}: {', '.join(notes)}"


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradients` found, parameter by parameter; printed, it is one line for each."""

    comparisons: list[Comparison]

    @property
    def relative_error(self) -> float:
        """The largest relative error of all."""
        return max(comparison.relative_error for comparison in self.comparisons)

    def __str__(self) -> str:
        return "\n".join(map(str, self.comparisons))


def check_gradients(
    network: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss,
    *,
    method: Literal["central", "complex"] = "central",
    tolerance: float = 1e-7,
) -> GradientReport:
    """Hold what `backward` computes against numerical derivatives, for every parameter and for the input.

    The formulas are checked in float64, on a copy of the network (without its dropout, which is random), so that
    a float32 network's rounding is not taken for a mistake; how large the rounding is, the report tells.

    Parameters
    ----------
    network : Network
        It is not changed.
    x, y : array, shapes (n, n_in) and (n, n_out)
        A few samples are enough: the cost is two forward passes for each number.
    loss : str or Loss
    method : {"central", "complex"}
        Central differences, or the complex step, for which every formula must take complex numbers.
    tolerance : float
        The largest relative error that still counts as right; see `Comparison.errors`.

    Returns
    -------
    GradientReport

    Raises
    ------
    GradientMismatch
        If a gradient is wrong: which one, where, and both values.
    ValueError
        If shapes don't fit.
    """
    loss = losses.get(loss)
    x = network.as_batch(x)
    y = np.asarray(y, dtype=np.float64)
    own = Network([layer for layer in deepcopy(network).layers if not isinstance(layer, Dropout)])
    exact = own.astype(np.float64)
    probe = exact.astype(np.float64 if method == "central" else np.complex128)
    differentiate: Callable[..., Array] = numerical_gradient if method == "central" else complex_step_gradient

    def loss_at(parameters: npt.NDArray[Any], x: npt.NDArray[Any]) -> Any:
        probe.parameters[:] = parameters
        return loss.value(probe.forward(x.astype(probe.parameters.dtype)), y)

    arguments: dict[str, tuple[Callable[[Array], Any], Array]] = {
        "parameters": (lambda parameters: loss_at(parameters, x), exact.parameters),
        "input": (lambda x: loss_at(exact.parameters, x), x.astype(np.float64)),
    }
    written, rounded = _written(exact, x, y, loss), _written(own, x, y, loss)
    comparisons = []
    for argument, (f, at) in arguments.items():
        noise = 16 * np.finfo(np.float64).eps * abs(f(at)) / _STEP if method == "central" else 0.0
        numerical, kinks = _look_closer(f, at, written[argument], differentiate(f, at), tolerance, noise)
        of_parts = (_parts(exact, a) for a in (written[argument], rounded[argument], numerical, kinks))
        for (name, by_hand), (_, in_own_precision), (_, by_numbers), (_, at_kink) in zip(*of_parts, strict=True):
            rounding = np.abs(by_hand - in_own_precision).max() / _largest(by_hand, in_own_precision)
            comparisons.append(Comparison(name, by_hand, by_numbers, at_kink, noise, float(rounding)))
    _raise_if_wrong(comparisons, tolerance)
    return GradientReport(comparisons)


def _written(network: Network, x: Array, y: Array, loss: Loss) -> dict[str, Array]:
    """The gradients as the network's own forward and backward pass compute them."""
    dtype = network.parameters.dtype
    y_hat = network.forward(x.astype(dtype))
    grad_x = network.backward(loss.gradient(y_hat, y.astype(dtype)))
    return {"parameters": network.gradients, "input": grad_x}


def _parts(network: Network, values: npt.NDArray[Any]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Values for all parameters, or for the input, by name and in their own shapes."""
    if values.ndim == 2:
        yield "input", values
        return
    start = 0
    for number, layer in enumerate(network.layers, 1):
        own = values[start : start + layer.n_parameters]
        if isinstance(layer, Dense):
            yield f"layer {number}: W", own[: layer.W.size].reshape(layer.W.shape)
            yield f"layer {number}: b", own[layer.W.size :]
        elif layer.n_parameters:
            yield f"layer {number}", own
        start += layer.n_parameters


def _largest(a: Array, b: Array) -> float:
    """The largest magnitude in both: by it differences are measured, as an element that should be 0 has none."""
    return float(max(np.abs(a).max(), np.abs(b).max(), np.finfo(np.float64).tiny))


def _look_closer(
    f: Callable[[Array], float], at: Array, written: Array, numerical: Array, tolerance: float, noise: float
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Where the two differ: a better numerical derivative, and whether the loss has a corner there."""
    numerical, kinks = numerical.copy(), np.zeros(at.shape, dtype=bool)
    here = np.real(f(at))
    threshold = tolerance * _largest(written, numerical) + noise
    for i in map(tuple, np.argwhere(~(np.abs(written - numerical) <= threshold))):
        h = _STEP * max(1.0, float(abs(at[i])))
        left, left_half, right_half, right = (
            (np.real(_at(f, at, i, step)) - here) / step for step in (-h, -h / 2, h / 2, h)
        )
        # Where the second derivative jumps (a ReLU unit at 0 that has no error yet), central differences are off
        # by a multiple of h; this combination of two steps cancels it.
        numerical[i] = (left_half + right_half) - (left + right) / 2
        # The slopes to both sides differ by h·f″ where the loss is smooth, which halves with h; at a corner it stays.
        kinks[i] = abs(right_half - left_half) > max(0.75 * abs(right - left), 4 * noise)
    return numerical, kinks


def _raise_if_wrong(comparisons: list[Comparison], tolerance: float) -> None:
    wrong = [c for c in comparisons if not c.relative_error <= tolerance]
    if not wrong:
        return
    lines = []
    for c in wrong:
        i = np.unravel_index(np.argmax(np.nan_to_num(c.errors, nan=np.inf)), c.errors.shape)
        count = np.count_nonzero(~(c.errors <= tolerance))
        where = f"[{', '.join(map(str, i))}]"
        lines.append(
            f"{c.name}{where}: backward gives {c.written[i]:.10g}, the numerical derivative is {c.numerical[i]:.10g} "
            f"(relative error {c.relative_error:.1e}; {count} of {c.errors.size} elements differ)"
        )
    raise GradientMismatch("the gradient is not the derivative of the loss\n  " + "\n  ".join(lines))
