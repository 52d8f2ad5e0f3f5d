import numpy as np


def softmax(x):
    x = x - np.max(x, axis=1, keepdims=True)
    e = np.exp(x)
    return e / np.sum(e, axis=1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def get_initial_params(input_size, num_hidden, num_output):
    return {
        'W1': np.random.normal(size=(input_size, num_hidden)),
        'b1': np.zeros(num_hidden),
        'W2': np.random.normal(size=(num_hidden, num_output)),
        'b2': np.zeros(num_output),
    }


def forward_prop(data, labels, params):
    """
    Returns a 3 element tuple: hidden activations, output, average loss
    """
    hidden = sigmoid(data @ params['W1'] + params['b1'])
    output = softmax(hidden @ params['W2'] + params['b2'])
    loss = -np.sum(labels * np.log(output)) / labels.shape[0]
    return hidden, output, loss


def backward_prop(data, labels, params, forward_prop_func):
    hidden, output, loss = forward_prop_func(data, labels, params)
    n = data.shape[0]
    d2 = (output - labels) / n
    grads = {}
    grads['W2'] = hidden.T @ d2
    grads['b2'] = d2.sum(axis=0)
    d1 = d2 @ params['W2'].T * hidden * (1 - hidden)
    grads['W1'] = data.T @ d1
    grads['b1'] = d1.sum(axis=0)
    return grads


def gradient_descent_epoch(train_data, train_labels, learning_rate, batch_size, params, forward_prop_func, backward_prop_func):
    n = train_data.shape[0]
    for s in range(0, n, batch_size):
        X = train_data[s:s + batch_size]
        y = train_labels[s:s + batch_size]
        grads = backward_prop_func(X, y, params, forward_prop_func)
        for key in params:
            params[key] -= learning_rate * grads[key]
    return


def compute_accuracy(output, labels):
    return (np.argmax(output, axis=1) == np.argmax(labels, axis=1)).mean()
