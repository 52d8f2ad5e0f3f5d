"""Whether a training works: its outputs and its loss, against what no training would give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from byhand._types import Array
from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge.anatomy import Anatomy, Region
from byhand.diagnosis.judge.locate import place_of
from byhand.diagnosis.judge.roles import NodeId, Objective, made_of
from byhand.diagnosis.judge.sight import Sight
from byhand.diagnosis.tape.derive import Unknown

_EXPLAINED, _GAINED = 0.5, 0.55  # of what lies between the best constant answer and a perfect one
_LAST = 3
_SEVERAL, _CLEARLY, _BEYOND_CHANCE = 4, 2, 1000  # values of a loss, and how much larger the last is than the first
_KEEPS = {"getitem", "gather", "item", "move", "copy", "setitem", "scatter", "stack"}


class Outcome:
    """What came of a run: the last stretches' outputs beside their targets, and the loss from start to end."""

    def __init__(self, first: Sight, sights: Sequence[Sight]) -> None:
        self.first, self.sights, self.last = first, list(sights), sights[-1]

    @cached_property
    def pairs(self) -> tuple[Array, Array] | None:
        """Outputs and targets of the last stretches, a row a sample; None where they were not seen."""
        found = [pair for sight in self.sights[-_LAST:] for pair in _pairs(sight)]
        if not found:
            return None
        width = found[-1][0].shape[1]
        found = [pair for pair in found if pair[0].shape[1] == width]
        return np.concatenate([o for o, _ in found]), np.concatenate([t for _, t in found])

    @cached_property
    def saw_the_end(self) -> bool:
        """Whether the last turns of an outermost loop were recorded, so that the last outputs are those of the end."""
        tape = self.first.trace.tape
        recorded = [w.ticks for w in tape.windows]
        ends = {loop: max(ticks[loop][1] for ticks in recorded if loop in ticks) for loop in self.first.ticks}
        return all(end == tape.loops[loop].ticks for loop, end in ends.items() if tape.loops[loop].depth == 0)

    @cached_property
    def curve(self) -> list[float]:
        """The script's own loss over the run, or the mean squared error where it has none."""
        if not self.has_loss:
            found = [pair for sight in self.sights for pair in _pairs(sight)]
            return [float(((output - target) ** 2).mean()) for output, target in found]
        kept, _ = self.first.losses
        if len(self.sights) == 1 or (len(kept) and kept[-1] != _last_of(self.first)):
            return kept
        mine = _computed_at(self.first)
        return [v for sight in self.sights if _computed_at(sight) == mine for v in own_losses(sight)]

    @cached_property
    def is_of_other_data(self) -> bool:
        """Whether the loss is of other data each time: then it rises and falls with that, too."""
        seeds = self.first.trial.objective.seeds[:2] if self.first.trial is not None else []
        return len({frozenset(_data(self.first, t)) for t in seeds}) > 1

    @property
    def has_loss(self) -> bool:
        """Whether the script computes a loss of its own that its steps are held against."""
        return bool(own_losses(self.first))

    @cached_property
    def explained(self) -> float | None:
        """One minus the squared error over that of the best constant answer; nan where an output is no number."""
        if self.pairs is None:
            return None
        outputs, targets = self.pairs
        spread = float(((targets - targets.mean(axis=0)) ** 2).sum())
        return 1 - float(((outputs - targets) ** 2).sum()) / spread if spread else None

    @cached_property
    def gained(self) -> float | None:
        """The share right above the most frequent class's, of what can be gained; None if there are no classes."""
        if self.pairs is None:
            return None
        outputs, targets = self.pairs
        values = np.unique(targets)
        if len(values) != 2:
            return None
        if targets.shape[1] > 1 and (targets.argmax(axis=1) == targets.argmin(axis=1)).any():
            return None
        if targets.shape[1] > 1 and np.allclose(targets.sum(axis=1), values.sum() + (targets.shape[1] - 2) * values[0]):
            right, classes = (outputs.argmax(axis=1) == targets.argmax(axis=1)), targets.argmax(axis=1)
        else:
            middle = values.mean()
            right, classes = ((outputs > middle) == (targets > middle)).ravel(), (targets > middle).ravel()
        usual = np.bincount(classes.astype(int)).max() / len(classes)
        return float((right.mean() - usual) / (1 - usual)) if usual < 1 else None

    @property
    def has_no_number(self) -> bool:
        """Whether the loss or an output became inf or nan."""
        return not np.isfinite(self.curve).all() or (self.pairs is not None and not np.isfinite(self.pairs[0]).all())

    @property
    def grew(self) -> bool:
        """Whether the training ended clearly worse than it began."""
        curve = np.array(self.curve)
        if len(curve) < 2:
            return False
        few = max(1, len(curve) // 10)
        times = _CLEARLY if len(curve) >= _SEVERAL else _BEYOND_CHANCE
        return bool(self.has_no_number or np.median(curve[-few:]) > times * np.abs(curve[:few]).max())

    @property
    def works(self) -> bool:
        """Whether it has learned; also said where it can't be measured and the loss fell to less than half."""
        if self.pairs is not None and not np.isfinite(self.pairs[0]).all():
            return False
        if self.first.course.roles.rewards:  # what was drawn from an output is no target that it should reach
            return True
        if self.explained is None and self.gained is None:
            curve = self.curve
            return not curve or bool(abs(curve[-1]) < 0.5 * abs(curve[0]))
        return (self.explained or 0) >= _EXPLAINED or (self.gained or 0) >= _GAINED


def _data(sight: Sight, t: NodeId) -> Iterator[bytes]:
    """The numbers beside the parameters that a value was made of."""
    made = made_of(sight.nodes, t, farthest=len(sight.nodes), closed=sight.course.stop)
    found = (sight.nodes[x] for x in made)
    yield from (node.value.tobytes() for node in found if node.op == "leaf" or node.op in _KEEPS)


def objective_of(sight: Sight) -> Objective | None:
    """What the steps of a stretch are held against, also where it moves nothing."""
    if sight.trial is not None:
        return sight.trial.objective
    return next(iter(sight.course.roles.objectives), None)


def body_of(sight: Sight) -> Anatomy | None:
    """The forward pass, also where it moves nothing."""
    objective = objective_of(sight)
    if sight.body is not None or objective is None:
        return sight.body
    return Anatomy(sight.course.roles, sight.course.gradient(objective), len(sight.nodes))


def hidden_layers(sight: Sight, body: Anatomy) -> Iterator[list[Region]]:
    """The activations with something behind them, from the input on."""
    most = max((body.roles.rests_on[t].bit_count() for t in body.reached), default=0)
    ordered = sorted(body.regions.items(), key=lambda item: item[1][0].a)
    yield from (regions for key, regions in ordered if key[1] < most)


def output_layer(sight: Sight, body: Anatomy) -> list[Region]:
    """The activation that gives what is compared with the targets; empty if there is none."""
    compared = _kept_from(sight, [t for t, _, _ in _compared(sight)])
    for regions in body.regions.values():
        found = [r for r in regions if r.a in compared]
        if found:
            return found
    return [] if compared or body.output is None else body.regions[body.output]


def units(sight: Sight, nodes: Sequence[NodeId]) -> Array | None:
    """The values of a layer, a row a sample and a column a unit; None where a value is a single number."""
    samples = samples_of(sight)
    rows = []
    for t in nodes:
        value = sight.value(t)
        if value.size < 2 or value.ndim > 2 or (value.ndim == 1 and value.size == samples):
            return None
        if value.ndim == 1:
            value = value[None, :]
        elif value.shape[0] != samples and (value.shape[1] == samples or value.shape[1] == 1):
            value = value.T
        rows.append(value)
    return np.concatenate(rows) if len({row.shape[1] for row in rows}) == 1 else None


def slopes(body: Anatomy, region: Region, shift: float = 0.0) -> Array | None:
    """The activation's slope at its inputs, moved by a shift; None where it can't be computed."""
    try:
        return body.slope(region, body.nodes[region.z].value + shift)
    except (Unknown, ValueError, TypeError):
        return None


def ends(body: Anatomy, region: Region) -> tuple[float, float] | None:
    """What an activation gives far out to the left and to the right; None where it can't be computed."""
    if not body.is_elementwise(region):
        return None
    z = np.ones_like(body.nodes[region.z].value, dtype=float)
    try:
        left, right = (float(np.ravel(body.replay(region, x * z))[0].round(12)) for x in (-500.0, 500.0))
    except (Unknown, ValueError, TypeError):
        return None
    return (left, right) if np.isfinite([left, right]).all() else None


def _kept_from(sight: Sight, waiting: list[NodeId]) -> set[NodeId]:
    """The values that were put into arrays, or picked from them, to give some values."""
    seen = set(waiting)
    while waiting:
        node = sight.nodes[waiting.pop()]
        new = [a for a in node.parents() if a not in seen] if node.op in _KEEPS else []
        seen |= set(new)
        waiting += new
    return seen


def where_set(sight: Sight, t: NodeId) -> Place:
    """Where a number or an array got its name, if it was made before it was first used; else where it was made."""
    node = sight.nodes[t]
    state = sight.course.roles.versions.get(t)
    name = sight.name_of(t) or (state.name if state is not None else "")
    texts = sight.trace.targets
    for file in dict.fromkeys((node.file, *texts)) if node.op == "leaf" and name else ():
        named = [line for line, text in texts.get(file, {}).items() if text == name]
        before = [line for line in named if line <= node.line]
        if lines := before or ([] if "born" in node.kw else named):
            return Place(min(lines), file)
    return Place(*node.kw["born"]) if "born" in node.kw else place_of(sight.course, t)


def call_of(sight: Sight, body: Anatomy, a: NodeId) -> Place:
    """The line of an activation; of its call where several layers share its line."""
    frames, line = list(sight.nodes[a].site)[1:], sight.nodes[a].line
    others = [sight.nodes[r[0].a] for r in body.regions.values() if r[0].a != a]
    shared = [n for n in others if (n.line, n.file) == (line, sight.nodes[a].file)]
    for k, frame in enumerate(frames):
        if k and any(n.site[k + 1 : k + 2] != (frame,) for n in shared):
            return Place(frame[1], frame[0])
    return place_of(sight.course, a)


def samples_of(sight: Sight) -> int:
    """How many samples one output holds."""
    return next((len(output) for output, _ in _pairs(sight)), sight.at_once or 1)


def _compared(sight: Sight) -> Iterator[tuple[NodeId, Array, Array]]:
    """Where outputs meet targets: the output's node, the output and the target."""
    roles = sight.course.roles
    errors = [sight.errors, *(o.seeds for o in roles.objectives if o.kind == "error")]
    for seeds in errors:
        found = [one for t in seeds if (one := _meeting(sight, t)) is not None]
        if found:
            yield from found
            return


def _meeting(sight: Sight, t: NodeId) -> tuple[NodeId, Array, Array] | None:
    node, rests_on = sight.nodes[t], sight.course.roles.rests_on
    if node.op != "subtract" or len(node.parents()) != 2:
        return None
    output, target = sorted(node.parents(), key=lambda a: rests_on[a] == 0)
    known = sight.nodes[target]
    if rests_on[target] or known.value.size != sight.nodes[output].value.size or known.kw.get("made") == "constant":
        return None
    return output, sight.value(output), sight.value(target)


def _pairs(sight: Sight) -> Iterator[tuple[Array, Array]]:
    for _, output, target in _compared(sight):
        output, target = np.broadcast_arrays(output, target.reshape(output.shape))
        if output.ndim > 2:
            continue
        if output.ndim < 2:
            shape = (1, -1) if (sight.at_once or 1) == 1 else (-1, 1)
            output, target = output.reshape(shape), target.reshape(shape)
        elif output.shape[0] < output.shape[1]:
            output, target = output.T, target.T
        yield output, target


def own_losses(sight: Sight) -> list[float]:
    """The values of the script's own loss in a stretch; empty if it has none."""
    objective = objective_of(sight)
    if objective is None or objective.kind != "loss":
        return []
    return [float(sight.nodes[t].value.ravel()[0]) for t in objective.seeds]


def _computed_at(sight: Sight) -> tuple[object, ...]:
    """Where a stretch's objective is computed: the mean of a loss is another number than each of its summands."""
    objective = objective_of(sight)
    node = sight.nodes[objective.seeds[0]] if objective is not None else None
    return () if node is None else (node.op, node.line, node.file)


def _last_of(sight: Sight) -> float | None:
    return next(iter(own_losses(sight)[-1:]), None)
