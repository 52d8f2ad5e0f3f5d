"""The README says what is true: its Python code runs, and prints what the comments beside it say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_the_python_code_prints_what_it_says(code, capsys):
    exec(code, {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"^print.*# (.*)$", code, re.MULTILINE)


def test_every_file_it_links_to_is_there():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (Path(__file__).parents[1] / target).exists(), target
