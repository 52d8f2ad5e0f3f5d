# expected: updated-weights-used line 19
import numpy as np

rng = np.random.default_rng(5)
readers, books, traits = 30, 20, 3
taste = rng.normal(size=(readers, traits)) @ rng.normal(size=(traits, books)) + 3
seen = [(r, b) for r in range(readers) for b in range(books) if rng.random() < 0.5]
middle = np.mean([taste[pair] for pair in seen])
R = 0.1 * rng.normal(size=(readers, traits))
B = 0.1 * rng.normal(size=(books, traits))
rate, shrink = 0.03, 0.02

for turn in range(20):
    off = 0.0
    for k in rng.permutation(len(seen)):
        r, b = seen[k]
        error = taste[r, b] - middle - R[r] @ B[b]
        off += error**2
        before = R[r]
        R[r] += rate * (error * B[b] - shrink * R[r])
        B[b] += rate * (error * before - shrink * B[b])
    if turn % 5 == 0:
        print("turn", turn, "mean square", off / len(seen))
