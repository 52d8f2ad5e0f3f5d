# expected: hidden-derivative-missing line 16 or 31
import numpy as np

def make(n=200, seed=36):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n, 2))
    return X, np.sin(3 * X[:, :1] + 2 * X[:, 1:])


class Tanh:
    def forward(self, z):
        self.out = np.tanh(z)
        return self.out

    def backward(self, grad):
        return grad


class Linear:
    def __init__(self, i, o, rng):
        self.W = rng.normal(0, 1 / np.sqrt(i), (i, o))
        self.b = np.zeros(o)

    def forward(self, x):
        self.inp = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.inp.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T

    def apply(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


X, Y = make()
rng = np.random.default_rng(0)
model = [Linear(2, 16, rng), Tanh(), Linear(16, 16, rng), Tanh(), Linear(16, 1, rng)]
for epoch in range(75):
    out = X
    for layer in model:
        out = layer.forward(out)
    loss = np.mean((out - Y) ** 2)
    grad = 2 * (out - Y) / len(X)
    for layer in model[::-1]:
        grad = layer.backward(grad)
    for layer in model:
        if hasattr(layer, "apply"):
            layer.apply(0.05)
    if epoch % 300 == 0:
        print("epoch", epoch, "loss", loss)
print("loss", loss)
