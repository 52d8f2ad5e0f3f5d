# expected: delta-wrong line 22
"""Three layers; what goes back into the first is spoilt by the pre-activations."""
import numpy as np

rng = np.random.default_rng(1)
X = rng.normal(size=(50, 4))
y = 1.0 * (X[:, :1] * X[:, 1:2] > 0)
W1, b1 = rng.normal(size=(4, 6)), 0.1 * rng.normal(size=6)
W2, b2 = rng.normal(size=(6, 5)), np.zeros(5)
W3, b3 = rng.normal(size=(5, 1)), np.zeros(1)
for epoch in range(400):
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    z2 = a1 @ W2 + b2
    a2 = np.tanh(z2)
    p = 1 / (1 + np.exp(-(a2 @ W3 + b3)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    if epoch % 200 == 0:
        print(epoch, loss)
    d3 = (p - y) / len(X)
    d2 = (d3 @ W3.T) * (1 - a2**2)
    d1 = (d2 @ W2.T) * (1 - a1**2) * np.abs(z1)
    W3 -= 0.1 * a2.T @ d3
    b3 -= 0.1 * d3.sum(axis=0)
    W2 -= 0.1 * a1.T @ d2
    b2 -= 0.1 * d2.sum(axis=0)
    W1 -= 0.1 * X.T @ d1
    b1 -= 0.1 * d1.sum(axis=0)
