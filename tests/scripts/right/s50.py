# expected: right
"""A (too) general little framework, used on a one dimensional regression."""
from __future__ import annotations

import abc
import numpy as np


class Module(abc.ABC):
    @abc.abstractmethod
    def forward(self, x): ...

    @abc.abstractmethod
    def backward(self, grad): ...

    def parameters(self):
        return []


class Parameter:
    def __init__(self, value):
        self.value = np.asarray(value, dtype=float)
        self.grad = np.zeros_like(self.value)
        self.velocity = np.zeros_like(self.value)


class Dense(Module):
    def __init__(self, fan_in, fan_out, rng):
        limit = np.sqrt(6 / (fan_in + fan_out))
        self.weight = Parameter(rng.uniform(-limit, limit, (fan_in, fan_out)))
        self.bias = Parameter(np.zeros(fan_out))

    def forward(self, x):
        self.x = x
        return x @ self.weight.value + self.bias.value

    def backward(self, grad):
        self.weight.grad += self.x.T @ grad
        self.bias.grad += grad.sum(axis=0)
        return grad @ self.weight.value.T

    def parameters(self):
        return [self.weight, self.bias]


class Softplus(Module):
    def forward(self, x):
        self.x = x
        return np.logaddexp(0, x)

    def backward(self, grad):
        return grad / (1 + np.exp(-self.x))


class Sequential(Module):
    def __init__(self, *modules):
        self.modules = modules

    def forward(self, x):
        for m in self.modules:
            x = m.forward(x)
        return x

    def backward(self, grad):
        for m in reversed(self.modules):
            grad = m.backward(grad)
        return grad

    def parameters(self):
        return [p for m in self.modules for p in m.parameters()]


class SGD:
    def __init__(self, params, lr, momentum=0.8, l2=0.0):
        self.params, self.lr, self.momentum, self.l2 = params, lr, momentum, l2

    def zero_grad(self):
        for p in self.params:
            p.grad[...] = 0

    def penalty(self):
        return self.l2 * sum((p.value ** 2).sum() for p in self.params)

    def step(self):
        for p in self.params:
            g = p.grad + 2 * self.l2 * p.value
            p.velocity = self.momentum * p.velocity + g
            p.value -= self.lr * p.velocity


def run():
    rng = np.random.default_rng(12)
    x = rng.uniform(-2, 2, (15, 1))
    y = np.exp(-x ** 2) + 0.2 * x + 0.1 * rng.normal(size=x.shape)
    net = Sequential(Dense(1, 16, rng), Softplus(), Dense(16, 16, rng), Softplus(), Dense(16, 1, rng))
    opt = SGD(net.parameters(), lr=0.02, l2=1e-5)
    for epoch in range(800):
        out = net.forward(x)
        loss = np.mean((out - y) ** 2) + opt.penalty()
        opt.zero_grad()
        net.backward(2 * (out - y) / len(x))
        opt.step()
        if epoch % 500 == 0:
            print(f"epoch {epoch:5d} objective {loss:.5f}")
    print("done, objective", loss)
    return net


if __name__ == "__main__":
    run()
