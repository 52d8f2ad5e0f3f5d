# expected: sum-versus-mean line 31
import numpy as np


class Network:
    def __init__(self, n_in, n_hidden, n_out, seed):
        rng = np.random.default_rng(seed)
        self.p = {
            "W1": rng.normal(0, np.sqrt(1 / n_in), (n_in, n_hidden)),
            "b1": np.zeros((1, n_hidden)),
            "W2": rng.normal(0, np.sqrt(1 / n_hidden), (n_hidden, n_out)),
            "b2": np.zeros((1, n_out)),
        }

    def forward(self, X):
        self.X = X
        self.H = np.tanh(X @ self.p["W1"] + self.p["b1"])
        self.Y = self.H @ self.p["W2"] + self.p["b2"]
        return self.Y

    def loss(self, T):
        return np.sum((self.Y - T) ** 2) / (2 * len(T))

    def backward(self, T):
        n = len(T)
        dY = self.Y - T
        dH = dY @ self.p["W2"].T * (1 - self.H ** 2)
        self.g = {
            "W2": self.H.T @ dY / n,
            "b2": dY.mean(axis=0, keepdims=True),
            "W1": self.X.T @ dH,
            "b1": dH.mean(axis=0, keepdims=True),
        }

    def update(self, lr):
        for key in self.p:
            self.p[key] -= lr * self.g[key]


rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (20, 2))
T = np.hstack([np.sin(2 * X[:, :1]), X[:, :1] * X[:, 1:]])

net = Network(2, 10, 2, seed=1)
for epoch in range(2000):
    net.forward(X)
    net.backward(T)
    net.update(0.05)
    if epoch % 250 == 0:
        print(f"Epoch {epoch:>5}: {net.loss(T):.6f}")
net.forward(X)
print("final", net.loss(T))
