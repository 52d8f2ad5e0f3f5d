# expected: right
import numpy as np

# train / validation split, patience, decaying step
rng = np.random.default_rng(31)
n, d = 160, 5
A = rng.normal(size=(n, d))
coef = rng.normal(size=d)
target = A @ coef + 0.7 + 0.6 * rng.normal(size=n)
A_tr, A_va = A[:120], A[120:]
t_tr, t_va = target[:120], target[120:]

w, c = np.zeros(d), 0.0
lr0, decay = 0.4, 0.01
best, best_params, patience, bad, epoch = np.inf, None, 15, 0, 0

while True:
    r = A_tr @ w + c - t_tr
    lr = lr0 / (1 + decay * epoch)
    w = w - lr * (A_tr.T @ r) / len(r)
    c = c - lr * r.mean()
    val = np.mean((A_va @ w + c - t_va) ** 2)
    if val < best - 1e-6:
        best, best_params, bad = val, (w.copy(), c), 0
    else:
        bad += 1
    if bad >= patience or epoch > 5000:
        break
    epoch += 1

w, c = best_params
print("stopped at", epoch, "validation mse", best)
print("train mse", np.mean((A_tr @ w + c - t_tr) ** 2))
