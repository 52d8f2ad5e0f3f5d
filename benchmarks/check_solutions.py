"""Judge every student solution of the test set; print and document how often `byhand check` was right.

    python benchmarks/check_solutions.py [--write docs/check.md]

A wrong solution counts as named when the first finding has its id. A right one is a false alarm when anything at
all is found in it. The half that was held out (by style) was looked at only to be measured.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from byhand.diagnosis.check.free import check_free
from byhand.diagnosis.story.program import Program
from solutions_table import HELD_OUT, solutions

BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def judge(item):
    name, what, source = item
    started = time.monotonic()
    report = check_free(Program("solution.py", source))
    return name, what, [finding.id for finding in report.findings], report.outcome, time.monotonic() - started


def main() -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(judge, solutions()))
    lines = [
        "| | right ones | false alarms | wrong ones | named first | named at all | called wrong |",
        "|---|" + "---:|" * 6,
    ]
    for title, half in (("developed on", False), ("held out", True)):
        chosen = [r for r in results if (r[0].split("/")[0] in HELD_OUT) == half]
        right = [r for r in chosen if r[1] == "right"]
        wrong = [r for r in chosen if r[1] != "right"]
        alarms = sum(outcome == "wrong" for _, _, _, outcome, _ in right)
        first = sum(ids[:1] == [what] for _, what, ids, _, _ in wrong)
        at_all = sum(what in ids for _, what, ids, _, _ in wrong)
        called = sum(bool(ids) for _, _, ids, _, _ in wrong)
        lines.append(f"| {title} | {len(right)} | {alarms} | {len(wrong)} | {first} | {at_all} | {called} |")
    by_id = defaultdict(lambda: [0, 0, 0])  # made, named first, named first where it was not made
    for _, what, ids, _, _ in results:
        by_id[what][0] += 1
        by_id[what][1] += ids[:1] == [what]
        if ids and ids[0] != what:
            by_id[ids[0]][2] += 1
    lines += ["", "| mistake | made | recall | precision |", "|---|---:|---:|---:|"]
    for id_, (made, named, falsely) in sorted(by_id.items()):
        if id_ != "right":
            precision = f"{100 * named / (named + falsely):.0f} %" if named + falsely else "–"
            lines.append(f"| `{id_}` | {made} | {f'{100 * named / made:.0f} %' if made else '–'} | {precision} |")
    text = "\n".join(lines) + "\n"
    print(text)
    for name, what, ids, _, _ in results:
        if (what == "right" and ids) or (what != "right" and ids[:1] != [what]):
            print(f"not as it is: {name}: {', '.join(ids) or 'nothing found'}", file=sys.stderr)
    seconds = sorted(r[4] for r in results)
    print(f"seconds: median {seconds[len(seconds) // 2]:.1f}, longest {seconds[-1]:.1f}", file=sys.stderr)
    if "--write" in sys.argv:
        path = Path(sys.argv[sys.argv.index("--write") + 1])
        page = path.read_text(encoding="utf-8")
        head, _, rest = page.partition(BEGIN)
        path.write_text(head + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
