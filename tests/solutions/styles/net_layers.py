import numpy as np

class Layer:
    def __init__(self, n_in, n_out, last=False):
        self.W = np.random.randn(n_in, n_out) / np.sqrt(n_in)
        self.b = np.zeros((1, n_out))
        self.last = last

    def forward(self, a):
        self.a_in = a
        self.z = a @ self.W + self.b
        if self.last:
            e = np.exp(self.z - self.z.max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True)
        return np.maximum(0.0, self.z)

    def backward(self, delta):
        if not self.last:
            delta = delta * (self.z > 0)
        self.dW = self.a_in.T @ delta
        self.db = delta.sum(axis=0, keepdims=True)
        return delta @ self.W.T

class Network:
    def __init__(self, sizes):
        pairs = list(zip(sizes[:-1], sizes[1:]))
        self.layers = [Layer(m, n, last=(k == len(pairs) - 1)) for k, (m, n) in enumerate(pairs)]

    def forward(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def loss(self, X, Y):
        return -np.mean(np.sum(Y * np.log(self.forward(X) + 1e-12), axis=1))

    def backward(self, X, Y):
        delta = (self.forward(X) - Y) / len(X)
        for layer in reversed(self.layers):
            delta = layer.backward(delta)
