"""Any program that is not the practical's notebook: run on the tape, or, where it trains nothing, by drivers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, permutations
from math import prod
from typing import Any

from byhand.diagnosis.check.arguments import own_names
from byhand.diagnosis.check.claims import is_gradient_of
from byhand.diagnosis.check.defined import is_gradient_name, is_stub, methods_of, names_gradients, reached
from byhand.diagnosis.check.drivers import BACK, HELD, SUPPORT, definitions, drivers
from byhand.diagnosis.check.judging import NO_MISTAKES, Request
from byhand.diagnosis.check.names import is_marked
from byhand.diagnosis.check.results import Finding, Question, Report, Status, title_of
from byhand.diagnosis.check.sandboxing import LIMITS, how_it_ended
from byhand.diagnosis.check.telling import GENERAL, PURPOSE, Probe
from byhand.diagnosis.findings import Finding as Found
from byhand.diagnosis.findings import Judgement, Place
from byhand.diagnosis.story import errors, running
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.running import Run

_ATTEMPTS = 4
_COPIES = 4
"""So many texts in which an argument is copied are run."""
_OTHER_LINES = 250
"""So many copies with one line put otherwise are tried: a whole slope that is missing is many words."""
_PRYING = re.compile("_getframe|f_back|f_locals|get_objects|get_referrers|ctypes|byhand.diagnosis")
"""What no training needs. Its verdict is found in the process that runs it, which such code could talk to."""

# Which question of the practical a mistake belongs to: for a network, and for a line.
_FORWARD = ("2.5", "1.4")
_GRADIENT = ("2.7", "1.6")
_UPDATE = ("2.8", "1.8")
_STAGES = {
    **dict.fromkeys(
        ("bias-missing", "forward-returns-z", "softmax-wrong-axis", "shares-not-one", "softmax-overflow"), _FORWARD
    ),
    **dict.fromkeys(("sigmoid-falling",), ("2.4", "1.4")),
    **dict.fromkeys(("derivative-always-1",), ("2.4", "1.6")),
    **dict.fromkeys(
        (
            "output-derivative-missing", "hidden-derivative-missing", "derivative-of-activation", "hidden-error-raw",
            "wrong-layer-activation", "bias-gradient-wrong", "constant-factor", "sum-versus-mean", "unknown",
            "transposed-gradient",
            "dot-instead-of-elementwise", "weight-gradient-wrong", "delta-wrong", "broadcast-error-matrix",
            "derivative-twice", "derivative-wrong", "penalty-gradient-wrong", "gradient-overwritten",
            "rows-counted-once", "way-left-out",
        ),
        _GRADIENT,
    ),
}  # fmt: skip
_OF_A_WHOLE_STEP = {
    "bias-gradient-wrong", "weight-gradient-wrong", "constant-factor", "sum-versus-mean", "sign-flipped",
    "transposed-gradient", "output-derivative-missing", "hidden-derivative-missing",
}  # fmt: skip
"""What says how steps are, and not which value in their making is wrong first: it may be told at another line."""
_DEGREES = {"too-few-epochs", "unscaled-data"}
"""Matters of degree: noted, and no mistake."""
_FIRST = ("wrong", "right", "inconclusive")
"""Which of a thing's runs speaks for it."""
_ROWS = {
    "2.4": "the activation",
    "2.5": "the forward pass",
    "2.7": "the gradients",
    "2.8": "the training",
    "1.4": "the predictions",
    "1.6": "the gradients",
    "1.8": "the training",
    PURPOSE: "what it is for",
}


def check_free(program: Program) -> Report:
    """Judge a program by its training."""
    return _Free(program).report()


class _Free:
    """A program on its way to a report."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.notes: list[str] = []
        self.whole: Run | None = None
        self.units: dict[str, list[Run]] = {}
        self.probes: dict[str, Probe] = {}

    def report(self) -> Report:
        unreadable = errors.syntax_error(self.program)
        report = Report(self.program.name)
        if unreadable is not None:
            self._add_error(report, Run(error=unreadable))
            return report
        self._run()
        self._judge(report)
        report.notes += self.notes
        if prying := _PRYING.search(self.program.source):
            note = f"please look: the code reaches for {prying[0]}, and could answer for itself"
            report.questions = [
                replace(q, status="not judged", note=note) if q.status == "right" else q for q in report.questions
            ]
        return report

    def _run(self) -> None:
        """In the sandbox; a statement that takes the whole process with it is left out the next time."""
        from byhand.diagnosis import sandbox

        spared: list[int] = []
        source = self.program.source
        for _ in range(_ATTEMPTS):
            made = drivers(self.program.source, spared)
            head = definitions(self.program.source, ast.parse(self.program.source), set(spared))
            request = Request(self.whole is None, [(d.unit, d.text) for d in made], head, SUPPORT)
            files = {**self.program.files, running.SCRIPT: source.encode()}
            outcome = sandbox.run("byhand.diagnosis.check.judging:main", request, files, limits=LIMITS)
            reached = 0
            for message in outcome.messages:
                try:
                    reached = self._take(message) or reached
                except (KeyError, TypeError, ValueError, AttributeError):
                    self.notes.append("an answer came that is none; please look at what the code does")
            at = self.program.where(reached) if reached else ""
            self.notes += [n for n in how_it_ended(outcome, LIMITS, at) if n not in self.notes]
            if outcome.ended in ("finished", "raised") or reached in spared:
                return
            if self.whole is not None:  # a driver did it: what it drives is left alone
                return
            spared.append(reached)
            source = _without(self.program.source, spared)

    def _take(self, message: Mapping[str, Any]) -> int:
        """Keep what the child tells; the line that it has reached, if it tells that."""
        if "reached" in message:
            return int(message["reached"])
        if "fault" in message:
            self.notes.append(f"the whole could not be judged, by a fault of byhand's own ({message['fault']})")
        elif "probe" in message:
            probe = Probe(**message["probe"])
            known = self.probes.get(probe.unit)
            if known is None or probe.answer == "wrong" or not (known.is_fact and known.answer == "wrong"):
                self.probes[probe.unit] = probe  # gradients may be right of what does other than it should
        elif message["unit"] == "":
            self.whole = running.read(message)
        else:
            self.units.setdefault(str(message["unit"]), []).append(running.read(message))
        return 0

    # ---- the report

    def _judge(self, report: Report) -> None:
        whole = self.whole or Run()
        judgement = whole.judgement
        if judgement.verdict == "nothing" and whole.error is None:
            self._judge_units(report)
        elif whole.error is not None and whole.error.type in NO_MISTAKES:
            at = self.program.where(whole.error.place.line, whole.error.place.file)
            self.notes.append(f"{at}: it stopped there with {whole.error.type}: {whole.error.message}")
            if judgement.verdict in ("right", "wrong"):
                self._add_training(report, whole)
            else:
                self._judge_units(report)
        elif whole.error is not None:
            self._add_error(report, whole)
        elif judgement.verdict in ("right", "wrong"):
            shown = self._as_changes_show(whole) or self._as_a_copy_shows(whole)
            self._add_training(report, shown or self._as_another_line_shows(whole) or whole)
        else:
            self._judge_units(report)
            names = ", ".join(n for n in judgement.facts.unexplained if n)
            note = f"not every step could be explained{': ' + names if names else ''}"
            is_none = report.outcome == "right" and not _carries(self.program.source)
            if report.outcome != "wrong" and not is_none and not self._is_trained_elsewhere(report):
                report.questions.append(Question("the training", "not judged", note, "2.8"))
            self.notes += [
                f"{self.program.where(f.place.line, f.place.file)}: perhaps {f.id} ({f.message})"
                for f in judgement.findings
            ]
        if judgement.verdict == "right" and whole.error is None:
            used = reached(self._functions, self._names_at_top()) | self._called_on_objects()
            for probe in self.probes.values():
                is_of_steps = not probe.is_fact and probe.id != "loss-wrong"  # no step is made from a loss
                is_shown = probe.is_placed and judgement.facts.open_later  # as a penalty that is 0 in the first run
                called = probe.names or [probe.unit]
                is_used = all(n.rpartition(".")[2] in used for n in called)
                if is_of_steps and not is_shown and is_used and self._is_behind_steps(probe, judgement.stepped):
                    continue  # it was run, and every step is explained
                if probe.answer == "wrong" or (probe.answer == "unclear" and probe.part == "2.8"):
                    self._add_probe(report, probe)
            self._add_uncalled(report, self._names_at_top())
        for name in self._stubs():
            report.questions.append(Question(name, "not done yet", "", name))

    def _as_changes_show(self, run: Run) -> Run | None:
        """A training with what one change makes right in the place of what the numbers say of what follows from that.

        Steps show first where they are not what they should be, which is made of what is wrong elsewhere.
        """
        used = reached({**self._functions, **self._classes}, self._names_at_top())
        shown = [p for p in self.probes.values() if p.answer == "wrong" and p.is_placed and not p.is_fact]
        shown = [p for p in shown if any(name.partition(".")[0] in used for name in p.names)]
        found = run.judgement.findings
        odd = [f for f in found if f.certainty == "exact" and _STAGES.get(f.id) == _GRADIENT]
        if run.judgement.verdict != "wrong" or not shown or not odd:
            return None
        told = []
        for p in shown:
            own = next((f for f in odd if f.place == Place(p.line)), Found(p.id, Place(p.line), "exact", p.message))
            told.append(replace(own, id=p.id) if own.id in GENERAL else own)
        right = [p for p in self.probes.values() if p.answer == "right"]
        follows = [f for f in odd if any(self._is_in(f, p) for p in (*shown, *right))]
        rest = [f for f in found if f not in follows]
        return replace(run, judgement=replace(run.judgement, findings=[*told, *rest]))

    def _as_a_copy_shows(self, run: Run) -> Run | None:
        """A training with its wrong steps told where a function writes into what it is given, if a copy mends all."""
        odd = [f for f in run.judgement.findings if f.is_of_steps]
        for text, name, argument, line in islice(written_into(self.program.source), _COPIES if odd else 0):
            if running.run(self.program.with_text(text), LIMITS.cpu_seconds).judgement.verdict == "right":
                message = f"{name} writes into {argument}, which it is given: who goes on with it has other numbers. "
                message += "With a copy of it all steps are right."
                rest = [f for f in run.judgement.findings if f not in odd]
                told = Found("input-mutated", Place(line), "exact", message)
                return replace(run, judgement=replace(run.judgement, findings=[told, *rest]))
        return None

    def _as_another_line_shows(self, run: Run) -> Run | None:
        """A training with its wrong steps told at the line after whose change all are right, if there is one."""
        odd = [f for f in run.judgement.findings if f.is_of_steps]
        if not odd or odd[0].id not in _OF_A_WHOLE_STEP:
            return None
        found = running.another_line(self.program, run.judgement, LIMITS.cpu_seconds, _OTHER_LINES)
        if found is None or self._is_cleared(replace(odd[0], place=found[1])):
            return None
        told = replace(odd[0], place=found[1], also=[])
        rest = [f for f in run.judgement.findings if f not in odd]
        return replace(run, judgement=replace(run.judgement, findings=[told, *rest]))

    def _is_trained_elsewhere(self, report: Report) -> bool:
        """Whether all that trains is functions that are right when they train with data of ours."""
        right = {u for u, runs in self.units.items() for r in runs if r.judgement.verdict == "right"}
        top = set(self._names_at_top())
        trained = top & self.units.keys()
        if not trained:  # what takes one step is called with a gradient
            right = {p.unit for p in self.probes.values() if p.answer == "right" and p.part == "2.8"}
            trained = top & {**self._functions, **self._classes}.keys()
        return report.outcome == "right" and not self._computes_at_top() and bool(trained) and trained <= right

    def _computes_at_top(self) -> bool:
        """Whether a loop outside of functions and classes computes something itself."""
        nodes = [n for n in ast.parse(self.program.source).body if not isinstance(n, ast.FunctionDef | ast.ClassDef)]
        loops = [n for node in nodes for n in ast.walk(node) if isinstance(n, ast.For | ast.While)]
        steps = [n for loop in loops for n in ast.walk(loop) if isinstance(n, ast.Assign | ast.AugAssign)]
        return any(isinstance(n, ast.AugAssign) or isinstance(n.value, ast.BinOp) for n in steps)

    def _names_at_top(self) -> list[str]:
        """What is named outside of functions and classes."""
        nodes = [n for n in ast.parse(self.program.source).body if not isinstance(n, ast.FunctionDef | ast.ClassDef)]
        return [n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)]

    def _called_on_objects(self) -> set[str]:
        """The methods that are called outside of functions and classes."""
        nodes = [n for n in ast.parse(self.program.source).body if not isinstance(n, ast.FunctionDef | ast.ClassDef)]
        calls = [n.func for node in nodes for n in ast.walk(node) if isinstance(n, ast.Call)]
        return {f.attr for f in calls if isinstance(f, ast.Attribute)}

    def _add_training(self, report: Report, run: Run, unit: str = "") -> None:
        """Rows by question, and what was found."""
        judgement = run.judgement
        if judgement.verdict == "inconclusive":
            row = Question(f"{_ROWS['2.7']} ({unit})", "not judged", "not every step could be explained", "2.7")
            report.questions.append(row)
            return
        found = [f for f in judgement.findings if judgement.verdict == "right" or f.certainty == "exact"]
        for f in [f for f in found if f.id in _DEGREES]:
            found.remove(f)
            self.notes.append(f"{self.program.where(f.place.line, f.place.file)}: {f.message}")
        k = int(_is_line(run))
        parts = [stage[k] for stage in (_FORWARD, _GRADIENT, _UPDATE)]
        blamed = [_STAGES.get(f.id, _UPDATE)[k] for f in found]
        parts += [p for p in blamed if p not in parts]
        first = min((parts.index(p) for p in blamed if p in parts[:3]), default=3)
        of = f" ({unit})" if unit else ""
        for number, part in sorted(enumerate(parts), key=lambda pair: pair[1]):
            if part in blamed:
                report.questions.append(Question(_ROWS[part] + of, "wrong", "", part))
            elif number > first:
                report.questions.append(Question(_ROWS[part] + of, "not judged", "something before it is wrong", part))
            else:
                many = sum(len(facts.parameters) for facts in (judgement.facts, *judgement.facts.others))
                shown = f"{many} parameters, every step explained" if number == 2 else ""
                report.questions.append(Question(_ROWS[part] + of, "right", shown, part))
        report.findings += [self._finding(f, _ROWS[p] + of) for f, p in zip(found, blamed, strict=True)]

    def _lacks_a_name(self, error: errors.ScriptError) -> bool:
        """Whether it is a name that the program never defines: so whatever it is called with."""
        is_own = error.type == "NameError" and 0 < error.place.line <= len(self.program.source.splitlines())
        found = re.search(r"name '(\w+)'", error.message)
        stored = [n for n in ast.walk(ast.parse(self.program.source)) if isinstance(n, ast.Name) and _is_stored(n)]
        return is_own and found is not None and found[1] not in {n.id for n in stored}

    def _judge_units(self, report: Report) -> None:
        """What the drivers and the probes showed, unit by unit: right somewhere is right."""
        entries = {unit: self._of_unit(unit, runs) for unit, runs in self.units.items()}
        right = {unit for unit, run in entries.items() if run is not None and run.judgement.verdict == "right"}
        functions = self._functions
        called = {name for unit in right for name in reached(functions, [unit]) - {unit}}
        entries = {unit: run for unit, run in entries.items() if unit not in called}  # right with what it is given
        for thing in dict.fromkeys([*(unit.partition(".")[0] for unit in entries), *self.probes]):
            mine = [run for unit, run in entries.items() if run is not None and unit.partition(".")[0] == thing]
            run = min(mine, key=lambda run: _FIRST.index(run.judgement.verdict), default=None)
            causes = self._causes(thing) or self._told_of(run)
            if (probe := self.probes.get(thing)) is not None and not self._tells_more(run, probe):
                self._add_probe(report, probe)
            elif run is not None and run.judgement.verdict == "wrong" and causes:
                note = f"it follows from {', '.join(causes)}"
                report.questions.append(Question(f"{_ROWS['2.8']} ({thing})", "not judged", note, "2.8"))
            elif run is not None and not self._is_no_training(thing, run):
                self._add_training(report, run, thing)
        self._add_uncalled(report, [unit for unit, run in entries.items() if run is not None])
        if {q.part for q in report.questions if q.status == "right"} == {PURPOSE}:
            self._add_unknown(report)
        if not report.questions:
            report.questions.append(
                Question(
                    "the program", "not judged", "no training was found in it, and none could be made of its functions"
                )
            )

    def _add_uncalled(self, report: Report, judged: Sequence[str]) -> None:
        """Functions that give gradients, and classes that compute, which nothing judged has used."""
        functions, classes = self._functions, self._classes
        seen = [*judged, *(name for probe in self.probes.values() for name in probe.names)]
        used = reached({**functions, **classes}, [unit.partition(".")[0] for unit in (*seen, *self.probes)])
        called = used | reached(functions, seen)
        left = [n for n, f in functions.items() if n not in called and _gives_gradients(f)]
        for name in [n for n in left if not any(n in reached(functions, [m]) for m in left if m != n)]:
            note = "no inputs of mine fit what it takes"
            if report.questions:
                report.questions.append(Question(f"{_ROWS['2.7']} ({name})", "not judged", note, "2.7"))
            else:
                self.notes.append(f"{self.program.where(functions[name].lineno)}: {name} was not called: {note}")

        for name in [n for n, c in classes.items() if n not in used and _computes(c)] if report.questions else ():
            note = "nothing that was judged uses it"
            report.questions.append(Question(f"{_ROWS['2.7']} ({name})", "not judged", note, "2.7"))

    def _add_unknown(self, report: Report) -> None:
        """Functions and methods of which nothing is known, where all that is known is what others are for."""
        if self._computes_at_top():
            note = "nothing that I know says what its loops must give"
            report.questions.append(Question("the program", "not judged", note, PURPOSE))
        every = {m: f for c in self._classes.values() for m, f in methods_of(c).items()} | self._functions
        used = reached(every, [n.rpartition(".")[2] for p in self.probes.values() for n in p.names])
        for name, function in every.items():
            gives = own_names(function) or any(isinstance(n, ast.Return) for n in ast.walk(function))
            is_asked = gives and not name.startswith("__") and not is_stub(function) and not _only_shows(function)
            if name not in used and is_asked:
                note = "nothing that I know says what it must give"
                report.questions.append(Question(f"{_ROWS[PURPOSE]} ({name})", "not judged", note, PURPOSE))

    @property
    def _functions(self) -> dict[str, ast.FunctionDef]:
        return {n.name: n for n in ast.parse(self.program.source).body if isinstance(n, ast.FunctionDef)}

    @property
    def _classes(self) -> dict[str, ast.ClassDef]:
        return {n.name: n for n in ast.parse(self.program.source).body if isinstance(n, ast.ClassDef)}

    def _causes(self, thing: str) -> list[str]:
        """The functions that a thing calls and that are wrong themselves."""
        wrong = {n.partition(".")[0] for p in self.probes.values() if p.answer == "wrong" for n in p.names}
        own = {p.unit for p in self.probes.values() if p.is_placed and p.unit.startswith(f"{thing}.")}
        return sorted(((reached({**self._functions, **self._classes}, [thing]) - {thing}) & wrong) | own)

    def _told_of(self, run: Run | None) -> list[str]:
        """The functions and classes in which all lies that a training shows, where a change has told of it."""
        tree = ast.parse(self.program.source)
        nodes = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        told = {name.partition(".")[0] for p in self.probes.values() if p.is_placed for name in p.names} & set(nodes)
        found = [f.place.line for f in run.judgement.findings] if run is not None else []
        within = {name: range(nodes[name].lineno, (nodes[name].end_lineno or 0) + 1) for name in told}
        is_all = bool(found) and all(any(line in lines for lines in within.values()) for line in found)
        return sorted(name for name, lines in within.items() if set(lines) & set(found)) if is_all else []

    def _is_no_training(self, thing: str, run: Run) -> bool:
        """Whether it was taken for a loss with gradients, explains nothing, and does not say that it is one."""
        if run.judgement.verdict != "inconclusive" or thing not in self._functions:
            return False
        known = any(thing in p.names for p in self.probes.values() if p.answer == "right")
        function = self._functions[thing]
        loops = any(isinstance(n, ast.For | ast.While) for n in ast.walk(function))
        return known or not (loops or names_gradients(function))

    def _tells_more(self, run: Run | None, probe: Probe) -> bool:
        """Whether a training says more than the differences: it has the same answer, and names and judges more."""
        if run is None or run.judgement.verdict == "inconclusive":
            return False
        if probe.is_fact:
            return run.judgement.verdict == "wrong"
        if run.judgement.verdict == "right" and " and " not in probe.unit:
            return not probe.is_partly_right  # else a penalty's part may be told as a decay of the steps
        return run.judgement.verdict == probe.answer or (probe.answer == "unclear" and run.judgement.verdict == "right")

    def _add_probe(self, report: Report, probe: Probe) -> None:
        """A row, and where it is wrong the line."""
        name = f"{_ROWS[probe.part]} ({probe.unit})"
        status: Status = "not judged" if probe.answer == "unclear" else probe.answer
        report.questions.append(Question(name, status, "" if probe.answer == "wrong" else probe.message, probe.part))
        if probe.answer == "wrong":
            found = Found(probe.id, Place(probe.line), "exact", probe.message)
            report.findings.append(self._finding(found, name))

    def _is_cleared(self, found: Found) -> bool:
        """Whether it lies in a function that was held against differences, and is right."""
        return any(self._is_in(found, p) for p in self.probes.values() if p.answer == "right")

    def _is_behind_steps(self, probe: Probe, stepped: Sequence[int]) -> bool:
        """Whether steps hang on what a probe is about: none does on what a first layer sends back."""
        lines = [Found("", Place(line), "exact", "") for line in stepped]
        way_back = replace(probe, names=probe.names[-1:])
        return not probe.names or any(self._is_in(line, way_back) for line in lines)

    def _is_in(self, found: Found, probe: Probe) -> bool:
        """Whether it lies in a function that a probe is about."""
        methods = {f"{c}.{m}": f for c, node in self._classes.items() for m, f in methods_of(node).items()}
        every = {**self._functions, **methods}
        functions = [every[name] for name in probe.names if name in every]
        return not found.place.file and any(n.lineno <= found.place.line <= (n.end_lineno or 0) for n in functions)

    def _of_unit(self, unit: str, runs: Sequence[Run]) -> Run | None:
        """The run that speaks for all that were made with a function: right somewhere is right."""
        right = next((r for r in runs if r.judgement.verdict == "right"), None)
        wrong = next((r for r in runs if self._accuses(r)), None)
        if (run := right or wrong) is None:
            unnamed = next((r for r in runs if r.error is not None and self._lacks_a_name(r.error)), None)
            if unnamed is not None and unnamed.error is not None:
                found = errors.explain(unnamed.error, self.program)
                return Run(Judgement("wrong", [found]), ended=unnamed.ended)
            ran = next((r for r in runs if r.error is None), None)
            return (
                None
                if ran is None
                else replace(ran, judgement=replace(ran.judgement, verdict="inconclusive", findings=[]))
            )
        own = (
            [
                f
                for f in run.judgement.findings
                if f.certainty == "exact" and self._is_own(f) and not self._is_cleared(f)
            ]
            if run is wrong
            else []
        )
        return replace(run, judgement=replace(run.judgement, findings=own))

    def _accuses(self, run: Run) -> bool:
        exact = [f for f in run.judgement.findings if f.certainty == "exact"]
        return (
            run.judgement.verdict == "wrong"
            and run.error is None
            and any(self._is_own(f) and not self._is_cleared(f) for f in exact)
        )

    def _is_own(self, found: Found) -> bool:
        return bool(found.place.file) or 0 < found.place.line <= len(self.program.source.splitlines())

    def _add_error(self, report: Report, run: Run) -> None:
        assert run.error is not None
        found = [f for f in run.judgement.findings if f.certainty == "exact"]
        report.questions.append(Question("the program", "wrong", "", "the program"))
        report.findings += [self._finding(f, "the program") for f in (errors.explain(run.error, self.program), *found)]

    def _finding(self, found: Found, question: str) -> Finding:
        message = found.message.replace(f" of {HELD}", "").replace(HELD, "a parameter")
        cell, line = ("", found.place.line) if found.place.file else self.program.home(found.place.line)
        source = self.program.line(found.place.line, found.place.file).strip()
        return Finding(
            found.id,
            title_of(found.id),
            line or None,
            cell,
            message,
            question,
            found.certainty,
            source,
            found.place.file,
        )

    def _stubs(self) -> list[str]:
        """Functions that are still to be written, and not in a class that others write them for."""
        bases = {ast.unparse(base) for node in self._classes.values() for base in node.bases}
        others = [n for name, node in self._classes.items() if name in bases for n in ast.walk(node)]
        every = [n for n in ast.walk(ast.parse(self.program.source)) if isinstance(n, ast.FunctionDef)]
        left = {n.lineno for n in others if isinstance(n, ast.FunctionDef)}
        return [n.name for n in every if not n.name.startswith("__") and n.lineno not in left and is_stub(n)]


def _gives_gradients(function: ast.FunctionDef) -> bool:
    """Whether a function says of itself that it computes gradients, and not by differences of one that it is given."""
    names = own_names(function)
    calls = {ast.unparse(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)}
    if re.search(r"(?i)check|verif|test", function.name):  # given a gradient it holds that against differences
        is_given_some = any(is_gradient_name(a) for a in names)
        return bool(names) and "grad" in ast.unparse(function).lower() and not is_given_some
    computes = any(isinstance(n, ast.BinOp | ast.Compare) for n in ast.walk(function))
    if not computes and any(re.fullmatch("(?i)grads?|gradients?", a) for a in names):
        return False  # it puts them in another order
    says = (names_gradients(function) or _steps_in_place(function) or _takes_gradients(names)) and len(names) >= 2
    return (says or (is_marked(function.name) and bool(names))) and not calls & set(names)


def _takes_gradients(names: Sequence[str]) -> bool:
    """Whether it takes something with what is called its gradient, as what steps does."""
    pairs = [(g, name) for name, g in permutations(names, 2) if g.lower() != name.lower()]
    return any(is_gradient_of(gradient, name) for gradient, name in pairs)


def _steps_in_place(function: ast.FunctionDef) -> bool:
    """Whether it subtracts something from what it is given, or from the parts of that, which changes there."""
    own = set(own_names(function))
    for n in (n for n in ast.walk(function) if isinstance(n, ast.For)):
        if own & {x.id for x in ast.walk(n.iter) if isinstance(x, ast.Name)}:
            own |= {f"{x.id} of it" for x in ast.walk(n.target) if isinstance(x, ast.Name)}
    steps = [n.target for n in ast.walk(function) if isinstance(n, ast.AugAssign) and isinstance(n.op, ast.Sub)]
    names = {n.id for n in steps if isinstance(n, ast.Name)}
    return len(names & own) > 1 or any(f"{name} of it" in own for name in names)


def _steps(function: ast.FunctionDef) -> bool:
    """Whether it is called as what takes a step, and multiplies something."""
    products = [n for n in ast.walk(function) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult)]
    return re.search("(?i)update|step|descent|maj", function.name) is not None and bool(products)


def _only_shows(function: ast.FunctionDef) -> bool:
    """Whether it prints what others compute, and nothing more: no number is made in it."""
    nodes = list(ast.walk(function))
    words = [n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mod) and _is_text(n.left)]
    computes = any(isinstance(n, ast.BinOp | ast.AugAssign | ast.Compare) and n not in words for n in nodes)
    keeps = any(isinstance(n, ast.Subscript | ast.Attribute) and _is_stored(n) for n in nodes)
    returns = any(isinstance(n, ast.Return) and n.value is not None for n in nodes)
    prints = any(isinstance(n, ast.Call) and ast.unparse(n.func) == "print" for n in nodes)
    return prints and not (computes or keeps or returns)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _carries(source: str) -> bool:
    """Whether something may go from one round to the next, as in any training: else there is none."""
    nodes = list(ast.walk(ast.parse(source)))
    if any(isinstance(n, ast.AugAssign) or (isinstance(n, ast.Attribute) and _is_stored(n)) for n in nodes):
        return True
    for loop in (n for n in nodes if isinstance(n, ast.For | ast.While)):
        names = [n for part in loop.body for n in ast.walk(part) if isinstance(n, ast.Name | ast.Subscript)]
        last = {n.id: n.lineno for n in names if isinstance(n, ast.Name) and _is_stored(n)}
        read = [n for n in names if isinstance(n, ast.Name) and not _is_stored(n)]
        is_filled = any(isinstance(n, ast.Subscript) and _is_stored(n) for n in names)
        if is_filled or any(n.lineno <= last.get(n.id, 0) for n in read):
            return True
    return False


def _is_stored(node: ast.Name | ast.Subscript | ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def _is_line(run: Run) -> bool:
    """Whether what is trained is one slope and one intercept."""
    sizes = [prod(p.shape) for p in run.judgement.facts.parameters]
    return 0 < len(sizes) <= 2 and all(size <= 2 for size in sizes)


def _computes(definition: ast.ClassDef) -> bool:
    """Whether a method returns what it has computed of its arguments, or computes what it sends back."""
    methods = [n for n in definition.body if isinstance(n, ast.FunctionDef) and own_names(n)]
    if any(isinstance(n, ast.BinOp) for m in methods if re.match(BACK, m.name) for n in ast.walk(m)):
        return True
    if any(names_gradients(m) or _steps(m) for m in methods):
        return True
    returned = [n.value for m in methods for n in ast.walk(m) if isinstance(n, ast.Return) and n.value is not None]
    return any(isinstance(n, ast.BinOp) for value in returned for n in ast.walk(value))


def written_into(source: str) -> Iterator[tuple[str, str, str, int]]:
    """For each argument that a function writes into: the text with a copy of it, both names, and the line."""
    lines = source.splitlines(keepends=True)
    for function in (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)):
        inside, first = list(ast.walk(function)), function.body[0]
        grown = [n.target for n in inside if isinstance(n, ast.AugAssign)]
        stored = [n for n in inside if isinstance(n, ast.Name | ast.Subscript) and _is_stored(n)]
        own = {n.id for n in stored if isinstance(n, ast.Name) and n not in grown}
        parts = [(n.value if isinstance(n, ast.Subscript) else n, n.lineno) for n in stored]
        places = {ast.unparse(n): line for n, line in parts}
        for argument in [a for a in own_names(function) if a in places and a not in own]:
            if first.lineno > function.lineno:
                copied = f"{' ' * first.col_offset}{argument} = {argument}.copy(); {lines[first.lineno - 1].lstrip()}"
                text = "".join([*lines[: first.lineno - 1], copied, *lines[first.lineno :]])
                yield text, function.name, argument, places[argument]


def _without(source: str, spared: Sequence[int]) -> str:
    """The text without the top-level statements that begin at these lines."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if node.lineno in spared:
            for k in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[k - 1] = ""
    return "\n".join(lines) + "\n"
