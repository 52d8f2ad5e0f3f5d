import numpy as np

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y = np.array([[0], [1], [1], [0]], dtype=float)
n_inputs, n_hidden, n_outputs = 2, 10, 1
learning_rate = 0.5
rng = np.random.default_rng(1)
W1 = rng.normal(size=(n_inputs, n_hidden))
b1 = np.zeros((1, n_hidden))
W2 = rng.normal(size=(n_hidden, n_outputs))
b2 = np.zeros((1, n_outputs))


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(a):
    return a * (1 - a)


def mse(y_hat, y):
    return np.mean((y_hat - y) ** 2)


def forward(X):
    a1 = sigmoid(X @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    return a1, a2


def backward(X, y, a1, a2):
    error = 2 * (a2 - y) / y.size
    delta2 = error * sigmoid_prime(a2)
    delta1 = (delta2 @ W2.T) * sigmoid_prime(a1)
    dW2 = a1.T @ delta2
    db2 = delta2.sum(axis=0, keepdims=True)
    dW1 = X.T @ delta1
    db1 = delta1.sum(axis=0, keepdims=True)
    return dW1, db1, dW2, db2


history = []
for epoch in range(10000):
    a1, a2 = forward(X)
    history.append(mse(a2, y))
    dW1, db1, dW2, db2 = backward(X, y, a1, a2)
    W1 -= learning_rate * dW1
    b1 -= learning_rate * db1
    W2 -= learning_rate * dW2
    b2 -= learning_rate * db2
