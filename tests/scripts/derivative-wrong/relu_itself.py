# expected: derivative-wrong line 19
"""Three layers; the error is sent back times the activation in place of its slope, and no loss is shown."""
import numpy as np

rng = np.random.default_rng(9)
X = rng.normal(size=(70, 3))
kind = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
Y = np.eye(3)[kind]
A, B, C = rng.normal(0, 0.7, (3, 9)), rng.normal(0, 0.5, (9, 9)), rng.normal(0, 0.5, (9, 3))
for epoch in range(200):
    h = np.tanh(X @ A)
    z = h @ B
    r = np.maximum(z, 0)
    s = r @ C
    e = np.exp(s - s.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    d3 = (p - Y) / 70
    back = d3 @ C.T
    d2 = back * np.maximum(z, 0)
    d1 = (d2 @ B.T) * (1 - h**2)
    C -= 0.4 * r.T @ d3
    B -= 0.4 * h.T @ d2
    A -= 0.4 * X.T @ d1
print("share right", np.mean(p.argmax(axis=1) == kind))
