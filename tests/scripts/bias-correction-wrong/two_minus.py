# expected: bias-correction-wrong line 25
"""Adam, counting epochs, with a 2 where a 1 belongs in what a mean is divided by."""
import numpy as np

rng = np.random.default_rng(14)
X = rng.normal(size=(120, 4))
t = np.tanh(X @ np.array([[1.0], [-1.0], [0.5], [0.0]]))
P = {"V": rng.normal(size=(4, 6)), "w": rng.normal(size=(6, 1)) / 2}
first = {name: np.zeros_like(p) for name, p in P.items()}
second = {name: np.zeros_like(p) for name, p in P.items()}


for epoch in range(1, 25):
    cost = 0.0
    for rows in np.split(rng.permutation(120), 6):
        h = np.tanh(X[rows] @ P["V"])
        error = h @ P["w"] - t[rows]
        cost += (error**2).sum() / 120
        d = 2 * error / len(rows)
        grads = {"w": h.T @ d, "V": X[rows].T @ (d @ P["w"].T * (1 - h**2))}
        for name, g in grads.items():
            first[name] = 0.8 * first[name] + 0.2 * g
            second[name] = 0.95 * second[name] + 0.05 * g**2
            a = first[name] / (1 - 0.8**epoch)
            b = second[name] / (2 - 0.95**epoch)
            P[name] -= 0.01 * a / (np.sqrt(b) + 1e-8)
    print(epoch, cost)
