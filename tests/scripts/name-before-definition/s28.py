# expected: name-before-definition line 6
import numpy as np

rng = np.random.default_rng(40)
X = rng.uniform(-2, 2, size=(100, 2))
y = target_function(X)


def target_function(X):
    return np.sin(X[:, 0]) * X[:, 1]


n_hidden = 20
W1 = rng.normal(size=(2, n_hidden))
b1 = np.zeros(n_hidden)
w2 = rng.normal(size=n_hidden) / n_hidden
b2 = 0.0

for epoch in range(2000):
    h = np.tanh(X @ W1 + b1)
    out = h @ w2 + b2
    e = out - y
    dw2 = 2 * h.T @ e / len(y)
    db2 = 2 * e.mean()
    dh = 2 * np.outer(e, w2) * (1 - h ** 2) / len(y)
    W1 -= 0.1 * X.T @ dh
    b1 -= 0.1 * dh.sum(axis=0)
    w2 -= 0.1 * dw2
    b2 -= 0.1 * db2
    if epoch % 400 == 0:
        print(epoch, (e ** 2).mean())
print("final", (e ** 2).mean())
