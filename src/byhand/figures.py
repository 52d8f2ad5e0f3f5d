"""Figures: data and the line through them, losses, activations, outputs, decision surfaces, many runs at once.

Every function returns a matplotlib `Figure` that belongs to nobody else: pyplot, with its global list of open
figures, is not used. The colours are Okabe & Ito's (2008), which people of any colour vision tell apart, and each
comes with a dash pattern and a marker of its own, so that a figure reads in greyscale too.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand._types import Array
from byhand.errors import needs_extra

with needs_extra("figures"):
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.patheffects import AbstractPathEffect, withStroke
    from matplotlib.ticker import MaxNLocator, PercentFormatter

BLACK, ORANGE, SKY_BLUE, GREEN, YELLOW, BLUE, VERMILION, PURPLE = OKABE_ITO = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
"""The palette of Okabe & Ito (2008), "Color Universal Design"."""

# One curve after the other: colour, dashes, marker. Yellow is too pale for a line on white.
_STYLES = (
    (BLUE, "-", "o"),
    (VERMILION, "--", "s"),
    (GREEN, "-.", "^"),
    (PURPLE, (0, (1, 1.2)), "D"),
    (ORANGE, (0, (6, 1, 1, 1, 1, 1)), "v"),
    (SKY_BLUE, (0, (8, 2)), "P"),
    (BLACK, (0, (3, 2)), "X"),
)
# Parts of a bar: the first three differ in lightness, the others in hatching too.
_FILLS = ((GREEN, ""), (YELLOW, ""), (BLACK, ""), (SKY_BLUE, "/"), (VERMILION, "x"), (PURPLE, "|"))

_SURFACE = "cividis"  # its lightness rises evenly, for every kind of colour vision

_SIGNED = "RdBu_r"  # white at 0

_LOOK: dict[Any, Any] = {
    "font.size": 10,
    "axes.facecolor": "none",  # whatever it is put on shows through
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
}

Predict: TypeAlias = Callable[[Array], npt.ArrayLike]
"""From points, shape (m, 2), to one output for each, shape (m,) or (m, 1)."""


def scatter(x: npt.ArrayLike, y: npt.ArrayLike, *, title: str, xlabel: str = "x", ylabel: str = "y") -> Figure:
    """Draw points in the plane.

    Parameters
    ----------
    x, y : array, n numbers each
    title, xlabel, ylabel : str
        What the figure shows; what the axes hold, with the unit.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = scatter([0, 1], [1, 3], title="Two points")
    >>> figure.axes[0].get_title(loc="left")
    'Two points'
    """
    figure, axes = _axes(title, xlabel, ylabel)
    _points(axes, x, y)
    return figure


def lines_over_points(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    lines: Mapping[str, tuple[float, float]],
    *,
    title: str,
    xlabel: str = "x",
    ylabel: str = "y",
) -> Figure:
    """Draw points, and straight lines over them: the later one in order, the darker and thicker.

    Parameters
    ----------
    x, y : array, n numbers each
    lines : mapping
        From a label to (slope, intercept).
    title, xlabel, ylabel : str

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = lines_over_points([0, 1], [1, 3], {"first": (0.0, 2.0), "last": (2.0, 1.0)}, title="A fit")
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['data', 'first', 'last']
    """
    figure, axes = _axes(title, xlabel, ylabel)
    x = np.asarray(x)
    _points(axes, x, y)
    ends = np.array([x.min(), x.max()])
    shades = mpl.colormaps["viridis_r"](np.linspace(0.15, 1, len(lines)))
    for i, (label, (slope, intercept)) in enumerate(lines.items()):
        last = i == len(lines) - 1
        dashes = "-" if last else _STYLES[1 + i % (len(_STYLES) - 1)][1]
        axes.plot(
            ends, slope * ends + intercept, color=shades[i], lw=2.5 if last else 1.5, ls=dashes, label=label, zorder=3
        )
    _legend_beside(axes)
    return figure


def descent(
    loss: Callable[[Array, Array], Array],
    path: npt.ArrayLike,
    moments: Sequence[int],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
) -> Figure:
    """Draw the way of gradient descent over the contours of the loss, both axes with one scale.

    Parameters
    ----------
    loss : callable
        From the two parameters, arrays of one shape, to the loss at each.
    path : array, shape (epochs + 1, 2)
        The parameters at the start and after each epoch.
    moments : sequence of int
        Epochs to mark on the way.
    title, xlabel, ylabel : str

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> path = [[3, 2], [1, 1], [0, 0]]
    >>> figure = descent(lambda a, b: a**2 + b**2, path, [0, 2], title="Down", xlabel="a", ylabel="b")
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text().startswith(("start", "epoch"))]
    ['start', 'epoch 2']
    """
    figure, axes = _axes("", xlabel, ylabel, size=(5.6, 4.4))
    _title(figure, title)
    path = np.asarray(path, dtype=float)
    low, high = path.min(axis=0), path.max(axis=0)
    half = 0.75 * (high - low).max()
    across, up = (np.linspace(middle - half, middle + half, 81) for middle in (low + high) / 2)
    heights = loss(*np.meshgrid(across, up))
    round_numbers = np.outer(10.0 ** np.arange(-12, 13), [1, 2, 5]).ravel()
    between = (round_numbers > heights.min()) & (round_numbers < heights.max())
    contours = axes.contour(across, up, heights, levels=round_numbers[between], colors="#767676", linewidths=0.9)
    for label in contours.clabel(fmt="%g", fontsize=9):
        inside = np.abs(np.array(label.get_position()) - (low + high) / 2) < 0.93 * half
        label.set_visible(bool(inside.all()))  # at the edge it would be cut off
    axes.plot(*path[_thinned(len(path))].T, color=VERMILION, lw=1.8, marker="o", ms=2.5, zorder=3)
    for epoch in moments:
        axes.plot(*path[epoch], color=VERMILION, marker="o", ms=7, mec="white", zorder=4)
        axes.annotate(
            f"epoch {epoch}" if epoch else "start", path[epoch], xytext=(7, 6), textcoords="offset points",
            fontsize=9, path_effects=[withStroke(linewidth=3, foreground="white")], zorder=5,
        )  # fmt: skip
    axes.grid(visible=False)
    axes.set_aspect("equal")
    return figure


def loss_curves(
    curves: Mapping[str, npt.ArrayLike],
    *,
    title: str = "Loss by epoch",
    xlabel: str = "epoch",
    ylabel: str = "loss",
    x: npt.ArrayLike | None = None,
    log_x: bool = False,
    log_y: bool = True,
    bottom: float | None = None,
    levels: Mapping[str, float] | None = None,
) -> Figure:
    """Draw losses, or any numbers, against the epochs.

    A long curve is thinned to a few hundred points: the first epochs, where most happens, closely, and the rest
    evenly. On a logarithmic axis numbers that are not positive are left out.

    Parameters
    ----------
    curves : mapping
        From a label to one number an epoch, beginning with epoch 0.
    title, xlabel, ylabel : str
    x : array, shape (epochs,), optional
        Where the numbers stand, when not at 0, 1, 2, …; every curve then has as many.
    log_x, log_y : bool
        Logarithmic axes; by default only the y axis.
    bottom : float, optional
        Where the y axis begins, for curves that go on to where only rounding is left.
    levels : mapping, optional
        From a label to a height, at which a thin line is drawn across, to compare with.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = loss_curves({"training": [1.0, 0.1, 0.01]})
    >>> figure.axes[0].get_yscale()
    'log'
    """
    figure, axes = _axes(title, xlabel, ylabel)
    for i, (label, curve) in enumerate(curves.items()):
        color, dashes, marker = _STYLES[i % len(_STYLES)]
        values = np.asarray(curve, dtype=float)
        places = np.arange(len(values)) if x is None else np.asarray(x, dtype=float)
        kept = _thinned(len(values))
        if log_y:
            values = np.where(values > 0, values, np.nan)
        every = max(1, len(kept) // 8)
        first = i * every // len(curves)  # so that the markers of curves that coincide don't
        axes.plot(
            places[kept], values[kept], color=color, ls=dashes, lw=1.8,
            marker=marker if len(curves) > 1 else "", ms=5, markevery=(first, every), label=label,
        )  # fmt: skip
    _logarithmic(axes, "x" * log_x + "y" * log_y)
    for (label, level), dashes in zip((levels or {}).items(), cycle((":", "--")), strict=False):
        axes.axhline(level, color=BLACK, lw=1.2, ls=dashes, label=label, zorder=1)
    if bottom is not None:
        axes.set_ylim(bottom=bottom)
    if len(curves) > 1 or levels:
        _legend_beside(axes)
    return figure


def function_and_derivative(
    function: Callable[[Array], npt.ArrayLike],
    derivative: Callable[[Array], npt.ArrayLike],
    *,
    title: str,
    labels: tuple[str, str] = ("f(z)", "f′(z)"),
    span: tuple[float, float] = (-6.0, 6.0),
) -> Figure:
    """Draw a function of one number and its derivative.

    Parameters
    ----------
    function, derivative : callable
        From an array z to f(z) and to f′(z). A jump of the derivative is drawn as a gap.
    title : str
    labels : pair of str
    span : pair of float
        From which z to which.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = function_and_derivative(np.tanh, lambda z: 1 - np.tanh(z) ** 2, title="tanh")
    >>> len(figure.axes[0].lines)  # both, and the axis z = 0
    3
    """
    figure, axes = _axes(title, "z", "value")
    z = np.linspace(*span, 241)
    slopes = np.array(derivative(z), dtype=float)
    jumps = np.flatnonzero(np.abs(np.diff(slopes)) > 0.3 * max(np.ptp(slopes), 1e-12))
    lines = ((z, np.asarray(function(z))), (np.insert(z, jumps + 1, np.nan), np.insert(slopes, jumps + 1, np.nan)))
    for (places, values), label, (color, dashes, _) in zip(lines, labels, _STYLES, strict=False):
        axes.plot(places, values, color=color, ls=dashes, lw=2, label=label)
    axes.axvline(0, color=BLACK, lw=0.6)
    axes.legend(frameon=False)
    return figure


def outputs_and_targets(
    outputs: Mapping[str, npt.ArrayLike],
    targets: npt.ArrayLike,
    samples: Sequence[str],
    *,
    title: str,
    xlabel: str = "input",
    ylabel: str = "output",
    target_label: str = "target",
) -> Figure:
    """Draw what comes out for each of a few samples, beside what should.

    Parameters
    ----------
    outputs : mapping
        From a label to one number for each sample.
    targets : array, shape (n,) or (n, 1)
        One number for each sample.
    samples : sequence of str
        The samples' names.
    title, xlabel, ylabel, target_label : str

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = outputs_and_targets({"network": [0.1, 0.8]}, [0, 1], ["00", "01"], title="XOR")
    >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
    ['00', '01']
    """
    figure, axes = _axes(title, xlabel, ylabel)
    places = np.arange(len(samples))
    goal = np.ravel(targets)
    axes.hlines(goal, places - 0.35, places + 0.35, color=BLACK, lw=2.5, label=target_label)
    shifts = np.linspace(-0.2, 0.2, len(outputs)) if len(outputs) > 1 else [0.0]
    for (label, values), shift, (color, dashes, marker) in zip(outputs.items(), shifts, cycle(_STYLES), strict=False):
        heights = np.ravel(values)
        axes.vlines(places + shift, goal, heights, color=color, lw=1.2, ls=dashes)
        axes.plot(places + shift, heights, color=color, ls="", marker=marker, ms=7, label=label)
    axes.set_xticks(places, samples)
    axes.margins(x=0.1, y=0.15)
    _legend_beside(axes)
    return figure


def decision_surface(
    predict: Predict,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    title: str,
    xlabel: str = "x₁",
    ylabel: str = "x₂",
    limits: tuple[float, float] = (0.0, 1.0),
    threshold: float = 0.5,
) -> Figure:
    """Draw a model's output over the plane, the line where it equals the threshold, and the data.

    Parameters
    ----------
    predict : callable
        From points, shape (m, 2), to one output for each.
    x : array, shape (n, 2)
        The data; the plane is drawn a quarter of their extent further on each side.
    y : array, shape (n,) or (n, 1)
        Targets of two classes: up to the threshold drawn as a white circle, above as a black square.
    title, xlabel, ylabel : str
    limits : pair of float
        The outputs that are given the darkest and the lightest colour.
    threshold : float
        Between the classes.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> figure = decision_surface(lambda points: points[:, 0], x, y, title="The first input")
    >>> len(figure.axes)  # the plane and the scale of colours
    2
    """
    figure, axes = _axes("", xlabel, ylabel, size=(5.6, 4.2))
    _title(figure, title)  # over the colours' scale, too
    x, y = np.asarray(x, dtype=float), np.ravel(y)
    image = _surface(axes, _over_plane(predict, x, 64), x, limits, threshold)
    _classes(axes, x, y, threshold, size=70 if len(x) <= 20 else 18)
    figure.colorbar(image, ax=axes, label="output ŷ")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False)
    return figure


def unit_surfaces(
    units: Callable[[Array], npt.ArrayLike],
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    title: str,
    labels: Sequence[str],
    xlabel: str = "x₁",
    ylabel: str = "x₂",
    columns: int = 5,
    scale: str = "output of the unit",
    threshold: float | None = None,
) -> Figure:
    """Draw what each unit of a layer gives over the plane, all with one scale of colours.

    Parameters
    ----------
    units : callable
        From points, shape (m, 2), to the units' outputs, shape (m, n_units); or to one network's at several moments.
    x, y, xlabel, ylabel
        As in `decision_surface`.
    title : str
    labels : sequence of str
        A name for each unit.
    columns : int
        How many surfaces stand beside each other.
    scale : str
        What the colours stand for.
    threshold : float, optional
        Where a line is drawn on each surface.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> figure = unit_surfaces(lambda points: points, x, y, title="The inputs", labels=["x₁", "x₂"], columns=2)
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['x₁', 'x₂']
    """
    x, y = np.asarray(x, dtype=float), np.ravel(y)
    surfaces = np.moveaxis(_over_plane(units, x, 32), -1, 0)
    rows = -(-len(labels) // columns)
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(1.3 * columns + 0.9, 1.5 * rows + 0.5), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
    limits = (float(surfaces.min()), float(surfaces.max()))
    for axes, surface, label in zip(grid.flat, surfaces, labels, strict=False):
        image = _surface(axes, surface, x, limits, threshold)
        _classes(axes, x, y, 0.5, size=28)
        axes.set_title(label, fontsize=9, fontweight="normal")
    for axes in grid.flat[len(labels) :]:
        axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel(xlabel)
    for axes in grid[:, 0]:
        axes.set_ylabel(ylabel)
    for axes in grid.flat:
        axes.label_outer(remove_inner_ticks=True)
    figure.colorbar(image, ax=grid, label=scale, aspect=30)
    _title(figure, title)
    return figure


def hidden_space(
    hidden: Callable[[Array], npt.ArrayLike],
    weights: npt.ArrayLike,
    bias: float,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    title: str,
) -> Figure:
    """Draw points of the plane, and where a hidden layer takes them, with what the output unit cuts through it.

    The space of the hidden units is seen so that the output unit's plane, where w · a + b = 0, stands upright as a
    line: across is the distance from it, up the direction in which the points spread most besides. A net of lines over
    the points' extent is taken along.

    Parameters
    ----------
    hidden : callable
        From points, shape (m, 2), to the hidden units' outputs, shape (m, n_hidden).
    weights : array, shape (n_hidden,)
    bias : float
        The output unit's.
    x : array, shape (n, 2)
    y : array, shape (n,) or (n, 1)
        Targets of two classes, up to ½ and above.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> figure = hidden_space(lambda points: points, [1, 1], -0.5, x, y, title="XOR is not parted by a line")
    >>> [axes.get_title() for axes in figure.axes]
    ['the points', 'where the hidden layer takes them']
    """
    x, y, w = np.asarray(x, dtype=float), np.ravel(y), np.ravel(weights)
    size = np.linalg.norm(w)
    a = np.asarray(hidden(x))
    _, _, directions = np.linalg.svd((a - a.mean(axis=0)) @ (np.eye(len(w)) - np.outer(w, w) / size**2))

    def seen(points: Array) -> Array:
        outputs = np.asarray(hidden(points))
        return np.column_stack([(outputs @ w + bias) / size, (outputs - a.mean(axis=0)) @ directions[0]])

    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(7.4, 3.8), layout="constrained")
        left, right = figure.subplots(1, 2)
    low, high = x.min(axis=0), x.max(axis=0)
    along = np.linspace(0, 1, 41)
    for place in np.linspace(0, 1, 6):
        for line in (np.column_stack([along, np.full(41, place)]), np.column_stack([np.full(41, place), along])):
            points = low + line * (high - low)
            left.plot(*points.T, color=SKY_BLUE, lw=0.8, zorder=1)
            right.plot(*seen(points).T, color=SKY_BLUE, lw=0.8, zorder=1)
    _classes(left, x, y, 0.5, size=70)
    _classes(right, seen(x), y, 0.5, size=70)
    right.axvline(0, color=VERMILION, lw=2, ls="--", label="ŷ changes sides")
    left.set(xlabel="x₁", ylabel="x₂", aspect="equal")
    left.set_title("the points", fontsize=10, fontweight="normal")
    right.set(xlabel="distance from the output unit's plane", ylabel="widest direction besides")
    right.set_title("where the hidden layer takes them", fontsize=10, fontweight="normal")
    for axes in (left, right):
        axes.grid(visible=False)
        axes.margins(0.12)
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    _title(figure, title)
    return figure


def image_grid(
    images: npt.ArrayLike, *, title: str, labels: Sequence[str] = (), columns: int = 8, signed: bool = False
) -> Figure:
    """Draw small images side by side, with one scale: the filters of a convolution, or its feature maps.

    Parameters
    ----------
    images : array, shape (n, height, width)
        Of filters ``conv.W[..., 0]``, of the feature maps of one image ``np.moveaxis(a[0], -1, 0)``.
    title : str
    labels : sequence of str
        A name for each; by default their numbers, counted from 1.
    columns : int
        How many stand beside each other.
    signed : bool
        Whether the colours go from below to above 0, which is white.

    Returns
    -------
    Figure

    Examples
    --------
    >>> from byhand.layers import Conv2D
    >>> figure = image_grid(Conv2D(1, 16, 3, seed=0).W[..., 0], title="16 filters", signed=True)
    >>> len(figure.axes)
    17
    """
    images = np.asarray(images, dtype=float)
    labels = labels or [str(number) for number in range(1, len(images) + 1)]
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(0.9 * columns + 1.0, 1.1 * rows + 0.5), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
    highest = float(np.abs(images).max())
    low, high = (-highest, highest) if signed else (float(images.min()), float(images.max()))
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, one, label in zip(grid.flat, images, labels, strict=False):
        colours = _SIGNED if signed else _SURFACE
        drawn = axes.imshow(one, cmap=colours, vmin=low, vmax=high, interpolation="none")
        axes.set_title(label, fontsize=8, fontweight="normal", loc="center")
    figure.colorbar(drawn, ax=grid, aspect=30)
    _title(figure, title)
    return figure


def attention_weights(
    A: npt.ArrayLike, *, title: str, tokens: Sequence[str] = (), xlabel: str = "looks at", ylabel: str = "step"
) -> Figure:
    """Draw at which steps each step looks, head by head.

    Parameters
    ----------
    A : array, shape (n_heads, T, T)
        Of one sample: ``attention.A[0]``.
    title : str
    tokens : sequence of str
        What stands at each step; by default its number, counted from 1.
    xlabel, ylabel : str

    Returns
    -------
    Figure

    Examples
    --------
    >>> from byhand.layers import Attention
    >>> attention = Attention(4, n_heads=2, seed=0)
    >>> _ = attention.forward(np.eye(4)[None])
    >>> len(attention_weights(attention.A[0], title="Two heads", tokens="abcd").axes)
    3
    """
    A = np.asarray(A, dtype=float)
    tokens = tokens or [str(number) for number in range(1, A.shape[-1] + 1)]
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(2.6 * len(A) + 0.8, 3.2), layout="constrained")
        grid = figure.subplots(1, len(A), squeeze=False)[0]
    for number, (axes, head) in enumerate(zip(grid, A, strict=True), 1):
        drawn = axes.imshow(head, cmap=_SURFACE, vmin=0, vmax=1, interpolation="none")
        axes.grid(visible=False)
        axes.set_xticks(range(len(tokens)), list(tokens))
        axes.set_yticks(range(len(tokens)), list(tokens))
        axes.set_title(f"head {number}", fontsize=9, fontweight="normal")
        axes.set_xlabel(xlabel)
    grid[0].set_ylabel(ylabel)
    figure.colorbar(drawn, ax=grid, label="weight", aspect=30)
    _title(figure, title)
    return figure


def gradient_through_time(
    gradients: Mapping[str, npt.ArrayLike], *, title: str, xlabel: str = "step", ylabel: str = "length of dL/dh"
) -> Figure:
    """Draw how long the gradient is at each step, on its way back through recurrent layers.

    Parameters
    ----------
    gradients : mapping of str to array, shape (T, n, n_hidden)
        From a label to dL/dhₜ, the steps first: ``lstm.grad_h`` after `backward`.
    title, xlabel, ylabel : str

    Returns
    -------
    Figure

    Examples
    --------
    >>> from byhand.layers import LSTM
    >>> lstm = LSTM(2, 3, last=True, seed=0)
    >>> _ = lstm.backward(lstm.forward(np.ones((4, 20, 2))))
    >>> figure = gradient_through_time({"LSTM": lstm.grad_h}, title="Back through 20 steps")
    >>> len(figure.axes[0].lines[0].get_xdata())
    20
    """
    figure, axes = _axes(title, xlabel, ylabel)
    for (label, grad_h), (color, dashes, marker) in zip(gradients.items(), cycle(_STYLES), strict=False):
        lengths = np.sqrt(np.square(np.asarray(grad_h, dtype=float)).sum(axis=(1, 2)))
        steps = np.arange(1, len(lengths) + 1)
        axes.plot(steps, lengths, color=color, ls=dashes, lw=1.8, marker=marker, markevery=[0], label=label)
    _logarithmic(axes, "y")
    if len(gradients) > 1:
        _legend_beside(axes)
    return figure


def convergence(epochs: Mapping[str, npt.ArrayLike], *, within: int, title: str) -> Figure:
    """Draw which share of many runs has converged by which epoch.

    Parameters
    ----------
    epochs : mapping
        From a label to the epoch in which each run converged; infinity for one that never did, which counts among
        the runs all the same.
    within : int
        How many epochs each run had.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = convergence({"relu": [10, 20, np.inf]}, within=100, title="Runs")
    >>> float(max(figure.axes[0].lines[0].get_ydata()).round(3))
    0.667
    """
    figure, axes = _axes(title, "epoch", "runs converged so far")
    for (label, when), (color, dashes, marker) in zip(epochs.items(), cycle(_STYLES), strict=False):
        when = np.sort(np.ravel(np.asarray(when, dtype=float)))
        reached = when[when < within]
        kept = np.unique(np.linspace(0, len(reached) - 1, min(len(reached), 150)).round().astype(int))
        places = np.concatenate([[1], np.maximum(reached[kept], 1), [within]])
        share = np.concatenate([[0], (kept + 1) / len(when), [len(reached) / len(when)]])
        axes.step(
            places, share, where="post", color=color, ls=dashes, lw=1.8, marker=marker, markevery=[-1], label=label
        )
    _logarithmic(axes, "x")
    axes.set_ylim(-0.03, 1.05)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    _legend_beside(axes)
    return figure


def shares(
    parts: Mapping[str, Mapping[str, float]], *, title: str, xlabel: str = "share of the runs", ylabel: str = ""
) -> Figure:
    """Draw, as one bar for each group, which shares of it had which fate.

    Parameters
    ----------
    parts : mapping
        From a group to a mapping from a fate to its share, 0 to 1; the same fates for each group.
    title, xlabel, ylabel : str

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = shares({"sigmoid": {"learned": 0.75, "stuck": 0.25}}, title="Fates")
    >>> [bar.get_width() for bar in figure.axes[0].patches]
    [np.float64(0.75), np.float64(0.25)]
    """
    figure, axes = _axes(title, xlabel, ylabel, size=(7.4, 1.3 + 0.42 * len(parts)))
    start = np.zeros(len(parts))
    for fate, (color, hatch) in zip(next(iter(parts.values())), cycle(_FILLS), strict=False):
        widths = np.array([part[fate] for part in parts.values()])
        with mpl.rc_context(_LOOK):
            axes.barh(
                list(parts), widths, left=start, height=0.7, color=color, hatch=hatch, edgecolor="white", label=fate
            )
        for row, (left, width) in enumerate(zip(start, widths, strict=True)):
            if width >= 0.07:
                box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
                axes.text(left + width / 2, row, f"{width:.0%}", ha="center", va="center", fontsize=9, bbox=box)
        start += widths
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, max(1.0, float(start.max())))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    figure.legend(loc="outside lower left", ncols=2, frameon=False)
    return figure


def trade_off(
    groups: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log_x: bool = True,
) -> Figure:
    """Draw candidates by two measures, the second with an error bar.

    Parameters
    ----------
    groups : mapping
        From a label of the legend to a mapping from a candidate's name to (x, y, half the bar of y).
        A candidate whose x is infinite stands at the right edge.
    title, xlabel, ylabel : str
    log_x : bool

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = trade_off({"relu": {"0.1": (20.0, 0.9, 0.05)}}, title="Fast or sure", xlabel="epochs", ylabel="share")
    >>> figure.axes[0].texts[0].get_text()
    '0.1'
    """
    figure, axes = _axes(title, xlabel, ylabel, (7.4, 4.6))  # high enough to keep names apart
    finite = [x for group in groups.values() for x, _, _ in group.values() if np.isfinite(x)]
    edge = 2.0 * max(finite, default=1.0)
    for (label, group), (color, _, marker), side in zip(groups.items(), cycle(_STYLES), cycle((5, -13)), strict=False):
        places, heights, bars = np.array(list(group.values()), dtype=float).T
        places = np.where(np.isfinite(places), places, edge)
        axes.errorbar(places, heights, yerr=bars, color=color, ls="", marker=marker, ms=8, capsize=3, label=label)
        for name, x, y in zip(group, places, heights, strict=True):
            text = name if x < edge else f"{name} (never)"
            axes.annotate(text, (x, y), xytext=(7, side), textcoords="offset points", fontsize=9)
    _logarithmic(axes, "x" * log_x)
    axes.margins(x=0.15, y=0.15)
    figure.legend(loc="outside lower left", ncols=len(groups), frameon=False)  # beside, it would lie on a long name
    return figure


def histogram(
    values: npt.ArrayLike,
    *,
    title: str,
    xlabel: str,
    ylabel: str = "number of runs",
    split: float | None = None,
    labels: tuple[str, str] = ("", ""),
    mark: tuple[str, float] | None = None,
) -> Figure:
    """Draw how often which values occur.

    Parameters
    ----------
    values : array of any shape
    title, xlabel, ylabel : str
    split : float, optional
        Values up to this one are drawn in another colour, hatched, and labelled `labels[0]`; those above `labels[1]`.
    labels : pair of str
    mark : (str, float), optional
        A value to point at, with its name.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = histogram([0.1, 0.2, 0.9], title="Losses", xlabel="loss")
    >>> round(sum(bar.get_height() for bar in figure.axes[0].patches))
    3
    """
    figure, axes = _axes(title, xlabel, ylabel)
    values = np.ravel(np.asarray(values, dtype=float))
    edges = np.histogram_bin_edges(values if split is None else np.append(values, split), bins=30)
    if split is None:
        axes.hist(values, bins=edges.tolist(), color=BLUE, edgecolor="white", lw=0.5)
    else:
        width = edges[1] - edges[0]
        first, last = (edges[[0, -1]] - split) / width
        edges = split + width * np.arange(np.floor(first) - 1, np.ceil(last) + 2)
        for part, color, hatch, label in (
            (values[values <= split], VERMILION, "//", labels[0]),
            (values[values > split], BLUE, "", labels[1]),
        ):
            axes.hist(part, bins=edges.tolist(), color=color, hatch=hatch, edgecolor="white", lw=0.5, label=label)
        axes.legend(frameon=False)
    if mark is not None:
        axes.axvline(mark[1], color=BLACK, lw=1.5, ls="--")
        axes.annotate(
            mark[0], (mark[1], 0.97), xycoords=("data", "axes fraction"), xytext=(-4, 0), textcoords="offset points",
            ha="right", va="top", rotation=90,
        )  # fmt: skip
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _axes(title: str, xlabel: str, ylabel: str, size: tuple[float, float] = (7.4, 3.6)) -> tuple[Figure, Axes]:
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        axes.set_title(title)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
    return figure, axes


def _logarithmic(axes: Axes, which: str) -> None:
    """Make the axes "x", "y" or "xy" logarithmic, with powers of ten as plain text: formulas cost most of a figure."""
    for letter in which:
        axes.set(**{f"{letter}scale": "log"})
        (axes.xaxis if letter == "x" else axes.yaxis).set_major_formatter(_power_of_ten)


def _power_of_ten(value: float, _: float) -> str:
    exponent = np.log10(value) if value > 0 else np.nan
    if exponent != np.round(exponent):
        return f"{value:g}"
    return "10" + f"{exponent:.0f}".translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _title(figure: Figure, title: str) -> None:
    figure.suptitle(title, fontsize=_LOOK["axes.titlesize"], fontweight=_LOOK["axes.titleweight"], x=0.01, ha="left")


def _legend_beside(axes: Axes) -> None:
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, handlelength=3.5)


def _points(axes: Axes, x: npt.ArrayLike, y: npt.ArrayLike) -> None:
    axes.plot(np.ravel(x), np.ravel(y), color=BLUE, ls="", marker="o", ms=4, alpha=0.6, mec="none", label="data")


def _thinned(n: int, most: int = 200) -> npt.NDArray[np.intp]:
    """Which of n points of a curve to draw: some closely at the start, some evenly."""
    if n <= most:
        return np.arange(n)
    closely = np.geomspace(1, n, most // 2) - 1
    return np.unique(np.concatenate([closely, np.linspace(0, n - 1, most // 2)]).round().astype(int))


def _extent(x: Array) -> tuple[Array, Array]:
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.25 * (high - low)
    return low - margin, high + margin


def _over_plane(f: Callable[[Array], npt.ArrayLike], x: Array, resolution: int) -> Array:
    """f at the middles of resolution × resolution cells round the data, shape (rows, columns, outputs)."""
    low, high = _extent(x)
    middles = (np.arange(resolution) + 0.5) / resolution
    across, up = (low[axis] + middles * (high[axis] - low[axis]) for axis in (0, 1))
    plane = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    return np.asarray(f(plane), dtype=float).reshape(resolution, resolution, -1)


def _surface(axes: Axes, surface: Array, x: Array, limits: tuple[float, float], threshold: float | None) -> AxesImage:
    rows, columns = surface.shape[:2]
    surface = surface.reshape(rows, columns)
    (left, bottom), (right, top) = _extent(x)
    extent = (left, right, bottom, top)
    image = axes.imshow(
        surface, extent=extent, origin="lower", cmap=_SURFACE, vmin=limits[0], vmax=limits[1], interpolation="none"
    )
    axes.grid(visible=False)
    if threshold is not None and surface.min() < threshold < surface.max():
        cell = (right - left) / columns / 2, (top - bottom) / rows / 2
        inner = (left + cell[0], right - cell[0], bottom + cell[1], top - cell[1])
        outline: list[AbstractPathEffect] = [withStroke(linewidth=3.5, foreground=BLACK)]
        border = axes.contour(surface, levels=[threshold], extent=inner, colors="white", linewidths=2)
        border.set_path_effects(outline)
        axes.plot([], [], color="white", lw=2, label=f"ŷ = {threshold:g}", path_effects=outline)
    return image


def _classes(axes: Axes, x: Array, y: Array, threshold: float, size: float) -> None:
    for chosen, marker, face, edge, label in (
        (y <= threshold, "o", "white", BLACK, "target 0"),
        (y > threshold, "s", BLACK, "white", "target 1"),
    ):
        across, up = x[chosen].T
        axes.scatter(across, up, size, marker=marker, facecolor=face, edgecolor=edge, lw=1, label=label, zorder=4)
