"""Numerical derivatives, to hold the ones written by hand against.

A derivative is the limit of a difference quotient, so a small difference must nearly give it, whatever the
formula was. Two ways:

- central differences, (f(x + h) − f(x − h)) / 2h: works for everything. The formula's error falls as h², the
  rounding error grows as ε / h; with h near ε^(1/3) ≈ 6e-6 both are about 1e-10.
- the complex step, Im f(x + ih) / h (Squire & Trapp 1998): no difference, so no cancellation, and h can be 1e-30;
  exact to the last digits, for functions that compute with complex numbers.
"""

import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from byhand import losses
from byhand._types import Array
from byhand.activations import Activation
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
    x : array of any shape, list or number
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
    x : array of any shape, list or number
        Where. It is not changed.

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
    >>> complex_step_gradient(lambda x: np.exp(x).sum(), [0.0, 1.0]) - np.exp([0.0, 1.0])
    array([0., 0.])
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
    kinks : array of bool, of the same shape
        Where the loss has a corner (a ReLU unit at 0, say) within the step: the slopes to the left and to the
        right differ there, so that there is no derivative to compare with. That is no mistake.
    noise : array, of the same shape
        How exactly each numerical derivative can be known at all: rounding changes the loss L by some ε |L|, and a
        central difference divides that by h; a kink near by adds to it. Absolute; for the complex step 0, or
        nearly. Where it is larger than the gradient (as it is deep in a saturated network), only the complex step can
        judge.
    rounding : float
        How far the gradient in the network's own precision is from the one in float64, relative to the largest
        element: 0 for float64, some 1e-7 to 1e-5 for float32. That is no mistake either.

    Examples
    --------
    >>> network = Network.dense([2, 1], "identity", initializer="zeros")
    >>> W = check_gradients(network, [[1.0, 2.0]], [[3.0]], "sum_of_squares").comparisons[0]
    >>> W.name, W.written, W.numerical.round(6)
    ('layer 1: W', array([[ -6., -12.]]), array([[ -6., -12.]]))
    """

    name: str
    written: Array
    numerical: Array
    kinks: npt.NDArray[np.bool_]
    noise: Array
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
        if self.noise.max() > 1e-7 * _largest(self.written, self.numerical):
            notes.append(f"known to {self.noise.max():.1e} only: method='complex' is exact")
        if self.rounding:
            notes.append(f"rounding {self.rounding:.1e}")
        return f"{self.name}: {', '.join(notes)}"


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradients` found, parameter by parameter; printed, it is one line for each.

    Attributes
    ----------
    comparisons : list of Comparison
        Each parameter of each layer in order, and the input.

    Examples
    --------
    >>> network = Network.dense([2, 1], "sigmoid", seed=0)
    >>> report = check_gradients(network, [[1.0, 2.0]], [[1.0]], "sum_of_squares", method="complex")
    >>> len(report.comparisons), report.relative_error < 1e-15
    (3, True)
    """

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

    The formulas are checked in float64, on a copy of the network, so that a float32 network's rounding is not taken for
    a mistake; how large the rounding is, the report tells. Where there is chance, as in dropout, each pass has the same
    random numbers. Where written and numerical derivative differ, that alone is no accusation: smaller steps, the
    complex step and the signs of z tell whether a kink lies within the step.

    Parameters
    ----------
    network : Network
        It is not changed.
    x, y : array, shapes (n, n_in) and (n, n_out), or what the network takes and gives
        A few samples are enough: the cost is two forward passes for each number, some more where there is doubt.
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
        If a gradient is wrong: which one, where, and both values. Also if `backward` adds to what an earlier call left
        in the gradients, or leaves it there.
    ValueError
        If shapes don't fit.

    Examples
    --------
    >>> network = Network.dense([2, 3, 1], "tanh", seed=0)
    >>> report = check_gradients(network, [[0.0, 1.0], [1.0, 1.0]], [[1.0], [0.0]], "sum_of_squares")
    >>> [comparison.name for comparison in report.comparisons]
    ['layer 1: W', 'layer 1: b', 'layer 2: W', 'layer 2: b', 'input']
    >>> report.relative_error < 1e-7
    True
    """
    loss = losses.get(loss)
    x = network.as_batch(x)
    y = np.asarray(y, dtype=np.float64)
    own = deepcopy(network)
    exact = own.astype(np.float64)
    checker = _Checker(exact, x.astype(np.float64), y, loss, method, tolerance)
    written, rounded = _written(exact, x, y, loss), _written(own, x, y, loss)
    comparisons = []
    for argument in ("parameters", "input"):
        numbers = checker.differentiate(argument, written[argument])
        arrays = (written[argument], rounded[argument], numbers.values, numbers.noise, numbers.kinks)
        for parts in zip(*(_parts(exact, argument, array) for array in arrays), strict=True):
            name, (by_hand, in_own_precision, by_numbers, noise, at_kink) = parts[0][0], [part for _, part in parts]
            rounding = np.abs(by_hand - in_own_precision).max() / _largest(by_hand, in_own_precision)
            comparisons.append(Comparison(name, by_hand, by_numbers, at_kink, noise, float(rounding)))
    _raise_if_wrong(comparisons, tolerance)
    return GradientReport(comparisons)


def _written(network: Network, x: Array, y: Array, loss: Loss) -> dict[str, Array]:
    """The gradients as the network's own forward and backward pass compute them.

    Raises
    ------
    GradientMismatch
        If they depend on what was in the gradients before.
    """
    dtype, chance = network.parameters.dtype, _Chance(network)
    after = []
    for before in (0.0, 1.0):
        network.gradients[:] = before
        y_hat = chance.forward(network, x.astype(dtype))
        grad_x = network.backward(loss.gradient(y_hat, y.astype(dtype)))
        after.append(network.gradients.copy())
    for (name, clean), (_, filled) in zip(*(_parts(network, "parameters", g) for g in after), strict=True):
        if not np.array_equal(clean, filled, equal_nan=True):
            i = tuple(np.argwhere(clean != filled)[0])
            raise GradientMismatch(
                f"{name}{_index(i)}: with 0 in the gradients before it backward gives {clean[i]:.10g}, with 1 "
                f"{filled[i]:.10g}. It has to set the gradients (=), not to add to them (+=), and all of them."
            )
    return {"parameters": after[0], "input": grad_x}


class _Chance:
    """The random numbers that the layers of a network are about to draw, to be drawn again."""

    def __init__(self, network: Network) -> None:
        self.states = [rng.bit_generator.state for rng in self._generators(network)]

    @staticmethod
    def _generators(network: Network) -> list[np.random.Generator]:
        return [layer.rng for layer in network.every_layer if layer.rng is not None]

    def forward(self, network: Network, x: Array) -> Array:
        """The output of the network, or of a copy of it, with these random numbers."""
        for rng, state in zip(self._generators(network), self.states, strict=True):
            rng.bit_generator.state = state
        return network.forward(x)


def _parts(network: Network, argument: str, values: npt.NDArray[Any]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Values for all parameters, or for the input, by name and in their own shapes."""
    if argument == "input":
        yield "input", values
        return
    end = 0
    for place, layer in network.walk():
        for name, array in layer.parameters.items():
            start, end = end, end + array.size
            yield f"layer {place}: {name}", values[start:end].reshape(array.shape)


def _index(i: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, i))}]"


def _largest(a: Array, b: Array) -> float:
    """The largest magnitude in both: by it differences are measured, as an element that should be 0 has none."""
    return float(max(np.abs(a).max(), np.abs(b).max(), np.finfo(np.float64).tiny))


@dataclass
class _Numbers:
    """Numerical derivatives, how exactly each is known, and where there is none because of a kink."""

    values: Array
    noise: Array
    kinks: npt.NDArray[np.bool_]


class _Checker:
    """The numerical derivatives of a network's loss, looked at more closely where they differ from the written ones."""

    def __init__(self, network: Network, x: Array, y: Array, loss: Loss, method: str, tolerance: float) -> None:
        self.probes = {np.dtype(kind): network.astype(kind) for kind in (np.float64, np.complex128)}
        self.network, self.chance = network, _Chance(network)
        self.at = {"input": x, "parameters": network.parameters.copy()}
        self.y, self.loss, self.method, self.tolerance = y, loss, method, tolerance
        below, above = loss.terms_gradient(np.array([[-1e-9], [1e-9]]), np.zeros((2, 1))).ravel()
        self.loss_has_kink = abs(above - below) > 1e-6

    def loss_at(self, argument: str, value: npt.NDArray[Any]) -> Any:
        """The loss with another value for the parameters or the input; complex if that is."""
        given = self.at | {argument: value}
        self.probe = self.probes[value.dtype]
        self.probe.parameters[:] = given["parameters"]
        self.y_hat = self.chance.forward(self.probe, given["input"].astype(value.dtype))
        return self.loss.value(self.y_hat, self.y)

    def differentiate(self, argument: str, written: Array) -> _Numbers:
        """The derivatives by the parameters or the input."""

        def f(value: npt.NDArray[Any]) -> Any:
            return self.loss_at(argument, value)

        at = self.at[argument]
        central = self.method == "central"
        values = numerical_gradient(f, at) if central else complex_step_gradient(f, at)
        noise = np.full(at.shape, _rounding(f(at), _STEP) if central else 0.0)
        numbers = _Numbers(values, noise, np.zeros(at.shape, dtype=bool))
        allowed = np.empty(at.shape)  # as `_raise_if_wrong` measures: by the largest element of the same array
        views = (_parts(self.network, argument, array) for array in (allowed, written, values))
        for (_, view), (_, by_hand), (_, by_numbers) in zip(*views, strict=True):
            view[...] = self.tolerance * _largest(by_hand, by_numbers)
        doubtful = ~(np.abs(written - values) <= allowed + noise)
        if not doubtful.any():
            return numbers
        exact = None if central else values.copy()
        for i in map(tuple, np.argwhere(doubtful)):
            values[i], noise[i], numbers.kinks[i] = self._closer(f, at, i, allowed[i])
        numbers.kinks &= np.isfinite(written)
        if central:
            exact = self._complex_step(f, at, numbers, allowed)
        if exact is not None:  # and it agrees with the differences as far as these are known
            agrees = doubtful & ~numbers.kinks & (np.abs(exact - values) <= allowed + noise)
            agrees |= numbers.kinks & (np.abs(exact - written) <= allowed)
            values[agrees], numbers.kinks[agrees] = exact[agrees], False
            noise[agrees] = self._rounding_of_backward(argument)[agrees]
        return numbers

    def _rounding_of_backward(self, argument: str) -> Array:
        """How much the written gradient changes when all numbers change in their last digits.

        That is next to nothing, but where it is 0 because large terms cancel, as for a bias before a batch norm: what
        is left of them is rounding, and no mistake.
        """
        rng, moved = np.random.default_rng(0), deepcopy(self.network)
        written = []
        for size in (0.0, *[4 * np.finfo(np.float64).eps] * 4):
            x, parameters = (at * (1 + size * rng.standard_normal(at.shape)) for at in self.at.values())
            moved.parameters[:] = parameters
            y_hat = self.chance.forward(moved, x)
            grad_x = moved.backward(self.loss.gradient(y_hat, self.y))
            written.append(grad_x if argument == "input" else moved.gradients.copy())
        return 4 * np.abs(np.array(written[1:]) - written[0]).max(axis=0)

    def _complex_step(self, f: Callable[..., Any], at: Array, numbers: _Numbers, allowed: Array) -> Array | None:
        """The derivatives by the complex step; None where the formulas do not take complex numbers, as abs does not.

        That shows in elements which are known well by central differences.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                exact = complex_step_gradient(f, at)
        except Exception:  # whatever a formula of the user's own makes of complex numbers
            return None
        known = ~numbers.kinks & (numbers.noise <= 100 * allowed)
        agrees = np.abs(exact - numbers.values) <= allowed + numbers.noise
        return exact if (agrees | numbers.kinks).all() and (np.abs(exact[known]) > 100 * allowed[known]).any() else None

    def _closer(
        self, f: Callable[..., Any], at: Array, i: tuple[int, ...], allowed: float
    ) -> tuple[float, float, bool]:
        """A central difference whose step is chosen; how exactly it is known; and whether no step leaves all kinks out.

        A kink lies within the step where the z of a ReLU unit changes its sign, or where the slopes of the step's four
        quarters don't differ evenly, as those of a smooth function do (by h f″ / 2); how far they don't is how far the
        derivative isn't known. A smaller step may leave the kink outside, but has more rounding.
        """
        best = (np.nan, np.inf, True)
        for h in max(1.0, float(abs(at[i]))) * _STEP * 10.0 ** -np.arange(5):
            values, signs = [], []
            for step in h * np.array([-1, -0.5, 0, 0.5, 1]):
                values.append(np.real(_at(f, at, i, step)))
                signs.append(self._signs())
            bend, rounding = float(np.ptp(np.diff(values, n=2) / (h / 2))), _rounding(values[2], h)
            noise = rounding + (4 * bend if bend > rounding else 0.0)
            crosses = any(not np.array_equal(here, signs[2]) for here in signs)
            at_a_kink = crosses or bend > max(rounding, allowed)
            if best[2] > at_a_kink or (best[2] == at_a_kink and noise < best[1]):
                best = (values[4] - values[0]) / (2 * h), noise, at_a_kink
        return best

    def _signs(self) -> npt.NDArray[Any]:
        """The signs of all z, in the last forward pass, of units with a kink at 0; and of ŷ − y if the loss has one."""
        signs = [
            np.sign(np.real(layer.z)).ravel()
            for layer in self.probe.every_layer
            if isinstance(f := getattr(layer, "activation", None), Activation) and _has_kink(f) and hasattr(layer, "z")
        ]
        if self.loss_has_kink:
            signs.append(np.sign(np.real(self.y_hat) - self.y).ravel())
        return np.concatenate([np.empty(0), *signs])


def _has_kink(activation: Activation) -> bool:
    """Whether the slopes on the two sides of 0 differ."""
    z = np.array([-1e-9, 1e-9])
    left, right = np.broadcast_to(activation.derivative(z, activation.function(z)), 2)
    return bool(abs(right - left) > 1e-6)


def _rounding(value: Any, h: float) -> float:
    """How much of a difference quotient may be rounding, for a function of about that value."""
    return float(16 * np.finfo(np.float64).eps * abs(value) / h)


def _raise_if_wrong(comparisons: list[Comparison], tolerance: float) -> None:
    wrong = [c for c in comparisons if not c.relative_error <= tolerance]
    if not wrong:
        return
    lines = []
    for c in wrong:
        errors = np.nan_to_num(c.errors, nan=np.inf)
        i = tuple(np.argwhere(errors == errors.max())[0])
        count = np.count_nonzero(~(c.errors <= tolerance))
        lines.append(
            f"{c.name}{_index(i)}: backward gives {c.written[i]:.10g}, "
            f"the numerical derivative is {c.numerical[i]:.10g} "
            f"(relative error {c.relative_error:.1e}; {count} of {c.errors.size} elements differ)"
        )
    raise GradientMismatch("the gradient is not the derivative of the loss\n  " + "\n  ".join(lines))
