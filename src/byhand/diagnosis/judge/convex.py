"""Slopes of a loss that a program need not show: what is made of an error alone, and grows with it.

Whatever grows with an error is the derivative of a convex loss of that error: its sign that of the absolute error, a
share by side that of a quantile's, the error cut off at both ends that of Huber's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from byhand._types import Array
from byhand.diagnosis.tape.derive import ELEMENTWISE, FLAT
from byhand.diagnosis.tape.nodes import Const

if TYPE_CHECKING:
    from byhand.diagnosis.judge.roles import NodeId, Roles

COMPARED = {"less", "less_equal", "greater", "greater_equal"}
_LEAST = 1e-9  # of the largest slope, is no fall


def convex(roles: Roles) -> dict[NodeId, tuple[NodeId, float]]:
    """The slopes, each with the output that the loss is of, and 1, or -1 for the slope by minus the output."""
    places: dict[Hashable, list[tuple[NodeId, NodeId, Array]]] = defaultdict(list)
    for t in (t for t in range(len(roles.nodes)) if roles.flows[t]):
        for output, error in meeting(roles, t):
            for end in _made_of_it_alone(roles, t):
                # with a rate that falls, say, it is one function of the error after the other
                places[roles.nodes[end].site, _numbers_beside(roles, end, output)].append((end, output, error))
    found: dict[NodeId, tuple[NodeId, float]] = {}
    for ends in places.values():
        errors = np.concatenate([error.ravel() for _, _, error in ends])
        slopes = np.concatenate([roles.nodes[end].value.ravel().astype(float) for end, _, _ in ends])
        for sign in (1.0, -1.0):
            if _grows(errors, sign * slopes):
                found |= {end: (output, sign) for end, output, _ in ends}
    return found


def meeting(roles: Roles, t: NodeId) -> Iterator[tuple[NodeId, Array]]:
    """The output that meets data in a node, and how much larger it is."""
    node = roles.nodes[t]
    if node.op not in COMPARED | {"subtract"}:
        return
    for a, b in (node.args, node.args[::-1]):
        if type(a) is not int or type(b) is not int or roles.nodes[a].value.shape != node.value.shape:
            continue
        if roles.rests_on[a] and not roles.rests_on[b] and not is_written(roles, b):
            yield a, np.asarray(roles.nodes[a].value - roles.nodes[b].value.astype(float))


def _made_of_it_alone(roles: Roles, t: NodeId) -> Iterator[NodeId]:
    """The last of what is made of a node number by number, with nothing else but numbers that are written down."""
    waiting, seen, shape = [t], {t}, roles.nodes[t].value.shape
    while waiting:
        x = waiting.pop()
        further = [u for u in roles.users.get(x, ()) if roles.flows[u] and _is_of(roles, u, seen, shape)]
        waiting += [u for u in further if u not in seen]
        seen.update(further)
        if not further and x != t and any(roles.flows[u] for u in roles.users.get(x, ())):
            yield x


def _numbers_beside(roles: Roles, end: NodeId, output: NodeId) -> tuple[float, ...]:
    """The numbers that are written down between an output and what is made of its error."""
    waiting, found = [end], list[float]()
    while waiting:
        for a in roles.nodes[waiting.pop()].args:
            if type(a) is int and roles.rests_on[a] and a != output:
                waiting.append(a)
            elif is_written(roles, a):
                found.append(float(np.ravel(a.value if isinstance(a, Const) else roles.nodes[a].value)[0]))
    return tuple(found)


def _is_of(roles: Roles, t: NodeId, known: set[NodeId], shape: tuple[int, ...]) -> bool:
    node = roles.nodes[t]
    if node.op not in ELEMENTWISE.keys() | FLAT | {"copy"} or node.value.shape != shape:
        return False
    return all(a in known if type(a) is int and roles.rests_on[a] else is_written(roles, a) for a in node.args)


def is_written(roles: Roles, a: int | Const) -> bool:
    """Whether it is a number that is written down, or made of such."""
    if isinstance(a, Const):
        return np.size(a.value) == 1
    node = roles.nodes[a]
    if node.op == "leaf":
        return node.kw.get("made") == "constant"
    return node.value.size == 1 and bool(node.args) and all(is_written(roles, b) for b in node.args)


def _grows(errors: Array, slopes: Array) -> bool:
    """Whether slopes never fall with the error, differ, and are no multiple of it."""
    order = np.argsort(errors, kind="stable")
    sorted_errors, sorted_slopes = errors[order], slopes[order]
    size = np.abs(slopes).max(initial=0.0)
    is_growing = bool((np.diff(sorted_slopes) >= -_LEAST * size).all()) and sorted_slopes[0] < 0 < sorted_slopes[-1]
    share = float(errors @ slopes / max(float(errors @ errors), np.finfo(float).tiny))
    return is_growing and not np.allclose(slopes, share * sorted_errors[np.argsort(order)], atol=_LEAST * size)
