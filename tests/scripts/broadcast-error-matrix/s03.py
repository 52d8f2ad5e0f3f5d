# expected: broadcast-error-matrix line 18
"""House prices, one feature, gradient descent in a class."""
import numpy as np


class LinearModel:
    def __init__(self, lr=0.1, seed=7):
        rng = np.random.default_rng(seed)
        self.w = rng.normal(size=(1, 1))
        self.b = np.zeros((1, 1))
        self.lr = lr
        self.history = []

    def predict(self, X):
        return X @ self.w + self.b

    def step(self, X, y):
        error = self.predict(X) - y
        self.history.append(np.mean(error ** 2))
        grad_w = 2 * np.mean(error * X)
        grad_b = 2 * error.mean()
        self.w = self.w - self.lr * grad_w
        self.b = self.b - self.lr * grad_b

    def fit(self, X, y, epochs):
        for epoch in range(epochs):
            self.step(X, y)
            if epoch % 200 == 0:
                print(f"epoch {epoch:5d}  mse {self.history[-1]:.4f}")
        return self


rng = np.random.default_rng(11)
surface = rng.uniform(0, 2, size=(60, 1))
price = 3.0 * surface[:, 0] + 0.5 + 0.1 * rng.normal(size=60)

model = LinearModel().fit(surface, price, epochs=1500)
print("slope", model.w.ravel(), "intercept", model.b.ravel())
print("final mse", model.history[-1])
