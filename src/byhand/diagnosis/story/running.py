"""One run under the tape and the judge, behind the sandbox's walls; what comes back, typed."""

from __future__ import annotations

import ast
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np

from byhand.diagnosis.findings import Facts, Finding, Judgement, Parameter, Place, Suspects
from byhand.diagnosis.judge import judge
from byhand.diagnosis.judge.report import follows
from byhand.diagnosis.story.errors import ScriptError
from byhand.diagnosis.story.program import Program, lines_of_origin
from byhand.diagnosis.story.text import Text, first_line
from byhand.diagnosis.story.trying import candidates
from byhand.diagnosis.tape.nodes import Tape
from byhand.diagnosis.tape.run import Frame, Trace, trace

SCRIPT = "script.py"
GRACE = 30.0
"""Seconds that the judging may take beyond the script's own."""
MOST_TRIED, FEW_TRIED, MOST_NODES = 60, 40, 200_000
"""Copies that are tried with one line put otherwise, or but a few, and operations that all of them may record."""
MORE_NODES = 50
"""Operations after the last of the steps that such a copy is judged by: a loss may be computed there."""
_SAME = 1e-9


@dataclass
class TrainingLoop:
    """The loop that training runs in: its line, and after how many turns its beginning has been recorded."""

    line: int
    turns: int


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
    loop : TrainingLoop or None
        None when no loop ran on after it had been recorded.
    """

    judgement: Judgement = field(default_factory=lambda: Judgement("nothing"))
    error: ScriptError | None = None
    ended: str = "finished"
    loop: TrainingLoop | None = None


def judged(
    program: Program, on_line: Callable[[int], object] | None = None, *, strict: bool = False, search: bool = True
) -> Run:
    """Trace and judge in this process; the files of the program lie in the present folder.

    An error counts as the program's own when its text, run as it stands, ends with it too.

    Parameters
    ----------
    program : Program
    on_line : callable, optional
        Told the line of each of the script's own statements before it runs.
    strict, search : bool
        As `judge` takes them.
    """
    traced = _traced(program, on_line=on_line)
    error: ScriptError | None = _error(traced)
    ended = "finished"
    if error is not None:
        own = _error(_traced(program, plain=True))
        if own is None or (own.type, own.place) != (error.type, error.place):
            ended = f"a fault of byhand's own, {error.type}: {error.message}"
            error = None
    judgement = judge(traced, strict=strict, search=search)
    if judgement.verdict in ("nothing", "inconclusive") and error is None and traced.tape.is_cut:
        longer = judge(_traced(program, is_long=True), strict=strict, search=search)
        judgement = longer if longer.verdict in ("right", "wrong") else judgement
    if judgement.fault:
        ended = f"a fault of byhand's own, {judgement.fault}"
    return Run(judgement, error, ended, _training_loop(traced.tape))


def _traced(
    program: Program,
    *,
    plain: bool = False,
    is_long: bool = False,
    ends_at: int | None = None,
    on_line: Callable[[int], object] | None = None,
) -> Trace:
    random.seed(0)  # a script that sets no seed starts the same each time
    np.random.seed(0)  # noqa: NPY002
    return trace(program.source, SCRIPT, Path(), plain=plain, is_long=is_long, ends_at=ends_at, on_line=on_line)


def _error(traced: Trace) -> ScriptError | None:
    """The error, at the innermost line of the program's own."""
    if traced.failure is None:
        return None
    nodes, own = traced.tape.nodes, [f for f in traced.failure.frames if not Path(f.file).is_absolute()]
    frame = own[-1] if own else Frame("", 0, "<module>", "")
    held = {
        name: np.shape(value) for name, value in traced.names.items() if isinstance(value, np.ndarray | float | int)
    }
    held |= {name: nodes[t].value.shape for t, name in traced.tape.names.items() if nodes[t].file == frame.file}
    computed = [node.value.shape for node in nodes[-20:] if (node.line, node.file) == (frame.line, frame.file)]
    tables = [
        n for n in nodes if len(shapes := [nodes[a].value.shape for a in n.parents()]) == 2 and _is_table(*shapes)
    ]
    places = list(dict.fromkeys(Place(n.line, n.file) for n in tables))
    function = frame.function.replace("<module>", "")
    place = Place(frame.line, frame.file)
    return ScriptError(traced.failure.type, traced.failure.message, place, function, held, computed[-6:], places)


def _is_table(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether a column (n, 1) and a flat (n,) meet."""
    column, flat = (one, other) if len(one) == 2 else (other, one)
    return len(column) == 2 and column[1] == 1 and flat == column[:1] and flat[0] > 1


def _training_loop(tape: Tape) -> TrainingLoop | None:
    """The last loop, in no other, that ran on after its beginning had been recorded."""
    for number, loop in reversed(list(enumerate(tape.loops))):
        recorded = next((w.ticks[number][1] for w in tape.windows if number in w.ticks), 0)
        if loop.depth == 0 and loop.file == "" and 0 < recorded < loop.ticks:
            return TrainingLoop(loop.line, recorded)
    return None


def shortened(before: str, after: str, loop: TrainingLoop) -> str:
    """A mended text that ends when the beginning of its training loop has been recorded.

    Parameters
    ----------
    before : str
        The text in which the loop was seen.
    after : str
        The text to shorten.
    loop : TrainingLoop
    """
    text, origin = Text(after), lines_of_origin(before, after)
    for node in ast.walk(text.tree):
        if isinstance(node, ast.For | ast.While) and origin.get(node.lineno) == loop.line:
            turns = f'globals().update(turns_=globals().get("turns_", 0) + 1) or globals()["turns_"] > {loop.turns}'
            first = node.body[0]
            if first.lineno > node.lineno:
                return text.insert(first_line(first), f"if {turns}: raise SystemExit", indent=first.col_offset)
    return after


def run(program: Program, seconds: float) -> Run:
    """Run and judge it behind walls.

    Parameters
    ----------
    program : Program
    seconds : float
        By the clock; a script that takes longer is taken for a runaway, and stopped.
    """
    messages, ended = _behind_walls("run_job", program, {}, seconds)
    return read(messages[0]) if messages else Run(ended=ended)


def first_that_helps(
    program: Program,
    texts: list[str],
    file: str,
    finding: Finding,
    seconds: float,
    *,
    loop: TrainingLoop | None = None,
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
    loop : TrainingLoop, optional
        Where the runs may end once it has been recorded; without it they are whole.
    others : bool
        Whether other findings may come to light with it.
    """
    request = {
        "texts": texts,
        "file": file,
        "finding": asdict(finding),
        "loop": None if loop is None else asdict(loop),
        "others": others,
    }
    messages, _ = _behind_walls("try_job", program, request, seconds)
    return next(((m["helps"], read(m)) for m in messages if "helps" in m), None)


def another_line(
    program: Program, judgement: Judgement, seconds: float, most: int = MOST_TRIED, *, elsewhere: bool = False
) -> tuple[Program, Place, Run] | None:
    """The first copy with one line put otherwise of which every step is right, where that is, and its run.

    None if none is.

    Parameters
    ----------
    program : Program
        As it is now.
    judgement : Judgement
        Of its run; the lines that it names are tried first.
    seconds : float
    most : int
        So many copies are tried of the backward pass.
    elsewhere : bool
        Whether the lines that it names are left as they are.
    """
    named = [p for f in judgement.findings if f.is_of_steps for p in (f.place, *f.also)]
    others = [p for p in judgement.suspects.back if p not in named]
    back = others if elsewhere else [*dict.fromkeys(named), *others]
    # what the outputs are made of is not in question where the steps can be mended as they are
    where = replace(judgement.suspects, back=back, ahead=[] if elsewhere else judgement.suspects.ahead)
    request = {"judgement": asdict(replace(judgement, suspects=where)), "most": most}
    messages, _ = _behind_walls("another_line_job", program, request, seconds)
    found = next((m for m in messages if "file" in m), None)
    if found is None:
        return None
    before, after = program.text(found["file"]).splitlines(), found["text"].splitlines()
    line = next(k for k, (one, other) in enumerate(zip(before, after, strict=False), 1) if one != other)
    return program.with_text(found["text"], found["file"]), Place(line, found["file"]), read(found)


def _behind_walls(
    job: str, program: Program, request: Mapping[str, Any], seconds: float
) -> tuple[list[dict[str, Any]], str]:
    from byhand.diagnosis import sandbox  # the child does not need it

    limits = sandbox.Limits(wall_seconds=seconds + GRACE, cpu_seconds=int(2 * (seconds + GRACE)), memory_mb=4096)
    files = {**program.files, SCRIPT: program.source.encode()}
    outcome = sandbox.run(f"{__name__}:{job}", request, files, limits=limits)
    ended = outcome.ended
    if ended == "raised" and outcome.error is not None:  # what the script raises is caught: this is ours
        ended = f"a fault of byhand's own, {outcome.error.type}: {outcome.error.message}"  # type: ignore[assignment]
    return [m for m in outcome.messages if "judgement" in m], ended


def run_job(request: Mapping[str, Any], send: Callable[[Mapping[str, Any]], None]) -> None:
    """In the sandbox: judge the script that lies there."""
    send(written(judged(here())))


def try_job(request: Mapping[str, Any], send: Callable[[Mapping[str, Any]], None]) -> None:
    """In the sandbox: judge one text after the other, until one no longer has the finding."""
    program, finding, file = here(), read_finding(request["finding"]), request["file"]
    loop = None if request["loop"] is None else TrainingLoop(**request["loop"])

    def tried(text: str, *, search: bool = True) -> Run:
        changed = program.with_text(text, file)
        source = changed.source if loop is None else shortened(program.source, changed.source, loop)
        if file:
            Path(file).write_text(text, encoding="utf-8")
        return judged(changed.with_text(source), search=search)

    before = tried(program.text(file)).judgement
    is_alone = before.findings == [f for f in before.findings if f.id == finding.id] and not finding.also
    for number, text in enumerate(request["texts"]):
        after = None
        with contextlib.suppress(Exception):  # a text that cannot be judged does not help
            after = tried(text, search=request["others"] or not is_alone)  # without its only mistake it is right
        if after is not None and helps(before, after, finding, others=request["others"]):
            send({**written(after), "helps": number})
            return


def another_line_job(request: Mapping[str, Any], send: Callable[[Mapping[str, Any]], None]) -> None:
    """In the sandbox: put one line after the other otherwise, until every step is right."""
    program, before = here(), read_judgement(request["judgement"])
    shapes, ends_at = Counter(p.shape for p in before.facts.parameters), before.suspects.nodes + MORE_NODES
    left = MOST_NODES
    back, ahead = (
        candidates(program, places, lambda: _traced(program, plain=True))
        for places in (before.suspects.back, before.suspects.ahead)
    )
    meant = (c for c in ahead if c.size >= program.size)  # what the forward pass has, and the way back lacks, was meant
    of_back, of_outputs = islice(back, request["most"]), islice(meant, FEW_TRIED)
    for changed, is_of_outputs in chain(zip(of_back, repeat(False)), zip(of_outputs, repeat(True))):
        [file] = [f for f in ["", *program.files] if changed.text(f) != program.text(f)]
        if file:
            Path(file).write_text(changed.text(file), encoding="utf-8")
        whole = None
        with contextlib.suppress(Exception):  # a text that cannot be judged is not right
            traced = _traced(changed, ends_at=ends_at)
            left -= len(traced.tape.nodes)
            is_promising = traced.failure is None and not shapes - Counter(follows(traced))
            if is_promising and _is_mended(before, judge(traced)):
                whole = judged(changed)  # in later steps, too
        if whole is not None and _is_mended(before, whole.judgement, learns=is_of_outputs):
            send({**written(whole), "file": file, "text": changed.text(file)})
            return
        if file:
            Path(file).write_text(program.text(file), encoding="utf-8")
        if left < 0:
            return


def _is_mended(before: Judgement, after: Judgement, *, learns: bool = False) -> bool:
    """Whether every step is right now, held against the same as before, and not a multiple that is far too long.

    If it is to learn, the loss must end lower than before; else what is made small must not have become another: before
    any step the loss is as it was.
    """
    begin = [run.facts.losses[0] for run in (before, after) if run.facts.steps[:1] == [0]]
    if not learns and len(begin) > 1 and not np.isclose(begin[0], begin[1], rtol=_SAME):
        return False
    ends = before.facts.loss_end, after.facts.loss_end
    if learns and not (ends[0] is None or (ends[1] is not None and (ends[1] < ends[0] or not np.isfinite(ends[0])))):
        return False
    new = {f.id for f in after.findings} - {f.id for f in before.findings if f.certainty != "exact"}
    is_worse = "learning-rate-too-high" in new or any(f.certainty == "exact" for f in after.findings)
    return after.verdict == "right" and after.facts.objective == before.facts.objective and not is_worse


def helps(before: Judgement, after: Run, finding: Finding, *, others: bool = False) -> bool:
    """Whether a copy's run shows that the finding is gone, and (unless `others` may) nothing come in its place."""
    if after.error is not None or after.judgement.verdict == "nothing":
        return False
    if not others and after.judgement.verdict == "inconclusive":
        return False
    if finding in before.guesses:
        return after.judgement.verdict == "right" and not (after.judgement.findings or after.judgement.guesses)

    known = {f.id for f in before.findings}
    its = set(finding.evidence.get("parameters", ()))
    new = [f for f in after.judgement.findings if f.certainty == "exact" and f.id not in known]
    if any(its & set(f.evidence.get("parameters", ())) for f in new):
        return False  # one mistake in place of another

    def places(judgement: Judgement, *, of_it: bool) -> int:
        counted = [f for f in judgement.findings if of_it or f.certainty == "exact"]  # a short run shows no symptoms
        return sum(1 + len(f.also) for f in counted if (f.id == finding.id) == of_it)

    fewer = places(after.judgement, of_it=True) < max(1, places(before, of_it=True))
    return fewer and (others or places(after.judgement, of_it=False) <= places(before, of_it=False))


def here() -> Program:
    """The program that lies in the present folder."""
    files = {p.as_posix(): p.read_bytes() for p in Path().rglob("*.py") if p.name != SCRIPT}
    return Program(SCRIPT, Path(SCRIPT).read_text(encoding="utf-8"), files)


# ---- messages


def written(run: Run) -> dict[str, Any]:
    """A run as JSON holds it."""
    return asdict(run)


def read(message: Mapping[str, Any]) -> Run:
    """The run that a message holds."""
    error = message["error"]
    if error is not None:
        error = ScriptError(
            **{
                **error,
                "place": Place(**error["place"]),
                "tables": [Place(**p) for p in error["tables"]],
                "held": {name: tuple(shape) for name, shape in error["held"].items()},
                "computed": [tuple(shape) for shape in error["computed"]],
            }
        )
    loop = message["loop"]
    return Run(
        read_judgement(message["judgement"]), error, message["ended"], None if loop is None else TrainingLoop(**loop)
    )


def read_judgement(j: Mapping[str, Any]) -> Judgement:
    """The judgement that a message holds."""
    findings, guesses = ([read_finding(f) for f in j[key]] for key in ("findings", "guesses"))
    back, ahead = ([Place(**p) for p in j["suspects"][key]] for key in ("back", "ahead"))
    where = Suspects(back, ahead, j["suspects"]["nodes"])
    return Judgement(j["verdict"], findings, _facts(j["facts"]), j["fault"], guesses, where, j["stepped"])


def _facts(data: Mapping[str, Any]) -> Facts:
    place = data["objective_place"]
    read = {
        "parameters": [Parameter(**{**p, "shape": tuple(p["shape"])}) for p in data["parameters"]],
        "objective_place": None if place is None else Place(**place),
        "others": [_facts(other) for other in data["others"]],
    }
    return Facts(**{**data, **read})


def read_finding(data: Mapping[str, Any]) -> Finding:
    """The finding that a message holds."""
    return Finding(**{**data, "place": Place(**data["place"]), "also": [Place(**p) for p in data["also"]]})
