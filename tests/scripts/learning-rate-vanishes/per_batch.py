# expected: learning-rate-vanishes line 27
"""The rate is made smaller after every batch instead of every epoch."""
import numpy as np

rng = np.random.default_rng(5)
X = rng.uniform(-2, 2, size=(240, 2))
t = np.sin(X[:, :1]) * X[:, 1:]
V, c = rng.normal(size=(2, 15)), np.zeros(15)
w, b = 0.3 * rng.normal(size=(15, 1)), np.zeros(1)
rate = 0.05
for epoch in range(80):
    order = rng.permutation(240)
    total = 0.0
    for begin in range(0, 240, 24):
        rows = order[begin:begin + 24]
        h = np.tanh(X[rows] @ V + c)
        out = h @ w + b
        d = (out - t[rows]) / len(rows)
        total += 0.5 * ((out - t[rows]) ** 2).sum()
        e = d @ w.T * (1 - h**2)
        grads = [X[rows].T @ e, e.sum(0), h.T @ d, d.sum(0)]
        V -= rate * grads[0]
        c -= rate * grads[1]
        w -= rate * grads[2]
        b -= rate * grads[3]
        # the schedule
        rate = 0.96 * rate
    if epoch % 10 == 0:
        print(epoch, total / 240)
