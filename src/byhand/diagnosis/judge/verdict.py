"""From explanations to a verdict: the objective that explains the steps, or the mistakes that do."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, permutations
from typing import Any

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.anatomy import Anatomy
from byhand.diagnosis.judge.edits import Edit, edits, link, some_seeds, where
from byhand.diagnosis.judge.factors import unequal_factors
from byhand.diagnosis.judge.fits import Explanation, all_equal, angle, growth, is_whole, nearest, proportion, shrinks
from byhand.diagnosis.judge.flows import (
    aside,
    frozen,
    lost_steps,
    old_gradients,
    old_passes,
    repeated_passes,
    sizes,
    unlearned_tables,
    unread,
)
from byhand.diagnosis.judge.increments import gradient_used
from byhand.diagnosis.judge.kinks import at_kinks
from byhand.diagnosis.judge.margins import agrees_with, margin_of
from byhand.diagnosis.judge.masks import leaves_out
from byhand.diagnosis.judge.mends import Mend, mends_of
from byhand.diagnosis.judge.optimizers import has_a_multiple, has_optimizer
from byhand.diagnosis.judge.parts import parts
from byhand.diagnosis.judge.penalties import penalties
from byhand.diagnosis.judge.proximal import other_thresholds
from byhand.diagnosis.judge.roles import NodeId, Objective, Roles, State, made_of
from byhand.diagnosis.judge.sides import with_other_sides
from byhand.diagnosis.judge.steps import Course, Gradients, Overrides
from byhand.diagnosis.judge.versions import Versions
from byhand.diagnosis.tape.derive import Unknown
from byhand.diagnosis.tape.nodes import Const, Node

_MOST_OBJECTIVES = 14
_LOGS = {"log", "log2", "log10", "log1p", "logaddexp"}
_SEARCHED_STEPS = 6
_MANY = 2000  # seeds
_LEAST = 1.0  # degrees
_FAR = 20.0  # more than a penalty that the loss does not show turns a step
_SAME = 1e-6
_NEAR = 500  # nodes
_WIDEST = 40  # nodes of an output's activation
_MOST_MISTAKES = 12
_FEW_HELD = 2
_FEW_SEEDS = 3
_LEAST_NUMBERS = 3
_MANY_STATES, _FEW = 50, 0.1  # of them that hold
_SEARCH_BUDGET = 600_000  # nodes that all sweeps of one search may go through


@dataclass(eq=False)
class Trial:
    """One objective, and what its gradient explains."""

    objective: Objective
    gradients: Gradients
    explained: dict[State, Explanation]
    overrides: Overrides = field(default_factory=dict)

    @property
    def right(self) -> int:
        """How many parameters follow the gradient."""
        return sum(e.right for e in self.explained.values())

    @property
    def unexplained(self) -> list[State]:
        """The parameters that do not."""
        return [s for s, e in self.explained.items() if not e.right]

    @property
    def moves(self) -> bool:
        """Whether the gradient is anywhere other than 0."""
        return any(e.kind != "flat" for e in self.explained.values())


@dataclass(frozen=True)
class Mistake:
    """What explains the steps of some parameters: an edit, or a change of the gradient of one parameter alone."""

    id: str
    states: tuple[State, ...]
    edit: Edit | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass
class Verdict:
    """What the steps are.

    Attributes
    ----------
    kind : str
        "right", "wrong", "inconclusive" or "nothing".
    trial : Trial or None
        The objective that the answer rests on, without any mistake in its gradient.
    mistakes : list of Mistake
    open : list of State
        The parameters whose steps nothing explains.
    course : Course
    busiest : Trial or None
        The objective that explains most steps; `trial` may be a loss that is computed now and then.
    """

    kind: str
    trial: Trial | None
    mistakes: list[Mistake]
    open: list[State]
    course: Course
    busiest: Trial | None = None


def judge_steps(roles: Roles, *, search: bool = True) -> Verdict:
    """Hold all steps against all objectives; without a search, what is not explained is not looked into."""
    course = Course(roles)
    trials = list(_trials(course))
    for is_loss in (True, False):
        of_kind = [t for t in trials if (t.objective.kind == "loss") == is_loss]
        trials += [*_together(course, of_kind), *(_summed(course, of_kind) if is_loss else ())]
    busiest = max(trials, key=lambda t: (t.right, sum(len(e.spans) for e in t.explained.values())), default=None)
    return replace(_judged(course, trials, search=search), busiest=busiest)


def _judged(course: Course, trials: list[Trial], *, search: bool) -> Verdict:
    whole = _not_superseded(trials, course)
    if not trials:
        lost = [Mistake("parameter-never-updated", (), detail={"array": a, "lost": t}) for a, t in lost_steps(course)]
        return Verdict("wrong" if lost else "nothing", None, lost, [], course)
    unmasked = _without_the_mask(course, trials)
    if unmasked is not None:
        return unmasked
    exchanged = _with_other_sides(course, trials)
    if exchanged is not None:
        return exchanged
    best = _complete(whole, course)
    errors = [t for t in trials if t.objective.kind != "loss" and t.explained]
    away = [t for t in errors if all(e.kind == "opposes" for e in t.explained.values())]
    if best is not None and away and _is_negative(course, best.objective):
        # the less of it, the larger the errors: it is meant to grow
        return Verdict("wrong", away[0], [Mistake("sign-flipped", (s,)) for s in away[0].explained], [], course)
    left = _left_out(trials, best) if best is not None else []
    if best is not None and left:
        return _beside(course, trials if search else [], best, left)
    if best is not None:
        mistakes = [*_without_effect(course, best), *_repeated(course, best), *_of_factors(course, best)]
        if not search:  # a later stretch may begin in the middle of a pass, of which it does not see all that is read
            mistakes = [m for m in mistakes if m.id != "bias-missing"]
        mistakes += _of_thresholds(course, trials)
        unjudged = aside(course, [s for t in trials for s, e in t.explained.items() if e.right])
        kind = "wrong" if mistakes else "inconclusive" if unjudged or course.is_blocked(best.objective) else "right"
        return Verdict(kind, best, mistakes, unjudged, course)
    flipped = _all_held(whole, course)
    if flipped is not None:
        return Verdict("wrong", flipped, list(_wrong_way(course, flipped)), [], course)
    game = _of_a_game(course, trials)
    if game is not None:
        return Verdict("inconclusive" if course.is_blocked(game.objective) else "right", game, [], [], course)
    quiet = _without_open_steps(whole)
    if quiet is not None:
        return Verdict("inconclusive", quiet, [], quiet.unexplained, course)
    meant = [t for t in trials if not _is_of_direction(course, t)]
    if not search or not meant:
        likeliest = max(trials, key=lambda t: (len(t.explained), t.right))
        return Verdict("inconclusive", likeliest, [], likeliest.unexplained, course)
    answers: list[Verdict] = []
    full = max(len(t.explained) for t in trials)
    for trial in dict.fromkeys((*_worth_a_search([t for t in whole if t in meant]), *_worth_a_search(meant))):
        answers.append(_search(course.roles, trial))
        if answers[-1].kind == "wrong" and not answers[-1].open and len(trial.explained) == full:
            break
    answer = min(answers, key=_fewest_open)
    other = _of_another_loss(whole, course) if answer.kind != "wrong" else None
    if other is not None:
        return other
    losses = [t for t in trials if t.objective.kind == "loss" and t.moves]
    found = _behind_the_output(_unnamed(answer, trials), losses)
    if found.kind != "right" or found.trial is None:
        return found
    left = _left_out(trials, found.trial)
    return _of_another_loss(whole, course) or (_beside(course, trials, found.trial, left) if left else found)


def _left_out(trials: Sequence[Trial], best: Trial) -> list[State]:
    """What is stepped, and by no objective's gradient, where another objective's parameters are all right."""
    right = {s for t in trials for s, e in t.explained.items() if e.right}
    moved = [s for t in trials for s, e in t.explained.items() if e.kind in ("other", "scattered", "opposes")]
    return [s for s in dict.fromkeys(moved) if s not in right and s not in best.explained]


def _beside(course: Course, trials: Sequence[Trial], best: Trial, left: Sequence[State]) -> Verdict:
    """What is wrong with the steps of some parameters, as a generator's, where those of the others are right."""
    mask = int(np.bitwise_or.reduce([course.roles.bit(s) for s in left]))
    theirs = [t for t in trials if t.objective.rests_on & mask == mask and set(left) <= set(t.explained)]
    own = [_tried(course, replace(t.objective, rests_on=mask), t.overrides) for t in theirs]
    flipped = next((t for t in own if all(e.kind == "opposes" for e in t.explained.values())), None)
    if flipped is not None:
        return Verdict("wrong", flipped, list(_wrong_way(course, flipped)), [], course)
    answers = [_search(course.roles, t) for t in _worth_a_search([t for t in own if not _is_of_direction(course, t)])]
    wrong = [v for v in answers if v.kind == "wrong"]
    return min(wrong, key=_fewest_open) if wrong else Verdict("inconclusive", best, [], list(left), course)


def _without_the_mask(course: Course, trials: Sequence[Trial]) -> Verdict | None:
    """Steps that follow an error whole, where the loss of the same outputs and targets leaves out some numbers."""
    for own in (t for t in trials if t.objective.kind == "loss" and t.moves):
        for error in (t for t in trials if t.objective.kind == "error"):
            odd = [s for s, e in error.explained.items() if e.right and not _is_right(own, s)]
            covers = odd and all(course.covers(s, error.explained[s], error.objective) for s in odd)
            all_known = all(s in odd or e.right for s, e in own.explained.items())
            if covers and all_known and leaves_out(course, own.gradients, error.objective):
                at = {} if len(odd) < len(own.explained) else {"at": error.objective.seeds[0]}
                mistake = Mistake("mask-missing", tuple(odd), detail={"mask": True, **at})
                return Verdict("wrong", own, [mistake], [], course)
    return None


def _of_a_game(course: Course, trials: Sequence[Trial]) -> Trial | None:
    """Two losses of all parameters, as of a generator and of who is to find it out: each is followed by its own side.

    By the parameters of the second side, the one goes up where the other goes down.
    """
    losses = [t for t in trials if t.objective.kind == "loss" and 0 < t.right < len(t.explained)]
    for one, other in permutations(losses, 2):
        mine, theirs = ({s: e for s, e in t.explained.items() if e.right} for t in (one, other))
        sides_are_all = mine.keys() | theirs.keys() == one.explained.keys() == other.explained.keys()
        if not sides_are_all or not mine.keys().isdisjoint(theirs):
            continue
        own = {v: other.gradients[v] for s in theirs for v in s.versions if v in other.gradients}
        between = sum(float(np.vdot(g, one.gradients[v])) for v, g in own.items() if v in one.gradients)
        sides = [(one.objective, mine), (other.objective, theirs)]
        is_covered = all(course.covers(s, e, loss) for loss, side in sides for s, e in side.items())
        if between < 0 and is_covered:
            return replace(one, explained={**mine, **theirs}, gradients={**one.gradients, **own})
    return None


def _with_other_sides(course: Course, trials: Sequence[Trial]) -> Verdict | None:
    """Steps that follow a loss with one slope on each side of the error, where what is shown has others."""
    for trial in (t for t in trials if t.objective.kind == "slope" and t.right == len(t.explained) > 0):
        found = with_other_sides(course.roles, [t.gradients for t in trials if t.objective.kind == "loss"])
        if found is not None:
            at, is_exchanged = found
            mistake = Mistake("delta-wrong", tuple(trial.explained), detail={"sent_back": at, "exchanged": True})
            told, open_ = ([mistake], []) if is_exchanged else ([], list(trial.explained))
            return Verdict("wrong" if told else "inconclusive", trial, told, open_, course)
    return None


def _is_of_direction(course: Course, trial: Trial) -> bool:
    """Whether of what is meant only the direction is known, as of a margin, and of the errors of a policy."""
    return trial.objective.kind == "margin" or not course.roles.rewards.keys().isdisjoint(trial.objective.seeds)


def _is_right(trial: Trial, state: State) -> bool:
    return state in trial.explained and trial.explained[state].right


def _unnamed(verdict: Verdict, trials: Sequence[Trial]) -> Verdict:
    """Steps that no known mistake explains, where others follow the same loss: so it is this loss that is meant."""
    course, trial = verdict.course, verdict.trial
    elsewhere = {s for t in trials for s, e in t.explained.items() if e.right}
    if trial is None or course.mended is not None or elsewhere.issuperset(verdict.open):
        return verdict
    is_of_loss = trial.objective.kind == "loss"
    elsewhere |= _of_others(course, trial, trials)
    open_ = [s for s in verdict.open if s not in elsewhere]
    if not open_:
        return verdict
    edited = [m.edit.overrides for m in verdict.mistakes if m.edit is not None]
    start = _tried(course, trial.objective, dict(chain(trial.overrides.items(), *(o.items() for o in edited))))
    held = [s for s, e in start.explained.items() if e.right]
    of_parts = (m for s in open_ for m in _of_parts(course, start, s)) if is_of_loss else ()
    mistakes = [*verdict.mistakes, *of_parts]
    open_ = [s for s in open_ if not any(s in m.states for m in mistakes)]
    of_places = list(_of_places(course, start, open_, held))
    mistakes += of_places
    open_ = [s for s in open_ if not any(s in m.states for m in of_places)]
    if held and is_of_loss:
        angles = {s: a for s in open_ if (a := _angle_of_other_steps(course, start, s)) is not None}
        mistakes += [Mistake("weight-gradient-wrong", (s,), detail={"angle": a}) for s, a in angles.items()]
        open_ = [s for s in open_ if s not in angles]
    if len(held) > _FEW_HELD:
        together = list(_numbers_astray(course, start, open_))
        mistakes += together
        open_ = [s for s in open_ if not any(s in m.states for m in together)]
    if len(mistakes) == len(verdict.mistakes):
        return verdict
    open_ = [s for s in verdict.open if s in elsewhere or s in open_]
    return replace(verdict, kind="inconclusive" if open_ else "wrong", mistakes=mistakes, open=open_)


def _of_places(course: Course, trial: Trial, open_: Sequence[State], held: Sequence[State]) -> Iterator[Mistake]:
    """Values of the backward pass that make the steps what they are, where it is this objective that is meant.

    That is, others follow its gradient, or what comes before that value is the objective's derivative; both of them
    where the objective is an error, which stands for a loss that the program does not show.
    """
    mends, found = mends_of(course, trial.gradients, open_, held)
    for mend in found:
        is_whole = mend.of in course.roles.versions  # the gradient itself: in that place something always helps
        begins_right = mends.begins_right(mend) and not (is_whole and len(held) < _FEW_HELD)
        is_meant = (held or begins_right) if trial.objective.kind == "loss" else (held and begins_right)
        if is_meant and not mends.adds_to_what_is_right(mend) and not _goes_on_from_the_gradient(course, trial, mend):
            yield _mended(mends.body, mend)


def _goes_on_from_the_gradient(course: Course, trial: Trial, mend: Mend) -> bool:
    """Whether steps are made from a multiple of their gradient, as those along a natural gradient are."""
    steps = (s for state in mend.states for s in course.steps(state, trial.gradients, most=2))
    return any(has_a_multiple(course, s) for s in steps)


def _of_others(course: Course, trial: Trial, trials: Sequence[Trial]) -> set[State]:
    """What other losses of the same forward pass rest on, too: their sum may be what is made small."""
    mine = course.reached_from(trial.objective) - course.stop
    found = set[State]()
    losses = [t for t in trials if t.objective.kind == "loss" and t.objective.rests_on != trial.objective.rests_on]
    for t in losses:
        reached = course.reached_from(t.objective)
        if t.moves and _are_beside(trial, mine, t, reached) and not mine.isdisjoint(reached):
            found |= set(t.explained)
    return found


def _are_beside(one: Trial, made_of: set[NodeId], other: Trial, other_made_of: set[NodeId]) -> bool:
    """Whether neither of two losses is made of the other."""
    own, theirs = set(one.objective.seeds), set(other.objective.seeds)
    return theirs.isdisjoint(own | made_of) and own.isdisjoint(other_made_of)


def _of_parts(course: Course, trial: Trial, state: State) -> Iterator[Mistake]:
    """Parts of a vector whose steps do not follow the gradient, where other parts' steps do."""
    found = parts(course, state, trial.gradients)
    usual = next((p.factor for p in found if p.factor is not None and p.factor < 0), 0.0)
    has_memory = any(has_optimizer(course, s, trial.objective) for s in list(course.all_steps(state))[1:3])
    for p in found if usual and not has_memory else ():
        detail = {"at": p.at, "named": p.name}
        if p.factor is None:
            if _LEAST < p.angle < 180 - _LEAST:
                yield Mistake("weight-gradient-wrong", (state,), detail={**detail, "angle": p.angle})
        elif p.factor > 0:
            yield Mistake("sign-flipped", (state,), detail=detail)
        elif p.factor and not all_equal([p.factor, usual]):
            yield Mistake("constant-factor", (state,), detail={**detail, "factor": p.factor / usual})


def _behind_the_output(verdict: Verdict, losses: Sequence[Trial]) -> Verdict:
    """An error that goes back as the delta is no mistake where no loss says otherwise: a cross-entropy's does."""
    kept = [m for m in verdict.mistakes if m.id != "output-derivative-missing"]
    left = [m.edit for m in verdict.mistakes if m.id == "output-derivative-missing" and m.edit is not None]
    course = verdict.course
    otherwise = [own for own in losses if left and _says_otherwise(verdict, own, left[0])]
    if otherwise and all(_all_few(own) for own in otherwise):
        open_ = [s for own in otherwise for s in own.explained]  # shown too seldom to say which of them it means
        return replace(verdict, kind="inconclusive", mistakes=kept, open=list(dict.fromkeys([*verdict.open, *open_])))
    if not left or (otherwise and not any(_has_own_link(course, own) for own in losses)):
        odd = [own for own in otherwise if _is_of_the_same(course, own, verdict.trial)]
        if not odd:
            return verdict
        states = tuple(s for m in verdict.mistakes if m not in kept for s in m.states)
        seed = odd[0].objective.seeds[0]
        logs = (t for t in made_of(course.nodes, seed) if course.nodes[t].op in _LOGS)
        return replace(verdict, mistakes=[*kept, Mistake("loss-wrong", states, detail={"at": max(logs, default=seed)})])
    trial = verdict.trial
    if kept and trial is not None and course.mended is None:
        trial = _tried(course, replace(trial.objective, kind="link"), {**trial.overrides, **left[0].overrides})
    if kept or verdict.open or trial is None:
        return replace(verdict, kind=verdict.kind if kept else "inconclusive", mistakes=kept, trial=trial)
    open_ = _not_covered(Course(course.roles), trial, left[0])
    return replace(verdict, kind="inconclusive" if open_ else "right", mistakes=[], open=open_)


def _not_covered(course: Course, trial: Trial, edit: Edit) -> list[State]:
    """What takes other steps, too, than those that an error as the delta explains: a search looks at the first ones."""
    whole = _tried(course, replace(trial.objective, kind="link"), {**trial.overrides, **edit.overrides})
    return [s for s, e in whole.explained.items() if e.right and not course.covers(s, e, whole.objective)]


def _says_otherwise(verdict: Verdict, own: Trial, edit: Edit) -> bool:
    """Whether a loss has another derivative before the output's activation; one of logarithms has to show that."""
    course, trial = verdict.course, verdict.trial
    if _has_own_link(course, own):
        return False
    if trial is None or trial.objective.kind == "loss" or not _uses(course, own.objective.seeds[0], _LOGS, _WIDEST):
        return True
    overrides = {**trial.overrides, **edit.overrides}
    delta = replace(trial, overrides=overrides, gradients=course.gradient(trial.objective, overrides))
    return _contradicts(course, own, delta)


def _is_of_the_same(course: Course, own: Trial, trial: Trial | None) -> bool:
    """Whether a loss takes logarithms of outputs, and compares them with the targets that an error does."""
    if trial is None or trial.objective.kind == "loss" or not _uses(course, own.objective.seeds[0], _LOGS, _WIDEST):
        return False
    pair = course.nodes[trial.objective.seeds[0]].parents()
    targets = {course.roles.root(a) for a in pair if not course.roles.rests_on[a]}
    seen = made_of(course.nodes, own.objective.seeds[0])
    return not targets.isdisjoint(course.roles.root(t) for t in seen)


def _fewest_open(verdict: Verdict) -> tuple[object, ...]:
    """What is named comes first, with the least left open; of what is not, that which the most is known of."""
    is_named, known = verdict.kind == "wrong", verdict.trial.right if verdict.trial is not None else 0
    known += len({s for m in verdict.mistakes if m.edit is not None for s in m.states})
    return (
        not is_named,
        verdict.trial is None,
        0 if is_named else -known,
        len(verdict.open) if is_named else -len(verdict.open),
        -len(verdict.trial.explained) if verdict.trial else 0,
        len(verdict.mistakes),
    )


# -- objectives --------------------------------------------------------------------------------------------------------


def _trials(course: Course) -> Iterator[Trial]:
    """What each objective explains; the search for one that explains all ends when it is found."""
    roles = course.roles
    full = max((o.rests_on.bit_count() for o in roles.objectives), default=0)
    for objective in roles.objectives[:_MOST_OBJECTIVES]:
        if 2 * objective.rests_on.bit_count() < full:
            continue
        upwards = [replace(objective, sign=-objective.sign)] if _is_negative(course, objective) else []
        for reading, overrides in chain.from_iterable(_readings(course, o) for o in (objective, *upwards)):
            trial = _tried(course, reading, overrides)
            if trial.moves or reading.kind == "loss":
                yield trial
            if trial.right == len(trial.explained) == full:
                break


def _together(course: Course, trials: Sequence[Trial]) -> Iterator[Trial]:
    """Losses, or errors, of several outputs as one: what each alone rests on tells what it counts for."""
    alone: dict[int, tuple[Trial, float]] = {}
    for t in trials:
        mask = t.objective.rests_on
        others = [o.objective.rests_on for o in trials if o.objective.rests_on & mask != mask]
        own = [s for s, e in t.explained.items() if e.right and not any(m & course.roles.bit(s) for m in others)]
        factors = [c for s in own for c in t.explained[s].factors.values() if c]
        if factors and (mask not in alone or t.right > alone[mask][0].right):
            alone[mask] = t, float(np.median(factors))
    if len(alone) > 1:
        first, usual = next(iter(alone.values()))
        weights = {x: t.objective.weights.get(x, 1.0) * c / usual for t, c in alone.values() for x in t.objective.seeds}
        overrides = {x: rule for t, _ in alone.values() for x, rule in t.overrides.items()}
        mask = int(np.bitwise_or.reduce(list(alone)))
        joint = replace(first.objective, seeds=sorted(weights), rests_on=mask, weights=weights)
        kinds = {t.objective.kind for t, _ in alone.values()}
        yield _tried(course, replace(joint, kind=max(kinds)), overrides)  # "link" where one is, else "error", or "loss"


def _summed(course: Course, trials: Sequence[Trial]) -> Iterator[Trial]:
    """The sum of a loss that some parameters follow, and of one of the others beside it: a reconstruction and a KL.

    The other is counted as often as the steps of a parameter of both do, where that is more than never.
    """
    for t in (t for t in trials if 0 < t.right < len(t.explained)):
        mask, mine = t.objective.rests_on, course.reached_from(t.objective) - course.stop
        followed = {s for s, e in t.explained.items() if e.right}
        for other in trials:
            is_part = other.objective.rests_on != mask and other.objective.rests_on & mask == other.objective.rests_on
            if not (is_part and other.moves and followed.isdisjoint(other.explained)):
                continue
            if _are_beside(t, mine, other, course.reached_from(other.objective)):
                seeds = sorted([*t.objective.seeds, *other.objective.seeds])
                share = _share_of(course, t, other) or other.objective.sign * t.objective.sign
                weights = dict.fromkeys(other.objective.seeds, share)
                joint = replace(t.objective, seeds=seeds, weights={**t.objective.weights, **weights})
                yield _tried(course, joint, {**other.overrides, **t.overrides})


def _share_of(course: Course, own: Trial, other: Trial) -> float | None:
    """How often another loss counts beside one whose rate is known, by the first step of a parameter of both."""
    rates = next((e.factors for e in own.explained.values() if e.kind == "follows"), {})
    for state in (s for s in other.explained if s in own.explained):
        for step in course.steps(state, own.gradients, most=1):
            rate, gradient = nearest(rates, step.before), other.gradients.get(step.before)
            if rate and gradient is not None:
                share = proportion(step.change / rate - step.gradient, gradient, _SAME)
                return share if share is not None and share > 0 else None
    return None


def _is_negative(course: Course, objective: Objective) -> bool:
    """Whether what a program shows is below 0 throughout, as a log-likelihood: it may be meant to grow."""
    return objective.kind == "loss" and all((course.nodes[t].value * objective.sign < 0).all() for t in objective.seeds)


def _not_superseded(trials: Sequence[Trial], course: Course) -> list[Trial]:
    """Without the parts of a loss that is computed of them before any step is made."""
    own = [t for t in trials if t.objective.kind == "loss"]
    whole = [t for t in own if len(t.objective.seeds) < _MANY and course.one_version_each(t.objective)]
    reached = [(t, course.reached_from(t.objective)) for t in whole]
    parts = [part for part in own if any(not r.isdisjoint(part.objective.seeds) for _, r in reached)]
    return [t for t in trials if t not in parts]


def _readings(course: Course, objective: Objective) -> Iterator[tuple[Objective, Overrides]]:
    """The derivative as it is; with the other slope at corners; for an error, as the gradient behind the output.

    All once more cut where the forward pass takes up what earlier parameters gave, if it does.
    """
    gradients = course.gradient(objective)
    yield objective, {}
    body = Anatomy(course.roles, gradients, course.limit)
    corners = at_kinks(body)
    if corners:
        yield objective, corners
        yield objective, at_kinks(body, right=False)
    if objective.kind == "error":
        behind = link(body, objective.seeds)
        if behind:
            yield replace(objective, kind="link"), behind
            if corners:
                yield replace(objective, kind="link"), {**corners, **behind}
    if not objective.is_truncated and course.taken_over(objective):
        yield from _readings(course, replace(objective, is_truncated=True))


def _tried(course: Course, objective: Objective, overrides: Overrides) -> Trial:
    gradients = course.gradient(objective, overrides)
    states = [s for s in course.roles.parameters(objective.rests_on) if course.steps(s, gradients, most=1)]
    return Trial(objective, gradients, course.explain_all(states, gradients, objective), overrides)


def _complete(trials: Sequence[Trial], course: Course) -> Trial | None:
    """The trial that explains every step of every parameter; the script's own loss before others."""
    full = max(len(t.explained) for t in trials)
    whole = [
        t
        for t in trials
        if t.right == len(t.explained) == full > 0
        and all(course.covers(s, e, t.objective) for s, e in t.explained.items())
    ]
    if not whole:
        return None
    whole = [t for t in whole if not any(_adds_up_beside(t, other) for other in trials)]
    own = [t for t in trials if t.objective.kind == "loss" and t.moves and not _is_a_measure(course, t)]
    finite = [t for t in own if all(np.isfinite(g).all() for v, g in t.gradients.items() if v in course.stop)]
    overflown = any(_uses(course, t.objective.seeds[0], _LOGS) for t in own if t not in finite)
    own = [] if overflown else finite
    for kind in ("loss", "error", "margin", "slope", "link"):
        agrees = any(t.right == len(t.explained) == full for t in own)
        if kind == "link":
            agrees = agrees or any(_says_the_same(t, link) for t in own for link in whole)
        if kind == "slope" and own and not agrees:
            continue  # the script says which loss it means
        chosen = next((t for t in whole if t.objective.kind == kind), None)
        if kind == "link" and own and not agrees and not any(_has_own_link(course, t, chosen) for t in own):
            return None  # the script says which loss it means, and this is not its gradient
        if (
            chosen is not None
            and kind == "margin"
            and not agrees_with(course, margin_of(course, chosen.objective, chosen.explained))
        ):
            return None  # the loss has another margin, or another penalty, than the steps
        if chosen is not None and kind != "loss" and any(_is_penalized(course, t, chosen) for t in own):
            return None  # what the loss adds to the error's gradient is missing from it
        if chosen is not None and kind == "link" and any(_contradicts(course, t, chosen) for t in own):
            return None  # the loss is made of the same outputs, and has another derivative
        if (
            chosen is not None
            and kind == "error"
            and any(_has_own_link(course, t) and _has_this_link(course, t, chosen) for t in own)
        ):
            return None  # the error is that loss's delta, and has been multiplied with a slope once more
        if chosen is not None:
            return chosen
    return None


def _adds_up_beside(trial: Trial, other: Trial) -> bool:
    """Whether more steps than an objective explains are made, by another one, from the sum of all gradients so far.

    The first of such steps is right.
    """
    mine, theirs = trial.explained, other.explained
    return any(e.kind == "accumulates" and s in mine and len(e.spans) > len(mine[s].spans) for s, e in theirs.items())


def _says_the_same(own: Trial, link: Trial) -> bool:
    """Whether a loss has been shown too seldom to be held against steps, but gives the few as another objective does.

    That is, it is the same multiple of the gradients of both, but for a whole number: of samples, or a 2.
    """
    if link.objective.kind != "link" or not own.explained or own.explained.keys() != link.explained.keys():
        return False
    pairs = [(c, link.explained[s].factors.get(v)) for s, e in own.explained.items() for v, c in e.factors.items()]
    ratios = [c / d for c, d in pairs if c and d]
    return bool(ratios) and is_whole(ratios[0]) and len(ratios) == len(pairs) and all_equal(ratios) and _all_few(own)


def _all_few(trial: Trial) -> bool:
    return all(e.kind == "few" for e in trial.explained.values())


def _of_another_loss(trials: Sequence[Trial], course: Course) -> Verdict | None:
    """Steps that all follow an error sent back before the output's activation, which is no derivative of the loss."""
    for own in (t for t in trials if t.objective.kind == "loss" and t.moves):
        for delta in (t for t in trials if t.objective.kind == "link"):
            follows = len(delta.explained) == len(own.explained) == delta.right > own.right
            covers = all(course.covers(s, e, delta.objective) for s, e in delta.explained.items())
            if follows and covers and _contradicts(course, own, delta):
                sent_back = delta.objective.seeds[0]
                mistake = Mistake("delta-wrong", tuple(delta.explained), detail={"sent_back": sent_back})
                return Verdict("wrong", delta, [mistake], [], course)
    return None


def _is_penalized(course: Course, own: Trial, other: Trial) -> bool:
    """Whether a loss is, for the same parameters and data, what another objective is, and a penalty besides."""
    for state in own.explained:
        uses = penalties(course.roles, state, own.gradients)
        if not uses:
            continue
        bare = course.bare(own.objective, uses, own.overrides)
        pairs = [(bare[v], other.gradients[v]) for v in state.versions if v in bare and v in other.gradients][:3]
        if pairs and all(proportion(g, h, _SAME) for g, h in pairs):
            return True
    return False


def _has_this_link(course: Course, own: Trial, error: Trial) -> bool:
    """Whether an error itself is a loss's derivative before the output's activation: of the same output and targets.

    Or of other data, where the output of its activation is computed in the same line.
    """
    nodes, body = course.nodes, Anatomy(course.roles, error.gradients, course.limit)
    outputs = (a for t in error.objective.seeds[:2] for a in nodes[t].parents() if course.roles.rests_on[a])
    lines = {(nodes[a].op, nodes[a].line, nodes[a].file) for a in outputs if body.region_to(a) is not None}
    if lines & {(nodes[t].op, nodes[t].line, nodes[t].file) for t in own.gradients}:
        return True
    for t in error.objective.seeds[:2]:
        value = course.nodes[t].value
        near = [z for z in own.gradients if abs(z - t) < _NEAR and own.gradients[z].shape == value.shape]
        linked = [z for z in near if proportion(own.gradients[z], value, _SAME)]
        if value.size < 2 or not any(course.roles.rests_on[z] == course.roles.rests_on[t] for z in linked):
            return False
    return True


def _contradicts(course: Course, own: Trial, delta: Trial) -> bool:
    """Whether a loss of the same outputs has another derivative before their activation than an error is."""
    seen = []
    for output, rule in delta.overrides.items():
        if output in delta.gradients:
            for z, _ in rule(delta.gradients[output]):
                if z in own.gradients and own.gradients[z].size > 1:
                    seen.append(angle(own.gradients[z], delta.gradients[z]))
                elif z not in own.gradients:
                    seen += _angles_anew(course, own, delta, output, z)
    return bool(seen) and min(seen) > _LEAST


def _angles_anew(course: Course, own: Trial, delta: Trial, output: NodeId, z: NodeId) -> Iterator[float]:
    """The same where the loss computes the outputs once more: its derivative there against output minus target.

    Only of the same targets, as others may be those of data on which nothing is trained.
    """
    nodes, roles = course.nodes, course.roles
    seed = next((t for t in delta.objective.seeds if _is_subtracted(course, output, t)), None)
    target = next((a for a in nodes[seed].parents() if not roles.rests_on[a]), None) if seed is not None else None
    if target is None or not nodes[target].value.size == nodes[output].value.size > 1:
        return
    right = nodes[output].value - nodes[target].value.reshape(nodes[output].value.shape)
    sign = np.sign(np.sum(delta.gradients[z] * right))
    for t in own.objective.seeds[:_FEW_SEEDS]:
        behind = sorted(_computed_for(course, own, t))
        same = (a for a in behind if roles.root(a) == roles.root(target))
        if any(np.array_equal(nodes[a].value.ravel(), nodes[target].value.ravel()) for a in same):
            pairs = [[a for a in behind if _are_of_one_line(nodes, a, b)] for b in (z, output)]
            for before, after in zip(*pairs, strict=False):
                if before in own.gradients:
                    error = nodes[after].value - nodes[target].value.reshape(nodes[after].value.shape)
                    yield angle(own.gradients[before], sign * error)


def _computed_for(course: Course, own: Trial, seed: NodeId) -> set[NodeId]:
    """What one value of a loss is made of with the parameters as they were then, and what that is made with."""
    waiting, seen = [seed], {seed}
    while waiting:
        new = [a for a in course.nodes[waiting.pop()].parents() if a not in seen]
        seen |= set(new)
        waiting += [a for a in new if a in own.gradients and a not in course.stop]
    return seen


def _is_subtracted(course: Course, output: NodeId, error: NodeId) -> bool:
    return any(course.roles.root(a) == course.roles.root(output) for a in course.nodes[error].parents())


def _are_of_one_line(nodes: Sequence[Node], one: NodeId, other: NodeId) -> bool:
    """Whether two values are computed in one place, perhaps called from two."""
    a, b = nodes[one], nodes[other]
    return (a.op, a.line, a.file, a.value.shape) == (b.op, b.line, b.file, b.value.shape)


def _without_open_steps(trials: Sequence[Trial]) -> Trial | None:
    """The script's own loss, if its gradient explains all that moves and is 0 where nothing does: dead units, say."""
    full = max(len(t.explained) for t in trials)
    for t in trials:
        quiet = all(e.right or e.kind == "flat" for e in t.explained.values()) and t.right < full
        if quiet and t.objective.kind == "loss" and len(t.explained) == full:
            return t
    return None


def _all_held(trials: Sequence[Trial], course: Course) -> Trial | None:
    """The trial whose gradient explains every step but for signs."""
    held = [replace(t, explained={s: _turned(e) for s, e in t.explained.items()}) for t in trials]
    chosen = _complete(held, course)
    return None if chosen is None else trials[next(k for k, t in enumerate(held) if t is chosen)]


def _turned(e: Explanation) -> Explanation:
    return replace(e, kind="follows") if e.kind in ("opposes", "brakes") else e


def _wrong_way(course: Course, trial: Trial) -> Iterator[Mistake]:
    """Steps up the gradient, and those that take back a share of the one before."""
    for state, e in trial.explained.items():
        if e.kind == "opposes":
            yield Mistake("sign-flipped", (state,))
        elif e.kind == "brakes":
            used = gradient_used(course.roles, next(course.all_steps(state)))
            at = state.versions[1] if used is None else used
            yield Mistake("sign-flipped", (state,), detail={"taken_back": -e.share, "at": at})


def _is_a_measure(course: Course, trial: Trial) -> bool:
    """Whether a number is a distance that is shown, not a loss that steps are made along: it uses |x|."""
    return _uses(course, trial.objective.seeds[0], {"absolute", "fabs"})


def _uses(course: Course, t: NodeId, ops: set[str], reach: int = 12) -> bool:
    waiting, seen = [t], 0
    while waiting and seen < reach:
        x = waiting.pop(0)
        seen += 1
        if course.nodes[x].op in ops:
            return True
        waiting += course.nodes[x].parents()
    return False


def _has_own_link(course: Course, trial: Trial, link: Trial | None = None) -> bool:
    """Whether the loss's derivative before the output's activation is the output minus its target: a cross-entropy.

    Then an error taken for the delta is that loss's gradient, also where the loss is computed on other data. One that
    is computed from logits may have the activation nowhere: it is taken from the link, then.
    """
    if link is not None and _is_of_this_link(course, trial, link):
        return True
    body = Anatomy(course.roles, trial.gradients, course.limit)
    inputs = {r[0].z for r in body.regions.values()} | {ts[0] for ts in body.products.values()}
    inputs |= {pairs[0][0] for pairs in body.sums.values()}
    most = max((body.layer(z)[1] for z in inputs), default=0)
    numbers: dict[object, dict[NodeId, NodeId]] = defaultdict(dict)  # of one sample after the other
    for r in chain.from_iterable(regions for key, regions in body.regions.items() if key[1] == most):
        for t in r.inside if body.nodes[r.z].value.size == 1 else ():
            if body.nodes[t].value.size == 1:
                numbers[body.nodes[t].site][r.z] = t
    for at in numbers.values():
        gradient, output = (
            np.ravel(x) for x in ([trial.gradients[z] for z in at], [body.nodes[t].value for t in at.values()])
        )
        if len(at) > _LEAST_NUMBERS and gradient.any() and _is_output_minus_target(course, output, gradient, 0):
            return True
    for z in (z for z in inputs if body.layer(z)[1] == most and np.any(trial.gradients[z])):
        gradient = trial.gradients[z]
        for t in range(z + 1, min(z + _WIDEST, len(course.nodes))):
            output = course.nodes[t].value
            is_alike = t in trial.gradients and output.shape == gradient.shape
            if is_alike and _is_output_minus_target(course, output, gradient, t):
                return True
    return False


def _is_of_this_link(course: Course, own: Trial, link: Trial) -> bool:
    nodes, body = course.nodes, Anatomy(course.roles, link.gradients, course.limit)
    for region in [r for output in link.overrides if (r := body.region_to(output)) is not None][:1]:
        place = nodes[region.z].op, nodes[region.z].line, nodes[region.z].file
        for z in [t for t in own.gradients if (nodes[t].op, nodes[t].line, nodes[t].file) == place][:_FEW_SEEDS]:
            with contextlib.suppress(Unknown, ValueError):
                if _is_output_minus_target(course, body.replay(region, nodes[z].value), own.gradients[z], z):
                    return True
    return False


def _is_output_minus_target(course: Course, output: Array, gradient: Array, near: NodeId) -> bool:
    """Whether gradient = c (output - target) for targets of 0 and 1, or for some value of the tape."""
    ratios = gradient / np.where(output, output, np.nan)
    if np.any(ratios > 0):
        c = float(np.median(ratios[ratios > 0]))
        target = output - gradient / c
        if np.abs(target - np.round(target)).max() < 1e-6 and set(np.unique(np.round(target))) == {0.0, 1.0}:
            return True
    for t in range(max(0, near - 500), min(len(course.nodes), near + 500)):
        value = course.nodes[t].value
        if not course.roles.rests_on[t] and value.shape == output.shape and value.dtype.kind in "fiub":
            difference = output.astype(float) - value
            if difference.size > 1 and proportion(gradient, difference, 1e-6):
                return True
    return False


def _of_factors(course: Course, trial: Trial) -> Iterator[Mistake]:
    if _is_of_direction(course, trial):
        return
    lengths = {n for t in trial.objective.seeds[:3] for n in sizes(course, t)}
    lengths |= {m * n for m in lengths for n in lengths if m != n}
    own = trial.objective.kind == "loss" and course.one_version_each(trial.objective)
    behind = made_of(course.nodes, trial.objective.seeds[0])
    of_tens = min((t for t in behind if course.nodes[t].op == "log10"), default=None)
    found = unequal_factors(course, trial.explained, trial.gradients, own_loss=own, sizes=lengths, of_tens=of_tens)
    for f in found:
        detail = {"factor": f.factor, "is_of_all": f.is_of_all} | ({} if f.at is None else {"at": f.at})
        yield Mistake(f.id, f.states, detail=detail)


def _of_thresholds(course: Course, trials: Sequence[Trial]) -> Iterator[Mistake]:
    for t in (t for t in trials if t.objective.kind == "loss" and t.moves):
        for state, factor, at in other_thresholds(course, t.objective, t.gradients):
            yield Mistake("penalty-gradient-wrong", (state,), detail={"threshold": factor, "added": at})
            return


def _without_effect(course: Course, trial: Trial) -> Iterator[Mistake]:
    """Steps that reach no parameter, parameters that reach no loss, and what stands for one and takes no step."""
    lost = dict(lost_steps(course))
    for root, step in lost.items():
        yield Mistake("parameter-never-updated", (), detail={"array": root, "lost": step})
    gradients = course.gradient(trial.objective) if trial.overrides else trial.gradients
    for state, product in unread(course, gradients):
        yield Mistake("bias-missing", (), detail={"bias": state.name, "product": product})
    tables = unlearned_tables(course, trial.objective, trial.overrides)
    for root, use in dict(chain(frozen(course, gradients, trial.objective, trial.overrides), tables)).items():
        if root not in lost:
            yield Mistake("parameter-never-updated", (), detail={"array": root, "used_at": use})


def _repeated(course: Course, trial: Trial) -> Iterator[Mistake]:
    times = repeated_passes(course, trial.objective)
    if times >= 3:
        yield Mistake("update-outside-loop", tuple(trial.explained), detail={"passes": times})


# -- mistakes ----------------------------------------------------------------------------------------------------------


def _worth_a_search(trials: Sequence[Trial]) -> list[Trial]:
    truncated = {tuple(t.objective.seeds) for t in trials if t.objective.is_truncated}
    plain = [t for t in trials if not t.overrides]
    plain = [t for t in plain if t.objective.is_truncated or tuple(t.objective.seeds) not in truncated]
    right: dict[tuple[NodeId, ...], int] = defaultdict(int)  # in the best reading of the same nodes
    for t in trials:
        right[tuple(t.objective.seeds)] = max(right[tuple(t.objective.seeds)], t.right)
    own = [t for t in plain if t.objective.kind == "loss"]
    errors = sorted((t for t in plain if t.objective.kind == "error"), key=lambda t: -right[tuple(t.objective.seeds)])
    ranked = sorted(own or errors or trials, key=lambda t: (-len(t.explained), -t.right, -_steps_right(t)))[:2]
    return sorted([*ranked, *(t for t in errors[:1] if t not in ranked)], key=lambda t: -t.right)


def _steps_right(trial: Trial) -> int:
    return sum(len(e.spans) for e in trial.explained.values() if e.right)


def _search(roles: Roles, trial: Trial) -> Verdict:
    """The mistakes that explain the steps as they are, or as if they had read the versions of the forward pass."""
    states = list(trial.explained)
    if not states:
        return Verdict("nothing", None, [], [], Course(roles))
    reread = _reread(roles, trial, states)
    if reread is not None and _tried(reread[0], trial.objective, trial.overrides).right > trial.right:
        return _searched(reread[0], trial, reread[1])
    ends = [_end_of_search(s, trial.gradients) for s in states]
    if trial.objective.kind == "loss" and trial.objective.seeds[0] > max(ends):
        trial = replace(trial, objective=_in_summands(roles, trial.objective))
    plain = _searched(Course(roles, limit=max(ends) + 1), trial, [])
    again = _searched(reread[0], trial, reread[1]) if plain.open and reread is not None else None
    return plain if again is None or again.kind != "wrong" else min(plain, again, key=_fewest_open)


def _in_summands(roles: Roles, objective: Objective) -> Objective:
    """A loss that is added up over all steps, as what is added: so the first steps have a loss of their own."""
    weights: dict[NodeId, float | Array] = defaultdict(float)
    waiting = [(t, objective.weights.get(t, 1.0)) for t in objective.seeds]
    while waiting:
        t, weight = waiting.pop()
        node = roles.nodes[t]
        resting = [(k, a) for k, a in enumerate(node.args) if type(a) is int and roles.rests_on[a]]
        is_sum = node.op in ("add", "subtract") and node.value.size == 1
        if is_sum and resting and all(roles.nodes[a].value.size == 1 and a not in roles.versions for _, a in resting):
            waiting += [(a, -weight if k and node.op == "subtract" else weight) for k, a in resting]
        elif node.op == "divide" and len(resting) == 1 and not resting[0][0] and node.value.size == 1:
            by = node.args[1]
            number = np.ravel(by.value if isinstance(by, Const) else roles.nodes[by].value)[0]
            waiting.append((resting[0][1], weight / float(number)))
        else:
            weights[t] += weight
    return replace(objective, seeds=sorted(weights), weights=dict(weights))


def _end_of_search(state: State, gradients: Gradients) -> NodeId:
    """The version after the last that is looked at: a loss that is shown now and then rests on few of them."""
    used = [k for k, v in enumerate(state.versions) if v in gradients][:_SEARCHED_STEPS]
    return state.versions[min(max(_SEARCHED_STEPS, *used, 0) + 1, len(state.versions)) - 1]


def _reread(roles: Roles, trial: Trial, states: list[State]) -> tuple[Course, list[Mistake]] | None:
    """The first steps with the versions that the forward pass used, and the reads of others; None if there are none."""
    versions = Versions(Course(roles), trial.gradients, states)
    mended = versions.mended() if versions.reads else None
    if not mended:
        return None
    course = Course(roles, limit=max(w for w, _ in mended.values()) + 1)
    course.mended = mended
    return course, list(_of_versions(versions))


def _of_versions(versions: Versions) -> Iterator[Mistake]:
    """The reads of later versions: of this sample's own change, for a slope or for an error, or of other samples'."""
    for read in versions.reads:
        detail: dict[str, Any] = {"read": read.at, "step": read.step}
        if not read.is_own:
            output = versions.output_of(read.step)
            if output is not None:
                yield Mistake("stale-gradient", (), detail={**detail, "output": output})
        else:
            id_ = "slope-read-again" if read.is_slope else "updated-weights-used"
            yield Mistake(id_, (versions.course.roles.versions[read.step],), detail=detail)


def _searched(course: Course, trial: Trial, known: Sequence[Mistake]) -> Verdict:
    """Find the smallest edits that explain the steps, without losing one that was explained."""
    start = _tried(course, trial.objective, trial.overrides)
    mistakes = [*known, *(_old(course, trial) if not known else ()), *_of_one_parameter(course, start)]
    settled = {s for m in mistakes if "read" not in m.detail for s in m.states}
    held = [s for s, e in start.explained.items() if e.holds and s not in settled]
    open_ = [
        s for s, e in start.explained.items() if not e.holds and s not in settled and e.kind not in ("flat", "few")
    ]
    body = Anatomy(course.roles, start.gradients, course.limit)
    open_ = _with_edits(course, trial, edits(body, trial.objective.seeds), mistakes, open_, held)
    open_ = _with_slopes(course, start, mistakes, open_, held)
    for state in list(open_):
        if _has_another_gradient(course, start, state) and _is_bias_of_a_right_layer(
            course, start, state, held, mistakes
        ):
            mistakes.append(Mistake("bias-gradient-wrong", (state,)))
            open_.remove(state)
    if len(start.explained) > _MANY_STATES and len(held) < _FEW * len(start.explained):
        return Verdict("inconclusive", trial, [], open_, course)  # numbers of another kind, as an engine's own
    if open_ and not known and not start.right:
        return Verdict("inconclusive", trial, [], open_, course)  # nothing is known to follow this objective
    kind = "inconclusive" if open_ or not mistakes else "wrong"
    mistakes += _without_effect(course, start) if mistakes or open_ else []
    claims = (
        any(m.id in ("stale-gradient", "update-outside-loop") or {"lost", "grows"} & set(m.detail) for m in mistakes)
        or any(m.edit is not None for m in mistakes)
        or held
        or sum(len(m.states) for m in mistakes if m.id != "parameter-never-updated") > 1
    )
    return Verdict(kind if claims else "inconclusive", trial, mistakes if claims else [], open_, course)


def _with_edits(
    course: Course,
    trial: Trial,
    family: Iterator[Edit],
    mistakes: list[Mistake],
    open_: list[State],
    held: list[State],
) -> list[State]:
    """Add the edits that explain parameters to the mistakes, and what they explain to `held`; what stays open."""
    candidates = list(family) if open_ else []
    made: dict[NodeId, Any] = dict(trial.overrides)
    for m in mistakes:
        made |= m.edit.overrides if m.edit is not None else {}
    while open_ and candidates and len(mistakes) < _MOST_MISTAKES:
        best = _best_edit(course, trial.objective, candidates, made, open_, held)
        if best is None:
            break
        edit, won, explained = best
        made |= edit.overrides
        mistakes.append(Mistake(edit.id, tuple(won), edit, edit.detail))
        mistakes += [Mistake("sign-flipped", (s,)) for s in won if explained[s].kind == "opposes"]
        held += won
        open_ = [s for s in open_ if s not in won]
    return open_


def _with_slopes(
    course: Course, start: Trial, mistakes: list[Mistake], open_: list[State], held: list[State]
) -> list[State]:
    """Add what is multiplied with in place of an activation's slope to the mistakes; what stays open."""
    if not open_ or course.mended is not None:
        return open_
    edited = [m.edit.overrides for m in mistakes if m.edit is not None]
    overrides = dict(chain(start.overrides.items(), *(o.items() for o in edited)))
    gradients = course.gradient(start.objective, overrides) if edited else start.gradients
    mends, found = mends_of(course, gradients, open_, held)
    for mend in found:
        if mend.kind == "slope":
            mistakes.append(_mended(mends.body, mend))
            held += mend.states
            open_ = [s for s in open_ if s not in mend.states]
    return open_


def _mended(body: Anatomy, mend: Mend) -> Mistake:
    """The mistake in a place, by what belongs there."""
    if mend.kind == "operand":
        return Mistake("wrong-layer-activation", mend.states, detail={"at": mend.at})
    if mend.of in body.roles.versions:
        return Mistake("weight-gradient-wrong", mend.states, detail={"at": mend.at})
    missing = _slope_of_nothing(body, mend.at) if mend.kind == "derivative" else None
    if missing is not None:
        return Mistake("activation-missing", mend.states, detail={"at": missing})
    if mend.kind in ("derivative", "flow"):
        return Mistake("delta-wrong", mend.states, detail={"sent_back": mend.at})
    layer, a = next((layer, r.a) for layer, regions in body.regions.items() for r in regions if r.z == mend.of)
    detail = {"layer": where(body, layer), "slope": mend.at}
    return Mistake("derivative-wrong", mend.states, Edit("derivative-wrong", a, {}, detail=detail), detail)


def _slope_of_nothing(body: Anatomy, t: NodeId) -> NodeId | None:
    """The value whose right derivative is multiplied in a node with what was made of that value, number by number."""
    nodes, pair = body.nodes, body.nodes[t].parents()
    bent = {r.z for regions in body.regions.values() for r in regions}
    for sent_back, factor in permutations(pair) if nodes[t].op == "multiply" and len(pair) == 2 else ():
        slope = body.region_to(factor)
        true = body.gradients.get(slope.z) if slope is not None and slope.z not in bent else None
        value = nodes[sent_back].value
        if slope is not None and true is not None and value.shape == true.shape and proportion(value, true, 1e-6):
            return slope.z
    return None


def _is_bias_of_a_right_layer(
    course: Course, trial: Trial, state: State, held: Sequence[State], mistakes: Sequence[Mistake]
) -> bool:
    """Whether a parameter is added to a product whose own parameters' steps are explained without any mistake."""
    clean = [s for s in held if not any(m.edit is not None and s in m.states for m in mistakes)]
    for v in state.versions:
        for t in course.roles.users.get(v, ()):
            if course.nodes[t].op == "add" and t in trial.gradients and v in trial.gradients:
                beside = [a for a in course.nodes[t].parents() if a != v]
                if any(course.roles.rests_on[a] & course.roles.bit(s) for a in beside for s in clean):
                    return True
    return False


def _numbers_astray(course: Course, trial: Trial, open_: Sequence[State]) -> Iterator[Mistake]:
    """Single numbers that one line steps, by what taken together points far from their gradient."""
    groups: dict[object, dict[State, tuple[float, float]]] = defaultdict(dict)
    for s in open_:
        first = next((x for x in course.steps(s, trial.gradients) if x.gradient.any()), None) if s.size == 1 else None
        used = gradient_used(course.roles, first) if first is not None and course.mended is None else None
        if first is not None and used is not None and course.nodes[used].value.size == 1:
            groups[course.nodes[first.after].site][s] = course.nodes[used].value.item(), first.gradient.item()
    for pairs in groups.values():
        taken, gradients = np.array(list(pairs.values())).T
        between = angle(taken, gradients)
        if len(pairs) >= _LEAST_NUMBERS and _FAR < between < 180 - _FAR:
            yield Mistake("weight-gradient-wrong", tuple(pairs), detail={"angle": between, "together": True})


def _angle_of_other_steps(course: Course, trial: Trial, state: State) -> float | None:
    """Degrees between a parameter's gradient and what it is stepped by, if no multiple of it is made on the way."""
    steps = [s for s in course.steps(state, trial.gradients) if s.gradient.any() and s.change.any()][:3]
    if trial.explained[state].kind != "other" or state.size < 3 or not steps or course.mended is not None:
        return None
    rates = [c for e in trial.explained.values() if e.right for c in e.factors.values()]
    are_of_one_rate = bool(rates) and all_equal(rates)  # then a few numbers tell more in several steps
    looked_at = [steps] if state.size <= _LEAST_NUMBERS and are_of_one_rate else [[s] for s in steps]
    if any(has_a_multiple(course, s) for s in steps) or any(shrinks(s, course.nodes) for s in looked_at):
        return None
    used = gradient_used(course.roles, steps[0])
    if used is None:
        return None
    is_whole = course.nodes[used].value.size == state.size  # else a row is stepped, or a few
    taken = course.nodes[used].value if is_whole else -steps[0].change
    d, g = (np.ravel(x).astype(float) for x in (taken, steps[0].gradient))
    between = angle(d, g)
    return between if _LEAST < between < 180 - _LEAST else None  # less may be a formula that is right but for rounding


def _has_another_gradient(course: Course, trial: Trial, state: State) -> bool:
    """Whether what the program takes for a parameter's gradient, before any optimizer, is none of its multiples."""
    steps = course.steps(state, trial.gradients)[:4]
    if course.mended is not None:
        return trial.explained[state].kind == "other"
    if any(has_optimizer(course, s, trial.objective) for s in steps):
        return False
    taken = [gradient_used(course.roles, s) for s in steps]
    pairs = [(course.nodes[t].value, s.gradient) for t, s in zip(taken, steps, strict=True) if t is not None]
    pairs = [(np.ravel(v), np.ravel(g)) for v, g in pairs if v.size == g.size]
    if not pairs or sum(v.size for v, _ in pairs) < 2:
        return False
    values, gradients = (np.concatenate([pair[k] for pair in pairs]) for k in (0, 1))
    return not proportion(values, gradients, 1e-5)


def _old(course: Course, trial: Trial) -> Iterator[Mistake]:
    """Steps made with the outputs, or the gradient, of parameters that are there no more."""
    passes = list(old_passes(course, trial.objective))
    if passes:
        output, times = passes[0]
        step = min((v for s in trial.explained for v in s.versions if v > output), default=output)
        detail = {"output": output, "times": times, "step": step}
        yield Mistake("stale-gradient", tuple(trial.explained), detail=detail)
        return
    old = [(s, v) for s in trial.explained for v in old_gradients(course, s, trial.gradients)]
    if old:
        yield Mistake("stale-gradient", tuple(dict.fromkeys(s for s, _ in old)), detail={"step": old[0][1]})


def _best_edit(
    course: Course,
    objective: Objective,
    candidates: Sequence[Edit],
    made: Overrides,
    open_: Sequence[State],
    held: Sequence[State],
) -> tuple[Edit, list[State], dict[State, Explanation]] | None:
    best = None
    numbers = [s for s in held if s.size == 1]
    usual = course.explain_all(numbers[:1], course.gradient(objective, made), objective)
    are_optimized = any(e.kind == "optimizer" for e in usual.values())
    optimized = [s for s in open_ if s.size > 1 and _has_optimizer(course, s, objective)]
    beside = [s for s in open_ if s.size == 1 and (are_optimized or optimized)]  # what it says of a number is little
    optimized += beside
    plain = [s for s in open_ if s not in optimized]
    for edit in candidates:
        if course.swept > _SEARCH_BUDGET:
            break
        try:
            counted = objective if edit.seeds is None else replace(objective, seeds=list(edit.seeds))
            gradients = course.gradient(counted, {**made, **edit.overrides})
        except (ValueError, IndexError):
            continue  # the edit's arrays do not fit: not this mistake
        explained = course.explain_all([*open_, *held], gradients, objective, plain=plain)
        if not all(explained[s].holds for s in held):
            continue
        won = [s for s in open_ if explained[s].holds and (s in optimized or explained[s].kind != "optimizer")]
        if not are_optimized and not any(explained[s].kind == "optimizer" for s in won if s.size > 1):
            won = [s for s in won if s not in beside or explained[s].kind != "optimizer"]
        if won and (best is None or len(won) > len(best[1])):
            best = (edit, won, explained)
    return best


def _has_optimizer(course: Course, state: State, objective: Objective) -> bool:
    return any(has_optimizer(course, step, objective) for step in list(course.all_steps(state))[1:3])


def _of_one_parameter(course: Course, trial: Trial) -> Iterator[Mistake]:
    """Mistakes in the step of one parameter alone: no step, the wrong way, an old gradient, another's."""
    states = list(trial.explained)
    yield from _wrong_way(course, trial)
    for state, e in trial.explained.items():
        if e.kind == "still" and _should_move(course, trial, state) and not _is_stepped_by(course, trial, state):
            yield Mistake("parameter-never-updated", (state,))
        elif e.kind == "accumulates":
            yield Mistake("stale-gradient", (state,), detail={"sums": "all gradients so far", "at": e.total})
        elif e.kind == "other" and (share := _growth(course, trial, state)) is not None:
            yield Mistake("penalty-gradient-wrong", (state,), detail={"grows": share})
        elif not e.holds and e.kind not in ("flat", "few") and state.size > 1:
            alone = _of_one_sample(course, trial, state)
            late = course.explain(state, trial.gradients, trial.objective, lag=1)
            if late.holds and course.covers(state, late, trial.objective):
                yield Mistake("stale-gradient", (state,), detail={"lag": 1})
            elif alone is not None:
                yield Mistake("update-outside-loop", (state,), alone, alone.detail)
            elif _explains(course, trial, state, {v: np.swapaxes(g, -1, -2) for v, g in _square(state, trial)}):
                yield Mistake("transposed-gradient", (state,))
            elif not course.is_bias(state):
                for other in states:
                    if other is not state and other.size == state.size:
                        theirs = {
                            v: np.reshape(trial.gradients[w], course.nodes[v].value.shape)
                            for v, w in zip(state.versions, other.versions, strict=False)
                            if w in trial.gradients
                        }
                        if _explains(course, trial, state, theirs):
                            yield Mistake("wrong-layer-activation", (state,), detail={"gradient_of": other.name})
                            break


def _growth(course: Course, trial: Trial, state: State) -> float | None:
    """The share of itself by which a parameter grows in each step, where no loss has a penalty on it."""
    if penalties(course.roles, state, trial.gradients):
        return None
    return growth(course.steps(state, trial.gradients), course.nodes)


def _of_one_sample(course: Course, trial: Trial, state: State) -> Edit | None:
    """The last or first sample's part of a gradient, if a parameter's steps are made from that alone."""
    for edit in some_seeds(Anatomy(course.roles, {}, course.limit), trial.objective.seeds):
        counted = replace(trial.objective, seeds=list(edit.seeds or ()))
        if _explains(course, trial, state, course.gradient(counted, trial.overrides)):
            return edit
    return None


def _should_move(course: Course, trial: Trial, state: State) -> bool:
    """Whether a step as long as the others' would show among the digits of a parameter."""
    factors = [abs(c) for e in trial.explained.values() if e.holds for c in e.factors.values() if c]
    usual = float(np.median(factors)) if factors else 1e-3
    corners = at_kinks(Anatomy(course.roles, trial.gradients, course.limit), right=False)
    gradients = course.gradient(trial.objective, {**trial.overrides, **corners}) if corners else trial.gradients
    steps = course.steps(state, gradients)
    return any(usual * np.abs(s.gradient).max() > 1e-9 * np.abs(course.nodes[s.before].value).max() for s in steps)


def _is_stepped_by(course: Course, trial: Trial, state: State) -> bool:
    """Whether others take a state for their gradient, as what an autodiff engine adds up."""
    others = (s for s in trial.explained if s is not state)
    steps = (step for other in others for step in course.steps(other, trial.gradients, most=3))
    used = (gradient_used(course.roles, step) for step in steps)
    return any(course.roles.versions.get(course.roles.root(t)) is state for t in used if t is not None)


def _square(state: State, trial: Trial) -> Iterator[tuple[NodeId, Any]]:
    for v in state.versions:
        g = trial.gradients.get(v)
        if g is not None and g.ndim == 2 and g.shape[0] == g.shape[1] > 1:
            yield v, g


def _explains(course: Course, trial: Trial, state: State, gradients: Gradients) -> bool:
    return bool(gradients) and course.explain(state, gradients, trial.objective).holds
