# expected: right
"""Many pictures are drawn number by number before anything is learned."""
import numpy as np

rng = np.random.default_rng(0)
pictures = rng.normal(0, 0.3, (900, 9, 9))
kinds = rng.integers(0, 2, 900)
for n in range(900):
    r, c = rng.integers(0, 5, 2)
    for k in range(4):
        if kinds[n] == 0:
            pictures[n, r, c + k] += 1
        else:
            pictures[n, r + k, c] += 1
x, y = pictures.reshape(900, 81), np.eye(2)[kinds]
W, b = rng.normal(0, 0.2, (81, 12)), np.zeros(12)
V, c = rng.normal(0, 0.2, (12, 2)), np.zeros(2)
for epoch in range(5):
    for rows in np.array_split(rng.permutation(900), 15):
        h = np.maximum(x[rows] @ W + b, 0)
        z = h @ V + c
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        d = (p - y[rows]) / len(rows)
        dh = (d @ V.T) * (h > 0)
        V -= 0.3 * h.T @ d
        c -= 0.3 * d.sum(axis=0)
        W -= 0.3 * x[rows].T @ dh
        b -= 0.3 * dh.sum(axis=0)
    print(epoch, -np.mean(np.sum(y[rows] * np.log(p), axis=1)))
