"""Whether what is measured as unseen was unseen: rows that were trained on before, labels that chose the inputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, pairwise

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.judge.locate import call_beside, place_of
from byhand.diagnosis.judge.origins import Labels
from byhand.diagnosis.judge.pairs import inputs
from byhand.diagnosis.judge.roles import NodeId, made_of
from byhand.diagnosis.judge.rows import ARRAY, Meeting, Rows, array_of, shared
from byhand.diagnosis.judge.shapes import ancestors
from byhand.diagnosis.judge.sight import Sight

_FEWEST = 4  # rows that are a part of the data
_FEWEST_FOLDS = 3
_SURELY = 20  # exp(-20) is the chance that rows which could have been drawn were not
_MANY_ROWS, _OFTEN = 20, 5  # rows that are sorted, and how often each class is among them
_RARELY = 4  # so many times as often is a class measured as it can have been learned
_MOST = 10  # measures of one place that are looked at, from its first and from its last
_ID = "held-out-rows-used"


def heldout_findings(rows: Rows, sights: Sequence[Sight]) -> Iterator[Finding]:
    """The first finding about rows that are measured as held out."""
    folds: dict[object, list[_Fold]] = defaultdict(list)
    for sight in (s for s in sights if s.trial is not None):
        meetings = list(rows.meetings(sight))
        measured = _measures(meetings)
        for find in (
            _both_parts_trained,
            _partly_trained,
            _goes_on_through_folds,
            _chosen_by_labels,
            _sorted_by_class,
            _left_unscaled,
            _scaled_with_all,
        ):
            found = find(rows, sight, meetings, measured)
            if found is not None:
                yield found
                return
        for fold in measured:
            before, _ = _steps_around(meetings, measured, fold)
            if before and all(_are_alike(m, fold[0]) for m in before) and not _go_on(sight, fold[0]):
                folds[fold[0].place].append(_Fold(sight, before[-1], _all(fold), _all(before)))
    yield from islice(_learned_from_every_fold(rows, folds.values()), 1)


@dataclass(frozen=True)
class _Fold:
    """The rows that are measured after a training, and those of its steps, of which this is one."""

    sight: Sight
    step: Meeting
    held: Labels
    trained: Labels


def _learned_from_every_fold(rows: Rows, places: Iterable[Sequence[_Fold]]) -> Iterator[Finding]:
    """One part of the rows after the other is measured, each after a training anew, of which each is on them all."""
    for folds in places:
        held = np.concatenate([f.held for f in folds])
        are_apart = len(folds) >= _FEWEST_FOLDS and len(np.unique(held)) == len(held)
        if are_apart and all(np.isin(held, f.trained).all() for f in folds):
            sight, step = folds[0].sight, folds[0].step
            text = f"{len(folds)} parts of the rows are measured here one after the other, {len(folds[0].held)} rows "
            text += "at first, each after a training of its own; the steps of each were made from the rows of all "
            text += "parts, those that are measured then among them."
            place = rows.where_chosen(sight.stretch.numbers[step.target]) or place_of(sight.course, step.at)
            evidence = {"folds": len(folds), "measured": len(folds[0].held), "trained_on": len(folds[0].trained)}
            yield Finding(_ID, place, "exact", text, evidence)


def _measures(meetings: Sequence[Meeting]) -> list[list[Meeting]]:
    """Measures of one place without a step between, in the order of time; without a loss of the very rows of a step.

    Of those that are of the same rows as the one before and the one after, none is kept.
    """
    found: dict[object, list[list[Meeting]]] = defaultdict(list)
    running: dict[object, list[Meeting]] = {}
    step: Meeting | None = None
    for m in reversed(meetings):
        if m.steps:
            running, step = {}, m
        elif m.place in running:
            running[m.place].insert(0, m)
        elif step is None or not np.array_equal(step.rows, m.rows):
            running[m.place] = [m]
            same = found[m.place]
            if len(same) > 1 and all(np.array_equal(_all(ms), m.rows) for ms in same[-2:]):
                same.pop()
            same.append(running[m.place])
    kept = [ms for same in found.values() for ms in (*same[:_MOST], *same[_MOST:][-_MOST:])]
    return sorted(kept, key=lambda ms: ms[0].at)


def _all(meetings: Sequence[Meeting]) -> Labels:
    return np.unique(np.concatenate([m.rows for m in meetings]))


# -- a part that was cut off by chance ---------------------------------------------------------------------------------


def _both_parts_trained(
    rows: Rows, sight: Sight, meetings: Sequence[Meeting], measured: Sequence[Sequence[Meeting]]
) -> Finding | None:
    """Data that were cut in two by chance, of which both parts are measured, and were trained on together."""
    for first, second in combinations([ms[0] for ms in measured if len(ms) == 1], 2):
        parts = first.rows, second.rows
        steps = [m for m in meetings if m.steps and m.at < first.at and _are_alike(m, first)]
        between = any(m.steps and first.at < m.at < second.at for m in meetings)
        if not steps or between or not _are_alike(first, second) or first.place == second.place:
            continue
        if min(map(len, parts)) < _FEWEST or shared(*parts) or not all(map(_is_by_chance, parts)):
            continue
        together = [m for m in steps if all(shared(m.rows, part) for part in parts)]
        if not together or not sight.course.roles.rests_on[together[-1].output] & sight.course.roles.rests_on[first.at]:
            continue
        trained = np.unique(np.concatenate([m.rows for m in steps]))
        many = [shared(trained, part) for part in parts]
        if all(2 * n > len(part) for n, part in zip(many, parts, strict=True)):
            text = f"The data are cut by chance into {len(parts[0])} and {len(parts[1])} rows that are measured apart; "
            text += f"the steps seen were made from {many[0]} rows of the one and {many[1]} of the other, so that "
            text += "neither part shows how it does on rows that it has not learned from."
            evidence = {"rows": [len(p) for p in parts], "trained_on": many}
            return Finding(_ID, _place_of_training(rows, sight, together[-1], first), "exact", text, evidence)
    return None


def _partly_trained(
    rows: Rows, sight: Sight, meetings: Sequence[Meeting], measured: Sequence[Sequence[Meeting]]
) -> Finding | None:
    """Measures of some rows of which many are in each step, where others were kept out of all of them by chance."""
    for m in (ms[0] for ms in measured if len(ms) == 1):
        before = [step for step in meetings if step.steps and step.at < m.at and _are_alike(step, m)]
        if not before or not _is_by_chance(before[0].rows):
            continue
        if not all(np.array_equal(step.rows, before[0].rows) for step in before):
            continue  # of batches not all rows may have been seen
        trained, part = before[0].rows, np.unique(m.rows)
        both = shared(part, trained)
        if _FEWEST <= both <= min(len(part), len(trained)) - _FEWEST:
            text = f"Of the {len(part)} rows that are measured here {both} are among the {len(trained)} that each step "
            text += "was made from, a part that was drawn by chance; the others were kept out of it."
            frames = list(sight.nodes[m.at].site)[1:]
            place = call_beside(sight.course, m.at, before[-1].at) if len(frames) > 1 else place_of(sight.course, m.at)
            place = rows.where_chosen(sight.stretch.numbers[m.target]) or place
            return Finding(_ID, place, "exact", text, {"measured": len(part), "trained_on": both})
    return None


def _are_alike(one: Meeting, other: Meeting) -> bool:
    """Whether rows of the same inputs meet targets of the same array."""
    return all(array_of(a) == array_of(b) >= 0 for a, b in ((one.rows, other.rows), (one.of, other.of)))


def _is_by_chance(part: Labels) -> bool:
    """Whether rows lie in no order, neither up nor down."""
    along = np.diff(part)
    return bool((along > 0).any() and (along < 0).any() and len(np.unique(part)) == len(part))


def _place_of_training(rows: Rows, sight: Sight, step: Meeting, measure: Meeting) -> Place:
    """Where the training is called, beside the measure; where both stand in one function, where its rows are picked."""
    frames = list(sight.nodes[step.at].site)[1:]
    if len(frames) > 1:
        return call_beside(sight.course, step.at, measure.at)
    picked = [t for t in ancestors(sight, step.output) if not sight.course.roles.rests_on[t]]
    picked = [t for t in picked if sight.nodes[t].op == "getitem" and sight.nodes[t].value.ndim]
    return place_of(sight.course, max(picked, default=step.at))


# -- the folds of a cross-validation -----------------------------------------------------------------------------------


def _goes_on_through_folds(
    rows: Rows, sight: Sight, meetings: Sequence[Meeting], measured: Sequence[Sequence[Meeting]]
) -> Finding | None:
    """Parameters that go on from one fold to the next, where they are measured on rows that they learned from."""
    for fold in measured:
        before, after = _steps_around(meetings, measured, fold)
        held = _all(fold)
        if not before or not after or not all(_are_alike(m, fold[0]) for m in (*before, *after)):
            continue
        if not _is_held_out(held, before):
            continue
        if not _go_on(sight, fold[0]):
            continue
        old, new = _all(before), _all(after)
        if not shared(held, new) or not shared(old, new):
            continue
        for other in _picked_later(rows, sight, fold[0]):
            was_trained = 2 * shared(other, old) > len(other) and not shared(other, held)
            if was_trained and _is_held_out(other, after):
                text = f"The parameters go on from one fold to the next: the {len(other)} rows that are held out now "
                text += f"are rows that they learned from in the fold before ({shared(other, old)} of them seen in its "
                text += f"steps), and the {len(held)} that were measured there are learned from now."
                evidence = {"held_out": len(other), "trained_on": shared(other, old)}
                place = call_beside(sight.course, after[0].at, fold[0].at)
                return Finding(_ID, place, "exact", text, evidence)
    return None


def _steps_around(
    meetings: Sequence[Meeting], measured: Sequence[Sequence[Meeting]], fold: Sequence[Meeting]
) -> tuple[list[Meeting], list[Meeting]]:
    """The steps between a measure and the one before at its place, and those between it and the next."""
    same = [ms for ms in measured if ms[0].place == fold[0].place]
    k = next(k for k, ms in enumerate(same) if ms is fold)
    start = same[k - 1][-1].at if k else -1
    end = same[k + 1][0].at if k + 1 < len(same) else meetings[-1].at + 1
    steps = [m for m in meetings if m.steps and start < m.at < end]
    return [m for m in steps if m.at < fold[0].at], [m for m in steps if m.at > fold[-1].at]


def _is_held_out(part: Labels, steps: Sequence[Meeting]) -> bool:
    """Whether none of some rows is in any step, and so many steps were seen that this is no chance."""
    trained = _all(steps)
    drawn = sum(len(m.rows) for m in steps)
    are_parts = min(len(part), len(trained)) >= _FEWEST  # not of one sample from which each step is made
    return are_parts and not shared(part, trained) and drawn * len(part) >= _SURELY * len(trained)


def _go_on(sight: Sight, measure: Meeting) -> bool:
    """Whether all parameters of a measured output are those that later steps are added to."""
    roles = sight.course.roles
    states = roles.parameters(roles.rests_on[measure.output])
    crossing = [(v, w) for s in states for v, w in pairwise(s.versions) if v < measure.at < w]
    return len(crossing) == len(states) > 0 and all(
        v in made_of(sight.nodes, w, v - 1, len(sight.nodes)) for v, w in crossing
    )


def _picked_later(rows: Rows, sight: Sight, fold: Meeting) -> Iterator[Labels]:
    """The rows that are picked, after a measure, where those that it measures were picked."""
    number = sight.stretch.numbers
    behind = [*rows.behind(number[fold.target]), *rows.behind(number[fold.output])]
    sites = {rows.nodes[t].site for t in behind if rows.nodes[t].op == "getitem"}
    for t in range(number[fold.at], len(rows.nodes)):
        if rows.nodes[t].site in sites and rows.nodes[t].value.ndim:
            found = rows.of(t)
            if found is not None and array_of(found) in (array_of(fold.rows), array_of(fold.of)):
                yield found % ARRAY + array_of(fold.rows) * ARRAY


# -- inputs that were chosen by the labels -----------------------------------------------------------------------------


def _chosen_by_labels(
    rows: Rows, sight: Sight, meetings: Sequence[Meeting], measured: Sequence[Sequence[Meeting]]
) -> Finding | None:
    """Columns of the inputs that were chosen with the targets of the very rows that are held out."""
    for fold in measured:
        steps = _steps_around(meetings, measured, fold)[0]
        if not steps or not all(_are_alike(m, fold[0]) for m in steps):
            continue
        if array_of(fold[0].rows) == array_of(fold[0].of):
            continue  # a table with the targets in it: what was made of them and what of inputs can't be told apart
        for part in (fold, *([m] for m in fold if len(fold) > 1)):  # parts may be measured one after the other
            found = _choice_by_labels(rows, sight, part) if _is_held_out(_all(part), steps) else None
            if found is not None:
                return found
    return None


def _choice_by_labels(rows: Rows, sight: Sight, held: Sequence[Meeting]) -> Finding | None:
    for t, chosen in rows.column_choices(sight.stretch.numbers[held[0].output]):
        used = rows.used_in(chosen, array_of(held[0].of))
        of = set(np.concatenate([m.of for m in held]).tolist())
        if len(of) >= _FEWEST and of <= used:
            node = rows.nodes[t]
            text = f"The columns are chosen here with the targets of {len(used)} rows, among them all {len(of)} "
            text += "that are held out and measured later: these had a say in what the network is given."
            return Finding(_ID, Place(node.line, node.file), "exact", text, {"rows": len(used), "held_out": len(of)})
    return None


# -- inputs that were not scaled ---------------------------------------------------------------------------------------


def _left_unscaled(
    rows: Rows, sight: Sight, meetings: Sequence[Meeting], measured: Sequence[Sequence[Meeting]]
) -> Finding | None:
    """Inputs that are measured as they came, where those of the steps were scaled by their mean and deviation."""
    number = sight.stretch.numbers
    steps = [m for m in meetings if m.steps][:1]
    scaled = {raw for m in steps for d in inputs(sight, m.output) for raw in _scaled_from(rows, rows.root(number[d]))}
    for m in (ms[0] for ms in measured if scaled):
        for d in inputs(sight, m.output):
            root, users = rows.root(number[d]), sight.course.roles.users.get(d, ())
            met = [u for u in users if u <= m.at and sight.course.roles.rests_on[u]]
            if met and root in scaled and sight.value(d).shape[-1:] == rows.nodes[root].value.shape[-1:]:
                text = (
                    f"The {len(m.rows)} rows that are measured here come to the network as they were; from those that "
                )
                text += "the steps were made from their mean was taken away, and they were divided by their deviation."
                return Finding("scaled-apart", place_of(sight.course, met[0]), "exact", text, {"rows": len(m.rows)})
    return None


def _scaled_with_all(
    rows: Rows, sight: Sight, meetings: Sequence[Meeting], measured: Sequence[Sequence[Meeting]]
) -> Finding | None:
    """Inputs that were scaled by the mean of all rows, of which some are held out later, and measured."""
    number = sight.stretch.numbers
    for fold in measured:
        held = _all(fold)
        steps = [m for m in meetings if m.steps and m.at < fold[0].at and _are_alike(m, fold[0])]
        if not steps or not _is_held_out(held, steps):
            continue
        for d in inputs(sight, fold[0].output):
            for mean in _means_of(rows, rows.root(number[d])):
                of = rows.of(rows.nodes[mean].parents()[0])  # of the rows for training alone, perhaps
                if of is not None and {*held.tolist(), *_all(steps).tolist()} <= set(of.tolist()):
                    text = f"The inputs are scaled here by the mean of all {len(of)} rows, before {len(held)} of them "
                    text += "are held out and measured later: these had a say in what the network is given."
                    place = _called_beside(rows, mean, rows.picked(number[d]))
                    return Finding(_ID, place, "exact", text, {"rows": len(of), "held_out": len(held)})
    return None


def _called_beside(rows: Rows, t: NodeId, other: NodeId) -> Place:
    """The line of a value, or of the call that it was made in, in the function in which another one was made, too."""
    mine, theirs = (list(rows.nodes[x].site)[:0:-1] for x in (t, other))
    own = next((a for a, b in zip(mine, theirs, strict=False) if a != b), mine[-1])
    return Place(own[1], own[0])


def _means_of(rows: Rows, t: NodeId) -> Iterator[NodeId]:
    """The mean of its own columns that was taken away from a table that was scaled."""
    node = rows.nodes[t]
    centred = rows.nodes[node.args[0]] if node.op == "divide" and type(node.args[0]) is int else node
    raw, *taken = centred.parents() if centred is not node and centred.op == "subtract" else [t]
    means = (a for a in taken if rows.nodes[a].op == "mean" and rows.nodes[a].parents())
    yield from (a for a in means if rows.root(rows.nodes[a].parents()[0]) == rows.root(raw))


def _scaled_from(rows: Rows, t: NodeId) -> Iterator[NodeId]:
    """The table that a scaled one was made from, of which it has the mean taken away."""
    yield from (rows.root(rows.nodes[a].parents()[0]) for a in _means_of(rows, t))


# -- rows sorted by class ----------------------------------------------------------------------------------------------


def _sorted_by_class(
    rows: Rows, sight: Sight, meetings: Sequence[Meeting], measured: Sequence[Sequence[Meeting]]
) -> Finding | None:
    """Rows sorted by class and cut in their order: what is measured is of a class that was hardly learned."""
    trained = [m for m in meetings if m.steps]
    for fold in measured if trained else ():
        part, like = np.unique(np.concatenate([m.of for m in fold])), fold[0]
        if not all(_are_alike(m, like) for m in (*trained, *fold)) or max(m.of.max() for m in trained) >= part.min():
            continue
        cut = sight.stretch.numbers[like.target]
        if sight.nodes[like.target].op == "argmax":
            cut = rows.nodes[cut].parents()[0]
        root = rows.root(cut)
        classes, labels = _classes(np.atleast_1d(rows.nodes[root].value)), rows.of(root)
        if labels is None or len(labels) != len(classes) or not (np.diff(labels) > 0).all():
            continue
        is_sorted = np.count_nonzero(np.diff(classes)) == classes.max() and len(classes) >= _MANY_ROWS
        if not is_sorted or classes.max() < 1 or _OFTEN * (classes.max() + 1) > len(classes):
            continue
        before = classes[labels < part.min()]
        within = classes[np.isin(labels, part)]
        if len(within) == len(part) and len(np.unique(before)) > 1:
            learned, tested = np.bincount(before, minlength=classes.max() + 1), np.bincount(within)
            if all(_RARELY * learned[k] <= tested[k] for k in np.unique(within)):
                few = sum(learned[k] for k in np.unique(within))
                text = f"The rows are sorted by class and are cut in this order: the {len(part)} that are measured are "
                text += f"of {len(np.unique(within))} of the {classes.max() + 1} classes, and the {len(before)} rows "
                text += f"before them have {few} of these."
                node = rows.nodes[rows.picked(cut)]
                evidence = {"measured": len(part), "learned": int(few)}
                return Finding("class-left-out", Place(node.line, node.file), "exact", text, evidence)
    return None


def _classes(values: Array) -> Labels:
    """A number for each kind of row, in the order in which they come first."""
    _, first, inverse = np.unique(values.reshape(len(values), -1), axis=0, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse.ravel()])
