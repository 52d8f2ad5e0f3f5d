# expected: label-without-effect line 16
import math
import random

random.seed(8)
rows = []
for _ in range(60):
    y = random.randint(0, 1)
    rows.append(([random.gauss(2 * y - 1, 0.8), random.gauss(1 - 2 * y, 0.8)], y))
w, b = [0.1, -0.1], 0.0

for epoch in range(10):
    total = 0.0
    for x, y in rows:
        f = w[0] * x[0] + w[1] * x[1] + b
        m = y * f
        total += math.log(1 + math.exp(-m))
        g = -y / (1 + math.exp(m))
        w = [wi - 0.1 * g * xi for wi, xi in zip(w, x)]
        b -= 0.1 * g
    print(epoch, total / len(rows))
