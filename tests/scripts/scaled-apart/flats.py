# expected: scaled-apart line 20
"""Whether a flat is let within a month, by rent and distance: the held-back flats are scaled by themselves."""
import numpy as np


def logistic(z):
    return 1 / (1 + np.exp(-z))


def scaled(table):
    return (table - table.mean(axis=0)) / table.std(axis=0)


rng = np.random.default_rng(2)
flats = rng.normal([900, 6], [250, 3], size=(120, 2))
let = (flats[:, 0] / 250 + flats[:, 1] / 3 + rng.normal(0, 0.5, 120) < 5.6).astype(float)
known, later = flats[:90], flats[90:] + [300, 0]

inputs = scaled(known)
unseen = scaled(later)
w, b = np.zeros(2), 0.0
for step in range(150):
    p = logistic(inputs @ w + b)
    print(-np.mean(let[:90] * np.log(p) + (1 - let[:90]) * np.log(1 - p)))
    w = w - 0.5 * inputs.T @ (p - let[:90]) / 90
    b = b - 0.5 * np.mean(p - let[:90])
print("right:", np.mean((logistic(unseen @ w + b) > 0.5) == let[90:]))
