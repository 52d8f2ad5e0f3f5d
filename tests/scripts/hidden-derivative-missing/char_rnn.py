# expected: hidden-derivative-missing line 33
"""Characters one after the other: truncated backpropagation through time, clipping, Adagrad, a smoothed loss."""
import numpy as np

text = "the rain in spain stays mainly in the plain. " * 12
letters = sorted(set(text))
code = {c: i for i, c in enumerate(letters)}
K, H, T = len(letters), 8, 4
rng = np.random.default_rng(4)
U, V, O = (rng.normal(scale=0.05, size=s) for s in ((H, K), (H, H), (K, H)))
c, d = np.zeros((H, 1)), np.zeros((K, 1))
memory = [np.zeros_like(p) for p in (U, V, O, c, d)]


def one_hot(i):
    v = np.zeros((K, 1))
    v[i] = 1.0
    return v


def passes(sources, goals, state):
    states, probabilities, loss = {-1: state.copy()}, {}, 0.0
    for t, i in enumerate(sources):
        states[t] = np.tanh(U @ one_hot(i) + V @ states[t - 1] + c)
        e = np.exp(O @ states[t] + d)
        probabilities[t] = e / e.sum()
        loss -= np.log(probabilities[t][goals[t], 0])
    grads = [np.zeros_like(p) for p in (U, V, O, c, d)]
    later = np.zeros_like(state)
    for t in range(len(sources) - 1, -1, -1):
        dy = probabilities[t].copy()
        dy[goals[t]] -= 1
        ds = O.T @ dy + later
        for g, more in zip(grads, (ds @ one_hot(sources[t]).T, ds @ states[t - 1].T, dy @ states[t].T, ds, dy)):
            g += more
        later = V.T @ ds
    for g in grads:
        np.clip(g, -3, 3, out=g)
    return loss, grads, states[len(sources) - 1]


smooth, at, state = T * np.log(K), 0, np.zeros((H, 1))
for step in range(100):
    if at + T + 1 > len(text):
        at, state = 0, np.zeros((H, 1))
    sources, goals = [code[a] for a in text[at : at + T]], [code[a] for a in text[at + 1 : at + T + 1]]
    loss, grads, state = passes(sources, goals, state)
    smooth = 0.99 * smooth + 0.01 * loss
    for p, g, m in zip((U, V, O, c, d), grads, memory):
        m += g * g
        p -= 0.1 * g / np.sqrt(m + 1e-8)
    at += T
print(smooth)
