# expected: sum-versus-mean line 19
# the error is divided by the number of samples, and every gradient again
import numpy as np

rng = np.random.default_rng(4)
X = rng.normal(size=(2, 60))
Y = (X[:1] + X[1:] > 0).astype(float)
m, rate = X.shape[1], 0.8
W1, b1 = rng.normal(size=(4, 2)), np.zeros((4, 1))
W2, b2 = rng.normal(size=(1, 4)), np.zeros((1, 1))
for turn in range(60):
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = (W2.T @ dZ2) * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    W1, b1, W2, b2 = W1 - rate * dW1, b1 - rate * db1, W2 - rate * dW2, b2 - rate * db2
    if turn % 20 == 0:
        print(turn, cost)
