# expected: dropout-scale-wrong line 16
"""Half of the hidden units are on in training, all of them where it is measured, and nothing makes up for it."""
import numpy as np

rng = np.random.default_rng(3)
X = rng.normal(size=(150, 3))
y = X[:, :1] * X[:, 1:2] + np.sin(X[:, 2:])
params = {"W1": rng.normal(size=(3, 40)), "b1": np.zeros(40), "W2": rng.normal(size=(40, 1)) / 6, "b2": np.zeros(1)}


def forward(X, is_training):
    z = X @ params["W1"] + params["b1"]
    a, mask = np.maximum(z, 0), None
    if is_training:
        mask = rng.random(a.shape) < 0.5
        a *= mask
    return z, mask, a, a @ params["W2"] + params["b2"]


for epoch in range(50):
    z, mask, a, out = forward(X[:100], True)
    d = 2 * (out - y[:100]) / 12
    da = d @ params["W2"].T * mask * (z > 0)
    grads = {"W2": a.T @ d, "b2": d.sum(axis=0), "W1": X[:100].T @ da, "b1": da.sum(axis=0)}
    for name in params:
        params[name] -= 0.2 * grads[name]
    if epoch % 20 == 0:
        print(epoch, ((forward(X[100:], False)[-1] - y[100:]) ** 2).mean())
