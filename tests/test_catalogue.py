"""Every wrong variant of the backward pass is a wrong gradient, and is named from its numbers alone."""

from itertools import pairwise

import numpy as np
import pytest

from byhand.activations import identity, relu, sigmoid, tanh
from byhand.diagnosis.backward import TRUE_RULE, Pass
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.variants import distinct_variants, explain, gradients_of
from byhand.gradient_check import numerical_gradient

LISTED = set(
    """missing-import name-before-definition undefined-name shape-mismatch size-one-array-to-scalar
broadcast-error-matrix learning-rate-too-high unscaled-data sign-flipped output-derivative-missing
hidden-derivative-missing derivative-of-activation updated-weights-used hidden-error-raw wrong-layer-activation
bias-missing bias-gradient-wrong parameter-never-updated constant-factor sum-versus-mean transposed-gradient
dot-instead-of-elementwise stale-gradient update-outside-loop label-leak symmetric-initialization
tiny-initialization dead-relu-output dead-relu-hidden saturated-units target-outside-range linear-collapse
too-few-epochs log-of-zero softmax-wrong-axis softmax-overflow metric-wrong input-mutated integer-parameters
label-shuffle-mismatch
derivative-always-1 sigmoid-falling forward-returns-z slope-read-again learning-rate-twice seed-in-loop one-sample-only
start-changed loss-on-other-data weight-gradient-wrong wrong-parameter-gradient delta-wrong
syntax-error missing-module missing-file missing-attribute wrong-arguments index-outside missing-key division-by-zero
number-overflow endless-recursion python-error""".split()  # noqa: SIM905 - as the catalogue was asked for
)


def a_pass(sizes, activations, seed=0, learning_rate=0.3):
    rng = np.random.default_rng(seed)
    W = tuple(rng.normal(size=(n_out, n_in)) for n_in, n_out in pairwise(sizes))
    b = tuple(rng.normal(size=n_out) for n_out in sizes[1:])
    x, y = rng.normal(size=(7, sizes[0])), rng.normal(size=(7, sizes[-1]))
    return Pass.forward(x, y, W, b, activations, lambda y_hat, y: 2 * (y_hat - y) / len(y), learning_rate)


PASSES = {
    "one layer": ([3, 2], (sigmoid,)),
    "sigmoid": ([3, 5, 2], (sigmoid, sigmoid)),
    "tanh, one output": ([3, 5, 1], (tanh, identity)),
    "relu": ([3, 6, 2], (relu, identity)),
    "three layers": ([3, 5, 4, 2], (tanh, sigmoid, sigmoid)),
    "square": ([4, 4, 4], (sigmoid, tanh)),
}


def test_the_catalogue_has_exactly_the_listed_ids_and_words_for_each():
    assert set(CATALOGUE) == LISTED
    for mistake in CATALOGUE.values():
        assert all((mistake.title, mistake.looks_like, mistake.why, mistake.mend, mistake.plain))
        assert not set(mistake.plain) & set("ηθλδσ∂Σ⊙ᵀ′²·√∞")  # plain words come before formulae


@pytest.mark.parametrize("name", PASSES)
def test_the_true_rule_is_the_numerical_derivative(name):
    p = a_pass(*PASSES[name])
    for (layer, kind), gradient in gradients_of(TRUE_RULE, p).items():

        def loss(value, layer=layer, kind=kind):
            W, b = list(p.W), list(p.b)
            (W if kind == "W" else b)[layer] = value
            y_hat = Pass.forward(p.x, p.y, tuple(W), tuple(b), p.activations, np.subtract).a[-1]
            return ((y_hat - p.y) ** 2).sum() / 7

        at = p.W[layer] if kind == "W" else p.b[layer]
        np.testing.assert_allclose(gradient, numerical_gradient(loss, at), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", PASSES)
def test_every_variant_is_named_from_its_gradients(name):
    p = a_pass(*PASSES[name])
    for variant in distinct_variants(p)[::3]:
        first = explain(gradients_of(variant.change(TRUE_RULE), p), p)[0]
        assert first.ids == (variant.id,)
        assert variant.id in CATALOGUE


def test_two_mistakes_at_once_are_both_named():
    p = a_pass([3, 5, 2], (tanh, sigmoid))
    chosen = {v.id: v for v in distinct_variants(p) if v.id.endswith("-derivative-missing")}
    rule = chosen["output-derivative-missing"].change(chosen["hidden-derivative-missing"].change(TRUE_RULE))
    explanation, *_ = explain(gradients_of(rule, p), p)
    assert set(explanation.ids) == set(chosen)
    assert explanation.factors == dict.fromkeys(explanation.factors, 1.0)


@pytest.mark.parametrize(
    ("factor", "id_"),
    [(-1.0, "sign-flipped"), (2.0, "constant-factor"), (7.0, "sum-versus-mean"), (1 / 7, "sum-versus-mean")],
)
def test_a_factor_on_everything_is_named(factor, id_):
    p = a_pass([3, 5, 2], (tanh, sigmoid))
    [explanation] = explain({k: factor * g for k, g in gradients_of(TRUE_RULE, p).items()}, p)
    assert explanation.ids == (id_,)


def test_a_factor_on_the_biases_alone_is_a_wrong_bias_gradient_and_zero_is_no_update():
    p = a_pass([3, 5, 2], (tanh, sigmoid))
    true = gradients_of(TRUE_RULE, p)
    [off] = explain({(k, kind): g / 7 if kind == "b" else g for (k, kind), g in true.items()}, p)
    assert off.ids == ("bias-gradient-wrong",)
    [zero] = explain(true | {(0, "W"): np.zeros((5, 3))}, p)
    assert zero.ids == ("parameter-never-updated",)


def test_right_gradients_and_nonsense_are_not_explained():
    p = a_pass([3, 5, 2], (tanh, sigmoid))
    true = gradients_of(TRUE_RULE, p)
    assert explain(true, p) == []
    assert explain({k: g + 1e-3 for k, g in true.items()}, p) == []
