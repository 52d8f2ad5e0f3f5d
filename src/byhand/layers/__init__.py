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
    "Elementwise": "elementwise",
    "Residual": "containers",
    "Sequential": "containers",
    "TimeDistributed": "containers",
}

__all__ = ["Dense", "Dropout", "Layer", "Parameter", "State", *_MODULE_OF]

if TYPE_CHECKING:
    from byhand.layers.containers import Residual as Residual
    from byhand.layers.containers import Sequential as Sequential
    from byhand.layers.containers import TimeDistributed as TimeDistributed
    from byhand.layers.elementwise import Elementwise as Elementwise


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        value = getattr(import_module(f"byhand.layers.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'byhand.layers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
