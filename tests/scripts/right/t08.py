# expected: right
import numpy as np

rng = np.random.default_rng(64)
D, H, O = 3, 14, 2
shapes = [(D, H), (H,), (H, O), (O,)]
ends = np.cumsum([int(np.prod(s)) for s in shapes])
flat = rng.normal(0, 0.6, ends[-1])
W1, b1, W2, b2 = (flat[e - int(np.prod(s)):e].reshape(s) for s, e in zip(shapes, ends))

X = rng.normal(size=(90, D))
T = np.stack([np.tanh(X[:, 0] + X[:, 1]), X[:, 1] * X[:, 2]], 1)
eta = 0.1

for it in range(3000):
    A = np.tanh(X @ W1 + b1)
    R = A @ W2 + b2 - T
    cost = (R ** 2).sum() / (2 * len(X))
    W2_before = W2.copy()
    W2 -= eta * A.T @ R / len(X)
    b2 -= eta * R.mean(0)
    S = (R @ W2_before.T) * (1 - A ** 2)
    W1 -= eta * X.T @ S / len(X)
    b1 -= eta * S.mean(0)
    if it % 500 == 0:
        print(it, cost, "norm of parameters", np.linalg.norm(flat))
print("cost", cost)
