# expected: too-few-epochs line 20 or 13
import numpy as np

rng = np.random.default_rng(6)
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
Y = np.array([[0], [1], [1], [0]], dtype=float)

W1 = rng.standard_normal((2, 10))
b1 = rng.standard_normal(10)
W2 = rng.standard_normal((10, 1))
b2 = rng.standard_normal(1)
learning_rate = 0.5
n_epochs = 60


def act(z):
    return 1 / (1 + np.exp(-z))


for epoch in range(n_epochs):
    H = act(X @ W1 + b1)
    O = act(H @ W2 + b2)
    loss = np.sum((O - Y) ** 2)
    dO = 2 * (O - Y) * O * (1 - O)
    dH = dO @ W2.T * H * (1 - H)
    W2 -= learning_rate * H.T @ dO
    b2 -= learning_rate * dO.sum(axis=0)
    W1 -= learning_rate * X.T @ dH
    b1 -= learning_rate * dH.sum(axis=0)
    if epoch % 10 == 0:
        print(f"epoch {epoch:3d} | loss {loss:.4f}")

print("outputs:", O.ravel().round(2))
