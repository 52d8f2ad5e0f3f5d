"""`byhand why`: run a training script, say what happened and why, mend a copy, and say what happens then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from byhand.diagnosis import sandbox
from byhand.diagnosis.causes import causes
from byhand.diagnosis.causes.failure import is_dead
from byhand.diagnosis.recording import NOTHING, Recording
from byhand.diagnosis.why_evidence import Evidence
from byhand.diagnosis.why_mend import mend, with_seed
from byhand.diagnosis.why_network import find
from byhand.diagnosis.why_report import Chapter, Finding, Report, part
from byhand.errors import ByhandError

TIMEOUT = 120.0
MAX_CHAPTERS = 12
DATA = {".csv", ".npy", ".npz", ".txt", ".dat", ".json", ".tsv", ".py"}
MAX_SEEDS = 8
MAX_DATA = 50_000_000


def why(path: Path, *, timeout: float = TIMEOUT, progress: Callable[[str], object] = lambda text: None) -> Report:
    """Run the script, and find out.

    Parameters
    ----------
    path : Path
        A Python script that trains something in NumPy.
    timeout : float
        Seconds that the script may run; what it did until then is judged.
    progress : callable
        Told what is being done.

    Returns
    -------
    Report

    Raises
    ------
    ByhandError
        When the file cannot be read.
    """
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise ByhandError(f"cannot read {path}: {str(reason).lower()}") from error
    return _Story(path, source, timeout, progress).report()


@dataclass
class _Story:
    """The script and its mended copies, run after run, and what the clock says."""

    path: Path
    source: str
    timeout: float
    progress: Callable[[str], object]
    started: float = field(default_factory=time.monotonic)
    script_seconds: float = 0.0
    ran_through: bool = False
    chapters: list[Chapter] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    loop: int = 0  # the number of the training's loop, from 1

    def report(self) -> Report:
        """Run, judge, mend, and run again, while something is found, can be mended, and the time allows."""
        files = _files_beside(self.path)
        source, mended = self.source, ""
        understood = False
        while len(self.chapters) < MAX_CHAPTERS:
            self.progress("running the script" if not self.chapters else f"running a copy {mended}")
            recording, ended = record(source, files, self._seconds_for_a_run())
            if not self.ran_through:
                self.script_seconds = float(recording.info.get("seconds", 0.0))
                self.ran_through = recording.exception is None
            chapter = Chapter([], "", mended)
            self.chapters.append(chapter)
            with part("judging", self.troubles), np.errstate(all="ignore"):  # overflown numbers are what is looked for
                understood |= self._judge(recording, ended, chapter)
            if not chapter.findings or (self.ran_through and self._spent() > 3 * self.script_seconds + 3):
                break
            step = None
            with part("mending", self.troubles), np.errstate(all="ignore"):
                if chapter.findings[0].id in ("dead-relu-output", "dead-relu-hidden"):
                    step = self._living_seed(source, files)
                else:
                    step = _mend_first(source, chapter.findings, self.seen)
            if step is None:
                break
            source, mended = step
        _merge_repeats(self.chapters)
        understood |= any(c.findings for c in self.chapters)
        outcome = _outcome(self.chapters, understood)
        return Report(self.chapters, outcome, self.checked, self._spent(), self.script_seconds, self.troubles)

    def _living_seed(self, source: str, files: dict[str, bytes]) -> tuple[str, str] | None:
        """The script with the first other seed from which its units live, by runs that stop when they have shown it."""
        dead: list[int] = []
        for further in range(1, MAX_SEEDS + 1):
            other = with_seed(source, further)
            if other is None or self._spent() > 2 * self.script_seconds + 3.5:
                return None
            self.progress(f"trying the seed {other[1]}")
            recording, _ = record(other[0], files, min(self.timeout, self.script_seconds + 2), stop_at=self.loop)
            if recording.exception is None and not is_dead(Evidence(recording, find(recording))):
                also = ", ".join(map(str, dead))
                return other[0], f"with the seed {other[1]}" + (f" (with {also} it is dead, too)" if dead else "")
            dead.append(other[1])
        return None

    def _spent(self) -> float:
        return time.monotonic() - self.started

    def _seconds_for_a_run(self) -> float:
        if not self.ran_through:
            return self.timeout
        return min(self.timeout, max(1.5, 3 * self.script_seconds + 3 - self._spent()))

    def _judge(self, recording: Recording, ended: str, chapter: Chapter) -> bool:
        """Fill the chapter; whether steps of a training were judged."""
        chapter.happened = _ended(recording, ended) or "It ran to its end."
        evidence = Evidence.of(recording)
        self.loop = _loop_of(evidence)
        chapter.findings = causes(evidence, self.troubles)
        chapter.lines = {f.line: recording.line(f.line) for f in chapter.findings}
        chapter.happened = happened(evidence, ended)
        chapter.losses, chapter.loss_is = evidence.losses, evidence.loss_is
        chapter.trained = evidence.data is not None and evidence.trained
        self.checked = _checked(evidence)
        return bool(evidence.judgement.verdicts)


def _loop_of(e: Evidence) -> int:
    """The outermost loop round the forward passes, counted from 1; 0 if there is none."""
    loops = [k for p in e.passes[:3] for k in e.recording.vec(p.start)]
    return loops[0] + 1 if loops else 0


def record(
    source: str, files: dict[str, bytes], seconds: float, *, stop_at: int = 0, cpu_seconds: float = 0
) -> tuple[Recording, str]:
    """Run a script behind walls, writing down what it does; and how it ended.

    With `stop_at` it ends when that loop, counted from 1, has shown how it begins; with `cpu_seconds` after that much
    of the processor's time.
    """
    limits = sandbox.Limits(wall_seconds=2 * seconds + 40, cpu_seconds=int(seconds + 20) * 2)
    outcome = sandbox.run(
        "byhand.diagnosis.recording_child:job",
        {"path": "script.py", "seconds": seconds, "stop_at": stop_at, "cpu_seconds": cpu_seconds},
        {**files, "script.py": source.encode()},
        limits=limits,
    )
    message = next((m for m in outcome.messages if "recording" in m), None)
    if message is None:
        reason = f": {outcome.error.type}: {outcome.error.message}" if outcome.error else ""
        return Recording.of(source, {**NOTHING, "lost": outcome.ended + reason, "seconds": outcome.seconds}, {}), "lost"
    recording = Recording.of(source, message["recording"], message["columns"])
    ended = "out of time" if recording.info.get("timed_out") else outcome.ended
    return recording, ended


def _files_beside(path: Path) -> dict[str, bytes]:
    """Data files in the script's folder, which it may want to read."""
    files: dict[str, bytes] = {}
    text = path.read_text(encoding="utf-8-sig")
    total = 0
    for other in sorted(path.resolve().parent.iterdir()):
        wanted = (
            other.name in text
            or (other.suffix == ".py" and f"import {other.stem}" in text)
            or f"from {other.stem} import" in text
        )
        if other.suffix in DATA and other.is_file() and wanted and other.name != path.name:
            size = other.stat().st_size
            if total + size <= MAX_DATA:
                files[other.name] = other.read_bytes()
                total += size
    return files


def _mend_first(source: str, findings: list[Finding], seen: list[str]) -> tuple[str, str] | None:
    """Mend the first finding, if its mending is a change of text."""
    first = findings[0]
    if len(seen) > 10:
        return None
    seen.append(first.id)
    step = mend(source, first)
    return step if step is not None and step[0] != source else None


def _merge_repeats(chapters: list[Chapter]) -> None:
    """One chapter where the same mistake comes to light line after line."""
    k = 1
    while k < len(chapters):
        before, now = chapters[k - 1], chapters[k]
        same = before.findings and now.findings and before.findings[0].id == now.findings[0].id
        if same:
            if now.findings[0].line != before.findings[0].line:
                before.findings[0].evidence.setdefault("also_at", []).append(now.findings[0].line)
            before.lines |= now.lines
            before.repeats += 1
            # what the next chapter was mended with belongs to this one as well
            if k + 1 < len(chapters):
                chapters[k + 1].mended = _joined(now.mended, chapters[k + 1].mended)
            del chapters[k]
            continue
        k += 1


def _joined(before: str, now: str) -> str:
    """Two mendings as one: several lines are listed."""
    if (
        " in line " in before
        and " in line " in now
        and before.split(" in line ")[0].split(" in lines ")[0] == now.split(" in line ")[0]
    ):
        return f"{before.replace(' in line ', ' in lines ')}, {now.rsplit(' ', 1)[-1]}"
    if " in lines " in before and before.split(" in lines ")[0] == now.split(" in line ")[0]:
        return f"{before}, {now.rsplit(' ', 1)[-1]}"
    return f"{before}, and {now.removeprefix('with ')}"


def _ended(r: Recording, ended: str) -> str:
    """How the run ended, if not by itself."""
    error = r.exception
    if error is not None:
        line = error["frames"][-1]["line"] if error["frames"] else 0
        return f"It stops at line {line} with {error['type']}: {error['message']}."
    if r.info.get("lost"):
        return f"Its process was stopped ({r.info['lost']}), and what it had done until then is lost."
    if ended == "out of time":
        return f"It was stopped after {r.info.get('seconds', 0):.0f} s; what it had done by then is judged."
    return ""


def happened(e: Evidence, ended: str) -> str:
    """What the script did, in numbers."""
    r = e.recording
    parts = [text] if (text := _ended(r, ended)) else []
    if e.found.forwards and e.data is not None:
        x, _y = e.data
        layers = " → ".join(
            [str(x.shape[1]), *(f"{len(W)} ({name})" for W, name in zip(e.start.W, e.activations, strict=True))]
        )
        parts.append(f"It trains a network {layers} on {len(x)} samples.")
        if e.n_steps:
            parts.append(f"{e.n_steps:,} steps.".replace(",", " "))
    losses = e.losses
    if losses:
        parts.append(f"The loss it computes went from {losses[0]:.4g} to {losses[-1]:.4g}.")
    if e.found.forwards and e.data is not None and r.exception is None:
        y_hat = e.outputs(e.final, e.data[0])[1][-1]
        right = e.accuracy(y_hat, e.data[1])
        parts.append(
            f"Recomputed, the loss per sample at the end is {e.final_loss:.4g}; the best constant prediction "
            f"would cost "
            f"{e.best_constant:.4g}."
        )
        if right is not None:
            parts.append(f"{right:.0%} of the samples are on the right side.")
    return " ".join(parts) or "It ran to its end."


def _checked(e: Evidence) -> list[str]:
    """What was looked at and in order, for the answer `nothing wrong found`."""
    checked = []
    if e.judgement.verdicts:
        names = ", ".join(dict.fromkeys(e.found.names.values()))
        right = sum(1 for v in e.judgement.verdicts if not v.ids)
        checked.append(
            f"{right} of {len(e.judgement.verdicts) + len(e.judgement.unexplained)} steps of {names} against "
            f"the gradient "
            "(to a relative 1e-6)"
        )
    if e.found.forwards:
        checked.append(
            "shapes of the errors, types of the parameters, pairs of inputs and targets, the data's constancy"
        )
        checked.append("dead, saturated and identical units, the range of the targets, the initial weights' size")
    if e.losses:
        checked.append(f"the course of the loss ({len(e.losses)} values)")
    return checked


def _outcome(chapters: list[Chapter], understood: bool) -> str:
    if not understood:
        return "not understood"
    first, last = chapters[0], chapters[-1]
    if not first.findings:
        return "nothing wrong found"
    if first.trained:
        return "trains in spite of it"
    if len(chapters) > 1 and last.trained:
        return "trains once mended"
    if first.findings[0].experiment is not None and first.findings[0].experiment.cured:
        return "would train once mended"
    return "does not train"


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON holds it; numbers that are none are null."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(k): clean(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [clean(v) for v in value]
        if isinstance(value, float | np.floating):
            return float(value) if np.isfinite(value) else None
        if isinstance(value, np.integer):
            return int(value)
        return value

    def finding(f: Finding, chapter: int) -> dict[str, Any]:
        result: dict[str, Any] = {
            "id": f.id,
            "line": f.line,
            "evidence": clean(f.evidence),
            "confidence": round(f.confidence, 3),
            "message": f.message,
            "chapter": chapter,
        }
        if f.experiment is not None:
            x = f.experiment
            result["experiment"] = clean({"what": x.what, "before": x.before, "after": x.after, "cured": x.cured})
        return result

    return {
        "outcome": report.outcome,
        "findings": [finding(f, k) for k, c in enumerate(report.chapters) for f in c.findings],
        "chapters": [{"mended": c.mended, "happened": c.happened, "trained": c.trained} for c in report.chapters],
        "checked": report.checked,
        "seconds": round(report.seconds, 3),
        "script_seconds": round(report.script_seconds, 3),
        "could_not_be_judged": report.troubles,
    }
