"""How a gradient becomes an update.

An optimizer's `step` changes the vector of parameters θ in place, given the vector of their gradients g. What it
remembers between steps (a velocity, mean squares) starts at 0 with its first step, so one optimizer serves one
network. η is the learning rate throughout.
"""

from math import sqrt
from typing import Protocol

import numpy as np

from byhand._types import Array

# Adam goes over its four vectors ten times in each step. In blocks of so many numbers, one after the other,
# they are still in the processor's cache the next time.
_BLOCK = 16_384


class Optimizer(Protocol):
    """What `train` asks of an optimizer."""

    learning_rate: float

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place."""


def _check_learning_rate(learning_rate: float) -> float:
    # For many networks side by side (`study.ensemble`) it is an array: one for each.
    if not np.all((np.asarray(learning_rate) > 0) & (np.asarray(learning_rate) < np.inf)):
        raise ValueError(f"a learning rate is a positive number, such as 0.1, not {learning_rate}.")
    return learning_rate


def _check_decay(name: str, decay: float) -> float:
    if not 0 <= decay < 1:
        raise ValueError(f"{name} is at least 0 and below 1, not {decay}.")
    return decay


class GradientDescent:
    """θ ← θ − η g.

    Parameters
    ----------
    learning_rate : float
        η, positive.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = _check_learning_rate(learning_rate)

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place."""
        parameters -= self.learning_rate * gradients


class Momentum:
    """A ball that rolls: v ← μ v − η g,  θ ← θ + v (Polyak 1964).

    Parameters
    ----------
    learning_rate : float
        η, positive.
    momentum : float
        μ, from 0 (gradient descent) to below 1.
    """

    velocity: Array

    def __init__(self, learning_rate: float, momentum: float = 0.9) -> None:
        self.learning_rate = _check_learning_rate(learning_rate)
        self.momentum = _check_decay("momentum", momentum)

    def _accelerate(self, gradients: Array) -> None:
        if not hasattr(self, "velocity"):
            self.velocity = np.zeros_like(gradients)
        self.velocity *= self.momentum
        self.velocity -= self.learning_rate * gradients

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place."""
        self._accelerate(gradients)
        parameters += self.velocity


class Nesterov(Momentum):
    """Momentum that looks ahead: v ← μ v − η g,  θ ← θ + μ v − η g (Nesterov 1983).

    In this form (Sutskever et al. 2013, as scikit-learn and PyTorch write it) θ stands for the point that is
    looked at, so that g is the gradient at θ as everywhere else.
    """

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place."""
        self._accelerate(gradients)
        parameters += self.momentum * self.velocity - self.learning_rate * gradients


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
    """

    mean_square: Array

    def __init__(self, learning_rate: float = 0.001, decay: float = 0.99, epsilon: float = 1e-8) -> None:
        self.learning_rate = _check_learning_rate(learning_rate)
        self.decay = _check_decay("decay", decay)
        self.epsilon = epsilon

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place."""
        if not hasattr(self, "mean_square"):
            self.mean_square = np.zeros_like(gradients)
        self.mean_square += (1 - self.decay) * (gradients * gradients - self.mean_square)
        parameters -= self.learning_rate * gradients / (np.sqrt(self.mean_square) + self.epsilon)


class Adam:
    """Momentum and RMSProp in one, with both means corrected for their start at 0 (Kingma & Ba 2015).

    m ← β₁ m + (1 − β₁) g,  s ← β₂ s + (1 − β₂) g²,  m̂ = m / (1 − β₁ᵗ),  ŝ = s / (1 − β₂ᵗ),
    θ ← θ − η m̂ / (√ŝ + ε)  at step t = 1, 2, …

    Parameters
    ----------
    learning_rate : float
        η, positive.
    beta_1, beta_2 : float
        β₁ and β₂, in [0, 1): how slowly the means of g and g² forget.
    epsilon : float
        ε, against division by 0.
    """

    fading_sum: Array
    fading_square_sum: Array

    def __init__(
        self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.learning_rate = _check_learning_rate(learning_rate)
        self.beta_1 = _check_decay("beta_1", beta_1)
        self.beta_2 = _check_decay("beta_2", beta_2)
        self.epsilon = epsilon
        self.t = 0

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place."""
        if self.t == 0:
            self.fading_sum = np.zeros_like(gradients)
            self.fading_square_sum = np.zeros_like(gradients)
            self._scratch = np.empty_like(gradients[:_BLOCK])
        self.t += 1
        # The means are kept as sums, m = Σₖ β₁ᵗ⁻ᵏ gₖ and s = Σₖ β₂ᵗ⁻ᵏ gₖ²: so m̂ = a m with a = (1 − β₁) / (1 − β₁ᵗ) and
        # ŝ = c² s with c² = (1 − β₂) / (1 − β₂ᵗ), and the step η m̂ / (√ŝ + ε) is (η a / c) m / (√s + ε / c).
        a = (1 - self.beta_1) / (1 - self.beta_1**self.t)
        c = sqrt((1 - self.beta_2) / (1 - self.beta_2**self.t))
        for start in range(0, len(parameters), _BLOCK):
            block = slice(start, start + _BLOCK)
            g, m, s = gradients[block], self.fading_sum[block], self.fading_square_sum[block]
            scratch = self._scratch[: len(g)]
            m *= self.beta_1
            m += g
            s *= self.beta_2
            s += np.multiply(g, g, out=scratch)
            root = np.sqrt(s, out=scratch)
            root += self.epsilon / c
            step = np.divide(m, root, out=scratch)
            step *= self.learning_rate * a / c
            parameters[block] -= step


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
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon)
        if not 0 <= weight_decay < np.inf:
            raise ValueError(f"weight_decay is at least 0, not {weight_decay}.")
        self.weight_decay = weight_decay

    def step(self, parameters: Array, gradients: Array) -> None:
        """Change the parameters in place."""
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
