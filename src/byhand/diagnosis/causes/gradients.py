"""Steps that are not along the gradient: the mistake that each step was found to be, at its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from byhand._types import Array
from byhand.diagnosis.backward import TRUE_RULE, Rule
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.causes.lines import name_of, proportional
from byhand.diagnosis.variants import Place, gradients_of
from byhand.diagnosis.why_evidence import Evidence
from byhand.diagnosis.why_gradients import Verdict
from byhand.diagnosis.why_report import Experiment, Finding


def wrong_gradients(e: Evidence) -> Iterator[Finding]:
    """The mistakes that most of the judged steps show, the most telling first."""
    verdicts = e.judgement.verdicts
    if not verdicts:
        return
    wrong = [v for v in verdicts if v.ids]
    if not wrong:
        return
    counts: dict[tuple[str, ...], list[Verdict]] = {}
    for v in wrong:
        counts.setdefault(v.ids, []).append(v)
    ids, group = max(counts.items(), key=lambda item: (len(item[1]), -len(item[0])))
    # With momentum only the first step lies along its gradient, and the later ones can't be explained.
    whole = len(verdicts[0].step.updates) == len({u.place for u in e.found.updates})
    only_first = len(wrong) == len(verdicts) and verdicts[0].ids == ids and whole
    share = 1.0 if only_first else len(group) / (len(verdicts) + len(e.judgement.unexplained))
    only_stale = ids == ("stale-gradient",)
    if share < 0.4 or (len(group) < 2 and len(verdicts) > 2 and not only_stale and not only_first):
        return
    v = group[0]
    if ids == ("constant-factor",) and len(v.factors) == len(v.places):
        return
    experiment = _mended_gradient(e)
    for rank, mistake in enumerate(ids):
        line = _line_of_verdict(e, v, mistake)
        meant, found = _formula(v, mistake)
        names = ", ".join(name_of(e, place) for place in v.places)
        evidence: dict[str, Any] = {
            "steps_that_match": len(group),
            "steps_checked": len(verdicts) + len(e.judgement.unexplained),
            "factors": {name_of(e, place): round(f, 9) for place, f in v.factors.items()},
        }
        if meant:
            evidence |= {"meant": meant, "found": found}
        if v.extra:
            evidence["how"] = v.extra
        yield Finding(
            mistake,
            line,
            evidence,
            0.94 - 0.04 * rank,
            _words(mistake, v, e, meant, found, names, len(group)),
            experiment,
        )


def _mended_gradient(e: Evidence) -> Experiment | None:
    return e.experiment("the same start, data and learning rate with the right gradient")


def _formula(v: Verdict, mistake: str) -> tuple[str, str]:
    for variant in v.variants:
        if variant.id == mistake:
            return variant.meant, variant.found
    return "", ""


def _words(mistake: str, v: Verdict, e: Evidence, meant: str, found: str, names: str, n: int) -> str:
    exact = f"In {n} step{'s' if n > 1 else ''} that were checked the parameters changed exactly so."
    if meant:
        where = next((variant.where for variant in v.variants if variant.id == mistake and variant.where), "")
        return f"{where + ': ' if where else ''}{found}, where {meant} belongs. {exact}"
    if mistake == "sign-flipped":
        return f"{names} go up the gradient instead of down: the change has the sign of +dL/dθ. {exact}"
    if mistake in ("sum-versus-mean", "constant-factor", "bias-gradient-wrong"):
        ratios = ", ".join(f"{name_of(e, place)}: {v.factors[place]:.6g}" for place in v.places if place in v.factors)
        return f"compared with the other parameters the steps are off by a factor ({ratios}). {exact}"
    if mistake == "parameter-never-updated":
        return f"{names} never change, though their gradient is not 0. {exact}"
    if mistake == "stale-gradient" and v.extra == "accumulated":
        return f"each step holds the gradients of all steps before: the sums are never set to zero. {exact}"
    if mistake == "stale-gradient":
        return f"the gradient was computed from a forward pass before the parameters had last changed. {exact}"
    return f"{CATALOGUE[mistake].title}. {exact}"


def _line_of_verdict(e: Evidence, v: Verdict, mistake: str) -> int:
    """Where the wrong thing is computed: by value, the line whose result is the wrong δ or gradient."""
    r = e.recording
    low, high = v.batch.start, v.step.end
    p = v.batch.as_pass(v.loss)
    if mistake in ("sign-flipped", "sum-versus-mean", "constant-factor", "parameter-never-updated") and v.places:
        update = v.step.updates.get(v.places[0])
        return update.line if update else 0
    if mistake == "stale-gradient":
        return min(v.step.updates.values(), key=lambda u: u.t).line
    variant = next((x for x in v.variants if x.id == mistake), None)
    wanted: list[Array] = []
    if variant is not None:
        deltas: dict[int, Array] = {}
        grads: dict[Place, Array] = {}
        rule: Rule = TRUE_RULE
        true_deltas: dict[int, Array] = {}
        for x in v.variants:
            rule = x.change(rule)

        def spy(rule: Rule, into: dict[int, Array]) -> Rule:
            old = rule.delta

            def delta(p: Any, s: Any) -> Array:
                into[s.layer] = old(p, s)
                return into[s.layer]

            return rule.with_step(delta=delta)

        try:
            grads = gradients_of(spy(rule, deltas), p) or {}
            true = gradients_of(spy(TRUE_RULE, true_deltas), p) or {}
        except (ValueError, IndexError):
            true = {}
        wanted += [deltas[k] for k in sorted(deltas, reverse=True) if not proportional(deltas[k], true_deltas[k])]
        wanted += [grads[q] for q in grads if q in true and not proportional(grads[q], true[q])]
    for target in wanted:
        for t in range(low, min(high + 1, r.end)):
            site = r.site(t)
            value = r.value(t)
            if (
                value is None
                or site["kind"] in ("load", "arg", "for", "subscript")
                or value.size != target.size
                or target.size < 2
            ):
                continue
            for shaped in (value.reshape(-1), value.T.reshape(-1)):
                if proportional(shaped, target.reshape(-1)):
                    return r.at(t)
    places = list(v.places) or [(0, "W")]
    update = v.step.updates.get(places[0]) or min(v.step.updates.values(), key=lambda u: u.t)
    if variant is not None and mistake == "bias-gradient-wrong":
        biases = [u for q, u in v.step.updates.items() if q[1] == "b"]
        update = biases[0] if biases else update
    if variant is not None and "hidden" in variant.where:
        hidden = [u for q, u in v.step.updates.items() if q[0] < len(v.batch.layers) - 1]
        update = hidden[0] if hidden else update
    return update.line
