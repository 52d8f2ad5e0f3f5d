"""From nodes to lines: a node's own, its call's, that of a step, of what is taken for a gradient, of a read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product
from typing import Any

from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge.edits import Edit
from byhand.diagnosis.judge.fits import Step
from byhand.diagnosis.judge.increments import gradient_used, scaled_at
from byhand.diagnosis.judge.roles import NodeId, State
from byhand.diagnosis.judge.steps import Course, Gradients
from byhand.diagnosis.tape.calls import FRAMES
from byhand.diagnosis.tape.solvers import SOLVER


def place_of(course: Course, t: NodeId) -> Place:
    """The line of a node."""
    return Place(course.nodes[t].line, course.nodes[t].file)


def _frames(course: Course, t: NodeId) -> list[tuple[Any, ...]]:
    """The calls that a node was made in, the innermost first."""
    return list(course.nodes[t].site)[1:]


def call_beside(course: Course, t: NodeId, other: NodeId) -> Place:
    """The line, in the function that both nodes were made in, from which one was made."""
    mine, theirs = _frames(course, t), _frames(course, other)
    for i, j in sorted(product(range(len(mine)), range(len(theirs))), key=sum):
        ours, others = mine[i + 1 :], theirs[j + 1 :]
        many = min(len(ours), len(others))
        are_whole = len(ours) == len(others) or (many and FRAMES in (len(mine), len(theirs)))  # more are not kept
        if mine[i] != theirs[j] and are_whole and ours[:many] == others[:many]:
            return Place(mine[i][1], mine[i][0])
    return place_of(course, t)


def beside_the_forward_pass(course: Course, t: NodeId, forward_pass: Collection[NodeId]) -> Place:
    """The line of a node; of its call, where it was made in a function that the forward pass has called as well."""
    nodes = course.nodes
    forward = {(nodes[k].file, nodes[k].line) for k in forward_pass if k < t and nodes[k].op == nodes[t].op}
    for frame in _frames(course, t):
        if (frame[0], frame[1]) not in forward:
            return Place(frame[1], frame[0])
    return place_of(course, t)


def in_the_line_of(course: Course, t: NodeId, other: NodeId) -> Place:
    """The line of another node, if one was made in a call from there; else its own."""
    place = place_of(course, other)
    return place if any((f[1], f[0]) == (place.line, place.file) for f in _frames(course, t)) else place_of(course, t)


def read_of(course: Course, edit: Edit, forward: Gradients, *, later: bool) -> NodeId | None:
    """Where a version that the forward pass (whose nodes have a gradient) did not use is read for a step."""
    found = _read_of_others(course, edit, {course.nodes[t].site for t in forward}, later=later)
    return min(found, default=None) if later else next(found, None)  # what comes later may be of the next forward pass


def _read_of_others(course: Course, edit: Edit, sites: Collection[object], *, later: bool) -> Iterator[NodeId]:
    for t in sorted(edit.overrides):
        for a in course.nodes[t].parents():
            root = course.roles.root(a)
            state = course.roles.versions.get(root)
            if state is None:
                continue
            k = state.versions.index(root) + (1 if later else -1)
            if not 0 <= k < len(state.versions):
                continue
            for user in _reads(course, state.versions[k]):
                is_forward = course.nodes[user].site in sites
                if user > t and course.roles.flows[user] and not is_forward and user not in course.stop:
                    yield user
                    break


def _reads(course: Course, version: NodeId) -> Iterator[NodeId]:
    """The operations that take a value, through its views, in the order of time."""
    waiting, found = [version], set()
    while waiting:
        for user in course.roles.users.get(waiting.pop(), ()):
            if course.nodes[user].op in ("move", "gather", "getitem", "item", "copy") and user not in course.stop:
                waiting.append(user)
            found.add(user)
    yield from sorted(u for u in found if course.nodes[u].op not in ("move", "gather", "getitem", "item", "copy"))


def step_of(course: Course, state: State, number: int = 0) -> NodeId:
    """The node that a state's step gave."""
    return state.versions[min(number + 1, len(state.versions) - 1)]


def is_of_a_solver(course: Course, state: State) -> bool:
    """Whether a state's steps are those recorded for a solver: what is wrong with them is in the gradient."""
    v, w = state.versions[:2]
    return any(course.nodes[t].kw.get("made") == SOLVER for t in range(v, w) if course.nodes[t].op == "leaf")


def gradient_of(course: Course, state: State, number: int = 0) -> NodeId:
    """Where what is taken for a state's gradient was computed; the step itself where that can't be told."""
    v, w = state.versions[number : number + 2]
    change = course.nodes[w].value - course.nodes[v].value
    used = gradient_used(course.roles, Step(v, w, change, change))
    return w if used is None or course.nodes[used].op == "leaf" else used


def factor_of(course: Course, state: State, factor: float) -> NodeId | None:
    """Where a state's step is scaled by a factor."""
    v, w = state.versions[:2]
    change = course.nodes[w].value - course.nodes[v].value
    return scaled_at(course.roles, Step(v, w, change, change), factor)


def decay_of(course: Course, state: State) -> NodeId | None:
    """Where a step takes the parameter itself, as a penalty's derivative does, if it does."""
    v, w = state.versions[:2]
    for t in range(v + 1, w):
        node = course.nodes[t]
        if node.op == "multiply" and course.roles.flows[t] and any(course.roles.root(a) == v for a in node.parents()):
            return t
    return None
