"""Measure `byhand why` on tests/scripts: python tests/measure_why.py [FOLDER ...]; writes JSON on stdout.

A script lies as tests/scripts/<mistake>/<style>.py and says in its first line what is to be found in it:
`# expected: sign-flipped line 20`, `… line 20 or 34` where either line may be named, `# expected: right`.
"""

import json
import re
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"


def scripts(*folders):
    return [p for p in sorted(SCRIPTS.glob("*/*.py")) if not folders or p.parent.name in folders]


def expected(path):
    """The id (None for a right script) and the lines of which one is to be named."""
    label = re.match(r"# expected: ([\w-]+)(?: line (.*))?\n", path.read_text())
    lines = [int(n) for n in re.findall(r"\d+", label.group(2) or "")]
    return (None if label.group(1) == "right" else label.group(1)), lines


def measure(paths):
    from byhand.diagnosis.story.telling import why

    rows = {"scripts": 0, "id right": 0, "line right": 0, "cleared": 0, "false alarms": [], "others": {}}
    for path in paths:
        wanted, lines = expected(path)
        report = why(path)
        first = report.told[0].finding if report.told else None
        rows["scripts"] += 1
        if wanted is None and report.outcome == "right":
            rows["cleared"] += 1
        elif wanted is None and first is not None:
            rows["false alarms"].append(f"{path.parent.name}/{path.name}")
        if first is not None and first.id == wanted:
            rows["id right"] += 1
            rows["line right"] += first.place.line in lines
        elif wanted is not None:
            rows["others"][f"{path.parent.name}/{path.name}"] = first.id if first else report.outcome
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(scripts(*sys.argv[1:])), indent=2))
