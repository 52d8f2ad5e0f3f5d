# expected: dropout-scale-wrong line 15
"""The last step's weights are measured once, with all units: in training three of ten were off, unscaled."""
import numpy as np

rng = np.random.default_rng(5)
X = rng.normal(size=(200, 4))
t = (np.abs(X[:, :1]) + X[:, 1:2] > 0.8).astype(float)
W1, W2 = rng.normal(size=(4, 30)) / 2, rng.normal(size=(30, 1)) / 5


def through(X, keep=1.0):
    h = np.tanh(X @ W1)
    on = rng.random(h.shape) < keep if keep < 1 else None
    if on is not None:
        h = h * on
    return h, on, 1 / (1 + np.exp(-h @ W2))


for turn in range(400):
    h, on, p = through(X, 0.7)
    loss = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    d = (p - t) / len(X)
    dh = d @ W2.T * on * (1 - h**2)
    W1, W2 = W1 - 0.5 * X.T @ dh, W2 - 0.5 * h.T @ d
print(loss, np.mean((through(X)[-1] > 0.5) == t))
