# expected: sign-flipped line 21
"""A perceptron of arrays, one sample at a time, with its threshold in np.where."""
import numpy as np

rng = np.random.default_rng(12)
X = rng.normal(size=(8, 3))
y = np.where(X @ [1.0, -1.0, 2.0] > 0.3, 1, -1)


class Perceptron:
    def __init__(self, n):
        self.w, self.b = np.zeros(n), 0.0

    def predict(self, x):
        return np.where(x @ self.w + self.b >= 0, 1, -1)

    def fit(self, X, y, rate=0.05, epochs=8):
        for _ in range(epochs):
            for x, label in zip(X, y):
                step = rate * (label - self.predict(x))
                self.w -= step * x
                self.b += step


model = Perceptron(3)
model.fit(X, y)
print((model.predict(X) == y).mean())
