# expected: right
import numpy as np

SEED = 2
np.random.seed(SEED)
X = np.random.uniform(-1, 1, (300, 3))
Y = np.where(X[:, [0]] > 0, X[:, [1]], -X[:, [2]]) + 0.02 * np.random.randn(300, 1)
LEAK = 0.1


def lrelu(z):
    return np.where(z > 0, z, LEAK * z)


def lrelu_grad(z):
    return np.where(z > 0, 1.0, LEAK)


net = []
for n_in, n_out in [(3, 32), (32, 16), (16, 1)]:
    net.append([np.random.randn(n_in, n_out) * np.sqrt(2 / n_in), np.zeros((1, n_out))])
accum = [[np.zeros_like(p) for p in layer] for layer in net]


def forward(x):
    zs, acts = [], [x]
    for i, (W, b) in enumerate(net):
        z = acts[-1] @ W + b
        zs.append(z)
        acts.append(z if i == len(net) - 1 else lrelu(z))
    return zs, acts


for epoch in range(30):
    perm = np.random.permutation(300)
    for s in range(0, 35, 50):
        xb, yb = X[perm[s:s + 50]], Y[perm[s:s + 50]]
        zs, acts = forward(xb)
        delta = (acts[-1] - yb) / len(xb)
        updates = []
        for i in (2, 1, 0):
            updates.append((i, acts[i].T @ delta, delta.sum(0, keepdims=True)))
            if i:
                delta = delta @ net[i][0].T * lrelu_grad(zs[i - 1])
        for i, gW, gb in updates:
            for j, g in enumerate((gW, gb)):
                accum[i][j] += g ** 2
                net[i][j] -= 0.05 * g / (np.sqrt(accum[i][j]) + 1e-8)
    if epoch % 50 == 0:
        print(epoch, 0.5 * np.mean((forward(X)[1][-1] - Y) ** 2))
print("end", 0.5 * np.mean((forward(X)[1][-1] - Y) ** 2))
