# expected: dead-relu-hidden line 22
import numpy as np
import matplotlib.pyplot as plt

rng = np.random.default_rng(15)

# XOR truth table
X_train = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
y_train = np.array([0, 1, 1, 0], dtype=float)[:, None]

hidden = 10
W_hidden = rng.uniform(-1, 0, size=(2, hidden))
b_hidden = np.zeros(hidden)
W_out = rng.uniform(-1, 1, size=(hidden, 1))
b_out = np.zeros(1)
lr = 0.05

losses = []
for epoch in range(375):
    # forward
    z = X_train @ W_hidden + b_hidden
    h = np.maximum(0, z)
    out = h @ W_out + b_out
    loss = np.mean((out - y_train) ** 2)
    losses.append(loss)
    # backward
    g_out = 2 * (out - y_train) / len(X_train)
    g_z = (g_out @ W_out.T) * (z > 0)
    # update
    W_out -= lr * h.T @ g_out
    b_out -= lr * g_out.sum(axis=0)
    W_hidden -= lr * X_train.T @ g_z
    b_hidden -= lr * g_z.sum(axis=0)
    if epoch % 1000 == 0:
        print(f"Epoch {epoch}: loss = {loss}")

print("outputs:", out.ravel())
plt.semilogy(losses)
plt.show()
