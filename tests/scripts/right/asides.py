# expected: right
"""Calls that stand alone in their line, and whose results are not missed: they write where they are told to."""
import numpy as np

rng = np.random.default_rng(8)
X = rng.normal(size=(60, 4))
y = np.tanh(X @ rng.normal(size=(4, 1))) * 3


class Layer:
    def __init__(self, n, m):
        self.W, self.z = rng.normal(size=(n, m)) / np.sqrt(n), np.empty((60, m))

    def forward(self, x):
        np.matmul(x, self.W, out=self.z)
        return np.tanh(self.z, self.z)


layer, V = Layer(4, 9), rng.normal(size=(9, 1))
for epoch in range(200):
    layer.forward(X)
    delta = 2 * (layer.z @ V - y) / len(X)
    grad, grad_W = layer.z.T @ delta, X.T @ (delta @ V.T * (1 - layer.z**2))
    np.clip(grad, -9, 9, out=grad)
    np.nan_to_num(grad_W, copy=False)
    V -= 0.1 * grad
    layer.W -= 0.1 * grad_W
    print(epoch, ((layer.z @ V - y) ** 2).mean())
