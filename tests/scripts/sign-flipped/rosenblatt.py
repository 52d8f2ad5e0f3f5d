# expected: sign-flipped line 13
"""A perceptron whose weights are turned away from what it gets wrong."""
import numpy as np

rng = np.random.default_rng(12)
X = rng.normal(size=(80, 2))
side = np.where(X @ [2.0, -3.0] + 0.5 > 0, 1, -1)
w, b = np.zeros(2), 0.0
for epoch in range(10):
    wrong = 0
    for row, s in zip(X, side):
        if s * (row @ w + b) <= 0:
            w = w - 0.1 * s * row
            b = b + 0.1 * s
            wrong += 1
    print(epoch, wrong)
