"""What a forward pass takes over from earlier parameters, as a recurrent network its last hidden state: a constant."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from byhand.diagnosis.judge.roles import NodeId, Roles, State
from byhand.diagnosis.tape.derive import Override, flows
from byhand.diagnosis.tape.nodes import Node

_MOST = 3_000_000  # states of all nodes


def taken_over(roles: Roles, reached: Collection[NodeId]) -> dict[NodeId, Override]:
    """The derivative without operands that rest on an older version of a parameter than another operand does.

    So backpropagation through time is cut where it goes past a step. What is taken over must have come from the same
    places as what is computed now, as a state of a cell does; anything else is a parameter that nobody has seen yet.

    Parameters
    ----------
    roles : Roles
    reached : collection of int
        The nodes that a loss's whole derivative reaches.
    """
    if len(reached) * len(roles.states) > _MOST:
        return {}
    newest: dict[NodeId, dict[State, NodeId]] = {}
    cut: dict[NodeId, Override] = {}
    left_out: set[NodeId] = set()
    for t in sorted(reached):
        if t in roles.versions:
            newest[t] = {roles.versions[t]: t}
            continue
        operands = [a for a in roles.nodes[t].parents() if a in newest]
        rests_on: dict[State, NodeId] = {}
        for a in operands:
            rests_on |= {s: v for s, v in newest[a].items() if v > rests_on.get(s, -1)}
        kept = [a for a in operands if all(v == rests_on[s] for s, v in newest[a].items())]
        if len(kept) < len(operands):
            left_out |= {roles.root(a) for a in operands if a not in kept}
            cut[t] = _without(roles.nodes, t, set(operands) - set(kept))
            rests_on = {s: v for a in kept for s, v in newest[a].items()}
        newest[t] = newest[operands[0]] if operands and newest[operands[0]] == rests_on else rests_on
    sites = {roles.nodes[t].site for t in reached if t not in left_out}
    return cut if all(roles.nodes[a].site in sites for a in left_out) else {}


def _without(nodes: Sequence[Node], t: NodeId, left_out: Collection[NodeId]) -> Override:
    return lambda g: [(a, flow) for a, flow in flows(nodes, t, g) if a not in left_out]
