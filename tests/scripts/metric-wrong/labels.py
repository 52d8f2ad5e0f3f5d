# expected: metric-wrong line 27
"""Labels of -1 and 1 are learned, and the answers that are measured with them are 0 and 1."""
import numpy as np

rng = np.random.default_rng(2)
plane = rng.normal(size=(160, 2))
side = np.where(plane[:, 0] * plane[:, 1] > 0, 1, -1)
near, far = plane[:120], plane[120:]
A, a = rng.normal(size=(2, 12)), np.zeros(12)
B, b = 0.3 * rng.normal(size=(12, 1)), np.zeros(1)


def answer(x):
    h = np.tanh(x @ A + a)
    return h, np.tanh(h @ B + b)


for _ in range(200):
    h, y = answer(near)
    delta = (y - side[:120, None]) * (1 - y**2) / 120
    dh = delta @ B.T * (1 - h**2)
    B -= 0.8 * h.T @ delta
    b -= 0.8 * delta.sum(axis=0)
    A -= 0.8 * near.T @ dh
    a -= 0.8 * dh.sum(axis=0)
said = (answer(far)[1][:, 0] > 0).astype(int)
print("share right", np.mean(said == side[120:]))
