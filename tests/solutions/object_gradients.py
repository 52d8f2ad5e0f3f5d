import numpy as np


class XORNet:
    def __init__(self, n_in=2, n_hidden=10, n_out=1, lr=0.5, seed=1):
        gen = np.random.RandomState(seed)
        self.w1 = gen.randn(n_in, n_hidden)
        self.b1 = np.zeros(n_hidden)
        self.w2 = gen.randn(n_hidden, n_out)
        self.b2 = np.zeros(n_out)
        self.lr = lr

    @staticmethod
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def forward(self, x):
        self.x = x
        self.a1 = self.sigmoid(np.dot(x, self.w1) + self.b1)
        self.a2 = self.sigmoid(np.dot(self.a1, self.w2) + self.b2)
        return self.a2

    def loss(self, y):
        return 0.5 * np.sum((self.a2 - y) ** 2)

    def backward(self, y):
        d2 = (self.a2 - y) * self.a2 * (1 - self.a2)
        d1 = np.dot(d2, self.w2.T) * self.a1 * (1 - self.a1)
        self.dw2 = np.dot(self.a1.T, d2)
        self.db2 = d2.sum(axis=0)
        self.dw1 = np.dot(self.x.T, d1)
        self.db1 = d1.sum(axis=0)

    def step(self):
        for name in ("w1", "b1", "w2", "b2"):
            p = getattr(self, name)
            p -= self.lr * getattr(self, "d" + name)

    def fit(self, x, y, epochs=10000, verbose=True):
        hist = []
        for epoch in range(epochs):
            self.forward(x)
            hist.append(self.loss(y))
            self.backward(y)
            self.step()
            if verbose and epoch % 2000 == 0:
                print(epoch, hist[-1])
        return hist


X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float64)
y = np.logical_xor(X[:, 0], X[:, 1]).astype(float).reshape(-1, 1)

net = XORNet()
history = net.fit(X, y)
print("final loss", history[-1])
print(np.round(net.forward(X), 2))
