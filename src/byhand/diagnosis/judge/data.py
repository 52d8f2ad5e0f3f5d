"""What happens to the data: shapes that broadcast, targets among the inputs, pairs torn apart, inputs changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from byhand.diagnosis.findings import Finding
from byhand.diagnosis.judge.sight import Sight


def data_findings(first: Sight, sights: Sequence[Sight]) -> Iterator[Finding]:
    """The findings about the data."""
    yield from ()
