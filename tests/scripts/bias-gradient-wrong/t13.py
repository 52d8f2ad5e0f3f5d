# expected: bias-gradient-wrong line 19
import numpy as np

np.random.seed(31)
N = 100
x_train = np.random.rand(N)
y_train = 2 * x_train + 1 + 0.1 * np.random.randn(N)

a, b = np.random.randn(2)
lr = 1e-1
errors = np.zeros(1000)

for epoch in range(1000):
    y_pred = a * x_train + b
    err = y_pred - y_train
    loss = np.sum(err ** 2) / N
    errors[epoch] = loss
    grad_a = 2 * np.sum(err * x_train) / N
    grad_b = 2 * np.sum(err * x_train) / N
    a = a - lr * grad_a
    b = b - lr * grad_b
    if (epoch + 1) % 250 == 0:
        print("epoch", epoch + 1, "loss", loss)

print(f"y = {a:.3f} x + {b:.3f}")
