"""`byhand check`: what a student's own functions compute, and which mistake it is when it is wrong.

The student's code runs in the sandbox (`check_job`); everything is judged here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from byhand.diagnosis import asked, check_training, sources
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.check_findings import Checker
from byhand.diagnosis.check_results import Finding, Question, Report
from byhand.diagnosis.sandbox import Limits, Outcome, missing, run
from byhand.diagnosis.sandboxed import pack_value
from byhand.diagnosis.sources import Cell

_ATTEMPTS = 4

_DOUBTFUL = {"unknown", "shape-mismatch", "size-one-array-to-scalar"}
"""Findings for which the training may show a better reason."""
_STEPS = ("1.8", "2.8")

LIMITS = Limits(cpu_seconds=10, wall_seconds=60, memory_mb=1024, output_mb=16, disk_mb=100)


def check_file(path: Path, limits: Limits = LIMITS) -> Report:
    """Check a student's .py file or notebook.

    Raises
    ------
    ByhandError
        When it is neither, or cannot be read.
    """
    return check_cells(sources.read(path), path.name, limits)


def check_cells(
    cells: Sequence[Cell],
    file: str,
    limits: Limits = LIMITS,
    values: Mapping[str, Any] | None = None,
    only: Sequence[str] | None = None,
    is_practical: bool | None = None,
) -> Report:
    """Check code that has been read already.

    Parameters
    ----------
    cells, file, limits
        The code, its name, and what it may use.
    values : mapping, optional
        Names that it finds defined, packed (see `notebook`).
    only : sequence of str, optional
        The functions and classes to look at; all of them when left out.
    is_practical : bool, optional
        Whether it is the practical's own notebook, whose functions are known by name; found out when left out.
    """
    skip: list[str] = []
    alone = values is None and only is None
    if is_practical is None:
        is_practical = any(re.search(r"from byhand\.lab\b|byhand\.check\(", cell.source) for cell in cells)
    trials = asked.TRIALS if is_practical else {"xor": asked.TRIALS["xor"]}
    request: dict[str, Any] = {
        "cells": [asdict(cell) for cell in cells],
        "values": values or {},
        "skip": skip,
        "only": None if only is None else list(only),
        "trials": {name: [[pack_value(a) for a in given] for given in t.arguments] for name, t in trials.items()},
    }
    told: list[str] = []
    for _ in range(_ATTEMPTS):
        outcome = run("byhand.diagnosis.check_job:main", request, limits=limits)
        told += [note for note in _how_it_ended(outcome, limits) if note not in told]
        guilty = _last_step(outcome)
        if outcome.ended in ("finished", "raised") or guilty in skip:
            break
        skip.append(guilty)  # the rest of the work may be right: look at it without that step
    report = Checker(list(cells), outcome, file, told).report()
    doubtful = {finding.id for finding in report.findings} <= _DOUBTFUL
    if alone and not is_practical and doubtful and outcome.ended == "finished":
        _look_at_training(report, cells)
    return report


def _look_at_training(report: Report, cells: Sequence[Cell]) -> None:
    """How the training goes: when nothing else is wrong, and as a second opinion where we are in doubt."""
    judged = any(q.status == "right" and q.part in _STEPS for q in report.questions)
    training = check_training.look(cells, no_step_judged=not judged)
    report.notes += [f"not all of its training could be looked at ({trouble})" for trouble in training.troubles]
    if not training.findings:
        if training.steps_are_right:
            _withdraw(report, {"unknown"})
        return
    _withdraw(report, _DOUBTFUL)
    lines = {cell.name: cell.source.splitlines() for cell in cells}
    for found in training.findings:
        id_, line = found["id"], found["line"]
        title = CATALOGUE[id_].title if id_ in CATALOGUE else "wrong, and not a mistake I know"
        source = lines[found["cell"]][line - 1].strip() if line is not None else ""
        report.findings.append(
            Finding(
                id_, title, line, found["cell"], found["message"], found["confidence"], "the training", source=source
            )
        )
    report.questions.append(Question("the training", "wrong", report.findings[0].evidence, "2.8"))


def _withdraw(report: Report, ids: set[str]) -> None:
    """Take back what another look explains otherwise."""
    taken_back = {finding.question for finding in report.findings if finding.id in ids}
    report.findings = [finding for finding in report.findings if finding.id not in ids]
    report.questions = [
        replace(q, status="unclear", note="") if q.name in taken_back and q.status == "wrong" else q
        for q in report.questions
    ]


def _last_step(outcome: Outcome) -> str:
    steps = [m.get("what") for m in outcome.messages if m.get("kind") in ("start", "at")]
    return str(steps[-1]) if steps else "starting"


def _how_it_ended(outcome: Outcome, limits: Limits) -> list[str]:
    """What their code did that it should not, one note each."""
    at = _last_step(outcome).replace("the file:", "line ").replace(":", ", line ")
    told = {
        "out of cpu time": f"it used more than {limits.cpu_seconds} s of processor time and was stopped ({at})",
        "out of time": f"it did not end in {limits.wall_seconds:.0f} s and was stopped ({at})",
        "out of memory": f"it took more than {limits.memory_mb} MB of memory and was stopped ({at})",
        "too many processes": f"it started process after process and was stopped ({at})",
        "too much output": f"it printed without end and was stopped ({at})",
        "too much disk": f"it filled the disk and was stopped ({at})",
        "exited": f"it ended the whole program ({at})",
        "killed": f"it crashed with signal {outcome.signal} ({at})",
        "lost": f"the process that watches over it was killed ({at})",
        "raised": f"it could not be looked at to the end: {outcome.error.message[:200] if outcome.error else ''}",
    }
    notes = [told[outcome.ended]] if outcome.ended in told else []
    if outcome.asked_for_input:
        notes.append("it asks for input(), and nobody is there to answer")
    if outcome.left_behind:
        notes.append(f"it left {outcome.left_behind} processes running; they were ended")
    if lacking := missing(outcome.walls):
        notes.append(lacking)
    return notes
