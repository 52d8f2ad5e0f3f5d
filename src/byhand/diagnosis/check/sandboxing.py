"""How a check runs somebody's code: its limits, and what it says of code that misbehaves."""

from __future__ import annotations

from byhand.diagnosis.sandbox import Limits, Outcome, missing

LIMITS = Limits(cpu_seconds=40, wall_seconds=300, memory_mb=1536, output_mb=16, disk_mb=100)
"""A wall for runaways: what is looked at is counted in turns of loops and recorded events."""


def how_it_ended(outcome: Outcome, limits: Limits, at: str = "") -> list[str]:
    """What the code did that it should not, one note each; `at` says where, in words."""
    where = f" ({at})" if at else ""
    told = {
        "out of cpu time": f"it used more than {limits.cpu_seconds} s of processor time and was stopped{where}",
        "out of time": f"it did not end in {limits.wall_seconds:.0f} s and was stopped{where}",
        "out of memory": f"it took more than {limits.memory_mb} MB of memory and was stopped{where}",
        "too many processes": f"it started process after process and was stopped{where}",
        "too much output": f"it printed without end and was stopped{where}",
        "too much disk": f"it filled the disk and was stopped{where}",
        "exited": f"it ended the whole program{where}",
        "killed": f"it crashed with signal {outcome.signal}{where}",
        "lost": f"the process that watches over it was killed{where}",
    }
    notes = [told[outcome.ended]] if outcome.ended in told else []
    if outcome.ended == "raised" and outcome.error is not None:
        notes.append(f"byhand could not look at all of it, by a fault of its own: {outcome.error.message[:200]}")
    if outcome.asked_for_input:
        notes.append("it asks for input(), and nobody is there to answer")
    if outcome.left_behind:
        notes.append(f"it left {outcome.left_behind} processes running; they were ended")
    if lacking := missing(outcome.walls):
        notes.append(lacking)
    return notes
