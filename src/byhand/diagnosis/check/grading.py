"""A whole class: each submission checked in its own limited process, the results in a table and on a page.

What has been checked is written down at once, so that nothing is lost when the program is killed; started again, it
goes on where it was.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from byhand import __version__
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.check.asked import BY_NUMBER
from byhand.diagnosis.check.file import check_file
from byhand.diagnosis.check.results import Report, title_of
from byhand.diagnosis.sandbox import SandboxError
from byhand.errors import ByhandError
from byhand.files import write_text


@dataclass(frozen=True)
class Submission:
    """One file of one student."""

    student: str
    path: Path


_Todo: TypeAlias = tuple[Submission, str]
_Done: TypeAlias = tuple[_Todo, dict[str, Any]]


def submissions(folder: Path) -> list[Submission]:
    """The notebooks and Python files below a folder.

    A file right in the folder is named after itself; in a subfolder (one a student, as nbgrader and Moodle lay
    them out) the student is the first folder's name.

    Raises
    ------
    ByhandError
        When there are none.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith((".", "__")) for part in inside.parts)
        if path.is_file() and path.suffix in (".py", ".ipynb") and not hidden:
            found.append(Submission(inside.parts[0] if len(inside.parts) > 1 else path.stem, path))
    if not found:
        raise ByhandError(f"there is no .py or .ipynb file in {folder}")
    return found


def grade(
    folder: Path, out: Path, *, jobs: int | None = None, on_each: Callable[[int, int], None] | None = None
) -> list[dict[str, Any]]:
    """Check every submission below `folder`; write `out` (CSV), and beside it a .json and an .html of its name.

    Parameters
    ----------
    folder : Path
        See `submissions`.
    out : Path
        The table. What is done so far is kept beside it, in a file ending in `.progress.jsonl`; a submission that
        is there and has not changed is not checked again.
    jobs : int, optional
        How many at a time; the number of processors by default.
    on_each : callable, optional
        Told after each submission how many are done, and how many there are.

    Returns
    -------
    list of dict
        A row each, in the order of the students' names.

    Raises
    ------
    ByhandError
        When there is nothing to check, or the results cannot be written.
    """
    every = submissions(folder)
    progress = out.with_name(f"{out.stem}.progress.jsonl")
    done = _read_progress(progress)
    rows = {}
    todo = []
    for submission in every:
        key = _key(folder, submission)
        if key in done:
            rows[submission.path] = done[key]
        else:
            todo.append((submission, key))
    if on_each:
        on_each(len(rows), len(every))
    try:
        with progress.open("a", encoding="utf-8") as kept:
            kept.write("\n" if done else "")  # a line may have been cut off in the middle
            for (submission, key), row in _check_all(folder, todo, jobs or os.cpu_count() or 1):
                rows[submission.path] = row
                kept.write(json.dumps({"key": key, "row": row}) + "\n")
                kept.flush()
                if on_each:
                    on_each(len(rows), len(every))
    except OSError as error:
        raise ByhandError(f"cannot write {progress}: {(error.strerror or str(error)).lower()}") from error
    ordered = [rows[submission.path] for submission in every]
    write_text(out, table(ordered))
    write_text(out.with_suffix(".json"), json.dumps(ordered, indent=1, ensure_ascii=False))
    write_text(out.with_suffix(".html"), page(ordered))
    return ordered


def _key(folder: Path, submission: Submission) -> str:
    digest = hashlib.sha256(submission.path.read_bytes()).hexdigest()
    return f"{__version__} {submission.path.relative_to(folder)} {digest}"


def _read_progress(path: Path) -> dict[str, dict[str, Any]]:
    done: dict[str, dict[str, Any]] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                record = json.loads(line)
                done[record["key"]] = record["row"]
            except (ValueError, KeyError, TypeError):
                continue  # the line that was being written when the program was killed
    return done


def _check_all(folder: Path, todo: list[_Todo], jobs: int) -> Iterator[_Done]:
    """Check them all; one that takes its process with it is tried once more, alone, and ends nothing else."""
    waiting = list(reversed(todo))
    while waiting:
        suspects: list[_Todo] = []
        yield from _check_in(_pool(min(jobs, len(waiting))), jobs, folder, waiting, suspects)
        for item in suspects:
            broken: list[_Todo] = []
            yield from _check_in(_pool(1), 1, folder, [item], broken)
            if broken:
                yield item, _failed(folder, item[0], "the process that judged it was killed")


def _pool(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_end_with_parent, initargs=(os.getpid(),))


def _check_in(
    pool: ProcessPoolExecutor, jobs: int, folder: Path, waiting: list[_Todo], suspects: list[_Todo]
) -> Iterator[_Done]:
    """Check what waits, a few at a time; if a process is killed, those that were being checked are the suspects."""
    running: dict[Future[dict[str, Any]], _Todo] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                item = waiting.pop()
                try:
                    running[pool.submit(_row, folder, item[0])] = item
                except BrokenProcessPool:  # before any of those that ran could say so
                    waiting.append(item)
                    break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                item = running.pop(future)
                try:
                    yield item, future.result()
                except BrokenProcessPool:
                    suspects.append(item)
            if suspects:
                suspects += running.values()
                return
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent(parent: int) -> None:
    """Leave no worker behind when the parent is killed outright."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _row(folder: Path, submission: Submission) -> dict[str, Any]:
    started = time.monotonic()
    if not submission.path.resolve().is_relative_to(_own_folder(folder, submission)):
        return _row_of(folder, submission, Report(submission.path.name, notes=["a link that leads out of its folder"]))
    try:
        report = check_file(submission.path)
    except SandboxError as error:
        return _failed(folder, submission, str(error))
    except ByhandError as error:
        report = Report(submission.path.name, notes=[str(error)])
    except Exception as error:  # whatever it is, it must not end the class
        return _failed(folder, submission, f"{type(error).__name__}: {error}"[:300])
    return _row_of(folder, submission, report, time.monotonic() - started)


def _own_folder(folder: Path, submission: Submission) -> Path:
    """What a submission may link to: a file of the same student's."""
    inside = submission.path.relative_to(folder).parts
    return folder.resolve() / inside[0]


def _failed(folder: Path, submission: Submission, what: str) -> dict[str, Any]:
    """A row for a file that byhand failed on, which says nothing against the student."""
    note = f"not judged, by a fault of byhand's own and not of this file; please look ({what})"
    return _row_of(folder, submission, Report(submission.path.name, notes=[note])) | {"failed": True}


def _row_of(folder: Path, submission: Submission, report: Report, seconds: float = 0.0) -> dict[str, Any]:
    marks = marks_of(report)
    return {
        "student": submission.student,
        "file": str(submission.path.relative_to(folder)),
        "outcome": report.outcome,
        "marks": marks,
        "total": round(sum(mark for mark in marks.values() if not isinstance(mark, str)), 2),
        "maximum": len(marks),
        "not judged": sum(mark == NOT_JUDGED for mark in marks.values()),
        "mistakes": [finding.id for finding in report.findings],
        "report": report.as_json(),
        "failed": False,
        "seconds": round(seconds, 2),
    }


NOT_DONE, NOT_JUDGED = "not done", "not judged"


def marks_of(report: Report) -> dict[str, float | str]:
    """A mark for each question of the practical that it has something of, by its number; at most 1.

    0 when something in it is wrong, else the share of it that is done; "not done"; or "not judged", when a person must
    look: because it could not be told, or because it follows from an earlier mistake.
    """
    by_part: dict[str, list[str]] = {}
    for question in report.questions:
        by_part.setdefault(question.part, []).append(question.status)
    marks: dict[str, float | str] = {}
    for part, statuses in by_part.items():
        right, undone = statuses.count("right"), statuses.count("not done yet")
        if "wrong" in statuses:
            marks[part] = 0.0
        elif "not judged" in statuses:
            marks[part] = NOT_JUDGED
        else:
            marks[part] = round(right / (right + undone), 2) if right else NOT_DONE
    return dict(sorted(marks.items(), key=lambda item: _order(item[0])))


def _order(part: str) -> tuple[bool, list[int], str]:
    """The practical's questions by their numbers, then everything else."""
    numbers = [int(number) for number in part.split(".") if number.isdigit()]
    return not numbers, numbers, part


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as CSV.

    Student, file, a column for each question, the total and what it could be at most, how many questions a person must
    look at, mistakes, notes.
    """
    parts = _parts(rows)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["student", "file", *parts, "total", "maximum", "not judged", "mistakes", "notes"])
    for row in rows:
        marks = [row["marks"].get(part) for part in parts]
        cells = [
            row["student"],
            row["file"],
            *marks,
            row["total"],
            row["maximum"],
            "please look" if row["failed"] else row["not judged"],
            "; ".join(row["mistakes"]),
            "; ".join(row["report"]["notes"]),
        ]
        writer.writerow([_harmless(cell) for cell in cells])
    return text.getvalue()


def _harmless(cell: object) -> object:
    """A student's folder may be called =HYPERLINK(…): a spreadsheet must not run it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def page(rows: list[dict[str, Any]]) -> str:
    """A page for the class: how far each question is, and which mistakes were made, how often and by whom."""
    counts = Counter(id_ for row in rows for id_ in set(row["mistakes"]))
    most = max(counts.values(), default=1)
    clean = sum(row["outcome"] == "right" for row in rows)
    open_ = sum(row["outcome"] == "not judged" for row in rows)
    title = f"{len(rows)} submissions: {clean} without a mistake"
    title += f", {open_} for you to look at" if open_ else ""
    common = f"; most often: {title_of(counts.most_common(1)[0][0])}" if counts else ""
    return _PAGE.format(
        title=html.escape(title + common),
        questions="\n".join(_question(part, rows) for part in _parts(rows)),
        entries="\n".join(_entry(id_, count, most, rows) for id_, count in counts.most_common())
        or "<p>No mistakes were found.</p>",
    )


def _parts(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({part for row in rows for part in row["marks"]}, key=_order)


def _question(part: str, rows: list[dict[str, Any]]) -> str:
    marks = [row["marks"].get(part) for row in rows]
    right, wrong, undone = marks.count(1.0), marks.count(0.0), marks.count(NOT_DONE)
    open_ = marks.count(NOT_JUDGED)
    partly = sum(isinstance(mark, float) for mark in marks) - right - wrong
    counts = (right, partly, wrong, undone, open_)
    name = BY_NUMBER[part].heading if part in BY_NUMBER else part
    bar = "".join(
        f'<i class="{kind}" style="width:{100 * count / len(rows):.1f}%"></i>'
        for kind, count in zip("rpwno", counts, strict=True)
    )
    cells = "".join(f"<td>{count or ''}</td>" for count in counts)
    return f'<tr><th scope="row">{html.escape(name)}</th><td class="bar">{bar}</td>{cells}</tr>'


def _entry(id_: str, count: int, most: int, rows: list[dict[str, Any]]) -> str:
    mistake = CATALOGUE.get(id_)
    why = f"<p>{html.escape(mistake.why)}</p><p><b>To mend it:</b> {html.escape(mistake.mend)}</p>" if mistake else ""
    where = "".join(_place(id_, row) for row in rows if id_ in row["mistakes"])
    share = f"{100 * count / len(rows):.0f} %"
    return (
        f'<details><summary><b>{count}</b><span>{share}</span><i style="width:{100 * count / most:.0f}%"></i>'
        f"<span>{html.escape(title_of(id_))} <code>{html.escape(id_)}</code></span></summary>"
        f"{why}<ul>{where}</ul></details>"
    )


def _place(id_: str, row: dict[str, Any]) -> str:
    found: dict[str, Any] = next((f for f in row["report"]["findings"] if f["id"] == id_), {})
    place = ", ".join(part for part in (found.get("cell"), found.get("line") and f"line {found['line']}") if part)
    source = f" <code>{html.escape(found['source'])}</code>" if found.get("source") else ""
    where = f" <small>({html.escape(place)})</small>{source}" if place else ""
    return f"<li>{html.escape(row['student'])}{where}</li>"


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; --rule: #8884; --blue: #0072b2; --sky: #56b4e9; --orange: #d55e00; }}
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }}
  h1 {{ font-size: 1.5em; line-height: 1.25; }}
  h2 {{ font-size: 1.15em; margin-top: 2.5em; }}
  table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
  th, td {{ border-bottom: 1px solid var(--rule); padding: .3em .6em; text-align: right; font-weight: normal; }}
  th:first-child {{ text-align: left; padding-left: 0; }}
  td.bar {{ width: 35%; text-align: left; font-size: 0; white-space: nowrap; }}
  td.bar i {{ display: inline-block; height: 14px; }}
  .r {{ background: var(--blue); }} .p {{ background: var(--sky); }}
  .n {{ background: #8883; }} .o {{ box-shadow: inset 0 0 0 1px currentColor; }}
  .w {{ background: repeating-linear-gradient(45deg, var(--orange) 0 4px, #fff 4px 6px); }}
  details {{ border-bottom: 1px solid var(--rule); padding: .4em 0; }}
  summary {{ cursor: pointer; display: grid; grid-template-columns: 2.5em 3.5em 10em 1fr; gap: .6em; }}
  summary {{ align-items: center; }}
  summary b, summary span:nth-child(2) {{ text-align: right; font-variant-numeric: tabular-nums; }}
  summary i {{ height: .8em; background: var(--blue); }}
  code, small {{ opacity: .75; }}
  details > p, details > ul {{ margin: .6em 0 .6em 7em; max-width: 42em; }}
  ul {{ columns: 24em; padding-left: 1.2em; }}
  @media (max-width: 40em) {{ summary {{ grid-template-columns: 2em 3em 1fr; }} summary i {{ display: none; }}
    details > p, details > ul {{ margin-left: 0; }} td.bar {{ display: none; }} }}
</style>
<h1>{title}</h1>
<h2>The questions</h2>
<table>
<tr><th>question</th><th></th><th>right</th><th>partly</th><th>wrong</th><th>not done</th><th>not judged</th></tr>
{questions}
</table>
<h2>The mistakes</h2>
<p>Each with the number of submissions in which it was found. Open one to see why it is wrong, and who made it.</p>
{entries}
</html>
"""
