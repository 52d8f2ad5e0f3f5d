# expected: right
"""What is put in is shuffled, and so is what is wanted back."""
import numpy as np

rng = np.random.default_rng(6)
codes = rng.normal(size=(11, 2))
rows = np.tanh(codes @ rng.normal(size=(2, 6)))
V, b, W, c = rng.normal(size=(6, 3)) / 2, np.zeros(3), rng.normal(size=(3, 6)) / 2, np.zeros(6)


def epoch(size=15, rate=0.05):
    global V, b, W, c
    order = rng.permutation(len(rows))
    for start in range(0, len(rows), size):
        put_in = rows[order[start : start + size]]
        wanted = rows[order[start : start + size]]
        code = np.tanh(put_in @ V + b)
        error = (code @ W + c - wanted) / size
        back = error @ W.T * (1 - code**2)
        W, c = W - rate * code.T @ error, c - rate * error.sum(axis=0)
        V, b = V - rate * put_in.T @ back, b - rate * back.sum(axis=0)
    return size * (error**2).sum()


for _ in range(35):
    print(epoch())
