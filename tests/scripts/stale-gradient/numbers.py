# expected: stale-gradient line 9 or 10
import random

random.seed(6)
hours = [random.uniform(-1.5, 1.5) for _ in range(50)]
marks = [2.2 * h - 1.1 + random.gauss(0, 0.3) for h in hours]
gain = 0.0
start = 0.0
of_gain = 0.0
of_start = 0.0
for turn in range(60):
    total = 0.0
    for h, mark in zip(hours, marks):
        off = gain * h + start - mark
        total += off**2
        of_gain += 2 * off * h
        of_start += 2 * off
    gain -= 0.1 * of_gain / len(hours)
    start -= 0.1 * of_start / len(hours)
    if turn % 10 == 0:
        print(turn, total / len(hours))
