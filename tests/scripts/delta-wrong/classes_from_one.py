# expected: delta-wrong line 29
"""A softmax classifier whose loss counts the classes from 0, and whose gradient counts them from 1."""
import numpy as np

rng = np.random.default_rng(10)
points, classes = 40, 3
X = np.concatenate([rng.normal(size=(points, 2)) + 2 * np.array([np.cos(a), np.sin(a)]) for a in (0, 2, 4)])
labels = np.repeat(np.arange(classes), points)

W1, b1 = 0.3 * rng.normal(size=(2, 10)), np.zeros(10)
W2, b2 = 0.3 * rng.normal(size=(10, classes)), np.zeros(classes)
rows = np.arange(len(X))


for step in range(18):
    hidden = np.maximum(0, X @ W1 + b1)
    scores = hidden @ W2 + b2
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)

    loss = -np.log(shares[rows, labels]).mean()
    if step % 30 == 0:
        print(step, loss)

    # back through the scores


    d = shares.copy()
    d[rows, labels - 1] -= 1
    d /= len(X)
    dh = d @ W2.T
    dh[hidden <= 0] = 0
    W2 -= 0.5 * hidden.T @ d
    b2 -= 0.5 * d.sum(axis=0)
    W1 -= 0.5 * X.T @ dh
    b1 -= 0.5 * dh.sum(axis=0)
