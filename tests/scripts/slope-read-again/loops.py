# expected: slope-read-again line 21
import numpy as np

rng = np.random.default_rng(1)
x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([0.0, 1.0, 1.0, 0.0])
W, b = rng.normal(0, 1, (4, 2)), np.zeros(4)
v, c = rng.normal(0, 1, 4), 0.0
rate = 0.1

for epoch in range(35):
    loss = 0.0
    for i in range(4):
        a = np.tanh(W @ x[i] + b)
        error = v @ a + c - y[i]
        loss += error**2
        sent_back = 2 * error * v
        dv, dc, db = 2 * error * a, 2 * error, sent_back * (1 - a**2)
        for j in range(4):
            for k in range(2):
                W[j, k] -= rate * sent_back[j] * (1 - np.tanh(W[j] @ x[i] + b[j]) ** 2) * x[i, k]
        v -= rate * dv
        c -= rate * dc
        b -= rate * db

print(loss)
