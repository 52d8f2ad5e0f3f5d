# expected: parameter-never-updated line 31
import numpy as np

rng = np.random.default_rng(8)
letters, width, units, rows = 12, 3, 16, 32
text = np.cumsum(rng.integers(1, 4, 400)) % letters
pairs = np.stack([text[:-2], text[1:-1]], axis=1)
following = text[2:]
table = rng.normal(0, 0.3, (letters, width))
W1 = rng.normal(0, 0.4, (2 * width, units))
b1 = np.zeros(units)
W2 = rng.normal(0, 0.2, (units, letters))
b2 = np.zeros(letters)

for step in range(301):
    pick = rng.integers(0, len(following), rows)
    x, y = pairs[pick], following[pick]
    e = table[x].reshape(rows, -1)
    h = np.tanh(e @ W1 + b1)
    z = h @ W2 + b2
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(rows), y]).mean()
    dz = p.copy()
    dz[np.arange(rows), y] -= 1
    dz /= rows
    dh = (dz @ W2.T) * (1 - h**2)
    d_table = np.zeros_like(table)
    np.add.at(d_table, x, (dh @ W1.T).reshape(rows, 2, width))
    gradients = [e.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)]
    for parameter, gradient in zip([W1, b1, W2, b2], gradients):
        parameter -= 0.5 * gradient
    if step % 100 == 0:
        print(step, loss)
