"""One step of learning told with its numbers: forward, loss, backward and update, element by element.

For whoever wants to follow a calculation, to check one made by hand with numbers of their own, or to set one as an
exercise on paper. The numbers are those that the network's own `forward` and `backward` left behind; this module
only writes them down.

>>> from byhand import Network, arithmetic
>>> network = Network.dense([2, 2, 1], "sigmoid", seed=0)
>>> told = arithmetic.tell(network, [[1, 0]], [[1]], "sum_of_squares", learning_rate=0.5)
>>> print(told["z1"].written_out(0, 0))
z1[1,1] = 1·0.3355 + 0·(−0.5639) + 0 = 0.3355
>>> told.check({"z1[1,1]": 0.336, "z1[1,2]": 0.5})["z1[1,2]"].right
False
"""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import activations, losses
from byhand._types import Array
from byhand.formulas import Formula
from byhand.layers import Dense
from byhand.losses import Loss
from byhand.network import Network

if TYPE_CHECKING:
    from rich.console import RenderableType

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
        In the chosen layout, at most two axes.
    digits : int
        How many significant digits are written.
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
        """What an element is called: "z1[1,2]" is unit 2 for sample 1, counted from 1 as on paper."""
        return self.name + (f"[{','.join(str(i + 1) for i in index)}]" if index else "")

    def terms(self, *index: int) -> str:
        """The formula of one element with the numbers put in, term by term; nothing for a given number."""
        return self._terms(index)

    def number(self, *index: int) -> str:
        """One element as it is written."""
        return write_number(self.value[index], self.digits)

    def written_out(self, *index: int) -> str:
        """Label, terms and result of one element on a line."""
        terms = self.terms(*index)
        return f"{self.label(*index)} = {terms}{' = ' if terms else ''}{self.number(*index)}"


@dataclass(frozen=True)
class Answer:
    """A learner's number held against the right one."""

    given: float
    exact: float
    right: bool
    written_out: str


def write_number(value: float, digits: int) -> str:
    """A number with so many significant digits, and a minus sign that is as long as the plus."""
    text = f"{value:.{digits}g}"
    return "0" if text == "-0" else text.replace("-", "−")


class Arithmetic:
    """The steps of one forward and backward pass, and of the update; see `tell`.

    Printed it is plain text; in a notebook it shows itself as Markdown, and `rich.print` gives it colour.
    """

    def __init__(self, steps: list[Step], layout: Layout) -> None:
        self.steps = steps
        self.layout = layout

    def __getitem__(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(f"there is no step {name!r}; there are {', '.join(step.name for step in self.steps)}")

    def __str__(self) -> str:
        return "\n\n".join("\n".join([_heading(step), *_element_lines(step)]) for step in self.steps)

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        colours = {
            "given": "default",
            "forward": "blue",
            "loss": "magenta",
            "backward": "dark_orange",
            "update": "green",
        }
        lines = []
        for step in self.steps:
            lines.append(Text(_heading(step), style=f"bold {colours[step.phase]}"))
            lines += [Text(line) for line in _element_lines(step)] + [Text()]
        return Group(*lines)

    def markdown(self) -> str:
        """Headings for the phases, the formulas in LaTeX, and each element with its numbers."""
        return _markdown(self.steps, {})

    _repr_markdown_ = markdown

    def exercise(self, *phases: Phase) -> tuple[str, str]:
        """The same with blanks in place of the results, and the answers apart: for paper.

        Parameters
        ----------
        *phases : {"forward", "loss", "backward", "update"}
            What to leave blank; everything but the given numbers by default. What comes before is shown in full,
            what comes after is left out, as it would give the answers away.

        Returns
        -------
        questions, answers : str
            Both in Markdown; the blanks are numbered alike. A blank's terms are left out too: to put the right
            numbers into the formula is the exercise.

        Raises
        ------
        ValueError
            If there is no such phase to leave blank.
        """
        asked = [step for step in self.steps if step.phase in (phases or _PHASES) and step.phase != "given"]
        if not asked or set(phases) - {step.phase for step in asked}:
            there = ", ".join(dict.fromkeys(step.phase for step in self.steps if step.phase != "given"))
            raise ValueError(f"nothing to leave blank in {', '.join(phases)!r}; there are the phases {there}.")
        blanks = {
            label: number
            for number, label in enumerate((step.label(*index) for step in asked for index in step.indices()), 1)
        }
        first = self.steps.index(asked[0])
        shown = [step for i, step in enumerate(self.steps) if i < first or step in asked]
        answers = [
            f"{blanks[step.label(*index)]}. {step.written_out(*index)}" for step in asked for index in step.indices()
        ]
        return _markdown(shown, blanks), _escaped("\n".join(answers))

    def check(self, answers: Mapping[str, float]) -> dict[str, Answer]:
        """Hold numbers calculated by hand against the right ones.

        Parameters
        ----------
        answers : mapping
            From labels such as "z1[1,2]" or "L" to numbers. An answer is right when it is within 0.5 % (which
            leaves room for rounding on the way), or correctly rounded to fewer digits (then within 5 %).

        Returns
        -------
        dict
            From each label to an `Answer`, with the calculation written out.

        Raises
        ------
        KeyError
            If a label names no element.
        """
        elements = {step.label(*index): (step, index) for step in self.steps for index in step.indices()}
        unknown = [label for label in answers if label not in elements]
        if unknown:
            raise KeyError(f"there is no {unknown[0]!r}; labels are such as {', '.join(list(elements)[:3])}, …")
        checked = {}
        for label, given in answers.items():
            step, index = elements[label]
            exact = float(step.value[index])
            checked[label] = Answer(given, exact, _is_right(given, exact), step.written_out(*index))
        return checked

    def data(self) -> dict[str, Any]:
        """Everything as plain lists, numbers and strings, ready for JSON."""
        return {
            "layout": self.layout,
            "steps": [
                {
                    "name": step.name,
                    "phase": step.phase,
                    "layer": step.layer,
                    "formula": step.formula,
                    "latex": step.latex,
                    "shape": list(step.value.shape),
                    "value": step.value.tolist(),
                    "written_out": [step.written_out(*index) for index in step.indices()],
                }
                for step in self.steps
            ],
        }

    def json(self) -> str:
        """`data` as JSON text."""
        return json.dumps(self.data(), ensure_ascii=False)


def _is_right(given: float, exact: float) -> bool:
    decimals = len(f"{given:.15f}".rstrip("0").partition(".")[2])
    rounded = min(0.5 * 10.0**-decimals, 0.05 * abs(exact))
    return abs(given - exact) <= max(0.005 * abs(exact), rounded, 1e-9)


def _shape(step: Step) -> str:
    return " × ".join(map(str, step.value.shape)) if step.value.ndim else "one number"


def _heading(step: Step) -> str:
    return f"{step.formula}    ({_shape(step)})"


def _element_lines(step: Step) -> list[str]:
    return [f"  {step.written_out(*index)}" for index in step.indices()]


_PHASES: dict[Phase, str] = {
    "given": "Given",
    "forward": "Forward",
    "loss": "Loss",
    "backward": "Backward",
    "update": "Update",
}


def _markdown(steps: list[Step], blanks: Mapping[str, int]) -> str:
    lines: list[str] = []
    phase = None
    for step in steps:
        if step.phase != phase:
            phase = step.phase
            lines += [f"## {_PHASES[phase]}", ""]
        lines += [f"$${step.latex}$$", "", f"Shape: {_shape(step)}.", ""]
        for index in step.indices():
            label = step.label(*index)
            blank = f"{label} = ______ ({blanks.get(label)})"
            lines.append(_escaped(f"- {blank if label in blanks else step.written_out(*index)}"))
        lines.append("")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Keep Markdown from taking underscores and stars for emphasis."""
    return text.replace("_", "\\_").replace("*", "\\*")


def tell(
    network: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    loss: str | Loss,
    *,
    learning_rate: float | None = None,
    layout: Layout = "x Wᵀ + b",
    digits: int = 4,
) -> Arithmetic:
    """Tell one forward and one backward pass, and with a learning rate one step of gradient descent.

    Parameters
    ----------
    network : Network
        Of Dense layers. Its parameters are not changed.
    x, y : array, shapes (n, n_in) and (n, n_out)
        One sample or a few, one a row in every layout.
    loss : str or Loss
    learning_rate : float, optional
        With it the update θ − η dL/dθ is told too.
    layout : {"x Wᵀ + b", "W x + b", "x W + b"}
        How the arrays are laid out where they are shown. The numbers are the same.
    digits : int
        Significant digits; the calculation itself has all of them.

    Returns
    -------
    Arithmetic

    Raises
    ------
    ValueError
        If the network has other than Dense layers, shapes don't fit, or the layout is unknown.
    """
    if layout not in ("x Wᵀ + b", "W x + b", "x W + b"):
        raise ValueError(f"unknown layout {layout!r}; there are 'x Wᵀ + b', 'W x + b' and 'x W + b'.")
    if len(network.dense_layers) < len(network.layers):
        raise ValueError("only networks of Dense layers can be told: dropout has no formula with fixed numbers.")
    network = deepcopy(network)  # what is told stays true when the network learns on
    x = network.as_batch(x)
    y = np.asarray(y, dtype=x.dtype)
    loss = losses.get(loss)
    y_hat = network.forward(x)
    grad = loss.gradient(y_hat, y)
    teller = _Teller(layout, digits)
    teller.given(x, y, network.dense_layers)
    for number, layer in enumerate(network.dense_layers, 1):
        teller.forward(number, layer)
    teller.loss(loss, y_hat, y)
    for number, layer in reversed(list(enumerate(network.dense_layers, 1))):
        grad_a, grad = grad, layer.backward(grad)
        teller.backward(number, layer, grad_a, grad)
    if learning_rate is not None:
        for number, layer in enumerate(network.dense_layers, 1):
            teller.update(number, layer, learning_rate)
    return Arithmetic(teller.steps, layout)


class _Teller:
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
        if columns or weights_turned:
            value = value.T
            step_terms = lambda index: terms(*reversed(index))  # noqa: E731
        else:
            step_terms = lambda index: terms(*index)  # noqa: E731
        self.steps.append(Step(name, phase, layer, formula, latex, value, self.digits, step_terms))

    def by_layout(self, own: str, columns: str, rows: str) -> str:
        return {"x Wᵀ + b": own, "W x + b": columns, "x W + b": rows}[self.layout]

    def number(self, value: Any) -> str:
        return write_number(value, self.digits)

    def factor(self, value: Any) -> str:
        """As `number`, in parentheses when it is negative."""
        text = self.number(value)
        return f"({text})" if text.startswith("−") else text

    def products(self, a: Array, b: Array) -> str:
        return " + ".join(f"{self.factor(p)}·{self.factor(q)}" for p, q in zip(a, b, strict=True))

    def given(self, x: Array, y: Array, layers: list[Dense]) -> None:
        def nothing(*index: int) -> str:
            return ""

        self.add("samples", "x", "given", 0, "x", "x", x, nothing)
        self.add("samples", "y", "given", 0, "y", "y", y, nothing)
        for number, layer in enumerate(layers, 1):
            self.add("weights", f"W{number}", "given", number, f"W{number}", f"W^{{({number})}}", layer.W, nothing)
            self.add("biases", f"b{number}", "given", number, f"b{number}", f"b^{{({number})}}", layer.b, nothing)

    def forward(self, number: int, layer: Dense) -> None:
        x, x_latex = _input_name(number)
        z, W, b = f"z{number}", f"W{number}", f"b{number}"
        z_l, W_l, b_l, a_l = (f"{symbol}^{{({number})}}" for symbol in "zWba")
        self.add(
            "samples",
            z,
            "forward",
            number,
            f"{z} = " + self.by_layout(f"{x} {W}ᵀ + {b}", f"{W} {x} + {b}", f"{x} {W} + {b}"),
            f"{z_l} = "
            + self.by_layout(
                rf"{x_latex} {W_l}{{}}^\top + {b_l}", f"{W_l} {x_latex} + {b_l}", f"{x_latex} {W_l} + {b_l}"
            ),
            layer.z,
            lambda i, j: f"{self.products(layer.x[i], layer.W[j])} + {self.factor(layer.b[j])}",
        )
        name, formula = layer.activation.name, layer.activation.formula
        function = formula.element if formula else name + "({z})"
        self.add(
            "samples",
            f"a{number}",
            "forward",
            number,
            f"a{number} = {name}({z})",
            f"{a_l} = {_upright(name)}({z_l})",
            layer.a,
            lambda i, j: function.format(z=self.factor(layer.z[i, j])),
        )

    def loss(self, loss: Loss, y_hat: Array, y: Array) -> None:
        formula, grad_formula = loss.formula, loss.gradient_formula
        terms = loss.terms(y_hat, y) / (1 if loss.reduction == "sum" else len(y))
        grad = loss.gradient(y_hat, y)
        softmax = activations.softmax(y_hat)

        def written(form: Formula | None, values: Array, i: int, k: int) -> str:
            if form is None:
                return self.factor(values[i, k])
            return form.element.format(
                p=self.factor(y_hat[i, k]),
                y=self.factor(y[i, k]),
                q=self.number(softmax[i, k]),
                n=len(y),
                nk=y.size,
            )

        self.add(
            "loss",
            "L",
            "loss",
            0,
            f"L = {formula.text if formula else loss.name}",
            f"L = {formula.latex if formula else _upright(loss.name)}",
            loss.value(y_hat, y),
            lambda: " + ".join(written(formula, terms, *index) for index in np.ndindex(y.shape)),
        )
        n_layers = max(step.layer for step in self.steps)
        last = f"grad_a{n_layers}"
        self.add(
            "samples",
            last,
            "backward",
            n_layers,
            f"{last} = dL/dŷ" + (f" = {grad_formula.text}" if grad_formula else ""),
            r"\frac{\partial L}{\partial \hat y}" + (f" = {grad_formula.latex}" if grad_formula else ""),
            grad,
            lambda i, k: written(grad_formula, grad, i, k),
        )

    def backward(self, number: int, layer: Dense, grad_a: Array, grad_x: Array) -> None:
        x, x_latex = _input_name(number)
        delta, delta_l, W_l = f"delta{number}", rf"\delta^{{({number})}}", f"W^{{({number})}}"
        a_l, z_l = f"a^{{({number})}}", f"z^{{({number})}}"
        slope = layer.activation.derivative(layer.z, layer.a)
        derivative = layer.activation.derivative_formula
        slope_form = derivative.element if derivative else "{d}"

        def slope_terms(i: int, j: int) -> str:
            z, a, d = (self.factor(values[i, j]) for values in (layer.z, layer.a, slope))
            return slope_form.format(z=z, a=a, d=d)

        self.add(
            "samples",
            delta,
            "backward",
            number,
            f"{delta} = dL/dz{number} = grad_a{number} ⊙ {layer.activation.name}′(z{number})",
            rf"{delta_l} = \frac{{\partial L}}{{\partial {z_l}}} "
            rf"= \frac{{\partial L}}{{\partial {a_l}}} \odot f'({z_l})",
            layer.grad_z,
            lambda i, j: f"{self.factor(grad_a[i, j])}·{slope_terms(i, j)}",
        )
        self.add(
            "weights",
            f"grad_W{number}",
            "backward",
            number,
            f"grad_W{number} = " + self.by_layout(f"{delta}ᵀ {x}", f"{delta} {x}ᵀ", f"{x}ᵀ {delta}"),
            rf"\frac{{\partial L}}{{\partial {W_l}}} = "
            + self.by_layout(
                rf"{delta_l}{{}}^\top {x_latex}", rf"{delta_l} {x_latex}{{}}^\top", rf"{x_latex}{{}}^\top {delta_l}"
            ),
            layer.grad_W,
            lambda j, k: self.products(layer.grad_z[:, j], layer.x[:, k]),
        )
        self.add(
            "biases",
            f"grad_b{number}",
            "backward",
            number,
            f"grad_b{number} = Σ {delta} over the samples",
            rf"\frac{{\partial L}}{{\partial b^{{({number})}}}} = \sum_i {delta_l}_i",
            layer.grad_b,
            lambda j: " + ".join(self.factor(value) for value in layer.grad_z[:, j]),
        )
        if number > 1:
            self.add(
                "samples",
                f"grad_a{number - 1}",
                "backward",
                number,
                f"grad_a{number - 1} = dL/da{number - 1} = "
                + self.by_layout(f"{delta} W{number}", f"W{number}ᵀ {delta}", f"{delta} W{number}ᵀ"),
                rf"\frac{{\partial L}}{{\partial {x_latex}}} = "
                + self.by_layout(f"{delta_l} {W_l}", rf"{W_l}{{}}^\top {delta_l}", rf"{delta_l} {W_l}{{}}^\top"),
                grad_x,
                lambda i, k: self.products(layer.grad_z[i], layer.W[:, k]),
            )

    def update(self, number: int, layer: Dense, learning_rate: float) -> None:
        for kind, symbol, value, grad in (
            ("weights", "W", layer.W.copy(), layer.grad_W.copy()),
            ("biases", "b", layer.b.copy(), layer.grad_b.copy()),
        ):
            name = f"{symbol}{number}"
            latex = f"{symbol}^{{({number})}}"

            def terms(*index: int, value: Array = value, grad: Array = grad) -> str:
                return f"{self.number(value[index])} − {self.number(learning_rate)}·{self.factor(grad[index])}"

            self.add(
                kind,  # type: ignore[arg-type]
                f"new_{name}",
                "update",
                number,
                f"new_{name} = {name} − {self.number(learning_rate)} grad_{name}",
                rf"{latex} \leftarrow {latex} - {self.number(learning_rate)} \frac{{\partial L}}{{\partial {latex}}}",
                np.asarray(value - learning_rate * grad),
                terms,
            )


def _upright(name: str) -> str:
    return rf"\operatorname{{{name.replace('_', ' ')}}}"


def _input_name(number: int) -> tuple[str, str]:
    return ("x", "x") if number == 1 else (f"a{number - 1}", f"a^{{({number - 1})}}")
