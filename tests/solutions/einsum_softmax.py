import numpy as np
import matplotlib.pyplot as plt

np.random.seed(0)
n, d, h, k = 90, 2, 12, 3
angle = np.random.rand(n) * 2 * np.pi
labels = (angle // (2 * np.pi / 3)).astype(int)
X = np.c_[np.cos(angle), np.sin(angle)] + 0.1 * np.random.randn(n, 2)
T = np.eye(k)[labels]

W1 = np.random.randn(d, h) * 0.5
b1 = np.zeros((1, h))
W2 = np.random.randn(h, k) * 0.5
b2 = np.zeros((1, k))

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)

def forward(X):
    z1 = np.einsum("nd,dh->nh", X, W1) + b1
    a1 = np.maximum(0, z1)
    z2 = np.einsum("nh,hk->nk", a1, W2) + b2
    return z1, a1, softmax(z2)

def cross_entropy(p, T):
    return -np.mean(np.sum(T * np.log(p + 1e-12), axis=1))

def backward(X, T, z1, a1, p):
    dz2 = (p - T) / X.shape[0]
    dW2 = np.einsum("nh,nk->hk", a1, dz2)
    db2 = np.einsum("nk->k", dz2)[None]
    da1 = np.einsum("nk,hk->nh", dz2, W2)
    dz1 = np.where(z1 > 0, da1, 0)
    dW1 = np.einsum("nd,nh->dh", X, dz1)
    db1 = np.einsum("nh->h", dz1)[None]
    return dW1, db1, dW2, db2

losses = []
for step in range(800):
    z1, a1, p = forward(X)
    losses.append(cross_entropy(p, T))
    dW1, db1, dW2, db2 = backward(X, T, z1, a1, p)
    W1 -= 0.5 * dW1
    b1 -= 0.5 * db1
    W2 -= 0.5 * dW2
    b2 -= 0.5 * db2
accuracy = np.mean(np.argmax(p, axis=1) == labels)
print("acc", accuracy)
plt.plot(losses)
plt.show()
