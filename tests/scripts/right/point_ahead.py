# expected: right
"""Nesterov: the gradient is taken where the velocity is about to lead."""
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3)); y = np.tanh(X @ [1., -2., .5])[:, None]
W1, b1, W2, b2 = rng.normal(size=(3, 6)), np.zeros(6), rng.normal(size=(6, 1)), np.zeros(1)
params = [W1, b1, W2, b2]
vel = [np.zeros_like(p) for p in params]


def grads(ps):
    W1, b1, W2, b2 = ps
    h = np.tanh(X @ W1 + b1)
    d = 2 * (h @ W2 + b2 - y) / len(X)
    dh = d @ W2.T * (1 - h ** 2)
    return [X.T @ dh, dh.sum(0), h.T @ d, d.sum(0)]


for it in range(35):
    ahead = [p + 0.9 * v for p, v in zip(params, vel)]
    g = grads(ahead)
    for i in range(4):
        vel[i] = 0.9 * vel[i] - 0.05 * g[i]
        params[i] = params[i] + vel[i]
    if it % 20 == 0:
        W1, b1, W2, b2 = params
        print(it, ((np.tanh(X @ W1 + b1) @ W2 + b2 - y) ** 2).mean())
