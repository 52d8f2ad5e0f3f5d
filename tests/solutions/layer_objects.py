import numpy as np

class Linear:
    def __init__(self, n_in, n_out, rng):
        self.W = rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_out))
        self.b = np.zeros(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T

class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out
    def backward(self, grad):
        return grad * (1 - self.out ** 2)

class Sequential:
    def __init__(self, *layers):
        self.layers = layers
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
    def step(self, lr):
        for layer in self.layers:
            if isinstance(layer, Linear):
                layer.W -= lr * layer.dW
                layer.b -= lr * layer.db

rng = np.random.default_rng(1)
X = rng.uniform(-1, 1, (80, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)
net = Sequential(Linear(2, 8, rng), Tanh(), Linear(8, 1, rng))
for epoch in range(2000):
    out = net.forward(X)
    loss = np.mean((out - Y) ** 2)
    net.backward(2 * (out - Y) / len(X))
    net.step(0.3)
print(loss)
