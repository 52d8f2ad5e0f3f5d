"""Normalization: numbers brought to mean 0 and variance 1, over the batch or over the features of each sample."""

import numpy as np
import numpy.typing as npt

from byhand._types import Array, Shape
from byhand.layers.base import Layer, Parameter, State, check_sizes


def standardize(x: Array, axis: int, epsilon: float) -> tuple[Array, Array, Array]:
    """x̂ = (x − μ) / σ with μ the mean along an axis and σ = √(mean of (x − μ)² + ε).

    Returns
    -------
    x_hat, mean, std : array
        Of the shape of x; the other two with length 1 along the axis.
    """
    mean = x.mean(axis=axis, keepdims=True)
    centred = x - mean
    std = np.sqrt((centred * centred).mean(axis=axis, keepdims=True) + epsilon)
    return centred / std, mean, std


def standardize_backward(grad_x_hat: Array, x_hat: Array, std: Array, axis: int) -> Array:
    """From dL/dx̂ to dL/dx = (g − mean of g − x̂ · mean of g ⊙ x̂) / σ, where g is dL/dx̂.

    x comes into x̂ three times: itself (g / σ), through μ, whose derivative by each of the N numbers is 1 / N (this
    takes the mean of g away), and through σ, whose derivative by x is x̂ / N (this takes what is along x̂ away). So the
    gradient says nothing of moving all of x by the same, or scaling it: neither changes x̂.
    """
    along_mean = grad_x_hat.mean(axis=axis, keepdims=True)
    along_x_hat = (grad_x_hat * x_hat).mean(axis=axis, keepdims=True)
    return (grad_x_hat - along_mean - x_hat * along_x_hat) / std


class _Normalization(Layer):
    """What both share: a gain γ and a shift β for each feature, on the last axis."""

    gamma = Parameter()
    beta = Parameter()

    grad_gamma: Array
    grad_beta: Array

    def __init__(self, n_features: int, *, epsilon: float, dtype: npt.DTypeLike) -> None:
        check_sizes(n_features=n_features)
        if not epsilon >= 0:
            raise ValueError(f"epsilon is at least 0, not {epsilon}.")
        self.n_features, self.epsilon = n_features, epsilon
        self.gamma, self.beta = np.ones(n_features, dtype), np.zeros(n_features, dtype)

    def output_shape(self, input_shape: Shape) -> Shape:
        """The same as the input's.

        Raises
        ------
        ValueError
            If the last axis has another length than n_features.
        """
        if not input_shape or input_shape[-1] not in (self.n_features, None):
            raise ValueError(f"takes {self.n_features} features on the last axis.")
        return input_shape

    def _gradients(self, grad_y: Array, x_hat: Array) -> None:
        """dL/dγ = Σ dL/dy ⊙ x̂ and dL/dβ = Σ dL/dy, over all axes but the last."""
        np.add.reduce((grad_y * x_hat).reshape(-1, self.n_features), axis=0, out=self.grad_gamma)
        np.add.reduce(grad_y.reshape(-1, self.n_features), axis=0, out=self.grad_beta)


class BatchNorm(_Normalization):
    """Batch normalization: y = γ x̂ + β, with x̂ of each feature standardized over the batch (Ioffe & Szegedy 2015).

    The mean and the variance are over all axes but the last: over the samples of a table, and over the places, too, of
    images. So in training a sample's output depends on the others in its batch. In use it must not: `predict` takes
    means and variances that were gathered in training, running_mean ← (1 − m) running_mean + m μ, and likewise the
    variance (with N − 1 in place of N below its sum, an estimate without bias).

    Parameters
    ----------
    n_features : int
        On the last axis.
    momentum : float
        m, above 0 and at most 1.
    epsilon : float
        ε in σ = √(variance + ε).
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    gamma, beta : array, shape (n_features,)
    running_mean, running_variance : array, shape (n_features,)
        State: kept and saved, not learned.
    x_hat, std : array
        x̂ and σ of the last `forward`, shapes (N, n_features) and (1, n_features).

    Raises
    ------
    ValueError
        If a setting makes no sense; in `forward`, if the batch has one number a feature, whose variance is 0.

    Examples
    --------
    >>> layer = BatchNorm(1, epsilon=1e-12)
    >>> layer.forward(np.array([[1.0], [3.0]])).round(6)
    array([[-1.],
           [ 1.]])
    >>> layer.running_mean  # a tenth of the way from 0 to the batch's mean, 2
    array([0.2])
    """

    running_mean = State()
    running_variance = State()
    passing = ("x_hat", "std")

    def __init__(
        self,
        n_features: int,
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(n_features, epsilon=epsilon, dtype=dtype)
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum is above 0 and at most 1, not {momentum}.")
        self.momentum = momentum
        self.running_mean, self.running_variance = np.zeros(n_features, dtype), np.ones(n_features, dtype)

    def forward(self, x: Array) -> Array:
        """From x, shape (n, …, n_features), to y of the same shape, by the batch's own mean and variance.

        Raises
        ------
        ValueError
            If the batch has one number a feature, whose variance is 0.
        """
        rows = x.reshape(-1, self.n_features)
        n = len(rows)
        if n < 2:
            raise ValueError("a batch norm needs more than one number a feature in training: take larger batches.")
        self.x_hat, mean, self.std = standardize(rows, 0, self.epsilon)
        variance = (self.std[0] ** 2 - self.epsilon) * (n / (n - 1))
        self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean[0]
        self.running_variance = (1 - self.momentum) * self.running_variance + self.momentum * variance
        return (self.gamma * self.x_hat + self.beta).reshape(x.shape)

    def backward(self, grad_y: Array) -> Array:
        """From dL/dy to dL/dx by way of dL/dx̂ = γ ⊙ dL/dy; keeps dL/dγ and dL/dβ."""
        rows = grad_y.reshape(-1, self.n_features)
        self._gradients(rows, self.x_hat)
        return standardize_backward(rows * self.gamma, self.x_hat, self.std, 0).reshape(grad_y.shape)

    def predict(self, x: Array) -> Array:
        """The same by the means and variances that were gathered in training, each sample for itself."""
        scale = self.gamma / np.sqrt(self.running_variance + self.epsilon)
        return (x - self.running_mean) * scale + self.beta


class LayerNorm(_Normalization):
    """Layer normalization: y = γ x̂ + β, with x̂ standardized over the features of each sample (Ba, Kiros & Hinton 2016).

    Of a sequence each step is standardized for itself. No sample depends on another, so use and training are the same.

    Parameters
    ----------
    n_features : int
        On the last axis.
    epsilon : float
        ε in σ = √(variance + ε).
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    gamma, beta : array, shape (n_features,)
    x_hat, std : array
        x̂ and σ of the last `forward`, shapes (n, …, n_features) and (n, …, 1).

    Examples
    --------
    >>> LayerNorm(2, epsilon=1e-12).forward(np.array([[1.0, 3.0], [10.0, 30.0]])).round(6)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    passing = ("x_hat", "std")

    def __init__(self, n_features: int, *, epsilon: float = 1e-5, dtype: npt.DTypeLike = np.float64) -> None:
        super().__init__(n_features, epsilon=epsilon, dtype=dtype)

    def forward(self, x: Array) -> Array:
        """From x, shape (n, …, n_features), to y of the same shape."""
        self.x_hat, _, self.std = standardize(x, -1, self.epsilon)
        return self.gamma * self.x_hat + self.beta

    def backward(self, grad_y: Array) -> Array:
        """From dL/dy to dL/dx by way of dL/dx̂ = γ ⊙ dL/dy; keeps dL/dγ and dL/dβ."""
        self._gradients(grad_y, self.x_hat)
        return standardize_backward(grad_y * self.gamma, self.x_hat, self.std, -1)

    def predict(self, x: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        return self.gamma * standardize(x, -1, self.epsilon)[0] + self.beta
