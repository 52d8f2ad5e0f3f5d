import numpy as np
rng = np.random.default_rng(5)
X = [np.array(v, float) for v in ([0, 0], [0, 1], [1, 0], [1, 1])]
Y = [np.array([t], float) for t in (0, 1, 1, 0)]
W = [rng.standard_normal((8, 2)), rng.standard_normal((1, 8))]
B = [np.zeros(8), np.zeros(1)]
sig = lambda z: 1.0 / (1.0 + np.exp(-z))
sig_prime = lambda z: sig(z) * (1 - sig(z))

def feedforward(x):
    activations, zs = [x], []
    for w, b in zip(W, B):
        zs.append(np.dot(w, activations[-1]) + b)
        activations.append(sig(zs[-1]))
    return zs, activations

def backprop(x, y):
    zs, activations = feedforward(x)
    nabla_w = [None, None]
    nabla_b = [None, None]
    delta = (activations[-1] - y) * sig_prime(zs[-1])
    nabla_b[1] = delta
    nabla_w[1] = np.outer(delta, activations[1])
    delta = np.dot(W[1].T, delta) * sig_prime(zs[0])
    nabla_b[0] = delta
    nabla_w[0] = np.outer(delta, x)
    return nabla_w, nabla_b

def cost():
    return sum(0.5 * np.sum((feedforward(x)[1][-1] - y) ** 2) for x, y in zip(X, Y))

eta = 2.0
for epoch in range(2000):
    for x, y in zip(X, Y):
        nw, nb = backprop(x, y)
        for k in range(2):
            W[k] -= eta * nw[k]
            B[k] -= eta * nb[k]
print(cost())
