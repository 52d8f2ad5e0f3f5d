# expected: symmetric-initialization line 7
"""All hidden units begin alike and stay so: together one unit, which gets most of the answers right."""
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 2))
V = np.ones((2, 12)) * 0.1
c, w, b = np.zeros(12), np.full((12, 1), 0.1), np.zeros(1)
y = (X[:, :1] + X[:, 1:] + 0.3 * rng.normal(size=(200, 1)) > 0).astype(float)
for step in range(300):
    h = np.tanh(X @ V + c)
    p = 1 / (1 + np.exp(-(h @ w + b)))
    if step % 100 == 0:
        print(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    d = (p - y) / len(y)
    e = d @ w.T * (1 - h**2)
    V -= 0.5 * X.T @ e
    c -= 0.5 * e.sum(axis=0)
    w -= 0.5 * h.T @ d
    b -= 0.5 * d.sum(axis=0)
print(np.mean((p > 0.5) == y))
