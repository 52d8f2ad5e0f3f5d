# expected: penalty-gradient-wrong line 20
"""The loss that is shown has a penalty on sizes; the step takes a share of the numbers, as for squares."""
import numpy as np

rng = np.random.default_rng(6)
X = rng.normal(size=(80, 12))
true = np.zeros(12)
true[[1, 5, 9]] = 2.0, -3.0, 1.0
y = X @ true + rng.normal(0, 0.3, 80)
strength = 0.1


def cost(w):
    return np.mean((X @ w - y) ** 2) + strength * np.sum(np.abs(w))


w = np.zeros(12)
for k in range(1000):
    rate = 0.05 / (1 + k / 200)
    w = w - rate * (2 * X.T @ (X @ w - y) / len(y) + strength * w)
    if k % 250 == 0:
        print(k, cost(w))
