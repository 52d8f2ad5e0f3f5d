# expected: right
import numpy as np

gen = np.random.default_rng(909)
n = 140
X = gen.uniform(0, 4, (n, 2))            # not centred
T = np.stack([np.sin(X[:, 0]), np.sqrt(X[:, 0] + X[:, 1]), 0.3 * X[:, 1]], axis=1)

dims = [2, 20, 20, 3]
Ws = [gen.normal(size=(o, i)) / np.sqrt(i) for i, o in zip(dims, dims[1:])]
bs = [np.zeros(o) for o in dims[1:]]


def forward(x):
    acts = [x]
    for k, (W, b) in enumerate(zip(Ws, bs)):
        z = np.einsum("oi,ni->no", W, acts[-1]) + b
        acts.append(z if k == len(Ws) - 1 else np.tanh(z))
    return acts


def backward(acts, t):
    dWs, dbs = [None] * len(Ws), [None] * len(bs)
    delta = 2 * (acts[-1] - t) / t.size
    for k in range(len(Ws) - 1, -1, -1):
        dWs[k] = np.einsum("no,ni->oi", delta, acts[k])
        dbs[k] = np.einsum("no->o", delta)
        if k:
            delta = np.einsum("oi,no->ni", Ws[k], delta) * (1 - acts[k] ** 2)
    return dWs, dbs


for epoch in range(1500):
    acts = forward(X)
    mse = np.mean((acts[-1] - T) ** 2)
    dWs, dbs = backward(acts, T)
    lr = 0.15 * 0.99995 ** epoch
    Ws = [W - lr * g for W, g in zip(Ws, dWs)]
    bs = [b - lr * g for b, g in zip(bs, dbs)]
    if epoch % 5000 == 0:
        print("epoch", epoch, "mse", mse)
print("mse", mse)
