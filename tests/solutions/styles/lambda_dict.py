import numpy as np

sigmoid = lambda z: 1 / (1 + np.exp(-z))
ACTIVATIONS = {
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(0, z), lambda z: (z > 0).astype(float)),
}

class MLP:
    def __init__(self, sizes, activation="tanh", seed=0):
        rng = np.random.default_rng(seed)
        self.f, self.df = ACTIVATIONS[activation]
        self.W = [rng.normal(0, 0.5, (m, n)) for m, n in zip(sizes, sizes[1:])]
        self.b = [np.zeros(n) for n in sizes[1:]]

    def forward(self, X):
        self.z, self.a = [], [X]
        for W, b in zip(self.W, self.b):
            self.z.append(self.a[-1] @ W + b)
            self.a.append(self.f(self.z[-1]))
        return self.a[-1]

    def cost(self, X, y):
        return 0.5 * np.sum((self.forward(X) - y) ** 2)

    def backprop(self, X, y):
        delta = (self.forward(X) - y) * self.df(self.z[-1])
        dW, db = [], []
        for k in reversed(range(len(self.W))):
            dW.insert(0, self.a[k].T @ delta)
            db.insert(0, delta.sum(axis=0))
            if k:
                delta = delta @ self.W[k].T * self.df(self.z[k - 1])
        return dW, db
