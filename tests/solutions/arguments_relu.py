import numpy as np


def relu(z):
    return np.maximum(0, z)


def relu_grad(z):
    return (z > 0).astype(float)


def init_weights(n_in, n_hidden, n_out, seed=0):
    rng = np.random.default_rng(seed)
    w1 = rng.standard_normal((n_in, n_hidden)) * np.sqrt(2 / n_in)
    bias1 = np.zeros(n_hidden)
    w2 = rng.standard_normal((n_hidden, n_out)) * np.sqrt(2 / n_hidden)
    bias2 = np.zeros(n_out)
    return w1, bias1, w2, bias2


def forward(x, w1, bias1, w2, bias2):
    z1 = x @ w1 + bias1
    h = relu(z1)
    y_pred = h @ w2 + bias2
    return z1, h, y_pred


def loss_fn(y_pred, y):
    return 0.5 * np.sum((y_pred - y) ** 2) / len(y)


def gradients(x, y, z1, h, y_pred, w2):
    n = len(x)
    g_out = (y_pred - y) / n
    g_w2 = h.T @ g_out
    g_b2 = g_out.sum(axis=0)
    g_h = g_out @ w2.T
    g_z1 = g_h * relu_grad(z1)
    g_w1 = x.T @ g_z1
    g_b1 = g_z1.sum(axis=0)
    return g_w1, g_b1, g_w2, g_b2


def main():
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    w1, bias1, w2, bias2 = init_weights(2, 10, 1)
    for step in range(3000):
        z1, h, y_pred = forward(x, w1, bias1, w2, bias2)
        g_w1, g_b1, g_w2, g_b2 = gradients(x, y, z1, h, y_pred, w2)
        w1 -= 0.1 * g_w1
        bias1 -= 0.1 * g_b1
        w2 -= 0.1 * g_w2
        bias2 -= 0.1 * g_b2
    return loss_fn(forward(x, w1, bias1, w2, bias2)[2], y)


if __name__ == "__main__":
    print(main())
