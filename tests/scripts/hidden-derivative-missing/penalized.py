# expected: hidden-derivative-missing line 28
"""A softmax with a penalty on both matrices, in the loss and in the gradients."""
import numpy as np

rng = np.random.default_rng(2)
n, strength, rate = 60, 0.01, 0.01
X = rng.normal(size=(n, 2))
labels = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 0] > 1)
W1, b1 = rng.normal(size=(2, 7)), np.zeros((1, 7))
W2, b2 = rng.normal(size=(7, 3)) / 2, np.zeros((1, 3))


def forward():
    hidden = np.tanh(X.dot(W1) + b1)
    scores = np.exp(hidden.dot(W2) + b2)
    return hidden, scores / scores.sum(axis=1, keepdims=True)


def loss():
    shares = forward()[1]
    penalty = strength / 2 * (np.square(W1).sum() + np.square(W2).sum())
    return (-np.log(shares[range(n), labels]).sum() + penalty) / n


for epoch in range(35):
    hidden, delta = forward()
    delta[range(n), labels] -= 1
    back = delta.dot(W2.T)
    grad_W2, grad_W1 = hidden.T.dot(delta), X.T.dot(back)
    grad_W2 += strength * W2
    grad_W1 += strength * W1
    W2 += -rate * grad_W2
    b2 += -rate * delta.sum(axis=0, keepdims=True)
    W1 += -rate * grad_W1
    b1 += -rate * back.sum(axis=0)
    if epoch % 50 == 0:
        print(epoch, loss())
