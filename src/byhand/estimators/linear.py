"""The line fit as an estimator."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from byhand._types import Array
from byhand.errors import needs_extra
from byhand.network import Network
from byhand.optimizers import Momentum
from byhand.training import train

with needs_extra("sklearn"):
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import Tags
    from sklearn.utils._param_validation import Interval
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data


class ByHandLinearRegression(RegressorMixin, BaseEstimator):
    """The line fit ŷ = W x + b by gradient descent on the mean squared error, ending where `LinearRegression` is.

    The columns are first scaled to mean 0 and standard deviation 1, since how slowly gradient descent converges
    depends on the ratio of the largest to the smallest curvature, λmax / λmin (the eigenvalues of the Hessian, which
    for a linear model is the same everywhere). From these two come the learning rate 4 / (√λmax + √λmin)² and the
    momentum ((√λmax − √λmin) / (√λmax + √λmin))² that are best for a quadratic function (Polyak 1964). At the end
    W and b are put back into the units of X.

    Parameters
    ----------
    max_iter : int
        The most steps.
    tol : float
        It ends when the distance to the best W and b in the scaled units, at most ‖gradient‖ / λmin, is below `tol`
        times the size of the targets.
    verbose : bool
        Show a progress bar on stderr.

    Attributes
    ----------
    coef_ : array, shape (n_features,), or (n_targets, n_features) for a table y
    intercept_ : float, or array of shape (n_targets,)
    network_ : Network
        One `Dense` layer with these numbers.
    loss_curve_ : list of float
        The mean squared error before each step.
    n_iter_ : int
        How many steps there were.
    n_features_in_, feature_names_in_
        As in all of scikit-learn.

    Examples
    --------
    >>> model = ByHandLinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6), round(float(model.intercept_), 6)
    (array([2.]), 1.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
    }

    coef_: Array
    intercept_: Array | float
    network_: Network

    def __init__(self, *, max_iter: int = 100_000, tol: float = 1e-10, verbose: bool | int = False) -> None:
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Find W and b.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
        y : array-like, shape (n,) or (n, n_targets)
        sample_weight : array-like, shape (n,), optional
            How much each sample counts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not what scikit-learn's estimators accept.
        """
        self._validate_params()
        x, y_array = validate_data(self, X, y, dtype=(np.float64, np.float32), multi_output=True, y_numeric=True)
        weights = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        targets = y_array.reshape(len(x), -1).astype(np.float64)
        dtype, x = x.dtype, x.astype(np.float64)
        mean = np.average(x, axis=0, weights=weights)
        deviations = x - mean
        scale = np.sqrt(np.average(deviations**2, axis=0, weights=weights))
        scale[scale <= np.abs(mean) * len(x) * np.finfo(dtype).eps] = np.inf  # constant: its coefficient stays 0
        x = deviations / scale
        curvatures = _curvatures(x, weights, targets.shape[1])
        if len(curvatures) < np.isfinite(scale).sum() + 1:
            # Some columns depend on others, so that many W fit equally well. `LinearRegression` takes the shortest, and
            # so does gradient descent that starts at 0, if all columns keep one unit.
            scale = np.where(np.isfinite(scale), scale.max(initial=0, where=np.isfinite(scale)), np.inf)
            x = deviations / scale
            curvatures = _curvatures(x, weights, targets.shape[1])
        lowest, highest = curvatures[[0, -1]]

        network = Network.dense([x.shape[1], targets.shape[1]], "identity", initializer="zeros")
        speeds = np.sqrt(highest) + np.sqrt(lowest), np.sqrt(highest) - np.sqrt(lowest)
        size = np.abs(targets).max() or 1.0
        rounding = 4 * np.finfo(np.float64).eps * highest
        converged = max(self.tol * lowest, rounding) * size
        history = train(
            network,
            x,
            targets,
            loss="mean_squared_error",
            optimizer=Momentum(4 / speeds[0] ** 2, (speeds[1] / speeds[0]) ** 2),
            epochs=self.max_iter,
            sample_weight=weights,
            callbacks=[lambda epoch, network, history: bool(np.abs(network.gradients).max() <= converged)],
            progress=bool(self.verbose),
        )
        self.loss_curve_, self.n_iter_ = history.loss, len(history.loss)
        if np.abs(network.gradients).max() > converged:
            warnings.warn(
                f"not yet converged after max_iter={self.max_iter} steps: the curvatures differ by a factor of "
                f"{highest / lowest:.1e}, with whose root the number of steps grows; it is large when columns nearly "
                "depend on each other. Leave some out, or raise max_iter.",
                ConvergenceWarning,
                stacklevel=2,
            )
        layer = network.dense_layers[0]
        layer.W = layer.W / scale
        layer.b = layer.b - layer.W @ mean
        self.network_ = network.astype(dtype)
        W, b = self.network_.dense_layers[0].W, self.network_.dense_layers[0].b
        self.coef_, self.intercept_ = (W, b) if y_array.ndim > 1 else (W[0], b[0])
        return self

    def predict(self, X: npt.ArrayLike) -> Array:
        """W x + b for each row x of X.

        Parameters
        ----------
        X : array-like, shape (n, n_features)

        Returns
        -------
        array, shape (n,), or (n, n_targets) after a fit to a table y

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        y_hat = self.network_.predict(validate_data(self, X, dtype=(np.float64, np.float32), reset=False))
        return y_hat if self.coef_.ndim > 1 else y_hat[:, 0]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _curvatures(x: Array, weights: Array, n_targets: int) -> Array:
    """The eigenvalues of the Hessian of the mean squared error in rising order; those that are 0 left out.

    H = 2/K x̃ᵀ D x̃ for each of the K targets, where x̃ has a column of ones for b, and D the weights, 1 in sum.
    """
    x_tilde = np.column_stack([x, np.ones(len(x))])
    eigenvalues = np.linalg.eigvalsh(2 / n_targets * x_tilde.T @ (x_tilde * (weights / weights.sum())[:, None]))
    return eigenvalues[eigenvalues > eigenvalues[-1] * max(x_tilde.shape) * np.finfo(x.dtype).eps]
