"""How a gradient becomes an update.

An optimizer's `step` changes the vector of parameters θ in place, given the vector of their gradients g. What it
remembers between steps (a velocity, mean squares) starts at 0 with its first step, so one optimizer serves one
network. η is the learning rate throughout; a schedule may change it from step to step.
"""

from dataclasses import dataclass, field
from math import sqrt
from typing import ClassVar, Protocol

import numpy as np

from byhand._types import Array
from byhand.formulas import Formula

_BLOCK = 16_384
"""With more parameters than that, Adam goes over them in blocks."""


class Optimizer(Protocol):
    """What `train` asks of an optimizer; any object that has it will do.

    Attributes
    ----------
    learning_rate : float
        η. A schedule changes it, so a step has to look at it each time.

    Examples
    --------
    >>> class SignDescent:  # θ ← θ − η sign(g)
    ...     def __init__(self, learning_rate):
    ...         self.learning_rate = learning_rate
    ...
    ...     def step(self, parameters, gradients):
    ...         parameters -= self.learning_rate * np.sign(gradients)
    >>> theta = np.array([1.0, 2.0])
    >>> SignDescent(0.1).step(theta, np.array([10.0, -0.001]))
    >>> theta
    array([0.9, 2.1])
    """

    learning_rate: float

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place by their gradients, an array of the same shape."""


def _check_learning_rate(learning_rate: float) -> None:
    rates = np.asarray(learning_rate)  # for many networks side by side (`study.ensemble`) one for each
    if not np.issubdtype(rates.dtype, np.number) or not ((rates > 0) & (rates < np.inf)).all():
        raise ValueError(f"a learning rate is a positive number, such as 0.1, not {learning_rate!r}.")


def _check_decay(name: str, decay: float) -> None:
    if not 0 <= decay < 1:
        raise ValueError(f"{name} is at least 0 and below 1, not {decay}.")


def _check_epsilon(epsilon: float) -> None:
    if not 0 <= epsilon < np.inf:
        raise ValueError(f"epsilon is at least 0, such as 1e-8, not {epsilon}.")


@dataclass(eq=False)
class GradientDescent:
    """θ ← θ − η g.

    Parameters
    ----------
    learning_rate : float
        η, positive.

    Raises
    ------
    ValueError
        If the learning rate is not a positive number.

    Examples
    --------
    >>> theta = np.array([1.0, 2.0])
    >>> GradientDescent(0.1).step(theta, np.array([10.0, -10.0]))
    >>> theta
    array([0., 3.])
    """

    formula: ClassVar = Formula("w ← w − η g", r"w \leftarrow w - \eta\, g", "p -= learning_rate * g")

    learning_rate: float

    def __post_init__(self) -> None:
        _check_learning_rate(self.learning_rate)

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place by their gradients, an array of the same shape."""
        parameters -= self.learning_rate * gradients


@dataclass(eq=False)
class Momentum:
    """A ball that rolls: v ← μ v − η g,  θ ← θ + v (Polyak 1964).

    The velocity v is in units of θ, as in Sutskever et al. (2013), scikit-learn and Keras: when a schedule lowers η,
    what has been gathered rolls on at its speed and fades with μ. PyTorch keeps v without η (v ← μ v + g, θ ← θ − η v),
    so that a lower η slows the ball at once. While η stays the same, both are the same.

    Parameters
    ----------
    learning_rate : float
        η, positive.
    momentum : float
        μ, from 0 (gradient descent) to below 1.

    Raises
    ------
    ValueError
        If one of these is not what it should be.

    Examples
    --------
    >>> theta, optimizer = np.array([1.0]), Momentum(0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step(theta, np.array([1.0]))
    >>> theta.round(6)  # 1 − 0.1, then − (0.5 · 0.1 + 0.1)
    array([0.75])
    """

    formula: ClassVar = Formula(
        "v ← {momentum} v − η g,  w ← w + v",
        r"v \leftarrow \mu v - \eta\, g, \quad w \leftarrow w + v",
        "v *= {momentum}\nv -= learning_rate * g\np += v",
        "v ← μ v − η g,  w ← w + v",
    )

    learning_rate: float
    momentum: float = 0.9

    velocity: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_learning_rate(self.learning_rate)
        _check_decay("momentum", self.momentum)

    def _accelerate(self, gradients: Array) -> None:
        if not hasattr(self, "velocity"):
            self.velocity = np.zeros_like(gradients)
        self.velocity *= self.momentum
        self.velocity -= self.learning_rate * gradients

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place by their gradients, an array of the same shape."""
        self._accelerate(gradients)
        parameters += self.velocity


@dataclass(eq=False)
class Nesterov(Momentum):
    """Momentum that looks ahead: v ← μ v − η g,  θ ← θ + μ v − η g (Nesterov 1983).

    In this form (Sutskever et al. 2013, as scikit-learn and Keras write it) θ stands for the point that is looked at,
    so that g is the gradient at θ as everywhere else. For v under a schedule see `Momentum`.

    Parameters
    ----------
    learning_rate, momentum : float
        As in `Momentum`.

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> Nesterov(0.1, momentum=0.5).step(theta, np.array([1.0]))
    >>> theta.round(6)  # 1 − 0.5 · 0.1 − 0.1
    array([0.85])
    """

    formula: ClassVar = Formula(
        "v ← {momentum} v − η g,  w ← w + {momentum} v − η g",
        r"v \leftarrow \mu v - \eta\, g, \quad w \leftarrow w + \mu v - \eta\, g",
        "v *= {momentum}\nv -= learning_rate * g\np += {momentum} * v - learning_rate * g",
        "v ← μ v − η g,  w ← w + μ v − η g",
    )

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place by their gradients, an array of the same shape."""
        self._accelerate(gradients)
        parameters += self.momentum * self.velocity - self.learning_rate * gradients


@dataclass(eq=False)
class RMSProp:
    """Each parameter's step divided by its gradients' root mean square: s ← ρ s + (1 − ρ) g²,  θ ← θ − η g / (√s + ε).

    Tieleman & Hinton (2012).

    Parameters
    ----------
    learning_rate : float
        η, positive.
    decay : float
        ρ, in [0, 1): how slowly old squares fade.
    epsilon : float
        ε, against division by 0.

    Raises
    ------
    ValueError
        If one of these is not what it should be.

    Examples
    --------
    >>> theta = np.array([1.0, 1.0])
    >>> RMSProp(0.01, decay=0.99).step(theta, np.array([1.0, 100.0]))  # a first step of η / √(1 − ρ), whatever g is
    >>> theta.round(6)
    array([0.9, 0.9])
    """

    formula: ClassVar = Formula(
        "s ← {decay} s + (1 − {decay}) g²,  w ← w − η g / (√s + {epsilon})",
        r"s \leftarrow \rho s + (1 - \rho) g^2, \quad w \leftarrow w - \frac{\eta\, g}{\sqrt{s} + \varepsilon}",
        "s += (1 - {decay}) * (g * g - s)\np -= learning_rate * g / (np.sqrt(s) + {epsilon})",
        "s ← ρ s + (1 − ρ) g²,  w ← w − η g / (√s + ε)",
    )

    learning_rate: float = 0.001
    decay: float = 0.99
    epsilon: float = 1e-8

    mean_square: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_learning_rate(self.learning_rate)
        _check_decay("decay", self.decay)
        _check_epsilon(self.epsilon)

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place by their gradients, an array of the same shape."""
        if not hasattr(self, "mean_square"):
            self.mean_square = np.zeros_like(gradients)
        self.mean_square += (1 - self.decay) * (gradients * gradients - self.mean_square)
        parameters -= self.learning_rate * gradients / (np.sqrt(self.mean_square) + self.epsilon)


@dataclass(eq=False)
class Adam:
    """Momentum and RMSProp in one, with both means corrected for their start at 0 (Kingma & Ba 2015).

    m ← β₁ m + (1 − β₁) g,  s ← β₂ s + (1 − β₂) g²,  m̂ = m / (1 − β₁ᵗ),  ŝ = s / (1 − β₂ᵗ),
    θ ← θ − η m̂ / (√ŝ + ε)  at step t = 1, 2, …

    The correction: m is a sum of gradients whose weights add up to 1 − β₁ᵗ; divided by that it is their mean. PyTorch
    has ε where it is here; scikit-learn and Keras add it to √s before the correction, where it weighs 1 / √(1 − β₂ᵗ)
    times as much, 32 times at the first step: a difference where gradients are nearly as small as ε.

    Parameters
    ----------
    learning_rate : float
        η, positive.
    beta_1, beta_2 : float
        β₁ and β₂, in [0, 1): how slowly the means of g and g² forget.
    epsilon : float
        ε, against division by 0.

    Raises
    ------
    ValueError
        If one of these is not what it should be.

    Examples
    --------
    >>> theta = np.array([1.0, 1.0])
    >>> Adam(0.1).step(theta, np.array([1.0, 100.0]))  # a first step of η, whatever g is
    >>> theta.round(6)
    array([0.9, 0.9])
    """

    formula: ClassVar = Formula(
        "m ← {beta_1} m + (1 − {beta_1}) g,  s ← {beta_2} s + (1 − {beta_2}) g²,  w ← w − η m̂ / (√ŝ + {epsilon})",
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"w \leftarrow w - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \varepsilon}",
        "m += (1 - {beta_1}) * (g - m)\n"
        "s += (1 - {beta_2}) * (g * g - s)\n"
        "p -= learning_rate * (m / (1 - {beta_1}**t)) / (np.sqrt(s / (1 - {beta_2}**t)) + {epsilon})",
        "m ← β₁ m + (1 − β₁) g,  s ← β₂ s + (1 − β₂) g²,  w ← w − η m̂ / (√ŝ + ε)",
    )

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    t: int = field(init=False, repr=False, default=0)
    mean: Array = field(init=False, repr=False)
    mean_square: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_learning_rate(self.learning_rate)
        _check_decay("beta_1", self.beta_1)
        _check_decay("beta_2", self.beta_2)
        _check_epsilon(self.epsilon)

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place by their gradients, an array of the same shape."""
        if self.t == 0:
            self.mean, self.mean_square = np.zeros_like(gradients), np.zeros_like(gradients)
        self.t += 1
        if len(parameters) > _BLOCK or parameters.ndim > 1:  # many parameters, or many networks (`study.ensemble`)
            self._step_in_blocks(parameters, gradients)
            return
        self.mean += (1 - self.beta_1) * (gradients - self.mean)
        self.mean_square += (1 - self.beta_2) * (gradients * gradients - self.mean_square)
        m_hat = self.mean / (1 - self.beta_1**self.t)
        s_hat = self.mean_square / (1 - self.beta_2**self.t)
        parameters -= self.learning_rate * m_hat / (np.sqrt(s_hat) + self.epsilon)

    def _step_in_blocks(self, parameters: Array, gradients: Array) -> None:
        """The same for many parameters, in a third of the time for 200,000 of them in float64.

        The formula goes over its vectors a dozen times. In blocks, one after the other and with one array for all that
        comes between, they are still in the processor's cache the next time. η m̂ / (√ŝ + ε) is put as
        (η c / (1 − β₁ᵗ)) m / (√s + c ε) with c = √(1 − β₂ᵗ), so that no array is corrected.
        """
        c = sqrt(1 - self.beta_2**self.t)
        rate, epsilon = self.learning_rate * c / (1 - self.beta_1**self.t), c * self.epsilon
        rows = max(1, _BLOCK * len(parameters) // parameters.size)  # one number each, or one for each of many networks
        all_between = np.empty_like(gradients[:rows])
        for start in range(0, len(parameters), rows):
            block = slice(start, start + rows)
            g, m, s = gradients[block], self.mean[block], self.mean_square[block]
            between = all_between[: len(g)]
            np.subtract(g, m, out=between)
            between *= 1 - self.beta_1
            m += between
            np.multiply(g, g, out=between)
            between -= s
            between *= 1 - self.beta_2
            s += between
            np.sqrt(s, out=between)
            between += epsilon
            np.divide(m, between, out=between)
            between *= rate
            parameters[block] -= between


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with weight decay beside it, not in the gradient: θ ← θ − η λ θ before Adam's step.

    In Adam an L2 penalty would be divided by √ŝ like all of g; here every parameter, biases too, shrinks by the
    same factor (Loshchilov & Hutter 2019).

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon
        As in `Adam`.
    weight_decay : float
        λ, at least 0.

    Raises
    ------
    ValueError
        If one of these is not what it should be.

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> AdamW(0.1, weight_decay=0.5).step(theta, np.array([1.0]))  # 1 − 0.1 · 0.5 · 1, and then Adam's − 0.1
    >>> theta.round(6)
    array([0.85])
    """

    formula: ClassVar = Formula(
        "w ← w − {weight_decay} η w, then  " + Adam.formula.element,
        r"w \leftarrow w - \eta \lambda w, \text{ then } " + Adam.formula.latex,
        "p *= 1 - learning_rate * {weight_decay}\n" + Adam.formula.code,
        "w ← w − η λ w, then  " + Adam.formula.text,
    )

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.weight_decay < np.inf:
            raise ValueError(f"weight_decay is at least 0, not {self.weight_decay}.")

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place by their gradients, an array of the same shape."""
        parameters *= 1 - self.learning_rate * self.weight_decay
        super().step(parameters, gradients)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "gradient_descent": GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}
"""By name; each takes a learning rate first."""


def get(optimizer: str | Optimizer) -> Optimizer:
    """The optimizer of that name with its default learning rate; an object with a `step` is handed back as it is.

    Parameters
    ----------
    optimizer : str or Optimizer
        "adam", "adamw" and "rmsprop" have a learning rate that is a fair start, 0.001. The others have none: what fits
        depends on the loss, so say it, as in GradientDescent(0.1).

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If no optimizer has that name, or it has no default learning rate.
    TypeError
        If it is neither a name nor has a `step`.

    Examples
    --------
    >>> get("adam")
    Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08)
    """
    if not isinstance(optimizer, str):
        if isinstance(optimizer, type) or not hasattr(optimizer, "step"):
            raise TypeError(f"an optimizer is a name, or an object such as GradientDescent(0.1), not {optimizer!r}.")
        return optimizer
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {optimizer!r}; there are {', '.join(OPTIMIZERS)}.")
    kind = OPTIMIZERS[optimizer]
    try:
        return kind()
    except TypeError:
        raise ValueError(
            f"{optimizer!r} needs a learning rate: give optimizer=byhand.{kind.__name__}(0.1), for example."
        ) from None
