"""The story: run the script, mend what was found, run the copy, until nothing more is found or can be mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from byhand.diagnosis.findings import Facts, Finding, Place
from byhand.diagnosis.story import errors, rewriting, running
from byhand.diagnosis.story.program import Change, Program, changes, lines_of_origin, read
from byhand.diagnosis.story.report import Chapter, Mending, Report, Told, happened
from byhand.diagnosis.story.running import Run, TrainingLoop

TIMEOUT = 600.0
"""Seconds after which a script is taken for a runaway; no answer depends on it otherwise."""
MOST_ERRORS = 20
"""Python errors that are mended, one after the other."""
MOST_CHAPTERS = 5
"""Copies that are told of, beyond those that only mend an error."""
SEEDS = 12
"""Other seeds that are tried when an output is dead."""
GUESSES = {**rewriting.GUESSES, **errors.MENDINGS}


def why(path: Path, *, timeout: float = TIMEOUT, progress: Callable[[str], object] = lambda text: None) -> Report:
    """Run the script, and find out.

    Parameters
    ----------
    path : Path
        A script, a notebook, or a folder with one, that trains something in NumPy.
    timeout : float
        Seconds after which the script is taken for a runaway and stopped.
    progress : callable
        Told what is being done.

    Returns
    -------
    Report

    Raises
    ------
    ByhandError
        When there is nothing there that can be read.
    """
    return _Story(read(path), timeout, progress).report()


_OVERWRITTEN = (
    "What was here before is lost with each new part of the gradient. Where they are added up, every step is "
)
_OVERWRITTEN += "the gradient."


@dataclass
class _Story:
    """The script, its copy as mended so far, and the chapters that were told."""

    program: Program
    timeout: float
    progress: Callable[[str], object]
    chapters: list[Chapter] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    latest: tuple[Program, Run] | None = None

    def report(self) -> Report:
        """Chapter by chapter."""
        copy, mended = self.program, ""
        while len(self.chapters) < MOST_CHAPTERS + MOST_ERRORS:
            told_before = len(self.chapters)
            step = self._chapter(copy, mended)
            if step is None or len(self.chapters) == told_before:
                break
            copy, mended = step
        return Report(self.program, self.chapters, self.notes)

    def _chapter(self, copy: Program, mended: str) -> tuple[Program, str] | None:
        """One run, told; and the copy that the next one is of, if something could be mended."""
        run = self._run(copy)
        if run.error is not None:
            return self._stopped(copy, mended, run.error)
        findings = [self._at_home(copy, f) for f in run.judgement.findings]
        facts = self._facts(copy, run.judgement.facts)
        chapter = Chapter(mended, run.judgement.verdict, happened(self.program, facts), facts=facts)
        if run.ended != "finished":
            chapter.happened.append(f"The run was stopped before its end ({run.ended}).")
        chapter.told = [Told(f) for f in findings if not self._was_told(f)]
        self.chapters.append(chapter)
        for dead in [f for f in run.judgement.findings if f.id == "dead-relu-output"]:
            self._mend(copy, copy, dead, chapter, others=True)  # told, but what else is wrong shows best as it is
            return self._living_seed(copy, dead)
        after = copy
        for guess in run.judgement.guesses:
            proved = self._mend(copy, copy, guess, chapter)
            if proved != copy:
                found = self._changes(copy, proved)
                chapter.told = [Told(self._at_home(copy, guess), Mending(found))]
                return proved, _in_words(found)
        for finding in run.judgement.findings:
            after = self._mend(after, copy, finding, chapter)
        after = self._another_line(copy, run, chapter, after) or after
        return None if after == copy else (after, _in_words(self._changes(copy, after)))

    def _run(self, program: Program) -> Run:
        """Run it, unless that was just done; what cannot even be read is not run."""
        if self.latest is None or self.latest[0] != program:
            is_copy = program != self.program
            self.progress("running a mended copy" if is_copy else "running the script")
            unreadable = errors.syntax_error(program)
            run = running.run(program, self.timeout) if unreadable is None else Run(error=unreadable)
            self.latest = program, run
        return self.latest[1]

    def _loop(self, copy: Program) -> TrainingLoop | None:
        """The training loop of the last whole run, at its line in a copy."""
        if self.latest is None or (loop := self.latest[1].loop) is None:
            return None
        origin = lines_of_origin(self.latest[0].source, copy.source)
        line = next((new for new, old in origin.items() if old == loop.line), 0)
        return replace(loop, line=line) if line else None

    # ---- Python errors

    def _stopped(self, copy: Program, mended: str, error: errors.ScriptError) -> tuple[Program, str] | None:
        """A chapter of Python errors: all of one kind, line after line."""
        home = self._place(copy, error.place)
        at = self.program.where(home.line, home.file) if home.line else "a line that was added"
        chapter = Chapter(mended, "stopped", [f"It stops at {at} with {error.type}: {error.message.rstrip('.')}."])
        self.chapters.append(chapter)
        after = copy
        following: errors.ScriptError | None = error
        while following is not None and len(chapter.told) < MOST_ERRORS:
            finding = errors.explain(following, after, self._where(after, following.place.file))
            told = Told(self._at_home(after, finding))
            alike = [t.finding for t in chapter.told]
            if alike and (finding.id != alike[0].id or told.finding.place in [f.place for f in alike]):
                break
            chapter.told.append(told)
            file = finding.place.file
            texts = rewriting.rewritings(after.text(file), finding, GUESSES.get(finding.id, ()))
            if not texts:
                break
            changed = after.with_text(texts[0], file)
            told.mending = Mending(self._changes(after, changed), was_judged=False)
            after = changed
            following = self._run(after).error
        return None if after == copy else (after, _in_words(self._changes(copy, after)))

    def _where(self, copy: Program, file: str) -> Callable[[int], str]:
        """Says a line of a copy as the line of the student's own that it is."""
        origin = lines_of_origin(self.program.text(file), copy.text(file))
        return lambda line: self.program.where(origin.get(line, line), file)

    # ---- mistakes

    def _mend(
        self, after: Program, before: Program, finding: Finding, chapter: Chapter, *, others: bool = False
    ) -> Program:
        """The copy with one more finding mended, if a rewritten line is found whose run no longer has it."""
        file = finding.place.file
        moved = {old: new for new, old in lines_of_origin(before.text(file), after.text(file)).items()}
        if finding.place.line not in moved or "exchanged" in finding.evidence:  # that shows where a loss is, alone
            return after
        there = replace(
            finding,
            place=Place(moved[finding.place.line], file),
            also=[Place(moved.get(p.line, 0), p.file) for p in finding.also],
        )
        texts = rewriting.rewritings(after.text(file), there, GUESSES.get(finding.id, ()))
        if not texts:
            return after
        self.progress(f"trying other lines for {self.program.where(finding.place.line, file)}")
        loop = self._loop(after) if finding.certainty == "exact" else None  # a symptom shows in a whole run only
        helped = running.first_that_helps(after, texts, file, there, self.timeout, loop=loop, others=others)
        if helped is None:
            return after
        mended = after.with_text(texts[helped[0]], file)
        if loop is None:
            self.latest = mended, helped[1]
        home = self._at_home(before, finding)
        for told in chapter.told:
            if (told.finding.id, told.finding.place) == (home.id, home.place):
                told.mending = Mending(self._changes(after, mended))
        return mended

    def _another_line(self, copy: Program, run: Run, chapter: Chapter, after: Program) -> Program | None:
        """The copy with one line put otherwise after which every step is right: where the mistake is told then.

        It is looked for when a wrong step's own line could not be mended, or several could. What makes up in one line
        for what several have too many is none: these are left as they were mended, in `after`.
        """
        odd = [
            self._at_home(copy, f) for f in run.judgement.findings if f.is_of_steps and "exchanged" not in f.evidence
        ]
        told = [t for t in chapter.told if t.finding in odd]
        is_mended = all(t.mending is not None for t in told)
        if is_mended and not any(t.finding.also for t in told):
            return None
        self.progress("trying what these lines are made of")
        most = running.FEW_TRIED if is_mended else running.MOST_TRIED
        found = running.another_line(copy, run.judgement, self.timeout, most, elsewhere=is_mended)
        if found is None:
            return None
        mended, place, whole = found
        if is_mended and after.size < copy.size < mended.size:
            return None
        self.latest = mended, whole
        is_sum = mended.line(place.line, place.file).replace("+=", "=", 1) == copy.line(place.line, place.file)
        finding = replace(told[0].finding, place=self._place(copy, place), also=[])
        told[0].finding = replace(finding, id="gradient-overwritten", message=_OVERWRITTEN) if is_sum else finding
        told[0].mending = Mending(self._changes(copy, mended))
        chapter.told = [t for t in chapter.told if t is told[0] or t not in told]
        return mended

    def _living_seed(self, copy: Program, finding: Finding) -> tuple[Program, str] | None:
        """The copy with the first other seed from which its output lives."""
        tried = [step for k in range(1, SEEDS + 1) if (step := errors.with_seed(copy.source, k)) is not None]
        if not tried:
            return None
        self.progress("trying other seeds")
        texts = [text for text, _ in tried]
        helped = running.first_that_helps(copy, texts, "", finding, self.timeout, loop=self._loop(copy), others=True)
        if helped is None:
            seeds = ", ".join(str(seed) for _, seed in tried)
            self.notes.append(f"The output is dead from the seeds {seeds}, too.")
            return None
        text, seed = tried[helped[0]]
        dead = ", ".join(str(s) for _, s in tried[: helped[0]])
        return copy.with_text(text), f"with the seed {seed}" + (f" (with {dead} it is dead, too)" if dead else "")

    # ---- places in the student's own text

    def _was_told(self, finding: Finding) -> bool:
        key = (finding.id, finding.place)
        return any((t.finding.id, t.finding.place) == key for c in self.chapters for t in c.told)

    def _place(self, copy: Program, place: Place) -> Place:
        origin = lines_of_origin(self.program.text(place.file), copy.text(place.file))
        return Place(origin.get(place.line, 0), place.file)

    def _at_home(self, copy: Program, finding: Finding) -> Finding:
        also = [self._place(copy, p) for p in finding.also]
        return replace(finding, place=self._place(copy, finding.place), also=[p for p in also if p.line])

    def _facts(self, copy: Program, facts: Facts) -> Facts:
        place = facts.objective_place
        others = [self._facts(copy, other) for other in facts.others]
        return replace(facts, objective_place=None if place is None else self._place(copy, place), others=others)

    def _changes(self, before: Program, after: Program) -> list[Change]:
        """What was changed, at the lines of the student's own text, which stand there as he wrote them."""
        found = []
        for file in ["", *after.files]:
            if before.text(file) == after.text(file):
                continue
            origin = lines_of_origin(self.program.text(file), before.text(file))
            for change in changes(before.text(file), after.text(file)):
                line, own = _at_or_below(origin, change.line), change.before
                if own is not None and change.line in origin:
                    own = self.program.line(origin[change.line], file)
                moved = _at_or_below(origin, change.moved_before)
                found.append(Change(line, own, change.after, moved))
        return found


def _at_or_below(origin: dict[int, int], line: int) -> int:
    return next((origin[n] for n in range(line, max(origin, default=0) + 1) if line and n in origin), 0)


def _in_words(found: list[Change]) -> str:
    """What was mended, in words: with line 3 rewritten, with `import numpy as np` at the top."""
    said = []
    for what, lines in (
        ("moved", [c.line for c in found if c.moved_before]),
        ("taken out", [c.line for c in found if c.after is None and (c.before or "").strip()]),
        ("rewritten", [c.line for c in found if None not in (c.before, c.after) and not c.moved_before]),
    ):
        if lines:
            said.append(f"{_lines(sorted(set(lines)))} {what}")
    new = [c.after.strip() for c in found if c.before is None and c.after and c.after.strip()]
    if new:
        said.append(" and ".join(f"`{line}`" for line in new) + " added")
    return "with " + ", ".join(said) if said else "mended"


def _lines(numbers: list[int]) -> str:
    return f"line {numbers[0]}" if len(numbers) == 1 else f"lines {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
