"""Whole programs of students: what is right is not accused, what is wrong neither cleared nor misnamed."""

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.running import judged
from solutions_table import solutions

EXPECTED = {
    "arguments_relu/right": None,  # relu's slope as a comparison
    "odd_plain_lists/right": None,  # ten biases that begin as one and the same 0.0
    "lists_by_sample/right": None,
    "columns_dict/12-bias-missing": "bias-missing",  # stepped, and read by no forward pass
    "layer_lists/7-bias-missing": "bias-missing",
    "course_functions/3-parameter-never-updated": "parameter-never-updated",  # zeros as many as there are samples
    "inline_loop/10-parameter-never-updated": "parameter-never-updated",
    "line/6-parameter-never-updated": "parameter-never-updated",  # a number drawn at random
    "class_network/8-bias-gradient-wrong": "bias-gradient-wrong",  # a mean where the weights have a sum
    "einsum_softmax/2-sum-versus-mean": "sum-versus-mean",  # the rate is a number in the text
    "handout/right": "stale-gradient",  # its forward pass is that of before the epoch
}
SOURCES = {name: source for name, _, source in solutions() if name in EXPECTED}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_program_is_judged_as_it_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        run = judged(Program(f"{name}.py", SOURCES[name], {}))
    assert (run.error, run.ended, run.judgement.fault) == (None, "finished", "")
    ids = [finding.id for finding in run.judgement.findings]
    assert ids == ([] if EXPECTED[name] is None else [EXPECTED[name]])
    assert run.judgement.verdict == ("wrong" if ids else "right")
