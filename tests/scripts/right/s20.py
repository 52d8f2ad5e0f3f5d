# expected: right
import numpy as np


def sigmoid(s):
    return np.where(s >= 0, 1 / (1 + np.exp(-np.abs(s))), np.exp(-np.abs(s)) / (1 + np.exp(-np.abs(s))))


def objective(theta, X, y, lam):
    p = np.clip(sigmoid(X @ theta), 1e-12, 1 - 1e-12)
    nll = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    return nll + 0.5 * lam * np.sum(theta[1:] ** 2)


def grad(theta, X, y, lam):
    g = X.T @ (sigmoid(X @ theta) - y) / len(y)
    g[1:] += lam * theta[1:]
    return g


def fit(X, y, lam=0.05, lr=0.6, steps=50):
    theta = np.zeros(X.shape[1])
    trace = []
    for _ in range(steps):
        trace.append(objective(theta, X, y, lam))
        theta = theta - lr * grad(theta, X, y, lam)
    return theta, trace


if __name__ == "__main__":
    rng = np.random.default_rng(77)
    raw = rng.normal(size=(250, 4))
    truth = np.array([1.5, -2.0, 0.0, 0.7])
    y = (raw @ truth + 0.3 + 0.5 * rng.normal(size=250) > 0).astype(float)
    X = np.hstack([np.ones((250, 1)), raw])
    theta, trace = fit(X, y)
    print("start", trace[0], "end", trace[-1])
    print("theta", theta.round(3))
    print("accuracy", np.mean((X @ theta > 0) == (y == 1)))
