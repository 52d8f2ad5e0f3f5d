# expected: metric-wrong line 26
import numpy as np
from sklearn.datasets import load_breast_cancer

d = load_breast_cancer()
X = (d.data - d.data.mean(0)) / d.data.std(0)
y = d.target.reshape(-1, 1)
rng = np.random.default_rng(1)
idx = rng.permutation(len(X))
train, val = idx[:450], idx[450:]


class LogReg:
    def __init__(self, dim):
        self.w = np.zeros((dim, 1))
        self.b = 0.0

    def proba(self, X):
        return 1 / (1 + np.exp(-(X @ self.w + self.b)))

    def loss(self, X, y):
        p = self.proba(X)
        return -np.mean(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))

    def accuracy(self, X, y):
        return np.mean((self.proba(X) > 0) == y)

    def step(self, X, y, lr):
        err = self.proba(X) - y
        self.w -= lr * X.T @ err / len(X)
        self.b -= lr * err.mean()


clf = LogReg(X.shape[1])
for epoch in range(60):
    clf.step(X[train], y[train], 0.2)
    if epoch % 100 == 0:
        print(f"epoch {epoch}: train {clf.loss(X[train], y[train]):.4f} "
              f"val {clf.loss(X[val], y[val]):.4f} val accuracy {clf.accuracy(X[val], y[val]):.3f}")
