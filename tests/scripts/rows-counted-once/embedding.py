# expected: rows-counted-once line 23
"""Words as rows of a table, averaged and classified; a word that several sentences hold keeps one gradient."""
import numpy as np

rng = np.random.default_rng(15)
sentences = rng.integers(0, 12, size=(50, 4))
labels = (sentences.sum(axis=1) > 22).astype(float)
table = rng.normal(0, 0.5, (12, 5))
v, b = rng.normal(0, 0.5, 5), 0.0


for epoch in range(15):
    words = table[sentences]
    p = 1 / (1 + np.exp(-(words.mean(axis=1) @ v + b)))
    if epoch % 30 == 0:
        print(epoch, -np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))
    d = (p - labels) / len(labels)
    grad_v = words.mean(axis=1).T @ d
    of_words = np.repeat((d[:, None] * v)[:, None, :] / 4, 4, axis=1)
    grad_table = np.zeros_like(table)


    grad_table[sentences] += of_words
    table -= 0.8 * grad_table
    v -= 0.8 * grad_v
    b -= 0.8 * d.sum()
