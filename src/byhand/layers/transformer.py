"""A small transformer, of the layers that stand in the other files."""

import numpy as np
import numpy.typing as npt

from byhand._types import Seed
from byhand.layers.attention import Attention
from byhand.layers.base import Layer, check_sizes
from byhand.layers.containers import Residual, TimeDistributed
from byhand.layers.dense import Dense
from byhand.layers.dropout import Dropout
from byhand.layers.embedding import Embedding, PositionalEncoding
from byhand.layers.normalization import LayerNorm


def transformer(
    n_tokens: int,
    n_features: int,
    *,
    n_heads: int = 2,
    n_blocks: int = 2,
    n_hidden: int | None = None,
    n_out: int | None = None,
    causal: bool = False,
    dropout: float = 0.0,
    seed: Seed = None,
    dtype: npt.DTypeLike = np.float64,
) -> list[Layer]:
    """The layers of a transformer: from tokens, shape (n, T), to logits for each step, shape (n, T, n_out).

    Embedding and positions; then blocks of attention (the steps look at each other) and of two dense layers (each step
    for itself), each a residual with a layer norm before it, x + F(LayerNorm(x)), as they train without a warm-up
    (Xiong et al. 2020); then a layer norm and a dense layer.

    Parameters
    ----------
    n_tokens : int
        How many symbols there are.
    n_features : int
        The length of their vectors; n_heads divides it.
    n_heads, n_blocks : int
    n_hidden : int, optional
        Between the two dense layers of a block; by default 4 · n_features.
    n_out : int, optional
        By default n_tokens.
    causal : bool
        Whether no step looks at those after it: for predicting what comes next.
    dropout : float
        The rate of a `Dropout` at the end of each residual.
    seed : int, Generator or None
        One stream for all layers.
    dtype : numpy dtype

    Returns
    -------
    list of Layer
        For a `Network`.

    Raises
    ------
    ValueError
        If a number is no whole number from 1 on, or n_heads does not divide n_features.

    Examples
    --------
    >>> from byhand import Network
    >>> network = Network(transformer(10, 16, n_heads=2, n_blocks=1, seed=0))
    >>> network.predict([[1, 2, 3]]).shape
    (1, 3, 10)
    """
    check_sizes(n_blocks=n_blocks)
    rng = np.random.default_rng(seed)
    n_hidden = 4 * n_features if n_hidden is None else n_hidden
    layers: list[Layer] = [Embedding(n_tokens, n_features, seed=rng, dtype=dtype), PositionalEncoding(n_features)]
    for _ in range(n_blocks):
        look = Attention(n_features, n_heads, mask="causal" if causal else None, seed=rng, dtype=dtype)
        think: list[Layer] = [
            TimeDistributed(Dense(n_features, n_hidden, "gelu", seed=rng, dtype=dtype)),
            TimeDistributed(Dense(n_hidden, n_features, seed=rng, dtype=dtype)),
        ]
        for part in ([look], think):
            drop = [Dropout(dropout, seed=rng)] if dropout else []
            layers.append(Residual([LayerNorm(n_features, dtype=dtype), *part, *drop]))
    out = Dense(n_features, n_tokens if n_out is None else n_out, seed=rng, dtype=dtype)
    return [*layers, LayerNorm(n_features, dtype=dtype), TimeDistributed(out)]
