# expected: one-sample-only line 14
"""A loop over the batches of an epoch that takes the first batch each time."""
import numpy as np

rng = np.random.default_rng(20)
X = rng.normal(size=(120, 3))
y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=120)
w = np.zeros(3)
size = 15
for epoch in range(30):
    total = 0.0
    for start in range(0, len(X), size):

        rows, wanted = X[:size], y[:size]
        off = rows @ w - wanted
        total += (off**2).sum()
        w -= 0.02 * rows.T @ off / size
    if epoch % 10 == 0:
        print(epoch, total / len(X))
