import numpy as np

x = np.random.rand(100)
y = 2 * x + 1 + np.random.randn(100) * 0.1


def predict(x, w, b):
    return w * x + b


def compute_loss(y_pred, y):
    return ((y_pred - y) ** 2).mean()


def compute_gradients(x, y, w, b):
    error = predict(x, w, b) - y
    dw = 2 * (error * x).mean()
    db = 2 * error.mean()
    return dw, db


w, b = np.random.randn(), np.random.randn()
for i in range(1000):
    dw, db = compute_gradients(x, y, w, b)
    w = w - 0.1 * dw
    b = b - 0.1 * db
