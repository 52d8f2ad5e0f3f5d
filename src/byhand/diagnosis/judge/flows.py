"""Mistakes that show in the flow of the values alone: what a step was made from, and what never takes one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from byhand.diagnosis.judge.anatomy import PRODUCTS, Anatomy
from byhand.diagnosis.judge.roles import NodeId, Objective, State
from byhand.diagnosis.judge.steps import Course, Gradients

_OFTEN = 3


def old_passes(course: Course, objective: Objective) -> Iterator[tuple[NodeId, int]]:
    """Outputs that were compared with their target again after the parameters had changed: node and how often."""
    versions = sorted(v for s in course.roles.parameters(objective.rests_on) for v in s.versions[1:])
    by_output: dict[NodeId, list[NodeId]] = defaultdict(list)
    for t in objective.seeds:
        for a in course.nodes[t].parents():
            if course.roles.rests_on[a]:
                by_output[a].append(t)
    for output, seeds in by_output.items():
        first = course.nodes[seeds[0]].value
        again = [
            t
            for t in seeds[1:]
            if np.array_equal(course.nodes[t].value, first) and any(seeds[0] < v < t for v in versions)
        ]
        if again:
            yield output, len(again) + 1


def old_gradients(course: Course, state: State, gradients: Gradients) -> Iterator[NodeId]:
    """Versions from which a step was made with a gradient that had been computed before they were there."""
    for step in course.all_steps(state):
        used = course.gradient_used(step)
        if used is not None and used < step.before and course.roles.rests_on[used] and step.change.any():
            if used not in course.roles.versions and step.before != state.versions[0]:
                yield step.after


def frozen(course: Course, gradients: Gradients, objective: Objective) -> Iterator[tuple[NodeId, NodeId]]:
    """Arrays that stand where parameters stand and never change: the array and its first use.

    What is multiplied with values that rest on parameters, or added to them, in each step anew, and was drawn at
    random or filled with one number, was meant to be learned; data is met by parameters, not by what they made.
    """
    body = Anatomy(course.roles, gradients, course.limit)
    uses: Counter[tuple[NodeId, object]] = Counter()
    first: dict[NodeId, NodeId] = {}
    for t in body.reached:
        node = course.nodes[t]
        if node.op not in PRODUCTS and node.op != "add" or not course.roles.flows[t]:
            continue
        for position, a in enumerate(node.args[:2]):
            other = node.args[1 - position] if len(node.args) > 1 else None
            if type(a) is not int or type(other) is not int:
                continue
            root = body.root(a)
            if _looks_learned(course, root) and course.roles.rests_on[other] and body.root(other) not in course.stop:
                if np.any(gradients.get(a, 0)) and (node.op in PRODUCTS or _is_bias(course, a, t)):
                    uses[root, node.site] += 1
                    first.setdefault(root, t)
    for (root, _), n in uses.items():
        if n >= _OFTEN:
            yield root, first[root]


def _looks_learned(course: Course, t: NodeId) -> bool:
    """Whether an array rests on nothing and was drawn at random or filled with one number, scaled perhaps."""
    for _ in range(6):
        node = course.nodes[t]
        if course.roles.rests_on[t] or node.value.dtype.kind != "f":
            return False
        if node.op == "leaf":
            made = str(node.kw.get("made"))
            return made.startswith("random") or made.rpartition(".")[2] in ("zeros", "ones", "full", "zeros_like")
        parents = [a for a in node.parents() if course.nodes[a].value.size > 1 or node.value.size == 1]
        if len(parents) != 1:
            return False
        t = parents[0]
    return False


def _is_bias(course: Course, a: NodeId, t: NodeId) -> bool:
    """Whether what is added is one for all samples."""
    return course.nodes[a].value.size < course.nodes[t].value.size or course.nodes[t].value.ndim < 2
