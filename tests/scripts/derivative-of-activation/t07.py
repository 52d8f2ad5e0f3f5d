# expected: derivative-of-activation line 34
import numpy as np
np.random.seed(123)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_derivative(x):
    return x * (1 - x)


xor_in = [[0, 0], [0, 1], [1, 0], [1, 1]]
xor_out = [0, 1, 1, 0]
hidden_w = np.random.uniform(-1, 1, (4, 2))
hidden_b = np.random.uniform(-1, 1, 4)
output_w = np.random.uniform(-1, 1, 4)
output_b = np.random.uniform(-1, 1)
learning_rate = 0.2

for epoch in range(500):
    sum_error = 0
    for features, label in zip(xor_in, xor_out):
        features = np.array(features)
        hidden_z = np.dot(hidden_w, features) + hidden_b
        hidden_a = sigmoid(hidden_z)
        output_z = np.dot(output_w, hidden_a) + output_b
        output_a = sigmoid(output_z)
        error = output_a - label
        sum_error += error ** 2

        output_delta = 2 * error * sigmoid_derivative(output_a)
        hidden_delta = output_delta * output_w * sigmoid_derivative(hidden_z)
        output_w -= learning_rate * output_delta * hidden_a
        output_b -= learning_rate * output_delta
        hidden_w -= learning_rate * np.outer(hidden_delta, features)
        hidden_b -= learning_rate * hidden_delta
    if epoch % 2000 == 0:
        print("epoch", epoch, "error", sum_error)
print("last error", sum_error)
