# expected: label-shuffle-mismatch line 12
"""Two clouds put one behind the other; the inputs alone are shuffled, in place."""
import numpy as np

np.random.seed(9)
X = np.concatenate([np.random.randn(90, 2) + 1, np.random.randn(90, 2) - 1])
y = np.concatenate([np.ones(90), np.zeros(90)])
w, b = np.zeros(2), 0.0
losses = []
for epoch in range(20):
    # a new order in every epoch
    np.random.shuffle(X)
    for k in range(0, 180, 30):
        p = 1 / (1 + np.exp(-(X[k:k + 30] @ w + b)))
        error = p - y[k:k + 30]
        w -= 0.2 * X[k:k + 30].T @ error / 30
        b -= 0.2 * error.mean()
    q = 1 / (1 + np.exp(-(X @ w + b)))
    losses.append(-np.mean(y * np.log(q) + (1 - y) * np.log(1 - q)))
print(losses[0], losses[-1])
