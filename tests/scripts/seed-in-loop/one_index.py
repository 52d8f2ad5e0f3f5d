# expected: seed-in-loop line 12
"""Steps on one sample drawn at random, of a generator that is seeded each time."""
import numpy as np

np.random.seed(7)
X = np.random.randn(90, 2)
y = X @ np.array([2.0, -1.0]) + 0.5
w, b = np.zeros(2), 0.0


for turn in range(400):
    np.random.seed(7)
    k = np.random.randint(len(X))
    off = X[k] @ w + b - y[k]
    w -= 0.05 * off * X[k]
    b -= 0.05 * off
    if turn % 100 == 0:
        print(turn, np.mean((X @ w + b - y) ** 2))
