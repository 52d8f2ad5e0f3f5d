# expected: right
"""Layers in lists, one sample at a time, the gradients of a batch summed up in new lists."""
import random

import numpy as np


def squash(z):
    return 1.0 / (1.0 + np.exp(-z))


class Net:
    def __init__(self, sizes):
        self.weights = [np.random.randn(m, n) / np.sqrt(n) for n, m in zip(sizes, sizes[1:])]
        self.levels = [np.zeros((m, 1)) for m in sizes[1:]]

    def learn(self, pairs, rounds, many, rate):
        for _ in range(rounds):
            random.shuffle(pairs)
            for batch in [pairs[k:k + many] for k in range(0, len(pairs), many)]:
                self.step(batch, rate)

    def step(self, batch, rate):
        sum_b, sum_w = [np.zeros(b.shape) for b in self.levels], [np.zeros(w.shape) for w in self.weights]
        for x, y in batch:
            own_b, own_w = self.slopes(x, y)
            sum_b = [total + own for total, own in zip(sum_b, own_b)]
            sum_w = [total + own for total, own in zip(sum_w, own_w)]
        self.weights = [w - rate / len(batch) * g for w, g in zip(self.weights, sum_w)]
        self.levels = [b - rate / len(batch) * g for b, g in zip(self.levels, sum_b)]

    def slopes(self, x, y):
        outs = [x]
        for w, b in zip(self.weights, self.levels):
            outs.append(squash(w @ outs[-1] + b))
        delta = (outs[-1] - y) * outs[-1] * (1 - outs[-1])
        by_b, by_w = [delta], [delta @ outs[-2].T]
        for k in range(2, len(outs)):
            delta = self.weights[-k + 1].T @ delta * outs[-k] * (1 - outs[-k])
            by_b.insert(0, delta)
            by_w.insert(0, delta @ outs[-k - 1].T)
        return by_b, by_w


random.seed(3)
np.random.seed(3)
pairs = []
for k in range(60):
    point = np.random.uniform(-1, 1, (2, 1))
    pairs.append((point, np.array([[1.0], [0.0]]) if point[0, 0] * point[1, 0] > 0 else np.array([[0.0], [1.0]])))
Net([2, 6, 4, 2]).learn(pairs, 60, 8, 3.0)
