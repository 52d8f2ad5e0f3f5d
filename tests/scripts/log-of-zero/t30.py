# expected: log-of-zero line 18
import numpy as np

rng = np.random.default_rng(62)
centers = np.array([[12.0, 0.0], [-12.0, 3.0], [0.0, -14.0]])
y = rng.integers(0, 3, 150)
X = centers[y] + rng.normal(size=(150, 2))
Y = np.eye(3)[y]


def softmax(z):
    shifted = z - np.max(z, axis=1, keepdims=True)
    e = np.exp(shifted)
    return e / np.sum(e, axis=1, keepdims=True)


def cross_entropy(P, Y):
    return -np.sum(Y * np.log(P)) / len(Y)


W = rng.normal(size=(2, 3))
b = np.zeros(3)
for step in range(35):
    P = softmax(X @ W + b)
    loss = cross_entropy(P, Y)
    W -= 5.0 * X.T @ (P - Y) / len(Y)
    b -= 5.0 * (P - Y).mean(axis=0)
    if step % 50 == 0:
        print("step", step, "loss", loss, "accuracy", np.mean(P.argmax(axis=1) == y))
print("final loss", loss)
