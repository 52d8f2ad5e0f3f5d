"""What the practical asks for, question by question, and what its numbers should be.

The functions of a question are tried on inputs of ours (`check_job`); the values are compared with what follows from
the student's own values before them, so that a mistake counts where it was made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from byhand._types import Array
from byhand.activations import sigmoid

Status = Literal["right", "wrong", "not done yet", "unclear"]
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
    """

    truth: Truth | None = None
    slips: Sequence[tuple[str, Truth]] = ()
    complaint: Callable[[Values], str] | None = None
    rtol: float = 1e-6

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
class Trial:
    """A small function of the practical: arguments to call it with, and what it then returns."""

    arguments: Sequence[tuple[Any, ...]]
    truth: Callable[..., list[Array]]
    slips: Sequence[tuple[str, Callable[..., list[Array]]]] = ()


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


def _noise(v: Values) -> str:
    x, y = np.asarray(v["x_train"]), np.asarray(v["y_train"])
    if x.size != y.size:
        return f"x_train has {x.size} numbers, y_train {y.size}"
    if x.min() < 0 or x.max() >= 1:
        return f"x_train goes from {x.min():.3g} to {x.max():.3g}; it should lie in [0, 1)"
    deviation = float(np.sqrt(np.mean((y.ravel() - 2 * x.ravel() - 1) ** 2)))
    if 0.07 < deviation < 0.13:
        return ""
    told = f"y_train scatters by {deviation:.3g} about 2 x + 1, not by about 0.1"
    return told + (": 0.01 is the variance, its root the deviation" if 0.007 < deviation < 0.013 else "")


def _path(v: Values) -> str:
    end, best = np.asarray(v["path"])[-1], _best_line(v)
    if np.allclose(end, best, rtol=1e-2):
        return ""
    return f"path ends at a = {end[0]:.4g}, b = {end[1]:.4g}; the best line has {best[0]:.4g} and {best[1]:.4g}"


# ── part 2: the network ─────────────────────────────────────────────────────────────────────────────────────────────

_X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])


def _sigmoid_network(parameters: Sequence[Array]) -> Array:
    W_hidden, b_hidden, W_out, b_out = parameters
    return sigmoid(sigmoid(_X @ W_hidden.T + b_hidden) @ W_out.T + b_out)


def _falls(name: str) -> Wanted:
    def complaint(v: Values) -> str:
        first, last = float(np.ravel(v[name])[0]), float(np.ravel(v[name])[-1])
        return "" if last < first else f"{name} begins at {first:.4g} and ends at {last:.4g}: it should fall"

    return Wanted(complaint=complaint)


_THERE = Wanted()

QUESTIONS: tuple[Asked, ...] = (
    Asked("1.1", "Data", values={"x_train": _THERE, "y_train": Wanted(complaint=_noise)}),
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
        "1.8", "A thousand epochs", ("gradient_descent",), {"losses": _falls("losses"), "path": Wanted(complaint=_path)}
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
    Asked("2.6", "Untrained", values={"y_untrained": Wanted(lambda v: _sigmoid_network(v["start"]))}),
    Asked("2.7", "Backward", ("backward",)),
    Asked("2.8", "Ten thousand epochs", ("train",), {"trained": _THERE, "losses_sigmoid": _falls("losses_sigmoid")}),
    Asked("2.9", "Trained", values={"y_trained": Wanted(lambda v: _sigmoid_network(v["trained"]))}),
    Asked(
        "2.10",
        "The same with ReLU",
        ("relu", "relu_derivative", "identity", "identity_derivative"),
        dict.fromkeys(("trained_relu", "losses_relu", "trained_mixed", "losses_mixed"), _THERE),
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

CONTEXT = ("x_train", "y_train", "a_start", "b_start", "start", "trained")
"""The values that others follow from."""

# ── its small functions ─────────────────────────────────────────────────────────────────────────────────────────────


def _drawn(seed: int) -> list[Array]:
    generator = np.random.RandomState(seed)
    W_hidden = generator.randn(10, 2)
    return [W_hidden, np.zeros((1, 10)), generator.randn(1, 10), np.zeros((1, 1))]


_numbers = np.random.default_rng(3).normal
_W, _x, _b = _numbers(size=(5, 3)), _numbers(size=(3, 4)), _numbers(size=(5, 1))

TRIALS: dict[str, Trial] = {
    "xor": Trial([(0, 0), (0, 1), (1, 0), (1, 1)], lambda p, q: [np.array(float(p != q))]),
    "layer_columns": Trial([(_W, _x, _b)], lambda W, x, b: [W @ x + b], [("bias-missing", lambda W, x, b: [W @ x])]),
    "layer_rows": Trial([(_x.T, _W.T, _b.T)], lambda x, V, b: [x @ V + b], [("bias-missing", lambda x, V, b: [x @ V])]),
    "draw": Trial([(7,)], _drawn),
}
"""By the function's name; all but `xor` as the practical's own notebook words them."""


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


def answers(asked: Asked, values: Values) -> list[Answer]:
    """Judge the values of a question; those of which nothing more is known than that they are there are left out."""
    result = []
    for name, wanted in asked.values.items():
        if not _is_there(values.get(name)):
            result.append(Answer(name, "not done yet"))
        elif wanted.is_judged:
            result.append(_answer(name, wanted, values))
    return result


def _is_there(value: Any) -> bool:
    return value is not None and value is not Ellipsis


def _answer(name: str, wanted: Wanted, values: Values) -> Answer:
    try:
        if wanted.complaint is not None:
            told = wanted.complaint(values)
            return Answer(name, "wrong" if told else "right", told)
        assert wanted.truth is not None
        truth = np.asarray(wanted.truth(values), dtype=float)
        yours = np.asarray(values[name], dtype=float)
        slips = [(id_, np.asarray(slip(values), dtype=float)) for id_, slip in wanted.slips]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return Answer(name, "unclear", f"{name} cannot be compared: what it follows from is not there, or is no number")
    if yours.size != truth.size:
        return Answer(name, "wrong", f"{name} has shape {yours.shape}, expected {truth.shape}")
    if close(yours, truth, wanted.rtol):
        return Answer(name, "right")
    id_ = next((id_ for id_, slip in slips if close(yours, slip, wanted.rtol)), "")
    return Answer(name, "wrong", first_difference(name, yours, truth), id_)


def close(yours: Array, truth: Array, rtol: float = 1e-6) -> bool:
    """Whether they are equal up to `rtol` of the largest number of the truth, whatever the shape."""
    if yours.size != truth.size:
        return False
    size = max(float(np.abs(truth).max(initial=0.0)), 1e-12)
    return bool(np.abs(yours.ravel() - truth.ravel()).max(initial=0.0) <= rtol * size)


def first_difference(name: str, yours: Array, truth: Array) -> str:
    """Where two arrays of one size differ first, with both numbers."""
    i = int(np.argmax(~np.isclose(yours.ravel(), truth.ravel(), rtol=1e-6, atol=1e-9)))
    at = f"[{', '.join(str(k) for k in np.unravel_index(i, yours.shape))}]" if yours.ndim else ""
    return f"{name}{at} is {yours.ravel()[i]:.8g}, expected {truth.ravel()[i]:.8g}"
