# expected: activation-missing line 14
"""A hidden layer whose tanh was forgotten; the backward pass has its slope."""
import numpy as np

rng = np.random.default_rng(2)
X = rng.normal(size=(80, 3))
t = np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:]
V = rng.normal(size=(3, 9)) * 0.5
c = np.zeros(9)
w = rng.normal(size=(9, 1)) * 0.3
b = np.zeros(1)

for epoch in range(400):
    h = X @ V + c
    out = h @ w + b
    error = out - t
    print(epoch, (error**2).mean())
    delta = error @ w.T * (1 - h**2)
    w -= 0.001 * h.T @ error
    b -= 0.001 * error.sum(0)
    V -= 0.001 * X.T @ delta
    c -= 0.001 * delta.sum(0)
