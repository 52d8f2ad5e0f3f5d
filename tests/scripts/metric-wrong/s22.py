# expected: metric-wrong line 23
import numpy as np
from sklearn.datasets import load_iris

iris = load_iris()
X = (iris.data - iris.data.mean(0)) / iris.data.std(0)
y = iris.target.reshape(-1, 1)
Y = np.eye(3)[y.ravel()]

rng = np.random.default_rng(10)
W1, b1 = rng.normal(0, 0.4, (4, 12)), np.zeros((1, 12))
W2, b2 = rng.normal(0, 0.4, (12, 3)), np.zeros((1, 3))


def forward(X):
    h = np.maximum(0, X @ W1 + b1)
    s = h @ W2 + b2
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return h, e / e.sum(axis=1, keepdims=True)


def accuracy(P, y):
    return np.mean(np.argmax(P, axis=1) == y)


for epoch in range(50):
    h, P = forward(X)
    loss = -np.sum(Y * np.log(P)) / len(y)
    dS = (P - Y) / len(y)
    dH = dS @ W2.T
    dH[h <= 0] = 0
    W2 -= 0.3 * h.T @ dS
    b2 -= 0.3 * dS.sum(axis=0, keepdims=True)
    W1 -= 0.3 * X.T @ dH
    b1 -= 0.3 * dH.sum(axis=0, keepdims=True)
    if epoch % 100 == 0:
        print(f"{epoch} loss={loss:.4f} acc={accuracy(P, y):.3f}")

print(f"final loss={loss:.4f} acc={accuracy(P, y):.3f}")
