# expected: right
import numpy as np

rng = np.random.default_rng(12)
y = rng.choice([-1, 1], 200)
X = rng.normal(size=(200, 2)) + 1.2 * y[:, None] * np.array([1.0, -0.5])
X = np.hstack([X, np.ones((200, 1))])
lam, w = 0.02, np.zeros(3)


def objective():
    return 0.5 * lam * w @ w + np.maximum(0, 1 - y * (X @ w)).mean()


for t in range(1, 4001):
    i = rng.integers(len(X))
    rate = 1 / (lam * t)
    if y[i] * (X[i] @ w) < 1:
        w = (1 - rate * lam) * w + rate * y[i] * X[i]
    else:
        w = (1 - rate * lam) * w
    if t % 1000 == 0:
        print(t, objective(), np.mean(np.sign(X @ w) == y))
