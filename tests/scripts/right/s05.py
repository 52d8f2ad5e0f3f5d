# expected: right
import numpy as np

rng = np.random.default_rng(2024)
x = rng.uniform(-3, 3, (200, 1))
y = np.sin(x) + 0.1 * rng.standard_normal((200, 1))

H = 24
params = {
    "W1": rng.standard_normal((1, H)),
    "b1": np.zeros(H),
    "W2": rng.standard_normal((H, 1)) / np.sqrt(H),
    "b2": np.zeros(1),
}
m = {k: np.zeros_like(v) for k, v in params.items()}
v = {k: np.zeros_like(p) for k, p in params.items()}
beta1, beta2, eps, alpha = 0.9, 0.999, 1e-8, 0.01


def loss_and_grads(p, x, y):
    h = np.tanh(x @ p["W1"] + p["b1"])
    out = h @ p["W2"] + p["b2"]
    diff = out - y
    loss = np.mean(diff ** 2)
    dout = 2 * diff / len(x)
    dz = (dout @ p["W2"].T) * (1 - h * h)
    return loss, {"W2": h.T @ dout, "b2": dout.sum(0), "W1": x.T @ dz, "b1": dz.sum(0)}


for t in range(1, 200):
    batch = rng.integers(0, len(x), 32)
    loss, g = loss_and_grads(params, x[batch], y[batch])
    for k in params:
        m[k] = beta1 * m[k] + (1 - beta1) * g[k]
        v[k] = beta2 * v[k] + (1 - beta2) * g[k] ** 2
        mhat = m[k] / (1 - beta1 ** t)
        vhat = v[k] / (1 - beta2 ** t)
        params[k] -= alpha * mhat / (np.sqrt(vhat) + eps)
    if t % 300 == 0:
        print(t, loss_and_grads(params, x, y)[0])
