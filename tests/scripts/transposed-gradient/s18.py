# expected: transposed-gradient line 33
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def init(seed):
    rs = np.random.RandomState(seed)
    return {
        "W1": rs.randn(4, 2), "b1": rs.randn(4, 1) * 0.1,
        "W2": rs.randn(4, 4), "b2": rs.randn(4, 1) * 0.1,
        "W3": rs.randn(1, 4), "b3": np.zeros((1, 1)),
    }

def forward(P, X):
    A1 = np.tanh(P["W1"] @ X + P["b1"])
    A2 = np.tanh(P["W2"] @ A1 + P["b2"])
    A3 = sigmoid(P["W3"] @ A2 + P["b3"])
    return A3, (X, A1, A2, A3)

def cost(A3, Y):
    m = Y.shape[1]
    return float(-np.sum(Y * np.log(A3 + 1e-10) + (1 - Y) * np.log(1 - A3 + 1e-10)) / m)

def backward(P, cache, Y):
    X, A1, A2, A3 = cache
    m = Y.shape[1]
    G = {}
    dZ3 = (A3 - Y) / m
    G["W3"] = dZ3 @ A2.T
    G["b3"] = dZ3.sum(axis=1, keepdims=True)
    dZ2 = (P["W3"].T @ dZ3) * (1 - A2 ** 2)
    G["W2"] = A1 @ dZ2.T
    G["b2"] = dZ2.sum(axis=1, keepdims=True)
    dZ1 = (P["W2"].T @ dZ2) * (1 - A1 ** 2)
    G["W1"] = dZ1 @ X.T
    G["b1"] = dZ1.sum(axis=1, keepdims=True)
    return G

rs = np.random.RandomState(0)
X = rs.uniform(-1, 1, (2, 120))
Y = ((X[0] * X[1]) > 0).astype(float).reshape(1, -1)

P = init(6)
for i in range(375):
    A3, cache = forward(P, X)
    G = backward(P, cache, Y)
    for name in P:
        P[name] = P[name] - 0.5 * G[name]
    if i % 500 == 0:
        print("Cost after iteration", i, ":", cost(A3, Y))
print("train accuracy:", np.mean((A3 > 0.5) == Y))
