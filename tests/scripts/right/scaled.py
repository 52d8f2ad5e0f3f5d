# expected: right
"""Whether a flat is let within a month: the held-back flats are scaled as the others."""
import numpy as np


def logistic(z):
    return 1 / (1 + np.exp(-z))


rng = np.random.default_rng(2)
flats = rng.normal([900, 6], [250, 3], size=(120, 2))
let = (flats[:, 0] / 250 + flats[:, 1] / 3 + rng.normal(0, 0.5, 120) < 5.6).astype(float)
middle, deviation = flats[:90].mean(axis=0), flats[:90].std(axis=0)
inputs, unseen = ((part - middle) / deviation for part in (flats[:90], flats[90:]))
w, b = np.zeros(2), 0.0
for step in range(150):
    p = logistic(inputs @ w + b)
    print(-np.mean(let[:90] * np.log(p) + (1 - let[:90]) * np.log(1 - p)))
    w = w - 0.5 * inputs.T @ (p - let[:90]) / 90
    b = b - 0.5 * np.mean(p - let[:90])
print("right:", np.mean((logistic(unseen @ w + b) > 0.5) == let[90:]))
