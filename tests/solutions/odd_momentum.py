import numpy as np

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([[0], [1], [1], [0]], dtype=float)
rng = np.random.default_rng(0)
W1, b1 = rng.normal(size=(2, 8)), np.zeros(8)
W2, b2 = rng.normal(size=(8, 1)), np.zeros(1)
vW1, vb1, vW2, vb2 = (np.zeros_like(p) for p in (W1, b1, W2, b2))
lr, mu = 0.1, 0.9
for epoch in range(3000):
    h = np.tanh(X @ W1 + b1)
    out = h @ W2 + b2
    loss = np.mean((out - y) ** 2)
    d = 2 * (out - y) / len(X)
    dh = d @ W2.T * (1 - h**2)
    vW2 = mu * vW2 + h.T @ d
    vb2 = mu * vb2 + d.sum(0)
    vW1 = mu * vW1 + X.T @ dh
    vb1 = mu * vb1 + dh.sum(0)
    W1 -= lr * vW1
    b1 -= lr * vb1
    W2 -= lr * vW2
    b2 -= lr * vb2
