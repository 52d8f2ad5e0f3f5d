import numpy as np

def one_hot(y, k):
    out = np.zeros((len(y), k))
    out[np.arange(len(y)), y] = 1
    return out

def loss_and_grad(w, X, y, lam):
    k = w.shape[1]
    z = X @ w
    z = z - z.max(1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    Y = one_hot(y, k)
    loss = -np.sum(Y * np.log(p)) / len(X) + 0.5 * lam * np.sum(w * w)
    grad = X.T @ (p - Y) / len(X) + lam * w
    return loss, grad
