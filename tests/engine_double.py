"""In place of the tape and the judge, for tests of the story: Python's own errors for real, a judgement by the text."""

import contextlib
import io
import re
import traceback

import numpy as np

from byhand.diagnosis.findings import Place
from byhand.diagnosis.story.errors import ScriptError
from byhand.diagnosis.story.running import Run, helps


def error_of(source):
    """The error with which a script ends, its loops cut short; None when it ends without one."""
    short = re.sub(r"(?<=range\()\d{2,}(?=\))|(?<=epochs = )\d+", "3", source)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(short, "<script>", "exec"), {"__name__": "__main__"})
    except Exception as error:
        return script_error(error)
    return None


def script_error(error):
    frames = [f for f, _ in traceback.walk_tb(error.__traceback__) if f.f_code.co_filename == "<script>"]
    lines = [n for f, n in traceback.walk_tb(error.__traceback__) if f.f_code.co_filename == "<script>"]
    if not frames:
        return ScriptError(type(error).__name__, str(error), Place(error.lineno))
    values = {**frames[-1].f_globals, **frames[-1].f_locals}
    held = {k: np.shape(v) for k, v in values.items() if isinstance(v, np.ndarray | float | int)}
    function = frames[-1].f_code.co_name.replace("<module>", "")
    return ScriptError(type(error).__name__, str(error), Place(lines[-1]), function, held)


class Double:
    """`judge` maps a source to a Judgement; `runs` counts the runs that the story asked for."""

    def __init__(self, judge):
        self.judge, self.runs = judge, 0

    def run(self, program, seconds):
        self.runs += 1
        error = error_of(program.source)
        return Run(error=error) if error is not None else Run(self.judge(program.source))

    def first_that_helps(self, program, texts, file, finding, seconds, *, loop=None, others=False):
        before = self.judge(program.source)
        for number, text in enumerate(texts):
            if error_of(text) is None:
                after = Run(self.judge(text))
                if helps(before, after, finding, others=others):
                    return number, after
        return None
