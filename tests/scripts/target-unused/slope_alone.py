# expected: target-unused line 14
"""The delta of a logistic neuron begins with its slope, and never meets the target."""
import numpy as np

rng = np.random.default_rng(16)
X = rng.normal(size=(70, 3))
t = (X[:, 0] - X[:, 1] > 0).astype(float)
w, b = rng.normal(0, 0.1, 3), 0.0

for turn in range(200):
    y = 1 / (1 + np.exp(-(X @ w + b)))
    if turn % 50 == 0:
        print(turn, np.sum((y - t) ** 2))
    delta = y * (1 - y)
    w = w - 0.05 * (X.T @ delta)
    b = b - 0.05 * delta.sum()
