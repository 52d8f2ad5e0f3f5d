# expected: target-unused line 13
"""A table of targets that gets a 1 in each column of each row."""
import numpy as np

rng = np.random.default_rng(21)
centres = rng.normal(0, 2, (3, 2))
labels = rng.integers(0, 3, 90)
X = centres[labels] + rng.normal(size=(90, 2))


def table(labels, wide):
    rows = np.zeros((len(labels), wide))
    rows[:, labels] = 1
    return rows


T = table(labels, 3)
W, b = 0.1 * rng.normal(size=(2, 3)), np.zeros(3)
for step in range(200):
    e = np.exp(X @ W + b)
    p = e / e.sum(axis=1, keepdims=True)
    if step % 50 == 0:
        print(-(T * np.log(p)).sum(axis=1).mean(), (p.argmax(axis=1) == labels).mean())
    d = (p - T) / len(X)
    W -= 0.5 * X.T @ d
    b -= 0.5 * d.sum(axis=0)
