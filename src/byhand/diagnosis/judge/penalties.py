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
    """What takes a version, through its views and its multiples, as the product with w of (λ / 2) w does."""
    waiting = [v]
    while waiting:
        for user in roles.users.get(waiting.pop(), ()):
            if user not in roles.versions and (roles.nodes[user].op in VIEWS or _whole(roles, user) is not None):
                waiting.append(user)
            else:
                yield user


def _whole(roles: Roles, t: NodeId) -> NodeId | None:
    """What a value is a multiple of, by a number that rests on no parameter."""
    node = roles.nodes[t]
    whole = [a for a in node.parents() if roles.rests_on[a]]
    others = [a for a in node.parents() if not roles.rests_on[a] and roles.nodes[a].value.size > 1]
    is_multiple = node.op in ("multiply", "divide") and len(whole) == 1 and not others and t not in roles.versions
    return whole[0] if is_multiple and roles.nodes[whole[0]].value.size == node.value.size else None


def _root(roles: Roles, t: NodeId) -> NodeId:
    """The value under views and numbers that it is multiplied with."""
    t = roles.root(t)
    while t not in roles.versions and (whole := _whole(roles, t)) is not None:
        t = roles.root(whole)
    return t


def _is_of_its_size(roles: Roles, t: NodeId, v: NodeId) -> bool:
    node = roles.nodes[t]
    parents = node.parents()
    squares = node.op in PRODUCTS | {"multiply"} and len(parents) > 1 and all(_root(roles, a) == v for a in parents)
    return squares or node.op in _SIZES
