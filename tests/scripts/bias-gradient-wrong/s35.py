# expected: bias-gradient-wrong line 28
import numpy as np

np.random.seed(90)
X = np.random.uniform(-1, 1, (64, 3))
y = (X[:, [0]] * X[:, [1]] + 0.5 * X[:, [2]])
n_hidden, lr = 16, 0.2
W1 = np.random.randn(3, n_hidden)
b1 = np.random.randn(n_hidden) * 0.1
W2 = np.random.randn(n_hidden, 1) * 0.5
b2 = np.zeros(1)
hist = []


def forward(x):
    z1 = x @ W1 + b1
    h1 = np.tanh(z1)
    return z1, h1, h1 @ W2 + b2


def backward(x, y, z1, h1, y_hat):
    global W1, b1, W2, b2
    d_out = 2 * (y_hat - y) / len(x)
    d_hidden = d_out @ W2.T
    grad_W2 = h1.T @ d_out
    grad_b2 = d_out.sum(axis=0)
    grad_W1 = x.T @ (d_hidden * (1 - np.tanh(z1) ** 2))
    grad_b1 = d_hidden.sum(axis=0)
    W1 -= lr * grad_W1
    b1 -= lr * grad_b1
    W2 -= lr * grad_W2
    b2 -= lr * grad_b2


for epoch in range(250):
    z1, h1, y_hat = forward(X)
    hist.append(((y_hat - y) ** 2).mean())
    backward(X, y, z1, h1, y_hat)
    if epoch % 400 == 0:
        print("epoch %d: %.5f" % (epoch, hist[-1]))
print("final: %.5f" % hist[-1])
