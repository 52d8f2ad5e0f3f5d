# expected: dropout-when-measured line 29
"""A flag for training that the measure sets as well."""
import numpy as np

rng = np.random.default_rng(17)
X = rng.normal(size=(100, 4))
T = np.eye(2)[(X[:, 0] * X[:, 1] > 0).astype(int)]
W, b = rng.normal(0, 0.6, (4, 20)), np.zeros(20)
V, c = rng.normal(0, 0.4, (20, 2)), np.zeros(2)


def run(X, training=True):
    h = np.tanh(X @ W + b)
    on = (rng.random(h.shape) < 0.8) / 0.8 if training else np.ones(h.shape)
    h = h * on
    s = np.exp(h @ V + c)
    return h, on, s / s.sum(axis=1, keepdims=True)


for epoch in range(120):
    h, on, p = run(X[:70])
    d = (p - T[:70]) / 70
    e = (d @ V.T) * on * (1 - np.tanh(X[:70] @ W + b) ** 2)
    V -= 0.5 * h.T @ d
    c -= 0.5 * d.sum(axis=0)
    W -= 0.5 * X[:70].T @ e
    b -= 0.5 * e.sum(axis=0)
    if epoch % 20 == 0:
        q = run(X[70:], training=True)[2]
        print(epoch, -np.mean(np.sum(T[70:] * np.log(q), axis=1)))
