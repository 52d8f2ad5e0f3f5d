# expected: input-mutated line 19
import numpy as np

rng = np.random.default_rng(48)
X_train = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y_train = np.array([[0], [1], [1], [0]], dtype=float)


class Net:
    def __init__(self, hidden, lr):
        self.lr = lr
        self.W1 = rng.normal(size=(2, hidden))
        self.b1 = np.zeros(hidden)
        self.W2 = rng.normal(size=(hidden, 1)) * 0.5
        self.b2 = np.zeros(1)

    def forward(self, x):
        # inputs from {0, 1} to {-1, 1}
        x *= 2
        x -= 1
        self.x = x
        self.h = np.tanh(x @ self.W1 + self.b1)
        return self.h @ self.W2 + self.b2

    def backward(self, diff):
        g = 2 * diff / len(diff)
        gh = g @ self.W2.T * (1 - self.h ** 2)
        self.W2 -= self.lr * self.h.T @ g
        self.b2 -= self.lr * g.sum(axis=0)
        self.W1 -= self.lr * self.x.T @ gh
        self.b1 -= self.lr * gh.sum(axis=0)


net = Net(hidden=6, lr=0.1)
for epoch in range(250):
    diff = net.forward(X_train) - y_train
    if epoch % 200 == 0:
        print("epoch", epoch, "mse", np.mean(diff ** 2))
    net.backward(diff)
print("mse", np.mean(diff ** 2))
