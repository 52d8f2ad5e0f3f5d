# expected: right
import numpy as np
from sklearn.datasets import load_digits

F = np.float32
rng = np.random.default_rng(8)
data = load_digits()
X = (data.data / 16).astype(F)
T = data.target
n_train = 200

W = [(rng.standard_normal((a, b)) * np.sqrt(2 / a)).astype(F) for a, b in ((64, 48), (48, 10))]
B = [np.zeros(48, F), np.zeros(10, F)]
cache = [np.zeros_like(p) for p in W + B]
rho, lr, eps = F(0.9), F(0.002), F(1e-7)

def forward(x):
    z = x @ W[0] + B[0]
    h = np.where(z > 0, z, F(0))
    s = h @ W[1] + B[1]
    s -= s.max(1, keepdims=True)
    p = np.exp(s)
    p /= p.sum(1, keepdims=True)
    return z, h, p

for epoch in range(8):
    order = rng.permutation(n_train)
    running = 0.0
    for chunk in np.array_split(order, 8):
        x, t = X[chunk], T[chunk]
        z, h, p = forward(x)
        running -= np.log(p[np.arange(len(t)), t] + 1e-9).sum()
        d = p.copy()
        d[np.arange(len(t)), t] -= 1
        d /= len(t)
        dh = (d @ W[1].T) * (z > 0)
        grads = [x.T @ dh, h.T @ d, dh.sum(0), d.sum(0)]
        for p_, g, c in zip(W + B, grads, cache):
            c *= rho
            c += (1 - rho) * g * g
            p_ -= lr * g / (np.sqrt(c) + eps)
    acc = (forward(X[n_train:])[2].argmax(1) == T[n_train:]).mean()
    print(f"epoch {epoch:2d}  train loss {running / n_train:.4f}  test accuracy {acc:.4f}")
