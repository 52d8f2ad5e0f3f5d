"""Functions that make one round together, with parameters that nobody makes: a forward pass, a cost, a way back.

Their arguments' names say what is handed on; what they do not say is tried. The parameters take the shapes that the
forward pass asks for.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, permutations, product
from typing import Any

import numpy as np

from byhand.diagnosis.check.arguments import default, kind, own_names, returned_names
from byhand.diagnosis.check.claims import THING, Array, Claim, draw, is_gradient_of, is_named
from byhand.diagnosis.check.defined import File, counts, is_tame, names_gradients, needed
from byhand.diagnosis.check.families import CALLED, Family, Scope, claim_of, shaped, usable
from byhand.diagnosis.check.inputs import DATA, Guess
from byhand.diagnosis.check.names import TARGET, is_marked

_COST = rf"{CALLED}|(?<![a-z])(mse|sse|bce|nll)"
LOSSES = {
    "cross-entropy": "-np_.sum(y_ * np_.log({0}))",
    "binary cross-entropy": "-np_.sum(y_ * np_.log({0}) + (1 - y_) * np_.log(1 - {0}))",
    "the squared error": "np_.sum(({0} - y_) ** 2)",
}
"""What a way back may be meant for, where the file has no cost, or where it is not that of the file's own."""
_OPEN = 2
"""Up to so many arguments of one function are found by trying."""
_NUMBER = "7"
_CLAIMS = 300
"""So many rounds are tried for one start and one way back."""


def rounds(file: File, scope: Scope) -> Iterator[Family]:
    """For each way back the rounds that it may be the end of."""
    fit = {n: f for n, f in scope.functions.items() if is_tame(f) and not counts(f, file.functions)}
    ends = [f for n, f in fit.items() if is_marked(n) or names_gradients(f)]
    for back in (f for f in ends if len(needed(f)) > (not scope.owner)):
        words = set(back.name.split("_"))
        starts = sorted((f for f in fit.values() if f not in ends), key=lambda f: -len(words & set(f.name.split("_"))))
        for there in starts:
            if claims := usable(file, islice(_rounds(file, scope, there, back), _CLAIMS)):
                yield Family(scope.unit(back.name), claims, is_sure=False)


def proven(family: Family, right: Collection[Sequence[str]]) -> Family:
    """The same with a forward pass and a cost that another gradient has shown to belong together.

    So it can be wrong though nothing in it is right; else the cost may only be looked at, and another one meant.
    """
    return Family(family.unit, [c for c in family.claims if is_named(c) and c.functions[:2] in right])


def _rounds(file: File, scope: Scope, there: ast.FunctionDef, back: ast.FunctionDef) -> Iterator[Claim]:
    """Rounds that begin with one function; none where a way back of no object has no name in common with it."""
    given = {a.lower() for a in (*own_names(there), *returned_names(there))}
    costs = [c for c in _costs(file, scope) if c[1] not in (there, back)]
    is_no_start = there.name.startswith("__") or re.search(_COST, there.name, re.I)
    if is_no_start or not (scope.owner or given & {a.lower() for a in needed(back)}):
        return
    guesses = shaped(scope, there, file) or list(_of_one_thing(scope, there))
    for guess, choice in product(guesses, _choices(there)):
        own = {guess.bundle: THING} if guess.bundle else {}
        call = scope.call(there.name, {**{a: f"{a}_" for a in guess.values}, **own, **choice})
        with contextlib.suppress(Exception):
            claim = replace(claim_of(file, scope, (there.name,), guess, f"out_ = {call}\n", ""), may_lack=True)
            out = claim.run(file, lines=claim.forward)["out_"]
            yield from _ended(file, scope, claim, there, back, costs, out, own)


def _of_one_thing(scope: Scope, there: ast.FunctionDef) -> Iterator[Guess]:
    """Inputs, beside the one thing that all parameters lie in."""
    names = needed(there)
    if scope.held and not scope.owner and not scope.is_module and len(names) == 2:
        for setting, (data, bundle) in product(DATA, (names, names[::-1])):
            if setting.outputs == scope.outputs:
                yield Guess({data: setting.data[0]}, [], bundle=bundle)


def _costs(file: File, scope: Scope) -> list[tuple[Scope, ast.FunctionDef]]:
    """What may be the loss: functions of the file and of the object that are called so."""
    own = [(s, f) for s in (scope, Scope(file.functions)) for f in s.functions.values() if s is scope or scope.owner]
    return [
        (s, f)
        for s, f in own
        if re.search(_COST, f.name, re.I) and not is_marked(f.name) and is_tame(f) and not counts(f, file.functions)
    ]


def _ended(
    file: File,
    scope: Scope,
    claim: Claim,
    there: ast.FunctionDef,
    back: ast.FunctionDef,
    costs: Sequence[tuple[Scope, ast.FunctionDef]],
    out: Any,
    own: Mapping[str, str],
) -> Iterator[Claim]:
    """The round with each cost, and all that the way back may be handed."""
    parts = {"out_": out} if not isinstance(out, tuple) else {f"out_[{k}]": part for k, part in enumerate(out)}
    called = dict(zip(returned_names(there), parts, strict=False))
    usual = {a: default(there, a) for a in own_names(there)}
    known = {_key(a): ast.unparse(value) for a, value in usual.items() if value is not None}
    known |= {_key(a.removesuffix("_")): a for a in claim.given if a.isidentifier()}
    known |= {_key(name): text for name, text in (*called.items(), *own.items())}
    arrays = {text: part for text, part in parts.items() if isinstance(part, np.ndarray) and part.ndim}
    goals = {
        a: (f"goal_{n}_", n) for a in needed(back) for n in called if is_gradient_of(a, n) and _key(a) not in known
    }
    sent = {f"goal_{n}_": draw(*np.shape(parts[called[n]])) for _, n in goals.values()}
    more = "".join(f" + np_.sum({goal} * {called[n]})" for goal, n in goals.values())
    for text, prediction in reversed(arrays.items()):
        open_to = [text, *own.values()]
        ends = [(s.unit(c.name), list(_calls(file, s, c, known, open_to)), _numbers(file, c)) for s, c in costs]
        for unit, losses, numbers in ends or [("", [loss.format(text) for loss in LOSSES.values()], {})]:
            handed = (
                {_key(a): n for a, n in numbers.items()} | known | {_key(a): goal for a, (goal, _) in goals.items()}
            )
            results = list(_calls(file, scope, back, handed, [*parts, *own.values()]))
            for target, loss, result in product(_targets(prediction), losses, results):
                yield replace(
                    claim,
                    functions=(*claim.functions, *filter(None, [unit]), scope.unit(back.name)),
                    given={**claim.given, "y_": target, **sent},
                    forward=f"{claim.forward}loss_ = {loss}{more}\n",
                    backward=f"result_ = {result}\n",
                    labels=tuple(returned_names(back)),
                    prediction=text if unit else "",
                )


def _calls(
    file: File, scope: Scope, function: ast.FunctionDef, known: Mapping[str, str], open_to: Sequence[str]
) -> Iterator[str]:
    """Calls of a function: what is known by its name, the target, numbers, and something for what is left."""
    given = {a: known[_key(a)] for a in own_names(function) if _key(a) in known}
    given |= {a: "y_" for a in needed(function) if a not in given and re.fullmatch(TARGET, a.lower())}
    given |= {a: text for a, text in _numbers(file, function).items() if a not in given}
    left = [a for a in needed(function) if a not in given]
    for texts in permutations(open_to, len(left)) if len(left) <= _OPEN else ():
        found = given | dict(zip(left, texts, strict=True))
        yield scope.call(function.name, {a: found[a] for a in own_names(function) if a in found})


def _key(name: str) -> str:
    """Under what something is known: P and p are two things, AL and al are one."""
    return name if len(name) == 1 else name.lower()


def _numbers(file: File, function: ast.FunctionDef) -> dict[str, str]:
    """A number for each argument that is one."""
    rest = [a for a in needed(function) if not re.fullmatch(TARGET, a.lower())]
    return {a: _NUMBER for a in rest if kind(function, a, file.functions) in ("rate", "size")}


def _targets(prediction: Array) -> list[Array]:
    """What a prediction should be: one class for each sample, where it holds shares; else zeros and ones."""
    for axis, n in enumerate(prediction.shape):
        if n > 1 and np.allclose(prediction.sum(axis=axis), 1):
            samples = np.delete(prediction.shape, axis)
            classes = np.arange(np.prod(samples, dtype=int)).reshape(samples) % n
            return [np.moveaxis(np.eye(n)[classes], -1, axis)]
    return [(np.arange(prediction.size) % 3 == 1).reshape(prediction.shape).astype(float)]


def _choices(function: ast.FunctionDef) -> list[dict[str, str]]:
    """What a function's texts may be: those that it compares them with, and another one."""
    texts = [
        a
        for a in own_names(function)
        if isinstance(d := default(function, a), ast.Constant) and isinstance(d.value, str)
    ]
    found: dict[str, set[str]] = {a: {"'another'"} for a in texts}
    for n in ast.walk(function):
        if isinstance(n, ast.Compare) and ast.unparse(n.left) in found and isinstance(n.comparators[0], ast.Constant):
            found[ast.unparse(n.left)].add(repr(n.comparators[0].value))
    return [dict(zip(found, values, strict=True)) for values in product(*(sorted(v) for v in found.values()))]
