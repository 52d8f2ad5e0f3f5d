# expected: right
# no calculus today: every slope is measured
import numpy as np

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
y = np.array([0, 1, 1, 0], float)
rng = np.random.default_rng(7)
p = rng.normal(size=2 * 3 + 3 + 3 + 1)


def net(p, X):
    W, b, v, c = p[:6].reshape(2, 3), p[6:9], p[9:12], p[12]
    return 1 / (1 + np.exp(-(np.tanh(X @ W + b) @ v + c)))


def loss(p):
    return ((net(p, X) - y) ** 2).sum()


def slopes(p, h=1e-5):
    g = np.zeros_like(p)
    for i in range(len(p)):
        e = np.zeros_like(p)
        e[i] = h
        g[i] = (loss(p + e) - loss(p - e)) / (2 * h)
    return g


for k in range(100):
    p -= 0.5 * slopes(p)
    if k % 1500 == 0:
        print(k, loss(p))
print(net(p, X).round(3), loss(p))
