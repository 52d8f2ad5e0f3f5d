"""Whether a perfect output would be measured as perfect.

What the steps want of an output stands in the training: its targets. Put in the place of an output that is measured,
the targets of the same rows must come out as no error at all, and as all right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.judge.locate import place_of
from byhand.diagnosis.judge.origins import Labels
from byhand.diagnosis.judge.roles import NodeId
from byhand.diagnosis.judge.rows import Meeting, Rows, last_versions
from byhand.diagnosis.judge.shapes import ancestors
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.tape.derive import Unknown, forward
from byhand.diagnosis.tape.nodes import Const

Relation: TypeAlias = Callable[[Array], "Array | None"]

_ENOUGH, _OFTEN = 8, 3  # rows that show a relation, and how often each class is to be met
_EXACT, _PERFECT = 1e-9, 1e-6
_LINKS = 6  # from a comparison to the number that is told of it
_STEPS_READ, _ASKED = 40, 4
_CURVES = (np.positive, np.log, np.log1p, np.sqrt, np.square, np.exp, np.reciprocal)
"""What is done with a target before it is scaled."""
_TABLE = 2  # axes
_CODED = {"setitem", "getitem"}
"""How a code is written."""
_COMPARED = {"subtract", "equal", "not_equal"}


def measured_wrongly(rows: Rows, sights: Sequence[Sight]) -> Iterator[Finding]:
    """The first measure that would not be perfect if the outputs were."""
    for sight in (s for s in sights if s.verdict.kind == "right"):
        yield from islice(_over_the_samples(rows, sight), 1)
        meetings = list(rows.meetings(sight, loose=True))
        forms = _forms(sight)
        wanted = _wanted(sight, forms, [m for m in meetings if m.steps][-_STEPS_READ:])
        places: dict[object, list[Meeting]] = defaultdict(list)
        for m in meetings if wanted else ():
            if not m.steps and sight.nodes[m.at].op in _COMPARED:
                places[m.place].append(m)
        for same in places.values():
            asked = same[:: max(len(same) // _ASKED, 1)]  # each must be wrong: of many limits that are tried some may
            found = [_finding(rows, sight, forms, m, wanted) for m in asked if _becomes_a_number(sight, m.at)]
            if found and found[0] is not None and all(found):
                yield found[0]
                return


def _forms(sight: Sight) -> list[int]:
    """For each node a number, the same for what is computed in the same way from the same parameters and some data."""
    states = {**sight.course.roles.versions, **last_versions(sight)}
    known: dict[object, int] = {}
    forms: list[int] = []
    for t, node in enumerate(sight.nodes):
        form: object = "data"
        if t in states:
            form = id(states[t])
        elif sight.course.roles.rests_on[t]:
            form = node.op, node.kw.get("axis"), *(forms[a] if type(a) is int else -1 for a in node.args)
        forms.append(-1 if form == "data" else known.setdefault(form, len(known)))
    return forms


class _Wanted:
    """What the steps want of outputs of one form: rows of the targets, the labels of these rows and of the outputs'."""

    def __init__(self) -> None:
        self.of: list[Labels] = []
        self.rows: list[Labels] = []
        self.targets: list[Array] = []
        self.places: list[NodeId] = []


def _wanted(sight: Sight, forms: Sequence[int], steps: Sequence[Meeting]) -> dict[int, _Wanted]:
    found: dict[int, _Wanted] = {}
    for m in steps:
        target = _as_output(sight, m)
        if target is not None:
            mine = found.setdefault(forms[m.output], _Wanted())
            mine.of.append(m.of)
            mine.rows.append(m.rows)
            mine.places.append(m.target)
            mine.targets.append(target)
    return found


def _as_output(sight: Sight, m: Meeting) -> Array | None:
    """The target of a step in the shape of its output, a row a sample."""
    node, output, target = sight.nodes[m.at], sight.value(m.output), sight.value(m.target)
    many = len(m.rows)
    if node.op == "setitem" and output.ndim == 2 and target.shape == (many,) == output.shape[:1]:
        return np.eye(output.shape[1])[target.astype(int)]
    if node.op != "subtract" or target.size != output.size or not output.ndim or many not in output.shape:
        return None
    return _in_rows(target.reshape(output.shape), many).reshape(many, -1)


def _in_rows(value: Array, many: int) -> Array:
    """An array with a row for each sample, also where each was a column."""
    return value.T if value.ndim == _TABLE and len(value) != many == value.shape[1] else value


def _finding(
    rows: Rows, sight: Sight, forms: Sequence[int], m: Meeting, wanted: Mapping[int, _Wanted]
) -> Finding | None:
    outputs = [t for t in ancestors(sight, m.output) if forms[t] in wanted and sight.value(t).size > 1]
    known = _in_rows(np.atleast_1d(sight.value(m.target)), len(m.rows))
    if not outputs or len(known) != len(m.rows):
        return None
    output, known = outputs[-1], known.reshape(len(known), -1)
    labels = rows.of(sight.stretch.numbers[output])
    if labels is None or not np.array_equal(labels, m.rows):
        return None
    relation = _relation(rows, sight, m, wanted[forms[output]])
    perfect = None if relation is None or _is_an_input(sight, output, known) else relation(known)
    if perfect is None or perfect.size != sight.value(output).size:
        return None
    came_out = _replayed(sight, m.at, output, perfect)
    if came_out is None:
        return None
    place, op = place_of(sight.course, m.at), sight.nodes[m.at].op
    text, off = "Were each output just what the steps want of it, ", came_out.astype(float)
    evidence: dict[str, object] = {"shape": list(came_out.shape)}
    if op == "subtract":
        far = float(np.abs(off).max())
        if not far > _PERFECT * max(float(np.ptp(known)), float(np.abs(known).max())):
            return None
        if off.size > known.size:
            text = f"{known.size} outputs and {known.size} targets become {off.shape} differences here, each with each."
        elif np.ptp(off) < _PERFECT * far:
            text += f"all would still be {far:.4g} off from what they are held against here."
        else:
            text += f"some would still be {far:.4g} off from what they are held against here: the scales are not alike."
        return Finding("metric-wrong", place, "exact", text, {**evidence, "off": far})
    share = float(np.mean(off))
    if share == 1 or off.size > known.size:
        return None
    code = _in_order(known, perfect)
    replayed = None if code is None else _replayed(sight, m.at, output, code)
    if replayed is not None and replayed.all():  # then it is not what is read off that is out of order
        written = rows.nodes[rows.root(sight.stretch.numbers[wanted[forms[output]].places[0]])]
        if written.op in _CODED:
            text = "Of what is written here as the code of a class another class is read off: "
            text += f"{share:.0%} would come back."
            return Finding("other-than-said", Place(written.line, written.file), "exact", text)
    return Finding("metric-wrong", place, "exact", text + f"{share:.0%} would count as right here.", evidence)


def _in_order(known: Array, perfect: Array) -> Array | None:
    """The codes that classes have in their order, where they have some other ones."""
    classes, order = np.unique(known, return_inverse=True)
    if perfect.ndim != _TABLE or known.shape[1] != 1 or not len(classes) == perfect.shape[1] > 1:
        return None
    is_code = ((perfect == 0) | (perfect == 1)).all() and (perfect.sum(axis=1) == 1).all()
    code = np.eye(len(classes))[order.ravel()]
    return code if is_code and not np.array_equal(code, perfect) else None


def _over_the_samples(rows: Rows, sight: Sight) -> Iterator[Finding]:
    """Classes that are compared, and were read off an output along the axis of its samples."""
    nodes, roles = sight.nodes, sight.course.roles
    for t, node in enumerate(nodes):
        [of, *_] = [*node.parents(), -1]
        axis = node.kw.get("axis")
        if node.op != "argmax" or of < 0 or not roles.rests_on[t] or roles.flows[t] or axis is None:
            continue
        compared = [u for u in roles.users.get(t, ()) if nodes[u].op in ("equal", "not_equal")]
        labels = rows.origins.of(sight.stretch.numbers[of])
        if labels.ndim == _TABLE and (labels >= 0).all() and any(_becomes_a_number(sight, u) for u in compared):
            along = np.moveaxis(labels, axis, 0)
            if min(along.shape) > 1 and (along == along[:, :1]).all() and len(np.unique(along)) == len(along):
                samples, outputs = along.shape
                text = f"It is asked here which of {samples} samples is the largest in each of {outputs} outputs."
                evidence = {"samples": samples, "outputs": outputs}
                yield Finding("argmax-wrong-axis", place_of(sight.course, t), "exact", text, evidence)


def _becomes_a_number(sight: Sight, t: NodeId) -> bool:
    """Whether a comparison is summed up, soon, to one number that leads to no step."""
    waiting = [t]
    for _ in range(_LINKS):
        waiting = [u for x in waiting for u in sight.course.roles.users.get(x, ())][:20]
        if any(sight.nodes[u].value.size == 1 and not sight.course.roles.flows[u] for u in waiting):
            return True
    return False


# -- what the training's target is, as a function of what is measured against ------------------------------------------


def _relation(rows: Rows, sight: Sight, m: Meeting, wanted: _Wanted) -> Relation | None:
    """How the steps' targets follow from the array that an output is measured against, as rows that both have show.

    Those of the targets; where these are not known, those of the outputs that meet them.
    """
    root = rows.root(sight.stretch.numbers[m.target])
    labels = rows.of(root)
    pairs = None if labels is None else _pairs(labels, rows.nodes[root].value, wanted.of, wanted.targets)
    if pairs is not None and len(pairs) < _ENOUGH:
        pairs = _pairs(m.rows, sight.value(m.target), wanted.rows, wanted.targets)
    if pairs is None or len(pairs) < _ENOUGH:
        return None
    there, wants = (np.array(side) for side in zip(*pairs.values(), strict=True))
    found = _by_class(there, wants)
    return found or next((scaled for f in _CURVES if (scaled := _by_scale(f(there), wants, f)) is not None), None)


def _pairs(
    labels: Labels, known: Array, of: Sequence[Labels], wanted: Sequence[Array]
) -> dict[int, tuple[Array, Array]] | None:
    """What is known, and what is wanted, of each row that both have; None where it is another each time."""
    if len(labels) not in known.shape:
        return None
    values = _in_rows(np.asarray(known, dtype=float), len(labels)).reshape(len(labels), -1)
    at = {int(label): k for k, label in enumerate(labels)}
    pairs: dict[int, tuple[Array, Array]] = {}
    for rows, targets in zip(of, wanted, strict=True):
        for label, target in zip(rows.tolist(), targets, strict=True):
            if label in at and not np.array_equal(pairs.setdefault(label, (values[at[label]], target))[1], target):
                return None
    return pairs


def _by_class(there: Array, wants: Array) -> Relation | None:
    """Few values, each of which is always the same on the other side."""
    table = {a.tobytes(): b for a, b in zip(there, wants, strict=True)}
    back = {b.tobytes(): a for a, b in zip(there, wants, strict=True)}
    same = all(np.array_equal(table[a.tobytes()], b) for a, b in zip(there, wants, strict=True))
    same = same and all(np.array_equal(back[b.tobytes()], a) for a, b in zip(there, wants, strict=True))
    if not same or len(table) < 2 or _OFTEN * len(table) > len(there):
        return None

    def wanted(rows: Array) -> Array | None:
        found = [table.get(row.tobytes()) for row in rows]
        return np.array(found) if all(f is not None for f in found) and len({f.tobytes() for f in rows}) > 1 else None

    return wanted


def _by_scale(there: Array, wants: Array, before: Callable[[Array], Array] = np.positive) -> Relation | None:
    """Each column times a number, plus another, of what was done before."""
    if there.shape != wants.shape:
        return None
    a, b = np.zeros(there.shape[1]), np.zeros(there.shape[1])
    for k, (x, y) in enumerate(zip(there.T, wants.T, strict=True)):
        low, high = int(x.argmin()), int(x.argmax())
        if not (np.isfinite(x).all() and np.isfinite(y).all() and x[low] < x[high] and y[low] != y[high]):
            return None
        a[k] = (y[high] - y[low]) / (x[high] - x[low])
        b[k] = y[low] - a[k] * x[low]
        if np.abs(a[k] * x + b[k] - y).max() > _EXACT * np.ptp(y):
            return None
    return lambda rows: a * before(rows) + b


def _is_an_input(sight: Sight, output: NodeId, known: Array) -> bool:
    """Whether a column that is measured against is one of the inputs, in some scale."""
    rests = sight.course.roles.rests_on
    data = {a for t in ancestors(sight, output) if rests[t] for a in sight.nodes[t].parents() if not rests[a]}
    for d in data:
        value = sight.value(d)
        if value.ndim and len(value) == len(known) > 2:
            for column in value.reshape(len(known), -1).T:
                if any(_by_scale(column[:, None], mine[:, None]) for mine in known.T):
                    return True
    return False


# -- the measure, computed again ---------------------------------------------------------------------------------------


def _replayed(sight: Sight, at: NodeId, output: NodeId, perfect: Array) -> Array | None:
    """What comes out of a comparison with other rows in the place of an output: differences, or what is equal.

    None where that is not known, or something else has a part in it: other outputs, a factor that stands in the text.
    """
    nodes, rests = sight.nodes, sight.course.roles.rests_on
    shape = sight.value(output).shape
    are_rows = perfect.shape == shape or perfect.T.shape != shape
    new: dict[NodeId, Array] = {output: perfect.reshape(shape) if are_rows else perfect.T}
    for t in (t for t in ancestors(sight, at) if t > output):
        parents = nodes[t].parents()
        if not any(a in new for a in parents):
            continue
        others = [a for a in parents if a not in new]
        is_weighted = nodes[t].op in ("multiply", "divide") and (
            len(parents) < len(nodes[t].args) or any(nodes[a].kw.get("made") == "constant" for a in others)
        )
        if is_weighted or any(rests[a] for a in others):
            return None
        args = [a.value if isinstance(a, Const) else new.get(a, nodes[a].value) for a in nodes[t].args]
        try:
            if t == at and nodes[t].op in ("equal", "not_equal"):
                one, other = (np.asarray(a, dtype=float) for a in args)
                return np.isclose(one, other, rtol=_PERFECT, atol=_PERFECT)
            new[t] = forward(nodes[t], args)
        except (Unknown, ValueError, TypeError, IndexError):
            return None
    return new.get(at)
