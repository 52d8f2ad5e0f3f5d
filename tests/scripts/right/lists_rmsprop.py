# expected: right
"""Lists of numbers, all samples at once, and a step divided by the root of what is remembered."""
import math
import random

random.seed(8)
n = 4
params = {
    "w": [random.uniform(-2, 2) for _ in range(n)],
    "b": [random.uniform(-1, 1) for _ in range(n)],
    "v": [random.uniform(-0.5, 0.5) for _ in range(n)],
    "c": [0.0],
}
memory = {name: [0.0] * len(p) for name, p in params.items()}
samples = [(x / 4 - 1.5, math.sin(x / 2)) for x in range(8)]


def step(name, grads, rate=0.02):
    for i, g in enumerate(grads):
        memory[name][i] = 0.9 * memory[name][i] + 0.1 * g * g
        params[name][i] -= rate * g / (math.sqrt(memory[name][i]) + 1e-8)


for epoch in range(300):
    w, b, v, c = params.values()
    grads = {name: [0.0] * len(p) for name, p in params.items()}
    loss = 0.0
    for x, y in samples:
        hidden = [math.tanh(w[j] * x + b[j]) for j in range(n)]
        error = c[0] + sum(v[j] * hidden[j] for j in range(n)) - y
        loss += error**2
        grads["c"][0] += 2 * error
        for j in range(n):
            back = 2 * error * v[j] * (1 - hidden[j] ** 2)
            grads["v"][j] += 2 * error * hidden[j]
            grads["w"][j] += back * x
            grads["b"][j] += back
    for name, g in grads.items():
        step(name, g)
    if epoch % 50 == 0:
        print(epoch, loss)
