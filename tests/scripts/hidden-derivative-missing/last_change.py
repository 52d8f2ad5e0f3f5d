# expected: hidden-derivative-missing line 25 or 32
"""Lists of numbers; each step has a share of the change before, which is kept beside the weights."""
import math
import random

random.seed(2)
pairs = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
n = 2
inner = [[random.uniform(-1, 1) for _ in range(n)] for _ in range(3)]
outer = [random.uniform(-1, 1) for _ in range(n)]
inner_change = [[0.0] * n for _ in range(3)]
outer_change = [0.0] * n
for epoch in range(300):
    error = 0.0
    for point, wanted in pairs:
        x = [*point, 1.0]
        hidden = []
        for j in range(n):
            total = 0.0
            for i in range(3):
                total += x[i] * inner[i][j]
            hidden.append(math.tanh(total))
        out = math.tanh(sum(hidden[j] * outer[j] for j in range(n)))
        delta = (wanted - out) * (1 - out**2)
        deltas = [delta * outer[j] for j in range(n)]
        for j in range(n):
            change = delta * hidden[j]
            outer[j] += 0.5 * change + 0.1 * outer_change[j]
            outer_change[j] = change
            for i in range(3):
                change = deltas[j] * x[i]
                inner[i][j] += 0.5 * change + 0.1 * inner_change[i][j]
                inner_change[i][j] = change
        error += 0.5 * (wanted - out) ** 2
    if epoch % 30 == 0:
        print(epoch, error)
