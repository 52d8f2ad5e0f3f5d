"""How a recurrent layer and attention are told; of arrays with several axes, the label says in which order they are."""

import numpy as np

from byhand._types import Array
from byhand.arithmetic.layers import apart, delta, gradient, gradient_of_input, of_z, tell_backward, tell_forward
from byhand.arithmetic.steps import Teller, input_name
from byhand.layers import RNN, Attention
from byhand.layers.attention import attend_backward
from byhand.layers.softmax import softmax_backward


@tell_forward.register
def _rnn_forward(layer: RNN, tell: Teller, number: int, x: Array, a: Array) -> None:
    name = input_name(number)[0]

    def of_steps(t: int, n: int, j: int) -> str:
        return (
            f"{tell.products(layer.x[t, n], layer.W[j])} + {tell.products(layer.h[t, n], layer.U[j])} "
            f"+ {tell.factor(layer.b[j])}"
        )

    steps = f"{name}ₜ W{number}ᵀ + hₜ₋₁ U{number}ᵀ + b{number}, step by step"
    apart(tell, "z", "forward", number, steps, layer.z, of_steps)
    f = layer.activation
    apart(tell, "h", "forward", number, f"{f.name}(z{number})", layer.h[1:], of_z(tell, f, layer.z))


@tell_backward.register
def _rnn_backward(layer: RNN, tell: Teller, number: int, grad_a: Array, grad_x: Array) -> None:
    n_steps, grad_z = len(layer.z), layer.grad_z

    def of_h(t: int, n: int, k: int) -> str:
        """From the output at this step, and from the next step."""
        output = grad_a[n, k] if layer.last else grad_a[n, t, k]
        parts = [tell.factor(output)] if not layer.last or t == n_steps - 1 else []
        if t + 1 < n_steps and not layer.ends_at(t + 1):
            parts.append(tell.products(grad_z[t + 1, n], layer.U[:, k]))
        return " + ".join(parts) or "0"

    def over_steps(values: Array) -> Array:
        return values.reshape(-1, values.shape[-1])

    place, rows = str(number), over_steps(grad_z)
    x, h = over_steps(layer.x), over_steps(layer.h[:-1])
    back = f"grad_a{number} + deltaₜ₊₁ U{number}: back through time"
    apart(tell, "grad_h", "backward", number, back, layer.grad_h, of_h)
    delta(tell, number, layer.activation, layer.grad_h, grad_z, layer.z, layer.h[1:], of="grad_h")
    formula = f"Σ delta{number}ᵀ {{}} over the steps"
    name = input_name(number)[0]
    gradient(
        tell, place, "W", layer.grad_W, formula.format(f"{name}ₜ"), "", lambda j, k: tell.products(rows[:, j], x[:, k])
    )
    gradient(
        tell, place, "U", layer.grad_U, formula.format("hₜ₋₁"), "", lambda j, k: tell.products(rows[:, j], h[:, k])
    )
    gradient(tell, place, "b", layer.grad_b, f"Σ delta{number}", "", lambda j: " + ".join(map(tell.factor, rows[:, j])))
    gradient_of_input(
        tell,
        number,
        grad_x,
        f"delta{number} W{number}",
        lambda n, t, k: tell.products(grad_z[t, n], layer.W[:, k]),
    )


@tell_forward.register
def _attention_forward(layer: Attention, tell: Teller, number: int, x: Array, a: Array) -> None:
    d, n_features = layer.q.shape[-1], layer.n_features
    scores = layer.q @ layer.k.swapaxes(-1, -2) / np.sqrt(d)
    name = input_name(number)[0]
    for start, letter, values in ((0, "q", layer.q), (1, "k", layer.k), (2, "v", layer.v)):

        def projected(n: int, head: int, t: int, i: int, start: int = start) -> str:
            row = start * n_features + head * d + i
            return f"{tell.products(x[n, t], layer.W_qkv[row])} + {tell.factor(layer.b_qkv[row])}"

        apart(tell, letter, "forward", number, f"{name} W_{letter}ᵀ + b_{letter}", values, projected)

    def weight(n: int, head: int, t: int, s: int) -> str:
        if not layer.A[n, head, t, s]:
            return "0"
        seen = scores[n, head, t][layer.A[n, head, t] > 0]
        powers = " + ".join(f"e^({tell.number(score)})" for score in seen)
        return f"e^({tell.number(scores[n, head, t, s])})/({powers})"

    apart(
        tell,
        "S",
        "forward",
        number,
        f"q{number} k{number}ᵀ/√d",
        scores,
        lambda n, head, t, s: f"({tell.products(layer.q[n, head, t], layer.k[n, head, s])})/√({d})",
    )
    apart(tell, "A", "forward", number, f"softmax(S{number}) along the rows", layer.A, weight)
    mixed = layer.mixed.reshape(a.shape)
    apart(
        tell,
        "heads",
        "forward",
        number,
        f"A{number} v{number}",
        mixed,
        lambda n, t, i: tell.products(layer.A[n, i // d, t], layer.v[n, i // d, :, i % d]),
    )
    apart(
        tell,
        "a",
        "forward",
        number,
        f"heads{number} W_outᵀ + b_out",
        a,
        lambda n, t, k: f"{tell.products(mixed[n, t], layer.W_out[k])} + {tell.factor(layer.b_out[k])}",
    )


@tell_backward.register
def _attention_backward(layer: Attention, tell: Teller, number: int, grad_a: Array, grad_x: Array) -> None:
    d = layer.q.shape[-1]
    grad_mixed = grad_a @ layer.W_out
    grad_heads = grad_mixed.reshape(*grad_a.shape[:2], layer.n_heads, d).swapaxes(1, 2)
    grad_A = grad_heads @ layer.v.swapaxes(-1, -2)
    grad_S = softmax_backward(grad_A, layer.A)
    apart(
        tell,
        "grad_heads",
        "backward",
        number,
        f"grad_a{number} W_out",
        grad_mixed,
        lambda n, t, i: tell.products(grad_a[n, t], layer.W_out[:, i]),
    )
    apart(
        tell,
        "grad_A",
        "backward",
        number,
        f"grad_heads{number} v{number}ᵀ",
        grad_A,
        lambda n, head, t, s: tell.products(grad_heads[n, head, t], layer.v[n, head, s]),
    )

    def of_S(n: int, head: int, t: int, s: int) -> str:
        A, g = layer.A[n, head, t], grad_A[n, head, t]
        return f"{tell.number(A[s])}·({tell.number(g[s])} − ({tell.products(g, A)}))"

    apart(
        tell, "grad_S", "backward", number, f"A{number} ⊙ (grad_A{number} − Σ grad_A{number} ⊙ A{number})", grad_S, of_S
    )
    of_qkv = attend_backward(grad_heads, layer.q, layer.k, layer.v, layer.A)
    apart(
        tell,
        "grad_q",
        "backward",
        number,
        f"grad_S{number} k{number}/√d",
        of_qkv[0],
        lambda n, head, t, i: f"({tell.products(grad_S[n, head, t], layer.k[n, head, :, i])})/√({d})",
    )
    apart(
        tell,
        "grad_k",
        "backward",
        number,
        f"grad_S{number}ᵀ q{number}/√d",
        of_qkv[1],
        lambda n, head, s, i: f"({tell.products(grad_S[n, head, :, s], layer.q[n, head, :, i])})/√({d})",
    )
    apart(
        tell,
        "grad_v",
        "backward",
        number,
        f"A{number}ᵀ grad_heads{number}",
        of_qkv[2],
        lambda n, head, s, i: tell.products(layer.A[n, head, :, s], grad_heads[n, head, :, i]),
    )
    rows = [values.swapaxes(1, 2).reshape(-1, layer.n_features) for values in of_qkv]
    qkv, x = np.concatenate(rows, axis=1), layer.x.reshape(-1, layer.n_features)
    out, name = grad_a.reshape(x.shape), input_name(number)[0]
    place, mixed = str(number), layer.mixed
    total = " + ".join
    for label, values, formula, terms in (
        ("W_qkv", layer.grad_W_qkv, f"[grad_q grad_k grad_v]ᵀ {name}", lambda j, k: tell.products(qkv[:, j], x[:, k])),
        ("b_qkv", layer.grad_b_qkv, "Σ [grad_q grad_k grad_v]", lambda j: total(map(tell.factor, qkv[:, j]))),
        ("W_out", layer.grad_W_out, f"grad_a{number}ᵀ heads", lambda j, k: tell.products(out[:, j], mixed[:, k])),
        ("b_out", layer.grad_b_out, f"Σ grad_a{number}", lambda j: total(map(tell.factor, out[:, j]))),
    ):
        gradient(tell, place, label, values, formula, "", terms)
    qkv_by_step = qkv.reshape(*grad_a.shape[:2], -1)
    gradient_of_input(
        tell,
        number,
        grad_x,
        "[grad_q grad_k grad_v] W_qkv",
        lambda n, t, k: tell.products(qkv_by_step[n, t], layer.W_qkv[:, k]),
    )
