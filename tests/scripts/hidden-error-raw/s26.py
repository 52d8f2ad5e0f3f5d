# expected: hidden-error-raw line 27
import numpy as np

class Perceptron2:
    """two inputs, a few hidden sigmoids, one output"""

    def __init__(self, hidden=6):
        r = np.random.RandomState(1234)
        self.V = r.uniform(-1, 1, (hidden, 2))
        self.a = r.uniform(-1, 1, (hidden, 1))
        self.U = r.uniform(-1, 1, (1, hidden))
        self.c = r.uniform(-1, 1, (1, 1))

    @staticmethod
    def squash(s):
        return 1.0 / (1.0 + np.exp(-s))

    def run(self, x):
        self.x = x.reshape(2, 1)
        self.h = self.squash(self.V @ self.x + self.a)
        self.o = self.squash(self.U @ self.h + self.c)
        return self.o

    def learn(self, target, eta):
        error = self.o - target
        delta_o = error * self.o * (1 - self.o)
        delta_h = error * self.h * (1 - self.h)
        self.U -= eta * delta_o @ self.h.T
        self.c -= eta * delta_o
        self.V -= eta * delta_h @ self.x.T
        self.a -= eta * delta_h
        return 0.5 * error.item() ** 2


patterns = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
net = Perceptron2()
for sweep in range(500):
    E = 0.0
    for x, t in patterns:
        net.run(np.array(x, dtype=float))
        E += net.learn(t, 0.5)
    if sweep % 1000 == 0:
        print("sweep", sweep, "error", E)
for x, t in patterns:
    print(x, t, net.run(np.array(x, dtype=float)).item())
