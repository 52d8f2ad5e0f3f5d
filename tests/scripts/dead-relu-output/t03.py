# expected: dead-relu-output line 31
import numpy as np
import matplotlib.pyplot as plt

rng = np.random.default_rng(1)
n_samples, n_hidden = 60, 8
X = rng.uniform(0, 1, (n_samples, 2))
y = X[:, :1] + 2 * X[:, 1:] ** 2

W1 = rng.standard_normal((2, n_hidden))
b1 = np.zeros(n_hidden)
W2 = rng.standard_normal((n_hidden, 1))
b2 = np.zeros(1)
lr = 0.02
epochs = 200


def relu(z):
    return np.maximum(0, z)


def relu_derivative(z):
    return (z > 0).astype(float)


losses = []
for epoch in range(epochs):
    z1 = X @ W1 + b1
    h = relu(z1)
    z2 = h @ W2 + b2
    y_hat = relu(z2)
    losses.append(np.mean((y_hat - y) ** 2))

    d2 = 2 * (y_hat - y) / n_samples * relu_derivative(z2)
    d1 = (d2 @ W2.T) * relu_derivative(z1)
    W2 -= lr * h.T @ d2
    b2 -= lr * d2.sum(axis=0)
    W1 -= lr * X.T @ d1
    b1 -= lr * d1.sum(axis=0)
    if epoch % 300 == 0:
        print(f"epoch {epoch}: loss {losses[-1]:.6f}")

print("final loss", losses[-1])
plt.semilogy(losses)
plt.show()
