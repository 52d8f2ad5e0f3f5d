"""The parts of a forward pass that a mistake can be made at: activations, products, sums with a bias."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from byhand._types import Array
from byhand.diagnosis.judge.roles import PRODUCTS, NodeId, Roles
from byhand.diagnosis.judge.steps import Gradients
from byhand.diagnosis.tape.derive import Unknown, forward
from byhand.diagnosis.tape.nodes import Const, Node

_LINEAR = {
    "add", "subtract", "negative", "positive", "copy", "getitem", "move", "gather", "stack", "multiply", "divide",
    "sum", "mean", "setitem", "scatter", "item", "at",
}  # fmt: skip
_LARGEST_REGION = 60

Layer: TypeAlias = tuple[Hashable, int]
"""A place in the program and how many states it rests on there: one layer, also where layers share their lines."""


@dataclass(frozen=True)
class Region:
    """From z to a: a rests on parameters through z alone, has its shape, and is no linear function of it."""

    z: NodeId
    a: NodeId
    inside: tuple[NodeId, ...]


class Anatomy:
    """Regions, products and sums among the nodes that a gradient reached, each by its layer."""

    def __init__(self, roles: Roles, gradients: Gradients, limit: int) -> None:
        self.roles = roles
        self.nodes: list[Node] = roles.nodes
        self.gradients, self.limit = gradients, limit
        self.reached = sorted(t for t in gradients if t < limit and t not in roles.versions)
        self._reached = set(self.reached)

    def layer(self, t: NodeId) -> Layer:
        """The layer of a node."""
        return self.nodes[t].site, self.roles.rests_on[t].bit_count()

    @cached_property
    def regions(self) -> dict[Layer, list[Region]]:
        """The activations."""
        found: dict[Layer, list[Region]] = defaultdict(list)
        for a in self.reached:
            is_number = self.nodes[a].value.dtype.kind == "f"  # a comparison has no slope
            if is_number and self.nodes[a].op not in PRODUCTS and self._is_handed_on(a):
                region = self.region_to(a)
                if region is not None:
                    found[self.layer(a)].append(region)
        return dict(found)

    @cached_property
    def output(self) -> Layer | None:
        """The layer of the last activation, if nothing but the loss lies behind it."""
        most = max((self.roles.rests_on[t].bit_count() for t in self.reached), default=0)
        last = [key for key in self.regions if key[1] == most]
        return max(last, key=lambda key: self.regions[key][0].a, default=None)

    @cached_property
    def products(self) -> dict[Layer, list[NodeId]]:
        """The products of a value with parameters or with another value."""
        found: dict[Layer, list[NodeId]] = defaultdict(list)
        for t in self.reached:
            if self.nodes[t].op in PRODUCTS or (self.nodes[t].op == "multiply" and self._is_weighting(t)):
                found[self.layer(t)].append(t)
        return dict(found)

    @cached_property
    def sums(self) -> dict[Layer, list[tuple[NodeId, int]]]:
        """The sums of which one summand is a parameter, with its position."""
        found: dict[Layer, list[tuple[NodeId, int]]] = defaultdict(list)
        for t in self.reached:
            if self.nodes[t].op in ("add", "subtract"):
                for position, a in enumerate(self.nodes[t].args):
                    if type(a) is int and self.roles.root(a) in self.roles.versions:
                        found[self.layer(t)].append((t, position))
        return dict(found)

    def seen_through(self, t: NodeId, root: NodeId, value: Array) -> Array:
        """What t, a view of the root, would be if the root were another value."""
        path = []
        while t != root:
            path.append(t)
            first = self.roles.ahead.get(t, self.nodes[t].args[0])
            assert type(first) is int
            t = first
        for x in reversed(path):
            ahead = self.roles.ahead.get(x)
            far = None if ahead is None else self.nodes[x].value - self.nodes[ahead].value
            value = _viewed(self.nodes[x], value) if far is None else value + far
        return value

    def replay(self, region: Region, z: Array) -> Array:
        """The value of an activation at another input.

        Raises
        ------
        Unknown
            If it uses an operation that cannot be computed anew.
        """
        values: dict[NodeId, Array] = {region.z: z}
        for t in region.inside:
            node = self.nodes[t]
            args = [a.value if isinstance(a, Const) else values.get(a, self.nodes[a].value) for a in node.args]
            values[t] = forward(node, args)
        return np.asarray(values[region.a], dtype=float)

    def slope(self, region: Region, z: Array, h: float = 1e-6) -> Array:
        """The activation's derivative at an input, element by element, by central differences."""
        if not self.is_elementwise(region):
            raise Unknown("an activation that mixes elements")
        z = np.asarray(z, dtype=float)
        return (self.replay(region, z + h) - self.replay(region, z - h)) / (2 * h)

    def is_elementwise(self, region: Region) -> bool:
        """Whether each element of a is made of the same element of z."""
        shape = self.nodes[region.z].value.shape
        return all(
            self.nodes[t].value.shape == shape and self.nodes[t].op not in PRODUCTS | {"move", "gather", "stack"}
            for t in region.inside
        )

    def _is_handed_on(self, a: NodeId) -> bool:
        """Whether something other than a chain of functions takes a: a product, a sum of two values, a loss."""
        return any(
            user not in self._reached
            or self.nodes[user].op in PRODUCTS | {"stack", "setitem", "scatter"}
            or sum(self._has_weight(x) for x in self.nodes[user].args) > 1
            or (self.nodes[user].op == "subtract" and self._reached.isdisjoint(self.roles.users.get(user, ())))
            for user in self.roles.users.get(a, ())
        )

    def _has_weight(self, a: object) -> bool:
        return type(a) is int and (self.roles.rests_on[a] > 0 or not self._is_constant(a))

    def _is_weighting(self, t: NodeId) -> bool:
        """Whether numbers are multiplied by a parameter: a product of matrices written out."""
        return any(type(a) is int and self.roles.root(a) in self.roles.versions for a in self.nodes[t].args)

    def region_to(self, a: NodeId) -> Region | None:
        """The activation that ends in a node."""
        if a not in self.roles.regions:
            self.roles.regions[a] = self._region_to(a)
        return self.roles.regions[a]

    def region_of_a_parameter(self, a: NodeId) -> Region | None:
        """The activation that ends in a node and begins at a parameter itself, as a table of preferences has it."""
        return self._region_to(a, from_parameter=True)

    def _region_to(self, a: NodeId, *, from_parameter: bool = False) -> Region | None:
        front, inside, best = {a}, [], None
        for _ in range(_LARGEST_REGION):
            t = max(front)
            if self.nodes[t].op in PRODUCTS or t in self.roles.versions or self._meets_data(t):
                break
            parents = {p for p in self.nodes[t].parents() if self.roles.rests_on[p]}
            if not parents or (parents & self.roles.versions.keys() and not from_parameter):
                break
            front = (front - {t}) | parents
            inside.append(t)
            if len(front) == 1:
                z = next(iter(front))
                bent = any(self.nodes[x].op not in _LINEAR or self._multiplies_itself(x) for x in inside)
                if self.nodes[z].value.shape == self.nodes[a].value.shape and bent:
                    best = Region(z, a, tuple(sorted(inside)))
                if self.nodes[z].op in PRODUCTS:
                    break
        return best

    def _meets_data(self, t: NodeId) -> bool:
        """Whether something that rests on no parameter and is no constant has a part in it: a target, or a mask."""
        return any(
            type(a) is int and not self.roles.rests_on[a] and not self._is_constant(a) for a in self.nodes[t].args
        )

    def _is_constant(self, a: NodeId) -> bool:
        node = self.nodes[a]
        return node.value.size == 1 and node.op == "leaf" and node.kw.get("made") == "constant"

    def _multiplies_itself(self, t: NodeId) -> bool:
        return self.nodes[t].op in ("multiply", "divide") and len([a for a in self.nodes[t].args if self._rests(a)]) > 1

    def _rests(self, a: object) -> bool:
        return type(a) is int and self.roles.rests_on[a] > 0

    def versions_beside(self) -> tuple[dict[NodeId, NodeId], dict[NodeId, NodeId]]:
        """For each version of a state the next and the one before."""
        following = {a: b for s in self.roles.states for a, b in zip(s.versions, s.versions[1:], strict=False)}
        return following, {b: a for a, b in following.items()}

    def last_step_before(self, t: NodeId) -> NodeId:
        """The version that was the last to come of a step before a value was made; -1 if there is none."""
        k = bisect_left(self._stepped, t)
        return self._stepped[k - 1] if k else -1

    @cached_property
    def _stepped(self) -> list[NodeId]:
        return sorted(v for s in self.roles.states for v in s.versions[1:])

    def data_beside(self, shape: tuple[int, ...], near: NodeId, reach: int = 200) -> Iterator[NodeId]:
        """Other values of a shape that were computed near a node."""
        for t in self.reached:
            if abs(t - near) <= reach and self.nodes[t].value.shape == shape:
                yield t


def _viewed(node: Node, value: Array) -> Array:
    """What a node that rearranges or picks numbers makes of another value."""
    match node.op:
        case "getitem":
            return np.asarray(value[node.kw["k"]])
        case "item":
            return np.asarray(value.item(*node.kw.get("a", ())))
        case "copy":
            return value
    return value.ravel()[np.asarray(node.kw["idx"])]
