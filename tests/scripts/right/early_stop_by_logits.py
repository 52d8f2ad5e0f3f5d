# expected: right
"""The loss that is shown is of other rows, and computed from logits; the steps are made from shares."""
import numpy as np

rng = np.random.default_rng(5)
points = rng.normal(size=(160, 2))
labels = (points[:, :1] * points[:, 1:] > 0).astype(float)
train, check = slice(0, 100), slice(100, 160)
W, b = rng.normal(0, 1, (2, 12)), np.zeros(12)
v, c = rng.normal(0, 0.3, (12, 1)), np.zeros(1)


def forward(x):
    h = np.tanh(x @ W + b)
    return h, h @ v + c


def cross_entropy(logit, y):
    return np.mean(np.logaddexp(0, logit) - y * logit)


best, waited = np.inf, 0
for epoch in range(600):
    h, logit = forward(points[train])
    d = (1 / (1 + np.exp(-logit)) - labels[train]) / 100
    dh = (d @ v.T) * (1 - h**2)
    v -= 0.5 * h.T @ d
    c -= 0.5 * d.sum(axis=0)
    W -= 0.5 * points[train].T @ dh
    b -= 0.5 * dh.sum(axis=0)
    now = cross_entropy(forward(points[check])[1], labels[check])
    waited = 0 if now < best else waited + 1
    best = min(best, now)
    if waited == 40:
        break
print("best loss of the other rows", best)
