# expected: bias-correction-wrong line 15
import numpy as np

rng = np.random.default_rng(8)
angles = rng.uniform(-3, 3, (120, 1))
heights = np.sin(angles) + 0.05 * rng.normal(size=angles.shape)
net = {"W": rng.normal(size=(1, 16)), "b": np.zeros(16), "V": rng.normal(size=(16, 1)) / 4, "c": np.zeros(1)}
first = {name: np.zeros_like(value) for name, value in net.items()}
second = {name: np.zeros_like(value) for name, value in net.items()}
count = 0


def adam(name, slope, rate=0.01):
    global count
    count += 1
    first[name] = 0.9 * first[name] + 0.1 * slope
    second[name] = 0.999 * second[name] + 0.001 * slope**2
    mean = first[name] / (1 - 0.9**count)
    square = second[name] / (1 - 0.999**count)
    net[name] -= rate * mean / (np.sqrt(square) + 1e-8)


for turn in range(300):
    hidden = np.tanh(angles @ net["W"] + net["b"])
    error = hidden @ net["V"] + net["c"] - heights
    delta = 2 * error / len(angles)
    back = (delta @ net["V"].T) * (1 - hidden**2)
    for name, slope in (
        ("W", angles.T @ back),
        ("b", back.sum(axis=0)),
        ("V", hidden.T @ delta),
        ("c", delta.sum(axis=0)),
    ):
        adam(name, slope)
    if turn % 100 == 0:
        print(turn, np.mean(error**2))
