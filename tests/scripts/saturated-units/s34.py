# expected: saturated-units line 13
import numpy as np
from sklearn.datasets import make_moons

np.random.seed(27)
X, y = make_moons(n_samples=150, noise=0.1, random_state=27)
y = y.reshape(-1, 1)

def sigma(z):
    return 1 / (1 + np.exp(-z))

n_h = 12
W1 = np.random.randn(2, n_h) * 50
b1 = np.random.randn(1, n_h) * 50
W2 = np.random.randn(n_h, 1) * 50
b2 = np.random.randn(1, 1) * 12
lr = 1.0

for epoch in range(375):
    A1 = sigma(X @ W1 + b1)
    A2 = sigma(A1 @ W2 + b2)
    loss = np.mean((A2 - y) ** 2)
    d2 = 2 * (A2 - y) * A2 * (1 - A2) / len(X)
    d1 = (d2 @ W2.T) * A1 * (1 - A1)
    W2 -= lr * A1.T @ d2
    b2 -= lr * d2.sum(axis=0)
    W1 -= lr * X.T @ d1
    b1 -= lr * d1.sum(axis=0)
    if epoch % 500 == 0:
        print("epoch", epoch, "loss", loss)
print("accuracy", np.mean((A2 > 0.5) == (y > 0.5)))
