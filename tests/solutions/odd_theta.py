import numpy as np

m = 100
x = np.random.rand(m)
y = 2 * x + 1 + 0.1 * np.random.randn(m)
A = np.c_[x, np.ones(m)]
theta = np.random.randn(2)
for i in range(1000):
    residual = A @ theta - y
    gradient = 2 / m * A.T @ residual
    theta -= 0.1 * gradient
cost = np.mean((A @ theta - y) ** 2)
