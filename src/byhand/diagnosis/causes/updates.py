"""Whether the steps arrive: parameters that never change, updates outside the loop."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from byhand._types import Array
from byhand.diagnosis.causes.lines import gradient_at_start, in_loop, line_of_name, name_of, places_of, proportional
from byhand.diagnosis.variants import Place
from byhand.diagnosis.why_evidence import Evidence
from byhand.diagnosis.why_gradients import steps
from byhand.diagnosis.why_report import Finding


def never_updated(e: Evidence) -> Iterator[Finding]:
    """Parameters that are the same in the first forward pass and in the last, though their gradient is not 0."""
    r = e.recording
    if len(e.passes) < 3:
        return
    touched = {u.place: u.line for u in e.found.updates if (u.after != u.before).any()}
    places = places_of(e)
    first, last = e.passes[0], e.passes[-1]

    def same(place: Place) -> bool:
        k, kind = place
        a, b = first.layers[k], last.layers[k]
        return np.array_equal(a.W, b.W) if kind == "W" else np.array_equal(a.b, b.b)

    still = [place for place in places if same(place)]
    if len(still) == len(places):  # else a step of one that stays the same was taken, and does not arrive
        still = [place for place in still if place not in touched]
    gradient = gradient_at_start(e)
    if gradient is None or not still:
        return
    still = [place for place in still if np.abs(gradient[place]).max(initial=0) > 1e-12]
    if not still or not any((p.start, p.end) for p in e.passes):
        return
    if len(still) == len(places):
        if _outside(e):
            return
        if not in_loop(e):
            return
        line = _update_that_does_not_arrive(e)
        if line or _computes_gradient(e, still):
            yield Finding(
                "parameter-never-updated",
                line or r.at(e.passes[-1].start),
                {"parameters": [name_of(e, p) for p in still]},
                0.9,
                "no parameter ever changes: the forward pass uses the same numbers from the first round to the last"
                + (f", since what line {line} makes never reaches it." if line else "."),
            )
        return
    computed = [place for place in still if _was_computed(e, place, gradient[place])]
    names = [name_of(e, place) for place in computed or still]
    # A whole layer that is left alone may be meant so (random features); half a layer is not.
    half = [place for place in still if (place[0], "b" if place[1] == "W" else "W") in touched]
    computed = computed or half
    lost = [place for place in still if place in touched]
    if lost:
        line = touched[lost[0]]
        yield Finding(
            "parameter-never-updated",
            line,
            {"parameters": [name_of(e, place) for place in lost], "step": line},
            0.93,
            f"line {line} takes a step of {' and '.join(name_of(e, place) for place in lost)} that never arrives: the "
            "first forward pass and the last use the same numbers.",
        )
    elif computed or not e.trained:
        line = _line_of_gradient(e, (computed or still)[0], gradient) or line_of_name(e, (computed or still)[0])
        yield Finding(
            "parameter-never-updated",
            line,
            {"parameters": names},
            0.93 if computed else 0.8,
            f"nothing changes {' and '.join(names)}: the same numbers in the first forward pass and in the last, "
            "though the gradient is not 0.",
        )


def _line_of_gradient(e: Evidence, place: Place, gradient: dict[Place, Array]) -> int:
    r = e.recording
    p = e.passes[0]
    layer = p.layers[place[0]]
    for t in range(p.end, min(p.end + 400, r.end)):
        value = r.value(t)
        if value is None or value.size != gradient[place].size or r.site(t)["kind"] != "assign":
            continue
        shaped = layer.as_W(value) if place[1] == "W" else value.reshape(-1)
        if proportional(shaped, gradient[place]):
            return r.at(t)
    return 0


def _was_computed(e: Evidence, place: Place, gradient: Array) -> bool:
    r = e.recording
    p = e.passes[0]
    layer = p.layers[place[0]]
    if gradient.size < 2:
        return False
    end = e.passes[1].start if len(e.passes) > 1 and len(p.y if p.y is not None else ()) > 1 else r.end
    for t in range(p.end, min(max(end, p.end + 50), p.end + 600, r.end)):
        value = r.value(t)
        if value is None or value.size != gradient.size:
            continue
        shaped = layer.as_W(value) if place[1] == "W" else value.reshape(-1)
        if proportional(shaped, gradient):
            return True
    return False


def _computes_gradient(e: Evidence, places: list[Place]) -> bool:
    gradient = gradient_at_start(e)
    return gradient is not None and any(_was_computed(e, place, gradient[place]) for place in places)


def _update_that_does_not_arrive(e: Evidence) -> int:
    """A line that subtracts from a parameter, the result of which no forward pass uses."""
    r = e.recording
    weights = {r.value_id(layer.W_t) for layer in e.found.model} | {
        r.value_id(layer.b_t) for layer in e.found.model if layer.b_t >= 0
    }
    start = e.passes[0].end
    for t in range(start, r.end):
        site = r.site(t)
        if site["kind"] in ("op",) and site["op"] in ("Sub", "Add"):
            operands = [o for o in r.operands[t] if o >= 0]
            if operands and r.value_id(operands[0]) in weights and r.shape(t) == r.shape(operands[0]):
                return r.at(t)
    return 0


def _outside(e: Evidence) -> int:
    """The line of the update, if it comes after the loop of the forward passes and not in it."""
    r = e.recording
    updates = e.found.updates
    in_loop = [p for p in e.passes if r.vec(p.start)]
    if not updates or len(in_loop) < 3:
        return 0
    first_update = min(u.t for u in updates)
    before = [p for p in in_loop if p.end < first_update]
    if len(before) < 3:
        return 0
    loops_of_forward = set(r.vec(before[0].start))
    loops_of_update = set(r.vec(first_update))
    if loops_of_update:
        return 0
    rounds = {tuple(sorted(r.vec(p.start).items())) for p in before}
    repeated = len({p.layers[0].x.tobytes() for p in before}) < len(before)
    return r.at(first_update) if loops_of_forward and len(rounds) >= 3 and repeated else 0


def updates_outside_loop(e: Evidence) -> Iterator[Finding]:
    """Updates that stand after the loop of the forward passes."""
    line = _outside(e)
    if line:
        yield Finding(
            "update-outside-loop",
            line,
            {"steps": len(steps(e.found))},
            0.95,
            f"the update at line {line} stands outside the loop: many forward passes, and only one step.",
        )
        return
    yield from _outside_the_samples(e)
    r = e.recording
    # Unrecognised as an update, because nothing used its result any more.
    if e.found.updates or len(e.passes) < 3 or not in_loop(e):
        return
    weights = {r.value_id(layer.W_t): k for k, layer in enumerate(e.found.model)}
    last = max(p.end for p in e.passes if r.vec(p.start))
    for t in range(last, r.end):
        site = r.site(t)
        makes = (site["kind"] == "augassign" and site.get("op") in ("Sub", "Add")) or (
            site["kind"] == "op" and site["op"] in ("Sub", "Add")
        )
        if not makes or r.vec(t):
            continue
        operands = [o for o in r.operands[t] if o >= 0]
        names = {name_of(e, place) for place in places_of(e)}
        hits = site["kind"] == "augassign" and site["name"] in names
        hits = hits or any(r.value_id(o) in weights for o in operands[:1])
        if hits:
            yield Finding(
                "update-outside-loop",
                r.at(t),
                {"steps": 1},
                0.95,
                f"the update at line {r.at(t)} stands after the loop: the parameters change once, at the very end.",
            )
            return


def _outside_the_samples(e: Evidence) -> Iterator[Finding]:
    """A step after a loop over the samples, made from the last sample alone."""
    r = e.recording
    hits = 0
    for v in e.judgement.verdicts:
        inner = set(r.vec(v.batch.start)) - set(r.vec(v.step.start))
        others = {p.layers[0].x.tobytes() for p in v.step.fresh if inner <= set(r.vec(p.start))}
        hits += bool(inner and not v.ids and not v.stale and len(v.batch.x) == 1 and len(others) > 2)
    if hits and hits == len(e.judgement.verdicts):
        number = min(update.line for update in e.judgement.verdicts[0].step.updates.values())
        yield Finding(
            "update-outside-loop",
            number,
            {"steps_that_match": hits},
            0.94,
            f"the update at line {number} stands after the loop over the samples: each step is made from the last "
            "sample alone.",
        )
