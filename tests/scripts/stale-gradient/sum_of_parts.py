# expected: stale-gradient line 29
"""The gradients of small batches are added up for a larger one, and the sums go on into the next."""
import numpy as np

rng = np.random.default_rng(9)
X = rng.uniform(-1, 1, (256, 3))
y = np.sin(2 * X[:, :1]) * X[:, 1:2]
net = {"V": rng.normal(size=(3, 12)), "c": np.zeros(12), "w": rng.normal(size=(12, 1)) / 4, "b": np.zeros(1)}
sums = [np.zeros_like(p) for p in net.values()]


def gradients(rows):
    h = np.tanh(X[rows] @ net["V"] + net["c"])
    d = 2 * (h @ net["w"] + net["b"] - y[rows]) / len(rows)
    e = d @ net["w"].T * (1 - h**2)
    return X[rows].T @ e, e.sum(axis=0), h.T @ d, d.sum(axis=0)


for epoch in range(10):
    taken = 0
    for rows in np.split(rng.permutation(256), 32):
        for total, g in zip(sums, gradients(rows)):
            total += g / 8
        taken += 1
        if taken == 8:
            taken = 0
            # the sums are those of all batches so far
            for name, total in zip(net, sums):
                net[name] -= 0.02 * total
    print(epoch, ((np.tanh(X @ net["V"] + net["c"]) @ net["w"] + net["b"] - y) ** 2).mean())
