"""What a file's functions do beside gradients: to data that they are given, with weights that begin, with a mask.

Each is run and looked at; none of it needs a loss. What is told of a training is looked at only where it trains.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, pairwise
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.check.arguments import called_with, own_names
from byhand.diagnosis.check.claims import THING, Array, arrays_of
from byhand.diagnosis.check.defined import File, is_tame, makes_parameters, methods_of, needed
from byhand.diagnosis.check.families import Scope, call_of, scopes, shaped
from byhand.diagnosis.check.lines import line_of, returned_at, traced
from byhand.diagnosis.check.names import is_marked

_DATA = "X_"
_DRAWN = "draw_, random_ = np_.random.default_rng(5).normal, np_.random.default_rng(6).random"
"""What draws data begins anew, so that they are the same each time."""
_SAMPLES = 7
_ZERO, _HALF, _READS_OFF = ("0", "0.0"), ("0.5", "1 / 2"), r"(?i)predi|class|decid|accura|score"
_TIMES = 6
"""So much larger are numbers made of which others must still be probabilities."""
_NO_WEIGHTS = "(?i)zero|velo|moment|adam|optim|cache|grad|state"
"""How functions are called that make something else, or weights that begin at 0 on purpose."""
_SEEDS = 40
_GUESSES = 6
"""So many guesses of what a function takes that draws a mask are looked at."""
_NEAR = 0.15
"""How far a share that is counted may be from the one that is meant."""


class Fact(NamedTuple):
    """What is wrong with a function, and at which line; `part` is the question of the practical."""

    unit: str
    line: int
    id: str
    message: str
    part: str = "2.5"


def facts(file: File, support: str, texts: Sequence[tuple[str, str]], *, trained: bool) -> Iterator[Fact]:
    """All of them; `texts` are units with what drives them, which is right as a training where `trained` is set."""
    file.run(file.names, support)
    yield from dropouts(file)
    yield from sigmoids(file)
    yield from softmaxes(file)
    yield from thresholds(file)
    found = [fact for unit, text in texts for fact in of_training(file, unit, text)]
    kept = {(f.line, f.id): f for f in found if trained or f.id in ("input-mutated", "threshold-wrong")}
    yield from kept.values()
    for text in dict.fromkeys(text for _, text in texts) if trained else ():
        yield from _begun(file, text)
    for maker in file.functions.values() if trained else ():
        if makes_parameters(file, maker) and not re.search(_NO_WEIGHTS, maker.name):
            yield from _of_weights(file, f"{maker.name}({called_with(file.functions, maker, None, 3)})")


# ---- dropout


def dropouts(file: File) -> Iterator[Fact]:
    """What switches off a part of what it is given, and multiplies the rest by the wrong number."""
    for scope in (scope for alternatives in scopes(file) for scope in alternatives):
        for name, function in scope.functions.items():
            if re.search(r"rand|binomial|bernoulli|choice", ast.unparse(function)) and is_tame(function):
                for guess in islice(shaped(scope, function, file), _GUESSES):
                    names = {**scope.given, **guess.made, **{f"{a}_": v for a, v in guess.values.items()}}
                    text = f"{scope.start}result_ = {call_of(scope, name, guess)}\n"
                    with contextlib.suppress(Exception):
                        if (found := _of_mask(file, scope.unit(name), function, text, names)) is not None:
                            yield found
                            return


def _of_mask(file: File, unit: str, function: ast.FunctionDef, text: str, given: Mapping[str, Any]) -> Fact | None:
    """Told when the kept numbers are divided by the share of those that are dropped."""
    shares, scale = [], 0.0
    for seed in range(_SEEDS):
        names = {n: np.array(v) if isinstance(v, np.ndarray) else v for n, v in given.items()}
        file.run(names, f"np_.random.seed({seed})\n{text}")
        found = [m for n in given for m in _masks(names, given[n])]
        if not found:
            return None
        kept = found[-1] != 0
        shares.append(kept.mean())
        scale = float(np.median(found[-1][kept])) if kept.any() else scale
    share = float(np.mean(shares))
    if abs(scale * (1 - share) - 1) > _NEAR or abs(share - 0.5) < _NEAR or abs(scale - 1) < _NEAR:
        return None
    parts = [n for n in ast.walk(function) if isinstance(n, ast.BinOp | ast.AugAssign) and isinstance(n.op, ast.Div)]
    line = max((n.lineno for n in parts), default=function.lineno)
    message = f"{function.name} keeps {100 * share:.0f} % of the numbers, and makes them {scale:.3g} times as large: "
    message += f"on average they stay what they were with 1 / {share:.2g}."
    return Fact(unit, line, "dropout-scale-wrong", message)


def _masks(names: Mapping[str, Any], x: Any) -> Iterator[Array]:
    """What multiplies an array, where that is 0 or one number throughout."""
    for _, a in arrays_of({"result_": names["result_"], THING: names.get(THING)}, ""):
        if isinstance(x, np.ndarray) and x.dtype.kind == "f" and a.shape == x.shape and a.size > 1:
            factors = a / x
            kept = factors[factors != 0]
            if 0 < kept.size < a.size and np.ptp(kept) < 1e-9 * abs(kept[0]):
                yield factors


# ---- an activation


def _units(file: File) -> list[str]:
    return [*file.functions, *(f"{c}.{m}" for c, node in file.classes.items() for m in methods_of(node))]


def sigmoids(file: File) -> Iterator[Fact]:
    """What is a sigmoid but that it falls, or has lost its brackets."""
    x = np.linspace(-2, 2, _SAMPLES)
    for unit in _units(file):
        value = None if is_marked(unit) else _of_bare(file, unit, x)
        if value is None or np.shape(value) != x.shape:
            continue
        if np.allclose(value, 1 / (1 + np.exp(x))):
            says, id_ = "falls where its argument grows: the exponent has lost its minus.", "sigmoid-falling"
        elif np.allclose(value, 1 + np.exp(-x)):
            says, id_ = "gives numbers above 1: without brackets only 1 is divided.", "unknown"
        else:
            continue
        yield Fact(unit, returned_at(file.function(unit)), id_, f"{unit.rpartition('.')[2]} {says}", "2.4")


def softmaxes(file: File) -> Iterator[Fact]:
    """What gives shares of scores only where the largest of these is 0."""
    x = np.random.default_rng(6).normal(size=(_SAMPLES, 4))
    for unit in _units(file):
        for axis in (1, 0) if not is_marked(unit) else ():
            shifted = x - x.max(axis=axis, keepdims=True)
            right = np.exp(shifted) / np.exp(shifted).sum(axis=axis, keepdims=True)
            value, of_shifted = _of_bare(file, unit, x), _of_bare(file, unit, shifted)
            if value is None or np.shape(value) != x.shape or of_shifted is None or not np.allclose(of_shifted, right):
                continue
            over = value.sum(axis=axis, keepdims=True)
            if np.allclose(value / over, right) and not np.allclose(over, 1, atol=1e-3):
                function = file.function(unit)
                sums = [
                    n.lineno for n in ast.walk(function) if isinstance(n, ast.Call) and "sum" in ast.unparse(n.func)
                ]
                message = f"What {function.name} gives adds up to {over.flat[0]:.3g}, and to 1 only where the largest "
                message += "score is 0: above the line and below it the scores are not moved by the same number."
                yield Fact(unit, max(sums, default=returned_at(function)), "shares-not-one", message)


# ---- a training


def of_training(file: File, unit: str, text: str) -> Iterator[Fact]:
    """What is wrong with what a driver has run, beside its steps: what it begins with, does to the data, predicts."""
    names: dict[str, Any] = {}
    data, _, rest = f"{_DRAWN}; {text}".partition("\n")
    last = unit.partition(" ")[0].rpartition(".")[2]
    if rest.startswith(f"{last}("):
        rest = f"result_ = {rest}"
    with contextlib.suppress(Exception):
        file.run(names, data)
        before = names[_DATA].copy()
        file.run(names, rest)
        yield from _of_data(file, unit, last, data, rest, before, names[_DATA])
        yield from _of_classes(file, unit, rest, names)
        yield from _of_thresholds(file, unit, f"{data}\n{rest}")


def _of_data(file: File, unit: str, name: str, data: str, rest: str, before: Array, after: Array) -> Iterator[Fact]:
    """Told when the data that it is given are others afterwards, whatever the targets: it is no parameter."""
    if np.array_equal(before, after) or np.array_equal(np.sort(before, axis=None), np.sort(after, axis=None)):
        return

    def run(more: str = "") -> dict[str, Any]:
        names: dict[str, Any] = {}
        file.run(names, f"{data}\n{more}\n{rest}")
        return names

    if np.array_equal(run("Y_ = Y_[::-1].copy()")[_DATA], after):
        line = line_of(run, name, [after], np.flatnonzero(before != after).tolist())
        message = f"{name} writes into the data that it is given: who goes on with them has other numbers."
        yield Fact(unit, line, "input-mutated", message, "2.8")


def _of_classes(file: File, unit: str, rest: str, names: Mapping[str, Any]) -> Iterator[Fact]:
    """Told when what reads off classes does not give one for each sample."""
    owner = file.classes.get(unit.partition(".")[0])
    functions, before = (methods_of(owner), f"{THING}.") if owner is not None else (file.functions, "")
    taken = re.search(rf"(\w+)={_DATA}", rest)
    for name, function in functions.items():
        places = [n for n in ast.walk(function) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("argmax")]
        free = [a for a in needed(function) if taken is None or a != taken[1]]
        if not places or not is_tame(function) or len(needed(function)) > 2 - (owner is not None):
            continue
        counts = []
        for argument in ("result_", *(f"result_[{k}]" for k in range(3))) if owner is None else ("",):
            given = {a: argument if a in free and owner is None else _DATA for a in needed(function)}
            call = f"{before}{name}({', '.join(f'{a}={t}' for a, t in given.items())})"
            with contextlib.suppress(Exception):
                found = dict(names)
                file.run(found, f"classes_ = {call}\n")
                counts.append(np.shape(found["classes_"]))
        if counts and counts[0] and _SAMPLES not in counts[0]:
            message = f"{name} gives {int(np.prod(counts[0]))} classes for {_SAMPLES} samples."
            yield Fact(unit, places[-1].lineno, "argmax-wrong-axis", message, "2.5")


def _of_thresholds(file: File, unit: str, text: str) -> Iterator[Fact]:
    """What is wrong with the thresholds of what reads off classes after a training."""
    owner = file.classes.get(unit.partition(".")[0])
    functions = methods_of(owner) if owner is not None else file.functions
    is_logistic = any(_is_sigmoid(file, name) for name in file.behind([unit.partition(" ")[0]]))
    for name, function in functions.items():
        call = f"{THING}.{name}({_DATA})\n" if owner is not None and len(needed(function)) == 1 else ""
        yield from _of_values(function, unit, partial(file.run, {}, text + call), is_logistic=is_logistic)


def thresholds(file: File) -> Iterator[Fact]:
    """The same of functions that are called with what they ask for, where all that takes the same has a sigmoid."""
    for name, function in file.functions.items():
        if not _thresholds_of(function) or not is_tame(function):
            continue
        own = set(needed(function))
        others = [n for n, f in file.functions.items() if _takes_more(f, own) and name not in file.behind([n])]
        with_sigmoid = [any(_is_sigmoid(file, m) for m in file.behind([n])) for n in (name, *others)]
        is_logistic = len(others) > 0 and not with_sigmoid[0] and all(with_sigmoid[1:])
        for guess in islice(shaped(Scope(file.functions), function, file), _GUESSES):
            text = f"result_ = {call_of(Scope(file.functions), name, guess)}\n"
            every = []
            for times in (1, _TIMES):
                names = {f"{a}_": times * v if _is_numbers(v) else v for a, v in guess.values.items()}
                given = [v for v in names.values() if isinstance(v, np.ndarray)]
                run = partial(file.run, names, text)
                every.append(list(_of_values(function, name, run, given, is_logistic=is_logistic)))
            if all(every):  # else a few scores may lie between 0 and 1 by chance
                yield every[0][0]
                break


def _is_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _takes_more(function: ast.FunctionDef, own: set[str]) -> bool:
    """Whether it takes all of some names but for one at most, as data may be called otherwise, and more."""
    taken = set(own_names(function))
    return len(own) > 1 and len(own - taken) <= 1 and len(taken) > len(own)


def _thresholds_of(function: ast.FunctionDef) -> dict[int, ast.Compare]:
    """Where what reads off classes holds something against 0 or 1/2, by its line."""
    places = [n for n in ast.walk(function) if isinstance(n, ast.Compare) and isinstance(n.ops[0], ast.Gt | ast.GtE)]
    asked = {n.lineno: n for n in places if ast.unparse(n.comparators[0]) in (*_ZERO, *_HALF)}
    return asked if re.search(_READS_OFF, function.name) else {}


def _of_values(
    function: ast.FunctionDef, unit: str, run: Callable[[], None], given: Sequence[Array] = (), *, is_logistic: bool
) -> Iterator[Fact]:
    """Told when probabilities are held against 0, where each is larger, or scores against 1/2, the score of 62 %.

    Nothing is known of numbers that were only given.
    """
    asked = _thresholds_of(function)
    seen: dict[int, list[float]] = {line: [] for line in asked}

    def see(frame: FrameType, event: str, _: Any) -> None:
        if event == "line" and frame.f_lineno in asked:
            value = eval(ast.unparse(asked[frame.f_lineno].left), frame.f_globals, frame.f_locals)
            seen[frame.f_lineno] += np.ravel(value).tolist()

    with contextlib.suppress(Exception):
        if asked:
            traced(run, function.name, see)
        for line, values in seen.items():
            is_made = not any(np.isin(values, array).all() for array in given)
            if is_made and (said := _said(values, ast.unparse(asked[line].comparators[0]) in _ZERO, is_logistic)):
                yield Fact(unit, line, "threshold-wrong", f"{function.name} holds {said}", "2.5")


def _said(values: Sequence[float], is_zero: bool, is_logistic: bool) -> str:
    """What is wrong with a threshold of 0, or of 1/2, for some values; nothing where it may be right."""
    are_shares = len(values) > 1 and all(0 < v < 1 for v in values)
    if is_zero and are_shares and min(values) < 0.5 < max(values):
        return f"probabilities against 0, and all {len(values)} that were seen lie above it."
    if not is_zero and is_logistic and len(values) > 1 and min(values) < 0 and not are_shares:
        return "scores against 1/2, some of which lie below 0: to a probability of 1/2 belongs the score 0."
    return ""


def _is_sigmoid(file: File, unit: str) -> bool:
    """Whether a function of one argument gives 1 / (1 + e⁻ˣ)."""
    x = np.linspace(-2, 2, _SAMPLES)
    value = _of_bare(file, unit, x)
    return value is not None and np.shape(value) == x.shape and np.allclose(value, 1 / (1 + np.exp(-x)))


def _of_bare(file: File, unit: str, x: Array) -> Array | None:
    """What a function of one argument gives, or a method that needs nothing of its object; None where that fails."""
    owner, _, name = unit.rpartition(".")
    names: dict[str, Any] = {"x_": x}
    start = f"{THING} = object.__new__({owner})\n" if owner else ""
    with contextlib.suppress(Exception):
        if len(needed(file.function(unit))) == 1 and is_tame(file.function(unit)):
            file.run(names, f"{start}result_ = {f'{THING}.' if owner else ''}{name}(x_)\n")
            value = names["result_"][0] if isinstance(names["result_"], tuple) else names["result_"]
            return np.asarray(value, float)
    return None


# ---- weights that begin alike


def _begun(file: File, text: str) -> Iterator[Fact]:
    """Told of what a driver makes, when the units are one and the same after it was trained as it was made, too."""
    found = re.search(rf"^{THING} = redraw_\((\w+\(.*?\))(, X_, Y_)?\)$", text, re.M)
    names: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        file.run(names, f"{_DRAWN}; {text.replace('redraw_(', 'as_made_(')}")
        first = _matrices(names[THING], names[_DATA])[0]
        if found and (np.allclose(first, first[:1]) or np.allclose(first, first[:, :1])):
            yield from _of_weights(file, found[1], text.partition("\n")[0], 1)


def _of_weights(file: File, made: str, data: str = "", least: int = 2) -> Iterator[Fact]:
    """Told when all weights of so many layers at least are one number as they are made by a call."""
    names: dict[str, Any] = {}
    maker = made.partition("(")[0]
    with contextlib.suppress(Exception):
        file.run(names, f"{_DRAWN}; {data}\n{THING} = {made}\n")
        weights = _matrices(names[THING], names.get(_DATA))
        chained = all(set(a.shape) & set(b.shape) for a, b in pairwise(weights))
        if len(weights) >= least and chained and all(np.ptp(a) == 0 for a in weights):
            node: ast.AST = file.classes[maker] if maker in file.classes else file.functions[maker]
            calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
            line = min(n.lineno for n in calls if re.search(r"zeros|ones|full", ast.unparse(n.func)))
            layers = f"{len(weights)} layers" if len(weights) > 1 else "a layer"
            message = f"The weights of {layers} all begin at {weights[0].flat[0]:.3g}: "
            message += "the units of a layer are one and the same, and stay it."
            yield Fact(maker, line, "symmetric-initialization", message, "2.4")


def _matrices(thing: Any, data: Any) -> list[Array]:
    return [a for _, a in arrays_of(thing, "") if a.ndim == 2 and min(a.shape) > 1 and not np.array_equal(a, data)]
