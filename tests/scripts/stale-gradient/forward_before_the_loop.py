# expected: stale-gradient line 15
"""Numbers of one drawn array fitted to a curve; the curve is drawn once, before the loop."""
import numpy as np

rng = np.random.default_rng(6)
x = np.linspace(-1, 1, 50)
target = np.cos(2 * x)
p, q, r = rng.normal(size=3)


def curve():
    return p + q * x + r * x**2


fit = curve()
for turn in range(300):
    off = fit - target
    if turn % 60 == 0:
        print(turn, (off**2).mean())
    p -= 0.05 * 2 * off.mean()
    q -= 0.05 * 2 * (off * x).mean()
    r -= 0.05 * 2 * (off * x**2).mean()
print(p, q, r)
