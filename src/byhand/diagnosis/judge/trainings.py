"""The trainings of a run, which may be several: each by the stretches in which its parameters are stepped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge.locate import place_of
from byhand.diagnosis.judge.roles import State, find_roles
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.verdict import Verdict, judge_steps
from byhand.diagnosis.judge.windows import stretches
from byhand.diagnosis.tape.run import Trace

_CLEAR = 1e-3  # of the longest step at first: what is shorter may be rounding
_FEW = 3  # versions: what is stepped less often is no training of its own


def trainings(trace: Trace, *, search: bool = True) -> list[list[Sight]]:
    """The stretches of each training of a run: one that steps other parameters at other lines is another.

    Without a search, what is not explained is not looked into.
    """
    found: list[list[Sight]] = []
    stepped: set[Place] = set()
    in_vain = False  # whether what is wrong was looked for at first, and once more later, and not found
    for stretch in stretches(trace.tape):
        is_first = all(s.verdict.kind == "nothing" for sights in found for s in sights)
        sight = Sight(trace, stretch, judge_steps(find_roles(stretch), search=search and is_first))
        lines = _lines_of_steps(sight)
        begins = bool(lines - stepped)
        if begins and not is_first:
            sight = Sight(trace, stretch, _of_what_is_new(judge_steps(find_roles(stretch), search=search), stepped))
        elif search and not is_first and not in_vain and departs(sight, first := first_of(found[-1])):
            sight = Sight(trace, stretch, judge_steps(find_roles(stretch)))
            in_vain = first.verdict.kind == "inconclusive" and sight.verdict.kind != "wrong"
        if not found or (begins and not is_first):
            found.append([])
            in_vain = False
        found[-1].append(sight)
        stepped |= lines
    return found


def first_of(sights: Sequence[Sight]) -> Sight:
    """The first stretch in which something is trained."""
    return next((s for s in sights if s.verdict.kind != "nothing"), sights[0])


def departs(sight: Sight, first: Sight) -> bool:
    """Whether steps of a later stretch do not follow what they follow in the first, and are no rounding."""
    if sight.verdict.kind not in ("inconclusive", "wrong") or first.verdict.kind == "wrong":
        return False  # what is wrong from the start need not be looked for again
    if sight.trial is None or first.trial is None:
        return False
    mine, theirs = (s.nodes[s.trial.objective.seeds[0]] for s in (sight, first) if s.trial is not None)
    kinds = ["error" if s.trial.objective.kind == "link" else s.trial.objective.kind for s in (sight, first) if s.trial]
    if not (kinds[0] == kinds[1] != "margin" and mine.line == theirs.line):
        return False
    odd = [s for s, e in sight.trial.explained.items() if e.kind == "other"]
    return _longest(sight, odd) > _CLEAR * _longest(first, first.trial.explained)


def _longest(sight: Sight, states: Iterable[State]) -> float:
    """The largest change of a number in any step of some parameters; 0 where none is a number."""
    changes = (np.abs(step.change).max(initial=0) for s in states for step in sight.course.all_steps(s))
    return max((float(c) for c in changes if np.isfinite(c)), default=0.0)


def _lines_of_steps(sight: Sight) -> set[Place]:
    """Where the parameters of an objective take their steps, more than a few."""
    states = sight.trial.explained if sight.trial is not None else ()
    return {place_of(sight.course, v) for s in states if len(s.versions) > _FEW for v in s.versions[1:]}


def _of_what_is_new(verdict: Verdict, stepped: set[Place]) -> Verdict:
    """A verdict without what is only the end of an earlier training's steps."""
    new = [s for s in verdict.open if not {place_of(verdict.course, v) for v in s.versions[1:]} <= stepped]
    is_of_the_end = verdict.kind == "inconclusive" and bool(verdict.open) and not new
    is_right = is_of_the_end and verdict.trial is not None and verdict.trial.right > 0
    return replace(verdict, kind="right" if is_right else verdict.kind, open=new)
