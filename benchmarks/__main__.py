"""How long the library takes beside others: `make bench`, or `python -m benchmarks [--rounds N] [CONTEST ...]`.

Every contestant runs in a process of its own, in turn, round after round, so that a machine that gets slower or
faster meanwhile does so for all; a ratio is the median over the rounds of ours divided by theirs in that round.
Beside its matrix products alone the large network has one thread, and what counts is the processor's time.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from byhand.files import write_text

HERE = Path(__file__).parent
N_THREADS = 2

# (contest, other contestant, quantity, ours is at most this many times theirs)
GOALS = [
    ("xor", "numpy", "seconds", 1.0),
    ("xor", "pytorch", "seconds", 1 / 8),
    ("digits", "scikit-learn", "seconds", 0.5),
    ("digits", "pytorch", "seconds", 0.1),
    ("large", "scikit-learn", "seconds", 0.35),
    ("large", "pytorch", "seconds", 0.7),
    ("large", "scikit-learn", "peak_MiB", 1.0),
    ("large", "pytorch", "peak_MiB", 1.0),
    ("floor", "products", "cpu_seconds", 1.35),
    ("floor", "products and Adam", "cpu_seconds", 1.35),
    ("floor", "scikit-learn", "cpu_seconds", 1.0),
    ("floor32", "products", "cpu_seconds", 1.35),
    ("floor32", "products and Adam", "cpu_seconds", 1.35),
    ("floor32", "scikit-learn", "cpu_seconds", 1.0),
    ("import", "numpy", "cpu_seconds", 1.2),
]
WORK = {
    "xor": "XOR 2-10-1, 10,000 full-batch epochs",
    "digits": "digits, 64 hidden, Adam, batch 32, 20 epochs",
    "large": "20,000 × 784, 256 hidden, Adam, batch 200, 3 epochs",
    "floor": "the same on one thread",
    "floor32": "the same on one thread, in float32",
    "import": "import, and use of Network and train",
}


def environment(n_threads):
    """What a contestant runs in: not the old kernel for OpenBLAS that some machines name, and with compiled files."""
    left_out = ("OPENBLAS_", "PYTHONDONTWRITEBYTECODE")
    names = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return names | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), str(n_threads))


def measure(contest, contestant):
    """One run of one contestant."""
    if contest == "import":
        start, started = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        used = {"byhand": "from byhand import Network, train"}  # `import byhand` alone loads nothing
        code = used.get(contestant, f"import {contestant}")
        subprocess.run([sys.executable, "-c", code], env=environment(N_THREADS), check=True)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_seconds = ended.ru_utime + ended.ru_stime - started.ru_utime - started.ru_stime
        return {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds, "peak_MiB": 0.0, "result": None}
    command = [sys.executable, HERE / "contestants.py", contest, contestant]
    n_threads = 1 if contest.startswith("floor") else N_THREADS
    run = subprocess.run(command, env=environment(n_threads), check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def compete(rounds, chosen):
    """The contests that were chosen: {contest: {contestant: [one measurement a round]}}."""
    contests = {}
    for contest in chosen:
        others = list(dict.fromkeys(other for of, other, _, _ in GOALS if of == contest))
        measured = {contestant: [] for contestant in ["byhand", *others]}
        for number in range(-1, rounds):  # the first round warms up
            for contestant, runs in measured.items():
                one = measure(contest, contestant)
                if number >= 0:
                    runs.append(one)
            print(f"{contest}: round {number + 1} of {rounds}", file=sys.stderr)
        contests[contest] = measured
    return contests


def ratios(contests):
    """One row a goal."""
    for contest, other, quantity, goal in GOALS:
        if contest not in contests:
            continue
        runs = contests[contest]
        paired = [ours[quantity] / theirs[quantity] for ours, theirs in zip(runs["byhand"], runs[other], strict=True)]
        yield {
            "contest": contest,
            "other": other,
            "quantity": quantity,
            "ours": statistics.median(run[quantity] for run in runs["byhand"]),
            "theirs": statistics.median(run[quantity] for run in runs[other]),
            "ratio": statistics.median(paired),
            "range": [min(paired), max(paired)],
            "goal": goal,
            "met": statistics.median(paired) <= goal,
        }


def machine():
    """Versions and the machine, for whoever compares."""
    packages = {}
    for package in ("byhand", "numpy", "scikit-learn", "torch"):
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = None
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor()
    return {"python": platform.python_version(), **packages, "processor": processor, "cores": os.cpu_count()}


def table(result):
    """The result as Markdown."""
    lines = [
        "| work | byhand against | quantity | byhand | other | ratio (range) | goal | |",
        "|---|---|---|--:|--:|--:|--:|---|",
    ]
    quantities = {
        "seconds": ("time", "{:.3g} s"),
        "cpu_seconds": ("processor time", "{:.3g} s"),
        "peak_MiB": ("peak memory", "{:.0f} MiB"),
    }
    for row in result["ratios"]:
        quantity, unit = quantities[row["quantity"]]
        lines.append(
            f"| {WORK[row['contest']]} | {row['other']} | {quantity} "
            f"| {unit.format(row['ours'])} | {unit.format(row['theirs'])} "
            f"| **{row['ratio']:.3f}** ({row['range'][0]:.3f} to {row['range'][1]:.3f}) "
            f"| ≤ {row['goal']:.3g} | {'met' if row['met'] else '**missed**'} |"
        )
    for contest in {"digits", "large"} & set(result["measurements"]):
        accuracies = {
            contestant: statistics.median(run["result"] for run in runs)
            for contestant, runs in result["measurements"][contest].items()
        }
        lines += ["", f"Test accuracy, {WORK[contest]}: " + ", ".join(f"{k} {v:.3f}" for k, v in accuracies.items())]
    lines += [
        "",
        f"{N_THREADS} threads each, where no other number is said. Measured with "
        + ", ".join(f"{k} {v}" for k, v in result["machine"].items())
        + ".",
    ]
    return "\n".join(lines)


def main():
    """Measure, print the table, and write it as text and JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("contests", nargs="*", metavar="CONTEST", help=f"of {', '.join(WORK)}; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("build"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    contests = compete(arguments.rounds, arguments.contests or list(WORK))
    result = {"machine": machine(), "ratios": list(ratios(contests)), "measurements": contests}
    write_text(arguments.out / "benchmarks.json", json.dumps(result, indent=1))
    write_text(arguments.out / "benchmarks.md", table(result) + "\n")
    print(table(result))


if __name__ == "__main__":
    main()
