# expected: label-shuffle-mismatch line 18
import numpy as np
from sklearn.datasets import make_blobs

X, y = make_blobs(n_samples=30, centers=[[-3, 0], [3, 0], [0, 4]], cluster_std=0.9, random_state=2)
Y = np.eye(3)[y]
rng = np.random.default_rng(3)
W1 = rng.normal(0, 0.5, (2, 10)); b1 = np.zeros(10)
W2 = rng.normal(0, 0.5, (10, 3)); b2 = np.zeros(3)
lr = 0.1
B = 30

def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)

for epoch in range(10):
    X = X[rng.permutation(len(X))]
    total = 0.0
    for k in range(0, len(X), B):
        xb, yb = X[k:k+B], Y[k:k+B]
        h = np.tanh(xb @ W1 + b1)
        p = softmax(h @ W2 + b2)
        total += -np.sum(yb * np.log(p + 1e-12))
        d2 = (p - yb) / len(xb)
        d1 = (d2 @ W2.T) * (1 - h ** 2)
        W2 -= lr * h.T @ d2; b2 -= lr * d2.sum(0)
        W1 -= lr * xb.T @ d1; b1 -= lr * d1.sum(0)
    if epoch % 10 == 0:
        print("epoch", epoch, "cross entropy", total / len(X))
acc = (softmax(np.tanh(X @ W1 + b1) @ W2 + b2).argmax(1) == Y.argmax(1)).mean()
print("accuracy", acc)
