"""A claim: lines of text that compute a loss, and what a file says are its gradients.

The same lines are run for the differences and, where these say that something is wrong, as a training on the tape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from byhand.diagnosis.check.defined import File, Stretched, strict

Array = np.ndarray[Any, np.dtype[Any]]
THING = "thing_"
"""The name of an object whose methods are called, or of what holds parameters."""
Kind = Literal["loss", "way", "engine", "slope"]
GIVEN = "given_"
"""The name of what is given: how far a way back has stepped a parameter itself begins with it."""
_EPOCHS = 3
_LEAST = 0.05
_NAMES = 20_000
"""So many pairs of names are known again: each is asked with each guess."""
_DEPTH = 3
"""How far inside of a result arrays are looked for."""


_BITS = np.random.PCG64(5)
_FIRST, _RNG = _BITS.state, np.random.Generator(_BITS)


def draw(*shape: int) -> Array:
    """Normal numbers of standard deviation 0.6."""
    return np.asarray(0.6 * _RNG.normal(size=shape))


def draw_anew() -> None:
    """Draw from the first number on, so that no answer hangs on what was asked before."""
    _BITS.state = _FIRST


@lru_cache(maxsize=500)
def _placing(places: tuple[str, ...]) -> str:
    """Lines that put what is given into its places."""
    return "".join(f"{name}[...] = {GIVEN}[{name!r}]\n" for name in places)


@dataclass(frozen=True)
class Claim:
    """A loss and its gradients, with all that they are computed from.

    Attributes
    ----------
    functions : tuple of str
        What it is about: "f", or "Class.method". The last one gives the gradients.
    given : dict
        Values before the lines run, each under what can be assigned to: `x_`, `thing_.W`, `thing_.layers[0].b`.
    parameters : tuple of str
        Those of them by which the loss may be differentiated.
    forward, backward : str
        Lines; the first set `loss_`, the second `result_`.
    start : str
        Lines before what is given has its place: they make `thing_`.
    kind : str
        "loss": right gradients may share a positive factor. "way": each may be a mean over axes of what is sent
        back, and hold a penalty's derivative. "engine": exactly the derivatives.
    is_loose : bool
        Whether something that only multiplies is taken for an array: it can't be wrong under such a guess.
    may_lack : bool
        Whether a parameter may have no gradient.
    is_shaped : bool
        Whether the shapes of all that is given are guessed: what is called a gradient must have its parameter's size.
    labels : tuple of str
        What the last function itself calls the things that it returns.
    prediction : str
        What a cost of the file is computed of, beside `y_`; "" where there is none.
    factor : float
        What the gradients are to be multiplied with, where that is known of the same claim with other numbers.
    gradients : dict
        For each parameter the expressions that may be its gradient, the likeliest first.
    """

    functions: tuple[str, ...]
    given: dict[str, Any]
    parameters: tuple[str, ...]
    forward: str
    backward: str
    start: str = ""
    kind: Kind = "loss"
    is_loose: bool = False
    may_lack: bool = False
    is_shaped: bool = False
    labels: tuple[str, ...] = ()
    prediction: str = ""
    factor: float = 1.0
    gradients: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def run(
        self, file: File, new: Mapping[str, Any] | None = None, *, lines: str | None = None, is_strict: bool = False
    ) -> dict[str, Any]:
        """The names after some lines, by default all, with other values for some of what is given."""
        given = {**self.given, **(new or {})}
        if is_strict:
            given |= {p: strict(given[p]) for p in self.parameters}
        names = {name: _fresh(value) for name, value in given.items() if name.isidentifier()}
        names[GIVEN] = given
        places = _placing(tuple(name for name in given if not name.isidentifier()))
        file.run(names, self.start, places, self.forward + self.backward if lines is None else lines)
        return names

    def stretches(self, file: File) -> bool:
        """Whether two arrays stretch each other; what fails in another way fails without us, too."""
        try:
            self.run(file, is_strict=True)
        except Stretched:
            return True
        except Exception:
            return False
        return False

    def loss(self, file: File, new: Mapping[str, Any]) -> float:
        """The loss, with other values for some parameters."""
        value = self.run(file, new, lines=self.forward)["loss_"]
        if isinstance(value, tuple | list | dict) or np.size(value) != 1:
            raise ValueError(value)
        return float(np.reshape(value, ()))

    def redrawn(self) -> Claim:
        """The same claim of other numbers, where its own are guesses as well."""
        return self._of_other_arrays(lambda a: draw(*a.shape))

    def small(self) -> Claim:
        """The same claim of parameters that are ten times smaller."""
        return self._of_other_arrays(lambda a: 0.1 * a)

    def positive(self) -> Claim:
        """The same claim of numbers that are greater than 0, as shares are."""
        arrays = {n: v for n, v in self.given.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        return replace(self, given=self.given | {n: np.abs(a) + _LEAST for n, a in arrays.items()})

    def of_shares(self) -> Claim:
        """The same claim of data that are shares, none of which is 0 or 1."""
        data = {n: v for n, v in self.given.items() if isinstance(v, np.ndarray) and v.ndim == 2}
        data = {n: np.exp(v) for n, v in data.items() if v.dtype.kind == "f" and n not in self.parameters}
        return replace(self, given=self.given | {n: a / a.sum(axis=1, keepdims=True) for n, a in data.items()})

    def _of_other_arrays(self, other: Callable[[Array], Array]) -> Claim:
        arrays = {p: self.given[p] for p in self.parameters if isinstance(self.given[p], np.ndarray)}
        return replace(self, given=self.given | {p: other(a) for p, a in arrays.items() if a.dtype.kind == "f"})

    def as_training(self) -> str:
        """The claim as a training in which every parameter is stepped along its gradient."""
        lines = [f"{name} = {written(value)}" for name, value in self.given.items() if name.isidentifier()]
        lines.append(self.start)
        lines += [f"{name}[...] = {written(v)}" for name, v in self.given.items() if not name.isidentifier()]
        steps = ""
        for p, [gradient, *_] in self.gradients.items():
            shape = np.shape(self.given[p])
            if not gradient.startswith(GIVEN):
                steps += f"{p} -= 0.05 * {f'np_.reshape({gradient}, {shape})' if shape else f'float({gradient})'}\n"
        body = (self.forward + self.backward + steps).strip().replace("\n", "\n    ")
        return "\n".join([*lines, f"for epoch_ in range({_EPOCHS}):\n    {body}\n"])


def held_in(file: File, start: str, given: Mapping[str, Any]) -> dict[str, Array]:
    """Other numbers for the arrays that `thing_` holds once it is made, each under the first place where it lies."""
    names = dict(given)
    file.run(names, start)
    found = {id(a): name for name, a in reversed(list(arrays_of(names[THING], THING))) if a.size and a.ndim}
    arrays = {name: a for name, a in arrays_of(names[THING], THING) if found.get(id(a)) == name}
    kept = {name: a for name, a in arrays.items() if a.dtype.kind == "f"}
    are_parameters = [name for name in kept if not _holds_gradients(f"{name}.")]
    return {name: draw(*kept[name].shape) for name in are_parameters or kept}


def matched(file: File, claim: Claim) -> Claim:
    """The claim with what may be each parameter's gradient.

    Raises
    ------
    ValueError
        When it can't be meant so, as a parameter has none.
    """
    claim = replace(claim, parameters=tuple(_without_gradients(claim.parameters)))
    parts = [claim.forward, claim.backward] if claim.backward else ["", claim.forward]
    names = claim.run(file, lines=parts[0])
    before = {e: np.array(a) for e, a in arrays_of(names.get(THING), THING)}
    file.run(names, parts[1])
    back = [(e, a) for e, a in arrays_of(names["result_"], "result_") if not claim.forward.endswith(f"loss_ = {e}\n")]
    after = [(e, a) for e, a in arrays_of(names.get(THING), THING) if _is_new(before.get(e), a)]
    after = [(e, a) for e, a in after if a.ndim or any(is_gradient_of(e, p) for p in claim.parameters)]
    if not claim.backward and any(p in claim.parameters for p, _ in after):
        raise ValueError(claim.forward)  # it trains
    stepped = {p: (f"{GIVEN}[{p!r}] - {p}",) for p, _ in after if p in claim.parameters}
    if claim.is_shaped and any(
        size(a) != size(claim.given[p])
        for e, a in back
        for p in claim.parameters
        if is_gradient_of(labelled(claim, e), p)
    ):
        raise ValueError(claim.parameters)
    sources = [[(e, a) for e, a in source if e not in claim.parameters] for source in (back, after)]
    found = {p: stepped.get(p) or _candidates(claim, p, *sources) for p in claim.parameters}
    found = {p: expressions for p, expressions in found.items() if expressions}
    called = {p: found[p] for p in found if is_gradient_of(labelled(claim, found[p][0]), p)}
    if claim.is_shaped and len(called) > 1:  # and not what happens to have the same size, but for what comes back alone
        sizes = [size(claim.given[p]) for p in found]
        alone = [p for p in found if found[p] == ("result_",) and sizes.count(size(claim.given[p])) == 1]
        found = {p: found[p] for p in (*called, *alone) if claim.kind == "way" or p in called}
    if not found or (len(found) < len(claim.parameters) and not claim.may_lack):
        raise ValueError(claim.parameters)
    return replace(claim, gradients=found)


def _without_gradients(parameters: Sequence[str]) -> Iterator[str]:
    """Parameters without what an object holds as the gradients of others."""
    for p in parameters:
        others = [q for q in parameters if q.lower() != p.lower() and not _holds_gradients(q)]  # W and w are two
        if p.isidentifier() or not others or not (_holds_gradients(p) or any(is_gradient_of(p, q) for q in others)):
            yield p


@lru_cache(maxsize=_NAMES)
def _holds_gradients(expression: str) -> bool:
    """Whether something lies in what is called gradients."""
    return any(
        re.fullmatch(r"(?i)d?gr?ads?|gradients?|d_?params?|nablas?", w) for w in re.findall(r"\w+", expression)[:-1]
    )


def _candidates(
    claim: Claim, parameter: str, back: Sequence[tuple[str, Array]], kept: Sequence[tuple[str, Array]]
) -> tuple[str, ...]:
    """What may be a parameter's gradient: what is called so, has its size, or is the only number."""
    value = claim.given[parameter]
    rivals = [p for p in claim.parameters if size(claim.given[p]) == size(value)]
    k = rivals.index(parameter)
    same, own = ([e for e, a in source if size(a) == size(value)] for source in (back, kept))
    single = [e for source in (back, kept) for e, a in source if a.size == 1]  # summed over too much
    for found in (same, own, single):
        if called := [e for e in found if is_gradient_of(labelled(claim, e), parameter)]:
            return tuple(called)
    if len(same) >= len(rivals):
        if claim.kind == "way" and len(same) == len(back) == len(rivals) and not claim.labels:
            return (same[k],)  # in the order in which they are taken
        return (same[k], *same[:k], *same[k + 1 :])
    if len(short := [e for e in own if _is_short_for(e, parameter)]) == 1:
        return (short[0],)
    if len(own) == len(claim.parameters) == 1 and not back:
        return (own[0],)
    return (back[0][0],) if len(back) == len(claim.parameters) == 1 and back[0][1].size == 1 else ()


def _is_short_for(expression: str, parameter: str) -> bool:
    """Whether a thing is called as a gradient of something that is called by its beginning: dW for weights."""
    name, of = (re.findall(r"\w+", e)[-1].lower().strip("_") for e in (expression, parameter))
    short = re.fullmatch(r"(?:d|gr?ad_?|d[a-z]{1,4}_?d)_?([a-z]+)", name)
    return short is not None and of.startswith(short[1])


def labelled(claim: Claim, expression: str) -> str:
    """What the file calls a part of what comes back."""
    index = re.fullmatch(r"result_\[(\d+)\]", expression)
    if index and int(index[1]) < len(claim.labels):
        return claim.labels[int(index[1])]
    return claim.labels[0] if expression == "result_" and len(claim.labels) == 1 else expression


def is_named(claim: Claim) -> bool:
    """Whether each gradient is called by its name, and there are several."""
    called = [is_gradient_of(labelled(claim, found[0]), p) for p, found in claim.gradients.items()]
    return len(called) > 1 and all(called)


@lru_cache(maxsize=_NAMES)
def is_gradient_of(expression: str, parameter: str) -> bool:
    """Whether a thing is called as another one, with something before or behind: dW, grad_W, W_grad, dLdW."""
    name, of = (re.findall(r"\w+", e.removesuffix("_"))[-1].lower().strip("_") for e in (expression, parameter))
    if name == of:
        return not of.isdigit() or _holds_gradients(expression)
    if _holds_gradients(expression) and expression.rpartition(".")[0] == parameter.rpartition(".")[0] != THING:
        return True
    rest = name.replace(of, "", 1).strip("_")
    return of in name and re.fullmatch(r"d|g|gr?ad\w*|nabla|delta|d[a-z]{1,4}_?d", rest) is not None


def arrays_of(value: Any, expression: str, depth: int = _DEPTH) -> Iterator[tuple[str, Array]]:
    """The numbers and arrays in something, each with the expression that gives it."""
    if isinstance(value, float | int | np.ndarray | np.generic):
        if not isinstance(value, bool) and np.asarray(value).dtype.kind in "fi":
            yield expression, np.asarray(value)
    elif depth and isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            if isinstance(key, str | int):
                yield from arrays_of(inner, f"{expression}[{key!r}]", depth - 1)
    elif depth and hasattr(value, "__dict__") and not isinstance(value, type):
        for key, inner in vars(value).items():
            yield from arrays_of(inner, f"{expression}.{key}", depth - 1)


def size(array: Any) -> list[int]:
    """The shape without axes of length 1."""
    return [n for n in np.shape(array) if n > 1]


def written(value: Any) -> str:
    """A value as text."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {written(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(written(inner) for inner in value)}]"
    return f"np_.array({value.tolist()})" if isinstance(value, np.ndarray) else repr(value)


def _is_new(before: Array | None, after: Array) -> bool:
    return before is None or not np.array_equal(before, after)


def _fresh(value: Any) -> Any:
    """A copy, as some functions write into what they take; a number for an array without axes."""
    if isinstance(value, np.ndarray):
        return float(value) if value.ndim == 0 else value.copy()
    if isinstance(value, list):
        return [_fresh(inner) for inner in value]
    return {key: _fresh(inner) for key, inner in value.items()} if isinstance(value, dict) else value
