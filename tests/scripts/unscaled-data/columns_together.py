# expected: unscaled-data line 9
"""Columns of other sizes are put together as they are; the units get numbers in the hundreds."""
import numpy as np

rng = np.random.default_rng(3)
area = rng.uniform(20, 200, 200)
year = rng.integers(1900, 2020, 200)
y = ((area > 100) ^ (year > 1960)).astype(float)[:, None]
X = np.column_stack([area, year]).astype(float)
V, c = rng.normal(0, 0.5, (2, 8)), np.zeros(8)
w, b = rng.normal(0, 0.5, (8, 1)), np.zeros(1)


def sigmoid(z):
    return 1 / (1 + np.exp(-np.clip(z, -60, 60)))


for epoch in range(300):
    h = sigmoid(X @ V + c)
    p = sigmoid(h @ w + b)
    if epoch % 100 == 0:
        print(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    d = (p - y) / len(y)
    e = d @ w.T * h * (1 - h)
    w -= 0.5 * h.T @ d
    b -= 0.5 * d.sum(axis=0)
    V -= 0.5 * X.T @ e
    c -= 0.5 * e.sum(axis=0)
