"""The practical's own notebook, question by question: each value and each function held against what is asked for."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byhand._types import Array
from byhand.diagnosis.check import naming, slices
from byhand.diagnosis.check.asked import CONTEXT, QUESTIONS, Answer, Asked, Values, answers, close, first_difference
from byhand.diagnosis.check.book import ANSWERS, CALLS, Begun, Book, Call, Piece, Returned, Stopped, Value
from byhand.diagnosis.check.defined import is_stub
from byhand.diagnosis.check.results import Finding, Question, Report, title_of
from byhand.diagnosis.check.sandboxing import LIMITS, how_it_ended
from byhand.diagnosis.check.slices import Statement
from byhand.diagnosis.check.trials import TRIALS, Trial
from byhand.diagnosis.sandbox import Limits, Outcome, run
from byhand.diagnosis.sandboxed import pack_value, unpack_value
from byhand.diagnosis.sources import Cell

_ATTEMPTS = 5


def check_practical(
    cells: Sequence[Cell],
    file: str,
    *,
    questions: Sequence[Asked] = QUESTIONS,
    values: Values | None = None,
    seed: int | None = None,
    limits: Limits = LIMITS,
) -> Report:
    """Judge a notebook of the practical, finished or not.

    Parameters
    ----------
    cells : sequence of Cell
    file : str
        Its name.
    questions : sequence of Asked
        Those to judge.
    values : mapping, optional
        The student's values where they are at hand (inside a notebook); found by running the cells when left out.
    seed : int, optional
        With which the notebook was made; the value of `SEED` when left out.
    limits : Limits
    """
    return _Practical(slices.statements(cells), list(questions), values, seed, limits).report(file)


@dataclass
class _Practical:
    """A notebook on its way to a report."""

    statements: list[Statement]
    questions: list[Asked]
    given: Values | None
    seed: int | None
    limits: Limits
    values: dict[str, Any] = field(default_factory=dict)
    returned: dict[int, Returned] = field(default_factory=dict)
    stopped: dict[tuple[str, int], Stopped] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tainted: dict[str, str] = field(default_factory=dict)
    """What is wrong, or follows from something wrong: name to the name of the cause."""

    def report(self, file: str) -> Report:
        """Run what matters, and judge."""
        self.calls = [
            Call(name, [a if isinstance(a, str) else _packed(a) for a in arguments], _packed_names(trial))
            for name, trial in self._trials()
            for arguments in (*trial.calls, *trial.own)
        ]
        self._run()
        if self.seed is not None:
            self.values["SEED"] = self.seed
        report = Report(file, notes=self.notes)
        for question in self.questions:
            for name in question.functions:
                self._add_function(report, question, name)
            for answer in answers(question, self.values, self._assigned()):
                self._add_value(report, question, answer)
        return report

    def _trials(self) -> Iterator[tuple[str, Trial]]:
        for question in self.questions:
            yield from ((name, TRIALS[name]) for name in question.functions)

    # ---- running

    def _run(self) -> None:
        """Run it; a step that takes the whole process with it is left out the next time."""
        names = [name for q in self.questions for name, wanted in q.values.items() if wanted.is_judged]
        functions = [name for name, _ in self._trials()]
        self.values = dict(self.given or {})
        if self.given is not None and not self.calls:
            return
        chosen = slices.needed(self.statements, [] if self.given is not None else [*names, *CONTEXT], functions)
        skipped: set[tuple[str, int]] = set()
        for _ in range(_ATTEMPTS):
            outcome = self._attempt(chosen, skipped)
            begun = outcome.every(Begun)
            if outcome.ended in ("finished", "raised") or not begun or (begun[-1].cell, begun[-1].line) in skipped:
                self.notes += [n for n in how_it_ended(outcome, self.limits) if n not in self.notes]
                break
            last = begun[-1]
            skipped.add((last.cell, last.line))
            at = f"calling {self.calls[last.line].function}" if last.cell == CALLS else _place(last.cell, last.line)
            self.notes += [n for n in how_it_ended(outcome, self.limits, at) if n not in self.notes]

    def _attempt(self, chosen: Sequence[Statement], skipped: Collection[tuple[str, int]]) -> Outcome:
        calls = [Call("", []) if (CALLS, k) in skipped else call for k, call in enumerate(self.calls)]
        packed = {name: p for name, v in (self.given or {}).items() if (p := pack_value(v)) is not None}
        book = Book(_pieces(chosen, skipped, set() if self.given is not None else self._wanted()), packed, calls)
        outcome = run("byhand.diagnosis.check.book:main", book, answers=ANSWERS, limits=self.limits)
        for told in outcome.every(Value):
            value = None if told.value is None else unpack_value(told.value)
            if self.given is None and value is not None:
                self.values.setdefault(told.name, value)
        self.returned |= {told.number: told for told in outcome.every(Returned)}
        self.stopped |= {(told.cell, told.line): told for told in outcome.every(Stopped)}
        return outcome

    def _wanted(self) -> set[str]:
        return {*CONTEXT, *(name for q in self.questions for name in q.values)}

    def _assigned(self) -> set[str]:
        return set().union(*(s.binds for s in self.statements if not _is_stub(s.node))) if self.given is None else set()

    # ---- values

    def _add_value(self, report: Report, question: Asked, answer: Answer) -> None:
        name, at = answer.name, self._home(answer.name)
        if answer.status == "not judged" and (error := self._error_in(name)) is not None:
            self._add_error(report, question, name, error)
        elif answer.status == "wrong" and (cause := self._cause(name)):
            self._waits(report, question, name, cause)
        elif answer.status == "wrong":
            self.tainted[name] = name
            report.questions.append(Question(name, "wrong", "", question.number))
            report.findings.append(_finding(answer.id or "unknown", answer.evidence, name, at, None))
        else:
            note = answer.evidence if answer.status == "not judged" else ""
            report.questions.append(Question(name, answer.status, note, question.number))

    def _home(self, name: str) -> Statement | None:
        """The statement that gives a name its value: the last of the first cell that does."""
        binding = [s for s in self.statements if name in s.binds]
        return next((s for s in reversed(binding) if s.cell is binding[0].cell), None)

    def _cause(self, name: str) -> str:
        """What is wrong already among that from which a value or function follows; "" when nothing is."""
        return next((self.tainted[n] for n in slices.rests_on(self.statements, name) if n in self.tainted), "")

    def _waits(self, report: Report, question: Asked, name: str, cause: str) -> None:
        self.tainted[name] = cause
        note = f"it follows from {cause}, which is wrong; mend that first"
        report.questions.append(Question(name, "not judged", note, question.number))

    def _error_in(self, name: str) -> Stopped | None:
        """The error that kept a name from its value: where the statement that assigns it stopped."""
        for s in self.statements:
            if name in s.binds and (told := self.stopped.get((s.cell.name, s.node.lineno))) is not None:
                return told
        return None

    def _add_error(self, report: Report, question: Asked, row: str, error: Stopped) -> None:
        """An error of Python's in the student's text; one that an earlier loss brings about is not held against it."""
        lost = {n for s in self.statements for n in s.binds if (s.cell.name, s.node.lineno) in self.stopped}
        name = error.message.partition("'")[2].partition("'")[0] if error.type == "NameError" else ""
        if cause := self._cause(row):
            self._waits(report, question, row, cause)
        elif error.type == "Cut":
            report.questions.append(Question(row, "not judged", error.message, question.number))
        elif (name in lost or name in self._unfinished()) and name:
            report.questions.append(Question(row, "not judged", f"it waits for {name}", question.number))
        else:
            self.tainted[row] = row
            report.questions.append(Question(row, "wrong", "", question.number))
            report.findings.append(naming.of_error(error, [s.cell for s in self.statements], row))

    def _unfinished(self) -> set[str]:
        assigned = set().union(*(s.binds for s in self.statements)) if self.statements else set()
        return {name for q in QUESTIONS for name in (*q.values, *q.functions) if name not in assigned} | {
            n for s in self.statements if _is_stub(s.node) for n in s.binds
        }

    # ---- functions

    def _add_function(self, report: Report, question: Asked, name: str) -> None:
        trial, at = TRIALS[name], next((s for s in reversed(self.statements) if _defines(s, name)), None)
        if at is None or _is_stub(at.node):
            report.questions.append(Question(name, "not done yet", "", question.number))
            return
        first = next(k for k, call in enumerate(self.calls) if call.function == name)
        ours = [self._tried(first + k, trial, a) for k, a in enumerate(trial.calls)]
        own = [self._tried(first + len(trial.calls) + k, trial, a) for k, a in enumerate(trial.own)]
        if any(t.is_stub for t in ours):
            report.questions.append(Question(name, "not done yet", "", question.number))
            return
        tried = own if own and all(t.is_right for t in own) else ours
        bad = next((t for t in tried if not t.is_right), None)
        if bad is None:
            report.questions.append(Question(name, "right", "", question.number))
        elif bad.error is None and not bad.arrays and not bad.complaint:
            report.questions.append(Question(name, "not judged", "I could not call it", question.number))
        elif bad.error is not None:
            self._add_error(report, question, name, bad.error)
        elif cause := self._cause(name):
            self._waits(report, question, name, cause)
        else:
            self.tainted[name] = name
            report.questions.append(Question(name, "wrong", "", question.number))
            report.findings.append(self._name(name, trial, at, ours))

    def _tried(self, number: int, trial: Trial, arguments: tuple[Any, ...]) -> _Tried:
        """What a call gave, held against what it should."""
        told, error = self.returned.get(number), self.stopped.get((CALLS, number))
        tried = _Tried(arguments, trial.expected(arguments), error=error)
        if told is not None:
            tried.is_stub = told.is_stub
            tried.changed = told.changed
            if told.value is not None:
                tried.arrays = _flat(unpack_value(told.value))
            elif not told.is_stub:
                tried.complaint = "it gives something that is no array of numbers"
        return tried

    def _name(self, name: str, trial: Trial, at: Statement, tried: Sequence[_Tried]) -> Finding:
        """Which mistake it is, and where."""
        bad = next(t for t in tried if not t.is_right)
        if bad.only_changed:
            evidence = f"{name} changes {_parameter_names(at.node)[bad.changed[0]]}, which it was given, in place"
            return _finding("input-mutated", evidence, name, at, _line_that_changes(at.node))
        slips = (id_ for id_, truth in trial.slips if all(t.matches(t.truth_of(trial, truth)) for t in tried))
        id_, evidence = next(slips, ""), bad.difference(name, trial.gives)
        line = slices.line_of_parts(at.node, bad.wrong_parts, len(trial.gives))
        if trial.steps and not bad.has_other_shapes:
            named = naming.by_steps(name, trial.steps, self.statements, self.limits)
            if named is not None:
                line = named.line or line
                id_, evidence = (id_, evidence) if id_ else (named.id, f"{named.evidence} Also, {evidence}")
        return _finding(id_ or "unknown", evidence, name, at, line)


@dataclass
class _Tried:
    """One call: what it should give, what it gave."""

    arguments: tuple[Any, ...]
    truth: list[Array]
    arrays: list[Array] = field(default_factory=list)
    error: Stopped | None = None
    is_stub: bool = False
    changed: list[int] = field(default_factory=list)
    complaint: str = ""

    @property
    def is_right(self) -> bool:
        return self.matches(self.truth) and not self.changed

    @property
    def only_changed(self) -> bool:
        return bool(self.changed) and self.matches(self.truth)

    @property
    def has_other_shapes(self) -> bool:
        return len(self.arrays) != len(self.truth) or any(
            not _same_shape(a, t) for a, t in zip(self.arrays, self.truth, strict=True)
        )

    def matches(self, truth: Sequence[Array]) -> bool:
        """Whether it gave these arrays, in this order and these shapes."""
        if len(self.arrays) != len(truth):
            return False
        return all(_same_shape(a, t) and close(a, t) for a, t in zip(self.arrays, truth, strict=True))

    def truth_of(self, trial: Trial, truth: Any) -> list[Array]:
        """What another truth gives for the same arguments."""
        return trial.expected(self.arguments, truth)

    @property
    def wrong_parts(self) -> list[int]:
        """The numbers of the results that are not as they should be."""
        pairs = enumerate(zip(self.arrays, self.truth, strict=False))
        return [k for k, (a, t) in pairs if not (_same_shape(a, t) and close(a, t))] or [0]

    def difference(self, name: str, gives: Sequence[str]) -> str:
        """Which of its results differs first, and how."""
        if self.complaint:
            return f"{name}: {self.complaint}"
        if len(self.arrays) != len(self.truth):
            return f"{name} gives {len(self.arrays)} arrays, expected {len(self.truth)}"
        k = self.wrong_parts[0]
        mine, truth, what = self.arrays[k], self.truth[k], gives[k] if k < len(gives) else f"the result of {name}"
        if not _same_shape(mine, truth):
            return f"for inputs of mine {what} has shape {mine.shape}, expected {truth.shape}"
        return f"for inputs of mine {first_difference(what, mine, truth)}"


def _same_shape(mine: Array, truth: Array) -> bool:
    return mine.shape == truth.shape or (mine.size, truth.size) == (1, 1)


def _flat(value: Any) -> list[Array]:
    if isinstance(value, list):
        return [array for item in value for array in _flat(item)]
    return [np.asarray(value, dtype=float)]


def _packed(value: Any) -> dict[str, Any]:
    packed = pack_value(value)
    assert packed is not None
    return packed


def _packed_names(trial: Trial) -> dict[str, Any]:
    return {name: _packed(value) for name, value in trial.names.items()}


def _pieces(chosen: Sequence[Statement], skipped: Collection[tuple[str, int]], tell: Collection[str]) -> list[Piece]:
    pieces: dict[str, Piece] = {}
    told: set[str] = set()
    for s in chosen:
        piece = pieces.setdefault(s.cell.name, Piece(s.cell.name, s.cell.source, []))
        if (s.cell.name, s.node.lineno) not in skipped:
            piece.lines.append(s.node.lineno)
            new = (s.binds & set(tell)) - told if not _is_stub(s.node) else set()
            piece.tell.extend(sorted(new))
            told |= new
    return list(pieces.values())


def _is_stub(node: ast.stmt) -> bool:
    """Whether it is still to be written: a body of nothing, or None or ... assigned."""
    if isinstance(node, ast.FunctionDef):
        return is_stub(node)
    value = getattr(node, "value", None)
    return isinstance(node, ast.Assign) and isinstance(value, ast.Constant) and value.value in (None, ...)


def _defines(statement: Statement, name: str) -> bool:
    if isinstance(statement.node, ast.FunctionDef):
        return statement.node.name == name
    return isinstance(statement.node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == name for target in statement.node.targets
    )


def _parameter_names(node: ast.stmt) -> list[str]:
    return [a.arg for a in node.args.args] if isinstance(node, ast.FunctionDef) else ["an argument"] * 20


def _line_that_changes(node: ast.stmt) -> int:
    """The first line of a function that changes something in place."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.AugAssign):
            return inner.lineno
        if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Subscript):
            return inner.lineno
    return node.lineno


def _place(cell: str, line: int) -> str:
    return f"{cell}, line {line}" if cell else f"line {line}"


def _finding(id_: str, evidence: str, question: str, at: Statement | None, line: int | None) -> Finding:
    title = title_of(id_)
    if at is None:
        return Finding(id_, title, None, "", evidence, question)
    line = line or at.node.lineno
    lines = at.cell.source.splitlines()
    source = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return Finding(id_, title, line, at.cell.name, evidence, question, source=source)
