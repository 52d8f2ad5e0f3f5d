"""How the practical's functions are tried: calls with inputs of ours, and what they then give.

In the calls all sizes differ, biases are not 0, and the two layers have different activations: what a run on four
points hides shows there. A function that is written for the practical's own sizes is tried in these as well, and right
there is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from byhand._types import Array
from byhand.activations import ACTIVATIONS, Activation, identity, relu, sigmoid
from byhand.diagnosis.check import asked

Truth: TypeAlias = Callable[..., list[Array]]
"""From the arguments (and the names, as keywords) to the arrays that the function gives, in order."""


@dataclass(frozen=True)
class Trial:
    """A function of the practical.

    Attributes
    ----------
    calls : sequence of tuple
        Arguments, in sizes of ours.
    truth : callable
    slips : sequence of (id, callable)
        What it gives when a certain mistake is made.
    own : sequence of tuple
        Arguments in the practical's own sizes.
    names : dict
        What the function finds defined.
    gives : sequence of str
        What the arrays are that it gives.
    steps : str
        A text that trains with it; {f} is its name. From its steps the tape's judge names the mistake.
    """

    calls: Sequence[tuple[Any, ...]]
    truth: Truth
    slips: Sequence[tuple[str, Truth]] = ()
    own: Sequence[tuple[Any, ...]] = ()
    names: dict[str, Any] = field(default_factory=dict)
    gives: Sequence[str] = ()
    steps: str = ""

    def expected(self, arguments: tuple[Any, ...], truth: Truth | None = None) -> list[Array]:
        """What the function gives when it is right, or makes a slip."""
        given = [ACTIVATIONS[a] if isinstance(a, str) else a for a in arguments]
        with np.errstate(all="ignore"):
            return [np.asarray(array, dtype=float) for array in (truth or self.truth)(*given, **self.names)]


_numbers = np.random.default_rng(3).normal
_W, _x, _b = _numbers(size=(5, 3)), _numbers(size=(3, 4)), _numbers(size=(5, 1))
_z = np.array([[-3.0, -0.7, 0.0, 0.4], [2.5, 1.1, -1.3, 0.9]])


def _drawn(seed: int) -> list[Array]:
    generator = np.random.RandomState(seed)
    W_hidden = generator.randn(10, 2)
    return [W_hidden, np.zeros((1, 10)), generator.randn(1, 10), np.zeros((1, 1))]


def _network(sizes: tuple[int, int, int, int], seed: int) -> tuple[Any, Any, list[Any]]:
    """Inputs, targets and parameters; samples, inputs, hidden units, outputs."""
    n, n_in, hidden, n_out = sizes
    draw = np.random.default_rng(seed).normal
    parameters = [0.7 * draw(size=shape) for shape in ((hidden, n_in), (1, hidden), (n_out, hidden), (1, n_out))]
    return draw(size=(n, n_in)), draw(size=(n, n_out)), parameters


_PAIRS = (("sigmoid", "sigmoid"), ("relu", "sigmoid"), ("sigmoid", "identity"))


def _calls_of_forward(sizes: tuple[int, int, int, int]) -> list[tuple[Any, ...]]:
    x, _, parameters = _network(sizes, 5)
    return [(x, parameters, hidden, out) for hidden, out in _PAIRS]


def _calls_of_backward(sizes: tuple[int, int, int, int]) -> list[tuple[Any, ...]]:
    x, y, parameters = _network(sizes, 6)
    calls = []
    for hidden, out in _PAIRS:
        passed = asked.forward(x, parameters, ACTIVATIONS[hidden], ACTIVATIONS[out])
        calls.append((x, y, parameters, passed, hidden, out))
    return calls


def _calls_of_train(sizes: tuple[int, int, int, int]) -> list[tuple[Any, ...]]:
    x, y, parameters = _network(sizes, 7)
    return [(parameters, x, y, hidden, out, 0.03, 4) for hidden, out in _PAIRS]


def _trained(*arguments: Any) -> list[Array]:
    parameters, losses = asked.train(*arguments)
    return [*parameters, losses]


def _descended(a: float, b: float, rate: float, epochs: int, x_train: Array, y_train: Array, N: int) -> list[Array]:
    return list(asked.descent(x_train, y_train, a, b, rate, epochs))


def _line_with(gradients: Callable[..., tuple[Any, Any]], bias: float = 1) -> Truth:
    """Gradient descent by other gradients: from the errors, x, and the errors that an update of a leaves."""

    def truth(a: float, b: float, rate: float, epochs: int, x_train: Array, y_train: Array, N: int) -> list[Array]:
        losses, path = [], [(a, b)]
        for _ in range(epochs):
            error = a * x_train + bias * b - y_train
            losses.append(np.mean(error**2))
            grad_a, _ = gradients(error, x_train, error)
            after = (a - rate * grad_a) * x_train + bias * b - y_train
            a, b = a - rate * grad_a, b - rate * gradients(error, x_train, after)[1]
            path.append((a, b))
        return [np.array(losses), np.array(path)]

    return truth


_LINE_SLIPS: list[tuple[str, Truth]] = [
    ("updated-weights-used", _line_with(lambda e, x, after: (2 * np.mean(e * x), 2 * np.mean(after)))),
    ("parameter-never-updated", _line_with(lambda e, x, after: (2 * np.mean(e * x), 0))),
    ("parameter-never-updated", _line_with(lambda e, x, after: (0, 2 * np.mean(e)))),
    ("bias-gradient-wrong", _line_with(lambda e, x, after: (2 * np.mean(e * x), 2 * np.sum(e)))),
    ("bias-missing", _line_with(lambda e, x, after: (2 * np.mean(e * x), 2 * np.mean(e)), bias=0)),
    ("constant-factor", _line_with(lambda e, x, after: (np.mean(e * x), np.mean(e)))),
    ("constant-factor", _line_with(lambda e, x, after: (np.mean(e * x), 2 * np.mean(e)))),
    ("constant-factor", _line_with(lambda e, x, after: (2 * np.mean(e * x), np.mean(e)))),
    ("sum-versus-mean", _line_with(lambda e, x, after: (2 * np.sum(e * x), 2 * np.sum(e)))),
    ("sum-versus-mean", _line_with(lambda e, x, after: (np.sum(e * x), np.sum(e)))),
    ("sign-flipped", _line_with(lambda e, x, after: (-2 * np.mean(e * x), -2 * np.mean(e)))),
]


def _gradients_times(factor: float, *, divided: bool = False) -> Truth:
    """The gradients times a number, or divided by the number of samples."""

    def truth(
        x: Array, y: Array, parameters: list[Array], passed: Any, hidden: Activation, out: Activation
    ) -> list[Array]:
        by = factor / len(x) if divided else factor
        return [by * g for g in asked.backward(x, y, parameters, hidden, out)]

    return truth


def _biases_averaged(which: set[int]) -> Truth:
    """The gradients, but for biases that have a mean where the weights have a sum."""
    return lambda x, y, parameters, passed, hidden, out: [
        g / len(x) if k in which else g for k, g in enumerate(asked.backward(x, y, parameters, hidden, out))
    ]


def _slope(activation: Activation) -> Truth:
    return lambda z: [activation.derivative(np.asarray(z, dtype=float), activation(z))]


_OURS, _OWN = (6, 4, 5, 3), (4, 2, 10, 1)
_PARAMETERS = ("W_hidden", "b_hidden", "W_out", "b_out")

_DRIVER_HEAD = """
class Given_:
    def __init__(self, f, slope): self.f, self.slope = f, slope
    def __call__(self, z): return self.f(z)
    def derivative(self, z): return self.slope(z)
def sigmoid_(z): return 1 / (1 + np.exp(-z))
def sigmoid_slope_(z): return sigmoid_(z) * (1 - sigmoid_(z))
hidden_ = Given_(sigmoid_, sigmoid_slope_)
out_ = Given_(np.tanh, lambda z: 1 - np.tanh(z) ** 2)
draw_ = np.random.default_rng(5).normal
x_, y_ = draw_(size=(6, 4)), 0.5 * draw_(size=(6, 3))
parameters_ = [0.7 * draw_(size=s) for s in ((5, 4), (1, 5), (3, 5), (1, 3))]
"""

_STEPS_OF_BACKWARD = (
    "import numpy as np\n"
    + _DRIVER_HEAD
    + """
for epoch_ in range(4):
    z_hidden_ = x_ @ parameters_[0].T + parameters_[1]
    a_hidden_ = hidden_(z_hidden_)
    z_out_ = a_hidden_ @ parameters_[2].T + parameters_[3]
    y_hat_ = out_(z_out_)
    loss_ = np.sum((y_hat_ - y_) ** 2)
    gradients_ = {f}(x_, y_, parameters_, [z_hidden_, a_hidden_, z_out_, y_hat_], hidden_, out_)
    parameters_ = [p_ - 0.02 * g_ for p_, g_ in zip(parameters_, gradients_)]
"""
)
_STEPS_OF_TRAIN = "import numpy as np\n" + _DRIVER_HEAD + "\n{f}(parameters_, x_, y_, hidden_, out_, 0.02, 4)\n"
_STEPS_OF_DESCENT = """
import numpy as np
N = 9
x_train = np.random.default_rng(5).random(N)
y_train = 2 * x_train + 1 + 0.3 * np.random.default_rng(6).normal(size=N)
{f}(0.3, -0.4, 0.05, 5)
"""

TRIALS: dict[str, Trial] = {
    "gradient_descent": Trial(
        [(0.3, -0.4, 0.05, 7)],
        _descended,
        names={
            "x_train": np.random.default_rng(5).random(9),
            "y_train": np.random.default_rng(6).normal(size=9),
            "N": 9,
        },
        slips=_LINE_SLIPS,
        gives=("the losses", "the path"),
        steps=_STEPS_OF_DESCENT,
    ),
    "xor": Trial([(0, 0), (0, 1), (1, 0), (1, 1)], lambda p, q: [np.array(float(p != q))]),
    "layer_columns": Trial([(_W, _x, _b)], lambda W, x, b: [W @ x + b], [("bias-missing", lambda W, x, b: [W @ x])]),
    "layer_rows": Trial([(_x.T, _W.T, _b.T)], lambda x, V, b: [x @ V + b], [("bias-missing", lambda x, V, b: [x @ V])]),
    "draw": Trial([(7,), (3,)], _drawn, gives=_PARAMETERS),
    "sigmoid": Trial(
        [(_z,), (_z[0],)],
        lambda z: [sigmoid(z)],
        [("sigmoid-falling", lambda z: [sigmoid(-z)])],
    ),
    "sigmoid_derivative": Trial(
        [(_z,), (_z[0],)],
        _slope(sigmoid),
        [
            ("derivative-of-activation", lambda z: [z * (1 - z)]),
            ("derivative-always-1", lambda z: [np.ones_like(z)]),
            ("sign-flipped", lambda z: [-sigmoid(z) * (1 - sigmoid(z))]),
        ],
    ),
    "forward": Trial(
        _calls_of_forward(_OURS),
        asked.forward,
        [
            ("bias-missing", lambda x, p, f, g: asked.forward(x, [p[0], 0 * p[1], p[2], 0 * p[3]], f, g)),
            ("bias-missing", lambda x, p, f, g: asked.forward(x, [p[0], 0 * p[1], p[2], p[3]], f, g)),
            ("bias-missing", lambda x, p, f, g: asked.forward(x, [p[0], p[1], p[2], 0 * p[3]], f, g)),
            ("wrong-layer-activation", lambda x, p, f, g: asked.forward(x, p, g, g)),
            ("wrong-layer-activation", lambda x, p, f, g: asked.forward(x, p, f, f)),
            ("wrong-layer-activation", lambda x, p, f, g: asked.forward(x, p, g, f)),
            ("wrong-layer-activation", lambda x, p, f, g: asked.forward(x, p, sigmoid, g)),
            ("wrong-layer-activation", lambda x, p, f, g: asked.forward(x, p, f, sigmoid)),
            ("wrong-layer-activation", lambda x, p, f, g: asked.forward(x, p, sigmoid, sigmoid)),
            ("forward-returns-z", lambda x, p, f, g: [*(t := asked.forward(x, p, f, g))[:3], t[2]]),
            ("forward-returns-z", lambda x, p, f, g: asked.forward(x, p, identity, g)),
        ],
        own=_calls_of_forward(_OWN),
        gives=("z_hidden", "a_hidden", "z_out", "y_hat"),
    ),
    "backward": Trial(
        _calls_of_backward(_OURS),
        _gradients_times(1),
        [
            ("constant-factor", _gradients_times(0.5)),
            ("sum-versus-mean", _gradients_times(1, divided=True)),
            ("sum-versus-mean", _gradients_times(0.5, divided=True)),
            ("bias-gradient-wrong", _biases_averaged({1, 3})),
            ("bias-gradient-wrong", _biases_averaged({1})),
            ("bias-gradient-wrong", _biases_averaged({3})),
        ],
        own=_calls_of_backward(_OWN),
        gives=tuple(f"the gradient of {name}" for name in _PARAMETERS),
        steps=_STEPS_OF_BACKWARD,
    ),
    "train": Trial(
        _calls_of_train(_OURS),
        _trained,
        [("constant-factor", lambda p, x, y, f, g, rate, epochs: _trained(p, x, y, f, g, 1.0, epochs))],
        own=_calls_of_train(_OWN),
        gives=(*_PARAMETERS, "the losses"),
        steps=_STEPS_OF_TRAIN,
    ),
    "relu": Trial([(_z,)], lambda z: [relu(z)]),
    "relu_derivative": Trial(
        [(_z,)],
        lambda z: [(z > 0).astype(float)],
        [
            ("derivative-always-1", lambda z: [np.ones_like(z)]),
        ],
    ),
    "identity": Trial([(_z,)], lambda z: [z]),
    "identity_derivative": Trial([(_z,)], lambda z: [np.ones_like(z)]),
    "slope": Trial([(_z,)], lambda z: [(z >= 0).astype(float)]),
}
"""By the function's name, as the practical's notebook words it."""
