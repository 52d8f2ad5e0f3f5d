"""A function beside its derivative: an activation and its slope, a loss and what it gives for the prediction.

Their names say which belong together; in which order they take what, and of what the slope is taken (of the input, of
the output, of the scores before a softmax), is found by trying.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product

import numpy as np

from byhand.activations import ACTIVATIONS
from byhand.diagnosis.check import differences
from byhand.diagnosis.check.arguments import default, kind, own_names
from byhand.diagnosis.check.claims import THING, Array, Claim, Kind, draw
from byhand.diagnosis.check.defined import File, is_tame, methods_of, needed
from byhand.diagnosis.check.families import Family, Scope
from byhand.diagnosis.check.inputs import BEFORE, PREDICTIONS
from byhand.diagnosis.check.names import TARGET, is_marked, is_slope_of, plain

_INPUTS = (draw(7, 4), np.abs(draw(7, 4)) + 0.05)
"""Of both signs; positive, for what is not defined elsewhere."""
_EACH = ("{}", "np_.vectorize({})")
"""How a function is called: with an array, or with each of its numbers."""


@dataclass(frozen=True)
class _Pair:
    """How two functions are called that belong together, and what they must be given."""

    names: tuple[str, ...]
    there: str
    slope: str
    taken: Sequence[str]
    more: Sequence[str]
    start: str
    has_two: bool = False
    """Whether it takes two arrays; what else it takes is a number."""
    end: str = ")"
    """How the call of the slope ends: with the flag that asks for it, if there is one."""

    def claim(self, given: dict[str, Array], forward: str, arguments: Sequence[str], kind: Kind) -> Claim:
        back = f"result_ = 1.0 * np_.asarray({self.slope}({', '.join(arguments)}{self.end})\n"
        gradients: dict[str, tuple[str, ...]] = {"x_": ("result_",)}
        return Claim(self.names, given, ("x_",), forward, back, self.start, kind=kind, gradients=gradients)


def slopes(file: File) -> Iterator[tuple[Family, Scope]]:
    """What the file's functions, and the methods that need nothing of their object, claim to be slopes of."""
    bare = [Scope(methods_of(c), name, f"{THING} = object.__new__({name})\n") for name, c in file.classes.items()]
    for scope in (Scope(file.functions), *bare):
        for name, function in scope.functions.items():
            if not name.startswith("__") and _is_pure(file, scope, function):
                pairs = list(_pairs(file, scope, name))
                for pair in pairs:
                    tried = (_usable(file, _claims(pair, each, x)) for x, each in product(_INPUTS, _EACH))
                    claims = next((found for found in tried if found), [])
                    is_sure = len(pairs) == 1 and all(c.kind == "loss" or _is_elementwise(file, c) for c in claims)
                    if claims:
                        yield Family(scope.unit(name), claims, is_sure), scope


def _pairs(file: File, scope: Scope, name: str) -> Iterator[_Pair]:
    """What one function is the slope of: another one, one of NumPy's, or itself without its flag."""
    function, behind = scope.functions[name], f"{THING}." if scope.owner else ""
    slope, more, unit = behind + name, needed(function), scope.unit(name)
    flag = next((a for a in own_names(function) if _is_flag(function, a)), "")
    if flag:
        yield _Pair((unit,), slope, slope, more, more, scope.start, end=f", {flag}=True)")
    others = [n for n in scope.functions if n != name and is_slope_of(name, n)]
    for n in others:
        if _is_pure(file, scope, scope.functions[n]):
            taken = needed(node := scope.functions[n])
            has_two = sum(kind(node, a, file.functions) == "array" for a in taken) <= 2 <= len(taken)
            yield _Pair((scope.unit(n), unit), behind + n, slope, taken, more, scope.start, has_two)
    known = getattr(np, plain(name), None)
    if others or flag or plain(name) == name.lower().replace("_", ""):
        return
    if isinstance(known, np.ufunc) and known.nin == 1:
        yield _Pair((unit,), f"np_.{plain(name)}", slope, ["x"], more, scope.start)
    elif plain(name) in ACTIVATIONS:
        yield _Pair((unit,), f"known_[{plain(name)!r}]", slope, ["x"], more, scope.start)


def _claims(pair: _Pair, each: str, x: Array) -> Iterator[Claim]:
    """The readings: of one argument, with or without what is sent back; of a prediction and its target."""
    out = f"{each.format(pair.there)}(x_.copy())"
    if len(pair.taken) == len(pair.more) == 1:
        alone = _Pair(pair.names, pair.there, each.format(pair.slope), pair.taken, pair.more, pair.start, end=pair.end)
        for argument in ("x_", out):
            yield alone.claim({"x_": x}, f"loss_ = np_.sum({out})\n", [argument], "slope")
    elif len(pair.taken) == 1 and len(pair.more) == 2:
        for argument in ("x_", out):
            for order in permutations((argument, "goal0_")):
                given = {"x_": x, "goal0_": draw(*x.shape)}
                yield pair.claim(given, f"loss_ = np_.sum(goal0_ * {out})\n", order, "slope")
    elif pair.has_two and len(pair.taken) <= len(pair.more) <= len(pair.taken) + 1:
        yield from _of_predictions(pair)


def _of_predictions(pair: _Pair) -> Iterator[Claim]:
    """A loss of a prediction, of which the slope is taken, and a target; what else it takes is a number."""
    places = range(len(pair.taken))
    taken, more = ([a.lower() for a in names] for names in (pair.taken, pair.more))
    targets = [k for k in places if re.fullmatch(TARGET, taken[k])]
    orders = [(p, t) for p, t in permutations(places, 2) if len(targets) != 1 or t == targets[0]]
    for before, (x, y), (p, t) in product(BEFORE, PREDICTIONS, orders):
        texts = ["p_" if k == p else "y_" if k == t else "7.0" for k in places]
        swapped = ["y_" if k == p else "p_" if k == t else "7.0" for k in places]
        forward = f"p_ = {before.format('x_')}\nloss_ = np_.sum({pair.there}({', '.join(texts)}))\n"
        has_scores = len(more) > len(taken)  # as delta(z, a, y) has
        by_name = [[texts[taken.index(a)] if a in taken else "x_" for a in more]] if set(more) >= set(taken) else []
        for order in by_name or ([] if has_scores else [texts, swapped]):
            claim = pair.claim({"x_": x, "y_": y}, forward, order, "loss")
            yield replace(claim, is_loose=before != BEFORE[0] and not has_scores, prediction="p_")


def _usable(file: File, claims: Iterator[Claim]) -> list[Claim]:
    """Those that run, give something of the size, and all of which what is sent back multiplies."""
    found = []
    for claim in claims:
        with contextlib.suppress(Exception):
            once, twice = (claim.run(file, {n: k * v for n, v in claim.given.items() if n == "goal0_"}) for k in (1, 2))
            size, told = np.size(claim.given["x_"]), np.size(once["result_"])
            is_linear = "goal0_" not in claim.given or np.allclose(2 * once["result_"], twice["result_"])
            if claim.kind == "slope" and isinstance(claim.run(file, lines=_output(claim))["out_"], tuple):
                continue  # it gives more than its output: its way back takes what it has kept
            is_finite = np.isfinite(once["loss_"] + np.sum(once["result_"]))
            if is_linear and is_finite and told in (1, size) and _grows(file, claim):
                found.append(claim)
    return found


def _grows(file: File, claim: Claim) -> bool:
    """Whether the loss clearly hangs on what its slope is taken of."""
    x = claim.given["x_"]
    found = differences.slopes(
        lambda new: claim.loss(file, {"x_": new}), x, [np.cos(np.arange(x.size)).reshape(x.shape)]
    )
    return found is not None and abs(found[0]) > differences.NEAR


def _output(claim: Claim) -> str:
    """The lines that give the output itself."""
    return re.sub(r"loss_ = np_.sum\((goal0_ \* )?", "out_ = (", claim.forward)


def _is_elementwise(file: File, claim: Claim) -> bool:
    """Whether each output hangs on one input: else what stands here may be a part of the derivative."""
    text = _output(claim)
    other = np.array(claim.given["x_"])
    other[0, 0] += 0.01
    one, two = (np.asarray(claim.run(file, {"x_": x}, lines=text)["out_"]) for x in (claim.given["x_"], other))
    return one.shape == other.shape and np.array_equal(one.ravel()[1:], two.ravel()[1:])


def _is_flag(function: ast.FunctionDef, argument: str) -> bool:
    """Whether an argument asks for the derivative."""
    given = default(function, argument)
    is_off = isinstance(given, ast.Constant) and given.value is False
    return is_off and is_marked(argument)


def _is_pure(file: File, scope: Scope, function: ast.FunctionDef) -> bool:
    """Whether it ends by itself, and what it gives hangs on nothing but what it takes."""
    used = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
    own = {*own_names(function), *(n.id for n in used if isinstance(n.ctx, ast.Store))}
    loaded = {n.id for n in used} - own
    read = [n for n in ast.walk(function) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "self"]
    values = [file.names.get(n) for n in loaded if not hasattr(builtins, n)]
    return (
        is_tame(function)
        and all(n.attr in scope.functions for n in read)
        and not any(isinstance(v, np.ndarray | list) for v in values)
    )
