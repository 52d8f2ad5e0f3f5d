# expected: right
"""A unit with a threshold, learned from its own mistakes: lists of numbers."""
import random

random.seed(11)
points = [[random.uniform(-1, 1), random.uniform(-1, 1)] for _ in range(10)]
labels = [1 if x - 0.5 * y > 0.1 else 0 for x, y in points]


def answer(weights, point):
    total = weights[0]
    for w, x in zip(weights[1:], point):
        total += w * x
    if total >= 0:
        return 1
    return 0


weights = [0.0, 0.1, -0.2]
for epoch in range(8):
    wrong = 0
    for point, label in zip(points, labels):
        error = label - answer(weights, point)
        wrong += abs(error)
        weights[0] += 0.1 * error
        for i, x in enumerate(point):
            weights[i + 1] += 0.1 * error * x
    print(epoch, wrong)
