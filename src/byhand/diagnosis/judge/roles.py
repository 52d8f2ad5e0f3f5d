"""Which values of a tape are parameters, losses and errors: from the flow of the numbers alone, never from names.

A *carried state* is a value that is used at some place of the program, and later, at the same place, a value that was
made from it by adding something. A state on which a loss rests is a parameter; a velocity, a moment, a step count or a
decaying rate is carried, too, but no loss rests on it.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, permutations
from typing import Any, Protocol

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.convex import convex
from byhand.diagnosis.judge.rewards import is_draw, rewards
from byhand.diagnosis.tape.derive import FLAT
from byhand.diagnosis.tape.nodes import Const, Node

NodeId = int
_FARTHEST = 400  # links that are followed backwards from one value
_BELOW, _ABOVE = {"less", "less_equal"}, {"greater", "greater_equal"}
_OF_A_RATE = {"multiply", "divide", "copy", "maximum", "minimum", "clip", "item"}
_OF_A_LENGTH = 12  # values that lie between an array and its columns' lengths
_LOOKED_AT = 12  # versions of a state that show whether it is put back
_OF_SHRINKING = {"sign", "maximum", "subtract", "absolute"}
_TELLING = {"opaque", "setitem", "stack", "item", "copy", "round", *_BELOW, *_ABOVE}
_NEAR_A_TARGET = 60
_OF_A_PART = {"getitem", "gather", "item"}
_OF_DATA = {*_OF_A_PART, "stack"}  # a part of a table, or a table of numbers that are written down
VIEWS = {"move", "gather", "copy", "getitem", "item"}
PRODUCTS = {"dot", "matmul", "outer", "inner", "einsum", "tensordot"}


class Taped(Protocol):
    """What the judge needs of a tape."""

    nodes: list[Node]
    names: dict[int, str]


@dataclass(eq=False)
class State:
    """A carried state: its versions are nodes, in the order of time."""

    versions: list[NodeId]
    size: int
    name: str = ""


@dataclass(eq=False)
class Objective:
    """What the steps may be held against.

    Attributes
    ----------
    kind : str
        "loss", a number that the program computes and no step is made from; "error", an output minus its target, for
        which half the squared error stands; "link", an error taken as the gradient before the output's activation;
        "slope", what is made of an error alone and grows with it, the derivative of a convex loss;
        "margin", a number of which a step is made only where it lies beyond another, as in a perceptron.
    seeds : list of int
        Its nodes, all of one site.
    rests_on : int
        The states it depends on, a bit each.
    sign : float
        −1 where the program subtracts its nodes from a sum that it shows: minus them is the loss.
    is_truncated : bool
        Whether what it takes over from earlier versions of the parameters counts as constant.
    weights : dict
        What nodes count for, where it is not 1: those of several losses that are made small together, or each error
        of a policy for its reward.
    """

    kind: str
    seeds: list[NodeId]
    rests_on: int
    sign: float = 1.0
    is_truncated: bool = False
    weights: Mapping[NodeId, float | Array] = field(default_factory=dict)


@dataclass
class Roles:
    """Who is who on the tape.

    Attributes
    ----------
    states : list of State
    versions : dict
        The state of each node that is a version of one.
    rests_on : list of int
        For each node the states that it depends on through their present version alone, a bit each.
    flows : list of bool
        Whether a node has a part in a later version of a state.
    users : dict
        For each node the nodes that take it as an argument.
    objectives : list of Objective
        The likeliest first.
    idle : list of State
        What is added to again and again, and used for nothing else: a running sum, or a parameter that nothing reads.
    ahead : dict
        The points ahead at which a forward pass begins, each with the version that it is one of.
    slopes : dict
        What is the derivative of a convex loss of an error, with the output and the direction: see `convex`.
    rewards : dict
        What the errors of a policy count for: see `rewards`.
    names : dict
        What the program calls a node's value.
    sizes : dict
        Where each state is taken times itself, or for its size: what `penalties` has found so far.
    regions : dict
        The activation that ends in a node, if one does: what `Anatomy` has found so far.
    made : dict
        What each version was made of since another: what `made_since` has found so far.
    ways : dict
        What can be said of a step and of a value on its way, whatever gradient it is held against: what `optimizers`
        has found so far.
    """

    nodes: list[Node]
    states: list[State]
    versions: dict[NodeId, State] = field(default_factory=dict)
    rests_on: list[int] = field(default_factory=list)
    flows: list[bool] = field(default_factory=list)
    users: dict[NodeId, list[NodeId]] = field(default_factory=dict)
    objectives: list[Objective] = field(default_factory=list)
    idle: list[State] = field(default_factory=list)
    ahead: dict[NodeId, NodeId] = field(default_factory=dict)
    slopes: dict[NodeId, tuple[NodeId, float]] = field(default_factory=dict)
    rewards: dict[NodeId, Array] = field(default_factory=dict)
    names: dict[NodeId, str] = field(default_factory=dict)
    sizes: dict[State, list[NodeId]] = field(default_factory=dict)
    regions: dict[NodeId, Any] = field(default_factory=dict)
    made: dict[tuple[NodeId, NodeId], list[NodeId]] = field(default_factory=dict)
    ways: dict[tuple[object, ...], Any] = field(default_factory=dict)

    def bit(self, state: State) -> int:
        """The bit that stands for a state."""
        return 1 << self.states.index(state)

    def root(self, t: NodeId) -> NodeId:
        """The value under transposes, reshapes and indexing, or what it is the point ahead of."""
        while t not in self.versions and self.nodes[t].op in VIEWS and len(self.nodes[t].args) == 1:
            first = self.nodes[t].args[0]
            if type(first) is not int:
                break
            t = first
        return self.ahead.get(t, t)

    def unturned(self, t: NodeId) -> NodeId:
        """The value that another is a copy of, or minus it."""
        while self.nodes[t].op in ("copy", "negative") and self.nodes[t].parents():
            [t] = self.nodes[t].parents()
        return t

    def parameters(self, mask: int) -> list[State]:
        """The states of a mask."""
        return [state for k, state in enumerate(self.states) if mask >> k & 1]


def find_roles(tape: Taped) -> Roles:
    """Find the states, what rests on them, and what they may be meant to make small."""
    nodes = tape.nodes
    links = [list(_links(nodes, t)) for t in range(len(nodes))]
    users: dict[NodeId, list[NodeId]] = defaultdict(list)
    for t, node in enumerate(nodes):
        for a in node.parents():
            users[a].append(t)
    carried = _without_sums_begun_anew(nodes, _carried(nodes, links))
    carried = _without_intermediates(nodes, links, carried)
    put_back = [s for s in carried if _is_put_back(nodes, s)]
    carried = [s for s in carried if s not in put_back and not _is_shuffled(nodes, s)]
    carried = [s for s in carried if not _is_only_scaled(nodes, links, s)]
    states = _that_feed_another(nodes, carried, links) or ([] if put_back else _stepped(nodes, links))
    idle = _idle(nodes, links, states)
    for state in (*states, *idle):
        state.name = next((tape.names[v] for v in state.versions if v in tape.names), "")
    roles = Roles(nodes, states, users=users, idle=idle, names=tape.names)
    roles.versions = {v: state for state in states for v in state.versions}
    pairs = _moved_by_another(users, states)
    roles.ahead = {t: v for s, other in pairs for t, v in _points_ahead(nodes, users, s, other).items()}
    roles.rests_on = _dependence(nodes, states, roles.versions, roles.ahead)
    roles.flows = _flow(nodes, roles.versions, states)
    roles.slopes = convex(roles)
    steps = {t for s in states for v, w in pairwise(s.versions) for _, t in _additions(links, v, w)}
    found = _without_sizes(roles, _without_outputs(roles, list(_objectives(roles, steps))))
    roles.objectives = sorted(found, key=_likeliness)
    return roles


def _without_outputs(roles: Roles, found: Sequence[Objective]) -> list[Objective]:
    """Without the outputs of a network that are only looked at: what an error is made of elsewhere is no loss."""

    def place(t: NodeId) -> tuple[object, ...]:
        return roles.nodes[t].op, roles.nodes[t].line, roles.nodes[t].file

    errors = {t for o in found if o.kind == "error" for t in o.seeds[:1] if roles.nodes[t].op == "subtract"}
    outputs = {place(a) for t in errors for a in roles.nodes[t].parents() if roles.rests_on[a]}
    return [o for o in found if o.kind != "loss" or place(o.seeds[0]) not in outputs]


def _without_sizes(roles: Roles, found: Sequence[Objective]) -> list[Objective]:
    """Without a number made of parameters alone, as their norm is, where there is something that is made of data."""
    others = [o for o in found if o.kind != "loss" or _is_made_of_data(roles, o.seeds[0])]
    return others or list(found)


def _is_made_of_data(roles: Roles, t: NodeId) -> bool:
    """Whether an array goes into a value beside the parameters, or tells which of their numbers do."""
    nodes = roles.nodes
    beside = (nodes[x] for x in made_of(nodes, t, farthest=len(nodes), closed=roles.versions))
    return any(n.op in _OF_DATA or (n.op == "leaf" and n.kw.get("made") != "constant") for n in beside)


def _likeliness(objective: Objective) -> tuple[int, bool, int]:
    return -objective.rests_on.bit_count(), objective.kind != "loss", -len(objective.seeds)


# -- what adds to a state ----------------------------------------------------------------------------------------------


def _same_shape(nodes: Sequence[Node], a: object, value: Array) -> bool:
    return type(a) is int and nodes[a].value.shape == value.shape


def _is_constant_factor(nodes: Sequence[Node], a: int | Const, value: Array) -> bool:
    """A number that multiplies a state without being made from data: a decay.

    Where the states are numbers, all is; then it is one that stands in the text, or is made of such, and is not 0, as
    what max(z, 0.0) gives is.
    """
    number = np.asarray(a.value if isinstance(a, Const) else nodes[a].value)
    if number.size != 1 or not number.any():
        return False
    if isinstance(a, Const):
        return True
    made_of = list(nodes[a].parents()) or [a]
    return value.size > 1 or all(nodes[x].op == "leaf" for x in made_of)


def _links(nodes: Sequence[Node], t: NodeId) -> Iterator[NodeId]:
    """The nodes that t is an addition to."""
    node = nodes[t]
    value, args = node.value, node.args
    if value.dtype.kind not in "fiu" or not args:
        return
    match node.op:
        case "add":
            yield from (a for a in args if type(a) is int and _same_shape(nodes, a, value))
        case "setitem" | "scatter" if not _adds_to_a_part(nodes, node):
            return
        case (
            "subtract"
            | "setitem"
            | "scatter"
            | "copy"
            | "at"
            | "clip"
            | "gather"
            | "getitem"
            | "item"
            | "maximum"
            | "minimum"
        ):
            if type(args[0]) is int and _same_shape(nodes, args[0], value):
                yield args[0]
        case "multiply" | "divide":
            for a, other in (args, args[::-1])[: 1 if node.op == "divide" else 2]:
                if type(a) is int and _same_shape(nodes, a, value) and _is_constant_factor(nodes, other, value):
                    yield a
            if (whole := rescaled(nodes, t)) is not None:
                yield whole
        case "stack" | "move":
            yield from _whole_of_parts(nodes, args, value)


def rescaled(nodes: Sequence[Node], t: NodeId) -> NodeId | None:
    """What a value is, times numbers that are made of that alone: of columns brought to a length, say.

    Or nearer to 0 by one number, and 0 where it was nearer, as a proximal step for a penalty on sizes leaves it.
    """
    node = nodes[t]
    if node.op not in ("multiply", "divide"):
        return None
    if node.op == "multiply" and (whole := _shrunk(nodes, t)) is not None:
        return whole
    for a, other in (node.args, node.args[::-1])[: 1 if node.op == "divide" else 2]:
        if type(a) is not int or type(other) is not int or other == a:
            continue
        is_smaller = nodes[other].value.size < nodes[a].value.size == node.value.size
        waiting, seen = [other], {other}
        while is_smaller and waiting and len(seen) < _OF_A_LENGTH:
            x = waiting.pop()
            new = [b for b in nodes[x].parents() if b not in seen and b != a]
            is_smaller = x == other or bool(nodes[x].parents()) or nodes[x].value.size == 1
            seen.update(new)
            waiting += new
        if is_smaller and not waiting and any(a in nodes[x].parents() for x in seen):
            return a
    return None


def _shrunk(nodes: Sequence[Node], t: NodeId) -> NodeId | None:
    """The value v of which sign(v) * max(|v| - number, 0) is made."""
    waiting, used, sources = [t], set[str](), set[NodeId]()
    while waiting and len(used) <= len(_OF_SHRINKING):
        x = waiting.pop()
        used.add(nodes[x].op)
        for a in (a for a in nodes[x].parents() if nodes[a].value.size > 1):
            if nodes[a].op in _OF_SHRINKING and nodes[x].op != "sign" and nodes[x].op not in ("absolute", "fabs"):
                waiting.append(a)
            else:
                sources.add(a)
    return sources.pop() if used == _OF_SHRINKING | {"multiply"} and len(sources) == 1 else None


def _adds_to_a_part(nodes: Sequence[Node], node: Node) -> bool:
    """Whether what is written into an array was made by adding to what stood there, not written over it.

    What stood elsewhere in it, as the value before in a series that is made one after the other, did not stand there.
    """
    if len(node.args) < 2 or type(node.args[1]) is not int:
        return False
    read = [x for x, _ in _part_of(nodes, node.args[1], node.value.shape)]
    places = _places(node, node.value.shape) if read else None
    return any(places is None or _stood_at(nodes, x, places) for x in read)


def _stood_at(nodes: Sequence[Node], x: NodeId, places: Array) -> bool:
    """Whether a value was read from these numbers of an array; also where that is not known."""
    array = nodes[x].args[0] if nodes[x].args else None
    if nodes[x].op not in _OF_A_PART | {"move"} or type(array) is not int or _turned_back(nodes, array) != array:
        return True
    mine = _places(nodes[x], nodes[array].value.shape)
    return mine is None or np.array_equal(mine, places)


def _places(node: Node, shape: tuple[int, ...]) -> Array | None:
    """Which numbers of an array of this shape are read or written; None where that is not known."""
    if node.op in ("getitem", "setitem"):
        return np.ravel(np.arange(math.prod(shape)).reshape(shape)[node.kw["k"]])
    return np.ravel(np.asarray(node.kw["idx"])) if "idx" in node.kw else None


def _part_of(nodes: Sequence[Node], t: NodeId, shape: tuple[int, ...]) -> Iterator[tuple[NodeId, NodeId]]:
    """What a value is with nothing done to it but adding: what was read from an array of a shape, and that array."""
    waiting, steps = [t], 0
    while waiting and steps < 25:
        x = waiting.pop()
        steps += 1
        first = nodes[x].args[0] if nodes[x].args else None
        whole = _turned_back(nodes, first) if type(first) is int else None
        if nodes[x].op in _OF_A_PART | {"move"} and whole is not None and nodes[whole].value.shape == shape:
            yield x, whole
        elif x != t and nodes[x].value.shape == shape:
            yield x, x
        else:
            waiting += _links(nodes, x)


def _whole_of_parts(nodes: Sequence[Node], args: Sequence[int | Const], value: Array) -> Iterator[NodeId]:
    """The array whose parts, each added to, were put together again."""
    common: set[NodeId] | None = None
    for a in args:
        if type(a) is not int or nodes[a].op == "leaf":
            return
        whole = {x for _, x in _part_of(nodes, a, value.shape) if x != a}
        common = whole if common is None else common & whole
        if not common:
            return
    yield from common or ()


# -- carried states ----------------------------------------------------------------------------------------------------


def _carried(nodes: Sequence[Node], links: Sequence[Sequence[NodeId]]) -> list[State]:
    after: dict[NodeId, set[NodeId]] = defaultdict(set)
    for uses in _uses_by_place(nodes, links).values():
        seen: dict[NodeId, NodeId] = {}  # value -> the node that used it at this place first
        for value, user in uses:
            if value in seen:
                continue
            for earlier in _earlier(links, value, seen) if links[value] else ():
                after[earlier].add(value)
            seen[value] = user
    return _as_states(nodes, links, after)


def _is_shuffled(nodes: Sequence[Node], state: State) -> bool:
    """Whether its versions are the same numbers in another order: data."""
    first, *others = (nodes[v].value for v in state.versions[:3])
    moved = [value for value in others if not np.array_equal(first, value)]
    return bool(moved) and state.size > 1 and all(np.array_equal(np.sort(first, None), np.sort(v, None)) for v in moved)


def _is_only_scaled(nodes: Sequence[Node], links: Sequence[Sequence[NodeId]], state: State) -> bool:
    """Whether it is a number that nothing is ever added to: a learning rate that falls."""
    added = (nodes[t].op for v, w in pairwise(state.versions) for _, t in _additions(links, v, w))
    return state.size == 1 and all(op in _OF_A_RATE for op in added)


def _is_put_back(nodes: Sequence[Node], state: State) -> bool:
    """Whether one number after the other is moved and put back as it was: differences are taken."""
    first, *others = (nodes[v].value for v in state.versions[:_LOOKED_AT])
    moved = [np.flatnonzero(first != value) for value in others]
    places = {int(k) for numbers in moved for k in numbers}
    return len(places) > 1 and all(numbers.size <= 1 for numbers in moved)  # so the other one is as it was again


def _uses_by_place(
    nodes: Sequence[Node], links: Sequence[Sequence[NodeId]]
) -> dict[tuple[Hashable, int], list[tuple[NodeId, NodeId]]]:
    uses: dict[tuple[Hashable, int], list[tuple[NodeId, NodeId]]] = defaultdict(list)
    for t, node in enumerate(nodes):
        if node.op == "opaque":
            continue
        writes = node.op in ("setitem", "scatter", "at", "copy", "clip")
        for position, a in enumerate(node.args):
            if type(a) is int and nodes[a].value.dtype.kind in "fiu" and not (writes and a in links[t]):
                uses[node.site, position].append((_turned_back(nodes, a), t))
    return uses


def _turned_back(nodes: Sequence[Node], t: NodeId) -> NodeId:
    """What a value was before its axes were turned or its shape was changed: the same numbers in the same memory."""
    while nodes[t].op in ("move", "gather") and len(nodes[t].args) == 1:
        a = nodes[t].args[0]
        if type(a) is not int or nodes[a].value.size != nodes[t].value.size:
            break
        t = a
    return t


def _earlier(links: Sequence[Sequence[NodeId]], value: NodeId, seen: dict[NodeId, NodeId]) -> Iterator[NodeId]:
    """The values used before at the same place to which this one is an addition; the use itself is no such addition."""
    waiting, visited = deque(links[value]), set[NodeId]()
    while waiting and len(visited) < _FARTHEST:
        a = waiting.popleft()  # the nearest first: behind a memory lie all that it has kept
        if a in visited:
            continue
        visited.add(a)
        if a not in seen:
            waiting += links[a]
        elif seen[a] not in visited and seen[a] != value:
            yield a


def _as_states(
    nodes: Sequence[Node], links: Sequence[Sequence[NodeId]], after: dict[NodeId, set[NodeId]]
) -> list[State]:
    """Chains of versions; what starts again from one value more than once is not carried.

    Where a value leads to several, as a bias to the sums that begin with it, the one that takes its place is that to
    which something is added that has itself been made from it.
    """
    following: dict[NodeId, NodeId] = {}
    for a, candidates in after.items():
        if not _in_one_line(links, candidates):
            candidates = {c for c in candidates if _is_fed_back(nodes, links, a, c)}
        if candidates and _in_one_line(links, candidates):
            following[a] = min(candidates)
    longest: dict[NodeId, list[NodeId]] = {}
    for head in sorted(set(following) - set(following.values())):
        versions = [head]
        while versions[-1] in following:
            versions.append(following[versions[-1]])
        versions += _used_elsewhere(links, versions, after)
        while len(versions) > 2 and nodes[versions[-1]].site != nodes[versions[-2]].site:
            if _is_fed_back(nodes, links, *versions[-2:]):
                break
            versions.pop()
        if len(versions) > len(longest.get(versions[-1], [])):
            longest[versions[-1]] = versions
    chains = _interleaved(links, list(longest.values()))
    return [State(chain, nodes[chain[0]].value.size) for chain in chains if nodes[chain[0]].value.size]


def _in_one_line(links: Sequence[Sequence[NodeId]], candidates: set[NodeId]) -> bool:
    first = min(candidates)
    return all(first == c or _leads_to(links, first, c) for c in candidates)


def _is_fed_back(nodes: Sequence[Node], links: Sequence[Sequence[NodeId]], a: NodeId, c: NodeId) -> bool:
    """Whether what is added to a value to make another has itself been made from it."""
    way = {t for _, t in _additions(links, a, c)}
    added = [p for t in way for p in nodes[t].parents() if p not in way and p != a]
    return is_made_from(nodes, added, a, farthest=len(nodes))


def _used_elsewhere(
    links: Sequence[Sequence[NodeId]], versions: list[NodeId], after: dict[NodeId, set[NodeId]]
) -> list[NodeId]:
    """Versions after the last, each used only where another version was before: the last of an epoch, in a measure."""
    found: list[NodeId] = []
    for c in sorted({c for v in versions for c in after[v] if c > versions[-1]}):
        if _leads_to(links, (found or versions)[-1], c):
            found.append(c)
    return found


def _interleaved(links: Sequence[Sequence[NodeId]], chains: list[list[NodeId]]) -> list[list[NodeId]]:
    """Chains of one state, used at several places between its steps, each seeing other versions, as one."""
    chain_of = {v: k for k, chain in enumerate(chains) for v in chain}
    met: list[set[int]] = [set() for _ in chains]
    for k, chain in enumerate(chains):
        for v, w in pairwise(chain):
            met[k] |= {chain_of[x] for x, _ in _additions(links, v, w) if x in chain_of}
    merged = list(range(len(chains)))
    for k in range(len(chains)):
        for j in met[k]:
            if k in met[j]:
                merged[k] = merged[j] = min(merged[k], merged[j])
    together: dict[int, set[NodeId]] = defaultdict(set)
    for k, chain in enumerate(chains):
        together[merged[k]] |= set(chain)
    return [sorted(versions) for versions in together.values()]


def _stepped(nodes: Sequence[Node], links: Sequence[Sequence[NodeId]]) -> list[State]:
    """What something made from it is added to, though no place sees the sum: a step that is taken once, or too late."""
    chain: dict[NodeId, list[NodeId]] = {}
    for t, node in enumerate(nodes):
        for a in links[t]:
            head = chain.get(a, [a] if _is_given(nodes, a) else None)
            added = [p for p in node.parents() if p != a]
            if head and head[-1] == a and added and is_made_from(nodes, added, head[0]):
                chain[t] = [*head, t]
    longest: dict[NodeId, list[NodeId]] = {}
    for versions in chain.values():
        if len(versions) > len(longest.get(versions[0], [])):
            longest[versions[0]] = versions
    return [State(versions, nodes[versions[0]].value.size) for versions in longest.values()]


def _is_given(nodes: Sequence[Node], t: NodeId) -> bool:
    """Whether no operation made a value, or what it was read from, or is a multiple of, as numbers drawn small are."""
    while type(next(iter(nodes[t].args), None)) is int and (
        nodes[t].op in _OF_A_PART
        or (nodes[t].op in ("multiply", "divide") and _is_constant_factor(nodes, nodes[t].args[1], nodes[t].value))
    ):
        t = nodes[t].parents()[0]
    return nodes[t].op == "leaf"


def _idle(nodes: Sequence[Node], links: Sequence[Sequence[NodeId]], states: Sequence[State]) -> list[State]:
    """What begins as a leaf and is added to, sum after sum, and is no state."""
    known = {v for state in states for v in state.versions}
    chain: dict[NodeId, list[NodeId]] = {}
    for t in range(len(nodes)):
        for a in links[t]:
            head = chain.pop(a, None) or ([a] if nodes[a].op == "leaf" and a not in known else None)
            if head is not None and t not in known:
                chain[t] = [*head, t]
                break
    return [State(versions, nodes[versions[0]].value.size) for versions in chain.values() if len(versions) > 2]


def nearest_first(
    start: Iterable[NodeId], onward: Callable[[NodeId], Iterable[NodeId]], most: float = math.inf
) -> Iterator[NodeId]:
    """Some nodes and all that one comes to from them, each once, the nearest first, so many at most."""
    waiting = deque(dict.fromkeys(start))
    seen = set(waiting)
    while waiting:
        t = waiting.popleft()
        yield t
        for a in onward(t):
            if a not in seen and len(seen) < most:
                seen.add(a)
                waiting.append(a)


def made_of(
    nodes: Sequence[Node],
    t: NodeId,
    after: NodeId = -1,
    farthest: int = _FARTHEST,
    closed: Collection[NodeId] = frozenset(),
) -> set[NodeId]:
    """A value and what it was made of after some node, without what is closed, so many values at most."""

    def parents(x: NodeId) -> list[NodeId]:
        return [a for a in nodes[x].parents() if a > after] if x not in closed else []

    return set(nearest_first([t], parents, farthest)).difference(closed)


def is_made_from(nodes: Sequence[Node], made: Iterable[NodeId], source: NodeId, farthest: int = _FARTHEST) -> bool:
    """Whether the source has a part in one of the values, so many of which are followed back at most."""
    return source in nearest_first(made, lambda t: nodes[t].parents() if t > source else (), farthest)


def _leads_to(links: Sequence[Sequence[NodeId]], a: NodeId, b: NodeId) -> bool:
    return a in nearest_first([b], lambda x: links[x] if x > a else (), _FARTHEST)


def _without_intermediates(
    nodes: Sequence[Node], links: Sequence[Sequence[NodeId]], states: list[State]
) -> list[State]:
    """Without values that begin as something made from another state, such as the stream of residual blocks."""
    rests_on = _dependence(nodes, states, {v: s for s in states for v in s.versions}, {})

    made = {id(s) for s in states if any(rests_on[a] for a in nodes[s.versions[0]].parents())}
    begins = [k for k, s in enumerate(states) if id(s) in made]
    at_a_number = [k for k in begins if _begins_at_a_number(nodes, states[k].versions[0], rests_on)]
    feeds = _feeds(nodes, states, links) if at_a_number else []
    of_themselves = {id(states[k]) for k in at_a_number if any(feeds[v] >> k & 1 for v in states[k].versions)}
    return [s for s in states if id(s) not in made - of_themselves or _begins_by_itself(nodes, links, s.versions[0])]


def _without_sums_begun_anew(nodes: Sequence[Node], states: list[State]) -> list[State]:
    """Without what the same lines add up again and again, each time between two steps of all that goes on."""
    groups: dict[tuple[object, ...], list[State]] = defaultdict(list)
    for s in sorted(states, key=lambda s: s.versions[0]):
        groups[_lines(nodes, s)].append(s)
    begun_anew = {
        id(s)
        for group in groups.values()
        if len(group) > 1 and all(a.versions[-1] < b.versions[0] for a, b in pairwise(group))
        for s in group
    }
    steps = sorted(v for s in states if id(s) not in begun_anew for v in s.versions[1:])
    within = {id(s) for s in states if bisect(steps, s.versions[0]) == bisect(steps, s.versions[-1])}
    return [s for s in states if not steps or id(s) not in begun_anew & within]


def _lines(nodes: Sequence[Node], state: State) -> tuple[object, ...]:
    """Where the versions of a state are made, from wherever that is called."""
    return tuple(nodes[v].site[:2] for v in state.versions)


def _begins_by_itself(nodes: Sequence[Node], links: Sequence[Sequence[NodeId]], version: NodeId) -> bool:
    """Whether a value is an addition to something that no operation made, as a velocity is to zeros."""
    behind = nearest_first(links[version], lambda a: links[a], _FARTHEST)
    return any(nodes[a].op in ("leaf", "opaque") for a in behind)


def _begins_at_a_number(nodes: Sequence[Node], t: NodeId, rests_on: Sequence[int]) -> bool:
    """Whether it is what came of a number: the first step of a `b = 0`, if it has a part in its next."""
    if nodes[t].op not in ("add", "subtract"):
        return False
    first = nodes[t].args[0]
    return isinstance(first, Const) or (nodes[first].value.size == 1 and not rests_on[first])


def _that_feed_another(nodes: Sequence[Node], states: list[State], links: Sequence[Sequence[NodeId]]) -> list[State]:
    """Without those that only add up and are never used for anything else, such as a running mean of the loss.

    One that a value is multiplied with is used, though its own steps be made in a branch that no number leads to.
    """
    multiplied = {a for node in nodes if node.op in PRODUCTS for a in node.parents()}
    used = {id(s) for s in states if len(multiplied.intersection(s.versions[1:])) > 1}
    while states:
        feeds = _feeds(nodes, states, links)
        feeding = [s for s in states if any(feeds[v] for v in s.versions)] or _that_decide(nodes, states, used)
        kept = [s for s in states if id(s) in used or s in feeding] if feeding else []
        if len(kept) == len(states):
            break
        states = kept
    return states


def _that_decide(nodes: Sequence[Node], states: Sequence[State], used: set[int]) -> list[State]:
    """Those that a comparison of numbers rests on, beside one that others are multiplied with: of a perceptron, say."""
    version_of = {v: s for s in states for v in s.versions}
    found: dict[int, State] = {}
    for t, node in enumerate(nodes):
        if node.op in _BELOW | _ABOVE:
            made = made_of(nodes, t)
            beside = {id(version_of[a]): version_of[a] for a in made if a in version_of}
            factors = (a for x in made if nodes[x].op == "multiply" for a in nodes[x].parents())
            found |= beside if used & beside.keys() or any(a in version_of for a in factors) else {}
    return list(found.values())


def _feeds(nodes: Sequence[Node], states: Sequence[State], links: Sequence[Sequence[NodeId]]) -> list[int]:
    """For each node the states in whose later versions it has a part, their own additions not counted."""
    later = {v: 1 << k for k, s in enumerate(states) for v in s.versions[1:]}
    own: dict[tuple[NodeId, NodeId], int] = defaultdict(int)  # from a to t leads the addition of these states
    for k, state in enumerate(states):
        for v, w in zip(state.versions, state.versions[1:], strict=False):
            for edge in _additions(links, v, w):
                own[edge] |= 1 << k
    feeds = [0] * len(nodes)
    for t in range(len(nodes) - 1, -1, -1):
        all_of_t = feeds[t] | later.get(t, 0)
        if all_of_t:
            for a in nodes[t].parents():
                feeds[a] |= all_of_t & ~own.get((a, t), 0)
    return feeds


def _additions(links: Sequence[Sequence[NodeId]], v: NodeId, w: NodeId) -> set[tuple[NodeId, NodeId]]:
    """The links on the ways from version v to version w."""
    behind = nearest_first([w], lambda t: (a for a in links[t] if a >= v), _FARTHEST)
    on_the_way = {v}
    for t in sorted(behind):
        if any(a in on_the_way for a in links[t]):
            on_the_way.add(t)
    return {(a, t) for t in on_the_way if t != v for a in links[t] if a in on_the_way}


# -- dependence and flow -----------------------------------------------------------------------------------------------


def _moved_by_another(users: Mapping[NodeId, list[NodeId]], states: Sequence[State]) -> Iterator[tuple[State, State]]:
    """States with others of their size that a version of theirs goes straight into, as a velocity into a parameter."""
    having: dict[NodeId, set[State]] = defaultdict(set)
    for s in states:
        for v in s.versions:
            having[v].add(s)
    for s in states:
        into = {other for v in s.versions for t in users.get(v, ()) for other in having.get(t, ())} - {s}
        yield from ((s, other) for other in (states if into else ()) if other in into and other.size == s.size)


def _points_ahead(
    nodes: Sequence[Node], users: Mapping[NodeId, list[NodeId]], velocity: State, other: State
) -> dict[NodeId, NodeId]:
    """Where a forward pass begins at a parameter moved by what is to move it, and that parameter: Nesterov's point.

    None if the one state is used for anything else than its own next version and the other's.
    """
    theirs = set(other.versions)
    waiting, seen, found = list(velocity.versions), theirs.union(velocity.versions), dict[NodeId, NodeId]()
    while waiting:
        for t in (t for t in users.get(waiting.pop(), ()) if t not in seen):
            seen.add(t)
            parents = nodes[t].parents()
            moved = theirs.intersection(parents)
            if nodes[t].op in ("add", "subtract") and moved:
                found[t] = moved.pop()
            elif nodes[t].op in VIEWS | {"multiply", "divide", "negative"} and all(
                p in seen or nodes[p].op == "leaf" for p in parents
            ):
                waiting.append(t)
            elif seen.isdisjoint(users.get(t, ())):
                return {}
    return found


def _dependence(
    nodes: Sequence[Node],
    states: Sequence[State],
    versions: Mapping[NodeId, State],
    ahead: Mapping[NodeId, NodeId],
) -> list[int]:
    bits = {id(s): 1 << k for k, s in enumerate(states)}
    rests_on = [0] * len(nodes)
    for t, node in enumerate(nodes):
        if t in versions:
            rests_on[t] = bits[id(versions[t])]
            continue
        if t in ahead:
            rests_on[t] = rests_on[ahead[t]]
            continue
        for a in node.parents():
            rests_on[t] |= rests_on[a]
    return rests_on


def _flow(nodes: Sequence[Node], versions: dict[NodeId, State], states: Sequence[State]) -> list[bool]:
    first = {s.versions[0] for s in states}
    flows = [False] * len(nodes)
    for t in range(len(nodes) - 1, -1, -1):
        if (flows[t] and t not in first) or (t in versions and t not in first):
            for a in nodes[t].parents():
                flows[a] = True
    return flows


# -- objectives --------------------------------------------------------------------------------------------------------


def _objectives(roles: Roles, steps: set[NodeId]) -> Iterator[Objective]:
    """Losses, errors, and what is computed where a loss is while a step is made, as for a numerical slope.

    What a step itself adds to a state is no error.
    """
    sums = _running_sums(roles)
    losses: dict[Hashable, list[NodeId]] = defaultdict(list)
    errors: dict[Hashable, list[NodeId]] = defaultdict(list)
    flowing = {roles.nodes[t].site for t in range(len(roles.nodes)) if roles.flows[t]}
    for t, node in enumerate(roles.nodes):
        if not roles.rests_on[t] or t in roles.versions or node.value.dtype.kind not in "fiu":
            continue
        is_number = node.value.size == 1 and node.value.dtype.kind == "f"
        if is_number and node.site not in flowing and _is_told(roles, t, sums):
            losses[node.site].append(t)
        elif node.site in flowing and _is_error(roles, t):
            errors[node.site].append(t)
    lines = {(roles.nodes[t].op, roles.nodes[t].line) for seeds in losses.values() for t in seeds}
    elsewhere: dict[Hashable, list[NodeId]] = defaultdict(list)
    for t, node in enumerate(roles.nodes):
        if roles.flows[t] and roles.rests_on[t] and node.value.size == 1 and (node.op, node.line) in lines:
            elsewhere[node.op, node.line].append(t)
    errors = {
        site: seeds
        for site, seeds in errors.items()
        if not all(_is_one_minus(roles.nodes[t]) for t in seeds)
        and not any(x in steps for t in seeds for x in (t, *roles.users.get(t, ())))
    }
    compared = list(_compared(roles))
    deciding = list(_deciding(compared))
    yield from _margins(deciding, roles)
    yield from _mistaken(compared, roles)
    if not (losses or errors):
        yield from _margins_of_rows(roles)
    decided = {roles.nodes[t].site for below, above, _ in deciding for t in (*below, *above)}
    losses = {site: s for site, s in losses.items() if site not in decided and not _is_only_decided_by(roles, s[0])}
    slopes: dict[Hashable, list[NodeId]] = defaultdict(list)
    for t in sorted(roles.slopes):
        slopes[roles.nodes[t].site].append(t)
    for kind, groups in (("loss", losses), ("error", errors), ("slope", slopes), ("loss", elsewhere)):
        for seeds in groups.values():
            mask = 0
            for t in seeds:
                mask |= roles.rests_on[t]
            weights = rewards(roles, seeds) if kind == "error" else {}
            roles.rewards.update(weights)
            sign = -1.0 if kind == "loss" and _is_subtracted(roles, seeds[0]) else 1.0
            yield Objective(kind, seeds, mask, sign, weights=weights)


def _is_only_decided_by(roles: Roles, t: NodeId) -> bool:
    """Whether a number is only compared: with one that is written down, a margin, or drawn, a probability; no loss."""
    users = [roles.nodes[user] for user in roles.users.get(t, ())]
    return bool(users) and all(
        u.op in _BELOW | _ABOVE and any(_is_given_there(roles, a) for a in u.args) for u in users
    )


def _is_given_there(roles: Roles, a: int | Const) -> bool:
    """Whether an operand is written down where it stands, or drawn."""
    return isinstance(a, Const) or roles.nodes[a].is_drawn or roles.nodes[a].kw.get("made") == "constant"


@dataclass(frozen=True)
class _Compared:
    """A number that was compared with another, on which side of it it lies, and how many steps were made then."""

    number: NodeId
    is_below: bool
    steps: int


def _compared(roles: Roles) -> Iterator[list[_Compared]]:
    """The numbers that rest on parameters and are compared in one place, one after the other.

    What comes of the last comparison may not have been recorded.
    """
    compared: dict[Hashable, list[tuple[NodeId, NodeId, bool]]] = defaultdict(list)
    for t, node in enumerate(roles.nodes):
        if node.op in _BELOW | _ABOVE and node.value.size == 1:
            sides = [type(a) is int and roles.rests_on[a] > 0 for a in node.args]
            margin = node.args[sides.index(True)] if sum(sides) == 1 else None
            by_chance = any(type(a) is int and roles.nodes[a].is_drawn for a in node.args)
            if type(margin) is int and margin not in roles.versions and not by_chance:
                compared[node.site].append((t, margin, bool(node.value) == ((node.op in _BELOW) == sides[0])))
    for every in compared.values():
        mask = int(np.bitwise_or.reduce([roles.rests_on[margin] for _, margin, _ in every]))  # not of what is beside
        steps = sorted(v for s in roles.states if roles.bit(s) & mask for v in s.versions[1:])
        found = [one for one in every if one[0] < max(steps, default=0)]  # what comes after the last step is not known
        if not found:
            continue
        ends = [*(t for t, _, _ in found[1:]), len(roles.nodes)]
        made = (steps[bisect(steps, t) : bisect(steps, end)] for (t, _, _), end in zip(found, ends, strict=True))
        taken = (sum(not _is_only_shrunk(roles, v) for v in versions) for versions in made)
        yield [_Compared(n, is_below, k) for (_, n, is_below), k in zip(found, taken, strict=True)]


def _deciding(compared: Sequence[list[_Compared]]) -> Iterator[tuple[list[NodeId], list[NodeId], bool]]:
    """The numbers that decide which steps are made, where below and where above, and if only one side has any."""
    for found in compared:
        counts = {side: {c.steps for c in found[:-1] if c.is_below == side} for side in (True, False)}
        if counts[True].isdisjoint(counts[False]):
            below, above = ([c.number for c in found if c.is_below == side] for side in (True, False))
            yield below, above, {0} in counts.values()


def _mistaken(compared: Sequence[list[_Compared]], roles: Roles) -> Iterator[Objective]:
    """Scores of which steps are made on either side, and not always: where they are wrong, as a perceptron's.

    Those below are to be larger then, and those above smaller.
    """
    for found in compared:
        kinds = {(c.is_below, c.steps > 0) for c in found[:-1]}
        if len(kinds) == len((True, False)) ** 2:
            weights = {c.number: 0.0 if not c.steps else -1.0 if c.is_below else 1.0 for c in found[:-1]}
            mask = int(np.bitwise_or.reduce([roles.rests_on[t] for t in weights]))
            yield Objective("margin", sorted(weights), mask, weights=weights)


def _is_only_shrunk(roles: Roles, version: NodeId) -> bool:
    """Whether a version is the one before, times a number: a penalty's share, a length; nothing of the data's."""
    nodes, versions = roles.nodes, roles.versions[version].versions
    before, t = versions[versions.index(version) - 1], version
    while nodes[t].op in ("multiply", "divide", "copy") and t != before:
        resting = [a for a in nodes[t].parents() if roles.rests_on[a]]
        whole = resting if len(resting) == 1 else [a for a in resting if nodes[a].value.size > 1]
        if len(whole) != 1 or nodes[whole[0]].value.shape != nodes[t].value.shape:
            return False
        t = whole[0]
    return t == before


def _margins(deciding: Sequence[tuple[list[NodeId], list[NodeId], bool]], roles: Roles) -> Iterator[Objective]:
    """To be larger where a number lies below and steps are made only there, or smaller where above."""
    for below, above, is_one_sided in deciding:
        for seeds, sign in ((below, -1.0), (above, 1.0)) if is_one_sided else ():
            if seeds:
                mask = int(np.bitwise_or.reduce([roles.rests_on[t] for t in seeds]))
                others = dict.fromkeys(above if sign < 0 else below, 0.0)  # there a penalty alone may be at work
                yield Objective("margin", sorted([*seeds, *others]), mask, sign, weights=others)


def _margins_of_rows(roles: Roles) -> Iterator[Objective]:
    """Numbers of many rows that lie on one side of another: those are to be larger, or smaller, as of a hinge."""
    found: dict[Hashable, dict[NodeId, float | Array]] = defaultdict(dict)
    for node in roles.nodes:
        if node.op in _BELOW | _ABOVE and node.value.size > 1:
            sides = [type(a) is int and roles.rests_on[a] > 0 for a in node.args]
            margin, other = node.args if sides[0] else node.args[::-1]
            beside = np.asarray(other.value if isinstance(other, Const) else roles.nodes[other].value)
            if sum(sides) == 1 and beside.size == 1 and type(margin) is int and margin not in roles.versions:
                is_below = (node.op in _BELOW) == sides[0]
                found[node.site][margin] = np.where(node.value, -1.0 if is_below else 1.0, 0.0)
    for weights in found.values():
        mask = int(np.bitwise_or.reduce([roles.rests_on[t] for t in weights]))
        yield Objective("margin", sorted(weights), mask, weights=weights)


def _is_told(roles: Roles, t: NodeId, sums: set[Hashable]) -> bool:
    """A number that is kept, printed, or added to a running sum, and used for nothing else."""
    if roles.nodes[t].op in ("leaf", "opaque"):
        return False
    return all(
        (roles.nodes[user].op in _TELLING and not is_draw(roles.nodes[user]))
        or _is_added_to(roles, user, t, sums)
        or _is_share_of(roles, user, t, sums)
        for user in roles.users.get(t, ())
    )


def _is_subtracted(roles: Roles, t: NodeId) -> bool:
    return any(roles.nodes[user].op == "subtract" and roles.nodes[user].args[1] == t for user in roles.users.get(t, ()))


def _running_sums(roles: Roles) -> set[Hashable]:
    """The places where a number is added to what stands there from before, as it was or less by a share of it."""
    return {
        node.site
        for node in roles.nodes
        if node.op in ("add", "subtract") and node.value.size == 1
        if any(type(a) is int and roles.nodes[_unscaled(roles, a)].site == node.site for a in node.args)
    }


def _unscaled(roles: Roles, t: NodeId) -> NodeId:
    """What a number was before it was multiplied with numbers that rest on nothing."""
    while roles.nodes[t].op in ("multiply", "divide"):
        resting = [a for a in roles.nodes[t].parents() if roles.rests_on[a]]
        if len(resting) != 1:
            break
        t = resting[0]
    return t


def _is_added_to(roles: Roles, user: NodeId, t: NodeId, sums: set[Hashable]) -> bool:
    """Whether a value is added to what was added up so far, at the same place."""
    node = roles.nodes[user]
    if node.op not in ("add", "subtract"):
        return False
    for a in node.args:
        if type(a) is int and a != t and roles.nodes[_unscaled(roles, a)].site != node.site:
            is_start = roles.nodes[a].op == "leaf" and not roles.nodes[a].value.any()
            if not is_start and (roles.rests_on[a] or node.site not in sums):
                return False
    return True


def _is_share_of(roles: Roles, user: NodeId, t: NodeId, sums: set[Hashable]) -> bool:
    """Whether a share of a value is added to a running sum, as in a loss that is shown smoothed."""
    users = roles.users.get(user, ())
    shares = bool(users) and roles.nodes[user].value.size == 1 and _unscaled(roles, user) == _unscaled(roles, t) != user
    return shares and all(roles.nodes[x].site in sums and _is_added_to(roles, x, user, sums) for x in users)


def _is_error(roles: Roles, t: NodeId) -> bool:
    """A difference of which one side rests on parameters and the other does not."""
    node = roles.nodes[t]
    if node.op == "setitem":  # p[rows, classes] -= 1, in a copy of p
        new = node.args[1]
        is_turned = type(node.args[0]) is int and roles.nodes[node.args[0]].op == "negative"  # y - p from -p
        op = "add" if is_turned else "subtract"
        return type(new) is int and roles.nodes[new].op == op and _rest_on_one_side(roles, roles.nodes[new])
    if node.op != "subtract" or not _rest_on_one_side(roles, node) or _is_only_compared(roles, t):
        return False
    [(output, target)] = ((a, b) for a, b in permutations(node.args) if type(a) is int and roles.rests_on[a])
    is_bare = type(output) is int and roles.root(output) in roles.versions
    return not (is_bare and type(target) is int and _is_picked_by_outputs(roles, target))


def _is_picked_by_outputs(roles: Roles, t: NodeId) -> bool:
    """Whether something that a value is made of is a part of an array, which a comparison of outputs tells."""
    nodes = roles.nodes
    for x in made_of(nodes, t, farthest=_NEAR_A_TARGET):
        key = nodes[x].kw.get("k") if nodes[x].op == "getitem" else None
        masks = [
            k for k in (key if isinstance(key, tuple) else (key,)) if isinstance(k, np.ndarray) and k.dtype == bool
        ]
        before = (y for y in range(x - 1, max(x - _NEAR_A_TARGET, -1), -1) if roles.rests_on[y])
        if masks and any(np.array_equal(nodes[y].value, masks[0]) for y in before if nodes[y].value.dtype == bool):
            return True
    return False


def _is_only_compared(roles: Roles, t: NodeId) -> bool:
    """Whether nothing is made of a difference but whether it is above a number: the loss is another than its square."""
    users = [roles.nodes[user].op for user in roles.users.get(t, ())]
    return bool(users) and all(op in FLAT and op != "sign" for op in users)


def _is_one_minus(node: Node) -> bool:
    """Whether it is 1 - a, of which the derivative of a sigmoid or a tanh is made."""
    return node.op == "subtract" and isinstance(node.args[0], Const) and bool(np.all(node.args[0].value == 1))


def _rest_on_one_side(roles: Roles, node: Node) -> bool:
    left, right = (bool(type(a) is int and roles.rests_on[a]) for a in node.args)
    return left != right
