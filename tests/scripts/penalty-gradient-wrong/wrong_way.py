# expected: penalty-gradient-wrong line 19
"""Ridge regression on centred data whose penalty is subtracted from the gradient."""
import numpy as np

rng = np.random.default_rng(21)
X = rng.normal(size=(60, 4))
X = (X - X.mean(axis=0)) / X.std(axis=0)
y = X @ [1.0, 0.0, -2.0, 0.5] + 0.3 * rng.normal(size=60)
y = y - y.mean()
w, b, strength = np.zeros(4), 0.0, 0.3


def loss(w, b):
    return np.mean((X @ w + b - y) ** 2) + strength * np.sum(w**2)


for turn in range(150):
    off = X @ w + b - y
    grad_w = 2 * X.T @ off / len(y) - 2 * strength * w
    grad_b = 2 * off.mean()
    if turn % 30 == 0:
        print(turn, loss(w, b))
    w = w - 0.05 * grad_w
    b = b - 0.05 * grad_b
