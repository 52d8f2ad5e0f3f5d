# expected: stale-gradient line 30
import numpy as np

rng = np.random.default_rng(26)
X = rng.normal(size=(150, 3))
truth = np.array([1.0, -2.0, 0.5])
y = (X @ truth + 0.4 > 0).astype(float)
y[rng.choice(150, 12, replace=False)] = rng.integers(0, 2, 12)
A = np.c_[X, np.ones(150)]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def loss(theta):
    p = np.clip(sigmoid(A @ theta), 1e-12, 1 - 1e-12)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def gradient(theta):
    return A.T @ (sigmoid(A @ theta) - y) / len(y)


theta = np.zeros(4)
alpha = 0.3
iteration = 0
g = gradient(theta)
while np.linalg.norm(g) > 1e-4 and iteration < 2000:
    theta = theta - alpha * g
    iteration += 1
    if iteration % 200 == 0:
        print(iteration, "loss", loss(theta))
print("theta", theta, "loss", loss(theta))
