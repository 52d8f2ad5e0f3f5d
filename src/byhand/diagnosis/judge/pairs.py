"""Which inputs meet which targets: rows torn apart, a target among its own inputs, one sample alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.judge.locate import call_beside, place_of
from byhand.diagnosis.judge.origins import MIXED, NEUTRAL, Labels, Origins, row_of, rows_in
from byhand.diagnosis.judge.roles import NodeId, made_of
from byhand.diagnosis.judge.shapes import ancestors, in_losses
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.written import is_in_loop, where_listed

_MEETINGS = 60  # of outputs with targets that are looked at in a stretch
_FEW = 8  # of them are asked once more whether a target is among the inputs
_MANY_ROWS, _EQUAL = 20, 1e-6  # from which on a column that is the target, scaled, is none by chance
_NEAR = 20  # operations after a value, in which what it picks is picked
_FEWEST = 4  # rows that can be out of order, and steps that show that there is one sample alone
MOVES = {"getitem", "item", "move", "gather", "stack", "copy"}


def pair_findings(first: Sight, sights: Sequence[Sight]) -> Iterator[Finding]:
    """The findings about inputs and their targets."""
    meetings = [m for m in _meetings(first) if not _is_table(first, m)]
    stepped = [m for m in meetings if m.steps]
    leaks = [found for m in stepped[:_FEW] if (found := _leak(first, m)) is not None]
    always = set.intersection(*(set(leak.evidence["which"]) for leak in leaks)) if leaks else set()
    if always and 2 * len(leaks) > len(stepped[:_FEW]):  # once alone it may be chance: a sum's summand that is 0
        yield leaks[0]  # where it is another number each time, to find it is the task
    yield from _noise_wanted_back(first, sights, stepped[:_FEW])
    yield from _torn_apart(first, meetings)
    yield from _one_sample(sights)
    yield from _overlapping(first)
    yield from _last_left_out(first)


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
    keys = sight.origins
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
    """Whether some numbers meet several others."""
    of_all = {sight.nodes[t].value.size for t in (m.at, m.output, m.target)}
    return sight.nodes[m.at].op not in ("getitem", "setitem") and len(of_all) > 1


# -- rows that do not belong together ----------------------------------------------------------------------------------


def _torn_apart(sight: Sight, meetings: Sequence[Meeting]) -> Iterator[Finding]:
    """Outputs of some rows that meet the targets of others."""
    by_rows, by_columns = sight.origins, Origins(sight.nodes, sight.course.stop, axis=-1)
    origins = by_rows if any(_compared(by_rows, m)[0].size for m in meetings) else by_columns
    wrong = {
        steps: _of_other_rows(sight, origins, [m for m in meetings if m.steps is steps]) for steps in (True, False)
    }
    if wrong[True]:
        shown = min([*wrong[True], *wrong[False]], key=lambda m: m.at)
        share = _share_apart(origins, wrong[True])
        text = f"{100 * share:.3g}% of the outputs are compared with the target of another row: "
        text += "inputs and targets are not in the same order."
        yield Finding(
            "label-shuffle-mismatch", _place_apart(sight, origins, shown), "exact", text, {"share_of_pairs": share}
        )
    elif wrong[False] and any(m.steps for m in meetings):
        share = _share_apart(origins, wrong[False])
        text = f"The loss compares {100 * share:.3g}% of the outputs with the target of another row; "
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
        if left.size and 2 * apart.sum() >= left.size:
            found.append(m)
            distances |= set(((left - right) % rows_in(left)).ravel().tolist())
    enough = len(distances) > 2 and 2 * len(found) >= len(meetings)
    goes_on = any(_shares_numbers(sight, m) and not _is_put_in_whole(sight, m) for m in found[:3])
    return found if enough and not goes_on else []


def _is_put_in_whole(sight: Sight, m: Meeting) -> bool:
    """Whether rows like the targets are what is put in: an autoencoder, which wants back what it was given."""
    shape = sight.nodes[m.target].value.shape
    alike = (sight.nodes[d].value.shape == shape for d in inputs(sight, m.output))
    return len(shape) > 1 and min(shape) >= _FEWEST and any(alike)


def _share_apart(origins: Origins, meetings: Sequence[Meeting]) -> float:
    pairs = [_compared(origins, m) for m in meetings]
    return float(sum((a != b).sum() for a, b in pairs) / max(sum(a.size for a, _ in pairs), 1))


def _place_apart(sight: Sight, origins: Origins, m: Meeting) -> Place:
    """The last time that all rows were put into another order, else where the target's rows are picked."""
    course = sight.course
    whole = []
    for t in (*ancestors(sight, m.output), *ancestors(sight, m.target)):
        node = sight.nodes[t]
        if node.op in MOVES and not course.roles.rests_on[t] and type(node.args[0]) is int and node.value.ndim:
            before, after = (_of_each(origins, x) for x in (node.args[0], t))
            is_whole = len(before) == len(after) >= _FEWEST and sight.nodes[node.args[0]].value.size == node.value.size
            if is_whole and before != after:
                whole.append(t)
    picks = [t for t in ancestors(sight, m.target) if sight.nodes[t].op == "getitem"]
    return place_of(course, max(whole, default=max(picks, default=m.at)))


def _of_each(origins: Origins, t: NodeId) -> list[int]:
    """The label of each sample, which lie along the axis along which there are most."""
    labels = origins.of(t)
    if not labels.size or not labels.ndim:
        return []
    ways = [labels.reshape(len(labels), -1).max(axis=1), labels.reshape(-1, labels.shape[-1]).max(axis=0)]
    return list(max((way.tolist() for way in ways), key=lambda way: len(set(way))))


# -- targets among the inputs ------------------------------------------------------------------------------------------


def _leak(sight: Sight, m: Meeting) -> Finding | None:
    """A target that is among the inputs of its own row, which are more than it."""
    found = _target_among_inputs(sight, m)
    if found is None:
        return _scaled_leak(sight, m)
    inputs, which, columns, origins = found
    k = len(which)
    if 2 * k > columns:
        return None  # an autoencoder: what is put in is wanted back
    if sight.trial is None or not sight.trial.right or _is_a_sequence(sight, m):
        return None
    joined = [t for t in ancestors(sight, inputs) if _joins(sight, origins, t)]
    if joined and joined[0] in ancestors(sight, m.target):  # a whole table: where the inputs' columns are picked of it
        joined = [t for t in ancestors(sight, inputs) if _picks_columns(sight, t, joined[0])] or joined
    joined += [t for t in _made_of_one(sight, m.target, inputs) if sight.nodes[t].op == "getitem"]
    joined += [t for t in ancestors(sight, m.output) if inputs in sight.nodes[t].parents()]
    text = (
        f"{k} of the {columns} numbers that each row gives to the network {'is' if k == 1 else 'are'} its own target."
    )
    cuts = (cut for t in (inputs, joined[0]) if (cut := _first_cut(sight, t)) != t)
    place = place_of(sight.course, next(cuts, joined[0]))
    return Finding("label-leak", place, "exact", text, {"inputs": columns, "of_them_targets": k, "which": which})


def _made_of_one(sight: Sight, t: NodeId, source: NodeId) -> list[NodeId]:
    """What a value was made of that was itself made of a source, which is one of them, back to the parameters."""
    made = {source}
    for x in (behind := ancestors(sight, t)):
        if any(a in made and a not in sight.course.stop for a in sight.nodes[x].parents()):
            made.add(x)
    return [x for x in behind if x in made]


def _first_cut(sight: Sight, table: NodeId) -> NodeId:
    """Where the first row of a table was cut out of a series, if all were cut out of one; else the table."""
    nodes, rows = sight.nodes, sight.nodes[table].parents()
    if len(rows) < 2 or any(nodes[r].op not in ("getitem", "gather") for r in rows):
        return table
    pieces = {(sight.course.roles.root(r), nodes[r].value.shape) for r in rows}
    shape = nodes[rows[0]].value.shape
    cuts = [t for t in ancestors(sight, table) if nodes[t].op == "getitem" and nodes[t].value.shape == shape]
    return min(cuts, default=table) if len(pieces) == 1 else table


def _scaled_leak(sight: Sight, m: Meeting) -> Finding | None:
    """A column of the inputs that is the target times a number plus another in every row, though none was made so.

    Where the target was computed, as that of a made-up task is from its inputs, only one that is the target itself.
    """
    target = np.ravel(sight.value(m.target))
    is_computed = _is_computed(sight, m.target)
    if len(target) < _MANY_ROWS:
        return None
    for d in inputs(sight, m.output):
        rows = sight.value(d)
        if rows.ndim != 2 or len(target) not in rows.shape or min(rows.shape) < 2:
            continue
        rows = rows if len(rows) == len(target) else rows.T
        for j, column in enumerate(rows.T):
            scale = _scale(column, target)
            if scale is not None and (not is_computed or np.allclose(scale, (1.0, 0.0))):
                wide = rows.shape[1]
                scaled = "" if is_computed else f", times {scale[0]:.4g} and plus {scale[1]:.4g}"
                text = f"Number {j + 1} of the {wide} that each row gives to the network is its own target{scaled}, in "
                text += f"all {len(target)} rows of a step."
                first = min(t for t in ancestors(sight, d) if sight.value(t).ndim == 2 and wide in sight.value(t).shape)
                cut = _first_cut(sight, first)
                assigned = sight.first_assigned(sight.name_of(first), first)
                place = assigned if cut == first else place_of(sight.course, cut)
                return Finding("label-leak", place, "symptom", text, {"inputs": wide, "which": [j]})
    return None


def _noise_wanted_back(first: Sight, sights: Sequence[Sight], meetings: Sequence[Meeting]) -> Iterator[Finding]:
    """Inputs with noise drawn onto them that are the target as well, where what is measured is held against others."""
    noisy = [t for m in meetings if (t := _noise_drawn_onto(first, m)) is not None]
    if len(set(noisy)) == len(meetings) > 1 and any(map(_is_measured_against_others, sights)):
        text = "The steps hold the output against the very input that noise was drawn onto; where it is measured, it "
        text += "is held against other numbers than its input. What is learned is to give the noise back."
        yield Finding("label-leak", call_beside(first.course, meetings[0].at, noisy[0]), "exact", text)


def _noise_drawn_onto(sight: Sight, m: Meeting) -> NodeId | None:
    """Where rows of data that were there before the first step get numbers drawn now, if that is input and target."""
    roles, nodes = sight.course.roles, sight.nodes
    t = roles.root(m.target)
    pair = nodes[t].parents() if nodes[t].op in ("add", "multiply") else []
    is_input = any(roles.root(d) == t for d in inputs(sight, m.output))
    for data, noise in (pair, pair[::-1]) if is_input and len(pair) == 2 else ():
        is_picked = roles.root(data) < min(data, *(s.versions[1] for s in roles.states))
        if is_picked and any(nodes[x].is_drawn for x in made_of(nodes, noise, after=data)):
            return t
    return None


def _is_measured_against_others(sight: Sight) -> bool:
    """Whether an output that no step follows is held against other numbers than its input, as many."""
    roles, nodes = sight.course.roles, sight.nodes
    for t, node in enumerate(nodes):
        if node.op == "subtract" and roles.rests_on[t] and not roles.flows[t] and node.value.size > 1:
            for target in (a for a in node.parents() if not roles.rests_on[a]):
                output = next(iter(a for a in node.parents() if a != target), None)
                data = inputs(sight, output) if output is not None else []
                same = [d for d in data if nodes[d].value.shape == nodes[target].value.shape == node.value.shape]
                if same and not any(np.array_equal(nodes[d].value, nodes[target].value) for d in same):
                    return True
    return False


def _is_computed(sight: Sight, t: NodeId) -> bool:
    """Whether a value was computed from other data, as a target is from inputs when a task is made up."""
    made = [sight.nodes[x] for x in (t, *ancestors(sight, t)) if sight.nodes[x].value.size > 1]
    return any(n.op not in MOVES | {"leaf"} and len(n.parents()) > 0 for n in made)


def _scale(column: Array, target: Array) -> tuple[float, float] | None:
    """The numbers a and b for which column = a target + b, if there are such."""
    if not (np.isfinite(column).all() and np.isfinite(target).all() and np.ptp(column) and np.ptp(target)):
        return None
    a, b = np.polyfit(target, column, 1)
    return (float(a), float(b)) if np.abs(a * target + b - column).max() < _EQUAL * np.ptp(column) else None


def _is_a_sequence(sight: Sight, m: Meeting) -> bool:
    """Whether several inputs meet parameters at one place, as steps of time do: to remember one may be the task."""
    places = [
        sight.nodes[t].site
        for t in ancestors(sight, m.output)
        if sight.course.roles.rests_on[t] and any(a in inputs(sight, m.output) for a in sight.nodes[t].parents())
    ]
    return len(set(places)) < len(places)


def _joins(sight: Sight, origins: Origins, t: NodeId) -> bool:
    """Whether numbers of the target and others become one array here."""
    held = [bool((origins.of(a) >= 0).any()) for a in sight.nodes[t].parents() if (origins.of(a) != NEUTRAL).any()]
    return sight.nodes[t].op in MOVES and any(held) and not all(held)


def _picks_columns(sight: Sight, t: NodeId, table: NodeId) -> bool:
    node = sight.nodes[t]
    return node.op == "getitem" and table in node.parents() and isinstance(node.kw["k"], tuple) and node.value.ndim == 2


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
    if node.op in MOVES:
        return None
    return (t << 32) + np.arange(node.value.size).reshape(node.value.shape)


def _target_among_inputs(sight: Sight, m: Meeting) -> tuple[NodeId, list[int], int, Origins] | None:
    """The input that holds its own target, which numbers of a row are that, of how many, and the labels."""
    if sight.nodes[m.target].value.size > 1_000_000:
        return None
    started = _target_origins(sight, m)
    if started is None:
        return None
    target, origins = started
    n = len(target) if target.ndim else 1
    wanted = target.reshape(n, -1)
    columns, which, where = 0, list[int](), None
    for d in inputs(sight, m.output):
        labels = origins.of(d)
        if not labels.ndim or n not in (labels.shape[0], labels.shape[-1], 1):
            rows = labels.reshape(1, -1) if n == 1 else None
        else:
            rows = labels.reshape(n, -1) if n in (1, labels.shape[0]) else labels.reshape(-1, n).T
        if rows is None:
            continue
        columns += int((rows != NEUTRAL).any(axis=0).sum())
        mine = [np.flatnonzero((rows == wanted[:, [j]]).all(axis=0)) for j in range(min(wanted.shape[1], 1000))]
        if all(found.size for found in mine) and where is None:
            where, which = d, sorted(set(np.concatenate(mine).tolist()))
    if where is None:
        return None
    return where, which, columns, origins


def inputs(sight: Sight, output: NodeId) -> list[NodeId]:
    """The data that meet parameters on the way to an output."""
    rests = sight.course.roles.rests_on
    # what a target gave to an earlier error came here by a step
    errors = {sight.nodes[o.seeds[0]].site for o in sight.course.roles.objectives if o.kind == "error"}
    found = [
        a
        for t in ancestors(sight, output)
        if rests[t] and sight.nodes[t].site not in errors
        for a in sight.nodes[t].parents()
        if not rests[a] and sight.nodes[a].kw.get("made") != "constant"
    ]
    return sorted({*found, *_picked_by(sight, output)})


def _picked_by(sight: Sight, output: NodeId) -> Iterator[NodeId]:
    """The numbers by which an output's rows are picked out of a parameter, as words are out of their table."""
    for t in ancestors(sight, output):
        node = sight.nodes[t]
        key = (
            node.kw.get("k")
            if node.op == "getitem" and node.parents()[:1] and sight.course.roles.root(t) in sight.course.stop
            else None
        )
        if (
            isinstance(key, np.ndarray)
            and key.dtype.kind in "iu"
            and (found := sight.origins.node_of(key, t)) is not None
        ):
            yield found


def _shares_numbers(sight: Sight, m: Meeting) -> bool:
    """Whether numbers of the target are among the inputs, of whatever row: a sequence that goes on, an autoencoder."""
    started = _target_origins(sight, m)
    return started is not None and any((started[1].of(d) >= 0).any() for d in inputs(sight, m.output))


# -- one and the same sample -------------------------------------------------------------------------------------------


def _one_sample(sights: Sequence[Sight]) -> Iterator[Finding]:
    """All steps rest on one row, while there are more; or on one batch, in a loop over as many as there are."""
    seen: list[set[int]] = []
    for sight in sights:
        for m in (m for m in _meetings(sight) if m.steps):
            seen.append({int(x) for side in (m.output, m.target) for x in np.unique(sight.origins.of(side))})
            if min(seen[-1], default=-1) < 0 or (sight is sights[0] and seen[-1] != seen[0]):
                return
        if len(seen) < _FEWEST:
            return
    if not seen:
        return
    label = np.array(sorted(seen[0]))
    used, rows = np.unique(row_of(label)), int(rows_in(label)[0])
    m = next(m for m in _meetings(sights[0]) if m.steps)
    evidence = {"rows": rows, "steps": len(seen)}
    text = f"Every step seen ({len(seen)}) uses "
    if len(label) == 1:
        text += f"row {int(used[0])} alone, of {rows}."
    elif _has_a_loop_over(sights[0], m, rows / len(used)):
        text += f"the same {len(used)} rows, of {rows}."
    else:
        return
    yield Finding("one-sample-only", place_of(sights[0].course, _picked(sights[0], m)), "exact", text, evidence)


def _has_a_loop_over(sight: Sight, m: Meeting, batches: float) -> bool:
    """Whether a loop inside another, in which rows meet their targets, turns once for each batch of an epoch."""
    turns = {math.floor(batches), math.ceil(batches)} - {1}
    calls = [Place(*frame[1::-1]) for frame in sight.nodes[m.at].site[1:]]
    loops = {Place(loop.line, loop.file) for loop in sight.trace.tape.loops if loop.depth and loop.length in turns}
    return batches > 1 and any(is_in_loop(sight.trace.texts, call, loop) for call in calls for loop in loops)


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


def _overlapping(sight: Sight) -> Iterator[Finding]:
    """Batches that begin a few rows after one another, and of which an epoch meets but a part of the rows."""
    batches = _picked_in_turn(sight)
    alike: dict[tuple[tuple[int, int, int], ...], list[NodeId]] = defaultdict(list)
    for ts in batches.values():
        found = [span for t in ts if (span := _span(sight, t)) is not None]
        if len(found) == len(ts) >= _FEWEST:
            alike[tuple(found)].append(ts[0])
    for spans, ts in alike.items():
        shifts = {b[0] - a[0] for a, b in pairwise(spans) if b[0] > a[0]}
        are_pairs = len({sight.nodes[t].parents()[0] for t in ts}) > 1  # else the rows may be steps of time
        is_used = any(sight.course.roles.flows[t] for t in ts)
        if not are_pairs and _are_in_any_order(sight, ts[0]):
            are_pairs, is_used = True, _picks_for_a_step(sight, ts[0])
        if not (are_pairs and is_used) or len(shifts) != 1 or len({span[1:] for span in spans}) != 1:
            continue
        (_, size, rows), shift = spans[0], shifts.pop()
        lengths = [loop.length for loop in sight.trace.tape.loops if loop.depth and loop.length]
        reached = (max(lengths, default=rows) - 1) * shift + size
        if shift < size and reached + size <= rows:
            text = f"Each batch has {size} rows and begins {shift} after the one before: "
            text += f"the batches of an epoch reach {reached} of {rows} rows"
            stay = {sight.nodes[sight.nodes[t].parents()[0]].value.tobytes() for t in batches[sight.nodes[ts[0]].site]}
            text += ", and no others are ever learned from." if len(stay) == 1 else "."  # else in another order later
            evidence = {"rows": rows, "reached": reached, "batch": size, "shift": shift}
            yield Finding("batches-overlap", place_of(sight.course, ts[0]), "exact", text, evidence)
            return


def _picked_in_turn(sight: Sight) -> dict[object, list[NodeId]]:
    """What is picked from data at each place, in turn."""
    batches: dict[object, list[NodeId]] = defaultdict(list)
    for t, node in enumerate(sight.nodes):
        if node.op == "getitem" and not sight.course.roles.rests_on[t]:
            batches[node.site].append(t)
    return batches


def _last_left_out(sight: Sight) -> Iterator[Finding]:
    """Batches of rows in an order by chance that end, in every pass, just one batch before the rows do."""
    for ts in _picked_in_turn(sight).values():
        found = [span for t in ts if (span := _span(sight, t)) is not None]
        begun = [k for k, span in enumerate(found) if span[0] == 0]
        passes = {tuple(found[k:end]) for k, end in pairwise(begun)}  # the last may not have been seen to its end
        if len(found) < len(ts) or len(passes) != 1 or not (_is_mixed(sight, ts[0]) and _makes_a_step(sight, ts[0])):
            continue
        [spans] = passes
        (_, size, rows), reached = spans[0], len(spans) * spans[0][1]
        in_turn = spans == tuple((size * k, size, rows) for k in range(len(spans)))
        if in_turn and len(spans) > 1 and reached + size == rows:
            text = f"A pass has {len(spans)} batches of {size} rows, and ends there: the last {size} of the {rows} "
            text += "rows, just a batch more, are left out in every pass."
            place = place_of(sight.course, ts[0])
            place = where_listed(sight.trace.texts, place) or place
            yield Finding("batch-left-out", place, "exact", text, {"rows": rows, "reached": reached, "batch": size})
            return


def _is_mixed(sight: Sight, t: NodeId) -> bool:
    """Whether a part is of rows that were put in an order by chance, or of the numbers of rows in such an order."""
    base = sight.nodes[sight.nodes[t].parents()[0]]
    key = base.kw["k"] if base.op == "getitem" else None
    return _is_any_order(key) if isinstance(key, np.ndarray) else _are_in_any_order(sight, t)


def _makes_a_step(sight: Sight, t: NodeId) -> bool:
    return bool(sight.course.roles.flows[t]) or _picks_for_a_step(sight, t)


def _are_in_any_order(sight: Sight, t: NodeId) -> bool:
    """Whether a value is a part of the numbers of all rows in an order by chance: no order of time."""
    return _is_any_order(sight.nodes[sight.nodes[t].parents()[0]].value)


def _is_any_order(rows: Array) -> bool:
    is_all = rows.dtype.kind in "iu" and rows.ndim == 1 and np.array_equal(np.sort(rows), np.arange(len(rows)))
    return is_all and bool((np.diff(rows) < 0).any() and (np.diff(rows) > 0).any())


def _picks_for_a_step(sight: Sight, t: NodeId) -> bool:
    """Whether rows that a step is made of are picked by a value, right after it was made."""
    rows, nodes, flows = sight.nodes[t].value, sight.nodes, sight.course.roles.flows
    near = range(t + 1, min(t + _NEAR, len(nodes)))
    return any(nodes[k].op == "getitem" and flows[k] and _has_key(nodes[k].kw["k"], rows) for k in near)


def _has_key(key: object, rows: Array) -> bool:
    keys = key if isinstance(key, tuple) else (key,)
    return any(isinstance(k, np.ndarray) and np.array_equal(k, rows) for k in keys)


def _span(sight: Sight, t: NodeId) -> tuple[int, int, int] | None:
    """The first of the rows that are read, how many they are, and of how many; None where they are no slice."""
    node = sight.nodes[t]
    k = node.kw["k"][0] if isinstance(node.kw["k"], tuple) and node.kw["k"] else node.kw["k"]
    base = sight.nodes[node.parents()[0]].value
    if not isinstance(k, slice) or not base.ndim:
        return None
    start, stop, stride = k.indices(len(base))
    return (start, stop - start, len(base)) if stride == 1 else None
