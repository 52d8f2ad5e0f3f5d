# expected: derivative-always-1 line 20
"""The error is set to 0 where a relu's result is below 0, which it never is."""
import numpy as np

rng = np.random.default_rng(4)
X = rng.normal(size=(100, 3))
y = np.abs(X[:, :1]) - X[:, 1:2] * X[:, 2:]
W1, b1 = rng.normal(size=(3, 12)), np.zeros(12)
W2, b2 = 0.3 * rng.normal(size=(12, 1)), np.zeros(1)
for epoch in range(300):
    hidden = np.maximum(0, X @ W1 + b1)
    out = hidden @ W2 + b2
    error = out - y
    if epoch % 50 == 0:
        print(epoch, (error**2).mean())
    d_out = 2 * error / len(X)
    d_W2 = hidden.T @ d_out
    d_b2 = d_out.sum(axis=0)
    d_hidden = d_out @ W2.T
    d_hidden[hidden < 0] = 0
    W2 -= 0.05 * d_W2
    b2 -= 0.05 * d_b2
    W1 -= 0.05 * X.T @ d_hidden
    b1 -= 0.05 * d_hidden.sum(axis=0)
