# expected: updated-weights-used line 29
import numpy as np


class MLP:
    def __init__(self, *layers, seed=0):
        rng = np.random.default_rng(seed)
        self.weights = [rng.normal(0, 1, (n, m)) for m, n in zip(layers[:-1], layers[1:])]
        self.biases = [rng.normal(0, 1, (n, 1)) for n in layers[1:]]

    @staticmethod
    def f(z):
        return 1 / (1 + np.exp(-z))

    def feedforward(self, a):
        self.activations = [a]
        for w, b in zip(self.weights, self.biases):
            a = self.f(w @ a + b)
            self.activations.append(a)
        return a

    def backprop(self, y, eta):
        a = self.activations
        delta = (a[-1] - y) * a[-1] * (1 - a[-1])
        for l in reversed(range(len(self.weights))):
            self.weights[l] = self.weights[l] - eta * delta @ a[l].T
            self.biases[l] = self.biases[l] - eta * delta.sum(axis=1, keepdims=True)
            if l > 0:
                delta = (self.weights[l].T @ delta) * a[l] * (1 - a[l])


X = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
Y = np.array([[0, 1, 1, 0], [0, 0, 0, 1]])     # xor and carry: a half adder
net = MLP(2, 6, 2, seed=5)
for epoch in range(500):
    out = net.feedforward(X)
    if epoch % 500 == 0:
        print("epoch", epoch, "cost", 0.5 * np.sum((out - Y) ** 2))
    net.backprop(Y, eta=0.8)
print(net.feedforward(X).round(2))
