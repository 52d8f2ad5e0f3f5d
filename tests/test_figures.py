"""What the figures show: held against the numbers that went in."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byhand import figures

XOR_X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR_Y = np.array([[0.0], [1.0], [1.0], [0.0]])

EXAMPLES = {
    "scatter": lambda: figures.scatter([0, 1], [1, 3], title="title"),
    "lines_over_points": lambda: figures.lines_over_points([0, 1], [1, 3], {"end": (2, 1)}, title="title"),
    "descent": lambda: figures.descent(
        lambda a, b: a**2 + 9 * b**2, [[3, 2], [1, 0], [0, 0]], [0, 2], title="title", xlabel="a", ylabel="b"
    ),
    "hidden_space": lambda: figures.hidden_space(lambda x: x, [1.0, 1.0], -0.5, XOR_X, XOR_Y, title="title"),
    "loss_curves": lambda: figures.loss_curves({"a": [3.0, 2.0, 1.0], "b": [1.0, 1.0, 1.0]}, title="title"),
    "function_and_derivative": lambda: figures.function_and_derivative(
        np.tanh, lambda z: 1 - np.tanh(z) ** 2, title="title"
    ),
    "outputs_and_targets": lambda: figures.outputs_and_targets({"a": XOR_Y}, XOR_Y, list("abcd"), title="title"),
    "decision_surface": lambda: figures.decision_surface(lambda x: x[:, 0], XOR_X, XOR_Y, title="title"),
    "unit_surfaces": lambda: figures.unit_surfaces(lambda x: x, XOR_X, XOR_Y, labels=["left", "right"], title="title"),
    "convergence": lambda: figures.convergence({"a": [3, np.inf]}, within=10, title="title"),
    "shares": lambda: figures.shares({"a": {"yes": 0.25, "no": 0.75}}, title="title"),
    "trade_off": lambda: figures.trade_off({"a": {"b": (1, 2, 0.1)}}, title="title", xlabel="time", ylabel="loss"),
    "image_grid": lambda: figures.image_grid(np.eye(3)[None], title="title"),
    "attention_weights": lambda: figures.attention_weights(np.eye(3)[None], title="title"),
    "gradient_through_time": lambda: figures.gradient_through_time({"a": np.ones((3, 2, 1))}, title="title"),
    "histogram": lambda: figures.histogram([1.0, 2.0, 3.0], title="title", xlabel="value"),
}


def line(figure, label):
    """The line of that label in the figure's first axes, as x and y."""
    (found,) = (line for line in figure.axes[0].lines if line.get_label() == label)
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


def legend(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_figure_says_what_it_shows_and_what_its_axes_hold(name):
    figure = EXAMPLES[name]()
    axes = figure.axes[0]
    assert (axes.get_title(loc="left") or figure.get_suptitle()) == "title"
    if name == "unit_surfaces":
        assert [a.get_xlabel() for a in figure.axes[:2]] == ["x₁", "x₁"]
        assert [a.get_ylabel() for a in figure.axes[:2]] == ["x₂", ""]  # once a row
    elif name != "image_grid":  # whose pixels are no axes
        assert axes.get_xlabel()
        assert axes.get_ylabel() or name == "shares"  # whose bars have names
    figure.draw_without_rendering()


def test_every_figure_function_is_among_the_examples():
    public = {name for name, value in vars(figures).items() if getattr(value, "__module__", "") == "byhand.figures"}
    assert {name for name in public if not name.startswith("_")} == set(EXAMPLES)


def test_pyplot_and_its_list_of_open_figures_are_not_used():
    code = "import sys; from byhand import figures; figures.scatter([0], [0], title='t'); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "matplotlib.figure" in modules
    assert "matplotlib.pyplot" not in modules


def test_matplotlib_settings_stay_as_they_were():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    for example in EXAMPLES.values():
        example()
    assert dict(mpl.rcParams) == before


def test_curves_differ_in_colour_dashes_and_marker_and_so_read_in_greyscale():
    figure = figures.loss_curves({str(i): [1.0, 2.0] for i in range(7)})
    styles = [(drawn.get_color(), drawn.get_linestyle(), drawn.get_marker()) for drawn in figure.axes[0].lines]
    colors, _, markers = zip(*styles, strict=True)
    assert len(set(colors)) == len(set(markers)) == 7
    assert set(colors) <= set(figures.OKABE_ITO)
    dashes = {drawn._dash_pattern[1] and tuple(drawn._dash_pattern[1]) for drawn in figure.axes[0].lines}
    assert len(dashes) == 7


def test_the_parts_of_a_bar_differ_in_lightness():
    figure = figures.shares({"a": {"1": 0.2, "2": 0.3, "3": 0.5}}, title="t")
    red, green, blue = np.array([bar.get_facecolor()[:3] for bar in figure.axes[0].patches]).T
    lightness = np.sort(0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2)
    assert np.diff(lightness).min() > 0.2


def test_lines_over_points_go_from_the_first_point_to_the_last():
    figure = figures.lines_over_points([0.5, 3.0], [0, 1], {"start": (2.0, 1.0), "end": (-1.0, 0.25)}, title="t")
    assert line(figure, "start")[1].tolist() == [2.0, 7.0]
    assert line(figure, "end")[1].tolist() == [-0.25, -2.75]
    assert legend(figure) == ["data", "start", "end"]


def test_a_curve_alone_has_no_markers_that_could_be_taken_for_data():
    (alone,) = figures.loss_curves({"loss": [3.0, 2.0, 1.0]}).axes[0].lines
    assert alone.get_marker() == ""


def test_a_descent_is_drawn_over_the_contours_that_it_crosses():
    path = [[3.0, 2.0], [1.0, 0.0], [0.0, 0.0]]
    figure = figures.descent(lambda a, b: a**2 + 9 * b**2, path, [0, 2], title="t", xlabel="a", ylabel="b")
    (axes,) = figure.axes
    way, *marked = axes.lines
    assert np.column_stack(way.get_data()).tolist() == path
    assert [tuple(map(float, np.ravel(point.get_data()))) for point in marked] == [(3, 2), (0, 0)]
    assert {"start", "epoch 2"} <= {text.get_text() for text in axes.texts}
    (contours,) = axes.collections
    levels = contours.levels.tolist()
    assert {1, 2, 5, 10, 20} <= set(levels)
    for level, ellipse in zip(levels, contours.get_paths(), strict=True):
        if len(ellipse.vertices):
            a, b = ellipse.vertices.T
            np.testing.assert_allclose(a**2 + 9 * b**2, level, rtol=0.1, atol=0.05)
    assert axes.get_aspect() == 1


def test_the_space_of_the_hidden_units_is_seen_along_the_output_units_plane():
    weights, bias = np.array([1.0, -2.0, 2.0]), -0.3

    def hidden(x):
        return np.column_stack([x[:, 0], x[:, 1], x[:, 0] * x[:, 1]])

    figure = figures.hidden_space(hidden, weights, bias, XOR_X, XOR_Y, title="t")
    _, right = figure.axes
    zeros, ones = (np.asarray(points.get_offsets()) for points in right.collections)
    a = hidden(XOR_X)
    distance = (a @ weights + bias) / 3
    assert zeros[:, 0] == pytest.approx(distance[[0, 3]])
    assert ones[:, 0] == pytest.approx(distance[[1, 2]])
    up = np.array([zeros[0, 1], ones[0, 1], ones[1, 1], zeros[1, 1]])
    aside = a - a.mean(axis=0) - np.outer((a - a.mean(axis=0)) @ weights, weights) / 9
    assert np.sum(up**2) == pytest.approx(np.linalg.eigvalsh(aside.T @ aside)[-1])  # no direction spreads them more
    (border,) = (line for line in right.lines if line.get_label() == "ŷ changes sides")
    assert border.get_xdata() == [0, 0]


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_its_beginning():
    losses = 1.0 / np.arange(1, 10_001)
    x, y = line(figures.loss_curves({"loss": losses}), "loss")
    assert len(x) < 250
    assert x[[0, -1]].tolist() == [0, 9999]
    assert x[:5].tolist() == [0, 1, 2, 3, 4]
    assert np.diff(x).max() < 200
    np.testing.assert_array_equal(y, losses[x.astype(int)])


def test_on_a_logarithmic_axis_what_is_not_positive_is_left_out():
    curve = [1.0, 0.0, -1.0, 0.5]
    assert np.isnan(line(figures.loss_curves({"loss": curve}), "loss")[1]).tolist() == [False, True, True, False]
    assert line(figures.loss_curves({"loss": curve}, log_y=False), "loss")[1].tolist() == curve


def test_curves_have_a_level_to_compare_with_their_own_places_and_a_bottom():
    figure = figures.loss_curves({"loss": [1.0, 1e-9]}, x=[10, 20], levels={"noise": 0.01}, bottom=1e-6, log_x=True)
    assert line(figure, "loss")[0].tolist() == [10, 20]
    assert line(figure, "noise")[1].tolist() == [0.01, 0.01]
    assert figure.axes[0].get_ylim()[0] == 1e-6
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "log"
    assert legend(figure) == ["loss", "noise"]


def test_one_curve_alone_needs_no_legend():
    assert figures.loss_curves({"loss": [1.0, 2.0]}).axes[0].get_legend() is None


def test_a_jump_of_a_derivative_is_a_gap():
    relu = figures.function_and_derivative(
        lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0), title="t", labels=("f", "f′")
    )
    z, slope = line(relu, "f′")
    assert np.isnan(slope).sum() == 1
    assert set(slope[z < 0]) == {0.0}
    assert set(slope[z > 0]) == {1.0}
    assert not np.isnan(line(relu, "f")[1]).any()
    smooth = figures.function_and_derivative(np.tanh, lambda z: 1 - np.tanh(z) ** 2, title="t", labels=("f", "f′"))
    assert not np.isnan(line(smooth, "f′")[1]).any()


def test_outputs_stand_at_their_height_and_targets_at_theirs():
    figure = figures.outputs_and_targets({"now": [[0.1], [0.7]]}, [[0.0], [1.0]], ["a", "b"], title="t")
    assert line(figure, "now")[1].tolist() == [0.1, 0.7]
    (targets,) = (drawn for drawn in figure.axes[0].collections if drawn.get_label() == "target")
    assert [segment[0, 1] for segment in targets.get_segments()] == [0.0, 1.0]
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["a", "b"]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("column", [True, False], ids=["(m, 1)", "(m,)"])
def test_a_decision_surface_has_each_output_where_it_belongs(axis, column):
    def predict(x):
        return x[:, [axis]] if column else x[:, axis]

    figure = figures.decision_surface(predict, XOR_X, XOR_Y, title="t", threshold=0.25)
    (image,) = figure.axes[0].images
    values = np.asarray(image.get_array())
    left, right, bottom, top = image.get_extent()
    assert (left, right, bottom, top) == (-0.25, 1.25, -0.25, 1.25)
    assert image.origin == "lower"
    cells = values.shape[0]
    middles = -0.25 + 1.5 * (np.arange(cells) + 0.5) / cells
    np.testing.assert_allclose(values, np.broadcast_to(middles if axis == 0 else middles[:, None], values.shape))
    border = [drawn for drawn in figure.axes[0].collections if hasattr(drawn, "levels")]
    np.testing.assert_allclose(border[0].get_paths()[0].vertices[:, axis], 0.25, atol=1e-9)


def test_a_decision_surface_shows_which_point_is_of_which_class():
    figure = figures.decision_surface(lambda x: x[:, 0], XOR_X, XOR_Y, title="t")
    classes = {
        drawn.get_label(): np.asarray(drawn.get_offsets()).tolist()
        for drawn in figure.axes[0].collections
        if str(drawn.get_label()).startswith("target")
    }
    assert classes == {"target 0": [[0, 0], [1, 1]], "target 1": [[0, 1], [1, 0]]}
    assert legend(figure) == ["ŷ = 0.5", "target 0", "target 1"]


def test_a_surface_that_never_meets_the_threshold_has_no_border():
    figure = figures.decision_surface(lambda x: np.full(len(x), 0.9), XOR_X, XOR_Y, title="t")
    assert legend(figure) == ["target 0", "target 1"]


def test_each_unit_has_its_own_surface_and_all_have_one_scale():
    figure = figures.unit_surfaces(
        lambda x: np.stack([x[:, 0], 2 * x[:, 1], np.zeros(len(x))], axis=1),
        XOR_X,
        XOR_Y,
        labels=["a", "b", "c"],
        title="t",
        columns=2,
    )
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == ["a", "b", "c"]
    a, b, c = (np.asarray(axes.images[0].get_array()) for axes in drawn)
    np.testing.assert_allclose(b, 2 * a.T)
    assert not c.any()
    assert {axes.images[0].get_clim() for axes in drawn} == {(b.min(), b.max())}


RUNS = st.lists(st.one_of(st.integers(0, 500), st.just(np.inf)), min_size=1, max_size=300)


@settings(max_examples=30)
@given(RUNS)
def test_convergence_counts_the_runs_that_never_do(epochs):
    figure = figures.convergence({"runs": epochs}, within=400, title="t")
    x, y = line(figure, "runs")
    assert y[-1] == pytest.approx(np.mean(np.array(epochs) < 400))
    assert (np.diff(y) >= 0).all()
    for place, share in zip(x, y, strict=True):  # never more than have converged by then
        assert share <= np.mean(np.array(epochs) <= place) + 1e-12


def test_convergence_of_few_runs_is_exact():
    x, y = line(figures.convergence({"runs": [30, 10, np.inf, 20]}, within=100, title="t"), "runs")
    assert x.tolist() == [1, 10, 20, 30, 100]
    assert y.tolist() == [0, 0.25, 0.5, 0.75, 0.75]


def test_shares_stand_one_after_the_other():
    figure = figures.shares({"a": {"yes": 0.25, "no": 0.75}, "b": {"yes": 1.0, "no": 0.0}}, title="t")
    bars = [(bar.get_x(), bar.get_width()) for bar in figure.axes[0].patches]
    assert bars == [(0, 0.25), (0, 1.0), (0.25, 0.75), (1.0, 0.0)]
    assert [text.get_text() for text in figure.axes[0].texts] == ["25%", "100%", "75%"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["yes", "no"]


def test_a_candidate_that_never_gets_there_stands_at_the_right_edge_and_says_so():
    figure = figures.trade_off(
        {"a": {"quick": (10, 0.2, 0.01), "never": (np.inf, 0.1, 0.02)}}, title="t", xlabel="epochs", ylabel="loss"
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["quick", "never (never)"]
    places = figure.axes[0].lines[0].get_xdata()
    assert places[1] > places[0] == 10


@settings(max_examples=30)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=200), st.floats(-4, 4))
def test_no_bin_of_a_histogram_has_both_kinds_and_no_value_is_lost(values, split):
    figure = figures.histogram(values, title="t", xlabel="value", split=split, labels=("low", "high"))
    bars = [(bar.get_x(), bar.get_x() + bar.get_width(), bar.get_height()) for bar in figure.axes[0].patches]
    assert sum(height for _, _, height in bars) == len(values)
    tolerance = 1e-9
    for left, right, height in bars:
        assert height == 0 or right <= split + tolerance or left >= split - tolerance


def test_a_histogram_points_at_a_value():
    figure = figures.histogram([1.0, 2.0, 3.0], title="t", xlabel="value", mark=("here", 2.5))
    assert figure.axes[0].lines[0].get_xdata() == [2.5, 2.5]
    assert figure.axes[0].texts[0].get_text() == "here"


def test_filters_attention_and_the_gradient_through_time():
    from byhand.layers import LSTM, RNN, Attention, Conv2D

    rng = np.random.default_rng(0)
    W = Conv2D(1, 10, 3, seed=0).W[..., 0]
    grid = figures.image_grid(W, title="10 filters", signed=True)
    drawn = [axes.images[0] for axes in grid.axes if axes.images]
    np.testing.assert_array_equal([image.get_array() for image in drawn], W)
    assert {image.get_clim() for image in drawn} == {(-np.abs(W).max(), np.abs(W).max())}  # one scale, 0 in its middle
    attention = Attention(4, 2, mask="causal", seed=0)
    attention.forward(rng.standard_normal((1, 5, 4)))
    heads = figures.attention_weights(attention.A[0], title="Two heads", tokens="abcde").axes
    np.testing.assert_array_equal(heads[1].images[0].get_array(), attention.A[0, 1])
    assert [label.get_text() for label in heads[0].get_xticklabels()] == list("abcde")
    layers = {"RNN": RNN(2, 8, last=True, seed=0), "LSTM": LSTM(2, 8, last=True, seed=0)}
    for layer in layers.values():
        layer.backward(np.ones_like(layer.forward(rng.standard_normal((4, 30, 2)))))
    figure = figures.gradient_through_time({name: one.grad_h for name, one in layers.items()}, title="Back")
    for line, layer in zip(figure.axes[0].lines, layers.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), [np.linalg.norm(grad) for grad in layer.grad_h])
