"""What a script did: the values that its names and expressions held, as the process that ran it wrote them down."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from byhand.diagnosis.sandboxed import unpack

Values: TypeAlias = npt.NDArray[Any]
Slot: TypeAlias = tuple[Any, ...]
"""A place that holds a value: a name in its scope, an attribute of one object, an element of a list or a dict."""

LOADS = ("load", "arg", "for", "assign", "augassign", "touched")

NOTHING: dict[str, Any] = {
    "exception": None,
    "warnings": [],
    "timed_out": False,
    **{name: [] for name in ("sites", "loops", "shapes", "large", "kinds", "vecs", "suffixes")},
}
"""What is known of a script that never ran."""


@dataclass
class Recording:
    """The events of one run, in the order of time; event t is the value `value(t)` at the site `site(t)`.

    Attributes
    ----------
    source : str
        The script.
    info : dict
        Sites (what is written where), loops, series of numbers, the exception, the warnings.
    events : dict of arrays
        Columns site, value, obj, vec, suffix, owner; one row an event.
    """

    source: str
    info: dict[str, Any]
    events: dict[str, Values] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str, info: dict[str, Any], columns: dict[str, Any]) -> Recording:
        """From what the child process sent; nothing in it is trusted to be more than numbers and text."""
        return cls(source, info, {name: unpack(column) for name, column in columns.items()})

    @cached_property
    def lines(self) -> list[str]:
        """The script's lines."""
        return self.source.splitlines()

    def line(self, number: int) -> str:
        """The text of a line, counted from 1."""
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""

    @property
    def exception(self) -> dict[str, Any] | None:
        """How the script ended, if by an error: type, message, frames."""
        return self.info["exception"]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """The warnings of the script's own lines."""
        return self.info["warnings"]

    @property
    def sites(self) -> list[dict[str, Any]]:
        """What is written where."""
        return self.info["sites"]

    def __len__(self) -> int:
        return len(self.events.get("site", ()))

    @property
    def end(self) -> int:
        """The number of events in the run; what comes after are the final values of all names."""
        return int(self.info.get("end", 0))

    @cached_property
    def gaps(self) -> list[int]:
        """The events before which something was not written down."""
        return sorted({int(t) for t in self.info.get("gaps", ())})

    def has_gap(self, low: int, high: int) -> bool:
        """Whether something was left out between two events."""
        return bisect(self.gaps, low) < bisect(self.gaps, high)

    def site(self, t: int) -> dict[str, Any]:
        """What is written where event t happened."""
        return self.sites[self._site[t]]

    def at(self, t: int) -> int:
        """The line of event t."""
        return int(self.site(t)["line"])

    @cached_property
    def _site(self) -> list[int]:
        return self.events["site"].tolist()

    @cached_property
    def _value(self) -> list[int]:
        return self.events["value"].tolist()

    @cached_property
    def _obj(self) -> list[int]:
        return self.events["obj"].tolist()

    @cached_property
    def _store(self) -> list[Values | None]:
        numbers, start = self.events["numbers"], 0
        store: list[Values | None] = []
        for shape, large in zip(self.info["shapes"], self.info["large"], strict=True):
            if large:
                store.append(None)
                continue
            size = int(np.prod(shape, dtype=int))
            store.append(numbers[start : start + size].reshape(shape))
            start += size
        return store

    def value_id(self, t: int) -> int:
        """Equal for events that held equal values; −1 if the value was not kept."""
        return self._value[t]

    def held(self, value_id: int) -> Values | None:
        """The value, as float64; None if it was not kept."""
        return self._store[value_id] if value_id >= 0 else None

    def value(self, t: int) -> Values | None:
        """What event t held."""
        return self.held(self._value[t])

    def kind(self, value_id: int) -> str:
        """The dtype, such as '<f8'."""
        return self.info["kinds"][value_id] if value_id >= 0 else ""

    def shape(self, t: int) -> tuple[int, ...]:
        """The shape of what event t held."""
        v = self._value[t]
        return tuple(self.info["shapes"][v]) if v >= 0 else ()

    def obj(self, t: int) -> int:
        """The identity of the object that event t held."""
        return self._obj[t]

    def slot(self, t: int) -> Slot | None:
        """The place that event t wrote to, if it wrote to one."""
        site = self.site(t)
        if site["kind"] not in ("assign", "augassign", "arg", "for", "touched"):
            return None
        suffix = self.info["suffixes"][int(self.events["suffix"][t])]
        owner = int(self.events["owner"][t])
        name = site["name"]
        if owner:
            return ("attribute", owner, name.rsplit(".", 1)[-1] + suffix)
        return ("name", self._scope(site["scope"], name), name + suffix)

    @cached_property
    def _globals(self) -> dict[str, set[str]]:
        import ast

        declared: dict[str, set[str]] = {}
        try:
            tree = ast.parse(self.source)
        except SyntaxError:
            return declared
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                names = {n for s in ast.walk(function) if isinstance(s, ast.Global) for n in s.names}
                bound = {arg.arg for arg in function.args.args}
                stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
                declared[function.name] = (bound | stored) - names
        return declared

    def _scope(self, scope: str, name: str) -> str:
        """The function whose local the name is; empty for a global."""
        if not scope:
            return ""
        local = self._globals.get(scope.rsplit(".", 1)[-1], set())
        return scope if name in local else ""

    @cached_property
    def _by_site(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for t, site in enumerate(self._site[: self.end]):
            found.setdefault(site, []).append(t)
        return found

    def events_of(self, site: int) -> list[int]:
        """The events of a site, in order."""
        return self._by_site.get(site, [])

    @cached_property
    def operands(self) -> list[tuple[int, ...]]:
        """For each event the events that gave its operands, −1 for one that isn't an event (a constant, say)."""
        latest = [-1] * len(self.sites)
        result: list[tuple[int, ...]] = []
        for t in range(self.end):
            number = self._site[t]
            site = self.sites[number]
            wanted = site.get("operands")
            if wanted is None and "value" in site:
                wanted = [site["value"]]
            result.append(tuple(latest[o["site"]] if "site" in o else -1 for o in wanted or ()))
            latest[number] = t
        return result

    def vec(self, t: int) -> dict[int, int]:
        """The loops that were running at event t, with their iterations so far."""
        return dict(map(tuple, self.info["vecs"][int(self.events["vec"][t])]))

    def series(self, site: int) -> dict[str, Any] | None:
        """The numbers that an assignment gave over the whole run, thinned."""
        return self.info.get("series", {}).get(str(site))
