# expected: softmax-wrong-axis line 18
import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
X = digits.data / 16.0
labels = digits.target
rng = np.random.default_rng(1)
order = rng.permutation(len(X))
X, labels = X[order], labels[order]
Xtr, Xte = X[:1400], X[1400:]
ytr, yte = labels[:1400], labels[1400:]
Ytr = np.eye(10)[ytr]


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum(axis=0)


W = 0.01 * rng.standard_normal((64, 10))
b = np.zeros(10)
lr = 0.5

for epoch in range(8):
    P = softmax(Xtr @ W + b)
    loss = -np.mean(np.sum(Ytr * np.log(P + 1e-12), axis=1))
    G = (P - Ytr) / len(Xtr)
    W -= lr * Xtr.T @ G
    b -= lr * G.sum(axis=0)
    if epoch % 25 == 0:
        acc = np.mean(np.argmax(Xte @ W + b, axis=1) == yte)
        print(f"{epoch:4d} loss {loss:.4f} test acc {acc:.3f}")
print("final loss", loss)
