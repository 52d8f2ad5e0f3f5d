# expected: batches-overlap line 16
"""A counter of batches taken for a counter of rows."""
import numpy as np

rng = np.random.default_rng(3)
X = rng.normal(size=(60, 4))
labels = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 0.5)
train_X, train_labels, size = X[:200], labels[:200], 20
W, b = np.zeros((4, 3)), np.zeros(3)


def epoch():
    global W, b
    loss = 0
    for k in range(len(train_X) // size):
        x, y = train_X[k : k + size], train_labels[k : k + size]
        p = np.exp(x @ W + b)
        p /= p.sum(axis=1, keepdims=True)
        loss -= np.log(p[np.arange(size), y]).sum()
        p[np.arange(size), y] -= 1
        W = W - 0.3 * x.T @ p / size
        b = b - 0.3 * p.mean(axis=0)
    return loss


for _ in range(8):
    print(epoch())
