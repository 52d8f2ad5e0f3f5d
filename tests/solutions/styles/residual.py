import numpy as np

def relu(z):
    return np.maximum(z, 0)

def res_block_forward(x, W1, b1, W2, b2):
    z1 = x @ W1 + b1
    a1 = relu(z1)
    z2 = a1 @ W2 + b2
    out = relu(z2 + x)
    return out, (x, z1, a1, z2, W1, W2)

def res_block_backward(dout, cache):
    x, z1, a1, z2, W1, W2 = cache
    dsum = dout * (z2 + x > 0)
    dW2 = a1.T @ dsum
    db2 = dsum.sum(axis=0)
    dz1 = dsum @ W2.T * (z1 > 0)
    dW1 = x.T @ dz1
    db1 = dz1.sum(axis=0)
    dx = dz1 @ W1.T + dsum
    return dx, dW1, db1, dW2, db2
