"""The catalogue of mistakes has the ids that were asked for, and words for each."""

from byhand.diagnosis.catalogue import _ENTRIES, CATALOGUE

LISTED = set(
    """missing-import name-before-definition undefined-name shape-mismatch size-one-array-to-scalar
broadcast-error-matrix learning-rate-too-high learning-rate-too-low learning-rate-vanishes unscaled-data scaled-by-row
scaled-apart
sign-flipped output-derivative-missing activation-missing
hidden-derivative-missing derivative-of-activation updated-weights-used hidden-error-raw wrong-layer-activation
bias-missing bias-gradient-wrong parameter-never-updated constant-factor sum-versus-mean transposed-gradient
dot-instead-of-elementwise stale-gradient update-outside-loop label-leak symmetric-initialization
tiny-initialization dead-relu-output dead-relu-hidden saturated-units target-outside-range linear-collapse
too-few-epochs log-of-zero softmax-wrong-axis shares-not-one softmax-overflow metric-wrong input-mutated
integer-parameters label-shuffle-mismatch
derivative-always-1 sigmoid-falling forward-returns-z slope-read-again learning-rate-twice seed-in-loop one-sample-only
start-changed best-not-copied loss-on-other-data loss-wrong result-unused
clipping-turned-round
derivative-twice derivative-wrong penalty-gradient-wrong weight-gradient-wrong wrong-parameter-gradient delta-wrong
label-without-effect reshape-instead-of-transpose target-unused
dropout-when-measured dropout-scale-wrong batches-overlap batch-left-out root-of-negative held-out-rows-used
class-left-out way-left-out rows-counted-once momentum-reset moments-shared
bias-correction-wrong root-missing mask-drawn-anew mask-missing
syntax-error missing-module missing-file missing-attribute wrong-arguments index-outside missing-key division-by-zero
number-overflow endless-recursion python-error argmax-wrong-axis threshold-wrong
gradient-overwritten other-than-said""".split()  # noqa: SIM905 - as the catalogue was asked for
)


def test_the_catalogue_has_exactly_the_listed_ids_and_words_for_each():
    assert set(CATALOGUE) == LISTED
    assert len(CATALOGUE) == len(_ENTRIES)  # no id twice
    for mistake in CATALOGUE.values():
        assert all((mistake.title, mistake.looks_like, mistake.why, mistake.mend, mistake.plain))
        assert not set(mistake.plain) & set("ηθλδσ∂Σ⊙ᵀ′²·√∞")  # plain words come before formulae
