import numpy as np


def sig(t):
    return 1 / (1 + np.exp(-t))


def step(W1, b1, W2, b2, X, y, lr):
    h = sig(W1 @ X + b1)
    o = sig(W2 @ h + b2)
    d2 = (o - y) * o * (1 - o)
    d1 = (W2.T @ d2) * h * (1 - h)
    return (
        W1 - lr * d1 @ X.T,
        b1 - lr * d1.sum(axis=1, keepdims=True),
        W2 - lr * d2 @ h.T,
        b2 - lr * d2.sum(axis=1, keepdims=True),
        0.5 * ((o - y) ** 2).sum(),
    )


X = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
y = np.array([[0, 1, 1, 0]])
W1, b1, W2, b2 = np.random.randn(10, 2), np.zeros((10, 1)), np.random.randn(1, 10), np.zeros((1, 1))
for _ in range(5000):
    W1, b1, W2, b2, loss = step(W1, b1, W2, b2, X, y, 0.5)
