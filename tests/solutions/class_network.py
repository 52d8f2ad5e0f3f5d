import numpy as np


class NeuralNetwork:
    def __init__(self, n_inputs, n_hidden, n_outputs, lr=0.5):
        self.lr = lr
        self.W1 = np.random.randn(n_hidden, n_inputs)
        self.b1 = np.zeros(n_hidden)
        self.W2 = np.random.randn(n_outputs, n_hidden)
        self.b2 = np.zeros(n_outputs)

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def sigmoid_derivative(self, z):
        s = self.sigmoid(z)
        return s * (1 - s)

    def forward(self, X):
        self.z1 = X @ self.W1.T + self.b1
        self.a1 = self.sigmoid(self.z1)
        self.z2 = self.a1 @ self.W2.T + self.b2
        self.output = self.sigmoid(self.z2)
        return self.output

    def loss(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)

    def backward(self, X, y):
        n = y.size
        delta2 = 2 / n * (self.output - y) * self.sigmoid_derivative(self.z2)
        delta1 = np.dot(delta2, self.W2) * self.sigmoid_derivative(self.z1)
        dW2 = np.dot(delta2.T, self.a1)
        dW1 = np.dot(delta1.T, X)
        self.W2 -= self.lr * dW2
        self.b2 -= self.lr * np.sum(delta2, axis=0)
        self.W1 -= self.lr * dW1
        self.b1 -= self.lr * np.sum(delta1, axis=0)

    def train(self, X, y, epochs):
        losses = []
        for _ in range(epochs):
            out = self.forward(X)
            losses.append(self.loss(out, y))
            self.backward(X, y)
        return losses


X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0], [1], [1], [0]])
net = NeuralNetwork(2, 10, 1)
losses = net.train(X, y, 10000)
