"""From the evidence to causes, each at its line, ranked: what is exactly so comes before what is likely."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from byhand.diagnosis import why_errors
from byhand.diagnosis.causes.data import leaked, mutated, shuffled
from byhand.diagnosis.causes.failure import failures
from byhand.diagnosis.causes.gradients import wrong_gradients
from byhand.diagnosis.causes.measure import metric, softmax_axis
from byhand.diagnosis.causes.overflow import diverged, logarithm, overflow_in_softmax, unrecognised
from byhand.diagnosis.causes.shapes import broadcasts, integers
from byhand.diagnosis.causes.updates import never_updated, updates_outside_loop
from byhand.diagnosis.why_evidence import Evidence
from byhand.diagnosis.why_report import Finding, part


def causes(evidence: Evidence, troubles: list[str]) -> list[Finding]:
    """All causes that the evidence shows, in rank order; a check that fails is noted among the troubles."""
    r = evidence.recording
    found: list[Finding] = []
    error = why_errors.explain(r)
    matrices = list(broadcasts(evidence))
    if error is not None:
        if matrices and error.id in ("shape-mismatch", "size-one-array-to-scalar"):
            return [*matrices, error]
        return [error, *matrices]
    checks: list[Callable[[Evidence], Iterator[Finding]]] = [overflow_in_softmax, integers]
    # Few passes with targets among many: others were taken for them. (What is nan is not compared with targets.)
    finite = [f for f in evidence.found.forwards[:4000] if all(np.isfinite(layer.W).all() for layer in f.layers)]
    if len(evidence.passes) > 0.1 * len(finite):
        checks += [
            mutated,
            shuffled,
            leaked,
            softmax_axis,
            never_updated,
            updates_outside_loop,
            wrong_gradients,
            logarithm,
            diverged,
            failures,
            metric,
        ]
    else:
        checks += [logarithm, unrecognised]
    found += matrices
    for check in checks:
        with part(check.__name__, troubles):
            for finding in check(evidence):
                known = {f.id for f in found}
                if finding.id not in known and not (finding.id == "metric-wrong" and "softmax-wrong-axis" in known):
                    found.append(finding)
    return sorted(found, key=lambda finding: -finding.confidence)
