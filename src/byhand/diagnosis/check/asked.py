"""What the practical asks for, question by question, and what its values should be.

The functions of a question are tried on inputs of ours (`trials`); its values are compared with what follows from the
student's own values before them, so that a mistake counts where it was made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byhand._types import Array
from byhand.activations import Activation, identity, relu, sigmoid
from byhand.datasets import xor
from byhand.diagnosis.check.results import Status
from byhand.layers import Dense
from byhand.losses import sum_of_squares
from byhand.network import Network
from byhand.optimizers import GradientDescent
from byhand.training import train as fit

Values = Mapping[str, Any]
Truth = Callable[[Values], Any]


@dataclass(frozen=True)
class Wanted:
    """A value that a question wants.

    Attributes
    ----------
    truth : callable or None
        What it should be, from the values before it; None when that is not judged here.
    slips : sequence of (id, callable)
        What it is when a certain mistake is made.
    complaint : callable or None
        For a value that is free within bounds: what is wrong with it, "" when nothing is.
    rtol : float
        How far it may be from the truth, relative to the truth's largest number.
    is_step : bool
        It is a step on the way, and may be left out.
    yours : callable, optional
        What of it is compared; the value itself when left out.
    """

    truth: Truth | None = None
    slips: Sequence[tuple[str, Truth]] = ()
    complaint: Callable[[Values], str] | None = None
    rtol: float = 1e-6
    is_step: bool = False
    yours: Truth | None = None

    @property
    def is_judged(self) -> bool:
        """Whether anything is said about it but that it is there."""
        return self.truth is not None or self.complaint is not None


@dataclass(frozen=True)
class Asked:
    """One question: its number, its title, the functions and the values that it wants."""

    number: str
    title: str
    functions: tuple[str, ...] = ()
    values: Mapping[str, Wanted] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """Number and title."""
        return f"{self.number} {self.title}"


@dataclass(frozen=True)
class Answer:
    """What a value is; for a wrong one the mistake's id, if it is one we know."""

    name: str
    status: Status
    evidence: str = ""
    id: str = ""


# ── part 1: the line ────────────────────────────────────────────────────────────────────────────────────────────────


def _errors(v: Values) -> Array:
    return np.asarray(v["a_start"] * v["x_train"] + v["b_start"] - v["y_train"])


def _grad_a(v: Values) -> Any:
    return 2 * np.mean(_errors(v) * v["x_train"])


def _grad_b(v: Values) -> Any:
    return 2 * np.mean(_errors(v))


def _of_gradient(truth: Truth) -> Wanted:
    return Wanted(
        truth,
        [
            ("sign-flipped", lambda v: -truth(v)),
            ("constant-factor", lambda v: truth(v) / 2),
            ("sum-versus-mean", lambda v: truth(v) * np.size(v["x_train"])),
            ("sum-versus-mean", lambda v: truth(v) * np.size(v["x_train"]) / 2),
        ],
    )


_RATE = 0.1


def _step(start: str, gradient: str) -> Wanted:
    return Wanted(
        lambda v: v[start] - _RATE * v[gradient],
        [
            ("sign-flipped", lambda v: v[start] + _RATE * v[gradient]),
            ("constant-factor", lambda v: v[start] - v[gradient]),
        ],
    )


def _hessian(v: Values) -> Array:
    x = np.asarray(v["x_train"])
    return 2 * np.array([[np.mean(x * x), np.mean(x)], [np.mean(x), 1.0]])


def _best_line(v: Values) -> Array:
    return np.polyfit(v["x_train"], v["y_train"], 1)


def _drawn(v: Values) -> str:
    """Held against the notebook's seed: the points first or the noise, all at once or one by one, in any order."""
    seed, x = v.get("SEED"), np.asarray(v["x_train"], dtype=float).ravel()
    if not isinstance(seed, int):
        return ""
    chance = [np.random.RandomState(seed) for _ in range(4)]
    orders = [
        chance[0].rand(x.size),
        (chance[1].randn(x.size), chance[1].rand(x.size))[1],
        np.array([(chance[2].rand(), chance[2].randn())[0] for _ in x]),
        np.array([(chance[3].randn(), chance[3].rand())[1] for _ in x]),
    ]
    if any(close(np.sort(x), np.sort(drawn)) for drawn in orders):
        return ""
    begins = f"np.random.seed({seed}) and then np.random.rand give {orders[0][:1].tolist()}, …"
    return f"x_train is not drawn with this notebook's seed: {begins}, and x_train begins with {x[:1].tolist()}"


def _noise(v: Values) -> str:
    x, y = np.asarray(v["x_train"]), np.asarray(v["y_train"])
    if x.shape != y.shape or x.ndim != 1:
        return f"x_train has shape {x.shape} and y_train {y.shape}; both should be (N,)"
    if x.min() < 0 or x.max() >= 1:
        return f"x_train goes from {x.min():.3g} to {x.max():.3g}; it should lie in [0, 1)"
    deviation = float(np.sqrt(np.mean((y.ravel() - 2 * x.ravel() - 1) ** 2)))
    if 0.07 < deviation < 0.13:
        return ""
    told = f"y_train scatters by {deviation:.3g} about 2 x + 1, not by about 0.1"
    return told + (": 0.01 is the variance, its root the deviation" if 0.007 < deviation < 0.013 else "")


def _descent(v: Values) -> tuple[Array, Array]:
    """Losses and path of a thousand epochs; a notebook asks for them again and again, so the last are kept."""
    given = [np.asarray(v[name], dtype=float) for name in ("x_train", "y_train", "a_start", "b_start")]
    key = b"".join(array.tobytes() for array in given)
    if key not in _DESCENTS:
        _DESCENTS.clear()
        x, y, a, b = given
        _DESCENTS[key] = descent(x, y, float(a), float(b), _RATE, 1000)
    return _DESCENTS[key]


_DESCENTS: dict[bytes, tuple[Array, Array]] = {}


def descent(x: Array, y: Array, a: float, b: float, rate: float, epochs: int) -> tuple[Array, Array]:
    """The loss before each update, and (a, b) at the start and after each, as the library trains a line."""
    line = Network.dense([1, 1], "identity", seed=0)
    line.parameters[:] = a, b
    losses, path = [], [line.parameters.copy()]
    for _ in range(epochs):
        columns = np.reshape(x, (-1, 1)), np.reshape(y, (-1, 1))
        losses += fit(line, *columns, loss="mean_squared_error", optimizer=GradientDescent(rate), epochs=1).loss
        path.append(line.parameters.copy())
    return np.array(losses), np.array(path)


# ── part 2: the network ─────────────────────────────────────────────────────────────────────────────────────────────

_X, _Y = xor()
Parameters = Sequence[Array]


def _layers(parameters: Parameters, hidden: Activation, out: Activation) -> tuple[Dense, Dense]:
    """The library's layers with these parameters, in the layout that the practical asks for."""
    layers = []
    for W, b, activation in zip(parameters[::2], parameters[1::2], (hidden, out), strict=True):
        layer = Dense(np.shape(W)[1], np.shape(W)[0], activation, seed=0)
        layer.W, layer.b = np.array(W, dtype=float), np.ravel(b)
        layers.append(layer)
    return layers[0], layers[1]


def _arrays(flat: Array, parameters: Parameters) -> list[Array]:
    """One flat array in the shapes of the parameters."""
    ends = np.cumsum([np.size(p) for p in parameters])[:-1]
    return [part.reshape(np.shape(p)) for part, p in zip(np.split(flat, ends), parameters, strict=True)]


def forward(x: Array, parameters: Parameters, hidden: Activation, out: Activation) -> list[Array]:
    """z_hidden, a_hidden, z_out and the outputs."""
    layers = _layers(parameters, hidden, out)
    Network(layers).forward(x)
    return [array for layer in layers for array in (layer.z, layer.a)]


def backward(x: Array, y: Array, parameters: Parameters, hidden: Activation, out: Activation) -> list[Array]:
    """The gradients of the sum of squares, as the parameters are ordered."""
    network = Network(_layers(parameters, hidden, out))
    network.backward(sum_of_squares.gradient(network.forward(x), y))
    return _arrays(network.gradients, parameters)


def train(
    parameters: Parameters, x: Array, y: Array, hidden: Activation, out: Activation, rate: float, epochs: int
) -> tuple[list[Array], Array]:
    """The parameters after so many epochs, and the loss before each."""
    network = Network(_layers(parameters, hidden, out))
    losses = fit(network, x, y, loss=sum_of_squares, optimizer=GradientDescent(rate), epochs=epochs).loss
    return _arrays(network.parameters, parameters), np.array(losses)


def _flat(arrays: Sequence[Array]) -> Array:
    return np.concatenate([np.ravel(array) for array in arrays])


def _flattened(name: str) -> Truth:
    return lambda v: _flat(v[name])


def _outputs(parameters: Parameters) -> Array:
    return forward(_X, parameters, sigmoid, sigmoid)[-1]


_MEMORY: dict[bytes, tuple[list[Array], Array]] = {}


def _trained(v: Values, hidden: Activation, out: Activation, rate: float, epochs: int) -> tuple[list[Array], Array]:
    """A training from the student's start; a class starts from the same one, so it is kept."""
    start = [np.asarray(p, dtype=float) for p in v["start"]]
    key = repr((hidden.name, out.name, rate, epochs)).encode() + b"".join(p.tobytes() for p in start)
    if key not in _MEMORY:
        _MEMORY[key] = train(start, _X, _Y, hidden, out, rate, epochs)
    return _MEMORY[key]


def _losses(name: str, hidden: Activation, out: Activation, rate: float) -> Wanted:
    """The losses of a training; of a long one the beginning, where rounding has not grown."""
    return Wanted(
        lambda v: _trained(v, hidden, out, rate, 1000)[1], yours=lambda v: np.asarray(v[name])[:1000], rtol=1e-6
    )


def _step_values() -> dict[str, Wanted]:
    """The steps of 2.7, each from what the student's own values before it give."""

    def delta_out(v: Values) -> Array:
        _, _, z_out, outputs = v["passed"]
        return 2 * (outputs - _Y) * sigmoid.derivative(z_out, outputs)

    def delta_hidden(v: Values) -> Array:
        z_hidden, a_hidden = v["passed"][:2]
        return (v["delta_out"] @ v["shifted"][2]) * sigmoid.derivative(z_hidden, a_hidden)

    def raw(v: Values) -> Array:
        z_hidden, a_hidden, _, outputs = v["passed"]
        return (2 * (outputs - _Y) @ v["shifted"][2]) * sigmoid.derivative(z_hidden, a_hidden)

    slips: dict[str, list[tuple[str, Truth]]] = {
        "delta_out": [
            ("constant-factor", lambda v: delta_out(v) / 2),
            ("sign-flipped", lambda v: -delta_out(v)),
            ("output-derivative-missing", lambda v: 2 * (v["passed"][3] - _Y)),
            (
                "derivative-of-activation",
                lambda v: 2 * (v["passed"][3] - _Y) * sigmoid.derivative(v["passed"][3], sigmoid(v["passed"][3])),
            ),
        ],
        "delta_hidden": [
            ("hidden-derivative-missing", lambda v: v["delta_out"] @ v["shifted"][2]),
            ("hidden-error-raw", raw),
            (
                "derivative-of-activation",
                lambda v: (
                    (v["delta_out"] @ v["shifted"][2]) * sigmoid.derivative(v["passed"][1], sigmoid(v["passed"][1]))
                ),
            ),
        ],
        "grad_b_out": [("bias-gradient-wrong", lambda v: v["delta_out"].mean(axis=0, keepdims=True))],
        "grad_b_hidden": [("bias-gradient-wrong", lambda v: v["delta_hidden"].mean(axis=0, keepdims=True))],
        "grad_W_out": [("wrong-layer-activation", lambda v: v["delta_out"].T @ v["passed"][0])],
    }
    truths: dict[str, Truth] = {
        "shifted": lambda v: _flat(v["start"]) + 0.1,
        "passed": lambda v: _flat(forward(_X, v["shifted"], sigmoid, sigmoid)),
        "delta_out": delta_out,
        "grad_W_out": lambda v: v["delta_out"].T @ v["passed"][1],
        "grad_b_out": lambda v: v["delta_out"].sum(axis=0, keepdims=True),
        "delta_hidden": delta_hidden,
        "grad_W_hidden": lambda v: v["delta_hidden"].T @ _X,
        "grad_b_hidden": lambda v: v["delta_hidden"].sum(axis=0, keepdims=True),
    }
    flat = ("shifted", "passed")
    return {
        name: Wanted(
            truth,
            slips.get(name, []),
            is_step=True,
            yours=_flattened(name) if name in flat else None,
        )
        for name, truth in truths.items()
    }


def _falls(name: str) -> Wanted:
    def complaint(v: Values) -> str:
        first, last = float(np.ravel(v[name])[0]), float(np.ravel(v[name])[-1])
        return "" if last < first else f"{name} begins at {first:.4g} and ends at {last:.4g}: it should fall"

    return Wanted(complaint=complaint)


_THERE = Wanted()

QUESTIONS: tuple[Asked, ...] = (
    Asked("1.1", "Data", values={"x_train": Wanted(complaint=_drawn), "y_train": Wanted(complaint=_noise)}),
    Asked("1.2", "Look at it"),
    Asked("1.3", "A first guess", values={"a_start": _THERE, "b_start": _THERE}),
    Asked(
        "1.4",
        "Predictions",
        values={
            "y_hat": Wanted(
                lambda v: v["a_start"] * v["x_train"] + v["b_start"],
                [("bias-missing", lambda v: v["a_start"] * v["x_train"])],
            )
        },
    ),
    Asked(
        "1.5",
        "Error and loss",
        values={
            "err": Wanted(_errors, [("sign-flipped", lambda v: -_errors(v))]),
            "loss": Wanted(
                lambda v: np.mean(_errors(v) ** 2),
                [
                    ("sum-versus-mean", lambda v: np.sum(_errors(v) ** 2)),
                    ("constant-factor", lambda v: np.mean(_errors(v) ** 2) / 2),
                ],
            ),
        },
    ),
    Asked("1.6", "Both gradients", values={"grad_a": _of_gradient(_grad_a), "grad_b": _of_gradient(_grad_b)}),
    Asked(
        "1.7",
        "One update",
        values={
            "a_next": _step("a_start", "grad_a"),
            "b_next": _step("b_start", "grad_b"),
            "loss_next": Wanted(lambda v: np.mean((v["a_next"] * v["x_train"] + v["b_next"] - v["y_train"]) ** 2)),
        },
    ),
    Asked(
        "1.8",
        "A thousand epochs",
        ("gradient_descent",),
        {"losses": Wanted(lambda v: _descent(v)[0]), "path": Wanted(lambda v: _descent(v)[1])},
    ),
    Asked("1.9", "The line moves to its place"),
    Asked(
        "1.10",
        "The same as the formula, and as scikit-learn",
        values={"best": Wanted(_best_line), "sklearn_line": _THERE},
    ),
    Asked(
        "1.11",
        "Why the difference shrinks as it does",
        values={
            "hessian": Wanted(
                _hessian,
                [
                    ("constant-factor", lambda v: _hessian(v) / 2),
                    ("sum-versus-mean", lambda v: _hessian(v) * np.size(v["x_train"])),
                ],
            ),
            "eigenvalues": Wanted(lambda v: np.linalg.eigvalsh(v["hessian"])),
            "predicted_factor": Wanted(lambda v: 1 - _RATE * np.min(v["eigenvalues"])),
            "measured_factor": _THERE,
            "distance": _THERE,
        },
    ),
    Asked(
        "1.12",
        "The largest learning rate",
        values={
            "largest_rate": Wanted(
                lambda v: 2 / np.linalg.eigvalsh(_hessian(v))[-1],
                [("constant-factor", lambda v: 1 / np.linalg.eigvalsh(_hessian(v))[-1])],
            ),
            "distance_under": _THERE,
            "distance_over": _THERE,
        },
    ),
    Asked(
        "2.1",
        "The function and its four points",
        ("xor",),
        {"X": Wanted(lambda v: _X), "y": Wanted(lambda v: np.array([[0.0], [1], [1], [0]]))},
    ),
    Asked("2.2", "The architecture", values={"n_parameters": Wanted(lambda v: 41, [("bias-missing", lambda v: 30)])}),
    Asked(
        "2.3",
        "Weights and biases, in both layouts",
        ("layer_columns", "layer_rows", "draw"),
        {
            "in_columns": Wanted(lambda v: v["start"][0] @ _X.T + v["start"][1].T),
            "in_rows": Wanted(lambda v: _X @ v["start"][0].T + v["start"][1]),
        },
    ),
    Asked("2.4", "The sigmoid and its derivative", ("sigmoid", "sigmoid_derivative")),
    Asked("2.5", "Forward", ("forward",)),
    Asked("2.6", "Untrained", values={"y_untrained": Wanted(lambda v: _outputs(v["start"]))}),
    Asked("2.7", "Backward", ("backward",), _step_values()),
    Asked(
        "2.8",
        "Ten thousand epochs",
        ("train",),
        {
            "losses_sigmoid": Wanted(lambda v: _trained(v, sigmoid, sigmoid, 0.5, 10_000)[1]),
            "trained": Wanted(
                lambda v: _flat(_trained(v, sigmoid, sigmoid, 0.5, 10_000)[0]), yours=lambda v: _flat(v["trained"])
            ),
        },
    ),
    Asked("2.9", "Trained", values={"y_trained": Wanted(lambda v: _outputs(v["trained"]))}),
    Asked(
        "2.10",
        "The same with ReLU",
        ("relu", "relu_derivative", "identity", "identity_derivative"),
        {
            "losses_relu": _losses("losses_relu", relu, relu, 0.01),
            "losses_mixed": _losses("losses_mixed", relu, identity, 0.01),
            "trained_relu": _THERE,
            "trained_mixed": _THERE,
        },
    ),
    Asked("2.11", "Which converges the fastest?", values={"reached": _THERE}),
    Asked(
        "2.12",
        "Faster is not better",
        values=dict.fromkeys(
            (
                "networks",
                "training_losses",
                "validation_losses",
                "fastest_candidate",
                "best_candidate",
                "chosen_network",
                "test_loss",
            ),
            _THERE,
        ),
    ),
    Asked(
        "2.13",
        "The identity everywhere",
        values={
            "y_linear": Wanted(lambda v: np.full((4, 1), 0.5), rtol=1e-4),
            "best_plane": Wanted(lambda v: np.array([0.0, 0.0, 0.5])),
            "losses_linear": _falls("losses_linear"),
        },
    ),
    Asked("3.1", "Launch it", values={"complaints": _THERE}),
    Asked("3.2", "Mend it until it runs", values={"mended": _THERE, "messages": _THERE}),
    Asked("3.3", "What it does once it runs", values={"losses_given": _THERE, "losses_44": _THERE}),
    Asked("3.4", "Why", values={"z_44": _THERE, "gradients_44": _THERE}),
    Asked("3.5", "Bad luck?", values={"z_thousand": _THERE, "dead": _THERE}),
    Asked("3.6", "What cures it?", values={"ends": _THERE}),
    Asked("3.7", "The quieter faults", values={"deviation": _THERE, "convergence": _THERE}),
    Asked("3.8", "Loops, or whole arrays", values={"seconds_loops": _THERE, "seconds_arrays": _THERE}),
)

BY_NUMBER = {asked.number: asked for asked in QUESTIONS}

CONTEXT = ("SEED", "x_train", "y_train", "a_start", "b_start", "start", "trained", "shifted", "passed")
"""The values that others follow from."""


def find(what: str) -> Asked | None:
    """The question that "2.4" or "2.4 The sigmoid and its derivative" means; None when it is no number.

    Raises
    ------
    ValueError
        When the practical has no question of that number.
    """
    number = re.match(r"\d+\.\d+", what)
    if number is None:
        return None
    if number[0] not in BY_NUMBER:
        raise ValueError(f"there is no question {number[0]}; the questions are {', '.join(BY_NUMBER)}")
    return BY_NUMBER[number[0]]


def answers(asked: Asked, values: Values, lost: Collection[str] = ()) -> list[Answer]:
    """Judge the values of a question; those of which nothing more is known than that they are there are left out.

    Parameters
    ----------
    asked : Asked
    values : mapping
        The student's.
    lost : collection of str
        Names that are assigned, and whose values could not be had.
    """
    result = []
    for name, wanted in asked.values.items():
        if not is_there(values.get(name)):
            if name in lost:
                if wanted.is_judged:
                    result.append(Answer(name, "not judged", "the code that computes it did not come to its end"))
            elif not wanted.is_step:
                result.append(Answer(name, "not done yet"))
        elif wanted.is_judged:
            result.append(_answer(name, wanted, values))
    return result


def is_there(value: Any) -> bool:
    """Whether it is more than a stub's value."""
    return value is not None and value is not Ellipsis


def _answer(name: str, wanted: Wanted, values: Values) -> Answer:
    try:
        with np.errstate(all="ignore"):
            if wanted.complaint is not None:
                told = wanted.complaint(values)
                return Answer(name, "wrong" if told else "right", told)
            assert wanted.truth is not None
            truth = np.asarray(wanted.truth(values), dtype=float)
            slips = [(id_, np.asarray(slip(values), dtype=float)) for id_, slip in wanted.slips]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return Answer(name, "not judged", "what it follows from is not there, or not as it should be")
    try:
        yours = np.asarray(values[name] if wanted.yours is None else wanted.yours(values), dtype=float)
    except (TypeError, ValueError, IndexError):
        return Answer(name, "wrong", f"{name} is no array of numbers of shape {truth.shape}")
    if yours.shape != truth.shape and (yours.size, truth.size) != (1, 1):
        return Answer(name, "wrong", f"{name} has shape {yours.shape}, expected {truth.shape}")
    if close(yours, truth, wanted.rtol):
        return Answer(name, "right")
    id_ = next((id_ for id_, slip in slips if close(yours, slip, wanted.rtol)), "")
    return Answer(name, "wrong", first_difference(name, yours, truth), id_)


def close(yours: Array, truth: Array, rtol: float = 1e-6) -> bool:
    """Whether they are equal up to `rtol` of the largest number of the truth."""
    if yours.size != truth.size:
        return False
    size = max(float(np.abs(truth).max(initial=0.0)), 1e-12)
    return bool(np.abs(yours.ravel() - truth.ravel()).max(initial=0.0) <= rtol * size)


def first_difference(name: str, yours: Array, truth: Array) -> str:
    """Where two arrays of one size differ first, with both numbers."""
    i = int(np.argmax(~np.isclose(yours.ravel(), truth.ravel(), rtol=1e-6, atol=1e-9)))
    at = f"[{', '.join(str(k) for k in np.unravel_index(i, yours.shape))}]" if yours.ndim else ""
    return f"{name}{at} is {yours.ravel()[i]:.8g}, expected {truth.ravel()[i]:.8g}"
