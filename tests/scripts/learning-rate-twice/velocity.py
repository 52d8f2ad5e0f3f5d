# expected: learning-rate-twice line 16
import numpy as np

rng = np.random.default_rng(1)
x = rng.normal(size=(60, 4))
y = x @ np.array([1.0, -2.0, 0.5, 3.0]) + 0.1 * rng.normal(size=60)


class Heavy:
    def __init__(self, rate, keep):
        self.rate, self.keep, self.velocity = rate, keep, None

    def step(self, w, g):
        if self.velocity is None:
            self.velocity = np.zeros_like(w)
        self.velocity = self.keep * self.velocity + self.rate * g
        return w - self.rate * self.velocity


ball = Heavy(0.05, 0.9)
w = np.zeros(4)
for turn in range(60):
    error = x @ w - y
    w = ball.step(w, 2 * x.T @ error / len(y))
    if turn % 20 == 0:
        print(turn, np.mean(error**2))
