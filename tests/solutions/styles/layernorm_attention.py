import numpy as np


def layernorm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=1, keepdims=True)
    sigma = np.sqrt(x.var(axis=1, keepdims=True) + eps)
    xn = (x - mu) / sigma
    return gamma * xn + beta, (xn, gamma, sigma)


def layernorm_backward(dy, cache):
    xn, gamma, sigma = cache
    dgamma = np.sum(dy * xn, axis=0)
    dbeta = np.sum(dy, axis=0)
    dxn = dy * gamma
    dx = (dxn - dxn.mean(axis=1, keepdims=True) - xn * (dxn * xn).mean(axis=1, keepdims=True)) / sigma
    return dx, dgamma, dbeta


def attention_forward(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, (Q, K, V, P)


def attention_backward(dO, cache):
    Q, K, V, P = cache
    dV = P.T @ dO
    dP = dO @ V.T
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True)) / np.sqrt(K.shape[1])
    return dS @ K, dS.T @ Q, dV
