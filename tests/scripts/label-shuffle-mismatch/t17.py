# expected: label-shuffle-mismatch line 9
import numpy as np
from sklearn.datasets import load_wine

wine = load_wine()
rng = np.random.default_rng(0)
order = rng.permutation(len(wine.target))
data = wine.data[rng.permutation(len(wine.data))]
target = wine.target[order]
data = (data - data.mean(axis=0)) / data.std(axis=0)
onehot = (target[:, None] == np.arange(3)).astype(float)

n_train = 17
Xtr, Ytr = data[:n_train], onehot[:n_train]
Xte, Yte = data[n_train:], onehot[n_train:]

W = np.zeros((13, 3))
b = np.zeros(3)


def softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


for epoch in range(60):
    P = softmax(Xtr @ W + b)
    loss = -(Ytr * np.log(P)).sum(axis=1).mean()
    W -= 0.1 * Xtr.T @ (P - Ytr) / n_train
    b -= 0.1 * (P - Ytr).mean(axis=0)
    if epoch % 100 == 0:
        test = (softmax(Xte @ W + b).argmax(1) == Yte.argmax(1)).mean()
        print("epoch", epoch, "loss", round(loss, 4), "test accuracy", round(test, 3))
print("loss", loss)
