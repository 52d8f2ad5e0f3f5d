# expected: learning-rate-too-high line 23
import numpy as np

def make_data(n, seed):
    r = np.random.RandomState(seed)
    t = r.uniform(-1, 1, n)
    y = 0.5 - 1.2 * t + 2.0 * t**2 + 0.05 * r.randn(n)
    return t, y

def features(t):
    return np.stack([np.ones_like(t), t, t**2, t**3], axis=1)

def mse(theta, A, y):
    r = A @ theta - y
    return (r @ r) / len(y)

def gradient(theta, A, y):
    return 2 * A.T @ (A @ theta - y) / len(y)

t, y = make_data(80, 5)
A = features(t)
theta = np.zeros(4)
step_size = 0.9
for k in range(400):
    theta = theta - step_size * gradient(theta, A, y)
    if k % 40 == 0:
        print(k, mse(theta, A, y))
print("theta", theta)
print("mse", mse(theta, A, y))
