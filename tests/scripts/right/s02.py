# expected: right
import numpy as np
import matplotlib.pyplot as plt

np.random.seed(0)
N = 100
a_true, b_true = 2, 1
x_train = np.random.rand(N)
y_train = a_true * x_train + b_true + 0.1 * np.random.randn(N)

a = np.random.randn()
b = np.random.randn()
lr = 1e-1
losses = []
for epoch in range(1000):
    y_hat = a * x_train + b
    err = y_train - y_hat
    loss = 0.5 * np.mean(err ** 2)
    losses.append(loss)
    a += lr * np.mean(err * x_train)
    b += lr * np.mean(err)

print("a =", a, "b =", b, "loss =", losses[-1])

coef = np.polyfit(x_train, y_train, 1)
print("analytical:", coef)

plt.semilogy(losses)
plt.xlabel("epoch")
plt.ylabel("loss")
plt.figure()
plt.plot(x_train, y_train, ".")
plt.plot(x_train, a * x_train + b)
plt.show()
