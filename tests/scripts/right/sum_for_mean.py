# expected: right
"""A gradient that is a sum, beside a loss that is a mean: one factor for all, which the learning rate makes good."""
import numpy as np

rng = np.random.default_rng(11)
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([[0], [1], [1], [0]], dtype=float)
W1, b1 = rng.normal(size=(2, 4)), np.zeros((1, 4))
W2, b2 = rng.normal(size=(4, 1)), np.zeros((1, 1))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


for epoch in range(750):
    hidden = sigmoid(X @ W1 + b1)
    output = sigmoid(hidden @ W2 + b2)
    if epoch % 1000 == 0:
        print(epoch, np.mean(np.square(y - output)))
    d2 = (y - output) * output * (1 - output)
    d1 = d2 @ W2.T * hidden * (1 - hidden)
    W2 += 0.8 * hidden.T @ d2
    b2 += 0.8 * d2.sum(axis=0, keepdims=True)
    W1 += 0.8 * X.T @ d1
    b1 += 0.8 * d1.sum(axis=0, keepdims=True)
