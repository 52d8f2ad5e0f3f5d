# expected: hidden-derivative-missing line 35
import numpy as np

n_hidden = 8
lr = 0.05
epochs = 375
rng = np.random.default_rng(3)
X_train = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y_train = np.array([0.0, 1.0, 1.0, 0.0])

W_hidden = rng.normal(size=(n_hidden, 2))
b_hidden = np.zeros(n_hidden)
W_out = rng.normal(size=(1, n_hidden))
b_out = np.zeros(1)


def f(z):
    return np.tanh(z)


def f_prime(z):
    return 1 - np.tanh(z) ** 2


def forward(x):
    z = np.dot(W_hidden, x) + b_hidden
    h = f(z)
    out = np.dot(W_out, h) + b_out
    return z, h, out


def backward(x, t, z, h, out):
    global W_hidden, b_hidden, W_out, b_out
    delta = 2 * (out - t)
    hidden_delta = np.dot(W_out.T, delta)
    W_out = W_out - lr * np.outer(delta, h)
    b_out = b_out - lr * delta
    W_hidden = W_hidden - lr * np.outer(hidden_delta, x)
    b_hidden = b_hidden - lr * hidden_delta


history = []
for epoch in range(epochs):
    total = 0.0
    for i in range(len(X_train)):
        z, h, out = forward(X_train[i])
        total += float(np.sum((out - y_train[i]) ** 2))
        backward(X_train[i], y_train[i], z, h, out)
    history.append(total)
    if epoch % 500 == 0:
        print(epoch, total)
