"""What the names of functions and arguments say: which is another one's derivative, and which is a target."""

from __future__ import annotations

import re

_SLOPE = r"d|dx|dz|der|d[eé]riv\w*|abl\w*|prime|grad\w*|nabla|delta|slope|diff|dash|back\w*|bwd|retro\w*"
_FILLER = (
    r"compute|calculate|calc|get|eval|apply|cost|loss|err|error|functions?|func|fn|fct|of|the|forward|act|activation"
)
_OF_OUTPUT = r"(?i)_(from|of|given|using|by|with)_(the_)?(out(put)?|act\w*|values?|result|[yas])$"
"""How a derivative says that it takes what the function gives, and not what it takes."""
TARGET = (
    r"y|t|y_?(t|s|i|b|batch|train|one_?hot)|\w*true\w*|\w*targ\w*|\w*label\w*|\w*actual\w*|\w*expect\w*|\w*desired\w*"
    r"|gt|goal|real|cible\w*|alvo\w*|objetivo\w*|esperad\w*|ziel\w*|soll\w*"
)
"""How the target of a loss is called; it tells which is which where the loss does not, as a square."""


def is_marked(name: str) -> bool:
    """Whether a name says that something is a derivative."""
    return any(re.fullmatch(_SLOPE, w) for w in _words(name))


def is_slope_of(slope: str, name: str) -> bool:
    """Whether a function is called as another one's derivative: sigmoid_prime, dSigmoid, mse_grad."""
    slope = re.sub(_OF_OUTPUT, "", slope)
    if is_marked(name):
        return False
    if is_marked(slope):
        return _meant(slope) == _meant(name)
    of, word = re.escape("".join(_words(name))), "".join(_words(slope))
    return re.fullmatch(rf"({_SLOPE}){of}|{of}({_SLOPE}|p)", word) is not None  # an underscore alone says nothing


def _words(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip("_").split("_")


def _meant(name: str) -> str:
    """What is special in a function's name."""
    return "".join(w for w in _words(name) if not re.fullmatch(f"{_SLOPE}|{_FILLER}", w))


def plain(name: str) -> str:
    """The name without what says that it is a derivative."""
    words = _words(name)
    kept = [w for w in words if not re.fullmatch(_SLOPE, w)]
    return "".join(kept) if len(kept) < len(words) else re.sub(rf"^d(?=[a-z])|({_SLOPE})$", "", "".join(words))
