# expected: result-unused line 17
"""The samples are to be shuffled in each epoch, and stay sorted by class."""
import numpy as np

rng = np.random.default_rng(8)
centers = np.array([[1.0, 0.0], [-1.0, 1.0], [0.0, -1.0]])
data = np.concatenate([np.c_[c + 0.5 * rng.normal(size=(40, 2)), np.full(40, k)] for k, c in enumerate(centers)])


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def train(W, b, epochs=8, rate=0.2):
    for _ in range(epochs):
        rng.permutation(data)
        for batch in np.split(data, 8):
            x, labels = batch[:, :2], batch[:, 2].astype(int)
            delta = softmax(x @ W + b)
            delta[np.arange(len(x)), labels] -= 1
            W -= rate * x.T @ delta / len(x)
            b -= rate * delta.mean(axis=0)


W, b = np.zeros((2, 3)), np.zeros(3)
train(W, b)
print((softmax(data[:, :2] @ W + b).argmax(axis=1) == data[:, 2]).mean())
