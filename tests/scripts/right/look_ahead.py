# expected: right
# a number that is multiplied in twice on the way of a velocity, and not on that of a gradient
import numpy as np

rng = np.random.default_rng(2)
x = rng.normal(size=(60, 4))
y = x @ np.array([1.0, -2.0, 0.5, 3.0]) + 0.1 * rng.normal(size=60)
w, velocity = np.zeros(4), np.zeros(4)
rate, keep = 0.03, 0.8
for turn in range(60):
    g = 2 * x.T @ (x @ w - y) / len(y)
    velocity = keep * velocity - rate * g
    w = w + keep * velocity - rate * g
    if turn % 20 == 0:
        print(turn, np.mean((x @ w - y) ** 2))
