"""The claims that a file makes: a loss with its gradients, a gradient beside its loss, a way there and back.

Each stands among functions that see the same parameters: a file's, whose parameters are arguments, or the methods of
an object that holds them. What an argument is for is found by trying: sizes are pairwise different, and a guess counts
only if the call runs, no two arrays stretch each other, and each gradient has its parameter's size.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain, islice, permutations, product
from typing import Any, TypeAlias, TypeGuard

import numpy as np

from byhand.diagnosis.check.arguments import EPOCHS, called_with, default, is_left_out, kind, own_names, returned_names
from byhand.diagnosis.check.claims import (
    THING,
    Array,
    Claim,
    arrays_of,
    draw,
    held_in,
    is_gradient_of,
    is_named,
    matched,
    written,
)
from byhand.diagnosis.check.defined import (
    File,
    counts,
    is_gradient_name,
    is_tame,
    makes_parameters,
    methods_of,
    names_gradients,
    needed,
    reached,
)
from byhand.diagnosis.check.differences import NEAR, slopes, told_by
from byhand.diagnosis.check.inputs import (
    BEFORE,
    DATA,
    LAYERS,
    LAYOUTS,
    SAMPLES,
    TARGETS,
    Guess,
    guesses,
    is_target,
    options,
)
from byhand.diagnosis.check.names import TARGET, is_marked, is_slope_of
from byhand.diagnosis.check.recorded import handed
from byhand.diagnosis.check.shaping import MADE, MANY, Hint, asked_texts, hint, parts_of, shapings

_GUESSES = 400
"""How many a function is tried with."""
_CLASSES = 20
"""Of so many what is called a target holds classes, too."""
_SHAPED = 200
"""How many are kept where nothing was known."""
_KEPT = 2
"""Up to so many things that a way back takes besides are found by trying."""
CALLED = r"cost|loss|err|perte|co[uû]t|kosten|custo|perda|fehler|verlust|entropy|obj"
_FILLERS = rf"compute|calculate|calc|get|eval|{CALLED}|gradients?|grads?|functions?|func|fn|fct|of|the|derivative|d"
_BACK = r"(?i)back|retro"
Numbers: TypeAlias = tuple[float, float]
_NUMBERS: tuple[Numbers, ...] = ((2, 2), (1, 1), (0.5, 0.5), (2, 1), (1, 2))
"""Strides, margins, probabilities: what all numbers are, and the last one of several."""


@dataclass(frozen=True)
class Scope:
    """Functions that see the same parameters.

    Attributes
    ----------
    functions : dict
    owner : str
        The class; "" for the file's own functions.
    start : str
        The line that makes the object.
    given : dict
        The object's parameters, and what it is made of.
    outputs : int
        Of the object that is made; 0 when it takes no number of them.
    unknown : dict
        What the object is made of, where nothing is known of that.
    is_module : bool
        Whether the parameters are the file's own names, which its functions read.
    """

    functions: Mapping[str, ast.FunctionDef]
    owner: str = ""
    start: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    outputs: int = 0
    unknown: Mapping[str, Hint] = field(default_factory=dict)
    is_module: bool = False

    @property
    def held(self) -> tuple[str, ...]:
        """The parameters that the object holds."""
        return tuple(name for name in self.given if not name.isidentifier())

    def unit(self, name: str) -> str:
        """A function's full name."""
        return f"{self.owner}.{name}" if self.owner else name

    def call(self, name: str, given: Mapping[str, str]) -> str:
        """The text of a call; with a star it has no names."""
        function = f"{THING}.{name}" if self.owner else name
        has_star = self.functions[name].args.vararg is not None
        return f"{function}({', '.join(text if has_star else f'{a}={text}' for a, text in given.items())})"


@dataclass(frozen=True)
class Family:
    """Claims about the same functions, one for each guess: right under one of them is right.

    Attributes
    ----------
    claims : iterable of Claim
    is_sure : bool
        Whether it can only be meant so: else it isn't wrong under any guess.
    is_one_of_many : bool
        Whether it must be right with others of the same unit.
    """

    unit: str
    claims: Iterable[Claim]
    is_sure: bool = True
    is_one_of_many: bool = False


def scopes(file: File) -> Iterator[list[Scope]]:
    """The file's functions, by themselves and with what one of them makes; for each class the objects made of it."""
    makers = [maker for maker in file.functions.values() if makes_parameters(file, maker)]
    read = {n.id for f in file.functions.values() for n in ast.walk(f) if isinstance(n, ast.Name)}
    own = {f"({name})": draw(*np.shape(v)) for name, v in file.names.items() if name in read and _is_float(v)}
    readers = {
        n for n, f in file.functions.items() if any(f"({x.id})" in own for x in ast.walk(f) if isinstance(x, ast.Name))
    }
    using = {n: f for n, f in file.functions.items() if reached(file.functions, [n]) & readers}
    whole = [Scope(using, given=own, is_module=True)] if own else []
    yield [Scope(file.functions), *whole, *(scope for maker in makers for scope in _made(file, maker))]
    for node in file.classes.values():
        if not {"__add__", "__mul__"} <= set(methods_of(node)):
            yield list(_objects(file, node))


def _made(file: File, maker: ast.FunctionDef) -> Iterator[Scope]:
    """The file's functions, with parameters that lie in one thing, a list in the place of a tuple."""
    for outputs in (3, 1):
        start = f"{THING} = {maker.name}({called_with(file.functions, maker, None, outputs)})\n"
        start += f"{THING} = list({THING}) if isinstance({THING}, tuple) else {THING}\n"
        with contextlib.suppress(Exception):
            yield Scope(file.functions, "", start, held_in(file, start, {}), outputs)


def _objects(file: File, node: ast.ClassDef) -> Iterator[Scope]:
    """Objects, made of sizes, of arrays, or of the numbers of a convolution."""
    init = methods_of(node).get("__init__")
    taken = needed(init) if init is not None else []
    made = []
    for outputs in (3, 1):
        arguments = called_with(file.called, init, node, outputs) if init is not None else ""
        if arguments is not None:
            made += list(_object(file, node, arguments, {}, outputs))
    yield from made
    if init is not None and (taken or not made):
        yield from _unmade(file, node, init)


def _unmade(file: File, node: ast.ClassDef, init: ast.FunctionDef) -> Iterator[Scope]:
    """Objects that are made of what their methods ask for: sizes and arrays; what else may be a number is one."""
    kinds = {a: kind(init, a, file.called, node) for a in own_names(init)}
    kinds |= {a: "size" for a, what in kinds.items() if what == "unknown" and (_whole(default(init, a)) or 0) > 2}
    small = {a: 2 if value == 1 else 1 for a in kinds if (value := _whole(default(init, a))) in (0, 1)}
    kinds = {
        a: what
        for a, what in kinds.items()
        if (what in ("size", "sizes") and a not in small) or default(init, a) is None
    }
    known = {"rate": "0.3", "sizes": "[4, 5, 3]", "flag": "False", "generator": "np_.random.default_rng(0)"}
    if set(kinds.values()) & {"text", "function"}:
        return
    for number in ("2", "") if "unknown" in kinds.values() else ("",):
        texts = {
            a: known.get(what) or (number if what == "unknown" else "") or f"{a}{MADE}" for a, what in kinds.items()
        }
        unknown = {text: hint(file, node, a, kinds[a]) for a, text in texts.items() if text.endswith(MADE)}
        for more in (small, {}) if small else ({},):
            exact = {a: "np_.float64" for a in own_names(init) if a == "dtype"}  # in single precision nothing shows
            given = ", ".join(f"{a}={text}" for a, text in {**texts, **more, **exact}.items())
            yield Scope(methods_of(node), node.name, f"{THING} = {node.name}({given})\n", unknown=unknown)


def _whole(value: ast.expr | None) -> int | None:
    """The whole number that a default value is."""
    with contextlib.suppress(Exception):
        number = eval(ast.unparse(value), {}) if value is not None else None
        return number if type(number) is int else None
    return None


def _object(
    file: File, node: ast.ClassDef, arguments: str, given: Mapping[str, Any], outputs: int = 0
) -> Iterator[Scope]:
    """An object, its parameters drawn anew; nothing when it can't be made so."""
    start = f"{THING} = {node.name}({arguments})\n"
    with contextlib.suppress(Exception):
        held = held_in(file, start, given)
        if all(a.size < MANY for a in held.values()):
            yield Scope(methods_of(node), node.name, start, {**given, **held}, outputs)


def families(file: File, scope: Scope) -> Iterator[Family]:
    """All that the functions of a scope claim."""
    if scope.owner or scope.is_module or not scope.held:
        yield from _ways(file, scope)
    for name, function in scope.functions.items():
        if is_tame(function) and not name.startswith("__"):
            is_sure = names_gradients(function) or (bool(scope.owner) and len(own_names(function)) > 1)
            sources = ((_with_options, is_sure), (_given, is_sure), (shaped, False), (_handed, False))
            for guess, sure in sources:
                given = list(guess(scope, function, file)) if is_sure or guess in (_with_options, _given) else []
                if alone := usable(file, (c for pick in (0, -1) for c in _alone(file, scope, name, pick, given))):
                    yield Family(scope.unit(name), alone, sure)
                    break
            else:
                found = list(_beside(file, scope, name))
                yield from found or (_lossless(file, scope, name) if scope.held and scope.owner else ())


def usable(file: File, claims: Iterable[Claim]) -> list[Claim]:
    """The claims whose lines run and in which most of what comes back is a gradient."""
    found = []
    for claim in claims:
        with contextlib.suppress(Exception):
            if not claim.stretches(file):
                found.append(matched(file, claim))
    found = _of_many_labels(file, found)
    most = max((len(c.gradients) for c in found), default=0)
    return [c for c in found if len(c.gradients) == most]


def _of_many_labels(file: File, claims: list[Claim]) -> list[Claim]:
    """The claims without those that have one index where several do as well, as several may be the same.

    What is indexed is a matrix, wherever it can be one.
    """
    ranks = [max(np.ndim(c.given[p]) for p in c.parameters) if _has_index(c) and c.parameters else 0 for c in claims]
    if 2 in ranks:
        claims = [c for c, rank in zip(claims, ranks, strict=True) if rank in (0, 2)]
    several = [c for c in claims if any(is_labels(v) for v in c.given.values()) and _has_loss(file, c)]
    known = {(n, _axes(c, n)) for c in several for n, v in c.given.items() if is_labels(v)}
    return [c for c in claims if not any(type(v) is int and (n, _axes(c, n)) in known for n, v in c.given.items())]


def _has_index(claim: Claim) -> bool:
    return claim.is_shaped and any(is_labels(v) or type(v) is int for v in claim.given.values())


def _axes(claim: Claim, but: str) -> tuple[tuple[str, int], ...]:
    """How many axes all has that is given, but for one thing, and for what is sent back."""
    return tuple((n, np.ndim(v)) for n, v in claim.given.items() if n != but and not n.startswith("goal"))


def is_labels(value: Any) -> bool:
    """Whether it is an array of whole numbers, which may be indices."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "i" and value.ndim > 0


def _has_loss(file: File, claim: Claim) -> bool:
    with contextlib.suppress(Exception):
        return bool(np.isfinite(claim.loss(file, {})))
    return False


# ---- a loss and its gradients


def _given(scope: Scope, function: ast.FunctionDef, file: File) -> Iterator[Guess]:
    """What a function may be called with: data and parameters, or data alone where these lie in one thing."""
    if scope.unknown:
        return
    if not scope.held and not scope.owner:
        yield from islice(guesses(function, file.functions), _GUESSES)
        return
    names = _taken(scope, function)
    for bundle in [""] if scope.owner or scope.is_module else names:
        rest = [a for a in names if a != bundle]
        for data in _data(scope):
            if len(data) == len(rest):
                yield Guess(dict(zip(rest, data, strict=True)), [], bundle=bundle)


def _with_options(scope: Scope, function: ast.FunctionDef, file: File) -> Iterator[Guess]:
    """The same with another number for what is 0 by default, where parameters lie in one thing."""
    numbers = {a: 0.3 for a in own_names(function) if is_left_out(function, a, file.functions)}
    for guess in _given(scope, function, file) if numbers and scope.held else ():
        yield replace(guess, values={**guess.values, **numbers})


def _handed(scope: Scope, function: ast.FunctionDef, file: File) -> Iterator[Guess]:
    """What the program itself calls a function with; which of it is a parameter is a guess all the same."""
    nodes = [n for u in file.behind([function.name]) for n in ast.walk(file.function(u))] if not scope.owner else []
    reads_parameters = any(isinstance(n, ast.Name) and _is_float(file.names.get(n.id)) for n in nodes)
    given = handed(file, function.name) if nodes and not scope.held and not reads_parameters else None
    if given is not None:
        yield Guess(given, [a for a, v in given.items() if _is_float(v)], is_shaped=True)


def _taken(scope: Scope, function: ast.FunctionDef) -> list[str]:
    """What a function is given: a method's second argument, too, as without one it may only give scores."""
    names = needed(function)
    return own_names(function)[:2] if scope.owner and len(names) < 2 else names


def shaped(scope: Scope, function: ast.FunctionDef, file: File) -> list[Guess]:
    """What a function may be called with of whose arguments nothing is known; found once."""
    asked = (scope.owner, scope.start, function.name)
    if asked not in file.shaped:
        numbers = {a: 0.3 for a in own_names(function) if is_left_out(function, a, file.functions)}
        found = list(islice(_shaped(scope, function, file, numbers), _SHAPED))
        without = islice(_shaped(scope, function, file, {}), _SHAPED) if numbers and not found else ()
        found = found or list(without)
        file.shaped[asked] = [*found, *(hot for guess in found[:_CLASSES] for hot in _of_classes(guess))]
    return file.shaped[asked]


def _shaped(scope: Scope, function: ast.FunctionDef, file: File, numbers: Mapping[str, float]) -> Iterator[Guess]:
    kinds = {a: kind(function, a, file.functions) for a in _taken(scope, function)}
    own = {kind(function, a, file.functions) for a in own_names(function) if default(function, a) is None}
    is_known = bool(scope.held) and not (scope.owner or scope.is_module)  # the parameters lie in one thing
    if is_known or not kinds or function.args.vararg or own & {"text", "function"} or counts(function, file.functions):
        return
    held = [n for p in scope.held for n in np.shape(scope.given[p]) if n > 1]
    known = {name: value for name, value in scope.given.items() if name.isidentifier()}
    rates = {a: 0.3 for a, what in kinds.items() if what == "rate"}
    call = scope.call(function.name, {a: f"{a}_" for a in (*kinds, *numbers)})
    for fixed in ({}, rates) if rates else ({},):  # what only multiplies may be an array after all
        names = known | {f"{a}_": v for a, v in {**fixed, **numbers}.items()}
        hints = {f"{a}_": hint(file, function, a, what) for a, what in kinds.items() if a not in fixed}
        for values in shapings(file, {**scope.unknown, **hints}, f"{scope.start}result_ = {call}\n", names, held):
            made = {name: values[name] for name in scope.unknown}
            mine = {a: fixed[a] if a in fixed else values[f"{a}_"] for a in kinds} | {**numbers}
            parameters = [a for a, v in mine.items() if _is_float(v) or isinstance(v, dict | list)]
            yield Guess(mine, parameters, is_shaped=True, made=made)


def _of_classes(guess: Guess) -> Iterator[Guess]:
    """The same where what is called a target holds one class for each sample, in rows and in columns."""
    for a, value in guess.values.items():
        if _is_float(value) and np.ndim(value) == 2 and min(value.shape) > 1 and re.fullmatch(TARGET, a.lower()):
            for axis in (1, 0):
                n, samples = value.shape[axis], value.shape[1 - axis]
                hot = np.moveaxis(np.eye(n)[np.arange(samples) % n], 1, axis)
                rest = [p for p in guess.parameters if p != a]
                yield replace(guess, values={**guess.values, a: hot}, parameters=rest)


def _data(scope: Scope) -> Iterator[tuple[Any, ...]]:
    """Inputs and targets; for what is recurrent also indices, and a state as wide as a square matrix."""
    yield from (setting.data for setting in DATA if setting.outputs == scope.outputs)
    for n in dict.fromkeys(m for p in scope.held for m in np.shape(scope.given[p])[:1]):
        yield from (([0, 2, 1, 1], [2, 1, 1, 0], draw(*shape)) for shape in ((n, 1), (1, n), (n,)))


def _alone(file: File, scope: Scope, name: str, pick: int, given: Iterable[Guess]) -> Iterator[Claim]:
    """A function that returns a loss with its gradients; `pick` is which of several numbers is the loss."""
    for guess in given:
        claim = claim_of(file, scope, (name,), guess, f"result_ = {call_of(scope, name, guess)}\n", "")
        with contextlib.suppress(Exception):
            result = claim.run(file)["result_"]
            called = dict(enumerate(claim.labels)) if len(claim.labels) == len(result) else {}
            single = {k: v for k, v in enumerate(result) if not isinstance(v, dict | list | tuple) and np.size(v) == 1}
            shapes = [np.shape(v) for v in single.values() if np.ndim(v)]
            told = [shape for p in claim.parameters if (shape := np.shape(claim.given[p])) in shapes]
            numbers = [
                k
                for k, v in single.items()
                if not is_gradient_name(called.get(k, ""))
                and not 0 < shapes.count(np.shape(v)) <= told.count(np.shape(v))  # each is a parameter's gradient
            ]
            if isinstance(result, tuple | list) and not _trains(file, scope, name, result, claim):
                yield replace(claim, forward=f"{claim.forward}loss_ = result_[{numbers[pick]}]\n")


def _beside(file: File, scope: Scope, gradient: str) -> Iterator[Family]:
    """A function that returns the gradient of what another one returns, which takes the same."""
    for cost, is_sure in _partners(scope, gradient):
        for guess in (_with_options, _given, shaped):
            if claims := usable(
                file, _together(file, scope, cost, gradient, guess(scope, scope.functions[cost], file))
            ):
                yield Family(scope.unit(gradient), claims, is_sure)
                break


def _together(file: File, scope: Scope, cost: str, gradient: str, given: Iterable[Guess]) -> Iterator[Claim]:
    order = {a.lower(): a for a in needed(scope.functions[gradient])}
    optional = own_names(scope.functions[gradient])
    is_known = all(
        kind(scope.functions[gradient], order[a.lower()], file.functions) == "array"
        for a in needed(scope.functions[cost])
        if kind(scope.functions[cost], a, file.functions) == "rate" and a.lower() in order
    )
    for guess in given:
        lower = {a.lower(): _text(guess, a) for a in (*guess.values, guess.bundle)}
        same = {a: lower[low] for low, a in order.items()}
        same |= {a: f"{a}_" for a in guess.values if a in optional and a not in same}
        backward = f"result_ = {scope.call(gradient, same)}\n"
        claim = claim_of(file, scope, (cost, gradient), guess, f"loss_ = {call_of(scope, cost, guess)}\n", backward)
        with contextlib.suppress(Exception):
            if not _trains(file, scope, gradient, claim.run(file)["result_"], claim):
                yield replace(claim, is_loose=claim.is_loose and not is_known)


def _trains(file: File, scope: Scope, name: str, result: Any, claim: Claim) -> bool:
    """Whether a function takes steps, and returns more than a gradient for each parameter."""
    many = len(list(arrays_of(result, ""))) > len(claim.parameters) + (len(claim.functions) == 1)
    return bool(counts(scope.functions[name], file.functions)) and many


def call_of(scope: Scope, name: str, guess: Guess) -> str:
    """The text of a call with a guess."""
    taken = [a for a in needed(scope.functions[name]) if a == guess.bundle or a in guess.values]
    return scope.call(name, {a: _text(guess, a) for a in dict.fromkeys([*taken, *guess.values])})


def _text(guess: Guess, argument: str) -> str:
    """What stands for an argument."""
    return THING if argument == guess.bundle else f"{argument}_"


def claim_of(file: File, scope: Scope, names: Sequence[str], guess: Guess, forward: str, backward: str) -> Claim:
    """What lines claim that call functions with a guess."""
    made = {**scope.given, **guess.made}
    if scope.unknown:
        made |= held_in(file, scope.start, made)
    is_held = guess.bundle or scope.is_module or any(_uses_object(scope.functions[n]) for n in names)
    return Claim(
        tuple(scope.unit(n) for n in names),
        {**made, **{f"{a}_": v for a, v in guess.values.items()}, **_told_parts(guess)},
        tuple(f"{a}_" for a in guess.parameters if not isinstance(guess.values[a], dict | list))
        + tuple(_told_parts(guess))
        + (tuple(name for name in made if not name.isidentifier()) if is_held else ()),
        forward,
        backward,
        scope.start,
        is_loose=guess.is_loose,
        may_lack=bool(scope.owner) or scope.is_module or guess.is_shaped,
        is_shaped=guess.is_shaped,
        labels=tuple(returned_names(scope.functions[names[-1]])),
    )


def _told_parts(guess: Guess) -> dict[str, Any]:
    """The parameters that lie in dictionaries or lists, each under its place."""
    tables = {a: v for a, v in guess.values.items() if a in guess.parameters}
    tables = {a: dict(enumerate(v)) if isinstance(v, list) else v for a, v in tables.items()}
    found = [(a, key, v) for a, table in tables.items() if isinstance(table, dict) for key, v in table.items()]
    return {f"{a}_[{key!r}]": v for a, key, v in found if _is_float(v)}


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 0


@cache
def _uses_object(function: ast.FunctionDef) -> bool:
    """Whether a method does something with its object."""
    return any(isinstance(n, ast.Name) and n.id == "self" for n in ast.walk(function))


def _partners(scope: Scope, gradient: str) -> Iterator[tuple[str, bool]]:
    """Functions that may be what another is the gradient of, and whether the names leave no doubt."""
    taken = {a.lower() for a in needed(scope.functions[gradient])}
    own = {n: f for n, f in scope.functions.items() if n != gradient and is_slope_of(gradient, n)}
    for name, function in (own or scope.functions).items():
        is_called = (is_slope_of(gradient, name) and len(taken) > 2) or re.search(
            rf"(?i)grad|deriv|jac|_d$|^d_|{_BACK[4:]}", gradient
        )
        same = {a.lower() for a in needed(function)} == taken
        if name != gradient and is_called and same and is_tame(function) and not counts(function, scope.functions):
            is_sure = _meant(name) in (_meant(gradient), "") or bool(scope.owner)
            yield (
                name,
                (is_slope_of(gradient, name) and len(taken) > 2) or (bool(re.search(CALLED, name, re.I)) and is_sure),
            )


def _meant(name: str) -> str:
    """What is special in a function's name."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return re.sub(rf"{_FILLERS}|[\W_\d]", "", words)


# ---- a way there and back


def _ways(file: File, scope: Scope) -> Iterator[Family]:
    """A function forward, and the one that goes back."""
    for there, back in _pairs(scope):
        if is_tame(scope.functions[there]) and is_tame(scope.functions[back]):
            unit = scope.owner if there in ("forward", "__call__") and scope.owner else scope.unit(there)
            found: list[tuple[list[Claim], bool]] = []
            counts_of_arrays: Sequence[int] = range(len(needed(scope.functions[there])), 0, -1)
            for numbers in _NUMBERS:
                claims, is_sure, count = _fitting(file, scope, there, back, numbers, counts_of_arrays)
                counts_of_arrays = [count] if claims and is_sure else counts_of_arrays
                found.append((claims, is_sure))
            for claims, is_sure in found:  # it must be right with all numbers that fit
                if claims and (is_sure or not any(c for c, sure in found if sure)):
                    is_sure &= not (scope.held or scope.unknown) or any(c.kind != "loss" for c in claims)
                    is_sure = is_sure or any(is_named(c) and _is_sent_back(scope, there, c) for c in claims)
                    yield Family(unit if scope.owner else f"{there} and {back}", claims, is_sure, is_one_of_many=True)


def _is_sent_back(scope: Scope, there: str, claim: Claim) -> bool:
    """Whether what is sent back is called the gradient of what came out: dscores is none of the shares."""
    called = returned_names(scope.functions[there])
    sent = re.findall(r"(\w+)=goal(\d)_", claim.backward)
    return all(len(called) > int(k) and is_gradient_of(a, called[int(k)]) for a, k in sent)


def _is_called_so(scope: Scope, there: str, claim: Claim) -> bool:
    """Whether the names leave no doubt that a gradient is sent back."""
    sent = re.findall(r"(\w+)=goal\d_", claim.backward)
    return _is_sent_back(scope, there, claim) or (bool(sent) and all(is_marked(a) for a in sent))


def _fitting(
    file: File, scope: Scope, there: str, back: str, numbers: Numbers, counts_of_arrays: Sequence[int]
) -> tuple[list[Claim], bool, int]:
    """What a way there and back may be meant to be; whether that is by tables of ours, and with how many arrays."""
    function = scope.functions[there]
    tried = [] if scope.unknown else [(n, _inputs(file, scope, function, n, numbers)) for n in counts_of_arrays]
    tried += [(0, iter(shaped(scope, function, file)))] if numbers == _NUMBERS[-1] else []
    for count, guesses_now in tried:
        claims = usable(file, _there_and_back(file, scope, there, back, guesses_now))
        if found := [c for c in claims if _is_way(file, c, _is_called_so(scope, there, c))]:
            return found, count > 0, count
    return [], True, 0


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    """The names of functions that belong together: one is called as the other's way back, or they are an object's."""
    words = {"forward": "backward", "Forward": "Backward", "fwd": "bwd", "Fwd": "Bwd"}
    named = [(n, n.replace(word, back)) for n, (word, back) in product(scope.functions, words.items()) if word in n]
    pairs = [(there, n) for there, back in named for n in scope.functions if n.startswith(back)]  # or another way
    known = {there for there, _ in pairs}
    backs = [name for name in scope.functions if re.search(_BACK, name)]
    pairs += [(n, back) for n, back in product(scope.functions, backs) if n not in known and is_slope_of(back, n)]
    pairs += [(n, back) for n, back in _of_one_cache(scope) if back not in {b for _, b in pairs}]
    there = next((m for m in scope.functions if re.match("(?i)forward|__call__", m)), None)
    back = next((m for m in scope.functions if re.match(_BACK, m)), None)
    if not scope.owner or back is None:
        return pairs
    costs = [m for m in scope.functions if re.search(CALLED, m, re.I) and m not in (there, back)]
    ends = [(n, back) for n in ([there] if there is not None else []) + costs]
    return list(dict.fromkeys(ends + pairs))


def _of_one_cache(scope: Scope) -> Iterator[tuple[str, str]]:
    """What gives several things in one behind its output, and what takes these apart under the same names."""
    for there, function in scope.functions.items():
        ends = [n.value.elts[-1] for n in ast.walk(function) if isinstance(n, ast.Return) and _is_several(n.value)]
        kept = [[ast.unparse(e) for e in end.elts] for end in ends if _is_several(end)]
        for back, other in scope.functions.items():
            if names_gradients(other) and any(parts_of(other, a) in kept for a in needed(other)):
                yield there, back


def _is_several(node: ast.expr | None) -> TypeGuard[ast.Tuple]:
    return isinstance(node, ast.Tuple) and len(node.elts) > 1


def _inputs(file: File, scope: Scope, function: ast.FunctionDef, count: int, numbers: Numbers) -> Iterator[Guess]:
    """What the way there may take: so many arrays, or shares with their targets; numbers, dictionaries of options."""
    names = needed(function)
    tables = {a: found for a in names if (found := options(function, a, file.functions)) is not None}
    said = {a: list(known) for a in names if (known := asked_texts(file).get(a))}
    rest = [a for a in names if a not in tables and a not in said]
    asked = [*rest[count:], *((a, key) for a, table in tables.items() for key, v in table.items() if v is None)]
    if any(kind(function, a, file.functions) == "array" for a in rest[count:]) or _is_again(numbers, len(asked)):
        return
    number = dict.fromkeys(asked, numbers[0]) | dict.fromkeys(asked[-1:], numbers[1])
    shapes = _shapes(scope if _uses_object(function) else Scope({}), count)
    every = chain(TARGETS if count == len(rest) == 2 else (), ([draw(*shape) for shape in each] for each in shapes))
    for arrays, manner in ((arrays, manner) for arrays in every for manner in product(*said.values())):
        taken = dict(zip(rest, arrays, strict=False))
        given: dict[str, Any] = {a: taken[a] if a in taken else number.get(a) for a in names}
        given |= {a: {k: number.get((a, k), v) for k, v in t.items()} for a, t in tables.items()}
        given |= dict(zip(said, manner, strict=True))
        yield Guess(given, [a for a, v in taken.items() if not is_target(v)])


def _is_again(numbers: Numbers, count: int) -> bool:
    """Whether so many numbers have been tried before: without one all are the same, one has no other beside it."""
    return numbers != _NUMBERS[0] and (count == 0 or (count == 1 and numbers[0] != numbers[1]))


def _shapes(scope: Scope, count: int) -> Iterator[Sequence[tuple[int, ...]]]:
    """Shapes of so many arrays: a layer's; or what fits the axes of what an object holds."""
    if not scope.held:
        yield from LAYERS.get(count, ())
        return
    axes = sorted({n for p in scope.held for n in np.shape(scope.given[p]) if n > 1} | {4})
    for (before, after), (first, last) in LAYOUTS:
        for n, *more in product(axes, repeat=count):
            yield [(*before, n, *after), *((*first, m, *last) for m in more)]
    yield from LAYERS[1] if count == 1 else ()


def _there_and_back(file: File, scope: Scope, there: str, back: str, guesses_now: Iterable[Guess]) -> Iterator[Claim]:
    """The loss is the output times something drawn, which is what is sent back."""
    for guess in chain.from_iterable((guess, *_of_many(guess)) for guess in guesses_now):
        forward = _way_there(scope, there, guess)
        claim = replace(claim_of(file, scope, (there, back), guess, forward, ""), kind="way", may_lack=True)
        with contextlib.suppress(Exception):
            names = claim.run(file)
            yield from _with_goals(claim, scope, there, back, guess.values, names["out_"])
            if scope.owner and not scope.held:
                yield from _of_kept_loss(claim, scope, back, guess.values, names)


def _of_kept_loss(
    claim: Claim, scope: Scope, back: str, values: Mapping[str, Any], names: Mapping[str, Any]
) -> Iterator[Claim]:
    """An object that is a loss, of each sample or of all, whose way back takes prediction and target again."""
    taken = needed(scope.functions[back])
    predictions = {a: v for a, v in values.items() if a not in taken}
    if len(taken) != 2 or len(values) != 2 or len(predictions) != 1 or taken[1] not in values:
        return
    [(name, value)] = predictions.items()
    kept = [e for e, a in arrays_of(names.get(THING), THING) if a.shape == np.shape(value) and a.ndim]
    for text in (f"{name}_", *kept):
        backward = f"result_ = {scope.call(back, {taken[0]: f'1 * {text}', taken[1]: f'{taken[1]}_'})}\n"
        yield from _of_loss(replace(claim, forward=f"{claim.forward}out_ = np_.sum(out_)\n"), backward)


def _of_many(guess: Guess) -> Iterator[Guess]:
    """The same with several indices in the place of one, of which one comes twice."""
    for name, value in guess.values.items():
        if type(value) is int and value > 1:
            yield replace(guess, values={**guess.values, name: np.array([value, 0, value])})


def _way_there(scope: Scope, there: str, guess: Guess) -> str:
    """The lines that give the output: what is returned, or what a method that returns nothing keeps last."""
    function, call = scope.functions[there], call_of(scope, there, guess)
    kept = [n.targets[0] for n in ast.walk(function) if isinstance(n, ast.Assign)]
    last = max((t for t in kept if ast.unparse(t).startswith("self.")), key=lambda t: t.lineno, default=None)
    if last is None or any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(function)):
        return f"out_ = {call}\n"
    return f"{call}\nout_ = {THING}.{ast.unparse(last).removeprefix('self.')}\n"


def _with_goals(
    claim: Claim, scope: Scope, there: str, back: str, values: Mapping[str, Any], out: Any
) -> Iterator[Claim]:
    """The claim with what is sent back: something for each output, and what the way there has kept or taken."""
    parts = list(out) if isinstance(out, tuple) else [out]
    of = [f"out_[{k}]" for k in range(len(parts))] if isinstance(out, tuple) else ["out_"]
    function = scope.functions[back]
    taken = needed(function) or own_names(function)[:1]
    rates = [a for a in taken[1:] if kind(function, a, {}) == "rate"]
    kept = dict(zip(returned_names(scope.functions[there]), of, strict=False)) if len(parts) > 1 else {}
    known = kept | {a: f"{a}_" for a in values}
    lists = [isinstance(part, list) for part in parts]
    ends = [f"np_.array({text})" if is_list else text for text, is_list in zip(of, lists, strict=True)]
    arrays = [a for a, v in values.items() if isinstance(v, np.ndarray)]
    is_loss = bool(scope.owner) and not scope.held and np.size(parts[0]) == 1 and len(arrays) == len(values)
    if is_loss and set(taken) <= set(values):
        yield from _of_loss(claim, f"result_ = {scope.call(back, {a: known[a] for a in taken})}\n")
    is_whole = claim.is_shaped or len(arrays) == len(values)
    missing = [a for a in needed(function) if a not in known]
    if len(missing) == 1 and len(parts) == 2 and not kept:  # return cost, (X, W, A)
        known |= {missing[0]: of[1]}
    if is_whole and all(
        a in known for a in needed(function)
    ):  # a loss that is kept or taken apart: nothing is sent back
        single = [text for text, part in zip(of, parts, strict=True) if _is_numbers(part) and np.size(part) == 1]
        backward = f"result_ = {scope.call(back, {a: known[a] for a in needed(function)})}\n"
        yield from (
            replace(claim, forward=f"{claim.forward}loss_ = {text}\n", backward=backward, kind="loss")
            for text in single
        )
    own = [] if len(parts) > 1 else of  # what is kept for the way back comes behind the output
    pool = [*of[:0:-1], *own, *(f"{a}_" for a in arrays), *(f"np_.shape({a}_)" for a in arrays)]
    for named in (known, known | dict.fromkeys(rates, "0.1")) if rates else (known,):
        free = [a for a in taken if a not in named]
        for outs in range(min(len(free), len(parts)), 0, -1):
            goals = {f"goal{k}_": draw(*np.shape(parts[k])) for k in range(outs) if _is_numbers(parts[k])}
            loss = " + ".join(f"np_.sum({goal} * {end})" for goal, end in zip(goals, ends, strict=False))
            sent = [f"list({goal})" if is_list else f"{goal} * 1" for goal, is_list in zip(goals, lists, strict=False)]
            for rest in (
                permutations(pool, len(free) - outs) if len(goals) == outs and len(free) - outs <= _KEPT else ()
            ):
                handed = dict(zip(free, [*sent, *rest], strict=True))
                backward = f"result_ = {scope.call(back, {a: (named | handed)[a] for a in taken})}\n"
                forward = f"{claim.forward}loss_ = {loss}\n"
                yield replace(claim, given={**claim.given, **goals}, forward=forward, backward=backward)


def _of_loss(claim: Claim, backward: str) -> Iterator[Claim]:
    """An object that is a loss: its gradient is for the prediction, or for scores before a sigmoid or a softmax."""
    forward = f"{claim.forward}loss_ = out_\n"
    given = [p for p in claim.parameters if p.isidentifier()]
    for before in BEFORE:
        made = "".join(f"{p} = {before.format(p)}\n" for p in given)
        is_plain = before == BEFORE[0]
        yield replace(claim, forward=made + forward, backward=backward, kind="loss", is_loose=not is_plain)


def _is_numbers(value: Any) -> bool:
    with contextlib.suppress(ValueError):
        return np.asarray(value).dtype.kind == "f"
    return False


def _is_way(file: File, claim: Claim, is_called_so: bool) -> bool:
    """Whether the gradients double with what is sent back, and no softmax leaves its derivative to a loss.

    Where the names leave no doubt that it is a gradient, it is enough that nothing comes of nothing.
    """
    with contextlib.suppress(Exception):
        once = claim.run(file)
        goals = {name: value for name, value in claim.given.items() if name.startswith("goal")}
        if not goals:  # a loss: it must hang on what it is given
            new = {p: np.asarray(claim.given[p]) + 0.1 * draw(*np.shape(claim.given[p])) for p in claim.gradients}
            return abs(claim.loss(file, new) - float(np.squeeze(once["loss_"]))) > NEAR
        double, none = (claim.run(file, {name: k * value for name, value in goals.items()}) for k in (2, 0))
        told = [e for expressions in claim.gradients.values() for e in expressions]
        of = [[np.asarray(eval(e, file.names, names)) for names in (once, double, none)] for e in told]
        if not all(np.allclose(2 * a, b) or (is_called_so and not c.any()) for a, b, c in of):
            return False
        out = once["out_"][0] if isinstance(once["out_"], tuple) else once["out_"]
        passes = any(np.array_equal(a, goals["goal0_"]) for _, a in arrays_of(once["result_"], ""))
        is_share = any(np.allclose(np.sum(out, axis=k), 1) for k in range(np.ndim(out)))
        return not (passes and is_share)
    return False


# ---- gradients of a loss that the file does not give


def _lossless(file: File, scope: Scope, back: str) -> Iterator[Family]:
    """Gradients of one sample: whatever the loss is, they are its slopes for the outputs times the outputs' own.

    The loss's slopes are found from one parameter that has more numbers than there are outputs; all others must agree.
    """
    claims = []
    for there, function in scope.functions.items():
        if there != back and not there.startswith("__") and len(needed(function)) == 1 and is_tame(function):
            claims += list(_of_one_sample(file, scope, there, back))
    if claims:
        yield Family(scope.unit(back), claims, is_sure=False)


def _of_one_sample(file: File, scope: Scope, there: str, back: str) -> Iterator[Claim]:
    function = scope.functions[back]
    rates = [a for a in needed(function) if kind(function, a, file.functions) == "rate"]
    taken = [a for a in needed(function) if a not in rates]
    [x] = needed(scope.functions[there])
    for shape, texts in product(SAMPLES, permutations(("x_", "y_", "out_"), len(taken))):
        if "y_" not in texts:
            continue
        y = np.eye(scope.outputs + 1)[0, : scope.outputs].reshape(shape(scope.outputs))
        given = {**scope.given, "x_": draw(*shape(4)), "y_": 0.9 * y, "goal0_": np.ones(scope.outputs)}
        names = (scope.unit(there), scope.unit(back))
        forward = f"out_ = {scope.call(there, {x: 'x_'})}\nloss_ = np_.sum(np_.ravel(out_) * goal0_)\n"
        handed = dict(zip(taken, texts, strict=True)) | dict.fromkeys(rates, "0.1")
        backward = f"result_ = {scope.call(back, handed)}\n"
        claim = Claim(names, given, scope.held, forward, backward, scope.start, may_lack=True)
        with contextlib.suppress(Exception):
            claim = matched(file, claim)
            goals = _goals(file, claim, scope.outputs)
            out = np.ravel(claim.run(file)["out_"])
            off = out - np.ravel(given["y_"])
            is_downhill = goals @ off > 0 and (np.allclose(out.sum(), 1) or (goals * off > 0).all())
            if is_downhill and len(claim.gradients) == len(scope.held):
                yield replace(claim, given={**given, "goal0_": goals})


def _goals(file: File, claim: Claim, outputs: int) -> Array:
    """The slopes of the loss for the outputs, as the first parameter tells them that has enough numbers.

    Raises
    ------
    ValueError
        When there is none.
    """
    names = claim.run(file)
    for p, [expression, *_] in claim.gradients.items():
        at = np.asarray(claim.given[p])
        if at.size > outputs:
            units = [row.reshape(at.shape) for row in np.eye(at.size)]
            rows = [_slopes_of(file, claim, p, at, goal, units) for goal in np.eye(outputs)]
            told = told_by(file, names, expression, at.shape).ravel()
            goals, _, rank, _ = np.linalg.lstsq(np.array(rows).T, told, rcond=NEAR)
            is_share = outputs > 1 and np.allclose(np.sum(names["out_"]), 1)
            if rank >= outputs - is_share and np.linalg.norm(goals @ rows - told) < NEAR * np.linalg.norm(told):
                return np.asarray(goals)
    raise ValueError(claim.functions)


def _slopes_of(file: File, claim: Claim, parameter: str, at: Array, goal: Array, units: Sequence[Array]) -> Array:
    found = slopes(lambda new: claim.loss(file, {parameter: new, "goal0_": goal}), at, units)
    if found is None:
        raise ValueError(parameter)
    return found


# ---- a training that takes its first parameters

_FITS = 3
"""So many guesses for one trainer are worth a look."""


def trainers(file: File) -> Iterator[tuple[str, str]]:
    """Calls of functions that step parameters which they take: unit, and the lines that call it."""
    scope = Scope(file.functions)
    for name, function in file.functions.items():
        is_counted = bool(counts(function, file.functions))
        loops = any(isinstance(n, ast.For) for n in ast.walk(function))
        is_one = (is_counted or loops) and len(needed(function)) >= 3 and function.args.vararg is None
        if is_one and is_tame(function):
            found = islice(guesses(function, file.functions), _GUESSES)
            every = chain(found, () if is_counted else shaped(scope, function, file))
            fitting = (g for g in every if not g.is_loose and _steps(file, name, g, not is_counted))
            for guess in islice(fitting, _FITS):
                made = "".join(f"{a}_ = {written(v)}\n" for a, v in guess.values.items())
                call = f"{scope.call(name, {a: f'{a}_' for a in guess.values})}\n"
                yield name, made + (call if is_counted else f"for epoch_ in range({EPOCHS}):\n    {call}")


def _steps(file: File, name: str, guess: Guess, is_in_place: bool) -> bool:
    """Whether the call runs, and parameters of the given sizes come back changed, or have been changed in place."""
    line = f"result_ = {call_of(Scope(file.functions), name, guess)}\n"
    claim = claim_of(file, Scope(file.functions), (name,), guess, line, "")
    with contextlib.suppress(Exception):
        if claim.stretches(file):
            return False
        names = claim.run(file)
        if is_in_place:
            changed = [p for p in guess.parameters if not np.array_equal(names[f"{p}_"], guess.values[p])]
            return bool(changed) and (guess.is_shaped or len(changed) == len(guess.parameters))
        back = [a for n in ("result_", *(f"{p}_" for p in guess.parameters)) for _, a in arrays_of(names[n], "")]
        at = [np.asarray(guess.values[p]) for p in guess.parameters]
        return all(any(b.size == p.size and not np.array_equal(b.ravel(), p.ravel()) for b in back) for p in at)
    return False
