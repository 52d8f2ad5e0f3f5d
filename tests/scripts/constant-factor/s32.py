# expected: constant-factor line 32
import numpy as np

rng = np.random.default_rng(55)
inputs = np.array([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
wanted = np.array([0., 1., 1., 0.])
H = 7
Wh = rng.normal(size=(H, 2))
bh = rng.normal(size=H)
Wo = rng.normal(size=H)
bo = rng.normal()
rate = 0.4


def s(u):
    return 1 / (1 + np.exp(-u))


def total_loss():
    return sum((s(Wo @ s(Wh @ x + bh) + bo) - t) ** 2 for x, t in zip(inputs, wanted))


epoch = 0
while epoch < 1000:
    for x, t in zip(inputs, wanted):
        h = s(Wh @ x + bh)
        o = s(Wo @ h + bo)
        slope_o = (o - t) * o * (1 - o)
        slope_h = slope_o * Wo * h * (1 - h)
        Wo = Wo - rate * 2 * slope_o * h
        bo = bo - rate * 2 * slope_o
        Wh = Wh - rate * np.outer(slope_h, x)
        bh = bh - rate * 2 * slope_h
    if epoch % 10000 == 0:
        print(epoch, total_loss())
    epoch += 1
print("end", total_loss())
