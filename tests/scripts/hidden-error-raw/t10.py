# expected: hidden-error-raw line 28
import numpy as np
import matplotlib.pyplot as plt

rng = np.random.default_rng(38)
X = rng.uniform(-1, 1, (100, 2))
y = ((X ** 2).sum(axis=1) < 0.6).astype(float).reshape(-1, 1)

n_hidden = 12
model = {
    "Wh": rng.normal(0, 2, (2, n_hidden)), "bh": rng.normal(0, 1, (1, n_hidden)),
    "Wo": rng.normal(0, 1, (n_hidden, 1)), "bo": np.zeros((1, 1)),
}


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def forward(m, X):
    h = sigmoid(X @ m["Wh"] + m["bh"])
    return h, sigmoid(h @ m["Wo"] + m["bo"])


def backward(m, X, y, h, o):
    error = o - y
    delta_o = error * o * (1 - o)
    delta_h = (error @ m["Wo"].T) * h * (1 - h)
    n = len(X)
    return {"Wo": h.T @ delta_o / n, "bo": delta_o.mean(axis=0), "Wh": X.T @ delta_h / n, "bh": delta_h.mean(axis=0)}


curve = []
for epoch in range(500):
    h, o = forward(model, X)
    curve.append(0.5 * np.mean((o - y) ** 2))
    g = backward(model, X, y, h, o)
    model = {k: model[k] - 1.0 * g[k] for k in model}
    if epoch % 1000 == 0:
        print("epoch", epoch, "half mse", curve[-1])
print("final", curve[-1], "accuracy", np.mean((o > 0.5) == (y > 0.5)))
plt.plot(curve)
plt.show()
