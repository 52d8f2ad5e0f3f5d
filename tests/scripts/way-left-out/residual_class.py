# expected: way-left-out line 27 or 28
"""A residual block h + f(h): the backward pass goes through f, and forgets the h beside it."""
import numpy as np


class Net:
    def __init__(self, rng):
        self.A = rng.normal(0, 0.5, (3, 7))
        self.B = rng.normal(0, 0.4, (7, 7))
        self.C = rng.normal(0, 0.4, (7, 1))

    def forward(self, X):
        self.X = X
        self.h = np.tanh(X @ self.A)
        self.inner = np.tanh(self.h @ self.B)
        self.out = self.h + self.inner
        return self.out @ self.C

    def backward(self, error):
        self.dC = self.out.T @ error
        back = error @ self.C.T
        inner = back * (1 - self.inner**2)
        self.dB = self.h.T @ inner



        back = inner @ self.B.T
        self.dA = self.X.T @ (back * (1 - self.h**2))


rng = np.random.default_rng(5)
X = rng.normal(size=(60, 3))
Y = np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:]
net = Net(rng)
for epoch in range(12):
    off = net.forward(X) - Y
    if epoch % 20 == 0:
        print(epoch, np.mean(off**2))
    net.backward(2 * off / len(X))
    for name in "ABC":
        setattr(net, name, getattr(net, name) - 0.05 * getattr(net, "d" + name))
