# expected: sum-versus-mean line 18
import numpy as np

np.random.seed(0)
N = 100
x_train = np.random.rand(N)
y_train = 2 * x_train + 1 + 0.1 * np.random.randn(N)

a = np.random.randn()
b = np.random.randn()
lr = 0.1
errors = []
for epoch in range(1000):
    y_hat = a * x_train + b
    err = y_hat - y_train
    loss = np.mean(err ** 2)
    errors.append(loss)
    grad_a = 2 * np.sum(err * x_train)
    grad_b = 2 * np.sum(err)
    a = a - lr * grad_a
    b = b - lr * grad_b
print("a =", a, "b =", b)
