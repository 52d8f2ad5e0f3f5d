"""Two drawings for question 2.7: the network with the names of its parts, and the order in which it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byhand.errors import needs_extra

with needs_extra("figures"):
    from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#767676"


def network_with_names() -> Figure:
    """Draw the 2-10-1 network: which number belongs to which line and to which unit."""
    figure, axes = _sheet("Every line is a weight, every circle adds up what arrives", (7.4, 3.9))
    inputs = {1: (0.0, 3.4), 2: (0.0, 1.6)}
    hidden = {1: (4.0, 4.6), 2: (4.0, 3.2), 10: (4.0, 0.4)}
    output = (8.0, 2.5)
    for end in hidden.values():
        for begin in inputs.values():
            _line(axes, begin, end)
        _line(axes, end, output)
    _line(axes, inputs[2], hidden[1], BLUE, 2.2)
    _line(axes, hidden[1], output, BLUE, 2.2)
    axes.text(4.0, 1.8, "⋮", ha="center", va="center", fontsize=16)
    for k, place in inputs.items():
        _unit(axes, place, f"x{_below(k)}")
    for j, place in hidden.items():
        _unit(axes, place, f"aₕ,{_below(j)}")
    _unit(axes, output, "ŷ")
    names: dict[str, Any] = {"ha": "center", "color": BLUE, "fontsize": 11}
    axes.text(1.3, 4.5, "Wₕ[1, 2]: from input 2\nto hidden unit 1", **names)
    axes.text(6.6, 4.1, "Wₒ[1]: from hidden\nunit 1 to the output", **names)
    below: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": 10}
    axes.text(0, -0.4, "input\nx: 2 numbers", **below)
    axes.text(4.0, -0.4, "hidden layer\nzₕ = Wₕ x + bₕ,  aₕ = fₕ(zₕ)", **below)
    axes.text(8.0, -0.4, "output\nzₒ = Wₒ aₕ + bₒ,  ŷ = fₒ(zₒ)", **below)
    axes.set(xlim=(-1.0, 9.6), ylim=(-1.4, 5.3))
    return figure


def order_of_computation() -> Figure:
    """Draw the computational graph: forward from the input to the loss, and the gradients back the same way."""
    figure, axes = _sheet("Forward fills in the values; backward goes the same way home", (7.4, 2.9))
    values = ["X", "zₕ", "aₕ", "zₒ", "ŷ", "L"]
    steps = ["Wₕ, bₕ", "fₕ", "Wₒ, bₒ", "fₒ", "y"]
    gradients = {1: "δₕ", 2: "∂L/∂aₕ", 3: "δₒ", 4: "∂L/∂ŷ"}
    width = 1.5
    for i, name in enumerate(values):
        _unit(axes, (i * width, 1.0), name)
    for i, name in enumerate(steps):
        _arrow(axes, (i * width + 0.36, 1.12), ((i + 1) * width - 0.36, 1.12), BLUE)
        axes.text((i + 0.5) * width, 1.3, name, ha="center", color=BLUE, fontsize=11)
    for i in range(len(values) - 1, 1, -1):
        _arrow(axes, (i * width - 0.36, 0.88), ((i - 1) * width + 0.36, 0.88), VERMILION)
    for i, name in gradients.items():
        axes.text(i * width, 0.34, name, ha="center", va="center", color=VERMILION, fontsize=11)
    parts = {
        1: "∂L/∂Wₕ, ∂L/∂bₕ",
        3: "∂L/∂Wₒ, ∂L/∂bₒ",
    }
    for i, name in parts.items():
        _arrow(axes, (i * width, 0.16), (i * width, -0.18), VERMILION)
        axes.text(i * width, -0.4, name, ha="center", va="center", color=VERMILION, fontsize=11)
    axes.text(-0.45, 1.9, "forward, left to right", color=BLUE, fontsize=10)
    axes.text(5 * width + 0.45, -0.4, "backward, right to left", color=VERMILION, fontsize=10, ha="right", va="center")
    axes.set(xlim=(-0.5, 5 * width + 0.5), ylim=(-0.65, 2.15))
    return figure


def _sheet(title: str, size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_axis_off()
    return figure, axes


def _below(number: int) -> str:
    """Write a number as an index; a formula between dollar signs would cost more than the rest of the drawing."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _unit(axes: Axes, place: tuple[float, float], name: str) -> None:
    axes.plot(*place, "o", ms=30, mfc="white", mec="black", mew=1.2, zorder=3)
    axes.text(*place, name, ha="center", va="center", fontsize=12, color="black", zorder=4)


def _line(
    axes: Axes, begin: tuple[float, float], end: tuple[float, float], color: str = GREY, width: float = 0.9
) -> None:
    axes.plot(*zip(begin, end, strict=True), color=color, lw=width, zorder=1)


def _arrow(axes: Axes, begin: tuple[float, float], end: tuple[float, float], color: str) -> None:
    axes.annotate(
        "", end, begin, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    )
