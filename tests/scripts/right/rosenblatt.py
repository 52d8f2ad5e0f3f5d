# expected: right
"""A perceptron that is changed only by what it gets wrong, in whole numbers."""
import numpy as np

rng = np.random.default_rng(12)
X = np.column_stack([rng.integers(-9, 10, size=(80, 2)), np.ones(80, dtype=int)])
side = np.where(X @ np.array([2, -3, 1]) > 0, 1, -1)
w = np.zeros(3, dtype=int)
for epoch in range(60):
    wrong = 0
    for row, s in zip(X, side):
        if s * (row @ w) <= 0:
            w += s * row
            wrong += 1
    if wrong == 0:
        break
print(epoch, wrong, w)
