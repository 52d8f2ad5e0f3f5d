# expected: output-derivative-missing line 21
import numpy as np

rng = np.random.default_rng(54)
points = rng.normal(size=(40, 2))
side = np.where(points[:, 0] * points[:, 1] > 0, 1.0, -1.0)

hidden = 10
A = rng.normal(size=(hidden, 2))
a = rng.normal(size=hidden)
B = rng.normal(size=hidden) * 0.5
b = 0.0
gamma = 0.03

for lap in range(150):
    squares = 0.0
    for x, t in zip(points, side):
        u = np.tanh(A @ x + a)
        out = np.tanh(B @ u + b)
        squares += 0.5 * (out - t) ** 2
        delta = out - t
        back = delta * B * (1 - u ** 2)
        B -= gamma * delta * u
        b -= gamma * delta
        A -= gamma * back[:, None] * x[None, :]
        a -= gamma * back
    if lap % 25 == 0:
        print("lap", lap, "error", squares / len(points))

out = np.tanh(np.tanh(points @ A.T + a) @ B + b)
print("right side:", np.mean(np.sign(out) == side))
