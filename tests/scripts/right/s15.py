# expected: right
import numpy as np
from sklearn.datasets import make_moons

X, t = make_moons(25, noise=0.15, random_state=4)
t = t[:, None]
np.random.seed(4)
n_in, n_h = 2, 40
W1 = np.random.randn(n_in, n_h) * 0.8
b1 = np.random.randn(n_h) * 1.0 - 1.0
W2 = np.random.randn(n_h, 1) * np.sqrt(1 / n_h)
b2 = np.zeros((1,))

relu = lambda z: np.maximum(z, 0)
sigmoid = lambda z: 1 / (1 + np.exp(-z))

lr = 0.5
for epoch in range(300):
    z1 = X @ W1 + b1
    a1 = relu(z1)
    p = sigmoid(a1 @ W2 + b2)
    bce = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    dz2 = (p - t) / X.shape[0]
    dz1 = (dz2 @ W2.T) * (z1 > 0)
    W2 -= lr * (a1.T @ dz2)
    b2 -= lr * dz2.sum(0)
    W1 -= lr * (X.T @ dz1)
    b1 -= lr * dz1.sum(0)
    if epoch % 500 == 0:
        print(epoch, bce)
print("bce", bce, "accuracy", ((p > 0.5) == t).mean())
