# expected: sign-flipped line 16
import numpy as np

rng = np.random.default_rng(0)
means = np.array([0.2, 0.5, 1.1, 0.9])
theta = np.zeros(4)
baseline = 0.0
total = 0.0
for t in range(2000):
    p = np.exp(theta - theta.max())
    p /= p.sum()
    a = rng.choice(4, p=p)
    r = means[a] + rng.normal()
    onehot = np.zeros(4)
    onehot[a] = 1
    theta += 0.1 * (r - baseline) * (p - onehot)
    baseline += 0.05 * (r - baseline)
    total += r
print("mean reward", total / 2000, "policy", p.round(3))
