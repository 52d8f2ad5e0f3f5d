# expected: result-unused line 21
"""A deep network whose gradients are to be clipped, and are not."""
import numpy as np

rng = np.random.default_rng(8)
X = rng.normal(size=(60, 4))
y = np.tanh(X @ rng.normal(size=(4, 1))) * 3
sizes = [4, 10, 10, 1]
weights = [rng.normal(size=s) / np.sqrt(s[0]) for s in zip(sizes, sizes[1:])]
for epoch in range(200):
    outputs = [X]
    for k, W in enumerate(weights):
        z = outputs[-1] @ W
        outputs.append(np.tanh(z) if k < 2 else z)
    delta = 2 * (outputs[-1] - y) / len(X)
    grads = []
    for k in (2, 1, 0):
        grads.insert(0, outputs[k].T @ delta)
        delta = delta @ weights[k].T * (1 - outputs[k] ** 2)
    for W, grad in zip(weights, grads):
        np.clip(grad, -0.1, 0.1)
        W -= 0.1 * grad
    print(epoch, ((outputs[-1] - y) ** 2).mean())
