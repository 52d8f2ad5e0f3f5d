"""The backward pass in steps that can be replaced, one by one, with a mistake.

The right rule, for layers z = x Wᵀ + b, a = f(z), from the last to the first:

    δ = dL/da ⊙ f′(z),   dL/dW = δᵀ x,   dL/db = Σₙ δₙ,   dL/dx = δ W  (the dL/da of the layer before)

A wrong variant is the same rule with one step exchanged. So two mistakes at once are two exchanges, and the
gradient that a mistake produces is computed, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from byhand._types import Array
from byhand.activations import Activation


@dataclass(frozen=True)
class Pass:
    """What a forward pass left behind, in one convention: a sample a row, W of shape (n_out, n_in).

    Attributes
    ----------
    x, y : array, shapes (n, n_in) and (n, n_out)
        Inputs and targets.
    W, b : tuple of arrays
        A layer each, from the input on; shapes (n_out, n_in) and (n_out,).
    z, a : tuple of arrays, shape (n, n_out)
        Each layer's pre-activations and outputs; a[-1] is ŷ.
    activations : tuple of Activation
        A layer each.
    grad_y_hat : array, shape (n, n_out)
        dL/dŷ with every factor of the loss.
    learning_rate : float
        0 when it is not known or plays no part.
    """

    x: Array
    y: Array
    W: tuple[Array, ...]
    b: tuple[Array, ...]
    z: tuple[Array, ...]
    a: tuple[Array, ...]
    activations: tuple[Activation, ...]
    grad_y_hat: Array
    learning_rate: float = 0.0

    @classmethod
    def forward(
        cls,
        x: Array,
        y: Array,
        W: tuple[Array, ...],
        b: tuple[Array, ...],
        activations: tuple[Activation, ...],
        loss_gradient: Callable[[Array, Array], Array],
        learning_rate: float = 0.0,
    ) -> Pass:
        """Compute z and a of every layer, and dL/dŷ by `loss_gradient(y_hat, y)`."""
        zs: list[Array] = []
        outputs: list[Array] = []
        below = x
        for W_k, b_k, activation in zip(W, b, activations, strict=True):
            zs.append(below @ W_k.T + b_k)
            below = activation(zs[-1])
            outputs.append(below)
        return cls(x, y, W, b, tuple(zs), tuple(outputs), activations, loss_gradient(below, y), learning_rate)

    def input_of(self, layer: int) -> Array:
        """What the layer was given: x, or the output of the layer before."""
        return self.x if layer == 0 else self.a[layer - 1]

    @property
    def last(self) -> int:
        """The number of the output layer; the first is 0."""
        return len(self.W) - 1


@dataclass
class Step:
    """What the backward pass of one layer has at hand so far."""

    layer: int
    grad_a: Array
    derivative: Array = field(default_factory=lambda: np.empty(0))
    delta: Array = field(default_factory=lambda: np.empty(0))
    grad_W: Array = field(default_factory=lambda: np.empty(0))


Hook: TypeAlias = Callable[[Pass, Step], Array]


def _derivative(p: Pass, s: Step) -> Array:
    return p.activations[s.layer].derivative(p.z[s.layer], p.a[s.layer])


@dataclass(frozen=True)
class Rule:
    """The backward pass, a step a field; the defaults are the right ones."""

    derivative: Hook = _derivative
    delta: Hook = lambda p, s: s.grad_a * s.derivative
    grad_W: Hook = lambda p, s: s.delta.T @ p.input_of(s.layer)
    grad_b: Hook = lambda p, s: s.delta.sum(axis=0)
    send_back: Hook = lambda p, s: s.delta @ p.W[s.layer]

    def gradients(self, p: Pass) -> list[tuple[Array, Array]]:
        """(dL/dW, dL/db) of each layer, from the input on, as this rule computes them.

        Raises
        ------
        ValueError
            When the rule is a wrong variant whose shapes don't fit this network: with it, nobody gets this far.
        """
        result: list[tuple[Array, Array]] = []
        grad_a = p.grad_y_hat
        for layer in reversed(range(len(p.W))):
            s = Step(layer, grad_a)
            s.derivative = self.derivative(p, s)
            s.delta = self.delta(p, s)
            s.grad_W = self.grad_W(p, s)
            grad_b = self.grad_b(p, s)
            if s.grad_W.shape != p.W[layer].shape or grad_b.shape != p.b[layer].shape:
                raise ValueError("the shapes of the gradients are not those of the parameters")
            result.append((s.grad_W, grad_b))
            if layer:
                grad_a = self.send_back(p, s)
        return result[::-1]

    def with_step(self, layers: frozenset[int] | None = None, **steps: Hook) -> Rule:
        """The rule with some steps exchanged, on the layers named (all by default)."""

        def choose(new: Hook, old: Hook) -> Hook:
            if layers is None:
                return new
            return lambda p, s: new(p, s) if s.layer in layers else old(p, s)

        return replace(self, **{name: choose(hook, getattr(self, name)) for name, hook in steps.items()})


TRUE_RULE = Rule()


@dataclass(frozen=True)
class Variant:
    """One way to get the gradient wrong.

    Attributes
    ----------
    id : str
        The mistake's id in the catalogue.
    where : str
        For example "hidden layer" or "output layer"; empty when it is everywhere.
    meant, found : str
        The formula as it should be, and as it is computed.
    change : callable
        From a rule to the rule with this mistake in it.
    """

    id: str
    where: str
    meant: str
    found: str
    change: Callable[[Rule], Rule]
