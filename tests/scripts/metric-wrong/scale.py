# expected: metric-wrong line 34
"""A target is learned with mean 0 and deviation 1, and what is foretold gets only its deviation back."""
import numpy as np

rng = np.random.default_rng(19)
hours = rng.uniform(0, 24, size=(200, 1))
demand = 40 + 12 * np.sin(hours[:, 0] * np.pi / 12) + rng.normal(size=200)
first, second = slice(0, 150), slice(150, 200)
middle, width = demand[first].mean(), demand[first].std()
x = (hours - 12) / 7
t = (demand[first] - middle) / width

V, c = rng.normal(size=(1, 15)), rng.normal(size=15)
u, d = 0.2 * rng.normal(size=15), 0.0


def net(x):
    hidden = np.tanh(x @ V + c)
    return hidden, hidden @ u + d


for turn in range(300):
    hidden, out = net(x[first])
    e = (out - t) / len(t)
    back = np.outer(e, u) * (1 - hidden**2)
    u -= 0.2 * hidden.T @ e
    d -= 0.2 * e.sum()
    V -= 0.2 * x[first].T @ back
    c -= 0.2 * back.sum(axis=0)
    if turn % 100 == 99:
        print(turn + 1, np.mean((out - t) ** 2))

told = net(x[second])[1] * width
far = np.sqrt(np.mean((told - demand[second]) ** 2))
print("off by", far)
