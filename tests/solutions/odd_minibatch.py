import numpy as np

rng = np.random.default_rng(3)
X = rng.normal(size=(200, 2))
y = (X[:, :1] * X[:, 1:] > 0).astype(float)
W1 = rng.normal(size=(2, 16))
b1 = np.zeros(16)
W2 = rng.normal(size=(16, 1)) / 4
b2 = np.zeros(1)


def relu(z):
    return z * (z > 0)


def train_step(xb, yb, lr):
    global W1, b1, W2, b2
    z = xb @ W1 + b1
    h = relu(z)
    p = h @ W2 + b2
    e = p - yb
    loss = (e**2).mean()
    g = 2 * e / e.size
    gh = (g @ W2.T) * (z > 0)
    W2 = W2 - lr * h.T @ g
    b2 = b2 - lr * g.sum(axis=0)
    W1 = W1 - lr * xb.T @ gh
    b1 = b1 - lr * gh.sum(axis=0)
    return loss


def train(X, y, epochs=20, batch_size=32, lr=0.05):
    losses = []
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for s in range(0, len(X), batch_size):
            k = order[s : s + batch_size]
            losses.append(train_step(X[k], y[k], lr))
    return losses


train(X, y)
