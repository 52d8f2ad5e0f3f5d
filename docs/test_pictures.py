"""The manual's pictures that take a minute to make show what the verb gives now; `make docs` runs this.

If not: `make pictures`, and look at them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from building import pictures


@pytest.mark.parametrize("make", [pictures.of_report, pictures.of_study, pictures.of_play])
def test_a_picture_shows_what_the_verb_gives_now(make, tmp_path):
    _, said = make(tmp_path)
    assert len(said.split()) > 40
    pictures.assert_carries(make.__name__.removeprefix("of_"), said)
