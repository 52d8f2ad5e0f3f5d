# expected: size-one-array-to-scalar line 37
import numpy as np
import matplotlib.pyplot as plt

np.random.seed(12)
X_train = np.array([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
y_train = np.logical_xor(X_train[:, 0], X_train[:, 1]).astype(float)

n_hidden = 8
lr = 0.5
epochs = 5000

W1 = np.random.randn(n_hidden, 2)
b1 = np.random.randn(n_hidden)
W2 = np.random.randn(1, n_hidden)
b2 = np.random.randn(1)


def sigmoid(t):
    return 1 / (1 + np.exp(-t))


losses = np.zeros(epochs)
for epoch in range(epochs):
    total = 0
    for x, y in zip(X_train, y_train):
        h = sigmoid(W1 @ x + b1)
        out = sigmoid(W2 @ h + b2)
        total += (out - y) ** 2

        d_out = 2 * (out - y) * out * (1 - out)
        d_h = (W2.T @ d_out) * h * (1 - h)
        W2 -= lr * np.outer(d_out, h)
        b2 -= lr * d_out
        W1 -= lr * np.outer(d_h, x)
        b1 -= lr * d_h
    losses[epoch] = total
    if epoch % 1000 == 0:
        print("epoch", epoch, "loss", total)

plt.semilogy(losses)
plt.show()
