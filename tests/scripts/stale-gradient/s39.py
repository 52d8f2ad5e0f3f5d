# expected: stale-gradient line 26 or 28
import numpy as np

rng = np.random.default_rng(23)
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([[0], [1], [1], [0]], dtype=float)
W1, b1 = rng.normal(size=(2, 8)), np.zeros(8)
W2, b2 = rng.normal(size=(8, 1)), np.zeros(1)
lr = 0.5


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(x):
    a1 = sigmoid(x @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    return a1, a2


def compute_loss(y_hat):
    return np.sum((y_hat - y) ** 2)


a1, a2 = forward(X)
for epoch in range(625):
    delta2 = 2 * (a2 - y) * a2 * (1 - a2)
    delta1 = delta2 @ W2.T * a1 * (1 - a1)
    W2 -= lr * a1.T @ delta2
    b2 -= lr * delta2.sum(axis=0)
    W1 -= lr * X.T @ delta1
    b1 -= lr * delta1.sum(axis=0)
    if epoch % 500 == 0:
        print(epoch, compute_loss(forward(X)[1]))

print(forward(X)[1])
