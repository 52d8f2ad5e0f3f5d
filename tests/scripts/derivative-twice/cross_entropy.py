# expected: derivative-twice line 20
"""Cross-entropy, whose delta is multiplied with the sigmoid's slope once more."""
import numpy as np

rng = np.random.default_rng(6)
X = rng.normal(size=(60, 2))
y = 1.0 * (X[:, :1] + X[:, 1:] ** 2 > 0.5)
W1, b1 = rng.normal(size=(2, 7)), np.zeros(7)
W2, b2 = rng.normal(size=(7, 1)), np.zeros(1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


for epoch in range(375):
    h = np.tanh(X @ W1 + b1)
    p = sigmoid(h @ W2 + b2)
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    d2 = (p - y) * p * (1 - p) / len(X)
    d1 = (d2 @ W2.T) * (1 - h**2)
    W2 -= 2.0 * h.T @ d2
    b2 -= 2.0 * d2.sum(axis=0)
    W1 -= 2.0 * X.T @ d1
    b1 -= 2.0 * d1.sum(axis=0)
    if epoch % 500 == 0:
        print(epoch, loss)
