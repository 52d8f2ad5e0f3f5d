"""What functions that measure must give: of classes, of numbers, of ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import Array
from byhand.diagnosis.check.known import (
    Holds,
    Purpose,
    Rng,
    Slip,
    always,
    binary,
    drawn,
    gives,
    integer,
    same,
    scored,
    with_more,
)

_TRUE, _PREDICTED = r"(?i)(?!.*(pred|hat|prob|score|out)).*", r"(?i)(?!.*(true|targ|label|actual|gt)).*"
_PARTS = ("true positives", "false positives", "false negatives", "true negatives")
_CLASSES = 4
_EACH = r"(?i)class|report|precision|recall|f1|prf"


def _counts(y: Array, p: Array) -> tuple[int, int, int, int]:
    """How many are positive and called so, negative and called positive, positive and called negative, neither."""
    return int((y * p).sum()), int(((1 - y) * p).sum()), int((y * (1 - p)).sum()), int(((1 - y) * (1 - p)).sum())


def _share(of: int, other: int, y: Array, p: Array) -> float:
    counts = _counts(y, p)
    return counts[of] / (counts[of] + counts[other])


def _percent(of: int, other: int, y: Array, p: Array) -> float:
    return 100 * _share(of, other, y, p)


_SHARES = (
    ("precision", r"(?i)(^|_)(precision|prec|ppv|pr[aeé]cision)", 0, 1),
    ("recall", r"(?i)recall|sensi|tpr|true_pos\w*_rate|rappel|hit_rate|exhaust", 0, 2),
    ("specificity", r"(?i)specifi|tnr|true_neg\w*_rate", 3, 1),
    ("the share of false alarms", r"(?i)fpr|false_pos\w*_rate|fall_?out", 1, 3),
)


def _of_counts() -> Iterator[Purpose]:
    roles = {0: _TRUE, 1: _PREDICTED}
    for says, called, of, other in _SHARES:
        slips = []
        for a, b in permutations(range(len(_PARTS)), 2):
            if (a, b) != (of, other):
                told = f"is {_PARTS[a]} / ({_PARTS[a]} + {_PARTS[b]}), and {says} has {_PARTS[of]} and {_PARTS[other]}"
                slips.append(Slip(gives(partial(_share, a, b)), told, rf"^(?:_|[a-z]+_)*(?:{called[4:]})"))
        share = gives(partial(_share, of, other), partial(_percent, of, other))
        yield Purpose(says, called, binary, share, roles, tuple(slips), takes_rest=True)
    orders = ((0, 1, 2, 3), (0, 3, 1, 2), (3, 1, 2, 0), (0, 1, 3, 2), (0, 2, 1, 3))
    every: tuple[Callable[..., Any], ...] = tuple(lambda y, p, o=o: [_counts(y, p)[k] for k in o] for o in orders)
    counted = lambda r, y, p: any(same([*np.ravel(r)], f(y, p)) for f in every)  # noqa: E731
    yield Purpose("how many of each kind there are", r"(?i)confus|count|tp|matri", binary, counted, roles)


# ---- several classes


def _predicted(rng: Rng) -> tuple[Array, Array]:
    """Classes, each of which is met and called, some by mistake."""
    y = rng.permutation(np.arange(24) % _CLASSES)
    p = np.where(rng.random(24) < 0.4, rng.integers(0, _CLASSES, 24), y)
    p[[int(np.flatnonzero(y == c)[0]) for c in range(_CLASSES)]] = np.arange(_CLASSES)
    return y, p


def _of_each(y: Array, p: Array) -> dict[str, Array]:
    hits = np.array([((y == c) & (p == c)).sum() for c in range(_CLASSES)])
    called, there = (np.bincount(a, minlength=_CLASSES) for a in (p, y))
    return {"precision": hits / called, "recall": hits / there, "F1": 2 * hits / (called + there), "support": there}


def _are_of_each(result: Any, y: Array, p: Array, *_: Any) -> bool:
    parts = [*(result.values() if isinstance(result, dict) else result)]
    every = _of_each(y, p)
    found = [next((name for name, of in every.items() if same(part, of)), "") for part in parts]
    return len(found) > 1 and all(found) and len({*found}) == len(found)


def _one_of_each(name: str, y: Array, p: Array, *_: Any) -> Array:
    return _of_each(y, p)[name]


def _mean_of(name: str, y: Array, p: Array, *_: Any) -> float:
    return float(_of_each(y, p)[name].mean())


def _of_classes() -> Iterator[Purpose]:
    """Measures of classes, of which it may be told how many there are."""
    roles = {0: _TRUE, 1: _PREDICTED}
    right = gives(lambda y, p, *_: np.mean(y == p))
    for more in ((), (always(_CLASSES),)):
        draw = with_more(_predicted, more)
        made = partial(Purpose, draw=draw, roles=roles, takes_rest=True)
        yield made("measures of each class", _EACH, holds=_are_of_each)
        yield made("the share of right classes", r"(?i)accura|score|correct|exact", holds=right)
        for name in ("precision", "recall", "F1"):
            mean, each = (gives(partial(f, name)) for f in (_mean_of, _one_of_each))
            yield made(f"{name}, as a mean over classes", rf"(?i)macro|mean_|average|{name}", holds=mean)
            yield made(f"{name} of each class", rf"(?i){name}", holds=each)


# ---- numbers


def _near(rng: Rng) -> tuple[Array, Array]:
    y = 3 + rng.normal(size=9)
    return y, y + 0.3 * rng.normal(size=9)


def _r2(y: Array, p: Array) -> float:
    return float(1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def _in_ranks(y: Array, score: Array) -> float:
    pairs = score[y == 1][:, None] - score[y == 0][None]
    return float(np.mean((pairs > 0) + 0.5 * (pairs == 0)))


def _ranked(rng: Rng) -> tuple[Array, Array]:
    y, _ = binary(rng)
    return y, np.round(rng.normal(size=9) + y, 1)


def _shared(rng: Rng) -> tuple[Array, Array]:
    return binary(rng)[0], rng.uniform(0.1, 0.9, 9)


def _surprise(y: Array, p: Array) -> float:
    return float(-np.mean(np.log(np.where(y == 1, p, 1 - p))))


def _is_among(scores: Array, y: Array, k: int) -> float:
    return float(np.mean((np.argsort(-scores, axis=1)[:, :k] == y[:, None]).any(axis=1)))


def _of_numbers() -> Iterator[Purpose]:
    exact: tuple[tuple[str, str, Callable[[Array, Array], float]], ...] = (
        ("the mean squared error", r"(?i)(^|_)mse|mean_sq\w*", lambda y, p: float(np.mean((y - p) ** 2))),
        ("the root of the mean squared error", r"(?i)rmse|root", lambda y, p: float(np.sqrt(np.mean((y - p) ** 2)))),
        ("the mean error", r"(?i)(^|_)mae|mean_abs\w*", lambda y, p: float(np.mean(np.abs(y - p)))),
        ("the share of the variance that is explained", r"(?i)(^|_)r2|r_?squared|determination", _r2),
    )
    roles = {0: _TRUE, 1: _PREDICTED}
    for says, called, formula in exact:
        others = (Slip(gives(f), f"gives {told}", rf"^(?:{called[4:]})") for told, _, f in exact if told != says)
        yield Purpose(says, called, _near, gives(formula), roles, tuple(others))
    yield Purpose("the mean surprise", r"(?i)log_?loss|cross_?ent|bce|nll", _shared, gives(_surprise))
    for draw in (_ranked, lambda rng: (binary(rng)[0], rng.normal(size=9))):  # equal scores, or none that are
        yield Purpose("how often a positive outranks a negative", r"(?i)auc|roc|rank", draw, gives(_in_ranks))
    among: Holds = gives(_is_among, lambda s, y, k: 100 * _is_among(s, y, k))
    of = drawn(lambda rng: scored(rng)[0], always(np.arange(8) % 3), integer(1, 3))
    yield Purpose("the share whose class is among the first", r"(?i)top|accura|score", of, among)


TABLES = (_of_counts, _of_classes, _of_numbers)
