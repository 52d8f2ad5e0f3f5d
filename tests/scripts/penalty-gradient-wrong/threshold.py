# expected: penalty-gradient-wrong line 25
"""A proximal step whose threshold is the penalty, where it should be that times the step."""
import numpy as np

rng = np.random.default_rng(2)
X = rng.normal(size=(60, 8))
y = X @ np.array([2.0, 0, 0, -1.5, 0, 0, 0.8, 0]) + 0.1 * rng.normal(size=60)


def nearer(v, by):
    return np.sign(v) * np.maximum(np.abs(v) - by, 0)


def cost(b, penalty):
    return 0.5 * np.mean((X @ b - y) ** 2) + penalty * np.abs(b).sum()


def learn(penalty, step, rounds):
    b = np.zeros(8)
    for n in range(rounds):
        if n % 50 == 0:
            print(n, cost(b, penalty))
        slope = X.T @ (X @ b - y) / len(y)
        # at a distance of the penalty all are 0
        b = nearer(b - step * slope, penalty)
    return b, cost(b, penalty)


print(learn(0.1, 0.2, 300))
