"""Symptoms: what is wrong with a network, read off its numbers.

Each rule is a function of plain arrays, so that it serves a `Network`, an ensemble whose runs lie on further axes
at the end, and the arrays of a script that somebody else wrote. `find` applies them all to a network, and `Watch`
does so during training. A rule states what is so, not what might be: a large learning rate is no symptom, a loss
that grows is; neither are inputs above 1.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from byhand import losses as losses_module
from byhand._types import Array
from byhand.activations import ACTIVATIONS, Activation
from byhand.layers import GRU, LSTM, RNN, Attention, BatchNorm, Conv2D, Dense, Dropout, Layer
from byhand.losses import Loss
from byhand.network import Network
from byhand.training import History, largest_learning_rate

SATURATION = 5.0
"""Where a sigmoid or tanh unit counts as saturated: σ′(5) = 0.0066 and tanh′(5) = 0.00018."""

RANGES = {name: activation.range for name, activation in ACTIVATIONS.items()} | {"softmax": (0.0, 1.0)}
"""Below and above which numbers an activation of that name cannot go."""


@dataclass(frozen=True)
class Symptom:
    """One thing that is wrong.

    Attributes
    ----------
    id : str
        A mistake's id in the catalogue of `byhand check` and `byhand why` (dead-relu-output, saturated-units, …), or,
        for what has no cause of its own, zero-gradient or stuck-at-constant; of layers that the catalogue does not
        have dead-filter, vanishing-through-time, exploding-through-time, uniform-attention, saturated-attention or
        batch-norm-mode.
    message : str
        What is so, in plain words with its numbers.
    layer : int or None
        Which layer of the network, counted from 1; None for what concerns the whole network.
    units : tuple of int
        Which units of that layer, counted from 0 as the rows of its W; the message counts them from 1, as layers.
    recovers : bool or None
        For dead units: whether gradient descent on these samples can bring them back.
    evidence : dict
        The numbers behind the message.

    Examples
    --------
    >>> network = Network.dense([1, 2, 1], ["identity", "relu"], initializer="zeros")
    >>> network[1].b = [-1.0]
    >>> symptom = find(network, [[0.0], [1.0]], [[0.0], [1.0]], "sum_of_squares")[0]
    >>> symptom.id, symptom.layer, symptom.units, symptom.evidence["largest_z"]
    ('dead-relu-output', 2, (0,), -1.0)
    """

    id: str
    message: str
    layer: int | None = None
    units: tuple[int, ...] = ()
    recovers: bool | None = None
    evidence: dict[str, float] = field(default_factory=dict)


# The rules


def dead_units(z: Array) -> npt.NDArray[np.bool_]:
    """Which ReLU units are dead: z ≤ 0 on every sample, so that output and gradient are 0 on all of them.

    Parameters
    ----------
    z : array, shape (n, ...)
        Pre-activations, samples on the first axis.

    Returns
    -------
    array of bool, shape (...)

    Examples
    --------
    >>> dead_units(np.array([[-1.0, 2.0], [0.0, -3.0]]))
    array([ True, False])
    """
    return np.asarray((z <= 0).all(axis=0))


def saturated_units(z: Array) -> npt.NDArray[np.bool_]:
    """Which sigmoid or tanh units are saturated: |z| ≥ 5 on more than half of the samples.

    It is harmless where the outputs are right: ask `is_high` of the loss too.

    Parameters
    ----------
    z : array, shape (n, ...)

    Returns
    -------
    array of bool, shape (...)

    Examples
    --------
    >>> saturated_units(np.array([[-9.0, 2.0], [8.0, -3.0]]))
    array([ True, False])
    """
    return np.asarray((np.abs(z) >= SATURATION).mean(axis=0) > 0.5)


def identical_units(*weights: Array) -> list[tuple[int, ...]]:
    """Groups of hidden units that are copies of each other, and so stay copies for ever.

    Two units get the same gradient when what comes in (rows of W, b) and what goes out (columns of the next W)
    are the same for both; if only one of these is, the next step tells them apart.

    Parameters
    ----------
    *weights : arrays, shape (n_units, ...)
        Everything that belongs to the units, one a row: W, b, and the next layer's W transposed.

    Returns
    -------
    list of tuples
        Groups of two or more, equal to a relative 1e-12.

    Examples
    --------
    >>> W, b, next_W = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]), np.zeros(3), np.ones((1, 3))
    >>> identical_units(W, b, next_W.T)
    [(0, 2)]
    """
    rows = np.concatenate([np.reshape(w, (len(w), -1)) for w in weights], axis=1)
    near = np.abs(rows[:, None] - rows[None, :]) <= 1e-12 * np.abs(rows)[:, None]
    same = near.all(axis=-1)
    groups = {tuple(np.flatnonzero(row).tolist()) for row in same}
    return sorted(group for group in groups if len(group) > 1)


def affine_r2(x: Array, y_hat: Array) -> float:
    """R² of the best affine function of x as an explanation of the outputs: 1 if the network is one on these samples.

    R² = 1 − Σ‖ŷ − (Ax + c)‖² / Σ‖ŷ − mean‖² with A and c by least squares.

    Parameters
    ----------
    x, y_hat : array, shapes (n, n_in) and (n, n_out)

    Returns
    -------
    float
        NaN where the question has no meaning: the outputs are constant, or so few samples (n ≤ n_in + 1) that
        an affine function fits anything.

    Examples
    --------
    >>> x = np.arange(5.0)[:, None]
    >>> round(affine_r2(x, 3 * x - 1), 12), abs(affine_r2(x - 2, (x - 2) ** 2)) < 1e-12
    (1.0, True)
    """
    n = len(x)
    x, y_hat = np.reshape(x, (n, -1)), np.reshape(y_hat, (n, -1))
    x_tilde = np.column_stack([x, np.ones(n)])
    spread = np.square(y_hat - y_hat.mean(axis=0)).sum()
    if np.linalg.matrix_rank(x_tilde) >= n or spread <= 1e-24 * np.square(y_hat).sum():
        return float("nan")
    residual = y_hat - x_tilde @ np.linalg.lstsq(x_tilde, y_hat, rcond=None)[0]
    return float(1 - np.square(residual).sum() / spread)


def best_constant_loss(y: Array, loss: str | Loss = "mean_squared_error") -> float:
    """The lowest loss of a prediction that is the same for every sample: what knowing nothing of x costs.

    For squares it is the mean of the targets, for absolute errors the median, for cross-entropies the logits of the
    classes' frequencies. Any other loss is taken at the mean.

    Parameters
    ----------
    y : array, shape (n, n_out), or (n, T, n_out) for sequences
    loss : str or Loss

    Returns
    -------
    float

    Examples
    --------
    >>> best_constant_loss(np.array([[0.0], [1.0], [1.0], [0.0]]), "sum_of_squares")
    1.0
    """
    loss = losses_module.get(loss)
    y = y.reshape(-1, y.shape[-1])  # of sequences each step is a sample
    mean = y.mean(axis=0, keepdims=True)
    constant = mean
    with np.errstate(divide="ignore"):
        if loss is losses_module.mean_absolute_error:
            constant = np.median(y, axis=0, keepdims=True)
        elif loss is losses_module.binary_cross_entropy_from_logits:
            constant = np.clip(np.log(mean) - np.log1p(-mean), -50, 50)
        elif loss is losses_module.cross_entropy_from_logits:
            constant = np.maximum(np.log(mean), -50)
    return float(loss.value(np.broadcast_to(constant, y.shape), y))


def is_high(loss: npt.ArrayLike, best_constant: float) -> npt.NDArray[np.bool_]:
    """Whether losses are high: more than a tenth of what the best constant prediction costs, or not a number.

    Parameters
    ----------
    loss : number, or array of any shape
    best_constant : float
        See `best_constant_loss`.

    Returns
    -------
    array of bool, shape of loss

    Examples
    --------
    >>> is_high([0.05, 0.2, np.nan], 1.0)
    array([False,  True,  True])
    """
    return ~(np.asarray(loss) <= 0.1 * best_constant)


def is_at_constant(loss: npt.ArrayLike, best_constant: float) -> npt.NDArray[np.bool_]:
    """Whether losses lie within 1 % of the best constant prediction's: nothing of x has been learned.

    Parameters
    ----------
    loss, best_constant
        As in `is_high`.

    Returns
    -------
    array of bool, shape of loss

    Examples
    --------
    >>> is_at_constant([0.05, 0.995], 1.0)
    array([False,  True])
    """
    return np.abs(np.asarray(loss) - best_constant) <= 0.01 * best_constant


def growth_factor(losses: npt.ArrayLike) -> float | None:
    """The factor by which the loss grows each time, when it does so steadily: the sign of too large a step.

    Along the steepest direction of a quadratic loss each step multiplies the distance to the minimum by 1 − ηλ, so
    past η = 2/λ the loss grows by the constant factor (1 − ηλ)² > 1.

    Parameters
    ----------
    losses : sequence of float
        In the order of time. What comes after the first number that is not finite is left out.

    Returns
    -------
    float or None
        None unless the last four or more ratios (half of them if there are more) are all above 1 and within a
        tenth of each other.

    Examples
    --------
    >>> growth_factor([1.0, 2.0, 4.0, 8.0, 16.0])
    2.0
    >>> growth_factor([1.0, 0.5, 0.25, 0.125, 0.0625]) is None
    True
    """
    values = np.asarray(losses, dtype=np.float64)
    finite = np.isfinite(values) & (values > 0)
    values = values if finite.all() else values[: np.argmin(finite)]
    ratios = values[1:] / values[:-1]
    last = ratios[-max(4, min(len(ratios) // 2, 50)) :]
    if len(last) < 4 or not (last > 1 + 1e-6).all() or last.max() / last.min() > 1.1:
        return None
    return float(np.exp(np.log(last).mean()))


def outside_range(y: Array, activation: str | Activation) -> npt.NDArray[np.bool_]:
    """Which targets the last layer can never give, as its activation ends before them.

    Parameters
    ----------
    y : array
        Targets, of any shape.
    activation : str or Activation
        That of the last layer, or its name; a name that `RANGES` doesn't have can give any number.

    Returns
    -------
    array of bool, shape of y

    Examples
    --------
    >>> outside_range(np.array([-1.0, 1.0]), "sigmoid")
    array([ True, False])
    """
    low, high = activation.range if isinstance(activation, Activation) else RANGES.get(activation, (-np.inf, np.inf))
    return (y < low) | (y > high)


def length_through_time(grad_h: Array) -> float:
    """By what factor the gradient's length changes on its way back, from the last step to the first.

    Parameters
    ----------
    grad_h : array, shape (T, n, n_hidden)
        dL/dhₜ of a recurrent layer, the steps first.

    Returns
    -------
    float
        NaN if it is 0 at the last step.

    Examples
    --------
    >>> length_through_time(np.array([[[1e-6]], [[1e-3]], [[1.0]]]))
    1e-06
    """
    first, last = (float(np.linalg.norm(grad)) for grad in (grad_h[0], grad_h[-1]))
    return first / last if last else float("nan")


def attention_entropy(A: Array) -> npt.NDArray[Any]:
    """How widely each head looks: the mean entropy of its rows, as a share of that of looking everywhere alike.

    Parameters
    ----------
    A : array, shape (n, n_heads, T, T)
        Attention weights. Of each row those that a mask makes 0 do not count, nor rows with one weight alone.

    Returns
    -------
    array, shape (n_heads,)
        1 for a head that looks at all steps alike, 0 for one that always looks at one.

    Examples
    --------
    >>> attention_entropy(np.array([[[[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]]]])).round(3)
    array([1., 1.])
    """
    logs = np.log(np.where(A > 0, A, 1.0))
    seen = (A > 0).sum(axis=-1)
    share = -(A * logs).sum(axis=-1) / np.log(np.maximum(seen, 2))
    counts = seen > 1
    return np.asarray((share * counts).sum(axis=(0, 2)) / np.maximum(counts.sum(axis=(0, 2)), 1))


# A whole network


def find(
    network: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss,
    *,
    learning_rate: float | None = None,
    losses: Sequence[float] = (),
) -> list[Symptom]:
    """All symptoms that a network shows on its samples, the gravest first; an empty list if there are none.

    The network is left as it is: a copy goes forward and backward.

    Parameters
    ----------
    network : Network
    x, y : array, shapes (n, n_in) and (n, n_out)
        The training samples.
    loss : str or Loss
    learning_rate : float, optional
        Held against 2/λmax when the model is linear.
    losses : sequence of float
        Those of the training so far, to see whether they grow.

    Returns
    -------
    list of Symptom

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0]]), np.array([[-1.0], [1.0]])
    >>> [symptom.id for symptom in find(Network.dense([1, 1], "sigmoid", seed=0), x, y, "sum_of_squares")]
    ['target-outside-range']
    """
    loss = losses_module.get(loss)
    copy = deepcopy(network)
    for layer in copy.every_layer:
        if isinstance(layer, Dropout):
            layer.rate = 0.0  # as the network is in use
    x = copy.as_batch(x)
    y = np.asarray(y, dtype=x.dtype)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        y_hat = copy.forward(x)
        value = float(loss.value(y_hat, y))
        copy.backward(loss.gradient(y_hat, y))
        found = _diverging(copy, x, y, loss, value, learning_rate, losses)
        if not np.isfinite(value):
            return found
        best_constant = best_constant_loss(y, loss)
        found += _dead(copy)
        found += _out_of_range(copy, y, loss)
        found += _saturated(copy, value, best_constant)
        found += _symmetric(copy)
        found += _collapsed(copy, x, y_hat, value, best_constant)
        for place, layer in copy.walk():
            found += _of_layer(place, layer, is_high=bool(is_high(value, best_constant)))
        found += _wrong_mode(network, copy)
        found += _without_gradient(copy, y_hat, y, loss, value, explained=bool(found))
        if not found:
            found += _stuck(copy, value, best_constant)
    return found


def _diverging(
    network: Network,
    x: Array,
    y: Array,
    loss: Loss,
    value: float,
    learning_rate: float | None,
    losses: Sequence[float],
) -> list[Symptom]:
    factor = growth_factor(losses)
    if np.isfinite(value) and np.isfinite(losses).all() and factor is None:
        return []
    evidence = {"loss": value}
    message = "the loss is no longer a finite number"
    if factor is not None:
        evidence["growth_factor"] = factor
        message = f"the loss grows by the factor {factor:.4g} each time"
    bound = largest_learning_rate(network, x, y, loss)
    if bound is not None:
        evidence["largest_learning_rate"] = bound
        message += f"; this linear model converges for learning rates below 2/λmax = {bound:.4g}"
        if learning_rate is not None:
            evidence["learning_rate"] = learning_rate
            message += f", and the learning rate is {learning_rate:.4g}"
    return [Symptom("learning-rate-too-high", message + ".", evidence=evidence)]


def _dead(network: Network) -> list[Symptom]:
    found = []
    for place, layer in _dense_layers(network):
        if layer.activation.name != "relu":
            continue
        units = _indices(dead_units(layer.z))
        if not units:
            continue
        is_output = layer is network.layers[-1]
        # What comes into the first layer never changes; into a later one it does while some unit there still lives.
        recovers = layer is not network.layers[0] and len(units) < layer.n_out
        largest = float(layer.z[:, units].max())
        message = (
            f"{_units(units, layer)} of layer {place} {_is(units)} dead: z ≤ 0 on all {len(layer.z)} samples "
            f"(at most {largest:.4g}), so ReLU gives 0 and its derivative is 0. "
        ) + (
            "The layers before may still change what comes in, so this can pass."
            if recovers
            else "No gradient reaches the weights, so gradient descent cannot bring this back."
        )
        found.append(
            Symptom(
                "dead-relu-output" if is_output else "dead-relu-hidden",
                message,
                _number(place),
                units,
                recovers,
                {"largest_z": largest, "n_dead": len(units), "n_units": layer.n_out},
            )
        )
    return sorted(found, key=lambda symptom: symptom.id != "dead-relu-output")


def _out_of_range(network: Network, y: Array, loss: Loss) -> list[Symptom]:
    last = network.layers[-1]
    low, high = last.output_range
    outside = (y < low) | (y > high)
    if not outside.any() or loss.from_logits:
        return []
    what = last.activation if isinstance(last, Dense) else last
    share = float(outside.mean())
    return [
        Symptom(
            "target-outside-range",
            f"{share:.0%} of the targets (they go from {y.min():.4g} to {y.max():.4g}) lie outside what {what} "
            f"can give, {low:.4g} to {high:.4g}: no weights can reach them.",
            len(network.layers),
            _indices(np.asarray(outside.reshape(-1, y.shape[-1]).any(axis=0))),
            None,
            {"share": share, "lowest_target": float(y.min()), "highest_target": float(y.max())},
        )
    ]


def _saturated(network: Network, value: float, best_constant: float) -> list[Symptom]:
    if not is_high(value, best_constant):
        return []
    found = []
    for place, layer in _dense_layers(network):
        units = _indices(saturated_units(layer.z)) if layer.activation.name in ("sigmoid", "tanh") else ()
        if units:
            share = float((np.abs(layer.z[:, units]) >= SATURATION).mean())
            largest = float(np.abs(layer.activation.derivative(layer.z, layer.a)[:, units]).mean())
            found.append(
                Symptom(
                    "saturated-units",
                    f"{_units(units, layer)} of layer {place} {_is(units)} saturated: |z| ≥ 5 on {share:.0%} of the "
                    f"samples, where {layer.activation.name}′ is {largest:.1e} on average, while the loss is still "
                    f"{value:.4g}. The gradient through {'it' if len(units) == 1 else 'them'} is nearly 0.",
                    _number(place),
                    units,
                    None,
                    {"share": share, "mean_derivative": largest, "loss": value},
                )
            )
    return found


def _symmetric(network: Network) -> list[Symptom]:
    found = []
    layers = [(number, layer) for number, layer in enumerate(network.layers, 1) if not isinstance(layer, Dropout)]
    for (number, layer), (_, after) in pairwise(layers):
        if not (isinstance(layer, Dense) and isinstance(after, Dense)):
            continue
        found += [
            Symptom(
                "symmetric-initialization",
                f"{_units(units, layer)} of layer {number} are copies of each other: the same weights in and "
                "out, so the same gradients, so they stay copies and count as one unit.",
                number,
                units,
                evidence={"n_identical": len(units), "n_units": layer.n_out},
            )
            for units in identical_units(layer.W, layer.b, after.W.T)
        ]
    return found


def _collapsed(network: Network, x: Array, y_hat: Array, value: float, best_constant: float) -> list[Symptom]:
    layers = network.dense_layers
    if len(layers) < 2 or not all(isinstance(layer, Dense | Dropout) for layer in network.layers):
        return []
    all_identity = all(layer.activation.name == "identity" for layer in layers)
    r2 = affine_r2(x, y_hat)
    unexpected = r2 > 1 - 1e-9 and bool(is_high(value, best_constant)) and not is_at_constant(value, best_constant)
    if not all_identity and not unexpected:
        return []
    measured = "" if np.isnan(r2) else f" (R² = {r2:.6g})"  # constant outputs have none
    why = (
        "without an activation function between them, layers make one linear function"
        if all_identity
        else "on these samples no unit bends"
    )
    return [
        Symptom(
            "linear-collapse",
            f"the output is an affine function of the input{measured} in spite of {len(layers)} layers: {why}.",
            evidence={"r2": r2, "loss": value},
        )
    ]


def _of_layer(place: str, layer: Layer, *, is_high: bool) -> list[Symptom]:
    """What convolutions, recurrent layers and attention show on their own."""
    if isinstance(layer, Conv2D) and layer.activation.name == "relu":
        return _dead_filters(place, layer)
    if not is_high:
        return []
    if isinstance(layer, RNN | LSTM | GRU):
        return _through_time(place, layer)
    return _attention(place, layer) if isinstance(layer, Attention) else []


def _dead_filters(place: str, layer: Conv2D) -> list[Symptom]:
    filters = _indices(dead_units(layer.z.reshape(-1, layer.n_out)))
    if not filters:
        return []
    largest = float(layer.z[..., filters].max())
    listed = ", ".join(str(one + 1) for one in filters[:8]) + (", …" if len(filters) > 8 else "")
    return [
        Symptom(
            "dead-filter",
            f"{len(filters)} of {layer.n_out} filters of layer {place} ({listed}) {_is(filters)} dead: z ≤ 0 at every "
            f"place of every image (at most {largest:.4g}), so ReLU gives 0, its derivative is 0, and no gradient "
            "reaches their weights.",
            _number(place),
            filters,
            None,
            {"largest_z": largest, "n_dead": len(filters), "n_units": layer.n_out},
        )
    ]


def _through_time(place: str, layer: RNN | LSTM | GRU) -> list[Symptom]:
    if layer.truncate is not None or not layer.last:
        return []  # where each step has a loss of its own, the first has its share however little comes back
    factor, n_steps = length_through_time(layer.grad_h), len(layer.grad_h)
    if 1e-4 <= factor <= 1e4 or np.isnan(factor):
        return []
    vanishes = factor < 1
    return [
        Symptom(
            "vanishing-through-time" if vanishes else "exploding-through-time",
            f"on the way back through the {n_steps} steps of layer {place} the gradient becomes {factor:.1e} times as "
            + ("long: the first steps can hardly be learned from." if vanishes else "long: the steps are as wild."),
            _number(place),
            (),
            None,
            {"factor": factor, "n_steps": n_steps},
        )
    ]


def _attention(place: str, layer: Attention) -> list[Symptom]:
    if layer.A.shape[-1] < 3:
        return []
    entropy = attention_entropy(layer.A)
    found = []
    for id_, heads, text in (
        ("uniform-attention", entropy > 0.9999, "look at all steps alike: their queries and keys tell nothing apart"),
        ("saturated-attention", entropy < 0.01, "look at one step alone, where softmax has a slope of nearly 0"),
    ):
        which = _indices(np.asarray(heads))
        if which:
            listed = ", ".join(str(one + 1) for one in which)
            found.append(
                Symptom(
                    id_,
                    f"{len(which)} of {layer.n_heads} heads of layer {place} ({listed}) {text} (entropy "
                    f"{entropy[list(which)].mean():.4g} of the largest possible).",
                    _number(place),
                    which,
                    None,
                    {"entropy": float(entropy[list(which)].mean())},
                )
            )
    return found


def _wrong_mode(network: Network, copy: Network) -> list[Symptom]:
    """Batch norms whose gathered means and variances are not those of the data: use differs from training."""
    found = []
    for (place, layer), passed in zip(network.walk(), copy.every_layer, strict=True):
        if not isinstance(layer, BatchNorm):
            continue
        gathered, batch = layer, passed
        assert isinstance(batch, BatchNorm)
        m, epsilon = gathered.momentum, gathered.epsilon
        mean = (batch.running_mean - (1 - m) * gathered.running_mean) / m  # what the pass added
        variance = batch.std[0] ** 2 - epsilon
        shift = float((np.abs(mean - gathered.running_mean) / batch.std[0]).max())
        ratio = float(np.sqrt((gathered.running_variance + epsilon) / (variance + epsilon)).max())
        ratio = max(ratio, float(np.sqrt((variance + epsilon) / (gathered.running_variance + epsilon)).max()))
        if shift <= 1 and ratio <= 2:
            continue
        found.append(
            Symptom(
                "batch-norm-mode",
                f"the batch norm of layer {place} does another thing in use than in training: the means that it has "
                f"gathered are up to {shift:.3g} standard deviations from those of these samples, and the standard "
                f"deviations differ by a factor up to {ratio:.3g}. Train longer, or with a larger momentum.",
                _number(place),
                (),
                None,
                {"shift": shift, "ratio": ratio},
            )
        )
    return found


def _without_gradient(
    network: Network, y_hat: Array, y: Array, loss: Loss, value: float, *, explained: bool
) -> list[Symptom]:
    if explained or not loss.gradient(y_hat, y).any():
        return []
    return [
        Symptom(
            "zero-gradient",
            f"the gradient of every {'weight and bias' if isinstance(layer, Dense) else 'parameter'} of layer {place} "
            f"is exactly 0, though the loss is {value:.4g}: the layer cannot learn.",
            _number(place),
            _all_units(layer),
            None,
            {"loss": value},
        )
        for place, layer in network.walk()
        if layer.parameters and not any(gradient.any() for gradient in layer.gradients.values())
    ]


def _stuck(network: Network, value: float, best_constant: float) -> list[Symptom]:
    if not is_at_constant(value, best_constant) or not network.gradients.any() or best_constant == 0:
        return []
    evidence = {"loss": value, "best_constant_loss": best_constant}
    message = f"the loss, {value:.6g}, is that of the best constant prediction ({best_constant:.6g})"
    for place, layer in _dense_layers(network):
        if layer is network.layers[-1]:
            continue
        scale = float(np.sqrt(np.square(layer.W).mean() * layer.n_in))
        if scale < 0.01:
            return [
                Symptom(
                    "tiny-initialization",
                    f"{message}, and the weights of layer {place} are so small (√n_in times their root mean square "
                    f"is {scale:.1e}; about 1 is usual) that all samples look alike and gradients nearly vanish.",
                    _number(place),
                    _all_units(layer),
                    None,
                    evidence | {"scale": scale},
                )
            ]
    norm = float(np.linalg.norm(network.gradients))
    return [
        Symptom(
            "stuck-at-constant",
            f"{message}, though the gradient is not 0 (its length is {norm:.4g}): nothing of the inputs is learned.",
            evidence=evidence | {"gradient_norm": norm},
        )
    ]


class Watch:
    """A callback of `training.train` that looks for symptoms and names the layer and the unit.

    Parameters
    ----------
    x, y : array, shapes (n, n_in) and (n, n_out)
        The training samples.
    loss : str or Loss
    learning_rate : float, optional
        As in `find`.
    every : int
        Look after the first epoch and then every so many: looking costs about as much as an epoch.
    on_symptom : callable, optional
        Called as on_symptom(epoch, symptom) when one is new, for instance to print it.

    Attributes
    ----------
    found : list of (int, Symptom)
        Each symptom with the epoch (from 0) in which it was first seen.

    Examples
    --------
    >>> from byhand import Network, GradientDescent, train, datasets
    >>> x, y = datasets.xor()
    >>> network = Network.dense([2, 3, 1], ["relu", "identity"], initializer="zeros")
    >>> watch = Watch(x, y, "mean_squared_error")
    >>> _ = train(
    ...     network, x, y, loss="mean_squared_error", optimizer=GradientDescent(0.1), epochs=1, callbacks=[watch]
    ... )
    >>> [(symptom.id, symptom.layer, symptom.units) for _, symptom in watch.found]
    [('dead-relu-hidden', 1, (0, 1, 2)), ('symmetric-initialization', 1, (0, 1, 2))]
    """

    def __init__(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        loss: str | Loss,
        *,
        learning_rate: float | None = None,
        every: int = 100,
        on_symptom: Callable[[int, Symptom], object] | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"every is at least 1, not {every}.")
        self.x, self.y, self.loss = x, y, loss
        self.learning_rate, self.every, self.on_symptom = learning_rate, every, on_symptom
        self.found: list[tuple[int, Symptom]] = []
        self._before: Array | None = None

    def __call__(self, epoch: int, network: Network, history: History) -> None:
        """Look at the network and its history, if it is time to in that epoch."""
        if epoch % self.every:
            return
        symptoms = find(
            network, self.x, self.y, self.loss, learning_rate=self.learning_rate, losses=history.loss[-100:]
        )
        symptoms += self._unchanged(network, explained=bool(symptoms))
        known = {(symptom.id, symptom.layer, symptom.units) for _, symptom in self.found}
        for symptom in symptoms:
            if (symptom.id, symptom.layer, symptom.units) not in known:
                self.found.append((epoch, symptom))
                if self.on_symptom is not None:
                    self.on_symptom(epoch, symptom)

    def _unchanged(self, network: Network, *, explained: bool) -> list[Symptom]:
        before, self._before = self._before, network.parameters.copy()
        if before is None or explained or not network.gradients.any():
            return []
        old = deepcopy(network)
        old.parameters[:] = before
        return [
            Symptom(
                "parameter-never-updated",
                f"the {'weights and biases' if isinstance(layer, Dense) else 'parameters'} of layer {place} have not "
                f"changed in {self.every} epochs, though their gradient is not 0.",
                _number(place),
                _all_units(layer),
            )
            for (place, layer), was in zip(network.walk(), old.every_layer, strict=True)
            if all(np.array_equal(array, was.parameters[name]) for name, array in layer.parameters.items())
            and any(gradient.any() for gradient in layer.gradients.values())
        ]


def _indices(which: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(which).tolist())


def _dense_layers(network: Network) -> list[tuple[str, Dense]]:
    """With their places, those within other layers too."""
    return [(place, layer) for place, layer in network.walk() if isinstance(layer, Dense)]


def _number(place: str) -> int:
    """Of the layer of the network in which that place is."""
    return int(place.partition(".")[0])


def _all_units(layer: Layer) -> tuple[int, ...]:
    return tuple(range(layer.n_out)) if isinstance(layer, Dense) else ()


def _units(units: tuple[int, ...], layer: Dense) -> str:
    if len(units) == layer.n_out:
        return "the only unit" if len(units) == 1 else f"all {len(units)} units"
    if len(units) == 1:
        return f"unit {units[0] + 1}"
    listed = ", ".join(str(unit + 1) for unit in units[:8]) + (", …" if len(units) > 8 else "")
    return f"{len(units)} of {layer.n_out} units ({listed})"


def _is(units: tuple[int, ...]) -> str:
    return "is" if len(units) == 1 else "are"
