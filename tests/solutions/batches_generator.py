import numpy as np

def batches(X, Y, size, rng):
    idx = rng.permutation(len(X))
    for i in range(0, len(X), size):
        yield X[idx[i:i + size]], Y[idx[i:i + size]]

def relu(z):
    return np.maximum(z, 0.0)

def d_relu(z):
    return (z > 0).astype(z.dtype)

def train(X, Y, hidden=32, lr=0.1, epochs=300, batch=25):
    rng = np.random.default_rng(0)
    W1 = rng.standard_normal((X.shape[1], hidden)) * np.sqrt(2 / X.shape[1])
    b1 = np.zeros(hidden)
    W2 = rng.standard_normal((hidden, 1)) * np.sqrt(2 / hidden)
    b2 = np.zeros(1)
    for _ in range(epochs):
        total = 0
        for xb, yb in batches(X, Y, batch, rng):
            z1 = xb @ W1 + b1
            a1 = relu(z1)
            out = a1 @ W2 + b2
            diff = out - yb
            total += (diff ** 2).sum()
            grad_out = 2 * diff / len(xb)
            grad_W2 = a1.T @ grad_out
            grad_b2 = grad_out.sum(axis=0)
            grad_z1 = grad_out @ W2.T * d_relu(z1)
            grad_W1 = xb.T @ grad_z1
            grad_b1 = grad_z1.sum(axis=0)
            W2 -= lr * grad_W2
            b2 -= lr * grad_b2
            W1 -= lr * grad_W1
            b1 -= lr * grad_b1
    return (W1, b1, W2, b2), total / len(X)

rng = np.random.default_rng(4)
X = rng.uniform(-1, 1, (200, 2))
Y = np.sin(3 * X[:, :1]) + X[:, 1:] ** 2
params, final = train(X, Y)
print("final mse", final)
assert final < 0.2
