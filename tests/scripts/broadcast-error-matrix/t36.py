# expected: broadcast-error-matrix line 14
import numpy as np
import matplotlib.pyplot as plt

np.random.seed(6)
t = np.random.uniform(-1, 1, 70)
y = (1.2 - 2 * t + 1.5 * t ** 2 + 0.05 * np.random.randn(70)).reshape(-1, 1)

c0 = c1 = c2 = 0.0
lr = 0.2
losses = []
for epoch in range(1000):
    y_hat = c0 + c1 * t + c2 * t ** 2
    err = y_hat - y
    losses.append(np.mean(err ** 2))
    c0 -= lr * 2 * np.mean(err)
    c1 -= lr * 2 * np.mean(err * t)
    c2 -= lr * 2 * np.mean(err * t ** 2)
    if epoch % 200 == 0:
        print(epoch, losses[-1])

print("c0, c1, c2 =", c0, c1, c2)
print("last loss", losses[-1])
grid = np.linspace(-1, 1, 50)
plt.plot(t, y, ".", grid, c0 + c1 * grid + c2 * grid ** 2)
plt.show()
