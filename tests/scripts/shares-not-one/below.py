# expected: shares-not-one line 16
import numpy as np

rng = np.random.default_rng(2)
labels = rng.integers(0, 3, 120)
points = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])[labels] + 0.5 * rng.standard_normal((120, 2))
targets = np.eye(3)[labels]
W1, b1 = 0.5 * rng.standard_normal((2, 6)), np.zeros(6)
W2, b2 = 0.5 * rng.standard_normal((6, 3)), np.zeros(3)

for step in range(200):
    hidden = np.tanh(points @ W1 + b1)
    scores = hidden @ W2 + b2
    highest = scores.max(axis=1, keepdims=True)
    above = np.exp(scores - highest)
    below = np.exp(scores).sum(axis=1, keepdims=True)
    shares = above / below
    error = (shares - targets) / len(points)
    delta = (error @ W2.T) * (1 - hidden**2)
    W2 -= 0.5 * hidden.T @ error
    b2 -= 0.5 * error.sum(axis=0)
    W1 -= 0.5 * points.T @ delta
    b1 -= 0.5 * delta.sum(axis=0)
