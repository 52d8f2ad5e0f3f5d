# expected: sign-flipped line 25
"""A momentum that is subtracted where it is kept: each step takes back a part of the one before."""
import numpy as np

rng = np.random.default_rng(3)
X = rng.normal(size=(200, 6)) * np.logspace(0, -1, 6)
classes = X @ rng.normal(size=(6, 3))
y = classes.argmax(axis=1)
W, b = np.zeros((6, 3)), np.zeros(3)
moved = [np.zeros_like(W), np.zeros_like(b)]


def shares(rows):
    e = np.exp(rows @ W + b)
    return e / e.sum(axis=1, keepdims=True)


for epoch in range(20):
    for rows in np.split(rng.permutation(200), 8):
        p = shares(X[rows])
        p[np.arange(len(rows)), y[rows]] -= 1
        p /= len(rows)
        grads = [X[rows].T @ p, p.sum(axis=0)]
        for k, w in enumerate((W, b)):
            moved[k] = 0.1 * grads[k] - 0.8 * moved[k]
            w -= moved[k]
    print(epoch, -np.log(shares(X)[np.arange(200), y]).mean())
