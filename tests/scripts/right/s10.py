# expected: right
import logging

import numpy as np

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("softmax-regression")

K, D, N = 3, 2, 35
rng = np.random.default_rng(5)
centres = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
y = rng.integers(0, K, N)
X = centres[y] + rng.normal(scale=0.8, size=(N, D))
# some annotators were tired
flip = rng.random(N) < 0.15
y = np.where(flip, rng.integers(0, K, N), y)

W = np.zeros((D, K))
b = np.zeros(K)
lr, batch = 0.2, 50


def probs(X):
    s = X @ W + b
    s = s - s.max(axis=1, keepdims=True)
    e = np.exp(s)
    return e / e.sum(axis=1, keepdims=True)


for epoch in range(8):
    idx = rng.permutation(N)
    for start in range(0, N, batch):
        sel = idx[start:start + batch]
        xb, yb = X[sel], y[sel]
        p = probs(xb)
        p[np.arange(len(yb)), yb] -= 1
        W -= lr * xb.T @ p / len(yb)
        b -= lr * p.mean(axis=0)
    p = probs(X)
    nll = -np.log(p[np.arange(N), y]).mean()
    if epoch % 10 == 9:
        log.info("epoch %d nll %.4f acc %.3f", epoch + 1, nll, (p.argmax(1) == y).mean())
