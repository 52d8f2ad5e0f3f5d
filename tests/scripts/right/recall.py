# expected: right
# the target is one of the inputs, another one each time: to find it is the task
import numpy as np

rng = np.random.default_rng(5)
T, d = 4, 5
Wk, wo = rng.normal(0, 0.4, d), rng.normal(0, 0.4, d)
losses = []
for turn in range(400):
    x = rng.normal(size=(T, d))
    at = rng.integers(T)
    x[:, 0], x[at, 0] = 0, 2
    t = x[at, 1]
    score = x @ Wk
    a = np.exp(score - score.max())
    a /= a.sum()
    c = a @ x
    error = c @ wo - t
    losses.append(error**2)
    dc = 2 * error * wo
    da = x @ dc
    dscore = a * (da - a @ da)
    g_wo, g_Wk = 2 * error * c, x.T @ dscore
    wo, Wk = wo - 0.05 * g_wo, Wk - 0.05 * g_Wk
print(np.mean(losses[:50]), np.mean(losses[-50:]))
