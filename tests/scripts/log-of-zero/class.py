# expected: log-of-zero line 29
import numpy as np


def make_circles(n, rng):
    angle = rng.uniform(0, 2 * np.pi, n)
    label = np.arange(n) % 2
    radius = np.where(label == 0, 0.5, 1.5) + 0.1 * rng.standard_normal(n)
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return points, label.reshape(-1, 1).astype(float)


class MLP:
    def __init__(self, n_in, n_hidden, n_out, rng):
        self.W1 = rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_hidden))
        self.b1 = np.zeros(n_hidden)
        self.W2 = rng.normal(0, 1 / np.sqrt(n_hidden), (n_hidden, n_out))
        self.b2 = np.zeros(n_out)

    def forward(self, X):
        self.X = X
        self.z1 = X @ self.W1 + self.b1
        self.h = np.maximum(0, self.z1)
        self.z2 = 60 * (self.h @ self.W2 + self.b2)
        self.p = 1 / (1 + np.exp(-self.z2))
        return self.p

    def loss(self, y):
        return -np.mean(y * np.log(self.p) + (1 - y) * np.log(1 - self.p))

    def backward(self, y):
        n = len(y)
        dz2 = (self.p - y) / n
        self.dW2 = self.h.T @ dz2
        self.db2 = dz2.sum(axis=0)
        dz2 = 60 * dz2
        self.dW2 = self.h.T @ dz2
        self.db2 = dz2.sum(axis=0)
        dh = dz2 @ self.W2.T
        dz1 = dh * (self.z1 > 0)
        self.dW1 = self.X.T @ dz1
        self.db1 = dz1.sum(axis=0)

    def step(self, lr):
        self.W1 -= lr * self.dW1
        self.b1 -= lr * self.db1
        self.W2 -= lr * self.dW2
        self.b2 -= lr * self.db2


rng = np.random.default_rng(0)
X, y = make_circles(25, rng)
X = 3 * X
net = MLP(2, 16, 1, rng)
batch = 20
for epoch in range(8):
    order = rng.permutation(len(X))
    epoch_loss = 0.0
    for start in range(0, len(X), batch):
        idx = order[start:start + batch]
        net.forward(X[idx])
        epoch_loss += net.loss(y[idx])
        net.backward(y[idx])
        net.step(0.02)
    if epoch % 30 == 0:
        print("epoch", epoch, "loss", epoch_loss / (len(X) // batch))
accuracy = np.mean((net.forward(X) > 0.5) == y)
print("accuracy", accuracy)
