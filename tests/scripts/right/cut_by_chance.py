# expected: right
"""A function learns from the rows that were cut off for that, and the others are measured."""
import numpy as np

rng = np.random.default_rng(14)
points = rng.normal(size=(150, 2))
kind = (points[:, 0] ** 2 + points[:, 1] ** 2 + 0.4 * rng.normal(size=150) > 1.4).astype(float)
order = rng.permutation(150)
points, kind = points[order], kind[order]
seen, unseen = points[:100], points[100:]
kind_seen, kind_unseen = kind[:100], kind[100:]

V, c = rng.normal(size=(2, 10)), np.zeros(10)
u, d = 0.3 * rng.normal(size=10), np.zeros(1)


def predict(x):
    hidden = np.tanh(x @ V + c)
    return hidden, 1 / (1 + np.exp(-(hidden @ u + d)))


def learn(x, t, rate=0.5, size=25):
    global V, c, u, d
    for _ in range(60):
        mixed = rng.permutation(len(x))
        for k in range(0, len(x), size):
            rows = mixed[k : k + size]
            hidden, p = predict(x[rows])
            delta = (p - t[rows]) / len(rows)
            back = np.outer(delta, u) * (1 - hidden**2)
            u = u - rate * hidden.T @ delta
            d = d - rate * delta.sum()
            V = V - rate * x[rows].T @ back
            c = c - rate * back.sum(axis=0)


learn(seen, kind_seen)
print("on rows seen", np.mean((predict(seen)[1] > 0.5) == kind_seen))
print("on rows unseen", np.mean((predict(unseen)[1] > 0.5) == kind_unseen))
