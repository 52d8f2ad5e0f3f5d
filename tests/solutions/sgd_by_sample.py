import numpy as np

np.random.seed(7)
data = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
X = np.array([d[0] for d in data], dtype=float)
T = np.array([[d[1]] for d in data], dtype=float)
W1 = np.random.randn(10, 2)
B1 = np.random.randn(10)
W2 = np.random.randn(1, 10)
B2 = np.random.randn(1)
eta = 0.5


def sigma(x):
    return 1 / (1 + np.exp(-x))


def sigma_prime(x):
    return sigma(x) * (1 - sigma(x))


for epoch in range(3000):
    total_loss = 0
    for x, t in zip(X, T):
        z1 = W1 @ x + B1
        a1 = sigma(z1)
        z2 = W2 @ a1 + B2
        a2 = sigma(z2)
        total_loss += np.sum((a2 - t) ** 2)
        d2 = 2 * (a2 - t) * sigma_prime(z2)
        d1 = (W2.T @ d2) * sigma_prime(z1)
        W2 -= eta * np.outer(d2, a1)
        B2 -= eta * d2
        W1 -= eta * np.outer(d1, x)
        B1 -= eta * d1
