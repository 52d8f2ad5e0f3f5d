# expected: penalty-gradient-wrong line 15
"""Ridge regression whose penalty's derivative was added up over the weights."""
import numpy as np


def loss(w, X, y, strength):
    r = X.dot(w) - y
    return (r.dot(r) + strength * w.dot(w)) / (2 * len(y))


def slope(w, X, y, strength):
    g = X.T.dot(X.dot(w) - y) / len(y)
    # what the penalty adds

    return g + sum(strength * w) / len(y)


rng = np.random.default_rng(21)
X = rng.normal(size=(80, 6))
y = X.dot(rng.normal(size=6)) + 0.1 * rng.normal(size=80)
w = 0.1 * rng.normal(size=6)
for turn in range(150):
    if turn % 30 == 0:
        print(turn, loss(w, X, y, 8.0))
    w = w - 0.1 * slope(w, X, y, 8.0)
print(loss(w, X, y, 8.0))
