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
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from byhand import losses
from byhand.arithmetic import images as images  # which say how their layers are told
from byhand.arithmetic import sequences as sequences
from byhand.arithmetic.layers import tell_backward, tell_forward
from byhand.arithmetic.steps import Layout, Phase, Step, Teller, write_number
from byhand.losses import Loss
from byhand.network import Network

__all__ = ["Answer", "Arithmetic", "Layout", "Phase", "Step", "tell", "tell_backward", "tell_forward", "write_number"]

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Answer:
    """A learner's number held against the right one.

    Attributes
    ----------
    given, exact : float
        The learner's, and the right one with all its digits.
    right : bool
        Whether they agree; see `Arithmetic.check`.
    written_out : str
        The calculation.

    Examples
    --------
    >>> told = tell(Network.dense([1, 1], "relu", initializer="zeros"), [[1]], [[1]], "sum_of_squares")
    >>> told.check({"L": 1.001})["L"]
    Answer(given=1.001, exact=1.0, right=True, written_out='L = (0 − 1)² = 1')
    """

    given: float
    exact: float
    right: bool
    written_out: str


class Arithmetic:
    """The steps of one forward and backward pass, and of the update; see `tell`.

    Printed it is plain text; in a notebook it shows itself as Markdown, and `rich.print` gives it colour.

    Parameters
    ----------
    steps : list of Step
        In the order of the calculation; told["z1"] is the one of that name.
    layout : {"x Wᵀ + b", "W x + b", "x W + b"}

    Examples
    --------
    >>> told = tell(Network.dense([1, 1], "relu", initializer="zeros"), [[1]], [[1]], "sum_of_squares")
    >>> [step.name for step in told.steps if step.phase == "backward"]
    ['grad_a1', 'delta1', 'grad_W1', 'grad_b1']
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
        Its parameters are not changed. Of a layer of one's own its outputs and gradients are told, and its formulas too
        when they are given to `tell_forward` and `tell_backward`.
    x, y : array, shapes (n, n_in) and (n, n_out), or what the network takes and gives
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
        If there is chance in the network, as in dropout, shapes don't fit, or the layout is unknown.

    Examples
    --------
    >>> network = Network.dense([1, 1], "identity", initializer="zeros")
    >>> told = tell(network, [[2]], [[3]], "sum_of_squares", learning_rate=0.5)
    >>> print(told["L"].written_out())
    L = (0 − 3)² = 9
    >>> print(told["new_W1"].written_out(0, 0))
    new_W1[1,1] = 0 − 0.5·(−12) = 6
    """
    if layout not in ("x Wᵀ + b", "W x + b", "x W + b"):
        raise ValueError(f"unknown layout {layout!r}; there are 'x Wᵀ + b', 'W x + b' and 'x W + b'.")
    if any(layer.rng is not None for layer in network.every_layer):
        raise ValueError("a network with chance in it cannot be told: dropout has no formula with fixed numbers.")
    network = deepcopy(network)  # what is told stays true when the network learns on
    x = network.as_batch(x)
    y = np.asarray(y, dtype=x.dtype)
    loss = losses.get(loss)
    layers = list(enumerate(network.layers, 1))
    passed = [x]
    for layer in network.layers:
        passed.append(layer.forward(passed[-1]))
    grad = loss.gradient(passed[-1], y)
    teller = Teller(layout, digits)
    teller.given(x, y, network)
    for number, layer in layers:
        tell_forward(layer, teller, number, passed[number - 1], passed[number])
    teller.loss(loss, passed[-1], y, len(layers))
    for number, layer in reversed(layers):
        grad_a, grad = grad, layer.backward(grad)
        tell_backward(layer, teller, number, grad_a, grad)
    if learning_rate is not None:
        teller.update(network, learning_rate)
    return Arithmetic(teller.steps, layout)
