"""Where the line may be that is to be mended: what all steps that are not as they should be were made at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from byhand.diagnosis.findings import Place, Suspects
from byhand.diagnosis.judge.increments import made_since
from byhand.diagnosis.judge.roles import NodeId, State, made_of
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.tape.nodes import Node

_STEPS = 2  # of each parameter whose making is looked at
_ENOUGH = 4  # steps of each parameter that show whether it follows its gradient


def suspects(sight: Sight, spared: Collection[Place] = ()) -> Suspects:
    """The lines that the wrong steps of a run have in common, calls as well; without those that are right."""
    trial = sight.trial
    if trial is None:
        return Suspects()
    forward = _forward(sight, trial.objective.seeds[:_STEPS])
    odd = {s for m in sight.verdict.mistakes for s in m.states} | set(sight.verdict.open)
    made = {state: list(_made(sight, state)) for state in trial.explained}
    back = _in_common(sight, {s: [t for t in ts if t not in forward] for s, ts in made.items()}, odd)
    back = [place for place in back if place not in spared]
    ahead = [place for place in _in_common(sight, made, odd) if place not in (*back, *spared)]
    if trial.objective.kind != "loss":  # of which it matters how an output is made: with an error any is right
        ahead = []
    few = (s.versions[:_ENOUGH][-1] for s in trial.explained)
    return Suspects(back, ahead, 1 + max(few, default=0))


def _in_common(sight: Sight, made: dict[State, list[NodeId]], odd: set[State]) -> list[Place]:
    """The places of values of all odd states: those that no other state has first, then the latest."""
    places = {state: {place: t for t in ts for place in _places(sight.nodes[t])} for state, ts in made.items()}
    wrong = [found for state, found in places.items() if state in odd and found]
    right = {place for state, found in places.items() if state not in odd for place in found}
    common = set(wrong[0]).intersection(*wrong[1:]) if wrong else set()
    return sorted(common, key=lambda place: (place in right, -max(found[place] for found in wrong)))


def _forward(sight: Sight, seeds: Sequence[NodeId]) -> set[NodeId]:
    """What values were made of since the last steps."""
    nodes = sight.nodes
    made = (made_of(nodes, t, farthest=len(nodes), closed=sight.course.stop) for t in seeds)
    return {t for found in made for t in found if nodes[t].parents()}


def _made(sight: Sight, state: State) -> Iterator[NodeId]:
    """What a parameter's first steps were made of, in the order of time."""
    assert sight.trial is not None
    others = {v for s in sight.trial.explained for v in s.versions}
    for step in sight.course.steps(state, sight.trial.gradients, most=_STEPS):
        closed = others - {step.after}
        yield from (t for t in made_since(sight.course.roles, step, closed) if t not in closed)


def _places(node: Node) -> Iterator[Place]:
    """The line of a node, and of the calls that it was made in."""
    yield Place(node.line, node.file)
    yield from (Place(line, file) for file, line, *_ in list(node.site)[1:])
