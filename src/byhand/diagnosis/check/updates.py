"""What steps parameters, held against the optimizers: functions and objects, with moments of the gradient or without.

All that they are given is drawn and pairwise different, so that only one reading fits. Something is this room's
business once its new moments are an optimizer's: then its step must be one's, too; what else it may be is not judged.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import partial
from itertools import combinations, permutations, product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from byhand.diagnosis.check.arguments import own_names
from byhand.diagnosis.check.claims import THING, Array, arrays_of, is_gradient_of
from byhand.diagnosis.check.defined import FILE, File, counts, is_tame, methods_of, needed
from byhand.diagnosis.check.differences import Answer
from byhand.diagnosis.check.lines import line_of

NUMBERS = {"rate": 0.3, "beta": 0.9, "beta2": 0.7, "t": 3, "epsilon": 1e-10}
_GIVEN = np.random.default_rng(11)
_P, _G = _GIVEN.normal(size=6), _GIVEN.normal(size=6)
_V, _S = _GIVEN.random(6) + 0.2, _GIVEN.random(6) + 0.2
_ROLES = (_P, _G, _V, _S)
_WEIGHTS = 4
"""So many of the numbers are weights; the others are biases."""
_CLOSE = 1e-6
_NAMES = {
    "rate": r"alpha|a?lr\w*|\w*rate\w*|eta|step\w*|gamma|taux\w*|tasa\w*|taxa\w*",
    "beta": r"beta_?1?|mu|rho|gamma|decay\w*|momentum",
    "beta2": r"beta_?2|rho_?2",
    "t": r"t|i|k|n|epoch\w*|iter\w*|time\w*|steps?|step_?count",
    "epsilon": r"eps\w*",
}
"""What an argument that is a number may be called, by what it may be; everything else is an array."""
_CALLED = "stepping_"
_STEPS = r"(?i)update|step|descent|sgd|apply|optim|maj\b"
"""How what takes a step is called, where nothing else shows it."""


class Rule(NamedTuple):
    """New moments and a step that may be made of them; if it is wrong, what is said of it, and which value shows it."""

    moments: tuple[Array, ...]
    step: Array
    says: str = ""
    id: str = ""
    shown: Array | None = None
    is_reset: bool = False
    """Whether it is a mistake only where nothing is remembered from one call to the next."""


def _rules() -> Iterator[Rule]:
    """The optimizers by their formulas, and what a slip makes of them."""
    r, b, b2, t, _ = NUMBERS.values()
    square = b2 * _S + (1 - b2) * _G**2
    yield Rule((), -r * _G)
    yield Rule((), r * _G, "it adds the gradient, and so goes up", "sign-flipped")
    for part in (1, 1 - b):
        says = "its moment begins anew at each call, and so remembers nothing"
        velocity = None if part == 1 else part * _G
        yield Rule((), -r * part * _G, says, "momentum-reset", velocity, is_reset=True)
    mean, total, far = b * _V + (1 - b) * _G, b * _V + _G, b * _V - r * _G
    for v in (mean, total):
        yield Rule((v,), -r * v)
        yield Rule((v,), -r * (_G + b * v))
        yield Rule((v,), r * v, "it adds the moment, and so goes up", "sign-flipped")
    unused = "it goes along the gradient itself, and the moment that it keeps has no part in the step"
    for moments in ((mean,), (total,), (far,), (mean, square)):
        yield Rule(moments, -r * _G, unused, "momentum-reset")
    yield Rule((far,), far)
    yield Rule((far,), -far, "it subtracts a velocity that goes downhill, and so goes up", "sign-flipped")
    yield Rule((far,), b * far - r * _G)
    for s in (b * _V + (1 - b) * _G**2, _V + _G**2):
        yield Rule((s,), -r * _G, unused, "momentum-reset")
        yield Rule((s,), -r * _G / np.sqrt(s))
        yield Rule((s,), -r * _G / s, "it divides by the mean square, and not by its root", "root-missing")
        yield Rule((s,), r * _G / np.sqrt(s), "it adds the gradient, and so goes up", "sign-flipped")
    for power, says in ((np.abs(_G), "the size"), (_G, "the gradient itself")):
        s, says = b * _V + (1 - b) * power, f"its mean is one of {says}, and not of its square"
        yield Rule((s,), -r * _G / np.sqrt(np.abs(s)), says, "unknown", s)
    m, s, root = mean / (1 - b**t), square / (1 - b2**t), np.sqrt(square / (1 - b2**t))
    for number in (t, t + 1):  # it is counted before the step, or in it
        yield from _crossed(mean, square, number)
    for step, says, id_ in (
        (-r * m / root, "", ""),
        (-r * (b * m + (1 - b) * _G / (1 - b**t)) / root, "", ""),
        (-r * mean / root, "the first moment is not corrected, and the second is", "bias-correction-wrong"),
        (-r * m / np.sqrt(square), "the second moment is not corrected, and the first is", "bias-correction-wrong"),
        (-r * m / s, "it divides by the second moment, and not by its root", "root-missing"),
        (-r * _G / root, "the gradient stands in the place of its moment", "unknown"),
        (r * m / root, "it adds the moment, and so goes up", "sign-flipped"),
    ):
        yield Rule((mean, square), step, says, id_)
    yield Rule((mean, square), -r * mean / np.sqrt(square))
    says = "one moment is corrected with β itself, and not with its power"
    yield Rule((mean, square), -r * m / np.sqrt(square / (1 - b2)), says, "bias-correction-wrong", square / (1 - b2))
    yield Rule((mean, square), -r * mean / (1 - b) / root, says, "bias-correction-wrong", mean / (1 - b))
    for number in (t + 1, 1):
        step = -r * mean / (1 - b**number) / np.sqrt(square / (1 - b2**number))
        says = "" if number > t else "the moments are corrected with another number than that of the step"
        yield Rule((mean, square), step, says, "bias-correction-wrong", mean / (1 - b**number))
    yield from _without_a_rate()
    weights, biases = _G[:_WEIGHTS], _G[_WEIGHTS:]
    for lengths in (np.full(6, _G @ _G), np.repeat([weights @ weights, biases @ biases], [_WEIGHTS, 2])):
        whole = b2 * _S + (1 - b2) * lengths
        says = "the square of the gradient's length stands in the place of the squares of its numbers"
        yield Rule((mean, whole), -r * m / np.sqrt(whole / (1 - b2**t)), says, "unknown", whole)
        yield Rule((mean, whole), -r * mean / np.sqrt(whole), says, "unknown", whole)


def _without_a_rate() -> Iterator[Rule]:
    """Adadelta: a step in units of those before it, of whose squares it keeps the mean, with the rate or without."""
    r, b, *_ = NUMBERS.values()
    square = b * _V + (1 - b) * _G**2
    unit = -np.sqrt(_S / square) * _G
    for step, kept in ((unit, unit), (r * unit, unit), (r * unit, r * unit)):
        yield Rule((square, b * _S + (1 - b) * kept**2), step)
        for other, of in ((_G**2, "the gradient's squares"), (kept, "the steps")):
            mean, says = (
                b * _S + (1 - b) * other,
                f"its second mean is one of {of}, and not of the squares of its steps",
            )
            yield Rule((square, mean), step, says, "unknown", mean)


def _crossed(mean: Array, square: Array, number: float) -> Iterator[Rule]:
    """One of two moments corrected with the other's β."""
    r, b, b2, *_ = NUMBERS.values()
    first, second = (mean / (1 - beta**number) for beta in (b, b2))
    of_first, of_second = (square / (1 - beta**number) for beta in (b, b2))
    says = "the second moment is corrected with the first one's β"
    yield Rule((mean, square), -r * first / np.sqrt(of_first), says, "bias-correction-wrong", of_first)
    says = "the first moment is corrected with the second one's β"
    yield Rule((mean, square), -r * second / np.sqrt(of_second), says, "bias-correction-wrong", second)


RULES = tuple(_rules())


class Update(NamedTuple):
    """What is said of a function that steps parameters, and at which line."""

    unit: str
    name: str
    answer: Answer
    line: int = 0
    says: str = ""
    id: str = "unknown"


Reading = tuple[Rule, Callable[[], list[Array]], list[Array]]


def updates(file: File) -> Iterator[Update]:
    """What steps parameters as an optimizer does, or keeps the moments of one: whether its step is right."""
    for name, function in file.functions.items():
        if is_tame(function) and not counts(function, file.functions):
            yield from _told(name, name, list(_readings(file, name, function)))
    for name, node in file.classes.items():
        for method in methods_of(node).values():
            if method.name.startswith("__") or not is_tame(method) or len(needed(method)) not in (1, 2):
                continue
            if stepping := list(_steppings(file, node, method)):
                found = [reading for one in stepping for reading in _of_object(one)]
                shared = next((u for one in stepping for u in _sharing(one, node, method)), None)
                yield from [shared] if shared else _told(name, method.name, found)
            elif re.search(_STEPS, method.name) and len(needed(method)) == 1:
                yield from _of_layer(file, node, method)


def _told(unit: str, name: str, found: Sequence[Reading]) -> Iterator[Update]:
    stepped = [(rule, run) for rule, run, outs in found if _has(outs, _P + rule.step)]
    if any(not rule.says for rule, _ in stepped) and not any(rule.is_reset for rule, _ in stepped):
        yield Update(unit, name, "right")
    elif stepped:
        rule, run = next((rule, run) for rule, run in stepped if rule.says)
        shown = _P + rule.step if rule.shown is None else rule.shown
        parts = [np.array_split(shown, n)[0] for n in range(1, _WEIGHTS + 1)]  # the whole, or that of one parameter
        line = line_of(run, name, [*parts, shown[:_WEIGHTS], shown[_WEIGHTS:]], range(_P.size))
        yield Update(unit, name, "wrong", line, rule.says, rule.id)
    elif other := next((o for rule, run, outs in found if not rule.says for o in _others(rule, run, outs)), None):
        run, shown = other
        says = "one parameter steps otherwise than another one"
        yield Update(unit, name, "wrong", line_of(run, name, [shown], range(_P.size)), says)
    elif any(rule.moments for rule, _, _ in found):
        yield Update(unit, name, "unclear")


def _others(rule: Rule, run: Callable[[], list[Array]], outs: list[Array]) -> Iterator[tuple[Callable[[], Any], Array]]:
    """What does not step by a rule though the rest does, but by another one."""
    weights, biases = slice(None, _WEIGHTS), slice(_WEIGHTS, None)
    for out, (one, other) in product(outs, ((weights, biases), (biases, weights))):
        follows = out.shape == _P.shape and _has([out[one]], (_P + rule.step)[one])
        if follows and any(_has([out[other]], (_P + r.step)[other]) for r in RULES):
            yield run, out[other]


def _readings(file: File, name: str, function: ast.FunctionDef) -> Iterator[Reading]:
    """The rules whose moments a function gives, a call with which it does, and all that the call gives."""
    file.names[_CALLED], more = _taking(file, function)
    names = [*own_names(function), *more]
    table = next((a for a in names if any(map(_may_be, _keys(function, a)))), "")
    called = {a: a for a in names if a != table} | {f"{table}[{k!r}]": k for k in _keys(function, table) if table}
    may_be = {a: _may_be(word) for a, word in called.items()}
    arrays, numbers = [a for a in called if not may_be[a]], [a for a in called if may_be[a]]
    if not numbers or len(arrays) < 2 or (len(arrays) == 2 and not re.search(_STEPS, name)):
        return
    text = f"result_ = {_CALLED}({', '.join(f'{a}={a}_' for a in names)})"
    for (count, given), order in product(_arranged(arrays), _orders([may_be[a] for a in numbers])):
        values = {**given, **{a: NUMBERS[n] for a, n in zip(numbers, order, strict=True)}}

        def run(values: Mapping[str, Any] = values) -> list[Array]:
            found = {f"{a}_": deepcopy(values[a]) for a in names if a != table}
            if table:
                found[f"{table}_"] = {k: deepcopy(values[a]) for a, k in called.items() if a not in names}
            file.run(found, text)
            return list(_vectors(found))

        with contextlib.suppress(Exception):
            outs = run()
            yield from ((rule, run, outs) for rule in _fitting(outs, count, order, run))


def _taking(file: File, function: ast.FunctionDef) -> tuple[Any, list[str]]:
    """The function, which takes the numbers of an optimizer that it gives names itself; and these names."""
    fixed = [n for n in function.body if isinstance(n, ast.Assign) and _numbers_named(n)]
    names = [name for n in fixed for name in _numbers_named(n)]
    node = deepcopy(function)
    node.body = [n for n, old in zip(node.body, function.body, strict=True) if old not in fixed]
    node.args.kwonlyargs += [ast.arg(name) for name in names]
    node.args.kw_defaults += [None for _ in names]
    made: dict[str, Any] = {}
    exec(compile(ast.Module([ast.fix_missing_locations(node)], []), FILE, "exec"), file.names, made)
    return made[function.name], names


def _numbers_named(node: ast.Assign) -> list[str]:
    """The names that it gives to numbers of an optimizer, and to nothing else: beta1, beta2 = 0.9, 0.999."""
    target, value = node.targets[0], node.value
    targets, values = (list(n.elts) if isinstance(n, ast.Tuple) else [n] for n in (target, value))
    names = [ast.unparse(t) for t in targets]
    are_numbers = len(names) == len(values) and all(isinstance(v, ast.Constant) for v in values)
    return names if are_numbers and all(_may_be(name) for name in names) else []


def _steppings(file: File, node: ast.ClassDef, method: ast.FunctionDef) -> Iterator[_Stepping]:
    """Objects that keep the numbers, made of these alone, or of the parameters, too: then they take the gradients."""
    init = methods_of(node).get("__init__")
    arguments = {a: _may_be(a) for a in (needed(init) if init is not None else [])}
    others = [a for a, found in arguments.items() if not found]
    if len(others) != 2 - len(needed(method)):
        return
    made = ", ".join(f"{a}={NUMBERS[found[0]] if found else 'p_'}" for a, found in arguments.items())
    taken = "g_" if others else "p_, g_"
    for form in _FORMS:
        stepping = _Stepping(file, f"{THING} = {node.name}({made})\n", f"{THING}.{method.name}({taken})\n", form)
        with contextlib.suppress(Exception):
            stepping.begun()
            if bool(stepping.holds()) == bool(others):
                yield stepping


def _of_object(stepping: _Stepping) -> Iterator[Reading]:
    """The same for an object that keeps the moments and the numbers."""
    kept, own = vars(stepping.begun()[THING]), dict.fromkeys(stepping.holds(), _P)
    moments = [a for a, v in kept.items() if a not in own and sum(x.size for x in _arrays(v)) == _P.size]
    numbers = {a: _may_be(a) for a, v in kept.items() if type(v) in (int, float) and _may_be(a)}
    for places, order in product(permutations((_V, _S), len(moments)), _orders(list(numbers.values()))):
        for early in (1, 0):  # the number of the step is counted in the step, or before it
            values = {a: NUMBERS[n] - early * (n == "t") for a, n in zip(numbers, order, strict=True)}
            run = partial(stepping.run, values, {**own, **dict(zip(moments, places, strict=True))})
            with contextlib.suppress(Exception):
                outs = run()
                yield from ((rule, run, outs) for rule in _fitting(outs, len(moments), order, run))


def _sharing(stepping: _Stepping, node: ast.ClassDef, method: ast.FunctionDef) -> Iterator[Update]:
    """Told when what is written into under two names is one and the same thing."""
    kept = {a: {id(x) for x in _arrays(v)} for a, v in vars(stepping.begun()[THING]).items()}
    stored = [n for n in ast.walk(method) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store)]
    written = {ast.unparse(n.value).removeprefix("self.") for n in stored}
    own = stepping.holds()
    for one, other in combinations([a for a in kept if a in written and a not in own], 2):
        if kept[one] & kept[other]:
            made = [n for n in ast.walk(node) if isinstance(n, ast.Assign) and f"self.{other}" in ast.unparse(n)]
            says = f"self.{one} and self.{other} are one and the same thing: what is put into one stands in the other"
            yield Update(node.name, method.name, "wrong", made[0].lineno, says, "moments-shared")


def _of_layer(file: File, node: ast.ClassDef, method: ast.FunctionDef) -> Iterator[Update]:
    """The same for what is given a layer or a network, and finds parameters and gradients there: plain steps."""
    parameters, gradients = ([a.copy() for a in _table(vector, 0).values()] for vector in (_P, _G))
    [taken] = needed(method)
    read = [n for n in ast.walk(method) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == taken]
    pairs = [(p.attr, g.attr) for p, g in product(read, read) if p.attr != g.attr and is_gradient_of(g.attr, p.attr)]
    loops = [
        n.iter.func.attr
        for n in ast.walk(method)
        if isinstance(n, ast.For)
        and isinstance(n.target, ast.Tuple)
        and isinstance(n.iter, ast.Call)
        and isinstance(n.iter.func, ast.Attribute)
        and n.iter.func in read
    ]
    net = SimpleNamespace(**{name: lambda: list(zip(parameters, gradients, strict=True)) for name in loops})
    for (p, g), w, dw in zip(dict.fromkeys(pairs), parameters, gradients, strict=False):
        setattr(net, p, w)
        setattr(net, g, dw)
    with contextlib.suppress(Exception):
        names: dict[str, Any] = {"net_": net}
        file.run(names, f"{THING} = {node.name}()\n")
        rates = [a for a, v in vars(names[THING]).items() if isinstance(v, float) and _may_be(a) == ["rate"]]
        vars(names[THING]).update(dict.fromkeys(rates, NUMBERS["rate"]))
        file.run(names, f"{THING}.{method.name}(net_)\n")
        kept = [getattr(net, p) for p, _ in dict.fromkeys(pairs)] or parameters
        steps = np.concatenate([a.ravel() for a in kept]) - _P[: sum(a.size for a in kept)]
        moved = NUMBERS["rate"] * _G[: steps.size]
        lines = [n.lineno for n in ast.walk(method) if isinstance(n, ast.Assign | ast.AugAssign)]
        if rates and steps.size and np.allclose(steps, -moved):
            yield Update(node.name, method.name, "right")
        elif rates and steps.size and np.allclose(steps, moved):
            says = "it adds the gradient, and so goes up"
            yield Update(node.name, method.name, "wrong", max(lines), says, "sign-flipped")


class _Stepping(NamedTuple):
    """An object that steps: how it is made, the call of a step, and how parameters and gradients lie."""

    file: File
    start: str
    step: str
    form: Callable[[Array, int], Any]

    def begun(self) -> dict[str, Any]:
        """The names after a first step: what the object keeps has its size now."""
        names: dict[str, Any] = {"p_": self.form(_P, 0), "g_": self.form(_G, 1)}
        self.file.run(names, self.start + self.step)
        return names

    def holds(self) -> list[str]:
        """Under what names the object keeps the parameters that it is made of."""
        names: dict[str, Any] = {"p_": self.form(_P, 0)}
        self.file.run(names, self.start)
        own = {id(a) for a in _arrays(names["p_"])}
        return [name for name, v in vars(names[THING]).items() if own & {id(a) for a in _arrays(v)}]

    def run(self, numbers: Mapping[str, float], moments: Mapping[str, Array]) -> list[Array]:
        """What a step gives when the object keeps these numbers and moments."""
        names = self.begun()
        vars(names[THING]).update(numbers)
        for name, vector in moments.items():
            parts = _arrays(getattr(names[THING], name))
            ends = np.cumsum([part.size for part in parts])[:-1]
            for part, values in zip(parts, np.split(vector, ends), strict=True):
                part[...] = values.reshape(part.shape)
        names |= {"p_": self.form(_P, 0), "g_": self.form(_G, 1)}
        self.file.run(names, f"result_ = {self.step}")
        return list(_vectors(names | {name: getattr(names[THING], name) for name in moments}))


def _arrays(value: Any) -> list[Array]:
    return [a for _, a in arrays_of(value, "") if a.ndim]


def _fitting(outs: list[Array], count: int, numbers: Sequence[str], run: Callable[[], list[Array]]) -> Iterator[Rule]:
    """The rules with so many moments that a call gives; one without, where the next call gives the same."""
    for rule in RULES:
        is_meant = len(rule.moments) == count and all(_has(outs, moment) for moment in rule.moments)
        if is_meant and (not rule.is_reset or ("beta" in numbers and _has(run(), _P + rule.step))):
            yield rule


def _orders(may_be: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """What each of some numbers may be, none of them the same as another."""
    return [order for order in product(*may_be) if len(set(order)) == len(order)]


def _may_be(name: str) -> list[str]:
    """What something of that name may be, if it is a number."""
    return [n for n, pattern in _NAMES.items() if re.fullmatch(pattern, name, re.I)]


def _keys(function: ast.FunctionDef, argument: str) -> set[str]:
    """With what texts an argument is read, or asked for something."""
    found = [n.slice for n in ast.walk(function) if isinstance(n, ast.Subscript) and ast.unparse(n.value) == argument]
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and n.args]
    found += [n.args[0] for n in calls if ast.unparse(n.func) in (f"{argument}.get", f"{argument}.setdefault")]
    return {n.value for n in found if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _arranged(arrays: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """How many moments there are, and which array is what: one for all parameters, or one for each by its name."""
    if len(arrays) <= len(_ROLES):
        for form, places in product(_FORMS, permutations(range(len(arrays)))):
            yield len(arrays) - 2, {a: form(_ROLES[k], k) for a, k in zip(arrays, places, strict=True)}
    if len(arrays) == len(_ROLES) - 1:  # both moments in one: a pair for each parameter
        (p, g), pairs = (_FORMS[3](v, 0) for v in (_P, _G)), zip(*(_FORMS[3](v, 0) for v in (_V, _S)), strict=True)
        states = [tuple(pair) for pair in pairs]
        for order in permutations((p, g, states)):
            yield 2, dict(zip(arrays, order, strict=True))
    parameters = [p for p in arrays if any(is_gradient_of(g, p) for g in arrays if g != p)]
    if len(parameters) < 2:
        return
    roles = [[p, *(g for g in arrays if g != p and is_gradient_of(g, p))][:2] for p in parameters]
    roles = [[*r, *(a for a in arrays if a not in r and r[0] in a)] for r in roles]
    if len({len(r) for r in roles}) == 1 and len(roles[0]) <= len(_ROLES):
        parts = [np.array_split(vector, len(roles)) for vector in _ROLES]
        yield len(roles[0]) - 2, {a: parts[k][j] for j, r in enumerate(roles) for k, a in enumerate(r)}


def _table(vector: Array, role: int) -> dict[str, Array]:
    """A dictionary of parameters, or of what belongs to them, under its own names."""
    d = "" if role == 0 else "d"
    return {f"{d}W1": vector[:_WEIGHTS].reshape(2, 2).copy(), f"{d}b1": vector[_WEIGHTS:].reshape(2, 1).copy()}


_FORMS = (
    lambda vector, _: vector.reshape(3, 2).copy(),
    _table,
    lambda vector, _: _table(vector, 0),
    lambda vector, _: list(_table(vector, 0).values()),
    lambda vector, _: [list(_table(vector, 0).values())],
)
"""An array for all parameters, or a dictionary, under the same names or others, a list, or one for each layer."""


def _vectors(names: Mapping[str, Any]) -> Iterator[Array]:
    """What comes back, or has been written into: each array's numbers, and those of some that follow each other.

    Of several arrays in one thing, each is also given by itself: a dictionary of options keeps both moments.
    """
    given = [value for name, value in names.items() if name not in (THING, "result_")]
    result = names["result_"]
    for parts in (given, result if isinstance(result, tuple | list) else [result]):
        found = [[a.ravel() for a in _arrays(part)] for part in parts]
        yield from (a for arrays in found if len(arrays) > 1 for a in arrays)
        yield from (np.concatenate(arrays[k::2]) for arrays in found if len(arrays) > 1 for k in (0, 1))
        flat = [np.concatenate(arrays) for arrays in found if arrays]
        for first in range(len(flat)):
            for size in range(1, min(_P.size, len(flat) - first) + 1):
                yield np.concatenate(flat[first : first + size])


def _has(outs: list[Array], vector: Array) -> bool:
    return any(out.shape == vector.shape and np.allclose(out, vector, rtol=_CLOSE, atol=0) for out in outs)
