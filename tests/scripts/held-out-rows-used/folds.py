# expected: held-out-rows-used line 17
"""Weights that are made once, before the folds of a cross-validation, and are learned on in each."""
import numpy as np

rng = np.random.default_rng(5)
inputs = rng.normal(size=(90, 4))
wanted = inputs @ np.array([1.0, -1.0, 0.5, 0.0]) + 0.5 * rng.normal(size=90)
mixed = rng.permutation(90)
parts = [mixed[k::3] for k in range(3)]
w, b = np.zeros(4), 0.0
errors = []

for held_out in parts:
    rest = np.setdiff1d(mixed, held_out)
    x, t = inputs[rest], wanted[rest]
    for _ in range(50):
        e = x @ w + b - t
        w = w - 0.1 * x.T @ e / len(t)
        b = b - 0.1 * e.mean()
    apart = inputs[held_out] @ w + b - wanted[held_out]
    errors.append(np.sqrt(np.mean(apart**2)))
print("error of the folds", errors, np.mean(errors))
