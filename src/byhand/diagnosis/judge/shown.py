"""Losses that are shown beside the steps that were judged: whether their penalty, and their size, is the steps' own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from byhand.diagnosis.judge.factors import late_steps
from byhand.diagnosis.judge.fits import all_equal, proportion
from byhand.diagnosis.judge.increments import leading, rate
from byhand.diagnosis.judge.locate import decay_of
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.roles import NodeId, Objective, State
from byhand.diagnosis.judge.steps import Course
from byhand.diagnosis.judge.verdict import Mistake, Trial, Verdict

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


def averaged_over_classes(judged: Verdict) -> Iterator[Mistake]:
    """A cross-entropy that is shown as a mean over the classes, too, where steps are of its mean over the samples.

    Steps of another length than that say nothing: the learning rate may make up for it.
    """
    course, trial = judged.course, judged.trial
    if judged.kind != "right" or trial is None or trial.objective.kind != "link":
        return
    error = course.nodes[trial.objective.seeds[0]]
    for loss in (o for o in course.roles.objectives if o.kind == "loss" and error.op == "subtract"):
        found = _mean_of_one_in_each(course, loss.seeds[0])
        if found is not None and error.value.ndim == 2:
            mean, axis = found
            samples, classes = error.value.shape[axis], error.value.shape[1 - axis]
            lengths = list(_lengths(course, trial))
            has_classes = course.nodes[course.nodes[mean].parents()[0]].value.shape[1 - axis] == classes > 1
            if has_classes and lengths and all(n and all_equal([n * samples, 1.0]) for n in lengths):
                yield Mistake("loss-wrong", tuple(trial.explained), detail={"at": mean, "classes": classes})
                return


def _mean_of_one_in_each(course: Course, loss: NodeId) -> tuple[NodeId, int] | None:
    """Where a loss takes the mean of a table of which each sample has one number, those of others being 0; the axis."""
    t = loss
    while course.nodes[t].op in ("negative", "multiply", "divide") and len(course.nodes[t].parents()) == 1:
        [t] = course.nodes[t].parents()
    if course.nodes[t].op != "mean" or course.nodes[t].value.ndim or len(course.nodes[t].parents()) != 1:
        return None
    table = course.nodes[course.nodes[t].parents()[0]].value
    sides = [k for k in (0, 1) if table.ndim == 2 and (np.count_nonzero(table, axis=1 - k) == 1).all()]
    return (t, sides[0]) if len(sides) == 1 else None


def _lengths(course: Course, trial: Trial) -> Iterator[float | None]:
    """How often the error itself is in a step of each, but for the learning rate; None where that cannot be told."""
    for state, step in late_steps(course, trial.explained, trial.gradients).items():
        chosen = rate(course.roles, step) or leading(course.roles, step)
        yield -trial.explained[state].factors[step.before] / chosen if chosen else None


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
