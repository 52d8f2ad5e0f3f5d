"""How a convolution and a batch norm are told."""

import numpy as np

from byhand._types import Array
from byhand.arithmetic.layers import apart, delta, gradient, gradient_of_input, of_z, tell_backward, tell_forward
from byhand.arithmetic.steps import Teller, input_name
from byhand.layers import BatchNorm, Conv2D


@tell_forward.register
def _convolution_forward(layer: Conv2D, tell: Teller, number: int, x: Array, a: Array) -> None:
    x_name = input_name(number)[0]

    def terms(n: int, i: int, j: int, k: int) -> str:
        i, j = layer.stride * i, layer.stride * j
        window = layer.x[n, i : i + layer.size, j : j + layer.size]
        return f"{tell.products(window.ravel(), layer.W[k].ravel())} + {tell.factor(layer.b[k])}"

    apart(tell, "z", "forward", number, f"Σ {x_name} ⊙ W{number} over each window + b{number}", layer.z, terms)
    f = layer.activation
    apart(tell, "a", "forward", number, f"{f.name}(z{number})", a, of_z(tell, f, layer.z))


@tell_backward.register
def _convolution_backward(layer: Conv2D, tell: Teller, number: int, grad_a: Array, grad_x: Array) -> None:
    delta(tell, number, layer.activation, grad_a, layer.grad_z, layer.z, layer.a)
    s, (_, down, across, _) = layer.stride, layer.z.shape

    def of_W(k: int, i: int, j: int, c: int) -> str:
        seen = layer.x[:, i : i + s * (down - 1) + 1 : s, j : j + s * (across - 1) + 1 : s, c]
        return tell.products(layer.grad_z[..., k].ravel(), seen.ravel())

    def of_x(n: int, i: int, j: int, c: int) -> str:
        i, j = i + layer.padding, j + layer.padding
        pairs = [
            (layer.grad_z[n, p, q, k], layer.W[k, i - s * p, j - s * q, c])
            for p, q, k in np.ndindex(layer.z.shape[1:])
            if 0 <= i - s * p < layer.size and 0 <= j - s * q < layer.size
        ]
        return tell.products(*np.array(pairs).reshape(-1, 2).T) or "0"

    name = input_name(number)[0]
    place = str(number)
    gradient(tell, place, "W", layer.grad_W, f"Σ delta{number} ⊙ {name} over all places", "", of_W)
    gradient(
        tell,
        place,
        "b",
        layer.grad_b,
        f"Σ delta{number} over all places",
        "",
        lambda k: " + ".join(map(tell.factor, layer.grad_z[..., k].ravel())),
    )
    gradient_of_input(tell, number, grad_x, f"Σ delta{number} · W{number} over the windows it stands in", of_x)


@tell_forward.register
def _batch_norm_forward(layer: BatchNorm, tell: Teller, number: int, x: Array, a: Array) -> None:
    rows = x.reshape(-1, layer.n_features)
    n, mean = len(rows), rows.mean(axis=0)
    name = input_name(number)[0]

    def of_std(k: int) -> str:
        squares = " + ".join(f"({tell.number(value)} − {tell.factor(mean[k])})²" for value in rows[:, k])
        return f"√(({squares})/{n} + {tell.number(layer.epsilon)})"

    apart(
        tell,
        "mean",
        "forward",
        number,
        f"mean of {name} over the batch",
        mean,
        lambda k: f"({' + '.join(map(tell.factor, rows[:, k]))})/{n}",
    )
    apart(tell, "std", "forward", number, f"√(mean of ({name} − mean{number})² + ε)", layer.std[0], of_std)
    apart(
        tell,
        "x_hat",
        "forward",
        number,
        f"({name} − mean{number})/std{number}",
        layer.x_hat,
        lambda i, k: f"({tell.number(rows[i, k])} − {tell.factor(mean[k])})/{tell.number(layer.std[0, k])}",
    )
    y = a.reshape(rows.shape)
    apart(
        tell,
        "a",
        "forward",
        number,
        f"gamma{number} ⊙ x_hat{number} + beta{number}",
        y,
        lambda i, k: f"{tell.factor(layer.gamma[k])}·{tell.factor(layer.x_hat[i, k])} + {tell.factor(layer.beta[k])}",
    )


@tell_backward.register
def _batch_norm_backward(layer: BatchNorm, tell: Teller, number: int, grad_a: Array, grad_x: Array) -> None:
    g, x_hat, place = grad_a.reshape(layer.x_hat.shape), layer.x_hat, str(number)
    gradient(
        tell,
        place,
        "gamma",
        layer.grad_gamma,
        f"Σ grad_a{number} ⊙ x_hat{number}",
        "",
        lambda k: tell.products(g[:, k], x_hat[:, k]),
    )
    gradient(
        tell,
        place,
        "beta",
        layer.grad_beta,
        f"Σ grad_a{number}",
        "",
        lambda k: " + ".join(map(tell.factor, g[:, k])),
    )
    n = len(g)

    def of_x(i: int, k: int) -> str:
        beta, gamma = (tell.factor(array[k]) for array in (layer.grad_beta, layer.grad_gamma))
        inner = f"{tell.number(g[i, k])} − {beta}/{n} − {tell.factor(x_hat[i, k])}·{gamma}/{n}"
        return f"{tell.factor(layer.gamma[k])}/{tell.number(layer.std[0, k])}·({inner})"

    formula = f"gamma/std ⊙ (grad_a{number} − grad_beta{number}/N − x_hat{number} ⊙ grad_gamma{number}/N)"
    gradient_of_input(tell, number, grad_x.reshape(g.shape), formula, of_x)
