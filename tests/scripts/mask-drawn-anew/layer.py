# expected: mask-drawn-anew line 16 or 17
"""Layers as objects; the dropout layer draws its mask once more when the error comes back."""
import numpy as np

draw = np.random.RandomState(4)


class Drop:
    def __init__(self, keep):
        self.keep = keep

    def forward(self, x):
        return x * (draw.uniform(size=x.shape) < self.keep) / self.keep

    def backward(self, error):
        on = draw.uniform(size=error.shape) < self.keep
        return error * on / self.keep


class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = draw.normal(0, 0.5, (n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, error):
        back = error @ self.W.T
        self.W -= 0.2 * self.x.T @ error
        self.b -= 0.2 * error.sum(axis=0)
        return back


class Tanh:
    def forward(self, z):
        self.a = np.tanh(z)
        return self.a

    def backward(self, error):
        return error * (1 - self.a**2)


X = draw.normal(size=(60, 3))
T = np.eye(2)[(X[:, 0] * X[:, 1] > 0).astype(int)]
net = [Dense(3, 14), Tanh(), Drop(0.7), Dense(14, 2)]
for epoch in range(8):
    out = X
    for layer in net:
        out = layer.forward(out)
    p = np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
    print(epoch, -np.sum(T * np.log(p)) / len(X))
    error = (p - T) / len(X)
    for layer in reversed(net):
        error = layer.backward(error)
