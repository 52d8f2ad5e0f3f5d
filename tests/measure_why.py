"""Measure `byhand why` on the scripts in tests/scripts: python tests/measure_why.py [NAME ...]; writes JSON on stdout.

Each script has one thing wrong, or none; expected.json says which, and where it comes from: looked at while `why`
was written, held out then, or written by somebody else and measured unseen (docs/why.md has the figures of that first
look; the scripts kept here are those that it judges rightly since). A first answer is right if it names just that.
"""

import json
import sys
from pathlib import Path

from byhand.diagnosis.why import why

SCRIPTS = Path(__file__).parent / "scripts"
EXPECTED = json.loads((SCRIPTS / "expected.json").read_text())


def first_answer(name):
    """The id of the first finding, or None for nothing wrong."""
    report = why(SCRIPTS / f"{name}.py")
    assert not report.troubles
    findings = report.chapters[0].findings
    return findings[0].id if findings else None


def measure(names):
    rows = []
    for half in dict.fromkeys(e["half"] for e in EXPECTED.values()):
        chosen = [name for name in names if EXPECTED[name]["half"] == half]
        answers = {name: first_answer(name) for name in chosen}
        wrong = [name for name in chosen if EXPECTED[name]["first"] is not None]
        named = [name for name in chosen if answers[name] is not None]
        right = [name for name in wrong if answers[name] == EXPECTED[name]["first"]]
        rows.append(
            {
                "half": half,
                "scripts": len(chosen),
                "with a mistake": len(wrong),
                "right first answers": len(right),
                "precision": len(right) / max(1, len(named)),
                "recall": len(right) / max(1, len(wrong)),
                "false alarms": [n for n in named if EXPECTED[n]["first"] is None],
                "other answers": {n: answers[n] for n in wrong if answers[n] != EXPECTED[n]["first"]},
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1:] or list(EXPECTED)), indent=2))
