# expected: best-not-copied line 35
"""The best parameters of a softmax regression are kept in a dictionary that still holds the trained arrays."""
import numpy as np

rng = np.random.default_rng(12)
X = rng.normal(size=(120, 4))
labels = (X @ rng.normal(size=(4, 3)) + rng.normal(size=(120, 3))).argmax(axis=1)
Y = np.eye(3)[labels]
train, held = slice(0, 80), slice(80, 120)
params = {"W": rng.normal(0, 0.1, (4, 3)), "b": np.zeros(3)}


def predict(X, params):
    s = X @ params["W"] + params["b"]
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(P, Y):
    return -np.mean(np.sum(Y * np.log(P), axis=1))


lowest = np.inf
for epoch in range(200):
    P = predict(X[train], params)
    D = (P - Y[train]) / 80
    params["W"] -= 0.5 * X[train].T @ D
    params["b"] -= 0.5 * D.sum(axis=0)
    if epoch % 50 == 0:
        print(epoch, cross_entropy(P, Y[train]))
    now = cross_entropy(predict(X[held], params), Y[held])
    if now < lowest:
        lowest = now

        kept = dict(params)

print("held out:", cross_entropy(predict(X[held], kept), Y[held]), "best:", lowest)
