# expected: penalty-gradient-wrong line 15 or 16
"""A decay with the wrong sign: each step makes the weights a little larger."""
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3))
y = np.tanh(X @ [1., -2., .5])[:, None]
W1, b1, W2, b2 = rng.normal(size=(3, 6)), np.zeros(6), rng.normal(size=(6, 1)), np.zeros(1)
for it in range(300):
    h = np.tanh(X @ W1 + b1)
    e = h @ W2 + b2 - y
    loss = (e ** 2).mean()
    d = 2 * e / len(X)
    dh = d @ W2.T * (1 - h ** 2)
    W2 -= 0.1 * (h.T @ d - 0.01 * W2)
    W1 -= 0.1 * (X.T @ dh - 0.01 * W1)
    b2 -= 0.1 * d.sum(0)
    b1 -= 0.1 * dh.sum(0)
    print(loss)
