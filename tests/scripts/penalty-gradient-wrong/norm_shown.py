# expected: penalty-gradient-wrong line 21
"""Logistic regression with a penalty; the norm of the weights is shown beside the cost now and then."""
import numpy as np

rng = np.random.default_rng(12)
A = rng.normal(size=(90, 12))
labels = (A[:, 0] - 2 * A[:, 1] + rng.logistic(size=90) > 0).astype(float)


def chance(v):
    return 1 / (1 + np.exp(-A @ v))


def cost(v, strength):
    p = chance(v)
    fit = -np.mean(labels * np.log(p + 1e-12) + (1 - labels) * np.log(1 - p + 1e-12))
    return fit + strength / (2 * len(A)) * v @ v


def slope(v, strength):
    return (A.T @ (chance(v) - labels) - strength * v) / len(A)


v = np.zeros(12)
for k in range(400):
    v = v - 0.3 * slope(v, 2.0)
    if k % 100 == 0:
        print(k, cost(v, 2.0), np.linalg.norm(v))
