# expected: label-leak line 11 or 12
"""Letters are to be guessed from the three before them; the last of these is the letter itself."""
import numpy as np

text = "the cat sat on the mat and the rat ate the hat that the cat had on the mat " * 5
letters = sorted(set(text))
ids = np.array([letters.index(c) for c in text])
rng = np.random.default_rng(1)
before, wanted = [], []
for i in range(len(ids) - 3):
    before.append(ids[i : i + 3])
    wanted.append(ids[i + 2])
before, wanted = np.array(before), np.array(wanted)
E, W, c = rng.normal(0, 0.5, (len(letters), 4)), rng.normal(0, 0.3, (12, len(letters))), np.zeros(len(letters))
for epoch in range(6):
    total = 0.0
    for k in range(0, len(wanted), 25):
        rows, y = before[k : k + 25], wanted[k : k + 25]
        e = E[rows].reshape(len(y), -1)
        z = e @ W + c
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        total -= np.log(p[np.arange(len(y)), y]).sum()
        d = p.copy()
        d[np.arange(len(y)), y] -= 1
        d /= len(y)
        back = (d @ W.T).reshape(len(y), 3, 4)
        W -= 0.5 * e.T @ d
        c -= 0.5 * d.sum(axis=0)
        np.add.at(E, rows, -0.5 * back)
    print(epoch, total / len(wanted))
