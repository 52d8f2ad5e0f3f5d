"""Shapes that broadcast to something else, and numbers of the wrong type."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from byhand.diagnosis import why_errors
from byhand.diagnosis.why_evidence import Evidence
from byhand.diagnosis.why_report import Finding


def broadcasts(e: Evidence) -> Iterator[Finding]:
    """A column minus (or compared with) a row of the same length, which makes a matrix."""
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


def integers(e: Evidence) -> Iterator[Finding]:
    """Parameters that are arrays of integers, so that each step is cut."""
    r = e.recording
    names = e.found.names
    for update in e.found.updates[:200]:
        kind = r.kind(r.value_id(update.t_end))
        site = r.site(update.t)
        if kind[1:2] == "i" and update.before.ndim >= 1 and site["kind"] != "arg":
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
    yield from _cut_elements(e)


def _cut_elements(e: Evidence) -> Iterator[Finding]:
    """Elements that are made from their own old value by a step, in an array of integers."""
    r = e.recording
    for number, site in enumerate(r.sites):
        if site["kind"] != "assign" or not site.get("element") or not site["loops"]:
            continue
        name = site["name"]
        if not re.search(rf"(?<![\w.]){re.escape(name)}\[", site["text"].partition("=")[2]):
            continue
        whole = [t for t in r.events_of(number) if r.shape(t) and not r.events["suffix"][t]]  # no element of a dict
        events = [t for t in whole if r.kind(r.value_id(t))[1:2] == "i" and r.operands[t]]
        given = [r.value(r.operands[t][0]) for t in events if r.operands[t][0] >= 0]
        cut = [v for v in given if v is not None and np.isfinite(v).all() and (v != np.floor(v)).any()]
        if len(cut) >= 2:
            yield Finding(
                "integer-parameters",
                why_errors._definition_before(r, name, site["line"]) or site["line"],
                {"name": name, "dtype": r.kind(r.value_id(events[0]))[1:]},
                0.97,
                f"{name} is an array of integers: each step at line {site['line']} is cut to a whole number.",
            )
            return
