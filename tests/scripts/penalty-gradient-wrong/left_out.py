# expected: penalty-gradient-wrong line 21 or 23
"""A multiclass hinge loss in loops, as a first exercise has it, with a penalty."""
import numpy as np

rng = np.random.default_rng(2)
X = np.hstack([rng.normal(size=(40, 4)), np.ones((40, 1))])
y = (X @ rng.normal(size=(5, 3))).argmax(axis=1)


def hinge(W, X, y, penalty):
    slope = np.zeros_like(W)
    total = 0.0
    for i in range(len(X)):
        scores = X[i] @ W
        for k in range(W.shape[1]):
            if k != y[i]:
                margin = scores[k] - scores[y[i]] + 1.0
                if margin > 0:
                    total += margin
                    slope[:, k] += X[i]
                    slope[:, y[i]] -= X[i]
    total = total / len(X) + penalty * np.sum(W * W)
    slope = slope / len(X)
    return total, slope


W = rng.normal(scale=0.1, size=(5, 3))
for step in range(15):
    loss, slope = hinge(W, X, y, 0.01)
    W = W - 0.2 * slope
    if step % 40 == 0:
        print(step, loss)
