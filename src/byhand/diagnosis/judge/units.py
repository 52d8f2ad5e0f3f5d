"""Units that can't learn: dead, saturated, all alike, hardly connected, without a bias, or without a bend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Finding
from byhand.diagnosis.judge.anatomy import Anatomy, Region
from byhand.diagnosis.judge.locate import place_of
from byhand.diagnosis.judge.outcome import (
    Outcome,
    body_of,
    call_of,
    ends,
    hidden_layers,
    output_layer,
    samples_of,
    slopes,
    units,
    where_set,
)
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, State
from byhand.diagnosis.judge.sight import Sight

_BENDS = {"where", "maximum", "tanh", "exp", "clip", "absolute", "sigmoid", "expit", "power", "square"}
_MOST = 0.5  # of the units, or of their values
_FLAT = 0.05  # of the largest slope
_STEEPEST = 100.0  # a slope above is a jump: a comparison, and no activation
_TINY = 0.02  # of the usual size of a start, one over the root of the number of inputs
_LEFT = 2e-6  # to the left of a corner


def dead_output(outcome: Outcome) -> Iterator[Finding]:
    """An output whose activation has no slope at any sample: no parameter before it can change."""
    sight = outcome.last
    body = body_of(sight)
    regions = output_layer(sight, body) if body else []
    if body is None or not regions:
        return
    z = np.concatenate([sight.value(r.z).ravel() for r in regions])
    if not len(z) or not (z <= 0).all() or (not (z < 0).all() and _changes(sight)):
        return
    for region in regions:
        slope = slopes(body, region, -_LEFT)
        if slope is None or slope.any():
            return
    seen = z[: _period(z)].tolist()
    told = [o.seeds for o in sight.course.roles.objectives if o.kind == "loss"]
    losses = [float(sight.value(t).ravel()[0]) for t in min(told, key=len, default=[])]
    losses = [sum(losses[: len(seen)])] if len(losses) == len(z) else losses[-1:]
    message = f"At every sample that was seen the output's activation gets a number that is 0 or less ({len(seen)} "
    message += f"{'number' if len(seen) == 1 else 'numbers'}, from {min(seen):.4g} to {max(seen):.4g}). "
    message += "It has no slope there: "
    message += "nothing is sent back, and no parameter changes."
    evidence: dict[str, object] = {"z": seen, "loss": losses[-1] if losses else None}
    yield Finding("dead-relu-output", call_of(sight, body, regions[0].a), "exact", message, evidence)


def dead_hidden(outcome: Outcome) -> Iterator[Finding]:
    """Most units of a layer have no slope at any sample."""
    sight = outcome.last
    body = body_of(sight)
    for regions in hidden_layers(sight, body) if body else ():
        assert body is not None
        z, slope = units(sight, [r.z for r in regions]), _slopes_of(sight, body, regions, -_LEFT)
        if z is None or slope is None:
            continue
        dead = ((z <= 0) & (slope == 0)).all(axis=0)
        if dead.mean() >= _MOST:
            message = (
                f"{int(dead.sum())} of {len(dead)} hidden units get a number that is 0 or less at every sample seen: "
            )
            message += "they have no slope, and learn nothing."
            evidence = {"dead": int(dead.sum()), "units": len(dead)}
            yield Finding("dead-relu-hidden", call_of(sight, body, regions[0].a), "symptom", message, evidence)


def saturated(outcome: Outcome) -> Iterator[Finding]:
    """Most values of a layer lie where its function is flat on both sides, in the first stretch already."""
    sight = outcome.first
    body = body_of(sight)
    if body is None:
        return
    for regions in sorted(body.regions.values(), key=lambda r: r[0].a):
        limits = ends(body, regions[0])
        if limits is None or not 0 < limits[1] - limits[0] < 10:
            continue
        found = [s for r in regions if (s := slopes(body, r)) is not None]
        slope = np.abs(np.concatenate([s.ravel() for s in found])) if found else np.zeros(0)
        steepest = _steepest(body, regions[0])
        flat = float((slope < _FLAT * steepest).mean()) if len(slope) and steepest else 0.0
        if flat >= _MOST and steepest < _STEEPEST:
            z = np.concatenate([sight.value(r.z).ravel() for r in regions])
            message = f"{flat:.0%} of the values that this activation gets lie where it is flat (at the median, "
            message += f"{np.median(np.abs(z)):.4g} away from 0): hardly any error passes."
            at = _start_of(sight, body, regions[0].z)
            place = call_of(sight, body, regions[0].a) if at is None else where_set(sight, at)
            yield Finding("saturated-units", place, "symptom", message, {"share": flat})


def equal_units(outcome: Outcome) -> Iterator[Finding]:
    """All units of a hidden layer are the same, at the start and at the end."""
    first = outcome.first
    start, end = body_of(first), body_of(outcome.last)
    if start is None or end is None:
        return
    alike_at_end = [_alike(outcome.last, [r.z for r in regions]) for regions in hidden_layers(outcome.last, end)]
    for k, regions in enumerate(hidden_layers(first, start)):
        if _alike(first, [r.z for r in regions]) and k < len(alike_at_end) and alike_at_end[k]:
            z, a = (units(first, nodes) for nodes in ([r.z for r in regions], [r.a for r in regions]))
            assert z is not None
            if a is not None and not a.any() and z.any():
                continue  # they are switched off, however they start
            message = f"The {z.shape[1]} hidden units start alike, "
            message += f"and at the end they are still the same unit {z.shape[1]} times."
            at = _start_of(first, start, regions[0].z)
            place = call_of(first, start, regions[0].a) if at is None else where_set(first, at)
            yield Finding("symmetric-initialization", place, "symptom", message, {"units": z.shape[1]})


def tiny_weights(outcome: Outcome) -> Iterator[Finding]:
    """Weights of more than one layer's width that start close to 0, each other than the next."""
    sight = outcome.first
    body = body_of(sight)
    weights = list(_weights(sight, body)) if body else []
    if len({state for _, state, _ in weights}) < 2:
        return  # one layer may start anywhere: its gradient does not go through it
    for _, state, w in weights:
        value = sight.value(w)
        if value.ndim < 1:
            continue
        size = float(np.sqrt((value**2).mean()))
        inputs = max(value.shape[0] if value.ndim == 1 else min(value.shape), 1)
        if value.size > 2 and 0 < size * np.sqrt(inputs) < _TINY and value.std() > 0:
            message = f"The weights {sight.name(state)} start at about {size:.3g}: what goes forward and back through "
            message += "them is multiplied by numbers near 0."
            yield Finding("tiny-initialization", where_set(sight, w), "symptom", message, {"size": size})


def only_linear(outcome: Outcome) -> Iterator[Finding]:
    """Two layers of weights or more, and no bend between them."""
    sight = outcome.first
    body = body_of(sight)
    if body is None or any(True for _ in hidden_layers(sight, body)):
        return
    most = max(sight.course.roles.rests_on[t].bit_count() for t in body.reached)
    if any(n.op in _BENDS and 0 < sight.course.roles.rests_on[t].bit_count() < most for t, n in enumerate(sight.nodes)):
        return
    if _is_switched(sight):
        return
    products = list(_weights(sight, body))
    chained = {s for _, s, _ in products}
    if len(chained) > 1 and any(sight.course.roles.rests_on[t].bit_count() > 2 for t, _, _ in products):
        message = (
            f"{len(chained)} layers of weights follow each other without an activation between them: together they "
        )
        message += "are one linear layer."
        yield Finding(
            "linear-collapse", place_of(sight.course, products[0][0]), "symptom", message, {"layers": len(chained)}
        )


def _is_switched(sight: Sight) -> bool:
    """Whether what rests on parameters at a place is a plain number at other times, as with `z if z > 0 else 0`."""
    rests: dict[object, set[bool]] = {}
    for node in sight.nodes:
        for position, a in enumerate(node.args if node.op == "multiply" and node.value.size == 1 else ()):
            rests.setdefault((node.site, position), set()).add(type(a) is int and sight.course.roles.rests_on[a] > 0)
    return any(len(found) > 1 for found in rests.values())


# -- the forward pass --------------------------------------------------------------------------------------------------


def _weights(sight: Sight, body: Anatomy) -> Iterator[tuple[NodeId, State, NodeId]]:
    """The first product with each parameter: the product, the parameter, and its version there."""
    seen: set[int] = set()
    for t in sorted(t for ts in body.products.values() for t in ts):
        for a in sight.nodes[t].parents():
            w = body.roles.root(a)
            state = sight.course.roles.versions.get(w)
            if state is not None and id(state) not in seen:
                seen.add(id(state))
                yield t, state, state.versions[0]


def _start_of(sight: Sight, body: Anatomy, z: NodeId) -> NodeId | None:
    """Where the weights of the last product before z were made, or the bias where it is the larger part of z."""
    for a in sight.nodes[z].parents() if sight.nodes[z].op == "add" else ():
        state = sight.course.roles.versions.get(body.roles.root(a))
        if state is not None and np.abs(sight.value(a)).mean() > 0.8 * np.abs(sight.value(z)).mean():
            return state.versions[0]
    products = [t for t, *_ in _weights(sight, body) if t <= z and sight.nodes[t].op in PRODUCTS | {"multiply"}]
    last = max(products, default=None)
    return next((state.versions[0] for t, state, _ in _weights(sight, body) if t == last), None)


def _alike(sight: Sight, nodes: list[NodeId]) -> bool:
    z = units(sight, nodes)
    return z is not None and z.shape[1] > 1 and bool(np.allclose(z, z[:, :1], rtol=1e-6, atol=1e-9))


def _slopes_of(sight: Sight, body: Anatomy, regions: Sequence[Region], shift: float) -> Array | None:
    rows = []
    for region in regions:
        slope = slopes(body, region, shift)
        z = sight.value(region.z)
        if slope is None:
            return None
        samples = samples_of(sight)
        if z.ndim < 2:
            slope = slope.reshape(1, -1)
        elif z.ndim == 2 and z.shape[0] != samples and (z.shape[1] == samples or z.shape[1] == 1):
            slope = slope.T
        rows.append(slope)
    return np.concatenate([row for row in rows if row.shape[1] == rows[0].shape[1]])


def _steepest(body: Anatomy, region: Region) -> float:
    """The largest slope around 0."""
    shape = body.nodes[region.z].value.shape
    return max(float(np.abs(body.slope(region, np.full(shape, x))).max()) for x in np.linspace(-4, 4, 41))


def _changes(sight: Sight) -> bool:
    return any(step.change.any() for s in sight.course.roles.states for step in sight.course.all_steps(s))


def _period(z: Array) -> int:
    """After how many numbers a series begins again."""
    return next((p for p in range(1, len(z)) if np.array_equal(z[p:], z[:-p])), len(z))
