# expected: right
import numpy as np

rng = np.random.default_rng(4)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cuts(a):
    return a[0] + np.concatenate([[0.0], np.cumsum(np.exp(a[1:]))])


X = rng.normal(size=(300, 3))
y = np.searchsorted([-1.0, 0.5, 2.0], X @ [1.0, -0.5, 0.3] + rng.logistic(size=300))
w, a = np.zeros(3), np.array([-0.5, 0.0, 0.0])
for it in range(201):
    c = cuts(a)
    high = np.concatenate([c, [np.inf]])[y]
    low = np.concatenate([[-np.inf], c])[y]
    score = X @ w
    F_high, F_low = sigmoid(high - score), sigmoid(low - score)
    p = F_high - F_low
    nll = -np.log(p).mean()
    f_high, f_low = F_high * (1 - F_high), F_low * (1 - F_low)
    grad_w = X.T @ ((f_high - f_low) / p) / len(y)
    grad_c = np.array([(f_low / p)[y == k + 1].sum() - (f_high / p)[y == k].sum() for k in range(3)]) / len(y)
    grad_a = np.exp(a) * np.cumsum(grad_c[::-1])[::-1]
    grad_a[0] = grad_c.sum()
    w -= 0.5 * grad_w
    a -= 0.5 * grad_a
    if it % 50 == 0:
        print(it, nll)
print(w, cuts(a))
