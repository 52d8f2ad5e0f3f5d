# expected: result-unused line 27
"""Adam, with another number under the root than the mean of the squares that it keeps."""
import numpy as np

rng = np.random.default_rng(12)
X = rng.uniform(-2, 2, (150, 2))
y = np.sin(X[:, :1]) + X[:, 1:] ** 2 / 3
theta = [rng.normal(size=(2, 10)), np.zeros(10), rng.normal(size=(10, 1)) / 3, np.zeros(1)]
means = [np.zeros_like(p) for p in theta]
squares = [np.zeros_like(p) for p in theta]


for n in range(1, 150):
    h = np.tanh(X @ theta[0] + theta[1])
    error = h @ theta[2] + theta[3] - y
    if n % 50 == 1:
        print(n, (error**2).mean())
    d = 2 * error / len(X)
    e = d @ theta[2].T * (1 - h**2)
    grads = [X.T @ e, e.sum(axis=0), h.T @ d, d.sum(axis=0)]
    for k, g in enumerate(grads):
        means[k] = 0.9 * means[k] + 0.1 * g
        squares[k] = 0.99 * squares[k] + 0.01 * g * g
        m = means[k] / (1 - 0.9**n)
        s = squares[k] / (1 - 0.99**n)
        rate = 0.02
        theta[k] = theta[k] - rate * m / (np.sqrt(n) + 1e-8)
