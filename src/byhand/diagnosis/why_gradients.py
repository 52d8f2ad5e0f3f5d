"""Hold each parameter's actual change in a step against the true gradient, and against each wrong variant of it.

The change of a parameter in one step of gradient descent is −η times its gradient. η is not known, nor the factor
of the loss, so what has to agree is the direction, to a relative 1e-6, and the factor from parameter to parameter.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from byhand._types import Array
from byhand.activations import ACTIVATIONS
from byhand.diagnosis.backward import TRUE_RULE, Pass, Rule, Variant
from byhand.diagnosis.recording import Recording
from byhand.diagnosis.variants import Place, gradients_of, likely_factors, variants
from byhand.diagnosis.why_network import Forward, Found, Layer, Update, activation_named

TOLERANCE = 1e-6
MAX_STEPS = 4
MAX_PAIR_SIZE = 4000  # numbers in batch and parameters up to which pairs of mistakes are tried


@dataclass
class Step:
    """One update of the parameters, and the forward passes that it may have been made from."""

    updates: dict[Place, Update]
    fresh: list[Forward]
    earlier: list[Forward]

    @property
    def start(self) -> int:
        """The event at which the first parameter began to change."""
        return min(u.t for u in self.updates.values())

    @property
    def end(self) -> int:
        """The event at which the last parameter had changed."""
        return max(u.t_end for u in self.updates.values())


def steps(found: Found) -> list[Step]:
    """The steps of a training: each parameter changes at most once in each."""
    groups: list[list[Update]] = []
    open_: list[Update] = []
    starts = sorted(f.end for f in found.forwards)
    for update in sorted(found.updates, key=lambda u: u.t):
        again = any(u.place == update.place for u in open_)
        if open_ and (again or _any_between(starts, max(u.t_end for u in open_), update.t)):
            groups.append(open_)
            open_ = []
        open_.append(update)
    if open_:
        groups.append(open_)
    result = []
    previous = -1
    for group in groups:
        begin = min(u.t for u in group)
        fresh = [f for f in found.forwards if previous < f.end <= begin]
        earlier = [f for f in found.forwards if f.end <= previous]
        result.append(Step({u.place: u for u in group}, fresh, earlier[-200:]))
        previous = max(u.t_end for u in group)
    return result


def _any_between(starts: list[int], low: int, high: int) -> bool:
    return bisect(starts, low) < bisect(starts, high)


@dataclass
class Batch:
    """One or more forward passes with the same parameters, as one."""

    layers: list[Layer]
    x: Array
    y: Array
    z: list[Array]
    a: list[Array]
    end: int
    start: int

    @classmethod
    def of(cls, passes: list[Forward]) -> Batch | None:
        """The passes put below each other; None if a target is missing."""
        if any(p.y is None for p in passes):
            return None
        depth = range(len(passes[0].layers))
        return cls(
            passes[-1].layers,
            np.concatenate([p.layers[0].x for p in passes]),
            np.concatenate([p.y for p in passes if p.y is not None]),
            [np.concatenate([p.layers[k].z for p in passes]) for k in depth],
            [np.concatenate([p.layers[k].a for p in passes]) for k in depth],
            max(p.end for p in passes),
            min(p.start for p in passes),
        )

    def as_pass(self, loss: str) -> Pass:
        """The same for the backward pass, with dL/dŷ up to a constant factor.

        Parameters
        ----------
        loss : str
            "squares", "absolute", or "cross-entropy", in which the derivative of sigmoid or softmax cancels.
        """
        names = [layer.activation for layer in self.layers]
        functions = [activation_named(name) for name in names]
        y_hat, y = self.a[-1], self.y
        error = y_hat - y
        z, a = list(self.z), list(self.a)
        if loss == "cross-entropy":
            functions[-1] = ACTIVATIONS["identity"]
        elif loss == "absolute":
            error = np.sign(error)
        elif names[-1].startswith("softmax"):
            error = y_hat * (error - (error * y_hat).sum(axis=1, keepdims=True))
        return Pass(
            self.x,
            y,
            tuple(layer.W for layer in self.layers),
            tuple(layer.b for layer in self.layers),
            tuple(z),
            tuple(a),
            tuple(functions),
            error,
        )


@dataclass
class Verdict:
    """What one step's changes are.

    Attributes
    ----------
    ids : tuple of str
        The mistakes, the most telling first; empty when the step is right.
    variants : tuple of Variant
    factors : dict
        For each parameter, its change divided by minus the (variant's) gradient, in units of the usual one.
    rate : float
        The learning rate times the loss's factor: what the change is divided by the gradient of Σ ½ (ŷ − y)².
    stale : bool
        Whether the forward pass was older than the parameters.
    loss : str
        Which loss's gradient it is.
    """

    ids: tuple[str, ...]
    variants: tuple[Variant, ...]
    factors: dict[Place, float]
    rate: float
    stale: bool
    loss: str
    step: Step
    batch: Batch
    places: tuple[Place, ...] = ()
    extra: str = ""


@dataclass
class Judgement:
    """The verdicts of several steps."""

    verdicts: list[Verdict] = field(default_factory=list)
    unexplained: list[Step] = field(default_factory=list)
    all_zero: int = 0
    n_steps: int = 0
    unexplained_places: dict[Place, int] = field(default_factory=dict)


def judge(found: Found, loss_kind: str | None) -> Judgement:
    """Hold the first steps, and some later ones, against the gradients."""
    all_steps = steps(found)
    judgement = Judgement(n_steps=len(all_steps))
    chosen = [s for s in all_steps if s.fresh or s.earlier]
    moving = []
    for s in chosen:
        if not all(np.abs(u.after).max(initial=0) < 1e60 for u in s.updates.values()):
            continue  # nothing can be told from numbers that overflow
        if any((u.after != u.before).any() for u in s.updates.values()):
            moving.append(s)
        else:
            judgement.all_zero += 1
    later = moving[len(moving) // 2 : len(moving) // 2 + 2]
    picked = moving[:MAX_STEPS] + [s for s in later if s not in moving[:MAX_STEPS]]
    for s in picked:
        at = all_steps.index(s)
        before = all_steps[at - 1] if at and not found.recording.has_gap(all_steps[at - 1].end, s.start) else None
        previous = {place: u.after - u.before for place, u in before.updates.items()} if before is not None else None
        verdict = _judge_step(found, s, loss_kind, previous, all_steps, pairs=not judgement.unexplained)
        if verdict is not None:
            judgement.verdicts.append(verdict)
        else:
            judgement.unexplained.append(s)
    _uphill_with_optimizer(judgement.verdicts)
    judgement.verdicts = _with_one_rate(found, judgement.verdicts, loss_kind)
    return judgement


def _with_one_rate(found: Found, verdicts: list[Verdict], loss_kind: str | None) -> list[Verdict]:
    """Steps of one sample with one output, whose rates only agree if a factor was lost that differs by sample.

    There a missing f′(z_out) is one factor of the whole gradient: each step by itself looks right.
    """
    alone = [v for v in verdicts if v.batch.y.size == 1]
    if len(alone) < 3 or len(alone) < len(verdicts) or any(v.ids or v.extra or not v.rate for v in verdicts):
        return verdicts
    if loss_kind != "squares" or _agree([v.rate for v in verdicts]):
        return verdicts
    for k in range(len(variants(verdicts[0].batch.as_pass("squares")))):
        wrong: list[Verdict] = []
        for v in verdicts:
            variant = variants(v.batch.as_pass("squares"))[k]
            matched = _match(found, v.step, v.batch, not v.stale, "squares", (variant,))
            if matched is None or matched.ids != (variant.id,):
                break
            wrong.append(matched)
        if len(wrong) == len(verdicts) and _agree([v.rate for v in wrong]):
            return wrong
    return verdicts


def _agree(rates: list[float]) -> bool:
    return max(rates) - min(rates) <= 1e-5 * max(map(abs, rates))


def _candidates(step: Step) -> Iterator[tuple[Batch, bool]]:
    """Batches that the step may have been made from, with whether they are fresh; the likeliest first."""
    seen = set()

    def offer(passes: list[Forward]) -> Iterator[tuple[Batch, bool]]:
        key = tuple(p.start for p in passes)
        if not passes or key in seen:
            return
        seen.add(key)
        batch = Batch.of(passes)
        if batch is not None:
            yield batch, _is_fresh(batch, step)

    if step.fresh:
        last = step.fresh[-1]
        same = [p for p in step.fresh if p.layers[0].x.shape == last.layers[0].x.shape]
        unique = _distinct(same)
        if len(last.layers[0].x) == 1:
            yield from offer(unique)
        yield from offer([last])
        for p in reversed(step.fresh[-4:-1]):
            yield from offer([p])
        yield from offer(unique)
    if step.earlier:
        last = step.earlier[-1]
        run = [p for p in step.earlier if _same_parameters(p, last)]
        for p in run[-64:]:
            yield from offer([p])
        yield from offer(run)
        yield from offer([step.earlier[0]])


def _distinct(passes: list[Forward]) -> list[Forward]:
    kept: list[Forward] = []
    keys = set()
    for p in passes:
        key = (p.layers[0].x.tobytes(), None if p.y is None else p.y.tobytes())
        if key not in keys or (len(p.layers[0].x) == 1 and len(passes) <= 4):
            keys.add(key)
            kept.append(p)
    return kept


def _same_parameters(p: Forward, q: Forward) -> bool:
    return all(np.array_equal(k.W, m.W) and np.array_equal(k.b, m.b) for k, m in zip(p.layers, q.layers, strict=True))


def _is_fresh(batch: Batch, step: Step) -> bool:
    """Whether the passes used the parameters as they were just before the step."""
    for (k, kind), update in step.updates.items():
        layer = batch.layers[k]
        before = layer.as_W(update.before) if kind == "W" else np.broadcast_to(update.before.ravel(), layer.b.shape)
        if not np.array_equal(before, layer.W if kind == "W" else layer.b):
            return False
    return True


def change(update: Update, layer: Layer) -> Array:
    """The parameter's change, in the shape of W (n_out, n_in) or b (n_out,)."""
    delta = update.after - update.before
    if update.place[1] == "W":
        return layer.as_W(delta)
    return delta.reshape(-1) if delta.size == len(layer.b) else np.full(layer.b.shape, np.nan)


def _tolerance(update: Update, found: Found) -> float:
    size = np.abs(update.after - update.before).max(initial=0.0)
    if not size or not np.isfinite(size):
        return TOLERANCE
    scale = max(np.abs(update.before).max(initial=0.0), np.abs(update.after).max(initial=0.0))
    epsilon = 6e-8 if _is_single(found, update) else 1.2e-16
    return max(TOLERANCE, 8 * epsilon * scale / size)


def _is_single(found: Found, update: Update) -> bool:
    return found.recording.kind(found.recording.value_id(update.t)).endswith("f4")


def _losses(batch: Batch, loss_kind: str | None) -> list[str]:
    """The losses whose gradient this may be, the likeliest first."""
    last = batch.layers[-1].activation
    cancels = last == "sigmoid" or last.startswith("softmax")
    if loss_kind == "cross-entropy":
        return ["cross-entropy", "squares"] if cancels else ["squares"]
    if loss_kind == "squares":
        return ["squares", "absolute"]
    if cancels:
        return ["squares", "cross-entropy", "absolute"]
    return ["squares", "absolute"]


def _judge_step(
    found: Found,
    step: Step,
    loss_kind: str | None,
    previous: dict[Place, Array] | None,
    all_steps: list[Step],
    *,
    pairs: bool,
) -> Verdict | None:
    candidates = list(_candidates(step))[:70]
    # Everything right?
    partly: list[Verdict] = []
    for batch, fresh in candidates:
        for loss in _losses(batch, loss_kind):
            verdict = _match(found, step, batch, fresh, loss, ())
            if verdict is not None:
                if not verdict.ids:
                    return verdict
                partly.append(verdict)
    whole = _whole_epoch(found, step, loss_kind, all_steps)
    if whole is not None and not whole.ids:
        return whole
    proportional = [v for v in partly if not v.stale]
    if proportional:
        return min(proportional, key=lambda v: len(v.ids))
    fresh_first = [c for c in candidates if c[1]][:3] + [c for c in candidates if not c[1]][:12]
    for batch, fresh in fresh_first[:1]:
        single = _single_mistake(found, step, batch, fresh, _losses(batch, loss_kind)[0]) if fresh else None
        if single is not None and len(single.ids) == 1:
            return single
    right = _right_with_optimizer(found, step, candidates[:6], loss_kind, previous)
    if right is not None:
        return right
    wrong = _wrong_with_optimizer(found, step, candidates[:2], loss_kind)
    if wrong is not None:
        return wrong
    if partly:
        simplest = min(partly, key=lambda v: (len(v.ids), v.stale))
        if len(simplest.ids) == 1:
            return simplest
    for batch, fresh in fresh_first:
        for loss in _losses(batch, loss_kind)[:2]:
            found_here = _single_mistake(found, step, batch, fresh, loss)
            if found_here is not None:
                partly.append(found_here)
                if len(found_here.ids) == 1 or fresh:
                    break
        if partly and min(len(v.ids) for v in partly) == 1:
            break
    if not partly and whole is not None:
        return whole
    if not partly and pairs:
        for batch, fresh in fresh_first[:2]:
            size = batch.x.size + sum(layer.W.size for layer in batch.layers)
            if size > MAX_PAIR_SIZE:
                continue
            pair = _pair_of_mistakes(found, step, batch, fresh, _losses(batch, loss_kind)[0])
            if pair is not None:
                partly.append(pair)
                break
    if partly:
        return min(partly, key=lambda v: (len(v.ids), v.stale, len(v.variants)))
    return None


def _whole_epoch(found: Found, step: Step, loss_kind: str | None, all_steps: list[Step]) -> Verdict | None:
    """Several updates from one round of forward passes: together they may be the step of the whole batch."""
    at = all_steps.index(step)
    first = at
    while first > 0 and not all_steps[first].fresh:
        first -= 1
    last = at
    while last + 1 < len(all_steps) and not all_steps[last + 1].fresh:
        last += 1
    if first == last:
        return None
    group = all_steps[first : last + 1]
    if _repeats(group):
        return None
    joined: dict[Place, Update] = {}
    for s in group:
        for place, u in s.updates.items():
            joined[place] = replace(joined[place], after=u.after, t_end=u.t_end) if place in joined else u
    whole = Step(joined, group[0].fresh, group[0].earlier)
    for batch, fresh in list(_candidates(whole))[:4]:
        for loss in _losses(batch, loss_kind):
            verdict = _match(found, whole, batch, fresh, loss, ())
            if verdict is not None:
                return verdict
    return None


def _repeats(group: list[Step]) -> bool:
    """Whether the same step is made again and again: no parts of one step, but an old gradient."""
    first, second = group[0], group[1]
    for place, update in first.updates.items():
        other = second.updates.get(place)
        if other is not None and update.before.size > 2 and (update.after != update.before).any():
            a, b = update.after - update.before, other.after - other.before
            return bool(np.abs(a - b).max() <= 1e-6 * np.abs(a).max())
    return False


def _own_variants(p: Pass, step: Step, batch: Batch) -> list[Variant]:
    """Those that need to know the step: the weights after their update, at each layer or all."""
    after = {k: batch.layers[k].as_W(u.after) for (k, kind), u in step.updates.items() if kind == "W" and k > 0}
    before = {
        k: batch.layers[k].as_W(u.before)
        for (k, kind), u in step.updates.items()
        if kind == "W" and k > 0 and not np.array_equal(batch.layers[k].as_W(u.before), batch.layers[k].W)
    }
    stale = [
        Variant(
            "stale-gradient",
            "hidden layer",
            "all values from one forward pass with the present parameters",
            "errors and outputs of an old forward pass, sent back through the present W_out",
            lambda rule: rule.with_step(send_back=lambda p, s: s.delta @ before.get(s.layer, p.W[s.layer])),
        )
    ]
    if not after:
        return []
    return [
        *(stale if before else []),
        Variant(
            "updated-weights-used",
            "hidden layer",
            "δ_hidden = (δ_out W_out) ⊙ f′(z_hidden), with the W_out of the forward pass",
            "δ_out · W_out after its update",
            lambda rule: rule.with_step(send_back=lambda p, s: s.delta @ after.get(s.layer, p.W[s.layer])),
        ),
    ]


def _rule(chosen: tuple[Variant, ...]) -> Rule:
    rule = TRUE_RULE
    for variant in chosen:
        rule = variant.change(rule)
    return rule


def _factor(delta: Array, gradient: Array, tolerance: float) -> float | None:
    """c with delta = −c · gradient; 0 if nothing changed; None if there is none."""
    if delta.shape != gradient.shape or not np.isfinite(delta).all() or not np.isfinite(gradient).all():
        return None
    if not delta.any():
        return 0.0
    square = float((gradient * gradient).sum())
    if not square:
        return None
    c = -float((delta * gradient).sum()) / square
    size = max(np.abs(delta).max(), abs(c) * np.abs(gradient).max())
    return c if np.abs(delta + c * gradient).max() <= tolerance * size else None


def _match(
    found: Found, step: Step, batch: Batch, fresh: bool, loss: str, chosen: tuple[Variant, ...]
) -> Verdict | None:
    p = batch.as_pass(loss)
    with np.errstate(all="ignore"):
        try:
            expected = gradients_of(_rule(chosen), p)
        except (ValueError, IndexError):
            return None
    if expected is None:
        return None
    return _compare(found, step, batch, fresh, loss, chosen, expected, p)


def _compare(
    found: Found,
    step: Step,
    batch: Batch,
    fresh: bool,
    loss: str,
    chosen: tuple[Variant, ...],
    expected: dict[Place, Array],
    p: Pass,
) -> Verdict | None:
    factors: dict[Place, float] = {}
    telling: list[float] = []
    for place, update in step.updates.items():
        delta = change(update, batch.layers[place[0]])
        gradient = expected[place]
        if not delta.any() and np.abs(gradient).max(initial=0.0) < 1e-300:
            continue
        factor = _factor(delta, gradient, _tolerance(update, found))
        if factor is None:
            return None
        factors[place] = factor
        if delta.size > 1 and factor:
            telling.append(factor)
    if not factors or not any(factors.values()):
        return None
    if not telling:
        telling = [f for f in factors.values() if f]
        # Single numbers always have some factor: two or more have to agree.
        if len(telling) < 2 or not _near(max(telling), min(telling)):
            return None
    unit = _unit(telling, found, step)
    ratios = {place: factor / abs(unit) for place, factor in factors.items()}
    likely = likely_factors(p)
    for place, ratio in ratios.items():
        size = expected[place].size
        if size == 1 and not _near(abs(ratio), 1) and ratio and not any(_near(abs(ratio), c) for c in likely):
            return None
    ids, places = _ids(chosen, ratios, p, found, step)
    if not fresh:
        ids = (*ids, "stale-gradient")
    return Verdict(ids, chosen, ratios, unit, not fresh, loss, step, batch, places)


def _near(a: float, b: float, tolerance: float = 1e-5) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b))


def _unit(telling: list[float], found: Found, step: Step) -> float:
    """The factor that most parameters share; of equally many, that of the weights of the last layer."""
    best, votes = telling[-1], 0
    for f in telling:
        n = sum(_near(abs(f), abs(g)) for g in telling)
        if n > votes:
            best, votes = f, n
    positive = [f for f in telling if f > 0]
    return abs(best) if positive else -abs(best)


def _ids(
    chosen: tuple[Variant, ...], ratios: dict[Place, float], p: Pass, found: Found, step: Step
) -> tuple[tuple[str, ...], tuple[Place, ...]]:
    ids = [variant.id for variant in chosen]
    places: list[Place] = []
    still = [place for place, ratio in ratios.items() if ratio == 0]
    off = {place: ratio for place, ratio in ratios.items() if ratio and not _near(ratio, 1)}
    if all(ratio < 0 for ratio in ratios.values() if ratio):
        ids.append("sign-flipped")
        places += list(ratios)
        off = {place: ratio for place, ratio in off.items() if not _near(abs(ratio), 1)}
    elif any(ratio < 0 for ratio in off.values()):
        ids.append("sign-flipped")
        places += [place for place, ratio in off.items() if ratio < 0]
        off = {place: ratio for place, ratio in off.items() if ratio > 0}
    off = {place: ratio for place, ratio in off.items() if not _has_own_rate(place, ratio, found, step)}
    if chosen:  # a wrong formula commonly loses the factor 2 of the square besides
        off = {place: ratio for place, ratio in off.items() if not any(_near(ratio, c) for c in (0.5, 2.0))}
    if off:
        n, k = p.y.shape
        counts = {c for c in (n, n * k, k) if c > 2}
        counts |= {1 / c for c in counts}
        kinds = {
            "sum-versus-mean" if any(_near(abs(ratio), c) for c in counts) else "constant-factor"
            for ratio in off.values()
        }
        if all(kind == "b" for _, kind in off):
            ids.append("bias-gradient-wrong")
        ids += sorted(kinds, reverse=True)
        places += list(off)
    if still:
        ids.append("parameter-never-updated")
        places += still
    return tuple(dict.fromkeys(ids)), tuple(places)


def _has_own_rate(place: Place, ratio: float, found: Found, step: Step) -> bool:
    """Whether the script gives this parameter a learning rate of its own: another number stands in its update."""
    r = found.recording

    def numbers(update: Update) -> set[float]:
        low = max(0, update.t - 12)
        held = set()
        for t in range(low, update.t + 1):
            value = r.value(t)
            site = r.site(t)
            if site["kind"] == "load" and value is not None and value.ndim == 0 and site["line"] == update.line:
                held.add(float(value))
        return held

    own = numbers(step.updates[place])
    for other, update in step.updates.items():
        if other != place and update.line != step.updates[place].line:
            for a in own:
                for b in numbers(update):
                    if b and a != b and _near(a / b, abs(ratio)):
                        return True
    return False


def _right_with_optimizer(
    found: Found,
    step: Step,
    candidates: list[tuple[Batch, bool]],
    loss_kind: str | None,
    previous: dict[Place, Array] | None,
) -> Verdict | None:
    """Momentum, weight decay, Adam and the like: the step is not along the gradient, but made from the right one."""
    for batch, fresh in candidates:
        values = _values_between(found.recording, batch.end, step.end)
        for loss in _losses(batch, loss_kind):
            p = batch.as_pass(loss)
            expected = gradients_of(TRUE_RULE, p)
            assert expected is not None
            fits = {}
            for place, update in step.updates.items():
                layer = batch.layers[place[0]]
                delta = change(update, layer)
                gradient = expected[place]
                fits[place] = _in_span(delta, gradient, update, layer, previous) or _computed(
                    values, gradient, place, layer, p
                )
            if fits and all(fits.values()):
                if previous and not fresh:
                    continue
                if previous and _accumulates(step, batch, expected, previous):
                    return Verdict(
                        ("stale-gradient",), (), {}, 0.0, False, loss, step, batch, tuple(step.updates), "accumulated"
                    )
                return Verdict((), (), {}, 0.0, not fresh, loss, step, batch, (), "optimizer")
    return None


def _accumulates(step: Step, batch: Batch, expected: dict[Place, Array], previous: dict[Place, Array]) -> bool:
    """Whether each step is the one before plus a new gradient: sums that are never set to zero."""
    hits = 0
    for place, update in step.updates.items():
        layer = batch.layers[place[0]]
        if place not in previous or not previous[place].any():
            continue
        old = layer.as_W(previous[place]) if place[1] == "W" else previous[place].reshape(-1)
        new = change(update, layer) - old
        if new.size > 2 and _factor(new, expected[place], 1e-6) not in (None, 0.0):
            hits += 1
    return hits >= 1


def _in_span(delta: Array, gradient: Array, update: Update, layer: Layer, previous: dict[Place, Array] | None) -> bool:
    """Whether the change is a combination of the gradient, the parameter itself and the change before."""
    columns = [gradient.ravel()]
    before = layer.as_W(update.before) if update.place[1] == "W" else update.before.reshape(-1)
    columns.append(before.ravel())
    if previous and update.place in previous:
        old = previous[update.place]
        columns.append((layer.as_W(old) if update.place[1] == "W" else old.reshape(-1)).ravel())
    if delta.size <= len(columns) + 1 or before.size != delta.size or not np.isfinite(delta).all():
        return False
    A = np.column_stack(columns)
    solution = np.linalg.lstsq(A, delta.ravel(), rcond=None)[0]
    # down the gradient by a part of the step that counts; weights that decay; momentum below 1
    counts = -solution[0] * np.abs(gradient).max() > 1e-4 * np.abs(delta).max()
    if not counts or not -0.5 <= solution[1] <= 1e-9 or (len(solution) > 2 and not -1e-9 <= solution[2] <= 1):
        return False
    return bool(np.abs(A @ solution - delta.ravel()).max() <= 1e-6 * np.abs(delta).max())


def _values_between(r: Recording, start: int, end: int) -> dict[int, list[Array]]:
    """The values computed between the forward pass and the update, by their size."""
    found: dict[int, list[Array]] = {}
    for number in dict.fromkeys(r.value_id(t) for t in range(start, min(end + 1, start + 4000))):
        value = r.held(number)
        if value is not None and value.any():
            found.setdefault(value.size, []).append(value)
    return found


def _computed(values: dict[int, list[Array]], gradient: Array, place: Place, layer: Layer, p: Pass) -> bool:
    """Whether the gradient itself, up to a positive factor, was among the values computed before the update."""
    likely = likely_factors(p)
    for value in values.get(gradient.size, ()):
        shaped = layer.as_W(value) if place[1] == "W" else value.reshape(-1)
        factor = _factor(-shaped, gradient, 1e-6)
        if factor is not None and factor > 0 and (gradient.size > 1 or any(_near(factor, c) for c in likely)):
            return True
    return False


def _wrong_with_optimizer(
    found: Found, step: Step, candidates: list[tuple[Batch, bool]], loss_kind: str | None
) -> Verdict | None:
    """A step that an optimizer made from a wrong gradient: all parameters' wrong gradients were computed before it."""
    for batch, fresh in candidates:
        if not fresh:
            continue
        values = _values_between(found.recording, batch.end, step.end)
        loss = _losses(batch, loss_kind)[0]
        p = batch.as_pass(loss)
        right = gradients_of(TRUE_RULE, p) or {}

        def fits(gradient: Array, place: Place, values: Any = values, batch: Batch = batch, p: Pass = p) -> bool:
            return _computed(values, gradient, place, batch.layers[place[0]], p)

        if not all(place in right for place in step.updates):
            continue
        missing = [place for place in step.updates if not fits(right[place], place)]
        if not missing or len(missing) == len(step.updates):
            continue
        for variant in variants(p):
            with np.errstate(all="ignore"):
                wrong = gradients_of(_rule((variant,)), p)
            if wrong is not None and all(fits(wrong[place], place) for place in missing):
                return Verdict(
                    (variant.id,), (variant,), {}, 0.0, False, loss, step, batch, tuple(missing), "optimizer"
                )
    return None


def _uphill_with_optimizer(verdicts: list[Verdict]) -> None:
    """Right gradients, and parameters that go up them in every step: the sign of the update is wrong."""
    if len(verdicts) < 3 or any(v.extra != "optimizer" or v.ids for v in verdicts):
        return
    uphill: set[Place] | None = None
    for v in verdicts:
        gradients = gradients_of(TRUE_RULE, v.batch.as_pass(v.loss)) or {}
        here = set()
        for place, update in v.step.updates.items():
            delta, gradient = change(update, v.batch.layers[place[0]]), gradients[place]
            if (delta * gradient).sum() > 0.1 * np.linalg.norm(delta) * np.linalg.norm(gradient) > 0:
                here.add(place)
        uphill = here if uphill is None else uphill & here
    if uphill:
        for v in verdicts:
            v.ids, v.places = ("sign-flipped",), tuple(sorted(uphill))


def _single_mistake(found: Found, step: Step, batch: Batch, fresh: bool, loss: str) -> Verdict | None:
    p = batch.as_pass(loss)
    best: Verdict | None = None
    for variant in [*_own_variants(p, step, batch), *variants(p)]:
        verdict = _match(found, step, batch, fresh, loss, (variant,))
        if verdict is not None and (best is None or len(verdict.ids) < len(best.ids)):
            best = verdict
            if len(verdict.ids) == 1:
                break
    return best


def _pair_of_mistakes(found: Found, step: Step, batch: Batch, fresh: bool, loss: str) -> Verdict | None:
    """Two mistakes at once: each must explain at least one parameter that the other does not."""
    p = batch.as_pass(loss)
    singles = [*_own_variants(p, step, batch), *variants(p)]
    kept: list[Variant] = []
    prints: set[bytes] = set()
    with np.errstate(all="ignore"):
        for variant in singles:
            gradients = gradients_of(_rule((variant,)), p)
            if gradients is None:
                continue
            key = b"".join(np.round(g, 12).tobytes() for g in gradients.values())
            if key not in prints:
                prints.add(key)
                kept.append(variant)
    best: Verdict | None = None
    for chosen in combinations(kept, 2):
        if chosen[0].id == chosen[1].id and chosen[0].where == chosen[1].where:
            continue
        verdict = _match(found, step, batch, fresh, loss, chosen)
        if verdict is not None and (best is None or len(verdict.ids) < len(best.ids)):
            best = verdict
            if len(verdict.ids) <= 2:
                break
    return best
