# expected: reshape-instead-of-transpose line 9
import numpy as np

rng = np.random.default_rng(9)
ages, sizes, weights = rng.uniform(20, 70, 90), rng.normal(170, 10, 90), rng.normal(70, 12, 90)
table = np.array([ages, sizes, weights])
table = (table - table.mean(axis=1, keepdims=True)) / table.std(axis=1, keepdims=True)
wanted = table[0] - 0.5 * table[1] + 0.1 * rng.normal(size=90)
X = table.reshape(90, 3)
w, b = np.zeros(3), 0.0
for epoch in range(60):
    error = X @ w + b - wanted
    loss = np.mean(error**2)
    w -= 0.1 * X.T @ error / 90
    b -= 0.1 * np.mean(error)
    if epoch % 20 == 0:
        print(epoch, loss)
