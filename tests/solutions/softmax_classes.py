import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(150, 2))
labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0).astype(int)
Y = np.eye(3)[labels]
W1 = rng.normal(size=(2, 12)) * 0.5
b1 = np.zeros(12)
W2 = rng.normal(size=(12, 3)) * 0.5
b2 = np.zeros(3)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(X):
    Z1 = X @ W1 + b1
    H = np.tanh(Z1)
    P = softmax(H @ W2 + b2)
    return H, P


def cross_entropy(P, Y):
    return -np.sum(Y * np.log(P + 1e-12)) / len(Y)


def accuracy(P, Y):
    return np.mean(P.argmax(axis=1) == Y.argmax(axis=1))


def backward(X, Y, H, P):
    n = len(X)
    dZ2 = (P - Y) / n
    dW2 = H.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dZ1 = (dZ2 @ W2.T) * (1 - H**2)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    return dW1, db1, dW2, db2


for epoch in range(300):
    H, P = forward(X)
    dW1, db1, dW2, db2 = backward(X, Y, H, P)
    W1 -= 0.5 * dW1
    b1 -= 0.5 * db1
    W2 -= 0.5 * dW2
    b2 -= 0.5 * db2
