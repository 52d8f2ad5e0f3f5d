import numpy as np

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([[0], [1], [1], [0]], dtype=float)
np.random.seed(0)
W1, b1 = np.random.randn(2, 10), np.zeros(10)
W2, b2 = np.random.randn(10, 1), np.zeros(1)
lam = 1e-4


def forward(X):
    H = np.maximum(0.01 * (X @ W1 + b1), X @ W1 + b1)
    return H, H @ W2 + b2


def loss(y_hat, y):
    return np.sum((y_hat - y) ** 2) + lam * (np.sum(W1**2) + np.sum(W2**2))


def backward(X, y, H, y_hat):
    d = 2 * (y_hat - y)
    dH = d @ W2.T
    dZ = np.where(H > 0, dH, 0.01 * dH)
    return X.T @ dZ + 2 * lam * W1, dZ.sum(0), H.T @ d + 2 * lam * W2, d.sum(0)


for _ in range(1000):
    H, y_hat = forward(X)
    g = backward(X, y, H, y_hat)
    W1 -= 0.01 * g[0]
    b1 -= 0.01 * g[1]
    W2 -= 0.01 * g[2]
    b2 -= 0.01 * g[3]
