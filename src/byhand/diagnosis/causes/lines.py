"""Where in the script things stand, and what it calls them: shared by all causes."""

from __future__ import annotations

import re

import numpy as np

from byhand._types import Array
from byhand.diagnosis.backward import TRUE_RULE
from byhand.diagnosis.variants import Place, gradients_of
from byhand.diagnosis.why_evidence import Evidence, Start
from byhand.diagnosis.why_gradients import Batch


def places_of(e: Evidence) -> list[Place]:
    """All parameters of the network, from the input on."""
    places: list[Place] = []
    for k, layer in enumerate(e.found.model):
        places.append((k, "W"))
        if layer.b_t >= 0:
            places.append((k, "b"))
    return places


def gradient_at_start(e: Evidence) -> dict[Place, Array] | None:
    """The true gradient in the first forward pass; None if its target is not known."""
    p = next(iter(e.passes), None)
    batch = Batch.of([p]) if p is not None else None
    if batch is None:
        return None
    loss = "cross-entropy" if e.loss_kind == "cross-entropy" else "squares"
    return gradients_of(TRUE_RULE, batch.as_pass(loss))


def name_of(e: Evidence, place: Place) -> str:
    """What the script calls a parameter."""
    return e.found.names.get(place) or f"{place[1]} of layer {place[0] + 1}"


def line_of_name(e: Evidence, place: Place) -> int:
    """The first line that gives a parameter's name a value; 0 if there is none."""
    name = name_of(e, place)
    for site in e.recording.sites:
        if site["kind"] == "assign" and site["name"] == name:
            return int(site["line"])
    return 0


def proportional(a: Array, b: Array) -> bool:
    """Whether one array is a multiple of the other, to a relative 1e-6."""
    if a.shape != b.shape or not a.any() or not b.any() or not np.isfinite(a).all():
        return False
    c = float((a * b).sum() / (b * b).sum())
    return bool(np.abs(a - c * b).max() <= 1e-6 * np.abs(a).max())


def in_loop(e: Evidence) -> bool:
    """Whether the forward passes run in a loop."""
    return any(e.recording.vec(p.start) for p in e.passes[:3])


def all_finite(parameters: Start) -> bool:
    """Whether every parameter is a number."""
    return all(np.isfinite(v).all() for v in [*parameters.W, *parameters.b])


def gradient_is_right(e: Evidence) -> bool:
    """Whether steps were judged, and all were right."""
    return bool(e.judgement.verdicts) and not any(v.ids for v in e.judgement.verdicts)


def scale_of_inputs(x: Array) -> tuple[float, float]:
    """The largest spread of a column, and the ratio of the largest to the smallest (of those that vary)."""
    size = np.sqrt(np.square(x).mean(axis=0))
    vary = size[np.ptp(x, axis=0) > 0]
    if not len(vary):
        return float(size.max(initial=0)), 1.0
    return float(vary.max()), float(vary.max() / vary.min())


def learning_rate_line(e: Evidence) -> tuple[int, str, float]:
    """The line that sets the learning rate, its name and its value: a number loaded in the updates."""
    r = e.recording
    counts: dict[tuple[str, float], int] = {}
    rate = e.rate or 0.0
    for update in e.found.updates[:40]:
        for t in range(max(0, update.t - 40), update.t):
            site = r.site(t)
            value = r.value(t)
            here = site["kind"] == "load" and site["line"] == update.line
            if here and value is not None and value.ndim == 0 and value > 0:
                key = (site["text"], float(value))
                counts[key] = counts.get(key, 0) + 1
    if not counts:
        match = re.search(
            r"^.*\b(lr|eta|alpha|learning_rate|rate|taux|lernrate|tasa|taxa)\w*\s*=\s*([\d.e+-]+)",
            r.source,
            re.M | re.I,
        )
        if match:
            return r.source[: match.start()].count("\n") + 1, match.group(1), float(match.group(2))
        return (e.found.updates[0].line if e.found.updates else 0), "", rate
    name, number = max(
        counts,
        key=lambda k: (bool(re.search(r"lr|rate|eta|alpha|taux|tasa|taxa|schritt|pas\b", k[0], re.I)), counts[k]),
    )
    tail = name.rsplit(".", 1)[-1]
    for match in re.finditer(rf"\b{re.escape(tail)}\s*(?::\s*\w+\s*)?=\s*(-?[\d._]+(?:e[+-]?\d+)?)", r.source, re.I):
        if abs(float(match.group(1).replace("_", "")) - number) <= 1e-12 * number:
            return r.source[: match.start()].count("\n") + 1, name, number
    return e.found.updates[0].line, name, number


def line_of_inputs(e: Evidence) -> int:
    """The line that makes the inputs of the first layer."""
    r = e.recording
    value = r.value_id(e.found.model[0].x_t)
    for t in range(r.end):
        if r.value_id(t) == value and r.site(t)["kind"] == "assign":
            return r.at(t)
    name = ""
    t = e.found.model[0].x_t
    for _ in range(6):
        if r.site(t)["kind"] == "load":
            name = r.site(t)["text"]
            break
        operands = [o for o in r.operands[t] if o >= 0]
        if not operands:
            break
        t = operands[0]
    for site in r.sites:
        if site["kind"] == "assign" and site["name"] == name:
            return int(site["line"])
    return r.at(e.found.model[0].t)


def line_of_loop(e: Evidence) -> int:
    """The line of the outermost loop round the updates; 0 if there is none."""
    r = e.recording
    if not e.found.updates:
        return 0
    vec = list(r.vec(e.found.updates[0].t))
    return int(r.info["loops"][vec[0]]["line"]) if vec and vec[0] >= 0 else 0
