"""The size of numbers and steps: overflow, targets out of reach, inputs of another size, steps too long or too few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Finding, Place
from byhand.diagnosis.judge.anatomy import Region
from byhand.diagnosis.judge.fits import Step, proportion
from byhand.diagnosis.judge.increments import numbers_of, rates
from byhand.diagnosis.judge.locate import call_beside, place_of, step_of
from byhand.diagnosis.judge.outcome import Outcome, body_of, call_of, ends, output_layer, where_set
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, Objective, made_of
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.judge.steps import Course, Gradients
from byhand.diagnosis.judge.written import where_written

_OUTSIDE = 0.05  # of the targets, or of the range
_TWO = 2  # classes
_MANY_LABELS = 8  # labels of which one is 0 not by chance
_LARGE = 8.0  # inputs of standard size stay below
_FARTHEST = 60  # nodes that a value is followed
_FEWEST = 4  # values of a loss whose rises tell something; steps
_VANISHED, _STILL_STEEP = 1e-5, 1e-2  # of the rate, and of the gradient, at the beginning
_RISES = 0.2  # of the steps
_FALLEN = 0.7  # of the loss at the beginning: with noise from sample to sample, and learning all the same
_LEARNT = 0.95  # of what there is to explain, or of the answers
_AS_A_CONSTANT = -0.05  # worse than the best constant answer is no estimate of the target
_HARDLY = 0.2  # of what there is to explain, or of the answers
_FALLS = 0.01  # of the loss, over the last tenth of the run


def without_number(outcome: Outcome) -> Iterator[Finding]:
    """Where a logarithm of 0 or infinity over infinity is met with parameters that are numbers still."""
    for sight in outcome.sights:
        for t, node in enumerate(sight.nodes):
            if node.value.dtype.kind != "f" or not node.parents() or np.isfinite(node.value).all():
                continue
            parents = [sight.nodes[a].value for a in node.parents()]
            if any(p.dtype.kind == "f" and np.isnan(p).any() for p in parents):
                break
            if node.op in ("log", "log2", "log10") and (parents[0] == 0).any() and sight.course.roles.rests_on[t]:
                zeros = int((parents[0] == 0).sum())
                steps = _steps_before(outcome, sight, t)
                message = (
                    f"{zeros} of the {parents[0].size} numbers that this logarithm gets are exactly 0: it gives −inf, "
                )
                message += "and the loss is no number."
                if _spoils(sight, t):
                    yield Finding(
                        "log-of-zero",
                        place_of(sight.course, t),
                        "exact",
                        message,
                        {"zeros": zeros, "steps_before": steps},
                    )
                    return
            if (
                node.op == "sqrt"
                and (parents[0] < 0).any()
                and any(sight.course.roles.flows[a] for a in node.parents())
            ):
                negative, made = int((parents[0] < 0).sum()), _unscaled(sight, node.parents()[0])
                text = f"A root is taken of this, and {negative} of its {parents[0].size} numbers are negative: "
                text += "it is no number, and nothing is that is made of it."
                evidence = {"negative": negative, "steps_before": _steps_before(outcome, sight, t)}
                yield Finding("root-of-negative", place_of(sight.course, made), "exact", text, evidence)
                return
            if node.op == "divide" and np.isnan(node.value).any():
                exp = _overflown(sight, t)
                if exp is not None:
                    largest = float(np.max(sight.nodes[sight.nodes[exp].parents()[0]].value))
                    steps = _steps_before(outcome, sight, t)
                    message = f"The largest exponent is {largest:.4g}: its exponential is inf, and inf / inf is nan."
                    yield Finding(
                        "softmax-overflow",
                        place_of(sight.course, exp),
                        "exact",
                        message,
                        {"largest": largest, "steps_before": steps},
                    )
                    return


def _steps_before(outcome: Outcome, sight: Sight, t: NodeId) -> int:
    """How many steps of a parameter were seen before a value."""
    earlier = outcome.sights[: outcome.sights.index(sight)]
    own = max((sum(v < t for v in s.versions[1:]) for s in sight.course.roles.states), default=0)
    return own + sum(max((len(s.versions) - 1 for s in e.course.roles.states), default=0) for e in earlier)


def _spoils(sight: Sight, t: NodeId) -> bool:
    """Whether a single number that is no number was made of a value."""
    waiting, seen = [t], {t}
    while waiting and len(seen) < _FARTHEST:
        for user in sight.course.roles.users.get(waiting.pop(0), ()):
            value = sight.nodes[user].value
            if user not in seen and value.dtype.kind == "f" and not np.isfinite(value).all():
                if value.size == 1:
                    return True
                seen.add(user)
                waiting.append(user)
    return False


def _unscaled(sight: Sight, t: NodeId) -> NodeId:
    """What a value is a multiple of, but for a little that was added."""
    while sight.nodes[t].op in ("multiply", "divide", "add"):
        large = [a for a in sight.nodes[t].parents() if sight.nodes[a].value.size > 1]
        if len(large) != 1:
            break
        t = large[0]
    return t


def _overflown(sight: Sight, t: NodeId) -> NodeId | None:
    """The exponential that became infinite, of a quotient."""
    waiting = [(t, 0)]
    while waiting:
        x, depth = waiting.pop(0)
        node = sight.nodes[x]
        if node.op == "exp" and np.isinf(node.value).any() and np.isfinite(sight.nodes[node.parents()[0]].value).all():
            return x
        if depth < 4:
            waiting += [(a, depth + 1) for a in node.parents()]
    return None


def not_to_be_reached(outcome: Outcome) -> Iterator[Finding]:
    """Targets that the output's activation can't give."""
    sight = outcome.first
    body = body_of(sight)
    layer = output_layer(sight, body) if body else []
    if body is None or not layer or outcome.pairs is None or outcome.has_no_number:
        return
    region = layer[0]
    limits = ends(body, region)
    if limits is None:
        return
    low, high = min(limits), max(limits)
    targets = outcome.pairs[1]
    outside = float(((targets < low - 1e-6) | (targets > high + 1e-6)).mean())
    if outside >= _OUTSIDE:
        message = f"{outside:.0%} of the targets lie outside what the output's activation can give: they go from "
        message += f"{targets.min():.4g} to {targets.max():.4g}, it from {low:.4g} to {high:.4g}."
        evidence = {"share": outside, "targets": [float(targets.min()), float(targets.max())], "range": [low, high]}
        yield Finding("target-outside-range", call_of(sight, body, region.a), "symptom", message, evidence)


def without_lowest_point(outcome: Outcome) -> Iterator[Finding]:
    """Two classes of which one has a target beyond the output's range, and errors sent back as a cross-entropy's are.

    However far the output goes, such a sample drives it on in the same direction: the loss falls without end.
    """
    sight = outcome.first
    met = [_met_behind(sight, t) for t in sight.errors] if sight.trial is not None and sight.trial.right else []
    known = [m for m in met if m is not None]
    if sight.body is None or not known or len(known) < len(met):
        return
    regions, *numbers = zip(*known, strict=True)
    errors, sent_back, targets = (np.concatenate([np.ravel(x) for x in found]) for found in numbers)
    classes, limits = np.unique(targets), ends(sight.body, regions[0])
    if len(classes) != _TWO or limits is None or (proportion(sent_back, errors, 1e-6) or 0.0) <= 0:
        return
    low, high = min(limits), max(limits)
    beyond = [y for y in classes if max(low - y, y - high) > _OUTSIDE * (high - low) > 0]
    if beyond:
        message = f"The targets are {classes[0]:.4g} and {classes[1]:.4g}, and the output lies between {low:.4g} and "
        message += f"{high:.4g}. What is sent back is their difference, which at a target of {beyond[0]:.4g} is never "
        message += "0: the loss has no lowest point."
        evidence = {"targets": classes.tolist(), "range": [low, high]}
        yield Finding("target-outside-range", place_of(sight.course, sight.errors[0]), "symptom", message, evidence)


def without_a_say(outcome: Outcome) -> Iterator[Finding]:
    """Scores that nothing but a label multiplies, and labels of which one is 0: no row of that class moves anything."""
    sight = outcome.first
    if sight.trial is None or sight.trial.objective.kind != "loss":
        return
    forward, met = sight.trial.gradients, dict[Place, list[NodeId]]()
    for t in forward:
        if _is_label_times_score(sight, t, forward):
            met.setdefault(place_of(sight.course, t), []).append(t)
    for place, nodes in met.items():
        one_pass = nodes[:1] if sight.value(nodes[0]).size > 1 else nodes  # row by row these are many
        labels = np.concatenate([_label_at(sight, t).ravel() for t in one_pass])
        classes = np.unique(labels)
        if len(labels) >= _MANY_LABELS and len(classes) == _TWO and 0 in classes:
            silent = int((labels == 0).sum())
            message = f"In {silent} of {len(labels)} rows the label is 0, and it multiplies the output: there the loss "
            message += "is the same whatever the output is, and the row gives no step."
            yield Finding("label-without-effect", place, "exact", message, {"rows": len(labels), "silent": silent})


def _label_at(sight: Sight, t: NodeId) -> Array:
    """What else a score is multiplied with."""
    others = [a for a in sight.nodes[t].args if type(a) is not int or not sight.course.roles.rests_on[a]]
    return np.asarray(sight.value(a) if type(a := others[0]) is int else a.value)  # type: ignore[union-attr]


def _is_label_times_score(sight: Sight, t: NodeId, forward: Gradients) -> bool:
    """Whether data multiply a sum of products of parameters, number by number, that goes nowhere else in the loss."""
    nodes, rests = sight.nodes, sight.course.roles.rests_on
    scores = [a for a in nodes[t].parents() if rests[a]]
    if nodes[t].op != "multiply" or len(nodes[t].args) != _TWO or len(scores) != 1 or sight.trial is None:
        return False
    [score] = scores
    is_sum = nodes[score].op in PRODUCTS | {"add", "sum"} and score not in sight.course.roles.versions
    whole = rests[sight.trial.objective.seeds[0]].bit_count()
    is_last = rests[t].bit_count() == whole  # no layer follows, as one does where units are dropped
    if not (is_sum and is_last):  # of a parameter the users are many
        return False
    users = [u for u in sight.course.roles.users.get(score, ()) if u in forward]
    shapes = {np.shape(_label_at(sight, t)), nodes[score].value.shape, nodes[t].value.shape}
    return users == [t] and len(shapes) == 1


def _met_behind(sight: Sight, t: NodeId) -> tuple[Region, Array, Array, Array] | None:
    """Of an output minus its target: the activation, the error, what is sent back behind it, and the target."""
    node, rests_on = sight.nodes[t], sight.course.roles.rests_on
    output = node.args[0] if node.op == "subtract" else None
    region = (
        sight.body.region_to(output) if sight.body is not None and type(output) is int and rests_on[output] else None
    )
    sent_back = sight.trial.gradients.get(region.z) if sight.trial is not None and region is not None else None
    if region is None or sent_back is None:
        return None
    target = node.args[1]
    number = sight.nodes[target].value if type(target) is int else target.value  # type: ignore[union-attr]
    return region, sight.value(t), sent_back, np.broadcast_to(number, node.value.shape).astype(float)


def unscaled(outcome: Outcome) -> Iterator[Finding]:
    """Inputs that are large, or of sizes unlike each other."""
    sight = outcome.first
    body = body_of(sight)
    for t in sorted(t for ts in body.products.values() for t in ts) if body else ():
        assert body is not None
        for a in sight.nodes[t].parents():
            data = body.roles.root(a)
            if sight.course.roles.rests_on[data] or data in sight.course.stop:
                continue
            data = _whole(sight, data)
            x = sight.value(data)
            if x.size < 3 or x.ndim > 2 or not np.isfinite(x).all():
                continue
            sizes = (
                np.sqrt((x**2).mean(axis=0))
                if x.ndim == 2 and x.shape[0] >= x.shape[1]
                else np.sqrt((x**2).mean(axis=-1, keepdims=True))
            )
            sizes = np.ravel(sizes)[np.ravel(sizes) > 0]
            if len(sizes) and sizes.max() > _LARGE:
                message = (
                    f"The inputs go from {x.min():.4g} to {x.max():.4g}: a step that is short enough for the largest "
                )
                message += "is too long or too short for all else."
                evidence = {"low": float(x.min()), "high": float(x.max()), "unlike": float(sizes.max() / sizes.min())}
                yield Finding("unscaled-data", place_of(sight.course, data), "symptom", message, evidence)
        return


def _whole(sight: Sight, t: NodeId) -> NodeId:
    """The array that a sample, a batch or a transpose was read from; not what columns were put together of."""
    while sight.nodes[t].op in ("getitem", "gather", "move", "item", "copy") and len(sight.nodes[t].parents()) == 1:
        t = sight.nodes[t].parents()[0]
    return t


def rate_too_high(outcome: Outcome) -> Iterator[Finding]:
    """The loss grows, becomes no number, or rises again and again on the same data."""
    curve = np.array(outcome.curve)
    if not outcome.grew:
        if len(curve) < _FEWEST or outcome.is_of_other_data:
            return
        rises = np.diff(curve) > 1e-3 * np.abs(curve[:-1])
        late = rises[len(rises) // 2 :]
        few = max(1, len(curve) // 10)
        has_fallen = np.median(curve[-few:]) < _FALLEN * np.median(curve[:few])
        if has_fallen or late.mean() < _RISES or np.ptp(curve[len(curve) // 2 :]) < np.median(np.abs(curve)):
            return
    rate = _rate(outcome.first)
    finite = curve[np.isfinite(curve)]
    last = f"{curve[-1]:.4g}" if np.isfinite(curve[-1]) else "no number"
    what = "loss" if outcome.has_loss else "squared error"
    message = f"The {what} starts at {curve[0]:.4g}, reaches {finite.max(initial=0):.4g}, "
    message += f"and is {last} where it was seen last: the steps go past the lowest point."
    evidence: dict[str, Any] = {"loss_start": float(curve[0]), "loss_highest": float(finite.max(initial=0))}
    place = Place(0)
    if rate is not None:
        place, value, name = rate
        evidence |= {"learning_rate": value, "rate_name": name}
    elif outcome.first.course.roles.states:
        place = _longest_step(outcome.first)
    yield Finding("learning-rate-too-high", place, "symptom", message, evidence)


def rate_vanishes(outcome: Outcome) -> Iterator[Finding]:
    """In the middle of the training already the steps are next to nothing, and the gradient is not."""
    middle = outcome.sights[-2:][0]
    first, later = _steps_of_largest(outcome.first, outcome.first), _steps_of_largest(middle, outcome.first)
    if len(first) < _FEWEST or not later or not first[0].gradient.any():
        return
    begin, then = first[0], later[len(later) // 2]
    usual, now = numbers_of(outcome.first.course.roles, begin), list(numbers_of(middle.course.roles, then))
    times = abs(np.prod([number for _, number in now]) / (np.prod([number for _, number in usual]) or 1.0))
    steep = float(np.linalg.norm(then.gradient) / np.linalg.norm(begin.gradient))
    computed = {a: abs(number) for a, number in now if a is not None and middle.nodes[a].op != "leaf"}
    if not computed or times > _VANISHED or steep < _STILL_STEEP:
        return
    at = min(computed, key=lambda a: computed[a])
    rate = float(middle.value(at))
    message = f"In the middle of the training the steps are {times:.2g} times as long as at its beginning, "
    message += f"for the gradient that they follow: this number is down to {rate:.2g}. The gradient is still "
    message += f"{steep:.2g} times what it was: the training stands still."
    evidence = {"learning_rate": rate, "times": float(times)}
    again = any(middle.nodes[t].site == middle.nodes[at].site for t in made_of(middle.nodes, at) - {at})
    place = call_beside(middle.course, at, then.after) if again else place_of(middle.course, at)  # else its formula's
    yield Finding("learning-rate-vanishes", place, "symptom", message, evidence)


def _steps_of_largest(sight: Sight, like: Sight) -> list[Step]:
    """The steps of a stretch's largest parameter, with the gradients of what another's are held against."""
    gradients = _gradients(sight, like)
    states = [s for s in sorted(sight.course.roles.states, key=lambda s: -s.size) if set(s.versions) & set(gradients)]
    whole = Course(sight.course.roles) if sight.course.mended is None else sight.course  # a search ends early
    return whole.steps(states[0], gradients) if states else []


def _gradients(sight: Sight, like: Sight) -> Gradients:
    """The gradients of an objective in the place of another's; nothing where there is none."""
    if like.trial is None or sight.trial is None:
        return {}
    wanted = like.trial.objective.kind, _place_of(like, like.trial.objective)
    if (sight.trial.objective.kind, _place_of(sight, sight.trial.objective)) == wanted:
        return sight.trial.gradients
    same = (o for o in sight.course.roles.objectives if (o.kind, _place_of(sight, o)) == wanted)
    return next((sight.course.gradient(o) for o in same), {})


def _place_of(sight: Sight, objective: Objective) -> tuple[object, ...]:
    node = sight.nodes[objective.seeds[0]]
    return node.op, node.line, node.file


def rate_too_low(outcome: Outcome) -> Iterator[Finding]:
    """The training goes the right way and gets nowhere."""
    rate = _rate(outcome.first)
    measured = [share for share in (outcome.explained, outcome.gained) if share is not None]
    if rate is None or not measured or max(measured) > _HARDLY or outcome.grew:
        return
    message = "Each step goes the right way, and after all of them the outputs are hardly better than one and the same "
    message += "answer for all. A copy with longer steps, and as many of them, learns it."
    place, value, _ = rate
    evidence = {"learning_rate": value, "share": max(measured)}
    yield Finding("learning-rate-too-low", place, "experiment", message, evidence)


def _rate(sight: Sight) -> tuple[Place, float, str] | None:
    """The lasting number that steps are multiplied by: where it is set, or stands, its value, and its name if any."""
    if sight.trial is None:
        return None
    for state in sorted(sight.trial.explained, key=lambda s: -s.size):
        for step in sight.course.steps(state, sight.trial.gradients, most=3):
            for (rate, product), value in rates(sight.course.roles, step).items():
                is_named = rate != product  # else it is written there, and no value of its own
                place = where_set(sight, rate) if is_named else _longest_step(sight)
                taken = place_of(sight.course, product)
                found = where_written(sight.trace.texts, value, taken) or place
                return found, value, sight.name_of(rate) if is_named else ""
    return None


def _longest_step(sight: Sight) -> Place:
    """Where the largest parameter takes its steps."""
    state = max(sight.course.roles.states, key=lambda s: s.size)
    return place_of(sight.course, step_of(sight.course, state))


def stopped_early(outcome: Outcome) -> Iterator[Finding]:
    """The loss still falls steadily when the training ends."""
    curve = np.array(outcome.curve)
    loops = [loop for loop in outcome.first.trace.tape.loops if loop.depth == 0 and loop.ticks > 1]
    if len(curve) < _FEWEST or not loops or not np.isfinite(curve).all():
        return
    measured = [share for share in (outcome.explained, outcome.gained) if share is not None]
    if not measured or max(measured) > _LEARNT or curve[-1] < 1e-3 * curve[0]:
        return  # how far the training has come is not known, or it has arrived
    if max(measured) < _AS_A_CONSTANT and curve[-1] < 0.5 * curve[0]:
        return  # the outputs are no estimates of the targets
    loop = max(loops, key=lambda found: found.ticks)
    few = max(1, len(curve) // 10)
    before, end = float(np.mean(curve[-2 * few : -few])), float(np.mean(curve[-few:]))
    earlier = float(np.mean(curve[-3 * few : -2 * few]))
    if max(end, curve[-1]) < (1 - _FALLS) * before and before < earlier and end < curve[0]:
        message = f"After {loop.ticks} epochs the loss is {curve[-1]:.4g} and "
        message += f"still falling: a tenth of the run before it was {before:.4g}."
        evidence = {"epochs": loop.ticks, "loss_before": before, "loss_end": float(curve[-1])}
        yield Finding("too-few-epochs", Place(loop.line, loop.file), "symptom", message, evidence)
