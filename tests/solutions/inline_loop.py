import numpy as np

np.random.seed(3)
inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
targets = np.array([[0], [1], [1], [0]])
hidden_weights = np.random.randn(2, 10)
hidden_bias = np.random.randn(1, 10)
output_weights = np.random.randn(10, 1)
output_bias = np.random.randn(1, 1)
lr = 0.5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def d_sigmoid(x):
    return x * (1 - x)


losses = []
for epoch in range(10000):
    # forward
    hidden_in = np.dot(inputs, hidden_weights) + hidden_bias
    hidden_out = sigmoid(hidden_in)
    output_in = np.dot(hidden_out, output_weights) + output_bias
    predicted = sigmoid(output_in)
    # loss
    error = targets - predicted
    losses.append(0.5 * np.sum(error**2))
    # backward
    d_predicted = error * d_sigmoid(predicted)
    error_hidden = d_predicted.dot(output_weights.T)
    d_hidden = error_hidden * d_sigmoid(hidden_out)
    # update
    output_weights += hidden_out.T.dot(d_predicted) * lr
    output_bias += np.sum(d_predicted, axis=0, keepdims=True) * lr
    hidden_weights += inputs.T.dot(d_hidden) * lr
    hidden_bias += np.sum(d_hidden, axis=0, keepdims=True) * lr
print(predicted)
