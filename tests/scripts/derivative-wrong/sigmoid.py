# expected: derivative-wrong line 16
"""The slope of the sigmoid without its first factor."""
import numpy as np

rng = np.random.default_rng(7)
X = rng.normal(size=(2, 50))
Y = 1.0 * (X[:1] * X[1:] > 0)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(z):
    s = sigmoid(z)
    return 1 - s


W1, b1 = rng.normal(size=(6, 2)), np.zeros((6, 1))
W2, b2 = rng.normal(size=(1, 6)), np.zeros((1, 1))
for epoch in range(250):
    z1 = W1 @ X + b1
    a1 = sigmoid(z1)
    z2 = W2 @ a1 + b2
    a2 = sigmoid(z2)
    d2 = (a2 - Y) * slope(z2) / X.shape[1]
    d1 = (W2.T @ d2) * slope(z1)
    W2 -= 0.5 * d2 @ a1.T
    b2 -= 0.5 * d2.sum(axis=1, keepdims=True)
    W1 -= 0.5 * d1 @ X.T
    b1 -= 0.5 * d1.sum(axis=1, keepdims=True)
    if epoch % 400 == 0:
        print(epoch, 0.5 * np.mean((a2 - Y) ** 2))
