"""What else keeps a training from learning: dead, saturated and equal units, a rate too high, too few steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from byhand.diagnosis.findings import Finding
from byhand.diagnosis.judge.sight import Sight


def course_findings(first: Sight, sights: Sequence[Sight]) -> Iterator[Finding]:
    """The findings of the course of a training."""
    yield from ()
