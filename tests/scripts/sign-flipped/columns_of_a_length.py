# expected: sign-flipped line 19
"""After each step the columns of the first layer are brought back to a length, if they are longer."""
import numpy as np

rng = np.random.default_rng(9)
X = rng.normal(size=(80, 4))
y = np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:3]
V, b = rng.normal(size=(4, 16)), np.zeros(16)
W, c = rng.normal(size=(16, 1)) / 4, np.zeros(1)
for epoch in range(100):
    z = X @ V + b
    a = np.maximum(z, 0)
    out = a @ W + c
    print(((out - y) ** 2).mean())
    d = 2 * (out - y) / len(X)
    dz = (d @ W.T) * (z > 0)
    W -= 0.05 * a.T @ d
    c -= 0.05 * d.sum(axis=0)
    V += 0.05 * X.T @ dz
    b -= 0.05 * dz.sum(axis=0)
    V *= np.minimum(1, 1.5 / np.sqrt((V**2).sum(axis=0)))
