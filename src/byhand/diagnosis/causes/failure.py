"""Why a training fails although every step is right: the rules of `symptoms`, each with its experiment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from byhand import symptoms
from byhand._types import Array
from byhand.diagnosis.causes.lines import (
    gradient_is_right,
    learning_rate_line,
    line_of_inputs,
    line_of_loop,
    line_of_name,
    scale_of_inputs,
)
from byhand.diagnosis.causes.trials import another_seed, linear_output, random_start, slower, with_tanh
from byhand.diagnosis.why_evidence import Evidence, Start
from byhand.diagnosis.why_report import Experiment, Finding


@dataclass
class _Failed:
    """A training that failed: what its layers gave at the start and at the end, on all samples."""

    e: Evidence
    x: Array
    y: Array
    start_z: list[Array]
    end_z: list[Array]
    base: float  # confidence: lower beside a wrong gradient

    @property
    def names(self) -> list[str]:
        return self.e.activations

    @property
    def last(self) -> int:
        return len(self.names) - 1

    def line(self, layer: int) -> int:
        return self.e.recording.at(self.e.found.model[layer].t_a)

    def standardised(self) -> Array:
        std = self.x.std(axis=0)
        return (self.x - self.x.mean(axis=0)) / np.where(std > 0, std, 1)


def failures(e: Evidence) -> Iterator[Finding]:
    """The rules of `symptoms`, asked only when the training failed."""
    if e.data is None or e.trained or len(e.passes) < 2:
        return
    x, y = e.data
    start_z, start_a = e.outputs(e.start, x)
    end_z, end_a = e.outputs(e.final, x)
    if not np.isfinite(end_a[-1]).all() and not np.isfinite(start_a[-1]).all():
        return
    right = gradient_is_right(e) or not e.judgement.verdicts
    failed = _Failed(e, x, y, start_z, end_z, 0.85 if right else 0.5)
    is_known = e.loss_kind is not None or bool(e.judgement.verdicts) or not e.judgement.unexplained
    if is_known:
        yield from _target_outside_range(failed)
    if not np.isfinite(end_a[-1]).all():
        return
    for settles in (_dead_output, _dead_hidden, _symmetric):
        found = list(settles(failed))
        yield from found
        if found and settles is not _dead_hidden:
            return
    if not is_known:
        return  # the script's loss is one that is not known here: it may well have trained
    for rule in (_tiny, _linear_collapse, _saturated, _bias_missing, _unscaled, _too_few, _restless):
        yield from rule(failed)


def is_dead(e: Evidence) -> bool:
    """Whether the output, or half of a hidden layer, is dead in the end."""
    if e.data is None:
        return False
    z, _ = e.outputs(e.final, e.data[0])
    relu = [k for k, name in enumerate(e.activations) if name == "relu"]
    # a z that is barely above 0 is so by rounding
    return any(symptoms.dead_units(z[k] - 1e-9).mean() >= (1 if k == len(z) - 1 else 0.5) for k in relu)


def _target_outside_range(f: _Failed) -> Iterator[Finding]:
    activation = f.names[f.last]
    outside = symptoms.outside_range(f.y, activation)
    if not outside.any() or f.e.loss_kind == "cross-entropy":
        return
    low, high = symptoms.RANGES[activation]
    share = float(outside.mean())
    yield Finding(
        "target-outside-range",
        f.line(f.last),
        {"share": share, "lowest_target": float(f.y.min()), "highest_target": float(f.y.max())},
        f.base + 0.06,
        f"{share:.0%} of the targets (from {f.y.min():.4g} to {f.y.max():.4g}) lie outside what {activation} can "
        f"give, {low:.4g} to {high:.4g}.",
        linear_output(f.e),
    )


def _dead_output(f: _Failed) -> Iterator[Finding]:
    if f.names[f.last] != "relu" or not symptoms.dead_units(f.end_z[f.last]).all():
        return
    loss = f.e.losses[-1] if f.e.losses else f.e.final_loss
    yield Finding(
        "dead-relu-output",
        f.line(f.last),
        {"largest_z": float(f.end_z[f.last].max()), "loss": loss},
        0.97 if symptoms.dead_units(f.start_z[f.last]).all() else 0.9,  # one that died may have been killed
        f"the output unit is dead: z ≤ 0 on every sample, so ŷ = 0, and every gradient is exactly 0. "
        f"The loss stays at {loss:.6g}.",
        another_seed(f.e),
    )


def _dead_hidden(f: _Failed) -> Iterator[Finding]:
    for k in range(f.last):
        dead = symptoms.dead_units(f.end_z[k])
        if f.names[k] != "relu" or dead.mean() < 0.5:
            continue
        at_start = float(symptoms.dead_units(f.start_z[k]).mean())
        yield Finding(
            "dead-relu-hidden",
            f.line(k),
            {"n_dead": int(dead.sum()), "n_units": len(dead), "share_at_the_start": at_start},
            # units that died in the training were killed by something
            f.base + (0.05 + 0.04 * bool(dead.all()) if at_start >= 0.5 else 0.02),
            f"{int(dead.sum())} of {len(dead)} hidden units of layer {k + 1} are dead: z ≤ 0 on every sample, so "
            f"their gradient is exactly 0 ({at_start:.0%} of them from the start).",
            another_seed(f.e),
        )


def _symmetric(f: _Failed) -> Iterator[Finding]:
    e = f.e
    for k in range(f.last):
        n_units = len(e.final.W[k])
        groups = symptoms.identical_units(e.final.W[k], e.final.b[k], e.final.W[k + 1].T)
        largest = max((len(g) for g in groups), default=0)
        if largest >= max(2, 0.5 * n_units):
            yield Finding(
                "symmetric-initialization",
                line_of_name(e, (k, "W")) or f.line(k),
                {"n_identical": largest, "n_units": n_units},
                f.base + 0.09,
                f"{largest} of {n_units} hidden units of layer {k + 1} are copies of each other at the end: they "
                "started with the same weights, so they got the same gradients.",
                random_start(e),
            )
            return
    if f.last >= 1 and all(not W.any() for W in e.start.W):
        yield Finding(
            "symmetric-initialization",
            line_of_name(e, (0, "W")) or f.line(0),
            {"all_zero": True},
            f.base + 0.09,
            "all weights start at 0, so nothing is sent back and all units stay alike.",
            random_start(e),
        )


def _tiny(f: _Failed) -> Iterator[Finding]:
    e = f.e
    scales = [float(np.sqrt(np.square(W).mean() * W.shape[1])) for W in e.start.W]
    if f.last < 1 or max(scales) >= 0.05 or not symptoms.is_at_constant(e.final_loss, e.best_constant):
        return
    experiment = random_start(e)
    if max(scales) < 0.01 or experiment is None or experiment.cured or experiment.after < 0.9 * e.final_loss:
        yield Finding(
            "tiny-initialization",
            line_of_name(e, (0, "W")) or f.line(0),
            {"scales": scales},
            f.base + 0.06,
            f"the weights start so small (√n_in times their root mean square: {scales[0]:.1e}; about 1 is usual) "
            "that all samples look alike, and the loss stays at the best constant's.",
            experiment,
        )


def _linear_collapse(f: _Failed) -> Iterator[Finding]:
    tiny = max(float(np.abs(z).max(initial=0)) for z in f.start_z) < 0.01  # too small to tell tanh from none
    if f.last < 1 or tiny or any(name != "identity" for name in f.names[:-1]):
        return
    affine = symptoms.affine_r2(f.x, f.end_z[f.last])
    experiment = with_tanh(f.e)
    if experiment is None or experiment.cured or experiment.after < 0.8 * f.e.final_loss:
        yield Finding(
            "linear-collapse",
            f.line(0),
            {"r2": affine},
            f.base + 0.07,
            f"no activation function stands between the {f.last + 1} layers, so they are one linear function "
            f"(R² of the best affine function: {affine:.6g}).",
            experiment,
        )


def _saturated(f: _Failed) -> Iterator[Finding]:
    for k in range(f.last + 1):
        if f.names[k] in ("sigmoid", "tanh") and symptoms.saturated_units(f.end_z[k]).mean() >= 0.5:
            at_start = symptoms.saturated_units(f.start_z[k]).mean() >= 0.5
            yield from (_saturated_from_the_start if at_start else _driven_into_saturation)(f, k)
            return


def _saturated_from_the_start(f: _Failed, k: int) -> Iterator[Finding]:
    e = f.e
    now, before = symptoms.saturated_units(f.end_z[k]), symptoms.saturated_units(f.start_z[k])
    spread, ratio = scale_of_inputs(f.x)
    if spread > 8 and k == 0:
        experiment = e.experiment("the inputs standardised", x=f.standardised())
        if experiment is None or experiment.cured or experiment.after < 0.7 * e.final_loss:
            yield Finding(
                "unscaled-data",
                line_of_inputs(e),
                {"spread": spread, "ratio": ratio},
                f.base + 0.08,
                f"the inputs are as large as {np.abs(f.x).max():.4g}, so the units of layer {k + 1} are saturated "
                "from the start.",
                experiment,
            )
    small = Start([W / max(1.0, np.abs(W).max()) for W in e.start.W], [b * 0 for b in e.start.b])
    yield Finding(
        "saturated-units",
        line_of_name(e, (k, "W")) or f.line(k),
        {"share_of_units": float(now.mean()), "share_at_the_start": float(before.mean())},
        f.base + 0.05,
        f"{now.mean():.0%} of the units of layer {k + 1} are saturated (|z| ≥ 5 on most samples), from the start on, "
        "so hardly any gradient passes.",
        e.experiment("smaller weights at the start", parameters=small),
    )


def _driven_into_saturation(f: _Failed, k: int) -> Iterator[Finding]:
    e = f.e
    experiment = slower(e)
    if experiment is not None and experiment.cured:
        spread, _ = scale_of_inputs(f.x)
        other = e.experiment("the inputs standardised", x=f.standardised()) if spread > 8 else None
        if other is not None and other.cured:
            yield Finding(
                "unscaled-data",
                line_of_inputs(e),
                {"spread": spread},
                f.base + 0.06,
                f"the inputs are as large as {np.abs(f.x).max():.4g}; the steps are, too, and the units of layer "
                f"{k + 1} end up saturated.",
                other,
            )
        line, _, value = learning_rate_line(e)
        yield Finding(
            "learning-rate-too-high",
            line,
            {"learning_rate": value},
            f.base + 0.04,
            f"the first steps are so long that the units of layer {k + 1} end up saturated.",
            experiment,
        )
    share = float(symptoms.saturated_units(f.end_z[k]).mean())
    yield Finding(
        "saturated-units",
        f.line(k),
        {"share_of_units": share},
        f.base + 0.01,
        f"{share:.0%} of the units of layer {k + 1} end up saturated (|z| ≥ 5 on most samples) while the loss is "
        f"still {e.final_loss:.4g}.",
    )


def _restless(f: _Failed) -> Iterator[Finding]:
    """The loss neither falls nor blows up: it jumps about."""
    e = f.e
    losses = np.array([v for v in e.losses if np.isfinite(v)])
    if len(losses) < 20 or e.rate is None:
        return
    tail = losses[len(losses) // 2 :]
    ups = float((np.diff(tail) > 1e-12 * np.abs(tail[:-1])).mean())
    if not (ups > 0.15 and np.ptp(tail) > 0.02 * abs(tail.mean())):
        return
    experiment = slower(e)
    if experiment is not None and experiment.cured:
        line, _, value = learning_rate_line(e)
        yield Finding(
            "learning-rate-too-high",
            line,
            {"learning_rate": value, "share_of_rises": ups},
            f.base + 0.02,
            f"the loss jumps about instead of falling: it rises in {ups:.0%} of the rounds.",
            experiment,
        )


def _bias_missing(f: _Failed) -> Iterator[Finding]:
    e = f.e
    without = [k for k, layer in enumerate(e.found.model) if layer.b_t < 0]
    if not without:
        return
    if any(np.ptp(column) == 0 and column[0] != 0 for column in f.x.T):
        return  # a column of ones is the bias
    with_bias = e.experiment("a bias in every layer") or _with_an_intercept(f)
    if with_bias is not None and (with_bias.cured or with_bias.after < 0.7 * e.final_loss):
        k = without[0]
        yield Finding(
            "bias-missing",
            e.recording.at(e.found.model[k].t),
            {"layers": [k + 1 for k in without]},
            f.base + 0.05,
            f"layer{'s' if len(without) > 1 else ''} {', '.join(str(k + 1) for k in without)} "
            f"ha{'ve' if len(without) > 1 else 's'} no bias in the forward pass, so "
            "every unit's boundary goes through the origin.",
            with_bias,
        )


def _with_an_intercept(f: _Failed) -> Experiment | None:
    """The best that a linear model with a bias can do, by least squares; None for another model."""
    if f.names != ["identity"] or f.e.loss_kind == "cross-entropy":
        return None
    x_tilde = np.column_stack([f.x, np.ones(len(f.x))])
    best = f.e.loss_of(x_tilde @ np.linalg.lstsq(x_tilde, f.y, rcond=None)[0], f.y)
    return Experiment("a bias, by least squares", f.e.final_loss, best, best < 0.5 * f.e.final_loss)


def _unscaled(f: _Failed) -> Iterator[Finding]:
    e = f.e
    spread, ratio = scale_of_inputs(f.x)
    if spread <= 8 and ratio <= 30:
        return
    experiment = e.experiment("the inputs standardised", x=f.standardised())
    if experiment is not None and (experiment.cured or experiment.after < 0.5 * e.final_loss):
        yield Finding(
            "unscaled-data",
            line_of_inputs(e),
            {"spread": spread, "ratio": ratio},
            f.base + 0.05,
            f"the inputs' columns are of sizes up to {spread:.4g}, the largest {ratio:.4g} times the smallest: one "
            "learning rate does not fit all.",
            experiment,
        )


def _too_few(f: _Failed) -> Iterator[Finding]:
    e = f.e
    if e.rate is None or not gradient_is_right(e):
        return
    if not e.final_loss < 0.999 * e.start_loss and e.n_steps > 300:
        return
    steps_ = e.n_steps
    more = e.simulate(parameters=e.final, steps=max(10 * steps_, 200))
    if more is None:
        return
    losses, y_hat = more
    longer = e.is_good(y_hat, f.y) or losses[-1] < 0.5 * e.final_loss
    if not longer or not losses[-1] < e.final_loss:
        return
    times = 10 if steps_ >= 20 else 200 / max(steps_, 1)
    yield Finding(
        "too-few-epochs",
        line_of_loop(e),
        {"steps": steps_, "loss": e.final_loss, "loss_later": losses[-1]},
        f.base + 0.02,
        f"the loss is still falling when the training ends after {steps_} steps.",
        Experiment(f"{times:.0f} times as many steps more", e.final_loss, losses[-1], e.is_good(y_hat, f.y), losses),
    )
