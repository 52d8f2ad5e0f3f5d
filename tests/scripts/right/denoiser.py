# expected: right
import numpy as np

rng = np.random.default_rng(3)
t = np.linspace(0, 1, 16)


def waves(n):
    return rng.normal(size=(n, 1)) * np.sin(2 * np.pi * (t + rng.random((n, 1))))


def blur(x):
    return x + 0.2 * rng.normal(size=x.shape)


clean, clean_test = waves(200), waves(50)
noisy_test = blur(clean_test)
W1, b1 = rng.normal(0, 0.25, (16, 10)), np.zeros(10)
W2, b2 = rng.normal(0, 0.3, (10, 16)), np.zeros(16)


def rebuild(x):
    return np.tanh(x @ W1 + b1) @ W2 + b2


def learn(x, wanted):
    h = np.tanh(x @ W1 + b1)
    d = 2 * (h @ W2 + b2 - wanted) / len(x)
    dh = (d @ W2.T) * (1 - h**2)
    for p, g in ((W2, h.T @ d), (b2, d.sum(axis=0)), (W1, x.T @ dh), (b1, dh.sum(axis=0))):
        p -= 0.05 * g


for epoch in range(60):
    order = rng.permutation(len(clean))
    for start in range(0, len(order), 20):
        x = clean[order[start:start + 20]]
        x_noisy = blur(x)
        learn(x_noisy, x)
    if epoch % 20 == 0 or epoch == 59:
        print(epoch, np.mean((rebuild(noisy_test) - clean_test) ** 2))
