# expected: root-missing line 17
import numpy as np

rng = np.random.default_rng(3)
points = rng.normal(size=(90, 2))
inside = (np.sum(points**2, axis=1) < 1.2).astype(float)
columns = np.c_[points, points**2, np.ones(90)]
weights, usual = np.zeros(5), np.zeros(5)


def chance(w):
    return 1 / (1 + np.exp(-columns @ w))


for turn in range(150):
    slope = columns.T @ (chance(weights) - inside) / len(inside)
    usual = 0.9 * usual + 0.1 * np.abs(slope)
    weights = weights - 0.02 * slope / (np.sqrt(usual) + 1e-8)
    if turn % 50 == 0:
        p = chance(weights)
        print(turn, -np.mean(inside * np.log(p) + (1 - inside) * np.log(1 - p)))
