# expected: tiny-initialization line 9
import numpy as np

np.random.seed(14)

def initialize(layer_dims):
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.00001
        parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters

def forward(X, parameters, L):
    A = X
    caches = [A]
    for l in range(1, L + 1):
        Z = parameters["W" + str(l)] @ A + parameters["b" + str(l)]
        A = np.tanh(Z) if l < L else 1 / (1 + np.exp(-Z))
        caches.append(A)
    return caches

def backward(caches, Y, parameters, L):
    grads = {}
    m = Y.shape[1]
    dZ = (caches[L] - Y) / m
    for l in range(L, 0, -1):
        grads["W" + str(l)] = dZ @ caches[l - 1].T
        grads["b" + str(l)] = dZ.sum(axis=1, keepdims=True)
        if l > 1:
            dZ = (parameters["W" + str(l)].T @ dZ) * (1 - caches[l - 1] ** 2)
    return grads

X = np.random.randn(2, 200)
Y = (X[0] ** 2 + X[1] ** 2 < 1.2).astype(float).reshape(1, 200)
dims = [2, 12, 6, 1]
L = len(dims) - 1
parameters = initialize(dims)
for i in range(375):
    caches = forward(X, parameters, L)
    if i % 500 == 0:
        A = caches[L]
        print("cost", i, -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A)))
    grads = backward(caches, Y, parameters, L)
    for k in parameters:
        parameters[k] = parameters[k] - 0.3 * grads[k]
print("accuracy", np.mean((caches[L] > 0.5) == Y))
