"""What a loss takes of a parameter for its size alone: a penalty, as weight decay that is written into the loss."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from byhand.diagnosis.judge.roles import PRODUCTS, VIEWS, NodeId, Roles, State

_SIZES = {"square", "power", "float_power", "absolute", "fabs", "norm", "linalg.norm"}


def penalties(roles: Roles, state: State, reached: Collection[NodeId]) -> list[NodeId]:
    """Where a parameter is taken times itself, or its size, among the nodes that a gradient reached."""
    if state not in roles.sizes:  # it is asked for each gradient that is tried
        found = (t for v in state.versions for t in _uses(roles, v) if _is_of_its_size(roles, t, v))
        roles.sizes[state] = list(dict.fromkeys(found))
    return [t for t in roles.sizes[state] if t in reached]


def _uses(roles: Roles, v: NodeId) -> Iterator[NodeId]:
    """What takes a version, through its views."""
    waiting = [v]
    while waiting:
        for user in roles.users.get(waiting.pop(), ()):
            if user not in roles.versions and roles.nodes[user].op in VIEWS:
                waiting.append(user)
            else:
                yield user


def _is_of_its_size(roles: Roles, t: NodeId, v: NodeId) -> bool:
    node = roles.nodes[t]
    parents = node.parents()
    squares = node.op in PRODUCTS | {"multiply"} and len(parents) > 1 and all(roles.root(a) == v for a in parents)
    return squares or node.op in _SIZES
