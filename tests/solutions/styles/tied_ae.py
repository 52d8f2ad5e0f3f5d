import numpy as np

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

def reconstruct(X, params):
    W, b, c = params
    H = sigmoid(X @ W + b)
    return H, H @ W.T + c

def objective(X, params):
    H, R = reconstruct(X, params)
    return 0.5 * np.sum((R - X) ** 2) / len(X)

def gradient(X, params):
    W, b, c = params
    H, R = reconstruct(X, params)
    E = (R - X) / len(X)
    dH = E @ W * H * (1 - H)
    gW = X.T @ dH + E.T @ H
    return [gW, dH.sum(0), E.sum(0)]
