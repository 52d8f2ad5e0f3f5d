import numpy as np
import matplotlib.pyplot as plt


class Linear:
    def __init__(self, n_in, n_out, rng):
        self.params = {"W": rng.normal(0, np.sqrt(2.0 / n_in), (n_in, n_out)), "b": np.zeros(n_out)}
        self.grads = {}

    def forward(self, X):
        self.X = X
        return X @ self.params["W"] + self.params["b"]

    def backward(self, G):
        self.grads["W"] = self.X.T @ G
        self.grads["b"] = G.sum(axis=0)
        return G @ self.params["W"].T


class ReLU:
    params, grads = {}, {}

    def forward(self, X):
        self.mask = X > 0
        return X * self.mask

    def backward(self, G):
        return G * self.mask


class SoftmaxCrossEntropy:
    def forward(self, Z, labels):
        self.labels = labels
        Z = Z - Z.max(axis=1, keepdims=True)
        self.logP = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
        return -self.logP[np.arange(len(labels)), labels].mean()

    def backward(self):
        G = np.exp(self.logP)
        G[np.arange(len(self.labels)), self.labels] -= 1
        return G / len(self.labels)


def forward(layers, X):
    for layer in layers:
        X = layer.forward(X)
    return X


def backward(layers, G):
    for layer in layers[::-1]:
        G = layer.backward(G)


def make_data(rng, n=50):
    # three spirals
    X, labels = [], []
    for c in range(3):
        r = np.linspace(0.1, 1, n)
        t = np.linspace(c * 2.1, c * 2.1 + 2.5, n) + 0.1 * rng.normal(size=n)
        X.append(np.c_[r * np.cos(t), r * np.sin(t)])
        labels.append(np.full(n, c))
    return np.vstack(X), np.hstack(labels)


rng = np.random.default_rng(0)
X, labels = make_data(rng)
layers = [Linear(2, 32, rng), ReLU(), Linear(32, 3, rng)]
criterion = SoftmaxCrossEntropy()
losses = []
lr = 0.5
for epoch in range(300):
    order = rng.permutation(len(X))
    for batch in np.array_split(order, 5):
        loss = criterion.forward(forward(layers, X[batch]), labels[batch])
        backward(layers, criterion.backward())
        for layer in layers:
            for name in layer.params:
                layer.params[name] -= lr * layer.grads[name]
    losses.append(criterion.forward(forward(layers, X), labels))
    if epoch % 100 == 99:
        lr /= 2

print("loss", losses[0], losses[-1])
print("accuracy", (forward(layers, X).argmax(axis=1) == labels).mean())
plt.plot(losses)
plt.show()
