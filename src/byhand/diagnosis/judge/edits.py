"""What a gradient becomes when one mistake is made in it: each edit replaces the derivative at all nodes of one layer.

An edit is no guess at what the program does: the whole gradient is computed with it, and it is believed only when the
program's own steps equal that gradient. The order is the order in which equal explanations are preferred.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byhand import activations
from byhand._types import Array
from byhand.diagnosis.judge.anatomy import Anatomy, Layer, Region
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId
from byhand.diagnosis.judge.steps import Overrides, Rule
from byhand.diagnosis.tape.derive import RULES, Unknown, vjp
from byhand.diagnosis.tape.nodes import Node

_NEAR = 4000  # nodes behind a product in which what is sent back to it is looked for
_MOST_PLACES = 12
_WIDEST = 40  # nodes of a function
_FAR = 100.0  # where an activation that has bounds is at them
_MOST_FORKS, _MOST_WAYS = 16, 5
_TIMES = 3  # reads in one pass that are steps of time


@dataclass(frozen=True)
class Edit:
    """One mistake in a gradient.

    Attributes
    ----------
    id : str
        The mistake in the catalogue.
    at : int
        The node of the forward pass at which it is made.
    overrides : dict
        The derivative's rules with it.
    seeds : tuple of int or None
        The nodes of the objective that count with it; None for all.
    detail : dict
        What more is known of it.
    """

    id: str
    at: NodeId
    overrides: Overrides
    seeds: tuple[NodeId, ...] | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def edits(body: Anatomy, seeds: Sequence[NodeId]) -> Iterator[Edit]:
    """All edits that the forward pass has a place for, and those of what counts of an objective's seeds."""
    for family in (
        _left_out,
        _without_mask,
        _without_factor,
        _sent_to_all,
        _taken_twice,
        _other_version,
        _other_slope,
        _other_activation,
        _other_layers_slope,
        _summed_up,
        _transposed,
        _turned_round,
        _other_operand,
        _raw_error,
        _bias_part,
        _one_sample,
        _other_penalty,
        _other_than_a_penalty,
        _rows_once,
        _ways_left_out,
        _times_left_out,
    ):
        yield from family(body)
    yield from some_seeds(body, seeds)


def link(body: Anatomy, errors: Sequence[NodeId]) -> Overrides:
    """The output's activation left out: what an error is as the delta, as with a cross-entropy of its own link."""
    outputs = {body.roles.unturned(a) for t in errors for a in body.nodes[t].parents()}
    ends = [r for regions in body.regions.values() for r in regions if r.a in outputs]
    ends = ends or [r for a in outputs if body.roles.rests_on[a] and (r := body.region_to(a)) and _is_a_step(body, r)]
    ends = ends or [r for a in outputs if body.roles.rests_on[a] and (r := body.region_of_a_parameter(a)) is not None]
    return _to_z(body, ends or ([] if body.output is None else body.regions[body.output]))


# -- rules -------------------------------------------------------------------------------------------------------------


def _passed(nodes: Sequence[Node], t: NodeId, cotangents: Sequence[Array | None]) -> list[tuple[NodeId, Array]]:
    return [(a, g) for a, g in zip(nodes[t].args, cotangents, strict=True) if type(a) is int and g is not None]


def _with_operand(nodes: Sequence[Node], t: NodeId, position: int, value: Array) -> Rule:
    """The derivative of node t as if one of its arguments had been another value."""
    return lambda g: _passed(nodes, t, vjp(nodes, t, g, {position: value}))


def _times(z: NodeId, slope: Array | float) -> Rule:
    return lambda g: [(z, g * slope)]


def _to_z(body: Anatomy, regions: Iterable[Region]) -> dict[NodeId, Rule]:
    """Activations without their slopes, but for the sign: 1 / (1 + exp(-x @ w)) falls with what exp is given."""
    return {r.a: _times(r.z, _direction(body, r)) for r in regions}


def _direction(body: Anatomy, region: Region) -> float:
    """-1 for an activation that falls everywhere, else 1."""
    if not body.is_elementwise(region):
        return 1.0
    slopes = body.slope(region, body.nodes[region.z].value)
    if not slopes.any():
        ones = np.ones_like(body.nodes[region.z].value, dtype=float)
        slopes = body.replay(region, _FAR * ones) - body.replay(region, -_FAR * ones)
    return -1.0 if (slopes <= 0).all() and slopes.any() else 1.0


def _is_a_step(body: Anatomy, region: Region) -> bool:
    """Whether an activation has a value below a threshold and one above, as a perceptron's: it has no slope to use."""
    if not body.is_elementwise(region):
        return False
    z = body.nodes[region.z].value
    values = [body.replay(region, np.full(z.shape, x)) for x in (-_FAR, _FAR)]
    at_hand = body.replay(region, z.astype(float))
    return not np.array_equal(values[0], values[1]) and bool(np.logical_or(*(at_hand == v for v in values)).all())


# -- activations -------------------------------------------------------------------------------------------------------


def where(body: Anatomy, layer: Layer) -> str:
    """An output's activation has no product with a parameter behind it."""
    a = body.regions[layer][0].a
    behind = [ts[0] for ts in body.products.values() if ts[0] > a]
    weights = [x for t in behind for x in body.nodes[t].parents() if body.roles.root(x) in body.roles.versions]
    return "output" if layer == body.output or not weights else "hidden"


def _left_out(body: Anatomy) -> Iterator[Edit]:
    for layer, regions in body.regions.items():
        of = where(body, layer)
        yield Edit(f"{of}-derivative-missing", regions[0].a, _to_z(body, regions), detail={"layer": of})
    hidden = [r for layer, regions in body.regions.items() if layer != body.output for r in regions]
    if len(body.regions) > 2:
        yield Edit("hidden-derivative-missing", hidden[0].a, _to_z(body, hidden), detail={"layer": "all hidden"})


def _without_mask(body: Anatomy) -> Iterator[Edit]:
    """Values dropped on the way forward, each kept one scaled alike, and sent back as if none, or others, had been."""
    dropped: dict[Layer, dict[NodeId, tuple[NodeId, NodeId]]] = defaultdict(dict)
    for t in body.reached:
        node = body.nodes[t]
        whole = [a for a in node.parents() if body.nodes[a].value.shape == node.value.shape]
        kept = [a for a in whole if body.roles.rests_on[a]]
        masks = [a for a in whole if not body.roles.rests_on[a] and drops(body.nodes[a].value)]
        if node.op == "multiply" and node.value.size > 1 and len(kept) == len(masks) == 1:
            dropped[body.layer(t)][t] = kept[0], masks[0]
    for places in dropped.values():
        rules = {t: _times(kept, 1.0) for t, (kept, _) in places.items()}
        yield Edit("mask-missing", min(rules), rules)
        others = {t: m for t, (_, mask) in places.items() if (m := _other_mask(body, t, mask)) is not None}
        if others:
            rules = {t: _times(places[t][0], body.nodes[m].value) for t, m in others.items()}
            yield Edit("mask-drawn-anew", min(rules), rules, detail={"at": min(others.values())})


def _without_factor(body: Anatomy) -> Iterator[Edit]:
    """What comes back to one of two values that were multiplied, number by number, without the other, as a gate."""
    products: dict[Layer, list[NodeId]] = defaultdict(list)
    for t in body.reached:
        node = body.nodes[t]
        factors = [a for a in node.args if type(a) is int and body.roles.rests_on[a] and a not in body.roles.versions]
        is_each_by_each = all(body.nodes[a].value.shape == node.value.shape for a in factors)
        if node.op == "multiply" and len(set(factors)) == 2 and node.value.size > 1 and is_each_by_each:
            products[body.layer(t)].append(t)
    for places in products.values():
        for position in (0, 1):
            ones = {t: np.ones_like(body.nodes[t].value, dtype=float) for t in places}
            rules = {t: _with_operand(body.nodes, t, 1 - position, ones[t]) for t in places}
            yield Edit("mask-missing", places[0], rules, detail={"gate": position})


def _sent_to_all(body: Anatomy) -> Iterator[Edit]:
    """What belongs to the largest of some numbers, as of pooling, sent back to all of them, or shared by all."""
    chosen: dict[Layer, list[NodeId]] = defaultdict(list)
    for t in (t for t in body.reached if body.nodes[t].op in ("max", "min")):
        if body.nodes[t].value.size < body.nodes[body.nodes[t].parents()[0]].value.size:
            chosen[body.layer(t)].append(t)
    for places in chosen.values():
        for op in ("sum", "mean"):
            yield Edit("mask-missing", places[0], {t: _as(body, t, op) for t in places}, detail={"chosen": op})


def _as(body: Anatomy, t: NodeId, op: str) -> Rule:
    """The derivative of another reduction over the same axes."""
    node, a = body.nodes[t], body.nodes[body.nodes[t].parents()[0]].value
    return lambda g: _passed(body.nodes, t, RULES[op](g, node.value, a, **node.kw))


def _other_mask(body: Anatomy, t: NodeId, mask: NodeId) -> NodeId | None:
    """What drops values in the backward pass, and not those that the forward pass has dropped."""
    own = body.nodes[mask].value
    for x in range(t + 1, min(body.limit, t + _NEAR)):
        for a in body.nodes[x].parents() if body.nodes[x].op == "multiply" and _is_backward(body, x) else ():
            value = body.nodes[a].value
            if a > t and value.shape == own.shape and drops(value) and not np.array_equal(value != 0, own != 0):
                return a
    return None


def drops(mask: Array) -> bool:
    """Whether an array holds 0 and one other number, as dropout's mask does."""
    kept = mask[mask != 0]
    return 0 < kept.size < mask.size and bool((kept == kept[0]).all())


def _taken_twice(body: Anatomy) -> Iterator[Edit]:
    """The slope of an activation once more than the chain has it, as behind an error that already is the delta."""
    for layer, regions in body.regions.items():
        if all(body.is_elementwise(r) for r in regions):
            rules = {r.a: _times(r.z, body.slope(r, body.nodes[r.z].value) ** 2) for r in regions}
            yield Edit("derivative-twice", regions[0].a, rules, detail={"layer": where(body, layer)})


def _other_slope(body: Anatomy) -> Iterator[Edit]:
    """f' at a in place of z, a form for a at z, or f' at z without its bias."""
    everywhere: dict[NodeId, Rule] = {}
    for layer, regions in body.regions.items():
        detail = {"layer": where(body, layer)}
        at_a = _slopes(body, regions, lambda r: body.nodes[r.a].value)
        if at_a is None:
            continue
        everywhere |= at_a
        yield Edit("derivative-of-activation", regions[0].a, at_a, detail=detail | {"given": "a"})
        polynomial = _form_of_a(body, regions)
        if polynomial is not None:
            yield Edit("derivative-of-activation", regions[0].a, polynomial, detail=detail | {"given": "z"})
        for position in (0, 1):
            part = _without_summand(body, regions, position)
            if part:
                yield Edit(
                    "derivative-of-activation", regions[0].a, part, detail=detail | {"given": "z without a summand"}
                )
    if len(body.regions) > 1 and everywhere:
        yield Edit("derivative-of-activation", min(everywhere), everywhere, detail={"layer": "all", "given": "a"})


def _slopes(body: Anatomy, regions: Sequence[Region], where: Callable[[Region], Array]) -> dict[NodeId, Rule] | None:
    try:
        return {r.a: _times(r.z, body.slope(r, where(r))) for r in regions}
    except (Unknown, FloatingPointError):
        return None


def _form_of_a(body: Anatomy, regions: Sequence[Region]) -> dict[NodeId, Rule] | None:
    """Where f' = c0 + c1 a + c2 a^2, as with sigmoid and tanh: that form with z put in for a."""
    a = np.concatenate([body.nodes[r.a].value.ravel() for r in regions]).astype(float)
    slopes = np.concatenate([body.slope(r, body.nodes[r.z].value).ravel() for r in regions])
    powers = np.stack([np.ones_like(a), a, a * a], axis=1)
    if not np.isfinite(powers).all() or not np.isfinite(slopes).all():
        return None
    c, *_ = np.linalg.lstsq(powers, slopes, rcond=None)
    if not np.isfinite(c).all() or np.abs(powers @ c - slopes).max(initial=0) > 1e-7 or np.ptp(slopes) < 1e-9:
        return None
    return {r.a: _times(r.z, c[0] + c[1] * body.nodes[r.z].value + c[2] * body.nodes[r.z].value ** 2) for r in regions}


def _without_summand(body: Anatomy, regions: Sequence[Region], position: int) -> dict[NodeId, Rule]:
    found: dict[NodeId, Rule] = {}
    for r in regions:
        node = body.nodes[r.z]
        part = node.args[position] if node.op in ("add", "subtract") else None
        if type(part) is int and body.nodes[part].value.shape == node.value.shape:
            found[r.a] = _times(r.z, body.slope(r, body.nodes[part].value))
    return found


def _other_activation(body: Anatomy) -> Iterator[Edit]:
    """The derivative of another function than the forward pass applies, at z, at a, or with a taken for its value."""
    for layer, regions in body.regions.items():
        if not all(body.is_elementwise(r) for r in regions):
            continue
        for name in ("sigmoid", "tanh", "relu"):
            f = activations.get(name)
            for given in ("z", "a", "value"):
                rules = {}
                for r in regions:
                    z, a = (np.asarray(body.nodes[t].value, dtype=float) for t in (r.z, r.a))
                    at, value = {"z": (z, f(z)), "a": (a, f(a)), "value": (a, a)}[given]
                    rules[r.a] = _times(r.z, f.derivative(at, value))
                detail = {"layer": where(body, layer), "derivative": name, "given": given}
                yield Edit("wrong-layer-activation", regions[0].a, rules, detail=detail)


def _other_layers_slope(body: Anatomy) -> Iterator[Edit]:
    """The slope of another layer's activation, at that layer's own values."""
    for layer, regions in body.regions.items():
        for other, theirs in body.regions.items():
            pairs = list(zip(regions, theirs, strict=False))
            if other == layer or not all(_alike(body, r, o) and body.is_elementwise(o) for r, o in pairs):
                continue
            rules = {r.a: _times(r.z, body.slope(o, body.nodes[o.z].value)) for r, o in pairs}
            yield Edit("wrong-layer-activation", regions[0].a, rules, detail={"layer": where(body, layer)})


def _alike(body: Anatomy, region: Region, other: Region) -> bool:
    return body.nodes[region.a].value.shape == body.nodes[other.a].value.shape


def _summed_up(body: Anatomy) -> Iterator[Edit]:
    """A product of vectors or matrices between the errors and the slopes, in place of each times its own."""
    for layer, regions in body.regions.items():
        if not all(body.is_elementwise(r) for r in regions):
            continue
        slopes = {r: body.slope(r, body.nodes[r.z].value) for r in regions}
        detail = {"layer": where(body, layer)}
        rules: dict[NodeId, Rule] = {r.a: _dotted(r.z, slope) for r, slope in slopes.items()}
        yield Edit("dot-instead-of-elementwise", regions[0].a, rules, detail=detail)
        shape = body.nodes[regions[0].a].value.shape
        if len(shape) == 2 and shape[0] == shape[1] > 1:
            for first in (True, False):
                rules = {r.a: _multiplied(r.z, slope, first=first) for r, slope in slopes.items()}
                yield Edit("dot-instead-of-elementwise", regions[0].a, rules, detail=detail)


def _dotted(z: NodeId, slope: Array) -> Rule:
    def rule(g: Array) -> list[tuple[NodeId, Array]]:
        return [(z, np.full(g.shape, np.sum(g * slope)))]

    return rule


def _multiplied(z: NodeId, slope: Array, *, first: bool) -> Rule:
    return lambda g: [(z, g @ slope if first else slope @ g)]


# -- products ----------------------------------------------------------------------------------------------------------


def _other_version(body: Anatomy) -> Iterator[Edit]:
    """A parameter as it is after the step, or was before it, where what the forward pass used belongs."""
    following, before = body.versions_beside()
    for id_, versions in (("updated-weights-used", following), ("stale-gradient", before)):
        by_layer: dict[Layer, dict[NodeId, Rule]] = {}
        for layer, products in body.products.items():
            for t in products:
                for position, a in enumerate(body.nodes[t].args):
                    if type(a) is int and (root := body.roles.root(a)) in versions:
                        try:
                            value = body.seen_through(a, root, body.nodes[versions[root]].value)
                        except (Unknown, IndexError, ValueError):
                            continue
                        by_layer.setdefault(layer, {})[t] = _with_operand(body.nodes, t, position, value)
        detail = {"version": "after" if versions is following else "before"}
        if len(by_layer) > 1:
            rules = {t: rule for layer in by_layer.values() for t, rule in layer.items()}
            yield Edit(id_, min(rules), rules, detail=detail)
        for layer_rules in by_layer.values():
            yield Edit(id_, min(layer_rules), layer_rules, detail=detail)


def _turned_round(body: Anatomy) -> Iterator[Edit]:
    """The parts of a kernel, read one after the other, sent back through in reverse order."""
    parts: dict[tuple[object, int], dict[NodeId, list[tuple[NodeId, NodeId]]]] = defaultdict(lambda: defaultdict(list))
    for t in (t for products in body.products.values() for t in products):
        for position, a in enumerate(body.nodes[t].args):
            part, root = (a, body.roles.root(a)) if type(a) is int else (0, -1)
            if root in body.roles.versions and body.nodes[part].value.size < body.nodes[root].value.size:
                parts[body.nodes[t].site, position][root].append((t, part))
    for (_, position), of_versions in parts.items():
        rules = {
            t: _with_operand(body.nodes, t, position, body.nodes[other].value)
            for read in of_versions.values()
            for (t, _), (_, other) in zip(read, reversed(read), strict=True)
        }
        if rules and all(len(read) > 1 for read in of_versions.values()):
            yield Edit("transposed-gradient", min(rules), rules, detail={"turned": min(rules)})


def _transposed(body: Anatomy) -> Iterator[Edit]:
    """A square matrix of weights sent back without its transpose."""
    for products in body.products.values():
        for position in (0, 1):
            rules: dict[NodeId, Rule] = {}
            for t in products:
                a = body.nodes[t].args[position] if len(body.nodes[t].args) > position else None
                if type(a) is not int or body.roles.root(a) not in body.roles.versions:
                    continue
                w = body.nodes[a].value
                if w.ndim == 2 and w.shape[0] == w.shape[1] > 1:
                    rules[t] = _with_operand(body.nodes, t, position, w.T)
            if rules:
                yield Edit("transposed-gradient", min(rules), rules, detail={"position": position})


def _other_operand(body: Anatomy) -> Iterator[Edit]:
    """Another value of the forward pass where the input of a product belongs."""
    for products in body.products.values():
        first = products[0]
        for position, a in enumerate(body.nodes[first].args[:2]):
            if type(a) is not int or body.roles.root(a) in body.roles.versions:
                continue
            places: dict[Layer, NodeId] = {}
            for t in body.data_beside(body.nodes[a].value.shape, first):
                if t != a and t not in (first,):
                    places.setdefault(body.layer(t), t)
            for layer in list(places)[:8]:
                same = [t for t in body.reached if body.layer(t) == layer]
                rules = {
                    t: _with_operand(body.nodes, t, position, body.nodes[other].value)
                    for t, other in zip(products, same, strict=False)
                    if body.nodes[other].value.shape == body.nodes[_arg(body, t, position)].value.shape
                }
                if rules:
                    yield Edit("wrong-layer-activation", first, rules, detail={"used": places[layer]})


def _arg(body: Anatomy, t: NodeId, position: int) -> NodeId:
    a = body.nodes[t].args[position]
    return a if type(a) is int else t


def _raw_error(body: Anatomy) -> Iterator[Edit]:
    """What is sent back through a product has not gone through the activation behind it; its weights' gradient has.

    Or it has not gone through the product at all: the error itself is taken for each unit's.
    """
    region_of = {r.z: r for regions in body.regions.values() for r in regions}
    for products in body.products.values():
        for weighted in (True, False):
            rules: dict[NodeId, Rule] = {}
            for t in products:
                z = t if t in region_of else next((u for u in body.roles.users.get(t, ()) if u in region_of), None)
                if z is not None:
                    a = region_of[z].a
                    rules[a], rules[t] = _raw_pair(body, t, a, weighted=weighted)
            if rules:
                yield Edit("hidden-error-raw", products[0], rules)


def _raw_pair(body: Anatomy, t: NodeId, a: NodeId, *, weighted: bool) -> tuple[Rule, Rule]:
    kept: list[Array] = []

    def keep(g: Array) -> list[tuple[NodeId, Array]]:
        kept[:] = [g]
        return _passed(body.nodes, a, vjp(body.nodes, a, g))

    def use(g: Array) -> list[tuple[NodeId, Array]]:
        true = _passed(body.nodes, t, vjp(body.nodes, t, g))
        error = np.reshape(kept[0], np.shape(g)) if kept else g
        raw = dict(_passed(body.nodes, t, vjp(body.nodes, t, error)))
        if not weighted:
            raw = {x: np.broadcast_to(error, body.nodes[x].value.shape) for x, _ in true if _broadcasts(body, error, x)}
        return [(x, y if body.roles.root(x) in body.roles.versions else raw.get(x, y)) for x, y in true]

    return keep, use


def _broadcasts(body: Anatomy, error: Array, x: NodeId) -> bool:
    try:
        return np.broadcast_shapes(error.shape, body.nodes[x].value.shape) == body.nodes[x].value.shape
    except ValueError:
        return False


# -- ways back ---------------------------------------------------------------------------------------------------------


def _rows_once(body: Anatomy) -> Iterator[Edit]:
    """Of rows that were read several times only the last gradient written, as `G[rows] += g` does it."""
    places: dict[Layer, dict[NodeId, Rule]] = defaultdict(dict)
    for t in body.reached:
        key = body.nodes[t].kw.get("k", body.nodes[t].kw.get("idx"))
        if isinstance(key, np.ndarray) and key.dtype.kind in "iu" and len(np.unique(key)) < key.size:
            places[body.layer(t)][t] = _written(body, t, key)
    for rules in places.values():
        yield Edit("rows-counted-once", min(rules), rules)


def _written(body: Anatomy, t: NodeId, key: Array) -> Rule:
    a = body.nodes[t].parents()[0]

    def rule(g: Array) -> list[tuple[NodeId, Array]]:
        rows = np.zeros(body.nodes[a].value.shape)
        (rows if body.nodes[t].op == "getitem" else rows.reshape(-1))[key] = g
        return [(a, rows)]

    return rule


def _ways_left_out(body: Anatomy) -> Iterator[Edit]:
    """A value that is used at several places, with what comes back from one of them left out, or from all but one.

    A recurrent state, the stream beside a residual block, the mean and the variance of a batch.
    """
    ways: dict[object, dict[object, dict[NodeId, NodeId]]] = defaultdict(lambda: defaultdict(dict))
    for t in body.reached:
        for a in body.nodes[t].parents():
            if a in body.gradients and body.nodes[a].value.size > 1:
                ways[body.roles.versions.get(a, body.nodes[a].site)][body.nodes[t].site][t] = a
    forks = [places for places in ways.values() if len(places) > 1 and not _is_of_an_activation(body, places)]
    forks = [
        places for places in forks if not any(_is_carried(body, a) for way in places.values() for a in way.values())
    ]
    for places in forks[:_MOST_FORKS]:
        for way in list(places)[:_MOST_WAYS]:
            yield from _left(body, [places[way]])
        for way in list(places)[:_MOST_WAYS] if len(places) > 2 else ():
            yield from _left(body, [dropped for other, dropped in places.items() if other != way])


def _times_left_out(body: Anatomy) -> Iterator[Edit]:
    """What comes back to parameters that each step of time reads, without the first of these steps, or the last."""
    reads: dict[object, dict[NodeId, list[NodeId]]] = defaultdict(lambda: defaultdict(list))
    for t in body.reached:
        for root in {body.roles.root(a) for a in body.nodes[t].parents()} & body.roles.versions.keys():
            reads[body.nodes[t].site][root].append(t)
    times = [ts for by_version in reads.values() for ts in by_version.values() if len(ts) >= _TIMES]
    for which, end in (("first", min), ("last", max)):
        rules = {end(ts): _without_parameters(body, end(ts)) for ts in times}
        if rules:
            yield Edit("way-left-out", min(rules), rules, detail={"time": which})


def _without_parameters(body: Anatomy, t: NodeId) -> Rule:
    def rule(g: Array) -> list[tuple[NodeId, Array]]:
        passed = _passed(body.nodes, t, vjp(body.nodes, t, g))
        return [(a, x) for a, x in passed if body.roles.root(a) not in body.roles.versions]

    return rule


def _is_carried(body: Anatomy, a: NodeId) -> bool:
    """Whether a value is made of what rested on parameters that have been stepped since: no part of one pass."""
    stepped = body.last_step_before(a)
    waiting, seen = [] if a in body.roles.versions else [a], {a}
    while waiting and len(seen) < _WIDEST:
        t = waiting.pop()
        if t < stepped:
            return True
        new = [x for x in body.nodes[t].parents() if x not in seen and x not in body.roles.versions]
        new = [x for x in new if body.roles.rests_on[x]]
        seen |= set(new)
        waiting += new
    return False


def _is_of_an_activation(body: Anatomy, places: dict[object, dict[NodeId, NodeId]]) -> bool:
    """Whether all ways lie inside an activation: its derivative has edits of its own."""
    inside = {x for regions in body.regions.values() for r in regions if body.is_elementwise(r) for x in r.inside}
    return all(inside.issuperset(way) for way in places.values())


def _left(body: Anatomy, ways: Sequence[dict[NodeId, NodeId]]) -> Iterator[Edit]:
    rules = {t: _without(body, t, a) for way in ways for t, a in way.items()}
    yield Edit("way-left-out", min(rules), rules, detail={"way": min(rules)})


def _without(body: Anatomy, t: NodeId, dropped: NodeId) -> Rule:
    return lambda g: [(a, y) for a, y in _passed(body.nodes, t, vjp(body.nodes, t, g)) if a != dropped]


def _is_backward(body: Anatomy, t: NodeId) -> bool:
    node = body.nodes[t]
    return (
        node.value.dtype.kind == "f" and body.roles.flows[t] and body.roles.rests_on[t] > 0 and t not in body.gradients
    )


def _other_penalty(body: Anatomy) -> Iterator[Edit]:
    """The derivative of a penalty on a parameter left out, or times a factor."""
    counts = {n for t in body.reached[:200] for n in body.nodes[t].value.shape if n > 2}
    for state in body.roles.states:
        uses = penalties(body.roles, state, body.gradients)
        for factor in (0.0, -1.0, 0.5, 2.0, *counts, *(1 / n for n in counts)) if uses else ():
            rules = {t: _scaled(body, t, factor) for t in uses}
            yield Edit("penalty-gradient-wrong", uses[0], rules, detail={"factor": factor} if factor else {})


def _other_than_a_penalty(body: Anatomy) -> Iterator[Edit]:
    """What a program adds to a gradient where a penalty's derivative belongs: made of the parameter, whatever it is."""
    uses: dict[int, dict[NodeId, NodeId]] = {}
    for state in body.roles.states:
        found = {body.roles.root(body.nodes[t].parents()[0]): t for t in penalties(body.roles, state, body.gradients)}
        uses |= {body.roles.bit(state): found} if found else {}
    added: dict[tuple[int, object], dict[NodeId, NodeId]] = defaultdict(dict)
    for r in range(body.limit) if uses else ():
        mine = uses.get(body.roles.rests_on[r])
        if mine and len(added) < _MOST_PLACES and _is_summand(body, r):
            before = max((v for v, t in mine.items() if t < r), default=None)
            if before is not None:
                added[body.roles.rests_on[r], body.nodes[r].site].setdefault(before, r)
    for (bit, _), places in added.items():
        rules = {uses[bit][v]: _replaced(body, uses[bit][v], _as_added(body, r)) for v, r in places.items()}
        yield Edit("penalty-gradient-wrong", min(rules), rules, detail={"added": min(places.values())})


def _is_summand(body: Anatomy, r: NodeId) -> bool:
    return _is_backward(body, r) and any(body.nodes[x].op in ("add", "subtract") for x in body.roles.users.get(r, ()))


def _as_added(body: Anatomy, r: NodeId) -> Array:
    """A summand with the sign that it has in its sum."""
    sums = [body.nodes[x] for x in body.roles.users[r] if body.nodes[x].op in ("add", "subtract")]
    return -body.nodes[r].value if sums[0].op == "subtract" and sums[0].args[1] == r else body.nodes[r].value


def _replaced(body: Anatomy, t: NodeId, value: Array) -> Rule:
    a = body.nodes[t].parents()[0]
    return lambda g: [(a, np.broadcast_to(value, body.nodes[a].value.shape))]


def _scaled(body: Anatomy, t: NodeId, factor: float) -> Rule:
    return lambda g: _passed(body.nodes, t, vjp(body.nodes, t, g * factor))


# -- biases and samples ------------------------------------------------------------------------------------------------


def _bias_part(body: Anatomy) -> Iterator[Edit]:
    """A bias's gradient from one sample alone, or added up over the units as well."""
    for sums in body.sums.values():
        t, position = sums[0]
        b = body.nodes[t].args[position]
        assert type(b) is int
        is_of_one_sample = body.nodes[b].value.size >= body.nodes[t].value.size
        for part in ("over_units",) if is_of_one_sample else ("last_alone", "first_alone", "over_units"):
            rules = {t: _partial(body, t, position, part) for t, position in sums}
            yield Edit("bias-gradient-wrong", t, rules, detail={part: True})


def _partial(body: Anatomy, t: NodeId, position: int, part: str) -> Rule:
    def rule(g: Array) -> list[tuple[NodeId, Array]]:
        cotangents = list(vjp(body.nodes, t, g))
        b = body.nodes[t].args[position]
        assert type(b) is int
        shape = body.nodes[b].value.shape
        padded = (1,) * (g.ndim - len(shape)) + shape
        spread = [axis for axis, (m, n) in enumerate(zip(padded, g.shape, strict=True)) if m == 1 and n > 1]
        if part == "over_units":
            cotangents[position] = np.broadcast_to(g.sum(), shape)
        elif spread:
            chosen = np.take(g, -1 if part == "last_alone" else 0, axis=spread[0])
            if chosen.size == np.prod(shape, dtype=int):
                cotangents[position] = chosen.reshape(shape)
        return _passed(body.nodes, t, cotangents)

    return rule


def _one_sample(body: Anatomy) -> Iterator[Edit]:
    """Only the last (or first) sample of a batch counts in a product's weights."""
    for products in body.products.values():
        if body.nodes[products[0]].op not in PRODUCTS or body.nodes[products[0]].value.ndim != 2:
            continue
        for part in (-1, 0):
            rules = {t: _only(body, t, part) for t in products}
            yield Edit("update-outside-loop", products[0], rules, detail={"sample": "last" if part else "first"})


def _only(body: Anatomy, t: NodeId, part: int) -> Rule:
    def rule(g: Array) -> list[tuple[NodeId, Array]]:
        one = np.zeros_like(g)
        one[part] = g[part]
        return _passed(body.nodes, t, vjp(body.nodes, t, one))

    return rule


def some_seeds(body: Anatomy, seeds: Sequence[NodeId]) -> Iterator[Edit]:
    """Only the last (or first) of the errors that were computed between two steps counts."""
    by_version: dict[tuple[int, object], list[NodeId]] = {}
    versions = sorted(body.roles.versions)
    for t in seeds:
        by_version.setdefault((bisect(versions, t), body.nodes[t].site), []).append(t)
    if max(map(len, by_version.values()), default=0) > 1:
        for sample, which in (("last", -1), ("first", 0)):
            kept = tuple(group[which] for group in by_version.values())
            yield Edit("update-outside-loop", kept[0], {}, kept, {"sample": sample})
