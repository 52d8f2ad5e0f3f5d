# expected: bias-correction-wrong line 24
"""Adam on mini-batches, whose memories are corrected themselves, again and again."""
import numpy as np

rng = np.random.default_rng(4)
X = rng.normal(size=(120, 3))
y = np.tanh(X @ [1.0, -2.0, 0.5])[:, None]
theta = {"V": rng.normal(size=(3, 8)), "W": rng.normal(size=(8, 1)) / 3}
m = {k: np.zeros_like(v) for k, v in theta.items()}
s = {k: np.zeros_like(v) for k, v in theta.items()}
count = 0
for epoch in range(30):
    order = rng.permutation(len(X))
    for start in range(0, len(X), 20):
        batch = order[start : start + 20]
        hidden = np.tanh(X[batch] @ theta["V"])
        error = hidden @ theta["W"] - y[batch]
        delta = 2 * error / len(batch)
        grads = {"W": hidden.T @ delta, "V": X[batch].T @ (delta @ theta["W"].T * (1 - hidden**2))}
        count += 1
        for k, g in grads.items():
            m[k] = 0.9 * m[k] + (1 - 0.9) * g
            s[k] = 0.99 * s[k] + (1 - 0.99) * g**2
            m[k] = m[k] / (1 - 0.9**count)
            s[k] = s[k] / (1 - 0.99**count)
            theta[k] -= 0.01 * m[k] / (np.sqrt(s[k]) + 1e-8)
    print(epoch, (error**2).mean())
