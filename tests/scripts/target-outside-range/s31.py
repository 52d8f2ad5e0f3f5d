# expected: target-outside-range line 21 or 10
import numpy as np
import matplotlib.pyplot as plt

np.random.seed(3)
t = np.linspace(0, 1, 100).reshape(-1, 1)
temperature = np.sin(2 * np.pi * t) + 0.05 * np.random.randn(100, 1)

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

w_in = np.random.randn(1, 15) * 3
b_in = np.random.randn(1, 15)
w_out = np.random.randn(15, 1)
b_out = np.zeros((1, 1))
eta = 0.5

losses = []
for epoch in range(500):
    hidden = sigmoid(t @ w_in + b_in)
    y_hat = sigmoid(hidden @ w_out + b_out)
    err = y_hat - temperature
    losses.append(float(np.mean(err ** 2)))

    d_out = 2 * err * y_hat * (1 - y_hat) / len(t)
    d_hid = (d_out @ w_out.T) * hidden * (1 - hidden)
    w_out -= eta * hidden.T @ d_out
    b_out -= eta * d_out.sum(axis=0, keepdims=True)
    w_in -= eta * t.T @ d_hid
    b_in -= eta * d_hid.sum(axis=0, keepdims=True)
    if epoch % 1000 == 0:
        print("epoch", epoch, losses[-1])

print("final loss", losses[-1])
plt.plot(t, temperature, ".")
plt.plot(t, y_hat)
plt.show()
