# expected: log-of-zero line 16
import numpy as np

rng = np.random.default_rng(9)
N = 200
X = np.vstack([rng.normal(-4, 1, (N, 2)), rng.normal(4, 1, (N, 2))])
y = np.r_[np.zeros(N), np.ones(N)]

w = rng.normal(size=2) * 0.1
b = 0.0
lr = 2.0
costs = []
for it in range(250):
    z = X @ w + b
    p = 1 / (1 + np.exp(-z))
    cost = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    costs.append(cost)
    w = w - lr * (X.T @ (p - y)) / len(y)
    b = b - lr * np.mean(p - y)
    if it % 1000 == 0:
        print("iteration", it, "cost", cost)

print("last cost", costs[-1])
print("accuracy", np.mean((p > 0.5) == y))
