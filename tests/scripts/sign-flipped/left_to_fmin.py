# expected: sign-flipped line 17
"""Logistic regression left to SciPy with two functions, the gradient's sign turned."""
import numpy as np
from scipy.optimize import fmin_bfgs

rng = np.random.default_rng(6)
X = np.c_[np.ones(80), rng.normal(size=(80, 2))]
y = (X @ [0.3, 1.0, -1.0] + rng.normal(size=80) > 0).astype(float)


def cost(theta):
    p = 1 / (1 + np.exp(-X @ theta))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def gradient(theta):
    return X.T @ (y - 1 / (1 + np.exp(-X @ theta))) / len(y)


theta = fmin_bfgs(cost, np.zeros(3), fprime=gradient, disp=False)
print(cost(theta))
