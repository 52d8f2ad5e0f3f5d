"""How the student's own training goes: what `byhand why` finds in it, as far as `check` may say so.

`check` looks here when the functions show no mistake. It is careful: a training that is short, or slow, or that
compares what works with what does not, may be just what was asked for. So what is found must be exact, or explain a
training that has learned nothing.

The search runs in a process of its own (this module as a program), because it has to end in time.
"""

from __future__ import annotations

import ast
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from byhand.diagnosis import names
from byhand.diagnosis.sources import Cell

SCRIPT_SECONDS = 1.2
IMPORT_SECONDS = 1.2
SEARCH_SECONDS = 2.6

_STRUCTURE = {"dead-relu-output", "target-outside-range", "linear-collapse", "symmetric-initialization"}
"""True of a network that fails, whatever its training might still do."""
_EXACT = {
    "label-shuffle-mismatch",
    "label-leak",
    "stale-gradient",
    "broadcast-error-matrix",
    "integer-parameters",
    "log-of-zero",
    "softmax-overflow",
    "metric-wrong",
}
"""Seen in single numbers."""
_COURSE = {
    "learning-rate-too-high",
    "unscaled-data",
    "tiny-initialization",
    "dead-relu-hidden",
    "saturated-units",
    "too-few-epochs",
}
_SURE = 0.85
_LEARNED_NOTHING = 0.7
"""A loss above this share of the best constant prediction's."""


@dataclass(frozen=True)
class Training:
    """What was seen in the training that the code does.

    Attributes
    ----------
    findings : list of dict
        id, line, cell, message and confidence of each mistake, the surest first.
    steps_are_right : bool
        Steps of the parameters were seen, and all of them follow the gradient.
    troubles : list of str
        What the search broke on: mistakes of ours.
    """

    findings: list[dict[str, Any]] = field(default_factory=list)
    steps_are_right: bool = False
    troubles: list[str] = field(default_factory=list)


def look(cells: Sequence[Cell], no_step_judged: bool) -> Training:
    """Run the code again, watched; say what is wrong in its training.

    Parameters
    ----------
    cells : sequence of Cell
        The code.
    no_step_judged : bool
        No step of the parameters could be looked at otherwise: then wrong gradients count too.
    """
    own = [cell for cell in cells if not cell.is_check]
    if not any(re.search(r"(?m)^\s*(for|while)\b", cell.source) for cell in own):
        return Training()
    request = {
        "source": "\n".join(_without_assertions(cell.source) for cell in own),
        "no_step_judged": no_step_judged,
        "compares": sum(_trainings(own)) > 1,
    }
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "byhand.diagnosis.check_training"],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=4 * (SCRIPT_SECONDS + IMPORT_SECONDS + SEARCH_SECONDS) + 20,
        )
    except subprocess.TimeoutExpired:
        return Training()
    if finished.returncode:
        return Training(troubles=finished.stderr.decode(errors="replace").splitlines()[-1:])
    answer = Training(**json.loads(finished.stdout))
    return replace(answer, findings=[_located(finding, own) for finding in answer.findings])


def _without_assertions(source: str) -> str:
    """The same, line for line: that a training fails is what we want to look into, and no error."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return "\n" * source.count("\n")
    lines = source.split("\n")
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.lineno == node.end_lineno:
            line = lines[node.lineno - 1]
            if line.lstrip().startswith("assert"):
                lines[node.lineno - 1] = line[: len(line) - len(line.lstrip())] + "pass"
    return "\n".join(lines)


def _located(finding: dict[str, Any], cells: Sequence[Cell]) -> dict[str, Any]:
    """With the line in its cell, in place of the line in all cells together."""
    line = finding["line"]
    for cell in cells:
        count = cell.source.count("\n") + 1
        if 0 < line <= count:
            return finding | {"cell": cell.name, "line": line}
        line -= count
    return finding | {"cell": "", "line": None}


# ── how many trainings there are ────────────────────────────────────────────────────────────────────────────────────


def _trainings(cells: Sequence[Cell]) -> Iterator[int]:
    """For each statement that trains: 1, or 2 when it does so in a loop."""
    trees = []
    for cell in cells:
        try:
            trees.append(ast.parse(cell.source))
        except SyntaxError:
            continue
    functions = {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    training = {name for name, node in functions.items() if _has_training_loop(node)}
    while more := {n for n, node in functions.items() if n not in training and _calls(node, training)}:
        training |= more
    for tree in trees:
        yield from _in_body(tree.body, training, functions)


def _in_body(body: list[ast.stmt], training: set[str], functions: dict[str, ast.FunctionDef]) -> Iterator[int]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        if isinstance(statement, ast.If | ast.With):
            yield from _in_body(statement.body, training, functions)
        elif isinstance(statement, ast.For | ast.While):
            calls = _calls(statement, training)
            if calls and any(_has_training_loop(functions[name]) for name in calls):
                yield 2
            elif calls or _steps(statement):
                yield 1
        else:
            for name in _calls(statement, training):
                wrapper = not _has_training_loop(functions[name])
                yield from _in_body(functions[name].body, training, functions) if wrapper else [1]


def _calls(node: ast.AST, functions: set[str]) -> list[str]:
    calls = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
    called = [f.id if isinstance(f, ast.Name) else getattr(f, "attr", "") for f in calls]
    return [name for name in called if name in functions]


def _has_training_loop(function: ast.FunctionDef) -> bool:
    loops = (node for node in ast.walk(function) if isinstance(node, ast.For | ast.While))
    return any(_steps(loop) and _counts_epochs(loop) for loop in loops)


def _counts_epochs(loop: ast.For | ast.While) -> bool:
    """Not over the layers or the samples, as far as its words tell."""
    if isinstance(loop, ast.While):
        return True
    text = ast.unparse(loop.iter) + " " + ast.unparse(loop.target)
    return (
        re.search(r"[eé]po(ch|q|c)|iter|step|\bn_?it|range\(\d{2,}|range\(\d+_\d+|it\b|\brounds", text, re.I)
        is not None
    )


def _steps(loop: ast.AST) -> bool:
    """Whether something in it moves parameters, or calls what does."""
    for node in ast.walk(loop):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub | ast.Add):
            if not isinstance(node.value, ast.Constant) and not names.means(ast.unparse(node.target), "loss"):
                return True
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            target = ast.unparse(node.targets[0])
            if ast.unparse(node.value.left) == target:
                return True
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if names.means(name, "is_backward") or re.search(r"update|step|train|optim|rétro|apprend|lern", name, re.I):
                return True
    return False


# ── the search, in a process of its own ─────────────────────────────────────────────────────────────────────────────


class _OutOfTimeError(BaseException):
    """Not to be caught where a part of the judging may fail."""


def main() -> None:
    """Read a request from stdin, and print what is found as JSON; nothing is found when the time is over."""
    request = json.loads(sys.stdin.read())

    def stop(*_: object) -> None:
        raise _OutOfTimeError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SEARCH_SECONDS)  # of this process's own: the script has its own limit
    try:
        answer = _search(request)
    except _OutOfTimeError:
        answer = Training()
    sys.stdout.write(json.dumps(asdict(answer)))


def _search(request: dict[str, Any]) -> Training:
    from byhand.diagnosis.causes import causes
    from byhand.diagnosis.why import record
    from byhand.diagnosis.why_evidence import Evidence

    heavy = re.search(r"import.*(sklearn|scipy|pandas|seaborn|matplotlib)|from (sklearn|scipy)", request["source"])
    seconds = SCRIPT_SECONDS + (IMPORT_SECONDS if heavy else 0.0)
    recording, ended = record(request["source"], {}, 4 * seconds, cpu_seconds=seconds)
    troubles: list[str] = []
    with np.errstate(all="ignore"):
        evidence = Evidence.of(recording)
        found = causes(evidence, troubles)
        said = [f for f in found if _may_be_said(f, evidence, ended == "out of time", request)]
    steps = evidence.judgement
    right = bool(steps.verdicts) and not steps.unexplained and not any(v.ids for v in steps.verdicts)
    if steps.unexplained and said and said[0].id in _STRUCTURE | _COURSE:
        # The steps are no gradient that we know: what looks like a cause may be their effect.
        return Training(troubles=troubles)
    for finding in said:
        if (
            finding.id == "wrong-layer-activation"
            and evidence.loss_kind == "cross-entropy"
            and "output" in finding.message
        ):
            finding.id = "unknown"  # a slope more than softmax and cross-entropy have together
    return Training(
        [
            {"id": f.id, "line": int(f.line), "message": f.message, "confidence": min(float(f.confidence), 0.9)}
            for f in said
        ],
        right,
        troubles,
    )


def _may_be_said(finding: Any, evidence: Any, was_cut: bool, request: dict[str, Any]) -> bool:
    if finding.confidence < _SURE:
        return False
    if finding.id in ("stale-gradient", "label-shuffle-mismatch") and evidence.trained:
        return False  # it learns: something in between may have been overlooked
    if finding.id == "parameter-never-updated" and "step" in finding.evidence:
        return True
    if finding.id == "parameter-never-updated" and evidence.trained and _is_stepped(request["source"], finding):
        return False
    if finding.id == "dot-instead-of-elementwise" and _multiplies_weights(request["source"], finding.line):
        return False
    if finding.id in _EXACT:
        return True
    if finding.id not in _STRUCTURE | _COURSE:
        return bool(request["no_step_judged"])
    if request["compares"]:
        return False  # several trainings are there to be compared, and one of them may be meant to fail
    if finding.id == "linear-collapse" and re.search(r"\bdef (ident\w*|lin|linear\w*)\b", request["source"]):
        return False  # somebody who writes the identity as an activation wants to see what it does
    cured = finding.experiment is not None and finding.experiment.cured
    learned_nothing = not evidence.final_loss < _LEARNED_NOTHING * evidence.best_constant
    if finding.id == "target-outside-range":
        return True
    if finding.id == "symmetric-initialization":
        return not evidence.trained
    if was_cut and finding.id in _COURSE and np.isfinite(evidence.final_loss):
        return False
    if finding.id in ("too-few-epochs", "learning-rate-too-high"):
        return bool(cured and learned_nothing)  # a training that has come some way may be as long as was asked for
    return bool(cured or learned_nothing)


def _is_stepped(source: str, finding: Any) -> bool:
    """Whether some line reads as if it stepped one of the parameters that the finding names."""
    for name in re.findall(
        r"\w+", " ".join(map(str, finding.evidence.values())) + finding.message.partition(" never")[0]
    ):
        name = re.escape(name)
        place = rf"(\b{name}\b|\[['\"]{name}['\"]\])(\[[^\]]*\])*"
        if re.search(rf"(?m)^\s*\S*{place}\s*([-+]=|=.*{place}\s*[-+])", source):
            return True
    return False


def _multiplies_weights(source: str, line: int) -> bool:
    """Whether weights stand in a matrix product of that line: there it is the transpose that is missing."""
    text = source.split("\n")[line - 1] if line else ""
    operands = re.findall(r"dot\((\w+)(?:\.T)?,\s*(\w+)|(\w+)(?:\.T)?\s*@\s*(\w+)", text)
    return any(names.kind_of(name) == "W" for pair in operands for name in pair if name)


if __name__ == "__main__":
    main()
