"""What is added to a parameter in a step, what scales it, and what it was made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from byhand.diagnosis.judge.fits import Step, all_equal
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, Roles, nearest_first
from byhand.diagnosis.tape.nodes import Const

_FARTHEST = 1500  # nodes that one step is followed back
_SCALES = {
    "multiply", "divide", "negative", "copy", "move", "gather", "getitem", "matmul", "dot", "outer", "sum", "mean",
    "einsum", "stack", "setitem", "scatter", "item",
}  # fmt: skip

_KEEPS = {"getitem", "gather", "item", "move", "copy", "setitem", "scatter"}


def made_since(roles: Roles, step: Step, closed: Collection[NodeId] = ()) -> list[NodeId]:
    """What the version after a step was made of since the one before it, not through closed nodes."""
    if closed:
        return _made_since(roles, step, closed)
    if (step.before, step.after) not in roles.made:
        roles.made[step.before, step.after] = _made_since(roles, step, closed)
    return roles.made[step.before, step.after]


def _made_since(roles: Roles, step: Step, closed: Collection[NodeId]) -> list[NodeId]:
    closed = set(closed) - {step.after}

    def parents(t: NodeId) -> list[NodeId]:
        return [a for a in roles.nodes[t].parents() if a > step.before] if t not in closed else []

    return sorted(nearest_first([step.after], parents, _FARTHEST))


def rate(roles: Roles, step: Step) -> float | None:
    """The product of the factors in a step that were not written for it alone: a learning rate."""
    factors = rates(roles, step)
    return float(np.prod(list(factors.values()))) or None if factors else None


def scale(roles: Roles, step: Step) -> float | None:
    """The product of all numbers that rest on no parameter between a step and what it was made of.

    Where it varies from step to step, as a batch's size does, the steps' factors may vary with it.
    """
    product = float(np.prod([number for _, number in numbers_of(roles, step)]))
    return product or None if _increment(roles, step) is not None else None


def numbers_of(roles: Roles, step: Step) -> Iterator[tuple[NodeId | None, float]]:
    """The numbers that rest on no parameter between a step and what it was made of, with their nodes."""
    increment = _increment(roles, step)
    waiting = [] if increment is None else [increment]
    seen = set[NodeId]()
    while waiting and len(seen) < _FARTHEST:
        t = waiting.pop()
        if t in seen or t in roles.versions or t <= step.before or roles.nodes[t].op not in _SCALES:
            continue
        seen.add(t)
        node = roles.nodes[t]
        if node.op == "mean" and type(node.args[0]) is int:
            yield None, node.value.size / roles.nodes[node.args[0]].value.size
        for position, a in enumerate(node.args):
            if type(a) is int and (roles.rests_on[a] or roles.nodes[a].value.size > 1):
                waiting.append(a)
            elif node.op in ("multiply", "divide"):
                number = float(np.ravel(roles.nodes[a].value if type(a) is int else a.value)[0])  # type: ignore[union-attr]
                is_factor = node.op == "multiply" or position == 0
                yield a if type(a) is int else None, number if is_factor else 1 / (number or 1.0)


def leading(roles: Roles, step: Step) -> float | None:
    """The number that an increment begins with in its line: 0.1 in `0.1 * X.T @ delta / n`; None if it has none."""
    t = _increment(roles, step)
    line = None if t is None else roles.nodes[t].line
    while t is not None and roles.nodes[t].line == line and roles.nodes[t].op in PRODUCTS | {"multiply", "divide"}:
        for _, number in _written_numbers(roles, t) if roles.nodes[t].op == "multiply" else ():
            return number
        first = roles.nodes[t].args[0]
        t = first if type(first) is int else None
    return None


def scaled_by(roles: Roles, step: Step) -> Iterator[tuple[NodeId, NodeId, NodeId, float]]:
    """Where single numbers that are computed multiply (1) or divide (-1) something on the way to what is added.

    The product, what is scaled in it, and the number.
    """
    increment = _increment(roles, step)
    waiting = [] if increment is None else [increment]
    for t in waiting:
        node = roles.nodes[t]
        if t <= step.before or node.op not in _SCALES - PRODUCTS - {"sum", "mean"} or len(waiting) > _FARTHEST:
            continue
        for position, a in enumerate(node.args):
            if type(a) is int and roles.nodes[a].value.size > 1:
                waiting += [a] if a not in waiting else []
            elif type(a) is int and node.op in ("multiply", "divide"):
                whole = node.args[1 - position]
                if type(whole) is int and roles.nodes[whole].value.size > 1:  # of two numbers neither scales the other
                    yield t, whole, a, 1.0 if node.op == "multiply" else -1.0


def rates(roles: Roles, step: Step) -> dict[tuple[NodeId, NodeId], float]:
    """Such factors, by what they are made from and where they are multiplied with the gradient.

    Where there is none, the number that is written down as the outermost factor counts.
    """
    increment = _increment(roles, step)
    waiting = [] if increment is None else [increment]
    found: dict[tuple[NodeId, NodeId], float] = {}
    seen: set[NodeId] = set()
    written = [] if increment is None else list(_written_numbers(roles, increment))
    while waiting and len(seen) < _FARTHEST:
        t = waiting.pop()
        if t in seen or t in roles.versions or t <= step.before:
            continue
        seen.add(t)
        node = roles.nodes[t]
        if node.op not in _SCALES:
            continue
        for position, a in enumerate(node.args):
            if type(a) is not int:
                continue
            if roles.rests_on[a] or roles.nodes[a].value.size > 1:
                waiting.append(a)
            elif node.op == "multiply" or (node.op == "divide" and position == 0):
                found |= {(leaf, t): value for leaf, value in _lasting(roles, a, step.before)}
    return found or dict(written[:1])


def multiplied_twice(roles: Roles, step: Step, forward: Collection[NodeId]) -> NodeId | None:
    """Where a lasting number is multiplied with the gradient first, if it is again later, on the way into the step.

    Nothing is followed into the forward pass, where parameters may stand that were stepped with the same number.
    """
    increment = _increment(roles, step)
    waiting = [] if increment is None else [(increment, frozenset[NodeId]())]
    seen = set(waiting)
    found: list[NodeId] = []
    while waiting and len(seen) < _FARTHEST:
        t, above = waiting.pop()
        node = roles.nodes[t]
        if node.op not in _SCALES | {"add", "subtract"}:
            continue
        large = [a for a in node.parents() if roles.rests_on[a] or roles.nodes[a].value.size > 1]
        new = [a for a in large if a > step.before and a not in forward]  # else what is kept of earlier steps
        numbers = [a for a in node.parents() if a not in large] if node.op == "multiply" and new else []
        here = {leaf for a in numbers for leaf, _ in _lasting(roles, a, step.before)}
        if here & above:
            found.append(t)
        after = [(a, above | here) for a in new if (a, above | here) not in seen]
        seen.update(after)
        waiting += after
    return min(found, default=None)


def _written_numbers(roles: Roles, t: NodeId) -> Iterator[tuple[tuple[NodeId, NodeId], float]]:
    """The numbers that stand in the text as the outermost factor of an increment, as in `0.1 * gradient`."""
    outermost = [t, *(roles.nodes[t].parents() if roles.nodes[t].op in PRODUCTS else ())]
    for x in outermost:
        for a in roles.nodes[x].args if roles.nodes[x].op == "multiply" else ():
            value = np.asarray(roles.nodes[a].value if type(a) is int else a.value)
            is_written = type(a) is not int or roles.nodes[a].kw.get("made") == "constant"
            if is_written and value.size == 1 and value.dtype.kind in "fi":
                yield (a if type(a) is int else x, x), float(value.ravel()[0])


def _lasting(roles: Roles, t: NodeId, before: NodeId) -> Iterator[tuple[NodeId, float]]:
    """The factors of a number that were there before the step, or were made of such; counts are none."""
    node = roles.nodes[t]
    if node.op in ("multiply", "negative", "copy"):
        for a in node.parents():
            yield from _lasting(roles, a, before)
        return
    if node.op == "divide" and type(node.args[0]) is int and _is_count(roles, node.args[1]):
        yield from _lasting(roles, node.args[0], before)  # of a mean, which is none of the rate's business
        return
    waiting, seen = [t], 0
    while waiting and seen < 20:
        x = waiting.pop()
        seen += 1
        if x < before and roles.nodes[x].op == "leaf" and roles.nodes[x].value.dtype.kind == "f":
            yield (t, float(node.value.ravel()[0]))
            return
        waiting += roles.nodes[x].parents()


def _is_count(roles: Roles, a: int | Const) -> bool:
    return np.asarray(roles.nodes[a].value if type(a) is int else a.value).dtype.kind in "iu"  # type: ignore[union-attr]


def _increment(roles: Roles, step: Step) -> NodeId | None:
    """What is added to the version before a step."""
    t = step.after
    for _ in range(10):
        node = roles.nodes[t]
        if node.op in ("add", "subtract") and len(node.args) == 2:
            a, b = node.args
            is_second = _is_of_before(roles, b, step) or (node.op == "add" and not _is_of_before(roles, a, step))
            added = a if is_second else b
            return added if type(added) is int else None
        if node.op == "at":  # added row by row, as a row may come up twice
            return node.args[1] if type(node.args[1]) is int else None
        if node.op in ("setitem", "scatter") and type(node.args[1]) is int:
            t = node.args[1]
        elif node.op in ("copy", "clip", "item", "stack", "move") and type(node.args[0]) is int:
            t = node.args[0]
        else:
            return None
    return None


def _is_of_before(roles: Roles, a: int | Const, step: Step) -> bool:
    """Whether a value is the version before a step, or a part of it where others have changed already."""
    while type(a) is int and a > step.before and roles.nodes[a].op in _KEEPS:
        a = roles.nodes[a].args[0]
    return type(a) is int and (a == step.before or (a < step.before and a in roles.versions))


def gradient_used(roles: Roles, step: Step) -> NodeId | None:
    """The increment without the numbers that scale it: what the program takes for the gradient."""
    return next((t for t in reversed(_unscaled(roles, step))), None)


def scaled_at(roles: Roles, step: Step, factor: float) -> NodeId | None:
    """Where the increment is scaled by a number."""
    for t in _unscaled(roles, step)[:-1]:
        node = roles.nodes[t]
        for k, a in enumerate(node.args if node.op in ("multiply", "divide") else ()):
            number = np.asarray(roles.nodes[a].value if type(a) is int else a.value)  # type: ignore[union-attr]
            if number.size == 1 and (k or node.op == "multiply") and not (type(a) is int and roles.rests_on[a]):
                scale = float(number.ravel()[0])
                if all_equal([factor, scale if node.op == "multiply" else 1 / (scale or 1.0)]):
                    return t
    return None


def _unscaled(roles: Roles, step: Step) -> list[NodeId]:
    """The increment, and what it is when one after the other of the numbers that scale it is left away."""
    found, t = [], _increment(roles, step)
    while t is not None:
        found.append(t)
        scaled = [a for a in roles.nodes[t].parents() if roles.rests_on[a]]
        is_scaled = roles.nodes[t].op in ("multiply", "divide", "negative", "copy") and len(scaled) == 1
        t = scaled[0] if is_scaled and roles.nodes[scaled[0]].value.size == roles.nodes[t].value.size else None
    return found
