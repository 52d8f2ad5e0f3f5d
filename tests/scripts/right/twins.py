# expected: right
"""Two inputs go through one network, and the distance is trained: the last bias cancels out of it."""
import numpy as np

rng = np.random.default_rng(8)
x = rng.normal(size=(120, 3))
kind = (x[:, 0] > 0).astype(int)
A, a = rng.normal(0, 0.5, (3, 8)), np.zeros(8)
B, b = rng.normal(0, 0.5, (8, 2)), np.zeros(2)


def embed(rows):
    h = np.tanh(rows @ A + a)
    return h, h @ B + b


for step in range(300):
    i, j = rng.integers(0, 120, (2, 40))
    alike = (kind[i] == kind[j]).astype(float)
    (hi, ei), (hj, ej) = embed(x[i]), embed(x[j])
    apart = ei - ej
    d = np.sqrt((apart**2).sum(axis=1) + 1e-12)
    loss = np.mean(alike * d**2 + (1 - alike) * np.maximum(0, 1.5 - d) ** 2)
    dd = 2 * (alike * d - (1 - alike) * np.maximum(0, 1.5 - d)) / 40
    g = (dd / d)[:, None] * apart
    gA, ga, gB, gb = 0, 0, 0, 0
    for rows, h, way in ((x[i], hi, g), (x[j], hj, -g)):
        back = (way @ B.T) * (1 - h**2)
        gB, gb = gB + h.T @ way, gb + way.sum(axis=0)
        gA, ga = gA + rows.T @ back, ga + back.sum(axis=0)
    A -= 0.2 * gA
    a -= 0.2 * ga
    B -= 0.2 * gB
    b -= 0.2 * gb
    if step % 100 == 0:
        print(step, loss)
