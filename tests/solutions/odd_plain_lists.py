import math
import random

random.seed(0)
X = [[0, 0], [0, 1], [1, 0], [1, 1]]
y = [0, 1, 1, 0]
H = 10
W1 = [[random.gauss(0, 1) for _ in range(2)] for _ in range(H)]
b1 = [0.0] * H
W2 = [random.gauss(0, 1) for _ in range(H)]
b2 = 0.0


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def forward(x):
    h = [sigmoid(sum(w * v for w, v in zip(row, x)) + b) for row, b in zip(W1, b1)]
    return h, sigmoid(sum(w * v for w, v in zip(W2, h)) + b2)


for epoch in range(2000):
    for x, t in zip(X, y):
        h, o = forward(x)
        d = 2 * (o - t) * o * (1 - o)
        for j in range(H):
            dj = d * W2[j] * h[j] * (1 - h[j])
            W2[j] -= 0.5 * d * h[j]
            for k in range(2):
                W1[j][k] -= 0.5 * dj * x[k]
            b1[j] -= 0.5 * dj
        b2 -= 0.5 * d
