# expected: output-derivative-missing line 15 or 16
import numpy as np


def build(units, seed):
    rng = np.random.RandomState(seed)
    own = {"W": rng.randn(2, units), "b": np.zeros(units), "v": rng.randn(units), "c": 0.0}

    def run(rows):
        hidden = 1 / (1 + np.exp(-(rows @ own["W"] + own["b"])))
        return hidden, 1 / (1 + np.exp(-(hidden @ own["v"] + own["c"])))

    def learn(rows, goals, rate):
        hidden, out = run(rows)
        off = out - goals
        back = 2 * off
        behind = np.outer(back, own["v"]) * hidden * (1 - hidden)
        own["v"] = own["v"] - rate * hidden.T @ back
        own["c"] = own["c"] - rate * back.sum()
        own["W"] = own["W"] - rate * rows.T @ behind
        own["b"] = own["b"] - rate * behind.sum(axis=0)
        return (off**2).sum()

    return run, learn


rows = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
goals = np.array([0.0, 1.0, 1.0, 0.0])
run, learn = build(10, 3)
for turn in range(2000):
    loss = learn(rows, goals, 0.5)
    if turn % 500 == 0:
        print(turn, loss)
print(run(rows)[1].round(2))
