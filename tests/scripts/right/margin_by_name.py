# expected: right
"""A support vector machine by single steps; whether a row is inside the margin is asked first, and used by name."""
import numpy as np

rng = np.random.default_rng(2)
x = np.hstack([rng.normal(size=(90, 3)), np.ones((90, 1))])
side = np.where(x @ np.array([1.0, -2.0, 0.5, 0.3]) > 0, 1.0, -1.0)
strength = 0.05
w = np.zeros(4)
count = 0
for epoch in range(30):
    for i in rng.permutation(90):
        count += 1
        rate = 1 / (strength * count)
        inside = side[i] * (x[i] @ w) < 1
        w = (1 - rate * strength) * w
        if inside:
            w = w + rate * side[i] * x[i]
    hinge = np.maximum(0, 1 - side * (x @ w)).mean()
    print(epoch, strength / 2 * (w @ w) + hinge)
