# expected: unscaled-data line 6
"""Sigmoids that large inputs saturate: the steps of the first weights get lost in their digits."""
import numpy as np

rng = np.random.default_rng(3)
X = np.stack([rng.uniform(300, 1500, 90), rng.uniform(10, 14, 90)], axis=1)
labels = (X[:, 0] > 700).astype(int) + (X[:, 0] > 1100)
Y = np.eye(3)[labels]
net = {"A": rng.normal(size=(2, 6)), "a": np.zeros(6), "B": rng.normal(size=(6, 3)), "b": np.zeros(3)}


def hidden(net):
    return 1 / (1 + np.exp(-np.clip(X @ net["A"] + net["a"], -500, 500)))


def step(net, rate):
    h = hidden(net)
    s = h @ net["B"] + net["b"]
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    d = (p - Y) / len(Y)
    dh = (d @ net["B"].T) * h * (1 - h)
    for key, g in (("A", X.T @ dh), ("a", dh.sum(0)), ("B", h.T @ d), ("b", d.sum(0))):
        net[key] -= rate * g
    return -np.mean(np.log(np.sum(p * Y, axis=1)))


for turn in range(300):
    loss = step(net, 0.1)
    if turn % 60 == 0:
        print(turn, loss)
