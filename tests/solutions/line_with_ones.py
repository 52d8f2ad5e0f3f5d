import numpy as np
np.random.seed(7)
X = np.random.rand(100, 1)
y = 3 * X[:, 0] - 1 + 0.1 * np.random.randn(100)
A = np.hstack([X, np.ones((100, 1))])
theta = np.random.randn(2)
alpha = 0.1
cost = []
for it in range(1000):
    residual = A @ theta - y
    gradient = 2 / len(y) * A.T @ residual
    theta = theta - alpha * gradient
    cost.append(np.mean(residual ** 2))
print(theta, np.linalg.lstsq(A, y, rcond=None)[0])
