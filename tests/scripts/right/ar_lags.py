# expected: right
import numpy as np

rng = np.random.default_rng(5)
n, lags = 500, 3
series = np.zeros(n)
for t in range(2, n):
    series[t] = 1.2 * series[t - 1] - 0.6 * series[t - 2] + 0.4 * rng.standard_normal()
series = (series - series[:400].mean()) / series[:400].std()


def windows(s):
    rows = [s[t - lags:t][::-1] for t in range(lags, len(s))]
    return np.array(rows), s[lags:]


X, y = windows(series[:400])
X_test, y_test = windows(series[400 - lags:])
coef, const = np.zeros(lags), 0.0
cache = np.zeros(lags + 1)
for epoch in range(60):
    order = rng.permutation(len(y))
    for start in range(0, len(y), 20):
        batch = order[start:start + 20]
        error = X[batch] @ coef + const - y[batch]
        grad = np.append(2 * X[batch].T @ error / len(batch), 2 * error.mean())
        cache = 0.9 * cache + 0.1 * grad**2
        step = 0.005 * grad / (np.sqrt(cache) + 1e-8)
        coef = coef - step[:lags]
        const = const - step[lags]
    if epoch % 20 == 0:
        print(epoch, np.mean((X @ coef + const - y) ** 2), np.mean((X_test @ coef + const - y_test) ** 2))
print(coef, const)
