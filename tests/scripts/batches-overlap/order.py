# expected: batches-overlap line 23
"""A slice of the rows in an order by chance begins at the number of the batch, not at that of its first row."""
import numpy as np

rng = np.random.default_rng(8)
angle = rng.uniform(-3, 3, size=(240, 1))
height = np.sin(angle) + 0.05 * rng.normal(size=(240, 1))
order = rng.permutation(len(angle))
size = 24

V, c = rng.normal(size=(1, 12)), np.zeros(12)
U, d = 0.3 * rng.normal(size=(12, 1)), np.zeros(1)


def predict(x):
    hidden = np.tanh(x @ V + c)
    return hidden, hidden @ U + d


for turn in range(80):
    total = 0.0
    for batch in range(len(order) // size):
        chosen = order[batch : batch + size]
        x = angle[chosen]
        hidden, out = predict(x)
        error = (out - height[chosen]) / size
        total += (error**2).sum() * size
        back = error @ U.T * (1 - hidden**2)
        U -= 0.2 * hidden.T @ error
        d -= 0.2 * error.sum(axis=0)
        V -= 0.2 * x.T @ back
        c -= 0.2 * back.sum(axis=0)
    if turn % 20 == 0:
        print(turn, total)
