"""Losses: how far the outputs ŷ are from the targets y, as one number, and its gradient beside it.

Every loss adds up one term for each sample i and output k and then takes the sum or the mean over the samples;
which of the two, and any factor ½, is in its name or its docstring. The gradient is the derivative of exactly
that number: the convention decides which learning rate fits, since a sum over n samples has gradients n times
as long as their mean. Each step of a sequence counts as a sample, and a mask is a weight of 0 or 1 for each.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from byhand._types import Array
from byhand.activations import _sigmoid, magnitude, softmax
from byhand.formulas import Formula, described


@dataclass(frozen=True, repr=False)
class Loss:
    """A loss and its gradient, held against each other when they are put together.

    It carries all that is said of it, too. Only the first four are needed.

    Parameters
    ----------
    name : str
        What it is called in messages, plots and files.
    terms : callable
        From ŷ and y, both of shape (n, n_out), to the terms, of the same shape.
    terms_gradient : callable
        From ŷ and y to the derivative of the sum of a sample's terms with respect to ŷ, shape (n, n_out).
    reduction : {"sum", "mean"}
        Over the samples.
    from_logits : bool
        Whether ŷ are logits: the last function (σ or softmax) is then in the loss, and the last layer has none.
    targets : (float, float)
        Below and above which numbers targets make no sense.
    formula, gradient_formula : Formula, optional
        The loss, whose element is one term of the sum, and dL/dŷ. Places for numbers: {p} for ŷ, {y}, {q} for
        softmax(ŷ), {n} for the number of samples and {nk} for that of all targets. In the code, y_hat, y, n and {axis},
        that of the outputs.
    about, source : str
        What else is worth saying, and where it comes from.

    Raises
    ------
    ValueError
        If the terms have another shape than ŷ, or the gradient is not that of the terms: it is compared with central
        differences at outputs between −3 and 3 and between 0 and 1, corners left out.

    Examples
    --------
    >>> cubes = Loss("cubes", lambda y_hat, y: (y_hat - y) ** 3, lambda y_hat, y: 3 * (y_hat - y) ** 2, "sum")
    >>> cubes.value(np.array([[3.0], [1.0]]), np.array([[1.0], [0.0]])).item()
    9.0
    """

    name: str
    terms: Callable[[Array, Array], Array]
    terms_gradient: Callable[[Array, Array], Array]
    reduction: Literal["sum", "mean"]
    _: KW_ONLY
    from_logits: bool = False
    targets: tuple[float, float] = (-np.inf, np.inf)
    formula: Formula | None = None
    gradient_formula: Formula | None = None
    about: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.reduction not in ("sum", "mean"):
            raise ValueError(f"loss {self.name!r}: the reduction is 'sum' or 'mean', not {self.reduction!r}.")
        _check_gradient(self)
        object.__setattr__(self, "__doc__", self._description())

    def _description(self) -> str:
        f, gradient = self.formula, self.gradient_formula
        return described(
            f"L = {f.text}" if f else f"The loss {self.name}.",
            f"dL/dŷ = {gradient.text}" if gradient else "",
            self.about,
            f"Source: {self.source}." if self.source else "",
        )

    def value(self, y_hat: Array, y: Array, weights: Array | None = None) -> float:
        """The loss L = Σᵢ wᵢ Σₖ termᵢₖ, divided by Σᵢ wᵢ when it is a mean.

        Parameters
        ----------
        y_hat, y : array, shape (n, n_out), or (n, T, n_out) for sequences
            Outputs and targets.
        weights : array, shape (n,), or (n, T) for sequences, optional
            How much each sample, or each of its steps, counts; 1 each by default, and 0 masks a step.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If the shapes differ: NumPy would otherwise broadcast (n, 1) against (n,) into an (n, n) matrix.
        """
        _check_shapes(y_hat, y)
        if y.ndim > 2:
            return self.value(*_steps_as_samples(y_hat, y, weights))
        terms = self.terms(y_hat, y)
        if weights is not None:
            terms = terms * weights[:, None]
        total = np.add.reduce(terms, axis=None)
        return total if self.reduction == "sum" else total / total_weight(y, weights)

    def gradient(self, y_hat: Array, y: Array, weights: Array | None = None) -> Array:
        """dL/dŷ of the same L as `value`.

        Parameters
        ----------
        y_hat, y, weights
            As in `value`.

        Returns
        -------
        array, shape (n, n_out)

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        _check_shapes(y_hat, y)
        if y.ndim > 2:
            return self.gradient(*_steps_as_samples(y_hat, y, weights)).reshape(y.shape)
        gradient = self.terms_gradient(y_hat, y)
        if weights is not None:
            gradient = gradient * weights[:, None]
        return gradient if self.reduction == "sum" else gradient / total_weight(y, weights)

    def check_targets(self, y: Array) -> None:
        """Refuse targets that make no sense for this loss.

        Parameters
        ----------
        y : array, shape (n, n_out)

        Raises
        ------
        ValueError
            If some lie outside `targets`.
        """
        low, high = self.targets
        if y.min() < low or y.max() > high:
            hint = " Labels −1 and 1 become 0 and 1 by (y + 1) / 2." if set(np.unique(y)) == {-1.0, 1.0} else ""
            if y.min() >= low and y.shape[1] == 1:
                hint = " Numbers of classes become rows of 0 and 1 by byhand.one_hot(y)."
            raise ValueError(
                f"{self.name} takes targets from {low:g} to {high:g}, and these go from {y.min():.4g} to "
                f"{y.max():.4g}.{hint}"
            )

    def __repr__(self) -> str:
        return f"<loss {self.name}{f': {self.formula.text}' if self.formula else ''}>"

    def __str__(self) -> str:
        return self.name

    def _repr_latex_(self) -> str | None:
        if self.formula is None:
            return None
        gradient = (
            rf",\qquad \frac{{\partial L}}{{\partial \hat y}} = {self.gradient_formula.latex}"
            if self.gradient_formula
            else ""
        )
        return rf"$\displaystyle L = {self.formula.latex}{gradient}$"

    def __reduce__(self) -> tuple[Any, ...]:
        # As in `activations`: ours are pickled by name.
        if LOSSES.get(self.name) is self:
            return get, (self.name,)
        names = ("from_logits", "targets", "formula", "gradient_formula", "about", "source")
        said = {name: getattr(self, name) for name in names}
        return partial(Loss, **said), (self.name, self.terms, self.terms_gradient, self.reduction)


def _check_gradient(loss: Loss, h: float = 1e-6, tolerance: float = 1e-5) -> None:
    # Targets that suit every loss (rows of probabilities), and outputs as real numbers and as probabilities.
    y = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [0.6, 0.1, 0.3], [1.0, 0.0, 0.0]])
    wide = np.array([[-2.9, 1.3, 0.4], [0.7, 2.6, -0.8], [1.9, -1.4, 0.15], [-0.35, 0.9, -2.1]])
    for y_hat in (wide, 0.5 + wide / 6.5):
        with np.errstate(all="ignore"):
            terms = loss.terms(y_hat, y)
            written = loss.terms_gradient(y_hat, y)
            for what, values in (("terms", terms), ("gradient", written)):
                if np.shape(values) != y_hat.shape:
                    raise ValueError(
                        f"loss {loss.name!r}: outputs of shape {y_hat.shape} give {what} of shape {np.shape(values)}; "
                        "there is one for each sample and output."
                    )
            moved = h * np.eye(y.shape[1])
            here = terms.sum(axis=1)
            right = np.column_stack([(loss.terms(y_hat + e, y).sum(axis=1) - here) / h for e in moved])
            left = np.column_stack([(here - loss.terms(y_hat - e, y).sum(axis=1)) / h for e in moved])
            numerical = (right + left) / 2
            scale = 1 + np.abs(numerical)
            smooth = np.abs(right - left) <= 1e-2 * scale
            wrong = smooth & ~(np.abs(written - numerical) <= tolerance * scale)
        if wrong.any():
            i = tuple(np.argwhere(wrong)[0])
            raise ValueError(
                f"loss {loss.name!r}: the gradient is not that of the terms. At ŷ = {y_hat[i]:.4g} and y = {y[i]:.4g} "
                f"it says {written[i]:.6g}, while the terms' sum changes by {numerical[i]:.6g}. The mean over the "
                "samples is reduction='mean''s work."
            )


def _check_shapes(y_hat: Array, y: Array) -> None:
    if y_hat.shape != y.shape:
        raise ValueError(
            f"outputs of shape {y_hat.shape} and targets of shape {y.shape}: both need one row a sample and one "
            "column an output (for one output, y.reshape(-1, 1))."
        )


def _steps_as_samples(y_hat: Array, y: Array, weights: Array | None) -> tuple[Array, Array, Array | None]:
    """Sequences (n, T, n_out) as n · T rows; a sample's weight becomes that of each of its steps."""
    k = y.shape[-1]
    if weights is not None:
        further = (1,) * (y.ndim - 1 - weights.ndim)
        weights = np.broadcast_to(weights.reshape(weights.shape + further), y.shape[:-1]).ravel()
    return y_hat.reshape(-1, k), y.reshape(-1, k), weights


def total_weight(y: Array, weights: Array | None) -> float:
    """The number of samples, or the sum of their weights: what a mean is divided by.

    Parameters
    ----------
    y : array, shape (n, n_out)
    weights : array, shape (n,), or None

    Returns
    -------
    int or float

    Examples
    --------
    >>> total_weight(np.zeros((3, 1)), None), total_weight(np.zeros((3, 1)), np.array([1.0, 2.0, 0.5]))
    (3, 3.5)
    """
    return len(y) if weights is None else float(weights.sum())


def _squares(y_hat: Array, y: Array) -> Array:
    error = y_hat - y
    return error * error


sum_of_squares = Loss(
    "sum_of_squares",
    _squares,
    lambda y_hat, y: 2.0 * (y_hat - y),
    "sum",
    formula=Formula("({p} − {y})²", r"\sum (\hat y - y)^2", "((y_hat - y) ** 2).sum()", "Σ (ŷ − y)²"),
    gradient_formula=Formula("2·({p} − {y})", r"2\,(\hat y - y)", "2 * (y_hat - y)", "2 (ŷ − y)"),
    about="A sum over samples and outputs, without ½.",
)

mean_squared_error = Loss(
    "mean_squared_error",
    lambda y_hat, y: _squares(y_hat, y) / y.shape[1],
    lambda y_hat, y: 2.0 / y.shape[1] * (y_hat - y),
    "mean",
    formula=Formula(
        "({p} − {y})²/{nk}", r"\frac{1}{n k} \sum (\hat y - y)^2", "((y_hat - y) ** 2).mean()", "mean of (ŷ − y)²"
    ),
    gradient_formula=Formula(
        "2·({p} − {y})/{nk}", r"\frac{2}{n k}\,(\hat y - y)", "2 * (y_hat - y) / y.size", "2 (ŷ − y) / (n k)"
    ),
    about="The mean over samples and outputs, without ½.",
)

half_mean_squared_error = Loss(
    "half_mean_squared_error",
    lambda y_hat, y: 0.5 * _squares(y_hat, y),
    lambda y_hat, y: y_hat - y,
    "mean",
    formula=Formula(
        "({p} − {y})²/(2·{n})",
        r"\frac{1}{2 n} \sum (\hat y - y)^2",
        "0.5 * ((y_hat - y) ** 2).sum() / n",
        "½ Σ (ŷ − y)² / n",
    ),
    gradient_formula=Formula("({p} − {y})/{n}", r"\frac{1}{n}\,(\hat y - y)", "(y_hat - y) / n", "(ŷ − y) / n"),
    about="The sum over outputs and the mean over samples: the factor ½ leaves a gradient without one.",
)

mean_absolute_error = Loss(
    "mean_absolute_error",
    lambda y_hat, y: magnitude(y_hat - y) / y.shape[1],
    lambda y_hat, y: np.sign(y_hat - y) / y.shape[1],
    "mean",
    formula=Formula(
        "|{p} − {y}|/{nk}", r"\frac{1}{n k} \sum |\hat y - y|", "np.abs(y_hat - y).mean()", "mean of |ŷ − y|"
    ),
    gradient_formula=Formula(
        "sign({p} − {y})/{nk}",
        r"\frac{1}{n k}\,\operatorname{sign}(\hat y - y)",
        "np.sign(y_hat - y) / y.size",
        "sign(ŷ − y) / (n k)",
    ),
    about="The mean over samples and outputs; where ŷ = y its gradient is taken as 0.",
)


def _huber_terms(y_hat: Array, y: Array) -> Array:
    distance = magnitude(y_hat - y)
    return np.where(distance <= 1.0, 0.5 * distance * distance, distance - 0.5) / y.shape[1]


huber = Loss(
    "huber",
    _huber_terms,
    lambda y_hat, y: np.clip(y_hat - y, -1.0, 1.0) / y.shape[1],
    "mean",
    formula=Formula(
        "min(|{p} − {y}|, 1)·(|{p} − {y}| − min(|{p} − {y}|, 1)/2)/{nk}",
        r"\frac{1}{n k} \sum m \big(|\hat y - y| - \tfrac{m}{2}\big), \quad m = \min(|\hat y - y|, 1)",
        "np.where(np.abs(y_hat - y) <= 1, 0.5 * (y_hat - y) ** 2, np.abs(y_hat - y) - 0.5).mean()",
        "mean of ½ e² where |e| ≤ 1, else |e| − ½, with e = ŷ − y",
    ),
    gradient_formula=Formula(
        "max(−1, min({p} − {y}, 1))/{nk}",
        r"\frac{1}{n k} \max(-1, \min(\hat y - y, 1))",
        "np.clip(y_hat - y, -1, 1) / y.size",
        "(ŷ − y, kept within −1 and 1) / (n k)",
    ),
    about="Squares for small errors, absolute values for outliers; the mean over samples and outputs.",
    source="Huber 1964",
)

binary_cross_entropy_from_logits = Loss(
    "binary_cross_entropy_from_logits",
    # −y ln σ(z) − (1 − y) ln(1 − σ(z)), put so that no logarithm of 0 and no overflow can happen.
    lambda z, y: (np.maximum(z, 0) - y * z + np.log1p(np.exp(-magnitude(z)))) / y.shape[1],
    lambda z, y: (_sigmoid(z) - y) / y.shape[1],
    "mean",
    from_logits=True,
    targets=(0.0, 1.0),
    formula=Formula(
        "(ln(1 + e^({p})) − {y}·{p})/{nk}",
        r"-\frac{1}{n k} \sum \big( y \ln \sigma(\hat y) + (1 - y) \ln (1 - \sigma(\hat y)) \big)",
        "(np.maximum(y_hat, 0) - y * y_hat + np.log1p(np.exp(-np.abs(y_hat)))).mean()",
        "mean of −y ln σ(ŷ) − (1 − y) ln(1 − σ(ŷ))",
    ),
    gradient_formula=Formula(
        "(σ({p}) − {y})/{nk}",
        r"\frac{1}{n k}\,(\sigma(\hat y) - y)",
        "(sigmoid(y_hat) - y) / y.size",
        "(σ(ŷ) − y) / (n k)",
    ),
    about="ŷ are logits, the outputs of a last layer without activation function: the σ is in the loss, where its "
    "derivative cancels. With p = σ(ŷ), d(−y ln p − (1 − y) ln(1 − p))/dp = (p − y) / (p (1 − p)), and dp/dŷ is "
    "p (1 − p), so that the gradient is p − y.",
)


def _cross_entropy_terms(z: Array, y: Array) -> Array:
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -y * log_p


cross_entropy_from_logits = Loss(
    "cross_entropy_from_logits",
    _cross_entropy_terms,
    # Σₖ y = 1 for a one-hot row; a row of any other sum has this factor.
    lambda z, y: softmax(z, axis=1) * y.sum(axis=1, keepdims=True) - y,
    "mean",
    from_logits=True,
    targets=(0.0, 1.0),
    formula=Formula(
        "−{y}·ln({q})/{n}",
        r"-\frac{1}{n} \sum y \ln \operatorname{softmax}(\hat y)",
        "log_p = y_hat - y_hat.max(axis={axis}, keepdims=True)\n"
        "log_p = log_p - np.log(np.exp(log_p).sum(axis={axis}, keepdims=True))\n"
        "-(y * log_p).sum() / n",
        "−Σ y ln softmax(ŷ) / n",
    ),
    gradient_formula=Formula(
        "({q} − {y})/{n}",
        r"\frac{1}{n}\,(\operatorname{softmax}(\hat y) - y)",
        "(np.exp(log_p) * y.sum(axis={axis}, keepdims=True) - y) / n",
        "(softmax(ŷ) − y) / n",
    ),
    about="y holds one-hot rows (or probabilities), ŷ the logits of a last layer without activation function; softmax "
    "is in the loss, where its Jacobian cancels. With p = softmax(ŷ), ln pₖ = ŷₖ − ln Σⱼ e^ŷⱼ, whose derivative by ŷᵢ "
    "is (1 if i = k else 0) − pᵢ; so −Σₖ yₖ ln pₖ has the derivative pᵢ Σₖ yₖ − yᵢ = pᵢ − yᵢ.",
)

LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        sum_of_squares,
        mean_squared_error,
        half_mean_squared_error,
        mean_absolute_error,
        huber,
        binary_cross_entropy_from_logits,
        cross_entropy_from_logits,
    )
}


def one_hot(labels: npt.ArrayLike, n_classes: int | None = None) -> Array:
    """Numbers of classes as rows of 0 and one 1, which is what cross-entropy takes.

    Parameters
    ----------
    labels : array of int, shape (n,) or (n, 1), or (n, T) for sequences
        From 0 on.
    n_classes : int, optional
        By default one more than the largest label.

    Returns
    -------
    array, shape (n, n_classes), or (n, T, n_classes) for sequences

    Raises
    ------
    ValueError
        If the labels are no whole numbers from 0 to below `n_classes`.

    Examples
    --------
    >>> one_hot([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not labels.ndim or not labels.size:
        raise ValueError(f"labels are one number a sample, shape (n,), not {labels.shape}.")
    if not np.issubdtype(labels.dtype, np.number) or (labels != np.round(labels)).any():
        raise ValueError(
            f"labels are whole numbers from 0 on, not such as {labels.flat[0]!r}: np.unique(y, return_inverse=True)[1]"
        )
    n_classes = int(labels.max()) + 1 if n_classes is None else n_classes
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"labels go from 0 to {n_classes - 1}, and these from {labels.min()} to {labels.max()}.")
    return np.eye(n_classes)[labels.astype(np.intp)]


def get(loss: str | Loss) -> Loss:
    """The loss of that name; a `Loss` is handed back as it is.

    Parameters
    ----------
    loss : str or Loss

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        If no loss has that name.

    Examples
    --------
    >>> get("sum_of_squares")
    <loss sum_of_squares: Σ (ŷ − y)²>
    """
    if isinstance(loss, Loss):
        return loss
    if loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}; there are {', '.join(LOSSES)}.")
    return LOSSES[loss]
