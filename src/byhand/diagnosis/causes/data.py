"""What happens to the data: changed in place, torn apart, holding the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from byhand._types import Array
from byhand.diagnosis.why_evidence import Evidence
from byhand.diagnosis.why_report import Finding


def mutated(e: Evidence) -> Iterator[Finding]:
    """Data that a line changes in place, again in every round."""
    r = e.recording
    names: set[str] = set()
    ids: set[int] = set()
    for p in e.found.forwards[:60]:
        t = p.layers[0].x_t
        ids.add(r.value_id(t))
        for _ in range(6):
            site = r.site(t)
            if site["kind"] == "load":
                names.add(site["text"])
                break
            operands = [o for o in r.operands[t] if o >= 0]
            if not operands:
                break
            t = operands[0]
    for p in e.found.forwards[:60]:
        ids.add(r.value_id(p.layers[0].x_t))
    current: dict[Any, int] = {}
    after_site: dict[int, list[tuple[int, int, int]]] = {}
    for t in range(r.end):
        slot = r.slot(t)
        if slot is None:
            continue
        site = r.site(t)
        value = r.value_id(t)
        if value < 0:
            continue
        before = current.get(slot, -1)
        current[slot] = value
        if site["kind"] in ("assign", "augassign", "touched") and before >= 0 and before != value:
            text = site["text"]
            itself = site["kind"] != "assign" or re.search(rf"\b{re.escape(site['name'])}\b", text.split("=", 1)[-1])
            known = site["name"] in names
            if itself and known and value not in e.found.tainted and before not in e.found.tainted:
                after_site.setdefault(int(r.events["site"][t]), []).append((before, value, t))
    made = {value: r.vec(t) for pairs in after_site.values() for _, value, t in reversed(pairs)}
    for number, pairs in after_site.items():
        if len(pairs) < 2:
            continue
        chained = 0
        for before, value, t in pairs:
            a, b = r.held(before), r.held(value)
            if a is None or b is None or a.ndim == 0 or a.size < 2:
                continue
            changed = not np.allclose(np.sort(a.ravel()), np.sort(b.ravel()), rtol=1e-6) if a.size == b.size else False
            chained += before in made and made[before] != r.vec(t) and changed  # what another round made
        if chained >= 1:
            site = r.sites[number]
            first, final = r.held(pairs[0][0]), r.held(pairs[-1][1])
            assert first is not None
            assert final is not None
            with np.errstate(all="ignore"):
                scale = (float(np.abs(first).max()), float(np.abs(final).max()))
            yield Finding(
                "input-mutated",
                site["line"],
                {"name": site["name"], "largest_before": scale[0], "largest_after": scale[1]},
                0.96,
                f"line {site['line']} changes the data {site['name']} itself, again in every round: its largest number "
                f"went from {scale[0]:.4g} to {scale[1]:.4g}.",
            )
            return
    yield from _mutated_through_a_view(e, names)


def _mutated_through_a_view(e: Evidence, names: set[str]) -> Iterator[Finding]:
    """A part of the data that is changed in place, so that the whole it was cut from is another each time."""
    r = e.recording
    assigned = [site for site in r.sites if site["kind"] == "assign" and not site["element"]]
    for site in r.sites:
        if site["kind"] != "augassign" or site["name"] not in names or site["element"]:
            continue
        cut = (s["text"].partition("=")[2] for s in assigned if s["name"] == site["name"])
        wholes = {m.group(1) for text in cut if (m := re.match(r"\s*(\w+)\[", text))}
        for whole in wholes - {s["name"] for s in assigned if s["loops"]}:
            loads = [k for k, s in enumerate(r.sites) if s["kind"] == "load" and s["text"] == whole and s["loops"]]
            values = list(dict.fromkeys(r.value_id(t) for k in loads for t in r.events_of(k)))
            if len(values) > 2 and not e.found.tainted & set(values):
                largest = [float(np.abs(v).max()) for v in map(r.held, (values[0], values[-1])) if v is not None]
                yield Finding(
                    "input-mutated",
                    site["line"],
                    {"name": site["name"], "whole": whole, "largest": largest},
                    0.96,
                    f"line {site['line']} changes {site['name']} in place, which is a part of {whole}: {whole} itself "
                    "is changed, again in every round.",
                )
                return


def _data_values(e: Evidence, width: int, rows: int) -> list[tuple[int, int]]:
    """Untainted arrays of at least so many rows and just so wide: (event, value), each value once."""
    r = e.recording
    seen: dict[int, int] = {}
    for t in range(r.end):
        kind = r.site(t)["kind"]
        if kind not in ("assign", "augassign", "arg", "touched", "load"):
            continue
        value = r.value_id(t)
        if value < 0 or value in seen or value in e.found.tainted:
            continue
        shape = r.shape(t)
        if r.kind(value)[1] == "b" or not shape or shape[0] < rows or int(np.prod(shape[1:], dtype=int)) != width:
            continue
        seen[value] = t
    return [(t, value) for value, t in seen.items()]


def shuffled(e: Evidence) -> Iterator[Finding]:
    """Inputs and targets that were put into different orders."""
    r = e.recording
    if not e.passes or e.data is None:
        return
    p0 = e.passes[0]
    assert p0.y is not None
    n_x, n_y = p0.layers[0].x.shape[1], p0.y.shape[1]
    rows = max(len(p0.y), 4)
    xs, ys = _data_values(e, n_x, rows), _data_values(e, n_y, rows)
    if n_y > 1:
        ys += _data_values(e, 1, rows)

    def table(value: int) -> Array:
        held = r.held(value)
        assert held is not None
        return held.reshape(len(held), -1)

    def same_rows(a: Array, b: Array) -> bool:
        if a.shape != b.shape or np.array_equal(a, b):
            return False
        return np.array_equal(a[np.lexsort(a.T)], b[np.lexsort(b.T)])

    before_scaling = _rows_before_scaling([table(value) for _, value in xs[:20]])

    # The targets' earliest order, and the inputs' order at that time.
    firsts = []
    for t, value in ys:
        if not any(same_rows(table(value), table(v)) and tt < t for tt, v in ys[:40]):
            firsts.append((t, value))
    for t_y, y_value in sorted(firsts)[:6]:
        Y = table(y_value)
        if len(np.unique(Y, axis=0)) < 2:
            continue
        if n_y > Y.shape[1] and not np.isin(Y, np.arange(n_y)).all():
            continue  # no class numbers
        for _, x_value in _orders_at(xs, t_y, table):
            X = table(x_value)
            if len(X) != len(Y):
                continue
            index = {X[i].tobytes(): i for i in range(len(X))}
            if len(index) < 0.9 * len(X):
                continue
            right = wrong = 0
            for p in e.passes[:300]:
                assert p.y is not None
                for i in range(min(len(p.y), 500)):
                    row = p.layers[0].x[i].tobytes()
                    k = index.get(row, index.get(before_scaling.get(row, b"")))
                    if k is None:
                        continue
                    expected = Y[k]
                    if n_y > 1 and Y.shape[1] == 1:
                        expected = np.eye(n_y)[int(expected[0])] if 0 <= expected[0] < n_y else expected
                    if np.array_equal(expected, p.y[i]):
                        right += 1
                    else:
                        wrong += 1
            if right + wrong < 4:
                continue
            values = {v.tobytes() for v in Y}
            belongs = n_y > 1 or all(
                row.tobytes() in values for p in e.passes[:3] if p.y is not None for row in p.y[:50]
            )
            if not belongs:
                continue
            if wrong == 0:
                return
            share = wrong / (right + wrong)
            _, counts = np.unique(Y, axis=0, return_counts=True)
            by_chance = 1 - float(np.square(counts / counts.sum()).sum())  # fewer are labels that somebody changed
            if share <= 0.6 * by_chance:
                return
            if _was_permuted(e, X, Y, same_rows, xs, ys, table):
                line = _line_of_permutation(e, x_value, y_value, same_rows, xs, ys, table)
                yield Finding(
                    "label-shuffle-mismatch",
                    line,
                    {"share_of_wrong_pairs": share, "n_pairs": right + wrong},
                    0.96,
                    f"{share:.0%} of the inputs meet a target that is not theirs: the pairs (xᵢ, yᵢ) as they were made "
                    "have been torn apart.",
                )
                return


def _rows_before_scaling(tables: list[Array]) -> dict[bytes, bytes]:
    """For each row of a table whose columns are those of an earlier one, scaled and shifted: the earlier row."""
    found: dict[bytes, bytes] = {}
    for k, later in enumerate(tables):
        for earlier in tables[:k]:
            if earlier.shape != later.shape or len(later) < 4 or np.array_equal(earlier, later):
                continue
            if all(map(_same_up_to_scale, earlier.T, later.T)):
                found |= {b.tobytes(): a.tobytes() for a, b in zip(earlier, later, strict=True)}
                break
    return found


def _orders_at(xs: list[tuple[int, int]], t_y: int, table: Callable[[int], Array]) -> list[tuple[int, int]]:
    """The inputs as they were when the targets were made: the latest before, and the earliest after."""
    before = [x for x in xs if x[0] <= t_y]
    after = [x for x in xs if x[0] > t_y]
    return [*before[::-1][:3], *after[:1]]


def _was_permuted(
    e: Evidence, X: Array, Y: Array, same: Callable[[Array, Array], bool], xs: Any, ys: Any, table: Any
) -> bool:
    """Whether the script permutes at all: by an order of its own for one of them, or row by row."""
    text = e.recording.source
    return bool(re.search(r"permut|shuffle|argsort|sort|choice|randint|roll|\[::-1\]|sample|flip", text)) or any(
        same(Y, table(v)) for _, v in ys
    )


def _line_of_permutation(
    e: Evidence, x_value: int, y_value: int, same: Callable[[Array, Array], bool], xs: Any, ys: Any, table: Any
) -> int:
    r = e.recording
    for source, values in ((y_value, ys), (x_value, xs)):
        for t, value in values:
            if same(table(source), table(value)) and r.site(t)["kind"] in ("assign", "touched", "augassign"):
                return r.at(t)
    p = e.passes[0]
    return r.at(p.y_t) if p.y_t >= 0 else r.at(p.start)


JOINERS = {"hstack", "column_stack", "concatenate", "append", "stack", "insert", "vstack"}


def leaked(e: Evidence) -> Iterator[Finding]:
    """Inputs that hold the targets, where the code put them in."""
    r = e.recording
    if e.data is None:
        return
    x, y = e.data
    if x.shape[1] < 2 or len(x) < 4 or x.shape[1] == y.shape[1]:
        return
    leaks = []
    for k in range(y.shape[1]):
        if np.ptp(y[:, k]) == 0:
            continue
        leaks += [(j, k) for j in range(x.shape[1]) if _same_up_to_scale(x[:, j], y[:, k])]
    if not leaks:
        return
    # The same numbers may be meant (learn to copy an input): the code has to have put the target in.
    for number, site in enumerate(r.sites):
        events = r.events_of(number)
        if not events:
            continue
        joins = (site["kind"] == "call" and site["op"] in JOINERS) or (
            site["kind"] == "subscript" and re.match(r"np\.(c_|r_|hstack)", site["text"])
        )
        if joins:
            for t in events[:3]:
                value = r.value(t)
                if value is None or value.ndim != 2 or r.value_id(t) in e.found.tainted:
                    continue
                m = value.shape[0] if value.shape[1] == x.shape[1] else -1
                if m < 0:
                    continue
                column = value[:, leaks[0][0]]
                if len(np.unique(column)) == len(np.unique(y[:, leaks[0][1]])) and _mentions_target(e, site["text"], y):
                    yield _leak(e, site["line"], leaks)
                    return
    lines = _slices(e)
    if lines:
        yield _leak(e, lines, leaks)


def _same_up_to_scale(column: Array, target: Array) -> bool:
    a, b = column - column.mean(), target - target.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return size > 0 and abs(abs(float(a @ b)) / size - 1) < 1e-12


def _leak(e: Evidence, line: int, leaks: list[tuple[int, int]]) -> Finding:
    column = leaks[0][0]
    return Finding(
        "label-leak",
        line,
        {"column": column},
        0.97,
        f"column {column} of the inputs is the target itself (line {line}): the network only has to copy it.",
    )


def _mentions_target(e: Evidence, text: str, y: Array) -> bool:
    """Whether a name in the text held the targets."""
    r = e.recording
    names = set(re.findall(r"[^\W\d]\w*", text))
    for t in range(r.end):
        site = r.site(t)
        if site["kind"] in ("assign", "load", "arg") and (site.get("name") or site.get("text")) in names:
            value = r.value(t)
            if (
                value is not None
                and value.size >= 4
                and set(np.unique(value)) == set(np.unique(y))
                and value.size in (y.size, len(y))
            ):
                return True
    return False


def _slices(e: Evidence) -> int:
    """The line where inputs are cut from a table without cutting off the column that the targets are cut from."""
    source = e.recording.source
    target = re.search(r"^\s*(\w+)\s*=\s*(\w+)\[\s*:\s*,\s*(-?\d+)(?::-?\d*)?\s*\](?:\.reshape\(.*\))?", source, re.M)
    for target in re.finditer(r"^\s*(\w+)\s*=\s*(\w+)\[\s*:\s*,\s*(-?\d+)\s*:?\s*\]", source, re.M):
        table, column = target.group(2), int(target.group(3))
        for m in re.finditer(
            rf"^\s*(\w+)\s*=\s*{re.escape(table)}(?:\[\s*:\s*,\s*(-?\d*)\s*:\s*(-?\d*)\s*\]|\.copy\(\)|\[\s*:\s*\])?\s*(?:#.*)?$",
            source,
            re.M,
        ):
            if m.group(1) == target.group(1):
                continue
            return source[: m.start()].count("\n") + 1 + (1 if m.group(0).startswith("\n") else 0)
        if column == -1:
            # X = table used whole, with y its last column
            for made in re.finditer(rf"^[ \t]*(\w+)\s*=.*\b{re.escape(table)}\b(?!\[\s*:\s*,)", source, re.M):
                if made.group(1) not in (table, target.group(1)):
                    return source[: made.start()].count("\n") + 1
            return source[: target.start()].count("\n") + 1
    return 0
