"""Numbers that are none, and losses that grow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from byhand import symptoms
from byhand._types import Array
from byhand.activations import softmax
from byhand.diagnosis.causes.lines import (
    all_finite,
    gradient_is_right,
    learning_rate_line,
    line_of_inputs,
    scale_of_inputs,
)
from byhand.diagnosis.causes.trials import slower
from byhand.diagnosis.why_evidence import Evidence
from byhand.diagnosis.why_report import Experiment, Finding


def overflow_in_softmax(e: Evidence) -> Iterator[Finding]:
    """Exponentials of a softmax that become inf, where finite probabilities could be had."""
    r = e.recording
    warned = [w for w in r.warnings if "overflow" in w["message"] and "exp" in w["message"]]
    broken = [w for w in r.warnings if "invalid value" in w["message"] and "divide" in w["message"]]
    if not broken:
        return
    text = r.source
    line = broken[0]["line"]
    if not warned or not re.search(r"exp", text):
        return
    # inf / inf: an exponential over a sum of exponentials
    for number, site in enumerate(r.sites):
        if site["kind"] == "op" and site["op"] == "Div" and site["line"] <= line <= site["end_line"]:
            for t in r.events_of(number):
                value = r.value(t)
                operands = [o for o in r.operands[t] if o >= 0]
                if value is None or np.isfinite(value).all() or not operands:
                    continue
                top = r.value(operands[0])
                if top is None or not np.isinf(top).any():
                    continue
                z = _logits_before(r, t)
                if z is None or not np.isfinite(z).all():
                    continue
                with np.errstate(all="ignore"):
                    stable = softmax(z if z.ndim == 2 else z.reshape(1, -1))
                if np.isfinite(stable).all():
                    largest = float(np.abs(z).max())
                    yield Finding(
                        "softmax-overflow",
                        line,
                        {"largest_z": largest},
                        0.97,
                        f"line {line} takes e^z of z up to {largest:.4g}, which is inf, and inf / inf is nan.",
                        Experiment("the row's maximum subtracted first", float("nan"), float(stable.max()), True),
                    )
                    return


def _logits_before(r: Any, t: int) -> Array | None:
    """The finite argument of the last exp before event t."""
    for u in range(t, max(t - 60, -1), -1):
        site = r.site(u)
        if site["kind"] == "call" and site["op"] == "exp":
            operands = [o for o in r.operands[u] if o >= 0]
            return r.value(operands[0]) if operands else None
    return None


def logarithm(e: Evidence) -> Iterator[Finding]:
    """Logarithms of 0."""
    r = e.recording
    warned = [
        w
        for w in r.warnings
        if "log" in w["message"] and ("divide by zero" in w["message"] or "invalid" in w["message"])
    ]
    if not warned:
        # silenced warnings: the value of a log is −inf
        for number, site in enumerate(r.sites):
            if site["kind"] == "call" and site["op"] in ("log", "log2", "log10"):
                for t in r.events_of(number):
                    value = r.value(t)
                    if value is not None and np.isneginf(value).any():
                        warned = [{"line": r.at(t), "message": "log of 0"}]
                        break
    if not warned:
        return
    line = warned[0]["line"]
    exploding = e.found.forwards and not all_finite(e.final)
    losses = e.losses
    broken = [k for k, v in enumerate(losses) if not np.isfinite(v)]
    grew = exploding and symptoms.growth_factor(list(losses[: broken[0]]) if broken else losses) is not None
    yield Finding(
        "log-of-zero",
        line,
        {"warning": warned[0]["message"], "first_loss_that_is_no_number": broken[0] if broken else None},
        0.55 if grew else 0.9,
        f"line {line} takes the logarithm of 0: the loss becomes inf or nan, since an output reached 0 or 1 exactly.",
    )


def unrecognised(e: Evidence) -> Iterator[Finding]:
    """What the numbers alone tell when no network was recognised."""
    losses = e.losses
    factor = symptoms.growth_factor(losses) if losses else None
    if losses and (not np.isfinite(losses).all() or (factor is not None and losses[-1] > 10 * losses[0])):
        yield Finding(
            "learning-rate-too-high",
            0,
            {"growth_factor": factor, "last_loss": losses[-1]},
            0.5,
            f"the loss went from {losses[0]:.4g} to {losses[-1]:.4g}"
            + (f", by the factor {factor:.4g} each time." if factor else "."),
        )


def diverged(e: Evidence) -> Iterator[Finding]:
    """A loss that grows, or parameters that are no numbers any more: why, as far as an experiment shows."""
    if e.data is None:
        return
    x, _y = e.data
    with np.errstate(all="ignore"):
        losses = list(e.losses)
        finite = [v for v in losses if np.isfinite(v)]
        final = e.final_loss
        grew = (
            bool(finite)
            and len(finite) >= 2
            and max(finite[1:]) > 5 * max(finite[0], 1e-300)
            and finite[-1] > 2 * finite[0]
        )
        not_finite = not np.isfinite(final) or not all_finite(e.final)
        is_known = e.loss_kind is not None or bool(e.judgement.verdicts)  # else the script's loss is another one
        larger = (
            is_known and np.isfinite(final) and final > 5 * max(e.start_loss, 1e-300) and final > 1.5 * e.best_constant
        )
    if not (not_finite or larger or (grew and not e.trained)):
        return
    line, name, value = learning_rate_line(e)
    factor = symptoms.growth_factor(losses) if losses else None
    spread, ratio = scale_of_inputs(x)
    evidence: dict[str, Any] = {
        "learning_rate": value,
        "growth_factor": factor,
        "last_loss": losses[-1] if losses else final,
    }
    bound = _largest_rate(e, x)
    if bound is not None and e.rate:
        evidence |= {"largest_learning_rate": value * bound / e.rate}
    right = gradient_is_right(e)
    confidence = 0.9 if right else 0.6
    # Would standardised inputs do, at the same learning rate?
    if spread > 8 or (ratio > 30 and spread > 3):
        mean, std = x.mean(axis=0), x.std(axis=0)
        scaled = (x - mean) / np.where(std > 0, std, 1)
        experiment = e.experiment("the inputs standardised, at the same learning rate", x=scaled)
        if experiment is not None and (
            experiment.cured or (np.isfinite(experiment.after) and experiment.after < 0.5 * e.best_constant)
        ):
            experiment.cured = True
            yield Finding(
                "unscaled-data",
                line_of_inputs(e),
                evidence | {"spread": spread, "ratio": ratio},
                confidence + 0.02,
                f"the inputs are as large as {np.abs(x).max():.4g}, so the gradients are too, and the loss "
                f"{'grows until it is no number' if not_finite else 'grows'}.",
                experiment,
            )
            confidence -= 0.2
    if right or not e.judgement.verdicts:
        mean_factor = _sum_for_mean(e, value) if name else 0
        best = slower(e)
        words = (
            f"the loss grows by the factor {factor:.4g} each time"
            if factor
            else ("the loss becomes no number" if not_finite else "the loss grows")
        )
        limit = evidence.get("largest_learning_rate")
        if limit:
            named = name or "the learning rate"
            words += f"; this linear model converges below 2/λmax = {limit:.4g}, and {named} is {value:.4g}"
        if mean_factor:
            n = mean_factor
            experiment = e.experiment(f"the gradient divided by n = {n}", rate=(e.rate or 0) / n)
            if experiment is not None and experiment.cured:
                yield Finding(
                    "sum-versus-mean",
                    e.found.updates[0].line,
                    evidence | {"n": n},
                    confidence + 0.03,
                    f"the loss is a mean over {n} samples, the gradient their sum: each step is {n} times as long as "
                    f"the learning rate says, and {words}.",
                    experiment,
                )
        yield Finding("learning-rate-too-high", line, evidence, confidence, words + ".", best)


def _sum_for_mean(e: Evidence, rate: float) -> int:
    """n, if the script's loss is a mean and its step is made of the sum."""
    n = e.batch_size
    if n < 5 or not rate or e.rate is None or ("mean" not in e.loss_is and "/ n" not in e.loss_is):
        return 0
    return n if any(abs(e.rate / (rate * c) - 1) < 1e-4 for c in (1, 2)) else 0


def _largest_rate(e: Evidence, x: Array) -> float | None:
    """2/λmax for Σ ½ (ŷ − y)² of a batch, if the model is linear."""
    if len(e.activations) != 1 or e.activations[0] != "identity" or e.loss_kind == "cross-entropy":
        return None
    size = e.batch_size or len(x)
    x_tilde = np.column_stack([x[:size], np.ones(len(x[:size]))]) if e.found.model[0].b_t >= 0 else x[:size]
    return float(2 / np.linalg.eigvalsh(x_tilde.T @ x_tilde).max())
