"""Losses: how far the outputs ŷ are from the targets y, as one number, and its gradient beside it.

Every loss adds up one term for each sample i and output k and then takes the sum or the mean over the samples;
which of the two, and any factor ½, is in its name or its docstring. The gradient is the derivative of exactly
that number: the convention decides which learning rate fits, since a sum over n samples has gradients n times
as long as their mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from byhand._types import Array
from byhand.activations import _sigmoid, magnitude, softmax


@dataclass(frozen=True)
class Loss:
    """A loss and its gradient.

    Parameters
    ----------
    name : str
        What it is called in messages, plots and files.
    terms : callable
        From ŷ and y, both of shape (n, n_out), to the terms, of the same shape.
    terms_gradient : callable
        From ŷ and y to the derivative of the sum of a sample's terms with respect to ŷ, shape (n, n_out).
    reduction : {"sum", "mean"}
        Over the samples.
    """

    name: str
    terms: Callable[[Array, Array], Array]
    terms_gradient: Callable[[Array, Array], Array]
    reduction: Literal["sum", "mean"]

    def value(self, y_hat: Array, y: Array, weights: Array | None = None) -> float:
        """The loss L = Σᵢ wᵢ Σₖ termᵢₖ, divided by Σᵢ wᵢ when it is a mean.

        Parameters
        ----------
        y_hat, y : array, shape (n, n_out)
            Outputs and targets.
        weights : array, shape (n,), optional
            How much each sample counts; 1 each by default.

        Raises
        ------
        ValueError
            If the shapes differ: NumPy would otherwise broadcast (n, 1) against (n,) into an (n, n) matrix.
        """
        _check_shapes(y_hat, y)
        terms = self.terms(y_hat, y)
        if weights is not None:
            terms = terms * weights[:, None]
        total = np.add.reduce(terms, axis=None)
        return total if self.reduction == "sum" else total / total_weight(y, weights)

    def gradient(self, y_hat: Array, y: Array, weights: Array | None = None) -> Array:
        """dL/dŷ, shape (n, n_out), of the same L as `value`."""
        _check_shapes(y_hat, y)
        gradient = self.terms_gradient(y_hat, y)
        if weights is not None:
            gradient = gradient * weights[:, None]
        return gradient if self.reduction == "sum" else gradient / total_weight(y, weights)

    def __repr__(self) -> str:
        return f"<loss {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # As in `activations`: ours are pickled by name.
        if LOSSES.get(self.name) is self:
            return get, (self.name,)
        return Loss, (self.name, self.terms, self.terms_gradient, self.reduction)


def _check_shapes(y_hat: Array, y: Array) -> None:
    if y_hat.shape != y.shape:
        raise ValueError(
            f"outputs of shape {y_hat.shape} and targets of shape {y.shape}: both need one row a sample and one "
            "column an output (for one output, y.reshape(-1, 1))."
        )


def total_weight(y: Array, weights: Array | None) -> float:
    """The number of samples, or the sum of their weights: what a mean is divided by."""
    return len(y) if weights is None else float(weights.sum())


def _squares(y_hat: Array, y: Array) -> Array:
    error = y_hat - y
    return error * error


sum_of_squares = Loss(
    "sum_of_squares",
    _squares,
    lambda y_hat, y: 2.0 * (y_hat - y),
    "sum",
)
"""Σᵢ Σₖ (ŷᵢₖ − yᵢₖ)²: a sum, without ½."""

mean_squared_error = Loss(
    "mean_squared_error",
    lambda y_hat, y: _squares(y_hat, y) / y.shape[1],
    lambda y_hat, y: 2.0 / y.shape[1] * (y_hat - y),
    "mean",
)
"""(ŷᵢₖ − yᵢₖ)², the mean over samples and outputs, without ½."""

half_mean_squared_error = Loss(
    "half_mean_squared_error",
    lambda y_hat, y: 0.5 * _squares(y_hat, y),
    lambda y_hat, y: y_hat - y,
    "mean",
)
"""½ Σₖ (ŷᵢₖ − yᵢₖ)², the sum over outputs and the mean over samples: its gradient is just (ŷ − y) / n."""

mean_absolute_error = Loss(
    "mean_absolute_error",
    lambda y_hat, y: magnitude(y_hat - y) / y.shape[1],
    lambda y_hat, y: np.sign(y_hat - y) / y.shape[1],
    "mean",
)
"""|ŷᵢₖ − yᵢₖ|, the mean over samples and outputs; where ŷ = y its gradient is taken as 0."""


def _huber_terms(y_hat: Array, y: Array) -> Array:
    distance = magnitude(y_hat - y)
    return np.where(distance <= 1.0, 0.5 * distance * distance, distance - 0.5) / y.shape[1]


huber = Loss(
    "huber",
    _huber_terms,
    lambda y_hat, y: np.clip(y_hat - y, -1.0, 1.0) / y.shape[1],
    "mean",
)
"""½ e² where |e| ≤ 1, else |e| − ½, with e = ŷᵢₖ − yᵢₖ; the mean over samples and outputs (Huber 1964). Squares for
small errors, absolute values for outliers."""

binary_cross_entropy_from_logits = Loss(
    "binary_cross_entropy_from_logits",
    # −y ln σ(z) − (1 − y) ln(1 − σ(z)), put so that no logarithm of 0 and no overflow can happen.
    lambda z, y: (np.maximum(z, 0) - y * z + np.log1p(np.exp(-magnitude(z)))) / y.shape[1],
    lambda z, y: (_sigmoid(z) - y) / y.shape[1],
    "mean",
)
"""−y ln p − (1 − y) ln(1 − p) with p = σ(z), the mean over samples and outputs. The last layer gives the logits z
(identity activation); the σ is in the loss, where its derivative cancels: the gradient is p − y."""


def _cross_entropy_terms(z: Array, y: Array) -> Array:
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -y * log_p


cross_entropy_from_logits = Loss(
    "cross_entropy_from_logits",
    _cross_entropy_terms,
    # Σₖ y = 1 for a one-hot row; a row of any other sum has this factor.
    lambda z, y: softmax(z, axis=1) * y.sum(axis=1, keepdims=True) - y,
    "mean",
)
"""−Σₖ yₖ ln pₖ with p = softmax(z), the mean over samples. y holds one-hot rows (or probabilities), z the logits of
a last layer without activation; softmax is in the loss, where its Jacobian cancels: the gradient is p − y."""

LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        sum_of_squares,
        mean_squared_error,
        half_mean_squared_error,
        mean_absolute_error,
        huber,
        binary_cross_entropy_from_logits,
        cross_entropy_from_logits,
    )
}


def get(loss: str | Loss) -> Loss:
    """The loss of that name; a `Loss` is handed back as it is.

    Raises
    ------
    ValueError
        If no loss has that name.
    """
    if isinstance(loss, Loss):
        return loss
    if loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}; there are {', '.join(LOSSES)}.")
    return LOSSES[loss]
