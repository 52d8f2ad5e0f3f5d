import numpy as np


class MLP(object):
    def __init__(self, sizes, activation=np.tanh, eta=0.1):
        self.sizes = sizes
        self.eta = eta
        self.act = activation
        self.weights = [np.random.randn(b, a) / np.sqrt(a) for a, b in zip(sizes, sizes[1:])]
        self.biases = [np.zeros((b, 1)) for b in sizes[1:]]

    def feedforward(self, a):
        self.activations = [a]
        for w, b in zip(self.weights, self.biases):
            a = self.act(w @ a + b)
            self.activations.append(a)
        return a

    def backprop(self, x, y):
        out = self.feedforward(x)
        delta = (out - y) * (1 - out**2)
        nabla_w, nabla_b = [], []
        for w, a in zip(self.weights[::-1], self.activations[-2::-1]):
            nabla_w.append(delta @ a.T)
            nabla_b.append(delta.sum(axis=1, keepdims=True))
            delta = (w.T @ delta) * (1 - a**2)
        return nabla_w[::-1], nabla_b[::-1]

    def fit(self, x, y, epochs=100):
        for _ in range(epochs):
            nabla_w, nabla_b = self.backprop(x, y)
            self.weights = [w - self.eta * n for w, n in zip(self.weights, nabla_w)]
            self.biases = [b - self.eta * n for b, n in zip(self.biases, nabla_b)]


net = MLP([2, 6, 1])
net.fit(np.array([[0, 0, 1, 1], [0, 1, 0, 1.0]]), np.array([[0, 1, 1, 0.0]]), 3000)
