"""A script run behind walls, with what its names held written down: what `check` looks at a student's training with."""

from __future__ import annotations

from byhand.diagnosis import sandbox
from byhand.diagnosis.recording import NOTHING, Recording


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
