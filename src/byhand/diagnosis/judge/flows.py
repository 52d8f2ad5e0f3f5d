"""Mistakes that show in the flow of the values alone: what a step was made from, and what never takes one."""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise

import numpy as np

from byhand.diagnosis.judge.anatomy import Anatomy
from byhand.diagnosis.judge.fits import Step, explain, is_whole, proportion
from byhand.diagnosis.judge.increments import gradient_used
from byhand.diagnosis.judge.roles import PRODUCTS, VIEWS, NodeId, Objective, State, is_made_from, made_of, nearest_first
from byhand.diagnosis.judge.steps import Course, Gradients, Overrides
from byhand.diagnosis.tape.derive import resting, sweep, unbroadcast

_OFTEN = 3
_SAME = 1e-6
_FILLED = {"zeros", "ones", "full", "zeros_like"}


def old_passes(course: Course, objective: Objective) -> Iterator[tuple[NodeId, int]]:
    """Outputs that a parameter took a second step from, compared with their target again: node and how often."""
    by_output: dict[NodeId, list[NodeId]] = defaultdict(list)
    for t in objective.seeds:
        for a in course.nodes[t].parents():
            if course.roles.rests_on[a]:
                by_output[a].append(t)
    for output, seeds in by_output.items():
        first = course.nodes[seeds[0]].value
        states = course.roles.parameters(course.roles.rests_on[output])
        again = [
            t
            for t in seeds[1:]
            if np.array_equal(course.nodes[t].value, first)
            and any(_is_stepped_again(course, s, seeds[0], t) for s in states)
        ]
        if again:
            yield output, len(again) + 1


def _is_stepped_again(course: Course, state: State, first: NodeId, again: NodeId) -> bool:
    """Whether a parameter took a step between two comparisons, and takes another that is made from the second.

    Where each number of one is stepped by itself, the same comparison is made for each.
    """
    k = bisect(state.versions, again)
    if k < 2 or k == len(state.versions) or state.versions[k - 1] < first:
        return False
    following = state.versions[k]
    return again in made_of(course.nodes, following, again - 1, len(course.nodes), course.stop - {following})


def old_gradients(course: Course, state: State, gradients: Gradients) -> Iterator[NodeId]:
    """Versions from which a step was made with a gradient that had been computed before they were there."""
    for step in course.all_steps(state):
        used = gradient_used(course.roles, step)
        if used is None or used >= step.before or used in course.roles.versions or step.before == state.versions[0]:
            continue
        if course.roles.rests_on[used] and step.change.any():
            yield step.after


def repeated_passes(course: Course, objective: Objective) -> int:
    """How often at most an objective was computed anew with the same parameters, of the same data."""
    versions = sorted(v for s in course.roles.parameters(objective.rests_on) for v in s.versions)
    values: dict[tuple[int, bytes, bytes], list[NodeId]] = defaultdict(list)
    for t in objective.seeds:
        values[bisect(versions, t), course.nodes[t].value.tobytes(), _data_of(course, t)].append(t)
    few_steps = len({k for k, *_ in values}) <= 2 < len(objective.seeds)
    most = max(values.values(), key=len, default=[])
    alone = [len(course.reached_from(replace(objective, seeds=[t]))) for t in (most[0], most[-1])] if most else []
    is_anew = len(set(alone)) == 1  # else each goes on from the one before, and the end of its way is reached
    return len(most) if few_steps and is_anew else 0


def _data_of(course: Course, t: NodeId) -> bytes:
    """The numbers beside the parameters that a value was made of."""
    made = made_of(course.nodes, t, closed=course.stop)
    return b"".join(course.nodes[x].value.tobytes() for x in sorted(made) if course.nodes[x].op == "leaf")


def lost_steps(course: Course) -> Iterator[tuple[NodeId, NodeId]]:
    """Sums of a parameter and a step made from it that nothing takes up: the parameter and the first such sum."""
    by_start: dict[NodeId, list[NodeId]] = defaultdict(list)
    for t, node in enumerate(course.nodes):
        if node.op in ("add", "subtract") and t not in course.stop and not course.roles.users.get(t):
            start, *added = node.args
            if type(start) is not int or node.value.shape != _shape(course, start):
                continue
            made = any(type(a) is int and is_made_from(course.nodes, [a], start) for a in added)
            if made and _is_parameter_like(course, start) and _is_one_value(course, start):
                by_start[start].append(t)
    for start, sums in by_start.items():
        if len(sums) >= _OFTEN:
            yield start, sums[0]


def unread(course: Course, gradients: Gradients) -> Iterator[tuple[State, NodeId]]:
    """Parameters that take the steps of a bias, and that no forward pass adds: the parameter and the product.

    Their steps are those of a bias added to a product, number for number: what arrives there, summed over the samples.
    """
    products = sorted(Anatomy(course.roles, gradients, course.limit).products.values())
    stepped = [v for s in course.roles.states for v in s.versions[1:]]
    behind = _ancestors(course, stepped) if course.roles.idle else set()
    for state in course.roles.idle:
        if behind & set(state.versions[1:]) or _is_read(course, state):
            continue  # it collects what a parameter's step is made of, or decides something
        for nodes in products:
            steps = [s for s in _bias_steps(course, state, nodes, gradients) if s.gradient.any() or s.change.any()]
            if len(steps) > 1 and explain(steps, course.nodes, course.scales).right:  # and not a gradient that grows
                yield state, nodes[0]
                break


def aside(course: Course, judged: Sequence[State]) -> list[State]:
    """What is stepped as long, and has no part in the steps of what was judged, as a velocity has: learned beside.

    What goes a share of the way to a parameter is no more than its mean.
    """
    steps = sorted(v for s in judged for v in s.versions[1:])
    behind = _ancestors(course, steps)
    others = (s for s in course.roles.states if s not in judged and behind.isdisjoint(s.versions))
    others = (s for s in others if not any(_is_mean_of(course, s, of) for of in judged if of.size == s.size > 1))
    return [s for s in others if bisect(steps, s.versions[-1]) - bisect(steps, s.versions[1]) > len(judged)]


def _is_mean_of(course: Course, state: State, of: State) -> bool:
    """Whether each step of a state goes a share of the way to where a parameter is then."""
    for step in islice(course.all_steps(state), 1, 1 + _OFTEN):
        k = bisect(of.versions, step.after)
        way = course.nodes[of.versions[k - 1]].value - course.nodes[step.before].value if k else np.zeros(0)
        share = proportion(step.change, way, _SAME) if way.size == step.change.size else None
        if share is None or not 0 <= share <= 1:
            return False
    return len(state.versions) > 1 + _OFTEN


def _is_read(course: Course, state: State) -> bool:
    """Whether something else than the next version is made of the versions of a state."""
    own = set(state.versions)
    users = (t for v in state.versions for t in course.roles.users.get(v, ()) if t not in own)
    return any(own.isdisjoint(course.roles.users.get(t, ())) for t in users)


def _ancestors(course: Course, nodes: Sequence[NodeId]) -> set[NodeId]:
    """All that some nodes are made of."""
    return {a for t in nearest_first(nodes, lambda t: course.nodes[t].parents()) for a in course.nodes[t].parents()}


def lines_behind(course: Course, nodes: Sequence[NodeId]) -> set[int]:
    """The script's lines at which something was computed that some nodes are made of, and those that called these."""
    behind = {*nodes, *_ancestors(course, nodes)}
    frames = {frame for t in behind for frame in list(course.nodes[t].site)[1:]}
    return {line for file, first, last, *_ in frames if not file for line in range(first, last + 1)}


def _bias_steps(course: Course, state: State, products: list[NodeId], gradients: Gradients) -> Iterator[Step]:
    shape, start = _shape(course, state.versions[0]), 0
    for v, w in pairwise(state.versions):
        change = course.nodes[w].value.astype(float) - course.nodes[v].value
        arrived = [gradients[t] for t in products[bisect(products, start) : bisect_left(products, w)]]
        if not arrived or not change.any():
            continue
        if any(not _broadcasts(shape, g.shape) for g in arrived):
            return
        yield Step(v, w, change, np.sum([unbroadcast(g, shape) for g in arrived], axis=0))
        start = w


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    padded = (1,) * (len(to) - len(shape)) + shape
    return len(padded) == len(to) and all(m in (1, n) for m, n in zip(padded, to, strict=True))


def _is_parameter_like(course: Course, t: NodeId) -> bool:
    return t in course.stop or _looks_learned(course, t)


def _is_one_value(course: Course, t: NodeId) -> bool:
    """Whether what begins here is one value: all of a list `[0.0] * n` are one number, each with steps of its own."""
    name = course.roles.names.get(t, "")
    is_named = name != "" and ("[" not in name or name.endswith(("']", '"]')))  # an entry of a dictionary is one value
    return course.nodes[t].value.size > 1 or course.nodes[t].is_drawn or is_named


def _shape(course: Course, t: NodeId) -> tuple[int, ...]:
    return course.nodes[t].value.shape


def frozen(
    course: Course, gradients: Gradients, objective: Objective, overrides: Overrides
) -> Iterator[tuple[NodeId, NodeId]]:
    """Arrays that stand where parameters stand and never change: the array and its first use.

    What is multiplied with values or added to them in each step anew, has a gradient, and was drawn at random or
    filled with one number, was meant to be learned, unless it is data: that has a row a sample, or is read by parts. So
    are not all the drawn numbers before anything learned, of which no gradient is made: random features.
    """
    body = Anatomy(course.roles, gradients, course.limit)
    samples = max((n for t in objective.seeds[:3] for n in sizes(course, t)), default=0)
    steps = sorted(v for s in course.roles.parameters(objective.rests_on) for v in s.versions[1:])
    anew = resting(course.nodes, {t for t, node in enumerate(course.nodes) if steps and t > steps[0] and node.is_drawn})
    rounds: dict[tuple[NodeId, tuple[object, int]], set[int]] = defaultdict(set)  # between two steps lies a round
    first: dict[NodeId, NodeId] = {}
    forward = {course.nodes[t].place for t in gradients}  # places, from wherever their function is called
    computed: set[tuple[object, int]] = set()  # as a state that goes on from round to round, and begins somewhere
    for t, node in enumerate(course.nodes[: course.limit]):
        if node.op not in PRODUCTS and node.op != "add":
            continue
        # a loss that is computed now and then shows for all rounds which places lead to it
        if not course.roles.flows[t] or (node.place not in forward and not _is_forward(course, t, gradients)):
            continue
        forward.add(node.place)
        for position, a in enumerate(node.args[:2]):
            if type(a) is int and course.roles.rests_on[a] and body.roles.root(a) not in course.roles.versions:
                computed.add((node.site, position))
            other = node.args[1 - position] if len(node.args) > 1 else None
            if type(a) is not int or type(other) is not int or body.roles.root(other) in course.stop:
                continue
            if body.roles.root(other) in anew:
                continue  # noise that is given a form: data made anew
            root = body.roles.root(a)
            learned = _looks_learned(course, root) and _is_one_value(course, root)
            learned = learned and not _is_data(course, root, samples)
            if learned and (node.op in PRODUCTS or _is_bias(course, a, t)):
                rounds[root, (node.site, position)].add(bisect(steps, t))
                first.setdefault(root, t)
    found = {
        root: first[root]
        for (root, place), seen in rounds.items()
        if place not in computed
        and np.any(gradients.get(root, gradients.get(first[root], 1)))
        and (len(seen) >= _OFTEN or (len(seen) > 1 and _gradient_is_made(course, objective, root, overrides)))
    }
    if not _are_random_features(course, objective, overrides, found):
        yield from found.items()


def _are_random_features(
    course: Course, objective: Objective, overrides: Overrides, found: Mapping[NodeId, NodeId]
) -> bool:
    """Whether all arrays that never change were drawn and make something of data alone, and have no gradient made."""
    of_data = all(not course.roles.rests_on[use] and course.nodes[root].value.any() for root, use in found.items())
    return of_data and not any(_gradient_is_made(course, objective, root, overrides) for root in found)


def _is_forward(course: Course, t: NodeId, gradients: Gradients) -> bool:
    """Whether the objective is made from a value."""
    users = course.roles.users
    behind = nearest_first([t], lambda x: () if course.roles.rests_on[x] else users.get(x, ()), _OFTEN**3)
    return any(x in gradients for x in behind)


def sizes(course: Course, t: NodeId) -> set[int]:
    """The numbers of samples and outputs: the shape of what an objective sums up first."""
    waiting, seen = [t], 0
    while waiting and seen < 12:
        x = waiting.pop(0)
        seen += 1
        if course.nodes[x].value.size > 1:
            return set(_shape(course, x))
        waiting += [a for a in course.nodes[x].parents() if course.roles.rests_on[a]]
    return set()


def _is_data(course: Course, root: NodeId, samples: int) -> bool:
    if not course.nodes[root].value.any():
        return False
    shape = _shape(course, root)
    keys = {str(course.nodes[u].kw) for u in course.roles.users.get(root, ()) if course.nodes[u].op == "getitem"}
    return (samples > 1 and samples in shape) or len(keys) > 1


def _looks_learned(course: Course, t: NodeId) -> bool:
    """Whether an array rests on nothing and was drawn at random or filled with one number, scaled perhaps."""
    first = course.nodes[t]
    if first.value.size == 1 and first.op == "leaf" and first.kw.get("made") == "constant":
        return (
            not first.value.any() and first.value.dtype.kind == "f"
        )  # that is added, and is 0: it waits to be learned
    for _ in range(6):
        node = course.nodes[t]
        if course.roles.rests_on[t] or node.value.dtype.kind != "f":
            return False
        if node.op == "leaf":
            return node.is_drawn or str(node.kw.get("made")).rpartition(".")[2] in _FILLED
        parents = [a for a in node.parents() if course.nodes[a].value.size > 1 or node.value.size == 1]
        if len(parents) != 1:
            return False
        t = parents[0]
    return False


def _is_bias(course: Course, a: NodeId, t: NodeId) -> bool:
    """Whether what is added is one for all samples."""
    return course.nodes[a].value.size < course.nodes[t].value.size or course.nodes[t].value.ndim < 2


def unlearned_tables(course: Course, objective: Objective, overrides: Overrides) -> Iterator[tuple[NodeId, NodeId]]:
    """Tables whose rows are read by numbers, of which the gradient is computed and nothing made: table and first use.

    A gradient of the data of one batch is no such table's.
    """
    if not objective.seeds:
        return
    for root in _tables(course, objective.seeds[0]):
        if _gradient_is_made(course, objective, root, overrides):
            uses = (t for t in range(root, course.limit) if course.nodes[t].op not in VIEWS and _reads(course, t, root))
            yield root, next(uses)


def _gradient_is_made(course: Course, objective: Objective, root: NodeId, overrides: Overrides) -> bool:
    """Whether the program computes one of the first gradients of an array that takes no step, or a multiple of it."""
    nodes, dep = course.nodes, course.resting | resting(course.nodes, {root})
    for seed, end in pairwise([*objective.seeds[:_OFTEN], course.limit]):
        whole = sweep(nodes, {seed: course.seed(objective, seed)}, course.stop | {root}, overrides, dep)
        gradient = whole.get(root)
        if gradient is not None and gradient.any():
            made = (t for t in range(root, end) if course.roles.rests_on[t] and not course.roles.flows[t])
            alike = (nodes[t].value for t in made if nodes[t].value.shape == gradient.shape)
            factors = (proportion(value, gradient, _SAME) or 0.0 for value in alike)
            return any(is_whole(c) if gradient.size == 1 else c for c in factors)
    return False


def _tables(course: Course, before: NodeId) -> set[NodeId]:
    """The arrays that look learned, and of which rows were read by an array of whole numbers, some more than once."""
    found = set[NodeId]()
    for t, node in enumerate(course.nodes[:before]):
        key = node.kw.get("k") if node.op == "getitem" else None
        if isinstance(key, np.ndarray) and key.dtype.kind in "iu" and len(np.unique(key)) < key.size:
            root = course.roles.root(t)
            if root not in course.stop and _looks_learned(course, root):
                found.add(root)
    return found


def _reads(course: Course, t: NodeId, root: NodeId) -> bool:
    return any(course.roles.root(a) == root for a in course.nodes[t].parents())
