"""Layers: each concept a file, its forward pass and its backward pass side by side.

A batch has one sample a row, and the features of a sample lie on its last axis: a table has shape (n, features), a
batch of sequences (n, steps, features), one of images (n, height, width, channels). So what is said of features
(`LayerNorm`, `BatchNorm`, `Softmax`) is the same for all of them.

`base` says what a layer is, and how one writes one's own; `dense` is the first to read. Each other is loaded when its
name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from byhand.layers.base import Layer, Parameter, State
from byhand.layers.dense import Dense
from byhand.layers.dropout import Dropout

_MODULE_OF = {
    "Attention": "attention",
    "AveragePool2D": "pooling",
    "BatchNorm": "normalization",
    "Conv2D": "convolution",
    "Elementwise": "elementwise",
    "Embedding": "embedding",
    "Flatten": "flatten",
    "GRU": "recurrent",
    "LSTM": "recurrent",
    "LayerNorm": "normalization",
    "MaxPool2D": "pooling",
    "PositionalEmbedding": "embedding",
    "PositionalEncoding": "embedding",
    "RNN": "recurrent",
    "Residual": "containers",
    "Sequential": "containers",
    "Softmax": "softmax",
    "TimeDistributed": "containers",
    "transformer": "transformer",
}

__all__ = ["Dense", "Dropout", "Layer", "Parameter", "State", *_MODULE_OF]

if TYPE_CHECKING:
    from byhand.layers.attention import Attention as Attention
    from byhand.layers.containers import Residual as Residual
    from byhand.layers.containers import Sequential as Sequential
    from byhand.layers.containers import TimeDistributed as TimeDistributed
    from byhand.layers.convolution import Conv2D as Conv2D
    from byhand.layers.elementwise import Elementwise as Elementwise
    from byhand.layers.embedding import Embedding as Embedding
    from byhand.layers.embedding import PositionalEmbedding as PositionalEmbedding
    from byhand.layers.embedding import PositionalEncoding as PositionalEncoding
    from byhand.layers.flatten import Flatten as Flatten
    from byhand.layers.normalization import BatchNorm as BatchNorm
    from byhand.layers.normalization import LayerNorm as LayerNorm
    from byhand.layers.pooling import AveragePool2D as AveragePool2D
    from byhand.layers.pooling import MaxPool2D as MaxPool2D
    from byhand.layers.recurrent import GRU as GRU
    from byhand.layers.recurrent import LSTM as LSTM
    from byhand.layers.recurrent import RNN as RNN
    from byhand.layers.softmax import Softmax as Softmax
    from byhand.layers.transformer import transformer as transformer


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        value = getattr(import_module(f"byhand.layers.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'byhand.layers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
