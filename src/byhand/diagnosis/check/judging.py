"""In the sandbox: a program is run on the tape and judged; where that decides nothing, its drivers are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from byhand.diagnosis.check import causal, facts, pairs, purposes, telling
from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.families import trainers
from byhand.diagnosis.check.pairing import pairings, scalings
from byhand.diagnosis.check.reshapes import reshapes
from byhand.diagnosis.story import running
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.running import Run

NO_MISTAKES = {
    "ModuleNotFoundError", "FileNotFoundError", "EOFError", "PermissionError", "AssertionError", "NotImplementedError",
}  # fmt: skip
"""Errors that say something of the place where it runs, of how it went, or of a stub; not of what is written."""


@dataclass(frozen=True)
class Request:
    """What is to be done: judge the script, and the drivers where that decides nothing."""

    with_script: bool
    drivers: list[tuple[str, str]]
    """Unit and text."""
    head: str = ""
    """The file's definitions, each at its own line."""
    support: str = ""
    """What stands below them in every driver."""


def _decides(program: Program, send: Callable[[Mapping[str, Any]], None]) -> bool:
    """Judge the script as a whole; whether that says what is to be said."""
    try:
        whole = running.judged(program, on_line=lambda line: send({"reached": line}), strict=True)
    except Exception as error:  # a fault of ours: the drivers may tell all the same
        send({"fault": f"{type(error).__name__}: {error}"[:300]})
        return False
    send({**running.written(whole), "unit": ""})
    stopped = whole.error is not None and whole.error.type not in NO_MISTAKES
    return stopped or whole.judgement.verdict in ("right", "wrong")


def main(request: Request, send: Callable[[Mapping[str, Any]], None]) -> None:
    """In the sandbox: judge the script that lies there; where that decides nothing, the drivers and what fits."""
    program = running.here()
    decided = request.with_script and _decides(program, send)
    file = None
    with contextlib.suppress(Exception):  # what stops as it is defined has been told already
        file = File(request.head, program.source)
    right = [] if decided else _drive(program, request.drivers, send)
    if file is None:
        return
    top = request.head + request.support
    shown = [(unit, text.removeprefix(top)) for unit, text in (request.drivers if decided else right)]
    for fact in (
        *facts.facts(file, request.support, shown, trained=not decided),
        *reshapes(file),
        *pairings(file),
        *scalings(file),
    ):
        send({"probe": asdict(telling.of_fact(fact))})
    for held in (*purposes.purposes(file), *pairs.pairs(file, program.source), *causal.causal(file)):
        send({"probe": asdict(telling.of_purpose(held))})
    for probe in telling.probes(file):
        if probe.training:
            with contextlib.suppress(Exception):  # what can't be traced stays without a name
                probe = telling.named(probe, _judged(program, top + probe.training).judgement.findings, file)
        send({"probe": {**asdict(probe), "training": ""}})
    if not decided:
        _drive(program, [(unit, top + text) for unit, text in trainers(file)], send)


def _judged(program: Program, text: str) -> Run:
    """Judge a text that lies where the program's own lay."""
    Path(running.SCRIPT).write_text(text, encoding="utf-8")
    return running.judged(program.with_text(text), strict=True)


def _drive(
    program: Program,
    drivers: list[tuple[str, str]],
    send: Callable[[Mapping[str, Any]], None],
) -> list[tuple[str, str]]:
    """Judge what was made of functions and classes: the right ones."""
    right: dict[str, str] = {}
    for unit, text in drivers:
        if unit in right:
            continue
        try:
            run = _judged(program, text)
        except Exception:  # a text that cannot be judged decides nothing
            continue
        if run.judgement.verdict != "nothing" or (run.error is not None and run.error.type == "NameError"):
            send({**running.written(run), "unit": unit})
        if run.judgement.verdict == "right":
            right[unit] = text
    return list(right.items())
