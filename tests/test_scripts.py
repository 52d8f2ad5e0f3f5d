"""Every script of tests/scripts is traced and judged in this process, and its label is what is found first."""

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.story import errors
from byhand.diagnosis.story.program import read
from byhand.diagnosis.story.running import judged
from measure_why import expected, scripts

PATHS = scripts()
MISSED = {  # what is not found, or named at another line
    "bias-missing/s23",
    "dot-instead-of-elementwise/s37",
    "forward-returns-z/layers",
    "one-sample-only/index",
    "output-derivative-missing/t39",
    "right/t08",
    "unscaled-data/class",
}


def label(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", PATHS, ids=label)
def test_the_label_names_a_line_that_is_there(path):
    wanted, lines = expected(path)
    assert path.parent.name == (wanted or "right")
    assert wanted is None or wanted in CATALOGUE
    assert bool(lines) == (wanted is not None)
    text = path.read_text().splitlines()
    assert all(text[n - 1].strip() for n in lines)


def known(path):
    """A script with what is known of it: one that is missed no more says so."""
    missed = pytest.mark.xfail(strict=True, reason="missed") if label(path) in MISSED else ()
    return pytest.param(path, id=label(path), marks=missed)


@pytest.mark.parametrize("path", [known(path) for path in PATHS])
def test_what_is_found_first_is_what_the_label_says(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted, lines = expected(path)
    program = read(path)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        run = judged(program)
    findings = run.judgement.findings if run.error is None else [errors.explain(run.error, program)]
    if wanted is None:
        assert (run.judgement.verdict, findings) == ("right", [])
    else:
        findings = findings or run.judgement.guesses  # which a copy is to show, as tests/test_story.py holds
        assert findings
        assert findings[0].id == wanted
        assert findings[0].place.line in lines
