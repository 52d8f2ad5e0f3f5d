# expected: weight-gradient-wrong line 25
import numpy as np

rng = np.random.default_rng(0)
V, d = 12, 4
A = rng.normal(0, 0.1, (V, d))
B = rng.normal(0, 0.1, (V, d))
pairs = [(i, (i + 1) % V) for i in range(V)] * 3


def sig(x):
    return 1 / (1 + np.exp(-x))


for epoch in range(5):
    total = 0.0
    for c, o in pairs:
        p = sig(A[c] @ B[o])
        total -= np.log(p)
        g = (p - 1) * B[o]
        B[o] -= 0.05 * (p - 1) * A[c]
        for n in rng.integers(0, V, 3):
            q = sig(A[c] @ B[n])
            total -= np.log(1 - q)
            g = q * B[n]
            B[n] -= 0.05 * q * A[c]
        A[c] -= 0.05 * g
    print(epoch, total / len(pairs))
