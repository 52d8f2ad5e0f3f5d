# expected: loss-wrong line 16
"""A cross-entropy that takes the logarithm of the output for both classes."""
import numpy as np

rng = np.random.default_rng(3)
X = rng.normal(size=(80, 3))
y = (X @ [1.0, -2.0, 0.5] > 0.2).astype(float)
w, b = np.zeros(3), 0.0


def output():
    return 1 / (1 + np.exp(-(X @ w + b)))


def loss(p):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(p))


for step in range(25):
    p = output()
    delta = (p - y) / len(X)
    w = w - 0.5 * X.T @ delta
    b = b - 0.5 * delta.sum()
    print(loss(p))
