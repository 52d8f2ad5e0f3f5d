# expected: transposed-gradient line 29
"""Two convolutions; what goes back through the second one meets its kernel from the wrong end."""
import numpy as np

rng = np.random.default_rng(8)
X = rng.normal(size=(40, 1, 14))
t = (X[:, 0, 3:9].sum(axis=1) > 0).astype(float)
A, B, w = rng.normal(size=(3, 1, 3)), rng.normal(size=(2, 3, 4)) / 3, rng.normal(size=2) / 3


def across(x, kernel):
    wide = x.shape[2] - kernel.shape[2] + 1
    out = np.zeros((len(x), len(kernel), wide))
    for j in range(kernel.shape[2]):
        out += np.einsum("ncl,oc->nol", x[:, :, j:j + wide], kernel[:, :, j])
    return out


for step in range(25):
    h = np.tanh(across(X, A))
    g = np.tanh(across(h, B))
    p = 1 / (1 + np.exp(-(g.mean(axis=2) @ w)))
    print(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)))
    d = (p - t) / len(t)
    dg = (d[:, None] * w)[:, :, None] / g.shape[2] * (1 - g**2)
    dA, dB, dh = np.zeros_like(A), np.zeros_like(B), np.zeros_like(h)
    for j in range(4):
        dB[:, :, j] = np.einsum("nol,ncl->oc", dg, h[:, :, j:j + dg.shape[2]])
        dh[:, :, j:j + dg.shape[2]] += np.einsum("nol,oc->ncl", dg, B[:, :, 3 - j])
    dh *= 1 - h**2
    for j in range(3):
        dA[:, :, j] = np.einsum("nol,ncl->oc", dh, X[:, :, j:j + dh.shape[2]])
    A, B, w = A - 0.5 * dA, B - 0.5 * dB, w - 0.5 * g.mean(axis=2).T @ d
