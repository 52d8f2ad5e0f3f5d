"""Which activation converges the fastest? Thousands of small networks at once, and an answer with its uncertainty.

`ensemble` trains many networks together, `plan` says which, `runs` what became of each, `statistics` what they
say, and `study` does it all. Each name is loaded when it is first used: `train_ensemble` needs NumPy alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_MODULE_OF = {"Study": "answer", "study": "answer", "train_ensemble": "ensemble"}
__all__ = ["Study", "study", "train_ensemble"]

if TYPE_CHECKING:
    from byhand.study.answer import Study as Study
    from byhand.study.answer import study as study
    from byhand.study.ensemble import train_ensemble as train_ensemble


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(import_module(f"byhand.study.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'byhand.study' has no attribute {name!r}")
