"""From the evidence to causes, each at its line, ranked: what is exactly so comes before what is likely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from byhand import symptoms
from byhand._types import Array
from byhand.activations import softmax
from byhand.diagnosis import why_errors
from byhand.diagnosis.backward import TRUE_RULE, Rule
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.variants import Place, gradients_of
from byhand.diagnosis.why_evidence import Evidence, Start
from byhand.diagnosis.why_gradients import Batch, Verdict, steps
from byhand.diagnosis.why_network import Forward
from byhand.diagnosis.why_report import Experiment, Finding

ACCURACY = re.compile(
    r"\bacc|accura|genauigkeit|pr[ée]cision|exactitude|exactitud|precis[ãa]o|acur[áa]cia|acertos|aciertos|treffer", re.I
)


def causes(evidence: Evidence) -> list[Finding]:
    """All causes that the evidence shows, in rank order."""
    r = evidence.recording
    found: list[Finding] = []
    error = why_errors.explain(r)
    broadcast = list(_broadcast(evidence))
    if error is not None:
        if broadcast and error.id in ("shape-mismatch", "size-one-array-to-scalar"):
            return [*broadcast, error]
        return [error, *broadcast]
    checks: list[Callable[[Evidence], Iterator[Finding]]] = [_overflow_in_softmax, _integers]
    if evidence.found.forwards:
        checks += [
            _mutated,
            _shuffled,
            _leaked,
            _softmax_axis,
            _never,
            _outside_loop,
            _gradient,
            _logarithm,
            _diverged,
            _symptoms_of_failure,
            _metric,
        ]
    else:
        checks += [_logarithm, _unrecognised]
    found += broadcast
    for check in checks:
        for finding in check(evidence):
            if finding.id not in {f.id for f in found}:
                found.append(finding)
    return _ranked(found, evidence)


def _ranked(found: list[Finding], evidence: Evidence) -> list[Finding]:
    return sorted(found, key=lambda f: -f.confidence)


# Shapes and types


def _broadcast(e: Evidence) -> Iterator[Finding]:
    r = e.recording
    for number, site in enumerate(r.sites):
        if site["kind"] not in ("op", "compare", "call"):
            continue
        if site["kind"] == "call" and site["op"] not in ("subtract", "equal"):
            continue
        if site["kind"] == "op" and site["op"] != "Sub":
            continue
        if site["kind"] == "compare" and site["op"] != "Eq":
            continue
        for t in r.events_of(number)[:3]:
            operands = r.operands[t]
            if len(operands) < 2 or min(operands[:2]) < 0:
                continue
            a, b = r.shape(operands[0]), r.shape(operands[1])
            for column, row in ((a, b), (b, a)):
                if len(column) == 2 and column[1] == 1 and len(row) == 1 and row[0] == column[0] and row[0] > 1:
                    evidence = {"shapes": [list(a), list(b)], "result": list(r.shape(t))}
                    line = r.at(t)
                    if site["kind"] == "compare" or site["op"] == "equal":
                        yield Finding(
                            "metric-wrong",
                            line,
                            evidence,
                            0.9,
                            f"line {line} compares shapes {a} and {b}: NumPy compares every output with every target, "
                            f"{r.shape(t)} of them, so the share of right answers is not that.",
                        )
                    else:
                        yield Finding(
                            "broadcast-error-matrix",
                            line,
                            evidence,
                            0.98,
                            f"line {line} subtracts shapes {a} and {b}, which makes a matrix of shape {r.shape(t)}: "
                            "every output minus every target.",
                        )
                    return


def _integers(e: Evidence) -> Iterator[Finding]:
    r = e.recording
    names = e.found.names
    for update in e.found.updates[:200]:
        kind = r.kind(r.value_id(update.t_end))
        site = r.site(update.t)
        if kind[1:2] == "i" and update.before.size >= 1 and site["kind"] != "arg":
            name = names.get(update.place, site.get("name", ""))
            line = why_errors._definition_before(r, str(site.get("name", "")), update.line) or update.line
            yield Finding(
                "integer-parameters",
                line,
                {"name": name, "dtype": kind[1:]},
                0.97,
                f"{name} is an array of integers: each step at line {update.line} is cut to a whole number.",
            )
            return


# Data


def _mutated(e: Evidence) -> Iterator[Finding]:
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
    after_site: dict[int, list[tuple[int, int]]] = {}
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
                after_site.setdefault(int(r.events["site"][t]), []).append((before, value))
    for number, pairs in after_site.items():
        if len(pairs) < 2:
            continue
        chained = 0
        last = None
        for before, value in pairs:
            a, b = r.held(before), r.held(value)
            if a is None or b is None or a.ndim == 0 or a.size < 2:
                continue
            changed = not np.allclose(np.sort(a.ravel()), np.sort(b.ravel()), rtol=1e-6) if a.size == b.size else False
            if last == before and changed:
                chained += 1
            last = value
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
        if not shape or shape[0] < rows or int(np.prod(shape[1:], dtype=int)) != width:
            continue
        seen[value] = t
    return [(t, value) for value, t in seen.items()]


def _shuffled(e: Evidence) -> Iterator[Finding]:
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

    # The targets' earliest order, and the inputs' order at that time.
    shuffled_y = (
        [(i, j) for i in range(len(ys)) for j in range(i + 1, len(ys)) if same_rows(table(ys[i][1]), table(ys[j][1]))]
        if len(ys) < 60
        else []
    )
    firsts = []
    for t, value in ys:
        if not any(same_rows(table(value), table(v)) and tt < t for tt, v in ys[:40]):
            firsts.append((t, value))
    for t_y, y_value in firsts[:6]:
        Y = table(y_value)
        if len(np.unique(Y, axis=0)) < 2:
            continue
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
                    k = index.get(p.layers[0].x[i].tobytes())
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
            if share > 0.1 and _was_permuted(e, X, Y, same_rows, xs, ys, table):
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
    del shuffled_y


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


def _leaked(e: Evidence) -> Iterator[Finding]:
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
        leaks += [(j, k) for j in range(x.shape[1]) if np.array_equal(x[:, j], y[:, k])]
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
                if np.array_equal(np.unique(column), np.unique(y[:, leaks[0][1]])) and _mentions_target(
                    e, site["text"], y
                ):
                    yield _leak(e, site["line"], leaks)
                    return
    lines = _slices(e)
    if lines:
        yield _leak(e, lines, leaks)


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
            return source[: target.start()].count("\n") + 1
    return 0


def _softmax_axis(e: Evidence) -> Iterator[Finding]:
    for p in e.passes[:20]:
        last = p.layers[-1]
        if last.activation.startswith("softmax over") and len(last.z) > 1:
            sums = last.a.sum(axis=1)
            line = _line_in_function(e, last.t_z, last.t_a)
            yield Finding(
                "softmax-wrong-axis",
                line,
                {"sums_of_the_samples": sums[:4].tolist()},
                0.97,
                f"the probabilities of one sample should add up to 1; here they add up to "
                f"{', '.join(f'{s:.3g}' for s in sums[:3])}, since line {line} sums over the "
                f"{'samples' if 'samples' in last.activation else 'whole batch'}.",
            )
            return


def _line_in_function(e: Evidence, low: int, high: int) -> int:
    """The line that takes the sum in a softmax."""
    r = e.recording
    for t in range(low, high + 1):
        site = r.site(t)
        if site["kind"] == "call" and site["op"] in ("sum", ".sum"):
            return int(site["line"])
    return r.at(high)


# Updates


def _moved(e: Evidence) -> set[Place]:
    return {u.place for u in e.found.updates if (u.after != u.before).any()}


def _places(e: Evidence) -> list[Place]:
    places: list[Place] = []
    for k, layer in enumerate(e.found.model):
        places.append((k, "W"))
        if layer.b_t >= 0:
            places.append((k, "b"))
    return places


def _gradient_at_start(e: Evidence) -> dict[Place, Array] | None:
    p = next(iter(e.passes), None)
    batch = Batch.of([p]) if p is not None else None
    if batch is None:
        return None
    loss = "cross-entropy" if e.loss_kind == "cross-entropy" else "squares"
    return gradients_of(TRUE_RULE, batch.as_pass(loss))


def _never(e: Evidence) -> Iterator[Finding]:
    r = e.recording
    if len(e.passes) < 3:
        return
    touched = {u.place for u in e.found.updates}
    places = _places(e)
    still = [place for place in places if place not in touched]
    first, last = e.passes[0], e.passes[-1]

    def same(place: Place) -> bool:
        k, kind = place
        a, b = first.layers[k], last.layers[k]
        return np.array_equal(a.W, b.W) if kind == "W" else np.array_equal(a.b, b.b)

    still = [place for place in still if same(place)]
    gradient = _gradient_at_start(e)
    if gradient is None or not still:
        return
    still = [place for place in still if np.abs(gradient[place]).max(initial=0) > 1e-12]
    if not still or not any((p.start, p.end) for p in e.passes):
        return
    if len(still) == len(places):
        if _outside(e):
            return
        if not _in_loop(e):
            return
        line = _update_that_does_not_arrive(e)
        if line or _computes_gradient(e, still):
            yield Finding(
                "parameter-never-updated",
                line or r.at(e.passes[-1].start),
                {"parameters": [_name(e, p) for p in still]},
                0.9,
                "no parameter ever changes: the forward pass uses the same numbers from the first round to the last"
                + (f", since what line {line} makes never reaches it." if line else "."),
            )
        return
    computed = [place for place in still if _was_computed(e, place, gradient[place])]
    names = [_name(e, place) for place in computed or still]
    # A whole layer that is left alone may be meant so (random features); half a layer is not.
    half = [place for place in still if (place[0], "b" if place[1] == "W" else "W") in touched]
    computed = computed or half
    if computed or not e.trained:
        line = _line_of_gradient(e, (computed or still)[0], gradient) or _line_of_name(e, (computed or still)[0])
        yield Finding(
            "parameter-never-updated",
            line,
            {"parameters": names},
            0.93 if computed else 0.8,
            f"{' and '.join(names)} never change{'s' if len(names) == 1 else ''}: the same numbers in the "
            f"first forward "
            "pass and in the last, though the gradient is not 0.",
        )


def _name(e: Evidence, place: Place) -> str:
    return e.found.names.get(place) or f"{place[1]} of layer {place[0] + 1}"


def _line_of_name(e: Evidence, place: Place) -> int:
    name = _name(e, place)
    for site in e.recording.sites:
        if site["kind"] == "assign" and site["name"] == name:
            return int(site["line"])
    return 0


def _line_of_gradient(e: Evidence, place: Place, gradient: dict[Place, Array]) -> int:
    r = e.recording
    p = e.passes[0]
    layer = p.layers[place[0]]
    for t in range(p.end, min(p.end + 400, r.end)):
        value = r.value(t)
        if value is None or value.size != gradient[place].size or r.site(t)["kind"] != "assign":
            continue
        shaped = layer.as_W(value) if place[1] == "W" else value.reshape(-1)
        if _proportional(shaped, gradient[place]):
            return r.at(t)
    return 0


def _proportional(a: Array, b: Array) -> bool:
    if a.shape != b.shape or not a.any() or not b.any() or not np.isfinite(a).all():
        return False
    c = float((a * b).sum() / (b * b).sum())
    return bool(np.abs(a - c * b).max() <= 1e-6 * np.abs(a).max())


def _was_computed(e: Evidence, place: Place, gradient: Array) -> bool:
    r = e.recording
    p = e.passes[0]
    layer = p.layers[place[0]]
    if gradient.size < 2:
        return False
    end = e.passes[1].start if len(e.passes) > 1 and len(p.y if p.y is not None else ()) > 1 else r.end
    for t in range(p.end, min(max(end, p.end + 50), p.end + 600, r.end)):
        value = r.value(t)
        if value is None or value.size != gradient.size:
            continue
        shaped = layer.as_W(value) if place[1] == "W" else value.reshape(-1)
        if _proportional(shaped, gradient):
            return True
    return False


def _computes_gradient(e: Evidence, places: list[Place]) -> bool:
    gradient = _gradient_at_start(e)
    return gradient is not None and any(_was_computed(e, place, gradient[place]) for place in places)


def _in_loop(e: Evidence) -> bool:
    return any(e.recording.vec(p.start) for p in e.passes[:3])


def _update_that_does_not_arrive(e: Evidence) -> int:
    """A line that subtracts from a parameter, the result of which no forward pass uses."""
    r = e.recording
    weights = {r.value_id(layer.W_t) for layer in e.found.model} | {
        r.value_id(layer.b_t) for layer in e.found.model if layer.b_t >= 0
    }
    start = e.passes[0].end
    for t in range(start, r.end):
        site = r.site(t)
        if site["kind"] in ("op",) and site["op"] in ("Sub", "Add"):
            operands = [o for o in r.operands[t] if o >= 0]
            if operands and r.value_id(operands[0]) in weights and r.shape(t) == r.shape(operands[0]):
                return r.at(t)
    return 0


def _outside(e: Evidence) -> int:
    """The line of the update, if it comes after the loop of the forward passes and not in it."""
    r = e.recording
    updates = e.found.updates
    in_loop = [p for p in e.passes if r.vec(p.start)]
    if not updates or len(in_loop) < 3:
        return 0
    first_update = min(u.t for u in updates)
    before = [p for p in in_loop if p.end < first_update]
    if len(before) < 3:
        return 0
    loops_of_forward = set(r.vec(before[0].start))
    loops_of_update = set(r.vec(first_update))
    if loops_of_update:
        return 0
    rounds = {tuple(sorted(r.vec(p.start).items())) for p in before}
    repeated = len({p.layers[0].x.tobytes() for p in before}) < len(before)
    return r.at(first_update) if loops_of_forward and len(rounds) >= 3 and repeated else 0


def _outside_loop(e: Evidence) -> Iterator[Finding]:
    line = _outside(e)
    if line:
        sum(1 for p in e.passes if e.recording.vec(p.start))
        yield Finding(
            "update-outside-loop",
            line,
            {"steps": len(steps(e.found))},
            0.95,
            f"the update at line {line} stands outside the loop: many forward passes, and only one step.",
        )
        return
    r = e.recording
    # Unrecognised as an update, because nothing used its result any more.
    if e.found.updates or len(e.passes) < 3 or not _in_loop(e):
        return
    weights = {r.value_id(layer.W_t): k for k, layer in enumerate(e.found.model)}
    last = max(p.end for p in e.passes if r.vec(p.start))
    for t in range(last, r.end):
        site = r.site(t)
        makes = (site["kind"] == "augassign" and site.get("op") in ("Sub", "Add")) or (
            site["kind"] == "op" and site["op"] in ("Sub", "Add")
        )
        if not makes or r.vec(t):
            continue
        operands = [o for o in r.operands[t] if o >= 0]
        names = {_name(e, place) for place in _places(e)}
        hits = site["kind"] == "augassign" and site["name"] in names
        hits = hits or any(r.value_id(o) in weights for o in operands[:1])
        if hits:
            yield Finding(
                "update-outside-loop",
                r.at(t),
                {"steps": 1},
                0.95,
                f"the update at line {r.at(t)} stands after the loop: the parameters change once, at the very end.",
            )
            return


# The gradient


def _gradient(e: Evidence) -> Iterator[Finding]:
    verdicts = e.judgement.verdicts
    if not verdicts:
        return
    wrong = [v for v in verdicts if v.ids]
    if not wrong:
        return
    counts: dict[tuple[str, ...], list[Verdict]] = {}
    for v in wrong:
        counts.setdefault(v.ids, []).append(v)
    ids, group = max(counts.items(), key=lambda item: (len(item[1]), -len(item[0])))
    # With momentum only the first step lies along its gradient, and the later ones can't be explained.
    only_first = len(wrong) == len(verdicts) and verdicts[0].ids == ids
    share = 1.0 if only_first else len(group) / (len(verdicts) + len(e.judgement.unexplained))
    only_stale = ids == ("stale-gradient",)
    if share < 0.4 or (len(group) < 2 and len(verdicts) > 2 and not only_stale and not only_first):
        return
    v = group[0]
    if ids == ("constant-factor",) and len(v.factors) == len(v.places):
        return
    experiment = _mended_gradient(e)
    for rank, mistake in enumerate(ids):
        line = _line_of_verdict(e, v, mistake)
        meant, found = _formula(v, mistake)
        names = ", ".join(_name(e, place) for place in v.places)
        evidence: dict[str, Any] = {
            "steps_that_match": len(group),
            "steps_checked": len(verdicts) + len(e.judgement.unexplained),
            "factors": {_name(e, place): round(f, 9) for place, f in v.factors.items()},
        }
        if meant:
            evidence |= {"meant": meant, "found": found}
        if v.extra:
            evidence["how"] = v.extra
        yield Finding(
            mistake,
            line,
            evidence,
            0.94 - 0.04 * rank,
            _words(mistake, v, e, meant, found, names, len(group)),
            experiment,
        )


def _mended_gradient(e: Evidence) -> Experiment | None:
    return e.experiment("the same start, data and learning rate with the right gradient")


def _formula(v: Verdict, mistake: str) -> tuple[str, str]:
    for variant in v.variants:
        if variant.id == mistake:
            return variant.meant, variant.found
    return "", ""


def _words(mistake: str, v: Verdict, e: Evidence, meant: str, found: str, names: str, n: int) -> str:
    exact = f"In {n} step{'s' if n > 1 else ''} that were checked the parameters changed exactly so."
    if meant:
        where = next((variant.where for variant in v.variants if variant.id == mistake and variant.where), "")
        return f"{where + ': ' if where else ''}{found}, where {meant} belongs. {exact}"
    if mistake == "sign-flipped":
        return f"{names} go up the gradient instead of down: the change has the sign of +dL/dθ. {exact}"
    if mistake in ("sum-versus-mean", "constant-factor", "bias-gradient-wrong"):
        ratios = ", ".join(f"{_name(e, place)}: {v.factors[place]:.6g}" for place in v.places if place in v.factors)
        return f"compared with the other parameters the steps are off by a factor ({ratios}). {exact}"
    if mistake == "parameter-never-updated":
        return f"{names} never change, though their gradient is not 0. {exact}"
    if mistake == "stale-gradient" and v.extra == "accumulated":
        return f"each step holds the gradients of all steps before: the sums are never set to zero. {exact}"
    if mistake == "stale-gradient":
        return f"the gradient was computed from a forward pass before the parameters had last changed. {exact}"
    return f"{CATALOGUE[mistake].title}. {exact}"


def _line_of_verdict(e: Evidence, v: Verdict, mistake: str) -> int:
    """Where the wrong thing is computed: by value, the line whose result is the wrong δ or gradient."""
    r = e.recording
    low, high = v.batch.start, v.step.end
    p = v.batch.as_pass(v.loss)
    if mistake in ("sign-flipped", "sum-versus-mean", "constant-factor", "parameter-never-updated") and v.places:
        update = v.step.updates.get(v.places[0])
        return update.line if update else 0
    if mistake == "stale-gradient":
        return min(v.step.updates.values(), key=lambda u: u.t).line
    variant = next((x for x in v.variants if x.id == mistake), None)
    wanted: list[Array] = []
    if variant is not None:
        deltas: dict[int, Array] = {}
        grads: dict[Place, Array] = {}
        rule: Rule = TRUE_RULE
        true_deltas: dict[int, Array] = {}
        for x in v.variants:
            rule = x.change(rule)

        def spy(rule: Rule, into: dict[int, Array]) -> Rule:
            old = rule.delta

            def delta(p: Any, s: Any) -> Array:
                into[s.layer] = old(p, s)
                return into[s.layer]

            return rule.with_step(delta=delta)

        try:
            grads = gradients_of(spy(rule, deltas), p) or {}
            true = gradients_of(spy(TRUE_RULE, true_deltas), p) or {}
        except (ValueError, IndexError):
            true = {}
        wanted += [deltas[k] for k in sorted(deltas, reverse=True) if not _proportional(deltas[k], true_deltas[k])]
        wanted += [grads[q] for q in grads if q in true and not _proportional(grads[q], true[q])]
    for target in wanted:
        for t in range(low, min(high + 1, r.end)):
            site = r.site(t)
            value = r.value(t)
            if (
                value is None
                or site["kind"] in ("load", "arg", "for", "subscript")
                or value.size != target.size
                or target.size < 2
            ):
                continue
            for shaped in (value.reshape(-1), value.T.reshape(-1)):
                if _proportional(shaped, target.reshape(-1)):
                    return r.at(t)
    places = list(v.places) or [(0, "W")]
    update = v.step.updates.get(places[0]) or min(v.step.updates.values(), key=lambda u: u.t)
    if variant is not None and mistake == "bias-gradient-wrong":
        biases = [u for q, u in v.step.updates.items() if q[1] == "b"]
        update = biases[0] if biases else update
    if variant is not None and "hidden" in variant.where:
        hidden = [u for q, u in v.step.updates.items() if q[0] < len(v.batch.layers) - 1]
        update = hidden[0] if hidden else update
    return update.line


# Numbers that are none


def _overflow_in_softmax(e: Evidence) -> Iterator[Finding]:
    r = e.recording
    warned = [w for w in r.warnings if "overflow" in w["message"] and "exp" in w["message"]]
    broken = [w for w in r.warnings if "invalid value" in w["message"] and "divide" in w["message"]]
    if not broken:
        return
    text = r.source
    line = broken[0]["line"]
    if not warned or not re.search(r"exp", text):
        return
    # inf / inf: an exponential over a sum of exponentials
    for number, site in enumerate(r.sites):
        if site["kind"] == "op" and site["op"] == "Div" and site["line"] <= line <= site["end_line"]:
            for t in r.events_of(number):
                value = r.value(t)
                operands = [o for o in r.operands[t] if o >= 0]
                if value is None or np.isfinite(value).all() or not operands:
                    continue
                top = r.value(operands[0])
                if top is None or not np.isinf(top).any():
                    continue
                z = _logits_before(r, t)
                if z is None or not np.isfinite(z).all():
                    continue
                with np.errstate(all="ignore"):
                    stable = softmax(z if z.ndim == 2 else z.reshape(1, -1))
                if np.isfinite(stable).all():
                    largest = float(np.abs(z).max())
                    yield Finding(
                        "softmax-overflow",
                        line,
                        {"largest_z": largest},
                        0.97,
                        f"line {line} takes e^z of z up to {largest:.4g}, which is inf, and inf / inf is nan.",
                        Experiment("the row's maximum subtracted first", float("nan"), float(stable.max()), True),
                    )
                    return


def _logits_before(r: Any, t: int) -> Array | None:
    """The finite argument of the last exp before event t."""
    for u in range(t, max(t - 60, -1), -1):
        site = r.site(u)
        if site["kind"] == "call" and site["op"] == "exp":
            operands = [o for o in r.operands[u] if o >= 0]
            return r.value(operands[0]) if operands else None
    return None


def _logarithm(e: Evidence) -> Iterator[Finding]:
    r = e.recording
    warned = [
        w
        for w in r.warnings
        if "log" in w["message"] and ("divide by zero" in w["message"] or "invalid" in w["message"])
    ]
    if not warned:
        # silenced warnings: the value of a log is −inf
        for number, site in enumerate(r.sites):
            if site["kind"] == "call" and site["op"] in ("log", "log2", "log10"):
                for t in r.events_of(number):
                    value = r.value(t)
                    if value is not None and np.isneginf(value).any():
                        warned = [{"line": r.at(t), "message": "log of 0"}]
                        break
    if not warned:
        return
    line = warned[0]["line"]
    exploding = e.found.forwards and not _finite(e.final)
    losses = e.losses
    broken = [k for k, v in enumerate(losses) if not np.isfinite(v)]
    grew = exploding and symptoms.growth_factor(list(losses[: broken[0]]) if broken else losses) is not None
    yield Finding(
        "log-of-zero",
        line,
        {"warning": warned[0]["message"], "first_loss_that_is_no_number": broken[0] if broken else None},
        0.55 if grew else 0.9,
        f"line {line} takes the logarithm of 0: the loss becomes inf or nan, since an output reached 0 or 1 exactly.",
    )


def _finite(parameters: Start) -> bool:
    return all(np.isfinite(v).all() for v in [*parameters.W, *parameters.b])


def _unrecognised(e: Evidence) -> Iterator[Finding]:
    """What the numbers alone tell when no network was recognised."""
    losses = e.losses
    factor = symptoms.growth_factor(losses) if losses else None
    if losses and (not np.isfinite(losses).all() or (factor is not None and losses[-1] > 10 * losses[0])):
        yield Finding(
            "learning-rate-too-high",
            0,
            {"growth_factor": factor, "last_loss": losses[-1]},
            0.5,
            f"the loss went from {losses[0]:.4g} to {losses[-1]:.4g}"
            + (f", by the factor {factor:.4g} each time." if factor else "."),
        )


# What goes wrong although every step is right


def _gradient_is_right(e: Evidence) -> bool:
    return bool(e.judgement.verdicts) and not any(v.ids for v in e.judgement.verdicts)


def _scale_of_inputs(x: Array) -> tuple[float, float]:
    """The largest spread of a column, and the ratio of the largest to the smallest (of those that vary)."""
    size = np.sqrt(np.square(x).mean(axis=0))
    vary = size[np.ptp(x, axis=0) > 0]
    if not len(vary):
        return float(size.max(initial=0)), 1.0
    return float(vary.max()), float(vary.max() / vary.min())


def _learning_rate_line(e: Evidence) -> tuple[int, str, float]:
    """The line that sets the learning rate, its name and its value: a number loaded in the updates."""
    r = e.recording
    counts: dict[tuple[str, float], int] = {}
    rate = e.rate or 0.0
    for update in e.found.updates[:40]:
        for t in range(max(0, update.t - 40), update.t):
            site = r.site(t)
            value = r.value(t)
            here = site["kind"] == "load" and site["line"] == update.line
            if here and value is not None and value.ndim == 0 and value > 0:
                key = (site["text"], float(value))
                counts[key] = counts.get(key, 0) + 1
    if not counts:
        match = re.search(
            r"^.*\b(lr|eta|alpha|learning_rate|rate|taux|lernrate|tasa|taxa)\w*\s*=\s*([\d.e+-]+)",
            r.source,
            re.M | re.I,
        )
        if match:
            return r.source[: match.start()].count("\n") + 1, match.group(1), float(match.group(2))
        return (e.found.updates[0].line if e.found.updates else 0), "", rate
    name, number = max(
        counts,
        key=lambda k: (bool(re.search(r"lr|rate|eta|alpha|taux|tasa|taxa|schritt|pas\b", k[0], re.I)), counts[k]),
    )
    tail = name.rsplit(".", 1)[-1]
    for match in re.finditer(rf"\b{re.escape(tail)}\s*(?::\s*\w+\s*)?=\s*(-?[\d._]+(?:e[+-]?\d+)?)", r.source, re.I):
        if abs(float(match.group(1).replace("_", "")) - number) <= 1e-12 * number:
            return r.source[: match.start()].count("\n") + 1, name, number
    return e.found.updates[0].line, name, number


def _diverged(e: Evidence) -> Iterator[Finding]:
    if e.data is None:
        return
    x, _y = e.data
    with np.errstate(all="ignore"):
        losses = list(e.losses)
        finite = [v for v in losses if np.isfinite(v)]
        final = e.final_loss
        grew = (
            bool(finite)
            and len(finite) >= 2
            and max(finite[1:]) > 5 * max(finite[0], 1e-300)
            and finite[-1] > 2 * finite[0]
        )
        not_finite = not np.isfinite(final) or not _finite(e.final)
        larger = np.isfinite(final) and final > 5 * max(e.start_loss, 1e-300) and final > 1.5 * e.best_constant
    if not (not_finite or larger or (grew and not e.trained)):
        return
    line, name, value = _learning_rate_line(e)
    factor = symptoms.growth_factor(losses) if losses else None
    spread, ratio = _scale_of_inputs(x)
    evidence: dict[str, Any] = {
        "learning_rate": value,
        "growth_factor": factor,
        "last_loss": losses[-1] if losses else final,
    }
    bound = _largest_rate(e, x)
    if bound is not None and e.rate:
        evidence |= {"largest_learning_rate": value * bound / e.rate}
    right = _gradient_is_right(e)
    confidence = 0.9 if right else 0.6
    # Would standardised inputs do, at the same learning rate?
    if spread > 8 or (ratio > 30 and spread > 3):
        mean, std = x.mean(axis=0), x.std(axis=0)
        scaled = (x - mean) / np.where(std > 0, std, 1)
        experiment = e.experiment("the inputs standardised, at the same learning rate", x=scaled)
        if experiment is not None and (
            experiment.cured or (np.isfinite(experiment.after) and experiment.after < 0.5 * e.best_constant)
        ):
            experiment.cured = True
            yield Finding(
                "unscaled-data",
                _line_of_inputs(e),
                evidence | {"spread": spread, "ratio": ratio},
                confidence + 0.02,
                f"the inputs are as large as {np.abs(x).max():.4g}, so the gradients are too, and the loss "
                f"{'grows until it is no number' if not_finite else 'grows'}.",
                experiment,
            )
            confidence -= 0.2
    if right or not e.judgement.verdicts:
        mean_factor = _sum_for_mean(e, value)
        best = _slower(e)
        words = (
            f"the loss grows by the factor {factor:.4g} each time"
            if factor
            else ("the loss becomes no number" if not_finite else "the loss grows")
        )
        limit = evidence.get("largest_learning_rate")
        if limit:
            named = name or "the learning rate"
            words += f"; this linear model converges below 2/λmax = {limit:.4g}, and {named} is {value:.4g}"
        if mean_factor:
            n = mean_factor
            experiment = e.experiment(f"the gradient divided by n = {n}", rate=(e.rate or 0) / n)
            if experiment is not None and experiment.cured:
                yield Finding(
                    "sum-versus-mean",
                    e.found.updates[0].line,
                    evidence | {"n": n},
                    confidence + 0.03,
                    f"the loss is a mean over {n} samples, the gradient their sum: each step is {n} times as long as "
                    f"the learning rate says, and {words}.",
                    experiment,
                )
        yield Finding("learning-rate-too-high", line, evidence, confidence, words + ".", best)


def _sum_for_mean(e: Evidence, rate: float) -> int:
    """n, if the script's loss is a mean and its step is made of the sum."""
    n = e.batch_size
    if n < 5 or not rate or e.rate is None or ("mean" not in e.loss_is and "/ n" not in e.loss_is):
        return 0
    return n if any(abs(e.rate / (rate * c) - 1) < 1e-4 for c in (1, 2)) else 0


def _largest_rate(e: Evidence, x: Array) -> float | None:
    """2/λmax for Σ ½ (ŷ − y)² of a batch, if the model is linear."""
    if len(e.activations) != 1 or e.activations[0] != "identity" or e.loss_kind == "cross-entropy":
        return None
    size = e.batch_size or len(x)
    x_tilde = np.column_stack([x[:size], np.ones(len(x[:size]))]) if e.found.model[0].b_t >= 0 else x[:size]
    return float(2 / np.linalg.eigvalsh(x_tilde.T @ x_tilde).max())


def _slower(e: Evidence) -> Experiment | None:
    """The largest of a few smaller learning rates that trains."""
    last = None
    for divisor in (2, 10, 100, 1000):
        if e.rate is None:
            return None
        last = e.experiment(f"the learning rate divided by {divisor}", rate=e.rate / divisor, budget=1e8)
        if last is not None and (last.cured or last.after < 0.5 * e.best_constant):
            last.cured = True
            return last
    return last


def _line_of_inputs(e: Evidence) -> int:
    r = e.recording
    value = r.value_id(e.found.model[0].x_t)
    for t in range(r.end):
        if r.value_id(t) == value and r.site(t)["kind"] == "assign":
            return r.at(t)
    name = ""
    t = e.found.model[0].x_t
    for _ in range(6):
        if r.site(t)["kind"] == "load":
            name = r.site(t)["text"]
            break
        operands = [o for o in r.operands[t] if o >= 0]
        if not operands:
            break
        t = operands[0]
    for site in r.sites:
        if site["kind"] == "assign" and site["name"] == name:
            return int(site["line"])
    return r.at(e.found.model[0].t)


def _symptoms_of_failure(e: Evidence) -> Iterator[Finding]:
    """The rules of `symptoms`, asked only when the training failed."""
    r = e.recording
    if e.data is None or e.trained or len(e.passes) < 2:
        return
    x, y = e.data
    start_z, start_a = e.outputs(e.start, x)
    end_z, end_a = e.outputs(e.final, x)
    if not np.isfinite(end_a[-1]).all() and not np.isfinite(start_a[-1]).all():
        return
    names = e.activations
    model = e.found.model
    last = len(names) - 1
    right = _gradient_is_right(e) or not e.judgement.verdicts
    base = 0.85 if right else 0.5
    diverging = not np.isfinite(end_a[-1]).all()

    def forward_line(k: int) -> int:
        return r.at(model[k].t_a)

    outside = symptoms.outside_range(y, names[last])
    if outside.any() and e.loss_kind != "cross-entropy":
        low, high = symptoms.RANGES[names[last]]
        share = float(outside.mean())
        experiment = _linear_output(e)
        yield Finding(
            "target-outside-range",
            forward_line(last),
            {"share": share, "lowest_target": float(y.min()), "highest_target": float(y.max())},
            base + 0.06,
            f"{share:.0%} of the targets (from {y.min():.4g} to {y.max():.4g}) lie outside what "
            f"{names[last]} can give, "
            f"{low:.4g} to {high:.4g}.",
            experiment,
        )
    if diverging:
        return
    # dead
    if names[last] == "relu" and symptoms.dead_units(end_z[last]).all():
        loss = e.losses[-1] if e.losses else e.final_loss
        experiment = _another_seed(e)
        yield Finding(
            "dead-relu-output",
            forward_line(last),
            {"largest_z": float(end_z[last].max()), "loss": loss},
            0.97,
            f"the output unit is dead: z ≤ 0 on every sample, so ŷ = 0, and every gradient is exactly 0. "
            f"The loss stays at {loss:.6g}.",
            experiment,
        )
        return
    for k in range(last):
        if names[k] != "relu":
            continue
        dead = symptoms.dead_units(end_z[k])
        if dead.mean() >= 0.5:
            at_start = float(symptoms.dead_units(start_z[k]).mean())
            experiment = _another_seed(e)
            yield Finding(
                "dead-relu-hidden",
                forward_line(k),
                {"n_dead": int(dead.sum()), "n_units": len(dead), "share_at_the_start": at_start},
                base + 0.05 + 0.04 * bool(dead.all()),
                f"{int(dead.sum())} of {len(dead)} hidden units of layer {k + 1} are dead: z ≤ 0 on every "
                f"sample, so their "
                f"gradient is exactly 0 ({at_start:.0%} of them from the start).",
                experiment,
            )
    # symmetric
    for k in range(last):
        groups = symptoms.identical_units(e.final.W[k], e.final.b[k], e.final.W[k + 1].T)
        largest = max((len(g) for g in groups), default=0)
        if largest >= max(2, 0.5 * len(e.final.W[k])):
            experiment = _random_start(e)
            yield Finding(
                "symmetric-initialization",
                _line_of_name(e, (k, "W")) or forward_line(k),
                {"n_identical": largest, "n_units": len(e.final.W[k])},
                base + 0.09,
                f"{largest} of {len(e.final.W[k])} hidden units of layer {k + 1} are copies of each other at the "
                f"end: they "
                "started with the same weights, so they got the same gradients.",
                experiment,
            )
            return
    all_zero = all(not W.any() for W in e.start.W)
    if all_zero and last >= 1:
        yield Finding(
            "symmetric-initialization",
            _line_of_name(e, (0, "W")) or forward_line(0),
            {"all_zero": True},
            base + 0.09,
            "all weights start at 0, so nothing is sent back and all units stay alike.",
            _random_start(e),
        )
        return
    # tiny
    if last >= 1:
        scales = [float(np.sqrt(np.square(W).mean() * W.shape[1])) for W in e.start.W]
        if max(scales) < 0.05 and symptoms.is_at_constant(e.final_loss, e.best_constant):
            experiment = _random_start(e)
            if max(scales) < 0.01 or experiment is None or experiment.cured or experiment.after < 0.9 * e.final_loss:
                yield Finding(
                    "tiny-initialization",
                    _line_of_name(e, (0, "W")) or forward_line(0),
                    {"scales": scales},
                    base + 0.06,
                    f"the weights start so small (√n_in times their root mean square: {scales[0]:.1e}; about 1 is "
                    f"usual) "
                    "that all samples look alike, and the loss stays at the best constant's.",
                    experiment,
                )
    # linear collapse
    tiny = max(float(np.abs(z).max(initial=0)) for z in start_z) < 0.01  # too small to tell tanh from none
    if last >= 1 and not tiny and all(name == "identity" for name in names[:-1]):
        affine = symptoms.affine_r2(x, end_z[last])
        experiment = _with_tanh(e)
        if experiment is None or experiment.cured or experiment.after < 0.8 * e.final_loss:
            yield Finding(
                "linear-collapse",
                forward_line(0),
                {"r2": affine},
                base + 0.07,
                f"no activation function stands between the {last + 1} layers, so they are one linear function "
                f"(R² of the best affine function: {affine:.6g}).",
                experiment,
            )
    # saturated
    for k in range(last + 1):
        if names[k] not in ("sigmoid", "tanh"):
            continue
        now, before = symptoms.saturated_units(end_z[k]), symptoms.saturated_units(start_z[k])
        if now.mean() < 0.5:
            continue
        spread, ratio = _scale_of_inputs(x)
        line, _, value = _learning_rate_line(e)
        if before.mean() >= 0.5:
            if spread > 8 and k == 0:
                mean, std = x.mean(axis=0), x.std(axis=0)
                scaled = (x - mean) / np.where(std > 0, std, 1)
                experiment = e.experiment("the inputs standardised", x=scaled)
                if experiment is None or experiment.cured or experiment.after < 0.7 * e.final_loss:
                    yield Finding(
                        "unscaled-data",
                        _line_of_inputs(e),
                        {"spread": spread, "ratio": ratio},
                        base + 0.08,
                        f"the inputs are as large as {np.abs(x).max():.4g}, so the units of "
                        f"layer {k + 1} are saturated "
                        "from the start.",
                        experiment,
                    )
            small = Start([W / max(1.0, np.abs(W).max()) for W in e.start.W], [b * 0 for b in e.start.b])
            experiment = e.experiment("smaller weights at the start", parameters=small)
            yield Finding(
                "saturated-units",
                _line_of_name(e, (k, "W")) or forward_line(k),
                {"share_of_units": float(now.mean()), "share_at_the_start": float(before.mean())},
                base + 0.05,
                f"{now.mean():.0%} of the units of layer {k + 1} are saturated (|z| ≥ 5 on most samples), from "
                f"the start on, "
                "so hardly any gradient passes.",
                experiment,
            )
        else:
            experiment = _slower(e)
            if experiment is not None and experiment.cured:
                if spread > 8:
                    mean, std = x.mean(axis=0), x.std(axis=0)
                    scaled = (x - mean) / np.where(std > 0, std, 1)
                    other = e.experiment("the inputs standardised", x=scaled)
                    if other is not None and other.cured:
                        yield Finding(
                            "unscaled-data",
                            _line_of_inputs(e),
                            {"spread": spread},
                            base + 0.06,
                            f"the inputs are as large as {np.abs(x).max():.4g}; the steps are, too, and the units of "
                            f"layer {k + 1} end up saturated.",
                            other,
                        )
                yield Finding(
                    "learning-rate-too-high",
                    line,
                    {"learning_rate": value},
                    base + 0.04,
                    f"the first steps are so long that the units of layer {k + 1} end up saturated.",
                    experiment,
                )
            yield Finding(
                "saturated-units",
                forward_line(k),
                {"share_of_units": float(now.mean())},
                base + 0.01,
                f"{now.mean():.0%} of the units of layer {k + 1} end up saturated (|z| ≥ 5 on most samples) "
                f"while the loss "
                f"is still {e.final_loss:.4g}.",
            )
        break
    # bias missing
    yield from _bias_missing(e, base)
    yield from _unscaled(e, base)
    yield from _too_few(e, base)
    yield from _restless(e, base)


def _restless(e: Evidence, base: float) -> Iterator[Finding]:
    """The loss neither falls nor blows up: it jumps about."""
    losses = np.array([v for v in e.losses if np.isfinite(v)])
    if len(losses) < 20 or e.rate is None:
        return
    tail = losses[len(losses) // 2 :]
    ups = float((np.diff(tail) > 1e-12 * np.abs(tail[:-1])).mean())
    if not (ups > 0.15 and np.ptp(tail) > 0.02 * abs(tail.mean())):
        return
    experiment = _slower(e)
    if experiment is not None and experiment.cured:
        line, _, value = _learning_rate_line(e)
        yield Finding(
            "learning-rate-too-high",
            line,
            {"learning_rate": value, "share_of_rises": ups},
            base + 0.02,
            f"the loss jumps about instead of falling: it rises in {ups:.0%} of the rounds.",
            experiment,
        )


def _bias_missing(e: Evidence, base: float) -> Iterator[Finding]:
    r = e.recording
    without = [k for k, layer in enumerate(e.found.model) if layer.b_t < 0]
    if not without or e.data is None:
        return
    x, _ = e.data
    if any(np.ptp(x[:, j]) == 0 and x[0, j] != 0 for j in range(x.shape[1])):
        return  # a column of ones is the bias
    with_bias = e.experiment("a bias in every layer")
    without_bias = _simulate_without_bias(e)
    helps = with_bias is not None and (
        with_bias.cured or with_bias.after < 0.7 * min(e.final_loss, without_bias or np.inf)
    )
    if helps:
        k = without[0]
        yield Finding(
            "bias-missing",
            r.at(e.found.model[k].t),
            {"layers": [k + 1 for k in without]},
            base + 0.05,
            f"layer{'s' if len(without) > 1 else ''} {', '.join(str(k + 1) for k in without)} "
            f"ha{'ve' if len(without) > 1 else 's'} "
            "no bias in the forward pass, so every unit's boundary goes through the origin.",
            with_bias,
        )


def _simulate_without_bias(e: Evidence) -> float | None:
    return e.final_loss


def _unscaled(e: Evidence, base: float) -> Iterator[Finding]:
    assert e.data is not None
    x, _ = e.data
    spread, ratio = _scale_of_inputs(x)
    if spread <= 8 and ratio <= 30:
        return
    mean, std = x.mean(axis=0), x.std(axis=0)
    scaled = (x - mean) / np.where(std > 0, std, 1)
    experiment = e.experiment("the inputs standardised", x=scaled)
    if experiment is not None and (experiment.cured or experiment.after < 0.5 * e.final_loss):
        yield Finding(
            "unscaled-data",
            _line_of_inputs(e),
            {"spread": spread, "ratio": ratio},
            base + 0.05,
            f"the inputs' columns are of sizes up to {spread:.4g}, the largest {ratio:.4g} times the smallest: one "
            "learning rate does not fit all.",
            experiment,
        )


def _too_few(e: Evidence, base: float) -> Iterator[Finding]:
    if e.rate is None or not (_gradient_is_right(e)):
        return
    if not e.final_loss < 0.999 * e.start_loss and e.n_steps > 300:
        return
    steps_ = e.n_steps
    more = e.simulate(parameters=e.final, steps=max(10 * steps_, 200))
    if more is None:
        return
    losses, y_hat = more
    assert e.data is not None
    longer = e.is_good(y_hat, e.data[1]) or losses[-1] < 0.5 * e.final_loss
    if not longer or not losses[-1] < e.final_loss:
        return
    times = 10 if steps_ >= 20 else 200 / max(steps_, 1)
    yield Finding(
        "too-few-epochs",
        _line_of_loop(e),
        {"steps": steps_, "loss": e.final_loss, "loss_later": losses[-1]},
        base + 0.02,
        f"the loss is still falling when the training ends after {steps_} steps.",
        Experiment(
            f"{times:.0f} times as many steps more", e.final_loss, losses[-1], e.is_good(y_hat, e.data[1]), losses
        ),
    )


def _line_of_loop(e: Evidence) -> int:
    r = e.recording
    if not e.found.updates:
        return 0
    vec = list(r.vec(e.found.updates[0].t))
    return int(r.info["loops"][vec[0]]["line"]) if vec and vec[0] >= 0 else 0


def _another_seed(e: Evidence) -> Experiment | None:
    """The best of a few trainings from weights of the same size, drawn anew."""
    best = None
    for seed in range(5):
        rng = np.random.default_rng(seed)
        fresh = Start(
            [rng.standard_normal(W.shape) * (np.sqrt(np.square(W).mean()) or 0.5) for W in e.start.W],
            [np.zeros_like(b) for b in e.start.b],
        )
        experiment = e.experiment(
            "other random weights at the start, biases 0", parameters=fresh, rate=_rate_or_guess(e), budget=5e7
        )
        if experiment is not None and (best is None or experiment.after < best.after):
            best = experiment
        if best is not None and best.cured:
            break
    if best is not None and best.after < 0.5 * best.before:
        best.cured = True
    return best


def _rate_or_guess(e: Evidence) -> float | None:
    """With gradients of exactly 0 the learning rate can't be measured, but it can be read."""
    if e.rate is not None:
        return e.rate
    _, _, value = _learning_rate_line(e)
    return value * 2 if value else None


def _random_start(e: Evidence) -> Experiment | None:
    best = None
    for seed in range(3):
        rng = np.random.default_rng(seed)
        fresh = Start(
            [rng.standard_normal(W.shape) / np.sqrt(W.shape[1]) for W in e.start.W],
            [np.zeros_like(b) for b in e.start.b],
        )
        experiment = e.experiment(
            "random weights of standard deviation 1/√n_in", parameters=fresh, rate=_rate_or_guess(e), budget=1e8
        )
        if experiment is not None and (best is None or experiment.after < best.after):
            best = experiment
        if best is not None and best.cured:
            break
    return best


def _with_tanh(e: Evidence) -> Experiment | None:
    names = ["tanh"] * (len(e.activations) - 1) + e.activations[-1:]
    best = None
    for divisor in (1, 10):
        if e.rate is None:
            return None
        experiment = e.experiment(
            "tanh on the hidden layers",
            activations=names,
            rate=e.rate / divisor,
            steps=max(e.n_steps, 5000),
            budget=1e8,
        )
        if experiment is not None and (best is None or experiment.after < best.after):
            best = experiment
        if best is not None and best.cured:
            return best
    return best


def _linear_output(e: Evidence) -> Experiment | None:
    names = [*e.activations[:-1], "identity"]
    best = None
    for divisor in (1, 10, 100):
        if e.rate is None:
            return None
        experiment = e.experiment("no activation on the output", activations=names, rate=e.rate / divisor, budget=1e8)
        if experiment is not None and np.isfinite(experiment.after) and (best is None or experiment.after < best.after):
            best = experiment
        if best is not None and best.cured:
            break
    return best


# The measure


def _metric(e: Evidence) -> Iterator[Finding]:
    r = e.recording
    yield from _argmax_axis(e)
    if not e.passes:
        return
    labels = _accuracy_sites(e)
    ends = [p.end for p in e.passes]
    from bisect import bisect

    for number in labels:
        for t in r.events_of(number)[-3:]:
            value = r.value(t)
            if value is None or value.size != 1:
                continue
            k = bisect(ends, t)
            near = e.passes[max(0, k - 40) : k]
            latest = max((p.end for p in e.found.forwards if p.end < t), default=-1)
            if not near or near[-1].end != latest or not _comes_from(e, t, near[-1]):
                continue  # the outputs that it was computed from have no known targets
            true = set()
            groups = [near[-1:], [p for p in near if len(p.y_hat) == 1], *([p] for p in near[-12:])]
            for group in groups:
                batch = Batch.of(list(group)) if group else None
                if batch is None:
                    continue
                a = e.accuracy(batch.a[-1], batch.y)
                if a is not None:
                    true |= {a, 100 * a, a * len(batch.y), 1 - a, 100 - 100 * a}
            if not true:
                continue
            number_ = float(value.reshape(-1)[0])
            if not any(abs(number_ - a) <= 1e-6 + 0.006 * (abs(a) > 1) + 1e-4 for a in true):
                a = e.accuracy(near[-1].y_hat, near[-1].y) if near[-1].y is not None else None
                if a is None or len(near[-1].y_hat) < 2:
                    continue
                yield Finding(
                    "metric-wrong",
                    r.at(t),
                    {"printed": number_, "true": a},
                    0.88,
                    f"line {r.at(t)} gives an accuracy of {number_:.4g}; computed from the outputs and targets it is "
                    f"{a:.4g}.",
                )
                return


def _comes_from(e: Evidence, t: int, p: Forward) -> bool:
    """Whether a value was computed from the outputs of that forward pass."""
    r = e.recording
    wanted = {r.value_id(p.layers[-1].t_a), r.value_id(p.layers[-1].t_z)}
    queue, seen = [t], {t}
    while queue:
        u = queue.pop()
        if r.value_id(u) in wanted:
            return True
        sources = [o for o in r.operands[u] if o >= 0]
        if r.site(u)["kind"] in ("load", "arg"):
            sources += [v for v in range(max(p.end, u - 80), u) if r.value_id(v) == r.value_id(u)][-1:]
        for o in sources:
            if o >= p.start and o not in seen:
                seen.add(o)
                queue.append(o)
    return False


def _accuracy_sites(e: Evidence) -> list[int]:
    """Sites whose name or label says that they are an accuracy."""
    r = e.recording
    found = []
    for number, site in enumerate(r.sites):
        if (
            (site["kind"] == "assign" and ACCURACY.search(str(site["name"])))
            or (site["kind"] == "append" and ACCURACY.search(str(site["name"])))
            or (site.get("label") and ACCURACY.search(site["label"]))
        ):
            found.append(number)
        elif site["kind"] == "call" and site["op"] == "print":
            label = ""
            for operand in site["operands"]:
                if isinstance(operand.get("const"), str):
                    label = operand["const"]
                elif "site" in operand and ACCURACY.search(label):
                    found.append(operand["site"])
                    label = ""
    return found


def _argmax_axis(e: Evidence) -> Iterator[Finding]:
    r = e.recording
    outputs = {r.value_id(p.layers[-1].t_a): p for p in e.passes[-50:]} | {
        r.value_id(p.layers[-1].t_z): p for p in e.passes[-50:]
    }
    for number, site in enumerate(r.sites):
        if site["kind"] != "call" or site["op"] not in ("argmax", ".argmax"):
            continue
        for t in r.events_of(number)[-2:]:
            operands = [o for o in r.operands[t] if o >= 0]
            if not operands or r.value_id(operands[0]) not in outputs:
                continue
            p = outputs[r.value_id(operands[0])]
            m, k = p.y_hat.shape
            result = r.value(t)
            if result is None or m == 1:
                continue
            if k == 1 or (result.size != m and result.size in (k, 1)):
                yield Finding(
                    "metric-wrong",
                    r.at(t),
                    {"outputs": [m, k], "result": list(result.shape)},
                    0.9,
                    f"line {r.at(t)} takes the argmax over the wrong axis: {m} samples with {k} output"
                    f"{'s' if k > 1 else ''} give {result.size} answer{'s' if result.size > 1 else ''}.",
                )
                return
