# expected: start-changed line 17
import numpy as np

rng = np.random.default_rng(2)
X = rng.normal(size=(50, 2))
y = X @ np.array([1.5, -0.5]) + 0.3
start = rng.normal(size=2)


def loss(w, b):
    return np.mean((X @ w + b - y) ** 2)


def train(w, b, lr, epochs):
    for epoch in range(epochs):
        err = X @ w + b - y
        w -= lr * 2 * X.T @ err / len(y)
        b -= lr * 2 * err.mean()
        if epoch % 50 == 0:
            print(epoch, loss(w, b))
    return w, b


for lr in (0.01, 0.1):
    w, b = train(start, 0.0, lr, 200)
    print("learning rate", lr, "loss", loss(w, b))
