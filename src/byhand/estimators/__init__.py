"""The scikit-learn face: byhand's networks as estimators for pipelines, searches and cross-validation.

`ByHandClassifier` and `ByHandRegressor` have the parameters of scikit-learn's `MLPClassifier` and `MLPRegressor`,
start from the same weights for the same `random_state` and, trained by plain gradient descent, take the same course
to rounding. What computes it is the mathematics of this package, to be read and looked into: `network_` is a
`byhand.Network`. `ByHandLinearRegression` is the line fit: gradient descent that ends where `LinearRegression` is.
"""

from byhand.estimators.linear import ByHandLinearRegression
from byhand.estimators.networks import ByHandClassifier, ByHandRegressor

__all__ = ["ByHandClassifier", "ByHandLinearRegression", "ByHandRegressor"]
