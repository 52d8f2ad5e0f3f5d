"""What happens to the data: pairs torn apart, targets among the inputs, inputs that change, one sample alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.judge.anatomy import PRODUCTS
from byhand.diagnosis.judge.locate import place_of
from byhand.diagnosis.judge.origins import MIXED, NEUTRAL, Labels, Origins, row_of, rows_in
from byhand.diagnosis.judge.roles import NodeId, State
from byhand.diagnosis.judge.shapes import ancestors, in_losses, shape_findings
from byhand.diagnosis.judge.sight import Sight

_MEETINGS = 60  # of outputs with targets that are looked at in a stretch
_FEWEST = 4  # rows that can be out of order
_MOVES = {"getitem", "item", "move", "gather", "stack", "copy"}
_REPEATS = 3


def data_findings(first: Sight, sights: Sequence[Sight]) -> Iterator[Finding]:
    """The findings about the data."""
    yield from shape_findings(first, sights)
    if first.trial is None:
        return
    yield from _changed_inputs(first)
    yield from _whole_numbers(first)
    yield from _seeded_again(first)
    meetings = [m for m in _meetings(first) if not _is_table(first, m)]
    leaks = [leak for leak in (_leak(first, m) for m in meetings if m.steps) if leak is not None][:1]
    yield from leaks
    yield from _torn_apart(first, meetings)
    yield from _one_sample(sights)


# -- where outputs meet targets ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Meeting:
    """A node where an output and a target are put together, and whether steps are made from it."""

    at: NodeId
    output: NodeId
    target: NodeId
    steps: bool


def _meetings(sight: Sight) -> list[Meeting]:
    """Where outputs meet data of their size: in the errors that steps are made from, and in the script's own loss."""
    roles = sight.course.roles
    errors = set(sight.errors[:_MEETINGS])
    chosen = {t for o in roles.objectives if o.kind == "error" for t in o.seeds[:_MEETINGS]}
    keys = Origins(sight.nodes, sight.course.stop)
    found = []
    for t in sorted(errors | chosen | in_losses(sight)):
        node = sight.nodes[t]
        steps = t in errors or (t in chosen and node.op == "setitem")
        target = _target_at(sight, keys, t)
        if target is None or (roles.flows[t] and not steps):
            continue
        output = next(a for a in node.parents() if roles.rests_on[a])
        if output not in roles.versions:
            found.append(Meeting(t, output, target, steps))
    return found


def _target_at(sight: Sight, keys: Origins, t: NodeId) -> NodeId | None:
    """The data that an output meets in a node: an operand, or the classes by which it is picked from."""
    node, rests = sight.nodes[t], sight.course.roles.rests_on
    pair = node.parents()
    if node.op in ("getitem", "setitem") and rests[pair[0]]:
        k = node.kw["k"]
        is_choice = isinstance(k, tuple) and len(k) == 2 and isinstance(k[1], np.ndarray) and k[1].ndim == 1
        if (
            is_choice
            and not isinstance(k[0], slice)
            and np.array_equal(k[0], np.arange(len(sight.nodes[pair[0]].value)))
        ):
            return keys.node_of(k[1], t)
    elif node.op in ("subtract", "multiply", "xlogy") and len(pair) == 2 and sum(rests[a] > 0 for a in pair) == 1:
        return next(a for a in pair if not rests[a])
    return None


def _is_table(sight: Sight, m: Meeting) -> bool:
    return sight.nodes[m.at].value.size > max(sight.nodes[a].value.size for a in (m.output, m.target))


# -- rows that do not belong together ----------------------------------------------------------------------------------


def _torn_apart(sight: Sight, meetings: Sequence[Meeting]) -> Iterator[Finding]:
    """Outputs of some rows that meet the targets of others."""
    origins = Origins(sight.nodes, sight.course.stop)
    wrong = {
        steps: _of_other_rows(sight, origins, [m for m in meetings if m.steps is steps]) for steps in (True, False)
    }
    if wrong[True]:
        shown = min([*wrong[True], *wrong[False]], key=lambda m: m.at)
        share = _share_apart(origins, wrong[True])
        text = f"{share:.0%} of the outputs are compared with the target of another row: "
        text += "inputs and targets are not in the same order."
        yield Finding(
            "label-shuffle-mismatch", _place_apart(sight, origins, shown), "exact", text, {"share_of_pairs": share}
        )
    elif wrong[False] and any(m.steps for m in meetings):
        share = _share_apart(origins, wrong[False])
        text = f"The loss compares {share:.0%} of the outputs with the target of another row; "
        text += "the steps use the right ones."
        place = _place_apart(sight, origins, wrong[False][0])
        yield Finding("loss-on-other-data", place, "exact", text, {"share_of_pairs": share})


def _compared(origins: Origins, m: Meeting) -> tuple[Labels, Labels]:
    """The labels of output and target where both are rows of arrays of one length."""
    k = origins.nodes[m.at].kw.get("k", ...)
    left, right = np.broadcast_arrays(origins.of(m.output)[k], origins.of(m.target))
    both = (left >= 0) & (right >= 0) & (rows_in(left) == rows_in(right)) & (rows_in(left) >= _FEWEST)
    return left[both], right[both]


def _of_other_rows(sight: Sight, origins: Origins, meetings: Sequence[Meeting]) -> list[Meeting]:
    """The meetings of rows that do not belong together, unless all are moved by the same number of rows."""
    found, distances = [], set()
    for m in meetings:
        left, right = _compared(origins, m)
        apart = left != right
        if left.size and 2 * apart.sum() >= left.size and not _shares_numbers(sight, m):
            found.append(m)
            distances |= set(((left - right) % rows_in(left)).ravel().tolist())
    enough = len(distances) > 2 and 2 * len(found) >= len(meetings)
    return found if enough else []


def _share_apart(origins: Origins, meetings: Sequence[Meeting]) -> float:
    pairs = [_compared(origins, m) for m in meetings]
    return float(sum((a != b).sum() for a, b in pairs) / max(sum(a.size for a, _ in pairs), 1))


def _place_apart(sight: Sight, origins: Origins, m: Meeting) -> Place:
    """The last time that all rows were put into another order, else where the target's rows are picked."""
    course = sight.course
    whole = []
    for t in (*ancestors(sight, m.output), *ancestors(sight, m.target)):
        node = sight.nodes[t]
        if node.op in _MOVES and not course.roles.rests_on[t] and type(node.args[0]) is int and node.value.ndim:
            before = sight.nodes[node.args[0]].value
            same_length = before.ndim and before.shape[origins.axis] == node.value.shape[origins.axis] >= _FEWEST
            if same_length and before.size == node.value.size and _first(origins, t) != _first(origins, node.args[0]):
                whole.append(t)
    picks = [t for t in ancestors(sight, m.target) if sight.nodes[t].op == "getitem"]
    return place_of(course, max(whole, default=max(picks, default=m.at)))


def _first(origins: Origins, t: NodeId) -> list[int]:
    """The label of each sample, at its first element."""
    labels = origins.of(t)
    along: list[int] = (
        labels.reshape(len(labels), -1)[:, 0] if origins.axis == 0 else labels.reshape(-1, labels.shape[-1])[0]
    ).tolist()
    return along


# -- targets among the inputs ------------------------------------------------------------------------------------------


def _leak(sight: Sight, m: Meeting) -> Finding | None:
    """A target that is among the inputs of its own row, which are more than it."""
    found = _target_among_inputs(sight, m)
    if found is None:
        return None
    inputs, k, columns, origins = found
    if 2 * k > columns:
        return None  # an autoencoder: what is put in is wanted back
    joined = [t for t in ancestors(sight, inputs) if _joins(sight, origins, t)]
    joined += [t for t in ancestors(sight, m.output) if inputs in sight.nodes[t].parents()]
    text = (
        f"{k} of the {columns} numbers that each row gives to the network {'is' if k == 1 else 'are'} its own target."
    )
    place = place_of(sight.course, joined[0])
    return Finding("label-leak", place, "exact", text, {"inputs": columns, "of_them_targets": k})


def _joins(sight: Sight, origins: Origins, t: NodeId) -> bool:
    """Whether numbers of the target and others become one array here."""
    held = [bool((origins.of(a) >= 0).any()) for a in sight.nodes[t].parents() if (origins.of(a) != NEUTRAL).any()]
    return sight.nodes[t].op in _MOVES and any(held) and not all(held)


def _target_origins(sight: Sight, m: Meeting) -> tuple[Labels, Origins] | None:
    """The numbers of a target, each with a label of its own, and the labels that they give to other values."""
    own: dict[NodeId, Labels] = {}
    numbers = Origins(sight.nodes, sight.course.stop, lambda t: _numbered(sight, t))
    target = numbers.of(m.target)
    if not (target >= 0).all() or not target.size:
        return None
    wanted = np.unique(target)
    for root in np.unique(wanted >> 32):
        labels = _numbered(sight, int(root))
        assert labels is not None
        own[int(root)] = np.where(np.isin(labels, wanted), labels, MIXED)

    def base(t: NodeId) -> Labels | None:
        if t in own:
            return own[t]
        node = sight.nodes[t]
        if node.op not in ("leaf", "opaque"):
            return None
        constant = node.value.size < 2 or bool((node.value == node.value.ravel()[0]).all())
        return np.broadcast_to(np.int64(NEUTRAL if constant else MIXED), node.value.shape)

    return target, Origins(sight.nodes, sight.course.stop, base)


def _numbered(sight: Sight, t: NodeId) -> Labels | None:
    node = sight.nodes[t]
    if node.op in _MOVES:
        return None
    return (t << 32) + np.arange(node.value.size).reshape(node.value.shape)


def _target_among_inputs(sight: Sight, m: Meeting) -> tuple[NodeId, int, int, Origins] | None:
    """The input that holds its own target, how many numbers of a row are that, of how many, and the labels."""
    if sight.nodes[m.target].value.size > 1_000_000:
        return None
    started = _target_origins(sight, m)
    if started is None:
        return None
    target, origins = started
    n = len(target) if target.ndim else 1
    wanted = target.reshape(n, -1)
    columns, held, where = 0, 0, None
    for d in _inputs(sight, m):
        labels = origins.of(d)
        if not labels.ndim or n not in (labels.shape[0], labels.shape[-1], 1):
            rows = labels.reshape(1, -1) if n == 1 else None
        else:
            rows = labels.reshape(n, -1) if n in (1, labels.shape[0]) else labels.reshape(-1, n).T
        if rows is None:
            continue
        columns += int((rows != NEUTRAL).any(axis=0).sum())
        mine = sum(bool((rows == wanted[:, [j]]).any(axis=1).all()) for j in range(min(wanted.shape[1], 1000)))
        if mine and where is None:
            where, held = d, mine
    if where is None or held < wanted.shape[1]:
        return None
    return where, held, columns, origins


def _inputs(sight: Sight, m: Meeting) -> list[NodeId]:
    """The data that meet parameters on the way to an output."""
    rests = sight.course.roles.rests_on
    found = [
        a
        for t in ancestors(sight, m.output)
        if rests[t]
        for a in sight.nodes[t].parents()
        if not rests[a] and sight.nodes[a].kw.get("made") != "constant"
    ]
    return sorted(set(found))


def _shares_numbers(sight: Sight, m: Meeting) -> bool:
    """Whether numbers of the target are among the inputs, of whatever row: a sequence that goes on, an autoencoder."""
    started = _target_origins(sight, m)
    return started is not None and any((started[1].of(d) >= 0).any() for d in _inputs(sight, m))


# -- one and the same sample -------------------------------------------------------------------------------------------


def _one_sample(sights: Sequence[Sight]) -> Iterator[Finding]:
    """All steps rest on one row, while there are more."""
    seen: set[int] = set()
    steps = 0
    for sight in sights:
        origins = Origins(sight.nodes, sight.course.stop)
        for m in (m for m in _meetings(sight) if m.steps):
            labels = {int(x) for side in (m.output, m.target) for x in np.unique(origins.of(side))}
            if sight is sights[0] and (len(labels) != 1 or min(labels) < 0):
                return
            seen |= labels if sight is sights[0] else set()
            steps += 1
    if len(seen) == 1 and steps >= _FEWEST:
        label = np.array([*seen])
        m = next(m for m in _meetings(sights[0]) if m.steps)
        row, rows = int(row_of(label)[0]), int(rows_in(label)[0])
        text = f"Every step seen ({steps}) uses row {row} alone, of {rows}."
        place = place_of(sights[0].course, _picked(sights[0], m))
        yield Finding("one-sample-only", place, "exact", text, {"rows": rows, "steps": steps})


def _picked(sight: Sight, m: Meeting) -> NodeId:
    """Where the number of the row was made, else where it is read."""
    nodes = sight.nodes
    picks = [t for t in ancestors(sight, m.output) if nodes[t].op == "getitem" and not sight.course.roles.rests_on[t]]
    for t in picks:
        key = nodes[t].kw["k"]
        if isinstance(key, np.ndarray):
            made = [
                x
                for x in range(t)
                if nodes[x].op != "leaf" and nodes[x].value.dtype.kind in "iu" and np.array_equal(nodes[x].value, key)
            ]
            return max(made, default=t)
    return min(picks, default=m.at)


# -- what changes that should not, and does not change that should -----------------------------------------------------


def _changed_inputs(sight: Sight) -> Iterator[Finding]:
    """Data that are made anew from themselves in every round."""
    assert sight.trial is not None
    assert sight.body is not None
    for state in sight.course.roles.parameters(sight.trial.objective.rests_on):
        changes = [
            c for v, w in zip(state.versions, state.versions[1:], strict=False) if (c := _own_change(sight, v, w))
        ]
        if len(changes) < len(state.versions) - 1 or not changes or not _meets_parameters(sight, state):
            continue
        name = sight.name(state) or "The data"
        text = f"{name} is changed here again in every round ({len(changes)} times seen): "
        text += "the network reads other numbers each time."
        yield Finding("input-mutated", place_of(sight.course, changes[0]), "exact", text, {"times": len(changes)})


def _own_change(sight: Sight, v: NodeId, w: NodeId) -> NodeId | None:
    """The first operation from one version to the next, if nothing but constants and itself have a part in it."""
    nodes, first = sight.nodes, w
    waiting, seen = [w], {w}
    while waiting:
        t = waiting.pop()
        for a in nodes[t].parents():
            if a == v:
                first = min(first, t)
            elif a > v and a not in seen:
                seen.add(a)
                waiting.append(a)
            elif a <= v and nodes[a].value.size > 1:
                return None
    changing = [t for t in seen if nodes[t].op not in _MOVES | {"setitem", "scatter"}]
    return min(changing, default=None) if np.any(nodes[v].value != nodes[w].value) else None


def _meets_parameters(sight: Sight, state: State) -> bool:
    """Whether a state stands where data stand: multiplied by another state's version."""
    assert sight.body is not None
    roles, bit = sight.course.roles, sight.course.roles.bit(state)
    for t in sight.body.reached:
        node = sight.nodes[t]
        pair = node.parents()
        if node.op in PRODUCTS | {"multiply"} and len(pair) == 2:
            for data, parameter in (pair, pair[::-1]):
                own = roles.versions.get(sight.body.root(parameter))
                if own is not None and own is not state and roles.rests_on[data] == bit:
                    return True
    return False


def _whole_numbers(sight: Sight) -> Iterator[Finding]:
    """Parameters kept as integers."""
    assert sight.trial is not None
    for state in sight.course.roles.parameters(sight.trial.objective.rests_on):
        first = sight.nodes[state.versions[0]]
        if all(sight.nodes[v].value.dtype.kind in "iu" for v in state.versions) and first.value.ndim:
            name = sight.name(state)
            lines = [n for n, text in sight.trace.targets.get(first.file, {}).items() if text == name]
            place = Place(min(lines, default=first.line), first.file)
            text = f"{name or 'A parameter'} is an array of whole numbers ({first.value.dtype}): "
            text += "what a step leaves behind the point is cut off."
            yield Finding("integer-parameters", place, "exact", text, {"dtype": str(first.value.dtype)})


def _seeded_again(sight: Sight) -> Iterator[Finding]:
    """The same random numbers in each round of one training."""
    assert sight.trial is not None
    spans = [(s.versions[0], s.versions[-1]) for s in sight.trial.explained]
    by_place: dict[Place, list[NodeId]] = defaultdict(list)
    for s in sight.trace.tape.seeded:
        if any(start < s.before < end for start, end in spans):
            by_place[Place(s.line, s.file)].append(s.before)
    for place, times in by_place.items():
        if len(times) < _REPEATS:
            continue
        draws: dict[object, list[NodeId]] = defaultdict(list)
        for t in range(times[0], min(len(sight.nodes), times[-1] + (times[-1] - times[0]) // len(times))):
            if _drawn(sight, t) is not None:
                draws[sight.nodes[t].site].append(t)
        for same in draws.values():
            numbers = [_drawn(sight, t) for t in same]
            equal = all(np.array_equal(numbers[0], x) for x in numbers[1:])  # type: ignore[arg-type]
            if _REPEATS <= len(same) <= len(times) and equal:
                text = "The random numbers are seeded anew in every round: "
                text += f"the same {np.size(numbers[0])} numbers were drawn {len(same)} times."
                yield Finding("seed-in-loop", place, "exact", text, {"times": len(same)})
                return


def _drawn(sight: Sight, t: NodeId) -> Array | None:
    """Random numbers that a node is, or rows in no order that it picks."""
    node = sight.nodes[t]
    if node.op == "leaf" and str(node.kw.get("made")).startswith("random.") and node.value.size > 1:
        return node.value
    key = node.kw.get("k")
    is_disorder = isinstance(key, np.ndarray) and key.dtype.kind in "iu" and key.ndim == 1 and (np.diff(key) < 0).any()
    return key if is_disorder else None
