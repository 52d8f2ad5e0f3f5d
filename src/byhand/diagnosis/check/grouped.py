"""What functions that find groups, axes or windows in data must give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from byhand.diagnosis.check.claims import Array
from byhand.diagnosis.check.known import SEEDS, Purpose, Rng, Slip, always, apart, drawn, gives, normal, same, with_more

_K, _FEATURES = 4, 3


# ---- groups


def _nearest(x: Array, centres: Array) -> Array:
    return np.asarray((apart(x, centres) ** 2).sum(-1).argmin(axis=1))


def _farthest(x: Array, centres: Array) -> Array:
    return np.asarray((apart(x, centres) ** 2).sum(-1).argmax(axis=1))


def _centres(x: Array, labels: Array, *_: Any) -> Array:
    return np.array([x[labels == k].mean(axis=0) for k in range(int(labels.max()) + 1)])


def _one_number_each(x: Array, labels: Array, *_: Any) -> Array:
    return np.array([np.full(x.shape[1], x[labels == k].mean()) for k in range(int(labels.max()) + 1)])


def _labelled(rng: Rng) -> tuple[Array, Array]:
    return rng.normal(size=(12, _FEATURES)), rng.permutation(np.arange(12) % _K)


def _two(rng: Rng) -> tuple[Array, Array]:
    """Two groups far apart, and in which of them each is."""
    of = rng.permutation(np.arange(14) % 2)
    return np.array([[30, 0, 0], [0, 30, 9]])[of] + rng.normal(size=(14, _FEATURES)), of


def _squares(x: Array, of: Array) -> float:
    """The squares of how far each is from the mean of its group, added up."""
    return float(sum(((x[of == k] - x[of == k].mean(axis=0)) ** 2).sum() for k in (0, 1)))


def _group(x: Array) -> Array:
    return np.asarray(x[:, 0] < x[:, 1]).astype(int)


def _are_groups(result: Any, of: Array) -> bool:
    labels = np.asarray(result)
    return labels.shape == of.shape and (same(labels, of) or same(labels, 1 - of))


def _is_clustered(result: Any, x: Array, k: int, *_: Any) -> bool:
    """Whether there are centres, of which each is the mean of those that are nearest to it, and labels if any."""
    parts = [np.asarray(part) for part in (result if isinstance(result, tuple) else (result,))]
    centres = next((p for p in parts if p.shape == (k, x.shape[1])), None)
    if centres is None:
        return False
    labels = next((p for p in parts if p.shape == (len(x),)), None)
    nearest = _nearest(x, centres)
    return same(_centres(x, nearest), centres) and (labels is None or same(labels, nearest))


def _are_rows(result: Any, x: Array, k: int, *_: Any) -> bool:
    found = np.asarray(result)
    at = [np.flatnonzero((x == row).all(axis=1)) for row in found]
    return found.shape == (k, x.shape[1]) and all(len(a) == 1 for a in at) and len({int(a[0]) for a in at}) == k


def _groups() -> Iterator[Purpose]:
    x, centres = normal(12, _FEATURES), normal(_K, _FEATURES)
    called = r"(?i)assign|label|nearest|closest|clust|predict|step|zuord|attrib|asign"
    slips = (Slip(gives(_farthest), "gives the farthest centre of each", r"^\w*(assign|near|clos|label|clust)"),)
    yield Purpose("the nearest centre of each", called, drawn(x, centres), gives(_nearest), slips=slips)
    called = r"(?i)updat|cent|mean|step|move|comput|zentr|recalc"
    says = "gives each centre one number for all its axes: the mean is taken over the axes, too"
    slips = (Slip(gives(_one_number_each), says, ""),)
    for more in ((), (always(_K),), (centres,)):
        yield Purpose("the mean of each group", called, with_more(_labelled, more), gives(_centres), slips=slips)
    far = gives(lambda x, of, c: ((x - c[of]) ** 2).sum(), lambda x, of, c: ((x - c[of]) ** 2).sum(-1).mean())
    called = r"(?i)inert|cost|loss|distor|wcss|sse|objective|error|tr[aä]g"
    yield Purpose("how far all are from their centres", called, with_more(_labelled, (centres,)), far)
    least = gives(lambda x, c: (apart(x, c) ** 2).sum(-1).min(axis=1).sum())
    yield Purpose("how far all are from the nearest centre", called, drawn(x, centres), least)
    for seed in SEEDS:
        start = with_more(drawn(x, always(_K)), seed)
        yield Purpose("some rows to begin with", r"(?i)init|start|seed|plus|choose|cent", start, _are_rows)
        whole = with_more(lambda rng: (_two(rng)[0], 2), seed)
        called = r"(?i)k_?means|clust|fit|run|lloyd"
        yield Purpose("centres and groups", called, whole, _is_clustered, asks="argmin", takes_rest=True)
    fitted: Callable[[Rng], tuple[Any, ...]] = lambda rng: (2, _two(rng)[0], _two(rng)[0])  # noqa: E731
    grouped = lambda result, k, x, new: _are_groups(result, _group(new))  # noqa: E731
    yield Purpose("the group of each", r"(?i)pred|label|assign", fitted, grouped, asks="argmin", takes_rest=True)
    same_two: Callable[[Rng], tuple[Any, ...]] = lambda rng: (2, *[_two(rng)[0]] * 2)  # noqa: E731
    called = r"(?i)inert|score|cost|distor|sse|tr[aä]g"
    told = gives(lambda k, x, new: _squares(x, _group(x)), lambda k, x, new: -_squares(x, _group(x)))
    yield Purpose("how far all are from their centres", called, same_two, told, asks="argmin|min", takes_rest=True)
    alone: Callable[[Rng], tuple[Any, ...]] = lambda rng: (2, _two(rng)[0])  # noqa: E731
    grouped_so = lambda result, k, x: _are_groups(result, _group(x))  # noqa: E731
    yield Purpose("the group of each", r"(?i)pred|label|fit", alone, grouped_so, asks="argmin", takes_rest=True)


# ---- axes


def _spread(rng: Rng) -> Array:
    return np.asarray(rng.normal(size=(20, 4)) * [5, 3, 1, 0.4] @ rng.normal(size=(4, 4)) + [4, -7, 9, 2])


def _axes(x: Array, *, is_centred: bool = True) -> Array:
    """The axes along which data vary, those first along which they vary most, as columns."""
    x = x - mean if is_centred and (mean := x.mean(axis=0)) is not None else x
    return np.asarray(np.linalg.svd(x)[2].T)


def _variances(x: Array) -> Array:
    return np.asarray(np.linalg.svd(x - x.mean(axis=0))[1] ** 2)


def _same_axes(one: Any, other: Array) -> bool:
    """Whether columns, or rows, are the same but for their signs."""
    a = np.asarray(one)
    return any(b.shape == other.shape and same(np.abs(b), np.abs(other)) and _turned(b, other) for b in (a, a.T))


def _turned(a: Array, b: Array) -> bool:
    return same(a * np.sign((a * b).sum(axis=0)), b)


def _are_axes(result: Any, x: Array, k: int, *, is_centred: bool = True) -> bool:
    """Whether the first axes come back, and beside them what else is known of them and nothing else."""
    parts = [np.asarray(p) for p in (result if isinstance(result, tuple) else (result,))]
    axes, var = _axes(x, is_centred=is_centred), _variances(x)
    n = len(x)
    told = [x.mean(axis=0), var / (n - 1), var / n, np.sqrt(var), var / var.sum(), (x - x.mean(axis=0)) @ axes[:, :k]]

    def is_known(part: Array) -> bool:
        whole = any(same(part, t) or same(part, t[:k]) or (t.ndim > 1 and _same_axes(part, t)) for t in told)
        return whole or not is_centred or _same_axes(part, axes[:, :k]) or part.shape == x.shape

    return any(_same_axes(part, axes[:, :k]) for part in parts) and all(map(is_known, parts))


def _are_of_no_mean(result: Any, x: Array, k: int) -> bool:
    """Whether the axes are those of data that were not moved, beside their mean: else they may be moved before."""
    has_mean = isinstance(result, tuple) and any(same(part, x.mean(axis=0)) for part in result)
    return has_mean and _are_axes(result, x, k, is_centred=False)


def _are_last(result: Any, x: Array, k: int) -> bool:
    parts = [np.asarray(p) for p in (result if isinstance(result, tuple) else (result,))]
    return any(_same_axes(part, _axes(x)[:, ::-1][:, :k]) for part in parts)


_ORDER = "argsort"
"""What puts axes in an order."""


def _signs(k: int) -> Iterator[Array]:
    yield from map(np.array, product((1.0, -1.0), repeat=k))


def _projected(k: int, x: Array, new: Array, *, is_last: bool = False) -> Array:
    axes = _axes(x)[:, ::-1] if is_last else _axes(x)
    return np.asarray((new - x.mean(axis=0)) @ axes[:, :k])


def _is_back(result: Any, k: int, x: Array, z: Array) -> bool:
    return any(same(result, (z * s) @ _axes(x)[:, :k].T + x.mean(axis=0)) for s in _signs(k))


def _principal() -> Iterator[Purpose]:
    called, of = r"(?i)pca|princip|fit|eig|axes|component|acp", r"(?i)pca|princip|acp|hauptk"
    says = "gives the axes of data that are not moved to their mean first: the first of them points to that mean"
    slips = (
        Slip(_are_of_no_mean, says, of, r"\.T\b.*@|dot\(|matmul|svd|cov\("),
        Slip(_are_last, "gives the axes along which data vary least", of, _ORDER),
    )
    yield Purpose("the axes along which data vary", called, drawn(_spread, always(2)), _are_axes, slips=slips)
    given = drawn(normal(5, 4), lambda rng: rng.normal(size=4), normal(4, 2))
    yield Purpose("data along some axes", r"(?i)trans|proj|enc", given, gives(lambda x, m, a: (x - m) @ a))
    back = drawn(normal(5, 2), lambda rng: rng.normal(size=4), normal(4, 2))
    called = r"(?i)inv|recon|back|dec"
    yield Purpose("data from some axes", called, back, gives(lambda z, m, a: z @ a.T + m))
    fitted = drawn(always(2), _spread, normal(5, 4))
    along = lambda result, k, x, new: _same_axes(result, _projected(k, x, new))  # noqa: E731
    least = lambda result, k, x, new: _same_axes(result, _projected(k, x, new, is_last=True))  # noqa: E731
    lasts = (Slip(least, "gives data along the axes along which they vary least", r"^\w*(trans|proj)", _ORDER),)
    yield Purpose("data along the axes", r"(?i)trans|proj|enc", fitted, along, slips=lasts, takes_rest=True)
    alone = lambda result, k, x: _same_axes(result, _projected(k, x, x))  # noqa: E731
    called_so = r"(?i)trans|proj|enc|pca|fit"
    yield Purpose("data along their axes", called_so, drawn(always(2), _spread), alone, takes_rest=True)
    yield Purpose("data from the axes", called, drawn(always(2), _spread, normal(5, 2)), _is_back, takes_rest=True)


# ---- windows


_CUT = r"\w\[[^\]]*\w:[^\]]*\w:"
"""How a window is cut out."""


def _windows(x: Array, high: int, wide: int, stride: int, *, is_slow: bool = False) -> Array:
    """All windows over the last two axes; `is_slow` are as many of those that lie one beside the other."""
    every = np.lib.stride_tricks.sliding_window_view(x, (high, wide), axis=(-2, -1))
    strided = every[..., ::stride, ::stride, :, :]
    rows, columns = strided.shape[-4:-2]
    return np.asarray(every[..., :rows, :columns, :, :] if is_slow else strided)


def _padded(x: Array, pad: int) -> Array:
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(pad, pad)] * 2)


def _convolved(x: Array, w: Array, b: Array, stride: int = 1, pad: int = 0, *, is_slow: bool = False) -> Array:
    windows = _windows(_padded(x, pad), w.shape[2], w.shape[3], stride, is_slow=is_slow)
    return np.einsum("ncijhw,fchw->nfij", windows, w) + b.ravel()[:, None, None]


def _pooled(f: Callable[..., Any], x: Array, size: int, stride: int, *, is_slow: bool = False) -> Array:
    return np.asarray(f(_windows(x, size, size, stride, is_slow=is_slow), axis=(-2, -1)))


def _any_of(values: Sequence[int]) -> Callable[[Rng], int]:
    return lambda rng: int(rng.choice(values))


def _over_images() -> Iterator[Purpose]:
    image, kernel, bias = (
        lambda rng: rng.normal(size=(2, 3, 7, 5)),
        lambda rng: rng.normal(size=(4, 3, 3, 3)),
        lambda rng: rng.normal(size=4),
    )
    stride, pad, size = r"(?i)s|\w*strid\w*|\w*step|pas|paso", r"(?i)p|\w*pad\w*", r"(?i).*(size|pool|k|f|hh|w|n).*"
    says, called = "moves its window by 1, whatever the stride is", r"(?i)conv|corr|falt"
    draw = drawn(image, kernel, bias, _any_of((1, 2)), _any_of((0, 1)))
    slow = Slip(gives(lambda *given: _convolved(*given, is_slow=True)), says, called, _CUT)
    roles = {3: stride, 4: pad}
    yield Purpose("a convolution", called, draw, gives(_convolved), roles, slips=(slow,))
    strided = drawn(image, kernel, bias, _any_of((1, 2)))
    yield Purpose("a convolution", called, strided, gives(_convolved), {3: stride}, slips=(slow,))
    yield Purpose("a convolution", called, drawn(image, kernel, bias), gives(_convolved))
    plane, small = lambda rng: rng.normal(size=(7, 5)), lambda rng: rng.normal(size=(3, 3))
    flat = gives(lambda x, w, s=1: np.einsum("ijhw,hw->ij", _windows(x, 3, 3, s), w))
    crept = gives(lambda x, w, s: np.einsum("ijhw,hw->ij", _windows(x, 3, 3, s, is_slow=True), w))
    slips = (Slip(crept, says, called, _CUT),)
    yield Purpose("a convolution", called, drawn(plane, small, _any_of((1, 2))), flat, {2: stride}, slips)
    yield Purpose("a convolution", called, drawn(plane, small), flat)
    for name, f in (("largest", np.max), ("mean", np.mean)):
        for of in (image, plane):
            pooled = gives(lambda x, size, s, f=f: _pooled(f, x, size, s))
            crept = gives(lambda x, size, s, f=f: _pooled(f, x, size, s, is_slow=True))
            slips = (Slip(crept, says, r"(?i)pool", _CUT),)
            draw = drawn(of, _any_of((2, 3)), _any_of((1, 2, 3)))
            called_so = r"(?i)pool|max|mean|avg|average|down"
            yield Purpose(f"the {name} in each window", called_so, draw, pooled, {1: size, 2: stride}, slips)
    padded = drawn(image, _any_of((1, 2)))
    yield Purpose("images with a margin", r"(?i)pad|margin|border", padded, gives(_padded))


TABLES = (_groups, _principal, _over_images)
