# expected: right
"""Three kinds of points, one kind after the other, are put into an order by chance before they are cut."""
import numpy as np

rng = np.random.default_rng(31)
centres = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
kinds = np.repeat([0, 1, 2], 40)
points = centres[kinds] + rng.normal(size=(120, 2))
order = rng.permutation(120)
points, kinds = points[order], kinds[order]
cut = 85
learn, test = points[:cut], points[cut:]
learn_kinds, test_kinds = kinds[:cut], kinds[cut:]
W, b = np.zeros((2, 3)), np.zeros(3)


def shares(x):
    e = np.exp(x @ W + b)
    return e / e.sum(axis=1, keepdims=True)


for turn in range(150):
    P = shares(learn)
    loss = -np.mean(np.log(P[np.arange(cut), learn_kinds]))
    P[np.arange(cut), learn_kinds] -= 1
    W -= 0.3 * learn.T @ P / cut
    b -= 0.3 * P.mean(axis=0)
    if turn % 50 == 0:
        print(turn, loss)
print("share right", np.mean(shares(test).argmax(axis=1) == test_kinds))
