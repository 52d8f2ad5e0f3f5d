# expected: parameter-never-updated line 32
import numpy as np

rng = np.random.default_rng(57)
X = rng.normal(size=(100, 2))
y = (X[:, :1] * X[:, 1:] > 0) * 1.0


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, X):
    W1, b1, W2, b2 = params
    a1 = np.tanh(X @ W1 + b1)
    return a1, sigmoid(a1 @ W2 + b2)


def gradients(params, X, y):
    W1, b1, W2, b2 = params
    a1, a2 = forward(params, X)
    d2 = (a2 - y) / len(X)
    d1 = d2 @ W2.T * (1 - a1 ** 2)
    return X.T @ d1, d1.sum(axis=0), a1.T @ d2, d2.sum(axis=0)


params = (rng.normal(size=(2, 10)), np.zeros(10), rng.normal(size=(10, 1)), np.zeros(1))
learning_rate = 0.5
for epoch in range(125):
    grads = gradients(params, X, y)
    for p, g in zip(params, grads):
        p = p - learning_rate * g
    if epoch % 200 == 0:
        out = forward(params, X)[1]
        print(f"epoch {epoch} loss {-np.mean(y * np.log(out) + (1 - y) * np.log(1 - out)):.4f}")
print("accuracy", np.mean((forward(params, X)[1] > 0.5) == y))
