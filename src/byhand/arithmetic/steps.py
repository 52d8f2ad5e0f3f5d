"""What is told: arrays of one pass, each with its formula, and a way to write the numbers down."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import activations
from byhand._types import Array
from byhand.formulas import Formula
from byhand.losses import Loss
from byhand.network import Network

Layout: TypeAlias = Literal["x Wᵀ + b", "W x + b", "x W + b"]
"""How z is written: the library's own, one column a sample, or one row a sample with W of shape (n_in, n_out)."""

Phase: TypeAlias = Literal["given", "forward", "loss", "backward", "update"]
Index: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One array of the calculation.

    Attributes
    ----------
    name : str
        Such as "z1": z of the first layer. "grad_W1" is dL/dW of that layer, "new_W1" what W becomes.
    phase : {"given", "forward", "loss", "backward", "update"}
    layer : int
        Counted from 1; 0 for the loss.
    formula, latex : str
        For the whole array, in plain text and in LaTeX.
    value : array
        Of the shape that the chosen layout gives it, at most two axes.
    digits : int
        How many significant digits are written.

    Examples
    --------
    >>> from byhand import arithmetic
    >>> told = arithmetic.tell(Network.dense([2, 1], "relu", seed=0), [[1, 2]], [[1]], "sum_of_squares")
    >>> step = told["z1"]
    >>> step.formula, step.value.shape, step.label(0, 0)
    ('z1 = x W1ᵀ + b1', (1, 1), 'z1[1,1]')
    """

    name: str
    phase: Phase
    layer: int
    formula: str
    latex: str
    value: Array
    digits: int
    _terms: Callable[[Index], str]

    def indices(self) -> Iterator[Index]:
        """The indices of all elements."""
        return np.ndindex(self.value.shape)

    def label(self, *index: int) -> str:
        """What the element at an index is called: "z1[1,2]" is unit 2 for sample 1, counted from 1 as on paper."""
        return self.name + (f"[{','.join(str(i + 1) for i in index)}]" if index else "")

    def terms(self, *index: int) -> str:
        """The formula of the element at an index with the numbers put in, term by term; nothing for a given number."""
        return self._terms(index)

    def number(self, *index: int) -> str:
        """The element at an index as it is written."""
        return write_number(self.value[index], self.digits)

    def written_out(self, *index: int) -> str:
        """Label, terms and result of the element at an index, on a line."""
        terms = self.terms(*index)
        return f"{self.label(*index)} = {terms}{' = ' if terms else ''}{self.number(*index)}"


def write_number(value: float, digits: int) -> str:
    """A number with so many significant digits, and a minus sign that is as long as the plus.

    Parameters
    ----------
    value : float
    digits : int

    Returns
    -------
    str

    Examples
    --------
    >>> write_number(-1 / 3, 4)
    '−0.3333'
    """
    text = f"{value:.{digits}g}"
    return "0" if text == "-0" else text.replace("-", "−")


class Teller:
    """Writes the steps down, in one layout."""

    def __init__(self, layout: Layout, digits: int) -> None:
        self.layout: Layout = layout
        self.digits = digits
        self.steps: list[Step] = []

    def add(
        self,
        kind: Literal["samples", "weights", "biases", "loss"],
        name: str,
        phase: Phase,
        layer: int,
        formula: str,
        latex: str,
        value: npt.ArrayLike,
        terms: Callable[..., str],
    ) -> None:
        """Add a step; `terms` takes the index in the library's own layout."""
        value = np.array(value)
        columns = kind == "samples" and self.layout == "W x + b"
        weights_turned = kind == "weights" and self.layout == "x W + b"
        if value.ndim == 2 and (columns or weights_turned):
            value = value.T
            step_terms = lambda index: terms(*reversed(index))  # noqa: E731
        else:
            step_terms = lambda index: terms(*index)  # noqa: E731
        self.steps.append(Step(name, phase, layer, formula, latex, value, self.digits, step_terms))

    def given(self, x: Array, y: Array, network: Network) -> None:
        """The data, and every parameter of the network."""
        self.add("samples", "x", "given", 0, "x", "x", x, nothing)
        self.add("samples", "y", "given", 0, "y", "y", y, nothing)
        for place, layer in network.walk():
            for name, array in layer.parameters.items():
                self.add(
                    kind_of(array),
                    name + place,
                    "given",
                    number_of(place),
                    name + place,
                    symbol(name, place),
                    array,
                    nothing,
                )

    def loss(self, loss: Loss, y_hat: Array, y: Array, n_layers: int) -> None:
        """L, and dL/dŷ."""
        formula, grad_formula = loss.formula, loss.gradient_formula
        rows = y.reshape(-1, y.shape[-1])
        n = len(rows)
        terms = loss.terms(y_hat.reshape(rows.shape), rows) / (1 if loss.reduction == "sum" else n)
        terms, grad = terms.reshape(y.shape), loss.gradient(y_hat, y)
        softmax = activations.softmax(y_hat)

        def written(form: Formula | None, values: Array, index: Index) -> str:
            if form is None:
                return self.factor(values[index])
            return form.element.format(
                p=self.factor(y_hat[index]), y=self.factor(y[index]), q=self.number(softmax[index]), n=n, nk=y.size
            )

        self.add(
            "loss",
            "L",
            "loss",
            0,
            f"L = {formula.text if formula else loss.name}",
            f"L = {formula.latex if formula else upright(loss.name)}",
            loss.value(y_hat, y),
            lambda: " + ".join(written(formula, terms, index) for index in np.ndindex(y.shape)),
        )
        last = f"grad_a{n_layers}"
        self.add(
            "samples",
            last,
            "backward",
            n_layers,
            f"{last} = dL/dŷ" + (f" = {grad_formula.text}" if grad_formula else ""),
            r"\frac{\partial L}{\partial \hat y}" + (f" = {grad_formula.latex}" if grad_formula else ""),
            grad,
            lambda *index: written(grad_formula, grad, index),
        )

    def update(self, network: Network, learning_rate: float) -> None:
        """One step of gradient descent for every parameter."""
        eta = self.number(learning_rate)
        for place, layer in network.walk():
            for name, value in layer.parameters.items():
                before, grad = value.copy(), layer.gradients[name].copy()
                called, latex = name + place, symbol(name, place)

                def terms(*index: int, value: Array = before, grad: Array = grad) -> str:
                    return f"{self.number(value[index])} − {eta}·{self.factor(grad[index])}"

                self.add(
                    kind_of(value),
                    f"new_{called}",
                    "update",
                    number_of(place),
                    f"new_{called} = {called} − {eta} grad_{called}",
                    rf"{latex} \leftarrow {latex} - {eta} \frac{{\partial L}}{{\partial {latex}}}",
                    value - learning_rate * grad,
                    terms,
                )

    def by_layout(self, own: str, columns: str, rows: str) -> str:
        """One of three ways to write a formula: the one of the layout that was chosen."""
        return {"x Wᵀ + b": own, "W x + b": columns, "x W + b": rows}[self.layout]

    def number(self, value: Any) -> str:
        """A number with as many digits as were asked for."""
        return write_number(value, self.digits)

    def factor(self, value: Any) -> str:
        """As `number`, in parentheses when it is negative."""
        text = self.number(value)
        return f"({text})" if text.startswith("−") else text

    def products(self, a: Array, b: Array) -> str:
        """The sum of the products of two lists of numbers."""
        return " + ".join(f"{self.factor(p)}·{self.factor(q)}" for p, q in zip(a, b, strict=True))


def upright(name: str) -> str:
    """A name of several letters in LaTeX."""
    return rf"\operatorname{{{name.replace('_', ' ')}}}"


def symbol(name: str, place: str | int) -> str:
    """In LaTeX, with the layer's place."""
    return f"{name}^{{({place})}}" if len(name) == 1 else rf"{upright(name)}^{{({place})}}"


def kind_of(parameter: Array) -> Literal["weights", "biases"]:
    """Weights are turned round in some layouts."""
    return "biases" if parameter.ndim < 2 else "weights"


def number_of(place: str) -> int:
    """Of the layer of the network in which that place is."""
    return int(place.partition(".")[0])


def nothing(*index: int) -> str:
    """The terms of a number that is given, or of which no formula is known."""
    return ""


def input_name(number: int) -> tuple[str, str]:
    """What goes into the layer of that number, in plain text and in LaTeX."""
    return ("x", "x") if number == 1 else (f"a{number - 1}", f"a^{{({number - 1})}}")
