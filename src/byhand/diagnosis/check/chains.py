"""Functions that hand each other what they return, by the names that they themselves give it, as claims."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from byhand.diagnosis.check.arguments import called_with, default, kind, own_names, returned_names
from byhand.diagnosis.check.claims import THING, Claim, held_in, matched
from byhand.diagnosis.check.defined import File, makes_parameters, needed
from byhand.diagnosis.check.inputs import DATA, Setting

_HIDDEN = ((5,), (5, 6))
"""Sizes of the hidden layers: one, or two."""
_BACK = r"(?i)back|retro|grad"
_COST = r"(?i)cost|loss|err|perte|co[uû]t|kosten|custo|perda|fehler|verlust|entropy"
"""How a function is called whose value is what the training makes smaller."""
_UPDATE = r"(?i)update|step|descent|maj"
_NO_PART = r"update|predict|plot|load|train|model"
"""How functions are called that are no part of one round."""
_GIVEN = {r"x\w{0,6}|inputs?|data|features": "X_", r"y\w{0,6}|targets?|labels?|t": "Y_"}


def chains(file: File) -> Iterator[Claim]:
    """A round of a file's functions for each that goes back: with its loss, where one of them gives it.

    A claim that has no `loss_` can only be run as a training.
    """
    for last in (f for name, f in file.functions.items() if re.search(_BACK, name)):
        for setting, hidden in product(DATA, _HIDDEN):
            for maker in file.functions.values():
                chain = _Chain(file, setting, hidden)
                with contextlib.suppress(Exception):
                    if chain.starts(maker):
                        yield chain.claim(last)


class _Chain:
    """One round of a file's functions, each called with what the ones before it have returned."""

    def __init__(self, file: File, setting: Setting, hidden: Sequence[int]) -> None:
        self.file, self.setting, self.hidden = file, setting, hidden
        every = [(f, a) for f in file.functions.values() for a in own_names(f)]
        self.defaults = {a: ast.unparse(value) for f, a in every if (value := default(f, a)) is not None}
        self.known: dict[str, str] = {}
        self.used: set[str] = set()
        self.start = ""
        self.is_list = False

    def starts(self, maker: ast.FunctionDef) -> bool:
        """Whether a function makes the parameters."""
        if not makes_parameters(self.file, maker):
            return False
        names = returned_names(maker)
        call = f"{maker.name}({called_with(self.file.functions, maker, None, self.setting.outputs, [], self.hidden)})"
        self.is_list = len(names) > 1
        self._keep(names, THING)
        self.start = f"{THING} = {f'list({call})' if self.is_list else call}\n"
        self.used.add(maker.name)
        return True

    def claim(self, last: ast.FunctionDef) -> Claim:
        """The round that ends with a function which gives gradients.

        Raises
        ------
        ValueError
            When it can't be reached, or its parameters have no gradients and nothing steps them.
        """
        forward, back = self._until(last)
        given = dict(zip(("X_", "Y_"), self.setting.data, strict=True))
        held = held_in(self.file, self.start, given)
        costs = [name for name in self.used if f"loss_ = {name}(" in forward]
        claim = Claim((*costs, last.name), {**given, **held}, tuple(held), forward, f"result_ = {back}\n", self.start)
        self._keep(returned_names(last), "result_")
        update = next((f for name, f in self.file.functions.items() if re.search(_UPDATE, name)), None)
        call = self._call(update) if update is not None else None
        if update is not None and call is not None and _returns(update):
            call = f"{THING} = {f'list({call})' if self.is_list else call}"
        claim = replace(claim, steps=f"{call}\n" if call else "")
        with contextlib.suppress(ValueError):
            return matched(self.file, claim)
        if not call:
            raise ValueError(last.name)
        return claim

    def _until(self, last: ast.FunctionDef) -> tuple[str, str]:
        """The lines of one round, and the call of `last`."""
        lines = ""
        parts = [f for f in self.file.functions.values() if f is not last and (returned_names(f) or _is_cost(f))]
        parts = [f for f in parts if re.search("(?i)forward", f.name) or not re.search(_NO_PART, f.name)]
        while (back := self._call(last)) is None:
            ready = ((f, self._call(f)) for f in parts if f.name not in self.used)
            f, text = next((f, text) for f, text in ready if text is not None)
            lines += self._line(f, text)
        for f in parts:
            if f.name not in self.used and _is_cost(f) and (call := self._call(f)) is not None:
                lines += self._line(f, call)
        return lines, back

    def _line(self, function: ast.FunctionDef, call: str) -> str:
        """A line that keeps what a function returns."""
        self.used.add(function.name)
        names = returned_names(function)
        targets = ["loss_"] if _is_cost(function) else [f"{name}_" for name in names]
        self.known |= dict(zip((name.lower() for name in names), targets, strict=False))
        return f"{', '.join(targets)} = {call}\n"

    def _keep(self, names: Sequence[str], text: str) -> None:
        """Something is known by its name, or its parts by theirs."""
        parts = [text] if len(names) == 1 else [f"{text}[{k}]" for k in range(len(names))]
        self.known |= dict(zip((name.lower() for name in names), parts, strict=True))

    def _call(self, function: ast.FunctionDef) -> str | None:
        """The call of a function; None as long as one of its arguments is missing."""
        given = {}
        for name in own_names(function):
            key = name.lower()
            data = next((text for pattern, text in _GIVEN.items() if re.fullmatch(pattern, key)), None)
            if (known := self.known.get(key, data)) is not None:
                given[name] = known
            elif name in needed(function):
                if kind(function, name, self.file.functions) != "rate":
                    return None
                given[name] = self.defaults.get(name, "0.05")
        return f"{function.name}({', '.join(f'{a}={text}' for a, text in given.items())})"


def _returns(function: ast.FunctionDef) -> bool:
    return any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(function))


def _is_cost(function: ast.FunctionDef) -> bool:
    """Whether it is called as what a training makes smaller, and gives one thing."""
    return re.search(_COST, function.name) is not None and len(returned_names(function)) <= 1
