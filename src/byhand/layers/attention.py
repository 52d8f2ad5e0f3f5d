"""Attention: each step of a sequence looks at the others, and takes of each as much as it fits."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from byhand import activations
from byhand._types import Array, Seed, Shape
from byhand.layers.base import Layer, Parameter, check_sizes
from byhand.layers.softmax import softmax_backward

_NEVER = -1e30  # a score whose exponential is 0, and which unlike −∞ can be subtracted from itself


def attend(q: Array, k: Array, v: Array, mask: npt.NDArray[np.bool_] | None = None) -> tuple[Array, Array]:
    """Scaled dot-product attention: A V with A = softmax(Q Kᵀ / √d) (Vaswani et al. 2017).

    The product of two vectors of d numbers of variance 1 has variance d; divided by √d it stays where softmax has a
    slope.

    Parameters
    ----------
    q, k, v : array, shapes (…, T, d), (…, S, d), (…, S, d_v)
        What each of T steps asks for, what each of S steps offers, and what it gives.
    mask : array of bool, optional
        Of a shape that broadcasts to (…, T, S): False where a step must not look.

    Returns
    -------
    output, A : array, shapes (…, T, d_v) and (…, T, S)
        Each row of A is 1 in sum.
    """
    scores = q @ k.swapaxes(-1, -2)
    scores /= np.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, scores.dtype.type(_NEVER))
    A = activations.softmax(scores)
    return A @ v, A


def attend_backward(grad_output: Array, q: Array, k: Array, v: Array, A: Array) -> tuple[Array, Array, Array]:
    """From dL/d(output), shape (…, T, d_v), to dL/dq, dL/dk and dL/dv.

    Of output = A V: dL/dV = Aᵀ dL/d(output) and dL/dA = dL/d(output) Vᵀ. Of A = softmax(S), row by row: dL/dS = A ⊙
    (dL/dA − Σ dL/dA ⊙ A), which is 0 where a mask made A 0. Of S = Q Kᵀ / √d: dL/dQ = dL/dS K / √d and
    dL/dK = dL/dSᵀ Q / √d.
    """
    grad_v = A.swapaxes(-1, -2) @ grad_output
    grad_scores = softmax_backward(grad_output @ v.swapaxes(-1, -2), A)
    grad_scores /= np.sqrt(q.shape[-1])
    return grad_scores @ k, grad_scores.swapaxes(-1, -2) @ q, grad_v


class Attention(Layer):
    """Self-attention with several heads: softmax(Q Kᵀ / √d) V for each, side by side, and then mixed.

    [Q K V] = x W_qkvᵀ + b_qkv gives each step what it asks for, offers and gives; each head has n_features / n_heads
    columns of the three, and its own attention. y = [heads side by side] W_outᵀ + b_out.

    Parameters
    ----------
    n_features : int
        Of each step, in and out.
    n_heads : int
        A divisor of n_features.
    mask : None, "causal", or array of bool, shape (T, T)
        Which steps (columns) each step (row) may look at; "causal": at none after itself.
    seed : int, Generator or None
        Both W start by Glorot's uniform draws, b at 0.
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    W_qkv, b_qkv : array, shapes (3 n_features, n_features) and (3 n_features,)
    W_out, b_out : array, shapes (n_features, n_features) and (n_features,)
    x, q, k, v : array, shapes (n, T, n_features), and (n, n_heads, T, n_features / n_heads)
        Of the last `forward`.
    A : array, shape (n, n_heads, T, T)
        The attention weights of the last `forward`.

    Raises
    ------
    ValueError
        If the heads don't divide the features, or a setting makes no sense.

    Examples
    --------
    >>> layer = Attention(4, n_heads=2, mask="causal", seed=0)
    >>> x = np.random.default_rng(0).standard_normal((1, 3, 4))
    >>> before = layer.forward(x)
    >>> x[0, 2] = 0.0  # the last step, which no earlier one sees
    >>> (layer.forward(x)[0, :2] == before[0, :2]).all()
    np.True_
    """

    W_qkv = Parameter()
    b_qkv = Parameter()
    W_out = Parameter()
    b_out = Parameter()
    passing = ("x", "q", "k", "v", "A", "mixed")

    grad_W_qkv: Array
    grad_b_qkv: Array
    grad_W_out: Array
    grad_b_out: Array

    def __init__(
        self,
        n_features: int,
        n_heads: int = 1,
        *,
        mask: Literal["causal"] | npt.ArrayLike | None = None,
        seed: Seed = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        check_sizes(n_features=n_features, n_heads=n_heads)
        if n_features % n_heads:
            raise ValueError(f"{n_heads} heads don't divide {n_features} features.")
        if isinstance(mask, str) and mask != "causal":
            raise ValueError(f"unknown mask {mask!r}; there is 'causal', and an array of bool.")
        self.n_features, self.n_heads = n_features, n_heads
        self.mask = mask if mask is None or isinstance(mask, str) else np.asarray(mask, bool)
        rng = np.random.default_rng(seed)
        limit = np.sqrt(6 / (2 * n_features))
        self.W_qkv = rng.uniform(-limit, limit, (3 * n_features, n_features)).astype(dtype)
        self.b_qkv = np.zeros(3 * n_features, dtype)
        self.W_out = rng.uniform(-limit, limit, (n_features, n_features)).astype(dtype)
        self.b_out = np.zeros(n_features, dtype)
        self.input_shape = (None, n_features)

    def output_shape(self, input_shape: Shape) -> Shape:
        """The same as the input's.

        Raises
        ------
        ValueError
            For samples that are no sequences of n_features, or not as long as the mask.
        """
        if len(input_shape) != 2 or input_shape[1] not in (self.n_features, None):
            raise ValueError(f"takes sequences of shape (steps, {self.n_features}).")
        if isinstance(self.mask, np.ndarray) and input_shape[0] not in (len(self.mask), None):
            raise ValueError(f"has a mask for {len(self.mask)} steps.")
        return input_shape

    def _allowed(self, n_steps: int) -> npt.NDArray[np.bool_] | None:
        if isinstance(self.mask, str):
            return np.tri(n_steps, dtype=bool)
        return self.mask

    def _heads(self, rows: Array, n: int) -> Array:
        """Columns of the heads, shape (n · T, k n_features), as (n, k n_heads, T, n_features / n_heads)."""
        return rows.reshape(
            n, -1, rows.shape[1] // (self.n_features // self.n_heads), self.n_features // self.n_heads
        ).swapaxes(1, 2)

    def _side_by_side(self, heads: Array) -> Array:
        """The reverse of `_heads`."""
        n, n_heads, n_steps, d = heads.shape
        return heads.swapaxes(1, 2).reshape(n * n_steps, n_heads * d)

    def forward(self, x: Array) -> Array:
        """From x, shape (n, T, n_features), to y of the same shape; keeps A."""
        n, n_steps, _ = x.shape
        self.x = x
        qkv = x.reshape(-1, self.n_features) @ self.W_qkv.T + self.b_qkv
        self.q, self.k, self.v = np.split(self._heads(qkv, n), 3, axis=1)
        output, self.A = attend(self.q, self.k, self.v, self._allowed(n_steps))
        self.mixed = self._side_by_side(output)
        return (self.mixed @ self.W_out.T + self.b_out).reshape(x.shape)

    def backward(self, grad_y: Array) -> Array:
        """From dL/dy to dL/dx: back through the mixing, the heads, and the three products."""
        rows = grad_y.reshape(-1, self.n_features)
        np.matmul(rows.T, self.mixed, out=self.grad_W_out)
        np.add.reduce(rows, axis=0, out=self.grad_b_out)
        grad_heads = self._heads(rows @ self.W_out, len(grad_y))
        grad_qkv = np.concatenate(attend_backward(grad_heads, self.q, self.k, self.v, self.A), axis=1)
        grad_rows = self._side_by_side(grad_qkv)
        np.matmul(grad_rows.T, self.x.reshape(-1, self.n_features), out=self.grad_W_qkv)
        np.add.reduce(grad_rows, axis=0, out=self.grad_b_qkv)
        return (grad_rows @ self.W_qkv).reshape(grad_y.shape)
