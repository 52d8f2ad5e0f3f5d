"""How each kind of layer is told: what its passes left behind, with the formula of each number."""

from collections.abc import Callable
from functools import singledispatch

from byhand._types import Array
from byhand.activations import Activation
from byhand.arithmetic.steps import Phase, Teller, input_name, kind_of, nothing, symbol, upright
from byhand.layers import Dense, Elementwise, Layer


@singledispatch
def tell_forward(layer: Layer, tell: Teller, number: int, x: Array, a: Array) -> None:
    """Tell a layer's forward pass: of one that nothing more is known of, its output.

    For a layer of one's own, ``tell_forward.register(Scale, tell_scale)`` gives it formulas.

    Parameters
    ----------
    layer : Layer
        As `forward` left it.
    tell : Teller
    number : int
        Of the layer, counted from 1.
    x, a : array, one sample a row, of any shape
        Its input and output.

    Examples
    --------
    >>> from byhand import Network, Parameter, arithmetic
    >>> class Gain(Layer):
    ...     gain = Parameter()
    ...
    ...     def __init__(self):
    ...         self.gain = [3.0]
    ...
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self.gain * x
    ...
    ...     def backward(self, grad_output):
    ...         self.grad_gain[...] = (grad_output * self.x).sum()
    ...         return grad_output * self.gain
    >>> def tell_gain(layer, tell, number, x, a):
    ...     def terms(i, k):
    ...         return f"{tell.number(layer.gain[0])}·{tell.factor(x[i, k])}"
    ...
    ...     output(tell, number, a, f"gain · a{number - 1}", "g a", terms)
    >>> _ = tell_forward.register(Gain, tell_gain)
    >>> network = Network([Dense(1, 1, initializer="zeros"), Gain()])
    >>> network[0].b = [2.0]
    >>> print(arithmetic.tell(network, [[1]], [[1]], "sum_of_squares")["a2"].written_out(0, 0))
    a2[1,1] = 3·2 = 6
    """
    x_name, x_latex = input_name(number)
    name = type(layer).__name__
    output(tell, number, a, f"{name}({x_name})", f"{upright(name)}({x_latex})", nothing)


@singledispatch
def tell_backward(layer: Layer, tell: Teller, number: int, grad_a: Array, grad_x: Array) -> None:
    """Tell a layer's backward pass: of one that nothing more is known of, the gradients.

    Parameters
    ----------
    layer : Layer
        As `backward` left it.
    tell : Teller
    number : int
    grad_a, grad_x : array, one sample a row, of any shape
        dL/d(output), from which `backward` began, and dL/d(input), which it gave.

    Examples
    --------
    >>> from byhand import Network, arithmetic
    >>> told = arithmetic.tell(Network([Dense(1, 1, seed=0), Elementwise("tanh")]), [[1]], [[1]], "sum_of_squares")
    >>> [step.name for step in told.steps if step.phase == "backward" and step.layer == 1]
    ['delta1', 'grad_W1', 'grad_b1']
    """
    for place, one in layer.walk(str(number)):
        for name in one.parameters:
            gradient(tell, place, name, one.gradients[name], "", "", nothing)
    input_gradient(tell, number, grad_x, "", "", nothing)


Terms = Callable[..., str]


def output(tell: Teller, number: int, a: Array, formula: str, latex: str, terms: Terms) -> None:
    """The step of a layer's output."""
    tell.add(
        "samples",
        f"a{number}",
        "forward",
        number,
        f"a{number} = {formula}",
        f"{symbol('a', number)} = {latex}",
        a,
        terms,
    )


def gradient(tell: Teller, place: str, name: str, values: Array, formula: str, latex: str, terms: Terms) -> None:
    """The step of a parameter's gradient."""
    called = f"grad_{name}{place}"
    formula = f"{called} = {formula}" if formula else f"{called} = dL/d{name}{place}"
    symbols = rf"\frac{{\partial L}}{{\partial {symbol(name, place)}}}" + (f" = {latex}" if latex else "")
    tell.add(kind_of(values), called, "backward", int(place.partition(".")[0]), formula, symbols, values, terms)


def input_gradient(tell: Teller, number: int, grad_x: Array, formula: str, latex: str, terms: Terms) -> None:
    """The step of dL/d(input), which is told where the input is another layer's output."""
    if number == 1:
        return
    called = f"grad_a{number - 1}"
    formula = f"{called} = dL/da{number - 1}" + (f" = {formula}" if formula else "")
    symbols = rf"\frac{{\partial L}}{{\partial {symbol('a', number - 1)}}}" + (f" = {latex}" if latex else "")
    tell.add("samples", called, "backward", number, formula, symbols, grad_x, terms)


def apart(tell: Teller, name: str, phase: Phase, number: int, formula: str, values: Array, terms: Terms) -> None:
    """The step of an array that is laid out as it is in every layout."""
    called = f"{name}{number}"
    latex = rf"{symbol(name, number)} = \text{{{formula.replace('_', ' ')}}}"
    tell.add("biases", called, phase, number, f"{called} = {formula}", latex, values, terms)


def gradient_of_input(tell: Teller, number: int, grad_x: Array, formula: str, terms: Terms) -> None:
    """The step of dL/d(input), of the first layer too."""
    called = f"grad_a{number - 1}" if number > 1 else "grad_x"
    latex = rf"\frac{{\partial L}}{{\partial {input_name(number)[1]}}}"
    tell.add("biases", called, "backward", number, f"{called} = {formula}", latex, grad_x, terms)


def delta(
    tell: Teller,
    number: int,
    activation: Activation,
    grad_a: Array,
    grad_z: Array,
    z: Array,
    a: Array,
    *,
    of: str = "grad_a",
) -> None:
    """The step of δ = dL/dz = dL/da ⊙ f′(z)."""
    slope = slope_of_z(tell, activation, z, a)
    formula = f"{of}{number} ⊙ {activation.name}′(z{number})"
    terms: Terms = lambda *index: f"{tell.factor(grad_a[index])}·{slope(*index)}"  # noqa: E731
    apart(tell, "delta", "backward", number, formula, grad_z, terms)


def of_z(tell: Teller, activation: Activation, z: Array) -> Terms:
    """The terms of f(z)."""
    function = activation.formula.element if activation.formula else activation.name + "({z})"
    return lambda *index: function.format(z=tell.factor(z[index]))


def slope_of_z(tell: Teller, activation: Activation, z: Array, a: Array) -> Terms:
    """The terms of f′(z)."""
    slope = activation.derivative(z, a)
    form = activation.derivative_formula.element if activation.derivative_formula else "{d}"
    return lambda *index: form.format(z=tell.factor(z[index]), a=tell.factor(a[index]), d=tell.factor(slope[index]))


@tell_forward.register
def _dense_forward(layer: Dense, tell: Teller, number: int, x: Array, a: Array) -> None:
    x_name, x_latex = input_name(number)
    z, W, b = f"z{number}", f"W{number}", f"b{number}"
    z_l, W_l, b_l = (symbol(letter, number) for letter in "zWb")
    tell.add(
        "samples",
        z,
        "forward",
        number,
        f"{z} = " + tell.by_layout(f"{x_name} {W}ᵀ + {b}", f"{W} {x_name} + {b}", f"{x_name} {W} + {b}"),
        f"{z_l} = "
        + tell.by_layout(rf"{x_latex} {W_l}{{}}^\top + {b_l}", f"{W_l} {x_latex} + {b_l}", f"{x_latex} {W_l} + {b_l}"),
        layer.z,
        lambda i, j: f"{tell.products(layer.x[i], layer.W[j])} + {tell.factor(layer.b[j])}",
    )
    name = layer.activation.name
    output(tell, number, a, f"{name}({z})", f"{upright(name)}({z_l})", of_z(tell, layer.activation, layer.z))


@tell_backward.register
def _dense_backward(layer: Dense, tell: Teller, number: int, grad_a: Array, grad_x: Array) -> None:
    x, x_latex = input_name(number)
    delta, delta_l, W_l = f"delta{number}", rf"\delta^{{({number})}}", f"W^{{({number})}}"
    a_l, z_l = f"a^{{({number})}}", f"z^{{({number})}}"
    slope_terms = slope_of_z(tell, layer.activation, layer.z, layer.a)
    tell.add(
        "samples",
        delta,
        "backward",
        number,
        f"{delta} = dL/dz{number} = grad_a{number} ⊙ {layer.activation.name}′(z{number})",
        rf"{delta_l} = \frac{{\partial L}}{{\partial {z_l}}} "
        rf"= \frac{{\partial L}}{{\partial {a_l}}} \odot f'({z_l})",
        layer.grad_z,
        lambda i, j: f"{tell.factor(grad_a[i, j])}·{slope_terms(i, j)}",
    )
    gradient(
        tell,
        str(number),
        "W",
        layer.grad_W,
        tell.by_layout(f"{delta}ᵀ {x}", f"{delta} {x}ᵀ", f"{x}ᵀ {delta}"),
        tell.by_layout(
            rf"{delta_l}{{}}^\top {x_latex}", rf"{delta_l} {x_latex}{{}}^\top", rf"{x_latex}{{}}^\top {delta_l}"
        ),
        lambda j, k: tell.products(layer.grad_z[:, j], layer.x[:, k]),
    )
    gradient(
        tell,
        str(number),
        "b",
        layer.grad_b,
        f"Σ {delta} over the samples",
        rf"\sum_i {delta_l}_i",
        lambda j: " + ".join(tell.factor(value) for value in layer.grad_z[:, j]),
    )
    input_gradient(
        tell,
        number,
        grad_x,
        tell.by_layout(f"{delta} W{number}", f"W{number}ᵀ {delta}", f"{delta} W{number}ᵀ"),
        tell.by_layout(f"{delta_l} {W_l}", rf"{W_l}{{}}^\top {delta_l}", rf"{delta_l} {W_l}{{}}^\top"),
        lambda i, k: tell.products(layer.grad_z[i], layer.W[:, k]),
    )


@tell_forward.register
def _elementwise_forward(layer: Elementwise, tell: Teller, number: int, x: Array, a: Array) -> None:
    x_name, x_latex = input_name(number)
    name = layer.activation.name
    output(tell, number, a, f"{name}({x_name})", f"{upright(name)}({x_latex})", of_z(tell, layer.activation, x))


@tell_backward.register
def _elementwise_backward(layer: Elementwise, tell: Teller, number: int, grad_a: Array, grad_x: Array) -> None:
    slope = slope_of_z(tell, layer.activation, layer.z, layer.a)
    x_name, x_latex = input_name(number)
    input_gradient(
        tell,
        number,
        grad_x,
        f"grad_a{number} ⊙ {layer.activation.name}′({x_name})",
        rf"\frac{{\partial L}}{{\partial {symbol('a', number)}}} \odot f'({x_latex})",
        lambda *index: f"{tell.factor(grad_a[index])}·{slope(*index)}",
    )
