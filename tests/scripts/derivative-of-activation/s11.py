# expected: derivative-of-activation line 28
import numpy as np

np.random.seed(8)

X = np.linspace(-2, 2, 40).reshape(-1, 1)
T = 0.5 * X ** 2 - 0.3 * X

def tanh(z):
    return np.tanh(z)

def dtanh(z):
    return 1 - np.tanh(z) ** 2

class Net:
    def __init__(self, sizes):
        self.weights = [np.random.randn(i, o) * 0.7 for i, o in zip(sizes[:-1], sizes[1:])]
        self.biases = [np.zeros((1, o)) for o in sizes[1:]]

    def forward(self, x):
        self.h = tanh(x @ self.weights[0] + self.biases[0])
        self.out = self.h @ self.weights[1] + self.biases[1]
        return self.out

    def backward(self, x, t):
        n = len(x)
        d_out = 2 * (self.out - t) / n
        d_hid = (d_out @ self.weights[1].T) * dtanh(self.h)
        return [x.T @ d_hid, self.h.T @ d_out], [d_hid.sum(0, keepdims=True), d_out.sum(0, keepdims=True)]

net = Net([1, 12, 1])
for it in range(375):
    net.forward(X)
    gw, gb = net.backward(X, T)
    net.weights = [w - 0.05 * g for w, g in zip(net.weights, gw)]
    net.biases = [b - 0.05 * g for b, g in zip(net.biases, gb)]
    if it % 500 == 0:
        print(it, np.mean((net.out - T) ** 2))
print("done", np.mean((net.forward(X) - T) ** 2))
