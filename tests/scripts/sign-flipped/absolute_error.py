# expected: sign-flipped line 14 or 16
import numpy as np

rng = np.random.default_rng(4)
x = rng.uniform(-1, 1, (200, 2))
y = x @ np.array([1.5, -0.7]) + 0.3 + rng.normal(0, 0.4, 200)
share = 0.8
W1, b1, W2, b2 = rng.normal(0, 0.5, (2, 6)), np.zeros(6), rng.normal(0, 0.5, 6), 0.0
for epoch in range(400):
    h = np.tanh(x @ W1 + b1)
    out = h @ W2 + b2
    g = np.sign(y - out) / len(y)
    gh = np.outer(g, W2) * (1 - h**2)
    W2 -= 0.2 * h.T @ g
    b2 -= 0.2 * g.sum()
    W1 -= 0.2 * x.T @ gh
    b1 -= 0.2 * gh.sum(axis=0)
print("share below:", np.mean(y < np.tanh(x @ W1 + b1) @ W2 + b2))
