# expected: dot-instead-of-elementwise line 30
import numpy as np

np.random.seed(60)
X_train = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y_train = np.array([[0], [1], [1], [0]])
n_hidden = 5
lr = 0.5

params = {
    "W_h": np.random.randn(n_hidden, 2),
    "b_h": np.zeros(n_hidden),
    "W_o": np.random.randn(1, n_hidden),
    "b_o": np.zeros(1),
}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(x):
    h = sigmoid(params["W_h"] @ x + params["b_h"])
    o = sigmoid(params["W_o"] @ h + params["b_o"])
    return h, o


def backward(x, y, h, o):
    d_o = 2 * (o - y) * o * (1 - o)
    d_h = np.dot(params["W_o"].T @ d_o, h * (1 - h))
    return {"W_h": d_h * x, "b_h": d_h, "W_o": np.outer(d_o, h), "b_o": d_o}


for epoch in range(1500):
    loss = 0
    for x, y in zip(X_train, y_train):
        h, o = forward(x)
        loss += ((o - y) ** 2).sum()
        grads = backward(x, y, h, o)
        for name in params:
            params[name] -= lr * grads[name]
    if epoch % 1000 == 0:
        print("loss at", epoch, "=", loss)
for x in X_train:
    print(x, forward(x)[1])
