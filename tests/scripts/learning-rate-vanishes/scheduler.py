# expected: learning-rate-vanishes line 38
"""A schedule for the epochs is called in each batch; the loss that is shown is that of the epoch."""
import numpy as np

rng = np.random.default_rng(3)
X = rng.uniform(-1, 1, (300, 2))
t = (X[:, :1] * X[:, 1:] > 0).astype(float)


class Steps:
    def __init__(self, rate):
        self.rate = rate

    def take(self, pairs):
        for w, g in pairs:
            w -= self.rate * g


class Slower:
    def __init__(self, steps, by):
        self.steps, self.by = steps, by

    def after(self):
        self.steps.rate *= self.by


V, c, w, b = rng.normal(size=(2, 16)), np.zeros(16), rng.normal(size=(16, 1)) / 4, np.zeros(1)
steps = Steps(0.5)
slower = Slower(steps, 0.9)
for epoch in range(40):
    total = 0.0
    for rows in np.split(rng.permutation(300), 15):
        h = np.tanh(X[rows] @ V + c)
        p = 1 / (1 + np.exp(-(h @ w + b)))
        total -= (t[rows] * np.log(p) + (1 - t[rows]) * np.log(1 - p)).sum()
        d = (p - t[rows]) / len(rows)
        e = d @ w.T * (1 - h**2)
        slower.after(), steps.take([(V, X[rows].T @ e), (c, e.sum(0)), (w, h.T @ d), (b, d.sum(0))])
    print(epoch, total / 300)
