# expected: right
import numpy as np

np.random.seed(1)
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([[0], [1], [1], [0]], dtype=float)

W1 = np.random.randn(2, 10)
b1 = np.zeros((1, 10))
W2 = np.random.randn(10, 1)
b2 = np.zeros((1, 1))
lr = 0.5


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


vel = np.zeros_like(W1)
losses = []
for epoch in range(625):
    z1 = X @ W1 + b1
    a1 = sigmoid(z1)
    z2 = a1 @ W2 + b2
    a2 = sigmoid(z2)
    loss = np.sum((a2 - y) ** 2)
    losses.append(loss)
    d2 = 2 * (a2 - y) * a2 * (1 - a2)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    dW2 = a1.T @ d2
    db2 = d2.sum(axis=0, keepdims=True)
    dW1 = X.T @ d1
    db1 = d1.sum(axis=0, keepdims=True)
    W2 -= lr * dW2
    b2 -= lr * db2
    vel = 0.5 * vel - lr * dW1
    W1 += vel
    b1 -= lr * db1
print(losses[-1])
print(a2)
