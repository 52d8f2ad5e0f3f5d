"""What an error counts for where its target is what was drawn from the output: the reward of what was done.

The step of a policy is that of the likelihood of what was drawn, times how good it was (Williams, 1992): no loss is
computed of it, and whatever the program multiplies that error with, it may be below 0, is part of what is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.convex import is_written
from byhand.diagnosis.tape.nodes import Node

if TYPE_CHECKING:
    from byhand.diagnosis.judge.roles import NodeId, Roles

_FEW = 3  # errors that are looked at; what the first is made of may not have been recorded
_FARTHEST = 30  # values that are made of an error


def rewards(roles: Roles, errors: Sequence[NodeId]) -> dict[NodeId, Array]:
    """What errors are multiplied with on their way into steps; empty if the outputs are not what was drawn from."""
    if not any(_is_drawn_from(roles, t) for t in errors[:_FEW]):
        return {}
    found = {t: _reward(roles, t) for t in errors}
    return {t: reward for t, reward in found.items() if reward is not None}


def is_draw(node: Node) -> bool:
    """Whether something was drawn, with chances that are its arguments."""
    return node.op == "opaque" and node.kw.get("name") == "random.choice"


def _is_drawn_from(roles: Roles, error: NodeId) -> bool:
    """Whether something was drawn with the chances that an error is made of."""
    waiting = [roles.unturned(a) for a in roles.nodes[error].parents() if roles.rests_on[a]][:1]
    for x in waiting:
        users = [roles.nodes[u] for u in roles.users.get(x, ())]
        if any(map(is_draw, users)):
            return True
        waiting += [u for u in roles.users.get(x, ()) if roles.nodes[u].op in ("getitem", "move", "gather")]
    return False


def _reward(roles: Roles, error: NodeId) -> Array | None:
    """The first factor that rests on nothing of what the error rests on, and is not written down."""
    waiting = [error]
    for x in waiting:
        for u in roles.users.get(x, ()):
            node = roles.nodes[u]
            if not roles.flows[u] or u in waiting or u in roles.versions or len(waiting) > _FARTHEST:
                continue
            if node.op == "multiply":
                of_each = x == error and node.value.shape == roles.nodes[error].value.shape
                for a in (a for a in node.parents() if a != x and not roles.rests_on[a] & roles.rests_on[error]):
                    reward = _bare(roles, a)
                    if reward is not None and (of_each or reward.size == 1):
                        return reward
            waiting.append(u)
    return None


def _bare(roles: Roles, a: NodeId) -> Array | None:
    """A reward, without the numbers that are written beside it, and the sign; None if there is nothing else."""
    node = roles.nodes[a]
    while node.op in ("multiply", "divide", "negative"):
        others = [b for b in node.parents() if not is_written(roles, b)]
        if len(others) != 1:
            break
        [a] = others
        node = roles.nodes[a]
    if is_written(roles, a):
        return None
    left = node.args[0] if node.op == "subtract" else None  # what is expected, minus what came: how bad it was
    sign = -1.0 if type(left) is int and roles.rests_on[left] else 1.0
    return np.asarray(sign * node.value)
