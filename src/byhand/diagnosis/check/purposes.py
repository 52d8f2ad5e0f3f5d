"""Functions that have a purpose of their own beside training: each is run, and held against what is known of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import combinations, cycle, islice, permutations
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.check import grouped, known, measured
from byhand.diagnosis.check.arguments import default, own_names
from byhand.diagnosis.check.claims import THING
from byhand.diagnosis.check.defined import File, is_tame, methods_of
from byhand.diagnosis.check.inputs import options
from byhand.diagnosis.check.known import Holds, Purpose, same
from byhand.diagnosis.check.lines import returned_at
from byhand.diagnosis.check.repairs import repairs

PURPOSES = tuple(
    sorted(
        (p for table in (*known.ALL, *measured.TABLES, *grouped.TABLES) for p in table()),
        key=lambda p: -p.count,
    )
)
"""Those first that take most."""
_TRIALS = 8
_MANY = 100
"""So many things are taken of what gives one after the other."""
_LEFT = r"(?i)eps\w*|axis|seed|rng|dtype|random_state|shuffle|drop_last|verbose|\w*folds|cv"
"""How an argument may be called that is left as it is by default."""
_FIT = ("fit", "train")
_COUNTS = r"(?i)\w*(epoch|iter|rounds)\w*|\w*steps"
_PLAIN = (
    r"(?i)_*((random_)?mini_?batch(es)?|one_?hot(_?enc\w*)?|to_?(one_?hot|categorical)|clip\w*|skip_?gram\w*|\w*warm_?up\w*"
    r"|knn\w*|\w*k_?folds?|train_test_split|confusion\w*|causal_mask"
    r"|(\w*_)?(dists?|distances?)(_\w*)?)"
)
"""Names that leave no doubt what a function is for: where it gives nothing that is known of that, it is not judged."""


class Taken(NamedTuple):
    """An argument: of which of the calls, under which name, and whether it may be left out."""

    place: int
    name: str
    is_needed: bool
    may_be_left: bool


class Callee(NamedTuple):
    """A function, or an object that is made, fitted and asked: calls one after the other, with all that they take."""

    units: tuple[str, ...]
    calls: tuple[str, ...]
    taken: tuple[Taken, ...]
    says: str
    """What it says of itself."""

    @property
    def name(self) -> str:
        """The name of what is asked last."""
        return self.units[-1].rpartition(".")[2]

    def run(self, file: File, given: Mapping[Taken, Any]) -> tuple[Any, bool]:
        """What the last call gives, or, where that is nothing, its arguments; and whether anything has come of it."""
        names = {f"v{k}_": deepcopy(v) for k, v in enumerate(given.values())}
        text = ""
        for place, call in enumerate(self.calls):
            handed = [f"{t.name}=v{k}_" for k, t in enumerate(given) if t.place == place]
            text += call.format(", ".join(handed)) + "\n"
        file.run(names, text)
        result = names["result_"]
        if result is None:
            after = tuple(names[f"v{k}_"] for k in range(len(given)))
            return after, not all(same(a, v) for a, v in zip(after, given.values(), strict=True))
        return (list(islice(result, _MANY)) if isinstance(result, Iterator) else result), True


class Held(NamedTuple):
    """What was found of some functions: what they give, or what is wrong with that, and at which line."""

    units: tuple[str, ...]
    says: str
    line: int = 0
    id: str = "other-than-said"
    is_open: bool = False
    """Whether it is not known what it gives, though its name says what that must be."""


def purposes(file: File) -> Iterator[Held]:
    """What is said of each function and method whose purpose is known by what it gives."""
    asked = [(callee, _held(file, callee)) for callee in _callees(file)]
    makers = [callee for callee, found in asked if found is not None and not (found.line or found.is_open)]
    asked = [(c, _held_of_another(file, c, makers) or found if _is_open(found) else found) for c, found in asked]
    every = [found for _, found in asked if found is not None]
    wrong = {found.units[-1] for found in every if found.line}
    yield from (h for h in every if not h.line or not file.behind(h.units) & wrong - {h.units[-1]})


def _is_open(found: Held | None) -> bool:
    return found is None or found.is_open


def _held_of_another(file: File, callee: Callee, makers: Sequence[Callee]) -> Held | None:
    """What a function gives that takes one thing, where that is what another one gives, of which it is known."""
    needed = [t for t in callee.taken if t.is_needed]
    for maker in makers if len(needed) == len(callee.units) == 1 else ():
        if len(maker.units) == 1 and maker.units != callee.units:
            made, last = maker.calls[0].replace("result_", "made_", 1), f"{callee.name}({needed[0].name}=made_, {{}})"
            rest = tuple(t._replace(place=1) for t in callee.taken if not t.is_needed)
            whole = Callee(
                (*maker.units, *callee.units), (made, f"result_ = {last}"), (*maker.taken, *rest), callee.says
            )
            found = _held(file, whole)
            if found is not None and not _is_open(found):
                return found
    return None


def _callees(file: File) -> Iterator[Callee]:
    for name, function in file.functions.items():
        if is_tame(function, may_yield=True) and not _trains(file, [name]):
            yield Callee((name,), (f"result_ = {name}({{}})",), tuple(_taken(function, 0)), _said(function))
    for owner, node in file.classes.items():
        methods = methods_of(node)
        fit = next((m for m in _FIT if m in methods), "")
        made = {"__init__": f"{THING} = {owner}({{}})"}
        for name, method in methods.items() if fit else ():
            before = made if name.startswith(fit) else {**made, fit: f"{THING}.{fit}({{}})"}
            calls = {**before, name: f"result_ = {THING}.{name}({{}})"}
            known = [m for m in calls if m in methods]
            units = tuple(f"{owner}.{m}" for m in known)
            if name not in before and not _trains(file, units) and all(is_tame(file.function(u)) for u in units):
                taken = tuple(t for k, m in enumerate(calls) if m in methods for t in _taken(methods[m], k))
                yield Callee(units, tuple(calls.values()), taken, _said(method))


def _trains(file: File, units: Sequence[str]) -> bool:
    """Whether some do something as often as they are told, as a training does: that is looked at elsewhere."""
    looks = _asks(file, units, "argmin|svd|eig")  # for groups, or for axes
    return not looks and any(_is_told(file.function(unit)) for unit in units)


def _is_told(function: ast.FunctionDef) -> bool:
    is_told = any(re.fullmatch(_COUNTS, a) for a in own_names(function))
    loops = any(isinstance(n, ast.For) for n in ast.walk(function))
    return is_told and (loops or function.name == "__init__")


def _asks(file: File, units: Iterable[str], word: str) -> bool:
    """Whether something is read in some functions, or in what they call."""
    return any(re.search(word, ast.unparse(file.function(u))) for u in file.behind([*units]))


def _said(function: ast.FunctionDef) -> str:
    return f"{function.name} {ast.get_docstring(function) or ''}"


def _taken(function: ast.FunctionDef, place: int) -> Iterator[Taken]:
    for a in own_names(function):
        given = default(function, a)
        is_nothing = isinstance(given, ast.Constant) and given.value is None
        yield Taken(place, a, given is None, given is not None and (is_nothing or bool(re.fullmatch(_LEFT, a))))


def _held(file: File, callee: Callee) -> Held | None:
    """What it gives; where its name says what it is for, it must be that."""
    every = [p for p in PURPOSES if not p.asks or _asks(file, callee.units, p.asks)]
    meant = [p for p in every if re.search(p.called, callee.name)]
    for purpose in meant or every:
        if any(_holds(file, callee, order, purpose, purpose.holds) for order in _orders(callee, purpose)):
            return Held(callee.units, purpose.says)
    slips = [(p, slip) for p in every for slip in p.slips if re.search(slip.called, callee.says)]
    for purpose, slip in slips:
        for order in _orders(callee, purpose):
            if _holds(file, callee, order, purpose, slip.holds):
                line = _stands(file, callee, slip.stands) or _line(file, callee, order, purpose)
                return Held(callee.units, f"{callee.name} {slip.says}.", line)
    if re.fullmatch(_PLAIN, callee.name):
        return Held(callee.units, "it gives none of what I know that is called so", is_open=True)
    return None


def _orders(callee: Callee, purpose: Purpose) -> Iterator[tuple[Taken, ...]]:
    """What may be which of the arguments of a purpose: all that it needs is given, and all that changes much."""
    needed = [t for t in callee.taken if t.is_needed]
    more = purpose.count - len(needed)
    optional = [t for t in callee.taken if not t.is_needed]
    for chosen in combinations(optional, more) if more >= 0 else ():
        if purpose.takes_rest or all(t.may_be_left for t in optional if t not in chosen):
            for order in permutations([*needed, *chosen]):
                if all(re.fullmatch(pattern, order[k].name) for k, pattern in purpose.roles.items()):
                    yield order


def _holds(file: File, callee: Callee, order: tuple[Taken, ...], purpose: Purpose, holds: Holds) -> bool:
    """Whether something is so of what comes back, each time; it need not come to anything each time."""
    has_come = False
    for seed in range(_TRIALS):
        drawn = purpose.draw(np.random.default_rng(seed))
        given = tuple(_with_keys(file, callee, t, value) for t, value in zip(order, drawn, strict=True))
        try:
            result, is_new = callee.run(file, dict(zip(order, deepcopy(given), strict=True)))
            if not holds(result, *given):
                return False
        except Exception:
            return False
        has_come |= is_new
    return has_come


def _with_keys(file: File, callee: Callee, taken: Taken, value: Any) -> Any:
    """A table under the keys that are read of it."""
    keys = options(file.function(callee.units[-1]), taken.name, file.functions) if isinstance(value, dict) else None
    return dict(zip(keys, cycle(value.values()), strict=False)) if keys else value


def _stands(file: File, callee: Callee, text: str) -> int:
    """The line of the one statement that has something; 0 where there are none, or several."""
    inside = [n for unit in callee.units for n in ast.walk(file.function(unit))] if text else []
    lines = [n.lineno for n in inside if isinstance(n, ast.Assign | ast.Return) and re.search(text, ast.unparse(n))]
    return lines[0] if len(lines) == 1 else 0


def _line(file: File, callee: Callee, order: tuple[Taken, ...], purpose: Purpose) -> int:
    """The line of a change that makes it right; else the last one that makes what is returned."""
    function = file.function(callee.units[-1])
    behind = sorted(file.behind(callee.units) - {callee.units[-1]})
    found = repairs(file, [callee.units[-1], *behind], lambda: _holds(file, callee, order, purpose, purpose.holds), 0)
    if found:
        return found[0].line
    returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    filled = {f"{n.id}.append" for value in returned for n in ast.walk(value) if isinstance(n, ast.Name)}
    calls = [n.lineno for n in ast.walk(function) if isinstance(n, ast.Call) and ast.unparse(n.func) in filled]
    yields = [n.lineno for n in ast.walk(function) if isinstance(n, ast.Yield)]
    return max([*calls, *yields, returned_at(function) if returned else function.lineno])
