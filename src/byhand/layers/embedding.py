"""Embeddings: a vector for each token, and a vector for each position."""

import numpy as np
import numpy.typing as npt

from byhand._types import Array, Seed, Shape
from byhand.layers.base import Layer, Parameter, check_sizes


class Embedding(Layer):
    """A row of weights for each token: a = W[token].

    It is `Dense` without bias on one-hot rows, without multiplying by all those zeros. So dL/dW has in the row of a
    token the sum of dL/da over all places where it stood. Tokens are numbers of symbols, between which there is
    nothing: dL/dx is 0.

    Parameters
    ----------
    n_tokens : int
        How many symbols there are, numbered from 0.
    n_features : int
        The length of their vectors.
    seed : int, Generator or None
        W starts as N(0, 1) / √n_features, so that vectors have a length of about 1.
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    W : array, shape (n_tokens, n_features)
    tokens : array of int, shape (n, T)
        Of the last `forward`.

    Raises
    ------
    ValueError
        If a size makes no sense; in the passes, if a token is not from 0 to n_tokens − 1.

    Examples
    --------
    >>> layer = Embedding(3, 2)
    >>> layer.W = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    >>> layer.forward(np.array([[2, 0]]))
    array([[[4., 5.],
            [0., 1.]]])
    """

    W = Parameter()
    passing = ("tokens",)

    grad_W: Array

    def __init__(self, n_tokens: int, n_features: int, *, seed: Seed = None, dtype: npt.DTypeLike = np.float64) -> None:
        check_sizes(n_tokens=n_tokens, n_features=n_features)
        self.n_tokens, self.n_features = n_tokens, n_features
        draws = np.random.default_rng(seed).standard_normal((n_tokens, n_features))
        self.W = (draws / np.sqrt(n_features)).astype(dtype)
        self.input_shape = (None,)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(T, n_features) for T tokens."""
        return (*input_shape, self.n_features)

    def _tokens(self, x: Array) -> npt.NDArray[np.intp]:
        tokens = np.rint(x.real).astype(np.intp)
        if tokens.size and (tokens.min() < 0 or tokens.max() >= self.n_tokens):
            raise ValueError(
                f"tokens go from 0 to {self.n_tokens - 1}, and these from {tokens.min()} to {tokens.max()}."
            )
        return tokens

    def forward(self, x: Array) -> Array:
        """From tokens, shape (n, T), whole numbers in whatever type, to vectors, shape (n, T, n_features)."""
        self.tokens = self._tokens(x)
        return self.W[self.tokens]

    def backward(self, grad_a: Array) -> Array:
        """From dL/da to dL/dx = 0; keeps dL/dW."""
        self.backward_parameters(grad_a)
        return np.zeros(self.tokens.shape, grad_a.dtype)

    def backward_parameters(self, grad_a: Array) -> None:
        """dL/dW: with the places in the order of their tokens, each token's are a stretch to be added up."""
        tokens = self.tokens.ravel()
        order = np.argsort(tokens, kind="stable")
        there, starts = np.unique(tokens[order], return_index=True)
        self.grad_W[...] = 0
        self.grad_W[there] = np.add.reduceat(grad_a.reshape(-1, self.n_features)[order], starts, axis=0)

    def predict(self, x: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        return self.W[self._tokens(x)]


class PositionalEmbedding(Layer):
    """A learned vector for each position, added: y = x + P[0 … T − 1].

    Attention alone does not see in which order its inputs stand.

    Parameters
    ----------
    n_steps : int
        The longest sequence.
    n_features : int
    seed : int, Generator or None
        P starts as N(0, 1) / √n_features.
    dtype : numpy dtype

    Attributes
    ----------
    P : array, shape (n_steps, n_features)

    Examples
    --------
    >>> PositionalEmbedding(5, 2, seed=0).forward(np.zeros((1, 3, 2))).shape
    (1, 3, 2)
    """

    P = Parameter()
    grad_P: Array

    def __init__(self, n_steps: int, n_features: int, *, seed: Seed = None, dtype: npt.DTypeLike = np.float64) -> None:
        check_sizes(n_steps=n_steps, n_features=n_features)
        self.n_steps, self.n_features = n_steps, n_features
        draws = np.random.default_rng(seed).standard_normal((n_steps, n_features))
        self.P = (draws / np.sqrt(n_features)).astype(dtype)
        self.input_shape = (None, n_features)

    def output_shape(self, input_shape: Shape) -> Shape:
        """The same as the input's.

        Raises
        ------
        ValueError
            For longer sequences, or other features.
        """
        _check_features(input_shape, self.n_features)
        if input_shape[0] is not None and input_shape[0] > self.n_steps:
            raise ValueError(f"knows {self.n_steps} positions: PositionalEncoding has any number of them.")
        return input_shape

    def forward(self, x: Array) -> Array:
        """From x, shape (n, T, n_features), to x + P."""
        return x + self.P[: x.shape[1]]

    def backward(self, grad_output: Array) -> Array:
        """dL/dx = dL/dy, and dL/dP is its sum over the samples."""
        self.grad_P[...] = 0
        self.grad_P[: grad_output.shape[1]] = grad_output.sum(axis=0)
        return grad_output


class PositionalEncoding(Layer):
    """A fixed pattern for each position, added: y = x + P, with nothing to learn (Vaswani et al. 2017).

    P[t, 2 i] = sin(t / 10000^(2 i / n_features)) and P[t, 2 i + 1] = cos of the same: waves from short to long, by
    which near positions are alike and P[t + k] is a rotation of P[t].

    Parameters
    ----------
    n_features : int

    Examples
    --------
    >>> PositionalEncoding(4).forward(np.zeros((1, 2, 4))).round(2)
    array([[[0.  , 1.  , 0.  , 1.  ],
            [0.84, 0.54, 0.01, 1.  ]]])
    """

    def __init__(self, n_features: int) -> None:
        check_sizes(n_features=n_features)
        self.n_features = n_features
        self.input_shape = (None, n_features)

    def output_shape(self, input_shape: Shape) -> Shape:
        """The same as the input's.

        Raises
        ------
        ValueError
            For other features.
        """
        _check_features(input_shape, self.n_features)
        return input_shape

    def encoding(self, n_steps: int) -> Array:
        """P for so many positions, shape (n_steps, n_features)."""
        i = np.arange(self.n_features)
        angle = np.arange(n_steps)[:, None] / 10000 ** (2 * (i // 2) / self.n_features)
        return np.where(i % 2 == 0, np.sin(angle), np.cos(angle))

    def forward(self, x: Array) -> Array:
        """From x, shape (n, T, n_features), to x + P."""
        return x + self.encoding(x.shape[1]).astype(x.dtype)

    def backward(self, grad_output: Array) -> Array:
        """dL/dx = dL/dy."""
        return grad_output


def _check_features(shape: Shape, n_features: int) -> None:
    if len(shape) != 2 or shape[1] not in (n_features, None):
        raise ValueError(f"takes sequences of shape (steps, {n_features}).")
