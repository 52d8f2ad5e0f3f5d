import numpy as np

n_inputs, n_hidden, n_outputs = 2, 10, 1
X = np.array([[p, q] for p in (0.0, 1.0) for q in (0.0, 1.0)])
y = np.array([[0.0], [1.0], [1.0], [0.0]])


def draw(seed):
    np.random.seed(seed)
    W_hidden = np.random.randn(n_hidden, n_inputs)
    W_out = np.random.randn(n_outputs, n_hidden)
    return [W_hidden, np.zeros((1, n_hidden)), W_out, np.zeros((1, n_outputs))]


start = draw(44)


def sigmoid(z):
    """Return σ(z), element by element."""
    return 1 / (1 + np.exp(-z))


def sigmoid_derivative(z):
    """Return σ′(z), element by element."""
    return sigmoid(z) * (1 - sigmoid(z))


sigmoid.derivative = sigmoid_derivative


def relu(z):
    return np.maximum(z, 0)


def relu_derivative(z):
    return np.where(z > 0, 1.0, 0.0)


relu.derivative = relu_derivative


def forward(X, parameters, f_hidden, f_out):
    W_hidden, b_hidden, W_out, b_out = parameters
    z_hidden = X @ W_hidden.mT + b_hidden
    a_hidden = f_hidden(z_hidden)
    z_out = a_hidden @ W_out.mT + b_out
    y_hat = f_out(z_out)
    return z_hidden, a_hidden, z_out, y_hat


def backward(X, y, parameters, passed, f_hidden, f_out):
    z_hidden, a_hidden, z_out, y_hat = passed
    W_out = parameters[2]
    delta_out = 2 * (y_hat - y) * f_out.derivative(z_out)
    delta_hidden = delta_out @ W_out * f_hidden.derivative(z_hidden)
    return [
        delta_hidden.mT @ X,
        delta_hidden.sum(axis=-2, keepdims=True),
        delta_out.mT @ a_hidden,
        delta_out.sum(axis=-2, keepdims=True),
    ]


def train(parameters, X, y, f_hidden, f_out, learning_rate, epochs, print_every=None):
    losses = []
    for epoch in range(epochs):
        passed = forward(X, parameters, f_hidden, f_out)
        losses.append(np.sum((passed[-1] - y) ** 2, axis=(-2, -1)))
        gradients = backward(X, y, parameters, passed, f_hidden, f_out)
        parameters = [p - learning_rate * g for p, g in zip(parameters, gradients, strict=True)]
        if print_every and epoch % print_every == 0:
            print(f"epoch {epoch:5}: loss {losses[-1]:.6f}")
    return parameters, np.array(losses)


trained, losses_sigmoid = train(start, X, y, sigmoid, sigmoid, 0.5, 10_000, print_every=1000)
