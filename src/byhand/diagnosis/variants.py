"""The wrong variants of the backward pass, and which of them a gradient found in the wild is.

A wrong gradient is compared, number by number, with what each variant gives on the same forward pass, alone and
in pairs. An exact match names the mistake; a direction that merely looks similar would not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np

from byhand._types import Array
from byhand.activations import ACTIVATIONS, Activation
from byhand.diagnosis.backward import TRUE_RULE, Hook, Pass, Rule, Variant

TOLERANCE = 1e-6
"""How far a match may be off, relative to a gradient's largest number: what central differences can give."""

Place: TypeAlias = tuple[int, Literal["W", "b"]]
"""Which parameter: the number of the layer, from 0, and its weights or its bias."""

Gradients: TypeAlias = Mapping[Place, Array]


def variants(p: Pass) -> list[Variant]:
    """Every single mistake that could have been made in the backward pass of this network."""
    parts = (_derivatives, _wrong_activations, _wrong_values, _hidden_errors, _products, _samples, _biases)
    return [variant for part in parts for variant in part(p)]


def _variant(
    mistake: str, where: str, meant: str, found: str, layers: frozenset[int] | None = None, **steps: Hook
) -> Variant:
    return Variant(mistake, where, meant, found, lambda rule: rule.with_step(layers, **steps))


def _places(p: Pass) -> Iterator[tuple[str, frozenset[int]]]:
    """The layers in which one slip is made at once: the output's, the hidden ones', each hidden one's, all."""
    hidden = frozenset(range(p.last))
    yield "output layer", frozenset({p.last})
    if hidden:
        yield "hidden layer" if len(hidden) == 1 else "hidden layers", hidden
        yield "all layers", hidden | {p.last}
    if len(hidden) > 1:
        yield from ((_name(p, layer), frozenset({layer})) for layer in hidden)


def _name(p: Pass, layer: int) -> str:
    if layer == p.last:
        return "output layer"
    return "hidden layer" if p.last == 1 else f"hidden layer {layer + 1}"


def _derivatives(p: Pass) -> Iterator[Variant]:
    for where, layers in _places(p):
        if layers == {p.last}:
            mistake, meant, found = "output-derivative-missing", "δ_out = dL/dŷ ⊙ f′(z_out)", "δ_out = dL/dŷ"
        elif p.last not in layers:
            mistake = "hidden-derivative-missing"
            meant, found = "δ_hidden = (δ_out W_out) ⊙ f′(z_hidden)", "δ_hidden = δ_out W_out"
        else:
            continue
        yield _variant(mistake, where, meant, found, layers, delta=lambda p, s: s.grad_a)
    ways: dict[str, Hook] = {
        "f′ is written for z but given a = f(z), so that f is applied twice: σ(a)(1 − σ(a))": lambda p, s: _at(
            p.activations[s.layer], p.a[s.layer]
        ),
        "f′ is written for a = f(z) but given z: z(1 − z) in place of a(1 − a)": lambda p, s: p.activations[
            s.layer
        ].derivative(p.z[s.layer], p.z[s.layer]),
    }
    for where, layers in _places(p):
        for found, hook in ways.items():
            yield _variant("derivative-of-activation", where, "f′(z)", found, layers, derivative=hook)


def _at(f: Activation, z: Array) -> Array:
    return f.derivative(z, f(z))


def _wrong_activations(p: Pass) -> Iterator[Variant]:
    for where, layers in _places(p):
        own = {p.activations[layer].name for layer in layers}
        for name in ("sigmoid", "tanh", "relu", "leaky_relu"):
            for found, hook in _derivatives_of(ACTIVATIONS[name]).items():
                if own != {name}:
                    meant = f"{' and '.join(sorted(own))}′(z), as the forward pass applies {' and '.join(sorted(own))}"
                    yield _variant("wrong-layer-activation", where, meant, found, layers, derivative=hook)
    for layer in range(p.last + 1):
        for other in range(p.last + 1):
            if layer != other:
                yield _variant(
                    "wrong-layer-activation",
                    _name(p, layer),
                    f"f′(z) of the {_name(p, layer)}",
                    f"f′(z) of the {_name(p, other)}",
                    frozenset({layer}),
                    derivative=_derivative_of_layer(other),
                )


def _derivatives_of(f: Activation) -> dict[str, Hook]:
    return {
        f"{f.name}′(z)": lambda p, s: _at(f, p.z[s.layer]),
        f"the formula of {f.name}′ in a": lambda p, s: f.derivative(p.a[s.layer], p.a[s.layer]),
        f"{f.name}′(a)": lambda p, s: _at(f, p.a[s.layer]),
        f"the formula of {f.name}′ in a, given z": lambda p, s: f.derivative(p.z[s.layer], p.z[s.layer]),
    }


def _derivative_of_layer(k: int) -> Hook:
    return lambda p, s: p.activations[k].derivative(p.z[k], p.a[k])


def _wrong_values(p: Pass) -> Iterator[Variant]:
    """dL/dW = δᵀ · input, with something else as the input."""
    values = {"x": p.x}
    for layer in range(p.last + 1):
        values[f"the output a of the {_name(p, layer)}"] = p.a[layer]
        values[f"the pre-activation z of the {_name(p, layer)}"] = p.z[layer]
    for layer in range(p.last + 1):
        for found, value in values.items():
            if value is not p.input_of(layer) and value.shape == p.input_of(layer).shape:
                yield _variant(
                    "wrong-layer-activation",
                    _name(p, layer),
                    "dL/dW = δᵀ · the input of that layer",
                    f"dL/dW = δᵀ · {found}",
                    frozenset({layer}),
                    grad_W=_times(value),
                )


def _times(value: Array) -> Hook:
    return lambda p, s: s.delta.T @ value


def _hidden_errors(p: Pass) -> Iterator[Variant]:
    if not p.last:
        return
    where = _places_of_hidden(p)
    meant = "δ_hidden = (δ_out W_out) ⊙ f′(z_hidden)"

    def sent_back(mistake: str, found: str, hook: Hook) -> Variant:
        return _variant(mistake, where, meant, f"δ_hidden = ({found}) ⊙ f′(z_hidden)", send_back=hook)

    def below(value: Array, s_layer: int) -> Array:
        return np.broadcast_to(value, p.a[s_layer - 1].shape)

    yield sent_back("hidden-error-raw", "dL/dŷ · W_out, without f′(z_out)", lambda p, s: s.grad_a @ p.W[s.layer])
    yield sent_back("hidden-error-raw", "dL/dŷ, without W_out", lambda p, s: below(p.grad_y_hat, s.layer))
    yield sent_back("hidden-error-raw", "δ_out, without W_out", lambda p, s: below(s.delta, s.layer))
    yield sent_back(
        "hidden-error-raw", "Σ δ_out, without W_out", lambda p, s: below(s.delta.sum(axis=1, keepdims=True), s.layer)
    )
    if p.learning_rate:
        yield sent_back(
            "updated-weights-used",
            "δ_out · W_out after its update",
            lambda p, s: s.delta @ (p.W[s.layer] - p.learning_rate * s.grad_W),
        )
    yield sent_back(
        "transposed-gradient",
        "δ_out · W_outᵀ",
        lambda p, s: s.delta @ p.W[s.layer].T if p.W[s.layer].shape[0] == p.W[s.layer].shape[1] else _impossible(),
    )
    yield sent_back(
        "transposed-gradient",
        "δ_out · W_out with its numbers laid out as the transposed matrix",
        lambda p, s: s.delta @ p.W[s.layer].T.reshape(p.W[s.layer].shape),
    )


def _places_of_hidden(p: Pass) -> str:
    return "hidden layer" if p.last == 1 else "hidden layers"


def _impossible() -> Array:
    raise ValueError("these shapes don't fit")


def _products(p: Pass) -> Iterator[Variant]:
    for where, layers in _places(p):
        yield _variant(
            "dot-instead-of-elementwise",
            where,
            "δ = dL/da ⊙ f′(z), element by element",
            "δ = dL/da · f′(z), one sum for each sample",
            layers,
            delta=lambda p, s: np.broadcast_to((s.grad_a * s.derivative).sum(axis=1, keepdims=True), s.grad_a.shape),
        )
        products: tuple[Hook, Hook] = (lambda p, s: s.grad_a @ s.derivative, lambda p, s: s.derivative @ s.grad_a)
        for product in products:  # fits if there are as many samples as units
            yield _variant(
                "dot-instead-of-elementwise",
                where,
                "δ = dL/da ⊙ f′(z), element by element",
                "δ = dL/da · f′(z), a matrix product",
                layers,
                delta=product,
            )
        yield _variant(
            "transposed-gradient",
            where,
            "dL/dW = δᵀ · input, of the shape of W",
            "(dL/dW)ᵀ, its numbers laid out in the shape of W",
            layers,
            grad_W=lambda p, s: (s.delta.T @ p.input_of(s.layer)).T.reshape(p.W[s.layer].shape),
        )


def _samples(p: Pass) -> Iterator[Variant]:
    for found, which in (("the last sample alone", slice(-1, None)), ("the first sample alone", slice(0, 1))):
        yield _of_samples(found, which)


def _of_samples(found: str, which: slice) -> Variant:
    return _variant(
        "update-outside-loop",
        "all layers",
        "Σₙ over the samples",
        found,
        grad_W=lambda p, s: s.delta[which].T @ p.input_of(s.layer)[which],
        grad_b=lambda p, s: s.delta[which].sum(axis=0),
    )


def _biases(p: Pass) -> Iterator[Variant]:
    ways: dict[str, Hook] = {
        "Σₙ dL/da, without f′(z)": lambda p, s: s.grad_a.sum(axis=0),
        "Σₙ Σₖ δ, the same for every unit": lambda p, s: np.broadcast_to(s.delta.sum(), s.delta.shape[1]),
        "the mean of δ over samples and units": lambda p, s: np.broadcast_to(s.delta.mean(), s.delta.shape[1]),
        "δ of the last sample alone": lambda p, s: s.delta[-1],
        "δ of the first sample alone": lambda p, s: s.delta[0],
        "Σₙ f′(z), without the error": lambda p, s: s.derivative.sum(axis=0),
        "Σₙ dL/dŷ": lambda p, s: np.broadcast_to(p.grad_y_hat.sum(axis=0), s.delta.shape[1]),
        "Σₙ δ ⊙ z": lambda p, s: (s.delta * p.z[s.layer]).sum(axis=0),
        "Σₙ δ ⊙ b": lambda p, s: s.delta.sum(axis=0) * p.b[s.layer],
        "Σₙ δ ⊙ a": lambda p, s: (s.delta * p.a[s.layer]).sum(axis=0),
        "Σₙ δ ⊙ f′(z), the derivative twice": lambda p, s: (s.delta * s.derivative).sum(axis=0),
        "the column sums of dL/dW": lambda p, s: np.broadcast_to(s.grad_W.sum(), s.delta.shape[1]),
        "the row sums of dL/dW": lambda p, s: s.grad_W.sum(axis=1),
        "the row means of dL/dW": lambda p, s: s.grad_W.mean(axis=1),
    }
    for where, layers in _places(p):
        for found, hook in ways.items():
            yield _variant("bias-gradient-wrong", where, "dL/db = Σₙ δₙ", f"dL/db = {found}", layers, grad_b=hook)


@dataclass(frozen=True)
class Explanation:
    """Which mistakes give exactly the gradients that were found.

    Attributes
    ----------
    variants : tuple of Variant
        The mistakes; every parameter's gradient follows from them (up to `factors`).
    factors : dict
        For each parameter, the constant by which what was found differs from what the variants give; 1 where it
        doesn't. 0: the gradient was always zero.
    ids : tuple of str
        The catalogue's ids, the most telling first.
    """

    variants: tuple[Variant, ...]
    factors: Mapping[Place, float]
    ids: tuple[str, ...]


def gradients_of(rule: Rule, p: Pass) -> dict[Place, Array] | None:
    """The gradients by parameter; None when the rule's shapes don't fit this network."""
    try:
        by_layer = rule.gradients(p)
    except ValueError:
        return None
    result: dict[Place, Array] = {}
    for layer, (grad_W, grad_b) in enumerate(by_layer):
        result[layer, "W"], result[layer, "b"] = grad_W, grad_b
    return result


def agrees(found: Array, expected: Array, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays of one shape are equal, up to `tolerance` of their largest number."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return False
    size = max(np.abs(expected).max(initial=0.0), np.abs(found).max(initial=0.0))
    return bool(np.abs(found - expected).max(initial=0.0) <= tolerance * size)


def wrong_places(found: Gradients, p: Pass, tolerance: float = TOLERANCE) -> list[Place]:
    """The parameters whose gradient is not the true one."""
    true = gradients_of(TRUE_RULE, p)
    assert true is not None
    return [place for place in found if not agrees(found[place], true[place], tolerance)]


def explain(found: Gradients, p: Pass, *, pairs: bool = True, tolerance: float = TOLERANCE) -> list[Explanation]:
    """What could have been done wrong to give these gradients: nothing, one mistake, or two.

    Parameters
    ----------
    found : mapping from (layer, "W" or "b") to array
        The gradients, each in the shape of its parameter in `p`; those that aren't known are left out.
    p : Pass
        The forward pass that they were computed from.
    pairs : bool
        Also look for two mistakes at once.
    tolerance : float
        Relative to the largest number of each gradient.

    Returns
    -------
    list of Explanation
        The simplest first, and only those as simple as the simplest. Empty when the gradients are right
        (see `wrong_places`) and when no variant gives them.
    """
    if not wrong_places(found, p, tolerance):
        return []
    singles = distinct_variants(p)
    groups: list[Iterable[tuple[Variant, ...]]] = [[()], ((v,) for v in singles)]
    if pairs:
        groups.append(combinations(singles, 2))
    best: list[Explanation] = []
    for group in groups:
        explanations = (_compare(found, p, chosen, tolerance) for chosen in group)
        best += [explanation for explanation in explanations if explanation is not None]
        # A plain single mistake beats one with a factor besides, which may need a pair's search to be beaten.
        if any(len(explanation.ids) <= max(1, len(explanation.variants)) for explanation in best):
            break
    if not best:
        return []
    fewest = min(len(explanation.ids) for explanation in best)
    order = {id(variant): position for position, variant in enumerate(singles)}
    simplest = [explanation for explanation in best if len(explanation.ids) == fewest]
    return sorted(simplest, key=lambda e: (len(e.variants), sum(order[id(v)] for v in e.variants)))


def distinct_variants(p: Pass) -> list[Variant]:
    """The variants that fit this network, change something in it, and differ from those before them."""
    seen = [_flat(gradients_of(TRUE_RULE, p))]
    result = []
    for variant in variants(p):
        gradients = gradients_of(variant.change(TRUE_RULE), p)
        if gradients is None:
            continue
        flat = _flat(gradients)
        if (np.abs(np.array(seen) - flat).max(axis=1) > 1e-12 * np.abs(flat).max()).all():
            seen.append(flat)
            result.append(variant)
    return result


def _flat(gradients: Gradients | None) -> Array:
    assert gradients is not None
    return np.concatenate([gradient.ravel() for gradient in gradients.values()])


def _compare(found: Gradients, p: Pass, chosen: tuple[Variant, ...], tolerance: float) -> Explanation | None:
    rule = TRUE_RULE
    for variant in chosen:
        rule = variant.change(rule)
    expected = gradients_of(rule, p)
    if expected is None:
        return None
    factors = {}
    for place, value in found.items():
        factor = _factor(value, expected[place], p, tolerance)
        if factor is None:
            return None
        factors[place] = factor
    return Explanation(chosen, factors, _ids(chosen, factors, p))


def _factor(found: Array, expected: Array, p: Pass, tolerance: float) -> float | None:
    """The constant c with found = c · expected, if there is one; for a lone number only a likely c counts."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return None
    if agrees(found, expected, tolerance):
        return 1.0
    if not found.any():
        return 0.0
    square = float((expected * expected).sum())
    if not square:
        return None
    factor = float((found * expected).sum()) / square
    if not factor or not agrees(found, factor * expected, tolerance):
        return None
    likely = [sign * c for c in likely_factors(p) for sign in (1, -1)]
    nearest = min(likely, key=lambda c: abs(c - factor))
    if abs(nearest - factor) <= tolerance * abs(factor):
        return nearest
    return factor if found.size > 1 else None


def likely_factors(p: Pass) -> dict[float, str]:
    """The constants by which a gradient is commonly off, and where they come from."""
    n, n_out = p.grad_y_hat.shape
    factors = {1.0: "", 2.0: "2", 0.5: "½", 4.0: "4", 0.25: "¼"}
    for count, name in ((n, "n samples"), (n_out, "n outputs"), (n * n_out, "n samples · outputs")):
        for numerator, sign in ((1.0, ""), (2.0, "2 · "), (0.5, "½ · ")):
            factors.setdefault(numerator * count, f"{sign}{name}")
            factors.setdefault(numerator / count, f"{sign}1/({name})")
    factors.setdefault(1.0 / n**2, "1/(n samples)²")
    return factors


def _ids(chosen: tuple[Variant, ...], factors: Mapping[Place, float], p: Pass) -> tuple[str, ...]:
    ids = [variant.id for variant in chosen]
    off = {place: factor for place, factor in factors.items() if factor != 1.0}
    if any(factor == 0.0 for factor in off.values()):
        ids.append("parameter-never-updated")
    off = {place: factor for place, factor in off.items() if factor}
    if "hidden-error-raw" in ids:  # the raw error has lost the loss's factor too: that is one mistake, not two
        off = {place: factor for place, factor in off.items() if place[0] == p.last}
    only_biases = bool(off) and all(kind == "b" for _, kind in off) and any(kind == "W" for _, kind in factors)
    if only_biases:
        ids.append("bias-gradient-wrong")
    else:
        if any(factor < 0 for factor in off.values()):
            ids.append("sign-flipped")
        sizes = {abs(factor) for factor in off.values()} - {1.0}
        ids += sorted({_id_of_factor(size, p) for size in sizes})
    return tuple(dict.fromkeys(ids))


def _id_of_factor(size: float, p: Pass) -> str:
    return "sum-versus-mean" if "n " in likely_factors(p).get(size, "") else "constant-factor"
