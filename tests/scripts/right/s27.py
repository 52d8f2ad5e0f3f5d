# expected: right
import numpy as np
from sklearn.datasets import make_circles

np.random.seed(19)
X, y = make_circles(75, factor=0.4, noise=0.08, random_state=19)
y = y.reshape(-1, 1).astype(float)

sizes = (2, 16, 1)
theta = [np.random.randn(2, 16) * 0.8, np.zeros((1, 16)), np.random.randn(16, 1) * 0.3, np.zeros((1, 1))]
velocity = [np.zeros_like(t) for t in theta]
mu, lr = 0.9, 0.05

def forward(theta, X):
    W1, b1, W2, b2 = theta
    A = np.tanh(X @ W1 + b1)
    P = 1 / (1 + np.exp(-(A @ W2 + b2)))
    return A, P

def gradients(theta, X, y):
    W1, b1, W2, b2 = theta
    A, P = forward(theta, X)
    D2 = (P - y) / len(y)
    D1 = D2 @ W2.T * (1 - A * A)
    return [X.T @ D1, D1.sum(0, keepdims=True), A.T @ D2, D2.sum(0, keepdims=True)]

for epoch in range(150):
    perm = np.random.permutation(len(X))
    Xs, ys = X[perm], y[perm]
    for i in range(0, len(X), 25):
        g = gradients(theta, Xs[i:i+25], ys[i:i+25])
        velocity = [mu * v - lr * gi for v, gi in zip(velocity, g)]
        theta = [t + v for t, v in zip(theta, velocity)]
    if epoch % 25 == 0:
        P = forward(theta, X)[1]
        print(epoch, "loss", -np.mean(y * np.log(P) + (1 - y) * np.log(1 - P)))
print("accuracy", np.mean((forward(theta, X)[1] > 0.5) == y))
