import numpy as np
from dataclasses import dataclass

@dataclass
class Config:
    n_in: int = 2
    n_hidden: int = 6
    lr: float = 0.5
    n_epochs: int = 3000

cfg = Config()

def unpack(theta):
    h, d = cfg.n_hidden, cfg.n_in
    W1 = theta[:h * d].reshape(h, d)
    b1 = theta[h * d:h * d + h]
    w2 = theta[h * d + h:h * d + 2 * h]
    b2 = theta[-1]
    return W1, b1, w2, b2

def loss_and_grad(theta, X, y):
    W1, b1, w2, b2 = unpack(theta)
    H = np.tanh(X @ W1.T + b1)
    p = 1 / (1 + np.exp(-(H @ w2 + b2)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    delta = (p - y) / len(y)
    gw2 = H.T @ delta
    gb2 = delta.sum()
    dH = np.outer(delta, w2) * (1 - H ** 2)
    gW1 = dH.T @ X
    gb1 = dH.sum(axis=0)
    return loss, np.concatenate([gW1.ravel(), gb1, gw2, [gb2]])

X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0.0, 1, 1, 0])
theta = np.random.default_rng(0).normal(size=6 * 2 + 6 + 6 + 1)
history = []
for epoch in range(cfg.n_epochs):
    loss, grad = loss_and_grad(theta, X, y)
    theta = theta - cfg.lr * grad
    history.append(loss)
print(history[-1])
