# expected: symmetric-initialization line 9
import numpy as np

rng = np.random.default_rng(3)
points = rng.normal(size=(80, 2))
label = (points[:, 0] * points[:, 1] > 0).astype(int)


net = {"W": np.zeros((2, 5)), "b": np.zeros(5), "V": np.zeros((5, 2)), "c": np.zeros(2)}
rows = range(len(points))
for turn in range(50):
    h = np.tanh(points @ net["W"] + net["b"])
    e = np.exp(h @ net["V"] + net["c"])
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, label]).mean()
    d = p.copy()
    d[rows, label] -= 1
    d /= len(points)
    dh = (d @ net["V"].T) * (1 - h**2)
    grads = {"V": h.T @ d, "c": d.sum(0), "W": points.T @ dh, "b": dh.sum(0)}
    for name in net:
        net[name] -= 0.5 * grads[name]
    if turn % 10 == 0:
        print(turn, loss)
