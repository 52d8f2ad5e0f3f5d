# expected: label-leak line 14
import numpy as np

rng = np.random.default_rng(2)
sales = np.zeros(400)
for day in range(1, 400):
    sales[day] = 0.7 * sales[day - 1] + rng.normal(0, 1)
width = 4


def past(values):
    rows, wanted = [], []
    for t in range(width, len(values)):
        rows.append(values[t - width + 1:t + 1])
        wanted.append(values[t])
    return np.array(rows), np.array(wanted)


X, y = past(sales[:300])
w, b = np.zeros(width), 0.0
for epoch in range(120):
    error = X @ w + b - y
    w -= 0.05 * X.T @ error / len(y)
    b -= 0.05 * error.mean()
    if epoch % 40 == 0:
        print(epoch, np.mean(error**2))
print(w)
