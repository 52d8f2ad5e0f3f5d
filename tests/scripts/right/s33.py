# expected: right
import numpy as np

def clip_by_norm(grads, limit):
    norm = np.sqrt(sum(np.sum(g ** 2) for g in grads.values()))
    if norm > limit:
        grads = {k: g * (limit / norm) for k, g in grads.items()}
    return grads, norm

def init(rng, d, h):
    return dict(W=rng.normal(0, 1 / np.sqrt(d), (h, d)), b=np.zeros((h, 1)),
                V=rng.normal(0, 1 / np.sqrt(h), (1, h)), c=np.zeros((1, 1)))

def forward(p, X):
    Z = p["W"] @ X + p["b"]
    A = np.maximum(0.0, Z)
    return Z, A, p["V"] @ A + p["c"]

def backward(p, X, Y, Z, A, out):
    n = X.shape[1]
    d = (out - Y) / n
    dA = p["V"].T @ d
    dZ = np.where(Z > 0, dA, 0.0)
    return dict(W=dZ @ X.T, b=dZ.sum(1, keepdims=True), V=d @ A.T, c=d.sum(1, keepdims=True))

rng = np.random.default_rng(66)
X = rng.normal(size=(3, 18))
Y = 10 * np.abs(X[:1]) + 5 * X[1:2] * (X[2:] > 0) + 3

p = init(rng, 3, 30)
clipped = 0
for it in range(375):
    Z, A, out = forward(p, X)
    loss = 0.5 * np.mean((out - Y) ** 2)
    g, norm = clip_by_norm(backward(p, X, Y, Z, A, out), 5.0)
    clipped += norm > 5.0
    for k in p:
        p[k] -= 0.03 * g[k]
    if it % 500 == 0:
        print(f"it {it} loss {loss:.4f} |g| {norm:.3f}")
print("loss", loss, "clipped steps", clipped)
