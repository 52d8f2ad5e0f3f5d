"""Functions that a file defines, held against differences of what they compute: a gradient, or a way back.

What an argument is for is found by trying: sizes are pairwise different, and a guess counts only if the call runs, no
two arrays stretch each other, and each gradient has its parameter's size. Right under one guess is right; a function is
wrong only if it is under every guess that fits.
"""

from __future__ import annotations

import ast
import contextlib
import io
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, permutations
from typing import Any, Literal

import numpy as np

from byhand.diagnosis.check.arguments import default, kind, own_names

Answer = Literal["right", "wrong", "unclear"]
Array = np.ndarray[Any, np.dtype[Any]]

STEP = 1e-5
"""Of the central differences."""
NEAR, FAR = 1e-4, 1e-2
"""Below which part of the slope a difference is rounding, and above which it is a mistake."""
_DIRECTIONS = 8
_MANY = 100
"""A loop of so many turns is a training; none is needed for a layer or a loss."""
_GUESSES = 400
"""How many a function is tried with."""
_CALLED = r"cost|loss|err|perte|co[uû]t|kosten|custo|perda|fehler|verlust|entropy|obj"
_FILLERS = rf"compute|calculate|calc|get|eval|{_CALLED}|gradients?|grads?|functions?|func|fn|fct|of|the|derivative|d"


@dataclass
class Probe:
    """What was found of one unit: `line` is where it is wrong."""

    unit: str
    answer: Answer
    line: int = 0
    message: str = ""
    names: list[str] = field(default_factory=list)
    """The functions that it is about."""


class _Stretched(Exception):
    """Two arrays have stretched each other: no guess that the text can have meant."""


class _Strict(np.ndarray):
    """An array that refuses to be stretched by one that it stretches itself."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **rest: Any) -> Any:
        plain = [np.asarray(i) if isinstance(i, _Strict) else i for i in inputs]
        if out is not None:
            rest["out"] = tuple(np.asarray(o) if isinstance(o, _Strict) else o for o in out)
        result = getattr(ufunc, method)(*plain, **rest)
        shapes = [np.shape(i) for i in plain]
        if method == "__call__" and ufunc.signature is None and len(shapes) == 2 and np.shape(result) not in shapes:
            raise _Stretched
        return result.view(_Strict) if isinstance(result, np.ndarray) else result


def strict(value: Any) -> Any:
    """The value, its arrays refusing to be stretched by one that they stretch themselves."""
    return value.copy().view(_Strict) if isinstance(value, np.ndarray) else value


def _called(node: ast.AST) -> set[str]:
    return {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def reached(functions: Mapping[str, ast.AST], names: Sequence[str]) -> set[str]:
    """Some functions, those that they call, and those that these call."""
    found = new = {n for n in names if n in functions}
    while new:
        nodes = [functions[n] for n in new]
        called = {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}
        new = called & set(functions) - found
        found = found | new
    return found


# ---- slopes


def flat(result: Any) -> list[Array]:
    """The numbers and arrays of a result, in order."""
    if isinstance(result, Mapping):
        return [a for value in result.values() for a in flat(value)]
    if isinstance(result, list | tuple):
        return [a for value in result for a in flat(value)]
    is_numeric = isinstance(result, float | int | np.ndarray | np.generic) and not isinstance(result, bool)
    return [np.asarray(result)] if is_numeric and np.asarray(result).dtype.kind in "fi" else []


def slopes(value: Callable[[Array], float], at: Array, directions: Sequence[Array]) -> Array | None:
    """How fast a value grows along some directions; None where that is no clear number."""
    found = []
    for d in directions:
        one, two = ((value(at + h * d) - value(at - h * d)) / (2 * h) for h in (STEP, 2 * STEP))
        if not (np.isfinite(one) and abs(one - two) <= FAR * NEAR * (1 + abs(one))):
            return None
        found.append(one)
    return np.array(found)


def agreement(measured: Array, told: Array, factor: float | None = None) -> Answer:
    """Whether slopes are those that a gradient tells; up to a positive factor if none is given."""
    size, length = float(np.linalg.norm(measured)), float(np.linalg.norm(told))
    if not np.isfinite(length) or size < NEAR * NEAR or length == 0:
        return "unclear"
    factor = float(measured @ told) / length**2 if factor is None else factor
    rest = float(np.linalg.norm(measured - factor * told)) / size
    if rest > FAR or factor < 0:
        return "wrong"
    return "right" if rest < NEAR else "unclear"


def directions_for(at: Array) -> list[Array]:
    """Some directions, the same each time."""
    rng = np.random.default_rng(3)
    return [np.asarray(rng.normal(size=at.shape)) for _ in range(_DIRECTIONS)]


def held_against(
    value: Callable[[Sequence[Array]], float],
    at: Sequence[Array],
    gradients: Sequence[Array],
    factor: float | None = None,
) -> Answer:
    """Whether these are the gradients of a value, up to one positive factor for all if none is given."""
    measured, told = [], []
    for k, (p, g) in enumerate(zip(at, gradients, strict=True)):
        directions = directions_for(p)
        found = slopes(lambda new, k=k: value([*at[:k], new, *at[k + 1 :]]), p, directions)  # type: ignore[misc]
        if found is None:
            return "unclear"
        measured.append(found)
        told.append(np.array([np.sum(np.reshape(g, p.shape) * d) for d in directions]))
    return agreement(np.concatenate(measured), np.concatenate(told), factor)


# ---- what is given

_RNG = np.random.default_rng(5)


def draw(*shape: int) -> Array:
    """Normal numbers of standard deviation 0.6."""
    return 0.6 * _RNG.normal(size=shape)


_X, _XT = draw(7, 4), draw(4, 7)
_BITS, _LABELS = np.array([0.0, 1, 1, 0, 1, 0, 0]), np.array([0, 2, 1, 1, 0, 2, 2])
_HOT = np.eye(3)[_LABELS]


@dataclass(frozen=True)
class _Setting:
    """Data that belong together, and parameters that fit them."""

    data: tuple[Any, ...]
    parameters: tuple[Array, ...]


_B = np.array(0.4)
_SETTINGS = [
    *(
        _Setting((x, y), (w, *b))
        for b_is in (False, True)
        for x, y, w, biases in (
            (_X, _BITS, draw(4), (_B,)),
            (_X, _BITS[:, None], draw(4, 1), (_B, draw(1))),
            (_X, _BITS[:, None], draw(4), (_B,)),
            (_XT, _BITS[None], draw(4, 1), (_B,)),
            (_XT, _BITS[None], draw(1, 4), (_B, draw(1, 1))),
            (_X, _LABELS, draw(4, 3), (draw(3), draw(1, 3))),
            (_X, _LABELS + 1, draw(4, 3), (draw(3),)),
            (_X, _HOT, draw(4, 3), (draw(3), draw(1, 3))),
            (_XT, _HOT.T, draw(3, 4), (draw(3, 1),)),
            (_XT, _LABELS, draw(3, 4), (draw(3, 1),)),
        )
        for b in ([(one,) for one in biases] if b_is else [()])
    ),
    *(_Setting((y,), (draw(*shape),)) for y, shape in ((_LABELS, (7, 3)), (_HOT, (7, 3)), (_HOT.T, (3, 7)))),
    *(_Setting(index, (draw(4), draw(6, 4))) for index in ((2,), ())),
]
_UNROLLED = [_Setting((_X, y), (draw(5 * 5 + 3 * 6),)) for y in (_LABELS, _LABELS + 1, _LABELS[:, None] + 1, _HOT)]
"""Two layers' weights in one vector: 4 inputs, 5 hidden units, 3 outputs."""


def settings() -> list[tuple[Array, Array, int]]:
    """Inputs, targets and the number of outputs, in rows and in columns."""
    rows = [(_X, _HOT, 3), (_X, _LABELS, 3), (_X, _BITS[:, None], 1), (_X, _BITS, 1)]
    return [*rows, (_XT, _HOT.T, 3), (_XT, _BITS[None], 1)]


class Anything:
    """An object of which nothing is known: each of its methods gives an index."""

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_: random.randrange(6)


@dataclass
class _Guess:
    """Values for the arguments of a function, by name, and which of them are the parameters."""

    values: dict[str, Any]
    parameters: list[str]
    is_loose: bool
    """Whether something that only multiplies is taken for an array."""

    def at(self, new: Sequence[Any]) -> dict[str, Any]:
        """The arguments, with other values for the parameters; copies, as some functions write into what they take."""
        given = {**self.values, **dict(zip(self.parameters, new, strict=True))}
        return {
            name: float(v)
            if isinstance(v, np.ndarray) and v.ndim == 0
            else v.copy()
            if isinstance(v, np.ndarray)
            else v
            for name, v in given.items()
        }


class File:
    """What a file defines, ready to be called."""

    def __init__(self, text: str) -> None:
        tree = ast.parse(text)
        own = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        # what the file computes with its own functions may be a whole training
        tree.body = [n for n in tree.body if not isinstance(n, ast.Assign | ast.AnnAssign) or not own & _called(n)]
        self.functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
        self.classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
        self.spoilers: dict[str, int] = {}
        """Functions that change the parameters which they are given, and the lines."""
        self.names: dict[str, Any] = {"__name__": "__main__"}
        for node in tree.body:
            with contextlib.suppress(Exception), quiet():  # what cannot be made here is missing where it is used
                exec(compile(ast.Module([node], []), "script.py", "exec"), self.names)

    def call(self, name: str, given: Mapping[str, Any]) -> Any:
        """A call of a function; those behind a star have names that begin with one."""
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        starred = [v for name, v in given.items() if name.startswith("*")]
        if starred:
            return self.names[name](*given.values())
        return self.names[name](**given)

    def spoils(self, name: str, guess: _Guess, loss: Callable[[Any], float]) -> bool:
        """Whether a loss is another one when it is computed again, as it has changed the parameters."""
        given = guess.at([guess.values[p] for p in guess.parameters])
        first, second = loss(self.call(name, given)), loss(self.call(name, given))
        changed = any(not np.array_equal(given[p], guess.values[p]) for p in guess.parameters)
        return changed and abs(first - second) > NEAR * abs(first)

    def taken(self, function: ast.FunctionDef) -> list[str]:
        """What a function cannot do without; two more for a star."""
        needed = [a for a in own_names(function) if default(function, a) is None]
        return [*needed, "*0", "*1"] if function.args.vararg is not None else needed

    def counts(self, function: ast.FunctionDef) -> list[str]:
        """The arguments that say how often something is done."""
        return [a for a in own_names(function) if kind(function, a, self.functions) == "count"]

    def is_tame(self, function: ast.FunctionDef) -> bool:
        """Whether it ends by itself, and asks nobody."""
        for n in ast.walk(function):
            if isinstance(n, ast.While | ast.Yield | ast.YieldFrom | ast.Await):
                return False
            if isinstance(n, ast.Call) and ast.unparse(n.func) == "range" and any(_is_many(a) for a in n.args):
                return False
            if isinstance(n, ast.Name) and n.id in ("input", "exit", "quit", "open", "plt"):
                return False
        return True

    def guesses(self, function: ast.FunctionDef) -> Iterator[_Guess]:
        """What the arguments may be, the likeliest first."""
        names = self.taken(function)
        kinds = {a: kind(function, a, self.functions) if a[0] != "*" else "array" for a in names}
        sizes = [a for a, what in kinds.items() if what == "size"]
        fixed: dict[str, Any] = dict(zip(sizes, (4, 5, 3), strict=False))
        fixed |= dict.fromkeys(self.counts(function), 4)
        rates = {a: 0.3 for a, what in kinds.items() if what == "rate"}
        things = {a: Anything() for a in names if kinds[a] in ("unknown", "function") and _is_thing(function, a)}
        if any(what in ("text", "sizes") for what in kinds.values()):
            return
        numbers = {a: 0.3 for a in own_names(function) if _is_zero(default(function, a))}
        for loose in ({}, rates):  # what only multiplies may be an array after all
            fixed_now = {**fixed, **things, **({} if loose else rates), **numbers}
            free = [a for a in names if a not in fixed_now]
            for setting in _UNROLLED if len(sizes) == 3 else _SETTINGS:
                roles = [*setting.data, *setting.parameters]
                for chosen in permutations(free, len(roles)):
                    rest = {a: 0.3 for a in free if a not in chosen}
                    if any(kinds[a] == "array" for a in rest):
                        continue
                    taken = dict(zip(chosen, roles, strict=True))
                    everything = {**fixed_now, **rest, **taken}
                    values = {a: everything[a] for a in dict.fromkeys([*names, *fixed_now])}
                    yield _Guess(values, list(chosen[len(setting.data) :]), bool(loose))
            if not rates:
                return


def _is_thing(function: ast.FunctionDef, argument: str) -> bool:
    """Whether it has methods that no array has, or is never used."""
    used = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == argument]
    methods = [n for n in ast.walk(function) if isinstance(n, ast.Attribute) and n.value in used]
    handed = [n for n in ast.walk(function) if isinstance(n, ast.Call) and any(a in used for a in n.args)]
    return (
        not used or any(not hasattr(np.ndarray, n.attr) for n in methods) or (bool(handed) and len(used) == len(handed))
    )


def _is_many(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) is int and value.value >= _MANY


def _is_zero(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) in (int, float) and value.value == 0


# ---- a cost and its gradient


def of_gradients(file: File) -> Iterator[Probe]:
    """Functions that give a loss with its gradients, or gradients of a loss that another function gives."""
    for name, function in file.functions.items():
        if file.is_tame(function):
            own = [pair for pick in (0, -1) for pair in _answers(file, name, name, pick)]
            if own:
                told = _told(file, name, own, f"What {name} returns is not the gradient of the loss that it returns")
                if told.answer == "right" or names_gradients(function):
                    yield told
                continue
            partners = list(_partners(file, name))
            found = {c: list(_answers(file, c, name, 0)) for c, _ in partners}
            sure = [c for c, is_sure in partners if is_sure and found[c]]
            every = [pair for pairs in found.values() for pair in pairs]
            if any(answer == "right" for answer, _ in every):
                yield _told(file, name, every, "")
            elif len(sure) == 1:
                yield _told(file, name, found[sure[0]], f"What {name} returns is not the gradient of {sure[0]}")
    for name, line in file.spoilers.items():
        message = f"{name} writes into the parameters that it is given: computed again, its value is another one."
        yield Probe(name, "wrong", line, message, [name])


def _line_of_writing(function: ast.FunctionDef, parameters: Sequence[str]) -> int:
    """Where a function writes into its parameters."""
    lines = [
        n.lineno
        for n in ast.walk(function)
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) and ast.unparse(n.value) in parameters
    ]
    return min(lines, default=function.lineno)


def names_gradients(function: ast.FunctionDef) -> bool:
    """Whether it says itself that what it returns are gradients, and takes no steps with them."""
    returned = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    names = {n.id for r in returned for n in ast.walk(r) if isinstance(n, ast.Name)}
    return any(re.match(r"(?i).*gr?ad|d_?[A-Z]|d(w|b|x|theta)\w{0,2}$|nabla|delta|jac", name) for name in names)


def _told(file: File, name: str, found: Sequence[tuple[Answer, bool]], message: str) -> Probe:
    """Right under one guess is right; only guesses in which nothing is loose can say that it is wrong."""
    firm = {answer for answer, is_loose in found if not is_loose}
    is_right = any(answer == "right" for answer, _ in found)
    answer: Answer = "right" if is_right else "wrong" if firm == {"wrong"} else "unclear"
    return Probe(name, answer, _last_return(file.functions[name]), f"{message}, for inputs of mine.", [name])


def _last_return(function: ast.FunctionDef) -> int:
    return max((n.lineno for n in ast.walk(function) if isinstance(n, ast.Return)), default=function.lineno)


def _partners(file: File, gradient: str) -> Iterator[tuple[str, bool]]:
    """Functions that may be what another is the gradient of, and whether the names leave no doubt."""
    if not re.search(r"grad|deriv|_d$|^d_", gradient, re.I):
        return
    taken = {a.lower() for a in file.taken(file.functions[gradient])}
    for name, function in file.functions.items():
        same = {a.lower() for a in file.taken(function)} == taken
        if name != gradient and same and file.is_tame(function) and not file.counts(function):
            yield name, bool(re.search(_CALLED, name, re.I)) and _meant(name) in (_meant(gradient), "")


def _meant(name: str) -> str:
    """What is special in a function's name."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return re.sub(rf"{_FILLERS}|[\W_\d]", "", words)


def _answers(file: File, cost: str, gradient: str, pick: int) -> Iterator[tuple[Answer, bool]]:
    """What each guess that fits says; `pick` is which of several numbers is the loss."""
    order = {a.lower(): a for a in file.taken(file.functions[gradient])}

    def given(guess: _Guess, new: Sequence[Any]) -> dict[str, Any]:
        at = guess.at(new)
        if cost == gradient:
            return at
        lower = {a.lower(): v for a, v in at.items()}
        extra = {a: v for a, v in at.items() if a in own_names(file.functions[gradient])}
        return {**{a: lower[low] for low, a in order.items()}, **extra}

    for guess in islice(file.guesses(file.functions[cost]), _GUESSES):
        at = [guess.values[p] for p in guess.parameters]
        try:
            with quiet():
                if _stretches(lambda at: file.call(cost, guess.at(at)), at) or _stretches(  # noqa: B023
                    lambda at: file.call(gradient, given(guess, at)),  # noqa: B023
                    at,
                ):
                    continue
                is_loss = cost != gradient and re.search(_CALLED, cost, re.I)  # others may step on purpose
                if is_loss and file.spoils(cost, guess, lambda result: _loss(result, pick, alone=True)):
                    file.spoilers[cost] = _line_of_writing(file.functions[cost], guess.parameters)
                result = file.call(gradient, given(guess, at))
                if cost != gradient and len(at) == 1 and np.size(result) == 1 < at[0].size:
                    yield "wrong", guess.is_loose
                    continue
                gradients = _matching(result, at, pick if cost == gradient else None)
                if file.counts(file.functions[gradient]) and len(flat(result)) > len(at) + (cost == gradient):
                    continue  # it trains, and gives its parameters back
                answer = held_against(
                    lambda new, g=guess: _loss(file.call(cost, g.at(new)), pick, alone=cost != gradient),  # type: ignore[misc]
                    at,
                    gradients,
                )
        except Exception:  # a guess that does not fit
            continue
        yield answer, guess.is_loose
        if answer == "right":
            return


def _stretches(call: Callable[[Sequence[Any]], object], at: Sequence[Array]) -> bool:
    """Whether two arrays stretch each other in a call; what fails in another way fails without us, too."""
    try:
        call([strict(a) for a in at])
    except _Stretched:
        return True
    except Exception:
        return False
    return False


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What the file's functions print, and NumPy's warnings, are not shown."""
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        yield


def _loss(result: Any, pick: int, *, alone: bool) -> float:
    """The number in a result; alone, or among gradients."""
    if alone:
        if isinstance(result, tuple | list | dict) or np.size(result) != 1:
            raise ValueError
        return float(np.reshape(result, ()))
    return float([v for v in result if not isinstance(v, dict | list | tuple) and np.size(v) == 1][pick])


def _matching(result: Any, at: Sequence[Array], pick: int | None) -> list[Array]:
    """For each parameter the gradient of its size, in order; the loss is left out."""
    if pick is not None:
        if not isinstance(result, tuple | list):
            raise ValueError
        numbers = [k for k, v in enumerate(result) if not isinstance(v, dict | list | tuple) and np.size(v) == 1]
        result = [v for k, v in enumerate(result) if k != numbers[pick]]
    left, found = flat(result), []
    for p in at:
        k = next(k for k, g in enumerate(left) if _size(g) == _size(p))
        found.append(left.pop(k))
    return found


def twice(once: Sequence[Array], doubled: Sequence[Array]) -> bool:
    """Whether what comes back has doubled, as gradients do when what is sent back has."""
    return all(np.allclose(2 * a, b) for a, b in zip(once, doubled, strict=True) if a.ndim)


def same_size(one: Array, other: Array) -> bool:
    """Whether two arrays have the same shape but for axes of length 1."""
    return _size(one) == _size(other)


def _size(array: Array) -> list[int]:
    """The shape without axes of length 1."""
    return [n for n in array.shape if n > 1]


# ---- a way there and back

_HIDDEN = (5, 20)
_SHAPES: dict[int, tuple[tuple[tuple[int, ...], ...], ...]] = {
    1: (((7, 4),), ((2, 3, 7, 7),), ((2, 7, 7, 3),), ((7,),)),
    2: (((7, 4), (4, 5)), ((4, 7), (5, 4)), ((7, 4), (7, 4)), ((2, 3, 7, 7), (4, 3, 3, 3))),
    3: (
        ((7, 4), (4, 5), (5,)),
        ((4, 7), (5, 4), (5, 1)),
        ((7, 4), (4, 5), (1, 5)),
        ((7, 4), (5, 4), (5,)),
        ((7, 4), (4,), (4,)),
        ((4, 7), (4, 1), (4, 1)),
        ((2, 3, 7, 7), (4, 3, 3, 3), (4,)),
        ((2, 7, 7, 3), (3, 3, 3, 4), (1, 1, 1, 4)),
        ((2, 3, 7, 7), (3,), (3,)),
        ((2, 3, 7, 7), (1, 3, 1, 1), (1, 3, 1, 1)),
    ),
    5: tuple(((*x, 4), (7, 5), (4, h), (5, h), (h,)) for h in _HIDDEN for x in ((7,), (7, 3))),
    6: (((7, 4), (7, 5), (7, 5), (4, 20), (5, 20), (20,)),),
}
"""What a layer takes, by how many arrays: elementwise, dense, normalisation, convolution; 5 and 6: recurrent."""
_NUMBERS = (2, 1, 0.5)
"""Strides, margins, probabilities: the first with which it runs."""


def of_pairs(file: File) -> Iterator[Probe]:
    """A function forward, and the one of the same name backward: each gradient, and its line."""
    for name, function in file.functions.items():
        other = re.sub("(?i)forward", lambda m: "Backward" if m[0][0] == "F" else "backward", name)
        other = other if other != name else re.sub("(?i)fwd", lambda m: "Bwd" if m[0][0] == "F" else "bwd", name)
        back = file.functions.get(other)
        if back is not None and back is not function and file.is_tame(function) and file.is_tame(back):
            found = [r for r in _ways(file, function, back) if r]
            if found:
                yield _of_ways(function, back, found)


def _of_ways(function: ast.FunctionDef, back: ast.FunctionDef, found: Sequence[Mapping[str, Answer]]) -> Probe:
    best = min(found, key=lambda answers: sum(a != "right" for a in answers.values()))
    wrong = [name for name, answer in best.items() if answer == "wrong"]
    answer: Answer = "wrong" if wrong else "right" if set(best.values()) == {"right"} else "unclear"
    line = _line_of(back, wrong[0]) if wrong else 0
    message = (
        f"{', '.join(wrong)}: no gradient that {back.name} returns is that of {function.name}, for inputs of mine."
    )
    return Probe(f"{function.name} and {back.name}", answer, line, message, [function.name, back.name])


def _line_of(back: ast.FunctionDef, argument: str) -> int:
    """Where the gradient with respect to an argument gets its value."""
    lines = [
        n.lineno
        for n in ast.walk(back)
        if isinstance(n, ast.Name)
        and isinstance(n.ctx, ast.Store)
        and re.fullmatch(rf"(?i)(d|grad)_?{argument}(_\w+)?", n.id)
    ]
    return max(lines, default=_last_return(back))


def _ways(file: File, function: ast.FunctionDef, back: ast.FunctionDef) -> Iterator[dict[str, Answer]]:
    """For each guess that fits, what each argument's gradient is."""
    names = [a for a in own_names(function) if default(function, a) is None]
    options = {a: _keys(function, a) for a in names}
    tables = [a for a in names if options[a]]
    rest = [a for a in names if a not in tables]
    for count in range(len(rest), 0, -1):
        for shapes in _SHAPES.get(count, ()):
            for number in _NUMBERS:
                arrays = {a: draw(*shape) for a, shape in zip(rest, shapes, strict=False)}
                given: dict[str, Any] = {a: arrays.get(a, number) for a in names}
                given |= {a: {k: v if v is not None else number for k, v in options[a].items()} for a in tables}
                answers: dict[str, Answer] = {}
                with contextlib.suppress(Exception), quiet():
                    answers = _there_and_back(file, function.name, back, given, list(arrays))
                if answers:
                    yield answers
                if not tables and count == len(rest):  # no number is taken
                    break


def _keys(function: ast.FunctionDef, argument: str) -> dict[str, Any]:
    """The keys with which it is read and that it must have, with the text that they are compared with."""
    found: dict[str, Any] = {}
    kept: dict[str, str] = {}
    for n in ast.walk(function):
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load) and _is_key(n, argument):
            found[n.slice.value] = None  # type: ignore[attr-defined]
    for n in ast.walk(function):
        if isinstance(n, ast.Assign):
            targets, values = n.targets[0], n.value
            pairs = (
                zip(targets.elts, values.elts, strict=False)
                if isinstance(targets, ast.Tuple) and isinstance(values, ast.Tuple)
                else [(targets, values)]
            )
            kept |= {ast.unparse(t): v.slice.value for t, v in pairs if _is_key(v, argument)}  # type: ignore[attr-defined]
    texts = (n for n in ast.walk(function) if isinstance(n, ast.Compare))
    for n in texts:
        key = kept.get(ast.unparse(n.left)) or (n.left.slice.value if _is_key(n.left, argument) else None)  # type: ignore[attr-defined]
        compared = n.comparators[0]
        if (
            key in found
            and found[key] is None
            and isinstance(compared, ast.Constant)
            and isinstance(compared.value, str)
        ):
            found[key] = compared.value
    return found


def _is_key(node: ast.expr, argument: str) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and ast.unparse(node.value) == argument
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


def _there_and_back(
    file: File, forward: str, back: ast.FunctionDef, given: Mapping[str, Any], arrays: Sequence[str]
) -> dict[str, Answer]:
    """What the gradient with respect to each array is, where one of its size comes back."""

    def call(new: Mapping[str, Any]) -> list[Any]:
        fresh = {a: v.copy() if isinstance(v, np.ndarray | dict) else v for a, v in {**given, **new}.items()}
        result = file.call(forward, fresh)
        return list(result) if isinstance(result, tuple) else [result]

    call({a: strict(given[a]) for a in arrays})
    results = call({})
    taken = own_names(back)
    named = {a: given[a] for a in taken if a in given}
    outs = len(taken) - len(named) - (len(results) > 1)
    if not 1 <= outs <= len(results):
        return {}
    goals = [draw(*np.shape(results[k])) for k in range(outs)]
    handed = [*(g.copy() for g in goals), *results[-1:]][: len(taken) - len(named)]
    back_given = {**named, **dict(zip([a for a in taken if a not in named], handed, strict=True))}
    more = {a: v.copy() if isinstance(v, np.ndarray) else v for a, v in back_given.items()}
    for a, goal in zip([a for a in taken if a not in named], goals, strict=False):
        more[a] = 2 * goal
    gradients = [g for g in flat(file.call(back.name, back_given)) if g.ndim]
    if not twice(gradients, [g for g in flat(file.call(back.name, more)) if g.ndim]):
        return {}  # it takes something else, such as targets

    def value(new: Mapping[str, Any]) -> float:
        return float(sum(np.sum(g * r) for g, r in zip(goals, call(new), strict=False)))

    answers: dict[str, Answer] = {}
    out = results[0]
    passes = any(g.shape == goals[0].shape and np.array_equal(g, goals[0]) for g in gradients)
    if passes and np.ndim(out) and any(np.allclose(np.sum(out, axis=k), 1) for k in range(np.ndim(out))):
        return {}  # a softmax whose derivative is taken together with the loss's
    for a in arrays:
        mine = [g for g in gradients if _size(g) == _size(given[a])]
        rivals = sum(_size(given[b]) == _size(given[a]) for b in arrays)
        found = {held_against(lambda new, a=a: value({a: new[0]}), [given[a]], [g]) for g in mine}  # type: ignore[misc]
        if "right" in found:
            answers[a] = "right"
        elif found == {"wrong"} and len(mine) == rivals:
            answers[a] = "wrong"
        elif mine:
            answers[a] = "unclear"
    return answers


# ---- a training that takes its first parameters

_FITS = 3
"""So many guesses for one trainer are worth a look."""


def of_trainers(file: File) -> Iterator[tuple[str, str]]:
    """Calls of functions that step parameters which they take: unit, and the lines that call it."""
    for name, function in file.functions.items():
        if (
            file.counts(function)
            and len(file.taken(function)) >= 3
            and function.args.vararg is None
            and file.is_tame(function)
        ):
            guesses = islice(file.guesses(function), _GUESSES)
            fitting = (g for g in guesses if not g.is_loose and _trains(file, name, g))
            for guess in islice(fitting, _FITS):
                at = guess.at([guess.values[p] for p in guess.parameters])
                made = "".join(f"{a}_ = {_written(v)}\n" for a, v in at.items())
                yield name, f"{made}{name}({', '.join(f'{a}={a}_' for a in at)})\n"


def _trains(file: File, name: str, guess: _Guess) -> bool:
    """Whether the call runs, and parameters of the given sizes come back, changed."""
    at = [guess.values[p] for p in guess.parameters]
    with contextlib.suppress(Exception), quiet():
        if not _stretches(lambda new: file.call(name, guess.at(new)), at):
            back = flat(file.call(name, guess.at(at)))
            return all(
                any(_size(b) == _size(p) and not np.array_equal(np.ravel(b), np.ravel(p)) for b in back) for p in at
            )
    return False


def _written(value: Any) -> str:
    return f"np_.array({value.tolist()})" if isinstance(value, np.ndarray) else repr(value)


def without_blame(found: Iterator[Probe], file: File) -> Iterator[Probe]:
    """The probes; who calls a wrong function is not blamed."""
    blamed: set[str] = set()
    for probe in found:
        causes = reached(file.functions, probe.names) & blamed - set(probe.names)
        if probe.answer == "wrong" and causes:
            probe.answer, probe.message = "unclear", f"it follows from {', '.join(sorted(causes))}"
        elif probe.answer == "unclear":
            probe.message = "the differences of what it computes are no clear numbers"
        if probe.answer == "wrong":
            blamed |= set(probe.names)
        yield probe
