# expected: right
"""Early stopping on held-out samples: a copy of the best weights is kept, and taken up in the end."""
import numpy as np

rng = np.random.default_rng(13)
X = np.c_[np.ones(70), rng.normal(size=(70, 5))]
y = X @ rng.normal(size=6) + 0.5 * rng.normal(size=70)
w, best, waited = np.zeros(6), (np.inf, None), 0
kept, lowest = w, np.inf
for epoch in range(400):
    r = X[:50] @ w - y[:50]
    loss = (r**2).mean()
    w -= 0.02 * 2 * X[:50].T @ r / 50
    if epoch % 100 == 0:
        print(epoch, loss)
    now = ((X[50:] @ w - y[50:]) ** 2).mean()
    if now < lowest:
        lowest, kept, waited = now, w.copy(), 0
    else:
        waited += 1
        if waited > 20:
            break
w = kept
print("held out:", ((X[50:] @ w - y[50:]) ** 2).mean())
