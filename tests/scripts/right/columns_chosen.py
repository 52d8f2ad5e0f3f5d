# expected: right
"""The columns are chosen by the labels of the rows that are learned from."""
import numpy as np

rng = np.random.default_rng(21)
table = rng.normal(size=(80, 300))
answer = rng.integers(0, 2, size=80).astype(float)

mixed = rng.permutation(80)
learned, tested = mixed[:55], mixed[55:]
known, told = table[learned], answer[learned]
apart = known[told == 1].mean(axis=0) - known[told == 0].mean(axis=0)
best = np.argsort(np.abs(apart))[-12:]
table = table[:, best]
w, b = np.zeros(12), 0.0
for turn in range(200):
    p = 1 / (1 + np.exp(-(table[learned] @ w + b)))
    e = p - answer[learned]
    w -= 0.3 * table[learned].T @ e / len(e)
    b -= 0.3 * e.mean()
    if turn % 50 == 0:
        print(turn, np.mean(np.abs(e)))
p = 1 / (1 + np.exp(-(table[tested] @ w + b)))
print("share right on the rows held out", np.mean((p > 0.5) == answer[tested]))
