# expected: way-left-out line 31
"""A recurrent net on sums of sequences; the error of a state comes from its output alone, not from the next state."""
import numpy as np

rng = np.random.default_rng(14)
steps, hidden = 6, 8
U = rng.normal(0, 0.4, (1, hidden))
R = rng.normal(0, 0.3, (hidden, hidden))
c = np.zeros(hidden)
V = rng.normal(0, 0.4, (hidden, 1))
X = rng.uniform(-1, 1, (40, steps, 1))
Y = np.cumsum(X, axis=1)

for epoch in range(10):
    states, outputs = [np.zeros((40, hidden))], []
    for k in range(steps):
        states.append(np.tanh(X[:, k] @ U + states[k] @ R + c))
        outputs.append(states[-1] @ V)
    loss = sum(((o - Y[:, k]) ** 2).mean() for k, o in enumerate(outputs))
    if epoch % 20 == 0:
        print(epoch, loss)
    gU, gR, gc, gV = np.zeros_like(U), np.zeros_like(R), np.zeros_like(c), np.zeros_like(V)
    later = np.zeros((40, hidden))
    for k in reversed(range(steps)):
        e = 2 * (outputs[k] - Y[:, k]) / 40
        gV += states[k + 1].T @ e
        # the error of a state

        # has two parts

        d = e @ V.T * (1 - states[k + 1] ** 2)
        gU += X[:, k].T @ d
        gR += states[k].T @ d
        gc += d.sum(axis=0)
        later = d @ R.T
    U -= 0.05 * gU
    R -= 0.05 * gR
    c -= 0.05 * gc
    V -= 0.05 * gV
