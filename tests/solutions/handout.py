import numpy as np
import matplotlib.pyplot as plt

X_train = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y_train = np.array([0, 1, 1, 0])

# number of hidden units
n_hidden = 10
# learning rate
lr = 0.5
# number of epochs
epochs = 10_000

np.random.seed(44)
W_hidden = np.random.randn(n_hidden, 2)
b_hidden = np.zeros((n_hidden))
W_out = np.random.randn(1, n_hidden)
b_out = np.zeros((1))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_derivative(x):
    return sigmoid(x) * (1 - sigmoid(x))


def forward(X):
    n_samples = X.shape[0]
    hidden_activations = np.zeros((n_samples, W_hidden.shape[0]))
    output_activations = np.zeros((n_samples, W_out.shape[0]))
    loss = 0
    for i in range(n_samples):
        hidden_activations[i] = sigmoid(np.dot(W_hidden, X[i].T) + b_hidden.T)
        output_activations[i] = sigmoid(np.dot(W_out, hidden_activations[i]) + b_out)
        loss += (y_train[i] - output_activations[i][0]) ** 2
    return hidden_activations, output_activations, loss


def backward(X, y_train, hidden_activations, output_activations):
    global W_hidden, b_hidden, W_out, b_out
    n_samples = X.shape[0]
    for i in range(n_samples):
        z_out = np.dot(W_out, hidden_activations[i]) + b_out
        z_hidden = np.dot(W_hidden, X[i].T) + b_hidden.T
        delta = 2 * (output_activations[i] - y_train[i]) * sigmoid_derivative(z_out)
        hidden_delta = delta[0] * W_out[0] * sigmoid_derivative(z_hidden)
        for j in range(n_hidden):
            W_out[0][j] -= lr * delta[0] * hidden_activations[i][j]
        b_out -= lr * delta
        for j in range(n_hidden):
            for k in range(2):
                W_hidden[j][k] -= lr * hidden_delta[j] * X[i][k]
            b_hidden[j] -= lr * hidden_delta[j]


losses = np.zeros(epochs)
for epoch in range(epochs):
    hidden_activations, output_activations, loss = forward(X_train)
    backward(X_train, y_train, hidden_activations, output_activations)
    losses[epoch] = loss
    if epoch % 1000 == 0:
        print(f"Epoch {epoch}: loss = {loss}")
plt.semilogy(losses)
plt.show()
