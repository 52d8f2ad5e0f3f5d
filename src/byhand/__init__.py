"""Deep learning written out by hand in NumPy.

The mathematics lies in the modules of this package, to be read top to bottom: `activations`, `losses`, `initializers`,
`layers`, `network`, `optimizers`, `training`, `gradient_check`. `arithmetic` tells one pass step by step, `figures`
draws, `estimators` is the scikit-learn face, and `lab` is the practical. Each is loaded when its name is first used, so
that ``import byhand`` and the command line start at once.

>>> import byhand
>>> x, y = byhand.datasets.xor()
>>> network = byhand.Network.dense([2, 10, 1], "sigmoid", seed=0)
>>> network.predict(x).shape
(4, 1)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "1.0.0"

# Where each public name lives; the block for type checkers says the same, and a test holds the two together.
_MODULE_OF = {
    "Adam": "optimizers",
    "AdamW": "optimizers",
    "ByHandClassifier": "estimators",
    "ByHandLinearRegression": "estimators",
    "ByHandRegressor": "estimators",
    "ByhandError": "errors",
    "Dense": "layers",
    "Diverged": "training",
    "Dropout": "layers",
    "GradientDescent": "optimizers",
    "GradientMismatch": "gradient_check",
    "History": "training",
    "Layer": "layers",
    "L1": "penalties",
    "L2": "penalties",
    "Momentum": "optimizers",
    "Nesterov": "optimizers",
    "Network": "network",
    "Parameter": "layers",
    "State": "layers",
    "RMSProp": "optimizers",
    "accuracy": "training",
    "check": "diagnosis.check.notebook",
    "check_gradients": "gradient_check",
    "load": "storage",
    "numerical_gradient": "gradient_check",
    "one_hot": "losses",
    "save": "storage",
    "train": "training",
}
_MODULES = {
    "activations",
    "arithmetic",
    "datasets",
    "estimators",
    "figures",
    "formulas",
    "gradient_check",
    "initializers",
    "lab",
    "layers",
    "losses",
    "network",
    "optimizers",
    "penalties",
    "schedules",
    "sequences",
    "storage",
    "study",
    "symptoms",
    "training",
}
# What `from byhand import *` brings: all but what needs an extra.
__all__ = ["__version__", *sorted(name for name, module in _MODULE_OF.items() if module != "estimators")]

if TYPE_CHECKING:
    from byhand import activations as activations
    from byhand import arithmetic as arithmetic
    from byhand import datasets as datasets
    from byhand import estimators as estimators
    from byhand import figures as figures
    from byhand import formulas as formulas
    from byhand import gradient_check as gradient_check
    from byhand import initializers as initializers
    from byhand import lab as lab
    from byhand import layers as layers
    from byhand import losses as losses
    from byhand import network as network
    from byhand import optimizers as optimizers
    from byhand import penalties as penalties
    from byhand import schedules as schedules
    from byhand import sequences as sequences
    from byhand import storage as storage
    from byhand import study as study
    from byhand import symptoms as symptoms
    from byhand import training as training
    from byhand.diagnosis.check.notebook import check as check
    from byhand.errors import ByhandError as ByhandError
    from byhand.estimators import ByHandClassifier as ByHandClassifier
    from byhand.estimators import ByHandLinearRegression as ByHandLinearRegression
    from byhand.estimators import ByHandRegressor as ByHandRegressor
    from byhand.gradient_check import GradientMismatch as GradientMismatch
    from byhand.gradient_check import check_gradients as check_gradients
    from byhand.gradient_check import numerical_gradient as numerical_gradient
    from byhand.layers import Dense as Dense
    from byhand.layers import Dropout as Dropout
    from byhand.layers import Layer as Layer
    from byhand.layers import Parameter as Parameter
    from byhand.layers import State as State
    from byhand.losses import one_hot as one_hot
    from byhand.network import Network as Network
    from byhand.optimizers import Adam as Adam
    from byhand.optimizers import AdamW as AdamW
    from byhand.optimizers import GradientDescent as GradientDescent
    from byhand.optimizers import Momentum as Momentum
    from byhand.optimizers import Nesterov as Nesterov
    from byhand.optimizers import RMSProp as RMSProp
    from byhand.penalties import L1 as L1
    from byhand.penalties import L2 as L2
    from byhand.storage import load as load
    from byhand.storage import save as save
    from byhand.training import Diverged as Diverged
    from byhand.training import History as History
    from byhand.training import accuracy as accuracy
    from byhand.training import train as train


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"byhand.{name}")
    if name in _MODULE_OF:
        value = getattr(import_module(f"byhand.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'byhand' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", *sorted(_MODULE_OF), *sorted(_MODULES)]
