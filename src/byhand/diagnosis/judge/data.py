"""What happens to the data, and to random numbers, while a network is trained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, pairwise, product

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.judge.edits import drops
from byhand.diagnosis.judge.fits import Step
from byhand.diagnosis.judge.heldout import heldout_findings
from byhand.diagnosis.judge.increments import made_since
from byhand.diagnosis.judge.lengths import made_longer
from byhand.diagnosis.judge.locate import call_beside, gradient_of, place_of
from byhand.diagnosis.judge.measures import measured_wrongly
from byhand.diagnosis.judge.pairs import MOVES, pair_findings
from byhand.diagnosis.judge.roles import PRODUCTS, VIEWS, NodeId, State, made_of
from byhand.diagnosis.judge.rows import Rows, last_versions
from byhand.diagnosis.judge.shapes import ancestors, shape_findings
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.written import is_asked_for

_REPEATS = 2
_TABLE = 2  # axes
_LOW = {"mean": "mean", "min": "smallest number"}  # what is taken from data that are scaled
_FEW_ROWS, _UNLIKE = 5, 20.0  # columns that are so many times as large as others are not of one kind
_ROUNDS = 2  # so many must be seen to be called that
_NEARBY = 20  # operations before one, in which its index is made
_BY_CHANCE, _LITTLE = 5, 0.03  # standard deviations, and a share of what goes on


def data_findings(first: Sight, sights: Sequence[Sight], *, strict: bool = False) -> Iterator[Finding]:
    """The findings about the data; where `strict` is set, targets may be drawn by us, and need not be used."""
    yield from shape_findings(first, sights)
    if first.trial is not None:
        yield from _changed_inputs(first)
        yield from _whole_numbers(first)
        yield from _scaled_by_row(first)
        yield from _scaled_apart(first, sights)
        yield from _reshaped(first)
        yield from _set_in_all_rows(first)
        yield from _changed_start(first)
        yield from _changed_before_a_measure(first)
        yield from _classes_from_below(first)
        if not strict:
            yield from _target_unused(first)
        yield from islice(chain.from_iterable(map(_dropped_in_a_measure, sights)), 1)
        yield from islice(chain.from_iterable(map(_dropped_and_not_scaled, sights)), 1)
        yield from _best_goes_on(first)
        yield from _seeded_again(first)
        yield from _lost_results(first)
        yield from made_longer(first)
        yield from pair_findings(first, sights)
        rows = Rows(first.trace.tape.nodes, sights)
        yield from heldout_findings(rows, sights)
        yield from measured_wrongly(rows, sights)


def _changed_inputs(sight: Sight) -> Iterator[Finding]:
    """Data that are made anew from themselves in every round."""
    assert sight.trial is not None
    assert sight.body is not None
    arrays = [s for s in sight.course.roles.parameters(sight.trial.objective.rests_on) if s.size > 1]
    is_open = sight.verdict.kind != "wrong" and not any(e.holds for e in sight.trial.explained.values())
    for state in arrays if not is_open else ():  # a pass by itself has sums that grow, and no rounds
        changes = [c for v, w in pairwise(state.versions) if (c := _own_change(sight, v, w))]
        if len(changes) < max(len(state.versions) - 1, _ROUNDS) or not _meets_parameters(sight, state):
            continue
        stepped = [v for s in arrays if s is not state for v in s.versions[1:]]
        if not any(state.versions[0] < v < state.versions[-1] for v in stepped):
            continue  # it was made so, number by number, before anything was learned
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
    changing = [t for t in seen if nodes[t].op not in MOVES | {"setitem", "scatter"}]
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
                own = roles.versions.get(sight.body.roles.root(parameter))
                if own is not None and own is not state and roles.rests_on[data] == bit:
                    return True
    return False


def _whole_numbers(sight: Sight) -> Iterator[Finding]:
    """Parameters kept as integers."""
    assert sight.trial is not None
    for state in sight.course.roles.parameters(sight.trial.objective.rests_on):
        first = sight.nodes[state.versions[0]]
        is_whole = all(sight.nodes[v].value.dtype.kind in "iu" for v in state.versions)
        if is_whole and first.value.ndim and any(map(partial(_is_cut, sight), sight.course.all_steps(state))):
            name = sight.name(state)
            place = sight.first_assigned(name, state.versions[0])
            text = f"{name or 'A parameter'} is an array of whole numbers ({first.value.dtype}): "
            text += "what a step leaves behind the point is cut off."
            yield Finding("integer-parameters", place, "exact", text, {"dtype": str(first.value.dtype)})


def _is_cut(sight: Sight, step: Step) -> bool:
    """Whether something that a step is made of is no whole number."""
    values = (sight.nodes[t].value for t in made_since(sight.course.roles, step))
    return any(v.dtype.kind == "f" and bool((v % 1).any()) for v in values)


def _scaled_by_row(sight: Sight) -> Iterator[Finding]:
    """Data whose columns are of other sizes, and that were brought to mean 0 and deviation 1 row by row."""
    for _, mean in _scaled_data(sight):
        raw, axis = sight.nodes[sight.nodes[mean].parents()[0]].value, sight.nodes[mean].kw.get("axis")
        if raw.ndim != _TABLE or axis not in (1, -1) or raw.shape[1] < 2 or len(raw) < _FEW_ROWS:
            continue
        columns, rows = (np.sqrt((raw**2).mean(axis=k)) for k in (0, 1))
        unlike = float(columns.max() / max(columns.min(), np.finfo(float).tiny))
        if unlike > _UNLIKE > rows.max() / max(rows.min(), np.finfo(float).tiny):
            text = f"The mean and the deviation are taken along each row here, over its {raw.shape[1]} numbers, "
            text += f"of which the largest column is {unlike:.3g} times the smallest: they drown in the one."
            yield Finding("scaled-by-row", place_of(sight.course, mean), "exact", text, {"unlike": unlike})
            return


def _scaled_data(sight: Sight) -> Iterator[tuple[NodeId, NodeId]]:
    """Where data that were centred are divided, and their own mean, or smallest number, that was taken from them."""
    nodes = sight.nodes
    for t, node in enumerate(nodes):
        if node.op == "divide" and type(node.args[0]) is int and not sight.course.roles.rests_on[t]:
            centred = nodes[node.args[0]]
            raw, *taken = centred.parents() if centred.op == "subtract" else [0]
            yield from ((t, mean) for mean in taken if nodes[mean].op in _LOW and nodes[mean].parents() == [raw])


def _scaled_apart(first: Sight, sights: Sequence[Sight]) -> Iterator[Finding]:
    """Inputs that are only measured, and were scaled by their own mean as those for training were by theirs."""
    assert first.trial is not None
    nodes, flows = first.nodes, first.course.roles.flows
    states = first.course.roles.parameters(first.trial.objective.rests_on)
    sizes = {n + one for s in states for n in nodes[s.versions[0]].value.shape for one in (0, -1)}  # a column of ones
    scaled = [(t, mean) for t, mean in _scaled_data(first) if _columns(first, mean) in sizes]
    for (t, mean), (_, trained) in product(scaled, [pair for pair in scaled if flows[pair[0]]]):
        is_alike = _columns(first, mean) == _columns(first, trained) and nodes[mean].op == nodes[trained].op
        if is_alike and not flows[t] and any(_meets_what_is_trained(sight, nodes[t].value) for sight in sights):
            text = "These inputs, of which no step is made, are scaled with their own mean here, and those for "
            text += "training with theirs: the same input is another one for the network in each of them."
            yield Finding("scaled-apart", call_beside(first.course, mean, trained), "exact", text)
            return


def _columns(sight: Sight, mean: NodeId) -> int:
    """Of how many columns a mean is taken: 0 where it is of all numbers, or of several at once."""
    node = sight.nodes[mean]
    raw = sight.nodes[node.parents()[0]].value
    return node.value.size if type(node.kw.get("axis")) is int and raw.ndim == _TABLE else 0


def _meets_what_is_trained(sight: Sight, value: Array) -> bool:
    """Whether something is made of a value and of parameters."""
    made = {t for t, node in enumerate(sight.nodes) if np.array_equal(node.value, value)}
    for t, node in enumerate(sight.nodes):
        if made.intersection(node.parents()):
            if sight.course.roles.rests_on[t]:
                return True
            made.add(t)
    return False


def _reshaped(sight: Sight) -> Iterator[Finding]:
    """A table with a sample in each column, from which rows were cut by a reshape: each holds numbers of several."""
    nodes, rests = sight.nodes, sight.course.roles.rests_on
    assert sight.trial is not None
    behind = set(ancestors(sight, sight.trial.objective.seeds[0]))
    for t in sorted(t for t in behind if nodes[t].op == "move" and not rests[t] and len(nodes[t].parents()) == 1):
        old, new = nodes[nodes[t].parents()[0]].value, nodes[t].value
        is_swapped = old.ndim == 2 and old.shape == new.shape[::-1] and 1 < min(old.shape) < max(old.shape)
        if is_swapped and len(new) >= _FEW_ROWS and np.array_equal(old.ravel(), new.ravel()):
            samples, many = old.shape[::-1]
            text = f"A table of {many} rows of {samples} numbers is given the shape of {samples} rows of {many}: its "
            text += f"numbers stay in their order, so row 1 now holds the first {many} numbers of what was row 1."
            yield Finding("reshape-instead-of-transpose", place_of(sight.course, t), "exact", text, {"rows": samples})
            return


def _set_in_all_rows(sight: Sight) -> Iterator[Finding]:
    """Targets into which the class of each row was written in all rows, and from which steps are made."""
    for t, node in enumerate(sight.nodes):
        key = node.kw.get("k") if node.op == "setitem" and node.value.ndim == _TABLE else None
        if not (isinstance(key, tuple) and len(key) == _TABLE and isinstance(key[1], np.ndarray)):
            continue
        is_of_all = isinstance(key[0], slice) and key[0] == slice(None) and key[1].shape == node.value.shape[:1]
        repeats = key[1].dtype.kind in "iu" and len(np.unique(key[1])) < len(key[1])
        if is_of_all and repeats and sight.course.roles.flows[t] and not sight.course.roles.rests_on[t]:
            text = f"The classes of all {len(node.value)} rows are written into each row here: the rows are all alike, "
            text += "and none says which class is its own."
            yield Finding("target-unused", place_of(sight.course, t), "exact", text, {"rows": len(node.value)})
            return


def _changed_start(sight: Sight) -> Iterator[Finding]:
    """A second training that begins anew with one parameter, and goes on with what the first made of another."""
    assert sight.trial is not None
    states = [s for s, e in sight.trial.explained.items() if e.right]
    at_place: dict[object, list[State]] = defaultdict(list)
    for state in states:
        at_place[sight.nodes[state.versions[1]].site].append(state)
    for again in at_place.values():
        begun = sorted(again, key=lambda s: s.versions[0])
        apart = all(a.versions[-1] < b.versions[1] for a, b in pairwise(begun))
        if len(begun) < 2 or not apart:
            continue
        for state in states:
            if sight.nodes[state.versions[0]].value.ndim and _spans(state, begun):
                name = sight.name(state) or "A parameter"
                text = f"{name} is changed where it lies, and {len(begun)} trainings were seen to begin with it: "
                text += "each but the first begins where the one before has ended."
                place = place_of(sight.course, state.versions[1])
                yield Finding("start-changed", place, "symptom", text, {"trainings": len(begun)})
                return


def _spans(state: State, begun: Sequence[State]) -> bool:
    """Whether a state takes steps in each of several trainings."""
    return all(sum(s.versions[0] < v <= s.versions[-1] + 1 for v in state.versions) > 1 for s in begun)


def _target_unused(sight: Sight) -> Iterator[Finding]:
    """Steps that nothing explains, and in which nothing has a part that the loss holds its outputs against."""
    course, trial = sight.course, sight.trial
    assert trial is not None
    if sight.verdict.kind != "inconclusive" or trial.objective.kind != "loss" or trial.right:
        return
    errors = [t for t in trial.gradients if t not in course.stop and sight.nodes[t].value.size > 1]
    errors = [t for t in errors if sight.nodes[t].op not in PRODUCTS]
    known = {a for t in errors for a in sight.nodes[t].parents() if not course.roles.rests_on[a]}
    known = {a for a in known if sight.nodes[a].value.size > 1}
    may_choose = any(sight.nodes[a].value.dtype.kind != "f" for a in known)  # where something is written, say
    if may_choose or any(e.kind in ("few", "flat") for e in trial.explained.values()):
        return
    targets = {course.roles.root(a) for a in known}
    if targets and not any(course.roles.flows[a] for a in targets) and trial.explained:
        gradient = gradient_of(course, max(trial.explained, key=lambda s: s.size))
        if gradient in course.stop or not course.roles.rests_on[gradient]:
            return  # what it is stepped by is not known
        behind = [a for a in sight.nodes[gradient].parents() if course.roles.rests_on[a]]
        place = place_of(course, max(behind, default=gradient))
        text = "The loss compares outputs with targets, and no step is made of these targets: "
        text += "whatever they were, the parameters would be the same."
        yield Finding("target-unused", place, "exact", text, {"target": sight.name_of(min(targets))})


def _dropped_in_a_measure(sight: Sight) -> Iterator[Finding]:
    """A forward pass that no step follows, in which the training's dropout is still at work."""
    roles, nodes = sight.course.roles, sight.nodes
    trained = {nodes[t].site for t in range(len(nodes)) if roles.flows[t]}
    ways = {site[:k] for site in trained for k in range(len(site) + 1)}
    for t, node in enumerate(nodes):
        if node.op != "multiply" or roles.flows[t] or not roles.rests_on[t] or node.site in trained:
            continue
        for mask in (a for a in node.parents() if not roles.rests_on[a] and drops(nodes[a].value)):
            if node.site[:2] in ways and any(nodes[x].is_drawn for x in made_of(nodes, mask)):
                text = "The outputs that are only looked at here, and lead to no step, are made with dropout: "
                text += "a part of the units is switched off by chance, as in training."
                place = place_of(sight.course, mask)
                if is_asked_for(sight.trace.texts, place):  # so the call asks for it that training does not make
                    calls = (node.site[:k] for k in range(2, len(node.site) + 1))
                    place = next((Place(*way[-1][1::-1]) for way in calls if way not in ways), place)
                yield Finding("dropout-when-measured", place, "exact", text)
                return


@dataclass(frozen=True)
class _Passing:
    """What is multiplied with a parameter, or the parameter: what it is a multiple of, how often on average.

    Attributes
    ----------
    of : int
        The node that is left when factors are taken off.
    times : float
        The mean of those factors' product.
    spread : float
        How far `times` may be off by chance, as a standard deviation.
    mask : int or None
        The multiplication with a mask that was drawn, if there is one.
    """

    of: NodeId
    times: float = 1.0
    spread: float = 0.0
    mask: NodeId | None = None


def _dropped_and_not_scaled(sight: Sight) -> Iterator[Finding]:
    """Units of which a part is switched off in training, so that less of them goes on than where it is measured."""
    roles, nodes = sight.course.roles, sight.nodes
    states = {**roles.versions, **last_versions(sight)}
    training: dict[tuple[object, ...], _Passing] = {}
    for t in (t for t, node in enumerate(nodes) if node.op in PRODUCTS and roles.rests_on[t]):
        passing = [found for a in nodes[t].parents() if (found := _passing(sight, a)) is not None]
        known = [states.get(roles.root(p.of)) for p in passing]
        if len(passing) != 2 or (known[0] is None) == (known[1] is None):
            continue
        units, parameter = passing if known[0] is None else passing[::-1]
        turned = nodes[nodes[t].parents()[known[0] is None]]
        way = (*known, turned.op == "move", turned.value.shape)  # through the layer, or back
        if roles.flows[t]:
            if units.mask is not None:
                training.setdefault(way, units)
        elif units.mask is None and way in training:
            in_training, mask = training[way], training[way].mask
            measured, chance = units.times * parameter.times, max(_BY_CHANCE * in_training.spread, _LITTLE)
            if mask is not None and abs(in_training.times - measured) > chance:
                text = f"In training {in_training.times:.0%} of these units' outputs goes on, on average; where the "
                text += f"network is measured, {measured:.0%}: it is not the one that learned."
                evidence = {"in_training": in_training.times, "measured": measured}
                made_good = abs(in_training.times - 1) <= chance  # in training already
                scaled = [a for a, p in zip(nodes[t].parents(), passing, strict=True) if p.times != 1]
                place = place_of(sight.course, max(scaled) if made_good else mask)
                yield Finding("dropout-scale-wrong", place, "exact", text, evidence)
                return


def _passing(sight: Sight, a: NodeId) -> _Passing | None:
    """What a value is a multiple of; None where it is multiplied with what is neither one number nor a mask."""
    nodes, rests_on, found = sight.nodes, sight.course.roles.rests_on, _Passing(a)
    while True:
        node = nodes[found.of]
        is_turned = node.op in VIEWS or node.op == "negative"  # a sign makes it no other share
        if is_turned and len(node.parents()) == 1 and found.of not in sight.course.stop:
            found = replace(found, of=node.parents()[0])
            continue
        if node.op not in ("multiply", "divide"):
            return found
        position = 0 if type(node.args[0]) is int and rests_on[node.args[0]] else 1
        operand, other = node.args[position], node.args[1 - position]
        if type(operand) is not int or (type(other) is int and rests_on[other]) or (node.op == "divide" and position):
            return found
        by = np.asarray(nodes[other].value if type(other) is int else other.value, dtype=float)  # type: ignore[union-attr]
        by = by if node.op == "multiply" else 1 / by
        is_mask = type(other) is int and drops(by) and any(nodes[x].is_drawn for x in made_of(nodes, other))
        if not is_mask and not np.all(by == by.ravel()[0]):
            return None
        found = replace(
            found,
            of=operand,
            times=found.times * float(by.mean()),
            spread=found.spread * abs(float(by.mean())) + found.times * float(by.std()) / by.size**0.5,
            mask=found.of if is_mask else found.mask,
        )


def _changed_before_a_measure(sight: Sight) -> Iterator[Finding]:
    """A class that is read off where the way back has already written the error in the outputs' own place."""
    roles, nodes = sight.course.roles, sight.nodes
    for t, node in enumerate(nodes):
        if node.op != "argmax" or roles.flows[t] or not roles.rests_on[t]:
            continue
        at = node.parents()[0]
        while nodes[at].op in ("divide", "multiply") and len(nodes[at].parents()) == 1:
            at = nodes[at].parents()[0]
        if nodes[at].op != "setitem" or not roles.flows[at] or len(nodes[at].parents()) != 2:
            continue
        outputs, new = nodes[at].parents()
        read = nodes[new].parents()[:1]
        if nodes[new].op == "subtract" and read and nodes[read[0]].parents()[:1] == [outputs]:
            text = "The outputs are changed in their place here, for the way back; "
            text += "the class that is read off from them afterwards is not what the network said."
            yield Finding("input-mutated", place_of(sight.course, at), "exact", text)
            return


def _classes_from_below(sight: Sight) -> Iterator[Finding]:
    """Classes 0 to n - 1 from which a number is subtracted before they choose a row of ones and zeros."""
    nodes = sight.nodes
    for t, node in enumerate(nodes):
        index, parents = node.kw.get("k"), node.parents()
        if not (isinstance(index, np.ndarray) and parents and nodes[parents[0]].kw.get("made") == "eye"):
            continue
        last = len(nodes[parents[0]].value) - 1
        made = [n for n in nodes[max(t - _NEARBY, 0) : t] if n.op == "subtract" and np.array_equal(n.value, index)]
        labels = [nodes[n.parents()[0]].value for n in made if len(n.parents()) == 1]
        if index.dtype.kind == "i" and any((v.min(), v.max()) == (0, last) for v in labels) and index.min() < 0:
            text = f"The classes run from 0 to {last}, and from {index.min()} on as they are used here: an index below "
            text += "0 counts from the end, so the network learns other classes than it is measured with."
            yield Finding("metric-wrong", place_of(sight.course, t), "exact", text)
            return


def _best_goes_on(sight: Sight) -> Iterator[Finding]:
    """What was kept of the best so far, and has changed since: another name of the array that is trained."""
    for kept in sight.trace.tape.kept:
        if not np.array_equal(kept.value, kept.array):
            text = f"{kept.name} is kept here as the best so far, and later steps have changed it: "
            text += "it is the array that goes on being trained, not a copy of what it was."
            yield Finding("best-not-copied", Place(kept.line, kept.file), "exact", text, {"name": kept.name})
            return


def _seeded_again(sight: Sight) -> Iterator[Finding]:
    """The same random numbers in each round of one training."""
    assert sight.trial is not None
    spans = [(s.versions[0], s.versions[-1]) for s in sight.trial.explained]
    by_place: dict[Place, int] = defaultdict(int)
    for s in sight.trace.tape.seeded:
        by_place[Place(s.line, s.file)] += s.is_again and any(start < s.before < end for start, end in spans)
    for place, times in by_place.items():
        if times >= _REPEATS:
            text = "The random numbers are seeded anew in every round: "
            text += f"in {times} of them the same were drawn as in the one before."
            yield Finding("seed-in-loop", place, "exact", text, {"times": times})
            return


def _lost_results(sight: Sight) -> Iterator[Finding]:
    """Arrays that were computed again and again, and put nowhere."""
    for lost, times in sight.trace.tape.lost.items():
        if times >= _REPEATS:
            text = f"What {lost.function} gives here is put nowhere ({times} times seen): "
            text += "it makes a new array, and the one that it is given stays as it was."
            yield Finding("result-unused", Place(lost.line, lost.file), "exact", text, {"times": times})
