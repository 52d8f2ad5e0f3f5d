# expected: integer-parameters line 8
import numpy as np

np.random.seed(77)
X = np.random.randint(0, 10, size=(60, 3))
y = X @ np.array([2, -1, 3]) + 4 + np.random.normal(0, 0.5, 60)

w = np.zeros_like(X[0])
b = 0.0
lr = 0.005

for epoch in range(3000):
    pred = X @ w + b
    err = pred - y
    if epoch % 300 == 0:
        print("epoch", epoch, "mse", np.mean(err ** 2))
    w -= lr * 2 * X.T @ err / len(y)
    b -= lr * 2 * err.mean()

print("w =", w, "b =", b)
