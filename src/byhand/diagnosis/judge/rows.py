"""Which rows of the data a run's steps are made of, and which it measures, through all that was recorded of it.

A row is known by the array that it came from first and its number there, whatever was moved, scaled or picked since. An
array that is met again after a pause of the recording is the one with the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge.origins import NEUTRAL, Labels, Origins
from byhand.diagnosis.judge.roles import NodeId, State
from byhand.diagnosis.judge.shapes import ancestors
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.tape.nodes import Node

ARRAY = 1 << 32  # a label is the array's number times this, plus that of the row
_FEW = 2  # rows
_TABLE = 2  # axes
_SIDES = {"subtract", "multiply", "xlogy", "equal", "not_equal"}
_MOVES = {"getitem", "move", "gather", "copy"}
_PUT_TOGETHER = {"move", "stack", "setitem"}


@dataclass(frozen=True)
class Meeting:
    """Where outputs of some rows meet targets of these rows.

    Attributes
    ----------
    at, output, target : int
        Nodes of the sight.
    rows, of : ndarray
        The rows that the output and the target come from, in their order, as labels.
    steps : bool
        Whether steps are made from it.
    place : hashable
        The place in the text, and the calls.
    """

    at: NodeId
    output: NodeId
    target: NodeId
    rows: Labels
    of: Labels
    steps: bool
    place: Hashable


class _Moved(Origins):
    """Labels of rows that stay with their row also where one is picked several times, or columns are put together."""

    def _labels(self, t: NodeId) -> Labels:
        labels, node = super()._labels(t), self.nodes[t]
        if node.op in _PUT_TOGETHER and labels.ndim > 1 and (labels >= 0).all():
            for table in (labels.reshape(len(labels), -1), labels.reshape(-1, labels.shape[-1]).T):
                first = table[:, :1]
                if (table % ARRAY == first % ARRAY).all() and not (table == first).all():
                    shape = (-1, *[1] * (labels.ndim - 1)) if len(table) == len(labels) else (-1,)
                    return np.broadcast_to(first.reshape(shape), labels.shape)
        return labels

    def _looked_up(self, t: NodeId) -> Labels | None:
        node = self.nodes[t]
        labels = self.known[node.parents()[0]] if node.op == "getitem" and node.parents() else None
        if labels is not None and (labels != NEUTRAL).any():
            return np.asarray(labels[node.kw["k"]])
        key = next(k for k in _keys(node) if k.dtype.kind in "iu" and len(np.unique(k)) < k.size)
        found = self.node_of(key, t)
        if found is None:
            return None
        of = self.of(found)
        if node.op == "setitem":
            written = np.array(self.known[node.parents()[0]])
            written[node.kw["k"]] = of
            return written
        return np.broadcast_to(of.reshape(*key.shape, *[1] * (node.value.ndim - key.ndim)), node.value.shape)


def last_versions(sight: Sight) -> dict[NodeId, State]:
    """What each state's last step gave, where no other step is made from it: it is only measured."""
    nodes, roles = sight.nodes, sight.course.roles
    found: dict[NodeId, State] = {}
    for state in roles.states:
        places = {nodes[v].site for v in state.versions[1:]}
        last = state.versions[-1]
        found |= {t: state for t in roles.users.get(last, ()) if nodes[t].site in places and t > last}
    return found


class Rows:
    """The rows of a whole run."""

    def __init__(self, nodes: Sequence[Node], sights: Sequence[Sight]) -> None:
        self.nodes, self.sights = nodes, sights
        neutral = {s.stretch.numbers[v] for s in sights for v in (*s.course.stop, *last_versions(s))}
        self.origins: Origins = _Moved(nodes, neutral, self._base)
        self._begun: dict[NodeId, Labels | None] = {}
        self._alike: dict[NodeId, NodeId] = {}

    @cached_property
    def _by_shape(self) -> dict[tuple[int, ...], list[NodeId]]:
        found: dict[tuple[int, ...], list[NodeId]] = defaultdict(list)
        for t, node in enumerate(self.nodes):
            if node.value.ndim and node.value.size > 1:
                found[node.value.shape].append(t)
        return found

    def first_alike(self, t: NodeId) -> NodeId:
        """The first value with the numbers of one that was met again after a pause; any other itself."""
        node = self.nodes[t]
        memory = node  # of which it may be another view, as what is transposed is
        if node.op in ("gather", "move") and len(node.parents()) == 1:
            memory = self.nodes[node.parents()[0]]
        if memory.op != "leaf" or memory.kw.get("made") != "resumed" or node.value.ndim == 0:
            return t
        if t not in self._alike:
            same = (x for x in self._by_shape[node.value.shape] if x < t)
            self._alike[t] = next((x for x in same if np.array_equal(self.nodes[x].value, node.value)), t)
        return self._alike[t]

    def _base(self, t: NodeId) -> Labels | None:
        if t not in self._begun:
            self._begun[t] = self._begin(t)
        return self._begun[t]

    def _begin(self, t: NodeId) -> Labels | None:
        node, first = self.nodes[t], self.first_alike(t)
        if first != t:
            return self.origins.of(first)
        of_numbers = node.op == "stack" and not any(self.nodes[a].value.ndim for a in node.parents())
        if node.op not in ("leaf", "opaque") and node.parents() and not of_numbers:
            return None
        value = node.value.T if t in self._turned else node.value
        if value.ndim == 0 or len(value) < _FEW or node.kw.get("made") == "eye" or (value == value.ravel()[0]).all():
            return np.broadcast_to(np.int64(NEUTRAL), node.value.shape)
        rows = t * ARRAY + np.arange(len(value))
        labels = np.broadcast_to(rows.reshape(-1, *[1] * (value.ndim - 1)), value.shape)
        return labels.T if t in self._turned else labels

    @cached_property
    def _turned(self) -> set[NodeId]:
        """Tables whose memory holds column after column, so that the program reads them the other way round."""
        views = (node for node in self.nodes if node.op == "gather" and node.value.ndim == _TABLE)
        leaves = ((node.parents()[0], node.value.shape[::-1]) for node in views if len(node.parents()) == 1)
        return {t for t, shape in leaves if self.nodes[t].op == "leaf" and self.nodes[t].value.shape == shape}

    def of(self, t: NodeId) -> Labels | None:
        """The row of each sample in a value of the tape, one a sample; None where one has none."""
        labels = self.origins.of(t)
        if not labels.size:
            return None
        table = labels.reshape(len(labels), -1) if labels.ndim else labels.reshape(1, 1)
        if (table == table[0, 0]).all():
            return table[0, :1] if table[0, 0] >= 0 else None
        for one in (table[:, 0], table[0], *table.T[1:]):
            if (one >= 0).all() and one.size > 1 and (one != one[0]).any():  # else it is one sample's numbers
                return one
        return None

    def root(self, t: NodeId) -> NodeId:
        """The value that rows of a value of the tape were picked from."""
        return self._picks(t)[-1]

    def picked(self, t: NodeId) -> NodeId:
        """Where some of the root's rows were picked first, for a value of the tape; the root where all are there."""
        picks = self._picks(t)[::-1]
        many = self.nodes[picks[0]].value.shape[:1]
        return next((x for x in picks if self.nodes[x].value.shape[:1] != many), picks[0])

    def where_chosen(self, t: NodeId) -> Place | None:
        """Where the numbers of the rows were computed that a value has of its root; None where none were."""
        first, picks = self.picked(t), self._picks(t)[::-1]
        picks = [x for x in picks[picks.index(first) :] if self.nodes[x].op == "getitem"]  # of all rows in an order
        keys = [(x, k) for x in picks[:1] for k in _keys(self.nodes[x]) if k.ndim == 1]
        chosen = self._equal(keys[0][1], keys[0][0]) if keys else None
        return None if chosen is None else Place(self.nodes[chosen].line, self.nodes[chosen].file)

    def _picks(self, t: NodeId) -> list[NodeId]:
        picks = [self.first_alike(t)]
        while True:
            node = self.nodes[picks[-1]]
            parents = node.parents()
            if node.op not in _MOVES or len(parents) != 1 or not (self.origins.of(parents[0]) >= 0).any():
                return picks
            picks.append(self.first_alike(parents[0]))

    def meetings(self, sight: Sight, *, loose: bool = False) -> Iterator[Meeting]:
        """Where outputs meet targets of the same number of rows.

        With `loose` also targets that came from nowhere, as codes that were written one by one, are those of the rows
        that they meet.
        """
        roles, nodes, number = sight.course.roles, sight.nodes, sight.stretch.numbers
        seeds = {*sight.errors, *(t for o in roles.objectives if o.kind == "error" for t in o.seeds)}
        errors = {nodes[t].site for t in seeds}
        last = last_versions(sight)
        moves = {x for t in last for x in ancestors(sight, t)}
        for t, node in enumerate(nodes):
            is_of_step = roles.flows[t] or t in moves
            if not roles.rests_on[t] or (is_of_step and node.site not in errors) or t in last:
                continue
            output, target = self._sides(sight, t)
            if output is None or target is None or output in roles.versions or output in last:
                continue
            rows, of = self.of(number[output]), self.of(number[target])
            if loose and of is None and rows is not None and len(rows) in nodes[target].value.shape:
                of = rows
            if rows is not None and of is not None and len(rows) == len(of):
                yield Meeting(t, output, target, rows, of, is_of_step, node.site)

    def column_choices(self, t: NodeId) -> Iterator[tuple[NodeId, NodeId]]:
        """Where columns were picked, by numbers that were computed, of the data that a value is made of."""
        for x in self.behind(t):
            node = self.nodes[x]
            key = node.kw["k"] if node.op == "getitem" else None
            if (
                isinstance(key, tuple)
                and len(key) == 2
                and isinstance(key[0], slice)
                and isinstance(key[1], np.ndarray)
            ):
                chosen = self._equal(key[1], x)
                if chosen is not None and node.value.shape[1] < self.nodes[node.parents()[0]].value.shape[1]:
                    yield x, chosen

    def used_in(self, t: NodeId, array: int) -> set[int]:
        """The rows of an array, as labels, that a value was made of or chosen by."""
        waiting, seen, found = [t], {t}, set[int]()
        while waiting:
            x = waiting.pop()
            of = self.of(x)
            if of is not None and array_of(of) == array:
                found |= set(of.tolist())
                continue
            node = self.nodes[x]
            masks = _keys(node) if node.op == "getitem" else []
            chosen = [c for k in masks if (c := self._equal(k, x)) is not None]
            for a in (*node.parents(), *chosen, self.first_alike(x)):
                if a not in seen:
                    seen.add(a)
                    waiting.append(a)
        return found

    def _equal(self, key: Labels, before: NodeId) -> NodeId | None:
        same = (x for x in reversed(self._by_shape.get(key.shape, [])) if x < before)
        return next((x for x in same if np.array_equal(self.nodes[x].value, key)), None)

    def behind(self, t: NodeId) -> list[NodeId]:
        """What a value was made of, also before pauses, back to the parameters."""
        waiting, seen = [t], {t}
        while waiting:
            x = waiting.pop()
            parents = self.nodes[x].parents() if x not in self.origins.neutral else []
            for a in (*parents, self.first_alike(x)):
                if a not in seen:
                    seen.add(a)
                    waiting.append(a)
        return sorted(seen)

    def _sides(self, sight: Sight, t: NodeId) -> tuple[NodeId | None, NodeId | None]:
        node, rests, pair = sight.nodes[t], sight.course.roles.rests_on, sight.nodes[t].parents()
        if node.op in ("getitem", "setitem") and rests[pair[0]]:
            keys = [k for k in _keys(node) if k.ndim == 1 and k.dtype.kind in "iu"]
            is_choice = len(keys) == 2 and np.array_equal(keys[0], np.arange(len(sight.nodes[pair[0]].value)))
            return (pair[0], self._key(sight, keys[1], t)) if is_choice else (None, None)
        if node.op in _SIDES and len(pair) == 2 and sum(rests[a] > 0 for a in pair) == 1:
            return (pair[0], pair[1]) if rests[pair[0]] else (pair[1], pair[0])
        return None, None

    def _key(self, sight: Sight, key: Labels, t: NodeId) -> NodeId | None:
        return sight.origins.node_of(key, t)


def _keys(node: Node) -> list[Labels]:
    k = node.kw["k"]
    return [x if isinstance(x, np.ndarray) else np.asarray(x) for x in (k if isinstance(k, tuple) else (k,))
            if isinstance(x, np.ndarray | list | range)]  # fmt: skip


def array_of(labels: Labels) -> int:
    """The array that rows come from; -1 where from several."""
    first = int(labels.min()) // ARRAY
    return first if int(labels.max()) // ARRAY == first else -1


def shared(a: Collection[int], b: Collection[int]) -> int:
    """How many rows two sets have in common."""
    return len(set(a) & set(b))
