# expected: parameter-never-updated line 33
"""The optimizer is given two of three layers."""
import numpy as np

rng = np.random.default_rng(8)


class Layer:
    def __init__(self, fan_in, fan_out, bend=True):
        self.W, self.b, self.bend = rng.normal(size=(fan_in, fan_out)) / fan_in**0.5, np.zeros(fan_out), bend

    def forward(self, x):
        self.x, z = x, x @ self.W + self.b
        self.a = np.tanh(z) if self.bend else z
        return self.a

    def backward(self, d):
        d = d * (1 - self.a**2) if self.bend else d
        self.dW, self.db = self.x.T @ d, d.sum(axis=0)
        return d @ self.W.T


def step(layers, rate):
    for layer in layers:
        layer.W -= rate * layer.dW
        layer.b -= rate * layer.db


X = rng.uniform(-1, 1, size=(90, 2))
y = np.cos(2 * X[:, :1]) + X[:, 1:]
first, second, third = Layer(2, 9), Layer(9, 7), Layer(7, 1, bend=False)
chain = [first, second, third]
trained = [first, third]
for epoch in range(300):
    out = X
    for layer in chain:
        out = layer.forward(out)
    error = out - y
    d = 2 * error / len(X)
    for layer in chain[::-1]:
        d = layer.backward(d)
    step(trained, 0.1)
    if epoch % 50 == 0:
        print(epoch, (error**2).mean())
