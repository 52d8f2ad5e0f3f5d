# expected: dot-instead-of-elementwise line 34
import numpy as np
import matplotlib.pyplot as plt

rng = np.random.default_rng(29)
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
Y = np.array([[0], [1], [1], [0]])

n_hidden = 4
W_hidden = rng.normal(size=(2, n_hidden))
b_hidden = rng.normal(size=(1, n_hidden))
W_out = rng.normal(size=(n_hidden, 1))
b_out = rng.normal(size=(1, 1))
lr = 0.5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def d_sigmoid(x):
    return sigmoid(x) * (1 - sigmoid(x))


losses = []
for epoch in range(1250):
    z_hidden = np.dot(X, W_hidden) + b_hidden
    a_hidden = sigmoid(z_hidden)
    z_out = np.dot(a_hidden, W_out) + b_out
    a_out = sigmoid(z_out)
    losses.append(np.sum((a_out - Y) ** 2))

    delta_out = 2 * (a_out - Y) * d_sigmoid(z_out)
    delta_hidden = np.dot(np.dot(delta_out, W_out.T), d_sigmoid(z_hidden))

    W_out -= lr * np.dot(a_hidden.T, delta_out)
    b_out -= lr * delta_out.sum(axis=0, keepdims=True)
    W_hidden -= lr * np.dot(X.T, delta_hidden)
    b_hidden -= lr * delta_hidden.sum(axis=0, keepdims=True)

    if epoch % 1000 == 0:
        print("epoch", epoch, "loss", losses[-1])

print(a_out.ravel())
plt.semilogy(losses)
plt.show()
