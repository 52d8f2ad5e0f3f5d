# expected: missing-import line 17
import numpy as np

rng = np.random.default_rng(0)
x = rng.random(50)
y = 4 * x - 1 + 0.1 * rng.standard_normal(50)
w, c = 0.0, 0.0
history = []
for epoch in range(800):
    pred = w * x + c
    err = pred - y
    history.append((err ** 2).mean())
    w -= 0.2 * 2 * (err * x).mean()
    c -= 0.2 * 2 * err.mean()
print("w", w, "c", c)

fig, ax = plt.subplots(1, 2, figsize=(9, 4))
ax[0].plot(history)
ax[0].set_yscale("log")
ax[1].scatter(x, y)
ax[1].plot(x, w * x + c, "r")
plt.show()
