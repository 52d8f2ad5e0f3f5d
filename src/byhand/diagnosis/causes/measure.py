"""What is measured wrongly: accuracies, and probabilities that do not add up."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator

from byhand.diagnosis.why_evidence import Evidence
from byhand.diagnosis.why_gradients import Batch
from byhand.diagnosis.why_network import Forward
from byhand.diagnosis.why_report import Finding

ACCURACY = re.compile(
    r"\bacc|accura|genauigkeit|pr[ée]cision|exactitude|exactitud|precis[ãa]o|acur[áa]cia|acertos|aciertos|treffer", re.I
)


def softmax_axis(e: Evidence) -> Iterator[Finding]:
    """Probabilities of one sample that do not add up to 1, as the softmax sums over another axis."""
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


def metric(e: Evidence) -> Iterator[Finding]:
    """An accuracy that is not the one of the outputs and targets."""
    r = e.recording
    yield from _argmax_axis(e)
    if not e.passes:
        return
    labels = _accuracy_sites(e)
    ends = [p.end for p in e.passes]

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
            digits = len(f"{number_:.6g}".partition(".")[2])  # it may have been rounded
            allowed = max(1e-4, 0.51 * 10.0**-digits if 0 < digits < 5 else 0.0)
            if not any(abs(number_ - a) <= 1e-6 + 0.006 * (abs(a) > 1) + allowed for a in true):
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
        if r.site(u)["kind"] in ("load", "arg", "call"):  # of a call, what the function gave back
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
