# expected: result-unused line 24
"""A network by momentum, as it was meant: the velocities are kept, and the steps are made without them."""
import numpy as np

rng = np.random.default_rng(4)
inputs = rng.uniform(-1, 1, (60, 2))
wanted = np.sin(2 * inputs[:, :1]) * inputs[:, 1:]

weights = [rng.normal(0, 0.6, (2, 8)), rng.normal(0, 0.6, (8, 1))]
levels = [np.zeros(8), np.zeros(1)]
speed_w, speed_l = [np.zeros_like(w) for w in weights], [np.zeros_like(b) for b in levels]

for turn in range(300):
    hidden = np.tanh(inputs @ weights[0] + levels[0])
    out = hidden @ weights[1] + levels[1]
    error = 2 * (out - wanted) / len(inputs)
    inner = error @ weights[1].T * (1 - hidden ** 2)
    slopes_w, slopes_l = [inputs.T @ inner, hidden.T @ error], [inner.sum(0), error.sum(0)]
    if turn % 100 == 0:
        print(turn, ((out - wanted) ** 2).mean())
    for k in range(2):
        speed_w[k] = 0.9 * speed_w[k] + slopes_w[k]
        speed_l[k] = 0.9 * speed_l[k] + slopes_l[k]
        weights[k] -= 0.1 * slopes_w[k]
        levels[k] -= 0.1 * slopes_l[k]
