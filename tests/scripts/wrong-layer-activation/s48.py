# expected: wrong-layer-activation line 27
import numpy as np

rng = np.random.default_rng(75)
N = 100
X = rng.uniform(-1, 1, (N, 2))
Y = (np.sin(np.pi * X[:, 0]) * X[:, 1]).reshape(N, 1)

U = 15
W1, b1 = rng.normal(0, 1.0, (2, U)), np.zeros(U)
W2, b2 = rng.normal(0, 0.4, (U, U)), np.zeros(U)
W3, b3 = rng.normal(0, 0.4, (U, 1)), np.zeros(1)
lr = 0.1


def predict(x):
    A1 = np.tanh(x @ W1 + b1)
    A2 = np.tanh(A1 @ W2 + b2)
    return A1, A2, A2 @ W3 + b3


for step in range(375):
    A1, A2, out = predict(X)
    loss = np.sum((out - Y) ** 2) / N

    dout = 2 * (out - Y) / N
    dW3, db3 = A1.T @ dout, dout.sum(0)
    dZ2 = dout @ W3.T * (1 - A2 ** 2)
    dW2, db2 = A1.T @ dZ2, dZ2.sum(0)
    dZ1 = dZ2 @ W2.T * (1 - A1 ** 2)
    dW1, db1 = X.T @ dZ1, dZ1.sum(0)

    for param, grad in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2), (W3, dW3), (b3, db3)):
        param -= lr * grad

    if step % 500 == 0:
        print(step, loss)
print("final", loss)
