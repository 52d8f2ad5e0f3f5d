import numpy as np

sizes = [2, 8, 6, 1]
rng = np.random.default_rng(5)
weights = [rng.normal(size=(m, n)) for n, m in zip(sizes[:-1], sizes[1:])]
biases = [rng.normal(size=m) for m in sizes[1:]]
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
Y = np.array([[0], [1], [1], [0]], dtype=float)


def forward(x):
    activations, zs = [x], []
    for W, b in zip(weights, biases):
        zs.append(activations[-1] @ W.T + b)
        activations.append(np.tanh(zs[-1]))
    return zs, activations


def backprop(x, y):
    zs, activations = forward(x)
    delta = (activations[-1] - y) * (1 - np.tanh(zs[-1]) ** 2)
    grads_W, grads_b = [], []
    for k in reversed(range(len(weights))):
        grads_W.insert(0, delta.T @ activations[k])
        grads_b.insert(0, delta.sum(axis=0))
        if k > 0:
            delta = (delta @ weights[k]) * (1 - np.tanh(zs[k - 1]) ** 2)
    return grads_W, grads_b


learning_rate = 0.05
for epoch in range(2000):
    grads_W, grads_b = backprop(X, Y)
    for k in range(len(weights)):
        weights[k] -= learning_rate * grads_W[k]
        biases[k] -= learning_rate * grads_b[k]
