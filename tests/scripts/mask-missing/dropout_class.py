# expected: mask-missing line 23 or 29
"""A classifier with dropout in a class, whose backward pass forgets the mask."""
import numpy as np


class Classifier:
    def __init__(self, rng, n_in, hidden, classes, keep=0.7):
        self.rng, self.keep = rng, keep
        self.W1, self.b1 = rng.normal(0, 0.4, (n_in, hidden)), np.zeros(hidden)
        self.W2, self.b2 = rng.normal(0, 0.4, (hidden, classes)), np.zeros(classes)

    def forward(self, X, training):
        self.X = X
        self.h = np.tanh(X @ self.W1 + self.b1)
        self.mask = (self.rng.uniform(size=self.h.shape) < self.keep) / self.keep if training else np.ones_like(self.h)
        self.dropped = self.h * self.mask
        scores = self.dropped @ self.W2 + self.b2
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, P, Y, rate):
        d2 = (P - Y) / len(Y)
        dh = d2 @ self.W2.T
        # the mask belongs here
        self.W2 -= rate * self.dropped.T @ d2
        self.b2 -= rate * d2.sum(axis=0)

        # and the slope of tanh
        d1 = dh * (1 - self.h**2)


        self.W1 -= rate * self.X.T @ d1
        self.b1 -= rate * d1.sum(axis=0)


rng = np.random.default_rng(9)
X = rng.normal(size=(90, 4))
Y = np.eye(3)[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)]
model = Classifier(rng, 4, 12, 3)
for epoch in range(25):
    P = model.forward(X, training=True)
    loss = -np.mean(np.sum(Y * np.log(P), axis=1))
    model.backward(P, Y, 0.5)
    if epoch % 40 == 0:
        print(epoch, loss)
