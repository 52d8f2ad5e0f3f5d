"""Find the network in a recording: by their values, which arrays are inputs, targets, parameters and outputs.

Names play no part. A parameter is what an update changes and a product uses; a layer is a product of a parameter
with data, or with the layer before; its activation is the function that turns the one recorded value into the
other; a target is what the output is subtracted from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from byhand._types import Array
from byhand.activations import ACTIVATIONS, Activation, softmax
from byhand.diagnosis.recording import Recording, Slot, Values
from byhand.diagnosis.variants import Place

STEPS = {("op", "Sub"), ("op", "Add"), ("call", "subtract"), ("call", "add")}
VIEWS = {
    "T",
    "transpose",
    ".transpose",
    "reshape",
    ".reshape",
    ".ravel",
    "ravel",
    ".flatten",
    ".copy",
    "array",
    "asarray",
}
DOTS = {"MatMult", "dot", "matmul", ".dot", "inner", "einsum", "tensordot", ".matmul"}
LOOKAHEAD = 160


def _leaky(slope: float) -> Activation:
    return Activation(
        f"leaky_relu({slope:g})",
        lambda z: np.where(z > 0, z, slope * z),
        lambda z, a: np.where(z > 0, 1.0, slope),
    )


def _over_samples(e: Array) -> Array:
    return e / e.sum(axis=0, keepdims=True)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    **{name: ACTIVATIONS[name].function for name in ("sigmoid", "tanh", "relu")},
    "softmax": softmax,
    "softmax over samples": lambda z: softmax(z.T).T,
    "softmax over everything": lambda z: softmax(z.reshape(1, -1)).reshape(z.shape),
    "softmax over samples, shifted": lambda z: _over_samples(np.exp(z - z.max(axis=1, keepdims=True))),
    "leaky_relu": ACTIVATIONS["leaky_relu"].function,
    **{name: ACTIVATIONS[name].function for name in ("softplus", "elu", "silu", "gelu")},
    "leaky_relu(0.1)": lambda z: np.where(z > 0, z, 0.1 * z),
    "leaky_relu(0.2)": lambda z: np.where(z > 0, z, 0.2 * z),
}


def _most_seen(layers: list[Layer]) -> str:
    """The activation that most of these evaluations of one layer show; identity if most show none."""
    finite = [layer for layer in layers if np.isfinite(layer.z).all()] or layers
    votes = Counter(layer.activation for layer in finite if layer.seen_a)
    if not votes:
        return "identity"
    name, count = votes.most_common(1)[0]
    telling = 0
    with np.errstate(all="ignore"):
        for layer in finite:
            value = FUNCTIONS[name](layer.z)
            telling += bool(np.abs(value - layer.z).max() > 1e-5 * np.abs(layer.z).max())
    return name if count >= 0.5 * telling else "identity"


def activation_named(name: str) -> Activation:
    """The activation as the library knows it; softmax counts as identity, since it goes with the loss."""
    if name.startswith("softmax"):
        return ACTIVATIONS["identity"]
    if name.startswith("leaky_relu("):
        return _leaky(float(name[11:-1]))
    return ACTIVATIONS[name]


@dataclass
class Layer:
    """One layer at one time, a sample a row."""

    t: int  # the product
    t_z: int
    t_a: int
    W_t: int  # the operand that is the weights
    b_t: int  # the operand that is the bias; −1 without
    x_t: int
    W: Array
    b: Array
    x: Array
    z: Array
    a: Array
    layout: str  # "xW", "xWT", "Wx", "WTx", "wx" (element by element)
    activation: str = "identity"
    seen_a: bool = False
    columns: bool = False  # samples are columns
    frozen: bool = False  # the weights never change

    def as_W(self, value: Values) -> Array:
        """A value of the weights' shape, in the shape (n_out, n_in)."""
        if value.size != self.W.size:
            return np.full(self.W.shape, np.nan)
        if value.ndim == 2 and self.layout in ("xW", "WTx"):
            return value.T
        return value.reshape(self.W.shape)


@dataclass
class Forward:
    """One forward pass."""

    layers: list[Layer]
    y: Array | None = None
    y_t: int = -1
    error_t: int = -1

    @property
    def start(self) -> int:
        """The event of the first product."""
        return self.layers[0].t

    @property
    def end(self) -> int:
        """The event of the output."""
        return self.layers[-1].t_a

    @property
    def y_hat(self) -> Array:
        """The output, a sample a row."""
        return self.layers[-1].a


@dataclass
class Update:
    """A change of one parameter in one step."""

    place: Place
    t: int
    t_end: int
    line: int
    before: Values
    after: Values
    slot: Slot
    element: bool = False


@dataclass(frozen=True)
class Change:
    """A place's value made from its old value; the aliases are other places that hold the same object."""

    t: int
    before: int
    after: int
    slot: Slot
    aliases: frozenset[Slot] = frozenset()


@dataclass
class Found:
    """What was recognised in a recording."""

    recording: Recording
    forwards: list[Forward] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    place_of: dict[Slot, Place] = field(default_factory=dict)
    followed: Counter[Slot] = field(default_factory=Counter)  # how many values of its parameter a place held
    tainted: set[int] = field(default_factory=set)

    @property
    def depth(self) -> int:
        """The number of layers; 0 when no network was recognised."""
        return max((len(f.layers) for f in self.forwards), default=0)

    @property
    def model(self) -> list[Layer]:
        """The layers as of the first whole forward pass."""
        return self.forwards[0].layers if self.forwards else []

    @cached_property
    def names(self) -> dict[Place, str]:
        """What the script calls each parameter."""
        votes: dict[Place, Counter[str]] = {}
        for f in self.forwards[:50]:
            for k, layer in enumerate(f.layers):
                held: list[tuple[Place, int]] = [((k, "W"), layer.W_t), ((k, "b"), layer.b_t)]
                for place, t in held:
                    if t >= 0:
                        votes.setdefault(place, Counter())[self.recording.site(t).get("text") or ""] += 1
        return {place: count.most_common(1)[0][0] for place, count in votes.items()}


def find(recording: Recording) -> Found:
    """The network of a recording, with its forward passes and updates."""
    found = Found(recording)
    if not recording.end:
        return found
    finder = _Finder(recording)
    found.forwards = finder.forwards()
    found.updates, found.place_of = finder.updates(found.forwards)
    found.followed = finder.followed
    found.tainted = finder.tainted
    return found


def _arranged(
    subscripts: object, w: Values, x: Values, result: Values, *, first: bool
) -> tuple[Values, Values, Values, bool, bool] | None:
    """W (n_out, n_in), x (n, n_in), z (n, n_out) of an einsum, whether w stood so and whether samples are columns."""
    if not isinstance(subscripts, str) or subscripts.count("->") != 1 or subscripts.count(",") != 1:
        return None
    given, out = subscripts.replace(" ", "").split("->")
    left, right = given.split(",")
    of_w, of_x = (left, right) if first else (right, left)
    summed = (set(of_w) & set(of_x)) - set(out)
    if len(of_w) != 2 or len(of_x) not in (1, 2) or len(summed) != 1:
        return None
    as_rows = of_w[1] in summed
    W = w if as_rows else w.T
    if len(of_x) == 1:
        return W, x.reshape(1, -1), result.reshape(1, -1), as_rows, False
    columns = out[0] not in of_x
    return W, x if of_x[1] in summed else x.T, result.T if columns else result, as_rows, columns


class _Finder:
    def __init__(self, recording: Recording) -> None:
        self.r = recording
        self.followed: Counter[Slot] = Counter()
        self.changed = self._changes()
        self.remade = self._remade()
        self.weight_values = self._weight_values()
        self.tainted = self._taint()

    # Who holds what

    def _changes(self) -> list[Change]:
        """All events in which a place's value is made from its own old value."""
        r = self.r
        current: dict[Slot, tuple[int, int]] = {}
        holders: dict[int, set[Slot]] = {}
        changes: list[Change] = []
        operands = r.operands
        gaps = set(r.gaps)
        for t in range(r.end):
            if t in gaps:
                current.clear()
                holders.clear()
            slot = r.slot(t)
            if slot is None:
                continue
            value, obj = r.value_id(t), r.obj(t)
            site = r.site(t)
            if value < 0:
                continue
            before = current.get(slot)
            if site["kind"] == "augassign" or (site["kind"] in ("assign", "touched") and site.get("element")):
                if before is not None and r.kind(value)[1] in "fi" and site.get("op", "") in ("Add", "Sub", "", "Mult"):
                    changes.append(Change(t, before[0], value, slot, frozenset(holders.get(obj, ()))))
            elif site["kind"] == "assign" and operands[t] and operands[t][0] >= 0:
                source = operands[t][0]
                made = r.site(source)
                if made["kind"] == "op" and made["op"] in ("Add", "Sub"):
                    own = [o for o in operands[source] if o >= 0 and r.site(o).get("text") == site["target"]]
                    if own:
                        changes.append(Change(t, r.value_id(own[0]), value, slot))
                    elif (
                        made["op"] == "Sub"
                        and operands[source][0] >= 0
                        and r.site(operands[source][0])["kind"] in ("load", "subscript")
                    ):
                        changes.append(Change(t, r.value_id(operands[source][0]), value, slot))
            elif site["kind"] == "touched" and before is not None and before[0] != value and before[1] == obj:
                changes.append(Change(t, before[0], value, slot, frozenset(holders.get(obj, ()))))
            if before is not None and slot in holders.get(before[1], ()):
                holders[before[1]].discard(slot)
            current[slot] = (value, obj)
            holders.setdefault(obj, set()).add(slot)
            for other in holders[obj]:
                current[other] = (value, obj)
        return changes

    def _remade(self) -> list[tuple[int, int, int]]:
        """All sums and differences that make a value from another of its shape: (t, before, after).

        A step may be written anywhere: in a comprehension, in a function that gives new parameters back.
        """
        r = self.r
        found = []
        for number, site in enumerate(r.sites):
            if (site["kind"], site.get("op")) not in STEPS:
                continue
            for t in r.events_of(number):
                after = r.value_id(t)
                sources = r.operands[t][:2] if site["op"] in ("Add", "add") else r.operands[t][:1]
                changed = [
                    o for o in sources if o >= 0 and r.value_id(o) not in (-1, after) and r.shape(o) == r.shape(t)
                ]
                found += [(t, r.value_id(o), after) for o in changed if after >= 0]
        return sorted(found)

    def _dots(self) -> Iterator[int]:
        r = self.r
        for number, site in enumerate(r.sites):
            if site["kind"] in ("op", "call") and site["op"] in DOTS:
                yield from r.events_of(number)

    def _products(self) -> Iterator[int]:
        r = self.r
        for number, site in enumerate(r.sites):
            if site["kind"] in ("op", "call") and site["op"] in ("Mult", "multiply"):
                yield from r.events_of(number)

    def _root(self, t: int) -> tuple[int, bool]:
        """The event behind a transposition, and whether there is one."""
        flipped = False
        while t >= 0:
            site = self.r.site(t)
            if (site["kind"] == "op" and site["op"] == "T") or (
                site["kind"] == "call" and site["op"] in (".transpose", "transpose")
            ):
                flipped = not flipped
            elif site["kind"] == "load" and site["text"].endswith(".T"):
                # an attribute load of its own, such as W.T as an operand
                return t, not flipped
            else:
                return t, flipped
            operands = self.r.operands[t]
            if not operands or operands[0] < 0:
                return t, flipped
            t = operands[0]
        return t, flipped

    def _operands_of_dot(self, t: int) -> tuple[int, int] | None:
        given = list(self.r.operands[t])
        given = [o for o in given if o >= 0]
        if len(given) < 2:
            return None
        return given[0], given[1]

    def _weight_values(self) -> set[int]:
        """Values that an update made or started from, and that a product used: the weights over time."""
        r = self.r
        used: set[int] = set()
        for t in [*self._dots(), *(t for t in self._products() if self._has_single_number(t))]:
            operands = self._operands_of_dot(t)
            for o in operands or ():
                root, _ = self._root(o)
                if root >= 0 and r.value_id(root) >= 0:
                    used.add(r.value_id(root))
                    used.add(r.value_id(o))
        weights: set[int] = set()
        self.sides: dict[int, int] = {}
        made = self._made_of_products()
        for change in self.changed:
            t, before, after = change.t, change.before, change.after
            array = r.held(before)
            step = r.operands[t][0] if r.operands[t] else -1
            if array is not None and not np.isfinite(array).all():
                continue  # all arrays of nan are alike
            if made and array is not None and array.size > 1 and (step < 0 or r.value_id(step) not in made):
                continue  # data that are scaled or shifted are no weights
            if before in used and r.kind(before)[1] in "fi" and (after in used or before != after):
                weights |= {before, after}
        weights |= self._weights_remade(weights)
        # Where weights stood once, weights stand always, also those whose making was not written down.
        found: list[tuple[int, int]] = []
        places: Counter[tuple[int, int]] = Counter()
        for t in self._dots():
            operands = self._operands_of_dot(t)
            if operands is None:
                continue
            site = int(r.events["site"][t])
            is_weight = [r.value_id(self._root(o)[0]) in weights or r.value_id(o) in weights for o in operands]
            if is_weight[0] != is_weight[1]:
                places[site, is_weight.index(True)] += 1
            elif not any(is_weight):
                found.append((site, t))
        for site, side in places:
            if places[site, side] > places[site, 1 - side]:
                self.sides[site] = side
        for site, t in found:
            operands = self._operands_of_dot(t)
            here = [k for k in (0, 1) if places[site, k]]
            if operands is not None and len(here) == 1 and places[site, here[0]] > 1:
                root, _ = self._root(operands[here[0]])
                weights |= {r.value_id(root), r.value_id(operands[here[0]])} - {-1}
        return weights

    def _has_single_number(self, t: int) -> bool:
        """Whether an elementwise product may be one with a single weight."""
        return any(o >= 0 and self.r.shape(o) in ((), (1,), (1, 1)) for o in self.r.operands[t][:2])

    def _weights_remade(self, known: set[int]) -> set[int]:
        """Values at that side of a product where a step was made from one to the next, if no weights are known there.

        The step may have been made on what they are a part of, such as one vector of all parameters.
        """
        r = self.r
        used: dict[tuple[int, int], dict[int, set[int]]] = {}
        for t in self._dots():
            pair = self._operands_of_dot(t)
            if pair is None:
                continue
            sides = [{r.value_id(o), r.value_id(self._root(o)[0])} for o in pair]
            if any(side & known for side in sides):
                continue
            for k in (0, 1):
                source = r.value_id(self._source(pair[k]))
                values = used.setdefault((int(r.events["site"][t]), k), {})
                for value in (source, *sides[k]):
                    values.setdefault(value, set()).update(sides[k])
        found: set[int] = set()
        for (site, k), values in used.items():
            steps_ = {(before, after) for _, before, after in self.remade if before in values and after in values}
            gaps = len(r.gaps) + 1
            if (
                2 * len(steps_) >= len(values) - gaps
                and steps_
                and not any(
                    before in used.get((site, 1 - k), {}) and after in used[site, 1 - k] for before, after in steps_
                )
            ):
                found |= {v for held in values.values() for v in held}
        return found - {-1}

    def _source(self, t: int) -> int:
        """The event that an operand is a part or another view of, whatever names it went through."""
        r = self.r
        for _ in range(12):
            site = r.site(t)
            operands = [o for o in r.operands[t] if o >= 0]
            if site["kind"] == "load":
                written = self._written(t, site["text"])
                if written < 0 or not r.operands[written] or r.operands[written][0] < 0:
                    return t
                t = written
            elif site["kind"] in ("assign", "subscript") or site.get("op") in VIEWS:
                if not operands:
                    return t
                t = operands[0]
            else:
                return t
        return t

    def _made_of_products(self) -> set[int]:
        """Values that a matrix product went into."""
        r = self.r
        made = {r.value_id(t) for t in self._dots()} - {-1}
        if not made:
            return made
        for t in range(r.end):
            if r.value_id(t) >= 0 and any(o >= 0 and r.value_id(o) in made for o in r.operands[t]):
                made.add(r.value_id(t))
        return made

    def _taint(self) -> set[int]:
        """Values that were computed from weights; data are the others."""
        r = self.r
        tainted = set(self.weight_values)
        seen = set(tainted)
        operands = r.operands
        of_object: dict[int, bool] = {}
        for t in range(r.end):
            value = r.value_id(t)
            if value < 0:
                continue
            site, obj = r.site(t), r.obj(t)
            if value not in seen:
                array = r.held(value)
                if array is not None and array.size == 1 and array.ndim == 0:
                    continue
                seen.add(value)
                if any(o >= 0 and r.value_id(o) in tainted for o in operands[t]):
                    if site["kind"] == "call" and site["op"] in ("zeros_like", "ones_like", "empty_like"):
                        continue
                    tainted.add(value)
                elif site["kind"] in ("augassign", "touched") and of_object.get(obj):
                    tainted.add(value)  # changed in place
            of_object[obj] = value in tainted
        return tainted

    # Layers

    def forwards(self) -> list[Forward]:
        weights = self.weight_values
        layers = self._layers(weights)
        passes = self._chain(layers)
        if not any(not layer.frozen for p in passes for layer in p.layers):
            layers = self._layers(None)
            passes = self._chain(layers)
        passes = [p for p in passes if not all(layer.frozen for layer in p.layers)]
        if not passes:
            return []
        passes = self._of_one_depth(passes)
        passes = self._without_making_of_data(passes)
        shapes = Counter(tuple(layer.W.shape for layer in p.layers) for p in passes).most_common(1)[0][0]
        passes = [p for p in passes if tuple(layer.W.shape for layer in p.layers) == shapes]
        passes = self._with_agreed_activations(passes)
        for p, q in zip(passes[:4000], [*passes[1:], None], strict=False):
            self._find_target(p, q.start if q is not None else self.r.end)
        return passes

    def _of_one_depth(self, passes: list[Forward]) -> list[Forward]:
        """The deepest passes; those that are longer now and then are cut.

        A delta may by chance equal an output, and data may have been made with a product once.
        """

        def path(p: Forward) -> tuple[int, ...]:
            return tuple(int(self.r.events["site"][layer.t]) for layer in p.layers)

        counts: Counter[tuple[int, ...]] = Counter()
        for p in passes:
            counts[path(p)] += int(np.isfinite(p.layers[0].z).all())  # all arrays of nan are alike
        kept = []
        for p in passes:
            whole = path(p)
            ends = [(0, k) for k in range(1, len(whole))] + [(k, len(whole)) for k in range(1, len(whole))]
            low, high = max(ends, key=lambda end: counts[whole[slice(*end)]], default=(0, len(whole)))
            is_longer = counts[whole[low:high]] > 5 * counts[whole]
            kept.append(Forward(p.layers[low:high]) if is_longer else p)
        depth = max(len(p.layers) for p in kept)
        return [p for p in kept if len(p.layers) == depth]

    def _without_making_of_data(self, passes: list[Forward]) -> list[Forward]:
        """Without products that were made once or twice, of weights that no other pass uses."""
        site = self.r.events["site"]
        counts = Counter(int(site[p.start]) for p in passes)
        common, most = counts.most_common(1)[0]
        weights = {self.r.value_id(p.layers[0].W_t) for p in passes if int(site[p.start]) == common}
        return [
            p for p in passes if 5 * counts[int(site[p.start])] >= most or self.r.value_id(p.layers[0].W_t) in weights
        ]

    def _layers(self, weights: set[int] | None) -> list[Layer]:
        found = []
        idle = []
        for t in sorted(self._dots()):
            layer = self._layer(t, weights, elementwise=False)
            if layer is not None:
                found.append(layer)
            elif weights:
                idle.append(t)
        if found and weights:
            # Weights that never change are no known weights: they are recognised by their place before known ones.
            on_left = found[0].layout in ("Wx", "WTx")
            tainted = self.tainted
            for t in idle:
                pair = self._operands_of_dot(t)
                if pair is not None and not any(self.r.value_id(o) in tainted for o in pair):
                    layer = self._layer(t, weights, elementwise=False, frozen_on_left=on_left)
                    if layer is not None:
                        found.append(layer)
            found.sort(key=lambda layer: layer.t)
        if not found and weights:
            for t in sorted(self._products()):
                if not self._is_scalar_weight(t):
                    continue
                layer = self._layer(t, weights, elementwise=True)
                if layer is not None:
                    found.append(layer)
        return found

    def _is_scalar_weight(self, t: int) -> bool:
        """Whether one operand of a product is a name that steps change: single numbers are too alike to go by value."""
        names = self._stepping_names
        return any(o >= 0 and self.r.site(o).get("text") in names for o in self.r.operands[t][:2])

    @cached_property
    def _stepping_names(self) -> set[str]:
        """Names that are changed from their own value, and never set anew in a loop, as sums are."""
        r = self.r
        changed = {r.site(change.t)["name"] for change in self.changed}
        reset = {s["name"] for s in r.sites if s["kind"] == "assign" and s["loops"] and "const" in s.get("value", {})}
        return changed - reset

    def _layer(
        self, t: int, weights: set[int] | None, *, elementwise: bool, frozen_on_left: bool | None = None
    ) -> Layer | None:
        r = self.r
        pair = self._operands_of_dot(t)
        result = r.value(t)
        if pair is None or result is None:
            return None
        roots = [self._root(o) for o in pair]
        ids = [r.value_id(root) for root, _ in roots]
        left, right = r.value(pair[0]), r.value(pair[1])
        if left is None or right is None:
            return None
        if frozen_on_left is not None:
            on_left = frozen_on_left
        elif weights is not None:
            is_weight = [ids[k] in weights or r.value_id(pair[k]) in weights for k in (0, 1)]
            if elementwise:
                is_weight = [r.site(root).get("text") in self._stepping_names for root, _ in roots]
            side = self.sides.get(int(r.events["site"][t])) if all(is_weight) else None
            if side is not None:  # hidden outputs that are all 0, as a bias at the start
                is_weight = [side == 0, side == 1]
            if is_weight[0] == is_weight[1]:
                return None
            on_left = is_weight[0]
        else:
            on_left = self._looks_like_weights_left(pair)
        w, x = (left, right) if on_left else (right, left)
        W_t = roots[0][0] if on_left else roots[1][0]
        flipped = roots[0][1] if on_left else roots[1][1]
        x_t = pair[1] if on_left else pair[0]
        if elementwise:
            if w.size != 1:
                return None
            W2, x2, out = w.reshape(1, 1), x.reshape(-1, 1), result.reshape(-1, 1)
            layout, columns = "wx", False
        elif r.site(t)["op"] == "einsum":
            arranged = _arranged(r.site(t)["operands"][0].get("const"), w, x, result, first=on_left)
            if arranged is None:
                return None
            W2, x2, out, as_rows, columns = arranged
            layout = "xWT" if as_rows != flipped else "xW"
        elif on_left:
            W2 = w if w.ndim == 2 else w.reshape(1, -1)
            if x.ndim == 1:
                x2, out = x.reshape(1, -1), result.reshape(1, -1)
            else:
                x2, out = x.T, result.T if result.ndim == 2 else result.reshape(-1, 1)
            layout, columns = ("WTx" if flipped else "Wx"), x.ndim == 2
        else:
            W2 = w.T if w.ndim == 2 else w.reshape(1, -1)
            x2 = x if x.ndim == 2 else x.reshape(1, -1)
            out = result if result.ndim == 2 else result.reshape(len(x2), -1)
            layout, columns = ("xWT" if flipped else "xW"), False
        if x2.shape[1] != W2.shape[1] or out.shape != (len(x2), len(W2)):
            return None
        layer = Layer(
            t,
            t,
            t,
            W_t,
            -1,
            x_t,
            W2,
            np.zeros(len(W2)),
            x2,
            out,
            out,
            layout,
            columns=columns,
            frozen=frozen_on_left is not None,
        )
        self._find_bias(layer, result)
        self._find_activation(layer)
        return layer

    def _looks_like_weights_left(self, pair: tuple[int, int]) -> bool:
        """Without updates to go by: of two operands, weights were made by a random or constant call, or named so."""

        def score(t: int) -> float:
            root, _ = self._root(t)
            text = (self.r.site(root).get("text") or "").lower().rsplit(".", 1)[-1]
            return 1.0 if text.startswith(("w", "theta", "poids", "peso", "gewicht")) else 0.0

        return score(pair[0]) > score(pair[1])

    def _find_bias(self, layer: Layer, product: Values) -> None:
        r = self.r
        wanted = r.value_id(layer.t)
        for t in range(layer.t + 1, min(layer.t + 12, r.end)):
            site = r.site(t)
            value = r.value(t)
            if value is None or value.size < product.size:
                continue
            operands = r.operands[t]
            if site["kind"] == "augassign" and site.get("op") == "Add" and operands and operands[0] >= 0:
                b_t, after = operands[0], value
            elif (site["kind"], site.get("op")) in (("op", "Add"), ("call", "add")) and layer.t in operands[:2]:
                b_t, after = operands[1 - operands.index(layer.t)], value
            elif (site["kind"], site.get("op")) in (("op", "Add"), ("call", "add")) and any(
                o >= 0 and r.value_id(o) == wanted for o in operands
            ):
                k = next(i for i, o in enumerate(operands) if o >= 0 and r.value_id(o) == wanted)
                b_t, after = operands[1 - k], value
            else:
                continue
            bias = r.value(b_t) if b_t >= 0 else None
            if bias is None or bias.size not in (1, len(layer.W)) or after.size != layer.z.size:
                continue
            z = after.T if layer.columns and after.ndim == 2 else after.reshape(layer.z.shape)
            if not np.allclose(z, layer.z + bias.reshape(1, -1), equal_nan=True):
                continue
            root, _ = self._root(b_t)
            layer.b = np.broadcast_to(bias.ravel(), (len(layer.W),)).astype(float)
            layer.b_t, layer.t_z, layer.t_a, layer.z, layer.a = root, t, t, z, z
            return

    def _rows(self, layer: Layer, value: Values) -> Array | None:
        if value.size != layer.z.size:
            return None
        if layer.columns and value.ndim == 2:
            return value.T if value.T.shape == layer.z.shape else None
        return value.reshape(layer.z.shape)

    def _find_activation(self, layer: Layer) -> None:
        r = self.r
        z = layer.z
        if not np.isfinite(z).all():
            return
        tried: set[int] = set()
        best = np.inf
        candidates = {}
        with np.errstate(all="ignore"):
            for name, f in FUNCTIONS.items():
                fz = f(z)
                if name.startswith("softmax") and (fz == 1).all():
                    continue  # of one number it is 1, whatever that is
                if np.abs(fz - z).max() > 1e-5 * np.abs(z).max():
                    candidates[name] = fz
        for t in range(layer.t_z + 1, min(layer.t_z + LOOKAHEAD, r.end)):
            site = r.site(t)
            if site["kind"] in ("op", "call") and site["op"] in DOTS:
                break
            if self._meets_target(t, layer.t_z):
                break
            number = r.value_id(t)
            if number in tried or number < 0:
                continue
            tried.add(number)
            value = r.held(number)
            if value is None or value.size != z.size or r.kind(number)[1] != "f":
                continue
            a = self._rows(layer, value)
            if a is None:
                continue
            for name, expected in candidates.items():
                error = float(np.abs(a - expected).max())
                allowed = 1e-5 if r.kind(number) == "<f4" else 1e-11
                if (a.size == 1 or np.ptp(a) == 0) and not self._flows(layer.t_z, t):
                    continue  # single numbers are alike
                better = error < best or (error == best and name == layer.activation)
                if better and error <= allowed * max(1e-4, float(np.abs(expected).max())):
                    best = error
                    layer.activation, layer.a, layer.t_a, layer.seen_a = name, a, t, True

    def _meets_target(self, t: int, t_z: int) -> bool:
        """Whether z itself is held against data here: then there is no activation between."""
        r = self.r
        site, pair = r.site(t), r.operands[t][:2]
        if (site["kind"], site.get("op")) not in (("op", "Sub"), ("call", "subtract")) or min(pair, default=-1) < 0:
            return False
        mine = [r.value_id(o) == r.value_id(t_z) and o >= t_z for o in pair]
        if mine[0] == mine[1]:
            return False
        other = pair[mine.index(False)]
        return np.prod(r.shape(other)) == np.prod(r.shape(t_z)) and self._is_data(other)

    def _flows(self, source: int, t: int) -> bool:
        """Whether event t was computed from event `source`, through operations, names and arguments."""
        r = self.r
        queue, seen = [t], {t}
        while queue:
            u = queue.pop()
            if r.value_id(u) == r.value_id(source):
                return True
            origins = [o for o in r.operands[u] if o >= source]
            if not origins:  # what a name or an argument holds was made by the latest event with that value
                origins = [v for v in range(u - 1, source, -1) if r.value_id(v) == r.value_id(u)][:1]
            queue += [o for o in origins if o not in seen]
            seen.update(origins)
        return False

    # Passes

    def _chain(self, layers: list[Layer]) -> list[Forward]:
        passes: list[Forward] = []
        for layer in layers:
            previous = None
            for p in reversed(passes[-64:] if layer.layout != "wx" else []):
                last = p.layers[-1]
                again = any(self.r.value_id(k.W_t) == self.r.value_id(layer.W_t) for k in p.layers)
                fits = last.t < layer.t and last.a.shape == layer.x.shape and not again
                if fits and np.allclose(last.a, layer.x, rtol=1e-5, atol=0, equal_nan=True):
                    previous = p
                    break
            if previous is not None:
                previous.layers[-1] = replace(previous.layers[-1], a=layer.x)  # of tiny z, tanh(z) is nearly z
                previous.layers.append(layer)
            elif previous is None and (layer.layout == "wx" or self._is_data(layer.x_t)):
                passes.append(Forward([layer]))
        return passes

    def _is_data(self, t: int) -> bool:
        """Whether an operand is data: not computed from weights, or a part of something that wasn't."""
        r = self.r
        for _ in range(8):
            if t < 0:
                return False
            if r.value_id(t) not in self.tainted:
                return True
            site = r.site(t)
            operands = r.operands[t]
            if site["kind"] == "load":
                t = self._written(t, site["text"])
                continue
            if site["kind"] == "for":
                return True  # an element of what was looped over: few values, so another one's taint
            part = site["kind"] == "subscript" or site.get("op") in (
                "T",
                ".reshape",
                "reshape",
                ".ravel",
                ".flatten",
                ".copy",
            )
            if site["kind"] == "subscript" and (not operands or operands[0] < 0):
                return self._is_list_of_data(site["text"].partition("[")[0])
            if site["kind"] == "assign" or part:
                t = operands[0] if operands else -1
                continue
            return False
        return False

    def _is_list_of_data(self, name: str) -> bool:
        """Whether a list is made once, of what was not computed from weights."""
        r = self.r
        if any(site["kind"] == "append" and site["name"] == name for site in r.sites):
            return False
        sites = [k for k, site in enumerate(r.sites) if site["kind"] == "assign" and site["name"] == name]
        held = {r.value_id(t) for k in sites for t in r.events_of(k)}
        return len(sites) == 1 and bool(held) and not any(value in self.tainted for value in held)

    def _written(self, t: int, name: str) -> int:
        """The event that last wrote to a name before event t, if it was written as a whole."""
        r = self.r
        for u in range(t - 1, max(t - 3000, -1), -1):
            site = r.site(u)
            if site["kind"] in ("assign", "for", "arg", "augassign") and site["name"] == name:
                if site["kind"] == "arg":
                    return self._given(u)
                return u if site["kind"] in ("assign", "for") and not site.get("element") else -1
        return -1

    def _given(self, t: int) -> int:
        """What an argument was given: the latest event before the call that held the same value."""
        r = self.r
        for u in range(t - 1, max(t - 60, -1), -1):
            if r.value_id(u) == r.value_id(t) and r.site(u)["kind"] in ("load", "subscript", "op", "call"):
                return u
        return -1

    def _with_agreed_activations(self, passes: list[Forward]) -> list[Forward]:
        passes, agreed = self._proper(passes)
        kept = []
        for p in passes:
            fits = True
            for k, layer in enumerate(p.layers):
                name = agreed[k]
                if layer.activation != name:
                    with np.errstate(all="ignore"):
                        expected = FUNCTIONS[name](layer.z) if name != "identity" else layer.z
                    if np.allclose(expected, layer.a, rtol=1e-6, atol=1e-9, equal_nan=True):
                        p.layers[k] = replace(layer, activation=name)
                    else:
                        fits = False
            if fits:
                kept.append(p)
        return kept

    def _proper(self, passes: list[Forward]) -> tuple[list[Forward], list[str]]:
        """The forward passes with their activations, without what computes a z once more, for a derivative.

        A function counts as a layer's activation at a place in the script if it is seen there in most passes in
        which it could be told from others. Of several places the one with the most activations counts.
        """
        groups: dict[tuple[int, ...], list[Forward]] = {}
        for p in passes:
            groups.setdefault(tuple(int(self.r.events["site"][layer.t]) for layer in p.layers), []).append(p)
        agreed: dict[tuple[int, ...], list[str]] = {}
        for key, group in groups.items():
            agreed[key] = [_most_seen([p.layers[k] for p in group]) for k in range(len(key))]

        def bends(names: list[str]) -> int:
            return sum(name != "identity" for name in names)

        best = max(agreed.values(), key=bends)
        kept = [p for key, group in groups.items() if agreed[key] == best for p in group]
        return sorted(kept, key=lambda p: p.start), best

    def _find_target(self, p: Forward, until: int) -> None:
        r = self.r
        last = p.layers[-1]
        output_ids = {r.value_id(last.t_a)}
        y_hat = last.a
        derived: set[int] = set()
        classes: set[int] = set()
        for t in range(last.t_a + 1, min(last.t_a + 400, r.end)):
            site = r.site(t)
            value = r.value(t)
            if value is None:
                continue
            if value.size == y_hat.size and r.value_id(t) not in output_ids:
                rows = self._rows(last, value)
                if rows is not None and np.array_equal(rows, y_hat):
                    output_ids.add(r.value_id(t))
            operands = r.operands[t]
            if (
                site["kind"] == "call"
                and site["op"] in ("log", "clip", "log2", "log1p")
                and any(o >= 0 and (r.value_id(o) in output_ids or r.value_id(o) in derived) for o in operands)
            ):
                derived.add(r.value_id(t))
            if (
                site["kind"] == "op"
                and site["op"] == "Add"
                and any(o >= 0 and r.value_id(o) in output_ids for o in operands)
            ):
                derived.add(r.value_id(t))
            if (site["kind"] == "compare" or site.get("op") in ("round", "sign", "rint", ".round")) and any(
                o >= 0 and r.value_id(o) in output_ids for o in operands
            ):
                classes.add(r.value_id(t))
            if (
                site["kind"] == "compare"
                and site["op"] in ("Eq", "NotEq")
                and len(operands) >= 2
                and min(operands) >= 0
            ):
                for k in (0, 1):
                    y = r.value(operands[1 - k])
                    is_class = r.value_id(operands[k]) in classes and self._is_data(operands[1 - k])
                    if is_class and y is not None and self._set_target(p, y, operands[1 - k], t):
                        return
            is_pair = (site["kind"] == "op" and site["op"] in ("Sub", "Mult")) or (
                site["kind"] == "call" and site["op"] in ("subtract", "multiply")
            )
            if is_pair and len(operands) >= 2 and operands[0] >= 0 and operands[1] >= 0:
                for k in (0, 1):
                    mine, other = operands[k], operands[1 - k]
                    hits = output_ids if site["op"] in ("Sub", "subtract") else derived
                    if r.value_id(mine) in hits and self._is_data(other):
                        y = r.value(other)
                        if y is not None and self._set_target(p, y, other, t):
                            return
        labels = self._labels(p, until)
        if labels is not None:
            p.y, p.y_t = labels

    def _set_target(self, p: Forward, y: Values, y_t: int, t: int) -> bool:
        y_hat = p.y_hat
        last = p.layers[-1]
        if y.size == y_hat.size:
            rows = self._rows(last, y)
            p.y = rows if rows is not None else y.reshape(y_hat.shape)
        elif y.size == 1 and len(y_hat) == 1:
            p.y = np.broadcast_to(y.ravel(), y_hat.shape).astype(float)
        else:
            return False
        p.y_t, p.error_t = y_t, t
        return True

    def _labels(self, p: Forward, until: int) -> tuple[Array, int] | None:
        """Class numbers, one a sample, that nothing was subtracted from: as one-hot rows.

        They are looked for until the next forward pass, first where they pick numbers out of others.
        """
        r = self.r
        m, k = p.y_hat.shape
        if k < 2:
            return None
        after = range(p.end + 1, min(p.end + 200, until, r.end))
        indices = [t for t in after if r.site(t).get("is_index")]
        for t in [*indices, *after, *range(p.start, max(p.start - 60, 0), -1)]:
            value = r.value(t)
            if value is None or value.shape not in ((m,), (m, 1)) or r.value_id(t) in self.tainted:
                continue
            if r.kind(r.value_id(t))[1] not in "iu":
                continue
            flat = value.ravel()
            if flat.min() >= 0 and flat.max() < k and (m == 1 or not np.array_equal(flat, np.arange(m))):
                return np.eye(k)[flat.astype(int)], t
        return None

    # Updates

    def updates(self, passes: list[Forward]) -> tuple[list[Update], dict[Slot, Place]]:
        """The changes of the parameters, in the order of time, and which place of the script holds which."""
        place_of = self._holders(passes)
        merged = self._updates_of(passes, place_of)
        known = {update.place for update in merged}
        for k, layer in enumerate(passes[0].layers if passes else ()):
            kinds: list[tuple[Place, int]] = [((k, "W"), layer.W_t), ((k, "b"), layer.b_t)]
            merged += [u for place, t in kinds if t >= 0 and place not in known for u in self._between(passes, place)]
        return sorted(merged, key=lambda update: update.t), place_of

    def _holders(self, passes: list[Forward]) -> dict[Slot, Place]:
        """The places of the script that hold one parameter each: by name, or by the objects and values they held."""
        r = self.r
        known: dict[tuple[int, int], Place] = {}
        votes: dict[Slot, Counter[Place]] = {}
        for p in passes[:400]:
            for k, layer in enumerate(p.layers):
                kinds: list[tuple[Place, int]] = [((k, "W"), layer.W_t), ((k, "b"), layer.b_t)]
                for place, t in kinds:
                    if t < 0:
                        continue
                    site = r.site(t)
                    slot = ("name", r._scope(site["scope"], site.get("text", "")), site.get("text", ""))
                    votes.setdefault(slot, Counter())[place] += 1
                    # An object's number is used again once it is gone, so its value has to be the same as well.
                    known.setdefault((r.obj(t), r.value_id(t)), place)
        named = set(votes)
        of_place: dict[Place, set[int]] = {}
        for (_, value), place in known.items():
            of_place.setdefault(place, set()).add(value)
        values: dict[tuple[Slot, Place], set[int]] = {}
        for t in range(len(r)):
            place_ = known.get((r.obj(t), r.value_id(t)))
            slot_ = r.slot(t) if place_ is not None else None
            if slot_ is not None and place_ is not None and slot_ not in named:
                votes.setdefault(slot_, Counter())[place_] += 1
                values.setdefault((slot_, place_), set()).add(r.value_id(t))
        place_of: dict[Slot, Place] = {}
        followed: dict[Slot, set[int]] = {}
        for t in range(r.end):
            if (slot_ := r.slot(t)) in votes:
                followed.setdefault(slot_, set()).add(r.value_id(t))
        for slot, counter in votes.items():
            place, count = counter.most_common(1)[0]
            held = [r.held(value) for value in values.get((slot, place), ())]
            telling = slot in named or len(held) > 1 or any(v is not None and v.size > 2 for v in held)
            if count > 0.8 * counter.total() and telling:
                place_of[slot] = place
                self.followed[slot] = len(followed.get(slot, set()) & of_place.get(place, set()))
        return place_of

    def _updates_of(self, passes: list[Forward], place_of: dict[Slot, Place]) -> list[Update]:
        """The changes of places that hold a parameter, or of a value that is one."""
        r = self.r
        value_place: dict[int, Place] = {}
        for p in passes[:400]:
            for k, layer in enumerate(p.layers):
                value_place.setdefault(r.value_id(layer.W_t), (k, "W"))
                if layer.b_t >= 0:
                    value_place.setdefault(r.value_id(layer.b_t), (k, "b"))
        merged: list[Update] = []
        open_: dict[tuple[Place, object], Update] = {}
        for change in self.changed:
            t, before, after, slot = change.t, change.before, change.after, change.slot
            place = place_of.get(slot)
            if place is None:
                place = next((place_of[alias] for alias in change.aliases if alias in place_of), None)
            old, new = r.held(before), r.held(after)
            if place is None and old is not None and old.size > 2 and old.any():  # zeros, single numbers are alike
                place = value_place.get(before)
            if place is None:
                continue
            if old is None or new is None or (old.shape != new.shape and old.size != new.size):
                continue
            if old.ndim == 0 and place[1] == "W" and passes[0].layers[place[0]].W.size != 1:
                continue
            value_place[after] = place
            site = r.site(t)
            key = tuple((k, c) for k, c in r.vec(t).items() if k not in site.get("element_loops", ()))
            if site.get("element") and site.get("element_loops"):
                begun = open_.get((place, key))
                if begun is not None:
                    begun.after, begun.t_end = new, t
                    continue
            update = Update(place, t, t, r.at(t), old, new.reshape(old.shape), slot, bool(site.get("element")))
            open_[place, key] = update
            merged.append(update)
        return merged

    def _between(self, passes: list[Forward], place: Place) -> Iterator[Update]:
        """The changes of a parameter as the forward passes show them, when no place was seen to change."""
        r = self.r
        k, kind = place
        made = {after: t for t, _, after in reversed(self.remade)}
        for p, q in pairwise(passes):
            before_t, after_t = (
                (p.layers[k].W_t, q.layers[k].W_t) if kind == "W" else (p.layers[k].b_t, q.layers[k].b_t)
            )
            if min(before_t, after_t) < 0 or r.value_id(before_t) == r.value_id(after_t) or r.has_gap(p.end, q.start):
                continue
            old, new = r.value(before_t), r.value(after_t)
            if old is None or new is None or old.shape != new.shape:
                continue
            t = made.get(r.value_id(after_t), made.get(r.value_id(self._source(after_t)), -1))
            line = r.at(t) if t >= 0 else r.at(after_t)
            if not p.end < t < q.start:
                t = next((u for u in range(p.end + 1, q.start) if r.value_id(u) == r.value_id(after_t)), q.start - 1)
            slot: Slot = ("name", "", r.site(after_t).get("text", ""))
            yield Update(place, t, t, line, old, new, slot)
