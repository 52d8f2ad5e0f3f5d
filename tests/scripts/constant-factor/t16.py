# expected: constant-factor line 31
import numpy as np

rng = np.random.default_rng(71)

class Sigmoid:
    def __call__(self, z):
        return 1 / (1 + np.exp(-z))

    def derivative_from_output(self, a):
        return a * (1 - a)

class TwoLayer:
    def __init__(self, d, h, k):
        self.W1, self.b1 = rng.normal(0, 1, (d, h)), rng.normal(0, 1, h)
        self.W2, self.b2 = rng.normal(0, 1, (h, k)), rng.normal(0, 1, k)
        self.act = Sigmoid()

    def predict(self, X):
        self.a1 = self.act(X @ self.W1 + self.b1)
        self.a2 = self.act(self.a1 @ self.W2 + self.b2)
        return self.a2

    def train_step(self, X, Y, lr):
        out = self.predict(X)
        loss = np.mean(np.sum((out - Y) ** 2, axis=1))
        delta2 = 2 * (out - Y) * self.act.derivative_from_output(out) / len(X)
        delta1 = 2 * (delta2 @ self.W2.T) * self.act.derivative_from_output(self.a1)
        self.W2 -= lr * self.a1.T @ delta2
        self.b2 -= lr * delta2.sum(axis=0)
        self.W1 -= lr * X.T @ delta1
        self.b1 -= lr * delta1.sum(axis=0)
        return loss

X = rng.normal(size=(120, 3))
Y = np.column_stack([X[:, 0] > 0.2, X[:, 1] * X[:, 2] > 0]).astype(float)
net = TwoLayer(3, 10, 2)
for epoch in range(375):
    loss = net.train_step(X, Y, 1.0)
    if epoch % 500 == 0:
        print(f"epoch {epoch:4d}: loss {loss:.4f}")
print("accuracy per output", ((net.predict(X) > 0.5) == Y).mean(axis=0))
