"""Losses that are shown before or after the steps that were judged: whether the penalty in them is the steps' own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from byhand.diagnosis.judge.fits import proportion
from byhand.diagnosis.judge.locate import decay_of
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import NodeId, Objective, State
from byhand.diagnosis.judge.steps import Course
from byhand.diagnosis.judge.verdict import Mistake, Verdict

_SAME = 1e-6


def other_penalties(judged: Verdict, others: Sequence[Verdict]) -> Iterator[Mistake]:
    """Parameters whose steps follow an error, and a penalty that is not the one of the loss that is shown."""
    if judged.kind != "right" or judged.trial is None or judged.trial.objective.kind not in ("error", "link"):
        return
    steps = {s: decay_of(judged.course, s) is not None for s in judged.trial.explained}
    seen = set[State]()
    for other in others:
        course = other.course
        for loss in (o for o in course.roles.objectives if o.kind == "loss"):
            for theirs in course.roles.parameters(loss.rests_on):
                state = next((s for s in steps if _are_alike(judged.course, s, course, theirs)), None)
                is_square = _is_square(course, loss, theirs) if state is not None and state not in seen else None
                if state is not None and is_square is not None:
                    seen.add(state)
                    if is_square != steps[state]:
                        detail = {} if is_square else {"shown": "its size"}
                        yield Mistake("penalty-gradient-wrong", (state,), detail=detail)


def _are_alike(one: Course, state: State, other: Course, theirs: State) -> bool:
    """Whether two states are one parameter in different parts of a run: of one name, and shape."""
    shapes = (c.nodes[s.versions[0]].value.shape for c, s in ((one, state), (other, theirs)))
    return (state is theirs or (bool(state.name) and state.name == theirs.name)) and len(set(shapes)) == 1


def _is_square(course: Course, loss: Objective, state: State) -> bool | None:
    """Whether a loss has a penalty on a parameter's square; None if it has none, or that cannot be seen."""
    gradients = course.gradient(loss)
    uses = penalties(course.roles, state, gradients)
    if not uses:
        return None
    bare = course.bare(loss, uses)
    if not any(bare[v].any() for v in state.versions if v in bare):
        return None  # its size alone is shown
    sized: list[NodeId] = [a for u in uses for a in course.nodes[u].parents() if a in gradients]
    for a in sized:
        value = course.nodes[a].value
        penalty = gradients[a] - bare.get(a, 0.0)
        if np.count_nonzero(value) > 1 and penalty.any():
            return proportion(penalty, value, _SAME) is not None
    return None
