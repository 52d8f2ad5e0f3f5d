import numpy as np

x_train = np.random.rand(100)
y_train = 2 * x_train + 1 + np.random.normal(0, 0.1, 100)


def gradient_descent(x, y, lr=1e-1, epochs=1000):
    a, b = np.random.randn(2)
    history = []
    for _ in range(epochs):
        err = (a * x + b) - y
        history.append(np.mean(err**2))
        a, b = a - lr * 2 * np.mean(err * x), b - lr * 2 * np.mean(err)
    return a, b, history


a, b, history = gradient_descent(x_train, y_train)
