# expected: root-of-negative line 20
"""Adam whose second memory takes in the gradient, not its square."""
import numpy as np

rng = np.random.default_rng(3)
X = rng.normal(size=(80, 3))
y = np.tanh(X @ [1.0, -2.0, 0.5])[:, None]
weights = {"V": rng.normal(size=(3, 8)) / 2, "W": rng.normal(size=(8, 1)) / 3}
first = {k: np.zeros_like(w) for k, w in weights.items()}
second = {k: np.zeros_like(w) for k, w in weights.items()}
for step in range(1, 101):
    hidden = np.tanh(X @ weights["V"])
    error = hidden @ weights["W"] - y
    print((error**2).mean())
    delta = 2 * error / len(X)
    back = delta @ weights["W"].T * (1 - hidden**2)
    grads = {"W": hidden.T @ delta, "V": X.T @ back}
    for k, g in grads.items():
        first[k] = 0.9 * first[k] + 0.1 * g
        second[k] = 0.99 * second[k] + 0.01 * g
        m, v = first[k] / (1 - 0.9**step), second[k] / (1 - 0.99**step)
        weights[k] = weights[k] - 0.01 * m / (np.sqrt(v) + 1e-8)
