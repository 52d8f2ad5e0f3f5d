# expected: right
"""One trunk and two heads: a number by its squared error, and classes by their cross-entropy, a third as much."""
import numpy as np

rng = np.random.default_rng(18)
X = rng.normal(size=(90, 4))
number = np.tanh(X[:, :1]) - X[:, 1:2]
classes = np.eye(3)[np.digitize(X[:, 2], [-0.4, 0.4])]
A, B, C = rng.normal(0, 0.5, (4, 12)), rng.normal(0, 0.3, (12, 1)), rng.normal(0, 0.3, (12, 3))

for turn in range(30):
    h = np.maximum(0, X @ A)
    off = h @ B - number
    scores = np.exp(h @ C)
    p = scores / scores.sum(axis=1, keepdims=True)
    if turn % 50 == 0:
        print(turn, np.mean(off**2), -np.mean(np.sum(classes * np.log(p), axis=1)))
    first = 2 * off / len(X)
    second = 0.3 * (p - classes) / len(X)
    trunk = (first @ B.T + second @ C.T) * (h > 0)
    B -= 0.3 * h.T @ first
    C -= 0.3 * h.T @ second
    A -= 0.3 * X.T @ trunk
