# expected: momentum-reset line 28
"""Three layers and a velocity that is made anew in each step."""
import numpy as np

rng = np.random.default_rng(16)
X = rng.normal(size=(40, 3))
y = (X[:, :1] * X[:, 1:2] > 0).astype(float)
P = {"W1": rng.normal(size=(3, 8)), "b1": np.zeros((1, 8)), "W2": rng.normal(size=(8, 8)) * 0.4, "b2": np.zeros((1, 8)),
     "W3": rng.normal(size=(8, 1)), "b3": np.zeros((1, 1))}
pass


def forward(P):
    h1 = np.tanh(X @ P["W1"] + P["b1"])
    h2 = np.tanh(h1 @ P["W2"] + P["b2"])
    return h1, h2, 1 / (1 + np.exp(-(h2 @ P["W3"] + P["b3"])))


for t in range(1, 25):
    h1, h2, p = forward(P)
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    d3 = (p - y) / len(y)
    d2 = d3 @ P["W3"].T * (1 - h2**2)
    d1 = d2 @ P["W2"].T * (1 - h1**2)
    G = {"W3": h2.T @ d3, "b3": d3.sum(0, keepdims=True), "W2": h1.T @ d2, "b2": d2.sum(0, keepdims=True),
         "W1": X.T @ d1, "b1": d1.sum(0, keepdims=True)}
    for k in P:
        v = np.zeros_like(P[k])
        v = 0.9 * v - 0.1 * G[k]
        P[k] += v
    if t % 20 == 0:
        print(t, loss)
