import numpy as np

def init(sizes, rng):
    return [(rng.normal(0, 0.5, (m, n)), np.zeros(n)) for m, n in zip(sizes[:-1], sizes[1:])]

def forward(params, X):
    acts = [X]
    for k, (W, b) in enumerate(params):
        z = acts[-1] @ W + b
        acts.append(z if k == len(params) - 1 else np.tanh(z))
    return acts

def loss(params, X, Y):
    return 0.5 * np.mean(np.sum((forward(params, X)[-1] - Y) ** 2, axis=1))

def backward(params, X, Y):
    acts = forward(params, X)
    delta = (acts[-1] - Y) / len(X)
    grads = []
    for k in reversed(range(len(params))):
        grads.insert(0, (acts[k].T @ delta, delta.sum(axis=0)))
        if k:
            delta = delta @ params[k][0].T * (1 - acts[k] ** 2)
    return grads
