# expected: right
"""Logistic regression that climbs its log-likelihood, and shows it: a number below 0 that grows."""
import numpy as np

rng = np.random.default_rng(19)
X = np.c_[np.ones(80), rng.normal(size=(80, 2))]
y = (X @ [0.3, 1.5, -1.0] + rng.logistic(size=80) > 0).astype(float)
beta = np.zeros(3)
for turn in range(400):
    mu = 1 / (1 + np.exp(-X @ beta))
    if turn % 80 == 0:
        print(turn, np.sum(y * np.log(mu) + (1 - y) * np.log(1 - mu)))
    beta = beta + 0.02 * X.T @ (y - mu)
