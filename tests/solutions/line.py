import numpy as np

N = 100
x_train = np.random.rand(N)
y_train = 2 * x_train + 1 + 0.1 * np.random.randn(N)
a = np.random.randn()
b = np.random.randn()
lr = 1e-1
losses = []
for epoch in range(1000):
    y_hat = a * x_train + b
    err = y_hat - y_train
    loss = (err**2).sum() / N
    losses.append(loss)
    grad_a = 2 * (err * x_train).sum() / N
    grad_b = 2 * err.sum() / N
    a -= lr * grad_a
    b -= lr * grad_b
print(a, b)
