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

from byhand.diagnosis.check.grading import grade
from solutions_table import solutions

HOSTILE = (
    "while True: pass",
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "import os\nfor _ in range(1000): os.fork()",
    "hoard = []\nfor _ in range(300): hoard.append(bytearray(10**8))",
    "while True: print('x' * 10000)",
    "input()",
    "import sys; sys.exit(0)",
    "import os; os._exit(0)",
    "import shutil; shutil.rmtree('.', ignore_errors=True)",
    "np.exp = np.dot = None",
    "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)",
    "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(1000)\n    os._exit(0)",
    "import signal, time\nfor s in (1, 2, 14, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: time.sleep(1)",
    "import threading, time\nfor _ in range(5): threading.Thread(target=time.sleep, args=(1000,)).start()",
    "import os, signal; os.killpg(0, signal.SIGKILL)",
    "import builtins; builtins.print = builtins.len = builtins.isinstance = None",
    "f = open('big', 'wb')\nfor _ in range(3000): f.write(bytes(10**6))",
    "import os; os.closerange(0, 100)",
    "import ctypes; ctypes.string_at(0)",
    "import sys\nfor _ in range(10**7): sys.stderr.write('x' * 10000)",
    "import sys; sys.modules.clear()",
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
    right = 0
    for row in rows:
        name = row["student"].partition("-")[2]
        marks.setdefault(name, set()).add(str((row["marks"], row["mistakes"])))
        right += row["mistakes"][:1] == EXPECTED[name]
    left = [p for p in Path("/proc").glob("[0-9]*/environ") if b"BYHAND_SANDBOX=" in readable(p)]
    time.sleep(10)  # somebody else's sandbox on this machine has ended by then
    left = [p for p in left if b"BYHAND_SANDBOX=" in readable(p)]
    differing = [name for name, found in marks.items() if len(found) > 1]
    print(f"{number} submissions in {seconds:.0f} s ({seconds / number:.2f} s each)")
    print(f"marks right: {right} of {len(rows)}, wrong: {len(rows) - right}")
    print(f"same marks with and without hostile lines: {len(marks) - len(differing)} of {len(marks)} solutions")
    for name in differing:
        print(f"  differs: {name}")
    print(f"processes left: {len(left)}")
    sys.exit(bool(differing or left or right < len(rows)))


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


EXPECTED = {name.replace("/", "."): [] if what == "right" else [what] for name, what, _ in solutions() if name in CLEAR}
"""What is found first in each of them."""


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
