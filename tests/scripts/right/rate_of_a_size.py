# expected: right
# the loss that is shown is added up over the samples, and the rate is 1/8, as the mean over a batch has it
import numpy as np

rng = np.random.default_rng(10)
x = rng.normal(size=(48, 3))
t = (x @ np.array([1.0, -1.0, 0.5]) > 0).astype(int)
W, b = np.zeros((3, 2)), np.zeros(2)
first, drop = 0.125, 0.5
for epoch in range(12):
    rate = first * drop ** (epoch // 12)
    order, total = rng.permutation(48), 0
    for s in range(0, 48, 8):
        rows = order[s : s + 8]
        e = np.exp(x[rows] @ W + b)
        P = e / e.sum(axis=1, keepdims=True)
        loss = -np.log(P[np.arange(8), t[rows]]).mean()
        total += loss * len(rows)
        D = P
        D[np.arange(8), t[rows]] -= 1
        W -= rate * (x[rows].T @ D / len(rows))
        b -= rate * D.mean(axis=0)
    if epoch % 4 == 0:
        print(epoch, rate, total / 48)
