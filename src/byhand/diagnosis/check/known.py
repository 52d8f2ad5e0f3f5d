"""What functions beside training are for: what each must give, whatever it is called and however it is written.

A purpose is known by what comes out, for several drawn inputs. Wrong is only what gives exactly what a known slip
gives, and says of itself what it is meant to be: what else it may be is not judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from byhand.diagnosis.check.claims import Array, size

Rng: TypeAlias = np.random.Generator
Draw: TypeAlias = Callable[[Rng], tuple[Any, ...]]
Holds: TypeAlias = Callable[..., bool]
Formula: TypeAlias = Callable[..., Any]
_STEP = r"(?i)t|i|n|k|s|it\w*|epoch\w*|\w*step|\w*_t|time\w*|current\w*|e?tape|paso|schritt"
_END = r"(?i).*(total|max|end|last|num|steps|epochs|horizon|len|n_|period|t).*"
_RATE = r"(?i)l|a|(?!.*(decay|drop|factor|gamma)).*(lr|rate|alpha|eta|base|peak|init|start|a0|l0|max|taux|tasa|taxa).*"
_WARM = r"(?i).*(warm|rise|ramp).*"


@dataclass(frozen=True)
class Slip:
    """What comes back where a slip was made, what is said of it, and how something calls itself that makes it.

    And what a statement has in which it stands, where that is more than one change.
    """

    holds: Holds
    says: str
    called: str
    stands: str = ""


@dataclass(frozen=True)
class Purpose:
    """What a function may be for.

    Attributes
    ----------
    says : str
        What it gives, in words.
    called : str
        How it is called, if its name says anything: then it must be one of those that are called so.
    draw : callable
        Arguments, one for each role.
    holds : callable
        Whether what came back is right, given the arguments.
    roles : dict
        How arguments must be called, by the number of their role, where nothing else shows which is which.
    slips : tuple of Slip
    asks : str
        What the text must have, where it would be of no use, and long, to try others.
    takes_rest : bool
        Whether all else that it takes may be left as it is by default.
    """

    says: str
    called: str
    draw: Draw
    holds: Holds
    roles: Mapping[int, str] = field(default_factory=dict)
    slips: tuple[Slip, ...] = ()
    asks: str = ""
    takes_rest: bool = False

    @property
    def count(self) -> int:
        """How many arguments it takes."""
        return len(self.draw(np.random.default_rng(0)))


# ---- what came back


def same(one: Any, other: Any) -> bool:
    """Whether two things hold the same numbers, whatever axes of length 1 there are."""
    if isinstance(other, dict):
        return isinstance(one, dict) and one.keys() == other.keys() and all(same(one[k], v) for k, v in other.items())
    if isinstance(other, list):
        is_list = isinstance(one, list | tuple) and len(one) == len(other)
        return is_list and all(same(a, b) for a, b in zip(one, other, strict=True))
    try:
        a, b = np.asarray(one, float), np.asarray(other, float)
    except (TypeError, ValueError):
        return False
    return size(a) == size(b) and bool(np.allclose(a.ravel(), b.ravel(), rtol=1e-5, atol=1e-7))


def gives(*formulas: Formula) -> Holds:
    """Whether one of some formulas gives what came back, or a part of it."""

    def holds(result: Any, *given: Any) -> bool:
        parts = [result, *result] if isinstance(result, tuple) else [result]
        return any(same(part, f(*given)) for f in formulas for part in parts)

    return holds


def drawn(*draws: Callable[[Rng], Any]) -> Draw:
    """Arguments of which each is drawn by itself."""
    return lambda rng: tuple(draw(rng) for draw in draws)


def normal(n: int, m: int) -> Callable[[Rng], Array]:
    """Normal numbers of a shape."""
    return lambda rng: np.asarray(rng.normal(size=(n, m)))


def integer(low: int, high: int) -> Callable[[Rng], int]:
    """A whole number, below the second one."""
    return lambda rng: int(rng.integers(low, high))


def uniform(low: float, high: float) -> Callable[[Rng], float]:
    """A number between two others."""
    return lambda rng: float(rng.uniform(low, high))


def always(value: Any) -> Callable[[Rng], Any]:
    """The same each time."""
    return lambda _: value


SEEDS: tuple[tuple[Callable[[Rng], Any], ...], ...] = ((), (always(0),), (lambda rng: rng,))
"""What is random may take nothing more, a seed, or what draws."""


def with_more(draw: Draw, seed: Sequence[Callable[[Rng], Any]]) -> Draw:
    """What is drawn, and more."""
    return lambda rng: (*draw(rng), *(s(rng) for s in seed))


# ---- neighbours


def apart(a: Array, b: Array) -> Array:
    """The differences of all rows to all."""
    return np.asarray(a[:, None] - b[None])


def _euclidean(a: Array, b: Array) -> Array:
    return np.asarray(np.sqrt((apart(a, b) ** 2).sum(-1)))


_DISTANCES: tuple[Formula, ...] = (
    _euclidean,
    lambda a, b: (apart(a, b) ** 2).sum(-1),
    lambda a, b: np.abs(apart(a, b)).sum(-1),
)
_LABELS = np.array([8, 5])
"""Labels that are no positions; of two one has most of an odd number of neighbours."""
_METRICS = _DISTANCES[1:]
"""Of which squares have the order of their roots."""


def _learned(rng: Rng) -> tuple[Array, Array, Array, int]:
    """Data and their labels, new data, and the number of neighbours that vote."""
    return (
        rng.normal(size=(12, 3)),
        _LABELS[rng.permutation(12) % 2],
        rng.normal(size=(5, 3)),
        int(rng.choice([1, 3, 5])),
    )


def _grouped(rng: Rng) -> tuple[Array, Array, Array]:
    """The same in clear groups, where the number of neighbours is the program's own."""
    of, new = np.arange(20) % 2, rng.permutation(np.arange(5) % 2)
    centres = np.array([[20, 0, 0], [0, 20, 0]])
    return centres[of] + rng.normal(size=(20, 3)), _LABELS[of], centres[new] + rng.normal(size=(5, 3))


def _vote(distances: Array, labels: Array, k: int = 1) -> Array:
    """What most of the k nearest are labelled."""
    first = np.argsort(distances, axis=1)[:, :k]
    return np.where((labels[first] == _LABELS[0]).sum(axis=1) > k / 2, *_LABELS)


def _positions(distances: Array, k: int = 1) -> Iterator[Array]:
    """Positions that a vote gives which is held among these: the nearest, or of k the first."""
    yield distances.argmin(axis=1)
    yield np.argsort(distances, axis=1)[:, :k].min(axis=1)


def _neighbours() -> Iterator[Purpose]:
    called = r"(?i)knn|nn_|_nn|neigh|voisin|vizin|vecin|nachbar|predi|vote|classif"
    says = "the labels of the nearest"
    asked = r"(?i)^(?!\w*(ind|idx|pos|arg|neighb|near))\w*(predi|label|class|vote)"
    slip = partial(Slip, says="gives positions of neighbours where their labels are asked for", called=asked)

    def is_slip(result: Any, distances: Array, k: int = 1) -> bool:
        return any(same(result, at) for at in _positions(distances, k))

    def voting(rng: Rng) -> tuple[Array, Array, Array, int]:
        x, y, new, k = _learned(rng)
        return x, y, _euclidean(new, x), k

    def among(rng: Rng) -> tuple[Array, Array, int]:
        _, y, distances, k = voting(rng)
        return distances, y, k

    slips = (slip(lambda r, x, y, d, k: is_slip(r, d, k)),)
    yield Purpose(says, called, voting, gives(lambda x, y, d, k: _vote(d, y, k)), slips=slips)
    slips = (slip(lambda r, d, y, k: is_slip(r, d, k)),)
    told = gives(lambda d, y, k: _vote(d, y, k))
    yield Purpose(says, called, among, told, slips=slips)
    told = gives(*(lambda x, y, new, k, f=f: _vote(f(new, x), y, k) for f in _METRICS))
    slips = (slip(lambda r, x, y, new, k: is_slip(r, _euclidean(new, x), k)),)
    yield Purpose(says, called, _learned, told, slips=slips)
    slips = (slip(lambda r, x, y, new: is_slip(r, _euclidean(new, x))),)
    yield Purpose(says, called, _grouped, gives(lambda x, y, new: _vote(_euclidean(new, x), y)), slips=slips)
    both = gives(*_DISTANCES, lambda a, b: _euclidean(a, b).T)
    yield Purpose("the distances of all to all", "(?i)dist|norm", drawn(normal(5, 3), normal(4, 3)), both)
    one = drawn(lambda rng: rng.normal(size=4), lambda rng: rng.normal(size=4))
    yield Purpose(
        "a distance", "(?i)dist|norm", one, gives(*(lambda a, b, f=f: f(a[None], b[None]) for f in _DISTANCES))
    )
    fitted = gives(*(lambda x, y, new, f=f: f(new, x) for f in _DISTANCES))
    yield Purpose("the distances to all that was learned", "(?i)dist|norm", _grouped, fitted)
    called = "(?i)cross|fold|valid|choose|select|best|tune"
    yield Purpose("what neighbours get right, fold by fold", called, _for_folds, _is_validated)

    called = "(?i)best|choose|select|opt|meill|mejor|beste"
    yield Purpose(
        "the choice that does best", called, drawn(_done), gives(lambda done: max(done, key=lambda k: sum(done[k])))
    )


def _done(rng: Rng) -> dict[int, list[float]]:
    """What some choices have got right, fold by fold."""
    return {k: rng.random(3).tolist() for k in (1, 3, 5)}


def _for_folds(rng: Rng) -> tuple[Array, Array, list[int]]:
    """Groups; or pairs of opposite labels, which only those get right who have seen what they are asked."""
    if rng.random() < 0.5:
        order = rng.permutation(40)
        x = np.repeat(9 * rng.normal(size=(20, 3)), 2, axis=0) + 1e-3 * rng.normal(size=(40, 3))
        return x[order], np.tile([0, 1], 20)[order], [1]
    of = rng.permutation(np.arange(60) % 3)
    return 20 * np.eye(3)[of] + rng.normal(size=(60, 3)), of, [1, 3]


def _is_validated(result: Any, x: Array, y: Array, ks: Sequence[int]) -> bool:
    shares = np.array([np.mean(s) for s in (result.values() if isinstance(result, dict) else result)])
    shares = shares / (100 if shares.max() > 1 else 1)
    are_pairs = len({*y.tolist()}) == 2
    return len(shares) == len(ks) and bool((shares < 0.5).all() if are_pairs else (shares > 0.99).all())


# ---- classes


def _hot(labels: Array, n: int) -> Array:
    return np.asarray(np.eye(n)[labels])


def scored(rng: Rng) -> tuple[Array, Array]:
    """Scores and classes, some of which win."""
    scores, labels = rng.normal(size=(8, 3)), rng.integers(0, 3, 8)
    labels[:3], labels[3] = scores[:3].argmax(axis=1), scores[3].argmin()
    return scores, labels


def binary(rng: Rng) -> tuple[Array, Array]:
    """Classes 0 and 1, and predictions of which some are wrong."""
    y = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1])
    return y, np.where(rng.permutation(9) < 3, 1 - y, y)


def _counted(y: Array, p: Array, n: int) -> Array:
    table = np.zeros((n, n))
    np.add.at(table, (y, p), 1)
    return table


def _classes() -> Iterator[Purpose]:
    hot = "(?i)hot|encod|categor|binar"
    for shape in ((6,), (6, 1), (1, 6)):

        def labels(rng: Rng, shape: tuple[int, ...] = shape) -> tuple[Array, int]:
            return rng.integers(0, 3, shape), 4

        rows = gives(lambda y, n: _hot(y.ravel(), n), lambda y, n: _hot(y.ravel(), n).T)
        yield Purpose("one-hot rows", hot, labels, rows)
    yield Purpose("a one-hot row", f"{hot}|vector", drawn(integer(0, 4), always(4)), gives(_hot))
    alone = drawn(lambda rng: np.append(rng.integers(0, 3, 6), [3, 0]))
    yield Purpose("one-hot rows", hot, alone, gives(lambda y: _hot(y, 4), lambda y: _hot(y, 4).T))
    for draw, share in (
        (scored, lambda s, y: np.mean(s.argmax(1) == y)),
        (lambda rng: (scored(rng)[0].T.copy(), scored(rng)[1]), lambda s, y: np.mean(s.argmax(0) == y)),
        (
            lambda rng: (rng.normal(size=(8, 3)), _hot(rng.integers(0, 3, 8), 3)),
            lambda s, y: np.mean(y[np.arange(8), s.argmax(1)]),
        ),
        (binary, lambda y, p: np.mean(y == p)),
    ):
        every = gives(share, lambda *given, f=share: 100 * f(*given))
        yield Purpose("the share of right classes", "(?i)accura|score|correct|exact|precis|juste", draw, every)
    f1 = gives(lambda y, p: 2 * (y * p).sum() / (y.sum() + p.sum()))
    yield Purpose("F1", "(?i)f1|f_?score|f_?measure", binary, f1)
    classes = drawn(lambda rng: rng.integers(0, 3, 12), lambda rng: rng.integers(0, 3, 12), always(4))
    table = gives(_counted, lambda y, p, n: _counted(p, y, n))
    yield Purpose("a table of classes by predicted ones", "(?i)confus|matri", classes, table)
    scores = drawn(normal(4, 5))
    yield Purpose("shares of scores", "(?i)softmax|proba|share", scores, gives(_shares))
    yield Purpose("logarithms of shares", "(?i)log", scores, gives(lambda x: np.log(_shares(x))))


def _shares(x: Array) -> Array:
    return np.asarray(np.exp(x) / np.exp(x).sum(axis=1, keepdims=True))


# ---- data


_WIDE = 6
"""As many features as no part of the data has rows."""


def _pairs(rng: Rng) -> tuple[Array, Array]:
    """Rows that begin with their number, and as targets these numbers."""
    x = rng.normal(size=(10, _WIDE))
    x[:, 0] = np.arange(10)
    return x, np.arange(10)


def _in_columns(rng: Rng) -> tuple[Array, Array]:
    x, y = _pairs(rng)
    return x.T.copy(), y[None].copy()


def _arrays(value: Any) -> list[Array]:
    """The arrays that lie in something, all in rows."""
    if isinstance(value, list | tuple):
        return [a for part in value for a in _arrays(part)]
    if hasattr(value, "__dataclass_fields__"):
        return [a for part in vars(value).values() for a in _arrays(part)]
    a = np.asarray(value)
    return [a.ravel() if a.ndim == 2 and a.shape[0] == 1 else a.T if a.ndim == 2 and a.shape[0] == _WIDE else a]


def _kept_pairs(result: Any) -> list[Array]:
    """The numbers of the rows in each part of what came back, in which rows and targets belong together.

    Raises
    ------
    ValueError
        When they do not.
    """
    every = _arrays(result)
    rows, targets = ([a for a in every if a.ndim == k] for k in (2, 1))
    if not rows or not all(np.array_equal(x[:, 0], y) for x, y in zip(rows, targets, strict=True)):
        raise ValueError(result)
    return targets


def _is_all(found: Sequence[Array]) -> bool:
    return sorted(np.concatenate(found).tolist()) == list(range(10))


def _is_batched(result: Any, x: Array, y: Array, most: int, *_: Any) -> bool:
    batches = _kept_pairs(result)
    return _is_all(batches) and [len(b) for b in batches] == [4, 4, 2]


def _is_parted(result: Any, *_: Any) -> bool:
    found = _kept_pairs(result)
    return len(found) == 2 and _is_all(found) and {len(a) for a in found} == {3, 7}


def _is_in_three(result: Any, *_: Any) -> bool:
    found = _kept_pairs(result)
    return _is_all(found) and sorted(len(a) for a in found) == [2, 3, 5]


def _is_in_both(result: Any, *_: Any) -> bool:
    found = _kept_pairs(result)
    return len(found) == 2 and bool({*found[0].tolist()} & {*found[1].tolist()})


def _is_folded(result: Any, *_: Any) -> bool:
    folds = [_arrays(pair) for pair in result]
    held = [min(pair, key=len) for pair in folds]
    return len(folds) == 5 and _is_all(held) and all(len(pair) == 2 and _is_all(pair) for pair in folds)


def _is_shuffled(result: Any, *_: Any) -> bool:
    [found] = _kept_pairs(result)
    return len(result) == 2 and _is_all([found]) and found.tolist() != [*range(10)]


def mean_of_rows(a: Array) -> Array:
    """The mean of each column."""
    return np.asarray(a.mean(axis=0))


_SCALES: tuple[tuple[Callable[[Array], Array], Callable[[Array], Array]], ...] = (
    (mean_of_rows, lambda a: a.std(axis=0)),
    (mean_of_rows, lambda a: a.std(axis=0, ddof=1)),
    (lambda a: a.min(axis=0), lambda a: np.ptp(a, axis=0)),
)
"""What data are moved by, and what they are divided by then."""


def _with_gaps(rng: Rng) -> Array:
    x = rng.normal(size=(7, 3))
    x[[0, 3, 5], [0, 1, 1]] = np.nan
    return x


def _filled(x: Array) -> Array:
    return np.where(np.isnan(x), np.nanmean(x, axis=0), x)


def _data() -> Iterator[Purpose]:
    for seed in SEEDS:
        for pairs in (_pairs, _in_columns):
            sized = with_more(with_more(pairs, (always(4),)), seed)
            yield Purpose("batches of pairs", "(?i)batch|lot|chunk|itera", sized, _is_batched)
            called, says = "(?i)split|hold|part", "gives rows to train with that are kept apart as well"
            shared = with_more(with_more(pairs, (lambda rng: float(rng.choice([0.3, 0.7])),)), seed)
            slips = (Slip(_is_in_both, says, r"(?i)^\w*split"),)
            yield Purpose("two parts of the data", called, shared, _is_parted, slips=slips)
            three = with_more(with_more(pairs, (always(0.2), always(0.3))), seed)
            yield Purpose("three parts of the data", "(?i)split|hold|part", three, _is_in_three)
            called = "(?i)shuf|perm|m[eé]lang|embaralh|baraj"
            yield Purpose("pairs in another order", called, with_more(pairs, seed), _is_shuffled)
        yield Purpose("folds", "(?i)fold|cross|split", drawn(always(10), always(5), *seed), _is_folded)
    called = "(?i)scal|standard|normal|whiten|transf|z_?score|min_?max"
    fitted, alone = drawn(lambda rng: 3 + 2 * rng.normal(size=(7, 3)), normal(5, 3)), drawn(normal(7, 3))
    says = "takes mean and deviation of what it is given now, and not of what it was fitted to"
    slip = Slip(lambda result, _, x: same(result, (x - mean_of_rows(x)) / x.std(axis=0)), says, r"^transform\b")
    there = gives(*(lambda of, x, m=m, s=s: (x - m(of)) / s(of) for m, s in _SCALES))
    yield Purpose("data on the scale of others", called, fitted, there, slips=(slip,))
    back = gives(*(lambda of, x, m=m, s=s: x * s(of) + m(of) for m, s in _SCALES))
    yield Purpose("data on the scale that they had", f"{called}|inver|orig", fitted, back)
    own = gives(*(lambda x, m=m, s=s: (x - m(x)) / s(x) for m, s in _SCALES))
    yield Purpose("data without gaps", "(?i)imput|fill|nan|miss", drawn(_with_gaps), gives(_filled))
    yield Purpose("data on one scale", called, alone, own)


# ---- words


def _window(result: Any, ids: Sequence[int], window: int, *, wraps: bool = False) -> bool:
    """Whether all pairs of a word and one near it come back, each so often as it occurs, in one order or the other."""
    n = len(ids)
    near = [(i, j) for i in range(n) for j in range(i - window, i + window + 1) if j != i and j < n]
    wanted = Counter((ids[i], ids[j]) for i, j in near if wraps or j >= 0)
    found = [tuple(np.asarray(pair).tolist()) for pair in result]
    if len(found) == 2:  # centres, and what is near them
        found = list(zip(*found, strict=True))
    return Counter(found) in (wanted, Counter({(b, a): count for (a, b), count in wanted.items()}))


def _is_numbered(result: Any, words: Sequence[str]) -> bool:
    tables = [t for t in (result if isinstance(result, tuple) else [result]) if isinstance(t, dict)]
    return any(t.keys() == {*words} and sorted(t.values()) == [*range(len({*words}))] for t in tables)


def _words() -> Iterator[Purpose]:
    called = "(?i)skip|pair|context|window|co_?occ|gram"
    says = "takes positions before the first word, which are those of the last ones"
    slips = (Slip(partial(_window, wraps=True), says, called),)
    ids = drawn(lambda rng: [int(i) for i in rng.permutation(9)[:7]], always(2))
    yield Purpose("pairs of words that are near", called, ids, _window, slips=slips)
    words = drawn(lambda rng: [str(w) for w in rng.choice(["a", "cat", "dog", "the", "to"], 9)])
    yield Purpose("a number for each word", "(?i)voc|index|dict|token|map", words, _is_numbered)


# ---- weights that begin, rates, gradients


def _begins(variance: Callable[[int, int], float]) -> Holds:
    def holds(result: Any, n: int, m: int, *_: Any) -> bool:
        a, wanted = np.asarray(result, float), variance(n, m)
        return a.shape in ((n, m), (m, n)) and abs(a.var() / wanted - 1) < 0.02 and abs(a.mean()) < 0.02 * wanted**0.5

    return holds


def _weights() -> Iterator[Purpose]:
    variances: tuple[tuple[str, Callable[[int, int], float]], ...] = (
        (r"(?i)(^|_)he($|_)|kaiming", lambda n, m: 2 / n),
        (r"(?i)xavier|glorot", lambda n, m: 2 / (n + m)),
        (r"(?i)xavier|glorot|lecun", lambda n, m: 1 / n),
    )
    for (called, variance), seed in ((v, s) for v in variances for s in SEEDS):
        draw = drawn(always(300), always(200), *seed)
        yield Purpose("weights to begin with", called, draw, _begins(variance), {0: r"(?i)(?!\w*(out|next)).*"})


def _cosine(rate: float, t: float, total: float, low: float = 0.0) -> float:
    return float(low + (rate - low) * (1 + np.cos(np.pi * t / total)) / 2)


def _line(rate: float, t: float, total: float, low: float = 0.0) -> float:
    return rate + (low - rate) * t / total


def _warmed(after: Formula, *, jumps: bool = False) -> Holds:
    """A rate that rises, from 0 or from a first step; what follows is counted from there, or from the very first."""

    def rate(first: int, rate: float, t: int, total: int, warm: int, *low: float) -> float:
        if t < warm:
            return rate * (t + first) / warm
        return float(after(rate, t, total, *low) if jumps else after(rate, t - warm, total - warm, *low))

    return gives(partial(rate, 0), partial(rate, 1))


def _rates() -> Iterator[Purpose]:
    called = r"(?i)decay|sched|lr|rate|anneal|cos|exp|inver|step|poly|lin|warm|taux|tasa|taxa"
    rate, t, part, n = uniform(0.1, 0.9), integer(3, 40), uniform(0.1, 0.6), integer(5, 9)
    at = {0: _RATE, 1: _STEP}
    falling: tuple[tuple[str, tuple[Callable[[Rng], Any], ...], Formula], ...] = (
        ("a rate that steps down", (rate, t, part, n), lambda r, t, f, n: r * f ** (t // n)),
        ("a rate that falls by a factor", (rate, t, part), lambda r, t, f: r * f**t),
        ("a rate that falls exponentially", (rate, t, part), lambda r, t, k: r * np.exp(-k * t)),
        ("a rate that falls as 1/t", (rate, t, part), lambda r, t, k: r / (1 + k * t)),
        ("a rate that falls as 1/t", (rate, t, part, n), lambda r, t, k, n: r / (1 + k * (t // n))),
    )
    for says, draws, formula in falling:
        yield Purpose(says, called, drawn(*draws), gives(formula), at)
    rises = gives(*(lambda r, t, warm, n=n: r * min(1.0, (t + n) / warm) for n in (0, 1)))
    yield Purpose("a rate that rises", called, drawn(rate, t, integer(8, 30)), rises, {**at, 2: _WARM})
    noam = gives(lambda t, d, warm: d**-0.5 * min(t**-0.5, t * warm**-1.5))
    yield Purpose(
        "a rate that rises, then falls as a root",
        f"{called}|noam",
        drawn(t, always(64), integer(8, 30)),
        noam,
        {0: _STEP, 2: _WARM},
    )
    total, low = integer(50, 60), uniform(0.01, 0.05)
    says = "counts what follows the rise from the first step, and not from the end of the rise: there the rate jumps"
    for name, after in (("half a cosine", _cosine), ("a line", _line)):
        yield Purpose(f"a rate along {name}", called, drawn(rate, t, total), gives(after), {**at, 2: _END})
        yield Purpose(f"a rate along {name}", called, drawn(rate, t, total, low), gives(after), {**at, 2: _END})
        slips = (Slip(_warmed(after, jumps=True), says, ""),)
        for more in ((), (low,)):
            draw = drawn(rate, integer(1, 48), total, integer(8, 30), *more)
            yield Purpose(f"a rate that rises, then {name}", called, draw, _warmed(after), {**at, 3: _WARM}, slips)


def _to_each(f: Callable[[Array], Array], g: Any) -> Any:
    return (
        {k: f(v) for k, v in g.items()} if isinstance(g, dict) else [f(v) for v in g] if isinstance(g, list) else f(g)
    )


def _length(g: Any) -> float:
    every = list(g.values()) if isinstance(g, dict) else g if isinstance(g, list) else [g]
    return float(np.sqrt(sum(float((a**2).sum()) for a in every)))


def _scaled(g: Any, limit: float) -> Any:
    return _to_each(lambda a: a * limit / _length(g), g)


def _clipped(g: Any, limit: float) -> Any:
    return g if _length(g) < limit else _scaled(g, limit)


def _gradients() -> Iterator[Purpose]:
    forms: tuple[Callable[[Array, Array], Any], ...] = (
        lambda a, b: a,
        lambda a, b: [a, b],
        lambda a, b: {"dW": a, "db": b},
    )
    called, says = r"(?i)clip|limit|crop|bound", "makes gradients longer that are shorter than the limit"
    slips = (
        Slip(gives(_scaled), f"{says}: these are to be left as they are", r"(?i)^\w*clip(?!\w*(unit|scale))|exceed"),
    )
    each = lambda g, limit: _to_each(lambda a: _clipped(a, limit), g)  # noqa: E731
    for form in forms:

        def made(rng: Rng, form: Formula = form) -> Any:
            return form(rng.normal(size=(3, 4)), rng.normal(size=(4, 1)))

        def limited(rng: Rng, made: Formula = made) -> tuple[Any, float]:
            g = made(rng)
            return g, _length(g) * float(rng.choice([0.3, 0.6, 1.7, 4]))

        yield Purpose("gradients no longer than a limit", called, limited, gives(_clipped, each), slips=slips)
        inside = gives(lambda g, limit: _to_each(lambda a: np.clip(a, -limit, limit), g))
        yield Purpose("numbers within a limit", called, drawn(made, uniform(0.3, 0.9)), inside)
        yield Purpose("the length of all gradients", "(?i)norm|length|size", drawn(made), gives(_length))


# ---- attention


def _hides_later(result: Any, n: int) -> bool:
    """Whether a mask tells what each position sees, or does not: itself, and what is before it."""
    a = np.asarray(result, float).reshape(n, n)
    later = np.triu(np.ones((n, n), bool), 1)
    [hidden], [seen] = np.unique(a[later]), np.unique(a[~later])
    return (hidden, seen) in ((0, 1), (1, 0)) or (hidden < -1e3 and seen == 0)


def _places(n: int, d: int, *, is_mixed: bool) -> Array:
    angles = np.arange(n)[:, None] / 10000 ** (np.arange(0, d, 2)[None] / d)
    parts = np.sin(angles), np.cos(angles)
    return np.stack(parts, axis=2).reshape(n, d) if is_mixed else np.concatenate(parts, axis=1)


def _attended(scale: bool, axis: int, q: Array, k: Array, v: Array) -> Array:
    """Means of values, by shares that add up to 1 over an axis."""
    scores = np.exp(q @ k.swapaxes(-1, -2) / (np.sqrt(q.shape[-1]) if scale else 1))
    return np.asarray(scores / scores.sum(axis=axis, keepdims=True) @ v)


def _attention() -> Iterator[Purpose]:
    says = "takes means by shares that add up to 1 over the queries: those of one query do not"
    right, turned = (gives(*(partial(_attended, scale, axis) for scale in (True, False))) for axis in (-1, -2))
    for more in ((), (2,)):
        sizes = ((*more, 5, 4), (*more, 7, 4), (*more, 7, 3))
        given = drawn(*(lambda rng, n=n: rng.normal(size=n) for n in sizes))
        yield Purpose("what attention gives", "(?i)att", given, right, slips=(Slip(turned, says, ""),))
    yield Purpose("a mask of what comes later", "(?i)mask|causal|subseq|look", drawn(integer(4, 8)), _hides_later)
    places = gives(partial(_places, is_mixed=True), partial(_places, is_mixed=False))
    yield Purpose("an encoding of positions", "(?i)pos|enc|sin", drawn(integer(4, 8), always(6)), places)


ALL = (_attention, _neighbours, _classes, _data, _words, _weights, _rates, _gradients)
"""Attention gives the labels of what lies in clear groups, too."""
