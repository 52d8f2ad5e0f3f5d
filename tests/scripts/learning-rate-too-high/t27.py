# expected: learning-rate-too-high line 11
import numpy as np
import matplotlib.pyplot as plt

rng = np.random.default_rng(45)
X = rng.normal(size=(200, 4))
y = (2 * X[:, 0] - X[:, 1] + np.abs(X[:, 2]) * 3).reshape(-1, 1)

layer1 = {"W": rng.normal(0, np.sqrt(2 / 4), (4, 32)), "b": np.zeros(32)}
layer2 = {"W": rng.normal(0, np.sqrt(2 / 32), (32, 1)), "b": np.zeros(1)}
learning_rate = 0.3
epochs = 200
losses = []

for epoch in range(epochs):
    z = X @ layer1["W"] + layer1["b"]
    h = np.maximum(z, 0)
    pred = h @ layer2["W"] + layer2["b"]
    losses.append(np.mean((pred - y) ** 2))

    grad_pred = 2 * (pred - y) / len(X)
    grad_h = grad_pred @ layer2["W"].T
    grad_z = grad_h * (z > 0)

    layer2["W"] -= learning_rate * h.T @ grad_pred
    layer2["b"] -= learning_rate * grad_pred.sum(axis=0)
    layer1["W"] -= learning_rate * X.T @ grad_z
    layer1["b"] -= learning_rate * grad_z.sum(axis=0)

    if epoch % 20 == 0:
        print(f"Epoch {epoch}: {losses[-1]}")

plt.plot(losses)
plt.yscale("log")
plt.show()
