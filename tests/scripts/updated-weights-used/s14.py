# expected: updated-weights-used line 30
import numpy as np

np.random.seed(101)
x_data = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y_data = np.array([0, 1, 1, 0])

W_hidden = np.random.randn(6, 2)
b_hidden = np.zeros(6)
W_out = np.random.randn(6)
b_out = 0.0
lr = 0.7


def sig(z):
    return 1 / (1 + np.exp(-z))


def forward(x):
    h = sig(W_hidden @ x + b_hidden)
    return h, sig(W_out @ h + b_out)


def train_on(x, y):
    global W_hidden, b_hidden, W_out, b_out
    h, o = forward(x)
    delta = 2 * (o - y) * o * (1 - o)
    W_out = W_out - lr * delta * h
    b_out = b_out - lr * delta
    back = delta * W_out * h * (1 - h)
    W_hidden = W_hidden - lr * np.outer(back, x)
    b_hidden = b_hidden - lr * back
    return (o - y) ** 2


for epoch in range(375):
    total = sum(train_on(x, y) for x, y in zip(x_data, y_data))
    if epoch % 500 == 0:
        print(f"epoch={epoch} loss={total:.5f}")

for x in x_data:
    print(x, forward(x)[1])
