# expected: parameter-never-updated line 50 or 51 or 37
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Layer:
    W: np.ndarray
    b: np.ndarray
    last: str = "tanh"
    cache: dict = field(default_factory=dict)

    def __call__(self, x):
        z = x @ self.W + self.b
        a = np.tanh(z) if self.last == "tanh" else z
        self.cache = {"x": x, "a": a}
        return a

    def back(self, grad):
        if self.last == "tanh":
            grad = grad * (1 - self.cache["a"] ** 2)
        self.dW = self.cache["x"].T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T

    def update(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


rng = np.random.default_rng(17)
X = rng.uniform(-1, 1, (18, 2))
Y = (np.sin(3 * X[:, :1]) + X[:, 1:] ** 2)

layers = [
    Layer(rng.normal(0, 1.0, (2, 16)), rng.normal(0, 0.3, 16)),
    Layer(rng.normal(0, 0.5, (16, 16)), np.zeros(16)),
    Layer(rng.normal(0, 0.3, (16, 1)), np.zeros(1), last="linear"),
]

for epoch in range(200):
    a = X
    for layer in layers:
        a = layer(a)
    loss = np.mean((a - Y) ** 2)
    grad = 2 * (a - Y) / len(X)
    for layer in reversed(layers):
        grad = layer.back(grad)
    for layer in layers[1:]:
        layer.update(0.05)
    if epoch % 300 == 0:
        print(f"{epoch}: {loss:.5f}")
print("final:", loss)
