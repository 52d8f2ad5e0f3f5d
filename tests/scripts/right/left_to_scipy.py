# expected: right
"""A network whose parameters lie in one vector and are left to SciPy, as a first course has it."""
import numpy as np
from scipy.optimize import minimize

rng = np.random.default_rng(4)
X = rng.normal(size=(60, 3))
labels = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 2] > 0.5)
Y = np.eye(3)[labels]
n_in, n_hidden, n_out, weight_decay = 3, 5, 3, 0.1
cut = n_hidden * (n_in + 1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cost_and_gradient(theta, X, Y):
    m = len(X)
    Theta1 = theta[:cut].reshape(n_hidden, n_in + 1)
    Theta2 = theta[cut:].reshape(n_out, n_hidden + 1)
    A1 = np.hstack([np.ones((m, 1)), X])
    Z2 = A1 @ Theta1.T
    A2 = np.hstack([np.ones((m, 1)), sigmoid(Z2)])
    H = sigmoid(A2 @ Theta2.T)
    J = -np.sum(Y * np.log(H) + (1 - Y) * np.log(1 - H)) / m
    J += weight_decay / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D3 = H - Y
    D2 = (D3 @ Theta2)[:, 1:] * sigmoid(Z2) * (1 - sigmoid(Z2))
    G1, G2 = D2.T @ A1 / m, D3.T @ A2 / m
    G1[:, 1:] += weight_decay / m * Theta1[:, 1:]
    G2[:, 1:] += weight_decay / m * Theta2[:, 1:]
    return J, np.concatenate([G1.ravel(), G2.ravel()])


theta0 = rng.uniform(-0.12, 0.12, cut + n_out * (n_hidden + 1))
found = minimize(cost_and_gradient, theta0, args=(X, Y), jac=True, method="CG", options={"maxiter": 60})
print(found.fun)
