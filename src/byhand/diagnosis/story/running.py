"""One run under the tape and the judge, behind the sandbox's walls; what comes back, typed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from byhand.diagnosis import sandbox
from byhand.diagnosis.findings import Facts, Finding, Judgement, Parameter, Place
from byhand.diagnosis.story.errors import ScriptError
from byhand.diagnosis.story.program import Program

SCRIPT = "script.py"
GRACE = 30.0
"""Seconds that the judging may take beyond the script's own."""


@dataclass
class Run:
    """What came back from a run.

    Attributes
    ----------
    judgement : Judgement
    error : ScriptError or None
        The Python error that ended the script.
    ended : str
        "finished"; otherwise in words why the run was stopped before its end.
    printed : str
        What the script printed, its end.
    """

    judgement: Judgement = field(default_factory=lambda: Judgement("nothing"))
    error: ScriptError | None = None
    ended: str = "finished"
    printed: str = ""


def judged(program: Program, *, short: bool = False) -> Run:
    """Trace and judge in this process, in the present folder.

    Parameters
    ----------
    program : Program
    short : bool
        End the run when the budget of what is recorded is used up.
    """
    from byhand.diagnosis.judge import judge
    from byhand.diagnosis.tape import trace

    random.seed(0)  # a script that sets no seed starts the same each time
    np.random.seed(0)  # noqa: NPY002
    traced = trace(program.source, SCRIPT, short=short)
    error = traced.error
    return Run(judge(traced), error, "finished", traced.printed)


def run(program: Program, seconds: float) -> Run:
    """Run and judge it behind walls.

    Parameters
    ----------
    program : Program
    seconds : float
        By the clock; a script that takes longer is taken for a runaway, and stopped.
    """
    messages, ended = _behind_walls("run_job", program, {"sources": [program.source]}, seconds)
    return read(messages[0]) if messages else Run(ended=ended)


def first_that_helps(
    program: Program,
    texts: list[str],
    file: str,
    finding: Finding,
    seconds: float,
    *,
    short: bool,
    others: bool = False,
) -> tuple[int, Run] | None:
    """The first of some rewritten texts whose judgement no longer has the finding, and its run; None if none has.

    Parameters
    ----------
    program : Program
        As it is now.
    texts : list of str
        In place of the text of `file`.
    file : str
    finding : Finding
    seconds : float
    short : bool
        As for `judged`.
    others : bool
        Whether other findings may come to light with it.
    """
    request = {"texts": texts, "file": file, "finding": asdict(finding), "short": short, "others": others}
    messages, _ = _behind_walls("try_job", program, request, seconds)
    return next(((m["helps"], read(m)) for m in messages if "helps" in m), None)


def _behind_walls(
    job: str, program: Program, request: Mapping[str, Any], seconds: float
) -> tuple[list[dict[str, Any]], str]:
    limits = sandbox.Limits(wall_seconds=seconds + GRACE, cpu_seconds=int(2 * (seconds + GRACE)), memory_mb=4096)
    files = {**program.files, SCRIPT: program.source.encode()}
    outcome = sandbox.run(f"{__name__}:{job}", {**request, "seconds": seconds}, files, limits=limits)
    reason = f" ({outcome.error['type']}: {outcome.error['message']})" if outcome.error else ""
    return [m for m in outcome.messages if "judgement" in m], outcome.ended + reason


def run_job(request: Mapping[str, Any], send: Callable[[Mapping[str, Any]], None]) -> None:
    """In the sandbox: judge the script that lies there."""
    send(written(judged(_here(request))))


def try_job(request: Mapping[str, Any], send: Callable[[Mapping[str, Any]], None]) -> None:
    """In the sandbox: judge one text after the other, until one no longer has the finding."""
    program, finding = _here(request), read_finding(request["finding"])
    before = judged(program, short=request["short"]).judgement
    for number, text in enumerate(request["texts"]):
        after = judged(program.with_text(text, request["file"]), short=request["short"])
        if helps(before, after, finding, others=request["others"]):
            send({**written(after), "helps": number})
            return


def helps(before: Judgement, after: Run, finding: Finding, *, others: bool = False) -> bool:
    """Whether a copy's run shows that the finding is gone, and (unless `others` may) nothing come in its place."""
    if after.error is not None or after.judgement.verdict == "nothing":
        return False
    if not others and after.judgement.verdict == "inconclusive":
        return False

    def places(judgement: Judgement, *, of_it: bool) -> int:
        return sum(1 + len(f.also) for f in judgement.findings if (f.id == finding.id) == of_it)

    fewer = places(after.judgement, of_it=True) < max(1, places(before, of_it=True))
    return fewer and (others or places(after.judgement, of_it=False) <= places(before, of_it=False))


def _here(request: Mapping[str, Any]) -> Program:
    """The program that lies in the present folder."""
    files = {p.as_posix(): p.read_bytes() for p in Path().rglob("*.py") if p.name != SCRIPT}
    return Program(SCRIPT, Path(SCRIPT).read_text(encoding="utf-8"), files)


# ---- messages


def written(run: Run) -> dict[str, Any]:
    """A run as JSON holds it."""
    return asdict(run)


def read(message: Mapping[str, Any]) -> Run:
    """The run that a message holds."""
    j, error = message["judgement"], message["error"]
    facts = {
        **j["facts"],
        "parameters": [Parameter(**{**p, "shape": tuple(p["shape"])}) for p in j["facts"]["parameters"]],
    }
    place = facts["objective_place"]
    facts["objective_place"] = None if place is None else Place(**place)
    judgement = Judgement(j["verdict"], [read_finding(f) for f in j["findings"]], Facts(**facts))
    if error is not None:
        error = ScriptError(
            **{
                **error,
                "place": Place(**error["place"]),
                "held": {name: tuple(shape) for name, shape in error["held"].items()},
                "computed": [tuple(shape) for shape in error["computed"]],
            }
        )
    return Run(judgement, error, message["ended"], message["printed"])


def read_finding(data: Mapping[str, Any]) -> Finding:
    """The finding that a message holds."""
    return Finding(**{**data, "place": Place(**data["place"]), "also": [Place(**p) for p in data["also"]]})
