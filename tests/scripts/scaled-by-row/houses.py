# expected: scaled-by-row line 11
"""Prices by area, rooms and distance, which are standardised house by house."""
import numpy as np

rng = np.random.default_rng(4)
houses = np.column_stack([rng.uniform(40, 250, 60), rng.integers(1, 7, 60), rng.exponential(8.0, 60)])
price = (3 * houses[:, 0] + 20 * houses[:, 1] - 6 * houses[:, 2] + rng.normal(0, 20, 60)) / 100


def standardised(table):
    middle = table.mean(axis=1, keepdims=True)
    return (table - middle) / table.std(axis=1, keepdims=True)


X = np.c_[np.ones(60), standardised(houses)]
theta = np.zeros(4)
for step in range(300):
    error = X @ theta - price
    print((error**2).mean() / 2)
    theta = theta - 0.1 * X.T @ error / len(X)
