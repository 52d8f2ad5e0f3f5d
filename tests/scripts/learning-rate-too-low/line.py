# expected: learning-rate-too-low line 8
"""A line of which hundreds of steps find next to nothing."""
import numpy as np

rng = np.random.default_rng(3)
x = rng.uniform(-2, 2, 50)
y = 3 * x + 5 + 0.3 * rng.normal(size=50)
rate = 0.00001
a, b = 0.0, 0.0
for step in range(400):
    error = a * x + b - y
    print((error**2).mean())
    a = a - rate * 2 * (error * x).mean()
    b = b - rate * 2 * error.mean()
