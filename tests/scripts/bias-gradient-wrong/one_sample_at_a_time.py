# expected: bias-gradient-wrong line 22 or 24
"""Two layers, a sample at a time; the biases' errors are added up over the units."""
import numpy as np

rng = np.random.default_rng(8)
X = rng.normal(size=(8, 2))
T = np.stack([X[:, 0] > X[:, 1], X[:, 0] <= X[:, 1]], axis=1).astype(float)
V, c = rng.normal(size=(2, 5)), np.zeros(5)
U, d = rng.normal(size=(5, 2)), np.zeros(2)

for turn in range(10):
    total = 0
    for x, t in zip(X, T):
        h = np.tanh(x @ V + c)
        e = np.exp(h @ U + d)
        y = e / e.sum()
        total -= (t * np.log(y)).sum()
        back = y - t
        hidden = (U @ back) * (1 - h**2)
        U -= 0.1 * np.outer(h, back)
        V -= 0.1 * np.outer(x, hidden)
        d -= 0.1 * back.sum()

        c -= 0.1 * hidden.sum()
    print(turn, total)
