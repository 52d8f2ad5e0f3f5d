import numpy as np

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([[0], [1], [1], [0]], dtype=float)
n_hidden = 10
W_hidden = np.random.randn(n_hidden, 2)
b_hidden = np.zeros(n_hidden)
W_out = np.random.randn(1, n_hidden)
b_out = np.zeros(1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_derivative(z):
    # YOUR CODE HERE
    ...


def forward(X):
    hidden = sigmoid(X @ W_hidden.T + b_hidden)
    return hidden, sigmoid(hidden @ W_out.T + b_out)


def backward(X, y, hidden, out):
    # TODO
    pass
