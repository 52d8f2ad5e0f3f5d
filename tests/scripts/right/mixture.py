# expected: right
"""Two lines and a gate, by the likelihood; its logarithms are summed with logaddexp.reduce."""
import numpy as np

rng = np.random.default_rng(3)
t = rng.uniform(-2, 2, 150)
y = np.where(t < 0, -t, 2 * t) + rng.normal(0, 0.1, 150)
F = np.column_stack([t, np.ones(150)])
lines, gate = rng.normal(0, 0.5, (2, 2)), rng.normal(0, 0.5, (2, 2))
for step in range(400):
    mean, a = F @ lines, F @ gate
    log_gate = a - np.logaddexp.reduce(a, axis=1, keepdims=True)
    joint = log_gate - 0.5 * (y[:, None] - mean) ** 2 / 0.25
    whole = np.logaddexp.reduce(joint, axis=1)
    share = np.exp(joint - whole[:, None])
    lines += 0.05 * F.T @ (share * (y[:, None] - mean) / 0.25) / 150
    gate += 0.3 * F.T @ (share - np.exp(log_gate)) / 150
    if step % 100 == 0:
        print(step, -whole.mean())
