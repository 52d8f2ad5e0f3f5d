"""What is put together wrongly on the way to the answer: shapes, axes, a value from before the activation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from byhand.diagnosis.findings import Certainty, Finding, Place
from byhand.diagnosis.judge.anatomy import Anatomy, Region
from byhand.diagnosis.judge.locate import place_of, step_of
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, nearest_first
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.written import where_renamed, where_returned
from byhand.diagnosis.tape.derive import ELEMENTWISE, Unknown
from byhand.diagnosis.tape.nodes import Node

_COMPARISONS = {"equal", "not_equal"}
_THRESHOLDS = {"greater", "greater_equal", "less", "less_equal"}
_OF_LOSS = 10  # values of a loss that are followed back
_SHARE = 1e-3  # how far shares may be from what they should be
_FAR = 700.0  # where an activation that has bounds is at them, and exp does not overflow


def shape_findings(first: Sight, sights: Sequence[Sight]) -> Iterator[Finding]:
    """The findings about shapes, axes and activations."""
    if first.trial is not None and first.body is not None:
        yield from _tables(first)
        yield from islice(_grown_by_steps(first), 1)
        yield from _softmax_axis(first, first.body)
        yield from _attention_axis(first, first.body)
        yield from _shares_astray(first, first.body)
        yield from _unused_activations(first, first.body)
        yield from _falling(first, first.body)
    measures: dict[str, Finding] = {}
    for sight in sights:
        if sight.trial is not None:
            for finding in _measures(sight):
                measures.setdefault(finding.id, finding)
    yield from measures.values()


def ancestors(sight: Sight, t: NodeId) -> list[NodeId]:
    """What a value was made of, back to the parameters, and itself."""
    closed = sight.course.stop
    return sorted(nearest_first([t], lambda x: (a for a in sight.nodes[x].parents() if a not in closed)))


def in_losses(sight: Sight) -> set[NodeId]:
    """What the script's own losses are made of, in their first values."""
    roles = sight.course.roles
    seeds = [t for o in roles.objectives if o.kind == "loss" for t in o.seeds[:_OF_LOSS]]
    return {x for seed in seeds for x in ancestors(sight, seed) if roles.rests_on[x]}


# -- shapes ------------------------------------------------------------------------------------------------------------


def _spread_out(nodes: Sequence[Node], t: NodeId) -> tuple[Node, Node] | None:
    """The operands, if as many numbers on both sides become a matrix, each met with each."""
    pair = nodes[t].parents()
    if len(pair) != 2:
        return None
    a, b = (nodes[x] for x in pair)
    same = a.value.squeeze().shape == b.value.squeeze().shape and a.value.squeeze().ndim == 1
    return (a, b) if same and nodes[t].value.size > max(a.value.size, b.value.size) else None


def _tables(sight: Sight) -> Iterator[Finding]:
    """An output (n, 1) and a target (n,) that give n × n numbers."""
    roles = sight.course.roles
    errors = [t for o in roles.objectives if o.kind == "error" for t in o.seeds[:1]]
    in_loss = [t for t in in_losses(sight) if sight.nodes[t].op in ELEMENTWISE and not roles.flows[t]]
    grown = set(_before_parameters_grew(sight))
    stepped = {t for s in roles.states for t in ancestors(sight, step_of(sight.course, s))}
    for t in sorted({*errors, *in_loss, *grown}, key=lambda t: (t not in stepped, t)):
        pair = sight.nodes[t].parents()
        if _spread_out(sight.nodes, t) is None or not (t in grown or _is_output_with_data(sight, pair)):
            continue
        shapes = [sight.nodes[a].value.shape for a in pair]
        made = sight.nodes[t].value.shape
        text = (
            f"Shapes {shapes[0]} and {shapes[1]} meet here and give {made}: every output is compared with every target."
        )
        yield Finding("broadcast-error-matrix", place_of(sight.course, t), "exact", text, {"shapes": [*shapes, made]})
        return


def _before_parameters_grew(sight: Sight) -> Iterator[NodeId]:
    """The errors of data behind a step after which a parameter had more numbers than before."""
    nodes = sight.nodes
    for first in (s.versions[0] for s in sight.course.roles.states):
        before = [nodes[a].value.size for a in nodes[first].parents()]
        if nodes[first].op in ("add", "subtract") and len(before) == 2 and 1 < min(before) < max(before):
            behind = (t for t in ancestors(sight, first) if nodes[t].op == "subtract")
            yield from (t for t in behind if any(nodes[a].op == "leaf" for a in nodes[t].parents()))


def _grown_by_steps(sight: Sight) -> Iterator[Finding]:
    """What is added to outputs, and has a number for each sample after a step: its errors were not added up."""
    nodes, roles = sight.nodes, sight.course.roles
    errors = {t for o in roles.objectives if o.kind == "error" for t in o.seeds}
    for t, node in enumerate(nodes):
        if node.op not in ("add", "subtract") or len(pair := node.parents()) != 2 or type(node.args[0]) is not int:
            continue
        before, step = pair
        is_grown = nodes[before].value.size < node.value.size == nodes[step].value.size
        if (
            is_grown
            and _added_at(sight, before) & _added_at(sight, t)
            and not errors.isdisjoint(ancestors(sight, step))
        ):
            shapes = [nodes[before].value.shape, node.value.shape]
            at, name = place_of(sight.course, t), sight.name_of(before) or sight.name_of(t) or "a bias"
            text = f"{name} has the shape {shapes[0]} before this step and {shapes[1]} after it: "
            text += "what it is stepped by was not added up over the samples."
            place = where_renamed(sight.trace.texts, at) or place_of(sight.course, _unscaled(sight, step))
            yield Finding("bias-gradient-wrong", place, "exact", text, {"grown": shapes})


def _added_at(sight: Sight, t: NodeId) -> set[tuple[int, str]]:
    """The lines in which a value is added to what is made of parameters, but for that in which it was made."""
    nodes, rests = sight.nodes, sight.course.roles.rests_on
    users = [u for u in sight.course.roles.users.get(t, ()) if nodes[u].op == "add"]
    places = {(nodes[u].line, nodes[u].file) for u in users if any(rests[a] for a in nodes[u].parents() if a != t)}
    return places if nodes[t].op == "leaf" else places - {(nodes[t].line, nodes[t].file)}


def _unscaled(sight: Sight, t: NodeId) -> NodeId:
    """What is scaled by single numbers to give a value."""
    while sight.nodes[t].op in ("multiply", "divide", "negative"):
        large = [a for a in sight.nodes[t].parents() if sight.value(a).size == sight.value(t).size]
        if len(large) != 1:
            break
        t = large[0]
    return t


def _is_output_with_data(sight: Sight, pair: Sequence[NodeId]) -> bool:
    roles = sight.course.roles
    output = [a for a in pair if roles.rests_on[a]]
    is_parameter = any(sight.body is not None and sight.body.roles.root(a) in roles.versions for a in output)
    return len(output) == 1 and not is_parameter


# -- measures ----------------------------------------------------------------------------------------------------------


def _measures(sight: Sight) -> Iterator[Finding]:
    """Comparisons of what the network answers with the targets."""
    roles, nodes = sight.course.roles, sight.nodes
    for t, node in enumerate(nodes):
        if node.op not in _COMPARISONS or roles.flows[t] or not roles.rests_on[t]:
            continue
        pair = node.parents()
        answers = [a for a in pair if roles.rests_on[a]]
        if len(pair) != 2 or len(answers) != 1:
            continue
        target = nodes[pair[1 - pair.index(answers[0])]].value
        text, at = None, t
        if _spread_out(nodes, t) is not None:
            text = f"{target.size} answers are compared with {target.size} targets, each with each: the result is "
            text += f"{node.value.shape}, and the share that is right means nothing."
        elif nodes[answers[0]].value.size == 1 < target.size and _picked_over_samples(nodes, answers[0]):
            text = f"One answer alone is compared with all {target.size} targets."
        elif (limited := _always_one_side(sight, answers[0])) is not None:
            at = limited
            text = "The outputs are held against a limit that they can never pass: "
            text += f"all {nodes[answers[0]].value.size} answers are the same."
        if text is not None:
            yield Finding("metric-wrong", place_of(sight.course, at), "exact", text, {"shape": list(node.value.shape)})
            return
        yield from _wrong_share(sight, t)


def _picked_over_samples(nodes: Sequence[Node], t: NodeId) -> bool:
    """Whether a single number was picked from several positions of greatest values."""
    for _ in range(4):
        if nodes[t].op in ("argmax", "argmin"):
            return nodes[nodes[t].parents()[0]].value.ndim > 1
        parents = nodes[t].parents()
        if nodes[t].op not in ("getitem", "copy", "item", "move", "gather") or not parents:
            return False
        t = parents[0]
    return False


def _always_one_side(sight: Sight, t: NodeId) -> NodeId | None:
    """Where an answer is an activation held against a limit at or beyond its bounds."""
    nodes = sight.nodes
    while nodes[t].op in ("copy", "move", "gather") and nodes[t].parents():
        t = nodes[t].parents()[0]
    if nodes[t].op not in _THRESHOLDS or sight.body is None:
        return None
    output, limit = nodes[t].args
    if type(output) is not int:
        return None
    border = nodes[limit].value if type(limit) is int else np.asarray(getattr(limit, "value", np.nan))
    region = sight.body.region_to(output)
    bounds = None if region is None else _bounds(sight.body, region)
    if border.size != 1 or bounds is None or len(np.unique(nodes[t].value)) != 1 or nodes[t].value.size < 2:
        return None
    return t if border <= bounds[0] or border >= bounds[1] else None


def _bounds(body: Anatomy, region: Region) -> tuple[float, float] | None:
    """The bounds of an activation that has two."""
    ends = _ends(body, region)
    if ends is None or not np.isfinite(ends).all() or max(abs(e) for e in ends) > _FAR / 10:
        return None
    return min(ends), max(ends)


def _ends(body: Anatomy, region: Region) -> tuple[float, float] | None:
    """The values of an activation far to the left and far to the right."""
    if not body.is_elementwise(region):
        return None
    shape = body.nodes[region.z].value.shape
    try:
        low, high = (body.replay(region, np.full(shape, z)) for z in (-_FAR, _FAR))
    except (Unknown, ValueError):
        return None
    return float(low.ravel()[0]), float(high.ravel()[0])


def _wrong_share(sight: Sight, t: NodeId) -> Iterator[Finding]:
    """A count of right answers divided by another number than that of the answers."""
    nodes, users = sight.nodes, sight.course.roles.users
    for total in users.get(t, ()):
        if nodes[total].op != "sum" or nodes[total].value.size != 1 or nodes[t].value.ndim != 1:
            continue
        for share in users.get(total, ()):
            divisor = nodes[share].args[1] if nodes[share].op == "divide" and nodes[share].args[0] == total else None
            number = getattr(divisor, "value", None)
            if number is None or np.size(number) != 1 or nodes[t].op != "equal" or users.get(share):
                continue
            count, n = nodes[t].value.size, float(number)
            if n > 1 and n not in (count, count / 100) and not _is_summed(sight, share):
                text = f"{count} answers are compared, and the number of right ones is divided by {n:g}."
                yield Finding(
                    "metric-wrong", place_of(sight.course, share), "exact", text, {"compared": count, "by": n}
                )


def _is_summed(sight: Sight, t: NodeId) -> bool:
    return any(sight.nodes[u].op in ("add", "sum", "mean", "stack") for u in sight.course.roles.users.get(t, ()))


# -- activations -------------------------------------------------------------------------------------------------------


def _softmax_axis(sight: Sight, body: Anatomy) -> Iterator[Finding]:
    """Shares that add up to 1 over the samples, or over everything, and not over a sample's classes."""
    if body.output is None or body.output not in body.regions:
        return
    shares = [
        found[:5]  # in a copy of them the way back may already have been begun
        for key, found in body.regions.items()
        if key == body.output or (key[1] == body.output[1] and sight.nodes[found[0].a].op == "divide")
    ]
    axes = [_sample_axis(sight, body, regions[0]) for regions in shares]
    of_samples = [
        (regions, axis)
        for regions, axis in zip(shares, axes, strict=True)
        if axis is not None and all(_is_of_samples(sight.value(r.a), axis) for r in regions)
    ]
    if not of_samples:
        return
    regions, axis = of_samples[0]
    a = sight.value(regions[0].a)
    over = (
        "everything together does" if np.isclose(a.sum(), 1) else f"each column over the {a.shape[axis]} samples does"
    )
    place = _where_shared_out(sight, regions[0].inside, regions[0].a)
    text = f"The {a.shape[1 - axis]} outputs of a sample don't add up to 1 "
    text += f"({a.sum(axis=1 - axis)[0]:.3g} for the first); {over}."
    yield Finding("softmax-wrong-axis", place, "exact", text, {"sum_of_first": float(a.sum(axis=1 - axis)[0])})


def _attention_axis(sight: Sight, body: Anatomy) -> Iterator[Finding]:
    """Shares by which the values of a set are added up that add up to 1 over the queries, and not over the keys."""
    taken = [(w, over) for t in body.reached for w, over in _added_up_by(sight, t)]
    if not taken or not all(_is_shared_out(sight.value(w), over) for w, over in taken):
        return
    w, over = taken[0]
    total = float(sight.value(w).sum(axis=over).flat[0])
    text = (
        f"The shares that the first query gives to all keys add up to {total:.3g}, and not to 1; those that each key "
    )
    text += "gets from all queries do."
    place = _where_shared_out(sight, ancestors(sight, w), w)
    yield Finding("softmax-wrong-axis", place, "exact", text, {"sum_of_first": total})


def _where_shared_out(sight: Sight, made: Sequence[NodeId], shares: NodeId) -> Place:
    """Where the sum is taken that shares are divided by, the last of what they were made of; else that division."""
    divided = max((t for t in made if sight.nodes[t].op in ("divide", "softmax")), default=shares)
    sums = [t for t in sight.nodes[divided].parents() if sight.nodes[t].op == "sum"]
    return place_of(sight.course, sums[0] if sums else divided)


def _added_up_by(sight: Sight, t: NodeId) -> Iterator[tuple[NodeId, int]]:
    """What members of a set have for each other, by which values are added up, and along which axis."""
    for w, over in _added_over(sight.nodes[t]):
        shape = sight.nodes[w].value.shape
        is_square = len(shape) > 1 and shape.count(shape[over]) > 1 and w not in sight.course.stop
        if is_square and any(_is_of_two_made(sight, x) for x in ancestors(sight, w)):
            yield w, over


def _added_over(node: Node) -> Iterator[tuple[NodeId, int]]:
    """The factors of a product of tables, and the one axis of each that is added up over."""
    if node.op == "einsum":
        inputs, output = node.kw["spec"].split("->")
        lost = [[i for i, letter in enumerate(letters) if letter not in output] for letters in inputs.split(",")]
    else:
        lost = [[-1], [-2]] if node.op in ("matmul", "dot") else []
    for a, axes in zip(node.args, lost, strict=False):
        if type(a) is int and len(axes) == 1:
            yield a, axes[0]


def _is_of_two_made(sight: Sight, t: NodeId) -> bool:
    """Whether it is a product of two values that were both made, as queries and keys are; of no parameter itself."""
    roles, made = sight.course.roles, sight.nodes[t].parents()
    both = len(set(made)) == 2 and all(roles.rests_on[a] and roles.root(a) not in roles.versions for a in made)
    return both and sight.nodes[t].op in PRODUCTS


def _is_shared_out(shares: np.ndarray, over: int) -> bool:
    """Whether shares add up to 1 along another axis of this one's length, and not along this one."""
    alike = [axis for axis, size in enumerate(shares.shape) if size == shares.shape[over] > 1]
    ones = {axis for axis in alike if np.allclose(shares.sum(axis=axis), 1)}
    return bool(ones) and over % shares.ndim not in ones and bool((shares >= 0).all())


def _shares_astray(sight: Sight, body: Anatomy) -> Iterator[Finding]:
    """Shares that add up to 1 only where the largest score is 0: what is subtracted above is not subtracted below."""
    if body.output is None or body.output not in body.regions:
        return
    region = body.regions[body.output][0]
    axis, z, a = _sample_axis(sight, body, region), sight.value(region.z), sight.value(region.a)
    sums = [t for t in region.inside if sight.nodes[t].op == "sum"]
    if axis is None or not sums or a.shape != z.shape or np.allclose(over := a.sum(axis=1 - axis), 1, atol=_SHARE):
        return
    try:
        shifted = body.replay(region, z - z.max(axis=1 - axis, keepdims=True))
    except (Unknown, ValueError):
        return
    right = np.exp(z - z.max(axis=1 - axis, keepdims=True))
    right = right / right.sum(axis=1 - axis, keepdims=True)
    if np.allclose(shifted, right, atol=_SHARE) and np.allclose(a / np.expand_dims(over, 1 - axis), right, atol=_SHARE):
        text = f"The shares of a sample add up to {over[0]:.3g} for the first one, and to 1 only where the largest "
        text += "score is 0: above the line and below it the scores are not moved by the same number."
        place = place_of(sight.course, sums[0])
        yield Finding("shares-not-one", place, "exact", text, {"sum_of_first": float(over[0])})


def _is_of_samples(a: np.ndarray, axis: int) -> bool:
    rows = np.allclose(a.sum(axis=1 - axis), 1)
    return not rows and bool((a >= 0).all()) and bool(np.allclose(a.sum(axis=axis), 1) or np.isclose(a.sum(), 1))


def _sample_axis(sight: Sight, body: Anatomy, region: Region) -> int | None:
    """Along which axis the samples of an activation lie: 0 when the parameters stand to the right of the data."""
    if sight.nodes[region.a].value.ndim != 2 or min(sight.nodes[region.a].value.shape) < 2:
        return None
    t = region.z
    for _ in range(6):
        node = sight.nodes[t]
        pair = node.parents()
        if node.op in PRODUCTS and len(pair) == 2:
            right, left = (body.roles.root(pair[k]) in sight.course.roles.versions for k in (1, 0))
            return None if right == left else 0 if right else 1
        inner = [
            a for a in pair if sight.course.roles.rests_on[a] and body.roles.root(a) not in sight.course.roles.versions
        ]
        if len(inner) != 1:
            return None
        t = inner[0]
    return None


def _unused_activations(sight: Sight, body: Anatomy) -> Iterator[Finding]:
    """An activation is computed, and what goes on is its input."""
    roles, nodes, reached = sight.course.roles, sight.nodes, set(body.reached)
    errors = set(sight.errors)
    for t in sorted(reached | errors):
        pair = nodes[t].parents()
        going_on = [
            a
            for a in pair
            if roles.rests_on[a] and a not in roles.versions and body.roles.root(a) not in roles.versions
        ]
        is_use = t in errors or (nodes[t].op in PRODUCTS and len(going_on) < len(pair))
        if not is_use or len(going_on) != 1 or nodes[going_on[0]].op not in PRODUCTS | {"add", "subtract"}:
            continue
        z = going_on[0]
        for a in range(z + 1, t):
            bent = nodes[a].op in ELEMENTWISE and len(nodes[a].args) <= 2 and a not in reached
            if bent and z in nodes[a].parents() and nodes[a].value.shape == nodes[z].value.shape:
                region = _activation_after(sight, body, z, a, t)
                if region is not None and (t not in errors or _goes_nowhere_or_back(sight, region)):
                    name = sight.name_of(z) or "a sum"
                    text = f"An activation of {name} is computed, but {name} itself is what goes on: "
                    text += "the activation has no part in the output."
                    use = place_of(sight.course, t)
                    place = where_returned(sight.trace.texts, place_of(sight.course, z), sight.name_of(z), use) or use
                    yield Finding("forward-returns-z", place, "exact", text, {"z_name": sight.name_of(z)})
                    return


def _activation_after(sight: Sight, body: Anatomy, z: NodeId, a: NodeId, end: NodeId) -> NodeId | None:
    """The last value before `end` that is made from z alone and no linear function of it."""
    nodes, last = sight.nodes, a
    for t in range(a, end):
        parents = [p for p in nodes[t].parents() if nodes[p].value.size > 1]
        if parents and all(p in (last, z) for p in parents) and nodes[t].value.shape == nodes[z].value.shape:
            last = t
    region = body.region_to(last)
    known = region is not None and region.z == z and last not in body.reached
    return last if known else None


def _goes_nowhere_or_back(sight: Sight, a: NodeId) -> bool:
    users = sight.course.roles.users.get(a, ())
    return all(sight.course.roles.flows[u] for u in users)


def _falling(sight: Sight, body: Anatomy) -> Iterator[Finding]:
    """A sigmoid turned round: from 1 down to 0."""
    for regions in body.regions.values():
        region = regions[0]
        ends = _ends(body, region)
        falls = ends is not None and np.allclose(ends, (1, 0)) and _sign_of_product(sight, body, region.z) == 1
        if falls and not any(_rises_before(body, r[0], region) for r in body.regions.values()):
            text = (
                "The activation falls from 1 to 0 where its input grows: a sigmoid whose exponent has the wrong sign."
            )
            contradicted = any(m.id == "sign-flipped" for m in sight.verdict.mistakes)
            certainty: Certainty = "exact" if contradicted else "symptom"
            yield Finding("sigmoid-falling", place_of(sight.course, region.a), certainty, text)
            return


def _rises_before(body: Anatomy, other: Region, region: Region) -> bool:
    """Whether a function of the same numbers rises from 0 to 1, of which the region is made: 1 - f, say."""
    ends = _ends(body, other) if other.z == region.z and other.a < region.a else None
    return ends is not None and np.allclose(ends, (0, 1))


def _sign_of_product(sight: Sight, body: Anatomy, t: NodeId) -> int | None:
    """The sign with which the product of data and parameters stands in a value; None where that can't be told."""
    sign = 1
    for _ in range(8):
        node = sight.nodes[t]
        if node.op in PRODUCTS or node.op == "multiply":
            factors = [body.roles.root(a) for a in node.parents()]
            return sign * (-1) ** sum(sight.nodes[a].op == "negative" for a in factors)
        inner = [
            a
            for a in node.parents()
            if sight.course.roles.rests_on[a] and body.roles.root(a) not in body.roles.versions
        ]
        if len(inner) != 1 or node.op not in (
            "add",
            "subtract",
            "negative",
            "copy",
            "move",
            "gather",
            "sum",
            "getitem",
        ):
            return None
        if node.op == "negative" or (node.op == "subtract" and node.args[1] == inner[0]):
            sign = -sign
        t = inner[0]
    return None
