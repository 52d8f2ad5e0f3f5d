# expected: label-without-effect line 13
import numpy as np

rng = np.random.default_rng(7)
X = np.vstack([rng.normal(-1.5, 1, (40, 2)), rng.normal(1.5, 1, (40, 2))])
t = np.r_[np.zeros(40), np.ones(40)]
w, b = np.zeros(2), 0.0
shrink, rate = 0.01, 0.1


for epoch in range(60):
    score = X @ w + b
    margin = t * score
    loss = shrink / 2 * w @ w + np.mean(np.maximum(0, 1 - margin))
    inside = (margin < 1) * t
    w -= rate * (shrink * w - X.T @ inside / len(t))
    b += rate * np.mean(inside)
    if epoch % 20 == 0:
        print(epoch, loss)
