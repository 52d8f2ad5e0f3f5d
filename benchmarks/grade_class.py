"""Grade a class of many submissions, one in twenty hostile; every mark must be right and no process may be left.

python benchmarks/grade_class.py [number of submissions, 1000 by default]
"""

from __future__ import annotations

import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from byhand.diagnosis.grading import grade
from solutions_table import solutions

HOSTILE = (
    "while True: pass",
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "import os\nwhile True: os.fork()",
    "hoard = []\nwhile True: hoard.append(bytearray(10**8))",
    "while True: print('x' * 10000)",
    "input()",
    "import sys; sys.exit(0)",
    "import os; os._exit(0)",
    "import shutil; shutil.rmtree('.', ignore_errors=True)",
    "np.exp = np.dot = None",
    "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)",
)


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    known = {name: source for name, what, source in solutions() if name in CLEAR}
    names, hostile = cycle(known), cycle(HOSTILE)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "class")
        folder.mkdir()
        for k, name in enumerate(islice(names, number)):
            source = known[name] + (f"\n{next(hostile)}\n" if k % 20 == 19 else "")
            Path(folder, f"{k:04}-{name.replace('/', '.')}.py").write_text(source, encoding="utf-8")
        started = time.monotonic()
        rows = grade(folder, Path(temporary, "grades.csv"), on_each=progress)
        seconds = time.monotonic() - started
    marks: dict[str, set[str]] = {}
    for row in rows:
        marks.setdefault(row["student"].partition("-")[2], set()).add(str((row["marks"], row["mistakes"])))
    left = [p for p in Path("/proc").glob("[0-9]*/environ") if b"BYHAND_SANDBOX=" in readable(p)]
    time.sleep(10)  # somebody else's sandbox on this machine has ended by then
    left = [p for p in left if b"BYHAND_SANDBOX=" in readable(p)]
    differing = [name for name, found in marks.items() if len(found) > 1]
    print(f"{number} submissions in {seconds:.0f} s ({seconds / number:.2f} s each)")
    print(f"same marks with and without hostile lines: {len(marks) - len(differing)} of {len(marks)} solutions")
    for name in differing:
        print(f"  differs: {name}")
    print(f"processes left: {len(left)}")
    sys.exit(bool(differing or left))


CLEAR = {
    "batch_globals/right",
    "batch_globals/10-hidden-derivative-missing",
    "class_network/right",
    "columns_dict/right",
    "inline_loop/5-hidden-error-raw",
    "inline_loop/right",
    "line/3-sign-flipped",
    "line/right",
}


def progress(done: int, total: int) -> None:
    if done % 50 == 0:
        print(f"{done} of {total}", file=sys.stderr)


def readable(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
