# expected: target-outside-range line 17
"""The classes are called -1 and 1, and the delta is that of the cross-entropy for 0 and 1."""
import math
import random

random.seed(1)
rows = []
for _ in range(120):
    side = random.choice([-1, 1])
    rows.append(([random.gauss(side, 1.0), random.gauss(0.4 * side, 1.0)], side))
w, b = [0.0, 0.0], 0.0
for epoch in range(12):
    random.shuffle(rows)
    for x, side in rows:
        z = w[0] * x[0] + w[1] * x[1] + b
        p = 1 / (1 + math.exp(-z))
        delta = p - side
        w = [w[0] - 0.02 * delta * x[0], w[1] - 0.02 * delta * x[1]]
        b -= 0.02 * delta
print(w, b, sum((w[0] * x[0] + w[1] * x[1] + b > 0) == (side > 0) for x, side in rows))
