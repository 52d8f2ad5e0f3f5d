# expected: right
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(60, 4)); y = X @ rng.normal(size=4) * 5
w = np.zeros(4); b = 0.0
for k in range(200):
    r = X @ w + b - y
    g, gb = 2 * X.T @ r / len(y), 2 * r.mean()
    n = np.linalg.norm(g)
    if n > 1.0:
        g = g / n * min(n, 1.0)
    w -= 0.05 * g
    b -= 0.05 * gb
    if k % 50 == 0: print(np.mean(r**2))
