# expected: learning-rate-twice line 28
import numpy as np

rng = np.random.default_rng(7)
x = rng.uniform(-2, 2, size=(60, 1))
t = np.sin(2 * x) + 0.05 * rng.standard_normal((60, 1))


class Dense:
    def __init__(self, n_in, n_out, activation):
        self.W = rng.standard_normal((n_out, n_in)) * np.sqrt(1.0 / n_in)
        self.b = np.zeros(n_out)
        self.activation = activation

    def forward(self, a):
        self.a_in = a
        self.z = a @ self.W.T + self.b
        if self.activation == "tanh":
            self.out = np.tanh(self.z)
        else:
            self.out = self.z
        return self.out

    def backward(self, grad):
        if self.activation == "tanh":
            grad = grad * (1 - self.out ** 2)
        self.grad_W = grad.T @ self.a_in
        self.grad_b = eta * grad.sum(axis=0)
        return grad @ self.W

    def update(self, eta):
        self.W = self.W - eta * self.grad_W
        self.b = self.b - eta * self.grad_b


layers = [Dense(1, 12, "tanh"), Dense(12, 12, "tanh"), Dense(12, 1, "linear")]
eta = 0.1
for step in range(375):
    out = x
    for layer in layers:
        out = layer.forward(out)
    error = out - t
    mse = np.mean(error ** 2)
    grad = 2 * error / len(x)
    for layer in reversed(layers):
        grad = layer.backward(grad)
    for layer in layers:
        layer.update(eta)
    if step % 500 == 0:
        print(f"step {step}: mse = {mse:.5f}")
